--- parallel: the pool in whole programs: how they end, what is printed, progress.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local TIMEOUT = "timeout -k 1 120 "

-- Runs a plain program with the pool at hand; before: put before the command.
local function program(text, before, after)
  local directory = apps.write { files = { ["p.lua"] = 'local tw = require "tw"'
    .. ' local pool, task = tw.pool, tw.task ' .. text } }
  return apps.shell(("cd %s && %s %s p.lua %s"):format(directory, before or TIMEOUT,
    apps.absolute, after or ""))
end
do
  local here = io.popen "pwd":read "l"
  local path = os.getenv "TIDEWIRE" or "build/tidewire"
  apps.absolute = apps.quote(path:sub(1, 1) == "/" and path or here .. "/" .. path)
end

local function ends(name, status, out, err, ...)
  local run = program(...)
  local fine = t.is(run.status, status, name .. ": status")
  fine = t.is(run.out, out, name .. ": output") and fine
  fine = t.ok(run.err:find("^" .. err .. "$"), name .. ": errors") and fine
  if not fine then t.diag(run.err) end
end

-- The example: the same result on any number of threads.

local figures
for _, threads in ipairs { 1, 2, 5 } do
  local run = apps.shell(TIMEOUT .. ("%s -e 'require[[tw.pool]].configure{threads=%d}'"
    .. " scripts/parallel.lua '' 350"):format(apps.tidewire, threads))
  local first, second = run.out:match "^([^\n]*)\n([^\n]*)\n$"
  t.is(run.status .. run.err, "0", "the example ends well")
  if t.ok(first, "it prints two lines") then
    local ratio, low, high = first:match("^1000 returns: Sharpe ratio (%S+) a year, in"
      .. " (%S+) %.%. (%S+) with 95%%, not above 0 with %S+%%$")
    t.ok(ratio and tonumber(low) < tonumber(ratio) and tonumber(ratio) < tonumber(high),
         "a ratio in its interval")
    t.is(first, figures or first, ("the same on %d threads"):format(threads))
    t.ok(second:find("^350 resamples: %S+ s on " .. threads
      .. " threads, %S+ s on one: "), "and the speedup")
    figures = first
  end
end

-- The end of a program.

ends("what nobody awaits", 0, "done\n", "",
     "pool.run(function() require 'tw'.sleep(0.01) print 'done' end)")
ends("a failure that nobody sees", 1, "", "tidewire: an error that nobody awaited:"
     .. " p.lua:1: bad\nin pool %d: stack traceback:\n.*",
     "pool.run(function() error 'bad' end)")
ends("a failure that somebody sees", 0, "", "",
     "pool.run(function() error 'bad' end):pawait()")
-- The thread sanitizer delivers no signal to a thread that makes no call.
local LOOP = apps.has "tsan" and "while true do require 'tw'.sleep(0) end "
  or "while true do end "
local LOOPS = "for _ = 1, 10 do pool.run(function() " .. LOOP .. " end) end "
ends("an error while jobs run", 1, "", "tidewire: p.lua:1: bad\nstack traceback:\n.*",
     LOOPS .. "error 'bad'")
for _, close in ipairs { "false", "true" } do
  ends("os.exit while jobs run, close " .. close, 3, "", "",
       LOOPS .. "tw.sleep(0.01) os.exit(3, " .. close .. ")")
  ends("os.exit in a job, close " .. close, 4, "", "",
       "pool.run(function() os.exit(4, " .. close .. ") end):await()")
end
ends("Ctrl-C in a map", 1, "begun\n",
     "tidewire: [^\n]*interrupted!\nstack traceback:\n.*", [[
  local me = io.open "/proc/self/stat":read "n"
  pool.each({ 1, 2, 3, 4 }, function(i)
    if i == 1 then print "begun" io.popen("kill -INT " .. me):close() end
    ]] .. LOOP .. [[
  end, { chunk = 1 }) ]])
