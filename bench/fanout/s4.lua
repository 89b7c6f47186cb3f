--- s4: the weighted index of all securities.

local tw = require "tw"

local M = {}

local count, index, total = 0, 0.0, 0.0
local weight, last = {}, {}

function M:on_start()
  for s = 1, self.params.n do
    weight[s], last[s] = tw.instrument(s).weight, 0.0
  end
end

function M.on_quote(symbol_id, bid, ask)
  local mid = (bid + ask) * 0.5
  count = count + 1
  index = index + weight[symbol_id] * (mid - last[symbol_id])
  last[symbol_id] = mid
  total = total + index
end

function M.on_stop()
  print(string.format("S4 %d %.9e %.9e", count, index, total))
end

return M
