--- maker: quotes around the mid price, wider when the sector is restless.
--
-- It decides on what the statistics scripts publish and logs the orders that it
-- would send.  params: edge (price units on each side), quantity (of each order).

local tw = require "tw"

local M = { messages = { "vol.*", "index" } }

function M:on_start()
  self.mid, self.vol = {}, {}
end

function M:on_quote(symbol, sector, mid)
  self.mid[symbol] = { mid = mid, sector = sector }
end

function M:on_message(topic, value)
  self.vol[topic] = value
end

--- Twice a second: one bid and one offer for each security.
function M:on_timer()
  for symbol, q in pairs(self.mid) do
    local security = tw.instrument(symbol)
    local tick = security.tick_size > 0 and security.tick_size or 0.01
    local vol = self.vol["vol." .. (q.sector or "")] or 0.0
    local edge = self.params.edge + 4 * vol * q.mid
    local bid = math.floor((q.mid - edge) / tick) * tick
    local ask = math.ceil((q.mid + edge) / tick) * tick
    print(string.format(
      "maker: would buy %d %s at %.2f, sell at %.2f (vol %.2e, index %.2f)",
      self.params.quantity, symbol, bid, ask, vol, self.vol.index or 0))
  end
end

return M
