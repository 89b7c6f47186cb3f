-- beside.lua SCRIPT BARS: bars a second over a file of minutes, read each time.
local tw = require "tw"
local data = arg[2]:find "%.tape$" and arg[2] or { path = arg[2], interval = "1m" }
local best, result = 0, nil
for _ = 1, tonumber(os.getenv "REPEAT" or 9) do
  local began = os.clock()
  result = assert(tw.backtest.run { script = arg[1], brief = true, data = data })
  best = math.max(best, result.records / (os.clock() - began))
end
print(("%d bars, %d orders: %.0f bars/s"):format(result.records, result.sent, best))
