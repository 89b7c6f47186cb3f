--- trade_refused: orders in a currency without a rate, brackets on the wrong side, prices
-- with too many decimals.

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
  function M:on_stop() print(#self:orders()) end]], {}), "1\n")
local TOLD = BUYS .. [[
  function M:on_order(id, status, reason) print(id, status, reason) end
  function M:on_stop() print(self.account.equity, self.account:cash_in "EUR") end]]
prints("orders before the rate has come are refused, then they go",
  app(TOLD, { before = 'app.account { cash = 100, rates = { EUR = "EURUSD" } }' }), [[
1	pending_new	nil
1	rejected	no rate of exchange has come yet for the instrument's currency
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
    if n == 1 then print(self:order_target_percent("C", 50)) end
    if n == 3 then print(self:order_target_percent("C", 50)) end
  end
  function M:on_order(id, status, reason) print(id, status, reason) end]],
  { before = 'app.account { cash = 110, rates = { EUR = "EURUSD" } }' }), [[
order 1 buy 0.000000001 C market: rejected, 0 filled
1	pending_new	nil
1	rejected	no rate of exchange has come yet for the instrument's currency
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
4	nil	rejected	the bracket's take_profit or stop_loss would trade at once
6	nil	rejected	the bracket's take_profit or stop_loss would trade at once
7	stop_loss	canceled	the order that it depends on has ended
5	stop_loss	canceled	the order that it depends on has ended
3	stop_loss	canceled	the order that it depends on has ended
2	take_profit	canceled	the order that it depends on has ended
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

-- ---- decimals ----

prints("prices and quantities are rounded to nine decimals", app([[
  function M:on_quote()
    n = n + 1
    if n > 1 then return end
    local o = self:buy { symbol = "D", quantity = 1 / 3, price = 1.1 * 3 }
    print(o.quantity, o.price)
  end]], {}), "0.333333333\t3.3\n")

t.done()
