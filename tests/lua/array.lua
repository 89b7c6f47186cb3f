--- array: columns of doubles, the same memory in every state.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"
local array = require "tw.array"

local SMALL = os.getenv "SMALL"
local NAN = 0/0
local function list(a) return a:totable() end
local function address(a) return ("%p"):format(a:pointer()) end

-- Making.

t.is(tw.array, array, "tw.array is the module")
local a = array { 1, 2.5, -3 }
t.same(list(a), { 1.0, 2.5, -3.0 }, "from a list")
t.is(math.type(a[1]), "float", "as doubles")
t.same(list(array {}), {}, "of nothing")
t.same(list(array(tw.freeze { 4, 5 })), { 4.0, 5.0 }, "from a frozen list")
local copy = array(a)
t.ok(copy ~= a and address(copy) ~= address(a), "from an array: a copy")
t.same(list(array.new(3)), { 0.0, 0.0, 0.0 }, "new: zeros")
t.same(list(array.new(2, 7)), { 7.0, 7.0 }, "or another value")
t.is(#array.new(0), 0, "or none")
t.same(list(array.range(1, 4)), { 1.0, 2.0, 3.0, 4.0 }, "a range")
t.same(list(array.range(5, 0, -2)), { 5.0, 3.0, 1.0 }, "downwards")
t.is(#array.range(2, 1), 0, "an empty one")
t.same(list(array.range(2, 2)), { 2.0 }, "of one")
local past, short = 0, 0
for n = 1, 200 do
  local r = array.range(0, n / 10, 0.1)
  if r:max() > n / 10 then past = past + 1 end
  if #r * 0.1 <= n / 10 then short = short + 1 end
end
t.ok(past == 0 and short == 0, "none passes the end, and none is missing")
t.raises("an array expected, got two numbers", debug.getmetatable(array.new(1)).__mul,
         1, 2)
t.raises("element 2 is a string, not a number", array, { 1, "2" })
local function length(n)
  return setmetatable({ 1 }, { __len = function() return n end })
end
t.raises("element 2 is a nil", array, length(3))
t.raises("list of numbers expected, got number", array, 3)
t.raises("list of numbers expected, got no value", array)
t.raises("its length is negative", array, length(-1))
t.raises("number expected", array.new)
t.raises("it is negative", array.new, -1)
t.raises("an array has at most 2^31 elements", array.new, 2^31 + 1)
t.raises("more than 2^31 elements", array.range, 0, 2^31)
t.raises("a step is finite and not 0", array.range, 1, 2, 0)
t.raises("it is not finite", array.range, 1, 1/0)
t.raises("it is not finite", array.range, NAN, 1)

-- Reading.

t.ok(a[1] == 1 and a[2.0] == 2.5 and a[3] == -3, "elements")
t.ok(a[0] == nil and a[4] == nil and a[-1] == nil and a[1.5] == nil
     and a[math.mininteger] == nil and a[math.maxinteger] == nil and a[1/0] == nil,
     "nil where there is none")
t.is(#a, 3, "#")
t.raises("an array can't be changed %(field '1'%)", function() a[1] = 5 end)
t.raises("an array can't be changed %(field 'x'%)", function() a.x = 5 end)
t.raises("an array has no field 'maximum'", function() return a.maximum end)
t.raises("an array has no field 'nil'", function() return a[nil] end)
local gaps, seen = array { 1, NAN, 3 }, {}
for i, x in ipairs(gaps) do seen[i] = x end
t.same(seen, { 1.0, NAN, 3.0 }, "ipairs, past a NaN")
seen = {}
for i, x in pairs(gaps) do seen[#seen + 1] = { i, x } end
t.same(seen, { { 1, 1.0 }, { 2, NAN }, { 3, 3.0 } }, "pairs, in order")
t.same({ table.unpack(a) }, { 1.0, 2.5, -3.0 }, "table.unpack")
t.is(table.concat(a, " "), "1.0 2.5 -3.0", "table.concat")
t.is(tostring(a), "array(3) {1, 2.5, -3}", "as text")
t.is(tostring(array { NAN, -NAN, 1/0, -0.0 }), "array(4) {nan, nan, inf, -0}", "odd")
t.is(tostring(array {}), "array(0) {}", "none")
t.is(tostring(array.range(1, 16)):sub(-9), ", 15, 16}", "all of 16")
t.is(tostring(array.range(1, 1000)),
  "array(1000) {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …}",
  "the first of many")
t.ok(a == a and a ~= copy, "an array equals itself alone")
t.is(({ [a] = 1 })[a], 1, "and is a key")

-- Slices.

local r, text = array.range(1, 5), "12345"
local agree = true
for i = -7, 7 do
  for j = -7, 7 do
    local want = text:sub(i, j)
    local got = r:slice(i, j)
    agree = agree and #got == #want and (#got == 0 or got[1] == tonumber(want:sub(1, 1)))
  end
  agree = agree and #r:slice(i) == #text:sub(i)
end
t.ok(agree, "slice counts as string.sub does")
t.is(#r:slice(math.mininteger, math.maxinteger), 5, "from the least to the greatest")
local part = r:slice(2, 4)
t.is(part:slice(2)[1], 3.0, "a slice of a slice")
t.is(part:sum(), 9.0, "a sum of it")
t.is(address(r:slice(1)), address(r), "it is the same memory")
r = nil
collectgarbage() collectgarbage()
t.same(list(part), { 2.0, 3.0, 4.0 }, "which stays")
t.raises("number expected", part.slice, part)

-- Numbers of all elements.

a = array { 3, 1, 2, 6 }
t.is(a:sum(), 12.0, "sum")
t.is(a:mean(), 3.0, "mean")
t.near(a:variance(), 14 / 3, 1e-15, "variance, of a sample")
t.near(a:std(), math.sqrt(14 / 3), 1e-15, "std")
t.ok(a:min() == 1 and a:max() == 6, "min and max")
t.is(a:dot(array { 1, 2, 3, 4 }), 35.0, "dot")
t.is(array { 1e16, 1, -1e16 }:sum(), 1.0, "a sum loses nothing")
t.is(array {}:sum(), 0.0, "of nothing: 0")
for _, name in ipairs { "mean", "variance", "std", "min", "max" } do
  local none, one = array {}, array { 1, NAN }
  t.ok(none[name](none) ~= none[name](none), name .. " of nothing is a NaN")
  t.ok(one[name](one) ~= one[name](one), name .. " of a missing value, too")
  t.raises("tw.array expected, got table", a[name], {})
end
t.raises("lengths 4 and 3 differ", a.dot, a, array { 1, 2, 3 })
t.raises("tw.array expected, got number", a.dot, a, 2)

-- New arrays.

a = array { 4, 9, 16 }
t.same(list(a + a), { 8.0, 18.0, 32.0 }, "array + array")
t.same(list(a - 1), { 3.0, 8.0, 15.0 }, "array - number")
t.same(list(2 * a), { 8.0, 18.0, 32.0 }, "number * array")
t.same(list(36 / a), { 9.0, 4.0, 2.25 }, "number / array")
t.same(list(a ^ 0.5), { 2.0, 3.0, 4.0 }, "array ^ number")
t.same(list(2 ^ array { 1, 2 }), { 2.0, 4.0 }, "number ^ array")
t.same(list(-a), { -4.0, -9.0, -16.0 }, "-array")
t.is(1 / (-array { 0 })[1], -1/0, "-0 is -0")
t.same(list(a), { 4.0, 9.0, 16.0 }, "it stays what it was")
t.raises("lengths 3 and 4 differ", function() return a + array { 1, 2, 3, 4 } end)
for _, v in ipairs { "1", {}, true, print, tw.channel(1) } do
  local ok, why = pcall(function() return a * v end)
  t.ok(not ok and why:find("arithmetic on an array and a " .. type(v) .. " value"),
       "no arithmetic with a " .. type(v))
end
t.raises("arithmetic on an array and a nil value", function() return nil - a end)
t.raises("attempt to compare", function() return a < a end)
t.raises("attempt to concatenate", function() return a .. "" end)
t.same(list(a:diff()), { 5.0, 7.0 }, "diff")
t.is(#array {}:diff() + #array { 1 }:diff(), 0, "of none or one, nothing")
t.same(list(a:cumsum()), { 4.0, 13.0, 29.0 }, "cumsum")
t.same(list(a:map "sqrt"), { 2.0, 3.0, 4.0 }, "map by name")
t.same(list(a:map(function(x, ...) return x // 1 | 0 + select("#", ...) end)),
       { 4.0, 9.0, 16.0 }, "map by a function of one argument")
t.same(list(a:map(math.sqrt)), { 2.0, 3.0, 4.0 }, "or one of C")
t.raises("invalid option 'sinus'", a.map, a, "sinus")
t.raises("string expected, got no value", a.map, a)
t.raises("the function gave a nil for element 2, not a number", a.map, a,
  function(x) if x == 4 then return 1 end end)
t.raises("mine", a.map, a, function() error "mine" end)
tw.task.scope(function(s)
  s:spawn(function()
    t.raises("can't wait here", a.map, a, function() tw.sleep(0.001) return 1 end)
  end)
end)

-- CSV.

t.is(array { 1, 0.1, NAN, -1/0 }:csv(), "1\n0.1\nnan\n-inf\n", "a column as text")
t.is(array {}:csv(), "", "of nothing")
local x, y = array { 0.1 + 0.2, 1/3 }, array { 1e300, 5 }
local want = "x,\"y, in \"\"m\"\"\"\n0.30000000000000004,1e+300\n0.3333333333333333,5\n"
local columns = { { "x", x }, { 'y, in "m"', y } }
t.is(array.csv(columns), want, "columns as text")
local path = os.tmpname()
t.is(array.csv(columns, path), true, "into a file")
local file = io.open(path)
t.is(file:read "a", want, "the same")
file:close()
os.remove(path)
local got, why, code = array.csv(columns, "/nowhere/at/all.csv")
t.same({ got, why, code },
       { nil, "csv: /nowhere/at/all.csv: no such file or directory", -2 },
       "where nothing can be written")
local random, same = {}, true
for n = 1, SMALL and 100 or 5000 do
  random[n] = (math.random() - 0.5) * 10^math.random(-200, 200)
end
local i = 0
for line in array(random):csv():gmatch "[^\n]+" do
  i = i + 1
  same = same and tonumber(line) == random[i]
end
t.ok(same and i == #random, "what is written reads back")
t.raises("lengths 2 and 1 differ", array.csv, { { "x", x }, { "y", array { 1 } } })
t.raises("column 1 is no {name, array}", array.csv, { x })
t.raises("column 2 is no {name, array}", array.csv, { { "x", x }, { 1, y } })
t.raises("column 1 is no {name, array}", array.csv, { { "x", x, y } })
t.raises("column 1, 'x', is a table, not an array", array.csv, { { "x", { 1 } } })
t.raises("columns expected", array.csv, {})
t.raises("table expected", array.csv, x)

-- The same memory everywhere.

t.ok(tw.freeze(a) == a and tw.thaw(a) == a, "it is frozen")
local frozen = tw.freeze { a, x = a:slice(2), a }
t.ok(frozen[1] == a and frozen[2] == a, "and stays itself in a frozen table")
t.is(tostring(frozen),
  "{<array(3) {4, 9, 16}>, <array(3) {4, 9, 16}>, x = <array(2) {9, 16}>}",
  "which says so")
local ch = tw.channel(2)
ch:send(a)
t.ok(ch:recv() == a, "through a channel")
local back = tw.pool.run(function(b)
  return { b, ("%p"):format(b:pointer()), b:sum(), #b, b:slice(2) }
end, a):await()
t.ok(back[1] == a and back[2] == address(a), "to the pool and back: the same memory")
t.same({ back[3], back[4] }, { 29.0, 3 }, "it is computed with there")
t.is(address(back[5]), address(a:slice(2)), "a slice of there is memory of here")
t.is(tw.pool.run(function() return ("%p"):format(a:pointer()) end):await(), address(a),
     "as an upvalue")
local made = tw.pool.run(function()
  return require "tw.array".range(1, 100000)
end):await()
t.ok(made:sum() == 5000050000 and made[100000] == 100000, "one made in the pool")
local sums = tw.pool.map({ made, made:slice(1, 10) }, function(b) return b:sum() end)
t.ok(sums[1] == 5000050000 and sums[2] == 55, "one for many jobs")
local cache = tw.cache("arrays", { entries = 10 })
cache:put("k", a)
t.ok(cache:get("k", print):await() == a, "in a cache")
t.is(cache:get("new", function() return tw.array { 1, 2 } end):await():sum(), 3.0,
     "made by its loader")
local p = tw.promise()
p:resolve { column = a }
t.ok(p.future:await().column == a, "in a future")

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = 3 } "
apps.prints("between scripts: by messages and on the board", {
  app = FEED .. 'app.script("a.lua") app.script("b.lua")', args = { "--workers", "2" },
  ["a.lua"] = [[
  function M.on_start()
    local a = tw.array { 1, 2, 3 }
    board.column, board.at = a, ("%p"):format(a:pointer())
    tw.publish("column", a)
  end]], ["b.lua"] = [[
  function M.on_message(value)
    print(value, value:sum(), board.column == value)
    print(board.at == ("%p"):format(value:pointer()))
  end]] }, "array(3) {1, 2, 3}\t6.0\ttrue\ntrue\n")

-- Memory.

local function peak()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmHWM:%s*(%d+)"
    if kb then return kb // 1024 end
  end
end
local before, rounds = peak(), SMALL and 400 or 1000
for _ = 1, rounds do a = array.new(2^17, 1) + 1 end
t.ok(peak() - before < rounds, "garbage is collected by what it takes: " .. rounds * 2
  .. " MB in " .. peak() - before)
local directory, put = apps.folder "hook"
put("hook.lua", [[
  local tw = require "tw"
  collectgarbage "incremental"
  debug.sethook(function() end, "", 1)
  for _ = 1, 100 do
    do local _ = tw.array.new(100000) end
    local grows = {}
    for k = 1, 5000 do grows[k] = k end
  end
]])
t.is(apps.shell(("%s %s/hook.lua"):format(apps.tidewire, directory)).err, "",
     "what is collected while a hook runs is let go")
apps.fails("a script's arrays count as its memory", {
  app = FEED .. 'app.limits { memory = 8 } app.script("s.lua")', ["s.lua"] = [[
  local kept = {}
  function M.on_start()
    for i = 1, 100 do kept[i] = tw.array.new(2^17) end
  end]] }, "not enough memory")
apps.prints("while it has them", {
  app = FEED .. 'app.limits { memory = 8 } app.script("s.lua")', ["s.lua"] = [[
  local kept
  function M.on_start()
    for i = 1, 100 do kept = tw.array.new(2^17, i):slice(-10) end
    print(kept:mean())
  end]] }, "100.0\n")

-- Without memory: an error, and nothing worse.

apps.without_memory(apps.tidewire .. " -e " .. apps.quote [[
  local tw = require "tw"
  local ok, err = pcall(function()
    local a = tw.array { 1, 2, 3 }
    local b = (a + 1):map "exp":map(function(x) return -x end)
    local c = tw.array.range(1, 100):slice(5, 7) * b:cumsum() ^ 2
    assert(#tostring(c) > 10 and #c:totable() == 3 and #c:diff() == 2)
    assert(tw.array.csv { { "a", a }, { "c", c } } and c:csv())
    assert(tw.freeze { a, { c } }[1] == a)
    local ch = tw.channel(1)
    ch:send { c = c }
    assert(ch:recv().c == c)
    assert(tw.pool.run(function(x) return x * 2 end, a):await()[3] == 6)
  end)
  assert(ok or tostring(err):find "memory", err)
  print(ok)]], "true\n", SMALL and 173 or 17, 3000)
