--- sweep_walk: where windows are, who is beside whom, many tests as one result.

package.path = "tests/?.lua;" .. package.path
local t, results = require "tw.test", require "results"
local report, walk = require "tw.report", require "tw.sweep_walk"

local DAY <const> = 86400 * 1000000000

-- Windows as "0-180:210": days of the training, and where the test ends.
local function shown(o, from, to)
  local fine, list = pcall(function() return walk.windows(walk.check(o), from, to) end)
  if not fine then return list end
  local out = {}
  for i, w in ipairs(list) do
    t.is(w.test_from, w.train_to, "the test begins where the training ends")
    out[i] = ("%g-%g:%g"):format(w.train_from / DAY, w.train_to / DAY, w.test_to / DAY)
  end
  return table.concat(out, " ")
end

t.is(walk.check {}, nil, "neither train nor walk")
t.is(shown({ train = 0.7 }, 0, 100 * DAY), "0-70:100", "a part")
t.is(shown({ train = "0.7" }, 0, 99 * DAY), "0-69:99", "to a midnight")
t.is(shown({ train = 0.5 }, 10, 10 + DAY), ("%g-%g:%g"):format(10 / DAY,
  0.5 + 10 / DAY, 1 + 10 / DAY), "or not, where there is none between")
t.is(shown({ train = "1970-02-01" }, 0, 100 * DAY), "0-31:100", "a date")
t.is(shown({ walk = "30d:10d" }, 0, 65 * DAY), "0-30:40 10-40:50 20-50:60 30-60:65",
     "sliding; the last one is shorter")
t.is(shown({ walk = "30d:100000000w" }, 17000 * DAY, 17065 * DAY), "17000-17030:17065",
     "a test that ends with the data")
t.ok(shown({ walk = "100000d:10d" }, 17000 * DAY, 17065 * DAY):find(
     "tw.sweep: walk: the data has no window of 100000d:10d", 1, true),
     "a training past the last time that there is")
t.is(shown({ walk = "30d:10d:20d" }, 0, 60 * DAY), "0-30:40 20-50:60", "with a step")
t.is(shown({ walk = "30d:10d" }, 0, 60 * DAY + 1), "0-30:40 10-40:50 20-50:60",
     "the last record, in which nothing can trade, is no test")
t.is(walk.windows(walk.check { walk = "30d:10d" }, 0, 60 * DAY + 1)[3].test_to,
     60 * DAY + 1, "but in the one before")
t.is(shown({ walk = "30d:10d:15d" }, 0, 45 * DAY + 1), "0-30:40", "nor behind a step")
t.is(shown({ walk = "4w:1w", anchored = true }, 0, 42 * DAY),
     "0-28:35 0-35:42", "anchored")

local function refuses(o, want)
  local fine, why = pcall(walk.check, o)
  t.is(fine or why, "tw.sweep: " .. want, want)
end
refuses({ walk = "30d" }, "walk: train:test, or train:test:step, expected, got '30d'")
refuses({ walk = "30d:1:2:3" },
        "walk: train:test, or train:test:step, expected, got '30d:1:2:3'")
refuses({ walk = "30d:x" }, "walk: a time like 180d expected in 30d:x, got 'x'")
refuses({ walk = "1.5d:1d" }, "walk: a time like 180d expected in 1.5d:1d, got '1.5d'")
refuses({ walk = "0d:1d" }, "walk: a time like 180d expected in 0d:1d, got '0d'")
refuses({ walk = "30d:10d:5d" }, "walk: the step of 30d:10d:5d is shorter than its test")
refuses({ train = 0.5, walk = "1d:1d" }, "either train or walk, not both")
refuses({ anchored = true }, "anchored: it is for walk")
for _, part in ipairs { 0, 1, -1, "soon" } do
  refuses({ train = part },
          "train: a part of the data, such as 0.7, or a date expected, got " .. part)
end
t.is(shown({ walk = "60d:10d" }, 0, 60 * DAY),
     "tw.sweep: walk: the data has no window of 60d:10d: it is from "
     .. "1970-01-01 00:00:00 to 1970-03-02 00:00:00", "too short")
