--- ruin: runs whose equity was at or below zero, in a backtest, a sweep, their reports.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local figures = require "tw.report_figures"
local tw = require "tw"

local dir, put, command = apps.folder "r"

-- Long with `quantity` from the second bar on; with 10,000 of cash 100 are paid for.
put("long.lua", [[
  local M = { account = { cash = 10000, fill = "next_open",
                          limits = { buying_power = false } } }
  function M:on_bar(symbol)
    self:order_target(symbol, self.params.quantity or 1000)
  end
  return M]])
local function bars(name, closes)
  local lines = { "date,open,high,low,close,volume" }
  for i, c in ipairs(closes) do
    lines[i + 1] = ("2024-01-%02d,%d,%d,%d,%d,1000"):format(i, c, c, c, c)
  end
  put(name, table.concat(lines, "\n") .. "\n")
end
bars("X.csv", { 100, 100, 110, 80, 60, 130, 150, 170, 160, 190 })

local function ok(run, condition, name)
  if not t.ok(condition, name) then t.diag(run.status .. "\n" .. run.out .. run.err) end
end

-- ---- a backtest ----

local run = command "backtest long.lua --data X.csv --report one.html"
ok(run, run.status == 0 and run.out:find("\nruined            2024-01-05 00:00:00: the "
   .. "equity was at or below zero, so there are no ratios\n", 1, true),
   "the summary says since when")
ok(run, run.out:find "\narithmetic +%- +%- +%- +%- +%-\n" and run.out:find "CAGR +%- ",
   "and has no ratios")
local page = apps.read(dir .. "/one.html")
t.ok(page:find("ruined 2024-01-04", 1, true), "the report says so")
t.ok(page:find("None before the ruin.", 1, true), "and has no months from it on")
ok(run, not command("backtest long.lua --data X.csv --set quantity=50").out
   :find "ruined", "one that has enough is not ruined")
run = command "backtest long.lua --data X.csv --json"
ok(run, run.out:find('"ruined":1704412800000000000', 1, true), "result.ruined is when")

-- Within a day, whose end is above zero again.
put("T.csv", "time,symbol,bid,ask\n" .. [[
2024-01-01T10:00:00,T,100,100
2024-01-01T10:00:01,T,100,100
2024-01-01T10:00:01.2,T,90,90
2024-01-01T10:00:01.4,T,99,99
2024-01-02T10:00:00,T,120,120
2024-01-03T10:00:00,T,125,125
]])
put("quick.lua", [[
  local M = { account = { cash = 10000, limits = { buying_power = false } } }
  function M:on_quote(symbol)
    if not self.done then self:buy(symbol, 1000) self.done = true end
  end
  return M]])
run = command "backtest quick.lua --data T.csv"
ok(run, run.out:find("ruined            2024-01-01 10:00:01: ", 1, true)
   and run.out:find "CAGR +%- ", "one record at zero is enough")

-- ---- a sweep ----

local sweep = "sweep long.lua --data X.csv --set quantity=50,1000,500,1,0.5 "
run = command(sweep .. "--by total_return --report all.html --results all.csv")
ok(run, run.status == 0
   and run.out:find("5 of 5 runs, 0 failed, 2 ruined; best by Total return", 1, true)
   and run.out:find "\n *1 +50 " and run.out:find "\n *4 +1000 +ruined 2024%-01%-04 "
   and run.out:find "\n *5 +500 +ruined 2024%-01%-04 ",
   "runs that are ruined come last, though they return most")
page = apps.read(dir .. "/all.html")
t.ok(page:find("2 ruined", 1, true) and page:find("ruined 2024-01-04", 1, true)
     and page:find("quantity <b>50</b>", 1, true), "in its report, too")
local _, n = apps.read(dir .. "/all.csv"):gsub(",1704412800000000000,", "")
t.is(n, 2, "and in the CSV file")
run = command(sweep .. "--by total_return --top 2")
ok(run, run.err:find "5 of 5 are there already" and run.out:find "2 ruined"
   and not run.out:find "ruined 2024", "the store has it; --top leaves them out")

local s = assert(tw.sweep.run { script = dir .. "/long.lua", data = dir .. "/X.csv",
  set = { quantity = { 1000, 50, 500, 1, -1000 } } })
for _, group in ipairs(figures.GROUPS) do
  for i = 2, #group do
    local by, behind, wrong = group[i][1], false, nil
    local ranked = tw.sweep.ranked(s.runs, by)
    for _, one in ipairs(ranked) do
      if one.error then break end
      if behind and not one.result.ruined then wrong = one.params.quantity end
      behind = behind or one.result.ruined
    end
    local best = tw.sweep.best(s.runs, by)
    if wrong or not behind or best and best.result.ruined then
      t.is(by .. ": " .. tostring(wrong), by, "a ruined run is above a solvent one")
    end
  end
end
t.ok(true, "by no figure is a ruined run above a solvent one")
t.is(tw.sweep.run { script = dir .. "/long.lua", data = dir .. "/X.csv",
  set = { quantity = { 1000, 500 } } }.best, nil, "where all are ruined none is best")

-- ---- a store of before ----

-- Made by what knew no ruin: other keys, and figures that mean something else.
run = command("-e '" .. [[
  local key, sweep = require "tw.sweep_key", require "tw.sweep"
  local now = key.run
  function key.run(a, b, c, d) return now(a, b, c, d, 1) end
  assert(sweep.run { script = "long.lua", data = "X.csv", store = "old.db",
                     set = { quantity = { 50, 1000, 500, 1 } } })
  assert(require "tw.internal.sqlite".open "old.db":run(
    "UPDATE run SET ruined = NULL, total_return = 99"))]] .. "'")
ok(run, run.status == 0, "a store of an older tidewire")
local SAYS <const> = "4 of 5 are there with figures of an older tidewire, which meant"
  .. " something else: they are computed anew\n"
run = command(sweep .. "--by total_return --store old.db --results new.csv")
ok(run, run.status == 0 and run.err:find(SAYS, 1, true)
   and not run.err:find "already", "its runs are made anew, and that is said")
ok(run, run.out:find("5 of 5 runs, 0 failed, 2 ruined", 1, true)
   and not run.out:find("9900", 1, true), "with figures of today")
run = command(sweep .. "--by total_return --store old.db --results again.csv")
ok(run, run.err:find "5 of 5 are there already" and not run.err:find "anew",
   "then they are there")
t.is(apps.read(dir .. "/again.csv"), apps.read(dir .. "/new.csv"), "as computed")

-- ---- a walk-forward ----

bars("W.csv", { 100, 100, 110, 120, 130, 100, 100, 120, 80, 70, 100, 100, 130, 150, 170 })
s = assert(tw.sweep.run { script = dir .. "/long.lua", data = dir .. "/W.csv",
  walk = "5d:5d", set = { quantity = { 1000, 10 } }, by = "total_return" })
local first = s.windows[1]
t.is(first.params.quantity, 1000, "a window chooses the best that is not ruined")
t.ok(first.ruined and not first.ratio and s.joined.ruined == first.ruined
     and s.joined.final <= 0, "its test is ruined, and so are the joined tests")
t.is(#s.joined.days, #first.run.result.days, "which end there")
t.ok(require "tw.report".text(s.joined):find "ruined 2024", "their text says so")

t.done()
