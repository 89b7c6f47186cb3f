--- idle: runs in which nothing happened say why; command lines that say a thing twice.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local dir, put, command = apps.folder "i"

local HEAD = "date,symbol,open,high,low,close,volume\n"
local lines = { HEAD }
for day = 1, 10 do
  lines[#lines + 1] = ("2024-01-%02d,X,100,101,99,%d,1000\n"):format(day, 100 - day % 2)
end
put("x.csv", table.concat(lines))
put("empty.csv", HEAD)
put("quotes.lua", "return { on_quote = function() end }")
put("nothing.lua", "return {}")
put("poor.lua", [[
  local M = { account = { cash = 10, limits = { buying_power = true } } }
  function M:on_bar(symbol)
    self:buy(symbol, 100)
    self.n = (self.n or 0) + 1
    if self.n == 4 then
      self:buy { symbol = symbol, quantity = 1, take_profit = 200, stop_loss = 150 }
    end
  end
  return M]])
put("inside_out.lua", [[
  local M = {}
  function M:on_bar(symbol)
    self:buy { symbol = symbol, quantity = 1, take_profit = 300, stop_loss = 200 }
  end
  return M]])
put("other.lua", [[
  local M = { symbols = { "X" } }
  function M:on_bar() if not self.o then self.o = self:buy("Y", 1, 5) end end
  return M]])
put("early.lua", [[
  local M = {}
  function M:on_bar(symbol) if not self.o then self.o = self:buy(symbol, 1) end end
  return M]])
local function app(name, feed, script, more)
  put(name, ('local app = require "tw.app"\napp.instruments { { symbol = "Y" } }\n'
    .. 'app.feed.csv { file = "%s" } app.script("%s") %s'):format(feed, script,
                                                                 more or ""))
end

-- Ends with this status, and says that alone.
local function says(name, words, status, what)
  local run = command(words)
  local err, said = run.err, nil
  for line in err:gmatch "[^\n]+" do
    if line == "tidewire: " .. what then said = (said or 0) + 1 end
  end
  t.ok(run.status == status and said == 1, name)
  if run.status ~= status or said ~= 1 then t.diag(run.status .. "\n" .. err) end
  return run
end

-- ---- backtests ----

local POOR <const> = "script poor.lua: all of its orders were rejected, 10 of them: not "
  .. "enough cash or margin"
local NO_BAR <const> = "was never called: what came were bars, and it has no on_bar"
says("no order was taken", "backtest poor.lua --data x.csv", 0, "warning: " .. POOR)
says("no bracket was taken", "backtest inside_out.lua --data x.csv", 0, "warning: script "
     .. "inside_out.lua: all of its orders were rejected: the bracket's take_profit or "
     .. "stop_loss would trade at once")
says("the wrong handler", "backtest quotes.lua --data x.csv", 0,
     "warning: script quotes.lua " .. NO_BAR)
says("no handler", "backtest nothing.lua --data x.csv", 0,
     "warning: script nothing.lua " .. NO_BAR)
put("wrong.lua", [[
  return { on_quote = function(self) self:buy("EURUDS", 1) end }]])
put("eurusd.csv", "time,symbol,bid,ask\n1,EURUSD,1,1\n2,GBPUSD,1,1\n")
local misspelt = command "backtest wrong.lua --data eurusd.csv"
t.ok(misspelt.err:find("buy: symbol 'EURUDS' is not known: no feed has had it, nor "
     .. "app.instruments; did you mean 'EURUSD'?\n", 1, true) and misspelt.status == 1,
     "an instrument that is misspelt: what may be meant")
put("bars_alone.lua", "return { on_bar = function() end }")
says("bars alone, where there are quotes", "backtest bars_alone.lua --data eurusd.csv", 0,
     "warning: script bars_alone.lua was never called: what came were quotes, and it has "
     .. "no on_quote; for its on_bar self:bars makes bars")
put("sharded.lua", [[
  local app = require "tw.app"
  app.feed.csv { file = "eurusd.csv" }
  app.script("bars_alone.lua", { shard = "symbol" })]])
says("so of a script in shards, once", "run sharded.lua --workers 2 --no-attach", 0,
     "warning: script bars_alone.lua was never called: what came were quotes, and it has "
     .. "no on_quote; for its on_bar self:bars makes bars")
put("zz.lua", 'return { symbols = { "ZZ*" }, on_bar = function() end }')
says("a pattern that nothing is like", "backtest zz.lua --data x.csv", 0,
     "warning: script zz.lua was never called: none of what came (bars) is of a symbol "
     .. "that it wants")
put("zz_bars.lua", [[
  local M = { symbols = { "ZZ*" }, on_bar = function() end }
  function M:on_start() self:bars { count = 1, of = "mid" } end
  return M]])
says("the same with bars that it makes", "backtest zz_bars.lua --data eurusd.csv", 0,
     "warning: script zz_bars.lua: of what came (quotes) self:bars made no bars of mid: "
     .. "none of it fits their of, symbols and every")
for of, said in pairs {
  ['volume = 1000, of = "bid"'] = "bid by volume = 1000: none of it has a volume",
  ['count = 1'] = "trades: none of it fits their of, symbols and every",
  ['every = 1, of = "ask", symbols = "ZZ*"'] = "ask: none of it fits their of, symbols "
    .. "and every" } do
  put("bars.lua", ([[
    local M = { on_quote = function() end, on_bar = function() end }
    function M:on_start() self:bars { count = 1, of = "mid" } self:bars { %s } end
    return M]]):format(of))
  says("bars that never were: " .. of, "backtest bars.lua --data eurusd.csv", 0,
       "warning: script bars.lua: of what came (quotes) self:bars made no bars of "
       .. said)
end
put("wide.csv", "time,symbol,price,size\n2024-01-02T10:00:00,X,1000.000000001,1\n"
  .. "2024-01-02T10:00:01,X,9000.000000002,1\n")
put("wide.lua", [[
  local M = { on_bar = function() end }
  function M:on_start() self:bars { count = 2 } end
  return M]])
says("a bar that no record holds", "backtest wide.lua --data wide.csv", 0,
     "warning: script wide.lua: self:bars left out 1 of its bars: prices so far apart "
     .. "have no place for so many decimals")
app("other.app.lua", "x.csv", "other.lua")
says("an instrument that never came", "backtest other.app.lua --data x.csv", 0,
     "warning: script other.lua: orders in Y are open, but no price of it has come")
says("an order in the warm-up alone", "backtest early.lua --data x.csv --warmup 5", 0,
     "warning: script early.lua: its only order was rejected: no order is sent "
     .. "before the end of the warm-up")
says("a warm-up that is longer than the data", "backtest early.lua --data x.csv "
     .. "--warmup 20", 1, "backtest: the warm-up is longer than the data: all 10 records"
     .. " are of it")
says("nothing behind the warm-up", "backtest early.lua --data x.csv --warmup 90d "
     .. "--from 2024-02-01", 1,
     "backtest: there is no record from 2024-02-01 on, but for 10 of the warm-up")
says("nothing from there on", "backtest early.lua --data x.csv --from 2024-02-01", 1,
     "backtest: there is no record from 2024-02-01 on: the data are from 2024-01-01 to"
     .. " 2024-01-10")
put("used.lua", "return { read = function(self) return self.params.slow end }")
put("plain.lua", [[
  require "used"
  local M = {}
  function M:on_bar() self.n = self.params.fast or self.params["some"] or 3 end
  return M]])
local UNREAD <const> = "script plain.lua never reads the parameter fats: no such word is "
  .. "in it"
says("a parameter that is misspelt", "backtest plain.lua --data x.csv --set fats=3 "
     .. "--set fast=2 --set slow=3 --set some=1", 0, "warning: " .. UNREAD)
says("so in a sweep, once",
     "sweep plain.lua --data x.csv --set fats=1:3 --set fast=1,2 --store none", 0,
     "sweep: " .. UNREAD)
put("live.app.lua", [[
  local app = require "tw.app"
  app.feed.csv { file = "x.csv" }
  app.script("plain.lua", { params = { fats = 3, slow = 2 } })]])
says("so in a run", "run live.app.lua --workers 1 --no-attach", 0, "warning: " .. UNREAD)
says("several of them", "sweep plain.lua --data x.csv --set zz=1:9 --set aa=1 "
     .. "--set mm=1 --store none", 0, "sweep: script plain.lua never reads the "
     .. "parameters aa, mm, zz: no such word is in it")
put("all.lua", [[
  local M = {}
  function M:on_bar() for name in pairs(self.params) do self.n = name end end
  return M]])
put("other_name.lua", [[
  local M = {}
  function M:on_bar()
    local p = self.params
    for name in pairs(p) do self.n = name end
  end
  return M]])
for _, name in ipairs { "all.lua", "other_name.lua" } do
  t.is(command("backtest " .. name .. " --data x.csv --set fats=3").err, "",
       "one that takes whatever comes: " .. name)
end

-- What only a run knows may be any parameter, and so may a text that is not read yet.
for _, use in ipairs {
  'self.n = self.params["fa" .. "ts"]', 'self.n = self.params [ "fa" .. "ts" ]',
  'local p = self.params; self.n = p["fa" .. "ts"]', "local p = self.params; self.n = p",
  "for _, v in next, self.params do self.n = v end", "local a, p = 1, self.params",
  "local p <const> = self.params", "if self.n then require 'used' end",
  "if self.n then pcall(require, 'used') end", "if self.n then dofile 'used.lua' end",
} do
  put("any.lua", ("return { on_bar = function(self) %s end }"):format(use))
  t.is(command("backtest any.lua --data x.csv --set fats=3").err, "", "may read: " .. use)
end
put("named.lua", [[
  local ta = require "tw.ta"
  return { on_bar = function(self)
    local p = self.params
    self.n = ta and p.fast or p["some"] or self.params["x"]
  end }]])
says("one that has names alone", "backtest named.lua --data x.csv --set fats=3", 0,
     "warning: script named.lua never reads the parameter fats: no such word is in it")
put("late.app.lua", [[
  local app = require "tw.app"
  app.feed.csv { file = "x.csv" }
  app.script("late.lua", { params = { slow = 2 } })]])
put("late.lua", "return { on_bar = function(self) require 'used'.read(self) end }")
t.ok(not command("run late.app.lua --workers 1 --no-attach").err:find("reads", 1, true),
     "nor is a module that a callback requires")
says("no record at all", "backtest early.lua --data empty.csv", 1,
     "backtest: there is no record in the data")
local run = command "backtest early.lua --data x.csv"
t.ok(run.err == "" and run.status == 0, "one that trades says nothing")
local result = tw.backtest.run { script = dir .. "/poor.lua", data = dir .. "/x.csv" }
t.is(result.idle, POOR, "result.idle")
t.ok(result.log[1]:find(POOR, 1, true), "and it is in the log")

-- ---- what was there to spend ----

put("over.lua", [[
  local M = require "tw.strategy".new { params = { n = { 5.0, min = 0, max = 100 } } }
  M.account = { cash = 1000 }
  function M:on_bar(symbol)
    local n = math.floor(self.params.n)
    if not self.o and n > 0 then self.o = self:buy(symbol, n) end
  end
  return M]])
local OVER <const> = "script over.lua bought more than it had cash for: up to %d.00 USD "
  .. "more, first at 2024-01-03 00:00:00; account = { limits = { buying_power = true } } "
  .. "refuses that, margin in app.instruments allows it"
says("more was bought than there was cash for", "backtest over.lua --data x.csv "
     .. "--set n=50", 0, "warning: " .. OVER:format(4000))
result = tw.backtest.run { script = dir .. "/over.lua", data = dir .. "/x.csv",
                           params = { n = 12 } }
t.is(result.overdrawn, OVER:format(200), "result.overdrawn")
run = command "backtest over.lua --data x.csv --set n=10"
t.ok(run.err == "" and run.status == 0, "all of it is no more than that")
says("a sweep of such", "sweep over.lua --data x.csv --set n=0:40:20 --store none", 0,
     "sweep: 2 of 3 runs spent more than they had; one of them: " .. OVER:format(1000))
says("integers of a number", "sweep over.lua --data x.csv --set n=0:1 --random 2 "
     .. "--store none", 0,
     "sweep: --set n=0:1: the integers from 0 to 1; n=0.0:1.0 is any value between")
run = command "sweep over.lua --data x.csv --set n=0.0:1.0 --random 2 --store none"
t.ok(run.err == "" and run.status == 0, "any value is what it says")
put("lots.app.lua", [[
  local app = require "tw.app"
  app.instruments { { symbol = "X", lot_size = 2 } }
  app.feed.csv { file = "x.csv" } app.script("early.lua")]])
says("a quantity that is no multiple of the lot", "backtest lots.app.lua --data x.csv", 0,
     "warning: script early.lua: its only order was rejected: the quantity is not a "
     .. "multiple of the lot size: 1 with lots of 2")

-- ---- sweeps ----

says("a sweep", "sweep poor.lua --data x.csv --set x=1:3 --store none", 0,
     "sweep: 3 of 3 runs did nothing: " .. POOR)

-- ---- runs ----

app("poor.app.lua", "x.csv", "poor.lua")
says("a run: no order was taken", "run poor.app.lua", 0, "warning: " .. POOR)
app("quotes.app.lua", "x.csv", "quotes.lua")
says("the wrong handler", "run quotes.app.lua", 0,
     "warning: script quotes.lua " .. NO_BAR)
app("symbol.app.lua", "x.csv", "early.lua",
    'app.script("other.lua", { symbols = {"Y"} })')
says("no record of its symbols", "run symbol.app.lua", 0, "warning: script other.lua was "
     .. "never called: none of what came (bars) is of a symbol that it wants")
says("an instrument that never came", "run other.app.lua", 0, "warning: script other.lua:"
     .. " orders in Y are open, but no price of it has come")
app("empty.app.lua", "empty.csv", "early.lua")
says("an empty file", "run empty.app.lua", 1,
     "feed csv: there was no record, so nothing has happened")
app("two.app.lua", "empty.csv", "early.lua",
    'app.feed.csv { file = "x.csv", name = "x" }')
says("one of two", "run two.app.lua", 0, "warning: feed csv: there was no record")
run = command "run empty.app.lua --set x=1 --set x=2"
t.ok(run.status == 1 and run.err:find("--set x is given twice", 1, true), "--set twice")

-- ---- replays ----

command "convert x.csv x.tape"
put("params.lua", [[
  local M = require "tw.strategy".new { params = { fast = { 2, max = 9 }, name = "a" } }
  function M:on_start() print("declared", self.params.fast, self.params.name) end
  function M:on_bar() end
  return M]])
put("free.lua", [[
  local function show(self) print("free", self.params.fast, self.params.k) end
  return { on_bar = function() end, on_start = show }]])
run = command "replay x.tape params.lua --set fast=5 --set name=007 --workers 1"
t.is(run.out, "declared\t5\t007\n", "--set of a replay")
run = command "replay x.tape params.lua --set 'name=a\nb' --workers 1"
t.is(run.out, "declared\t2\ta\nb\n", "of two lines")
run = command "replay x.tape params.lua free.lua --set fast=5 --set k=true --workers 1"
t.is(run.out, "declared\t5\ta\nfree\t5\ttrue\n", "each script has those that it declares")
says("one that is not allowed", "replay x.tape params.lua --set fast=10", 1,
     "replay: params.lua: fast = 10: an integer up to 9 expected")
says("one that nobody knows", "replay x.tape params.lua params.lua --set z=1", 1,
     "replay: --set z=1: no script has such a parameter")
says("in which there is none", "replay x.tape --set k=1", 1,
     "replay: --set k: there is no script")
says("one that is there twice", "replay x.tape free.lua --set k=1 --set k=2", 1,
     "replay: --set k is given twice")
says("a replay of nothing", "replay x.tape early.lua --from 2024-02-01", 1,
     "replay: there is no record from 2024-02-01 on: the data are from 2024-01-01 to"
     .. " 2024-01-10")
says("nothing within the time", "replay x.tape early.lua --from 2024-01-05T01:00 --to "
     .. "2024-01-05T02:00 --speed 1e9", 1,
     "feed x.tape: there was no record, so nothing has happened")
says("to before from", "replay x.tape early.lua --from 2024-01-05 --to 2024-01-04", 1,
     "replay: --from 2024-01-05 is not before --to 2024-01-04")
says("from twice", "replay x.tape early.lua --from 2024-01-05 --from 2024-01-04", 1,
     "replay: --from is given twice")

-- ---- fills ----

put("trades.csv", "time,symbol,price,size\n1,A,10,5\n2,A,10,5\n3,A,10,5\n")
for _, of in ipairs { { "quote", "x.csv", "quotes" },
                      { "queue", "x.csv", "quotes, and trades beside them" },
                      { "queue", "trades.csv", "quotes, and trades beside them" } } do
  local fill, data, by = table.unpack(of)
  put(fill .. ".lua", ([[
    local M = { account = { fill = "%s" } }
    function M:on_bar(symbol) self:buy(symbol, 1) end
    M.on_trade = M.on_bar
    return M]]):format(fill))
  says(("orders that nothing fills: %s, %s"):format(fill, data),
       ("backtest %s.lua --data %s"):format(fill, data), 0,
       ("warning: script %s.lua: none of its orders could trade: fill = \"%s\" goes by"
        .. " %s, and of their symbols none came"):format(fill, fill, by))
end

-- ---- command lines ----

local SEE <const> = "; see `tidewire help backtest`"
says("to is from", "backtest early.lua --data x.csv --from 2024-01-05 --to 2024-01-05",
     2, "backtest: from 2024-01-05 is not before to 2024-01-05" .. SEE)
says("from twice", "backtest early.lua --data x.csv --from 2024-01-05 --from 2024-01-04",
     2, "backtest: --from is given twice" .. SEE)
says("a parameter twice", "backtest early.lua --data x.csv --set x=1 --set x=2", 2,
     "backtest: --set x is given twice" .. SEE)

-- ---- what is printed ----

put("loss.lua", [[
  local M = { account = { cash = 1e9, fees = { per_order = 0.001 } } }
  function M:on_bar(symbol) if not self.o then self.o = self:buy(symbol, 0.001) end end
  return M]])
run = command "backtest loss.lua --data x.csv"
t.ok(run.out:find "return +0.00 %%" and not run.out:find "%-0%.00", "a loss of nearly 0")
put("task.lua", [[
  local tw = require "tw"
  return { on_bar = function(self)
    self.n = (self.n or 0) + 1
    if self.n == 3 then tw.task.detach(function() error { code = 7 } end) end
  end }]])
run = command "backtest task.lua --data x.csv"
t.ok(run.err:find("at 2024-01-04 00:00:00: an error that nobody awaited: {code = 7}\n", 1,
                  true), "an error of a task has its time, and a table what it holds")

t.done()