t.is(shown({ train = "1980-01-01" }, 0, 60 * DAY), "tw.sweep: train: 1980-01-01 00:00:00 "
     .. "is not within the data, from 1970-01-01 00:00:00 to 1970-03-02 00:00:00",
     "a date that is not within")
t.is(shown({ walk = "1s:1s" }, 0, DAY), "tw.sweep: walk: more than 10000 windows",
     "too many windows")
t.is(walk.warmup { train_from = 0, test_from = 30 * DAY }, "2592000s", "warm-up")

-- ---- windows without data ----

-- Of days 0 to 7 with data on some; which are left, and what is said.
local function left(o, days)
  local windows = walk.windows(walk.check(o), 0, 8 * DAY)
  local fine, kept, text = pcall(walk.with_data, windows, function(spans)
    for _, span in ipairs(spans) do
      for _, day in ipairs(days) do
        if day * DAY >= span.from and day * DAY < span.to then span.found = true end
      end
    end
  end)
  if not fine then return kept end
  local list = {}
  for i, w in ipairs(kept) do list[i] = ("%g"):format(w.test_from / DAY) end
  return table.concat(list, " "), text
end
local DAILY <const> = { walk = "1d:1d" }
t.same({ left(DAILY, { 0, 1, 2, 3, 4, 5, 6, 7 }) }, { "1 2 3 4 5 6 7" }, "all have data")
t.same({ left(DAILY, { 0, 1, 2, 3, 4, 7 }) },
       { "1 2 3 4", "3 of 7 windows are left out: 1 without data at all, 1 without data"
         .. " in the training, 1 without data in the test" }, "a weekend")
t.same({ left(DAILY, { 1, 2, 3, 4, 5, 6, 7 }) },
       { "2 3 4 5 6 7",
         "1 of 7 windows is left out: 1 without data in the training" },
       "before the first record")
t.same({ left({ walk = "3d:2d" }, { 0, 1, 2, 3, 4, 5, 6 }) }, { "3 5" },
       "what is behind the last bar of a day is none")
t.is(left({ train = 0.5 }, { 4 }), "tw.sweep: no window has data in its training and its"
     .. " test: of 1 there are 1 without data in the training", "none is left")

-- ---- windows without a test ----

t.is(walk.untested({ {}, {} }, "sharpe"), nil, "all have one")
t.is(walk.untested({ {}, { untested = "no figure" } }, "sharpe"),
     "1 of 2 windows have no test: no run of the training has the figure sharpe (too few"
     .. " days, or nothing happened): choose by another one, such as --by total_return",
     "no figure")
t.is(walk.untested({ { untested = "no figure" } }, "geometric.total_return"),
     "there is no test: no run of the training has the figure geometric.total_return",
     "nor is there a better one")
t.is(walk.untested({ { untested = "failed" }, { untested = "failed" } }, "sharpe"),
     "none of 2 windows has a test: all runs of the training failed", "none of some")
t.is(walk.untested({ { untested = "ruined" }, {}, { untested = "failed" } }, "sharpe"),
     "2 of 3 windows have no test: in 1 all runs of the training that ended were ruined;"
     .. " in 1 all runs of the training failed", "ruined, and failed")

-- ---- neighbours ----

local function run_at(a, b, sharpe)
  return { places = { a, b }, result = sharpe and {
    figures = { arithmetic = { sharpe = sharpe } } } }
