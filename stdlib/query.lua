--- query: (internal) declared statistics over a file: stat.read and `tidewire stat`.

local arguments = require "tw.arguments"
local core = require "tw.internal.query"
local screen = require "tw.screen"
local textfile = require "tw.textfile"

local query = {}

-- ---- reading ----

local OPTIONS = { format = "string", one_sided = "boolean", instruments = "table" }
for name, want in pairs(textfile.OPTIONS) do OPTIONS[name] = want end

-- The options as C takes them, or nil and what is wrong.
local function checked(path, options)
  local given, csv = { path = path, member = options.member }, {}
  for name, value in pairs(options) do
    local want = OPTIONS[name]
    if not want then return nil, ("no option '%s'"):format(tostring(name)) end
    if not want:find(type(value), 1, true) then
      return nil, ("%s must be a %s, got %s"):format(name, want:gsub("|", " or "),
                                                     tostring(value))
    end
    if not textfile.OPTIONS[name] then given[name] = value
    elseif name ~= "member" then csv[name] = value
    end
  end
  local format, is_lean = given.format, textfile.lean(path)
  if format and format ~= "fix" and format ~= "csv" then
    return nil, ("format must be fix or csv, got '%s'"):format(format)
  end
  if next(csv) and format == "fix" then
    return nil, ("FIX has no option '%s'"):format((next(csv)))
  elseif next(csv) or is_lean and format ~= "fix" then
    local made, why = textfile.options(path, csv)
    if not made then return nil, why end
    for name in pairs(textfile.OPTIONS) do given[name] = given[name] or made[name] end
    given.label_end, given.format = made.label_end, "csv"
  end
  if given.instruments then
    local fine, list, attributes = pcall(require "tw.app".check_instruments,
                                         given.instruments)
    if not fine then return nil, list end
    given.instruments, given.attributes = list, attributes
  end
  return given
end

-- "3 errors, 1 skip of 20 bytes", or nil.
local function trouble(report)
  local parts = {}
  local function add(n, what, more)
    if n > 0 then parts[#parts + 1] = ("%d %s%s%s"):format(n, what, n == 1 and "" or "s",
                                                          more) end
  end
  add(report.errors, "error", "")
  add(report.skips, "skip", (" of %d bytes"):format(report.skipped))
  return parts[1] and table.concat(parts, ", ")
end

--- query.read(path, declarations [, options]) -> table, table | nil, message, code
-- What stat.read is.
-- Yields: no.  Blocks: while it reads.  Thread: any.  Errors: as stat.read.
-- Units: as stat.read.
function query.read(path, declarations, options)
  if type(path) ~= "string" or type(declarations) ~= "table" then
    error("stat.read: a path and a table of declarations expected", 2)
  elseif options ~= nil and type(options) ~= "table" then
    error("stat.read: a table of options expected, got " .. type(options), 2)
  end
  local given, why = checked(path, options or {})
  if not given then error("stat.read: " .. why, 2) end
  local fine, views, report, code = pcall(core.read, path, declarations, given)
  if not fine then error(views, 2) end
  local bad = views and trouble(report)
  if bad then
    warn(("stat.read: %s: %s, first: %s"):format(path, bad, report.problems[1]))
  end
  return views, report, code
end

-- ---- the command line ----

local fail = arguments.refuse

