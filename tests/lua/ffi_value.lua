-- ffi_value: C values as Lua sees them: conversions, initializers, indexes, arithmetic.

local t = require "tw.test"
local ffi = require "ffi"

t.ok(require "cffi" == ffi, "cffi is the same module")
ffi.cdef [[
  typedef struct point { int x, y; } point;
  struct line { point from, to; const char *name; };
  union number { int32_t i; float f; uint8_t bytes[4]; };
  enum colour { RED, GREEN = 5, BLUE };
  struct flags { unsigned a : 3; int b : 5; _Bool c : 1; uint64_t wide : 40; };
  struct outer { int first; struct { int inner; union { int u; float v; }; }; int last; };
  struct packet { uint16_t n; double values[]; };
  struct constant { const int fixed; int free; };
  struct node { struct node *next; int value; };
]]

-- Numbers, in and out.

local function through(ct, value) return ffi.toretval(ffi.new(ct, value)) end
for _, case in ipairs {
  { "int8_t", 200, -56 }, { "uint8_t", -1, 255 }, { "int16_t", 40000, -25536 },
  { "uint16_t", 65537, 1 }, { "int", 1 << 31, -(1 << 31) },
  { "unsigned", -1, 0xffffffff },
  { "long", math.mininteger, math.mininteger }, { "size_t", 7, 7 },
  { "int", 2.9, 2 }, { "int", -2.9, -2 }, { "long long", 2.0 ^ 62, 1 << 62 },
  { "float", 0.1, 0x1.99999ap-4 }, { "double", 0.1, 0.1 }, { "double", 3, 3.0 },
  { "long double", 0.25, 0.25 }, { "bool", 1, true }, { "bool", 0, false },
  { "bool", 0.5, true }, { "bool", true, true }, { "int", true, 1 }, { "char", 65, 65 },
  { "bool", ffi.nullptr, false }, { "bool", ffi.new "int[1]", true },
  { "enum colour", "GREEN", 5 }, { "enum colour", 6, 6 }, { "unsigned char", 300.7, 44 },
  { "int", ffi.new("complex", 3.7, 9), 3 }, { "double", ffi.new("complex", 0.5, 9), 0.5 },
} do
  t.is(through(case[1], case[2]), case[3], ("%s of %s"):format(case[1], case[2]))
end
t.is(math.type(through("int", 2.0)), "integer", "an int is an integer")
t.is(math.type(through("float", 2)), "float", "a float is a float")
t.is(ffi.type(through("uint64_t", -1)), "cdata", "what no integer of Lua is, is boxed")
t.is(tostring(through("uint64_t", -1)), "18446744073709551615ULL", "and shown")
t.is(tostring(ffi.new("int64_t", -5)), "-5LL", "with C's suffix")
t.is(ffi.tonumber(ffi.new("uint64_t", -1)), 0x1p64, "ffi.tonumber rounds it")
t.is(ffi.tonumber(ffi.new("int", 3)), 3, "and knows any number")
t.is(ffi.tonumber("0x10"), 16, "and what tonumber knows")
t.is(ffi.tonumber("zz", 36), 1295, "with a base")
t.is(ffi.tonumber(ffi.nullptr), nil, "a pointer is none")
t.is(tostring(ffi.eval "0xffffffffffffffffULL"), "18446744073709551615ULL", "ffi.eval")
t.is(ffi.toretval(ffi.eval "3 * (4 + 1) << 2"), 60, "of an expression")
for _, case in ipairs {
  { "int", "12", "'string' to 'int'" }, { "int", {}, "'table' to 'int'" },
  { "int", nil, nil }, { "enum colour", "PINK", "no constant 'PINK'" },
  { "char *", "text", "'string' to 'char %*'" }, { "int *", 5, "'number' to 'int %*'" },
  { "point", 5, nil }, { "int", ffi.new "point", "'struct point' to 'int'" },
  { "int *", ffi.new "float[1]", "'float %[1%]' to 'int %*'" },
  { "int *", ffi.new "const int[1]", "'const int %[1%]' to 'int %*'" },
  { "point *", ffi.new "struct line", "'struct line' to 'struct point %*'" },
  { "int", ffi.typeof "int", "'ctype<int>' to 'int'" },
  { "complex", "1", "'string' to 'double'" },
} do
  if case[3] then t.raises(case[3], ffi.new, case[1], case[2]) end
