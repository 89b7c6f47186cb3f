--- leader: reloads one script after the other, one every so many seconds.

local tw, board = require "tw", require "tw.board"

local M = {}

function M:on_start()
  tw.task.detach(function()
    local took, refused = 0, 0
    for i = 1, self.params.reloads do
      local began = tw.clock()
      board.called_before = board.called
      board.called = tw.now()
      local fine = pcall(function() tw.reload(("s%d.lua"):format(i % 4 + 1)):await() end)
      if not fine then refused = refused + 1 end
      took = took + tw.clock() - began
      board.took, board.refused, board.reloads = took, refused, i
      tw.sleep(math.max(0, self.params.every - (tw.clock() - began)))
    end
  end)
end

return M
