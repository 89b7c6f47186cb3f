--- run: the program: its arguments, its feeds, how a run ends.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local prints, fails = apps.prints, apps.fails

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 50 } "
local COUNT = [[
  local n = 0
  function M.on_quote() n = n + 1 end
  function M.on_stop() print(n) end]]

-- Arguments: one line on standard error and a status that says so.

for _, case in ipairs {
  { "", 2, "run: no app file given; see `tidewire help`" },
  { "--workers 0 x.lua", 2, "%-%-workers 0: an integer in 1 .. 1024 expected; see .*" },
  { "--workers 1.5 x.lua", 2, "%-%-workers 1.5: an integer .*" },
  { "--workers two x.lua", 2, "%-%-workers two: an integer .*" },
  { "x.lua --workers", 2, "%-%-workers: its value is missing; .*" },
  { "--seconds -1 x.lua", 2, "%-%-seconds %-1: a number of seconds expected; .*" },
  { "--seconds nan x.lua", 2, "%-%-seconds nan: a number of seconds expected; .*" },
  { "x.lua --set", 2, "%-%-set: its value is missing; .*" },
  { "x.lua y.lua", 2, "run: one app file expected, got 'y.lua' too; .*" },
  { "--nonsense x.lua", 2, "run: unknown option '%-%-nonsense'; .*" },
  { "--worker 2 x.lua", 2, "run: unknown option '%-%-worker'; did you mean "
    .. "'%-%-workers'%?; .*" },
  { "/nowhere/x.lua", 1, "cannot open /nowhere/x.lua.*" },
} do
  local run = apps.shell(apps.tidewire .. " run " .. case[1])
  local fine = t.ok(run.err:find("^tidewire: " .. case[3] .. "\n$")
                    and not run.err:find "\n.", "run " .. case[1])
  fine = t.is(run.status .. run.out, case[2] .. "", "run " .. case[1] .. ": status")
    and fine
  if not fine then t.diag(run.err) end
end

-- One that is run as a script of Lua.

do
  local file = os.tmpname()
  for _, code in ipairs { 'script "s.lua"', "feed.synthetic {}" } do
    apps.put(file, '\nrequire "tw.app".' .. code)
    local run = apps.shell(apps.tidewire .. " " .. file)
    t.ok(run.status == 1 and run.err:find("^tidewire: " .. file .. ":2: an app file is"
         .. " for tidewire run, backtest and sweep"),
         "an app file that is run as a script: " .. code)
  end
  os.remove(file)
end

-- App files that don't say what makes sense: one line, nothing runs.

for _, case in ipairs {
  { "x = = 1", "app.lua:1: unexpected symbol near '='" },
  { "error 'bad'", "app.lua:1: bad" },
  { "return { on_quote = function() end }", "app.lua: it is a script: an app file names "
    .. "it, and a feed %(see .*" },
  { "app.script 's.lua'", "app.lua: no feed: an app file names at least one %(see .*" },
  { "app.feed.fix {}", "app.lua:1: app.feed.fix: one of connect, listen, file and stdin"
    .. " is needed, got none" },
  { "app.feed.fix { stdin = true, file = 'x' }", "app.lua:1: .*, got file and stdin" },
  { "app.feed.fix { conect = 'x' }",
    "app.lua:1: app.feed.fix: no option 'conect'; did you"
    .. " mean 'connect'%?" },
  { "app.feed.fix { connect = 'nowhere' }", "app.lua:1: app.feed.fix: 'nowhere' is not"
    .. " host:port" },
  { "app.feed.fix { listen = 70000 }", "app.lua:1: app.feed.fix: 70000 is not a port" },
  { "app.feed.fix { file = '/nowhere/x.fix' }", ".*/nowhere/x.fix.*" },
  { "app.feed.csv { file = '/nowhere/x.csv' }", ".*/nowhere/x.csv.*" },
  { "app.feed.csv { stdin = true, columns = 'time,symbol' }", ".*" },
  { "app.feed.timer { every = 0 }",
    "app.lua:1: app.feed.timer: every must be a positive.*" },
  { "app.tape { capacity = 100.5 }",
    "app.lua:1: app.tape: capacity must be an integer.*" },
  { "app.limits { time = -1 }",
    "app.lua:1: app.limits: time must be from 0 to 1e9, got %-1" },
  { "app.script('s.lua', { shard = 'name' })", "app.lua:1: app.script: shard must be"
    .. " \"symbol\", got 'name'" },
  { "app.script('s.lua', { on_error = 'go on' })", "app.lua:1: app.script: on_error .*" },
  { "app.script('s.lua', { parms = {} })", "app.lua:1: app.script: no option 'parms'; did"
    .. " you mean 'params'%?" },
  { "app.script('s.lua', { params = { f = print } })" .. FEED,
    ".*params.f is a function.*" },
  { "app.sectors { tech = 'AAPL' }", "app.lua:1: app.sectors: tech must be a table.*" },
  { "app.weights { AAPL = 'x' }", "app.lua:1: app.weights: AAPL must be a number.*" },
  { "app.instruments { { sector = 'x' } }",
    "app.lua:1: app.instruments%[1%]: no symbol" },
  { "app.on_end 'x'", "app.lua:1: app.on_end: a function expected" },
  { "require 'tw'.pool.run(print)",
    "app.lua:1: pool: there is none in an app file; .*" },
  { "require 'tw'.cache 'x'",
    "app.lua:1: tw.cache: there is none in an app file; .*" },
  { "require 'tw'.channel(1, { name = 'x' })",
    "app.lua:1: tw.channel: an app file has no names; .*" },
} do
  local run = fails("app: " .. case[1], { app = case[1] }, "^tidewire: " .. case[2]
    .. "\n$")
  t.ok(not run.err:find "\n." and run.out == "", "app: one line")
