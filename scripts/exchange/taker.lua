--- taker: now and then buys or sells TIDE at the best price, as its dice say.
--
-- params: seed.

local M = {}

-- A generator of its own: math.random is its worker's, and depends on who else is there.
function M:dice(n)
  self.state = ((self.state or self.params.seed) * 1103515245 + 12345) % 2147483648
  return self.state // 65536 % n
end

function M:on_timer()
  if self:dice(20) ~= 0 then return end
  local side = self:dice(2) == 0 and self.buy or self.sell
  side(self, "TIDE", 1 + self:dice(10))
end

function M:on_trade(price)
  self.trades, self.last = (self.trades or 0) + 1, price
end

function M:on_stop()
  local a = self.account
  print(("%s holds %d, made %.2f; the last of %d trades was at %.2f"):format(self.name,
    self:position "TIDE", a.equity - a.deposits, self.trades or 0, self.last or 0))
end

return M
