--- attach: a prompt in a running host, as people and shell scripts use it.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local read = apps.read

local MAKER = [[
  local count = 0
  function M:on_start()
    self.position = { AAPL = 3, GOOG = -2 }
    self.log, self.list = {}, { 3, 1, 2 }
    local function call() odd = true end
    self.odd = setmetatable({}, { __tostring = call, __len = call, __pairs = call,
                                  __index = call, __call = call, __name = "odd" })
    self.next = coroutine.wrap(call)
  end
  function M:on_quote(q, symbol, mid, source_seq)
    if source_seq ~= (self.at or 0) + 1 then self.wrong = (self.wrong or 0) + 1 end
    self.at = source_seq
    if not self.begun then io.open(self.params.ready, "w"):close() end
    self.begun = true
    count, self.n = count + 1, (self.n or 0) + 1
    self.last = q
    seen = symbol
    if self.say then print(self.say) self.say, self.said = nil, true end
  end
  function M:change() self.position.AAPL = 0 end
  function M.on_gap(lost) print("gap", lost) end
  function M:on_stop() print("count", self.n, self.at, self.wrong or 0) end]]

local SPREAD = [[
  local stat = require "tw.stat"
  function M:on_start()
    self.own = stat.ewma(0.1)
    self.t = self:track { n = "count() by symbol" }
  end
  function M:on_quote(symbol, mid) self.own:push(mid) end]]

-- A run in a directory of its own, when it has begun.  It has
--   attach(arguments, input) -> {out, err, status},  stop(signal) -> {out, err, status}
local function start(o)
  o = o or {}
  local directory = apps.write { app = "", ["maker.lua"] = MAKER,
                                 ["spread.lua"] = SPREAD }
  local ready, over = directory .. "/ready", directory .. "/over"
  assert(os.execute(("mkfifo %s %s && mkdir %s/xdg"):format(ready, over, directory)))
  apps.put(directory .. "/market.lua", ([[
    local app = require "tw.app"
    app.limits { time = 15 }
    app.feed.synthetic { rate = %d, seed = 3, trades = 0, speed = %d }
    app.pool { threads = 2 }
    app.script("maker.lua", { params = { ready = %q }, workers = { 0 } })
    app.script("spread.lua", { shard = "symbol" })]]):format(o.rate or 2000, o.speed or 1,
      ready))
  local run = { directory = directory, xdg = directory .. "/xdg" }
  if o.before then o.before(run) end
  local pipe <close> = io.popen(([[cd %s; export XDG_RUNTIME_DIR=%s
    { %s sh -c 'echo $$ >pid; exec "$@"' - %s --workers 2 %s >out 2>err
      echo $? >%s; } >/dev/null 2>&1 & timeout 120 cat %s]]):format(directory,
      run.xdg, o.through or "",
      (o.program or "% run market.lua"):gsub("%%", apps.tidewire),
      table.concat(o.args or {}, " "), over, ready))
  pipe:read "a"
  run.pid = read(directory .. "/pid"):match "%d+"

  -- bare: its process is the shell's own child, to be killed.
  function run.command(arguments, bare)
    return ("XDG_RUNTIME_DIR=%s %s%s attach %s"):format(run.xdg, bare and "" or
      "timeout --foreground 150 ", apps.tidewire, arguments)
  end

  function run.attach(arguments, input)
    return apps.shell(run.command(arguments), input)
  end

  function run.says(line, want, name)
    local got = run.attach("--cpu 2 --wait 100 -e " .. apps.quote(line))
    local fine = t.is(got.out, want ~= "" and want .. "\n" or "", name or line)
    fine = t.is(got.status, 0, (name or line) .. ": status") and fine
    if not fine then t.diag(got.err) end
    return got
  end

  function run.refuses(line, pattern, name)
    local much = pattern:find "10 ms of CPU" and "" or "--cpu 2 "
    local got = run.attach(much .. "--wait 100 -e " .. apps.quote(line))
    if not t.ok((got.err .. got.out):find(pattern), name or line) then
      t.diag(got.err .. got.out)
    end
    t.is(got.status, 1, (name or line) .. ": status")
    return got
  end

  -- Until what it says matches.
  function run.waits(line, pattern)
    for _ = 1, 1000 do
      local got = run.attach("-e " .. apps.quote(line))
      if (got.out .. got.err):find(pattern) then return true end
    end
    return false
  end

  function run.stop(signal)
    os.execute(("kill -%s %s"):format(signal or "INT", run.pid))
    local pipe_over <close> = io.popen("timeout 120 cat " .. over)
    return { status = tonumber(pipe_over:read "a"), out = read(directory .. "/out"),
             err = read(directory .. "/err") }
  end

  function run.sockets()
    local files <close> = io.popen(("ls -A %s/tidewire 2>/dev/null"):format(run.xdg))
    return files:read "a"
  end

  return run
