--- task: scopes, cancellation, deadlines, and where a task can wait.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local others_ran = require "beside"
local tw = require "tw"
local core = require "tw.internal.task"
local task = tw.task

local SMALL = os.getenv "SMALL"
local LONG = 100                      -- seconds: a wait that is always ended early

local function nothing_is_left(name)
  collectgarbage() collectgarbage()
  local tasks, blocks, objects = core.live()
  t.is(tasks + blocks + objects, 0, name .. ": nothing is left")
end

--- Appends to a list, which is compared as a text.
local function recorder()
  local list = {}
  return function(what) list[#list + 1] = what end,
    function() return table.concat(list, " ") end
end


-- Scopes.

t.same({ task.scope(function() return 1, nil, 3 end) }, { 1, nil, 3 },
  "a scope returns what its function does")
t.is(select("#", task.scope(function() end)), 0, "also nothing")

task.scope(function(s)
  local named = { scope = s, task = s:spawn(type, 1), semaphore = task.semaphore(1),
                  permit = task.semaphore(1):acquire() }
  for name, object in pairs(named) do
    t.ok(tostring(object):find("^" .. name .. ": 0x%x+"), "the text of a " .. name)
  end
end)

local did, done = recorder()
task.scope(function(s)
  s:spawn(function(x) did("first" .. x) tw.sleep(0.002) did "first ends" end, 7)
  s:spawn(function() did "second" end)
  did "body"
end)
did "after"
t.is(done(), "body first7 second first ends after", "it ends when its tasks have ended")

t.same(table.pack(task.scope(function(s)
  return s:spawn(function(...) return ... end, 1, nil, {}):await()
end)), { 1, nil, {}, n = 3 }, "a task's results are what it returned")

local same = {}
t.is(task.scope(function(s) return s:spawn(function() return same end):await() end),
  same, "in its own state not even a table is copied")

did, done = recorder()
task.scope(function(s)
  s:spawn(function()
    task.scope(function(inner)
      inner:spawn(function() tw.sleep(0.002) did "grandchild" end)
    end)
    did "child"
  end)
end)
t.is(done(), "grandchild child", "scopes nest")

did, done = recorder()
task.scope(function(s)
  s:spawn(function()
    s:spawn(function() s:spawn(function() did "third" end) did "second" end)
    did "first"
  end)
end)
t.is(done(), "first second third", "a task may spawn into its own scope")

local kept
task.scope(function(s) kept = s end)
t.raises("scope:spawn: the scope has ended", function() kept:spawn(print) end)
t.raises("scope:spawn: a function expected, got nil", function()
  task.scope(function(s) s:spawn(nil) end)
end)
t.raises("task.scope: a function expected, got nil", task.scope)
kept:cancel()
t.ok(true, "cancelling a scope that has ended is nothing")

-- Errors end a scope.

local function failure(f, ...)
  local ok, err = pcall(f, ...)
  return not ok and err or error "it did not fail"
end

did, done = recorder()
local err = failure(task.scope, function(s)
  s:spawn(function()
    local closed <close> = setmetatable({}, { __close = function() did "closed" end })
    tw.sleep(LONG)
  end)
  s:spawn(function() tw.sleep(0.001) error "boom" end)
  tw.sleep(LONG)
end)
t.ok(err.message:find "boom$", "a task's error is raised by its scope")
t.is(done(), "closed", "its siblings are closed")
t.ok(err.cause and err.cause.message == err.message and err.also == nil,
  "it is the cause, and there is no other")
t.ok(err.traceback:find "in main chunk" and err.cause.traceback:find "task.lua",
  "with the tracebacks of both")

err = failure(task.scope, function(s)
  s:spawn(function() task.yield() error "one" end)
  s:spawn(function() pcall(tw.sleep, LONG) error "two" end)
  s:spawn(function()
    local ok = pcall(tw.sleep, LONG)
    task.shield(task.yield)
    error("three " .. tostring(ok))
  end)
end)
t.ok(err.message:find "one$", "the first error counts")
t.is(#err.also, 2, "the others are in also")
t.ok(err.also[1].message:find "two$" and err.also[2].message:find "three false$",
  "in the order in which they came")
t.ok(tostring(err):find "one\n.*also: [^\n]*two\n.*also: [^\n]*three", "and in the text")

err = failure(task.scope, function(s)
  s:spawn(function() error "of the task" end)
  task.yield()
  error "of the body"
end)
t.ok(err.message:find "of the task$" or err.message:find "of the body$",
  "an error of the task and of the body at once")
err = failure(task.scope, function(s)
  s:spawn(function() pcall(tw.sleep, LONG) error "of the task" end)
  task.yield()
  error "of the body"
end)
t.ok(err.message:find "of the body$" and err.also[1].message:find "of the task$",
  "the body's is first when it came first")

err = failure(task.scope, function(s)
  local a = s:spawn(function() error "boom" end)
  s:spawn(function() a:await() end)
  a:await()
end)
t.is(err.also, nil, "the same error over several ways is one")

err = failure(task.scope, function(s)
  s:spawn(function()
    task.scope(function(inner) inner:spawn(function() error "deep" end) end)
  end)
end)
t.ok(err.message:find "deep$" and err.cause.cause.message == err.message,
  "through nested scopes: each adds where it passed")

local value = { code = 7 }
err = failure(task.scope, function(s) s:spawn(function() error(value) end) end)
t.is(err.value.code, 7, "an error that is a table is the value")
err = failure(task.scope, function(s) s:spawn(function() error(nil) end) end)
t.is(err.message, "(error object is a nil value)", "an error of nil has a message")

did, done = recorder()
failure(task.scope, function(s)
  s:spawn(function()
    local closed <close> = setmetatable({}, { __close = function()
      task.shield(function() tw.sleep(0.002) did "waited" end)
      did(tostring(pcall(tw.sleep, 0.001)))
    end })
    tw.sleep(LONG)
  end)
  tw.sleep(0.001)
  error "boom"
end)
t.is(done(), "waited false", "what is closed may wait under a shield only")

-- Cancellation.

task.scope(function(s)
  local a = s:spawn(function() tw.sleep(LONG) end)
  task.yield()
  a:cancel()
  t.raises("await: cancelled: its work was told to stop", a.await, a)
  t.is(a:peek(), "cancelled", "a task can be cancelled alone")
  a:cancel()
end)
t.ok(true, "its scope goes on")

did, done = recorder()
task.scope(function(s)
  local a = s:spawn(did, "alone")
  a:cancel()
  t.is(a:peek(), "pending", "one that is cancelled before it has begun has not ended")
  t.is(a:pawait(), false, "but does so at its first turn")
  t.is(a:peek(), "cancelled", "as cancelled")
  s:spawn(did, "after")
end)
task.scope(function(s)
  s:spawn(did, "beside")
  s:cancel()
  s:spawn(did, "late")
end)
t.is(task.timeout(0, task.scope, function(s) s:spawn(did, "in no time") end), nil,
  "there may be no time for any")
pcall(task.scope, function(s)
  s:spawn(error, "first")
  s:spawn(did, "a sibling")
end)
t.is(done(), "after", "it never begins")

t.is(select("#", task.scope(function(s) s:cancel() tw.sleep(LONG) return 1 end)), 0,
  "a scope that cancels itself returns nothing")

did, done = recorder()
task.scope(function(s)
  local a = s:spawn(function()
    for _ = 1, 3 do did(tostring(pcall(tw.sleep, LONG))) end
  end)
  task.yield()
  a:cancel()
end)
t.is(done(), "false false false", "a cancelled task's every wait raises")

-- Every wait point, in a task and in a generator in it.
local full, empty = tw.channel(1), tw.channel(1)
full:send(1)
local semaphore = task.semaphore(1)
local promises = {}
local function pending()
  promises[#promises + 1] = tw.promise()
  return promises[#promises].future
end
local waits = {
  sleep = function() tw.sleep(LONG) end,
  ["task.sleep"] = function() task.sleep(LONG) end,
  yield = function() while true do task.yield() end end,
  await = function() pending():await() end,
  ["await with a time"] = function() pending():await(LONG) end,
  pawait = function() pending():pawait() end,
  all = function() tw.all { pending() } end,
  any = function() tw.any { pending() } end,
  race = function() tw.race({ pending() }, LONG) end,
  recv = function() empty:recv() end,
  ["for in"] = function() for _ in empty do end end,
  send = function() full:send(2) end,
  select = function() tw.select { empty, pending() } end,
  scope = function() task.scope(function(s) s:spawn(tw.sleep, LONG) end) end,
  ["a task's await"] = function()
    task.scope(function(s) s:spawn(tw.sleep, LONG):await() end)
  end,
  acquire = function() local permit <close> = semaphore:acquire() end,
  ["acquire with a time"] = function() semaphore:acquire(LONG) end,
  timeout = function() task.timeout(LONG, tw.sleep, LONG) end,
  supervise = function() tw.supervise { function() tw.sleep(LONG) end } end,
}
local names = {}
for name in pairs(waits) do names[#names + 1] = name end
table.sort(names)
do
  local held <close> = semaphore:acquire()
  for _, name in ipairs(names) do
    local closed, ended, raised
    local function in_vain(f)
      local mark <close> = setmetatable({}, { __close = function() closed = true end })
      local ok, why = pcall(f)
      ended, raised = ok, why
      error(why, 0)
    end
    for _, way in ipairs { "in a task", "in a generator" } do
      closed = false
      task.scope(function(s)
        local f = waits[name]
        if way == "in a generator" then
          f = coroutine.wrap(function() waits[name]() end)
        end
        local a = s:spawn(in_vain, f)
        for _ = 1, 3 do task.yield() end
        a:cancel()
      end)
      t.ok(closed and ended == false and tostring(raised):find "cancelled: it was told",
        ("%s %s is cancelled"):format(name, way))
      closed = false
      local _, why = task.timeout(0.001, in_vain, waits[name])
      t.ok(closed and why:find "^timed out", name .. " outside has its time")
    end
  end
end
t.is(#full, 1, "what was cancelled has sent nothing")
full, empty, waits = nil, nil, nil
promises = {}

-- Deadlines.

t.same({ task.timeout(0.001, tw.sleep, LONG) },
  { nil, "timed out after 0.001 s", core.TIMEDOUT }, "a timeout: nil, message, code")
t.is(task.timeout(LONG, function(x) return x end, 5), 5, "in time: what f returns")
t.is((task.timeout(0, tw.sleep, LONG)), nil, "a time of 0 is over at the first wait")
t.is(task.timeout(0, function() return "no wait" end), "no wait", "and only there")
t.raises("boom", task.timeout, LONG, function() error "boom" end)
t.raises("task.timeout: a number of seconds from 0 on expected, got %-1",
  task.timeout, -1, print)
t.raises("task.timeout: a function expected, got nil", task.timeout, 1)

did, done = recorder()
local outer = { task.timeout(0.002, function()
  local inner = { task.timeout(LONG, tw.sleep, LONG) }
  did(tostring(inner[1]))
end) }
t.is(done(), "", "of two deadlines the nearer one counts: the outer is not the inner's")
t.is(outer[2], "timed out after 0.002 s", "and is told where it was set")
t.is(task.timeout(LONG, function()
  return select(2, task.timeout(0.001, tw.sleep, LONG))
end), "timed out after 0.001 s", "the inner one, when it is nearer")

local remaining
t.is(task.remaining(), nil, "no deadline: nothing remains to be told")
task.timeout(50, function()
  task.timeout(LONG, function()
    task.scope(function(s)
      s:spawn(function() remaining = task.remaining() end)
    end)
  end)
end)
t.ok(remaining > 40 and remaining <= 50, "a spawned task has the nearest deadline, too")
did, done = recorder()
local result = { task.timeout(0.002, function()
  task.scope(function(s)
    s:spawn(function() did(tostring(pcall(tw.sleep, LONG))) end)
  end)
end) }
t.is(done() .. " " .. result[2], "false timed out after 0.002 s", "which ends its waits")

local slept = false
task.timeout(0.001, function()
  task.shield(function() tw.sleep(0.003) slept = true end)
end)
t.ok(slept, "a shield keeps deadlines out")
t.is((task.timeout(0.001, function()
  task.shield(function() end)
  tw.sleep(LONG)
end)), nil, "and only as long as it lasts")
t.is(task.shield(task.timeout, 0.001, tw.sleep, LONG), nil, "one within a shield counts")
t.raises("task.shield: a function expected", task.shield)

-- An error of one scope is not taken for that of a later one.
local stale = select(2, pcall(task.timeout, LONG, function()
  local _, why
  task.timeout(0, function() _, why = pcall(tw.sleep, LONG) end)
  error(why, 0)
end))
for _ = 1, 100 do
  local ok, why = pcall(task.timeout, LONG, function() error(stale, 0) end)
  if ok or why ~= stale then t.ok(false, "a stale error was taken for a timeout") end
end
stale = nil

-- Where a task can wait.

local function generator(depth)
  if depth == 0 then
    return coroutine.wrap(function()
      for i = 1, 3 do tw.sleep(0.0005) coroutine.yield(i) end
    end)
  end
  local inner = generator(depth - 1)
  return coroutine.wrap(function()
    for i in inner do task.yield() coroutine.yield(i * 10) end
  end)
end
for _, where in ipairs { "outside", "in a task" } do
  local got = {}
  local function collect() for i in generator(3) do got[#got + 1] = i end end
  if where == "outside" then collect()
  else task.scope(function(s) s:spawn(collect) s:spawn(collect):await() end) end
  t.is(table.concat(got, " ", 1, 3), where == "outside" and "1000 2000 3000"
    or "1000 1000 2000", "generators that wait, three deep, " .. where)
end

local CANT = "can't wait here, where a C function called this one"
local nowhere = {
  ["table.sort"] = function()
    table.sort({ 3, 2, 1 }, function(a, b) tw.sleep(0) return a < b end)
  end,
  ["string.gsub"] = function() string.gsub("x", "x", function() tw.sleep(0) end) end,
  ["a generator in table.sort"] = function()
    local f = coroutine.wrap(function() tw.sleep(0) end)
    table.sort({ 3, 2, 1 }, function(a, b) f() return a < b end)
  end,
  ["coroutine.close"] = function()
    local co = coroutine.create(function()
      local c <close> = setmetatable({}, { __close = function() tw.sleep(0) end })
      coroutine.yield()
    end)
    coroutine.resume(co)
    error(select(2, coroutine.close(co)), 0)
  end,
}
for name, f in pairs(nowhere) do
  local why
  task.scope(function(s) why = tostring(select(2, s:spawn(pcall, f):await())) end)
  t.ok(why:find(CANT, 1, true), name .. ": one clear line")
  t.diag(why)
end
local metamethods = setmetatable({}, {
  __index = function(_, key) tw.sleep(0) return key end,
  __add = function(_, n) tw.sleep(0) return n end,
  __call = function(_, n) tw.sleep(0) return n end,
})
task.scope(function(s)
  t.is(s:spawn(function() return metamethods.x .. metamethods + 1 .. metamethods(2) end)
    :await(), "x12", "metamethods that Lua code calls can wait")
end)
local finalized
setmetatable({}, { __gc = function() finalized = select(2, pcall(tw.sleep, 0)) end })
task.scope(function(s) s:spawn(function() collectgarbage() end) end)
t.ok(tostring(finalized):find(CANT, 1, true), "a finalizer can't")

task.scope(function(s)
  t.same({ s:spawn(function()
    local ok, a = pcall(function() tw.sleep(0.001) return "a" end)
    local _, b = xpcall(function() tw.sleep(0.001) error "b" end, function(e)
      return "handled " .. e:match "b$"
    end)
    return ok, a, b
  end):await() }, { true, "a", "handled b" }, "waits within pcall and xpcall")
end)

t.raises("coroutine.yield was called outside a coroutine of its own", task.scope,
  function(s) s:spawn(coroutine.yield) end)

do   -- whoever closes a coroutine that waits
  local co, after
  task.scope(function(s)
    co = coroutine.create(function()
      local c <close> = setmetatable({}, { __close = function() after = "closed" end })
      tw.sleep(LONG)
    end)
    local a = s:spawn(function() return coroutine.resume(co) end)
    task.yield()
    task.yield()
    t.is(coroutine.close(co), true, "a coroutine that waits can be closed")
    t.is(after, "closed", "and is")
    a:cancel()
    t.ok(a:pawait() ~= nil, "who had resumed it goes on")
  end)

  -- What it waited for may be gone before its task looks again.
  local function close_while(wait)
    return task.scope(function(s)
      local inner = coroutine.create(wait)
      local a = s:spawn(coroutine.resume, coroutine.create(function()
        return coroutine.resume(inner)
      end))
      task.yield()
      task.yield()
      coroutine.close(inner)
      inner = nil
      collectgarbage() collectgarbage()
      return select(3, a:await())
    end)
  end
  for name, wait in pairs {
    await = function() tw.promise().future:await() end,
    all = function() tw.all { tw.promise().future } end,
    select = function() tw.select { tw.channel(1), tw.channel(1) } end,
    recv = function() tw.channel(1):recv() end,
    sleep = function() tw.sleep(LONG) end,
    wrapped = function() coroutine.wrap(function() tw.channel(1):recv() end)() end,
  } do
    t.is(close_while(wait), "cannot resume dead coroutine",
         "closed in " .. name .. ": its resumer goes on")
  end

  task.scope(function(s)   -- a task's own coroutine is nobody else's
    local own
    local a = s:spawn(function() own = coroutine.running() task.yield() return "done" end)
    task.yield()
    t.is(select(2, coroutine.resume(own)),
         "cannot resume a coroutine that waits for something", "a task, resumed")
    t.raises("cannot close the coroutine of a task", coroutine.close, own)
    t.is(a:await(), "done", "goes on as if nobody had")
  end)
end

-- Fairness, and the order of ready tasks.

did, done = recorder()
task.scope(function(s)
  for i = 1, 3 do s:spawn(function() for _ = 1, 2 do did(i) task.yield() end end) end
end)
t.is(done(), "1 2 3 1 2 3", "first come, first run")

local PROGRAM = [[
local tw, out = require "tw", {}
tw.task.scope(function(s)
  for i = 1, 8 do
    s:spawn(function() for _ = 1, 2 do out[#out + 1] = i tw.task.yield() end end)
  end
end)
print(table.concat(out, " "))]]
local function order(seed)
  return apps.shell(("TIDEWIRE_SEED=%d %s -e %s"):format(seed, apps.tidewire,
    apps.quote(PROGRAM))).out
end
local orders, different = {}, 0
for seed = 1, 8 do
  local this = order(seed)
  if not orders[this] then different = different + 1 end
  orders[this] = true
end
t.is(order(3), order(3), "a seed is an order")
t.ok(different >= 6, "another seed is another order (" .. different .. " of 8)")
t.is(order(0), "1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8\n", "without one, they take turns")

-- The semaphore.

do
  local inside, most, got = 0, 0, {}
  local gate = task.semaphore(2)
  task.scope(function(s)
    for i = 1, 6 do
      s:spawn(function()
        local permit <close> = gate:acquire()
        inside = inside + 1
        most = math.max(most, inside)
        got[#got + 1] = i
        tw.sleep(0.001)
        inside = inside - 1
      end)
    end
  end)
  t.is(most, 2, "a semaphore lets so many in")
  t.is(table.concat(got, " "), "1 2 3 4 5 6", "first come, first served")
  local a, b = gate:acquire(0), gate:acquire(0)
  t.same({ gate:acquire(0) }, { nil, "timed out", core.TIMEDOUT }, "nil when it is full")
  a:release() a:release()
  local c = gate:acquire(0)
  t.is((gate:acquire(0.001)), nil, "a permit given back twice is one")
  b:release() c:release()

  gate = task.semaphore(1)
  did, done = recorder()
  task.scope(function(s)
    s:spawn(function()
      for _ = 1, 3 do
        local permit <close> = gate:acquire()
        did "greedy"
        task.yield()
      end
    end)
    s:spawn(function() local permit <close> = gate:acquire() did "modest" end)
  end)
  t.is(done(), "greedy modest greedy greedy", "nobody comes again before who waits")

  local held = gate:acquire()
  task.scope(function(s)
    local waiter = s:spawn(function() local permit <close> = gate:acquire() end)
    task.yield()
    held:release()      -- handed to the waiter, which is cancelled before it runs
    waiter:cancel()
  end)
  t.ok(gate:acquire(0), "a permit that came too late for one is there for the next")

  t.raises("has a metatable", tw.freeze, gate)   -- it is of one state
  t.raises("task.semaphore: an integer from 1 on expected, got 0", task.semaphore, 0)
  t.raises("got 1.5", task.semaphore, 1.5)
  t.raises("semaphore:acquire: a number of seconds from 0 on expected, got %-1",
           gate.acquire, gate, -1)
end

-- Wrong use names the line of who used it so, and what was called.

for name, wrong in pairs {
  ["sleep"] = function() task.sleep(-1) end,
  ["task.timeout"] = function() task.timeout(0/0, print) end,
  ["semaphore:acquire"] = function() task.semaphore(1):acquire "x" end,
  ["pool.configure"] = function() tw.pool.status() tw.pool.configure {} end,
  ["scope:spawn"] = function() task.scope(function(s) s:spawn(1) end) end,
  ["scope:spawn_on"] = function() task.scope(function(s) s:spawn_on("pool", 1) end) end,
  ["no workers here"] = function() task.scope(function(s) s:spawn_on(0, print) end) end,
} do
  local at = debug.getinfo(wrong, "S")
  local here = at.short_src .. ":" .. at.linedefined
  local ok, e = pcall(wrong)
  e = tostring(e):match "^[^\n]*"
  t.ok(not ok and e:find(here .. ": ", 1, true) == 1 and e:find(name, 1, true), e)
end

-- Detached tasks, and what a program ends with.

local function program(code, env)
  return apps.shell(("%s %s -e %s"):format(env or "", apps.tidewire,
    apps.quote('local tw = require "tw" ' .. code)))
end
local run = program [[tw.task.detach(function() tw.sleep(0.01) print "late" end)
  print "end"]]
t.is(run.out .. run.status, "end\nlate\n0", "a program waits for its detached tasks")
run = program 'tw.task.detach(function() error "lost" end) print "end"'
t.is(run.status, 1, "an error of one is the program's")
t.is(select(2, run.err:gsub("lost", "")), 1, "and is printed, once")
run = program [[local a = tw.task.detach(function() tw.sleep(0.001) error "seen" end)
  print(a:pawait()) ]]
t.is(run.err .. run.status, "0", "not one that somebody awaits")
run = program [[tw.task.detach(function() error { code = 7 } end) ]]
t.is(run.status, 1, "an error that is a table is one, too")
t.raises("task.detach: a function expected", task.detach, 5)
run = program 'tw.task.scope(function(s) s:spawn(error, "up") tw.sleep(9) end)'
t.is(run.status, 1, "a scope's error ends the program")
t.ok(run.err:find "up" and run.err:find "stack traceback", "with its story")
run = apps.until_shown(("%s -e %s"):format(apps.tidewire, apps.quote [[
  local tw = require "tw"
  tw.task.detach(tw.sleep, 1000)
  tw.task.detach(function() print "waits" io.stdout:flush() end)
  tw.channel(1):recv()]]), "waits", nil, "kill -INT $p")
t.ok(run.err:find "interrupted!" and run.status ~= 0, "Ctrl-C ends a wait")

-- Yields and Blocks, as documented.

t.ok(others_ran(function() tw.sleep(0.001) end), "sleep lets others run")
t.ok(others_ran(task.yield), "so does yield")
t.ok(others_ran(function() task.scope(function(s) s:spawn(task.yield) end) end),
  "so does a scope that has to wait")
t.ok(not others_ran(function() task.scope(function() end) end), "not one that hasn't")
t.ok(others_ran(function() task.timeout(1, task.yield) end), "timeout: as its function")
t.ok(not others_ran(function() task.timeout(1, type, 1) end), "or not")
t.ok(not others_ran(function() task.shield(type, 1) end), "shield: as its function")
t.ok(not others_ran(function() task.detach(type, 1) end), "detach doesn't")
t.ok(not others_ran(function() task.remaining() end), "remaining doesn't")
t.ok(not others_ran(function() task.semaphore(1):acquire():release() end),
  "a free semaphore doesn't")
t.ok(others_ran(function()
  local s = task.semaphore(1)
  s:acquire()
  s:acquire(0.001)
end), "one that is taken does")
t.ok(not others_ran(function() for _ = 1, 1e4 do end end), "a loop doesn't")

-- Coroutines of one's own, scopes and tasks.

do
  local co = coroutine.create(function()
    task.timeout(5, function() coroutine.yield(1) end)
  end)
  local ok, why = coroutine.resume(co)
  t.ok(not ok and why:find("the coroutine yielded inside a task.scope", 1, true),
       "a yield out of a scope of the coroutine's own")
  t.is(task.remaining(), nil, "its deadline is not its resumer's")
  t.is(select(2, pcall(coroutine.wrap(function()
    task.shield(coroutine.yield)
  end))), "the coroutine yielded inside a task.scope, task.timeout or task.shield of its"
    .. " own", "the same of wrap")

  local waiting = coroutine.create(function() tw.sleep(0.005) return "done" end)
  local first, second
  task.scope(function(s)
    s:spawn(function() first = table.pack(coroutine.resume(waiting)) end)
    s:spawn(function() second = table.pack(coroutine.resume(waiting)) end)
  end)
  if not first[1] then first, second = second, first end
  t.is(first[2], "done", "a coroutine that waits goes on in its task")
  t.is(second[2], "cannot resume a coroutine that waits for something",
       "and in no other")
end

-- A time limit leaves no future that comes from outside it (tests/lua/pool.lua: one that
-- was asked for inside).

do
  local p = tw.promise()
  local f = p.future
  t.is(task.timeout(0.001, function() return f:await() end), nil, "a time limit")
  p:resolve(5)
  t.is(f:await(), 5, "a future from outside it is still there")
end

-- Random trees of scopes, deadlines, cancellations and errors: whatever happens, a
-- scope has outlived its tasks, and the errors that were raised are all told.

local TREES = [[
local tw = require "tw"
local core, task = require "tw.internal.task", tw.task
math.randomseed(tonumber(arg[1]))
local raised, told, alive = {}, {}, 0

local function tell(err)
  while err do
    told[err.message:match "E%d+$" or ""] = true   -- a path may have one, too
    for _, other in ipairs(err.also or {}) do tell(other) end
    err = err.cause
  end
end

local node
local function act(depth, s)
  local what = math.random(9)
  if what <= 2 then tw.sleep(math.random() * 0.002)
  elseif what == 3 then task.yield()
  elseif what == 4 and depth > 0 then node(depth - 1)
  elseif what == 5 and depth > 0 then
    task.timeout(math.random() * 0.003, node, depth - 1)
  elseif what == 6 and depth > 0 then task.shield(node, depth - 1)
  elseif what == 7 and math.random(3) == 1 then s:cancel()
  elseif what == 8 and math.random(3) == 1 then
    local name = ("E%d"):format(#raised + 1)
    raised[#raised + 1] = name
    error(name)
  else coroutine.wrap(function() task.yield() end)() end
end

function node(depth)
  local inside = 0
  local ok, err = pcall(task.scope, function(s)
    for _ = 1, math.random(3) do
      local a = s:spawn(function()
        inside, alive = inside + 1, alive + 1
        local leaving <close> = setmetatable({}, { __close = function()
          inside, alive = inside - 1, alive - 1
        end })
        for _ = 1, math.random(3) do act(depth, s) end
      end)
      if math.random(6) == 1 then a:cancel() end
    end
    act(depth, s)
  end)
  assert(inside == 0, "a scope ended before its tasks")
  if ok then return end
  if depth == 4 or math.random(2) == 1 then tell(err) end
  error(err, 0)
end

for _ = 1, tonumber(arg[2]) do
  pcall(node, 4)
  assert(alive == 0, "a task outlived all scopes")
end
for _, name in ipairs(raised) do assert(told[name], "nobody was told of " .. name) end
collectgarbage() collectgarbage()
local tasks, blocks, objects = core.live()
assert(tasks + blocks + objects == 0, "something is left")
print "fine"]]
local tree_file = os.tmpname()
apps.put(tree_file, TREES)
local trees, rounds = SMALL and 4 or 20, 10
for seed = 1, trees do
  local ran = apps.shell(("TIDEWIRE_SEED=%d timeout 120 %s %s %d %d"):format(seed,
    apps.tidewire, tree_file, seed, rounds))
  if ran.out ~= "fine\n" or ran.err ~= "" then
    t.ok(false, "random trees, seed " .. seed)
    io.stderr:write(("# random trees, seed %d, status %s: %s%s\n"):format(seed,
      ran.status, ran.out, ran.err))
  end
end
os.remove(tree_file)
t.ok(true, ("%d random trees of tasks keep their promises"):format(trees * rounds))

-- Memory.

metamethods, kept, err, value, semaphore = nil, nil, nil, nil, nil
nothing_is_left "after all this"
local N = SMALL and 2000 or 100000
local function spawn_many(n)
  for _ = 1, n / 100 do
    task.scope(function(s) for _ = 1, 100 do s:spawn(task.yield) end end)
  end
  collectgarbage() collectgarbage()
  return collectgarbage "count"
end
spawn_many(1000)
local first = spawn_many(1000)
local last = spawn_many(N)
t.ok(last < first + 16, ("%d tasks leave no memory behind"):format(N))
t.diag(("%.0f KiB before, %.0f after"):format(first, last))
