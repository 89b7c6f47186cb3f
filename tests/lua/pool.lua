--- pool: jobs on background threads; what they return, raise, wait for and leave behind.
--
-- Every job that is cancelled here ends by itself in no other way, so a test that
-- could not stop one would never end.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps, jobs = require "apps", require "jobs"
local tw = require "tw"
local pool, task = tw.pool, tw.task
local internal = require "tw.internal.function"

local SMALL = os.getenv "SMALL"
local THREADS = 2

-- Before the first job: options, and where modules are looked for.

t.raises("pool.configure: no option 'size'", pool.configure, { size = 1 })
t.raises("pool.configure: a table of options expected, got nil", pool.configure)
t.raises("threads: an integer from 1 on expected, got 0", pool.configure, { threads = 0 })
t.raises("threads: at most 256, got 4294967296", pool.configure, { threads = 1 << 32 })
t.raises("queue: an integer from 1 on expected, got 1.5", pool.configure, { queue = 1.5 })
t.raises("memory: a number above 0 expected, got x", pool.configure, { memory = "x" })

local scratch = os.tmpname()
local module = scratch:match "[^/]*$":gsub("%W", "_")
local directory = scratch:match "^(.*)/"
do
  local file <close> = assert(io.open(directory .. "/" .. module .. ".lua", "w"))
  file:write [[
    loads = (loads or 0) + 1
    local m = { deep = { } }
    function m.double(x) return 2 * x end
    function m.deep.loads() return loads end
    return m]]
end
package.path = directory .. "/?.lua;" .. package.path
pool.configure { threads = THREADS, queue = 1000, memory = 32 }
t.is(pool.status().threads, THREADS, "as many threads as asked for")
t.raises("pool.configure: the pool runs already", pool.configure, { threads = 1 })

local wait_until, is_idle = jobs.wait_until, jobs.is_idle
local function run(...) return pool.run(...):await() end

-- What goes there and back.

t.is(run(function(a, b) return a + b end, 20, 22), 42, "arguments and a result")
t.is(run(function() end), nil, "no result")
t.is(run(function(...) return select("#", ...) end, nil, 1, nil), 3, "arguments of nil")
t.same(tw.thaw(run(function(x) return { x, { x } } end, { "a" })),
       { { "a" }, { { "a" } } }, "tables")
do
  local k = 10
  local function scale(x) return x * k end
  t.is(run(function(x) return scale(x) + 1 end, 4), 41, "upvalues, functions too")
  local frozen = tw.freeze { 1, 2 }
  t.ok(run(function(x) return x end, frozen) == frozen, "a frozen table is the same one")
end
t.is(run("math.floor", 2.5), 2, "a library's function by name")
t.is(run(module .. ".double", 4), 8, "a module's, found as this state finds it")
t.is(run(require(module).double, 5), 10, "a module's function goes by name")
for _ = 1, 4 * THREADS do
  if run(module .. ".deep.loads") ~= 1 then t.ok(false, "warm modules") end
end
t.is(run(module .. ".deep.loads"), 1, "a module is loaded once for a state")
t.is(select("#", pool.run(function() end)), 1, "run gives a future alone")

-- What is refused at once, in one line.

local co = coroutine.create(print)
for _, case in ipairs {
  { "a function or \"module.name\" expected, got nil" },
  { "a function or \"module.name\" expected, got table", {} },
  { "argument 2%.x%[1%] is a function", print, 1, { x = { print } } },
  { "upvalue 'co' of function at [^\n]*pool%.lua:%d+ is a coroutine",
    function() return co end },
  { "upvalue 'stdout' .*userdata",
    (function(stdout) return function() return stdout end end)(io.stdout) },
} do
  local fine, why = pcall(pool.run, table.unpack(case, 2, 4))
  t.ok(not fine and why:find("^pool%.run: [^\n]*" .. case[1] .. "[^\n]*$"),
       "refused: " .. case[1])
end
do
  local fine, why = pcall(function() local f = pool.run() end)
  t.ok(not fine and why:find "^[^\n]*tests/lua/pool%.lua:%d+: pool.run: ",
       "the error names the caller's line")
end

-- What fails, and says where.

local function fails(name, pattern, ...)
  local fine, err = pool.run(...):pawait()
  if not t.ok(not fine and err.message:find(pattern), name) then t.diag(err) end
  return err
end