end

-- What a raw client says and hears; $s is the connected socket.
local function perl(run, text, user)
  local program = ([[use strict; use IO::Socket::UNIX;
    my ($path) = glob("%s/tidewire/[0-9]*");
    my $s = IO::Socket::UNIX->new(Peer => $path) or die "connect: $!\n";
    sub frame { pack("N", length $_[0]) . $_[0] }
    ]]):format(run.xdg) .. text
  local command = "timeout 120 perl -e " .. apps.quote(program)
  if user then command = ("su %s -s /bin/sh -c %s"):format(user, apps.quote(command)) end
  return apps.shell(command)
end

local run = start()

-- Looking.

run.says("1 + 1", "2")
run.says("'a', nil, 2.5", '"a"\tnil\t2.5')
run.says("local x = 3 return x * x", "9")
run.says("@maker self.position.GOOG", "-2")
run.says("@maker.lua self.name", '"maker.lua"')
run.says("@maker #self.position + 1", "1")
run.says("@maker count > 0 and self.last.symbol == seen", "true",
         "locals and globals of a script's file")
run.says("@maker local n = 0 for _, v in pairs(self.position) do n = n + v end return n",
         "1")
run.says("@maker next(self.log)", "nil\tnil")
run.says("@all tw.clock() > 0", "@0  true\n@1  true", "side by side")
run.says("@1 print('x', 1)", "x\t1", "what it prints")
run.says("@spread self.shard", "@spread 0  1\n@spread 1  2", "each instance of a script")
run.says("@spread self.own.value > 0", "@spread 0  true\n@spread 1  true")
run.says("tw.sleep(0.01)", "true", "it may wait")
run.says("coroutine.wrap(function() return select('#', 1, 2) end)()", "2")
run.says("require('tw').instrument('AAPL').symbol", '"AAPL"')
run.says("load('return board')() == board", "true")
run.says("", "", "an empty line")

-- Refused: nothing changes, and why is said.

local ONLY = "this line may only look: .*begin it with ! to change things"
for _, line in ipairs {
  "x = 1", "_G.x = 1", "rawset(_G, 'x', 1)", "load('x = 1')()", "tw.x = 1",
  "local _ENV = _G x = 1", "board.x = 1", "string.rep = nil", "getmetatable('').x = 1",
  "@maker self.position.AAPL = 4", "@maker self.position = {}", "@maker seen = 'x'",
  "@maker count = 0", "@maker table.insert(self.log, 1)", "@maker self:change()",
  "@maker self.change(self)", "@maker rawget(self, 'position').x = 1",
  "@maker for k, v in pairs(self) do if k == 'position' then v.AAPL = 4 end end",
  "@spread self.own:push(1)", "@spread self.own:reset()", "@spread self:track {}",
  "tw.publish('a', 1)", "os.exit()", "os.remove('x')", "io.open('x', 'w')",
  "collectgarbage()", "debug.sethook()", "tw.pool.run(print)", "tw.cache('x')",
  "require 'nothing'", "dofile 'x'", "setmetatable({}, { __gc = print })",
  "math.randomseed(1)", "tw.task.detach(print)", "package.loaded.x = 1",
  "getmetatable('').__index.rep = 1", "table.insert(package.searchers, 1)",
  "tw.instrument('AAPL').symbol = 'x'", "io.stdout:write 'x'", "io.popen 'id'",
  "debug.getregistry()", "require('tw.evaluate').change('x = 1', print)",
  "@maker print(self.odd)", "@maker tostring(self.odd)", "@maker #self.odd",
  "@maker self.odd.x", "@maker for _ in pairs(self.odd) do end", "@maker self.odd()",
  "@maker ('%s'):format(self.odd)", "@maker table.sort(self.list)",
  "@maker table.concat(self.odd, '', 1, 3)", "@maker self.next()", "string.x = 1",
  "tw.rollback 'maker.lua'",
} do
  run.refuses(line, ONLY)
end
run.says("@maker self.position.AAPL", "3", "and nothing has changed")
t.ok(run.attach("-e '@maker self.odd' -e '@maker self'").out:find "^table: 0x%x+\n{",
     "what has a __tostring of its own is shown without")
run.says("@maker odd, self.list[1]", "nil\t3", "no metamethod of a script was called")
run.says("x, board.x, tw.x", "nil\tnil\tnil")

-- What makes no sense.

