--- gateway: a strategy trades over FIX as it does at the venue itself, unchanged.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "gateway"
local function command(args)
  return apps.shell(("cd %s && timeout 120 %s %s 2>&1"):format(dir, apps.tidewire, args))
end

put("maker.lua", apps.MAKER)

-- Each step when the one before has come to its end, which is the status that it names,
-- so that no step depends on the time.
put("taker.lua", [[
  local M = require "tw.strategy".new { doc = "one order after the other" }
  local steps = {
    { "filled", function(self)
        self:buy { symbol = "VV", quantity = 10, price = 101 } end },
    { "new", function(self)
        self.o = self:sell { symbol = "VV", quantity = 5, price = 100.5 } end },
    { "new", function(self) self.o:modify { price = 100.25, quantity = 4 } end },
    { "canceled", function(self) self.o:cancel() end },
    { "filled", function(self)
        self:sell { symbol = "VV", quantity = 3, type = "market" } end },
    { "canceled", function(self)
        self:buy { symbol = "VV", quantity = 2, price = 101, post_only = true } end },
    { "canceled", function(self)
        self:buy { symbol = "VV", quantity = 2, price = 100, tif = "ioc" } end },
    { "new", function(self)
        self:buy { symbol = "VV", quantity = 2, stop = 102, price = 103, tif = "day" }
      end },
    { "filled", function(self) self:close "VV" end },
    { "rejected", function(self)
        self:sell { symbol = "VV", quantity = 3, reduce_only = true } end },
    { "over", function(self) print("cash", self.account.cash, self:position "VV") end },
  }
  function M:on_quote(symbol) if symbol == "VV" then self.is_open = true end end
  -- One that rests where nobody sells is asked for until somebody is there to take it.
  local function probe(self)
    self.is_probing = true
    self.o = self:buy { symbol = "VV", quantity = 1, price = 1 }
  end
  local function probed(self, status)
    if status == "rejected" then self.is_probing = false end
    if status == "new" then self.o:cancel() end
    if status == "canceled" then self.is_there = true end
  end
  function M:on_timer()
    if not self.is_there then return self.is_probing or probe(self) end
    if not self.is_open or self.till or not steps[1] then return end
    local step = table.remove(steps, 1)
    self.till = step[1]
    step[2](self)
  end
  function M:on_order(status, id, reason, price, quantity, filled)
    if not self.is_there then return probed(self, status) end
    -- A live run's begin with its time, and have steps.
    self.ids = self.ids or {}
    if not self.ids[id] then
      assert(id > (self.last_id or 0), "ids rise")
      self.last_id, self.n_ids = id, (self.n_ids or 0) + 1
      self.ids[id] = self.n_ids
    end
    print("order", self.ids[id], status, reason, price, quantity, filled)
    if status == self.till then self.till = nil end
  end
  function M:on_fill(symbol, side, quantity, price, position)
    print("fill", symbol, side, quantity, price, position)
  end
  return M]])

local APP <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.03 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.script "maker.lua"
  app.script("taker.lua", { account = %s })
  %s]]

-- Until it has shown that pattern; by itself: that the last step is made.
local function orders_of(name, account, more, pattern)
  put(name .. ".lua", APP:format(account, more))
  local run = apps.until_shown(("%s run %s.lua --no-attach"):format(apps.tidewire, name),
                               pattern or "cash\t[^\n]*\n", dir)
  local lines = {}
  for line in run.out:gmatch "[^\n]+" do
    if line:find "^order" or line:find "^fill" or line:find "^cash" then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n"), run
end

local direct = orders_of("direct", '{ fill = "book" }', "")
t.ok(direct:find("cash\t", 1, true), "all steps are made at the venue itself")

local VERSIONS <const> = os.getenv "SMALL" and { "FIX.4.4" }
                         or { "FIX.4.0", "FIX.4.2", "FIX.4.4", "FIX.5.0SP2" }
local PARTIES <const> = [[, NoPartyIDs = { { PartyRole = 3, PartyID = "me",
  NoPartySubIDs = { { PartySubID = "desk" } } }, { PartyRole = "12", PartyID = "you" } }]]
