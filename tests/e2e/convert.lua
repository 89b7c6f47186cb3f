--- convert: what it takes, and that it makes a whole file or none.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "c"

local LIKE <const> = "; times are like 2024-12-31 13:30:00 or 20241231, or s, ms, us or "
                     .. "ns since 1970"
local function is_there(name) return io.open(dir .. "/" .. name) ~= nil end
local fine, refused = apps.fine, apps.refusals(command)
local function files() return apps.shell("ls -A " .. dir).out end
local function dump(name)
  return (command("tape " .. name .. " --dump 99").out:gsub("%.%d+  ", " "))
end

put("s.lua", "return { on_quote = function() end }")
put("GOOG.csv", "time,bid,ask\n2020-01-01,1,2\n2020-01-02,2,3\n")
put("rows.csv", "time,symbol,bid,ask\n2020-01-01,A,1,2\nx,A,1,2\n2020-01-02,A,2,3\n")
put("bad.csv", "time,symbol,bid,ask\nx,A,1,2\ny,A,1,2\nz,A,1,2\n")
put("one.csv", "time,symbol,bid,ask\nx,A,1,2\n")
put("head.csv", "time,symbol,bid,ask\n")

-- ---- a symbol by the file's name ----

fine(command "convert GOOG.csv rows.csv goog.tape", "a file without symbols")
t.is(dump "goog.tape", "2020-01-01 00:00:00 quote 1 GOOG 1 x 0 / 2 x 0\n"
  .. "2020-01-01 00:00:00 quote 2 A 1 x 0 / 2 x 0\n"
  .. "2020-01-02 00:00:00 quote 3 GOOG 2 x 0 / 3 x 0\n"
  .. "2020-01-02 00:00:00 quote 4 A 2 x 0 / 3 x 0\n", "is of the one it is named after")
os.remove(dir .. "/goog.tape")

-- ---- a log of FIX messages ----

