--- trade_refused: orders in a currency without a rate, brackets on the wrong side, prices
-- with too many decimals; and groups, of which no more is counted than can trade.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local prints, fails = apps.prints, apps.fails

local QUOTES = [[
time,symbol,bid,ask
1,C,10,10
2,EURUSD,1.1,1.1
3,C,10,10
4,C,12,12
5,EURUSD,1.2,1.2
]]
local function app(script, o)
  return { app = (o.before or "") .. [[
      app.instruments { { symbol = "C", currency = "EUR" }, { symbol = "D" } }
      app.feed.csv { file = here .. "in.csv" } app.script "s.lua"]],
    files = { ["in.csv"] = QUOTES }, args = { "--workers", "1" },
    ["s.lua"] = "local n = 0 " .. script }
end

-- ---- rates ----

local function told(want)
  return (want:gsub("NO RATE", "no rate of exchange has come yet for the instrument's"
                    .. " currency, or that of app.risk"))
end

local NONE = 'C is in EUR, and the account, which is in USD, has no rate for that: '
  .. 'rates = { EUR = 1.1 }, or of the symbol whose price it is, '
  .. 'rates = { EUR = "EURUSD" }'
local BUYS = [[
  function M:on_quote(symbol)
    if symbol == "C" then self:buy("C", 2) end
  end ]]
fails("a currency without a rate", app("M.account = { cash = 5 }" .. BUYS, {}),
      "account: " .. NONE)
fails("of a script that is told of orders", app(BUYS .. "function M:on_fill() end", {}),
      "account: " .. NONE)
fails("of one that says nothing of an account: when it trades", app(BUYS, {}),
      "buy: " .. NONE)