for _, version in ipairs(VERSIONS) do
  local port = apps.free_port()
  local over, run = orders_of(version, '{ gateway = "broker" }', ([[
    app.fix.acceptor { port = %d, sessions = { { name = "venue", version = "%s",
      sender = "VENUE", target = "ME", orders = true } } }
    app.gateway.fix { name = "broker", host = "127.0.0.1", port = %d, version = "%s",
      sender = "ME", target = "VENUE", account = "ACC", fields = { Text = "hello",
        OnBehalfOfCompID = "DESK"%s } }]])
    :format(port, version, port, version, version >= "FIX.4.4" and PARTIES or ""))
  t.is(over, direct, version .. ": the same orders, the same reports")
  if over ~= direct then t.diag(run.all) end
end

-- ---- the venue's own words ----

put("words.lua", [[
  local fix = require "tw.fix"
  local M = {}
  function M:on_fix(message, session)
    local m = message
    local answer = { MsgType = "8", OrderID = "1", ClOrdID = m.ClOrdID }
    if m.MsgType ~= "D" then return end
    local parties = m.NoPartyIDs
    answer.Text = ("who are %s, %s?"):format(parties[1].NoPartySubIDs[1].PartySubID,
                                             parties[2].PartyID)
    answer.ExecID, answer.ExecType, answer.OrdStatus = "1", "8", "8"
    answer.Symbol, answer.Side, answer.OrdRejReason = m.Symbol, m.Side, 99
    answer.LeavesQty, answer.CumQty, answer.AvgPx = 0, 0, 0
    assert(fix.send(session, answer))
  end
  return M]])
put("asker.lua", [[
  local M = {}
  function M:on_timer()
    if not self.is_done then self:buy { symbol = "VV", quantity = 1, price = 9 } end
  end
  function M:on_order(order, status, reason, text, code)
    if reason then print("order", status, reason, text, code, order.text, order.code) end
    if text then self.is_done = true end
  end
  return M]])

-- What trades, or is taken back, after an order's end.  The venue says what the test's
-- table has, one at each timer.
put("late.lua", [[
  local fix = require "tw.fix"
  local M = {}
  local steps = {}
  local function says(exec, status, trade, cum, leaves, ref)
    steps[#steps + 1] = { ExecID = #steps + 1, ExecType = exec, OrdStatus = status,
      LastQty = trade, LastPx = 10, CumQty = cum, LeavesQty = leaves, ExecRefID = ref,
      AvgPx = 10 }
  end
  says("0", "0", nil, 0, 10)
  says("F", "1", 4, 4, 6)
  says("4", "4", nil, 4, 0)
  says("F", "4", 2, 6, 0)            -- 4: after the end
  says("F", "2", 4, 10, 0)
  says("H", "1", nil, 8, 2, "4")     -- 6: and what is left is open again
  says("F", "2", 2, 10, 0)
  function M:on_fix(message, session)
    if message.MsgType == "D" then self.order, self.session = message, session end
  end
  function M:on_timer()
    local step = self.order and table.remove(steps, 1)
    if not step then return end
    step.MsgType, step.OrderID, step.ClOrdID = "8", "1", self.order.ClOrdID
    step.Symbol, step.Side, step.OrderQty = self.order.Symbol, self.order.Side, 10
    assert(fix.send(self.session, step))
  end
  return M]])
