--- s2: per security, the variance of the last 64 log returns of the mid price.

local M = {}

local log = math.log
local DAY_MS <const>, WINDOW <const> = 86400000, 64

-- A security's state is one array, which is faster than a table of names or an
-- array for each of them: its last returns, then these.
local PREV <const>, AT <const>, COUNT <const> = WINDOW + 1, WINDOW + 2, WINDOW + 3
local SUM <const>, SQUARES <const> = WINDOW + 4, WINDOW + 5

local count, times = 0, 0
local state, var = {}, {}

function M:on_start()
  for s = 1, self.params.n do
    local x = {}
    for i = 1, WINDOW do x[i] = 0.0 end
    x[PREV], x[AT], x[COUNT], x[SUM], x[SQUARES] = 0.0, 1, 0, 0.0, 0.0
    state[s], var[s] = x, 0.0
  end
end

function M.on_quote(symbol_id, bid, ask, time)
  local mid = (bid + ask) * 0.5
  count = count + 1
  times = times + time // 1000000 % DAY_MS
  local x = state[symbol_id]
  local p = x[PREV]
  x[PREV] = mid
  if p == 0 then return end
  local r, at, n, sum, squares = log(mid / p), x[AT], x[COUNT], x[SUM], x[SQUARES]
  if n == WINDOW then
    local old = x[at]
    sum, squares = sum - old, squares - old * old
  else
    n = n + 1
    x[COUNT] = n
  end
  x[at] = r
  x[AT] = at % WINDOW + 1
  sum, squares = sum + r, squares + r * r
  x[SUM], x[SQUARES] = sum, squares
  if n > 1 then
    local v = (squares - sum * sum / n) / (n - 1)
    var[symbol_id] = v > 0 and v or 0.0
  end
end

function M:on_stop()
  local total = 0.0
  for s = 1, self.params.n do total = total + var[s] end
  print(string.format("S2 %d %.9e %d", count, total, times))
end

return M