run.refuses("nonsense(", "line:1: .*near")
run.refuses("nil + 1", "line:1: attempt to perform arithmetic on a nil value")
run.refuses("error 'broken'", "^line:1: broken\n$")
run.refuses("@9 1", "no worker 9: there are 0 to 1")
run.refuses("@nobody 1", "no script 'nobody'; there are maker, spread")
run.refuses("@maker", "@maker: what%?")
run.refuses("@all error(1 .. '')", "@0  .*1\n@1  .*1\n")

-- Budgets.

local TOOK = "stopped: it took more than 10 ms of CPU time"
run.refuses("while true do end", TOOK)
run.refuses("while true do pcall(error) end", TOOK, "a loop around pcall")
run.refuses("local f = coroutine.wrap(function() while true do end end) f()", TOOK)
run.refuses("table.sort({ 1, 2, 3 }, function() while true do end end)", TOOK,
            "where nothing can yield")
run.refuses("while true do tw.sleep(0) end", TOOK, "a little at a time")
run.refuses("local t <close> = setmetatable({}, { __close = function() while true do end"
            .. " end }) error 'x'", TOOK, "in a __close")
run.refuses("('x'):rep(1e9)", "rep: more than 16 MiB")
local got = run.attach("--cpu 20 --wait 100 --memory 8 -e " .. apps.quote
  "local t = {} for i = 1, 1e9 do t[i] = tostring(i) end")
t.ok(got.err:find "stopped: it took more than 8 MiB of memory"
     or got.err:find "not enough memory; see %-%-memory", "a table that grows")
got = run.attach("--cpu 20 --wait 100 --memory 4 -e " .. apps.quote
  "local s = '' while true do s = s .. ('x'):rep(10000) end")
if not t.ok(got.err:find "memory", "a text that grows") then t.diag(got.err) end
got = run.attach("--cpu 20 --wait 100 --memory 4 -e " .. apps.quote
  "local s = ('x'):rep(3e6) return s .. s .. s .. s")
t.is(got.err, "not enough memory; see --memory in `tidewire help attach`\n",
     "a text that is joined")
got = run.attach("--wait 0.1 -e 'tw.sleep(1000)'")
if not t.ok(got.err:find "^sleep: the time is over\n$"
            or got.err:find "^stopped: it took longer than 0.1 s", "a wait") then
  t.diag(got.err)
end
t.is(got.status, 1, "a wait: status")
got = run.attach("--cpu 20 --wait 0.1 -e 'while true do end'")
t.is(got.err, "stopped: it took longer than 0.1 s; see --wait in `tidewire help"
     .. " attach`\n", "a loop that may use more CPU time than that")
got = run.attach("--cpu 20 --wait 0.000001 -e 'while true do end'")
t.is(got.err, "stopped: it took longer than 1e-06 s; see --wait in `tidewire help"
     .. " attach`\n", "one whose time is over before its first turn")
got = run.attach("--cpu 20 --wait 100 -e "
                 .. "'xpcall(error, function() while true do end end)'")
t.ok(got.err:find "^stopped: 10 ms in a place where it can't step aside",
     "a budget that is large, in an error handler")
got = apps.shell(run.command("--cpu 60 --wait 60 -e 'while true do end'", true) .. " & "
  .. "until " .. run.command "-e ps" .. " | grep -q 'attached: while'; do :; done; "
  .. "kill -INT $!; wait $!")
t.is(got.err, "cancelled\n", "Ctrl-C")
t.is(got.status, 1, "Ctrl-C: status")
for _, line in ipairs {
  "('a'):rep(40):find(('a-'):rep(20) .. 'b')", "('a'):rep(1e5):gsub('a-b', '')",
  "string.match(('a'):rep(1e6), '(a*)(a*)b')", "table.move({}, 1, 1e15, 2)",
  "('a'):rep(9e6):find(('a'):rep(1e6) .. 'b', 1, true)",
  "table.remove(setmetatable({}, { __len = function() return 1e15 end }), 1)",
  "table.concat(setmetatable({}, { __index = type }), '', 1, 1e9)",
  "local t = {} for i = 1, 1e5 do t[i] = i end table.sort(t, rawequal)",
  "local s = ('x'):rep(6e6) while true do local _ = s .. s end",
  "error(setmetatable({}, { __tostring = function() while true do end end }))",
  "setmetatable({}, { __tostring = function() while true do end end })",
  "xpcall(error, function() while true do end end)",
} do
  local answer = run.attach("-e " .. apps.quote(line))
  if not t.ok(answer.err:find(TOOK, 1, true) or answer.out:find "^table: 0x%x+\n$", line)
  then
    t.diag(answer.out .. answer.err)
  end
