--- bar: bars in declared statistics, in conditions, in files, and pushed as one value.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local _, put, command = apps.folder "bar"

-- Bars of two symbols, a walk; quotes beside them, in a file of their own.
local N <const> = os.getenv "SMALL" and 120 or 1200
local bars, quotes = { "time,symbol,open,high,low,close,volume" },
  { "time,symbol,bid,ask,bid_size,ask_size" }
local all, last = {}, { A = 10000, B = 5000 }
math.randomseed(3, 4)
for i = 1, N do
  local symbol = i % 3 == 0 and "B" or "A"
  local open = last[symbol]
  local close = open + math.random(-20, 20)
  local high, low = math.max(open, close) + math.random(0, 5),
    math.min(open, close) - math.random(0, 5)
  local volume = math.random(0, 900)
  last[symbol] = close
  all[i] = { symbol = symbol, open = open / 100, high = high / 100, low = low / 100,
             close = close / 100, volume = volume }
  bars[i + 1] = ("%d,%s,%.2f,%.2f,%.2f,%.2f,%d"):format(1000000000 + i * 60, symbol,
    open / 100, high / 100, low / 100, close / 100, volume)
  quotes[i + 1] = ("%d,%s,%.2f,%.2f,100,100"):format(1000000000 + i * 60, symbol,
    close / 100, close / 100 + 0.02)
end
local bar_file = put("bars.csv", table.concat(bars, "\n") .. "\n")
local quote_file = put("quotes.csv", table.concat(quotes, "\n") .. "\n")
local data = { { path = bar_file, interval = "1m" }, quote_file }

local function close_to(a, b)
  return a and math.abs(a - b) <= 1e-9 * math.max(1, math.abs(b))
end

-- What each should be, by hand.
local sums, n, above = { A = 0, B = 0 }, { A = 0, B = 0 }, 0
for _, bar in ipairs(all) do
  sums[bar.symbol] = sums[bar.symbol] + bar.high - bar.low + bar.open * bar.volume
  n[bar.symbol] = n[bar.symbol] + 1
  if bar.close > bar.open then above = above + 1 end
end

-- ---- declared, with and without a handler for bars ----

