--- many: more files than a process may open, in convert, backtest, sweep and run.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "many"
local FILES <const>, ROWS <const> = 60, 20
local FEW <const> = "ulimit -n 32; "

put("s.lua", "return { on_quote = function() end }")

-- Files of one time, and files that follow each other; each third is packed.  What is
-- wrong stands at the beginning of one, and all of another is.
local list = {}
for i = 1, FILES do
  local rows = { "time,symbol,bid,ask" }
  if i == 20 then rows[2] = "1578301200,S20,1,zero" end
  for k = 1, i == 40 and 5 or ROWS do
    local at = 1578301200 + k * 60 + (i % 2 == 0 and i * 1000 or i % 7)
    rows[#rows + 1] = i == 40 and ("%d,S40,0,2"):format(at)
                      or ("%d,S%d,%d,%d"):format(at, i, k, k + 1)
  end
  list[i] = ("f%02d.csv"):format(i)
  put(list[i], table.concat(rows, "\n") .. "\n")
  if i % 3 == 0 then
    assert(os.execute(("gzip %s/%s"):format(dir, list[i])))
    list[i] = list[i] .. ".gz"
  end
end

local function dump(tape) return command("tape --dump 100000 " .. tape).out end
-- What a conversion says, but for its summary.
local function said(text)
  return (text:gsub("[^\n]*bytes a record[^\n]*\n", ""))
end

local all = command("convert " .. table.concat(list, " ") .. " all.tape", FEW)
t.is(all.status, 0, "convert")
local lines, seen = {}, {}
for line in said(all.err):gmatch "[^\n]+" do
  lines[#lines + 1] = line
  t.ok(not seen[line], "told once: " .. line)
  seen[line] = true
end
t.ok(seen["tidewire: convert: f20.csv: csv: line 2: ask 'zero' is not a number"]
     and seen["tidewire: convert: f40.csv: csv: line 6: a price of 0"] and #lines == 6,
     "what is wrong, each once")

-- The same out of a few at a time.
local parts = {}
for first = 1, FILES, 10 do
  parts[#parts + 1] = ("part%02d.tape"):format(first)
  command(("convert %s %s"):format(table.concat(list, " ", first, first + 9),
                                   parts[#parts]))
end
t.is(command("convert " .. table.concat(parts, " ") .. " parts.tape").status, 0, "parts")
local whole, pieces = dump "all.tape", dump "parts.tape"
t.is(select(2, whole:gsub("\n", "")), (FILES - 1) * ROWS, "all records")
t.ok(whole == pieces, "in the same order as of parts")

local data = " --data " .. table.concat(list, " --data ") .. " --skip-bad"
local got = command("backtest s.lua --json" .. data, FEW)
t.ok(got.status == 0 and got.out:find(('"records": ?%d'):format((FILES - 1) * ROWS)),
     "backtest")
got = command("sweep s.lua --json --set x=1 --store none" .. data, FEW)
t.ok(got.status == 0 and got.out:find(('"records":%d'):format((FILES - 1) * ROWS)),
     "sweep")

-- A run needs a few of its own.
put("app.lua", 'require "tw.app".script "s.lua"')
got = command("run app.lua", "ulimit -n 8; ")
t.ok(got.status == 1 and got.err:find "^tidewire: .-too many open files\n", "run")
