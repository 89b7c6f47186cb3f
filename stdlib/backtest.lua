--- backtest: a strategy over recorded data: tw.backtest.run and `tidewire backtest`.
--
-- Why no option for speed or workers: the same data gives the same orders, so there is
-- nothing to choose.  Many runs side by side are jobs of the pool.

local core = require "tw.internal.backtest"
local screen = require "tw.screen"
local tw = require "tw"

local backtest = {}

-- ---- options ----

local OPTIONS = {
  script = "string", app = "string", data = "string|table", from = "string|number",
  to = "string|number", params = "table", cash = "number", account = "table",
  warmup = "string|number", skip_bad = "boolean", memory = "number",
  log = "string", progress = "function", single_steps = "boolean", brief = "boolean",
  list = "boolean",
}
local UNITS = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

local function fail(...) error("tw.backtest: " .. string.format(...), 0) end

local function check(what, options, types)
  for name, value in pairs(options) do
    local want = types[name] or fail("%sno option '%s'", what, tostring(name))
    if not want:find(type(value), 1, true) then
      fail("%s%s must be a %s, got %s", what, name, want:gsub("|", " or "),
           tostring(value))
    end
  end
end

-- A date, or a time in ns since the epoch.
local function time_of(name, value)
  if value == nil then return nil end
  return math.tointeger(value) or core.time(tostring(value))
    or fail("%s: a date like 2014-05-07 or 2014-05-07T13:30:00 expected, got %s", name,
            value)
end

-- "30d": a time in ns, nil; 500: nil, a number of records.
local function warmup_of(value)
  if value == nil then return nil end
  local records = math.tointeger(tonumber(value))
  if records and records > 0 then return nil, records end
  local n, unit = tostring(value):match "^([%d.]+)(%l)$"
  n = tonumber(n)
  if not n or n <= 0 or not UNITS[unit] then
    fail("warmup: a number of records or a time like 30d expected, got %s", value)
  end
  return math.floor(n * UNITS[unit] * 1e9)
end

-- Where LEAN puts its files.
local function is_lean(path)
  local days = path:match "/%a+/%w+/(%a+)/[^/]+%.zip$"
  local ticks = path:match "/%a+/%w+/(%a+)/[^/]+/%d+_%l+%.zip$"
  return days == "daily" or days == "hour"
    or ticks == "minute" or ticks == "second" or ticks == "tick"
end

local function data_of(list)
  local files = {}
  if type(list) == "string" or list.path then list = { list } end
  for i, one in ipairs(list) do
    local o = {}
    for name, value in pairs(type(one) == "string" and { path = one } or one) do
      o[name] = value
    end
    if type(o.path) ~= "string" then fail("data[%d]: no path", i) end
    if o.format == "fix" then
      files[i] = { path = o.path, format = "fix", member = o.member }
    else
      o.file, o.path, o.format = o.path, nil, nil
      if not o.preset and not o.columns and is_lean(o.file) then o.preset = "lean" end
      local format = next(o, next(o)) and "csv"      -- it has options of CSV
      local fine, made = pcall(require "tw.app".check_feed, "csv", o)
      if not fine then fail("data: %s", (made:gsub("^app%.feed%.csv: ", ""))) end
      made.format, files[i] = format, made
    end
  end
  if #files == 0 then fail("no data") end
  return files
end

-- What C takes, of what the caller gave.
local function checked(o)
  if type(o) == "userdata" then o = tw.thaw(o) end     -- a job's argument is frozen
  if type(o) ~= "table" then fail("a table of options expected, got a %s", type(o)) end
  check("", o, OPTIONS)
  if not o.script == not o.app then fail("either script or app is to be given") end
  local log = o.log or "keep"
  if log ~= "keep" and log ~= "print" then fail("log: keep or print, got '%s'", log) end
  local warmup_ns, warmup_records = warmup_of(o.warmup)
  local account = o.account
  if o.cash then
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
    from = time_of("from", o.from), to = time_of("to", o.to),
    warmup_ns = warmup_ns, warmup_records = warmup_records, skip_bad = o.skip_bad,
    memory = o.memory, keep = log == "keep", progress = o.progress,
    single_steps = o.single_steps, brief = o.brief, list = o.list,
  }, given
end

