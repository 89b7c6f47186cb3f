--- backtest_command: (internal) the command backtest: its options, what it shows.
--
-- Why not in tw.backtest: each thread of a sweep has that in a state of its own, and what
-- a command needs would be a third of such a state.

local arguments = require "tw.arguments"
local backtest = require "tw.backtest"
local core = require "tw.internal.backtest"
local figures = require "tw.report_figures"
local inspect = require "tw.inspect"
local screen = require "tw.screen"
local strategy = require "tw.strategy"
local textfile = require "tw.textfile"

local command = {}

local refuse = arguments.refuse

local WIDE <const> = 79           -- columns that the summary takes
local NAMES <const> = 18          -- of which its names do

-- A bar on standard error, where that is a terminal.
local function progress_bar()
  local began = os.clock()
  return function(done, all, records)
    local spent = math.max(os.clock() - began, 1e-9)
    io.stderr:write("\r", screen.progress(all > 0 and done / all or 0,
      ("%s records, %s/s"):format(screen.number(records), screen.number(records / spent)),
      core.columns(2) or 80), "\27[K")
    return true
  end
end

-- ---- the summary ----

local fixed = figures.fixed

local function percent(x) return x and fixed(x * 100, 2) .. " %" or "-" end
local function plain(x) return x and ("%.4g"):format(x + 0.0) or "-" end
local function days(x)
  return x and (("%.0f days"):format(x):gsub("^1 days", "1 day")) or "-"
end