end
run.says("load(('x = 1;'):rep(1e5))", 'nil\t"a chunk of more than 16384 bytes"')
run.says("(''):rep(1e18)", '""')
run.refuses("error(setmetatable({}, { __tostring = function(e) error(e) end }))",
            "C stack overflow")
run.refuses("for i = 1, 1e9 do print(('x'):rep(9999)) end", ".*", "what prints for ever")

-- Changing, which is in the log.

run.says("!@maker self.position.AAPL = 4", "", "! before @")
run.says("@maker !self.log[1] = 'x'", "", "! behind @")
run.says("@maker self.position.AAPL, self.log[1]", '4\t"x"')
run.says("!@maker self:change() return self.position.AAPL", "0", "a method")
run.says("!board.x = 5", "")
run.says("@1 board.x", "5")
run.refuses("!error 'broken\27[2J'", "broken")
got = run.attach("-e audit")
for _, want in ipairs { "!@maker self.position.AAPL = 4", "!board.x = 5", "@0: done",
                        "@0: failed line:1: broken", "!error 'broken\\x1B[2J'",
                        ("uid %s pid "):format(apps.shell("id -u").out:match "%d+") } do
  t.ok(got.out:find(want, 1, true), "audit: " .. want)
end
t.ok(not got.out:find "1 %+ 1", "what only looks is not there")

-- Commands.

local function shows(line, ...)
  local answer = run.attach("-e " .. apps.quote(line))
  local fine = t.is(answer.status, 0, line .. ": status")
  for _, pattern in ipairs { ... } do
    fine = t.ok(answer.out:find(pattern), line .. ": " .. pattern) and fine
  end
  if not fine then t.diag(answer.out .. answer.err) end
end

shows("status", "^market, pid %d+, tidewire %S+, runs for %S+ %a+, cpu",
      "\n%S+ records, %S+/s",
      "\nfeed synthetic: live, ", "\n +0 +%d", "\n +1 +%d")
shows("scripts", "\nmaker.lua +0 +1 +1 +%S+ +%S+ +0 +runs", "\nspread.lua +0 +1/2",
      "\nspread.lua +1 +2/2")
shows("lag", "script +worker +lag", "spread.lua")
shows("ps", "maker.lua +worker 0")
shows("gc", "worker +before +after", "\n0 +[%d.]+ [KM]iB +[%d.]+ [KM]iB",
      "\n1 +[%d.]+ [KM]iB", "\npool 0 +[%d.]+ [KM]iB")
shows("errors", "^no errors\n$")
shows("log 50", "audit: ")
shows("log level", "^info\n$")
shows("help", "@maker expr", "rollback NAME")
run.refuses("log level loud", "error, warn or info expected, got loud")
run.refuses("pause nobody", "no script 'nobody'; there are maker, spread\n")
run.refuses("pause", "pause: expected pause NAME, or pause all")
run.refuses("reload a b c", "reload: expected reload NAME")
run.says("status == nil", "true", "a command's name in an expression")
got = run.attach "-e statsu"
t.is(got.err, "'statsu' is no command; `help` lists them\n", "a command that is none")

-- Threads of the pool.

run.says("@pool 1 + 1", ("@pool 0  2\n@pool 1  2\n"):sub(1, -2), "in the pool")
run.refuses("@pool x = 1", ONLY)
run.refuses("!@pool x = 1", "its states may only be looked at")
run.refuses("@pool while true do end", TOOK)
if apps.has "tsan" then
  t.skip "the thread sanitizer holds signals back: a job that computes goes on"
else
  run.says("!require('tw.pool').run(function() while true do end end) return 1", "1")
  t.ok(run.waits("ps", "pool %d +running"), "a job that computes")
  run.says("@pool 1 + 1", "@pool 0  2\n@pool 1  2", "beside a job that computes")
end

run.says("pause maker", "maker.lua: paused")
local at = run.attach("-e '@maker count'").out
shows("scripts", "maker.lua +0 +1 +1 +%S+ +%S+ +0 +paused")
t.ok(run.waits("@1 tw.sleep(0.05)", "true"), "meanwhile the market goes on")
run.says("@maker count", at:match "%d+", "a script that is paused takes no records")
run.says("resume maker", "maker.lua: resumed")
t.ok(run.waits("@maker count > " .. at:match "%d+" .. " + 50", "true"), "resumed")

run.says("halt too much", "trading is halted: no order goes out, open ones are canceled")
run.says("tw.is_halted()", "true")
run.says("unhalt", "trading goes on")
run.says("tw.is_halted()", "false")
shows("log 50", "warn: uid %d+ pid %d+: trading is halted: .*: too much",
      "audit: .*halt too much")
