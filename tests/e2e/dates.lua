--- dates: --from and --to: what belongs to a day, and what is said where nothing does;
-- and that a bar of a day stands for the session of its day.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local _, put, command = apps.folder "d"

-- Bars of weekdays from Monday, 2020-01-06 on; in a zone a day ends at its own midnight.
local rows = { "time,open,high,low,close,volume" }
for i = 0, 27 do
  if i % 7 < 5 then
    rows[#rows + 1] = ("2020-%02d-%02d,1,99,1,%d,1"):format(i < 26 and 1 or 2,
                        i < 26 and 6 + i or i - 25, i // 7 * 5 + i % 7 + 1)
  end
end
put("days.csv", table.concat(rows, "\n") .. "\n")
put("s.lua", [[
  local M, seen = {}, {}
  function M:on_bar(symbol, close) seen[#seen + 1] = close end
  function M:on_stop() print("seen " .. table.concat(seen, " ")) end
  return M]])
put("minutes.csv", "time,open,high,low,close,volume\n2020-01-06T10:00,1,1,1,1,1\n"
    .. "2020-01-06T10:01,1,1,1,1,1\n")

local function seen(data, options)
  local run = command(("backtest s.lua --data %s %s"):format(data, options))
  return run.out:match "seen ([%d%. ]*)\n" and run.out:match "seen ([%d%. ]*)\n"
         :gsub("%.0", "") or run.err
end
local zones = { "", "--csv zone=America/New_York", "--csv zone=Asia/Tokyo",
                "--csv zone=Australia/Sydney" }
command "convert days.csv days.tape"
command "convert days.csv tokyo.tape --set zone=Asia/Tokyo"
local data = { "days.tape", "tokyo.tape" }
for i, zone in ipairs(zones) do data[i + 2] = "days.csv " .. zone end
for _, one in ipairs(data) do
  t.is(seen(one, "--from 2020-01-07 --to 2020-01-08"), "2", one .. ": a day")
  t.is(seen(one, "--from 2020-01-06 --to 2020-01-11"), "1 2 3 4 5", "a week")
  t.is(seen(one, "--from 2020-01-08 --to 2020-01-10 --warmup 1d"), "2 3 4", "a warm-up")
  t.is(seen(one, "--to 2020-01-07"), "1", "the first day")
  t.is(seen(one, "--from 2020-01-31"), "20", "the last")
  t.is(seen(one, "--from 2020-01-11 --to 2020-01-13"), "tidewire: backtest: there is no"
       .. " record from 2020-01-11 to 2020-01-13: the data are from 2020-01-06 to"
       .. " 2020-01-31\n", "a weekend")
end

-- So are what all was worth at its end, the months, and the days that a year has.
put("hold.lua", [[
  local M = {}
  function M:on_start() self:buy("days", 1) end
  return M]])
local function figures(options)
  local out = command("backtest hold.lua --data " .. options .. " --report -").out
  return out:match "CAGR [^\n]*" .. out:match "Volatility [^\n]*"
         .. out:match "Returns by month.-\n\n"
end
local utc = figures "days.csv"
t.is(utc:match "\n(2020[^\n]*)":gsub(" +", " "), "2020 0.0 0.0",
     "January, and no other month")
for i = 2, #data do t.is(figures(data[i]), utc, data[i] .. ": figures") end
put("short.lua", [[
  local M = {}
  function M:on_start() self:sell("days", 540) end
  return M]])
for _, one in ipairs(data) do
  local out = command("backtest short.lua --cash 10000 --report - --data " .. one).out
  t.ok(out:find("\nruined 2020-01-31: ", 1, true) and not out:find "Returns by month",
       one .. ": ruined on the last day, and January has no return")
end

-- Tokyo's day has ended, that of UTC has not: what comes before its midnight is drawn.
local late = { "time,open,high,low,close,volume" }
for i = 0, 59 do late[i + 2] = ("2020-01-06T18:%02d,1,1,1,1,1"):format(i) end
put("late.csv", table.concat(late, "\n") .. "\n")
command "convert late.csv late.tape --set interval=1m"
local drawn = command("backtest hold.lua --json --data tokyo.tape late.tape").out
              :match '"curve":%b{}':match '"time":(%b[])'
local last, n, back = 0.0, 0, 0
for time in drawn:gmatch "[%d.e+]+" do
  n, back, last = n + 1, back + (tonumber(time) > last and 0 or 1), tonumber(time)
end
t.is(n .. " " .. back, "80 0", "each minute and each day has a point, in their order")

for _, case in ipairs {
  { "--from 2021-01-01", " from 2021-01-01 on" },
  { "--to 2001-01-01T12:00:00", " before 2001-01-01 12:00:00" },
} do
  t.is(seen("days.csv", case[1]), "tidewire: backtest: there is no record" .. case[2]
       .. ": the data are from 2020-01-06 to 2020-01-31\n", case[1])
end
t.is(seen("minutes.csv", "--csv interval=1m --from 2020-01-07"),
     "tidewire: backtest: there is no record from 2020-01-07 on: the data are from"
     .. " 2020-01-06 10:01:00 to 2020-01-06 10:02:00\n", "with the time, if it matters")

-- Convert, and tape, have the same days.
local run = command "convert days.csv week.tape --from 2020-01-13 --to 2020-01-18"
t.ok(run.err:find "week.tape: 5 records", "convert: a week")
t.is(seen("week.tape", ""), "6 7 8 9 10", "that one")
t.is(select(2, command "tape days.tape --dump 9 --from 2020-01-13 --to 2020-01-15".out
            :gsub("\n", "")), 2, "tape: two days")
run = command "convert days.csv none.tape --from 2021-01-01 --to 2021-02-01"
t.is(run.err, "tidewire: convert: there is no record from 2021-01-01 to 2021-02-01, so no"
     .. " none.tape: the data are from 2020-01-06 to 2020-01-31\n", "convert: none")

-- What is trained on begins with the first day.
run = command("sweep s.lua --data days.tape --set x=1,2 --store none --train 2020-01-20"
              .. " --results r.csv --by total_return")
t.is(run.status, 0, "a sweep with training")
local records = {}
for line in apps.read(apps.directory .. "/d/r.csv"):gmatch "[^\n]+" do
  local row = {}
  for cell in (line .. ","):gmatch "([^,]*)," do row[#row + 1] = cell end
  if not records.at then
    for i, title in ipairs(row) do if title == "records" then records.at = i end end
  else
    records[#records + 1] = row[records.at]
  end
end
t.is(records[1], "10", "has two weeks of it")

-- ---- the session of a day ----

put("session.lua", [[
  local M, n = {}, 0
  local function send(self)
    for _, tif in ipairs { "opg", "cls", "day" } do
      self:buy { symbol = "days", quantity = 1, tif = tif, label = tif }
    end
    self:buy { symbol = "days", quantity = 1, price = 0.5, tif = "day", label = "low" }
  end
  function M:on_start() send(self) end
  function M:on_bar() n = n + 1 if n == 5 then send(self) end end   -- at a Friday's end
  function M:on_order(label, status, average)
    if status ~= "pending_new" and status ~= "new" then
      print("seen", n, label, status, average)
    end
  end
  return M]])
for _, at in ipairs { { "UTC", "09:00", "17:00" }, { "Asia/Tokyo", "09:00", "15:00" },
                      { "America/New_York", "09:30", "16:00" } } do
  put("session_app.lua", ([[
    local app = require "tw.app"
    app.calendar("c", { zone = "%s", open = "%s", close = "%s", days = "mon-fri" })
    app.instruments { { symbol = "days", calendar = "c" } }
    app.script "session.lua"]]):format(table.unpack(at)))
  local got = {}
  local out = command("backtest session_app.lua --data days.csv --csv zone=" .. at[1]).out
  for words in out:gmatch "seen\t([^\n]*)" do got[#got + 1] = words:gsub("\t", " ") end
  t.is(table.concat(got, "\n"), "0 opg filled 1.0\n0 day filled 1.0\n0 cls filled 1.0\n"
       .. "0 low expired nil\n5 opg filled 1.0\n5 day filled 1.0\n5 cls filled 6.0\n"
       .. "5 low expired nil", "orders for a session on bars of a day: " .. at[1])
end


-- ---- days of 23 and 25 hours, and a latency ----

-- Sends at the end of `day`; what became of that at the end of which bar.
put("clocks.lua", [[
  local M, n = {}, 0
  function M:on_bar(symbol, close)
    n = n + 1
    if n ~= self.params.at then return end
    for _, tif in ipairs { "gtc", "opg", "cls", "day" } do
      self:buy { symbol = "x", quantity = 1, tif = tif, label = tif }
    end
    self:buy { symbol = "x", quantity = 1, price = 0.5, tif = "day", label = "low" }
  end
  function M:on_order(label, status, average)
    if status == "filled" or status == "expired" then
      print("seen", n + 1 .. " " .. label .. " " .. status .. (average and " "
            .. math.tointeger(average) or ""))
    end
  end
  return M]])
put("clocks_app.lua", [[
  local app = require "tw.app"
  local p = app.param
  app.calendar("c", { zone = p("zone", ""), open = p("open", ""), close = p("close", ""),
                      days = p("days", "") })
  app.instruments { { symbol = "x", calendar = "c" } }
  app.account { latency = p("latency", 0.0) }
  app.script("clocks.lua", { params = { at = 3 } })]])

local function became(name, what, want)
  local got = {}
  local run = command("backtest clocks_app.lua --data x.csv " .. what)
  for words in run.out:gmatch "seen\t([^\n]*)" do got[#got + 1] = words end
  table.sort(got)
  t.is(table.concat(got, ", "), want, name)
  if #got == 0 then t.diag(run.err) end
end

local next_bar = "4 cls filled 41, 4 day filled 40, 4 gtc filled 40, 4 low expired,"
                 .. " 4 opg filled 40"
local function bars(...)                  -- opens at 10 n, closes 1 above
  local text = "time,open,high,low,close,volume\n"
  for n, day in ipairs { ... } do
    text = text .. ("%s,%d,%d,%d,%d,9\n"):format(day, 10 * n, 10 * n + 2, 10 * n - 1,
                                                10 * n + 1)
  end
  put("x.csv", text)
end
for _, days in ipairs {
  { "from winter to summer", "2020-03-04", "2020-03-05", "2020-03-06", "2020-03-09",
    "2020-03-10" },
  { "from summer to winter", "2020-10-28", "2020-10-29", "2020-10-30", "2020-11-02",
    "2020-11-03" } } do
  bars(table.unpack(days, 2))
  for _, latency in ipairs { "0", "0.05" } do
    for _, zone in ipairs { "America/New_York", "UTC" } do
      became(days[1] .. ", latency " .. latency .. ", days of " .. zone,
             "--set zone=America/New_York --set open=09:30 --set close=16:00"
             .. " --set days=mon-fri --set latency=" .. latency
             .. " --csv zone=" .. zone, next_bar)
    end
  end
end

-- The day itself is one of the market's.
for _, days in ipairs {
  { "23 hours", "2020-03-05", "2020-03-06", "2020-03-07", "2020-03-08", "2020-03-09" },
  { "25 hours", "2020-10-29", "2020-10-30", "2020-10-31", "2020-11-01",
    "2020-11-02" } } do
  bars(table.unpack(days, 2))
  for _, at in ipairs { "--set open=00:00 --set close=24:00",
                        "--set open=08:00 --set close=17:00" } do
    became("a day of " .. days[1] .. ", " .. at, "--set zone=America/New_York " .. at
           .. " --set days=sun-sat --csv zone=America/New_York --set latency=0",
           next_bar)
  end
end

-- ---- a bar over the opening ----

put("over.lua", [[
  local M, n = {}, 0
  function M:on_bar()
    n = n + 1
    if n == 2 then
      self:buy { symbol = "x", quantity = 1, tif = "opg", label = "opg" }
      self:buy { symbol = "x", quantity = 1, tif = "cls", label = "cls" }
    end
  end
  function M:on_order(label, status, average)
    if status == "filled" or status == "expired" then
      print("seen", n + 1 .. " " .. label .. " " .. status .. " " .. (average or ""))
    end
  end
  return M]])
local app = apps.read(apps.directory .. "/d/clocks_app.lua")
put("clocks_app.lua", (app:gsub("clocks.lua", "over.lua")))

-- Hours that end at these times; they open at 1, 2, 3 ..., and close a half above.
local function hours(...)
  local text = "time,open,high,low,close,volume\n"
  for n, at in ipairs { ... } do
    text = text .. ("2020-01-%s:00,%d,%d,%d,%d.5,9\n"):format(at, n, n + 1, n, n)
  end
  put("x.csv", text)
end
local over = "--set zone=UTC --set open=09:30 --set close=15:00 --set days=mon-fri"
             .. " --set latency=%s --csv interval=1h"
hours("06T13", "06T14", "07T09", "07T10", "07T14", "07T15")
for _, latency in ipairs { "0", "2" } do
  became("an hour over the opening serves it where it is the first, latency " .. latency,
         over:format(latency), "3 opg filled 3.0, 5 cls filled 5.5")
end
hours("06T13", "06T14", "07T08", "07T09", "07T10", "07T14", "07T15")
became("where there was trade before it the next one does", over:format "0",
       "5 opg filled 5.0, 6 cls filled 6.5")
became("what is on its way as an hour begins may be for its close", over:format "82900",
       "6 cls filled 6.5")
