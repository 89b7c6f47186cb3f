--- trade: what a script says of orders, what it is told, what it can look at.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local prints, fails = apps.prints, apps.fails

local ONE = { "--workers", "1" }

-- An app whose feed is a file of these quotes: "time,symbol,bid,ask,bid_size,ask_size".
local HEAD = "time,symbol,bid,ask,bid_size,ask_size\n"
local QUOTES = HEAD .. [[
1,A,10,10.1,500,500
2,A,10,10.1,500,500
3,A,10.2,10.3,500,500
4,A,10.4,10.5,500,500
5,A,9,9.1,500,500
6,A,9,9.1,500,500
]]

local function app(script, o)
  o = o or {}
  return { app = (o.before or "") .. [[
      app.instruments { { symbol = "A", tick_size = 0.01, lot_size = 1 },
                        { symbol = "B" } }
      app.feed.csv { file = here .. "in.csv" } app.script("s.lua"]]
      .. (o.options and ", " .. o.options or "") .. ")",
    files = { ["in.csv"] = o.quotes or QUOTES }, args = o.args or ONE,
    ["s.lua"] = "local n = 0 " .. script }
end

-- When a market is open: of the session that a time is in, or of the next one; summer
-- time, a weekend, an early close, and an instrument without a calendar.

prints("self:session", app([[
  function M:on_start()
    local function at(symbol, seconds)
      local open, close = self:session(symbol, seconds * 1000000000)
      print(os.date("!%m-%d %H:%M", open // 1000000000),
            os.date("!%m-%d %H:%M", close // 1000000000))
    end
    at("A", 1385478000) at("A", 1385499600)    -- a Tuesday, 15:00 and 21:00
    at("A", 1385640000) at("A", 1385748000)    -- Thanksgiving, the day after
    at("A", 1373054400) at("B", 1385478000)    -- in July, at 20:00
    print(pcall(function() self:session("A", math.maxinteger) end))
    print(pcall(function() self:session("C", 0) end))
    print(pcall(function() self:session "A" end))
  end]], { before = [[
      app.calendar("nyse", { zone = "America/New_York", open = "09:30", close = "16:00",
        days = "mon-fri", holidays = { "2013-11-28" },
        early = { ["2013-11-29"] = "13:00" } })
      app.instruments { { symbol = "A", calendar = "nyse" } } ]] }),
  [[
11-26 14:30	11-26 21:00
11-27 14:30	11-27 21:00
11-29 14:30	11-29 18:00
12-02 14:30	12-02 21:00
07-08 13:30	07-08 20:00
11-26 00:00	11-27 00:00
false	s.lua:10: bad argument #2 to 'session' (ns since the epoch expected)
false	s.lua:11: session: symbol 'C' is not known: no feed has had it, nor app.instruments
false	s.lua:12: bad argument #2 to 'session' (number expected, got no value)
]])

-- What is told, and in which order.

prints("an order's life", app [[
  function M:on_quote(symbol, time)
    n = n + 1
    print("quote", n)
    if n == 1 then
      local o = self:buy { symbol = symbol, quantity = 100, label = "first" }
      print(o.id, o.symbol, o.side, o.type, o.tif, o.status, o.quantity, o.price,
            o.filled, o.leaves, o.average, o.label, o.time // 1000000000, o.parent)
    end
  end
  function M:on_order(order, status, reason, filled, leaves, label)
    print("order", status, reason, filled, leaves, label, order.status)
  end
  function M:on_fill(order, side, price, quantity, fee, liquidity, position)
    print("fill", order.average, side, price, quantity, fee, liquidity, position)
  end
  function M:on_position(symbol, position, price) print("position", symbol, position,
    price, self:position(symbol)) end]],
  [[
quote	1
1	A	buy	market	gtc	pending_new	100.0	nil	0.0	100.0	nil	first	1	nil
order	pending_new	nil	0.0	100.0	first	pending_new
order	new	nil	0.0	100.0	first	filled
order	filled	nil	100.0	0.0	first	filled
fill	10.1	buy	10.1	100.0	0.0	removed	100.0
position	A	100.0	10.1	100.0
quote	2
quote	3
quote	4
quote	5
quote	6
]])
prints("the short form, a limit, and text", app [[
  function M:on_quote(symbol)
    n = n + 1
    if n > 1 then return end
    print(self:sell("A", 5, 10.25), self:buy("A", 1))
  end
  function M:on_fill(order, price) print(order, price) end]],
  "order 1 sell 5 A limit 10.25: pending_new, 0 filled\t"
  .. "order 2 buy 1 A market: pending_new, 0 filled\n"
  .. "order 2 buy 1 A market: filled, 1 filled\t10.1\n"
  .. "order 1 sell 5 A limit 10.25: filled, 5 filled\t10.25\n")
prints("cancel and modify", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then
      self.a, self.b = self:buy("A", 5, 8), self:buy("A", 5, 8)
      self.c = self:buy("A", 5, 8.5)
      print(#self:orders(), #self:orders "A", #self:orders "B", self:orders()[1].id)
    elseif n == 2 then
      print(self.a:cancel(), self.a.status, self.a:cancel())
      print(self.b:modify { price = 9.2, quantity = 7 }, self.b.status)
      print(self:cancel(self.c), self:modify(self.b, { price = 9.3 }))
    elseif n == 3 then
      print(self.a.status, self.b.price, self.b.quantity, self.c.status)
      print(self.a:cancel(), self.a:modify { price = 1 }, self:cancel(), self:cancel "A")
    end
  end]], [[
3	3	0	1
true	pending_cancel	false
true	pending_replace
true	true
canceled	9.3	7.0	canceled
false	false	1	0
]])
prints("a bracket", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then
      self:buy { symbol = "A", quantity = 10, take_profit = 10.4, stop_loss = 9.5 }
    end
  end
  function M:on_order(id, status, label, reason) print(id, status, label, reason) end]],
  [[
1	pending_new	nil	nil
2	pending_new	take_profit	nil
3	pending_new	stop_loss	nil
1	new	nil	nil
1	filled	nil	nil
3	new	stop_loss	nil
2	new	take_profit	nil
2	filled	take_profit	nil
3	canceled	stop_loss	one cancels the other: another one was filled
]])
prints("one cancels the other", app [[
  function M:on_quote()
    n = n + 1
    if n > 1 then return end
    print(self:oco({ symbol = "A", side = "sell", quantity = 5, price = 10.4 },
                   { symbol = "A", side = "sell", quantity = 5, stop = 9.5 }))
  end
  function M:on_fill(id, price) print("fill", id, price) end
  function M:on_order(id, status, reason) if reason then print(id, status, reason) end
  end]], "order 1 sell 5 A limit 10.4: pending_new, 0 filled\t"
  .. "order 2 sell 5 A stop 9.5: pending_new, 0 filled\nfill\t1\t10.4\n"
  .. "2\tcanceled\tone cancels the other: another one was filled\n")
prints("what on_start sends is of the first record's time", app([[
  function M:on_start()
    self:buy { symbol = "A", quantity = 1, tif = "day" }
    self:buy("A", 2)
    print(self:buy("A", 3, 1).status)
  end
  function M:on_quote(time) print("quote", time // 1000000000) end
  function M:on_order(id, status, time) print(id, status, time // 1000000000) end]],
  { before = "app.account { latency = { submit = 2 } } " }), [[
pending_new
1	pending_new	1
2	pending_new	1
3	pending_new	1
quote	1
quote	2
1	new	3
2	new	3
3	new	3
1	filled	3
2	filled	3
quote	3
quote	4
quote	5
quote	6
]])
prints("targets count what is open", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then
      print(self:order_target("A", 10), self:order_target("A", 10))
      print(self:order_target("A", 4).quantity, self:order_target("A", -1).quantity)
    elseif n == 3 then
      print(self:position "A", self:order_target_percent("A", 0.5).quantity)
      print(self:order_target_percent("A", 0.5, { label = "x" }))
    elseif n == 4 then
      print(self:position "A", self:close "A", self:close "B")
    elseif n == 5 then
      print(self:position "A", #self:positions(), self:flatten())
    end
  end]], [[
order 1 buy 10 A market: pending_new, 0 filled	nil
6.0	5.0
-1.0	4878.0
nil
499.0	order 5 sell 499 A market: pending_new, 0 filled	nil
500.0	1	1
]])
prints("targets take the options of orders, but for what they say themselves", app [[
  function M:on_quote()
    n = n + 1
    if n > 1 then return end
    local o = self:order_target("A", 10, { price = 9.5, label = "x", tif = "day" })
    print(o.side, o.quantity, o.price, o.label, o.tif)
    for _, options in ipairs { { quantity = 3 }, { weight = 1 }, { symbol = "B" },
                               { foo = 1 } } do
      print((select(2, pcall(self.order_target, self, "A", 10, options))
             :gsub(";.*", "")))
    end
  end]], [[
buy	10.0	9.5	x	day
order_target: symbol, quantity and weight are no options of it
order_target: symbol, quantity and weight are no options of it
order_target: symbol, quantity and weight are no options of it
order_target: no option 'foo'
]])
prints("a flatten that comes again leaves what closes", app([[
  function M:on_quote()
    n = n + 1
    if n == 1 then self:buy("A", 5) end
    if self:position "A" > 0 then print(self:flatten(), #self:orders()) end
  end
  function M:on_stop() print(self:position "A", #self:orders()) end]], {
    before = "app.account { latency = { submit = 1.5, cancel = 0 } } " }), [[
1	1
1	1
0.0	0
]])
prints("nothing is closed twice", app([[
  function M:on_quote()
    n = n + 1
    if n == 1 then self:buy("A", 5) end
    if self:position "A" <= 0 then return end
    print(self:close "A", self:close "A", #self:orders())
  end
  function M:on_stop() print(self:position "A", #self:orders()) end]], {
    before = "app.account { latency = { submit = 1.5, cancel = 0 } } " }), [[
order 2 sell 5 A market: pending_new, 0 filled	nil	1
nil	nil	1
0.0	0
]])
prints("but not what is being canceled", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then
      self:buy("A", 10, 8)
    elseif n == 2 then
      print(self:cancel(), self:order_target("A", 10))
    elseif n == 3 then
      print(self:position "A", self:order_target("A", 10), #self:orders())
    end
  end]], [[
1	order 2 buy 10 A market: pending_new, 0 filled
10.0	nil	0
]])
prints("and of one self:oco the largest of a side", app [[
  function M:on_quote()
    n = n + 1
    if n > 1 then return end
    local function order(side, quantity, price)
      return { symbol = "A", side = side, quantity = quantity, price = price }
    end
    local _, five = self:oco(order("buy", 3, 7), order("buy", 5, 8), order("sell", 4, 14))
    self:oco(order("buy", 2, 8), order("buy", 2, 8.1), order("sell", 1, 15))
    self:buy("A", 1, 6)
    print(self:order_target("A", 10))
    five:cancel()
    print(self:order_target("A", 10))
    print(self:order_target("A", 10))
  end]], [[
order 8 buy 7 A market: pending_new, 0 filled
order 9 buy 2 A market: pending_new, 0 filled
nil
]])
prints("a target that no order reaches", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then self:sell("A", 5e9) end
    if n == 2 then print(pcall(self.order_target, self, "A", 5e9)) end
  end]], [[
false	order_target: more than 9.2e9 would be missing
]])
prints("a part of the equity that no order has room for", app([[
  function M:on_quote()
    n = n + 1
    if n > 1 then return end
    print(pcall(self.order_target_percent, self, "A", 1))
    print(pcall(self.buy, self, { symbol = "A", weight = 1 }))
    print(self:order_target_percent("A", 0.9))
  end]], { quotes = HEAD .. "1,A,0.00001,0.00001,500,500\n" }), [[
false	order_target_percent: that part of the equity is more than 9.2e9 at 0.00001
false	buy: that part of the equity is more than 9.2e9 at 0.00001
order 1 buy 9000000000 A market: pending_new, 0 filled
]])
prints("the account", app([[
  function M:on_quote()
    n = n + 1
    local a = self.account
    if n == 1 then self:buy("A", 100) self:sell("B", 1) end
    print(a.cash, a.equity, a.realised, a.unrealised, a.fees, a.margin, a.free,
          a.traded, a.deposits, a.currency, a:cash_in "EUR")
    if n == 3 then
      local p = a:position "A"
      print(p.symbol, p.quantity, p.price, p.mark, p.value, p.realised, p.unrealised,
            p.fees, p.trades, a:position "B".quantity, self:positions()[1].symbol)
    end
  end]], { before = [[app.account { cash = 2000, currency = "EUR",
    fees = { per_share = 0.01, minimum = 2 } } ]], quotes = HEAD .. [[
1,A,10,10.1,500,500
2,A,10,10.1,500,500
3,A,10.2,10.3,500,500
]] }), [[
2000.0	2000.0	0.0	0.0	0.0	0.0	2000.0	0.0	2000.0	EUR	2000.0
988.0	1993.0	0.0	-5.0	2.0	0.0	988.0	1010.0	2000.0	EUR	988.0
988.0	2013.0	0.0	15.0	2.0	0.0	988.0	1010.0	2000.0	EUR	988.0
A	100.0	10.1	10.25	1025.0	0.0	15.0	2.0	1	0.0	A
]])
prints("in another currency, at the rate of a symbol", app([[
  function M:on_quote()
    n = n + 1
    if n == 2 then self:buy("C", 2) end
  end
  function M:on_stop()
    print(self.account.equity, self.account:cash_in "EUR")
    print(self.account)
  end]],
  { before = [[app.account { cash = 100, rates = { EUR = "EURUSD" } }
      app.instruments { { symbol = "C", currency = "EUR" } } ]], quotes = HEAD .. [[
1,EURUSD,1.1,1.1,1,1
2,C,10,10,9,9
3,C,10,10,9,9
4,C,12,12,9,9
5,EURUSD,1.2,1.2,1,1
]] }), "104.8\t-20.0\naccount USD: cash 100.0, equity 104.8, fees 0.0\n")
prints("a part of the equity, sized when it trades", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then self:buy { symbol = "A", weight = 0.995 } end
  end
  function M:on_fill(quantity, price) print(quantity, price) end]],
  "500.0\t10.1\n500.0\t10.3\n500.0\t10.5\n500.0\t9.1\n")
prints("a script may forget its orders", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then for _ = 1, 100 do self:buy("A", 1, 5) end end
    collectgarbage()
    if n == 2 then print(#self:orders(), self:orders()[100].id) end
    if n == 3 then print(self:cancel()) end
    if n == 4 then print(#self:orders()) end
  end]], "100\t100\n100\n0\n")
prints("what comes too late is told of an order that was forgotten", app [[
  M.account = { latency = { submit = 0, cancel = 1.5 } }
  function M:on_quote()
    n = n + 1
    if n == 1 then self:cancel(self:buy("A", 1)) self:buy("A", 1, 5) end
    if n == 2 then self:cancel() end
    collectgarbage()
  end
  function M:on_order(order, id, reason)
    collectgarbage()
    if reason then print(n, order, reason) end
    if id == 2 then print(n, order) end
  end]], [[
1	order 2 buy 1 A limit 5: pending_new, 0 filled
1	order 2 buy 1 A limit 5: new, 0 filled
2	order 2 buy 1 A limit 5: pending_cancel, 0 filled
2	order 1 buy 1 A market: filled, 1 filled	too late: it had ended, or traded as much
3	order 2 buy 1 A limit 5: canceled, 0 filled
]])
prints("in a task, and what is told wakes the script", app [[
  local task = require "tw.task"
  function M:on_quote()
    n = n + 1
    if n == 6 then
      task.detach(function() self:buy("A", 1, 5) end)
    end
  end
  function M:on_order(status) print(n, status) end]], "6\tpending_new\n")
prints("handlers of orders may wait", app [[
  function M:on_quote() n = n + 1 print(n) if n == 1 then self:buy("A", 1) end end
  function M:on_order(status) tw.sleep(0.001) print(status) end
  function M:on_fill(price) tw.sleep(0.001) print(price) end]],
  "1\npending_new\n2\n" and "1\npending_new\nnew\nfilled\n10.1\n2\n3\n4\n5\n6\n")
prints("reports are on the tape", app [[
  function M:on_quote(seq)
    n = n + 1
    if n == 1 then self:buy("A", 1) self:sell("A", 1.5) end
  end
  function M:on_stop()
    local tape = require "tw.tape"
    for _, r in ipairs(tape:last(20)) do
      if r.kind == "order" then
        print(r.symbol, r.id, r.side, r.price, r.quantity, r.status, r.reason)
      end
    end
    print(tostring(tape:last(1)[1]):gsub("%d+ A", "N A"))
  end]], [[
A	1	buy	0.0	1.0	pending_new	nil
A	2	sell	0.0	1.5	pending_new	nil
A	2	sell	0.0	1.5	rejected	the quantity is not a multiple of the lot size
A	1	buy	0.0	1.0	new	nil
A	1	buy	10.1	1.0	filled	nil
order N A 1 buy 1 @ 10.1: filled	1
]])

-- Wrong use is one clear line.

local function refused(call, want)
  prints("refused: " .. call, app(([[
    function M:on_quote()
      n = n + 1
      if n > 1 then return end
      local fine, why = pcall(function() %s end)
      print(fine, (tostring(why):gsub("^[^:]*:%%d+: ", "")))
      print(#self:orders())
    end]]):format(call)), "false\t" .. want .. "\n0\n")
end
local OPTIONS = "there are symbol quantity weight price stop trail trail_percent type"
  .. " tif expire post_only reduce_only label take_profit stop_loss"
refused("self:buy {}", "buy: no symbol")
refused("self:buy { symbol = 'A' }", "buy: no quantity")
refused("self:buy { symbol = 'A', quantity = 1, weight = 1 }",
        "buy: either a quantity or a weight")
refused("self:buy { symbol = 'A', percent = 50 }",
        "buy: no option 'percent'; did you mean 'weight'?")
refused("self:buy { symbol = 'A', weight = 50 }",
        "buy: weight: 50 is 50 times the equity; 0.5 is half of it, 10 the most")
refused("self:buy { symbol = 'A', weight = -0.5 }",
        "buy: weight: a number above 0 expected, got -0.5")
refused("self:order_target_percent('A', -50)", "order_target_percent: weight: -50 is"
        .. " -50 times the equity; 0.5 is half of it, 10 the most")
refused("self:buy { symbol = 'A', quantty = 1 }",
        "buy: no option 'quantty'; did you mean 'quantity'?")
refused("self:buy { symbol = 'A', quantity = 1, leverage = 1 }",
        "buy: no option 'leverage'; " .. OPTIONS)
refused("self:buy { symbol = 'A', quantity = 1, [1] = 1 }",
        "buy: no option '1'; " .. OPTIONS)
refused("self:buy { symbol = 'X', quantity = 1 }",
        "buy: symbol 'X' is not known: no feed has had it, nor app.instruments")
refused("self:buy { symbol = 7, quantity = 1 }", "buy: symbol: a text expected, got 7")
refused("self:buy { symbol = 'A', quantity = -1 }",
        "buy: quantity: a number above 0 expected, got -1")
refused("self:buy { symbol = 'A', quantity = 0 }",
        "buy: quantity: a number above 0 expected, got 0")
refused("self:buy { symbol = 'A', quantity = math.huge }",
        "buy: quantity: a number below 9.2e9 expected, got inf")
refused("self:buy { symbol = 'A', quantity = '1' }",
        "buy: quantity: a number expected, got the text '1'")
refused("self:buy { symbol = 'A', quantity = 1e10 }",
        "buy: quantity: a number below 9.2e9 expected, got 10000000000.0")
refused("self:buy { symbol = 'A', quantity = 1, trailpercent = 5 }",
        "buy: no option 'trailpercent'; did you mean 'trail_percent'?")
refused("self:buy { symbol = 'A', quantity = 1, trail = 5, trail_percent = 5 }",
        "buy: either a trail or a trail_percent")
refused("self:buy { symbol = 'A', quantity = 1, trail_percent = 100 }",
        "buy: trail_percent: below 100 expected")
refused("self:buy { symbol = 'A', quantity = 1, trail_percent = 1e-8 }",
        "buy: trail_percent: a number above 0 expected, got 1e-08")
refused("self:buy { symbol = 'A', quantity = 1, price = 1e-10 }",
        "buy: price: a number above 0 expected, got 1e-10")
refused("self:buy { symbol = 'A', quantity = 1, type = 'limits' }", "buy: type: 'limits'"
        .. " is none of market, limit, stop, stop_limit, trailing_stop")
refused("self:buy { symbol = 'A', quantity = 1, tif = 'dai' }",
        "buy: tif: 'dai' is none of day, gtc, gtd, ioc, fok, opg, cls")
refused("self:buy { symbol = 'A', quantity = 1, type = 'limit' }",
        "buy: a limit order needs a price above 0")
refused("self:buy { symbol = 'A', quantity = 1, tif = 'gtd' }",
        "buy: gtd and expire, when it ends, need each other")
for call, name in pairs {
  ["self.buy('A', 1)"] = "buy", ["self.buy { symbol = 'A', quantity = 1 }"] = "buy",
  ["self.oco({ symbol = 'A' }, { symbol = 'A' }, { symbol = 'A' })"] = "oco",
  ["self.order_target('A', 1)"] = "order_target", ["self.flatten('A')"] = "flatten",
  ["self.cancel('A')"] = "cancel", ["self.orders('A')"] = "orders",
  ["self.positions()"] = "positions", ["self.session('A', 1)"] = "session",
  ["self.track {}"] = "track", ["self.bars { every = 1 }"] = "bars",
  ["self.when('bid > 1', print)"] = "when", ["self.modify(1, {})"] = "modify",
} do
  refused(call, ("%s: to be called with a colon, as self:%s(...)"):format(name, name))
end
refused("self:buy({}, 1)", "buy: no symbol")
refused("self:position {}", "position: symbol: a text expected, got a table")
refused("self:buy { symbol = 'A', quantity = 1, expire = 1.5 }",
        "buy: expire: a time expected, an integer in ns, got 1.5")
refused("self:buy { symbol = 'A', quantity = 1, post_only = true }",
        "buy: a post-only order is a limit order")
for _, tif in ipairs { "ioc", "fok" } do
  refused(("self:buy { symbol = 'A', quantity = 1, price = 5, post_only = true, tif ="
           .. " '%s' }"):format(tif), ("buy: post-only and %s: it may neither trade at"
           .. " once nor wait"):format(tif))
end
for terms, what in pairs { ["stop = 5"] = "stop", ["trail = 1"] = "trailing_stop",
                           ["price = 5, post_only = true"] = "post_only" } do
  refused(("self:buy { symbol = 'A', quantity = 1, %s, tif = 'cls' }"):format(terms),
          "buy: cls with " .. what .. ": at the open or close there are only market and"
          .. " limit orders")
end
refused("self:flatten 'A'",
        "flatten: it closes all positions; self:close(symbol) closes one")
refused("self:buy { symbol = 'A', quantity = 1, post_only = 1 }",
        "buy: post_only: true or false expected, got 1")
refused("self:buy { symbol = 'A', size = 1 }",
        "buy: no option 'size'; did you mean 'quantity'?")
refused("self:buy { symbol = 'A', quantity = 1, side = 'sell' }",
        "buy: side: it is a buy")
refused("self:buy { symbol = 'B', weight = 0.5 }", "buy: no price is known that a part"
        .. " of the equity could be turned into a quantity with")
refused("self:buy('A', 1, -1)", "buy: price: a number above 0 expected, got -1")
refused("self:buy('A')", "buy: quantity: a number expected, got nothing")
refused("self:buy { symbol = 'A', quantity = 1, take_profit = 9, stop_loss = 10 }",
        "buy: take_profit is to be above stop_loss")
refused("self:sell { symbol = 'A', quantity = 1, take_profit = 9, stop_loss = 9 }",
        "sell: take_profit is to be below stop_loss")
refused("self:oco({ symbol = 'A', side = 'buy', quantity = 1 })",
        "oco: 2 to 16 orders expected, got 1")
refused("self:oco({ symbol = 'A', side = 'buy', quantity = 1 },"
        .. " { symbol = 'A', quantity = 1 })", "oco: no side")
refused("self:oco({ symbol = 'A', side = 'buy', quantity = 1 },"
        .. " { symbol = 'B', side = 'buy', quantity = 1 })",
        "oco: its orders are of one symbol")
refused("self:oco({ symbol = 'A', side = 'buy', quantity = 1 },"
        .. " { symbol = 'A', side = 'buy', quantity = 1, take_profit = 2 })",
        "oco: an order of it has no bracket")
refused("self.account.money()", "an account has no field 'money'; there are cash equity"
        .. " realised unrealised fees margin free traded deposits currency,"
        .. " :position(symbol), :value(symbol, price) and :cash_in(currency)")
refused("self:position 'X'", "position: symbol 'X' is not known: no feed has had it, nor"
        .. " app.instruments")
prints("an order can't be changed by hand, nor given terms that can't be", app [[
  function M:on_quote()
    n = n + 1
    if n > 1 then return end
    local o = self:buy("A", 1, 5)
    for _, f in ipairs {
      function() o.price = 6 end,
      function() o:modify { price = -1 } end,
      function() o:modify { label = "x" } end,
      function() o:modify { stop = 3 } end,
      function() o.cancel(self) end,
      function() self:cancel(self.missing) end,
      function() self:cancel(self.account) end,
      function() self:orders(self.missing) end,
      function() print(#self:orders(), #self:orders "A") end,
      function() self:modify(nil, { price = 6 }) end,
      function() self:modify(o) end,
      function() print(o.pric) end,
    } do
      local fine, why = pcall(f)
      if not fine then print((why:gsub("^[^:]*:%d+: ", ""))) end
    end
  end]], [[
an order is changed by order:modify (field 'price')
modify: price: a number above 0 expected, got -1
modify: there are quantity, price and stop, not 'label'
modify: a limit order has no stop
bad argument #1 to 'cancel' (tw.order expected, got table)
bad argument #1 to 'cancel' (order or symbol expected, got nil; self:cancel() cancels all)
bad argument #1 to 'cancel' (tw.order expected, got tw.account)
bad argument #1 to 'orders' (symbol expected, got nil; self:orders() lists all)
1	1
bad argument #1 to 'modify' (tw.order expected, got nil)
bad argument #2 to 'modify' (table expected, got no value)
an order has no field 'pric'
]])
fails("not while the file is read", app "M.buy(M, 'A', 1)", "attempt to call a nil value")
fails("a handler's parameter that is none", app "function M:on_fill(prise) end",
      "on_fill: no field 'prise'; did you mean 'price'%?")
fails("nor one of another handler", app "function M:on_position(fee) end",
      "on_position: no field 'fee'; there are order id symbol price position time label")
fails("nor a short one", app "function M:on_order(o) end",
      "on_order: no field 'o'; there are order id symbol side type tif status reason")
fails("an error in on_fill says at which record", app [[
  function M:on_quote() n = n + 1 if n == 1 then self:buy("A", 1) end end
  function M:on_fill() error "ouch" end]], "on_fill failed at quote %d+ A .*ouch")

-- Accounts.

local function bad_account(account, want)
  fails("account: " .. account, app("M.account = " .. account), want)
end
bad_account("{ cahs = 1 }", "account: no option 'cahs'; did you mean 'cash'?")
bad_account("{ cash = '1' }", "account: cash: a number from 0 to 1e%+18 expected,"
            .. " got '1'")
bad_account("{ cash = -1 }", "account: cash: a number from 0 to 1e%+18 expected, got %-1")
bad_account("{ fill = 'best' }", "account: fill: 'best' is none of auto, next_open")
bad_account("{ latency = -1 }", "account: latency: a number from 0 to 86400 expected")
bad_account("{ latency = { 2, 1 } }", "account: latency: {2, 1}: the least comes first")
bad_account("{ latency = { list = {} } }", "account: latency.list: a list of seconds")
bad_account("{ fees = { per_shar = 1 } }", "account: fees: no option 'per_shar'; did you"
            .. " mean 'per_share'?")
bad_account("{ fees = { tiers = { { from = 0 }, { from = 0 } } } }",
            "account: fees.tiers%[2%].from must be above 0")
bad_account("{ currency = 'dollars' }", "account: currency: a currency like 'USD'")
bad_account("{ rates = { USD = 2 } }", "account: rates: that of its own currency is 1")
bad_account("{ fill = 'book', slippage = { ticks = 1 } }", 'account: slippage: fill = '
            .. '"book" has none but what the book has: leave it out, or say slippage')
fails("the same of the app", app("M.account = { fill = 'book' }", { before =
      "app.account { slippage = { bps = 1 } } " }), "account: slippage: fill = \"book\"")
prints("but for a script that wants none", app([[
  M.account = { fill = "book", slippage = {} }
  function M:on_start() print "fine" end]], { before =
  "app.account { slippage = { bps = 1 } } " }), "fine\n")
bad_account("{ volume_share = 0.1 }",
            "account: volume_share: only fill = \"volume\" takes")
prints("but for a script that goes by another one", app([[
  M.account = { fill = "touch" }
  function M:on_start() print "fine" end]], { before =
  "app.account { fill = 'volume', volume_share = 0.1 } " }), "fine\n")
bad_account("7", "account: a table expected, got 7")
fails("the app's can't be below 0 either",
      app("", { before = "app.account { cash = -1 } " }),
      "app.lua:1: app.account: cash: a number from 0 to 1e%+18 expected, got %-1")
fails("the app's is told with its line",
      app("", { before = "app.account { seed = -1 } " }),
      "app.lua:1: app.account: seed: an integer from 0 on expected, got %-1")
for terms, said in pairs {
  ["{ symbol = 'C', tick_size = -0.01 }"] = "app.instruments%[1%]: tick_size must be 0 "
    .. "or more, of nine decimals and below 9e9, got %-0.01",
  ["{ symbol = 'C', lot_size = 1e-10 }"] = "app.instruments%[1%]: lot_size must be 0 or "
    .. "more, of nine decimals and below 9e9, got 1e%-10",
  ["{ symbol = 'C', margin = -1 }"] = "app.instruments%[1%]: margin must be 0 or more, "
    .. "of nine decimals and below 9e9, got %-1",
  ["{ symbol = 'C', multiplier = 0 }"] = "app.instruments%[1%]: multiplier must be above "
    .. "0, of nine decimals and below 9e9, got 0",
  ["{ symbol = 'C', lot_size = 1 }, { symbol = 'C', lot_size = 10, margin = 0 }"] =
    "app.instruments%[2%]: lot_size of 'C' is 10, and was said to be 1 before: say it",
  ["{ symbol = 'C', land = 'US' }, { symbol = 'C', land = 'UK' }"] =
    "app.instruments%[2%]: land of 'C' is UK, and was said to be US before: say it once",
} do
  fails("instruments: " .. terms, app("", { before = "app.instruments { " .. terms
        .. " } " }), "app.lua:1: " .. said)
end
prints("an instrument may be said in parts, and twice alike", app("function M:on_start() "
  .. "local c = tw.instrument 'C' print(c.tick_size, c.lot_size) end", { before =
  "app.instruments { { symbol = 'C', lot_size = 10 } } app.instruments { { symbol = 'C', "
  .. "lot_size = 10.0, tick_size = 0.5 } } " }), "0.5\t10.0\n")
fails("app.risk", app("", { before = "app.risk { orders = 1.5 } " }),
      "app.lua:1: app.risk: orders: an integer from 1 on expected, got 1.5")
fails("app.risk", app("", { before = "app.risk { open_orders = 4294967299 } " }),
      "app.lua:1: app.risk: open_orders: at most 2147483648, got 4294967299")
fails("app.calendar", app("", { before = "app.calendar('x', { open = 'noon' }) " }),
      "app.lua:1: app.calendar 'x': open: a time of the day like '09:30' expected")
fails("a zone that is none",
      app("", { before = "app.calendar('x', { zone = 'Mars' }) " }),
      "Mars")
fails("a calendar that is none", app("", { before =
      "app.instruments { { symbol = 'C', calendar = 'nyse' } } " }),
      "app.instruments: C: no app.calendar is called 'nyse'")
prints("what is said last, of each field", app([[
  M.account = { currency = "EUR", fees = { per_order = 1 } }
  function M:on_quote()
    n = n + 1
    if n == 1 then self:buy("A", 1) end
    if n == 2 then print(self.account.currency, self.account.deposits,
                         self.account.fees) end
  end]], { before = [[
    app.account { currency = "CHF", cash = 5, fees = { per_order = 9 } } ]],
  options = "{ account = { cash = 7 } }" }), "EUR\t7.0\t1.0\n")

-- Halting.

prints("tw.halt cancels what is open and lets nothing out", app [[
  function M:on_quote()
    n = n + 1
    if n == 1 then self:buy("A", 1, 5) end
    if n == 2 then tw.halt "enough" print(tw.is_halted()) end
    if n == 4 then self:buy("A", 1) self:close "A" end
    if n == 5 then tw.resume_trading() print(tw.is_halted()) self:buy("A", 1) end
  end
  function M:on_order(id, status, reason) print(n, id, status, reason) end]], [[
1	1	pending_new	nil
1	1	new	nil
true
2	1	pending_cancel	nil
2	1	canceled	nil
4	2	pending_new	nil
4	2	rejected	trading is halted
false
5	3	pending_new	nil
5	3	new	nil
5	3	filled	nil
]])
t.ok(apps.run(app [[function M:on_quote() tw.halt "enough" end]]).err:find(
  "script s.lua: trading is halted: .*: enough"), "and the log says who and why")

-- Bars.

local BARS = "date,open,high,low,close,volume\n2024-01-01,1,3,0.5,2,7\n"
  .. "2024-01-02,2,4,1,3,8\n"
local function bar_app(script, options)
  return { app = 'app.feed.csv { file = here .. "in.csv", symbol = "A"'
    .. (options or "") .. ' } app.script("s.lua")', files = { ["in.csv"] = BARS },
    args = ONE, ["s.lua"] = script }
end
prints("bars of a file", bar_app [[
  function M:on_bar(bar, symbol, open, high, low, close, volume, interval, side, time)
    print(symbol, open, high, low, close, volume, interval, side, time, bar.close,
          bar.kind, (tostring(bar):gsub("%d+ A", "N A")))
    self.last = self.last or bar:keep()
  end
  function M:on_stop() print(self.last.open) end]],
  "A\t1.0\t3.0\t0.5\t2.0\t7.0\t86400.0\tnil\t1704153600000000000\t2.0\tbar\t"
  .. "bar N A 86400 s, 1 3 0.5 2 x 7\n"
  .. "A\t2.0\t4.0\t1.0\t3.0\t8.0\t86400.0\tnil\t1704240000000000000\t3.0\tbar\t"
  .. "bar N A 86400 s, 2 4 1 3 x 8\n1.0\n")
fails("bad options of bars", bar_app("", ", interval = '1.5s'"),
      "interval: whole seconds or a time like '1m' expected, got 1.5s")
fails("and their label", bar_app("", ", label = 'middle'"),
      'label must be "start" or "end", got \'middle\'')
prints("self:bars", app([[
  function M:on_start()
    pcall(self.bars, self, { every = 1, of = "bid", symbols = 5 })   -- is none
    self:bars { every = 2, of = "bid" }
    self:bars { count = 2, of = "mid", symbols = "A" }
    print("series", self:bars { count = 3, of = "mid" })
  end
  function M:on_quote(time) print("quote", time // 1000000000) end
  function M:on_bar(bar, open, high, low, close, interval, side, time, series)
    print("bar", series, bar.series, open, high, low, close, interval, side,
          time // 1000000000, bar:keep() == bar, bar.open, tw.freeze { bar }[1].series)
  end]], { quotes = HEAD .. [[
2,A,10,12,5,5
3,A,11,13,5,5
4,A,9,11,5,5
6,A,10,12,5,5
]] }), [[
series	3
quote	2
bar	2	2	11.0	12.0	11.0	12.0	0.0	mid	3	true	11.0	nil
quote	3
bar	1	1	10.0	11.0	10.0	11.0	2.0	bid	4	true	10.0	nil
bar	3	3	11.0	12.0	10.0	10.0	0.0	mid	4	true	11.0	nil
quote	4
bar	1	1	9.0	9.0	9.0	9.0	2.0	bid	6	true	9.0	nil
bar	2	2	10.0	11.0	10.0	11.0	0.0	mid	6	true	10.0	nil
quote	6
]])
prints("weeks begin on Monday, others at an offset", app([[
  function M:on_start()
    self:bars { every = "7d", of = "bid" }
    self:bars { every = "1h", of = "mid", offset = "30m" }
  end
  function M:on_bar(open, close, side, time)
    print(side, open, close, os.date("!%a %F %R", time // 1000000000))
  end]], { quotes = HEAD .. [[
2024-01-03T09:29:59Z,A,10,12,5,5
2024-01-03T09:30:00Z,A,11,13,5,5
2024-01-03T10:29:00Z,A,12,14,5,5
2024-01-07T23:59:00Z,A,9,11,5,5
2024-01-08T00:00:00Z,A,8,10,5,5
]] }), [[
mid	11.0	11.0	Wed 2024-01-03 09:30
mid	12.0	13.0	Wed 2024-01-03 10:30
bid	10.0	9.0	Mon 2024-01-08 00:00
]])
for call, want in pairs {
  ["{}"] = "bars: one of every, count and volume is needed",
  ["{ every = 1, count = 1 }"] = "bars: one of every, count and volume is needed",
  ["{ every = 'soon' }"] = "bars: every: whole seconds or a time like '1m' expected",
  ["{ every = 1, of = 'last' }"] = "bars: of: trades, bid, ask or mid expected, got last",
  ["{ evry = 1 }"] = "bars: no option 'evry'",
  ["{ every = 60, offset = 60 }"] = "bars: offset: a time below every expected",
  ["{ every = 60, offset = -1 }"] = "bars: offset: whole seconds or a time like '1m'",
  ["{ count = 0 }"] = "bars: count: an integer above 0 expected, got 0",
} do
  fails("self:bars " .. call, app("function M:on_bar() end function M:on_start()"
        .. " self:bars " .. call .. " end"), want)
end
fails("bars for nobody", app "function M:on_start() self:bars { every = 1 } end",
      "bars: the script has no on_bar")

-- Without memory.

local _, command = apps.write(app [[
  M.account = { limits = { orders = 5 }, latency = { list = { 0, 1 } } }
  function M:on_start() self:bars { every = 2, of = "mid" } end
  function M:on_bar() self.bar = true end
  function M:on_quote()
    n = n + 1
    if n == 1 then
      self:buy { symbol = "A", quantity = 1, take_profit = 11, stop_loss = 8 }
      self:oco({ symbol = "A", side = "sell", quantity = 1, price = 12 },
               { symbol = "A", side = "sell", quantity = 1, stop = 7 })
    end
    if n == 4 then self:flatten() end
  end
  function M:on_fill() self.filled = true end
  function M:on_stop() print(self.filled and self.bar) end]])
apps.without_memory(command, "true\n", os.getenv "SMALL" and 331 or 37)
