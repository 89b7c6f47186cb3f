-- ffi_declare: every form of C declaration, what is wrong with others, and that what is
-- wrong leaves nothing behind.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local ffi = require "ffi"

-- A type as it is written, and as C writes it.

local function reads(text, name, size)
  local ok, ct = pcall(ffi.typeof, text)
  if not t.is(ok and tostring(ct) or ct, ("ctype<%s>"):format(name),
  text) or not size then
    return
  end
  t.is(ffi.sizeof(ct), size, "its size")
end

for _, case in ipairs {
  { "int", "int", 4 }, { "signed", "int", 4 }, { "unsigned", "unsigned int", 4 },
  { "int unsigned", "unsigned int", 4 }, { "short", "short", 2 },
  { "int short unsigned", "unsigned short", 2 }, { "long", "long", 8 },
  { "long unsigned", "unsigned long", 8 },
  { "int long unsigned long", "unsigned long long", 8 },
  { "long signed int long", "long long", 8 }, { "char", "char", 1 },
  { "char unsigned", "unsigned char", 1 }, { "signed char", "signed char", 1 },
  { "_Bool", "bool", 1 }, { "bool", "bool", 1 }, { "float", "float", 4 },
  { "double long", "long double", 16 }, { "__int128", "__int128", 16 },
  { "unsigned __int128", "unsigned __int128", 16 }, { "__int128_t", "__int128", 16 },
  { "_Float32", "float", 4 }, { "_Float64x", "long double", 16 },
  { "_Float32x", "double", 8 },
  { "_Complex", "double _Complex", 16 }, { "float _Complex", "float _Complex", 8 },
  { "_Complex long double", "long double _Complex", 32 },
  { "double __complex__ const", "const double _Complex", 16 },
  { "_Decimal64", "_Decimal64", 8 },
  { "__builtin_va_list", "va_list" }, { "void *", "void *", 8 },
  { "const char *", "const char *", 8 }, { "char const * const", "const char *const", 8 },
  { "volatile const int", "const int", 4 }, { "int *restrict", "int *", 8 },
  { "int *const *", "int *const *", 8 }, { "_Atomic int", "int", 4 },
  { "_Atomic(long) *", "long *", 8 }, { "int[3]", "int [3]", 12 },
  { "int[2][3]", "int [2][3]", 24 }, { "int *[3]", "int *[3]", 24 },
  { "int (*)[3]", "int (*)[3]", 8 }, { "int [?]", "int [?]" }, { "int []", "int []" },
  { "int (*(*)[3])(char)", "int (*(*)[3])(char)", 8 }, { "int (void)", "int (void)" },
  { "int ()", "int (void)" }, { "void (*)(int, ...)", "void (*)(int, ...)", 8 },
  { "void (*(*)(int, void (*)(int)))(int)", "void (*(*)(int, void (*)(int)))(int)", 8 },
  { "int (int [4], int b[*], const char c[], int d(int), unsigned)",
    "int (int *, int *, const char *, int (*)(int), unsigned int)" },
  { "int (int n, int a[n], int b[static n], int c[][n + 1])",
    "int (int, int *, int *, int (*)[])" },
  { "double __attribute__((vector_size(32)))",
  "double __attribute__((vector_size(32)))", 32 },
  { "int __attribute__((mode(DI)))", "long", 8 },
  { "unsigned __attribute__((__mode__(__QI__)))", "unsigned char", 1 },
  { "__typeof__(int *)", "int *", 8 }, { "typeof(1 + 1L)", "long", 8 },
  { "typeof(1.5f)", "float", 4 }, { "typeof(\"abc\")", "const char [4]", 4 },
  { "__extension__ long long", "long long", 8 }, { "int (*(int))[2]", "int (*(int))[2]" },
  { "const int[2]", "const int [2]", 8 }, { "int * volatile * const", "int **const", 8 },
} do
  reads(case[1], case[2], case[3])
end

