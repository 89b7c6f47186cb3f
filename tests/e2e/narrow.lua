--- narrow: what backtests and sweeps show on terminals of other widths than 80 columns.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local terminal = require "terminal"

local dir = apps.directory
apps.put(dir .. "/trade.lua", [[
  local M = require "tw.strategy".new { params = {
    n = { 3, min = 1, max = 9 }, other = 100000 } }
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
local function joined(text, name)
  local hash = text:match("\n" .. name .. "([%x ]+\n[%x ]*)")
  hash = hash and hash:gsub("%s", "") or ""
  return #hash == 64 and hash
end
local hash = joined(shown, "order list")
t.ok(hash and shown:find("\norder list        %x+\n                  %x+\n%S"),
     "the hash of the order list in two equal parts")
start("backtest " .. RUN, 79)
terminal.shows("\nstatus 0$", "in 79 columns")
shown = terminal.screen()
t.ok(shown:find "\nstart +%d+%.00 +trades +%d+\n", "two columns")
t.ok(shown:find("\norder list  " .. tostring(hash) .. "\n", 1, true),
     "the hash in one line")

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

-- No line of a table is as wide as the terminal, or begins with a part of another.
local function table_of(columns, words)
  start("sweep " .. RUN .. words .. " --store none", columns)
  terminal.shows("\nstatus 0$", words .. " in " .. columns .. " columns")
  return terminal.screen()
end
shown = table_of(44, " --set n --set other=100000,200000")
t.ok(shown:find "\n +Total +Max\n +#  n +other +Sharpe +return +drawdown\n +1  %d +%d0+ "
     and not shown:find "Trades", "titles in two lines, and no column that does not fit")
t.ok(shown:find "18 of 18 runs, 0 failed\nbest by Sharpe first\n",
     "nor is the line above it")
shown = table_of(80, " --set n --set other=100000,200000")
t.ok(shown:find "\n +#  n +other +Sharpe +Total return +Max drawdown +Trades\n +1 ",
     "all of them in one line")
local WALK <const> = " --set n=2:5 --set other=100000 --walk 100d:50d"
shown = table_of(60, WALK)
t.ok(shown:find "\n *test from +n +other +trained[^\n]* +ratio\n2020",
     "a walk-forward")
t.ok(shown:find "\n2020%-[^\n]*%d\n2020%-[^\n]*%d\n", "each window has one line")
shown = table_of(80, WALK)
t.ok(shown:find "\ntrain from +test from +to +n +other +trained +beside +tested",
     "with more columns where there is room")
shown = table_of(40, WALK)
t.ok(shown:find("Sharpe\n test from  n    other  trained  tested\n2020%-04%-10 +%d "
                .. "+100,000 +%-?%d.%d%d%d +%d.%d%d%d\n2020"), "in 40 columns, too")

shown = table_of(60, " --over data" .. WALK)
t.ok(shown:find "\n +Total[^\n]*\n#  data +windows +held +Sharpe +return[^\n]*\n1 [^\n]*"
     and shown:find "\n1  [^\n]*/a.csv +%d+ +%d+ of %d+ ", "over files the end of names")

t.done()