run.says("pause all", "maker.lua: paused\nspread.lua: paused, 2 instances")
run.says("resume all", "maker.lua: resumed\nspread.lua: resumed, 2 instances")

local function rewrite(from, to)
  local path = run.directory .. "/maker.lua"
  apps.put(path, (read(path):gsub(from, to)))
end
rewrite("AAPL = 0", "AAPL = 7")
run.says("reload maker", "maker.lua: version 2")
run.says("!@maker self:change() return self.position.AAPL", "7", "the new version")
run.says("rollback maker", "maker.lua: version 3")
run.says("!@maker self:change() return self.position.AAPL", "0", "the old one again")
run.says("rollback maker 2", "maker.lua: version 4")
shows("scripts", "\nmaker.lua +0 +4 +%S+ +%S+ +%S+ +0 +runs")
rewrite("AAPL = 7", "AAPL = = 7")
run.refuses("reload maker", "^reload of maker.lua refused, version 4 goes on: .*near '='")
shows("audit", "reload maker: reload of maker.lua refused",
      "rollback maker 2: .* version 4")

got = apps.shell(([[h=%s/heard; mkfifo $h.in; { %s; } <$h.in >$h.out 2>$h.err &
  exec 3>$h.in; printf '%%s\n' 'log follow' "!@maker self.say = 'hello there'" >&3
  until grep -q 'hello there' $h.err; do kill -0 $! || break; sleep 0.02; done
  echo '1 + 1' >&3; exec 3>&-; wait $!; cat $h.out; cat $h.err >&2]])
  :format(run.directory, run.command "--cpu 2"))
t.ok(got.err:find "hello there", "log follow: what a script prints")
t.ok(got.out:find "2\n$", "log follow: and what was asked")

-- How it is called.

got = run.attach("market --cpu 2 -e 1 -e 2")
t.is(got.out, "1\n2\n", "by name, two expressions")
got = run.attach(run.pid .. " --cpu 2 -e 1")
t.is(got.out, "1\n", "by pid")
got = run.attach("--cpu 2", "1 + 1\nnil()\n3\n")
t.is(got.out, "2\n3\n", "lines of standard input")
t.is(got.status, 1, "one of them has failed")
t.is(run.attach("--cpu 2", "1\n2").status, 0, "none has failed; the last without its end")
got = run.attach("other -e 1")
t.ok(got.err:find("no run 'other'; there are\n  tidewire attach " .. run.pid
                  .. "    market", 1, true), "no such run: those that there are")
t.is(got.status, 1, "no such run: status")
for _, case in ipairs { "-e", "--cpu x", "--memory 0", "--wait", "--nonsense", "a b" } do
  t.is(run.attach(case).status, 2, "attach " .. case)
end

local other = start { before = function(o)
  assert(os.execute(("rmdir %s && ln -s %s %s"):format(o.xdg, run.xdg, o.xdg)))
end }
got = run.attach("-e 1")
t.ok(got.err:find "2 are running; say which:\n" and got.err:find("attach " .. run.pid)
     and got.err:find("attach " .. other.pid), "two runs: say which")
t.is(run.attach(other.pid .. " --cpu 2 -e 1").out, "1\n", "one of two, by pid")
t.is(other.stop().status, 130, "the other ends")

-- At a terminal.

for _, term in ipairs { "dumb", "xterm" } do
  got = apps.shell(("printf '1 + 1\\r@maker self.name\\rfor i = 7, 8 do\\rprint(i) end\\r"
    .. "quit\\r' | TERM=%s script -qec %s /dev/null")
    :format(term, apps.quote(run.command "--cpu 2")))
  if not got.out:find "market" then
    t.skip "script(1) makes no terminal here"
    break
  end
  local name = "at a terminal, TERM=" .. term
  t.ok(got.out:find "attached to market %d+ ", name .. ": where one is")
  t.ok(got.out:find "2\r?\n" and got.out:find '"maker.lua"', name .. ": answers")
  if term == "xterm" then
    t.ok(got.out:find "\27%[%?2004l7\r?\n8\r?\n", "an entry of two lines")
  end
end
got = apps.shell(("printf '@maker self.posi\\t.AAPL + 1\\rquit\\r' | TERM=xterm"
  .. " script -qec %s /dev/null"):format(apps.quote(run.command "--cpu 2")))
t.ok(got.out:find "2004l1\r?\n", "completion asks the host")

-- Whoever is attached can do the run no harm.

local many = {}
for i = 1, 8 do
  many[i] = run.command("-e '@all tw.sleep(0.01)' -e 'while true do end' -e " .. i)
end
got = apps.shell("{ " .. table.concat(many, " & ") .. " & wait; } 2>/dev/null")
local _, answers = got.out:gsub("%f[^\n%z]%d\n", "")
t.is(answers, 8, "many at once")

