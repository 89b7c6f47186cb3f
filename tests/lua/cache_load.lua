--- cache_load: one load for all who ask; loads that fail, wait, are left, go in circles.
--
-- No key is ever stuck: after each of these it can be loaded again.

package.path = "tests/?.lua;" .. package.path
local t, apps, jobs = require "tw.test", require "apps", require "jobs"
local tw = require "tw"
local task, pool = tw.task, tw.pool
local internal = require "tw.internal.function"

local SMALL = os.getenv "SMALL"

pool.configure { threads = 2, queue = 200 }
local c = tw.cache("c", { entries = 10000 })

local wait_until, is_idle = jobs.wait_until, jobs.is_idle

-- The thread sanitizer holds signals back while nothing but Lua code runs.
local TSAN = apps.has "tsan"
local function forever()
  local tw = require "tw"
  while true do if TSAN then tw.sleep(0) end end
end

local function never() error("no load is needed") end

local function reloads(name, key)
  t.is(c:get(key, function() return "again" end):await(), "again", name .. ": not stuck")
  c:remove(key)
end

-- Many callers, in tasks here and in jobs, one load.

for _, callers in ipairs { 10, 100, SMALL and 200 or 1000 } do
  local gate, loads, ready = tw.channel(1), tw.channel(10), tw.channel(callers)
  local function load(key)
    loads:send(1)
    gate:recv()
    return { key = key, list = { 1, 2, 3 } }
  end
  local key = { "herd", callers }
  local jobs, values = {}, {}
  for i = 1, callers / 2 do
    jobs[i] = pool.run(function()
      local f = c:get(key, load)
      ready:send(1)
      return { f:await() }
    end)
    if i % 100 == 0 then
      wait_until(function() return pool.status().queued < 50 end)
    end
  end
  task.scope(function(s)
    for i = 1, callers / 2 do
      s:spawn(function()
        local f = c:get(key, load)
        ready:send(1)
        values[i] = f:await()
      end)
    end
    for _ = 1, callers // 2 * 2 do ready:recv() end
    gate:close()
  end)
  local same = 0
  for i = 1, callers // 2 do
    same = same + (rawequal(values[i], values[1]) and 1 or 0)
    same = same + (rawequal(jobs[i]:await()[1], values[1]) and 1 or 0)
  end
  t.is(same, callers // 2 * 2, callers .. " callers: every one has the identical value")
  t.is(#loads, 1, callers .. " callers: one load")
end
do
  local before = c:stats()
  local gate, loads = tw.channel(1), tw.channel(1000)
  local function load() loads:send(1) gate:recv() error("it can't be had", 0) end
  local failed, told = 0, 0
  task.scope(function(s)
    for _ = 1, 200 do
      s:spawn(function()
        local ok, e = c:get("failing", load):pawait()
        failed = failed + (ok and 0 or 1)
        told = told + (e.message:find "it can't be had" and 1 or 0)
      end)
    end
    wait_until(function() return c:stats().coalesced - before.coalesced == 199 end)
    gate:close()
  end)
  t.ok(failed == 200 and told == 200, "a failing load: all 200 are told")
  t.is(#loads, 1, "a failing load: it ran once")
  t.is(c:stats().failures - before.failures, 1, "a failing load: counted once")
  reloads("a failing load", "failing")
end

-- How a load can end badly.

local function fails(name, pattern, load)
  local ok, e = c:get(name, load):pawait()
  local fine = not ok and e.message:find(pattern) and not e.message:find "\n"
  t.ok(fine, name .. ": " .. tostring(e and e.message))
  reloads(name, name)
end

fails("raises", "cache_load.lua:%d+: oops$", function() error "oops" end)
fails("raises a table", "^{1}$", function() error { 1 } end)
fails("raises nil", "nil", function() error(nil) end)
fails("returns nothing", "^cache 'c': the loader returned nothing$", function() end)
fails("returns two values",
      "^cache 'c': the loader returned 2 values, and a load has one: put them into a",
      function() return 1, nil end)
fails("returns a function", "result is a function", function() return print end)
fails("returns a part that can't be", "result.a%[1%] is a coroutine", function()
  return { a = { coroutine.create(print) } }
end)
fails("says a wrong ttl", "load.ttl: seconds from 0 on expected, got soon",
      function(_, load) load.ttl = "soon" return 1 end)
fails("says a wrong field", "load: 'tag' is no field of it",
      function(_, load) load.tag = "x" return 1 end)
fails("says wrong tags", "load.tags: a list of strings expected",
      function(_, load) load.tags = "x" return 1 end)
fails("says wrong names", "no market is running here",
      function(_, load) load.depends = { "AAPL" } return 1 end)
fails("says unchanged of nothing", "returned nothing",
      function(_, load) return load.old end)
do
  local ok, e = c:get("module", "no_such_module.name"):pawait()
  t.ok(not ok and e.message:find "no_such_module", "a module that is not there")
  reloads("a module that is not there", "module")
  local thread = coroutine.create(print)
  local why = "^cache:get: upvalue 'thread' .* is a coroutine"
  t.raises(why, c.get, c, "upvalue", function() return thread end)
  reloads("an upvalue that can't be sent", "upvalue")
  t.raises(why, c.get_all, c, { "u1", "u2" }, function() return thread end)
  reloads("of several", "u1")
  reloads("of several", "u2")
  t.is(c:get("tw.clock", "tw.clock"):pawait(), true, "a loader by its name")
end

-- Who leaves, and what goes on.

do   -- a time limit of one
  local gate = tw.channel(1)
  local function load() gate:recv() return "late" end
  local f = c:get("limit", load)
  local v, message = f:await(0.001)
  t.ok(v == nil and message, "a waiter's time limit: " .. tostring(message))
  local got
  task.scope(function(s)
    s:spawn(function() got = c:get("limit", never):await() end)
    s:spawn(function()
      local none, why = task.timeout(0.001, function()
        return c:get("limit", never):await()
      end)
      t.ok(none == nil and why, "and that of a block")
      gate:close()
    end)
  end)
  t.is(got, "late", "the load goes on for the others")
end
do   -- one of two leaves, then the other
  local gate, begun = tw.channel(1), tw.channel(1)
  local function load() begun:send(1) gate:recv() return 1 end
  local a, b = c:get("left", load), c:get("left", load)
  begun:recv()
  a:cancel()
  t.is(b:peek(), "pending", "one leaves: the other is not harmed")
  t.ok(not pcall(a.await, a), "who has left is not given it")
  local cancelled = c:stats().cancelled
  b:cancel()
  wait_until(function() return c:stats().loading == 0 end)
  t.is(c:stats().cancelled - cancelled, 1, "the last one leaves: the load is stopped")
  reloads("after that", "left")
end
do   -- it is stopped where it computes, and before it has begun
  local begun = tw.channel(4)
  local function endless(key) begun:send(key[2]) forever() end
  local fs, runs = {}, {}
  for i = 1, 4 do fs[i] = c:get({ "endless", i }, endless) end
  for _ = 1, 2 do runs[begun:recv()] = true end
  for i = 1, 4 do if not runs[i] then fs[i]:cancel() end end   -- while no thread is free
  for i in pairs(runs) do fs[i]:cancel() end
  wait_until(is_idle)
  t.ok(#begun == 0 or TSAN, "an endless loop is stopped, a queued one never begins")
  reloads("after that", { "endless", 1 })
  reloads("after that", { "endless", 4 })
end
do   -- of several keys in one call, when nobody wants any of them
  local begun = tw.channel(1)
  local fs = c:get_all({ "e1", "e2" }, function() begun:send(1) forever() end)
  begun:recv()
  fs[1]:cancel()
  t.is(fs[2]:peek(), "pending", "several keys: one is wanted still")
  reloads("the other", "e1")
  fs[2]:cancel()
  wait_until(is_idle)
  reloads("several keys", "e2")
end
do   -- a scope that ends takes its waiters with it
  local begun = tw.channel(1)
  local ok = pcall(task.scope, function(s)
    s:spawn(function()
      c:get("scope", function() begun:send(1) forever() end):await()
    end)
    s:spawn(function() begun:recv() error "the end" end)
  end)
  wait_until(is_idle)
  t.ok(not ok, "a scope that fails stops the load that only it waits for")
  reloads("after that", "scope")
end
do   -- who loses sight of it does not stop it
  local gate, done = tw.channel(1), tw.channel(1)
  c:get("lost", function() gate:recv() done:send(1) return "there" end)
  collectgarbage() collectgarbage()
  gate:close()
  done:recv()
  t.is(c:get("lost", never):await(), "there", "a handle that is collected stops nothing")
end

-- Loaders that wait, and that ask.

t.is(c:get("sleeps", function() require "tw".sleep(0.001) return 1 end):await(), 1,
     "a loader may sleep")
t.is(c:get("runs", function()
  return require "tw".pool.run(function() return 2 end):await()
end):await(), 2, "run a job")
do
  local function fib(n, load)
    if n < 2 then return n end
    local again = debug.getinfo(1, "f").func
    return c:get({ "fib", n - 1 }, function(k) return again(k[2]) end):await()
         + c:get({ "fib", n - 2 }, function(k) return again(k[2]) end):await()
  end
  local loads = c:stats().loads
  t.is(c:get({ "fib", 30 }, function(k) return fib(k[2]) end):await(), 832040,
       "and ask for other keys")
  t.is(c:stats().loads - loads, 31, "each of which is loaded once")
end
do
  local inner = tw.cache("inner", { entries = 5 })
  local function outer_load(k)
    return inner:get(k, function(key) return key * 2 end):await() + 1
  end
  t.is(c:get(20, outer_load):await(), 41, "a cache in a cache")
  t.is(inner:peek(20), 40, "the inner one has it, too")
end

local function circle(name, path, load)
  local ok, e = c:get("A", load):pawait()
  t.ok(not ok and e.message:find(path, 1, true), name .. ": " .. e.message)
  wait_until(is_idle)
  for _, key in ipairs { "A", "B", "C" } do reloads(name, key) end
end
circle("its own key", "c[A] -> c[A]", function(k)
  return c:get(k, function() return 1 end):await()
end)
circle("A, B, A", "c[A] -> c[B] -> c[A]", function(k)
  return c:get("B", function() return c:get("A", print):await() end):await()
end)
circle("through a job", "c[A] -> c[A]", function(k)
  return require "tw".pool.run(function() return c:get(k, print):await() end):await()
end)
circle("through get_all", "c[A] -> c[A]", function(k)
  return require "tw".all(c:get_all({ "B", k }, function() return { 1, 2 } end))
end)
circle("through a task", "c[A] -> c[A]", function(k)
  local tw = require "tw"
  return tw.task.scope(function(s)
    return s:spawn(function() return c:get(k, print):await() end):await()
  end)
end)
do   -- over two threads: each of three loads asks for the next, all at once
  local begun, gate = tw.channel(3), tw.channel(1)
  local next_of = { A = "B", B = "C", C = "A" }
  local function load(k)
    begun:send(k)
    gate:recv()
    return c:get(next_of[k], print):await()
  end
  local fs = { c:get("A", load), c:get("B", load), c:get("C", load) }
  for _ = 1, 3 do begun:recv() end
  gate:close()
  local circles = 0
  for i = 1, 3 do
    local ok, e = fs[i]:pawait()
    local told = not ok and tostring(e):find "a load waits for itself: c%["
    circles = circles + (told and 1 or 0)
  end
  t.is(circles, 3, "a circle of three that close it together: all are told")
  for _, key in ipairs { "A", "B", "C" } do reloads("a circle of three", key) end
end

-- A queue that is full: the future fails; then all goes on.

do
  local gate, fs, full = tw.channel(1), {}, nil
  local function load() gate:recv() return 1 end
  for i = 1, 20000 do
    local f = c:get({ "full", i }, load)
    if f:peek() == "failed" then
      full = { f:pawait() }
      break
    end
    fs[i] = f
    if i % 100 == 0 then task.yield() end
  end
  t.is(full and full[2].message, "cache 'c': the loader can't be queued: full",
       "full: the future fails")
  gate:close()
  tw.all(fs)
  reloads("full", { "full", #fs + 1 })
  c:invalidate_prefix { "full" }
end

-- Whichever allocation fails, it is an error, and the key can be had again.

do
  local failed, stuck = 0, 0
  local function load(key, l)
    l.tags = { "t" }
    return { key }
  end
  local function exercise(n)
    assert(c:get({ "memory", n }, load):await()[1][2] == n)
    c:put({ "put", n }, { n }, { tags = { "x" } })
    local fs = c:get_all({ { "many", n }, { "more", n } },
                         function() return { 1, 2 } end)
    local other, what = fs[2]:pawait()   -- both are looked at
    assert(fs[1]:await() == 1 and (other or error(what)) and what == 2)
    assert(#c:inspect() > 0 and c:stats().entries > 0)
  end
  for n = 1, SMALL and 60 or 600 do
    internal.fail_at(n)
    local ok, e = pcall(exercise, n)
    internal.fail_at(0)
    failed = failed + (ok and 0 or 1)
    if not ok and not tostring(e):find "memory" then
      t.ok(false, "without memory: " .. tostring(e))
    end
    wait_until(is_idle)
    for _, name in ipairs { "memory", "put", "many", "more" } do
      local key = { name, n }
      c:remove(key)
      if c:get(key, function() return 7 end):await() ~= 7 then stuck = stuck + 1 end
      c:remove(key)
    end
  end
  t.is(stuck, 0, "without memory: no key is stuck")
  t.ok(failed > 10, ("without memory, %d times"):format(failed))
end
wait_until(is_idle)
wait_until(function() return c:stats().loading == 0 end)
t.ok(true, "nothing is left loading")
