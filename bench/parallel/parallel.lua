--- parallel: CPU-bound jobs on the pool, beside as many in processes of their own.

local tw = require "tw"

local tidewire, this, repeats = arg[1], arg[2], tonumber(arg[3])
local JOBS, N = 16, 29

local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end

if not tidewire then            -- one of the processes
  for _ = 1, JOBS // 2 do fib(N) end
  return
end

local list = {}
for i = 1, JOBS do list[i] = N end

local function wall(f)
  local began = tw.clock()
  f()
  return tw.clock() - began
end

local function processes()
  local command = ("'%s' '%s'"):format(tidewire, this)
  local one, two = io.popen(command), io.popen(command)
  assert(one:close() and two:close())
end

local alone, pool, pair, share = {}, {}, {}, {}
tw.pool.map(list, fib)          -- warm
for i = 1, repeats do
  alone[i] = wall(function() for _ = 1, JOBS do fib(N) end end)
  pool[i] = wall(function() tw.pool.map(list, fib, { chunk = 1 }) end)
  pair[i] = wall(processes)
  share[i] = pair[i] / pool[i]
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

local one = median(alone)
print(("%d computations of %.0f ms on %d threads: %.2f times as fast as one thread;"
       .. " two processes: %.2f; pool / processes: %.2f")
  :format(JOBS, one / JOBS * 1e3, tw.pool.status().threads, one / median(pool),
          one / median(pair), median(share)))
