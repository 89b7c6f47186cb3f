--- early: time before 1970 is time: a history is traded there as it is 28 years later.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local _, put, command = apps.folder "d"
local directory <const> = apps.directory .. "/d/"
local LATER <const> = 10227 * 86400   -- s: 28 years; the same days of weeks and months
local BEGIN <const> = -3 * 86400 - 7200           -- from 1969-12-28T22:00 over the epoch

-- Quotes a minute apart, and daily bars; not on whole seconds.
local function write(later)
  local rows, bars = { "time,symbol,bid,ask,bid_size,ask_size" }, {
    "time,open,high,low,close,volume" }
  local price, seed = 10000, 7
  for i = 0, 6000 do
    seed = (seed * 1103515245 + 12345) % 2147483648
    price = price + seed // 65536 % 21 - 10
    rows[#rows + 1] = ("%d,EUR,%.2f,%.2f,100,100"):format(
      (BEGIN + later + 60 * i) * 1000000000 - 499999999, price / 100, price / 100 + 0.01)
  end
  for i = 0, 700 do
    local day = (BEGIN + later) // 86400 - 350 + i
    seed = (seed * 1103515245 + 12345) % 2147483648
    local close = price + seed // 65536 % 201 - 100
    if (day + 3) % 7 < 5 then
      bars[#bars + 1] = ("%s,%.2f,%.2f,%.2f,%.2f,1000"):format(
        os.date("!%Y-%m-%d", day * 86400), price / 100, (price + 300) / 100,
        (price - 300) / 100, close / 100)
      price = close
    end
  end
  local name = later == 0 and "early" or "late"
  put(name .. ".csv", table.concat(rows, "\n") .. "\n")
  put(name .. "-days.csv", table.concat(bars, "\n") .. "\n")
end
write(0)
write(LATER)

-- Orders that end in all ways, with latencies, limits, fees of each day and waits.  What
-- is printed is told since the beginning.
put("app.lua", [[
  local app = require "tw.app"
  app.calendar("day", { open = "08:00", close = "17:30" })
  app.instruments { { symbol = "EUR", calendar = "day", multiplier = 10, margin = 5,
                      settles_daily = true }, { symbol = "X", calendar = "day" } }
  app.risk { orders = 3, daily_loss = 1e6 }
  app.script("s.lua", { account = { latency = { 0.5, 90 }, seed = 3,
    limits = { orders = 5, per = 3600, daily_loss = 2000 } } })
  for _, side in ipairs { "buy", "sell" } do
    app.script("book.lua", { name = side, params = { side = side },
                             account = { fill = "book", latency = 0.25 } })
  end]])
