--- inspect: values as text for people: indented, in tables, as JSON and CSV.
--
-- Why: print shows an address where the prompt should show what is there.  Whatever a
-- value holds, the text is bounded: so many entries of a table, so many tables in
-- tables, so many bytes of a string; what is left out is said, after a `…`.
--
--   print(inspect.text({ 1, 2, name = "AAPL" }))   --> {1, 2, name = "AAPL"}

local screen = require "tw.screen"

local inspect = {}

local BY = { tostring = tostring, pairs = pairs,     -- how values are asked
             index = function(value, key) return value[key] end }
local USUAL = { width = 80, items = 60, inside = 12, total = 400, depth = 4,
                bytes = 1000, by = BY }
local ALONE = 100000              -- bytes of what its __tostring says, when it is all
local WIDEST = 60                 -- characters of a cell
local ROWS = 60                   -- of a table, when nobody says otherwise
local LOOKED = 10000              -- keys that are sorted, of what is cut short

-- What a table of records shows, by their kind.
local FIELDS = {
  quote = { "seq", "time", "symbol", "bid_size", "bid", "ask", "ask_size" },
  trade = { "seq", "time", "symbol", "price", "size", "side" },
  message = { "seq", "time", "topic", "value" },
  timer = { "seq", "time", "timer", "count" },
  gap = { "seq", "lost", "first" },
}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\",
                  ['"'] = '\\"', ["\0"] = "\\0" }

local function escape(c) return ESCAPES[c] or ("\\x%02X"):format(c:byte()) end

-- As Lua would read it, with the bytes that are no UTF-8 as \xNN.
local function quoted(s, most)
  local rest = ""
  if #s > most then
    rest = (" … %d bytes"):format(#s)
    s = s:sub(1, (utf8.offset(s, 0, most + 1) or most + 1) - 1)
  end
  s = s:gsub('[%c"\\]', escape)
  if not utf8.len(s) then s = s:gsub("[\x80-\xff]", escape) end
  return '"' .. s .. '"' .. rest
end

local function meta(value) return debug.getmetatable(value) or {} end

local function name_of(value)
  local name = rawget(meta(value), "__name")
  return type(name) == "string" and name or nil
end

-- A record, by its kind; nil for anything else.
local function kind_of(value)
  if type(value) ~= "userdata" then return nil end
  local fine, kind = pcall(function() return value.kind end)
  return fine and FIELDS[kind] and kind or nil
end

-- Has it entries that can be shown?
local function is_open(value)
  local m = meta(value)
  if type(value) == "table" then return not rawget(m, "__tostring") end
  return type(value) == "userdata" and rawget(m, "__pairs") ~= nil
         and name_of(value) ~= "tw.array"
end

-- What stands for a value that has no entries.
local function scalar(value, o, alone)
  local kind = type(value)
  if kind == "string" then return quoted(value, o.bytes) end
  if kind == "function" then
    local info = debug.getinfo(value, "S")
    if info.what ~= "C" then
      return ("<function %s:%d>"):format(info.short_src, info.linedefined)
    end
    return "<C function>"
  end
  local fine, text = pcall(o.by.tostring, value)
  if not fine then return ("<%s: %s>"):format(name_of(value) or kind, text) end
  local most = alone and ALONE or o.bytes
  return #text <= most and text or text:sub(1, most) .. "…"
end

local ORDER = { number = 1, string = 2, boolean = 3 }

local function before(a, b, by)
  local x, y = ORDER[type(a)] or 4, ORDER[type(b)] or 4
  if x ~= y then return x < y end
  if x < 3 then return a < b end
  return by.tostring(a) < by.tostring(b)
end

-- The length of the list in it, and its other keys in order; whether there are more.
local function keys_of(value, by, most)
  local list, keys, more = 0, {}, false
  local function walk()
    for key in by.pairs(value) do
      if most and #keys + list >= most then more = true break end
      if key == list + 1 then list = key else keys[#keys + 1] = key end
    end
  end
  local fine = pcall(walk)
  if not fine and type(value) == "table" then
    list, keys = 0, {}
    for key in next, value do keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b) return before(a, b, by) end)
  return list, keys, more
end

local function get(value, key, by)
  local fine, found = pcall(by.index, value, key)
  if fine then return found end
end

local WORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not "
             .. "or repeat return then true until while"):gmatch "%a+" do
  WORDS[word] = true
end

local function key_text(key, o)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not WORDS[key] then
    return key .. " = "
  end
  return "[" .. scalar(key, o) .. "] = "
end

local function width_of(text) return utf8.len(text) or #text end

