--- plot: lines, histograms and sparklines in the characters of a terminal.
--
--   plot(tape:find "AAPL")                     -- the mid prices of quotes
--   plot(spread.AAPL)                          -- a declared statistic with a history
--   plot({ bid = bids, ask = asks }, { unit = "USD" })
--   plot({ 3, 1, 4, 1, 5 }, { kind = "histogram", bins = 3 })
--
-- At the prompt `plot` is there; elsewhere it is require "tw.plot".of.  A dot of a line
-- is one of the 2 x 4 of a braille character.

local screen = require "tw.screen"

local plot = {}

-- Options where none are given; the prompt says how wide its terminal is.
plot.usual = { width = 72, colours = false }

local MOST = 1000000              -- values taken of what is plotted
local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" }
local UPRIGHT = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local DOTS = { [0] = { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } }
-- Of series, where there are no colours, and with them; 0 is the line at 0.
local GLYPHS = { [0] = "·", "*", "+", "o", "x", "#", "@" }
local COLOURS = { [0] = 90, 36, 33, 35, 32, 34, 31 }

local drawing = { __name = "drawing" }
function drawing.__tostring(d) return d.text end

local PLAIN = "\27[m"

local function colour(series) return ("\27[%dm"):format(COLOURS[series]) end

local function is_finite(x) return x - x == 0 end

local function range(values)
  local low, high = math.huge, -math.huge
  for i = 1, #values do
    local v = values[i]
    if is_finite(v) then low, high = math.min(low, v), math.max(high, v) end
  end
  return low, high
end

-- As many digits as tell the ends of the axis apart, and write 12345 as that.
local function labels(low, high, n)
  for digits = 4, 15 do
    local out, seen, fine = {}, {}, true
    for i = 1, n do
      local v = n == 1 and low or low + (high - low) * (i - 1) / (n - 1)
      if math.abs(v) < (high - low) * 1e-4 then v = 0 end    -- less than a dot is high
      out[i] = ("%." .. digits .. "g"):format(v)
      fine = fine and not seen[out[i]] and not out[i]:find "e%+0"
      seen[out[i]] = true
    end
    if fine or low == high or digits == 15 then return out end
  end
end

