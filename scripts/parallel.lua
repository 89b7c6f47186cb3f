--- parallel: how sure is a Sharpe ratio?  A bootstrap over all cores.
--
--     tidewire scripts/parallel.lua                    made-up returns, 20,000 resamples
--     tidewire scripts/parallel.lua returns.txt 1e6    one daily return in a line
--
-- The days are drawn again, with repetition, in blocks of 20 so that what follows each
-- other stays together; each resample gives a Sharpe ratio, and where 95% of them lie
-- is the interval.  A resample's seed is its number: the result is the same whatever
-- the number of threads, of which pool.configure { threads = n } makes another.

local tw = require "tw"

local path, resamples = arg[1], math.tointeger(tonumber(arg[2] or 20000))
local BLOCK, YEAR = 20, 252              -- days
local JOB, SHARE = 100, 8                -- resamples of a job; 1 in 8 is also done alone

local returns = {}
if path and path ~= "" then
  for line in io.lines(path) do returns[#returns + 1] = tonumber(line) end
else
  math.randomseed(1)
  for day = 1, 1000 do                   -- a sum of many draws is about normal
    local sum = -6
    for _ = 1, 12 do sum = sum + math.random() end
    returns[day] = 0.0004 + 0.01 * sum
  end
end
assert(#returns > BLOCK, "parallel: more than 20 returns expected")
assert(resamples and resamples > 0, "parallel: a number of resamples expected")

local function sharpe(returns, seed)
  local n, sum, squares, left, at = #returns, 0, 0, 0, 1
  if seed then math.randomseed(seed) end
  for day = 1, n do
    if not seed then at = day
    elseif left == 0 then at, left = math.random(n), BLOCK end
    local r = returns[at]
    sum, squares = sum + r, squares + r * r
    at, left = at % n + 1, left - 1
  end
  return math.sqrt(YEAR) * sum / math.sqrt(n * squares - sum * sum)
end

-- The returns come frozen to a job: it reads them so often that it makes a copy first.
local frozen = tw.freeze(returns)
local function resample(first)
  local own, ratios = tw.thaw(frozen), {}
  for seed = first, math.min(first + JOB - 1, resamples) do
    ratios[#ratios + 1] = sharpe(own, seed)
  end
  return ratios
end

local jobs = {}
for first = 1, resamples, JOB do jobs[#jobs + 1] = first end

local began, ratios = tw.clock(), {}
for _, part in ipairs(tw.pool.map(jobs, resample, { name = "resampling" })) do
  table.move(part, 1, #part, #ratios + 1, ratios)
end
local all = tw.clock() - began

began = tw.clock()
local some = math.max(1, resamples // SHARE)
for seed = 1, some do                    -- alone, the same ones give the same
  assert(sharpe(returns, seed) == ratios[seed])
end
local alone = (tw.clock() - began) * resamples / some

table.sort(ratios)
local function quantile(q) return ratios[math.max(1, math.ceil(q * resamples))] end
local losing = 0
while losing < resamples and ratios[losing + 1] <= 0 do losing = losing + 1 end
print(("%d returns: Sharpe ratio %.2f a year, in %.2f .. %.2f with 95%%, not above 0 with"
       .. " %.1f%%"):format(#returns, sharpe(returns), quantile(0.025), quantile(0.975),
                            100 * losing / resamples))
print(("%d resamples: %.2f s on %d threads, %.2f s on one: %.2f times as fast")
  :format(resamples, all, tw.pool.status().threads, alone, alone / all))
