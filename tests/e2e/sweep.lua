--- sweep: the command, as a user types it: known answers, any number of jobs, faults.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local dir, put, command = apps.folder "s"

local function sweep(args, before) return command("sweep " .. args, before) end
local function ok(run, condition, name)
  if not t.ok(condition, name) then t.diag(run.status .. "\n" .. run.out .. run.err) end
end

-- A market that swings, and a strategy that is long above its slow average.
put("cross.lua", [[
  local average = require "average"
  local M = { account = { cash = 10000 } }
  function M:on_quote(symbol, mid)
    local p = self.params
    self.fast = average(self.fast, mid, p.fast)
    self.slow = average(self.slow, mid, p.slow)
    self:order_target(symbol, self.fast > self.slow and 10 or 0)
  end
  return M]])
put("average.lua", [[
  return function(before, x, n) return (before or x) + (x - (before or x)) / n end]])
local function market(name, symbol, n, phase)
  local lines, x, s = { "time,symbol,bid,ask" }, 100.0, 12345
  for i = 1, n do
    s = (s * 1103515245 + 12345) % 2147483648
    x = x + (s / 2147483648 - 0.5) * 0.4 + 0.1 * math.sin(i / 40 + phase)
    lines[i + 1] = ("%d,%s,%.2f,%.2f"):format(1500000000 + i * 3600, symbol, x, x + 0.02)
  end
  put(name, table.concat(lines, "\n") .. "\n")
end
local N <const> = os.getenv "SMALL" and 400 or 2000
market("a.csv", "A", N, 0)
market("b.csv", "B", N, 1)

local GRID <const> = "cross.lua --data a.csv --set fast=2:6:2 --set slow=10,20,40"

-- ---- a known answer ----

local run = sweep(GRID .. " --store none --results r.csv")
ok(run, run.status == 0 and run.out:find "^cross.lua: 9 of 9 runs, 0 failed", "a grid")

