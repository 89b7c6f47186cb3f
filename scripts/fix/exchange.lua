--- exchange: the market of scripts/exchange.lua, open to others over FIX.
--
-- Its prices, ten levels deep, go to whoever logs on as PRICES, and TRADER sends orders,
-- which meet those of its makers and takers in one book.  The other side is trader.lua:
--
--     tidewire run scripts/fix/exchange.lua --seconds 20 &
--     tidewire run scripts/fix/trader.lua --seconds 10

local app = require "tw.app"

app.instruments { { symbol = "TIDE", tick_size = 0.01, lot_size = 1 } }
app.feed.timer { every = app.param("every", 0.001) }
app.account { fill = "book", fees = { maker = -0.001, taker = 0.002 } }
app.book { levels = 10 }
app.fix.acceptor { port = app.param("port", 9880), sessions = {
  { name = "prices", sender = "EXCHANGE", target = "PRICES", market = true },
  { name = "orders", sender = "EXCHANGE", target = "TRADER", orders = true },
} }

for i = 1, 2 do
  app.script("../exchange/maker.lua", { name = "maker " .. i,
                                        params = { edge = 0.02 * i } })
end
for i = 1, app.param("takers", 3) do
  app.script("../exchange/taker.lua", { name = "taker " .. i, params = { seed = i } })
end
