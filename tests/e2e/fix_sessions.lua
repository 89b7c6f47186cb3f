--- fix_sessions: FIX sessions in scripts: an app talks to itself, over a socket.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

-- Lines of two workers, in the order in which they are said.
local SAY <const> = require "processes".SAY

local APP = [[
  app.limits { time = 10 }
  app.fix.acceptor { port = %d, sessions = {
    { name = "venue", sender = "VENUE", target = "ME", take = { "D", "F" } %s } } }
  app.fix.session { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
    target = "VENUE", heartbeat = 5, retry = 0.1 %s }
]]

local function app_of(venue, broker)
  local at = apps.free_port()
  return APP:format(at, venue or "", at, broker or "")
end

-- An order goes out, a report comes back, and both sides see it by names.
apps.prints("an order and its report", { args = { "--workers", "2" }, app = app_of()
  .. [[ app.script("client.lua", { workers = { 0 } })
        app.script("server.lua", { workers = { 1 } })]],
  ["client.lua"] = SAY .. [[
    local fix = tw.fix
    function M:on_fix_event(session, event)
      if session ~= "broker" or event ~= "logged_on" then return end
      local ticket = assert(fix.send("broker", { MsgType = "NewOrderSingle",
        ClOrdID = "a1", Symbol = "AAPL", Side = "BUY", OrdType = "LIMIT", Price = 1.25,
        OrderQty = 100, TransactTime = tw.now(),
        NoPartyIDs = { { PartyID = "me", PartyRole = 3 } } }, { PossResend = true }))
      assert(ticket == 1)
    end
    function M:on_fix(message, session)
      if session ~= "broker" then return end
      say(session, message.name, message.ClOrdID, message.RefMsgType)
      if message.MsgType ~= "8" then os.exit(0) end
      say(select(2, pcall(fix.send, "broker", { MsgType = "D" })))
      say(select(2, pcall(fix.send, "brokr", { MsgType = "D" })))
      say(select(2, pcall(fix.send, "broker", { MsgType = "0" })))
      say(select(2, pcall(fix.send, "broker", { MsgType = "SequenceReset",
                                                NewSeqNo = 1 })))
      local s = fix.status "broker"
      say(s.state, s.name, s.initiator, s.sender, s.target, s.logons)
      assert(fix.send("broker", message))     -- which the venue does not take
    end]],
  ["server.lua"] = SAY .. [[
    local fix = tw.fix
    function M:on_fix(message, session, time, received, seq)
      if session ~= "venue" then return end
      say(session, message.MsgType, message.Side, message.Price, message.PossResend,
          message.NoPartyIDs[1].PartyID, time == received, seq > 0)
      assert(fix.send("venue", { MsgType = "8", OrderID = "o1", ExecID = "e1",
        ExecType = "0", OrdStatus = "0", Symbol = message.Symbol, Side = message.Side,
        LeavesQty = message.OrderQty, CumQty = 0, AvgPx = 0, ClOrdID = message.ClOrdID }))
    end]] }, [[
venue D 1 1.25 true me true true
broker ExecutionReport a1 nil
NewOrderSingle: ClOrdID (11) is required
fix.send: no session 'brokr'
fix.send: session broker sends messages of type 0 itself
fix.send: session broker sends messages of type 4 itself
up broker true ME VENUE 1
broker BusinessMessageReject nil 8
]])

