--- narrow: what backtests and sweeps show on terminals of other widths than 80 columns.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local terminal = require "terminal"

local dir = apps.directory
apps.put(dir .. "/trade.lua", [[
  local M = require "tw.strategy".new { params = { n = { 3, min = 1, max = 9 } } }
  function M:on_bar(symbol, close)
    self.count = (self.count or 0) + 1
    self:order_target(symbol, self.count // self.params.n % 2 * 100)
  end
  return M]])
local lines = { "time,open,high,low,close,volume" }
for i = 0, 399 do
  local price = 100 + 10 * math.sin(i / 9)
  lines[i + 2] = ("%s,%.2f,%.2f,%.2f,%.2f,1000"):format(
    os.date("!%Y-%m-%d", 1577836800 + i * 86400), price, price + 1, price - 1,
    price + 0.5)
end
apps.put(dir .. "/a.csv", table.concat(lines, "\n") .. "\n")

local RUN = ("%s/trade.lua --data %s/a.csv"):format(dir, dir)

-- No line may be wrapped: then one begins with what belongs to the one before.
local function start(words, columns) terminal.start(words, nil, columns, 200) end

start("backtest " .. RUN, 60)
terminal.shows("\nstatus 0$", "a summary in 60 columns")
local shown = terminal.screen()
t.ok(shown:find "\nfees +0%.00 USD\ntrades +%d+\nwin rate +%d+%.%d%d %%\n",
     "one column of figures")
t.ok(shown:find "\n +arithmetic +geometric\nreturn +%-?[%d.]+ %% +%-?[%d.]+ %%\n",
     "the ratios beside each other")
start("backtest " .. RUN, 79)
terminal.shows("\nstatus 0$", "in 79 columns")
t.ok(terminal.screen():find "\nstart +%d+%.00 +trades +%d+\n", "two columns")

start("backtest " .. RUN .. " --report -", 60)
terminal.shows("\nstatus 0$", "a report in 60 columns")
shown = terminal.screen()
t.ok(shown:find "\nRatios +arithmetic   geometric\nAnnual return +",
     "names of figures are not cut")
t.ok(shown:find "\nReturns by month, %%\n +Jan Feb Mar [^\n]* Dec Year\n2020 ",
     "each month is a column")
t.ok(shown:find "\n *│[^\n]*\n", "charts")
start("backtest " .. RUN .. " --report -", 120)
terminal.shows("\nstatus 0$", "a report in 120 columns")
t.ok(terminal.screen():find("─" .. ("─"):rep(100), 1, true), "charts that are as wide")

start("sweep " .. RUN .. " --set n --store none", 40)
terminal.shows("\nstatus 0$", "a sweep in 40 columns")
t.ok(not terminal.screen():find("█", 1, true), "the bar is on one line, and gone")

t.done()
