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
local DOTS = { [0] = { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } }
local GLYPHS = { "*", "+", "o", "x", "#", "@" }          -- of series, where there are
local COLOURS = { 36, 33, 35, 32, 34, 31 }               -- no colours

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
  local cells, owner = {}, {}
  local self = { columns = columns * wide, rows = rows * high }
  function self.set(series, x, y)   -- from 0, at the left bottom
    local at = (rows - 1 - y // high) * columns + x // wide
    cells[at] = (cells[at] or 0) | DOTS[x % wide][high - y % high]
    owner[at] = series
  end
  function self.row(r)
    local line, now = {}, nil       -- now: the series whose colour is on
    for c = 0, columns - 1 do
      local at = r * columns + c
      local series = owner[at]
      if colours and series ~= now then
        line[#line + 1] = (now and PLAIN or "") .. (series and colour(series) or "")
        now = series
      end
      line[#line + 1] = not series and " " or by_glyph and GLYPHS[series]
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

-- All series {name, x, y} in one picture.
local function lines_of(all, o)
  local height = math.max(o.height or 12, 2)
  local low, high, first, last = math.huge, -math.huge, math.huge, -math.huge
  for _, s in ipairs(all) do
    local a, b = range(s.y)
    local from, to = range(s.x)
    low, high = math.min(low, a), math.max(high, b)
    first, last = math.min(first, from), math.max(last, to)
  end
  if low > high then error("plot: there is no number to draw", 0) end
  if low == high then
    local half = math.max(math.abs(low) * 0.01, 1e-9)
    low, high = low - half, high + half
  end
  local marks = height >= 9 and 5 or height >= 5 and 3 or 2
  local ticks, width = labels(low, high, marks), utf8.len(o.unit or "") or #o.unit
  for _, tick in ipairs(ticks) do width = math.max(width, #tick) end
  local columns = math.max(o.width - width - 2, 8)
  local colours = #all > 1 and o.colours
  local c = canvas(columns, height, #all > 1 and not colours, colours)
  for i, s in ipairs(all) do
    trace(c, i, s.x, s.y, function(x)
      return last == first and 0
             or math.floor((x - first) / (last - first) * (c.columns - 1) + 0.5)
    end, function(y)
      return math.floor((y - low) / (high - low) * (c.rows - 1) + 0.5)
    end)
  end
  local lines, at = { o.unit and right(o.unit, width) }, {}
  for i, tick in ipairs(ticks) do
    at[height - 1 - math.floor((i - 1) * (height - 1) / (marks - 1) + 0.5)] = tick
  end
  for r = 0, height - 1 do
    lines[#lines + 1] = right(at[r] or "", width) .. (at[r] and " ┤" or " │") .. c.row(r)
  end
  first, last = tostring(o.first or all.text(first)), tostring(o.last or all.text(last))
  lines[#lines + 1] = right("", width) .. " └" .. ("─"):rep(columns)
  lines[#lines + 1] = right("", width + 2) .. first
    .. right(last, math.max(columns - #first, #last + 1))
  if #all > 1 then
    local legend = {}
    for i, s in ipairs(all) do
      legend[i] = (colours and colour(i) .. "━━" .. PLAIN or GLYPHS[i]) .. " " .. s.name
    end
    lines[#lines + 1] = right("", width + 2) .. table.concat(legend, "   ")
  end
  return table.concat(lines, "\n")
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

local function number_text(x) return ("%.10g"):format(x) end

-- A list, or a statistic that has one.
local function list_of(x)
  local fine, history = pcall(function() return x.history end)
  if type(x) ~= "string" and fine and type(history) == "function" then
    x = x:history()
  end
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
    for i in ipairs(parts) do parts[i] = list_of(parts[i]) end
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
  local list = list_of(x)
  if (o.kind or "line") == "line" then return of_lines({ "" }, { list }, o) end
  local values = numbers(list, o.field)
  if o.kind == "histogram" then return plot.histogram(values, o) end
  return screen.sparkline(values, math.min(#values, o.width))
end

local KNOWN = { width = true, height = true, kind = true, bins = true, field = true,
                first = true, last = true, unit = true, x = true, colours = true }

local function is_list(x)
  return type(x) == "userdata" or (type(x) == "table" and #x > 0)
end

--- plot.of([x,] y [, options]) -> drawing
-- Draws a list of numbers, of quotes (their mid) or trades (their price), a tw.array, a
-- declared statistic that keeps a history, a quantile or a topk; or several of these,
-- {bid = list, ask = list}: lines stand in one picture, each in its colour, or of its
-- glyph, other drawings one below the other.  A line of numbers stands above those of x,
-- or above 1, 2, ...; below records stand the times of the first and the last, in UTC,
-- and several lines of records above their times.  More values than there are dots are
-- drawn as the range of each dot's; a nan is a gap.
-- options: kind ("line", "histogram" or "spark"), unit (a text above the axis), field
-- (of records or tables), bins, width, height, first and last (what stands below the
-- ends), colours (false: none), x (as the argument).
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