for name, size in pairs {
  int8_t = 1, uint8_t = 1, int16_t = 2, uint16_t = 2, int32_t = 4, uint32_t = 4,
  int64_t = 8,
  uint64_t = 8, size_t = 8, ssize_t = 8, ptrdiff_t = 8, intptr_t = 8, uintptr_t = 8,
  wchar_t = 4, time_t = 8, off_t = 8,
} do
  t.is(ffi.sizeof(name), size, name .. " needs no header")
end
t.ok(ffi.istype("unsigned long", ffi.new "uint64_t"), "uint64_t is unsigned long")
t.ok(not ffi.istype("unsigned long long", ffi.new "uint64_t"), "and not long long")

-- Constants.

local function is(expression, value)
  t.is(ffi.toretval(ffi.eval(expression)), value, expression)
end
for expression, value in pairs {
  ["1 + 2 * 3 - 4 / 2 % 3"] = 5, ["(1 + 2) * 3"] = 9, ["10 - 4 - 3"] = 3, ["-7 / 2"] = -3,
  ["-7 % 3"] = -1, ["1 << 4 | 3 & ~1 ^ 8"] = 26, ["0x10 + 010 + 0b11"] = 27,
  ["1 < 2 == 1"] = 1, ["2 > 1 && 0 || 3 >= 3"] = 1, ["!5"] = 0, ["~0"] = -1,
  ["1 ? 2 : 3 ? 4 : 5"] = 2, ["0 ? 1 / 0 : 6"] = 6, ["0 && 1 / 0"] = 0,
  ["1 || 1 / 0"] = 1,
  ["-1 < 0u"] = 0, ["-1 < 0"] = 1, ["-1L < 0u"] = 1, ["0xffffffff"] = 0xffffffff,
  ["4294967295"] = 4294967295, ["0xffffffffU + 1"] = 0, ["2147483647 + 1"] = -(1 << 31),
  ["(unsigned char)300"] = 44, ["(signed char)200"] = -56, ["(_Bool)7"] = true,
  ["(int)3.9"] = 3, ["(double)1 / 4"] = 0.25, ["1.5e3"] = 1500.0, ["0x1p4"] = 16.0,
  ["1.f + .5"] = 1.5, ["'a'"] = 97, ["'\\n'"] = 10, ["'\\x41' + '\\101'"] = 130,
  ["'\\0'"] = 0, ["'\\''"] = 39, ["'ab'"] = 0x6162, ["L'x'"] = 120, ["sizeof(int)"] = 4,
  ["sizeof(int[3])"] = 12, ["sizeof 1L"] = 8, ["sizeof(\"abc\" \"d\")"] = 5,
  ["sizeof(struct { char a; long b; })"] = 16, ["_Alignof(long)"] = 8, ["10ull >> 1"] = 5,
  ["-8 >> 1"] = -4,
  ["__builtin_offsetof(struct { int a; struct { int b[4]; } c; }, c.b[2])"] = 12,
  ["sizeof(((struct { int a[7]; } *)0)->a)"] = 28, ["sizeof(*(char *)0)"] = 1,
  ["1 - -1"] = 2, ["- -1"] = 1, ["sizeof(char) * 3"] = 3, ["5 != 5"] = 0,
  ["3 <= 2"] = 0, ["(char)65 == 'A'"] = 1, ["(long)-1"] = -1, ["8 % 3 << 2"] = 8,
  ["0xe+1"] = 15,
} do
  is(expression, value)
end


