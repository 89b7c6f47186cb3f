--- prices: the eight random walks of the grid, the same on every machine.
--
-- Why a generator of our own: the known answer is of walks by MT19937, seeded by 7.

local N <const>, M <const>, MASK <const> = 624, 397, 0xffffffff

-- MT19937 (Matsumoto and Nishimura 1998), seeded by an array of one key: its top bits.
local function generator(key)
  local s, at = { [0] = 19650218 }, N
  for i = 1, N - 1 do s[i] = (1812433253 * (s[i - 1] ~ s[i - 1] >> 30) + i) & MASK end
  local i = 1
  local function mix(factor, add)
    s[i] = ((s[i] ~ (s[i - 1] ~ s[i - 1] >> 30) * factor) + add(i)) & MASK
    i = i + 1
    if i == N then s[0], i = s[N - 1], 1 end
  end
  for _ = 1, N do mix(1664525, function() return key end) end
  for _ = 1, N - 1 do mix(1566083941, function(k) return -k end) end
  s[0] = 1 << 31

  return function(bits)
    if at == N then
      for k = 0, N - 1 do
        local y = s[k] & 1 << 31 | s[(k + 1) % N] & (1 << 31) - 1
        s[k] = s[(k + M) % N] ~ y >> 1 ~ (y & 1) * 0x9908b0df
      end
      at = 0
    end
    local y = s[at]
    at = at + 1
    y = y ~ y >> 11
    y = y ~ y << 7 & 0x9d2c5680
    y = y ~ y << 15 & 0xefc60000
    return (y ~ y >> 18) >> 32 - bits
  end
end

--- prices(n) -> a list of { name =, [1] = price in whole pips, ... }
return function(n)
  local random = generator(7)
  local function below(most)
    local r
    repeat r = random(5) until r < most
    return r
  end
  local all = {
    { name = "EURUSD", 11000 }, { name = "GBPUSD", 12600 }, { name = "USDJPY", 14800 },
    { name = "AUDUSD", 6600 }, { name = "USDCAD", 13500 }, { name = "USDCHF", 8800 },
    { name = "NZDUSD", 6100 }, { name = "EURGBP", 8600 },
  }
  for _, pair in ipairs(all) do
    local price = pair[1]
    for i = 1, n do
      price = math.max(price + below(19) - 9, 1000)
      pair[i] = price
    end
  end
  return all
end
