-- burgers.lua DIR: the grid in one state, and over the pool's; medians of REPEAT rounds.
package.path = arg[0]:match "^(.*/)[^/]*$" .. "?.lua;" .. package.path
local grid, prices, tw = require "grid", require "prices", require "tw"
local here, dir = arg[0]:match "^(.*/)", arg[1]
local ANSWER <const> = "pnl=-118476 trades=129271 best=USDCHF/20/60/1115"

local function timed(f, ...)
  local began, cpu = tw.clock(), os.clock()
  local answer = f(...)
  assert(answer == ANSWER, answer)
  return tw.clock() - began, os.clock() - cpu
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

-- Both in turn, so that what else the machine does is in both.
local function row(name, f, ...)
  local given = table.pack(...)
  local one, all, ratios, work = {}, {}, {}, {}
  for i = 1, tonumber(os.getenv "REPEAT" or 5) do
    local cpu, cpus
    given[given.n + 1] = false
    one[i], cpu = timed(f, table.unpack(given, 1, given.n + 1))
    given[given.n + 1] = true
    all[i], cpus = timed(f, table.unpack(given, 1, given.n + 1))
    ratios[i], work[i] = one[i] / all[i], cpus / cpu
  end
  local threads = tw.pool.status().threads
  print(("%-32s one state %.3f s, %d states %.3f s: %.2f times as fast;"
         .. " processor time %.2f times as much"):format(
    name, median(one), threads, median(all), median(ratios), median(work)))
end

local pairs_ = prices(10000)
print(ANSWER)
row("jobs over shared arrays", grid.compute, grid.arrays(pairs_))
row("512 backtests with orders", grid.trade, grid.write(pairs_, dir),
    here .. "strategy.lua")
