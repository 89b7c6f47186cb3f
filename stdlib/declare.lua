--- declare: (internal) what is being declared, and checks of it whose errors help.
--
-- Each file of tw.app adds to declare.now, a table of lists and options: see app.open.

local hint = require "tw.near".hint

local declare = {}

-- Options of a market that is made up.
declare.MARKET = {
  name = "string", seed = "number", symbols = "number", rate = "number",
  trades = "number", correlation = "number", speed = "number", limit = "number",
}

declare.MARKET_RANGES = {
  seed = { 0, math.maxinteger }, symbols = { 0, (1 << 20) - 1 }, rate = { 0.0, 1e9 },
  trades = { 0.0, 1.0 }, correlation = { 0.0, 1.0 }, limit = { 0, math.maxinteger },
  speed = { 0.0, 1e9 },
}

--- declare.fail(level, format, ...)
-- Raises: level 1 is who calls it.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: what it says.  Units: none.
function declare.fail(level, ...)
  error(string.format(...), level + 1)
end

--- declare.check(what, options, types) -> options
-- Checks an options table against {name = type}; "a|b" allows both.  What it gives is a
-- copy, to be added to and kept: who has declared with a table may use it again.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises where
-- the caller was called.  Units: none.
function declare.check(what, options, types)
  if type(options) ~= "table" then
    declare.fail(3, "%s: a table of options expected, got a %s", what, type(options))
  end
  local own = {}
  for name, value in pairs(options) do
    own[name] = value
    local want = types[name]
    if not want then
      local near = hint(name, types)
      if #near > 250 then
        near = ("; see `tidewire help %s`"):format(what:match "^[%w_.]*")
      end
      declare.fail(3, "%s: no option '%s'%s", what, name, near)
    end
    local fits = false
    for one in want:gmatch("[^|]+") do
      fits = fits or type(value) == one
    end
    if not fits then
      declare.fail(3, "%s: %s must be a %s, got %s", what, name, want:gsub("|", " or "),
           tostring(value))
    end
  end
  return own
end

--- declare.list(what, list, like) -> list
-- What is not a list of that kind would be left out without a word: a table by names,
-- what stands behind a nil.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises where the caller was called.  Units: none.
function declare.list(what, list, like)
  if type(list) ~= "table" then
    declare.fail(3, "%s: a list like %s expected, got a %s", what, like, type(list))
  end
  local n = 0
  for _ in ipairs(list) do n = n + 1 end
  for key in pairs(list) do
    if math.type(key) ~= "integer" or key < 1 or key > n then
      declare.fail(3, "%s: a list like %s expected, there is " .. (math.type(key)
                   == "integer" and "[%s] behind a nil" or "a name in it: %s"), what,
                   like, tostring(key))
    end
  end
  return list
end

--- declare.ranges(what, options, ranges) -> options
-- ranges: {name = {least, most}}; of integers the option is one, too.  One that is no
-- number is as declare.check has let it.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises where the caller was called.
-- Units: none.
function declare.ranges(what, options, ranges)
  for name, range in pairs(ranges) do
    local x, least, most = options[name], range[1], range[2]
    local is_whole = math.type(least) == "integer"
    if type(x) == "number"
        and not (x >= least and x <= most and (not is_whole or math.tointeger(x))) then
      declare.fail(3, "%s: %s must be " .. (is_whole and "an integer from %d to %d"
                   or "a number from %.10g to %.10g") .. ", got %s", what, name, least,
                   most, x)
    end
  end
  return options
end

--- declare.id_source(what, source)
-- security_id_source of a feed or a gateway: SecurityIDSource (22) is one character.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what is none.  Units: none.
function declare.id_source(what, source)
  if source and not source:find "^%w$" then
    declare.fail(3, "%s: security_id_source must be a letter or a digit, as"
                 .. " SecurityIDSource (22) has it, got '%s'", what, source)
  end
end

