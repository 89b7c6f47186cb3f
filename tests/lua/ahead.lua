--- ahead: a strategy that tries to know in a backtest what has not yet happened.
--
-- The script below looks, at each record and in tasks between them, wherever the API can
-- show a record or what was made of one, for anything later than the time it is told.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local _, put = apps.folder "ahead"

-- Quotes, trades and bars; two of each second are of one time.
local N <const> = os.getenv "SMALL" and 60 or 400
local T0 <const> = 1000000000
local quotes, trades, bars = { "time,symbol,bid,ask,bid_size,ask_size" },
  { "time,symbol,price,size" }, { "time,symbol,open,high,low,close,volume" }
for i = 1, N do
  local price = 100 + i // 2          -- tells its time
  quotes[i + 1] = ("%d,A,%d,%d,500,500"):format(T0 + i // 2, price, price + 1)
  trades[i + 1] = ("%d,B,%d,5"):format(T0 + i // 2, price)
  bars[i + 1] = ("%d,C,%d,%d,%d,%d,10"):format(T0 + i * 2 - 2, price, price, price, price)
end
local data = { put("quotes.csv", table.concat(quotes, "\n") .. "\n"),
               put("trades.csv", table.concat(trades, "\n") .. "\n"),
               { path = put("bars.csv", table.concat(bars, "\n") .. "\n"),
                 interval = 2 } }

local script = put("s.lua", ([[
  local tw, tape, board = require "tw", require "tw.tape", require "tw.board"
  local stat, ta = require "tw.stat", require "tw.ta"
  local M, START = { account = { cash = 1e9 } }, %d * 1000000000
  local tries, seen, last = 0, 0, 0

  local function never(time, what)
    tries = tries + 1
    if time > tw.now() then
      error(("%%s shows %%d, which is %%d ns ahead"):format(what, time, time - tw.now()))
    end
  end
  -- The price that is the latest now, by time.
  local function newest() return 100 + (tw.now() - START) // 1000000000 end

  function M:look()
    never(os.time() * 1000000000, "os.time")
    never(math.floor(tw.clock() * 1e9), "tw.clock")
    for _, r in ipairs(tape:last(1000)) do
      never(r.time, "tape:last")
      never(r.received, "received")
    end
    for _, what in ipairs { "A", "B", "C", "quote", "trade" } do
      for _, r in ipairs(tape:find(what, 20)) do never(r.time, "tape:find") end
    end
    for _, r in ipairs(tape:range(1)) do never(r.time, "tape:range") end
    for _, from in ipairs { tw.now() + 1, tape:last(1)[1].seq + 1, 1 << 40, 1 << 62 } do
      local fine, got = pcall(tape.range, tape, from, math.maxinteger)
      if fine and #got > 0 then error "tape:range has records to come" end
      tries = tries + 1
    end
    for _, what in ipairs { "max(time)", "last(time)", "max(received)" } do
      local s = tape:stat(what)
      if s.value then never(math.floor(s.value), "tape:stat") end
    end
    for _, name in ipairs { "top", "price" } do
      if (self.s[name].value or 0) > newest() + 1 then error("declared " .. name) end
      tries = tries + 1
    end
    for _, x in ipairs(self.s.kept:history()) do
      if x > newest() + 1 then error "a sample of what is to come" end
      tries = tries + 1
    end
    for _, i in ipairs(tw.instruments()) do
      if #tape:find(i.symbol, 1) == 0 then error("a symbol to come: " .. i.symbol) end
      tries = tries + 1
    end
    for _, symbol in ipairs { "A", "B", "C" } do
      local known = tw.instrument(symbol) ~= nil
      if known ~= (#tape:find(symbol, 1) > 0) then error("known, to come: " .. symbol) end
    end
    for _, o in ipairs(self:orders()) do never(o.time, "an order") end
    local held = self.account:position "A"
    if held and held.quantity ~= 0 and held.price > newest() + 1 then
      error "a fill at a price that is to come"
    end
  end

  function M:on_start()
    never(START, "on_start")
    self.s = self:track { top = "max(ask)", price = "max(price)",
      kept = stat.declare("last(bid)"):sample { records = 1, history = 50 } }
    self:bars { every = "3s", of = "bid", symbols = "A" }
    if #tape:last(10) > 0 then error "there is a record before the first" end
    tw.task.detach(function()
      for _ = 1, 20 do
        local due = tw.now() + 700000000
        tw.sleep(0.7)
        if tw.now() ~= due then error "another time" end
        if #tape:last(1) > 0 then self:look() end
      end
    end)
  end

  function M:on_quote(time, seq, bid)
    if time ~= tw.now() then error "a quote of another time" end
    seen = seen + 1
    if bid ~= newest() then error "the price is of another time" end
    for _, r in ipairs(tape:range(seq + 1)) do       -- what it did to our orders
      if r.kind ~= "order" then error "there is a record behind this one" end
    end
    self:look()
    if seen %% 5 == 0 then
      self.decided, self.at = seq, time
      self:order_target("A", seen %% 2 * 100)
    end
    if seen %% 11 == 0 then
      local future = tw.pool.run(function() return require "tw.tape" ~= nil end)
      if not future:await() or tw.now() ~= time then error "a job moved the time" end
    end
  end

  function M:on_fill(symbol, price)
    local at = tape:last(1)[1]
    if at.seq <= self.decided then error "filled by the record that decided it" end
    if price > newest() + 1 then error "at a price that is to come" end
    tries = tries + 1
  end

  function M:on_bar(bar, symbol, time, close, interval)
    never(time, "the end of a bar")
    never(time - math.floor(interval) * 1000000000, "its begin")
    if symbol == "C" and tape:last(1)[1].seq ~= bar.seq then error "another record" end
    if symbol == "A" and close > newest() then error "a bar with prices to come" end
  end

  function M:on_stop() print("tried", tries, "records", seen) end
  return M]]):format(T0))

for _, steps in ipairs { false, true } do
  local result, why = tw.backtest.run { script = script, data = data,
                                        single_steps = steps }
  local said = result and result.log[#result.log] or why
  local tries, seen = said:match "tried\t(%d+)\trecords\t(%d+)"
  if not t.is(tonumber(seen), N, "nothing is known early" .. (steps and ", step by step"
                                                              or "")) then
    t.diag(said)
  end
  t.ok((tonumber(tries) or 0) > 100 * N, "in " .. tostring(tries) .. " tries")
end
