--- future: settled once, awaited by any, stopped by the last who leaves.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local others_ran = require "beside"
local tw = require "tw"
local core = require "tw.internal.task"
local task = tw.task

local TIMED_OUT = { nil, "timed out", core.TIMEDOUT }

local function done(value)
  local p = tw.promise()
  p:resolve(value)
  return p.future
end

local function failed(value)
  local p = tw.promise()
  p:reject(value)
  return p.future
end

-- One future.

local p = tw.promise()
local f = p.future
t.is(f:peek(), "pending", "it begins as pending")
t.ok(tostring(p):find "^promise: 0x%x+ %(pending%)$", "the promise's text says so")
t.same({ f:await(0) }, TIMED_OUT, "a time of 0 looks once")
t.same({ f:await(0.0005) }, TIMED_OUT, "a short one waits")
t.same({ f:pawait(0) }, TIMED_OUT, "the same for pawait")
t.ok(p:resolve { 1, { x = 2 } }, "it is settled")
t.same({ f:peek() }, { "done", f:await() }, "peek sees the value")
t.is(f:await()[2].x, 2, "await gives it")
t.ok(f:await() == f:await(), "the same one each time")
t.same({ f:pawait() }, { true, f:await() }, "pawait gives true and it")
t.ok(tostring(f):find "^future: 0x%x+ %(done%)$", "its text tells how it stands")
t.ok(p.future == f, "a promise has one future")

f = failed "no"
local ok, err = f:pawait()
t.ok(ok == false and err.message == "no", "a failure is an error")
t.is(select(2, pcall(f.await, f)).message, "no", "await raises it, as often as asked")
local state, same = f:peek()
t.is(state .. " " .. same.message, "failed no", "peek sees it, too")

p = tw.promise()
task.scope(function(s)
  local a = s:spawn(function() return p.future:await() end)
  local b = s:spawn(function() return p.future:await() end)
  task.yield()
  p:resolve "both"
  t.is(a:await() .. b:await(), "bothboth", "all who wait get it")
end)

p = tw.promise()
local mine, other = p.future, p.future
mine:cancel()
t.is(mine:peek(), "cancelled", "who leaves has left")
t.raises("await: cancelled: its work was told to stop", mine.await, mine)
t.is(other:peek(), "pending", "and harms no other")
p:resolve(1)
t.is(other:await(), 1, "who gets the value")
other:cancel()
t.is(other:await(), 1, "leaving a settled one is nothing")

p = tw.promise()
mine, other = p.future, p.future
mine:cancel()
other:cancel()
t.is(p:resolve(1), false, "when the last has left, it is settled: cancelled")
t.is(p.future:peek(), "cancelled", "for everybody")

for _, name in ipairs { "await", "pawait", "peek", "cancel" } do
  t.raises("future expected", f[name], {})
end
t.raises("number expected", f.await, f, "soon")
t.raises("a number of seconds from 0 on expected", f.await, f, -1)

-- Promises.

p = tw.promise()
t.is(tostring(p:resolve(1)) .. tostring(p:resolve(2)) .. tostring(p:reject "x"),
  "truefalsefalse", "a promise is settled once")
t.is(p.future:await(), 1, "by the first")
t.is(done(nil):await(), nil, "nil is a value")
t.raises("value.f is a function", p.resolve, tw.promise(), { f = print })
t.raises("a promise has no field 'settle'", function() return p.settle end)
f = tw.promise().future
collectgarbage() collectgarbage()
ok, err = f:pawait()
t.ok(not ok and err.message:find "the promise was dropped before anybody had settled it",
  "a promise that is dropped is a failure")
t.ok(tostring(err):find "settled it\nin main: stack traceback:", "no code raised it")
p = tw.promise()
local sent = tw.channel(1)
sent:send { answer = p }
task.scope(function(s)
  s:spawn(function() sent:recv().answer:resolve "by way of a channel" end)
  t.is(p.future:await(100), "by way of a channel", "a promise travels")
end)
p = tw.promise()
tw.pool.run(function(q) q:resolve "elsewhere" end, p):await()
t.is(p.future:await(100), "elsewhere", "also to another state")

-- Several.

