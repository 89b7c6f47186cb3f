-- sqlite: a table of quotes in SQLite, by its C library.  A query that takes long is left
-- to the pool.
--
--   $ tidewire scripts/ffi/sqlite.lua

local ffi = require "ffi"

ffi.cdef [[
  typedef struct sqlite3 sqlite3;
  typedef struct sqlite3_stmt sqlite3_stmt;
  int sqlite3_open(const char *path, sqlite3 **db);
  int sqlite3_close(sqlite3 *);
  int sqlite3_exec(sqlite3 *, const char *sql, int (*row)(void *, int n, char **values,
                   char **names), void *, char **error);
  int sqlite3_prepare_v2(sqlite3 *, const char *sql, int n, sqlite3_stmt **,
                         const char **);
  int sqlite3_bind_text(sqlite3_stmt *, int, const char *, int n, void (*)(void *));
  int sqlite3_bind_double(sqlite3_stmt *, int, double);
  int sqlite3_step(sqlite3_stmt *);
  int sqlite3_reset(sqlite3_stmt *);
  int sqlite3_finalize(sqlite3_stmt *);
  double sqlite3_column_double(sqlite3_stmt *, int);
  const char *sqlite3_errmsg(sqlite3 *);
]]
local sqlite = ffi.load "libsqlite3.so.0"
local DONE, ROW = 101, 100
local COPY = ffi.cast("void (*)(void *)", -1)   -- SQLITE_TRANSIENT

local opened = ffi.new "sqlite3 *[1]"
assert(sqlite.sqlite3_open(":memory:", opened) == 0)
local db <close> = ffi.gc(opened[0], sqlite.sqlite3_close)

local function check(status, wanted)
  if status ~= (wanted or 0) then error(ffi.string(sqlite.sqlite3_errmsg(db)), 2) end
end

local function prepare(sql)
  local out = ffi.new "sqlite3_stmt *[1]"
  check(sqlite.sqlite3_prepare_v2(db, sql, #sql, out, nil))
  return ffi.gc(out[0], sqlite.sqlite3_finalize)
end

local create = "create table quotes (symbol text, bid real)"
check(sqlite.sqlite3_exec(db, create, nil, nil, nil))
do
  local insert <close> = prepare "insert into quotes values (?, ?)"
  for i = 1, 1000 do
    check(sqlite.sqlite3_bind_text(insert, 1, i % 2 == 0 and "AAPL" or "MSFT", -1, COPY))
    check(sqlite.sqlite3_bind_double(insert, 2, 100 + i / 100))
    check(sqlite.sqlite3_step(insert), DONE)
    check(sqlite.sqlite3_reset(insert))
  end
end

-- A Lua function that C calls for each row.
check(sqlite.sqlite3_exec(db, "select symbol, count(*) from quotes group by 1",
  function(_, n, values)
    local row = {}
    for i = 0, n - 1 do row[#row + 1] = ffi.string(values[i]) end
    print(table.concat(row, " "))
    return 0
  end, nil, nil))

-- Other tasks go on while this one waits.
local step = ffi.blocking(sqlite.sqlite3_step)
do
  local mean <close> = prepare "select avg(bid) from quotes where symbol = 'AAPL'"
  check(step(mean), ROW)
  print(("AAPL mean %.3f"):format(sqlite.sqlite3_column_double(mean, 0)))
end
