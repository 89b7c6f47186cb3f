--- reload: new versions of scripts while they run, refused and accepted.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local SMALL = os.getenv "SMALL" or apps.has "asan" or apps.has "tsan"

-- What a script that leads a test begins with, on one line: it writes files of the app's
-- directory, reloads, and prints what came of it.  M.steps: what to do at its n-th quote;
-- while it waits for a reload the tape waits for it, and the other scripts go on.
local LEADER = apps.leader .. ([[
local function reload(name) return answer(tw.reload(name or "s.lua")) end
local function rollback(name, version) return answer(tw.rollback(name, version)) end
local n = 0
function M.on_quote()
  n = n + 1
  if M.steps[n] then M.steps[n]() end
end
]]):gsub("\n", " ")

-- o: lead (the leader's steps); as apps.led.
local function run(o) return apps.led(LEADER .. "M.steps = { " .. o.lead .. " }", o) end

local function check(name, o, want)
  return apps.ended(run(o), name, want, o.status)
end

-- Each quote is counted once, whatever the versions; the numbers of records go up.
local COUNT = [[
  function M:on_start() self.n, self.last = 0, 0 end
  function M:on_quote(seq)
    assert(seq > self.last, "a record came twice")
    self.n, self.last = self.n + 1, seq
  end
  function M:on_stop() print(%s) end]]

local ran = check("a new version takes over what self keeps", {
  s = COUNT:format "'first', self.n", options = "{ workers = { 1 } }",
  lead = ([[ [2000] = function()
      write("s.lua", %q)
      print(reload())
    end ]]):format(COUNT:format "'second', self.n") },
  "2\nsecond\t6000\n")
t.ok(ran.err:find "s.lua: version 2 since record %d+, 1 instance, paused %d+%.%d+ ms\n",
  "the log says so")
t.ok(ran.err:find "\ns.lua +1 +2 +%d+ +6.00k ", "the summary says so")

-- The 13 cases: what is kept, what is new.
check("what is kept, what is new", {
  s = [[
    local count, cached = 0, tw.persist("cached", 1, { n = 0 })
    local Position = {}
    Position.__index = Position
    function Position:show() return "old " .. self.size end
    local function helper() return "old" end
    M.field, M.entries, M.list = "old", { a = 1, b = 2 }, { 1, 2, 3 }
    M.sub = { f = function() return "old" end }
    M.helper = helper
    function M.gone() end
    function M:method() return "old" end
    function M:on_start()
      self.position = setmetatable({ size = 7 }, Position)
      self.helper, self.scalar, self.table = helper, 5, { { 1 }, { 2 } }
      self.sub = M.sub
      self.made = function() return "made by the old one" end
      self.generator = coroutine.wrap(function()
        while true do coroutine.yield(helper(), self:method()) end
      end)
      self.generator()
    end
    function M:on_quote() count, cached.n = count + 1, cached.n + 1 end]],
  lead = ([[ [10] = function()
      write("s.lua", %q)
      print(reload())
      write("s.lua", "M.broken = = 1")
      reload()
      tw.publish("look", 1)
    end ]]):format [[
    local count, cached = 0, tw.persist("cached", 1, { n = 0 })
    local Position = {}
    Position.__index = Position
    function Position:show() return "new " .. self.size end
    local function helper() return "new" end
    M.field, M.entries, M.list = "new", { a = 3 }, { 4 }
    M.sub = { f = function() return "new" end, g = { h = 1 } }
    M.helper = helper
    function M:method() return "new" end
    function M:on_quote() count, cached.n = count + 1, cached.n + 1 end
    function M:on_message(topic)
      print("module-local counter", count < cached.n)
      print("persisted", cached.n)
      print("captured function", self.helper())
      print("scalar field", M.field, self.scalar)
      print("deleted function", M.gone, self.gone)
      print("new sub-table", M.sub.g.h, self.sub.f())
      print("module in a function's hands", self.made())
      print("running coroutine", self.generator())
      print("object of a module-local class", self.position:show(),
            getmetatable(self.position) == Position)
      print("table entries", M.entries.a, M.entries.b, #M.list, #self.table)
      print("method of a live object", self:method())
    end
    function M:on_stop() end]], limit = 2000 },
  [[2
module-local counter	true
persisted	512
captured function	new
scalar field	new	5
deleted function	nil	nil
new sub-table	1	new
module in a function's hands	made by the old one
running coroutine	old	new
object of a module-local class	new 7	true
table entries	3	nil	1	2
method of a live object	new
]])

-- Refused: the old version goes on everywhere, and no record is lost.
local OLD = COUNT:format "'old', self.n"

local function refused(name, new, why, o)
  o = o or {}
  ran = check(name, {
    s = o.old or OLD, options = "{ workers = { 1 } }", setup = o.setup, files = o.files,
    lead = ([[ [2000] = function()
      %s
      write("s.lua", %q)
      print((reload():match "^reload of s.lua refused, version 1 goes on: (.*)"
               :gsub("/[^: ]*/", "")))
    end ]]):format(o.before or "", new) }, why .. "\n" .. (o.want or "old\t6000\n"))
  t.ok(ran.err:find("tidewire: reload of s.lua refused, version 1 goes on: ", 1, true),
    name .. ": it is in the log")
end

refused("what does not compile", "M.x = = 1", "s.lua:1: unexpected symbol near '='")
refused("what fails when it is run", "error 'bad'", "s.lua:1: bad")
refused("what is no script", "M = 5",
  "a script returns the table of its handlers, not a number")
refused("a handler of a field that is none", "function M.on_quote(bidd) end",
  "on_quote: no field 'bidd'; did you mean 'bid'?")
refused("what never ends", "while true do pcall(load) end",
  "it ran for more than 0.2 s without returning", { setup = "app.limits { time = 0.2 }" })
refused("another account", "M.account = { cash = 2, limits = { position = 3 } }",
  "worker 1: account: cash, limits can't change while the script runs; take it back, or"
  .. " start the run anew", { old = "M.account = { cash = 1 } " .. OLD })
refused("what waits", "tw.sleep(1)",
  "s.lua:1: sleep: can't wait here, outside a task and a handler")
refused("what requires a module that fails", "require 'bad'", "bad.lua:1: worse",
  { files = { ["bad.lua"] = "error 'worse'" } })
refused("a file that is gone", "", "cannot open s.lua: No such file or directory",
  { before = "write = function() os.remove(here .. 's.lua') end" })
refused("what fails in a worker alone",
  "if math.worker then math.deep.x = 2 error 'here' end",
  "worker 1: s.lua:1: here", { old = [[
    math.deep, math.worker = math.deep or { x = 1 }, true
    function M:on_start() self.n = 0 end
    function M:on_quote() self.n = self.n + 1 end
    function M:on_stop() print("old", self.n, math.deep.x) end]],
    want = "old\t6000\t1\n" })
refused("an on_reload that raises", COUNT:format "'new', self.n" .. [[
  function M:on_reload() self.n, self.last = nil, "x" error "no" end]],
  "worker 1: on_reload failed: s.lua:6: no")
refused("an on_reload that waits", COUNT:format "'new', self.n" .. [[
  function M:on_reload() tw.sleep(1) end]],
  "worker 1: on_reload failed: s.lua:6: sleep: can't wait here, outside a task and"
  .. " a handler")
refused("an on_reload that does not end", COUNT:format "'new', self.n" .. [[
  function M:on_reload() while true do local _ = {} end end]],
  "worker 1: on_reload ran for more than 0.2 s without returning",
  { setup = "app.limits { time = 0.2 }" })
refused("an on_check that says no", COUNT:format "'new', self.n" .. [[
  function M:on_check() return nil, self.n > 0 and "too few" end]],
  "worker 1: on_check failed: too few")
refused("an on_check that says nothing", COUNT:format "'new', self.n" .. [[
  function M:on_check() end]], "worker 1: on_check failed: it did not return true")
refused("a parameter of on_reload that is none", "function M:on_reload(what) end",
  "on_reload: it takes self, old and warm, not 'what'")

-- After a refusal all that self and what is persisted hold is what it was.
check("a refusal puts everything back", {
  s = [[
    local kept = tw.persist("kept", 1, { a = { 1, 2 } })
    local Class = {}
    Class.__index = Class
    function Class:name() return "old" end
    function M:on_start()
      self.list, self.gone = { 1, 2, 3, { deep = true } }, "there"
      self.object, self.fn = setmetatable({ v = 1 }, Class), Class.name
      self.loop = { self }
    end
    function M:method() return "old" end
    function M:on_message()
      print(#self.list, self.list[4].deep, self.gone, self.added, self.object.v,
            self.object:name(), getmetatable(self.object) == Class, self.fn(),
            self:method(), self.loop[1] == self, #kept.a, kept.more)
    end]],
  lead = ([[ [10] = function()
      write("s.lua", %q)
      print(reload():match "on_check failed.*$")
      tw.publish("look", 1)
    end ]]):format [[
    local kept = tw.persist("kept", 2, {}, function(old, kept)
      kept.more, kept.a[3] = old, 3
    end)
    local Class = {}
    Class.__index = Class
    function Class:name() return "new" end
    function M:method() return "new" end
    function M:on_reload(old)
      self.list[4].deep, self.gone, self.added = nil, nil, { 1 }
      for i = 1, 100 do self.list[i] = i end
      self.object.v = self.object:name() .. self.fn() .. self:method() .. old.method()
      self.loop = nil
      setmetatable(self.list, Class)
    end
    function M:on_check() return nil, self.object.v .. kept.more .. #kept.a end]],
  limit = 1000 },
  "on_check failed: newnewnewold13\n"
  .. "4\ttrue\tthere\tnil\t1\told\ttrue\told\told\ttrue\t2\tnil\n")

-- All instances or none: one of two workers refuses.
local SHARDED = [[
  function M:on_start() self.n = 0 end
  function M:on_quote() self.n = self.n + 1 end
  function M:on_stop()
    board["n" .. self.shard], board["v" .. self.shard] = self.n, %q
  end]]
local END = " app.on_end(function() local b = require 'tw.board'"
  .. " print(b.n1 + b.n2, b.v1, b.v2) end)"

for i = 1, 2 do
  check(("shard %d refuses: all stay"):format(i), {
    s = SHARDED:format "old", setup = END, options = "{ shard = 'symbol' }",
    lead = ([[ [2000] = function()
      write("s.lua", %q)
      print(reload():match "worker.*not on %%d")
    end ]]):format(SHARDED:format "new" .. [[
      function M:on_reload()
        assert(self.shard ~= ]] .. i .. [[, "not on " .. self.shard) end]]) },
    ("worker %d: on_reload failed: s.lua:6: not on %d\n6000\told\told\n")
    :format(i - 1, i))
end
check("all instances change at one record", {
  s = SHARDED:format "old", setup = END, options = "{ shard = 'symbol' }",
  lead = ([[ [2000] = function() write("s.lua", %q) print(reload()) end ]])
    :format(SHARDED:format "new") }, "2\n6000\tnew\tnew\n")

-- Back to any earlier version.
check("rollback", {
  s = COUNT:format "'one', self.n",
  lead = ([[ [10] = function()
      print(rollback("s.lua"):match "refused.*")
      for _, v in ipairs { "two", "three" } do
        write("s.lua", (%q):gsub("VERSION", v))
        print(reload())
      end
      print(rollback("s.lua"))
      print(rollback("s.lua"))
      print(rollback("s.lua", 3))
      print(rollback("s.lua", 2))
      print(rollback("s.lua", 77):match "there is no version.*")
      print(reload "nowhere.lua")
    end ]]):format(COUNT:format "'VERSION', self.n"), limit = 1000 },
  [[refused, version 1 goes on: there is no version before it
2
3
4
5
6
7
there is no version 77: those from 1 to 7 are kept
tw.reload: the app has no script 'nowhere.lua'
two	1000
]])

-- State that has another shape.
check("what is persisted is migrated", {
  s = [[
    local book = tw.persist("book", 1, { n = 0 })
    function M:on_quote() book.n = book.n + 1 end]],
  lead = ([[ [10] = function()
      write("s.lua", [=[ local book = tw.persist("book", 2, {}) ]=])
      print(reload():match "tw.persist.*")
      write("s.lua", %q)
      print(reload())
    end ]]):format [[
    local book = tw.persist("book", 3, {}, function(old, book)
      return { count = book.n, from = old }
    end)
    local fresh = tw.persist("fresh", 1, { 1 })
    function M:on_quote() book.count = book.count + 1 end
    function M:on_stop() print(book.count, book.from, book.n, fresh[1]) end]] },
  "tw.persist: 'book' is at version 1, and there is no migrate function to make it"
  .. " version 2\n2\n6000\t1\tnil\t1\n")

-- What a script requires is part of its version.
check("a module's new version comes with the script's", {
  s = [[
    local mod = require "mod"
    function M:on_start() print(mod.name(), require "mod" == mod) end]],
  setup = "app.script('t.lua', { workers = { 0 } })",
  files = { ["mod.lua"] = "return { name = function() return 'old' end }",
            ["t.lua"] = [[local mod, tw = require "mod", require "tw"
              return { on_message = function()
                print("t", mod.name(), require "mod" == mod)
              end }]] },
  lead = [[ [10] = function()
      local file <close> = assert(io.open(here .. "mod.lua", "w"))
      file:write "return { name = function() return 'new' end }"
      file:close()
      write("s.lua", [=[
        local mod = require "mod"
        function M:on_message() print("s", mod.name(), require "mod" == mod) end]=])
      print(reload())
      tw.publish("look", 1)
    end ]], limit = 1000, args = { "--workers", "1" } },
  "old\ttrue\n2\nt\told\ttrue\ns\tnew\ttrue\n")

-- A handler that waits when the change comes.
local WAITS = [[
  function M:on_start() self.n = 0 end
  function M:on_quote(seq)
    self.n = self.n + 1
    if self.n == 100 then
      board.waits = true
      local ok, why = pcall(tw.sleep, %s)
      print("old", ok, tostring(why):match "^[^\n]*")
    end
  end
  function M:on_stop() print(self.n) end]]
local NEW = [[function M:on_quote()
    self.n = self.n + 1
    if self.n % 1000 == 0 then assert(tw.sleep(0.001)) end
  end
  function M:on_stop() print("new", self.n) end]]
local WAIT = ([[ [10] = function()
  while not board.waits do tw.sleep(0.001) end
  write("s.lua", %q)
  print(reload())
end ]]):format(NEW)
check("a handler that waits finishes on the old version", { s = WAITS:format "0.1",
  lead = WAIT }, "old\ttrue\ttrue\n2\nnew\t6000\n")
ran = check("one that waits too long is not waited for",
  { s = WAITS:format "1000", lead = WAIT, setup = "app.reload { deadline = 1.5 }" },
  "old\tfalse\tsleep: cancelled: a new version of the script waits for it\n"
  .. "2\nnew\t6000\n")
ran = check("nor is one that does not catch it", {
  s = WAITS:gsub("pcall%(tw.sleep, %%s%)", "tw.sleep(1000)", 1), lead = WAIT,
  setup = "app.reload { deadline = 1.5 }" }, "2\nnew\t6000\n")
t.ok(ran.err:find "s.lua: on_quote waited when a new version came: its wait was ended",
  "which is told")
check("one that waits in spite of it refuses the version", {
  s = WAITS:gsub("local ok.-\n", "for i = 1, 1e9 do pcall(tw.sleep, 1) end\n", 1),
  lead = ([[ [10] = function()
    while not board.waits do tw.sleep(0.001) end
    write("s.lua", %q)
    reload()
  end ]]):format(NEW), setup = "app.reload { deadline = 0.1 } app.limits { time = 0.2 }",
  status = 1 }, "")

-- A run that is told to end while a reload is under way: the signal's status.
local END_IT = [[
  local future <const> = tw.reload "s.lua"
  local stat <close> = io.open "/proc/self/stat"
  os.execute("kill " .. stat:read "n")
  future:await()]]
for what, text in pairs {
  ["waits for a handler"] = NEW,
  ["is being tried"] = "while true do end",
} do
  ran = run {
    s = WAITS:format "60", setup = "app.reload { deadline = 60 }",
    options = "{ workers = { 1 } }", lead = ([[ [10] = function()
      while not board.waits do tw.sleep(0.001) end
      write("s.lua", %q)
      %s
    end ]]):format(text, END_IT) }
  t.is(ran.status, 143, "the end of a run while a reload " .. what .. ": status")
  t.ok(ran.err:find("refused, version 1 goes on: the run is ending", 1, true),
    "the end of a run while a reload " .. what .. ": it is said")
end

-- A script that has failed restarts with the version that runs.
check("a script restarts with the newest version", {
  s = [[function M.on_quote() error "old" end]],
  options = "{ on_error = 'restart', restarts = 100, workers = { 1 } }",
  lead = ([[ [10] = function()
    write("s.lua", %q)
    print(reload())
    write("s.lua", "error 'never read'")
    while not board.started do tw.sleep(0.01) end
    print(board.started)
  end ]]):format [[function M:on_start() board.started = "new" end]],
  limit = 500 }, "2\nnew\n")

-- Statistics that a script has declared: as they were, they go on.
local TRACKS = [[
  function M:declare()
    self.s = self:track { n = "count() by symbol",
      last = "sum(mid - prev(mid, initial=0)) by symbol", now = "last(mid) by symbol",
      total = "count()", other = %q }
    self:when("total == 3900", function() print(%q) end)
  end
  M.on_start = M.declare
  %s
  function M:on_stop()
    local n, fine = 0, true
    for _, symbol in ipairs(self.s.n:keys()) do
      n = n + self.s.n[symbol].value
      local off = self.s.last[symbol].value - self.s.now[symbol].value
      fine = fine and math.abs(off) < 1e-6
    end
    print(n, fine, self.s.other.value)
  end]]
check("statistics that are declared as they were go on", {
  s = TRACKS:format("count()", "first", ""), limit = 4000,
  lead = ([[ [1500] = function() write("s.lua", %q) print(reload()) end ]])
    :format(TRACKS:format("max(1)", "second", "M.on_reload = M.declare")) },
  "2\nsecond\n4000\ttrue\t1.0\n")
ran = check("what on_reload does not declare goes on as it was", {
  s = TRACKS:format("count()", "first", ""), limit = 4000,
  lead = ([[ [1500] = function() write("s.lua", %q) print(reload()) end ]])
    :format(TRACKS:format("max(1)", "second", "")) },
  "2\nfirst\n4000\ttrue\t4000\n")

-- While a live feed goes on: no record is lost or comes twice, many reloads and some
-- refusals, four scripts in all states.
local RELOADS = SMALL and 5 or 25
local BUSY = [[
  function M:on_start() self.n, self.last = 0, 0 end
  function M:on_quote(seq)
    assert(seq > self.last, "twice")
    self.n, self.last = self.n + 1, seq
  end
  function M:on_reload() assert(%s) end
  function M:on_stop() board["n." .. self.name .. self.shard] = self.n end]]
ran = run {
  feed = ("app.feed.synthetic { rate = 100000, trades = 0, limit = %d } ")
    :format(RELOADS * 10000),
  setup = [[for _, name in ipairs { "a", "b", "c" } do
      app.script("s.lua", { name = name, shard = "symbol", reliable = true }) end
    app.limits { time = 15 } app.tape { capacity = 1 << 16 }
    app.on_end(function()
      local b = require "tw.board"
      for _, name in ipairs { "a", "b", "c", "s.lua" } do
        print(name, b["n." .. name .. 1] + b["n." .. name .. 2])
      end
      print(b.fine, b.refused)
    end)]],
  options = "{ shard = 'symbol', reliable = true }", s = BUSY:format "true",
  lead = ([[ }
    function M:on_start()
      tw.task.detach(function()
        board.fine, board.refused = 0, 0
        for i = 1, %d do
          write("s.lua", (%q):format(i %% 5 > 0 and "true" or "self.shard == 1"))
          local got = reload()
          local key = math.type(got) == "integer" and "fine" or "refused"
          board[key] = board[key] + 1
        end
      end)
    end
    M.steps = {]]):format(RELOADS, BUSY) }
local all = RELOADS * 10000
t.is(ran.out, ("a\t%d\nb\t%d\nc\t%d\ns.lua\t%d\n%d\t%d\n"):format(all, all, all, all,
  RELOADS - RELOADS // 5, RELOADS // 5), "a live feed: each record once, in any version")
t.is(ran.status, 0, "a live feed: status")
if ran.status ~= 0 then t.diag(ran.err) end

-- Files that are watched: what editors do to them.
local SHOWS = [[ M.version = %q board.shown = M.version
  function M:on_timer() board.version = M.version end]]
ran = run {
  args = { "--workers", "1", "--watch" },
  feed = "app.feed.synthetic { rate = 1000 } app.feed.timer { every = 0.01 } ",
  options = "{ on_error = 'stop' }", s = SHOWS:format "1",
  lead = "}" .. apps.watcher .. ([[
    local text = %q
    local function shows(version)
      local till = tw.clock() + 30
      while board.version ~= version and tw.clock() < till do tw.sleep(0.01) end
      print(board.version)
    end
    function M:on_start()
      tw.task.detach(function()
        write("s.lua", text:format "2") shows "2"
        local file = assert(io.open(here .. "s.lua", "w"))       -- half of it
        refused(function()
          file:write "local tw, board, M = require 'tw', require 'tw.board', {} M.ver"
          file:flush()
        end, "s.lua:1:")
        print(board.version)
        file:close()
        refused(function() os.remove(here .. "s.lua") end, "cannot open")
        print(board.version)
        write("s.lua", text:format "3") shows "3"
        write("new.lua", text:format "4")                          -- renamed over it
        os.rename(here .. "new.lua", here .. "s.lua") shows "4"
        for i = 1, 20 do                                           -- two at once
          write("s.lua", text:format "5") write("s.lua", text:format "6")
        end
        shows "6"
        refused(function() write("s.lua", "error 'bad'") end, "bad")
        refused(function()                                         -- it can't be read
          os.remove(here .. "s.lua")
          os.execute("mkdir " .. here .. "s.lua")
        end, "cannot read")
        print(board.version)
        os.execute("rmdir " .. here .. "s.lua")
        write("s.lua", text:format "7") shows "7"
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
    M.steps = {]]):format(SHOWS) }
t.is(ran.out, "2\n2\n2\n3\n4\n6\n6\n7\n",
  "files that change are seen, when they are whole")
t.is(ran.status, 143, "files that change: the run goes on until it is told to end")
-- What lasts only a moment, an empty file say, is seen or not.
local function told(what) return select(2, ran.err:gsub("goes on: " .. what, "")) end
t.is(told "s.lua:1: [^\n]*near <eof>", 1, "half a file is told, once")
t.is(told "[^\n]*bad", 1, "what is wrong is said once")
t.ok(ran.err:find "version 2 goes on: cannot open s.lua: No such file",
  "a file that is gone")
t.ok(ran.err:find "version %d+ goes on: cannot read s.lua: illegal operation on a dir",
  "a file that can't be read")
if ran.status ~= 143 then t.diag(ran.err) end

-- What is saved while the app begins, when its files have been read and nobody watches
-- them yet.
apps.ended(run {
  args = { "--workers", "1", "--watch" }, feed = "app.feed.timer { every = 0.01 } ",
  s = "function M:on_timer() end",
  lead = ([[ }
    write("s.lua", %q)
    local told
    function M:on_timer()
      if not board.new or told then return end
      told = true
      ]] .. apps.stop .. [[
    end
    M.steps = {]]):format "function M:on_timer() board.new = true end" },
  "what is saved while the app begins is seen", "", 143)

-- Whichever allocation fails: the version is taken up or refused, or the run ends with
-- a line; each quote is counted once.
local function fail(n)
  local _, command = apps.write {
    args = { "--workers", "1", "--no-attach" },
    app = "app.feed.synthetic { speed = 0, trades = 0, limit = 1000 }"
      .. " app.script 's.lua' app.script 'leader.lua'",
    ["s.lua"] = COUNT:format "self.n", files = { ["mod.lua"] = "return { f = print }" },
    ["leader.lua"] = LEADER .. ([[M.steps = { [10] = function()
      write("s.lua", %q)
      board.got = reload()
    end }
    function M.on_stop() print(board.got) end]]):format([[
      local mod, kept = require "mod", tw.persist("kept", 1, {})
      local Class = {}
      Class.__index = Class
      ]] .. COUNT:format "self.n" .. [[
      function M:on_reload()
        self.object, self.f, kept[1] = setmetatable({}, Class), mod.f, self.n
        for i = 1, 20 do self[i] = { i } end
      end]]),
  }
  return apps.shell(("TW_FAIL=%d timeout -k 1 120 %s"):format(n, command))
end
local whole, refusals_, ends = 0, 0, 0
for n = 1500, 6000, SMALL and 301 or 41 do
  local one = fail(n)
  local counted, got = one.out:match "^(%d+)\n([^\n]*)\n$"
  if one.status == 0 and counted == "1000" and got == "2" then whole = whole + 1
  elseif one.status == 0 and counted == "1000" and got:find "memory" then
    refusals_ = refusals_ + 1
  elseif one.status == 1 and (one.err:find "memory" or one.err:find "no room") then
    ends = ends + 1
  else
    t.ok(false, ("allocation %d fails: %s %s"):format(n, one.status, one.out))
    t.diag(one.err)
  end
end
t.ok(whole > 0, ("a failed allocation: taken up %d times, refused %d, the end %d")
  :format(whole, refusals_, ends))
