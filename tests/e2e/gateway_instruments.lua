--- gateway_instruments: orders over FIX have what the venue wants of each instrument, and
--- of whose account they are.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "gateway_instruments"

-- Prints what it gets, and does what it is asked; of the former run it has one order.
put("venue.lua", [[
  local fix = require "tw.fix"
  local M = {}
  local tags = { "Account", "Symbol", "SecurityType", "MaturityMonthYear", "PutOrCall",
                 "StrikePrice", "SecurityExchange", "ExDestination" }
  local STATUS <const> = { D = "0", G = "5", F = "4" }
  local function shown(m)
    local list = { "gets", m.MsgType }
    for _, name in ipairs(tags) do list[#list + 1] = m[name] or "-" end
    print(table.concat(list, " "))
  end
  local function report(self, session, answer)
    answer.MsgType, answer.OrderID = "8", answer.OrderID or "V" .. answer.ClOrdID
    answer.ExecID = answer.ExecType == "I" and "0" or answer.ClOrdID
    answer.CumQty, answer.AvgPx = 0, 0
    if self.params.is_42 then answer.ExecTransType = "0" end
    assert(fix.send(session, answer))
  end
  function M:on_fix(message, session)
    local m = message
    if m.MsgType == "AF" then
      report(self, session, { ClOrdID = "100000000000000000", ExecType = "I",
        OrdStatus = "0", Symbol = "ES", SecurityType = "FUT",
        MaturityMonthYear = "202703", Account = "U2", Side = "1", OrderQty = 3,
        OrdType = "2", Price = 9, LeavesQty = 3 })
      return
    end
    shown(m)
    assert(m.MsgType ~= "D" or m.ClOrdID:find "^[A-Z][A-Z0-9]+$" and #m.ClOrdID == 12)
    local type, status = m.MsgType, STATUS[m.MsgType]
    if not status then return end
    report(self, session, { ClOrdID = m.ClOrdID, OrigClOrdID = m.OrigClOrdID,
      ExecType = status, OrdStatus = status == "5" and "0" or status, Side = m.Side,
      Symbol = m.Symbol, SecurityType = m.SecurityType, OrderQty = m.OrderQty,
      MaturityMonthYear = m.MaturityMonthYear, OrdType = type ~= "F" and m.OrdType or nil,
      Price = type ~= "F" and m.Price or nil,
      LeavesQty = type ~= "F" and m.OrderQty or 0 })
  end
  return M]])

-- Asks for each of its symbols, changes it and cancels it.
put("asker.lua", [[
  local M = {}
  function M:on_timer()
    self.n = self.n or 1
    local symbol = self.params.symbols[self.n]
    if self.is_asking or not symbol then return end
    self.is_asking = true
    self:buy { symbol = symbol, quantity = 1, price = 9 }
  end
  function M:on_order(order, status, reason)
    print("hears", order.symbol, status, reason)
    if status == "rejected" then self.is_asking = false end   -- not logged on yet
    if reason == "it was sent by a former run" then order:cancel() return end
    if order.quantity == 3 then return end
    if status == "new" and order.quantity == 1 then order:modify { quantity = 2 }
    elseif status == "new" then order:cancel() end
    if status == "canceled" then
      self.n, self.is_asking = self.n + 1, false
    end
  end
  return M]])

local INSTRUMENTS <const> = [[
      ESZ6 = { symbol = "ES", fields = { SecurityType = "FUT", ExDestination = "GLOBEX",
                                         MaturityMonthYear = 202612 } },
      ESH7 = { symbol = "ES", fields = { SecurityType = "FUT", [207] = "XCME",
                                         MaturityMonthYear = "202703" } },
      CALL = { symbol = "AAPL", fields = { SecurityType = "OPT", PutOrCall = "1",
                 StrikePrice = "210.5", MaturityMonthYear = "202701" } },]]
local APP <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.03 }
  app.instruments { { symbol = "CSH" } }
  app.script("venue.lua", { params = { is_42 = "%s" == "FIX.4.2" } })
  app.script("asker.lua", { params = { symbols = %s },
                            account = { gateway = "broker", account = %s } })
  local port = { port = 0, sessions = { { sender = "VENUE", target = "ME",
                                          version = "%s" } } }
  app.fix.acceptor(port)
  app.gateway.fix { name = "broker", loopback = true, sender = "ME", target = "VENUE",
    retry = 0.1, version = "%s", cl_ord_id = "short", account = "U1",
    fields = { ExDestination = "SMART" },
    instruments = {
%s
    } }]]

