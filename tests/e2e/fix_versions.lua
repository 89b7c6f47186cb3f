--- fix_versions: FIX sessions over FIXT.1.1 with messages of several versions, either
-- side of them.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SAY <const> = require "processes".SAY

-- FIX.4.2 asks for HandlInst and has ExecTransType, which 5.0 does not know; 5.0 has
-- DisplayQty.
local APP <const> = [[
  app.limits { time = 60 }
  app.fix.acceptor { port = 0, sessions = { { name = "venue", sender = "V", target = "ME",
    version = "FIX.5.0SP2", take = { "D", "F" }, applications = { "FIX.4.4",
      { version = "FIX.4.2", dictionary = here .. "venue.txt",
        default_for = { "8" } } } } } }
  app.fix.session { name = "broker", loopback = true, sender = "ME", target = "V",
    version = "FIX.5.0SP2", retry = 0.02, applications = { "FIX.4.4",
      { version = "FIX.4.2", dictionary = here .. "venue.txt" } } }
  app.fix.session { name = "one", host = "127.0.0.1", port = 1, sender = "ME",
    target = "W", version = "FIX.5.0", enabled = false }
  app.script("s.lua")]]

-- What comes, as it is read.
local HEAR <const> = SAY .. [[
  local function hear(message, session)
    if session == "venue" then
      say(session, message.version, message.ApplVerID, message.OrderQty,
          (pcall(function() return message.DisplayQty end)))
      if message.OrderQty == 1 then say(message.Mood, message.HandlInst) end
    else
      say(session, message.version, message.ApplVerID, message.MsgType,
          message.MsgType == "8" and message.ExecTransType)
    end
  end]]

local SCRIPT <const> = HEAR .. [[
  local fix = tw.fix
  local function order(more)
    local o = { MsgType = "D", ClOrdID = "a", Symbol = "A", Side = 1, OrdType = "1",
                OrderQty = 1, TransactTime = 0 }
    for k, v in pairs(more) do o[k] = v end
    return o
  end
  local function refused(session, message, header)
    say(select(2, pcall(fix.send, session, message, header)))
  end
  function M:on_fix_event(session, event)
    if session ~= "broker" or event ~= "logged_on" then return end
    refused("broker", order { ApplVerID = "FIX.4.3" })
    refused("broker", order { [1128] = "0" })
    refused("one", order { ApplVerID = "FIX.5.0SP2" })
    refused("broker", order { ApplVerID = "FIX.4.2" })
    refused("broker", order { ApplVerID = "FIX44", DisplayQty = 1 })
    refused("broker", order {}, { ApplVerID = "FIX.4.2" })
    assert(fix.send("broker", order { ApplVerID = "FIX.4.2", HandlInst = "1",
                                      Mood = "GOOD" }))
    assert(fix.send("broker", order { [1128] = "6", OrderQty = 2 }))
    assert(fix.send("broker", order { DisplayQty = 3, OrderQty = 3 }))
    assert(fix.send("broker", order { DisplayQty = 3, OrderQty = 4 },
                    { ApplVerID = "FIX50_SP2" }))
  end
  function M:on_fix(message, session)
    hear(message, session)
    if session == "venue" and message.OrderQty == 1 then
      self.first = message
    elseif session == "venue" and message.OrderQty == 4 then
      assert(fix.send("venue", self.first))      -- as it came: of 4.2
      assert(fix.send("venue", { MsgType = "ExecutionReport", OrderID = "o", ExecID = "e",
        ExecTransType = "NEW", ExecType = "0", OrdStatus = "0", Symbol = "A", Side = 1,
        LeavesQty = 1, CumQty = 0, AvgPx = 0 }))
    elseif message.MsgType == "8" then
      io.popen("kill $PPID"):close()
    end
  end]]

local directory, put, command = apps.folder "versions"
put("venue.txt", "5001 Mood CHAR 1=GOOD 2=BAD\nD + 5001\n")
put("app.lua", 'local app = require "tw.app"\nlocal here = "./"\n' .. APP)
put("s.lua", 'local tw, M = require "tw", {}\n' .. SCRIPT .. "\nreturn M")

