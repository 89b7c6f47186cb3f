--- tracked: what a script reads of the statistics that it tracks, saves and merges.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SMALL = os.getenv "SMALL"
local LIMIT = SMALL and 3000 or 30000

-- What scripts here begin with: each check prints what does not hold.
local HELP = [[
  local stat = require "tw.stat"
  local function check(holds, what) if not holds then print("not: " .. what) end end
  local function is(got, want, what)
    check(got == want, ("%s: got %s, want %s"):format(what, got, want))
  end
  local function near(got, want, what)
    check(got and math.abs(got - want) <= 1e-9 * math.abs(want) + 1e-12,
          ("%s: got %s, want %s"):format(what, got, want))
  end
  local function raises(pattern, what, f, ...)
    local fine, err = pcall(f, ...)
    check(not fine and err:find(pattern), what .. ": " .. tostring(err))
  end
  local function hex(s)
    return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
  end
  local function bytes(s)
    return (s:gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end))
  end
]]

local SECTORS = 'app.sectors { tech = { "AAPL", "GOOG" }, oil = { "BP" } } '
local TRADES = { "AAPL,10,100,buy", "BP,40,300,sell", "AAPL,12,100,sell",
                 "GOOG,20,200,buy", "AAPL,14,200,buy", "LONE,1,1,", "BP,42,100,buy" }

local function csv(trades)
  local out = { "time,symbol,price,size,side" }
  for i, row in ipairs(trades) do out[#out + 1] = i .. "000000000," .. row end
  return table.concat(out, "\n") .. "\n"
end

-- An app with those trades (time: 1 s, 2 s, ...) and a script.
local function market(trades, script)
  return { app = SECTORS .. [[
    app.feed.csv { file = here .. "in.csv", time = "ns", name = "file" }
    app.script("s.lua", { params = { here = here } })]],
    files = { ["in.csv"] = csv(trades) }, args = { "--workers", "1" },
    ["s.lua"] = HELP .. script }
end

-- A script that tracks `declarations` as locals of its on_stop, the `body`.
local function script(declarations, body)
  return ([[
  function M:on_start() self.all = self:track { %s } end
  function M:on_stop()
    local all, here = self.all, self.params.here
    %s
    print "end"
  end]]):format(declarations, body)
end

local function reads(name, declarations, body, trades)
  return apps.prints(name, market(trades or TRADES, script(declarations, body)), "end\n")
end

-- Values: as a loop in another script has them, and before the handlers see a record.

local run = apps.run {
  app = "app.feed.synthetic { speed = 0, seed = 11, limit = " .. LIMIT .. [[ }
    app.script("declared.lua") app.script("plain.lua")]],
  args = { "--workers", "1" },
  ["declared.lua"] = [[
  function M:on_start()
    self.all = self:track {
      spread = "mean(ask - bid) by symbol", tech = "count(bid) by sector",
      volume = "sum(size)", flow = "sum(size) by symbol, side",
      vol = "std(mid) by symbol" }
  end
  function M:on_stop()
    local all = self.all
    for symbol, r in pairs(all.spread) do
      print("spread", symbol, r.count, ("%.9f"):format(r.value))
      print("vol", symbol, ("%.6f"):format(all.vol:get(symbol)))
    end
    for sector, r in pairs(all.tech) do print("sector", sector, r.value) end
    for key, r in pairs(all.flow) do
      print("flow", key[1], key[2], ("%.6f"):format(r.value))
    end
    print("volume", all.volume.count, ("%.6f"):format(all.volume.value))
  end]],
  ["plain.lua"] = [[
  local sum, n, first, moment = {}, {}, {}, {}
  local sectors, flow, volume, trades = {}, {}, 0, 0
  function M.on_quote(symbol, sector, bid, ask)
    if not bid or not ask then return end
    local mid = (bid + ask) / 2
    sum[symbol] = (sum[symbol] or 0) + (ask - bid)
    n[symbol] = (n[symbol] or 0) + 1
    first[symbol] = first[symbol] or mid
    local m = moment[symbol] or { 0, 0 }
    moment[symbol] = m
    m[1], m[2] = m[1] + (mid - first[symbol]), m[2] + (mid - first[symbol]) ^ 2
    if sector then sectors[sector] = (sectors[sector] or 0) + 1 end
  end
  function M.on_trade(symbol, side, size)
    trades, volume = trades + 1, volume + size
    if side then
      local key = symbol .. "\t" .. side
      flow[key] = (flow[key] or 0) + size
    end
  end
  function M.on_stop()
    for symbol, x in pairs(sum) do
      local k, m = n[symbol], moment[symbol]
      print("spread", symbol, k, ("%.9f"):format(x / k))
      print("vol", symbol, ("%.6f"):format(math.sqrt((m[2] - m[1] ^ 2 / k) / (k - 1))))
    end
    for sector, k in pairs(sectors) do print("sector", sector, k) end
    for key, x in pairs(flow) do print("flow", key, ("%.6f"):format(x)) end
    print("volume", trades, ("%.6f"):format(volume))
  end]] }