t.same(tw.all {}, { n = 0 }, "all of none are there")
t.same(tw.all { done(1), done(nil), done(3) }, { 1, nil, 3, n = 3 }, "all, in order")
f = done "x"
t.same(tw.all { f, f }, { "x", "x", n = 2 }, "one of them twice")
t.raises("second", tw.all, { done(1), failed "second", tw.promise().future })
p = tw.promise()
t.same({ tw.all({ done(1), p.future }, 0.001) }, TIMED_OUT, "all in time, or nil")
t.same({ tw.any { failed "a", done "b", p.future } }, { "b", 2 }, "any: the first value")
ok, err = pcall(tw.any, { failed "a", failed "b" })
t.ok(err.message == "a" and err.also[1].message == "b", "none: the errors of all")
t.same({ tw.any({ p.future, failed "a" }, 0.001) }, TIMED_OUT, "any in time, or nil")
t.same({ tw.race { p.future, done "b" } }, { "b", 2 }, "race: the first that is settled")
t.raises("^a\n", tw.race, { p.future, failed "a", done "b" })
t.same({ tw.race({ p.future }, 0) }, TIMED_OUT, "race in time, or nil")
t.raises("at least one future expected", tw.any, {})
t.raises("at least one future expected", tw.race, {})
t.raises("table expected", tw.all, 5)
t.raises("element 2 of the list is a number, not a future", tw.all, { done(1), 2 })
task.scope(function(s)
  local a = s:spawn(function() return "first", "second" end)
  local b = s:spawn(function() tw.sleep(0.001) end)
  t.same({ tw.race { a, b } }, { "first", 1 }, "a task's first result counts")
  t.same(tw.all { b, a }, { nil, "first", n = 2 }, "or nil")
end)
p:resolve(1)

-- Yields.

p = tw.promise()
for name, g in pairs {
  await = function(time) return p.future:await(time) end,
  pawait = function(time) return p.future:pawait(time) end,
  all = function(time) return tw.all({ p.future }, time) end,
  any = function(time) return tw.any({ p.future }, time) end,
  race = function(time) return tw.race({ p.future }, time) end,
  select = function(time) return tw.select({ p.future }, time) end,
} do
  t.ok(others_ran(function() g(0.001) end), name .. " lets others run")
  t.ok(not others_ran(function() g(0) end), "not when it doesn't wait")
end
for name, g in pairs {
  peek = function() p.future:peek() end, promise = tw.promise,
  cancel = function() p.future:cancel() end, resolve = function() p:resolve(1) end,
} do
  t.ok(not others_ran(g), name .. " doesn't")
end

-- An error that nobody looked at.

local function program(code)
  return apps.shell(("%s -e %s"):format(apps.tidewire,
    apps.quote('local tw = require "tw" ' .. code)))
end
local run = program 'tw.promise():reject "lost"'
t.is(run.status, 1, "an error that nobody saw is the program's")
t.is(select(2, run.err:gsub("lost", "")), 1, "it is printed, once")
for _, look in ipairs { "pawait()", "peek()" } do
  run = program('local p = tw.promise() p:reject "x" p.future:' .. look)
  t.is(run.err .. run.status, "0", look .. " is a look at it")
end
run = program 'local p = tw.promise() p:reject "x" pcall(tw.all, { p.future })'
t.is(run.err .. run.status, "0", "so is tw.all")
run = program 'local f = tw.promise().future f = nil collectgarbage()'
t.is(run.err .. run.status, "0", "a promise that nobody waits for may go")
run = program [[local p, q = tw.promise(), tw.promise()
  p:reject "x" q:resolve(1) tw.any { p.future, q.future }]]
t.is(run.err .. run.status, "0", "tw.any has looked at what it passed over")
run = program 'local f = tw.promise().future f:cancel() f = nil collectgarbage()'
t.is(run.err .. run.status, "0", "what was cancelled can't fail")
-- Finalizers and metamethods that a script calls by hand.
p = tw.promise()
f, same = p.future, nil
task.scope(function(s)
  local waits = s:spawn(function() return f:await() end)
  tw.sleep(0)
  debug.getmetatable(f).__gc(f)        -- in the middle of the wait
  debug.getmetatable(p).__gc(p)
  collectgarbage()
  p:resolve(7)
  same = waits:await()
end)
t.is(same, 7, "a finalizer that is called by hand lets nothing go")
for _, it in ipairs { {}, "x", io.stdout } do
  t.raises("future expected", debug.getmetatable(f).__tostring, it)
end

p, f, mine, other, err, same, sent = nil, nil, nil, nil, nil, nil, nil
