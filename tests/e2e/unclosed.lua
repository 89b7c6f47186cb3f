--- unclosed: recordings that were killed or cut are the data of backtests and sweeps.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "u"

local function read(name) return apps.read(dir .. "/" .. name) end
local function write(name, bytes)
  local file <close> = assert(io.open(dir .. "/" .. name, "wb"))
  assert(file:write(bytes))
end
local function count(text, what) return select(2, text:gsub(what, "")) end

put("count.lua", [[
  local M, n = {}, 0
  function M:on_quote(symbol)
    n = n + 1
    if n % 50 == self.params.x then self:order_target(symbol, n // 50 % 2 * 100) end
  end
  return M]])
put("live.lua", [[
  local app = require "tw.app"
  app.feed.synthetic { rate = 20000 }
  app.script "quiet.lua"]])
put("quiet.lua", "return { on_quote = function() end }")

local SWEEP <const> = "sweep count.lua --set x=1,2 --jobs 2 --results r.csv "
local function sweep(options) return command(SWEEP .. options) end
local function fine(run, name)
  if not t.is(run.status, 0, name) then t.diag(run.out .. run.err) end
  return run
end

-- ---- kill -9 while it records ----

local killed = apps.shell(([[cd %s; %s record live.lua live.tape --no-attach >log 2>&1 &
  pid=$! n=0
  while [ $n -lt 1200 ] && [ $(stat -c %%s live.tape 2>/dev/null || echo 0) -lt 30000 ]
  do n=$((n + 1)); sleep 0.05; done
  kill -9 $pid; wait $pid]]):format(dir, apps.tidewire))
t.is(killed.status, 137, "a recording is killed")
write("torn.tape", read "live.tape" .. "half a block")
for _, name in ipairs { "live.tape", "torn.tape" } do
  local told = command("tape " .. name).out
  local records = told:match "^records +([%d,]+)":gsub(",", "")
  local run = fine(command("backtest count.lua --data " .. name .. " --set x=1 --json"),
                   name .. ": a backtest")
  t.ok(run.err:find("^tidewire: warning: " .. name .. ": it was not closed; [^\n]*block"
       .. "[^\n]*, and " .. records .. " records are there\n$"),
       "says once what was cut: " .. run.err)
  t.is(run.out:match '"records":%s*(%d+)', records, "and has all that is whole")
  run = fine(sweep("--store none --data " .. name), name .. ": a sweep")
  t.is(count(run.err, name .. ": it was not closed;"), 1, "says it once")
  t.is(count(read "r.csv", "," .. records .. ","), 2, "and each run has the same")
  fine(sweep("--store none --over symbol --data " .. name), "over its symbols")
end

-- ---- cut anywhere ----

local N <const> = 20000               -- a block has 4096 of them
local lines = { "time,symbol,bid,ask" }
for i = 1, N do
  lines[i + 1] = ("%d,%s,%d,%d"):format(1577836800 + i, i % 3 == 0 and "A" or "B",
                                        100 + i % 7, 101 + i % 7)
end
put("q.csv", table.concat(lines, "\n") .. "\n")
fine(command "convert q.csv q.tape", "a tape file")
local bytes = read "q.tape"
local seed, opened, refused = 7, 0, 0
for i = 1, os.getenv "SMALL" and 12 or 40 do
  seed = (seed * 1103515245 + 12345) % 2147483648
  local at = i < 4 and ({ 0, 7, 40 })[i] or seed % #bytes
  write("cut.tape", bytes:sub(1, at))
  local run = command("backtest count.lua --data cut.tape --set x=1 --json")
  local n = tonumber(run.out:match '"records":%s*(%d+)')
  if run.status == 0 and count(run.err, "\n") == 1 and n <= N
     and run.err:find(("cut.tape: [^\n]*block[^\n]* and %d"
                       .. " records are there\n"):format(n)) then
    opened = opened + 1
  elseif run.status == 1 and count(run.err, "\n") <= 2
      and run.err:find "tidewire: backtest: [^\n]+\n$" and not run.err:find "stack" then
    refused = refused + 1
  else
    t.is(run.err, "one clear line", ("cut at byte %d"):format(at))
  end
end
t.ok(opened > 5 and refused > 2,
     ("cut anywhere it opens (%d), or has no record (%d)"):format(opened, refused))

-- ---- what a sweep keeps is known by what it read ----

write("grows.tape", bytes:sub(1, #bytes // 2))
local KEPT <const> = "--store kept.db --data grows.tape"
fine(sweep(KEPT), "a sweep of one that is cut is kept")
local half = read "r.csv"
fine(sweep("--train 2020-01-01T01:00:00 --by total_return " .. KEPT),
     "its range of times is known")
t.ok(sweep(KEPT).err:find "2 of 2 are there already", "and found again")
write("grows.tape", bytes:sub(1, #bytes // 2) .. "more")
t.ok(sweep(KEPT).err:find "2 of 2 are there already", "what is not whole does not count")
write("grows.tape", bytes:sub(1, #bytes * 3 // 4))
local run = fine(sweep(KEPT), "when more has been written")
t.ok(not run.err:find "already" and read "r.csv" ~= half, "it is another one")
write("grows.tape", bytes)
run = fine(sweep(KEPT), "when it is whole")
t.ok(apps.said(run) == "" and count(read "r.csv", "," .. N .. ",") == 2, "it is again")

-- Written to, or another file, while the sweep runs: `touch` does it, in the first run.
put("touch.lua", [[
  local M, done = {}, false
  function M:on_quote()
    if not done and self.params.x == 1 then
      done = true
      assert(os.execute(self.params.how))
    end
  end
  return M]])
local function touched(how, data)
  apps.shell(("cd %s && rm -f x.db && cp q.tape t.tape && cp half.tape h.tape")
             :format(dir))
  return command(("sweep touch.lua --set x=1,2 --jobs 1 --store x.db --set how='%s' "
                  .. "--data %s"):format(how, data))
end
write("half.tape", bytes:sub(1, #bytes // 2))
run = touched("cat half.tape >> h.tape", "h.tape")
fine(run, "what is written behind one that was not closed is nobody's")
t.ok(run.out:find "2 of 2 runs, 0 failed", "and does not harm")
run = touched("mv h.tape t.tape", "t.tape")
t.ok(run.status ~= 0 and run.err:find "t.tape has changed meanwhile",
     "another file in its place ends the sweep")
run = touched("cp q.tape h.tape.new && mv h.tape.new h.tape", "h.tape")
t.ok(run.status ~= 0 and run.err:find "h.tape has changed meanwhile",
     "one that was repaired, too")