put("hears.lua", [[
  local M = {}
  function M:on_timer()
    if self.order then return end
    self.order = self:buy { symbol = "VV", quantity = 10, price = 10, label = "one" }
    if self.params.forgets then self.id, self.order = self.order.id, true end
  end
  local function line(self, what, order, ...)
    if self.is_over then return end
    local same = order == self.order or order.id == self.id
    print(what, same and order.label, order.status, order.filled, ...)
    collectgarbage()
  end
  function M:on_order(order, status, reason)
    if status == "rejected" then self.order = nil return end    -- not logged on yet
    line(self, "order", order, status, #self:orders())
  end
  function M:on_fill(order, quantity, filled, leaves)
    line(self, "fill", order, quantity, filled, leaves, self:position "VV")
  end
  function M:on_position(order, position)
    line(self, "position", order, position, 100000 - self.account.cash)
    self.is_over = position == 10 and #self:orders() == 0 and order.filled == 10
                   and self.was_back
    self.was_back = self.was_back or order.status == "partially_filled"
                    and position == 8
  end
  return M]])

-- Until it has said that; or all that it says.
local function asks(name, peers, want, what, venue, trader)
  local port = apps.free_port()
  put(name .. ".lua", ([[
    local app = require "tw.app"
    app.feed.timer { every = 0.03 }
    app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
    app.script "%s.lua"
    app.script("%s.lua", { account = { gateway = "broker" } })
    app.fix.acceptor { port = %d, sessions = { { %s } } }
    app.gateway.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
      target = "VENUE", retry = 0.1, fields = { %s } }]]):format(
      venue or "words", trader or "asker", port, peers, port, PARTIES:sub(2)))
  local run = apps.until_shown(("%s record %s.lua %s.tape --no-attach"):format(
                               apps.tidewire, name, name), (want:gsub("%p", "%%%0")), dir)
  if not t.ok(run.found, what) then t.diag(run.all) end
end
asks("words_app", 'sender = "VENUE", target = "ME"', "order\trejected\tthe venue "
     .. "refused it\twho are desk, you?\t99\twho are desk, you?\t99\n",
     "a script hears what the venue says")
local sources = command "tape words_app.tape".out:match "\nsources +([^\n]*)" or "none"
t.ok(("," .. sources .. ","):gsub(" ", ""):find(",gatewaybroker,", 1, true)
     or t.diag(sources), "its records in a recording have its name")
asks("offline", 'sender = "X", target = "Y"', "order\trejected\tthe gateway is not "
     .. "connected\t", "nobody is logged on: rejected, and why")

local LATE <const> = [[
order	one	pending_new	0.0	pending_new	1
order	one	new	0.0	new	1
order	one	partially_filled	4.0	partially_filled	1
fill	one	partially_filled	4.0	4.0	4.0	6.0	4.0
position	one	partially_filled	4.0	4.0	40.0
order	one	canceled	4.0	canceled	0
order	one	canceled	6.0	canceled	0
fill	one	canceled	6.0	2.0	6.0	0.0	6.0
position	one	canceled	6.0	6.0	60.0
order	one	filled	10.0	filled	0
fill	one	filled	10.0	4.0	10.0	0.0	10.0
position	one	filled	10.0	10.0	100.0
order	one	partially_filled	8.0	partially_filled	1
position	one	partially_filled	8.0	8.0	80.0
order	one	filled	10.0	filled	0
fill	one	filled	10.0	2.0	10.0	0.0	10.0
position	one	filled	10.0	10.0	100.0
]]
asks("late_app", 'sender = "VENUE", target = "ME"', LATE, "what trades after its order's "
     .. "end is told, and the order is what the venue says", "late", "hears")
put("forgets.lua",
    "local M = dofile 'hears.lua' M.params = { forgets = true } return M")
asks("forgotten", 'sender = "VENUE", target = "ME"', LATE,
     "also where the script has let go of the order", "late", "forgets")

-- ---- a bracket all of whose trades are taken back ----

