-- trust: what a script can't do that its app does not trust, wherever it runs.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

-- What it tries, as a module that it requires; each line is what was off.
local TRIES = [[
local M = {}
local here = debug.getinfo(1, "S").source:match "^@(.*/)"
local function try(name, f, ...)
  local fine, why = pcall(f, ...)
  why = tostring(why)
  if fine then return name .. " WORKED" end
  return name .. (why:match " is off in" or why:match "are off in"
                  or why:match "binary chunk" or why:match "not found"
                  or why:match "nil value" or " " .. why)
end
local code = string.dump(function() return 1 end)
function M.all()
  return table.concat({
    try("ffi", require, "ffi"), try("cffi", require, "cffi"),
    try("preload", package.preload.ffi),
    try("loadlib", package.loadlib, "libc.so.6", "*"),
    try("module", function()
      package.cpath = here .. "?.so"
      local file <close> = assert(io.open(here .. "clib.so", "w"))
      file:write "no library"
      file:close()
      return require "clib"
    end),
    try("bytecode", function() return assert(load(code)) end),
    try("bytecode by mode", function() return assert(load(code, "x", "b")) end),
    try("bytecode file", function()
      local file <close> = assert(io.open(here .. "code.lua", "w"))
      file:write(code)
      file:close()
      return assert(loadfile(here .. "code.lua"))
    end),
    try("bytecode by mode of a file", function()
      return assert(loadfile(here .. "code.lua", "b"))
    end),
    try("bytecode done", dofile, here .. "code.lua"),
    try("bytecode required", function()
      package.path = here .. "?.lua"
      return require "code"
    end),
    try("execute", os.execute, "true"), try("popen", io.popen, "true"),
    try("memory", io.open, "/proc/self/mem", "r+"),
    try("output", io.output, "/proc/self/comm"),
    try("original", function()
      local original
      local function find() original = original or debug.getinfo(2, "f").func end
      xpcall(load, find, nil)
      load(find)
      xpcall(io.open, find, {})
      for level = 0, 9 do
        local info = debug.getinfo(coroutine.running(), level, "f") or {}
        original = original or info.func ~= nil and info.func ~= find
                   and debug.getinfo(info.func, "S").what == "C"
      end
      return assert(original, "not found")
    end),
    try("registry", function() return debug.getregistry() end),
    try("upvalue", function()
      return assert(debug.getupvalue(io.open, 1), "not found")
    end),
    try("internal", require, "tw.internal.sweep"),
    try("internal that is loaded", require, "tw.internal.pool"),
    try("internal preload", package.preload["tw.internal.pool"]),
    try("internal by name", tw.pool.run, "tw.internal.sweep.look", {}),
    try("internal of ours", function()
      for name, module in pairs(package.loaded) do
        for _, f in pairs(type(module) == "table" and module or {}) do
          for i = 1, type(f) == "function" and 9 or 0 do
            local from = debug.getinfo(f, "S").source
            local has = from:find "^@tw/" and debug.getupvalue(f, i)
            assert(not has, name .. " shows what it holds")
            assert(not from:find "^@tw/" or not debug.setupvalue(f, i, print))
          end
        end
      end
      for _, list in ipairs { package.loaded, package.preload } do
        for name in pairs(list) do
          assert(not name:find "^tw%.internal" or list == package.preload, name)
        end
      end
      error "not found"
    end),
    try("methods of ours", function()
      local kept = string.rep
      for _, get in ipairs { getmetatable, debug.getmetatable } do
        get "".__index.rep = error
      end
      local fine, text = pcall(function() return ("a"):rep(2) end)
      string.rep = kept
      assert(not fine or text ~= "aa", "not found")
    end),
    try("internal by libraries of ours", function()
      local names = { "coroutine", "debug", "io", "math", "os", "string", "table",
                      "utf8" }
      local info, kept, calls, found = debug.getinfo, {}, 0, nil
      for _, name in ipairs(names) do
        kept[name] = {}
        for key, f in pairs(_G[name]) do
          if type(f) == "function" then kept[name][key] = f end
        end
        for key, f in pairs(kept[name]) do
          _G[name][key] = function(...)
            local from = info(2, "S")
            calls = calls + 1
            if from and from.source:find "^@tw/" then found = name .. "." .. key end
            return f(...)
          end
        end
      end
      local json, inspect = require "tw.json", require "tw.inspect"
      local text = inspect.text(json.decode '{ "a": [1, 2.5, "x\\u0041"] }')
      local job = tw.pool.map({ 1, 2, 3 }, function(x) return x end)
      string.format("%s", math.max(1, 2))
      for _, name in ipairs(names) do
        for key, f in pairs(kept[name]) do _G[name][key] = f end
      end
      assert(calls >= 2 and text == '{a = {1, 2.5, "xA"}}' and #job == 3, text)
      return assert(found, "not found")
    end),
    try("internal by globals of ours", function()
      local real, found = pcall, nil
      rawset(_G, "pcall", function(...)
        found = true
        return real(...)
      end)
      local job = tw.pool.run("math.abs", -1)
      rawset(_G, "pcall", real)
      assert(job:await() == 1)
      return assert(found, "not found")
    end),
  }, "\n")
end
function M.works()
  local file <close> = assert(io.open(here .. "here.txt", "w"))
  assert(file:write "text")
  file:close()
  local g <const> = 5
  for name in pairs(package.preload) do       -- what ours need of ours is there
    local is_off = name:find "c?ffi$" or name:find "^tw%.internal%."
    assert(pcall(require, name) == not is_off, name)
  end
  assert(debug.getinfo(1, "f").func == M.works and debug.getinfo(M.works, "S")
         and debug.getinfo(1, "l").currentline > 0 and not debug.getinfo(-1, "f")
         and not debug.getinfo(99) and debug.getinfo(print, "f").func == print
         and not pcall(debug.getinfo, 1, "?"))
  return load "return 1 + 1"() + (function() return g end)()
end
]]
local OFF = {}
for _, name in ipairs { "ffi", "cffi", "preload", "loadlib" } do
  OFF[#OFF + 1] = name .. " is off in"
end
OFF[#OFF + 1] = "modulenot found"
for _, name in ipairs { "", " by mode", " file", " by mode of a file", " done",
                        " required" } do
  OFF[#OFF + 1] = "bytecode" .. name .. "binary chunk"
end
for _, name in ipairs { "execute", "popen" } do OFF[#OFF + 1] = name .. " is off in" end
for _, name in ipairs { "memory", "output" } do OFF[#OFF + 1] = name .. "are off in" end
OFF[#OFF + 1] = "originalnot found"
OFF[#OFF + 1] = "registrynil value"
OFF[#OFF + 1] = "upvaluenot found"
for _, how in ipairs { "", " that is loaded", " preload", " by name" } do
  OFF[#OFF + 1] = "internal" .. how .. " is off in"
end
OFF[#OFF + 1] = "internal of oursnot found"
OFF[#OFF + 1] = "methods of oursnot found"
for _, how in ipairs { " by libraries", " by globals" } do
  OFF[#OFF + 1] = "internal" .. how .. " of oursnot found"
end
OFF = table.concat(OFF, "\n") .. "\n"

local THEIRS = [[
  function M.on_start()
    print(require "tries".all())
    print(require "tries".works())
  end
]]
local FEED = "app.feed.synthetic { speed = 0, limit = 1 }"
local function run(name, o, want)
  o["tries.lua"] = TRIES
  return apps.prints(name, o, want)
end
run("a script", { args = { "--workers", "1" },
  app = [[app.script("s.lua", { trusted = false }) ]] .. FEED,
  ["s.lua"] = THEIRS }, OFF .. "7\n")
run("a job of the pool", { args = { "--workers", "1" }, app = [[
  app.script("s.lua", { trusted = false }) ]] .. FEED, ["s.lua"] = [[
  function M.on_start() print(tw.pool.run("tries.all"):await()) end
]] }, OFF)
run("one that is trusted beside it", { args = { "--workers", "3" }, app = [[
  app.script("ours.lua") app.script("s.lua", { trusted = false }) ]] .. FEED,
  ["ours.lua"] = [[
  function M.on_start(self)
    require "ffi"
    assert(os.execute "true" and package.loadlib and debug.getregistry)
    local fine = tw.pool.run(function() return (pcall(require, "ffi")) end):await()
    print("in the pool", fine)
  end
]], sort = true, ["s.lua"] = [[
  function M.on_start(self)
    print(self.worker, (pcall(require, "ffi")))
    local fine, why = pcall(tw.task.scope, function(s)
      s:spawn_on(0, function() return require "ffi" end)
    end)
    print(tostring(why):match "worker 0 runs scripts that the app trusts")
  end
]] }, "2\tfalse\nin the pool\ttrue\nworker 0 runs scripts that the app trusts\n")

-- One thread of the pool for both: what a job leaves there stays with those who sent it.

run("what another one's job has taken away", { args = { "--workers", "2" }, app = [[
  app.pool { threads = 1 }
  app.script("ours.lua") app.script("s.lua", { trusted = false }) ]] .. FEED,
  ["ours.lua"] = [[
  function M.on_start()
    local done, seen = tw.channel(1, { name = "taken" }), tw.channel(1, { name = "seen" })
    assert(done:recv())
    print(tw.pool.run(function()
      return type(require "ffi") .. (" %d %s"):format(math.abs(-1), tostring(_G.taken))
    end):await())
    print(table.unpack(tw.pool.map({ 1, 2 }, function(x) return x + 1 end)))
    seen:send(true)
  end
]], ["s.lua"] = [[
  function M.on_start()
    local done, seen = tw.channel(1, { name = "taken" }), tw.channel(1, { name = "seen" })
    tw.pool.run(function()
      taken = true
      string.format, require, math.abs = nil, nil, nil
      getmetatable "".__index = {}
      package.loaded["tw.chunk"] = { map = "none" }
      package.preload.ffi, package.path = nil, ""
    end):await()
    done:send(true)
    assert(seen:recv())
    print(tw.pool.run(function()
      return tostring(taken) .. " " .. tostring(string.format) .. " "
             .. tostring(math.abs)
    end):await())
    local failing = tw.pool.run(function() error "it" end)
    print((pcall(failing.await, failing)))
    print(tw.pool.run(function()
      return (select(2, pcall(require, "ffi")):match "is off in") .. tostring(_G.taken)
    end):await())
  end
]] }, "table 1 nil\n2\t3\ntrue nil nil\nfalse\nis off innil\n")

local DATA = "time,symbol,bid,ask\n1000000084,A,1,2\n"
for _, kind in ipairs { "app", "script" } do
  run("a backtest that it runs, of a file that is its " .. kind, {
    app = [[app.script("s.lua", { trusted = false }) ]] .. FEED, ["s.lua"] = ([[
  function M.on_start()
    local here = debug.getinfo(1, "S").source:match "^@(.*/)"
    local result, why = require "tw.backtest".run { data = here .. "data.csv",
                                                    %s = here .. "inner.lua" }
    print(result, tostring(why):match "ffi is off in")
  end
]]):format(kind), ["inner.lua"] = [[require "ffi"]], files = { ["data.csv"] = DATA } },
  "nil\tffi is off in\n")
end
local _, put, command = apps.folder "backtest"
put("app.lua", [[local app = require "tw.app"
  app.script("ours.lua") app.script("s.lua", { trusted = false })]])
put("ours.lua", "return {}")
put("s.lua", [[require "ffi" return {}]])
put("data.csv", DATA)
local tried = command "backtest app.lua --data data.csv"
if not t.ok(tried.status ~= 0 and (tried.err .. tried.out):find "ffi is off in",
"a backtest of the app") then t.diag(tried.err .. tried.out) end

-- Each run of a sweep writes what was off there, as does a backtest: a script may write.

put("app.lua", [[local app = require "tw.app"
  app.script("ours.lua")
  app.script("s.lua", { trusted = false, params = { n = app.param("n", 1) } })]])
put("s.lua", [[
  local M, here = {}, debug.getinfo(1, "S").source:match "^@(.*/)" or ""
  function M:on_start()
    local said = {}
    for i, module in ipairs { "ffi", "tw.internal.sweep" } do
      local fine, why = pcall(require, module)
      said[i] = fine and "WORKS" or tostring(why):match "is off in" or why
    end
    local file <close> = assert(io.open(here .. "said" .. self.params.n .. ".txt", "w"))
    assert(file:write(table.concat(said, ", ")))
  end
  return M]])
local folder = apps.directory .. "/backtest/"
local function said(ran, first, last, name)
  local texts = {}
  for n = first, last do
    local file <close> = io.open(("%ssaid%d.txt"):format(folder, n))
    texts[#texts + 1] = file and file:read "a" or "nothing"
  end
  local want = ("is off in, is off in; "):rep(last - first + 1):sub(1, -3)
  if not t.is(table.concat(texts, "; "), want, name) then t.diag(ran.err .. ran.out) end
end
said(command "backtest app.lua --data data.csv --set n=1", 1, 1,
     "what a backtest has off")
said(command "sweep app.lua --data data.csv --set n=2:4 --store none", 2, 4,
     "each run of a sweep")
run("a sweep that it runs", {
  app = [[app.script("own.lua", { trusted = false }) ]] .. FEED, ["own.lua"] = ([[
  function M.on_start()
    local swept, why = tw.sweep.run { script = "%ss.lua", data = "%sdata.csv",
                                      set = { n = { 5, 6 } } }
    print(swept and swept.done, why)
  end
]]):format(folder, folder) }, "2\tnil\n")
said({ err = "", out = "" }, 5, 6, "and what it runs")

-- A new version, which is tried in a state of its own, and runs in the old one's.

local reloaded = apps.led(apps.leader .. [[
  function M.on_start()
    write("s.lua", 'require "ffi"')
    print(answer(tw.reload "s.lua"):match "ffi is off in")
    write("s.lua", 'function M.on_start() end M.fine = pcall(require, "ffi")'
                   .. ' function M.on_reload() print(M.fine) end')
    print(answer(tw.reload "s.lua"))
  end
]], { s = "function M.on_quote() end", options = "{ trusted = false }" })
if not t.is(reloaded.out, "ffi is off in\nfalse\n2\n", "new versions of it") then
  t.diag(reloaded.err)
end

-- Who runs where.

apps.fails("one worker for both", { args = { "--workers", "1" }, app = [[
  app.script("ours.lua") app.script("s.lua", { trusted = false }) ]] .. FEED,
  ["ours.lua"] = "", ["s.lua"] = "" }, "need a worker each")
apps.fails("a worker of the others", { args = { "--workers", "2" }, app = [[
  app.script("ours.lua") app.script("s.lua", { trusted = false, workers = { 0 } }) ]]
  .. FEED, ["ours.lua"] = "", ["s.lua"] = "" },
  "s.lua: worker 0 has scripts that are trusted")

t.done()
