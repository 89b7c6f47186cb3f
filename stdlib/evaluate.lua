--- evaluate: (internal) a line of somebody attached, in the state of a worker.
--
-- Why: who looks into a running market must not change it by a slip.  A line that only
-- looks sees everything through proxies: they refuse to be written to, and of functions
-- they let those be called that are known to change nothing.  What is not known is
-- refused, so a new function is at first one that can't be called here.

local bounded = require "tw.bounded"
local fix = require "tw.fix"
local inspect = require "tw.inspect"
local tw = require "tw"

local evaluate = {}

local WIDTH = 79                  -- columns of what is shown
local OFFERS = 200                -- completions
local UPVALUES = 200              -- functions of a script whose locals are looked at
local REFUSED <const> = "this line may only look: %s; begin it with ! to change things"

local MODULES = { array = "tw.array", board = "tw.board", cache = "tw.cache",
                  channel = "tw.channel", stat = "tw.stat", task = "tw.task" }

-- Methods of tidewire's objects that leave them as they are.
local LOOKS = {}
for name in ([[slice totable sum mean variance std min max dot diff cumsum quantile list
  copy at get history keys column top peek inspect stats keep position positions orders
  cash_in value session]]):gmatch "%S+" do
  LOOKS[name] = true
end

-- But for these: a cache loads what it has not.
local CHANGES = { ["tw.cache"] = { get = true } }

-- Of these kinds, and of quotes, which have no name, nothing can be changed.
local IMMUTABLE = { ["tw.frozen"] = true, ["tw.frozen.root"] = true, ["tw.record"] = true,
                    ["tw.array"] = true, ["tw.error"] = true }

-- ---- what a line shows ----

local function show_all(results, by)
  local texts, apart = {}, "\t"
  for i = 1, results.n do
    texts[i] = inspect.text(results[i], { width = WIDTH, by = by })
    if texts[i]:find "\n" then apart = "\n" end
  end
  return table.concat(texts, apart)
end

-- ---- where names are looked up ----

