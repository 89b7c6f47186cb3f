--- crossover: long while a fast average of the mid price is above a slow one.

local strategy = require "tw.strategy"

local M = strategy.new {
  doc = "long while a fast average of the mid price is above a slow one",
  params = {
    fast = { 0.002, min = 0, max = 1, doc = "what a quote weighs in the fast average" },
    slow = { 0.0005, min = 0, max = 1, doc = "and in the slow one" },
  },
  where = "fast > slow",
}

function M:on_start() self.fast, self.slow = {}, {} end

function M:on_quote(symbol, mid)
  local fast, slow, p = self.fast[symbol] or mid, self.slow[symbol] or mid, self.params
  fast, slow = fast + p.fast * (mid - fast), slow + p.slow * (mid - slow)
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
