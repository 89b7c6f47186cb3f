--- report_sweep: (internal) the page of many runs: table, heat map, parallel coordinates.
--
-- A heat map is over two parameters; what the others varied is in the median of each
-- cell, for the best of a cell says more about luck.

local data = require "tw.report_data"
local figures = require "tw.report_figures"
local page = require "tw.report_page"
local run = require "tw.report_run"
local svg = require "tw.report_svg"

local sweep = {}

local MAPS <const> = 10            -- pairs of parameters
local SIDE <const> = 40            -- cells of a map
local WRITTEN <const> = 14         -- cells a side that have room for their value
local LINES <const> = 1000         -- of the parallel coordinates
local AXES <const> = 12
local FAILURES <const> = 50
local COLUMNS = { "total_return", "cagr", "sharpe", "sortino", "calmar", "max_drawdown",
  "volatility", "trades", "win_rate", "profit_factor", "expectancy", "sqn", "kelly",
  "exposure", "turnover", "fees", "best", "worst", "max_drawdown_days" }

local list, show, escape = data.list, figures.show, svg.escape

-- Numbers before texts, both in their order.
local function before(a, b)
  if type(a) == "number" and type(b) == "number" then return a < b end
  if type(a) ~= type(b) then return type(a) == "number" or type(b) ~= "number"
                                    and type(a) < type(b) end
  return tostring(a) < tostring(b)
end