-- A Logon that is signed: the script is told what it will be, and adds to it; also of a
-- gateway, whose other events no script has.  One that nobody waits for is told.
local waits = apps.prints("a Logon waits for a signature", {
  args = { "--workers", "1" }, app = [[
  app.fix.acceptor { port = 0, sessions = { { name = "venue", sender = "VENUE",
    target = "ME", orders = true, take = { "B" } } } }
  app.gateway.fix { name = "broker", loopback = true, sender = "ME", target = "VENUE",
    retry = 0.1, hold_logon = true, reset_on_logon = true,
    logon = { Username = "me", TestMessageIndicator = "N" } }
  app.account { gateway = "broker" }
  app.script "s.lua"]], ["s.lua"] = SAY .. [[
    local fix, n, signed = tw.fix, 0
    function M:on_fix_event(session, event, text, from, to, message)
      if session == "broker" then
        say(session, event, from, message.MsgSeqNum, message.ResetSeqNumFlag,
            message:text "Username", message:text "TargetCompID")
        say(select(2, pcall(fix.logon, session, { Usrname = "x" })))
        say(select(2, pcall(fix.logon, session, { MsgSeqNum = "1" })):match "(.+):")
        say(select(2, pcall(fix.logon, "venue", {})):match "(.+):")
        local many = {}
        for tag = 230, 262 do many[tag] = "1" end
        fix.logon(session, many)
        signed = message:text "SendingTime" .. "/" .. message:text "MsgSeqNum"
        say(fix.logon(session, { Username = signed }))
      elseif event == "logged_on" then
        say(session, message:text "Username" == signed, message.TestMessageIndicator,
            message:text "SendingTime" == signed:match "^[^/]+")
        n = n + 1
        if n == 2 then os.exit(0) end
        assert(fix.logon("broker", {}))
        fix.logout "broker"
      end
    end]] }, ([[
broker logging_on 1 1 true me VENUE
fix.logon: session broker: its dictionary has no field Usrname
fix.logon: MsgSeqNum is no field to add
fix.logon: the Logon of session venue does not wait
true
venue true false true
]]):rep(2)).err

t.ok(waits:find("fix broker: fix.logon: no Logon to VENUE waits", 1, true),
  "one that does not wait is told")
t.ok(waits:find("fix.logon: 33 more fields of a Logon: at most 32 are", 1, true),
  "fields are not left out")

-- A venue's own fields: the first refusal says where they go, also of a Logon.
local advice = "a peer's own fields and values go into the session's `dictionary`"
local refused = apps.prints("messages that the dictionary has not", {
  args = { "--workers", "1" },
  app = [[local here = debug.getinfo(1, "S").source:match "^@(.*/)"]]
  .. app_of(", dictionary = here .. 'own.txt'") .. [[app.script "s.lua"]],
  files = { ["own.txt"] = "20001 Own STRING\nB + 20001\n" },
  ["s.lua"] = SAY .. [[
    local fix, n = tw.fix, 0
    function M:on_fix_event(session, event, text)
      if session == "venue" and event == "logged_on" then
        for _ = 1, 2 do
          assert(fix.send(session, { MsgType = "B", Headline = "x", Own = "x",
                                     NoLinesOfText = { { Text = "y" } } }))
        end
      elseif event == "refused" then
        say(session, text)
        n = n + 1
        if n == 2 then os.exit(0) end
      end
    end]] }, [[
broker 35=B tag 20001: Invalid tag number
broker 35=B tag 20001: Invalid tag number
]]).err
t.is(select(2, refused:gsub(advice, "")), 1, "what to do is told once")
refused = apps.run { args = { "--workers", "1" }, app = app_of("",
  ", validate = 'off', logon = { [9406] = 'Y' }") .. [[app.script "s.lua"]],
  ["s.lua"] = [[
    function M:on_fix_event(session, event)
      if event == "not_logged_on" and session == "venue" then os.exit(0) end
    end]] }
t.ok(refused.err:find("Logon: Invalid tag number (9406)", 1, true)
     and refused.err:find(advice, 1, true), "also of a Logon")

