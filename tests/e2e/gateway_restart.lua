--- gateway_restart: a trader is killed with an open order, and finds it again: what
--- trades meanwhile and after that is in its position, with a store and without one.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local processes = require "processes"

local p                                  -- those of a scene

-- Sells at the venue when it is told how much and at what price, in files sell1, sell2,
-- ...; less than nothing is bought.
local SELLER <const> = [[
  local M = require "tw.strategy".new { doc = "sells what it is told" }
  function M:on_start() self.n = 1 end
  function M:on_timer()
    local file <close> = io.open(("sell%d"):format(self.n))
    local quantity, price
    if file then quantity, price = file:read("n", "n") end
    if not quantity then return end
    self.n = self.n + 1
    local send = quantity > 0 and self.sell or self.buy
    send(self, { symbol = "VV", quantity = math.abs(quantity), price = price or 99 })
  end
  return M]]

local VENUE <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.account { fill = "book" }
  app.script "seller.lua"
  app.fix.acceptor { port = %d, sessions = { { sender = "VENUE", target = "ME",
    orders = true } } }]]

local BUYER <const> = [[
  local M = require "tw.strategy".new { doc = "buys once in its life" }
  function M:on_timer()
    local first = io.open "bought"
    if first then first:close() end
    if not first then
      io.open("bought", "w"):close()
      self:buy { symbol = "VV", quantity = 10, price = 99 }
    end
    local cancel = io.open "cancel"
    if cancel then cancel:close() end
    for _, order in ipairs(self:orders()) do
      if cancel and order.status ~= "pending_cancel" then order:cancel() end
    end
  end
  function M:on_order(status, reason, filled, quantity, price)
    if status == "rejected" then os.remove "bought" end   -- not logged on yet
    print("order", status, reason, filled, quantity, price)
  end
  function M:on_fill(quantity, price)
    print(("fill %%g at %%g, holds %%g"):format(quantity, price, self:position "VV"))
  end
  return M]]

local TRADER <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.account { gateway = "broker" }
  app.script "buyer.lua"
  app.gateway.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
    target = "VENUE", retry = 0.02, %s }]]

-- Sends what the app's params say, once in its life, and tells of each order by its
-- label.
local TIED <const> = [[
  local M = require "tw.strategy".new { doc = "brackets, groups",
    params = { oco = 0, cut = 0 } }
  function M:on_timer()
    local first = io.open "bought"
    if first then return first:close() end
    io.open("bought", "w"):close()
    local function terms(label, price, more)
      local o = { symbol = "VV", quantity = 10, price = price, label = label }
      for name, value in pairs(more or {}) do o[name] = value end
      return o
    end
    if self.params.oco == 0 then
      self:buy(terms("an entry", 99, { take_profit = 101, stop_loss = 97 }))
    else
      self:oco(terms("high", 98, { side = "buy" }), terms("low", 97, { side = "buy" }))
    end
  end
  function M:on_order(order, status, label, reason)
    if status == "new" then print(("%s is of %%g"):format(label, order.quantity)) end
    if self.params.cut > 0 and label == "stop_loss" and status == "new"
        and order.quantity == 6 then
      order:modify { quantity = self.params.cut }
    end
    if status == "rejected" and (label == "an entry" or label == "low") then
      os.remove "bought"                                  -- not logged on yet
    end
    print("order", label, status, reason)
  end
  function M:on_fill(quantity, price, label)
    print(("fill %s %%g at %%g, holds %%g"):format(label, quantity, price,
          self:position "VV"))
  end
  return M]]

