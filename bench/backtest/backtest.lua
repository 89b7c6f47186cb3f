-- backtest.lua DIR QUOTES BARS: records a second of processor time.
local tw = require "tw"
local dir, quotes, bars = arg[1], arg[2], { path = arg[3], interval = "1m" }

local function row(name, options)
  local best, sent = 0, 0
  for _ = 1, tonumber(os.getenv "REPEAT" or 3) do
    local began = os.clock()
    local result = assert(tw.backtest.run(options))
    best = math.max(best, result.records / (os.clock() - began))
    sent = result.sent
  end
  print(("%-34s %6.2f M/s   %d orders"):format(name, best / 1e6, sent))
end

local cross = dir .. "/cross.lua"
row("quotes, cross", { script = cross, data = quotes, brief = true })
row("quotes, cross with orders",
    { script = cross, data = quotes, brief = true, params = { trades = true } })
row("bars, cross", { script = cross, data = bars, brief = true })
row("bars, cross with orders",
    { script = cross, data = bars, brief = true, params = { trades = true } })
row("quotes, a step for each",
    { script = cross, data = quotes, brief = true, single_steps = true })
row("quotes, two scripts", { app = dir .. "/two.lua", data = quotes, brief = true })

-- Eight runs one after the other, and in the pool.
local items = {}
for i = 1, 8 do items[i] = { script = cross, data = quotes, brief = true } end
local function run(options) return assert(require "tw".backtest.run(options)).records end
tw.pool.map({ items[1] }, run)
local began = tw.clock()
for i = 1, 8 do run(items[i]) end
local alone = tw.clock() - began
began = tw.clock()
tw.pool.map(items, run)
print(("8 runs in the pool of %d threads: %.2f times as fast"):format(
  tw.pool.status().threads, alone / (tw.clock() - began)))