--- backtest.run(options) -> result | nil, message, code
-- Runs a strategy, or an app with all its scripts, over recorded data.  Options: script =
-- a file, with params, which it finds in self.params; or app = an app file, with params
-- as of --set: its feeds are left out, but for timers.  data: a path (CSV, FIX; plain,
-- .gz, .zip), a table of a path and options of app.feed.csv, or a list of these; several
-- are one market, in the order of time.  from, to: records of [from, to) alone; warmup:
-- so long ("30d"), or so many records, before from are handled too, without orders.
-- skip_bad: a line of data that is none is left out, and does not end the run.  memory:
-- of the Lua state, MiB.  cash, account: as app.account, over what app and scripts say.
-- brief: a result without orders, trades and curves; list: with the text of the order
-- list.  log: "keep", in result.log, or "print".  progress: a function
-- (bytes done, of all, records, time) that is called now and then, and returns true.
--
-- Everything happens in event time: tw.now, tw.sleep, timeouts, os.time are that of the
-- records, and waiting costs no time.  The same data gives the same result.
--
-- Yields: no.  Blocks: for the whole run; in the pool, other jobs run beside it.
-- Thread: any state's.
-- Errors: nil when the app, a script or the data fails: the message says where; raises
-- for wrong options.
-- Units: from, to: a date, or ns since the epoch; result: as `tidewire help backtest`.
function backtest.run(options)
  local o, given = checked(options)
  local result, why, code = core.run(o, given)
  if not result then return nil, why, code end
  result.name = given.file:match "[^/]*$"
  result.params = options.params or {}
  result.data = {}
  for i, file in ipairs(o.data) do result.data[i] = file.path end
  return result
end

-- ---- the command ----

local Usage = {}

local function refuse(status, ...)
  error(setmetatable({ status = status, text = string.format(...) }, Usage), 0)
end

-- "10" is a number, "true" a boolean, anything else a text.
local function value_of(text)
  if text == "true" then return true end
  if text == "false" then return false end
  return tonumber(text) or text
end

