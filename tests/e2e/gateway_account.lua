--- gateway_account: a trader is killed, or ends, and its account goes on: cash, fees,
--- what was realised, and what the day has lost.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local processes = require "processes"

local dir = apps.folder "account"
local p = processes.open(dir)             -- of a scene
local port = apps.free_port()

-- A script does what a file of its name says, and tells of what it has when that
-- changes.
local SCRIPT <const> = processes.SAY .. [[
  local M = require "tw.strategy".new { doc = "does what it is told",
                                           params = { symbol = "VV" } }
  local function number(x) return ("%.6g"):format(x) end
  function M:tell(...) say(self.name, ...) end
  function M:on_timer()
    local file = io.open("do_" .. self.name)
    if file then
      local code = file:read "a"
      file:close()
      os.remove("do_" .. self.name)
      assert(load(code))()(self)
    end
    local account = self.account
    local now = table.concat({ number(self:position(self.params.symbol)), "cash",
      number(account.cash), number(account:cash_in "EUR"), "fees", number(account.fees),
      "realised", number(account.realised), "equity", number(account.equity), "trades",
      account:position(self.params.symbol).trades }, " ")
    if now ~= self.last then self:tell("has", now) end
    self.last = now
  end
  function M:on_order(status, reason, label)
    self:tell("order", label, status, reason)
  end
  return M]]

p.put("script.lua", SCRIPT)

local INSTRUMENTS <const> = [[
  app.instruments {
    { symbol = "VV", tick_size = 0.01, lot_size = 1 },
    { symbol = "WW", tick_size = 0.01, lot_size = 1, currency = "EUR" } }]]

p.put("venue.lua", ([[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  %s
  app.account { fill = "book", rates = { EUR = 1.25 } }
  app.script("script.lua", { name = "maker" })
  app.fix.acceptor { port = %d, sessions = { { sender = "VENUE", target = "ME",
    orders = true } } }]]):format(INSTRUMENTS, port))

local function put_trader(cash)
  p.put("trader.lua", ([[
    local app = require "tw.app"
    app.feed.timer { every = 0.02 }
    %s
    app.account { gateway = "broker", cash = %d, rates = { EUR = 1.25 },
                  fees = { per_order = 1, percent = 0.1, minimum = 2 } }
    app.risk { daily_loss = 50, position = 16 }
    app.script("script.lua", { name = "one" })
    app.script("script.lua", { name = "two", params = { symbol = "WW" } })
    app.gateway.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
      target = "VENUE", retry = 0.02, store = "store" }]]
    ):format(INSTRUMENTS, cash, port))
end

local function make(who, code)
  p.put("do.new", ("return function(self) %s end"):format(code))
  assert(os.rename(dir .. "/do.new", dir .. "/do_" .. who))
end

local trader
local function begin()
  os.remove(dir .. "/trader.out")
  trader = p.run "trader"
end

local function again(how)
  p.kill(trader, how)
  begin()
end

local function mend(f)
  p.kill(trader, "TERM")
  local name <const> = "store/broker.orders"
  p.put(name, f(p.read(name)))
  begin()
end

-- Until the session is up an order is refused.
local function order(who, label, code)
  local n = 0
  while true do
    n = n + 1
    local name <const> = label .. n
    make(who, code:gsub("}", (", label = %q }"):format(name)))
    local at <const> = processes.wait(function()
      local text = "\n" .. p.read "trader.out"
      return text:match(("\n%s order %s (new)"):format(who, name))
          or text:match(("\n%s order %s (rejected [^\n]+)"):format(who, name))
          or text:match(("\n%s order %s (filled)"):format(who, name))
    end)
    if not (at and at:find("not connected", 1, true)) then return at end
  end
end

local function has(what, name) t.ok(p.await(trader, what), name .. ": " .. what) end

put_trader(10000)
local venue = p.run "venue"
begin()
t.is(order("one", "a", 'self:buy { symbol = "VV", quantity = 10, price = 99 }'), "new",
     "an order is open")
