--- plot: lines, histograms and sparklines in the characters of a terminal.
--
--   plot(tape:find "AAPL")                     -- the mid prices of quotes
--   plot(spread.AAPL)                          -- a declared statistic with a history
--   plot({ 3, 1, 4, 1, 5 }, { kind = "histogram", bins = 3 })
--
-- At the prompt `plot` is there; elsewhere it is require "tw.plot".of.  A dot of a line
-- is one of the 2 x 4 of a braille character.

local screen = require "tw.screen"

local plot = {}

local MOST = 1000000              -- values taken of what is plotted
local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" }
local DOTS = { [0] = { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } }

local drawing = { __name = "drawing" }
function drawing.__tostring(d) return d.text end

local function is_finite(x) return x - x == 0 end

local function range(values)
  local low, high = math.huge, -math.huge
  for i = 1, #values do
    local v = values[i]
    if is_finite(v) then low, high = math.min(low, v), math.max(high, v) end
  end
  return low, high
end

-- As many digits as tell the ends of the axis apart.
local function labels(low, high, n)
  for digits = 4, 15 do
    local out, seen, fine = {}, {}, true
    for i = 1, n do
      local v = n == 1 and low or low + (high - low) * (i - 1) / (n - 1)
      out[i] = ("%." .. digits .. "g"):format(v)
      fine = fine and not seen[out[i]]
      seen[out[i]] = true
    end
    if fine or low == high or digits == 15 then return out end
  end
end

local function canvas(columns, rows)
  local cells = {}
  local self = {}
  function self.set(x, y)           -- from 0, at the left bottom
    local row = rows - 1 - y // 4
    local at = row * columns + x // 2
    cells[at] = (cells[at] or 0) | DOTS[x % 2][4 - y % 4]
  end
  function self.row(r)
    local line = {}
    for c = 0, columns - 1 do
      line[c + 1] = cells[r * columns + c] and utf8.char(0x2800 + cells[r * columns + c])
                    or " "
    end
    return (table.concat(line):gsub(" +$", ""))
  end
  return self
end

