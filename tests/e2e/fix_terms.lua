--- fix_terms: the market's hours, ticks and lots hold for peers of FIX sessions, too; and
-- its time passes where no feed says so.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local VENUE <const> = [[
  app.fix.open { orders = true }
  app.fix.acceptor { port = 0, sessions = {
    { name = "venue", sender = "VENUE", target = "ME", orders = true } } }
  app.fix.session { name = "broker", loopback = true, sender = "ME", target = "VENUE",
    retry = 0.1 }
  app.script("s.lua", { workers = { 0 } })]]

-- The market SHUT opens in three days.
local run = apps.run {
  app = VENUE .. ([[

    app.calendar("later", { open = "08:00", close = "16:00", days = "%s" })
    app.instruments { { symbol = "OPEN", tick_size = 0.01, lot_size = 1 },
                      { symbol = "SHUT", calendar = "later" } }
    app.feed.timer { every = 0.02 }]])
    :format(os.date("!%a", os.time() + 3 * 86400):lower()),
  args = { "--workers", "1" },
  ["s.lua"] = [[
    M.sessions = "broker"
    local fix = tw.fix
    local steps = {
      { MsgType = "D", Symbol = "SHUT", OrderQty = 1, Price = 9 },
      { MsgType = "D", Symbol = "OPEN", OrderQty = 1.5, Price = 9 },
      { MsgType = "D", Symbol = "OPEN", OrderQty = 1, Price = 9.001 },
      { MsgType = "D", Symbol = "OPEN", OrderQty = 1, Price = 9 },
      { MsgType = "G", Symbol = "OPEN", OrderQty = 1, Price = 9.001, OrigClOrdID = 4 },
    }
    local at = 0
    local function next_step()
      at = at + 1
      local m = steps[at]
      if not m then ]] .. apps.stop .. [[ return end
      m.ClOrdID, m.Side, m.OrdType, m.TransactTime = at, 1, "2", tw.now()
      assert(fix.send("broker", m))
    end
    function M:on_fix_event(session, event)
      if event == "logged_on" then next_step() end
    end
    function M:on_fix(message)
      print(message.MsgType, message.ClOrdID, message.OrdStatus, message.OrdRejReason,
            message.CxlRejReason, message.Text)
      next_step()
    end]] }
if not t.is(run.out, [[
8	1	8	2	nil	the market is closed
8	2	8	11	nil	the quantity is not a multiple of the lot size: 1.5 with lots of 1
8	3	8	11	nil	the price is not a multiple of the tick size: 9.001 with ticks of 0.01
8	4	0	nil	nil	nil
9	5	0	nil	99	the price is not a multiple of the tick size: 9.001 with ticks of 0.01
]], "a shut market, and orders off the lot or the tick") then t.diag(run.err) end

run = apps.run {
  app = VENUE .. '\napp.instruments { { symbol = "OPEN" } }',
  args = { "--workers", "1" },
  ["s.lua"] = [[
    M.sessions = "broker"
    local fix, first = tw.fix, nil
    function M:on_fix_event(session, event)
      if event ~= "logged_on" then return end
      assert(fix.send("broker", { MsgType = "D", ClOrdID = 1, Symbol = "OPEN", Side = 1,
        OrdType = "2", OrderQty = 1, Price = 9, TimeInForce = "6",
        ExpireTime = tw.now() + 500000000, TransactTime = tw.now() }))
    end
    function M:on_fix(message)
      local time = message.TransactTime
      print(message.ExecType, message.OrdStatus, not first or time > first)
      first = time
      if message.OrdStatus == "C" then ]] .. apps.stop .. [[ end
    end]] }
if not t.is(run.out, "0\t0\ttrue\nC\tC\ttrue\n", "an order that runs out, without a feed")
then t.diag(run.err) end

run = apps.run {
  app = VENUE .. '\napp.instruments { { symbol = "OPEN" } }',
  args = { "--workers", "1" },
  ["s.lua"] = [[
    M = require "tw.strategy".new { doc = "is late",
                                    account = { fill = "book", latency = 0.2 } }
    M.sessions = "broker"
    local fix = tw.fix
    function M:on_fix_event(session, event)
      if event ~= "logged_on" then return end
      assert(fix.send("broker", { MsgType = "D", ClOrdID = 1, Symbol = "OPEN", Side = 1,
        OrdType = "2", OrderQty = 1, Price = 9, TransactTime = tw.now() }))
    end
    function M:on_fix(message)
      if message.ExecType == "0" then
        self:sell { symbol = "OPEN", quantity = 1, price = 9 }
      end
    end
    function M:on_order(order)
      print(order.status)
      if order.status == "filled" then ]] .. apps.stop .. [[ end
    end]] }
if not t.is(run.lines[3], "filled", "a script's order that is under way, likewise") then
  t.diag(run.err)
end

t.done()
