--- attribute: what the user knows of instruments, in handlers and statistics.

package.path = "tests/?.lua;" .. package.path
local apps = require "apps"

local CSV = [[
time,symbol,bid,ask,bid_size,ask_size,price,size,side
1700000000000000001,AAPL,10,11,100,200,,,
1700000000000000002,VOD,20,23,100,200,,,
1700000000000000003,AAPL,,,,,10.5,50,buy
1700000000000000004,NEW,30,39,100,200,,,
1700000000000000005,MSFT,40,43,100,200,,,
]]
local APP = [[
app.instruments {
  { symbol = "AAPL", country = "US", exchange = "XNAS", tier = 1 },
  { symbol = "VOD", country = "GB", tier = -2 },
  { symbol = "MSFT", exchange = "XNAS" },
}
app.instruments { { symbol = "MSFT", country = "US" } }
app.feed.csv { file = here .. "in.csv" }
app.script("s.lua")
]]

local function with(text, app)
  return { app = app or APP, ["s.lua"] = text, files = { ["in.csv"] = CSV } }
end
local function prints(name, text, want) return apps.prints(name, with(text), want) end
local function fails(name, text, want, app)
  return apps.fails(name, with(text, app), want)
end

-- In handlers.

prints("an attribute is a parameter, and a field", [[
  function M.on_quote(q, symbol, country, tier)
    print(symbol, country, tier, country == q.country, q.exchange)
  end
  function M.on_trade(t, exchange) print(exchange, t:keep().country) end
]], "AAPL\tUS\t1\ttrue\tXNAS\nVOD\tGB\t-2\ttrue\tnil\nXNAS\tUS\n"
  .. "NEW\tnil\tnil\ttrue\tnil\nMSFT\tUS\tnil\ttrue\tXNAS\n")
prints("tw.instrument tells them", [[
  function M.on_start()
    local one = tw.instrument "AAPL"
    print(one.country, one.exchange, math.type(one.tier), one.weight)
    print(tw.instrument "VOD".exchange, tw.instruments()[3].country)
  end]], "US\tXNAS\tnil\t0.0\nnil\tUS\n")
fails("what is none is no field", "function M.on_quote(contry) end",
  "on_quote: no field 'contry'")
fails("nor of a record", "function M.on_quote(q) print(q.contry) end",
  "a quote has no field 'contry'")
fails("messages have none", "function M.on_message(country) end",
  "on_message: no field 'country'")

-- In statistics.

local TRACK = [[
  function M:on_start()
    self.s = self:track(%s)
  end
]]
prints("statistics by an attribute", TRACK:format [[{
    spread = "mean(ask - bid) by country", n = "count(bid) by exchange, country",
    us = "count(bid) where country == 'US'", rest = "count(bid) where country ~= 'US'",
    one = "sum(ask) where tier == '1'" }]] .. [[
  function M:on_stop()
    local s = self.s
    print(s.spread.US.value, s.spread.GB.value, s.us.value, s.rest.value, s.one.value)
    for key in pairs(s.spread) do print(key) end
  end]], "2.0\t3.0\t2\t2\t11.0\nUS\nGB\n")
prints("a condition on one", [[
  function M:on_start()
    self:track { spread = "mean(ask - bid) by country" }
    self:when("spread > 1.5 and country == 'US'",
              function(self, symbol, country) print(symbol, country) end)
  end]], "MSFT\tUS\n")
for text, why in pairs {
  ["count() by contry"] = "column 12: by what%? 'contry' is neither a field with names"
    .. " nor an attribute; did you mean 'country'%?",
  ["count() where spread == 'US'"] = ": spread and 'US' can't be equal",
  ["count() where country > 1"] = "column 15: an attribute is a name: only == and ~=",
} do
  fails(text, TRACK:format(("{ x = %q }"):format(text)), why)
end

-- In the app file; its other errors: tests/stdlib/app.lua.

fails("an attribute hides no field", "",
  "^tidewire: app.instruments: 'price' is a field of records: an attribute needs",
  "app.instruments { { symbol = 'A', price = 'x' } } app.feed.synthetic { limit = 1 }")
fails("there are sixteen", "",
  "^tidewire: app.instruments: 'a17': there can be 16 attributes",
  "for i = 1, 17 do app.instruments { { symbol = 'A', ['a' .. i] = i } } end"
  .. " app.feed.synthetic { limit = 1 }")
