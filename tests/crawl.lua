--- crawl: calls all that a script can reach with arguments of every kind.
--
--   crawl { seed = 1, calls = 4, objects = { ... }, trusted = false, say = print }
--
-- What is reached: globals, loaded modules, those that can be required, metatables, what
-- calls have returned, and all that these hold.  A seed decides what is called with what.
-- Each call has a task of its own, which is cancelled when it waits.

local tw = require "tw"
local task = require "tw.task"

local DEPTH, MOST, KEPT = 6, 4000, 400    -- of a walk; functions; values for arguments
local TURNS = 2                           -- of the state, that a call may wait for
local LONG <const> = 60                   -- of a path that is shown

-- What is used here, as it was: the calls may replace what stands in tables.
local pairs, next, type, pcall = pairs, next, type, pcall
local rawget, rawequal, sort, unpack, pack = rawget, rawequal, table.sort,
  table.unpack, table.pack
local find, match, rep = string.find, string.match, string.rep
local metatable, create, yield = debug.getmetatable, coroutine.create, coroutine.yield
local setmetatable, collect, insert = setmetatable, collectgarbage, table.insert
local scope, sleep, stdout = task.scope, tw.sleep, io.stdout

-- By what a path ends with: why it is not called.
local ENDS <const> = "ends the process or the script"
local WAITS <const> = "waits for somebody outside, or as long as it is told"
local WRITES <const> = "writes where it is told, or to the terminal"
local RAW <const> = "is made for breaking rules, of trusted scripts alone"
local HARNESS <const> = "would take what this test stands on"
local LEFT_OUT = {
  ["os%.exit$"] = ENDS, ["%f[%w]main$"] = ENDS, ["tw%.test%.[%w_]+$"] = ENDS,
  ["io%.popen$"] = ENDS, ["os%.execute$"] = ENDS, ["task%.shield$"] = WAITS,
  ["tw%.supervise"] = WAITS, ["tw%.repl%.[%w_]+$"] = WAITS, ["tw%.test$"] = WAITS,
  ["os%.tmpname$"] = WRITES, ["os%.remove$"] = WRITES, ["os%.rename$"] = WRITES,
  ["tw%.monitor%."] = WRITES, ["%.stdout"] = HARNESS, ["%.stderr"] = HARNESS,
  ["^_G%.print$"] = WRITES, ["%f[%w]warn$"] = WRITES,
  ["table%.move$"] = WAITS, ["coroutine%.close$"] = HARNESS,
  ["rawset$"] = HARNESS, ["setupvalue$"] = HARNESS,
  ["debug%.[%w_]+$"] = RAW, ["loadlib$"] = RAW, ["function.*%.unpack$"] = RAW,
  ["%.fail_at$"] = RAW, ["%.starve$"] = RAW,
  ["^c?ffi"] = RAW, ["%.c?ffi%f[%W]"] = RAW,
}
local FINE <const> = { traceback = true, getinfo = true, getmetatable = true,
                       getupvalue = true }

local function why_not(path)
  if FINE[match(path, "^_G%.debug%.(%w+)$")] then return nil end
  for pattern, why in pairs(LEFT_OUT) do
    if find(path, pattern) then return why end
  end
end

-- ---- chance ----

local state
local function chance(n)                 -- xorshift: math.random is called, too
  state = state ~ state << 13
  state = state ~ state >> 7
  state = state ~ state << 17
  return (state >> 11) % n + 1
end

-- ---- what is reached ----

local seen, functions, values

local function add_value(value)
  if #values < KEPT then values[#values + 1] = value
  else values[chance(KEPT)] = value end
end

