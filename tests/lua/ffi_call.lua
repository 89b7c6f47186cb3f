-- ffi_call: C functions called from Lua, and Lua functions that C calls.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local ffi = require "ffi"

ffi.cdef [[
  int abs(int);
  size_t strlen(const char *);
  double pow(double, double);
  float fabsf(float);
  long labs(long);
  int snprintf(char *, size_t, const char *, ...);
  void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
  int close(int fd);
  extern char **environ;
  typedef struct { int quot, rem; } div_t;
  div_t div(int, int);
  enum { EBADF = 9 };
  static const int FIVE = 5;
  char *renamed(const char *) __asm__("getenv");
  int no_such_function(void);
  void *malloc(size_t);
  void free(void *);
]]
local C = ffi.C

t.is(C.abs(-1), 1, "abs")
t.is(C.strlen "hello", 5, "strlen")
t.is(C.pow(2, 10), 1024.0, "pow")
t.is(C.fabsf(-0.5), 0.5, "a float")
t.is(C.labs(math.mininteger + 1), math.maxinteger, "a long")
t.is(C.div(17, 5).quot * 10 + C.div(17, 5).rem, 32, "a struct by value")
t.is(C.FIVE + C.EBADF, 14, "constants")
t.is(ffi.string(C.renamed "HOME"), os.getenv "HOME", "another symbol")
t.ok(C.environ[0] ~= ffi.nullptr, "a variable")
t.raises("no C declaration of 'nothing'", function() return C.nothing end)
t.raises("no symbol 'no_such_function'", function() return C.no_such_function end)
t.raises("'abs' is no variable", function() C.abs = 1 end)
t.raises("2 arguments for 'int %(int%)'", C.abs, 1, 2)
t.raises("0 arguments", C.abs)
t.raises("argument 1: cannot convert 'string' to 'int'", C.abs, "x")
t.raises("argument 2: cannot convert 'table' to 'double'", C.pow, 2, {})
t.raises("cannot convert 'table' to 'int %*'", ffi.new, "int *", {})
t.is(C.close(-1), -1, "a call that fails")
t.is(ffi.errno(), C.EBADF, "errno")
ffi.gc(ffi.new "int", function() ffi.errno(1) end)
collectgarbage() collectgarbage()
t.is(ffi.errno(0), C.EBADF, "is set, and finalizers leave it")
t.is(ffi.errno(), 0, "for the next one")

local buffer = ffi.new "char[100]"
local n = C.snprintf(buffer, 100, "%d %s %.2f %c %p", 42, "text", 1.5,
                     ffi.new("char", 65), nil)
