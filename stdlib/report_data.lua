--- report_data: (internal) the series and tables of a report, from a backtest's result.
--
-- Why: what a chart shows is decided here, as plain lists of numbers, so it can be tested
-- without a page.  A result may be short, broken or frozen: what is no finite number is
-- left out, and time never goes back.  Times here are seconds since the epoch, UTC.

local data = {}

local DAY <const> = 86400
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local NONE = {}

--- data.number(x) -> number | nil
-- A number that can be drawn as it is, which is neither a NaN nor beyond 1e300.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: those of x.
function data.number(x)
  if type(x) == "number" and x >= -1e300 and x <= 1e300 then return x end
end
local number = data.number

--- data.list(x) -> x or an empty table
-- What can be indexed: a table, a frozen one, an array.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function data.list(x)
  local kind = type(x)
  return (kind == "table" or kind == "userdata") and x or NONE
end
local list = data.list

--- data.seconds(ns) -> number | nil
-- Nil for what is no time between the years 1 and 9999.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: as named.
function data.seconds(ns)
  if not number(ns) then return nil end
  local s = math.type(ns) == "integer" and ns // 1000000000 + ns % 1000000000 / 1e9
            or ns / 1e9
  return s >= -62135596800 and s < 253402300800 and s or nil
end
local seconds = data.seconds

--- data.date(s [, format]) -> string
-- A time as text, "2006-01-31" unless the format says otherwise; "" for nil.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, UTC.
function data.date(s, format)
  if not s then return "" end
  return os.date("!" .. (format or "%Y-%m-%d"), math.floor(s))
end

-- Midnight ends a day.
local function day_of(s) return math.ceil(s / DAY) - 1 end

--- data.day(s) -> string
-- The day at whose end, or in which, a value was so.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, UTC.
function data.day(s)
  return data.date(day_of(s) * DAY)
end

--- data.moment(s) -> string
-- A date, with the time of day where it is not midnight.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, UTC.
function data.moment(s)
  if not s or s % DAY < 1 then return data.date(s) end
  return data.date(s, s % 60 < 1 and "%Y-%m-%d %H:%M" or "%Y-%m-%d %H:%M:%S")
end

--- data.span(from, to) -> string
-- Two dates, with the times of day where they are less than three days apart.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, UTC.
function data.span(from, to)
  if to - from >= 3 * DAY then return data.date(from) .. " to " .. data.date(to) end
  local same = data.date(from) == data.date(to)
  return data.date(from, "%Y-%m-%d %H:%M") .. " to "
         .. data.date(to, same and "%H:%M" or "%Y-%m-%d %H:%M")
end

--- data.unit(longest) -> name, seconds
-- In what a column of durations is told: d, h, min or s.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds.
function data.unit(longest)
  for _, unit in ipairs { { "d", DAY }, { "h", 3600 }, { "min", 60 } } do
    if longest >= 3 * unit[2] then return unit[1], unit[2] end
  end
  return "s", 1
end

--- data.month_name(m) -> string
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: 1 is January.
function data.month_name(m) return MONTHS[m] end

