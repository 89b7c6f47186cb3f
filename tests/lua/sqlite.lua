--- tw.internal.sqlite: values, failures that say what is wrong, locks, lack of memory.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local sqlite = require "tw.internal.sqlite"

local root = apps.directory
local db, lack = sqlite.open(root .. "/a.db")
if not db then
  t.skip(lack)
  return t.done()
end

-- Values.

t.is(db:run "CREATE TABLE t (x, y)", 0, "a table")
local values = { 0, -1, math.maxinteger, math.mininteger, 0.0, 1.5, 2 ^ 53, 1e-320, 1 / 0,
                 -1 / 0, "", "é", "with\0zero", ("x"):rep(100000), "\xff" }
for i, value in ipairs(values) do db:run("INSERT INTO t VALUES (?, ?)", i, value) end
local rows = db:rows "SELECT y FROM t ORDER BY x"
local wrong = 0
for i, value in ipairs(values) do
  local got = rows[i].y
  if got ~= value or math.type(got) ~= math.type(value) then
    wrong = wrong + 1
    t.diag(i .. ": " .. tostring(got))
  end
end
t.is(wrong, 0, "numbers and texts are what they were")
t.same(db:rows("SELECT ? AS a, ? AS b, ? AS c, ? AS d", nil, 0 / 0, true, false),
       { { c = 1, d = 0 } }, "nil and NaN are NULL, booleans 1 and 0")
