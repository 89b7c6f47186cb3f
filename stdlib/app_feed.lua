--- app_feed: tw.app.feed: where records come from.

local declare = require "tw.declare"
local time_of = require "tw.internal.stat".time

local feed = {}
local address, check, fail = declare.address, declare.check, declare.fail

-- A file is given by either name.
local function either(options, name, other)
  if type(options) ~= "table" or options[name] ~= nil then return options end
  local own = {}
  for key, value in pairs(options) do own[key == other and name or key] = value end
  return own
end

-- Of feeds that are played; base and price_scale are of text.
local PLAYED <const> = {
  speed = { 0.0, 1e9 }, limit = { 0, math.maxinteger },
  base = { math.mininteger, math.maxinteger }, price_scale = { 1, 1000000000 },
}

-- from and to, as numbers, are ns.
local function check_times(what, options)
  for _, name in ipairs { "from", "to" } do
    local x = options[name]
    if type(x) == "number" and not math.tointeger(x) then
      fail(3, "%s: %s must be a date or whole ns, got %s", what, name, x)
    end
  end
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
  declare.feed(options, way, format)
end

-- Options of a feed over a session; the others are the session's.
local MARKET = {
  subscribe = "table", depth = "number", incremental = "boolean", batch = "number",
  levels = "number", quotes = "boolean", trades = "boolean", limit = "number",
  states = "boolean", security_id_source = "string", instruments = "table",
}

local MARKET_RANGES = { depth = { 0, 1 << 31 }, batch = { 0, 1000 },
                        levels = { 0, 1 << 20 }, limit = { 0, math.maxinteger } }