-- Entries in a line if they fit, short ones side by side, else one a line.
local function join(parts, indent, o)
  local total, longest, single = 2, 0, true
  for _, part in ipairs(parts) do
    local n = width_of(part)
    total, longest = total + n + 2, math.max(longest, n)
    single = single and not part:find("\n", 1, true)
  end
  if single and total + #indent <= o.width then
    return "{" .. table.concat(parts, ", ") .. "}"
  end
  local inner, lines = indent .. "  ", {}
  for i, part in ipairs(parts) do
    local comma = i < #parts and "," or ""
    local last = lines[#lines]
    if single and longest <= 16 and last
       and width_of(last) + 2 + width_of(part) <= o.width - 1 then
      lines[#lines] = last .. " " .. part .. comma
    else
      lines[#lines + 1] = inner .. part .. comma
    end
  end
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
end

local function render(value, indent, depth, o, under)
  if not is_open(value) then return scalar(value, o, depth == 1) end
  if under[value] then return "<the table around it>" end
  local list, keys, more = keys_of(value, o.by, LOOKED)
  if list + #keys == 0 then return "{}" end
  if depth > o.depth or o.left <= 0 then return "{…}" end
  under[value] = true
  local parts, most = {}, depth == 1 and o.items or o.inside
  local inner = indent .. "  "
  o.left = o.left - math.min(list + #keys, most)
  for i = 1, math.min(list, most) do
    parts[i] = render(get(value, i, o.by), inner, depth + 1, o, under)
  end
  for _, key in ipairs(keys) do
    if #parts >= most then break end
    parts[#parts + 1] = key_text(key, o)
      .. render(get(value, key, o.by), inner, depth + 1, o, under)
  end
  local rest = list + #keys - #parts
  if rest > 0 then
    parts[#parts + 1] = ("… %s%d more"):format(more and "at least " or "", rest)
  end
  under[value] = nil
  return join(parts, indent, o)
end

local function options(given)
  local o = setmetatable({}, { __index = USUAL })
  for name, value in pairs(given or {}) do o[name] = value end
  o.left = o.total
  return o
end

--- inspect.text(value [, options]) -> string
-- A value as Lua would write it, in as many lines as it needs.  Records, statistics and
-- what has a __tostring show that; frozen tables, the board and what else has pairs show
-- their entries.  options: width (80), items (60: entries shown of the outermost table),
-- inside (12: of those in it), total (400: of all), depth (4), bytes (1000: of a string).
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: none; a __tostring or __pairs that raises is shown.  Units: width in columns.
function inspect.text(value, given)
  return render(value, "", 1, options(given), {})
end

-- ---- rows ----

-- Time of a record in tables: UTC, to the microsecond.
local function time_text(ns)
  return os.date("!%H:%M:%S", ns // 1000000000)
    .. (".%06d"):format(ns % 1000000000 // 1000)
end

local function fields_of(value)
  local kind = kind_of(value)
  if kind then return FIELDS[kind] end
  if name_of(value) == "statistic" then value = value:freeze() end
  if not is_open(value) then return { "value" }, function() return value end end
  local list, keys = keys_of(value, BY)
  local names = {}
  for i = 1, list do names[i] = i end
  table.move(keys, 1, #keys, list + 1, names)
  return names, function(name) return get(value, name, BY) end
end

local function list_of(array)
  local list = {}
  for i = 1, #array do list[i] = array[i] end
  return list
end

--- inspect.rows(value) -> rows, columns
-- What a table of the value has: a row for each element of a list or an array, or for
-- each key of a table, whose first column is the key; the columns are the fields that any
-- of them has.  A cell that is not there is nil.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function inspect.rows(value)
  if name_of(value) == "tw.array" then value = list_of(value)
  elseif kind_of(value) or not is_open(value) then value = { value } end
  local list, keys = keys_of(value, BY)
  local entries, columns, at, rows = {}, {}, {}, {}
  for i = 1, list do entries[i] = { get(value, i, BY), #keys > 0 and i or nil } end
  for _, key in ipairs(keys) do entries[#entries + 1] = { get(value, key, BY), key } end
  local function column(name)
    if not at[name] then
      columns[#columns + 1] = name
      at[name] = #columns
    end
    return at[name]
  end
  if #keys > 0 then column "key" end
  for i, entry in ipairs(entries) do
    local row = {}
    local names, read = fields_of(entry[1])
    if entry[2] ~= nil then row[1] = entry[2] end
    for _, name in ipairs(names) do
      local cell
      if read then cell = read(name) else cell = entry[1][name] end
      if cell ~= nil then row[column(name)] = cell end
    end
    rows[i] = row
  end
  return rows, columns
end

local function shortened(text)
  local end_ = utf8.len(text) and utf8.offset(text, WIDEST + 1)
  return end_ and end_ <= #text and text:sub(1, end_ - 1) .. "…" or text
end

--- inspect.table(value [, limit]) -> string
-- The rows of a value in columns; at most so many (60), and how many more there are.
-- Of a long cell its beginning.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.
-- Units: times of records in UTC.
function inspect.table(value, limit)
  limit = limit or ROWS
  local rows, columns = inspect.rows(value)
  if #rows == 0 then return "(no rows)" end
  local cells, titles, o = {}, {}, options { bytes = WIDEST, width = math.huge }
  for c, name in ipairs(columns) do titles[c] = tostring(name) end
  for i = 1, math.min(#rows, limit) do
    cells[i] = {}
    for c = 1, #columns do
      local cell = rows[i][c]
      if cell == nil then cells[i][c] = ""
      elseif columns[c] == "time" and math.type(cell) == "integer" then
        cells[i][c] = time_text(cell)
      elseif type(cell) == "string" then cells[i][c] = cell
      else cells[i][c] = shortened(render(cell, "", 2, o, {})) end
    end
  end
  local text = screen.table(cells, titles)
  if #rows > limit then text = text .. ("\n… %d more"):format(#rows - limit) end
  return text
end

-- The shortest text that reads back as that number.
local function exact(x)
  if math.type(x) == "integer" then return tostring(x) end
  for digits = 15, 16 do
    local text = ("%." .. digits .. "g"):format(x)
    if tonumber(text) == x then return text end
  end
  return ("%.17g"):format(x)
end

local json

local function csv_cell(cell)
  if cell == nil then return "" end
  if type(cell) == "number" then cell = exact(cell) end
  cell = is_open(cell) and json(cell, {}) or tostring(cell)
  return cell:find '[",\r\n]' and '"' .. cell:gsub('"', '""') .. '"' or cell
end

--- inspect.csv(value) -> string
-- The rows of a value as RFC 4180 says, with a first line of names; numbers read back
-- exactly, and a table in a cell is JSON.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for a cell that is a table and has no form in JSON.  Units: times in ns.
function inspect.csv(value)
  local rows, columns = inspect.rows(value)
  local lines, cells = {}, {}
  for c, name in ipairs(columns) do cells[c] = csv_cell(name) end
  lines[1] = table.concat(cells, ",")
  for i, row in ipairs(rows) do
    for c = 1, #columns do cells[c] = csv_cell(row[c]) end
    lines[i + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n")
end

-- ---- JSON ----

local function json_string(s)
  if not utf8.len(s) then s = s:gsub("[\x80-\xff]", "\u{FFFD}") end
  return '"' .. s:gsub('[%c"\\]', function(c)
    local known = ESCAPES[c]
    return c ~= "\0" and known or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

-- Of results, what has names: an object where there are none, too.
local OBJECTS <const> = { arithmetic = true, geometric = true, figures = true,
                          params = true }

local function json_entry(key, text, seen)
  key = tostring(key)
  if text == "[]" and OBJECTS[key] then text = "{}" end
  if seen[key] then error(("json: two keys '%s'"):format(key), 0) end
  seen[key] = true
  return json_string(key) .. ":" .. text
end

function json(value, under, typed)
  local kind = type(value)
  if value == nil then return "null" end
  if kind == "boolean" then return tostring(value) end
  if kind == "string" then return json_string(value) end
  if kind == "number" then
    if value - value ~= 0 then return "null" end   -- JSON has neither nan nor inf
    local text = exact(value)
    local is_whole = typed and math.type(value) == "float" and not text:find "[.e]"
    return is_whole and text .. ".0" or text
  end
  local record = kind_of(value)
  local parts = {}
  if record then
    for i, name in ipairs(FIELDS[record]) do
      parts[i] = json_string(name) .. ":" .. json(value[name], under, typed)
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if name_of(value) == "statistic" then value = value:freeze() end
  if kind == "userdata" and name_of(value) == "tw.array" then
    return json(list_of(value), under, typed)
  end
  if not is_open(value) then
    error(("json: a %s has no form in JSON"):format(name_of(value) or kind), 0)
  end
  if under[value] then error("json: a table that is within itself", 0) end
  under[value] = true
  local list, keys = keys_of(value, BY)
  for i = 1, list do parts[i] = json(get(value, i, BY), under, typed) end
  local text = "[" .. table.concat(parts, ",") .. "]"
  if #keys > 0 then
    local seen = {}
    for i = 1, list do parts[i] = json_entry(i, parts[i], seen) end
    for _, key in ipairs(keys) do
      parts[#parts + 1] = json_entry(key, json(get(value, key, BY), under, typed), seen)
    end
    text = "{" .. table.concat(parts, ",") .. "}"
  end
  under[value] = nil
  return text
end

--- inspect.json(value [, typed]) -> string
-- A value as JSON, in one line: a list is an array, another table an object, a record
-- an object of its fields; what is empty an array, but for the params and figures of a
-- result; nan and the infinities are null.  typed: a float that is whole has a point,
-- 3.0, so that it is read as one.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what has no form in JSON, for a cycle, and for two keys of one name.
-- Units: times in ns.
function inspect.json(value, typed) return json(value, {}, typed) end

return inspect
