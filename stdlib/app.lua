--- app: what makes up a running system: feeds, instruments, scripts.
--
-- Why: an app file is a Lua program that declares; nothing runs while it is
-- read.  What it declared is then built by the host, once, in C.
--
--     local app = require "tw.app"
--     app.sectors { tech = { "AAPL", "GOOG" } }
--     app.feed.fix { connect = app.param("fix", "127.0.0.1:9878") }
--     app.script("stats.lua", { shard = "symbol" })
--
-- app.script("theirs.lua", { trusted = false }): that script, and all that it requires,
-- has no ffi, loads no C library and no C module (package.loadlib, package.cpath) and no
-- bytecode, starts no program (os.execute, io.popen), opens no file of /proc by io.open,
-- has of debug only traceback, getinfo, getmetatable and its own functions' upvalues,
-- and none of the modules that tidewire's own are made of (tw.internal).  Methods of
-- texts, as in s:upper(), are Lua's and what is added to string, not what is replaced.
-- So it is in each new version of it, in backtests and sweeps, also in those that it runs
-- itself, and in its jobs of the pool.  In a run such scripts and their jobs share no Lua
-- state with others: the last worker is theirs, unless workers says more, so there must
-- be two, and threads of the pool have a state for each.  In a backtest all scripts of
-- an app are in one state: there all of them are so, if one is.
--
-- It is no jail.  The script reads and writes files as the user who runs the app, those
-- of the app's trusted scripts too; it trades and publishes as any other; what it sends
-- to others is theirs to judge, and a function of it that a trusted script takes and
-- calls may do there what that script may.  Modules that an embedding program gives to
-- all scripts are there as they are.

local declare = require "tw.declare"
local hint = require "tw.near".hint
local source = require "tw.internal.source"
local time_of = require "tw.internal.stat".time
local trade = require "tw.trade"

local app = { feed = require "tw.app_feed", fix = require "tw.app_fix",
              gateway = require "tw.app_gateway" }
local check, checked, fail = declare.check, declare.checked, declare.fail

local sets = {}            -- name -> text, from --set
local asked = {}           -- name -> default, of app.param

-- How the command line says a parameter: in a built program it is an option.
local function option(name, text)
  if source.app() then return "--" .. name .. (text and " " .. text or "") end
  return "--set " .. name .. (text and "=" .. text or "")
end

local function instrument(symbol)
  local list = declare.now.instruments
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

-- What app.sectors or app.weights says of a symbol, of which it has one.
local function say(what, symbol, name, value)
  local said, key = declare.now.said, name .. " " .. symbol
  if said[key] ~= nil and said[key] ~= value then
    fail(3, "%s: %s of '%s' is %s, and was said to be %s before: say it once", what,
         name, symbol, tostring(value), tostring(said[key]))
  end
  said[key], instrument(symbol)[name] = value, value
end

