--- fault_table: what is wrong with data, in each format, is told alike by each command.
--
-- Of each there is one line, with the file and the place in it.  In a tape file no price
-- is NaN, and convert makes none with a price of 0: see tests/host/odd.c.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "table"
local SMALL <const> = os.getenv "SMALL"
local BASE <const> = 1578301200                  -- 2020-01-06T09:00:00

put("s.lua", [[
  return { symbols = { "A", "NONE" }, on_quote = function(self) return self.params.x end,
           on_bar = function() end }]])
put("app.lua", [[
  local app = require "tw.app"
  local file = app.param("file", "")
  app.tape { capacity = 4096 }
  if file:find "%.fix" then app.feed.fix { file = file }
  else
    app.feed.csv { file = file, preset = app.param("preset", "") ~= "" and "lean" or nil,
                   interval = app.param("interval", "") ~= "" and "1m" or nil }
  end
  app.script "s.lua"]])

-- ---- files ----

local function shell(text) assert(os.execute(("cd %s && %s"):format(dir, text))) end

local function fix(number, second, bid, ask)
  local body = ("35=W|34=%d|49=X|52=%s|56=Y|55=A|268=2|269=0|270=%s|271=5|269=1|270=%s"
    .. "|271=5|"):format(number, os.date("!%Y%m%d-%H:%M:%S", BASE + second), bid, ask)
  local text, sum = ("8=FIX.4.4|9=%d|%s"):format(#body, body):gsub("|", "\1"), 0
  for i = 1, #text do sum = sum + text:byte(i) end
  return ("%s10=%03d\1"):format(text, sum % 256)
end

-- Each makes a file of quotes { second, bid, ask }: its path, the words that read it, and
-- the place of the fourth quote.
local FORMATS = {
  csv = function(quotes)
    local lines = { "time,symbol,bid,ask,bid_size,ask_size" }
    for i, q in ipairs(quotes) do
      lines[i + 1] = ("%d,A,%s,%s,5,5"):format(BASE + q[1], q[2], q[3])
    end
    put("f.csv", table.concat(lines, "\n") .. "\n")
    return "f.csv", "csv: line 5"
  end,
  fix = function(quotes)
    local all = {}
    for i, q in ipairs(quotes) do all[i] = fix(i, table.unpack(q)) end
    put("f.fix", table.concat(all))
    return "f.fix", "message 4"
  end,
  lean = function(quotes)
    local lines, at = {}, "forex/oanda/tick/a"
    for i, q in ipairs(quotes) do
      lines[i] = ("%d,%s,%s"):format((9 * 3600 + q[1]) * 1000, q[2], q[3])
    end
    shell("mkdir -p " .. at)
    put(at .. "/q.csv", table.concat(lines, "\n") .. "\n")
    shell(("cd %s && rm -f *.zip && zip -q 20200106_quote.zip q.csv"):format(at))
    return at .. "/20200106_quote.zip", "csv: line 4"
  end,
}
function FORMATS.gzip(quotes)
  FORMATS.csv(quotes)
  shell "gzip -f f.csv"
  return "f.csv.gz", "csv: line 5"
end
function FORMATS.zip(quotes)
  FORMATS.csv(quotes)
  shell "rm -f f.csv.zip && zip -q f.csv.zip f.csv"
  return "f.csv.zip", "csv: line 5"
end
-- A run takes such quotes as they are, and so does the recorder.
function FORMATS.tape(quotes)
  FORMATS.csv(quotes)
  shell "rm -f f.tape"
  command "record app.lua f.tape --no-attach --set file=f.csv"
  return "f.tape", "record 4"
end

-- ---- commands ----

local function without(text)
  return (text:gsub(" %(block at byte %d+%)", ""))
end

-- The lines of standard error, without what begins them, and those that are no fault.
local function told(text)
  local lines = {}
  for line in ("\n" .. without(text)):gmatch "\ntidewire: ([^\n]+)" do
    line = line:gsub("^%l+: ", ""):gsub("^feed [^:]+: ", "")
    if not line:find "wants the symbol NONE" and line ~= "ended"
       and not line:find " earlier than the one " then
      lines[#lines + 1] = line
    end
  end
  return lines
end

local function played(path, options)
  if path:find "%.tape$" then
    return command(("replay %s s.lua --no-attach"):format(path))
  end
  return command(("run app.lua --no-attach --set file=%s%s"):format(path, options or ""))
end

local function each(path, csv, set)
  os.remove(dir .. "/o.tape")
  local sweep = command(("sweep s.lua --set x=1,2 --store none --data %s %s"):format(path,
                                                                               csv or ""))
  sweep.err = apps.said(sweep)
  return {
    backtest = command(("backtest s.lua --data %s %s"):format(path, csv or "")),
    sweep = sweep,
    played = played(path, set or path:find "^forex" and " --set preset=lean"),
    convert = command(("convert %s o.tape %s"):format(path,
                                                   (csv or ""):gsub("%-%-csv", "--set"))),
  }
end

-- ---- faults ----

-- The fourth quote; ends: a text with that ends a backtest and a sweep, others go on.
local BACK <const> = "time goes back, from 2020-01-06 09:00:02 to 2020-01-06 09:00:01"
local FAULTS = {
  { "time that goes back", { 1, 1, 2 }, BACK .. "; such records are taken as they come",
    ends = BACK },
  { "crossed quotes", { 3, 3, 2 },
    "the bid 3 is above the ask 2; such quotes are taken as they are" },
  { "NaN", { 3, "nan", 2 }, "is not a", no_tape = true },
  { "a price of 0", { 3, 0, 2 }, "a price of 0", no_tape = true },
  { "a price below 0", { 3, -1, 2 },
    "a price below 0 (-1); such records are taken as they are" },
}

for format, make in pairs(FORMATS) do
  local is_wanted = not SMALL or format == "tape" or format == "fix"
  for _, fault in ipairs(is_wanted and FAULTS or {}) do
    local name, quote, says = table.unpack(fault)
    if format ~= "tape" or not fault.no_tape then
      local path, place = make { { 0, 1, 2 }, { 1, 1, 2 }, { 2, 1, 2 }, quote,
                                 { 4, 1, 2 } }
      local places = name == "NaN" and format == "fix" and "message at offset"
                     or place .. ": "
      for what, got in pairs(each(path)) do
        local lines = told(got.err)
        local text = format ~= "tape" and (what == "backtest" or what == "sweep")
                     and fault.ends or says
        local fine = #lines == 1 and lines[1]:find(path, 1, true)
                     and lines[1]:find(places, 1, true) and lines[1]:find(text, 1, true)
                     and (text ~= fault.ends or lines[1]:sub(-#text) == text)
        if not t.ok(fine, ("%s: %s: %s"):format(name, format, what)) then
          t.diag(got.err)
        end
      end
    end
  end
end

-- ---- gaps, symbols that are unknown, files that are cut ----

do
  local lines = { "time,symbol,open,high,low,close,volume" }
  for i = 1, 60 do
    if i < 30 or i > 33 then
      lines[#lines + 1] = ("%d,A,1,1,1,1,1"):format(BASE + i * 60)
    end
  end
  put("g.csv", table.concat(lines, "\n") .. "\n")
  shell "gzip -kf g.csv && zip -q g.csv.zip g.csv"
  command "convert g.csv g.tape --set interval=1m"
end
for path, place in pairs { ["g.csv"] = "line 31", ["g.csv.gz"] = "line 31",
                           ["g.csv.zip"] = "line 31", ["g.tape"] = "record 30" } do
  local csv = path ~= "g.tape" and "--csv interval=1m" or nil
  for what, got in pairs(each(path, csv, " --set interval=1m")) do
    local all = got.out .. got.err
    local _, gaps = all:gsub("4 bars are missing in 1 place; [^\n]*, before " .. place
                             .. " of " .. path .. "\n", "")
    t.is(gaps, 1, ("a gap: %s: %s"):format(path, what))
    local _, unknown = all:gsub("wants the symbol NONE, which", "")
    t.is(unknown, what == "convert" and 0 or 1, ("a symbol: %s: %s"):format(path, what))
  end
end

shell [[
  gzip -c g.csv | head -c 60 > half.csv.gz
  head -c 200 g.csv.zip > cut.csv.zip]]
for path, says in pairs { ["half.csv.gz"] = "half.csv.gz: cut off at byte 60",
                          ["cut.csv.zip"] = "cut.csv.zip: damaged or cut off zip" } do
  for what, got in pairs(each(path, "--csv interval=1m", " --set interval=1m")) do
    local lines = told(got.err)
    t.ok(#lines == 1 and lines[1]:find(says, 1, true), ("cut: %s: %s"):format(path, what))
    if #lines ~= 1 then t.diag(got.err) end
    t.is(got.status, 1, "status")
  end
end

-- What is no tape file, or one that is damaged, is no CSV.
command "convert g.csv whole.tape --set interval=1m"
shell [[
  gzip -k whole.tape
  { printf TWXAPE; tail -c +7 whole.tape; } > magic.tape]]
for path, says in pairs {
  ["magic.tape"] = "magic.tape: its first bytes are not those of a tape file: it is"
                   .. " damaged, or named wrongly",
  ["whole.tape.gz"] = "whole.tape.gz: a tape file that is packed as a whole: unpack it",
} do
  for _, line in ipairs { "backtest s.lua --data %s", "convert %s o2.tape",
                          "sweep s.lua --set x=1 --store none --data %s" } do
    local got = command(line:format(path))
    t.ok(got.status == 1 and got.err:find(says, 1, true) and not got.err:find "line 1",
         line:format(path))
  end
end
