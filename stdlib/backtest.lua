--- backtest: a strategy over recorded data: tw.backtest.run.
--
-- Why no option for speed or workers: the same data gives the same orders, so there is
-- nothing to choose.  Many runs side by side are jobs of the pool.

local core = require "tw.internal.backtest"
local hours = require "tw.hours"
local textfile = require "tw.textfile"
local tw = require "tw"

local backtest = {}

-- ---- options ----

local OPTIONS = {
  script = "string", app = "string", data = "string|table", from = "string|number",
  to = "string|number", params = "table", cash = "number", account = "table",
  warmup = "string|number", skip_bad = "boolean", memory = "number", time = "number",
  log = "string", progress = "function", single_steps = "boolean", brief = "boolean",
  list = "boolean", save = "string", messages = "boolean",
  dictionary = "string|table",
  benchmark = "string", warn = "function", gaps = "string", resolution = "string",
  probe = "table",                  -- explain.lua's: the order that is asked about
  counted = "boolean",              -- sweep.lua's: a declared warm-up is in warmup
}

local function fail(...) error("tw.backtest: " .. string.format(...), 0) end

local function check(options)
  for name, value in pairs(options) do
    local want = OPTIONS[name] or fail("no option '%s'", tostring(name))
    if not want:find(type(value), 1, true) then
      fail("%s must be a %s, got %s", name, want:gsub("|", " or "), tostring(value))
    end
  end
end

-- A date, or a time in ns since the epoch.
local function time_of(name, value)
  if value == nil then return nil end
  return math.type(value) == "integer" and value or core.time(tostring(value))
    or fail("%s: a date like 2014-05-07 or 2014-05-07T13:30:00 expected, got %s", name,
            value)
end

-- "30d": a time in ns, nil; 500: nil, a number of records.
local function warmup_of(value)
  if value == nil then return nil end
  local records = math.tointeger(tonumber(value))
  if records and records > 0 then return nil, records end
  return hours.span(tostring(value))
    or fail("warmup: a number of records or a time like 30d expected, got %s", value)
end

-- Of what the script declares, where there is a from.
local function declared_warmup(o)
  if o.warmup or o.counted or not o.script or not o.from then return o.warmup end
  local strategy = require "tw.strategy"
  local declared = strategy.read(o.script)
  local values = declared and strategy.values(declared, o.params)
  return values and strategy.warmup(declared, values)     -- what is wrong the run says
end

local function gaps_of(text)
  local ns, why = textfile.gaps(text)
  return ns or fail("%s", why)
end

local function resolution_of(text)
  local list, why = textfile.resolution(text)
  return list or why and fail("%s", why) or nil
end

local function dictionary_of(list, messages)
  if list == nil then return nil end
  if not messages then
    fail("dictionary: it is of messages, which only a run with messages reads")
  end
  local fine, text = pcall(require "tw.declare".spelling, "tw.backtest", list)
  return fine and text or error(text:match "tw%.backtest: .*" or text, 0)
end

local function data_of(list)
  local files, given, problem = {}, textfile.list(list)
  if not given then fail("data%s", problem) end
  for i, o in ipairs(given) do
    if o.format == "fix" then
      files[i] = { path = o.path, format = "fix", member = o.member }
    elseif o.bytes then                 -- sweep_data.lua's: a part of a tape file
      files[i] = { path = o.path, bytes = o.bytes }
    else
      local path = o.path
      o.path, o.format = nil, nil
      local is_csv = next(o) or textfile.lean(path) ~= nil
      local made, why = textfile.options(path, o)
      if not made then fail("data: %s", why) end
      made.format, files[i] = is_csv and "csv" or nil, made
      if made.preset == "lean" then made.source = "lean" end   -- as tidewire convert
    end
  end
  if #files == 0 then fail("no data") end
  local one, two = textfile.twice(files)
  if one then
    fail("data: %s is there twice%s", one, two ~= one and ", also as " .. two or "")
  end
  return files
end

