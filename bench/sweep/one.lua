--- one.lua DIR TAPE JOBS FAST: a sweep of 32 FAST runs, and what it took.

local sweep = require "tw.sweep"
local tw = require "tw"
local here, tape, jobs, fast = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])

-- Kilobytes that are this process's: pages of a file count once, however often mapped.
local function memory()
  for line in io.lines "/proc/self/smaps_rollup" do
    local n = line:match "^Pss:%s+(%d+)"
    if n then return tonumber(n) end
  end
end

-- Seconds that each thread of the pool was ready, but had no processor: the mean.
local function waited()
  local tasks <close> = io.popen "cat /proc/$PPID/task/*/schedstat"
  local sum, n = 0, -1                       -- the first one is not of the pool
  for line in tasks:lines() do
    if n >= 0 then sum = sum + tonumber(line:match "^%d+ (%d+)") / 1e9 end
    n = n + 1
  end
  return sum / n
end

local peak = 0
local began, cpu = tw.clock(), os.clock()
local made = assert(sweep.run {
  script = here .. "/cross.lua", data = tape, jobs = jobs, store = "none",
  by = "total_return",
  set = { fast = sweep.range(10, 10 * fast, 10), slow = sweep.range(200, 1440, 40) },
  progress = function() peak = math.max(peak, memory()) end,
})
assert(made.done == 32 * fast and made.failed == 0)
local wall, used = tw.clock() - began, os.clock() - cpu
print(wall, wall - waited(), used, peak, made.best.result.hash)
