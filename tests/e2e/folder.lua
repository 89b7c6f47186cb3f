--- folder: a folder in the place of a file: what is read of it, and what it is told for.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "f"

local function folder(name) os.execute("mkdir -p " .. dir .. "/" .. name) end
local fine, refused = apps.fine, apps.refusals(command)
local function hash(run) return run.out:match "order list +(%x+)" end

put("s.lua", [[
  return { on_quote = function(self, symbol, bid)
    self:buy(symbol, 1)
    print(symbol, bid)
  end }]])

-- ---- what is read, and in which order ----

folder "in/deep"
folder "in/factor_files"
put("in/b.csv", "time,symbol,bid,ask\n2020-01-02,B,1,2\n2020-01-03,B,2,3\n")
put("in/a.csv", "time,symbol,bid,ask\n2020-01-02,A,3,4\n2020-01-03,A,4,5\n")
put("in/deep/c.CSV", "time,symbol,bid,ask\n2020-01-02,C,5,6\n")
put("in/README.md", "what this is")
put("in/.hidden.csv", "no data")
put("in/factor_files/a.csv", "20200101,1,1")
apps.shell(("cd %s/in && gzip b.csv && ln -s . again && mkfifo pipe pipe.csv")
  :format(dir))

local BY_HAND = "in/a.csv in/b.csv.gz in/deep/c.CSV"
local one = fine(command("backtest s.lua --data " .. BY_HAND), "files, one by one")
local all = fine(command "backtest s.lua --data in", "and their folder")
t.is(all.out:gsub("[^\n]*records/s\n", ""), (one.out:gsub("[^\n]*records/s\n", "")),
     "is the same")
t.is(all.out:match "^(.-)s.lua":gsub("%f[^\0\n][%d-]+ [%d:.]+ ", ""),
     "A\t3.0\nB\t1.0\nC\t5.0\nA\t4.0\nB\t2.0\n", "by name")
t.is(hash(command "backtest s.lua --data in/"), hash(one), "with a slash")
t.is(hash(command "backtest s.lua --data in/deep --data in/a.csv in/b.csv.gz"),
     hash(command "backtest s.lua --data in/deep/c.CSV in/a.csv in/b.csv.gz"),
     "beside files")
t.is(apps.shell(("cd %s/in && %s backtest ../s.lua --data ."):format(dir, apps.tidewire))
       .out:match "order list +(%x+)", hash(one), "from within")