prints("one that trades in another one only, or looks on", app([[
  function M:on_quote(symbol)
    n = n + 1
    if n == 1 then self:buy("D", 1, 5) end
  end
  function M:on_stop() print(#self:orders()) end]],
  { before = "app.account { rates = { EUR = 1 } }" }), "1\n")
local TOLD = BUYS .. [[
  function M:on_order(id, status, reason) print(id, status, reason) end
  function M:on_stop() print(self.account.equity, self.account:cash_in "EUR") end]]
prints("orders before the rate has come are refused, then they go",
  app(TOLD, { before = 'app.account { cash = 100, rates = { EUR = "EURUSD" } }' }),
  told [[
1	pending_new	nil
1	rejected	NO RATE
2	pending_new	nil
2	new	nil
2	filled	nil
3	pending_new	nil
3	new	nil
100.0	-24.0
]])
prints("a part of the equity, too", app([[
  function M:on_quote(symbol)
    n = n + 1
    if n == 1 then print(self:order_target_percent("C", 0.5)) end
    if n == 3 then print(self:order_target_percent("C", 0.5)) end
  end
  function M:on_order(id, status, reason) print(id, status, reason) end]],
  { before = 'app.account { cash = 110, rates = { EUR = "EURUSD" } }' }), told [[
order 1 buy 0.000000001 C market: rejected, 0 filled
1	pending_new	nil
1	rejected	NO RATE
order 2 buy 5 C market: pending_new, 0 filled
2	pending_new	nil
2	new	nil
2	filled	nil
]])
prints("a script that begins to trade late knows the rate from before", app([[
  function M:on_quote()
    n = n + 1
    if n == 3 then print(self:buy("C", 2)) end
  end]], { before = 'app.account { cash = 100, rates = { EUR = "EURUSD" } }' }),
  "order 1 buy 2 C market: pending_new, 0 filled\n")

prints("a limit of value is of the account's currency", app([[
  function M:on_quote(symbol)
    n = n + 1
    if n == 3 then self:buy("C", 5) self:buy("C", 6) self:buy("D", 10, 10.1) end
  end
  function M:on_order(id, status, reason)
    if status ~= "pending_new" then print(id, status, reason) end
  end]], { before = [[app.account { cash = 1000, rates = { EUR = 2 },
    limits = { order_value = 100 } } ]] }), [[
2	rejected	the value is above the limit for an order
3	rejected	the value is above the limit for an order
1	new	nil
1	filled	nil
]])

-- ---- of a group one trades ----

local function grouped(limit, script)
  local made = app(script .. [[
    local function order(side, quantity, price)
      return { symbol = "D", side = side, quantity = quantity, price = price }
    end
    function M:on_quote() n = n + 1 step(self, n, order) end
    function M:on_order(id, status, reason)
      if status ~= "pending_new" then print(id, status, reason) end
    end]], { before = limit })
  made.app = made.app:gsub(', currency = "EUR"', "")
  made.files = { ["in.csv"] = "time,symbol,bid,ask\n1,D,10,10\n2,D,10,10\n3,D,7,7\n"
    .. "4,D,5,5\n5,D,5,5\n6,D,2,2\n" }
  return made
end
for _, scope in ipairs { "", " of all scripts" } do
  local limit = scope == "" and "app.account { limits = { position = 10 } }"
    or "app.risk { position = 10 }"
  prints("a position counts the largest of each side of a group: " .. limit,
    grouped(limit, [[ local function step(self, n, order)
      if n > 1 then return end
      local _, six = self:oco(order("buy", 4, 1), order("buy", 6, 1.1),
                             order("sell", 9, 90))
      self:buy("D", 5, 1.2)                                    -- 6 and 5 are too many
      six:modify { quantity = 5 }
      self:buy("D", 6, 1.2)                                    -- it isn't 5 yet
      self:buy("D", 4, 1.2)
      self:sell("D", 2, 80)
      self:sell("D", 1, 80)
    end]]), ([[
4	rejected	REASON
2	pending_replace	nil
5	rejected	REASON
7	rejected	REASON
1	new	nil
2	pending_replace	nil
3	new	nil
2	new	nil
6	new	nil
8	new	nil
]]):gsub("REASON", "the position" .. scope .. " would be above its limit"))
end
for _, limit in ipairs { "app.account { limits = { daily_loss = 5 } }",
                         "app.risk { daily_loss = 5 }" } do
  prints("both exits of a bracket reduce only: " .. limit,
    grouped(limit, [[ local function step(self, n, order)
      if n == 1 then
        self:buy("D", 2)
        self:buy { symbol = "D", quantity = 2, price = 6, take_profit = 9, stop_loss = 3 }
      elseif n == 3 then                                       -- 6 are lost
        self:buy("D", 1)
      end
    end]]), [[
1	new	nil
2	new	nil
1	filled	nil
5	rejected	the limit for a day's loss is reached
2	filled	nil
4	new	nil
3	new	nil
4	filled	nil
3	canceled	one cancels the other: another one was filled
]])
end

-- ---- limits of all scripts, where accounts have several currencies ----

local BOTH = [[
  function M:on_quote(symbol)
    n = n + 1
    if n == 1 or n == 3 then self:buy("C", 10) end
    if n == 4 then self:buy("C", 1) self:sell("C", 1) end
  end
  function M:on_order(id, status, reason)
    if status ~= "pending_new" then print(id, status, reason) end
  end]]
local FALLS = { ["in.csv"] = "time,symbol,bid,ask\n1,C,10,10\n2,C,10,10\n3,D,1,1\n"
  .. "4,C,4,4\n5,C,4,4\n6,C,4,4\n" }
local function risky(risk, account)
  local before = "app.risk { %s } app.account { %s } "
  local made = app(BOTH, { before = before:format(risk, account) })
  made.files = FALLS
  return made
end
-- 10 C at 10, and from the third on at 4: -60 EUR, which are 120 USD.
local EUR = 'currency = "EUR", rates = { USD = 0.5 }'
prints("what is lost is below the limit in the account's currency",
  risky('daily_loss = 100, currency = "EUR"', EUR), [[
1	new	nil
1	filled	nil
2	new	nil
2	filled	nil
3	new	nil
4	new	nil
3	filled	nil
4	filled	nil
]])
prints("and above it in that of app.risk",
  risky('daily_loss = 100, currency = "USD"', EUR), [[
1	new	nil
1	filled	nil
2	new	nil
2	filled	nil
3	rejected	the limit for a day's loss is reached
4	new	nil
4	filled	nil
]])
prints("so is what an order is worth",
  risky('order_value = 150, currency = "USD"', EUR), [[
1	rejected	the value is above the limit for an order
2	rejected	the value is above the limit for an order
3	new	nil
4	new	nil
3	filled	nil
4	filled	nil
]])
prints("before the rate is known nothing goes but what reduces",
  risky('order_value = 150, currency = "USD"', 'currency = "EUR", rates = { USD = "D" }'),
  told [[
1	rejected	NO RATE
2	new	nil
2	filled	nil
3	new	nil
4	new	nil
3	filled	nil
4	filled	nil
]])
local UNLIKE <const> = 'account: app.risk is in USD, and the account, which is in EUR,'
  .. ' has no rate for that: rates = { USD = 1.1 }, or of the symbol whose price it is,'
  .. ' rates = { USD = "USDEUR" }, or app.risk { currency = "EUR" }'
local own = risky("daily_loss = 100", "")
own["s.lua"] = 'M.account = { currency = "EUR" } ' .. own["s.lua"]
fails("an account without a rate of app.risk's currency", own, UNLIKE)
own.app = own.app:gsub("daily_loss = 100", "open_orders = 100")
t.is(apps.run(own).status, 0, "which limits without an amount don't need")

local dir, put, command = apps.folder "r"
put("in.csv", QUOTES)
put("s.lua", "local M = { account = { cash = 100 } }" .. BUYS .. "return M")
put("app.lua", [[
  local app = require "tw.app"
  app.instruments { { symbol = "C", currency = "EUR" } }
  app.script "s.lua"]])
local run = command "backtest app.lua --data in.csv"
t.is(run.err, "tidewire: backtest: script s.lua: account: " .. NONE .. "\n",
     "in a backtest, too")
t.is(run.status, 1, "which ends with it")

-- ---- what scripts of several currencies are worth together ----

for name, account in pairs {
  C = [[rates = { EUR = "EURUSD" }]],
  D = [[currency = "EUR", rates = { USD = "1/EURUSD" }, fees = { per_order = 1 }]],
  E = [[currency = "EUR"]],
} do
  put(name .. ".lua", ([[
    local n = 0
    return { account = { cash = 100, %s }, on_quote = function(self)
      n = n + 1
      if n == 1 then self:buy("%s", 1) end
    end }]]):format(account, name))
end
for _, other in ipairs { "D", "E" } do
  put(other .. "_app.lua", ([[
    local app = require "tw.app"
    app.instruments { { symbol = "C" }, { symbol = "%s", currency = "EUR" } }
    app.script "C.lua"
    app.script "%s.lua"]]):format(other, other))
end
put("in.csv", [[
time,symbol,bid,ask
1,C,10,10
2,EURUSD,1.25,1.25
3,C,10,10
4,D,20,20
5,C,16,16
6,D,30,30
7,EURUSD,1.6,1.6
]])
run = command "backtest D_app.lua --data in.csv --json"
for name, want in pairs { start = 225, final = 280.4, fees = 1.6,
                          total_return = 0.2462 } do
  local got = tonumber(run.out:match('"' .. name .. '":([%d.]+)'))
  t.ok(got and math.abs(got - want) < 1e-4, name .. " is in the first one's currency")
end
t.ok(run.out:find '"currency":"USD"', "which is said")
put("in.csv", "time,symbol,bid,ask\n1,C,10,10\n2,D,10,10\n")
t.is(command "backtest D_app.lua --data in.csv".err, "tidewire: backtest: what scripts"
     .. " are worth can't be added up: no price has come that is a rate of USD, which"
     .. " account.rates names\n", "a rate that never comes")
t.is(command "backtest E_app.lua --data in.csv".err, "tidewire: backtest: script E.lua:"
     .. " account: that of C.lua is in USD, and the account, which is in EUR, has no rate"
     .. ' for that: rates = { USD = 1.1 }, or of the symbol whose price it is, rates ='
     .. ' { USD = "USDEUR" }\n', "and one that there is none of")

-- ---- slippage in ticks of what has none ----

local function ticks(script, ticks_of_c)
  return app(script, { before = ([[app.account { rates = { EUR = 1 },
      slippage = { ticks = 2 } }
    app.instruments { { symbol = "C", tick_size = %s } } ]]):format(ticks_of_c) })
end
local MARKET <const> = "function M:on_quote(symbol) n = n + 1"
  .. ' if n == 1 then self:buy { symbol = "C", quantity = 1 } end end'
  .. " function M:on_fill(price) print(price) end"
prints("slippage in ticks", ticks(MARKET, 0.25), "10.5\n")
fails("of an instrument without a tick_size", ticks(MARKET, 0), "s.lua:1: buy: C has no"
  .. ' tick_size, which slippage = { ticks = 2 } of the account counts in:'
  .. ' app.instruments { { symbol = "C", tick_size = 0.01 } }, or slippage = { bps = 1 }')
fails("of a bracket's stop, too", ticks([[
  function M:on_quote() self:buy { symbol = "C", quantity = 1, price = 9, stop_loss = 5 }
  end]], 0), "s.lua:1: buy: C has no tick_size")
prints("limit orders have no slippage", ticks([[
  function M:on_quote() n = n + 1 if n == 1 then self:buy("C", 1, 11) end end
  function M:on_fill(price) print(price) end]], 0), "10.0\n")

-- ---- brackets ----

prints("a bracket on the wrong side is refused, and so are its exits", app([[
  function M:on_quote(symbol, bid, ask)
    n = n + 1
    if n == 1 then
      self:buy { symbol = "C", quantity = 1, take_profit = 9, stop_loss = 8 }
      self:sell { symbol = "C", quantity = 1, stop_loss = 9.5 }
      self:buy { symbol = "C", quantity = 1, price = 5, stop_loss = 6 }
      self:buy { symbol = "C", quantity = 1, take_profit = 20, stop_loss = 9.5 }
    end
  end
  function M:on_order(id, status, reason, label)
    if status ~= "pending_new" and status ~= "new" then
      print(id, label, status, reason)
    end
  end]], { before = 'app.account { rates = { EUR = 1 } }' }), [[
1	nil	rejected	the bracket's take_profit or stop_loss would trade at once
2	take_profit	canceled	the order that it depends on has ended
3	stop_loss	canceled	the order that it depends on has ended
4	nil	rejected	the bracket's take_profit or stop_loss would trade at once
5	stop_loss	canceled	the order that it depends on has ended
6	nil	rejected	the bracket's take_profit or stop_loss would trade at once
7	stop_loss	canceled	the order that it depends on has ended
8	nil	filled	nil
]])

prints("and so is a change of its exits, or of the entry, that puts them there", app([[
  local entry, profit, loss
  function M:on_quote(symbol, bid, ask)
    if symbol ~= "C" then return end
    n = n + 1
    if n == 1 then
      entry = self:buy { symbol = "C", quantity = 1, take_profit = 20, stop_loss = 9.5 }
      for _, o in ipairs(self:orders()) do
        if o.label == "take_profit" then profit = o end
        if o.label == "stop_loss" then loss = o end
      end
      loss:modify { stop = 10 }
      profit:modify { price = 9 }
      profit:modify { price = 15 }
    elseif n == 2 then
      self:modify(loss, { stop = 11 })
      loss:modify { stop = 9.75 }
    elseif n == 3 then
      profit:modify { price = 12 }
    end
  end
  function M:on_order(id, status, reason, label)
    if label and reason then print(id, label, status, reason) end
  end
  function M:on_stop() print(profit.price, loss.stop, loss.status) end]],
  { before = 'app.account { rates = { EUR = 1 } }' }), [[
3	stop_loss	pending_new	the bracket's take_profit or stop_loss would trade at once
2	take_profit	pending_new	the bracket's take_profit or stop_loss would trade at once
3	stop_loss	pending_new	the bracket's take_profit or stop_loss would trade at once
2	take_profit	new	the bracket's take_profit or stop_loss would trade at once
15.0	9.75	new
]])

-- ---- nothing comes ----

local silent = app([[
  function M:on_start() self:buy("D", 1) self:buy("D", 2, 3):cancel() end
  function M:on_order(id, status, filled) print(id, status, filled) end
  function M:on_stop() print(#self:orders()) end]],
  { before = "app.account { rates = { EUR = 1 } }" })
silent.files["in.csv"] = "time,symbol,bid,ask\n"
t.is(apps.run(silent).out,
     "1\tpending_new\t0.0\n2\tpending_new\t0.0\n2\tpending_cancel\t0.0\n2\n",
     "orders of on_start are told of, also where no record comes")

-- ---- decimals ----

prints("prices and quantities are rounded to nine decimals", app([[
  function M:on_quote()
    n = n + 1
    if n > 1 then return end
    local o = self:buy { symbol = "D", quantity = 1 / 3, price = 1.1 * 3 }
    print(o.quantity, o.price)
  end]], {}), "0.333333333\t3.3\n")

t.done()
