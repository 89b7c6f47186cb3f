--- maker: a bid and an offer around the mid price, wider when the sector is restless.
--
-- It decides on what the statistics scripts publish, and leans against its position: both
-- prices are lower when it is long.

local strategy = require "tw.strategy"
local tw = require "tw"

local M = strategy.new {
  doc = "a bid and an offer around the mid price, wider when the sector is restless",
  params = {
    edge = { 0.02, min = 0, doc = "price units on each side" },
    quantity = { 100, min = 1, doc = "of each order" },
  },
  messages = { "vol.*", "index" },
  account = { cash = 1000000, fill = "queue", latency = 0.0005,
              fees = { per_share = 0.001 }, limits = { position = 2000 } },
}

function M:on_start()
  self.symbols, self.mid, self.vol, self.live = {}, {}, {}, { buy = {}, sell = {} }
end

function M:on_quote(symbol, sector, mid)
  if not self.mid[symbol] then table.insert(self.symbols, symbol) end
  self.mid[symbol] = { mid = mid, sector = sector }
end

function M:on_message(topic, value)
  self.vol[topic] = value
end

--- One order of a side: moved to the price, or sent when there is none.
function M:quote(side, symbol, price)
  local order = self.live[side][symbol]
  if order and order.leaves > 0 then
    if order.price ~= price then order:modify { price = price } end
  else
    self.live[side][symbol] = self[side](self, {
      symbol = symbol, quantity = self.params.quantity, price = price, post_only = true })
  end
end

--- Twice a second: one bid and one offer for each security, in the order in which they
-- came, so that the same market gives the same orders.
function M:on_timer()
  for _, symbol in ipairs(self.symbols) do
    local q, security = self.mid[symbol], tw.instrument(symbol)
    local tick = security.tick_size > 0 and security.tick_size or 0.01
    local vol = self.vol["vol." .. (q.sector or "")] or 0.0
    local edge = self.params.edge + 4 * vol * q.mid
    local lean = self:position(symbol) / self.params.quantity * tick
    self:quote("buy", symbol, math.floor((q.mid - edge - lean) / tick) * tick)
    self:quote("sell", symbol, math.ceil((q.mid + edge - lean) / tick) * tick)
  end
end

function M:on_fill(symbol, side, quantity, price, position)
  print(("maker: %s %d %s at %.2f, holds %d, made %.2f"):format(
    side == "buy" and "bought" or "sold", quantity, symbol, price, position,
    self.account.equity - self.account.deposits))
end

M.on_reload = M.on_start

return M
