-- ffi_layout: structs and unions lie in memory as the C compiler lays them out.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local ffi = require "ffi"

local random = math.random

-- By hand: what every compiler for these processors agrees on.

ffi.cdef [[
  struct hand { char a; int b : 3; unsigned c : 30; short d; char rest[]; };
  struct tight { char a; int b; struct { short c; } __attribute__((packed)) in; }
    __attribute__((packed, aligned(2)));
  #pragma pack(push, 2)
  struct pragma { char a; int b; double c; };
  #pragma pack(pop)
  struct after { char a; double b; };
  struct none {};
  struct over { union { int a; struct { char b, c; }; }; struct { int d : 4, : 4,
  e : 4; }; };
]]
local function lies(ct, field, ...)
  t.same({ ffi.offsetof(ct, field) }, { ... }, ct .. "." .. field)
end
lies("struct hand", "b", 0, 8, 3)
lies("struct hand", "c", 4, 0, 30)
lies("struct hand", "d", 8)
lies("struct hand", "rest", 10)
lies("struct tight", "b", 1)
lies("struct pragma", "b", 2)
lies("struct pragma", "c", 6)
lies("struct after", "b", 8)
lies("struct over", "c", 1)
lies("struct over", "e", 4, 8, 4)
lies("struct over", "f", nil)
for ct, size in pairs {
  ["struct tight"] = 8, ["struct pragma"] = 14, ["struct none"] = 0,
  ["struct over"] = 8,
} do
  t.is(ffi.sizeof(ct), size, "sizeof " .. ct)
end
t.is(ffi.sizeof("struct hand", 0), 12, "sizeof, without what its last array holds")
t.is(ffi.alignof "struct tight", 2, "alignof")
t.is(ffi.alignof "struct pragma", 2, "of packed")

-- At random: what the C compiler here says.

if not os.execute "command -v cc >/dev/null" then
  t.diag "no C compiler is installed"
  t.done()
  return
end

local COUNT = os.getenv "SMALL" and 100 or 500

local common = [[
enum small { RED, GREEN, BLUE };
enum wide { LEAST = -5, MOST = 70000 };
enum tiny { ONE = 1, TWO } __attribute__((packed));
typedef int aligned_int __attribute__((aligned(8)));
typedef long loose_long __attribute__((aligned(1)));
typedef short vector __attribute__((vector_size(8)));
]]
local scalars = {
  "char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned",
  "long", "unsigned long", "long long", "unsigned long long", "float", "double",
  "long double", "_Bool", "__int128", "void *", "const char *", "enum small", "enum wide",
  "enum tiny", "aligned_int", "loose_long", "vector", "double _Complex", "float _Complex",
}
local integers = {
  { "signed char", 8 }, { "unsigned char", 8 }, { "short", 16 }, { "unsigned short", 16 },
  { "int", 32 }, { "unsigned", 32 }, { "long", 64 }, { "unsigned long", 64 },
  { "long long", 64 }, { "_Bool", 1 }, { "enum small", 3 }, { "enum tiny", 2 },
}   -- not those of an alignment of their own, of which gcc and clang do not agree

