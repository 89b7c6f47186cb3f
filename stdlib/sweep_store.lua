--- sweep_store: what sweeps keep: a file of SQLite, one run a row.
--
-- Why a run and its place in a sweep are two rows: a run that another sweep has made
-- already is found by its key, and stands in both.
--
-- Why a rollback journal, not a write-ahead log: that one needs memory that processes
-- share, which files on a network do not have.  With synchronous=EXTRA what is committed
-- outlives kill -9 and a power cut; a list of runs is committed at once.

local figures = require "tw.report_figures"
local json = require "tw.json"
local sqlite = require "tw.internal.sqlite"
local tw = require "tw"

local store = {}
local Store = {}
Store.__index = Store

local SCHEMA <const> = 1
local APPLICATION <const> = 0x74696465          -- "tide"

-- ---- columns ----

-- What stands in a column of its own: { column, field of the run or its result, type }.
local OF_RUN = {
  { "key", "key", "TEXT UNIQUE NOT NULL" }, { "params", "params", "TEXT NOT NULL" },
  { "seconds", "seconds", "REAL" }, { "error", "error", "TEXT" },
  { "traceback", "traceback", "TEXT" },
}
local OF_RESULT = {
  { "start", "start", "REAL" }, { "final", "final", "REAL" },
  { "currency", "currency", "TEXT" }, { "records", "records", "INTEGER" },
  { "from_ns", "from", "INTEGER" }, { "to_ns", "to", "INTEGER" },
  { "hash", "hash", "TEXT" }, { "ruined", "ruined", "INTEGER" },
}
local OF_FIGURES, OF_ARITHMETIC, OF_GEOMETRIC = {}, {}, {}
for _, group in ipairs(figures.GROUPS) do
  for i = 2, #group do
    local name, kind = group[i][1], group[i][3] == "count" and "INTEGER" or "REAL"
    local to = group.both and OF_ARITHMETIC or OF_FIGURES
    to[#to + 1] = { name, name, kind }
    if group.both then
      OF_GEOMETRIC[#OF_GEOMETRIC + 1] = { "geometric_" .. name, name, kind }
    end
  end
end
local FINISHED, MORE = { "finished", nil, "TEXT" }, { "more", nil, "TEXT" }

local COLUMNS = {}
for _, part in ipairs { OF_RUN, OF_RESULT, OF_FIGURES, OF_ARITHMETIC, OF_GEOMETRIC,
                        { FINISHED, MORE } } do
  table.move(part, 1, #part, #COLUMNS + 1, COLUMNS)
end

-- "a, b, c" of f(column), or of what there is.
local function list(f)
  local parts = {}
  for _, column in ipairs(COLUMNS) do parts[#parts + 1] = f(column) end
  return table.concat(parts, ", ")
end

local TABLES = {
  [[CREATE TABLE sweep (id INTEGER PRIMARY KEY, name TEXT, command TEXT, strategy TEXT,
    data TEXT, began TEXT, more TEXT)]],
  "CREATE TABLE run (id INTEGER PRIMARY KEY, "
    .. list(function(c) return c[1] .. " " .. c[3] end) .. ")",
  [[CREATE TABLE point (sweep INTEGER NOT NULL REFERENCES sweep,
    run INTEGER NOT NULL REFERENCES run, number INTEGER NOT NULL, part TEXT,
    "window" INTEGER)]],
  [[CREATE UNIQUE INDEX point_place
    ON point (sweep, number, ifnull("window", 0), ifnull(part, ''))]],
  "CREATE INDEX point_run ON point (run)",
  [[CREATE VIEW result AS SELECT sweep, number, part, "window", run.*
    FROM point JOIN run ON run.id = point.run]],
  ("PRAGMA application_id = %d"):format(APPLICATION),
  ("PRAGMA user_version = %d"):format(SCHEMA),
}

local PUT = ("INSERT INTO run (%s) VALUES (%s) ON CONFLICT (key) DO UPDATE SET %s "
  .. "WHERE run.error IS NOT NULL"):format(
    list(function(c) return c[1] end),
    list(function(c) return c == FINISHED and "datetime('now')" or "?" end),
    list(function(c)
      if c[1] ~= "key" then return ("%s = excluded.%s"):format(c[1], c[1]) end
    end))
local PLACE <const> = [[SELECT run FROM point WHERE sweep = ? AND number = ?
  AND ifnull("window", 0) = ifnull(?, 0) AND ifnull(part, '') = ifnull(?, '')]]

-- ---- a run as a row ----

-- Moves what has a column from `from` to the parameters, after n others.
local function take(columns, from, parameters, n)
  for i, column in ipairs(columns) do
    local name = column[2]
    parameters[n + i] = from[name]
    from[name] = nil
  end
  return n + #columns
end

local function give(columns, row, to)
  if not to then return end
  for _, column in ipairs(columns) do to[column[2]] = row[column[1]] end
end

local function copy(value)
  if type(value) == "userdata" then return tw.thaw(value) end
  local out = {}
  for name, of in pairs(value or out) do out[name] = of end
  return out
end

-- The parameters of PUT, and how many.
local function row_of(run)
  local r, p = copy(run), {}
  if type(r.key) ~= "string" or math.type(r.number) ~= "integer" then
    error("put: a run has a key, which is a text, and a number, which is an integer", 0)
  end
  r.number, r.part, r.window, r.finished, r.sweep = nil, nil, nil, nil, nil
  local has_result, result = r.result ~= nil, copy(r.result)
  local all = copy(result.figures)
  local arithmetic, geometric = copy(all.arithmetic), copy(all.geometric)
  r.result, r.params = nil, next(copy(r.params)) and json.encode(r.params) or "{}"
  local n = take(OF_RUN, r, p, 0)
  local unknown = next(r)
  if unknown then error(("put: a run has no '%s'"):format(unknown), 0) end
  n = take(OF_RESULT, result, p, n)
  n = take(OF_FIGURES, all, p, n)
  n = take(OF_ARITHMETIC, arithmetic, p, n)
  n = take(OF_GEOMETRIC, geometric, p, n)
  all.arithmetic, all.geometric = all.arithmetic and arithmetic,
                                  all.geometric and geometric
  result.figures = result.figures and all
  p[n + 1] = has_result and json.encode(result) or nil
  return p, n + 1
end

local function run_of(row)
  local run = { number = row.number, part = row.part, window = row.window,
                finished = row.finished }
  give(OF_RUN, row, run)
  run.params = json.decode(row.params)
  if row.more then
    local result = json.decode(row.more)
    give(OF_RESULT, row, result)
    local all = result.figures or {}
    give(OF_FIGURES, row, all)
    give(OF_ARITHMETIC, row, all.arithmetic)
    give(OF_GEOMETRIC, row, all.geometric)
    run.result = result
  end
  return run
end

-- ---- the file ----

-- What f gives, in one transaction; nothing of it when f or the end of it fails.
local function transaction(db, f)
  local begun, why, code = db:run "BEGIN IMMEDIATE"
  if not begun then return nil, why, code end
  local fine, done, problem, of = pcall(function()
    local got, reason, kind = f()
    if not got then return nil, reason, kind end
    local kept
    kept, reason, kind = db:run "COMMIT"
    return kept and got, reason, kind
  end)
  if fine and done then return done end
  db:run "ROLLBACK"
  if not fine then error(done, 0) end
  return nil, problem, of
end

-- Each statement in order, until one fails.
local function run_all(db, statements)
  for _, sql in ipairs(statements) do
    local done, why, code = db:run(sql)
    if not done then return nil, why, code end
  end
  return true
end

-- The one value that a statement gives.
local function single(db, sql)
  local rows, why, code = db:rows(sql)
  if not rows then return nil, why, code end
  return select(2, next(rows[1]))
end

local function create(db, path)
  return transaction(db, function()
    local of, why, code = single(db, "PRAGMA application_id")
    if of == APPLICATION then return true end      -- another process was first
    local tables
    if of then tables, why, code = single(db, "SELECT count(*) FROM sqlite_master") end
    if not tables then return nil, why, code end
    if of ~= 0 or tables > 0 then
      return nil, path .. ": it is a database, but not one of sweeps"
    end
    return run_all(db, TABLES)
  end)
end

-- A figure that tidewire did not know when it made the file has a column from now on.
local function complete(db)
  local rows, why, code = db:rows "SELECT name FROM pragma_table_info('run')"
  if not rows then return nil, why, code end
  local has, lacks = {}, {}
  for _, row in ipairs(rows) do has[row.name] = true end
  for _, column in ipairs(COLUMNS) do
    if not has[column[1]] then
      lacks[#lacks + 1] = ("ALTER TABLE run ADD COLUMN %s %s"):format(column[1],
                                                                     column[3])
    end
  end
  if #lacks == 0 then return true end
  return transaction(db, function() return run_all(db, lacks) end)
end

local function prepare(db, path)
  local done, why, code = db:run "PRAGMA synchronous = EXTRA"
  local of
  if done then of, why, code = single(db, "PRAGMA application_id") end
  if of and of ~= APPLICATION then of, why, code = create(db, path) end
  local version
  if of then version, why, code = single(db, "PRAGMA user_version") end
  if not version then return nil, why, code end
  if version > SCHEMA then return nil, path .. ": it is of a newer tidewire" end
  local state
  state, why, code = single(db, "PRAGMA quick_check(1)")   -- 1 ms per 1,500 runs
  if not state then return nil, why, code end
  if state ~= "ok" then
    return nil, ("%s: it is damaged: %s"):format(path, state:match "[^\n]*$")
  end
  return complete(db)
end

--- store.open(path) -> store | nil, message, code
-- The file of results, which is made where there is none.  Several processes may have it
-- open.  One of an older tidewire is read and written, too.
-- Yields: no.  Blocks: while the disk writes; up to 30 s while another process does.
-- Thread: any.
-- Errors: nil without SQLite, for a file that is none of ours or of a newer tidewire, and
-- for what the system refuses.  Units: none.
function store.open(path)
  local plain = (path == "" or path:find "^:" or path:find "^file:") and "./" .. path
  local db, why, code = sqlite.open(plain or path)
  if not db then return nil, why, code end
  local fine
  fine, why, code = prepare(db, path)
  if not fine then
    db:close()
    return nil, why, code
  end
  return setmetatable({ db = db, path = path }, Store)
end

local OF_SWEEP <const> = { name = true, command = true, strategy = true, data = true }

--- store:sweep(fields) -> id | nil, message, code
-- A sweep begins.  fields: name, command and strategy (texts), data, and what else there
-- is to say of it, in values that JSON has.
-- Yields: no.  Blocks: while the disk writes; up to 30 s while another process does.
-- Thread: its owner's.  Errors: nil for what the system refuses.  Units: none.
function Store:sweep(fields)
  local more = {}
  for name, value in pairs(fields) do
    if not OF_SWEEP[name] then more[name] = value end
  end
  local done, why, code = self.db:run([[INSERT INTO sweep
    (name, command, strategy, data, began, more)
    VALUES (?, ?, ?, ?, datetime('now'), ?)]],
    fields.name, fields.command, fields.strategy,
    fields.data ~= nil and json.encode(fields.data) or nil,
    next(more) ~= nil and json.encode(more) or nil)
  if not done then return nil, why, code end
  return single(self.db, "SELECT last_insert_rowid()")
end

local function put(self, sweep, run)
  local db, parameters, n = self.db, row_of(run)
  local done, why, code = db:run(PUT, table.unpack(parameters, 1, n))
  local rows
  if done then rows, why, code = db:rows("SELECT id FROM run WHERE key = ?", run.key) end
  if not rows then return nil, why, code end
  local id, places = rows[1].id, nil
  places, why, code = db:rows(PLACE, sweep, run.number, run.window, run.part)
  if not places then return nil, why, code end
  if not places[1] then
    return db:run([[INSERT INTO point (sweep, run, number, part, "window")
      VALUES (?, ?, ?, ?, ?)]], sweep, id, run.number, run.part, run.window)
  end
  if places[1].run == id then return true end
  error(("put: sweep %d has another run as number %d"):format(sweep, run.number), 0)
end

--- store:put(sweep, run) -> true | nil, message, code
-- Keeps a run of that sweep, or a list of runs, in one transaction: when it returns they
-- are on the disk.  run: { key, params, number, part, window, seconds, result }, or in
-- place of result error and traceback.  part and window may be nil; number, with them, is
-- its place in the sweep.  A run that has been kept under its key stays as it is, and
-- stands in this sweep, too; but one that failed is replaced.
-- Yields: no.  Blocks: while the disk writes; up to 30 s while another process does.
-- Thread: its owner's.
-- Errors: nil for what the system refuses; raises for a run that is none.
-- Units: seconds; the result's own.
function Store:put(sweep, run)
  local runs = run.key and { run } or run
  return transaction(self.db, function()
    for _, one in ipairs(runs) do
      local done, why, code = put(self, sweep, one)
      if not done then return nil, why, code end
    end
    return true
  end)
end

-- Each row through f; a damaged text is an error like others.
local function each(self, rows, f)
  local out = {}
  for i, row in ipairs(rows) do
    local fine, got = pcall(f, row)
    if not fine then
      return nil, ("%s: row %d is damaged: %s"):format(self.path, row.id, got)
    end
    out[i] = got
  end
  return out
end

--- store:find(key) -> run | nil, message, code
-- The run with that key, also one that failed, in its last place; nil alone: there is
-- none.  It is as it was put, and has finished: when that was.
-- Yields: no.  Blocks: while the disk reads; up to 30 s while another process writes.
-- Thread: its owner's.  Errors: nil for what the system refuses.
-- Units: finished: a text, in UTC.
function Store:find(key)
  -- Most are not there, and a wide statement takes 0.1 ms to prepare.
  local rows, why, code = self.db:rows("SELECT id FROM run WHERE key = ?", key)
  if rows and rows[1] then
    rows, why, code = self.db:rows(
      "SELECT * FROM result WHERE id = ? ORDER BY sweep DESC, number LIMIT 1", rows[1].id)
  end
  if rows then rows, why, code = each(self, rows, run_of) end
  if not rows then return nil, why, code end
  return rows[1]
end

--- store:runs([sweep]) -> list | nil, message, code
-- The runs of a sweep by number, or those of all sweeps, one after the other; as find has
-- them, each with its sweep.
-- Yields: no.  Blocks: while the disk reads; up to 30 s while another process writes.
-- Thread: its owner's.
-- Errors: nil for what the system refuses; raises for more than 4 million.  Units: none.
function Store:runs(sweep)
  local order = [[ ORDER BY sweep, number, "window", part]]
  local rows, why, code
  if sweep then
    rows, why, code = self.db:rows("SELECT * FROM result WHERE sweep = ?" .. order, sweep)
  else
    rows, why, code = self.db:rows("SELECT * FROM result" .. order)
  end
  if not rows then return nil, why, code end
  return each(self, rows, function(row)
    local run = run_of(row)
    run.sweep = row.sweep
    return run
  end)
end

--- store:sweeps() -> list | nil, message, code
-- What store:sweep was given, with id and began, the first one first.
-- Yields: no.  Blocks: while the disk reads; up to 30 s while another process writes.
-- Thread: its owner's.  Errors: nil for what the system refuses.
-- Units: began: a text, in UTC.
function Store:sweeps()
  local rows, why, code = self.db:rows "SELECT * FROM sweep ORDER BY id"
  if not rows then return nil, why, code end
  return each(self, rows, function(row)
    local sweep = row.more and json.decode(row.more) or {}
    for _, name in ipairs { "id", "name", "command", "strategy", "began" } do
      sweep[name] = row[name]
    end
    sweep.data = row.data and json.decode(row.data)
    return sweep
  end)
end

--- store:close()
-- Safe twice; what is put afterwards raises.
-- Yields: no.  Blocks: no.  Thread: its owner's.  Errors: none.  Units: none.
function Store:close() self.db:close() end

return store
