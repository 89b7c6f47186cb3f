--- shared: with limits of all scripts orders are the same in a backtest and a run, with
-- any number of workers.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "s"
local N <const> = os.getenv "SMALL" and 150 or 600

local lines, x = { "time,symbol,bid,ask,bid_size,ask_size" }, 10000
for i = 1, N do
  x = x + (i * i * 7919 + i * 104729) % 5 - 2
  lines[i + 1] = ("%d.%03d,%s,%.2f,%.2f,5,5"):format(1700000000 + i // 50, i % 50 * 20,
    i % 3 == 0 and "B" or "A", x / 100, x / 100 + 0.02)
end
put("q.csv", table.concat(lines, "\n") .. "\n")
-- One to five do not trade alike; six halts them all for a while, seven waits.
put("s.lua", [[
  local tw = require "tw"
  local M = {}
  function M:on_start() self.n, self.k = 0, self.params.k end
  function M:on_quote(symbol, bid)
    self.n = self.n + 1
    local what = (self.n * 7 + self.k * 5) % 11
    if what < 3 then
      self:buy { symbol = symbol, quantity = 1 + what, price = bid - what * 0.01 }
    elseif what < 6 then
      self:sell { symbol = symbol, quantity = what - 1 }
    elseif what == 7 then
      for _, order in ipairs(self:orders()) do order:cancel() end
    end
    if self.k == 3 and self.n == 80 then tw.halt "enough" end
    if self.k == 3 and self.n == 90 then tw.resume_trading() end
  end
  function M:on_order(id, status, reason, symbol, side, price, quantity, time)
    print(self.k, id, status, reason, symbol, side, price, quantity, time)
  end
  return M]])
put("app.lua", [[
  local app = require "tw.app"
  app.feed.csv { file = "q.csv" }
  app.risk { position = 20, open_orders = 6, orders = 60, daily_loss = 0.4,
             self_match = true }
  for k = 1, 5 do app.script("s.lua", { name = "s" .. k, params = { k = k } }) end]])

-- What each was told, in its order.
local function told(command)
  local run = apps.shell(("cd %s && timeout 120 %s %s"):format(dir, apps.tidewire,
                                                               command))
  local of, list = {}, {}
  for line in run.out:gmatch "[^\n]+" do
    local k, rest = line:match "(%d+)(\t.*\t.*\t.*)"
    if k then
      k = tonumber(k)
      of[k] = of[k] or {}
      table.insert(of[k], k .. rest)
    end
  end
  for k = 1, 5 do list[k] = table.concat(of[k] or {}, "\n") end
  return table.concat(list, "\n"), run
end

local want, backtest = told "backtest app.lua --data q.csv"
for _, why in ipairs { "the position of all scripts would be above its limit",
  "it would trade with an order of our own", "too many orders are open",
  "too many orders in this time", "the limit for a day's loss is reached",
  "trading is halted" } do
  if not t.ok(want:find(why, 1, true), "a limit: " .. why) then
    t.diag(backtest.err, want:sub(1, 3000))
  end
end
for _, workers in ipairs { 1, 2, 3, 5 } do
  local got, run = told("run app.lua --workers " .. workers)
  local same = run.status == 0 and got == want
  if not t.ok(same, workers .. " workers: the same orders") then
    t.diag(run.status .. run.err)
  end
end

t.done()
