--- strategy: a script that declares its parameters, and checks what it is given.
--
--   local strategy = require "tw.strategy"
--
--   local M = strategy.new {
--     doc = "long while a fast average is above a slow one",
--     params = {
--       fast = { 10, min = 2, max = 50, step = 2, doc = "bars of the fast average" },
--       slow = 30,
--       side = { "long", choices = { "long", "both" }, doc = "what it may hold" },
--     },
--     where = "fast < slow",          -- what must be true of them, in Lua
--     warmup = "slow",                -- so many records, or "30d"
--   }
--
--   function M:on_bar(symbol, close)
--     local fast = self.params.fast   -- given, or 10
--     ...
--   end
--
--   return M
--
-- A parameter has a default, which says its type: an integer, a number (0.5), a boolean,
-- a text or a table.  type = "number" says it where the default is 30, but 30.5 may be
-- given.  min, max and choices are what may be given; step is for sweeps.  self.params
-- has all of them.  Wherever they are given, by app.script, --set, tw.backtest.run or a
-- sweep, an unknown one and a value that is not allowed are refused before anything runs.
--
--   tidewire backtest cross.lua --help         lists them, and so does tidewire help
--   tidewire sweep cross.lua --set fast ...    sweeps over what is declared: min to max
--                                              in steps, or the choices
--
-- `where` leaves points of a sweep out, and refuses what is given else.  `warmup` counts
-- in a backtest from a date (--from, and in each window of --walk): the script gets so
-- much of what was before it, without orders, as with --warmup, which stands over it.  It
-- may be an expression of parameters: "3 * slow".
--
-- A new version of a running script (see tidewire help reload) has its own defaults for
-- what nobody gave, in a new self.params.  Order sizes: self:order_target_percent, and
-- strategy.size.  Crossings: tw.ta.

local near = require "tw.near"

local strategy = {}

local function raise(...) error("strategy.new: " .. string.format(...), 0) end

local function show(x)
  if type(x) == "number" then return (tostring(x):gsub("%.0$", "")) end
  return type(x) == "string" and ("'%s'"):format(x) or tostring(x)
end

-- ---- what is allowed ----

local NOUNS <const> = { integer = "an integer", number = "a number", string = "a text",
                        boolean = "true or false", table = "a table" }

-- "an integer from 2 to 50"
local function allowed(p)
  if p.choices then
    local list = {}
    for i, one in ipairs(p.choices) do
      list[i] = type(one) == "string" and one or show(one)
    end
    return "one of " .. table.concat(list, ", ")
  end
  local noun = NOUNS[p.type]
  local min, max = p.min and show(p.min), p.max and show(p.max)
  if min and max then return ("%s from %s to %s"):format(noun, min, max) end
  if min then return ("%s from %s on"):format(noun, min) end
  return max and ("%s up to %s"):format(noun, max) or noun
end

-- The value as its type has it, or nil: it can't be one.
local function typed(p, value)
  if p.type == "integer" then
    return type(value) == "number" and math.tointeger(value) or nil
  elseif p.type == "number" then
    return type(value) == "number" and value == value and value + 0.0 or nil
  end
  return type(value) == p.type and value or nil
end

-- The value, or nil and what is allowed.
local function accept(p, value)
  local made = value
  if p.type ~= "boolean" then made = typed(p, value) end
  local fits = made ~= nil and type(made) == (p.type == "integer" and "number" or p.type)
               and not (p.min and made < p.min) and not (p.max and made > p.max)
  if fits and p.choices then
    fits = false
    for _, one in ipairs(p.choices) do fits = fits or one == made end
  end
  if fits then return made end
  return nil, allowed(p)
end

-- A function of parameters that an expression is.
local function expression(what, text)
  local names
  local env = setmetatable({}, { __index = function(_, name)
    local value = names[name]
    if value == nil and name ~= "math" then
      error(("no parameter '%s'"):format(name), 0)
    end
    return value == nil and math or value
  end })
  local chunk, why = load("return " .. text, "=" .. what, "t", env)
  local prefix = "^" .. what .. ":%d+: "
  if not chunk then
    return nil, ("%s '%s': %s"):format(what, text, (why:gsub(prefix, "")))
  end
  return function(values)
    names = values
    local fine, result = pcall(chunk)
    if fine then return result end
    return nil, ("%s '%s': %s"):format(what, text, (tostring(result):gsub(prefix, "")))
  end
