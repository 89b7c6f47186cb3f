--- sweep_plan: (internal) which points a sweep runs: a grid, random ones, a list.
--
-- A plan has axes, one after the other by name: the values of a parameter, or the rows of
-- a list.  Its points are all combinations, the last axis changing fastest; at random,
-- some of them.  Decimals are exact: 0.1:0.3:0.1 is 0.1, 0.2, 0.3, each as it is written.

local arguments = require "tw.arguments"

local plan = {}

local MOST <const> = 1000000       -- points
local LOOKED <const> = 10000000    -- combinations that `where` is asked about
local EXACT <const> = 1 << 53
local FAR <const> = 99             -- the largest exponent, and most places

local Range = { __name = "tw.sweep.range" }

local function fail(...) error("tw.sweep: " .. string.format(...), 0) end

-- ---- values ----

-- A number as an integer of 10^-places, its places, and whether it was written with a
-- point or an exponent; nil: it is none, or has too many digits.
local function decimal(text)
  local sign, whole, rest, tail = text:match "^([+-]?)(%d+)(%.?%d*)(.*)$"
  local exponent = whole and (tail == "" and 0 or math.tointeger(tail:match
                                                     "^[eE]([+-]?%d+)$"))
  if not exponent or exponent > FAR or exponent < -FAR then return nil end
  local digits = rest:sub(2):gsub("0+$", "")
  local places = math.max(#digits - exponent, 0)
  local scaled = (whole .. digits):gsub("^0+", "") .. ("0"):rep(places + exponent
                                                                 - #digits)
  if #scaled > 15 or places > FAR then return nil end
  local n = math.tointeger(scaled == "" and 0 or tonumber(scaled))
  return sign == "-" and -n or n, places, rest ~= "" or tail ~= ""
end

-- The shortest text of a number that is that number.
local function text_of(x)
  if math.type(x) == "integer" then return tostring(x) end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(x)
    if tonumber(text) == x then return text:find "[.eE]" and text or text .. ".0" end
  end
  return "nan"
end

-- n * 10^-places, as reading its text gives it.
local function number_of(n, places, is_float)
  if places == 0 then return is_float and n + 0.0 or n end
  return tonumber(("%de-%d"):format(n, places))
end

-- from .. to in texts; what: who is told of in errors.
local function range_of(what, from, to, step)
  local a, a_places, a_float = decimal(from)
  local b, b_places, b_float = decimal(to)
  local s, s_places, s_float
  for _, text in ipairs { from, to, step } do
    if not decimal(text) then
      fail("%s: a number of at most 15 digits expected, got '%s'", what, text)
    end
  end
  local is_float = a_float or b_float
  if step then
    s, s_places, s_float = decimal(step)
    is_float = is_float or s_float
    if s <= 0 then fail("%s: the step must be above 0", what) end
  elseif is_float then
    s, s_places = nil, 0
  else
    s, s_places = 1, 0
  end
  local places = math.max(a_places, b_places, s_places)
  local function scaled(n, of) return n * 10 ^ (places - of) end
  a, b = scaled(a, a_places), scaled(b, b_places)
  if a > b then fail("%s: %s is above %s", what, from, to) end
  if not s and a == b then s = 1 end
  if not s then
    return { kind = "real", low = tonumber(from), high = tonumber(to), what = what }
  end
  s = scaled(s, s_places)
  if math.max(math.abs(a), math.abs(b), s) > EXACT then
    fail("%s: too many digits", what)
  end
  local first, every = math.tointeger(a), math.tointeger(s)
  return { kind = "range", n = (math.tointeger(b) - first) // every + 1,
           at = function(i)
             return number_of(first + (i - 1) * every, places, is_float)
           end }
end

--- tw.sweep.range([from, to [, step]]) -> range
-- The values from, from + step, ... up to `to`, for a parameter of a sweep: exact, as
-- decimals are.  Without a step, 1 between integers; between other numbers any value, for
-- a sweep at random.
-- Alone, the values that the script declares (see tw.strategy).
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises for what is no number.
-- Units: the parameter's.
function plan.range(from, to, step)
  if from == nil and to == nil and step == nil then
    return setmetatable({ is_declared = true }, Range)
  end
  for _, x in ipairs { from, to, step or 1 } do
    if type(x) ~= "number" or x - x ~= 0 then
      error(("sweep.range: a number expected, got %s"):format(tostring(x)), 2)
    end
  end
  return setmetatable({ from = text_of(from), to = text_of(to),
                        step = step and text_of(step) }, Range)
end

-- The parts of a text between separators, empty ones too.
local function split(text, separator)
  local parts = {}
  for part in (text .. separator):gmatch("([^" .. separator .. "]*)" .. separator) do
    parts[#parts + 1] = part
  end
  return parts
end

-- "3:20:2" as its texts, or nil: there is no number in it.
local function parts_of(text)
  local parts = split(text, ":")
  if #parts ~= 2 and #parts ~= 3 then return nil end
  for _, part in ipairs(parts) do if tonumber(part) then return parts end end
end

--- plan.is_declared(values) -> boolean
-- Are they what the script declares?
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function plan.is_declared(values)
  return getmetatable(values) == Range and values.is_declared == true
end

--- plan.parse(name, text [, value]) -> values
-- What --set gives: a value, a list of them (30,50,100), ranges (3:20:2); without a text
-- those that are declared.  value(text): of a text that is no range (arguments.value).
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for an empty value and for a range that is none.  Units: none.
function plan.parse(name, text, value)
  if not text then return plan.range() end
  local what, list = name .. "=" .. text, {}
  for i, one in ipairs(split(text, ",")) do
    if one == "" then fail("%s: an empty value", what) end
    local parts = parts_of(one)
    if parts then
      range_of(what, table.unpack(parts))          -- or it fails here
      list[i] = setmetatable({ from = parts[1], to = parts[2], step = parts[3] }, Range)
    else
      list[i] = (value or arguments.value)(one)
    end
  end
  return list
end

-- ---- axes ----

local PLAIN = { number = true, string = true, boolean = true }

-- The values of a parameter: { name, n, at = function(i) }, or one that is real.
local function axis_of(name, given)
  if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then
    fail("a parameter is named by letters, digits and _: %s", tostring(name))
  end
  if getmetatable(given) == Range or type(given) ~= "table" then given = { given } end
  if #given == 0 then fail("%s: an empty list", name) end
  local values, seen = {}, {}
  for _, one in ipairs(given) do
    local range = getmetatable(one) == Range and range_of(name, one.from, one.to,
                                                          one.step)
    if range and range.kind == "real" then
      if #given > 1 then fail("%s: a range without a step stands alone", name) end
      return { name = name, real = range }
    end
    if range and #given == 1 then
      return { name = name, n = range.n, at = range.at, ordered = true }
    end
    if not range and not PLAIN[type(one)] then
      fail("%s: a number, a text, a boolean or a range expected, got a %s", name,
           type(one))
    end
    if #values + (range and range.n or 1) > MOST then
      fail("%s: more than %d values", name, MOST)
    end
    for i = 1, range and range.n or 1 do
      local value = one
      if range then value = range.at(i) end
      if value ~= value then fail("%s: nan is no value", name) end
      if seen[value] then fail("%s: %s is there twice", name, tostring(value)) end
      seen[value], values[#values + 1] = true, value
    end
  end
  local ordered = true
  for _, value in ipairs(values) do ordered = ordered and type(value) == "number" end
  return { name = name, n = #values, at = function(i) return values[i] end,
           ordered = ordered }
end

-- The fields of a line of CSV, or nil: a quote does not end.
local function fields_of(line)
  local fields, at = {}, 1
  repeat
    local text, stop
    if line:sub(at, at) == '"' then
      stop, text = at + 1, ""
      while true do
        local part, quote = line:match('^([^"]*)()"', stop)
        if not part then return nil end
        text = text .. part
        stop = quote + 1
        if line:sub(stop, stop) ~= '"' then break end
        text, stop = text .. '"', stop + 1
      end
      if stop <= #line and line:sub(stop, stop) ~= "," then return nil end
    else
      text = line:match("^[^,]*", at)
      stop = at + #text
    end
    fields[#fields + 1] = text
    at = stop + 1
  until stop > #line
  return fields
end

--- plan.read(path) -> rows
-- The points of a CSV file: its first line names the parameters.
-- Yields: no.  Blocks: while the file is read.  Thread: any.
-- Errors: raises for a file that can't be read, with the line of what is none.
-- Units: none.
function plan.read(path)
  local file <close>, why = io.open(path)
  if not file then fail("cannot open %s", why) end
  local names, rows, n = nil, {}, 0
  for line in file:lines() do
    n = n + 1
    line = line:gsub("\r$", "")
    if n == 1 then line = line:gsub("^\xef\xbb\xbf", "") end
    if line ~= "" then
      local fields = fields_of(line)
      if not fields then fail("%s: line %d: a quote that does not end", path, n) end
      if names and #fields ~= #names then
        fail("%s: line %d: %d fields expected, got %d", path, n, #names, #fields)
      end
      if #rows == MOST then fail("%s: more than %d points", path, MOST) end
      local row = {}
      for i, text in ipairs(fields) do
        if names then
          if text == "" then fail("%s: line %d: %s is empty", path, n, names[i]) end
          row[names[i]] = arguments.value(text)
        elseif not text:find "^[%a_][%w_]*$" then
          fail("%s: line %d: '%s' is no name of a parameter", path, n, text)
        elseif row[text] then
          fail("%s: line %d: %s is there twice", path, n, text)
        else
          row[text] = true
        end
      end
      if names then rows[#rows + 1] = row else names = fields end
    end
  end
  if #rows == 0 then fail("%s: no point in it", path) end
  return rows
end

-- ---- a generator of its own, so that a seed gives the same on every machine ----

local function generator(seed)
  local state = seed
  local function draw()
    state = state + 0x9e3779b97f4a7c15
    local z = state
    z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
    z = (z ~ (z >> 27)) * 0x94d049bb133111eb
    return ((z ~ (z >> 31)) >> 11) * 2.0 ^ -53
  end
  return draw, function(n) return math.min(math.floor(draw() * n), n - 1) end
end

-- ---- points ----

--- plan.condition(text) -> function(params)
-- A Lua expression over the parameters: "fast < slow".
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what is no expression; the function for an unknown name.
-- Units: none.
function plan.condition(text)
  local params
  local env = setmetatable({}, { __index = function(_, name)
    local value = params[name]
    if value == nil then value = name == "math" and math or nil end
    if value == nil then error("no parameter '" .. tostring(name) .. "'", 0) end
    return value
  end })
  local chunk, why = load("return " .. text, "=where", "t", env)
  if not chunk then fail("where '%s': %s", text, (why:gsub("^where:%d+: ", ""))) end
  return function(of)
    params = of
    local fine, result = pcall(chunk)
    if not fine then
      fail("where '%s': %s", text, (tostring(result):gsub("^where:%d+: ", "")))
    end
    return result
  end
end

local function check_where(where)
  if where == nil or type(where) == "function" then return where end
  if type(where) == "string" then return plan.condition(where) end
  fail("where: a function or a text expected, got a %s", type(where))
end

-- The point of index 0 .. total - 1; places[i]: which value of axis i it has.
local function point_at(axes, index, draw)
  local params, places = {}, {}
  for i = #axes, 1, -1 do
    local axis = axes[i]
    if axis.real then
      local x = axis.real.low + (axis.real.high - axis.real.low) * draw()
      params[axis.name] = tonumber(("%.6g"):format(x)) + 0.0
    else
      local at = index % axis.n + 1
      index = index // axis.n
      places[i] = at
      if axis.rows then
        for name, value in pairs(axis.rows[at]) do params[name] = value end
      else
        params[axis.name] = axis.at(at)
      end
    end
  end
  return params, places
end

local function key_of(params)
  local names = {}
  for name in pairs(params) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = params[name]
    names[i] = ("%s=%s:%q"):format(name, math.type(value) or type(value), value)
  end
  return table.concat(names, "\n")
end

--- plan.key(params) -> string
-- One text for one point: names in order, values with their types.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
plan.key = key_of

-- Rows of a list may be the same; values of a parameter are different.
local function has_rows(axes)
  for _, axis in ipairs(axes) do if axis.rows then return true end end
  return false
end

-- The points, and how many were the same as one before.
local function all_points(axes, total, where)
  if total > (where and LOOKED or MOST) then
    fail("%.0f combinations; at most %d, or some at random", total,
         where and LOOKED or MOST)
  end
  local points, seen, same = {}, has_rows(axes) and {}, 0
  for index = 0, math.tointeger(total) - 1 do
    local params, places = point_at(axes, index)
    if not where or where(params) then
      local key = seen and key_of(params)
      if key and seen[key] then
        same = same + 1
      else
        if #points == MOST then fail("more than %d points", MOST) end
        points[#points + 1] = { params = params, places = places }
        if key then seen[key] = true end
      end
    end
  end
  return points, same
end

-- n different ones.  Where all are values of a grid that can be counted, the first n of
-- a shuffled deck; else whatever is drawn, until there are n.
local function random_points(axes, total, where, n, seed)
  local draw, below = generator(seed)
  local points, deck, seen, tried, real = {}, {}, {}, 0, false
  for _, axis in ipairs(axes) do real = real or axis.real ~= nil end
  local counted, rows = not real and total <= EXACT, has_rows(axes)
  if counted and n > total then
    fail("random: %d points of %.0f combinations", n, total)
  end
  while #points < n do
    if tried == LOOKED or counted and tried == total then
      fail("random: only %d of %d points%s", #points, n,
           where and " fulfil where" or " are different")
    end
    local params, places
    if counted then
      local left = math.tointeger(total) - tried
      local at = tried + below(left)
      local index = deck[at] or at
      deck[at] = deck[tried] or tried
      deck[tried] = nil
      params, places = point_at(axes, index)
    else
      params, places = {}, {}
      for _, axis in ipairs(axes) do
        local some = point_at({ axis }, axis.n and below(axis.n) or 0, draw)
        for name, value in pairs(some) do params[name] = value end
      end
    end
    tried = tried + 1
    local is_wanted = not where or where(params)
    local key = (rows or not counted) and key_of(params)
    if not (key and seen[key]) and is_wanted then
      if key then seen[key] = true end
      points[#points + 1] = { params = params, places = places }
    end
  end
  return points
end

local function check_count(name, value)
  if value ~= nil and (math.type(value) ~= "integer" or value < 1) then
    fail("%s: an integer from 1 on expected, got %s", name, tostring(value))
  end
end

--- plan.make{ set =, list =, random =, seed =, where =, more = } -> plan
-- set: values by parameter, each one value, a list or a range; list: a file, or rows of
-- parameters; more: axes before all others, { name, values }.  The plan: points, each
-- { params, places }: which value of each axis it has, unless that is any value; names of
-- the parameters; ordered: of which axes the values are numbers; same: how many points of
-- a list are left out, as they were the same as one before.
-- Yields: no.  Blocks: while a file is read.  Thread: any.
-- Errors: raises for what makes no sense, and for no points or more than a million.
-- Units: none.
function plan.make(o)
  local axes, names, taken = {}, {}, {}
  local function add(name)
    if taken[name] then fail("%s is given twice", name) end
    taken[name], names[#names + 1] = true, name
  end
  check_count("random", o.random)
  if o.seed ~= nil and math.type(o.seed) ~= "integer" then
    fail("seed: an integer expected, got %s", tostring(o.seed))
  end
  if o.seed and not o.random then fail("seed: it is for random") end
  for _, axis in ipairs(o.more or {}) do
    axes[#axes + 1] = axis_of(axis[1], axis[2])
    add(axis[1])
  end
  if o.list then
    local rows = type(o.list) == "string" and plan.read(o.list) or o.list
    if type(rows) ~= "table" or type(rows[1]) ~= "table" then
      fail("list: a file, or a list of tables of parameters expected")
    end
    axes[#axes + 1] = { name = "list", n = #rows, rows = rows }
    local all = {}
    for _, row in ipairs(rows) do
      for name, value in pairs(row) do
        if not PLAIN[type(value)] then
          fail("list: %s: a number, a text or a boolean expected", tostring(name))
        end
        all[name] = true
      end
    end
    local sorted = {}
    for name in pairs(all) do sorted[#sorted + 1] = tostring(name) end
    table.sort(sorted)
    for _, name in ipairs(sorted) do add(name) end
  end
  local sorted = {}
  for name in pairs(o.set or {}) do sorted[#sorted + 1] = tostring(name) end
  table.sort(sorted)
  for _, name in ipairs(sorted) do
    axes[#axes + 1] = axis_of(name, o.set[name])
    add(name)
  end
  local total, where = 1.0, check_where(o.where)
  for _, axis in ipairs(axes) do
    if axis.real and not o.random then
      fail("%s=%s:%s: a step is missing", axis.name, text_of(axis.real.low),
           text_of(axis.real.high))
    end
    total = total * (axis.n or 1)
  end
  if (o.random or 0) > MOST then fail("random: at most %d points", MOST) end
  local made, same
  if o.random then made = random_points(axes, total, where, o.random, o.seed or 1)
  else made, same = all_points(axes, total, where) end
  if #made == 0 then fail("no point is left: where is true of none") end
  local ordered = {}
  for i, axis in ipairs(axes) do ordered[i] = axis.ordered or false end
  return { points = made, names = names, ordered = ordered, same = same or 0 }
end

return plan
