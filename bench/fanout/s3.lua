--- s3: per sector, an EWMA of squared returns: its mean volatility.

local tw = require "tw"

local M = {}

local count, seqs = 0, 0
local prev, sector, ewma = {}, {}, {}

function M:on_start()
  for s = 1, self.params.n do
    prev[s] = 0.0
    sector[s] = tonumber(tw.instrument(s).sector)
  end
  for c = 0, 9 do ewma[c] = 0.0 end
end

function M.on_quote(symbol_id, bid, ask, source_seq)
  local mid = (bid + ask) * 0.5
  count = count + 1
  seqs = seqs + source_seq
  local p = prev[symbol_id]
  prev[symbol_id] = mid
  if p == 0 then return end
  local r, c = mid / p - 1, sector[symbol_id]
  local e = ewma[c]
  ewma[c] = e + 0.01 * (r * r - e)
end

function M.on_stop()
  local total = 0.0
  for c = 0, 9 do total = total + math.sqrt(ewma[c]) end
  print(string.format("S3 %d %.9e %d", count, total / 10, seqs))
end

return M
