--- replay: one script over the synthetic market, or over a file, as fast as it goes.
--
--     tidewire run scripts/replay.lua --set script=crossover.lua
--     tidewire run scripts/replay.lua --set script=crossover.lua --set csv=quotes.csv.gz

local app = require "tw.app"

local csv, fix = app.param("csv", ""), app.param("fix", "")
if csv ~= "" then
  local preset = app.param("preset", "")
  app.feed.csv { file = csv, preset = preset ~= "" and preset or nil }
elseif fix ~= "" then
  app.feed.fix { file = fix, speed = 0 }
else
  app.feed.synthetic {
    speed = 0, limit = app.param("records", 1000000), seed = app.param("seed", 1),
  }
end

app.script(app.param("script", "crossover.lua"), { shard = "symbol" })
