--- trial: what comes between while a new version shows what it does.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

-- A task of the leader reloads s.lua, does something meanwhile, and prints what came of
-- it.  attach(line): as somebody who is attached says it; see(text): waits until status
-- or scripts say so.
local LEADER = apps.leader .. ([[
local line = answer
local function answer(future)
  local got = line(future)
  return tonumber(got) or (got:gsub("^.*goes on: ", ""))
end
local function renew(options) return answer(tw.reload("s.lua", options)) end
local function attach(line)
  local pipe <close> = io.popen(("%s attach $PPID -e '%s'"):format(TIDEWIRE, line))
  return (pipe:read "a")
end
local function see(text)
  local shown
  repeat
    tw.sleep(0.002)
    shown = attach "scripts":match("\ns%.lua +1 .-%f[\n]")
  until shown and shown:find(text)
  return shown:match "%d  (%a.*)$"
end
local function candidate()
  while not tostring(tw.ps()):find "s.lua, candidate" do tw.sleep(0.001) end
end
local n, go = 0, tw.channel(1)
function M.on_quote() n = n + 1 if n == 300 then go:send(true) end end
function M:on_start() tw.task.detach(M.lead) end
]]):gsub("\n", " ")

-- o: new (the second version of s.lua), lead; as apps.led.
local function run(o)
  -- The tape has room for some seconds: who falls behind would lose what it is to see.
  o.feed = "app.tape { capacity = 1 << 16 } "
    .. "app.feed.synthetic { rate = 10000, trades = 0 }"
  o.options = o.options or "{ workers = { 1 } }"
  return apps.led(("local TIDEWIRE = %q "):format(apps.tidewire) .. LEADER .. ([[
    function M.lead()
      go:recv()
      write("s.lua", %q)
      %s
      io.popen("kill -TERM $PPID"):close()
    end]]):format(o.new or "", o.lead), o)
end

local function check(name, o, want)
  return apps.ended(run(o), name, want, 143)
end

local function says(ran, pattern, name)
  if not t.ok(ran.err:find(pattern), name) then t.diag(ran.err) end
end

-- ---- the script fails ----

local FAILS = [[
  function M:on_quote()
    if board.fail and not board.failed then board.failed = true error "bad" end
  end
  function M:on_stop() print "old" end]]
local NEW = [[
  function M:on_start() if board.hold then board.held = true tw.sleep(0.05) end end
  function M:on_stop() print "new" end]]
local MEANWHILE = [[
  local asked = tw.reload("s.lua", %s)
  candidate()
  %s
  print(answer(asked))
  %s]]
check("the script fails while the new one is warmed: it restarts with that", {
  s = FAILS, new = [[
    function M:on_start() while not board.failed do tw.sleep(0.001) end end
    function M:on_stop() print "new" end]],
  options = "{ workers = { 1 }, on_error = 'restart' }",
  lead = MEANWHILE:format("{ warm = 200 }", "board.fail = true", "see 'runs'") },
  "2\nnew\n")
local ran = check("the script fails while it is compared: it restarts as it was", {
  s = FAILS, new = NEW, options = "{ workers = { 1 }, on_error = 'restart' }",
  lead = MEANWHILE:format("{ shadow = 1000000 }", "board.fail = true", "see 'runs'") },
  "worker 1: the script failed before the new version had shown what it does beside it\n"
  .. "old\n")

-- ---- a candidate ----

check("a candidate that waits for ever, in shadow", { s = "", setup =
    "app.reload { deadline = 0.05 }",
  new = "function M:on_quote() tw.channel(1):recv() end",
  lead = "print(renew { shadow = 1000000 })" },
  "worker 1: the new version does not get on beside the old one: it waits\n")