-- Market data that is subscribed over a FIX session of its own.  A tail call: errors are
-- said where the app file called.
local function add_session(what, options)
  local session, market = {}, {}
  for name, value in pairs(options) do
    if MARKET[name] then market[name] = value else session[name] = value end
  end
  check(what, market, MARKET)
  if not market.subscribe or #market.subscribe == 0 then
    fail(2, "%s: subscribe: a list of symbols is needed", what)
  end
  declare.subscribe(what, market.subscribe)
  market.instruments = declare.instruments(what, market.instruments)
  declare.id_source(what, market.security_id_source)
  if market.security_id_source and market.quotes then
    fail(2, "%s: security_id_source is for 35=V, not for quotes", what)
  end
  declare.ranges(what, market, MARKET_RANGES)
  if not declare.now.fix then
    fail(2, "%s: a session is declared in the app file", what)
  end
  if session.session then
    local name = session.session
    local other = next(session, next(session) == "session" and "session" or nil)
    if other then fail(2, "%s: session '%s' has its own %s", what, name, other) end
    require "tw.app_fix".use(what, name, "feed", market)
    market.name, market.no_trades = name, market.trades == false
    declare.feed(market, "fix", "fix")
    return
  end
  local fine, name = pcall(require "tw.app_fix".session, session)
  if not fine then
    fail(2, "%s", (tostring(name):gsub("^[^:]*:%d+: ", "")
                                 :gsub("app%.fix%.session", "app.feed.fix")))
  end
  local sessions = declare.now.fix.sessions
  market.name, market.no_trades = name, market.trades == false
  sessions[#sessions].feed = market
  sessions[#sessions].what = ("app.feed.fix '%s'"):format(name)
  declare.feed(market, "fix", "fix")
end

--- app.feed.fix(options)
-- Market data in FIX (35=W, X and S; versions 4.0 to 5.0SP2): from a TCP
-- connection (connect = "host:port"), from any that connect (listen = port), from
-- a file or from standard input (stdin = true).  A file flows as fast as scripts
-- read (speed = 0), or as its own times say (speed = 1).  limit: ends after so
-- many records.
--
-- Or over a session, where subscribe is a list of symbols: the other options are then
-- those of app.fix.session, or session (the name of one that is declared above, by
-- app.gateway.fix too), and depth (levels of a side; default 0: all there are),
-- incremental (true: changes; else the book again and again), batch (symbols of a
-- request; default 1), trades (false: none), quotes (true: asks for 35=S and i by 35=R),
-- states (true: asks whether the symbols and the market trade, by 35=e and g),
-- security_id_source ("8": symbols are SecurityIDs (48) of that source (22), in place of
-- Symbol), instruments (what the venue calls a symbol, and what tells it apart, as of
-- app.gateway.fix, whose table it is where both have one session), levels (that are kept
-- of a side; default 1024).  The best bid and offer become quotes, and unless depth is 1
-- the levels become records: see `tidewire help books`.  Where something was missed there
-- is a gap and books are asked for again, as after each logon; symbols that the peer
-- refuses are told in the log.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: speed: times real time.
function feed.fix(options)
  if type(options) == "table" and (options.subscribe or options.sender) then
    return add_session("app.feed.fix", options)
  end
  options = check("app.feed.fix", either(options, "file", "path"), {
    name = "string", connect = "string|table", listen = "number|string", file = "string",
    stdin = "boolean", speed = "number", limit = "number",
  })
  declare.ranges("app.feed.fix", options, PLAYED)
  add_stream("app.feed.fix", options, "fix")
end

--- app.feed.csv(options)
-- Quotes, trades and bars from text:
--   file (or path)   plain, .gz or .zip (member = a pattern); or stdin, connect or
--                    listen, as of app.feed.fix
--   columns          "time,symbol,bid,ask,-,bid_size"; default: the first line has them.
--                    Rows with open, high, low, close and volume (also bid_open, ...,
--                    ask_close: two bars) are bars
--   preset           "lean": the path of one of LEAN's files says all of it
--   interval         the length of bars, "1d", "5m"; default a day, where times are dates
--   label            what the times of bars are of: "start" (the default) or "end"; on
--                    the tape the time of a bar is its end
--   zone             "America/New_York": of times that don't name theirs; default UTC
--   time             "ns", "us", "ms", "s" or "iso"; default: by the look of the first
--   symbol           for files without that column; default: the name of the file, up to
--                    its first dot
--   separator        of columns; default: a comma
--   price_scale      what prices are divided by
--   factors          a factor file of LEAN's: what prices are then multiplied by
--   base             added to each time
--   from, to         only records of from <= time < to, ns or a date; a bar of a day is
--                    of that day
--   speed, limit     as of app.feed.fix
-- A number has up to nine decimals, and may have an exponent (1.25e-05).  More decimals
-- are refused, unless they are what a double has left of it (0.30000000000000004).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: base: nanoseconds; speed: times real time.
function feed.csv(options)
  options = check("app.feed.csv", either(options, "file", "path"), {
    name = "string", file = "string", stdin = "boolean", member = "string",
    columns = "string", preset = "string", symbol = "string", time = "string",
    interval = "string|number", label = "string", zone = "string", factors = "string",
    from = "number|string", to = "number|string",
    base = "number", price_scale = "number", separator = "string", speed = "number",
    limit = "number", connect = "string|table", listen = "number|string",
  })
  declare.ranges("app.feed.csv", options, PLAYED)
  check_times("app.feed.csv", options)
  if options.separator and #options.separator ~= 1 then
    fail(2, "app.feed.csv: separator must be one character, got '%s'", options.separator)
  end
  if options.symbol and (options.symbol == "" or #options.symbol > 63) then
    fail(2, "app.feed.csv: symbol must be a text of 1 to 63 bytes, got '%s'",
         options.symbol)
  end
  if options.interval then
    local seconds = options.interval
    if type(seconds) == "string" then
      local ns = time_of(seconds)
      seconds = ns and ns / 1e9 or tonumber(seconds)     -- "60", as --csv has it
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
-- Plays a tape file (path, or file), as it was recorded or converted: as fast as
-- scripts read (speed = 0), or as its own times say (speed = 1).  from, to: only
-- records of from <= time < to, ns or a date ("2024-05-07T14:30").  messages = true:
-- what scripts sent each other then, too; what they send now comes nowhere, so that
-- each gets exactly what it got.  A script does not get its own back: those of scripts
-- of its name.  skip_damaged = true: a damaged block is a warning, not the end.  limit:
-- ends after so many records.  Messages of FIX sessions are read by the dictionaries
-- that they had then, which the file names (version, and paths of files); dictionary
-- says another for all of them: a version ("FIX.5.0SP2"), a path, or a list of both.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: speed: times real time.
function feed.tape(options)
  options = check("app.feed.tape", either(options, "path", "file"), {
    name = "string", path = "string", speed = "number", from = "number|string",
    to = "number|string", messages = "boolean", skip_damaged = "boolean",
    limit = "number", dictionary = "string|table",
  })
  if not options.path then fail(2, "app.feed.tape: no path") end
  declare.ranges("app.feed.tape", options, PLAYED)
  check_times("app.feed.tape", options)
  options.spelling = declare.spelling("app.feed.tape", options.dictionary)
  options.name = options.name or options.path:match "[^/]*$"
  declare.feed(options, "tape")
end

--- app.feed.synthetic(options)
-- A made-up market, the same for the same seed: correlated random walks of AAPL
-- and GOOG (tech), BP and XOM (oil), or of symbols = n made-up names.  rate:
-- records a second; trades: their share; speed: 1 in real time, 0 as fast as
-- scripts read; limit: ends after so many.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or of the wrong type.
-- Units: records a second.
function feed.synthetic(options)
  options = check("app.feed.synthetic", options or {}, declare.MARKET)
  declare.feed(declare.ranges("app.feed.synthetic", options, declare.MARKET_RANGES),
               "synthetic")
end

--- app.feed.timer(options)
-- Puts a timer mark on the tape every so many seconds: on_timer(interval, count)
-- in every script that has one, at one place among the quotes.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises when every is missing or not positive.  Units: every: seconds.
function feed.timer(options)
  options = check("app.feed.timer", options, { name = "string", every = "number" })
  if not options.every or not (options.every >= 1e-9 and options.every < 1e9) then
    fail(2, "app.feed.timer: every must be a positive number of seconds, got %s",
         tostring(options.every))
  end
  declare.feed(options, "timer")
end

return feed
