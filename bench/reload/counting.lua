--- counting: notes how long each quote has taken, in steps of an eighth of a power of 2.

local tw, board = require "tw", require "tw.board"

local M = {}

local AROUND <const> = 200     -- quotes after a change

function M:on_start()
  self.n, self.last, self.changed = 0, 0, -AROUND
  self.delays, self.around = {}, {}
end

function M:on_quote(seq, received)
  assert(seq > self.last, "a quote came twice")
  self.n, self.last = self.n + 1, seq
  local bucket = math.ceil(8 * math.log(math.max(1, tw.now() - received), 2))
  self.delays[bucket] = (self.delays[bucket] or 0) + 1
  if self.n - self.changed <= AROUND then
    self.around[bucket] = (self.around[bucket] or 0) + 1
  end
end

function M:on_reload() self.changed = self.n end

function M:on_stop()
  board[("%s.%d"):format(self.name, self.shard)] = { n = self.n, delays = self.delays,
                                                       around = self.around }
end

return M
