--- index: the weighted index of all securities, on the board as index and
-- published on the topic of that name.

local stat = require "tw.stat"

local M = {}

function M:on_start()
  self:track {
    index = stat.sum("weight * (mid - prev(mid, initial=0))")
      :sample { board = true, publish = true, every = 0.5 },
  }
end

M.on_reload = M.on_start    -- a new version declares anew

return M
