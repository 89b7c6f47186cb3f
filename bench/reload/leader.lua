--- leader: reloads one script after the other.

local tw, board = require "tw", require "tw.board"

local M = {}

function M:on_start()
  tw.task.detach(function()
    local began, refused = tw.clock(), 0
    for i = 1, self.params.reloads do
      local fine = pcall(function() tw.reload(("s%d.lua"):format(i % 4 + 1)):await() end)
      if not fine then refused = refused + 1 end
      tw.sleep(self.params.pause)
    end
    board.took = tw.clock() - began - self.params.reloads * self.params.pause
    board.refused = refused
  end)
end

return M
