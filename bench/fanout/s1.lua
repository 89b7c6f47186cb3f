--- s1: per security, the mean spread and an EWMA of the mid price.

local M = {}

local count, size = 0, 0
local n, spread, ewma = {}, {}, {}

function M:on_start()
  for s = 1, self.params.n do
    n[s], spread[s], ewma[s] = 0, 0.0, 0.0
  end
end

function M.on_quote(symbol_id, bid, ask, bid_size, ask_size)
  local mid = (bid + ask) * 0.5
  count = count + 1
  size = size + bid_size + ask_size
  local k = n[symbol_id] + 1
  n[symbol_id] = k
  local mean = spread[symbol_id]
  spread[symbol_id] = mean + ((ask - bid) - mean) / k
  if k == 1 then
    ewma[symbol_id] = mid
  else
    local e = ewma[symbol_id]
    ewma[symbol_id] = e + 0.05 * (mid - e)
  end
end

function M:on_stop()
  local a, b = 0.0, 0.0
  for s = 1, self.params.n do
    a, b = a + spread[s], b + ewma[s]
  end
  print(string.format("S1 %d %.9e %.9e %d", count, a, b, size))
end

return M