put("s.lua", [[
  local tw = require "tw"
  local M, n = {}, 0
  local kinds = { "day", "gtd", "ioc", "fok", "opg", "cls", "gtc" }
  function M:on_start()
    self.zero = tw.now()
    self:bars { every = "1h", of = "bid" }
    require "tw.task".detach(function()
      for _ = 1, 20 do tw.sleep(3601.25) print("slept", tw.now() - self.zero) end
    end)
  end
  function M:on_quote(symbol, bid)
    n = n + 1
    if symbol ~= "EUR" or n % 17 > 1 then return end
    local tif = kinds[n // 17 % #kinds + 1]
    local limit = tif ~= "opg" and tif ~= "cls" and n % 3 == 0
    self[n % 2 == 0 and "buy" or "sell"](self, { symbol = symbol, quantity = 5,
      price = limit and bid or nil, tif = tif,
      expire = tif == "gtd" and tw.now() + 600 * 1000000000 or nil })
  end
  function M:on_bar(symbol, close, time) print("bar", time - self.zero, close) end
  function M:on_order(status, reason, time) print(status, reason, time - self.zero) end
  return M]])
put("book.lua", [[
  local tw = require "tw"
  local M, n = {}, 0
  function M:on_start() self.zero = tw.now() end
  function M:on_quote(symbol, bid)
    if symbol ~= "EUR" then return end
    n = n + 1
    if n % 40 == 0 and self.params.side == "sell" then self:sell("X", 10, bid) end
    if n % 40 == 20 and self.params.side == "buy" then
      self:buy { symbol = "X", quantity = 7, tif = n % 80 == 20 and "cls" or "day" }
    end
  end
  function M:on_order(status, reason, time) print(status, reason, time - self.zero) end
  return M]])
put("days.lua", [[
  local M, n = {}, 0
  function M:on_start() self:buy("SPX", 1) end
  function M:on_bar(symbol, close)
    n = n + 1
    self:order_target(symbol, n // 10 % 3 * 10)
  end
  return M]])

-- A text of 1995 to 1999 as one of 28 years before.
local function moved(text)
  return (text:gsub("%f[%d]199[5-9]%f[%D]", function(year)
    return tostring(math.tointeger(year) - 28)
  end))
end

local function same(name, what, options)
  local runs, lists = {}, {}
  for i, when in ipairs { "early", "late" } do
    runs[i] = command(("backtest %s --data %s %s --orders %s.orders --report %s.txt")
                      :format(what, when .. name, options, when, when))
    t.is(runs[i].err, "", when .. name .. ": no complaint")
    lists[i] = apps.read(directory .. when .. ".orders")
    if name == "-days.csv" then         -- of the other one the curve's points differ
      lists[i] = lists[i] .. apps.read(directory .. when .. ".txt")
    end
    runs[i] = runs[i].out:gsub("order list[^\n]*", ""):gsub("records in[^\n]*", "")
  end
  t.is(runs[1], moved(runs[2]), name .. ": what is told is the same")
  t.is(lists[1], moved(lists[2]), name .. ": so are the orders, and the report")
  return lists[1], runs[1]
end

local orders, told = same(".csv", "app.lua", "--csv time=ns")
local function has(text, pattern) t.ok(text:find(pattern), "there is " .. pattern) end
for _, status in ipairs { "filled", "expired", "rejected", "canceled" } do
  has(orders, "\n1969%-12%-%d%dT%d%d:%d%d:%d%d%.%d+Z,s.lua,EUR,[^\n]*," .. status .. ",")
end
has(orders, "\n1969%-12%-29T10:[^\n]*,buy,X,buy,[^\n]*,filled,")
has(orders, "\n1970%-01%-01T12:[^\n]*,buy,X,buy,[^\n]*,filled,")
has(orders, "\n1969[^\n]*,s.lua,[^\n]*,too many orders in this time,")
has(told, "\n1969%-12%-29 %d%d:%d%d:%d%d%.%d+ slept\t")
orders = same("-days.csv", "days.lua", "--benchmark SPX --csv symbol=SPX")
has(orders, "\n1969%-01%-13T00:00:00.000000000Z,days.lua,SPX,buy,market,gtc,1,")

-- The same of a tape, from a day and to one, also to the one where time begins.
command "convert early-days.csv days.tape --set symbol=SPX"
local function days(options)
  local run = command("backtest days.lua --data " .. options)
  return run.out:match "^days.lua  ([^\n]*)" or run.err
end
for _, data in ipairs { "days.tape ", "early-days.csv --csv symbol=SPX " } do
  t.is(days(data .. "--from 1969-06-02 --to 1969-07-01"),
       "1969-06-03 00:00:00 to 1969-07-01 00:00:00", data .. ": a month")
  t.is(days(data .. "--from 1970-01-01"),
       "1970-01-02 00:00:00 to 1970-12-12 00:00:00", data .. "from 1970 on")
  t.is(days(data .. "--to 1970-01-01"),
       "1969-01-14 00:00:00 to 1970-01-01 00:00:00", data .. "up to 1970")
end

-- Time that goes back is told as it is.
put("back.csv", "time,open,high,low,close\n1927-12-30,1,1,1,1\n1928-01-03,1,1,1,1\n"
    .. "1927-12-31,1,1,1,1\n")
t.is(command "backtest days.lua --data back.csv".err, "tidewire: backtest: back.csv: csv:"
     .. " line 4: time '1927-12-31' is before that of the symbol's last bar\n",
     "time that goes back")

-- Runs over it beside each other, in and out of a sample.
local sweep = command("sweep days.lua --data days.tape --set n=1,2 --store none"
                      .. " --walk 90d:90d --by total_return")
t.is(sweep.status, 0, "a walk forward")
has(sweep.out, "1969")
