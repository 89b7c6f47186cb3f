--- report_svg: (internal) charts as inline SVG for the pages of tw.report.
--
-- Why: a chart fills whatever width there is, yet its texts and marks keep their size.
-- So lines are in an inner drawing of 1000 x 1000 units that is stretched, with strokes
-- that are not, and texts and marks stand at percentages of the outer one.  Colours are
-- classes, for the style sheet to choose.  However many points come in, a path keeps at
-- most four for each of the 1000 columns.

local data = require "tw.report_data"

local svg = {}

local COLUMNS <const> = 1000
local DAY <const> = 86400
local STEPS = { 1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, DAY, 2 * DAY,
                7 * DAY, 14 * DAY }
local MONTH_STEPS = { 1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000 }
local TICKS <const> = 10           -- at most, below a chart

local ENTITY = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
                 ["'"] = "&#39;" }

--- svg.escape(x) -> string
-- As text or as the value of an attribute: nothing in it is markup.  Bytes that are no
-- UTF-8, and control characters, become U+FFFD.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function svg.escape(x)
  local text = tostring(x)
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", "\u{FFFD}") end
  text = text:gsub("[%z\1-\8\11-\31\127]", "\u{FFFD}"):gsub("\xc2[\x80-\x9f]", "\u{FFFD}")
  return (text:gsub("[&<>\"']", ENTITY))
end
local escape = svg.escape

-- A coordinate with one decimal, or so many; none where they are 0.
local function unit(x, decimals)
  x = math.max(-9999, math.min(19999, x))
  local text = ("%." .. (decimals or 1) .. "f"):format(x):gsub("0+$", "")
  return (text:gsub("%.$", ""):gsub("^%-0$", "0"))
end

-- ---- scales ----