-- A dot is one of the 2 x 4 of a braille character, or a glyph of its series.
local function canvas(columns, rows, by_glyph, colours)
  local wide, high = by_glyph and 1 or 2, by_glyph and 1 or 4
  local cells, owner, marks = {}, {}, {}
  local self = { columns = columns * wide, rows = rows * high, dots = high }
  function self.set(series, x, y)   -- from 0, at the left bottom
    local at = (rows - 1 - y // high) * columns + x // wide
    cells[at] = (cells[at] or 0) | DOTS[x % wide][high - y % high]
    owner[at] = series
  end
  function self.mark(x, y, glyph)   -- in place of what the cell shows
    marks[(rows - 1 - y // high) * columns + x // wide] = glyph
  end
  function self.row(r)
    local line, now = {}, nil       -- now: the series whose colour is on
    for c = 0, columns - 1 do
      local at = r * columns + c
      local series = not marks[at] and owner[at] or nil
      if colours and series ~= now then
        line[#line + 1] = (now and PLAIN or "") .. (series and colour(series) or "")
        now = series
      end
      line[#line + 1] = marks[at] or not series and " " or by_glyph and GLYPHS[series]
                        or utf8.char(0x2800 + cells[at])
    end
    return (table.concat(line):gsub(" +$", "")) .. (now and PLAIN or "")
  end
  return self
end

local function right(text, width)
  return (" "):rep(width - (utf8.len(text) or #text)) .. text
end

-- One series, from dot to dot; of many values in a column their range.
local function trace(c, series, xs, ys, x_of, y_of)
  local at, low, high, last         -- the column, what is drawn of it, and where it ends
  local function upright(x, a, b)
    for y = math.min(a, b), math.max(a, b) do c.set(series, x, y) end
  end
  for i = 1, #ys do
    if not (is_finite(ys[i]) and is_finite(xs[i])) then
      at = nil
      goto next
    end
    local x, y = x_of(xs[i]), y_of(ys[i])
    if not at then
      upright(x, y, y)
      low, high = y, y
    elseif x == at then
      if y < low then upright(x, y, low - 1) end
      if y > high then upright(x, high + 1, y) end
      low, high = math.min(low, y), math.max(high, y)
    else
      local from, to = last, last
      local step = x > at and 1 or -1
      for column = at + step, x, step do          -- the way from the one before
        from = to
        to = math.floor(last + (y - last) * (column - at) / (x - at) + 0.5)
        if to > from then from = from + 1 elseif to < from then from = from - 1 end
        upright(column, from, to)
      end
      low, high = math.min(from, to), math.max(from, to)
    end
    at, last = x, y
    ::next::
  end
end

local function number_text(x) return ("%.10g"):format(x) end

-- A canvas with axes, for values of low to high; lines: what of it is text, from above.
-- The line at 0 is dotted, and named on the axis, if zero says so.
local function axes(low, high, o, by_glyph, colours, zero)
  if low == high then
    local half = math.max(math.abs(low) * 0.01, 1e-9)
    low, high = low - half, high + half
  end
  local height = math.max(o.height or 12, 2)
  local marks = height >= 9 and 5 or height >= 5 and 3 or 2
  local ticks, width = labels(low, high, marks), utf8.len(o.unit or "") or #o.unit
  for _, tick in ipairs(ticks) do width = math.max(width, #tick) end
  local columns = math.max(o.width - width - 2, 8)
  local c = canvas(columns, height, by_glyph, colours)
  local at = {}
  for i, tick in ipairs(ticks) do
    at[height - 1 - math.floor((i - 1) * (height - 1) / (marks - 1) + 0.5)] = tick
  end
  function c.y_of(y) return math.floor((y - low) / (high - low) * (c.rows - 1) + 0.5) end
  if zero and low <= 0 and high >= 0 then
    local y = c.y_of(0)
    for x = 0, c.columns - 1, 2 do c.set(0, x, y) end
    local row = height - 1 - y // c.dots
    if row > 0 and row < height - 1 then at[row] = "0" end
  end
  function c.lines(first, last)
    local lines = { o.unit and right(o.unit, width) }
    for r = 0, height - 1 do
      lines[#lines + 1] = right(at[r] or "", width) .. (at[r] and " ┤" or " │")
                          .. c.row(r)
    end
    lines[#lines + 1] = right("", width) .. " └" .. ("─"):rep(columns)
    lines[#lines + 1] = right("", width + 2) .. first
      .. right(last, math.max(columns - #first, #last + 1))
    return lines, width + 2
  end
  return c
end

-- All series {name, x, y} in one picture.
local function lines_of(all, o)
  local low, high, first, last = math.huge, -math.huge, math.huge, -math.huge
  local function reach(xs, ys)
    local a, b = range(ys)
    local from, to = range(xs)
    low, high = math.min(low, a), math.max(high, b)
    first, last = math.min(first, from), math.max(last, to)
  end
  for _, s in ipairs(all) do reach(s.x, s.y) end
  for _, m in ipairs(o.marks or {}) do reach({ m[1] }, { m[2] }) end
  if low > high then error("plot: there is no number to draw", 0) end
  if o.zero then low, high = math.min(low, 0), math.max(high, 0) end
  local colours = #all > 1 and o.colours
  local c = axes(low, high, o, #all > 1 and not colours, colours, o.zero)
  local function x_of(x)
    return last == first and 0
           or math.floor((x - first) / (last - first) * (c.columns - 1) + 0.5)
  end
  for i, s in ipairs(all) do trace(c, i, s.x, s.y, x_of, c.y_of) end
  for _, m in ipairs(o.marks or {}) do
    if is_finite(m[1]) and is_finite(m[2]) then
      c.mark(x_of(m[1]), c.y_of(m[2]), m[3])
    end
  end
  local lines, margin = c.lines(tostring(o.first or all.text(first)),
                                tostring(o.last or all.text(last)))
  if #all > 1 then
    local legend = {}
    for i, s in ipairs(all) do
      legend[i] = (colours and colour(i) .. "━━" .. PLAIN or GLYPHS[i]) .. " " .. s.name
    end
    lines[#lines + 1] = right("", margin) .. table.concat(legend, "   ")
  end
  return table.concat(lines, "\n")
end

-- The mean of what was held in each of n equal parts of the time; those of before the
-- first one, and of no number, have none.
local function means(times, values, n)
  local first, last = times[1], times[#times]
  local sums, spans, wide = {}, {}, (last - first) / n
  for i = 1, #times - 1 do
    local a, b, v = times[i], times[i + 1], values[i]
    if b > a and is_finite(v) then
      for k = math.floor((a - first) / wide), n - 1 do
        local from, to = first + k * wide, first + (k + 1) * wide
        if from >= b then break end
        local span = math.min(to, b) - math.max(from, a)
        if span > 0 then
          sums[k] = (sums[k] or 0) + v * (span / wide)
          spans[k] = (spans[k] or 0) + span / wide
        end
      end
    end
  end
  local out = {}
  for k, sum in pairs(sums) do out[k] = sum / spans[k] end
  return out
end

--- plot.area(times, lists [, options]) -> string
-- What is held over time, filled from 0: each value of a list until the time of the next
-- one, above 0 or below it; of a dot's time it is the mean.  All lists are in one
-- picture.  options: width (72), height (12), unit, first and last, as of plot.of.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for fewer than two times, and when no value is finite.
-- Units: width in columns, height in rows; times never go back.
function plot.area(times, lists, options)
  local o = { width = 72 }
  for name, value in pairs(options or {}) do o[name] = value end
  local n = math.min(#times, MOST)
  if n < 2 or times[n] <= times[1] then
    error("plot.area: two times expected, the first before the last", 2)
  end
  local low, high = 0, 0
  for _, list in ipairs(lists) do
    local a, b = range(list)
    if a > b then error("plot.area: there is no number to draw", 2) end
    low, high = math.min(low, a), math.max(high, b)
  end
  if low == high then high = 1 end
  local c = axes(low, high, o, false, false, true)
  local base = c.y_of(0)
  for i, list in ipairs(lists) do
    for x, v in pairs(means(times, list, c.columns)) do
      local y = c.y_of(v)
      for dot = math.min(y, base), math.max(y, base) do
        if v ~= 0 then c.set(i, x, dot) end
      end
    end
  end
  return table.concat(c.lines(tostring(o.first or number_text(times[1])),
                              tostring(o.last or number_text(times[n]))), "\n")
end

-- n eighths of a column as blocks.
local function bar(n)
  return ("█"):rep(n // 8) .. (EIGHTHS[n % 8] or "")
end

--- plot.bars(names, counts [, options]) -> string
-- A bar for each name, the longest as wide as there is room.  options: width (72).
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for a count below 0.  Units: width in columns.
function plot.bars(names, counts, o)
  local width, most, widest, numbers, wide = (o or {}).width or 72, 0, 0, {}, 0
  for i, count in ipairs(counts) do
    if count < 0 then error("plot.bars: a count below 0", 2) end
    numbers[i] = ("%.6g"):format(count)
    most, wide = math.max(most, count), math.max(wide, #numbers[i])
    widest = math.max(widest, utf8.len(names[i]) or #names[i])
  end
  local room, lines = math.max(width - widest - wide - 4, 4), {}
  for i, count in ipairs(counts) do
    local eighths = most > 0 and math.floor(count / most * room * 8 + 0.5) or 0
    if count > 0 and eighths == 0 then eighths = 1 end
    lines[i] = right(names[i], widest) .. " │" .. bar(eighths) .. " " .. numbers[i]
  end
  return table.concat(lines, "\n")
end

--- plot.histogram(values [, options]) -> string
-- How many values are in each of so many equal ranges; a bar is named by where its range
-- begins.  options: bins (10), width (72).
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises when no value is finite.  Units: width in columns.
function plot.histogram(values, o)
  o = o or {}
  local low, high = range(values)
  local bins = low == high and 1 or math.max(o.bins or 10, 1)
  if low > high then error("plot: there is no number to draw", 2) end
  local counts, names = {}, labels(low, high, bins + 1)
  for i = 1, bins do counts[i] = 0 end
  for i = 1, #values do
    local v = values[i]
    if is_finite(v) then
      local b = low == high and 1
                or math.min(math.floor((v - low) / (high - low) * bins) + 1, bins)
      counts[b] = counts[b] + 1
    end
  end
  names[bins + 1] = nil
  return plot.bars(names, counts, o)
end

-- The texts below an axis of so many columns, each in the middle of its place: of those
-- that would touch, the first.
local function below(columns, places)
  local taken, line, axis = {}, {}, {}
  for i = 0, columns - 1 do line[i], axis[i] = " ", "─" end
  for _, place in ipairs(places) do
    local x, text = place[1], place[2]
    local length = utf8.len(text) or #text
    local from = math.max(math.min(x - length // 2, columns - length), 0)
    local free = true
    for i = from - 1, from + length do free = free and not taken[i] end
    if free then
      axis[math.min(x, columns - 1)] = "┴"
      for i = from, from + length - 1 do taken[i], line[i] = true, "" end
      line[from] = text
    end
  end
  return table.concat(axis, "", 0, columns - 1),
         (table.concat(line, "", 0, columns - 1):gsub(" +$", ""))
end

--- plot.columns(counts [, options]) -> string
-- A column for each count, side by side, in eighths of a row; of more counts than there
-- is room for some are added up.  options: width (72), height (8), places: a list of
-- { n, text }, what stands below where the n-th count ends (0: the first begins); of
-- texts that would touch the first one of the list.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for a count below 0, and for none.  Units: columns and rows.
function plot.columns(counts, o)
  o = o or {}
  local width, height, n = o.width or 72, math.max(o.height or 8, 2), #counts
  if n == 0 then error("plot.columns: no counts", 2) end
  for _, count in ipairs(counts) do
    if count < 0 then error("plot.columns: a count below 0", 2) end
  end
  local group, sums, most, top = math.max((n + width - 1) // width, 1) - 1, nil, nil, nil
  repeat                                  -- until there is room, beside the number, too
    group, sums, most = group + 1, {}, 0
    for i, count in ipairs(counts) do
      local k = (i - 1) // group + 1
      sums[k] = (sums[k] or 0) + count
      most = math.max(most, sums[k])
    end
    top = ("%.6g"):format(most)
  until #sums == 1 or #sums + #top + 2 <= width
  local wide, lines = math.max((width - #top - 2) // #sums, 1), {}
  for r = height - 1, 0, -1 do
    local line = {}
    for k, sum in ipairs(sums) do
      local eighths = most > 0 and math.floor(sum / most * height * 8 + 0.5) or 0
      if sum > 0 and eighths == 0 then eighths = 1 end
      local part = math.max(math.min(eighths - r * 8, 8), 0)
      line[k] = (UPRIGHT[part] or " "):rep(wide)
    end
    local tick = r == height - 1 and top or ""
    lines[#lines + 1] = right(tick, #top) .. (tick ~= "" and " ┤" or " │")
                        .. table.concat(line):gsub(" +$", "")
  end
  local places = {}
  for i, place in ipairs(o.places or {}) do
    places[i] = { place[1] * wide // group, place[2] }
  end
  local axis, names = below(#sums * wide, places)
  lines[#lines + 1] = right("", #top) .. " └" .. axis
  if names ~= "" then lines[#lines + 1] = right("", #top + 2) .. names end
  return table.concat(lines, "\n")
end

-- ---- what is plotted ----

local function name_of(x)
  local m = debug.getmetatable(x)
  local name = m and rawget(m, "__name")
  return type(name) == "string" and name or type(x)
end

-- The number that a record or a field of a table stands for.
local function number_of(x, field)
  if type(x) == "number" then return x end
  if field then return tonumber(x[field]) or 0 / 0 end
  local kind = type(x) == "userdata" and x.kind
  if kind == "quote" then return x.mid or 0 / 0 end
  if kind == "trade" then return x.price end
  if kind == "bar" then return x.close end
  error("plot: a " .. name_of(x) .. " is no number; name a field: { field = 'bid' }", 0)
end

local function numbers(list, field)
  local values = {}
  for i = 1, math.min(#list, MOST) do values[i] = number_of(list[i], field) end
  return values
end

-- A statistic that keeps no numbers of its own, by what it can be asked.
local function of_statistic(s, o)
  local fine, list = pcall(s.list, s)
  if fine then
    local names, counts = {}, {}
    for i, entry in ipairs(list) do
      names[i], counts[i] = ("%.6g"):format(entry.value), entry.count
    end
    return plot.bars(names, counts, o)
  end
  local sample = {}
  fine = pcall(function()
    for i = 0, 199 do sample[i + 1] = s:quantile((i + 0.5) / 200) end
  end)
  if fine and sample[1] then
    return "shares of 200\n" .. plot.histogram(sample, o)
  end
  error("plot: " .. tostring(s) .. " keeps no values; declare it with a history"
        .. " (sample { history = 600 }) or plot a quantile or topk", 0)
end

-- Of a record; nil: it is none.
local function time_of(record)
  if type(record) ~= "userdata" then return nil end
  local fine, ns = pcall(function() return record.time end)
  return fine and math.type(ns) == "integer" and ns or nil
end

local function time_text(ns)
  return os.date("!%H:%M:%S", ns // 1000000000)
    .. (".%03d"):format(ns % 1000000000 // 1000000)
end

-- Without what has a symbol, but no price of it: what tape:find gives of one.
local function priced(list)
  local out = {}
  for i = 1, #list do
    local x = list[i]
    local kind = type(x) == "userdata" and x.kind
    if kind ~= "order" and kind ~= "status" then out[#out + 1] = x or number_of(x) end
  end
  return out
end

-- A list, or a statistic that has one.
local function list_of(x, field)
  local fine, history = pcall(function() return x.history end)
  if type(x) ~= "string" and fine and type(history) == "function" then
    x = x:history()
  end
  if type(x) == "table" and not field then return priced(x) end
  if type(x) == "table" or type(x) == "userdata" then return x end
  error(("plot: a list of numbers expected, got a %s"):format(name_of(x)), 0)
end

-- A line each, above the values of o.x, or their times, or one beside the other.
local function of_lines(names, lists, o)
  if #names > #GLYPHS then error(("plot: more than %d lines"):format(#GLYPHS), 0) end
  local xs, timed = o.x and numbers(list_of(o.x)), not o.x
  local all = { text = number_text }
  for i, list in ipairs(lists) do
    all[i] = { name = names[i], y = numbers(list, o.field), x = xs }
    if xs and #xs ~= #all[i].y then
      error(("plot: y has %d values, x has %d"):format(#all[i].y, #xs), 0)
    end
    timed = timed and time_of(list[1]) and time_of(list[#list])
  end
  for i, s in ipairs(all) do
    if xs then break end
    s.x = {}
    for k = 1, #s.y do s.x[k] = timed and #all > 1 and time_of(lists[i][k]) or k end
  end
  if timed and #all == 1 then
    local list = lists[1]
    all.text = function(k) return time_text(time_of(list[k])) end
  elseif timed then
    all.text = time_text
  end
  return lines_of(all, o)
end

local draw

-- {bid = list, ask = list}: lines in one picture, others one below the other.
local function of_several(x, o)
  local names, parts, is_lines = {}, {}, (o.kind or "line") == "line"
  for name in pairs(x) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    is_lines = is_lines and name_of(x[name]) ~= "statistic"
    parts[i] = x[name]
  end
  if is_lines then
    for i in ipairs(parts) do parts[i] = list_of(parts[i], o.field) end
    return of_lines(names, parts, o)
  end
  for i, name in ipairs(names) do parts[i] = name .. "\n" .. draw(x[name], o) end
  return table.concat(parts, "\n")
end

local function is_several(x)
  if type(x) ~= "table" or #x > 0 or next(x) == nil then return false end
  for name, one in next, x do
    if type(name) ~= "string" or (type(one) ~= "table" and type(one) ~= "userdata") then
      return false
    end
  end
  return true
end

function draw(x, o)
  if is_several(x) then return of_several(x, o) end
  if name_of(x) == "statistic" then return of_statistic(x, o) end
  local list = list_of(x, o.field)
  if (o.kind or "line") == "line" then return of_lines({ "" }, { list }, o) end
  local values = numbers(list, o.field)
  if o.kind == "histogram" then return plot.histogram(values, o) end
  return screen.sparkline(values, math.min(#values, o.width))
end

local KNOWN = { width = true, height = true, kind = true, bins = true, field = true,
                first = true, last = true, unit = true, x = true, colours = true,
                zero = true, marks = true }

local function is_list(x)
  return type(x) == "userdata" or (type(x) == "table" and #x > 0)
end

--- plot.of([x,] y [, options]) -> drawing
-- Draws a list of numbers, of quotes (their mid), trades (their price) or bars (their
-- close), a tw.array, a declared statistic that keeps a history, a quantile or a topk; or
-- several of these, {bid = list, ask = list}: lines stand in one picture, each in its
-- colour, or of its glyph, other drawings one below the other.  A line of numbers stands
-- above those of x, or above 1, 2, ...; below records stand the times of the first and
-- the last, in UTC, and several lines of records above their times.  More values than
-- there are dots are drawn as the range of each dot's; a nan is a gap.
-- options: kind ("line", "histogram" or "spark"), unit (a text above the axis), field
-- (of records or tables), bins, width, height, first and last (what stands below the
-- ends), colours (false: none), x (as the argument), zero (true: 0 is in the picture,
-- with a dotted line), marks (a list of { x, y, glyph }, each drawn over the lines).
-- tostring gives the text, which is what the prompt shows.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what has no numbers, and for an unknown option.
-- Units: width in columns, height in rows.
function plot.of(x, y, options)
  local o = setmetatable({}, { __index = plot.usual })
  if not is_list(y) then x, y, options = nil, x, y end
  for name, value in pairs(options or {}) do
    if not KNOWN[name] then error(("plot: no option '%s'"):format(name), 2) end
    o[name] = value
  end
  if x ~= nil then o.x = x end
  if o.kind and o.kind ~= "line" and o.kind ~= "histogram" and o.kind ~= "spark" then
    error("plot: kind must be line, histogram or spark, got " .. tostring(o.kind), 2)
  end
  return setmetatable({ text = draw(y, o) }, drawing)
end

return plot
