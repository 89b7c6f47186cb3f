--- journal: what a backtest keeps of orders and trades: the corners.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local _, put = apps.folder "journal"
local BEGAN = 1577872800                          -- 2020-01-01 10:00:00

-- Bids of A, a second apart, 100 shown; asks are 1 above.
local function quotes(bids)
  local lines = { "time,symbol,bid,ask,bid_size,ask_size" }
  for i, bid in ipairs(bids) do
    lines[i + 1] = ("%d,A,%d,%d,100,100"):format(BEGAN + i, bid, bid + 1)
  end
  return put("quotes.csv", table.concat(lines, "\n") .. "\n")
end

-- A script that does what steps[n] says at the n-th quote.
local function script(name, steps, account)
  local parts = {}
  for n, step in pairs(steps) do
    parts[#parts + 1] = ("if n == %d then %s end"):format(n, step)
  end
  return put(name, ([[
    local M, o, n = { account = { fill = "quote", cash = 1000, %s } }, nil, 0
    function M:on_quote(symbol)
      local A = symbol
      n = n + 1
      %s
    end
    return M]]):format(account or "", table.concat(parts, "\n")))
end

local function run(bids, steps, account)
  return assert(tw.backtest.run { script = script("one.lua", steps, account),
                                  data = quotes(bids), list = true })
end

local function trade_text(r)
  local lines = {}
  for i, x in ipairs(r.trades) do
    lines[i] = ("%g from %g to %g: %g, %d s"):format(x.quantity, x.entry_price,
      x.exit_price, x.pnl, (x.exit - x.entry) // 1000000000)
  end
  return table.concat(lines, "\n")
end

local r = run({ 10, 10, 12, 9, 9, 9 }, {
  [1] = "self:buy(A, 2)", [2] = "self:sell(A, 5)", [3] = "self:buy(A, 1)" })
t.is(trade_text(r), "2 from 11 to 12: 2, 1 s",
     "an order through flat closes one trade; the other side stays open")
t.is(r.positions[1].quantity, -2, "and is a position")
t.is(r.figures.trades, 1, "which is no trade yet")
t.is(("%d %g"):format(r.positions[1].entry // 1000000000 - BEGAN, r.positions[1].value),
     "3 24", "since when, and what it took")
t.is(r.figures.exposure, 4 / 5, "there was a position from the second quote on")

r = run({ 10, 10, 12, 9, 9 }, { [1] = "self:buy(A, 2)", [2] = "self:buy(A, 2)",
  [3] = "self:sell(A, 3)", [4] = "self:sell(A, 1)" }, "fees = { per_order = 1 }")
t.is(trade_text(r), "4 from 12 to 9: -16, 3 s", "in two steps in, in two out: one trade")
t.is(r.figures.fees, 4, "with the fees of all")

r = run({ 10, 10, 11, 12 }, { [1] = "self:buy(A, 250)" })
local o = r.orders[1]
t.is(("%s %g %g"):format(o.status, o.filled, o.average), "filled 250 11.8",
     "an average of three fills")           -- 100 at 11, 100 at 12, 50 at 13

r = run({ 10, 10, 10, 10 }, {
  [1] = [[o = self:buy { symbol = A, quantity = 3, price = 5, label = 'a, "b"' }]],
  [2] = "o:modify { quantity = 4, price = 6 }", [3] = "o:cancel()",
  [4] = "self:buy(A, 1)" })
t.is(r.list:gsub("%.000000000Z", ""), ([[
time,script,symbol,side,type,tif,quantity,price,stop,status,reason,filled,average,\
fees,label
2020-01-01T10:00:01,one.lua,A,buy,limit,gtc,4,6,,canceled,,0,,0,"a, ""b"""
2020-01-01T10:00:04,one.lua,A,buy,market,gtc,1,,,new,,0,,0,
]]):gsub("\\\n", ""), "the last terms, a label, and one that was still on its way")

-- Lines go out many at a time, and a label may be longer than that.
r = run({ 10, 10 }, { [1] = [[
  for i = 0, 90 do
    local text = ('"a, b'):rep(i * i)
    self:buy { symbol = A, quantity = i + 1.25, price = 5.00000001, label = text }
  end]] })
local lines = {}
for line in r.list:gmatch "[^\n]*\n" do lines[#lines + 1] = line end
t.is(#lines, 92, "a line for each")
local wrong = 0
for i = 0, 90 do
  local label = i == 0 and "" or '"' .. ('""a, b'):rep(i * i) .. '"'
  local line = ("2020-01-01T10:00:01.000000000Z,one.lua,A,buy,limit,gtc,%s,5.00000001,,"
    .. "new,,0,,0,%s\n"):format(("%.2f"):format(i + 1.25), label)
  if lines[i + 2] ~= line then wrong = wrong + 1 end
end
t.is(wrong, 0, "with labels of any length")
t.is(r.hash, require "tw.internal.sweep".sha256(r.list), "and the hash is of that")

r = run({ 10, 10 }, { [1] = "for i = 1, 70 do self:buy(A, i) end" },
        "limits = { order_quantity = 69 }")
t.is(#r.orders, 70, "more orders than there was room for at first")
t.is(("%g %s %s"):format(r.orders[70].quantity, r.orders[70].status, r.orders[70].reason),
     "70 rejected the quantity is above the limit for an order",
     "a refusal has its reason")
local last, fine = 0, true
for i, one in ipairs(r.orders) do
  fine, last = fine and one.quantity == i and one.id > last, one.id
end
t.ok(fine, "those of one time are in the order in which they were sent")

r = run({ 10, 10, 14, 14 }, {
  [1] = "self:buy { symbol = A, quantity = 2, take_profit = 13, stop_loss = 5 }" })
local parts = {}
for i, one in ipairs(r.orders) do parts[i] = one.label .. " " .. one.status end
t.is(table.concat(parts, ", "), " filled, take_profit filled, stop_loss canceled",
     "a bracket: children are of the time at which they went out")
t.is(trade_text(r), "2 from 11 to 14: 6, 1 s", "and one trade")

-- ---- two scripts ----

script("first.lua", { [1] = "self:buy(A, 1)", [3] = "self:sell(A, 1)" })
script("second.lua", { [1] = "self:sell(A, 1)", [2] = "self:buy(A, 1)" })
local app = put("app.lua", [[
  local app = require "tw.app"
  app.script "second.lua"
  app.script "first.lua"]])
r = assert(tw.backtest.run { app = app, data = quotes { 10, 10, 12, 20, 20 } })
local names = {}
for i, one in ipairs(r.orders) do names[i] = one.script .. " " .. one.side end
t.is(table.concat(names, ", "), "second.lua sell, first.lua buy, second.lua buy,"
     .. " first.lua sell", "orders by time, then by script as the app declares them")
t.is(trade_text(r), "-1 from 10 to 13: -3, 1 s\n1 from 11 to 20: 9, 2 s",
     "each has its own positions: no trade of one closes the other's")
t.is(r.final, 2006, "what both are worth")
