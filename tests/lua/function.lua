--- function: functions as values, there and back; what is shared, kept and refused.

local t = require "tw.test"
local tw = require "tw"
local internal = require "tw.internal.function"
local pack, unpack = internal.pack, internal.unpack

local SMALL = os.getenv "SMALL"

local function sent(f) return unpack(pack(f)) end

-- Upvalues that are values.

do
  local none, no, yes, int, float, zero, nan = nil, false, true, 2^53 | 0, 2.0, -0.0, 0/0
  local short, long = "a\0b", ("long\0"):rep(100)
  local f = sent(function(...)
    return none, no, yes, int, float, zero, nan, short, long, ...
  end)
  local got = table.pack(f("argument", nil))
  t.is(got.n, 11, "arguments and results pass, nil too")
  t.ok(got[1] == nil and got[2] == false and got[3] == true, "nil and booleans")
  t.ok(math.type(got[4]) == "integer" and got[4] == 2^53, "an integer")
  t.ok(math.type(got[5]) == "float" and got[5] == 2.0, "a float that is whole")
  t.ok(1 / got[6] == -math.huge and got[7] ~= got[7], "minus zero and NaN")
  t.ok(got[8] == short and got[9] == long, "strings with zero bytes")
end
t.is(select("#", sent(function() end)()), 0, "no upvalue at all")

