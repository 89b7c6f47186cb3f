--- orderlist: orders that a brief backtest forgets while it runs are in the hash as if it
-- had kept them.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local dir, put = apps.folder "orderlist"
local N <const> = os.getenv "SMALL" and 6000 or 14000

-- Several records of a time; sessions end, so that orders for a day do.
local lines, x = { "time,symbol,bid,ask,bid_size,ask_size" }, 10000
for i = 1, N do
  x = x + (i * i * 7919 + i * 104729) % 5 - 2
  lines[i + 1] = ("%d,%s,%.2f,%.2f,5,5"):format(1600000000 + i // 3 * 60,
    ({ "A", "C", "B" })[(i + 2) % 3 + 1], x / 100, x / 100 + 0.02)
end
put("q.csv", table.concat(lines, "\n") .. "\n")

put("s.lua", [[
  local task, tw = require "tw.task", require "tw"
  local M = {}
  function M:on_start()
    self.n, self.k = 0, self.params.k
    self.kept = self:buy { symbol = "B", quantity = 1, price = self.params.kept }
  end
  function M:on_quote(symbol, bid, ask)
    self.n = self.n + 1
    local what = (self.n * 7 + self.k * 5 + self.n // 11) % 17
    local label = what % 2 == 0 and ('a "%d", b'):format(self.n) or nil
    if what == 0 then self:buy { symbol = symbol, quantity = 2, label = label }
    elseif what == 1 then self:sell { symbol = symbol, quantity = 2 }
    elseif what == 2 then
      self:buy { symbol = symbol, quantity = 1, take_profit = ask + 0.05,
                 stop_loss = bid - 0.05, label = label }
    elseif what == 3 then
      self:sell { symbol = symbol, quantity = 1, price = ask + 0.03, tif = "day" }
    elseif what == 4 then
      for _, order in ipairs(self:orders()) do
        if order.symbol == symbol then order:cancel() end
      end
    elseif what == 5 then
      self.last = self:buy { symbol = symbol, quantity = 3, price = bid - 0.02 }
    elseif what == 6 and self.last then
      if self.last.leaves > 0 then
        self.last:modify { price = self.last.price + 0.01 }
      end
    elseif what == 7 then
      self:buy { symbol = symbol, quantity = 1, price = bid, tif = "ioc" }
    elseif what == 8 and self.n % 5 == 0 then
      tw.sleep(100)
      self:sell { symbol = symbol, quantity = 1, label = "later" }
    elseif what == 9 and self.n % 7 == 0 then self:close(symbol) end
  end
  return M]])

local function app(name, scripts, more)
  local text = { 'local app = require "tw.app" app.feed.timer { every = 90 } ',
                 more or "" }
  for k = 1, scripts do
    text[#text + 1] = (' app.script("s.lua", { name = "%s", params = { k = %d,'
      .. ' kept = %s } })'):format(({ "x", "a,b", "m" })[k], k, k == 3 and "1" or "500")
  end
  return put(name, table.concat(text))
end

local function hashes(name, o)
  o.data = dir .. "/q.csv"
  local whole = assert(tw.backtest.run(o))
  o.brief = true
  local brief = assert(tw.backtest.run(o))
  o.list = true
  local listed = assert(tw.backtest.run(o))
  t.ok(#whole.orders > N / 4 and brief.sent == #whole.orders, name .. ": as many orders")
  t.is(brief.hash, whole.hash, name .. ": their hash")
  t.is(listed.hash, whole.hash, name .. ": the hash with the text")
  local same = true
  for key, value in pairs(whole.figures) do
    if type(value) == "table" then
      for k, v in pairs(value) do same = same and brief.figures[key][k] == v end
    else
      same = same and brief.figures[key] == value
    end
  end
  t.ok(same, name .. ": the figures")
  t.is(#brief.days, #whole.days, name .. ": the days")
  return whole, brief
end

local whole, brief = hashes("a script", { script = dir .. "/s.lua",
                                          params = { k = 1, kept = 500 } })
t.ok(whole.bytes - brief.bytes > 40 * #whole.orders, "which a brief run does not hold")
hashes("three scripts", { app = app("three.lua", 3) })
hashes("latency", { app = app("late.lua", 2,
  "app.account { latency = { 1, 200 }, seed = 7, fees = { per_order = 1 } }") })
hashes("a book", { app = app("book.lua", 3, 'app.account { fill = "book" }') })
hashes("a warm-up", { script = dir .. "/s.lua", from = "2020-09-14", warmup = "1d",
                      params = { k = 2, kept = 1 } })

t.done()
