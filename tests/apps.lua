--- apps: runs an app as a user does, in a process and a directory of its own.
--
--   package.path = "tests/?.lua;" .. package.path
--   local apps = require "apps"
--   apps.prints("what is tested", { app = [[app.script("s.lua")
--     app.feed.synthetic { speed = 0, limit = 1 }]], ["s.lua"] = [[
--     function M.on_quote(symbol) print(symbol) end]] }, "AAPL\n")
--
-- An app and a script begin with the names that most need: app and here, its directory
-- with a slash; tw, board and M, which a script returns.
-- The text stays on its first line, so that errors name the lines as written.

local t = require "tw.test"

local apps = {}

local TIDEWIRE = os.getenv "TIDEWIRE" or "build/tidewire"
local APP = 'local app = require "tw.app" app.tape { capacity = 4096 } '
  .. 'app.limits { time = 15 } '   -- the machine may have much else to do
  .. 'app.reload { deadline = 30 } '
  .. 'local here = debug.getinfo(1, "S").source:match "^@(.*/)" '
local SCRIPT = 'local tw, board, M = require "tw", require "tw.board", {} '
local PATIENCE = 120               -- seconds, for a run that should have ended

--- A script that rests in the book of the run on both sides, from its first timer on.
apps.MAKER = [[
  local M = require "tw.strategy".new { doc = "quotes both sides",
                                        account = { fill = "book" } }
  function M:on_timer()
    if self.is_there then return end
    self.is_there = true
    self:buy { symbol = "VV", quantity = 1000, price = 99 }
    self:sell { symbol = "VV", quantity = 1000, price = 101 }
  end
  return M]]

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- From the root, so that it is found from any directory.
local here <close> = assert(io.popen "pwd")
apps.program = TIDEWIRE:find "^/" and TIDEWIRE or here:read "l" .. "/" .. TIDEWIRE
apps.quote, apps.tidewire = quote, quote(apps.program)

--- A file's text; put writes one.
function apps.read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

function apps.put(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())               -- a full disk is told here
end

local pipe <close> = assert(io.popen "mktemp -d")
local scratch = pipe:read "l"
apps.directory = scratch           -- removed at the end
local runs = 0
local reserved = ""                -- by free_port, likewise
setmetatable(apps, { __gc = function()
  os.execute("rm -rf " .. quote(scratch) .. reserved)
end })

--- A text without the directories that this module makes.
local function clean(text)
  return (text:gsub(scratch:gsub("%p", "%%%0") .. "/[%d]+/", ""))
end

-- What a run has said, without the lines of each second, which a slow one says too.
local function without_seconds(run)
  run.err = ("\n" .. run.err):gsub("\n *[%d.]+ s  %S+ records/s  p99 [^\n]*", ""):sub(2)
  return run
end

--- A new directory of that name: its path; put(name, text) -> path, which writes a file
-- there; command(words [, before]) -> as shell, which runs the program there, behind what
-- is to stand before it.
function apps.folder(name)
  local directory = scratch .. "/" .. name
  assert(os.execute("mkdir -p " .. directory))
  local function put(file, text)
    apps.put(directory .. "/" .. file, text)
    return directory .. "/" .. file
  end
  local function command(words, before)
    return without_seconds(apps.shell(("cd %s && %s timeout 120 %s %s"):format(directory,
      before or "", apps.tidewire, words)))
  end
  return directory, put, command
end

--- A run that has ended well, which it gives back.
function apps.fine(run, name)
  if not t.is(run.status, 0, name) then t.diag(run.out .. run.err) end
  return run
end

--- Of a folder's command: refused(words, status, says, name), where it says why and ends.
function apps.refusals(command)
  return function(words, status, says, name)
    local run = command(words)
    t.is(run.status, status, name .. ": status")
    t.is(run.err, says, name)
  end
end

