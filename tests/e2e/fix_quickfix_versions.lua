--- fix_quickfix_versions: messages of several versions over FIXT.1.1, with QuickFIX at
-- either end.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local processes, quickfix = require "processes", require "quickfix"

if not quickfix.is_there() then return t.done() end

local p = processes.open(apps.folder "versions")
local RUN <const> = "exec " .. apps.tidewire .. " run %s.lua --seconds 300 --no-attach"
local SPEC <const> = quickfix.dictionary("FIX.4.4"):gsub("/[^/]*$", "")

local function app(name, declared)
  p.put(name .. ".lua", ([[
    local app = require "tw.app"
    local several = { version = "FIX.5.0SP2", heartbeat = 5, retry = 0.02, sender = "TW",
      target = "QF", name = "quick", applications = { "FIX.4.4", "FIX.4.2" } }
    %s
    app.script "%s-script.lua"]]):format(declared, name))
end

local HEAR <const> = [[
  local tw, M = require "tw", {}
  function M:on_fix(message)
    if message.MsgType == "j" then return print("no to " .. message.RefMsgType) end
    print(("%s %s %s %s"):format(message.version, message.ApplVerID,
      message.MsgType, message.ClOrdID))
  end]]

-- Ours calls, and sends an order of each.
local port = apps.free_port()
app("out", ([[several.host, several.port = "127.0.0.1", %d
  app.fix.session(several)]]):format(port))
p.put("out-script.lua", HEAR .. [[
  function M:on_fix_event(session, event)
    if event ~= "logged_on" then return end
    for id, version in pairs { a42 = "FIX.4.2", a44 = "FIX.4.4", a50 = "FIX.5.0SP2" } do
      assert(tw.fix.send(session, { MsgType = "D", ClOrdID = id, ApplVerID = version,
        Symbol = "AAPL", Side = 1, OrdType = "1", OrderQty = 1, TransactTime = tw.now(),
        HandlInst = "1" }))
    end
    assert(tw.fix.send(session, { MsgType = "C", EmailThreadID = "e", EmailType = "0",
      Subject = "s", NoLinesOfText = { { Text = "x" } } }))
  end
  return M]])
local q = quickfix.start(p, "acceptor", "FIXT.1.1", port, nil, SPEC)
local ours = p.start("out", RUN:format "out")
for id, report in pairs { a42 = "FIX.4.2 4", a44 = "FIX.4.4 6", a50 = "FIX.5.0SP2 9" } do
  t.ok(p.await_count(q, "order " .. id, 1), id .. ": QuickFIX takes our order")
  t.ok(p.await_count(ours, ("%s 8 %s"):format(report, id), 1),
       id .. ": and we its report")
end
t.ok(p.await_count(ours, "no to C", 1), "what it does not take it says by 35=j")
p.kill(ours, "TERM")
q.close()

-- QuickFIX calls.
port = apps.free_port()
app("in", ([[several.heartbeat, several.retry = nil, nil
  app.fix.acceptor { port = %d, sessions = { several } }]]):format(port))
p.put("in-script.lua", HEAR .. [[
  function M:on_fix_event(session, event, text)
    if event == "refused" then print(text) end
  end
  return M]])
ours = p.start("in", RUN:format "in")
q = quickfix.start(p, "initiator", "FIXT.1.1", port, nil, SPEC)
t.ok(p.await_count(q, "logon", 1), "QuickFIX logs on to our acceptor")
for id, of in pairs { b42 = "4", b44 = "6", b50 = "9", b43 = "5" } do
  q.tell(("of %s %s"):format(of, id))
end
q.tell "send b"
for _, line in ipairs { "FIX.4.2 4 D b42", "FIX.4.4 6 D b44", "FIX.5.0SP2 9 D b50",
                        "FIX.5.0SP2 nil D b\n",
                        "35=D tag 1128: Invalid or unsupported application version" } do
  t.ok(p.await_count(ours, line, 1), line:gsub("\n", ""))
end
p.kill(ours, "TERM")
q.close()

t.done()
