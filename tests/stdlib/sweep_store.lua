--- sweep_store: what is put comes back, whoever dies, and whatever the file is.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local figures = require "tw.report_figures"
local sqlite = require "tw.internal.sqlite"
local store = require "tw.sweep_store"
local tw = require "tw"

local root = apps.directory
local available, lack = sqlite.open ":memory:"
if not available then
  t.skip(lack)
  return t.done()
end
available:close()

local function fresh(name)
  os.remove(root .. "/" .. name)
  return assert(store.open(root .. "/" .. name))
end

-- A result with all figures, each a number of its own.
local function result(seed)
  local all = { arithmetic = {}, geometric = {} }
  local n = seed / 7
  for _, group in ipairs(figures.GROUPS) do
    for i = 2, #group do
      n = n + 1 / 3
      local value = group[i][3] == "count" and math.floor(n) or n
      if group.both then
        all.arithmetic[group[i][1]], all.geometric[group[i][1]] = value, -value
      else
        all[group[i][1]] = value
      end
    end
  end
  return { name = "crossover.lua", version = "0.1.0", data = { "spy.tape" },
           symbols = { "SPY" }, params = { fast = seed, slow = 30.0 },
           from = 1381190400000000000 + seed, to = math.maxinteger, seconds = 1.25,
           records = 2148, currency = "USD", start = 10000.0, final = 51422.99,
           hash = ("0123456789abcdef"):rep(4), sent = 12, bad = 0, log = { "a line" },
           figures = all }
end
local function key(n) return ("%064x"):format(n) end
local function run(n)
  return { key = key(n), number = n, params = { fast = n, slow = 30.0, on = true,
           mode = "é" }, seconds = 0.5, result = result(n) }
end

-- Without when it was put, which a test can't know.
local function timeless(found)
  t.ok(found.finished:find "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$", "when it was put")
  found.finished = nil
  return found
end

local s = fresh "a.db"
local first = s:sweep { name = "crossover.lua", command = "tidewire sweep crossover.lua",
                        strategy = "abc", data = { "spy.tape", "qqq.tape" }, jobs = 2 }
t.is(s:find(key(1)), nil, "nothing there")
t.same(s:runs(first), {}, "a sweep without runs")
t.ok(s:put(first, run(2)), "put")
t.same(timeless(s:find(key(2))), run(2), "a run comes back as it was")
t.is(math.type(s:find(key(2)).params.slow), "float", "a float as one")
t.is(math.type(s:find(key(2)).params.fast), "integer", "an integer as one")
t.is(math.type(s:find(key(2)).result.figures.trades), "integer", "a count, too")

local spare = run(1)
spare.result.figures = { trades = 0, won = 0, fees = 0.0 }
spare.part, spare.window = "test", 3
t.ok(s:put(first, tw.freeze(spare)), "a frozen run with few figures")
t.same(timeless(s:find(key(1))), spare, "what can't be said stays unsaid")

local failed = { key = key(3), number = 3, params = {}, error = "boom",
                 traceback = "stack traceback:\n\t[C]: in ?" }
t.ok(s:put(first, failed), "one that failed")
t.same(timeless(s:find(key(3))), failed, "is kept, too")
local worse = { key = key(3), number = 3, params = {}, error = "boom again" }
t.ok(s:put(first, worse), "once more")
t.same(timeless(s:find(key(3))), worse, "the last failure stands")
t.ok(s:put(first, run(3)), "and then well")
t.same(timeless(s:find(key(3))), run(3), "the result takes the place of the failure")
t.ok(s:put(first, failed), "the failure once more")
t.same(timeless(s:find(key(3))), run(3), "does not replace a result")

