--- explain: why an order filled or did not: what is said; whether the run is the same.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"
local explain = require "tw.explain"

local dir, put = apps.folder "explain"

-- One order, on the first record; what self.params say after that.
local one = put("one.lua", [[
  local M = {}
  local function on(self, symbol)
    self.n = (self.n or 0) + 1
    local p = self.params
    if self.n == 1 then
      for _, v in ipairs(p.before or {}) do
        self[v < 0 and "sell" or "buy"](self, symbol, math.abs(v))
      end
    end
    if self.n == p.at then
      local o = { symbol = symbol }
      for k, v in pairs(p.order) do o[k] = v end
      self.order = o.side == "sell" and self:sell(o) or self:buy(o)
    elseif self.n == p.cancel then self.order:cancel()
    elseif self.n == p.modify then self.order:modify(p.change) end
  end
  function M:on_quote(symbol) on(self, symbol) end
  function M:on_trade(symbol) on(self, symbol) end
  function M:on_bar(symbol) on(self, symbol) end
  return M]])

local HEADS = { quote = "time,symbol,bid,bid_size,ask,ask_size",
                trade = "time,symbol,price,size",
                bar = "time,symbol,open,high,low,close,volume" }
local BEGAN = 1577869200                      -- 2020-01-01 09:00:00

-- A line a minute; the first is that on which the order is decided.
local function data(kind, rows)
  local lines = { HEADS[kind] }
  for i, row in ipairs(rows) do
    lines[i + 1] = ("%d,A,%s"):format(BEGAN + 60 * i, (row:gsub(" ", ",")))
  end
  return { path = put(kind .. ".csv", table.concat(lines, "\n") .. "\n"),
           interval = kind == "bar" and "1m" or nil }
end

local function options(kind, rows, account, params)
  return { script = one, data = data(kind, rows), account = account, params = params }
end

