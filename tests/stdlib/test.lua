-- tw.test judged from outside: what `tidewire test` prints and its status.
local t = require "tw.test"

local program = os.getenv("TIDEWIRE") or "build/tidewire"

-- Runs each text as a file of tests, as one `tidewire test`; out and the status.
local function run(...)
  local paths = {}
  for i, text in ipairs { ... } do
    paths[i] = os.tmpname()
    local file <close> = assert(io.open(paths[i], "w"))
    file:write('local t = require "tw.test"\n', text)
  end
  local p = assert(io.popen(program .. " test " .. table.concat(paths, " ") .. " 2>&1"))
  local out = p:read("a")
  local _, how, status = p:close()
  for _, path in ipairs(paths) do os.remove(path) end
  return out, how == "exit" and status or how
end

local function has(out, text, name)
  if not t.ok(out:find(text, 1, true), name) then t.diag(out) end
end

local out, status = run [[t.ok(true, "one") t.is(1, 1, "two") t.near(1, 1.01, .1, "three")
t.same({ 1, { a = 0/0 } }, { 1, { a = 0/0 } }, "four") t.raises("boom", error, "boom")]]
t.is(out, "ok 1 - one\nok 2 - two\nok 3 - three\nok 4 - four\nok 5 - raises boom\n1..5\n",
     "what passes is one line each, and the plan is last")
t.is(status, 0, "and the status is 0")

for text, why in pairs {
  ["t.ok(nil, 'n')"] = ":2", ["t.is(1, '1', 'n')"] = '# want "1"',
  ["t.near(1, 2, .5, 'n')"] = "# want 2 +- 0.5",
  ["t.near(0/0, 0, 9, 'n')"] = "# want 0 +- 9",
  ["t.same({a={b=1}}, {a={b=2}}, 'n')"] = "# value.a.b: got 1, want 2",
  ["t.same({}, {1}, 'n')"] = "# value[1]: got nil, want 1",
  ["t.same({['x y']=1}, {}, 'n')"] = '# value["x y"]: got 1, want nil',
  ["t.raises('b', error, 'c')"] = "# got  c",
  ["t.raises('b', print)"] = "# got  no error",
} do
  out, status = run(text)
  has(out, "not ok 1 - ", text .. " fails")
  has(out, why, text .. " says why")
  t.is(status, 1, text .. " gives status 1")
end

out = run [[local a, b = {}, {} a[1], b[1] = a, b t.same(a, b, "a cycle ends")]]
has(out, "ok 1 - a cycle ends", "tables that contain themselves are compared")
out = run [[local a = {} for i = 1, 30 do a[i] = i end t.same(a, {}, "n")]]
has(out, "# and 20 more differences", "a long list of differences is cut, and says so")

out, status = run [[t.ok(true, "x") error("died here")]]
has(out, "not ok 2 - ", "a file that dies fails")
has(out, "died here", "with its error")
has(out, "stack traceback", "and its traceback")
t.is(status, 1, "and status 1")
out, status = run "this is no Lua"
has(out, "syntax error", "a file that does not load says why")
t.is(status, 1, "and gives status 1")
out, status = run "local x = 1"
has(out, "tests something", "a file without a test fails")
t.is(status, 1, "with status 1")
out, status = run [[t.ok(true, "x") os.exit(false)]]
t.ok(not out:find("1..", 1, true) and status == 1, "a program that leaves prints no plan")

out, status = run([[t.ok(true, "a") leak = 1 t.done() t.done()]],
                  [[t.is(leak, nil, "b")]])
has(out, "ok 1 - a\n", "several files: the first")
has(out, "ok 2 - b\n", "is counted on by the next, which sees none of its globals")
t.ok(out:find("1..2\n$"), "one plan, at the end, whoever called done")
t.is(status, 0, "and status 0")

out, status = run [[t.skip "no data" t.diag "two\nlines"]]
t.is(out, "ok 1 # SKIP no data\n# two\n# lines\n1..1\n", "skip and diag")

local p = assert(io.popen(program .. " test 2>&1"))
t.is(p:read("a"), "tidewire: test needs a file: tidewire test file.lua...\n",
     "no file: usage")
t.is(select(3, p:close()), 1, "and status 1")

local path = os.tmpname()
for text, want in pairs {
  ["t.ok(true, 'x')"] = { "ok 1 - x\n1..1\n", 0 },
  ["t.ok(true, 'x') t.ok(false, 'y')"] = {
    "not ok 2 - y\n# at " .. path .. ":1\n1..2\n", 1 },
} do
  local file = assert(io.open(path, "w"))
  file:write('local t = require "tw.test" ', text, " t.done() print 'not reached'")
  file:close()
  p = assert(io.popen(program .. " " .. path .. " 2>&1"))
  out = p:read("a")
  t.is(out:sub(-#want[1]), want[1], "a plain script prints its plan in done: " .. text)
  t.is(select(3, p:close()), want[2], "and leaves with the status")
end
os.remove(path)
