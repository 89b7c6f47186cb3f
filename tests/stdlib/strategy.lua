--- strategy: what is declared, what is allowed, what a script is given.

local t = require "tw.test"
local near, strategy = require "tw.near", require "tw.strategy"
local backtest, sweep = require "tw.backtest", require "tw.sweep"

-- ---- names that were meant ----

t.is(near.distance("fsat", "fast"), 1, "two letters swapped are one step")
t.is(near.distance("", "abc"), 3, "letters added")
t.is(near.distance("kitten", "sitting"), 3, "changed and added")
t.is(near.distance("slow", "slow"), 0, "the same word")
local names = { fast = 1, slow = 1, buying_power = 1 }
t.is(near.hint("fsat", names), "; did you mean 'fast'?", "a slip")
t.is(near.hint("buying", names), "; did you mean 'buying_power'?", "the same beginning")
t.is(near.hint("x", names), "; there are buying_power, fast, slow", "else all of them")
t.is(near.hint("x", { fast = 1 }), "; there are fast", "the only one")
t.is(near.hint("x", {}), "", "there is none")

-- ---- declaring ----

local plain = getmetatable(strategy.new {}.params).__plain
local function declared(options) return plain(strategy.new(options).params) end

local d = declared {
  doc = "a line",
  params = {
    fast = { 10, min = 2, max = 50, step = 4, doc = "bars" }, slow = 30, share = 0.5,
    any = { 30, type = "number", max = 40 },
    side = { default = "long", choices = { "long", "both" } },
    size = { 1, choices = { 1, 2, 5 } }, fade = true, of = { { "A", "B" } },
  },
  where = "fast < slow", warmup = "2 * slow",
}
t.is(d.doc, "a line", "doc")
local types = {}
for i, p in ipairs(d.params) do types[i] = p.name .. " " .. p.type end
t.is(table.concat(types, ", "), "any number, fade boolean, fast integer, of table, "
  .. "share number, side string, size integer, slow integer", "by name, with their types")
t.is(math.type(d.params[1].default), "float", "a number is a float")

local M = strategy.new { symbols = { "A" }, account = { cash = 5 }, one_sided = true }
t.same({ M.symbols, M.account, M.one_sided }, { { "A" }, { cash = 5 }, true },
       "what a script's table says otherwise")

for what, options in pairs {
  ["no option 'parms'; did you mean 'params'?"] = { parms = {} },
  ["doc must be a string, got 1"] = { doc = 1 },
  ["x: no field 'mn'; did you mean 'min'?"] = { params = { x = { 1, mn = 0 } } },
  ["x: a default expected"] = { params = { x = {} } },
  ["x: min 5 is above max 2"] = { params = { x = { 1, min = 5, max = 2 } } },
  ["x: its default is 1: an integer from 2 on expected"] =
    { params = { x = { 1, min = 2 } } },
  ["x.max: an integer expected, got 2.5"] = { params = { x = { 1, max = 2.5 } } },
  ["x.step: above 0 expected"] = { params = { x = { 1, step = 0 } } },
  ["x.choices: a list expected"] = { params = { x = { 1, choices = {} } } },
  ["x.choices: an integer expected, got 'a'"] =
    { params = { x = { 1, choices = { "a" } } } },
  ["x: min is for a number without choices"] = { params = { x = { "a", min = 1 } } },
  ["x: an integer, a number, a boolean, a text or a table expected, got a function"] =
    { params = { x = print } },
  ["a parameter is named by letters, digits and _: 'a b'"] = { params = { ["a b"] = 1 } },
  ["where 'x <': unexpected symbol near <eof>"] = { params = { x = 1 }, where = "x <" },
  ["where 'y > 1': no parameter 'y'"] = { params = { x = 1 }, where = "y > 1" },
  ["x = 1: x > 1 must be true"] = { params = { x = 1 }, where = "x > 1" },
  ["warmup: a number of records or a time like 30d expected, got 'x'"] =
    { params = { x = "x" }, warmup = "x" },
} do
  local fine, why = pcall(strategy.new, options)
  t.ok(not fine and why:find(what, 1, true), "refused: " .. what)
  if fine or not why:find(what, 1, true) then t.diag(tostring(why)) end
end
local _, why = pcall(strategy.new, 5)
t.ok(why:find("a table of options expected", 1, true), "options are a table")

-- ---- what is given ----

local function values(given) return strategy.values(d, given) end
local all = values { fast = 12.0, any = 7, side = "both", fade = false }
t.same({ all.fast, all.slow, all.any, all.side, all.fade, all.of },
       { 12, 30, 7.0, "both", false, { "A", "B" } }, "given, and defaults")