--- What a shell command wrote and how it ended: {out, err, status}.
function apps.shell(command, input)
  local out, err, input_path = scratch .. "/out", scratch .. "/err", scratch .. "/in"
  apps.put(input_path, input or "")
  local process = io.popen(("{ %s ; } <%s >%s 2>%s"):format(command, input_path,
    out, err))
  local _, how, status = process:close()
  return { out = clean(apps.read(out)), err = clean(apps.read(err)),
           status = how == "exit" and status or how }
end

--- Runs a command, in a directory, until what it writes has a pattern; then the shell
-- does what ends it, or "kill $p".  {out, err, all (both), status, found}
function apps.until_shown(command, pattern, directory, ending)
  local out, err, run = scratch .. "/out", scratch .. "/err", { all = "" }
  apps.put(out, "")
  apps.put(err, "")
  -- Not in the foreground it would pass a signal on twice, and the second ends at once.
  local process = io.popen(("{ cd %s && exec timeout --foreground %d %s; } >%s 2>%s "
    .. "</dev/null & echo $!; wait $! 2>/dev/null; echo $?"):format(   -- not "Terminated"
    directory or ".", 2 * PATIENCE, command, out, err))
  local pid, till = process:read "l", os.time() + PATIENCE
  local function look()
    run.out, run.err = clean(apps.read(out)), clean(apps.read(err))
    run.all = run.out .. run.err
    run.found = run.all:find(pattern) ~= nil
    return run.found
  end
  while not look() and os.time() < till
    and os.execute(("sleep 0.02; kill -0 %s 2>/dev/null"):format(pid)) do end
  os.execute(("p=%s; { %s; } 2>/dev/null"):format(pid, ending or "kill $p"))
  run.status = process:read "n"
  process:close()
  look()
  return run
end

-- Of 180 ranges of a hundred ports, below those that the system gives out, one is this
-- process's as long as it lives: a link with its number says so.  That of a process which
-- was killed is taken over.
local RESERVE <const> = [[
  i=0
  while [ $i -lt 180 ]; do
    n=$(( (ME + i) % 180 )); i=$((i + 1))
    link=/tmp/tidewire-ports-$n
    ln -s ME $link 2>/dev/null && { echo $n; exit; }
    [ -h $link ] || continue
    was=$(readlink $link)
    [ -z "$was" ] || [ -e /proc/$was ] && continue
    mv $link $link.ME 2>/dev/null || continue
    if [ "$(readlink $link.ME)" = "$was" ]; then rm $link.ME
    else mv -n $link.ME $link; continue; fi     # another one has taken it over meanwhile
    ln -s ME $link 2>/dev/null && { echo $n; exit; }
  done]]
local range, asked = nil, 0

--- A port that nobody listens at, and that no other test is given, nor this one again.
function apps.free_port()
  if not range then
    local stat <close> = io.open "/proc/self/stat"
    local me = tostring(stat:read "n")
    range = tonumber(apps.shell((RESERVE:gsub("ME", me))).out)
    assert(range, "no range of ports is free: see /tmp/tidewire-ports-*")
    reserved = (" /tmp/tidewire-ports-%d"):format(range)
  end
  local taken, port = apps.shell("cat /proc/net/tcp /proc/net/tcp6").out, nil
  repeat
    port, asked = 12000 + range * 100 + asked, asked + 1
    assert(asked <= 100, "a test with a hundred ports")
  until not taken:find((":%04X "):format(port), 1, true)
  return port
end

--- Has the process ended with all its threads?  Also where nobody has asked how yet.
function apps.is_gone(pid)
  local stat <close> = io.open(("/proc/%s/stat"):format(pid))
  return not stat or ((stat:read "a" or ""):find "^%d+ %b() Z"
         and os.execute(("[ $(ls /proc/%s/task 2>/dev/null | wc -l) -le 1 ]")
                        :format(pid)))
end

