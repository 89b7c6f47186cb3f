--- n4: s4 declared: the weighted index of all securities.

local M = {}

function M:on_start()
  self.stat = self:track {
    count = "count()", index = "sum(weight * (mid - prev(mid, initial=0)))",
    total = "sum(index)",
  }
end

function M:on_stop()
  local s = self.stat
  print(string.format("S4 %d %.9e %.9e", s.count.value, s.index.value, s.total.value))
end

return M