--- app.sectors(table)
-- {tech = {"AAPL", "GOOG"}, oil = {"BP", "XOM"}}: which symbols are in which.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when a sector is not a list of names, and for a symbol in two.
-- Units: none.
function app.sectors(table_)
  local names = {}
  for sector, symbols in pairs(check("app.sectors", table_, setmetatable({}, {
    __index = function() return "table" end }))) do
    names[#names + 1] = sector
    declare.list("app.sectors: " .. tostring(sector), symbols, "{ 'AAPL', 'GOOG' }")
    for _, symbol in ipairs(symbols) do
      if type(symbol) ~= "string" then
        fail(2, "app.sectors: %s: a name expected", sector)
      end
    end
  end
  table.sort(names)
  for _, sector in ipairs(names) do
    for _, symbol in ipairs(table_[sector]) do
      say("app.sectors", symbol, "sector", sector)
    end
  end
end

--- app.weights(table)
-- {AAPL = 0.4, BP = 0.1}: what each symbol weighs in an index.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when a weight is no finite number, or is not what was said of the symbol
-- before.
-- Units: fractions.
function app.weights(table_)
  local names = {}
  for symbol, weight in pairs(check("app.weights", table_, setmetatable({}, {
    __index = function() return "number" end }))) do
    if weight - weight ~= 0 then
      fail(2, "app.weights: the weight of '%s' is no finite number: %s", symbol, weight)
    end
    names[#names + 1] = symbol
  end
  table.sort(names)
  for _, symbol in ipairs(names) do
    say("app.weights", symbol, "weight", table_[symbol])
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
  if not declare.now.attributes[name] then
    local list = declare.now.attributes
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
-- Errors: raises for a value of the wrong type, one that can't be or is not what was said
-- of the symbol before, and a name that looks like a typing error of one of those above.
-- Units: prices and sizes.
function app.instruments(list)
  declare.list("app.instruments", list, "{ { symbol = 'AAPL' } }")
  for i, one in ipairs(list) do
    local what = "app.instruments[" .. i .. "]"
    local own, given = {}, {}
    for name, value in pairs(type(one) == "table" and one or {}) do
      if of_instrument[name] then given[name] = value else own[#own + 1] = name end
    end
    check(what, type(one) == "table" and given or one, of_instrument)
    if not one.symbol or one.symbol == "" then fail(2, "%s: no symbol", what) end
    if one.symbol:find "%c" then
      fail(2, "%s: the symbol %q has a control character", what, one.symbol)
    end
    if one.currency then checked(trade.currency, what, one.currency) end
    if one.weight and one.weight - one.weight ~= 0 then
      fail(2, "%s: weight must be a finite number, got %s", what, one.weight)
    end
    for _, name in ipairs { "multiplier", "margin", "tick_size", "lot_size" } do
      local x, least = one[name], name == "multiplier" and "above 0" or "0 or more"
      if x and not (x >= 1e-9 and x < 9e9 or x == 0 and least == "0 or more") then
        fail(2, "%s: %s must be %s, %s, got %s", what, name, least,
             "of nine decimals and below 9e9", x)
      end
    end
    table.sort(own, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(own) do given[name] = attribute(what, name, one[name]) end
    local into, names = instrument(one.symbol), {}
    for name in pairs(given) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
      local before, value = into[name], given[name]
      local is_last = name == "weight" or name == "sector"    -- over app.weights, sectors
      if before ~= nil and before ~= value and not is_last then
        fail(2, "%s: %s of '%s' is %s, and was said to be %s before: say it once", what,
             name, one.symbol, tostring(value), tostring(before))
      end
      into[name] = value
    end
  end
end

--- (internal) app.check_instruments(list) -> table, table
-- What app.instruments would declare, outside of an app file: the instruments, and the
-- names of their attributes.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: as app.instruments.
-- Units: prices and sizes.
function app.check_instruments(list)
  local before, made = rawget(declare, "now"), { instruments = {}, attributes = {} }
  declare.now = made
  local fine, why = pcall(app.instruments, list)
  declare.now = before
  if not fine then error(why, 0) end
  return made.instruments, made.attributes
end

--- (internal) app.check_feed(kind, options) -> table
-- What app.feed[kind](options) would declare, outside of an app file.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: as of that function.  Units: as there.
function app.check_feed(kind, options)
  local before, made, f = rawget(declare, "now"), { feeds = {} }, app.feed[kind]
  declare.now = made
  local fine, why = pcall(f, options)
  declare.now = before
  if not fine then error(why, 0) end
  return made.feeds[1]
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
  for name, kind in pairs(declare.MARKET) do types[name] = kind end
  local list = declare.now.exchanges
  options = check("app.exchange", options or {}, types)
  declare.ranges("app.exchange", options, { port = { 0, 65535 } })
  list[#list + 1] = declare.ranges("app.exchange", options, declare.MARKET_RANGES)
  return { exchange = #list }
end

--- app.script(path, options)
-- Runs a script; path is relative to the app file.  Options: shard = "symbol"
-- (one instance per worker, symbols split between them), workers = {0, 1} (which
-- ones; default: the least busy, or all when sharded), params (a table, self.params
-- in the script), symbols, sectors, messages, sources (feeds), sessions (of FIX; lists of
-- names or patterns: what it gets), on_error = "stop" (the run ends; the default) or
-- "restart", restarts (how often; default 5), reliable (the tape waits for it; default:
-- when no feed is live), name, account (see app.account), trusted (false: no ffi and
-- what is like it; see tidewire help app).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: none.
function app.script(path, options)
  if type(path) ~= "string" then
    fail(2, "app.script: a path expected, got a %s", type(path))
  end
  options = check("app.script", options or {}, {
    shard = "string", workers = "table", params = "table", symbols = "table|string",
    sectors = "table|string", messages = "table|string", sources = "table|string",
    sessions = "table|string", on_error = "string",
    restarts = "number", reliable = "boolean", name = "string", account = "table",
    trusted = "boolean",
  })
  declare.ranges("app.script", options, { restarts = { 0, 1 << 31 } })
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
  declare.now.files[#declare.now.files + 1] = { path = path, options = options }
end

--- app.account(options)
-- The account of each script that trades; app.script(path, {account = {...}}) and the
-- field account of a script's own table say it for one, field by field.  currency
-- ("USD"), cash (100,000), fees, fill (the model by which orders trade), latency,
-- slippage, volume_share, seed, limits, rates, gateway, account: see tidewire help
-- trading.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.
-- Units: cash: the currency; latency: seconds.
function app.account(options)
  declare.now.account = checked(trade.account, "app.account", options)
end

--- app.risk(options)
-- Limits of all scripts together, beside those of each account: of an order
-- order_quantity, order_value and collar; position (of an instrument, the net of all,
-- with all that is open), open_orders, orders (in a second of event time), daily_loss;
-- self_match = true: no order goes out that could trade with one of a script whose orders
-- go to the same gateway.  An order beyond them is rejected, with the reason.  currency
-- is that of order_value and daily_loss ("USD", or what app.account says).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.
-- Units: as in tidewire help trading.
function app.risk(options)
  declare.now.risk = checked(trade.risk, options)
end

--- app.book(options)
-- The book in which the scripts of fill = "book" meet: levels (default 0): so many of
-- each side go on the tape whenever one changes, for on_book, on_level and tw.book,
-- recordings and peers of FIX sessions with market = true.  See tidewire help books.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.
-- Units: levels: 0 to 100.
function app.book(options)
  options = check("app.book", options, { levels = "number" })
  declare.now.venue = declare.ranges("app.book", options, { levels = { 0, 100 } })
end

--- app.calendar(name, options)
-- When a market is open, for `calendar` of app.instruments: zone ("America/New_York";
-- default UTC), open, close ("09:30", "16:00"; default all day), days ("mon-fri"),
-- holidays ({"2013-12-25"}), early ({["2013-11-29"] = "13:00"}: an early close).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.  Units: none.
function app.calendar(name, options)
  if type(name) ~= "string" then
    fail(2, "app.calendar: a name comes first, as in app.calendar('nyse', { ... }); got"
         .. " %s", type(name) == "table" and "a table" or tostring(name))
  end
  local list = declare.now.calendars
  for _, one in ipairs(list) do
    if one.name == name then fail(2, "app.calendar '%s' is there twice", name) end
  end
  list[#list + 1] = checked(trade.calendar, name, options)
end

--- app.files(list)
-- {"data/*.csv", "lib/late.lua"}: what `tidewire build` puts into the program besides the
-- app file, its scripts and the modules that they require; names or patterns as of the
-- shell, relative to the app file.  tw.file reads them.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when it is not a list of names.  Units: none.
function app.files(list)
  declare.list("app.files", list, "{ 'limits.csv' }")
  for _, name in ipairs(check("app.files", list, setmetatable({}, {
    __index = function() return "string" end }))) do
    declare.now.data[#declare.now.data + 1] = name
  end
end

--- app.tape(options)
-- capacity: how many records the tape holds at least: the next power of two (default
-- 2^20: 64 MiB).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when capacity is not an integer in 16 .. 2^28.  Units: records.
function app.tape(options)
  local capacity = check("app.tape", options, { capacity = "number" }).capacity
  if math.type(capacity) ~= "integer" or capacity < 16 or capacity > 1 << 28 then
    fail(2, "app.tape: capacity must be an integer in 16 .. 2^28, got %s",
         tostring(capacity))
  end
  declare.now.capacity = capacity
end

--- app.limits(options)
-- time: how long one handler may run, of the processor's time, before its script is
-- stopped (default 1, in a backtest 60; 0: for ever); memory: how much one Lua state may
-- take, its orders and what a backtest keeps of them too (default 1 GiB; 0: all).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for a limit below 0 or above 1e9.  Units: seconds; MiB.
function app.limits(options)
  check("app.limits", options, { time = "number", memory = "number" })
  for name, value in pairs(options) do
    if not (value >= 0 and value < 1e9) then
      fail(2, "app.limits: %s must be from 0 to 1e9, got %s", name, value)
    end
    declare.now[name] = value
  end
end

--- app.pool(options)
-- The background threads of tw.pool: threads (1 to 256; default: one for each processor),
-- queue (jobs that may wait; default 65,536), memory (of a state; default: as
-- app.limits).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there, or can't be.  Units: MiB.
function app.pool(options)
  options = check("app.pool", options, { threads = "number", queue = "number",
                                         memory = "number" })
  declare.now.pool = declare.ranges("app.pool", options, {
    threads = { 1, 256 }, queue = { 1, 1 << 31 }, memory = { 0.1, 1e9 } })
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
  options = check("app.reload", options, { watch = "boolean", deadline = "number",
    warm = "number|string|boolean", shadow = "number|table" })
  if options.deadline and not (options.deadline > 0 and options.deadline < 1e9) then
    fail(2, "app.reload: deadline must be above 0 and below 1e9, got %s",
         options.deadline)
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
  declare.now.reload = options
end

--- app.on_feed(f)
-- f(name, state, why) is called when a feed becomes "live", "waiting" (between
-- two tries to connect), "ended" or "failed".
-- Yields: no.  Blocks: no.  Thread: the app file; f: MAIN, outside every script.
-- Errors: raises when f is not a function; an error in f ends the run.  Units: none.
function app.on_feed(f)
  if type(f) ~= "function" then fail(2, "app.on_feed: a function expected") end
  declare.now.on_feed = f
end

--- app.on_end(f)
-- f(status) is called after the last script's on_stop, with what the summary
-- shows (tw.monitor); when f returns true, no summary is printed.
-- Yields: no.  Blocks: no.  Thread: the app file; f: MAIN, after every script.
-- Errors: raises when f is not a function; an error in f makes the status 1.
-- Units: none.
function app.on_end(f)
  if type(f) ~= "function" then fail(2, "app.on_end: a function expected") end
  declare.now.on_end = f
end

--- app.screen(options)
-- What the live screen and the plain lines show beside the host's own figures:
-- title, and board, the names (or patterns as of the shell's *) on the board.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there.  Units: none.
function app.screen(options)
  declare.now.screen = check("app.screen", options, { title = "string", board = "table" })
end

-- Instruments say their calendar by name; C finds it by its place.
local function find_calendars()
  local declared = declare.now
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

-- The names of those that were declared, as keys.
local function gateways_of(declared)
  local made = {}
  for _, session in ipairs(declared.fix.sessions) do
    if session.gateway then made[session.name] = true end
  end
  return made
end

-- Of scripts that are trusted (true) and others (false): the first worker of theirs, and
-- the last.
local function sides(workers)
  local kinds = {}
  for _, file in ipairs(declare.now.files) do
    kinds[file.options.trusted ~= false] = true
  end
  local mixed = kinds[true] and kinds[false]
  if mixed and workers < 2 then
    error("app.script: scripts that are trusted and others need a worker each, and there"
          .. " is one: say --workers 2", 0)
  end
  return { [true] = { 0, mixed and workers - 2 or workers - 1 },
           [false] = { mixed and workers - 1 or 0, workers - 1 } }
end

-- Gives every instance of every script its worker, the least busy first.
local function place(workers, reliable)
  local declared = declare.now
  local load, kind, scripts, side = {}, {}, {}, sides(workers)
  for w = 0, workers - 1 do load[w] = 0 end

  local function least(first, last)
    local best = first
    for w = first + 1, last do
      if load[w] < load[best] then best = w end
    end
    return best
  end

  local gateways = gateways_of(declared)
  for _, file in ipairs(declared.files) do
    local o = file.options
    local on, trusted = o.workers, o.trusted ~= false
    local first, last = table.unpack(side[trusted])
    if not on and o.shard then
      on = {}
      for w = first, last do on[#on + 1] = w end
    end
    on = on or { least(first, last) }
    for i, w in ipairs(on) do
      if w >= workers then
        error(string.format("app.script: %s: worker %d of %d (0 .. %d)", file.path, w,
                            workers, workers - 1), 0)
      end
      if kind[w] == not trusted then
        error(string.format("app.script: %s: worker %d has scripts that are %strusted",
                            file.path, w, trusted and "not " or ""), 0)
      end
      kind[w] = trusted
      load[w] = load[w] + 1 / (o.shard and #on or 1)
      scripts[#scripts + 1] = {
        name = o.name or file.path, path = file.path, worker = w,
        shard = i - 1, shards = o.shard and #on or 0,
        reliable = o.reliable == nil and reliable or o.reliable or false,
        restarts = o.on_error == "restart" and (o.restarts or 5) or 0,
        options = { params = o.params, symbols = o.symbols, sectors = o.sectors,
                    messages = o.messages, sources = o.sources,
                    sessions = o.sessions, account = o.account,
                    accounts = declared.account, gateways = gateways,
                    distrusted = not trusted or nil },
      }
    end
  end
  return scripts
end

local function is_live(feed)
  return feed.kind == "connect" or feed.kind == "listen"
      or (feed.speed or (feed.kind == "synthetic" and 1 or 0)) > 0
end

-- Runs the file, which declares; what it returned.
local function read(path, given, chunk)
  declare.now = { feeds = {}, places = {}, exchanges = {}, files = {}, data = {},
                  instruments = {}, attributes = {}, calendars = {}, warnings = {},
                  said = {},
                  fix = { names = {}, sessions = {}, doors = {}, places = {} } }
  sets, asked = given, {}
  declare.now.params = asked
  if not chunk then
    local why
    chunk, why = source.load(path)
    if not chunk then error(why, 0) end
  end
  local returned = chunk()
  for name in pairs(sets) do
    if asked[name] == nil then
      error(string.format("%s: %s has no such parameter%s", option(name), path,
                          hint(name, asked)), 0)
    end
  end
  return returned
end

--- (internal) app.open(path, given, workers [, embedded [, chunk]]) -> table
-- Reads an app file: what `tidewire run` does first.  given: {name = text} of
-- --set; workers: how many there will be; embedded: a program is around the host,
-- and a feed; chunk: the file's function, where it is compiled.  Returns what the file
-- declared.
-- Yields: no.  Blocks: while the file's code runs.  Thread: MAIN.
-- Errors: raises the file's own, with where; for a --set that nothing asked for.
-- Units: none.
function app.open(path, given, workers, embedded, chunk)
  local returned = read(path, given, chunk)
  local declared = declare.now
  if embedded then
    local others = false
    for _, feed in ipairs(declared.feeds) do others = others or feed.kind ~= "timer" end
    declare.feed({ name = "program", endless = others }, "program")
  end
  declared.fix.is_used = declared.fix.is_open
    or #declared.fix.sessions + #declared.fix.doors > 0
  if #declared.feeds == 0 and not declared.fix.is_used then
    error(path .. (type(returned) == "table"
            and ": it is a script: an app file names it, and a feed"
            or ": no feed: an app file names at least one")
          .. " (see `tidewire help tw.app`)", 0)
  end
  find_calendars()
  local reliable = #declared.feeds > 0
  for _, feed in ipairs(declared.feeds) do
    reliable = reliable and (feed.kind == "timer" or not is_live(feed))
  end
  declared.reliable, declared.scripts = reliable, place(workers, reliable)
  declared.book = declared.orders or trade.is_met(declared.account)
  for _, script in ipairs(declared.scripts) do
    declared.book = declared.book or trade.is_met(script.options.account)
  end
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

-- Files of the modules that an app file has required.
local function modules()
  local paths = {}
  for name in pairs(package.loaded) do
    paths[#paths + 1] = package.searchpath(name, package.path)
  end
  table.sort(paths)
  return paths
end

-- What a backtest takes of what was declared; files: of modules.
local function reduced(given, files)
  local declared = declare.now
  if #declared.files == 0 then error(given.file .. ": no script in this app", 0) end
  find_calendars()
  local account = given.account and trade.account("account", given.account)
  local scripts, feeds = {}, {}
  for i, file in ipairs(declared.files) do
    local o = file.options
    scripts[i] = {
      name = o.name or file.path, path = file.path,
      options = { params = o.params, symbols = o.symbols, sectors = o.sectors,
                  messages = o.messages, sources = o.sources, sessions = o.sessions,
                  account = over(o.account, account),
                  accounts = declared.account,
                  gateways = not given.script and gateways_of(declared) or nil,
                  distrusted = o.trusted == false or nil },
    }
  end
  for _, feed in ipairs(declared.feeds) do
    if feed.kind == "timer" then feeds[#feeds + 1] = feed end
  end
  declared.scripts, declared.feeds, declared.modules = scripts, feeds, files
  return declared
end

local function read_script(given)
  read(given.file, {}, function()
    app.script(given.file, { params = given.params, name = given.file:match "[^/]*$" })
  end)
  return reduced(given, {})
end

--- (internal) app.backtest(given) -> table
-- What a backtest takes of an app file, given.file: what it declares, but that each
-- script is there once, and of feeds only timers.  given.sets are as those of app.open;
-- given.script: the file is a script, with given.params; it is the app, and may be asked
-- for where another app is.  given.account stands over the accounts that are declared.
-- Yields: no.  Blocks: while the file's code runs.  Thread: any.
-- Errors: as app.open; raises when there is no script.  Units: none.
function app.backtest(given)
  if not given.script then
    read(given.file, given.sets or {})
    return reduced(given, modules())
  end
  local before, texts, names = rawget(declare, "now"), sets, asked
  local fine, made = pcall(read_script, given)
  declare.now, sets, asked = before, texts, names
  if not fine then error(made, 0) end
  return made
end

-- A name that none of them has is an error, with the one that was meant.
local function spelled(name, t)
  return setmetatable(t, { __index = function(_, field)
    error(("there is no %s.%s%s"):format(name, tostring(field), hint(field, t)), 2)
  end })
end

for _, name in ipairs { "feed", "fix", "gateway" } do
  spelled("app." .. name, app[name])
end
return spelled("app", app)
