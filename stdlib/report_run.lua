--- report_run: (internal) the page of one backtest: charts, figures, trades and orders.

local data = require "tw.report_data"
local figures = require "tw.report_figures"
local page = require "tw.report_page"
local svg = require "tw.report_svg"
local windows = require "tw.report_windows"

local run = {}

local CHARTS <const> = 6           -- of trades on price
local MARKED <const> = 1500        -- trades in one of them
local LARGE <const> = 250          -- of which so many have marks of full size
local YEARS <const> = 60           -- of months
local number, list, show = data.number, data.list, figures.show
local escape = svg.escape

local function signed(text) return text:find "^%-" and { text, "loss" } or text end

local function extent(...)
  local low, high = math.huge, -math.huge
  for i = 1, select("#", ...) do
    for _, v in ipairs((select(i, ...))) do
      if v == v then low, high = math.min(low, v), math.max(high, v) end
    end
  end
  return low, high
end

--- run.parameters(params) -> markup
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function run.parameters(params)
  local out = {}
  for i, key in ipairs(data.keys(params)) do
    out[i] = ("<span>%s <b>%s</b></span>"):format(escape(key),
      escape(figures.text(params[key])))
  end
  return table.concat(out)
end

local function names(x, most)
  local out = {}
  for i, name in ipairs(list(x)) do
    if i > most then
      out[i] = ("and %d more"):format(#x - most)
      break
    end
    out[i] = tostring(name)
  end
  return table.concat(out, ", ")
end

--- run.about(result) -> markup
-- Which strategy, which data, when: lines below a title.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function run.about(result)
  local out, facts = {}, {}
  local function fact(text) if text ~= "" then facts[#facts + 1] = escape(text) end end
  fact(tostring(result.name or "")
       .. (result.version and " " .. tostring(result.version) or ""))
  fact(names(result.symbols, 12))
  local from, to = data.seconds(result.from), data.seconds(result.to)
  if from and to then fact(data.span(from, to)) end
  fact(names(result.data, 6))
  if number(result.records) then fact(show(result.records, "number") .. " records") end
  out[1] = "<p>" .. table.concat(facts, " · ") .. "</p>"
  local params = run.parameters(result.params)
  if params ~= "" then out[2] = "<p>" .. params .. "</p>" end
  if result.ruined then
    out[#out + 1] = ('<p class="loss"><b>%s</b>%s</p>'):format(figures.ruined(result),
                                                               figures.RUINED)
  end
  return table.concat(out)
end

local function tiles(result, final, year)
  local out = {}
  local function tile(name, value, tip)
    out[#out + 1] = ("<div><dt>%s</dt><dd>%s</dd></div>"):format(
      tip and ('<span title="%s">%s</span>'):format(escape(tip), name) or name,
      page.number(escape(value)))
  end
  tile("Final equity" .. (result.currency and ", " .. escape(result.currency) or ""),
       show(final, "money", result.start))
  for _, name in ipairs { "total_return", "cagr", "sharpe", "max_drawdown",
                          "profit_factor", "win_rate", "trades" } do
    local f = figures.find(name)
    tile(f[2], show(figures.get(result, name), f[3]), figures.formula(f[4], year))
  end
  return '<dl class="tiles">' .. table.concat(out) .. "</dl>\n"
end

local function equity_section(curve, start)
  if #curve.time < 2 then
    return page.section("Equity and drawdown", page.none "Fewer than two points.")
  end
  local from, to = curve.time[1], curve.time[#curve.time]
  local low, high = extent(curve.value)
  local worst = data.drawdowns(curve, 1, start)[1]
  local log = low > 0 and high / low > 12
  local equity = svg.plot { from = from, to = to, low = low, high = high, log = log,
    kind = "money", height = 280, ticks = false, hover = "equity",
    label = ("Equity from %s to %s"):format(data.date(from), data.date(to)) }
  if worst then
    equity:band(worst.peak, worst.recovered or to, "band",
      ("The deepest drawdown, %s: %s to %s"):format(show(worst.depth, "percent"),
        data.day(worst.peak),
        worst.recovered and data.day(worst.recovered) or "the end"))
  end
  equity:area(curve.time, curve.value, "gain area")
  equity:line(curve.time, curve.value, "line main")
  local under = data.underwater(curve, start)
  local depth = svg.plot { from = from, to = to, low = math.min(extent(under), -1e-4),
    high = 0, kind = "percent", height = 110, zero = true, hover = "drawdown",
    label = "Drawdown below the highest equity before" }
  depth:area(curve.time, under, "loss area")
  depth:line(curve.time, under, "loss line main")
  return page.section("Equity and drawdown",
    page.figure(equity:text(), "flush") .. page.figure(depth:text()),
    (log and "logarithmic scale; " or "")
    .. (worst and "shaded: the deepest drawdown" or "no drawdown"),
    "whole")
end

-- How strong the colour of a value is: 0.06 to 0.6.
local function strength(value, most)
  return ("%.2f"):format(0.06 + 0.54 * math.min(math.abs(value) / most, 1))
end

local function percent1(x) return page.number(figures.fixed(x * 100, 1)) end

local function months_section(days, start, ruined)
  local years = data.months(days, start, ruined)
  if #years == 0 then
    return page.section("Returns by month",
                        page.none(ruined and "None before the ruin." or "No days."))
  end
  local most, hidden = 0.01, math.max(#years - YEARS, 0)
  for _, year in ipairs(years) do
    for m = 1, 12 do
      if year[m] then most = math.max(most, math.min(math.abs(year[m]), 0.2)) end
    end
  end
  local out = { '<div class="scroll"><table class="heat months"><thead><tr><th></th>' }
  for m = 1, 12 do out[#out + 1] = "<th>" .. data.month_name(m) .. "</th>" end
  out[#out + 1] = "<th>Year</th></tr></thead><tbody>"
  for i = hidden + 1, #years do
    local year = years[i]
    out[#out + 1] = ("\n<tr><th>%d</th>"):format(year.year)
    for m = 1, 12 do
      local r = year[m]
      local shade = r and r ~= 0 and (' class="%s" style="--a:%s"'):format(
        r < 0 and "s" or "g", strength(r, most)) or ""
      out[#out + 1] = ("<td%s>%s"):format(shade, r and percent1(r) or "")
    end
    out[#out + 1] = '<td class="sum">' .. (year.total and percent1(year.total) or "")
  end
  out[#out + 1] = "</tbody></table></div>"
  if hidden > 0 then
    out[#out + 1] = ('<p class="more">The last %d of %d years.</p>'):format(YEARS, #years)
  end
  return page.section("Returns by month", table.concat(out), "percent", "whole")
end

local function sharpe_section(returns, year)
  local rolling, window = data.rolling_sharpe(returns, year)
  if not rolling then
    return page.section("Rolling Sharpe", page.none "Fewer than 42 days.")
  end
  local low, high = extent(rolling.value)
  if low > high then
    return page.section("Rolling Sharpe", page.none "The returns do not vary.")
  end
  local p = svg.plot { from = rolling.time[1], to = rolling.time[#rolling.time],
    low = math.min(low, 0), high = math.max(high, 0), kind = "ratio", height = 200,
    zero = true, hover = "Sharpe", label = "Sharpe ratio of the last days" }
  p:line(rolling.time, rolling.value, "line main")
  return page.section("Rolling Sharpe", page.figure(p:text()),
    ("%d days, a year of %d"):format(window, year))
end

local function distribution_section(returns)
  local moved, mean = data.moved(returns)
  local bins = data.histogram(moved)
  if not bins then
    return page.section("Distribution of returns",
                        page.none "Fewer than two different days.")
  end
  local _, most = extent(bins)
  local p = svg.plot { from = bins.low, to = bins.low + #bins * bins.step, low = 0,
    high = most, kind = "count", x = "percent", height = 200, zero = true,
    label = "How many days had which return" }
  for i, count in ipairs(bins) do
    local a = bins.low + (i - 1) * bins.step
    if count > 0 then
      p:bar(a, a + bins.step, count, a < -bins.step / 2 and "loss" or "gain",
        ("%s to %s: %d days"):format(figures.percent(a, bins.step),
                                     figures.percent(a + bins.step, bins.step), count))
    end
  end
  p:note(mean, "mean " .. page.number(show(mean, "percent")))
  local still = #returns.value - #moved
  return page.section("Distribution of returns", page.figure(p:text()),
    ("%s days"):format(show(#moved, "count"))
    .. (still > 0 and ("; %s more did not move"):format(show(still, "count")) or ""))
end

local function exposure_section(result, trades, curve)
  local e = data.exposure(trades, curve, result)
  if not e then return page.section("Exposure", page.none "No trades.") end
  local low = math.min(extent(e.short), 0)
  local _, high = extent(e.long)
  local p = svg.plot { from = e.time[1], to = e.time[#e.time], low = low,
    high = math.max(high, low == 0 and 0.01 or 0), kind = "percent", height = 140,
    zero = true, label = "Value held as a share of the equity" }
  p:area(e.time, e.long, "gain area held", true)
  if low < 0 then p:area(e.time, e.short, "loss area held", true) end
  return page.section("Exposure", page.figure(p:text()),
    "value held / equity; a position that was scaled has one size, its largest or last"
    .. (low < 0 and "; short below 0" or ""))
end

-- The price of a symbol with its trades, of which there are some.
local function price_chart(symbol, prices, trades)
  local from, to = prices.time[1], prices.time[#prices.time]
  local low, high = extent(prices.value)
  for i, t in ipairs(trades) do
    if i > MARKED then break end
    for _, side in ipairs { "entry", "exit" } do
      local s, v = t[side], t[side .. "_price"]
      if s and v then
        from, to = math.min(from or s, s), math.max(to or s, s)
        low, high = math.min(low, v), math.max(high, v)
      end
    end
  end
  if not from or low > high then return nil end
  local p = svg.plot { from = from, to = to, low = low, high = high, kind = "ratio",
    height = 260, hover = "price", log = low > 0 and high / low > 12,
    label = "Price of " .. symbol .. " and the trades on it" }
  if #prices.time > 0 then
    p:line(prices.time, prices.value, "line price main")
  end
  local size = #trades > LARGE and "-small" or ""
  for i, t in ipairs(trades) do
    if i > MARKED then break end
    local begun = t.entry and t.entry_price
    if begun and t.exit and t.exit_price then
      p:segment(t.entry, t.entry_price, t.exit, t.exit_price,
                (t.pnl or 0) < 0 and "lost" or "won")
    end
    if begun then
      local side = (t.quantity or 0) < 0 and "short" or "long"
      p:mark(t.entry, t.entry_price, side .. size)
    end
    if t.exit and t.exit_price then p:mark(t.exit, t.exit_price, "out" .. size) end
  end
  return p:text()
end

local KEY = '<p class="key"><span><svg><use href="#long" x="7" y="7"/></svg>long</span>'
  .. '<span><svg><use href="#short" x="7" y="7"/></svg>short</span>'
  .. '<span><svg><use href="#out" x="7" y="7"/></svg>exit</span>'
  .. '<span>line: <svg><path class="won" d="M0 7H14"/></svg>gain '
  .. '<svg><path class="lost" d="M0 7H14"/></svg>loss</span></p>'

local function prices_section(result, trades)
  local charts, undrawn = {}, 0
  for _, one in ipairs(data.by_symbol(result, trades)) do
    local symbol, own = one.symbol, one.trades
    local chart = #charts < CHARTS and price_chart(tostring(symbol),
                                                   data.prices(result, symbol), own)
    if chart then
      charts[#charts + 1] = ("<h3>%s</h3>"):format(escape(symbol)) .. page.figure(chart)
      if #own > MARKED then
        charts[#charts] = charts[#charts] .. ('<p class="more">The first %s of %s '
          .. "trades are marked.</p>"):format(show(MARKED, "count"), show(#own, "count"))
      end
    else
      undrawn = undrawn + 1
    end
  end
  if #charts == 0 then
    return page.section("Trades on price", page.none "No prices and no trades.")
  end
  local more = undrawn > 0 and ('<p class="more">%d of %d symbols are drawn.</p>')
    :format(#charts, #charts + undrawn) or ""
  return page.section("Trades on price", KEY .. table.concat(charts, "\n") .. more, nil,
                      "whole")
end

-- ---- tables ----

local function figures_section(result, year)
  local out = {}
  for _, group in ipairs(figures.GROUPS) do
    local rows = { ("<h3>%s</h3>"):format(group[1]),
                   '<div class="scroll"><table class="pairs">' }
    if group.both then
      rows[3] = "<thead><tr><th></th><th>arithmetic</th><th>geometric</th></tr></thead>"
    end
    rows[#rows + 1] = "<tbody>"
    for i = 2, #group do
      local f = group[i]
      local function value(name, formula)
        local text = page.number(show(figures.get(result, name), f[3], result.start))
        if not formula then return "<td>" .. text end
        formula = figures.formula(formula, year)
        return ('<td><span title="%s">%s</span>'):format(escape(formula), text)
      end
      if group.both then
        rows[#rows + 1] = ("\n<tr><td>%s"):format(f[2])
          .. value("arithmetic." .. f[1], f[4])
          .. value("geometric." .. f[1], f.geometric)
      else
        rows[#rows + 1] = ('\n<tr><td><span title="%s">%s</span>'):format(escape(f[4]),
                                                                         f[2])
          .. value(f[1])
      end
    end
    rows[#rows + 1] = "</tbody></table></div>"
    out[#out + 1] = "<div>" .. table.concat(rows) .. "</div>"
  end
  local returns, risk, ratios, trades = table.unpack(out)
  return page.section("Figures", '<div class="three">' .. returns .. "<div>" .. risk
    .. "<br>" .. ratios .. "</div>" .. trades .. "</div>",
    "point at what is dotted for its formula; all are below", "whole")
end

local function drawdowns_section(curve, start)
  local rows, name = figures.drawdowns(curve, start)
  for _, row in ipairs(rows) do row[2] = { row[2], "loss" } end
  return page.section("Deepest drawdowns", page.table { rows = rows,
    none = "The equity never fell.", columns = { { "" }, { "Depth" }, { "From" },
    { "Lowest" }, { "Regained" }, { "Length, " .. name } } })
end

local function symbols_section(result, trades)
  local rows = {}
  for i, s in ipairs(data.symbols(result, trades)) do
    local p = s.position or {}
    rows[i] = { s.symbol, show(s.trades, "count"),
      s.trades > 0 and show(s.won / s.trades, "percent") or "–",
      signed(show(number(p.realised) or s.pnl, "money")),
      signed(show(p.unrealised, "money")), show(number(p.fees) or s.fees, "money"),
      show(p.quantity, "number"), show(p.price, "number"), show(p.mark, "number") }
  end
  return page.section("Symbols", page.table { id = "symbols", sort = true, rows = rows,
    what = "symbols", none = "None.", columns = { { "Symbol", left = true }, { "Trades" },
    { "Win rate" }, { "Realised" }, { "Unrealised" }, { "Fees" }, { "Position" },
    { "Average price" }, { "Mark" } } }, windows.held(result))
end

local function trades_section(trades)
  local rows, longest = {}, 0
  for _, t in ipairs(trades) do
    if t.entry and t.exit then longest = math.max(longest, t.exit - t.entry) end
  end
  local name, unit = data.unit(longest)
  for i = 1, math.min(#trades, 1001) do
    local t = trades[i]
    local length = t.entry and t.exit and figures.lasting(t.exit - t.entry, unit) or "–"
    rows[i] = { tostring(i), t.symbol, data.moment(t.entry), data.moment(t.exit),
      show(t.quantity, "number"), show(t.entry_price, "number"),
      show(t.exit_price, "number"), signed(show(t.pnl, "money")),
      signed(show(t.ratio, "percent")), show(t.fees, "money"), length }
  end
  return page.section("Trades", page.table { id = "trades", sort = true, rows = rows,
    count = show(#trades, "count"), what = "trades", none = "No trades.",
    columns = { { "#" }, { "Symbol", left = true }, { "Entry", left = true },
      { "Exit", left = true }, { "Quantity" }, { "Entry price" }, { "Exit price" },
      { "PnL" }, { "Return" }, { "Fees" }, { "Length, " .. name } } })
end

local function orders_section(result)
  local orders, rows = list(result.orders), {}
  for i = 1, math.min(#orders, 1001) do
    local o = list(orders[i])
    local function word(x) return x == nil and "" or tostring(x) end
    rows[i] = { word(o.id), data.moment(data.seconds(o.time)), word(o.symbol),
      word(o.side), word(o.type), show(o.quantity, "number"), show(o.price, "number"),
      show(o.stop, "number"), word(o.tif), word(o.status), show(o.filled, "number"),
      show(o.average, "number"), show(o.fees, "money"), { word(o.reason), "text" },
      { word(o.label), "text" } }
  end
  local body = page.table { id = "orders", sort = true, rows = rows, what = "orders",
    count = show(#orders, "count"), none = "No orders.",
    columns = { { "Id" }, { "Time", left = true }, { "Symbol", left = true },
      { "Side", left = true }, { "Type", left = true }, { "Quantity" }, { "Price" },
      { "Stop" }, { "TIF", left = true }, { "Status", left = true }, { "Filled" },
      { "Average" }, { "Fees" }, { "Reason", left = true },
      { "Label", left = true } } }
  return page.details("Orders", show(#orders, "count"), body)
end

-- Of a walk-forward.
local function windows_section(result)
  local titles, rows, label = windows.rows(result)
  if #rows == 0 then return "" end
  local columns = {}
  for i, title in ipairs(titles) do
    columns[i] = { title, left = i < 4 }
  end
  return page.section("Windows", page.table { id = "windows", sort = true, rows = rows,
    count = show(#rows, "count"), what = "windows", none = "No windows.",
    columns = columns },
    "the best by " .. label .. " in each training, and in the test behind it")
end

local function formulas_section(year)
  local rows = {}
  for _, group in ipairs(figures.GROUPS) do
    for i = 2, #group do
      local f = group[i]
      local formula, geometric = figures.formula(f[4], year),
                                 figures.formula(f.geometric, year)
      rows[#rows + 1] = { f[2], { geometric and "arithmetic: " .. formula
                                  .. "; geometric: " .. geometric or formula, "text" } }
    end
  end
  return page.details("Formulas",
    ("r: the returns by day, n of them; a year has %d"):format(year),
    page.table { rows = rows, columns = { { "Figure", left = true },
                                          { "Formula", left = true } } })
end

--- run.body(result) -> markup
-- All of the page but its title.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function run.body(result)
  local curve, days = data.equity(result)
  local ruined = data.seconds(result.ruined)
  local returns, trades = data.returns(days, ruined), data.trades(result)
  local held, year = data.with_open(trades, result), data.year(days)
  local final = number(result.final) or days.value[#days.value]
  if #curve.time == 0 and #trades == 0 then      -- of a sweep that keeps figures alone
    return tiles(result, final, year)
      .. page.section("Charts", page.none "The result has no equity and no trades.")
      .. figures_section(result, year) .. formulas_section(year)
  end
  return table.concat {
    tiles(result, final, year),
    windows_section(result),
    equity_section(curve, number(result.start)),
    months_section(days, data.start(result, days), ruined),
    '<div class="two">',
    sharpe_section(returns, year),
    distribution_section(returns),
    "</div>\n",
    prices_section(result, held),
    exposure_section(result, held, curve),
    figures_section(result, year),
    drawdowns_section(curve, number(result.start)),
    symbols_section(result, trades),
    trades_section(trades),
    result.orders and orders_section(result) or "",
    formulas_section(year),
  }
end

--- run.footer(result) -> markup
-- What tells this run from any other.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function run.footer(result)
  local facts = {}
  if result.hash then facts[1] = "Order list: sha256 " .. escape(result.hash) end
  facts[#facts + 1] = "tidewire " .. escape(require "tw".version)
  facts[#facts + 1] = "past returns of a model are no promise"
  return "<footer>" .. table.concat(facts, " · ") .. "</footer>\n"
end

return run
