--- backtest: event time, one total order, nothing known early; data and their faults.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local dir, put = apps.folder "backtest"

local HEAD = 'local tw, board, M = require "tw", require "tw.board", {} '
local T0 = 1000000000              -- 2001-09-09 01:46:40, in s

local function script(text, name)
  return put(name or "s.lua", HEAD .. text .. "\nreturn M\n")
end

-- Quotes: { second, symbol, bid }
local function quotes(name, list)
  local lines = { "time,symbol,bid,ask" }
  for i, q in ipairs(list) do
    lines[i + 1] = ("%.3f,%s,%g,%g"):format(T0 + q[1], q[2], q[3] or 1, (q[3] or 1) + 1)
  end
  return put(name, table.concat(lines, "\n") .. "\n")
end

-- What a script prints, without dates: the time in s since T0, then the text.
local function lines_of(result)
  local out = {}
  for i, line in ipairs(result.log) do
    local h, m, s, text = line:match "^2001%-09%-09 (%d+):(%d+):([%d.]+) (.*)$"
    out[i] = ("%g %s"):format(h * 3600 + m * 60 + s - 6400, text)
  end
  return table.concat(out, "\n")
end

local function said(options, want, name)
  local result, why = tw.backtest.run(options)
  t.is(result and lines_of(result) or why, want, name)
  return result
end

local five = quotes("five.csv",
  { { 0, "A" }, { 1, "A" }, { 2, "B" }, { 4, "A" }, { 7, "A" } })

-- ---- event time ----

said({ data = five, script = script [[
  function M:on_start()
    print("start", tw.now(), os.time(), tw.clock(), os.date("!%F"))
  end
  function M.on_quote(symbol) print(symbol) end
  function M.on_stop() print("stop", os.time{year=2020,month=1,day=1} > 1e9) end]] },
  "0 start\t1000000000000000000\t1000000000\t1000000000.0\t2001-09-09\n"
  .. "0 A\n1 A\n2 B\n4 A\n7 A\n7 stop\ttrue",
  "on_start, records and on_stop in event time")

-- A loss of 3 dollars and a gain of 399 yen, of which 100 are one.
do
  script([[ M.account = { fill = "quote", rates = { JPY = 0.01 } }
    local n = { A = 0, J = 0 }
    function M:on_quote(symbol)
      n[symbol] = n[symbol] + 1
      if n[symbol] == 1 then self:buy(symbol, 1) end
      if n[symbol] == 3 then self:sell(symbol, symbol == "A" and 1 or 0.5) end
      if n[symbol] == 4 and symbol == "J" then self:sell(symbol, 0.5) end
    end]], "yen.lua")
  local list = {}
  for i = 1, 5 do
    list[2 * i - 1], list[2 * i] = { i, "A", 11 - i }, { i, "J", 900 + 100 * i }
  end
  local app = put("yen_app.lua", [[ local app = require "tw.app"
    app.instruments { { symbol = "J", currency = "JPY" } } app.script "yen.lua"]])
  local result = assert(tw.backtest.run { data = quotes("yen.csv", list), app = app })
  local j = result.trades[2]
  t.same({ result.trades[1].pnl, j.pnl, j.ratio, j.entry_price, j.exit_price },
         { -3.0, 2.49, 249 / 1101, 1101.0, 1350.0 }, "trades of two currencies")
  t.ok(math.abs(result.figures.sqn - -0.51 / 5.49) < 1e-9, "have figures in one")
  t.is(result.final, result.start - 3 + 2.49, "as its equity does")
  t.is(result.positions[2].realised, 2.49, "and so do positions")
end

