--- market: a live market of four securities, statistics on every core, three that trade.
--
-- A synthetic exchange in this process serves FIX over a loopback socket; the feed reads
-- it as it would read a real one.  A fund on its index is quoted in the run's own book,
-- which is open over FIX, and one script trades there as from anywhere else: fix/ has
-- both as two processes.
--
--     tidewire run scripts/market.lua
--     tidewire run scripts/market.lua --set fix=host:port

local app = require "tw.app"

app.sectors { tech = { "AAPL", "GOOG" }, oil = { "BP", "XOM" } }
app.instruments { { symbol = "TIDE", tick_size = 0.01, lot_size = 1 } }
app.weights { AAPL = 0.4, GOOG = 0.3, BP = 0.1, XOM = 0.2 }

local fix = app.param("fix", "")
app.feed.fix {
  connect = fix ~= "" and fix
      or app.exchange { rate = app.param("rate", 50000), seed = app.param("seed", 1) },
}
app.feed.timer { every = 0.5 }

local stocks = { "tech", "oil" }
app.script("stats/security.lua", { shard = "symbol", sectors = stocks })
app.script("stats/sector.lua", { sectors = stocks })
app.script("stats/index.lua", { sectors = stocks })
app.script("maker.lua", {
  symbols = { "AAPL", "GOOG" },
  params = { edge = app.param("edge", 0.02), quantity = 100 },
  on_error = "restart",
})
app.script("crossover.lua", { sectors = stocks })

-- The venue and its caller.  The port is any that is free.
app.fix.acceptor { port = 0, sessions = {
  { name = "venue", sender = "VENUE", target = "TRADER", market = true, orders = true },
} }
app.script("fix/fund.lua", { sectors = stocks, account = { fill = "book" } })
app.feed.fix { name = "broker", loopback = true, sender = "TRADER", target = "VENUE",
               retry = 0.05, subscribe = { "TIDE" } }
app.gateway.fix { session = "broker" }
app.script("fix/remote.lua", { name = "trader", symbols = "TIDE",
                               account = { gateway = "broker" },
                               params = { fast = 0.5, slow = 0.1 } })

app.screen {
  title = "tidewire: four securities, two sectors, one index",
  board = { "spread.*", "mid.*", "vol.*", "index" },
}