end

-- Pointers.

local p = ffi.new("point", 1, 2)
local to = ffi.new("point *", p)
t.is(to.x + to[0].y, 3, "a pointer to a struct")
to.x = 7
t.is(p.x, 7, "writes to it")
t.ok(ffi.addressof(p) == to, "pointers are equal by address")
t.ok(ffi.new "void *" == ffi.nullptr, "NULL")
t.ok(to ~= ffi.nullptr, "and what is not")
t.raises("null pointer", function() return ffi.new("point *").x end)
t.raises("null pointer", function() return ffi.new("int *")[0] end)
t.raises("size of 'void'", function() return ffi.cast("void *", p)[0] end)
local numbers = ffi.new("int[4]", { 10, 20, 30, 40 })
local third = numbers + 2
t.is(third[0], 30, "pointer plus integer")
t.is((third - 1)[0], 20, "minus")
t.is(third - numbers, 2, "the distance of two")
t.ok(numbers < third and third >= numbers, "their order")
t.is(ffi.toretval(ffi.cast("intptr_t", third) - ffi.cast("intptr_t", numbers)), 8,
     "addresses")
t.is(ffi.cast("uint8_t *", numbers)[4], 20, "a cast")
t.is(ffi.cast("int", ffi.cast("char", 300)) + 0, ffi.new("int64_t", 44), "casts wrap")
do
  local far = ffi.new("int[3]", 1, 2, 3) + 1
  collectgarbage() collectgarbage()
  t.is(far[0], 2, "a pointer keeps what it was made of")
  local inner = ffi.new("struct line", { { 1, 2 }, { 3, 4 } }).to
  collectgarbage() collectgarbage()
  t.is(inner.y, 4, "and a field what it is of")
  local function ends_late(make, say)
    local ended = false
    local kept = make(function() ended = true end)
    collectgarbage() collectgarbage()
    t.ok(kept and not ended, say)
  end
  ends_late(function(gc)
    return ffi.addressof(ffi.gc(ffi.cast("int *", ffi.new "int[2]"), gc))
  end, "a pointer's address keeps the pointer")
  ends_late(function(gc) return ffi.new("int *", ffi.gc(ffi.new "int[2]", gc)) end,
            "a new pointer what it points to")
  local memory = ffi.new "int[4]"
  ends_late(function(gc)
    return ffi.gc(ffi.cast("int *", ffi.cast("void *", memory)), gc) + 1
  end, "and what is behind one with a finalizer, that one")
  local address = ffi.addressof(ffi.cast("int *", memory))
  collectgarbage() collectgarbage()
  for _ = 1, 1000 do ffi.new("int *[6]") end
  t.ok(address[0] == memory + 0, "which is where it was")
end

local function address(value) return ffi.cast("uintptr_t", value) end
for _, value in ipairs { "text", io.stdout } do
  t.ok(address(value) == address(ffi.cast("void *", value)), "an address as an integer")
end
t.is(ffi.toretval(address(nil)), 0, "of nil")
t.raises("'function' to 'int'", ffi.cast, "int", print)
t.raises("'nil' to 'double'", ffi.cast, "double", nil)

-- Arrays.

