--- report_windows: the windows of a walk-forward, as the rows of a table.

local data = require "tw.report_data"
local figures = require "tw.report_figures"

local windows = {}

local SHORT <const> = 3 * 86400    -- tests of less have times of the day

local list = data.list

--- windows.rows(result) -> titles, rows, label
-- Of a walk-forward: what was chosen in each window by the figure of that label, how good
-- that was in the training, the median of what is beside it, and in the test.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function windows.rows(result)
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
  local first = list(list(result.windows)[1])
  local length = (data.seconds(first.test_to) or 0) - (data.seconds(first.test_from) or 0)
  local date = length < SHORT and data.moment or data.date
  for i, window in ipairs(list(result.windows)) do
    local row = {}
    for _, name in ipairs { "train_from", "test_from", "test_to" } do
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