-- The header of what is sent: what the session writes is refused, not left out; a group
-- and data go as they are.
apps.prints("more fields of a header", { args = { "--workers", "1" },
  app = app_of ", validate = 'off'" .. [[app.script "s.lua"]], ["s.lua"] = SAY .. [[
    local fix = tw.fix
    function M:on_fix_event(session, event)
      if session ~= "broker" or event ~= "logged_on" then return end
      local order = { MsgType = "D", ClOrdID = "1", Symbol = "A", Side = 1, OrdType = 1,
                      TransactTime = 0, PossResend = false }
      for _, header in ipairs { { MsgSeqNum = 7 }, { MsgType = "8" }, { Text = "x" },
                                { PossResend = true } } do
        say(select(2, pcall(fix.send, "broker", order, header)))
      end
      say(fix.send("broker", order, { SecureData = "a\1b", NoHops = {
        { HopCompID = "a", HopRefID = 1 }, { HopCompID = "b", HopRefID = 2 } } }))
    end
    function M:on_fix(message, session)
      say((message:bytes():match "56=VENUE.*11=":gsub("\1", "|")))
      say(message.NoHops[2].HopRefID, message.SecureData == "a\1b")
      os.exit(0)
    end]] }, [[
header: MsgSeqNum (34) is the session's to write
header: MsgType (35) is written by itself
header: Text (58) is not of the header
NewOrderSingle: PossResend (97) is there twice, in the message and in its header
1
56=VENUE|90=3|91=a|b|97=N|627=2|628=a|630=1|628=b|630=2|11=
2 true
]])

