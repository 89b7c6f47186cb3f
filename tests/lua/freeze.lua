--- freeze: frozen values as views, their private copies, what can't be frozen.

package.path = "tests/?.lua;" .. package.path
local t, apps, tw = require "tw.test", require "apps", require "tw"

local SMALL = os.getenv "SMALL"
local DEEP, LONG, GRAPHS = SMALL and 20000 or 1000000, SMALL and 10000 or 1000000,
                           SMALL and 50 or 300

-- Scalars and strings.

for _, v in ipairs { true, false, 0, -1, 1.5, 1/0, math.mininteger, "", "text",
                     ("x"):rep(100000) } do
  t.ok(rawequal(tw.freeze(v), v) and rawequal(tw.thaw(v), v),
       "as it is: " .. tostring(v):sub(1, 20))
end
t.ok(tw.freeze(nil) == nil and tw.thaw(nil) == nil, "nil stays nil")
t.raises("value expected", tw.freeze)
t.raises("value expected", tw.thaw)

-- One of everything, as a view.

local key = { "a key" }
local plain = { 10, "ab", { 1.5 }, name = "ab", [2.5] = true, [-7] = "minus", [false] = 0,
                [100] = "sparse", nested = { deep = { deeper = "here" } }, [key] = "k",
                ["a\0b\xff"] = "z\0z", nan = 0/0 }
plain.self, plain.again = plain, plain.nested
local v = tw.freeze(plain)

t.is(type(v), "userdata", "a view is no table")
t.ok(v[1] == 10 and v[2] == "ab" and v[3][1] == 1.5 and math.type(v[1]) == "integer",
     "elements")
t.ok(v.name == "ab" and v[2.5] == true and v[-7] == "minus" and v[false] == 0
     and v[100] == "sparse" and v["a\0b\xff"] == "z\0z", "keys of each kind")
t.ok(v[1.0] == 10 and v[-7.0] == "minus" and v[100.0] == "sparse",
     "a float that is an integer is that key")
t.ok(v[4] == nil and v[0] == nil and v.none == nil and v[true] == nil and v[nil] == nil
     and v[0/0] == nil and v[print] == nil and v[{}] == nil and v[key] == nil
     and v[("x"):rep(1000)] == nil and v[io.stdout] == nil, "no such key")
