--- mixed: gets and puts of many keys, on one thread and on two: the time in which
-- one more of all is done.

package.path = (arg[0]:match "^(.*/)" or "") .. "?.lua;" .. package.path
local tw, measure = require "tw", require "measure"

local KEYS, OPERATIONS, ROUNDS = 1024, 500000, 5

tw.pool.configure { threads = 2 }
local cache = tw.cache("mixed", { entries = 2 * KEYS })
for i = 1, KEYS do cache:put("key " .. i, i) end

-- Of 100 operations so many are puts, of keys in an order that looks random.
local function work(seed, puts, keys, operations)
  local names = {}
  for i = 1, keys do names[i] = "key " .. i end
  local function load(key) return key end
  for i = 1, operations do
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    local key = names[(seed >> 8) % keys + 1]
    if i % 100 < puts then cache:put(key, i) else cache:get(key, load):await() end
  end
end

for _, puts in ipairs { 0, 10 } do
  for threads = 1, 2 do
    local least = math.huge
    for _ = 1, ROUNDS do
      local start, jobs = tw.clock(), {}
      for i = 1, threads do jobs[i] = tw.pool.run(work, i, puts, KEYS, OPERATIONS) end
      for i = 1, threads do jobs[i]:await() end
      least = math.min(least, (tw.clock() - start) / OPERATIONS / threads * 1e9)
    end
    measure.row(("%d gets, %d puts, 1,024 keys, %d thread%s"):format(100 - puts, puts,
      threads, threads > 1 and "s" or ""), least)
  end
end