local function arguments_of(list)
  local o, csv, i = { data = {}, params = {}, log = "print" }, {}, 0
  local function value(word)
    i = i + 1
    return list[i] or refuse(2, "%s: its value is missing", word)
  end
  local function pair(word)
    local name, text = value(word):match "^([%w_]+)=(.*)$"
    return name or refuse(2, "%s %s: name=value expected", word, list[i]), text
  end
  while i < #list do
    i = i + 1
    local word = list[i]
    if word == "--data" then o.data[#o.data + 1] = { path = value(word) }
    elseif word == "--from" or word == "--to" or word == "--warmup" then
      o[word:sub(3)] = value(word)
    elseif word == "--set" then
      local name, text = pair(word)
      o.params[name] = text
    elseif word == "--csv" then
      local name, text = pair(word)
      csv[name] = (name == "base" or name == "price_scale") and tonumber(text) or text
    elseif word == "--cash" then
      o.cash = tonumber(value(word)) or refuse(2, "--cash %s: not a number", list[i])
    elseif word == "--skip-bad" then o.skip_bad = true
    elseif word == "--json" then o.json = true
    elseif word == "--orders" or word == "--report" then o[word:sub(3)] = value(word)
    elseif word:find "^%-" then refuse(2, "unknown option '%s'", word)
    elseif o.path then refuse(2, "one file expected, got '%s' too", word)
    else o.path = word
    end
  end
  if not o.path then refuse(2, "no strategy and no app file given") end
  if #o.data == 0 then refuse(2, "no --data given") end
  for _, file in ipairs(o.data) do
    for name, text in pairs(csv) do file[name] = text end
  end
  return o
end

-- An app file requires tw.app; a script does not.
local function is_app(path)
  local file <close>, why = io.open(path)
  if not file then refuse(1, "cannot open %s", why) end
  local text = file:read "a" or ""
  return text:find "require[%s%(]*[\"']tw%.app[\"']" ~= nil
end

local BAR = 30

-- A bar on standard error, where that is a terminal.
local function progress_bar()
  local began = os.clock()
  return function(done, all, records)
    local part = all > 0 and math.min(done / all, 1) or 0
    local full = math.floor(part * BAR)
    local spent = math.max(os.clock() - began, 1e-9)
    io.stderr:write(("\r%s%s %3d %%  %s records, %s/s\27[K"):format(("█"):rep(full),
      ("░"):rep(BAR - full), math.floor(part * 100), screen.number(records),
      screen.number(records / spent)))
    return true
  end
end

-- ---- the summary ----

local function percent(x) return x and ("%.2f %%"):format(x * 100 + 0.0) or "-" end
local function plain(x) return x and ("%.4g"):format(x) or "-" end
local function days(x) return x and ("%.0f days"):format(x) or "-" end
local function money(x) return x and ("%.2f"):format(x) or "-" end

local function date(ns) return os.date("!%Y-%m-%d %H:%M:%S", ns // 1000000000) end

-- Two columns of names and values, side by side.
local function summary(r)
  local f, a, g = r.figures, r.figures.arithmetic or {}, r.figures.geometric or {}
  local left = {
    { "start", money(r.start) }, { "final", money(r.final) },
    { "return", percent(f.total_return) }, { "CAGR", percent(f.cagr) },
    { "peak", money(f.peak) },
    { "max drawdown", percent(f.max_drawdown) .. ", " .. days(f.max_drawdown_days) },
    { "average drawdown",
      percent(f.average_drawdown) .. ", " .. days(f.average_drawdown_days) },
    { "exposure", percent(f.exposure) }, { "turnover", plain(f.turnover) },
    { "fees", money(f.fees) },
  }
  local right = {
    { "trades", tostring(f.trades) }, { "win rate", percent(f.win_rate) },
    { "best, worst", percent(f.best) .. ", " .. percent(f.worst) },
    { "average", percent(f.average) }, { "profit factor", plain(f.profit_factor) },
    { "expectancy", percent(f.expectancy) }, { "SQN, Kelly",
      plain(f.sqn) .. ", " .. plain(f.kelly) },
    { "longest, average", days(f.max_days) .. ", " .. days(f.average_days) },
    { "orders", tostring(r.sent) }, { "currency", r.currency },
  }
  local lines = { ("%s  %s to %s"):format(r.name, date(r.from), date(r.to)) }
  for i, one in ipairs(left) do
    lines[#lines + 1] = ("%-18s%-26s%-18s%s"):format(one[1], one[2], right[i][1],
                                                    right[i][2])
  end
  lines[#lines + 1] = ("%-18s%12s%12s%12s%12s%12s"):format("", "return", "volatility",
    "Sharpe", "Sortino", "Calmar")
  for _, family in ipairs { { "arithmetic", a }, { "geometric", g } } do
    local x = family[2]
    lines[#lines + 1] = ("%-18s%12s%12s%12s%12s%12s"):format(family[1],
      percent(x.annual_return), percent(x.volatility), plain(x.sharpe),
      plain(x.sortino), plain(x.calmar))
  end
  lines[#lines + 1] = "order list        " .. r.hash
  lines[#lines + 1] = ("%s records in %s, %s records/s"):format(screen.number(r.records),
    screen.duration(r.seconds), screen.number(r.records / math.max(r.seconds, 1e-9)))
  return table.concat(lines, "\n") .. "\n"
end

-- ---- JSON ----

local function json(value)
  local kind = type(value)
  if kind == "number" then
    if value ~= value or value == math.huge or value == -math.huge then return "null" end
    return math.type(value) == "integer" and tostring(value) or ("%.17g"):format(value)
  elseif kind == "boolean" then return tostring(value)
  elseif kind == "string" then
    return '"' .. value:gsub('[%c"\\]', function(c)
      return ("\\u%04x"):format(c:byte())
    end) .. '"'
  elseif kind == "table" and #value == 0 and next(value) ~= nil then
    local names, parts = {}, {}
    for name in pairs(value) do names[#names + 1] = tostring(name) end
    table.sort(names)
    for i, name in ipairs(names) do parts[i] = json(name) .. ":" .. json(value[name]) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  local parts = {}                              -- a list, or an array
  for i = 1, #value do parts[i] = json(value[i]) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function write(path, text)
  local file, why = io.open(path, "w")
  if not file then refuse(1, "cannot write %s", why) end
  local fine, problem = file:write(text)
  if fine then fine, problem = file:close() end
  if not fine then refuse(1, "cannot write %s: %s", path, problem) end
end

local function perform(list)
  local o = arguments_of(list)
  local options = {
    data = o.data, from = o.from, to = o.to, warmup = o.warmup, cash = o.cash,
    skip_bad = o.skip_bad, log = o.log, params = o.params,
    brief = not (o.json or o.report), list = o.orders and true,
  }
  local app = is_app(o.path)
  options[app and "app" or "script"] = o.path
  if not app then
    for name, text in pairs(o.params) do o.params[name] = value_of(text) end
  end
  local bar = core.is_terminal()
  if bar then options.progress = progress_bar() end
  local fine, result, why = pcall(backtest.run, options)
  if bar then io.stderr:write "\r\27[K" end
  if not fine then
    refuse(tostring(result):find "^tw%.backtest: " and 2 or 1, "%s",
           (tostring(result):gsub("^tw%.backtest: ", "")))
  end
  if not result then refuse(1, "%s", why) end
  if o.orders then write(o.orders, result.list) end
  result.list = nil
  if o.report then
    local written, problem = require "tw.report".write(o.report, result)
    if not written then refuse(1, "cannot write %s", problem) end
  end
  io.stdout:write(o.json and json(result) .. "\n" or summary(result))
  io.stdout:flush()
  return 0
end

--- backtest.main(arguments) -> status
-- What `tidewire backtest` does.
-- Yields: no.  Blocks: for the whole run.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line that makes
-- no sense.  Units: none.
function backtest.main(arguments)
  local fine, result = xpcall(perform, function(e)
    return getmetatable(e) == Usage and e or debug.traceback(e)
  end, arguments)
  if fine then return result end
  if getmetatable(result) ~= Usage then error(result, 0) end
  io.stderr:write("tidewire: backtest: ", result.text,
                  result.status == 2 and "; see `tidewire help backtest`\n" or "\n")
  return result.status
end

return backtest
