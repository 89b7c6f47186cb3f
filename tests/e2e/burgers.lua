--- burgers: a grid of 512 backtests, in Lua alone and with orders: a known answer.
--
-- 64 pairs of averages over 8 currency pairs; the walks are made here, and the answer is
-- that of programs in other languages.

package.path = "tests/?.lua;bench/burgers/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local grid, prices = require "grid", require "prices"

local ANSWER <const> = "pnl=-118476 trades=129271 best=USDCHF/20/60/1115"
local STRATEGY <const> = "bench/burgers/strategy.lua"

local walks = prices(10000)
t.is(table.concat(walks[6], " ", 9998), "8827 8819 8827", "the walks")
local arrays, files = grid.arrays(walks), grid.write(walks, apps.directory)
t.is(grid.compute(arrays, false), ANSWER, "in one state")
t.is(grid.compute(arrays, true), ANSWER, "over all states, which share the prices")

-- With orders and accounts: all pairs, or a short part of one where that takes long.
if os.getenv "SMALL" or apps.has "tsan" or apps.has "asan" then
  local short = { table.move(walks[6], 1, 600, 1, { name = "USDCHF" }) }
  t.is(grid.trade(grid.write(short, apps.directory), STRATEGY, true),
       grid.compute(grid.arrays(short), false), "with orders, a part")
else
  t.is(grid.trade(files, STRATEGY, true), ANSWER, "with orders and accounts")
end
