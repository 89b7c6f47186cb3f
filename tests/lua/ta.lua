--- ta: the indicators as scripts have them: numbers, bars, symbols, crossings.
package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local ta, stat = require "tw.ta", require "tw.stat"

-- A value or nil, and ready.

local sma = ta.sma(3)
t.is(sma.ready, false, "not ready")
t.is(sma:push(1), nil, "one of three")
t.is(sma:push(2), nil, "two of three")
t.is(sma:push(6), 3, "the average")
t.is(sma.value, 3, "the same by name")
t.is(sma.ready, true, "ready")
t.is(sma.count, 3, "of three")
t.is(sma:push(nil), nil, "a missing row has no value")
t.is(sma:push(0 / 0), nil, "nor has NaN")
t.is(sma.value, 3, "and changes nothing")
sma:reset()
t.is(sma.ready, false, "reset")
t.is(stat.mean().ready, false, "ready is a field of all")

-- Numbers, names, texts.

local function text_of(s) return (tostring(s):match "^[^:]+") end
t.is(text_of(ta.macd(5, 35, 5)), "macd(fast=5, slow=35, signal=5)", "numbers in order")
t.is(text_of(ta.macd()), "macd", "none: 12, 26, 9")
t.is(text_of(ta.macd { slow = 30 }), "macd(slow=30)", "or names")
t.is(text_of(ta.bollinger(20, 2.5)), "bollinger(window=20, deviations=2.5)",
     "deviations")
t.is(text_of(ta.stochastic(14, 3, 2)), "stochastic(window=14, signal=3, smooth=2)",
     "%K, %D, slow")
t.is(tostring(ta.sma("mid", 30):by "symbol"), "sma(mid, window=30) by symbol",
     "declared")
t.is(tostring(ta.vwap("price", "size")), "vwap(price, size)", "of two texts")
t.raises("ta.sma: at most 1 number expected: window", ta.sma, 3, 4)
t.raises("ta.obv: at most 0 numbers expected", ta.obv, 1)
t.raises("sma needs window", ta.sma)
t.raises("sma: window must be 1 to 1048576 values, not 0", ta.sma, 0)
t.raises("push: number expected for 'close', got no value", function()
  ta.atr():push(1, 2)
end)
t.raises("push: number expected for 'x', got table", function() ta.sma(2):push {} end)
t.raises("no field 'hist'.*histogram", function() return ta.macd().hist end)

-- Bars: the fields of each.

local n = 60
local bars = {}
for i = 1, n do
  local close = 100 + (i * 7919 % 13) / 4 + i / 10
  bars[i] = { high = close + 1, low = close - 0.5, close = close, volume = i % 5 * 10 }
end
local all = { macd = { "x" }, rsi = { "x" }, bollinger = { "x" }, obv = { "volume" },
              stochastic = {}, atr = {}, adx = {}, cci = {}, donchian = {} }
local fields = {}
for _, kind in ipairs(stat.kinds()) do fields[kind.name] = kind end
for name in pairs(all) do
  local s, loaded = ta[name](), nil
  for i, bar in ipairs(bars) do
    local row = {}
    for k, input in ipairs(fields[name].inputs) do
      row[k] = bar[input == "x" and "close" or input]
    end
    local told = s:push(table.unpack(row))
    if told ~= s.value then t.ok(false, name .. ": push told something else") end
    if loaded then loaded:push(table.unpack(row)) end
    if i == n // 2 then loaded = ta.load(s:save()) end
  end
  local missing
  for _, field in ipairs(fields[name].fields) do
    if s[field] == nil or s[field] ~= loaded[field] then missing = field end
  end
  t.is(missing, nil, name .. ": has all its fields, as has one saved half-way")
end

-- Crossings.

local function crossings(cross, rows)
  local got = {}
  for i, row in ipairs(rows) do got[i] = cross:push(row[1], row[2]) end
  return got
end
t.same(crossings(ta.cross(), { { 1, 2 }, { 2, 2 }, { 3, 2 }, { 2, 2 }, { 3, 2 },
                               { 1, 2 } }), { 0, 0, 1, 0, 0, -1 }, "a tie is no side")
local fast, slow = ta.sma(2), ta.sma(4)
local cross, copy = ta.cross(fast, slow), nil
local given, got = ta.cross(), {}
-- The averages are equal four times: at 5, 7, 9 and 10.
for i, x in ipairs { 1.3, 1.2, 1.1, 1.2, 1.1, 1.1, 1.2, 1.2, 1.1, 1.3, 1.3 } do
  fast:push(x) slow:push(x)
  got[i] = cross:push() or "nil"
  if (given:push(fast, slow) or "nil") ~= got[i] then
    t.ok(false, "given at push " .. i)
  end
  if i == 5 then copy = cross:copy() end
end
t.same(got, { "nil", "nil", "nil", 0, 0, 0, 0, 1, 0, 0, 0 }, "averages cross once")
t.is(cross.up, 1, "counted")
t.ok(cross:push() == 0 and copy:push() == 1, "a copy has its own side, of the same two")
t.raises("push: number expected for 'x', got no value",
         function() ta.load(cross:save()):push() end)
