--- backtest_messages: what scripts said in a recording, a backtest hears at its place.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local QUOTES = os.getenv "SMALL" and 140 or 300
local dir, put, shell = apps.folder "m"

local function read(name) return apps.read(dir .. "/" .. name) end
local function count(text, what) return select(2, text:gsub(what, "")) end

-- Quote i is of the hour i of 2020.
local lines = { "time,symbol,bid,ask,bid_size,ask_size" }
for i = 1, QUOTES do
  lines[i + 1] = ("%d,%s,%d,%d,100,100"):format(1577836800 + i * 3600,
    i % 2 == 0 and "A" or "B", 100 + i, 101 + i)
end
put("quotes.csv", table.concat(lines, "\n") .. "\n")

put("vol.lua", [[
  local tw, M = require "tw", {}
  function M:on_start() tw.publish("vol.start", "ready") end
  function M:on_quote(symbol, bid)
    tw.publish("vol." .. symbol, { bid = bid, of = { symbol } })
    if bid % 5 == 0 then tw.publish("vol.number", bid) end
  end
  return M]])
put("maker.lua", [[
  local tw, M = require "tw", { messages = { "vol.*", "maker.*" } }
  local file = assert(io.open(assert(os.getenv "OUT"), "w"))
  function M:on_quote(symbol, bid) file:write(symbol, " ", bid, "\n") end
  function M:on_message(value, topic)
    if topic:find "^vol.[AB]" then value = value.of[1] .. value.bid end
    file:write(topic, " ", value, "\n")
    tw.publish("maker.heard", topic)
    if topic == "vol.number" then self:buy { symbol = "A", quantity = 1 } end
  end
  function M:on_stop() file:close() end
  return M]])
put("both.lua", [[
  local app = require "tw.app"
  app.tape { capacity = 64 }       -- so the feed is never far ahead of the scripts
  app.feed.csv { file = "quotes.csv" }
  app.script("vol.lua", { shard = "symbol" })
  app.script "maker.lua"]])
local recorded = shell("record both.lua both.tape --workers 2", "OUT=then")
t.is(recorded.status, 0, "a run is recorded")
if recorded.status ~= 0 then t.diag(recorded.err) end

-- ---- what the maker got then ----

local run = shell("backtest maker.lua --data both.tape --messages --save run", "OUT=now")
t.is(run.status, 0, "its recording is the data of one of its scripts")
if run.status ~= 0 then t.diag(run.err) end
t.ok(read "now" == read "then", "which gets what it got then, in that order")
t.ok(count(read "now", "vol%.[AB] [AB]%d") == QUOTES and count(read "now", "ready") == 2
     and not read "now":find "maker", "all messages but its own")
