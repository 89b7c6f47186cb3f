--- sides: bars of bids and asks, and data of several resolutions, in a backtest.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local _, put, command = apps.folder "sides"

-- Buys at the third bar, sells at the fifth; who trades where is a line.
put("s.lua", [[
  local M = {}
  function M:on_bar(symbol, interval, side)
    self.n = (self.n or 0) + 1
    if self.n == 3 then self:buy(symbol, 1) end
    if self.n == 5 then self:sell(symbol, 1) end
    self.told = (self.told or "") .. ("%g%s "):format(interval, side or "")
  end
  function M:on_quote(symbol) self.told = (self.told or "") .. "q " end
  function M:on_fill(side, price) print(side, price) end
  function M:on_stop() print("told", self.told) end
  return M]])

local SIDES <const> = "time,bid_open,bid_high,bid_low,bid_close,bid_size,"
  .. "ask_open,ask_high,ask_low,ask_close,ask_size\n"
local function rows(format, first, last)
  local lines = {}
  for i = first, last do
    lines[#lines + 1] = format:format(os.date("!%Y-%m-%dT%H:%M:%S", 1578301200 + 60 * i))
  end
  return table.concat(lines, "\n") .. "\n"
end
local BOTH <const> = "%s,10,10,10,10,1,20,20,20,20,1"
local BIDS <const> = "%s,10,10,10,10,1,,,,,"
put("both.csv", SIDES .. rows(BOTH, 0, 5))
put("bids.csv", SIDES .. rows(BIDS, 0, 5))

-- What it prints, without times, and the warnings.
local function backtest(data, options)
  local got = command(("backtest s.lua --data %s %s"):format(data, options or ""))
  local lines = {}
  for line in got.out:gmatch "[^\n]+" do
    lines[#lines + 1] = line:match "^%d+%-%d+%-%d+ [%d:.]+ (%l+\t.*)$"
  end
  return table.concat(lines, "\n"), got.err, got
end

local out, err = backtest("both.csv", "--csv interval=1m --save both.run")
t.is(out, "buy\t20.0\nsell\t10.0\ntold\t" .. ("60bid 60ask "):rep(6),
     "a buy fills on the bar of asks, a sell on that of bids")
t.is(err, "", "nothing is to be said")
local why = command "explain both.run --order 1".out
t.ok(why:find("bid bar o 10 h 10 l 10 c 10 v 1: not looked at: a bar of bids, and a buy"
              .. " meets asks", 1, true), "explain tells of the side")
out, err = backtest("bids.csv", "--csv interval=1m")
t.is(out, "buy\t10.0\nsell\t10.0\ntold\t" .. ("60bid "):rep(6), "bids alone")
t.is(err, "tidewire: warning: bids: there are bars of bids, and none of asks: buys trade"
     .. " on those of bids, too\n", "are told of")

-- ---- ticks, minutes and days ----

put("A.csv", "time,symbol,open,high,low,close,volume\n"
    .. rows("%s,A,1,1,1,1,1", 0, 3))
put("day.csv", "time,symbol,open,high,low,close,volume\n2020-01-06,A,1,1,1,1,1\n")
put("ticks.csv", "time,symbol,bid,ask\n" .. rows("%s,A,1,2", 1, 2))
t.is(command("convert A.csv minutes.tape --set interval=1m").status, 0, "minutes")
t.is(command("convert minutes.tape day.csv ticks.csv mixed.tape").status, 0, "all")
local WARNING <const> = "A: the data have 1m, ticks and 1d, and orders trade on all of"
  .. " them; interval tells handlers which it is, resolution (1m, ticks) reads some alone"
for data, name in pairs { ["mixed.tape"] = "a tape file",
                          ["minutes.tape --data day.csv --data ticks.csv"] = "files" } do
  out, err = backtest(data)
  t.is(out:match "told\t(.*)", "60 q 60 q 60 60 86400 ", name .. ": each is a record")
  t.is(err, "tidewire: warning: " .. WARNING .. "\n", name .. ": it is said")
  for options, told in pairs { ["1m"] = "60 60 60 60 ", ["1d"] = "86400 ",
                               ["1d,1m"] = "60 60 60 60 86400 ", ticks = "q q " } do
    out, err = backtest(data, "--resolution " .. options)
    t.is(out:match "told\t(.*)", told, ("%s: --resolution %s"):format(name, options))
    t.is(err:find("warning", 1, true) ~= nil, options == "1d,1m", "a warning of two")
  end
end
out, err = backtest("mixed.tape", "--resolution 5m")
t.is(err, "tidewire: backtest: there is no record in the data of that resolution:"
     .. " the data are from 2020-01-06 09:01:00 to 2020-01-06 12:00:00,"
     .. " of 1m, ticks and 1d\n", "none")
for _, wrong in ipairs { "soon", "1", "0m", "1m,", "-1m", "99999999w" } do
  local _, says, got = backtest("mixed.tape", "--resolution " .. wrong)
  t.ok(got.status == 2 and says:find "resolution: ticks, or lengths of bars like 1m or",
       wrong)
end
local got = command("sweep s.lua --data mixed.tape --set x=1 --resolution 1m --store none"
                    .. " --json")
t.ok(got.status == 0 and got.out:find('"records":4', 1, true), "a sweep, too")

-- Of bars that are made longer ones are no part.
put("made.lua", [[
  return { on_start = function(self) self:bars { every = "2m" } end,
           on_bar = function(self, interval, volume)
             if interval == 120 then print("made", volume) end
           end }]])
got = command "backtest made.lua --data mixed.tape"
t.is(select(2, got.out:gsub("made\t2.0", "")), 2, "self:bars: two minutes each, no day")
t.is(select(2, got.out:gsub("made\t", "")), 2, "no other bar")
