--- watchdog: a script that does not return is stopped, whatever it is doing.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local APP = [[
app.limits { time = 0.1 }
app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 3 }
app.script("s.lua")
]]

local loops = {
  { "a loop", "while true do end" },
  { "a loop that catches errors",
    "while true do pcall(function() while true do end end) end" },
  { "a loop of errors caught", "while true do pcall(error) end" },
  { "xpcall in a loop",
    "while true do xpcall(function() while true do end end, print) end" },
  { "an error handler that loops",
    "xpcall(error, function() while true do end end)" },
  { "error handlers that loop, in a loop",
    "while true do xpcall(error, function() while true do end end) end" },
  { "a coroutine", "coroutine.wrap(function() while true do end end)()" },
  { "coroutines within coroutines", [[
    local function nest(n)
      if n == 0 then while true do pcall(function() while true do end end) end end
      while true do
        local co = coroutine.create(nest)
        pcall(coroutine.resume, co, n - 1)
      end
    end
    nest(5)]] },
  { "wrap in a loop that catches errors", [[
    while true do
      pcall(coroutine.wrap(function() while true do pcall(error) end end))
    end]] },
  { "coroutines that yield to each other", [[
    local co = coroutine.wrap(function() while true do coroutine.yield() end end)
    while true do co() end]] },
  { "a __close that loops", [[
    local x <close> = setmetatable({},
      { __close = function() while true do end end })]] },
  { "a __close that loops after an error", [[
    pcall(function()
      local x <close> = setmetatable({}, { __close = function() while true do end end })
      error "on"
    end)]] },
  { "a __close that coroutine.close calls", [[
    local co = coroutine.create(function()
      local x <close> = setmetatable({}, { __close = function() while true do end end })
      coroutine.yield()
    end)
    coroutine.resume(co)
    while true do coroutine.close(co) end]] },
  { "a __close in a wrapped coroutine that fails", [[
    pcall(coroutine.wrap(function()
      local x <close> = setmetatable({}, { __close = function() while true do end end })
      error "on"
    end))]] },
  { "inside table.sort", "table.sort({ 3, 1, 2 }, function() while true do end end)" },
  { "inside table.sort, caught, in a loop", [[
    while true do
      pcall(table.sort, { 3, 1, 2 }, function() while true do pcall(error) end end)
    end]] },
  { "a coroutine inside table.sort, caught, in a loop", [[
    while true do
      pcall(table.sort, { 3, 1, 2 }, function()
        coroutine.wrap(function() while true do end end)()
      end)
    end]] },
  { "inside table.sort, under an error handler that loops", [[
    xpcall(table.sort, function() while true do end end, { 3, 1, 2 },
           function() while true do end end)]] },
  { "inside string.gsub",
    "string.gsub('abc', '.', function() while true do pcall(error) end end)" },
  { "inside a metamethod", [[
    local x = setmetatable({}, { __index = function() while true do end end })
    return x.y]] },
  { "inside an iterator", "for _ in function() while true do end end do end" },
  { "inside load", "load(function() while true do end end)" },
  { "inside require", [[
    package.preload.endless = function() while true do end end
    require "endless"]] },
  { "a very deep recursion, again and again", [[
    local function f() return 1 + f() end
    while true do pcall(f) end]] },
  { "one that sets a hook of its own", [[
    while true do debug.sethook(function() end, "", 1) end]] },
}

-- The thread sanitizer holds back a signal until the thread calls libc.
local held = apps.has "tsan"
if held then t.skip "no signal reaches a loop under the thread sanitizer" end

for _, loop in ipairs(held and {} or loops) do
  local run = apps.run { app = APP,         -- which is given a minute
    ["s.lua"] = "function M.on_quote()\n" .. loop[2] 
      .. "\nend function M.on_stop() print 'not reached' end" }
  local fine = t.ok(run.err:find("script s.lua %(version 1, worker 0%): on_quote at"
    .. " quote 1 [^\n]* ran for more than 0.1 s without returning\nstack traceback:\n.*"
    .. "s.lua:%d+: in [^\n]*"), loop[1] .. ": why and where")
  fine = t.is(run.status, 1, loop[1] .. ": status") and fine
  fine = t.is(run.out, "", loop[1] .. ": nothing more of it runs") and fine
  if not fine then t.diag(run.err) end
end

