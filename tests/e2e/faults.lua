--- faults: what is wrong with data gives one clear line, with its file and line.
--
-- Each file is read by a backtest, which ends there; by convert and by the feed of a run,
-- which go on.  What markets do have (crossed quotes) is read, and the first is told.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "faults"
local function shell(command)
  return apps.shell(("cd %s && %s"):format(dir, command))
end

put("s.lua", [[
  local M = {}
  function M.on_quote() end
  function M.on_trade() end
  function M.on_bar() end
  return M]])
put("app.lua", [[
  local app = require "tw.app"
  app.tape { capacity = 4096 }
  app.feed.csv { file = app.param("file", "") }
  app.script "s.lua"]])

local QUOTES, TRADES, BARS = "time,symbol,bid,ask,bid_size,ask_size\n",
  "time,symbol,price,size\n", "time,symbol,open,high,low,close,volume\n"
local NO_TIME <const> = " is not a time; times are like 2024-12-31 13:30:00 or 20241231,"
  .. " or s, ms, us or ns since 1970"

-- The second line of each file, or the second and third, is at fault; a good one follows.
-- line: what is said of it; goes_on: what those say that read it as it is.
local FAULTS = {
  { "time going back", QUOTES, "2020-01-02,A,1,2,5,5\n2020-01-01,A,1,2,5,5",
    "csv: line 3: time goes back, from 2020-01-02 00:00:00 to 2020-01-01 00:00:00",
    goes_on = "csv: line 3: time goes back, from 2020-01-02 00:00:00 to 2020-01-01 "
      .. "00:00:00; such records are taken as they come" },
  { "bars going back", BARS, "2020-01-03,A,1,2,1,1,1\n2020-01-02,A,1,2,1,1,1",
    "csv: line 3: time '2020-01-02' is before that of the symbol's last bar" },
  { "a bar twice", BARS, "2020-01-03,A,1,2,1,1,1\n2020-01-03,A,1,2,1,2,1",
    "csv: line 3: time '2020-01-03' is that of the symbol's last bar" },
  { "NaN", QUOTES, "2020-01-02,A,nan,2,5,5", "csv: line 2: bid 'nan' is not a number" },
  { "an exponent without digits", TRADES, "2020-01-02,A,1e-,2",
    "csv: line 2: price '1e-' is not a number" },
  { "one without a number", TRADES, "2020-01-02,A,e5,2",
    "csv: line 2: price 'e5' is not a number" },
  { "infinity", TRADES, "2020-01-02,A,inf,2",
    "csv: line 2: price 'inf' is not a number" },
  { "more than there is room for", TRADES, "2020-01-02,A,1,1e30",
    "csv: line 2: size '1e30' is out of range: up to 9223372036 fits"
      .. "; the option columns leaves columns out" },
  { "a small one with an exponent", TRADES, "2020-01-02,A,1.5E-10,1",
    "csv: line 2: price '1.5E-10' does not fit nine decimals" },
  { "a bid of 0", QUOTES, "2020-01-02,A,0,2,5,5", "csv: line 2: a price of 0" },
  { "an ask of 0 without a size", QUOTES, "2020-01-02,A,1,0,5,",
    "csv: line 2: a price of 0" },
  { "a trade at 0", TRADES, "2020-01-02,A,0,2", "csv: line 2: a price of 0" },
  { "a bar at 0", BARS, "2020-01-02,A,1,2,0,1,1", "csv: line 2: low is 0" },
  { "a negative size", TRADES, "2020-01-02,A,1,-2",
    "csv: line 2: size '-2' is negative" },
  { "a bar that opens above its high", BARS, "2020-01-02,A,3,2,1,1,1",
    "csv: line 2: open '3' is not between low '1' and high '2'" },
  { "a high below the low", BARS, "2020-01-02,A,1,1,2,1,1",
    "csv: line 2: high '1' is below low '2'" },
  { "no symbol", TRADES, "2020-01-02,,1,2", "csv: line 2: symbol '': empty" },
  { "no time", TRADES, "soon,A,1,2", "csv: line 2: time 'soon'" .. NO_TIME },
  { "a day that there is not", TRADES, "2020-02-30,A,1,2",
    "csv: line 2: time '2020-02-30'" .. NO_TIME },
  { "too few columns", TRADES, "2020-01-02,A",
    "csv: line 2: no column 3, which is price" },
  { "too many columns", TRADES, "2020-01-02,A,1,2,3",
    "csv: line 2: more columns than the 4 of the header" },
  { "too many decimals", TRADES, "2020-01-02,A,1.12345678901,2",
    "csv: line 2: price '1.12345678901' does not fit nine decimals" },
  { "a quote that does not end", TRADES, '2020-01-02,"A,1,2',
    "csv: line 2: a quoted field does not end" },
  { "a price missing", TRADES, "2020-01-02,A,,2",
    "csv: line 2: neither bid, ask nor price" },
}

