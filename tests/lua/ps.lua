--- ps: what every task of every state does just now.

package.path = "tests/?.lua;" .. package.path
local t, apps, tw = require "tw.test", require "apps", require "tw"

local LOOK = [[
  local function look(name)
    for _, task in ipairs(tw.ps()) do
      local what = task.state .. " " .. task.waits_for
      if task.name == name then return what:match "%S.*%S" end
    end
  end
]]

apps.prints("what scripts do, as they and others see it", {
  app = [[
    app.feed.synthetic { speed = 0, limit = 1, trades = 0 }
    app.script("a.lua", { workers = { 0 } })
    app.script("b.lua", { workers = { 0 } })]],
  ["a.lua"] = LOOK .. [[
    print("its file:", look "a.lua")
    function M.on_start()
      print("on_start:", look "a.lua")
      tw.channel(1, { name = "go" }):recv()
      print("woken:", look "a.lua")
      tw.sleep(0.001)
      tw.channel(1, { name = "back" }):send(1)
    end
    function M.on_quote()
      print("on_quote:", look "a.lua")
      tw.channel(1, { name = "read" }):send(1)
    end
    function M.on_stop() print("on_stop:", look "a.lua") end]],
  ["b.lua"] = LOOK .. [[
    function M.on_start()
      print("who waits:", look "a.lua")
      tw.channel(1, { name = "go" }):send(1)
      tw.channel(1, { name = "back" }):recv()
    end
    function M.on_quote()                -- which may come here first
      tw.channel(1, { name = "read" }):recv()
      print("who reads the tape:", look "a.lua")
    end
    function M.on_stop() print("who has ended:", look "a.lua") end]] },
  [[
its file:	running
on_start:	running
who waits:	waiting recv
woken:	running
on_quote:	running
who reads the tape:	ready
on_stop:	running
who has ended:	done
]])

-- The tree: who spawned whom, in this state and in others.

local function receive(gate) gate:recv() end

--- The child that waits for that, when there is one.
local function child(of, what)
  for _, task in ipairs(of.children) do
    if task.state == "waiting" and task.waits_for == what then return task end
  end
end

local function whole_tree()
  while true do
    for _, root in ipairs(tw.ps()) do
      local scope = child(root, "scope")
      local inner, job = scope and child(scope, "recv"), child(root, "recv")
      if inner and job then return root, scope, inner, job end
    end
    tw.task.yield()
  end
end

tw.task.scope(function(s)
  local gate = tw.channel(1)
  s:spawn(function() tw.task.scope(function(deep) deep:spawn(receive, gate) end) end)
  s:spawn_on("pool", receive, gate)
  local root, scope, inner, job = whole_tree()
  t.ok(root.name == "main chunk" and root.state == "running" and root.worker == "main",
    "the main chunk")
  t.ok(scope.parent == root.id and inner.parent == scope.id, "what it spawned, and that")
  t.ok(inner.name:find "tests/lua/ps.lua:%d+" and inner.name == job.name,
    "by the place of their function")
  t.ok(inner.worker == "main" and job.worker:find "^pool %d" and job.parent == root.id,
    "a job of the pool")
  t.ok(tostring(tw.ps()):find("\n  " .. scope.name .. " +main +waits: scope +%d+ m?s"
    .. "\n    " .. inner.name .. " +main +waits: recv +%d"), "and its text")
  tw.sleep(0.002)
  local _, _, later = whole_tree()
  t.ok(later.id == inner.id and later.since >= inner.since + 0.002, "since when it waits")
  gate:close()
end)
while #tw.ps() > 1 or #tw.ps()[1].children > 0 do tw.task.yield() end
t.ok(true, "what has ended is not there")
t.is(#tw.ps().sessions, 0, "no FIX sessions outside of a run")