local function message(second)
  local body = ("35=S|49=A|56=B|34=%d|52=20200101-00:00:%02d|55=A|132=1|133=2|")
    :format(second, second)
  local text, sum = ("8=FIX.4.4|9=%d|%s"):format(#body, body):gsub("|", "\1"), 0
  for i = 1, #text do sum = sum + text:byte(i) end
  return ("%s10=%03d\1"):format(text, sum % 256)
end

put("lines.fix", ("20200101-00:00:01.000 : %s\n20200101-00:00:02.000 : %s\n")
  :format(message(1), message(2)))
fine(command "convert lines.fix lines.tape", "a message a line, with a time")
t.is(dump "lines.tape", "2020-01-01 00:00:01 quote 1 A 1 x 0 / 2 x 0\n"
  .. "2020-01-01 00:00:02 quote 2 A 1 x 0 / 2 x 0\n", "is whole")
os.remove(dir .. "/lines.tape")

-- ---- whole, or not at all ----

local before = files()
refused("convert bad.csv x.tape", 1, "tidewire: convert: bad.csv: csv: line 2: time 'x'"
  .. " is not a time" .. LIKE .. "; and 2 more problems: no record is left, so no"
  .. " x.tape\n", "bad lines")
refused("convert one.csv x.tape", 1,
        "tidewire: convert: one.csv: csv: line 2: time 'x' is not a time" .. LIKE .. "\n",
        "one line")
refused("convert head.csv x.tape", 1,
        "tidewire: convert: there is no record, so no x.tape\n", "no line")
refused("convert none.csv x.tape", 1,
        "tidewire: convert: cannot open none.csv: no such file or directory\n", "no file")
apps.shell(("cd %s && gzip -c rows.csv | head -c 50 > cut.csv.gz"):format(dir))
before = files()
local run = command "convert GOOG.csv cut.csv.gz x.tape"
t.ok(run.status == 1 and run.err:find "cut.csv.gz: cut off at byte 50\n$", "a cut one")
t.is(files(), before, "none leaves a file")
fine(command "convert GOOG.csv x.tape", "one that succeeds")
local bytes = apps.read(dir .. "/x.tape")
for _, words in ipairs { "GOOG.csv", "bad.csv", "cut.csv.gz" } do
  t.is(command("convert " .. words .. " x.tape").status, 1, "does not replace " .. words)
end
t.ok(apps.read(dir .. "/x.tape") == bytes, "what was there stays")
local many = { "time,symbol,bid,ask" }
for i = 1, 20000 do
  many[i + 1] = ("%d,A,%d,%d"):format(1577836800 + i, 1 + i * i * 7919 % 10007,
                                      20000 + i * i % 997)
end
put("many.csv", table.concat(many, "\n") .. "\n")
run = apps.shell(("cd %s && trap '' XFSZ; ulimit -f 20; %s convert many.csv full.tape")
                 :format(dir, apps.tidewire))
t.ok(run.status == 1 and not is_there "full.tape"
     and run.err:find "^tidewire: convert: cannot write full.tape: [^;\n]*\n$",
     "a full disk: no file")

run = command "convert bad.csv GOOG.csv some.tape"
t.ok(run.status == 0 and run.err:find(": [^\n]* of 2 files, 3 problems, [^\n]*\n$"),
     "what was left out is counted")
os.remove(dir .. "/some.tape")

-- ---- the same file twice ----

fine(command "convert many.csv many.tape", "a tape file")
apps.shell(("cd %s && ln -s many.csv link.csv && ln -s many.tape link.tape"
            .. " && mkdir sub && cp GOOG.csv sub && ln -s ../GOOG.csv sub/also.csv")
           :format(dir))
for _, case in ipairs {
  { "many.csv many.csv", "many.csv is there twice" },
  { "many.csv ./many.csv", "many.csv is there twice, also as ./many.csv" },
  { "link.csv GOOG.csv many.csv", "link.csv is there twice, also as many.csv" },
  { "many.tape link.tape", "many.tape is there twice, also as link.tape" },
} do
  local words, says = table.unpack(case)
  refused("convert " .. words .. " y.tape", 2, "tidewire: convert: " .. says
          .. "; see `tidewire help convert`\n", "convert " .. words)
  for _, with in ipairs { "backtest s.lua", "sweep s.lua --set x=1 --store none",
                          "sweep s.lua --over data --set x=1 --store none" } do
    local name = with:match "%a+"
    refused(with .. " --data " .. words, 2, ("tidewire: %s: data: %s; see `tidewire help "
            .. "%s`\n"):format(name, says, name), with .. " " .. words)
  end
end
refused("convert sub GOOG.csv y.tape", 2, "tidewire: convert: sub/also.csv is there"
        .. " twice, also as GOOG.csv; see `tidewire help convert`\n", "in a folder")
t.ok(not is_there "y.tape", "no file is made")
fine(command "convert sub/GOOG.csv GOOG.csv z.tape", "a copy is another file")
run = command "replay many.tape link.tape s.lua"
t.ok(run.status == 1 and run.err:find(
  "replay: one tape file expected, got 'link.tape' too", 1, true), "replay takes one")

-- ---- LEAN's folders ----

local lean = "../shared/data/lean/"
if not io.open(lean .. "LICENSE") then
  t.skip "LEAN's data is not there"
  return
end
lean = apps.shell("realpath " .. lean).out:match "[^\n]+"
for _, case in ipairs {
  { "equity/usa/minute/spy", 18532 }, { "equity/usa/second/spy", 389956, "large" },
  { "equity/usa/hour", 204105 }, { "equity/usa/daily", 70025 },
  { "forex/oanda/minute/eurusd" }, { "crypto/coinbase/daily" },
} do
  local path, n, large = table.unpack(case)
  if large and os.getenv "SMALL" then goto continue end
  local name = path:gsub("/", "_") .. ".tape"
  run = fine(command(("convert %s/%s %s"):format(lean, path, name)), "LEAN's " .. path)
  local records, bars = command("tape " .. name).out
    :match "^records +([%d,]+): ([%d,]+) bars\n"
  t.ok(records and records == bars and (not n or records:gsub(",", "") == tostring(n)),
       "all are bars: " .. tostring(records))
  ::continue::
end
t.ok(command "tape equity_usa_hour.tape".out:find "s +AAPL, AIG, BAC, IBM, SPY\n",
     "with the symbols of their paths")
run = apps.shell(("cd %s/equity/usa/minute/spy && %s convert . %s/inside.tape"):format(
  lean, apps.tidewire, dir))
t.ok(run.status == 0 and run.err:find "18,532 records of 14 files",
     "from within the folders, too")
