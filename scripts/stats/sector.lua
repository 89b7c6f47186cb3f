--- sector: the volatility of each sector: an EWMA of its members' squared
-- returns, on the board as vol.tech and published on the topic of that name.

local stat = require "tw.stat"

local M = {}

function M:on_start()
  self:track {
    variance = stat.ewma("simple_return(mid)^2", { alpha = 0.01, initial = 0 })
      :by "sector",
    vol = stat.declare("sqrt(variance) by sector")
      :sample { board = true, publish = true, every = 0.5 },
  }
end

M.on_reload = M.on_start    -- a new version declares anew

return M
