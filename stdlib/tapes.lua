--- tapes: (internal) tape files on the command line: convert, tape, replay.

local arguments = require "tw.arguments"
local core = require "tw.internal.tapes"
local read_time = require "tw.internal.backtest".time
local strategy = require "tw.strategy"
local textfile = require "tw.textfile"

local tapes = {}

local fail = arguments.refuse

-- "12,345"
local function grouped(n)
  local text, count = ("%d"):format(n), 1
  while count > 0 do text, count = text:gsub("^(-?%d+)(%d%d%d)", "%1,%2") end
  return text
end

-- "3 files", "1 file"
local function counted(n, what)
  return grouped(n) .. " " .. what .. (n == 1 and "" or "s")
end

-- "2024-05-07 14:30:00.123456789", in UTC.
local function time_of(ns)
  return os.date("!%Y-%m-%d %H:%M:%S", ns // 1000000000)
    .. (".%09d"):format(ns % 1000000000)
end

-- A time as C takes it: ns, or the text of a date; 20140507 is a date.
local function time_option(text)
  return #text > 17 and math.tointeger(tonumber(text)) or text
end

-- ---- convert ----

-- Adds a file to the inputs.
local function add_input(inputs, path, options)
  local input = { path = path, source = path:match "[^/]*$", member = options.member,
                  format = options.format }
  local plain = path:gsub("%.gz$", ""):gsub("%.zip$", "")
  if plain:find "%.fix$" or plain:find "%.dat$" then
    input.format = input.format or "fix"
  end
  if input.format ~= "fix" then
    local csv = {}
    for name, value in pairs(options) do csv[name] = name ~= "format" and value or nil end
    local made, why = textfile.options(path, csv)
    if not made then fail(2, "%s", why) end
    for name in pairs(textfile.OPTIONS) do input[name] = made[name] end
    input.label_end = made.label_end
    if input.preset == "lean" then input.source = "lean" end
  end
  inputs[#inputs + 1] = input
end

-- Nothing was written: why.
local function no_record(report, out, inputs, o)
  local first, n = report.problems[1], report.failures
  local there, kinds
  if o.from or o.to or o.resolution then there, kinds = core.extent(inputs) end
  if there then
    fail(1, "there is no record%s%s%s, so no %s: the data are from %s%s",
         o.from and " from " .. o.from or "", o.to and " to " .. o.to or "",
         o.resolution and " of that resolution" or "", out, there,
         o.resolution and kinds and ", of " .. kinds or "")
  end
  if not first then fail(1, "there is no record, so no %s", out) end
  fail(1, "%s%s", first, n > 1 and ("; and %s: no record is left, so no %s"):format(
    counted(n - 1, "more problem"), out) or "")
end

-- What --format and --set say of CSV files.
local function csv_options(o)
  local csv = { format = o.format }
  if o.format and o.format ~= "csv" and o.format ~= "fix" then
    fail(2, "--format %s: csv or fix expected", o.format)
  end
  for _, text in ipairs(o.set or {}) do
    local name, value = text:match "^([%w_]+)=(.*)$"
    local want = textfile.OPTIONS[name]
    if not want then
      fail(2, "--set %s: an option of app.feed.csv expected: name=value", text)
    end
    csv[name] = want == "number" and (tonumber(value)
      or fail(2, "--set %s: not a number", text)) or value
  end
  return csv
end

-- The files that the words name.
local function inputs_of(words, options)
  local inputs = {}
  for _, word in ipairs(words) do
    local paths, why = textfile.files(word)
    if not paths then fail(1, "%s", why) end
    for _, path in ipairs(paths) do add_input(inputs, path, options) end
  end
  local one, two = textfile.twice(inputs)
  if one then
    fail(2, "%s is there twice%s", one, two ~= one and ", also as " .. two or "")
  end
  return inputs
end

-- What was found, and what was written.
local function tell(report, out, files)
  local function say(...) io.stderr:write("tidewire: convert: ", ...):write "\n" end
  for _, problem in ipairs(report.problems) do say(problem) end
  if report.failures > #report.problems then
    say(counted(report.failures - #report.problems, "more problem"))
  end
  if report.backwards > 0 then
    say(counted(report.backwards, "record"), " earlier than the one before in its file")
  end
  if report.mix then say(report.mix) end
  if report.gaps then say("gaps: ", report.gaps) end
  io.stderr:write(("%s: %s of %s, %s%.1f bytes a record, %.1f s\n"):format(out,
    counted(report.records, "record"), counted(files, "file"),
    report.failures > 0 and counted(report.failures, "problem") .. ", " or "",
    report.bytes / math.max(report.records, 1), report.seconds))
end

local function convert(list)
  local o, words = arguments.read(list, {
    zstd = "flag", from = "text", to = "text", ["skip-damaged"] = "flag",
    format = "text", gaps = "text", resolution = "text", set = "texts",
  })
  if #words < 2 then
    fail(2, "files to read and one to write expected: tidewire convert IN... OUT.tape")
  end
  local csv = csv_options(o)
  local gaps, wrong = textfile.gaps(o.gaps)
  if not gaps then fail(2, "--%s", wrong) end
  local resolution, problem = textfile.resolution(o.resolution)
  if problem then fail(2, "--%s", problem) end
  local out = table.remove(words)
  local inputs = inputs_of(words, csv)
  local fine, report, why = pcall(core.convert, inputs, out, {
    zstd = o.zstd, from = o.from and time_option(o.from), to = o.to and time_option(o.to),
    skip_damaged = o["skip-damaged"], gaps = gaps,
    resolution = resolution,
  })
  if not fine then fail(2, "%s", report) end
  if not report then fail(1, "%s", why) end
  if report.records == 0 then no_record(report, out, inputs, o) end
  tell(report, out, #inputs)
  return 0
end

-- ---- tape ----

local function line(name, ...)
  print(("%-10s %s"):format(name, string.format(...)))
end

-- "AAPL, GOOG, ... (12 in all)"
local function some(names)
  local first = table.concat(names, ", ", 1, math.min(#names, 12))
  return #names > 12 and ("%s, ... (%s in all)"):format(first, grouped(#names)) or first
end

local function show(path)
  local info, why = core.check(path)
  if not info then fail(1, "%s", why) end
  local kinds = {}
  for name, n in pairs(info.kinds) do kinds[#kinds + 1] = counted(n, name) end
  table.sort(kinds)
  line("records", "%s%s", grouped(info.records),
       kinds[1] and ": " .. table.concat(kinds, ", ") or "")
  if info.records > 0 then
    line("seq", "%d to %d", info.first_seq, info.last_seq)
    line("time", "%s to %s", time_of(info.first_time), time_of(info.last_time))
  end
  if info.symbols[1] then line("symbols", "%s", some(info.symbols)) end
  if info.sources[1] then line("sources", "%s", some(info.sources)) end
  if info.topics[1] then line("topics", "%s", some(info.topics)) end
  if info.scripts[1] then line("scripts", "%s", some(info.scripts)) end
  line("bytes", "%s, %.1f a record, in %s%s", grouped(info.bytes),
       info.bytes / math.max(info.records, 1), counted(info.blocks, "block"),
       info.packed > 0 and ", packed with zstd" or "")
  line("made", "%s", time_of(info.created))
  if not info.closed then
    local lost = info.cut_bytes > 0 and ("; behind its last whole block %s are lost")
      :format(counted(info.cut_bytes, "byte")) or ""
    if info.cut_records > 0 then
      lost = ("%s (%s)"):format(lost, counted(info.cut_records, "record"))
    end
    line("not whole", "%s%s", info.note, lost)
  end
  for _, problem in ipairs(info.problems) do
    io.stderr:write("tidewire: tape: ", problem, "\n")
  end
  if info.damaged > 0 then
    fail(1, "%s: %s damaged, %s can be read", path,
         info.damaged == 1 and "one block is" or counted(info.damaged, "block") .. " are",
         counted(info.readable, "record"))
  elseif info.problems[1] or info.flipped then
    fail(1, "%s is damaged, %s can be read", path, info.readable == info.records
         and "but all records" or counted(info.readable, "record"))
  end
  return 0
end

local function dump(path, o)
  local left = o.dump
  local options = {
    from = o.from and time_option(o.from), to = o.to and time_option(o.to),
    skip_damaged = o["skip-damaged"],
  }
  local fine, done, why = pcall(core.dump, path, options, function(time, text)
    io.stdout:write(time_of(time), "  ", text, "\n")
    left = left - 1
    return left > 0
  end)
  if not fine then fail(1, "%s", done) end
  if not done then fail(1, "%s", why) end
  return 0
end

local function tape(list)
  local o, words = arguments.read(list, {
    dump = "count", from = "text", to = "text", ["skip-damaged"] = "flag",
  })
  if #words ~= 1 then fail(2, "one tape file expected: tidewire tape FILE.tape") end
  for _, name in ipairs { "from", "to", "skip-damaged" } do
    if o[name] and not o.dump then fail(2, "--%s is for --dump", name) end
  end
  if o.dump then return dump(words[1], o) end
  return show(words[1])
end

-- ---- replay ----

local function refuse(...) error("replay: " .. string.format(...), 0) end

local DAY <const> = 86400 * 1000000000

-- There is something from `from` on, or before `to`?
local function check_range(path, from, to)
  local first, last = core.range(path)
  local function ns(text)
    return math.type(text) == "integer" and text or text and read_time(text)
  end
  local begins, ends = ns(from), ns(to)
  if begins and ends and begins >= ends then
    refuse("--from %s is not before --to %s", from, to)
  end
  -- A bar of a day ends with the next one.
  if first and (begins and begins > last or ends and ends <= first - DAY) then
    refuse("there is no record%s%s: the data are from %s",
           from and " from " .. from or "", to and " to " .. to or " on",
           core.extent { { path = path, source = "" } })
  end
end

local function declares(declared, name)
  for _, p in ipairs(declared.params) do if p.name == name then return true end end
  return false
end

-- self.params of each script: what --set says, of what it declares; all, where it
-- declares nothing.
local function params_of(scripts, set)
  local of, taken = {}, {}
  for i, path in ipairs(scripts) do
    local declared = strategy.read(path)
    of[i] = {}
    for _, one in ipairs(set) do
      if not declared or #scripts == 1 or declares(declared, one.name) then
        of[i][one.name] = strategy.value(declared, one.name, one.value)
        taken[one.name] = true
      end
    end
    local fine, why
    if declared then fine, why = strategy.values(declared, of[i]) end
    if declared and not fine then refuse("%s: %s", path:match "[^/]*$", why) end
  end
  for _, one in ipairs(set) do
    if not taken[one.name] then
      refuse("--set %s=%s: no script has such a parameter", one.name, one.value)
    end
  end
  return of
end

-- The tape file of a path: the only one that a folder has.
local function one_tape(path)
  local found, why = textfile.files(path)
  if not found then refuse("%s", why) end
  if #found == 1 then return found[1] end
  refuse("one tape file expected, and the folder %s has %s; tidewire convert %s OUT.tape"
         .. " makes one of them", path, counted(#found, "file"), path)
end

--- tapes.app()
-- The app of `tidewire replay`: the words of its command line are in a parameter.
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for a command line that makes no sense.  Units: none.
function tapes.app()
  local app, list = require "tw.app", {}
  for word in app.param("words", ""):gmatch "([^\1]*)\1" do list[#list + 1] = word end
  local fine, o, words = pcall(arguments.read, list, {
    speed = "number", from = "text", to = "text", limit = "number",
    ["skip-damaged"] = "flag", set = "pairs", dictionary = "text",
  })
  if not fine then refuse("%s", o.text) end
  if not words[1] then refuse("no tape file given") end
  for i = 2, #words do
    if core.is(words[i]) then
      refuse("one tape file expected, got '%s' too; tidewire convert makes one of"
             .. " several", words[i])
    end
  end
  words[1] = one_tape(words[1])
  local set = o.set or {}
  if set[1] and not words[2] then refuse("--set %s: there is no script", set[1].name) end
  local params = set[1] and params_of(table.move(words, 2, #words, 1, {}), set) or {}
  local from, to = o.from and time_option(o.from), o.to and time_option(o.to)
  if from or to then check_range(words[1], from, to) end
  local played, why = pcall(app.feed.tape, {
    path = words[1], speed = o.speed, messages = true, limit = o.limit,
    from = from, to = to, skip_damaged = o["skip-damaged"],
    dictionary = arguments.list(o.dictionary),
  })
  if not played then refuse("--%s", (tostring(why):gsub("^.-app%.feed%.tape: ", ""))) end
  for i = 2, #words do
    app.script(words[i], { params = params[i - 1] })
  end
end

--- tapes.main(list) -> status
-- What `tidewire convert` and `tidewire tape` do: the first argument is which.
-- Yields: no.  Blocks: while it reads and writes.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line that
-- makes no sense.  Units: none.
function tapes.main(list)
  local name = table.remove(list, 1)
  return arguments.run(name, name == "convert" and convert or tape, list)
end

return tapes