ends("Ctrl-C that comes to another thread", 1, "",
     "tidewire: [^\n]*interrupted!\nstack traceback:\n.*", [[
  pool.each({ 1, 2, 3, 4 }, function(i)
    local ffi = require "ffi"
    ffi.cdef "int raise(int);"
    if i == 1 then ffi.C.raise(2) end
    ]] .. LOOP .. [[
  end, { chunk = 1 }) ]])
ends("Ctrl-C at its end, while a job runs", "signal", "", ".*", [[
  local me = io.open "/proc/self/stat":read "n"
  pool.run(function()
    repeat
      local stat <close> = io.open "/proc/self/stat"
    until stat:read "a":find "%) S"   -- MAIN waits
    io.popen("kill -INT " .. me):close() ]] .. LOOP .. [[ end) ]],
  "exec timeout --foreground -k 1 120 ")

-- Lines stay whole.

local run = program [[
  local function say(who)
    for i = 1, 2000 do print(who, i, ("x"):rep(50)) end
  end
  for who = 1, 4 do pool.run(say, who) end
  say(0) ]]
local lines, broken, at = 0, 0, {}
for line in run.out:gmatch "([^\n]*)\n" do
  local who, i, text = line:match "^(%d)\t(%d+)\t(x*)$"
  lines = lines + 1
  local follows = who and #text == 50 and tonumber(i) == (at[who] or 0) + 1
  broken = broken + (follows and 0 or 1)
  at[who or ""] = tonumber(i)
end
t.is(lines, 10000, "print: every line")
t.is(broken, 0, "print: whole, and in the order of each job")

-- Modules: found as the program finds them.

local directory = apps.write { files = {
  ["m.lua"] = "loads = (loads or 0) + 1 return { loads = function() return loads end }",
  ["p.lua"] = [[
    package.path = "m/../?.lua;" .. package.path
    local pool = require "tw.pool"
    pool.configure { threads = 1 }
    print(pool.run("m.loads"):await(), pool.run("m.loads"):await()) ]],
} }
run = apps.shell(("cd %s && mkdir m && %s p.lua"):format(directory, apps.absolute))
t.is(run.out, "1\t1\n", "a module beside the script, loaded once")

-- Progress: drawn on a terminal and taken away again; nothing anywhere else.

local SLOW = [[
  local function nap() require "tw".sleep(0.15) end
  local function map(fn)
    return pool.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, fn,
                    { chunk = 1, limit = 1, name = "naps" })
  end ]]
run = program(SLOW .. "map(nap)")
t.is(run.err .. run.out, "", "no progress into a file")
local probe = apps.shell("script -qec 'test -t 2 && echo a terminal' /dev/null")
if probe.out:find "a terminal" then
  local function on_terminal(text)
    local dir = apps.write { files = {
      ["p.lua"] = "local pool = require 'tw.pool'" .. text } }
    return apps.shell(("cd %s && script -qec %s /dev/null"):format(dir,
      apps.quote(TIMEOUT .. apps.absolute .. " p.lua")))
  end
  run = on_terminal(SLOW .. "map(nap) print 'after'")
  local LINE = "\rnaps: (%d+) of 10, 0 failed, ([%d.]+)/s, (%d+:%d%d) left\27%[K"
  local done, rate = run.out:match(LINE)
  t.ok(done and tonumber(done) >= 1 and tonumber(done) <= 10 and tonumber(rate) > 0,
       "on a terminal: done, rate, and time left")
  t.ok(not run.out:match(LINE .. ".-\n.-" .. LINE), "in one line")
  t.ok(run.out:find "\r\27%[Kafter\r\n$", "which is gone at its end")
  run = on_terminal(SLOW .. [[map(function(i)
    require "tw".sleep(0.15) if i == 9 then error "bad" end end)]])
  t.is(run.status, 1, "a map that fails")
  t.ok(run.out:find "left\27%[K\r\27%[Ktidewire: pool%.map: element 9: p%.lua:%d+: bad",
       "leaves no half line")
  run = on_terminal(SLOW .. "pool.run(function() map(nap) end):await()")
  t.is(run.out, "", "a map within a job draws nothing")
else
  t.skip "script(1) makes no terminal here"
end