ffi.cdef [[
  enum numbers { ZERO, ONE, FIVE = 5, SIX, MINUS = -2, NEXT, SAME = FIVE | ONE << 3,
                 SIZE = sizeof(struct { int a, b; }), LETTER = 'x', };
  enum large { LARGE = 0x100000000 };
  enum unsigned_one { U = 0xffffffff };
  enum small { A1 = 200 } __attribute__((packed));
  enum fixed : short { S1 = 1 };
  static const int TWELVE = 3 * 4, THIRTEEN = TWELVE + 1;
  static const double HALF = 1. / 2;
  const unsigned char CUT = 257;
  static const char *const no_number = "text", *const other = 0;
  static const int table[] = { 1, 2, (3) }, AFTER = 7;
  #define DEFINED (SIX * 2) /* a comment
    of two lines */
  # define HEX 0x10UL \
      + 1
  #define TEXT "text"
  #define CALL(x) ((x) + 1)
  #define NOTHING
  #define RATIO 2.5f
  #define UNKNOWN (NOT_DECLARED + 1)
  #define int long
  #define POINTER ((void *)-1)
  #define GONE 1
  #undef GONE
  #define GONE 2
  #error don't
  #pragma once
]]
for name, value in pairs {
  ZERO = 0, SIX = 6, MINUS = -2, NEXT = -1, SAME = 13, SIZE = 8, LETTER = 120,
  LARGE = 1 << 32, U = 0xffffffff, A1 = 200, TWELVE = 12, THIRTEEN = 13, HALF = 0.5,
  CUT = 1,
  AFTER = 7, DEFINED = 12, HEX = 17, RATIO = 2.5, GONE = 2,
} do
  t.is(ffi.C[name], value, name)
end
t.is(ffi.cast("intptr_t", ffi.C.POINTER), ffi.cast("intptr_t", -1),
"a pointer's constant")
for ct, size in pairs { large = 8, unsigned_one = 4, small = 1, fixed = 2,
numbers = 4 } do
  t.is(ffi.sizeof("enum " .. ct), size, "enum " .. ct)
end
for _, name in ipairs { "no_number", "table", "TEXT", "CALL", "NOTHING", "UNKNOWN" } do
  t.raises(name, function() return ffi.C[name] end)
end

-- Declarations of all kinds.

ffi.cdef [[
  // a comment
  ;
  typedef struct tree tree, *forest;
  struct tree { tree *left,
  *right; union { long n; double d; }; struct { short s; } in; };
  typedef union { int i; float f; } either;
  typedef int row[4], (*handler)(int), *vector_of[2];
  extern const row rows[2];
  extern int abs(int) __attribute__((__nothrow__, __const__)), labs_as_int(int);
  static __inline__ __attribute__((always_inline)) int twice(int x)
  { if (x == '}') return "}"[0]; else { return x << 1; } }
  _Noreturn void exit(int) __attribute__((noreturn));
  long absolute(long) __asm__("" "labs");
  __extension__ extern __thread int per_thread;
  int (*signal_like(int, int (*)(int)))(int);
  void old(register const char *restrict, char *const argv[]), *older(void);
  int f_of_typedef(handler, row, struct tree *), (in_brackets)(int);
  typedef void (named)(int);
  typedef void (named)(int);
  struct __attribute__((packed)) tight { char c; int i; };
  struct loose { char c; int i __attribute__((packed)); _Alignas(16) char a;
                 _Alignas(double) char b; } __attribute__((aligned(32)));
  typedef int aligned_int __attribute__((aligned(16)));
  struct bits { int a : 3, : 0, b : ONE + 3; unsigned : 4; _Bool c : 1; };
  _Static_assert(sizeof(struct tight) == 5, "packed");
  _Static_assert(1);
  __asm__(".globl nothing");
  extern "C" { int in_cpp(void); }
  extern "C" int in_cpp(void);
  #pragma pack(push, 1)
  struct one { char c; long l; };
  #pragma pack(push)
  #pragma pack(2)
  struct two { char c; long l; };
  #pragma pack(pop)
  struct one_again { char c; long l; };
  #pragma pack(pop)
  struct eight { char c; long l; };
  #pragma pack(4)
  struct four { char c; long l; };
  #pragma pack()
  struct eight_again { char c; long l; };
]]
for ct, size in pairs {
  tree = 32, forest = 8, either = 4, row = 16, vector_of = 16, ["struct tight"] = 5,
  ["struct loose"] = 32, aligned_int = 4, ["struct bits"] = 8, ["struct one"] = 9,
  ["struct two"] = 10, ["struct one_again"] = 9, ["struct eight"] = 16,
  ["struct four"] = 12, ["struct eight_again"] = 16,
} do
  t.is(ffi.sizeof(ct), size, "sizeof " .. ct)
