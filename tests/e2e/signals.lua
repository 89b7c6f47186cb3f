--- signals: SIGINT and SIGTERM end a run in peace; SIGINT after either at once.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

-- The script opens the fifo when it is running; the shell waits for that, then
-- sends the signal.  The times only end a test that fails.
local APP = "app.feed.synthetic { rate = 1000 } app.script('s.lua')"
local SIGNAL = [[
  function M:on_quote()
    if not self.said then io.open(self.params.fifo, "w"):close() self.said = true end
  end
]]

local function signalled(o, signals)
  local fifo = os.tmpname()
  os.remove(fifo)
  assert(os.execute("mkfifo " .. fifo))
  o.app = o.app:gsub("'s.lua'", ("'s.lua', { params = { fifo = %q } }"):format(fifo))
  local _, command = apps.write(o)
  signals = signals:gsub("READY", "timeout 120 cat " .. fifo .. ";"):gsub("FIFO", fifo)
  local run = apps.shell(("%s & %s wait $!"):format(command, signals))
  os.remove(fifo)
  return run
end

for signal, status in pairs { INT = 130, TERM = 143 } do
  local run = signalled({ app = APP .. "app.script('other.lua')",
    ["s.lua"] = SIGNAL .. "function M.on_stop() print 'stop' end",
    ["other.lua"] = "function M.on_stop() print 'other' end",
    args = { "--workers", "2" } },
    "READY kill -" .. signal .. " $!;")
  t.ok(run.out == "stop\nother\n" or run.out == "other\nstop\n",
    signal .. ": on_stop runs")
  t.ok(run.err:find "records in [^\n]* s, ", signal .. ": the summary")
  t.is(run.status, status, signal .. ": status")
  if run.status ~= status then t.diag(run.err) end
end

-- A signal that comes as soon as anything of a script has begun: in one of many workers,
-- while the others are told to begin.
for i = 1, 10 do
  local run = apps.run { args = { "--workers", "8" },
    app = "app.feed.synthetic { rate = 10 } app.script 's.lua'", ["s.lua"] =
      "function M.on_start() " .. apps.stop .. " end "
      .. "function M.on_stop() print 'stop' end" }
  if run.status ~= 143 or run.out ~= "stop\n" or i == 10 then
    apps.ended(run, "a signal in on_start", "stop\n", 143)
    break
  end
end

-- A job that catches that it is to end, and then computes for ever, has the time that a
-- handler has.
do
  local run = signalled({ app = "app.limits { time = 0.1 } " .. APP, ["s.lua"] = [[
    function M:on_start()
      local job = tw.pool.run(function()
        pcall(require "tw".sleep, 1e6)
        while true do end
      end)
      local waits
      repeat
        tw.sleep(0)
        for _, t in ipairs(require "tw.internal.task".list()) do
          waits = waits or t.worker:find "^pool" and t.waits_for == "sleep"
        end
      until waits
      io.open(self.params.fifo, "w"):close()
      job:await()
    end]] }, "READY kill -INT $!;")
  t.is(run.status, 130, "a job that computes on is stopped")
  t.ok(run.err:find "records in [^\n]* s, ", "and the run ends in peace")
end

-- The second signal: on_stop is busy for longer than anybody waits.
local run
for _, first in ipairs { "INT", "TERM" } do
  run = signalled({ app = "app.limits { time = 0 } " .. APP, ["s.lua"] = SIGNAL .. [[
    function M:on_stop()
      io.open(self.params.fifo, "w"):close()
      local till = tw.clock() + 100
      while tw.clock() < till do end
      print "not reached"
    end]] }, "READY kill -" .. first .. " $!; READY kill -INT $!;")
  t.is(run.out, "", "SIGINT after SIG" .. first .. " ends at once")
  t.ok(run.status ~= 0, "and not well")
end

-- SIGTERM comes twice to who is in a group that is told: on_stop goes on once the second
-- one was sent.
for _, first in ipairs { "TERM", "INT" } do
  run = signalled({ app = "app.limits { time = 0 } " .. APP, ["s.lua"] = SIGNAL .. [[
    function M:on_stop()
      io.open(self.params.fifo, "w"):close()
      io.open(self.params.fifo):close()
      print "stopped"
    end]] }, "READY kill -" .. first .. " $!; READY kill -TERM $!; "
      .. "timeout 120 sh -c ': >FIFO';")
  apps.ended(run, "SIGTERM after SIG" .. first .. " is nothing more", "stopped\n",
             first == "INT" and 130 or 143)
end

-- A file that does not return is loaded before anything can stop in peace.
local fifo = os.tmpname()
os.remove(fifo)
assert(os.execute("mkfifo " .. fifo))
local _, command = apps.write { app = APP,
  ["s.lua"] = ("io.open(%q, 'w'):close() while true do end"):format(fifo) }
run = apps.shell(("%s & timeout 120 cat %s; kill -TERM $!; wait $!"):format(command,
  fifo))
os.remove(fifo)
t.is(run.status, 143, "a signal ends a run that is still loading")

-- What a script prints can be read, and acted on, while the run lasts.
assert(os.execute("mkfifo " .. fifo))
_, command = apps.write { app = APP,
  ["s.lua"] = "function M.on_start() print 'begun' end" }
run = apps.shell(("%s >%s & timeout 120 head -n 1 <%s; kill -INT $!; wait $!")
  :format(command, fifo, fifo))
os.remove(fifo)
t.is(run.out, "begun\n", "a script's print into a pipe")
t.is(run.status, 130, "comes out while the run lasts")
