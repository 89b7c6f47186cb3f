-- declared.lua: minute.lua with averages that are declared, and so computed in C.
local M = { account = { cash = 1e6, fill = "next_open" } }

local CROSS <const> = "crossover(sma(close, window=10), sma(close, window=30)) by symbol"

function M:on_start()
  self:track { cross = CROSS }
  self:when("cross == 1", function(self, bar) self:order_target(bar.symbol, 1) end)
  self:when("cross == -1", function(self, bar) self:order_target(bar.symbol, 0) end)
end

return M
