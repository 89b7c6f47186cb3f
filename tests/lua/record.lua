--- record: quotes and trades as a script sees them: parameters, handles, keep.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

-- Two securities known to the app and one that is not; a quote without an offer.
local CSV = [[
time,symbol,bid,ask,bid_size,ask_size,price,size,side
1700000000000000001,AAPL,187.23,187.25,100,200,,,
1700000000000000002,NEW,0.000000001,1000000,0.5,7,,,
1700000000000000003,AAPL,,,,,187.24,50,buy
1700000000000000004,BP,,,,,35.5,1,sell
1700000000000000005,BP,,,,,35.6,2,
1700000000000000006,BP,35.4,,10,,,,
]]
local APP = [[
app.instruments {
  { symbol = "AAPL", sector = "tech", weight = 0.4, tick_size = 0.01, lot_size = 100 },
  { symbol = "BP" },
}
app.feed.csv { file = here .. "in.csv", name = "ticks" }
app.script("s.lua")
]]

-- The directory is known only when it is written: an app finds it by its own path.
local function with(text, o)
  o = o or {}
  return { app = (o.before or "") .. APP, ["s.lua"] = text,
           files = { ["in.csv"] = o.csv or CSV } }
end

local function prints(name, text, want, o)
  return apps.prints(name, with(text, o), want)
end
local function fails(name, text, want, o) return apps.fails(name, with(text, o), want) end

-- Every field: as a parameter, then the same as a field of the record.

local function show(callback, names)
  local shown, same = {}, {}
  for i, name in ipairs(names) do
    shown[i] = ('"%s=" .. tostring(%s)'):format(name, name)
    same[i] = ("record.%s == %s"):format(name, name)
  end
  return ([[
    M.one_sided = true
    function M.%s(record, %s)
      print(%s)
      if not (%s) then print "a field differs from the parameter" end
    end]]):format(callback, table.concat(names, ", "), table.concat(shown, ', " ", '),
                  table.concat(same, " and "))
end

-- One record in want is as many words as there are fields, over any lines.
local function lists(name, text, want)
  want = want:gsub("\n +", " "):gsub(" ", "\t \t")
  return prints(name, text, want)
end

local MARKET = { "symbol", "symbol_id", "sector", "weight", "tick_size", "lot_size",
                 "time", "seq", "source", "source_seq", "kind" }

lists("what all market records have", show("on_quote", MARKET), [[
symbol=AAPL symbol_id=1 sector=tech weight=0.4 tick_size=0.01 lot_size=100.0
  time=1700000000000000001 seq=1 source=ticks source_seq=2 kind=quote
symbol=NEW symbol_id=3 sector=nil weight=0.0 tick_size=0.0 lot_size=0.0
  time=1700000000000000002 seq=2 source=ticks source_seq=3 kind=quote
symbol=BP symbol_id=2 sector=nil weight=0.0 tick_size=0.0 lot_size=0.0
  time=1700000000000000006 seq=6 source=ticks source_seq=7 kind=quote
]])
lists("so do trades", show("on_trade", MARKET), [[
symbol=AAPL symbol_id=1 sector=tech weight=0.4 tick_size=0.01 lot_size=100.0
  time=1700000000000000003 seq=3 source=ticks source_seq=4 kind=trade
symbol=BP symbol_id=2 sector=nil weight=0.0 tick_size=0.0 lot_size=0.0
  time=1700000000000000004 seq=4 source=ticks source_seq=5 kind=trade
symbol=BP symbol_id=2 sector=nil weight=0.0 tick_size=0.0 lot_size=0.0
  time=1700000000000000005 seq=5 source=ticks source_seq=6 kind=trade
]])
lists("fields of quotes",
  show("on_quote", { "bid", "ask", "bid_size", "ask_size", "mid", "spread" }), [[
bid=187.23 ask=187.25 bid_size=100.0 ask_size=200.0 mid=187.24 spread=0.02
bid=1e-09 ask=1000000.0 bid_size=0.5 ask_size=7.0 mid=500000.0 spread=1000000.0
bid=35.4 ask=nil bid_size=10.0 ask_size=0.0 mid=nil spread=nil
]])
lists("fields of trades", show("on_trade", { "price", "size", "side", "id" }), [[
price=187.24 size=50.0 side=buy id=0
price=35.5 size=1.0 side=sell id=0
price=35.6 size=2.0 side=nil id=0
]])
local fix = apps.run {
  app = [[app.feed.fix { stdin = true } app.script("s.lua")]],
  ["s.lua"] = "function M.on_trade(t, id, source_seq) print(id, t.id, source_seq) end",
  input = apps.fix("35=X|34=77|52=20240102-03:04:05.678|268=1|279=0|269=2"
    .. "|278=9007199254740993|55=AAPL|270=187.24|271=50|"),
}
t.is(fix.out, "9007199254740993\t9007199254740993\t77\n", "a trade's id, exact")
prints("received: the host's clock, not the quote's", [[
  function M.on_quote(received, q)
    print(math.type(received), received > 1700000000000000009, received <= tw.now(),
          received == q.received)
  end]], ("integer\ttrue\ttrue\ttrue\n"):rep(2))
