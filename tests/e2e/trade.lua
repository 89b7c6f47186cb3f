--- trade: whole runs that trade: the same orders on any number of workers and at any
-- speed, each reason for a refusal, known answers, and nothing left behind.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local SMALL = os.getenv "SMALL"
local HEAD = "time,symbol,bid,ask,bid_size,ask_size\n"

-- What a script prints of all that it is told: of its n-th order.
local TOLD = [[
  local numbers, last, n_ids = {}, 0, 0
  local function number(id)
    if not numbers[id] then
      assert(id > last, "ids rise")
      last, n_ids = id, n_ids + 1
      numbers[id] = n_ids
    end
    return numbers[id]
  end
  function M:on_order(id, status, reason, side, price, quantity, time)
    print(number(id), status, reason, side, price, quantity, time)
  end
  function M:on_fill(id, price, quantity, fee, position, time)
    print("fill", number(id), price, quantity, fee, position, time)
  end ]]

local function run(o)
  local made = apps.run(o)
  if made.status ~= 0 then t.diag(made.err) end
  return made
end

-- The same orders, however it runs.

local quotes, mid = { HEAD }, 100000
local random = 7
for i = 1, SMALL and 500 or 5000 do
  random = (random * 1103515245 + 12345) % 2147483648
  mid = mid + random // 65536 % 41 - 20
  quotes[#quotes + 1] = ("%d.%03d,%s,%.2f,%.2f,%d,%d\n"):format(1700000000 + i // 20,
    i % 20 * 50, random // 1024 % 2 == 0 and "A" or "B", mid / 1000 - 0.01,
    mid / 1000 + 0.01, 100 * (random // 4096 % 5 + 1), 100 * (random // 8192 % 5 + 1))
end
local function traded(args, speed, fill)
  return run {
    args = args, files = { ["in.csv"] = table.concat(quotes) },
    app = ([[
      app.instruments { { symbol = "A", tick_size = 0.01, lot_size = 1 },
                        { symbol = "B", tick_size = 0.01, lot_size = 1 } }
      app.feed.csv { file = here .. "in.csv", speed = %s }
      app.account { fill = %q, seed = 3, latency = { submit = { 0.01, 0.2 },
        cancel = { list = { 0.02, 0.3 } } }, slippage = { ticks = 1 },
        fees = { per_share = 0.001, minimum = 0.5 } }
      app.script("other.lua", { reliable = true })
      app.script("s.lua", { workers = { 0 }, reliable = true })]]):format(speed,
      fill), ["other.lua"] = [[
      function M:on_quote(symbol, seq)
        if seq % 50 == 0 then self:buy(symbol, 1, 50) end
      end]], ["s.lua"] = TOLD .. [[
      local n = 0
      function M:on_quote(symbol, bid, ask, time)
        n = n + 1
        if n % 7 == 0 then self:buy(symbol, 200, bid) end
        if n % 11 == 0 then
          self:sell { symbol = symbol, quantity = 150, stop = bid - 0.05, tif = "day" }
        end
        if n % 13 == 0 then self:order_target(symbol, n % 3 * 100 - 100) end
        if n % 17 == 0 then
          self:buy { symbol = symbol, quantity = 50, price = ask, tif = "ioc",
                     take_profit = ask + 0.04, stop_loss = bid - 0.04 }
        end
        if n % 23 == 0 then self:cancel(symbol) end
        if n % 29 == 0 then
          for _, o in ipairs(self:orders(symbol)) do
            if o.type == "limit" then o:modify { price = bid - 0.01 } end
          end
        end
      end
      function M:on_stop()
        local a = self.account
        print(a.cash, a.equity, a.realised, a.unrealised, a.fees)
      end]],
  }
end
local first
for _, fill in ipairs { "quote", "queue" } do
  first = traded({ "--workers", "1" }, 0, fill)
  t.ok(#first.lines > (SMALL and 200 or 2000), fill .. ": " .. #first.lines .. " lines")
  t.ok(traded({ "--workers", "2" }, 0, fill).out == first.out,
       fill .. ": the same with two workers")
  t.ok(traded({ "--workers", "2" }, SMALL and 20 or 200, fill).out == first.out,
       fill .. ": at another speed")
end

-- Why an order is refused.

local REASONS = [[
1,A,10,10.1,500,500
2,A,10,10.1,500,500
3,A,10,10.1,500,500
4,A,5,5.1,500,500
5,A,5,5.1,500,500
]]
local function refuses(account, before, what, want)
  local made = run { args = { "--workers", "1" },
    files = { ["in.csv"] = HEAD .. REASONS },
    app = 'app.instruments { { symbol = "A", tick_size = 0.01, lot_size = 1 } } '
      .. 'app.feed.csv { file = here .. "in.csv" } app.script("s.lua")',
    ["s.lua"] = "M.account = " .. account .. [[ local n, o, s = 0
      function M:on_quote()
        n = n + 1
        if n == 1 then ]] .. before .. [[ end
        if n == ]] .. (before:find "buy%(.*1000" and 5 or 3) .. " then " .. what .. [[ end
      end
      function M:on_order(order, status, reason)
        if reason then print(status, reason) end
        assert(order.reason == reason)
      end]] }
  t.is(made.out, want .. "\n", want)
end
refuses("{ limits = { order_quantity = 10 } }", "", "self:buy('A', 11)",
        "rejected\tthe quantity is above the limit for an order")
refuses("{ limits = { order_value = 100 } }", "", "self:buy('A', 11)",
        "rejected\tthe value is above the limit for an order")
refuses("{ limits = { position = 10 } }", "self:buy('A', 6)", "self:buy('A', 5)",
        "rejected\tthe position would be above its limit")
refuses("{ limits = { open_orders = 1 } }", "self:buy('A', 6, 1)", "self:buy('A', 5)",
        "rejected\ttoo many orders are open")
refuses("{ limits = { orders = 1, per = 10 } }", "self:buy('A', 6)", "self:buy('A', 5)",
        "rejected\ttoo many orders in this time")
refuses("{ limits = { collar = 5 } }", "", "self:buy('A', 5, 11)",
        "rejected\tthe price is too far from the market")
refuses("{ limits = { daily_loss = 1000 } }", "self:buy('A', 1000)", "self:buy('A', 1)",
        "rejected\tthe limit for a day's loss is reached")
refuses("{ limits = { self_match = true } }", "self:buy('A', 5, 9.9)",
        "self:sell('A', 5, 9.9)", "rejected\tit would trade with an order of our own")
refuses("{ cash = 100, limits = { buying_power = true } }", "", "self:buy('A', 50)",
        "rejected\tnot enough cash or margin")
refuses("{ cash = 1 }", "", "self:buy { symbol = 'A', weight = 1 }",
        "rejected\tnot enough cash or margin")
refuses("{}", "", "self:buy('A', 5, 10.001)",
        "rejected\tthe price is not a multiple of the tick size: 10.001 with ticks"
        .. " of 0.01")
refuses("{}", "", "self:buy('A', 5.5)",
        "rejected\tthe quantity is not a multiple of the lot size: 5.5 with lots of 1")
local TICK, LOT = "the price is not a multiple of the tick size: ",
                  "the quantity is not a multiple of the lot size: "
refuses("{}", "o = self:buy('A', 5, 9.5) s = self:sell { symbol = 'A', quantity = 5,"
        .. " stop = 1 }", "o:modify { price = 9.501 } o:modify { quantity = 5.5 }"
        .. " s:modify { stop = 1.001 }",
        "new\t" .. TICK .. "9.501 with ticks of 0.01\nnew\t" .. LOT
        .. "5.5 with lots of 1\nnew\t" .. TICK .. "1.001 with ticks of 0.01")
refuses("{}", "", "self:sell { symbol = 'A', quantity = 5, reduce_only = true }",
        "rejected\treduce-only: it can only reduce the position")
refuses("{}", "", "self:buy { symbol = 'A', quantity = 5, price = 12, post_only = true }",
        "canceled\tpost-only: it would trade at once")
refuses("{}", "", "self:buy { symbol = 'A', quantity = 900, price = 5.1, tif = 'ioc' }",
        "canceled\timmediate or cancel: the rest was not there at once")
refuses("{}", "", "self:buy { symbol = 'A', quantity = 900, price = 5.1, tif = 'fok' }",
        "canceled\tfill or kill: not all of it was there at once")

-- A market that closes.

local closing = run { args = { "--workers", "1" }, app = [[
    app.calendar("nyse", { zone = "America/New_York", open = "09:30", close = "16:00",
      days = "mon-fri", holidays = { "2013-11-28" },
      early = { ["2013-11-29"] = "13:00" } })
    app.instruments { { symbol = "A", calendar = "nyse" } }
    app.feed.csv { file = here .. "in.csv" } app.script("s.lua")]],
  files = { ["in.csv"] = HEAD .. [[
2013-11-29T15:00:00Z,A,10,10.1,500,500
2013-11-29T17:59:59Z,A,10,10.1,500,500
2013-11-29T18:00:01Z,A,10,10.1,500,500
2013-12-02T14:30:00Z,A,10,10.1,500,500
]] }, ["s.lua"] = [[ local n = 0
  function M:on_quote(time)
    n = n + 1
    if n == 1 then self:buy { symbol = "A", quantity = 1, price = 9, tif = "day" } end
    if n == 3 then self:buy { symbol = "A", quantity = 1, price = 9, tif = "day" } end
  end
  function M:on_order(id, status, reason) print(n, id, status, reason) end]] }
t.is(closing.out, "1\t1\tpending_new\tnil\n1\t1\tnew\tnil\n2\t1\texpired\tnil\n"
     .. "3\t2\tpending_new\tnil\n3\t2\tnew\tnil\n", "an early close ends a day's order")

-- The desk of all strategies.

local desk = run { args = { "--workers", "1" }, app = [[
    app.risk { open_orders = 3 } app.instruments { { symbol = "A" } }
    app.feed.csv { file = here .. "in.csv" } app.script("s.lua") app.script("s.lua")]],
  files = { ["in.csv"] = HEAD .. REASONS }, ["s.lua"] = [[
  function M:on_quote(seq)
    if seq == 1 then self:buy("A", 1, 1) self:buy("A", 1, 1) end
  end
  function M:on_order(status, reason) print(status, reason) end]] }
local count = select(2, desk.out:gsub("rejected\ttoo many orders are open", ""))
t.is(count, 1, "of four orders of two scripts three pass")

-- What each of its limits refuses: two scripts, the second one after the first.
local function desk_refuses(limits, first, second, want)
  local made = run { args = { "--workers", "1" }, app = ([[
      app.risk { %s } app.instruments { { symbol = "A", tick_size = 0.01 } }
      app.feed.csv { file = here .. "in.csv" }
      app.script("s.lua", { params = { at = 2 } })
      app.script("s.lua", { params = { at = 3 } })]]):format(limits),
    files = { ["in.csv"] = HEAD .. REASONS }, ["s.lua"] = ([[
      function M:on_quote(seq, time)
        if time ~= self.params.at * 1000000000 then return end
        if self.params.at == 2 then %s else %s end
      end
      function M:on_order(status, reason)
        if reason then print(self.params.at, status, reason) end
      end]]):format(first, second) }
  t.is(made.out, "3\trejected\t" .. want .. "\n", limits .. ": " .. want)
end
desk_refuses("order_quantity = 10", "self:buy('A', 10)", "self:buy('A', 11)",
             "the quantity is above the limit for an order")
desk_refuses("order_value = 100", "self:buy('A', 9)", "self:buy('A', 11)",
             "the value is above the limit for an order")
desk_refuses("collar = 5", "self:buy('A', 5, 10)", "self:buy('A', 5, 11)",
             "the price is too far from the market")
desk_refuses("position = 10", "self:buy('A', 6, 9)", "self:buy('A', 5)",
             "the position of all scripts would be above its limit")
desk_refuses("self_match = true", "self:buy('A', 5, 4.9)", "self:sell('A', 5, 4.9)",
             "it would trade with an order of our own")
desk_refuses("orders = 9", "self:buy('A', 1)", [[self:buy { symbol = "A", quantity = 1,
  price = 9, tif = "gtd", expire = time }]], "gtd: its time of expiry is over already")

-- A restart keeps what is held.

local restart = run { args = { "--workers", "1" }, app = [[
    app.instruments { { symbol = "A" } } app.feed.csv { file = here .. "in.csv" }
    app.script("s.lua", { on_error = "restart", restarts = 3 })]],
  files = { ["in.csv"] = HEAD .. REASONS }, ["s.lua"] = [[
  function M:on_start() print("start", self:position "A", #self:orders()) end
  function M:on_quote(time)
    if time == 1000000000 then self:buy("A", 5) self:buy("A", 1, 1) end
    if time == 3000000000 then error "ouch" end
  end]] }
t.is(restart.out, "start\t0.0\t0\nstart\t5.0\t1\n", "a restart keeps what is held")

-- A new version goes on with account and orders; while it may be refused it can't trade.

local changed = run { args = { "--workers", "2" }, app = [[
    app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 6000 }
    app.script("s.lua", { workers = { 1 } })
    app.script("lead.lua", { workers = { 0 } })]],
  ["s.lua"] = [[
    function M:on_quote(symbol, bid)
      if not self.order then
        self.order = self:buy(symbol, 100, 1)
        self:sell(symbol, 200)
      end
    end]],
  ["lead.lua"] = [[
    local here = debug.getinfo(1, "S").source:match "^@(.*/)"
    local n = 0
    local function reload(text)
      local file = assert(io.open(here .. "s.lua", "w"))
      file:write("local M = {} ", text, " return M")
      file:close()
      local fine, why = pcall(function() return tw.reload("s.lua"):await() end)
      print(fine, (tostring(why):match "buy:[^\n]*"))
    end
    function M.on_quote()
      n = n + 1
      if n == 2000 then
        reload "function M:on_reload() self:buy(self.order.symbol, 100) end"
        reload [=[
          function M:on_quote()
            if not self.done then
              self.done = true
              print(self:position(self.order.symbol), self.order:cancel())
            end
          end
          function M:on_order(order, status) print(order == self.order, status) end]=]
      end
    end]] }
table.sort(changed.lines)             -- two workers print
t.is(table.concat(changed.lines, "\n"), "-200.0\ttrue\n"
     .. "false\tbuy: a version that is not decided on yet (on_reload) can't trade\n"
     .. "true\tcanceled\ntrue\tnil\ntrue\tpending_cancel",
     "a new version goes on with account and orders")

-- Many orders leave nothing behind.

local MANY = SMALL and 2000 or 100000
local many = run { args = { "--workers", "1" }, app = ([[
    app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = %d }
    app.script("s.lua")]]):format(MANY), ["s.lua"] = ([[
  local n, early = 0
  function M:on_quote(symbol, bid)
    n = n + 1
    if n %% 2 == 0 then self:buy(symbol, 100) self:sell(symbol, 100, bid + 5)
    else self:cancel() end
    if n == %d then
      collectgarbage()
      collectgarbage()
      early = collectgarbage "count"
    end
  end
  function M:on_stop()
    collectgarbage()
    collectgarbage()
    print(collectgarbage "count" < early + 64, #self:orders() < 8)
  end]]):format(MANY // 10) }
t.is(many.out, "true\ttrue\n", MANY .. " orders leave nothing behind")

-- Known answers.

local DATA = "../shared/data/"
local pwd <close> = io.popen "pwd"
local here = pwd:read "l" .. "/"
local function has(path)
  local file = io.open(path)
  return file and file:close()
end
local function known(name, path, o, want)
  if not has(DATA .. path) then return t.ok(true, name .. " # SKIP no ../shared/data") end
  local made = run { args = { "--workers", "1" }, app = ([[
      app.instruments { { symbol = "X", %s } }
      app.feed.csv { file = %q, symbol = "X" }
      app.account { cash = 10000, fill = "next_open", %s } app.script("s.lua")]]):format(
      o.terms or "lot_size = 1", here .. DATA .. path, o.account or ""),
    ["s.lua"] = o.script }
  t.is(made.out, want, name)
end
known("GOOG, SMA 10 and 30", "backtesting.py/GOOG.csv.gz", { script = [[
  local closes, buys = {}, 0
  local function sum(n, at)
    local s = 0
    for i = at - n + 1, at do s = s + math.floor(closes[i] * 100 + 0.5) end
    return s
  end
  function M:on_bar(close)
    local n = #closes + 1
    closes[n] = close
    if n < 31 or n > 2147 then return end
    if n == 2147 then self:close "X" return end
    local before = 3 * sum(10, n - 1) - sum(30, n - 1)
    local now = 3 * sum(10, n) - sum(30, n)
    if before < 0 and now > 0 then
      self:close "X"
      self:buy { symbol = "X", weight = 1 }
    elseif before > 0 and now < 0 then
      self:close "X"
      self:sell { symbol = "X", weight = 1 }
    end
  end
  function M:on_position(position) if position == 0 then buys = buys + 1 end end
  function M:on_stop()
    print(("%d %.2f %g"):format(buys, self.account.equity, self:position "X"))
  end]] }, "66 51422.99 0\n")
local EURO = [[
  local closes, last, buys, sells = {}, 0, 0, 0
  function M:on_bar(close)
    local n, sum, cross = #closes + 1, 0, 0
    closes[n] = math.floor(close * 100 + 0.5)
    if n < 15 then return end
    for i = n - 14, n do sum = sum + closes[i] end
    local over = 15 * closes[n] - sum
    if over > 0 then cross = last < 0 and 1 or 0 last = 1
    elseif over < 0 then cross = last > 0 and -1 or 0 last = -1 end
    if cross > 0 and self:position "X" == 0 then self:buy("X", 1)
    elseif cross < 0 and self:position "X" > 0 then self:sell("X", 1) end
  end
  function M:on_fill(side)
    if side == "buy" then buys = buys + 1 else sells = sells + 1 end
  end
  function M:on_stop()
    print(("%d %d %.2f %.2f"):format(buys, sells, self.account.equity,
                                     self.account.free))
  end]]
known("Euro Stoxx, as a share", "backtrader/2006-day-001.txt.gz",
      { script = EURO, terms = "lot_size = 1" }, "12 11 10284.10 6164.16\n")
known("Euro Stoxx, as a future", "backtrader/2006-day-001.txt.gz", { script = EURO,
      terms = "multiplier = 10, margin = 1000, settles_daily = true",
      account = "fees = { per_share = 2 }" }, "12 11 12795.00 11795.00\n")

-- Bars of ticks are the bars that LEAN has made of them.

local function bars(path, start)
  return run { args = { "--workers", "1" }, app = ([[
      app.feed.csv { preset = "lean", file = %q } app.script("s.lua")]]):format(
      here .. DATA .. "lean/forex/" .. path), ["s.lua"] = start .. [[
    function M:on_bar(open, high, low, close, side, interval, time)
      print(open, high, low, close, side, interval, time)
    end]] }.lines
end
for _, path in ipairs { "oanda/%s/eurusd/20140508_quote.zip",
                        "fxcm/%s/nzdusd/20140507_quote.zip" } do
  local name = "bars of ticks: " .. path:format "minute"
  if not has(DATA .. "lean/forex/" .. path:format "minute") then
    t.ok(true, name .. " # SKIP no ../shared/data")
  else
    local want, differ = bars(path:format "minute", ""), 0
    local got = bars(path:format "tick", [[
      function M:on_start()
        self:bars { every = "1m", of = "bid" }
        self:bars { every = "1m", of = "ask" }
      end ]])
    for i, line in ipairs(got) do differ = differ + (line == want[i] and 0 or 1) end
    -- The last minute has not ended with the last tick.
    t.ok(#got > 2000 and #got == #want - 2 and differ == 0, ("%s (%d of %d, %d differ)")
      :format(name, #got, #want, differ))
  end
end