t.raises("index 4 of an array of 4", function() return numbers[4] end)
t.raises("index %-1 of", function() numbers[-1] = 0 end)
t.raises("index 400000", function() return numbers[400000] end)
t.raises("cannot be indexed with 'nil'", function() return numbers[nil] end)
t.raises("no field 'x'", function() return numbers.x end)
local three = ffi.new("int[?]", 3, 1, 2, 3)
t.is(ffi.sizeof(three), 12, "the size of a VLA")
t.raises("index 3 of an array of 3", function() return three[3] end)
t.raises("4 initializers for 3", ffi.new, "int[?]", 3, 1, 2, 3, 4)
t.raises("more initializers than the 2", ffi.new, "int[2]", { 1, 2, 3 })
t.raises("not possible", ffi.new, "int[?]", -1)
t.raises("not possible", ffi.new, "int[?]", math.maxinteger)
local function list(array, n)
  local out = {}
  for i = 0, n - 1 do out[#out + 1] = array[i] end
  return table.concat(out, " ")
end
t.is(list(ffi.new("int[4]", 9), 4), "9 9 9 9", "one value fills an array")
t.is(list(ffi.new("int[4]", 9, 8), 4), "9 8 0 0", "two do not")
t.is(list(ffi.new("int[4]", { 9 }), 4), "9 9 9 9", "nor does a table of one alone")
t.is(list(ffi.new("int[4]", { [0] = 1, 2 }), 4), "1 2 0 0", "from 0 on")
t.is(list(ffi.new("int[?]", 3, { 5 }), 3), "5 0 0", "a VLA is not filled")
t.is(list(ffi.new("uint8_t[5]", "abc"), 5), "97 98 99 0 0", "a string")
t.raises("6 bytes do not fit", ffi.new, "char[5]", "abcdef")
t.is(ffi.string(ffi.new("char[3]", "abc")), "abc", "one without its zero byte")
local grid = ffi.new("int[2][3]", { { 1, 2, 3 }, { 4, 5, 6 } })
t.is(grid[1][2], 6, "an array of arrays")
t.raises("index 3 of an array of 3", function() return grid[0][3] end)
grid[0] = { 7, 8, 9 }
t.is(list(grid[0], 3), "7 8 9", "a table to an array")
t.is(list(ffi.new("int[4]", numbers), 4), "10 20 30 40", "a copy")

-- Structs, unions, bit-fields.

local line = ffi.new("struct line", { { 1, 2 }, to = { 3, 4 } })
t.is(line.from.y, 2, "by position")
t.is(line.to.y, 0, "and then not by name")
line = ffi.new("struct line", { to = { y = 4 }, name = "n" })
t.is(line.to.y .. ffi.string(line.name), "4n", "by names")
line.from = p
p.x = 0
t.is(line.from.x, 7, "assigned by value")
line.from.x = 8
t.is(line.from.x, 8, "a field is a reference")
t.raises("no field 'z'", function() return p.z end)
t.raises("no field 'z'", function() p.z = 1 end)
t.raises("3 initializers for 2 fields", ffi.new, "point", 1, 2, 3)
local u = ffi.new("union number", { f = 1 })
t.is(u.i, 0x3f800000, "a union")
t.is(u.bytes[3], 0x3f, "its bytes")
t.is(ffi.new("union number", 5).i, 5, "its first")
local flags = ffi.new("struct flags", { a = 9, b = -3, c = true, wide = 1 << 39 })
t.is(flags.a, 1, "bit-fields wrap")
t.is(flags.b, -3, "and have signs")
t.is(flags.c, true, "or are true")
t.is(flags.wide, 1 << 39, "and wide")
flags.b = 15
t.is(flags.b .. flags.a .. flags.wide, "151" .. (1 << 39), "beside each other")
ffi.cdef "struct named { enum colour colour : 4; _Bool set : 1; };"
local named = ffi.new("struct named", { colour = "GREEN", set = 0.5 })
t.is(named.colour, 5, "one that is an enum, by its name")
t.is(named.set, true, "and a bool, of any number")
t.raises("no constant 'PINK'", function() named.colour = "PINK" end)
t.raises("'string' to 'bool'", function() named.set = "x" end)
t.raises("'table' to 'unsigned int'", ffi.new, "struct flags", { a = {} })
local outer = ffi.new("struct outer", { inner = 5, u = 6, last = 7 })
t.is(outer.inner + outer.u + outer.last, 18, "members without a name")
outer = ffi.new("struct outer", { 1, 2, 3, 4 })
t.is(outer.first .. outer.inner .. outer.u .. outer.last, "1234", "in order")
outer = ffi.new("struct outer", 5, { 6, { 7 } }, 8)
t.is(outer.first .. outer.inner .. outer.u .. outer.last, "5678", "or as tables")
t.is(ffi.new("struct outer", 1, 2, 3, 4).last, 4, "or beside each other")
t.is(ffi.offsetof("struct outer", "u"), 8, "where they lie")
t.is(ffi.offsetof("struct outer", "none"), nil, "what is not there")
t.same({ ffi.offsetof("struct flags", "b") }, { 0, 3, 5 }, "a bit-field's place")
local constant = ffi.new("struct constant", 1, 2)
t.raises("'const int' is constant", function() constant.fixed = 2 end)
t.raises("constant", function() ffi.new("const point").x = 1 end)
ffi.cdef [[
  struct fixed_inside { int n; struct constant all[2]; union { const char c; int i; }; };
  struct fixed_array { const int two[2]; int n; };
]]
do
  local all = ffi.new("struct constant[2]", { { 1, 2 }, { 3, 4 } })
  local one = ffi.new("struct constant *", all)
  local inside = ffi.new("struct fixed_inside", { 1, { { 5, 6 } } })
  local of_arrays = ffi.new("struct fixed_array[1]", { { { 7, 8 }, 9 } })
  local refused = "has members that are constant"

  t.raises("'struct constant' " .. refused, function() all[0] = all[1] end)
  t.raises(refused, function() one[1] = { 5, 6 } end)
  t.raises(refused, function() inside.all[0] = all[0] end)
  t.raises(refused, function() inside.all = { { 1, 2 } } end)
  t.raises(refused, function() ffi.new "struct fixed_inside[1]"[0] = inside end)
  t.raises(refused, function() of_arrays[0] = { { 1, 2 } } end)
  t.raises(refused, function() of_arrays[0].two = { 1, 2 } end)
  t.is(all[0].fixed + inside.all[1].fixed + of_arrays[0].two[1], 14, "nothing is written")
  all[0].free, inside.n, of_arrays[0].n = 20, 21, 22
  t.is(all[0].free + inside.n + of_arrays[0].n, 63, "what is not constant is")
end
t.raises("constant", function() ffi.new("const int[2]")[0] = 1 end)
ffi.cdef "struct unnamed { const struct { int x; unsigned bits : 3; }; int n; };"
local unnamed = ffi.new("struct unnamed", { x = 1, bits = 2, n = 3 })
t.raises("constant", function() unnamed.x = 2 end)
t.raises("constant", function() unnamed.bits = 2 end)
unnamed.n = 4
t.is(unnamed.x .. unnamed.bits .. unnamed.n, "124", "constant without a name")
local packet = ffi.new("struct packet", 3, { n = 2 })
packet.values[2] = 2.5
t.is(packet.values[2], 2.5, "a flexible array")
t.is(ffi.sizeof(packet), 8 + 24, "its size")
t.raises("index 3 of an array of 3", function() packet.values[3] = 1 end)
t.raises("25 bytes, where argument 1 has 24", ffi.fill, packet.values, 25)
t.is(ffi.sizeof("struct packet"), 8, "of which there may be none")
t.is(ffi.new("struct packet", { 7 }).n, 7, "made without a number")
t.is(ffi.new("struct packet", 2, packet).n, 2, "a copy of what is before it")
ffi.cdef [[
  struct around { int first; struct packet last; };
  union either { int all[]; short one; };
]]
t.is(ffi.sizeof(ffi.new("struct around", 3)), 16 + 24, "one at the end of a field")
t.is(ffi.sizeof(ffi.new("union either", 3)), 4 + 12, "or in a union")
for _, given in ipairs {
  { { n = 1, values = { 1, 2 } } }, { { 1, { 1, 2 } } }, { 1, { 1, 2 } },
  { { n = 1, values = ffi.new("double[3]", { 1, 2 }) } },
  { { 1, ffi.new("double[?]", 3, 1, 2) } },
} do
  packet = ffi.new("struct packet", 3, table.unpack(given))
  t.is(packet.n .. " " .. list(packet.values, 3), "1 1.0 2.0 0.0", "with initializers")
end
t.raises("more initializers than the 1", ffi.new, "struct packet", 1, { 1, { 1, 2 } })
t.raises("more initializers than the 0", ffi.new, "struct packet", { 1, { 1 } })
t.is(ffi.new("struct around", 2, { 1, { 2, { 3, 4 } } }).last.values[1], 4.0,
     "within others")
ffi.cdef "struct message { int n; char text[]; };"
t.is(ffi.string(ffi.new("struct message", 5, { 5, "hello" }).text), "hello", "of bytes")
t.raises("5 bytes do not fit an array of 4", ffi.new, "struct message", 4, { 5, "hello" })
ffi.cdef "struct tail { int n; char rest[0]; };"
local room = ffi.new "char[16]"
ffi.cast("struct tail *", room).rest[3] = 65
t.is(room[7], 65, "an array of [0] in a struct is as long as C says")
ffi.cdef "struct middle { int n; int32_t all[0]; short two[3]; };"
local middle = ffi.new("struct middle", 1, { 2, 3 })
t.is(middle.all[0], 3 << 16 | 2, "in the middle it is of what is behind it")
t.raises("index 2 of an array of 2", function() return middle.all[2] end)
t.raises("index 0 of an array of 0", function() return ffi.new "struct tail".rest[0] end)
t.raises("index 0 of an array of 0", function() return ffi.new "int[0]"[0] end)

-- Complex numbers and vectors: numbers that are one value.

local z = ffi.new("complex", 1, 2)
t.is(z.re .. z.im .. z[0] .. z[1], "1.02.01.02.0", "a complex number")
t.is(ffi.new("float complex", z).im .. ffi.new("complex", 3).im, "2.00.0", "converted")
t.is(ffi.new("complex[2]", { { 1, 2 }, { 3 } })[1].re, 3.0, "an array of them")
t.raises("constant", function() z.re = 3 end)
t.raises("constant", function() z[1] = 3 end)
t.raises("index 2 of an array of 2", function() return z[2] end)
t.raises("3 initializers for 2", ffi.new, "complex", 1, 2, 3)
ffi.cdef "int of_complex(int complex, unsigned complex);"
ffi.cdef "typedef float four __attribute__((vector_size(16)));"
t.is(list(ffi.new("four", 1, 2, 3, 4), 4), "1.0 2.0 3.0 4.0", "a vector")
t.is(list(ffi.new("four", { 1, 2 }), 4), "1.0 2.0 0.0 0.0", "of a table")
t.is(list(ffi.new("four", 5), 4), "5.0 5.0 5.0 5.0", "of one number")
t.raises("constant", function() ffi.new "four"[0] = 1 end)
t.raises("index 4 of an array of 4", function() return ffi.new "four"[4] end)
local four = ffi.new "four"
ffi.cast("float *", ffi.addressof(four))[3] = 0.5
four = ffi.new("four[2]", four)[1]
t.is(ffi.cast("float *", ffi.addressof(four))[3], 0.5, "a vector is copied")
t.is(ffi.new("bool[2]", true, nil)[1], false, "nil is false")
local node = ffi.new("struct node")
node.next = node
t.ok(node.next.next == ffi.addressof(node), "a ring")

-- Arithmetic of 64 bits.

local L, U = ffi.typeof "int64_t", ffi.typeof "uint64_t"
for text, got in pairs {
  ["5LL"] = L(2) + 3, ["-1LL"] = 2 - L(3), ["18446744073709551615ULL"] = U(2) - 3,
  ["-9223372036854775808LL"] = L(math.maxinteger) + 1, ["-2LL"] = L(-5) / 2,
  ["9223372036854775805ULL"] = U(-5) / 2, ["-1LL "] = L(-5) % 2, ["1024LL"] = L(2) ^ 10,
  ["-7LL"] = -L(7), ["4LL"] = L(12) & 6, ["14LL"] = L(12) | 6, ["10LL"] = L(12) ~ 6,
  ["-13LL"] = ~L(12), ["48LL"] = L(12) << 2, ["3ULL"] = U(12) >> 2, ["2LL"] = L(1) + 1.9,
} do
  t.is(tostring(got), text:gsub(" ", ""), text)
end
t.ok(L(-1) < 0 and not (U(-1) < 0) and U(-1) > 5 and L(3) <= L(3), "comparison")
t.ok(L(3) == U(3) and L(3) ~= L(4), "equality")
t.ok(L(3) ~= L and L(3) ~= io.stdout and ffi.new "double _Complex" ~= L(0),
     "of what can't be compared, too")
t.raises("by zero", function() return L(1) / 0 end)
t.is(tostring(L(math.mininteger) / -1), "-9223372036854775808LL", "one that overflows")
t.is(ffi.new("double", 1.5) + 1, 2.5, "a boxed double is a number")
t.raises("add is not defined for 'struct point' and 'table'",
         function() return p + {} end)
t.raises("add is not defined", function() return numbers + third end)

-- Metatypes, finalizers.

ffi.cdef "typedef struct { double x, y; } vector;"
local made, vector = 0
vector = ffi.metatype("vector", {
  __add = function(a, b) return vector(a.x + b.x, a.y + b.y) end,
  __len = function() return 2 end,
  __index = { length = function(v) return (v.x ^ 2 + v.y ^ 2) ^ 0.5 end, zero = 0 },
  __call = function(v, k) return v.x * k end,
  __tostring = function(v) return ("(%g, %g)"):format(v.x, v.y) end,
  __eq = function(a, b) return a.x == b.x and a.y == b.y end,
  __concat = function(a, b) return tostring(a) .. tostring(b) end,
  __new = function(ct, x, y) made = made + 1 return ffi.new(ct, x, y or x) end,
  __close = function() made = -1 end,
})
local v = vector(3, 4) + vector(0)
t.is(v:length(), 5, "a method")
t.is(vector.zero, 0, "of the type")
t.is(#v, 2, "__len")
t.is(v(2), 6, "__call")
t.is(tostring(v), "(3, 4)", "__tostring")
t.is(made, 3, "__new")
t.ok(v == vector(3, 4), "__eq")
t.is("v" .. v, "v(3, 4)", "__concat")
t.is(ffi.addressof(v):length(), 5, "behind a pointer")
do local _ <close> = v end
t.is(made, -1, "__close")
t.raises("has a metatable already", ffi.metatype, "vector", {})
t.raises("no struct", ffi.metatype, "int", {})
t.raises("ctype 'struct point' has no 'none'", function()
  return ffi.typeof "point".none
end)
t.is(v.none, nil, "what __index does not have")
t.raises("no field 'none'", function() v.none = 1 end)
t.raises("has no __len", function() return #p end)
t.is(getmetatable(p), "ffi", "the metatable is not shown")
for event, f in pairs(debug.getmetatable(p)) do
  if type(f) == "function" then
    t.ok(event == "__eq" or not pcall(f, io.stdout, 1), event .. " is of C values only")
  end
end

ffi.cdef "typedef vector wide_vector __attribute__((aligned(32)));"
local wide = ffi.new("wide_vector", 3, 4)
t.is(wide:length(), 5, "of a type with an alignment of its own")
t.ok(ffi.istype("vector", wide) and ffi.istype("wide_vector", v), "which is that type")
t.is(ffi.new("vector", wide).y, 4.0, "is copied to it")
t.is(ffi.new("vector *", wide).y, 4.0, "and pointed to")

local order = {}
do
  for i = 1, 3 do ffi.gc(ffi.new("point", i), function(c) order[#order + 1] = c.x end) end
  local kept = ffi.gc(ffi.new "int", function() order[#order + 1] = "kept" end)
  ffi.gc(kept, nil)
  t.ok(kept, "a finalizer is taken away")
  t.raises("function expected, got number", ffi.gc, kept, 1)
end
collectgarbage() collectgarbage()
t.is(table.concat(order, " "), "3 2 1", "the last finalizer first")
local before, peak = collectgarbage "count", 0
for i = 1, 100000 do
  ffi.gc(ffi.new "int", type)
  if i % 1000 == 0 then peak = math.max(peak, collectgarbage "count") end
end
t.ok(peak < before + 1500, ("finalizers keep up: %.0f kB"):format(peak - before))
ffi.cdef "typedef struct { int fd; } handle;"
local ended = {}
ffi.metatype("handle", { __gc = function(h) ended[#ended + 1] = h.fd end })
ffi.new("handle", 9)
collectgarbage() collectgarbage()
t.is(ended[1], 9, "a metatype's __gc")
do local _ <close> = ffi.gc(ffi.new("point", 4), function(c) order[1] = c.x end) end
t.is(order[1], 4, "the end of a scope calls a finalizer")

-- What looks at types and memory.

t.is(ffi.sizeof "struct line", 24, "sizeof")
t.is(ffi.sizeof "void", nil, "of what has none")
t.is(ffi.sizeof("int[?]", 5), 20, "of a VLA")
ffi.cdef "#define LENGTH 4"
t.is(ffi.sizeof "char[LENGTH]", 4, "of a constant's length")
ffi.cdef "#undef LENGTH\n#define LENGTH 5\n"
t.is(ffi.sizeof "char[LENGTH]", 5, "and when it is another")
t.is(ffi.alignof "double", 8, "alignof")
t.ok(ffi.istype("point", p) and ffi.istype("point", to) and not ffi.istype("int", p)
     and not ffi.istype("int", 5) and ffi.istype("const point", p), "istype")
t.ok(ffi.typeof "int *" == ffi.typeof "int*" and ffi.typeof "int" ~= ffi.typeof "long",
     "types are equal")
t.is(tostring(ffi.typeof "const char *"), "ctype<const char *>", "and have names")
t.is(tostring(ffi.typeof("$ *", ffi.typeof "point")), "ctype<struct point *>", "with $")
t.ok(tostring(to):find "^cdata<struct point %*>: 0x", "a pointer's text")
t.is(ffi.type(p), "cdata", "ffi.type")
t.is(ffi.type(1), "number", "of what is Lua's")
local buffer = ffi.new "char[8]"
ffi.copy(buffer, "hello")
t.is(ffi.string(buffer), "hello", "copy and string")
t.is(ffi.string(buffer, 2), "he", "of two bytes")
ffi.fill(buffer, 3, 0x78)
t.is(ffi.string(buffer), "xxxlo", "fill")
ffi.copy(buffer, ffi.new("char[4]", "wxyz"), 4)
t.is(ffi.string(buffer), "wxyzo", "of an array")
t.raises("9 bytes, where argument 1 has 8", ffi.copy, buffer, "12345678")
t.raises("9 bytes, where argument 1 has 8", ffi.fill, buffer, 9)
t.raises("5 bytes, where argument 2 has 4", ffi.copy, buffer, ffi.new "char[4]", 5)
t.raises("9 bytes", ffi.string, buffer, 9)
t.raises("null pointer", ffi.string, ffi.nullptr)
t.raises("constant", ffi.fill, ffi.new "const char[2]", 2)
t.raises("'struct point' to 'const char %*'", ffi.string, p)
local throws = setmetatable({}, { __index = function() error "thrown" end })
t.raises("thrown", ffi.cast("int (*)(point)", function() return 1 end), throws)
t.raises("^cannot convert 'struct point' to 'const char %*'", ffi.string, p)
t.ok(ffi.abi "64bit" and ffi.abi "le" and not ffi.abi "win", "abi")
t.ok(ffi.os == "Linux" and (ffi.arch == "x64" or ffi.arch == "arm64"), "os and arch")
t.raises("C type expected", ffi.new, 5)
t.raises("cdata expected", ffi.gc, 5, print)
t.raises("to 'enum unseen %*'", ffi.new, "enum unseen *", ffi.new "int[1]")
t.raises("a cast to 'enum unseen'", ffi.cast, "enum unseen", 1)
t.raises("size of 'struct unknown'", ffi.new, "struct unknown")

t.done()