--- (internal) backtest.checked(options) -> table, table
-- What C takes, of what is given to backtest.run: of the run, and of its app.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises for wrong options.
-- Units: times in ns.
function backtest.checked(o)
  if type(o) == "userdata" then o = tw.thaw(o) end     -- a job's argument is frozen
  if type(o) ~= "table" then fail("a table of options expected, got a %s", type(o)) end
  check(o)
  if not o.script == not o.app then fail("either script or app is to be given") end
  local log = o.log or "keep"
  if log ~= "keep" and log ~= "print" and log ~= "none" then
    fail("log: keep, print or none, got '%s'", log)
  end
  if o.time and not (o.time >= 0 and o.time < 1e9) then
    fail("time: 0 or more seconds expected, got %s", o.time)
  end
  if o.memory and not (o.memory >= 0 and o.memory < 1e9) then
    fail("memory: 0 (all) or more MiB expected, got %s", o.memory)
  end
  local from, to = time_of("from", o.from), time_of("to", o.to)
  if from and to and from >= to then
    fail("from %s is not before to %s", o.from, o.to)
  end
  local warmup_ns, warmup_records = warmup_of(declared_warmup(o))
  local account = o.account
  if o.cash then
    if not (o.cash > 0) then fail("cash: above 0 expected, got %s", o.cash) end
    account = { cash = o.cash }
    for name, value in pairs(o.account or {}) do
      if name ~= "cash" then account[name] = value end
    end
  end
  local given = { file = o.script or o.app, script = o.script and true,
                  account = account }
  if o.script then
    given.params = o.params
  else
    given.sets = {}
    for name, value in pairs(o.params or {}) do given.sets[name] = tostring(value) end
  end
  return {
    data = data_of(o.data or {}),
    from = from, to = to,
    warmup_ns = warmup_ns, warmup_records = warmup_records, skip_bad = o.skip_bad,
    memory = o.memory, time = o.time, keep = log == "keep", silent = log == "none",
    progress = o.progress, single_steps = o.single_steps, brief = o.brief, list = o.list,
    benchmark = o.benchmark, probe = o.probe, sources = o.save ~= nil,
    messages = o.messages, warn = o.warn, gaps = gaps_of(o.gaps),
    resolution = resolution_of(o.resolution),
    dictionary = dictionary_of(o.dictionary, o.messages),
  }, given
end

--- backtest.run(options) -> result | nil, message, code, result | nil
-- Runs a strategy, or an app with all its scripts, over recorded data.  Options: script =
-- a file, with params, which it finds in self.params; or app = an app file, with params
-- as of --set: its feeds are left out, but for timers.  data: a path (CSV, FIX; plain,
-- .gz, .zip; a folder: the files in it), a table of a path and options of app.feed.csv,
-- or a list of these; several are one market, in the order of time.  from, to: records of
-- [from, to) alone; warmup: so long ("30d"), or so many records, before from are handled
-- too, without orders; what the script declares otherwise (see tw.strategy).
-- messages = true: of tape files what scripts sent that are not in this run, too, as
-- app.feed.tape has it; each in its place, at the time of the record before it.
-- dictionary: by which those of FIX sessions are read, as app.feed.tape has it, too.
-- skip_bad: a line of data that is none is left out, and does not end the run.  memory:
-- of the Lua state, MiB; 0: all.  time: how long one handler may run, in CPU seconds,
-- before that ends the run (60, or what app.limits says; 0: for ever).
-- cash, account: as app.account, over what app and scripts say.
-- benchmark: the symbol for alpha and beta; the data's only one otherwise.
-- brief: a result without orders, trades and curves; list: with the text of the order
-- list.  save: a file for tw.backtest.explain.  log: "keep", in result.log,
-- "print" or "none".  progress: a function (bytes done, of all, records, time) that is
-- called now and then, and returns true.  warn: a function that is called with each line
-- about the data (what was left out, what is odd); they are in the log otherwise.
-- resolution: "1m", "ticks" or several, "1m,1d": of the data these alone.
-- gaps: result.gaps is a line about time that the data leave out, see `tidewire help
-- backtest`: of gaps longer than that ("30m"), or never ("none").  result.unknown: the
-- symbols that scripts name and the data do not have.  result.idle, result.overdrawn,
-- result.unread: why a script has done nothing, that one spent more than it had, and
-- that one has no use for a parameter.
--
-- Everything happens in event time: tw.now, tw.sleep, timeouts, os.time are that of the
-- records, and waiting costs no time.  The same data gives the same result.
--
-- Yields: no.  Blocks: for the whole run; in the pool, other jobs run beside it.
-- Thread: any state's.
-- Errors: nil when the app, a script or the data fails: the message says where; and where
-- save can't be written, with the result behind that; raises for wrong options.
-- Units: from, to: a date, or ns since the epoch; result: as `tidewire help backtest`.
function backtest.run(options)
  local o, given = backtest.checked(options)
  if options.save then                    -- before the run, which may take long
    local fine, problem = require "tw.explain".check(options)
    if not fine then return nil, problem end
  end
  local result, why, code = core.run(o, given)
  if not result then return nil, why, code end
  result.name = given.file:match "[^/]*$"
  result.params = result.params or options.params or {}
  result.data = {}
  for i, file in ipairs(o.data) do result.data[i] = file.path end
  result.version = tw.version
  if options.save then
    local saved, problem = require "tw.explain".save(options.save, options, result)
    if not saved then return nil, problem, nil, result end
  end
  return result
end

--- backtest.explain(run, n) -> { order =, number =, events = {...} } | nil, message, code
-- Why an order filled or did not, event by event: see explain.order.  run: a file that
-- the option save wrote, or options; n: which order of result.orders.
-- Yields: no.  Blocks: for two runs.  Thread: any state's.
-- Errors: as explain.order.  Units: as there.
function backtest.explain(run, n) return require "tw.explain".order(run, n) end

return backtest