prints("fields are the nearest floats", [[
  function M.on_quote(bid, ask, spread, mid)
    print(bid == 187.23, ask == 187.25, spread == 0.02, mid == (bid + ask) * 0.5)
  end]], "true\ttrue\ttrue\ttrue\n", { csv = CSV:match "^.-\n.-\n" })

-- Parameters.

prints("names of the record itself", [[
  function M.on_quote(q, quote, record) print(q == quote and q == record) end
  function M.on_trade(t, trade, record) print(t == trade and t == record) end
]], ("true\n"):rep(5))
prints("self is a parameter or it isn't", [[
  function M:on_quote(bid) print(self.name, bid) end
  function M.on_trade(price) print(price) end
  function M:on_start() print(self.name) end
  function M.on_stop() print(self) end
]], "s.lua\ns.lua\t187.23\ns.lua\t1e-09\n187.24\n35.5\n35.6\nnil\n")
prints("_ takes a place and nothing else", [[
  function M.on_quote(_, bid, _, symbol) print(_, bid, symbol) end
]], "nil\t187.23\tAAPL\nnil\t1e-09\tNEW\n")
prints("no parameter at all", [[function M.on_quote() print() end]], "\n\n")
fails("dots, which would get nothing", [[function M.on_quote(...) print(...) end]],
  "on_quote: '...' would get nothing: name the fields")
prints("sixteen parameters", ([[
  function M.on_quote(%s, bid) print(bid) end]]):format(("_, "):rep(15):sub(1, -3)),
  "187.23\n1e-09\n")
fails("seventeen are too many",
  ("function M.on_quote(%s) end"):format(("_, "):rep(17):sub(1, -3)),
  "on_quote: more than 16 parameters")
fails("a name that isn't a field, with a hint", "function M.on_quote(bidd) end",
  "^tidewire: script s.lua: on_quote: no field 'bidd'; did you mean 'bid'%?\n")
fails("a name that isn't a field", "function M.on_quote(q, pointless) end",
  "^tidewire: script s.lua: on_quote: no field 'pointless'; `tidewire help"
  .. " quotes` has them\n")
fails("a field of another kind", "function M.on_trade(bid_size) end",
  "^tidewire: script s.lua: on_trade: no field 'bid_size'")
fails("self is the first or a wrong name", "function M.on_quote(bid, self) end",
  "on_quote: no field 'self'")
fails("on_start takes no fields", "function M.on_start(bid) end",
  "on_start: it takes no parameter but self, not 'bid'")
fails("a misspelt callback", "function M.on_qoute() end",
  "on_qoute is not a callback: there are on_start on_quote on_trade")
fails("one of another system's letters", "function M.onQuote() end",
  "onQuote is not a callback; did you mean 'on_quote'?")
fails("a callback that isn't a function", "M.on_quote = 5",
  "on_quote is a number, not a function")
prints("a C function as a handler", "M.on_quote = print M.on_start = os.time", "\n\n")

-- Handles.

prints("text", [[
  function M.on_quote(q) print(q) end
  function M.on_trade(t) print(t) end
  M.one_sided = true]], [[
quote 1 AAPL 187.23 x 100 / 187.25 x 200
quote 2 NEW 0.000000001 x 0.5 / 1000000 x 7
trade 3 AAPL 187.24 x 50
trade 4 BP 35.5 x 1
trade 5 BP 35.6 x 2
quote 6 BP 35.4 x 10 / none
]])
prints("equality, and as a key", [[
  local seen = {}
  function M.on_quote(q, quote)
    print(q == quote, q == M.last, rawequal(q, quote), seen[q], type(q))
    seen[quote], M.last = true, q
    print(seen[q])
  end]], ("true\tfalse\ttrue\tnil\tuserdata\ntrue\n"):rep(2))