-- What is sent in on_stop has no record left to trade on, but is told of and listed.
do
  local result = said({ data = five, script = script [[
    function M.on_quote() end
    function M:on_stop()
      self:buy("A", 1)
      self:buy { symbol = "A", quantity = 2, price = 0.5 }:cancel()
      print "stop"
    end
    function M:on_order(order, status) print(order.quantity, status) end]] },
    "7 stop\n7 1.0\tpending_new\n7 2.0\tpending_new\n7 2.0\tpending_cancel",
    "on_order is told of what on_stop sent")
  t.is(#result.orders, 2, "and so is the list")
end

said({ data = five, script = script [[
  function M:on_start()
    for _, s in ipairs { 2, 0.5, 2, 1, 3.999, 4, 6.999, 7, 7.001, 1000 } do
      tw.task.detach(function() tw.sleep(s) print("slept", s) end)
    end
  end
  function M.on_quote(symbol) print(symbol) end]] },
  "0 A\n0.5 slept\t0.5\n1 A\n1 slept\t1\n2 B\n2 slept\t2\n2 slept\t2\n"
  .. "3.999 slept\t3.999\n4 A\n4 slept\t4\n6.999 slept\t6.999\n7 A\n7 slept\t7",
  "a wait that is due at T ends after the records of T, before later ones")

said({ data = five, script = script [[
  local n = 0
  function M.on_quote(symbol)
    n = n + 1
    print(n, symbol)
    if n == 2 then print(tw.sleep(2.5)) end
    if n == 5 then tw.sleep(60) print "never" end
  end
  function M.on_stop() print("stop") end]] },
  "0 1\tA\n1 2\tA\n3.5 true\n3.5 3\tB\n4 4\tA\n7 5\tA\n7 never\n7 stop",
  "a handler that sleeps gets what came meanwhile, and is told of the end")

said({ data = five, script = script [[
  function M:on_start()
    tw.task.detach(function()
      print(pcall(tw.task.timeout, 1.5, function() tw.sleep(100) end))
      print(tw.task.timeout(9, function() tw.sleep(1) return "in time" end))
    end)
  end]] },
  "1.5 true\tnil\ttimed out after 1.5 s\t-110\n2.5 in time",
  "deadlines are of event time")

said({ data = five, script = script [[
  local c = tw.cache("c", { entries = 10, ttl = 1.5 })
  function M.on_quote(symbol)
    print(c:get("k", function() return tw.now() end):await() ~= nil, c:stats().loads)
  end]] }, "0 true\t1\n1 true\t1\n2 true\t2\n4 true\t3\n7 true\t4",
  "a cache's ttl is of event time, and a load costs none")

said({ data = five, script = script [[
  function M.on_quote(symbol, bid)
    local sum = 0
    for _, f in ipairs { 3, 1, 2 } do
      sum = sum + tw.pool.run(function(x) return x * 10 end, f):await()
    end
    print(sum)
  end]] }, "0 60\n1 60\n2 60\n4 60\n7 60", "time stands still while the pool computes")

-- Its one thread has told of the first before it begins the second.
local _, lost = tw.backtest.run { data = five, script = script [[
  function M.on_start() tw.pool.configure { threads = 1 } end
  function M.on_quote()
    tw.pool.run(function() error "lost" end)
    collectgarbage() collectgarbage()
    tw.pool.run(function() end):await()
  end]] }
t.ok(tostring(lost):find "^at 2001%-09%-09 .* that nobody awaited: [^\n]*lost\n",
     "a job whose error nobody awaits ends the run")

said({ data = five, script = script [[
  local p = tw.promise()
  function M:on_start()
    tw.task.detach(function() print("promised", p.future:await()) end)
  end
  function M.on_quote(symbol) if symbol == "B" then p:resolve("here") end end]] },
  "2 promised\there", "a promise that a later record keeps is no deadlock")

said({ data = five, script = script [[
  local a = {}
  for i = 1, 3 do a[i] = math.random(1000) end
  function M:on_start() print(table.concat(a, " ")) end]] },
  lines_of(tw.backtest.run { data = five, script = dir .. "/s.lua" }),
  "random numbers are the same in each run")

-- ---- one total order ----

script([[
  function M.on_quote(symbol, time) print("a", symbol) tw.publish("a", symbol) end
  function M.on_message(topic, value) print("a hears", topic, value) end]], "a.lua")
script([[
  function M.on_quote(symbol) print("b", symbol) end
  function M.on_message(topic, value)
    print("b hears", topic, value)
    if value ~= "again" then tw.publish("b", "again") end
  end]], "b.lua")
local both = put("both.lua", [[
  local app = require "tw.app"
  app.feed.synthetic { speed = 0 }
  app.feed.timer { every = 2 }
  app.script("a.lua", { workers = { 3 } })
  app.script("b.lua", { shard = "symbol" })]])
local function round(at, symbol)
  return ("%s a\tS\n%s b\tS\n%s b hears\ta\tS\n%s a hears\tb\tagain")
    :gsub("%%s", tostring(at)):gsub("S", symbol)
end
said({ data = quotes("two.csv", { { 0, "A" }, { 1, "B" } }), app = both },
  round(0, "A") .. "\n" .. round(1, "B"),
  "what scripts publish comes before the next record, in the order of scripts")

said({ data = { quotes("x.csv", { { 1, "X" }, { 1, "X2" }, { 3, "X" } }),
                quotes("y.csv", { { 0, "Y" }, { 1, "Y" }, { 3, "Y" }, { 3, "Y2" } }) },
       script = script [[function M.on_quote(symbol) print(symbol) end]] },
  "0 Y\n1 X\n1 X2\n1 Y\n3 X\n3 Y\n3 Y2",
  "files are one market; of one time, in their order")

-- Of many files only a few are open at a time.

local year, want = {}, {}
for day = 40, 1, -1 do
  local list = {}
  for i = 1, 3 do list[i] = { day * 10 + i * 4, "D" .. day } end
  year[#year + 1] = quotes(("day%d.csv"):format(day), list)
  for i = 1, 3 do want[#want + 1] = { day * 10 + i * 4, 41 - day, "D" .. day } end
end
table.sort(want, function(x, y)
  if x[1] ~= y[1] then return x[1] < y[1] end
  return x[2] < y[2]
end)
for i, one in ipairs(want) do want[i] = ("%d %s"):format(one[1], one[3]) end
local print_symbol = script("function M.on_quote(symbol) print(symbol) end", "p.lua")
said({ data = year, script = print_symbol }, table.concat(want, "\n"), "forty files")
year[33] = put("day8.csv", "time,symbol,bid,ask\n1000000084,D8,1,2\n1000000088,D8,x,2\n"
                           .. "1000000092,D8,1,2\n")
local some = assert(tw.backtest.run { data = year, script = print_symbol,
                                      skip_bad = true })
t.is(some.bad .. " " .. some.records, "1 119", "a bad line in one of them is told once")
local none, why = tw.backtest.run { data = year, script = print_symbol }
t.ok(not none and why:find "day8.csv: csv: line 3: bid 'x'", "or ends the run")

said({ data = five, app = put("timer.lua", [[
  local app = require "tw.app"
  app.feed.timer { every = 2 }
  app.script "s.lua"]]), },
  (function()
    script [[
      function M.on_quote(symbol) print(symbol) end
      function M.on_timer(interval, count) print("timer", interval, count) end]]
    return "0 A\n1 A\n2 B\n2 timer\t2.0\t1\n4 A\n4 timer\t2.0\t2\n6 timer\t2.0\t3\n7 A"
  end)(), "timers tick in event time, behind the records of it")

said({ data = five, script = script [[
  local ch = tw.channel(1)
  function M:on_start()
    tw.task.detach(function() for v in ch do print("got", v) end end)
  end
  function M.on_quote(symbol, bid) ch:send(symbol) print("sent") end]] },
  "0 sent\n0 got\tA\n1 sent\n1 got\tA\n2 sent\n2 got\tB\n"
  .. "4 sent\n4 got\tA\n7 sent\n7 got\tA",
  "a task that is ready runs before the next record")

-- Whether a script takes records one by one or is stepped for each is not to be seen.

local steps = script [[
  local tape, n = require "tw.tape", 0
  function M.on_quote(symbol, bid, record)
    n = n + 1
    print(n, symbol, bid, tw.now(), #tape:last(100), tape:last(1)[1].seq == n)
    if n % 7 == 0 then tw.sleep(3) end
    if n % 11 == 0 then tw.publish("n", n) end
    if n % 13 == 0 then tw.task.detach(function() tw.sleep(0.5) print("task", n) end) end
  end]]
local many = {}
for i = 1, 700 do many[i] = { i // 3, "S" .. i % 5, 1 + i % 17 / 16 } end
many = quotes("many.csv", many)
local at_once = assert(tw.backtest.run { data = many, script = steps })
local stepped = assert(tw.backtest.run { data = many, script = steps,
                                         single_steps = true })
t.is(table.concat(at_once.log, "\n"), table.concat(stepped.log, "\n"),
     "a step of many records is as many steps")
t.ok(#at_once.log > 500, "all of them (" .. #at_once.log .. ")")

-- ---- nothing is known early ----

said({ data = five, script = script [[
  local tape = require "tw.tape"
  local seen = 0
  function M.on_quote(quote)
    seen = seen + 1
    local n = #tape:last(1000)
    local later = tape:range(seen + 1, 1000)
    local at = tape:range(tw.now() + 1, tw.now() + 10 ^ 12 // 1 | 0)
    print(n, #later, #at, quote.seq, #tape:find("A", 100))
  end]] },
  "0 1\t0\t0\t1\t1\n1 2\t0\t0\t2\t2\n2 3\t0\t0\t3\t2\n4 4\t0\t0\t4\t3\n7 5\t0\t0\t5\t4",
  "the tape ends with the record under way")

said({ data = five, script = script [[
  function M:on_start()
    self.all = self:track { n = "count(bid) by symbol", bid = "last(bid)" }
    tw.task.detach(function() tw.sleep(1.5) print(self.all.n.A) end)
  end
  function M.on_stop(self) print(self.all.n.A, self.all.n.B) end]] },
  "1.5 n.A: 2\n7 n.A: 4\tn.B: 1", "statistics have read as much")

-- ---- a part of the data ----

local which = script("function M.on_quote(symbol) print(symbol) end", "which.lua")
said({ data = five, script = which, from = (T0 + 1) * 1000000000,
       to = "2001-09-09T01:46:44" },
  "1 A\n2 B", "from and to: a part")
local r = said({ data = five, script = which, from = "2001-09-09T01:46:44",
                 warmup = "2s" },
  "2 B\n4 A\n7 A", "so much time before it")
t.is(r.records .. " " .. r.handled, "3 2", "records, and those behind from")
said({ data = five, script = which, from = "2001-09-09T01:46:44",
       warmup = "99999999d" },
  "0 A\n1 A\n2 B\n4 A\n7 A", "all that there is before it")
said({ data = five, script = which, from = "2001-09-09T01:46:44", warmup = 2 },
  "1 A\n2 B\n4 A\n7 A", "so many records before it")
r = said({ data = five, script = which, warmup = 3 }, "0 A\n1 A\n2 B\n4 A\n7 A",
  "without from, the first ones")
t.is(r.handled, 2, "are the warm-up")
t.is(r.from, (T0 + 4) * 1000000000, "which the result is not from")
local uneven = {}
for i, s in ipairs { 0, 1, 2, 50, 60, 3000, 3001, 3002, 3003, 3004 } do
  uneven[i] = { s, "A", 1 }
end
local held = { data = quotes("uneven.csv", uneven), script = script([[
  function M:on_quote(symbol)
    self.n = (self.n or 0) + 1
    if self.n == 4 then self:buy(symbol, 1) elseif self.n == 5 then self:flatten() end
  end]], "held.lua") }
t.is(assert(tw.backtest.run(held)).figures.exposure, 2940 / 3004,
     "exposure is time, however many records it has")
held.from, held.warmup = (T0 + 50) * 1000000000, 3
t.is(assert(tw.backtest.run(held)).figures.exposure, 2940 / 2954, "without the warm-up")

-- ---- faults ----

local function fails(options, pattern, name)
  local result, why = tw.backtest.run(options)
  t.ok(not result and why:find(pattern), name)
  if result or not why:find(pattern) then t.diag(tostring(why)) end
end

fails({ data = five, script = script [[
  function M.on_quote(symbol) if symbol == "B" then local x = nil + 1 end end]] },
  "script .*s.lua %(version 1, backtest%): on_quote failed at quote 3 B.*"
  .. "s.lua:1: attempt to perform arithmetic.*stack traceback",
  "a script that fails ends the run, with the record")
fails({ data = five, script = script [[
  function M:on_quote(time) print(os.date("!%F", time)) end]] }, "s.lua:%d+: os.date:"
  .. " seconds expected, got 1000000000000000000; of a time in ns they are time"
  .. " // 1000000000",
  "a date of nanoseconds")
fails({ data = five, script = which, warmup = "99999999d" },
      "the warm%-up is longer than the data", "a time that is longer than can be said")
fails({ data = five, script = script "x = " }, "s.lua:%d: unexpected symbol", "bad Lua")
fails({ data = five, script = dir .. "/none.lua" }, "none.lua", "no such script")
fails({ data = dir .. "/none.csv", script = which }, "none.csv: no such file", "no data")
fails({ data = put("bad.csv", "time,symbol,bid,ask\n1000000000,A,1,2\n"
                   .. "1000000001,A,x,2\n"),
        script = which }, "bad.csv: csv: line 3: bid 'x' is not a number", "no number")
fails({ data = put("back.csv", "time,symbol,bid,ask\n1000000005,A,1,2\n"
                   .. "1000000001,A,1,2\n"),
        script = which }, "back.csv: csv: line 3: time goes back, from 2001%-09%-09 "
        .. "01:46:45 to 2001%-09%-09 01:46:41", "time going back")
local crossed = assert(tw.backtest.run { script = which, data = put("cross.csv",
  "time,symbol,bid,ask\n1000000005,A,1,2\n1000000005,A,3,2\n1000000005,A,3,2\n") })
local text, n = table.concat(crossed.log, "\n"):gsub("warning: [^\n]*cross.csv: csv: line"
  .. " 3: the bid 3 is above the ask 2", "%0")
t.ok(n == 1 and crossed.records == 3, "crossed quotes are read, and said once")
if n ~= 1 then t.diag(text) end
fails({ data = put("zero.csv", "time,symbol,price,size\n1000000005,A,0,2\n"),
        script = which }, "zero.csv: csv: line 2: a price of 0", "a price of 0")
fails({ data = put("what.csv", "a,b,c\n1,2,3\n"), script = which },
      "what.csv: csv: line 1: header: ", "unknown columns")
fails({ data = put("empty.csv", ""), script = which }, "no record", "nothing at all")
t.raises("tw.backtest: no option 'speed'", tw.backtest.run,
         { data = five, script = which, speed = 2 })
t.raises("either script or app", function() tw.backtest.run { data = five } end)
t.raises("from: a date", tw.backtest.run,
         { data = five, script = which, from = "soon" })
t.raises("no data", function() tw.backtest.run { data = {}, script = which } end)
t.raises("data: option 'interval' of no file", tw.backtest.run,
  { data = { five, interval = "1m" }, script = which })
for _, memory in ipairs { -1, 0 / 0, 1e300 } do
  t.raises("memory: 0 .all. or more MiB expected", tw.backtest.run,
    { data = five, script = which, memory = memory })
end
t.raises("warmup: a number", tw.backtest.run,
         { data = five, script = which, warmup = "1 moon" })

local skipped = assert(tw.backtest.run { data = dir .. "/bad.csv", script = which,
                                         skip_bad = true })
t.is(skipped.records .. " " .. skipped.bad, "1 1", "skip_bad: the others are read")
t.ok(table.concat(skipped.log, "\n"):find "warning: .*bad.csv: csv: line 3",
     "and it is said")

os.execute(("cd %s && gzip -kf five.csv && head -c 60 five.csv.gz > cut.csv.gz")
           :format(apps.quote(dir)))
t.is(assert(tw.backtest.run { data = dir .. "/five.csv.gz", script = which }).records, 5,
     "gzip")
fails({ data = dir .. "/cut.csv.gz", script = which }, "cut.csv.gz: cut off at byte 60",
      "a file that was cut off")

fails({ data = five, script = script [[
  function M:on_start()
    tw.task.detach(function() while true do tw.sleep(0) end end)
  end]] },
  "time stands still", "waiting for 0 seconds for ever")
fails({ data = many, app = put("small.lua", [[
  local app = require "tw.app"
  app.tape { capacity = 16 }
  app.script "s.lua"]]) },
  (function()
    script [[function M.on_quote() tw.sleep(3600) end]]
    return "at 2001.*script s.lua waits in a handler, and the tape is full of the 16 rec"
  end)(), "a handler that sleeps for longer than the tape remembers")
fails({ data = five, memory = 4, script = script [[
  function M.on_quote() local x = {} for i = 1, 1e7 do x[i] = i end end]] },
  "not enough memory", "memory has a limit")
t.ok(tw.backtest.run { data = five, script = which }, "the next run is sound")

-- ---- a day's gain, and loss ----

local rows = { "time,symbol,open,high,low,close" }
for i, price in ipairs { 100, 110, 105, 100, 95 } do
  rows[i + 1] = ("2024-01-%02d,F,%d,%d,%d,%d"):format(i, price, price, price, price)
end
put("futures.csv", table.concat(rows, "\n") .. "\n")
local function futures(settles)
  local made = assert(tw.backtest.run {
    data = { path = dir .. "/futures.csv", interval = "1d" },
    app = put("futures.lua", ([[
      local app = require "tw.app"
      app.instruments { { symbol = "F", multiplier = 10, margin = 500,
                          settles_daily = %s } }
      app.script "hold.lua"]]):format(settles)) })
  return (table.concat(made.log, "\n"):gsub("%d%d%d%d%-[%d%-]+ [%d:.]+ ", ""))
end
put("hold.lua", [[
  local M = { account = { cash = 1000, limits = { daily_loss = 60 } } }
  function M:on_bar()
    if self:position "F" == 0 then self:buy("F", 1) end
    local a = self.account
    print(("%g %g %g"):format(a.cash, a.equity, a.realised))
    self:buy("F", 1, 50)
  end
  function M:on_order(reason) if reason then print(reason) end end
  return M]])
t.is(futures(true), "1000 1000 0\n1000 1000 0\n1000 950 0\n950 900 -50\n900 850 -100",
     "what a future made in a day is cash with the next one, and a day's loss is of it")
t.is(futures(false), "1000 1000 0\n1000 1000 0\n1000 950 0\n1000 900 0\n1000 850 0",
     "of another instrument on margin it is not before it is closed")

-- ---- what a currency costs ----

local yen = { "time,symbol,price,size" }
for i, what in ipairs { "USDJPY,100", "J,1000", "J,1000", "USDJPY,125", "J,2000",
                        "J,2000" } do
  yen[i + 1] = ("%d,%s,1"):format(T0 + i, what)
end
put("yen.csv", table.concat(yen, "\n") .. "\n")
said({ data = dir .. "/yen.csv", app = put("yen.lua", [[
  local app = require "tw.app"
  app.instruments { { symbol = "J", currency = "JPY" } }
  app.script "yen_script.lua"]]) }, (function()
  put("yen_script.lua", [[
    local M = { account = { cash = 1000, rates = { JPY = "1/USDJPY" } } }
    function M:on_trade(symbol, price, time)
      local second = time // 1000000000 % 10
      if second == 2 then self:buy("J", 1) elseif second == 5 then self:sell("J", 1) end
      print(("%g %g"):format(self.account.equity, self.account.realised))
    end
    return M]])
  return "1 1000 0\n2 1000 0\n3 1000 0\n4 1000 0\n5 1008 0\n6 1008 8"
end)(), "of one that a dollar is so much of, its inverse")

-- ---- days of a year ----

-- How many the figures count, of a market that is closed on some weekday (0: Sunday).
local function year(closed)
  local lines = { "time,symbol,open,high,low,close" }
  for day = 1, 28 do
    if (day - 1) % 7 ~= closed then               -- 2023-01-01 was a Sunday
      local price = 100 + day * 7 % 5
      lines[#lines + 1] = ("2023-01-%02d,F,%d,%d,%d,%d"):format(day, price, price,
                                                                 price, price)
    end
  end
  put("days.csv", table.concat(lines, "\n") .. "\n")
  local made = assert(tw.backtest.run {
    data = { path = dir .. "/days.csv", interval = "1d" }, script = put("all.lua", [[
      return { on_bar = function(self)
        if self:position "F" == 0 then self:buy("F", 500) end end }]]) })
  local r, sum, squares = {}, 0, 0
  for i = 2, #made.days do
    r[#r + 1] = made.days[i].equity / made.days[i - 1].equity - 1
    sum = sum + r[#r]
  end
  for _, x in ipairs(r) do squares = squares + (x - sum / #r) ^ 2 end
  local deviation = math.sqrt(squares / (#r - 1))
  return ("%.0f"):format((made.figures.arithmetic.volatility / deviation) ^ 2)
end
t.is(year(7) .. " " .. year(0) .. " " .. year(6) .. " " .. year(3), "365 252 252 365",
     "a year has 365 days where both Saturdays and Sundays are of trading, or else 252")

-- ---- what is decided between records ----

rows = { "time,symbol,open,high,low,close" }
for i = 0, 9 do
  rows[i + 2] = ("%d,F,%d,%d,%d,%d"):format(T0 + 60 * i, i, i, i, i)
end
put("minutes.csv", (table.concat(rows, "\n"):gsub(",0", ",1")) .. "\n")
put("between.lua", [[
  local tw, M = require "tw", {}
  function M:on_bar(close)
    if close ~= 5 then return end
    tw.sleep(70)
    self:buy { symbol = "F", quantity = 1, label = "handler" }
  end
  function M:on_start()
    tw.task.detach(function()
      tw.sleep(250)
      self:buy { symbol = "F", quantity = 1, label = "task" }
    end)
  end
  function M:on_timer(count)
    if count == 1 then self:buy { symbol = "F", quantity = 1, label = "timer" } end
  end
  function M:on_fill(order, price)
    print(order.label, order.time // 1000000000 % 60, price)
  end
  return M]])
said({ data = { path = dir .. "/minutes.csv", interval = 60 }, app = put("minutes.lua", [[
  local app = require "tw.app"
  app.feed.timer { every = 150 }
  app.script "between.lua"]]) },
  "300 timer\t0\t4.0\n430 task\t50\t6.0\n540 handler\t50\t8.0",
  "an order of a timer or a task is of its time, so no bar that had begun trades with it")

-- ---- in the pool, and in a script ----

local sum = script([[
  function M:on_start() self.sum = 0 end
  function M:on_quote(bid) self.sum = self.sum + bid * self.params.n end
  function M:on_stop() print(string.format("%g", self.sum)) end]], "sum.lua")
local items = {}
for n = 1, 6 do items[n] = { script = sum, data = five, params = { n = n } } end
local sums = tw.pool.map(items, function(options)
  local result = assert(require "tw".backtest.run(options))
  return result.log[1]:match "%S+$"
end)
t.is(table.concat(sums, " "), "5 10 15 20 25 30", "runs side by side in the pool")

local inner = tw.pool.run(function(path, data)
  return #assert(require "tw".backtest.run { script = path, data = data }).log
end, script([[
  function M.on_quote() print(tw.pool.run(function() return 1 end):await()) end]],
  "inner.lua"), five)
t.is(inner:await(), 5, "a run in the pool has a pool of its own")

said({ data = five, to = (T0 + 2) * 1000000000, params = { five = five, which = which },
       script = script([[
  function M:on_quote(symbol)
    local p, now = self.params, tw.now()
    local inside = assert(tw.backtest.run { script = p.which, data = p.five })
    tw.sleep(0.25)
    print(inside.records, inside.to - now, tw.now() - now)
  end]], "outer.lua") }, "0.25 5\t7000000000\t250000000\n1 5\t6000000000\t0",
  "a run within a run has a time of its own")

-- A job that is cancelled ends wherever its run is: also while that is being set up.
-- The thread sanitizer keeps a signal back until the thread calls the allocator, say.
local loop = apps.has "tsan" and "while true do local t = {} end" or "while true do end"
local endless = {
  ["a handler"] = { script = script(
    "function M.on_quote() " .. loop .. " end", "e1.lua") },
  ["on_stop"] = { script = script(
    "function M.on_stop() " .. loop .. " end", "e2.lua") },
  ["a handler that catches all"] = { script = script(
    "function M.on_quote() while true do pcall(error, {}) end end", "e3.lua") },
  ["a script that is being loaded"] = { script = script(loop, "e4.lua") },
  ["an app file"] = { app = put("e5.lua", 'require "tw.app" ' .. loop) },
}
for where, options in pairs(endless) do
  options.data = five
  local ended = 0
  for i = 1, os.getenv "SMALL" and 5 or 20 do
    local job = tw.pool.run(function(o)
      return require "tw".backtest.run(o)
    end, options)
    local until_it_runs = i % 4 > 0 and 1 or 0
    while tw.pool.status().running < until_it_runs do tw.sleep(0.0001 * i) end
    job:cancel()
    if not pcall(job.await, job) then ended = ended + 1 end
  end
  t.is(ended, os.getenv "SMALL" and 5 or 20, "a cancelled job ends within " .. where)
end
local again = tw.pool.run(function(o)
  while true do require "tw".backtest.run(o) end
end, { script = which, data = five })
while tw.pool.status().running == 0 do tw.sleep(0.001) end
again:cancel()
t.ok(not pcall(again.await, again), "likewise where it runs one after the other")
t.is(tw.pool.run(function() return 7 end):await(), 7, "and its thread goes on")

local before
for i = 1, 30 do
  assert(tw.backtest.run { script = which, data = five })
  collectgarbage()
  if i == 10 then before = collectgarbage "count" end
end
t.ok(collectgarbage "count" < before + 64, "a run leaves no garbage")
