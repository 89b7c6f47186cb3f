--- s2: per security, the variance of the last 64 log returns of the mid price.

local M = {}

local log = math.log
local DAY_MS, WINDOW <const> = 86400000, 64

local count, times = 0, 0
local prev, var = {}, {}
local returns, at, k, sum, squares = {}, {}, {}, {}, {}

function M:on_start()
  for s = 1, self.params.n do
    prev[s], var[s] = 0.0, 0.0
    returns[s], at[s], k[s], sum[s], squares[s] = {}, 1, 0, 0.0, 0.0
    for i = 1, WINDOW do returns[s][i] = 0.0 end
  end
end

function M.on_quote(symbol_id, bid, ask, time)
  local mid = (bid + ask) * 0.5
  count = count + 1
  times = times + time // 1000000 % DAY_MS
  local p = prev[symbol_id]
  prev[symbol_id] = mid
  if p == 0 then return end
  local r, ring, i = log(mid / p), returns[symbol_id], at[symbol_id]
  local n, a, b = k[symbol_id], sum[symbol_id], squares[symbol_id]
  if n == WINDOW then
    local old = ring[i]
    a, b = a - old, b - old * old
  else
    n = n + 1
    k[symbol_id] = n
  end
  ring[i] = r
  at[symbol_id] = i % WINDOW + 1
  a, b = a + r, b + r * r
  sum[symbol_id], squares[symbol_id] = a, b
  if n > 1 then
    local v = (b - a * a / n) / (n - 1)
    var[symbol_id] = v > 0 and v or 0.0
  end
end

function M:on_stop()
  local total = 0.0
  for s = 1, self.params.n do total = total + var[s] end
  print(string.format("S2 %d %.9e %d", count, total, times))
end

return M
