--- revise: new versions of the app file while it runs, taken up whole or refused whole.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

-- What a script that leads a test begins with, on one line.  M.steps: what to do at its
-- n-th quote; while it waits for a reload the tape waits for it.
local LEADER = apps.leader .. ([[
local function write(name, text)
  local file <close> = assert(io.open(here .. name, "w"))
  assert(file:write(text))
end
local first
do
  local file <close> = io.open(here .. "app.lua")
  first = file:read "a"
end
local function edited(...)
  local text = first
  for i = 1, select("#", ...), 2 do
    local from, to = select(i, ...)
    local at, till = text:find(from, 1, true)
    assert(at, from)
    text = text:sub(1, at - 1) .. to .. text:sub(till + 1)
  end
  return text
end
local function edit(...) write("app.lua", edited(...)) end
local function reload(name) return answer(tw.reload(name or "app.lua")) end
local function rollback(name, version) return answer(tw.rollback(name, version)) end
local n = 0
function M.on_quote()
  n = n + 1
  if M.steps[n] then M.steps[n]() end
end
]]):gsub("\n", " ")

-- o: lead (the leader's steps); as apps.led, but for what s.lua is usually declared with.
local function run(o)
  o.app = o.app or "app.script('s.lua', { shard = 'symbol', params = { edge = 1 } })"
  o.limit = o.limit or 3000
  return apps.led(LEADER .. "M.steps = { " .. o.lead .. " }", o)
end

local function check(name, o, want)
  return apps.ended(run(o), name, want, o.status)
end

local function says(ran, pattern, name)
  if not t.ok(ran.err:find(pattern), name) then t.diag(ran.err) end
end

-- What follows: what scripts are given, the screen, functions.
local SHARDS = [[
  function M:on_start() self.n, self.given = 0, self.params end
  function M:on_quote() self.n = self.n + 1 end
  %s
  function M:on_stop()
    board["edge" .. self.shard], board["n" .. self.shard] = self.params.edge, self.n
    board["same" .. self.shard] = self.given == self.params
  end]]
local APP = [[
  app.script('s.lua', { shard = 'symbol', params = { edge = 1 } })
  local seen = 0
  app.on_feed(function() seen = seen + 1 end)
  app.on_end(function(status)
    local b = require 'tw.board'
    print("old", b.edge1, b.edge2, b.same1, b.n1 + b.n2, status.app.version, seen)
    return true
  end) ]]
local ran = check("what scripts are given, and functions, follow", {
  app = APP, s = SHARDS:format "",
  lead = [[ [1000] = function()
      edit("edge = 1", "edge = 2", '"old"', '"new"')
      print(reload())
    end ]] }, "2\nnew\t2\t2\tfalse\t3000\t2\t1\n")
says(ran, "^tidewire: app.lua: version 2 since record %d+: on_end, params of s.lua\n",
  "which the log says")
says(ran, "\ntidewire: s.lua: version 2 since record %d+, 2 instances, paused",
  "and of the script")
local of_app, of_script = ran.err:match("app.lua: version 2 since record (%d+).*"
  .. "s.lua: version 2 since record (%d+)")
t.is(of_app, of_script, "at one record")

for shard = 1, 2 do
  ran = check(("shard %d refuses: all is as it was"):format(shard), {
    app = APP, s = SHARDS:format(([[function M:on_check()
      return self.params.edge == 1 or self.shard ~= %d, "not 2"
    end]]):format(shard)),
    lead = [[ [1000] = function()
        edit("edge = 1", "edge = 2", '"old"', '"new"')
        print(reload():match "refused.*")
      end ]] },
    ("refused, version 1 goes on: worker %d: on_check failed: not 2\n"):format(shard - 1)
    .. "old\t1\t1\ttrue\t3000\t1\t2\n")
end

check("by the name without .lua, or the path; comments are a version, too", {
  app = APP, s = SHARDS:format "",
  lead = [[ [1000] = function()
      print(reload "app")
      edit("local seen", "-- a comment\nlocal seen")
      print(reload(here .. "app.lua"), rollback "app", rollback("app", 1))
      print(rollback("app", 9), reload "nothing")
    end ]] },
  "2\n3\t4\t5\nreload of app.lua refused, version 5 goes on: there is no version 9:"
  .. " those from 1 to 5 are kept\ttw.reload: the app has no script 'nothing'\n"
  .. "old\t1\t1\ttrue\t3000\t5\t1\n")

-- A version of a script is its text and what it is given.
ran = check("back to what it was given before", {
  app = "app.script('s.lua', { params = { edge = 1 } }) ",
  s = "function M:on_stop() print(self.params.edge) end",
  lead = [[ [10] = function()
      edit("edge = 1", "edge = 2")
      print(reload(), rollback "s.lua", reload(), rollback("app", 1), reload "s.lua")
    end ]] }, "2\t3\t3\t4\t6\n1\n")
says(ran, "app.lua: version 3 since record %d+: params of s.lua\n",
  "the app is compared with what runs")
says(ran, "app.lua: version 4 %(version 1 again%) since", "a rollback of the app")

check("symbols, messages and on_error follow", {
  app = "app.script('s.lua', { symbols = 'AAPL' }) ",
  s = [[
    function M:on_start() self.again, self.seen = board.failed, {} end
    function M:on_quote(symbol)
      self.seen[symbol] = true
      board.again = self.again
      if symbol == "BP" and not board.failed then
        board.failed = true
        error "once"
      end
    end
    function M:on_message(topic) print(topic) board.told = topic end
    function M:on_stop() print(self.seen.AAPL, self.seen.BP) end]],
  feed = "app.tape { capacity = 1 << 18 } "          -- for minutes: nothing is lost
    .. "app.feed.synthetic { rate = 1000, trades = 0 } ",
  lead = [[ }
    local stat <close> = io.open "/proc/self/stat"
    local pid = stat:read "n"
    function M.on_start()
      tw.task.detach(function()
        tw.publish("a.b", 1)
        edit("symbols = 'AAPL'",
             "symbols = 'BP', messages = 'x.*', on_error = 'restart', restarts = 2")
        print(reload())
        while not board.again do tw.sleep(0.01) end  -- it hears nothing until then
        tw.publish("a.b", 1)
        tw.publish("x.b", 1)
        while board.told ~= "x.b" do tw.sleep(0.01) end
        os.execute("kill " .. pid)
      end)
    end
    M.steps = {]], status = 143 }, "a.b\n2\nx.b\nnil\ttrue\n")

-- What can't follow refuses all of it.
local FIXED = {
  { "trades = 0", "trades = 0.5", "feed synthetic" },
  { "app.script('s.lua'", "app.feed.timer { every = 1 } app.script('s.lua'",
    "feed timer, which is new" },
  { "trades = 0", "trades = 0, name = 'other'",
    "feed other, which is new, feed synthetic, which is gone" },
  { "BP", "XOM", "the instruments from XOM on (sectors, weights)" },
  { "country = 'US'", "code = 'US'", "the instruments from GOOG on (sectors, weights), "
    .. "the attributes" },
  { "app.script('leader", "app.script('new.lua') app.script('leader",
    "script new.lua, which is new" },
  { "app.script('gone.lua')", "", "script gone.lua, which is gone" },
  { "shard = 'symbol'", "shard = 'symbol', workers = { 1 }", "workers of s" },
  { "'gone.lua'", "'new.lua', { name = 'gone.lua' }", "file of gone.lua" },
  { "shard = 'symbol'", "workers = { 1 }", "shard of s" },
  { "reliable = true", "reliable = false", "reliable of s" },
  { "name = 's'", "name = 'other'",
    "script other, which is new, script s, which is gone" },
  { "capacity = 4096", "capacity = 8192", "the capacity of the tape" },
  { "app.script('gone", "app.pool { threads = 3 } app.script('gone", "app.pool" },
  { "cash = 5", "cash = 6", "app.account" },
  { "position = 7", "position = 8", "app.risk" },
  { "open = '09:30'", "open = '09:00'", "app.calendar" },
  { "app.script('gone", "app.book { levels = 3 } app.script('gone", "app.book" },
  { "reliable = true", "reliable = true, account = { cash = 1 }", "account of s" },
}
local lines, want = {}, {}
for i, one in ipairs(FIXED) do
  lines[i] = ("edit(%q, %q, 'edge = 1', 'edge = 2') print(reload():match %q)"):format(
    one[1], one[2],
    "goes on: (.*): this can't change while the app runs, so nothing does;")
  want[i] = one[3] .. "\n"
end
ran = check("what is built once refuses it all", {
  app = [[app.sectors { oil = { "BP" } } app.weights { AAPL = 0.5 }
    app.instruments { { symbol = "GOOG", country = 'US' } }
    app.script('s.lua', { name = 's', shard = 'symbol', params = { edge = 1 },
                          reliable = true })
    app.account { cash = 5 } app.risk { position = 7 }
    app.calendar("us", { open = '09:30', close = '16:00' })
    app.script('gone.lua') ]],
  s = "function M:on_stop() print(self.params.edge) end",
  files = { ["gone.lua"] = "return {}", ["new.lua"] = "return {}" },
  lead = ("[10] = function() %s end"):format(table.concat(lines, " ")) },
  table.concat(want) .. "1\n1\n")

-- What is wrong with a file is one clear line, and nothing else happens.
local BAD = {
  { "local seen", "local = seen", "app.lua:1: <name> expected near '='" },
  { "local seen", "error 'no' local seen", "app.lua:1: no" },
  { "local seen", "error({}) local seen", "version 1 goes on: {}" },
  { "local seen", "app.nothing() local seen", "app.lua:1: there is no app.nothing" },
  { "local seen", "app.screen { tittle = 1 } local seen", "did you mean 'title'?" },
  { "local seen", "require 'none' local seen", "app.lua:1: module 'none' not found" },
  { "local seen", "coroutine.yield() local seen",
    "attempt to yield across a C-call boundary" },
  { "local seen", "while true do end local seen", "it ran for more than 0.3 s" },
  { "local seen", "while true do pcall(error) end local seen", "for more than 0.3 s" },
  { "local seen", "local a = {} while true do a[#a + 1] = ('x'):rep(1e6) .. #a end "
    .. "local seen", "not enough memory" },
  { "app.param('p', 1)", "1", "--set p: " },
  { "edge = 1", "edge = print", "params.edge is a function" },
  { "edge = 1", "edge = 1 }, symbols = { {}", "symbols" },
}
lines = {}
for i, one in ipairs(BAD) do
  lines[i] = ("edit(%q, %q) local got = reload() print(got:find(%q, 1, true) or got)")
    :format(one[1], one[2], "reload of app.lua refused, version 1 goes on: ")
end
ran = run {
  app = "app.limits { time = 0.3, memory = 32 } local p = app.param('p', 1) "
    .. APP:gsub("\n", " "),
  s = SHARDS:format "", args = { "--workers", "2", "--set", "p=2" },
  lead = ("[10] = function() %s end"):format(table.concat(lines, " ")) }
t.is(ran.out, ("1\n"):rep(#BAD) .. "old\t1\t1\ttrue\t3000\t1\t2\n",
  "a bad file: all goes on")
t.is(ran.status, 0, "a bad file: status")
for _, one in ipairs(BAD) do
  if not t.ok(ran.err:find(one[3], 1, true), "told: " .. one[3]) then t.diag(ran.err) end
end

-- Nothing that a version does while it is tried has an effect; an error in its functions
-- is told as in the first version; it ends the run, maybe before all is read.
ran = check("what is tried says nothing", {
  app = APP, lead = [[ [1000] = function()
      edit("local seen", "print 'tried' local seen", '"old"', '"new"',
           "b.n1 + b.n2", "b.n1 + b.n2 > 999",
           "seen = seen + 1", "error('feeds')", "return true", "print 'now' return true")
      print(reload())
    end ]], s = SHARDS:format "", status = 1 }, "2\nnew\t1\t1\ttrue\ttrue\t2\t0\nnow\n")
says(ran, "\ntidewire: on_feed: app.lua:%d+: feeds\nstack traceback:\n",
  "an error in on_feed")
t.ok(not ran.err:find "traceback.*traceback", "which has one traceback")

-- The figures of the run say which version of the app there is.
ran = check("the summary names the version", {
  app = "app.script('s.lua') ",
  lead = [[ [10] = function() edit("app.script", "app.screen {} app.script")
      print(reload()) end ]] }, "2\n")
says(ran, "\napp.lua: version 2 since record %d+\n", "with its record")
says(ran, "app.lua: version 2 since record %d+: nothing that it declares\n",
  "what is new may be nothing that is declared")

-- Files that are watched: what editors do to them, and what the app requires.
ran = run {
  args = { "--workers", "1", "--watch" },
  feed = "app.feed.synthetic { rate = 1000 } app.feed.timer { every = 0.01 } ",
  app = "app.script('s.lua', { params = { v = 1, w = require 'conf' } }) ",
  files = { ["conf.lua"] = "return 1" },
  s = [[ function M:on_timer() board.v = self.params.v .. "." .. self.params.w end]],
  lead = "}" .. apps.watcher .. [[
    local function shows(version)
      local till = tw.clock() + 30
      while board.v ~= version and tw.clock() < till do tw.sleep(0.01) end
      print(board.v)
    end
    local function set(v) edit("v = 1", "v = " .. v) end
    function M:on_start()
      tw.task.detach(function()
        set(2) shows "2.1"
        write("conf.lua", "return 2") shows "2.2"
        local text = edited("v = 1", "v = 3")
        refused(function() write("app.lua", text:sub(1, #text // 2)) end, "near")
        print(board.v)
        refused(function() os.remove(here .. "app.lua") end, "cannot open")
        print(board.v)
        write("new.lua", text)                                     -- renamed over it
        os.rename(here .. "new.lua", here .. "app.lua") shows "3.2"
        for i = 1, 20 do set(4) set(5) end                          -- two at once
        shows "5.2"
        refused(function()                                          -- it can't be read
          os.remove(here .. "app.lua")
          os.execute("mkdir " .. here .. "app.lua")
        end, "cannot read")
        print(board.v)
        os.execute("rmdir " .. here .. "app.lua")
        write("conf.lua", "return 3 +") tw.sleep(0.2) print(board.v)
        write("conf.lua", "return 3")
        set(6) shows "6.3"
        board.over = true
      end)
    end
    local told
    function M:on_timer()                        -- a second signal would end it at once
      if not board.over or told then return end
      told = true
      os.execute("kill " .. board.pid)
    end
    local stat <close> = io.open "/proc/self/stat"
    board.pid = stat:read "n"
    M.steps = {]] }
t.is(ran.out, "2.1\n2.2\n2.2\n2.2\n3.2\n5.2\n5.2\n5.2\n6.3\n",
  "an app file that changes is seen, when it is whole; and what it requires")
t.is(ran.status, 143, "the run goes on until it is told to end")
-- What lasts only a moment, an empty file say, is seen or not.
local _, halves = ran.err:gsub("reload of app.lua refused, [^\n]*near", "")
t.is(halves, 1, "half a file is told, once")
says(ran, "goes on: cannot open app.lua: No such file", "a file that is gone")
says(ran, "goes on: cannot read app.lua: illegal operation on a dir", "one that is none")

-- The end of the run while a version is tried that never ends.
ran = run {
  feed = "app.feed.synthetic { rate = 1000 } ",
  app = "app.limits { time = 0 } app.script('s.lua') ", s = "",
  lead = [[ }
    local stat <close> = io.open "/proc/self/stat"
    local pid = stat:read "n"
    function M.on_start()
      tw.task.detach(function()
        edit("app.script(",
             "io.open(here .. 'in', 'w'):close() while true do end app.script(")
        tw.reload "app.lua"
        while not io.open(here .. "in") do tw.sleep(0.01) end
        os.execute("kill " .. pid)
      end)
    end
    M.steps = {]] }
t.is(ran.status, 143, "told to end while an app file is tried: the status of the signal")
says(ran, "terminated: stopping", "told to end: said")

-- The pool's threads run what the scripts run: not what stands on the disk, and not what
-- they required before.
local POOL = [[
  local mod = require "mod"
  local function look()
    local got = {}
    for i = 1, 8 do got[i] = tw.pool.run(function() return mod.name() end) end
    got[9] = tw.pool.run("mod.name")
    for i = 1, 9 do got[i] = got[i]:await() end
    for i = 2, 9 do assert(got[i] == got[1], "two versions in one pool") end
    return got[1]
  end
  function M:on_message(topic)
    print(topic, look())
    tw.channel(1, { name = "replies" }):send(true)
  end]]
check("pool threads follow a reload", {
  app = "app.pool { threads = 2 } app.script('s.lua', { workers = { 1 } }) ", s = POOL,
  files = { ["mod.lua"] = "return { name = function() return 1 end }" },
  feed = "app.feed.synthetic { rate = 1000 } ",
  lead = [[ }
    local stat <close> = io.open "/proc/self/stat"
    local pid = stat:read "n"
    function M:on_start()
      tw.task.detach(function()
        local replies = tw.channel(1, { name = "replies" })
        local function look(topic) tw.publish(topic, 1) assert(replies:recv()) end
        look "first"
        write("mod.lua", "return { name = function() return 2 end }")
        look "written"
        print(reload "s.lua")
        look "reloaded"
        write("mod.lua", "return { name = = }")
        print(reload("s.lua"):match "mod.lua:1")
        look "refused"
        print(rollback "s.lua")
        look "back"
        os.execute("kill " .. pid)
      end)
    end
    M.steps = {]], status = 143 },
  "first\t1\nwritten\t1\n2\nreloaded\t2\nmod.lua:1\nrefused\t2\n3\nback\t1\n")

-- Each script's version is in the list of tasks.
check("tw.ps has versions", {
  app = "app.script('s.lua', { params = { edge = 1 } }) ",
  lead = [[ [10] = function()
      edit("edge = 1", "edge = 2")
      print(reload())
      local text = tostring(tw.ps())
      for _, task in ipairs(tw.ps()) do
        local line = task.name:gsub("%p", "%%%0") .. " +worker %d +%S.* m?s   version "
          .. task.version .. " since record " .. task.record .. "\n"
        print(task.name, task.version, task.record > 1, (text .. "\n"):find(line) ~= nil)
      end
    end ]] }, "2\ns.lua\t2\ttrue\ttrue\nleader.lua\t1\tfalse\ttrue\n")

-- While it is paused a script takes part; a built program follows --override DIR.  Each
-- command of attach is a process of its own.
local LIVE = [[
  D=%s; export XDG_RUNTIME_DIR="$D"; mkfifo "$D/ready"
  %s
  { %s ; } >"$D/out" 2>"$D/err" & p=$!
  timeout --foreground 100 cat "$D/ready"
  try() { timeout --foreground 100 ]] .. apps.tidewire .. [[ attach $p -e "$1"; echo; }
  %s
  kill $p; wait $p; echo status $?]]
local PAUSED = [[
  function M:on_start() self.n = 0 end
  function M:on_quote()
    if self.n == 0 then io.open(self.params.ready, "w"):close() end
    self.n = self.n + 1
  end
  function M:on_reload() print("reload", self.params.edge) end]]
local function alive(before, command, commands)
  local directory, whole = apps.write {
    app = [[app.feed.synthetic { rate = 20000, trades = 0 }
      app.script("s.lua", { workers = { 0 },
        params = { edge = 1, ready = os.getenv "XDG_RUNTIME_DIR" .. "/ready" } })]],
    ["s.lua"] = PAUSED, args = { "--workers", "2" } }
  local got = apps.shell(LIVE:format(directory, before, command or "exec " .. whole,
                                     commands))
  local file <close> = io.open(directory .. "/out")
  local log <close> = io.open(directory .. "/err")
  got.printed, got.log = file:read "a", log:read "a"
  return got
end
local function told(got, want, name)
  local fine = t.ok(got.out:gsub("%s+", " "):find(want), name)
  if not fine then t.diag(got.out .. got.err .. got.log) end
end
local got = alive("", nil, [[
  try 'pause s'
  n=$(try '@s self.n')
  sed -i 's/edge = 1/edge = 2/' "$D/app.lua"
  try 'reload app'
  try '@s self.params.edge'
  test "$n" = "$(try '@s self.n')" && echo stands
  try 'resume s'
  while test "$n" = "$(try '@s self.n')"; do :; done
  echo goes on
  sed -i 's/reload"/again"/' "$D/s.lua"
  try 'pause s'
  try 'reload s'
  try 'rollback app'
  try 'resume s']])
told(got, "app.lua: version 2 2 stands s.lua: .* goes on .* s.lua: version 3 .*"
  .. "app.lua: version 3 .*status 143", "a paused script changes, where it is")
t.is(got.printed, "reload\t2\nagain\t2\nagain\t1\n", "and runs its on_reload there")

got = alive(
  apps.tidewire .. ' build "$D/app.lua" -o "$D/bot" && mkdir "$D/over"',
  'cd "$D" && exec ./bot --override over --workers 2', [[
  sed 's/edge = 1/edge = 2/' "$D/app.lua" >"$D/over/app.lua"
  until try '@s self.params.edge' | grep 2; do :; done
  sed 's/reload"/again"/' "$D/s.lua" >"$D/over/s.lua"
  until try scripts | grep '^s[^ ]* *0 *3 '; do :; done]])
told(got, "status 143", "a built program watches what is in --override DIR")
t.is(got.printed, "reload\t2\nagain\t2\n", "and takes it up")
