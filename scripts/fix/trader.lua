--- trader: the strategy of scripts/crossover.lua, trading over FIX.
--
-- It hears prices in one session and sends orders in another, as venues have it; the
-- other side is exchange.lua.  The strategy is the same file on paper and in a backtest.

local app = require "tw.app"

local host, port = app.param("host", "127.0.0.1"), app.param("port", 9880)

app.instruments { { symbol = "TIDE", tick_size = 0.01, lot_size = 1 } }
app.feed.fix { name = "prices", host = host, port = port, sender = "PRICES",
               target = "EXCHANGE", subscribe = { "TIDE" }, depth = 5,
               incremental = true }
app.gateway.fix { name = "orders", host = host, port = port, sender = "TRADER",
                  target = "EXCHANGE", cancel_on_disconnect = true }
app.account { gateway = "orders" }
app.script "depth.lua"
app.script("../crossover.lua", { params = { fast = 0.05, slow = 0.01 } })
