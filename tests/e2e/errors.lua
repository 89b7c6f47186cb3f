--- errors: what a script does wrong stops it, is told once, and decides the status.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local prints, fails = apps.prints, apps.fails

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 300 } "
local TWO = FEED .. 'app.script("s.lua") app.script("other.lua")'
local OTHER = "function M.on_stop() print 'other stopped' end"
local WHO = "script s%.lua %(version 1, worker 0%): "

-- In a handler: script, version, worker, record, message, traceback.

for _, case in ipairs {
  { "on_start", "function M.on_start() local x = nil + 1 end",
    WHO .. "on_start failed\ns.lua:1: attempt to perform arithmetic on a nil value\n"
    .. "stack traceback:\n.*s.lua:1: in function" },
  { "on_quote", "local function f() error 'bad' end function M.on_quote(seq)\n"
    .. "if seq == 7 then f() end end",
    WHO .. "on_quote failed at quote 7 %u+ %S+ x %S+ / %S+ x %S+\ns.lua:1: bad\n"
    .. "stack traceback:\n.*in upvalue 'f'\n.*s.lua:2: in function" },
  { "on_stop", "function M.on_stop() error 'bad' end",
    WHO .. "on_stop failed\ns.lua:1: bad\nstack traceback:" },
  { "after a sleep", "function M.on_quote() tw.sleep(0.001) error 'bad' end",
    WHO .. "on_quote failed at quote 1 [^\n]*\ns.lua:1: bad\nstack traceback:" },
  { "an error object", "function M.on_quote() error { code = 5 } end",
    WHO .. "on_quote failed at quote 1 [^\n]*\n{code = 5}\nstack traceback:" },
  { "an error object that describes itself", "function M.on_quote() error("
    .. "setmetatable({}, { __tostring = function() return 'as text' end })) end",
    WHO .. "on_quote failed at quote 1 [^\n]*\nas text\nstack traceback:" },
  { "an error object that can't describe itself", "function M.on_quote() error("
    .. "setmetatable({}, { __tostring = function() error 'no' end })) end",
    WHO .. "on_quote failed at quote 1 [^\n]*, and so did its error message\n" },
  { "nil as an error", "function M.on_quote() error() end",
    WHO .. "on_quote failed at quote 1 [^\n]*\n%(error object is a nil value%)\nstack" },
  { "in a coroutine", "function M.on_quote() coroutine.wrap(error)('bad', 0) end",
    WHO .. "on_quote failed at quote 1 [^\n]*\ns?%.?[^\n]*bad\nstack traceback:" },
  { "an endless recursion", "function M.on_quote() M.on_quote() return 1 end",
    WHO .. "on_quote failed at quote 1 [^\n]*\n[^\n]*stack overflow" },
} do
  local run = fails("an error: " .. case[1], { app = TWO, ["s.lua"] = case[2],
    ["other.lua"] = OTHER, args = { "--workers", "2" } }, case[3])
  t.is(run.out, "other stopped\n", case[1] .. ": the other script stopped in peace")
  t.is(select(2, run.err:gsub("version 1", "")), 1, case[1] .. ": told once")
end

-- A name that is misspelt, where it is called: what has nearly that name.

for call, says in pairs {
  ["self:buyy('AAPL', 1)"] = "(method 'buyy'); did you mean 'buy'?",
  ["self:order_traget_percent('AAPL', 1)"] = "(method 'order_traget_percent'); did you "
    .. "mean 'order_target_percent'?",
  ["self:helpr()"] = "(method 'helpr'); did you mean 'helper'?",
  ["ta.smaa(3)"] = "(field 'smaa'); did you mean 'sma'?",
  ["math.flor(3)"] = "(field 'flor'); did you mean 'floor'?",
  ["prnt(3)"] = "(global 'prnt'); did you mean 'print'?",
  ["self:frobnicate()"] = "(method 'frobnicate')",
  ["local n = math.pi; self.pos.x = n"] = "(field 'pos')",       -- no math.cos
  ["local n = math.pi; self:flor(n)"] = "(method 'flor')",
  ["sellf(self.sell)"] = "(global 'sellf')",
  ["local own, old = { buy = print, bui = 1 }, { buys = print }; old.buy(own)"]
    = "(field 'buy')",                                           -- is elsewhere
  ["tw.task.detach(function() self:buyy() end)"] = "(method 'buyy'); did you mean "
    .. "'buy'?",
} do
  local run = apps.run { app = FEED .. 'app.script("s.lua")', ["s.lua"] = ([[
    local ta = require "tw.ta"
    function M:helper() end
    function M:on_quote() %s end]]):format(call) }
  t.ok(run.err:find(" a nil value " .. says .. "\n", 1, true),
       "misspelt: " .. call)
end
local nils = apps.run { app = FEED .. 'app.script("s.lua")', ["s.lua"] = [[
  function M:on_stop() print(self.buyy, pcall(function() self:buyy() end)) end]] }
t.is(nils.out, "nil\tfalse\ts.lua:1: attempt to call a nil value (method 'buyy')\n",
     "what a script catches is Lua's own")

-- While it loads: nothing runs.

for _, case in ipairs {
  { "a syntax error", "x = = 1", "tidewire: script s.lua: s.lua:1: unexpected symbol near"
    .. " '='\n" },
  { "its body fails", "local function f() error 'bad' end\nf() return {}",
    "tidewire: script s.lua: s.lua:1: bad\nstack traceback:\n.*in local 'f'.*" },
  { "it returns nothing", "x = 1", "tidewire: script s.lua: a script returns the table of"
    .. " its handlers, not a nil: its last line is `return M`\n" },
  { "its body yields", "coroutine.yield()",
    "tidewire: script s.lua: attempt to yield across a C%-call"
    .. " boundary\nstack traceback:\n.*" },
  { "what it requires isn't there", "require 'nowhere'",
    "tidewire: script s.lua: s.lua:1: module 'nowhere' not found:\n.*" },
} do
  for _, workers in ipairs { "1", "2" } do
    local run = fails(case[1], { app = TWO, files = { ["s.lua"] = case[2] },
      ["other.lua"] = OTHER, args = { "--workers", workers } }, "^" .. case[3] .. "$")
    t.is(run.out, "", case[1] .. ": nothing ran")
  end
