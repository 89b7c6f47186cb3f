--- stat: statistics at the speed of C.
--
-- For each kind of statistic that C has there is a function here, which makes an
-- instance (lua/stat/lstat.c) or, with texts first, a declaration.
--
-- A declaration is a table:
--   text       "mean(ask - bid, window=64) by symbol where bid_size > 100", which is
--              what tostring gives, in the language of host/stat/expr.h, checked
--   head       the text up to its keys
--   by_keys    a list of texts: {"symbol"}
--   filter     a text, or false: "bid_size > 100"
--   sampling   a table or false: {every =, records =, history =, board =, publish =},
--              what :sample got
--   tracked    what self:track sets: the statistic that is fed
-- Its metatable has by, where and sample, which return new ones; what else is looked up
-- is the tracked statistic's.

local core = require "tw.internal.stat"

local stat = {}

-- A number alone is the option that the kind requires, or the first of these that it has.
local USUAL = { "window", "alpha", "p", "lag", "k", "precision" }

-- ---- declarations ----

local methods = {}
local declaration = { __name = "tw.stat.declaration" }

function declaration.__tostring(d) return d.text end

local function tracked_of(d)
  local tracked = rawget(d, "tracked")
  if tracked then return tracked end
  error("the statistic is not tracked: " .. d.text, 3)
end

-- spread.AAPL, index.value, index:history(600).
function declaration.__index(d, name)
  if methods[name] then return methods[name] end
  local tracked = tracked_of(d)
  local found = tracked[name]
  if type(found) ~= "function" then return found end
  return function(_, ...) return found(tracked, ...) end
end

function declaration.__pairs(d) return pairs(tracked_of(d)) end
function declaration.__len(d) return #tracked_of(d) end

-- A new one from its parts.  Those who call it do so last, and so an error is at the
-- place that called them.
local function declared(head, keys, filter, sampling)
  local text = head
  if keys[1] then text = text .. " by " .. table.concat(keys, ", ") end
  if filter then text = text .. " where " .. filter end
  local why = core.check(text)
  if why then error(why, 2) end
  return setmetatable({ text = text, head = head, by_keys = keys, filter = filter,
                        sampling = sampling }, declaration)
end

local function check_declaration(d, what)
  if getmetatable(d) == declaration then return end
  error(("declaration:%s: a declaration expected, got %s"):format(what, type(d)), 3)
end

