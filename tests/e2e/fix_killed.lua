--- fix_killed: a venue is killed, again and again, while peers trade in its book: what
--- they were told stands, what stands is told once, and what was open has ended.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local processes = require "processes"

local VENUE <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.fix.open { orders = true }
  app.fix.acceptor { port = %d,
    sessions = { { sender = "VENUE", target = "BUY", orders = true, store = "venue" } },
    template = { sender = "VENUE", target = "*", orders = true, store = "venue" } }]]

local PEER <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.004 }
  app.script("peer.lua", { params = { side = "%s" } })
  app.fix.session { name = "venue", host = "127.0.0.1", port = %d, sender = "%s",
    target = "VENUE", retry = 0.02, store = "%s" }]]

-- Sends what a file SIDE.orders says, line by line; SIDE.go: it sends all the time.  All
-- that it is told must add up, and it says what was told.
local SCRIPT <const> = processes.SAY .. [[
  local tw = require "tw"
  local fix = tw.fix
  local M = { params = { side = "" } }
  local function is_there(name)
    local file <close> = io.open(name)
    return file ~= nil
  end
  function M:on_start()
    self.sent, self.open, self.lines, self.total, self.traded = 0, 0, 0, 0, 0
    self.orders, self.seen, self.tickets = {}, {}, {}
  end
  function M:order(id, quantity, price)
    local ticket = fix.send("venue", { MsgType = "D", ClOrdID = id, Symbol = "VV",
        Side = self.params.side, OrdType = "LIMIT", Price = price, OrderQty = quantity,
        TransactTime = tw.now() })
    if ticket then
      self.tickets[ticket] = id
      self.orders[id] = { cum = 0 }
      self.open = self.open + 1
      return true
    end
  end
  function M:on_timer()
    local side = self.params.side
    local file = io.open(side .. ".orders")
    if file then
      local n = 0
      for line in file:lines() do
        n = n + 1
        local id, quantity, price = line:match "(%S+) (%d+) (%d+)"
        if n > self.lines and self:order(id, tonumber(quantity), tonumber(price)) then
          self.lines = n
        end
      end
      file:close()
    end
    if is_there(side .. ".go") and self.open < 8
      and self:order(side .. self.sent, 1 + self.sent % 7, 99) then
      self.sent = self.sent + 1
    end
    if is_there(side .. ".stop") then self:stop() end
  end
  function M:stop()
    for id, order in pairs(self.orders) do
      if not order.over and not order.asked then
        order.asked = true
        local ticket = fix.send("venue", { MsgType = "F", ClOrdID = "C" .. id,
          OrigClOrdID = id, Symbol = "VV", Side = self.params.side, OrderQty = 1,
          TransactTime = tw.now() })
        if ticket then self.tickets[ticket] = id else order.asked = nil end
      end
    end
    if self.open == 0 then
      say("total", self.total)
      os.remove(self.params.side .. ".stop")
    end
  end
  function M:on_fix(message)
    local m = message
    if m.name == "OrderCancelReject" then return end
    if m.name ~= "ExecutionReport" then return say("WRONG", m) end
    local id = m.OrigClOrdID or m.ClOrdID
    local order = self.orders[id]
    if self.seen[m.ExecID] then say("WRONG twice", m) end
    self.seen[m.ExecID] = true
    if order.over and not (order.over == "8" and m.OrdStatus == "8") then
      say("WRONG after its end", m)
    end
    if m.ExecType == "F" then
      order.cum = order.cum + m.LastQty
      self.total = self.total + m.LastQty
      self.traded = self.traded + 1
      if self.traded % 20 == 0 then say("traded", self.traded) end
    end
    if order.cum ~= m.CumQty then say("WRONG sum", order.cum, m) end
    if m.OrdStatus:find "[248]" and not order.over then
      order.over = m.OrdStatus
      self.open = self.open - 1
      if m.LeavesQty ~= 0 then say("WRONG rest", m) end
    end
    if not id:find "^BUY" and not id:find "^SELL" then
      say("told", id, m.ExecType, m.OrdStatus, ("%g"):format(m.CumQty),
          ("%g"):format(m.LeavesQty), m.Text or "")
    end
  end
  function M:on_fix_event(session, event, text, from)
    if event == "unsent" then                            -- nobody has got it
      local order = self.orders[self.tickets[from] ]
      if order.asked then
        order.asked = nil
      else
        order.over = event
        self.open = self.open - 1
      end
    end
    say(event)
  end
  return M]]

