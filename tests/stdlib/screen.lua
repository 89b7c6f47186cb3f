--- screen: every rendering against the exact text it should be.

local t = require "tw.test"
local screen = require "tw.screen"

local huge, nan = math.huge, 0 / 0

local function all(name, cases)
  for _, case in ipairs(cases) do
    t.is(screen[name](case[1]), case[2], ("%s(%s)"):format(name, case[1]))
  end
end

all("number", {
  { 0, "0" }, { -0.0, "0" }, { 7, "7" }, { 7.0, "7" }, { 999, "999" }, { -999, "-999" },
  { 1000, "1.00k" }, { 12345, "12.3k" }, { 123456, "123k" }, { 999499, "999k" },
  { 999500, "1.00M" }, { 4560000, "4.56M" }, { -4560000, "-4.56M" },
  { 2.5, "2.50" }, { 0.5, "0.500" }, { 187.23, "187" }, { 999.7, "1.00k" },
  { 0.01234, "0.0123" }, { 0.0000123, "1.23e-05" },
  { 1e9, "1.00G" }, { 1e12, "1.00T" }, { 1e15, "1.00P" }, { 1e18, "1.00E" },
  { math.maxinteger, "9.22E" }, { math.mininteger, "-9.22E" }, { 1e21, "1.00e+21" },
  { 1e308, "1.00e+308" }, { huge, "inf" }, { -huge, "-inf" }, { nan, "nan" },
  { -nan, "nan" },
})

all("duration", {
  { 0, "0 ns" }, { 1e-9, "1 ns" }, { 850e-9, "850 ns" }, { 999.6e-9, "1.0 us" },
  { 12.3e-6, "12.3 us" }, { 123e-6, "123 us" }, { 999.6e-6, "1.0 ms" },
  { 4.5e-3, "4.5 ms" }, { 0.25, "250 ms" }, { 0.9996, "1.0 s" }, { 1.2, "1.2 s" },
  { 59.9, "59.9 s" }, { 59.96, "1m00s" }, { 125, "2m05s" }, { 3599, "59m59s" },
  { 3599.6, "1h00m" }, { 11220, "3h07m" }, { 90000, "25h00m" }, { -1.2, "-1.2 s" },
  { huge, "inf" }, { -huge, "-inf" }, { nan, "nan" },
})

all("bytes", {
  { 0, "0 B" }, { 512, "512 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" },
  { 1536, "1.5 KiB" }, { 102400, "100 KiB" }, { 1048575, "1.0 MiB" },
  { 64 << 20, "64.0 MiB" }, { 3 << 30, "3.0 GiB" }, { 1 << 40, "1.0 TiB" },
  { math.maxinteger, "8.0 EiB" }, { math.mininteger, "-8.0 EiB" }, { -1, "-1 B" },
  { 2.0 ^ 80, "1048576 EiB" }, { huge, "inf" }, { nan, "nan" },
})

for _, name in ipairs { "number", "duration", "bytes" } do
  t.raises("^[^\n]*screen%." .. name .. ": .* must be a number$", screen[name], "1")
end

t.is(screen.sparkline { 1, 2, 3, 4, 5, 6, 7, 8 }, "▁▂▃▄▅▆▇█", "a ramp")
t.is(screen.sparkline({ 1, 2, 3, 4, 5, 6, 7, 8 }, 3), "▁▅█", "the last values")
t.is(screen.sparkline({ 0, 1 }, 4), "  ▁█", "fewer values than columns")
t.is(screen.sparkline({ 3, 3, 3 }, 3), "▄▄▄", "equal values")
t.is(screen.sparkline({ 5 }, 1), "▄", "one value")
t.is(screen.sparkline({}, 3), "   ", "no values")
t.is(screen.sparkline {}, "", "no values, no width")
t.is(screen.sparkline({ 1 }, 0), "", "no columns")
t.is(screen.sparkline { 0, nan, 1 }, "▁ █", "nan is a gap")
t.is(screen.sparkline { nan, nan }, "  ", "nothing but nan")
t.is(screen.sparkline { 0, huge, 1, -huge }, "▁██▁", "infinities do not scale")
t.is(screen.sparkline { huge, -huge }, "█▁", "nothing but infinities")
t.is(screen.sparkline { -1e308, 0, 1e308 }, "▁▅█", "a span past the largest float")
t.is(screen.sparkline { math.mininteger, -1, math.maxinteger }, "▁▅█",
  "a span past the largest integer")
t.is(screen.sparkline { 0, -7, 7 }, "▅▁█", "negative values")
t.raises("screen%.sparkline: width must be an integer", screen.sparkline, {}, -1)
t.raises("screen%.sparkline: width must be an integer", screen.sparkline, {}, 1.5)

t.is(screen.table({
  { "AAPL", 187.23, "12.3 us", "▁█" },
  { "BP", 9, "850 ns", "▁▂▃" },
  { "Kōbe", -12.5, nil, "" },
}, { "symbol", "bid", "latency", "history" }), table.concat({
  "symbol     bid  latency  history",
  "AAPL    187.23  12.3 us  ▁█",
  "BP           9   850 ns  ▁▂▃",
  "Kōbe     -12.5",
}, "\n"), "a table")
t.is(screen.table({ { "1a", "x" }, { "z", "y" } }, { "a", "b" }),
  "a   b\n1a  x\nz   y", "one word makes a column of words")
