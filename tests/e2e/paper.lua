--- paper: on paper and in a backtest, a recorded tape gives the same orders.
--
-- The scripts are those that `make run` and the README show, as they are; what they are
-- told of their orders is written down by a file around each.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "paper"
local pwd <close> = assert(io.popen "pwd")
local scripts = pwd:read "l" .. "/scripts/"

-- ---- a market of a second, with timer marks between its quotes ----

local SMALL = os.getenv "SMALL"
local function record(name, feeds, limit)
  put(name .. "-record.lua", 'local app = require "tw.app"\n' .. feeds:format(limit))
  local made = command(("record %s-record.lua %s.tape --no-attach"):format(name, name))
  t.is(made.status, 0, name .. ": a market is recorded")
end
record("maker", [[
  app.feed.synthetic { rate = 20000, limit = %d, speed = 1 }
  app.feed.timer { every = 0.01 }]], SMALL and 6000 or 20000)
-- Of quotes whose clock is years behind that of the timers.
local rows, mid = { "time,symbol,bid,ask" }, 10000
for i = 1, SMALL and 20000 or 100000 do
  mid = mid + i * i % 7 - 2 + (i // 3000 % 2 * 2 - 1)
  rows[i + 1] = ("%d.%03d,AAPL,%.2f,%.2f"):format(1704200000 + i // 1000, i % 1000,
                                                  mid / 100 - 0.01, mid / 100 + 0.01)
end
put("quotes.csv", table.concat(rows, "\n") .. "\n")
record("behind", [[
  app.feed.csv { path = "quotes.csv" }
  app.feed.timer { every = 0.001 }]])
record("crossover", "app.feed.synthetic { limit = %d, speed = 0 }",
       SMALL and 60000 or 200000)
t.ok(command("tape maker.tape").out:find "%d timers", "one with timer marks")

-- ---- the same strategy, on paper and in a backtest ----

put("around.lua", [[
  local M = assert(loadfile(os.getenv "STRATEGY"))()
  local list, began = {}, {}
  function M:on_order(order, id, time, status)
    if not began[id] then
      began[id] = time
      list[#list + 1] = order
    end
  end
  local on_stop = M.on_stop
  function M:on_stop()
    for _, o in ipairs(list) do
      print(("order %d %s %s %s %s %s %s %s %s %s %s"):format(began[o.id], o.symbol,
        o.side, o.type, o.tif, o.quantity, o.price, o.status, o.reason, o.filled,
        o.average))
    end
    print("cash", self.account.cash)
    if on_stop then on_stop(self) end
  end
  return M]])
-- What each is given, by an app and on the command line.
local PARAMS <const> = {
  maker = { "edge = 0.01, quantity = 100", "--set edge=0.01 --set quantity=100" },
  behind = { "fast = 0.003", "--set fast=0.003" },
  crossover = { "fast = 0.003", "--set fast=0.003" },
}
local APP <const> = [[
  local app = require "tw.app"
  app.feed.tape { path = app.param("tape", "") }
  app.script("around.lua", { params = { %s } })]]

local function lines(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do
    line = line:match "(order %d.*)$" or line:match "(cash.*)$"
    out[#out + 1] = line
  end
  return out
end

for _, name in ipairs { "maker", "behind", "crossover" } do
  put("app.lua", APP:format(PARAMS[name][1]))
  local file = apps.quote(scripts .. (name == "maker" and name or "crossover") .. ".lua")
  local strategy = "STRATEGY=" .. file .. " "
  local function with(args)
    return apps.shell(("cd %s && %s timeout 120 %s %s"):format(dir, strategy,
                                                              apps.tidewire, args))
  end
  local set = (" --set tape=%s.tape"):format(name)
  local one = with("run app.lua --no-attach --workers 1" .. set)
  local two = with("run app.lua --no-attach --workers 2" .. set)
  local back = with(("backtest app.lua --data %s.tape"):format(name) .. set)
  local paper, backtest = lines(one.out), lines(back.out)
  if not t.is(table.concat(backtest, "\n"), table.concat(paper, "\n"),
              name .. ": the same orders on paper and in a backtest") then
    t.diag(one.err .. back.err)
  end
  t.is(table.concat(lines(two.out), "\n"), table.concat(paper, "\n"),
       name .. ": on two workers too")
  t.ok(#paper > 3, name .. ": there are some (" .. #paper .. ")")
  local filled = 0
  for _, line in ipairs(paper) do filled = filled + (line:find " filled " and 1 or 0) end
  t.ok(filled > 0, name .. ": and fills (" .. filled .. ")")
  -- The script by itself, as a user runs it.
  local plain = command(("backtest %s --data %s.tape %s"):format(
    file, name, PARAMS[name][2]))
  t.is(plain.out:match "orders +(%d+)", tostring(#paper - 1),
       name .. ": as many without a file around it")
end

-- ---- what waits is of its own time, on paper as in a backtest ----

rows = { "time,symbol,open,high,low,close,volume" }
for i = 0, 5 do
  rows[#rows + 1] = ("%d,F,%d,%d,%d,%d,10"):format(1700000000 + i, i, i, i, i)
             :gsub(",0,0,0,0,", ",9,9,9,9,")
end
put("bars.csv", table.concat(rows, "\n") .. "\n")
put("waits.lua", [[
  local tw, M = require "tw", {}
  function M:on_bar(close, time)
    if close ~= 1 then return end
    self.time = time
    tw.task.detach(function()
      tw.sleep(0.05)
      self:buy { symbol = "F", quantity = 1, label = "task" }
    end)
    tw.sleep(0.05)
    self:buy { symbol = "F", quantity = 1, label = "handler" }
  end
  function M:on_order(label, status, time)
    if status == "pending_new" then self[label] = time end
    if status ~= "filled" then return end
    print(label, self[label] - self.time >= 50000000, time - 1000000000 >= self[label])
  end
  return M]])
put("waits-app.lua", [[
  local app = require "tw.app"
  app.feed.csv { path = "bars.csv", interval = "1s", speed = 4 }
  app.script "waits.lua"]])
for _, how in ipairs { "run waits-app.lua --no-attach",
                       "backtest waits-app.lua --data bars.csv --csv interval=1s" } do
  local out = command(how).out
  for _, label in ipairs { "task", "handler" } do
    t.is(out:match(label .. "\t([^\n]*)"), "true\ttrue",
         how:match "%w+" .. ": a " .. label .. " trades with bars that begin afterwards")
  end
end

put("fast.lua", [[
  local app = require "tw.app"
  app.feed.csv { path = "bars.csv", interval = "1s", speed = 0 }
  app.script "waits.lua"]])
t.is(command("run fast.lua --no-attach").out:match "handler\t([^\n]*)", "false\ttrue",
     "where no feed is live, at the last record's")

-- ---- what the file knows of an instrument, and the app does not say ----

put("known.lua", [[
  local M = {}
  function M:on_quote(symbol)
    if symbol ~= "BP" or self.done then return end
    local i = require "tw".instrument(symbol)
    self.done = true
    print("BP", i.tick_size, i.lot_size, i.sector, i.weight)
  end
  return M]])
put("known-app.lua", [[
  local app = require "tw.app"
  app.instruments { { symbol = "BP", tick_size = 0.05 } }
  app.feed.tape { path = "crossover.tape" }
  app.script "known.lua"]])
for _, how in ipairs { "run known-app.lua --no-attach",
                       "backtest known-app.lua --data crossover.tape" } do
  t.is(command(how).out:match "BP\t[^\n]*", "BP\t0.05\t100.0\toil\t0.1", how)
end