t.is(ta.load(cross:save()).up, 1, "loaded without them")

do
  local x, y = ta.sma(1), ta.sma(2)
  local kept = ta.cross(x, y)
  for i = 1, 3 do x:push(i) y:push(i) end
  local was = kept:copy()
  x, y = nil, nil
  collectgarbage()
  local junk = {}
  for i = 1, 100 do junk[i] = ta.sma(2) end
  t.ok(kept:push() == 0 and was:push() == 0 and #junk == 100,
       "what is crossed lives as long as the crossing")
end
local rsi = ta.rsi(2)
local over = ta.cross(rsi, 70)
local told = {}
for i, x in ipairs { 5, 4, 3, 4, 5, 6, 7, 3 } do
  rsi:push(x)
  told[i] = over:push() or "nil"
end
t.same(told, { "nil", "nil", 0, 0, 1, 0, 0, -1 }, "a constant is crossed")
t.raises("statistic or number expected", ta.cross, fast, {})
t.raises("statistic or number expected", ta.cross, fast)
t.raises("a crossing", ta.cross, 1, cross)

-- What a pushed statistic stands for.

local macd, line = ta.macd(2, 3, 2), ta.ema(2)
for i = 1, 9 do
  macd:push(i * i)
  line:push(macd)
end
t.is(line.value, macd.signal, "an average of an indicator")

-- Per symbol, and what states share.

local by = ta.by_symbol(ta.sma, 2)
by.A:push(1) by.B:push(5)
t.is(by.A:push(2), 1.5, "each symbol has its own")
t.is(by.B:push(6), 5.5, "and another")
t.is(ta.sma(1):freeze().value, nil, "frozen, without a value")
local frozen = ta.bollinger(2)
frozen:push(1) frozen:push(3)
t.is(frozen:freeze().upper, 4, "frozen, with its fields")

-- Declared, they are fed before the handlers: as if pushed.

apps.prints("a script tracks indicators", { app = [[
  app.feed.synthetic { speed = 0, limit = 300, symbols = 1, trades = 0 }
  app.script("s.lua")]], ["s.lua"] = [[
  local ta = require "tw.ta"
  local fast, slow, cross = ta.sma(3), ta.sma(9), ta.cross()
  local declared = ta.sma("bid", 3):by "symbol"
  local crossings = require("tw.stat").declare [=[
    crossover(sma(bid, window=3), sma(bid, window=9)) by symbol]=]
  function M:on_start() self:track { fast = declared, crossings = crossings } end
  function M:on_quote(ask, bid)
    fast:push(bid) slow:push(bid)
    cross:push(fast, slow)
  end
  function M:on_stop()
    local key = declared:keys()[1]
    print(declared[key].value == fast.value, cross.up + cross.down > 5,
          crossings[key].value == cross.value)
  end]] }, "true\ttrue\ttrue\n")

-- A new version of a script goes on with them, as one that stays does.

local VERSION = [=[
  local tw, ta = require "tw", require "tw.ta"
  function M:on_start()
    self.fast, self.slow = ta.sma(3), ta.sma(9)
    self.cross, self.n = ta.cross(self.fast, self.slow), 0
  end
  function M:on_quote(bid)
    self.n = self.n + 1
    self.fast:push(bid) self.slow:push(bid) self.cross:push()
    %s
  end
  function M:on_stop() print("%s", self.cross.up, self.slow.value) end]=]
local versions = apps.run { app = [[
  app.feed.synthetic { speed = 0, limit = 600, symbols = 1, trades = 0 }
  app.script("s.lua") app.script("same.lua")]],
  ["s.lua"] = VERSION:format("", "old"),
  ["same.lua"] = VERSION:format(([[
    if self.n == 300 then
      local path = debug.getinfo(1, "S").source:match "^@(.*/)" .. "s.lua"
      local file = assert(io.open(path, "w"))
      file:write(%q)
      file:close()
      tw.reload("s.lua"):await()
    end]]):format("local M = {} " .. VERSION:format("", "new") .. " return M"), "same"),
}
local said = {}
for name, value in versions.out:gmatch "(%a+)(\t[^\n]+)\n" do said[name] = value end
if not t.ok(said.new and said.new == said.same, "over a reload") then
  t.diag(versions.out .. versions.err)
end

-- Whichever allocation fails, it is an error and nothing else.

apps.without_memory(apps.tidewire .. " -e " .. apps.quote [[
  local fine, why = pcall(function()
    local ta = require "tw.ta"
    local fast, slow = ta.sma(2), ta.by_symbol(ta.ema, 3).A
    local cross = ta.cross(fast, slow)
    for i = 1, 9 do fast:push(i) slow:push(i) cross:push() end
    assert(cross:copy():push() == 0 and ta.load(cross:save()).up == 0)
    assert(ta.macd("mid", 3):by "symbol")
  end)
  if not fine then assert(tostring(why):find "not enough memory", why) end
  print(fine)]], "true\n", os.getenv "SMALL" and 29 or 7)
