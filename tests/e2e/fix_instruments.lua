--- fix_instruments: a feed over FIX of instruments that the venue calls otherwise than
--- the app does, and a gateway of the same session.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

-- Shows the requests that it gets, and answers each with prices of what they ask for; a
-- symbol XX it refuses.
local VENUE <const> = [[
  M.sessions = "ME"
  local fix, up = tw.fix, 0
  local PX <const> = { ["202612"] = 5000, ["202703"] = 6000, ["4001"] = 7 }
  local function instrument(of)
    return { Symbol = of.Symbol, SecurityID = of.SecurityID, [22] = of[22],
             SecurityType = of.SecurityType, MaturityMonthYear = of.MaturityMonthYear }
  end
  local function shown(of)
    return table.concat({ of.Symbol or "-", of.SecurityID or "-", of.SecurityType or "-",
                          of.MaturityMonthYear or "-" }, " ")
  end
  function M:on_fix(message, session)
    local m = message
    if m.MsgType == "D" then
      print("order", shown(m))
      os.exit(0)
    end
    if m.MsgType ~= "V" then return end
    local list = {}
    for _, of in ipairs(m.NoRelatedSym) do list[#list + 1] = shown(of) end
    print(m.SubscriptionRequestType, table.concat(list, ", "))
    for _, of in ipairs(m.SubscriptionRequestType == "1" and m.NoRelatedSym or {}) do
      local answer = instrument(of)
      local px = PX[of.MaturityMonthYear or of.SecurityID] or 1
      answer.MsgType, answer.MDReqID = "W", m.MDReqID
      answer.NoMDEntries = { { MDEntryType = "0", MDEntryPx = px, MDEntrySize = 1 } }
      if of.Symbol == "XX" then
        answer = { MsgType = "Y", MDReqID = m.MDReqID, MDReqRejReason = "0" }
      end
      assert(fix.send(session, answer))
    end
    -- and one change of all of them, which says no request
    local entries = {}
    for _, of in ipairs(m.NoRelatedSym) do
      local e = instrument(of)
      e.MDUpdateAction, e.MDEntryType, e.MDEntrySize = "0", "1", 2
      e.MDEntryPx = (PX[of.MaturityMonthYear or of.SecurityID] or 1) + 1
      if of.Symbol ~= "XX" then entries[#entries + 1] = e end
    end
    if entries[1] then
      assert(fix.send(session, { MsgType = "X", NoMDEntries = entries }))
    end
  end]]

-- Prints each price, and after the last one buys, or lets the session begin anew, once.
local READER <const> = [[
  M.sessions = "none"
  local fix, n, again = tw.fix, 0, false
  function M:on_quote(symbol, bid, ask)
    if ask == 0 then return end
    print(symbol, bid, ask)
    n = n + 1
    if n < self.params.quotes then return end
    if self.params.buys then
      self:buy { symbol = "ESH7", quantity = 1, price = 9 }
      return
    end
    if again then os.exit(0) end
    again, n = true, 0
    fix.logout(self.params.session)
  end]]

local APP <const> = [[
  app.feed.timer { every = 0.05 }
  app.fix.acceptor { port = 0, sessions = { { name = "ME", sender = "VENUE",
                     target = "ME", version = "%s" } } }
  local instruments = {
    ESZ6 = { symbol = "ES", fields = { SecurityType = "FUT", ExDestination = "GLOBEX",
                                       MaturityMonthYear = 202612 } },
    ESH7 = { symbol = "ES", fields = { MaturityMonthYear = "202703" } } }
  %s
  app.script("venue.lua", { trusted = true })
  app.script("reader.lua", { params = { session = "broker", quotes = %d } })]]

local FEED <const> = [[
  app.feed.fix { name = "broker", loopback = true, sender = "ME", target = "VENUE",
    version = "%s", retry = 0.02, incremental = true, batch = %d, instruments = %s,
    subscribe = { "ESZ6", "ESH7", "AAPL" } }]]

local function sorted(text, pattern)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    if line:find(pattern) then list[#list + 1] = line:gsub("\t", " ") end
  end
  table.sort(list)
  return table.concat(list, "\n")
end

for _, case in ipairs { { "FIX.4.2", 1 }, { "FIX.4.4", 4 }, { "FIX.5.0SP2", 4 } } do
  local version, batch = case[1], case[2]
  local run = apps.run { app = APP:format(version, FEED:format(version, batch,
                                                               "instruments"), 3),
                         ["venue.lua"] = VENUE, ["reader.lua"] = READER }
  local asked = { "1 AAPL - - -", "1 ES - - 202703", "1 ES - FUT 202612" }
  if batch > 1 then
    asked = { "1 ES - FUT 202612, ES - - 202703, AAPL - - -" }
  end
  local twice = {}
  for _, line in ipairs(asked) do twice[#twice + 1], twice[#twice + 2] = line, line end
  local fine = t.is(sorted(run.out, "^1"), table.concat(twice, "\n"),
                    version .. ": requests say it, after each Logon")
  fine = t.is(sorted(run.out, "^%u"), "AAPL 1.0 2.0\nAAPL 1.0 2.0\n"
              .. "ESH7 6000.0 6001.0\nESH7 6000.0 6001.0\n"
              .. "ESZ6 5000.0 5001.0\nESZ6 5000.0 5001.0",
              version .. ": prices have our symbols") and fine
  if not fine then t.diag(run.out .. run.err) end
end

-- A feed and a gateway over one session: the table of one of them is of both, whichever
-- is declared first.
local SESSION <const> = 'loopback = true, sender = "ME", target = "VENUE", retry = 0.02'
local SUBSCRIBE <const> = 'subscribe = { "ESZ6", "ESH7" }, batch = 2'
for i, both in ipairs {
  [[app.gateway.fix { name = "broker", instruments = instruments, %s }
    app.feed.fix { session = "broker", %s }]],
  [[app.gateway.fix { name = "broker", %s }
    app.feed.fix { session = "broker", instruments = instruments, %s }]],
} do
  local run = apps.run {
    app = APP:gsub(' } }%)$', ', buys = true }, account = { gateway = "broker" } })')
             :format("FIX.4.4", both:format(SESSION, SUBSCRIBE), 2),
    ["venue.lua"] = VENUE, ["reader.lua"] = READER }
  local fine = t.is(sorted(run.out, "^%u"), "ESH7 6000.0 6001.0\nESZ6 5000.0 5001.0",
                    i .. ": prices of the gateway's session have our symbols")
  fine = t.ok(run.out:find("order\tES - - 202703", 1, true),
              i .. ": and orders the venue's") and fine
  if not fine then t.diag(run.out .. run.err) end
end

local run = apps.run { app = APP:format("FIX.4.4", ([[
  app.feed.fix { name = "broker", %s, instruments = { GONE = { symbol = "XX" } },
                 subscribe = { "GONE", "AAPL" }, take = { "Y" } }]]):format(SESSION), 1),
  ["venue.lua"] = VENUE, ["reader.lua"] = READER .. [[
  M.sessions = "broker"
  function M:on_fix(message) print(message.name, message.MDReqRejReason) end]] }
t.ok(run.out:find("MarketDataRequestReject\t0\n"), "a refusal that a script takes")
if not t.ok(run.err:find("GONE: refused: 281=0 (UNKNOWN_SYMBOL)", 1, true),
            "a refusal has our symbol") then
  t.diag(run.out .. run.err)
end

-- What can't be.
local FEED_OF <const> = [[app.feed.fix { name = "b", sender = "ME", target = "V",
  host = "127.0.0.1", port = 1, %s } app.script "s.lua"]]
for text, why in pairs {
  ['subscribe = { "A\1B" }'] =
    'app.feed.fix: subscribe[1], "A\\1B", has a control character',
  ['subscribe = { ("x"):rep(64) }'] = 'xxx", has 64 bytes: 1 to 63 may be',
  ['subscribe = { "A" }, instruments = { A = { fields = { MDReqID = 1 } } }'] =
    "app.feed.fix 'b': instruments: A: fields: 262 is no field of an instrument in 35=V,"
    .. " by its dictionary",
  ['subscribe = { "A" }, instruments = { A = { fields = { Symbol = "B" } } }'] =
    "app.feed.fix 'b': instruments: A: fields: 55 is no field to add: it is there"
    .. " already",
  ['subscribe = { "A" }, instruments = { A = { fields = { Nme = "B" } } }'] =
    "instruments: A: fields: no field 'Nme' is in its dictionary",
  ['subscribe = { "A" }, instruments = { A = { symbol = "A\1B" } }'] =
    'app.feed.fix: instruments: A: symbol "A\\1B" has a control character',
} do
  apps.fails(why, { app = FEED_OF:format(text), ["s.lua"] = "" },
             (why:gsub("[%p]", "%%%0")))
end

t.done()
