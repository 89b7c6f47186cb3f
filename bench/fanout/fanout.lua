--- fanout: one FIX stream, four statistics, each a script: handlers in Lua (s1 to s4),
-- or declared (n1 to n4).
--
-- The workload that tidewire is measured by: run.sh says how it is run.

local app = require "tw.app"
local universe = require "universe"

local file = app.param("file", "-")
local instruments = universe.read(app.param("universe", "universe.csv"))

app.instruments(instruments)
app.feed.fix(file == "-" and { stdin = true } or { file = file, speed = 0 })
for i = 1, 4 do
  app.script(app.param("form", "s") .. i .. ".lua",
             { params = { n = #instruments }, reliable = true })
end

app.on_end(function(status)
  local quotes = status.feeds[1].records
  print(string.format("T %.6f %d", status.reading, quotes))
  io.stderr:write(string.format(
    "%.2f us of CPU a quote, start and end included; PSS %.1f MiB\n",
    status.cpu / quotes * 1e6, status.pss / 2^20))
  return true
end)
