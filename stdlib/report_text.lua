--- report_text: (internal) a backtest or a sweep as text for a terminal.

local data = require "tw.report_data"
local figures = require "tw.report_figures"
local plot = require "tw.plot"
local screen = require "tw.screen"
local sweep = require "tw.report_sweep"
local windows = require "tw.report_windows"

local text = {}

local YEARS <const> = 30           -- of months
local TOP <const> = 10             -- runs of a sweep
local EXTREME <const> = 5          -- trades, the best and the worst
local LAST <const> = 10            -- orders
local CHARTS <const> = 4           -- of trades on price
local SYMBOLS <const> = 20         -- in the table of them
local LONG <const>, SHORT <const>, OUT <const> = "▲", "▼", "○"
local narrow, number, list = screen.narrow, data.number, data.list

-- The characters of a terminal have one dash and one minus.
local function show(x, kind, whole)
  return (figures.show(x, kind, whole):gsub("–", "-"))
end

local function fit(line, width)
  return screen.frame({ line }, width, 1)[1] or ""
end

-- In as many lines as it takes.
local function wrapped(text, width)
  local lines = { "" }
  for word in text:gmatch "%S+" do
    local line = lines[#lines] .. (lines[#lines] == "" and "" or " ") .. word
    if (utf8.len(line) or 0) > width and lines[#lines] ~= "" then
      lines[#lines + 1] = word
    else
      lines[#lines] = line
    end
  end
  for i, line in ipairs(lines) do lines[i] = fit(line, width) end
  return table.concat(lines, "\n")
end

local function right(s, width)
  return (" "):rep(width - (utf8.len(s) or #s)) .. s
end

local function head(result, width)
  local lines = { fit(tostring(result.name or "backtest")
                      .. (result.version and " " .. tostring(result.version) or ""),
                      width) }
  local facts = {}
  local from, to = data.seconds(result.from), data.seconds(result.to)
  if from and to then facts[1] = data.span(from, to) end
  for i, symbol in ipairs(list(result.symbols)) do
    if i > 8 then facts[#facts + 1] = "…" break end
    facts[#facts + 1] = tostring(symbol)
  end
  if #facts > 0 then lines[#lines + 1] = fit(table.concat(facts, "  "), width) end
  local params = {}
  for i, key in ipairs(data.keys(result.params)) do
    params[i] = ("%s=%s"):format(tostring(key), figures.text(result.params[key]))
  end
  if #params > 0 then lines[#lines + 1] = wrapped(table.concat(params, " "), width) end
  if result.ruined then
    lines[#lines + 1] = fit(figures.ruined(result) .. figures.RUINED, width)
  end
  return table.concat(lines, "\n")
end

-- Figures in two columns, or in one where there is no room; a group begins with its name.
local function figures_text(result, width)
  local is_wide = width >= 80
  local columns, room = { {}, {} }, is_wide and (width - 4) // 2 or 40
  local function add(at, name, value)
    local column = columns[at]
    local space = room - (utf8.len(value) or #value) - 1
    column[#column + 1] = name == "" and "" or fit(name, space)
      .. (" "):rep(math.max(space - utf8.len(fit(name, space)), 0)) .. " " .. value
  end
  add(1, "Equity", show(number(result.final), "money", result.start))
  for i, group in ipairs(figures.GROUPS) do
    local at = is_wide and (i == 2 or i == 4) and 2 or 1
    if group.both then
      add(at, "", "")
      add(at, "", "")
      columns[at][#columns[at]] = group[1]
        .. right("arithmetic   geometric", room - #group[1])
      for j = 2, #group do
        local f = group[j]
        add(at, f[2], right(show(figures.get(result, "arithmetic." .. f[1]), f[3]), 10)
            .. right(show(figures.get(result, "geometric." .. f[1]), f[3]), 12))
      end
    else
      if i > (is_wide and 2 or 1) then add(at, "", "") end
      for j = 2, #group do
        local f = group[j]
        add(at, f[2], show(figures.get(result, f[1]), f[3], result.start))
      end
    end
  end
  local lines = {}
  for i = 1, math.max(#columns[1], #columns[2]) do
    local a, b = columns[1][i] or "", columns[2][i] or ""
    local line = a .. (" "):rep(room + 4 - (utf8.len(a) or #a)) .. b
    lines[i] = line:gsub(" +$", "")
  end
  return table.concat(lines, "\n")
end

-- A year is a line, or two where months would stand too close.
local function months_text(days, start, ruined, width)
  local years = data.months(days, start, ruined)
  if #years == 0 then return "" end
  local half = width < 57 and 6 or 12
  local cell = math.min((width - 5) // (half + 1), 7)
  local is_narrow = cell < 5                    -- no room for tenths
  local lines = {}
  local function add(name, shown)
    for m = 1, 12, half do
      local line = table.concat(shown, "", m, m + half - 1)
                   .. (m + half > 12 and shown[13] or "")
      lines[#lines + 1] = ((m == 1 and name or (" "):rep(#name)) .. line):gsub(" +$", "")
    end
  end
  local function percent(r, size)
    local shown = r and figures.fixed(r * 100, 1) or ""
    if r and (is_narrow or #shown >= size) then shown = figures.fixed(r * 100, 0) end
    if #shown >= size then shown = r > 0 and ">>" or "<<" end
    return right(shown, size)
  end
  local last, titles = is_narrow and cell + 1 or cell, {}
  for m = 1, 12 do titles[m] = right(data.month_name(m), cell) end
  titles[13] = right("Year", last)
  add("    ", titles)
  for i = math.max(#years - YEARS, 0) + 1, #years do
    local shown = {}
    for m = 1, 12 do shown[m] = percent(years[i][m], cell) end
    shown[13] = percent(years[i].total, last)
    add(("%4d"):format(years[i].year), shown)
  end
  local title = "Returns by month, %"
  if #years > YEARS then
    title = title .. (" (the last %d of %d years)"):format(YEARS, #years)
  end
  return title .. "\n" .. table.concat(lines, "\n")
end

local function trade_table(ranked, from, to, step, format, width)
  local rows = {}
  for i = from, to, step do
    local t = ranked[i]
    rows[#rows + 1] = { fit(t.symbol, math.max(width // 5, 12)),
      data.date(t.entry, format), data.date(t.exit, format),
      show(t.quantity, "number"), show(t.entry_price, "number"),
      show(t.exit_price, "number"), show(t.pnl, "money") }
  end
  local titles = { "symbol", "entry", "exit", "quantity", "in at", "out at", "pnl" }
  return narrow(rows, titles, width, { "quantity", "out at", "in at", "exit" })
end

local function trades_text(trades, width)
  local ranked = data.ranked(trades)
  if #ranked == 0 then return "No trades." end
  local first, last = math.huge, -math.huge
  for _, t in ipairs(ranked) do
    first, last = math.min(first, t.entry or first), math.max(last, t.exit or last)
  end
  local format = last - first < 30 * 86400 and "%m-%d %H:%M" or "%Y-%m-%d"
  local n = #ranked
  local best = math.min(EXTREME, (n + 1) // 2)
  local out = "Best trades\n" .. trade_table(ranked, 1, best, 1, format, width)
  if n == best then return out end
  return out .. "\n\nWorst trades\n"
         .. trade_table(ranked, n, math.max(n - EXTREME, best) + 1, -1, format, width)
end

local function drawdowns_text(curve, start, width)
  local rows, name = figures.drawdowns(curve, start)
  if #rows == 0 then return "" end
  for _, row in ipairs(rows) do row[2] = row[2]:gsub("–", "-") end
  return "Deepest drawdowns\n"
    .. narrow(rows, { "", "depth", "from", "lowest", "regained", "length, " .. name },
              width, { "lowest", "regained" })
end

-- What became of them, and the last ones.
local function orders_text(orders, width)
  local n, kinds, ends, rows = #orders, {}, {}, {}
  local function word(x) return x == nil and "" or fit(tostring(x), 40) end
  for _, o in ipairs(orders) do
    local reason = fit(tostring(list(o).reason or ""), width)
    local key = word(list(o).status) .. "\0" .. reason
    if not kinds[key] then ends[#ends + 1] = key end
    kinds[key] = (kinds[key] or 0) + 1
  end
  if n == 0 then return "" end
  table.sort(ends, function(a, b)
    if kinds[a] ~= kinds[b] then return kinds[a] > kinds[b] end
    return a < b
  end)
  for i, key in ipairs(ends) do
    rows[i] = { show(kinds[key], "count"), key:match "^(.-)%z", key:match "%z(.*)" }
  end
  local out = "Orders\n" .. narrow(rows, { "count", "status", "reason" }, width, {})
  local first = math.max(n - LAST, 0) + 1
  rows = {}
  for i = first, n do
    local o = list(orders[i])
    rows[#rows + 1] = { data.moment(data.seconds(o.time)), word(o.symbol), word(o.side),
      word(o.type), show(o.quantity, "number"),
      show(number(o.price) or number(o.stop), "number"), word(o.status),
      show(o.filled, "number"), show(o.average, "number") }
    for k, cell in ipairs(rows[#rows]) do if cell == "-" then rows[#rows][k] = "" end end
  end
  return ("%s\n\nThe last %s orders\n%s"):format(out, show(n - first + 1, "count"),
    narrow(rows, { "time", "symbol", "side", "type", "quantity", "price", "status",
                   "filled", "average" }, width, { "filled", "type", "price", "status" }))
end

local function symbols_text(result, trades, width)
  local all, rows = data.symbols(result, trades), {}
  if #all == 0 then return "" end
  local title, n = "Symbols", #all
  if n > SYMBOLS then
    title = ("Symbols, the %d of %s with the most trades"):format(SYMBOLS,
                                                                  show(n, "count"))
    table.sort(all, function(a, b)
      if a.trades ~= b.trades then return a.trades > b.trades end
      return a.symbol < b.symbol
    end)
  end
  for i = 1, math.min(n, SYMBOLS) do
    local s = all[i]
    local p = list(s.position)
    rows[i] = { fit(s.symbol, math.max(width // 5, 12)), show(s.trades, "count"),
      s.trades > 0 and show(s.won / s.trades, "percent") or "-",
      show(number(p.realised) or s.pnl, "money"), show(p.unrealised, "money"),
      show(number(p.fees) or s.fees, "money"), show(p.quantity, "number"),
      show(p.price, "number"), show(p.mark, "number") }
    for k, cell in ipairs(rows[i]) do if cell == "-" then rows[i][k] = "" end end
  end
  local held = windows.held(result)
  if held then title = wrapped(title .. "; " .. held, width) end
  return title .. "\n" .. narrow(rows, { "symbol", "trades", "won", "realised",
    "unrealised", "fees", "position", "average", "mark" }, width,
    { "average", "mark", "won", "fees", "unrealised", "trades" })
end

-- ---- charts: all of a time axis, whose ends are named ----

local function ends(first, last, width)
  local function date(s)
    if last - first >= 3 * 86400 then return data.date(s) end
    return width < 60 and data.date(s, "%m-%d %H:%M") or data.moment(s)
  end
  return date(first), date(last)
end

local function chart(times, values, o)
  o.first, o.last = ends(o.from or times[1], o.to or times[#times], o.width)
  o.from, o.to, o.x, o.colours = nil, nil, times, false
  return tostring(plot.of(values, o))
end

local function equity_text(result, curve, width)
  if #curve.value < 2 then return "" end
  local under = data.underwater(curve, number(result.start))
  local falls = false
  for i, v in ipairs(under) do under[i], falls = v * 100, falls or v < 0 end
  return "Equity\n" .. chart(curve.time, curve.value, { width = width, height = 10 })
    .. (falls and "\n\nDrawdown, %\n" .. chart(curve.time, under, { width = width,
                                                                   height = 5 }) or "")
end

local function sharpe_text(returns, year, width)
  local rolling, window = data.rolling_sharpe(returns, year)
  local moves = false
  for _, v in ipairs(rolling and rolling.value or {}) do moves = moves or v == v end
  if not moves then return "" end
  return ("Rolling Sharpe, %d days, a year of %d\n"):format(window, year)
    .. chart(rolling.time, rolling.value, { width = width, height = 7, zero = true })
end

local function distribution_text(returns, width)
  local moved, mean = data.moved(returns)
  local bins = data.histogram(moved)
  if not bins then return "" end
  local still = #returns.value - #moved
  local title = ("Distribution of returns, %s days, mean %s%s"):format(
    show(#moved, "count"), show(mean, "percent"),
    still > 0 and ("; %s more did not move"):format(show(still, "count")) or "")
  local function edge(n) return figures.percent(bins.low + n * bins.step, bins.step) end
  local zero, places = math.floor(-bins.low / bins.step + 0.5), {}
  if zero >= 0 and zero <= #bins then places[1] = { zero, "0" } end
  places[#places + 1] = { 0, edge(0) }
  places[#places + 1] = { #bins, edge(#bins) }
  for _, n in ipairs { zero // 2, (zero + #bins) // 2 } do
    if n > 0 and n < #bins then places[#places + 1] = { n, edge(n) } end
  end
  return wrapped(title, width) .. "\n"
         .. plot.columns(bins, { width = width, height = 7, places = places })
end

-- What is marked has its place in time and price.
local function marks_of(trades, most)
  local marks, ranked = {}, {}
  for i, t in ipairs(trades) do ranked[i] = t end
  if #ranked > most then
    table.sort(ranked, function(a, b)
      local x, y = math.abs(a.pnl or 0), math.abs(b.pnl or 0)
      if x ~= y then return x > y end
      return a.number < b.number
    end)
  end
  for pass = 1, 2 do                      -- entries over exits
    for i = 1, math.min(#ranked, most) do
      local t = ranked[i]
      local price = pass == 1 and t.exit_price or pass == 2 and t.entry_price
      local time = pass == 1 and t.exit or pass == 2 and t.entry
      if time and price then
        marks[#marks + 1] = { time, price, pass == 1 and OUT
                              or (t.quantity or 0) < 0 and SHORT or LONG }
      end
    end
  end
  return marks
end

local function prices_text(result, trades, width)
  local out, drawn, undrawn = {}, 0, 0
  local most = width // 2
  for _, one in ipairs(data.by_symbol(result, trades)) do
    local prices = data.prices(result, one.symbol)
    local marks = marks_of(one.trades, most)
    local from, to = prices.time[1] or math.huge, prices.time[#prices.time] or -math.huge
    for _, m in ipairs(marks) do from, to = math.min(from, m[1]), math.max(to, m[1]) end
    if from > to or drawn == CHARTS then
      undrawn = undrawn + 1
    else
      drawn = drawn + 1
      local n = #one.trades
      local title = tostring(one.symbol):gsub("%c", " ")
      if n > most then
        title = ("%s, the %d of %s trades that made or lost most"):format(title, most,
                                                                        show(n, "count"))
      end
      out[#out + 1] = wrapped(title, width) .. "\n" .. chart(prices.time, prices.value,
        { width = width, height = 10, marks = marks, from = from, to = to })
    end
  end
  if drawn == 0 then return "" end
  if undrawn > 0 then
    out[#out + 1] = ("%d of %s symbols are drawn."):format(drawn,
                                                  show(drawn + undrawn, "count"))
  end
  return ("Trades on price: %s long, %s short, %s exit\n"):format(LONG, SHORT, OUT)
         .. table.concat(out, "\n")
end

local function exposure_text(result, trades, curve, width)
  local e = data.exposure(trades, curve, result)
  if not e or e.time[#e.time] <= e.time[1] then return "" end
  local sides, is_short = { {}, {} }, false
  for i = 1, #e.time do
    sides[1][i] = number(e.long[i] * 100) or 0
    sides[2][i] = number(e.short[i] * 100) or 0
    is_short = is_short or e.short[i] < 0
  end
  local first, last = ends(e.time[1], e.time[#e.time], width)
  return wrapped("Exposure, value held / equity, %; positions have one size, their"
             .. " largest or last" .. (is_short and "; short below 0" or ""), width)
    .. "\n"
    .. plot.area(e.time, sides, { width = width, height = is_short and 7 or 5,
                                  first = first, last = last })
end

local function windows_text(result, width)
  local shown, label
  for brevity = 0, 2 do
    local titles, rows, by = windows.rows(result, brevity)
    if #rows == 0 then return "" end
    for _, row in ipairs(rows) do
      for i, cell in ipairs(row) do row[i] = cell:gsub("–", "-") end
    end
    local dispensable = { "train from", "to", "beside", "ratio" }
    for i = #titles - 4, 4, -1 do dispensable[#dispensable + 1] = titles[i] end
    shown, label = narrow(rows, titles, width, dispensable), by
    if shown == screen.table(rows, titles) then break end
  end
  return ("Windows, best by %s\n%s"):format(label, shown)
end

--- text.run(result, width) -> string
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: columns.
function text.run(result, width)
  local curve, days = data.equity(result)
  local ruined = data.seconds(result.ruined)
  local returns, trades = data.returns(days, ruined), data.trades(result)
  local held = data.with_open(trades, result)
  local parts = {
    head(result, width), windows_text(result, width), figures_text(result, width),
    equity_text(result, curve, width),
    months_text(days, data.start(result, days), ruined, width),
    sharpe_text(returns, data.year(days), width), distribution_text(returns, width),
    prices_text(result, held, width), exposure_text(result, held, curve, width),
    drawdowns_text(curve, number(result.start), width),
    symbols_text(result, trades, width), trades_text(trades, width),
    orders_text(list(result.orders), width),
  }
  local out = {}
  for _, part in ipairs(parts) do if part ~= "" then out[#out + 1] = part end end
  return table.concat(out, "\n\n") .. "\n"
end

-- Rows whose last cell takes more lines where it has no room, at least half of the width.
local function folded(rows, titles, width)
  local base, out = 0, {}
  for i = 1, #titles - 1 do
    local widest = #titles[i]
    for _, row in ipairs(rows) do
      widest = math.max(widest, utf8.len(row[i]) or #row[i])
    end
    base = base + widest + 2
  end
  for _, row in ipairs(rows) do
    local last = wrapped(row[#titles], math.max(width - base, width // 2))
    for line in (last .. "\n"):gmatch "([^\n]*)\n" do
      row[#titles] = line
      out[#out + 1], row = row, {}
      for i = 1, #titles - 1 do row[i] = "" end
    end
  end
  return out
end

--- text.sweep(results, width, by) -> string
-- The ten best runs by that figure, and how many there are.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: columns.
function text.sweep(results, width, by)
  local runs, rows, failed = sweep.ranked(results, by), {}, 0
  local names, titles = { "total_return", "sharpe", "max_drawdown", "trades" }, { "#" }
  local is_there = false
  for _, name in ipairs(names) do is_there = is_there or name == by end
  if not is_there then table.insert(names, 1, by) end
  for i, name in ipairs(names) do
    titles[i + 1] = name:gsub("^total_", ""):gsub("^max_", "")
  end
  titles[#titles + 1] = "parameters"
  for i, r in ipairs(runs) do
    if r.error then failed = failed + 1 end
    if i <= TOP then
      local params = {}
      for n, key in ipairs(data.keys(r.params)) do
        params[n] = ("%s=%s"):format(tostring(key), figures.text(r.params[key]))
      end
      rows[i] = { tostring(i) }
      for _, name in ipairs(names) do
        rows[i][#rows[i] + 1] = r.error and "-"
          or show(figures.get(r.result, name), figures.find(name)[3])
      end
      params[#params + 1] = r.error and "failed: " .. tostring(r.error):match "[^\n]*"
                            or r.ruined and figures.ruined(r.result)
      rows[i][#rows[i] + 1] = table.concat(params, " ")
    end
  end
  local lines = { wrapped(("%s runs, %s failed; best by %s"):format(show(#runs, "count"),
    show(failed, "count"), by), width) }
  local dispensable = {}
  for i = #names, 1, -1 do
    if names[i] ~= by then dispensable[#dispensable + 1] = titles[i + 1] end
  end
  lines[2] = narrow(folded(rows, titles, width), titles, width, dispensable)
  return table.concat(lines, "\n") .. "\n"
end

return text