-- The parameters of all runs: { name, values = sorted, place = value -> 1.. }.
local function parameters(runs)
  local all = {}
  for i, r in ipairs(runs) do all[i] = list(r.params) end
  local names, seen = {}, {}
  for _, params in ipairs(all) do
    for _, key in ipairs(data.keys(params)) do
      if not seen[key] then names[#names + 1], seen[key] = key, true end
    end
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  local out = {}
  for i, name in ipairs(names) do
    local values, place = {}, {}
    for _, params in ipairs(all) do
      local value = params[name]
      if value ~= nil and value == value and place[value] == nil then
        place[value], values[#values + 1] = 0, value
      end
    end
    table.sort(values, before)
    for n, value in ipairs(values) do place[value] = n end
    out[i] = { name = name, values = values, place = place }
  end
  return out
end

local function varying(params)
  local out = {}
  for _, p in ipairs(params) do if #p.values > 1 then out[#out + 1] = p end end
  return out
end

--- sweep.ranked(results, by) -> list
-- { result, params, value, number }: the best first; behind them those without the
-- figure, then those that are ruined, the last one first, then those that failed; a
-- figure of which less is better begins with the least.  Ruined ones have no value.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function sweep.ranked(results, by)
  local out, low = {}, figures.find(by).low
  for i, r in ipairs(list(results)) do
    r = list(r)
    local ruined = not r.error and data.number(r.ruined)
    local value = not r.error and not ruined and figures.get(r, by) or nil
    out[i] = { result = r, params = list(r.params), number = i, error = r.error,
               value = value, ruined = ruined,
               class = r.error and 4 or ruined and 3 or value and 1 or 2 }
  end
  table.sort(out, function(a, b)
    if a.class ~= b.class then return a.class < b.class end
    if a.value ~= b.value then return (a.value > b.value) ~= (low or false) end
    if a.ruined ~= b.ruined then return a.ruined > b.ruined end
    return a.number < b.number
  end)
  return out
end

-- ---- the table ----

local function table_section(runs, params, by)
  local names, year = { by }, 252
  for _, r in ipairs(runs) do                -- of one market; few have their days
    local _, days = data.equity(r.result or {})
    if #days.time > 0 then year = data.year(days) break end
  end
  for _, name in ipairs(COLUMNS) do if name ~= by then names[#names + 1] = name end end
  local columns, kinds, shown = { { "#" } }, {}, {}
  for _, p in ipairs(params) do
    columns[#columns + 1] = { tostring(p.name), left = type(p.values[1]) ~= "number" }
  end
  for _, name in ipairs(names) do
    local known
    for _, r in ipairs(runs) do known = known or figures.get(r.result, name) end
    if known then
      local f = figures.find(name)
      columns[#columns + 1] = { figures.label(name), tip = figures.formula(
        name:find "^geometric%." and f.geometric or f[4], year) }
      shown[#shown + 1], kinds[#kinds + 1] = name, f[3]
    end
  end
  local rows = {}
  for i = 1, math.min(#runs, 1001) do
    local r, row = runs[i], { tostring(i) }
    for _, p in ipairs(params) do row[#row + 1] = figures.text(r.params[p.name]) end
    for c, name in ipairs(shown) do
      local text = r.error and c == 1 and "failed"
                   or r.ruined and c == 1 and figures.ruined(r.result)
                   or show(not r.error and figures.get(r.result, name), kinds[c])
      row[#row + 1] = text:find "^%-" and { text, "loss" } or text
    end
    rows[i] = row
  end
  return page.section("Runs", page.table { id = "runs", sort = true, rows = rows,
    count = show(#runs, "count"), what = "runs", none = "No runs.", columns = columns },
    "best by " .. figures.label(by) .. " first")
end

local function failures_section(runs)
  local out, n = {}, 0
  for _, r in ipairs(runs) do
    if r.error then
      n = n + 1
      if n <= FAILURES then
        out[#out + 1] = ("<p>%s</p><pre>%s</pre>\n"):format(run.parameters(r.params),
          escape(tostring(r.result.traceback or r.error):sub(1, 4000)))
      end
    end
  end
  if n == 0 then return "" end
  return page.details("Failed runs", n > FAILURES and ("the first %d of %d"):format(
    FAILURES, n) or tostring(n), table.concat(out))
end

-- ---- the heat maps ----

local function median(values)
  table.sort(values)
  local n = #values
  if n % 2 == 1 then return values[n // 2 + 1] end
  return values[n // 2] / 2 + values[n // 2 + 1] / 2
end

-- The place of a value among at most SIDE: several that follow share one where there are
-- more.
local function cell_of(p, value)
  return math.ceil(p.place[value] * math.min(#p.values, SIDE) / #p.values)
end

-- What the cells of one side are called.
local function names_of(p)
  local cells = {}
  for _, value in ipairs(p.values) do
    local at = cell_of(p, value)
    cells[at] = cells[at] or { figures.text(value) }
    cells[at][2] = figures.text(value)
  end
  for i, c in ipairs(cells) do
    cells[i] = c[1] == c[2] and c[1] or c[1] .. "–" .. c[2]
  end
  return cells
end

local function map(runs, x, y, by, winner)
  local cells, low, high = {}, math.huge, -math.huge
  local function at(params)
    local a, b = params[x.name], params[y.name]
    if a == nil or b == nil or a ~= a or b ~= b then return nil end
    return (cell_of(y, b) - 1) * SIDE + cell_of(x, a)
  end
  for _, r in ipairs(runs) do
    local i = r.value and at(r.params)
    if i then
      cells[i] = cells[i] or { best = r.value }
      table.insert(cells[i], r.value)
    end
  end
  for _, c in pairs(cells) do
    c.n, c.median = #c, median(c)
    low, high = math.min(low, c.median), math.max(high, c.median)
  end
  local f, top = figures.find(by), at(winner.params)
  local across, down = names_of(x), names_of(y)
  local written = #across <= WRITTEN
  -- Both colours where there are gains and losses; else one, from the least to the most.
  local zero = low < 0 and high > 0 and 0 or low
  local span = math.max(high - zero, zero - low, 1e-300)
  local every = (#across - 1) // WRITTEN + 1
  local out = { ('<table class="heat grid%s"><thead><tr><th>%s ↓ %s →</th>'):format(
    written and "" or " dense", escape(y.name), escape(x.name)) }
  for i = 1, #across, every do
    local span = math.min(every, #across - i + 1)
    out[#out + 1] = ('<th colspan="%d">%s</th>'):format(span,
      span == every and escape(across[i]) or "")
  end
  out[#out + 1] = "</tr></thead><tbody>"
  for row = 1, #down do
    out[#out + 1] = ("\n<tr><th>%s</th>"):format(escape(down[row]))
    for column = 1, #across do
      local i = (row - 1) * SIDE + column
      local c = cells[i]
      if c then
        local shade = 0.05 + 0.6 * math.abs(c.median - zero) / span
        out[#out + 1] = ('<td class="%s%s" style="--a:%.2f" title="%s">%s'):format(
          c.median < 0 and zero == 0 and "s" or "g", i == top and " top" or "", shade,
          escape(("%s %s, %s %s: %s%s"):format(tostring(x.name), across[column],
            tostring(y.name), down[row], page.number(show(c.median, f[3])),
            c.n > 1 and (", best of %d: %s"):format(c.n,
              page.number(show(c.best, f[3]))) or "")),
          written and page.number(show(c.median, f[3])) or "")
      else
        out[#out + 1] = "<td>"
      end
    end
  end
  out[#out + 1] = "</tbody></table>"
  return table.concat(out)
end

local function map_section(runs, params, o)
  local able, winner = varying(params), runs[1]
  if #able < 2 or not winner.value then return "" end
  table.sort(able, function(a, b)             -- those that vary most are shown first
    if #a.values ~= #b.values then return #a.values > #b.values end
    return tostring(a.name) < tostring(b.name)
  end)
  local pairs_ = {}
  for i = 1, #able do
    for j = i + 1, #able do pairs_[#pairs_ + 1] = { able[i], able[j] } end
  end
  for i, pair in ipairs(pairs_) do
    local x, y = pair[1].name, pair[2].name
    if o.x == x and (o.y or y) == y or o.y == y and (o.x or x) == x
       or o.x == y and (o.y or x) == x or o.y == x and (o.x or y) == y then
      if o.x == y or o.y == x then pair = { pair[2], pair[1] } end
      table.remove(pairs_, i)
      table.insert(pairs_, 1, pair)
      break
    end
  end
  local choices, maps = {}, {}
  for i = 1, math.min(#pairs_, MAPS) do
    local x, y = pairs_[i][1], pairs_[i][2]
    choices[i] = ('<option value="%d">%s × %s</option>'):format(i, escape(x.name),
                                                               escape(y.name))
    maps[i] = ('<div class="scroll" data-of="map" data-name="%d"%s>%s</div>'):format(i,
      i > 1 and " hidden" or "", map(runs, x, y, o.by, winner))
  end
  local choice = #choices > 1 and '<p><label>Parameters <select data-group="map" '
    .. 'autocomplete="off">' .. table.concat(choices) .. "</select></label></p>" or ""
  local note = "outlined: the best run"
  local cells = math.min(#able[1].values, SIDE) * math.min(#able[2].values, SIDE)
  if #able > 2 or #runs > cells then
    note = "the median of a cell's runs; " .. note
  end
  if #pairs_ > MAPS then note = note .. (" (%d of %d pairs)"):format(MAPS, #pairs_) end
  return page.section("Map of " .. figures.label(o.by), choice .. table.concat(maps),
                      note)
end

-- ---- parallel coordinates ----

-- An axis: its name, what stands at its ends, and where a run is on it, 0 at the bottom.
local function parameter_axis(p)
  local numbers = type(p.values[1]) == "number" and type(p.values[#p.values]) == "number"
  local low, high = p.values[1], p.values[#p.values]
  local span = numbers and high * 1.0 - low      -- one of integers may be beyond them
  return { tostring(p.name), figures.text(low), figures.text(high), function(r)
    local value = r.params[p.name]
    if value == nil or value ~= value then return nil end
    if numbers and span < math.huge then return (value * 1.0 - low) / span end
    return (p.place[value] - 1) / (#p.values - 1)
  end }
end

local function figure_axis(name, runs)
  local f, low, high = figures.find(name), math.huge, -math.huge
  for _, r in ipairs(runs) do
    local v = r.value and figures.get(r.result, name)
    if v then low, high = math.min(low, v), math.max(high, v) end
  end
  if not (low < high) then return nil end
  return { figures.label(name), show(low, f[3]), show(high, f[3]), function(r)
    local v = figures.get(r.result, name)
    return v and (v - low) / (high - low)
  end }
end

-- Those of parameters, and then of figures: at most AXES; nil where they are too few.
local function axes_of(runs, params, by)
  local axes, seen = {}, {}
  for _, p in ipairs(varying(params)) do
    if #axes < AXES - 3 then axes[#axes + 1] = parameter_axis(p) end
  end
  local of_params = #axes
  for _, name in ipairs { "total_return", "max_drawdown", by } do
    local axis = not seen[name] and (name == by or figures.find(by)[1] ~= name)
                 and figure_axis(name, runs)
    if axis then axes[#axes + 1] = axis end
    seen[name] = true
  end
  return of_params > 0 and #axes > 1 and axes or nil   -- else no figure differs
end

-- Where the n-th of them is, of a width of `all`.
local function place(n, axes, all) return (n - 1) * all / (#axes - 1) end

local function whole(x) return math.floor(x + 0.5) end

-- The path of a run; it is broken where an axis has no value.
local function path_of(axes, run)
  local path, is_on = {}, false
  for n, axis in ipairs(axes) do
    local y = axis[4](run)
    if y then
      path[#path + 1] = ("%s%d %d"):format(is_on and "L" or "M",
        whole(place(n, axes, 1000)), whole((1 - y) * 1000))
    end
    is_on = y
  end
  return table.concat(path)
end

-- The paths, and of how many runs: of many every so-manieth, and all of the best tenth
-- that are drawn.
local function paths_of(axes, runs, able)
  local lines = { { "run" }, { "run-top" }, { "run-winner" } }
  local step = math.max(able / (LINES - 1), 1)
  local drawn, at = 0, able
  while at >= 1 do
    local i = math.floor(at)
    table.insert(lines[i == 1 and 3 or i <= able / 10 and 2 or 1], path_of(axes, runs[i]))
    drawn = drawn + 1
    if i == 1 then break end
    at = math.max(at - step, 1)
  end
  local out = {}
  for i, l in ipairs(lines) do
    out[i] = ('<path class="%s" d="%s"/>'):format(l[1], table.concat(l, "", 2))
  end
  return table.concat(out), drawn
end

local function coordinates_section(runs, params, by)
  local able = 0
  for _, r in ipairs(runs) do able = able + (r.value and 1 or 0) end
  local axes = able > 1 and axes_of(runs, params, by)
  if not axes then return "" end
  local paths, drawn = paths_of(axes, runs, able)
  local out = { '<svg class="chart" style="height:280px" role="img" aria-label="Parallel '
    .. 'coordinates: a line for each run"><svg viewBox="0 0 1000 1000" '
    .. 'preserveAspectRatio="none">' .. paths }
  for n = 1, #axes do
    out[#out + 1] = ('<path class="scale" d="M%d 0V1000"/>'):format(
      whole(place(n, axes, 1000)))
  end
  out[#out + 1] = "</svg>"
  for n, axis in ipairs(axes) do
    local x = ("%.2f"):format(place(n, axes, 100))
    local anchor = n == 1 and "start" or "middle"
    for i, y in ipairs { { "0", -20 }, { "100%", 16 }, { "0", -6 } } do
      local label = page.number(axis[i])
      out[#out + 1] = ('<text style="text-anchor:%s"%s x="%s%%" y="%s" dy="%d">%s</text>')
        :format(anchor, i == 1 and ' class="name"' or "", x, y[1], y[2], escape(label))
    end
  end
  out[#out + 1] = "</svg>"
  return page.section("Parallel coordinates",
    ('<div class="scroll"><figure class="axes" style="min-width:%dpx">%s</figure></div>')
      :format(#axes * 92, table.concat(out)),
    (drawn < able and ("%s of %s runs; "):format(show(drawn, "count"),
                                                 show(able, "count")) or "")
    .. "blue: the best tenth by " .. figures.label(by) .. "; orange: the best",
    "whole")
end

--- sweep.title(results) -> string
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function sweep.title(results)
  local name
  for _, r in ipairs(results) do name = name or list(r).name end
  return "Sweep of " .. tostring(name or "a strategy")
end

--- sweep.about(results, options) -> markup
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function sweep.about(results, o)
  local runs = sweep.ranked(results, o.by or "sharpe")
  local failed, ruined = 0, 0
  for _, r in ipairs(runs) do
    failed, ruined = failed + (r.error and 1 or 0), ruined + (r.ruined and 1 or 0)
  end
  local facts, out = { show(#runs, "count") .. " runs" }, {}
  if failed > 0 then facts[2] = show(failed, "count") .. " failed" end
  if ruined > 0 then facts[#facts + 1] = show(ruined, "count") .. " ruined" end
  for i, p in ipairs(parameters(runs)) do
    local n = #p.values
    local range = n == 0 and "–" or n == 1 and figures.text(p.values[1])
      or ("%s … %s (%d)"):format(figures.text(p.values[1]), figures.text(p.values[n]), n)
    out[i] = ("<span>%s <b>%s</b></span>"):format(escape(p.name), escape(range))
  end
  return ("<p>%s</p><p>%s</p>"):format(table.concat(facts, " · "), table.concat(out))
end

--- sweep.runs(results, options) -> markup
-- Maps, coordinates and tables, without the best run.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function sweep.runs(results, o)
  local by = o.by or "sharpe"
  local runs = sweep.ranked(results, by)
  if #runs == 0 then return page.none "No runs." end
  local params = parameters(runs)
  return table.concat {
    map_section(runs, params, { x = o.x, y = o.y, by = by }),
    coordinates_section(runs, params, by),
    table_section(runs, varying(params), by),
    failures_section(runs),
  }
end

--- sweep.body(results, options) -> markup
-- All of the page but its title.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function sweep.body(results, o)
  local best = sweep.ranked(results, o.by or "sharpe")[1]
  local out = sweep.runs(results, o)
  if not best or not best.value then return out end
  return ("%s<header><h1>The best run</h1><p>%s</p></header>\n%s"):format(out,
    run.parameters(best.params), run.body(best.result))
end

return sweep
