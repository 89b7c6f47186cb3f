--- gaps: what data leave out is told in one line, and what markets leave out is not.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "g"

put("s.lua", [[
  return { on_quote = function(self) return self.params.x end,
           on_bar = function() end }]])

local DAY <const>, MONDAY <const> = 86400, 1578268800     -- 2020-01-06
local function rows_of(head, make)
  local lines = { head }
  make(function(...) lines[#lines + 1] = table.concat({ ... }, ",") end)
  return table.concat(lines, "\n") .. "\n"
end
local function bars(name, make)
  put(name, rows_of("time,open,high,low,close,volume", function(add)
    make(function(at, symbol) add(at, 1, 1, 1, 1, 1) end)
  end))
end
local function gaps(data, options)
  local run = command(("backtest s.lua --data %s %s"):format(data, options or ""))
  if run.status ~= 0 then t.diag(run.err) end
  return run.out:match "\ngaps +([^\n]*)"
end

-- Two weeks of minutes with a break at noon, a holiday and an early close; `left_out` of
-- day and minute.
local function session(left_out)
  return function(add)
    for day = 0, 13 do
      for minute = 570, (day == 9 and 780 or 960) - 1 do
        if day % 7 < 5 and day ~= 3 and (minute < 690 or minute >= 750)
           and not left_out(day, minute) then
          add(MONDAY + day * DAY + minute * 60)
        end
      end
    end
  end
end
bars("whole.csv", session(function() return false end))
t.is(gaps("whole.csv", "--csv interval=1m"), nil,
     "nights, weekends, a holiday, an early close, a break each day are none")
bars("holes.csv", session(function(day, minute)
  return day == 2 and minute >= 600 and minute < 615 or day == 8 and minute == 800
end))
local first = "16 bars are missing in 2 places; the first: holes, bars of 1m, behind "
  .. "2020-01-08 10:00:00 and before 2020-01-08 10:15:00"
t.is(gaps("holes.csv", "--csv interval=1m"), first .. ", before line 692 of holes.csv",
     "bars that are missing, the line and the time of the first")
local run = command "backtest s.lua --data holes.csv --csv interval=1m --json"
t.ok(run.out:find("16 bars are missing", 1, true), "in the result, too")
run = command "convert holes.csv holes.tape --set interval=1m"
t.ok(run.err:find("tidewire: convert: gaps: " .. first
                  .. ", before line 692 of holes.csv\n", 1, true), "convert tells")
t.is(gaps "holes.tape", first .. ", before record 691 of holes.tape",
     "a tape file has numbers")
t.is(gaps("holes.csv", "--csv interval=1m --gaps none"), nil, "--gaps none: nothing")
t.ok(gaps("holes.csv", "--csv interval=1m --gaps 5m"):find "^15 bars are missing in 1 pl",
     "--gaps 5m: the one that is longer")
t.is(gaps("holes.csv", "--csv interval=1m --from 2020-01-09"), "1 bar is missing in 1"
     .. " place; the first: holes, bars of 1m, behind 2020-01-14 13:20:00 and before"
     .. " 2020-01-14 13:21:00, before line 1807 of holes.csv",
     "only of the time that is read")
local sweep <const> = "sweep s.lua --set x=1,2,3 --store none --data "
run = command(sweep .. "holes.csv --csv interval=1m")
t.ok(run.status == 0 and not run.out:find "missing", "a sweep tells it")
t.is(apps.said(run), "tidewire: sweep: gaps: " .. first
     .. ", before line 692 of holes.csv\n", "once, and not for each run")
t.is(apps.said(command(sweep .. "holes.tape")), "tidewire: sweep: gaps: " .. first
     .. ", before record 691 of holes.tape\n", "likewise of a tape file")
t.is(apps.said(command(sweep .. "holes.csv --csv interval=1m --gaps none")), "",
     "--gaps none")
t.ok(apps.said(command(sweep .. "holes.tape --gaps 5m")):find
     "^tidewire: sweep: gaps: 15 bars are missing in 1 pl[^\n]*\n$", "--gaps 5m")
t.is(apps.said(command(sweep .. "holes.tape --from 2020-01-15")), "",
     "of the time that is read")
t.is(command(sweep .. "holes.tape --gaps soon").status, 2, "--gaps soon")

-- A text and a tape file are looked at as one: what is missing between them is seen, and
-- what one of them has is not missing in the other.
apps.shell("mkdir -p " .. dir .. "/a " .. dir .. "/b")
local function parts(is_later, lacks)
  bars("a/holes.csv", session(function(day, minute)
    return is_later(day, minute) or lacks(day, minute)
  end))
  bars("b/holes.csv", session(function(day, minute)
    return not is_later(day, minute) or lacks(day, minute)
  end))
  os.remove(dir .. "/b.tape")
  command "convert b/holes.csv b.tape --set interval=1m --gaps none"
  local both = command(sweep .. "a/holes.csv b.tape --csv interval=1m")
  t.is(both.status, 0, "a text and a tape file: status")
  return apps.said(both), gaps("a/holes.csv b.tape", "--csv interval=1m")
end
local function is_missing(day, minute)
  return day == 2 and minute >= 600 and minute < 615 or day == 8 and minute == 800
end
local said, in_backtest = parts(function(day, minute)
  return day > 2 or day == 2 and minute >= 600
end, is_missing)
t.is(said, "tidewire: sweep: gaps: " .. first .. ", before record 1 of b.tape\n",
     "a gap between a text and a tape file")
t.is(in_backtest, first .. ", before record 1 of b.tape", "is that of a backtest")
said, in_backtest = parts(is_missing, function() return false end)
t.is(said, "", "what the tape file has is not missing in the text")
t.is(in_backtest, nil, "nor in a backtest")
put("a/holes.csv", apps.read(dir .. "/a/holes.csv") .. "soon,1,1,1,1,1\n")
run = command(sweep .. "a/holes.csv b.tape --csv interval=1m --skip-bad")
t.is(select(2, run.err:gsub("time 'soon' is not a time", "")), 1,
     "a bad line is told once")

-- Its symbol has another number in its file than in the run.
command "convert whole.csv whole.tape --set interval=1m"
put("app.lua", [[
  local app = require "tw.app"
  app.tape { capacity = 16384 }
  for _, name in ipairs { "whole", "holes" } do
    app.feed.tape { path = name .. ".tape", name = name }
  end
  app.script "s.lua"]])
run = command "run app.lua --no-attach"
t.ok(run.err:find("feed holes: gaps: " .. first .. ", before record 691 of holes.tape\n",
                  1, true) and not run.err:find "feed whole: gaps",
     "a feed names the instrument")

-- A bar only when something trades: each third.
bars("thin.csv", session(function(day, minute)
  return (minute * 31 + day * 17) * (minute + 3 * day) % 101 % 3 > 0
end))
t.is(gaps("thin.csv", "--csv interval=1m"), nil, "many holes say nothing")
t.ok(gaps("thin.csv", "--csv interval=1m --gaps 2m"), "but where they are asked for")

-- Days.
local function days(name, left_out, every)
  bars(name, function(add)
    for day = 0, 200 do
      if (every or day % 7 < 5) and not left_out(day) then
        add(os.date("!%Y-%m-%d", MONDAY + day * DAY))
      end
    end
  end)
end
days("market.csv", function(day) return day == 16 or day >= 77 and day < 84 end)
t.is(gaps "market.csv", nil, "a holiday, and a week of them")
days("lost.csv", function(day) return day >= 77 and day < 98 end)
t.is(gaps "lost.csv", "15 bars are missing in 1 place; the first: lost, bars of 1d,"
     .. " behind 2020-03-20 and before 2020-04-13, before line 57 of lost.csv",
     "three weeks")
days("coin.csv", function(day) return day == 20 end, true)
t.is(gaps "coin.csv", "1 bar is missing in 1 place; the first: coin, bars of 1d, behind"
     .. " 2020-01-25 and before 2020-01-27, before line 22 of coin.csv",
     "one day, where there are Saturdays")
bars("weeks.csv", function(add)
  for week = 0, 30 do add(os.date("!%Y-%m-%d", MONDAY + week * 7 * DAY)) end
end)
t.is(gaps "weeks.csv", nil, "a date a week")

-- Quotes have no steps: there is a limit, or nothing.
put("quotes.csv", rows_of("time,symbol,bid,ask", function(add)
  for day = 0, 7 do
    for second = 36000, 50000, 7 do
      if day % 7 < 5 and not (day == 1 and second > 40000 and second < 41000) then
        add(MONDAY + day * DAY + second, "A", 1, 2)
      end
    end
  end
end))
t.is(gaps "quotes.csv", nil, "quotes")
t.ok(gaps("quotes.csv", "--gaps 5m"):find "^1 gap in quotes or trades; the first: A, "
     .. "behind 2020%-01%-07 11:06:%d+ and before 2020%-01%-07 11:23:%d+, before line %d+"
     .. " of quotes.csv$", "with a limit")
t.is(gaps("quotes.csv", "--gaps 30m"), nil, "a longer one")
for _, wrong in ipairs { "soon", "5", "-5m", "0m" } do
  run = command("backtest s.lua --data quotes.csv --gaps " .. wrong)
  t.ok(run.status == 2 and run.err:find "gaps: a time like 30m, or none, expected, got ",
       "--gaps " .. wrong)
end
t.is(command("convert quotes.csv x.tape --gaps soon").status, 2, "of convert, too")
