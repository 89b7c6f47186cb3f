--- n3: s3 declared: per sector, an EWMA of squared returns: its mean volatility.

local M = {}

function M:on_start()
  self.stat = self:track {
    count = "count()", seqs = "sum(source_seq)",
    ewma = "ewma((mid / prev(mid) - 1)^2, alpha=0.01, initial=0) by sector",
  }
end

function M:on_stop()
  local s, total = self.stat, 0.0
  for c = 0, 9 do total = total + math.sqrt(s.ewma:get(tostring(c)) or 0) end
  print(string.format("S3 %d %.9e %d", s.count.value, total / 10, s.seqs.value))
end

return M
