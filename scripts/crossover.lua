--- crossover: long while a fast average of the mid price is above a slow one.

local M = {}

function M:on_start() self.fast, self.slow = {}, {} end

function M:on_quote(symbol, mid)
  local fast, slow = self.fast[symbol] or mid, self.slow[symbol] or mid
  fast, slow = fast + 0.002 * (mid - fast), slow + 0.0005 * (mid - slow)
  self.fast[symbol], self.slow[symbol] = fast, slow
  if fast > slow * 1.0001 then self:order_target(symbol, 100) end
  if fast < slow then self:order_target(symbol, 0) end
end

function M:on_stop()
  for symbol in pairs(self.fast) do
    local p = self.account:position(symbol)
    print(("%s %+.2f"):format(symbol, p.realised + p.unrealised))
  end
end

return M
