-- minute.lua: one unit long from when a fast average crosses above a slow one until back.
local ta = require "tw.ta"
local M = { account = { cash = 1e6, fill = "next_open" } }

function M:on_start()
  self.fast, self.slow = ta.sma(10), ta.sma(30)
  self.cross = ta.cross(self.fast, self.slow)
end

function M:on_bar(symbol, close)
  self.fast:push(close)
  self.slow:push(close)
  local cross = self.cross:push()
  if cross == 1 then self:order_target(symbol, 1)
  elseif cross == -1 then self:order_target(symbol, 0) end
end

return M
