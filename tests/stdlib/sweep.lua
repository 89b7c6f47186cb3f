--- sweep: which points there are: counted, exact, at random without repetition; faults.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local plan, sweep = require "tw.sweep_plan", require "tw.sweep"

-- The points of a plan as text: "a=1 b=2".
local function points(o)
  local made, out = plan.make(o), {}
  for i, point in ipairs(made.points) do
    local parts = {}
    for n, name in ipairs(made.names) do
      parts[n] = ("%s=%s"):format(name, tostring(point.params[name]))
    end
    out[i] = table.concat(parts, " ")
  end
  return out
end

local function are(o, want, name) t.is(table.concat(points(o), ", "), want, name) end

local function values(text) return { set = { p = plan.parse("p", text) } } end

-- ---- values ----

are(values "3:8:2", "p=3, p=5, p=7", "a range ends at or before its end")
are(values "3:5", "p=3, p=4, p=5", "between integers the step is 1")
are(values "0.1:0.3:0.1", "p=0.1, p=0.2, p=0.3", "decimals are exact")
are(values "1:2:0.5", "p=1.0, p=1.5, p=2.0", "with a decimal all are")
are(values "-1:1", "p=-1, p=0, p=1", "below 0")
are(values "1e-3:2e-3:5e-4", "p=0.001, p=0.0015, p=0.002", "exponents")
are(values "10:1e2:45", "p=10.0, p=55.0, p=100.0", "a number with an exponent is one")
are(values "30,50,x,true,0.5", "p=30, p=50, p=x, p=true, p=0.5", "a list")
are(values "1:3,10", "p=1, p=2, p=3, p=10", "a range in a list")
are(values "a:b", "p=a:b", "a text with a colon")
are(values "0.5:0.5", "p=0.5", "from a number to itself")

local exact = true
for _, step in ipairs { "0.1", "0.01", "0.3", "0.007" } do
  local list = plan.make(values("0:9:" .. step)).points
  local k = math.tointeger(tonumber(step) * 1000 + 0.0) or math.floor(step * 1000 + 0.5)
  exact = exact and #list == 9000 // k + 1
  for i, point in ipairs(list) do
    exact = exact and point.params.p == tonumber(("%de-3"):format((i - 1) * k))
  end
end
t.ok(exact, "each value of a range is its decimal, read")

are({ set = { a = sweep.range(0.1, 0.7, 0.2), b = { 1, 2 }, c = "x" } },
    "a=0.1 b=1 c=x, a=0.1 b=2 c=x, a=0.3 b=1 c=x, a=0.3 b=2 c=x, a=0.5 b=1 c=x,"
    .. " a=0.5 b=2 c=x, a=0.7 b=1 c=x, a=0.7 b=2 c=x",
    "a grid: names in order, the last one changes fastest")