local err = fails("an error", "pool%.lua:%d+: boom$", function() error "boom" end)
t.ok(err.cause.traceback:find "in function 'error'\n.*pool%.lua:%d+: in function",
     "with the job's traceback")
t.ok(err.cause.worker:find "^pool %d$" and err.cause.task:find "pool%.lua:%d+$",
     "thread and job")
t.ok(tostring(err):find "boom.*in pool %d: .*in main: ", "and the story of both")
err = fails("an error object", "^{code = 7}$",
            function() error { code = 7 } end)
t.is(err.value.code, 7, "keeps its fields")
fails("nil as error", "^%(error object is a nil value%)$", function() error() end)
fails("two results", "^job [^\n]*pool%.lua:%d+ returned 2 values, and a future has one",
      function() return nil, "why" end)
fails("a result that can't be frozen",
      "^job [^\n]*pool%.lua:%d+: result%.a%.b%[2%] is a function$",
      function() return { a = { b = { 1, print } } } end)
fails("no such module", "module 'nowhere' not found", "nowhere.at.all")
fails("no such field", "nothing", module .. ".nothing")
fails("a module that fails", "loading failed", function()
  package.preload.bad = function() error "loading failed" end
  require "bad"
end)
fails("coroutine.yield", "^coroutine%.yield was called", function() coroutine.yield() end)
fails("an endless recursion", "not enough memory", function()
  local function f() return 1 + f() end
  return f()
end)
fails("task.detach", "a job of the pool leaves no task behind", function()
  require "tw.task".detach(print)
end)
fails("a failure", "disorder", function() leftover = "l" error "disorder" end)
do
  local seen = 0
  for _ = 1, 4 * THREADS do
    seen = seen + run(function() return leftover and 1 or 0 end)
  end
  t.is(seen, 0, "the state of a job that failed takes no other")
end

-- A failed job's state is replaced at once, and those that wait in it go on.

