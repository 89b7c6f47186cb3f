--- inspect: values as text, bounded; rows, CSV and JSON.

local t = require "tw.test"
local inspect = require "tw.inspect"
local tw = require "tw"

local text = inspect.text

t.is(text(nil), "nil", "nil")
t.is(text(1.0), "1.0", "a float")
t.is(text "a\n\"\1é\0", '"a\\n\\"\\x01é\\0"', "a string as Lua reads it")
t.is(text "a\xff", '"a\\xFF"', "bytes that are no UTF-8")
t.is(text(("x"):rep(30), { bytes = 10 }), '"xxxxxxxxxx" … 30 bytes', "a long string")
t.is(text("éé", { bytes = 3 }), '"é" … 4 bytes', "is cut between characters")
t.is(text {}, "{}", "an empty table")
t.is(text { 1, "x", a = true, [2.5] = 1, ["end"] = 2, [false] = 3 },
     '{1, "x", [2.5] = 1, a = true, ["end"] = 2, [false] = 3}', "keys in order")
t.is(text({ 1, 2, { x = { y = { z = 1 } } } }, { depth = 2 }), "{1, 2, {x = {…}}}",
     "depth is bounded")
local cycle = { 1 }
cycle.own = cycle
t.is(text(cycle), "{1, own = <the table around it>}", "a cycle")
t.is(text({ 1, 2, 3, 4, 5 }, { items = 3 }), "{1, 2, 3, … 2 more}", "items are bounded")
t.is(text({ { 1, 2, 3 } }, { inside = 2 }), "{{1, 2, … 1 more}}", "those inside, too")
t.is(text({ { 1 }, { 2 }, { 3 } }, { total = 4 }), "{{1}, {…}, {…}}", "and all of them")
t.is(text({ first = 1, second = { 1, 2 }, third = "text" }, { width = 20 }), [[
{
  first = 1,
  second = {1, 2},
  third = "text"
}]], "what does not fit is in lines")
t.is(text({ 10, 20, 30, 40, 50, 60 }, { width = 14 }), [[
{
  10, 20, 30,
  40, 50, 60
}]], "short ones side by side")
t.is(text(setmetatable({}, { __tostring = function() return "mine" end })), "mine",
     "__tostring")
local long = setmetatable({}, { __tostring = function() return ("x"):rep(2000) end })
t.is(#text(long), 2000, "a drawing is whole")
t.is(text({ long }, { bytes = 5 }), "{xxxxx…}", "but not inside a table")
t.is(text(setmetatable({}, { __tostring = function() error "bad" end }))
       :match "^<table: .*bad>$" ~= nil, true, "one that raises")
t.is(text(setmetatable({ 1 }, { __pairs = function() error "bad" end })), "{[1] = 1}",
     "__pairs that raises")
t.is(text(print), "<C function>", "a function of C")
t.ok(text(function() end):find "^<function .*inspect.lua:%d+>$", "one of Lua")
t.is(text(tw.freeze { 1, x = { 2 } }), "{1, x = {2}}", "a frozen table")
t.is(text { tw.array { 1, 2 } }, "{array(2) {1, 2}}", "an array")
local mean = require "tw.stat".mean()
mean:push(3)
t.is(text(mean), "mean: 3, count 1, sum 3", "a statistic")

-- Rows.

local quotes = { { symbol = "AAPL", bid = 1.5 }, { symbol = "BP", ask = 2 } }
t.is(inspect.table(quotes), [[
bid  symbol  ask
1.5  AAPL
     BP        2]], "a table of a list")
t.is(inspect.table { AAPL = { n = 1 }, BP = { n = 20 } }, [[
key    n
AAPL   1
BP    20]], "of a table")
t.is(inspect.table { a = 1, b = "x" }, "key  value\na    1\nb    x", "of values")
t.is(inspect.table(mean), "count  sum  value\n    1  3.0    3.0", "of a statistic")
t.is(inspect.table {}, "(no rows)", "of nothing")
t.is(inspect.table({ 1, 2, 3 }, 2), "value\n    1\n    2\n… 1 more", "rows are bounded")
t.is(inspect.csv { { a = 'x"y', b = 0.1 }, { a = "l\n" } }, 'a,b\n"x""y",0.1\n"l\n",',
     "CSV")
t.is(inspect.csv { 1 / 3, 0.1 }, "value\n0.3333333333333333\n0.1",
     "numbers read back exactly")
t.is(inspect.csv(tw.freeze { a = { x = { 1, "q" } }, b = { x = 2 } }),
     'key,x\na,"[1,""q""]"\nb,2', "a table in a cell is JSON")
t.is(inspect.csv { "x", n = 1 }, "key,value\n1,x\nn,1", "elements have keys, too")
t.is(inspect.table(tw.array { 1, 2.5 }), "value\n  1.0\n  2.5", "an array's elements")
t.is(inspect.table { { x = cycle } }, "x\n{1, own = <the table around it>}",
     "a cycle in a cell")
t.is(inspect.table { { x = { ("é"):rep(58), 1 } } },
     'x\n{"' .. ("é"):rep(30) .. '" … 116 bytes, 1}', "a cell is short")
t.is(inspect.table { { x = { 111111, 222222, 333333, 444444, 555555, 666666, 777777,
                             888888, 999999 } } },
     "x\n{111111, 222222, 333333, 444444, 555555, 666666, 777777, 888…", "in all")
t.raises("json: a table that is within itself", inspect.csv, { { x = cycle } })
local long_list, named = {}, {}
for i = 1, 20000 do long_list[i], named["k" .. i] = i, i end
t.ok(inspect.csv(long_list):find "\n20000$", "all of a long list")
t.is(select(2, inspect.csv(tw.freeze(named)):gsub("\n", "")), 20000, "and of its names")
t.ok(inspect.table(long_list):find "\n +60\n… 19940 more$", "but a table of some")

-- JSON.

t.is(inspect.json(nil), "null", "nil")
t.is(inspect.json(tw.freeze { a = { b = { 1, { c = "x" } } } }),
     '{"a":{"b":[1,{"c":"x"}]}}', "frozen tables in frozen tables")
t.is(inspect.json { all = { a = mean } }, '{"all":{"a":{"count":1,"sum":3,"value":3}}}',
     "statistics in tables")
t.ok(inspect.json(long_list):find ",20000]$", "a long list")
t.ok(inspect.json(tw.array(long_list)):find ",20000]$", "a long array")
t.raises("json: two keys '1'", inspect.json, { "a", ["1"] = "b" })

t.is(inspect.json { 1, 2.5, "é\n\0", true, { x = {} } },
     '[1,2.5,"é\\n\\u0000",true,{"x":[]}]', "JSON")
t.is(inspect.json { figures = { geometric = {} }, params = {}, trades = {} },
     '{"figures":{"geometric":{}},"params":{},"trades":[]}',
     "what has names is an object")
t.is(inspect.json { 0 / 0, 1 / 0 }, "[null,null]", "no number")
t.is(inspect.json { 1, a = 2 }, '{"1":1,"a":2}', "list and names")
t.is(inspect.json(tw.array { 1, 2 }), "[1,2]", "an array")
t.is(inspect.json(mean), '{"count":1,"sum":3,"value":3}', "a statistic")
t.is(inspect.json "\xff", '"\u{FFFD}"', "bytes that are no UTF-8")
t.raises("json: a table that is within itself", inspect.json, cycle)
t.raises("json: a function has no form in JSON", inspect.json, { print })

t.done()
