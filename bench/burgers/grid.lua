--- grid: 64 pairs of averages over 8 currency pairs, in two ways that must agree.
--
-- A price is decided on and traded at: so what trades at the open of the next bar is
-- given bars that open where the last one closed.

local tw, array = require "tw", require "tw.array"

local grid = {}
local FAST <const> = { 3, 5, 8, 10, 12, 15, 18, 20 }
local SLOW <const> = { 30, 40, 50, 60, 80, 100, 150, 200 }

--- The columns of all pairs, each an array that all states share.
function grid.arrays(pairs_)
  local all = {}
  for i, pair in ipairs(pairs_) do all[i] = { name = pair.name, x = array(pair) } end
  return all
end

--- A file of bars for each pair, and one more bar for the orders of the last price.
function grid.write(pairs_, dir)
  local all = {}
  for i, pair in ipairs(pairs_) do
    local path = ("%s/%s.csv"):format(dir, pair.name)
    local file <close> = assert(io.open(path, "w"))
    file:write "time,open,high,low,close,volume\n"
    for k = 1, #pair + 1 do
      local close = pair[k] or pair[#pair]
      local open = pair[k - 1] or close
      file:write(("%d,%d,%d,%d,%d,1\n"):format(1000000000 + 60 * k, open,
        math.max(open, close), math.min(open, close), close))
    end
    all[i] = { name = pair.name, path = path, bars = #pair }
  end
  return all
end

-- All slow averages of one fast one: {pnl, trades, ...}, two for each.
local function compute(job)
  local x, fast, out = job.pair.x:totable(), job.fast, {}
  for _, slow in ipairs(job.slow) do
    local sf, ss, side, pnl, trades = 0, 0, 0, 0, 0
    for i = slow - fast + 1, slow do sf = sf + x[i] end
    for i = 1, slow do ss = ss + x[i] end
    for i = slow, #x do
      if i > slow then
        local xi = x[i]
        sf = sf + (xi - x[i - fast])
        ss = ss + (xi - x[i - slow])
        pnl = pnl + side * (xi - x[i - 1])
      end
      local a, b = sf * slow, ss * fast
      local now = a > b and 1 or a < b and -1 or 0
      if now ~= side then
        trades = trades + 1
        pnl = pnl - (now > side and now - side or side - now)
        side = now
      end
    end
    out[#out + 1], out[#out + 2] = pnl, trades
  end
  return out
end

-- The same by backtests of strategy.lua, with orders and an account.
local function trade(job)
  local tw, out = require "tw", {}
  for _, slow in ipairs(job.slow) do
    local result = assert(tw.backtest.run {
      script = job.script, data = { path = job.pair.path, interval = "1m" },
      brief = true, params = { fast = job.fast, slow = slow, bars = job.pair.bars },
    })
    out[#out + 1], out[#out + 2] = result.final - result.start, result.sent
  end
  return out
end

local function in_turn(jobs, f)
  local results = {}
  for i, job in ipairs(jobs) do results[i] = f(job) end
  return results
end

local function in_pool(jobs, f) return tw.pool.map(jobs, f, { chunk = 1 }) end

-- "pnl=... trades=... best=PAIR/fast/slow/pnl"
local function run(all, f, map, script)
  local jobs = {}
  for _, pair in ipairs(all) do
    for _, fast in ipairs(FAST) do
      jobs[#jobs + 1] = { pair = pair, fast = fast, slow = SLOW, script = script }
    end
  end
  local pnl, trades, best = 0, 0, { pnl = -math.huge }
  for i, result in ipairs(map(jobs, f)) do
    for k, slow in ipairs(SLOW) do
      local one = result[2 * k - 1]
      pnl, trades = pnl + one, trades + result[2 * k]
      if one > best.pnl then
        best = { pnl = one, name = jobs[i].pair.name, fast = jobs[i].fast, slow = slow }
      end
    end
  end
  return ("pnl=%d trades=%d best=%s/%d/%d/%d"):format(pnl, trades, best.name, best.fast,
    best.slow, best.pnl)
end

function grid.compute(arrays, parallel)
  return run(arrays, compute, parallel and in_pool or in_turn)
end

function grid.trade(files, script, parallel)
  return run(files, trade, parallel and in_pool or in_turn, script)
end

return grid
