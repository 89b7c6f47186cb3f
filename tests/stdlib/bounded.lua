--- bounded: the functions that can be stopped do what those of C do.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"

-- The same module, in which nothing is short enough for C.
local slow
do
  local file <close> = assert(io.open "stdlib/bounded.lua")
  slow = assert(load((file:read "a":gsub("STEPS <const> = %d+", "STEPS <const> = 0"))))()
end

local function equal(a, b)
  if a.n ~= b.n then return false end
  for i = 1, a.n do if a[i] ~= b[i] then return false end end
  return true
end

local PATTERNS = { "%d+", "(%w+)=(%w*)", "a-b", "^x(.-)y", "[^,]+", "()b()", "%f[%w]%w+",
                   "%b()", "(.)%1", "a?b", "[%]x]+", "[^]]", "k$", "%.", "-", "x*", "",
                   "b-$", "([a-c]+)([d-f]*)", "%%", "(a*(.)%w(%s*))", "^(%S*)%s*(.-)$" }
local TEXTS = { "", "abc", "k=v, a1=22", "xaayb", "f(a(b)c)d", "aabbcc", "[x]]", "%d.-",
                "hello world from Lua", "a,b,,c", "THE (quick) fox" }
local WITH = { "<%0>", "x", { a = "A", k = "K" }, function(a, b) return b or a end }

local function all(gmatch, s, p)
  local found = {}
  for a, b in gmatch(s, p) do found[#found + 1] = tostring(a) .. "|" .. tostring(b) end
  return table.concat(found, ";")
end

for _, p in ipairs(PATTERNS) do
  local differ
  for _, s in ipairs(TEXTS) do
    for _, init in ipairs { 1, 2, -2, 0, 20 } do
      for _, name in ipairs { "find", "match" } do
        local want = table.pack(string[name](s, p, init))
        if not equal(table.pack(slow.string[name](s, p, init)), want) then
          differ = ("%s %q from %d"):format(name, s, init)
        end
      end
    end
    if all(slow.string.gmatch, s, p) ~= all(string.gmatch, s, p) then
      differ = ("gmatch %q"):format(s)
    end
    for _, with in ipairs(WITH) do
      if not equal(table.pack(slow.string.gsub(s, p, with)),
                   table.pack(string.gsub(s, p, with))) then
        differ = ("gsub %q"):format(s)
      end
    end
  end
  t.is(differ, nil, "the pattern " .. p)
end
local short = ("a"):rep(300)
t.is(slow.string.gsub(short, "a-b", ""), short, "gsub with a text in its place")
for _, p in ipairs { "[", "[a", "%", "%b", "%f", "(a", "a)", "%1" } do
  t.ok(not pcall(slow.string.find, "abc", p), "malformed: " .. p)
end

local function copy(list) return table.move(list, 1, #list, 1, {}) end
local function text(list) return table.concat(list, ",") end

local differ
for n = 0, 40 do
  local list = {}
  for i = 1, n do list[i] = (i * 7919 + n) % 23 end
  local sorted, mine = copy(list), copy(list)
  table.sort(sorted)
  slow.table.sort(mine)
  if text(sorted) ~= text(mine) then differ = "sort" end
  for at = 1, n + 1 do
    local a, b = copy(list), copy(list)
    table.insert(a, at, 99)
    slow.table.insert(b, at, 99)
    if text(a) ~= text(b) then differ = "insert" end
    if table.remove(a, at) ~= slow.table.remove(b, at) or text(a) ~= text(b) then
      differ = "remove"
    end
    if text(table.move(a, 1, n, at)) ~= text(slow.table.move(b, 1, n, at)) then
      differ = "move"
    end
  end
end
t.is(differ, nil, "tables")

for _, case in ipairs { { "ab", 5 }, { "ab", 5, "," }, { "x", 0 }, { "x", 10000 },
                        { "xy", 9999, "-" }, { "x", -1 } } do
  t.is(slow.string.rep(table.unpack(case)), string.rep(table.unpack(case)),
       "rep " .. table.concat(case, " "))
end
t.is(slow.string.rep("", 1 << 60), "", "rep of nothing")
t.ok(not pcall(slow.string.rep, "x", 1 << 40), "rep of too much")
local f, why = slow.load(("x = 1;"):rep(10000))
t.ok(not f and why:find "a chunk of more than", "load of too much")
t.is(slow.load("return 1", "=x", {})(), 1, "load")
t.is(slow.load(coroutine.wrap(function()
  for part in ("return 1 + 1"):gmatch "%S+ ?" do coroutine.yield(part) end
end))(), 2, "load of parts")
