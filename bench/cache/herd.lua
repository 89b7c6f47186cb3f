--- herd: requests for one expensive value, in the pool without and with the cache.

local tw = require "tw"

local REQUESTS, SECONDS = 8, 0.1

local function f(n)
  local x = 0
  for i = 1, n do x = (x * 31 + i) % 65521 end
  return x
end

-- So many turns take about SECONDS.
local turns, took = 100000, 0
repeat
  turns = turns * 2
  local start = os.clock()
  f(turns)
  took = os.clock() - start
until took > SECONDS / 2
turns = math.floor(turns * SECONDS / took)

local cache = tw.cache "herd"
tw.all { tw.pool.run(f, 1), tw.pool.run(f, 1) }   -- the threads are warm
for _, how in ipairs { "tidewire, the pool without a cache", "tidewire, the cache" } do
  local evaluations, futures = tw.channel(REQUESTS), {}
  local function evaluate(n)
    evaluations:send(1)
    return f(n)
  end
  local wall, cpu = tw.clock(), os.clock()
  for i = 1, REQUESTS do
    futures[i] = how:find "without" and tw.pool.run(evaluate, turns)
      or cache:get(turns, evaluate)
  end
  tw.all(futures)
  print(("%-42s %11d %9.0f %9.0f"):format(how, #evaluations, (tw.clock() - wall) * 1e3,
                                         (os.clock() - cpu) * 1e3))
end
