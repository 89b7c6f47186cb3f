--- trader: a market order every 16 quotes; when the script is told of it.

local tw = require "tw"
local percentiles = require "percentiles"
local now = tw.now

local M = { account = { cash = 1e9 } }
local sent, first, own, alone, came = 0, {}, {}, {}, {}

function M:on_start()
  self.n, self.skip = 0, 0
end

function M:on_quote(symbol, received)
  local n = self.n + 1
  self.n = n
  if n % 16 ~= 0 then return end
  sent = now()
  came[#came + 1] = sent - received
  if n % 32 == 0 then self:sell { symbol = symbol, quantity = 100 }
  else self:buy { symbol = symbol, quantity = 100 } end
  alone[#alone + 1] = now() - sent
end

function M:on_order(status)
  if status == "pending_new" then first[#first + 1] = now() - sent end
end

function M:on_fill()
  own[#own + 1] = now() - sent
  tw.publish("fills", { sent, now() })
end

function M:on_stop()
  if self.params.paced then percentiles("before: the quote, until on_quote", came) end
  percentiles("self:buy, until it returns", alone)
  percentiles("until on_order: it is on its way", first)
  percentiles("until on_fill, at the next quote", own)
end

return M
