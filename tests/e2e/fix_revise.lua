--- fix_revise: a new version of an app file whose FIX sessions differ is refused, with
-- which; and runs with sessions whose memory gives out.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local SMALL = os.getenv "SMALL" or apps.has "asan" or apps.has "tsan"

do
  local at = apps.free_port()
  local run = apps.run { args = { "--workers", "1" }, app = ([[
    app.fix.acceptor { port = %d, sessions = { { name = "venue", sender = "VENUE",
      target = "ME" } } }
    app.fix.session { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
      target = "VENUE", heartbeat = 30, logon = { Password = "secret" } }
    app.script "s.lua"]]):format(at, at), ["s.lua"] = apps.leader .. [[
    local function say(...)
      io.stdout:write(table.concat({ ... }, " ") .. "\n")
      io.stdout:flush()
    end
    local file <close> = io.open(here .. "app.lua")
    local first = file:read "a"
    local function try(from, to)
      local made <close> = io.open(here .. "app.lua", "w")
      made:write((first:gsub(from, to)))
      made:close()
      say(tostring(answer(tw.reload "app.lua")))
    end
    function M:on_start()
      try("heartbeat = 30", "heartbeat = 31")
      try('name = "broker"', 'name = "other"')
      try('VENUE",', '%0 logon_timeout = 5,')
      try("app.fix.acceptor {", "%0 connections = 7,")
      try("app.script", " %0")
      say(tw.fix.status "broker".name, #tw.fix.status())
      os.exit(0)
    end]] }
  local lines = run.lines
  local function says(i, text)
    if not t.ok(lines[i] and lines[i]:find(text, 1, true), text) then
      t.diag(run.out .. run.err)
    end
  end
  says(1, "FIX session broker: this can't change while the app runs")
  says(2, "FIX session broker, which is gone (tw.fix.remove ends one), FIX session other,"
    .. " which is new (tw.fix.add adds one): this can't change")
  says(3, "FIX session venue")
  says(4, "the ports of FIX: this can't change")
  t.is(tonumber(lines[5]), 2, "a version with the same sessions is taken up")
  t.is(lines[6], "broker 2", "and the sessions are as they were")
  t.ok(not run.out:find "secret" and not run.err:find "secret", "no line has a password")
end

-- Whichever allocation of a run with sessions fails, it ends in order or goes on.
do
  local _, command = apps.write { args = { "--workers", "1", "--seconds", "0.05",
    "--no-attach" }, app = [[
    app.tape { capacity = 1024 }
    app.fix.acceptor { port = 0, sessions = { { name = "venue", sender = "VENUE",
      target = "ME", store = here .. "store", store_size = 4096, log = here .. "log" } },
      template = { sender = "ANY", target = "*" } }
    app.fix.session { name = "broker", host = "127.0.0.1", port = 1, sender = "ME",
      target = "VENUE", schedule = { zone = "America/New_York", open = "9:30",
      close = "16:00" }, logon = { Password = "x" }, message_size = 4096 }
    app.script "s.lua"]], ["s.lua"] = [[
    function M:on_start()
      assert(#tw.fix.status() == 2)
      assert(tw.fix.add { sender = "A", target = "B", host = "127.0.0.1", port = 1 })
    end
    function M:on_fix_event(session, event, text) end]] }
  local refused, carried = 0, 0
  for n = 1, 3000, SMALL and 601 or 151 do
    local run = apps.shell(("TW_FAIL=%d timeout -k 1 120 %s"):format(n, command))
    if run.status == 1 and run.err:find "memory" then refused = refused + 1
    elseif run.status == 0 then carried = carried + 1
    else
      t.is(run.status, "0, or 1 and why", "allocation " .. n .. " fails")
      t.diag(run.err)
    end
  end
  t.ok(refused > 0 and carried > 0, ("a run with sessions, without memory: %d can't"
    .. " begin, %d go on"):format(refused, carried))
end

t.done()
