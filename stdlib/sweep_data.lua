--- sweep_data: (internal) the data of a sweep, read once and shared by all of its runs.
--
-- Tape files are used as they are, by mmap.  Other files that follow each other become
-- one tape file without a name, which is gone with the program, however that ends.
--
-- Why a tape file that was not closed has its length fixed: it may be written to
-- meanwhile, and all runs, and the hash that they are known by, are to be of the same
-- records.

local core = require "tw.internal.sweep"
local key = require "tw.sweep_key"
local tapes = require "tw.internal.tapes"

local data = {}
data.__index = data

local function fail(...) error("tw.sweep: " .. string.format(...), 0) end

-- What each file is before anything of it is read.
local function look(self)
  for _, file in ipairs(self.files) do
    local which, version = tapes.identity(file.path)
    if tapes.is(file.path) then
      local info, why = core.range(file.path)
      if not info then fail("%s", why) end
      if info.cut then
        file.bytes, version = info.whole, nil
        if self.options.problem then
          self.options.problem(file.path .. ": " .. info.cut)
        end
      end
    end
    self.was[file] = { which = which, version = version }
  end
end

-- A file of the list that is not what it was when the sweep began; nil: none.
local function changed(self, files)
  for _, file in ipairs(files) do
    local was, which, version = self.was[file], tapes.identity(file.path)
    if which ~= was.which or was.version and version ~= was.version then
      return file.path
    end
  end
end

local function check(self, files)
  local path = changed(self, files)
  if path then fail("%s has changed meanwhile: give the command again", path) end
end

--- data:changed() -> path | nil
-- A file that runs read, and that is another one now.
-- Yields: no.  Blocks: on the disk.  Thread: any.  Errors: none.  Units: none.
function data:changed() return changed(self, self.read) end

--- data:has(symbol) -> boolean
-- Is it one of the symbols that are markets by themselves?
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function data:has(symbol)
  for _, name in ipairs(self.over == "symbol" and self.names or {}) do
    if name == symbol then return true end
  end
  return false
end

