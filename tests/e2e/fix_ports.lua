--- fix_ports: who comes to a FIX port, and where a session goes: what an app's user sees.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SAY <const> = require "processes".SAY

-- One of another CompID is cut, and the run's figures say so.  It comes once in 600 s.
local run = apps.run { args = { "--workers", "1" }, app = [[
  app.limits { time = 100 }
  app.fix.acceptor { port = 0, logon_timeout = 100, sessions = {
    { name = "venue", sender = "VENUE", target = "ME" } } }
  app.fix.session { name = "stranger", loopback = true, sender = "NOBODY",
    target = "VENUE", retry = 600, logon_timeout = 100 }
  app.feed.timer { every = 0.05 }
  app.script("s.lua")]],
  ["s.lua"] = SAY .. [[
    local fix, done = tw.fix, false
    function M:on_timer()
      local port = fix.status().ports[1]
      if done or port.unknown == 0 or port.open > 0 then return end
      done = true
      say(#fix.status(), #fix.status().ports, port.port > 0, port.connects, port.silent,
          port.garbled, port.unknown, port.refused, port.crowded, port.tls)
      local text = require "tw.attach_fix".read "" ():gsub(" +", " ")
      local titles, figures = text:match "\n ?(port [^\n]*)\n%d+ ([%d ]+)$"
      say(titles)
      say(figures)
      ]] .. apps.stop .. [[
    end]] }
t.is(run.out, "2 1 true 1 0 0 1 0 0 0\n"
  .. "port open connects silent garbled unknown refused crowded tls\n"
  .. "0 1 0 0 1 0 0 0\n", "a port counts why it cut, and attach shows it")
if not t.ok(run.err:find "\nport %d+: 1 of 1 connections were cut: 1 unknown\n",
            "and so does the end of the run") then t.diag(run.err) end

-- Nothing is said of a port that cut nobody; the third of three hosts logs on, again
-- after it was left.
local at = apps.free_port()
run = apps.run { args = { "--workers", "1" }, app = ([[
  app.limits { time = 100 }
  app.fix.acceptor { port = %d, logon_timeout = 100, sessions = {
    { name = "venue", sender = "VENUE", target = "ME" } } }
  app.fix.session { name = "broker", sender = "ME", target = "VENUE", retry = 0.01,
    logon_timeout = 100,
    hosts = { "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:%d" } }
  app.script("s.lua")]]):format(at, at),
  ["s.lua"] = SAY .. [[
    local fix = tw.fix
    function M:on_fix_event(session, event)
      if session ~= "broker" or event ~= "logged_on" then return end
      local s = fix.status "broker"
      say(s.logons, s.peer)
      if s.logons == 1 then fix.logout("venue", "again") return end
      ]] .. apps.stop .. [[
    end]] }
local peer = ("127.0.0.1:%d"):format(at)
if not t.is(run.out, ("1 %s\n2 %s\n"):format(peer, peer),
            "the third host is reached, and again") then t.diag(run.err) end
t.ok(not run.err:find "were cut", "without a line of what did not happen")

-- Digits of a second on the wire, as each session says.
apps.prints("precision", { args = { "--workers", "1" }, app = [[
  app.limits { time = 100 }
  app.fix.acceptor { port = 0, sessions = {
    { name = "v3", sender = "V", target = "P3" },
    { name = "v6", sender = "V", target = "P6" },
    { name = "v9", sender = "V", target = "P9", precision = 6 } } }
  for _, digits in ipairs { 3, 6, 9 } do
    app.fix.session { name = "p" .. digits, loopback = true, sender = "P" .. digits,
      target = "V", precision = digits, retry = 0.1 }
  end
  app.script("s.lua")]],
  ["s.lua"] = SAY .. [[
    local fix, got = tw.fix, {}
    local function news(session)
      assert(fix.send(session, { MsgType = "B", Headline = "x",
                                 NoLinesOfText = { { Text = "y" } } }))
    end
    function M:on_fix_event(session, event)
      if event == "logged_on" and session:find "^p" then news(session) end
    end
    function M:on_fix(message, session)
      local text = message:text(52)
      assert(text:find "^%d%d%d%d%d%d%d%d%-%d%d:%d%d:%d%d%.%d+$", text)
      got[session] = #text:match "%d+$"
      if session == "v9" then news "v9" end
      if got.v3 and got.v6 and got.p9 then
        say(got.v3, got.v6, got.v9, got.p9)
        os.exit(0)
      end
    end]] }, "3 6 9 6\n")