t.is(math.type(all.fast), "integer", "12.0 for an integer is 12")
t.is(math.type(all.any), "float", "7 for a number is 7.0")
t.is(values().fast, 10, "nothing is given")

for what, given in pairs {
  ["fsat = 3: no such parameter; did you mean 'fast'?"] = { fsat = 3 },
  ["fast = 1: an integer from 2 to 50 expected"] = { fast = 1 },
  ["fast = 51: an integer from 2 to 50 expected"] = { fast = 51 },
  ["fast = 3.5: an integer from 2 to 50 expected"] = { fast = 3.5 },
  ["fast = '3': an integer from 2 to 50 expected"] = { fast = "3" },
  ["any = nan: a number up to 40 expected"] = { any = 0 / 0 * -1 },
  ["side = 'short': one of long, both expected"] = { side = "short" },
  ["size = 3: one of 1, 2, 5 expected"] = { size = 3 },
  ["fade = 1: true or false expected"] = { fade = 1 },
  ["of = 'A': a table expected"] = { of = "A" },
  ["fast < slow must be true"] = { fast = 40 },
} do
  local none, said = values(given)
  said = tostring(said):gsub("%-nan", "nan")
  t.ok(none == nil and said:find(what, 1, true), "refused: " .. what)
  if not said:find(what, 1, true) then t.diag(said) end
end
local _, _, left_out = strategy.checker(d) { fast = 40 }
t.ok(left_out, "where leaves it out")
_, _, left_out = strategy.checker(d) { fast = 400 }
t.ok(not left_out, "but not what is not allowed")

t.is(strategy.warmup(d, values { slow = 20 }), 40, "a warm-up of parameters")
t.is(strategy.warmup(declared { warmup = "30d" }, {}), "30d", "of a time")
t.is(strategy.warmup(declared { warmup = 12.5 }, {}), 13, "of records")
t.is(strategy.warmup(declared {}, {}), nil, "none")

t.same({ strategy.grid(d, "fast") }, { 2, 50, 4 }, "a grid: a range")
t.same(strategy.grid(d, "size"), { 1, 2, 5 }, "choices")
t.same(strategy.grid(d, "fade"), { false, true }, "true and false")
t.same({ strategy.grid(d, "slow") },
       { nil, "slow: min and max, or choices, are not declared" }, "neither")
t.same({ strategy.grid(d, "fsat") },
       { nil, "fsat: no such parameter is declared; did you mean 'fast'?" }, "no such")
t.same({ strategy.grid(nil, "fast") }, { nil, "fast: no such parameter is declared" },
       "nothing is declared")
t.same({ strategy.value(d, "side", "1"), strategy.value(d, "fast", "1"),
         strategy.value(nil, "side", "true") }, { "1", 1, true }, "texts of --set")

-- ---- files ----

local pipe <close> = assert(io.popen "mktemp -d")
local directory = pipe:read "l"
local function put(name, text)
  local path = directory .. "/" .. name
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  return path
end

local cross = put("cross.lua", [[
  local M = require "tw.strategy".new {
    doc = "crosses", where = "fast < slow", warmup = "slow",
    params = { fast = { 2, min = 1, max = 5 }, slow = 4, name = "a" } }
  function M:on_start() self.n = 0 end
  function M:on_quote(symbol)
    self.n = self.n + 1
    self:buy { symbol = symbol, quantity = self.params.fast, label = self.params.name }
  end
  function M:on_stop() print(self.n) end
  return M]])
local bare = put("bare.lua", "return { params = { fast = 1 } }")
local broken = put("broken.lua", "return {}, error 'no'")
local app = put("app.lua", [[
  local app = require "tw.app"
  app.feed.timer { every = app.param("every", 1) }
  app.script("cross.lua", { params = { fast = app.param("fast", 3) } })]])
local lines = { "time,symbol,bid,ask" }
for i = 1, 100 do lines[i + 1] = ("%d,A,10,11"):format(1577836800 + i * 3600) end
local data = put("A.csv", table.concat(lines, "\n") .. "\n")

t.is(strategy.read(cross).params[1].name, "fast", "read: what a file declares")
t.is(strategy.read(bare), nil, "nothing: its params are its own")
t.ok(select(2, strategy.read(broken)):find "broken.lua:1: no", "a file that fails")
t.is(strategy.text(cross), [[
cross.lua - crosses

parameter  default  allowed
fast       2        an integer from 1 to 5
name       'a'      a text
slow       4        an integer

where   fast < slow
warmup  slow
]], "its text")
t.ok(strategy.text(bare):find "declares no parameters", "of one that declares none")
t.ok(strategy.text(app):find "every +1 +a number", "of an app: what it asks for")
t.ok(select(2, strategy.text(directory .. "/none.lua")):find "cannot open", "of no file")