table.sort(run.lines)
local declared, plain = {}, {}
for i, line in ipairs(run.lines) do
  local list = i % 2 == 1 and declared or plain
  list[#list + 1] = line
end
t.is(#declared, 19, "so many values")
t.same(declared, plain, "a plain computation has the same values")
t.is(run.status, 0, "its status")

apps.prints("a handler sees the record that it handles", {
  app = "app.feed.synthetic { speed = 0, seed = 5, limit = 2000 } app.script('s.lua')",
  ["s.lua"] = HELP .. [[
  local n, all = {}, nil
  function M:on_start()
    all = self:track { count = "count(bid) by symbol", bid = "last(bid)" }
  end
  function M:on_quote(symbol, bid)
    n[symbol] = (n[symbol] or 0) + 1
    is(all.count:get(symbol), n[symbol], symbol)
    is(all.bid.value, bid, "bid")
  end
  function M:on_stop() is(#all.count, 4, "keys") print "end" end]] }, "end\n")

-- Ways to read.

reads("by one key", [[ paid = "mean(price) by symbol" ]], [[
  local paid = all.paid
  near(paid.AAPL.value, 12, "value")
  is(paid.AAPL.count, 3, "count")
  is(math.type(paid.AAPL.count), "integer", "a count is an integer")
  is(paid.AAPL.key, "AAPL", "key")
  is(paid.NONE, nil, "no row has brought it")
  is(paid:at("NONE"), nil, "at: likewise")
  is(paid:get("NONE"), nil, "get: likewise")
  is(paid["AAPL\0"], nil, "a longer text")
  is(paid[("x"):rep(1000)], nil, "a text that is too long")
  is(paid:get("BP"), 41, "get")
  is(paid:at("BP"):get(), 41, "get of a reading")
  local aapl = paid.AAPL
  paid = nil
  collectgarbage()
  near(aapl.value, 12, "a reading keeps what it needs")
  is(tostring(aapl), "paid.AAPL: 12, count 3, sum 36", "tostring of a reading")
  is(tostring(all.paid), "paid: mean(price) by symbol, 4 keys", "tostring")
  raises("paid has no field 'valu': mean has value, count, sum$", "a wrong field",
         function() return aapl.valu end)
  raises("paid is by symbol: 'value' is a field of a key's reading$", "a field, no key",
         function() return all.paid.value end)
  raises("paid: a string expected for symbol, got number$", "a wrong type",
         function() return all.paid[5] end)
  raises("paid: a string expected for symbol, got nil$", "nil",
         function() return all.paid[nil] end)
  raises("paid is by symbol: 1 part of a key expected, got 2$", "two parts",
         all.paid.get, all.paid, "AAPL", "buy")
  raises("paid is by symbol: 1 part of a key expected, got 0$", "no part",
         all.paid.get, all.paid)
  raises("paid: no key expected: this is of one$", "a key of a reading",
         aapl.get, aapl, "BP")
  raises("paid: this is of one key; ask the statistic$", "keys of a reading",
         aapl.keys, aapl)
  raises("tracked statistic expected, got table", "no statistic", aapl.get, {})
  raises("index", "it can't be assigned", function() all.paid.AAPL = 1 end)
  is(getmetatable(aapl), "tracked statistic", "its metatable is its own affair")]])

reads("by nothing", [[ size = "sum(size)", never = "mean(bid)" ]], [[
  is(all.size.value, 1001, "value")
  is(all.size.count, 7, "count")
  is(all.size:get(), 1001, "get")
  is(all.size.key, nil, "key")
  is(tostring(all.size), "size: sum(size): 1001, count 7, mean 143", "tostring")
  is(tostring(all.never), "never: mean(bid): no value, count 0, sum 0", "no value yet")
  is(all.never.value, nil, "nil: no value yet")
  is(all.never.count, 0, "but a count")
  raises("size is by nothing: it has no keys$", "keys", all.size.keys, all.size)
  local fields = {}
  for name, value in pairs(all.size) do fields[#fields + 1] = name .. "=" .. value end
  is(table.concat(fields, " "), "value=1001.0 count=7 mean=143.0", "pairs: its fields")
  raises("size is by nothing: it has no keys$", "column", all.size.column, all.size)
  raises("size: no key expected", "a key", all.size.get, all.size, "AAPL")
  raises("size has no field 'AAPL'", "a key as a field",
         function() return all.size.AAPL end)]])

reads("by several parts", [[ n = "count(price) by symbol, side" ]], [[
  is(all.n:at("AAPL", "buy").value, 2, "at")
  is(all.n:get("AAPL", "sell"), 1, "get")
  is(all.n:get("GOOG", "sell"), nil, "no such")
  is(#all.n, 5, "the one without a side has no key")
  is(table.concat(all.n:at("BP", "sell").key, " "), "BP sell", "key")
  is(tostring(all.n:at("BP", "sell")), "n.BP.sell: 1", "tostring")
  is(table.concat(all.n:keys()[2], " "), "BP sell", "keys")
  raises("n is by symbol, side: 2 parts of a key expected, got 1$", "one part",
         function() return all.n.AAPL end)
  raises("n is by symbol, side: 2 parts of a key expected, got 3$", "three",
         all.n.at, all.n, "AAPL", "buy", "sell")]])

reads("by a number", [[ n = "count(price) by (size / 200)" ]], [[
  is(all.n[1].value, 2, "an integer")
  is(all.n[0.5].value, 3, "a fraction")
  is(all.n:get(1.5), 1, "get")
  is(all.n[7], nil, "no such")
  is(all.n[0/0], nil, "a NaN")
  is(math.type(all.n[1].key), "integer", "its key")
  is(all.n:keys()[1], 0.5, "keys")
  raises("n: a number expected for .*, got string", "a text",
         function() return all.n.AAPL end)]])

reads("methods come first", [[ n = "count(price) by symbol" ]], [[
  is(type(all.n.top), "function", "a method")
  is(all.n:at("top").value, 1, "at takes any key")
  is(all.n:at("value").value, 1, "also the name of a field")
  is(all.n.value.value, 1, "which is a key when there is one")]],
  { "top,1,1,", "value,1,1," })

-- All keys.

reads("pairs, #, keys", [[ n = "count(price) by symbol", buys = [=[count(price) by sector
                                                             where side == "buy"]=] ]], [[
  local order, values = {}, {}
  for symbol, r in pairs(all.n) do
    order[#order + 1], values[#values + 1] = symbol, r.value
    is(r.key, symbol, "key")
  end
  is(table.concat(order, " "), "AAPL BP GOOG LONE", "in the order of their first rows")
  is(table.concat(values, " "), "3 2 1 1", "values")
  is(table.concat(all.n:keys(), " "), "AAPL BP GOOG LONE", "keys")
  is(#all.n, 4, "#")
  is(#all.buys, 2, "by sector")
  is(all.buys.tech.value, 3, "where")
  for symbol in pairs(all.n) do
    for other in pairs(all.n) do check(other, "pairs within pairs") end
  end]])

reads("column, top", [[ paid = "mean(price) by symbol", n = "count(price) by symbol",
                        spread = "std(price) by symbol" ]], [[
  local function list(array) return table.concat(array:totable(), " ") end
  is(list(all.paid:column()), "12.0 41.0 20.0 1.0", "column")
  is(list(all.paid:column "count"), "3.0 2.0 1.0 1.0", "of a field")
  local std = all.spread:column()
  check(std[1] == 2 and std[3] ~= std[3] and std[4] ~= std[4], "NaN: no value yet")
  raises("paid has no field 'counts': mean has value, count, sum$", "a wrong field",
         all.paid.column, all.paid, "counts")
  local function top(...)
    local out = {}
    for i, x in ipairs(all.paid:top(...)) do out[i] = x.key .. "=" .. x.value end
    return table.concat(out, " ")
  end
  is(top(2), "BP=41.0 GOOG=20.0", "top")
  is(top(99), "BP=41.0 GOOG=20.0 AAPL=12.0 LONE=1.0", "of more than there are")
  is(top(0), "", "none")
  is(top(3, "count"), "AAPL=3 BP=2 GOOG=1", "of a field; equal ones as they came")
  is(#all.spread:top(9), 2, "without those that have no value")
  raises("0 or more expected", "fewer than none", all.paid.top, all.paid, -1)
  raises("has no field", "a wrong field", all.paid.top, all.paid, 1, "x")]])

reads("top of many", [[ paid = "last(price) by symbol" ]], [[
  for _, n in ipairs { 1, 2, 7, 64, 299, 300 } do
    local got = all.paid:top(n)
    is(#got, n, "so many")
    for i = 1, n do is(got[i].value, 301 - i, n .. ": place " .. i) end
  end]], (function()
  local out = {}
  for i = 1, 300 do out[i] = ("S%d,%d,1,"):format(i, i * 78 % 301) end
  return out
end)())

-- One key.

reads("history", [[
  all = stat.declare("last(price)"):sample { records = 2, history = 3 },
  each = stat.declare("last(price) by symbol"):sample { records = 1, history = 2 },
  time = stat.declare("last(price)"):sample { every = "2s", history = 9 },
  none = "last(price)" ]], [[
  local function list(values, times)
    local out = values:totable()
    for i, time in ipairs(times) do
      is(math.type(time), "integer", "a time")
      out[i] = ("%d@%d"):format(out[i], time // 1000000000)
    end
    return table.concat(out, " ")
  end
  is(list(all.all:history()), "40@2 20@4 1@6", "of nothing, each second one")
  is(list(all.all:history(2)), "20@4 1@6", "the last two")
  is(list(all.all:history(99)), "40@2 20@4 1@6", "more than there are")
  is(list(all.all:history(0)), "", "none")
  is(list(all.each:history(9, "AAPL")), "12@3 14@5", "of a key: the newest are kept")
  is(list(all.each:history(nil, "BP")), "40@2 42@7", "of another")
  is(list(all.each.AAPL:history(1)), "14@5", "of a reading")
  is(list(all.each:history(1, "NONE")), "", "of one that no row has brought")
  is(list(all.time:history()), "10@1 40@2 20@4 1@6", "by time")
  raises("none keeps no history$", "not kept", all.none.history, all.none)
  raises("1 part of a key expected, got 0$", "without a key", all.each.history, all.each)
  raises("0 or more expected", "fewer than none", all.all.history, all.all, -1)]])

reads("quantile, list", [[ q = "quantile(price, p=0.5)", k = "topk(size, k=3) by symbol",
                           mean = "mean(price)", by = "median(price) by sector" ]], [[
  is(all.q:quantile(0), 1, "least")
  is(all.q:quantile(1), 42, "greatest")
  is(all.by:quantile(1, "oil"), 42, "of a key")
  is(all.by.oil:quantile(0), 40, "of a reading")
  is(all.by:quantile(1, "none"), nil, "of one that no row has brought")
  raises("0 to 1 expected", "beyond", all.q.quantile, all.q, 1.5)
  raises("mean: mean keeps no quantiles$", "none", all.mean.quantile, all.mean, 0.5)
  raises("mean: mean keeps no list$", "none", all.mean.list, all.mean)
  local best = all.k:list(nil, "AAPL")
  is(#best, 2, "a list")
  is(best[1].value .. " " .. best[1].count, "100.0 2", "its best")
  is(#all.k:list(1, "AAPL"), 1, "at most")
  is(#all.k.AAPL:list(), 2, "of a reading")
  is(#all.k:list(5, "NONE"), 0, "of one that no row has brought")
  raises("0 or more expected", "fewer than none", all.k.list, all.k, -1, "AAPL")]])

reads("freeze", [[ n = "mean(price) by symbol", two = "count(price) by symbol, side",
                   one = "sum(size)", std = "std(price) by symbol" ]], [[
  local n, two, one = all.n:freeze(), all.two:freeze(), all.one:freeze()
  is(getmetatable(n), "frozen", "a frozen table")
  is(n.AAPL.value, 12, "by key")
  is(n.AAPL.count, 3, "and field")
  is(n.NONE, nil, "no such key")
  is(two.AAPL.buy.value + two.AAPL.sell.value, 3, "of parts")
  is(two.BP.sell.value, 1, "of another")
  is(one.value, 1001, "of nothing")
  is(all.n.BP:freeze().value, 41, "of a reading")
  is(all.std:freeze().GOOG.value, nil, "what has no value is not there")
  all.one:reset()
  is(one.value, 1001, "it stays as it is")]])

reads("reset", [[ n = "mean(price) by symbol", also = "mean(price) by symbol",
                  one = "count(price)" ]], [[
  all.n:reset("AAPL")
  is(all.n:get("AAPL"), nil, "one key")
  is(all.n:get("BP"), 41, "not the others")
  is(all.also:get("AAPL"), 12, "nor another statistic that is by the same")
  is(#all.n, 4, "the key stays")
  all.n:reset("NONE")
  is(#all.n, 4, "one that is not there")
  all.n.BP:reset()
  is(all.n:get("BP"), nil, "of a reading")
  all.n:reset()
  is(all.n:get("GOOG"), nil, "all")
  all.one:reset()
  is(all.one.value, 0, "of nothing")]])

reads("a long declaration as text", [[ x = "count(price + 0" .. (" + 0"):rep(300)
  .. ") by symbol" ]], [[
  check(#tostring(all.x) < 250, #tostring(all.x) .. " bytes")
  check(tostring(all.x):find("^x: count%(price %+ 0.*…, 4 keys$"), tostring(all.x))]])

-- Saved, and back.

local DECLARED = [[ mean = "mean(price) by symbol", flow = "sum(size) by sector, side",
  n = "count(price) by (size // 100)", q = "quantile(price, p=0.5) by symbol",
  all = "std(price)", window = "max(price, window=2) by symbol" ]]

-- Prints every value of every statistic, sorted.
local SHOW = [[
  for _, name in ipairs { "mean", "flow", "n", "q", "window" } do
    for key, r in pairs(all[name]) do
      if type(key) == "table" then key = table.concat(key, ".") end
      print(name, key, r.value and ("%.9g"):format(r.value),
            name == "n" and "" or r.count)
    end
  end
  print("all", ("%.9g"):format(all.all.value), all.all.count)]]

-- What a script prints that tracks DECLARED, over those trades; begin: runs first.
local function run_of(trades, begin, finish)
  local text = script(DECLARED, finish):gsub("self:track %b{}", function(call)
    return call .. " local all = self.all " .. begin
  end)
  local ran = apps.run(market(trades, text))
  t.ok(ran.status == 0 and ran.lines[#ran.lines] == "end", "a run")
  if ran.status ~= 0 then t.diag(ran.err) end
  ran.lines[#ran.lines] = nil
  table.sort(ran.lines)
  return ran.lines
end

local SAVE = [[
  local file <close> = assert(io.open(here .. "%s", "w"))
  for name in ("mean flow n q all window"):gmatch "%%a+" do
    file:write(name, "=", hex(all[name]:save()), "\n")
  end]]
local RESTORE = [[
  for name, saved in (%q):gmatch "(%%a+)=(%%x+)" do
    if (%s)[name] then is(all[name]:%s(bytes(saved)), true, name) end
  end]]

-- The text that a run over those trades saved.
local function saved_by(trades)
  local directory, command = apps.write(market(trades,
    script(DECLARED, SAVE:format "saved")))
  t.is(apps.shell(command).out, "end\n", "a run that saves")
  local file <close> = assert(io.open(directory .. "/saved"))
  return file:read "a"
end

local MORE = { "NEW,5,100,buy", "BP,44,200,sell", "GOOG,22,300,buy", "AAPL,16,100,sell" }
local both = table.move(TRADES, 1, #TRADES, 1, {})
table.move(MORE, 1, #MORE, #both + 1, both)
local first = saved_by(TRADES)
local whole = run_of(both, "", SHOW)

t.ok(#whole > 15, "the whole has " .. #whole .. " values")
t.same(run_of(MORE, RESTORE:format(first, "all", "load"), SHOW), whole,
       "loaded in a run with other ids, it goes on")
local kinds = "{ mean = true, flow = true, n = true, q = true, all = true }"
local function without_window(lines)
  local out = {}
  for _, line in ipairs(lines) do
    if not line:find "^window" then out[#out + 1] = line end
  end
  return out
end
t.same(without_window(run_of(MORE, "", RESTORE:format(first, kinds, "merge") .. SHOW)),
       without_window(whole), "two shards, merged, are the whole")

reads("load replaces what is saved, and nothing else", [[ n = "count(price) by symbol" ]],
  [[
  local aapl = all.n.AAPL:save()
  local keys = all.n:save()
  all.n:reset()
  is(all.n:load(aapl), true, "of one key")
  is(table.concat(all.n:column():totable(), " "), "3.0 0.0 0.0 0.0", "values")
  is(all.n:load(keys), true, "of all keys")
  is(table.concat(all.n:column():totable(), " "), "3.0 2.0 1.0 1.0", "values")
  is(all.n:merge(aapl), true, "merge")
  is(all.n:merge(aapl), true, "merge again")
  is(table.concat(all.n:column():totable(), " "), "9.0 2.0 1.0 1.0", "values")]])

reads("another name in a saved text", [[ n = "count(price) by symbol" ]], [[
  local saved = all.n:save():gsub("AAPL", "ELSE")
  local _, why, code = all.n:load(saved)
  is(why, "can't load n: the text is truncated or corrupted", "the sum")
  is(code, -5003, "its code")
  is(all.n.ELSE, nil, "and it is not there")]])

local other = saved_by { "ELSE,1,1,buy" }
reads("keys that only a saved text has", DECLARED, RESTORE:format(other, "all", "load")
  .. [[
  is(all.mean.ELSE.value, 1, "value")
  is(table.concat(all.mean:keys(), " "), "AAPL BP GOOG LONE ELSE", "keys")
  is(#all.flow, 4, "no sector, no key")]])

reads("what can't be loaded", [[ n = "count(price) by symbol", also = "count(price)",
  m = "mean(price) by symbol", w = "mean(price, window=3) by symbol",
  where = "mean(price) by symbol where size > 5", same = "mean( price )by symbol",
  w4 = "mean(price, window=4) by symbol", bid = "mean(bid) by symbol",
  lag = "autocorrelation(price, lag=1)" ]], [[
  local function fails(what, why, code, into, saved)
    local ok, message, got = into:load(saved)
    check(ok == nil and message:find(why, 1, true), what .. ": " .. tostring(message))
    is(got, code, what)
  end
  local saved = all.m:save()
  is(all.same:load(saved), true, "the same in other words")
  for _, name in ipairs { "n", "also", "w", "where", "w4", "bid" } do
    fails(name, ("can't load %s: it is of another one: "):format(name), -5003, all[name],
          saved)
  end
  fails("a number", "the text is no tracked statistic", -5003, all.m, 5)
  fails("another text", "the text is no tracked statistic", -5003, all.m, "tw.stat\0xx")
  fails("a single statistic", "the text is no tracked statistic", -5003, all.m,
        stat.mean():save())
  fails("nothing", "the text is no tracked statistic", -5003, all.m, "")
  raises("string expected", "no string", all.m.load, all.m, {})
  for n = 0, #saved - 1 do
    check(all.m:load(saved:sub(1, n)) == nil, n .. " bytes of it")
  end
  fails("too long", "the text is truncated or corrupted", -5003, all.m, saved .. "x")
  for i = 1, #saved do
    local bad = saved:sub(1, i - 1) .. string.char(saved:byte(i) ~ 0x41)
      .. saved:sub(i + 1)
    check(all.m:load(bad) == nil, "byte " .. i .. " is another")
  end
  is(all.m:get("BP"), 41, "nothing has changed")
  is(#all.m, 4, "nor are there new keys")
  raises("lag: autocorrelation%(lag=1%) can't be merged$", "merge", all.lag.merge,
         all.lag, all.lag:save())
  raises("string expected", "merge no string", all.m.merge, all.m)
  raises("m: this is of one key; ask the statistic$", "into a reading",
         all.m.BP.load, all.m.BP, saved)]])

local BY_SOURCE = [[ n = "count(price) by source, symbol" ]]
local saved = apps.run(market(TRADES, script(BY_SOURCE, "print(hex(all.n:save()))")))
  .lines[1]
local renamed = market(TRADES, script(BY_SOURCE, ([[
  local ok, why = all.n:load(bytes %q)
  is(why, "can't load n: key 'file, AAPL': there is none such here", "why")
  is(all.n:get("feed", "BP"), 2, "nothing has changed")]]):format(saved)))
renamed.app = renamed.app:gsub('"file"', '"feed"')
apps.prints("a key that can't be here", renamed, "end\n")

-- Two shards of one run.

local MARKET = "app.feed.synthetic { speed = 0, seed = 3, limit = " .. LIMIT .. " } "
local SHARDED = HELP .. [[
  function M:on_start()
    self.all = self:track { spread = "sum(ask_size) by sector", n = "count(bid)",
                            top = "max(bid) by symbol" }
  end
  function M:on_stop()
    for _, name in ipairs { "spread", "n", "top" } do
      local file <close> = assert(io.open(self.params.here .. name .. self.shard, "w"))
      file:write(self.all[name]:save())
    end
  end]]
local directory, command = apps.write { args = { "--workers", "2" }, ["s.lua"] = SHARDED,
  app = MARKET .. [[app.script("s.lua", { shard = "symbol", workers = { 0, 1 },
                                         params = { here = here } })]] }
t.is(apps.shell(command).status, 0, "two shards")
apps.prints("two shards' texts, merged, are the whole", { args = { "--workers", "1" },
  app = MARKET .. 'app.script("s.lua", { params = { from = "' .. directory .. '" } })',
  ["s.lua"] = HELP .. [[
  function M:on_start()
    self.all = self:track { spread = "sum(ask_size) by sector", n = "count(bid)",
                            top = "max(bid) by symbol" }
  end
  function M:on_stop()
    for _, name in ipairs { "spread", "n", "top" } do
      local s = self.all[name]
      local whole = tostring(s:freeze())
      s:reset()
      local shards = 0
      for shard = 0, 2 do
        local file <close> = io.open(("%s/%s%d"):format(self.params.from, name, shard))
        if file then
          shards = shards + 1
          is(s:merge(file:read "a"), true, "merge")
        end
      end
      is(shards, 2, "shards")
      is(tostring(s:freeze()), whole, name)
    end
    print "end"
  end]] }, "end\n")

-- Many keys.

local KEYS = SMALL and 2000 or 20000
reads(KEYS .. " keys", [[ n = "count(price) by symbol", p = "last(price) by symbol" ]],
  ("local keys = %d"):format(KEYS) .. [[

  is(#all.n, keys, "#")
  is(tostring(all.n), "n: count(price) by symbol, " .. keys .. " keys", "tostring")
  is(all.n:column():sum(), keys, "column")
  is(all.p:top(1)[1].key, "S" .. keys, "top")
  local saved, sum = all.n:save(), 0
  is(all.n:merge(saved), true, "merge")
  for _, r in pairs(all.n) do sum = sum + r.value end
  is(sum, 2 * keys, "pairs")
  check(#tostring(all.n:freeze()) <= 1000, "freeze")]], (function()
  local out = {}
  for i = 1, KEYS do out[i] = ("S%d,%d,1,"):format(i, i) end
  return out
end)())

-- After the script's end.

apps.prints("a finalizer may come after the statistic's end", market(TRADES, [=[
  function M:on_start()
    local all = self:track { n = "count(price) by symbol", one = "sum(price)" }
    keep = setmetatable({}, { __gc = function()
      for _, f in ipairs { function() return all.n.AAPL end, function() return #all.n end,
                           function() return all.one.value end, all.n.save } do
        local fine, err = pcall(f, all.n)
        if not fine then
          check(err:find "tracked statistic: its script has ended$", err)
        end
      end
      for _, end_of in ipairs { "n", "one" } do
        local fine, text = pcall(tostring, all[end_of])
        check(fine or text:find "has ended$", text)
      end
    end })
  end
  function M:on_stop() print "end" end]=]), "end\n")

-- Without memory: an error, and nothing worse.

local _, failing = apps.write(market(TRADES, script(
  [[ mean = "mean(price) by symbol", two = "count(price) by symbol, side",
     h = stat.declare("last(price)"):sample { records = 2, history = 3 } ]], [[
  for key, r in pairs(all.two) do check(r.key[1] == key[1] and tostring(r), "key") end
  is(#all.mean:column(), 4, "column")
  is(#all.mean:top(2), 2, "top")
  is(#all.h:history(), 3, "history")
  is(all.two:freeze().AAPL.buy.value, 2, "freeze")
  local saved = all.mean:save()
  all.mean:reset()
  is(all.mean:load(saved), true, "load")
  is(all.mean:merge(saved), true, "merge")
  is(all.mean.AAPL.count, 6, "count")]])))
apps.without_memory(failing, "end\n", SMALL and 331 or 37, 8000)
