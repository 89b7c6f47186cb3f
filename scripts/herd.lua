--- herd: eight requests for one expensive value, without and with the cache.
--
--     tidewire scripts/herd.lua [requests]
--
-- A value that everybody needs runs out, and all who ask find it missing at the same
-- moment: a thundering herd.  Without a cache of futures each computes it for himself;
-- with one the first starts the computation and the others wait for the same future.

local tw = require "tw"

local REQUESTS = math.tointeger(arg and arg[1] or 8)
if not REQUESTS or REQUESTS < 1 then
  error("requests: an integer from 1 on expected, got " .. tostring(arg[1]), 0)
end

-- The price of an Asian call by Monte Carlo: about 0.1 s of computation.
local function price(strike, evaluations)
  evaluations:send(1)
  local paths, steps, spot, rate, sigma, years = 40000, 50, 100, 0.02, 0.3, 1
  local dt, sum, seed = years / steps, 0, 42
  local drift, shock = (rate - sigma * sigma / 2) * dt, sigma * math.sqrt(12 * dt)
  for _ = 1, paths do
    local s, mean = spot, 0
    for _ = 1, steps do
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      s = s * math.exp(drift + shock * (seed / 0x7fffffff - 0.5))
      mean = mean + s / steps
    end
    sum = sum + math.max(mean - strike, 0)
  end
  return math.exp(-rate * years) * sum / paths
end

-- All requests at once, as from as many strategies; `ask` gives a future.
local function measure(name, ask)
  local evaluations = tw.channel(REQUESTS)
  local wall, cpu = tw.clock(), os.clock()
  local futures = {}
  for i = 1, REQUESTS do futures[i] = ask(evaluations) end
  local prices = tw.all(futures)
  wall, cpu = tw.clock() - wall, os.clock() - cpu
  for i = 2, REQUESTS do assert(prices[i] == prices[1]) end
  print(("%-14s %11d %9.0f ms %9.0f ms %12.4f"):format(name, #evaluations, wall * 1e3,
                                                      cpu * 1e3, prices[1]))
end

tw.pool.run(function() end):await()          -- the threads are warm
print(REQUESTS .. " requests     evaluations         wall          CPU        price")
measure("without cache", function(evaluations)
  return tw.pool.run(price, 100, evaluations)
end)
local cache = tw.cache("prices", { ttl = 60 })
measure("with cache", function(evaluations)
  return cache:get(100, function(strike) return price(strike, evaluations) end)
end)
local stats = cache:stats()
print(("the cache: %d load, %d joined it, %d hits"):format(stats.loads, stats.coalesced,
                                                          stats.hits))
