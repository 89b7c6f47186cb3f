--- fix_take: on_fix has what a feed, a gateway or a market takes, where that is said.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SAY <const> = require "processes".SAY

-- An app whose venue may be a script that answers; the other one says what it hears, and
-- ends the run as a signal does.
local function says(name, o, want)
  local run = apps.run { app = o.app, args = { "--workers", "1" },
                         ["venue.lua"] = SAY .. (o.venue or ""),
                         ["s.lua"] = SAY .. "local fix = tw.fix " .. o.script }
  if not t.is(run.out .. run.status, want .. "143", name) then t.diag(run.err) end
  return run
end

-- A list of some: the quote of a W first, then the W; a News that no feed takes; its Y
-- is not in the list.
local FEED = [[
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.fix.acceptor { port = 0, sessions = { { name = "venue", sender = "VENUE",
                                              target = "ME" } } }
  app.feed.fix { name = "broker", loopback = true, sender = "ME", target = "VENUE",
                 retry = 0.1, subscribe = { "VV" } %s }
  app.script("venue.lua", { workers = { 0 }, sessions = "venue" })
  app.script("s.lua", { workers = { 0 }, sessions = "broker" })]]
local VENUE = [[
  local fix = tw.fix
  function M:on_fix(message, session)
    if message.name ~= "MarketDataRequest" then return say(session, message.name) end
    assert(fix.send(session, { MsgType = "W", MDReqID = message.MDReqID, Symbol = "VV",
      NoMDEntries = { { MDEntryType = "0", MDEntryPx = 99.5, MDEntrySize = 10 },
                      { MDEntryType = "1", MDEntryPx = 100.5, MDEntrySize = 20 } } }))
    assert(fix.send(session, { MsgType = "Y", MDReqID = "nobody's" }))
    assert(fix.send(session, { MsgType = "B", Headline = "halted",
                               NoLinesOfText = { { Text = "VV" } } }))
  end]]
local SCRIPT = [[
  function M:on_fix_event(session, event) say(session, event) end
  function M.on_quote(symbol, bid, ask) say("quote", symbol, bid, ask) end
  function M:on_fix(message, session)
    say(session, message.name, message.Headline, #(message.NoMDEntries or {}))
    if message.MsgType ~= "B" then return end
    local s = fix.status "broker"
    say(s.untaken, s.unheard, s.tape_lost, message.NoLinesOfText[1].Text)
    ]] .. apps.stop .. [[
  end]]
says("a feed's messages, of a list", { app = FEED:format ', take = { "W", "B" }',
                                       venue = VENUE, script = SCRIPT }, [[
broker logged_on
quote VV 99.5 100.5
broker MarketDataSnapshotFullRefresh nil 2
broker News halted 0
0 0 0 VV
]])
says("and all of them", { app = FEED:format ", take = true", venue = VENUE,
                          script = SCRIPT }, [[
broker logged_on
quote VV 99.5 100.5
broker MarketDataSnapshotFullRefresh nil 2
broker MarketDataRequestReject nil 0
broker News halted 0
0 0 0 VV
]])

-- Reports of a gateway: the order's own callback comes first.
says("a gateway's reports", {
  app = [[
    app.feed.timer { every = 0.03 }
    app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
    app.fix.acceptor { port = 0, sessions = { { name = "venue", sender = "VENUE",
                                                target = "ME" } } }
    app.gateway.fix { name = "broker", loopback = true, sender = "ME", target = "VENUE",
                      retry = 0.1, take = { "8" } }
    app.script("venue.lua", { workers = { 0 }, sessions = "venue" })
    app.script("s.lua", { workers = { 0 }, sessions = "broker",
                          account = { gateway = "broker" } })]],
  venue = [[
    local fix = tw.fix
    function M:on_fix(message, session)
      local m = message
      if m.MsgType ~= "D" then return end
      assert(fix.send(session, { MsgType = "8", ClOrdID = m.ClOrdID, OrderID = "1",
        ExecID = "1", ExecType = "8", OrdStatus = "8", Symbol = m.Symbol, Side = m.Side,
        OrdRejReason = 99, Text = "who are you?", LeavesQty = 0, CumQty = 0, AvgPx = 0 }))
    end]],
  script = [[
    local is_up = false
    function M:on_fix_event(session, event)
      if event == "logged_on" then is_up = true end
    end
    function M:on_timer()
      if not is_up or self.o then return end
      self.o = self:buy { symbol = "VV", quantity = 1, price = 9 }
    end
    function M:on_order(order, status, reason, text)
      if text then say("order", status, text) end
    end
    function M:on_fix(message, session)
      say(session, message.name, message.Text)
      ]] .. apps.stop .. [[
    end]] }, [[
order rejected who are you?
broker ExecutionReport who are you?
]])

-- What is served is seen: the request of a peer, which is answered.
local run = says("a market's requests", {
  app = [[
    app.fix.acceptor { port = 0, sessions = { { name = "venue", sender = "VENUE",
      target = "ME", market = true, take = { "V" } } } }
    app.fix.session { name = "broker", loopback = true, sender = "ME", target = "VENUE",
                      retry = 0.1 }
    app.script "s.lua"]],
  script = [[
    local heard = {}
    local function hear(what)
      heard[#heard + 1] = what
      if #heard < 2 then return end
      table.sort(heard)
      say(heard[1], heard[2])
      ]] .. apps.stop .. [[
    end
    function M:on_fix_event(session, event)
      if session == "broker" and event == "logged_on" then
        assert(fix.send("broker", { MsgType = "V", MDReqID = "1", MarketDepth = 1,
          SubscriptionRequestType = "0", NoMDEntryTypes = { { MDEntryType = "0" } },
          NoRelatedSym = { { Symbol = "NONE" } } }))
      end
    end
    function M:on_fix(message, session) hear(session .. " " .. message.name) end]] },
  "broker MarketDataRequestReject venue MarketDataRequest\n")
t.ok(not run.err:find "does not come to on_fix", "nobody is told that he gets nothing")

t.done()
