-- cross.lua: two moving averages that cross, of quotes or bars, with or without orders.
local FAST, SLOW = 10, 30
local M = { account = { cash = 1e6 } }

function M:on_start()
  self.fast, self.slow, self.n, self.close = 0, 0, 0, {}
  self.trades = self.params.trades
end

local function take(self, symbol, price)
  local close, n = self.close, self.n
  self.slow = self.slow + price - (close[n % SLOW] or 0)
  self.fast = self.fast + price - (n >= FAST and close[(n - FAST) % SLOW] or 0)
  close[n % SLOW] = price
  self.n = n + 1
  if n < SLOW then return end
  local above = self.fast * (SLOW / FAST) > self.slow
  if above == self.above then return end
  self.above = above
  if self.trades then self:order_target(symbol, above and 100 or 0) end
end

function M:on_quote(symbol, bid, ask) take(self, symbol, (bid + ask) * 0.5) end

function M:on_bar(symbol, close) take(self, symbol, close) end

return M
