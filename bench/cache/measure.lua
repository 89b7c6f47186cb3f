--- measure: the least time a call takes, of some rounds, in nanoseconds.

local tw = require "tw"

local ROUNDS, CALLS = 5, 200000

local measure = {}

--- measure.row(name, ns)
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: ns.
function measure.row(name, ns)
  print(("%-52s %8.1f ns"):format(name, ns))
end

--- measure.least(fn) -> number
-- fn(n) does what is measured n times.
-- Yields: as fn does.  Blocks: as fn does.  Thread: any.  Errors: those of fn.
-- Units: ns.
function measure.least(fn)
  local least = math.huge
  for _ = 1, ROUNDS do
    local start = tw.clock()
    fn(CALLS)
    least = math.min(least, (tw.clock() - start) / CALLS * 1e9)
  end
  return least
end

--- measure.hits(where)
-- Prints what a hit costs there, of caches without and with a time to live.
-- Yields: no.  Blocks: about a second.  Thread: any.  Errors: none.  Units: ns.
function measure.hits(where)
  local function load(key) return { key } end
  for _, ttl in ipairs { false, 60 } do
    local cache = tw.cache(ttl and "timed" or "plain", { ttl = ttl or nil })
    cache:get("AAPL", load):await()
    local name = ("%%s, %s, %s"):format(where, ttl and "a time to live" or "no times")
    measure.row(name:format "get and await, a hit", measure.least(function(n)
      for _ = 1, n do cache:get("AAPL", load):await() end
    end))
    measure.row(name:format "peek", measure.least(function(n)
      for _ = 1, n do cache:peek "AAPL" end
    end))
  end
end

return measure