apps.shell(run.command("--wait 1000 -e 'tw.sleep(999)'", true) .. " & echo $! >"
  .. run.directory .. "/client; true")
t.ok(run.waits("ps", "attached: tw.sleep%(999%)"), "one waits")
os.execute("kill -9 " .. read(run.directory .. "/client"):match "%d+")
for _ = 1, 1000 do
  got = run.attach "-e ps"
  if not got.out:find "sleep%(999%)" then break end
end
t.ok(not got.out:find "sleep%(999%)", "and what it asked has ended")

-- Killed while it reads a large answer, and before it has read any of it.
for _, many in ipairs { 1, 40 } do
  apps.shell(("{ %s & } | head -c %d; kill -9 $! 2>/dev/null; true"):format(
    run.command("-e " .. apps.quote "for i = 1, 25 do print(('x'):rep(9999)) end", true),
    many))
  run.says("1", "1", ("killed after %d bytes of an answer"):format(many))
end

-- The one too many is told, and so is who comes when others have gone.
got = perl(run, [[my @all; my $last = "";
  for (1 .. 40) {
    my $c = IO::Socket::UNIX->new(Peer => $path) or die "connect: $!\n";
    sysread($c, $last, 1000);
    push @all, $c;
  }
  print substr($last, 4), "\n"; ]])
t.ok(got.out:find "^B16 are attached: no more are let in\n", "forty at once: " .. got.out)
t.ok(run.waits("1", "^1\n"), "and when they have gone")
local crowd = {}
for i = 1, 60 do crowd[i] = run.command("--cpu 2 -e 1 2>&1") end
got = apps.shell("{ " .. table.concat(crowd, " & ") .. " & wait; }")
local odd = got.out:gsub("1\n", ""):gsub("tidewire: market: 16 are attached: no more"
                                        .. " are let in\n", "")
t.is(odd, "", "sixty that come at once hear one or the other")

perl(run, [[print $s substr(frame("L0.01 1000000 1\n1 + 1"), 0, 12); $s->flush; ]])
run.says("1", "1", "somebody left in the middle of a line")
got = perl(run, [[print $s pack("N", 1 << 30); $s->flush; local $/; print <$s>; ]])
t.ok(got.out:find "that is no frame of tidewire", "a frame that is too long")
got = perl(run, [[print $s frame("Lnonsense"); $s->flush; my $b = "";
  while (sysread($s, my $x, 1e6)) { $b .= $x; last if $b =~ /D1$/ } print $b; ]])
t.ok(got.out:find "that is not what `tidewire attach` says", "a line without its head")
run.says("1", "1", "somebody speaks another language")
perl(run, [[print $s frame("L0.01 1000000 1\n1") x 5; $s->flush; ]])
run.says("1", "1", "somebody sends several lines at once")
got = perl(run, [[use IO::Poll; $SIG{PIPE} = "IGNORE";
  print $s frame("L0.01 1000000 1\nhelp") x 20000; $s->flush;
  my $p = IO::Poll->new; $p->mask($s => POLLHUP); $p->poll; print "dropped"; ]])
t.is(got.out, "dropped", "somebody does not read: the end")
run.says("1", "1", "somebody does not read")
t.ok(run.attach("-e errors").out:find "client %d+ does not read: it is dropped",
     "and is dropped")

-- One that does not run now.
os.execute("kill -STOP " .. run.pid)
got = run.attach "-e 1"
t.is(got.err, ("tidewire: attach: market (pid %s) does not answer\n"):format(run.pid),
     "a run that was stopped")
os.execute("kill -CONT " .. run.pid)
t.ok(run.waits("1", "^1\n"), "and goes on")

-- Permissions.

t.is(apps.shell(("stat -c %%a %s/tidewire %s/tidewire/*"):format(run.xdg, run.xdg)).out,
     "700\n600\n", "modes of the directory and the socket")
if apps.shell("id -u").out == "0\n" then
  apps.shell(("chmod 755 %s %s/tidewire $(dirname %s) $(dirname $(dirname %s));"
    .. " chmod 666 %s/tidewire/*"):format(run.xdg, run.xdg, run.xdg, run.xdg, run.xdg))
  got = perl(run, [[local $/; print "heard: ", <$s>; ]], "nobody")
  if not t.is(got.out, "heard: ",
              "another user, where the modes would let it in, hears nothing") then
    t.diag(got.status .. got.err)
  end
  apps.shell(("chmod 700 %s/tidewire; chmod 600 %s/tidewire/*"):format(run.xdg, run.xdg))
else
  t.skip "another user: not run as root"
