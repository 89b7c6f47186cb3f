--- report: pages and texts of results, and the numbers that they draw.

package.path = "tests/?.lua;" .. package.path
local t, tw = require "tw.test", require "tw"
local data, figures = require "tw.report_data", require "tw.report_figures"
local report, svg = require "tw.report", require "tw.report_svg"
local results = require "results"

local DAY <const> = 86400 * 1000000000

-- A result of equities by date, at 16:00: of { "2020-01-31", 100, … }.
local function of(list, start)
  local days = {}
  for i = 1, #list, 2 do
    local y, m, d = list[i]:match "(%d+)-(%d+)-(%d+)"
    local a = (14 - m) // 1 // 12
    y, m = y + 4800 - a, m + 12 * a - 3      -- the Julian day number
    local number = d + (153 * m + 2) // 5 + 365 * y + y // 4 - y // 100 + y // 400 - 32045
    days[#days + 1] = { time = (number // 1 | 0) * DAY - 2440588 * DAY + DAY * 2 // 3,
                        equity = list[i + 1] }
  end
  return { name = "x", days = days, start = start }
end

local function count(text, what)
  local n, at = 0, 1
  while true do
    local from, to = text:find(what, at, true)
    if not from then return n end
    n, at = n + 1, to + 1
  end
end

-- ---- the numbers ----

local known = of({ "2019-12-30", 100.0, "2019-12-31", 110.0, "2020-01-15", 99.0,
  "2020-01-31", 121.0, "2020-03-02", 60.5, "2020-03-31", 90.75, "2021-02-01", 181.5 },
  100.0)
local curve, days = data.equity(known)
t.is(data.date(days.time[3]), "2020-01-15", "days are what they were made of")
t.same(data.months({ time = { 1580428800, 1580515200, 1580601600 },
                     value = { 10.0, 15.0, 12.0 } }, 10.0),
  { { year = 2020, [1] = 0.5, [2] = 12.0 / 15 - 1, total = 12.0 / 10 - 1 } },
  "a daily bar of the 31st ends at midnight, and is of that month")
t.same(curve, days, "days stand in for a curve")
t.same(data.months(days, 100.0), {
  { year = 2019, [12] = 110.0 / 100 - 1, total = 110.0 / 100 - 1 },
  { year = 2020, [1] = 121.0 / 110 - 1, [3] = 90.75 / 121 - 1, total = 90.75 / 110 - 1 },
  { year = 2021, [2] = 181.5 / 90.75 - 1, total = 181.5 / 90.75 - 1 },
}, "months and years")
t.same(data.months(days, nil)[1], { year = 2019 }, "months without a start")
t.same(data.underwater(days), { 0, 0, 99.0 / 110 - 1, 0, -0.5, -0.25, 0 }, "underwater")
t.same(data.drawdowns(days, 5), {
  { depth = -0.5, peak = days.time[4], trough = days.time[5], recovered = days.time[7] },
  { depth = 99.0 / 110 - 1, peak = days.time[2], trough = days.time[3],
    recovered = days.time[4] },
}, "drawdowns")
t.same(data.drawdowns({ time = { 1, 2, 3 }, value = { 5, 4, 3 } }, 5),
       { { depth = 3 / 5 - 1, peak = 1, trough = 3 } }, "one that lasts")
local fell = { time = { 1, 2, 3 }, value = { 8, 9, 10 } }
t.same(data.underwater(fell, 10), { 8 / 10 - 1, 9 / 10 - 1, 0 },
       "from what it had at the start")
t.same(data.drawdowns(fell, 5, 10),
       { { depth = 8 / 10 - 1, peak = 1, trough = 1, recovered = 3 } }, "likewise")
t.same(data.drawdowns(fell, 5, 5), {}, "a start below all of it")
t.same(data.returns { time = { 1, 2, 3, 4 }, value = { 10, 5, 0, 5 } },
       { time = { 2, 3 }, value = { -0.5, -1 } }, "no return on nothing")
t.same(data.returns({ time = { 1, 2, 3, 4 }, value = { 10, 5, 2, 4 } }, 1.5),
       { time = { 2 }, value = { -0.5 } }, "nor behind the day of the ruin")
