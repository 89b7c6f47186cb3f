--- textfile: (internal) how a file of text is read, for all that read one.

local app = require "tw.app"
local hours = require "tw.hours"
local near = require "tw.near"
local tapes = require "tw.internal.tapes"

local textfile = {}

-- Those of app.feed.csv that say how a file reads, and the type of each.
textfile.OPTIONS = {
  columns = "string", preset = "string", symbol = "string", time = "string",
  separator = "string", member = "string", base = "number", price_scale = "number",
  interval = "string|number", label = "string", zone = "string", factors = "string",
  from = "number|string", to = "number|string",
}

local function put(file, path, text)
  local fine, problem, code = file:write(text)
  local closed, late, late_code = file:close()
  if fine then fine, problem, code = closed, late, late_code end
  if fine then return true end
  return nil, ("%s: %s"):format(path, problem), code
end

--- textfile.write(path, text) -> true | nil, message, code
-- All of it, or nothing: into a file beside it that takes its place, and has its mode and
-- owner.  A pipe or a device, and a file whose place none can take, is written as it is.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: nil where it can't be written.  Units: none.
function textfile.write(path, text)
  local target = tapes.real(path) or path
  local exists, is_file = tapes.identity(target)
  local file, why, code
  if is_file then
    file, why, code = io.open(path, "r+b")
    if not file then return nil, why, code end
    file:close()
  end
  local part = (is_file or not exists) and not path:find "^/dev/" and target .. ".part"
  file = part and io.open(part, "wb")
  if file then
    local fine, problem, number = put(file, path, text)
    if fine and tapes.replace(part, target) then return true end
    os.remove(part)
    if not fine then return nil, problem, number end
  end
  file, why, code = io.open(path, "wb")
  if not file then return nil, why, code end
  return put(file, path, text)
end

--- textfile.gaps(text) -> ns | nil, message
-- "30m": a limit in ns; nil: 0, the rule that needs none; "none": -1.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: nil for another text.  Units: ns.
function textfile.gaps(text)
  if text == nil then return 0 end
  if text == "none" then return -1 end
  local ns = hours.span(text)
  if ns then return ns end
  return nil, "gaps: a time like 30m, or none, expected, got " .. text
end