-- The rows of a CSV file, by their titles; no value here has a quote.
local function rows_of(name)
  local rows, titles = {}, nil
  for line in io.lines(dir .. "/" .. name) do
    local row, i = {}, 0
    for text in (line .. ","):gmatch "([^,]*)," do
      i = i + 1
      row[titles and titles[i] or i] = text
    end
    if titles then rows[#rows + 1] = row else titles = row end
  end
  return rows
end
local best, same, page = nil, true, nil
for i, row in ipairs(rows_of "r.csv") do
  local fast, slow = 2 * ((i - 1) // 3 + 1), ({ 10, 20, 40 })[(i - 1) % 3 + 1]
  local alone = assert(tw.backtest.run { script = dir .. "/cross.lua",
    data = dir .. "/a.csv", params = { fast = fast, slow = slow }, brief = true })
  local sharpe = alone.figures.arithmetic.sharpe
  same = same and tonumber(row.fast) == fast and tonumber(row.slow) == slow
         and row.hash == alone.hash and tonumber(row.sharpe) == sharpe
         and tonumber(row.final) == alone.final
         and tonumber(row["geometric.calmar"]) == alone.figures.geometric.calmar
  if not best or sharpe > best[3] then best = { fast, slow, sharpe } end
end
t.ok(same, "each run is that of tw.backtest.run")
ok(run, run.out:find(("\n1 +%d +%d +%.3f "):format(best[1], best[2], best[3])),
   "the best is first")

-- ---- the same, however it is run ----

-- All results but how long they took.
local function results(args)
  local got = sweep(args .. " --store none --results x.csv", "TMPDIR=scratch")
  if got.status ~= 0 then return got.err end
  local lines = {}
  for i, row in ipairs(rows_of "x.csv") do
    row.seconds = nil
    local parts = {}
    for name, text in pairs(row) do parts[#parts + 1] = name .. "=" .. text end
    table.sort(parts)
    lines[i] = table.concat(parts, " ")
  end
  return table.concat(lines, "\n")
end
os.execute("mkdir " .. dir .. "/scratch")      -- which is nobody else's
local want = results(GRID .. " --jobs 1")
t.ok(select(2, want:gsub("\n", "")) == 8, "nine runs")
t.is(results(GRID .. " --jobs 2"), want, "two at a time")
t.is(results(GRID .. " --jobs 7"), want, "seven at a time")
apps.shell(("cd %s && %s convert a.csv a.tape"):format(dir, apps.tidewire))
t.is(results(GRID:gsub("a%.csv", "a.tape")), want, "from a tape file")
local both = assert(tw.backtest.run { script = dir .. "/cross.lua", brief = true,
  data = { dir .. "/a.csv", dir .. "/b.csv" }, params = { fast = 2, slow = 10 } })
for _, files in ipairs { "a.csv --data b.csv", "a.tape --data b.csv" } do
  t.is(results(GRID:gsub("a%.csv", files)):match "hash=(%x+)", both.hash,
       files .. ": one market, in the order of the files")
end
t.is(apps.shell("ls " .. dir .. " | grep tidewire; ls " .. dir .. "/scratch").out, "",
     "no file stays behind")

local TWO <const> = "cross.lua --data a.csv --data b.csv --set fast=2,4 --set slow=20"
  .. " --store none "
run = sweep(TWO .. "--over symbol --results over.csv")
local over = rows_of "over.csv"
ok(run, #over == 4 and over[1].symbol == "A" and over[4].symbol == "B"
   and over[4].fast == "4", "over symbols")
run = sweep(TWO .. "--over data --results files.csv")
local files = rows_of "files.csv"
same = #files == 4 and files[1].data == "a.csv"
for i = 1, 4 do same = same and files[i].hash == over[i].hash end
ok(run, same, "over files: the same here")

-- As many symbols as files that a process may have open at first; and more than are read
-- at a time.
do
  local lines = { "time,symbol,bid,ask" }
  for i = 1, 150 do lines[i + 1] = ("2020-01-01,S%d,1,2"):format(i) end
  put("wide.csv", table.concat(lines, "\n") .. "\n")
  local WIDE <const> = "cross.lua --data wide.csv --set fast=2 --set slow=20 "
    .. "--over symbol --store none --results wider.csv"
  run = sweep(WIDE, "ulimit -S -n 150;")
  ok(run, #rows_of "wider.csv" == 150, "more symbols than the soft limit of files")
  run = sweep(WIDE, "ulimit -n 150;")
  ok(run, run.status == 1 and apps.said(run) == "tidewire: sweep: too many open files:"
     .. " a sweep over symbols has one for each (ulimit -n)\n", "than the hard one")
end

run = sweep "cross.lua --data a.csv --set fast=2:90 --set slow=2:90 --random 5 --seed 3"
ok(run, run.status ~= 0 or run.out:find "5 of 5 runs", "at random")
put("points.csv", "fast,slow\n3,30\n5,50\n")
run = sweep "cross.lua --data a.csv --list points.csv --store none"
ok(run, run.out:find "2 of 2 runs" and run.out:find "\n%d +[35] +[35]0 ", "a list")
put("twice.csv", "fast,slow\n3,30\n5,50\n3,30\n3,30\n")
run = sweep "cross.lua --data a.csv --list twice.csv --store none"
ok(run, run.out:find "2 of 2 runs" and run.err:find("2 points of the list are there"
   .. " before, and run once\n", 1, true), "with points that are there twice")
put("app.lua", [[
  local app = require "tw.app"
  app.script("cross.lua", { params = { fast = app.param("fast", 3), slow = 20 } })]])
run = sweep "app.lua --data a.csv --set fast=2:4 --store none --results app.csv"
ok(run, rows_of "app.csv"[1].hash == rows_of "r.csv"[2].hash
   and rows_of "app.csv"[3].hash == rows_of "r.csv"[5].hash, "an app")

-- ---- runs that fail ----

put("some.lua", [[
  local M = {}
  function M:on_start()
    if self.params.x == 2 then error "two is too many" end
    if self.params.x == 3 then local y = nil + 1 end
  end
  function M:on_quote() end
  return M]])
run = sweep "some.lua --data a.csv --set x=1:4 --store none --results f.csv"
ok(run, run.status == 0 and run.err:find "2 of 4 runs failed"
   and run.err:find "x=2: some.lua:3: two is too many\n"
   and run.err:find "x=3: some.lua:4: attempt to perform arithmetic", "some fail")
t.ok(rows_of "f.csv"[2].error:find "two is too many" and rows_of "f.csv"[4].error == "",
     "which is their result")
run = sweep "some.lua --data a.csv --set x=1:4 --store none --report -"
ok(run, run.out:find "\n#  return  sharpe  drawdown  trades  parameters\n1 "
   and run.out:find "\n3  +%- .*x=2 failed:.*some.lua:3: two is too many\n",
   "why, in a table with all columns")
run = sweep "some.lua --data a.csv --set x=2,3 --store none --report f.html"
t.ok(apps.read(dir .. "/f.html"):find "stack traceback:\n", "all of it on a page")
ok(run, run.status == 1 and run.err:find "2 of 2 runs failed", "all fail")
put("bad.lua", "return { on_start = function() error 'bad' end, on_quote = print }")
run = sweep "bad.lua --data a.csv --store none"
ok(run, run.err:find "1 of 1 runs failed\n  bad.lua:1: bad\n", "without a parameter, too")
for _, to in ipairs(io.open "/dev/full" and { "results", "report" } or {}) do
  os.remove(dir .. "/beside.html")
  run = sweep("some.lua --data a.csv --set x=1:4 --store none --" .. to .. " /dev/full"
              .. (to == "results" and " --report beside.html" or ""))
  ok(run, run.status == 1 and run.out:find "4 of 4 runs, 2 failed.*\n1 "
     and run.err:find "2 of 4 runs failed"
     and run.err:find "cannot write /dev/full: No space left on device\n$",
     "a full disk takes only --" .. to)
  t.is((io.open(dir .. "/beside.html") ~= nil), to == "results", "and no other: " .. to)
end
sweep "some.lua --data a.csv --set x=1:100 --store none --json --results p.csv | head -c1"
t.is(#rows_of "p.csv", 100, "who stops to read takes nothing from --results")

-- ---- the command line ----

local function fails(args, status, pattern, name)
  local got = sweep(args)
  local said = apps.said(got)
  ok(got, got.status == status and said:find("^tidewire: sweep: " .. pattern)
     and select(2, said:gsub("\n", "")) == 1 and got.out == "", name or args)
end
fails("", 2, "no strategy and no app file given; see `tidewire help sweep`\n", "nothing")
fails("cross.lua", 2, "no %-%-data given;")
fails(GRID .. " --speed 2", 2, "unknown option '%-%-speed';")
fails(GRID .. " --set x=3:20:0", 2, "x=3:20:0: the step must be above 0;")
fails(GRID .. " --set fast=3", 2, "%-%-set fast is given twice;")
fails(GRID .. " --set x=", 2, "x=: an empty value;")
fails(GRID .. " --set x", 2, "%-%-set x: name=value expected; alone stands what a "
      .. "script declares;")
fails(GRID .. " --jobs 0", 2, "%-%-jobs 0: an integer from 1 on expected;")
fails(GRID .. " --random 10", 2, "random: 10 points of 9 combinations;")
fails(GRID .. " --where 'fast > slow'", 2, "no point is left: where is true of none;")
fails(GRID .. " --where 'fats < slow'", 2, "where 'fats < slow': no parameter 'fats';")
fails(GRID .. " --by luck", 2, "by: no figure 'luck'; `tidewire help performance` has")
fails(GRID .. " --by return", 2, "by: no figure 'return'; did you mean 'total_return'%?")
fails(GRID .. " --over moon", 2, "over: data or symbol expected, got 'moon';")
fails(GRID .. " --set n=1:1000 --set m=1:1000", 2, "9000000 combinations; at most")
fails(GRID .. " --from soon", 2, "from: a date like")
fails(GRID .. " --csv colour=red", 2, "data: no option 'colour'")
fails("none.lua --data a.csv --store none", 1, "cannot open none.lua")
fails("cross.lua --data none.csv --store none", 1, "[^\n]*none.csv: no such file")
put("bad.lua", "local M = {\n")
fails("bad.lua --data a.csv --store none", 1, "bad.lua:2: unexpected symbol", "no Lua")
put("back.csv", "time,symbol,bid,ask\n2020-01-01,A,1,2\n2019-01-01,A,1,2\n")
fails("cross.lua --data back.csv --store none", 1,
      "back.csv: csv: line 3: time goes back, from [^\n]*\n", "bad data")
run = sweep "cross.lua --data back.csv --set fast=2 --set slow=3 --skip-bad --store none"
ok(run, run.status == 0 and run.err:find "back.csv: csv: line 3", "--skip-bad")
fails("app.lua --data a.csv --set fats=1,2 --store none", 1,
      "%-%-set fats: app.lua has no such parameter; did you mean 'fast'%?\n",
      "a parameter that the app has not")
run = sweep(GRID .. " --store none --results /nowhere/r.csv")
ok(run, run.status == 1 and run.err:find "cannot write /nowhere", "no such directory")
run = sweep(GRID .. " --store none", "TMPDIR=/nowhere")
ok(run, run.status == 1 and run.err:find "cannot make /nowhere/tidewire", "no TMPDIR")

-- ---- train and test ----

local days = (N * 3600 + 1500000000) // 86400 - 1500000000 // 86400 + 1
run = sweep(GRID .. " --train 0.6 --store none --report t.txt")
ok(run, run.status == 0 and apps.read(dir .. "/t.txt"):find(
   "^Test of [^\n]*\n\n" .. run.out:gsub("%p", "%%%0")
   .. "\n%d+ runs, %d+ failed; best by sharpe\n"), "the report as text")
run = sweep(GRID .. " --train 0.6 --store none --results t.csv --report t.html")
local best_row, test_row
for _, row in ipairs(rows_of "t.csv") do
  if row.part == "test" then test_row = row
  elseif not best_row or tonumber(row.sharpe) > tonumber(best_row.sharpe) then
    best_row = row
  end
end
ok(run, run.status == 0 and best_row and test_row and best_row.fast == test_row.fast
   and best_row.slow == test_row.slow and best_row.window == "1", "the best is tested")
local cut = run.out:match "train from[^\n]*\n%S+ +(%S+)"
local params = { fast = tonumber(test_row.fast), slow = tonumber(test_row.slow) }
local function part(o)
  o.script, o.data, o.params = dir .. "/cross.lua", dir .. "/a.csv", params
  return assert(tw.backtest.run(o))
end
local trained = part { to = cut }
local tested = part { from = cut, warmup = days .. "d" }
t.is(best_row.hash, trained.hash, "the training is the first part")
t.is(test_row.hash, tested.hash, "the test is the rest, warmed up with all before it")
t.ok(tested.hash ~= part { from = cut }.hash, "which matters")
ok(run, run.out:find(("%.3f"):format(tested.figures.arithmetic.sharpe), 1, true)
   and run.out:find(("%.3f"):format(trained.figures.arithmetic.sharpe), 1, true),
   "both figures are said")
page = apps.read(dir .. "/t.html")
ok(run, page:find("Test of cross.lua", 1, true) and page:find("<h2>Windows", 1, true)
   and page:find("Map of Sharpe", 1, true) and page:find("Drawdown", 1, true),
   "the report of a test")

local WALK <const> = os.getenv "SMALL" and "8d:2d" or "30d:10d"
local walked = sweep(GRID .. " --store none --jobs 1 --results w1.csv --walk " .. WALK)
run = sweep(GRID .. " --store none --jobs 2 --results w2.csv --walk " .. WALK)
local n, seen = 0, {}
for i, row in ipairs(rows_of "w1.csv") do
  local other = rows_of "w2.csv"[i]
  if row.hash ~= other.hash or row.window ~= other.window then n = -1000 end
  if row.part == "test" then
    n = n + 1
    seen[row.window] = true
  end
end
ok(run, run.status == 0 and n >= 4 and n == #(function()
  local list = {}
  for window in pairs(seen) do list[#list + 1] = window end
  return list
end)(), "a test in each window, for any number of jobs")
t.is(run.out, walked.out, "and the same text")
ok(run, run.out:find "^cross.lua" and run.out:find "\nEquity\n", "the tests as one")
run = sweep(GRID .. " --store none --anchored --walk " .. WALK)
local from = {}
-- In 80 columns a window that ends within a day leaves no room for the last of them.
for line in (run.out:match "\ntrain from[^\n]*\n(.-)\n\n" or ""):gmatch "[^\n]+" do
  from[line:match "^%S+"] = true
end
ok(run, next(from) and next(from, next(from)) == nil, "anchored: all train from one day")
run = sweep(GRID .. " --store none --json --walk " .. WALK)
local json = run.status == 0 and require "tw.json".decode(run.out)
ok(run, json and #json.windows == n and #json.joined.days > n, "--json")

-- Each market by itself: b.csv alone gives what it gives among others.
local decode = require "tw.json".decode
local BOTH <const> = TWO .. "--json --walk " .. WALK
run = sweep(BOTH .. " --over symbol --results m.csv --report m.html")
local all = run.status == 0 and decode(run.out)
local alone = decode(sweep("cross.lua --data b.csv --set fast=2,4 --set slow=20 "
                           .. "--store none --json --walk " .. WALK).out)
ok(run, all and #all.markets == 2 and all.markets[2].name == "B" and not all.joined,
   "a walk over symbols")
t.same(all.markets[2].joined, alone.joined, "each as if it were alone")
local of_b = {}
for _, window in ipairs(all.windows) do
  if window.market == "B" then
    window.market = nil
    window.params.symbol = nil
    of_b[#of_b + 1] = window
  end
end
t.same(of_b, alone.windows, "and its windows")
page = apps.read(dir .. "/m.html")
ok(run, page:find("Walk-forward of cross.lua", 1, true)
   and page:find("<h2>Windows", 1, true), "the report has the best market in full")
local rows = rows_of "m.csv"
ok(run, rows[#rows].part == "test" and rows[#rows].symbol == "B", "and --results all")
local files_walked = sweep(BOTH .. " --over data")
t.same(decode(files_walked.out).markets[2].joined, alone.joined, "over files: the same")
run = sweep(TWO .. "--over symbol --walk " .. WALK)
ok(run, run.out:find "^Tests of %d+ windows, best by Sharpe first\n#  symbol  windows"
   and run.out:find "\n%d  A " and run.out:find "\n%d  B ", "a line for each")
apps.put(dir .. "/short.csv", apps.read(dir .. "/b.csv"):gsub("\n", "\0", 3)
  :match "^[^\n]*":gsub("%z", "\n") .. "\n")
run = sweep("cross.lua --data a.csv --data short.csv --set fast=2,4 --set slow=20 "
            .. "--store none --over data --walk " .. WALK)
ok(run, run.status == 0 and run.err:find "short.csv is left out: walk: the data has no"
   and run.out:find "\n1  a.csv ", "one that is too short is left out")
run = sweep("cross.lua --data short.csv --set fast=2,4 --set slow=20 "
            .. "--store none --over data --walk " .. WALK)
ok(run, run.status == 1 and run.err:find "the data has no window", "the only one")

-- Four weeks of days with a row every half an hour, but for Saturdays and Sundays, from
-- Monday, 2017-07-17, 12:00 on.
put("week.csv", "time,symbol,bid,ask\n" .. (function()
  local lines, monday = {}, 1500249600
  for i = 24, 28 * 48 - 1 do
    if i // 48 % 7 < 5 then
      lines[#lines + 1] = ("%d,A,%.2f,%.2f\n"):format(monday + i * 1800,
        100 + 3 * math.sin(i / 9), 100.02 + 3 * math.sin(i / 9))
    end
  end
  return table.concat(lines)
end)())
local WEEK <const> = "cross.lua --data week.csv --set fast=2,3 --set slow=20"
  .. " --store none "
run = sweep(WEEK .. "--results wk.csv --by total_return --walk 1d:1d")
local parts = { train = 0, test = 0 }
for _, row in ipairs(rows_of "wk.csv") do
  parts[row.part] = parts[row.part] + (row.error == "" and 1 or math.mininteger)
end
ok(run, run.status == 0 and parts.train == 32 and parts.test == 16
   and apps.said(run) == "tidewire: sweep: 9 of 25 windows are left out: 3 without data"
     .. " at all, 3 without data in the training, 3 without data in the test\n",
   "windows without data are no runs")
run = sweep(WEEK .. "--json --walk 6h:6h:24h --by total_return")
json = run.status == 0 and decode(run.out)
ok(run, json and json.failed == 0 and #json.windows == 19 and run.err:find(
     "7 of 26 windows are left out: 7 without data at all\n", 1, true),
   "nor those before the first record")
run = sweep("cross.lua --data week.csv --data b.csv --set fast=2 --set slow=20"
            .. " --store none --over data --by total_return --walk 1d:1d")
ok(run, run.status == 0 and run.err:find("sweep: week.csv: 9 of 25 windows are left",
                                         1, true), "of a market among others")
local rest = {}
command "convert week.csv week.tape"
for _, name in ipairs { "week.csv", "week.tape" } do
  run = sweep("cross.lua --data " .. name .. " --set fast=2 --set slow=20 --store none"
              .. " --json --by total_return --to 2017-07-22T12:00 --train 0.5")
  rest[#rest + 1] = run.status == 0 and decode(run.out).windows or name
end
t.same(rest[1], rest[2], "an end within a gap: of text and tape files the same windows")

-- What is chosen by a figure that no training has.
local NONE <const> = " test: no run of the training has the figure sharpe (too few days,"
  .. " or nothing happened): choose by another one, such as --by total_return\n"
run = sweep(WEEK .. "--to 2017-07-22 --walk 1d:1d")
ok(run, run.status == 1 and apps.said(run) == "tidewire: sweep: none of 4 windows has a"
   .. NONE and run.out:find "^cross.lua: 8 of 8 runs, 0 failed",
   "no training has a Sharpe ratio")
run = sweep(WEEK .. "--to 2017-07-22 --json --train 2017-07-18")
json = decode(run.out)
ok(run, run.status == 1 and apps.said(run) == "tidewire: sweep: there is no" .. NONE
   and json.windows[1].untested == "no figure" and not json.joined, "nor one training")
run = sweep(WEEK .. "--from 2017-07-22 --to 2017-07-24 --walk 1d:1d")
ok(run, run.status == 1 and apps.said(run) == "tidewire: sweep: no window has data in its"
   .. " training and its test: of 1 there are 1 without data at all\n", "a weekend alone")

run = sweep(TWO .. "--over symbol --messages")
ok(run, run.status == 2 and run.err:find "a market of one symbol has no messages",
   "no messages over symbols")

-- ---- the store ----

local sqlite = require "tw.internal.sqlite"
local memory, absent = sqlite.open(dir .. "/probe.db")
if memory then memory:close() end
local function keeps(name, test)
  if memory then return test(name) end
  t.skip(absent)
end
-- A script that counts how often it began.
put("count.lua", [[
  local M = {}
  function M:on_quote() end
  function M:on_start()
    local file <close> = assert(io.open("count", "a"))
    file:write "."
    if self.params.x == 4 and io.open "fails" then error "not now" end
  end
  return M]])
local function began()
  local file <close> = io.open(dir .. "/count")
  return file and #file:read "a" or 0
end
keeps("a store", function(name)
  put("fails", "")
  run = sweep "count.lua --data a.csv --set x=1:6"
  ok(run, began() == 6 and run.err:find "1 of 6 runs failed", name .. ": six runs")
  os.remove(dir .. "/fails")
  run = sweep "count.lua --data a.csv --set x=1:8"
  ok(run, began() == 9 and run.err:find "5 of 8 are there already"
     and run.out:find "8 of 8 runs, 0 failed", name .. ": what is there is not run again")
  run = sweep "count.lua --data a.csv --set x=1:8 --jobs 1 --by trades --report r.html"
  ok(run, run.status == 0 and began() == 10, name .. ": the best one, for the report")
  sweep "count.lua --data a.csv --set x=1:8 --cash 5"
  t.is(began(), 18, name .. ": other options are other runs")
  sweep "count.lua --data b.csv --set x=1:8"
  t.is(began(), 26, name .. ": and other data")
  apps.shell(("cd %s && mkdir -p m && cp a.csv m/a.csv"):format(dir))
  sweep "count.lua --data m/a.csv --set x=1:8"
  t.is(began(), 26, name .. ": but not the same elsewhere")
  put("count.lua", apps.read(dir .. "/count.lua") .. "-- changed\n")
  sweep "count.lua --data a.csv --set x=1:8"
  t.is(began(), 34, name .. ": another text is another strategy")
  for i, more in ipairs { "--warmup 1", "--warmup 1s", "--skip-bad", "--benchmark A",
                          "--resolution ticks", "--csv zone=America/New_York" } do
    sweep("count.lua --data a.csv --set x=1:8 " .. more)
    t.is(began(), 34 + 8 * i, name .. ": so is it with " .. more)
  end
  put("m/a.csv", (apps.read(dir .. "/m/a.csv"):gsub("%d(%D*)$", "7%1")))
  sweep "count.lua --data m/a.csv --set x=1:8"
  t.is(began(), 90, name .. ": and with other bytes in the file")
  for i, symbol in ipairs { "X", "Y" } do
    put(symbol .. ".csv", "time,bid,ask\n1,2,3\n2,2,3\n")
    sweep(("count.lua --data %s.csv --set x=1:2"):format(symbol))
    t.is(began(), 90 + 2 * i, name .. ": and of another symbol, by the file's name")
  end
  put("counts.lua", "local app = require 'tw.app'\napp.script('with.lua',"
      .. " { params = { x = app.param('x', 1) } })\n")
  put("with.lua", "require 'beside'\n" .. apps.read(dir .. "/count.lua"))
  for i, text in ipairs { "return 1", "return 2" } do
    put("beside.lua", text)
    sweep "counts.lua --data a.csv --set x=1:2"
    t.is(began(), 94 + 2 * i, name .. ": and what a script of an app requires")
  end
end)
keeps("a module", function(name)
  local args = GRID .. " --store m.db --results m.csv"
  t.is(sweep(args).status, 0, name .. " is there")
  t.ok(sweep(args).err:find "9 of 9 are there already", name .. ": all are known")
  local text = apps.read(dir .. "/average.lua")
  put("average.lua", text:gsub("/ n", "/ (n + 1)"))
  run = sweep(args)
  ok(run, run.status == 0 and not run.err:find "already", name .. " that is another")
  put("average.lua", text)
  t.ok(sweep(args).err:find "9 of 9 are there already", name .. ": and the first again")
end)

-- kill -9 while it runs, then the same command: each run is made, none is lost.
keeps("kill -9", function(name)
  put("peek.lua", [[
    local s = io.open "k.db" and require "tw.sweep_store".open "k.db" or nil
    os.exit(s ~= nil and #(s:runs() or "") > 3)]])
  local args = ("long.lua --data a.csv --set x=1:%d --store k.db --results k.csv")
    :format(os.getenv "SMALL" and 60 or 300)
  put("long.lua", apps.read(dir .. "/count.lua"):gsub("function M:on_quote%(%)", [[%0
    self.n = (self.n or 0) + self.params.x
    self:order_target("A", self.n %% 7)]]))
  local killed = apps.shell(("cd %s && { %s sweep %s & p=$!; while ! %s peek.lua; do "
    .. "sleep 0.01; done; kill -9 $p; wait $p; }"):format(dir, "exec " .. apps.tidewire,
    args, apps.tidewire))
  run = sweep(args)
  local n = tonumber(run.err:match "(%d+) of %d+ are there already")
  t.ok(run.status == 0 and n and n > 0, name .. ": some were there: " .. tostring(n))
  if not n then t.diag(killed.err .. run.err) end
  local resumed = {}
  for i, row in ipairs(rows_of "k.csv") do resumed[i] = row.number .. row.hash end
  sweep(args:gsub("k%.db", "none"):gsub("k%.csv", "k2.csv") .. " --jobs 1")
  local fresh = {}
  for i, row in ipairs(rows_of "k2.csv") do fresh[i] = row.number .. row.hash end
  t.is(table.concat(resumed, " "), table.concat(fresh, " "),
       name .. ": all is as without it")
end)

keeps("a walk", function(name)
  local args = GRID .. " --store w.db --walk " .. WALK
  local first = sweep(args)
  run = sweep(args)
  t.is(run.out, first.out, name .. " is the same from the store")
  t.ok(run.err:find("%d+ of %d+ are there already"), name .. ": which has the trainings")
end)

keeps("two at once", function(name)
  local args = "cross.lua --data a.csv --set fast=2:9 --set slow=10:19 --store two.db"
  run = apps.shell(("cd %s && { %s sweep %s >one.out 2>one.err & p=$!; %s sweep %s; s=$?;"
    .. " wait $p && [ $s = 0 ]; }"):format(dir, apps.tidewire, args, apps.tidewire, args))
  ok(run, run.status == 0 and run.out:find "80 of 80 runs, 0 failed"
     and apps.read(dir .. "/one.out"):find "80 of 80 runs, 0 failed", name)
  t.ok(sweep(args).err:find "80 of 80 are there already", name .. ": all is there")
end)
keeps("a bad store", function(name)
  put("text.db", ("this is no database "):rep(100))
  run = sweep(GRID .. " --store text.db")
  ok(run, run.status == 1 and apps.said(run):find "^tidewire: sweep: text.db[^\n]*\n$",
     name)
end)

-- ---- whichever allocations fail ----

local FEW <const> = "cross.lua --data few.csv --set fast=3 --set slow=10 --store none"
market("few.csv", "A", 60, 0)
local few, refused, fine, at = sweep(FEW).out, 0, 0, 1
while at < 200000 do
  run = sweep(FEW, ("TW_FAIL=%d:3 TW_LEAKS=1"):format(at))
  if run.status == 0 and run.out == few then fine = fine + 1
  elseif (run.status == 1 or run.status == 2) and run.err:find "memory" then
    refused = refused + 1
  else
    ok(run, false, "allocation " .. at .. " fails")
  end
  at = at + at // (os.getenv "SMALL" and 2 or 8) + 97
end
t.ok(refused > 3 and fine > 0, ("three failed allocations are said: %d times; %d not"
  .. " needed"):format(refused, fine))

-- ---- Ctrl-C ----

put("slow.lua", [[
  local M = {}
  function M:on_quote() end
  function M:on_start()
    local file <close> = assert(io.open("began", "a"))
    file:write "."
    file:close()
    while not io.open "go" do end
  end
  return M]])
put("began", "")
run = apps.shell(("cd %s; %s sweep slow.lua --data a.csv --set x=1:9 --jobs 2 "
  .. "--store none 2>int.err & p=$!; while [ $(wc -c <began) -lt 2 ]; do sleep 0.01; "
  .. "done; kill -INT $p; while ! grep -q 'ends when the 2 runs that' int.err; do "
  .. "sleep 0.01; done; touch go; wait $p"):format(dir, apps.tidewire))
ok(run, run.status == 130 and run.out:find "slow.lua: 2 of 9 runs, 0 failed",
   "Ctrl-C lets those end that run")

-- ---- a strategy that changes meanwhile ----

put("change.lua", [[
  local M = {}
  function M:on_quote() end
  function M:on_start()
    if self.params.x == 5 then
      local file <close> = assert(io.open("change.lua", "a"))
      file:write "\n"
    end
  end
  return M]])
run = sweep "change.lua --data a.csv --set x=1:9 --store none --jobs 1"
ok(run, run.status == 1 and run.out == "" and apps.said(run)
   == "tidewire: sweep: change.lua has changed meanwhile: give the command again\n",
   "what ran with another text is no result")

-- ---- in Lua ----

local script, file = dir .. "/cross.lua", dir .. "/a.csv"
local told, last = 0, nil
local s = assert(tw.sweep.run { script = script, data = file, jobs = 2, by = "volatility",
  set = { fast = { 3, 5 }, slow = tw.sweep.range(10, 30, 10) }, detail = true,
  progress = function(state)
    told = told + 1
    if state.done then last = state.done end
  end })
local ranked = tw.sweep.ranked(s.runs, "volatility")
t.ok(#s.runs == 6 and s.done == 6 and s.failed == 0 and not s.stopped, "tw.sweep.run")
t.ok(s.best == ranked[1] and tw.sweep.value(ranked[1], "volatility")
     <= tw.sweep.value(ranked[6], "volatility"), "the least volatility is the best")
t.ok(s.best.result.orders and s.runs[1].result.figures and last == 6 and told > 6,
     "detail, progress")
t.is(tw.sweep.run { script = script, data = file, stop = function() return true end,
  set = { fast = tw.sweep.range(1, 1000), slow = 20 } }.stopped, true, "stop")

-- How far the reading of a tape file has come is told at each 65536th record.
put("many.csv", "time,symbol,price,size\n" .. (function()
  local lines = {}
  for i = 1, 70000 do lines[i] = ("%d,A,%d,1\n"):format(1500000000 + i, 1 + i % 7) end
  return table.concat(lines)
end)())
put("still.lua", "return { on_trade = function() end }")
run = command "convert many.csv many.tape"
local whole, read = apps.read(dir .. "/many.tape"), {}
local many = { script = dir .. "/still.lua", data = dir .. "/many.tape" }
many.progress = function(done, all)
  read.run = done > 0 and done <= #whole and all == #whole
  return true
end
assert(tw.backtest.run(many))
ok(run, read.run, "a backtest has come so far in a tape file")
many.progress = function(state)
  if state.reading then
    read.sweep = state.reading > 0 and state.reading <= #whole and state.bytes == #whole
  end
end
assert(tw.sweep.run(many))
ok(run, read.sweep, "so has a sweep")

-- Of a tape file a sweep looks at what its runs read.
local function hurt(text, at)
  return text:sub(1, at - 1) .. string.char(text:byte(at) ~ 4) .. text:sub(at + 1)
end
put("hurt.tape", hurt(hurt(whole, 3000), #whole - 3000))
local part = { script = dir .. "/still.lua", data = dir .. "/hurt.tape" }
local all, problem = tw.sweep.run(part)
t.ok(not all and problem:find("hurt.tape: the block at byte", 1, true), "damage", problem)
part.from, part.to = "2017-07-14T04:00:00", "2017-07-14T05:00:00"
all, problem = tw.sweep.run(part)
t.ok(all and all.done == 1 and all.failed == 0, "damage where no run reads", problem)
part.warmup = 5000
all, problem = tw.sweep.run(part)
t.ok(not all and problem:find("is damaged: records of seq 1 to", 1, true),
     "and where one warms up", problem)

local future = tw.pool.run(function()
  local o = { script = script, data = file, set = { fast = { 3, 5 }, slow = 10 } }
  return assert(require "tw.sweep".run(o)).done
end)
t.is(future:await(), 2, "a sweep in a job of the pool")
local _, late = tw.task.timeout(0, tw.sweep.run, { script = script, data = file,
  set = { fast = tw.sweep.range(1, 1000), slow = 20 } })
t.ok(tostring(late):find "timed out", "one whose time is over ends")

-- ---- the report ----

run = sweep(GRID .. " --store none --report r.html")
page = run.status == 0 and apps.read(dir .. "/r.html") or ""
ok(run, page:find("Sweep of cross.lua", 1, true) and page:find("Map of Sharpe", 1, true)
   and page:find("Parallel coordinates", 1, true) and page:find("The best run", 1, true)
   and page:find("Orders", 1, true), "the report")
sweep(GRID .. " --store reported.db --report -")
run = sweep(GRID .. " --store reported.db --report again.html")
local again = run.status == 0 and apps.read(dir .. "/again.html") or ""
ok(run, again:find("Map of Sharpe", 1, true) and #again == #page,
   "of runs that are in the store, too")
run = sweep(GRID .. " --train 0.6 --store none --report r.html")
page = run.status == 0 and apps.read(dir .. "/r.html") or ""
ok(run, page:find(" a.csv ", 1, true) and not page:find("/proc/", 1, true),
   "of tests it has the data's name, not that of what is read instead")

t.done()