end
t.is(ffi.alignof "aligned_int", 16, "an aligned type")
t.is(ffi.offsetof("struct loose", "i"), 1, "a packed field")
t.is(ffi.offsetof("struct loose", "b"), 24, "an aligned one")
t.is(ffi.C.absolute(-3), 3, "a name that is another symbol's")
t.is(ffi.C.abs(-4), 4, "and one that is its own")
for name, ct in pairs {
  rows = "const int [2][4]", signal_like = "int (*(int, int (*)(int)))(int)",
  old = "void (const char *, char *const *)", older = "void *(void)",
  f_of_typedef = "int (int (*)(int), int *, struct tree *)", in_brackets = "int (int)",
} do
  t.is(tostring(ffi.typeof("__typeof__(" .. name .. ")")), ("ctype<%s>"):format(ct), name)
end
t.raises("twice", function() return ffi.C.twice end)

-- Values for $.

local point = ffi.typeof "struct { int x, y; }"
ffi.cdef("typedef $ point; struct $ { $ p[$]; }; enum { $ = $ };", point, "named",
point, 3,
         "GIVEN", -5)
t.is(ffi.sizeof "struct named", 24, "types, names and numbers for $")
t.is(ffi.C.GIVEN, -5, "negative ones, too")
t.is(tostring(ffi.typeof("$ *", ffi.new "int[2]")), "ctype<int (*)[2]>", "a value's type")
t.is(tostring(ffi.typeof("$ const *", point)):match "const struct", "const struct",
"const")
for _, case in ipairs {
  { "too few values", "int a[$][$];", 2 }, { "no value for %$", "int a[$];" },
  { "too many values", "int a[$];", 2, 3 }, { "not table", "int a[$];", {} },
} do
  t.raises(case[1], ffi.cdef, table.unpack(case, 2))
end

-- What is wrong, and where.