--- textfile.resolution(text) -> list | nil, message
-- "1m,1d" or "ticks": the seconds of bars, 0 for ticks; nil: nil.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: nil for another text.
-- Units: seconds.
function textfile.resolution(text)
  if text == nil then return nil end
  local list = {}
  for one in (text .. ","):gmatch "([^,]*)," do
    local ns = one:find "^%d+%l$" and hours.span(one)
    local seconds = ns and ns // 1000000000 or one == "ticks" and 0
    if not seconds or seconds >= 1 << 30 or #list == 8 then
      return nil, "resolution: ticks, or lengths of bars like 1m or 1m,1d, expected, got "
                  .. text
    end
    list[#list + 1] = seconds
  end
  return list
end

--- textfile.twice(files) -> path, path | nil
-- The same file under two paths, or one, that is read in the same way both times.
-- files: tables with a path and the options of reading it.
-- Yields: no.  Blocks: on the disk.  Thread: any.  Errors: none.  Units: none.
function textfile.twice(files)
  local seen = {}
  for _, file in ipairs(files) do
    local how = { tapes.identity(file.path) or file.path }
    for name, value in pairs(file) do
      if name ~= "path" and name ~= "file" and name ~= "source" then
        how[#how + 1] = name .. "=" .. tostring(value)
      end
    end
    table.sort(how)
    local key = table.concat(how, "\0")
    if seen[key] then return seen[key], file.path end
    seen[key] = file.path
  end
end

local function is_lean(path)
  local days = path:match "/%a+/%w+/(%a+)/[^/]+%.zip$"
  local ticks = path:match "/%a+/%w+/(%a+)/[^/]+/%d+_%l+%.zip$"
  return days == "daily" or days == "hour"
    or ticks == "minute" or ticks == "second" or ticks == "tick"
end

--- textfile.lean(path) -> path | nil
-- Is it where LEAN puts its files, which say what they are by their path?  Then that one,
-- with a slash before it, or from the root, where it was named from within the folders.
-- Yields: no.  Blocks: on the disk.  Thread: any.  Errors: none.  Units: none.
function textfile.lean(path)
  local below = "/" .. path
  if is_lean(below) then return below end
  local whole = tapes.real(path)
  return whole and is_lean(whole) and whole or nil
end

-- ---- folders ----

-- Of a folder that is no folder of data (/, a home) no more than so much is looked at:
-- files that are no data, and folders; more of them where there are data.
local OTHERS <const>, OF_EACH <const> = 10000, 100
local READ <const> = "named .csv or .fix (.gz, .zip), tape files, and LEAN's in their"
  .. " folders"

-- Those of LEAN's that have no records, and the one of a disk, which is root's.
local ASIDE <const> = { factor_files = true, map_files = true, ["lost+found"] = true }

-- The name of a file that is not packed, which ends in lower case: A.csv of A.CSV.GZ.
local function plain_of(name)
  local plain = name:gsub("%.[gG][zZ]$", ""):gsub("%.[zZ][iI][pP]$", "")
  return (plain:gsub("%.%w+$", string.lower))
end

-- "tape", "text" or nil: in a folder of many kinds only what is known.  What is named as
-- tape files are and can't be read as one is told of where it is opened.
local function kind_of(path, name)
  if tapes.is(path) or name:find "%.[tT][aA][pP][eE]$" then return "tape" end
  local plain = plain_of(name)
  if plain:find "%.csv$" or plain:find "%.fix$" or textfile.lean(path) then
    return "text"
  end
end

-- Adds what is in a folder to `found`; above: the folders that it is in, as a link may
-- lead back to one.
local function look(path, names, above, found)
  local id = tapes.identity(path) or path       -- it may be gone by now
  if above[id] then return end
  above[id] = true
  local stems = {}
  for _, name in ipairs(names) do
    local below = path:gsub("/+$", "") .. "/" .. name
    local inside, unread = tapes.list(below)
    if unread and not ASIDE[name] then error { "%s", unread } end
    local which, version = tapes.identity(below)
    local is_pipe = which and not version       -- or a socket: it might have no end
    local kind = not inside and not is_pipe and kind_of(below, name)
    local stem = kind == "text" and plain_of(name)
    if inside and not ASIDE[name] then look(below, inside, above, found) end
    if stem and stems[stem] then
      error({ "%s has %s and %s: name the one that is wanted", path, stems[stem], name })
    end
    if stem then stems[stem] = name end
    if kind then
      found[#found + 1] = below
      found[kind] = found[kind] or below
    else
      found.others = found.others + 1
      if found.others > OTHERS + OF_EACH * #found then
        error { "%s: of the first %d files and folders in it %d are data (those "
                .. READ .. "): name the folder that is wanted", found.top,
                found.others + #found, #found }
      end
    end
  end
  above[id] = nil
end

--- textfile.files(path) -> list | nil, message
-- The paths of what is read of a path: itself; of a folder, and of those in it, by name,
-- tape files, those named .csv or .fix (.gz, .zip), and LEAN's.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: nil for a folder without any, for one that can't be read, for one that may have
-- the same records in two forms, and for one with more files and folders that are no data
-- than 10,000 and 100 for each file of data.  Units: none.
function textfile.files(path)
  local names, unread = tapes.list(path)
  local found = { top = path, others = 0 }
  if unread then return nil, unread end
  if not names then return { path } end
  if not names[1] then return nil, path .. " is an empty folder" end
  local fine, why = pcall(look, path, names, {}, found)
  if not fine then
    return nil, type(why) == "table" and string.format(table.unpack(why)) or error(why, 0)
  end
  if found.tape and found.text then
    return nil, ("%s has tape files and others (%s, %s), which may be the same records:"
      .. " name those that are wanted"):format(path, found.tape, found.text)
  end
  if found[1] then return found end
  return nil, ("no file that can be read in %s: of a folder those are read that are %s")
    :format(path, READ)
end

--- textfile.list(data) -> list | nil, message
-- The files of the option data of tw.backtest.run, each a table with a path of its own:
-- folders are what is in them.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: as textfile.files, and nil for one without a path, and for what stands beside
-- a list of files.  Units: none.
function textfile.list(data)
  local list = {}
  if type(data) == "string" or data.path then data = { data } end
  for name in pairs(data) do
    if math.type(name) ~= "integer" then
      return nil, (": option '%s' of no file: say { path = \"x.csv\", %s = ... }")
        :format(name, name)
    end
  end
  for i, one in ipairs(data) do
    local path = one
    if type(one) == "table" then path = one.path end
    if type(path) ~= "string" then return nil, ("[%d]: no path"):format(i) end
    local found, why = textfile.files(path)
    if not found then return nil, ": " .. why end
    for _, file in ipairs(found) do
      local o = {}
      for name, value in pairs(type(one) == "table" and one or {}) do o[name] = value end
      o.path, list[#list + 1] = file, o
    end
  end
  return list
end

-- ---- options ----

--- textfile.options(path, given) -> table | nil, message
-- The options as C takes them.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: nil for an option that is not there, or is wrong.  Units: of app.feed.csv.
function textfile.options(path, given)
  local o = { file = path }
  for name, value in pairs(given) do
    if not textfile.OPTIONS[name] then
      return nil, ("no option '%s'%s"):format(name, near.hint(name, textfile.OPTIONS))
    end
    o[name] = value
  end
  if not o.preset and not o.columns and textfile.lean(path) then o.preset = "lean" end
  local fine, made = pcall(app.check_feed, "csv", o)
  if not fine then return nil, (made:gsub("^app%.feed%.csv: ", "")) end
  return made
end

return textfile