t.is(ffi.string(buffer), "42 text 1.50 A (nil)", "variable arguments")
t.is(n, #"42 text 1.50 A (nil)", "and what they return")
C.snprintf(buffer, 100, "%ld %g %s", ffi.new("int64_t", -7), ffi.new("float", 2.5),
           ffi.new("char[4]", "abc"))
t.is(ffi.string(buffer), "-7 2.5 abc", "of cdata")
t.raises("argument 4: a 'table' can't be passed", C.snprintf, buffer, 100, "%d", {})
ffi.cdef "int vsnprintf(char *, size_t, const char *, va_list);"
local list = ffi.new "va_list"
t.is(C.vsnprintf(buffer, 100, "plain", list), 5, "va_list, as which its address passes")
local passed
ffi.cast("void (*)(va_list)", function(l) passed = l end)(list)
t.ok(passed == ffi.addressof(list), "to a callback, too")
local p = ffi.gc(C.malloc(16), C.free)
ffi.fill(p, 16, 7)
t.is(ffi.cast("char *", p)[15], 7, "malloc and free")
p = nil
collectgarbage()

t.raises("ffi.load: .*nowhere", ffi.load, "nowhere")
local m = ffi.load "libm.so.6"
t.is(m.pow(3, 2), 9.0, "a library")
t.is(ffi.load("m").pow(3, 2), 9.0, "by its short name")
t.raises("no symbol", function() return ffi.load("libm.so.6").no_such_function end)

-- Lua functions.

local numbers = ffi.new("int[5]", 3, 1, 5, 2, 4)
local function compare(a, b)
  return ffi.cast("const int *", a)[0] - ffi.cast("const int *", b)[0]
end
C.qsort(numbers, 5, 4, compare)
local sorted = {}
for i = 0, 4 do sorted[#sorted + 1] = numbers[i] end
t.is(table.concat(sorted), "12345", "qsort calls Lua")
local ok, why = pcall(C.qsort, numbers, 5, 4, function() error "of mine" end)
t.ok(not ok and why:find "of mine$", "an error in it is raised by the call")
t.raises("the result of a callback: cannot convert 'string' to 'int'", C.qsort, numbers,
         5, 4, function() return "x" end)
t.raises("^cannot convert 'string' to 'int'", ffi.new, "int", "x")
local cb = ffi.cast("int (*)(int)", function(x) return x * 2 end)
t.is(cb(21), 42, "a callback called from Lua")
cb:set(function(x) return x * 3 end)
t.is(cb(21), 63, ":set")
cb:free()
t.raises("was freed", cb, 1)
t.raises("a callback expected", ffi.new("int (*)(int)").free, ffi.new "int (*)(int)")
local deep = ffi.cast("int (*)(int)", function() return 0 end)
deep:set(function(x) return x == 0 and 0 or deep(x - 1) + 1 end)
t.is(deep(50), 50, "callbacks within callbacks")
local seen
local many = ffi.cast(
  "double (*)(signed char, short, float, double, long, const char *, bool)",
  function(...) seen = table.pack(...) return 0.5 end)
t.is(many(-1, -2, 0.5, 0.25, -3, "s", true), 0.5, "all kinds of parameters")
seen[6] = ffi.string(seen[6])
t.same(seen, { -1, -2, 0.5, 0.25, -3, "s", true, n = 7 }, "as they were given")
ffi.cdef "typedef struct { int64_t a; double b; } halves;"
local split = ffi.cast("double (*)(long, long, long, long, long, halves, long, double)",
                       function(...) seen = table.pack(...) return 0.5 end)
split(1, 2, 3, 4, 5, { 6, 7.5 }, 8, 9.5)
t.is(seen[6].a .. " " .. seen[6].b, "6 7.5", "a struct in two registers of either kind")
t.is(seen[7] .. " " .. seen[8], "8 9.5", "and what is behind it")
local complex = ffi.cast("double _Complex (*)(void)", function() return { 1, 2 } end)
t.is(complex().re .. " " .. complex().im, "1.0 2.0", "a complex number comes back")
t.raises("can't have C's variable arguments", ffi.cast, "int (*)(int, ...)", print)
local alive = setmetatable({}, { __mode = "k" })
for i = 1, 1000 do
  local function f() return i end
  alive[f] = true
  ffi.cast("int (*)(int)", f)
end
collectgarbage()
collectgarbage()
t.is(next(alive), nil, "callbacks are collected, and their functions")

-- What was passed for a pointer is known the next time, its constancy anew.

ffi.cdef [[
  int memcmp(const void *, const void *, size_t);
  void *memset(void *, int, size_t);
  char *strchr(const char *, int);
  double atan2(double, double), ldexp(double, int), sqrt(double);
]]
local bytes, fixed = ffi.new("char[4]", "abc"), ffi.new("const char[4]", "abd")
local first = ffi.cast("char *", bytes)
local views = { bytes, first, "abc", fixed, ffi.new("int[1]", 0x636261), bytes, first }
local signs = {}
for _ = 1, 3 do
  for i, v in ipairs(views) do signs[i] = C.memcmp(bytes, v, 4) < 0 and "<" or "=" end
end
t.is(table.concat(signs), "===<===", "one pointer, values of many types")
for i = 1, 3 do
  t.ok(C.memset(bytes, 64 + i, 3) == ffi.cast("void *", bytes), "memset")
  t.is(ffi.string(bytes), ("%c"):format(64 + i):rep(3), "an array that is not constant")
  t.raises("argument 1: cannot convert 'const char %[4%]' to 'void %*'", C.memset, fixed,
           64, 3)
  t.raises("argument 1: cannot convert 'string' to 'void %*'", C.memset, "text", 64, 3)
  t.raises("argument 1: cannot convert 'int' to 'const char %*'", C.strchr,
           ffi.new "int", 64)
  t.raises("argument 1: cannot convert 'number' to 'const char %*'", C.strchr, 1, 64)
  t.ok(C.strchr(bytes, 0) == first + 3, "strchr")
end
t.is(C.sqrt(4) + C.sqrt(ffi.new("float", 9)), 5.0, "a double, of a float and an integer")
t.is(C.atan2(0.0, ffi.new("int", 1)) + C.ldexp(0.75, 4), 12.0, "doubles, and beside them")
t.raises("argument 1: cannot convert 'string' to 'double'", C.sqrt, "4")
t.raises("argument 2: cannot convert 'nil' to 'double'", C.atan2, 4, nil)
t.raises("1 arguments for 'double %(double, double%)'", C.atan2, 4)
t.raises("2 arguments for 'double %(double%)'", C.sqrt, 4, 4)

local padded = ffi.cast("long (*)(long, __int128, int, __int128, long)",
                        function(...) seen = table.pack(...) return 7 end)
t.is(padded(1, 2, 3, 4, 5), 7, "a callback with wide integers between others")
t.is(table.concat({ seen[1], seen[3], seen[5] }, " "), "1 3 5", "its other arguments")
t.is(ffi.tonumber(seen[2]) .. " " .. ffi.tonumber(seen[4]), "2 4", "and these")

-- What libffi does not know: it is passed all the same, or refused.

ffi.cdef [[
  typedef struct { char a; int b; } __attribute__((packed)) crooked;
  typedef struct { int n; } __attribute__((aligned(64))) apart;
  typedef float four __attribute__((vector_size(16)));
  typedef float two __attribute__((vector_size(8)));
  typedef struct { float v; four f; } holder;
  typedef double eight __attribute__((vector_size(32)));
  typedef struct { double a[4]; } __attribute__((aligned(32))) wide_apart;
  double strtod_of(four) __asm__("strtod");
  four strtol_to(int, ...) __asm__("strtol");
  double strtod_wide(int, eight) __asm__("strtod");
  double strtod_apart(wide_apart) __asm__("strtod");
]]
local crooked = ffi.cast("crooked (*)(int, crooked)",
                         function(n, c) return { c.a + n, c.b + n } end)
t.is(crooked(1, { 2, 3 }).a .. crooked(1, { 2, 3 }).b, "34", "a packed struct")
local refused = "can't be passed by value: take a function that has a pointer to it"
t.raises("^strtod_of: argument 1: '.*' " .. refused, C.strtod_of, ffi.new "four")
t.raises("^strtol_to: '.*' can't be returned by value: take a function that stores",
         C.strtol_to, 1)
t.raises("^strtod_wide: argument 2: 'double .*32.*' " .. refused, C.strtod_wide, 1,
         ffi.new "eight")
t.raises("^strtod_apart: argument 1: 'struct .*' " .. refused, C.strtod_apart,
         ffi.new "wide_apart")
t.raises("^snprintf: argument 4: '.*' " .. refused, C.snprintf, buffer, 100, "",
         ffi.new "four")
t.raises("^int %(struct .*%): argument 1: 'struct .*' " .. refused, ffi.cast,
         "int (*)(apart)", print)
t.raises("^int %(int, float .*%): argument 2: ", ffi.cast, "int (*)(int, four)", print)
do
  local wide = ffi.cast("__int128 (*)(int, __int128)", function(_, w) return w end)
  local value = ffi.new "__int128[1]"
  ffi.fill(value, 16, 7)
  t.is(ffi.string(ffi.cast("char *", ffi.addressof(wide(1, value[0]))), 16),
       ("\7"):rep(16), "__int128")
end

-- Many signatures, as the C compiler knows them.

if os.execute "command -v cc >/dev/null" then
  local N = os.getenv "SMALL" and 60 or 200
  math.randomseed(20)
  local scalars = { "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t",
                    "int64_t", "uint64_t", "float", "double", "_Bool", "long double" }
  local structs = {
    "struct { int8_t a; }", "struct { float a, b; }", "struct { float a[3]; }",
    "struct { double a; int32_t b, c; }", "struct { int64_t a; double b; }",
    "struct { int64_t a[4]; }",
    "union { float a; double b; }", "union { int32_t a; float b; }",
    "struct { union { double d; int64_t i; } u; float f, g; }", "struct { double a[4]; }",
    "struct { unsigned a : 5, b : 12; }", "union { float a; float b[2]; }",
    "struct { struct { int32_t a; int8_t b; } in; int8_t c; }",
    "struct { int8_t a; int8_t b __attribute__((aligned(8))); }",
    "struct { int8_t a; double b; int64_t c; int16_t d; } __attribute__((packed))",
    "struct { int8_t a[300]; }",
    "struct { struct { int16_t a; int8_t b; } in[2]; float f; }",
    "struct { uint8_t a[3]; }", "struct { int32_t a; float b; double c; }",
    "union { double d[2]; int64_t i; }", "struct { int16_t a; int8_t b[6]; float c, d; }",
    "struct { int8_t a; int32_t b; } __attribute__((packed))",
    "struct { int16_t a; double b; int32_t c; } __attribute__((packed))",
    "union { long double a; int32_t b; }", "struct { __int128 a; }",
    "struct { int8_t a; __int128 b; }",
  }
  for _, s in ipairs { "__int128", "unsigned __int128" } do scalars[#scalars + 1] = s end
  if ffi.arch == "x64" then
    structs[#structs + 1] =
      "struct { float a __attribute__((vector_size(16))); int8_t b; }"
    scalars[#scalars + 1] = "pair"
  end
  local declared = { "typedef float pair __attribute__((vector_size(8)));" }
  local source = { "#include <stdint.h>\n#include <string.h>" }
  for i, s in ipairs(structs) do
    declared[#declared + 1] = ("typedef %s s%d;"):format(s, i)
  end
  source[2] = table.concat(declared, "\n")
  -- Each returns one of its arguments and tells what the bytes of all of them are.
  local cases = {}
  for i = 1, N do
    local types, names, sum = {}, {}, {}
    for k = 1, math.random(1, 12) do
      types[k] = math.random() < 0.75 and scalars[math.random(#scalars)]
        or "s" .. math.random(#structs)
      names[k] = types[k] .. " a" .. k
      sum[k] = ("sums[%d] = sum(&a%d, %s);"):format(k, k,
        types[k] == "long double" and "10" or "sizeof a" .. k)
    end
    local back = math.random(#types)
    cases[i] = { types = types, back = back }
    local head = ("%s f%d(%s)"):format(types[back], i, table.concat(names, ", "))
    declared[#declared + 1] = head .. ";"
    source[#source + 1] = ("%s { %s return a%d; }"):format(head, table.concat(sum, " "),
                                                           back)
  end
  table.insert(source, 3, "unsigned sums[13];")
  table.insert(source, 4, [[static unsigned sum(const void *p, unsigned n) {
    const unsigned char *c = p; unsigned s = 0;
    while (n--) s = s * 31 + *c++;
    return s; }]])
  declared[#declared + 1] = "unsigned sums[13];"
  local path = apps.directory .. "/calls"
  apps.put(path .. ".c", table.concat(source, "\n"))
  local built = apps.shell(("cc -O1 -w -shared -fPIC -o %s.so %s.c"):format(path, path))
  t.is(built.status, 0, "cc: " .. built.err)
  ffi.cdef(table.concat(declared, "\n"))
  local library = ffi.load(path .. ".so")
  local function sum(s)
    local n = 0
    for i = 1, #s do n = (n * 31 + s:byte(i)) & 0xffffffff end
    return n
  end
  local wrong = {}
  for i, case in ipairs(cases) do
    local arguments, texts, bytes = {}, {}, {}
    for k, ct in ipairs(case.types) do
      local size = ffi.sizeof(ct)
      local value = ffi.new(ct)
      if ct == "_Bool" then
        value = ffi.new(ct, math.random(2) == 1)
      elseif ct:find "float" or ct:find "double" then
        value = ffi.new(ct, math.random() * 100)
      else
        for b = 0, size - 1 do
          ffi.cast("uint8_t *", ffi.addressof(value))[b] = math.random(0, 63)
        end
      end
      arguments[k] = value
      texts[k] = ffi.string(ffi.cast("char *", ffi.addressof(value)), size)
      bytes[k] = sum(texts[k]:sub(1, ct == "long double" and 10 or size))
    end
    local back = ffi.new(case.types[case.back],
                         library["f" .. i](table.unpack(arguments)))
    local text = ffi.string(ffi.cast("char *", ffi.addressof(back)), ffi.sizeof(back))
    local n = case.types[case.back] == "long double" and 10 or #text
    local lost = text:sub(1, n) ~= texts[case.back]:sub(1, n) and "the result" or nil
    for k in ipairs(bytes) do
      if library.sums[k] ~= bytes[k] then lost = (lost or "") .. " argument " .. k end
    end
    if lost then wrong[#wrong + 1] = declared[#structs + 1 + i] .. lost end
  end
  if not t.is(#wrong, 0, N .. " generated signatures, called as compiled") then
    t.diag(table.concat(wrong, "\n"))
  end
end

t.done()
