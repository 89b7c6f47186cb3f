--- stat: statistics that are pushed into, and the texts of those that are declared.

package.path = "tests/?.lua;" .. package.path
local t, apps, tw = require "tw.test", require "apps", require "tw"
local stat = require "tw.stat"
local SMALL = os.getenv "SMALL"

local kinds = stat.kinds()
local kind_of = {}
for _, kind in ipairs(kinds) do kind_of[kind.name] = kind end
t.raises("a statistic expected", require "tw.internal.stat".kind, "none")

-- Values that are no decimals, of both signs, the same in every run.
local function values(seed)
  local x = seed
  return function()
    x = (x * 6364136223846793005 + 1442695040888963407)
    return ((x >> 33) % 100000) / 700 - 50
  end
end

local function near(got, want, name)
  local fine = got and math.abs(got - want) <= 1e-9 * math.max(1, math.abs(want))
  if not t.ok(fine, name) then t.diag(("got %s, want %s"):format(got, want)) end
end

-- Formulas, in Lua.

do
  local n, xs, ys = SMALL and 100 or 1000, {}, {}
  local x, y = values(1), values(2)
  for i = 1, n do xs[i] = x() ys[i] = xs[i] / 2 + y() end
  local function sum(list, f)
    local s = 0
    for i = 1, #list do s = s + f(list[i], i) end
    return s
  end
  local mean_x, mean_y = sum(xs, function(v) return v end) / n,
                         sum(ys, function(v) return v end) / n
  local sxx = sum(xs, function(v) return (v - mean_x) ^ 2 end)
  local sxy = sum(xs, function(v, i) return (v - mean_x) * (ys[i] - mean_y) end)
  local mean, std, max, ewma = stat.mean(), stat.std(), stat.max(), stat.ewma(0.05)
  local covariance, count, window = stat.covariance(), stat.count(), stat.mean(10)
  local e
  for i = 1, n do
    for _, s in ipairs { mean, std, max, ewma, count, window } do s:push(xs[i]) end
    covariance:push(xs[i], ys[i])
    e = e and e + 0.05 * (xs[i] - e) or xs[i]
  end
  near(mean.value, mean_x, "mean")
  near(std.value, math.sqrt(sxx / (n - 1)), "std")
  near(max.value, math.max(table.unpack(xs)), "max")
  near(covariance.value, sxy / (n - 1), "covariance, of two inputs")
  near(ewma.value, e, "ewma; a number alone is its alpha")
  near(window.value, sum({ table.unpack(xs, n - 9) }, function(v) return v end) / 10,
       "mean over a window; a number alone is the window")
  t.ok(count.value == n and math.type(count.value) == "integer"
       and math.type(mean.count) == "integer", "counts are integers")
end

-- What is missing, wrong, or not there.

