--- tape: what was recorded is replayed, whatever happened to the file.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local quote, tidewire = apps.quote, apps.tidewire

local A = [[
function M.on_quote(symbol, bid)
  if bid * 100 // 1 % 7 == 0 then tw.publish("bid", { symbol = symbol, bid = bid }) end
end]]
local B = [[
local n = 0
function M.on_trade() n = n + 1 tw.publish("trades", n) end
function M.on_message(value, topic) tw.publish("echo", topic .. value.symbol) end]]

-- Writes all that it gets to the file that is named in the environment.
local OUT = [[
local file = assert(io.open(os.getenv "OUT" .. "/" .. NAME, "w"))
local function write(...) file:write(table.concat({ ... }, " "), "\n") end
function M.on_quote(symbol, bid, ask, bid_size, time, received, source)
  write("quote", symbol, bid, ask, bid_size, time, received, source)
end
function M.on_trade(symbol, price, size, time)
  write("trade", symbol, price, size, time)
end
function M.on_timer(interval, count) write("timer", interval, count) end
function M.on_message(value, topic)
  write(topic, topic == "bid" and value.symbol .. value.bid or value)
end
function M.on_stop() file:close() end]]

local function script(text, name) return "local NAME = '" .. name .. "' " .. text end

local directory = apps.write { app = [[
    app.feed.synthetic { speed = 0, limit = app.param("limit", 20000), trades = 0.2 }
    app.script("a.lua") app.script("b.lua") app.script("first.lua")
    app.script("second.lua", { messages = { "trades", "echo" } })]],
  ["a.lua"] = A, ["b.lua"] = B, ["first.lua"] = script(OUT, "first"),
  ["second.lua"] = script(OUT, "second"),
  ["live.lua"] = "function M.on_quote(symbol) board[symbol] = 1 end",
  files = { ["live_app.lua"] = [[
    local app = require "tw.app"
    app.feed.synthetic { rate = 20000 }
    app.script("live.lua")]],
    ["quotes.csv"] = "time,symbol,bid,ask\n1970-01-01T00:00:01,A,1.5,1.75\n"
      .. "1970-01-01T00:00:03,A,1.25,1.5\n",
    ["late.csv"] = "time,symbol,price,size\n1970-01-01T00:00:02,B,7,1\nx,B,7,1\n",
  } }

local function run(what, command, status)
  local r = apps.shell(("cd %s && timeout -k 1 120 %s"):format(quote(directory), command))
  t.is(r.status, status or 0, what)
  if r.status ~= (status or 0) then t.diag(r.err .. r.out) end
  return r
end

local function read(name)
  local file = io.open(directory .. "/" .. name, "rb")
  if not file then return "" end
  local text = file:read "a"
  file:close()
  return text
end

local function write(name, text)
  local file = assert(io.open(directory .. "/" .. name, "wb"))
  assert(file:write(text))
  file:close()
end

-- Record, and replay: the same inputs in the same order, messages too.

os.execute(("cd %s && mkdir then now now2"):format(quote(directory)))
local r = run("records a run", "env OUT=then " .. tidewire
              .. " record app.lua run.tape --workers 2")
t.ok(r.err:find "recorder: run.tape: %d+ records\n", "and says how much")
local recorded = read "then/first"
t.ok(recorded:find "\nbid [A-Z]+%d" and recorded:find "\ntrades %d"
     and recorded:find "\necho bid", "messages are among them")
run("replays it", "env OUT=now " .. tidewire .. " replay run.tape first.lua second.lua")
t.ok(read "now/first" == recorded, "a script gets exactly what it got")
t.ok(read "now/second":gsub("%f[^\n\0]bid [^\n]*\n", "") == read "then/second",
     "and so does another, which did not want all topics then")
run("with those that published", "env OUT=now2 " .. tidewire
    .. " replay run.tape b.lua a.lua second.lua first.lua --workers 3")
t.ok(read "now2/first" == recorded, "what they publish now comes nowhere")

