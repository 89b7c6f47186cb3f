-- ffi_foreign: Lua functions that C calls on threads of its own.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local ffi = require "ffi"
local tw = require "tw"
local task, pool = tw.task, tw.pool

if not os.execute "command -v cc >/dev/null" then
  t.skip("no cc")
  return t.done()
end

local directory, put, command = apps.folder "foreign"
put("threads.c", [[
  #include <pthread.h>
  #include <errno.h>
  #include <stdio.h>
  #include <string.h>
  typedef int unary(int);
  typedef struct { double a; long b; } mixed;
  enum { THREADS = 8 };
  static pthread_t thread[THREADS];
  static struct job { unary *f; int n, i; long long sum; int lost; } jobs[THREADS];
  static void *work(void *ctx) {
    struct job *j = ctx;
    for (int i = 1; i <= j->n; i++) {
      errno = i;
      j->sum += j->f(j->i * 1000 + i);
      if (errno != i) j->lost++;
    }
    return 0;
  }
  int start(unary *f, int threads, int n) {
    for (int i = 0; i < threads; i++) {
      jobs[i] = (struct job){ f, n, i, 0, 0 };
      if (pthread_create(&thread[i], 0, work, &jobs[i])) return -1;
    }
    return 0;
  }
  long long finish(int threads) {
    long long sum = 0;
    for (int i = 0; i < threads; i++) {
      if (pthread_join(thread[i], 0)) return -1;
      sum += jobs[i].sum - jobs[i].lost;
    }
    return sum;
  }
  long long all(unary *f, int threads, int n) {
    return start(f, threads, n) ? -1 : finish(threads);
  }
  int here(unary *f) { return f(7); }
  int thrice(unary *f) { return f(1) + f(2) + f(3); }
  typedef double many(const char *, mixed, float, signed char, mixed *);
  static many *big;
  static double got;
  static void *call_big(void *p) {
    mixed m = { 1.5, 2 }, n = { 0, 3 };
    got = big("text", m, 0.25f, -4, &n) + n.a;
    return p;
  }
  double elsewhere(many *f) {
    big = f;
    return start == 0 || pthread_create(thread, 0, call_big, 0)
           || pthread_join(*thread, 0) ? -1 : got;
  }
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
  static int stage;
  static char *filled;
  static void step(int from, int to) {
    pthread_mutex_lock(&lock);
    while (stage != from) pthread_cond_wait(&changed, &lock);
    stage = to;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  void fill(char *memory) {
    filled = memory;
    step(0, 1);
    step(2, 3);
    strcpy(memory, "text");
    step(3, 4);
  }
  int filling(void) {
    pthread_mutex_lock(&lock);
    int is = stage == 1;
    pthread_mutex_unlock(&lock);
    return is;
  }
  /* When the program ends, what has been started is over, and C calls once more. */
  static int late_from;
  static unary *late;
  void at_end(unary *f, int from) { late = f; late_from = from; }
  __attribute__((destructor)) static void end(void) {
    if (filled) {
      step(1, 2);
      step(4, 5);
      printf("filled: %s\n", filled);
    }
    if (!late) return;
    printf("%lld before, ", finish(late_from));
    start(late, 1, 1);
    printf("%lld after\n", finish(1));
    fflush(stdout);
  }]])
local library = directory .. "/threads.so"
local built = apps.shell(("cc -O1 -shared -fPIC -o %s %s/threads.c -lpthread")
                         :format(library, directory))
t.is(built.status, 0, "cc: " .. built.err)
local DECLARED = [[
  int start(int (*)(int), int, int); long long finish(int);
  long long all(int (*)(int), int, int); int here(int (*)(int));
  int thrice(int (*)(int));
  typedef struct { double a; long b; } mixed;
  double elsewhere(double (*)(const char *, mixed, float, signed char, mixed *));
  void at_end(int (*)(int), int); void fill(char *); int filling(void);
]]
ffi.cdef(DECLARED)
local C = ffi.load(library)
local all, finish = ffi.blocking(C.all), ffi.blocking(C.finish)

-- They run on the state's own thread, one after another, whoever calls.

local ROUNDS = os.getenv "SMALL" and 50 or 200
local calls, inside = 0, 0
local function add(x)
  inside = inside + 1
  assert(inside == 1)
  calls = calls + 1
  inside = inside - 1
  return x
end
local function expected(threads, n)
  return n * threads * (threads - 1) // 2 * 1000 + threads * n * (n + 1) // 2
end
t.is(all(add, 2, ROUNDS), expected(2, ROUNDS), "two threads of C call back")
t.is(calls, 2 * ROUNDS, "each time")
t.is(all(add, 8, 5), expected(8, 5), "eight threads")

local kinds
t.is(ffi.blocking(C.elsewhere)(function(text, m, f, c, p)
  kinds = { ffi.string(text), m.a, m.b, f, c, p.b }
  p.a = 10
  return 0.5
end), 10.5, "a result, and what a pointer leads to")
t.same(kinds, { "text", 1.5, 2, 0.25, -4, 3 }, "all kinds of arguments")

-- The function is a task: it may wait, and others run meanwhile.

local seen = {}
task.scope(function(s)
  local gate = tw.promise()
  s:spawn(function()
    local sum = all(function(x) return gate.future:await() + x end, 1, 1)
    seen[#seen + 1] = sum
  end)
  s:spawn(function()
    task.sleep(0.01)
    seen[#seen + 1] = "first"
    gate:resolve(100)
  end)
end)
t.same(seen, { "first", 101 }, "one that waits")
t.is(all(function(x) return C.here(function(y) return y * x end) end, 1, 3), 42,
     "one that calls C, and back")

-- Errors, and what is refused.

local here = ffi.blocking(C.here)
t.is(here(add), 7, "one that C calls on the thread of ffi.blocking")
t.raises("of mine", here, function() error "of mine" end)
t.raises("cannot convert 'string' to 'int'", here, function() return "x" end)
local n = 0
t.raises("once", ffi.blocking(C.thrice), function() n = n + 1 error "once" end)
t.is(n, 1, "after an error C is on its way back")
local refused = ffi.cast("int (*)(int)", add)
refused:refuse()
calls = 0
t.is(C.all(refused, 1, 0), 0, "nothing refused yet")
t.raises("on a thread that is not its state's$", C.all, refused, 2, 3)
t.raises("on a thread that is not its state's$", all, refused, 2, 3)
t.is(calls, 0, "a callback that refuses is not called")
t.is(C.here(refused), 7, "but where its state is in C")
t.raises("a callback expected", ffi.new("int (*)(int)").refuse, ffi.new "int (*)(int)")
t.raises("the state had no turn for it", C.all, add, 2, 1)
t.is(calls, 1, "a state that waits in C for the thread that waits for it")
t.is(all(add, 1, 1), 1, "and the next one is as any")

-- Short calls of C don't keep anybody out.

t.is(C.start(add, 2, ROUNDS), 0, "started")
local ended, sum = false, nil
task.scope(function(s)
  s:spawn(function() sum = finish(2) ended = true end)
  s:spawn(function()
    while not ended do
      for _ = 1, 100 do C.here(add) end
      task.yield()
    end
  end)
end)
t.is(sum, expected(2, ROUNDS), "a state that calls C again and again")

-- In a job, whose call of C may come to its own thread.

local function job(path, declared, rounds)
  local f = require "ffi"
  f.cdef(declared)
  local c = f.load(path)
  local sum = f.blocking(c.all)(function(x) return x end, 2, rounds)
  local fine, why = pcall(f.blocking(c.here), function() error "of mine" end)
  return { sum, f.blocking(c.here)(function(x) return x + 1 end), fine, tostring(why) }
end
local result = pool.run(job, library, DECLARED, 5):await()
t.is(result[1], expected(2, 5), "a job's threads")
t.is(result[2], 8, "its own function")
t.ok(not result[3] and result[4]:find "of mine", "its error")
put("job.lua", ([[
  local tw = require "tw"
  tw.pool.configure { threads = 1 }
  local function job(path, declared)
    local f = require "ffi"
    f.cdef(declared)
    local c = f.load(path)
    local here = f.blocking(c.here)
    local fine, why = pcall(here, function() error "of mine" end)
    return { here(function(x) return x + 1 end), tostring(why) }
  end
  local r = tw.pool.run(job, %q, [==[%s]==]):await()
  print(r[1], r[2]:match "of mine")
]]):format(library, DECLARED))
t.is(command("job.lua").out, "8\tof mine\n",
     "a pool of one thread, which is the job's own")

-- Whichever allocation fails, C gets an answer, and what comes next works.

put("memory.lua", ([[
  local ffi, core = require "ffi", require "tw.internal.function"
  ffi.cdef [==[%s]==]
  local c = ffi.load(%q)
  local all, here = ffi.blocking(c.all), ffi.blocking(c.here)
  local function same(x) return x end
  local refused, lost, done, row, n, rounds = 0, 0, 0, 0, 0, 1
  local function try(f, want, ...)
    core.fail_at(n)
    local fine, got = pcall(f, ...)
    core.fail_at(0)
    if not fine then
      assert(tostring(got):find "memory", got)
      refused = refused + 1
    elseif got == want then
      done = done + 1
      return true
    else
      assert(got < want)           -- told as an error that nobody awaited
      lost = lost + 1
    end
    assert(all(same, 2, 1) == 1002 and here(same) == 7)
  end
  while row < 20 do
    n = n + 1
    local fine = try(all, 1002, same, 2, 1)
    fine = try(here, 7, function(x) return same(x) end) and fine
    row = fine and row + 1 or 0
    if row == 20 and lost == 0 and rounds < 10 then row, n, rounds = 0, 0, rounds + 1 end
  end
  print(refused > 10, done > 20, lost)
]]):format(DECLARED, library))
local memory = command "memory.lua"
local lost = tonumber(memory.out:match "^true\ttrue\t(%d+)\n$")
if not t.ok(lost, "without memory C gets an answer") then
  t.diag(memory.out .. memory.err)
end
local told = select(2, memory.err:gsub("that nobody awaited: ", ""))
t.ok((told > 0) == (lost ~= 0) and memory.status == (told > 0 and 1 or 0),
     "and what nobody awaited is told")    -- whether threads meet so is theirs

-- What C is given as it is stays, so that there is a limit; the others are freed.

local limit = pool.run(function(path, declared)
  local f = require "ffi"
  f.cdef(declared)
  local c, sum = f.load(path), 0
  for i = 1, 12000 do sum = sum + f.cast("int (*)(int)", function() return i end)(0) end
  local function same() return 1 end
  for _ = 1, 12000 do sum = sum + c.here(same) end
  local n, fine, why = 1, nil, nil
  repeat
    n = n + 1
    fine, why = pcall(c.here, function() return n end)
  until not fine
  return { sum, n, why, c.here(f.cast("int (*)(int)", function() return 1 end)) }
end, library, DECLARED):await()
t.is(limit[1], 12000 * 12001 // 2 + 12000, "many callbacks")
t.ok(limit[2] > 9000 and limit[2] <= 10001
     and limit[3]:find "10000 Lua functions, which live as long as the state",
     "so many, that live as long as the state")
t.is(limit[4], 1, "beside those that are freed")

-- In a script, which it is of.

apps.prints("a script's function", { app = [[app.script("s.lua")
  app.feed.synthetic { speed = 0, limit = 1 }]], ["s.lua"] = ([[
  local ffi = require "ffi"
  ffi.cdef [==[%s]==]
  local c = ffi.load(%q)
  function M.on_start()
    c.start(function(x)
      tw.publish("x", x)
      tw.task.yield()
      print("called", x)
      return x
    end, 1, 3)
    print("sum", ffi.blocking(c.finish)(1))
  end
]]):format(DECLARED, library) }, "called\t1\ncalled\t2\ncalled\t3\nsum\t6\n")

-- What nobody awaits is told; a state that ends answers with 0.

put("ends.lua", ([[
  local tw, ffi = require "tw", require "ffi"
  ffi.cdef [==[%s]==]
  local c = ffi.load(%q)
  local how, gate = ..., tw.promise()
  local called = 0
  local function f(x)
    called = called + 1
    if how == "error" then error "of mine" end
    if called == 2 then gate:resolve(1) tw.task.sleep(1000) end
    return x
  end
  c.start(f, 2, 3)
  if how == "error" then
    ffi.blocking(c.finish)(2)
  else
    c.at_end(f, 2)
    gate.future:await()
    if how == "close" then os.exit(0, true) end
    error "ends here"
  end
]]):format(DECLARED, library))
put("leaves.lua", ([[
  local tw, ffi = require "tw", require "ffi"
  ffi.cdef [==[%s]==]
  local c = ffi.load(%q)
  local memory = ffi.gc(ffi.new "char[64]", function() print "finalized" end)
  tw.task.detach(function() ffi.blocking(c.fill)(memory) end)
  while c.filling() == 0 do tw.task.sleep(0.01) end
  os.exit(0, true)
]]):format(DECLARED, library))
put("after.lua", ([[
  local tw, ffi = require "tw", require "ffi"
  ffi.cdef [==[%s]==]
  local c = ffi.load(%q)
  local how, runs, gate, has_run = ..., tw.promise(), tw.promise()
  local last <close> = setmetatable({}, { __close = function()
    print(c.finish(2))   -- C's threads are gone, and their stacks
    gate:resolve(1)
    while not has_run do tw.task.sleep(0.01) end
    print "closed"
  end })
  c.start(function()
    runs:resolve(1)
    gate.future:await()
    has_run = true
    if how == "error" then error "of mine" end
    return "no number"
  end, 2, 3)
  runs.future:await()
  print(pcall(os.exit, "bad", true))
  os.exit(0, true)
]]):format(DECLARED, library))
for _, how in ipairs { "value", "error" } do
  local after = command("after.lua " .. how)
  t.ok(after.out:find "^false\t[^\n]*number expected, got string%)\n0\nclosed\n$",
       "a function goes on when C has been answered, and os.exit checks: " .. how)
  if not t.is(after.err:find "that nobody awaited: [^\n]*of mine" ~= nil,
              how == "error", "its error is told, its value is nobody's")
  or not t.ok(not after.err:find "no number" and not after.err:find "got string",
              "which nobody converts") then
    t.diag(after.out .. after.err)
  end
end
local run = command "leaves.lua"
t.is(run.status, 0, "os.exit closes a state while C fills its memory")
t.is(run.out, "filled: text\n", "which is there as long as C is")
run = command "ends.lua error"
t.is(run.status, 1, "an error that nobody awaits makes the status 1")
t.ok(run.err:find "that nobody awaited: [^\n]*of mine", "and is told")
for _, how in ipairs { "close", "raise" } do
  run = command("ends.lua " .. how)
  t.is(run.status, how == "raise" and 1 or 0, how)
  t.ok(run.out:find "before, 0 after\n$", "C goes on when the state has ended")
  t.ok(run.err:find "waited for a Lua function when the state ended", "which is told")
end

-- What no limit ends is told: C's thread waits for a state that waits outside of ffi, as
-- a function of a C module would, until the line is there.

put("busy.lua", ([[
  local tw, ffi = require "tw", require "ffi"
  ffi.cdef [==[%s]==]
  local c, sum = ffi.load(%q), 0
  assert(c.start(function(x) sum = sum + x return x end, 1, 2) == 0)
  assert(io.open("gate", "r")):close()
  while sum < 3 do tw.task.sleep(0.01) end
  print(c.finish(1), sum)
]]):format(DECLARED, library))
run = apps.shell(([[cd %s && mkfifo gate && { timeout 120 %s busy.lua 2>told & }
  for i in $(seq 1000); do
    ! grep -q "has waited 5 s" told 2>/dev/null || break
    sleep 0.1
  done
  timeout 60 sh -c ": >gate"; wait]]):format(directory, apps.tidewire))
t.is(run.out, "3\t3\n", "a state that is busy for long, and then is not")
local told = apps.read(directory .. "/told")
if not t.ok(told:find "^[^\n]*C on another thread has waited 5 s for a Lua [^\n]*\n$",
            "is told of, once") then t.diag(told) end

t.done()