local GOOD = { [QUOTES] = "2020-01-04,A,1,2,5,5\n", [TRADES] = "2020-01-04,A,1,2\n",
               [BARS] = "2020-01-04,A,1,2,1,1,1\n" }

-- The lines of a run's log that are warnings, without its prefix.
local function warnings(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do
    out[#out + 1] = line:match "warning: (.*)$"
  end
  return table.concat(out, "\n")
end
-- What convert says, but for its summary.
local function told(text)
  return (text:gsub("[^\n]*bytes a record[^\n]*\n", "")
    :gsub("[^\n]*earlier than the one before in its file\n", ""))
end
local function convert(name)
  os.remove(dir .. "/f.tape")
  return told(command("convert " .. name .. " f.tape").err)
end
local function run(name) return command("run app.lua --no-attach --set file=" .. name) end

for _, fault in ipairs(FAULTS) do
  local name, head, rows, line = table.unpack(fault)
  put("f.csv", head .. rows .. "\n" .. GOOD[head])
  local got = command "backtest s.lua --data f.csv"
  t.is(got.err, "tidewire: backtest: f.csv: " .. line .. "\n", name .. ": backtest")
  t.is(got.status, 1, name .. ": status")
  line = fault.goes_on or line
  t.is(convert "f.csv", "tidewire: convert: f.csv: " .. line .. "\n", name .. ": convert")
  t.is(warnings(run("f.csv").err), "feed csv: f.csv: " .. line, name .. ": a feed")
end

-- ---- a bar that another file has ----

local function bars(days, more)
  local lines = { BARS }
  for _, day in ipairs(days) do
    lines[#lines + 1] = ("2020-01-%02d,%s\n"):format(day, more or "A,1,2,1,1,1")
  end
  return table.concat(lines)
end
local function data(...) return " --data " .. table.concat({ ... }, " --data ") end
local TWICE = "csv: line %d: a second bar of A, of 1d to 2020-01-%02d 00:00:00; the"
  .. " first is %s"
put("jan.csv", bars { 6, 7, 8 })
put("copy.csv", bars { 6, 7, 8 })
put("more.csv", bars { 8, 9, 10 })
put("other.csv", bars({ 6, 7, 8 }, "B,1,2,1,1,1"))
local copied = command("backtest s.lua" .. data("jan.csv", "copy.csv"))
t.is(copied.err, "tidewire: backtest: copy.csv: "
     .. TWICE:format(2, 7, "line 2 of jan.csv") .. "\n", "a copy of a file: backtest")
t.is(copied.status, 1, "status")
t.is(command("sweep s.lua --set x=1,2 --store none" .. data("jan.csv", "copy.csv")).err
     :match "copy.csv: [^\n]*", "copy.csv: " .. TWICE:format(2, 7, "line 2 of jan.csv"),
     "a sweep")
t.is(convert "jan.csv more.csv", "tidewire: convert: more.csv: "
     .. TWICE:format(2, 9, "line 4 of jan.csv") .. "\n", "years that overlap: convert")
t.ok(command "tape f.tape".out:find "5 bars", "the others are there")
put("tick.csv", "time,symbol,bid,ask\n2020-01-06,A,1,2\n")
t.is(convert "--resolution ticks jan.csv more.csv tick.csv", "",
     "nothing is said of bars that are left out")
local overlap = command("backtest s.lua --skip-bad" .. data("jan.csv", "more.csv"))
t.ok(overlap.status == 0 and overlap.err:find(TWICE:format(2, 9, "line 4 of jan.csv"), 1,
     true) and overlap.out:find "\n5 records in", "--skip-bad leaves it out")
t.is(convert "jan.csv other.csv", "", "of another symbol")
t.is(command("backtest s.lua" .. data("jan.csv", "other.csv")).status, 0, "a backtest")
convert "jan.csv"
t.is(command("backtest s.lua" .. data("f.tape", "copy.csv")).err:match "copy.csv: [^\n]*",
     "copy.csv: " .. TWICE:format(2, 7, "record 1 of f.tape"), "one of a tape file")
shell "cp f.tape g.tape"
t.ok(command("backtest s.lua" .. data("f.tape", "g.tape")).err:find(
     "g.tape: record 1 %(block at byte %d+%): a second bar of A, of 1d to 2020%-01%-07"
     .. " 00:00:00; the first is record 1 of f.tape\n"), "and of two of these")

local SIDES = "time,symbol,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,"
  .. "ask_close\n"
local BID, ASK = "2020-01-06,A,1,2,1,1,,,,\n", "2020-01-06,A,,,,,2,3,2,2\n"
put("sides.csv", SIDES .. BID .. ASK)
t.is(convert "sides.csv", "", "a side in a row of its own")
put("sides.csv", SIDES .. ASK .. BID .. ASK)
t.is(convert "sides.csv", "tidewire: convert: sides.csv: csv: line 4: time '2020-01-06'"
     .. " is that of the symbol's last bar\n", "but none twice")

-- ---- what doubles leave in a number ----

put("noise.csv", TRADES .. "2020-01-02,A,0.30000000000000004,0.0018179399999999999\n"
    .. "2020-01-03,A,1,2.5000000001\n")
t.is(convert "noise.csv", "tidewire: convert: noise.csv: csv: line 3: size '2.5000000001'"
     .. " does not fit nine decimals\n", "decimals that are meant are refused")
t.ok(command "tape f.tape --dump 5".out:find "0%.3%D.*0%.00181794%f[%D]",
     "the noise of doubles is rounded away")

-- ---- what is odd, and read ----

put("crossed.csv", QUOTES .. "2020-01-01,A,1,2,5,5\n2020-01-02,A,3,2,5,5\n"
    .. "2020-01-03,A,3,2,5,5\n")
local got = command "backtest s.lua --data crossed.csv"
t.is(warnings(got.err), "crossed.csv: csv: line 3: the bid 3 is above the ask 2; such"
     .. " quotes are taken as they are", "crossed quotes: backtest")
t.ok(got.err:find "^tidewire: warning: " and not got.out:find "warning",
     "on standard error: the result is on the other")
t.is(convert "crossed.csv", "tidewire: convert: crossed.csv:"
     .. " csv: line 3: the bid 3 is above the ask 2; such quotes are taken as they are\n",
     "crossed quotes: convert")
t.is(warnings(run("crossed.csv").err), "feed csv: crossed.csv: csv: line 3: the bid 3 is"
     .. " above the ask 2; such quotes are taken as they are", "crossed quotes: a feed")

put("again.csv", QUOTES .. "2020-01-04,A,3,2,5,5\n2020-01-05,A,3,2,5,5\n")
t.is(convert "crossed.csv again.csv", ("tidewire: convert: %s: csv: line %d: the bid 3 is"
     .. " above the ask 2; such quotes are taken as they are\n"):rep(2)
     :format("crossed.csv", 3, "again.csv", 2), "of each file convert tells the first")
put("wants.lua", [[
  return { symbols = { "A", "B*", "MSFT" }, on_quote = function() end }]])
got = command "backtest wants.lua --data crossed.csv"
t.is(warnings(got.err):match "\n(.*)", "script wants.lua wants the symbol MSFT, which the"
     .. " data do not have", "a symbol that is unknown, and no other")
put("orders.lua", [[
  return { on_quote = function(self) self:buy("MSFT", 1) end }]])
got = command "backtest orders.lua --data crossed.csv"
t.ok(got.status == 1 and got.err:find("orders.lua:1: buy: symbol 'MSFT' is not known: no"
     .. " feed has had it, nor app.instruments", 1, true), "nor can it be ordered")

-- ---- files ----

put("good.csv", TRADES .. ("2020-01-02,A,1,2\n"):rep(50))
put("empty.csv", "")
put("what.csv", "a,b,c\n1,2,3\n")
put("rows.parquet", "PAR1\21\4\n\0PAR1")
shell "gzip -kf good.csv && head -c 50 good.csv.gz > cut.csv.gz"
local FILES = {
  { "none.csv", "cannot open none.csv: no such file or directory" },
  { "what.csv", "what.csv: csv: line 1: header: no time column, so no line of the file"
    .. " can be read; it is 'a,b,c', and the options columns, symbol and separator say"
    .. " what there is" },
  { "rows.parquet", "rows.parquet: csv: line 1: this is a Parquet file: text is read,"
    .. " plain, .gz or .zip" },
  { "cut.csv.gz", "cut.csv.gz: cut off at byte 50" },
}
for _, file in ipairs(FILES) do
  local name, line = table.unpack(file)
  got = command("backtest s.lua --data " .. name)
  t.is(got.err, "tidewire: backtest: " .. line .. "\n", name .. ": backtest")
  t.is(got.status, 1, name .. ": status")
  t.is(convert(name), "tidewire: convert: " .. line .. "\n", name .. ": convert")
  got = run(name)
  t.ok(got.err:find(line:gsub("^[wr]%S+: ", ""), 1, true), name .. ": a feed")
end

-- Where a feed's options can't be is said with its place; a file of one symbol that is
-- named after it is that symbol's, as elsewhere.

local function feed(options)
  put("feed.app.lua", 'local app = require "tw.app"\napp.feed.timer { every = 1 }\n'
      .. ("app.feed.csv { %s }\napp.script('print.lua')\n"):format(options))
  return command "run feed.app.lua --no-attach"
end
put("print.lua", "return { on_trade = function(symbol) print(symbol) end }")
for options, why in pairs {
  ['file = "good.csv", zone = "Mars/X"'] = "csv: there is no time zone 'Mars/X'",
  ['file = "good.csv", preset = "x"'] = "csv: no preset is called 'x'",
  ['file = "good.csv", from = "x"'] = "from: 'x' is no time",
  ['file = "none.csv"'] = "cannot open none.csv: no such file or directory",
} do
  got = feed(options)
  t.ok(got.status == 1 and got.err:find("^tidewire: feed.app.lua:3: " .. why),
       "a feed with " .. options)
end
put("ESZ6.last.csv", "time,price,size\n2020-01-02,1,2\n")
t.is(feed('file = "ESZ6.last.csv"').out, "ESZ6\n", "the symbol of a feed is its file's")
t.is(feed('file = "ESZ6.last.csv", symbol = "ES"').out, "ES\n", "or what it says")
t.is(feed('file = "ESZ6.last.csv", columns = "time,-,price"').out, "ESZ6\n",
     "with columns, too")
got = command "backtest s.lua --data good.csv --csv listen=1"
t.ok(got.err:find("data: no option 'listen'; there are base, columns, factors, from, ", 1,
                  true), "options of a file, and of no other feed")

-- Where results go is looked at before anything runs.

put("kept.db", "")
put("x.csv", "x\n1\n")
local before = apps.read(dir .. "/good.csv")
for line, says in pairs {
  ["backtest s.lua --data good.csv --orders ./good.csv"] =
    "backtest: --orders ./good.csv: the same file as good.csv, which is read",
  ["backtest s.lua --data good.csv --report s.lua"] =
    "backtest: --report s.lua: the same file as s.lua, which is read",
  ["backtest s.lua --data good.csv --orders o.csv --save ./o.csv"] =
    "backtest: --save ./o.csv: the same file as --orders o.csv",
  ["backtest s.lua --data good.csv --orders none/o.csv"] =
    "backtest: cannot write none/o.csv: No such file or directory",
  ["sweep s.lua --data good.csv --store none --results good.csv"] =
    "sweep: --results good.csv: the same file as good.csv, which is read",
  ["sweep s.lua --data good.csv --store kept.db --results kept.db"] =
    "sweep: --results kept.db: the same file as kept.db, which is read",
  ["sweep s.lua --data good.csv --store o.db --results o.db"] =
    "sweep: --results o.db: the same file as o.db, which is read",
  ["sweep s.lua --data good.csv --store none --list x.csv --results x.csv"] =
    "sweep: --results x.csv: the same file as x.csv, which is read",
  ["sweep s.lua --data good.csv --store none --report none/o.html"] =
    "sweep: cannot write none/o.html: No such file or directory",
} do
  got = command(line)
  t.is(got.err, "tidewire: " .. says .. "\n", line)
  t.is(got.status, 1, "status")
end
t.is(apps.read(dir .. "/good.csv"), before, "what is read stays as it is")
t.ok(not (io.open(dir .. "/o.csv") or io.open(dir .. "/o.db")), "nothing else is left")

t.is(command("backtest s.lua --data empty.csv").err,
     "tidewire: backtest: there is no record in the data\n", "an empty file")