-- Who asks why a session is down whose schedule is not up is told until when.  The day
-- is neither today nor next to it, in whatever zone.
local closed = apps.prints("outside its schedule", { app = [[
  local day = os.date("!%w", os.time() + 3 * 86400)
  local DAYS = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" }
  local function add(name, o)
    o.open, o.close, o.days = "12:00", "12:01", DAYS[day + 1]
    app.fix.session { name = name, host = "127.0.0.1", port = 9, sender = "A",
                      target = "B", schedule = o, enabled = name ~= "off" }
  end
  add("utc", {})
  add("tokyo", { zone = "Asia/Tokyo" })
  add("off", {})
  app.limits { time = 100 }
  app.feed.timer { every = 0.01 }
  app.script "s.lua"]], ["s.lua"] = SAY .. [[
    function M:on_timer()
      local list = tw.fix.status()
      if not (list[1].enabled and list[2].enabled) then return end   -- they begin
      for _, s in ipairs(list) do
        say(s.name, (s.why:gsub("until %d+%-%d+%-%d+", "until ...")))
      end
      os.exit(0)
    end]] }, [[
utc outside its schedule, until ... 12:00:00 UTC
tokyo outside its schedule, until ... 03:00:00 UTC
off 
]])
t.is(select(2, closed.err:gsub("tidewire: fix %w+: outside its schedule, until ", "")), 2,
     "nor does the log say nothing")

-- What an app declares wrongly is told with its line and its session.
local function wrong(name, declaration, text)
  local got = apps.fails(name, { app = "app.script 's.lua'\n" .. declaration,
                                 ["s.lua"] = "" }, text:gsub("%p", "%%%0"))
  return got
end
local BROKER <const> = "{ name = 'b', host = 'h', port = 1, sender = 'A', target = 'B', "
for _, kind in ipairs { "app.fix.session", "app.gateway.fix" } do
  local name = kind .. " 'b'"
  wrong(kind .. ": a version", kind .. BROKER .. "version = 'FIX.9' }",
        "app.lua:2: " .. name .. ": no version 'FIX.9'; there are")
  wrong(kind .. ": sync", kind .. BROKER .. "sync = 'often' }",
        "app.lua:2: " .. name .. ": sync must be")
end
wrong("a day", "app.fix.session" .. BROKER .. "schedule = { days = 'xyz' } }",
      "app.lua:2: app.fix.session 'b': schedule: days must be days like")
wrong("an acceptor's session", "app.fix.acceptor { port = 0, sessions = { { name = 'b',"
      .. " sender = 'A', target = 'B', precision = 4 } } }",
      "app.lua:2: app.fix.acceptor: sessions 'b': precision must be 3, 6 or 9, got 4")
wrong("a field of the Logon",
      "app.fix.session" .. BROKER .. "logon = { Pasword = 'x' } }",
      "app.lua:2: app.fix.session 'b': logon: its dictionary has no field Pasword")
wrong("789 before FIX.4.4",
      "app.fix.session" .. BROKER .. "version = 'FIX.4.3', next_expected = true }",
      "app.lua:2: app.fix.session 'b': next_expected: the Logon of its dictionary has no")
wrong("369 before FIX.4.2",
      "app.fix.session" .. BROKER .. "version = 'FIX.4.1', last_processed = true }",
      "app.lua:2: app.fix.session 'b': last_processed: the header of its dictionary has")
apps.fails("fine from there on, in a dictionary of one's own, and where none is used", {
  app = [[
app.script "s.lua"
local here = debug.getinfo(1, "S").source:match "^@(.*/)"
local function add(name, version, o)
  o.name, o.host, o.port, o.sender, o.target = name, "h", 1, "A", "B"
  o.version = version
  app.fix.session(o)
end
add("s1", "FIX.4.2", { last_processed = true })
for _, version in ipairs { "FIX.4.4", "FIX.5.0", "FIX.5.0SP2" } do
  local name = version:gsub("%.", "")
  add(name, version, { last_processed = true, next_expected = true })
end
add("s2", "FIX.4.2", { next_expected = true, dictionary = here .. "more.txt" })
add("s3", "FIX.4.0", { last_processed = true, next_expected = true, validate = "off" })
add("last", "FIX.4.2", { take = { "XR" } })]],
  ["s.lua"] = "",
  files = { ["more.txt"] = "789 NextExpectedMsgSeqNum SEQNUM\nA + 789\n" } },
  "'last': take: no dictionary of the run has a")