local run = command("record app.lua x.tape --workers 1")
local said = [[
fix.send: ApplVerID (1128) is 'FIX.4.3', but session broker has no such version
fix.send: ApplVerID (1128) is '0', but session broker has no such version
fix.send: ApplVerID (1128) is 'FIX.5.0SP2', but session one has no such version
NewOrderSingle: HandlInst (21) is required
NewOrderSingle: the dictionary has no field 'DisplayQty'
NewOrderSingle: HandlInst (21) is required
]]
local came = [[
venue FIX.4.2 4 1.0 false
1 1
venue FIX.4.4 6 2.0 false
venue FIX.5.0SP2 nil 3.0 true
venue FIX.5.0SP2 9 4.0 true
broker FIX.4.2 4 D false
broker FIX.4.2 nil 8 0
]]
if not t.is(run.out, said .. came, "messages of three versions, by ApplVerID and the"
            .. " Logon") then
  t.diag(run.err)
end

-- A recording names the dictionaries, and has what a Logon said of a message.
put("read.lua", 'local tw, M = require "tw", {}\n' .. HEAR
    .. " function M:on_fix(message, session) hear(message, session) end return M")
run = command("replay x.tape read.lua --workers 1")
if not t.is(run.out, came, "a replay reads them so") then t.diag(run.err) end
local function decodes(name, words, mood)
  run = command("fix decode x.tape" .. words)
  local decoded = {}
  for field, value in run.out:gmatch " %d+ (%a+) = (%w+)" do
    if field == mood or field == "DisplayQty" or field == "ExecTransType" then
      decoded[#decoded + 1] = field .. value
    end
  end
  t.is(table.concat(decoded, " "), ("%s1 DisplayQty3 DisplayQty3 %s1 ExecTransType0")
       :format(mood, mood), name)
  if not t.is(run.status, 0, name .. ": all of them") then t.diag(run.err) end
end
decodes("fix decode reads them so", "", "Mood")
put("other.txt", "5001 Weather CHAR\nD + 5001\n")
decodes("on top of each version goes another file", " --dictionary other.txt", "Weather")

-- A log of messages says it by 1128 and the Logons that stand in it.
do
  local HEAD <const> = "34=1|49=%s|52=20240102-03:04:05|56=%s|"
  local function said_by(a, b, code, rest)
    return apps.fix(("35=%s|"):format(code) .. HEAD:format(a, b) .. rest, "FIXT.1.1")
  end
  local ORDER <const> = "20=0|1138=1|"
  put("text.log", table.concat {
    said_by("A", "B", "A", "98=0|108=30|1137=9|384=2|372=8|1130=4|1410=Y|372=D|1130=6|"),
    said_by("B", "A", "A", "98=0|108=30|1137=6|"),
    said_by("A", "B", "8", ORDER), said_by("B", "A", "8", ORDER),
    said_by("B", "A", "J", ORDER), said_by("A", "B", "D", ORDER),
    said_by("B", "A", "D", "1128=9|" .. ORDER) })
  run = command("fix decode text.log --short")
  local names = {}
  for line in run.out:gmatch "[^\n]+" do
    names[#names + 1] = (line:find "ExecTransType=" and "old" or "?")
      .. (line:find "DisplayQty=" and "new" or "?")
  end
  -- 4.2 has 20, 5.0 has 1138, 4.4 has neither.
  t.is(table.concat(names, " "), "?? ?? old? old? ?? ?new ?new", "a log, likewise")
end

-- ---- orders and market data in an older version ----

put("maker.lua", apps.MAKER)
put("taker.lua", [[
  local M = require "tw.strategy".new { doc = "buys what it hears of by FIX",
                                        account = { gateway = "broker" } }
  function M:on_quote(symbol, bid, ask, source)
    if source ~= "broker" or self.o then return end
    print("quote", source, symbol, bid, ask)
    self.o = self:buy { symbol = symbol, quantity = 5, price = ask }
  end
  function M:on_fill(symbol, side, quantity, price, position)
    print("fill", symbol, side, quantity, price, position)
    io.popen("kill $PPID"):close()
  end
  return M]])
put("trade.lua", [[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.script "maker.lua"
  app.script "taker.lua"
  local types = { { version = "FIX.4.2", default_for = { "D", "F", "G", "H", "AF", "8",
    "9" } }, { version = "FIX.4.4", default_for = { "W", "X", "Y", "V", "h", "f" } } }
  app.fix.acceptor { port = 0, sessions = { { sender = "VENUE", target = "ME",
    market = true, orders = true, version = "FIX.5.0SP2", applications = types,
    log = "log", name = "venue" } } }
  app.feed.fix { name = "broker", loopback = true, sender = "ME", target = "VENUE",
    version = "FIX.5.0SP2", applications = types, subscribe = { "VV" }, retry = 0.02 }
  app.gateway.fix { session = "broker", account = "ACC" }]])
run = command("run trade.lua")
if not t.is(run.out, "quote\tbroker\tVV\t99.0\t101.0\nfill\tVV\tbuy\t5.0\t101.0\t5.0\n",
            "orders in FIX.4.2, market data in FIX.4.4") then
  t.diag(run.err)
end
run = command("fix decode log/venue.log --type D,8 --short")
t.ok(run.out:find "NewOrderSingle %(D%)[^\n]*HandlInst="
     and run.out:find "ExecutionReport %(8%)[^\n]*ExecTransType=", "as the log says")

-- ---- what can't be ----

local function session(more)
  return 'app.fix.session { host = "h", port = 1, sender = "A", target = "B", ' .. more
    .. " }"
end
local SP2 <const> = 'version = "FIX.5.0SP2", applications = '
for more, want in pairs {
  ['applications = { "FIX.4.2" }'] = "messages of several versions come over FIXT.1.1",
  [SP2 .. '{ "FIX.5.0SP2" }'] = "applications%[1%]: FIX.5.0SP2 is there twice",
  [SP2 .. '{ "FIX.6" }'] = "applications%[1%]: no version 'FIX.6'",
  [SP2 .. '{ { dictionary = "x" } }'] = "applications%[1%]: no version 'nil'",
  [SP2 .. '{ { version = "FIX.4.4", of = 1 } }'] = "no option 'of'",
  [SP2 .. '{ { version = "FIX.4.4", default_for = { "D|" } } }'] =
    "default_for: a MsgType such as 'D' expected, got 'D|'",
  [SP2 .. '{ { version = "FIX.4.4", default_for = { "D" } },'
    .. ' { version = "FIX.4.2", default_for = { "D" } } }'] = "D is another's already",
  [SP2 .. '{ { version = "FIX.4.4", dictionary = "/no/such" } }'] = "/no/such",
  [SP2 .. '{ { version = "FIX.4.4", dictionary = here .. "wrong.xml" } }'] =
    "the dictionary for FIX.4.4 is of FIX.4.2",
  ['version = "FIX.4.4", dictionary = here .. "wrong.xml"'] =
    "the dictionary for FIX.4.4 is of FIX.4.2",
  ['transport = "FIX.4.4"'] = 'transport must be "FIXT.1.1"',
  [SP2 .. '{ { version = "FIX.4.4", default_for = { "D" } } } }'
    .. ' app.gateway.fix { session = "B", account = "A"'] =
    "default_for: F is of another version than what goes with it",
} do
  apps.fails(want, { app = session(more) .. 'app.script "s.lua"', ["s.lua"] = "",
    files = { ["wrong.xml"] = [[<fix type='FIX' major='4' minor='2'><header>
      <field name='MsgType' required='Y'/></header><trailer><field name='CheckSum'
      required='Y'/></trailer><messages/><fields><field number='35' name='MsgType'
      type='STRING'/><field number='8' name='BeginString' type='STRING'/><field
      number='10' name='CheckSum' type='STRING'/></fields></fix>]] } }, want)
end

t.done()
