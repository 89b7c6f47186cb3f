--- security: per security, the mean spread, an EWMA of the mid price and its
-- volatility, on the board as spread.AAPL, mid.AAPL, vol.AAPL.
--
-- Sharded by symbol, so that each worker keeps its own securities.

local stat = require "tw.stat"

local M = {}

local ALPHA <const> = 0.01     -- of both EWMAs: a memory of about 100 quotes

function M:on_start()
  local shown = { board = true, every = 0.5 }
  self:track {
    spread = stat.mean("ask - bid"):by("symbol"):sample(shown),
    mid = stat.ewma("mid", { alpha = ALPHA }):by("symbol"):sample(shown),
    variance = stat.ewma("log_return(mid)^2", { alpha = ALPHA, initial = 0 }):by "symbol",
    vol = stat.declare("sqrt(variance) by symbol"):sample(shown),
  }
end

M.on_reload = M.on_start    -- a new version declares anew

return M