end

-- ---- declaring ----

local FIELDS <const> = { default = true, type = true, min = true, max = true, step = true,
                         choices = true, doc = true, [1] = true }

local function type_of(x) return math.type(x) == "float" and "number" or math.type(x)
                                 or type(x) end

local function check_limits(p)
  for _, name in ipairs { "min", "max", "step" } do
    local x = p[name]
    if x ~= nil then
      if p.type ~= "integer" and p.type ~= "number" or p.choices then
        raise("%s: %s is for a number without choices", p.name, name)
      end
      p[name] = typed(p, x) or raise("%s.%s: %s expected, got %s", p.name, name,
                                     NOUNS[p.type], show(x))
    end
  end
  if p.step and p.step <= 0 then raise("%s.step: above 0 expected", p.name) end
  if p.min and p.max and p.min > p.max then
    raise("%s: min %s is above max %s", p.name, p.min, p.max)
  end
end

local function check_choices(p)
  if type(p.choices) ~= "table" or #p.choices == 0 or p.type == "table" then
    raise("%s.choices: a list expected", p.name)
  end
  local list = {}
  for i, one in ipairs(p.choices) do
    list[i] = typed(p, one) or raise("%s.choices: %s expected, got %s", p.name,
                                     NOUNS[p.type], show(one))
  end
  p.choices = list
end

-- name = 30, or name = { 30, min = 2, ... }
local function parameter(name, given)
  if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then
    raise("a parameter is named by letters, digits and _: %s", show(name))
  end
  if type(given) ~= "table" then given = { given } end
  local p = { name = name }
  for field, value in pairs(given) do
    if not FIELDS[field] then
      raise("%s: no field '%s'%s", name, tostring(field), near.hint(field, FIELDS))
    end
    p[field == 1 and "default" or field] = value
  end
  if p.default == nil then raise("%s: a default expected: { 10, min = 2 }", name) end
  p.type = p.type or type_of(p.default)
  if not NOUNS[p.type] then
    raise("%s: an integer, a number, a boolean, a text or a table expected, got a %s",
          name, p.type)
  end
  if p.choices ~= nil then check_choices(p) end
  check_limits(p)
  local default, want = accept(p, p.default)
  if default == nil then
    raise("%s: its default is %s: %s expected", name, show(p.default), want)
  end
  p.default = default
  return p
end

local OPTIONS <const> = {
  doc = "string", params = "table", where = "string", warmup = "string|number",
  symbols = "string|table", sectors = "string|table", messages = "string|table",
  sources = "string|table", sessions = "string|table",
  one_sided = "boolean",
  account = "any",          -- its options are checked with it, see tw.trade
}
local OF_DECLARATION <const> = { doc = true, params = true, where = true, warmup = true }

-- M.params: C finds these functions in it, see lua/code.c.
local Declaration = { __name = "tw.strategy" }

local function declare(options)
  local made, names = { params = {} }, {}
  for name in pairs(options.params or {}) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for i, name in ipairs(names) do
    made.params[i] = parameter(name, options.params[name])
  end
  made.doc, made.where, made.warmup = options.doc, options.where, options.warmup
  local fine, why = strategy.values(made)
  if not fine then raise("%s", why) end
  fine, why = strategy.warmup(made, fine)
  if not fine and why then raise("%s", why) end
  return made
end

