--- n1: s1 declared: per security, the mean spread and an EWMA of the mid price.

local tw = require "tw"

local M = {}

function M:on_start()
  self.stat = self:track {
    count = "count()", size = "sum(bid_size + ask_size)",
    mean_spread = "mean(ask - bid) by symbol", ewma = "ewma(mid, alpha=0.05) by symbol",
  }
end

function M:on_stop()
  local s, a, b = self.stat, 0.0, 0.0
  for id = 1, self.params.n do
    local symbol = tw.instrument(id).symbol
    a, b = a + (s.mean_spread:get(symbol) or 0), b + (s.ewma:get(symbol) or 0)
  end
  print(string.format("S1 %d %.9e %.9e %d", s.count.value, a, b, s.size.value))
end

return M
