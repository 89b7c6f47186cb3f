--- latency: how long a quote takes from the pipe to the last of four statistics.
--
-- FIX on standard input; p50, p99 and p99.9 of the time from a read(2) to the
-- last consumer's update, after the first second.

local app = require "tw.app"
package.path = package.path .. ";" .. debug.getinfo(1, "S").source:match("^@(.*/)")
    .. "../fanout/?.lua"
local universe = require "universe"

local dir = app.param("dir", ".")
local skip = app.param("skip", 20000)
local instruments = universe.read(app.param("universe", "universe.csv"))

app.instruments(instruments)
app.feed.fix { stdin = true }
for i = 1, 4 do
  app.script("s" .. i .. ".lua", { params = { n = #instruments, dir = dir } })
end

local function read(name)
  local file <close> = assert(io.open(dir .. "/" .. name .. ".bin", "rb"))
  local bytes, values = file:read("a"), {}
  for i = 1, #bytes, 8 do values[#values + 1] = string.unpack("<i8", bytes, i) end
  return values
end

app.on_end(function(status)
  local received, stamps, took = read "received", {}, {}
  for i = 1, 4 do stamps[i] = read("s" .. i) end
  for q = skip + 1, #received do
    took[#took + 1] = math.max(stamps[1][q], stamps[2][q], stamps[3][q], stamps[4][q])
        - received[q]
  end
  table.sort(took)
  local function at(p) return took[math.max(1, math.ceil(p * #took))] / 1e3 end
  print(string.format("%-12s %8d %9.1f %9.1f %9.1f %15.2f", "tidewire", #took, at(0.5),
                      at(0.99), at(0.999), status.cpu / status.reading))
  return true
end)
