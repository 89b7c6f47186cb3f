--- sweep_command: (internal) the command sweep: its options, what it shows.

local arguments = require "tw.arguments"
local core = require "tw.internal.sweep"
local figures = require "tw.report_figures"
local job = require "tw.sweep_job"
local plan = require "tw.sweep_plan"
local screen = require "tw.screen"
local strategy = require "tw.strategy"
local sweep = require "tw.sweep"
local tw = require "tw"

local command = {}

local columns, refuse = require "tw.internal.backtest".columns, arguments.refuse
local SHOWN = { "total_return", "sharpe", "max_drawdown", "trades" }   -- beside `by`
local ERRORS <const> = 3           -- different ones that are printed

local KINDS = {
  random = "count", seed = "number", list = "text", where = "text", over = "text",
  jobs = "count", store = "text", by = "text", top = "count", results = "text",
  train = "text", walk = "text", anchored = "flag", messages = "flag",
}
for name, kind in pairs(arguments.OF_RUNS) do KINDS[name] = kind end
KINDS.set = "settings"

local function show(x, kind) return (figures.show(x, kind):gsub("–", "-")) end

local function say(...)
  io.stderr:write("tidewire: sweep: ", string.format(...), "\n")
end

-- ---- meanwhile ----

local function clock_of(seconds)
  if seconds >= 360000 then return "over 99 h" end
  local whole = math.ceil(seconds)
  return ("%d:%02d"):format(whole // 60, whole % 60)
end

local function state_text(state, by)
  if state.rate == 0 then return ("%d of %d"):format(state.done, state.total) end
  local text = ("%d of %d, %d failed, %s/s, %s left"):format(state.done, state.total,
    state.failed, screen.number(state.rate), clock_of(state.left))
  local value = state.best and sweep.value(state.best, by)
  if not value then return text end
  return ("%s, best %s %s"):format(text, figures.label(by), show(value,
                                                                 figures.find(by)[3]))
end

-- A bar where standard error is a terminal; else a line at each tenth, and not more than
-- one in ten seconds: a file has no use for more.
local function progress_of(by, is_terminal)
  local drawn, tenth = tw.clock(), 0
  return function(state)
    local now = tw.clock()
    if is_terminal then
      if now - drawn < 0.1 and state.done ~= state.total then return end
      drawn = now
      io.stderr:write("\r", screen.progress(
        (state.done or state.reading) / math.max(state.total or state.bytes, 1),
        state.total and state_text(state, by) or "of the data is read",
        columns(2) or 80), "\27[K")
    elseif state.reading then
      if tenth == 0 and now - drawn > 10 then
        say("reading %s of data", screen.bytes(state.bytes))
        tenth = 0.5                               -- said once
      end
    else
      local at = state.done * 10 // state.total
      if at <= tenth or now - drawn < 10 then return end
      tenth, drawn = at, now
      say("%s", state_text(state, by))
    end
  end, function()
    if is_terminal then io.stderr:write "\r\27[K" end
  end
end

-- ---- at the end ----

local function shown_of(by)
  local names = { by }
  for _, name in ipairs(SHOWN) do
    if name ~= by then names[#names + 1] = name end
  end
  return names
end

-- The table as wide as the terminal is: first figures go that are not `by`, the last
-- first, then what else is named.  Of long names, paths, the end is shown.
local function fitted(rows, titles, shown, others)
  local width, dispensable = columns(1), {}
  if not width then return screen.table(rows, titles) .. "\n" end
  local most = math.max(width // 3, 12)
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      if (utf8.len(cell) or #cell) > most then
        row[i] = "…" .. cell:sub(utf8.offset(cell, 1 - most) or 1)
      end
    end
  end
  for i = #shown, 2, -1 do dispensable[#dispensable + 1] = figures.label(shown[i]) end
  for i = #others, 1, -1 do dispensable[#dispensable + 1] = others[i] end
  return screen.narrow(rows, titles, width, dispensable) .. "\n"
end

local function top_text(s, top)
  local shown = shown_of(s.by)
  local titles, rows = { "#" }, {}
  for _, name in ipairs(s.names) do titles[#titles + 1] = name end
  for _, name in ipairs(shown) do titles[#titles + 1] = figures.label(name) end
  for i, run in ipairs(sweep.ranked(s.runs, s.by)) do
    if i > top or not run.result then break end
    local row = { tostring(i) }
    for _, name in ipairs(s.names) do
      row[#row + 1] = run.params[name] == nil and "-" or tostring(run.params[name])
    end
    for _, name in ipairs(shown) do
      row[#row + 1] = show(sweep.value(run, name), figures.find(name)[3])
    end
    if run.result.ruined then row[#s.names + 2] = figures.ruined(run.result) end
    rows[i] = row
  end
  return #rows > 0 and fitted(rows, titles, shown, s.names) or ""
end

-- The markets of a walk, by what their tests made together, and how many windows that
-- were better than nothing in the training were so in the test.
local function markets_text(s)
  local shown, rows, list = shown_of(s.by), {}, {}
  local titles = { "#", s.over, "windows", "held" }
  for _, name in ipairs(shown) do titles[#titles + 1] = figures.label(name) end
  for i, market in ipairs(s.markets) do
    list[i] = { number = i, result = market.joined, windows = market.windows,
                name = market.name }
  end
  for i, one in ipairs(sweep.ranked(list, s.by)) do
    local held, above = 0, 0
    for _, window in ipairs(one.windows) do
      if window.ratio then above = above + 1 end
      if window.ratio and window.ratio > 0 then held = held + 1 end
    end
    rows[i] = { tostring(i), one.name, tostring(#one.windows),
                ("%d of %d"):format(held, above) }
    for _, name in ipairs(shown) do
      table.insert(rows[i], show(sweep.value(one, name), figures.find(name)[3]))
    end
    if one.result and one.result.ruined then rows[i][5] = figures.ruined(one.result) end
  end
  return ("Tests of %d windows, best by %s first\n"):format(#s.windows,
    figures.label(s.by)) .. fitted(rows, titles, shown, { "windows" })
end

-- The names of all figures, as figures.get takes them.
local function figure_names()
  local names = {}
  for _, group in ipairs(figures.GROUPS) do
    for i = 2, #group do names[#names + 1] = group[i][1] end
  end
  for _, group in ipairs(figures.GROUPS) do
    for i = 2, group.both and #group or 1 do
      names[#names + 1] = "geometric." .. group[i][1]
    end
  end
  return names
end

local function cell(value)
  if value == nil then return "" end
  local text = tostring(value)
  if math.type(value) == "float" then
    for digits = 15, 17 do
      text = ("%%.%dg"):format(digits):format(value)
      if tonumber(text) == value then return text end
    end
  end
  if not text:find '[",\r\n]' then return text end
  return '"' .. text:gsub('"', '""') .. '"'
end

-- All runs as CSV.
local function csv_text(s)
  local names = figure_names()
  local fields = { "start", "final", "ruined", "records", "seconds", "hash" }
  local titles = { "number" }
  if s.windows then titles = { "number", "window", "part" } end
  for _, list in ipairs { s.names, { "error" }, fields, names } do
    for _, name in ipairs(list) do titles[#titles + 1] = cell(name) end
  end
  local lines = { table.concat(titles, ",") }
  for i, run in ipairs(s.runs) do
    local row, result = { cell(run.number) }, run.result or {}
    if s.windows then row = { cell(run.number), cell(run.window), cell(run.part) } end
    for _, name in ipairs(s.names) do row[#row + 1] = cell(run.params[name]) end
    row[#row + 1] = cell(run.error)
    for _, name in ipairs(fields) do row[#row + 1] = cell(result[name]) end
    for _, name in ipairs(names) do row[#row + 1] = cell(figures.get(result, name)) end
    lines[i + 1] = table.concat(row, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

-- What tw.report draws of a sweep; of one over markets, the tests of each.
local function results_of(s)
  local list = {}
  for i, market in ipairs(s.markets or {}) do
    list[i] = market.joined or { params = { [s.over] = market.name },
                                 error = "no test has ended" }
  end
  if s.markets then return list end
  for _, run in ipairs(s.runs) do
    if run.part ~= "test" then
      list[#list + 1] = run.result
                        or { params = run.params, error = run.error,
                             traceback = run.traceback }
    end
  end
  if not s.joined then return list end
  s.joined.sweep = list
  return s.joined
end

local function write_report(s, path, name)
  local title = s.walk and "Walk-forward of " .. name or s.train and "Test of " .. name
  arguments.report(path, results_of(s), { by = s.by, title = title })
  if s.joined then s.joined.sweep = nil end
end

local function failures(s)
  if s.failed == 0 then return end
  local seen, n = {}, 0
  say("%d of %d runs failed", s.failed, s.total)
  for _, run in ipairs(s.runs) do
    if run.error and not seen[run.error] and n < ERRORS then
      seen[run.error], n = true, n + 1
      local params = {}
      for i, name in ipairs(s.names) do
        params[i] = ("%s=%s"):format(name, tostring(run.params[name]))
      end
      local point = params[1] and table.concat(params, " ") .. ": " or ""
      io.stderr:write("  ", point, run.error, "\n")
    end
  end
end

-- Runs of whose results that field tells, and what most of them have there.
local function tell(s, field, of)
  local n, counts, most = 0, {}, nil
  for _, run in ipairs(s.runs) do
    local why = run.result and run.result[field]
    if why then
      n, counts[why] = n + 1, (counts[why] or 0) + 1
      if not most or counts[why] > counts[most] then most = why end
    end
  end
  if n > 0 then say(of, n, #s.runs, most) end
end

local function json_text(s)
  local runs = {}
  for i, run in ipairs(s.runs) do
    runs[i] = { number = run.number, params = run.params, error = run.error,
                result = run.result and job.brief(run.result), window = run.window,
                part = run.part }
  end
  local windows = s.windows and {}
  for i, window in ipairs(s.windows or {}) do
    windows[i] = {}
    for key, value in pairs(window) do
      if key ~= "run" then windows[i][key] = value end
    end
  end
  local function tests_of(joined)
    return joined and { start = joined.start, final = joined.final,
                        ruined = joined.ruined, figures = joined.figures,
                        days = joined.days }
  end
  local markets = s.markets and {}
  for i, market in ipairs(s.markets or {}) do
    markets[i] = { name = market.name, joined = tests_of(market.joined) }
  end
  return require "tw.json".encode {
    by = s.by, total = s.total, failed = s.failed, runs = runs,
    best = s.best and s.best.number, windows = windows, joined = tests_of(s.joined),
    markets = markets,
  } .. "\n"
end

-- ---- the command ----

-- At random 0:1 has two values, 0.0:1.0 all between: of a number either may be meant.
local function tell_integers(declared, name, text)
  local from, to = (text or ""):match "^(%-?%d+):(%-?%d+)$"
  for _, p in ipairs(from and declared and declared.params or {}) do
    if p.name == name and p.type == "number" then
      say("--set %s=%s: the integers from %s to %s; %s=%s.0:%s.0 is any value between",
          name, text, from, to, name, from, to)
    end
  end
end

local function options_of(o, words, list)
  local options = arguments.of_run(o, words)
  if o.cash and not (o.cash > 0) then refuse(2, "--cash: above 0 expected") end
  local declared = options.script and o.set and strategy.read(options.script)
  options.set = {}
  for _, one in ipairs(o.set or {}) do
    if not one.value and not declared then
      refuse(2, "--set %s: name=value expected; alone stands what a script declares",
             one.name)
    end
    options.set[one.name] = plan.parse(one.name, one.value, function(text)
      return strategy.value(declared, one.name, text)
    end)
    if o.random then tell_integers(declared, one.name, one.value) end
  end
  for _, name in ipairs { "random", "list", "where", "over", "jobs", "by", "train",
                          "walk", "anchored", "messages" } do
    options[name] = o[name]
  end
  options.seed = o.seed and (math.tointeger(o.seed)
    or refuse(2, "--seed %s: an integer expected", o.seed))
  options.store = o.store
    or words[1]:match "([^/]*)$":gsub("%.lua$", "") .. ".sweep.db"
  options.command = "tidewire sweep " .. table.concat(list, " ")
  options.detail = o.report and not (o.train or o.walk)
  options.stop = core.caught
  local inputs = table.move(o.data, 1, #o.data, 3, { words[1], options.store })
  inputs[#inputs + 1] = o.list
  arguments.outputs(o, { "results", "report" }, inputs)
  return options
end

-- What was asked for is a test.
local function is_tested(s)
  for _, window in ipairs(s.windows) do
    if window.run then return true end
  end
  return false
end

local function finish(s, o, name)
  s.walk, s.train, s.over = o.walk, o.train, o.over
  -- First, as who reads may stop; a full disk takes nothing from what is said behind it.
  local written, problem = true, nil
  if o.results then written, problem = pcall(arguments.write, o.results, csv_text(s)) end
  if o.report and o.report ~= "-" then
    local fine, why = pcall(write_report, s, o.report, name)
    if not fine then written, problem = false, problem or why end
  end
  if o.json then
    io.stdout:write(json_text(s))
  elseif o.report == "-" then
    write_report(s, "-", name)
  elseif s.joined then
    arguments.report("-", s.joined)
  elseif s.markets then
    io.stdout:write(markets_text(s))
  else
    local ruined = 0
    for _, run in ipairs(s.runs) do
      if run.result and run.result.ruined then ruined = ruined + 1 end
    end
    local counts = ("%s: %d of %d runs, %d failed%s"):format(name, s.done, s.total,
      s.failed, ruined > 0 and (", %d ruined"):format(ruined) or "")
    local order = ("best by %s first\n"):format(figures.label(s.by))
    local is_narrow = #counts + #order + 1 > (columns(1) or math.huge)
    io.stdout:write(counts, is_narrow and "\n" or "; ", order, top_text(s, o.top or 10))
  end
  io.stdout:flush()
  failures(s)
  tell(s, "idle", "%d of %d runs did nothing: %s")
  tell(s, "overdrawn", "%d of %d runs spent more than they had; one of them: %s")
  if not written then error(problem, 0) end
  if s.stopped and core.caught() then return 128 + core.caught() end
  if s.windows and not is_tested(s) then return 1 end
  return s.failed == s.total and 1 or 0
end

local function perform(list)
  local o, words = arguments.read(list, KINDS)
  if o.help then return arguments.help("sweep", words) end
  local is_terminal = columns(2) ~= nil
  local fine, s, why, code, clear, options
  fine, s = pcall(function()
    options = options_of(o, words, list)
    options.progress, clear = progress_of(options.by or "sharpe", is_terminal)
    options.say = function(text)
      clear()
      say("%s", text)
    end
    core.catch()
    collectgarbage("incremental", 150)     -- of many results half would be garbage
    local made
    made, why, code = sweep.run(options)
    clear()
    return made
  end)
  if not fine then
    local text = type(s) == "string" and s:match "^tw%.sweep: (.*)"
    if text then refuse(2, "%s", text) end
    error(s, 0)
  end
  if not s and code == "store" and not o.store then
    refuse(1, "%s; with --store none nothing is kept", why)
  end
  if not s then refuse(1, "%s", why) end
  return finish(s, o, words[1]:match "[^/]*$")
end

--- command.main(list) -> status
-- What `tidewire sweep` does.
-- Yields: until the sweep has ended.  Blocks: while data is read.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line that makes
-- no sense; 130 or 143 where a signal has ended it.  Units: none.
function command.main(list) return arguments.run("sweep", perform, list) end

return command