-- Each step waits till the orders are there that it is about: 1 is the entry, then come
-- its exits.  Of the entry 4 of 10 never were, and of the exit that has sold all of it
-- nothing: it is open again.
put("busts.lua", [[
  local fix = require "tw.fix"
  local M = {}
  local orders = {}
  local execs, step = 0, 1
  local function say(o, exec, status, more)
    execs = execs + 1
    local m = { MsgType = "8", OrderID = o.n, ExecID = execs, ExecType = exec,
      OrdStatus = status, ClOrdID = o.id, OrigClOrdID = o.was, Symbol = "VV",
      Side = o.side, OrderQty = o.quantity, CumQty = o.cum, AvgPx = 10,
      LeavesQty = status:find "[24]" and 0 or o.quantity - o.cum }
    for name, value in pairs(more or {}) do m[name] = value end
    assert(fix.send(o.session, m))
    return execs
  end
  local function fill(o, n)
    o.cum = o.cum + n
    o.fill = say(o, "F", o.cum == o.quantity and "2" or "1", { LastQty = n, LastPx = 10 })
  end
  local function bust(o, n, status)
    o.cum = o.cum - n
    say(o, "H", status, { ExecRefID = o.fill })
  end
  local steps = {
    { 1, function(entry) fill(entry, 6) fill(entry, 4) end },
    { 3, function(_, exit)
        if exit.quantity == 10 then fill(exit, 10) else return true end end },
    { 3, function(entry, _, other)
        if other.is_over then bust(entry, 4, "4") else return true end end },
    { 3, function(_, exit) bust(exit, 10, "0") end },
  }
  function M:on_fix(message, session)
    local m, o = message, nil
    if m.MsgType == "D" then
      o = { n = #orders + 1, id = m.ClOrdID, side = m.Side, quantity = m.OrderQty,
            cum = 0, session = session }
      orders[o.n] = o
      say(o, "0", "0")
    elseif m.MsgType == "F" or m.MsgType == "G" then
      for _, i in ipairs(orders) do if i.id == m.OrigClOrdID then o = i end end
      o.was, o.id = o.id, m.ClOrdID
      if m.MsgType == "G" then o.quantity = m.OrderQty end
      o.is_over = m.MsgType == "F"
      say(o, o.is_over and "4" or "5", o.is_over and "4" or "0")
    end
  end
  function M:on_timer()
    local now = steps[step]
    if now and #orders == now[1] and not now[2](table.unpack(orders)) then
      step = step + 1
    end
  end
  return M]])
put("busted.lua", [[
  local M = {}
  function M:on_timer()
    if self.is_sent then return end
    self.is_sent = true
    self:buy { symbol = "VV", quantity = 10, price = 10, take_profit = 12,
               stop_loss = 8, label = "entry" }
  end
  function M:on_order(order, status, reason)
    if status == "rejected" then self.is_sent = false return end  -- not logged on yet
    if order.label == "stop_loss" then
      print(status, order.filled, order.quantity, self:position "VV")
    end
  end
  return M]])
asks("busted_app", 'sender = "VENUE", target = "ME"',
     "\nfilled\t10.0\t10.0\t0.0\nnew\t0.0\t10.0\t6.0\n"
     .. "pending_replace\t0.0\t10.0\t6.0\nnew\t0.0\t6.0\t6.0\n",
     "an exit that is open again is for what is held", "busts", "busted")

-- ---- a run that is halted while nobody is logged on ----

put("rests.lua", [[
  local fix = require "tw.fix"
  local M = {}
  function M:on_fix(message, session)
    local m, n = message, (self.n or 0) + 1
    local canceled = m.MsgType == "F"
    if not m.ClOrdID then return end               -- 35=AF: nothing to say
    self.n = n
    assert(fix.send(session, { MsgType = "8", OrderID = "1", ExecID = n,
      Symbol = m.Symbol, ClOrdID = m.ClOrdID, OrigClOrdID = m.OrigClOrdID, Side = m.Side,
      CumQty = 0, AvgPx = 0, LeavesQty = canceled and 0 or 1,
      OrdStatus = canceled and "4" or "0",
      ExecType = canceled and "4" or m.MsgType == "H" and "I" or "0" }))
  end
  return M]])
put("halts.lua", [[
  local fix, tw = require "tw.fix", require "tw"
  local M = {}
  local steps = {}
  function steps.none(self)
    self.step = "sent"
    self:buy { symbol = "VV", quantity = 1, price = 9 }
  end
  function steps.new(self)
    self.step = "leaves"
    fix.enable("broker", false)
  end
  function steps.leaves(self)
    if fix.status("broker").state ~= "down" then return end
    self.step = "halted"
    tw.halt "a test"
    self.halted = true
  end
  function M:on_timer()
    local step = steps[self.step or "none"]
    if step then step(self) end
  end
  function M:on_order(order, status, reason)
    if self.halted then print("halted", status, reason) end
    if status == "rejected" then self.step = "none" end     -- not logged on yet
    if status == "new" and not self.halted then self.step = "new" end
    if reason == "the gateway is not connected" and self.halted then
      fix.enable "broker"
    end
  end
  return M]])
