--- strategy: parameters that a script declares, on the command line and in a run.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local CROSS = [[
local M = require "tw.strategy".new {
  doc = "crosses", where = "fast < slow",
  params = { fast = { 2, min = 1, max = 9, step = 4, doc = "bars" }, slow = 10,
             name = "a" } }
function M:on_quote() self.n = (self.n or 0) + 1 end
function M:on_stop()
  local p = self.params
  print(p.fast, p.slow, p.name)
end
return M
]]
local dir, put, shell = apps.folder "s"
put("cross.lua", CROSS)
local lines = { "time,symbol,bid,ask" }
for i = 1, 50 do lines[i + 1] = ("%d,A,10,11"):format(1577836800 + i * 3600) end
put("A.csv", table.concat(lines, "\n") .. "\n")
put("app.lua", [[
  local app = require "tw.app"
  app.feed.csv { file = "A.csv" }
  app.script("cross.lua", { params = { fast = app.param("fast", 3) } })]])

local function refused(name, command, status, what)
  local run = shell(command)
  t.is(run.status, status, name)
  t.ok(run.err:find(what, 1, true) and run.out == "", name .. ": says why")
  if not run.err:find(what, 1, true) then t.diag(run.err) end
end

local listed = shell "help cross.lua"
t.ok(listed.out:find("fast +2 +an integer from 1 to 9, step 4 +bars\n"), "help of a file")
t.is(shell("backtest cross.lua --help").out, listed.out, "--help of a backtest")
t.is(shell("sweep cross.lua --help").out, listed.out, "and of a sweep")
t.ok(shell("backtest --help").out:find "^backtest %- ", "without a file, of the command")
refused("a file that is not there", "help none.lua", 1, "cannot open none.lua")

refused("a name of a backtest", "backtest cross.lua --data A.csv --set fsat=3", 2,
        "cross.lua: fsat = 3: no such parameter; did you mean 'fast'?")
refused("a value of a backtest", "backtest cross.lua --data A.csv --set fast=10", 2,
        "cross.lua: fast = 10: an integer from 1 to 9 expected")
refused("a name of a sweep", "sweep cross.lua --data A.csv --set fsat=3,4", 2,
        "cross.lua: fsat = 3: no such parameter; did you mean 'fast'?")
refused("a value of a sweep", "sweep cross.lua --data A.csv --set fast=1:12", 2,
        "cross.lua: fast = 10: an integer from 1 to 9 expected")
refused("a value of a run", "run app.lua --set fast=12", 1,
        "script cross.lua: fast = 12: an integer from 1 to 9 expected")

local run = shell "backtest cross.lua --data A.csv --set name=007 --json"
t.ok(run.out:find([[\t10\t007"]], 1, true), "a text of --set stays one")
t.ok(run.out:find '"fast":2,"name":"007","slow":10', "the result has all parameters")
run = shell("sweep cross.lua --data A.csv --set fast --set slow=4,20 --store none "
            .. "--results r.csv")
t.is(run.status, 0, "a sweep of what is declared")
t.is(select(2, apps.read(dir .. "/r.csv"):gsub("\n", "")), 1 + 4,
     "has the points of the range, but for those that where leaves out")
shell("sweep cross.lua --data A.csv --set fast=2,3 --store none --report r.html "
  .. "--by total_return")
t.ok(apps.read(dir .. "/r.html"):find("slow <b>10</b>", 1, true),
     "its report has all parameters of the best run")
run = shell("run app.lua")
t.is(run.out:match "[^\n]*", "3\t10\ta", "a run: what the app gives, and defaults")

-- ---- whichever allocation fails ----

local right, said, n = shell("help cross.lua").out, 0, 1
while n < 400 do
  local got = shell("help cross.lua", "TW_FAIL=" .. n)
  if got.status == 0 and got.out == right then break end
  if got.status ~= 0 and got.err:find "memory" then said = said + 1
  else t.is(got.err, "a line about memory", "allocation " .. n .. " fails") end
  n = n + (os.getenv "SMALL" and 7 or 1)
end
t.ok(said > 5 and n < 400, "a failed allocation is said (" .. said .. " times)")

-- ---- a new version has other parameters ----

local LEADER = apps.leader .. ([[
local n = 0
function M.on_quote()
  n = n + 1
  if M.steps[n] then M.steps[n]() end
end
]]):gsub("\n", " ")

local FIRST = [[
  local M = require "tw.strategy".new { params = { a = 1, b = 2 } }
  function M:on_quote() self.n = (self.n or 0) + 1 end
  function M:on_stop() print("first", self.params.a, self.params.b) end]]
local SECOND = [[
  local M = require "tw.strategy".new { params = { a = 7, c = { 3, max = %d } } }
  function M:on_quote() self.n = (self.n or 0) + 1 end
  function M:on_stop()
    print("second", self.params.a, self.params.b, self.params.c)
  end]]
local NONE = [[
  function M:on_stop() print("none", self.params.a, self.params.c) end]]
local function reloads(text)
  return apps.led(LEADER .. ([[
    M.steps = { [2000] = function()
      write("s.lua", %q)
      print(answer(tw.reload "s.lua"))
    end }]]):format(text):gsub("\\\n", "\\n"):gsub("\n", " "),
    { s = FIRST, options = "{ workers = { 1 }, params = { a = 5 } }" })
end
apps.ended(reloads(SECOND:format(9)), "a new version's defaults, and what was given",
           "2\nsecond\t5\tnil\t3\n")
apps.ended(reloads(NONE), "one that declares nothing has what was given",
           "2\nnone\t5\tnil\n")
local why = reloads(SECOND:gsub("a = 7", "x = 7"):format(9)).out
t.ok(why:find("a = 5: no such parameter; there are c, x", 1, true)
     and why:find "\nfirst\t5\t2\n", "one that does not know what is given is refused")
if not why:find "first" then t.diag(why) end

t.done()