--- declaration:by(key, ...) -> declaration
-- The same statistic for each value of the key, or of several together: "symbol",
-- "sector", any attribute, or a number in parentheses: "(time // 1h)".
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what is no key, with the column.  Units: none.
function methods:by(...)
  check_declaration(self, "by")
  local keys = table.move(self.by_keys, 1, #self.by_keys, 1, {})
  for i = 1, select("#", ...) do
    local key = select(i, ...)
    if type(key) ~= "string" then
      error("declaration:by: a key is a string, got " .. type(key), 2)
    end
    keys[#keys + 1] = key
  end
  return declared(self.head, keys, self.filter, self.sampling)
end

--- declaration:where(condition) -> declaration
-- Of the rows for which the condition holds; with several, all of them.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what is no condition, with the column.  Units: none.
function methods:where(condition)
  check_declaration(self, "where")
  if type(condition) ~= "string" then
    error("declaration:where: a string expected, got " .. type(condition), 2)
  end
  local filter = condition
  if self.filter then filter = ("(%s) and (%s)"):format(self.filter, condition) end
  return declared(self.head, self.by_keys, filter, self.sampling)
end

local function is_count(v) return math.type(v) == "integer" and v > 0 end
local function is_name(v) return type(v) == "boolean" or type(v) == "string" end
local function is_time(v)
  if type(v) == "number" then return v > 0 end
  return type(v) == "string" and core.time(v)
end

-- An option of :sample: what it can be, and the words for it.
local SAMPLING = {
  every = { is_time, 'seconds, or a time like "500ms"' },
  records = { is_count, "a number of records" },
  history = { is_count, "a number of samples" },
  board = { is_name, "true or a name" }, publish = { is_name, "true or a topic" },
}

--- declaration:sample(options) -> declaration
-- What self:track keeps of the results.  every = 1, or "500ms", or records = n says when
-- the value of a key is a sample; history = 600, how many of each key are kept; board =
-- true, or a name, writes each to tw.board; publish = true, or a topic, sends it.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for a wrong option.  Units: every in seconds, or a text with its unit.
function methods:sample(options)
  check_declaration(self, "sample")
  if type(options) ~= "table" then
    error("declaration:sample: a table of options expected, got " .. type(options), 2)
  end
  local sampling = {}
  for name, value in pairs(self.sampling or {}) do sampling[name] = value end
  for name, value in pairs(options) do
    local rule = SAMPLING[name]
    if not rule then
      error(("declaration:sample: no option '%s'; there are every, records, history,"
             .. " board and publish"):format(tostring(name)), 2)
    elseif not rule[1](value) then
      error(("declaration:sample: %s: %s expected, got %s")
        :format(name, rule[2], tostring(value)), 2)
    end
    sampling[name] = value
  end
  if sampling.every and sampling.records then
    error("declaration:sample: every and records exclude each other", 2)
  end
  return declared(self.head, self.by_keys, self.filter, sampling)
end

--- stat.declare(text) -> declaration
-- A whole text: "mean(ask - bid) by symbol where bid_size > 100"; also of several
-- statistics: "mean(mid) / prev(mean(mid)) by symbol".
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for a text that is wrong, with the column.  Units: none.
function stat.declare(text)
  if type(text) ~= "string" then
    error("stat.declare: a string expected, got " .. type(text), 2)
  end
  return declared(text, {}, false, false)
end

-- ---- statistics ----

-- What a number alone stands for.
local function usual(kind)
  local has = {}
  for _, option in ipairs(kind.options) do
    if option.required then return option.name end
    has[option.name] = has[option.name] or not option.is_time
  end
  for _, name in ipairs(USUAL) do
    if has[name] then return name end
  end
end

-- The table of options that was meant by a table, a number or nothing.
local function options_of(kind, given, level)
  if type(given) == "number" and kind.usual then return { [kind.usual] = given } end
  if given == nil or type(given) == "table" then return given or {} end
  error(("stat.%s: a table of options%s expected, got %s"):format(kind.name,
    kind.usual and " or a number (" .. kind.usual .. ")" or "", type(given)), level + 1)
end

-- The shortest text that is that number.
local function number_text(v)
  if math.type(v) == "integer" then return tostring(v) end
  for digits = 15, 17 do
    local text = ("%%.%dg"):format(digits):format(v)
    if tonumber(text) == v then return text end
  end
  return tostring(v)
end

-- "mean(ask - bid, window=64)" of texts and then options.
local function head_of(kind, ...)
  local given, inputs = { ... }, #kind.inputs
  local texts = 0
  while type(given[texts + 1]) == "string" do texts = texts + 1 end
  if texts ~= inputs or select("#", ...) > inputs + 1 then
    error(("stat.%s: %d text%s expected (%s), and then options"):format(kind.name, inputs,
      inputs == 1 and "" or "s", table.concat(kind.inputs, ", ")), 3)
  end
  local options = {}
  for name, value in pairs(options_of(kind, given[texts + 1], 3)) do
    if type(value) == "number" then value = number_text(value) end
    if type(name) ~= "string" or type(value) ~= "string" then
      error(('stat.%s: %s: a number or a time, as "60s", expected, got %s')
        :format(kind.name, tostring(name), type(value)), 3)
    end
    options[#options + 1] = name .. "=" .. value
  end
  table.sort(options)
  table.move(options, 1, #options, texts + 1, given)
  return kind.name .. "(" .. table.concat(given, ", ", 1, texts + #options) .. ")"
end

-- What a kind is, with `usual`, the option that a number alone is.
local function kind_of(name)
  local kind = core.kind(name)
  kind.usual = usual(kind)
  return kind
end

-- It asks what the kind is when it is first used: a script uses few of them.
local function constructor(name)
  local kind
  return function(...)
    kind = kind or kind_of(name)
    local first, n = (...), select("#", ...)
    if type(first) == "string" then
      return declared(head_of(kind, ...), {}, false, false)
    end
    local options = options_of(kind, first, 2)
    if n > 1 then error(("stat.%s: %d arguments, not 1"):format(kind.name, n), 2) end
    local s, why = core.new(kind.name, options)
    if not s then error("stat." .. why, 2) end
    return s
  end
end

for _, name in ipairs(core.names()) do stat[name] = constructor(name) end

stat.load = core.load

--- stat.read(path, declarations [, options]) -> table, table | nil, message, code
-- Reads a file of quotes, trades or bars at once and gives what self:track would: the
-- statistic of each name; then a report: {records, messages, ignored, errors, skips,
-- skipped, bytes, seconds, problems}, the last a list of the first ten lines that say
-- what was refused (which is warned of, too).  format = "fix" or "csv" where neither the
-- name nor the first bytes say it; columns, preset, symbol, time, separator, member,
-- base, price_scale, interval, label, zone, factors, from and to as app.feed.csv has
-- them; instruments as app.instruments; one_sided = true: also quotes without one side.
-- A script reads long files in the pool, since a handler that blocks is stopped at its
-- time limit; what was read of one file merges with another's, and loads into what is
-- tracked: spread:load(s.spread:save()).
-- Yields: no.  Blocks: while it reads, some 0.15 us for each record.  Thread: any.
-- Errors: nil when the file can't be read to its end, and for too many keys; raises for
-- a declaration that can't be, with the column, and for a wrong option.
-- Units: of the expressions; seconds.
function stat.read(...) return require "tw.query".read(...) end

--- stat.kinds() -> table
-- What this help is made of, a list: {name, inputs, options, fields, formula, source,
-- cost, usual}.  inputs and fields are names; an option is {name, example, required,
-- is_time}; usual names the option that a number alone stands for, if there is one.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function stat.kinds()
  local kinds = core.names()
  for i, name in ipairs(kinds) do kinds[i] = kind_of(name) end
  return kinds
end

--- stat.by(constructor, ...) -> table
-- A table that makes constructor(...) for each new key when it is first looked at:
-- vol[symbol]:push(x).  pairs gives those that there are, rawget looks without making.
-- Yields: no.  Blocks: no.  Thread: the state's.
-- Errors: raises for what can't be called; an error of the constructor, when a key is
-- new.  Units: none.
function stat.by(make, ...)
  if type(make) ~= "function" then
    error("stat.by: a function expected, as stat.ewma, got " .. type(make), 2)
  end
  local arguments = table.pack(...)
  return setmetatable({}, { __index = function(all, key)
    local s = make(table.unpack(arguments, 1, arguments.n))
    all[key] = s
    return s
  end })
end

--- stat.by_symbol(constructor, ...) -> table
-- stat.by, as it is most often used: stat.by_symbol(stat.ewma, 0.05).
-- Yields: no.  Blocks: no.  Thread: the state's.  Errors: as stat.by.  Units: none.
stat.by_symbol = stat.by

return stat
