--- registration: the same fills in whichever order instruments were registered.
--
-- An instrument's id is its place in the app's list.  Sessions end and bars are complete
-- in several at one time, and what is first then must not be by id.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SMALL = os.getenv "SMALL"
local dir, put, command = apps.folder "registration"

-- ---- a market of four, with quotes at equal times, over two sessions and more ----

local SYMBOLS <const> = { "A", "B", "C", "D" }
local seed = 4
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n
end
local function market(first)
  local lines, price = { "time,symbol,bid,ask,bid_size,ask_size" }, {}
  for hour = 0, SMALL and 25 or 33 do
    for minute = 0, 59, SMALL and 2 or 1 do
      for _ = 1, 2 do
        local symbol = SYMBOLS[(first + random(4)) % 4 + 1]
        price[symbol] = (price[symbol] or 10000) + random(7) - 3
        lines[#lines + 1] = ("%d,%s,%.2f,%.2f,%d,%d"):format(
          1600000000 // 86400 * 86400 + hour * 3600 + minute * 60, symbol,
          price[symbol] / 100, price[symbol] / 100 + 0.02, 100 + random(300),
          100 + random(300))
      end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end
put("quotes.csv", market(0))

-- ---- who trades, with all kinds of orders, by chance of its own ----

put("trader.lua", [[
  local M = {}
  function M:on_start()
    self.seed, self.n = self.params.seed, 0
    self:bars { every = "5m", of = "mid" }
  end
  local function random(self, n)
    self.seed = (self.seed * 1103515245 + 12345) % 2147483648
    return self.seed // 65536 % n
  end
  local function send(self, symbol, bid, ask)
    local side = random(self, 2) == 0 and "buy" or "sell"
    local kind, near = random(self, self.params.kinds), side == "buy" and bid or ask
    local far = near + (side == "buy" and 1 or -1) * random(self, 10) / 100
    local o = { symbol = symbol, quantity = 10 + random(self, 90) }
    if kind == 0 then o.tif = "day"; o.price = near
    elseif kind == 1 then o.stop = far; o.tif = "day"
    elseif kind == 2 then
      if o.quantity % 2 == 0 then o.trail = 0.05 else o.trail_percent = 0.05 end
    elseif kind == 3 then
      o.price = near; o.tif = "gtd"; o.expire = (self.time // 3600 + 1) * 3600
    elseif kind == 4 then o.price = far; o.tif = "ioc"
    elseif kind == 5 then
      o.price = near; o.take_profit = near + 0.1; o.stop_loss = near - 0.1
      if side == "sell" then o.take_profit, o.stop_loss = o.stop_loss, o.take_profit end
    elseif kind == 6 then o.tif = "cls"
    elseif kind == 7 then o.tif = "opg"
    elseif kind == 8 then o.quantity = nil; o.weight = (1 + random(self, 20)) / 100
    elseif kind == 9 then o.price = far; o.tif = "cls" end
    self[side](self, o)
  end
  function M:on_quote(symbol, bid, ask, time, source)
    if source == "book" then return end
    self.n, self.time = self.n + 1, time
    if random(self, 3) == 0 then send(self, symbol, bid, ask) end
    if random(self, 90) == 0 then self:flatten() end
    if random(self, 60) == 0 then self:cancel() end
  end
  function M:on_bar(symbol, close)
    if random(self, 2) == 0 then send(self, symbol, close - 0.01, close + 0.01) end
  end
  function M:on_order(id, symbol, status, reason, price, quantity, time)
    print(self.params.name, id, symbol, status, reason, price, quantity, time)
  end
  function M:on_fill(id, symbol, side, price, quantity, fee, position, time)
    print(self.params.name, id, symbol, side, price, quantity, fee, position, time)
  end
  function M:on_stop() print(self.params.name, self.account.equity, self.account.fees) end
  return M]])
put("app.lua", [[
  local app = require "tw.app"
  app.calendar("day", { open = "00:10", close = "23:40" })
  local terms = {
    A = { tick_size = 0.01, lot_size = 1 },
    B = { tick_size = 0.01, lot_size = 1, currency = "EUR" },
    C = { tick_size = 0.01, lot_size = 1, currency = "JPY" },
    D = { tick_size = 0.01, lot_size = 1, margin = 20, settles_daily = true } }
  local list = {}
  for symbol in app.param("order", "ABCD"):gmatch "." do
    local one = terms[symbol]
    one.symbol, one.calendar = symbol, "day"
    list[#list + 1] = one
  end
  app.instruments(list)
  app.feed.csv { file = "quotes.csv" }
  local fill = app.param("fill", "quote")
  app.account { cash = 50000, fill = fill, seed = 3, latency = { 0, 90 },
    rates = { EUR = 1.1, JPY = 0.9 }, limits = { position = 800, daily_loss = 2000 },
    fees = { tiers = { { from = 0, percent = 0.1 },
                       { from = 100000, percent = 0.02 } } } }
  local kinds = fill == "book" and 6 or 10
  for i = 1, 2 do
    local name = "trader" .. i
    app.script("trader.lua", { name = name,
                               params = { seed = i, name = name, kinds = kinds } })
  end]])

-- What each was told, in its order.
local function told(text)
  local made = {}
  for _, name in ipairs { "trader1", "trader2" } do
    for line in text:gmatch "[^\n]+" do
      made[#made + 1] = line:match(name .. "\t.*")
    end
  end
  return table.concat(made, "\n")
end

local function differs(name, got, want, run)
  if t.ok(got == want and run.status == 0, name) then return end
  local lines = want:gmatch "[^\n]+"
  for line in got:gmatch "[^\n]+" do
    local other = lines()
    if line ~= other then
      t.diag("got  " .. line)
      t.diag("want " .. tostring(other))
      break
    end
  end
  t.diag(("status %s, %d bytes, wanted %d; %s"):format(run.status, #got, #want, run.err))
end

for _, fill in ipairs { "quote", "book" } do
  local want, hash
  for i, order in ipairs { "ABCD", "DCBA", "CADB" } do
    local set = (" --set fill=%s --set order=%s"):format(fill, order)
    local name = ("%s, registered %s: "):format(fill, order)
    local run = command("backtest app.lua --data quotes.csv" .. set)
    local list = run.out:match "order list +(%x+)"
    want, hash = want or told(run.out), hash or list
    if i == 1 then
      local fills, ends = 0, 0
      for line in want:gmatch "[^\n]+" do
        fills = fills + (line:find "\tfilled\t" and 1 or 0)
        ends = ends + (line:find "\texpired\t" and 1 or 0)
      end
      t.ok(fills > 50 and ends > 50,
           ("%s%d are filled, %d expire"):format(name, fills, ends))
    end
    differs(name .. "a backtest", told(run.out), want, run)
    t.is(list, hash, name .. "its order list")
    if i == 2 then
      for workers = 1, 2 do
        run = command(("run app.lua --no-attach --workers %d%s"):format(workers, set))
        differs(("%son paper, %d workers"):format(name, workers), told(run.out), want,
                run)
      end
    end
  end
end
