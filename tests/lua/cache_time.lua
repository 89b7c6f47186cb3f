--- cache_time: how long a value is given, and what happens when it is over.
--
-- A time that has to pass is waited for until the cache says so; what has to be there
-- still has so long to live that no machine is too slow for it.

local t = require "tw.test"
local tw = require "tw"

local LONG, SHORT = 600, 0.005   -- seconds
local function never() error("no load is needed") end

-- A loader that counts its calls in a channel.
local function counter()
  local calls = tw.channel(1000)
  return function(key) calls:send(key) return { n = #calls } end, calls
end

-- Until holds() is true.
local function wait_until(holds)
  while not holds() do tw.sleep(0.001) end
end

-- Time to live and to idle; a put and a loader may say otherwise.

do
  local c = tw.cache("ttl", { ttl = SHORT })
  local load = counter()
  c:get("k", load):await()
  wait_until(function() return c:peek "k" == nil end)
  t.is(c:get("k", load):await().n, 2, "after its time to live it is loaded anew")
  c:put("long", 1, { ttl = LONG })
  t.is(c:get("own", function(_, l) l.ttl = 600 return "own" end):await(), "own",
       "a loader says how long")
  c:put("short", 1)
  wait_until(function() return c:peek "short" == nil end)
  t.ok(c:peek "long" == 1 and c:get("own", never):await() == "own", "those go on")
  t.is(c:get("none", function(_, l) l.ttl = 0 return 1 end):await(), 1, "or not at all")
  t.is(c:peek "none", nil, "which is not kept")
  t.ok(c:stats().expirations >= 1, "counted as expired")
end
do
  local c = tw.cache("long", { ttl = LONG, idle = LONG, jitter = 0.5 })
  local load = counter()
  c:get("k", load):await()
  for i = 1, 100 do c:put(i, i) end
  t.is(c:get("k", never):await().n, 1, "before that it is given")
  local least, most = LONG, 0
  for _, e in ipairs(c:inspect()) do
    least, most = math.min(least, e.ttl_left), math.max(most, e.ttl_left)
  end
  t.ok(least > LONG * 0.4 and most <= LONG and most - least > LONG * 0.2,
       ("jitter takes up to its share off: %.0f to %.0f"):format(least, most))
  c:put("short", 1, { ttl = SHORT })
  wait_until(function() return c:peek "short" == nil end)
  t.is(c:peek "short", nil, "a shorter one of its own")
end
do
  local c = tw.cache("idle", { idle = SHORT })
  local load = counter()
  c:get("k", load):await()
  wait_until(function() return c:peek "k" == nil end)
  t.is(c:get("k", load):await().n, 2, "what nobody uses is loaded anew")
end

-- Who listens is told which of the two it was.

for reason, options in pairs { expired = { ttl = SHORT, idle = LONG },
                               idle = { ttl = LONG, idle = SHORT } } do
  local c, gone = tw.cache("told " .. reason, options), tw.channel(10)
  c:on_removal(gone)
  c:put("k", "value")
  wait_until(function() return c:peek "k" == nil end)
  c:get("k", function() return "new" end):await()
  local r = gone:recv(10)
  t.ok(r and r.key == "k" and r.value == "value" and r.reason == reason,
       ("removed: k (%s)"):format(r and r.reason))
end

-- Refresh ahead, and what is stale: the old value at once, a reload beside it.

for name, options in pairs { refresh = { ttl = LONG, refresh = SHORT },
                             stale = { ttl = SHORT, stale = LONG } } do
  local c = tw.cache(name, options)
  local gate, calls = tw.channel(1), tw.channel(10)
  local function load(_, l)
    calls:send(l.old and l.old.n or 0)
    if l.old then gate:recv() end
    return { n = #calls }
  end
  local first = c:get("k", load):await()
  wait_until(function() c:get("k", load) return #calls == 2 end)
  t.ok(rawequal(c:get("k", load):await(), first), name .. ": the old value meanwhile")
  for _ = 1, 10 do c:get("k", load):await() end
  t.is(#calls, 2, name .. ": one reload")
  if name == "stale" then
    local s = c:inspect()[1]
    t.ok(s.state == "stale" and s.loading >= 0 and s.ttl_left == 0,
         "stale: inspect says so")
    t.ok(c:stats().stale >= 11, "stale: counted")
  end
  gate:close()
  wait_until(function() return c:peek "k".n > 1 end)
  calls:recv()
  t.is(calls:recv(), 1, name .. ": the reload is given the old value")
end

-- A reload may say that nothing has changed.

do
  local c = tw.cache("unchanged", { ttl = LONG, refresh = SHORT })
  local calls = tw.channel(1000)
  local function load(_, l)
    calls:send(1)
    if l.old then return l.old end
    l.tags = { "t" }
    return { "value" }
  end
  local first = c:get("k", load):await()
  wait_until(function() c:get("k", load):await() return #calls >= 3 end)
  t.ok(rawequal(c:get("k", load):await(), first), "unchanged: the same value")
  wait_until(function() return not c:inspect()[1].loading end)
  t.is(c:invalidate_tag "t", 1, "unchanged: its tags stay")
  local number = tw.channel(1000)
  local function same(_, l)
    number:send(1)
    l.tags = { "round " .. #number }
    return 5
  end
  c:get("n", same):await()
  wait_until(function() c:get("n", same):await() return #number >= 2 end)
  wait_until(function() return not c:inspect()[1].loading end)
  t.is(c:invalidate_tag "round 1", 0, "an equal value with other tags has those")
  t.is(c:peek "n", 5, "and is there")
end

-- A failed reload: the old value for a while, or the failure.

do
  local c = tw.cache("stale_error", { ttl = SHORT, stale_error = LONG })
  local calls = tw.channel(10000)
  local function load(_, l)
    calls:send(1)
    if l.old then error("down", 0) end
    return "first"
  end
  c:get("k", load):await()
  wait_until(function() return c:get("k", load):await() == "first" and #calls >= 2 end)
  t.is(c:get("k", load):await(), "first", "stale_error: a failed reload gives the old")
  t.ok(c:stats().failures >= 1, "stale_error: it is counted")
  local short = tw.cache("stale_error short", { ttl = SHORT, stale_error = SHORT })
  short:get("k", load):await()
  local ok, e
  wait_until(function() ok, e = short:get("k", load):pawait() return not ok end)
  t.ok(e.message:find "down", "stale_error: until its limit")
  local none = tw.cache("no stale_error", { ttl = SHORT })
  none:get("k", load):await()
  wait_until(function() return none:peek "k" == nil end)
  ok, e = none:get("k", load):pawait()
  t.ok(not ok and e.message:find "down", "without it the failure is what is given")
end

-- Failures are not kept, or for a time of their own.

do
  local function failing()
    local calls = tw.channel(1000)
    return function() calls:send(1) error("no " .. #calls, 0) end, calls
  end
  local c = tw.cache("failures 0", { ttl = LONG })
  local load, calls = failing()
  for i = 1, 3 do
    local ok, e = c:get("k", load):pawait()
    t.ok(not ok and e.message:find("no " .. i), "a failure is not kept (" .. i .. ")")
  end
  c = tw.cache("failures long", { ttl = SHORT, failures = LONG })
  load, calls = failing()
  for _ = 1, 5 do
    local ok, e = c:get("k", load):pawait()
    t.ok(not ok and e.message:find "no 1", "it is, for as long as asked")
  end
  t.is(#calls, 1, "and its loader called once")
  c = tw.cache("failures short", { ttl = LONG, failures = SHORT })
  load, calls = failing()
  wait_until(function() c:get("k", load):pawait() return #calls == 2 end)
  t.is(#calls, 2, "and no longer")
end
