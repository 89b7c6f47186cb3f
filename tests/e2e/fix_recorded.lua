--- fix_recorded: messages of FIX sessions in a recording are read as they were then.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local directory, put, command = apps.folder "recorded"
put("venue.txt", "5001 Mood CHAR 1=GOOD 2=BAD\nD + 5001\n")
put("other.txt", "5001 Weather CHAR 1=SUN\nD + 5001\n")

-- A session by FIXT.1.1, whose messages do not say which version of 5.0 they are of, and
-- one by FIX.4.4: both have a field of their own.
put("app.lua", [[
local app = require "tw.app"
local both = { "venue.txt" }
app.fix.acceptor { port = 0, sessions = {
  { name = "v50", sender = "V", target = "ME", version = "FIX.5.0", dictionary = both },
  { name = "v44", sender = "V", target = "ME", dictionary = both } } }
app.fix.session { name = "b50", loopback = true, sender = "ME", target = "V",
  version = "FIX.5.0", dictionary = both, retry = 0.1 }
app.fix.session { name = "b44", loopback = true, sender = "ME", target = "V",
  dictionary = both, retry = 0.1 }
app.script("send.lua")]])
put("send.lua", [[
local tw, M, got = require "tw", {}, 0
M.sessions = { "b*", "v*" }
function M:on_fix_event(session, event)
  if event ~= "logged_on" or session:find "^v" then return end
  assert(tw.fix.send(session, { MsgType = "D", ClOrdID = "1", Symbol = "A", Side = 1,
    OrdType = "1", OrderQty = 1, TransactTime = tw.now(), Mood = "GOOD" }))
end
function M:on_fix(message, session)
  got = got + 1
  if got == 2 then io.popen("kill $PPID"):close() end
end
return M]])
put("read.lua", [[
local M = {}
function M:on_fix(message, session)
  local mood, why = pcall(function() return message.Mood end)
  local weather = pcall(function() return message.Weather end)
  local list = {}
  for name, value in pairs(message) do
    if name == "Mood" or name == "Weather" or name == 5001 then
      list[#list + 1] = tostring(name) .. "=" .. tostring(value)
    end
  end
  print(session, mood, weather, table.concat(list, " "), message.ClOrdID)
end
return M]])

local run = command("record app.lua x.tape --workers 1")
if not t.is(run.status, 143, "a run with FIX sessions is recorded") then
  t.diag(run.err)
end

local function sorted(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local function replays(name, words, want, said)
  run = command("replay " .. words)
  local fine = t.is(sorted(run.out), want, name)
  fine = t.ok(not said or run.err:find(said), name .. ": what is said") and fine
  if not fine then t.diag(run.err) end
end

local MOOD <const> = "v44\ttrue\tfalse\tMood=1\t1\nv50\ttrue\tfalse\tMood=1\t1"
replays("messages have the names that they had", "x.tape read.lua", MOOD)
command "convert x.tape y.tape"
replays("so they have in a converted file", "y.tape read.lua", MOOD)
replays("another dictionary is given", "x.tape read.lua --dictionary FIX.4.4,other.txt",
        "v44\tfalse\ttrue\tWeather=1\t1\nv50\tfalse\ttrue\tWeather=1\t1")

-- ---- in a backtest ----

put("quotes.csv", "time,symbol,bid,ask,bid_size,ask_size\n1577836800,A,1,2,3,4\n")
command "convert x.tape quotes.csv both.tape"

local function backtests(name, words, want, said)
  run = command("backtest read.lua --data both.tape --messages " .. words)
  local got = {}
  for line in run.out:gmatch "[^\n]+" do got[#got + 1] = line:match "(v%d%d\t.*)" end
  table.sort(got)
  local fine = t.is(table.concat(got, "\n"), want, name)
  fine = t.ok(not said or run.err:find(said), name .. ": what is said") and fine
  if not fine then t.diag(run.err) end
end

backtests("a backtest has the names", "", MOOD)
backtests("or others", "--dictionary FIX.4.4,other.txt",
          "v44\tfalse\ttrue\tWeather=1\t1\nv50\tfalse\ttrue\tWeather=1\t1")
run = command "backtest read.lua --data both.tape --messages --save saved"
t.is(run.status, 0, "a run that is saved")
apps.shell(("cd %s && cp other.txt FIX.4.4.txt"):format(directory))
run = command("backtest read.lua --data both.tape --messages --save own "
              .. "--dictionary FIX.4.4,FIX.4.4.txt")
t.is(run.status, 0, "with a dictionary")
local own = apps.read(directory .. "/own"):gsub("\\/", "/")
t.ok(own:find('/FIX.4.4.txt"', 1, true) or t.diag(own:sub(1, 1000)),
     "whose file is found from everywhere")
run = command("backtest read.lua --data both.tape --messages --save none "
              .. "--dictionary FIX.4.4,nowhere.txt")
t.ok(run.status == 1 and run.out == "" and run.err:find(
     "^tidewire: backtest: cannot read the dictionary [^\n]*/nowhere.txt: [^\n]*\n$")
     or t.diag(run.err .. run.out), "one to be saved that can't be read: before it runs")
t.is(command("backtest read.lua --data quotes.csv --messages --dictionary ''").status, 2,
     "no dictionary")
for _, words in ipairs { "backtest read.lua", "sweep read.lua --set a=1 --store none" } do
  run = command(words .. " --data both.tape --dictionary other.txt")
  t.is(run.status, 2, words .. ", without --messages: status")
  t.ok(run.err:find("dictionary: it is of messages, which only a run with messages reads",
                    1, true) or t.diag(run.err), "a dictionary that nobody would read")
end

-- ---- printed ----

local function decodes(name, words, want, status)
  run = command("fix decode " .. words)
  local lines = {}
  for line in run.out:gmatch "[^\n]+" do
    lines[#lines + 1] = line:gsub("^%d+:  [%d-]+ [%d:.]+  ", ""):gsub("%d+%-[%d:.]+", "T")
  end
  table.sort(lines)
  local fine = t.is(table.concat(lines, "\n"), want, name)
  fine = t.is(run.status, status or 0, name .. ": status") and fine
  if not fine then t.diag(run.out .. run.err) end
end

local function order(session, mood)
  return session .. "  NewOrderSingle (D)  ME > V #2  T  ClOrdID=1 Symbol=A Side=BUY"
    .. " TransactTime=T OrderQty=1 OrdType=MARKET " .. mood
end
local function both(mood) return order("v44", mood) .. "\n" .. order("v50", mood) end

decodes("a recording is printed", "x.tape --short --type D", both "Mood=GOOD")
decodes("converted, too", "both.tape --short --tag Mood=1", both "Mood=GOOD")
decodes("by another dictionary", "x.tape --short --type D --dictionary other.txt",
        both "Weather=SUN")
run = command "fix decode x.tape"
t.ok(run.out:find "v44  logged_on  Logon %(A%)  ME > V #1"
     and run.out:find "v50  logged_out" and run.out:find "\n +5001 Mood = 1 GOOD",
     "events are among them, and fields have lines of their own")
run = command "fix decode x.tape --short --type D --dictionary nowhere.txt"
t.ok(run.status == 1 and run.err:find "nowhere.txt" and run.out == "",
     "a dictionary that is not there")
command "convert quotes.csv quotes.tape"
run = command "fix decode quotes.tape"
t.is(run.err, "tidewire: fix: quotes.tape: no FIX message in it\n", "none at all")
t.is(run.status, 1, "is status 1")

-- ---- without the file ----

os.remove(directory .. "/venue.txt")
backtests("a backtest says that the file is gone", "",
          "v44\tfalse\tfalse\t5001=1\t1\nv50\tfalse\tfalse\t5001=1\t1",
          "warning: FIX session v44, recorded: .*venue.txt")
decodes("and so is it said", "x.tape --short --type D", both "5001=1", 1)
t.ok(run.err:find "tidewire: fix: x.tape: .*venue.txt", "why")
replays("a file that is gone", "x.tape read.lua",
        "v44\tfalse\tfalse\t5001=1\t1\nv50\tfalse\tfalse\t5001=1\t1",
        "FIX session v50, recorded: .*venue.txt")

t.done()