local dir = apps.folder "fix-killed"
local p, port = processes.open(dir), apps.free_port()
p.put("venue.lua", VENUE:format(port))
p.put("peer.lua", SCRIPT)
p.put("buy.lua", PEER:format("BUY", port, "BUY", "buy"))
p.put("sell.lua", PEER:format("SELL", port, "SELL", "sell"))
local venue, buy, sell = p.run "venue", p.run "buy", p.run "sell"
local EMPTY <const> = "the venue began anew: its book is empty"

-- An order that has traded in part, and one that has not.
p.put("BUY.orders", "b1 10 90\nb2 5 80\n")
t.ok(p.await(buy, "told b2 0 0 0 5"), "two orders are open")
p.put("SELL.orders", "s1 4 90\n")
t.ok(p.await(buy, "told b1 F 1 4 6") and p.await(sell, "told s1 F 2 4 0"), "one trades")
p.kill(venue, 9)
venue = p.run "venue"
t.ok(p.await(buy, "told b1 4 4 4 0 " .. EMPTY), "after kill -9 it has ended")
t.ok(p.await(buy, "told b2 4 4 0 0 " .. EMPTY), "so has the other")

-- What traded while its peer was away, and is told nobody yet.
p.put("SELL.orders", "s1 4 90\ns2 10 95\n")
t.ok(p.await(sell, "told s2 0 0 0 10"), "an order more")
p.kill(sell, 9)
p.put("BUY.orders", "b1 10 90\nb2 5 80\nb3 3 95\n")
t.ok(p.await(buy, "told b3 F 2 3 0"), "trades while who sent it is away")
p.kill(venue, 9)
venue = p.run "venue"
p.put("SELL.orders", "")
p.put("peer.lua", (SCRIPT:gsub("self.orders, self.seen, self.tickets = {}, {}, {}",
                               "%0\nself.orders.s2 = { cum = 0 }")))
sell = p.run "sell"
t.ok(p.await(sell, "told s2 F 1 3 7"), "which it is told after all")
t.ok(p.await(sell, "told s2 4 4 3 0 " .. EMPTY), "and then that it has ended")
p.kill(sell, 9)
p.kill(venue, 9)
venue = p.run "venue"
p.put("peer.lua", SCRIPT)
sell = p.run "sell"

-- Both trade all the time, and the venue is killed where it just is.
p.put("BUY.go", "")
p.put("SELL.go", "")
for i = 1, 6 do
  local n = p.count(buy, "traded")
  p.await_count(buy, "traded", n + 1)
  p.kill(venue, 9)
  venue = p.run "venue"
end
os.remove(dir .. "/BUY.go")
os.remove(dir .. "/SELL.go")
t.ok(p.count(buy, "traded") >= 6, "six times")
p.kill(venue, 9)
venue = p.run "venue"
p.put("BUY.stop", "")
p.put("SELL.stop", "")
t.ok(p.await(buy, "total") and p.await(sell, "total"), "all orders have ended")
local function total(peer)
  return tonumber(p.read(peer .. ".out"):match ".*\ntotal (%S+)")
end
t.ok(total "buy" - 7 == total "sell", "both sides have traded the same")
t.diag(("bought %s, sold %s"):format(total "buy", total "sell"))
for _, peer in ipairs { "buy", "sell" } do
  local wrong = p.read(peer .. ".out"):match "\nWRONG[^\n]*"
  t.ok(not wrong, peer .. ": all that was told adds up")
  if wrong then t.diag(wrong) end
end
t.ok(not p.read "venue.out":find("make no sense", 1, true), "and all that was kept")

-- Another venue does not take the folder.
p.put("other.lua", (VENUE:format(apps.free_port()):gsub('"BUY"', '"OTHER"')))
local other = p.run "other"
t.ok(p.await_in("other.out", "another run whose book has peers keeps their orders there"),
     "no other venue has the folder")
for _, one in ipairs { venue, buy, sell, other } do p.kill(one, "TERM") end
t.done()
