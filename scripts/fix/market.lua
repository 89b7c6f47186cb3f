--- market: exchange.lua and trader.lua in one process, over FIX on the loopback.
--
-- The trader hears prices and sends orders over one session, as many brokers have it.
-- The port is any that is free:
--
--     tidewire run scripts/fix/market.lua --seconds 10

local app = require "tw.app"

app.instruments { { symbol = "TIDE", tick_size = 0.01, lot_size = 1 } }
app.feed.timer { every = app.param("every", 0.001) }

-- The venue: a book, those who quote in it and those who take, and a port.
local book = { fill = "book", fees = { maker = -0.001, taker = 0.002 } }
app.fix.acceptor { port = 0, sessions = {
  { name = "venue", sender = "EXCHANGE", target = "TRADER", market = true,
    orders = true },
} }
for i = 1, 2 do
  app.script("../exchange/maker.lua", { name = "maker " .. i, account = book,
                                        params = { edge = 0.02 * i } })
end
for i = 1, app.param("takers", 3) do
  app.script("../exchange/taker.lua", { name = "taker " .. i, account = book,
                                        params = { seed = i } })
end

-- The trader, at the other end of the wire.
app.feed.fix { name = "broker", loopback = true, sender = "TRADER", target = "EXCHANGE",
               retry = 0.05, subscribe = { "TIDE" } }
app.gateway.fix { session = "broker", cancel_on_disconnect = true }
app.script("../crossover.lua", { account = { gateway = "broker" },
                                 params = { fast = 0.05, slow = 0.01 } })