for _, callback in ipairs(held and {} or { "on_start", "on_stop" }) do
  apps.fails(callback .. " that loops", { app = APP, ["s.lua"] =
    ("function M.%s() while true do end end"):format(callback) },
    callback .. " ran for more than 0.1 s without returning\nstack traceback:")
end

if not held then apps.prints("a script that is restarted, and its neighbour",
  { app = [[
    app.limits { time = 0.1 }
    app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 300 }
    app.script("s.lua", { on_error = "restart" }) app.script("other.lua")]],
    args = { "--workers", "1" }, ["s.lua"] = [[
  local n = 0
  function M.on_quote(seq)
    n = n + 1
    while seq == 20 do pcall(error) end
  end
  function M.on_stop() print("s", n) end]], ["other.lua"] = [[
  local n = 0
  function M.on_quote() n = n + 1 end
  function M.on_stop() print("other", n) end]] }, "s\t280\nother\t300\n") end

-- On a busy machine the next signal is there when the handler of the last one returns; in
-- a deep recursion that takes long.  The other workers signal this one until it has been
-- stopped, which ends the run.
if not held then
  local run = apps.run { args = { "--workers", "5" }, app = [[
    app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 300 }
    app.script("s.lua", { workers = { 0 } })
    app.script("other.lua", { workers = { 1, 2, 3, 4 } })]],
    ["s.lua"] = [[
  local ffi = require "ffi"
  ffi.cdef "unsigned long pthread_self(void);"
  local n
  local function f()
    n = n + 1
    if n == 250000 then board.deep = ("%d"):format(ffi.C.pthread_self()) end
    return 1 + f()
  end
  function M.on_quote() while true do n = 0 pcall(f) end end]],
    ["other.lua"] = [[
  local ffi = require "ffi"
  ffi.cdef "int pthread_kill(unsigned long, int);"
  local function runs()
    for _, task in ipairs(tw.ps()) do
      if task.name == "s.lua" then return task.state == "running" end
    end
  end
  function M:on_start()
    while not board.deep do tw.sleep(0.001) end
    local thread = math.tointeger(tonumber(board.deep))
    repeat
      for _ = 1, 1000 do ffi.C.pthread_kill(thread, 23) end
      if self.worker == 1 and not runs() then board.stopped = true end
    until board.stopped
  end]] }
  local fine = t.ok(run.err:find "script s.lua [^\n]* ran for more than"
    and not run.err:find "script other.lua", "signals that come faster than they are"
    .. " dealt with")
  fine = t.is(run.status, 1, "signals: status") and fine
  if not fine then t.diag(run.err) end
end

-- Who waits for its print to be read is no runaway.
local _, command = apps.write { app = APP:gsub("limit = 3", "limit = 300"),
  ["s.lua"] = "function M.on_quote() print(('x'):rep(10000)) end" }
local slow = apps.shell(command .. " | { sleep 1; cat; }")
t.is(#slow.out, 300 * 10001, "a print that waits for a slow reader")

-- Lua's own coroutine functions, but that they can be followed.

local tidewire = apps.tidewire
local function same_as_lua(text, want)
  t.is(apps.shell(tidewire .. " -e " .. apps.quote(text)).out, want, text:match "^[^\n]*")
end
same_as_lua("local f f = coroutine.wrap(function() f() end) print(pcall(f))",
  "false\t(command line):1: cannot resume non-suspended coroutine\n")
same_as_lua("local f = coroutine.wrap(function() end) f() print(pcall(f))",
  "false\tcannot resume dead coroutine\n")
same_as_lua([[
  print(coroutine.resume(coroutine.create(function(...) error(... + 1, 0) end), 1))]],
  "false\t2\n")
same_as_lua("print(coroutine.resume(coroutine.running()))",
  "false\tcannot resume non-suspended coroutine\n")
same_as_lua([[
  local co = coroutine.create(function()
    local x <close> = setmetatable({}, { __close = function() error("closed", 0) end })
    coroutine.yield()
  end)
  coroutine.resume(co)
  print(coroutine.close(co)) print(coroutine.status(co), coroutine.close(co))
  print(pcall(coroutine.close, coroutine.running()))]],
  "false\tclosed\ndead\ttrue\nfalse\tcannot close a running coroutine\n")
same_as_lua([[
  local f = coroutine.wrap(function()
    local x <close> = setmetatable({}, { __close = function() print "closed" end })
    error("bad", 0)
  end)
  print(pcall(f))]], "closed\nfalse\tbad\n")
