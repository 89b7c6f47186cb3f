--- app_fix: tw.app.fix: FIX sessions, either side of them.
--
--     app.fix.session { name = "broker", host = "fix.broker.com", port = 5001,
--                       version = "FIX.4.4", sender = "ME", target = "BROKER" }
--
-- A script hears of them by on_fix and on_fix_event and sends with tw.fix.send: see
-- `tidewire help sessions`.  Orders go by app.gateway.fix.  Here everything is checked
-- that needs no dictionary.

local declare = require "tw.declare"
local hours = require "tw.hours"

local fix = {}
local check, fail = declare.check, declare.fail

local LINKS_MAX <const> = 4096           -- TW_FIX_LINKS_MAX
-- Of lua/fix/fix.c.
local HOSTS_MAX <const>, TAKE_MAX <const>, TEMPLATES_MAX <const> = 16, 256, 16

local VERSIONS = { "FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIX.5.0",
                   "FIX.5.0SP1", "FIX.5.0SP2" }
local IS_VERSION = {}
for _, version in ipairs(VERSIONS) do IS_VERSION[version] = true end

-- Bits of host/fix/check.h.
local CHECKS = { fields_out_of_order = 1, have_values = 2, user_defined = 4,
                 unordered_groups = 8, unknown_fields = 16, required = 32, values = 64 }
local VALIDATE = { off = 0, lenient = 1 | 2 | 32 | 64, strict = 1 | 2 | 4 | 16 | 32 | 64 }

local COMMON = {
  name = "string", version = "string", sender = "string", target = "string",
  sender_sub = "string", sender_location = "string", target_sub = "string",
  target_location = "string", dictionary = "string|table", validate = "string|table",
  store = "string", store_size = "number", sync = "string|number", log = "string",
  schedule = "table", take = "table|boolean", hold = "boolean", queue = "number",
  enabled = "boolean", market = "boolean", reset_on_logon = "boolean",
  reset_on_logout = "boolean", reset_on_disconnect = "boolean", persist = "boolean",
  check_comp_id = "boolean",
  latency = "number|boolean", next_expected = "boolean", last_processed = "boolean",
  resend_chunk = "number", resend_rate = "number", logon_timeout = "number",
  logout_timeout = "number", precision = "number", message_size = "number",
  orders = "boolean", log_size = "number", log_files = "number", transport = "string",
  applications = "table",
}
local SIZE <const>, COUNT <const> = { 1024, 1 << 40 }, { 0, 1 << 40 }
local SECONDS <const> = { 1, 1000000 }
local RANGES = { sync = { 0.001, 1e6 }, latency = SECONDS, logon_timeout = SECONDS,
                 logout_timeout = SECONDS, resend_chunk = COUNT, resend_rate = COUNT,
                 log_size = { 1 << 16, 1 << 40 }, log_files = { 1, 1000 },
                 store_size = SIZE, queue = SIZE, message_size = SIZE }
local INITIATOR = { host = "string", port = "number", hosts = "table", logon = "table",
                    heartbeat = "number", retry = "number|table", tls = "table|boolean",
                    loopback = "boolean", hold_logon = "boolean" }
local ACCEPTOR = { host = "string", port = "number", sessions = "table",
                   template = "table", tls = "table", connections = "number",
                   session_limit = "number", logon_timeout = "number" }
local TLS = { certificate = "string", key = "string", ca = "string", ca_folder = "string",
              crl = "string", name = "string", ask = "boolean", only_13 = "boolean",
              ciphers = "string", suites = "string" }
for name, kind in pairs(COMMON) do INITIATOR[name] = kind end
local OF_PORTS = { connections = "number", session_limit = "number" }
local CONFIG = {}                        -- options of app.fix.config
for _, of in ipairs { INITIATOR, OF_PORTS } do
  for name, kind in pairs(of) do CONFIG[name] = kind end
end

-- What is said to be "" is neither there nor left out.
local function full(what, o)
  for name, value in pairs(o) do
    if value == "" then fail(4, "%s: %s is empty: leave it out", what, name) end
  end
end