t.same(data.months(days, 100.0, days.time[5] - 1), {
  { year = 2019, [12] = 110.0 / 100 - 1, total = 110.0 / 100 - 1 },
  { year = 2020, [1] = 121.0 / 110 - 1, total = 121.0 / 110 - 1 },
}, "no months from that of the ruin on")
t.same(data.months(days, 100.0, days.time[1]), {}, "none at all")
t.same(data.equity { curve = { time = { 3e9, 1e9, 4e9, 4e9, 0 / 0, 5e9 },
                               equity = { 1, 2, 0 / 0, 3, 4, 1 / 0 } } },
       { time = { 3, 4 }, value = { 1, 3 } }, "what is no point is left out")

local alternating = { time = {}, value = {} }
for i = 1, 300 do
  alternating.time[i] = i
  alternating.value[i] = i % 2 == 0 and 0.02 or -0.01
end
local rolling, window = data.rolling_sharpe(alternating, 252)
t.is(window, 126, "rolling: half a year")
t.is(#rolling.time, 300 - 125, "rolling: begins when the window is full")
t.near(rolling.value[1], 0.005 / math.sqrt(126 * 0.015 ^ 2 / 125) * math.sqrt(252), 1e-9,
       "rolling Sharpe")
t.near(rolling.value[175], rolling.value[1], 1e-9, "and it does not drift")
t.is(data.rolling_sharpe({ time = {}, value = { 0.1 } }, 252), nil, "rolling: too short")

local bins = data.histogram { -0.02, -0.01, 0.01, 0.015, 0.03 }
t.is(bins.low + 4 * bins.step, 0.0, "histogram: a border at 0")
t.same(table.move(bins, 1, 11, 1, {}), { 1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1 }, "histogram")
t.is(data.histogram { 0.1, 0.1 }, nil, "histogram of one value")

local held = data.exposure(data.trades { trades = {
  { symbol = "A", entry = 10 * DAY, exit = 12 * DAY, quantity = 5, entry_price = 10.0 },
  { symbol = "F", entry = 11 * DAY, exit = 12 * DAY, quantity = -1, entry_price = 10.0,
    pnl = 20.0, ratio = 0.2 },               -- a multiplier of 10
} }, { time = { 10 * 86400, 11 * 86400, 13 * 86400 }, value = { 100, 200, 100 } })
t.same(held, { time = { 864000, 950400, 1036800, 1123200 }, long = { 0.5, 0.25, 0, 0 },
               short = { 0, -0.5, 0, 0 } }, "exposure")
t.same(data.exposure(data.trades { trades = {
  { symbol = "A", entry = 10 * DAY, exit = 13 * DAY, quantity = 5, entry_price = 10.0,
    exit_price = 16.0 },
  { symbol = "S", entry = 10 * DAY, exit = 13 * DAY, quantity = -2, entry_price = 20.0,
    exit_price = 15.0 },
} }, { time = { 10 * 86400, 11 * 86400, 13 * 86400 }, value = { 100, 200, 200 } },
  { prices = { A = { time = { 10 * DAY, 11 * DAY, 12 * DAY },
                     close = { 12.0, 20.0, 4.0 } },
               S = { time = { 9 * DAY, 11 * DAY }, close = { 1.0, 25.0 } } } }),
  { time = { 864000, 950400, 1123200 }, long = { 0.6, 0.5, 0 },
    short = { -0.4, -0.25, 0 } }, "exposure, at the prices of then")

-- Where each day is one of trading, a year has 365 of them, as its figures have it.
local daily = { start = 100.0, days = {}, figures = { arithmetic = { sharpe = 1.0 } } }
for i = 1, 60 do
  daily.days[i] = { time = (18262 + i) * DAY, equity = 100.0 + i * 7 % 11 }
end
local _, every = data.equity(daily)
local without = { time = {} }                -- Saturdays: it opens on Sunday evenings
for i, s in ipairs(every.time) do
  if i % 7 ~= 4 then table.insert(without.time, s) end
end
t.is(data.year(every) .. " " .. data.year { time = { 5 * 86400 } } .. " "
     .. data.year(without), "365 252 252", "days of trading")
local of_year, other = data.rolling_sharpe(data.returns(every), 365),
                       data.rolling_sharpe(data.returns(every), 252)
t.near(of_year.value[30] / other.value[30], math.sqrt(365 / 252), 1e-9, "rolling, too")
local with_365 = report.html(daily)
t.ok(with_365:find("21 days, a year of 365", 1, true)
     and with_365:find("n of them; a year has 365", 1, true)
     and with_365:find('title="mean(r) / sd(r) · √365"', 1, true)
     and with_365:find("√((var(r) + g²)^365 − g^730)", 1, true)
     and not with_365:find("√252", 1, true), "and all formulas")
t.ok(report.text(daily):find("\nRolling Sharpe, 21 days, a year of 365\n", 1, true),
     "in text, too")

-- A position that is never closed: its entry is marked, and what it takes is drawn.
local kept = of({ "2020-01-02", 100.0, "2020-01-03", 110.0, "2020-01-04", 105.0 }, 100.0)
kept.prices = { A = { time = { 1577980800e9, 1578067200e9, 1578153600e9 },
                      close = { 10.0, 11.0, 10.5 } } }
kept.positions = { { symbol = "A", quantity = 5, price = 10.0, mark = 10.5, value = 50.0,
                     entry = 1577980800000000000, realised = 0.0, unrealised = 2.5 },
                   { symbol = "B", quantity = 0, price = 0.0, realised = 1.0 } }
local all = data.with_open({}, kept)
t.is(#all .. " " .. all[1].symbol .. " " .. tostring(all[1].exit), "1 A nil",
     "what was open at the end")
t.same(data.exposure(all, (data.equity(kept)), kept).long, { 0.5, 55 / 110, 52.5 / 105 },
       "has an exposure")
local two_scripts = data.symbols({ positions = {
  { symbol = "A", quantity = 5, price = 10.0, mark = 12.0, realised = 1.0,
    unrealised = 10.0, fees = 0.5 },
  { symbol = "A", quantity = 15, price = 12.0, mark = 12.0, realised = -3.0,
    unrealised = 0.0, fees = 0.25 },
  { symbol = "B", quantity = 2, price = 3.0, realised = 0.0 },
  { symbol = "B", quantity = -2, price = 5.0, realised = 4.0 } } }, {})
t.same({ two_scripts[1].position, two_scripts[2].position },
       { { quantity = 20, price = 11.5, mark = 12.0, realised = -2.0, unrealised = 10.0,
           fees = 0.75 }, { quantity = 0, realised = 4.0 } },
       "a symbol's row has what all scripts hold of it")
t.ok(report.text { start = 1, final = 0.995802, figures = { fees = 0.000198 } }
     :find "Equity +0%.99580%s.*Fees paid +0%.00020%s",
       "a whole that is small in figures")
local shown = report.html(kept)
t.ok(shown:find('"#long"', shown:find("<h3>A</h3>", 1, true), true)
     and not shown:find("No trades.</p></section>\n<section><h2>Figures", 1, true),
     "and its entry on the price")
t.ok(report.text(kept):find "\nExposure, value held.*\nNo trades%.", "in text, too")

for _, case in ipairs {
  { 0.1234, "percent", "12.34%" }, { -0.00001, "percent", "0.00%" },
  { 1234567.891, "money", "1,234,567.89" }, { -1234.5, "money", "-1,234.50" },
  { 1.23456, "ratio", "1.235" }, { 584, "days", "584 d" }, { 1.25, "days", "1.2 d" },
  { 12.5, "number", "12.5" }, { 5e-9, "number", "0.000000005" },
  { -2.5e-12, "number", "-2.5e-12" }, { 123456789.1, "number", "123,456,789.1" },
  { 100.0, "number", "100" }, { 2e14, "number", "200,000,000,000,000" },
  { -0.0, "number", "0" }, { 1000000, "number", "1,000,000" },
  { 0 / 0, "ratio", "–" }, { 1 / 0, "percent", "–" }, { "x", "money", "–" },
  { 123456789, "percent", "12,345,678,900%" }, { 1.5e64, "percent", "1.5e+66%" },
  { -1.5e64, "ratio", "-1.5e+64" },
  { 123456789012345.25, "money", "123,456,789,012,345" }, { 1e39, "money", "1e+39" },
  { 0.00123456, "money", "0.00123" }, { 0.05, "money", "0.05" },
  { 1e-9, "money", "0.00" },
  { -0.000198, "money", "-0.000198" }, { 1.00234, "money", "1.00" },
  { 1.00234, "money", "1.00234", 1 }, { 12.5, "money", "12.5000", 10 },
  { 12.5, "money", "12.50", 1000 }, { 0.00000001, "money", "0.00000001" },
} do
  t.is(figures.show(case[1], case[2], case[4]), case[3], "shows " .. case[3])
end
for _, case in ipairs { { 5, "5" }, { "a b", "a b" }, { true, "true" },
                        { { 1, x = 2 }, "{1, x = 2}" } } do
  t.is(figures.text(case[1]), case[2], "a parameter: " .. case[2])
end
t.is(data.span(0, 86400 * 40), "1970-01-01 to 1970-02-10", "a span of days")
t.is(data.span(60, 3600), "1970-01-01 00:01 to 01:00", "of a day")
t.is(data.span(0, 86400), "1970-01-01 00:00 to 1970-01-02 00:00", "of two")
t.same({ data.unit(200) }, { "min", 60 }, "durations in minutes")
t.same({ data.unit(90000 * 10) }, { "d", 86400 }, "in days")
t.is(svg.axis(15000, "money"), "15k", "axis: thousands")
t.is(svg.axis(-0.25, "percent"), "−25%", "axis: a true minus")
t.is(svg.axis(100001.5, "money", 0.5), "100.0015k", "axis: not as what is a step away")
t.is(svg.axis(150000, "money", 50000), "150k", "axis: no more digits than that takes")
t.is(svg.escape "<a b=\"c\" d='e'>&\1\xff", "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"
     .. "\u{FFFD}\u{FFFD}", "escape")

-- ---- the page of a run ----

local html = report.html(results.make {})
t.is(html, report.html(results.make {}), "the same input, the same bytes")
t.is(html, report.html(tw.freeze(results.make {})), "a frozen result")
t.is(html:sub(1, 15), "<!DOCTYPE html>", "a page")
for _, title in ipairs { "Equity and drawdown", "Returns by month", "Rolling Sharpe",
    "Distribution of returns", "Trades on price", "Exposure", "Figures",
    "Deepest drawdowns", "Symbols", "Trades", "Orders", "Formulas" } do
  t.ok(html:find(">" .. title .. "<"), "has " .. title)
end
for _, word in ipairs { "http:", "https:", "url(", "@import", "src=", "nan", "inf",
                        "1e+", "<link rel=\"style" } do
  t.is(count(html:gsub("<style>.-</style>", ""):gsub("<script>.-</script>", ""), word), 0,
       "nothing like " .. word)
end
t.ok(html:find('title="mean%(r%) / sd%(r%) · √252"'), "figures have their formulas")
t.ok(report.html(known):find('class="g" style="--a:0.60">100.0', 1, true),
     "a month in the table")

-- Every tag that must be closed is.
local function balanced(page)
  local open = {}
  page = page:gsub("<style>.-</style>", ""):gsub("<script>.-</script>", "")
  for slash, name, rest in page:gmatch "<(/?)([%a][%w]*)([^>]*)>" do
    local void = name == "meta" or name == "link" or name == "br" or name == "td"
                 or name == "tr" or rest:find "/$"
    if slash == "/" then
      if name ~= "tr" and name ~= "td" and table.remove(open) ~= name then
        return "</" .. name .. ">"
      end
    elseif not void then
      open[#open + 1] = name
    end
  end
  return open[1] or "all closed"
end
t.is(balanced(html), "all closed", "markup of a run")
t.is(balanced(report.html(results.sweep())), "all closed", "markup of a sweep")
t.is(balanced(report.html {}), "all closed", "markup of nothing")

-- Names that would be markup, in every place of a result.
local EVIL <const> = "</script><script>evil()</script>"
  .. "<img src=x onerror=\"evil()\">'\0\xff"
local bad = results.make { name = EVIL, symbol = EVIL, params = { [EVIL] = EVIL } }
bad.version, bad.currency, bad.hash, bad.data = EVIL, EVIL, EVIL, { EVIL }
for _, order in ipairs(bad.orders) do
  order.side, order.type, order.tif, order.status = EVIL, EVIL, EVIL, EVIL
  order.reason, order.label, order.id = EVIL, EVIL, EVIL
end
local sweep = results.sweep()
sweep[1].error, sweep[2].params = EVIL, { [EVIL] = EVIL, fast = EVIL, slow = EVIL }
sweep[3].name = EVIL
for _, case in ipairs { { "run", bad }, { "sweep", sweep } } do
  local name, page = case[1], report.html(case[2], { title = EVIL })
  t.is(count(page, "<script>"), 1, name .. ": one script, ours")
  t.is(count(page, "<img"), 0, name .. ": no image")
  t.is(count(page, "%z"), 0, name .. ": no control characters")
  t.ok(utf8.len(page), name .. ": UTF-8")
  t.is(balanced(page), "all closed", name .. ": whole")
end

-- What is short, flat, broken or much.
local function with(o, change)
  local r = results.make(o)
  change(r)
  return r
end
local function equity(f)
  return function(r)
    r.curve = nil
    for i, day in ipairs(r.days) do day.equity = f(i) end
  end
end
local odd = {
  ["nothing"] = { {}, "No runs" },
  ["a name alone"] = { { name = "x" }, "The result has no equity and no trades" },
  ["one day"] = { results.make { days = 1 }, "Fewer than two points" },
  ["two days"] = { results.make { days = 2 }, "Fewer than 42 days" },
  ["no trades"] = { with({}, function(r) r.trades, r.orders = {}, nil end), "No trades" },
  ["equity that stays"] = { with({}, equity(function() return 1e4 end)), "do not vary" },
  ["equity that ends at 0"] = { with({}, equity(function(i)
    return math.max(10000 - i * 30, 0) end)), "−100.0" },
  ["equity below 0"] = { with({}, equity(function(i) return 10000 - i * 30 end)), "k" },
  ["no number"] = { with({}, equity(function() return 0 / 0 end)), "Fewer than two" },
  ["a jump"] = { with({}, equity(function(i) return i < 250 and 1 or 1e6 end)),
                 "logarithmic" },
  ["huge numbers"] = { with({}, equity(function(i) return i % 2 == 0 and 1e300 or 1 end)),
                       "Equity" },
  ["wrong types"] = { with({}, function(r)
    r.figures = { total_return = "x", arithmetic = 3, trades = 0 / 0 }
    r.trades[1] = { symbol = true, entry = "y", quantity = 1 / 0, pnl = 0 / 0 }
    r.trades[2], r.positions, r.prices = 5, { 7 }, { SPY = 3 }
    r.params, r.from, r.symbols = "params", 1 / 0, "symbols"
  end), "crossover" },
}
for _, name in ipairs(data.keys(odd)) do
  local case = odd[name]
  local fine, page = pcall(report.html, case[1])
  t.ok(fine and page:find(case[2], 1, true), name .. ": drawn")
  if not fine then t.diag(page)
  else
    local marks = page:gsub("<style>.-</style>", ""):gsub("<script>.-</script>", "")
    t.is(count(marks, "nan") + count(marks, '"inf') + count(marks, "-inf"), 0,
         name .. ": no nan")
    t.is(balanced(page), "all closed", name .. ": whole")
  end
  local printed, said = pcall(report.text, case[1])
  t.ok(printed, name .. ": printed")
  if not printed then t.diag(said) end
end

local many = results.make {}
local n = #many.trades
for i = n + 1, 5000 do
  many.trades[i], many.orders[i] = many.trades[(i - 1) % n + 1], many.orders[1]
end
local page = report.html(many)
t.ok(page:find("The first 1,000 of 5,000 trades.", 1, true), "1,000 trades of 5,000")
t.ok(page:find("The first 1,500 of 5,000 trades are marked.", 1, true), "and marks")
t.ok(#page < 1000000, "5,000 trades: " .. #page .. " bytes")

local POINTS = os.getenv "SMALL" and 20000 or 200000
local times, values = {}, {}
for i = 1, POINTS do
  times[i], values[i] = 1.7e18 + i * 1e9, 10000 + (i * 7919) % 1000
end
local long = { name = "x", curve = { time = tw.array(times), equity = tw.array(values) } }
page = report.html(long)
t.ok(#page < 250000, ("%d points: %d bytes"):format(POINTS, #page))

-- ---- the page of a sweep ----

page = report.html(results.sweep())
t.is(count(page, 'data-of="map"'), 3, "a map for each pair of three parameters")
t.is(count(page, 'data-of="map" data-name="1">'), 1, "of which one is shown")
t.ok(page:find('<h1>The best run</h1><p><span>fast <b>8</b>', 1, true), "the best run")
t.ok(page:find('class="g top" style="--a:0.65" title="fast 8, slow 40: 2.035, best of 2: '
     .. '2.050">2.035', 1, true), "its cell: the median, and the best")
t.ok(page:find("crossover.lua:12: no number\nstack traceback:", 1, true), "a failure")
t.ok(page:find("49 runs", 1, true) == nil and page:find("50 runs · 1 failed", 1, true),
     "how many")
t.ok(report.html(results.sweep(), { x = "stop", y = "slow" })
     :find('<option value="1">stop × slow<', 1, true), "which map is first")
local by = report.html(results.sweep(), { by = "max_drawdown" })
t.ok(by:find("<b>4</b>", by:find("The best run", 1, true), true), "best by a figure")
local both = results.sweep()
for i, r in ipairs(both) do
  r.figures = r.figures and { arithmetic = { sharpe = i }, geometric = { sharpe = -i } }
end
by = report.html(both, { by = "geometric.sharpe" })
t.ok(by:find('title="annual return / volatility">geometric Sharpe<', 1, true)
     and by:find('title="mean(r) / sd(r) · √252">Sharpe<', 1, true)
     and by:find('class="name"[^>]*>geometric Sharpe<'), "the figure by its whole name")
t.is(report.html(results.sweep()), report.html(results.sweep()), "the same bytes")
t.is(report.html(tw.freeze(results.sweep())), report.html(results.sweep()),
     "frozen results")

local few = {}
for i = 0, 7 do
  few[i + 1] = { params = { a = i % 2, b = i // 2 % 2 }, figures = { arithmetic = {
                                                                     sharpe = i } } }
end
t.ok(report.html(few):find(">the median of a cell&#39;s runs; outlined", 1, true),
     "two runs of each point, as a walk-forward has them: what a cell shows")
t.ok(not report.html(table.move(few, 1, 4, 1, {})):find("median of", 1, true),
     "not of one")

local grid = {}
for i = 0, 9999 do
  grid[i + 1] = { params = { a = i % 100, b = i // 100 },
                  figures = { arithmetic = { sharpe = math.sin(i) } } }
end
page = report.html(grid)
t.ok(page:find("The first 1,000 of 10,000 runs.", 1, true), "1,000 runs of 10,000")
t.ok(page:find("1,000 of 10,000 runs;", 1, true), "and lines")
t.ok(#page < 600000, "10,000 runs: " .. #page .. " bytes")
page = report.html { { params = { a = 0 / 0, b = true }, figures = { arithmetic = {} } },
  { params = { a = 1, b = "x" }, figures = { arithmetic = { sharpe = 1 } } },
  { params = { a = "y", b = 2 }, figures = { arithmetic = { sharpe = 0 / 0 } } } }
t.is(balanced(page), "all closed", "parameters of many types")
t.ok(report.html({ { params = { a = 1 }, error = "x" } }):find "Failed runs",
     "all runs failed")

-- ---- text ----

for _, case in ipairs { { "a run", results.make { days = 900 } },
                        { "a sweep", results.sweep() }, { "evil", bad } } do
  for _, width in ipairs { 40, 56, 57, 60, 80, 120 } do
    local widest = 0
    for line in report.text(case[2], width):gmatch "[^\n]+" do
      widest = math.max(widest, utf8.len(line) or 1000)
    end
    t.ok(widest <= width, ("%s in %d columns: %d"):format(case[1], width, widest))
  end
end
local text = report.text(known)
t.ok(text:find("2020 10.0       -25", 1, true), "months in text")
t.ok(text:find("No trades.", 1, true), "no trades in text")
t.ok(report.text(results.make {}):find "Best trades\nsymbol +entry", "trades in text")
t.ok(report.text(results.sweep()):find "\n 1 +20.50%% +2.050 +-18.00%% +92 +fast=8 mode",
     "runs in text")
t.is(text:find "[%z\1-\9\11-\31]", nil, "no control characters")

-- Of several symbols: their charts, and a table from which no number is cut.
local pair = results.make { days = 900 }
local other = results.make { days = 900, seed = 8, symbol = "QQQ" }
for _, trade in ipairs(other.trades) do pair.trades[#pair.trades + 1] = trade end
pair.prices.QQQ, pair.symbols = other.prices.QQQ, { "SPY", "QQQ" }
pair.positions[2] = { symbol = "QQQ", quantity = -123456789, price = 98765.4321,
  mark = 123456.789, realised = -987654321.12, unrealised = 123456789.98,
  fees = 12345678.9, trades = 9 }
text = report.text(pair)
local at = 1
for _, title in ipairs { "\nEquity\n", "\nDrawdown, %", "\nReturns by month",
    "\nRolling Sharpe, 126 days", "\nDistribution of returns, 681 days, mean -0.01%; "
    .. "218 more did not move\n", "\nTrades on price: ▲ long, ▼ short, ○ exit\n",
    "\nSPY, the 40 of 65 trades", "\nQQQ, the 40 of ", "\nExposure, value held",
    "; short below 0\n", "\nDeepest drawdowns\n", "\nSymbols\nsymbol ",
    "\nBest trades\n", "\nWorst trades\n", "\nOrders\n", "\nThe last 10 orders\n" } do
  local found = text:find(title, at, true)
  t.ok(found, "in text, in this order: " .. title:gsub("\n", ""))
  at = found or at
end
local spy = text:match "\nSPY,[^\n]*\n(.-)\n +└"
for _, mark in ipairs { "▲", "▼", "○" } do
  t.ok(spy:find(mark, 1, true), "marked on the price: " .. mark)
end
t.ok(text:find("\nQQQ .*%-987,654,321%.12.* 123,456,789%.98.* %-123,456,789\n"),
     "whole numbers of a symbol, without the columns that have no room")
t.ok(report.text(pair, 130):find "%-123,456,789 +98,765%.4321 +123,456%.789\n",
     "which are there in a wider one")

-- What became of orders, and the last of them; from where to where it fell.
local ordered = { start = 100, days = {}, orders = {} }
for i, equity in ipairs { 100, 80, 90, 120, 60, 90 } do
  ordered.days[i] = { time = i * 86400 * 1000000000, equity = equity }
end
for i = 1, 12 do
  ordered.orders[i] = { time = i * 60 * 1000000000, symbol = "A\27[1m", quantity = i,
    side = i % 2 == 0 and "buy" or "sell", type = "limit", price = 1.5,
    status = i % 3 == 0 and "rejected" or "filled", average = i % 3 > 0 and 1.5 or nil,
    reason = i % 3 == 0 and (i < 9 and "too large" or "too late") or "",
    filled = i % 3 > 0 and i or 0 }
end
text = report.text(ordered)
t.is(text:match "\nDeepest drawdowns\n.-\n\n", [[

Deepest drawdowns
     depth        from      lowest  regained    length, d
1  -50.00%  1970-01-04  1970-01-05  not yet             2
2  -20.00%  1970-01-01  1970-01-02  1970-01-04          3

]], "drawdowns in text, with the days whose ends they are of")
t.is(text:match "\nOrders\n(.-)1970%-01%-01 00:04", [[
count  status    reason
    8  filled
    2  rejected  too large
    2  rejected  too late

The last 10 orders
            time  symbol  side  type   quantity  price  status    average
1970-01-01 00:03  A [1m   sell  limit         3    1.5  rejected
]], "orders in text")
t.ok(not report.text({ start = 1, days = {} }):find "Orders", "which it may be without")
local flat = report.text { start = 1, curve = { time = { 0, DAY }, equity = { 1, 2 } } }
t.ok(flat:find "Equity\n" and not flat:find "Drawdown, %%", "no chart of no drawdown")
local crowd = results.make {}
crowd.symbols, crowd.prices = {}, {}
for i = 1, 30 do
  crowd.symbols[i] = ("S%02d"):format(i)
  crowd.prices[crowd.symbols[i]] = { time = { 1, 2 }, close = { 3, 4 } }
end
text = report.text(crowd)
t.ok(text:find "\nSymbols, the 20 of 31 with the most trades\n", "not all symbols")
t.ok(text:find "\n4 of 31 symbols are drawn%.\n", "nor drawn, and that is said")
text = report.text(results.make { days = 900 }, 60)
local widest = 0
for line in text:gmatch "[^\n]+" do widest = math.max(widest, utf8.len(line)) end
t.ok(widest <= 60, "60 columns: no line is longer (" .. widest .. ")")
t.ok(text:find "\nRatios +arithmetic   geometric\nAnnual return +%S+%% +%S+%%\n",
     "figures below each other")
t.ok(text:find "\n +Jan Feb Mar [%a ]+ Dec Year\n%d%d%d%d[ %d-]+\n",
     "months in whole percent")
text = report.text(known, 40)
t.ok(text:find("\n      Jan  Feb  Mar  Apr  May  Jun\n"
     .. "      Jul  Aug  Sep  Oct  Nov  Dec Year\n2019\n"
     .. (" "):rep(30) .. "10.0 10.0\n2020 10.0       -25\n"
     .. (" "):rep(36) .. "-18\n", 1, true), "in 40 columns a year has two lines")
t.ok(report.text(pair, 40):find("\nDistribution of returns, 681 days, mean\n"
     .. "-0.01%; 218 more did not move\n", 1, true), "as have long titles")
t.ok(report.text(pair, 40):find "\n +length,\n +depth +from +%w+\n1 ",
     "drawdowns have what there is room for")
t.ok(report.text(results.sweep(), 40):find("\n +# +return +sharpe +parameters\n"
     .. " 1 +%S+ +%S+ +fast=8 mode=long\n +slow=40 stop=0.05\n 2 "),
     "as have runs, with all parameters")

-- One share of a large account, for an hour: in all of it the equity moves by cents.
local small = { start = 100000.0, days = {}, curve = { time = {}, equity = {} },
                figures = { cagr = 1e80, arithmetic = { annual_return = 1e12 },
                            geometric = { annual_return = 1e12 } } }
for i = 1, 20 do
  small.days[i] = { time = i * 86400 * 1000000000, equity = 100000 + (i % 5 - 2) / 100 }
  small.curve.time[i] = i * 3600 * 1000000000
  small.curve.equity[i] = small.days[i].equity
end
text = report.text(small, 40)
widest = 0
for line in text:gmatch "[^\n]+" do widest = math.max(widest, utf8.len(line)) end
t.ok(widest <= 40, "an hour in 40 columns: no line is longer (" .. widest .. ")")
t.ok(text:find "\nCAGR +1e%+82%%\n", "one of those that a good day is in a year")
t.ok(text:find "\n +%-0%.000040%% +0\n", "returns of less than 0.01%")
t.ok(not text:find "%-0%.0[ \n]", "and a month has no -0.0")
html = report.html(small)
local seen = {}
for label in html:gmatch 'class="y"[^>]*>([^<]*)' do
  if label:find "k$" then
    t.ok(not seen[label], "its axis says so once: " .. label)
    seen[label] = true
  end
end
t.ok(next(seen), "on an axis")
t.ok(html:find("<title>-0.000040% to -0.000035%: 4 days", 1, true), "nor bars")

t.ok(not report.text(known):find "Rolling Sharpe", "no chart of what there is too little")
text = report.text(results.sweep(), 80, { by = "max_drawdown", title = "A title" })
t.ok(text:find "^A title\n\n50 runs, 1 failed; best by max_drawdown\n #",
     "a sweep by a figure")
t.ok(report.text(results.sweep()):find "\ncrossover%.lua 0%.1%.0\n.*\nRolling Sharpe",
     "with all of its best run")

-- ---- writing, and wrong use ----

local path = os.tmpname()
t.is(report.write(path, known), true, "write")
local file <close> = assert(io.open(path, "rb"))
t.is(file:read "a", report.html(known), "what was written")
os.remove(path)
path = path .. ".txt"
t.is(report.write(path, known), true, "write: text")
local written <close> = assert(io.open(path, "rb"))
t.is(written:read "a", report.text(known), "in 80 columns")
os.remove(path)
t.is(report.form "a.b/C.TXT", "txt", "endings in any case")
t.is(report.form "a.b/page", "html", "none is a page")
t.is(report.form "a/.hidden", "html", "a dot before all is no ending")
t.raises("report%.write: r%.pdf: an ending that is known expected: %.html, %.htm or %.t",
         report.write, "r.pdf", known)
local fine, why = report.write("/nowhere/x.html", known)
t.is(fine, nil, "write: no such folder")
t.ok(why:find("/nowhere/x.html", 1, true), "and says so")
t.is(report.write("/dev/full", known), nil, "write: no room")
t.raises("a result or a list of results expected, got a number", report.html, 3)
t.raises("no option 'colour'", report.html, known, { colour = 1 })
t.raises("by: no figure 'sharp'; did you mean 'sharpe'?", report.html, {},
         { by = "sharp" })
t.raises("by: no figure 'luck'", report.html, {}, { by = "luck" })
t.raises("by: no figure 'geometric.trades'", report.html, {}, { by = "geometric.trades" })
t.raises("width must be an integer", report.text, known, 80.5)
t.raises("no option 'colour'", report.text, known, 80, { colour = 1 })

-- One parameter, and no figure that differs.
local alike = {}
for i = 1, 3 do alike[i] = { params = { x = i }, figures = { trades = 0 } } end
t.ok(not report.html(alike, { by = "trades" }):find("Parallel coordinates", 1, true),
     "no coordinates where all runs are alike")

t.done()