do
  local names, code = {}, { "return function() return 0" }
  for i = 1, 199 do names[i] = "v" .. i code[#code + 1] = " + v" .. i end
  local f = load("local " .. table.concat(names, ",") .. " = table.unpack(...)\n"
                 .. table.concat(code) .. " end")
  local values, sum = {}, 0
  for i = 1, 199 do values[i] = i sum = sum + i end
  t.is(sent(f(values))(), sum, "very many upvalues")
end

do
  local config = { a = { 1, 2, { deep = "x" } }, b = { 7 } }
  local also = config
  config.again = config
  local f = sent(function() return config, also end)
  local got, other = f()
  t.is(got.a[3].deep, "x", "a table")
  t.ok(got ~= config and got.again == got, "it is a copy, with its cycle")
  t.ok(got == other, "and one, where two upvalues hold it")
  t.raises("frozen table can't be changed", function() got.a = 1 end)
  local description = pack(function() return config.b[1] end)
  config.b[1] = 8
  t.is(unpack(description)(), 7, "as it was when the function was packed")
  t.is(sent(function() return config.b[1] end)(), 8, "and packed again as it is now")
  local view = tw.freeze { 1 }
  t.ok(sent(function() return view end)() == view, "a frozen table is itself")
end

-- Globals.

do
  local same = sent(function() return _ENV end)()
  t.ok(same == _G and same ~= _ENV, "a script's _ENV becomes the globals")
  local env = _G
  t.ok(sent(function() return env end)() == _G, "so do they under another name")
  t.is(sent(function() return tostring(math.max(1, 2)) end)(), "2", "libraries are there")
  own_global = function() return 1 end
  t.raises("attempt to call a nil value %(global 'own_global'%)",
           sent(function() return own_global() end))
  local chunk = load("local a = ... ; return a, print", "=chunk")
  local a, b = sent(chunk)(5)
  t.ok(a == 5 and b == print, "a chunk is a function too")
  t.raises("in function at .*function.lua:%d+, upvalue '_ENV'.print is a function",
           sent, (function()
    local _ENV = { print = print }
    return function() print() end
  end)())
end

-- Functions of functions.

do
  local function double(x) return 2 * x end
  local function twice(x) return double(double(x)) end
  t.is(sent(function(x) return twice(x) + 1 end)(5), 21, "local helpers")

  local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
  local copy = sent(fib)
  t.is(copy(20), 6765, "a recursive function")
  t.ok(select(2, debug.getupvalue(copy, 1)) == copy, "calls its copy")

  local even, odd
  function even(n) return n == 0 or odd(n - 1) end
  function odd(n) return n ~= 0 and even(n - 1) end
  t.ok(sent(even)(1000) and not sent(odd)(1000), "mutually recursive ones")

  local n = 10
  local function add() n = n + 1 return n end
  local function get() return n end
  local both = sent(function() add() add() return get(), n end)
  local x, y = both()
  t.ok(x == 12 and y == 12, "closures share the upvalue that they shared")
  t.is(n, 10, "but not with those that were sent")
  local m = 10
  local other = sent(function() add() return m end)
  t.is(other(), 10, "and no more than they shared")

  local first = function() return 0 end
  local count = SMALL and 1000 or 20000
  for _ = 1, count do
    local next = first
    first = function(left)
      if left == 0 then return 1 end
      return next(left - 1)
    end
  end
  t.is(sent(first)(count - 1), 1, "a chain of " .. count .. " closures")
end

-- Names and lines stay.

do
  local function failing(x)
    local y <const> = x
    error("from line " .. debug.getinfo(1, "l").currentline .. tostring(y))
  end
  local here = debug.getinfo(failing, "S")
  local copy = sent(failing)
  t.same(debug.getinfo(copy, "S"), here, "a function's place")
  local fine, why = pcall(copy, 7)
  t.is(why:match "function.lua:(%d+): from line", tostring(here.linedefined + 2),
       "lines in errors")
  t.ok(not fine, "it failed")
  t.is(debug.getlocal(copy, 1), "x", "names of parameters")
end

-- What belongs to modules.

do
  local sin, stat, is = math.sin, { }, t.is
  local a, b, c, d = sent(function() return sin, t, is, string end)()
  t.ok(a == math.sin and b == t and c == t.is and d == string,
       "of a library and of a module: by identity")
  t.ok(sent(math.sin) == math.sin and sent(t.is) == t.is and sent(print) == print,
       "sent themselves too")

  package.loaded["tw.function.late"] = stat
  stat.one = function() return 1 end
  local one = stat.one
  t.ok(sent(function() return stat, one end)() == stat, "a module that came later")
  t.ok(select(2, sent(function() return stat, one end)()) == one, "and a function of it")
  local description = pack(function() return stat end)
  package.loaded["tw.function.late"] = nil
  package.preload["tw.function.late"] = function() return { new = true } end
  t.ok(unpack(description)().new, "required where it is not loaded")
  package.loaded["tw.function.late"] = { one = nil }
  t.raises("'tw.function.late' has no field 'one'", unpack, (function()
    package.loaded["tw.function.late"] = stat
    local packed = pack(function() return one end)
    package.loaded["tw.function.late"] = {}
    return packed
  end)())
  package.loaded["tw.function.late"], package.preload["tw.function.late"] = nil, nil
  description = nil
  collectgarbage()
  package.loaded["tw.function.late"] = stat
  description = pack(function() return stat end)
  package.loaded["tw.function.late"] = nil
  t.raises("module 'tw.function.late' not found", unpack, description)

  alias = math.floor                     -- an alias is not what goes
  local floor = math.floor
  t.ok(sent(function() return floor end)() == floor, "a name of several")
end

-- By "module.name".

do
  package.preload["stats.vol"] = function()
    return { rolling = function() return "vol.rolling" end, deep = { f = print } }
  end
  package.preload["stats"] = function()
    return { vol = "hidden", mean = function() return "mean" end, n = 5 }
  end
  package.preload["stats.alone"] = function() return function() return "alone" end end
  package.preload["stats.broken"] = function() error("broken on purpose") end
  t.is(sent("stats.vol.rolling")(), "vol.rolling", "the longest module")
  t.is(sent("stats.vol.rolling")(), "vol.rolling", "again")
  t.is(sent("stats.mean")(), "mean", "a shorter one")
  t.ok(sent("stats.vol.deep.f") == print, "fields of fields")
  t.is(sent("stats.alone")(), "alone", "a module that is a function")
  t.is(pack("stats.mean"), "stats.mean", "a string is its own description")
  for _, case in ipairs {
    { "stats.vol.rowling", "'stats.vol' has no field 'rowling'" },
    { "stats.vol.deep.f.x", "'stats.vol.deep.f' has no field 'x'" },
    { "stats.mean.x.y", "'stats.mean' has no field 'x'" },
    { "stats.n", "'stats.n' is a number, not a function" },
    { "stats", "'stats' is a table, not a function" },
    { "stats.", "'stats' has no field ''" },
    { "stats.broken.f", "broken on purpose" },
    { "nowhere.at.all", "'nowhere.at.all': module 'nowhere' not found:" },
    { "", "'': module '' not found:" },
    { ".", "'.': module '' not found:" },
  } do t.raises(case[2], sent, case[1]) end
  package.loaded.stats = { mean = function() return "new mean" end }
  t.is(sent("stats.mean")(), "new mean", "of the module as it is now")
end

-- What can't be sent.

do
  local conn, co, gmatch = io.tmpfile(), coroutine.create(print), ("x"):gmatch "x"
  local config = { a = { b = co }, [1] = { { print } } }
  local point = setmetatable({}, {})
  local function inner() return conn end
  local here = debug.getinfo(1, "l").currentline
  local at = " of function at .*function.lua:%d+ is a "
  t.raises("^pack: upvalue 'conn'" .. at .. "userdata: it can't be sent$", pack,
           function() return conn end)
  t.raises("upvalue 'conn' of function at .*:" .. here - 1 .. " is", pack,
           function() return inner end)
  local ours = tw.task.detach(type, 1)
  t.raises("upvalue 'ours'" .. at .. "task: it can't be sent$", pack,
           function() return ours end)
  t.raises("upvalue 'co'" .. at .. "coroutine: it can't be sent$", pack,
           function() return co end)
  t.raises("upvalue 'gmatch'" .. at .. "C function that is in no module", pack,
           function() return gmatch end)
  t.raises("^pack: in function at .*:%d+, upvalue 'config'.a.b is a coroutine", pack,
           function() return config end)
  config.a = nil
  t.raises("upvalue 'config'%[1%]%[1%]%[1%] is a function", pack,
           function() return config end)
  t.raises("upvalue 'point' has a metatable", pack, function() return point end)
  t.raises("^pack: a C function that is in no module can't be sent$", pack, gmatch)
  for _, bad in ipairs { 1, true, {}, co, conn } do
    t.raises("^pack: a function or the name of one expected, got " .. type(bad), pack,
             bad)
  end
  t.raises("bad argument", pack)
end

-- Once for each function, and once for each state.

do
  local n, s, view = 1, "x", tw.freeze { 1 }
  local function f() return n, s, view end
  local description = pack(f)
  t.ok(pack(f) == description, "nothing changed: the same description")
  t.ok(unpack(description) == unpack(description), "and the same closure")
  n = 1.0
  t.ok(pack(f) ~= description, "1 and 1.0 are two values")
  t.is(math.type(unpack(pack(f))()), "float", "and each is sent")
  n = 0.0
  description, n = pack(f), -0.0
  t.ok(pack(f) ~= description, "so are 0.0 and -0.0")
  n = 0/0
  t.ok(pack(f) == pack(f), "NaN is NaN")
  n = nil
  t.is(unpack(pack(f))(), nil, "a value that was taken away")
  n = { 1 }
  t.ok(pack(f) ~= pack(f), "a table is always looked at again")

  local x = 1
  local function make() return function() return x end end
  t.ok(pack(make()) == pack(make()), "two closures alike: one description")
  local a = pack(make())
  x = 2
  t.ok(pack(make()) ~= a, "not with another value")

  local function helper() return x end
  local function with_helper() return helper() end
  a = pack(with_helper)
  t.ok(pack(with_helper) == a, "nothing changed in a helper")
  x = 3
  t.is(sent(with_helper)(), 3, "an upvalue of a helper changed")
end

do
  local n = 0
  local function count() n = n + 1 return n end
  local function nested() return (function() n = n + 1 return n end)() end
  local function of_its_own()
    local sum = 0
    local function add(x) sum = sum + x end
    for i = 1, 3 do add(i) end
    return sum
  end
  local function calls() return count() end
  local function swap() n, n = 1, n return n end
  for name, f in ipairs { count, nested, calls, swap } do
    local description = pack(f)
    t.ok(unpack(description) ~= unpack(description), name .. ": assigned, each its own")
    t.ok(unpack(description)() == unpack(description)(), name .. ": begins as sent")
  end
  local description = pack(of_its_own)
  t.is(unpack(description)(), 6, "a function that assigns its own locals")
  t.ok(unpack(description) == unpack(description), "may serve all")
  t.is(n, 0, "here nothing changed")
end

do
  local weak = setmetatable({}, { __mode = "k" })
  local before = internal.blocks()
  do
    local big = { ("x"):rep(1000) }
    local function f() return big, f end
    local g = sent(f)
    weak[f], weak[g], weak[big] = true, true, true
  end
  collectgarbage() collectgarbage()
  t.is(next(weak), nil, "nothing that was sent is kept alive")
  t.ok(internal.blocks() <= before, "and no block of it")
end

-- Whichever allocation fails, it is an error, and all goes on as before.

local function exercise()
  local n, list, fine = 0, { 1, { 2 } }, math.floor
  local function add(x) n = n + x return n end
  local function run(x) return fine(add(x) + list[2][1]), tostring(x) end
  local f = unpack(pack(run))
  local a, b = f(3)
  assert(a == 5 and b == "3")
  assert(unpack("tw.test.is") == t.is)
end

exercise()
collectgarbage()
local before = internal.blocks()
for _, how in ipairs { "fail_at", "starve" } do
  local step, failed, fine, why = how == "starve" and 24 or 1, 0
  local n = 0
  repeat
    n = n + step
    collectgarbage()
    internal[how](n)
    fine, why = pcall(exercise)
    internal[how](0)
    if not fine then
      failed = failed + 1
      if not why:find "not enough memory" then t.is(why, "not enough memory", how) end
    end
  until fine and (n > 600 or how == "starve") or n > 100000
  t.ok(fine and failed > 2, how .. ": " .. failed .. " failures, then it works")
  exercise()
end
collectgarbage() collectgarbage()
t.ok(internal.blocks() <= before, "no block is left")