for what, options in pairs { warmed = "warm = 200", compared = "shadow = 1000000" } do
  ran = check("an error in a task of a candidate that is " .. what, { s = "", new = [[
      function M:on_start() self:begin() end
      function M:on_reload(warm) if not warm then self:begin() end end
      function M:begin()
        tw.task.detach(function() tw.sleep(0.001) error "bad" end)
        while M.is_warm do tw.sleep(1) end
      end
      M.is_warm = ]] .. tostring(what == "warmed"),
    lead = ("print((renew { %s }:gsub('%%d+ rec', 'N rec')))"):format(options) },
    what == "warmed" and "worker 1: s.lua:4: bad\n"
    or "worker 1: 0 differences, 1 error (0 are allowed) in N records\n")
  says(ran, "s.lua:4: bad", "... which is named")
end
ran = check("a candidate that falls behind", { s = "", new = [[
    local n = 0
    function M:on_quote()
      n = n + 1
      if n == 50 then tw.sleep(0.5) end
    end]], setup = "app.tape { capacity = 1024 }",
  lead = "print(renew { warm = 100 })" }, "2\n")
says(ran, "version 2 is warm: %d+ records, [%d.]+ s.*; it fell behind and lost %d+",
  "... which is said")
ran = check("a shadow that falls behind", { s = "", new = [[
    local n = 0
    function M:on_quote()
      n = n + 1
      if n == 50 then tw.sleep(0.5) end
    end]], setup = "app.tape { capacity = 1024 }",
  lead = "print(renew { shadow = 8000 })" }, "2\n")
says(ran, "0 differences, 0 errors in 8000 records %(%d+ not compared%)",
  "... which is said")

-- What a candidate closes when it goes comes nowhere.
check("what a candidate has to close", { s = "", new = [[
    function M:on_start()
      local closed <close> = setmetatable({}, { __close = function()
        board.loud = true tw.publish("loud", 1) print "loud"
      end })
      tw.sleep(1000)
    end]], setup = "app.reload { deadline = 0.05 }", lead = [[
    print((renew { warm = 100 }:gsub(" on with.*", "")), board.loud)]] },
  "worker 1: the new version does not get\tnil\n")

-- What on_reload has spawned ends with the version.
check("tasks of an on_reload that was in vain", { s = [[
    function M:on_start()
      tw.task.detach(function() tw.sleep(0.05) board.old = true end)
    end]],
  new = [[
    function M:on_reload()
      tw.task.detach(function() board["task" .. self.shard] = true end)
      tw.task.detach(function() tw.sleep(0.01) board["task" .. self.shard] = true end)
    end
    function M:on_check() return self.shard == 1 end]], options = "{ shard = 'symbol' }",
  lead = [[print((renew {}:gsub("%d", "N")))
    while not board.old do tw.sleep(0.01) end
    tw.sleep(0.05)
    print(board.task1, board.task2)]] },
  "worker N: on_check failed: it did not return true\nnil\tnil\n")

-- ---- pause, and what status says ----

-- Whichever of the two is beside the other waits, until it was looked at.
ran = check("paused while it is compared", {
  setup = "app.reload { deadline = 60 }",
  s = "function M:on_quote() while board.guarded do tw.sleep(0.001) end end", new = [[
    function M:on_reload() board.guarded = true end
    function M:on_quote() while not board.go do tw.sleep(0.001) end end]], lead = [[
  local asked = tw.reload("s.lua", { shadow = 3000 })
  candidate()
  attach "pause s.lua"
  print((see "paused; in shadow":gsub("%d[%d.k]*", "N")))
  print(attach "status":match "version 2 is in shadow" )
  board.go = true
  attach "resume s.lua"
  print(answer(asked), board.first)
  attach "pause s.lua"
  print((see "paused; guarded, [%d.k]+ of 3.00k":match "^paused; guarded"))
  board.guarded = false
  attach "resume s.lua"
  while not attach "log 50":find "version 2 stays" do tw.sleep(0.01) end]] },
  "paused; in shadow, N of N, N s\nversion 2 is in shadow\n2\tnil\n"
  .. "paused; guarded\n")
check("paused while the new one is warmed", { s = "", new = [[
    function M:on_start() while not board.go do tw.sleep(0.001) end end]], lead = [[
  local asked = tw.reload("s.lua", { warm = 200 })
  candidate()
  print((see "warming":gsub("[%d.]+ s", "N s")))
  attach "pause s.lua"
  board.go = true
  print(answer(asked))
  print((see "paused"):match "paused")
  attach "resume s.lua"
  see "runs"]] }, "warming, 0 of 200, N s\n2\npaused\n")