local hash = run.out:match "order list +(%x+)"
t.is(tonumber(run.out:match "orders +(%d+)"), QUOTES // 5, "it trades on them")
t.is(shell("backtest maker.lua --data both.tape --messages", "OUT=now")
     .out:match "order list +(%x+)", hash, "the same each time")
local told = shell("explain run --order 1", "OUT=now")
t.ok(told.status == 0 and told.out:find "buy", "tidewire explain has them, too")
if told.status ~= 0 then t.diag(told.err) end
run = shell("backtest maker.lua --data both.tape", "OUT=now")
t.ok(run.status == 0 and not read "now":find "vol" and count(read "now", "\n") == QUOTES,
     "without the option it gets none")

-- ---- those who are here say it anew ----

put("app.lua", [[
  local app = require "tw.app"
  app.script "vol.lua"
  app.script "maker.lua"]])
run = shell("backtest app.lua --data both.tape --messages", "OUT=now")
t.is(run.status, 0, "with those that published")
t.is(count(read "now", "vol%.[AB]"), QUOTES, "each message comes once")
t.is(count(read "now", "ready"), 1, "of the instance that is here")

-- ---- when ----

put("ear.lua", [[
  local tw, M = require "tw", {}
  local last, n, of_maker, wrong = nil, 0, 0, 0
  function M:on_quote(symbol, bid, time)
    last = { bid = bid, time = time }
    if tw.now() ~= time then wrong = wrong + 1 end
  end
  function M:on_message(value, topic)
    if topic:find "^maker" then of_maker = of_maker + 1 end
    if not topic:find "^vol.[AB]" then return end
    n = n + 1
    if last and (tw.now() ~= last.time or value.bid > last.bid) then wrong = wrong + 1 end
  end
  function M:on_stop() print("heard", n, of_maker > 0, wrong) end
  return M]])
run = shell "backtest ear.lua --data both.tape --messages"
t.ok(run.out:find("heard\t" .. QUOTES .. "\ttrue\t0"), "at the time of the record before,"
     .. " nothing early")
if run.status ~= 0 then t.diag(run.err) end
local function heard(options)
  local got = shell("backtest ear.lua --data both.tape --messages " .. options)
  if got.status ~= 0 then t.diag(got.err) end
  return tonumber(got.out:match "heard\t(%d+)\t%w+\t0")
end
local from = "--from 2020-01-05T04:00:00"
local some = heard(from)
t.is(some, count(read "then":match "A 200\n.*", "vol%.[AB]"),
     "--from leaves out what was before")
t.ok(some < QUOTES, "which is something")
t.is(heard("--to 2020-01-05T04:00:00") + some, QUOTES, "--to what comes later")
local warm = heard(from .. " --warmup 50")
t.ok(warm and warm >= some and warm <= some + 50, "--warmup 50: of the last records")
t.is(heard(from .. " --warmup 5000"), QUOTES, "--warmup 5000: of all")
t.is(heard(from .. " --warmup 90h"), heard "--from 2020-01-01T10:00:00", "of some hours")
run = shell "backtest ear.lua --data quotes.csv --messages"
t.ok(run.status == 0 and run.out:find "heard\t0", "CSV has no messages")
run = shell("backtest ear.lua --data both.tape --messages --warmup 5000 "
            .. "--from 2020-01-05T04:00:01 --to 2020-01-05T04:00:02")
t.ok(run.status == 1 and run.err:find "there is no record", "none was told")

put("buyer.lua", [[
  local M = { messages = { "vol.number" } }
  function M:on_quote() end
  function M:on_message() self:buy { symbol = "A", quantity = 1 } end
  return M]])
local wanted = shell("backtest buyer.lua --data both.tape --messages").out
  :match "list +(%x+)"
for _, of in ipairs { "", "--over data " } do
  run = shell("sweep buyer.lua --data both.tape --set x=1,2 --store none --messages "
              .. of .. "--results r.csv")
  t.is(count(read "r.csv", wanted), 2, "sweep --messages: each run hears them " .. of)
  if run.status ~= 0 then t.diag(run.err) end
end
shell "sweep buyer.lua --data both.tape --set x=1 --store none --results r.csv"
t.is(count(read "r.csv", wanted), 0, "and without it none does")

put("cut.tape", read "both.tape":sub(1, -200))
run = shell "backtest ear.lua --data cut.tape --messages"
t.is(count(run.err, "warning: cut.tape"), 1, "a file that was cut is told of once")
t.ok(run.out:find "heard\t%d+\t%w+\t0", "and read as far as it goes")

-- ---- whichever allocation fails ----

local refused, fine = 0, 0
for step = 1, os.getenv "SMALL" and 25 or 50 do
  local got = shell("backtest maker.lua --data both.tape --messages " .. from
                    .. " --warmup 20", "OUT=now TW_FAIL=" .. step * step)
  if got.status == 0 and got.out:find "order list" then fine = fine + 1
  elseif got.status ~= 0 and got.err:find "memory" then refused = refused + 1
  else t.is(got.err, "a line about memory", "allocation " .. step * step .. " fails") end
end
t.ok(refused > 5, "a failed allocation is said (" .. refused .. " times)")
