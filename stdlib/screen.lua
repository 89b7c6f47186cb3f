--- screen: renders a live text screen; every function returns text, none writes.
--
-- Why: what is shown is decided without a terminal, so it can be tested as text,
-- and a terminal on a slow line is sent only the lines that changed.
--
--   local frame = screen.frame({ "a title", screen.table(rows, titles) }, 80, 24)
--   io.write(screen.diff(shown, frame))
--   shown = frame
--
-- Invariant: a frame's lines hold no control character and are valid UTF-8, so
-- that no symbol or message, wherever it came from, can drive the terminal.

local screen = {}

local BARS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local MIDDLE = "▄"
local SI = { "", "k", "M", "G", "T", "P", "E" }
local SECONDS = { { 1e-9, "ns" }, { 1e-6, "us" }, { 1e-3, "ms" }, { 1, "s" } }
local BYTES = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" }

local function is_finite(x) return x - x == 0 end

--- "nan", "inf" or "-inf", the same on every platform.
local function name_of(x)
  if x ~= x then return "nan" end
  return x > 0 and "inf" or "-inf"
end

--- Characters of a text; bytes when it isn't UTF-8.
local function length(text) return utf8.len(text) or #text end

--- screen.number(x) -> string
-- Three significant digits and an SI prefix: 12.3k, 4.56M, 0.0123; whole numbers
-- below 1000 as they are.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if x is not a number.  Units: x's own.
function screen.number(x)
  assert(type(x) == "number", "screen.number: x must be a number")
  if not is_finite(x) then return name_of(x) end
  if x % 1 == 0 and x > -1000 and x < 1000 then return ("%d"):format(x) end
  for i, prefix in ipairs(SI) do
    local scaled = x / 1000.0 ^ (i - 1)
    if scaled > -999.5 and scaled < 999.5 then
      return ("%#.3g"):format(scaled):gsub("%.$", "") .. prefix
    end
  end
  return ("%.2e"):format(x)
end

--- One decimal while that tells something: 4.5, 99.9, 100, 850.
local function one_decimal(x) return (x < 99.95 and "%.1f" or "%.0f"):format(x) end

