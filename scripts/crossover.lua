--- crossover: long while a fast average of the mid price is above a slow one.

local M = {}

function M:on_start() self.fast, self.slow, self.at, self.gain = {}, {}, {}, {} end

function M:on_quote(symbol, bid, ask, mid)
  local fast, slow = self.fast[symbol] or mid, self.slow[symbol] or mid
  fast, slow = fast + 0.002 * (mid - fast), slow + 0.0005 * (mid - slow)
  self.fast[symbol], self.slow[symbol] = fast, slow
  local at = self.at[symbol]                             -- what it was bought at
  if not at and fast > slow * 1.0001 then self.at[symbol] = ask end
  if at and fast < slow then
    self.gain[symbol], self.at[symbol] = (self.gain[symbol] or 0) + bid - at, nil
  end
end

function M:on_stop()
  for symbol, gain in pairs(self.gain) do print(("%s %+.2f"):format(symbol, gain)) end
end

return M