end
fails("no such script", { app = FEED .. 'app.script("nowhere.lua")' },
  "^tidewire: script nowhere.lua: cannot open nowhere.lua[^\n]*\n$")

-- The tasks that a script has detached end when it fails, not with the run.

local run
for _, workers in ipairs { "1", "2" } do
  run = fails("detached tasks, " .. workers .. " workers", { app = TWO, ["s.lua"] = [[
    function M.on_start()
      tw.task.detach(function()
        local guard <close> = setmetatable({}, { __close = function()
          tw.channel(1, { name = "closed" }):try_send "closed" end })
        tw.sleep(60)
      end)
      tw.task.yield()
    end
    function M.on_quote(seq) if seq == 7 then error "bad" end end]],
    ["other.lua"] = [[
    function M.on_stop()
      local closed = tw.channel(1, { name = "closed" })
      print(tw.task.shield(closed.recv, closed, 60))   -- the run is ending meanwhile
    end]], args = { "--workers", workers } }, WHO .. "on_quote failed at quote 7 ")
  t.is(run.out, "closed\n", "they end with the script")
end

-- Restart: a fresh self, the file read again, the cursor where it was.

prints("restart: fresh state, nothing lost",
  { app = FEED .. 'app.script("s.lua", { on_error = "restart", restarts = 3 })',
    ["s.lua"] = [[
  print("file", mine) mine = 1
  function M:on_start() print("start", self.n, self.name) self.n = 0 end
  function M:on_quote(seq)
    self.n = self.n + 1
    if not self.first then self.first = seq end
    if seq == 10 or seq == 20 then error "bad" end
  end
  function M:on_stop() print("stop", self.first, self.n) end]] },
  ("file\tnil\nstart\tnil\ts.lua\n"):rep(3) .. "stop\t21\t280\n")
local began = tonumber(apps.shell("date +%s%N").out)
run = fails("restart: until its limit",
  { app = FEED .. 'app.script("s.lua", { on_error = "restart", restarts = 2 })',
    ["s.lua"] = [[
  function M.on_start() print "s" end
  function M.on_quote() error "bad" end]] },
  "script s.lua failed 3 times: not restarted again\n")
t.is(run.out, "s\ns\ns\n", "restart: as often as it may")
t.ok(run.err:find "restarts in 0.1 s\n.*restarts in 0.2 s\n",
  "restart: said, with backoff")
t.ok(tonumber(apps.shell("date +%s%N").out) - began >= 300000000, "restart: it waits")
fails("restart: a file that doesn't load any more",
  { app = FEED .. 'app.script("s.lua", { on_error = "restart" })', ["s.lua"] = [[
  if _G.loaded then error "not again" end _G.loaded = true
  function M.on_quote() error "bad" end]], files = {} },
  "on_quote failed.*can't restart: script s.lua: s.lua:1: not again\n")

if not apps.has "tsan" then fails("restart: a file that doesn't return any more",
  { app = "app.limits { time = 0.1 } " .. FEED
    .. 'app.script("s.lua", { on_error = "restart" })', ["s.lua"] = [[
  while _G.loaded do pcall(error) end _G.loaded = true
  function M.on_quote() error "bad" end]] },
  "script s.lua: it ran for more than 0.1 s without returning\nstack traceback:\n") end

-- Memory: the limit of one state is an error of the script that passes it.

local LIMIT = "app.limits { memory = 4 } "
for _, case in ipairs {
  { "one big string", "function M.on_quote() local s = ('x'):rep(1 << 23) end" },
  { "a growing table",
    "local t = {} function M.on_quote() for i = 1, 1e7 do t[i] = i end end" },
  { "down to the last byte", [[
    M.held = {}
    function M.on_quote()
      for n = 20, 0, -1 do
        while pcall(function() M.held[#M.held + 1] = ("x"):rep(1 << n)
          .. #M.held end) do end
      end
      M.held[#M.held + 1] = ("x"):rep(100) .. #M.held
      while true do M.held = { M.held } end
    end]] },
} do
  run = fails("memory: " .. case[1], { app = LIMIT .. TWO, ["s.lua"] = case[2],
    ["other.lua"] = OTHER, args = { "--workers", "1" } },
    WHO .. "on_quote failed at quote 1 [^\n]*\nnot enough memory\n")
  t.is(run.out, "other stopped\n", case[1] .. ": the state lives on")
end
run = fails("memory: what a failed script had", { app = LIMIT .. TWO, ["s.lua"] = [[
  M.held = {}
  function M.on_quote() for i = 1, 1e7 do M.held[i] = i end end]], ["other.lua"] = [[
  function M.on_quote(seq) if seq == 300 then print(#("x"):rep(1 << 20)) end end]],
  args = { "--workers", "1" } }, WHO .. "on_quote failed at quote 1 ")
t.is(run.out, (1 << 20) .. "\n", "is there for the others of its state")
prints("memory: a restart begins with none of it",
  { app = LIMIT .. FEED .. 'app.script("s.lua", { on_error = "restart" })', ["s.lua"] = [[
  local t = {}
  function M.on_quote(seq) if seq == 10 then for i = 1, 1e7 do t[i] = i end end end
  function M.on_stop() print(#t) end]] }, "0\n")
