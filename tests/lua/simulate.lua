--- simulate: tw.cache.simulate, on traces of known answers, and at its bounds.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local simulate = require "tw.cache.simulate"

local ALL = { "s3fifo", "lru", "fifo", "min" }

-- A loop of n keys, rounds times.
local function loop(n, rounds)
  local keys = {}
  for i = 0, n * rounds - 1 do keys[#keys + 1] = i % n end
  return keys
end

local rows = simulate(loop(100, 10), ALL, { 99, 100 })
t.is(#rows, 8, "a row for each policy and size")
t.is(rows.requests, 1000, "requests")
t.is(rows.keys, 100, "different keys")
t.same(rows[2], { policy = "lru", size = 99, requests = 1000, hits = 0, hit_rate = 0.0 },
       "LRU misses all of a loop that is one too long")
t.same(rows[4], { policy = "min", size = 99, requests = 1000, hits = 891,
                  hit_rate = 0.891 }, "the best is to let one key go")
for i = 5, 8 do
  t.is(rows[i].hit_rate, 0.9, rows[i].policy .. " misses one round only if it fits")
end
t.is(tostring(simulate(loop(100, 10), { "lru", "min" }, { 99, 100 })), [[
        size      lru      min
          99     0.00    89.10
         100    90.00    90.00]], "it prints as a table")

-- The three ways to give the same trace.
local mixed = { "a", 1, "1", 1.0, 0.5, "a", 0.5, "b", 1, 0.5 }
local at = 0
local want = simulate(mixed, ALL, { 1, 2, 3, 4, 5 })
t.is(want.keys, 5, "1 and 1.0 are a key, '1' is another")
t.same(simulate(function() at = at + 1 return mixed[at] end, ALL, { 1, 2, 3, 4, 5 }),
       want, "an iterator")

local path = os.tmpname()
local function file(bytes)
  local f <close> = assert(io.open(path, "wb"))
  f:write(bytes)
  return path
end
local keys = { 3, 1, 3, 2, 1, 3, -1, 2 }
local int32, int64 = {}, {}
for i, key in ipairs(keys) do
  int32[i], int64[i] = string.pack(">i4", key), string.pack(">i8", key)
end
local of_keys = simulate(keys, ALL, { 1, 2, 3 })
t.same(simulate(file(table.concat(keys, "\n")), ALL, { 1, 2, 3 }), of_keys, "text")
t.same(simulate(file(table.concat(int32)), ALL, { 1, 2, 3 }, { format = "int32" }),
       of_keys, "int32")
t.same(simulate(file(table.concat(int64)), ALL, { 1, 2, 3 }, { format = "int64" }),
       of_keys, "int64")
t.same(simulate(file("1 3 x\n2 2\n"), ALL, { 2 }, { format = "ranges" }),
       simulate({ 1, 2, 3, 2, 3 }, ALL, { 2 }), "ranges")

-- What a file can do.
local function fails(what, ...)
  local got, message, code = simulate(...)
  t.ok(got == nil and message:find(what, 1, true) and math.type(code) == "integer",
       "nil: " .. tostring(message))
end
fails("cannot open", path .. ".none", ALL, { 1 })
fails("zstd", file("\x28\xb5\x2f\xfd"), ALL, { 1 })
fails("line 2", file("1 1\n1\n"), ALL, { 1 }, { format = "ranges" })
fails("cut off", file("\1\2\3"), ALL, { 1 }, { format = "int64" })
os.remove(path)

-- Wrong use.
local one = { 1 }
t.raises("path, list or function expected, got no value", simulate)
t.raises("path, list or function expected, got number", simulate, 1, ALL, one)
t.raises("#2 .*table expected", simulate, one, "lru", one)
t.raises("#3 .*table expected", simulate, one, ALL, 1)
t.raises("no policies", simulate, one, {}, one)
t.raises("no sizes", simulate, one, ALL, {})
t.raises("policies%[2%] is none of .*: arc", simulate, one, { "lru", "arc" }, one)
t.raises("policies%[1%] is none of .*: 7", simulate, one, { 7 }, one)
for _, size in ipairs { 0, -1, 1.5, "x", {} } do
  t.raises("sizes%[2%] is not a number of entries", simulate, one, ALL, { 1, size })
end
t.raises("no option 'fromat'", simulate, one, ALL, one, { fromat = "text" })
t.raises("format is none of .*: csv", simulate, one, ALL, one, { format = "csv" })
t.raises("#4 .*table expected", simulate, one, ALL, one, "int32")
t.raises("no requests", simulate, {}, ALL, one)
t.raises("request 2 is a table, not a key", simulate, { 1, {} }, ALL, one)
t.raises("request 2 is a boolean", simulate, { 1, false }, ALL, one)
t.raises("gone wrong", simulate, function() error "gone wrong" end, ALL, one)
t.raises("yield", coroutine.wrap(function()
  simulate(coroutine.yield, ALL, one)
end))

-- Whichever allocation fails of the 22 that a call makes, it answers or says that
-- there was no memory; those from 10,000 on are all of such calls.
local script = os.tmpname()
local f <close> = assert(io.open(script, "w"))
f:write [[
  local simulate = require "tw.cache.simulate"
  local keys, policies, sizes = { 1, 2, 1, 3, 1 }, { "s3fifo", "min" }, { 2 }
  for _ = 1, 1000 do
    local fine, rows = pcall(simulate, keys, policies, sizes)
    if fine then assert(rows[1].hits == 1 and rows[2].hits == 2)
    else print(rows) end
  end]]
f:close()
local lacked, wrong = 0, 0
for n = 10001, 10044 do
  local run = apps.shell("TW_FAIL=" .. n .. " " .. apps.tidewire .. " " .. script)
  local said = run.out:find "^tw.cache.simulate: [^\n]*not enough memory\n$"
  if said then lacked = lacked + 1 end
  if run.status ~= 0 or run.err ~= "" or run.out ~= "" and not said then
    wrong = wrong + 1
    t.diag(n .. ": " .. tostring(run.status) .. " " .. run.out .. run.err)
  end
end
os.remove(script)
t.is(wrong, 0, "without memory it fails, and goes on")
t.ok(lacked >= 16, "it says so (" .. lacked .. " times)")

-- Traces with the answers of another simulator; bench/policy has those that need a
-- tool to be unpacked.
local FOLDER = "../shared/traces/"
local there <close> = io.open(FOLDER .. "expected_hit_rates.csv")
if there then
  local columns, compared, off = {}, 0, 0
  for name in there:read "l":gmatch "[^,]+" do columns[#columns + 1] = name end
  for line in there:lines() do
    local row, i = {}, 0
    for value in line:gmatch "[^,]+" do
      i = i + 1
      row[columns[i]] = value
    end
    local path = FOLDER .. "lirs/" .. row.trace .. ".trace.gz"
    local sizes = { tonumber(row.cache_entries) }
    local file <close> = io.open(path)
    for _, is in ipairs(file and simulate(path, ALL, sizes) or {}) do
      local got, want = 100 * is.hit_rate, tonumber(row[is.policy])
      compared = compared + 1
      if math.abs(got - want) > (is.policy == "s3fifo" and 0.5 or 0.006) then
        off = off + 1
        t.diag(("%s on %s, %d: %.2f, not %.2f"):format(is.policy, row.trace, is.size,
          got, want))
      end
    end
  end
  t.ok(off == 0 and compared >= 60, compared .. " hit rates as of another simulator")
else
  t.skip("no " .. FOLDER)
end
