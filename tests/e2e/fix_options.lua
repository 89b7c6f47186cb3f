--- fix_options: what options of a FIX session do on the wire, each alone.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local SAY <const> = require "processes".SAY

-- A session of the venue's for each: v and the name of the option.  Those that are not
-- enabled wait until the script has set numbers.
apps.prints("options", { args = { "--workers", "1" }, sort = true, app = [[
  app.limits { time = 100 }
  local options = { plain = {}, next = { next_expected = true },
    last = { last_processed = true }, reset = { reset_on_logon = true },
    chunk = { resend_chunk = 10, enabled = false }, all = { enabled = false },
    logout = { reset_on_logout = true }, hangup = { reset_on_disconnect = true },
    forget = { persist = false }, beat = { heartbeat = 7 } }
  local sessions = {}
  for name in pairs(options) do
    sessions[#sessions + 1] = { name = "v" .. name, sender = "V", target = name }
  end
  app.fix.acceptor { port = 0, sessions = sessions }
  for name, o in pairs(options) do
    o.name, o.sender, o.target, o.loopback, o.retry = name, name, "V", true, 600
    app.fix.session(o)
  end
  app.script("s.lua")]],
  ["s.lua"] = SAY .. [[
    local fix, left = tw.fix, 16
    local function done(...)
      say(...)
      left = left - 1
      if left == 0 then os.exit(0) end
    end
    local function news(session)
      assert(fix.send(session, { MsgType = "B", Headline = "x",
                                 NoLinesOfText = { { Text = "y" } } }))
    end
    function M:on_start()
      for _, name in ipairs { "chunk", "all" } do
        fix.set_numbers("v" .. name, 1, 100)
        fix.enable(name, true)
      end
    end
    function M:on_fix_event(session, event, text, from, to, message)
      if event == "logged_on" and session:find "^v" then
        done(session, message.NextExpectedMsgSeqNum, message.LastMsgSeqNumProcessed,
             message.ResetSeqNumFlag, message.HeartBtInt)
      elseif event == "logged_on" and (session == "logout" or session == "hangup"
                                       or session == "plain") then
        fix.logout(session)
      elseif event == "logged_out" and session ~= "vlogout" and session ~= "vhangup"
             and session ~= "vplain" then
        done(session, fix.status(session).next_in)
      elseif event == "logged_on" and session == "forget" then
        news "forget"
      elseif event == "resending" and (session == "vchunk" or session == "vall") then
        if from == 1 then done(session, event, from, to) end
      elseif event == "filled" and session == "vforget" then
        done(session, event, from, to)
      end
    end
    function M:on_fix(message, session)
      if session ~= "vforget" or self.asked then return end
      self.asked = true                      -- what came is missing, then
      fix.set_numbers("vforget", 2, 2)
      news "forget"
    end]] }, [[
hangup 1
logout 1
plain 3
vall nil nil nil 30
vall resending 1 100
vbeat nil nil nil 7
vchunk nil nil nil 30
vchunk resending 1 10
vforget filled 2 3
vforget nil nil nil 30
vhangup nil nil nil 30
vlast nil 0 nil 30
vlogout nil nil nil 30
vnext 1 nil nil 30
vplain nil nil nil 30
vreset nil nil true 30
]])

-- A venue that knows SecurityIDs, as LMAX does; what it says is without Symbols.
apps.prints("SecurityIDs", { args = { "--workers", "1" }, app = [[
  app.limits { time = 100 }
  app.fix.acceptor { port = 0, sessions = {
    { name = "vmd", sender = "V", target = "MD", validate = "off" },
    { name = "vorders", sender = "V", target = "ME", validate = "off" } } }
  app.feed.fix { name = "md", loopback = true, sender = "MD", target = "V", depth = 1,
    subscribe = { "4001" }, security_id_source = "8", validate = { required = false } }
  app.gateway.fix { name = "broker", loopback = true, sender = "ME", target = "V",
    security_id_source = "8", cl_ord_id = "uuid", mass_status = false,
    validate = { required = false } }
  app.account { gateway = "broker" }
  app.script "s.lua"]], ["s.lua"] = SAY .. [[
    local fix = tw.fix
    local function report(m, exec, more)
      local r = { MsgType = "8", OrderID = "o1", ExecID = exec, ExecType = exec,
        OrdStatus = exec == "F" and "2" or exec, ClOrdID = m.ClOrdID, Symbol = "EURUSD",
        SecurityID = m.SecurityID, Side = m.Side, LeavesQty = 10, CumQty = 0, AvgPx = 0 }
      for name, value in pairs(more or {}) do r[name] = value end
      assert(fix.send("vorders", r))
    end
    function M:on_fix(message, session)
      local m = message
      if m.MsgType == "V" and m:text "SubscriptionRequestType" == "1" then
        say(session, m.MsgType, (m:bytes():match "(146=.*)\00110=":gsub("\1", " ")))
        assert(fix.send(session, { MsgType = "W", MDReqID = m.MDReqID, Symbol = "EURUSD",
          SecurityID = "4001", NoMDEntries = {
            { MDEntryType = "0", MDEntryPx = 1.25, MDEntrySize = 5 },
            { MDEntryType = "1", MDEntryPx = 1.26, MDEntrySize = 5 } } }))
      elseif m.MsgType == "D" then
        say(session, m.MsgType, m.Symbol, m:text "SecurityID", m.SecurityIDSource,
            (m.ClOrdID:gsub("%x", "x")))
        report(m, "0")
        report(m, "F", { LastQty = 10, LastPx = 1.26, CumQty = 10, LeavesQty = 0,
                         AvgPx = 1.26 })
      end
    end
    function M:on_quote(symbol, bid, ask)
      say(symbol, bid, ask)
      self:buy(symbol, 10, ask)
    end
    function M:on_fill(symbol, price, quantity, position)
      say("fill", symbol, price, quantity, position)
      os.exit(0)
    end]] }, [[
vmd V 146=1 48=4001 22=8
4001 1.25 1.26
vorders D nil 4001 8 xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx
fill 4001 1.26 10.0 10.0
]])
t.done()
