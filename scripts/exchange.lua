--- exchange: a market that scripts make themselves, without any feed but a clock.
--
-- Two makers quote around what each thinks the security is worth; takers buy and sell as
-- their dice say.  All orders meet in one limit order book:
--
--     tidewire run scripts/exchange.lua --seconds 5

local app = require "tw.app"

app.instruments { { symbol = "TIDE", tick_size = 0.01, lot_size = 1 } }
app.feed.timer { every = app.param("every", 0.001) }
app.account { fill = "book", latency = { 0.0001, 0.002 },
              fees = { maker = -0.001, taker = 0.002 } }

for i = 1, 2 do
  app.script("exchange/maker.lua", { name = "maker " .. i, params = { edge = 0.02 * i } })
end
for i = 1, app.param("takers", 3) do
  app.script("exchange/taker.lua", { name = "taker " .. i, params = { seed = i } })
end
