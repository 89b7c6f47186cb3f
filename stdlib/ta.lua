--- ta: indicators of technical analysis, one value or bar at a time.
--
--   local ta = require "tw.ta"
--   local fast, slow = ta.sma(10), ta.sma(30)
--   local cross = ta.cross(fast, slow)
--   ...
--   fast:push(close) slow:push(close)
--   if cross:push() == 1 then ... end            -- fast has come to be above slow
--
--   local atr = ta.by_symbol(ta.atr, 14)         -- one for each symbol
--   atr[symbol]:push(high, low, close)           -- the value; nil while it warms up
--   atr[symbol]:push(bar)                        -- the same, of the bar in on_bar
--
-- Each is a statistic of tw.stat: push, reset, save, copy and freeze, and the fields
-- value, count and ready; an option table may stand for the numbers.  `tidewire help
-- stat.rsi` tells a formula, its source, all fields, and what a push costs.
--
--   sma(n) ema(n) smma(n) wma(n) hma(n)    push(x)
--   macd(12, 26, 9)                        push(x); signal, histogram
--   rsi(14)                                push(x); gain, loss
--   roc(10)                                push(x)
--   bollinger(20, 2)                       push(x); upper, lower, percent, width
--   stochastic(14, 3, 1)                   push(high, low, close); signal.  The numbers:
--                                          of %K, of %D, and 3 makes it the slow one
--   atr(14)                                push(high, low, close); range
--   adx(14)                                push(high, low, close); plus_di, minus_di, dx
--   cci(20)                                push(high, low, close)
--   donchian(20)                           push(high, low); upper, lower
--   obv()                                  push(close, volume)
--   vwap()                                 push(price, size); reset() begins a session
--   cross([x, y])                          push([x, y]); up, down
--
-- The numbers shown are those that count where none is given; n must be.  A number
-- pushed may be a statistic: signal:push(macd) takes its value.  A bar stands for high,
-- low, close and volume; what takes x or a price is given one: sma:push(close).
--
-- Averages are exact where prices are decimals of up to nine places: sma, wma and
-- bollinger are sums of integers, each divided once, and equal averages are equal.
--
-- With a text for each input they are declared, as tw.stat's are, and fed in C:
--
--   self:track { fast = ta.sma("mid", 10):by "symbol" }
--   self:track { range = ta.atr("high", "low", "close", 14):by "symbol" }    -- of bars

local core = require "tw.internal.stat"
local stat = require "tw.stat"

local ta = {}

-- What the numbers of a call are, in order.
local NUMBERS = {
  sma = { "window" }, ema = { "window" }, smma = { "window" }, wma = { "window" },
  hma = { "window" }, macd = { "fast", "slow", "signal" }, rsi = { "window" },
  roc = { "window" }, bollinger = { "window", "deviations" },
  stochastic = { "window", "signal", "smooth" }, atr = { "window" },
  adx = { "window" }, cci = { "window" }, donchian = { "window" }, obv = {}, vwap = {},
}

local function constructor(name, numbers)
  local make = stat[name]
  return function(...)
    local given, texts = { ... }, 0
    while type(given[texts + 1]) == "string" do texts = texts + 1 end
    if type(given[texts + 1]) == "table" then return make(...) end
    if select("#", ...) > texts + #numbers then
      error(("ta.%s: at most %d number%s expected%s"):format(name, #numbers,
        #numbers == 1 and "" or "s",
        numbers[1] and ": " .. table.concat(numbers, ", ") or ""), 2)
    end
    local options = {}
    for i, option in ipairs(numbers) do
      options[option], given[texts + i] = given[texts + i], nil
    end
    given[texts + 1] = options
    return make(table.unpack(given, 1, texts + 1))
  end
end

for name, numbers in pairs(NUMBERS) do ta[name] = constructor(name, numbers) end

--- ta.cross([x, y]) -> statistic
-- Where x crosses y: its push returns 1 when the last difference that was not 0 was
-- below it and x is above y now, -1 the other way, else 0; so a tie is no side.  x and y
-- are statistics or numbers: ta.cross(rsi, 70).  push() reads them, and returns nil while
-- one has no value; ta.cross() is given them at each push(x, y), and so is one that was
-- loaded or that is per symbol.  Averages and decimals are compared as fractions, with
-- no rounding.  The fields up and down count the crossings.
-- Yields: no.  Blocks: no.  Thread: the state's.
-- Errors: raises for what is neither a number nor a statistic, and for a crossing.
-- Units: none.
function ta.cross(...)
  if select("#", ...) == 0 then return stat.crossover() end
  return core.crossing(...)
end

--- ta.by_symbol(constructor, ...) -> table
-- A table that makes constructor(...) for each new symbol when it is first looked at:
-- ta.by_symbol(ta.sma, 30)[symbol]:push(close).  See stat.by.
-- Yields: no.  Blocks: no.  Thread: the state's.  Errors: as stat.by.  Units: none.
ta.by_symbol = stat.by

--- ta.load(saved) -> statistic | nil, message, code
-- What statistic:save() has made: stat.load.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: as stat.load.  Units: none.
ta.load = stat.load

return ta