-- By name or tag, always in the same order.
local function fields_of(what, given)
  local list = {}
  for field, value in pairs(given) do
    if type(field) ~= "string" and math.type(field) ~= "integer" then
      declare.fail(4, "%s: fields have names or tags, not %s", what, tostring(field))
    end
    local is_group = type(value) == "table"
    if type(value) ~= "string" and math.type(value) ~= "integer" and not is_group
       or value == "" or tostring(value):find "%c" then
      declare.fail(4, "%s: fields: %s must be a text without control characters, or a"
                   .. " list where it is a group, got %q", what, field, tostring(value))
    end
    list[#list + 1] = { field = field, value = is_group and value or tostring(value) }
  end
  table.sort(list, function(a, b) return tostring(a.field) < tostring(b.field) end)
  return list
end

--- declare.fields(what, given) -> list
-- { ExDestination = "XNAS", NoPartyIDs = { { PartyID = "ME" } } } as a list of { field,
-- value }; C knows the dictionary.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what can't be, where the caller was called.  Units: none.
function declare.fields(what, given)
  local list = fields_of(what, given or {})
  return list
end

-- Bytes of a symbol: here (TW_NAME_MAX), and of a venue.
local NAME_MAX <const>, VENUE_MAX <const> = 63, 255

-- Why a FIX message can't say a symbol, or nil.
local function unsaid(symbol, most)
  if symbol == "" or #symbol > most then
    return ("has %d bytes: 1 to %d may be"):format(#symbol, most)
  end
  return symbol:find "%c" and "has a control character" or nil
end

--- declare.subscribe(what, symbols)
-- The symbols that a feed asks for.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what is none, where the caller was called.  Units: none.
function declare.subscribe(what, symbols)
  for i = 1, #symbols do
    local symbol = symbols[i]
    if type(symbol) ~= "string" then
      declare.fail(3, "%s: subscribe[%d] is no symbol: %s", what, i, tostring(symbol))
    end
    local why = unsaid(symbol, NAME_MAX)
    if why then declare.fail(3, "%s: subscribe[%d], %q, %s", what, i, symbol, why) end
  end
end

--- declare.instruments(what, given) -> list
-- { ESZ6 = { symbol = "ES", fields = { SecurityType = "FUT" } } } as a list of { symbol,
-- name, fields }: name is what the venue calls it.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what can't be, where the caller was called.  Units: none.
function declare.instruments(what, given)
  local list = {}
  for symbol, one in pairs(given or {}) do
    if type(symbol) ~= "string" or type(one) ~= "table" then
      declare.fail(3, '%s: instruments are like { ESZ6 = { symbol = "ES", fields = { ...'
                   .. " } } }, by our symbol, got %s = %s", what, tostring(symbol),
                   tostring(one))
    end
    local of = ("%s: instruments: %s"):format(what, symbol)
    local why = unsaid(symbol, NAME_MAX)
    if why then
      declare.fail(3, "%s: instruments: the symbol %q %s", what, symbol, why)
    end
    for name, value in pairs(one) do
      local kind = name == "fields" and "table" or name == "symbol" and "string"
      if not kind then
        declare.fail(3, "%s: no option '%s': symbol and fields are", of, tostring(name))
      end
      if type(value) ~= kind then
        declare.fail(3, "%s: %s must be a %s, got %s", of, name,
                     kind == "table" and kind or "text", tostring(value))
      end
      why = kind == "string" and unsaid(value, VENUE_MAX)
      if why then declare.fail(3, "%s: symbol %q %s", of, value, why) end
    end
    list[#list + 1] = { symbol = symbol, name = one.symbol,
                        fields = fields_of(of, one.fields or {}) }
  end
  table.sort(list, function(a, b) return a.symbol < b.symbol end)
  return list
end

--- declare.checked(f, ...) -> value
-- What f(...) returns.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: those of f, where the
-- caller was called.  Units: none.
function declare.checked(f, ...)
  local fine, made = pcall(f, ...)
  if not fine then error(made, 3) end
  return made
end

--- declare.place() -> text
-- Where the app file is: "app.lua:4: ".  For what is found wrong when its code has run.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function declare.place()
  local level, at = 2, debug.getinfo(2, "Sl")
  while at and (at.currentline < 0 or at.source:find "^@tw/" or at.source:find "^@:") do
    level = level + 1
    at = debug.getinfo(level, "Sl")
  end
  return at and ("%s:%d: "):format(at.short_src, at.currentline) or ""
end

--- declare.address(what, text) -> host, port
-- Of "host:port".
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises three calls up.  Units: none.
function declare.address(what, text)
  local host, port = text:match("^(.*):(%d+)$")
  port = math.tointeger(tonumber(port))
  if not port or port > 65535 or host == "" then
    declare.fail(4, "%s: '%s' is not host:port", what, text)
  end
  return host, port
end

--- declare.spelling(what, dictionary) -> text | nil
-- A FIX dictionary as tape files have it, of a version, a path, or a list of both.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises where the caller was called.
-- Units: none.
function declare.spelling(what, list)
  if list == nil then return nil end
  if type(list) == "string" then list = { list } end
  for i, text in ipairs(list) do
    if type(text) ~= "string" or text == "" or text:find "\n" then
      declare.fail(3, "%s: dictionary[%d] is no version and no path: %s", what, i,
                   tostring(text))
    end
  end
  if not list[1] then declare.fail(3, "%s: dictionary is empty", what) end
  return table.concat(list, "\n")
end

--- declare.feed(options, kind, format)
-- Adds a feed of that kind; format: of what comes as bytes.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function declare.feed(options, kind, format)
  options.kind, options.format = kind, format
  options.name = options.name or format or kind
  local feeds, places = declare.now.feeds, declare.now.places
  feeds[#feeds + 1] = options
  if places then places[#feeds] = declare.place() end
end

-- Outside of a file that is read as an app there is no declare.now.
setmetatable(declare, { __index = function(_, name)
  if name == "now" then
    error(declare.place() .. "an app file is for tidewire run, backtest and sweep:"
          .. " nothing else reads what it declares", 0)
  end
end })

return declare