-- What is said after the order has come to the venue (all: from the beginning).
local function texts(o, n, all)
  local told, why = tw.backtest.explain(o, n)
  if not told then return why end
  local lines, began = {}, all
  for _, event in ipairs(told.events) do
    if began then lines[#lines + 1] = event.text end
    began = began or event.text == "at the venue: new"
  end
  return table.concat(lines, "\n")
end

-- kind, rows, model, order, what is expected
local function says(kind, model, order, rows, want, more)
  more = more or {}
  local account = { fill = model, cash = 1e6, latency = more.latency,
                    slippage = more.slippage, fees = more.fees, limits = more.limits }
  local params = { order = order, before = more.before, cancel = more.cancel,
                   modify = more.modify, change = more.change, at = more.at or 1 }
  local name = more.name or ("%s, %s, %s"):format(kind, model, order.type or "market")
  t.is(texts(options(kind, rows, account, params), more.n or 1, more.all),
       table.concat(want, "\n"), name)
end

-- ---- bars ----

local bars = { "10 11 9 10 100", "10 11 9.5 10 100", "10 12 9.2 11 100",
               "10.5 13 8 9 100" }
local B2, B3, B4 = "bar o 10 h 11 l 9.5 c 10 v 100: ", "bar o 10 h 12 l 9.2 c 11 v 100: ",
                   "bar o 10.5 h 13 l 8 c 9 v 100: "
says("bar", "touch", { quantity = 5 }, bars, {
  B2 .. "buy market can trade at 10: 5",
  "filled 5 at 10, taker; 5 of 5 so far", "in the end: filled, 5 of 5 at 10" })
says("bar", "touch", { quantity = 5, price = 9, type = "limit" }, bars, {
  "2 bars to 2020-01-01 09:04:00: low 9.2 to 9.5, never at or below 9",
  B4 .. "buy limit 9 can trade at 9: 5",
  "filled 5 at 9, maker; 5 of 5 so far", "in the end: filled, 5 of 5 at 9" })
says("bar", "touch", { quantity = 5, stop = 12.5, type = "stop" }, bars, {
  "2 bars to 2020-01-01 09:04:00: high 11 to 12, never at or above the stop, 12.5",
  B4 .. "buy stop 12.5 triggered at 12.5", B4 .. "buy stop can trade at 12.5: 5",
  "filled 5 at 12.5, taker; 5 of 5 so far", "in the end: filled, 5 of 5 at 12.5" })
says("bar", "touch", { quantity = 5, stop = 11.5, price = 9.4, type = "stop_limit" },
     bars, {
  B2 .. "buy stop 11.5 not reached, high 11", B3 .. "buy stop 11.5 triggered at 11.5",
  B3 .. "triggered within the bar at 11.5, where buy limit 9.4 does not trade",
  B4 .. "buy limit 9.4 can trade at 9.4: 5",
  "filled 5 at 9.4, maker; 5 of 5 so far", "in the end: filled, 5 of 5 at 9.4" })
says("bar", "touch", { side = "sell", quantity = 5, trail = 2, type = "trailing_stop" },
     bars, {
  "the stop begins at 8, 2 from the price",
  "2 bars to 2020-01-01 09:04:00: low 9.2 to 9.5, never at or below the stop, which moves"
    .. " from 8 to 10",
  B4 .. "sell trailing stop 10 triggered at 10",
  B4 .. "sell trailing stop can trade at 10: 5",
  "filled 5 at 10, taker; 5 of 5 so far", "in the end: filled, 5 of 5 at 10" })
says("bar", "touch", { side = "sell", quantity = 5, trail_percent = 25 },
     { bars[1], bars[3] }, {
  "the stop begins at 7.5, 25 % from the price",
  B3 .. "sell trailing stop 7.5 not reached, low 9.2; the stop moves to 9",
  "the data ends: still new, 0 of 5" }, { name = "bar, touch, a trail in percent" })
says("bar", "touch", { side = "sell", quantity = 5, trail = 3, type = "trailing_stop" },
     { bars[1], bars[3] }, {
  "the stop begins at 7, 3 from the price",
  B3 .. "sell trailing stop 7 not reached, low 9.2; the stop moves to 9",
  "the data ends: still new, 0 of 5" })
says("bar", "touch", { quantity = 5 }, { bars[1], bars[2] }, {
  "decided on record 1: bar o 10 h 11 l 9 c 10 v 100",
  "sent: it arrives after 300 s, at 2020-01-01 09:07:00",
  B2 .. "not looked at: began before it arrived, at 2020-01-01 09:07:00",
  "the data ends: still new, 0 of 5" },
  { latency = 300, all = true, name = "an order on its way is what the list says" })
says("bar", "through", { quantity = 5, price = 9.2, type = "limit" }, bars, {
  B2 .. "buy limit 9.2 not touched, low 9.5",
  B3 .. "buy limit 9.2 touched, not traded through",
  B4 .. "buy limit 9.2 can trade at 9.2: 5",
  "filled 5 at 9.2, maker; 5 of 5 so far", "in the end: filled, 5 of 5 at 9.2" })
says("bar", "next_open", { side = "sell", quantity = 5, price = 10.5, type = "limit" },
     bars, {
  "2 bars to 2020-01-01 09:04:00: open 10, never at or above 10.5",
  B4 .. "sell limit 10.5 can trade at 10.5: 5",
  "filled 5 at 10.5, maker; 5 of 5 so far", "in the end: filled, 5 of 5 at 10.5" })
says("bar", "next_open", { quantity = 5, stop = 10.4, type = "stop" }, bars, {
  "2 bars to 2020-01-01 09:04:00: open 10, never at or above the stop, 10.4",
  B4 .. "buy stop 10.4 triggered at 10.5", B4 .. "buy stop can trade at 10.5: 5",
  "filled 5 at 10.5, taker; 5 of 5 so far", "in the end: filled, 5 of 5 at 10.5" })
says("bar", "volume", { quantity = 150 }, bars, {
  B2 .. "buy market can trade at 10: 100 of the 100 there",
  "filled 100 at 10, taker; 100 of 150 so far",
  B3 .. "buy market can trade at 10: 50 of the 100 there",
  "filled 50 at 10, taker; 150 of 150 so far", "in the end: filled, 150 of 150 at 10" })
says("bar", "volume", { quantity = 5 }, { bars[1], bars[2], "10 10 10 10 0" }, {
  B2 .. "buy market could trade at 10, but own orders have taken all 100 there",
  "bar o 10 h 10 l 10 c 10 v 0: buy market could trade at 10, but no size is shown",
  "the data ends: still new, 0 of 5" }, { n = 2, before = { 250 },
                                          name = "none is left" })
says("bar", "quote", { quantity = 5 }, bars, {
  "3 bars to 2020-01-01 09:05:00: not looked at: fill model quote does not go by bars for"
    .. " it", "the data ends: still new, 0 of 5" })

-- ---- quotes and trades ----

local quotes = { "9.9 5 10.1 8", "9.9 5 10.1 8", "9.8 4 10.3 8", "9.7 4 9.9 3",
                 "9.7 4 9.9 3" }
local Q2, Q3, Q4, Q5 = "quote 9.9x5/10.1x8: ", "quote 9.8x4/10.3x8: ",
                       "quote 9.7x4/9.9x3: ", "quote 9.7x4/9.9x3: "
says("quote", "quote", { quantity = 9 }, quotes, {
  Q2 .. "buy market can trade at 10.1: 8 of the 8 there",
  "filled 8 at 10.1, taker; 8 of 9 so far",
  Q3 .. "buy market can trade at 10.3: 1 of the 8 there",
  "filled 1 at 10.3, taker; 9 of 9 so far",
  "in the end: filled, 9 of 9 at 10.122222222" })
says("quote", "quote", { quantity = 5, price = 10, type = "limit" }, quotes, {
  "2 quotes to 2020-01-01 09:03:00: ask 10.1 to 10.3, never at or below 10",
  Q4 .. "buy limit 10 can trade at 10: 3 of the 3 there",
  "filled 3 at 10, maker; 3 of 5 so far",
  Q5 .. "buy limit could trade at 10, but own orders have taken all 3 there",
  "the data ends: still partially filled, 3 of 5 at 10" })
says("quote", "quote", { side = "sell", quantity = 5, stop = 9.75, type = "stop" },
     quotes, {
  "2 quotes to 2020-01-01 09:03:00: bid 9.8 to 9.9, never at or below the stop, 9.75",
  Q4 .. "sell stop 9.75 triggered at 9.7",
  Q4 .. "sell stop can trade at 9.7: 4 of the 4 there",
  "filled 4 at 9.7, taker; 4 of 5 so far",
  Q5 .. "sell stop could trade at 9.7, but own orders have taken all 4 there",
  "the data ends: still partially filled, 4 of 5 at 9.7" })
says("quote", "queue", { quantity = 5, price = 9.7, type = "limit" }, quotes, {
  "2 quotes to 2020-01-01 09:03:00: ask 10.1 to 10.3, never at or below 9.7",
  "2 quotes to 2020-01-01 09:05:00: buy limit 9.7 rests at the bid behind 4",
  "the data ends: still new, 0 of 5" })
says("quote", "touch", { quantity = 5 }, quotes, {
  "4 quotes to 2020-01-01 09:05:00: not looked at: fill model touch does not go by quotes"
    .. " for it", "the data ends: still new, 0 of 5" })
says("quote", "quote", { quantity = 5 }, { quotes[1], "9.9 5 0 0", quotes[3] }, {
  "quote 9.9x5/0x0: there is no ask",
  Q3 .. "buy market can trade at 10.3: 5 of the 8 there",
  "filled 5 at 10.3, taker; 5 of 5 so far", "in the end: filled, 5 of 5 at 10.3" },
  { name = "a side is not there" })
local trades = { "10 3", "10.2 4", "10.1 1", "9.9 3" }
says("trade", "volume", { quantity = 5, price = 10, type = "limit" }, trades, {
  "2 trades to 2020-01-01 09:03:00: price 10.1 to 10.2, never at or below 10",
  "trade 3 at 9.9: buy limit 10 can trade at 10: 3 of the 3 there",
  "filled 3 at 10, maker; 3 of 5 so far",
  "the data ends: still partially filled, 3 of 5 at 10" })
says("trade", "queue", { quantity = 5 }, trades, {
  "3 trades to 2020-01-01 09:04:00: not looked at: fill model queue does not go by trades"
    .. " for it", "the data ends: still new, 0 of 5" })

-- ---- from the decision to the end ----

local QUOTE = "quote 9.9x5/10.1x8"
says("quote", "quote", { quantity = 5 }, quotes, {
  "decided on record 1: " .. QUOTE, "limit order_quantity: quantity 5, at most 6: passed",
  "limit position: position 5 with what is open, at most 5: passed",
  "sent: it arrives after 90 s, at 2020-01-01 09:02:30",
  "quote 9.9x5/10.1x8: not looked at: before it arrived, at 2020-01-01 09:02:30",
  "at the venue: new", Q3 .. "buy market can trade at 10.3: 5 of the 8 there",
  "filled 5 at 10.35, taker, 0.05 of slippage from 10.3, fee 2; 5 of 5 so far",
  "in the end: filled, 5 of 5 at 10.35" },
  { name = "limits, latency, slippage, a fee", all = true, latency = { submit = 90 },
    limits = { order_quantity = 6, position = 5 }, fees = { per_order = 2 },
    slippage = { bps = 48.543689320 } })
says("quote", "quote", { quantity = 5 }, quotes, {
  "decided on record 1: " .. QUOTE,
  "limit order_quantity: quantity 5, at most 4: refused",
  "rejected: the quantity is above the limit for an order",
  "in the end: rejected, 0 of 5" },
  { name = "a limit that refuses", all = true, limits = { order_quantity = 4 } })
says("quote", "quote", { quantity = 5, price = 9, type = "limit" }, quotes, {
  Q2 .. "buy limit 9 not met, ask 10.1", "canceled, as asked for",
  "in the end: canceled, 0 of 5" }, { name = "a cancel", cancel = 2 })
says("quote", "quote", { quantity = 5, price = 9, type = "limit" }, quotes, {
  Q2 .. "buy limit 9 not met, ask 10.1",
  "modified: quantity 5, price 10.5",
  Q3 .. "buy limit 10.5 can trade at 10.3: 5 of the 8 there",
  "filled 5 at 10.3, taker; 5 of 5 so far", "in the end: filled, 5 of 5 at 10.3" },
  { name = "a modify", modify = 2, change = { price = 10.5 } })
says("quote", "quote", { quantity = 20 }, quotes, {
  Q2 .. "buy market can trade at 10.1: 8 of the 8 there",
  "filled 8 at 10.1, taker; 8 of 20 so far", "modified: quantity 9",
  Q3 .. "buy market can trade at 10.3: 1 of the 8 there",
  "filled 1 at 10.3, taker; 9 of 9 so far",
  "in the end: filled, 9 of 9 at 10.122222222" },
  { name = "a modify of a part", modify = 2, change = { quantity = 9 } })
says("quote", "quote", { quantity = 20 }, quotes, {
  Q2 .. "buy market can trade at 10.1: 8 of the 8 there",
  "filled 8 at 10.1, taker; 8 of 20 so far",
  "modify asked for: quantity 8: it arrives at once",
  "refused: too late: it had ended, or traded as much",
  Q3 .. "buy market can trade at 10.3: 8 of the 8 there",
  "filled 8 at 10.3, taker; 16 of 20 so far",
  Q4 .. "buy market can trade at 9.9: 3 of the 3 there",
  "filled 3 at 9.9, taker; 19 of 20 so far",
  Q5 .. "buy market could trade at 9.9, but own orders have taken all 3 there",
  "the data ends: still partially filled, 19 of 20 at 10.152631579" },
  { name = "a modify to what has traded", modify = 2, change = { quantity = 8 } })
says("quote", "quote", { quantity = 5, price = 9, type = "limit" }, quotes, {
  Q2 .. "buy limit 9 not met, ask 10.1",
  "modify asked for: quantity 5, price 10.5: it arrives after 30 s, at 2020-01-01"
    .. " 09:02:30", "modified: quantity 5, price 10.5",
  Q3 .. "buy limit 10.5 can trade at 10.3: 5 of the 8 there",
  "filled 5 at 10.3, taker; 5 of 5 so far", "in the end: filled, 5 of 5 at 10.3" },
  { name = "a modify with latency", modify = 2, change = { price = 10.5 }, latency = 30 })
for tif, want in pairs {
  ioc = "canceled: immediate or cancel: the rest was not there at once",
  fok = "canceled: fill or kill: not all of it was there at once" } do
  says("quote", "quote", { quantity = 9, tif = tif }, { quotes[1], quotes[2] }, {
    Q2 .. "buy market can trade at 10.1: 8 of the 8 there",
    tif == "ioc" and "filled 8 at 10.1, taker; 8 of 9 so far\n" .. want or want,
    tif == "ioc" and "in the end: canceled, 8 of 9 at 10.1"
      or "in the end: canceled, 0 of 9" }, { name = tif })
end
says("quote", "quote", { quantity = 9, price = 10.2, post_only = true, type = "limit" },
     quotes, {
  Q2 .. "buy limit 10.2 can trade at 10.1: 8 of the 8 there",
  "canceled: post-only: it would trade at once", "in the end: canceled, 0 of 9" },
  { name = "post-only" })
says("quote", "quote", { quantity = 9, side = "sell", reduce_only = true }, quotes, {
  Q3 .. "sell market can trade at 9.8: 4 of the 4 there",
  "reduce-only: the position leaves room for 3", "filled 3 at 9.8, taker; 3 of 9 so far",
  Q4 .. "sell market can trade at 9.7: 4 of the 4 there",
  "reduce-only: the position leaves room for 0",
  "canceled: reduce-only: it can only reduce the position",
  "in the end: canceled, 3 of 9 at 9.8" },
  { n = 2, before = { 3 }, at = 2, name = "reduce-only" })
says("quote", "quote", { weight = 0.0001 }, quotes, {
  Q2 .. "buy market can trade at 10.1: 8 of the 8 there",
  "0.01 % of the equity are 9.900990099 at 10.1",
  "has other terms: quantity 9.900990099",
  "filled 8 at 10.1, taker; 8 of 9.900990099 so far",
  Q3 .. "buy market can trade at 10.3: 1.900990099 of the 8 there",
  "filled 1.900990099 at 10.3, taker; 9.900990099 of 9.900990099 so far",
  "in the end: filled, 9.900990099 of 9.900990099 at 10.1384" },
  { name = "a part of the equity" })
says("quote", "quote", { quantity = 5, take_profit = 12, stop_loss = 9.85 }, quotes, {
  "decided on record 1: " .. QUOTE .. "; held until order 1 has traded",
  "order 1 has traded: this one goes out for 5", "sent: it arrives at once",
  "at the venue: new", "has other terms: quantity 1, price 12: one cancels the other:"
    .. " another one was filled (order 3)", Q3 .. "sell limit 12 not met, bid 9.8",
  "canceled: one cancels the other: another one was filled (order 3)",
  "in the end: canceled, 0 of 1" }, { n = 2, all = true, name = "a bracket" })

-- ---- a saved run ----

local run = put("two.lua", [[
  local M, two = { account = { cash = 1000, fill = "quote" } }, require "twice"
  function M:on_quote(symbol)
    self.n = (self.n or 0) + 1
    if self.n == 1 then self:buy(symbol, two(1)) end
    if self.n == 2 then self:sell(symbol, self.params.much or 1) end
    if self.n == 3 then print(symbol) end
  end
  return M]])
local twice = put("twice.lua", "return function(x) return 2 * x end\n")
local function shell(args)
  return apps.shell(("cd %s && timeout 120 %s %s"):format(dir, apps.tidewire, args))
end
local function is_run(got, status, pattern, name)
  if not t.ok(got.status == status and (got.out .. got.err):find(pattern), name) then
    t.diag(("%s: %s%s"):format(got.status, got.out, got.err))
  end
end
data("quote", quotes)
is_run(shell "backtest two.lua --data quote.csv --set much=3 --save r.run --orders r.csv",
       0, "order list", "--save")
local saved = apps.read(dir .. "/r.run")
for _, file in ipairs { "two.lua", "twice.lua", "quote.csv" } do
  t.ok(saved:find(file, 1, true) and saved:find(
    apps.shell("sha256sum " .. dir .. "/" .. file).out:match "^%x+", 1, true),
    "a saved run has the SHA-256 of " .. file)
end
local sum = apps.shell("sha256sum " .. dir .. "/r.csv").out:match "^%x+"
t.ok(saved:find('"hash":"' .. sum, 1, true)
     and saved:find('"tidewire":"' .. tw.version, 1, true), "that of the orders")
t.is(shell "explain r.run".out:gsub(" +", " "), [[
 order time status filled
 1 2020-01-01 09:01:00 buy 2 A market gtc filled 2 at 10.1
 2 2020-01-01 09:02:00 sell 3 A market gtc filled 3 at 9.8
]], "explain lists the orders")
t.is(shell "explain r.run --order 1".out, ([[
order 1: two.lua: buy 2 A market gtc
2020-01-01 09:01:00           decided on record 1: quote 9.9x5/10.1x8
2020-01-01 09:01:00           sent: it arrives at once
2020-01-01 09:01:00           at the venue: new
2020-01-01 09:02:00           quote 9.9x5/10.1x8: \
buy market can trade at 10.1: 2 of the 8 there
2020-01-01 09:02:00           filled 2 at 10.1, taker; 2 of 2 so far
2020-01-01 09:05:00           in the end: filled, 2 of 2 at 10.1
]]):gsub("\\\n", ""), "and one, event by event")
t.is(apps.shell(("cd / && %s explain %s/r.run --order 2 --order 1"):format(apps.tidewire,
  dir)).out:match "^order 2.-\n\norder 1" ~= nil, true, "two, from another directory")
is_run(shell "explain r.run --order 3", 1, "explain: there is no order 3: there are 2\n$",
       "there is no such order")
is_run(shell "explain", 2, "no saved run given; see", "nothing to explain")
is_run(shell "explain r.run --order x", 2, "%-%-order x: a number of an order",
       "no number")
is_run(shell "explain r.run --all", 2, "unknown option '%-%-all'", "no such option")
is_run(shell "explain none.run", 1, "explain: cannot open none.run", "no such file")
is_run(shell "explain two.lua", 1, "two.lua is no saved run", "no run")
is_run(shell "backtest two.lua --data quote.csv --save /nowhere/r", 1,
       "cannot write /nowhere/r", "a file that can't be written")

local function with(path, text, pattern, name)
  local before = apps.read(path)
  apps.put(path, text)
  is_run(shell "explain r.run --order 1", 1, pattern, name)
  apps.put(path, before)
end
with(run, apps.read(run) .. "-- more", "two.lua has changed: it would be another run",
     "the strategy has changed")
with(twice, "return function(x) return 3 * x end\n", "twice.lua has changed",
     "so has a module")
with(dir .. "/quote.csv", "time,symbol,bid,ask\n", "quote.csv has changed",
     "so have data")
with(dir .. "/r.run", saved:gsub('"tidewire":"[^"]+"', '"tidewire":"0.0.1"'),
     "it was of tidewire 0.0.1, this is", "so has tidewire")
with(dir .. "/r.run", saved:gsub('"hash":"%x+"', '"hash":"00"'),
     "the order list is another one each time", "the order list is another one")
os.remove(twice)
is_run(shell "explain r.run", 1, "twice.lua: no such file", "a file is gone")
put("twice.lua", "return function(x) return 2 * x end\n")
is_run(shell "explain r.run --order 1", 0, "in the end: filled", "and there again")

put("app.lua", [[
  local app = require "tw.app"
  local names = require "names"
  app.script(names[1])
  app.script(names[1], { name = "again" })]])
put("names.lua", 'return { "two.lua" }\n')
shell "backtest app.lua --data quote.csv --save a.run"
local app_run = apps.read(dir .. "/a.run")
t.ok(app_run:find("app.lua", 1, true) and app_run:find("names.lua", 1, true)
     and app_run:find("two.lua", 1, true), "of an app, its file and modules, too")
t.is(shell "explain a.run --order 2".out:match "^[^\n]*",
     "order 2: again: buy 2 A market gtc", "an order of one of two scripts")

-- ---- in a book ----

put("book.lua", [[
  local app = require "tw.app"
  app.calendar("day", { open = "09:00", close = "09:15" })
  app.instruments { { symbol = "X", calendar = "day" } }
  app.account { fill = "book" }
  for _, name in ipairs { "a", "b", "c" } do
    app.script("acts.lua", { name = name, symbols = { "A" } })
  end]])
-- What each does on the n-th quote.
put("acts.lua", [[
  local M, tw, last = {}, require "tw"
  local plan = {
    a = { function(self) last = self:sell("X", 10, 100) end,
          [4] = function() last:cancel() end,
          [12] = function(self) self:buy("X", 2) end,
          [14] = function(self) self:buy("X", 7) end,
          [16] = function(self) self:buy("X", 1) end },
    b = { function(self) self:sell("X", 5, 100) end,
          [6] = function(self) self:buy("X", 1, 101) end,
          [10] = function(self)
            self:buy { symbol = "X", quantity = 1, type = "stop", stop = 102 } end,
          [13] = function(self)
            self:oco({ side = "sell", symbol = "X", quantity = 5, price = 105 },
                     { side = "sell", symbol = "X", quantity = 5, price = 106 }) end },
    c = { [2] = function(self) self:buy("X", 4) end,
          [3] = function(self) self:buy("X", 2) end,
          [5] = function(self) self:buy("X", 3) end,
          [7] = function(self)
            self:sell { symbol = "X", quantity = 1, price = 101, post_only = true } end,
          [8] = function(self)
            self:sell { symbol = "X", quantity = 5, price = 101, tif = "fok" } end,
          [9] = function(self)
            self:sell { symbol = "X", quantity = 20, price = 102,
                        reduce_only = true } end,
          [11] = function(self) self:sell("X", 3) end },
  }
  function M:on_quote(symbol)
    self.n = (self.n or 0) + 1
    local act = plan[self.name][self.n]
    if act then act(self) end
  end
  return M]])
local minutes = { HEADS.quote }
for i = 1, 16 do minutes[i + 1] = ("%d,A,1,1,2,1"):format(BEGAN + 60 * i) end
local book = { app = dir .. "/book.lua",
               data = put("book.csv", table.concat(minutes, "\n") .. "\n") }
-- Of the n-th order, all but that it was decided and has come.
local function in_book(n, want, name)
  local got = texts(book, n, true):gsub("^[^\n]*\n", ""):gsub("at the venue: new\n", "")
  t.is(got, table.concat(want, "\n"), "in a book: " .. name)
end
in_book(2, { "sent: it arrives at once",
  "arrives in the book: quote 0x0/100x10",
  "rests at 100 behind 10; there is no bid",
  "to 2020-01-01 09:03:00: 2 trades before it, 6 at 100; 4 ahead of it at its price",
  "4 ahead of it went without a trade; 0 ahead of it",
  "trades with an order, 3 at 100", "filled 3 at 100, maker; 3 of 5 so far",
  "order 6 of the same script comes against it",
  "canceled: it would trade with an order of our own",
  "in the end: canceled, 3 of 5 at 100" }, "one that waits in line")
in_book(1, { "sent: it arrives at once",
  "arrives in the book: quote 0x0/0x0",
  "rests at 100 behind 0; there is no bid",
  "trades with an order, 4 at 100", "filled 4 at 100, maker; 4 of 10 so far",
  "trades with an order, 2 at 100", "filled 2 at 100, maker; 6 of 10 so far",
  "canceled, as asked for",
  "in the end: canceled, 6 of 10 at 100" },
  "one that is canceled")
in_book(7, { "sent: it arrives at once",
  "arrives in the book: quote 101x1/0x0", "post-only, but the bid is 101",
  "canceled: post-only: it would trade at once", "in the end: canceled, 0 of 1" },
  "post-only")
in_book(8, { "sent: it arrives at once",
  "arrives in the book: quote 101x1/0x0",
  "all or nothing, and that is not there: quote 101x1/0x0",
  "canceled: fill or kill: not all of it was there at once",
  "in the end: canceled, 0 of 5" }, "fill or kill")
local REDUCED = ": reduce-only: it can only reduce the position"
in_book(9, { "sent: it arrives at once",
  "arrives in the book: quote 101x1/0x0",
  "reduce-only: the position leaves room for 9",
  "rests at 102 behind 0; the bid is 101",
  "has other terms: quantity 9, price 102" .. REDUCED,
  "reduce-only: the position leaves room for 8",
  "has other terms: quantity 8, price 102" .. REDUCED,
  "trades with 2 orders, 3 at 102", "filled 2 at 102, maker; 2 of 8 so far",
  "filled 1 at 102, maker; 3 of 8 so far", "trades with an order, 5 at 102",
  "filled 5 at 102, maker; 8 of 8 so far", "in the end: filled, 8 of 8 at 102" },
  "reduce-only")
in_book(10, { "sent: it arrives at once",
  "arrives in the book: quote 101x1/102x9",
  "buy stop 102 waits: the last trade was at 100",
  "buy stop 102 triggered by a trade at 102", "trades with an order, 1 at 102",
  "filled 1 at 102, taker; 1 of 1 so far", "in the end: filled, 1 of 1 at 102" },
  "a stop")
in_book(14, { "sent: it arrives at once",
  "arrives in the book: quote 0x0/102x5",
  "rests at 106 behind 0; there is no bid",
  "2 trades before it, 7 at 102 to 105; 0 ahead of it at its price",
  "order 13 of its group has traded",
  "has other terms: quantity 3, price 106: one cancels the other: another one was filled",
  "the data ends: still new, 0 of 3" }, "one of a group")
in_book(15, { "sent: it arrives at once",
  "arrives in the book: quote 0x0/102x5",
  "trades with 2 orders, 7 at 102 to 105", "filled 5 at 102, taker; 5 of 7 so far",
  "filled 2 at 105, taker; 7 of 7 so far",
  "in the end: filled, 7 of 7 at 102.857142857" }, "one that takes")
in_book(16, { "sent: it arrives at once",
  "arrives in the book: quote 0x0/105x3",
  "its market is closed, until 2020-01-02 09:00:00", "rejected: the market is closed",
  "in the end: rejected, 0 of 1" }, "closed")

-- A line for each modify, with the place that it gives; two in one handler, too.
put("modifies.lua", [[
  local M, last = {}, nil
  local plan = {
    function(self) self:sell("X", 4, 99) last = self:sell("X", 10, 100) end,
    function() last:modify { price = 99 } end,
    function() last:modify { quantity = 6 } end,
    function() last:modify { quantity = 7 } last:modify { quantity = 8 } end,
    function() last:cancel() end,
  }
  function M:on_quote()
    self.n = (self.n or 0) + 1
    if plan[self.n] then plan[self.n](self) end
  end
  return M]])
put("modify.lua", [[
  local app = require "tw.app"
  app.instruments { { symbol = "X" } }
  app.account { fill = "book" }
  app.script("modifies.lua", { symbols = { "A" } })]])
book.app = dir .. "/modify.lua"
in_book(2, { "sent: it arrives at once", "arrives in the book: quote 0x0/99x4",
  "rests at 100 behind 0; there is no bid",
  "modified: quantity 10, price 99; rests at 99 behind 4; there is no bid",
  "modified: quantity 6, price 99",
  "modified: quantity 7, price 99; rests at 99 behind 4; there is no bid",
  "modified: quantity 8, price 99; rests at 99 behind 4; there is no bid",
  "canceled, as asked for", "in the end: canceled, 0 of 8" }, "modifies")

-- ---- whichever allocation fails ----

local right, refused, n = shell "explain r.run --order 1".out, 0, 1
while n < 6000 do
  local got = apps.shell(("cd %s && TW_FAIL=%d timeout 120 %s explain r.run --order 1")
    :format(dir, n, apps.tidewire))
  if got.status ~= 0 then refused = refused + 1 end
  if not (got.status == 0 and got.out == right
          or (got.status == 1 or got.status == 2) and got.err:find "memory") then
    t.is(got.status, "0, or 1 and a line", "allocation " .. n .. " fails")
    t.diag(got.out .. got.err)
  end
  n = n + (n < 20 and 1 or os.getenv "SMALL" and 499 or 97)
end
t.ok(refused > 5, "a failed allocation is said (" .. refused .. " times)")

-- ---- all orders of a run: what is said adds up ----

local many = put("many.lua", [[
  local M = { account = { cash = 1e6, fill = "quote", latency = { submit = 30 } } }
  local types = { "market", "limit", "stop" }
  function M:on_quote(symbol, bid, ask)
    self.n = (self.n or 0) + 1
    local kind = types[math.random(3)]
    local o = { symbol = symbol, quantity = math.random(9), type = kind,
                price = kind == "limit" and ask - math.random(3) or nil,
                stop = kind == "stop" and ask + math.random(3) or nil }
    local order = math.random(2) == 1 and self:buy(o) or self:sell(o)
    if math.random(4) == 1 then order:cancel() end
    if math.random(4) == 1 then order:modify { quantity = math.random(9) } end
  end
  return M]])
local rows = {}
for i = 1, os.getenv "SMALL" and 12 or 40 do
  rows[i] = ("%d %d %d %d"):format(100 + i * 7 % 5, 3 + i % 4, 101 + i * 7 % 5, 3 + i % 4)
end
local whole = { script = many, data = data("quote", rows) }
local result, wrong, filled = assert(tw.backtest.run(whole)), 0, 0
for i, order in ipairs(result.orders) do
  local told = assert(tw.backtest.explain(whole, i))
  local sum, last = 0, told.events[#told.events]
  for _, event in ipairs(told.events) do
    if event.exec == "trade" then sum = sum + event.quantity end
  end
  if sum ~= order.filled or told.order.status ~= order.status
     or not last.text:find((order.status:gsub("_", " ")), 1, true)
        and not last.text:find "still pending" then
    wrong = wrong + 1
    t.diag(explain.text(told))
  end
  filled = filled + (order.filled > 0 and 1 or 0)
end
t.is(wrong, 0, ("of %d orders, %d of them filled, the events add up"):format(
  #result.orders, filled))
t.ok(filled > 3 and filled < #result.orders, "some are filled, some not")

-- ---- a stop that has nothing to follow, an opening that is missed ----

local waits = put("waits.lua", [[
  local M = { account = { fill = "quote" } }
  function M:on_start()
    self:sell { symbol = "A", quantity = 2, trail = 0.5, type = "trailing_stop" }
  end
  function M:on_quote() end
  return M]])
local falling = data("quote", { "9.9 5 10.1 8", "9.3 5 9.5 8" })
t.is(texts({ script = waits, data = falling }, 1),
     "no price is known yet that the stop could follow\n"
     .. Q2 .. "no price is known yet that the stop could follow; the stop moves to 9.4\n"
     .. "quote 9.3x5/9.5x8: sell trailing stop 9.4 triggered at 9.3\n"
     .. "quote 9.3x5/9.5x8: sell trailing stop can trade at 9.3: 2 of the 5 there\n"
     .. "filled 2 at 9.3, taker; 2 of 2 so far\nin the end: filled, 2 of 2 at 9.3",
     "a stop of on_start follows from the first price on")
put("opens.lua", [[
  local app = require "tw.app"
  app.calendar("day", { open = "09:02", close = "17:00" })
  app.instruments { { symbol = "A", calendar = "day" } }
  app.account { fill = "touch" }
  app.script("opener.lua")]])
put("opener.lua", [[
  local M = {}
  function M:on_start()
    self:buy { symbol = "A", quantity = 2, price = 9.6, type = "limit", tif = "opg" }
  end
  return M]])
local opens = { app = dir .. "/opens.lua", data = data("bar", bars) }
t.is(texts(opens, 1):gsub("^[^\n]*\n", ""), B2 .. "buy limit 9.6 not met, open 10\n"
     .. "expired: it was for that open alone\nin the end: expired, 0 of 2",
     "an opening that is worse than the limit")

-- ---- limits that refuse, of an account and of all scripts ----

local three = data("quote", { rows[1], rows[1], rows[1] })   -- 102x4/103x4
local function limited(what, declared, params, want)
  local app = put("limited.lua", ([[
    local app = require "tw.app"
    app.account { fill = "quote", cash = 1000, limits = { %s } }
    %s
    app.script("one.lua", { params = { at = 1, %s } })]]):format(
      what == "account" and declared or "", what == "all" and declared or "", params))
  local told = assert(tw.backtest.explain({ app = app, data = three },
                                          params:find "before" and 2 or 1))
  t.is(told.events[2].text, "limit " .. want, want)
  t.is(told.events[3].text:match "^%a+", "rejected", "and it is")
end
local BUY <const> = "order = { quantity = 5, price = 102 }"
local BEFORE <const> = "before = { 1 }, "
limited("all", "app.risk { order_quantity = 4 }", BUY,
        "order_quantity of all scripts: at most 4: refused")
limited("all", "app.risk { order_value = 509 }", BUY,
        "order_value of all scripts: at most 509: refused")
limited("all", "app.risk { collar = 0.1 }", BUY,
        "collar of all scripts: at most 0.1 %: refused")
limited("all", "app.risk { position = 4 }", BUY,
        "position of all scripts: at most 4: refused")
limited("all", "app.risk { open_orders = 1 }", BEFORE .. BUY,
        "open_orders of all scripts: at most 1: refused")
limited("all", "app.risk { orders = 1 }", BEFORE .. BUY,
        "orders of all scripts: at most 1: refused")
limited("all", "app.risk { self_match = true }",
        BEFORE .. "order = { side = 'sell', quantity = 1, price = 102 }",
        "self_match of all scripts: an order of one of them is in the way: refused")
limited("account", "self_match = true",
        BEFORE .. "order = { side = 'sell', quantity = 1, price = 102 }",
        "self_match: own market order on the other side: refused")
limited("account", "self_match = true",
        "before = { -1 }, order = { quantity = 1, price = 102 }",
        "self_match: own market order on the other side: refused")
limited("account", "buying_power = true", "order = { quantity = 10, price = 101 }",
        "buying_power: it needs 1010, 1000 is free: refused")
limited("account", "position = 9", "order = { quantity = 1, reduce_only = true }",
        "reduce_only: the position is 0: refused")
limited("all", "app.instruments { { symbol = 'A', tick_size = 0.05 } }",
        "order = { quantity = 1, price = 101.01 }",
        "tick_size: price 101.01, ticks of 0.05: refused")
t.is(select(2, pcall(tw.backtest.explain, { script = one, data = three, risk = {} }, 1)),
     "tw.backtest: no option 'risk'", "an option that is none")

-- ---- an order of on_start is of when the first record began ----

local early = put("early.lua", [[
  local M = { account = { fill = "quote", latency = { submit = 30 } } }
  function M:on_start() self:buy { symbol = "A", quantity = 2 } end
  function M:on_quote() end
  return M]])
t.is(explain.text(assert(tw.backtest.explain({ script = early,
       data = data("quote", { rows[1], rows[2] }) }, 1))), [[
order 1: early.lua: buy 2 A market gtc
2020-01-01 09:01:00           decided before the first record
2020-01-01 09:01:00           sent: it arrives after 30 s, at 2020-01-01 09:01:30
2020-01-01 09:01:00           quote 102x4/103x4: not looked at: before it arrived, at ]]
  .. [[2020-01-01 09:01:30
2020-01-01 09:01:30           at the venue: new
2020-01-01 09:02:00           quote 104x5/105x5: buy market can trade at 105: ]]
  .. [[2 of the 5 there
2020-01-01 09:02:00           filled 2 at 105, taker; 2 of 2 so far
2020-01-01 09:02:00           in the end: filled, 2 of 2 at 105
]], "an order of on_start takes its time from the first record on")