r = run("a tape file is described", tidewire .. " tape run.tape")
t.ok(r.out:find "4 symbols" or r.out:find "symbols +AAPL, GOOG, BP, XOM", "its symbols")
t.ok(r.out:find "topics +bid" or r.out:find "topics +trades", "its topics")
t.ok(r.out:find "scripts +[ab]%.lua", "who published")
r = run("some of it is shown", tidewire .. " tape run.tape --dump 2")
t.is(select(2, r.out:gsub("\n", "")), 2, "a line for each record")
r = run("statistics of it", tidewire .. " stat 'n = count(bid)' run.tape --csv")
t.is(r.out:match "n\n(%d+)", tostring(select(2, recorded:gsub("quote ", ""))),
     "have all its quotes")

-- A range, and a limit.

local time = math.tointeger(recorded:match "^quote %S+ %S+ %S+ %S+ (%d+)")
r = run("a range of times", ("%s tape run.tape --dump 100000 --from %d --to %d"):format(
  tidewire, time, time + 100000000))
local inside = select(2, r.out:gsub("  [qt][ur][oa][td]e", ""))
t.ok(inside > 0 and inside < 4000, "is a part of it (" .. inside .. ")")

-- Damage.

local bytes = read "run.tape"
local at = #bytes // 2
write("flip.tape", bytes:sub(1, at) .. string.char(bytes:byte(at + 1) ~ 4)
      .. bytes:sub(at + 2))
r = run("a flipped bit fails a replay", "env OUT=now " .. tidewire
        .. " replay flip.tape first.lua", 1)
t.ok(r.err:find "the block at byte %d+ is damaged: records of seq %d+ to %d+",
     "it names the block and its records")
run("but where it is asked to go on", "env OUT=now " .. tidewire
    .. " replay flip.tape first.lua --skip-damaged")