for _, case in ipairs {
  { "int x y;", "cdef:1:7: ';' expected near 'y'" },
  { "int x", "cdef:1:6: ';' expected near the end" },
  { "\n\n  foo x;", "cdef:3:3: 'foo' is not a type" },
  { "# 12 \"some.h\" 1 3\n  foo x;", "some.h:12:3: 'foo' is not a type" },
  { "#line 7\n\nfoo x;", "cdef:8:1: 'foo' is not a type" },
  { "int /* two\nlines */ x foo", "cdef:2:12: ';' expected near 'foo'" },
  { "int &x;", "cdef:1:5: references (&) are of C++, not of C" },
  { "int a[-1];", "cdef:1:9: an array of less than no elements" },
  { "int a[1 / 0];", "cdef:1:12: division by zero" },
  { "int a[0x7fffffffffffffff];", "cdef:1:26: array is too large" },
  { "int a[1 << 40][1 << 40];", "shift by more bits than the type has" },
  { "int a[1L << 40][1L << 40];", "array is too large" },
  { "struct { char a[1L << 58], b[1L << 58]; } x;", "field 'b' is too large" },
  { "int a[n];", "cdef:1:7: 'n' is not declared" },
  { "int a[1.5];", "cdef:1:7: an integer expected near '1.5'" },
  { "int a[sizeof(int[])];", "the size of 'int []' is not known" },
  { "int a[99999999999999999999];", "cdef:1:7: a number of more than 64 bits" },
  { "enum { A = 08 };", "malformed number" },
  { "enum { A = 1ulu };", "malformed number" },
  { "enum { A = '' };", "malformed character" },
  { "enum { A = '\\q' };", "malformed escape" },
  { "enum { A = 'x };", "cdef:1:12: unfinished character" },
  { "char *s = \"text;\n", "cdef:1:11: unfinished string" },
  { "int x; /* never", "cdef:1:8: unfinished comment" },
  { "int @x;", "cdef:1:5: a character that is not of C" },
  { "unsigned float x;", "these words together are no type" },
  { "long char x;", "these words together are no type" },
  { "int int x;", "these words together are no type" },
  { "short long x;", "these words together are no type" },
  { "long long double x;", "these words together are no type" },
  { "typedef extern int x;", "one of typedef, extern and static only" },
  { "struct s { struct s x; };", "field 'x' is of 'struct s', which is incomplete" },
  { "struct s { void x; };", "field 'x' is of 'void', which is incomplete" },
  { "struct s { int f(int); };", "field 'f' is a function" },
  { "struct s { int a, a; };", "field 'a' is there twice" },
  { "struct s { int a; struct { int a; }; };", "is there twice" },
  { "struct s { int a[]; int b; };", "an array of unknown size is not the last field" },
  { "struct s { int a : 33; };", "'int' has 32 bits at most" },
  { "struct s { int a : 0; };", "'a' of 0 bits" },
  { "struct s { float a : 3; };", "bits of 'float'" },
  { "struct s { static int a; };", "a field is not typedef, extern or static" },
  { "struct s { int; };", "a name expected near ';'" },
  { "struct s { int a }", "';' expected near '}'" },
  { "struct s {", "a type expected near the end" },
  { "struct;", "'{' expected near ';'" },
  { "enum e { A B };", "'}' expected near 'B'" }, { "enum e { 1 };", "a name expected" },
  { "enum e { A = 0xffffffffffffffff, B };", "'B' is too large" },
  { "enum e { A = 0xffffffffffffffff, B = -1 };", "no type has all these values" },
  { "int f(int)(int);", "a function cannot return 'int (int)'" },
  { "int f(int)[2];", "a function cannot return 'int [2]'" },
  { "int a[2](int);", "an array of 'int (int)'" }, { "void a[2];", "an array of 'void'" },
  { "int a[][];", "an array of 'int []'" }, { "void x;", "'x' of void" },
  { "int f(void, int);", "a parameter of void" }, { "int f(int,);", "a type expected" },
  { "int f(..., int);", "')' expected near ','" },
  { "int f(static int x);", "a parameter is not typedef, extern or static" },
  { "_Static_assert(sizeof(int) == 2, \"small\");", "assertion failed: \"small\"" },
  { "int x __attribute__((aligned(3)));", "an alignment is a power of 2" },
  { "int x __attribute__((vector_size(3)));", "a vector's size is a power of 2" },
  { "typedef int x __attribute__((mode(XX)));", "a mode that is not known" },
  { "#pragma pack(3)", "cdef:1:14: #pragma pack wants 1, 2, 4, 8 or 16" },
  { "#ifdef X\n", "cdef:1:2: #ifdef is the preprocessor's" },
  { "#include <stdio.h>", "cdef:1:2: #include is the preprocessor's" },
  { "int f(void) { {", "'{' is not closed" }, { "extern \"C\" { int x;", "'}' expected" },
  { "}", "a type expected near '}'" }, { "else x;", "a type expected near 'else'" },
  { "union tree x;", "'union tree' is 'struct tree' already" },
  { "struct tree { int n; };", "'struct tree' is declared otherwise already" },
  { "enum numbers { ZERO };", "'enum numbers' is declared otherwise already" },
  { "typedef long tree;",
    "'tree' is declared as typedef 'struct tree' already, not as typedef 'long'" },
  { "int abs(long);", "'abs' is declared as 'int (int)' already, not as 'int (long)'" },
  { "int ZERO;", "'ZERO' is declared as 0 already, not as 'int'" },
  { "enum { ONE = 2 };", "'ONE' is declared as 1 already, not as 2" },
  { "\n#define ONE 3", "cdef:2:14: 'ONE' is declared as 1 already, not as 3" },
} do
  local ok, why = pcall(ffi.cdef, case[1])
  t.ok(not ok and why:find(case[2], 1, true), case[1] .. "  " .. tostring(why))