t.is(screen.table({ { "12" }, { "-" } }, { "a" }), " a\n12\n -", "but not a dash")
t.is(screen.table({ { "nan" }, { "-inf" }, { ".5" } }, { "value" }),
  "value\n  nan\n -inf\n   .5", "nan and inf are numbers")
t.is(screen.table({}, { "one", "two" }), "one  two", "no rows")
t.is(screen.table({ { true, "x\ny" } }, { "a", "b" }), "a     b\ntrue  x y",
  "a boolean, a line feed")
t.is(screen.table({ { "\xff\xff", 1 } }, { "a", "b" }), "a   b\n\xff\xff  1",
  "bytes that are not UTF-8")
t.raises("screen%.table: columns", screen.table, {}, {})
t.is(screen.table({ { 1, "x" } }, { "a\nbc", "d" }), " a\nbc  d\n 1  x",
  "a title of two lines")

local ROWS, TITLES = { { "1", "0.5%", "x y", 7 }, { "2", "-1%", "z", nil } },
  { "#", "Max drawdown", "two words of it", "seven" }
local function narrow(width, ...) return screen.narrow(ROWS, TITLES, width, ...) end
t.is(narrow(39), screen.table(ROWS, TITLES), "a table that fits stays as it is")
t.is(narrow(38), table.concat({
  "        Max  two words",
  "#  drawdown  of it      seven",
  "1      0.5%  x y            7",
  "2       -1%  z" }, "\n"), "titles in two lines")
t.is(narrow(28, { "seven", "#" }), table.concat({
  "        Max  two words",
  "#  drawdown  of it",
  "1      0.5%  x y",
  "2       -1%  z" }, "\n"), "without a column")
t.is(narrow(21, { "none", "seven", "#" }), table.concat({
  "     Max  two words",
  "drawdown  of it",
  "    0.5%  x y",
  "     -1%  z" }, "\n"), "without two")
t.is(narrow(12), "        Max \n#  drawdown \n1      0.5% \n2       -1% ", "cut")
t.is(#TITLES + #ROWS[1], 8, "what was given stays as it is")

local function frame(lines, width, height)
  return table.concat(screen.frame(lines, width, height), "|")
end
t.is(frame({ "abc", "de" }, 80, 24), "abc|de", "a frame that fits")
t.is(frame({ "abc", "de", "f" }, 2, 2), "ab|de", "a frame that is cut")
t.is(frame({ "a\nb", "", "c\n" }, 80, 24), "a|b||c|", "several lines in one")
t.is(frame({ "a\nb\nc" }, 80, 2), "a|b", "several lines in one, cut")
t.is(frame({ "▁▂▃▄" }, 3, 1), "▁▂▃", "characters count, not bytes")
t.is(frame({ "▁▂▃" }, 3, 1), "▁▂▃", "as wide as the screen")
t.is(frame({ "a\27[2J\tb\0\127" }, 80, 1), "a [2J b  ", "control characters")
t.is(frame({ "a\u{9b}b" }, 80, 1), "a b", "control characters above 127")
t.is(frame({ "é\xff▁" }, 80, 1), "??????", "a line that is not UTF-8")
t.is(frame({ "\xff\xfe\xfd" }, 2, 1), "??", "the same, cut")
t.is(frame({ "abc" }, 0, 1), "", "no columns left")
t.is(#screen.frame({ "abc" }, 3, 0), 0, "no lines left")
t.is(#screen.frame({}, 3, 3), 0, "nothing to show")
t.raises("screen%.frame: width and height", screen.frame, {}, -1, 1)
t.raises("screen%.frame: width and height", screen.frame, {}, 1, 1.5)

t.is(screen.progress(0.5, "5 of 10", 80),
  ("█"):rep(15) .. ("░"):rep(15) .. "  50 %  5 of 10", "a bar")
t.is(screen.progress(1, "5 of 10", 22), "██████ 100 %  5 of 10", "a shorter one")
t.is(screen.progress(0, "5 of 10", 22), "░░░░░░   0 %  5 of 10", "that is empty")
t.is(screen.progress(0.25, "5 of 10", 10), "  25 %  5", "no room for it")
t.is(screen.progress(0.25, "5 of 10", 0), "", "nor for anything")
t.is(screen.progress(7, "", 30), ("█"):rep(21) .. " 100 %  ", "more than all")

t.is(screen.diff(nil, { "a", "", "b" }), "\27[2J\27[1;1H\27[Ka\27[3;1H\27[Kb",
  "the first paint clears")
t.is(screen.diff(nil, {}), "\27[2J", "the first paint of nothing")
t.is(screen.diff({ "a", "b" }, { "a", "b" }), "", "nothing changed")
t.is(screen.diff({ "a", "b", "c" }, { "a", "x", "c" }), "\27[2;1H\27[Kx", "one line")
t.is(screen.diff({ "a", "b", "c" }, { "a" }), "\27[2;1H\27[K\27[3;1H\27[K",
  "lines that went away")
t.is(screen.diff({ "a" }, { "a", "b" }), "\27[2;1H\27[Kb", "a line that came")
t.is(screen.diff({ "a" }, { "" }), "\27[1;1H\27[K", "a line that became empty")

t.done()