local function one_of(list) return list[random(#list)] end

local packing           -- behind a #pragma pack

-- Attributes of a field, rarely.  Where a bit-field's alignment is more than
-- #pragma pack allows, gcc and clang do not agree.
local function attribute(is_bits)
  local n = random(40)
  if is_bits and packing then return "" end
  if n == 1 then return " __attribute__((packed))" end
  if n == 2 then return (" __attribute__((aligned(%d)))"):format(1 << random(0, 6)) end
  if n == 3 then
    return (" __attribute__((packed, aligned(%d)))"):format(1 << random(0, 4))
  end
  return ""
end

local structs = {}      -- { name, text, fields: { name, bits = true } … }

local function dimensions()
  local s = ""
  for _ = 1, random(4) == 1 and random(2) or 0 do s = s .. ("[%d]"):format(random(0,
  5)) end
  return s
end

-- The text of fields, whose names go to `all`.
local function fields(all, n, depth)
  local out = {}
  local function name(entry)
    entry.name = "f" .. #all + 1
    all[#all + 1] = entry
    return entry.name
  end
  for _ = 1, n do
    local kind, text = random(20), nil
    if kind <= 8 then
      local ct = one_of(scalars)
      text = ("%s %s%s%s"):format(ct, name {}, ct == "aligned_int" and "" or dimensions(),
                                  attribute())
    elseif kind <= 14 then
      local ct = one_of(integers)
      if random(8) == 1 then
        text = ("%s : %d"):format(ct[1], random(4) == 1 and 0 or random(ct[2]))
      else
        text = ("%s %s : %d%s"):format(ct[1], name { bits = true }, random(ct[2]),
                                       attribute(true))
      end
    elseif kind == 15 then
      text = ("int (*%s%s)(int, char *)"):format(name {}, dimensions())
    elseif kind == 16 then
      text = ("_Alignas(%d) char %s"):format(1 << random(0, 6), name {})
    elseif kind <= 18 and #structs > 0 then
      local s = structs[random(math.max(1, #structs - 20), #structs)]
      if not s.flexible and ffi.sizeof(s.name) < 2000 then
        text = ("%s %s%s%s"):format(s.name, name {}, dimensions(), attribute())
      end
    elseif depth < 3 then
      local tail = random(6) == 1 and " __attribute__((packed))" or ""
      if random(2) == 1 then
        local inner = fields(all, random(1, 4), depth + 1)
        text = ("%s { %s }%s"):format(one_of { "struct", "union" }, inner, tail)
      else
        local inner = fields({}, random(1, 4), depth + 1)
        text = ("%s { %s }%s %s%s"):format(one_of { "struct", "union" }, inner, tail,
                                           name {}, attribute())
      end
    end
    out[#out + 1] = text and text .. ";"
  end
  return table.concat(out, " ")
end

local wrong = {}

local function declare(i)
  local all = {}
  local word = random(6) == 1 and "union" or "struct"
  local s = { name = ("%s s%d"):format(word, i), fields = all }
  packing = random(8) == 1
  local body = fields(all, random(1, 9), 0)
  if word == "struct" and #all > 0 and random(8) == 1 then
    s.flexible = true
    body = ("%s %s rest[];"):format(body, scalars[random(21)])
    all[#all + 1] = { name = "rest" }
  end
  local tail = ({ [1] = " __attribute__((packed))", [2] = " __attribute__((aligned))",
    [3] = (" __attribute__((aligned(%d)))"):format(1 << random(0, 6)),
    [4] = (" __attribute__((packed, aligned(%d)))"):format(1 << random(0,
    4)) })[random(16)]
  s.text = ("%s { %s }%s;"):format(s.name, body, tail or "")
  if packing then
    s.text = ("#pragma pack(push, %d)\n%s\n#pragma pack(pop)"):format(1 << random(0, 4),
                                                                      s.text)
  end
  local made, why = pcall(ffi.cdef, s.text)
  if not made then
    wrong[#wrong + 1] = why .. "\n" .. s.text
    return
  end
  structs[#structs + 1] = s
end

math.randomseed(8)
ffi.cdef(common)
for i = 1, COUNT do declare(i) end
t.is(table.concat(wrong, "\n"), "",
("%d structs and unions are declared"):format(#structs))

-- What is one bit-field is what changes when all its bits are set.
local source = { [[
#include <stddef.h>
#include <stdio.h>
#include <string.h>
static void bits(const void *p, size_t n)
{
    const unsigned char *b = p;
    size_t first = 0, count = 0;
    for (size_t i = n * 8; i-- > 0;)
        if (b[i / 8] >> i % 8 & 1) { first = i; count++; }
    printf("%zu:%zu ", first, count);
}
]], common }
for _, s in ipairs(structs) do source[#source + 1] = s.text end
for i, s in ipairs(structs) do
  source[#source + 1] = ("static void show%d(void)\n{\n  static %s s;"):format(i, s.name)
  source[#source + 1] = ('  printf("%%zu %%zu ", sizeof(%s), _Alignof(%s));')
    :format(s.name, s.name)
  for _, f in ipairs(s.fields) do
    source[#source + 1] = (f.bits and
      "  memset(&s, 0, sizeof s); s.%s = -1; bits(&s, sizeof s);" or
      '  printf("%%zu ", offsetof(' .. s.name .. ", %s));"):format(f.name)
  end
  source[#source + 1] = '  puts("");\n}'
end
source[#source + 1] = "int main(void)\n{"
for i in ipairs(structs) do source[#source + 1] = ("show%d();"):format(i) end
source[#source + 1] = "}\n"

local path = apps.directory .. "/layout"
apps.put(path .. ".c", table.concat(source, "\n"))
local built = apps.shell(("cc -w -o %s %s.c"):format(path, path))
t.is(built.status, 0, "cc: " .. built.err)
local told = apps.shell(path)
local i, compared = 0, 0
for line in told.out:gmatch "[^\n]+" do
  i = i + 1
  local s = structs[i]
  local ours = { ffi.sizeof(s.name, s.flexible and 0 or nil), ffi.alignof(s.name) }
  for k, f in ipairs(s.fields) do
    local offset, position, bits = ffi.offsetof(s.name, f.name)
    ours[k + 2] = bits and ("%d:%d"):format(offset * 8 + position, bits) or offset
  end
  compared = compared + #s.fields
  local mine = table.concat(ours, " ") .. " "
  if mine ~= line then
    wrong[#wrong + 1] = ("%s\n  cc:   %s\n  here: %s"):format(s.text, line, mine)
  end
end
t.is(i, #structs, "the compiler's program told of all")
t.diag(("%d fields compared"):format(compared))
if not t.is(#wrong, 0, "each lies as the compiler says") then
  for k = 1, math.min(#wrong, 5) do t.diag(wrong[k]) end
end
t.done()
