-- scripts/embed/spread.lua: the mean spread of each symbol, for the program to ask for.
local tw = require "tw"
local M = {}

function M:on_start() self.sum, self.n = {}, {} end

function M:on_quote(symbol, bid, ask)
  self.sum[symbol] = (self.sum[symbol] or 0) + (ask - bid)
  self.n[symbol] = (self.n[symbol] or 0) + 1
end

-- The mean after so many quotes; a function that the program calls may wait.
function M:mean(symbol, quotes)
  if quotes < 1 then error("mean: quotes must be 1 or more", 0) end
  while (self.n[symbol] or 0) < quotes do tw.sleep(0.001) end
  return self.sum[symbol] / self.n[symbol]
end

return M