--- screen.duration(seconds) -> string
-- 850 ns, 12.3 us, 4.5 ms, 1.2 s, 2m05s, 3h07m.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if seconds is not a number.  Units: seconds.
function screen.duration(seconds)
  assert(type(seconds) == "number", "screen.duration: seconds must be a number")
  if not is_finite(seconds) then return name_of(seconds) end
  if seconds < 0 then return "-" .. screen.duration(-seconds) end
  if seconds >= 3599.5 then
    local minutes = math.floor(seconds / 60 + 0.5)
    return ("%.0fh%02.0fm"):format(minutes // 60, minutes % 60)
  elseif seconds >= 59.95 then
    local whole = math.floor(seconds + 0.5)
    return ("%dm%02ds"):format(whole // 60, whole % 60)
  elseif seconds < 999.5e-9 then
    return ("%.0f ns"):format(seconds * 1e9)
  end
  for _, unit in ipairs(SECONDS) do
    local scaled = seconds / unit[1]
    if scaled < 999.5 then return one_decimal(scaled) .. " " .. unit[2] end
  end
end

--- screen.bytes(n) -> string
-- 512 B, 1.5 KiB, 64.0 MiB.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if n is not a number.  Units: n in bytes; Ki is 1024.
function screen.bytes(n)
  assert(type(n) == "number", "screen.bytes: n must be a number")
  if not is_finite(n) then return name_of(n) end
  if n < 0 then return "-" .. screen.bytes(0.0 - n) end
  if n < 1023.5 then return ("%.0f B"):format(n) end
  local scaled, i = n / 1024, 2
  while scaled >= 1023.5 and i < #BYTES do scaled, i = scaled / 1024, i + 1 end
  return one_decimal(scaled) .. " " .. BYTES[i]
end

--- screen.sparkline(values [, width]) -> string
-- The last width values (all of them by default) as bars between the lowest and
-- the highest, spaces first when there are fewer.  Equal values stand half high,
-- nan is a gap, an infinity is the lowest or the highest bar.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if width is negative or no integer.  Units: width in columns.
function screen.sparkline(values, width)
  width = width or #values
  assert(math.type(width) == "integer" and width >= 0,
    "screen.sparkline: width must be an integer of at least 0")
  local first = math.max(1, #values - width + 1)
  local low, high = math.huge, -math.huge
  for i = first, #values do
    local v = values[i]
    if is_finite(v) then low, high = math.min(low, v), math.max(high, v) end
  end
  local span = high / 2 - low / 2      -- halves: the difference may not fit
  local bars = { (" "):rep(width - #values) }
  for i = first, #values do
    local v = values[i]
    if v ~= v then bars[#bars + 1] = " "
    elseif not is_finite(v) then bars[#bars + 1] = v < 0 and BARS[1] or BARS[#BARS]
    elseif span == 0 then bars[#bars + 1] = MIDDLE
    else
      local level = (v / 2 - low / 2) / span * #BARS // 1 | 0
      bars[#bars + 1] = BARS[math.min(level + 1, #BARS)]
    end
  end
  return table.concat(bars)
end

--- Whether a cell is a number, with a unit perhaps: "-1.5", "12.3 us", "nan".
local function is_number(cell)
  return cell:find "^[-+]?%.?%d" or cell:find "^[-+]?inf$" or cell:find "^-?nan$"
end

--- screen.table(rows, columns) -> string
-- One line of titles and one per row, joined by line feeds, columns two spaces
-- apart.  columns is a list of titles, a row a list of cells; a missing cell is
-- empty, a control character a space.  A column of numbers, with units or without,
-- is aligned to the right, as is a "-" in it.  A title with a line feed takes two lines.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if there is no column.  Units: none.
function screen.table(rows, columns)
  assert(#columns > 0, "screen.table: columns must name at least one column")
  local lines, first = {}, 0
  for _, title in ipairs(columns) do if title:find "\n" then first = -1 end end
  for i = first, #rows do lines[i] = {} end
  for c, title in ipairs(columns) do
    local above, below = title:match "^(.-)\n(.*)$"
    local cells, right = { [-1] = above or "", [0] = below or title }, #rows > 0
    local width = math.max(length(cells[-1]), length(cells[0]))
    for i, row in ipairs(rows) do
      local cell = row[c] == nil and "" or tostring(row[c]):gsub("%c", " ")
      cells[i], width = cell, math.max(width, length(cell))
      right = right and (cell == "" or cell == "-" or is_number(cell))
    end
    for i = first, #rows do
      local pad = (" "):rep(width - length(cells[i]))
      lines[i][c] = right and pad .. cells[i] or cells[i] .. pad
    end
  end
  for i = first, #rows do
    lines[i] = table.concat(lines[i], "  "):gsub(" +$", "")
  end
  return table.concat(lines, "\n", first)
end

--- A line as a terminal can show it: printable, at most width characters.
local function cut(line, width)
  line = line:gsub("%c", " ")
  if not utf8.len(line) then line = line:gsub("[\x80-\xff]", "?") end
  line = line:gsub("\xc2[\x80-\x9f]", " ")             -- U+0080 to U+009F
  if length(line) <= width then return line end
  return line:sub(1, utf8.offset(line, width + 1) - 1)
end

--- screen.frame(lines, width, height) -> list of strings
-- What fits a terminal of this size: at most height lines of at most width
-- characters.  An entry of lines may hold several, parted by line feeds.  Control
-- characters become spaces, the bytes of a line that isn't UTF-8 question marks.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if a size is negative or no integer.
-- Units: width in columns of one character each, height in lines.
function screen.frame(lines, width, height)
  for _, size in ipairs { width, height } do
    assert(math.type(size) == "integer" and size >= 0,
      "screen.frame: width and height must be integers of at least 0")
  end
  local frame = {}
  for _, text in ipairs(lines) do
    for line in (text .. "\n"):gmatch "([^\n]*)\n" do
      if #frame == height then return frame end
      frame[#frame + 1] = cut(line, width)
    end
  end
  return frame
end

-- A title of several words in two lines, where it is wider than its cells.
local function broken(rows, c, title)
  local half, widest = (length(title) + 1) / 2, 0
  for _, row in ipairs(rows) do
    widest = math.max(widest, length(tostring(row[c] or "")))
  end
  if length(title) <= widest then return title end
  local best
  for at in title:gmatch "() " do
    if not best or math.abs(at - half) < math.abs(best - half) then best = at end
  end
  return best and title:sub(1, best - 1) .. "\n" .. title:sub(best + 1) or title
end

--- screen.narrow(rows, columns, width [, dispensable]) -> string
-- screen.table in no more than so many columns: rather with titles in two lines than
-- without a column, and rather without some columns, by their titles in the order of
-- dispensable, than with a part of a number; what is left is cut.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if there is no column.  Units: width in columns of one character each.
function screen.narrow(rows, columns, width, dispensable)
  local shown, kept = screen.table(rows, columns), {}
  local function is_wide()
    for line in shown:gmatch "[^\n]+" do if length(line) > width then return true end end
  end
  if not is_wide() then return shown end
  for c = 1, #columns do kept[c] = c end
  local function draw()
    local titles, cells = {}, {}
    for i, c in ipairs(kept) do titles[i] = broken(rows, c, columns[c]) end
    for i, row in ipairs(rows) do
      cells[i] = {}
      for k, c in ipairs(kept) do cells[i][k] = row[c] end
    end
    shown = screen.table(cells, titles)
  end
  draw()
  for _, title in ipairs(dispensable or {}) do
    if not is_wide() then break end
    for i, c in ipairs(kept) do
      if columns[c] == title then table.remove(kept, i) break end
    end
    draw()
  end
  return table.concat(screen.frame({ shown }, width, #rows + 2), "\n")
end

--- screen.progress(part, text, width) -> string
-- A bar of which that part is full, percents and a text, as one line that a terminal of
-- width columns doesn't wrap: where they don't fit the bar is shorter, then gone, and the
-- text is cut.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises if width is negative or no integer.  Units: part: 1 is all; columns.
function screen.progress(part, text, width)
  part = math.min(math.max(part, 0), 1)
  text = (" %3d %%  %s"):format(part * 100 // 1, text)
  local size = math.max(math.min(width - 1 - length(text), 30), 0)
  local full = part * size // 1 | 0
  text = ("█"):rep(full) .. ("░"):rep(size - full) .. text
  return screen.frame({ text }, math.max(width - 1, 0), 1)[1]
end

--- screen.diff(old, new) -> string
-- What turns a terminal that shows frame old into one that shows new: only the
-- lines that differ are sent.  When old is nil, as at first and after the size
-- changed, the terminal is cleared.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function screen.diff(old, new)
  local parts = { old and "" or "\27[2J" }
  old = old or {}
  for row = 1, math.max(#old, #new) do
    local line = new[row] or ""
    if line ~= (old[row] or "") then
      -- Cleared before it is written: after a line as wide as the terminal, the
      -- cursor still stands on its last character.
      parts[#parts + 1] = ("\27[%d;1H\27[K"):format(row) .. line
    end
  end
  return table.concat(parts)
end

return screen