t.ok(command("-e '" .. [[local r = assert(require("tw.backtest").run {
       script = "s.lua", data = { { path = "in", base = 0 } }, log = "none" })
       print(r.hash == "]] .. hash(one) .. [[", #r.data)]] .. "'").out
     == "true\t3\n", "tw.backtest.run, with options")
t.is(command "backtest s.lua --data in in/a.csv".err,
     "tidewire: backtest: data: in/a.csv is there twice; see `tidewire help backtest`\n",
     "a file of the folder is there twice")
t.is(command "backtest s.lua --data in --orders in/a.csv".err, "tidewire: backtest: "
     .. "--orders in/a.csv: the same file as in/a.csv, which is read\n",
     "what is read is not written over")

-- ---- a saved run ----

fine(command "backtest s.lua --data in --save run.json", "--save")
put("in/d.csv", "time,symbol,bid,ask\n2020-01-02,D,7,8\n")
local told = fine(command "explain run.json --order 1", "explain")
t.ok(told.out:find("buy market", 1, true), "a new file in the folder is not of that run")
os.remove(dir .. "/in/d.csv")

-- ---- sweeps ----

put("n.lua", [[
  local M = require "tw.strategy".new { params = { n = { 1, min = 1, max = 2 } } }
  function M:on_quote(symbol) self:buy(symbol, self.params.n) end
  return M]])
local sweep = fine(command "sweep n.lua --data in --set n --store x.db --json", "a sweep")
local twin = fine(command("sweep n.lua --set n --store x.db --json --data " .. BY_HAND),
                  "of its files")
t.ok(#sweep.out > 0 and apps.said(twin):find("2 of 2 are there already", 1, true)
     or t.diag(twin.err), "it is the same one")
local over = fine(command "sweep n.lua --data in --over data --set n=1 --store none",
                  "each file is a market")
for name in BY_HAND:gmatch "%S+" do
  t.ok(over.out:find(name, 1, true) or over.out:find(name:sub(-10), 1, true), name)
end

-- ---- tape files ----

fine(command "convert in all.tape", "convert")
folder "tapes"
fine(command "convert in/a.csv tapes/a.tape", "a tape file")
local played = fine(command "replay tapes s.lua", "replay of a folder with one")
t.is(played.out, "A\t3.0\nA\t4.0\n", "plays it")
fine(command "convert in/b.csv.gz tapes/b.tape", "another one")
t.is(hash(command "backtest s.lua --data tapes"),
     hash(command "backtest s.lua --data in/a.csv in/b.csv.gz"), "of tape files")
local run = command "replay tapes s.lua"
t.is(run.status, 1, "replay of a folder with two: status")
t.ok(run.err:find("replay: one tape file expected, and the folder tapes has 2 files;"
  .. " tidewire convert tapes OUT.tape makes one of them", 1, true) or t.diag(run.err),
  "says how to make one of them")

-- ---- what can't be ----

folder "empty"
folder "other/deep"
put("other/deep/data.txt", "1,2\n")
folder "both"
apps.shell(("cd %s && cp in/a.csv tapes/a.tape both"):format(dir))
folder "twice"
apps.shell(("cd %s && cp in/a.csv twice && gzip -k twice/a.csv"):format(dir))
folder "shout"
apps.shell(("cd %s && cp in/a.csv shout/A.CSV && gzip -c in/a.csv >shout/A.csv.GZ")
           :format(dir))
folder "bad"
put("bad/x.csv", "time,symbol,bid,ask\nsoon,A,1,2\n")
local EMPTY <const> = "empty is an empty folder\n"
local NONE <const> = "no file that can be read in other: of a folder those are read that"
  .. " are named .csv or .fix (.gz, .zip), tape files, and LEAN's in their folders\n"
local BOTH <const> = "both has tape files and others (both/a.tape, both/a.csv), which may"
  .. " be the same records: name those that are wanted\n"
local TWICE <const> = "twice has a.csv and a.csv.gz: name the one that is wanted\n"
local SHOUT <const> = "shout has A.CSV and A.csv.GZ: name the one that is wanted\n"
for _, case in ipairs { { "empty", EMPTY }, { "other", NONE }, { "both", BOTH },
                        { "twice", TWICE }, { "shout", SHOUT } } do
  local path, says = table.unpack(case)
  refused("backtest s.lua --data " .. path, 1, "tidewire: backtest: --data: " .. says,
          path .. ": backtest")
  refused("sweep n.lua --set n --store none --data " .. path, 1,
          "tidewire: sweep: --data: " .. says, path .. ": sweep")
  refused("convert " .. path .. " x.tape", 1, "tidewire: convert: " .. says,
          path .. ": convert")
  run = command("replay " .. path .. " s.lua")
  t.ok(run.status == 1 and run.err:find("replay: " .. says, 1, true)
       or t.diag(run.err), path .. ": replay")
end
run = command "backtest s.lua --data bad"
t.is(run.status, 1, "a bad line in a folder: status")
t.ok(run.err:find("bad/x.csv: csv: line 2: time 'soon' is not a time", 1, true)
     or t.diag(run.err), "has its file")

-- What is data by its name, or a folder that can't be read, is not left out in silence.
folder "short"
apps.shell(("cd %s && cp tapes/a.tape short && head -c 5 short/a.tape >short/b.TAPE")
           :format(dir))
refused("backtest s.lua --data short", 1, "tidewire: backtest: short/b.TAPE: its first"
        .. " bytes are not those of a tape file: it is damaged, or named wrongly\n",
        "a tape file in a folder that is cut off")
folder "long"
apps.shell(([[cd %s && cp in/a.csv long && cd long && n=$(printf %%0200d 0) &&
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do
    mkdir $n && cd $n; done]]):format(dir))
for _, of in ipairs { "backtest s.lua --data long", "convert long x.tape" } do
  run = command(of)
  t.is(run.status, 1, of .. ": a folder that can't be read: status")
  t.ok(run.err:find ": cannot open long/0+/[/0]+: name too long\n$"
       or t.diag(run.err:sub(1, 200)), "is told of")
end

-- Folders that have links to each other: as many ways through them as a disk has files.
local NOT = " are data (those named .csv or .fix (.gz, .zip), tape files, and LEAN's in"
  .. " their folders): name the folder that is wanted\n"
apps.shell(([[cd %s && mkdir web && cd web && mkdir a b c d e f g h i j &&
  for x in *; do for y in *; do ln -s ../$y $x/$y; done; done]]):format(dir))
refused("convert web x.tape", 1, "tidewire: convert: web: of the first 10001 files and"
        .. " folders in it 0" .. NOT, "one without an end")
refused("sweep n.lua --set n --store none --data web", 1, "tidewire: sweep: --data: web:"
        .. " of the first 10001 files and folders in it 0" .. NOT, "in a sweep")
put("web/0.csv", "time,symbol,bid,ask\n1,A,1,2\n")
refused("backtest s.lua --data web/", 1, "tidewire: backtest: --data: web/: of the first"
        .. " 10102 files and folders in it 1" .. NOT, "where there is a file of data")

-- ---- convert --resolution ----

folder "mixed"
put("mixed/ticks.csv", "time,symbol,bid,ask\n2020-01-01T00:00:30,A,1,2\n"
    .. "2020-01-01T00:01:30,A,2,3\n")
put("mixed/days.csv", "time,symbol,open,high,low,close,volume\n2020-01-01,A,1,3,1,2,9\n")
local MIX <const> = "tidewire: convert: A: the data have ticks and 1d, and orders trade"
  .. " on all of them; interval tells handlers which it is, resolution (1m, ticks) reads"
  .. " some alone\n"
run = fine(command "convert mixed mixed.tape --gaps none", "ticks and bars")
t.ok(run.err:find(MIX, 1, true) or t.diag(run.err), "are told of")
for want, says in pairs { ["ticks"] = "2: 2 quotes", ["1d"] = "1: 1 bar",
                          ["1d,ticks"] = "3: 1 bar, 2 quotes" } do
  local tape = want:gsub(",", "_") .. ".tape"
  run = fine(command(("convert mixed %s --resolution %s"):format(tape, want)), want)
  t.is(run.err:find(MIX, 1, true) ~= nil, want == "1d,ticks", want .. ": what is told")
  t.is(command("tape " .. tape).out:match "records +([^\n]*)", says, want .. ": is there")
  t.is(command("tape " .. tape).out:match "seq +([^\n]*)", "1 to " .. says:match "%d",
       want .. ": without holes")
end
refused("convert mixed no.tape --resolution 1m", 1, "tidewire: convert: there is no"
  .. " record of that resolution, so no no.tape: the data are from 2020-01-01 00:00:30 to"
  .. " 2020-01-01 12:00:00, of ticks and 1d\n", "none of that")
refused("convert mixed no.tape --resolution soon", 2, "tidewire: convert: --resolution:"
  .. " ticks, or lengths of bars like 1m or 1m,1d, expected, got soon;"
  .. " see `tidewire help convert`\n", "what is no resolution")
t.is(command("convert mixed no.tape --resolution 0.5s").status, 2, "half a second, too")
t.ok(not io.open(dir .. "/no.tape"), "no file is made")
t.is(hash(command "backtest s.lua --data ticks.tape"),
     hash(command "backtest s.lua --data mixed --resolution ticks"),
     "a backtest of it is one with --resolution")

-- A folder that is gone as soon as it was listed.
put("gone.lua", [[
  require "tw.internal.tapes".identity = function() end
  local found, why = require "tw.textfile".files(arg[1])
  print(found and #found, why and why:match "[^,:]*")]])
t.is(command "gone.lua mixed".out .. command "gone.lua no-such".out,
     "2\tnil\n1\tnil\n", "a folder that is gone raises nothing")

-- ---- LEAN's ----

local lean = "../shared/data/lean/"
if not io.open(lean .. "LICENSE") then
  t.skip "LEAN's data is not there"
  return
end
lean = apps.shell("realpath " .. lean).out:match "[^\n]+"
put("b.lua", "return { on_bar = function() end }")
local function records(words)
  return fine(command("backtest b.lua --gaps none --data " .. words), words).out
    :match "\n([%d.]+%a? records) in"
end
t.is(records(lean .. "/equity/usa/minute/spy"),
     records(lean .. "/equity/usa/minute/spy/*.zip"), "a folder of a file a day")
t.is(records(lean .. "/equity/usa/daily"), "70.0k records", "one of files of all days")