-- It has no handler of orders, and asks for them when it is told to.
local QUIET <const> = [[
  local M = {}
  local function is_there(name)
    local file <close> = io.open(name)
    return file ~= nil
  end
  function M:on_timer()
    if not is_there "bought" then
      io.open("bought", "w"):close()
      self.order = self:buy { symbol = "VV", quantity = 10, price = 99 }
    end
    if self.order and self.order.status == "rejected" then os.remove "bought" end
    if self.order and self.order.status == "new" then print "it is open" end
    if is_there "look" then print("orders", #self:orders()) end
  end
  return M]]

-- It never trades, though it could, and halts the run when it is told to.
local OTHER <const> = [[
  local tw = require "tw"
  local M = {}
  function M:on_timer()
    local file <close> = io.open "halt"
    if file and not tw.is_halted() then tw.halt "a test" end
  end
  return M]]

local function scene(name, options, script)
  local port = apps.free_port()
  p = processes.open((apps.folder("restart-" .. name)))
  p.put("seller.lua", SELLER)
  p.put("buyer.lua", (BUYER:gsub("%%%%", "%%")))
  p.put("tied.lua", (TIED:gsub("%%%%", "%%")))
  p.put("quiet.lua", QUIET)
  p.put("other.lua", OTHER)
  p.put("venue.lua", VENUE:format(port))
  p.put("trader.lua", (TRADER:format(port, options):gsub('"buyer.lua"', script or "%0")))
  return p.run "venue", p.run "trader"
end

local FORMER <const> = "it was sent by a former run"

local venue, trader = scene("store", 'store = "store"')
t.ok(p.await(trader, "order\tnew\tnil\t0.0\t10.0\t99.0"), "an order is open")
p.put("sell1", "2")
t.ok(p.await(trader, "fill 2 at 99, holds 2"), "and trades")
p.kill(trader, 9)
p.put("sell2", "3")
trader = p.run "trader"
t.ok(p.await(trader, ("order\tpartially_filled\t%s\t2.0\t10.0\t99.0"):format(FORMER)),
     "after kill -9 it is there again")
t.ok(p.await(trader, "fill 3 at 99, holds 5"), "what traded meanwhile is told")
p.kill(trader, 9)
trader = p.run "trader"
p.put("sell3", "1")
t.ok(p.await(trader, "fill 1 at 99, holds 6"), "once more: nothing is booked twice")
p.put("cancel", "")
t.ok(p.await(trader, "order\tcanceled\tnil\t6.0\t10.0\t99.0"), "and it can be canceled")
t.ok(not p.read "trader.out":find("nobody here has sent", 1, true), "all of it is known")
p.kill(trader, "TERM")
p.kill(venue, "TERM")

venue, trader = scene("none", "reset_on_logon = true")
t.ok(p.await(trader, "order\tnew\tnil\t0.0\t10.0\t99.0"), "without a store: an order")
p.kill(trader, 9)
p.put("sell1", "2")
trader = p.run "trader"
t.ok(p.await(trader, ("order\tnew\t%s\t0.0\t10.0\t99.0"):format(FORMER)),
     "is that of the only script")
t.ok(p.await(trader, "fill 2 at 99, holds 2"), "which has what it traded")
p.put("cancel", "")
t.ok(p.await(trader, "order\tcanceled\tnil\t2.0\t10.0\t99.0"), "and cancels it")
p.kill(trader, "TERM")
p.kill(venue, "TERM")

-- Of two scripts that ask for no orders only a store would say whose it is, also while
-- no more than the first of them has traded.
venue, trader = scene("two", "reset_on_logon = true",
                      '("quiet.lua") app.script "other.lua"')
t.ok(p.await(trader, "it is open"), "one of two has an order")
p.kill(trader, 9)
p.put("look", "")
trader = p.run "trader"
t.ok(p.await_in("trader.out", "a former run, but of which script only a store would"),
     "it is nobody's then")
t.ok(p.await_count(trader, "orders\t0", p.count(trader, "orders\t0") + 2)
     and p.count(trader, "orders\t1") == 0, "nor of the first who asks")
p.kill(trader, "TERM")
p.kill(venue, "TERM")

-- A run that is halted while it is logged on cancels what a script has left open that it
-- does not have.
venue, trader = scene("gone", 'store = "store", log = "log"')
t.ok(p.await(trader, "order\tnew\tnil\t0.0\t10.0\t99.0"), "an order is open")
p.kill(trader, 9)
p.put("trader.lua", (p.read "trader.lua":gsub("buyer.lua", "other.lua")))
trader = p.run "trader"
t.ok(p.await_in("trader.out", "a script that this run does not have, buyer.lua"),
     "whose script is not there any more")
t.ok(not p.read "log/broker.log":find("35=F", 1, true), "it stays")
p.put("halt", "")
t.ok(p.await_in("log/broker.log", "39=4"), "until the run is halted")
p.kill(trader, "TERM")
p.kill(venue, "TERM")

-- The parent trades while its script is dead: the orders that wait for it go out then.
-- The script is killed again, and one of the two trades while it is: the other goes.
venue, trader = scene("bracket", 'store = "store"', '("tied.lua")')
t.ok(p.await(trader, "order\tan entry\tnew\tnil"), "an entry is open, its exits wait")
t.ok(p.await_in("store/broker.orders", "stop_loss"), "both of them, in the file")
do
  -- In the first line of each: what waits is kept before the entry can go out.
  local lines = p.read "store/broker.orders"
  local entry = lines:match "T (%d+) %d %d 0 0 an%%20entry\n"
  local sent = entry and lines:find("O " .. entry .. " ", 1, true)
  t.ok(sent and lines:find("take_profit\n", 1, true) < sent
       and lines:find("stop_loss\n", 1, true) < sent, "before the entry is")
  if not sent then t.diag(lines) end
end
p.kill(trader, 9)
p.put("sell1", "10")
trader = p.run "trader"
t.ok(p.await(trader, "fill an entry 10 at 99, holds 10"), "it has traded meanwhile")
t.ok(p.await(trader, "order\ttake_profit\tpending_new\t" .. FORMER)
     and p.await(trader, "order\tstop_loss\tpending_new\t" .. FORMER),
     "the exits are there, with their labels")
t.ok(p.await(trader, "order\ttake_profit\tnew\tnil")
     and p.await(trader, "order\tstop_loss\tnew\tnil"), "and go out")
p.kill(trader, 9)
p.put("sell2", "-10 101")
trader = p.run "trader"
t.ok(p.await(trader, "order\tstop_loss\tnew\t" .. FORMER), "both are found again")
t.ok(p.await(trader, "fill take_profit 10 at 101, holds 0"), "one has traded")
t.ok(p.await(trader, "order\tstop_loss\tcanceled\tnil"), "the other goes")
p.kill(trader, "TERM")
p.kill(venue, "TERM")

-- One that its owner has made smaller stays so in the next run, as its entry trades on.
venue, trader = scene("cut", 'store = "store", log = "log"',
                      '("tied.lua", { params = { cut = 4 } })')
t.ok(p.await(trader, "order\tan entry\tnew\tnil"), "an entry is open once more")
p.put("sell1", "6")
t.ok(p.await(trader, "stop_loss is of 6") and p.await(trader, "stop_loss is of 4")
     and p.await(trader, "take_profit is of 6"), "an exit is made smaller")
p.kill(trader, 9)
trader = p.run "trader"
t.ok(p.await(trader, "order\tstop_loss\tnew\t" .. FORMER), "it is there again")
p.put("sell2", "4")
t.ok(p.await(trader, "take_profit is of 10"), "the other one grows")
p.kill(trader, "TERM")
do
  local since = p.read "log/broker.log":match ".*35=A(.*)"
  t.is(select(2, since:gsub("35=G", "")), 1, "it does not")
end
p.kill(venue, "TERM")

venue, trader = scene("oco", 'store = "store"', '("tied.lua", { params = { oco = 1 } })')
t.ok(p.await(trader, "order\thigh\tnew\tnil") and p.await(trader, "order\tlow\tnew\tnil"),
     "two of which one cancels the other")
p.kill(trader, 9)
p.put("sell1", "10 98")
trader = p.run "trader"
t.ok(p.await(trader, "fill high 10 at 98, holds 10"), "one trades while nobody is there")
t.ok(p.await(trader, "order\tlow\tcanceled\tnil"), "the other is canceled")
p.kill(trader, "TERM")
p.kill(venue, "TERM")

-- A script that has no handler of orders, and has not asked for them yet when the session
-- is up again: they are not nobody's, which would be canceled.
venue, trader = scene("quiet", 'store = "store", cancel_unknown = true', '("quiet.lua")')
t.ok(p.await(trader, "it is open"), "an order of who hears of none")
p.kill(trader, 9)
trader = p.run "trader"
t.ok(p.await(trader, "tidewire: gateway broker: quiet.lua goes on with 1 orders"),
     "is its own from the start")
p.put("look", "")
t.ok(p.await(trader, "orders\t1"), "and there")
t.ok(not p.read "trader.out":find("does not have", 1, true), "nobody asks whose it is")
p.kill(trader, "TERM")
p.kill(venue, "TERM")

-- A store that is damaged: the run does not begin with another position than it had.
local dir, put, command = apps.folder "damaged"
put("app.lua", [[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.script("buyer.lua", { account = { gateway = "broker" } })
  app.gateway.fix { name = "broker", host = "127.0.0.1", port = 9, sender = "ME",
                    target = "VENUE", store = "store" }]])
put("buyer.lua", BUYER)
assert(os.execute("mkdir " .. dir .. "/store"))
put("store/broker.orders", "P buyer VV 1000 0:5\nP buyer WW 10o0 0:5\n")
local run = command "run app.lua --seconds 1 --no-attach"
local why <const> = "store/broker.orders: line 2, of a position: quantity '10o0' is no "
  .. "number; mend the line"
local fine = t.ok(run.status == 1 and run.err:find(why, 1, true),
                  "a number that is none is told, and nothing begins")
if not fine then t.diag(run.err) end
t.ok(apps.read(dir .. "/store/broker.orders"):find "10o0", "the file is as it was")

t.done()