end
for _, case in ipairs {
  { "int x", "C type:1:6: a type without a name expected, not 'x'" },
  { "int *)", "C type:1:6: the end expected near ')'" },
  { "", "a type expected near the end" },
  { "static int", "a type is not typedef, extern or static" },
} do
  local ok, why = pcall(ffi.typeof, case[1])
  t.ok(not ok and why:find(case[2], 1, true), case[1] .. "  " .. tostring(why))
end
for _, case in ipairs { "1 +", "abs", "1 2", "(int", "sizeof", "\"text\"", "1.5 % 2",
"~1.5" } do
  t.raises("expression:1:%d+: ", ffi.eval, case)
end
local _, why = pcall(function() ffi.cdef "foo x;" end)
t.ok(why:find "^tests/lua/ffi_declare.lua:%d+: cdef:1:1: ", "who called is told first")

-- The same again is fine.

for _, text in ipairs {
  "struct tree; struct tree { tree *left, *right; union { long n; double d; };"
    .. " struct { short s; } in; };", "typedef union { int i; float f; } either;",
  "enum numbers { ZERO, ONE, FIVE = 5, SIX, MINUS = -2, NEXT, SAME = FIVE | ONE << 3,"
    .. " SIZE = sizeof(struct { int a, b; }), LETTER = 'x', };", "int abs(int x);",
  "typedef int row[4]; extern const row rows[];", "static const int TWELVE = 12;",
  "#define TWELVE 12", "typedef unsigned long size_t; typedef long int64_t;",
} do
  t.is(select(2, pcall(ffi.cdef, text)), nil, text)
end

-- After an error nothing is declared: names, tags, constants, completed types.

ffi.cdef "struct waiting; typedef struct waiting *waiting;"
local text = [[
  typedef int new_type; struct waiting { int a; }; enum new_enum { NEW_CONSTANT };
  int getpid(void); struct new_tag { struct { int in; } x; };
  #define NEW_MACRO 5
]]
t.raises("cdef:4:1: ", ffi.cdef, text .. "foo")
for _, name in ipairs {
  "new_type", "struct waiting", "enum new_enum", "struct new_tag",
} do
  t.ok(not pcall(ffi.new, name), name .. " is not declared")
end
for _, name in ipairs { "NEW_CONSTANT", "getpid", "NEW_MACRO" } do
  t.raises(name, function() return ffi.C[name] end)
end
ffi.cdef(text)
t.is(ffi.sizeof(ffi.new "struct waiting"), 4, "a tag that was completed in vain is free")
t.is(ffi.C.NEW_MACRO, 5, "a constant, too")

-- Damaged at random: it is an error in one line, or fine.

local whole = [[
typedef struct s1 { int a:3, :0; unsigned b[2][3]; union { char c; double d; } u; } s1,
*s2;
enum e1 { X1 = 1 << 2, X2 = sizeof(s1) + 'a', X3 };
#pragma pack(push, 1)
#define D1 (X1 * 2 + 0x10ul)
int (*(*g1)[3])(const char *restrict, ..., void) __attribute__((aligned(8)));
# 5 "x.h"
static const double h1 = 1.5e3; static inline int i1(int x) { return x ? '{' : "}"[0]; }
_Static_assert(sizeof(int) == 4, "x"); long double _Complex j1(void) __asm__("j2");
]]
local pieces = { "(", ")", "{", "}", "[", "]", "*", ";", ",", "int ", "struct ", "$",
"\0", "#",
  "'", '"', "/*", "\\", "typedef ", "__attribute__((", "...", "0", "?", ":", "\n",
  "\xff" }
