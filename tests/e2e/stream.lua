--- stream: data that is several times what a backtest or a conversion has in memory.
--
-- What a process needs is bounded by what it needs for a few records, not by a clock.
-- Pages of a tape file that is mapped are the system's to take back, so of tape files it
-- is what the process has of its own, looked at each so many records.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

if apps.has "tsan" or apps.has "asan" then
  t.skip "a sanitizer takes memory of its own"
  return t.done()
end

local dir, put, command = apps.folder "stream"

local N <const>, FEW <const> = 1000000, 10000
local MOST <const> = 3 * 1024            -- KiB, more than for a few records

-- Blocks of a second, alike but for that: to make them takes less than to read them.
do
  local rows, seed = {}, 7
  local function random(n)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 33) % n
  end
  for i = 0, 999 do
    rows[i + 1] = ("@.%03d,A,%.2f,%.2f,%d,%d\n"):format(i, 100 + random(9000) / 100,
      200 + random(9000) / 100, random(100000), random(100000))
  end
  local block <const> = table.concat(rows)
  for name, n in pairs { all = N, few = FEW } do
    local file <close> = assert(io.open(dir .. "/" .. name .. ".csv", "w"))
    file:write "time,symbol,bid,ask,bid_size,ask_size\n"
    for second = 1, n // 1000 do
      file:write((block:gsub("@", tostring(1500000000 + second))))
    end
  end
end

put("s.lua", ([[
  local M, n, own = {}, 0, 0
  local function status(name)
    local file <close> = assert(io.open "/proc/self/status")
    return tonumber(file:read "a":match(name .. ":%%s+(%%d+)"))
  end
  function M:on_quote()
    n = n + 1
    if n %% %d == 0 then own = math.max(own, status "RssAnon") end
  end
  function M:on_stop()
    print(("read %%d, at most %%d of %%d KiB its own"):format(n, own, status "VmHWM"))
  end
  return M]]):format(FEW // 2))

-- How much a backtest of it had in memory, and how much of that of its own, in KiB.
local function backtest(name, n)
  local run = command("backtest s.lua --data " .. name)
  local read, own, all = run.out:match "read (%d+), at most (%d+) of (%d+) KiB"
  if not t.is(read, tostring(n), name .. ": all is read") then t.diag(run.err) end
  return tonumber(all) or math.huge, tonumber(own) or math.huge
end

local function size(name)
  local file <close> = assert(io.open(dir .. "/" .. name))
  return file:seek "end" // 1024
end

local function within(name, kib, base, there)
  t.ok(kib <= base + MOST, ("%s: %d KiB, %d for a few records"):format(name, kib, base))
  t.ok(2 * kib <= there, ("%s: of %d KiB"):format(name, there))
end

local base = backtest("few.csv", FEW)
within("a backtest of a text", backtest("all.csv", N), base, size "all.csv")

for _, name in ipairs { "few", "all" } do
  t.is(command(("convert %s.csv %s.tape"):format(name, name)).status, 0, name .. ".tape")
end
local _, own = backtest("few.tape", FEW)
local _, most = backtest("all.tape", N)
within("a backtest of a tape", most, own, size "all.tape")

-- The most that any process had that it has started.
put("most.lua", [[
  local ffi = require "ffi"
  ffi.cdef "int getrusage(int who, long *usage);"
  local usage = ffi.new "long[64]"             -- the fifth is ru_maxrss
  assert(os.execute(arg[1]))
  assert(ffi.C.getrusage(-1, usage) == 0)
  print(usage[4])]])
local function convert(from)
  os.remove(dir .. "/to.tape")
  local run = command("most.lua " .. apps.quote(("exec %s convert %s to.tape >/dev/null")
    :format(apps.tidewire, from)))
  return tonumber(run.out), run.err
end
base = convert "few.csv"
if base then
  within("a conversion of a text", convert "all.csv" or math.huge, base, size "all.csv")
  assert(os.execute(("gzip -1 -k %s/all.csv"):format(dir)))
  within("and of a packed one", convert "all.csv.gz" or math.huge, base,
         size "all.csv.gz")
  within("and of a tape, with the pages of that", convert "all.tape" or math.huge,
         base + size "all.tape", N * 64 // 1024)         -- as records
else
  local _, why = convert "few.csv"
  t.ok(why:find("it has no ffi", 1, true), "a conversion # SKIP without ffi")
end

t.done()
