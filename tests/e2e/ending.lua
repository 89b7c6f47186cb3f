--- ending: a run that is told to end while a new version is on its way.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

-- When the script has come to its 300th quote it writes its next version and asks for
-- it; the run is told to end when `when` is there.
local LEADER = apps.leader .. ([[
local go = tw.channel(1)
local n = 0
function M.on_quote() n = n + 1 if n == 300 then go:send(true) end end
function M:on_start() tw.task.detach(M.lead) end
local function see(what) while not tostring(tw.ps()):find(what) do tw.sleep(0.001) end end
local function kill(how) io.popen("kill -" .. how .. " $PPID"):close() end
]]):gsub("\n", " ")

local OLD = [[
  function M:on_start() self.n = 0 end
  function M:on_quote() self.n = self.n + 1 tw.publish("signal", self.n) end
  function M:on_stop() print "stopped" end]]
local FEEDS = {
  replay = "app.feed.synthetic { speed = 0, trades = 0, limit = 1000000000 } ",
  live = "app.feed.synthetic { rate = 5000, trades = 0 } ",
}
local ENDLESS = "function M:on_start() tw.channel(1):recv() end "
local TASKS = "function M:on_start() tw.task.detach(function() local c <close> = "
  .. "setmetatable({}, { __close = function() tw.sleep(0.01) end }) tw.sleep(1000) end) "
  .. "tw.channel(1):recv() end "

-- What is under way: the new version, what is asked of it, when it is there.
local PHASES = {
  { "warming", new = ENDLESS, options = "{ warm = 100 }", see = "candidate" },
  { "warming, with tasks", new = TASKS, options = "{ warm = 100 }", see = "candidate" },
  { "in shadow", new = OLD, options = "{ shadow = 1000000000 }", see = "candidate" },
  { "in shadow, waiting", new = OLD .. [[
      function M:on_quote() tw.channel(1):recv() end]],
    options = "{ shadow = 1000000000 }", see = "candidate" },
  { "guarded", new = OLD, options = "{ shadow = 1000000 }", await = "{ shadow = 300 }" },
  { "changing", new = OLD, s = OLD .. [[
      function M:on_quote() tw.channel(1):recv() end]], options = "{}", pause = 0.05 },
  { "tried", new = "while true do end", options = "{}", pause = 0.05 },
}
local ENDS = {
  { "SIGTERM", how = "kill 'TERM'", status = 143 },
  { "SIGINT", how = "kill 'INT'", status = 130 },
  { "--seconds", args = { "--seconds", "0.6" }, how = "", status = 0 },
}

for _, feed in ipairs { "replay", "live" } do
  for _, phase in ipairs(PHASES) do
    for _, ending in ipairs(ENDS) do
      local args = { "--workers", "2" }
      table.move(ending.args or {}, 1, 2, 3, args)
      local ran = apps.run {
        args = args,
        app = FEEDS[feed] .. "app.reload { deadline = 600 } app.script('s.lua', "
          .. "{ workers = { 1 } }) app.script('leader.lua', { workers = { 0 } })",
        ["s.lua"] = phase.s or OLD,
        ["leader.lua"] = LEADER .. ([[
          function M.lead()
            go:recv()
            write("s.lua", %q)
            %s tw.reload("s.lua", %s)
            %s
            tw.sleep(%g)
            %s
          end]]):format(phase.new,
            -- A run that ends already, as it may by --seconds, takes no new version.
            phase.await and ("local first = tw.reload('s.lua', %s) if not first then "
              .. "return end first:await() write('s.lua', %q .. ' --')")
              :format(phase.await, phase.new) or "",
            phase.options, phase.see and ("see %q"):format(phase.see) or "",
            phase.pause or 0, ending.how),
      }
      local name = ("%s, %s, %s"):format(ending[1], phase[1], feed)
      local fine = t.is(ran.status, ending.status, name)
      fine = t.is(ran.out, "stopped\n", name .. ": on_stop") and fine
      if not fine then t.diag(ran.err) end
    end
  end
end
t.done()