end

-- The end of the run, with somebody attached.

apps.shell(("{ %s; echo status $?; } >%s/last 2>&1 & true"):format(
  run.command "--wait 1000 -e 'tw.sleep(997)'", run.directory))
t.ok(run.waits("ps", "attached: tw.sleep%(997%)"), "somebody waits")
local ended = run.stop()
t.is(ended.status, 130, "the run ends meanwhile")
local till = os.time() + 120
while not read(run.directory .. "/last"):find "status" and os.time() < till do
  os.execute "sleep 0.02"
end
t.ok(read(run.directory .. "/last"):find "the run has ended\nstatus 1\n$",
     "and who waited is told")
t.is(run.sockets(), "", "no socket is left")
t.ok(ended.err:find "audit: [%dTZ:-]+ uid %d+ pid %d+: !board.x = 5\n",
     "the audit is in the run's log")

-- The market has not noticed: every quote was handled once, but for those that were not
-- read yet when the run was told to end.
local handled, last, wrong = ended.out:match "count\t(%d+)\t(%d+)\t(%d+)\n"
local appended = tonumber(ended.err:match "feed synthetic %(%a+%): (%d+) records")
t.is(handled, last, "every quote was handled")
t.is(wrong, "0", "in its turn")
t.ok(last and appended and tonumber(last) <= appended, "up to the end")
t.ok(not ended.out:find "gap", "no gap")
t.is(apps.shell(run.command "-e 1").err, "tidewire: attach: nothing is running\n",
     "then nothing is running")

-- A run that was killed leaves its socket; who looks removes it.

run = start()
t.is(run.stop "KILL".status, 137, "killed")
t.ok(run.sockets():find "market", "its socket is left")
t.is(run.attach("-e 1").err, "tidewire: attach: nothing is running\n",
     "nothing runs there")
t.is(run.sockets(), "", "and it is removed")

-- Runs that nobody can attach to.

run = start { args = { "--no-attach" } }
t.is(run.sockets(), "", "--no-attach: no socket")
t.is(run.attach("-e 1").status, 1, "--no-attach: nobody is there")
t.is(run.stop().status, 130, "--no-attach: and it ends")

-- The audit file.

run = start { args = { "--audit", "audit" } }
local function audited() return read(run.directory .. "/audit") end
t.is(audited(), "", "an audit file: nothing was changed")
run.says("!board.x = 1", "")
run.refuses("!error 'x\\ny'", "x")
run.says("1", "1")
run.says("pause maker", "maker.lua: paused")
local WHO = "%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ market " .. run.pid .. " uid %d+ pid %d+: "
t.ok(audited():find("^" .. WHO .. "!board%.x = 1\n" .. WHO .. "@0: done \n" .. WHO
  .. "!error 'x\\ny'\n" .. WHO .. "@0: failed line:1: x\\x0Ay\n" .. WHO
  .. "pause maker\n$"), "its lines: who, when, where, what, how it ended")
run.says("!return #'" .. ("x"):rep(9000) .. "'", "9000")
t.ok(audited():find(("x"):rep(9000), 1, true), "a long line is whole there")
t.ok(run.attach("-e 'audit 2'").out:find "x … 90%d%d bytes\n", "and cut in the log")
t.is(apps.shell("stat -c %a " .. run.directory .. "/audit").out, "600\n", "its mode")
assert(os.rename(run.directory .. "/audit", run.directory .. "/old"))
run.says("!board.x = 2", "")
t.ok(audited():find "!board.x = 2\n.*@0: done \n$", "moved away: a new one")
assert(os.remove(run.directory .. "/audit"))
assert(os.execute("mkdir " .. run.directory .. "/audit"))
run.refuses("!board.x = 3", "^audit file audit: .*: nothing was done\n$")
run.refuses("resume maker", "nothing was done")
run.refuses("gc", "nothing was done")
run.says("board.x", "2", "without it nothing is changed")
t.ok(run.attach("-e audit").out:find "gc: not done: audit file audit: ", "that is said")
assert(os.remove(run.directory .. "/audit"))
local file <close> = assert(io.open(run.directory .. "/audit", "w"))
file:write "half a line"
file:close()
run.says("!board.x = 4", "")
t.ok(audited():find "^half a line\n%d+%-", "behind half a line comes a new one")
t.is(run.stop().status, 130, "an audit file: the run ends")