local function schedule_of(what, o)
  what = what .. ": schedule"
  check(what, o, { zone = "string", open = "string", close = "string", days = "string",
                   open_day = "string", close_day = "string", reset = "string" })
  full(what, o)
  if not o.open ~= not o.close then fail(4, "%s: open and close go together", what) end
  if not o.open_day ~= not o.close_day then
    fail(4, "%s: open_day and close_day go together", what)
  end
  if o.open_day and (o.days or not o.open) then
    fail(4, "%s: open_day and close_day need open and close, and no days", what)
  end
  local function read(name, f, like, without)
    if o[name] == nil then return without end
    return f(o[name], "sun")
      or fail(5, "%s: %s must be %s, got %s", what, name, like, o[name])
  end
  local time, day = "a time like '09:30'", "a day like 'mon'"
  return {
    zone = o.zone, non_stop = not o.open and not o.days,
    open = read("open", hours.time, time, 0), close = read("close", hours.time, time, 0),
    days = read("days", hours.days, "days like 'mon-fri'", 0),
    open_day = read("open_day", hours.day, day, -1),
    close_day = read("close_day", hours.day, day, -1),
    reset = read("reset", hours.time, time, -1),
  }
end

local function validate_of(what, x)
  if x == nil then x = "strict" end
  if type(x) == "string" then
    return VALIDATE[x] or fail(4, "%s: validate must be \"strict\", \"lenient\", \"off\""
                               .. " or a table, got '%s'", what, x)
  end
  local types = {}
  for name in pairs(CHECKS) do types[name] = "boolean" end
  check(what .. ": validate", x, types)
  local bits = VALIDATE.strict
  for name, on in pairs(x) do
    bits = on and bits | CHECKS[name] or bits & ~CHECKS[name]
  end
  return bits
end

-- What is in XML there: "FIX", "FIXT" (the session alone) or nothing.
local function xml_of(path)
  local file <close> = io.open(path, "rb")
  local text = file and file:read(1024) or ""
  if not text:find "^[\xef\xbb\xbf%s]*<" then return nil end
  return text:find "<fix%s[^>]*type=['\"]FIXT['\"]" and "FIXT" or "FIX"
end

local function texts(what, name, x)
  local list = type(x) == "string" and { x } or x or {}
  for i, text in ipairs(list) do
    if type(text) ~= "string" or text == "" then
      fail(4, "%s: %s[%d] is no text: %s", what, name, i, tostring(text))
    end
  end
  for i in pairs(list) do
    if math.type(i) ~= "integer" or i < 1 or i > #list then
      fail(4, "%s: %s is a list of texts, got the key '%s'", what, name, tostring(i))
    end
  end
  return list
end

-- Messages of the session never come to on_fix.
local function applications_of(what, list)
  if #list > TAKE_MAX then
    fail(4, "%s: take: more than %d types: true takes all", what, TAKE_MAX)
  end
  for i, code in ipairs(list) do
    if code:find "^[0-5A]$" then
      fail(4, "%s: take[%d]: '%s' is a message of the session, of which on_fix_event"
           .. " tells: no on_fix gets it", what, i, code)
    end
  end
  return list
end

