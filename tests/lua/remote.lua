--- remote: tasks of a scope on other workers, and in the pool.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local prints = apps.prints

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 3 }\n"
local ONE = FEED .. 'app.script("s.lua", { workers = { 0 } })'
local function run(name, body, want)
  return prints(name, { app = ONE, args = { "--workers", "2" },
                        ["s.lua"] = "function M:on_start()\n" .. body .. "\nend" }, want)
end

run("on each worker and in the pool", [[
  tw.task.scope(function(s)
    local function where(x) return { x, require "tw".ps()[1].worker ~= nil } end
    local a, b, c = s:spawn_on(1, where, 1), s:spawn_on(0, where, 2),
                    s:spawn_on("pool", where, 3)
    print(a:await()[1], b:await()[1], c:await()[1], a:await()[2])
  end)]], "1\t2\t3\ttrue\n")

run("the scope waits for it", [[
  local ch = tw.channel(1)
  tw.task.scope(function(s)
    s:spawn_on(1, function(ch) require "tw".sleep(0.01) ch:send("done") end, ch)
  end)
  print(ch:try_recv())]], "done\n")

run("its error cancels those beside it and is raised", [[
  local ok, err = pcall(tw.task.scope, function(s)
    s:spawn_on(1, function(n) error("on worker " .. n) end, 1)
    s:spawn(function() tw.sleep(100) end)
  end)
  print(ok, err.message:match("on worker 1"), err.cause.cause.worker, err.also)]],
  "false\ton worker 1\tworker 1\tnil\n")

run("an error that is awaited too is told once", [[
  local ok, err = pcall(tw.task.scope, function(s)
    s:spawn_on(1, function() error "once" end):await()
  end)
  print(ok, err.message:match "once", err.also)]], "false\tonce\tnil\n")

run("the end of the scope stops it", [[
  local began = tw.channel(1)
  local v, why = tw.task.timeout(0.05, function()
    tw.task.scope(function(s)
      s:spawn_on(1, function(began) began:send(1) require "tw".sleep(100) end, began)
    end)
  end)
  print(v, why)]], "nil\ttimed out after 0.05 s\n")

run("a task on another worker asks back", [[
  tw.task.scope(function(s)
    print(s:spawn_on(1, function(n)
      local tw = require "tw"
      return tw.task.scope(function(s)
        return s:spawn_on(0, function(n) return n * 2 end, n):await() + 1
      end)
    end, 20):await())
  end)]], "41\n")

run("many at once", [[
  local sum = 0
  tw.task.scope(function(s)
    local list = {}
    for i = 1, 200 do list[i] = s:spawn_on(i % 2, function(n) return n end, i) end
    for _, v in ipairs(tw.all(list)) do sum = sum + v end
  end)
  print(sum)]], "20100\n")

run("wrong use", [[
  for _, args in ipairs { { 2, print }, { -1, print }, { "worker", print }, { 1, 17 },
                          { 1, function() return io.stdout end, io.stdout } } do
    local _, err = pcall(tw.task.scope, function(s) s:spawn_on(table.unpack(args)) end)
    print((err.message:gsub("^[^ ]*:%d+: ", "")))
  end]], [[
scope:spawn_on: worker 2 of 2 (0 .. 1)
scope:spawn_on: worker -1 of 2 (0 .. 1)
scope:spawn_on: "pool" or the number of a worker expected, got worker
scope:spawn_on: a function or "module.name" expected, got number
scope:spawn_on: argument 1 is a userdata
]])

-- A run that ends while a task is on its way: its future is settled, nothing hangs.
apps.ended(apps.run { app = ONE, args = { "--workers", "2" }, ["s.lua"] = [[
  function M:on_start()
    local begun = tw.channel(1)
    tw.task.detach(function()
      tw.task.scope(function(s)
        self.f = s:spawn_on(1, function(begun)
          begun:send(true)
          while true do require "tw".sleep(0.001) end
        end, begun)
        tw.channel(1):recv()
      end)
    end)
    tw.task.detach(function() begun:recv() ]] .. apps.stop .. [[ end)
  end
  function M:on_quote(seq) if seq == 3 then tw.task.yield() end end
  function M:on_stop() print(self.f:peek()) end]] }, "the run ends first",
  "cancelled\n", 143)

local outside = apps.shell(apps.tidewire .. " -e " .. apps.quote [[
  local tw = require "tw"
  tw.task.scope(function(s) s:spawn_on(0, print) end)]])
t.ok(outside.err:find "scope:spawn_on: there are no workers here, only \"pool\"",
     "outside a run")
t.is(outside.status, 1, "outside a run: status")