local bad = {}
math.randomseed(3)
for i = 1, os.getenv "SMALL" and 500 or 5000 do
  local s = whole
  for _ = 1, math.random(4) do
    local from = math.random(#s)
    local how = math.random(4)
    local to = math.min(#s, from + math.random(0, 20))
    s = s:sub(1, from - 1) .. (how == 1 and "" or how == 2 and s:sub(from, to):rep(2)
        or pieces[math.random(#pieces)]) .. s:sub(how == 3 and from or to + 1)
  end
  local before = "typedef int mark" .. i .. ";"
  local fine, problem = pcall(ffi.cdef, before .. s)
  local known = pcall(ffi.typeof, "mark" .. i)
  if fine ~= known or not fine and not problem:find "^[^\n]+:%d+:%d+: [^\n]+$" then
    bad[#bad + 1] = tostring(problem) .. "\n" .. s
  end
end
t.is(bad[1], nil, "damaged texts")

-- Without end: nesting is bounded, fields are not.

for _, case in ipairs {
  ("("):rep(10000) .. "x", ("("):rep(10000), "int " .. ("("):rep(10000) .. "x;",
  "int " .. ("*"):rep(10000) .. "x;", "int x" .. ("[1]"):rep(10000) .. ";",
  ("struct {"):rep(10000), "int " .. ("f(int "):rep(10000), "int a[" .. ("("):rep(10000),
  "enum { A = " .. ("-"):rep(10000) .. "1};", "enum { A = " .. ("1?"):rep(10000) .. "1};",
  "int " .. ("a[sizeof(int "):rep(10000),
  "enum { A = " .. ("sizeof(struct{int a["):rep(9999),
  ("_Alignas("):rep(100000), ("typeof("):rep(100000), ("_Atomic("):rep(100000),
} do
  t.ok(not pcall(ffi.cdef, case), case:sub(1, 20) .. "…")
end
local COUNT = os.getenv "SMALL" and 10000 or 300000
local many = { "struct many {" }
for i = 1, COUNT do many[#many + 1] = ("int f%d;"):format(i) end
ffi.cdef(table.concat(many, "\n") .. "};")
t.is(ffi.sizeof "struct many", COUNT * 4, "a struct of many fields")
t.is(ffi.offsetof("struct many", "f" .. COUNT), COUNT * 4 - 4, "and its last")
many[#many + 1] = "int f1;};"
t.raises(("cdef:%d:"):format(COUNT + 2), ffi.cdef, table.concat(many, "\n"))
t.raises("is there twice", ffi.cdef, (table.concat(many, "\n"):gsub("many", "again")))
t.raises("nested too deeply", function()
  local nested = ffi.typeof "int"
  for _ = 1, 10000 do nested = ffi.typeof("$[1]", nested) end
end)
t.raises("'a' is nested too deeply", function()
  local nested = ffi.typeof "int"
  for _ = 1, 10000 do nested = ffi.typeof("struct { $ a; }", nested) end
end)
local deep = ffi.typeof "int *"
for _ = 1, 10000 do deep = ffi.typeof("$ (*)($)", deep, deep) end
t.ok(#tostring(deep) < 10000, "a type that was made of itself is written in short")
local long = ("x"):rep(100)
ffi.cdef(("struct long_one { int %s, %sy; };"):format(long, long))
t.is(ffi.offsetof("struct long_one", long .. "y"), 4, "long names")
do
  collectgarbage() collectgarbage()
  local before = collectgarbage "count"
  for _ = 1, 20000 do pcall(ffi.cdef, "int declared_not, again; int;;;5") end
  collectgarbage() collectgarbage()
  t.ok(collectgarbage "count" < before + 300, "what is undone is used again")
end

-- An enum of which there is no body has no type to calculate in.
ffi.cdef [[
  enum never_said;
  #define OF_NEVER_SAID ((enum never_said)1 * 2)
  #define LESS_OF_IT (-(enum never_said)1)]]
t.ok(not pcall(function() return ffi.C.OF_NEVER_SAID end), "no constant of it")
t.raises("cdef:1:%d+: a constant expression expected", ffi.cdef,
         "enum of_it { K = (enum never_said)2 | 1 };")
t.done()
