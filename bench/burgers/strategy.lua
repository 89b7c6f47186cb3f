--- strategy: long one unit while a fast average is above a slow one, short while below.
--
-- params: fast, slow; bars, of those that come after it the decisions are not taken.

local M = { account = { cash = 1e6, fill = "next_open", fees = { per_share = 1 } } }

function M:on_start()
  local p = self.params
  self.fast, self.slow, self.bars = p.fast, p.slow, p.bars
  self.n, self.close, self.sum_fast, self.sum_slow, self.side = 0, {}, 0, 0, 0
end

function M:on_bar(symbol, close)
  local n, fast, slow, closes = self.n + 1, self.fast, self.slow, self.close
  self.n, closes[n] = n, close
  local sum_fast = self.sum_fast + close - (closes[n - fast] or 0)
  local sum_slow = self.sum_slow + close - (closes[n - slow] or 0)
  self.sum_fast, self.sum_slow = sum_fast, sum_slow
  if n < slow or n > self.bars then return end
  local a, b = sum_fast * slow, sum_slow * fast
  local side = a > b and 1 or a < b and -1 or 0
  if side == self.side then return end
  self.side = side
  self:order_target(symbol, side)
end

return M
