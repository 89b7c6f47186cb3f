--- orders_memory: orders count toward the memory of a state, with all that they need.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local _, put = apps.folder "orders_memory"

local rows = { "time,symbol,bid,ask" }
for i = 1, 400 do rows[i + 1] = ("%d,A,100,101"):format(1000000000 + i) end
local data = put("q.csv", table.concat(rows, "\n") .. "\n")

-- Orders that never trade, 1000 a quote; what each state says of its memory.
local HELD = [[
  local tw, M = require "tw", { account = { cash = 1e9 } }
  function M:on_start() self.n = 0 end
  function M:on_quote(symbol)
    for _ = 1, 1000 do
      self:buy { symbol = symbol, quantity = 1, price = 1 }
      self.n = self.n + 1
    end
    print(self.n)
  end
  return M
]]
local result, why = tw.backtest.run { data = data, script = put("held.lua", HELD),
                                      memory = 16 }
t.is(result, nil, "orders without end are too much")
local n = tonumber(tostring(why):match "not enough memory %((%d+) orders are open%)")
t.ok(n and n > 5000 and n < 40000, "which is said, with how many there are: "
  .. tostring(why):match "^[^\n]*")

-- All that they take is free when they have ended.
local FEW = [[
  local tw, M = require "tw", { account = { cash = 1e9 } }
  function M:on_start() self.most, self.n = 0, 0 end
  function M:on_quote(symbol)
    self:cancel()
    for _ = 1, 100 do self:buy { symbol = symbol, quantity = 1, price = 1 } end
    self.n = self.n + 1
  end
  function M:on_stop() print(self.n) end
  return M
]]
result, why = tw.backtest.run { data = data, script = put("few.lua", FEW), memory = 48,
                                brief = true }
t.ok(result, "orders that end leave room for others: " .. tostring(why))

-- A thousand reports in a row, which nobody hears of and which have no label.
local MANY = [[
  local tw, M = require "tw", {}
  function M:on_quote(symbol)
    if self.sent then return end
    self.sent = true
    for _ = 1, 1000 do self:buy(symbol, 1, 1) end
  end
  function M:on_stop() print(#self:orders()) end
  return M
]]
result, why = tw.backtest.run { data = data, script = put("many.lua", MANY) }
t.ok(result and tostring(result.log[1]):match "1000$",
     "1000 orders at one quote are told of: " .. tostring(why))