make("maker", 'self:sell("VV", 4, 99)')
has("one has 4 cash 9602 0 fees 2 realised 0 equity 9998 trades 1", "it trades")
again(9)
has("one has 4 cash 9602 0 fees 2 realised 0 equity 9998 trades 1", "after kill -9")
mend(function(lines)           -- so that the day does not end while this is tested
  return (lines:gsub("(A one %d+) (%d+) ", function(account, ends)
    return ("%s %d "):format(account, ends + 86400 * 1000000000)
  end))
end)
has("one has 4 cash 9602 0 fees 2 realised 0 equity 9998 trades 1", "the day is longer")
p.kill(trader, 9)
make("maker", 'self:sell("VV", 2, 99)')
begin()
has("one has 6 cash 9404 0 fees 2 realised 0 equity 9998 trades 2",
    "a trade while it was dead is in the fee of its order")

-- Killed while trades come: whatever it has heard of them.
for i = 1, 3 do
  make("maker", 'self:sell("VV", 1, 99)')
  if i == 2 then p.await_in("store/broker.orders", "F one 4 ") end
  again(9)
  has(("one has %d cash %d 0 fees 2 realised 0 equity 9998 trades %d"):format(6 + i,
      9404 - 99 * i, 2 + i), "killed as it traded")
end

t.is(order("two", "b", 'self:buy { symbol = "WW", quantity = 8, price = 50 }'), "new",
     "an order of another script, in another currency")
make("maker", 'self:sell("WW", 8, 50)')
has("two has 8 cash 10000 -402 fees 2.5 realised 0 equity 9997.5 trades 1", "trades")

again(9)
t.is(order("one", "p", 'self:buy { symbol = "WW", quantity = 9, price = 1 }'),
     "rejected the position of all scripts would be above its limit",
     "what another script held in a former run is in the position of all")

make("maker", 'self:buy("VV", 9, 90)')
t.is(order("one", "c", 'self:sell { symbol = "VV", quantity = 9, price = 90 }'), "new",
     "a loss")
has("one has 0 cash 9915 0 fees 4 realised -81 equity 9915 trades 6", "is realised")
again "TERM"
has("one has 0 cash 9915 0 fees 4 realised -81 equity 9915 trades 6", "after its end")
has("two has 8 cash 10000 -402 fees 2.5 realised 0 equity 9997.5 trades 1", "both go on")
local LOST <const> = "rejected the limit for a day's loss is reached"
t.is(order("two", "d", 'self:buy { symbol = "WW", quantity = 1, price = 1 }'), LOST,
     "the day's loss is not forgotten")
again(9)
has("one has 0 cash 9915 0 fees 4 realised -81 equity 9915 trades 6", "after kill -9")
t.is(order("one", "e", 'self:buy { symbol = "VV", quantity = 1, price = 1 }'), LOST,
     "nor is it then")

mend(function(lines)           -- the same as if the run had gone on over midnight
  return (lines:gsub("(A %w+ %d+) %d+ ", "%1 1 "))
end)
t.is(order("one", "f", 'self:buy { symbol = "VV", quantity = 1, price = 1 }'), "new",
     "the next day counts anew")
has("one has 0 cash 9915 0 fees 4 realised -81 equity 9915 trades 6", "the rest goes on")

p.kill(trader, 9)
put_trader(12000)
begin()
has("tidewire: warning: account: one: the app says another cash than in the former run:"
    .. " the difference counts as a deposit of 2000", "another cash is told")
has("one has 0 cash 11915 0 fees 4 realised -81 equity 11915 trades 6", "and counts")

-- As a program has left it that kept no accounts.
mend(function(lines)
  return (("\n" .. lines):gsub("\n[ACHEF] [^\n]*", ""):gsub("\n%.", ""):sub(2))
end)
has("one has 0 cash 12000 0 fees 0 realised 0 equity 12000 trades 0", "an old store")
has("two has 8 cash 12000 -400 fees 0 realised 0 equity 12000 trades 1", "has positions")

p.kill(trader, "TERM")
p.kill(venue, "TERM")