--- strategy.new(options) -> script
-- The table that a script's file returns, to which its handlers are added.  options: doc,
-- a line; params, where and warmup, as above; and what else a script's table may say:
-- symbols, sectors, messages, sources, sessions, one_sided, account.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what can't be declared: an option or a field that is not there, a
-- default that is not allowed.  Units: none.
function strategy.new(options)
  local fine, made = pcall(function()
    if type(options) ~= "table" then
      raise("a table of options expected, got a %s", type(options))
    end
    local script = {}
    for name, value in pairs(options) do
      local want = OPTIONS[name]
        or raise("no option '%s'%s", tostring(name), near.hint(name, OPTIONS))
      if want ~= "any"
         and not ("|" .. want .. "|"):find("|" .. type(value) .. "|", 1, true) then
        raise("%s must be a %s, got %s", name, want:gsub("|", " or "), show(value))
      end
      if not OF_DECLARATION[name] then script[name] = value end
    end
    script.params = setmetatable({ plain = declare(options) }, Declaration)
    return script
  end)
  if not fine then error(made, 2) end
  return made
end

-- ---- what is given ----

-- What is given, checked, and the defaults of the others.
local function fill(declared, known, given)
  local values, names = {}, {}
  for name in pairs(given or {}) do names[#names + 1] = name end
  if #names > 1 then
    table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  end
  for _, name in ipairs(names) do
    local p, value = known[name], given[name]
    if not p then
      return nil, ("%s = %s: no such parameter%s"):format(tostring(name), show(value),
                                                          near.hint(name, known))
    end
    local made, want = accept(p, value)
    if made == nil then
      return nil, ("%s = %s: %s expected"):format(name, show(value), want)
    end
    values[name] = made
  end
  for _, p in ipairs(declared.params) do
    if values[p.name] == nil then values[p.name] = p.default end
  end
  return values
end

--- (internal) strategy.checker(declared) -> function(given)
-- strategy.values for many, which returns a boolean more: all are allowed, but `where` is
-- not true.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: as strategy.values.  Units: none.
function strategy.checker(declared)
  local known, holds, wrong = {}, nil, nil
  for _, p in ipairs(declared.params) do known[p.name] = p end
  if declared.where then holds, wrong = expression("where", declared.where) end
  return function(given)
    local values, why = fill(declared, known, given)
    if not values or wrong then return nil, why or wrong end
    if not holds then return values end
    local is_so, problem = holds(values)
    if is_so then return values end
    if problem then return nil, problem end
    local list = {}
    for i, p in ipairs(declared.params) do
      list[i] = p.name .. " = " .. show(values[p.name])
    end
    return nil, ("%s: %s must be true"):format(table.concat(list, ", "),
                                               declared.where), true
  end
end

--- (internal) strategy.values(declared, given) -> table | nil, message
-- All parameters of a declaration (see strategy.read): those that are given, checked, and
-- the defaults of the others.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: nil for one that is not declared or not allowed, and where `where` is not true;
-- raises for no table.  Units: none.
function strategy.values(declared, given)
  return strategy.checker(declared)(given)
end

--- (internal) strategy.warmup(declared, values) -> text | integer | nil, message
-- The warm-up that is declared, of these parameters, as tw.backtest.run takes it; nil: no
-- warm-up.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: nil with a message for an expression that gives none.  Units: records.
function strategy.warmup(declared, values)
  local w = declared.warmup
  if w == nil or type(w) == "string" and w:find "^[%d.]+%l$" then return w end
  local n, why = w, nil
  if type(w) == "string" then
    local of, problem = expression("warmup", w)
    if not of then return nil, problem end
    n, why = of(values)
    if why then return nil, why end
  end
  local records = type(n) == "number" and n == n and math.tointeger(math.ceil(n))
  if not records or records < 0 then
    return nil, ("warmup: a number of records or a time like 30d expected, got %s")
      :format(show(n))
  end
  return records > 0 and records or nil
end

Declaration.__plain = function(d) return d.plain end
Declaration.__values = function(d, given) return strategy.values(d.plain, given) end

--- (internal) strategy.read(path) -> declaration | nil [, message]
-- What a script's file declares: { doc, where, warmup, params }, params a list by name of
-- { name, default, type, min, max, step, choices, doc }; nil alone: nothing.
-- Yields: no.  Blocks: while the file runs, in a state of its own.  Thread: any state's.
-- Errors: nil where the file can't be read or fails.  Units: none.
function strategy.read(path)
  return require "tw.internal.backtest".declared { file = path, script = true }
end

--- (internal) strategy.grid(declared, name) -> list | min, max, step
-- What a sweep runs of that parameter: its choices, or a range; without a step, 1 between
-- integers.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: nil, message for one that is not declared, or has neither.  Units: none.
function strategy.grid(declared, name)
  local known = {}
  for _, p in ipairs(declared and declared.params or {}) do
    if p.name == name then
      if p.choices then return p.choices end
      if p.type == "boolean" then return { false, true } end
      if p.min and p.max then return p.min, p.max, p.step end
      return nil, ("%s: min and max, or choices, are not declared"):format(name)
    end
    known[p.name] = true
  end
  return nil, ("%s: no such parameter is declared%s"):format(name, near.hint(name, known))
end

--- (internal) strategy.value(declared, name, text) -> value
-- A text of --set as that parameter has it: "10" is a number, but where a text is
-- declared.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function strategy.value(declared, name, text)
  for _, p in ipairs(declared and declared.params or {}) do
    if p.name == name and p.type == "string" then return text end
  end
  return require "tw.arguments".value(text)
end

-- ---- help ----

local function declared_of_app(path)
  local found, why = require "tw.internal.backtest".look { file = path }
  if not found then return nil, why end
  local options = {}
  for name, default in pairs(found.params or {}) do
    options[name] = { default, type = type(default) }
  end
  return declare { params = options }
end

--- (internal) strategy.text(path) -> text | nil, message
-- The parameters of a script, or of an app file, as `tidewire help FILE` shows them.
-- Yields: no.  Blocks: while the file runs.  Thread: any state's.
-- Errors: nil where the file can't be read or fails.  Units: none.
function strategy.text(path)
  local name, is_app = path:match "[^/]*$", require "tw.arguments".is_app(path)
  local declared, why = (is_app and declared_of_app or strategy.read)(path)
  if why then return nil, why end
  if not declared then
    return name .. " declares no parameters (see `tidewire help strategy`)\n"
  end
  local out, rows = { name .. (declared.doc and " - " .. declared.doc or "") }, {}
  for i, p in ipairs(declared.params) do
    rows[i] = { p.name, type(p.default) == "table" and "{}" or show(p.default),
                allowed(p) .. (p.step and (", step %s"):format(show(p.step)) or ""),
                p.doc or "" }
  end
  if #rows == 0 then out[2] = "no parameters" end
  if rows[1] then
    out[2] = "\n" .. require "tw.screen".table(rows, { "parameter", "default", "allowed",
                                                       "" })
  end
  local more = {}
  if declared.where then more[1] = "where   " .. declared.where end
  if declared.warmup then more[#more + 1] = ("warmup  %s"):format(declared.warmup) end
  if more[1] then out[#out + 1] = "\n" .. table.concat(more, "\n") end
  return table.concat(out, "\n") .. "\n"
end

-- ---- sizes ----

--- strategy.size(self, symbol, risk, distance) -> quantity [, message]
-- How much to trade so that a price that goes `distance` the wrong way, to a stop, costs
-- `risk` percent of the equity: in whole lots (1 where none is said), 0 where that is
-- less than one, or, with a message, while no rate has come of the instrument's currency.
--   local n = strategy.size(self, symbol, 1, 2 * atr.value)
--   if n > 0 then self:buy { symbol = symbol, quantity = n, stop_loss = ... } end
-- Yields: no.  Blocks: no.  Thread: the script's.
-- Errors: raises for a risk or a distance not above 0, without an account, and where that
-- has no rate of the instrument's currency.
-- Units: risk: 100 is all; distance: price, of the instrument's currency.
function strategy.size(self, symbol, risk, distance)
  for name, x in pairs { risk = risk, distance = distance } do
    if type(x) ~= "number" or not (x > 0) then
      error(("strategy.size: %s: above 0 expected, got %s"):format(name, show(x)), 2)
    end
  end
  local of = require "tw".instrument(symbol) or {}
  local lot = (of.lot_size or 0) > 0 and of.lot_size or 1
  local worth, why = self.account:value(symbol, distance)
  if not worth then return 0, why end
  local lots = self.account.equity * risk / 100 / worth / lot
  return math.max(math.floor(lots + 1e-9), 0) * lot
end

return strategy
