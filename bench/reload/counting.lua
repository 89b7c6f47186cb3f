--- counting: notes how long each quote has taken, in steps of an eighth of a power of 2.
--
-- Those that come within WINDOW of a call of tw.reload it notes apart, and likewise those
-- of as long a time half way to the next one: what both have in common is the machine.

local tw, board = require "tw", require "tw.board"

local M = {}

local WINDOW <const>, APART <const> = 3e6, 6e6     -- ns

function M:on_start()
  self.n, self.last = 0, 0
  self.delays, self.around, self.beside = {}, {}, {}
end

function M:on_quote(seq, received)
  assert(seq > self.last, "a quote came twice")
  self.n, self.last = self.n + 1, seq
  local bucket = math.ceil(8 * math.log(math.max(1, tw.now() - received), 2))
  local passed = received - (board.called or 0)
  if passed < 0 then passed = received - (board.called_before or 0) end   -- it was late
  local window = passed >= 0 and passed < WINDOW and self.around
              or passed >= APART and passed < APART + WINDOW and self.beside
              or self.delays
  window[bucket] = (window[bucket] or 0) + 1
end

function M:on_reload() end

function M:on_stop()
  board[("%s.%d"):format(self.name, self.shard)] = {
    n = self.n, delays = self.delays, around = self.around, beside = self.beside }
end

return M
