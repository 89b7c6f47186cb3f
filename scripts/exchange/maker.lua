--- maker: quotes both sides of TIDE, and learns from its fills what it is worth.
--
-- params: edge (price units on each side).

local M = {}

function M:on_start() self.worth = 100 end

function M:quote(side, price)
  local order = self[side .. "_order"]
  if order and order.leaves > 0 then
    if order.price ~= price then order:modify { price = price } end
  else
    self[side .. "_order"] = self[side](self, { symbol = "TIDE", quantity = 20,
                                                price = price, post_only = true })
  end
end

function M:on_timer(count)
  if count % 10 ~= 0 then return end
  local lean = self:position "TIDE" * 0.0005
  self:quote("buy", math.floor((self.worth - self.params.edge - lean) * 100) / 100)
  self:quote("sell", math.ceil((self.worth + self.params.edge - lean) * 100) / 100)
end

-- Who sells to it may know something.
function M:on_fill(side, quantity)
  self.worth = self.worth + (side == "buy" and -0.0005 or 0.0005) * quantity
end

function M:on_stop()
  local a = self.account
  print(("%s holds %d, made %.2f, of it rebates %.2f"):format(self.name,
    self:position "TIDE", a.equity - a.deposits, -a.fees))
end

return M
