--- endless: a handler that never returns ends its backtest, and a sweep goes on.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"
local sweep = require "tw.sweep"

-- The thread sanitizer holds back a signal until the thread calls libc.
if apps.has "tsan" then
  t.skip "no signal reaches a loop under the thread sanitizer"
  return t.done()
end

local dir, put, command = apps.folder "e"

local five = put("five.csv", "time,symbol,bid,ask\n2020-01-01T10:00:01,A,10,11\n"
  .. "2020-01-01T10:00:02,A,10,11\n2020-01-01T10:00:03,A,10,11\n"
  .. "2020-01-01T10:00:04,A,10,11\n2020-01-01T10:00:05,A,10,11\n")

-- Each of `how` loops in another place; none of them, and all is well.
local script = put("s.lua", [[
  local task, tw = require "tw.task", require "tw"
  local M, how = {}, nil
  local function loop() while true do end end
  function M:on_start()
    how = self.params.how
    if how == "on_start" then loop() end
  end
  function M:on_quote(symbol, bid)
    self.n = (self.n or 0) + 1
    if self.n < 3 then return end
    if how == "on_quote" then loop() end
    if how == "pcall" then while true do pcall(loop) end end
    if how == "coroutine" then coroutine.wrap(loop)() end
    if how == "sort" then table.sort({ 3, 1, 2 }, loop) end
    if how == "slept" then tw.sleep(1) loop() end
    if how == "task" then
      task.scope(function(s) s:spawn(function() task.sleep(0.5) loop() end) end)
    end
    if how == "close" then local x <close> = setmetatable({}, { __close = loop }) end
    if how == "nested" then
      assert(tw.backtest.run { script = self.params.file, data = self.params.data,
                               time = 0.05, params = { how = "on_quote" } })
    end
    if how == "busy" then                 -- each is short, all of them are not
      local till = os.clock() + 0.01
      while os.clock() < till do end
    end
  end
  function M:on_stop() if how == "on_stop" then loop() end end
  return M]])

local function run(how)
  return tw.backtest.run { script = script, data = five, time = 0.05, brief = true,
                           params = { how = how, file = script, data = five } }
end
local function stops(how, pattern)
  local result, why = run(how)
  if not t.ok(not result and why and why:find(pattern), how .. ": why, when and where")
  then t.diag(tostring(why)) end
end

local WHO <const> = "^script .*s%.lua %(version 1, backtest%): "
local FOR <const> = " ran for more than 0%.05 s without returning\nstack traceback:\n"
local THIRD <const> = "on_quote at quote 3 A 10 x 0 / 11 x 0 %(2020%-01%-01 10:00:03%)"
stops("on_start", WHO .. "on_start at 2020%-01%-01 10:00:01" .. FOR .. ".*s.lua:3: in")
stops("on_stop", WHO .. "on_stop at 2020%-01%-01 10:00:05" .. FOR .. ".*s.lua:3: in")
for _, how in ipairs { "on_quote", "pcall", "coroutine", "sort", "close" } do
  stops(how, WHO .. THIRD .. FOR .. ".*s.lua:3: in")
end
stops("slept", WHO .. "on_quote at quote 3 [^\n]*10:00:04%)" .. FOR .. ".*s.lua:3: in")
stops("task", "it ran for too long without waiting\nstack traceback:\n.*s.lua:3: in")
stops("nested", WHO .. "on_quote failed at quote 3 .*" .. THIRD .. FOR)
t.ok(run("none"), "a script that returns")

-- What counts is one handler, not all of them; and what waits for a run has its time.

local lines = { "time,symbol,bid,ask" }
for i = 1, 12 do lines[i + 1] = ("2020-01-01T11:00:%02d,A,10,11"):format(i) end
local busy = { script = script, data = put("many.csv", table.concat(lines, "\n") .. "\n"),
               time = 0.08, brief = true, params = { how = "busy" } }
local function goes_on(name, result, why)
  if not t.ok(result, name) then t.diag(tostring(why)) end
end
goes_on("many handlers are no long one", tw.backtest.run(busy))
goes_on("runs within a handler are watched by themselves", tw.backtest.run {
  data = five, time = 0.08, params = { of = busy }, script = put("outer.lua", [[
    local tw = require "tw"
    local M = {}
    function M:on_start()
      for _ = 1, 2 do assert(tw.backtest.run(self.params.of)) end
    end
    function M:on_quote() end
    return M]]) })

-- ---- the commands ----

put("app.lua", [[
  local app = require "tw.app"
  app.limits { time = 0.06 }
  app.script("s.lua", { params = { how = "on_quote" } })]])
local got = command "backtest app.lua --data five.csv"
t.ok(got.status == 1 and got.out == "" and got.err:find("^tidewire: backtest: script"
  .. " s.lua %(version 1, backtest%): " .. THIRD .. " ran for more than 0.06 s"),
  "app.limits counts in a backtest")
got = command "backtest app.lua --data five.csv --time 0.05"
t.ok(got.status == 1 and got.err:find(FOR), "--time over that")
put("loops.lua", "require 'tw.app' while true do pcall(function() while true do end end)"
  .. " end")
got = command "backtest loops.lua --data five.csv --time 0.05"
t.ok(got.status == 1 and got.err:find("^tidewire: backtest: the app file" .. FOR
  .. "\tloops.lua:1: in"), "an app file that loops")
if got.status ~= 1 then t.diag(got.err) end
put("body.lua", "while true do end")
got = command "backtest body.lua --data five.csv --time 0.05"
t.ok(got.status == 1 and got.err:find("body.lua: it ran for more than 0.05 s without"
  .. " returning\nstack traceback:\n"), "a script's file that loops")
got = command "backtest s.lua --data five.csv --time -1"
t.is(got.err, "tidewire: backtest: time: 0 or more seconds expected, got -1; see "
  .. "`tidewire help backtest`\n", "a time below 0")

-- ---- sweeps ----

local s = assert(sweep.run { script = script, data = five, time = 0.05, jobs = 2,
  list = { { how = "none" }, { how = "on_quote" }, { how = "pcall" }, { how = "no" } } })
t.ok(s.done == 4 and s.failed == 2 and s.runs[1].result and s.runs[4].result,
     "a sweep goes on")
for i = 2, 3 do
  t.ok(s.runs[i].error:find(WHO .. THIRD) and s.runs[i].traceback:find(FOR
    .. ".*s.lua:3: in"), s.runs[i].params.how .. ": a row with its traceback")
end

-- Of 500 runs without end two are under way; of no other one is waited for the end.
put("marks.lua", [[
  local M = {}
  function M:on_start() io.open("began", "a"):close() while true do end end
  function M:on_quote() end
  return M]])
got = apps.shell(("cd %s; %s sweep marks.lua --data five.csv --set x=1:500 --jobs 2 "
  .. "--time 0.1 --store none 2>int.err & p=$!; until [ -e began ]; do sleep 0.01; done; "
  .. "kill -INT $p; wait $p"):format(dir, apps.tidewire))
local said = apps.read(dir .. "/int.err")
local done, failed = got.out:match "marks.lua: (%d+) of 500 runs, (%d+) failed"
if not t.ok(got.status == 130 and done == failed and tonumber(done) < 500
            and said:find "once more ends at once", "Ctrl-C waits for the limit alone")
then t.diag(got.status .. got.out .. said) end

t.done()