t.ok(#read "now/first" > 0 and #read "now/first" < #recorded, "the others are replayed")
r = run("tape tells of damage", tidewire .. " tape flip.tape", 1)
t.ok(r.err:find "one block is damaged", "in one line")
for _, case in ipairs {
  { 30, "its first 64 bytes are damaged", "its head" },
  { 64 + 85, "the block of names at byte 64 is damaged", "a block of names" },
  { #bytes - 60, "is damaged, but all records can be read", "its index" },
  { #bytes - 10, "is damaged, but all records can be read", "its end" },
} do
  local place, said, what = table.unpack(case)
  write("flip.tape", bytes:sub(1, place) .. string.char(bytes:byte(place + 1) ~ 4)
        .. bytes:sub(place + 2))
  r = run("tape: a flipped bit of " .. what, tidewire .. " tape flip.tape", 1)
  t.ok(r.err:find(said, 1, true), "is told: " .. (r.err:match "^[^\n]*" or ""))
end
write("cut.tape", bytes:sub(1, at))
r = run("a file that was cut is replayed", "env OUT=now " .. tidewire
        .. " replay cut.tape first.lua")
t.ok(r.err:find "it was not closed; %d+ bytes behind its last whole block are lost",
     "as far as it is whole, and it says so")
local half = read "now/first"
t.ok(#half > 0 and recorded:sub(1, #half) == half, "in order, from the first record on")

-- What is mapped is cut before all of it is read, of which the system has only SIGBUS to
-- say; or there is no room to map it.

write("cutter.lua", [[
  local M = require "tw.strategy".new { doc = "cuts its data",
                                        params = { k = { default = 1, doc = "any" } } }
  function M:on_start()
    assert(io.open("mapped.tape", "w")):close()
  end
  function M:on_quote() end
  return M]])
local CUT <const> = "tidewire: cannot read mapped.tape at byte %d+: it was cut while it"
for _, command in ipairs { "replay mapped.tape cutter.lua --speed 0.01",
                           "backtest cutter.lua --data mapped.tape",
                           "sweep cutter.lua --data mapped.tape --store none" } do
  write("mapped.tape", bytes)
  r = run("cut while it is mapped: " .. command, tidewire .. " " .. command, 1)
  t.ok(r.err:find(CUT) and not r.err:find "traceback", "is told")
end
if not apps.has "asan" and not apps.has "tsan" then   -- which need terabytes
  os.execute("truncate -s 4G " .. quote(directory .. "/wide.tape"))
  r = run("too large to be mapped", "sh -c 'ulimit -v 2000000; exec "
          .. tidewire:gsub("'", "") .. " tape wide.tape'", 1)
  t.ok(r.err:find "cannot map wide.tape, 4294967296 bytes: .*%(ulimit %-v%)", "is told")
end

-- kill -9 while it records.

for _, options in ipairs { "", "--zstd --sync block", "--sync record" } do
  r = run("killed " .. options, ([[sh -c 'rm -f live.tape
    %s record live_app.lua live.tape %s --no-attach >/dev/null 2>&1 & pid=$!
    n=0
    while [ $n -lt 1200 ] && [ $(stat -c %%s live.tape 2>/dev/null || echo 0) -lt 5000 ]
    do n=$((n + 1)); sleep 0.05; done
    kill -9 $pid; wait $pid 2>/dev/null; %s tape live.tape']])
    :format(tidewire:gsub("'", ""), options, (tidewire:gsub("'", ""))))
  t.ok((tonumber((r.out:match "^records +([%d,]+)" or ""):gsub(",", ""), 10) or 0) > 100,
       "it opens to its last whole block: " .. (r.out:match "^[^\n]*" or ""))
  t.ok(r.out:find "not whole +it was not closed", "and says that it was not closed")
end

-- A full disk: the file may have that many bytes, and no more.

r = run("a full disk ends the run", "sh -c 'trap \"\" XFSZ; ulimit -f 200; OUT=now exec "
        .. tidewire:gsub("'", "") .. " record app.lua full.tape --set limit=1000000'", 1)
t.ok(r.err:find "recorder: cannot write full.tape: file too large; it ends with record",
     "with a line")
r = run("the file stays readable", tidewire .. " tape full.tape")
t.ok(r.out:find "^records +%d+,%d+" and not r.out:find "bytes are lost",
     "and has what is whole: " .. (r.out:match "^[^\n]*" or ""))

-- Also where nobody ignores the signal of that; and standard output may be full, too,
-- which is not that who reads it has had enough.

r = run("a disk that is full", "sh -c 'ulimit -f 20; exec " .. tidewire:gsub("'", "")
        .. " convert run.tape large.tape'", 1)
t.is(r.err, "tidewire: convert: cannot write large.tape: file too large\n", "is told")
for _, command in ipairs { "tape run.tape", "tape run.tape --dump 100000",
                           "backtest b.lua --data run.tape", "prints.lua" } do
  write("prints.lua", "for i = 1, 10000 do print(i) end")
  r = run("a full output: " .. command, tidewire .. " " .. command .. " >/dev/full", 1)
  t.ok(r.err:find "^tidewire: standard output: " or r.err:find
       "\ntidewire: standard output: ", "is told")
end
r = run("a reader that leaves", "sh -c 'trap \"\" PIPE; { " .. tidewire:gsub("'", "")
        .. " tape run.tape --dump 100000; echo $? >&2; } | true'")
t.is(r.err, "0\n", "is no error")

-- Converting.

r = run("converts and merges", tidewire .. " convert quotes.csv late.csv both.tape")
t.ok(r.err:find "late%.csv: .*line 3" and r.err:find "3 records of 2 files",
     "says what it did")
r = run("by time", tidewire .. " tape both.tape --dump 9")
t.is(r.out, "1970-01-01 00:00:01.000000000  quote 1 A 1.5 x 0 / 1.75 x 0\n"
  .. "1970-01-01 00:00:02.000000000  trade 2 B 7 x 1\n"
  .. "1970-01-01 00:00:03.000000000  quote 3 A 1.25 x 0 / 1.5 x 0\n", "of both files")
run("tape files too", tidewire .. " convert run.tape again.tape --zstd")
run("what was converted is replayed", "env OUT=now " .. tidewire
    .. " replay again.tape first.lua second.lua")
t.ok(read "now/first" == recorded, "with all that was in it")
r = run("nothing is written over", tidewire .. " convert quotes.csv both.tape", 1)
t.is(r.err, "tidewire: convert: cannot make both.tape: file already exists\n",
     "it says so")

-- Wrong use.

for _, case in ipairs {
  { "record app.lua", 2, "record: no tape file given" },
  { "record app.lua x.tape --sync often", 2, "never, block or record expected" },
  { "replay", 1, "replay: no tape file given" },
  { "replay run.tape --speed -1", 1, "replay: %-%-speed must be a number from 0 to" },
  { "replay run.tape first.lua --fast", 1, "unknown option '%-%-fast'" },
  { "replay quotes.csv first.lua", 1, "is no tape file" },
  { "replay run.tape first.lua --from soon", 1, "from: 'soon' is no time" },
  { "replay run.tape first.lua --from 2030", 1, "from: '2030' is no time: a date like" },
  { "convert quotes.csv", 2, "convert IN" },
  { "convert none.csv x.tape", 1, "cannot open none.csv" },
  { "tape", 2, "one tape file expected" },
  { "tape run.tape --dump 0", 2, "--dump 0: an integer from 1 on expected" },
  { "tape run.tape --dump 1.5", 2, "--dump 1.5: an integer from 1 on expected" },
  { "tape run.tape --from 2020-01-01", 2, "from is for" },
  { "record", 2, "record: no app file given" },
  { "record app.lua x.tape --syncs never", 2, "record: unknown option '..syncs'" },
  { "tape none.tape", 1, "cannot open none.tape" },
} do
  r = run(case[1], "env OUT=now " .. tidewire .. " " .. case[1], case[2])
  t.ok(r.err:find(case[3]) and not r.err:find "stack traceback",
       "says: " .. r.err:match "[^\n]*")
end

local lean = "../shared/data/lean/forex"
-- Without memory: a line, and no file that looks whole.

local refused, fine = 0, 0
local SMALL = os.getenv "SMALL"
for step = 1, SMALL and 20 or 58 do
  local n = SMALL and step * step or 7 * step - 6   -- dense where all is made
  os.execute("rm -f " .. quote(directory .. "/m.tape"))
  r = apps.shell(("cd %s && TW_FAIL=%d timeout 120 %s convert run.tape m.tape"):format(
    quote(directory), n, tidewire))
  if r.status == 0 then fine = fine + 1
  elseif r.err:find "memory" then refused = refused + 1
  else t.diag(n .. ": " .. r.err) t.ok(false, "a failed allocation says so") end
end
t.ok(refused > 3, "without memory convert says so (" .. refused .. " times)")
refused, fine = 0, 0
for step = 1, 40 do
  local n = step * step   -- dense where all is made
  os.execute("rm -f " .. quote(directory .. "/m.tape"))
  r = apps.shell(("cd %s && OUT=now TW_FAIL=%d timeout 120 %s record app.lua m.tape "
    .. "--set limit=200"):format(quote(directory), n, tidewire))
  if r.status == 0 then fine = fine + 1
  elseif r.err:find "memory" then refused = refused + 1
  else t.diag(n .. ": " .. r.status .. r.err) t.ok(false, "record says so") end
end
t.ok(refused > 3 and fine > 0, "and so does a run that is recorded (" .. refused .. ")")

if io.open "../shared/data/lean/LICENSE" then
  local before = apps.shell(tidewire .. " stat 'count(), sum(bid)' "
    .. lean .. "/fxcm/tick/eurusd/20140507_quote.zip --csv")
  apps.shell(("%s convert %s/fxcm/tick/eurusd/20140507_quote.zip %s/l.tape"):format(
    tidewire, lean, quote(directory)))
  local after = apps.shell(("%s stat 'count(), sum(bid)' %s/l.tape --csv"):format(
    tidewire, quote(directory)))
  t.ok(before.out == after.out and #after.out > 10, "a LEAN file and its tape are equal")
else
  t.skip "LEAN's data is not there"
end
