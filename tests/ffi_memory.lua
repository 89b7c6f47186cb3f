--- ffi_memory: whichever allocation fails while ffi works, it is an error which says so,
-- nothing half done is left, and what comes next works.  A script of embed_ffi.c, whose
-- module makes allocations fail.

local ffi, rig = require "ffi", require "rig"
local C = ffi.C
local refused, carried = 0, 0

local function each(text, i) return (text:gsub("%$", i)) end

-- do_it, with the n-th allocation failing, from the first on until none is left; undone
-- says what must hold behind an error.  Each n has names of its own.
local number = 0
local function without(what, do_it, undone)
  local row, n = 0, 1
  while row < 5 do
    number = number + 1
    rig.fail(n)
    local ok, why = pcall(do_it, number)
    rig.fail(0)
    if ok then
      carried, row = carried + 1, row + 1
    else
      refused, row = refused + 1, 0
      assert(why:find "memory", ("%s, allocation %d: %s"):format(what, n, why))
      if undone then undone(number, n) end
      local fine, again = pcall(do_it, number)
      assert(fine, ("%s, after allocation %d: %s"):format(what, n, again))
    end
    n = n + 1
  end
end

local DECLARATIONS = [[
  struct a_$ { int x; struct { double y; union { int u; float f; }; }; char name[8];
               struct a_$ *next; unsigned bits : 3; };
  enum e_$ { ONE_$ = 1, TWO_$ }; typedef int (*fn_$)(int, struct a_$ *);
  static const int FIVE_$ = 5; int g_$(struct a_$, int (*)[3], ...);
#define SEVEN_$ 7
]]

ffi.cdef [[
  int abs(int);
  typedef struct { int quot, rem; } div_t;
  div_t div(int, int);
  void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
  int snprintf(char *, size_t, const char *, ...);
  struct known { int x; double y[3]; struct known *next; char name[8]; };
]]

local function undeclared(i)
  for _, ct in ipairs { "struct a_$", "enum e_$", "fn_$" } do
    local fine, size = pcall(ffi.sizeof, each(ct, i))
    assert(not fine or size == nil, each(ct, i) .. " is declared")
  end
  for _, name in ipairs { "FIVE_$", "TWO_$", "SEVEN_$" } do
    assert(not pcall(function() return C[each(name, i)] end), each(name, i))
  end
end

return function()
  for _ = 1, 5 do       -- types lie in chunks, which end somewhere else each time
    without("cdef", function(i) ffi.cdef(each(DECLARATIONS, i)) end, undeclared)
  end
  without("typeof", function(i)
    assert(ffi.sizeof(ffi.typeof(each("struct known (*[$])[$]", i))) == 8 * i)
  end)
  without("new", function(i)
    local a = ffi.new("struct known", { x = i, y = { 1, 2 }, name = "name" })
    local b = ffi.new("struct known[2]", { a, { 5 } })
    local v = ffi.new("int[?]", i, i)
    assert(b[0].x + b[1].x == i + 5 and a.y[1] == 2 and v[i - 1] == i)
    assert(ffi.string(b[0].name) == "name" and ffi.addressof(b)[0][1].x == 5)
    assert(ffi.new("uint64_t", -1) + 1 == ffi.new("uint64_t", 0))
    assert(tostring(ffi.cast("void *", i)):find "cdata<void %*>")
  end)
  without("calls", function(i)
    local text = ffi.new "char[16]"
    assert(C.snprintf(text, 16, "%d %s", i, "x") == #tostring(i) + 2)
    assert(C.div(i, 7).rem == i % 7)
  end)
  without("a callback of ffi.cast", function(i)
    local cb = ffi.cast("int (*)(int)", function(x) return x + i end)
    assert(cb(1) == i + 1)
    cb:set(function(x) return x * 2 end)
    assert(cb(i) == 2 * i)
    cb:free()
  end)
  without("a callback of a call", function(i)
    local numbers = ffi.new("int[3]", i, 1, 0)
    C.qsort(numbers, 3, 4, function(a, b)
      return ffi.cast("const int *", a)[0] - ffi.cast("const int *", b)[0]
    end)
    assert(numbers[0] == 0 and numbers[2] == i)
  end)
  local types, ended = {}, 0
  without("metatype", function(i)
    types[i] = types[i] or ffi.metatype(each("struct { int of_$; }", i), {
      __index = { get = function(c) return c[each("of_$", i)] end },
      __gc = function() ended = ended + 1 end })
    assert(types[i](i):get() == i)
  end)
  without("gc", function()
    ffi.gc(ffi.gc(ffi.new "int[2]", print), nil)
    ffi.gc(ffi.new "int", function() ended = ended + 1 end)
  end)
  collectgarbage() collectgarbage()
  assert(ended > 10, "finalizers are called")
  without("load", function()
    assert(ffi.load("libm.so.6") and C.abs(-1) == 1)
  end)
  return refused, carried
end