prints("nothing can be changed", [[
  function M.on_quote(q)
    for _, r in ipairs { q, q:keep() } do
      print(select(2, pcall(function() r.bid = 1 end)))
      print(select(2, pcall(function() r.mine = 1 end)))
      print(select(2, pcall(setmetatable, r, {})) ~= nil, getmetatable(r), r.bid)
    end
  end]], ([[
s.lua:3: a record can't be changed (field 'bid')
s.lua:4: a record can't be changed (field 'mine')
true	false	187.23
]]):rep(2), { csv = CSV:match "^.-\n.-\n" })
prints("a field that isn't there", [[
  function M.on_quote(q)
    for _, name in ipairs { "bidd", "price", "nothing", 1, {} } do
      print((select(2, pcall(function() return q[name] end)):gsub("0x%x+", "")))
    end
  end
  function M.on_trade(t)
    print(select(2, pcall(function() return t.pric end)))
  end]], [[
s.lua:3: a quote has no field 'bidd'; did you mean 'bid'?
s.lua:3: a quote has no field 'price'
s.lua:3: a quote has no field 'nothing'
s.lua:3: a quote has no field '1'
s.lua:3: a quote has no field 'table: '
s.lua:7: a trade has no field 'pric'; did you mean 'price'?
]], { csv = CSV:match "^.-\n.-\n" .. CSV:match "(170%d*3,.-\n)" })

-- Other light userdata shares the metatable, and is no record.
local LIGHT = [[
  local x = 1
  local light = debug.upvalueid(function() return x end, 1)
  print(tostring(light):match "^userdata: 0x", light == light)
  print(select(2, pcall(function() return light.bid end)):match "a light .* %(")
  print(select(2, pcall(function() light.bid = 1 end)) ~= nil)
]]
local SAID = "userdata: 0x\ttrue\na light userdata has no fields (\ttrue\n"
prints("other light userdata", "function M.on_start() " .. LIGHT .. " end",
  (SAID:gsub("%(\t", "(\n")))
t.is(apps.shell(apps.tidewire .. " -e " .. apps.quote(LIGHT)).out,
  (SAID:gsub("%(\t", "(\n")), "also in a plain interpreter")

-- Expiry and keep.

local MANY = { before = "app.tape { capacity = 64 } ", csv = "time,symbol,bid,ask,"
  .. "bid_size,ask_size\n" .. ("1,A,1,2,3,4\n2,A,5,6,7,8\n"):rep(100) }
prints("a record expires, its copy lives on", [[
  local first, kept
  function M.on_quote(q, seq)
    if seq == 1 then first, kept = q, q:keep() end
    if seq < 200 then return end
    print(select(2, pcall(function() return first.bid end)))
    print(select(2, pcall(kept.keep, first)))
    print(select(2, pcall(tostring, first)))
    print(first == first, kept == kept:keep(), kept == q)
    print(kept.seq, kept.bid, kept.symbol, kept)
  end]], [[
s.lua:5: quote 1 has expired (retention 64 records)
quote 1 has expired (retention 64 records)
quote 1 has expired (retention 64 records)
true	true	false
1	1.0	A	quote 1 A 1 x 3 / 2 x 4
]], MANY)
prints("copies outlive many collections", [[
  local kept = {}
  function M.on_quote(q) kept[#kept + 1] = q:keep() end
  function M.on_stop()
    collectgarbage()
    local sum = 0
    for i, k in ipairs(kept) do sum = sum + k.bid + k.seq - i end
    print(#kept, sum)
  end]], "200\t600.0\n", MANY)
fails("an expired record is an error like any other", [[
  function M.on_quote(q, seq)
    M.first = M.first or q
    if seq == 190 then return M.first.mid end
  end]], "on_quote failed at quote 190 A 5 x 7 / 6 x 8\n[^\n]*"
  .. "quote 1 has expired %(retention 64 records%)\nstack traceback:", MANY)

-- Quotes without a side.

prints("are not for handlers that don't ask",
  "function M.on_quote(symbol) print(symbol) end", "AAPL\nNEW\n")
prints("are for those that do", [[
  M.one_sided = true
  function M.on_quote(symbol, bid, ask, q) print(symbol, bid, ask, q.ask, q.mid) end]],
  "AAPL\t187.23\t187.25\t187.25\t187.24\nNEW\t1e-09\t1000000.0\t1000000.0\t500000.0\n"
  .. "BP\t35.4\tnil\tnil\tnil\n")

-- Outside a run, where no number of a symbol means anything.

prints("a cache writes no record to a file", [[
  local path = os.tmpname()
  function M.on_quote(q, seq)
    if seq > 1 then return end
    local c = tw.cache "quotes"
    c:put("kept", { q:keep() })
    c:put("bid", q.bid)
    print(c:dump(path))
    c:invalidate_all()
    print(c:load(path))
    print(c:peek "kept", c:peek "bid")
    os.remove(path)
  end]], "1\t1\n1\t0\nnil\t187.23\n")

-- No program gets there by itself.
local file <close> = io.tmpfile()
debug.setmetatable(file, debug.getregistry()["tw.record"])
for name, read in pairs { symbol = function() return file.symbol end,
                          text = function() return tostring(file) end,
                          keep = function() return require "tw".freeze(file) end } do
  t.raises("record: no market is running here", read)
end
debug.setmetatable(file, getmetatable(io.stdout))
