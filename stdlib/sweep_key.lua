--- sweep_key: (internal) what a run of a sweep is known by: a hash of what decides it.
--
-- That is the text of the strategy and of what it requires by name, the bytes of the data
-- and how they are read, the parameters, the other options, the version of tidewire, and
-- what its figures mean.  The same key is the same result, so what is in the store needs
-- no other run.

local build = require "tw.build"
local core = require "tw.internal.sweep"
local look = require "tw.internal.backtest".look
local plan = require "tw.sweep_plan"
local tapes = require "tw.internal.tapes"
local textfile = require "tw.textfile"
local tw = require "tw"

local key = {}

local function fail(...) error("tw.sweep: " .. string.format(...), 0) end

-- One text for one value.
local function text_of(value)
  if type(value) == "userdata" then value = tw.thaw(value) end
  if type(value) ~= "table" then
    return (math.type(value) or type(value)) .. ":" .. ("%q"):format(value)
  end
  local names, parts = {}, {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    return a < b
  end)
  for i, name in ipairs(names) do
    parts[i] = ("%q=%s"):format(name, text_of(value[name]))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- ---- the strategy ----

local function read(path)
  local file <close>, why = io.open(path, "rb")
  local text
  if file then text, why = file:read "a" end
  return text, why
end

-- Adds a file to files, { name = hash }, and what it requires by a literal name; seen has
-- the hash of each by its path.
local function add(files, seen, name, path, directory)
  if files[name] then return end
  local text, why = read(path)
  if not text then fail("cannot open %s", why) end
  files[name] = core.sha256(text)
  seen[path] = files[name]
  if not path:find "%.lua$" and text:find("\0", 1, true) then return end   -- a C module
  for _, module in ipairs(build.requires(text)) do
    local found = package.searchpath(module, directory .. "?.lua;" .. package.path)
      or package.searchpath(module, package.cpath)
    if found then add(files, seen, module, found, directory) end
  end
end

local function directory_of(path) return path:match "^(.*/)" or "" end

local function compiled(path)
  local chunk, why = loadfile(path)
  if not chunk then fail("%s", why) end
end

--- key.strategy(given) -> function(params) -> hex, function() -> path | nil
-- given: as tw.internal.backtest takes it.  What an app declares may be another thing
-- with other parameters, so an app file is run for each point.  The second function tells
-- of a file that has changed since.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: raises where a file can't be read or is no Lua, and what an app file raises.
-- Units: none.
function key.strategy(given)
  local directory, files, seen = directory_of(given.file), {}, {}
  local function changed()
    for path, hash in pairs(seen) do
      local text = read(path)
      if not text or core.sha256(text) ~= hash then return path end
    end
  end
  compiled(given.file)
  add(files, seen, "", given.file, directory)
  if given.script then
    local hash = core.sha256(text_of(files))
    return function() return hash end, changed
  end
  return function(params)
    local one = { file = given.file, account = given.account, sets = {} }
    for name, value in pairs(params) do one.sets[name] = tostring(value) end
    local declared, why = look(one)
    if not declared then fail("%s", why) end
    local all = { app = declared }
    for _, script in ipairs(declared.scripts) do
      local path = script.path:find "^/" and script.path or directory .. script.path
      all[script.path] = all[script.path] or {}
      add(all[script.path], seen, "", path, directory)
    end
    all[""] = files
    return core.sha256(text_of(all))
  end, changed
end

-- ---- the data ----

-- Of a FIX dictionary, as tape files have it: { line, hash of that file ... }.
local function files_of(spelling)
  local of = {}
  for line in spelling:gmatch "[^\n]+" do
    of[#of + 1], of[#of + 2] = line, core.sha256_of_file(line) or ""
  end
  return of
end

--- key.data(file) -> hex
-- Of a file as backtest.checked has it: its bytes (of one with `bytes` the first ones),
-- how they are read, and what its path says: the symbol is the name of the file where
-- nothing else says it.  And the files of the dictionaries that a tape file names.
-- Yields: no.  Blocks: while all of it is read.  Thread: any.
-- Errors: raises where it can't be read.  Units: none.
function key.data(file)
  local which, version = tapes.identity(file.path)
  if which and not version then
    fail("%s can be read only once, so no run is known by it: --store none", file.path)
  end
  local hash, why = core.sha256_of_file(file.path, file.bytes)
  if not hash then fail("%s", why) end
  local how = { hash = hash }
  if file.factors then
    how.factored, why = core.sha256_of_file(file.factors)
    if not how.factored then fail("%s", why) end
  end
  local fine, spellings = pcall(tapes.dictionaries, file.path)
  for topic, spelling in pairs(fine and spellings or {}) do
    how.dictionaries = how.dictionaries or {}
    how.dictionaries[topic] = files_of(spelling)
  end
  for name, value in pairs(file) do
    if name ~= "path" and name ~= "file" and name ~= "source" then how[name] = value end
  end
  local lean = file.preset == "lean" and textfile.lean(file.path)
  how.name = lean and lean:match "/([^/]*/[^/]*/[^/]*/[^/]*/[^/]*)$"
             or file.path:match "[^/]*$"
  return core.sha256(text_of(how))
end

--- key.options(o, given) -> text
-- Of the rest of what backtest.checked gives.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function key.options(o, given)
  return text_of { o.from or "", o.to or "", o.warmup_ns or "", o.warmup_records or "",
                   o.skip_bad or false, o.memory or "", o.benchmark or "",
                   given.account or "", o.messages or false, o.resolution,
                   dictionary = o.dictionary and files_of(o.dictionary) }
end

-- What the figures of a run mean.  Whoever changes how one is computed, or when a run is
-- ruined, counts it up: then those that a store has are computed anew.
--   1  a run could have ratios although its equity had been at or below zero
--   2  such a run is ruined; exposure was a share of the records
--   3  it is one of the time
--   4  the fee of an order that goes to the other side is that of both trades
--   5  what a trade comes to is in the account's currency; alpha begins when the
--      benchmark does
--   6  a bar of a day is of that day; 365 days a year are for Saturdays and Sundays
key.FIGURES = 6

--- key.run(strategy, data, options, params [, figures]) -> hex
-- figures: an older meaning of them, in place of key.FIGURES: what the run was known by.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function key.run(strategy, data, options, params, figures)
  figures = figures or key.FIGURES
  local of = "tidewire " .. tw.version
  if figures > 1 then of = ("%s, figures %d"):format(of, figures) end
  return core.sha256(table.concat({ of, strategy, data, options, plan.key(params) },
                                  "\n"))
end

return key
