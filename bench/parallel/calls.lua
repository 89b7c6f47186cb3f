--- calls: a warm call and return of the pool, from the main chunk and from a job.

local tw = require "tw"

local calls = {}

--- Calls a function of nothing n times, one after the other, and says what it took.
function calls.measure(from, n)
  local tw = require "tw"
  local pool = require "tw.pool"
  local function nothing() end
  local took = {}
  for _ = 1, n // 10 do pool.run(nothing):await() end
  for i = 1, n do
    local began = tw.clock()
    pool.run(nothing):await()
    took[i] = (tw.clock() - began) * 1e6
  end
  table.sort(took)
  return ("call and return from %-18s p50 %6.1f us   p99 %6.1f us")
    :format(from .. ":", took[n // 2], took[n * 99 // 100])
end

if arg and arg[0] and arg[0]:find "calls%.lua$" then
  print(calls.measure("the main chunk", 20000))
  print(tw.pool.run(calls.measure, "a job", 20000):await())
end

return calls