local run = assert(backtest.run { script = cross, data = data, params = { fast = 3 } })
t.same(run.params, { fast = 3, slow = 4, name = "a" }, "a result has all parameters")
t.is(run.orders[1].quantity, 3, "self.params has what is given")
t.is(run.orders[1].label, "a", "and the defaults")
local _, refused = backtest.run { script = cross, data = data, params = { fsat = 3 } }
t.is(refused, "script cross.lua: fsat = 3: no such parameter; did you mean 'fast'?",
     "a backtest refuses what is not declared")
_, refused = backtest.run { app = app, data = data, params = { fast = 9 } }
t.is(refused, "script cross.lua: fast = 9: an integer from 1 to 5 expected",
     "and what an app gives")
run = assert(backtest.run { script = cross, data = data, from = "2020-01-02",
                            params = { slow = 7 } })
t.same({ run.log[1]:match "%d+$", run.sent }, { "84", 84 },
       "the declared warm-up: 7 records before from")
run = assert(backtest.run { script = cross, data = data, from = "2020-01-02",
                            warmup = 10 })
t.is(run.log[1]:match "%d+$", "87", "another one stands over it")
run = assert(backtest.run { script = cross, data = data })
t.is(run.log[1]:match "%d+$", "100", "and without a from there is none")

local function swept(o)
  o.script, o.data, o.store = cross, data, "none"
  return sweep.run(o)
end
local s = swept { set = { fast = sweep.range(), slow = { 3, 4 } } }
t.is(s.total, 2 + 3, "a sweep of declared values, without what where leaves out")
t.is(s.failed, 0, "none fails")
s = swept { set = { fast = 1 }, where = "slow - fast == 3" }
t.is(s.total, 1, "where of a sweep may name a default")
s = swept { set = { fast = { 1, 2 } }, from = "2020-01-03" }
run = assert(backtest.run { script = cross, data = data, from = "2020-01-03",
                            params = { fast = 1 } })
t.same({ s.runs[1].result.records, s.runs[1].result.hash }, { 53 + 4, run.hash },
       "its runs have the declared warm-up")
s = swept { set = { fast = { 1, 2 } }, over = "symbol" }
t.is(s.runs[2].params.symbol, "A", "over symbols, too")
for what, set in pairs {
  ["tw.sweep: cross.lua: fast = 9: an integer from 1 to 5 expected"] =
    { fast = { 2, 9 } },
  ["tw.sweep: cross.lua: fsat = 1: no such parameter; did you mean 'fast'?"] =
    { fsat = 1 },
  ["tw.sweep: slow: min and max, or choices, are not declared"] =
    { slow = sweep.range() },
} do
  local _, said = pcall(swept, { set = set })
  t.is(said, what, "a sweep refuses it before it runs")
end

-- ---- sizes ----

local sized = put("sized.lua", [[
  local strategy, M = require "tw.strategy", {}
  function M:on_quote(symbol)
    print(strategy.size(self, symbol, 1, 2), strategy.size(self, symbol, 1, 3),
          strategy.size(self, symbol, 0.001, 9))
    print(select(2, pcall(strategy.size, self, symbol, 0, 2)))
  end
  return M]])
run = assert(backtest.run { script = sized, data = data, to = "2020-01-01T01:00:01",
                            cash = 10000 })
t.ok(run.log[1]:find "50\t33\t0$", "1 % of 10,000 over a distance of 2, 3; too little")
if not run.log[1]:find "50\t33\t0$" then t.diag(run.log[1]) end
t.ok(run.log[2]:find "strategy.size: risk: above 0 expected, got 0", "no risk")

put("priced.lua", [[
  local strategy, M = require "tw.strategy", {}
  function M:on_quote(symbol)
    if symbol ~= "R" then
      print(strategy.size(self, symbol, 1, 2), self.account:value(symbol, 2.5))
    end
  end
  return M]])
local priced = put("priced-app.lua", [[
  local app = require "tw.app"
  app.instruments { { symbol = "F", currency = "EUR", multiplier = 10 } }
  app.account { cash = 10000, rates = { EUR = "R" } }
  app.script "priced.lua"]])
run = assert(backtest.run { app = priced, data = put("priced.csv",
  "time,symbol,bid,ask\n1,F,5,5\n2,R,1.25,1.25\n3,F,5,5\n4,G,5,5\n") })
for i, want in ipairs { "0\tnil\tno rate of exchange has come yet for .*",
                        "4\t31%.25", "50\t2%.5" } do
  if not t.ok(run.log[i]:find(want .. "$"), "by multiplier and rate: " .. want) then
    t.diag(run.log[i])
  end
end

os.execute("rm -r '" .. directory .. "'")
t.done()
