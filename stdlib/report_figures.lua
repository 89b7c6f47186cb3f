--- report_figures: (internal) the figures of a backtest: names, formulas, how they look.
--
-- days count from the beginning of the first record's day, when equity is the start cash.
-- r is the list of daily returns, each from one day's end to the next one's, n how many
-- there are.

local data = require "tw.report_data"
local inspect = require "tw.inspect"

local figures = {}

local number, list = data.number, data.list

-- key, label, kind, formula; low: less is better.
figures.GROUPS = {
  { "Return",
    { "total_return", "Total return", "percent", "final / start cash − 1" },
    { "cagr", "CAGR", "percent", "(final / start cash)^(365.25 / days) − 1" },
    { "peak", "Peak equity", "money", "max(equity)" },
    { "fees", "Fees paid", "money", "sum of all fees", low = true },
    { "alpha", "Alpha", "percent",
      "return − beta · return of the benchmark, both from the end of its first day" },
    { "beta", "Beta", "ratio", "cov(r, b) / var(b), b: returns of the benchmark" },
    { "log_beta", "Beta of logs", "ratio", "the same of log(1 + r) and log(1 + b)" } },
  { "Risk",
    { "max_drawdown", "Max drawdown", "percent",
      "min(equity / highest before − 1), from start cash on" },
    { "max_drawdown_days", "Longest drawdown", "days",
      "most days from a peak to the day it is regained", low = true },
    { "average_drawdown", "Average drawdown", "percent",
      "mean of the deepest point of each drawdown" },
    { "average_drawdown_days", "Average length", "days",
      "mean days from a peak to the day it is regained", low = true },
    { "exposure", "Exposure", "percent", "time with a position / all time" },
    { "turnover", "Turnover", "ratio", "value traded / mean equity", low = true } },
  { "Ratios", both = true,
    { "annual_return", "Annual return", "percent", "(prod(1 + r))^(252 / (n + 1)) − 1",
      geometric = "(prod(1 + r))^(252 / n) − 1" },
    { "volatility", "Volatility", "percent", "sd(r) · √252", low = true,
      geometric = "√((var(r) + g²)^252 − g^504), g = (prod(1 + r))^(1 / n)" },
    { "sharpe", "Sharpe", "ratio", "mean(r) / sd(r) · √252",
      geometric = "annual return / volatility" },
    { "sortino", "Sortino", "ratio", "mean(r) · √252 / √mean(min(r, 0)²)",
      geometric = "annual return / (√252 · √mean(min(r, 0)²))" },
    { "calmar", "Calmar", "ratio", "annual return / −max drawdown",
      geometric = "annual return / −max drawdown" },
    { "annual_alpha", "Alpha a year", "percent", "(mean(r) − beta · mean(b)) · 252",
      geometric = "(1 + mean(r) − beta · mean(b))^252 − 1" } },
  { "Trades",
    { "trades", "Trades", "count", "positions opened and closed" },
    { "won", "Won", "count", "trades with pnl > 0" },
    { "win_rate", "Win rate", "percent", "won / trades" },
    { "best", "Best", "percent", "max(trade's pnl / its value at entry)" },
    { "worst", "Worst", "percent", "min(trade's pnl / its value at entry)" },
    { "average", "Average", "percent", "geometric mean of the trades' returns" },
    { "profit_factor", "Profit factor", "ratio",
      "sum of winning / −sum of losing trades' returns" },
    { "expectancy", "Expectancy", "percent", "arithmetic mean of the trades' returns" },
    { "sqn", "SQN", "ratio", "√trades · mean(pnl) / sd(pnl)" },
    { "kelly", "Kelly", "ratio",
      "win rate − (1 − win rate) / (mean won / −mean lost pnl)" },
    { "average_days", "Average length", "days", "mean days from entry to exit" },
    { "max_days", "Longest", "days", "most days from entry to exit" } },
}

-- 1234567.8 -> "1,234,567.8"
local function thousands(text)
  local sign, whole, rest = text:match "^(-?)(%d+)(.*)$"
  if not whole then return text end
  whole = whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")
  return sign .. whole .. rest
end

-- No "-0.00", and no number of a hundred digits: what a good day is in a year.
local function fixed(x, digits)
  if math.abs(x) >= 1e15 then return ("%.6g"):format(x) end
  local text = ("%." .. digits .. "f"):format(x)
  return (text:gsub("^%-([0.]+)$", "%1"))
end

--- figures.fixed(x, digits) -> string
-- With so many decimals, up to 1e15; never "-0.00".
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
figures.fixed = fixed

-- Three digits of what is less than a tenth: of a bitcoin that is money.
local function money(x)
  local size = math.abs(x)
  if size >= 1e12 then return fixed(x, 0) end
  if size >= 0.1 or size < 5e-9 then return fixed(x, 2) end
  local text = fixed(x, math.min(2 - math.floor(math.log(size, 10)), 8))
  return (text:gsub("(%.%d%d.-)0+$", "%1"))
end

--- figures.money(x [, whole]) -> string
-- Two decimals; more of what is less than a tenth, and, where the whole that it belongs
-- to is less than 1,000, as many as give that six digits.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function figures.money(x, whole)
  if not whole or whole >= 1000 or whole <= 0 then return money(x) end
  return fixed(x, math.min(5 - math.floor(math.log(whole, 10)), 8))