local function date(ns) return os.date("!%Y-%m-%d %H:%M:%S", ns // 1000000000) end

-- Two columns of names and values, side by side, or below each other where a terminal is
-- that narrow.
local function summary(r)
  local is_narrow = (core.columns(1) or WIDE) < WIDE
  local function money(x) return x and figures.money(x, r.start) or "-" end
  local f, a, g = r.figures, r.figures.arithmetic or {}, r.figures.geometric or {}
  local left = {
    { "start", money(r.start) }, { "final", money(r.final) },
    { "return", percent(f.total_return) }, { "CAGR", percent(f.cagr) },
    { "peak", money(f.peak) },
    { "max drawdown", percent(f.max_drawdown) .. ", " .. days(f.max_drawdown_days) },
    { "average drawdown",
      percent(f.average_drawdown) .. ", " .. days(f.average_drawdown_days) },
    { "exposure", percent(f.exposure) }, { "turnover", plain(f.turnover) },
    { "fees", money(f.fees) .. " " .. r.currency },
  }
  local right = {
    { "trades", tostring(f.trades) }, { "win rate", percent(f.win_rate) },
    { "best, worst", percent(f.best) .. ", " .. percent(f.worst) },
    { "average", percent(f.average) }, { "profit factor", plain(f.profit_factor) },
    { "expectancy", percent(f.expectancy) }, { "SQN, Kelly",
      plain(f.sqn) .. ", " .. plain(f.kelly) },
    { "longest, average", days(f.max_days) .. ", " .. days(f.average_days) },
    { "orders", tostring(r.sent) }, { "alpha, beta",
      percent(f.alpha) .. ", " .. plain(f.beta) },
  }
  local lines = { ("%s  %s to %s"):format(r.name, date(r.from), date(r.to)) }
  if r.ruined then
    lines[2] = "ruined            " .. date(r.ruined) .. figures.RUINED
  end
  if is_narrow then
    table.move(right, 1, #right, #left + 1, left)
    right = {}
  end
  for i, one in ipairs(left) do
    local other = right[i] or { "", "" }
    lines[#lines + 1] = ("%-18s%-26s%-18s%s"):format(one[1], one[2], other[1], other[2])
      :gsub(" +$", "")
  end
  if is_narrow then
    lines[#lines + 1] = ("%-18s%14s%14s"):format("", "arithmetic", "geometric")
    for _, one in ipairs { { "return", "annual_return", percent },
                           { "volatility", "volatility", percent },
                           { "Sharpe", "sharpe", plain }, { "Sortino", "sortino", plain },
                           { "Calmar", "calmar", plain } } do
      lines[#lines + 1] = ("%-18s%14s%14s"):format(one[1], one[3](a[one[2]]),
                                                   one[3](g[one[2]]))
    end
    return table.concat(lines, "\n") .. "\n"
  end
  lines[#lines + 1] = ("%-18s%12s%12s%12s%12s%12s"):format("", "return", "volatility",
    "Sharpe", "Sortino", "Calmar")
  for _, family in ipairs { { "arithmetic", a }, { "geometric", g } } do
    local x = family[2]
    lines[#lines + 1] = ("%-18s%12s%12s%12s%12s%12s"):format(family[1],
      percent(x.annual_return), percent(x.volatility), plain(x.sharpe),
      plain(x.sortino), plain(x.calmar))
  end
  return table.concat(lines, "\n") .. "\n"
end

-- A name and a text that no terminal wraps: nearer to the name, or in several lines; one
-- without a space, a hash, in equal parts.
local function entry(name, text)
  local room = (core.columns(1) or math.huge) - NAMES
  if #text <= room then return name .. (" "):rep(NAMES - #name) .. text end
  if #text + #name + 2 <= room + NAMES then return name .. "  " .. text end
  if not text:find " " then
    local size = #text
    while size > math.max(room, 8) do size = size // 2 end
    text = text:gsub(("."):rep(size), "%0 ")
  end
  local lines, line = {}, name .. (" "):rep(NAMES - #name - 1)
  for word in text:gmatch "%S+" do
    if #line > NAMES and #line + 1 + #word > room + NAMES then
      lines[#lines + 1], line = line, (" "):rep(NAMES - 1)
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- What is not in the report.
local function close(r)
  local lines = { entry("order list", r.hash) }
  if r.gaps then lines[#lines + 1] = entry("gaps", r.gaps) end
  lines[#lines + 1] = ("%s records in %s, %s records/s"):format(screen.number(r.records),
    screen.duration(r.seconds), screen.number(r.records / math.max(r.seconds, 1e-9)))
  return table.concat(lines, "\n") .. "\n"
end

-- ---- the command line ----

local function perform(line)
  local kinds = { orders = "text", save = "text", messages = "flag" }
  for name, kind in pairs(arguments.OF_RUNS) do kinds[name] = kind end
  local o, words = arguments.read(line, kinds)
  if o.help then return arguments.help("backtest", words) end
  local options = arguments.of_run(o, words)
  local declared = options.script and o.set and strategy.read(options.script)
  options.params, options.log = {}, o.json and "keep" or "print"
  options.brief, options.list = not (o.json or o.report), o.orders and true
  options.save, options.messages = o.save, o.messages
  for _, one in ipairs(o.set or {}) do
    options.params[one.name] = options.app and one.value
                               or strategy.value(declared, one.name, one.value)
  end
  if declared then
    local fine, why = strategy.values(declared, options.params)
    if not fine then refuse(2, "%s: %s", words[1]:match "[^/]*$", why) end
  end
  arguments.outputs(o, { "orders", "report", "save" },
                    table.move(o.data or {}, 1, #(o.data or {}), 2, { words[1] }))
  local bar = core.columns(2)
  if bar then options.progress = progress_bar() end
  function options.warn(text)
    io.stderr:write(bar and "\r\27[K" or "", "tidewire: warning: ", text, "\n")
  end
  local fine, result, why, _, unsaved = pcall(backtest.run, options)
  if bar then io.stderr:write "\r\27[K" end
  if not fine then
    refuse(tostring(result):find "^tw%.backtest: " and 2 or 1, "%s",
           (tostring(result):gsub("^tw%.backtest: ", "")))
  end
  result = result or unsaved or refuse(1, "%s", why)
  local list = result.list
  result.list = nil
  -- First, as who reads may stop; a full disk takes nothing from what is said behind it.
  local problems = { unsaved and why }
  local function note(written, problem)
    if not written then problems[#problems + 1] = "cannot write " .. problem end
  end
  if o.orders then note(textfile.write(o.orders, list)) end
  if o.report and o.report ~= "-" then
    note(require "tw.report".write(o.report, result))
  end
  if o.json then
    io.stdout:write(inspect.json(result), "\n")
  else
    if o.report == "-" then arguments.report("-", result) end
    io.stdout:write(o.report == "-" and "\n" or summary(result), close(result))
  end
  io.stdout:flush()
  if problems[1] then refuse(1, "%s", table.concat(problems, "; ")) end
  return 0
end

--- command.main(list) -> status
-- What `tidewire backtest` does.
-- Yields: no.  Blocks: for the whole run.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line that makes
-- no sense.  Units: none.
function command.main(list) return arguments.run("backtest", perform, list) end

return command
