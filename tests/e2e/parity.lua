--- parity: strategies of chance do the same on paper and in backtests, of text and tape
-- files, for any workers and order of instruments; and what is cut off was not known.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "parity"

-- A script that does what its own chance says, and writes down all that it is told.
put("any.lua", [[
  local tw, ta, strategy = require "tw", require "tw.ta", require "tw.strategy"
  local M = strategy.new {
    doc = "trades by chance",
    params = { seed = 1, waits = false, out = { "", doc = "of the file" } },
  }
  local S <const> = 1000000000

  local function cents(x) return math.floor(x * 100 + 0.5) / 100 end

  function M:say(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    self.file:write(table.concat(words, " "), "\n")
  end

  function M:dice(n)
    self.x = self.x * 6364136223846793005 + 1442695040888963407 & math.maxinteger
    return (self.x >> 20) % n + 1
  end

  -- Limits, stops, ones that trail, brackets, groups, targets, changes, cancels.
  local kinds = {
    function(self, o) self:buy(o) end,
    function(self, o) self:sell(o) end,
    function(self, o, d) o.price = cents(self.at[o.symbol] - d) self:buy(o) end,
    function(self, o, d) o.price = cents(self.at[o.symbol] + d) self:sell(o) end,
    function(self, o, d) o.stop = cents(self.at[o.symbol] - d) self:sell(o) end,
    function(self, o, d) o.trail, o.reduce_only = d, true self:sell(o) end,
    function(self, o) o.trail_percent = self:dice(20) / 20 self:buy(o) end,
    function(self, o, d)
      o.reduce_only = nil
      o.take_profit = cents(self.at[o.symbol] + 2 * d)
      o.stop_loss = cents(self.at[o.symbol] - 2 * d)
      self:buy(o)
    end,
    function(self, o, d)
      self:oco({ symbol = o.symbol, side = "sell", quantity = 3,
                 price = cents(self.at[o.symbol] + d) },
               { symbol = o.symbol, side = "sell", quantity = 3,
                 stop = cents(self.at[o.symbol] - d) })
    end,
    function(self, o) self:order_target(o.symbol, self:dice(11) - 6) end,
    function(self, o) self:order_target_percent(o.symbol, (self:dice(21) - 11) / 100) end,
    function(self, o) o.quantity, o.weight = nil, self:dice(20) / 100 self:buy(o) end,
    function(self, o) self:close(o.symbol) end,
    function(self) if self:dice(4) == 1 then self:flatten() end end,
    function(self)
      local open = self:orders()
      if #open > 0 then open[self:dice(#open)]:cancel() end
    end,
    function(self)
      local open = self:orders()
      local o = open[#open > 0 and self:dice(#open)]
      if o and o.price then o:modify { price = cents(o.price + 0.01) }
      elseif o then o:modify { quantity = self:dice(12) } end
    end,
    function(self, o, d)
      o.tif = self:dice(2) == 1 and "opg" or "cls"
      self:buy(o)
    end,
  }

  function M:act(chance)
    if self:dice(100) > chance or #self.symbols == 0 then return end
    if #self:orders() > 30 then return end
    local symbol = self.symbols[self:dice(#self.symbols)]
    local o = { symbol = symbol, quantity = self:dice(9) }
    local tif = self:dice(9)
    if tif == 1 then o.tif = "day"
    elseif tif == 2 then o.tif, o.expire = "gtd", self.now + self:dice(900) * S
    elseif tif == 3 then o.reduce_only = true end
    local ok, why = pcall(kinds[self:dice(#kinds)], self, o, 0.01 * self:dice(20))
    if not ok then self:say("error", why:match ": (.*)") end
  end

  function M:on_start()
    self.x, self.symbols, self.at, self.ids, self.n = self.params.seed, {}, {}, {}, 0
    self.file = assert(io.open(self.params.out .. self.name, "w"))
    self:bars { every = self:dice(2) == 1 and "1m" or "7s", of = "mid" }
    self:bars { count = self:dice(20) }
    self:bars { volume = self:dice(200), of = "trades" }
    self.average = ta.by_symbol(ta.sma, 5)
    self:track { m = "mean(mid, window=16) by symbol" }
    self:when("mid > m by symbol", function(self, symbol, time)
      self:say("when", symbol, time)
      self:act(30)
    end)
    if not self.params.waits then return end
    tw.task.detach(function()
      while true do
        tw.sleep(self:dice(40) / 4)
        self:say("task", tw.now())
        self:act(30)
      end
    end)
  end

  local function came(self, symbol, price, time)
    if not self.at[symbol] then table.insert(self.symbols, symbol) end
    self.at[symbol], self.now = price, time
    self:act(10)
  end
  function M:on_quote(symbol, bid, ask, time)
    came(self, symbol, bid, time)
    if not self.params.waits then return end
    if self:dice(50) == 1 then tw.publish("talk", self:dice(100)) end
    if self:dice(200) == 1 then tw.sleep(self:dice(20) / 4) end
  end
  function M:on_trade(symbol, price, time) came(self, symbol, price, time) end
  function M:on_bar(symbol, open, high, low, close, volume, interval, time)
    self:say("bar", symbol, open, high, low, close, volume, interval, time)
    local average = self.average[symbol]:push(close)
    if average and close > average then self:act(20) end
    came(self, symbol, cents(close), time)
  end
  function M:on_message(value) self:act(value) end

  function M:on_order(id, symbol, status, reason, filled, average, price, quantity, stop,
                      position, time)
    if not self.ids[id] then self.n = self.n + 1 self.ids[id] = self.n end
    self:say("order", self.ids[id], symbol, status, reason, filled, average, price,
             quantity, stop, position, time)
  end
  function M:on_fill(symbol, side, price, quantity, fee, liquidity)
    self:say("fill", symbol, side, price, quantity, fee, liquidity)
    self:act(20)
  end
  function M:on_position(symbol, position, price)
    self:say("position", symbol, position, price, self.account.equity)
  end
  function M:on_stop()
    self:say("end", self.account.cash)
    self.file:close()
  end
  return M]])

local function one(list) return list[math.random(#list)] end

-- Quotes of A and B, trades of A and C, bars of D: often at one time, with gaps, over a
-- weekend.  Returns when they begin and end, s.
local function market()
  local list <const> = {
    { "quotes.csv", "time,symbol,bid,ask,bid_size,ask_size" },
    { "trades.csv", "time,symbol,price,size" },
    { "bars.csv", "time,symbol,open,high,low,close,volume" },
  }
  local began <const> = 1704463200                        -- a Friday, 14:00
  local now, p, minute = began * 1000, { A = 2000, B = 10050, C = 5000, D = 3000 }, 0
  for _ = 1, 700 do
    now = now + one { 0, 0, 1, 200, 1000, 1000, 5000, 20000 }
    if math.random(200) == 1 then now = now + one { 3600000, 50000000 } end
    for _, symbol in ipairs { "A", "B", "C", "D" } do
      p[symbol] = p[symbol] + math.random(-9, 9)
    end
    local s = ("%d.%03d,"):format(now // 1000, now % 1000)
    for _, symbol in ipairs { "A", "B" } do
      if math.random(2) == 1 then
        table.insert(list[1], ("%s%s,%.2f,%.2f,%d,%d"):format(s, symbol, p[symbol] / 100,
          p[symbol] / 100 + 0.02, math.random(9), math.random(9)))
      end
    end
    if math.random(2) == 1 then
      local symbol = one { "A", "C" }
      table.insert(list[2], ("%s%s,%.2f,%d"):format(s, symbol, p[symbol] / 100,
                                                   math.random(30)))
    end
    if now // 60000 > minute then
      minute = now // 60000
      table.insert(list[3], ("%d,D,%.2f,%.2f,%.2f,%.2f,%d"):format(minute * 60,
        p.D / 100, p.D / 100 + 0.1, p.D / 100 - 0.1, p.D / 100 + math.random(-9, 9) / 100,
        math.random(0, 90)))
    end
  end
  for _, file in ipairs(list) do
    put(table.remove(file, 1), table.concat(file, "\n") .. "\n")
  end
  return began, now // 1000
end

local function account()
  return "fill = " .. one { '"auto"', '"touch"', '"through"', '"next_open"', '"quote"',
                            '"queue"', '"volume"', '"auto"' }
    .. one { "", "", ", latency = { 0.01, 2 }", ", latency = { submit = 0, cancel = 1 }" }
    .. one { "", ", slippage = { ticks = 1, bps = 1 }", ", slippage = { impact = 0.1 }" }
    .. one { "", ", fees = { maker = -0.01, taker = 0.03 }" }
    .. one { "", ", limits = { position = 30, orders = 5, per = 10, daily_loss = 50 }" }
end

local APP <const> = [[
  local app = require "tw.app"
  app.calendar("nyse", { zone = "America/New_York", open = "09:30", close = "16:00",
                         days = "mon-fri" })
  local list = { { symbol = "A", tick_size = 0.01, calendar = "nyse" },
                 { symbol = "B", tick_size = 0.01, lot_size = 1 }, { symbol = "C",
                 tick_size = 0.01, multiplier = 10, margin = 5, settles_daily = true },
                 { symbol = "D", tick_size = 0.01 } }
  if app.param("turned", false) then
    for i = 1, 2 do list[i], list[5 - i] = list[5 - i], list[i] end
  end
  app.instruments(list)
  app.feed.tape { path = "all.tape" }
  local waits, out = app.param("waits", false), app.param("out", "")
  if waits then app.feed.timer { every = 13 } end
  %s
  for i, account in ipairs { { %s }, { %s } } do
    app.script("any.lua", { name = "s" .. i, account = account,
                            params = { seed = %d + i, waits = waits, out = out } })
  end]]

local TEXT <const> = "--data quotes.csv --data trades.csv --data bars.csv "
  .. "--csv interval=1m"
local TAPE <const> = "--data all.tape"

-- What the scripts were told, and the list of orders.
local function told(words, out)
  local ran = command(words .. " --set out=" .. out)
  if ran.status ~= 0 then t.diag(ran.err) end
  local scripts = { apps.read(dir .. "/" .. out .. "s1"),
                    apps.read(dir .. "/" .. out .. "s2") }
  if words:find "^backtest" then scripts.list = apps.read(dir .. "/orders.csv") end
  return scripts
end
local function backtest(data, out)
  return told("backtest app.lua --orders orders.csv " .. data, out)
end
local function same(got, want, name)
  t.ok(got[1] == want[1] and got[2] == want[2]
       and (not got.list or not want.list or got.list == want.list), name)
end

local fills = 0
for seed = 1, os.getenv "SMALL" and 2 or 6 do
  math.randomseed(seed, 0)
  local began, ends = market()
  local risk = one { "", "app.risk { position = 50, orders = 9 }" }
  put("app.lua", APP:format(risk, account(), account(), 10 * seed))
  os.remove(dir .. "/all.tape")
  local made = command "convert quotes.csv trades.csv bars.csv all.tape --set interval=1m"
  t.is(made.status, 0, "market " .. seed)

  local want = backtest(TEXT, "text")
  same(backtest(TAPE, "tape"), want, "a tape file as the text that it was made of")
  same(backtest(TAPE .. " --set turned=true", "turned"), want,
       "instruments in another order")
  for workers = 1, 4 do
    same(told(("run app.lua --no-attach --workers %d --set turned=%s"):format(workers,
              workers % 2 == 0), "paper"), want, "paper, workers: " .. workers)
  end

  local waits = backtest(TEXT .. " --set waits=true", "text")
  same(backtest(TAPE .. " --set waits=true --set turned=true", "tape"), waits,
       "with tasks, timers, messages and handlers that wait")
  for _, part in ipairs { 0.3, 0.7 } do
    local to = os.date("!%Y-%m-%dT%H:%M:%S", began + math.floor((ends - began) * part))
    local cut = backtest(TAPE .. " --set waits=true --to " .. to, "cut")
    for i = 1, 2 do
      local before = cut[i]:match "^(.*\n)end [^\n]*\n$"
      t.ok(waits[i]:sub(1, #before) == before, "s" .. i .. " up to " .. to)
    end
  end
  for i = 1, 2 do
    for _ in (want[i] .. waits[i]):gmatch "\nfill" do fills = fills + 1 end
  end
end
t.ok(fills > 100, "and they trade (" .. fills .. ")")

t.done()