end

-- Parameters.

local SET = FEED .. [[
  print(app.param("text", "a"), app.param("n", 5), app.param("b", false),
    app.param "none")]]
prints("parameters: defaults", { app = SET }, "a\t5\tfalse\tnil\n")
prints("parameters: given", { app = SET, args = { "--set", "text=x=y", "--set", "n=0x10",
  "--set", "b=true", "--set", "none=" } }, "x=y\t16\ttrue\t\n")
for set, why in pairs {
  ["n=five"] = "app.lua:1: %-%-set n=five: not a number",
  ["b=maybe"] = "app.lua:1: %-%-set b=maybe: neither true nor false",
  ["tex=1"] = "%-%-set tex: app.lua has no such parameter; did you mean 'text'%?",
  ["zzz=1"] = "%-%-set zzz: app.lua has no such parameter; there are b, n, none, text",
  ["text"] = "%-%-set text: name=value expected",
    ["=x"] = "%-%-set =x: name=value expected",
} do
  fails("--set " .. set, { app = (SET:gsub("\n", "")), args = { "--set", set } },
    "^tidewire: " .. why .. "\n$")
end

-- Workers: the same for any number of them.

for _, workers in ipairs { "1", "2", "5" } do
  local run = apps.run { app = FEED .. [[
      app.script("s.lua", { shard = "symbol" }) app.script("s.lua")]], ["s.lua"] = COUNT,
    args = { "--workers", workers } }
  local sum = 0
  for _, line in ipairs(run.lines) do sum = sum + tonumber(line) end
  t.is(sum, 100, "workers: " .. workers)
  t.is(#run.lines, tonumber(workers) + 1, "instances: " .. workers)
  t.is(run.status, 0, "status: " .. workers)
end
prints("no script at all", { app = FEED }, "")

-- Feeds.

local CSV = "time,symbol,bid,ask,bid_size,ask_size\n1,A,1,2,3,4\n2,B,5,6,7,8\n"
local FIX = apps.fix("35=X|34=1|52=20240102-03:04:05|268=2|279=0|269=0|55=A|270=1|271=3|"
    .. "279=0|269=1|55=A|270=2|271=4|")
  .. apps.fix("35=W|34=2|52=20240102-03:04:05|55=B|268=2|269=0|270=5|271=7|"
    .. "269=1|270=6|271=8|")
local QUOTES = [[
  function M.on_quote(symbol, bid, ask, bid_size, ask_size, source)
    print(symbol, bid, ask, bid_size, ask_size, source)
  end]]
local function rows(source)
  return ("A\t1.0\t2.0\t3.0\t4.0\t%s\nB\t5.0\t6.0\t7.0\t8.0\t%s\n"):format(source, source)
end
prints("csv from a file", { app = [[app.feed.csv { file = here .. "x.csv" }
  app.script("s.lua")]], ["s.lua"] = QUOTES, files = { ["x.csv"] = CSV } }, rows "csv")
prints("csv from standard input", { app = [[app.feed.csv { stdin = true, name = "in" }
  app.script("s.lua")]], ["s.lua"] = QUOTES, input = CSV }, rows "in")
prints("fix from a file", { app = [[app.feed.fix { file = here .. "x.fix" }
  app.script("s.lua")]], ["s.lua"] = QUOTES, files = { ["x.fix"] = FIX } }, rows "fix")
prints("fix from standard input", { app = [[app.feed.fix { stdin = true }
  app.script("s.lua")]], ["s.lua"] = QUOTES, input = FIX }, rows "fix")
prints("two feeds", { sort = true, app = [[
  app.feed.fix { stdin = true } app.feed.csv { file = here .. "x.csv" }
  app.script("s.lua")]], ["s.lua"] = "function M.on_quote(source) print(source) end",
  input = FIX, files = { ["x.csv"] = CSV } }, "csv\ncsv\nfix\nfix\n")
local run = prints("what the parser refuses is counted", { app = [[
  app.feed.fix { stdin = true } app.script("s.lua")
  app.on_end(function(s)
    local f = s.feeds[1]
    print(f.name, f.state, f.messages, f.errors > 0, f.skips > 0, f.records)
  end)]], ["s.lua"] = "", input = "garbage" .. FIX .. apps.fix(
    "35=X|34=3|52=20240102-03:04:05|268=1|279=0|269=0|55=A|270=1e5|271=3|") },
  "fix\tended\t3\ttrue\ttrue\t2\n")
t.ok(run.err:find "tidewire: [^\n]*270=1e5", "and told, with tag and value")

prints("an exchange and a feed that reads it", { app = [[
  app.feed.fix { connect = app.exchange { speed = 0, seed = 3, limit = 500 },
    limit = 500 }
  app.script("s.lua")]], ["s.lua"] = [[
  local n, last = 0, 0
  local function see(seq) n = n + 1 assert(seq == last + 1) last = seq end
  function M.on_quote(seq) see(seq) end
  function M.on_trade(seq) see(seq) end
  function M.on_stop() print(n > 400 and n <= 500) end]] }, "true\n")
apps.ended(apps.run { app = [[app.feed.timer { every = 0.01 } app.script("s.lua")]],
  ["s.lua"] = [[
  function M:on_timer(interval, count, timer, time, seq)
    self.n = (self.n or 0) + 1
    assert(interval == 0.01 and count == self.n and timer == 1 and seq == self.n)
    if count == 3 then print "three" ]] .. apps.stop .. [[ end
  end]] }, "a timer", "three\n", 143)
prints("what the app file is told", { app = FEED .. [[
  app.on_feed(function(name, state, why) print(name, state, type(why)) end)
  app.on_end(function(s) print(#s.workers, #s.scripts, s.records, s.feeds[1].records) end)
  ]], args = { "--workers", "2" } },
  "synthetic\tlive\tstring\nsynthetic\tended\tstring\n2\t0\t50\t50\n")
run = prints("on_end: true instead of the summary", { app = FEED
  .. 'app.on_end(function() print "end" return true end)' }, "end\n")
t.ok(not run.err:find "records in", "no summary")
fails("on_end that fails", { app = FEED .. "app.on_end(function() error 'bad' end)" },
  "tidewire: on_end: app.lua:1: bad\nstack traceback:")
fails("on_feed that fails", { app = FEED .. "app.on_feed(function() error 'bad' end)" },
  "tidewire: on_feed: app.lua:1: bad\nstack traceback:")

-- A seed of the clock's size is one, too.

local function walk(seed)
  return apps.run { app = ("app.feed.synthetic { speed = 0, seed = %d, limit = 500 } ")
    :format(seed) .. 'app.script("s.lua")', args = { "--workers", "1" },
    ["s.lua"] = "function M.on_quote(symbol, bid) print(symbol, bid) end" }.out
end
t.ok(walk(1800000000000000000) ~= walk(1800000000000000001), "two seeds, two markets")

-- How it ends.

for i = 1, os.getenv "SMALL" and 5 or 20 do
  run = apps.run { app = FEED .. 'app.script("s.lua")', ["s.lua"] = [[
    function M.on_quote() print "last words" os.exit(7) end]] }
  t.is(run.out .. run.status, "last words\n7", "os.exit: what was printed is out")
end

run = prints("--seconds", { app = [[app.feed.synthetic { rate = 1000 }
  app.script("s.lua")]], args = { "--seconds", "0.2" },
  ["s.lua"] = "function M.on_stop() print 'stop' end" }, "stop\n")
t.ok(tonumber(run.err:match "%d records in ([%d.]+) s") >= 0.2,
     "--seconds: the summary has the time")
run = apps.run { app = [[app.feed.synthetic { rate = 1000 } app.script("s.lua")]],
  args = { "--seconds", "0.3" }, ["s.lua"] = [[
    local ends = tw.clock() + 0.5
    while tw.clock() < ends do end]] }
if not t.ok((tonumber(run.err:match "records in ([%d.]+) s") or 0) >= 0.8,
            "--seconds: a script that loads slowly takes none of them") then
  t.diag(run.err)
end
local DEAD = { app = [[app.feed.fix { connect = "127.0.0.1:1" } app.script("s.lua")]],
  args = { "--seconds", "0.5" }, ["s.lua"] = "function M.on_stop() print 'stop' end" }
run = apps.run(DEAD)
t.is(run.out, "stop\n", "a dead peer: the run goes on until its end")
t.is(run.status, 1, "a peer that was never there is no success")
if run.status ~= 1 then t.diag(run.err) end
DEAD.args = nil
run = apps.until_shown(select(2, apps.write(DEAD)), "127%.0%.0%.1:1[^\n]*refused")
if not t.ok(run.found, "a dead peer is told") then t.diag(run.all) end
fails("a port in use", { app = [[
  app.feed.fix { connect = app.exchange { port = 39271 }, name = "one" }
  app.exchange { port = 39271 }]] }, "^tidewire: [^\n]*39271[^\n]*in use[^\n]*\n$")
