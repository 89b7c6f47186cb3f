--- blocking: what ffi.blocking makes of a C function: a call in the pool, awaited.

-- What C works with: it can't be stopped, so this stays until it has come back, even when
-- the wait has raised (Ctrl-C, or a call from where nobody can wait).
local held = {}

-- What raises is told of where the call is, two levels up.
local function checked(fine, ...)
  if not fine then error(..., 3) end
  return ...
end

-- begin(fn, ...) -> call; start(call) -> a future of it, or nil: the pool is to run it;
-- finish(fn, call) -> its result.
return function(fn, begin, start, finish)
  local pool, task = require "tw.pool", require "tw.task"
  return function(...)
    for future in pairs(held) do
      if future:peek() ~= "pending" then held[future] = nil end
    end
    local call, values = checked(pcall(begin, fn, ...)), table.pack(fn, ...)
    task.shield(function()
      local future = start(call) or assert(pool.run("tw.internal.ffi.run", call))
      held[future] = values
      future:await()
      held[future] = nil
    end)
    return finish(fn, call)
  end
end
