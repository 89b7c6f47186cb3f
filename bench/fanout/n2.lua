--- n2: s2 declared: per security, the variance of the last 64 log returns of the mid.

local tw = require "tw"

local M = {}

function M:on_start()
  self.stat = self:track {
    count = "count()", times = "sum(time // 1ms % 86400000)",
    var = "variance(log(mid / prev(mid)), window=64) by symbol",
  }
end

function M:on_stop()
  local s, total = self.stat, 0.0
  for id = 1, self.params.n do
    total = total + (s.var:get(tw.instrument(id).symbol) or 0)
  end
  print(string.format("S2 %d %.9e %d", s.count.value, total, s.times.value))
end

return M