--- A run has recorded live.tape of its feed "broker": s.lua says the same in a run that
-- plays it and in a backtest.
function apps.plays(put, command, name, want)
  put("play.lua", [[
    local app = require "tw.app"
    app.feed.tape { path = "live.tape", name = "broker" }
    app.script "s.lua"]])
  apps.ended(command "run play.lua", name, want)
  local back = command "backtest s.lua --data live.tape"
  local told = (back.out .. back.err):gsub("%f[^\0\n][%d-]+ [%d:.]+ ", "")
  if not t.ok(told:find(want, 1, true), name .. ": a backtest reads it, too") then
    t.diag(back.out .. back.err)
  end
end

--- What a sweep has said, but for how far it has come, which a slow one says too.
function apps.said(run)
  return (run.err:gsub("tidewire: sweep: %d+ of %d+, [^\n]* left[^\n]*\n", "")
          :gsub("tidewire: sweep: reading [^\n]*\n", ""))
end

--- A command that ends with status 0; all that it wrote, and whether it did.
function apps.passes(name, command)
  local run = apps.shell("{ " .. command .. " ; } 2>&1")
  local fine = t.is(run.status, 0, name)
  if not fine then t.diag(run.out) end
  return run.out, fine
end

--- make install, or another target, of what the program under test was built from.
-- MAKEFLAGS is that of the make that runs the test: not ours.  B is as it was named
-- there: by another path to it make would not know what its objects depend on.
function apps.make(name, target, more)
  return apps.passes(name, apps.making(target, more))
end

--- The command for that.
function apps.making(target, more)
  local sanitizer = apps.has "tsan" and "thread"
    or apps.has "asan" and "address,undefined" or ""
  return ("MAKEFLAGS= make --no-print-directory %s B=%s SAN=%s %s"):format(target,
    quote(TIDEWIRE:match "^(.*)/[^/]+$"), sanitizer, more)
end

--- What a script calls to end its run, as a signal does: the status is 143.
apps.stop = 'io.popen("kill $PPID"):close()'

