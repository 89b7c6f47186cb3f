-- beside.lua DIR BARS: bars a second of the cross over a file of minutes, read each time.
local tw = require "tw"
local best, result = 0, nil
for _ = 1, tonumber(os.getenv "REPEAT" or 9) do
  local began = os.clock()
  result = assert(tw.backtest.run { script = arg[1] .. "/minute.lua", brief = true,
                                    data = { path = arg[2], interval = "1m" } })
  best = math.max(best, result.records / (os.clock() - began))
end
print(("%d bars, %d orders: %.0f bars/s"):format(result.records, result.sent, best))
