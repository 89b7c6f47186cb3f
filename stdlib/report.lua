--- report: a backtest or a sweep as one HTML page, or as text for a terminal.
--
--   local report = require "tw.report"
--   report.write("crossover.html", result)          -- of tw.backtest
--   report.write("sweep.html", results, { by = "calmar" })
--   report.write("crossover.txt", result)           -- the same as text
--   print(report.text(result))
--
-- A page is one file that needs no network: charts are SVG inside it, and a few lines of
-- script sort its tables.  The same results make the same bytes.  It stays small: a
-- line keeps what a thousand columns can show, a table a thousand rows, and what is left
-- out is said.

local data = require "tw.report_data"
local figures = require "tw.report_figures"
local page = require "tw.report_page"
local run = require "tw.report_run"
local screen = require "tw.screen"
local svg = require "tw.report_svg"
local sweep = require "tw.report_sweep"
local text = require "tw.report_text"

local report = {}

local WIDTH <const> = 80           -- of a text
local NARROWEST <const> = 40
local FORMS = { html = "html", htm = "html", txt = "txt" }
local KNOWN = { title = true, by = true, x = true, y = true }

local function check(what, options)
  local kind = type(what)
  if kind ~= "table" and kind ~= "userdata" then
    error("report: a result or a list of results expected, got a " .. kind, 3)
  end
  local o = options or {}
  for _, name in ipairs(data.keys(o)) do
    if not KNOWN[name] then
      error(("report: no option '%s'"):format(tostring(name)), 3)
    end
  end
  if o.by ~= nil and not (type(o.by) == "string" and figures.find(o.by)) then
    error(("report: by: no figure '%s'%s"):format(tostring(o.by),
      type(o.by) == "string" and figures.hint(o.by) or ""), 3)
  end
  return o
end

-- A list of results, and no result: it has none of its fields.
local function is_list(what)
  for _, key in ipairs { "figures", "days", "curve", "trades", "params", "name" } do
    if what[key] ~= nil then return false end
  end
  return true
end

local function make(what, o)
  local several = is_list(what)
  local title = o.title or (several and sweep.title(what))
                or "Backtest of " .. tostring(what.name or "a strategy")
  local head = several and sweep.about(what, o) or run.about(what)
  return page.document(title, table.concat {
    "<header>\n<h1>", svg.escape(title), "</h1>\n", head,
    '<button id="theme" type="button" hidden>Dark</button>\n</header>\n<main>\n',
    several and sweep.body(what, o) or run.body(what),
    what.sweep and sweep.runs(what.sweep, o) or "", "</main>\n",
    run.footer(several and {} or what),
  })
end

--- report.html(result | results [, options]) -> string
-- The page of a backtest, or of a list of them: a sweep, where a run that failed is
-- { params =, error = [, traceback =] }.  options: title; for a sweep also by, the figure
-- that says which run is best ("sharpe"; "geometric.sharpe" is the other definition), and
-- x and y, the two parameters of the map that is shown first.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what is no table, an unknown option and an unknown figure.
-- Units: see report_figures.
function report.html(what, options) return make(what, check(what, options)) end

-- As text: of several the best, and all of the best one.
local function make_text(what, width, o)
  local by = o.by or "sharpe"
  local title = o.title and screen.frame({ o.title }, width, 1)[1] .. "\n\n" or ""
  if not is_list(what) then
    return title .. text.run(what, width)
           .. (what.sweep and "\n" .. text.sweep(what.sweep, width, by) or "")
  end
  local best = sweep.ranked(what, by)[1]
  return title .. text.sweep(what, width, by)
         .. (best and best.value and "\n" .. text.run(best.result, width) or "")
end

--- (internal) report.form(path) -> "html" | "txt" | nil, message
-- What a file of that name would have: .html and .htm, or no ending, a page, .txt text.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: nil and a message for another ending.  Units: none.
function report.form(path)
  local ending = path:match "[^/]*$":match ".%.([^.]*)$"
  local form = FORMS[ending and ending:lower() or "html"]
  if form then return form end
  return nil, ("%s: an ending that is known expected: .html, .htm or .txt"):format(path)
end

--- report.write(path, result | results [, options]) -> true | nil, message, code
-- Writes report.html to a file; what the file held before is lost when all is written.
-- To one that ends in .txt report.text is written.
-- Yields: no.  Blocks: until the file is written.  Thread: any.
-- Errors: nil, a message and a code where it can't be written; raises for an ending that
-- report.form does not know, and as report.html.  Units: none.
function report.write(path, what, options)
  local o = check(what, options)
  local form, unknown = report.form(path)
  if not form then error("report.write: " .. unknown, 2) end
  local shown = form == "txt" and make_text(what, WIDTH, o) or make(what, o)
  return require "tw.textfile".write(path, shown)
end

--- report.text(result | results [, width [, options]]) -> string
-- The same for a terminal: figures, equity and drawdown, returns by month, rolling
-- Sharpe, the distribution of returns, trades on price, exposure, the deepest
-- drawdowns, symbols, the best and the worst trades, what became of the orders and the
-- last of them; of a list of results the best runs, and all of the best one.  width: 80,
-- at least 40; options: title and by, as of report.html.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for a width that is no integer, and as report.html.  Units: columns.
function report.text(what, width, options)
  local o = check(what, options)
  if width ~= nil and math.type(width) ~= "integer" then
    error("report.text: width must be an integer", 2)
  end
  return make_text(what, math.max(width or WIDTH, NARROWEST), o)
end

return report