-- ---- several workers, several versions ----

local SHARDS = [[
  function M:on_quote(symbol, seq) tw.publish("signal", %s) end
  function M:on_stop() board["v" .. self.shard] = %q end
  function M:on_reload() board.changed = true end]]
ran = check("back in both workers", { options = "{ shard = 'symbol' }",
  s = SHARDS:format("seq", "old"),
  new = SHARDS:format("board.changed and self.shard == 2 and 0 or seq", "new"),
  setup = [[app.on_end(function()
    print(require "tw.board".v1, require "tw.board".v2)
  end)]],
  lead = [[
    print(renew { shadow = 500 })
    while not attach "log 50":find "version 3 %(version 1 again%)" do tw.sleep(0.01) end
    ]] }, "2\nold\told\n")
says(ran, "version 2 goes back to version 1: 1?[%d]* differences? %(0 are allowed%)",
  "... which the log says")

-- Up to the change errors of the bad version are its own, also where the records that are
-- compared are over before anybody has put that change on the tape.
for _, records in ipairs { 500, 1 } do
  check("back from a version that fails at every record, after " .. records, {
    s = "function M:on_stop() print 'old' end", new = [[
    function M:on_quote() if board.changed then error "bad" end end
    function M:on_reload() board.changed = true end
    function M:on_stop() print "new" end]], lead = ([[
    print(renew { shadow = %d })
    while not attach "log 50":find "version 3 %%(version 1 again%%)" do tw.sleep(0.01) end
    ]]):format(records) }, "2\nold\n")
end

-- Each script has a guard of its own.
ran = check("two versions that are guarded", { s = "", new = "",
  setup = "app.script('other.lua', { workers = { 1 } })",
  files = { ["other.lua"] = "return {}" }, lead = [[
    print(renew { shadow = 2000 })
    write("other.lua", "")
    print(answer(tw.reload("other.lua", { shadow = 200 })))
    local function both()
      local log = attach "log 50"
      return log:find "s.lua: version 2 stays, with its"
             and log:find "other.lua: version 2 stays"
    end
    while not both() do tw.sleep(0.01) end
    ]] }, "2\n2\n")

ran = check("a version that is guarded is followed by another one", { s = "", new = "",
  lead = [[
    print(renew { shadow = 300 })
    write("s.lua", "--")
    print(renew {})]] }, "2\n3\n")
says(ran, "version 2 stays, [a-z, ]*with its shadow version 1: 0 differences",
  "... which the log says")

-- What else is asked for waits.
ran = check("the app file is changed meanwhile", { s = "", new = [[
    function M:on_quote() while not board.go do tw.sleep(0.001) end end]],
  setup = "app.reload { deadline = 60 }", lead = [[
  local asked = tw.reload("s.lua", { shadow = 2000 })
  candidate()
  local of_app = tw.reload "app.lua"
  while not attach "log 50":find "waits until" do tw.sleep(0.01) end
  board.go = true
  print(answer(of_app))
  print(answer(asked))]] }, "2\n2\n")
says(ran, "reload of app.lua waits until version 2 of s.lua has shown what it does\n",
  "... which is said")

-- ---- files that are saved ----

ran = check("saved again, in shadow", { s = "", new = "--", args = { "--workers", "2",
    "--watch" }, setup = "app.reload { shadow = 1000000 } ", lead = [[
  candidate()
  write("s.lua", "--")
  tw.sleep(0.2)                        -- the same bytes: it goes on
  write("s.lua", "function M:on_stop() print 'newer' end")
  while not attach "log 50":find "saved again" do tw.sleep(0.01) end
  candidate()
  print(answer(tw.reload("s.lua", { shadow = false })))]] }, "2\nnewer\n")
says(ran, "refused, version 1 goes on: a file of it was saved again meanwhile\n",
  "... which is said")
t.done()
