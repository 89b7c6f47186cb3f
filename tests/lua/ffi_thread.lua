-- ffi_thread: calls of C that take long, C on other threads, states beside each other.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local ffi = require "ffi"
local tw = require "tw"
local task, pool = tw.task, tw.pool

ffi.cdef [[
  int pipe(int ends[2]);
  ssize_t read(int fd, void *to, size_t n);
  ssize_t write(int fd, const void *from, size_t n);
  int close(int fd);
  int snprintf(char *, size_t, const char *, ...);
  double hypot(double, double);
]]

-- Who waits in C holds nobody up: the other task writes what it waits for.

local ends = ffi.new "int[2]"
assert(ffi.C.pipe(ends) == 0)
local read = ffi.blocking(ffi.C.read)
local buffer, order = ffi.new "char[16]", {}
task.scope(function(s)
  s:spawn(function()
    local n = read(ends[0], buffer, 16)
    order[#order + 1] = ffi.string(buffer, n)
  end)
  s:spawn(function()
    task.yield()
    order[#order + 1] = "written"
    ffi.C.write(ends[1], "answer", 6)
  end)
end)
t.is(table.concat(order, " "), "written answer", "a call in the pool is waited for")
t.is(ffi.blocking(ffi.C.hypot)(3, 4), 5.0, "its result")
t.is(ffi.blocking(ffi.C.close)(-1), -1, "a failure")
t.is(ffi.errno(), 9, "and its errno")
t.raises("cannot convert 'string' to 'double'", ffi.blocking(ffi.C.hypot), "x", 1)
local _, why = pcall(function() local _ = ffi.blocking(ffi.C.hypot)("x", 1) end)
t.ok(why:find "ffi_thread.lua:%d+: argument 1", "which says where: " .. why)
t.raises("1 arguments", ffi.blocking(ffi.C.hypot), 1)
t.raises("variable arguments", ffi.blocking(ffi.C.snprintf), buffer, 16, "x")
t.raises("C function expected", ffi.blocking, print)

-- It is waited for even when nobody wants it any more.

local reader
task.scope(function(s)
  reader = s:spawn(function() read(ends[0], buffer, 16) order[1] = "read" end)
  task.yield()
  reader:cancel()
  task.yield()
  order[1] = "cancelled"
  ffi.C.write(ends[1], "late", 4)
end)
t.is(ffi.string(buffer, 4), "late", "a cancelled call has its memory until it ends")
do
  -- In a function that C calls nobody can wait, but the call has begun.
  local ended = false
  local function begin()
    local memory = ffi.gc(ffi.new "char[16]", function() ended = true end)
    return read(ends[0], memory, 16)
  end
  task.scope(function(s)
    s:spawn(function()
      t.raises("can't wait here", function() table.sort({ 1, 2 }, begin) end)
    end)
  end)
  collectgarbage() collectgarbage()
  t.ok(not ended, "a call that nobody waits for has its memory, too")
  ffi.C.write(ends[1], "late", 4)
  for _ = 1, 6000 do
    if ended then break end
    ffi.blocking(ffi.C.hypot)(3, 4)
    task.sleep(0.01)
    collectgarbage()
  end
  t.ok(ended, "until it ends")
end
ffi.C.close(ends[0])
ffi.C.close(ends[1])

-- A state's ffi is its own; what is loaded is everybody's.

local ROUNDS = os.getenv "SMALL" and 50 or 200
local sums = pool.map({ 1, 2 }, function(seed)
  local f = require "ffi"
  pcall(f.cdef, "int abs(int); void qsort(void *, size_t, size_t, "
        .. "int (*)(const void *, const void *)); typedef struct { int x, y; } pair;")
  local sum = 0
  for i = 1, ROUNDS do
    local numbers = f.new("int[?]", 8)
    for k = 0, 7 do numbers[k] = (k * 5 + i * seed) % 8 end
    f.C.qsort(numbers, 8, 4, function(a, b)
      return f.cast("const int *", a)[0] - f.cast("const int *", b)[0]
    end)
    local p = f.new("pair", numbers[7], f.C.abs(-numbers[0]))
    sum = sum + p.x * 10 + p.y
  end
  return sum
end, { chunk = 1 })
local want = 0
for i = 1, ROUNDS do
  local most, least = 0, 8
  for k = 0, 7 do
    local v = (k * 5 + i) % 8
    most, least = math.max(most, v), math.min(least, v)
  end
  want = want + most * 10 + least
end
t.is(sums[1], want, "two states call C at once")
t.raises("value is a userdata", tw.freeze, buffer)

-- A state that ends: finalizers call C, and C Lua.

local sorted = apps.directory .. "/sorted"
t.raises("ends here", function()
  pool.run(function(path)
    local f = require "ffi"
    f.cdef "void qsort(void *, size_t, size_t, int (*)(const void *, const void *));"
    local function compare(a, b)
      return f.cast("const int *", a)[0] - f.cast("const int *", b)[0]
    end
    local numbers = f.gc(f.new("int[2]", 3, 1), function(n)
      f.C.qsort(n, 2, 4, compare)
      local out <close> = assert(io.open(path, "w"))
      out:write(n[0], n[1])
    end)
    f.C.qsort(numbers, 2, 4, compare)   -- its callback is younger than the numbers
    package.loaded.numbers = numbers
    error "ends here"
  end, sorted):await()
end)
local written
for _ = 1, 6000 do
  local file <close> = io.open(sorted)
  written = file and file:read "a"
  if written == "13" then break end
  task.sleep(0.01)
end
t.is(written, "13", "a state that ends calls back to the end")

t.done()