end
local grid, at = {}, {}
for a = 1, 4 do
  for b = 1, 3 do
    local run = run_at(a, b, a * 10 + b)
    grid[#grid + 1], at[a .. b] = run, run
  end
end
local function beside(name, ordered)
  return walk.neighbours(at[name], grid, "sharpe", ordered or { true, true })
end
t.is(beside "22", 22.0, "the median of the eight around")   -- 11 12 13 21 23 31 32 33
t.is(beside "11", 21, "in a corner of three")
at["12"].result = nil
t.is(beside "11", 21.5, "but for those that failed")
t.is(beside("33", { true, false }), 33.0, "of names only the same")
t.is(walk.neighbours(run_at(nil, nil, 1), grid, "sharpe", { true, true }), nil,
     "points at random have none")

-- ---- the tests as one ----

local one = results.make { days = 300 }
one.handled = 300
local joined = walk.join { one }
local same = joined.final == one.final and joined.start == one.start
             and #joined.days == #one.days and #joined.trades == #one.trades
for i, day in ipairs(joined.days) do same = same and day.equity == one.days[i].equity end
t.ok(same, "one alone is itself")

local two = results.make { days = 200, seed = 9 }
two.handled = 100
for _, day in ipairs(two.days) do day.time = day.time + 500 * DAY end
for _, trade in ipairs(two.trades) do
  trade.entry, trade.exit = trade.entry + 500 * DAY, trade.exit + 500 * DAY
end
joined = walk.join { one, two }
local factor = one.final / two.start
t.is(#joined.days, 500, "the days of both")
t.is(joined.final, two.final * (one.final / two.start), "what both have made")
t.is(joined.days[301].equity, two.days[1].equity * factor, "goes on from the first")
t.is(joined.trades[#one.trades + 1].pnl, two.trades[1].pnl * factor, "trades, too")
t.is(joined.trades[#one.trades + 1].quantity, two.trades[1].quantity * factor,
     "and how much they had")
t.ok(joined.trades[#one.trades + 1] ~= two.trades[1], "which are copies")
t.is(joined.figures.trades, #one.trades + #two.trades, "figures of all of them")
two.figures.exposure = 0.1
t.is(walk.join({ one, two }).figures.exposure,
     (0.7 * (one.to - one.from) + 0.1 * (two.to - two.from))
     / (one.to - one.from + two.to - two.from), "exposure, by time")
local growth = joined.days[#joined.days].equity / joined.days[1].equity - 1
t.ok(math.abs(joined.figures.total_return - growth) < 1e-12, "the return of the curve")
t.is(walk.join {}, nil, "of nothing there is none")

-- Tests of 6 hours: there are four a day, and a year has 365 days, not of them.
local quarters, ends, equity = {}, {}, 100.0
for i = 1, 40 do
  local final = 100 + (i * 7 % 11 - 4)
  equity = equity * final / 100
  ends[(i + 3) // 4] = { time = ((i + 3) // 4) * DAY, equity = equity }
  quarters[i] = { name = "x", start = 100.0, final = final, handled = 6, seconds = 0.0,
    from = (i - 1) * DAY // 4 + 1, to = i * DAY // 4, symbols = {}, trades = {},
    figures = { turnover = 2.0 }, days = { { time = i * DAY // 4, equity = final } },
    curve = { time = { i * DAY // 4 }, equity = { final } } }
end
for i = 9, 14, 4 do
  quarters[i].positions = { { symbol = "A", quantity = 1, price = 12.0, value = 12.0,
    entry = (i - 1) * DAY // 4 + 2, realised = 1.0, unrealised = 2.0, fees = 0.5 },
    { symbol = "B" } }
end
joined = walk.join(quarters)
local sums = require("tw.report_data").symbols(joined, {})[1].position
local factors = (ends[2].equity + ends[3].equity) / 100
t.ok(math.abs(sums.realised - factors) < 1e-9
     and math.abs(sums.unrealised - 2 * factors) < 1e-9
     and math.abs(sums.fees - factors / 2) < 1e-9 and sums.quantity == nil,
     "and what it came to, by symbol")
t.is(#joined.held .. " " .. joined.held[2].exit // DAY .. " " .. joined.held[2].value,
     "2 3 " .. 12.0 * ends[3].equity / 100, "what tests held at their ends")
t.is(#joined.days, 10, "several tests of one day are one day")
local mean, square = 0.0, 0.0
local function return_of(i) return ends[i].equity / ends[i - 1].equity - 1 end
for i = 2, 10 do mean = mean + return_of(i) / 9 end
for i = 2, 10 do square = square + (return_of(i) - mean) ^ 2 end
t.ok(math.abs(joined.figures.arithmetic.sharpe * math.sqrt(square / 8) / mean
              - math.sqrt(365)) < 1e-9, "of whose returns the Sharpe ratio is")
local many = {}
for i = 1, 40 do many[i] = results.make { days = 600, seed = i } many[i].handled = 1 end
joined = walk.join(many)
t.ok(#joined.curve.time <= 8192 and #joined.prices.SPY.time <= 8192
     and joined.curve.equity[#joined.curve.equity] == joined.final,
     "many points are thinned, not the last one")

-- ---- the report ----

joined = walk.join { one, two }
joined.by = "sharpe"
joined.windows = {
  { train_from = 0, train_to = 30 * DAY, test_from = 30 * DAY, test_to = 40 * DAY,
    params = { fast = 3, name = "<b>" }, train = 2.5, neighbours = 2.25, test = 1,
    ratio = 0.4 },
  { train_from = 10 * DAY, train_to = 40 * DAY, test_from = 40 * DAY,
    test_to = 50 * DAY },
}
joined.sweep = results.sweep()
local text = report.text(joined)
t.ok(text:find("Windows, best by Sharpe\n", 1, true)
     and text:find "\n1970%-01%-01  1970%-01%-31  1970%-02%-10 +3 +<b> +2.500 +2.250 "
     and text:find "\n1970%-01%-11  1970%-02%-10  1970%-02%-20 +%- +%- +%- ",
     "windows in the text")
-- Where there is little room times are told shorter, before anything is left out.
local WALK <const> = 400 * DAY + DAY * 19 // 48
local function walked(year)
  local many = walk.join { one, two }
  many.windows = {}
  for i = 0, 3 do
    local middle = WALK + (i == 3 and year or 1) * 365 * DAY + (i + 30) * DAY
    many.windows[i + 1] = { train_from = middle - 10 * DAY, test_from = middle,
      test_to = middle + (i == 3 and DAY // 3 or DAY), params = { fast = 3, slow = 1e6 },
      train = 2, neighbours = 1, test = 1, ratio = 0.5 }
  end
  return many
end
local function windows_in(width, year)
  return report.text(walked(year), width):match "Windows, best by Sharpe\n(.-)\n\n"
end
for _, case in ipairs {
  { 120, 1, "1972-02-25 09:30  1972-03-06 09:30  1972-03-07 09:30     3  1,000,000"
    .. "    2.000   1.000   1.000  0.500", "in full" },
  { 86, 2, "1972-02-25  1972-03-06  1972-03-07     3  1,000,000    2.000   1.000   1.000"
    .. "  0.500", "without times of day" },
  { 80, 1, "     02-25      03-06  03-07     3  1,000,000    2.000   1.000   1.000"
    .. "  0.500", "without the one year, too" },
  { 80, 2, "1972-03-06  1972-03-07     3  1,000,000    2.000   1.000   1.000  0.500",
    "not without several, but without when trainings began" },
  { 68, 1, "02-25  03-06  03-07     3  1,000,000    2.000   1.000   1.000  0.500",
    "under titles in two lines" },
  { 40, 1, "03-06     3  1,000,000    2.000   1.000", "in 40" },
  { 40, 2, "1972-03-06     3    2.000   1.000", "and without a parameter" } } do
  local shown = windows_in(case[1], case[2])
  t.ok(shown:find("\n" .. case[3] .. "\n", 1, true),
       ("windows in %d columns, %s"):format(case[1], case[4]))
end
joined.windows[1].test_to, joined.windows[2].test_from = 30 * DAY + DAY // 2,
  30 * DAY + DAY // 2
local intraday = report.text(joined, 60)
t.ok(intraday:find("\n      01-31     3  <b> ", 1, true)
     and intraday:find("\n01-31 12:00     -  ", 1, true),
     "a time of day that tells two windows apart stays")
t.ok(not text:find "held at their ends", "nothing is said of what tests held")
joined.held = { { symbol = "A", quantity = 1, price = 1.0, entry = 0, exit = DAY } }
t.ok(report.text(joined):find "\nSymbols; unrealised: of what tests held at their ends\n"
     and report.html(joined):find "<h2>Symbols<small>unrealised: of what tests held",
     "what is unrealised beside no position")
local html = report.html(joined, { title = "Walk" })
t.ok(html:find("<h2>Windows", 1, true) and html:find("&lt;b&gt;", 1, true)
     and html:find("Map of Sharpe", 1, true),
     "windows and the runs of the training on the page")

t.done()
