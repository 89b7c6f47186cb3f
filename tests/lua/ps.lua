--- ps: what every task of every state does just now.

package.path = "tests/?.lua;" .. package.path
local apps = require "apps"

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
    function M.on_quote() print("on_quote:", look "a.lua") end
    function M.on_stop() print("on_stop:", look "a.lua") end]],
  ["b.lua"] = LOOK .. [[
    function M.on_start()
      print("who waits:", look "a.lua")
      tw.channel(1, { name = "go" }):send(1)
      tw.channel(1, { name = "back" }):recv()
    end
    function M.on_quote() print("who reads the tape:", look "a.lua") end
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
