--- results: results of backtests from a seed, for the tests of what draws them.
--
--   local results = require "results"           -- with tests/?.lua in package.path
--   local result = results.make { days = 500, seed = 7 }

local tw = require "tw"

local results = {}

local DAY <const> = 86400 * 1000000000

-- Numbers from 0 to 1, the same on every machine.
local function random(seed)
  local state = seed
  return function()
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 11) / 2.0 ^ 53
  end
end

--- results.make { days, seed, symbol, name, params } -> result
-- Weekdays from 2004-08-20 on; in the market at random, long and short.
function results.make(o)
  local draw, n, symbol = random(o.seed or 7), o.days or 500, o.symbol or "SPY"
  local time, price, equity, open, money = 1092960000 * 1000000000, 100.0, 10000.0, nil, 0
  local days, trades, orders = {}, {}, {}
  local times, closes, values, won, sum, squares = {}, {}, {}, 0, 0.0, 0.0
  local function order(side, s, quantity, at)
    orders[#orders + 1] = { id = #orders + 1, time = s, symbol = symbol, side = side,
      type = "market", quantity = quantity, tif = "day", status = "filled", reason = "",
      filled = quantity, average = at, fees = 1.0, label = "" }
  end
  for i = 1, n do
    local spread = draw() + draw() + draw() + draw() - 2
    local before, was = price, equity
    price = math.floor(price * (1 + spread * 0.03 + 0.0004) * 100 + 0.5) / 100
    if open then
      equity = equity + open.quantity * (price - before)
      if draw() < 0.08 then
        open.exit, open.exit_price, open.fees = time, price, 2.0
        open.pnl = open.quantity * (price - open.entry_price) - 2
        open.ratio = open.pnl / math.abs(open.quantity * open.entry_price)
        won = won + (open.pnl > 0 and 1 or 0)
        money = money + 2
        trades[#trades + 1] = open
        order(open.quantity > 0 and "sell" or "buy", time, math.abs(open.quantity), price)
        open = nil
      end
    elseif draw() < 0.3 then
      local quantity = (draw() < 0.7 and 1 or -1) * math.floor(equity * 0.9 / price)
      open = { symbol = symbol, entry = time, entry_price = price, quantity = quantity }
      order(quantity > 0 and "buy" or "sell", time, math.abs(quantity), price)
    end
    local r = equity / was - 1
    sum, squares = sum + r, squares + r * r
    days[i] = { time = time, equity = equity }
    times[i], values[i], closes[i] = time, equity, price
    repeat time = time + DAY until time // DAY % 7 ~= 2 and time // DAY % 7 ~= 3
  end
  local sd = math.sqrt(math.max(squares - sum * sum / n, 1e-9) / math.max(n - 1, 1))
  local ratios = { annual_return = (equity / 10000) ^ (252 / n) - 1,
    volatility = sd * math.sqrt(252), sharpe = sum / n / sd * math.sqrt(252),
    sortino = 1.5, calmar = 0.4 }
  return {
    name = o.name or "crossover.lua", version = "0.1.0", data = { "spy.tape" },
    symbols = { symbol }, params = o.params or { fast = 10, slow = 30 },
    from = times[1], to = times[n], seconds = 1.2, records = n, currency = "USD",
    start = 10000.0, final = equity, hash = ("0123456789abcdef"):rep(4),
    figures = { total_return = equity / 10000 - 1, max_drawdown = -0.25, peak = 12000.0,
      max_drawdown_days = 58, exposure = 0.7, fees = money + 0.0, trades = #trades,
      won = won, win_rate = won / math.max(#trades, 1), profit_factor = 1.2, sqn = 1.1,
      arithmetic = ratios, geometric = ratios },
    days = days, curve = { time = tw.array(times), equity = tw.array(values) },
    trades = trades, orders = orders,
    positions = { { symbol = symbol, quantity = 0, price = 0.0, mark = price,
      realised = equity - 10000, unrealised = 0.0, fees = money + 0.0,
      trades = #trades } },
    prices = { [symbol] = { time = tw.array(times), close = tw.array(closes) } },
  }
end

--- results.sweep() -> list of results
-- A grid over fast, slow and stop whose best Sharpe is at 8, 40, 0.05; one run failed.
-- Only the best has more than figures.
function results.sweep()
  local out = {}
  for fast = 4, 12, 2 do
    for slow = 20, 60, 10 do
      for _, stop in ipairs { 0.02, 0.05 } do
        local best = fast == 8 and slow == 40 and stop == 0.05
        local r = best and results.make { days = 260 } or { name = "crossover.lua" }
        r.params = { fast = fast, slow = slow, stop = stop, mode = "long" }
        local sharpe = 2 - math.abs(fast - 8) / 2 - math.abs(slow - 40) / 15 + stop
        r.figures = { total_return = sharpe / 10, max_drawdown = -0.1 - fast / 100,
                      trades = 100 - fast, arithmetic = { sharpe = sharpe } }
        if fast == 4 and slow == 20 and stop == 0.02 then
          r = { params = r.params,
                error = "crossover.lua:12: no number\nstack traceback:" }
        end
        out[#out + 1] = r
      end
    end
  end
  return out
end

return results