--- data.new(files, over) -> data
-- files: as backtest.checked has them.  over: "data": each file is a market by itself, of
-- its name; "symbol": each symbol; nil: all are one.  data.names is the list of markets.
-- Yields: no.  Blocks: over symbols, as data:open.  Thread: any.
-- Errors: raises where a file can't be read.  Units: none.
function data.new(files, over, options)
  local made = setmetatable({ files = files, over = over, options = options,
                              shared = {}, of = {}, hashes = {}, was = {}, read = {} },
                            data)
  look(made)
  if over == "data" then
    made.names = {}
    for i, file in ipairs(files) do
      made.names[i] = file.path
      if made.of[file.path] then fail("data: %s is there twice", file.path) end
      made.of[file.path] = { file }
    end
  elseif over == "symbol" then
    made.of[""] = files
    made:open()
    local all = {}
    for _, one in ipairs(made:paths "") do
      local info, why = core.range(one.path, one.bytes)
      if not info then fail("%s", why) end
      for _, name in ipairs(info.symbols) do all[name] = true end
    end
    made.names = {}
    for name in pairs(all) do made.names[#made.names + 1] = name end
    table.sort(made.names)
    if #made.names == 0 then fail("there is no record in the data") end
  else
    made.of[""] = files
  end
  return made
end

local function hash_of(self, name)
  if not self.hashes[name] then
    local all = {}
    for i, file in ipairs(self.of[name]) do all[i] = key.data(file) end
    check(self, self.of[name])
    self.hashes[name] = core.sha256(table.concat(all, "\n"))
  end
  return self.hashes[name]
end

--- data:hash(name) -> hex
-- Of a market, by its name ("" for all).
-- Yields: no.  Blocks: while files are read, the first time.  Thread: any.
-- Errors: raises where a file can't be read.  Units: none.
function data:hash(name)
  if self.over == "symbol" then return hash_of(self, "") .. name end
  return hash_of(self, name)
end

local function options_of(self, files, notes)
  local of = self.options
  return { data = files, skip_bad = of.skip_bad, resolution = of.resolution,
           gaps = of.gaps, from = of.from, to = of.to, since = of.since, notes = notes }
end

-- What was wrong with data, and what is to be said of it.
local function tell(self, problems, notes)
  local say = self.options.problem or function() end
  for _, text in ipairs(problems) do say(text) end
  if problems.n > #problems then
    say(("%d more of these"):format(problems.n - #problems))
  end
  for _, text in ipairs(notes) do say(text) end
end

-- A tape file of some files, or one of each symbol.  tells: of what is wrong with them.
local function pack(self, files, symbols, tells)
  local made, problems, notes = core.pack(options_of(self, files, tells), symbols,
                                          self.options.tell)
  if not made then fail("%s", problems) end
  if tells then tell(self, problems, notes) end
  return made
end

-- What runs read of tape files is looked through before anything runs.
local function survey(self, files)
  if #files == 0 then return end
  local problems, notes = core.look(options_of(self, files, true), self.options.tell)
  if not problems then fail("%s", notes) end
  tell(self, problems, notes)
end

-- Tape files of the same records in the same order: { path, [bytes] } each.
local function packed(self, files)
  local paths, some, given, texts = {}, {}, {}, 0
  for _, file in ipairs(files) do texts = texts + (tapes.is(file.path) and 0 or 1) end
  -- What is missing where a text ends and a tape file begins only both together show.
  local is_mixed = texts > 0 and texts < #files
  local function flush()
    if #some == 0 then return end
    local box = pack(self, some, nil, not is_mixed)[1]
    self.shared[#self.shared + 1], paths[#paths + 1] = box, { path = core.path(box) }
    some = {}
  end
  for _, file in ipairs(files) do
    if tapes.is(file.path) then
      flush()
      paths[#paths + 1] = { path = file.path, bytes = file.bytes }
      given[#given + 1] = paths[#paths]
      self.read[#self.read + 1] = file
    else
      some[#some + 1] = file
    end
  end
  flush()
  survey(self, is_mixed and files or given)
  check(self, files)
  return paths
end

--- data:open()
-- Makes the tape files, unless they are there.
-- Yields: no.  Blocks: while all data is read.  Thread: any.
-- Errors: raises where data can't be read, or a tape file be written.  Units: none.
function data:open()
  if not self.tapes then
    self.tapes = {}
    for name, files in pairs(self.of) do self.tapes[name] = packed(self, files) end
  end
  if self.over ~= "symbol" or not self.names or self.tapes[self.names[1]] then return end
  for first = 1, #self.names, core.AT_ONCE do
    local some = table.move(self.names, first,
                            math.min(first + core.AT_ONCE - 1, #self.names), 1, {})
    for i, box in ipairs(pack(self, self.tapes[""], some)) do
      self.shared[#self.shared + 1] = box
      self.tapes[some[i]] = { { path = core.path(box) } }
    end
  end
end

--- data:paths(name) -> list
-- The tape files of a market, as backtest.run takes them.
-- Yields: no.  Blocks: as data:open.  Thread: any.  Errors: as data:open.  Units: none.
function data:paths(name)
  self:open()
  return self.tapes[name]
end

--- data:sources(name) -> list
-- The paths that were given for a market, as a result names its data.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function data:sources(name)
  local paths = {}
  for i, file in ipairs(self.of[name] or self.files) do paths[i] = file.path end
  return paths
end

--- data:range(name) -> first, last
-- The times of the earliest and the latest record of a market.
-- Yields: no.  Blocks: as data:open.  Thread: any.  Errors: as data:open.
-- Units: ns since the epoch.
function data:range(name)
  local first, last = math.maxinteger, math.mininteger
  for _, one in ipairs(self:paths(name)) do
    local info, why = core.range(one.path, one.bytes)
    if not info then fail("%s", why) end
    if info.records > 0 then
      first, last = math.min(first, info.first), math.max(last, info.last)
    end
  end
  if first > last then fail("there is no record in the data") end
  return first, last
end

--- data:mark(name, spans)
-- spans: a list of { from, to }; those in which the market has a record get found = true.
-- Yields: no.  Blocks: as data:open.  Thread: any.  Errors: as data:open.
-- Units: ns since the epoch.
function data:mark(name, spans)
  for _, one in ipairs(self:paths(name)) do
    local fine, why = core.mark({ path = one.path, bytes = one.bytes,
                                  resolution = self.options.resolution }, spans)
    if not fine then fail("%s", why) end
  end
end

return data