local function right(text, width)
  return (" "):rep(width - (utf8.len(text) or #text)) .. text
end

--- plot.line(values [, options]) -> string
-- A list of numbers as a line, with an axis at the left and below.  More values than
-- there are dots are drawn as the range of each dot's; a nan is a gap.  options: width
-- (72), height (12), first (1) and last: what stands below the ends.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises when no value is finite.  Units: width in columns, height in rows.
function plot.line(values, o)
  o = o or {}
  local height = math.max(o.height or 12, 2)
  local low, high = range(values)
  if low > high then error("plot: there is no number to draw", 2) end
  if low == high then
    local half = math.max(math.abs(low) * 0.01, 1e-9)
    low, high = low - half, high + half
  end
  local marks = height >= 9 and 5 or height >= 5 and 3 or 2
  local ticks, width = labels(low, high, marks), 0
  for _, tick in ipairs(ticks) do width = math.max(width, #tick) end
  local columns = math.max((o.width or 72) - width - 2, 8)
  local dots, n = columns * 2, #values
  local c = canvas(columns, height)
  local function y_of(v)
    return math.floor((v - low) / (high - low) * (height * 4 - 1) + 0.5)
  end
  local function upright(x, a, b)
    for y = math.min(a, b), math.max(a, b) do c.set(x, y) end
  end
  if n > dots then
    local last
    for x = 0, dots - 1 do
      local least, most = math.huge, -math.huge
      for i = x * n // dots + 1, (x + 1) * n // dots do
        local v = values[i]
        if is_finite(v) then least, most = math.min(least, v), math.max(most, v) end
      end
      if least <= most then
        local a, b = y_of(least), y_of(most)
        local end_ = values[(x + 1) * n // dots]
        if last and last < a then a = last + 1 end
        if last and last > b then b = last - 1 end
        upright(x, a, b)
        last = y_of(is_finite(end_) and end_ or least)
      else
        last = nil
      end
    end
  else
    local from_x, from_y
    for i = 1, n do
      local v = values[i]
      if is_finite(v) then
        local x = n == 1 and 0 or math.floor((i - 1) * (dots - 1) / (n - 1) + 0.5)
        local y = y_of(v)
        local at = from_y or y
        if not from_x or from_x == x then upright(x, at, y) end
        for step = (from_x or x) + 1, x do          -- the way from the one before
          local way = (step - from_x) / (x - from_x)
          local to = math.floor(from_y + (y - from_y) * way + 0.5)
          upright(step, to > at and at + 1 or to < at and at - 1 or at, to)
          at = to
        end
        from_x, from_y = x, y
      else
        from_x, from_y = nil, nil
      end
    end
  end
  local lines, at = {}, {}
  for i, tick in ipairs(ticks) do
    at[height - 1 - math.floor((i - 1) * (height - 1) / (marks - 1) + 0.5)] = tick
  end
  for r = 0, height - 1 do
    lines[r + 1] = right(at[r] or "", width) .. (at[r] and " ┤" or " │") .. c.row(r)
  end
  local first, last = tostring(o.first or 1), tostring(o.last or n)
  lines[#lines + 1] = right("", width) .. " └" .. ("─"):rep(columns)
  lines[#lines + 1] = right("", width + 2) .. first
    .. right(last, math.max(columns - #first, #last + 1))
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

-- The times of the first and the last record, in UTC, below the ends of a line.
local function with_times(x, o)
  local function text(record)
    local fine, ns = pcall(function() return record.time end)
    if type(record) ~= "userdata" or not fine or math.type(ns) ~= "integer" then
      return nil
    end
    return os.date("!%H:%M:%S", ns // 1000000000)
      .. (".%03d"):format(ns % 1000000000 // 1000000)
  end
  local first, last = text(x[1]), text(x[#x])
  if not (first and last) then return o end
  return setmetatable({ first = o.first or first, last = o.last or last },
                      { __index = o })
end

local draw

-- {bid = list, ask = list}: each under its name, one below the other.
local function of_several(x, o)
  local names, parts = {}, {}
  for name in pairs(x) do names[#names + 1] = name end
  table.sort(names)
  local height = o.height or math.max(24 // #names - 3, 3)
  local each = setmetatable({ height = height }, { __index = o })
  for i, name in ipairs(names) do parts[i] = name .. "\n" .. draw(x[name], each) end
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
  local name = name_of(x)
  if name == "statistic" then return of_statistic(x, o) end
  local fine, history = pcall(function() return x.history end)
  if type(x) ~= "string" and fine and type(history) == "function" then
    x = x:history()
  end
  if type(x) ~= "table" and type(x) ~= "userdata" then
    error(("plot: a list of numbers expected, got a %s"):format(name), 0)
  end
  local values = numbers(x, o.field)
  if o.kind == "histogram" then return plot.histogram(values, o) end
  if o.kind == "spark" then
    return screen.sparkline(values, math.min(#values, o.width or 72))
  end
  return plot.line(values, with_times(x, o))
end

local KNOWN = { width = true, height = true, kind = true, bins = true, field = true,
                first = true, last = true }

--- plot.of(x [, options]) -> drawing
-- Draws a list of numbers, of quotes (their mid) or trades (their price), a tw.array, a
-- declared statistic that keeps a history, a quantile or a topk; or several of these,
-- {bid = list, ask = list}, one below the other.  A line of records has the times of its
-- ends below it, in UTC.  options: kind ("line", "histogram" or "spark"), field (of
-- records or tables), bins, width, height, first and last (what stands below the ends).
-- tostring gives the text, which is what the prompt shows.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what has no numbers, and for an unknown option.
-- Units: width in columns, height in rows.
function plot.of(x, o)
  o = o or {}
  for name in pairs(o) do
    if not KNOWN[name] then error(("plot: no option '%s'"):format(name), 2) end
  end
  if o.kind and o.kind ~= "line" and o.kind ~= "histogram" and o.kind ~= "spark" then
    error("plot: kind must be line, histogram or spark, got " .. tostring(o.kind), 2)
  end
  return setmetatable({ text = draw(x, o) }, drawing)
end

return plot