run = start { args = { "--audit", "/dev/full" } }
run.refuses("!board.x = 1", "^audit file /dev/full: no space left on device: nothing was")
run.says("board.x", "nil", "a full disk: nothing is changed")
t.is(run.stop().status, 130, "a full disk: the run ends")
do
  local directory = apps.write { app = 'app.feed.synthetic {} app.script "a.lua"',
                                 ["a.lua"] = "" }
  got = apps.shell(("cd %s && %s run app.lua --audit none/audit"):format(directory,
                                                                        apps.tidewire))
  if not t.ok(got.err:find "audit file none/audit: no such file", "a file that can't be")
  then
    t.diag(got.err)
  end
  t.is(got.status, 1, "a file that can't be: status")
end

run = start { before = function(o)
  local long = o.directory .. "/" .. ("x"):rep(100)
  assert(os.execute(("rmdir %s && mkdir %s && ln -s %s %s"):format(o.xdg, long, long,
                                                                   o.xdg)))
  o.xdg = long
end }
ended = run.stop()
t.ok(ended.err:find "nobody can attach: .* bytes, and the path of a socket may have 107",
     "a path that is too long for a socket")

-- What a script has and has sent; and to close it.

local DESK = [[
  local M = { account = { fill = "quote", cash = 1e6 } }
  function M:on_quote(symbol)
    if self.sent or symbol ~= "AAPL" then return end
    self.sent = true
    self:buy("AAPL", 300)
    self:buy("AAPL", 100, 0.01)
  end
  return M]]

run = start { before = function(o)
  apps.put(o.directory .. "/desk.lua", DESK)
  apps.put(o.directory .. "/market.lua", read(o.directory .. "/market.lua")
           .. ' app.script("desk.lua")')
end }
t.ok(run.waits("@desk self:position 'AAPL'", "^300.0\n"), "@desk self:position(symbol)")
run.says("@desk self:position 'GOOG'", "0.0")
run.says("@desk self.account.cash < 1e6, self.account.fees, self.account.currency",
         'true\t0.0\t"USD"')
run.says("@desk self.account.equity > 0 and self.account:cash_in 'USD' < 1e6", "true")
run.says("@desk self.account:position('AAPL').quantity", "300.0")
run.says("@desk local p = self:positions() return #p, p[1].symbol", '1\t"AAPL"')
run.says("@desk local o = self:orders() return #o, o[1].price, o[1].status",
         '1\t0.01\t"new"')
run.says("@desk #self:orders 'GOOG'", "0")
run.refuses("@desk self:flatten()", "'flatten' is a function that may change something")
run.refuses("@desk self:buy('AAPL', 1)", "'buy' is a function that may change")
run.refuses("@desk self:orders()[1]:cancel()", "'cancel' is a function that may change")
run.refuses("@desk self.account:position 'NONE'", "NONE")
run.refuses("@desk self.account.nonsense", "an account has no field 'nonsense'")
run.refuses("@spread self.account.equity", "account: the script has not traded yet")
run.refuses("@spread self:position 'AAPL'", "position: the script has not traded yet")
run.says("!@desk self:flatten()", "1")
t.ok(run.waits("@desk self:position 'AAPL'", "^0.0\n"), "flat")
t.ok(run.waits("@desk #self:orders()", "^0\n"), "and nothing is open")
t.ok(run.attach("-e audit").out:find "!@desk self:flatten%(%)\n.*done 1\n", "audited")
t.is(run.stop().status, 130, "a script that trades: the run ends")

-- A built program has its own name; so has a run with a prompt in it.

run = start {
  program = "./bot.x", before = function(o)
    local built = apps.shell(("cd %s && %s build market.lua -o bot.x"):format(o.directory,
                                                                          apps.tidewire))
    if not t.is(built.status, 0, "a program is built") then t.diag(built.err) end
  end
}
t.is(run.attach("bot_x -e '@maker self.position.GOOG'").out, "-2\n", "by its name")
t.is(run.attach(run.pid .. " -e '!board.x = 1' -e board.x").out, "1\n", "by its pid")
t.is(run.stop().status, 130, "it ends")

run = start { program = "% repl market.lua", through = "tail -f /dev/null |" }
t.is(run.attach("market -e '@maker self.position.GOOG' -e 'pause maker'").out,
     "-2\nmaker.lua: paused\n", "a run with a prompt")
run.stop "KILL"

for name, before in pairs {
  ["a directory that all can read"] = "mkdir -m 755 %s/tidewire",
  ["a file in its place"] = "touch %s/tidewire",
  ["a link to somewhere else"] = "ln -s / %s/tidewire",
  ["no directory at all"] = "rmdir %s",
} do
  run = start { before = function(o) assert(os.execute(before:format(o.xdg))) end }
  ended = run.stop()
  t.is(ended.status, 130, name .. ": the run goes on")
  t.ok(ended.err:find "tidewire: warning: nobody can attach: ", name .. ": and says so")
end