local mean = stat.mean()
t.ok(mean.value == nil and mean.count == 0, "no value yet")
t.is(tostring(mean), "mean: no value, count 0, sum 0", "and tostring says so")
t.is(select("#", mean:push(1)), 0, "push returns nothing")
mean:push(nil) mean:push(0/0) mean:push(2)
t.ok(mean.value == 1.5 and mean.count == 2, "nil and NaN are missing")
mean:push(3, 17)
mean:push(4, nil)
t.is(tostring(mean), "mean: 2.5, count 4, sum 10", "tostring")
t.is(tostring(stat.mean(64)), "mean(window=64): no value, count 0, sum 0", "with options")
for what, call in pairs {
  ["'x', got string"] = function() mean:push "1" end,
  ["'x', got no value"] = function() mean:push() end,
  ["'y', got table"] = function() stat.covariance():push(1, {}) end,
  ["after 1 number at most a time expected, an integer in ns"]
    = function() mean:push(1, 0.5) end,
  ["after 2 numbers at most"] = function() stat.covariance():push(1, 2, 3, 4) end,
  ["mean has no field 'median': mean has value, count, sum"]
    = function() return mean.median end,
  ["mean has no field '1'"] = function() return mean[1] end,
  ["index a statistic value"] = function() mean.value = 1 end,
  ["statistic expected, got table"] = function() mean.push({}, 1) end,
  ["statistic expected, got FILE*"] = function() mean.push(io.stdout, 1) end,
  ["value is a userdata"] = function() tw.freeze(mean) end,
  ["quantile: mean keeps none"] = function() mean:quantile(0.5) end,
  ["list: mean keeps none"] = function() mean:list() end,
  ["stat.lua:%d+: stat.mean has no option 'alpha': it takes window"]
    = function() stat.mean { alpha = 1 } end,
  ["stat.mean: window must be 1 to 1048576 values"] = function() stat.mean(0) end,
  ["stat.mean: window must be"] = function() stat.mean { window = 1.5 } end,
  ["window: '5 parsecs' is no time"] = function() stat.mean { window = "5 parsecs" } end,
  ["window: '5s' is no time"] = function() stat.mean { window = "5s\0" } end,
  ["window: '' is no time"] = function() stat.mean { window = "" } end,
  ["window: '5' is no time"] = function() stat.mean { window = "5" } end,
  ["a number or a time, as \"60s\", expected, got boolean"]
    = function() stat.mean { window = true } end,
  ["options have names, and one is a number"] = function() stat.mean { 64 } end,
  ["stat.mean: a table of options or a number %(window%) expected, got boolean"]
    = function() stat.mean(true) end,
  ["stat.mean: 2 arguments, not 1"] = function() stat.mean(1, 2) end,
  ["stat.autocorrelation needs lag"] = function() stat.autocorrelation() end,
  ["only one of alpha, span, half_life"]
    = function() stat.ewma { alpha = 0.1, span = 3 } end,
  ["stat.by: a function expected"] = function() stat.by(mean) end,
} do
  t.raises(what, call)
end
t.raises("push: number expected for 'x', got string", mean.push, mean, "1")

-- What push returns is the value, to the bit, and so is what a crossing reads; after what
-- changes the state without a push, too.

