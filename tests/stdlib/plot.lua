--- plot: drawings as exact text.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local plot = require "tw.plot"
local stat = require "tw.stat"

local function draws(x, options, want, name)
  local text = tostring(plot.of(x, options))
  if not t.is(text, want, name) then t.diag(text) end
end

draws({ 1, 2, 3, 4 }, { width = 13, height = 2 }, [[
4 ┤     ⣀⠤⠔⠒⠉
1 ┤⣀⠤⠔⠒⠉
  └──────────
   1        4]], "a line")
draws({ 1, 0 / 0, 1, 5 }, { width = 13, height = 2 }, [[
5 ┤        ⡠⠊
1 ┤⡀     ⢀⠔⠁
  └──────────
   1        4]], "a gap")
draws({ 7, 7, 7 }, { width = 13, height = 2 }, [[
7.07 ┤⣀⣀⣀⣀⣀⣀⣀⣀
6.93 ┤
     └────────
      1      3]], "equal values")
draws({ 10000, 12345 }, { width = 18, height = 2 }, [[
12345 ┤     ⢀⣀⠤⠔⠒⠉
10000 ┤⣀⠤⠔⠒⠉⠁
      └───────────
       1         2]], "no exponents in what is not long")
local waves = {}
for i = 1, 1000 do waves[i] = i % 100 end
draws(waves, { width = 23, height = 3 }, [[
99 ┤ ⣸⡇⣸ ⣼ ⣾⢀⡇⢠⡇⢰⡇⣸⡇⣼ ⣾
   │⢠⠇⣧⢻⢰⢻⣸⢹⡼⡇⡞⣇⡏⣧⠇⣷⢻⣸⢹
 0 ┤⡞ ⡏⢸⡏⢸⠇⢸⠃⣿⠁⡿ ⡟ ⡏⢸⠇⢸
   └───────────────────
    1              1000]], "more values than dots")
draws({ 1, 2, 2, 3, 3, 3 }, { kind = "histogram", bins = 3, width = 20 }, [[
    1 │███▍ 1
1.667 │██████▋ 2
2.333 │██████████ 3]], "a histogram")
draws({ 5, 5 }, { kind = "histogram", width = 12 }, "5 │██████ 2", "of one value")
draws({ b = { 1, 8 }, a = { 4, 4, 9 } }, { kind = "spark" }, "a\n▁▁█\nb\n▁█",
      "several, by name")
local up_and_flat = { up = { 1, 2, 3, 4 }, flat = { 4, 4, 4 } }
draws(up_and_flat, { width = 13, height = 4, unit = "USD" }, [[
USD
  4 ┤******++
    │    ++
    │ +++
  1 ┤+
    └────────
     1      4
     * flat   + up]], "lines in one picture, by glyph; the unit")
draws(up_and_flat, { width = 13, height = 2, colours = true },
      "4 ┤\27[36m⠉⠉⠉⠉⠉\27[m\27[33m⣉⠭⠔⠒⠉\27[m\n1 ┤\27[33m⣀⠤⠔⠒⠉\27[m\n  └──────────\n"
      .. "   1        4\n   \27[36m━━\27[m flat   \27[33m━━\27[m up", "by colour")
t.is(tostring(plot.of({ 0, 10, 4 }, { 1, 1, 4 }, { width = 13, height = 2 })), [[
4 ┤    ⠑⠢⣀
1 ┤⣀⣀⣀⣀⣀⣀⣀⣉⣢⣄
  └──────────
   0       10]], "above values of x")
draws({ -1, 0, 3 }, { width = 14, height = 5, zero = true }, [[
 3 ┤        ⢀⠜
   │       ⢠⠊
 1 ┤      ⡰⠁
 0 ┤⠄⠄⠄⢄⡤⠜⠄⠄⠄⠄
-1 ┤⡠⠔⠊⠁
   └──────────
    1        3]], "with the line at 0")
draws({ a = { -1, 1 }, b = { 1, -1 } }, { width = 14, height = 5, zero = true }, [[
 1 ┤++      **
   │  ++  **
 0 ┤· · ++· ·
   │  **  ++
-1 ┤**      ++
   └──────────
    1        2
    * a   + b]], "which is dots among glyphs")
draws({ 1, 2, 3 }, { width = 14, height = 3, marks = { { 1, 1, "▲" }, { 3, 4, "○" },
                                                       { 0 / 0, 2, "x" } } }, [[
4 ┤          ○
  │     ⣀⡠⠤⠒⠒⠉
1 ┤▲⠤⠔⠊⠉
  └───────────
   1         3]], "marks, one of them above all values")
