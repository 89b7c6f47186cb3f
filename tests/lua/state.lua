--- state: all states are made alike, and a hot handler allocates nothing.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

-- All names from _G on, with their types; addresses differ, so values are not shown.
local DUMP = [[
  local function dump()
    local lines, seen = {}, {}
    local function walk(path, value)
      lines[#lines + 1] = path .. " " .. type(value)
      if type(value) ~= "table" or seen[value] then return end
      seen[value] = true
      local keys = {}
      for k in next, value do keys[#keys + 1] = k end
      table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
      for _, k in ipairs(keys) do walk(path .. "." .. tostring(k), value[k]) end
    end
    walk("string", getmetatable(""))
    walk("light", debug.getmetatable(debug.upvalueid(walk, 1)))
    for _, name in ipairs { "preload", "searchers", "config", "cpath" } do
      walk(name, package[name])
    end
    walk("_G", _G)
    return table.concat(lines, "\n")
  end
]]
local run = apps.run { args = { "--workers", "2" },
  app = [[app.feed.synthetic { speed = 0, limit = 1 }
    app.script("s.lua", { workers = { 0, 1 } })]],
  ["s.lua"] = DUMP .. "local all = dump() function M.on_start() print(all .. '\\n') end" }
local plain = apps.shell(apps.tidewire .. " -e " .. apps.quote(
  "arg = nil require 'tw' require 'tw.board' " .. DUMP .. " print(dump())")).out
local half = #run.out // 2
local one, two = run.out:sub(1, half), run.out:sub(half + 1)
t.ok(one:find "_G.coroutine.wrap function" and one:find "_G.package.loaded.tw.board table"
     and not one:find "_G.arg", "the dump has what there is")
t.is(one, two, "two workers")
t.is(one:gsub("%s+$", ""), plain:gsub("%s+$", ""), "a worker and a plain interpreter")

-- Allocations after the start, counted by the state's allocator.
local function allocations(quotes, text)
  local run_ = apps.run { args = { "--workers", "1" },
    app = ([[
      app.feed.synthetic { speed = 0, seed = 5, limit = %d }
      app.script("s.lua")
      app.on_end(function(status) print(status.workers[1].allocations) return true end)]])
      :format(quotes), ["s.lua"] = text }
  local n = math.tointeger(tonumber(run_.out))
  if not n then t.diag(run_.err) end
  return n or 0
end

local HOT = [[
  local n, sum, last = 0, 0.0, {}
  function M.on_quote(q, symbol, symbol_id, sector, bid, ask, bid_size, ask_size, mid,
                      spread, time, seq, source)
    n = n + 1
    sum = sum + (ask - bid) * bid_size + ask_size + mid - spread + time + seq
    last[symbol_id] = mid
    last[symbol] = q.bid
  end
  function M:on_trade(t, price, size, side, id) sum = sum + price * size + id end]]
local few, many = allocations(2000, HOT), allocations(20000, HOT)
t.ok(few > 0, "allocations are counted")
t.is(many, few, "a hot handler allocates nothing")
t.ok(allocations(20000, "function M.on_quote(q) M.kept = q:keep() end") > few + 10000,
  "and one that does is seen to")

-- The last finalizers run while the state closes: they can make nothing that is shared,
-- and nothing that they are refused is left.
local last = apps.shell("TW_LEAKS=1 " .. apps.tidewire .. " -e " .. apps.quote [[
  local tw = require "tw"
  kept = {}
  for _, make in ipairs {
    function() return tw.freeze { 1 } end, tw.promise,
    function() return tw.pool.run(function() end) end,
    function() return tw.channel(1) end, function() return tw.cache "last" end,
    tw.cache.list, function() return tw.channel(1, { name = "last" }) end,
    function() return tw.promise().future:await(0) end,
  } do
    kept[#kept + 1] = setmetatable({}, { __gc = function() print(pcall(make)) end })
  end
  tw.freeze { 1 }
  tw.cache "last"
  tw.pool.run(function() end):await()]])
local refused = select(2, last.out:gsub("false\t[^\n]*the state is closing\n", ""))
t.is(refused .. " " .. last.status, "8 0", "what finalizers make while a state closes")
if last.status ~= 0 or refused ~= 8 then t.diag(last.out .. last.err) end

-- Finalizers of ours that a script calls itself, with what is none of theirs.
local called = apps.shell(apps.tidewire .. " -e " .. apps.quote [[
  local tw, n = require "tw", 0
  tw.freeze { 1 }
  local theirs = { io.stdout, {}, tw.freeze { {} }, tw.array.new(4), tw.cache "c",
                   tw.promise(), tw.promise().future, tw.channel(1) }
  tw.task.scope(function(s) theirs[9] = s:spawn(function() end) end)
  local function try(gc)
    n = n + 1
    pcall(gc)
    for i = 1, 3 do pcall(gc, theirs[i]) end
  end
  for i = 4, #theirs do try(getmetatable(theirs[i]).__gc) end
  for name, meta in pairs(debug.getregistry()) do
    if tostring(name):find "^tw%." and type(meta) == "table" and rawget(meta, "__gc") then
      try(meta.__gc)
    end
  end
  local array, future = theirs[4], theirs[7]
  getmetatable(array).__gc(future)
  getmetatable(future).__gc(array)
  assert(#array == 4 and future:peek() == "pending")
  print(n > 15, io.type(io.stdout))]])
if not t.is(called.out, "true\tfile\n", "finalizers that a script calls") then
  t.diag(called.err)
end

-- At its memory limit, too, a state calls its finalizers.  Each round begins in a
-- coroutine of its own, at another depth, where Lua has never called anything, so that
-- a finalizer needs memory to be called.
local FULL = [[
  local tw, core = require "tw", require "tw.internal.function"
  local list, live = {}, require "tw.internal.task".live
  local function sink(depth)
    if depth > 0 then sink(depth - 1) return end
    for i = 1, #list do list[i] = false end
    core.starve(1)
    collectgarbage()
  end
  for depth = 1, 60 do
    for _, make in ipairs { tw.promise, function() return tw.promise().future end,
                            function() return tw.channel(1) end,
                            function() return tw.freeze { 1 } end } do
      for i = 1, 20 do list[i] = make() end
      collectgarbage() collectgarbage()
      pcall(coroutine.wrap(sink), depth)   -- it has no memory to return, perhaps
      core.starve(0)
      local _, values, objects = live()
      print(values + objects)
    end
  end]]
local full = apps.shell("TW_LEAKS=1 " .. apps.tidewire .. " -W -e " .. apps.quote(FULL))
t.is(full.err, "", "a full state calls its finalizers")
t.is(full.out, ("0\n"):rep(240), "and nothing is left")
t.is(full.status, 0, "at the end neither")

-- What they get beyond the limit is bounded.
local reserve = apps.shell(apps.tidewire .. " -W -e " .. apps.quote [[
  local core = require "tw.internal.function"
  local made
  local function make(bytes)   -- a buffer, and the string
    made = pcall(string.rep, "x", bytes // 2)
  end
  for _, bytes in ipairs { 60000, 70000 } do
    collectgarbage() collectgarbage()
    setmetatable({}, { __gc = function() make(bytes) end })
    core.starve(1)
    collectgarbage()
    core.starve(0)
    print(made)
  end
  collectgarbage() collectgarbage()
  core.starve(1)
  make(60000)
  core.starve(0)
  print(made)]])
t.is(reserve.out, "true\nfalse\nfalse\n", "finalizers have 64 KiB more, others nothing")
t.is(reserve.err, "", "nothing else is said")

-- A finalizer that fails is heard of, in a run and in the pool.
local BROKEN = [[
  local function broken()
    setmetatable({}, { __gc = function() error "gone" end })
    collectgarbage()
  end
]]
local JOB = 'require "tw".pool.run(broken):await()'
local function heard(where, command)
  local said = apps.shell(command).err
  if not t.ok(said:find(where .. ": .*error in __gc %(.-gone"), "a finalizer fails in "
              .. where) then t.diag(said) end
end
for where, body in pairs { ["worker 0"] = "broken()", ["pool %d"] = JOB } do
  heard(where, select(2, apps.write {
    app = [[app.feed.synthetic { speed = 0, limit = 1 } app.script "s.lua"]],
    ["s.lua"] = BROKEN .. "function M.on_start() " .. body .. " end" }))
end
heard("^tidewire: pool %d", apps.tidewire .. " -e " .. apps.quote(BROKEN .. JOB))