local function sorted_keys(t)
  local names = {}
  for key in next, t do
    if type(key) == "string" then names[#names + 1] = key end
  end
  sort(names)
  return names
end

local function walk(value, path, depth, owner)
  local kind = type(value)
  if kind ~= "table" and kind ~= "function" and kind ~= "userdata" or seen[value]
      or #functions >= MOST then
    return
  end
  seen[value] = true
  if kind == "function" then
    if not why_not(path) then
      functions[#functions + 1] = { path = path, f = value, owner = owner }
    end
    return
  end
  if depth == 0 then return end
  if kind == "table" then
    for _, name in next, sorted_keys(value) do
      walk(rawget(value, name), path .. "." .. name, depth - 1, owner)
    end
    for i = 1, 4 do walk(rawget(value, i), path .. "." .. i, depth - 1, owner) end
  end
  local meta = metatable(value)
  if meta then walk(meta, path .. "{}", depth - 1, value) end
end

-- ---- arguments ----

local NUMBERS = { 0, 1, 2, 3, -1, 0.5, 255, 256, 65536, 2 ^ 31, 2 ^ 53, 1e308, -1e308,
                  1 / 0, -1 / 0, 0 / 0, math.maxinteger, math.mininteger, 1e15, -2 ^ 31,
                  4294967295, 1e-300, 1000000007 }
local STRINGS = { "", "a", "x.lua", "AAPL", "name", "\0", "%", "%s%d%q", "k", "n", "*a",
                  "count", "(", "[", "\xff\xfe", "1e999", "0x10", "r", "w", "time",
                  "tw.internal.sweep.look", "math.abs", "a=b;c", "{", "[1,",
                  "8=FIX.4.4\1", rep("long ", 2000), "mean", "bid", "price", "latest",
                  "no such file", "small.lua", "data.csv", "live.tape",
                  "8=FIX.4.4\0019=5\00135=0\00110=161\1" }
local OPTIONS = {}
for name in ([[
  account accounts args ask attributes begin_string benchmark book brief by
  calendars capacity cells code columns currency data day days depends entries
  equity every exit factors feed feeds fees field fields file files fill first
  format fresh from full functions gateway given history hold host id idle index
  instruments interval keep key kind label last latency level limits list log
  lot_size member memory message messages modules n name notes open options
  order orders out params path policy precision price prices probe program
  progress quantity queue range ratio records reliable resolution risk runs
  sample screen script scripts sector self sender sheet side size sort source
  sources state states store string symbol symbols tags target templates text
  texts threads tick_size time timeout to topics trades ttl type value values
  venue via warmup_ns warmup_records weight what window worker workers zone
]]):gmatch "%S+" do
  OPTIONS[#OPTIONS + 1] = name
end

local function any_value(depth)
  local kind = chance(15)
  if kind == 1 then return nil end
  if kind <= 3 then return NUMBERS[chance(#NUMBERS)] end
  if kind <= 5 then return STRINGS[chance(#STRINGS)] end
  if kind == 6 then return chance(2) == 1 end
  if kind == 7 or kind >= 14 then
    local t = {}
    if depth == 0 then return t end
    for i = 1, chance(4) - 1 do t[i] = any_value(depth - 1) end
    for _ = 1, chance(6) - 1 do t[OPTIONS[chance(#OPTIONS)]] = any_value(depth - 1) end
    if chance(20) == 1 then t.self = t end
    if chance(20) == 1 then
      return setmetatable(t, { __index = function() error "an error" end,
                               __len = function() return NUMBERS[chance(#NUMBERS)] end })
    end
    return t
  end
  if kind == 8 then
    local what, result = chance(4), any_value(0)
    return function(...)
      if what == 1 then error(result) end
      if what == 2 then return ... end
      if what == 3 then sleep(0) end
      return result
    end
  end
  if kind == 9 then return create(function(...) yield(...) end) end
  return values[chance(#values)]
end

-- Of what is a method, mostly its object first.
local function arguments(target)
  local args = { n = chance(6) - 1 }
  for i = 1, args.n do args[i] = any_value(3) end
  if target.owner ~= nil and chance(8) > 1 then
    args.n = args.n + 1
    insert(args, 1, target.owner)
    for i = args.n + 1, #args do args[i] = nil end
  end
  return args
end

-- ---- calls ----

local function call(target, args)
  local results
  pcall(scope, function(s)
    local t = s:spawn(function()
      results = pack(pcall(target.f, unpack(args, 1, args.n)))
    end)
    for _ = 1, TURNS do
      if results then break end
      sleep(0)
    end
    t:cancel()
  end)
  return results
end

local function look_at(results, path)
  for i = 2, results and results.n or 0 do
    local value = results[i]
    local kind = type(value)
    if find(path, "preload") then return end
    if (kind == "table" or kind == "userdata" or kind == "function"
        or kind == "thread") and not seen[value] then
      if rawequal(value, stdout) then return end
      if #path < LONG then walk(value, path .. "()", 3, kind == "userdata" and value) end
      add_value(value)
    end
  end
end

return function(o)
  state = o.seed * 2654435761 + 88172645463325252
  seen, functions, values = { [o] = true, [stdout] = true }, {}, {}
  io.output "output.txt"
  local sources = {}
  for _, name in next, sorted_keys(o.objects) do add_value(o.objects[name]) end
  for _, name in next, sorted_keys(o.objects) do
    walk(o.objects[name], name, DEPTH, o.objects[name])
  end
  local preload = sorted_keys(package.preload)
  for _, name in next, preload do
    local fine, module = pcall(require, name)
    if fine then sources[name] = module end
  end
  for _, name in next, sorted_keys(sources) do walk(sources[name], name, DEPTH) end
  walk(_G, "_G", DEPTH)
  walk("", "text", DEPTH)
  walk(metatable "", "text{}", DEPTH, "text")
  local first, count = #functions, 0
  for round = 1, o.calls do
    local i = 1
    while i <= #functions do
      local target = functions[i]
      if not o.only or find(target.path, o.only) then
        local args = arguments(target)
        if o.trace then o.trace(target.path, args) end
        look_at(call(target, args), target.path)
        count = count + 1
        if count % 64 == 0 then
          collect "restart"
          collect "incremental"
          if count % 1024 == 0 then collect() end
        end
      end
      i = i + 1
    end
  end
  collect "restart"
  collect()
  return first, #functions, count
end
