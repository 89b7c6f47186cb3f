--- beside: do other tasks run while a function is called?

local task = require "tw.task"

return function(f)
  local turns, ran = 0, nil
  task.scope(function(s)
    local counter = s:spawn(function()
      while true do turns = turns + 1 task.yield() end
    end)
    s:spawn(function()
      task.yield()
      local before = turns
      f()
      ran = turns > before
      counter:cancel()
    end)
  end)
  return ran
end
