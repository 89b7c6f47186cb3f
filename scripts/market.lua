--- market: a live market of four securities, statistics on every core, a maker.
--
-- A synthetic exchange in this process serves FIX over a loopback socket; the
-- feed reads it as it would read a real one:
--
--     tidewire run scripts/market.lua
--     tidewire run scripts/market.lua --set fix=host:port

local app = require "tw.app"

app.sectors { tech = { "AAPL", "GOOG" }, oil = { "BP", "XOM" } }
app.weights { AAPL = 0.4, GOOG = 0.3, BP = 0.1, XOM = 0.2 }

local fix = app.param("fix", "")
app.feed.fix {
  connect = fix ~= "" and fix
      or app.exchange { rate = app.param("rate", 50000), seed = app.param("seed", 1) },
}
app.feed.timer { every = 0.5 }

app.script("stats/security.lua", { shard = "symbol" })  -- one instance a worker
app.script("stats/sector.lua")
app.script("stats/index.lua")
app.script("maker.lua", {
  symbols = { "AAPL", "GOOG" },
  params = { edge = app.param("edge", 0.02), quantity = 100 },
  on_error = "restart",
})

app.screen {
  title = "tidewire: four securities, two sectors, one index",
  board = { "spread.*", "mid.*", "vol.*", "index" },
}