end

--- figures.percent(x, step) -> string
-- A ratio in percent, with the digits that tell it from one which is a step away.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: ratios.
function figures.percent(x, step)
  local digits = math.max(-math.floor(math.log(step, 10)) - 2, 2)
  return fixed(x * 100, math.min(digits, 15)) .. "%"
end

-- Two of them stand side by side.
local function short(x, digits)
  return math.abs(x) < 1e11 and thousands(fixed(x, digits)) or ("%.6g"):format(x)
end

local SHOWN = {
  percent = function(x) return short(x * 100, math.abs(x) < 100 and 2 or 0) .. "%" end,
  money = function(x, whole) return thousands(figures.money(x, whole)) end,
  ratio = function(x) return short(x, math.abs(x) < 1000 and 3 or 0) end,
  days = function(x)
    local digits = (x % 1 == 0 or math.abs(x) >= 1000) and 0 or 1
    return thousands(fixed(x, digits)) .. " d"
  end,
  count = function(x) return thousands(fixed(x, 0)) end,
  number = function(x)
    local size = math.abs(x)
    if size >= 1e15 or size < 5e-10 and x ~= 0 then return ("%.6g"):format(x) end
    local digits = math.min(14 - math.floor(math.log(math.max(size, 1), 10)), 9)
    return thousands(math.type(x) == "integer" and ("%d"):format(x)
                     or fixed(x, math.max(digits, 1)):gsub("%.?0+$", ""))
  end,
}

--- figures.show(x, kind [, whole]) -> string
-- kind: percent (x is a ratio), money (of the whole, see figures.money), ratio, days,
-- count, or number, which has up to nine decimals, as prices have.  "–" for what is no
-- finite number.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises for an unknown kind.
-- Units: those of kind.
function figures.show(x, kind, whole)
  return number(x) and SHOWN[kind](x, number(whole)) or "–"
end
local show = figures.show

--- figures.text(value) -> string
-- The value of a parameter: as it is, a number as show has it, a table by what it holds.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function figures.text(value)
  if value == nil then return "–" end
  if type(value) == "string" then return value end
  if number(value) then return show(value, "number") end
  return inspect.text(value)
end

--- figures.get(result, name) -> number | nil
-- "sharpe" is the arithmetic one, "geometric.sharpe" the other.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: see figures.GROUPS.
function figures.get(result, name)
  local all = list(list(result).figures)
  local set, key = name:match "^(%l+)%.([%w_]+)$"
  if set then return number(list(all[set])[key]) end
  return number(all[name]) or number(list(all.arithmetic)[name])
end

--- figures.lasting(seconds, unit) -> string
-- How many of that unit, for a column that names it.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: seconds.
function figures.lasting(s, unit)
  local x = s / unit
  return show(x % 1 == 0 and x or math.floor(x * 10 + 0.5) / 10, "number")
end

--- figures.drawdowns(curve, start) -> rows, unit
-- The five deepest, each { n, depth, from, lowest, regained, length in that unit }.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: texts.
function figures.drawdowns(curve, start)
  local rows, found, longest = {}, data.drawdowns(curve, 5, start), 0
  local last = curve.time[#curve.time]
  for _, d in ipairs(found) do
    longest = math.max(longest, (d.recovered or last) - d.peak)
  end
  local name, unit = data.unit(longest)
  local date = unit == 86400 and data.day or data.moment
  for i, d in ipairs(found) do
    rows[i] = { tostring(i), show(d.depth, "percent"), date(d.peak), date(d.trough),
                d.recovered and date(d.recovered) or "not yet",
                figures.lasting((d.recovered or last) - d.peak, unit) }
  end
  return rows, name
end

-- What is said behind it.
figures.RUINED = ": the equity was at or below zero, so there are no ratios"

--- figures.ruined(result) -> text
-- "ruined 2014-05-07": of one whose equity was at or below zero, the first time.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function figures.ruined(result)
  return "ruined " .. data.day(data.seconds(result.ruined))
end

--- figures.formula(text, year) -> text | nil
-- That of a market with so many days a year: they are written for 252.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function figures.formula(text, year)
  return text and (text:gsub("252", year):gsub("504", 2 * year))
end

--- figures.find(name) -> { key, label, kind, formula } | nil
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function figures.find(name)
  local key = name:match "%.([%w_]+)$" or name
  for _, group in ipairs(figures.GROUPS) do
    for i = 2, #group do
      if group[i][1] == key and (key == name or group.both) then return group[i] end
    end
  end
end

--- figures.hint(name) -> text
-- "; did you mean 'sharpe'?", or where they are: the list of all of them is long.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function figures.hint(name)
  local known, set = {}, name:match "^%l+%."
  for _, group in ipairs(figures.GROUPS) do
    for i = 2, #group do
      if group.both or not set then known[(set or "") .. group[i][1]] = true end
    end
  end
  local hint = require "tw.near".hint(name, known)
  return hint:find "did you mean" and hint or "; `tidewire help performance` has all"
end

--- figures.label(name) -> string
-- "Sharpe", "geometric Sharpe".
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises for an unknown figure.
-- Units: none.
function figures.label(name)
  local set = name:match "^(%l+)%."
  return (set and set .. " " or "") .. figures.find(name)[2]
end

return figures