local HEAD = [[
  local ta, stat = require "tw.ta", require "tw.stat"
  local M = {}
  function M:on_start()
    self.s = self:track {
      of_bars = "mean(high - low + open * volume) by symbol",
      atr = ta.atr("high", "low", "close", 14):by "symbol",
      vwap = "vwap(close, volume)", length = "max(interval)",
      of_quotes = "mean(ask - bid) by symbol", of_all = "count()",
    }
    self:when("close > open by ()", { level = true }, function(self, bar, close)
      self.above = (self.above or 0) + 1
    end)
  end
  function M:on_stop()
    local s = self.s
    print(string.format("%.17g %.17g %.17g %d %d %.17g %d", s.of_bars.A.value,
      s.of_bars.B.value, s.atr.A.value, s.of_bars.A.count, s.of_all.value,
      s.vwap.value, self.above))
    print(s.length.value, self.pushed and string.format("%.17g", self.pushed.A.value))
  end
]]
local function run(more, params)
  local result, why = tw.backtest.run { data = data, params = params,
    script = put("s.lua", HEAD .. (more or "") .. "\nreturn M\n") }
  if not result then t.diag(why) return {} end
  local words = {}
  for word in table.concat(result.log, " "):gmatch "%S+" do words[#words + 1] = word end
  return words
end

local function check(words, name)
  t.ok(close_to(tonumber(words[3]), sums.A / n.A)
       and close_to(tonumber(words[4]), sums.B / n.B), name .. ": a mean of bars")
  t.is(words[6] .. " " .. words[7], n.A .. " " .. 2 * N,
       name .. ": how many bars; how many records")
  t.is(words[9], tostring(above), name .. ": a condition of bars")
  t.is(words[12], "60.0", name .. ": their length")
end
check(run(), "no handler")
local words = run [[
  function M:on_quote() end
  function M:on_bar(bar, symbol, high, low, close)
    self.pushed = self.pushed or ta.by_symbol(ta.atr, 14)
    self.other = self.other or ta.by_symbol(ta.atr, 14)
    local one, three = self.pushed[symbol]:push(bar), self.other[symbol]:push(high, low,
                                                                            close)
    assert(one == three)
  end]]
check(words, "a handler")
t.is(words[13], words[5], "a bar that is pushed is its high, low and close")

-- ---- what can't be ----

local stat = require "tw.stat"
t.raises("column 12: bid is of quotes, and close of bars: no record has both",
         stat.declare, "mean(close-bid)")
t.raises("column 26: price is of trades, and high of bars: no record has both",
         function() stat.declare "mean(high) by side where price > 1" end)
local refused = run [[
  function M:on_bar(bar)
    if self.told then return end
    self.told = true
    for _, s in ipairs { ta.sma(3), ta.atr(3), ta.obv(), ta.donchian(2) } do
      print(select(2, pcall(s.push, s, bar:keep(), 5, 6)))
    end
  end]]
local text = table.concat(refused, " ")
t.ok(text:find("push: number expected for 'x', got a bar: which of its prices is not",
               1, true), "what takes one price is not given a bar")
local _, refusals = text:gsub("push: after 3 numbers at most a time expected", "")
t.ok(text:find "at most a time expected, an integer in ns",
     "behind a bar there may be a time")
t.is(refusals, 0, "and it is one value")

-- ---- files ----

local query = "'m = mean(high - low + open * volume), n = count() by symbol'"
local function reads(file, options, name)
  local got = command(("stat %s %s --csv %s"):format(query, file, options))
  local mean, count = got.out:match "\nA,([^,]+),(%d+)\n"
  if not t.ok(mean and close_to(tonumber(mean), sums.A / n.A), name) then
    t.diag(got.out .. got.err)
  end
  return tonumber(count)
end
t.is(reads("bars.csv", "--set interval=1m", "tidewire stat of bars"), n.A, "all of them")
t.is(command("convert bars.csv quotes.csv all.tape --set interval=1m").status, 0,
     "convert takes the length of bars")
t.is(reads("all.tape", "", "of a tape with quotes too"), 2 * n.A, "count is of all kinds")
local got = command "stat 'count()' bars.csv"
t.ok(got.err:find("line 2: time '1000000060' does not tell how long the bar is:"
                  .. " say it with the option interval, as in interval=1m", 1, true),
     "bars without a length")
put("us.csv", "date,open,high,low,close,volume\n01/02/2020,1,1,1,1,1\n")
got = command "stat 'count()' us.csv"
t.ok(got.err:find("line 2: time '01/02/2020' is not a time", 1, true),
     "a time that is none says nothing of the length")
t.ok(got.err:find("is not a time; times are like 2024-12-31 13:30:00 or 20241231, or s,"
                  .. " ms, us or ns since 1970", 1, true), "what would be one")
put("short.csv", "date,open,high,low,close,volume\n2020-01-02,1,1,1,1\n")
got = command "stat 'count() by symbol' us.csv --csv --set interval=1d --set time=s"
t.ok(got.err:find("line 2: time '01/02/2020' is not a time, read as s", 1, true),
     "nor does one of another form")
put("noted.csv", "# of a vendor\n\r\n#\ndate,open,high,low,close,volume\n"
    .. "2020-01-02,1,1,1,1,1\n")
t.ok(command("stat 'count() by symbol' noted.csv").out:find "noted +1",
     "the header behind comments: the file's name is the symbol's")
put("GOOG.day.csv", "date,open,high,low,close,volume\n2020-01-02,1,1,1,1,1\n")
got = command "stat 'count() by symbol' GOOG.day.csv --csv"
t.ok(got.out:find("\nGOOG,1\n", 1, true),
     "a file without symbols is of the one that it is named after, as in a backtest")
got = command "stat 'count()' short.csv"
t.ok(got.err:find("line 2: no column 6, which is volume", 1, true), "a column of bars")
got = command "convert bars.csv out.tape --set interval=soon"
t.is(got.err, "tidewire: convert: interval: whole seconds or a time like '1m' expected,"
     .. " got soon; see `tidewire help convert`\n", "an interval that is none")

-- ---- a part of a file ----

local function count(options)
  local found = command("stat 'n = count()' bars.csv --csv --set interval=1m " .. options)
  return found.out:match "\n(%d+)\n" or found.err
end
t.is(count "--set from=2001-09-09T01:50:40", tostring(N - 2), "from: bars that end there")
t.is(count "--set to=2001-09-09T01:50:40", "2", "to: those that end before")
t.is(count "--set from=2001-09-09T01:50:40 --set to=2001-09-09T01:51:40", "1", "both")
put("part.lua", [[
  local app = require "tw.app"
  app.tape { capacity = 4096 }
  app.feed.csv { file = "quotes.csv", from = app.param("from", ""), to = 1000000180e9 }
  app.script "times.lua"]])
put("times.lua", [[
  return { on_quote = function(self, time) print(time // 1000000000) end }]])
t.is(command("run part.lua --no-attach --set from=2001-09-09T01:48:40").out,
     "1000000120\n", "of app.feed.csv")
t.ok(command("run part.lua --no-attach --set from=never").err:find("from: 'never' is no"
     .. " time", 1, true), "what is no time")

-- ---- what bars are made of has been handled ----

put("made.lua", [[
  local M = { on_bar = function() end }
  function M:on_start() self:bars { count = 2, of = "mid" } end
  return M]])
put("made-app.lua", [[
  local app = require "tw.app"
  app.feed.csv { file = "quotes.csv", limit = 100 }
  app.script "made.lua"]])
got = command "run made-app.lua --no-attach"
t.is(got.err:match "\nmade.lua +%d+ +%d+ +%d+ +(%S+)", "100",
     "a script that has bars made of quotes, and no on_quote")