wrong("a type that is taken",
      "app.fix.session" .. BROKER .. "take = { 'D', 'XQ' } }",
      "app.lua:2: app.fix.session 'b': take: no dictionary of the run has a MsgType 'XQ'")
wrong("a type of the session", "app.fix.session" .. BROKER .. "take = { 'D', 'A' } }",
      "app.lua:2: app.fix.session 'b': take[2]: 'A' is a message of the session, of which"
      .. " on_fix_event tells: no on_fix gets it")
wrong("types by key", "app.fix.session" .. BROKER .. "take = { D = true } }",
      "app.lua:2: app.fix.session 'b': take is a list of texts, got the key 'D'")
for option, what in pairs { ["store = ''"] = "store", ["log = ''"] = "log",
                            ["schedule = { zone = '' }"] = "schedule: zone",
                            ["tls = { name = '' }"] = "tls: name" } do
  wrong("empty: " .. what, "app.fix.session" .. BROKER .. option .. " }",
        "app.lua:2: app.fix.session 'b': " .. what .. " is empty: leave it out")
end
wrong("an acceptor's type", "app.fix.acceptor { port = 0, sessions = { { name = 'b',"
      .. " sender = 'A', target = 'B', take = { 'XQ' } } } }",
      "app.lua:2: app.fix.acceptor: sessions 'b': take: no dictionary of the run has")
wrong("a template's type", "app.fix.acceptor { port = 0, sessions = {}, template = { name"
      .. " = 'b', sender = 'A', target = '*', take = { 'XQ' } } }",
      "b': take: no dictionary of the run has a MsgType 'XQ'")
wrong("a type that another version has, or whose messages are not looked at, is fine", [[
  for _, v in ipairs { "FIX.4.0", "FIX.5.0SP1" } do
    app.fix.session { name = v:gsub("%.", ""), host = "h", port = 1, sender = "A",
                      target = "B", version = v, take = { "BW", "D" } }
  end
  app.fix.session { name = "any", host = "h", port = 1, sender = "A", target = "B",
                    validate = "off", take = { "XQ" } }
  app.fix.session { name = "last", host = "h", port = 1, sender = "A", target = "B",
                    take = { "XR" } }]], "'last': take: no dictionary of the run has a")
wrong("a time zone", "app.fix.session" .. BROKER .. "schedule = { zone = 'Mars/Base' } }",
      "app.lua:2: app.fix.session 'b': schedule: there is no time zone 'Mars/Base'")
wrong("an acceptor's", "app.fix.acceptor { port = 0, sessions = { { name = 'b',"
      .. " sender = 'A', target = 'B', schedule = { zone = 'Mars/Base' } } } }",
      "app.lua:2: app.fix.acceptor: sessions 'b': schedule: there is no time zone")
wrong("a dictionary", "local function f(o) app.fix.session(o) end\nf" .. BROKER
      .. "dictionary = 'nothere.xml' }",
      "app.lua:2: app.fix.session 'b': nothere.xml: no such file or directory")
wrong("a template's", "app.fix.acceptor { port = 0, sessions = {} }\n"
      .. "app.fix.acceptor { port = 0, template = {"
      .. " sender = 'A', target = '*', dictionary = 'nothere.xml' } }",
      "app.lua:3: app.fix.acceptor: template 'fix1': nothere.xml: no such file")
wrong("a port's certificate", "app.fix.acceptor { port = 0, sessions = {},"
      .. " tls = { certificate = 'nothere.pem', key = 'nothere.pem' } }",
      "app.lua:2: app.fix.acceptor: tls: ")
wrong("a session behind another's line", "app.fix.acceptor { port = 0, sessions = {"
      .. " { sender = 'A', target = 'B' } } }\n"
      .. "app.fix.session" .. BROKER .. "dictionary = 'nothere.xml' }",
      "app.lua:3: app.fix.session 'b': nothere.xml: no such file")

t.done()