--- Writes an app's files to a new directory; returns it and the command to run.
-- o: app, its scripts by file name, files (other files by name), args (a list).
function apps.write(o)
  runs = runs + 1
  local directory = ("%s/%d"):format(scratch, runs)
  assert(os.execute("mkdir " .. directory))
  if o.app then apps.put(directory .. "/app.lua", APP .. o.app) end
  for name, text in pairs(o) do
    if name:find "%.lua$" then
      apps.put(directory .. "/" .. name, SCRIPT .. text .. "\nreturn M")
    end
  end
  for name, text in pairs(o.files or {}) do apps.put(directory .. "/" .. name, text) end
  local words = { quote(TIDEWIRE), "run", quote(directory .. "/app.lua") }
  for _, word in ipairs(o.args or {}) do words[#words + 1] = quote(word) end
  return directory, table.concat(words, " ")
end

--- Runs an app; input is its standard input.
-- {out, err, status, lines}: what it wrote, its exit status, out in lines.
function apps.run(o)
  local _, command = apps.write(o)
  local run = without_seconds(apps.shell(("timeout -k 1 %d %s"):format(PATIENCE, command),
                                         o.input))
  run.lines = {}
  for line in run.out:gmatch "[^\n]+" do run.lines[#run.lines + 1] = line end
  return run
end

--- An app that ends well and prints want; sorted when o.sort.
function apps.prints(name, o, want)
  local run = apps.run(o)
  if o.sort then
    table.sort(run.lines)
    run.out = table.concat(run.lines, "\n") .. "\n"
  end
  local fine = t.is(run.out, want, name)
  fine = t.is(run.status, 0, name .. ": status") and fine
  if not fine then t.diag(run.err) end
  return run
end

--- An app that ends with status 1 and says what matches the pattern.
function apps.fails(name, o, pattern)
  local run = apps.run(o)
  local fine = t.ok(run.err:find(pattern), name)
  fine = t.is(run.status, 1, name .. ": status") and fine
  if not fine then t.diag(run.err .. run.out) end
  return run
end

--- Whichever allocation of a command fails, it is an error or done without: both happen.
-- want: what it prints when all is done, which "false" in its place says it is not.  From
-- one to the next: step; the last: to, or where 30 in a row were done without.
function apps.without_memory(command, want, step, to)
  local refused, carried, row = 0, 0, 0
  for n = 1, to or 100000, step do
    local run = apps.shell(("export TW_FAIL=%d; timeout %d %s"):format(n, PATIENCE,
      command))
    row = run.out == want and run.status == 0 and row + 1 or 0
    if row > 0 then carried = carried + 1
    elseif run.out == "false\n"
        or (run.status == 1 or run.status == 2) and run.err:find "memory" then
      refused = refused + 1
    else
      t.ok(false, ("allocation %d fails: status %s"):format(n, run.status))
      t.diag(run.out .. run.err)
    end
    if row > 30 and not to then break end
  end
  t.ok(refused > 0 and carried > 0, ("without memory: %d errors, %d did without"):format(
    refused, carried))
end

--- How a run has ended: what it wrote, and its status (0).
function apps.ended(ran, name, want, status)
  local fine = t.is(ran.out, want, name)
  fine = t.is(ran.status, status or 0, name .. ": status") and fine
  if not fine then t.diag(ran.err) end
  return ran
end

--- What a script that leads a test begins with, on one line: write(name, text) a script
-- of the app's directory; answer(future) of a reload: the version, or why, in a line.
apps.leader = ([[
local here = debug.getinfo(1, "S").source:match "^@(.*/)"
local function write(name, text)
  local file <close> = assert(io.open(here .. name, "w"))
  assert(file:write('%s', text, "\nreturn M"))
end
local function answer(future)
  local ok, got = pcall(future.await, future)
  return ok and got or tostring(got):match "^[^\n]*"
end
]]):format(SCRIPT):gsub("\n", " ")

--- Likewise, of a leader of an app that watches its files: refused(change [, how]) makes
-- a change, and waits for a refusal more in the log, or one that says how.
apps.watcher = [[
local function told(how)
  local log <close> = io.open(here .. "../err")
  return select(2, log:read "a":gsub(how or "reload of [^\n]* refused", ""))
end
local function refused(change, how)
  local before, till = told(how), tw.clock() + 30
  change()
  while told(how) == before and tw.clock() < till do tw.sleep(0.01) end
end
]]

--- Runs an app of s.lua and of leader.lua, on the first worker, which leads the test.
-- o: s, feed (or the limit of one), setup (of the app), options of s.lua, or app, which
-- declares it; args, files.
function apps.led(leader, o)
  return apps.run {
    args = o.args or { "--workers", "2" },
    app = (o.feed or ("app.feed.synthetic { speed = 0, trades = 0, limit = %d }")
             :format(o.limit or 6000))
      .. " " .. (o.setup or "") .. " "
      .. (o.app or "app.script('s.lua', " .. (o.options or "{}") .. ")")
      .. " app.script('leader.lua', { workers = { 0 } })",
    ["s.lua"] = o.s or "", ["leader.lua"] = leader, files = o.files,
  }
end

--- A FIX message: its fields after BodyLength and before CheckSum, parted by |.
function apps.fix(body, version)
  local text = ("8=%s|9=%d|%s"):format(version or "FIX.4.4", #body, body):gsub("|", "\1")
  local sum = 0
  for i = 1, #text do sum = sum + text:byte(i) end
  return ("%s10=%03d\1"):format(text, sum % 256)
end

--- Is the program built with that sanitizer ("asan", "tsan")?
function apps.has(sanitizer)
  return os.execute(("grep -q __%s_init %s"):format(sanitizer, quote(TIDEWIRE))) == true
end

return apps
