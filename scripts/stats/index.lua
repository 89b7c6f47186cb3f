--- index: the weighted index of all securities, on the board as index and
-- published on the topic of that name.

local tw = require "tw"
local board = require "tw.board"

local M = {}

function M:on_start()
  self.index, self.last = 0.0, {}
end

function M:on_quote(symbol, weight, mid)
  self.index = self.index + weight * (mid - (self.last[symbol] or 0.0))
  self.last[symbol] = mid
end

function M:on_timer()
  board.index = self.index
  tw.publish("index", self.index)
end

return M