-- What is not logged on refuses; commands of a session.
apps.prints("a session that is down", { args = { "--workers", "1" }, app = [[
  app.fix.session { name = "b", hosts = { "127.0.0.1:1" }, sender = "A", target = "B" }
  app.feed.timer { every = 0.05 }
  app.script("s.lua")]],
  ["s.lua"] = SAY .. [[
    local fix = require "tw.fix"
    function M:on_timer()
      local sent, why, code = fix.send("b", { MsgType = "B", Headline = "x",
                                              NoLinesOfText = { { Text = "y" } } })
      say(sent, why, math.type(code))
      say(fix.status("b").state, fix.status()[1].name, #fix.status())
      say(fix.set_numbers("b", 7, 9), fix.enable("b", false), fix.logout("b"))
      say(fix.reset "b", fix.remove "b")
      say(select(2, pcall(fix.set_numbers, "b", 0, 1)):match "%b()")
      say(pcall(fix.status, "c"))
      say(select(2, pcall(fix.logout, "b", "a\1b")):match "a text without SOH")
      os.exit(0)
    end]] }, [[
nil FIX session b: it is not logged on integer
down b 1
true true true
true true
(a number from 1 on expected)
false fix.status: no session 'c'; there is 'b'
a text without SOH
]])

apps.fails("a field that on_fix has not", { app = app_of() .. "app.script 's.lua'",
  ["s.lua"] = "function M:on_fix(mesage) end" }, "on_fix: no field 'mesage'")
for more, want in pairs {
  ["Password = 'a', [554] = 'hidden'"] = "logon: 554 is there twice",
  ["RawData = 'hidden', RawDataLength = 5"] =
    "RawData has 6 bytes, but RawDataLength is another number: leave that out",
} do
  local got = apps.fails(want, { app = app_of("", ", logon = {" .. more .. "}")
                                 .. "app.script 's.lua'", ["s.lua"] = "" }, want)
  t.ok(not got.err:find "hidden", "and without its value")
end
apps.fails("an option that is not there", { app =
  "app.fix.session { host = 'a', port = 1, sender = 'A', target = 'B', hartbeat = 3 }" },
  "app.fix.session: no option 'hartbeat'")
apps.fails("a dictionary that is not there", { app = app_of(", dictionary = '/no/such'")
  .. "app.script 's.lua'", ["s.lua"] = "" }, "/no/such")

-- A new version of the script: the sessions stay up.
do
  local directory, command = apps.write { app = app_of() .. "app.script('s.lua')",
    args = { "--workers", "1" }, ["s.lua"] = [[
    local fix = tw.fix
    function M:on_fix_event(session, event)
      if session == "broker" and event == "logged_on" then tw.reload "s.lua" end
    end]],
    files = { ["next.lua"] = SAY .. [[
    local tw = require "tw"
    local M = {}
    function M:on_reload()
      local s = tw.fix.status "broker"
      say("reloaded", s.state, s.logons)
      tw.fix.send("broker", { MsgType = "D", ClOrdID = "1", Symbol = "A", Side = 1,
                              OrdType = "1", OrderQty = 1, TransactTime = tw.now() })
    end
    function M:on_fix(message, session)
      say(session, message.ClOrdID, tw.fix.status "broker".logons)
      os.exit(0)
    end
    return M]] } }
  local text = apps.read(directory .. "/s.lua")
  apps.put(directory .. "/s.lua", (text:gsub("tw.reload \"s.lua\"",
    ("os.rename(%q, %q) tw.reload 's.lua'"):format(directory .. "/next.lua",
                                                   directory .. "/s.lua"))))
  local run = apps.shell("timeout -k 1 120 " .. command)
  t.is(run.out, "reloaded up 1\nvenue 1 1\n", "a reload keeps the sessions")
  if run.status ~= 0 then t.diag(run.err) end
end

-- Who is attached sees sessions and commands them; the app says when it is ready.
do
  local directory = apps.write { app = app_of() .. "app.script('s.lua')",
    ["s.lua"] = SAY .. [[
    function M:on_fix_event(session, event, text)
      if event == "logged_on" and session == "broker" then say "ready" end
      if event == "logged_out" and session == "broker" then say "gone" end
    end]] }
  local script = ([[cd %s && mkdir xdg && mkfifo pipe || exit
    export XDG_RUNTIME_DIR=$PWD/xdg
    timeout --foreground -k 1 120 %s run app.lua --workers 1 >pipe 2>err &
    run=$!
    exec 3<pipe && read ready <&3
    at() { timeout 120 %s attach -e "$1"; }
    at fix | cut -c1-25; at "fix broker" | grep -E "target|why"
    at "fix nobody"; at "fix broker numbers 1"; at "fix broker logout enough"
    read gone <&3; echo $gone; kill $run; cat <&3 >/dev/null; wait $run
    cat err >&2; grep -c "audit:.*fix broker logout enough" err]]):format(directory,
      apps.tidewire, apps.tidewire)
  local got = apps.shell("bash -c " .. apps.quote(script))
  local text = got.out .. got.err
  t.ok(text:find "venue +acceptor +up" and text:find "broker +initiator +up"
       and text:find "target +VENUE", "attach shows sessions")
  t.ok(text:find "fix.status: no session 'nobody'" and text:find "two numbers from 1 on",
       "and says what can't be")
  if not t.ok(text:find "broker: logout" and got.out:find "\ngone\n1\n$",
              "and commands them") then
    t.diag(text)
  end
end

-- The acceptance scripts of FIX.4.2, where they are.
local scripts = "../shared/fix-at"
local there = os.execute("test -d " .. scripts .. "/definitions/server/fix42")
local python = os.execute "python3 -c '' 2>/dev/null"
if not there or not python or apps.has "tsan" then
  t.skip("no acceptance scripts, or no python3, or it would take too long")
else
  -- Side by side, each with an acceptor of its own: most of the time is heartbeats.
  local parts = { "fix42/1", "fix42/2", "fix42/[34]", "fix42/[6-9A-Z]" }
  local command = { "trap 'kill $(jobs -p) 2>/dev/null' EXIT" }
  for i, part in ipairs(parts) do
    local at = apps.free_port()
    command[i + 1] = ("(%s run scripts/fix/acceptor.lua --no-attach --set port=%d"
      .. " --set dictionaries=%s/spec >/dev/null 2>&1 </dev/null & run=$!;"
      .. " timeout 120 python3 %s/run_at.py --port %d --match '%s'"
      .. " %s/definitions/server/fix42 | grep -E '^(not )?ok|^#'; kill $run) &"):format(
      apps.tidewire, at, scripts, scripts, at, part, scripts)
  end
  command[#command + 1] = "wait"
  local got = apps.shell("bash -c " .. apps.quote(table.concat(command, "\n")))
  local passed, failed = 0, {}
  for line in got.out:gmatch "[^\n]+" do
    if line:find "^ok" then passed = passed + 1
    elseif not line:find "scripts passed" then failed[#failed + 1] = line end
  end
  if not t.is(passed, 58, "the acceptance scripts of FIX.4.2") or failed[1] then
    t.diag(table.concat(failed, "\n"))
  end
end

t.done()