-- Round values between low and high, about n of them; and how far apart.
local function round_ticks(low, high, n)
  local raw = (high - low) / n
  local power = 10.0 ^ math.floor(math.log(raw, 10))
  local step = power * 10
  for _, m in ipairs { 1, 2, 5 } do
    if m * power >= raw * 0.999 then step = m * power break end
  end
  local ticks = {}
  for i = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do
    ticks[#ticks + 1] = i * step + 0.0
  end
  return ticks, step
end

-- 1, 2, 5, 10, … between low and high.
local function log_ticks(low, high)
  local ticks = {}
  for power = math.floor(math.log(low, 10)), math.ceil(math.log(high, 10)) do
    for _, m in ipairs { 1, 2, 5 } do
      local v = m * 10.0 ^ power
      if v >= low * 0.999 and v <= high * 1.001 then ticks[#ticks + 1] = v end
    end
  end
  if #ticks > 7 then
    local powers = {}
    for _, v in ipairs(ticks) do
      if math.log(v, 10) % 1 < 1e-9 then powers[#powers + 1] = v end
    end
    ticks = powers
  end
  return ticks
end

-- The first of the month that s is in, and of the one after.
local function month_start(s)
  s = math.floor(s) // DAY * DAY
  return s - (tonumber(os.date("!%d", s)) - 1) * DAY
end
local function next_month(s) return month_start(s + 32 * DAY) end

-- Where times are named, and how: a list of { time, text }.
local function time_ticks(from, to)
  local span, ticks = to - from, {}
  if span <= TICKS * 14 * DAY then
    local step = STEPS[#STEPS]
    for i = #STEPS, 1, -1 do if span / STEPS[i] <= TICKS then step = STEPS[i] end end
    local format = step < 60 and "%H:%M:%S" or step < DAY and "%H:%M" or "%d %b"
    for i = math.ceil(from / step), math.floor(to / step) do
      local s = i * step
      ticks[#ticks + 1] = { s, data.date(s, step < DAY and s % DAY == 0 and "%d %b"
                                            or format) }
    end
    return ticks
  end
  local months = span / (30.4 * DAY)
  local step = MONTH_STEPS[#MONTH_STEPS]
  for i = #MONTH_STEPS, 1, -1 do
    if months / MONTH_STEPS[i] <= TICKS then step = MONTH_STEPS[i] end
  end
  local s = month_start(from)
  if s < from then s = next_month(s) end
  while s <= to and #ticks <= TICKS + 1 do
    local year, month = data.date(s, "%Y"), tonumber(data.date(s, "%m"))
    if (year * 12 + month - 1) % step == 0 then
      ticks[#ticks + 1] = { s, month == 1 and ("%d"):format(year)
                               or data.month_name(month) .. (" %d"):format(year) }
    end
    s = next_month(s)
  end
  return ticks
end

--- svg.axis(x, kind [, step]) -> string
-- A number beside an axis: 12k, 1.5M, 20%; with the digits that tell it from one which is
-- a step away.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: see figures.show.
function svg.axis(x, kind, step)
  local suffix, digits = "", 6
  if step and x ~= 0 then
    digits = math.floor(math.log(math.abs(x), 10)) - math.floor(math.log(step, 10)) + 1
    digits = math.max(6, math.min(digits, 15))
  end
  if kind == "percent" then x, suffix = x * 100, "%" end
  local size = math.abs(x)
  if size >= 1e15 then return ("%.2g"):format(x) .. suffix end
  for _, unit_ in ipairs { { 1e12, "T" }, { 1e9, "B" }, { 1e6, "M" }, { 1e4, "k" } } do
    if size >= unit_[1] then
      local scale = unit_[2] == "k" and 1e3 or unit_[1]
      x, suffix = x / scale, unit_[2] .. suffix
      break
    end
  end
  local text = ("%." .. digits .. "g"):format(x):gsub("^%-", "−")
  return text .. suffix
end

-- ---- a plot ----

local plot = {}
plot.__index = plot

--- svg.plot { from, to, low, high, … } -> plot
-- An empty chart.  from, to: times, or numbers with x = a kind of figure.  low, high: the
-- values; log: on a scale of powers.  kind of the values, label (read aloud), height in
-- pixels, ticks below (false: none), zero: a line there, hover: what the values are
-- called where the page shows them.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds; see each.
function svg.plot(o)
  local self = setmetatable({ o = o, paths = {}, over = {}, under = {} }, plot)
  local low, high = o.low, o.high
  if not (low < high) then
    local half = math.max(math.abs(low) * 0.01, 1e-9)
    low, high = low - half, high + half
  end
  local room = (high - low) * 0.04
  if o.log then
    self.marks = log_ticks(low, high)
    low, high = math.log(low), math.log(high)
    room = (high - low) * 0.04
  end
  self.low = (o.zero and low == 0 and not o.log) and low or low - room
  self.high = (o.zero and high == 0 and not o.log) and high or high + room
  if not o.log then
    self.marks, self.step = round_ticks(self.low, self.high,
                                        math.max((o.height or 240) // 40, 3))
  end
  self.from = o.from
  self.to = o.to > o.from and o.to or o.from + 1
  return self
end

--- plot:x(s) -> number
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: 0 to 1000, at the right.
function plot:x(s) return (s - self.from) / (self.to - self.from) * COLUMNS end

--- plot:y(v) -> number
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: 0 to 1000, at the bottom.
function plot:y(v)
  if self.o.log then v = v > 0 and math.log(v) or self.low end
  return (self.high - v) / (self.high - self.low) * COLUMNS
end

-- The points of a line as lists of x and y, a NaN between two parts; of each column the
-- first, the lowest, the highest and the last.
local function thin(self, times, values)
  local xs, ys, n = {}, {}, 0
  local column, first, last, least, most
  local function put(p)
    if n > 0 and xs[n] == p[1] and ys[n] == p[2] then return end
    n = n + 1
    xs[n], ys[n] = p[1], p[2]
  end
  local function flush()
    if not column then return end
    put(first)
    if least[1] < most[1] then put(least) put(most) else put(most) put(least) end
    put(last)
    column = nil
  end
  for i = 1, #times do
    local x, v = self:x(times[i]), values[i]
    if v ~= v then
      flush()
      if n > 0 then put { 0 / 0, 0 / 0 } end
    else
      local p = { x, self:y(v) }
      if x // 1 ~= column then
        flush()
        column, first, least, most = x // 1, p, p, p
      end
      last = p
      if p[2] > least[2] then least = p end
      if p[2] < most[2] then most = p end
    end
  end
  flush()
  return xs, ys
end

--- plot:line(times, values, class [, step])
-- Adds a line; a NaN is a gap.  step: a value holds until the next.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the plot's.
function plot:line(times, values, class, step)
  local xs, ys = thin(self, times, values)
  local out, pen = {}, "M"
  for i = 1, #xs do
    if xs[i] ~= xs[i] then
      pen = "M"
    else
      if step and pen == "L" then out[#out + 1] = "H" .. unit(xs[i]) end
      out[#out + 1] = pen .. unit(xs[i], 2) .. " " .. unit(ys[i])
      pen = "L"
    end
  end
  if #xs == 1 then out[2] = "h.1" end
  self.paths[#self.paths + 1] = ('<path class="%s" d="%s"/>'):format(class,
    table.concat(out))
end

--- plot:area(times, values, class [, step])
-- The same, filled down or up to 0, or to the bottom on a scale of powers.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the plot's.
function plot:area(times, values, class, step)
  local xs, ys = thin(self, times, values)
  if #xs == 0 then return end
  local base = unit(self.o.log and COLUMNS
                    or math.max(0, math.min(COLUMNS, self:y(0))))
  local out = {}
  for i = 1, #xs do
    if xs[i] == xs[i] then
      if #out == 0 then out[1] = "M" .. unit(xs[i]) .. " " .. base
      elseif step then out[#out + 1] = "H" .. unit(xs[i]) end
      out[#out + 1] = "L" .. unit(xs[i]) .. " " .. unit(ys[i])
    end
  end
  out[#out + 1] = "V" .. base .. "Z"
  self.paths[#self.paths + 1] = ('<path class="%s" d="%s"/>'):format(class,
    table.concat(out))
end

--- plot:band(from, to, class, title)
-- A stripe over the whole height, behind all.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds.
function plot:band(from, to, class, title)
  local a, b = self:x(from), self:x(to)
  self.under[#self.under + 1] =
    ('<rect class="%s" x="%s" width="%s" height="1000"><title>%s</title></rect>'):format(
      class, unit(a), unit(math.max(b - a, 1)), escape(title))
end

--- plot:bar(from, to, value, class, title)
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the plot's.
function plot:bar(from, to, value, class, title)
  local a, b = self:x(from), self:x(to)
  local top, base = self:y(math.max(value, 0)), self:y(math.min(value, 0))
  self.paths[#self.paths + 1] =
    ('<rect class="%s" x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>')
      :format(class, unit(a + (b - a) * 0.06), unit(top), unit((b - a) * 0.88),
              unit(base - top), escape(title))
end

--- plot:segment(from, low, to, high, class)
-- A straight line between two points.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the plot's.
function plot:segment(from, low, to, high, class)
  local paths = self.segments or {}
  self.segments = paths
  paths[class] = paths[class] or {}
  paths[class][#paths[class] + 1] = ("M%s %sL%s %s"):format(unit(self:x(from)),
    unit(self:y(low)), unit(self:x(to)), unit(self:y(high)))
end

--- plot:mark(s, value, shape)
-- A mark that is not stretched; shape: the id of a symbol of svg.SYMBOLS.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the plot's.
function plot:mark(s, value, shape)
  self.over[#self.over + 1] = ('<use href="#%s" x="%s%%" y="%s%%"/>'):format(shape,
    unit(self:x(s) / 10), unit(self:y(value) / 10))
end

--- plot:note(s, text)
-- A word at the top, with a line down from it.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the plot's.
function plot:note(s, text)
  local x = unit(self:x(s) / 10)
  self.over[#self.over + 1] = ('<line class="note" x1="%s%%" x2="%s%%" y2="100%%"/>'
    .. '<text class="note" x="%s%%" dx="4" y="-3">%s</text>'):format(x, x, x,
    escape(text))
end

-- The grid and what stands beside it.
local function grid(self, out)
  local o = self.o
  for _, v in ipairs(self.marks) do
    local y = unit(self:y(v) / 10)
    out[#out + 1] = ('<line class="%s" x2="100%%" y1="%s%%" y2="%s%%"/>'
      .. '<text class="y" x="-8" y="%s%%" dy="4">%s</text>'):format(
        v == 0 and o.zero and "zero" or "grid", y, y, y, svg.axis(v, o.kind, self.step))
  end
  if o.ticks == false then return end
  local ticks = {}
  if o.x then
    local marks, step = round_ticks(self.from, self.to, 6)
    for i, v in ipairs(marks) do ticks[i] = { v, svg.axis(v, o.x, step) } end
  else
    ticks = time_ticks(self.from, self.to)
  end
  if #ticks == 0 then ticks = { { self.from, data.moment(self.from) } } end
  for i, tick in ipairs(ticks) do      -- every other one goes where there is little room
    local x = self:x(tick[1]) / 10
    local anchor = x < 4 and ' style="text-anchor:start"'
                   or x > 96 and ' style="text-anchor:end"' or ""
    out[#out + 1] = ('<text class="x%s" x="%s%%" y="100%%" dy="17"%s>%s</text>'):format(
      i % 2 == 0 and " minor" or "", unit(x), anchor, tick[2])
  end
end

--- plot:text() -> string
-- The chart as markup.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function plot:text()
  local o = self.o
  local hover = ""
  if o.hover then
    hover = (' data-from="%.0f" data-to="%.0f" data-low="%.9g" data-high="%.9g"'
      .. ' data-kind="%s" data-log="%d" data-name="%s"'):format(self.from, self.to,
      self.low, self.high, o.kind, o.log and 1 or 0, escape(o.hover))
  end
  local out = { ('<svg class="chart%s" style="height:%dpx" role="img" aria-label="%s"%s>')
    :format(o.ticks == false and " bare" or "", o.height or 240, escape(o.label), hover) }
  local inner = '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none">'
  if self.under[1] then
    out[#out + 1] = inner .. table.concat(self.under) .. "</svg>"
  end
  grid(self, out)
  for _, class in ipairs(data.keys(self.segments)) do
    self.paths[#self.paths + 1] = ('<path class="%s" d="%s"/>'):format(class,
      table.concat(self.segments[class]))
  end
  out[#out + 1] = inner .. table.concat(self.paths) .. "</svg>"
  out[#out + 1] = table.concat(self.over)
  out[#out + 1] = "</svg>"
  return table.concat(out)
end

--- svg.SYMBOLS: the shapes of plot:mark, once in a page.
svg.SYMBOLS = '<svg width="0" height="0" aria-hidden="true" class="symbols"><defs>'
  .. '<path id="long" class="mark long" d="M0 -4.5L5 4.5H-5Z"/>'
  .. '<path id="short" class="mark short" d="M0 4.5L5 -4.5H-5Z"/>'
  .. '<circle id="out" class="mark out" r="3.2"/>'
  .. '<path id="long-small" class="mark long" d="M0 -2.4L2.6 2.4H-2.6Z"/>'
  .. '<path id="short-small" class="mark short" d="M0 2.4L2.6 -2.4H-2.6Z"/>'
  .. '<circle id="out-small" class="mark out" r="1.4"/></defs></svg>'

return svg