t.ok(v.nan ~= v.nan, "a NaN is one still")
t.is(v.nested.deep.deeper, "here", "nested")
t.ok(#v == 3 and #v[3] == 1 and #v.nested == 0, "#")
t.ok(v == v and v.nested == v.nested and v.again == v.nested and v.self == v
     and v.self.self[3] == v[3] and v ~= v.nested, "a table is itself in every place")
local as_key = { [v] = 1, [v.nested] = 2 }
collectgarbage()
t.ok(as_key[v.self] == 1 and as_key[v.again] == 2, "and serves as a key")
for k, x in pairs(v) do
  if x == "k" then t.ok(k[1] == "a key" and v[k] == "k", "a table may be a key") end
end
t.is(getmetatable(v), "frozen", "its metatable is its own affair")
t.ok(not pcall(setmetatable, v, {}), "and stays it")
t.raises("arithmetic on a frozen table value", function() return v + 1 end)
t.raises("table expected, got frozen table", function() return next(v) end)

-- pairs: what the table has, elements first, in order.

local seen, order = {}, {}
for k, x in pairs(v) do
  seen[#seen + 1] = k
  if x == x and type(k) ~= "userdata" then
    t.ok(v[k] == x, "pairs: " .. tostring(k):gsub("%c", "?"))
  end
end
t.ok(seen[1] == 1 and seen[2] == 2 and seen[3] == 3 and #seen == 14,
     "pairs gives them all")
for k in pairs(v) do order[#order + 1] = k end
t.same(order, seen, "in the same order every time")
local i = 0
for k, x in ipairs(v) do i = i + 1 t.ok(k == i and v[i] == x, "ipairs: " .. i) end
t.is(i, 3, "ipairs ends")
local step, subject, first = pairs(v)
t.ok(subject == v and first == nil and step(v, 3) == seen[4], "pairs can go on anywhere")
t.raises("invalid key", step, v, "none")
t.raises("invalid key", step, v, print)
t.raises("frozen table expected", step, {}, nil)
for _ in pairs(tw.freeze {}) do t.ok(false, "an empty one has nothing") end

-- The library reads it.

local list = tw.freeze { 3, 1, 2, 5, 4 }
t.is(table.concat(list, ","), "3,1,2,5,4", "table.concat")
t.is(select("#", table.unpack(list)), 5, "table.unpack")
t.same(table.move(list, 1, 5, 1, {}), { 3, 1, 2, 5, 4 }, "table.move out of it")
t.is(("%s"):rep(2):format(list[1], list[2]), "31", "string.format")

-- Nothing changes it.

for _, write in ipairs {
  function() v.name = 1 end, function() v.new = 1 end, function() v[1] = nil end,
  function() v.nested.deep.x = {} end,
} do
  t.raises("a frozen table can't be changed %(field '", write)
end
t.raises("freeze.lua:%d+: a frozen table can't be changed %(field 'new'%)",
         function() v.new = 1 end)
t.raises("a frozen table can't be changed", table.sort, list)
t.raises("a frozen table can't be changed", table.insert, list, 1)
t.raises("a frozen table can't be changed", table.remove, list)
t.raises("table expected", rawset, v, 1, 2)
plain.name, plain[1] = "changed", "changed"
t.ok(v.name == "ab" and v[1] == 10, "nor does a change of what it was made from")

-- Frozen things in frozen things.

t.ok(tw.freeze(v) == v and tw.freeze(v.nested) == v.nested, "a view comes back as itself")
local outer = tw.freeze { inner = v.nested, [v] = "by v", list = { v, v.nested.deep } }
t.ok(outer.inner == v.nested and outer.list[1] == v and outer.list[2] == v.nested.deep,
     "what was frozen is that same value")
t.is(outer[v], "by v", "also as a key")
v, as_key, order, seen, subject, step = nil
collectgarbage() collectgarbage()
t.is(outer.list[1].self.nested.deep.deeper, "here", "it lives as long as what has it")

-- Private copies.

local copy = tw.thaw(outer)
t.ok(type(copy) == "table" and copy.list[1].name == "ab"
     and copy.list[1].self == copy.list[1] and copy.inner == copy.list[1].nested
     and copy.list[2] == copy.inner.deep and copy[copy.list[1]] == "by v",
     "thaw keeps shared and cyclic references")
copy.inner.deep.deeper, copy.new = "mine", 1
t.ok(outer.inner.deep.deeper == "here" and outer.new == nil, "and is nobody else's")
t.raises("frozen value expected, got table", tw.thaw, {})
t.raises("frozen value expected", tw.thaw, print)
t.raises("frozen value expected", tw.thaw, io.stdout)

-- Random graphs: frozen and thawed they are what they were.

local rng = 7
local function below(n)
  rng = (rng * 6364136223846793005 + 1442695040888963407)
  return (rng >> 33) % n
end
local function random_graph()
  local nodes = {}
  for n = 1, 1 + below(20) do nodes[n] = {} end
  local function value()
    local kind = below(8)
    if kind < 3 then return nodes[1 + below(#nodes)] end
    if kind == 3 then return below(2) == 0 end
    if kind == 4 then return below(1000) - 500 end
    if kind == 5 then return below(1000) / 8 end
    return ("s"):rep(below(4)) .. below(50)
  end
  for _, node in ipairs(nodes) do
    for _ = 1, below(6) do node[#node + 1] = value() end
    for n = 1, below(12) do
      local k = below(3) == 0 and below(40) - 10 or below(2) == 0 and below(9) + 0.5
                or below(9) == 0 and (below(2) == 0) or "k" .. n
      node[k] = value()
    end
  end
  return nodes[1]
end
-- A walk over both at once: the tables of one belong to those of the other.
local function same(a, b, met)
  if type(a) ~= "table" then return math.type(a) == math.type(b) and a == b end
  if met[a] or met[b] then return met[a] == b and met[b] == a end
  met[a], met[b] = b, a
  local n = 0
  for k, x in next, a do
    if not same(x, b[k], met) then return false end
    n = n + 1
  end
  for _ in pairs(b) do n = n - 1 end
  return n == 0
end
local wrong = 0
for _ = 1, GRAPHS do
  local graph = random_graph()
  local frozen = tw.freeze(graph)
  if not same(graph, frozen, {}) or not same(graph, tw.thaw(frozen), {})
     or not same(tw.thaw(frozen), tw.thaw(tw.freeze(tw.thaw(frozen))), {}) then
    wrong = wrong + 1
  end
end
t.is(wrong, 0, "random graphs, frozen and thawed")

-- tostring: what a table holds, as Lua would write it.

local function shows(value, text, what)
  t.is(tostring(tw.freeze(value)), text, "shown: " .. what)
end
shows({}, "{}", "an empty one")
shows({ 1, 2.5, "three", name = "AAPL", ["odd key"] = true, nested = { false } },
      '{1, 2.5, "three", name = "AAPL", nested = {false}, ["odd key"] = true}',
      "a bit of all")
shows({ 1, 1.0, -0.0, 1e15, 1e100, 1/0, -1/0, 0/0, math.mininteger },
      "{1, 1.0, -0.0, 1e+15, 1e+100, inf, -inf, nan, -9223372036854775808}", "numbers")
shows({ 'a"b\\c', "\0001\a\b\t\n\v\f\r\27[m\x7f", "é € 😀" },
      [[{"a\"b\\c", "\0001\a\b\t\n\v\f\r\027[m\127", "é € 😀"}]], "strings")
shows({ "\xff", "\xc3", "\xe2\x82", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\u{85}" },
      [[{"\255", "\195", "\226\130", "\192\128", "\224\128\128", "\237\160\128", ]]
        .. [["\240\128\128\128", "\244\144\128\128", "\194\133"}]],
      "bytes that are no text, and control characters")
shows({ [7] = 1, [-3] = 1, [2.5] = 1, [1/0] = 1, a = 1, ab = 1, _b1 = 1, ["end"] = 1,
        ends = 1, [""] = 1, ["1a"] = 1, ["a\0"] = 1, [true] = 1, [false] = 1, [{}] = 1 },
      [[{[-3] = 1, [2.5] = 1, [7] = 1, [inf] = 1, [""] = 1, ["1a"] = 1, _b1 = 1, a = 1, ]]
        .. [[["a\000"] = 1, ab = 1, ["end"] = 1, ends = 1, [false] = 1, [true] = 1, ]]
        .. "[{…}] = 1}", "keys, sorted")

local loop, twice = { name = "loop" }, { 1 }
loop.inside, loop[loop] = { { loop } }, 2
shows(loop, '{inside = {{<cycle>}}, name = "loop", [{…}] = 2}', "a cycle")
shows({ twice, twice, again = twice }, "{{1}, {1}, again = {1}}", "a shared table, again")

local jobs, pledge = tw.channel(3, { name = "jobs" }), tw.promise()
local objects = tostring(tw.freeze { jobs, pledge, pledge.future, tw.cache "shown" })
t.is(objects:gsub("0x%x+", "0x"), "{<channel: jobs (0 of 3)>, <promise: 0x (pending)>, "
     .. "<future: 0x (pending)>, <cache: shown>}", "shown: objects")
pledge:resolve { 1 }
t.ok(tostring(tw.freeze { pledge.future }):find "^{<future: 0x%x+ %(done%)>}$",
     "shown: a future, but not its value")

-- What it leaves out.

local function listed(first, last, format, more)
  local parts = {}
  for n = first, last do parts[#parts + 1] = format:format(n, n) end
  return table.concat(parts, ", ") .. more
end
for count, more in pairs { [60] = "", [61] = ", …", [1000] = ", …" } do
  local list, map, both = {}, {}, { "one" }
  for n = 1, count do list[n], map[("k%04d"):format(n)] = n, n end
  for n = 1, count - 1 do both["k" .. n + 1000] = n + 1000 end
  shows(list, "{" .. listed(1, 60, "%d", more) .. "}", "60 elements of " .. count)
  shows(map, "{" .. listed(1, 60, "k%04d = %d", more) .. "}", "60 pairs of " .. count)
  shows(both, '{"one", ' .. listed(1001, 1059, "k%d = %d", more) .. "}",
        "60 of both of " .. count)
end
for count, more in pairs { [16] = "", [17] = ", …" } do
  local list, map = {}, {}
  for n = 1, count do list[n], map["k" .. n + 10] = n, n + 10 end
  shows({ list, map, list }, ("{{%s}, {%s}, {%s}}"):format(listed(1, 16, "%d", more),
        listed(11, 26, "k%d = %d", more), listed(1, 16, "%d", more)),
        "inside, 16 of " .. count)
end
shows({ { { { 1 } } } }, "{{{{1}}}}", "4 tables in each other")
shows({ { { { { 1 }, {} } } } }, "{{{{{…}, {}}}}}", "no 5")
shows({ ("x"):rep(60), ("x"):rep(61), ("é"):rep(31), [("k"):rep(60)] = 1,
        [("k"):rep(61)] = 2 },
      ('{"%s", "%s"…, "%s"…, %s = 1, ["%s"…] = 2}'):format(("x"):rep(60), ("x"):rep(60),
        ("é"):rep(30), ("k"):rep(60), ("k"):rep(60)), "60 bytes of a string")

-- What is left of a text without its marks is Lua, wherever it was cut.
local function reads(text)
  local plain = text:gsub(", …}", "}"):gsub("{…}", "{}"):gsub('"…', '"')
                    :gsub("<cycle>", "0")
  return #text <= 1000 and utf8.len(text) and load("return " .. plain, text, "t", {})
end
local unreadable, longest, differ, cut = 0, 0, 0, 0
for n = 0, 1100, SMALL and 9 or 1 do
  local filler = {}
  for i = 1, n // 50 do filler[i] = ("x"):rep(46) end
  filler[#filler + 1] = ("x"):rep(n % 50)
  filler.z = { [1.5] = { { ("\n"):rep(9), a = 1 }, 2 }, b = "é" }
  local text = tostring(tw.freeze(filler))
  if not reads(text) then unreadable = unreadable + 1 end
  if not text:find('b = "é"}}', 1, true) then cut = cut + 1 end
  longest = math.max(longest, #text)
end
t.is(unreadable, 0, "cut at any byte it reads well")
t.ok(longest > 900 and longest <= 1000 and cut > (SMALL and 10 or 90),
     "the longest has " .. longest .. " bytes")
for _ = 1, GRAPHS do
  local v = tw.freeze(random_graph())
  local text = tostring(v)
  if not reads(text) then unreadable = unreadable + 1 end
  if tostring(tw.freeze(tw.thaw(v))) ~= text then differ = differ + 1 end
end
t.is(unreadable, 0, "so do random graphs")
t.is(differ, 0, "and what was built in another order")

-- Arrays, wherever Lua keeps their elements.

local backwards, holes, powers = {}, { 1, 2, nil, 4 }, {}
for n = 100, 1, -1 do backwards[n] = n end
for n = 0, 40 do powers[1 << n] = n end
backwards.x = "x"
local b, h, p = tw.freeze(backwards), tw.freeze(holes), tw.freeze(powers)
t.ok(#b == 100 and b[100] == 100 and b.x == "x", "filled from its end")
t.ok(#h == 2 and h[3] == nil and h[4] == 4, "with a hole: # is where the first nil is")
t.ok(#p == 2 and p[4] == 2 and p[1 << 40] == 40, "sparse")
local big = {}
for n = 1, LONG do big[n] = n end
local frozen = tw.freeze(big)
t.ok(#frozen == LONG and frozen[LONG] == LONG and frozen[LONG // 2] == LONG // 2
     and #tw.thaw(frozen) == LONG, "an array of " .. LONG)
big, frozen = nil, nil

-- No depth is too deep.

local deep = false
for _ = 1, DEEP do deep = { next = deep } end
local chain = tw.freeze(deep)
local n, at = 0, chain
while at do at, n = at.next, n + 1 end
t.is(n, DEEP, "a list of " .. DEEP)
n, at = 0, tw.thaw(chain)
while at do at, n = at.next, n + 1 end
t.is(n, DEEP, "and its private copy")
deep.next.next.next.bad = print
t.raises("^value%.next%.next%.next%.bad is a function$", tw.freeze, deep)
at = deep
for _ = 1, 100 do at = at.next end
deep.next.next.next.bad, at.bad = nil, print
t.raises("^value%.%.%.%.next.*%.next%.bad is a function$", tw.freeze, deep)
deep, chain, at = nil, nil, nil
chain = false
for _ = 1, DEEP // 10 do chain = tw.freeze { next = chain } end
n, at = 0, chain
while at do at, n = at.next, n + 1 end
t.is(n, DEEP // 10, "a list of blocks that refer to each other")
chain, at = nil, nil
collectgarbage()

-- What can't be frozen, and where it is.

for _, case in ipairs {
  { print, "^value is a function$" },
  { coroutine.create(print), "^value is a coroutine$" },
  { io.stdout, "^value is a userdata$" },
  { { tw.task.detach(type, 1) }, "^value%[1%] is a task$" },
  { { a = { b = { 1, 2, print } } }, "^value%.a%.b%[3%] is a function$" },
  { { { {} }, { { x = io.stdout } } }, "^value%[2%]%[1%]%.x is a userdata$" },
  { { ["two words"] = { [1.5] = { [true] = print } } },
    '^value%["two words"%]%[1%.5%]%[true%] is a function$' },
  { { [print] = 1 }, "^a key of value is a function$" },
  { { a = { [coroutine.create(print)] = 1 } }, "^a key of value%.a is a coroutine$" },
  { { [{ {} }] = { print } }, "^value%[a table%]%[1%] is a function$" },
  { setmetatable({}, {}), "^value has a metatable: only plain tables can be frozen$" },
  { { x = { setmetatable({}, { __metatable = 1 }) } }, "^value%.x%[1%] has a metatable" },
  { { [("k"):rep(1000)] = print }, "^value%.k+ is a function$" },
} do
  t.raises(case[2], tw.freeze, case[1])
end
t.is(tw.freeze { 1 }[1], 1, "after an error, the next is frozen as ever")

-- A finalizer freezes while something is being frozen.

local freezing, frozen_by_gc = true, 0
local function again()
  setmetatable({}, { __gc = function()
    frozen_by_gc = frozen_by_gc + #tw.freeze { 1, { 2 }, ("x"):rep(100) }
    if freezing then again() end
  end })
end
again()
collectgarbage("incremental", 1, 1000)
collectgarbage()   -- from here on, all the time
for _ = 1, 300 do
  local f = tw.freeze { { { "a" }, { "b" } }, { { "c" } }, { {}, {}, { { "d" } } } }
  if f[1][2][1] ~= "b" or f[3][3][1][1] ~= "d" then wrong = wrong + 1 end
end
freezing = false
collectgarbage("incremental", 200, 100)
t.ok(frozen_by_gc > 0 and wrong == 0, "finalizers may freeze meanwhile")

-- A view that outlives its turn: the value was finalized before its user.

local ended = apps.shell(apps.tidewire .. " -e " .. apps.quote [[
  local tw = require "tw"
  user = setmetatable({}, { __gc = function(u)
    print(pcall(function() return u.inner[1] end)) end })
  user.inner = tw.freeze { { 1 } }[1]
  print(user.inner[1])]])
t.is(ended.status, 0, "a finalizer that reads a view at the end: " .. ended.err)
t.ok(ended.out:find "^1\ntrue\t1\n$" or ended.out:find "let go", "reads it, or is told")

-- The collector sees what the blocks of a state take.

local bulk = apps.shell(apps.tidewire .. " -e " .. apps.quote(("local n = %d "):format(
  SMALL and 450 or 2000) .. [[
  local tw = require "tw"
  local text = ("x"):rep(1 << 20)
  for i = 1, n do local v = tw.freeze { text .. i } end
  for line in io.lines "/proc/self/status" do
    if line:find "VmRSS" then print(tonumber(line:match "%d+") < 400 * 1024) end
  end]]))
t.is(bulk.out, "true\n", "blocks that nobody uses go in time")

-- Memory may run out at any allocation.

apps.without_memory(apps.tidewire .. " -e " .. apps.quote [[
  local tw = require "tw"
  local fine, why = pcall(function()
    local t = { 1, 2, "a", b = { c = { "d", ("e"):rep(2000) } }, [false] = 0.5 }
    for i = 1, 40 do t["k" .. i] = { i } end
    t.self = t
    local v = tw.freeze(t)
    local copy = tw.thaw(tw.freeze { v, v.b })
    assert(copy[1].self == copy[1] and copy[2].c[1] == "d" and copy[1].k40[1] == 40)
    for _ in pairs(v) do end
    assert(#tostring(tw.freeze { v, tw.promise() }) > 100)
  end)
  if not fine then
    assert(tostring(why):find "not enough memory", why)
    collectgarbage()
    assert(tw.freeze({ { 1 } })[1][1] == 1)
  end
  print(fine)]], "true\n", SMALL and 19 or 3)

-- Shared objects are values.

local promise = tw.promise()
local held = tw.freeze { promise, promise, future = promise.future, [promise] = "key" }
t.ok(tw.freeze(promise) == promise and tw.thaw(promise) == promise, "an object is frozen")
t.ok(held[1] == held[2] and held[held[1]] == "key" and tw.thaw(held)[1] == held[1],
     "and one in all places")
promise = nil
collectgarbage()
held[1]:resolve { 1 }
t.is(held.future:await()[1], 1, "it lives as long as the value has it")
t.is(tw.thaw(held).future:await(), held.future:await(), "so what it gives is one value")

-- Records.

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = %d } "
apps.prints("quotes freeze as they are now, for good", { app = FEED:format(40)
  .. "app.tape { capacity = 16 } app.script('s.lua')", args = { "--workers", "1" },
  ["s.lua"] = [[
  local old, all
  function M.on_quote(q, seq)
    if not old then
      old = q
      all = tw.freeze { q, q, again = { q }, kept = q:keep() }
      assert(all[1] == all[2] and all.again[1] == all[1] and all[1].bid == q.bid)
      assert(tw.freeze(all[1]) == all[1] and tw.thaw(all[1]) == all[1])
      assert(tw.freeze(q).bid == q.bid and tw.thaw(all)[1] == all[1])
      print(tostring(all.again) == "{<" .. tostring(q) .. ">}")
      print(pcall(tw.freeze, { [q] = 1 }))
      print(pcall(tw.thaw, q))
    end
    if seq == 40 then
      print(all[1].seq, all.kept.seq, all.again[1].kind)
      print(pcall(tw.freeze, { x = old }))
    end
  end]] }, [[
true
false	a key of value is a record, which is no key when frozen
false	bad argument #1 to 'tw.thaw' (frozen value expected, got light userdata)
1	1	quote
false	quote 1 has expired (retention 16 records)
]])

-- A block counts as memory of each state that refers to it.

local LIMITED = FEED .. "app.limits { memory = 8 } app.script('s.lua')"
apps.prints("frozen values may come and go under a memory limit",
  { app = LIMITED:format(50), args = { "--workers", "1" }, ["s.lua"] = [[
  local text, last = ("x"):rep(1 << 20)
  function M.on_quote(seq)
    last = tw.freeze { text .. seq, last and { #last[1] } }
    if seq == 50 then print(#last[1]) end
  end]] }, (1 << 20) + 2 .. "\n")
apps.fails("and are refused past it", { app = LIMITED:format(20), ["s.lua"] = [[
  local text, all = ("x"):rep(1 << 20), {}
  function M.on_quote(seq) all[seq] = tw.freeze { text .. seq } end]] },
  "not enough memory")

-- States on several threads read and drop the same blocks.

local ROUNDS = SMALL and 200 or 2000
local run = apps.run { args = { "--workers", "3" }, app = FEED:format(ROUNDS) .. [[
  for w = 0, 2 do app.script("s.lua", { workers = { w } }) end]], ["s.lua"] = [[
  local last
  function M.on_quote(seq)
    if seq % 3 ~= 0 then return end
    local v = tw.freeze { seq, { seq, name = "s" .. seq }, last = seq % 30 > 0 and last
                          or nil }
    board.latest = v
    tw.publish("v", v)
  end
  function M.on_message(value)
    assert(value[2][1] == value[1] and value[2].name == "s" .. value[1])
    local b = board.latest
    assert(b[2].name == "s" .. b[1])
    last = b[2]
    if value.last then assert(value.last.name == "s" .. value.last[1]) end
  end]] }
t.is(run.status, 0, "three states share blocks")
if run.status ~= 0 then t.diag(run.err) end
