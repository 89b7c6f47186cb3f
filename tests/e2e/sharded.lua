--- sharded: accounts of a script with an instance for each worker, and limits of all
-- scripts where the feed is live, as `tidewire help trading` tells of them.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "sharded"

-- ---- an account of each instance ----

local SYMBOLS <const> = 26
local lines = { "time,symbol,bid,ask,bid_size,ask_size" }
for i = 1, 40 * SYMBOLS do
  local x = 10 + (i * i * 7919 + i * 104729) % 50 / 100
  lines[i + 1] = ("%d,%s,%.2f,%.2f,5,5"):format(1700000000 + i,
    string.char(65 + i % SYMBOLS), x, x + 0.02)
end
put("q.csv", table.concat(lines, "\n") .. "\n")
put("s.lua", [[
  local M = {}
  function M:on_start() self.n = 0 end
  function M:on_quote(symbol, bid)
    self.n = self.n + 1
    if self.n == 1 then
      print("cash", self.shard, self.account.cash)
      for _ = 1, 3 do self:buy { symbol = symbol, quantity = 1, price = 1 } end
    elseif self.n == 2 then
      self:cancel()
    elseif self.n % 5 == 2 then
      self:order_target_percent(symbol, 0.02)
    elseif self.n % 7 == 3 then
      self:sell { symbol = symbol, quantity = 2 }
    end
  end
  function M:on_order(id, status, reason, symbol, side, price, quantity, filled, time)
    print("order", self.shard, id, status, reason, symbol, side, price, quantity, filled,
          time)
  end
  function M:on_stop()
    print("end", self.shard, self.account.cash, self.account.equity)
  end
  return M]])
put("app.lua", [[
  local app = require "tw.app"
  app.limits { time = 15 }
  app.feed.csv { file = "q.csv" }
  app.script("s.lua", { shard = "symbol", account = { cash = 5000,
    limits = { open_orders = 2 } } })]])

local function told(args)
  local run = command(args)
  local out = {}
  for line in run.out:gmatch "[^\n]+" do
    line = line:match "(%a+\t%d+\t.*)$"
    out[#out + 1] = line
  end
  if not t.is(run.status, 0, args) then t.diag(run.err) end
  return table.concat(out, "\n")
end

local one = told "run app.lua --workers 1"
t.ok(one:find "order\t1\t%d+\tfilled" and one:find "end\t1\t", "an instance trades")
t.is(told "backtest app.lua --data q.csv", one, "--workers 1: as a backtest")

for _, workers in ipairs { 1, 2, 3 } do
  local text = workers == 1 and one or told("run app.lua --workers " .. workers)
  for shard = 1, workers do
    local of = ("%d of %d: "):format(shard, workers)
    t.ok(text:find(("cash\t%d\t5000.0"):format(shard), 1, true), of .. "cash of its own")
    local new = select(2, text:gsub(("order\t%d\t%%d+\tnew\tnil\t%%u\tbuy\t1.0\t")
                                    :format(shard), ""))
    t.is(new, 2, of .. "as many open orders as the limit says")
    t.ok(text:find(("order\t%d\t%%d+\trejected\ttoo many orders are open\t")
                   :format(shard)), of .. "and no more")
  end
  t.ok(not text:find(("cash\t%d\t"):format(workers + 1), 1, true),
       workers .. " workers: no more instances")
end

-- ---- limits of all where a feed is live: who comes first is served first ----

put("greedy.lua", [[
  local M = {}
  function M:on_start() self.n, self.new, self.refused = 0, 0, 0 end
  function M:on_quote(symbol)
    self.n = self.n + 1
    if self.n <= 200 then self:buy { symbol = "AAPL", quantity = 100, price = 1 } end
  end
  function M:on_order(status, reason)
    if status == "new" then self.new = self.new + 1 end
    if status == "rejected" then
      if reason == self.params.why then self.refused = self.refused + 1
      else print(reason) end
    end
  end
  function M:on_stop() print("greedy", self.new, self.refused) end
  return M]])
for limit, why in pairs {
  ["open_orders = 5"] = "too many orders are open",
  ["position = 500"] = "the position of all scripts would be above its limit",
} do
  put("live.lua", ([[
    local app = require "tw.app"
    app.limits { time = 15 }
    app.feed.synthetic { rate = 2000, speed = 1, limit = 600, trades = 0 }
    app.risk { %s }
    for i = 1, 4 do
      app.script("greedy.lua", { name = "g" .. i, params = { why = "%s" } })
    end]]):format(limit, why))
  for _, workers in ipairs { 1, 2, 4 } do
    local run = command("run live.lua --no-attach --workers " .. workers)
    local new, refused = 0, 0
    for n, r in run.out:gmatch "greedy\t(%d+)\t(%d+)" do
      new, refused = new + n, refused + r
    end
    local name = ("live, %s, %d workers: "):format(limit, workers)
    local fine = t.is(new, 5, name .. "so many pass")
    fine = t.is(refused, 795, name .. "the others are refused") and fine
    if not fine then t.diag(run.out .. run.err) end
  end
end

t.done()
