--- fund: quotes TIDE, a fund that holds the index, in the run's own book.
--
-- Who logs on over FIX trades with it: see scripts/market.lua.

local stat = require "tw.stat"
local strategy = require "tw.strategy"

local M = strategy.new {
  doc = "quotes a fund around the index that it holds",
  params = {
    edge = { 0.005, min = 0, doc = "price units on each side" },
    quantity = { 500, min = 1, doc = "of each order" },
    every = { 0.05, min = 0, doc = "seconds from quote to quote" },
  },
}

function M:on_start()
  self.due = 0
  self.held = self:track { worth = stat.sum "weight * (mid - prev(mid, initial=0))" }
end

function M:quote(side, price)
  local order = self[side .. "_order"]
  if order and order.leaves > 0 then
    if order.price ~= price then order:modify { price = price } end
  else
    self[side .. "_order"] = self[side](self, {
      symbol = "TIDE", quantity = self.params.quantity, price = price, post_only = true })
  end
end

function M:on_quote(time)
  if time < self.due then return end
  self.due = time + self.params.every * 1e9
  local worth = self.held.worth.value
  self:quote("buy", math.floor((worth - self.params.edge) * 100) / 100)
  self:quote("sell", math.ceil((worth + self.params.edge) * 100) / 100)
end

M.on_reload = M.on_start    -- a new version declares anew

return M