t.same(db:rows "SELECT * FROM t WHERE x = 99", {}, "no rows")
t.is(db:run("UPDATE t SET y = ? WHERE x < ?", 1, 4), 3, "how many rows were changed")
t.is(db:run "BEGIN", 0, "a statement that changes none, after one that did")
t.is(db:run "DELETE FROM t", #values, "all rows")
db:run "ROLLBACK"
t.is(#db:rows "SELECT * FROM t", #values, "and they are back")

-- Wrong use raises.

t.raises("one statement", db.run, db, "SELECT 1; SELECT 2")
t.raises("one statement", db.run, db, "")
t.raises("2 parameters expected, got 1", db.rows, db, "SELECT ?, ?", 1)
t.raises("0 parameters expected, got 1", db.rows, db, "SELECT 1", nil)
t.raises("parameter 2 is a table", db.run, db, "SELECT ?, ?", 1, {})
t.raises("string expected", db.run, db)
t.is(db:run " SELECT 1 ; \n", 0, "spaces and a semicolon")

-- What is refused.

local function refuses(name, pattern, code, done, why, got)
  t.ok(not done and why:find(pattern), name)
  if done or not why:find(pattern) then t.diag(tostring(why)) end
  t.is(got, code, name .. ": code")
end
refuses("what is no SQL", "/a.db: near \"SELEC\": syntax error$", -5007, db:run "SELEC 1")
refuses("no such column", "no such column: z$", -5007, db:rows "SELECT z FROM t")
refuses("a directory that is not there", "/none/a.db: No such file or directory$", -2,
        sqlite.open(root .. "/none/a.db"))
apps.put(root .. "/text.db", ("This is a text.\n"):rep(100))
local text <close> = sqlite.open(root .. "/text.db")
refuses("a text", "/text.db: it is no database of SQLite$", -5003,
        text:rows "SELECT * FROM t")

-- Two at once.

local other <close> = sqlite.open(root .. "/a.db")
db:run "BEGIN IMMEDIATE"
db:run "DELETE FROM t"
t.is(#other:rows "SELECT * FROM t", #values, "one reads while another is to write")
other:run "PRAGMA busy_timeout = 20"
refuses("two write", "/a.db: another process has been writing to it for 30 s$", -16,
        other:run "DELETE FROM t")
db:run "COMMIT"
t.same(other:rows "SELECT * FROM t", {}, "when one has ended, the other sees it")
db:run "ALTER TABLE t ADD COLUMN z DEFAULT 7"
db:run("INSERT INTO t VALUES (?, ?, ?)", 1, 2, nil)
db:run "INSERT INTO t (x) VALUES (3)"
t.same(other:rows "SELECT * FROM t", { { x = 1, y = 2 }, { x = 3, z = 7 } },
       "a statement that was run before sees a new column")
t.raises("one statement", db.run, db, "SELECT 1; SELECT 2")

db:close()
db:close()
t.raises("database is closed", db.run, db, "SELECT 1")
t.raises("database is closed", db.rows, db, "SELECT 1")

-- Without memory.

local function script(name, lines)
  apps.put(root .. "/" .. name, lines)
  return ("%s %s/%s"):format(apps.tidewire, root, name)
end
-- Whatever fails, no lock of the file is left.  Three in a row: Lua collects its garbage
-- and tries again.
local work = "env TW_FAIL=$TW_FAIL,3 " .. script("work.lua", [[
  local sqlite = require "tw.internal.sqlite"
  local path = debug.getinfo(1, "S").source:match "^@(.*)work.lua$" .. "w.db"
  local other <close> = assert(sqlite.open(path))
  other:run "CREATE TABLE IF NOT EXISTS t (x)"
  local db <close> = assert(sqlite.open(path))
  local fine, got = pcall(function()
    for i = 1, 3 do assert(db:run("INSERT INTO t VALUES (?)", i)) end
    return assert(db:rows "SELECT * FROM t WHERE x = 3")[1].x
  end)
  if not fine then assert(tostring(got):find "memory", got) end
  collectgarbage "stop"
  other:run "PRAGMA busy_timeout = 0"
  assert(other:run "DELETE FROM t")
  print(fine and got)
]])
apps.without_memory(work, "3\n", os.getenv "SMALL" and 23 or 3)

-- Memory that SQLite takes itself: the limit is that of a process.
local limited = script("limited.lua", [[
  local sqlite = require "tw.internal.sqlite"
  do
    local db <close> = assert(sqlite.open ":memory:")
    db:run("PRAGMA hard_heap_limit = " .. arg[1])
  end
  local fine, got = pcall(function()
    local db <close> = assert(sqlite.open ":memory:")
    assert(db:run "CREATE TABLE t (x)")
    for i = 1, 3 do assert(db:run("INSERT INTO t VALUES (?)", i)) end
    return assert(db:rows "SELECT * FROM t")[3].x
  end)
  if not fine then assert(tostring(got):find "memory", got) end
  print(fine and got)
]])
local refused, carried, bad = 0, 0, 0
for kib = 1, 61, os.getenv "SMALL" and 12 or 3 do
  local run = apps.shell(("timeout 120 %s %d"):format(limited, kib * 1024))
  if run.status ~= 0 or run.err ~= "" then bad = bad + 1 t.diag(run.err .. run.out)
  elseif run.out == "3\n" then carried = carried + 1
  else refused = refused + 1
  end
end
t.is(bad, 0, "SQLite without memory is an error")
t.ok(refused > 0 and carried > 0, ("%d errors, %d did with it"):format(refused, carried))

-- No SQLite.

local open = script("open.lua",
                    'print((select(2, require "tw.internal.sqlite".open "x.db")))')
os.execute("mkdir " .. root .. "/lib")
apps.put(root .. "/lib/libsqlite3.so.0", "no library")
t.is(apps.shell(("LD_LIBRARY_PATH=%s/lib %s"):format(root, open)).out,
     "SQLite is needed to keep results: install libsqlite3-0\n", "without the library")
local static = apps.program:gsub("[^/]*$", "") .. "tidewire-static"
if apps.shell("test -x " .. apps.quote(static)).status == 0 then
  t.is(apps.shell(("%s %s/open.lua"):format(apps.quote(static), root)).out,
       "this program is static: it keeps no results\n", "the static program")
else
  t.skip "there is no static program"
end

t.done()