-- The locals of a script's file, as its functions see them: {name = {function, index}};
-- and its _ENV.
local function locals_of(module)
  local found, seen, queue, env = {}, {}, {}, nil
  for _, value in pairs(module) do
    if type(value) == "function" then queue[#queue + 1] = value end
  end
  for _, f in ipairs(queue) do
    if #queue > UPVALUES then break end
    for i = 1, seen[f] and 0 or 255 do
      local name, value = debug.getupvalue(f, i)
      if not name then break end
      if name == "_ENV" then env = env or value
      elseif name ~= "" then found[name] = found[name] or { f, i } end
      if type(value) == "function" and not seen[value] then queue[#queue + 1] = value end
    end
    seen[f] = true
  end
  return found, env
end

-- The names that a line sees: read(name), write(name, value), names().
local function scope_of(self)
  local scope, locals, env = {}, {}, _G
  if self then
    local meta = debug.getmetatable(self)
    local module = meta and rawget(meta, "__index")
    if type(module) == "table" then
      local own
      locals, own = locals_of(module)
      env = type(own) == "table" and own or _G
    end
  end

  function scope.read(name, index)
    if name == "self" and self ~= nil then return self end
    local at = locals[name]
    if at then return (select(2, debug.getupvalue(at[1], at[2]))) end
    local value = index(env, name)
    if value ~= nil then return value end
    if name == "tw" then return tw end
    return MODULES[name] and require(MODULES[name])
  end

  function scope.write(name, value)
    local at = locals[name]
    if name == "self" and self ~= nil then error("self can't be another", 3) end
    if at then debug.setupvalue(at[1], at[2], value)
    else env[name] = value end
  end

  function scope.names()
    local names = { tw = true, self = self and true }
    for _, from in ipairs { _G, env, locals, MODULES } do
      for name in next, from do names[name] = true end
    end
    return names
  end

  return scope
end

local function print_to(say)
  return function(...)
    local texts = table.pack(...)
    for i = 1, texts.n do texts[i] = tostring(texts[i]) end
    say(table.concat(texts, "\t") .. "\n")
  end
end

local function same(value) return value end
local function index_of(value, key) return value[key] end

local function env_to_change(scope, say)
  local names = { print = say and print_to(say) }
  return setmetatable(names, {
    __index = function(_, name) return scope.read(name, index_of) end,
    __newindex = function(_, name, value) scope.write(name, value) end,
  })
end

-- ---- looking ----

-- Functions that a line which looks may have as they are: they change nothing but what
-- the line itself has made, for proxies refuse.
local harmless = {}
for _, list in ipairs {
  { type, tostring, tonumber, select, ipairs, pairs, pcall, xpcall, error, assert,
    rawequal, tw.now, tw.clock, tw.sleep },
  bounded.string, bounded.table, utf8, coroutine, math,
  { os.time, os.date, os.clock, os.difftime, os.getenv },
} do
  for _, f in pairs(list) do
    if type(f) == "function" then harmless[f] = true end
  end
end
harmless[math.randomseed], harmless[math.random] = nil, nil

-- Those that C would not be interrupted in, by what stands for them; see watchdog.c.
local stands_for = { [string] = bounded.string, [table] = bounded.table }
for _, from in ipairs { string, table } do
  for name, f in pairs(from) do
    if f ~= stands_for[from][name] then stands_for[f] = stands_for[from][name] end
  end
end
if debug.getregistry then              -- else they are there: lua/distrust.c
  local registry = debug.getregistry()
  registry["tw.texts"], registry["tw.methods"] = debug.getmetatable "", bounded.string
end

local function refuse(what) error(REFUSED:format(what), 3) end

local function is_ours(f)
  local from = debug.getinfo(f, "S")
  return from.what == "C" or from.source:find "^@tw/" ~= nil
end

local function kind_of(it)
  local meta = debug.getmetatable(it)
  return meta and rawget(meta, "__name") or ""
end

-- What a metamethod of somebody else would do is not known.
local function check_meta(it, event)
  local m = debug.getmetatable(it)
  local f = m and rawget(m, event)
  if type(f) == "function" and not is_ours(f) then
    refuse(("%s of a script may change something"):format(event))
  end
  return m, f
end

local function index(it, key)
  if type(it) ~= "table" then return it[key] end
  local value = rawget(it, key)
  local m, f = check_meta(it, "__index")
  if value ~= nil or not m or f == nil then return value end
  if type(f) == "function" then return f(it, key) end
  return index(f, key)
end

local function text(it)
  check_meta(it, "__tostring")
  return tostring(it)
end

local function shown(it)
  local fine, said = pcall(text, it)
  return fine and said or ("%s: %p"):format(type(it), it)
end

local function entries(it)
  check_meta(it, "__pairs")
  return pairs(it)
end

-- Proxies of one line: wrap(value, name, of), real(value), calls(f): f with real values;
-- own[value] stands for a value in place of a proxy.
local function proxies_of(own)
  local proxies, reals, names = {}, {}, {}
  local meta = { __metatable = false, __name = "read-only" }
  local wrap

  local function real(value)
    local it = reals[value]
    if it == nil then return value end
    return it
  end

  local function each(f, ...)
    local values = table.pack(...)
    for i = 1, values.n do values[i] = f(values[i]) end
    return table.unpack(values, 1, values.n)
  end

  local function calls(f)
    return function(...) return each(wrap, f(each(real, ...))) end
  end

  function wrap(value, name, of)
    local kind = type(value)
    if stands_for[value] then value = stands_for[value] end
    if kind ~= "table" and kind ~= "function" and kind ~= "userdata"
        and kind ~= "thread" or harmless[value] then
      return value
    end
    if own[value] ~= nil then return own[value] end
    if kind == "userdata" then
      local m = debug.getmetatable(value)
      if m and (m.__name == nil or IMMUTABLE[m.__name]) then return value end
    end
    if kind == "function" and of ~= nil and LOOKS[name] and is_ours(value)
        and not (CHANGES[kind_of(of)] or CHANGES)[name] then
      return calls(value)
    end
    local proxy = proxies[value]
    if not proxy then
      proxy = setmetatable({}, meta)
      proxies[value], reals[proxy], names[proxy] = proxy, value, name
    end
    return proxy
  end

  local function name_of(proxy)
    return names[proxy] ~= nil and ("'%s'"):format(tostring(names[proxy])) or "it"
  end

  function meta.__index(proxy, key)
    local it = reals[proxy]
    key = real(key)
    return wrap(index(it, key), key, it)
  end

  function meta.__newindex(proxy, key)
    refuse(("'%s' of %s would be written"):format(tostring(key), name_of(proxy)))
  end

  function meta.__call(proxy)
    refuse(("%s is a function that may change something"):format(name_of(proxy)))
  end

  function meta.__len(proxy)
    check_meta(reals[proxy], "__len")
    return #reals[proxy]
  end

  function meta.__tostring(proxy) return text(reals[proxy]) end

  function meta.__pairs(proxy)
    local step, state, key = entries(reals[proxy])
    return function()
      local value
      key, value = step(state, key)
      return wrap(key), wrap(value, key)
    end
  end

  return wrap, real, calls
end

-- The environment of a line that looks, and real(value).
local function env_to_look(scope, say)
  local env, own = {}, {}
  local wrap, real, calls = proxies_of(own)

  own[_G], own[print] = env, print_to(say)
  own[rawget] = function(t, key) return wrap(rawget(real(t), real(key)), key) end
  own[rawlen] = function(t) return rawlen(real(t)) end
  own[next] = function(t, key)
    local k, value = next(real(t), real(key))
    return wrap(k), wrap(value, k)
  end
  own[getmetatable] = function(value) return wrap(getmetatable(real(value))) end
  own[setmetatable] = function(t, m)   -- a finalizer runs later, and without a budget
    if type(m) == "table" and rawget(m, "__gc") then refuse "__gc is for later" end
    return setmetatable(t, m)
  end
  own[load] = function(chunk, name, _, with)
    return bounded.load(chunk, name, with == nil and env or with)
  end
  own[collectgarbage] = function(what)
    if what ~= "count" then refuse "collectgarbage does more than count" end
    return collectgarbage "count"
  end
  own[_G.require] = function(name)     -- ours may find more: lua/distrust.c
    if not package.loaded[name] and not tostring(name):find "^tw%." then
      refuse(("module '%s' is not loaded yet"):format(tostring(name)))
    end
    return wrap(_G.require(name), name)
  end
  for _, f in ipairs { tw.thaw, tw.instrument, tw.instruments, tw.is_halted,
                       require "tw.ps", fix.status } do
    own[f] = calls(f)
  end

  return setmetatable(env, {
    __metatable = false,
    __index = function(_, name) return wrap(scope.read(name, index), name) end,
    __newindex = function(_, name) refuse(("'%s' would be assigned"):format(name)) end,
    __pairs = function()
      local list = scope.names()
      return function(_, name)
        name = next(list, name)
        if name then return name, env[name] end
      end
    end,
  }), real
end

-- ---- lines ----

local function compile(line, env)
  local f = load("return " .. line, "=line", "t", env)
  if f then return f end
  return load(line, "=line", "t", env)
end

-- Without the way of calls, and places in modules like this one.
local function text_of(err)
  local text = tostring(err):gsub("^tw/[%w_]+%.lua:%d+: ", "")
  return text:match "^(.-)\n[^\n]*stack traceback:" or text
end

-- All of it is protected: what is raised when an error or a result is shown, too.
local function run(line, env, real, by)
  local f, why = compile(line, env)
  if not f then return false, why end
  local function go()
    local results = table.pack(f())
    for i = 1, results.n do results[i] = real(results[i]) end
    return show_all(results, by)
  end
  local fine, text = xpcall(go, text_of)
  if not fine and type(text) ~= "string" then text = "an error that can't be shown" end
  if text == "not enough memory" and not fine then
    text = text .. "; see --memory in `tidewire help attach`"
  end
  return fine, text
end

--- evaluate.look(line, say, self) -> boolean, text
-- Evaluates an expression, or a chunk, that may only look; self: of a script, whose
-- names it sees, or nil.  say(text) gets what it prints.
-- Yields: as the line does.  Blocks: as the line does.  Thread: any worker.
-- Errors: false and the message.  Units: none.
function evaluate.look(line, say, self)
  local env, real = env_to_look(scope_of(self), say)
  return run(line, env, real, { tostring = shown, pairs = entries, index = index })
end

--- evaluate.change(line, say, self) -> boolean, text
-- Likewise, with everything that a script may do.
-- Yields: as the line does.  Blocks: as the line does.  Thread: any worker.
-- Errors: false and the message.  Units: none.
function evaluate.change(line, say, self)
  return run(line, env_to_change(scope_of(self), say), same)
end

--- evaluate.values(text [, self]) -> ...
-- What a program around the host has evaluated, with everything that a script may do:
-- its values.
-- Yields: as the text does.  Blocks: as the text does.  Thread: any worker.
-- Errors: raises what the text raises, and when it does not compile.  Units: none.
function evaluate.values(text, self)
  local f, why = compile(text, env_to_change(scope_of(self)))
  if not f then error(why, 0) end
  return f()
end

--- evaluate.collect() -> true, text
-- Collects all garbage of the state, a little at a time: "before after" in KiB.
-- Yields: between two steps.  Blocks: less than a millisecond at a time.
-- Thread: any worker.  Errors: none.  Units: KiB.
function evaluate.collect()
  local before = collectgarbage "count"
  for _ = 1, 2 do
    repeat tw.sleep(0) until collectgarbage("step", 64)
  end
  return true, ("%.0f %.0f"):format(before, collectgarbage "count")
end

--- evaluate.complete(line, say, self) -> true, text
-- What may stand in place of the last name of the line, one a line of text.
-- Yields: no.  Blocks: no.  Thread: any worker.  Errors: none.  Units: none.
function evaluate.complete(line, say, self)
  local env, real = env_to_look(scope_of(self), say)
  local path, separator, begun = line:match "([%w_.:]-)([.:]?)([%a_]?[%w_]*)$"
  local from, found = env, {}
  for name in path:gmatch "[%w_]+" do from = from[name] end
  local function add(names)
    if type(names) ~= "table" then return end
    for name in pairs(names) do
      if type(name) == "string" and name:find "^[%a_][%w_]*$"
          and name:sub(1, #begun) == begun and #found < OFFERS then
        found[#found + 1] = name
      end
    end
  end
  add(from)
  for _ = 1, separator == "" and 0 or 8 do   -- what is inherited
    local it = real(from)
    local m = it ~= env and debug.getmetatable(it)
    from = m and rawget(m, "__index")
    add(from)
  end
  table.sort(found)
  return true, table.concat(found, "\n")
end

return evaluate
