--- fix_heard: which scripts hear of FIX sessions and of feeds, and what nobody takes.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SAY <const> = require "processes".SAY

local APP = [[
  app.fix.acceptor { port = 0, sessions = {
    { name = "venue", sender = "VENUE", target = "ME", take = { "D" } %s } } }
  app.fix.session { name = "broker", loopback = true, sender = "ME", target = "VENUE",
    retry = 0.1 %s }
]]

-- A run that a script ends as a signal does, so that all of its log is there.
local function stopped(name, o, want)
  local run = apps.run(o)
  if not t.is(run.out .. run.status, want .. "143", name) then t.diag(run.err) end
  return run
end

-- The venue's D is for nobody; its F is not taken, and the broker's script sees its j.
local run = stopped("a script takes the sessions that it names", {
  app = APP:format("", "") .. [[
    app.script("s.lua", { workers = { 0 } })
    app.script("deaf.lua", { workers = { 0 }, sessions = { "nobody", "v*x" } })]],
  args = { "--workers", "1" },
  ["deaf.lua"] = SAY .. "function M:on_fix(session) say('deaf', session) end",
  ["s.lua"] = SAY .. [[
    local fix = tw.fix
    M.sessions = "bro*"
    function M:on_fix_event(session, event)
      if event == "logged_on" then
        say(session, event)
        for i = 1, 2 do
          assert(fix.send("broker", { MsgType = "D", ClOrdID = "a" .. i, Symbol = "AAPL",
            Side = 1, OrdType = "1", OrderQty = 1, TransactTime = tw.now() }))
        end
        for i = 1, 2 do
          assert(fix.send("broker", { MsgType = "F", ClOrdID = "b" .. i, Symbol = "AAPL",
            OrigClOrdID = "a1", Side = 1, TransactTime = tw.now() }))
        end
      end
    end
    local rejects = 0
    function M:on_fix(message, session)
      say(session, message.name, message.RefMsgType)
      rejects = rejects + 1
      if rejects < 2 then return end
      local s = fix.status "venue"
      say(s.untaken, s.unheard, #s.missed)
      for _, m in ipairs(s.missed) do say(m.type, m.count, m.taken) end
      ]] .. apps.stop .. [[
    end]] }, [[
broker logged_on
broker BusinessMessageReject F
broker BusinessMessageReject F
2 2 2
D 2 true
F 2 false
]])
local _, told = run.err:gsub("35=D %(NewOrderSingle%) passes all scripts by", "")
t.is(told, 1, "that nobody hears of a type is told once")
_, told = run.err:gsub("35=F %(OrderCancelRequest%) is not taken here, and answered", "")
t.is(told, 1, "and that it is not taken")

-- What a gateway, a feed or a market takes does not come to on_fix: it says so.
run = stopped("a script on a session that is something else's", {
  app = APP:gsub("take = { \"D\" }", "market = true"):format("", "") .. [[
    app.script("s.lua")]], args = { "--workers", "1" },
  ["s.lua"] = SAY .. [[
    local fix = tw.fix
    function M:on_fix_event(session, event)
      if session == "broker" and event == "logged_on" then
        assert(fix.send("broker", { MsgType = "V", MDReqID = "1", MarketDepth = 1,
          SubscriptionRequestType = "0", NoMDEntryTypes = { { MDEntryType = "0" } },
          NoRelatedSym = { { Symbol = "NONE" } } }))
      end
    end
    function M:on_fix(message, session) say(session, message.name) ]] .. apps.stop
    .. " end" }, "broker MarketDataRequestReject\n")
t.ok(run.err:find "fix venue.*35=V.*does not come to on_fix",
     "who asks for its messages learns that he gets none")

-- Two feeds with the same symbols: a script takes one, another both.
run = apps.run {
  app = [[
    app.feed.synthetic { speed = 0, limit = 3000, seed = 1, name = "one" }
    app.feed.synthetic { speed = 0, limit = 3000, seed = 2, name = "two" }
    app.script("both.lua", { workers = { 0 } })
    app.script("one.lua", { workers = { 0 }, sources = "one" })
    app.script("two.lua", { workers = { 0 } })
    app.script("none.lua", { workers = { 0 }, sources = { "thr*", "on" } })]],
  args = { "--workers", "1" },
  ["both.lua"] = [[
    local n = {}
    function M.on_quote(source) n[source] = (n[source] or 0) + 1 end
    function M.on_stop() print("both", n.one, n.two) end]],
  ["one.lua"] = [[
    local n = {}
    function M.on_quote(source) n[source] = (n[source] or 0) + 1 end
    function M.on_stop() print("one", n.one, n.two) end]],
  ["two.lua"] = [[
    M.sources = { "tw*", "four" }
    function M:on_start() self.means = self:track { n = "count(bid)" } end
    function M:on_stop() print("two", self.means.n.value) end]],
  ["none.lua"] = [[
    local n = 0
    function M.on_quote() n = n + 1 end
    function M.on_stop() print("none", n) end]] }
local lines = table.concat(run.lines, " ") .. " "
local one, two = lines:match "both\t(%d+)\t(%d+)"
t.ok(one and lines:find("one\t" .. one .. "\tnil", 1, true)
     and lines:find("two\t" .. two, 1, true) and lines:find("none\t0", 1, true),
     "a script, and its statistics, take the feeds that it names")
t.diag(lines)

t.done()
