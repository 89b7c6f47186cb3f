--- app: what makes up a running system: feeds, instruments, scripts.
--
-- Why: an app file is a Lua program that declares; nothing runs while it is
-- read.  What it declared is then built by the host, once, in C.
--
--     local app = require "tw.app"
--     app.sectors { tech = { "AAPL", "GOOG" } }
--     app.feed.fix { connect = app.param("fix", "127.0.0.1:9878") }
--     app.script("stats.lua", { shard = "symbol" })

local source = require "tw.internal.source"
local time_of = require "tw.internal.stat".time
local trade = require "tw.trade"

local app = { feed = {} }

local sets = {}            -- name -> text, from --set
local asked = {}           -- name -> default, of app.param
local declared             -- see app.open

local function fail(level, ...)
  error(string.format(...), level + 1)
end

-- The name in `names` that is nearest to `name`, as a hint for a typing error.
local function hint(name, names)
  local list = {}
  for known in pairs(names) do
    list[#list + 1] = known
  end
  table.sort(list)
  for _, known in ipairs(list) do
    if known:sub(1, 3) == tostring(name):sub(1, 3) then
      return string.format("; did you mean '%s'?", known)
    end
  end
  return "; there are " .. table.concat(list, ", ")
end

-- How the command line says a parameter: in a built program it is an option.
local function option(name, text)
  if source.app() then return "--" .. name .. (text and " " .. text or "") end
  return "--set " .. name .. (text and "=" .. text or "")
end

-- Checks an options table against {name = type}; "a|b" allows both.
local function check(what, options, types)
  if type(options) ~= "table" then
    fail(3, "%s: a table of options expected, got a %s", what, type(options))
  end
  for name, value in pairs(options) do
    local want = types[name]
    if not want then
      fail(3, "%s: no option '%s'%s", what, name, hint(name, types))
    end
    local fits = false
    for one in want:gmatch("[^|]+") do
      fits = fits or type(value) == one
    end
    if not fits then
      fail(3, "%s: %s must be a %s, got %s", what, name, want:gsub("|", " or "),
           tostring(value))
    end
  end
  return options
end

-- What a check of tw.trade gives; its error names the line of the app file.
local function checked(f, ...)
  local fine, made = pcall(f, ...)
  if not fine then error(made, 3) end
  return made
end

-- "host:port" -> host, port
local function address(what, text)
  local host, port = text:match("^(.*):(%d+)$")
  port = math.tointeger(tonumber(port))
  if not port or port > 65535 or host == "" then
    fail(4, "%s: '%s' is not host:port", what, text)
  end
  return host, port
end

local function instrument(symbol)
  local list = declared.instruments
  local one = list[symbol]
  if not one then
    one = { symbol = symbol }
    list[symbol], list[#list + 1] = one, one
  end
  return one
end

--- app.param(name, default) -> value
-- A parameter of the app, as given by --set name=value, or by --name value in a built
-- program; of the default's type.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when the given text is not of the default's type.  Units: none.
function app.param(name, default)
  asked[name] = default == nil and "" or default
  local text = sets[name]
  if text == nil then return default end
  if type(default) == "number" then
    return tonumber(text) or fail(2, "%s: not a number", option(name, text))
  elseif type(default) == "boolean" then
    if text == "true" or text == "1" then return true end
    if text == "false" or text == "0" then return false end
    fail(2, "%s: neither true nor false", option(name, text))
  end
  return text
end

--- app.sectors(table)
-- {tech = {"AAPL", "GOOG"}, oil = {"BP", "XOM"}}: which symbols are in which.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when a sector is not a list of names.  Units: none.
function app.sectors(table_)
  local names = {}
  for sector, symbols in pairs(check("app.sectors", table_, setmetatable({}, {
    __index = function() return "table" end }))) do
    names[#names + 1] = sector
    for _, symbol in ipairs(symbols) do
      if type(symbol) ~= "string" then
        fail(2, "app.sectors: %s: a name expected", sector)
      end
    end
  end
  table.sort(names)
  for _, sector in ipairs(names) do
    for _, symbol in ipairs(table_[sector]) do
      instrument(symbol).sector = sector
    end
  end
end

--- app.weights(table)
-- {AAPL = 0.4, BP = 0.1}: what each symbol weighs in an index.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when a weight is not a number.  Units: fractions.
function app.weights(table_)
  local names = {}
  for symbol in pairs(check("app.weights", table_, setmetatable({}, {
    __index = function() return "number" end }))) do
    names[#names + 1] = symbol
  end
  table.sort(names)
  for _, symbol in ipairs(names) do
    instrument(symbol).weight = table_[symbol]
  end
end

local of_instrument = {
  symbol = "string", sector = "string", weight = "number", tick_size = "number",
  lot_size = "number", multiplier = "number", currency = "string", margin = "number",
  settles_daily = "boolean", calendar = "string",
}

-- Words of an expression, which can't name an attribute.
local words = {
  ["and"] = true, ["or"] = true, ["not"] = true, ["true"] = true, ["false"] = true,
  by = true, where = true, pi = true, inf = true,
}

-- One letter more, less or other than in `b`, or two swapped.
local function is_slip(a, b)
  while a ~= "" and a:byte() == b:byte() do a, b = a:sub(2), b:sub(2) end
  while a ~= "" and a:byte(-1) == b:byte(-1) do a, b = a:sub(1, -2), b:sub(1, -2) end
  return #a <= 1 and #b <= 1 or #a == 2 and a == b:reverse()
end

-- The text of an attribute of the user's own; raises where it may be a typing error.
local function attribute(what, name, value)
  if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" or words[name] then
    fail(3, "%s: '%s' can't name an attribute", what, tostring(name))
  end
  for known, kind in pairs(of_instrument) do
    if is_slip(name, known) or kind == "number" and type(value) == "number"
        and known:sub(1, 3) == name:sub(1, 3) then
      fail(3, "%s: no option '%s'; did you mean '%s'?", what, name, known)
    end
  end
  if type(value) ~= "string" and math.type(value) ~= "integer" then
    fail(3, "%s: %s must be a string or an integer, got %s", what, name,
         tostring(value))
  end
  local text = tostring(value)
  if #text < 1 or #text > 63 or text:find("\0", 1, true) then
    fail(3, "%s: %s must be a text of 1 to 63 bytes", what, name)
  end
  if not declared.attributes[name] then
    local list = declared.attributes
    list[name], list[#list + 1] = true, name
  end
  return text
end

--- app.instruments(list)
-- {{symbol = "AAPL", sector = "tech", weight = 0.4, tick_size = 0.01,
-- lot_size = 100}, ...}: symbols get their ids (1, 2, ...) in this order.  For trading
-- there are multiplier (what 1 is worth at a price of 1), currency, margin (of 1 while it
-- is held; 0: it is paid in full), settles_daily (a future: gains are paid each day) and
-- calendar (see app.calendar).  Any other
-- name is an attribute of your own, at most 16 of them, each with few values:
-- country = "US".  It is a field of quotes and trades, nil where nobody gave it, and
-- statistics can be by it: mean(ask - bid) by country.  An integer becomes text.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for a value of the wrong type, or a name that looks like a typing
-- error of one of those above.
-- Units: prices and sizes.
function app.instruments(list)
  for i, one in ipairs(list) do
    local what = "app.instruments[" .. i .. "]"
    local own, given = {}, {}
    for name, value in pairs(type(one) == "table" and one or {}) do
      if of_instrument[name] then given[name] = value else own[#own + 1] = name end
    end
    check(what, type(one) == "table" and given or one, of_instrument)
    if not one.symbol then fail(2, "%s: no symbol", what) end
    if one.currency then checked(trade.currency, what, one.currency) end
    for _, name in ipairs { "multiplier", "margin" } do
      local x = one[name]
      if x and not (x >= (name == "margin" and 0 or 1e-9) and x < 9e9) then
        fail(2, "%s: %s must be above 0, got %s", what, name, x)
      end
    end
    table.sort(own, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(own) do given[name] = attribute(what, name, one[name]) end
    local into = instrument(one.symbol)
    for name, value in pairs(given) do
      into[name] = value
    end
  end
end

--- app.check_instruments(list) -> table, table
-- What app.instruments would declare, outside of an app file: the instruments, and the
-- names of their attributes.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: as app.instruments.
-- Units: prices and sizes.
function app.check_instruments(list)
  local before, made = declared, { instruments = {}, attributes = {} }
  declared = made
  local fine, why = pcall(app.instruments, list)
  declared = before
  if not fine then error(why, 0) end
  return made.instruments, made.attributes
end

--- app.check_feed(kind, options) -> table
-- What app.feed[kind](options) would declare, outside of an app file.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: as of that function.  Units: as there.
function app.check_feed(kind, options)
  local before, made = declared, { feeds = {} }
  declared = made
  local fine, why = pcall(app.feed[kind], options)
  declared = before
  if not fine then error(why, 0) end
  return made.feeds[1]
end

local function add_feed(options, kind, format)
  options.kind, options.format = kind, format
  options.name = options.name or format or kind
  declared.feeds[#declared.feeds + 1] = options
end

-- Where the bytes of a fix or csv feed come from.
local function add_stream(what, options, format)
  local given = {}
  for _, way in ipairs { "connect", "listen", "file", "stdin" } do
    if options[way] then given[#given + 1] = way end
  end
  if #given ~= 1 then
    fail(3, "%s: one of connect, listen, file and stdin is needed, got %s", what,
         #given == 0 and "none" or table.concat(given, " and "))
  end
  local way = given[1]
  if way == "connect" and type(options.connect) == "table" then
    options.exchange = options.connect.exchange
    if not options.exchange then
      fail(3, "%s: connect must be host:port or what app.exchange returned", what)
    end
  elseif way == "connect" then
    options.host, options.port = address(what, options.connect)
  elseif way == "listen" then
    if type(options.listen) == "number" then
      options.host, options.port = "127.0.0.1", math.tointeger(options.listen)
      if not options.port or options.port < 0 or options.port > 65535 then
        fail(3, "%s: %s is not a port", what, options.listen)
      end
    else
      options.host, options.port = address(what, options.listen)
    end
  elseif way == "file" then
    options.path = options.file
  end
  add_feed(options, way, format)
end

--- app.feed.fix(options)
-- Market data in FIX (35=W, X and S; versions 4.0 to 5.0SP2): from a TCP
-- connection (connect = "host:port"), from any that connect (listen = port), from
-- a file or from standard input (stdin = true).  A file flows as fast as scripts
-- read (speed = 0), or as its own times say (speed = 1).  limit: ends after so
-- many records.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: speed: times real time.
function app.feed.fix(options)
  check("app.feed.fix", options, {
    name = "string", connect = "string|table", listen = "number|string", file = "string",
    stdin = "boolean", speed = "number", limit = "number",
  })
  add_stream("app.feed.fix", options, "fix")
end

--- app.feed.csv(options)
-- Quotes, trades and bars from text: file = a path (plain, .gz, .zip; member = a
-- pattern) or stdin = true.  Columns are named by the first line, or by columns =
-- "time,symbol,bid,ask,-,bid_size"; preset = "lean" takes all of it from the
-- path of one of LEAN's files.  Rows with the columns open, high, low, close and volume
-- (also bid_open, ..., ask_close: two bars) are bars of the length interval ("1d", "5m";
-- by default a day, where times are dates); label = "start" (the default) or "end": what
-- their times are of.  The time of a bar on the tape is its end.  zone =
-- "America/New_York": of times that don't say theirs (default: UTC).
-- time = "ns" | "us" | "ms" | "s" | "iso" (default: by the look of the first), symbol
-- = for files without that column, separator, price_scale = what prices are divided
-- by, base = added to each time.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: base: nanoseconds; speed: times real time.
function app.feed.csv(options)
  check("app.feed.csv", options, {
    name = "string", file = "string", stdin = "boolean", member = "string",
    columns = "string", preset = "string", symbol = "string", time = "string",
    interval = "string|number", label = "string", zone = "string",
    base = "number", price_scale = "number", separator = "string", speed = "number",
    limit = "number", connect = "string|table", listen = "number|string",
  })
  if options.interval then
    local seconds = options.interval
    if type(seconds) == "string" then
      seconds = time_of(seconds)
      seconds = seconds and seconds / 1e9
    end
    if not seconds or seconds < 1 or seconds % 1 ~= 0 or seconds >= 1 << 30 then
      fail(2, "app.feed.csv: interval: whole seconds or a time like '1m' expected,"
           .. " got %s", tostring(options.interval))
    end
    options.interval = seconds
  end
  if options.label and options.label ~= "start" and options.label ~= "end" then
    fail(2, "app.feed.csv: label must be \"start\" or \"end\", got '%s'", options.label)
  end
  options.label_end = options.label == "end"
  add_stream("app.feed.csv", options, "csv")
end

--- app.feed.tape(options)
-- Plays a tape file (path), as it was recorded or converted: as fast as scripts read
-- (speed = 0), or as its own times say (speed = 1).  from, to: only records of from <=
-- time < to, ns or a date ("2024-05-07T14:30").  messages = true: what scripts sent each
-- other then, too; what they send now comes nowhere, so that each gets exactly what it
-- got.  A script does not get its own back: those of scripts of its name.  skip_damaged
-- = true: a damaged block is a warning, not the end.  limit: ends after so many records.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: speed: times real time.
function app.feed.tape(options)
  check("app.feed.tape", options, {
    name = "string", path = "string", speed = "number", from = "number|string",
    to = "number|string", messages = "boolean", skip_damaged = "boolean",
    limit = "number",
  })
  if not options.path then fail(2, "app.feed.tape: no path") end
  options.name = options.name or options.path:match "[^/]*$"
  add_feed(options, "tape")
end

local made = {
  name = "string", seed = "number", symbols = "number", rate = "number",
  trades = "number", correlation = "number", speed = "number", limit = "number",
}

--- app.feed.synthetic(options)
-- A made-up market, the same for the same seed: correlated random walks of AAPL
-- and GOOG (tech), BP and XOM (oil), or of symbols = n made-up names.  rate:
-- records a second; trades: their share; speed: 1 in real time, 0 as fast as
-- scripts read; limit: ends after so many.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: records a second.
function app.feed.synthetic(options)
  add_feed(check("app.feed.synthetic", options or {}, made), "synthetic")
end

--- app.feed.timer(options)
-- Puts a timer mark on the tape every so many seconds: on_timer(interval, count)
-- in every script that has one, at one place among the quotes.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when every is missing or not positive.  Units: every: seconds.
function app.feed.timer(options)
  check("app.feed.timer", options, { name = "string", every = "number" })
  if not options.every or options.every <= 0 then
    fail(2, "app.feed.timer: every must be a positive number of seconds")
  end
  add_feed(options, "timer")
end

--- app.exchange(options) -> exchange
-- A synthetic exchange in this process that serves FIX over TCP, on a thread of
-- its own; give it to app.feed.fix as connect.  Options as of
-- app.feed.synthetic, and port (0, the default: a free one), host,
-- begin_string ("FIX.4.4").
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: records a second.
function app.exchange(options)
  local types = { port = "number", host = "string", begin_string = "string" }
  for name, kind in pairs(made) do types[name] = kind end
  local list = declared.exchanges
  list[#list + 1] = check("app.exchange", options or {}, types)
  return { exchange = #list }
end

--- app.script(path, options)
-- Runs a script; path is relative to the app file.  Options: shard = "symbol"
-- (one instance per worker, symbols split between them), workers = {0, 1} (which
-- ones; default: the least busy, or all when sharded), params (a table, self.params
-- in the script), symbols, sectors, messages (lists of names or patterns: what it
-- gets), on_error = "stop" (the run ends; the default) or "restart", restarts (how
-- often; default 5), reliable (the tape waits for it; default: when no feed is
-- live), name, account (see app.account).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: none.
function app.script(path, options)
  if type(path) ~= "string" then
    fail(2, "app.script: a path expected, got a %s", type(path))
  end
  options = check("app.script", options or {}, {
    shard = "string", workers = "table", params = "table", symbols = "table|string",
    sectors = "table|string", messages = "table|string", on_error = "string",
    restarts = "number", reliable = "boolean", name = "string", account = "table",
  })
  if options.account then
    options.account = checked(trade.account, "app.script: account", options.account)
  end
  if options.shard and options.shard ~= "symbol" then
    fail(2, "app.script: shard must be \"symbol\", got '%s'", options.shard)
  end
  local on_error = options.on_error or "stop"
  if on_error ~= "stop" and on_error ~= "restart" then
    fail(2, "app.script: on_error must be \"stop\" or \"restart\", got '%s'", on_error)
  end
  for _, worker in ipairs(options.workers or {}) do
    if math.type(worker) ~= "integer" or worker < 0 then
      fail(2, "app.script: workers must list integers from 0 on, got %s",
           tostring(worker))
    end
  end
  declared.files[#declared.files + 1] = { path = path, options = options }
end

--- app.account(options)
-- The account of each script that trades; app.script(path, {account = {...}}) and the
-- field account of a script's own table say it for one, field by field.  currency
-- ("USD"), cash (100,000), fees, fill (the model by which orders trade), latency,
-- slippage, volume_share, seed, limits, rates: see tidewire help trading.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.
-- Units: cash: the currency; latency: seconds.
function app.account(options)
  declared.account = checked(trade.account, "app.account", options)
end

--- app.risk(options)
-- Limits of all scripts together: open_orders, orders (in a second of event time),
-- daily_loss.  An order beyond them is rejected.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.
-- Units: daily_loss: the accounts' currency.
function app.risk(options)
  declared.risk = checked(trade.risk, options)
end

--- app.calendar(name, options)
-- When a market is open, for `calendar` of app.instruments: zone ("America/New_York";
-- default UTC), open, close ("09:30", "16:00"; default all day), days ("mon-fri"),
-- holidays ({"2013-12-25"}), early ({["2013-11-29"] = "13:00"}: an early close).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.  Units: none.
function app.calendar(name, options)
  if type(name) ~= "string" then
    fail(2, "app.calendar: a name expected, got %s", tostring(name))
  end
  local list = declared.calendars
  list[#list + 1] = checked(trade.calendar, name, options)
end

--- app.files(list)
-- {"data/*.csv", "lib/late.lua"}: what `tidewire build` puts into the program besides the
-- app file, its scripts and the modules that they require; names or patterns as of the
-- shell, relative to the app file.  tw.file reads them.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when it is not a list of names.  Units: none.
function app.files(list)
  for _, name in ipairs(check("app.files", list, setmetatable({}, {
    __index = function() return "string" end }))) do
    declared.data[#declared.data + 1] = name
  end
end

--- app.tape(options)
-- capacity: how many records the tape holds, a power of two (default 2^20: 64 MiB).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when capacity is not an integer in 16 .. 2^28.  Units: records.
function app.tape(options)
  local capacity = check("app.tape", options, { capacity = "number" }).capacity
  if math.type(capacity) ~= "integer" or capacity < 16 or capacity > 1 << 28 then
    fail(2, "app.tape: capacity must be an integer in 16 .. 2^28, got %s",
         tostring(capacity))
  end
  declared.capacity = capacity
end

--- app.limits(options)
-- time: how long one handler may run before its script is stopped (default 1;
-- 0: for ever); memory: how much one Lua state may take (default 1 GiB; 0: all).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for a negative limit.  Units: seconds; MiB.
function app.limits(options)
  check("app.limits", options, { time = "number", memory = "number" })
  for name, value in pairs(options) do
    if value < 0 then
      fail(2, "app.limits: %s must not be negative, got %s", name, value)
    end
    declared[name] = value
  end
end

--- app.pool(options)
-- The background threads of tw.pool: threads (default: one for each processor), queue
-- (jobs that may wait; default 65,536), memory (of a state; default: as app.limits).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there, or no number above 0.  Units: MiB.
function app.pool(options)
  check("app.pool", options, { threads = "number", queue = "number", memory = "number" })
  for name, value in pairs(options) do
    if value <= 0 then fail(2, "app.pool: %s must be above 0, got %s", name, value) end
  end
  declared.pool = options
end

--- app.reload(options)
-- New versions of scripts while the app runs (see tidewire help reload): watch, true: a
-- script is reloaded when its file changes, or one that it requires (as with
-- `tidewire run --watch`); deadline: how long a handler that waits may hold a change up
-- before its wait is ended, and again that long before the change is given up; warm and
-- shadow: as of tw.reload, for all reloads that don't say it themselves.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there, and a deadline not above 0.
-- Units: seconds (default 1).
function app.reload(options)
  check("app.reload", options, { watch = "boolean", deadline = "number",
    warm = "number|string|boolean", shadow = "number|table" })
  if options.deadline and options.deadline <= 0 then
    fail(2, "app.reload: deadline must be above 0, got %s", options.deadline)
  end
  local shadow = options.shadow or 0
  if type(shadow) == "number" then shadow = { records = shadow } end
  check("app.reload: shadow", shadow, { records = "number", differences = "number",
    errors = "number" })
  for name, n in pairs(shadow) do
    if math.type(n) ~= "integer" or n < 0 then
      fail(2, "app.reload: shadow.%s: a count expected, got %s", name, n)
    end
  end
  local warm = options.warm or 0
  if warm == true or type(warm) == "string" and not time_of(warm)
     or type(warm) == "number" and not (math.type(warm) == "integer" and warm >= 0) then
    fail(2, "app.reload: warm: a number of records or a time like '10m' expected, got %s",
         warm)
  end
  declared.reload = options
end

--- app.on_feed(f)
-- f(name, state, why) is called when a feed becomes "live", "waiting" (between
-- two tries to connect), "ended" or "failed".
-- Yields: no.  Blocks: no.  Thread: the app file; f: MAIN, outside every script.
-- Errors: raises when f is not a function; an error in f ends the run.  Units: none.
function app.on_feed(f)
  if type(f) ~= "function" then fail(2, "app.on_feed: a function expected") end
  declared.on_feed = f
end

--- app.on_end(f)
-- f(status) is called after the last script's on_stop, with what the summary
-- shows (tw.monitor); when f returns true, no summary is printed.
-- Yields: no.  Blocks: no.  Thread: the app file; f: MAIN, after every script.
-- Errors: raises when f is not a function; an error in f makes the status 1.
-- Units: none.
function app.on_end(f)
  if type(f) ~= "function" then fail(2, "app.on_end: a function expected") end
  declared.on_end = f
end

--- app.screen(options)
-- What the live screen and the plain lines show beside the host's own figures:
-- title, and board, the names (or patterns as of the shell's *) on the board.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there.  Units: none.
function app.screen(options)
  declared.screen = check("app.screen", options, { title = "string", board = "table" })
end

-- Instruments say their calendar by name; C finds it by its place.
local function find_calendars()
  local places = {}
  for i, one in ipairs(declared.calendars) do places[one.name] = i end
  for _, one in ipairs(declared.instruments) do
    if one.calendar then
      one.calendar_at = places[one.calendar] or error(string.format(
        "app.instruments: %s: no app.calendar is called '%s'", one.symbol,
        one.calendar), 0)
    end
  end
end

-- Gives every instance of every script its worker, the least busy first.
local function place(workers, reliable)
  local load, scripts = {}, {}
  for w = 0, workers - 1 do load[w] = 0 end

  local function least()
    local best = 0
    for w = 1, workers - 1 do
      if load[w] < load[best] then best = w end
    end
    return best
  end

  for _, file in ipairs(declared.files) do
    local o = file.options
    local on = o.workers
    if not on and o.shard then
      on = {}
      for w = 0, workers - 1 do on[w + 1] = w end
    end
    on = on or { least() }
    for i, w in ipairs(on) do
      if w >= workers then
        error(string.format("app.script: %s: worker %d of %d (0 .. %d)", file.path, w,
                            workers, workers - 1), 0)
      end
      load[w] = load[w] + 1 / (o.shard and #on or 1)
      scripts[#scripts + 1] = {
        name = o.name or file.path, path = file.path, worker = w,
        shard = i - 1, shards = o.shard and #on or 0,
        reliable = o.reliable == nil and reliable or o.reliable or false,
        restarts = o.on_error == "restart" and (o.restarts or 5) or 0,
        options = { params = o.params, symbols = o.symbols, sectors = o.sectors,
                    messages = o.messages, account = o.account,
                    accounts = declared.account },
      }
    end
  end
  return scripts
end

local function is_live(feed)
  return feed.kind == "connect" or feed.kind == "listen"
      or (feed.speed or (feed.kind == "synthetic" and 1 or 0)) > 0
end

-- Runs the file, which declares.
local function read(path, given, chunk)
  declared = { feeds = {}, exchanges = {}, files = {}, data = {}, instruments = {},
               attributes = {}, calendars = {} }
  sets, asked = given, {}
  declared.params = asked
  if not chunk then
    local why
    chunk, why = source.load(path)
    if not chunk then error(why, 0) end
  end
  chunk()
  for name in pairs(sets) do
    if asked[name] == nil then
      error(string.format("%s: %s has no such parameter%s", option(name), path,
                          next(asked) and hint(name, asked) or ""), 0)
    end
  end
end

--- app.open(path, given, workers [, embedded [, chunk]]) -> table
-- Reads an app file: what `tidewire run` does first.  given: {name = text} of
-- --set; workers: how many there will be; embedded: a program is around the host,
-- and a feed; chunk: the file's function, where it is compiled.  Returns what the file
-- declared.
-- Yields: no.  Blocks: while the file's code runs.  Thread: MAIN.
-- Errors: raises the file's own, with where; for a --set that nothing asked for.
-- Units: none.
function app.open(path, given, workers, embedded, chunk)
  read(path, given, chunk)
  if embedded then
    local others = false
    for _, feed in ipairs(declared.feeds) do others = others or feed.kind ~= "timer" end
    add_feed({ name = "program", endless = others }, "program")
  end
  if #declared.feeds == 0 then
    error(path .. ": no feed: an app file names at least one"
          .. " (see `tidewire help tw.app`)", 0)
  end
  find_calendars()
  local reliable = true
  for _, feed in ipairs(declared.feeds) do
    reliable = reliable and (feed.kind == "timer" or not is_live(feed))
  end
  declared.reliable, declared.scripts = reliable, place(workers, reliable)
  return declared
end

-- The fields of both, those of `b` where both have them; nil when neither is there.
local function over(a, b)
  if not a or not b then return a or b end
  local made = {}
  for name, value in pairs(a) do made[name] = value end
  for name, value in pairs(b) do made[name] = value end
  return made
end

--- app.backtest(given) -> table
-- What a backtest takes of an app file, given.file: what it declares, but that each
-- script is there once, and of feeds only timers.  given.sets are as those of app.open;
-- given.script: the file is a script, with given.params; it is the app.  given.account
-- stands over the accounts that are declared.
-- Yields: no.  Blocks: while the file's code runs.  Thread: any.
-- Errors: as app.open; raises when there is no script.  Units: none.
function app.backtest(given)
  if given.script then
    read(given.file, {}, function()
      app.script(given.file, { params = given.params, name = given.file:match "[^/]*$" })
    end)
  else
    read(given.file, given.sets or {})
  end
  if #declared.files == 0 then error(given.file .. ": no script in this app", 0) end
  find_calendars()
  local account = given.account and trade.account("account", given.account)
  local scripts, feeds = {}, {}
  for i, file in ipairs(declared.files) do
    local o = file.options
    scripts[i] = {
      name = o.name or file.path, path = file.path,
      options = { params = o.params, symbols = o.symbols, sectors = o.sectors,
                  messages = o.messages, account = over(o.account, account),
                  accounts = declared.account },
    }
  end
  for _, feed in ipairs(declared.feeds) do
    if feed.kind == "timer" then feeds[#feeds + 1] = feed end
  end
  declared.scripts, declared.feeds = scripts, feeds
  return declared
end

return app