local function app(name, version, symbols, account, until_shown)
  put(name .. ".lua", APP:format(version, symbols, account, version, version,
                                 INSTRUMENTS))
  local run = apps.until_shown(("%s run %s.lua --no-attach"):format(apps.tidewire, name),
                               until_shown, dir)
  local seen = {}
  for line in run.out:gmatch "[^\n]+" do
    if line:find "^gets" then seen[#seen + 1] = line:sub(6) end
  end
  return table.concat(seen, "\n"), run
end

local ALL <const> = [[
D U1 ES FUT 202612 - - - GLOBEX
G U1 ES FUT 202612 - - - GLOBEX
F U1 ES FUT 202612 - - - -
D U1 ES FUT 202703 - - XCME SMART
G U1 ES FUT 202703 - - XCME SMART
F U1 ES FUT 202703 - - XCME -
D U1 AAPL OPT 202701 1 210.5 - SMART
G U1 AAPL OPT 202701 1 210.5 - SMART
F U1 AAPL OPT 202701 1 210.5 - -
D U1 CSH - - - - - SMART
G U1 CSH - - - - - SMART
F U1 CSH - - - - - -]]
for _, version in ipairs { "FIX.4.2", "FIX.4.4" } do
  local got, run = app(version, version, '{ "ESZ6", "ESH7", "CALL", "CSH" }', "nil",
                       "hears\tCSH\tcanceled")
  if not t.is(got, ALL, version .. ": each has its own, in D, G and F") then
    t.diag(run.all)
  end
  -- 4.2 has no AF, which asks for it.
  t.ok(version == "FIX.4.2" or run.all:find("order that nobody here has sent", 1, true),
       version .. ": one of another account is nobody's")
end

local got, run = app("former", "FIX.4.4", "{}", '"U2"', "gets F[^\n]*\n")
t.is(got, "F U2 ES FUT 202703 - - XCME -",
     "what a former run has left is what its month says, in the script's account")
t.ok(run.out:find("hears\tESH7\tnew\tit was sent by a former run", 1, true)
     or t.diag(run.all), "and the script hears of its own symbol")

-- ---- what can't be ----

local function fails(name, account, more, want)
  put(name .. ".lua", ([[
    local app = require "tw.app"
    app.script("asker.lua", { params = { symbols = {} }, account = %s })
    app.gateway.fix { name = "broker", host = "127.0.0.1", port = 1, sender = "x",
      target = "broker", %s }]]):format(account, more))
  local made = apps.shell(
    ("cd %s && timeout 60 %s run %s.lua --seconds 1 --no-attach 2>&1"):format(
      dir, apps.tidewire, name))
  if not t.ok(made.status ~= 0 and made.out:find(want, 1, true), want) then
    t.diag(made.out)
  end
end
local AT <const> = '{ gateway = "broker" }'
fails("f1", AT, "instruments = { ES = { fields = { SecurityTyp = 'FUT' } } }",
      "app.gateway.fix 'broker': instruments: ES: fields: no field 'SecurityTyp' is in"
      .. " its dictionary")
fails("f2", AT, 'version = "FIX.4.2", instruments = { ES = { fields = { MaturityDate ='
      .. " '20261218' } } }", "instruments: ES: fields: no field 'MaturityDate'")
fails("f3", AT, "instruments = { ES = { fields = { Symbol = 'ESZ6' } } }",
      "instruments: ES: fields: 55 is no field to add: it is there already")
fails("f4", AT, "instruments = { ES = 'ESZ6' }",
      'app.gateway.fix: instruments are like { ESZ6 = { symbol = "ES"')
fails("f5", AT, "instruments = { ES = { name = 'ESZ6' } }",
      "instruments: ES: no option 'name': symbol and fields are")
fails("f6", AT, "instruments = { ES = { symbol = '' } }",
      'instruments: ES: symbol "" has 0 bytes: 1 to 255 may be')
fails("f12", AT, "instruments = { ES = { symbol = 'E\\1S' } }",
      'instruments: ES: symbol "E\\1S" has a control character')
fails("f15", AT, "instruments = { ES = { symbol = ('E'):rep(256) } }",
      'EEE" has 256 bytes: 1 to 255 may be')
fails("f16", AT, "instruments = { ['E\\1S'] = { symbol = 'ES' } }",
      'app.gateway.fix: instruments: the symbol "E\\1S" has a control character')
fails("f17", AT, "instruments = { [('E'):rep(64)] = { symbol = 'ES' } }",
      'EEE" has 64 bytes: 1 to 63 may be')
fails("f13", AT, "fields = { ExDestination = 'XNAS\\1' }",
      "app.gateway.fix: fields: ExDestination must be a text without control characters")
fails("f7", AT, "instruments = { ES = { fields = { SecurityType = true } } }",
      "instruments: ES: fields: SecurityType must be a text")
fails("f8", AT, "instruments = { ES = { fields = { Account = 'U1' } } }",
      "instruments: ES: fields: 1 is no field to add: account says it")
fails("f9", '{ account = "U1" }', "",
      "account 'U1' is one at a gateway: say gateway = NAME too")
fails("f10", '{ gateway = "broker", account = 5 }', "",
      "account: account: the account (1) of its orders, of 63 bytes at most, expected")

fails("f11", AT, "cl_ord_id = 'sort'",
      "app.gateway.fix: cl_ord_id must be \"uuid\" or \"short\", got 'sort'")

fails("f14", AT, "account = ('U'):rep(64)",
      "app.gateway.fix: account: the account (1) of its orders, of 63 bytes at most")

-- ---- whose account, where several tables say it ----

local trade = require "tw.trade"
local U1 <const> = { gateway = "a", account = "U1" }
for _, of in ipairs { { { gateway = "b" }, nil }, { { gateway = "a" }, "U1" },
                      { { account = "U2" }, "U2" }, { { cash = 5 }, "U1" },
                      { { gateway = "b", account = "U2" }, "U2" } } do
  t.is(trade.merge(U1, nil, of[1]).account, of[2],
       "an account at a gateway is none at another")
end

t.done()
