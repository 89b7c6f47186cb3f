--- sweep_walk: (internal) train and test: the best of one part of the data on the next.
--
-- With a walk there are many such windows, and what the tests gave, one after the other,
-- is one equity curve that no choice has seen.  A test begins with the same money each
-- time; in the joined curve it begins with what the one before has left.

local core = require "tw.internal.sweep"
local time_of = require "tw.internal.backtest".time
local figures = require "tw.report_figures"
local hours = require "tw.hours"
local tw = require "tw"

local walk = {}

local SECOND <const> = 1000000000
local DAY <const> = 86400 * SECOND
local POINTS <const> = 8192        -- of a joined curve
local MOST <const> = 10000         -- windows

local function fail(...) error("tw.sweep: " .. string.format(...), 0) end

-- ---- where windows are ----

local function length_of(text, what)
  return what:find "^%d+%l$" and hours.span(what)
    or fail("walk: a time like 180d expected in %s, got '%s'", text, what)
end

--- walk.check(o) -> table | nil
-- What options train, walk and anchored say; nil: nothing.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises for what makes no sense.
-- Units: ns.
function walk.check(o)
  if o.anchored and not o.walk then fail("anchored: it is for walk") end
  if o.train == nil and o.walk == nil then return nil end
  if o.train ~= nil and o.walk ~= nil then fail("either train or walk, not both") end
  if o.train ~= nil then
    local part = tonumber(o.train)
    if part and part > 0 and part < 1 then return { part = part } end
    local at = not part and time_of(tostring(o.train))
    if not at then
      fail("train: a part of the data, such as 0.7, or a date expected, got %s",
           tostring(o.train))
    end
    return { at = at }
  end
  local parts = {}
  for part in (o.walk .. ":"):gmatch "([^:]*):" do parts[#parts + 1] = part end
  if #parts < 2 or #parts > 3 then
    fail("walk: train:test, or train:test:step, expected, got '%s'", o.walk)
  end
  local train, test = length_of(o.walk, parts[1]), length_of(o.walk, parts[2])
  local step = parts[3] and length_of(o.walk, parts[3]) or test
  if step < test then fail("walk: the step of %s is shorter than its test", o.walk) end
  return { train = train, test = test, step = step, anchored = o.anchored, text = o.walk }
end

local function date(ns) return os.date("!%Y-%m-%d %H:%M:%S", ns // SECOND) end

--- walk.windows(w, begins, ends) -> list
-- Of records begins <= time < ends: { train_from, train_to, test_from, test_to } each;
-- the last test may be shorter; a last instant alone is none, as nothing can trade in it,
-- but belongs to the one before.  w: of walk.check.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises when there is no window, or more than 10,000.  Units: ns.
function walk.windows(w, begins, ends)
  local function window(from, middle, to)
    return { train_from = from, train_to = middle, test_from = middle, test_to = to }
  end
  if w.part or w.at then
    local at = w.at
    if w.part then
      at = begins + math.floor((ends - begins) * w.part)
      if at - at % DAY > begins then at = at - at % DAY end
    end
    if at <= begins or at >= ends then
      fail("train: %s is not within the data, from %s to %s", date(at), date(begins),
           date(ends))
    end
    return { window(begins, at, ends) }
  end
  local list, from = {}, begins
  while w.train < ends - 1 - from do   -- not from + train: past the last of all times
    if #list == MOST then fail("walk: more than %d windows", MOST) end
    local middle = from + w.train
    list[#list + 1] = window(w.anchored and begins or from, middle,
                             w.test < ends - 1 - middle and middle + w.test or ends)
    if w.step >= ends - from then break end
    from = from + w.step
  end
  if #list == 0 then
    fail("walk: the data has no window of %s: it is from %s to %s", w.text, date(begins),
         date(ends))
  end
  return list
end

--- walk.with_data(windows, mark) -> list, text | nil
-- Those with data in the training and in the test; what is said of the others, but for a
-- rest without data behind the last test: a bar of a day ends behind that.  mark: a
-- function that sets `found` in those of a list of { from, to } in which there is data.
-- Yields: no.  Blocks: as mark.  Thread: any.  Errors: raises when none is left.
-- Units: ns.
function walk.with_data(windows, mark)
  local spans, kept = {}, {}
  local without, all = { 0, 0, 0 }, #windows
  local function length(window) return window.test_to - window.test_from end
  for i, window in ipairs(windows) do
    spans[2 * i - 1] = { from = window.train_from, to = window.train_to }
    spans[2 * i] = { from = window.test_from, to = window.test_to }
  end
  mark(spans)
  for i, window in ipairs(windows) do
    local trains, tests = spans[2 * i - 1].found, spans[2 * i].found
    if trains and tests then
      kept[#kept + 1] = window
    elseif trains and i == #windows and length(window) < length(windows[1]) then
      all = all - 1
    else
      local why = tests and 2 or trains and 3 or 1
      without[why] = without[why] + 1
    end
  end
  if #kept == all then return kept end
  local texts = {}
  for why, where in ipairs { "at all", "in the training", "in the test" } do
    if without[why] > 0 then
      texts[#texts + 1] = ("%d without data %s"):format(without[why], where)
    end
  end
  local text = table.concat(texts, ", ")
  if #kept == 0 then
    fail("no window has data in its training and its test: of %d there are %s", all, text)
  end
  return kept, ("%d of %d windows %s left out: %s"):format(all - #kept, all,
                                              all - #kept == 1 and "is" or "are", text)
end

--- walk.warmup(window) -> text
-- For a test: all that was trained on, so that what a strategy computes of the past is
-- there.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: as backtest.run.
function walk.warmup(window)
  return ((window.test_from - window.train_from + SECOND - 1) // SECOND) .. "s"
end

-- ---- which run is chosen ----

-- Points that differ by at most one step in each parameter of numbers.
local function are_neighbours(a, b, ordered)
  for i, place in ipairs(a) do
    local apart = math.abs(place - b[i])
    if apart > (ordered[i] and 1 or 0) then return false end
  end
  return true
end

--- walk.neighbours(run, runs, by, ordered) -> number | nil
-- The median of a figure over those beside the run in the grid, of which ruined ones are
-- worse than all others; nil: there are none, or most are ruined.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the figure's.
function walk.neighbours(run, runs, by, ordered)
  local values = {}
  if #run.places < #ordered then return nil end     -- points at random have no places
  local worst = figures.find(by).low and math.huge or -math.huge
  for _, other in ipairs(runs) do
    if other ~= run and #other.places == #ordered
       and are_neighbours(run.places, other.places, ordered) then
      local result = other.result
      values[#values + 1] = result and (result.ruined and worst
                                        or figures.get(result, by)) or nil
    end
  end
  table.sort(values)
  local n = #values
  if n == 0 then return nil end
  local middle = n % 2 == 1 and values[n // 2 + 1]
                 or (values[n // 2] + values[n // 2 + 1]) / 2
  return math.abs(middle) < math.huge and middle or nil
end

--- walk.untested(windows, by) -> text | nil
-- What is said of windows in which no point could be chosen by a figure: untested is
-- "failed", "ruined", or "no figure", which some run lacks that has ended.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function walk.untested(windows, by)
  local counts, n, texts = {}, 0, {}
  for _, window in ipairs(windows) do
    local why = window.untested
    if why then n, counts[why] = n + 1, (counts[why] or 0) + 1 end
  end
  if n == 0 then return nil end
  local function add(why, text)
    local count = counts[why]
    if count then
      texts[#texts + 1] = (count < n and ("in %d "):format(count) or "") .. text
    end
  end
  local other = " (too few days, or nothing happened): choose by another one, such as"
                .. " --by total_return"
  add("ruined", "all runs of the training that ended were ruined")
  add("failed", "all runs of the training failed")
  add("no figure", ("no run of the training has the figure %s%s"):format(by,
    by:find "total_return$" and "" or other))
  local some = n < #windows and ("%d of %d windows have no test"):format(n, #windows)
               or n == 1 and "there is no test"
               or ("none of %d windows has a test"):format(n)
  return some .. ": " .. table.concat(texts, "; ")
end

-- ---- the tests as one ----

-- Adds a series to what there is of it, of many points each so-manieth.
local function add_series(all, time, value, step, factor)
  local n = #time
  for i = 1, n do
    if (n - i) % step == 0 then
      all.time[#all.time + 1] = time[i]
      all.value[#all.value + 1] = value[i] * factor
    end
  end
end

local function series() return { time = {}, value = {} } end

-- The curves of all pieces: how many of their points there is room for.
local function step_of(pieces, length)
  local n = 0
  for _, piece in ipairs(pieces) do n = n + length(piece) end
  return math.max(math.ceil(n / POINTS), 1)
end

local function join_prices(pieces)
  local all, symbols = {}, {}
  for _, piece in ipairs(pieces) do
    for symbol in pairs(piece.prices or {}) do symbols[symbol] = true end
  end
  for symbol in pairs(symbols) do
    local function of(piece) return (piece.prices or {})[symbol] end
    local step = step_of(pieces, function(p) return of(p) and #of(p).time or 0 end)
    local joined = series()
    for _, piece in ipairs(pieces) do
      if of(piece) then add_series(joined, of(piece).time, of(piece).close, step, 1) end
    end
    all[symbol] = { time = tw.array(joined.time), close = tw.array(joined.value) }
  end
  return all
end

-- Adds a piece's days to those of the result: the sum of their equity.
local function add_days(made, piece, factor)
  local sum = 0.0
  for _, day in ipairs(piece.days) do
    local last = made.days[#made.days]      -- of the piece before, on the same day
    local is_same = last and (last.time - 1) // DAY == (day.time - 1) // DAY
    made.days[#made.days + (is_same and 0 or 1)] =
      { time = day.time, equity = day.equity * factor }
    sum = sum + day.equity * factor
  end
  return sum
end

-- Likewise its trades and its positions; what a test held at its end is not sold.
local function add_trades(made, piece, factor)
  for _, trade in ipairs(piece.trades) do
    local one = {}
    for name, value in pairs(trade) do one[name] = value end
    one.pnl, one.fees = trade.pnl * factor, trade.fees * factor
    one.quantity = trade.quantity * factor
    made.trades[#made.trades + 1] = one
  end
  for _, position in ipairs(piece.positions or {}) do
    local function times(name) return (position[name] or 0) * factor end
    if position.entry then
      made.held[#made.held + 1] = { symbol = position.symbol,
        quantity = times "quantity", price = position.price, entry = position.entry,
        exit = piece.to, value = times "value" }
    end
    made.positions[#made.positions + 1] = { symbol = position.symbol,
      realised = times "realised", unrealised = times "unrealised",
      fees = times "fees" }
  end
end

--- walk.join(pieces) -> result | nil
-- One result of several, in the order of time: days, curve, trades, figures.  Money and
-- quantities of each are multiplied by what the ones before have made of theirs; one that
-- is ruined has nothing behind it.  A day is one, however many of them it has.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: as backtest.run.
function walk.join(pieces)
  local first = pieces[1]
  if not first then return nil end
  local made = { name = first.name, data = first.data, symbols = first.symbols,
    currency = first.currency, start = first.start, from = first.from, records = 0,
    seconds = 0, params = {}, days = {}, trades = {}, held = {}, positions = {},
    prices = join_prices(pieces) }
  local curve, equity = series(), first.start
  local step = step_of(pieces, function(p) return #p.curve.time end)
  local fees, exposed, time, traded, sum = 0.0, 0.0, 0, 0.0, 0.0
  for _, piece in ipairs(pieces) do
    local factor, f = equity / piece.start, piece.figures
    local of_piece = add_days(made, piece, factor)
    add_series(curve, piece.curve.time, piece.curve.equity, step, factor)
    add_trades(made, piece, factor)
    fees = fees + (f.fees or 0) * factor
    exposed = exposed + (f.exposure or 0) * (piece.to - piece.from)
    time = time + piece.to - piece.from
    traded = traded + (f.turnover or 0) * of_piece / math.max(#piece.days, 1)
    made.to = piece.to
    made.records = made.records + piece.handled
    made.seconds = made.seconds + piece.seconds
    equity = piece.final * factor
    made.ruined = piece.ruined
    if made.ruined then break end
  end
  for _, day in ipairs(made.days) do sum = sum + day.equity end
  made.final = equity
  made.curve = { time = tw.array(curve.time), equity = tw.array(curve.value) }
  made.figures = core.figures(made.days, made.trades, made.start, made.ruined)
  made.figures.fees = fees
  made.figures.exposure = time > 0 and exposed / time or nil
  made.figures.turnover = sum > 0 and not made.ruined and traded / (sum / #made.days)
                          or nil
  return made
end

return walk
