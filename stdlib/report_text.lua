--- report_text: a backtest or a sweep as text for a terminal.

local data = require "tw.report_data"
local figures = require "tw.report_figures"
local plot = require "tw.plot"
local screen = require "tw.screen"
local sweep = require "tw.report_sweep"
local windows = require "tw.report_windows"

local text = {}

local YEARS <const> = 30           -- of months
local TOP <const> = 10             -- runs of a sweep
local EXTREME <const> = 5          -- trades, the best and the worst
local number, list = data.number, data.list

-- The characters of a terminal have one dash and one minus.
local function show(x, kind) return (figures.show(x, kind):gsub("–", "-")) end

local function fit(line, width)
  return screen.frame({ line }, width, 1)[1] or ""
end

local function right(s, width)
  return (" "):rep(width - (utf8.len(s) or #s)) .. s
end

local function head(result, width)
  local lines = { fit(tostring(result.name or "backtest")
                      .. (result.version and " " .. tostring(result.version) or ""),
                      width) }
  local facts = {}
  local from, to = data.seconds(result.from), data.seconds(result.to)
  if from and to then facts[1] = data.span(from, to) end
  for i, symbol in ipairs(list(result.symbols)) do
    if i > 8 then facts[#facts + 1] = "…" break end
    facts[#facts + 1] = tostring(symbol)
  end
  if #facts > 0 then lines[#lines + 1] = fit(table.concat(facts, "  "), width) end
  local params = {}
  for i, key in ipairs(data.keys(result.params)) do
    params[i] = ("%s=%s"):format(tostring(key), figures.text(result.params[key]))
  end
  if #params > 0 then lines[#lines + 1] = fit(table.concat(params, " "), width) end
  if result.ruined then
    lines[#lines + 1] = fit(figures.ruined(result) .. figures.RUINED, width)
  end
  return table.concat(lines, "\n")
end

-- Figures in two columns; a group begins with its name.
local function figures_text(result, width)
  local columns, room = { {}, {} }, (width - 4) // 2
  local function add(at, name, value)
    local column = columns[at]
    local space = room - (utf8.len(value) or #value) - 1
    column[#column + 1] = name == "" and "" or fit(name, space)
      .. (" "):rep(math.max(space - utf8.len(fit(name, space)), 0)) .. " " .. value
  end
  add(1, "Equity", show(number(result.final), "money"))
  for i, group in ipairs(figures.GROUPS) do
    local at = (i == 2 or i == 4) and 2 or 1
    if group.both then
      add(at, "", "")
      add(at, "", "")
      columns[at][#columns[at]] = group[1]
        .. right("arithmetic   geometric", room - #group[1])
      for j = 2, #group do
        local f = group[j]
        add(at, f[2], right(show(figures.get(result, "arithmetic." .. f[1]), f[3]), 10)
            .. right(show(figures.get(result, "geometric." .. f[1]), f[3]), 12))
      end
    else
      if i > 2 then add(at, "", "") end
      for j = 2, #group do
        local f = group[j]
        add(at, f[2], show(figures.get(result, f[1]), f[3]))
      end
    end
  end
  local lines = {}
  for i = 1, math.max(#columns[1], #columns[2]) do
    local a, b = columns[1][i] or "", columns[2][i] or ""
    local line = a .. (" "):rep(room + 4 - (utf8.len(a) or #a)) .. b
    lines[i] = line:gsub(" +$", "")
  end
  return table.concat(lines, "\n")
end

local function months_text(days, start, ruined, width)
  local years = data.months(days, start, ruined)
  if #years == 0 then return "" end
  local cell = math.min((width - 4) // 13, 7)
  local lines = { "    " }
  for m = 1, 12 do lines[1] = lines[1] .. right(data.month_name(m), cell) end
  lines[1] = lines[1] .. right("Year", cell)
  local function percent(r)
    if not r then return right("", cell) end
    local shown = ("%.1f"):format(r * 100)
    if #shown >= cell then shown = ("%.0f"):format(r * 100) end
    if #shown >= cell then shown = r > 0 and ">>" or "<<" end
    return right(shown, cell)
  end
  for i = math.max(#years - YEARS, 0) + 1, #years do
    local line = ("%4d"):format(years[i].year)
    for m = 1, 12 do line = line .. percent(years[i][m]) end
    lines[#lines + 1] = line .. percent(years[i].total)
  end
  local title = "Returns by month, %"
  if #years > YEARS then
    title = title .. (" (the last %d of %d years)"):format(YEARS, #years)
  end
  return title .. "\n" .. table.concat(lines, "\n")
end

local function trade_rows(ranked, from, to, step, format)
  local rows = {}
  for i = from, to, step do
    local t = ranked[i]
    rows[#rows + 1] = { fit(t.symbol, 12), data.date(t.entry, format),
      data.date(t.exit, format),
      show(t.quantity, "number"), show(t.entry_price, "number"),
      show(t.exit_price, "number"), show(t.pnl, "money") }
  end
  return rows
end

local function trades_text(trades, width)
  local ranked = data.ranked(trades)
  if #ranked == 0 then return "No trades." end
  local titles = { "symbol", "entry", "exit", "quantity", "in at", "out at", "pnl" }
  local first, last = math.huge, -math.huge
  for _, t in ipairs(ranked) do
    first, last = math.min(first, t.entry or first), math.max(last, t.exit or last)
  end
  local format = last - first < 30 * 86400 and "%m-%d %H:%M" or "%Y-%m-%d"
  local n = #ranked
  local best = math.min(EXTREME, (n + 1) // 2)
  local out = { "Best trades",
                screen.table(trade_rows(ranked, 1, best, 1, format), titles) }
  if n > best then
    out[3], out[4] = "", "Worst trades"
    local to = math.max(n - EXTREME, best) + 1
    out[5] = screen.table(trade_rows(ranked, n, to, -1, format), titles)
  end
  local lines = {}
  for line in (table.concat(out, "\n") .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = fit(line, width)
  end
  return table.concat(lines, "\n")
end

local function chart(values, width, height, first, last)
  return tostring(plot.of(values, { width = width, height = height, first = first,
                                    last = last, colours = false }))
end

local function windows_text(result)
  local titles, rows, label = windows.rows(result)
  if #rows == 0 then return "" end
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do row[i] = cell:gsub("–", "-") end
  end
  return ("Windows, best by %s\n"):format(label) .. screen.table(rows, titles)
end

--- text.run(result, width) -> string
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: columns.
function text.run(result, width)
  local curve, days = data.equity(result)
  local parts = { head(result, width), windows_text(result),
                  figures_text(result, width) }
  if #curve.value > 1 then
    local first, last = curve.time[1], curve.time[#curve.time]
    local date = last - first < 3 * 86400 and data.moment or data.date
    first, last = date(first), date(last)
    parts[#parts + 1] = "Equity\n" .. chart(curve.value, width, 10, first, last)
    local under = data.underwater(curve, number(result.start))
    for i, v in ipairs(under) do under[i] = v * 100 end
    parts[#parts + 1] = "Drawdown, %\n" .. chart(under, width, 5, first, last)
  end
  parts[#parts + 1] = months_text(days, data.start(result, days),
                                  data.seconds(result.ruined), width)
  parts[#parts + 1] = trades_text(data.trades(result), width)
  local out = {}
  for _, part in ipairs(parts) do if part ~= "" then out[#out + 1] = part end end
  return table.concat(out, "\n\n") .. "\n"
end

--- text.sweep(results, width) -> string
-- The ten best runs by Sharpe, and how many there are.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: columns.
function text.sweep(results, width)
  local runs, rows, failed = sweep.ranked(results, "sharpe"), {}, 0
  for i, r in ipairs(runs) do
    if r.error then failed = failed + 1 end
    if i <= TOP then
      local params = {}
      for n, key in ipairs(data.keys(r.params)) do
        params[n] = ("%s=%s"):format(tostring(key), figures.text(r.params[key]))
      end
      local function figure(name)
        return r.error and "-" or show(figures.get(r.result, name), figures.find(name)[3])
      end
      rows[i] = { tostring(i), figure "total_return", figure "sharpe",
        figure "max_drawdown", figure "trades",
        r.error and "failed: " .. tostring(r.error):match "[^\n]*"
        or (r.ruined and figures.ruined(r.result) .. "  " or "")
           .. table.concat(params, " ") }
    end
  end
  local lines = { ("%s runs, %s failed; best by sharpe"):format(show(#runs, "count"),
                                                               show(failed, "count")) }
  local shown = screen.table(rows, { "#", "return", "sharpe", "drawdown", "trades",
                                     "parameters" })
  for line in (shown .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = fit(line, width)
  end
  return table.concat(lines, "\n") .. "\n"
end

return text