--- data.keys(...) -> list
-- The keys of some tables, each once, in the order of their texts.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function data.keys(...)
  local keys, seen = {}, {}
  for i = 1, select("#", ...) do
    for key in pairs(list((select(i, ...)))) do
      if not seen[key] then keys[#keys + 1], seen[key] = key, true end
    end
  end
  table.sort(keys, function(a, b)
    local x, y = tostring(a), tostring(b)
    if x == y then return type(a) < type(b) end
    return x < y
  end)
  return keys
end

-- ---- the equity ----

-- Adds a point unless it is none; one at the time of the last takes its place.
local function add(series, s, value)
  local last = series.time[#series.time]
  if not (s and value) or last and s < last then return end
  local at = s == last and #series.time or #series.time + 1
  series.time[at], series.value[at] = s, value
end

local function series() return { time = {}, value = {} } end

-- The last point of each day.
local function by_day(s)
  local out = series()
  for i = 1, #s.time do
    if not s.time[i + 1] or day_of(s.time[i + 1]) ~= day_of(s.time[i]) then
      add(out, s.time[i], s.value[i])
    end
  end
  return out
end

--- data.equity(result) -> curve, days
-- Two series { time = list, value = list }; each stands in for the other where the
-- result has only one.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, currency.
function data.equity(result)
  local curve, days = series(), series()
  local c = list(result.curve)
  local times, values = list(c.time), list(c.equity)
  for i = 1, math.min(#times, #values) do
    add(curve, seconds(times[i]), number(values[i]))
  end
  for _, day in ipairs(list(result.days)) do
    day = list(day)
    add(days, seconds(day.time), number(day.equity))
  end
  if #days.time == 0 then days = by_day(curve) end
  if #curve.time < 2 then curve = days end
  return curve, days
end

--- data.start(result, days) -> number | nil
-- What the account began with.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: currency.
function data.start(result, days) return number(result.start) or days.value[1] end

--- data.returns(days [, ruined]) -> series
-- Of each day on the day before it; none any more after a day that ended at 0 or below,
-- or after the one of the ruin.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: ratios, seconds.
function data.returns(days, ruined)
  local out = series()
  for i = 2, #days.value do
    local before = days.value[i - 1]
    if before <= 0 or ruined and days.time[i - 1] >= ruined then break end
    add(out, days.time[i], number(days.value[i] / before - 1))
  end
  return out
end

--- data.underwater(s [, start]) -> list
-- How far each value is below the highest before it, start among them: 0 or less.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: ratios.
function data.underwater(s, start)
  local out, peak = {}, start or 0
  for i, value in ipairs(s.value) do
    peak = math.max(peak, value)
    out[i] = peak > 0 and math.max(value / peak - 1, -100.0) or 0.0
  end
  return out
end

--- data.drawdowns(s, most [, start]) -> list
-- The deepest first: { depth, peak, trough, recovered }; recovered is nil while the
-- highest value has not come back.  What it had at the start counts from the first point.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: ratios, seconds.
function data.drawdowns(s, most, start)
  local found, open, peak, peak_time = {}, nil, start, s.time[1]
  for i, value in ipairs(s.value) do
    if not peak or value >= peak then
      if open then open.recovered, open = s.time[i], nil end
      peak, peak_time = value, s.time[i]
    elseif peak > 0 then
      local depth = value / peak - 1
      if not open then
        open = { depth = 0, peak = peak_time }
        found[#found + 1] = open
      end
      if depth < open.depth then open.depth, open.trough = depth, s.time[i] end
    end
  end
  table.sort(found, function(a, b)
    if a.depth ~= b.depth then return a.depth < b.depth end
    return a.peak < b.peak
  end)
  return table.move(found, 1, math.min(#found, most), 1, {})
end

--- data.months(days, start [, ruined]) -> list of years
-- { year, total, [1] = January's return, … }: the last value of a month on the last of
-- the month before, the first on start.  A month without a value has none, nor has one
-- behind a month that ended at 0 or below; there are none from that of the ruin on.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: ratios, seconds.
function data.months(days, start, ruined)
  local years, before, opening = {}, start, start
  local function month_of(s) return s and data.date(day_of(s) * DAY, "%Y-%m") end
  for i, s in ipairs(days.time) do
    local month = month_of(s)
    if month_of(days.time[i + 1]) ~= month then
      if ruined and s >= ruined then break end
      local y, m = tonumber(month:sub(1, 4)), tonumber(month:sub(6, 7))
      local year, value = years[#years], days.value[i]
      if not year or year.year ~= y then
        year, opening = { year = y }, before
        years[#years + 1] = year
      end
      if (before or 0) > 0 then
        year[m] = number(value / before - 1)
        if (opening or 0) > 0 then year.total = number(value / opening - 1) end
        before = value
      end
    end
  end
  return years
end

--- data.year(days) -> 252 | 365
-- How many days of trading a year has: all where a twentieth each is of Saturdays and of
-- Sundays.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function data.year(days)
  local of = { [5] = 0, [6] = 0 }
  for _, s in ipairs(days.time) do           -- 1970-01-01 was a Thursday
    local day = (day_of(s) + 3) % 7
    of[day] = (of[day] or 0) + 1
  end
  return math.min(of[5], of[6]) * 20 > #days.time and 365 or 252
end

--- data.rolling_sharpe(returns, year) -> series | nil, window
-- mean / standard deviation * sqrt(year) of the last 126 days, or 63 or 21 where there
-- are fewer than twice as many; nil with less than 42.  NaN while nothing moves.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the window in days.
function data.rolling_sharpe(returns, year)
  local r, window = returns.value, nil
  for _, w in ipairs { 126, 63, 21 } do
    if not window and #r >= 2 * w then window = w end
  end
  if not window then return nil end
  local out, sum, squares = series(), 0.0, 0.0
  for i, x in ipairs(r) do
    sum, squares = sum + x, squares + x * x
    if i > window then
      local gone = r[i - window]
      sum, squares = sum - gone, squares - gone * gone
    end
    if i >= window then
      local variance = (squares - sum * sum / window) / (window - 1)
      local flat = variance <= 1e-18
      add(out, returns.time[i], flat and 0 / 0
          or sum / window / math.sqrt(variance) * math.sqrt(year))
    end
  end
  return out, window
end

--- data.moved(returns) -> list, mean
-- Those that are not 0, and the mean of all.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: ratios.
function data.moved(returns)
  local moved, sum = {}, 0.0
  for _, r in ipairs(returns.value) do
    sum = sum + r
    if r ~= 0 then moved[#moved + 1] = r end
  end
  return moved, sum / math.max(#returns.value, 1)
end

--- data.histogram(values) -> { low, step, [1] = count, … } | nil
-- Between 10 and 60 ranges, whose number grows with that of the values; a border is at 0.
-- Nil when all values are the same but for rounding.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: those of the values.
function data.histogram(values)
  local low, high, n = math.huge, -math.huge, #values
  for _, v in ipairs(values) do low, high = math.min(low, v), math.max(high, v) end
  if n < 2 or high - low < 1e-12 * math.max(high, -low, 1) then return nil end
  local step = (high - low) / math.min(math.max(math.floor(2 * n ^ (1 / 2)), 10), 58)
  local first = math.floor(low / step)
  local out = { low = first * step, step = step }
  for i = 1, math.floor(high / step) - first + 1 do out[i] = 0 end
  for _, v in ipairs(values) do
    local bin = math.floor(v / step) - first + 1
    out[bin] = out[bin] + 1
  end
  return out
end

-- ---- trades ----

--- data.trades(result) -> list
-- Those of the result with their times in seconds: { symbol, entry, exit, quantity,
-- entry_price, exit_price, pnl, fees, ratio }; without an exit it is still open.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, currency.
function data.trades(result)
  local out = {}
  for i, t in ipairs(list(result.trades)) do
    t = list(t)
    out[i] = { symbol = tostring(t.symbol or ""), number = i,
               entry = seconds(t.entry), exit = seconds(t.exit),
               quantity = number(t.quantity), entry_price = number(t.entry_price),
               exit_price = number(t.exit_price), pnl = number(t.pnl),
               fees = number(t.fees), ratio = number(t.ratio) }
  end
  return out
end

--- data.with_open(trades, result) -> list
-- The trades, and behind them the positions that were open at the end; of a walk-forward
-- at the end of each test.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: as data.trades.
function data.with_open(trades, result)
  local out = table.move(trades, 1, #trades, 1, {})
  for _, p in ipairs(list(result.held or result.positions)) do
    p = list(p)
    local entry, quantity = seconds(p.entry), number(p.quantity)
    if entry and quantity and quantity ~= 0 then
      out[#out + 1] = { symbol = tostring(p.symbol or ""), number = #out + 1,
        entry = entry, exit = seconds(p.exit), quantity = quantity,
        entry_price = number(p.price), value = number(p.value) }
    end
  end
  return out
end

--- data.ranked(trades) -> list
-- Those that have a profit or a loss, the best first.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function data.ranked(trades)
  local out = {}
  for _, t in ipairs(trades) do if t.pnl then out[#out + 1] = t end end
  table.sort(out, function(a, b)
    if a.pnl ~= b.pnl then return a.pnl > b.pnl end
    return a.number < b.number
  end)
  return out
end

-- What a trade held.  A ratio tells it with the contract's multiplier in it.
local function value_of(t)
  if t.value then return t.value end
  if t.pnl and t.ratio and t.ratio ~= 0 then
    local value = number(t.pnl / t.ratio)
    if value then return math.abs(value) end
  end
  return t.quantity and t.entry_price and math.abs(t.quantity * t.entry_price)
end

--- data.prices(result, symbol) -> series
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, prices.
function data.prices(result, symbol)
  local out, p = series(), list(list(result.prices)[symbol])
  local times, closes = list(p.time), list(p.close)
  for i = 1, math.min(#times, #closes) do
    add(out, seconds(times[i]), number(closes[i]))
  end
  return out
end

--- data.exposure(trades, curve, result) -> { time, long, short } | nil
-- What was held as a share of the equity; short is 0 or less.  It is worth what the
-- symbol's prices of the result say; what has none, what it took.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds, ratios.
function data.exposure(trades, curve, result)
  local events, of = {}, {}                  -- of: by symbol, what of it is held
  local function add_event(time, ...) events[#events + 1] = { time, #events, ... } end
  for _, t in ipairs(trades) do
    local value = value_of(t)
    if value and value ~= 0 and t.entry and t.quantity then
      local price = t.entry_price ~= 0 and t.entry_price or nil
      local one = price and of[t.symbol] or { mark = 1.0, long = 0.0, short = 0.0 }
      if price then of[t.symbol] = one end
      local side = t.quantity < 0 and "short" or "long"
      local units = value / math.abs(price or 1.0) * (t.quantity < 0 and -1 or 1)
      add_event(t.entry, one, side, units, price)
      if t.exit then add_event(t.exit, one, side, -units, t.exit_price) end
    end
  end
  if #events == 0 or #curve.time == 0 then return nil end
  for _, symbol in ipairs(data.keys(of)) do
    local prices = data.prices(result or {}, symbol)
    for i, s in ipairs(prices.time) do
      add_event(s, of[symbol], nil, nil, prices.value[i])
    end
  end
  for i, s in ipairs(curve.time) do add_event(s, nil, nil, i) end
  table.sort(events, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[2] < b[2]
  end)
  local out = { time = {}, long = {}, short = {} }
  local now, open = { long = 0.0, short = 0.0 }, { long = 0, short = 0 }
  local equity, is_new = curve.value[1], false
  for i, event in ipairs(events) do
    local one, side, change, price = event[3], event[4], event[5], event[6]
    if one then
      local by = math.abs(price or one.mark) - one.mark
      now.long, now.short = now.long + by * one.long, now.short + by * one.short
      one.mark = one.mark + by
      if side then
        one[side], now[side] = one[side] + change, now[side] + change * one.mark
        open[side] = open[side] + ((change < 0) == (side == "short") and 1 or -1)
        if open[side] == 0 then one[side], now[side] = 0.0, 0.0 end
      end
    else
      equity = curve.value[change]
    end
    is_new = is_new or side or not one
    if is_new and (not events[i + 1] or events[i + 1][1] ~= event[1]) then
      local n = #out.time + 1
      out.time[n] = event[1]
      out.long[n] = equity > 0 and math.max(now.long / equity, 0) or 0.0
      out.short[n] = equity > 0 and math.min(now.short / equity, 0) or 0.0
      is_new = false
    end
  end
  return out
end

--- data.by_symbol(result, trades) -> list
-- { symbol, trades } of each that has trades or prices, that with the most trades first.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function data.by_symbol(result, trades)
  local by, out = {}, {}
  for _, t in ipairs(trades) do
    by[t.symbol] = by[t.symbol] or {}
    table.insert(by[t.symbol], t)
  end
  for i, symbol in ipairs(data.keys(by, result.prices)) do
    out[i] = { symbol = symbol, trades = by[symbol] or {} }
  end
  table.sort(out, function(a, b)
    if #a.trades ~= #b.trades then return #a.trades > #b.trades end
    return tostring(a.symbol) < tostring(b.symbol)
  end)
  return out
end

-- What several scripts, or tests one after the other, have of one symbol; the average
-- price is theirs where all are on one side.
local function add_position(sum, p)
  p = list(p)
  for _, name in ipairs { "realised", "unrealised", "fees" } do
    if number(p[name]) then sum[name] = (sum[name] or 0.0) + p[name] end
  end
  local held, more = sum.quantity or 0, number(p.quantity)
  sum.mark = number(p.mark) or sum.mark
  if not more then return sum end
  if held == 0 then
    sum.price = number(p.price)
  elseif more ~= 0 then
    sum.price = held * more > 0 and sum.price and number(p.price)
                and (held * sum.price + more * p.price) / (held + more) or nil
  end
  sum.quantity = held + more
  return sum
end

--- data.symbols(result, trades) -> list
-- { symbol, trades, won, pnl, fees, position }: one a symbol in the order of their names;
-- position is that of all scripts.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: currency.
function data.symbols(result, trades)
  local by, out = {}, {}
  local function of(symbol)
    if not by[symbol] then
      by[symbol] = { symbol = symbol, trades = 0, won = 0, pnl = 0.0, fees = 0.0 }
      out[#out + 1] = by[symbol]
    end
    return by[symbol]
  end
  for _, symbol in ipairs(list(result.symbols)) do of(tostring(symbol)) end
  for _, p in ipairs(list(result.positions)) do
    local row = of(tostring(list(p).symbol or ""))
    row.position = add_position(row.position or {}, p)
  end
  for _, t in ipairs(trades) do
    local row = of(t.symbol)
    row.trades = row.trades + 1
    row.won = row.won + ((t.pnl or 0) > 0 and 1 or 0)
    row.pnl, row.fees = row.pnl + (t.pnl or 0), row.fees + (t.fees or 0)
  end
  table.sort(out, function(a, b) return a.symbol < b.symbol end)
  return out
end

return data