are({}, "", "no parameter at all: one point")
t.is(#plan.make({}).points, 1, "which is there")

-- ---- where ----

are({ set = { fast = sweep.range(1, 3), slow = sweep.range(1, 3) },
      where = "fast < slow" },
    "fast=1 slow=2, fast=1 slow=3, fast=2 slow=3", "where, a text")
are({ set = { n = sweep.range(1, 9) }, where = function(p) return p.n % 4 == 0 end },
    "n=4, n=8", "where, a function")
are({ set = { n = sweep.range(1, 9) }, where = "math.sqrt(n) % 1 == 0" },
    "n=1, n=4, n=9", "where, with math")

-- ---- at random ----

local big = { a = sweep.range(1, 1000), b = sweep.range(0, 1, 0.001), c = { "x", "y" } }
local function is_set(list)
  local seen = {}
  for _, one in ipairs(list) do
    if seen[one] then return false end
    seen[one] = true
  end
  return true
end
local some = points { set = big, random = 2000, seed = 7 }
t.is(#some, 2000, "so many points")
t.ok(is_set(some), "no two are the same")
t.is(table.concat(some, ","), table.concat(points { set = big, random = 2000, seed = 7 },
  ","), "one seed, one list")
t.ok(table.concat(some) ~= table.concat(points { set = big, random = 2000, seed = 8 }),
     "another seed, another one")
local all = points { set = { a = sweep.range(1, 30), b = { 1, 2 } }, random = 60 }
t.ok(#all == 60 and is_set(all), "all of them, in another order")
local kept = points { set = { a = sweep.range(1, 100) }, random = 10, where = "a > 90" }
table.sort(kept)
t.is(table.concat(kept, " "), "a=100 a=91 a=92 a=93 a=94 a=95 a=96 a=97 a=98 a=99",
     "as many as where leaves")
local inside, real = true, plan.make { set = { x = sweep.range(-0.5, 2.5),
                                               n = sweep.range(1, 3) }, random = 500 }
for _, point in ipairs(real.points) do
  local x = point.params.x
  inside = inside and math.type(x) == "float" and x >= -0.5 and x <= 2.5
           and math.type(point.params.n) == "integer"
           and tonumber(("%.6g"):format(x)) == x
end
t.ok(inside and #real.points == 500, "any value of a range without a step")
local low, seen = 0, {}
for _, point in ipairs(real.points) do
  low = low + (point.params.x < 1 and 1 or 0)
  seen[point.params.n] = true
end
t.ok(low > 180 and low < 320 and #seen == 3, "all over the range")

-- ---- lists ----

local path = os.tmpname()
local function list(text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end
are({ list = list "fast,slow\r\n3,30\r\n5,0.5\r\n\r\n" },
    "fast=3 slow=30, fast=5 slow=0.5", "a file")
are({ list = list 'name,on\n"a, ""b""",true\n', set = { x = { 1, 2 } } },
    'name=a, "b" on=true x=1, name=a, "b" on=true x=2', "with quotes, and a grid beside")
are({ list = { { a = 1 }, { a = 2, b = 3 } } }, "a=1 b=nil, a=2 b=3", "a list of tables")

local doubled = { { a = 1, b = 2 }, { b = 2, a = 1 }, { a = 2 }, { a = 1, b = 2 },
                  { a = "1", b = 2 }, { a = 1.0, b = 2 } }
are({ list = doubled }, "a=1 b=2, a=2 b=nil, a=1 b=2, a=1.0 b=2", "the same ones once")
t.is(plan.make { list = doubled }.same, 2, "which is counted")
are({ list = doubled, set = { c = { 1, 2 } }, where = "a == 1" },
    "a=1 b=2 c=1, a=1 b=2 c=2, a=1.0 b=2 c=1, a=1.0 b=2 c=2", "those of a grid, too")
t.is(#points { list = doubled, random = 4 }, 4, "at random")
t.raises("tw.sweep: random: only 4 of 5 points are different", plan.make,
         { list = doubled, random = 5 })
t.is(#doubled, 6, "the list itself stays as it is")

-- ---- faults: one clear line each ----

local function fails(o, want, name)
  local fine, why = pcall(plan.make, type(o) == "function" and o() or o)
  t.ok(not fine and why == "tw.sweep: " .. want, name or want)
  if why ~= "tw.sweep: " .. want then t.diag(tostring(why)) end
end
local function refuses(text, want)
  local fine, why = pcall(function() return plan.make(values(text)) end)
  t.ok(not fine and why == "tw.sweep: " .. want, text .. ": " .. want)
  if why ~= "tw.sweep: " .. want then t.diag(tostring(why)) end
end
refuses("3:20:0", "p=3:20:0: the step must be above 0")
refuses("3:20:-1", "p=3:20:-1: the step must be above 0")
refuses("20:3", "p=20:3: 20 is above 3")
refuses("3:x", "p=3:x: a number of at most 15 digits expected, got 'x'")
refuses("1e400:2", "p=1e400:2: a number of at most 15 digits expected, got '1e400'")
refuses("0:1:1e-20", "p=0:1:1e-20: too many digits")
for _, far in ipairs { "1e999999999", "1e99999999999", "1e-9223372036854775808",
                        "1e-400", "0." .. ("0"):rep(400) .. "1" } do
  local of = "0:1:" .. far
  refuses(of, ("p=%s: a number of at most 15 digits expected, got '%s'"):format(of, far))
end
refuses("", "p=: an empty value")
refuses("3,,4", "p=3,,4: an empty value")
refuses("1,2,1", "p: 1 is there twice")
refuses("0.1:0.5", "p=0.1:0.5: a step is missing")
refuses("0.1:0.5,2", "p: a range without a step stands alone")
fails({ set = { p = {} } }, "p: an empty list")
fails({ set = { p = print } },
      "p: a number, a text, a boolean or a range expected, got a function")
fails({ set = { p = { 0 / 0 } } }, "p: nan is no value")
fails({ set = { ["a b"] = 1 } },
      "a parameter is named by letters, digits and _: a b")
fails({ set = { a = sweep.range(1, 1e6 // 1 | 0), b = { 1, 2 } } },
      "2000000 combinations; at most 1000000, or some at random")
fails({ set = { a = 1 }, where = "a > 1" }, "no point is left: where is true of none")
fails({ set = { a = 1 }, where = "b > 1" }, "where 'b > 1': no parameter 'b'")
fails({ set = { a = 1 }, where = "a >" }, "where 'a >': unexpected symbol near <eof>")
fails({ set = { a = 1 }, where = "a > 'x'" },
      "where 'a > 'x'': attempt to compare string with number")
fails({ set = { a = { 1, 2 } }, random = 3 }, "random: 3 points of 2 combinations")
fails({ set = { a = sweep.range(1, 9) }, random = 3, where = "a < 3" },
      "random: only 2 of 3 points fulfil where")
fails({ set = { a = 1 }, seed = 3 }, "seed: it is for random")
fails({ set = { a = 1 }, random = 0 },
      "random: an integer from 1 on expected, got 0")
fails({ list = "/none" }, "cannot open /none: No such file or directory")
fails({ list = list "a,b\n1\n" }, path .. ": line 2: 2 fields expected, got 1")
fails({ list = list "a,b\n1,\n" }, path .. ": line 2: b is empty")
fails({ list = list "a,a\n1,2\n" }, path .. ": line 1: a is there twice")
fails({ list = list "a b\n1\n" }, path .. ": line 1: 'a b' is no name of a parameter")
fails({ list = list "a\n" }, path .. ": no point in it")
fails({ list = list 'a\n"x\n' }, path .. ": line 2: a quote that does not end")
fails({ list = list "a\n1\n", set = { a = 2 } }, "a is given twice")
t.ok(not pcall(sweep.range, "1", 2), "sweep.range: numbers alone")
os.remove(path)

-- ---- options of sweep.run ----

local function wrong(o, want)
  o.script, o.data = o.script or "s.lua", o.data or "d.csv"
  local fine, why = pcall(sweep.run, o)
  t.is(fine or why, "tw.sweep: " .. want, want)
end
wrong({ speed = 1 }, "no option 'speed'")
wrong({ jobs = 0 }, "jobs: an integer from 1 to 256 expected, got 0")
wrong({ by = "luck" }, "by: no figure 'luck'; `tidewire help performance` has all")
wrong({ by = "sharp" }, "by: no figure 'sharp'; did you mean 'sharpe'?")
wrong({ by = "geometric.calmer" },
      "by: no figure 'geometric.calmer'; did you mean 'geometric.calmar'?")
wrong({ over = "moon" }, "over: data or symbol expected, got 'moon'")
wrong({ set = 3 }, "set must be a table, got 3")
wrong({ from = "soon" },
      "from: a date like 2014-05-07 or 2014-05-07T13:30:00 expected, got soon")
wrong({ app = "a.lua" }, "either script or app is to be given")

-- What no command gives, but a script that finds the internal modules may.
for _, data in ipairs { false, 3, "x.csv" } do
  t.raises("data: a list of files expected, got", require "tw.internal.sweep".look,
           { data = data or nil })
end
t.raises("data: file 2 has no path", require "tw.internal.sweep".look,
         { data = { { path = "/dev/null" }, { path = {} } } })
local _, no_path = require "tw.strategy".read(false)
t.ok(tostring(no_path):find "file: a path expected, got boolean", "a path that is none")

t.done()