local STATES = SMALL and 3 or 20
do
  local gate = tw.channel(1)
  local waiting, last = {}, nil
  for i = 1, STATES do
    for j = 1, THREADS do
      waiting[#waiting + 1] = pool.run(function(ch, i) ch:recv() return i end, gate, i)
    end
    last = pool.run(function() mark = 1 error "spoiled" end)
    t.ok(not last:pawait(), "spoiled " .. i)
  end
  t.is(run(function() return 1 end), 1, "others run beside those that wait")
  wait_until(function() return pool.status().running == #waiting end)
  gate:close()
  local sum = 0
  for _, f in ipairs(waiting) do sum = sum + f:await() end
  t.is(sum, THREADS * STATES * (STATES + 1) // 2, "and all those that waited end")
end

-- The memory of a state has an end; it is the job's that passes it.

do
  local gate = tw.channel(1)
  local waiting = pool.run(function(ch) return ch:recv() end, gate)
  wait_until(function() return pool.status().running == 1 end)
  for _, eat in ipairs {
    function() local t = {} for i = 1, 1e9 do t[i] = { i } end end,
    function() return ("x"):rep(1 << 25) end,
    function() local t while true do t = { t, ("x"):rep(1000) .. #tostring(t) } end end,
    function() return (function() local t = {} for i = 1, 1e9 do t[i] = i end end)() end,
  } do
    fails("a job's memory", "^job [^\n]*pool%.lua:%d+: not enough memory$", eat)
  end
  gate:send "x"
  t.is(waiting:await(), "x", "the others of its state go on")
  t.is(run(function() return ("x"):rep(1 << 20):len() end), 1 << 20, "and new ones run")
end

-- Without memory for the job itself: an error, or a job that fails; nothing is lost.

do
  local failed = 0
  for n = 1, SMALL and 50 or 500 do
    internal.fail_at(n)
    local fine, result = pcall(function()
      return pool.run(function(x) return { x, n } end, { n }):await()[2]
    end)
    internal.fail_at(0)
    failed = failed + (fine and 0 or 1)
    if fine and result ~= n or not fine and not tostring(result):find "memory" then
      t.ok(false, "without memory: " .. tostring(result))
    end
  end
  t.ok(failed > 3, ("without memory, %d times"):format(failed))
  wait_until(is_idle)
end

-- Many.

do
  local N = SMALL and 200 or 10000
  local sum, fs, full = 0, {}, 0
  for i = 1, N do
    local f, message, code = pool.run(function(x) return x end, i)
    while not f do
      full = full + 1
      if message ~= "full" or not code then t.ok(false, "full: " .. message) end
      task.yield()
      f, message, code = pool.run(function(x) return x end, i)
    end
    fs[i] = f
  end
  for i = 1, N do sum = sum + fs[i]:await() end
  t.is(sum, N * (N + 1) // 2, "many jobs")
end
do   -- more than may begin: the rest is queued, then the queue is full
  local gate, fs, message, code = tw.channel(1), {}, nil, nil
  local MOST = THREADS * (1024 + 16)
  repeat
    local f
    local had_begun = pool.status().running == MOST   -- so nothing leaves the queue
    f, message, code = pool.run(function(ch) ch:recv() end, gate)
    fs[#fs + 1] = f
    if #fs % 100 == 0 then task.yield() end
  until not f and had_begun or #fs > 5000
  t.is(pool.status().running, MOST, "a thread begins so many")
  t.is(pool.status().queued, 1000, "then the queue fills")
  t.ok(message == "full" and code < 0, "then nil, \"full\" and a code")
  gate:close()
  for _, f in ipairs(fs) do f:await() end
  t.ok(is_idle(), "all of them end")
end
do   -- jobs that wait for jobs that wait ...
  local function deep(n)
    local pool = require "tw.pool"
    if n == 1 then return 1 end
    local f, message = pool.run(debug.getinfo(1, "f").func, n - 1)
    if not f then error(message, 0) end
    return f:await() + 1
  end
  t.is(run(deep, 63), 63, "63 deep")
  fails("64 deep", "limit", deep, 64)
end

-- map, each, reduce.

local list = {}
for i = 1, 100 do list[i] = i end
for _, options in ipairs { {}, { chunk = 1 }, { chunk = 7, limit = 1 },
                           { chunk = 1000 } } do
  local got = pool.map(list, function(x, i) return x * x + i end, options)
  local wrong = got.n ~= 100 and 1 or 0
  for i = 1, 100 do wrong = wrong + (got[i] == i * i + i and 0 or 1) end
  t.is(wrong, 0, ("map, chunk %s, limit %s"):format(options.chunk, options.limit))
end
do
  local got = pool.map(list, function(x) return x end, { ordered = false, chunk = 3 })
  table.sort(got)
  t.same(table.move(got, 1, 100, 1, {}), list, "map, not ordered")
  t.same(pool.map({}, function() end), { n = 0 }, "map of nothing")
  t.is(pool.map(list, function(x) return x == 50 and x or nil end)[50], 50,
       "results of nil")
  t.is(pool.map(tw.freeze { 4, 9 }, "math.sqrt")[2], 3.0, "map of a frozen list, by name")
  local ch = tw.channel(100)
  pool.each(list, function(x) ch:send(x) end, { chunk = 9 })
  t.is(#ch, 100, "each")
  local join = function(a, b) return a .. "," .. b end
  for _, chunk in ipairs { 1, 7, 100 } do
    t.is(pool.reduce(list, join, { chunk = chunk }), table.concat(list, ","),
         "reduce keeps the order, chunk " .. chunk)
  end
  t.is(pool.reduce({}, join), nil, "reduce of nothing")
  t.is(pool.reduce({ 5 }, join), 5, "reduce of one")
  t.is(pool.reduce(list, "math.max", { chunk = 9 }), 100, "reduce by name")
end
do   -- what a semaphore is in one state
  local tokens, began, ended = tw.channel(2), tw.channel(8), tw.channel(8)
  for i = 1, 2 do tokens:send(i) end
  pool.each({ 1, 2, 3, 4, 5, 6, 7, 8 }, function(i)
    local token = tokens:recv()
    began:send(i)
    if #began - #ended > 2 then error "too many" end
    require "tw".sleep(0.001)
    ended:send(i)
    tokens:send(token)
  end, { chunk = 1, limit = 8 })
  t.is(#ended, 8, "a channel of tokens bounds the tasks of all states")
end
do
  local seen = {}
  local function note(p) seen[#seen + 1] = p end
  pool.map(list, type, { chunk = 10, progress = note })
  t.is(#seen, 10, "progress is told of each chunk")
  t.ok(seen[10].done == 100 and seen[10].total == 100 and seen[10].failed == 0
       and seen[10].left == 0 and seen[5].done == 50 and seen[5].rate > 0
       and math.abs(seen[5].left - 50 / seen[5].rate) < 1e-6, "what it is told")
  local ok, why = pcall(pool.map, list, function(x) if x == 42 then error "bad" end end,
                        { chunk = 10, progress = note })
  t.ok(not ok and why.message:find "^pool%.map: elements 41 to 50: .*bad$",
       "map: the first error, and whose it is")
  t.is(seen[#seen].failed, 10, "progress is told of failures")
  local function two(x) return x, nil end
  local why_two = "the function returned 2 values, and a result is one"
  ok, why = pcall(pool.map, list, two, { chunk = 10 })
  t.ok(not ok and why.message:find("^pool%.map: elements %d*1 to %d+0: " .. why_two),
       "map: a second result is an error")
  ok, why = pcall(pool.reduce, list, two, { chunk = 100 })
  t.ok(not ok and why.message:find("^pool%.reduce: elements 1 to 100: " .. why_two),
       "reduce: likewise")
  t.raises("^pool%.reduce: " .. why_two, pool.reduce, { 1, 2 }, two, { chunk = 1 })
  t.ok(pcall(pool.each, { 1, 2 }, two), "each keeps none")
  wait_until(is_idle)
  t.raises("from progress", pool.map, list, type,
           { progress = function() error "from progress" end })
end
for _, case in ipairs {
  { "pool%.map: a list expected, got number", 5, print },
  { "pool%.map: a function or \"module", { 1 }, 5 },
  { "pool%.map: chunk: an integer.*, got 0", { 1 }, print, { chunk = 0 } },
  { "pool%.map: limit: an integer.*, got x", { 1 }, print, { limit = "x" } },
  { "pool%.map: ordered: a boolean expected", { 1 }, print, { ordered = 1 } },
  { "pool%.map: progress: a function or bool", { 1 }, print, { progress = 1 } },
  { "pool%.map: no option 'size'", { 1 }, print, { size = 1 } },
  { "pool%.map: no option '1'", { 1 }, print, { "size" } },
  { "pool%.map: a table of options expected, got number", { 1 }, print, 5 },
  { "pool%.map: element 2 of the list is nil",
    setmetatable({ 1 }, { __len = function() return 2 end }), print },
} do
  t.raises(case[1], pool.map, table.unpack(case, 2, 4))
end
wait_until(is_idle)

-- Yields, blocks: others run while a map waits; a call that gives a future does not wait.

do
  local gate, other = tw.channel(1), 0
  local f = pool.run(function(ch) return ch:recv() end, gate)
  t.is(f:peek(), "pending", "run does not wait")
  gate:send "on"
  t.is(f:await(), "on", "await does")
  task.scope(function(s)
    s:spawn(function()
      for i = 1, 3 do other = other + 1 task.yield() end
      gate:send "go"
    end)
    t.same(pool.map({ 1 }, function() return gate:recv(10) and 1 end, { chunk = 1 }),
           { 1, n = 1 }, "map waits")
  end)
  t.is(other, 3, "map: other tasks run meanwhile")
  wait_until(is_idle)
end

-- Who asks for nothing any more: whatever a job does, it ends.

local function stops(name, fn, depth)
  local before = pool.status().cancelled
  local f = pool.run(fn)
  wait_until(function() return pool.status().running >= (depth or 1) end)
  f:cancel()
  wait_until(is_idle)
  t.ok(pool.status().cancelled > before, "cancelled: " .. name)
  t.is(f:peek(), "cancelled", "its future")
end

-- The thread sanitizer delivers no signal to a thread that makes no call.
local TSAN = apps.has "tsan"
local function loop() while true do end end
if TSAN then loop = function() while true do require "tw".sleep(0) end end end

for _ = 1, SMALL and 1 or 5 do
  stops("a loop", loop)
  if not TSAN then
    stops("a loop that catches errors", function() while true do pcall(error) end end)
    stops("a loop in a coroutine", function() coroutine.wrap(loop)() end)
    stops("a loop in table.sort", function() table.sort({ 1, 2, 3 }, loop) end)
    stops("a module that loops", function()
      package.preload.loop = loop
      require "loop"
    end)
  end
  stops("a wait", function() require "tw".sleep(1e6) end)
  stops("waits that are caught", function()
    local tw = require "tw"
    while true do pcall(tw.sleep, 1e6) end
  end)
  stops("a task that it spawned", function()
    require "tw.task".scope(function(s) s:spawn(loop) end)
  end)
  stops("a task and itself", function()
    local task = require "tw.task"
    task.scope(function(s)
      s:spawn(function() while true do task.yield() end end)
      while true do task.yield() end
    end)
  end)
  stops("a map within it", function()
    require "tw.pool".each({ 1, 2, 3, 4, 5 }, loop, { chunk = 1 })
  end, THREADS + 1)
end
do   -- what its scope has to stop, however early
  local f
  task.scope(function(s)
    f = s:spawn_on("pool", function() require "tw".sleep(1e6) end)
    s:cancel()
  end)
  t.is(f:peek(), "cancelled", "a job of a scope that has ended")
  wait_until(is_idle)
end
do   -- time to tidy up, whenever the signal comes
  local told, tidied = tw.channel(1), 0
  local function wait(told)
    local tidy <close> = setmetatable({}, { __close = function()
      local n = 0
      for i = 1, 1000 do n = n + i end
      told:try_send(n)
    end })
    told:try_send "begun"
    require "tw".channel(1):recv()
  end
  local N = SMALL and 100 or 500
  for _ = 1, N do
    local f = pool.run(wait, told)
    assert(told:recv() == "begun")
    f:cancel()
    if told:recv(10) == 500500 then tidied = tidied + 1 end
  end
  t.is(tidied, N, "what a cancelled job has to close is closed")
  wait_until(is_idle)
end
do   -- who catches it and computes on is stopped, and its state is not used again
  local function sleepers()
    local n = 0
    for _, t in ipairs(require "tw.internal.task".list()) do
      n = n + (t.worker:find "^pool" and t.waits_for == "sleep" and 1 or 0)
    end
    return n
  end
  local function stubborn(inside)
    local tw = require "tw"
    local go = coroutine.wrap(function()
      coroutine.yield()
      while true do pcall(error) end
    end)
    go()
    leftover = "l"
    local function wait()
      pcall(tw.sleep, 1e6)
      go()
    end
    if not inside then wait() end
    tw.task.scope(function(s) s:spawn(wait) end)
  end
  local fs = { pool.run(stubborn, false), pool.run(stubborn, true) }
  wait_until(function() return sleepers() == 2 end)
  for _, f in ipairs(fs) do f:cancel() end
  wait_until(is_idle)
  t.ok(true, "a job that is told to end, and computes on, is stopped")
  local seen = 0
  for _ = 1, 4 * THREADS do
    seen = seen + run(function() return leftover and 1 or 0 end)
  end
  t.is(seen, 0, "its state takes no other")
end
do
  local g
  t.is(task.timeout(0.01, function()
    g = pool.run(loop)
    return g:await()
  end), nil, "task.timeout around await")
  wait_until(is_idle)
  t.is(g:peek(), "cancelled", "stops what was awaited")
  t.is(task.timeout(0.01, pool.map, list, loop), nil, "task.timeout around map")
  wait_until(is_idle)
  t.raises("a sibling", task.scope, function(s)
    s:spawn(run, loop)
    s:spawn(function()
      wait_until(function() return pool.status().running == 1 end)
      error "a sibling"
    end)
  end)
  wait_until(is_idle)
  t.ok(true, "a scope that fails stops what its tasks await")
  local one, two = pool.run(loop), tw.promise()
  two:resolve(one)
  one:cancel()
  wait_until(is_idle)
  t.ok(true, "the last who wants it decides")
end

-- A time limit leaves what was asked for within it, and nothing else.

do
  local gate = tw.channel(1)
  local function wait(gate) return gate:recv() end
  local outside, inside = pool.run(wait, gate), nil
  t.is(task.timeout(0.001, function() return outside:await() end), nil, "a time limit")
  task.timeout(0.001, function()
    inside = pool.run(wait, gate)
    inside:await()
  end)
  t.is(inside:peek(), "cancelled", "it leaves the job that was sent within it")
  wait_until(function() return pool.status().running == 1 end)
  gate:send("on")
  t.is(outside:await(), "on", "and not the one from outside")
  wait_until(is_idle)
end

-- The pool has ended what it began; nothing is held that was sent.

do
  local s = pool.status()
  t.is(s.done + s.failed + s.cancelled, s.submitted, "each job ended once")
  t.is(s.queued + s.running, 0, "none is left")
end
os.remove(directory .. "/" .. module .. ".lua")
os.remove(scratch)