asks("halted", 'sender = "VENUE", target = "ME"',
     "halted\tnew\tthe gateway is not connected\nhalted\tcanceled\tnil\n",
     "what could not be canceled then is when the session is up", "rests", "halts")

-- ---- what can't be ----

local function fails(name, more, want)
  put(name .. ".lua", APP:format('{ gateway = "broker" }', more))
  local run = command("run " .. name .. ".lua --seconds 1 --no-attach")
  t.ok(run.status ~= 0 and run.out:find(want, 1, true), name .. ": " .. want)
  if not run.out:find(want, 1, true) then t.diag(run.out) end
end

fails("nowhere", "", "gateway 'broker': there is none; app.gateway.fix { name =")
fails("option", 'app.gateway.fix { nme = "x" }', "app.gateway.fix: no option 'nme'")
fails("target", 'app.gateway.fix { host = "a", port = 1, sender = "x" }',
      "app.gateway.fix: target is missing")
fails("field", [[app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",
  target = "broker", fields = { Nonsense = "1" } }]],
      ": app.gateway.fix 'broker': fields: no field 'Nonsense'")
fails("logon", [[app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",
  target = "broker", logon = { Nonsense = "1" } }]],
      ": app.gateway.fix 'broker': logon: its dictionary has no field Nonsense")
for _, field in ipairs { "ClOrdID", "Price", "MsgSeqNum", "[54]" } do
  fails("twice", ('app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",'
                  .. ' target = "broker", fields = { %s = "1" } }'):format(field),
        "is no field to add: it is there already")
end
fails("account", [[app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",
  target = "broker", account = "A", fields = { Account = "B" } }]],
      "fields: 1 is no field to add")
fails("sub", [[app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",
  target = "broker", sender_sub = "A", fields = { SenderSubID = "B" } }]],
      "fields: 50 is no field to add")
local GROUP <const> = [[app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",
  target = "broker", version = "%s", fields = { NoPartyIDs = %s } }]]
fails("count", GROUP:format("FIX.4.4", '"1"'),
      "NewOrderSingle: NoPartyIDs (453) is '1': a list of tables expected")
fails("place", GROUP:format("FIX.4.4", "{ { PartyID = 'a', PartyRol = 3 } }"),
      "app.gateway.fix 'broker': fields: NewOrderSingle.NoPartyIDs[1]: the dictionary has"
      .. " no field 'PartyRol'")
fails("begins", GROUP:format("FIX.4.4", "{ { PartyRole = 3 } }"),
      "PartyID (448) begins each entry of the group")
fails("older", GROUP:format("FIX.4.2", "{ { PartyID = 'a' } }"), "no field 'NoPartyIDs'")
fails("table", [[app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",
  target = "broker", fields = { Text = {} } }]], "NewOrderSingle: Text (58) is table")
fails("long", GROUP:format("FIX.4.4", "{ { PartyID = ('x'):rep(2048) } }"),
      "fields: more than 2048 bytes")
fails("thrice", [[app.gateway.fix { host = "127.0.0.1", port = 1, sender = "x",
  target = "broker", fields = { HandlInst = "1", [21] = "2" } }]],
      "fields: 21 is there twice")

-- ---- a backtest has no gateway ----

put("back.lua", [[
  local M = require "tw.strategy".new { doc = "buys once",
                                        account = { gateway = "broker" } }
  function M:on_quote(symbol)
    if not self.o then self.o = self:buy { symbol = symbol, quantity = 1 } end
  end
  function M:on_fill() print "filled" end
  return M]])
put("data.csv", "time,symbol,bid,ask\n1700000000,A,10,11\n1700000001,A,10,11\n"
    .. "1700000002,A,10,11\n")
local back = command "backtest back.lua --data data.csv"
t.ok(back.out:find "filled", "the same script in a backtest")
if not back.out:find "filled" then t.diag(back.out) end

t.done()