draws({}, { width = 14, height = 3, x = {}, marks = { { 1, 1, "▲" }, { 3, 4, "○" } } }, [[
4 ┤          ○
  │
1 ┤▲
  └───────────
   1         3]], "marks alone")
t.is(plot.area({ 0, 1, 3, 4 }, { { 0, 2, 0, 0 }, { 0, 0, -1, 0 } },
               { width = 15, height = 4 }), [[
 2 ┤   ⣿⣿⣿⣿⣿
   │  ⢰⣿⣿⣿⣿⣿⡆
 0 ┤⠄⠄⠼⠿⠿⠿⠿⠿⣧⣤⣤
-1 ┤        ⢹⣿⣿
   └───────────
    0         4]], "what is held, above 0 and below it")
t.is(plot.area({ 0, 1, 100 }, { { 50, 0, 0 } }, { width = 12, height = 2,
                                                  last = "end" }), [[
50 ┤
 0 ┤⡄⡀⡀⡀⡀⡀⡀⡀
   └────────
    0    end]], "of a short time the mean")
t.is(plot.columns({ 0, 1, 4, 8, 2 }, { width = 20, height = 3,
  places = { { 2, "0" }, { 0, "-2%" }, { 5, "3%" }, { 1, "no room" } } }), [[
8 ┤         ███
  │      ▄▄▄███
  │   ▃▃▃██████▆▆▆
  └┴─────┴───────┴
   -2%   0      3%]], "columns, with what is below them")
t.is(plot.columns({ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 5, 1, 1 }, { width = 10,
                                                               height = 2 }), [[
6 ┤     █
  │▅▅▅▅▅█▅
  └───────]], "more counts than room")
draws({ 1, 8, 4 }, { kind = "spark" }, "▁█▄", "a sparkline")
draws({ { bid = 1 }, { bid = 2 } }, { field = "bid", kind = "spark" }, "▁█", "a field")
draws(require "tw".array { 1, 2 }, { kind = "spark" }, "▁█", "an array")

local top = stat.topk { k = 2 }
for _, x in ipairs { 3, 3, 3, 7, 7 } do top:push(x) end
draws(top, { width = 20 }, [[
3 │██████████████ 3
7 │█████████▍ 2]], "a topk")
local median = stat.quantile(0.5)
for i = 1, 1000 do median:push(i) end
t.ok(tostring(plot.of(median, { bins = 4 })):find "^shares of 200\n[^\n]+ 5[0-9]?\n",
     "a quantile")

t.raises("plot: there is no number to draw", plot.of, {})
t.raises("plot: there is no number to draw", plot.of, { 0 / 0 }, { kind = "histogram" })
t.raises("keeps no values; declare it with a history", plot.of, stat.mean())
t.raises("a list of numbers expected, got a string", plot.of, "x")
t.raises("plot: a table is no number; name a field", plot.of, { {} })
t.raises("plot: a nil is no number", plot.of, { 1, 2, nil, 4 })
t.raises("plot: y has 1 values, x has 2", plot.of, { 1, 2 }, { 1 })
t.raises("more than 6 lines", plot.of,
         { a = {}, b = {}, c = {}, d = {}, e = {}, f = {}, g = {} })
t.raises("no option 'colour'", plot.of, { 1 }, { colour = 1 })
t.raises("kind must be line, histogram or spark, got pie", plot.of, { 1 },
         { kind = "pie" })
t.raises("a count below 0", plot.bars, { "a" }, { -1 })
t.raises("a count below 0", plot.columns, { 1, -1 })
t.raises("no counts", plot.columns, {})
t.raises("two times expected", plot.area, { 1, 1 }, { { 1, 2 } })
t.raises("no number to draw", plot.area, { 1, 2 }, { { 0 / 0, 0 / 0 } })

-- What a symbol has on the tape: its orders are no prices of it.
apps.prints("of records", { app = [[
  app.feed.csv { stdin = true }
  app.script "s.lua"]], input = "time,symbol,bid,ask\n1,A,1,1\n2,A,2,2\n3,A,3,3\n",
  ["s.lua"] = [[
    function M:on_quote(bid) if bid == 1 then self:buy("A", 1) end end
    function M:on_stop()
      local found, kinds = require "tw.tape":find("A", 20), {}
      for _, r in ipairs(found) do kinds[r.kind] = true end
      print(kinds.order, require "tw.plot".of(found, { kind = "spark" }))
    end]] }, "true\t▁▅█\n")

t.done()