-- A dictionary, as C has it: a version, and a file in each line.  One that has a file in
-- XML is no more than its files; "=" before a version: that is theirs.
local function lines_of(first, paths)
  local lines = { first }
  for _, path in ipairs(paths) do
    lines[#lines + 1] = path:sub(1, 1) == "+" and "./" .. path or path
  end
  return table.concat(lines, "\n")
end

-- The dictionaries of a session, and the types of messages that have another version than
-- the session's.
local function versions_of(what, o, version)
  local own = texts(what, "dictionary", o.dictionary)
  local fixt, xml, transport = o.transport or version >= "FIX.5", false, nil
  if o.transport and o.transport ~= "FIXT.1.1" then
    fail(4, "%s: transport must be \"FIXT.1.1\", got '%s'", what, o.transport)
  end
  for _, path in ipairs(own) do
    local kind = xml_of(path)
    xml = xml or kind ~= nil
    if kind == "FIXT" then transport = path end
  end
  local plus = o.transport and version < "FIX.5" and "+" or ""
  local is_of = o.version and "=" .. version or "XML"
  local parts = { lines_of(xml and plus == "" and is_of or plus .. version, own) }
  local there, typed, types = { [version] = true }, {}, {}
  for i, x in ipairs(o.applications or {}) do
    local what_i = ("%s: applications[%d]"):format(what, i)
    local one = type(x) == "string" and { version = x } or x
    check(what_i, one, { version = "string", dictionary = "string|table",
                         default_for = "table" })
    if not IS_VERSION[one.version] then
      fail(4, "%s: no version '%s'; there are %s", what_i, tostring(one.version),
           table.concat(VERSIONS, ", "))
    end
    if not fixt then
      fail(4, "%s: messages of several versions come over FIXT.1.1: version must be"
           .. " FIX.5.0 or later, or transport = \"FIXT.1.1\"", what_i)
    end
    if there[one.version] then fail(4, "%s: %s is there twice", what_i, one.version) end
    there[one.version] = true
    local paths, whole = {}, false
    for k, path in ipairs(texts(what_i, "dictionary", one.dictionary)) do
      local kind = xml_of(path)
      whole = whole or kind == "FIX"
      paths[k] = path
      if kind == "FIXT" then transport = nil end
    end
    if whole and transport then paths[#paths + 1] = transport end
    parts[#parts + 1] = lines_of("+" .. one.version, paths)
    for _, code in ipairs(texts(what_i, "default_for", one.default_for)) do
      if #code > 7 or code:find "[^%w]" then
        fail(4, "%s: default_for: a MsgType such as 'D' expected, got '%s'", what_i, code)
      end
      if types[code] then
        fail(4, "%s: default_for: %s is another's already", what_i, code)
      end
      types[code] = true
      typed[#typed + 1] = { code = code, version = one.version }
    end
  end
  if #typed > 256 then fail(4, "%s: default_for: more than 256 types", what) end
  return table.concat(parts, "\n"), typed
end

-- 49 and 56 and the like: they are in every message, and in names of files.
local function check_ids(what, o)
  for _, name in ipairs { "sender", "target", "sender_sub", "target_sub",
                          "sender_location", "target_location" } do
    local id = o[name]
    if id and (#id < 1 or #id > 63 or id:find "[%c]") then
      fail(4, "%s: %s must be a text of 1 to 63 bytes without control characters,"
           .. " got '%s'", what, name, (id:gsub("%c", "?")))
    end
  end
  if not o.sender or not o.target then
    fail(4, "%s: %s is missing", what, o.sender and "target" or "sender")
  end
end

-- What both sides have, of a table of our own; what this gives is for C.
local function session_of(what, o, others)
  check_ids(what, o)
  o.name = o.name or o.target
  if not o.name:find "^[%w%-_.:]+$" or #o.name > 53 then
    fail(3, "%s: name must be 1 to 53 letters, digits and -_.:, got '%s'", what, o.name)
  end
  what = ("%s '%s'"):format(what, o.name)
  if others[o.name] then fail(3, "%s: another session is called so", what) end
  full(what, o)
  local version = o.version or "FIX.4.4"
  if not IS_VERSION[version] then
    fail(3, "%s: no version '%s'; there are %s", what, version,
         table.concat(VERSIONS, ", "))
  end
  local sync = o.sync or 0.1
  if type(sync) == "string" and sync ~= "never" and sync ~= "each" then
    fail(3, "%s: sync must be \"never\", \"each\" or seconds, got '%s'", what, sync)
  end
  declare.ranges(what, o, RANGES)
  if o.precision and o.precision ~= 3 and o.precision ~= 6 and o.precision ~= 9 then
    fail(3, "%s: precision must be 3, 6 or 9, got %s", what, o.precision)
  end
  local made = {}
  for name, value in pairs(o) do made[name] = value end
  made.what, made.version = what, version
  made.spelling, made.typed = versions_of(what, o, version)
  made.check = validate_of(what, o.validate)
  made.sync, made.sync_time = type(sync) == "number" and "timed" or sync, sync
  made.schedule = o.schedule and schedule_of(what, o.schedule)
  if o.take == true then made.take = nil
  else made.take = applications_of(what, texts(what, "take", o.take or {})) end
  made.take_all = o.take == nil or o.take == true
  -- What has another use comes to on_fix where that is asked for.
  made.tape = o.take ~= nil and (made.take == nil or #made.take > 0)
  if o.latency == false then made.latency = -1
  elseif o.latency == true then made.latency = nil end
  others[o.name] = true
  return made
end

local function tls_of(what, x, server)
  if not x then return end
  local o = check(what .. ": tls", x == true and {} or x, TLS)
  full(what .. ": tls", o)
  if server and not o.certificate then
    fail(3, "%s: tls: a server needs a certificate", what)
  end
  local made = { server = server }
  for name, value in pairs(o) do made[name] = value end
  return made
end

-- "host:port" of each, in the order in which they are tried.
local function hosts_of(what, o)
  if o.host or o.port then
    if o.hosts then fail(3, "%s: host and port, or hosts, not both", what) end
    if not o.host or not o.port then
      fail(3, "%s: %s is missing", what, o.host and "port" or "host")
    end
    declare.ranges(what, o, { port = { 1, 65535 } })
    local host = o.host:find ":" and "[" .. o.host .. "]" or o.host
    return { ("%s:%d"):format(host, o.port) }
  end
  local list = texts(what, "hosts", o.hosts)
  if #list == 0 then fail(3, "%s: host and port are missing", what) end
  if #list > HOSTS_MAX then
    fail(3, "%s: %d hosts are more than %d", what, #list, HOSTS_MAX)
  end
  for _, text in ipairs(list) do declare.address(what .. ": hosts", text) end
  return list
end

-- What a Logon has beside its header, and the session writes itself.
local WRITTEN <const> = {
  EncryptMethod = 98, HeartBtInt = 108, ResetSeqNumFlag = 141, NoMsgTypes = 384,
  NextExpectedMsgSeqNum = 789, DefaultApplVerID = 1137,
  BeginString = 8, BodyLength = 9, CheckSum = 10, MsgSeqNum = 34, MsgType = 35,
  PossDupFlag = 43, SenderCompID = 49, SenderSubID = 50, SendingTime = 52,
  TargetCompID = 56, TargetSubID = 57, PossResend = 97, OnBehalfOfCompID = 115,
  OnBehalfOfSubID = 116, OrigSendingTime = 122, DeliverToCompID = 128,
  DeliverToSubID = 129, SenderLocationID = 142, TargetLocationID = 143,
  OnBehalfOfLocationID = 144, DeliverToLocationID = 145, LastMsgSeqNumProcessed = 369,
}
local NOT_ADDED = {}
for name, tag in pairs(WRITTEN) do NOT_ADDED[name], NOT_ADDED[tag] = true, true end
-- Data of a Logon, and the lengths that stand before them.
local LENGTHS <const> = {
  RawData = 95, [96] = 95, EncodedText = 354, [355] = 354, EncryptedPassword = 1401,
  [1402] = 1401, EncryptedNewPassword = 1403, [1404] = 1403,
}
local LENGTH_NAMES <const> = { [95] = "RawDataLength", [354] = "EncodedTextLen",
                               [1401] = "EncryptedPasswordLen",
                               [1403] = "EncryptedNewPasswordLen" }

-- { Username = "me" } -> a list of { field, text }; C knows the dictionary.  Errors have
-- no values: they may be passwords.
local function logon_of(what, o)
  local list = {}
  for field, value in pairs(o or {}) do
    if type(field) ~= "string" and math.type(field) ~= "integer" then
      fail(3, "%s: fields have names or tags, not %s", what, tostring(field))
    end
    if type(value) ~= "string" and math.type(value) ~= "integer" then
      fail(3, "%s: %s must be a text, got a %s", what, field, type(value))
    elseif tostring(value):find "\0" then
      fail(3, "%s: %s has a byte 0 in it", what, field)
    elseif value == "" then
      fail(3, "%s: %s is empty: leave it out", what, field)
    elseif NOT_ADDED[field] then
      fail(3, "%s: %s is no field to add: the session writes the header,"
           .. " HeartBtInt (heartbeat), ResetSeqNumFlag (reset_on_logon) and the like",
           what, field)
    end
    local length = LENGTHS[field]
    local said = length and (o[length] or o[LENGTH_NAMES[length]])
    if not length and tostring(value):find "\1" then
      fail(3, "%s: %s has a byte 1 in it, which ends fields", what, field)
    elseif said and tonumber(said) ~= #tostring(value) then
      fail(3, "%s: %s has %d bytes, but %s is another number: leave that out",
           what, field, #tostring(value), LENGTH_NAMES[length])
    elseif length and not said then
      list[#list + 1] = { field = length, value = tostring(#tostring(value)) }
    end
    list[#list + 1] = { field = field, value = tostring(value) }
  end
  table.sort(list, function(a, b) return tostring(a.field) < tostring(b.field) end)
  return list
end

--- (internal) app.fix.logon(what, fields) -> list
-- Fields of a Logon, checked, as tw.fix.logon takes them.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what can't be.  Units: none.
function fix.logon(what, fields)
  if type(fields) ~= "table" then
    fail(3, "%s: a table of fields expected, got a %s", what, type(fields))
  end
  return logon_of(what, fields)
end

local function retry_of(what, x)
  if x == nil then return {} end
  local first, last = x, x
  if type(x) == "table" then first, last = x[1], x[2] end
  for _, n in ipairs { first, last } do
    if type(n) ~= "number" or not (n >= 0.001 and n <= 86400) then
      fail(3, "%s: retry must be seconds, or {first, last}, got %s", what, tostring(n))
    end
  end
  if type(first) ~= "number" or type(last) ~= "number" or last < first then
    fail(3, "%s: retry must be seconds, or {first, last}", what)
  end
  return { first = first, last = last }
end

local function read_initiator(what, options, names)
  local o = check(what, options, INITIATOR)
  local one = session_of(what, o, names)
  what = one.what
  one.initiator = true
  one.hosts = hosts_of(what, o)
  one.logon = logon_of(what .. ": logon", o.logon)
  one.retry = retry_of(what, o.retry)
  one.tls = tls_of(what, o.tls, false)
  declare.ranges(what, o, { heartbeat = { 0, 86400 } })
  one.heartbeat = o.heartbeat or 30
  return one
end

-- To the port that was declared last: C knows which number it got.
local function loop_back(what, options)
  local own, door = {}, declare.now.fix.doors[#declare.now.fix.doors]
  for name, value in pairs(options) do own[name] = value end
  if own.host or own.port or own.hosts then
    fail(3, "%s: loopback needs no host and no port", what)
  end
  if not door then fail(3, "%s: loopback: no app.fix.acceptor is above", what) end
  own.loopback, own.hosts = nil, { "127.0.0.1:1" }
  return own, #declare.now.fix.doors - 1
end

local function initiator(what, options)
  local now, door = declare.now.fix, nil
  if type(options) == "table" and options.loopback then
    options, door = loop_back(what, options)
  end
  local one = read_initiator(what, options, now.names)
  one.loopback = door
  now.sessions[#now.sessions + 1] = one
  now.places["sessions " .. #now.sessions] = declare.place()
  return one.name
end

-- What callers tell sessions of a port apart by.
local function identity(one)
  local list = { one.version, one.transport or "" }
  for _, id in ipairs { "sender", "target", "sender_sub", "target_sub",
                        "sender_location", "target_location" } do
    list[#list + 1] = one[id] or ""
  end
  return table.concat(list, "\1")
end

local function acceptor(what, options)
  local now = declare.now.fix
  local o = check(what, options, ACCEPTOR)
  if not o.port then fail(2, "%s: port is missing", what) end
  declare.ranges(what, o, {
    port = { 0, 65535 }, logon_timeout = { 0.001, 1e6 }, connections = { 1, 65536 },
    session_limit = { 1, LINKS_MAX } })
  local wanted, limit = #(o.sessions or {}), o.session_limit or LINKS_MAX
  if wanted > limit then
    fail(2, "%s: %d sessions are more than %s %d", what, wanted,
         o.session_limit and "session_limit" or "a run may have,", limit)
  end
  if not o.sessions and not o.template then
    fail(2, "%s: neither sessions nor a template", what)
  end
  if o.sessions and next(o.sessions) and wanted == 0 then
    fail(2, "%s: sessions must be a list: { { sender = ... }, ... }", what)
  end
  local names, door, known = {}, #now.doors, {}
  local made = { what = what, host = o.host, port = o.port, templates = {},
                 connections = o.connections,
                 session_limit = o.session_limit or math.max(wanted, 1024),
                 logon_timeout = o.logon_timeout, tls = tls_of(what, o.tls, true) }
  for i, session in ipairs(o.sessions or {}) do
    local one = session_of(what .. ": sessions", check(
      ("%s: sessions[%d]"):format(what, i), session, COMMON), now.names)
    one.door = door
    local id = identity(one)
    if known[id] then
      fail(2, "%s: sessions[%d] '%s': '%s' has the same CompIDs and version", what, i,
           one.name, known[id])
    end
    known[id] = one.name
    now.sessions[#now.sessions + 1], names[i] = one, one.name
    now.places["sessions " .. #now.sessions] = declare.place()
    declare.now.orders = declare.now.orders or session.orders
  end
  local templates = o.template and (o.template[1] and o.template or { o.template }) or {}
  if #templates > TEMPLATES_MAX then
    fail(2, "%s: more than %d templates", what, TEMPLATES_MAX)
  end
  for i, template in ipairs(templates) do
    local what_i = ("%s: template"):format(what)
    template = check(what_i, template, COMMON)
    declare.now.orders = declare.now.orders or template.orders
    template.name = template.name or "fix" .. (door > 0 and door or "")
    made.templates[i] = session_of(what_i, template, now.names)
  end
  now.doors[#now.doors + 1] = made
  now.places["doors " .. #now.doors] = declare.place()
  return names
end

-- What f(...) returns; its errors are where the caller, no tail call, was called: f's own
-- depth is another for each option.
local function placed(f, ...)
  local fine, made = pcall(f, ...)
  if not fine then error((tostring(made):gsub("^[^:]*:%d+: ", "")), 3) end
  return made
end

-- A feed and a gateway of one session have one venue: the table of either is of both.
local function share_instruments(one)
  local feed, gateway = one.feed, one.gateway
  if not feed or not gateway then return end
  feed.is_lent = not feed.instruments[1]
  if feed.is_lent then feed.instruments = gateway.instruments
  elseif not gateway.instruments[1] then gateway.instruments = feed.instruments end
end

--- (internal) app.fix.use(what, name, kind, options) -> name
-- One more use of a session that is declared and connected to its peer: kind is "feed" or
-- "gateway", what the caller is called in errors.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises where there is none of that name, or it has one.  Units: none.
function fix.use(what, name, kind, options)
  for _, one in ipairs(declare.now.fix.sessions) do
    if one.name == name and one.initiator then
      if one[kind] then fail(2, "%s: session '%s' has one already", what, name) end
      one[kind] = options
      share_instruments(one)
      return name
    end
  end
  fail(2, "%s: session: there is no '%s' that we connect to its peer, above", what,
       tostring(name))
end

--- app.fix.session(options) -> name
-- A session that connects to its peer:
--   host, port           the peer; or hosts, a list of "host:port", tried in turn; or
--                        loopback = true: the port of the app's acceptor above
--   retry                seconds between tries, or {first, last}, a backoff that begins
--                        anew after a session that was up for `last`; default {0.1, 10}
--   heartbeat            seconds; default 30, 0: none
--   logon                more fields of the Logon, by name or tag: { Username = "me",
--                        [554] = ... }; lengths of data fields are filled in
--   hold_logon           true: the Logon waits for fix.logon of a script, which adds what
--                        is computed, such as a signature
--   tls                  true, or ca, ca_folder, crl (a file of revoked certificates),
--                        name (of the certificate where it is not the host), certificate,
--                        key, only_13, ciphers (of TLS 1.2), suites (of 1.3).  It needs
--                        OpenSSL 3 (libssl3); a file that has changed is read again
--                        before a connection, also by an acceptor
-- Sessions of an acceptor have these, too:
--   name                 default: the target
--   version              "FIX.4.4" (the default), up to "FIX.5.0SP2"
--   sender, target       CompIDs; also sender_sub, sender_location, target_sub and
--                        target_location
--   dictionary           a path or a list of them (see `tidewire help fix`)
--   transport            "FIXT.1.1": for a version before FIX.5.0 that comes over it
--   applications         over FIXT.1.1: more versions of messages, which ApplVerID (1128)
--                        chooses: a list of names, or of { version = "FIX.4.4",
--                        dictionary = ..., default_for = { "D", "8" } }: types of that
--                        version without an ApplVerID, as our Logon says
--   validate             "strict", "lenient", "off", or a table that changes strict:
--                        fields_out_of_order, have_values, user_defined, unknown_fields,
--                        unordered_groups, required, values
--   store, store_size    a folder for numbers and messages (default: in memory); bytes
--   sync                 "never", "each", or seconds between syncs; default 0.1
--   log                  a folder for its messages, NAME.log
--   log_size, log_files  bytes of such a file, default 64 MiB; how many full ones stay,
--                        NAME.log.1 the latest, default 15
--   schedule             zone, open, close, days = "mon-fri", open_day, close_day, reset
--   take                 MsgTypes that come to on_fix (true: all); others are answered as
--                        unsupported.  Default: all; none where the session is a feed's
--                        or a gateway's or has market or orders, which come first
--   market               true: it serves the run's quotes and trades (35=V R e g)
--   orders               true: the peer trades in the run's book, with scripts whose fill
--                        is "book"
--   hold                 true: what is sent while it is down waits; else it is refused
--   enabled              false: it waits for fix.enable
--   reset_on_logon, reset_on_logout, reset_on_disconnect
--   persist              false: a resend is a gap fill
--   check_comp_id        false: any CompIDs are taken
--   latency              how far SendingTime may be off, default 120; false: by any time
--   next_expected        true: 789 of Logons says what is missing; from FIX.4.4 on
--   last_processed       true: messages have 369; from FIX.4.2 on
--   resend_chunk         messages that are asked for at once; default all
--   resend_rate          messages a second that are sent again; default any
--   logon_timeout, logout_timeout        default 10 and 2
--   precision            digits of a second in times: 3, 6 or 9; default 3
--   queue, message_size  bytes that may wait to be sent, and of a message; default 1 MiB
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.
-- Units: seconds; bytes.
function fix.session(options)
  local name = placed(initiator, "app.fix.session", options)
  return name
end

--- app.fix.open([options])
-- Lets tw.fix.add add sessions to a run whose app file declares none.  orders = true:
-- the run has a book, so that they may have orders = true.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there.  Units: none.
function fix.open(options)
  local o = check("app.fix.open", options or {}, { orders = "boolean" })
  declare.now.fix.is_open = true
  declare.now.orders = declare.now.orders or o.orders
end

-- Options of a feed or a gateway: scripts and their accounts are there from the start.
local DECLARED = { loopback = "session" }
for _, name in ipairs { "subscribe", "depth", "incremental", "batch", "levels", "quotes",
                        "trades", "limit", "states" } do
  DECLARED[name] = "feed"
end
for _, name in ipairs { "account", "fields", "instruments", "cancel_on_disconnect",
                        "cancel_unknown", "mass_status", "adopt", "security_id_source",
                        "cl_ord_id" } do
  DECLARED[name] = "gateway"
end

-- Says what to do instead.
local function refuse_declared(what, name, kind)
  if name == "loopback" then
    fail(3, "%s: loopback is for an app file: give host and port, which `status` has",
         what)
  end
  fail(3, "%s: %s is of a %s, which the app file declares: with app.%s.fix { %s = ...,"
       .. " enabled = false } it waits for fix.enable", what, name, kind, kind, name)
end

--- (internal) app.fix.read(options) -> table
-- What tw.fix.add adds, checked.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for an option that is not there or can't be.  Units: none.
function fix.read(options)
  local what, port = "fix.add", type(options) == "table" and options.acceptor
  local own = {}
  for name, value in pairs(type(options) == "table" and options or own) do
    local plain = name == "loopback" and value == false   -- as without it
    if DECLARED[name] and not plain then refuse_declared(what, name, DECLARED[name]) end
    if not plain then own[name] = value end
  end
  if type(options) == "table" then options = own end
  if not port then return read_initiator(what, options, {}) end
  if port ~= true and (math.type(port) ~= "integer" or port < 1 or port > 65535) then
    fail(2, "%s: acceptor must be a port, or true for the only one, got %s", what,
         tostring(port))
  end
  own.acceptor = nil
  local one = session_of(what, check(what, own, COMMON), {})
  one.acceptor_port = port ~= true and port or 0
  return one
end

--- app.fix.acceptor(options) -> names
-- A port where peers connect to sessions of ours, of any versions: port (0: a free one),
-- host (default: loopback), sessions (a list; each has what app.fix.session says of both
-- sides, and sender is ours), template (a session, or a list, whose sender or target may
-- be "*": a caller that no session is for gets one made of it, with a store and a log of
-- its own.  Its name is NAME.SENDER.TARGET of the caller, or NAME.SENDER where our CompID
-- is given.  With orders = true there are 64 at most, with those of tw.fix.add), tls
-- (certificate and key; ca, crl and ask = true: callers must have a certificate, too),
-- connections (256), session_limit (of the port, with those that are made or added; 1024,
-- or as many as `sessions` has; 4096 at most), logon_timeout (10).  Sessions, or
-- templates, of FIXT.1.1 with equal CompIDs are told apart by DefaultApplVerID (1137).
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.
-- Units: seconds.
function fix.acceptor(options)
  local names = placed(acceptor, "app.fix.acceptor", options)
  return names
end

--- app.fix.config(path [, options]) -> names
-- The sessions of a QuickFIX .cfg file; options are of app.fix.session and stand over
-- what it says; connections and session_limit, of app.fix.acceptor, are those of each of
-- its ports.  A setting that is not supported is a warning, with its line.  A session
-- is called by SessionQualifier, or FIX.4.4:SENDER-TARGET; where the one before it is
-- called so, with its SubIDs and LocationIDs behind that; one of a template
-- (AcceptorTemplate=Y or DynamicSession=Y) FIX.4.4.CALLER.  A port is of loopback, unless
-- the file has SocketAcceptHost, or options host.
-- Yields: no.  Blocks: while the file is read.  Thread: the app file.
-- Errors: raises for a file that can't be read, and a setting that can't be.
-- Units: as there.
function fix.config(path, options)
  if type(path) ~= "string" then
    fail(2, "app.fix.config: a path expected, got a %s", type(path))
  end
  check("app.fix.config", options or {}, CONFIG)
  local config, why = require "tw.fix_config".read(path)
  if not config then error(why, 2) end
  local names, list = {}, declare.now.warnings
  for _, text in ipairs(config.warnings) do list[#list + 1] = text end
  for name in pairs(options or {}) do
    if OF_PORTS[name] and #config.acceptors == 0 then
      fail(2, "app.fix.config: %s is of a port, and %s has none", name, path)
    end
  end
  local function put(made, f)
    for name, value in pairs(options or {}) do
      if made.sessions and (name == "host" or name == "port" or OF_PORTS[name]) then
        made[name] = value
      elseif not OF_PORTS[name] then
        for _, one in ipairs(made.sessions or { made }) do one[name] = value end
        for _, one in ipairs(made.template or {}) do one[name] = value end
      end
    end
    local fine, gave = pcall(f, "app.fix.config", made)
    if not fine then
      local what = tostring(gave):gsub("^[^ ]*:%d+: ", "")
      local line = config.lines[made]
      for _, of in ipairs { made.sessions or {}, made.template or {} } do
        for _, one in ipairs(of) do
          if what:find("'" .. one.name .. "'", 1, true) then line = config.lines[one] end
        end
      end
      error(("%s:%s %s"):format(path, line and line .. ":" or "", what), 3)
    end
    for _, name in ipairs(type(gave) == "table" and gave or { gave }) do
      names[#names + 1] = name
    end
  end
  for _, session in ipairs(config.sessions) do put(session, initiator) end
  for _, one in ipairs(config.acceptors) do put(one, acceptor) end
  return names
end

return fix
