--- remote: the strategy of scripts/crossover.lua on prices that come over FIX.
--
-- The venue is in the same process here, so its prices are on the tape as well: those are
-- left out.

local M = require "crossover"
local decide = M.on_quote

function M:on_quote(symbol, mid, source)
  if source == "broker" then decide(self, symbol, mid) end
end

function M:on_fill(symbol, side, quantity, price)
  print(("%s: %s %d %s at %.2f, by FIX"):format(self.name,
    side == "buy" and "bought" or "sold", quantity, symbol, price))
end

return M