do
  local told, wrong, x = 0, {}, values(5)
  for _, kind in ipairs(kinds) do
    local fine, s = pcall(stat[kind.name])
    if not fine then fine, s = pcall(stat[kind.name], { window = 5 }) end
    for i = 1, fine and 100 or 0 do
      local row = {}
      for k = 1, #kind.inputs do row[k] = 100 + x() end
      table.sort(row, function(p, q) return p > q end)     -- the high comes first
      local got = table.pack(s:push(table.unpack(row)))
      if got.n == 1 then
        told = told + 1
        local again = stat.load(s:save())
        if got[1] ~= s.value or got[1] ~= again.value or got[1] ~= s:copy().value
           or s.ready ~= (got[1] ~= nil) then
          wrong[#wrong + 1] = kind.name
        end
      end
    end
  end
  t.ok(told > 1000, "indicators tell: " .. told)
  t.is(table.concat(wrong, " "), "", "their values")
  local ta = require "tw.ta"
  local sma = ta.sma(2)
  local cross = ta.cross(sma, 10)
  sma:push(8) sma:push(9)
  t.is(cross:push(), 0, "below")
  sma:reset()
  t.is(cross:push(), nil, "no value after a reset, though one was told")
  sma:push(11) sma:push(12)
  t.is(cross:push(), 1, "above")
  local a, b = stat.vwap(), stat.vwap()
  cross = ta.cross(a, 10)
  a:push(8, 1) b:push(20, 9)
  t.is(cross:push(), 0, "below")
  a:merge(b)
  t.is(cross:push(), 1, "above after a merge")
end

-- One whose methods are asked for often gets a metatable of its own: nothing else is seen
-- of that.

do
  local often, other = stat.mean(), stat.mean()
  local got = {}
  for i = 1, 3000 do
    often:push(i)
    got[i] = often.push
  end
  other:push(1)
  local same = true
  for i = 1, 3000 do same = same and got[i] == other.push end
  t.ok(same and often.copy == other.copy and often.copy == other.copy,
       "its methods stay the same functions")
  t.ok(often.value == 1500.5 and often.count == 3000 and often.ready == true
       and other.value == 1 and other.count == 1, "and its fields are its own")
  t.is(tostring(often), "mean: 1500.5, count 3000, sum 4501500", "tostring")
  t.is(getmetatable(often), "statistic", "the metatable is hidden")
  often:merge(other)
  t.is(often.count, 3001, "its methods work")
  t.is(often:copy().count, 3001, "so does a copy")
  t.is(stat.load(often:save()).count, 3001, "and what was saved")
  often:reset()
  t.ok(often.value == nil and often.ready == false and often.count == 0, "reset")
  t.raises("mean has no field 'median': mean has value, count, sum",
           function() return often.median end)
  t.raises("mean has no field '1'", function() return often[1] end)
  t.raises("index a statistic value", function() often.value = 1 end)
  t.raises("'x', got string", function() often:push "1" end)
  t.raises("statistic expected, got table", function() often.push({}, 1) end)
  local weak = setmetatable({ often }, { __mode = "v" })
  often = nil
  collectgarbage()
  t.is(weak[1], nil, "and it is collected")
end

-- Time: given, of the record, or the clock's; it never goes back.

local twap = stat.twap()
twap:push(10, 0) twap:push(20, 3000000000) twap:push(0, 4000000000)
near(twap.value, 12.5, "the time of a row")
twap:push(7, 1000000000)
twap:push(0, 5000000000)
near(twap.value, 11.4, "a time that goes back counts as the newest")
twap = stat.twap()
twap:push(1) twap:push(1)
t.is(twap.value, 1, "the clock serves when there is no record")
apps.prints("a handler's record gives the time", { app = [[
  app.feed.csv { file = here .. "q.csv" }
  app.script("s.lua")]], ["s.lua"] = [[
  local twap = (require "tw.stat").twap()
  function M.on_quote(bid) twap:push(bid) end
  function M.on_stop() print(twap.value) end]],
  files = { ["q.csv"] = "time,symbol,bid,ask\n0,A,10,11\n3,A,20,21\n4,A,5,6\n" } },
  "12.5\n")

-- Every kind, with what it requires, and with each of its options.

local function table_of(example) return load("return {" .. example .. "}")() end

-- Each kind with what it requires, and with each of its options beside that; alpha, span
-- and half_life stand for each other.
local function each_variant(f)
  for _, kind in ipairs(kinds) do
    local function try(options, what)
      local fine, s = pcall(stat[kind.name], options)
      if fine then f(kind, s, kind.name .. "{" .. what .. "}", options) end
      return fine, s
    end
    local basic = {}
    for _, option in ipairs(kind.options) do
      if option.required then
        basic[option.name] = table_of(option.example)[option.name]
      end
    end
    local fine, why = try(basic, "")
    t.ok(fine or why:find "needs one of alpha, span, half_life", kind.name .. ": " ..
         (fine and "can be made" or why))
    for _, option in ipairs(kind.options) do
      local options = table_of(option.example)
      for name, value in pairs(basic) do options[name] = options[name] or value end
      local made, message = try(options, option.example)
      if not made and message:find "needs one of alpha" then
        options.alpha = 0.1
        made, message = try(options, option.example .. ", alpha=0.1")
      end
      if not made then t.ok(false, message) end
    end
  end
end

local function pusher(seed)
  local next_x, time = values(seed), 1700000000000000000
  return function(s, kind, n)
    for _ = 1, n do
      local row = {}
      -- Prices are positive, a spread too: bid below ask, as the inputs are in order.
      for i = 1, #kind.inputs do row[i] = 100 + 200 * i + next_x() end
      time = time + 300000000
      row[#row + 1] = time
      s:push(table.unpack(row))
    end
  end
end

local function fields(s, kind)
  local got = {}
  for i, name in ipairs(kind.fields) do got[i] = s[name] or "nil" end
  return got
end

local saved = {}
each_variant(function(kind, s, what)
  for _, method in ipairs { "push", "reset", "merge", "save", "copy", "list", "freeze",
                            "quantile" } do
    if type(s[method]) ~= "function" then t.ok(false, what .. " hides " .. method) end
  end
  local push = pusher(3)
  local empty = fields(s, kind)
  push(s, kind, 100)
  local copy, loaded = s:copy(), stat.load(s:save())
  saved[#saved + 1] = { kind = kind, text = s:save(), what = what }
  local before = fields(s, kind)
  t.same(fields(loaded, kind), before, what .. ": loaded as it was saved")
  t.is(tostring(loaded), tostring(s), what .. ": with its options")
  t.is(loaded:save(), s:save(), what .. ": to the byte")
  local frozen = s:freeze()
  for i, name in ipairs(kind.fields) do
    if (frozen[name] or "nil") ~= before[i] then
      t.is(frozen[name], before[i], what .. ": frozen " .. name)
    end
  end
  for i, one in ipairs { s, copy, loaded } do
    pusher(4)(one, kind, 100)
    if i > 1 then
      t.same(fields(one, kind), fields(s, kind), what .. ": pushed on, the same")
    end
  end
  s:reset()
  t.same(fields(s, kind), empty, what .. ": reset")
end)

-- Merging.

each_variant(function(kind, s, what, options)
  local other, whole = stat[kind.name](options), stat[kind.name](options)
  local push, push_whole = pusher(5), pusher(5)
  push(s, kind, 100) push(other, kind, 50)
  push_whole(whole, kind, 150)
  local fine, why = pcall(s.merge, s, other)
  if not fine then
    t.ok(why:find "merge: .* can't be merged", what .. ": " .. why)
    return
  end
  local wrong
  for _, name in ipairs(kind.name == "topk" and { "count" } or kind.fields) do
    local a, b = s[name], whole[name]
    local is_near = a == b or a and b and math.abs(a - b) <= 1e-6 * math.abs(b) + 1e-9
    if not is_near then wrong = ("%s: %s, not %s"):format(name, a, b) end
  end
  if not t.ok(not wrong, what .. ": merged, as if pushed") then t.diag(wrong) end
end)
t.raises("merge: mean%(%) and mean%(window=3%) differ", mean.merge, mean, stat.mean(3))
t.raises("merge: mean%(%) and sum%(%) differ", mean.merge, mean, stat.sum())
t.raises("a statistic with itself", mean.merge, mean, mean)
t.raises("statistic expected, got table", mean.merge, mean, {})

-- What can't be loaded.

local text = stat.mean(3):save()
local refused, why, code = stat.load(text:sub(1, -2))
t.ok(refused == nil and why == "can't load a statistic: the text is truncated"
     and math.type(code) == "integer", "a truncated text: nil, message, code")
local function refuses(changed, what)
  local s = stat.load(changed)
  if s then t.ok(false, what) end
end
for n = 0, #text - 1 do refuses(text:sub(1, n), "cut at " .. n) end
for n = 1, #text do
  for bit = 0, 7 do
    refuses(text:sub(1, n - 1) .. string.char(text:byte(n) ~ 1 << bit)
            .. text:sub(n + 1), ("byte %d, bit %d changed"):format(n, bit))
  end
end
refuses(text .. "\0", "something added")
t.ok(select(2, stat.load("a text of another kind, and not a short one")):find "is none",
     "no saved statistic")
t.ok(select(2, stat.load(text:sub(1, 8) .. "\9" .. text:sub(10))):find "another version",
     "another version")
t.raises("string expected", stat.load, {})

-- A text whose sum is right and whose state is not: an error, or a statistic that can
-- be used.

local crc_of = {}
for i = 0, 255 do
  local c = i
  for _ = 1, 8 do c = c >> 1 ~ (c & 1) * 0xEDB88320 end
  crc_of[i] = c
end
local function with_crc(s)
  local c = 0xFFFFFFFF
  for i = 17, #s do c = c >> 8 ~ crc_of[(c ~ s:byte(i)) & 255] end
  return s:sub(1, 12) .. string.pack("<I4", c ~ 0xFFFFFFFF) .. s:sub(17)
end
t.is(with_crc(text), text, "the sum of a saved one is the CRC-32 from byte 17 on")

local seed = 11
local function below(n)
  seed = seed * 6364136223846793005 + 1442695040888963407
  return (seed >> 33) % n
end
local loaded, forged = 0, 0
for _, one in ipairs(saved) do
  for _ = 1, SMALL and 10 or 60 do
    local changed = one.text
    for _ = 1, 1 + below(3) do
      local at = below(4) == 0 and 17 + below(#changed - 16)
                 or #changed - below(math.min(#changed - 136, 400))
      changed = changed:sub(1, at - 1) .. string.char(below(256)) .. changed:sub(at + 1)
    end
    local s = stat.load(with_crc(changed))
    forged = forged + 1
    if s then
      loaded = loaded + 1
      pusher(6)(s, one.kind, 20)
      for _, name in ipairs(one.kind.fields) do local _ = s[name] end
      pcall(s.merge, s, s:copy())
      pcall(s.list, s)
      pcall(s.quantile, s, 0.5)
      s:save()
    end
  end
end
t.ok(loaded > 0 and loaded < forged, "forged states: " .. loaded .. " of " .. forged
     .. " were loaded, and served")

-- Sketches.

local quantile = stat.quantile and stat.quantile(0.5)
if quantile then
  for i = 1, 101 do quantile:push(i) end
  near(quantile:quantile(0.5), 51, "quantile(0.5)")
  t.raises("0 to 1 expected", quantile.quantile, quantile, 2)
end
local top = stat.topk(2)
t.same(top:list(), {}, "an empty list")
for i = 1, 6 do top:push(i % 3 == 0 and 7 or i % 3 == 1 and i or 9) end
top:push(9)
t.same(top:list(1), { { value = 9, count = 3 } }, "list(1)")
t.is(#top:list(), 2, "list: k of them")
t.raises("0 or more", top.list, top, -1)

-- By key.

local by = stat.by_symbol(stat.ewma, 0.5)
by.AAPL:push(1) by.AAPL:push(3) by.GOOG:push(5)
t.ok(by.AAPL.value == 2 and by.GOOG.value == 5, "one for each key")
t.is(rawget(by, "MSFT"), nil, "rawget makes none")
local keys = {}
for key in pairs(by) do keys[#keys + 1] = key end
table.sort(keys)
t.same(keys, { "AAPL", "GOOG" }, "pairs: those that there are")
t.raises("needs one of alpha", function() return stat.by(stat.ewma).x end)

-- Declarations.

for _, case in ipairs {
  { stat.mean("ask - bid"), "mean(ask - bid)" },
  { stat.mean("ask - bid", 64), "mean(ask - bid, window=64)" },
  { stat.mean("mid", { window = "60s" }):by "symbol", "mean(mid, window=60s) by symbol" },
  { stat.mean("mid"):by("symbol", "sector"):by "(time // 1h)",
    "mean(mid) by symbol, sector, (time // 1h)" },
  { stat.mean("mid"):where "bid_size > 100":by "symbol",
    "mean(mid) by symbol where bid_size > 100" },
  { stat.mean("mid"):where "bid > 1":where "ask > 1 or bid > 2",
    "mean(mid) where (bid > 1) and (ask > 1 or bid > 2)" },
  { stat.ewma("log(mid)", 0.1), "ewma(log(mid), alpha=0.1)" },
  { stat.ewma("mid", { initial = 1/3, alpha = 1e-3 }),
    "ewma(mid, alpha=0.001, initial=0.3333333333333333)" },
  { stat.covariance("bid", "ask", { window = 32 }), "covariance(bid, ask, window=32)" },
  { stat.declare("mean(mid) by symbol"):where "bid > 0",
    "mean(mid) by symbol where bid > 0" },
  { stat.declare("mid - prev(mid)"), "mid - prev(mid)" },
} do
  t.is(tostring(case[1]), case[2], case[2])
  t.is(case[1].text, case[2], "and its text")
end
local plain = stat.mean "mid"
local sampled = plain:sample { every = "500ms", history = 600 }:sample { board = true }
t.is(tostring(plain:by "symbol") .. tostring(plain), "mean(mid) by symbolmean(mid)",
     "a declaration does not change")
t.ok(plain.sampling == false, "no sampling")
t.same(sampled.sampling, { every = "500ms", history = 600, board = true }, "sampling")
t.ok(sampled:by "symbol".sampling == sampled.sampling, "is kept")
for what, call in pairs {
  ["stat.lua:%d+: mean%(a b%): column 8"] = function() stat.mean "a b" end,
  ["stat.lua:%d+: mean%(mid%) by 5: column 14"] = function() plain:by "5" end,
  ["stat.lua:%d+: mean%(mid%) where bid %+: column 22"]
    = function() plain:where "bid +" end,
  ["mean has no option 'span'"] = function() stat.mean("mid", { span = 3 }) end,
  ["a key is a string, got number"] = function() plain:by(5) end,
  ["where: a string expected"] = function() plain:where(true) end,
  ["declare: a string expected"] = function() stat.declare(1) end,
  ["stat.covariance: 2 texts expected %(x, y%)"] = function() stat.covariance "bid" end,
  ["stat.mean: 1 text expected"] = function() stat.mean("bid", "ask") end,
  ["stat.mean: 1 text expected %(x%), and"] = function() stat.mean("bid", 1, 2) end,
  ["window: a number or a time, as \"60s\""]
    = function() stat.mean("bid", { window = true }) end,
  ["or a number %(window%) expected, got boolean"]
    = function() stat.mean("bid", false) end,
  ["no option 'evry'"] = function() plain:sample { evry = 1 } end,
  ["sample: every: seconds, or a time like \"500ms\" expected, got 5 s"]
    = function() plain:sample { every = "5 s" } end,
  ["sample: history: a number of samples expected, got 0"]
    = function() plain:sample { history = 0 } end,
  ["exclude each other"] = function() plain:sample { every = 1, records = 5 } end,
  ["a declaration expected, got table"] = function() plain.by({}, "symbol") end,
  ["is not tracked: mean%(mid%)"] = function() return plain.value end,
} do
  t.raises(what, call)
end
plain.tracked = { AAPL = { value = 5 }, history = function(self, n) return self, n end }
t.is(plain.AAPL.value, 5, "a tracked one reads")
local it, n = plain:history(600)
t.ok(it == plain.tracked and n == 600, "and has its methods")
apps.prints("a script tracks a declaration", { app = [[
  app.feed.synthetic { speed = 0, limit = 50, symbols = 1, trades = 0 }
  app.script("s.lua")]], ["s.lua"] = [[
  local stat, n = require "tw.stat", 0
  local spread = stat.mean("ask - bid"):by "symbol":sample { records = 10, history = 3 }
  local by_hand = stat.mean()
  function M:on_start() self:track { spread = spread } end
  function M:on_quote(ask, bid) by_hand:push(ask - bid) end
  function M:on_stop()
    local key = spread:keys()[1]
    local one = spread[key]
    print(one.value == by_hand.value, one.count == by_hand.count, #one:history())
  end]] }, "true\ttrue\t3\n")
local of = {}
for key in pairs(plain) do of[#of + 1] = key end
t.is(#of, 2, "and its pairs")

-- Whichever allocation fails, it is an error and nothing else.

apps.without_memory(apps.tidewire .. " -e " .. apps.quote [[
  local fine, why = pcall(function()
    local stat = require "tw.stat"
    local s = stat.mean(64)
    for i = 1, 1030 do s:push(i) end
    local other = stat.load(s:copy():save())
    other:merge(s)
    assert(other:freeze().count == 64 and #tostring(other) > 10)
    local top = stat.topk(3)
    top:push(5)
    assert(top:list()[1].value == 5)
    assert(stat.by(stat.sum).x.count == 0)
    assert(#stat.kinds() > 20)
    assert(tostring(stat.mean("mid", 3):by "symbol":where "bid > 0":sample { every = 1 })
           == "mean(mid, window=3) by symbol where bid > 0")
  end)
  if not fine then assert(tostring(why):find "not enough memory", why) end
  print(fine)]], "true\n", SMALL and 29 or 7)
