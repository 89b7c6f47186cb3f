--- channel: values between tasks, in order, each to one; select; supervise.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"
local core = require "tw.internal.task"
local task = tw.task

local SMALL = os.getenv "SMALL"

-- Values.

local ch = tw.channel(3)
for _, value in ipairs { 1, 2.5, "text" } do t.ok(ch:send(value), "sends") end
t.is(#ch, 3, "as many as were sent")
t.same({ ch:try_send(4) }, { nil, "full", -5001 }, "no more than it was made for")
t.same({ ch:recv(), ch:recv(), ch:recv() }, { 1, 2.5, "text" }, "they come in order")
t.same({ ch:try_recv() }, { nil, "nothing there", -5011 }, "then there is nothing")
ch:send { symbol = "AAPL", sizes = { 1, 2 } }
t.is(ch:recv().sizes[2], 2, "tables are frozen")
ch:send(false)
t.is(ch:recv(), false, "false is a value")
ch:send(ch)
t.ok(ch:recv() == ch, "a channel is one, too, and the same when it comes back")
t.raises("a value expected; nil is what receiving gives", ch.send, ch, nil)
t.raises("value is a function", ch.send, ch, print)
t.raises("value.f is a function", ch.try_send, ch, { f = print })
t.is(#ch, 0, "what can't be sent is not")
t.raises("tw.channel expected", ch.send, {}, 1)
t.raises("a number of seconds from 0 on expected", ch.recv, ch, -1)
t.raises("number expected", ch.send, ch, 1, "soon")

-- Waiting.

local got = {}
task.scope(function(s)
  s:spawn(function() for i = 1, 10 do ch:send(i) end ch:close() end)
  for v in ch do got[#got + 1] = v end
end)
t.is(table.concat(got, " "), "1 2 3 4 5 6 7 8 9 10", "iteration ends at close")
t.same({ ch:recv() }, { nil, "closed", -5010 }, "then receiving says so")
t.same({ ch:send(1) }, { nil, "closed", -5010 }, "and sending")
t.same({ ch:try_send(1) }, { nil, "closed", -5010 }, "and trying to")
ch:close()
t.ok(ch:stats().closed, "closing twice is nothing")

ch = tw.channel(2)
ch:send(1)
ch:close()
t.is(ch:recv(), 1, "what is in a closed one comes out")
t.is((ch:recv()), nil, "and no more")

ch = tw.channel(1)
t.same({ ch:recv(0.001) }, { nil, "timed out", core.TIMEDOUT }, "a time to receive in")
t.same({ ch:recv(0) }, { nil, "timed out", core.TIMEDOUT }, "also none")
ch:send(1)
t.same({ ch:send(2, 0.001) }, { nil, "timed out", core.TIMEDOUT }, "a time to send in")
t.is(ch:recv(0), 1, "a time of 0 receives what is there")

task.scope(function(s)
  local why
  s:spawn(function() why = select(2, ch:recv()) end)
  local stuck = tw.channel(1)
  stuck:send(1)
  local late = s:spawn(function() return stuck:send(2) end)
  task.yield()
  t.is(ch:stats().receivers + stuck:stats().senders, 2, "who waits is counted")
  ch:close()
  stuck:close()
  t.same({ late:await() }, { nil, "closed", -5010 }, "close ends the wait of senders")
  t.is(why, "closed", "and of receivers")
end)

ch = tw.channel(1)
got = {}
task.scope(function(s)
  for i = 1, 3 do
    s:spawn(function()
      local v = ch:recv()
      got[#got + 1] = i .. v
    end)
  end
  task.yield()
  for _, v in ipairs { "a", "b", "c" } do ch:send(v) end
end)
t.is(table.concat(got, " "), "1a 2b 3c", "who waits longest receives first")

local turns = 0
task.scope(function(s)
  local busy = tw.channel(4)
  local a = s:spawn(function() while true do busy:send(1) busy:recv() end end)
  for _ = 1, 3 do turns = turns + 1 task.yield() end
  a:cancel()
end)
t.is(turns, 3, "who never has to wait lets others run all the same")

-- When full.

ch = tw.channel(2, { full = "drop_oldest" })
for i = 1, 5 do ch:send(i) end
t.same({ ch:recv(), ch:recv(), ch:stats().dropped }, { 4, 5, 3 }, "the oldest go")
ch = tw.channel(2, { full = "error" })
ch:send(1) ch:send(2)
t.same({ ch:send(3) }, { nil, "full", -5001 }, "full is an error at once")
ch = tw.channel(2, { full = "latest", key = "symbol" })
for i, symbol in ipairs { "A", "B", "A", "A" } do ch:send { symbol = symbol, i = i } end
t.same({ #ch, ch:stats().replaced }, { 2, 2 }, "the latest of a key replaces the others")
t.same({ ch:recv().i, ch:recv().i }, { 4, 2 }, "in the place of the first")
for i = 1, 3 do ch:send { symbol = { i } } end
t.same({ ch:recv().symbol[1], ch:stats().dropped }, { 2, 1 }, "of too many keys, too")
t.raises("value.symbol is nil, and it is the channel's key", ch.send, ch, { 1 })
t.raises("value is a number without the field 'symbol'", ch.send, ch, 7)
t.raises("symbol can't be NaN", ch.send, ch, { symbol = 0/0 })
t.raises("symbol can't hold a NaN", ch.try_send, ch, { symbol = { 0/0 } })
t.raises("symbol can't hold a table as a key", ch.send, ch, { symbol = { [{}] = 1 } })
t.raises("symbol is a function", ch.send, ch, { symbol = print })

-- Making one.

t.raises("number expected", tw.channel)
for _, n in ipairs { 0, -1, 1 << 20 | 1 } do
  t.raises("a channel has room for 1 to 2^20 values", tw.channel, n)
end
t.raises("there is no option 'ful'", tw.channel, 1, { ful = "wait" })
t.raises("there is no option '1'", tw.channel, 1, { "wait" })
t.raises("full = 'often' is none of wait, drop_oldest", tw.channel, 1, { full = "often" })
t.raises('full = "latest" and key belong together', tw.channel, 1, { full = "latest" })
t.raises('full = "latest" and key belong together', tw.channel, 1, { key = "symbol" })
t.raises("name: a text of 1 to 63 bytes expected", tw.channel, 1, { name = "" })
t.raises("name: a text of 1 to 63 bytes expected", tw.channel, 1,
  { name = ("x"):rep(64) })
t.raises("name: a text of 1 to 63 bytes expected", tw.channel, 1, { name = 7 })

local named = tw.channel(4, { name = "jobs" })
t.ok(named == tw.channel(4, { name = "jobs" }), "a name is one channel")
t.raises("'jobs' has a capacity of 4, not 5", tw.channel, 5, { name = "jobs" })
t.raises("'jobs' has full = \"wait\", not \"error\"", tw.channel, 4,
  { name = "jobs", full = "error" })
tw.channel(1, { name = "ticks", full = "latest", key = "symbol" })
t.raises("'ticks' has key = \"symbol\", not \"id\"", tw.channel, 1,
  { name = "ticks", full = "latest", key = "id" })
t.ok(tw.channel.list()[1] == named and #tw.channel.list() == 2, "they are listed")
t.ok(require "tw.channel" == tw.channel, "the module is the function")
t.is(named:stats().name, "jobs", "statistics have the name")
t.ok(tostring(named):find "^channel: jobs %(0 of 4%)$", "and its text")
named:send(1)
named:close()
t.ok(tostring(named):find "%(1 of 4, closed%)$", "with how it stands")
t.ok(tostring(tw.channel(2)):find "^channel: 0x%x+ %(0 of 2%)$", "without a name: where")

-- select.

local a, b = tw.channel(4), tw.channel(4)
task.scope(function(s)
  s:spawn(function() tw.sleep(0.001) b:send "b" end)
  local value, which = tw.select { a, b }
  t.ok(value == "b" and which == b, "select takes what comes first")
end)
t.same({ tw.select({ a, b }, 0.001) }, { nil, "timed out", core.TIMEDOUT }, "in time")
for i = 1, 4 do a:send(i) b:send(i) end
got = { a = 0, b = 0 }
for _ = 1, 4 do
  local _, which = tw.select { a, b }
  local name = which == a and "a" or "b"
  got[name] = got[name] + 1
end
t.same(got, { a = 2, b = 2 }, "each has its turn")
while a:try_recv() or b:try_recv() do end
task.scope(function(s)
  local p = tw.promise()
  local job = s:spawn(function() tw.sleep(0.001) p:resolve(7) return "done", 2 end)
  local value, which = tw.select { a, p.future }
  t.ok(value == 7 and which == p.future, "a future is as good as a channel")
  value, which = tw.select { a, job }
  t.ok(value == "done" and which == job, "and a task")
end)
a:close()
task.scope(function(s)
  s:spawn(function() task.yield() b:send "still" end)
  t.is(tw.select { a, b }, "still", "a closed one is passed over")
end)
b:close()
t.same({ tw.select { a, b } }, { nil, "closed", -5010 }, "all closed: nil")
t.raises("a list of channels and futures expected", tw.select, {})
t.raises("element 2 of the list is a number", tw.select, { a, 7 })
task.scope(function(s)
  local c, d = tw.channel(1), tw.channel(1)
  local waiter = s:spawn(function() return tw.select { c, d } end)
  local next_one = s:spawn(function() return c:recv() end)
  task.yield()
  c:send "taken"
  waiter:cancel()
  t.is(select(2, waiter:pawait()), "taken", "what came before the cancellation is taken")
  next_one:cancel()
end)

-- Across states, by name and as a value.

local sums = {}
for i = 1, 2 do
  sums[i] = tw.pool.run(function()
    local jobs = require "tw".channel(8, { name = "work" })
    local sum = 0
    for v in jobs do sum = sum + v end
    return sum
  end, i)
end
local N = SMALL and 200 or 5000
local work = tw.channel(8, { name = "work" })
for i = 1, N do work:send(i) end
work:close()
t.is(sums[1]:await() + sums[2]:await(), N * (N + 1) // 2,
  "each value comes to one of two threads")

local function report_of(code)
  return apps.shell(apps.tidewire .. " -e "
    .. apps.quote('local tw = require "tw" ' .. code))
end

-- Without memory: an error, and nothing worse.

apps.without_memory(apps.tidewire .. " -e " .. apps.quote [[
  local tw = require "tw"
  local ok, err = pcall(function()
    local ch = tw.channel(2, { name = "n" })
    local latest = tw.channel(2, { full = "latest", key = "k" })
    tw.task.scope(function(s)
      s:spawn(function() for i = 1, 4 do ch:send { i } end ch:close() end)
      s:spawn(function() latest:send { k = "a" } latest:send { k = "a" } end)
      for _ in ch do end
      assert(tw.select({ latest, ch }, 5))
    end)
  end)
  assert(ok or tostring(err):find "memory", err)
  print(ok)]], "true\n", SMALL and 173 or 13, 2600)

-- supervise.

local run = report_of [[
  local n = 0
  tw.supervise { { name = "flaky", fn = function()
    n = n + 1 tw.sleep(0) if n < 3 then error("boom " .. n) end print "fine" end } }]]
t.is(run.out .. run.status, "fine\n0", "what fails is started again until it ends")
t.ok(run.err:find "flaky starts again in 0.05 s: [^\n]*boom 1"
  and run.err:find "flaky starts again in 0.1 s: [^\n]*boom 2", "and each error is told")
run = report_of 'tw.supervise({ function() error "x" end }, { intensity = 1 })'
t.is(run.status, 1, "too many restarts are an error")
t.ok(run.err:find "more than 1 restarts in 5 s; the last: child 1 failed: [^\n]*x",
  "which says what")
run = report_of [[tw.supervise({
  { fn = function() print "a" tw.sleep(0.01) end },
  { restart = "temporary", fn = function() error "once" end } })]]
t.is(run.out .. run.status, "a\n0", "one that is temporary fails for itself")
t.ok(run.err:find "is not started again: [^\n]*once", "and is told of")
run = report_of [[local n = 0
  tw.supervise({
  { fn = function() n = n + 1 tw.sleep(0.001) if n == 1 then error "x" end end },
  { fn = function() print "begins" tw.sleep(n == 1 and 1e6 or 0) print "ends" end } },
  { strategy = "one_for_all" })]]
t.is(run.out, "begins\nbegins\nends\n", "one for all: the others start again, too")
run = report_of [[local n = 0
  tw.task.scope(function(s)
    tw.supervise { { restart = "permanent", fn = function()
      n = n + 1 io.write(n) if n == 3 then s:cancel() end end } }
  end) print "over"]]
t.is(run.out, "123over\n", "permanent: again after each end, until cancelled")
t.raises("a list of functions or of tables", tw.supervise, {})
t.raises("child 1 is no function and has none", tw.supervise, { 5 })
t.raises("child 1: name is a string, not 5", tw.supervise, { { fn = print, name = 5 } })
t.raises("the list of children has no field strategy", tw.supervise,
  { print, strategy = "one_for_all" })
t.raises("the second argument has no field strategie", tw.supervise, { print },
  { strategie = "one_for_all" })
t.raises("a table of options expected, not 5", tw.supervise, { print }, 5)
t.raises("child 1 has no field f", tw.supervise, { { fn = print, f = 1 } })
t.raises("restart is permanent, transient or temporary, not never", tw.supervise,
  { { fn = print, restart = "never" } })
t.raises("strategy is one_for_one or one_for_all", tw.supervise, { print },
  { strategy = "x" })
t.raises("intensity is an integer from 0 on", tw.supervise, { print },
  { intensity = 0.5 })
t.raises("period is a number of seconds above 0", tw.supervise, { print }, { period = 0 })