local function blank(part) return ("\1"):rep(#part) end

-- The text with all that is within quotes and parentheses made blank.
local function outline(text)
  return (text:gsub("'[^']*'", blank):gsub('"[^"]*"', blank):gsub("%b()", blank)
    :gsub("%b[]", blank))
end

-- The parts of a text between commas, trimmed; shape: its outline.
local function split(text, shape)
  local parts, from = {}, 1
  repeat
    local comma = shape:find(",", from, true) or #shape + 1
    parts[#parts + 1] = text:sub(from, comma - 1):match "^%s*(.-)%s*$"
    from = comma + 1
  until from > #shape + 1
  return parts
end

-- "a = mean(bid), max(ask) by symbol" is "mean(bid) by symbol", called a, and "max(ask)
-- by symbol", called as it is written.  To items: {title =, name = or nil, text =, keys =
-- the texts of its keys} each.
local function add_query(items, text)
  local shape = outline(text)
  local by, keys_at = shape:find "%f[%w_]by%f[^%w_]"
  local where = shape:find "%f[%w_]where%f[^%w_]" or #text + 1
  local head = math.min(by or where, where) - 1
  local tail = head < #text and " " .. text:sub(head + 1) or ""
  local keys = by and split(text:sub(keys_at + 1, where - 1),
                            shape:sub(keys_at + 1, where - 1)) or {}
  for _, part in ipairs(split(text:sub(1, head), shape:sub(1, head))) do
    local name, rest = part:match "^([%a_][%w_]*)%s*=%s*([^=].*)$"
    items[#items + 1] = { title = name or part, name = name,
                          text = (rest or part) .. tail, keys = keys }
  end
end

-- Gives every item a name; {name = text}.
local function declarations_of(items)
  local declarations, n = {}, 0
  for _, item in ipairs(items) do
    if item.name then
      if declarations[item.name] then
        fail(2, "there are two statistics called '%s'", item.name)
      end
      declarations[item.name] = item.text
    end
  end
  for _, item in ipairs(items) do
    while not item.name or declarations[item.name] ~= item.text do
      n = n + 1
      local name = "_" .. n
      if not declarations[name] then item.name, declarations[name] = name, item.text end
    end
  end
  return declarations
end

-- The cells of a line of CSV.
local function cells_of(line)
  local cells = {}
  for cell in (line:gsub("\r$", "") .. ","):gmatch '%s*"?([^",]*)"?%s*,' do
    cells[#cells + 1] = cell:match "^(.-)%s*$"
  end
  return cells
end

-- A file of instruments: its first line names what the columns are.
local function instruments_of(path)
  local file <close>, why = io.open(path)
  if not file then fail(1, "cannot open %s", why) end
  local numbers = { weight = true, tick_size = true, lot_size = true }
  local names, list, line_no = nil, {}, 0
  for line in file:lines() do
    line_no = line_no + 1
    local cells = cells_of(line)
    if not names then
      names = cells
    elseif line:find "%S" then
      local one = {}
      for i, cell in ipairs(cells) do
        local name = names[i] or fail(1, "%s: line %d: %d cells, but %d names", path,
                                      line_no, #cells, #names)
        if cell ~= "" then one[name] = cell end
        if cell ~= "" and numbers[name] then
          one[name] = tonumber(cell)
            or fail(1, "%s: line %d: %s '%s' is not a number", path, line_no, name, cell)
        end
      end
      list[#list + 1] = one
    end
  end
  return list
end

local function set_option(options, text)
  local name, value = (text or ""):match "^([%w_]+)=(.*)$"
  local want = name and OPTIONS[name]
  if not want or want == "table" then
    fail(2, "--set %s: an option of stat.read expected: name=value", text or "")
  end
  if want == "number" then
    value = tonumber(value) or fail(2, "--set %s: not a number", text)
  elseif want == "boolean" then
    if value ~= "true" and value ~= "false" then
      fail(2, "--set %s: neither true nor false", text)
    end
    value = value == "true"
  end
  options[name] = value
end

-- {queries, path, options, csv, sort, top, instruments} of the command line.
local function arguments_of(list)
  local o, words, i = { options = {} }, {}, 1
  local function value(what)
    i = i + 1
    return list[i] or fail(2, "%s: the value is missing", what)
  end
  while i <= #list do
    local word = list[i]
    if word == "--csv" then o.csv = true
    elseif word == "--instruments" then o.instruments = value(word)
    elseif word == "--format" then o.options.format = value(word)
    elseif word == "--set" then set_option(o.options, value(word))
    elseif word == "--sort" then o.sort = value(word)
    elseif word == "--top" then
      local text = value(word)
      o.top = math.tointeger(tonumber(text))
      if not o.top or o.top < 1 then
        fail(2, "--top %s: a number of rows expected", text)
      end
    elseif word:find "^%-%-" or word:find "^%-%a?$" then
      fail(2, "unknown option '%s'", word)
    else
      words[#words + 1] = word
    end
    i = i + 1
  end
  if #words < 2 then fail(2, "a query and a file expected: tidewire stat QUERY FILE") end
  o.path = table.remove(words)
  o.queries = words
  return o
end

-- ---- tables ----

-- A number, or a word, before the other: the order of keys.
local function is_before(a, b)
  if type(a) ~= type(b) then return type(a) == "number" end
  return a < b
end

-- What C calls keys, where that is no name as the query has them.
local function key_titles(keys, texts)
  local titles = {}
  for i, key in ipairs(keys) do
    titles[i] = key == "value" and texts[i] and texts[i]:gsub("^%((.*)%)$", "%1") or key
  end
  return titles
end

-- A table for all that is by the same: {keys = number of key columns, titles, rows}; a
-- cell that is nil has no value.
local function tables_of(items, views)
  local tables, by = {}, {}
  for _, item in ipairs(items) do
    local view = views[item.name]
    local keys, id = core.by(view)
    local titles = key_titles(keys, item.keys)
    local t = by[id]
    if not t then
      t = { keys = #keys, titles = titles, rows = {}, row_of = {} }
      by[id], tables[#tables + 1] = t, t
    end
    local column = #t.titles + 1
    t.titles[column] = item.title
    local values = t.keys > 0 and view:column()
    for i, key in ipairs(values and view:keys() or { {} }) do
      local parts = type(key) == "table" and key or { key }
      local row_id = table.concat(parts, "\n")
      local row = t.row_of[row_id]
      if not row then
        row = table.move(parts, 1, #parts, 1, {})
        t.row_of[row_id], t.rows[#t.rows + 1] = row, row
      end
      local x
      if values then x = values[i] else x = view.value end
      if x == x then row[column] = x end
    end
  end
  return tables
end

-- By the keys; or by a column: a key's ascending, a statistic's greatest first.
local function sort_rows(t, column)
  table.sort(t.rows, function(a, b)
    if column and column > t.keys and a[column] ~= b[column] then
      return b[column] == nil or a[column] ~= nil and a[column] > b[column]
    elseif column and column <= t.keys and a[column] ~= b[column] then
      return is_before(a[column], b[column])
    end
    for i = 1, t.keys do
      if a[i] ~= b[i] then return is_before(a[i], b[i]) end
    end
    return false
  end)
end

local function arrange(tables, o)
  local found = not o.sort
  for _, t in ipairs(tables) do
    local column
    for i, title in ipairs(t.titles) do
      if title == o.sort then column, found = i, true end
    end
    sort_rows(t, column)
    for i = #t.rows, (o.top or math.huge) + 1, -1 do t.rows[i] = nil end
  end
  if not found then fail(2, "--sort %s: there is no such column", o.sort) end
end

-- A number as a person reads it.
local function shown(x)
  if type(x) ~= "number" then return x end
  if x % 1 == 0 and math.abs(x) < 1e15 then return ("%d"):format(x) end
  if math.abs(x) >= 1e6 and math.abs(x) < 1e15 then return ("%.0f"):format(x) end
  return ("%.6g"):format(x)
end

-- The shortest text that reads back as the number; texts in quotes where they need them.
local function exact(x)
  if x == nil then return "" end
  if type(x) == "string" then
    return x:find '[",\n]' and '"' .. x:gsub('"', '""') .. '"' or x
  end
  if x % 1 == 0 and math.abs(x) < 2 ^ 53 then return ("%d"):format(x) end
  for digits = 15, 17 do
    local text = ("%%.%dg"):format(digits):format(x)
    if tonumber(text) == x then return text end
  end
  return tostring(x)
end

local function cells_as(t, row, text)
  local cells = {}
  for i = 1, #t.titles do cells[i] = text(row[i]) end
  return cells
end

local function csv_of(t)
  local lines = { table.concat(cells_as(t, t.titles, exact), ",") }
  for i, row in ipairs(t.rows) do
    lines[i + 1] = table.concat(cells_as(t, row, exact), ",")
  end
  return table.concat(lines, "\n")
end

local function text_of(t)
  local rows = {}
  for i, row in ipairs(t.rows) do
    rows[i] = cells_as(t, row, function(x) return x == nil and "" or shown(x) end)
  end
  return screen.table(rows, t.titles)
end

-- ---- the command ----

-- How it was, on standard error.
local function tell(path, report)
  for _, problem in ipairs(report.problems) do
    io.stderr:write("tidewire: warning: ", problem, "\n")
  end
  local bad = trouble(report)
  if bad then io.stderr:write("tidewire: warning: ", path, ": ", bad, "\n") end
  io.stderr:write(("%d records in %s, %s records/s\n"):format(report.records,
    screen.duration(report.seconds),
    screen.number(report.records / math.max(report.seconds, 1e-9))))
end

local function run(list)
  local o = arguments_of(list)
  local items = {}
  for _, text in ipairs(o.queries) do add_query(items, text) end
  local declarations = declarations_of(items)
  if o.instruments then o.options.instruments = instruments_of(o.instruments) end
  local given, why = checked(o.path, o.options)
  if not given then fail(o.instruments and 1 or 2, "%s", why) end
  local fine, views, report = pcall(core.read, o.path, declarations, given)
  if not fine then fail(views:find "not enough memory" and 1 or 2, "%s", views) end
  if not views then fail(1, "%s", report) end
  local tables, out = tables_of(items, views), {}
  arrange(tables, o)
  tell(o.path, report)
  if report.records == 0 and trouble(report) then
    fail(1, "%s: nothing in it is a record", o.path)
  end
  for i, t in ipairs(tables) do out[i] = (o.csv and csv_of or text_of)(t) end
  local written, failure = io.stdout:write(table.concat(out, "\n\n"), "\n")
  if written then written, failure = io.stdout:flush() end
  if not written then fail(1, "standard output: %s", failure) end
  return 0
end

--- query.main(words) -> status
-- What `tidewire stat` does.
-- Yields: no.  Blocks: while it reads the file.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line or a
-- query that makes no sense.  Units: none.
function query.main(words) return arguments.run("stat", run, words) end

return query
