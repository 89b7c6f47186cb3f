-- cross.lua: long while a fast average of the mid price is above a slow one.
local M = { account = { cash = 1e6 } }

function M:on_start()
  self.fast, self.slow = self.params.fast, self.params.slow
  self.n, self.close, self.sum_fast, self.sum_slow = 0, {}, 0, 0
end

function M:on_quote(symbol, mid)
  local close, n, fast, slow = self.close, self.n, self.fast, self.slow
  self.sum_slow = self.sum_slow + mid - (close[n % slow] or 0)
  self.sum_fast = self.sum_fast + mid - (n >= fast and close[(n - fast) % slow] or 0)
  close[n % slow], self.n = mid, n + 1
  if n < slow then return end
  local above = self.sum_fast * slow > self.sum_slow * fast
  if above == self.above then return end
  self.above = above
  self:order_target(symbol, above and 100 or 0)
end

return M
