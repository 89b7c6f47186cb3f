--- sector: the volatility of each sector: an EWMA of its members' squared
-- returns, on the board as vol.tech and published on the topic of that name.

local tw = require "tw"
local board = require "tw.board"

local M = {}

local ALPHA <const> = 0.01

function M:on_start()
  self.last, self.variance = {}, {}
end

function M:on_quote(symbol, sector, mid)
  local last = self.last[symbol] or mid
  self.last[symbol] = mid
  local r, v = mid / last - 1, self.variance[sector] or 0.0
  self.variance[sector] = v + ALPHA * (r * r - v)
end

function M:on_timer()
  for sector, variance in pairs(self.variance) do
    local name, vol = "vol." .. sector, math.sqrt(variance)
    board[name] = vol
    tw.publish(name, vol)
  end
end

return M
