--- arguments: (internal) the words of a command line, for commands written in Lua.
--
--   local o, words = arguments.read(list, { data = "texts", set = "pairs" })
--
-- What makes no sense ends the command with one line and status 2.

local near = require "tw.near"
local tapes = require "tw.internal.tapes"
local textfile = require "tw.textfile"

local arguments = {}

local Refusal = {}
local WIDEST <const> = 160         -- columns of a report on a terminal

--- arguments.refuse(status, format, ...)
-- Ends the command: one line, and its status.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises, for arguments.run.
-- Units: none.
function arguments.refuse(status, ...)
  error(setmetatable({ status = status, text = string.format(...) }, Refusal), 0)
end
local refuse = arguments.refuse

local function number(word, text)
  return tonumber(text) or refuse(2, "%s %s: not a number", word, text)
end

local function count(word, text)
  local n = math.tointeger(tonumber(text))
  if not n or n < 1 then
    refuse(2, "%s %s: an integer from 1 on expected", word, text)
  end
  return n
end

local function add(word, all, one)
  all = all or {}
  for _, other in ipairs(all) do
    if other.name == one.name then refuse(2, "%s %s is given twice", word, one.name) end
  end
  all[#all + 1] = one
  return all
end

local SEVERAL <const> = { texts = true, pairs = true, settings = true }

-- How the value of an option goes into what there is of it.
local KINDS = {
  text = function(_, text) return text end,
  number = number,
  count = count,
  texts = function(_, text, all)
    all = all or {}
    all[#all + 1] = text
    return all
  end,
  pairs = function(word, text, all)
    local name, value = text:match "^([%w_]+)=(.*)$"
    if not name then refuse(2, "%s %s: name=value expected", word, text) end
    return add(word, all, { name = name, value = value })
  end,
}

-- Also a name alone.
local function settings(word, text, all)
  if not text:find "^[%w_]+$" then return KINDS.pairs(word, text, all) end
  return add(word, all, { name = text })
end
KINDS.settings = settings

--- arguments.read(list, kinds) -> options, words
-- kinds: of each option, by its name without dashes: "flag", or of its value "text",
-- "number", "count" (an integer from 1 on); "texts", "pairs" ({ name, value } of
-- name=value), "settings" (also { name } of a name alone): a list, of an option that may
-- stand there several times.  words: the rest.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: refuses an unknown option, a value that is missing or makes no sense, and one
-- that is given twice.
-- Units: none.
function arguments.read(list, kinds)
  local options, words, i = {}, {}, 1
  while i <= #list do
    local word = list[i]
    local name = word:match "^%-%-([%w-]+)$"
    local kind = name and kinds[name]
    if kind == "flag" then
      options[name] = true
    elseif kind then
      i = i + 1
      local text = list[i] or refuse(2, "%s: its value is missing", word)
      if options[name] and not SEVERAL[kind] then refuse(2, "%s is given twice", word) end
      options[name] = KINDS[kind](word, text, options[name])
    elseif word:find "^%-." then
      local meant = near.best(word:gsub("^%-+", ""), kinds)
      refuse(2, "unknown option '%s'%s", word,
             meant and ("; did you mean '--%s'?"):format(meant)
             or kinds.csv and textfile.OPTIONS[name]
             and ("; did you mean '--csv %s=...'?"):format(name) or "")
    else
      words[#words + 1] = word
    end
    i = i + 1
  end
  return options, words
end

--- arguments.value(text) -> value
-- "10" is a number, "true" a boolean, anything else a text.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function arguments.value(text)
  if text == "true" then return true end
  if text == "false" then return false end
  return tonumber(text) or text
end

--- arguments.run(name, perform, list) -> status
-- perform(list) is the command; of what it refuses there is a line on standard error.
-- Yields: as perform.  Blocks: as perform.  Thread: MAIN.
-- Errors: raises others of perform, with their traceback.  Units: none.
function arguments.run(name, perform, list)
  local fine, result = xpcall(perform, function(e)
    return getmetatable(e) == Refusal and e or debug.traceback(e)
  end, list)
  if fine then return result end
  if getmetatable(result) ~= Refusal then error(result, 0) end
  io.stderr:write("tidewire: ", name, ": ", result.text, result.status == 2
    and "; see `tidewire help " .. name .. "`\n" or "\n")
  return result.status
end

-- ---- what backtests and sweeps have in common ----

arguments.OF_RUNS = {
  data = "texts", csv = "pairs", from = "text", to = "text", warmup = "text",
  cash = "number", set = "pairs", ["skip-bad"] = "flag", json = "flag", report = "text",
  benchmark = "text", time = "number", help = "flag", gaps = "text", resolution = "text",
  dictionary = "text",
}

--- arguments.is_app(path) -> boolean | nil, message
-- Is it an app file?  That requires tw.app; a script does not.
-- Yields: no.  Blocks: while the file is read.  Thread: any.
-- Errors: nil where it can't be read.  Units: none.
function arguments.is_app(path)
  local file <close>, why = io.open(path)
  if not file then return nil, "cannot open " .. why end
  local text = file:read "a" or ""
  return text:find "require[%s%(]*[\"']tw%.app[\"']" ~= nil
end

--- arguments.help(name, words) -> status
-- What --help of a command shows: the parameters of the file, or else of the command.
-- Yields: no.  Blocks: while the file runs.  Thread: MAIN.
-- Errors: refuses where the file can't be read, or fails.  Units: none.
function arguments.help(name, words)
  local text, why
  if words[1] then text, why = require "tw.strategy".text(words[1])
  else text = require "tw.help".text(name) end
  io.stdout:write(text or refuse(1, "%s", why))
  io.stdout:flush()
  return 0
end

--- arguments.of_run(o, words) -> options
-- Of what was read with at least OF_RUNS: what tw.backtest.run takes, without params.
-- o.data is the files of its folders then.
-- Yields: no.  Blocks: while the file is read.  Thread: any.
-- Errors: refuses when there is no file, or several, or no data, also in a folder.
-- Units: none.
function arguments.of_run(o, words)
  if not words[1] then refuse(2, "no strategy and no app file given") end
  if not o.data then
    refuse(2, "no --data given%s", words[2]
           and ("; did you mean '--data %s'?"):format(words[2]) or "")
  end
  for i = 2, #words do                   -- --data a.csv b.csv
    if words[i]:find "%.lua$" then
      refuse(2, "one file expected, got '%s' too", words[i])
    end
    o.data[#o.data + 1] = words[i]
  end
  local is_app, why = arguments.is_app(words[1])
  if is_app == nil then refuse(1, "%s", why) end
  local csv, data = {}, {}
  for _, one in ipairs(o.csv or {}) do
    local is_number = textfile.OPTIONS[one.name] == "number"
    csv[one.name] = is_number and tonumber(one.value) or one.value
  end
  local paths = {}
  for _, path in ipairs(o.data) do
    local found, problem = textfile.files(path)
    if not found then refuse(1, "--data: %s", problem) end
    table.move(found, 1, #found, #paths + 1, paths)
  end
  o.data = paths
  for i, path in ipairs(paths) do
    data[i] = { path = path }
    for name, value in pairs(csv) do data[i][name] = value end
  end
  return {
    [is_app and "app" or "script"] = words[1], data = data, from = o.from,
    to = o.to, warmup = o.warmup, cash = o.cash, skip_bad = o["skip-bad"],
    benchmark = o.benchmark, time = o.time, gaps = o.gaps, resolution = o.resolution,
    dictionary = arguments.list(o.dictionary),
  }
end

--- arguments.list(text) -> list | nil
-- Of "a,b"; nil of nil.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function arguments.list(text)
  local list = text and {}
  for part in (text or ""):gmatch "[^,]+" do list[#list + 1] = part end
  return list
end

--- arguments.outputs(o, names, inputs)
-- Sees to it, before anything runs, that the files which these options name can be
-- written, and are neither each other nor one of the inputs, which are paths, and that a
-- report can have that form.  --report - is none, but standard output, which --json has,
-- too.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: refuses with status 1, or 2.
-- Units: none.
function arguments.outputs(o, names, inputs)
  local is, made, problem = {}, {}, nil
  if o.report == "-" and o.json then
    refuse(2, "--report -: standard output has what --json prints")
  end
  for _, name in ipairs(names) do
    local path = o[name]
    if path == "-" and name ~= "report" then
      refuse(2, "--%s -: the name of a file expected", name)
    end
    if path and not problem and path ~= "-" then
      local is_new = not tapes.identity(path)
      local file, why = io.open(path, "a")
      local which = file and tapes.identity(path)
      for _, input in ipairs(file and inputs or {}) do     -- a store may be there by now
        if tapes.identity(input) == which then is[which] = input .. ", which is read" end
      end
      if not file then
        problem = "cannot write " .. why
      elseif is[which] then
        problem = ("--%s %s: the same file as %s"):format(name, path, is[which])
      else
        is[which] = ("--%s %s"):format(name, path)
      end
      if file then file:close() end
      if file and is_new then made[#made + 1] = tapes.real(path) end
    end
  end
  for _, path in ipairs(made) do os.remove(path) end
  if problem then refuse(1, "%s", problem) end
  if o.report and o.report ~= "-" then
    local form, why = require "tw.report".form(o.report)
    if not form then refuse(2, "--report %s", why) end
  end
end

--- arguments.report(path, result, options)
-- What --report asks for: a file of tw.report, or "-", its text on standard output.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: refuses with status 1 where it can't be written.  Units: none.
function arguments.report(path, result, options)
  local report = require "tw.report"
  if path == "-" then
    local width = require "tw.internal.backtest".columns(1)
    io.stdout:write(report.text(result, width and math.min(width, WIDEST), options))
    return
  end
  local written, why = report.write(path, result, options)
  if not written then refuse(1, "cannot write %s", why) end
end

--- arguments.write(path, text)
-- Writes a file that was asked for.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: refuses with status 1 where it can't be written.  Units: none.
function arguments.write(path, text)
  local written, why = textfile.write(path, text)
  if not written then refuse(1, "cannot write %s", why) end
end

return arguments