local runs = s:runs(first)
t.is(#runs, 3, "each key has a row")
for i = 1, 3 do t.is(runs[i].number, i, "by number") end
t.is(runs[1].window .. runs[1].part .. runs[1].sweep, "3test1", "with its place")

-- Another sweep that has a run in common.

local second = s:sweep { name = "again" }
t.ok(second ~= first, "another sweep")
local common = run(2)
common.number = 1
t.ok(s:put(second, { common, run(4) }), "a list")
t.is(s:runs(second)[1].key, key(2), "a run may stand in two sweeps")
t.is(s:runs(first)[2].key, key(2), "with a number in each")
t.is(#s:runs(), 5, "all of them")
local sweeps = s:sweeps()
t.ok(sweeps[1].began, "a sweep has its time")
sweeps[1].began, sweeps[2].began = nil, nil
t.same(sweeps, { { id = first, name = "crossover.lua", strategy = "abc", jobs = 2,
                   command = "tidewire sweep crossover.lua",
                   data = { "spy.tape", "qqq.tape" } }, { id = second, name = "again" } },
       "sweeps come back as they were")

-- The same parameters on parts and windows have one number.
local train, test = run(5), run(6)
train.part, test.part, test.number = "train", "test", 5
t.ok(s:put(second, { train, test }), "two parts of one number")

-- Wrong use.

t.raises("sweep 2 has another run as number 5", function()
  local other = run(7)
  other.number, other.part = 5, "test"
  s:put(second, { run(8), other })
end)
t.is(s:find(key(8)), nil, "nothing of a list with an error in it is kept")
t.raises("a run has no 'parms'", s.put, s, first, { key = "a", number = 1, parms = {} })
t.raises("a run has a key", s.put, s, first, { key = "a" })
t.raises("json: a function", s.put, s, first,
         { key = "a", number = 9, params = { f = print } })
t.ok(s:put(first, {}), "an empty list")
s:close()
s:close()
t.raises("closed", s.put, s, first, run(9))

s = store.open(root .. "/a.db")
t.same(timeless(s:find(key(3))), run(3), "all is there in a file that is opened again")
s:close()

-- A file that is none.

local function refuses(name, path, pattern)
  local got, why = store.open(path)
  t.ok(not got and why:find(pattern) and not why:find "\n", name)
  if got or not why:find(pattern) then t.diag(tostring(why)) end
end
apps.put(root .. "/text.db", "name,sharpe\n")
refuses("a text", root .. "/text.db", "/text.db: it is no database of SQLite$")
local db = sqlite.open(root .. "/other.db")
db:run "CREATE TABLE t (x)"
refuses("another database", root .. "/other.db",
        "/other.db: it is a database, but not one of sweeps$")
db:run "PRAGMA user_version = 7"
db:close()
fresh "newer.db":close()
db = sqlite.open(root .. "/newer.db")
db:run "PRAGMA user_version = 2"
refuses("a newer one", root .. "/newer.db", "/newer.db: it is of a newer tidewire$")
db:close()
refuses("no directory", root .. "/none/a.db", "/none/a.db: No such file or directory$")
refuses("a directory", root, ": .")

-- A figure that a former tidewire did not know.
s = fresh "older.db"
s.db:run "ALTER TABLE run DROP COLUMN kelly"
s:close()
s = store.open(root .. "/older.db")
s:put(s:sweep { name = "x" }, run(1))
t.same(timeless(s:find(key(1))), run(1), "a column that is lacking is added")
s:close()

-- What the system refuses, in a file system of its own.

local function script(name, lines)
  apps.put(root .. "/" .. name, 'local store = require "tw.sweep_store"\n' .. lines)
  return ("%s %s/%s"):format(apps.tidewire, apps.quote(root), name)
end
local mount = "mount -t tmpfs -o size=200k none " .. root .. "/disk"
os.execute("mkdir " .. root .. "/disk")
if apps.shell("unshare -rm sh -c " .. apps.quote(mount)).status == 0 then
  local command = script("full.lua", [[
    local s = assert(store.open(arg[1]))
    local id, why = s:sweep { name = "x" }
    local n = 0
    while id and n < 10000 do
      local run = { key = ("%d"):format(n + 1), number = n + 1, params = {},
                    error = ("x"):rep(500) }
      local done
      done, why = s:put(id, run)
      if not done then break end
      n = n + 1
    end
    local kept = s:runs()
    print(kept and #kept == n and n > 10, why)]])
  local r = apps.shell("unshare -rm sh -c " .. apps.quote(mount .. " && " .. command
    .. " " .. root .. "/disk/a.db"))
  t.ok(r.out:find "^true\t.*/a.db: [^\n]*full\n$"
       or r.out:find "^true\t.*/a.db: No space left on device\n$",
       "a full disk: what was put is there")
  t.diag(r.out .. r.err)
  local prepare = "cp " .. root .. "/a.db " .. root .. "/disk && mount -o remount,ro "
    .. root .. "/disk && "
  r = apps.shell("unshare -rm sh -c " .. apps.quote(mount .. " && " .. prepare .. script(
    "read_only.lua", [[
    local _, why = store.open(arg[1] .. "/new.db")
    local s = assert(store.open(arg[1] .. "/a.db"))
    local _, refused = s:sweep { name = "x" }
    print(why)
    print(#s:runs(), refused)]]) .. " " .. root .. "/disk"))
  t.ok(r.out:find("^[^\n]*/new.db: Read%-only file system\n7\t"
                  .. "[^\n]*/a.db: it may not be written\n$"),
       "where nothing can be written, one line; what is there is read")
  t.diag(r.out .. r.err)
else
  t.skip "no file system of its own"
end

-- A process that is killed while it puts: all that put has returned is there.

local put = script("put.lua", [[
  local s = assert(store.open(arg[1]))
  local id = assert(s:sweep { name = "x" })
  for i = 1, 1000000 do
    local n = i * 2 + arg[2]
    assert(s:put(id, { key = ("%064x"):format(n), number = n, params = { n = n },
      seconds = 0.5, result = { figures = { trades = n } } }))
    print(i)
    io.stdout:flush()
  end]])
local rounds, lost, most = os.getenv "SMALL" and 3 or 10, 0, 0
for i = 1, rounds do
  local path = root .. "/killed.db"
  os.remove(path)
  -- Ended by a count of what it has done, not by time.
  local out = apps.shell(([[%s %s 0 >%s/done & p=$!
    while [ "$(wc -l <%s/done 2>/dev/null || echo 0)" -lt %d ]; do :; done
    kill -9 $p; wait $p; cat %s/done]]):format(put, path, root, root, i * 7, root)).out
  os.remove(root .. "/done")
  local done = tonumber(out:match "(%d+)\n$")
  local again <close> = setmetatable({}, { __close = function() s:close() end })
  s = assert(store.open(path))
  local kept = s:runs()
  for n = 1, done do
    if not kept[n] or kept[n].result.figures.trades ~= 2 * n then lost = lost + 1 end
  end
  if #kept > done + 1 then lost = lost + 1 end
  most = math.max(most, done)
end
t.is(lost, 0, "kill -9 loses nothing that was put")
t.ok(most >= rounds * 7, "up to " .. most .. " runs")

-- Two processes at once, which also make the file.

local some = put:gsub("put.lua", "some.lua")
apps.put(root .. "/some.lua", (apps.read(root .. "/put.lua"):gsub("1000000", "60")))
local both = root .. "/both.db"
local r = apps.shell(("%s %s 0 & p=$!; %s %s 1 & q=$!; wait $p && wait $q"):format(some,
  both, some, both))
t.is(r.status, 0, "two processes")
t.diag(r.err)
s = assert(store.open(both))
t.is(#s:runs(), 120, "all that both have put")
local apart = true
for _, one in ipairs(s:runs()) do
  apart = apart and one.result.figures.trades == one.number
end
t.ok(apart, "each in its row")
s:close()

-- Damage: each flipped byte is an error, or it is in a value.

s = fresh "b.db"
local id = s:sweep { name = "x" }
local many = {}
for n = 1, 50 do many[n] = run(n) end
s:put(id, many)
s:close()
local whole = apps.read(root .. "/b.db")
local said, passed, torn = 0, 0, 0
for at = 1, #whole, os.getenv "SMALL" and 997 or 199 do
  apps.put(root .. "/c.db", whole:sub(1, at - 1) .. string.char(whole:byte(at) ~ 255)
           .. whole:sub(at + 1))
  local fine, got, why = pcall(function()
    local open, reason = store.open(root .. "/c.db")
    if not open then return nil, reason end
    local c <close> = setmetatable({}, { __close = function() open:close() end })
    return open:runs()
  end)
  if not fine then torn = torn + 1 t.diag(at .. ": " .. got)
  elseif got then passed = passed + 1
  elseif why:find "c.db: [^\n]+$" then said = said + 1
  else torn = torn + 1 t.diag(at .. ": " .. tostring(why)) end
end
t.is(torn, 0, "a damaged file is read, or an error of one line")
t.ok(said > 0 and passed > 0, ("%d were said, %d were in values"):format(said, passed))

-- Whatever allocation fails, a run is put whole or not at all.

apps.without_memory("env TW_FAIL=$TW_FAIL,3 " .. script("memory.lua", [[
  os.remove(debug.getinfo(1, "S").source:match "^@(.*)memory.lua$" .. "m.db")
  local s = assert(store.open(debug.getinfo(1, "S").source:match "^@(.*)memory.lua$"
                              .. "m.db"))
  local id = assert(s:sweep { name = "x" })
  local fine, why = pcall(function()
    return assert(s:put(id, { { key = "a", number = 1, params = {} },
                              { key = "b", number = 2, params = { x = 1 } } }))
  end)
  assert(fine or tostring(why):find "memory", why)
  assert(#assert(s:runs()) == (fine and 2 or 0))
  assert(s:put(id, { key = "c", number = 3, params = {} }))
  print(fine)]]), "true\n", os.getenv "SMALL" and 97 or 23)

t.done()
