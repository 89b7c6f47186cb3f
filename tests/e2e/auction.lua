--- auction: orders for the open and the close in a book of scripts: in runs with any
-- number of workers, in a backtest, and as `tidewire explain` tells of them.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local BEGAN <const> = 1577836800                          -- 2020-01-01 00:00:00

-- The clock: a quote each ten minutes of three days, of something else.
local rows = { "time,symbol,bid,ask,bid_size,ask_size" }
for i = 0, 3 * 144 do rows[i + 2] = ("%d,CLOCK,1,2,1,1"):format(BEGAN + 600 * i) end

local APP = [[
  app.calendar("day", { open = "09:00", close = "17:00" })
  app.instruments { { symbol = "X", calendar = "day", tick_size = 0.01 } }
  app.account { fill = "book", cash = 1e6, fees = { maker = 0, taker = 1 } }
  %s
  for _, name in ipairs { "a", "b", "c" } do
    app.script("acts.lua", { name = name })
  end]]

-- What each does at which time; what it is told of X.
local ACTS = [[
  local function at(time) return os.date("!%d %H:%M", time // 1000000000) end
  local plan = {
    a = { ["01 08:00"] = function(self)
            self:buy { symbol = "X", quantity = 10, price = 102, tif = "opg" } end,
          ["01 10:00"] = function(self)
            self:buy { symbol = "X", quantity = 4, price = 100 } end,
          ["01 16:00"] = function(self, time)
            local _, why = pcall(self.sell, self, { symbol = "X", quantity = 3,
                                                    price = 90, stop = 91, tif = "cls" })
            print(self.name, at(time), why:match "[^:]*:[^:]*") end,
          ["02 08:00"] = function(self)
            self:sell { symbol = "X", quantity = 50, tif = "opg",
                        reduce_only = true } end,
          ["02 10:00"] = function(self)
            self:buy { symbol = "X", quantity = 1, tif = "cls" } end },
    b = { ["01 08:00"] = function(self)
            self:sell { symbol = "X", quantity = 6, price = 100, tif = "opg" }
            self:sell { symbol = "X", quantity = 6, price = 101, tif = "opg" } end,
          ["01 10:00"] = function(self)
            self:sell { symbol = "X", quantity = 5, price = 104 } end,
          ["02 08:00"] = function(self)
            self:buy { symbol = "X", quantity = 4, price = 99, tif = "opg" } end },
    c = { ["01 08:00"] = function(self)
            self:buy { symbol = "X", quantity = 3, tif = "opg" } end,
          ["01 16:00"] = function(self)
            self:sell { symbol = "X", quantity = 7, tif = "cls" }
            self:buy { symbol = "X", quantity = 1, price = 101 } end,
          ["02 08:10"] = function(self)
            self:buy { symbol = "X", quantity = 9, price = 98, tif = "opg" } end },
  }
  function M:on_quote(symbol, source, time)
    local act = source ~= "book" and plan[self.name][at(time)]
    if act then act(self, time) end
  end
  function M:on_order(order, status, reason, time)
    if status == "expired" or status == "rejected" or status == "canceled" then
      print(self.name, at(time), order.side, order.tif, status, reason or "")
    end
  end
  function M:on_fill(order, price, quantity, liquidity, time)
    print(self.name, at(time), order.side, order.tif, quantity, price, liquidity)
  end
  function M:on_trade(symbol, price, size, side, time)
    if self.name == "a" then print("tape", at(time), size, price, side) end
  end
  function M:on_stop() print(self.name, "end", self:position "X", self.account.fees) end]]

local function market(feed)
  return { app = APP:format(feed), ["acts.lua"] = ACTS,
           files = { ["in.csv"] = table.concat(rows, "\n") .. "\n" } }
end

local function sorted(lines)
  local made = {}
  for _, name in ipairs { "a", "b", "c", "tape" } do
    for _, line in ipairs(lines) do
      if line:find("^" .. name .. "\t") then made[#made + 1] = line end
    end
  end
  return (table.concat(made, "\n"):gsub("\t", "|"))
end

local WANT = [[
a|01 09:00|buy|opg|3.0|101.0|removed
a|01 09:00|buy|opg|6.0|101.0|removed
a|01 09:00|buy|opg|expired|
a|01 16:00|sell: cls with stop_limit
a|01 17:00|buy|gtc|4.0|100.0|added
a|02 09:00|sell|opg|4.0|98.0|removed
a|02 09:00|sell|opg|9.0|98.0|removed
a|02 17:00|buy|cls|1.0|104.0|removed
a|end|1.0|22.87
b|01 09:00|sell|opg|3.0|101.0|removed
b|01 09:00|sell|opg|3.0|101.0|removed
b|01 09:00|sell|opg|6.0|101.0|removed
b|02 09:00|buy|opg|4.0|98.0|removed
b|02 17:00|sell|gtc|1.0|104.0|added
b|end|-9.0|16.04
c|01 09:00|buy|opg|3.0|101.0|removed
c|01 17:00|buy|gtc|canceled|it would trade with an order of our own
c|01 17:00|sell|cls|4.0|100.0|removed
c|01 17:00|sell|cls|expired|
c|02 09:00|buy|opg|9.0|98.0|removed
c|end|8.0|15.85
tape|01 09:00|3.0|101.0|nil
tape|01 09:00|3.0|101.0|nil
tape|01 09:00|6.0|101.0|nil
tape|01 17:00|4.0|100.0|nil
tape|02 09:00|4.0|98.0|nil
tape|02 09:00|9.0|98.0|nil
tape|02 17:00|1.0|104.0|nil]]

for _, workers in ipairs { 1, 2 } do
  local o = market 'app.feed.csv { file = here .. "in.csv" }'
  o.args = { "--workers", tostring(workers) }
  local made = apps.run(o)
  t.is(made.status, 0, "a run with " .. workers .. " workers")
  if not t.is(sorted(made.lines), WANT, "what is filled, and what expires") then
    t.diag(made.err)
  end
end

local folder = apps.write(market "")
local tested = apps.shell(("cd %s && timeout -k 1 120 %s backtest app.lua --data in.csv"
  .. " --save run"):format(folder, apps.tidewire))
local lines = {}
for line in tested.out:gmatch "[^\n]+" do
  lines[#lines + 1] = line:gsub("^%d+%-%d+%-%d+ [%d:.]+ ", "")
end
t.is(sorted(lines), WANT, "the same in a backtest")

local told = apps.shell(("cd %s && timeout -k 1 120 %s explain run --order 1 --order 5")
  :format(folder, apps.tidewire)).out
for _, line in ipairs {
  "2020-01-01 08:00:00           waits for the auction at 2020-01-01 09:00:00\n",
  "09:00:00           the auction: 12 can trade at 101; 0 ahead of it at its price\n",
  "09:00:00           a trade before it, 3 at 101; 0 ahead of it at its price\n",
  "09:00:00           trades with 2 orders, 9 at 101\n",
  "09:00:00           expired: it was for that open alone\n",
  "17:00:00           the auction: 4 can trade at 100; 0 ahead of it at its price\n",
  "17:00:00           filled 4 at 100, maker; 4 of 4 so far\n",
} do
  if not t.ok(told:find(line, 1, true), "explained: " .. line:gsub("\n", "")) then
    t.diag(told)
  end
end

t.done()
