--- security: per security, the mean spread, an EWMA of the mid price and its
-- volatility, on the board as spread.AAPL, mid.AAPL, vol.AAPL.
--
-- Sharded by symbol, so that each worker keeps its own securities.

local board = require "tw.board"

local M = {}

local ALPHA <const> = 0.01     -- of both EWMAs: a memory of about 100 quotes

function M:on_start()
  self.spread, self.quotes = {}, {}
  self.mid, self.variance, self.last = {}, {}, {}
end

function M:on_quote(symbol, bid, ask, mid)
  local n = (self.quotes[symbol] or 0) + 1
  self.quotes[symbol] = n
  local spread = self.spread[symbol] or 0.0
  self.spread[symbol] = spread + (ask - bid - spread) / n

  local ewma, last = self.mid[symbol] or mid, self.last[symbol] or mid
  self.mid[symbol] = ewma + ALPHA * (mid - ewma)
  self.last[symbol] = mid
  local r, v = math.log(mid / last), self.variance[symbol] or 0.0
  self.variance[symbol] = v + ALPHA * (r * r - v)
end

function M:on_timer()
  for symbol, mid in pairs(self.mid) do
    board["mid." .. symbol] = mid
    board["spread." .. symbol] = self.spread[symbol]
    board["vol." .. symbol] = math.sqrt(self.variance[symbol])
  end
end

return M