-- Trades are taken back whose order has ended: what it was charged is known, whether the
-- script has let go of it or another run had sent it.
p = processes.open((apps.folder "account-late"))
dir = p.directory
p.put("script.lua", SCRIPT)
p.put("late.lua", [[
  local fix = require "tw.fix"
  local M = {}
  local order
  local n = 0
  local function report(exec, kind, status, filled, more)
    local m = { MsgType = "8", OrderID = "X", ClOrdID = order.ClOrdID, ExecID = exec,
      ExecType = kind, OrdStatus = status, Symbol = "VV", Side = "1", OrderQty = 10,
      LeavesQty = status == "2" and 0 or 10 - filled, CumQty = filled, AvgPx = 99 }
    for name, value in pairs(more or {}) do m[name] = value end
    return fix.send("venue", m)
  end
  function M:on_fix(message)
    if message.MsgType == "G" then               -- which gets no answer
      assert(report("g", "F", "2", 10, { LastQty = 10, LastPx = 99 }))
    end
    if message.MsgType ~= "D" then return end
    order, n = { ClOrdID = message.ClOrdID }, n + 1
    assert(report("n" .. n, "0", "0", 0))
    if n > 1 then return end
    assert(report("a", "F", "1", 6, { LastQty = 6, LastPx = 99 }))
    assert(report("b", "F", "2", 10, { LastQty = 4, LastPx = 99 }))
  end
  -- What the file asks for, once somebody is there.
  local function say(file, ...)
    local is_asked <close> = io.open(file)
    if is_asked and report(...) then os.remove(file) end
  end
  function M:on_timer()
    say("more", "more", "F", "4", 3, { LastQty = 3, LastPx = 99, LeavesQty = 0 })
    say("cost", "c", "F", "4", 2, { LastQty = 2, LastPx = 99, LeavesQty = 0,
        Commission = 2, CommType = "3", CommCurrency = "GBP" })
    for ref, left in pairs { a = 0, b = 6, g = 0 } do
      say("end_" .. ref, "end " .. ref, "H", "4", left,
          { ExecRefID = ref, LeavesQty = 0 })
    end
  end
  return M]])
p.put("venue.lua", ([[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.script "late.lua"
  app.fix.acceptor { port = %d, sessions = { { name = "venue", sender = "VENUE",
                                               target = "ME" } } }]]):format(port))
put_trader(10000)
venue = p.run "venue"
begin()
order("one", "a", 'self:buy { symbol = "VV", quantity = 10, price = 99 }')
has("one has 10 cash 9008 0 fees 2 realised 0 equity 9998 trades 2", "two trades")
make("one", "collectgarbage()")
p.put("end_b", "")
has("one has 6 cash 9404.8 0 fees 1.2 realised 0 equity 9998.8 trades 1", "one ends")
again(9)
has("one has 6 cash 9404.8 0 fees 1.2 realised 0 equity 9998.8 trades 1", "killed")
p.put("end_a", "")
has("one has 0 cash 10000 0 fees 0 realised 0 equity 10000 trades 0", "both end")
p.put("more", "")
has("one has 3 cash 9701 0 fees 2 realised 0 equity 9998 trades 1", "it trades anew")
order("one", "b", 'self.o = self:buy { symbol = "VV", quantity = 10, price = 99 }')
make("one", "self.o:modify { price = 98 }")
has("one has 13 cash 8709 0 fees 4 realised 0 equity 9996 trades 2",
    "another one, with a change on its way")
p.await_in("store/broker.orders", "A one 6 ")
again(9)
p.put("end_g", "")
has("one has 3 cash 9701 0 fees 2 realised 0 equity 9998 trades 1", "it ends, too")
p.put("cost", "")
has("one has 5 cash 9503 0 fees 2 realised 0 equity 9998 trades 2", "in another currency")
has("tidewire: warning: account: one: the venue charges in GBP, for which the account has"
    .. " no rate", "without a rate")
p.kill(trader, "TERM")
p.kill(venue, "TERM")
t.done()
