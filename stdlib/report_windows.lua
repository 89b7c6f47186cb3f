--- report_windows: (internal) the windows of a walk-forward, as the rows of a table.

local data = require "tw.report_data"
local figures = require "tw.report_figures"

local windows = {}

local SHORT <const> = 3 * 86400    -- tests of less have times of the day
local TIMES = { "train_from", "test_from", "test_to" }

local list = data.list

--- windows.held(result) -> text | nil
-- What is said of a walk-forward whose tests did not sell all at their ends.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function windows.held(result)
  return list(result.held)[1] and "unrealised: of what tests held at their ends" or nil
end

-- How times are told, the shorter the greater brevity is.
local function times_of(result, brevity)
  local all, days, years, is_one_year = list(result.windows), {}, nil, true
  local first = list(all[1])
  local length = (data.seconds(first.test_to) or 0) - (data.seconds(first.test_from) or 0)
  local is_long = length >= SHORT
  if brevity == 0 then return is_long and data.date or data.moment end
  local is_told = true
  for _, window in ipairs(all) do
    local day = data.date(data.seconds(window.test_from))
    is_told, days[day] = is_told and not days[day], true
    for _, name in ipairs(TIMES) do
      local year = data.date(data.seconds(window[name]), "%Y")
      is_one_year, years = is_one_year and (years or year) == year, year
    end
  end
  local day = brevity > 1 and is_one_year and "%m-%d" or "%Y-%m-%d"
  return function(s)
    if is_long or is_told or not s or s % 86400 < 1 then return data.date(s, day) end
    return data.date(s, day .. (s % 60 < 1 and " %H:%M" or " %H:%M:%S"))
  end
end

--- windows.rows(result [, brevity]) -> titles, rows, label
-- Of a walk-forward: what was chosen in each window by the figure of that label, how good
-- that was in the training, the median of what is beside it, and in the test.  brevity:
-- 1: without times of day that tell no windows apart; 2: without years, either.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function windows.rows(result, brevity)
  local by = figures.find(result.by or "sharpe") and result.by or "sharpe"
  local kind, names, rows = figures.find(by)[3], {}, {}
  for _, window in ipairs(list(result.windows)) do
    for _, key in ipairs(data.keys(window.params)) do names[#names + 1] = key end
    if #names > 0 then break end
  end
  local titles = { "train from", "test from", "to" }
  for _, name in ipairs(names) do titles[#titles + 1] = tostring(name) end
  for _, what in ipairs { "trained", "beside", "tested", "ratio" } do
    titles[#titles + 1] = what
  end
  local date = times_of(result, brevity or 0)
  for i, window in ipairs(list(result.windows)) do
    local row = {}
    for _, name in ipairs(TIMES) do
      row[#row + 1] = date(data.seconds(window[name]))
    end
    for _, name in ipairs(names) do
      row[#row + 1] = figures.text(list(window.params)[name])
    end
    for _, name in ipairs { "train", "neighbours", "test" } do
      row[#row + 1] = figures.show(window[name], kind)
    end
    if window.ruined then row[#row] = figures.ruined(window) end
    row[#row + 1] = figures.show(window.ratio, "ratio")
    rows[i] = row
  end
  return titles, rows, figures.label(by)
end

return windows
