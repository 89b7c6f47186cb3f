--- tracker: what a script declares is fed before its handlers, and enters it when true.

package.path = "tests/?.lua;" .. package.path
local apps = require "apps"
local prints, fails = apps.prints, apps.fails

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = %s, limit = %d } "
  .. "app.sectors { tech = { 'AAPL', 'GOOG' }, oil = { 'BP', 'XOM' } } "
local function feed(n, trades) return FEED:format(trades or 0, n) end
local ONE = { "--workers", "1" }

-- What is declared, and a handler that computes the same in Lua.

local BOTH = [[
  function M:on_start()
    self.stat = self:track {
      spread = "mean(ask - bid) by symbol", fast = "ewma(mid, alpha=0.1) by symbol",
      vol = "ewma((mid / prev(mid) - 1)^2, alpha=0.01, initial=0) by sector",
      n = "count()", filtered = "sum(bid_size) where bid_size > 500",
    }
    self.fast, self.last, self.vol, self.n, self.big = {}, {}, { tech = 0, oil = 0 }, 0, 0
    self.equal = true
  end
  local function learn(self, symbol, sector, mid, bid_size)
    local e, last = self.fast[symbol], self.last[symbol]
    self.fast[symbol] = e and e + 0.1 * (mid - e) or mid
    if last then
      local r = mid / last - 1
      self.vol[sector] = self.vol[sector] + 0.01 * (r * r - self.vol[sector])
    end
    self.last[symbol], self.n = mid, self.n + 1
    if bid_size > 500 then self.big = self.big + bid_size end
  end
  local function compare(self)
    for symbol, e in pairs(self.fast) do
      self.equal = self.equal and self.stat.fast[symbol].value == e
    end
    for sector, v in pairs(self.vol) do
      local tracked = self.stat.vol[sector]
      self.equal = self.equal and (not tracked or not tracked.value or tracked.value == v)
    end
    self.equal = self.equal and (self.stat.n.value or 0) == self.n
      and self.stat.filtered.value == self.big
  end
]]

prints("a handler finds them as of its own quote", { app = feed(2000)
  .. 'app.script("s.lua")', args = ONE, ["s.lua"] = BOTH .. [[
  function M:on_quote(symbol, sector, mid, bid_size)
    learn(self, symbol, sector, mid, bid_size)
    compare(self)
  end
  function M:on_stop() print(self.n, self.equal) end]] }, "2000\ttrue\n")

prints("other records come after what was before them", { app = feed(3000)
  .. 'app.feed.timer { every = 0.001 } app.script("a.lua") app.script("b.lua")',
  args = ONE, ["a.lua"] = [[
    function M:on_quote(seq) if seq % 100 == 0 then tw.publish("at", seq) end end]],
  ["b.lua"] = [[
    function M:on_start()
      self.stat, self.others = self:track { last = "last(seq)", n = "count()" }, 0
    end
    function M:on_timer() self.others = self.others + 1 end
    function M:on_message(topic, value, seq)
      assert(self.stat.last.value < seq)
      local n = self.stat.n.value
      assert(n + self.others == seq - 1, n)
      self.others, self.seen = self.others + 1, (self.seen or 0) + 1
    end
    function M:on_stop() print(self.seen > 20, self.stat.n.value) end]] },
  "true\t3000\n")

prints("of trades too, and in one script", { app = feed(2000, 0.5)
  .. 'app.script("s.lua")', args = ONE, ["s.lua"] = [[
  function M:on_start()
    self.quotes, self.trades, self.size = 0, 0, {}
    self.stat = self:track { quotes = "count(bid)", trades = "count(price)",
      size = "sum(size) by symbol" }
  end
  function M:on_quote() self.quotes = self.quotes + 1 end
  function M:on_trade(symbol, size) self.trades = self.trades + 1
    self.size[symbol] = (self.size[symbol] or 0) + size end
  function M:on_stop()
    local same = self.stat.quotes.value == self.quotes
      and self.stat.trades.value == self.trades
    for symbol, size in pairs(self.size) do
      same = same and self.stat.size[symbol].value == size
    end
    print(same, self.trades > 100)
  end]] }, "true\ttrue\n")

prints("a script's own symbols alone", { app = feed(1000)
  .. 'app.script("s.lua", { symbols = { "AAPL" } })', args = ONE, ["s.lua"] = [[
  function M:on_start() self.stat = self:track { n = "count() by symbol" } end
  function M:on_stop()
    for symbol, n in pairs(self.stat.n) do print(symbol, n.value > 100) end
  end]] }, "AAPL\ttrue\n")

prints("split between instances", { app = feed(2000)
  .. 'app.script("s.lua", { shard = "symbol" })', args = { "--workers", "2" },
  ["s.lua"] = [[
  function M:on_start()
    self.stat = self:track { n = "count() by symbol", all = "count()" }
  end
  function M:on_stop()
    local n = 0
    for _, of in pairs(self.stat.n) do n = n + of.value end
    print(n == self.stat.all.value and n > 0 and n < 2000)
  end]] }, "true\ntrue\n")

-- When.

local EDGES = [[
  function M:on_start()
    self.n, self.want, self.was, self.fast = 0, 0, {}, {}
    self.stat = self:track { fast = "ewma(mid, alpha=0.2) by symbol" }
    self:when("mid > fast", %s function(self, q, symbol, mid)
      assert(q.mid == mid and self.stat.fast[symbol].value < mid)
      self.n = self.n + 1
    end)
  end
  function M:on_quote(symbol, mid)
    local e = self.fast[symbol]
    e = e and e + 0.2 * (mid - e) or mid
    self.fast[symbol] = e
    %s
    self.was[symbol] = mid > e
    assert(self.n == self.want, "it comes before on_quote")
  end
  function M:on_stop() print(self.n == self.want, self.n > 50) end]]

prints("when it becomes true, for each symbol", {
  app = feed(2000) .. 'app.script("s.lua")', args = ONE, ["s.lua"] = EDGES:format("",
    "if mid > e and not self.was[symbol] then self.want = self.want + 1 end") },
  "true\ttrue\n")
prints("at each record", { app = feed(2000) .. 'app.script("s.lua")',
  args = ONE, ["s.lua"] = EDGES:format("{ level = true },",
    "if mid > e then self.want = self.want + 1 end") }, "true\ttrue\n")
prints("not more often than the interval", { app = feed(2000) .. 'app.script("s.lua")',
  args = ONE, ["s.lua"] = [[
  function M:on_start()
    self:when("bid > 0 by ()", { level = true, interval = "200us" }, function(self, time)
      assert(not self.last or time - self.last == 200000)
      self.last, self.n = time, (self.n or 0) + 1
    end)
  end
  function M:on_stop() print(self.n) end]] }, "500\n")
prints("after its reset", {
  app = feed(5000) .. 'app.script("s.lua", { symbols = "AAPL" })', args = ONE,
  ["s.lua"] = [[
  function M:on_start()
    self:when("mid > ewma(mid, alpha=0.1)",
              { reset = "mid < ewma(mid, alpha=0.1)" },
              function(self) self.n = (self.n or 0) + 1 self.up = true end)
    self:when("mid < ewma(mid, alpha=0.1)",
              { reset = "mid > ewma(mid, alpha=0.1)" },
              function(self) assert(self.up or self.n == nil) self.up = false
                self.m = (self.m or 0) + 1 end)
  end
  function M:on_stop() print(self.n > 3, math.abs(self.n - self.m) <= 1) end]] },
  "true\ttrue\n")
prints("it may wait; nothing is lost", { app = feed(500) .. 'app.script("s.lua")',
  args = ONE, ["s.lua"] = [[
  function M:on_start()
    self.order = {}
    self:when("seq % 100 == 0", function(self, seq)
      tw.sleep(0.001)
      self.order[#self.order + 1] = "when " .. seq
    end)
  end
  function M:on_quote(seq)
    if seq % 100 == 0 then self.order[#self.order + 1] = "quote " .. seq end
  end
  function M:on_stop() print(table.concat(self.order, ", ", 1, 4)) end]] },
  "when 100, quote 100, when 200, quote 200\n")
prints("of one key", { app = feed(1000) .. 'app.script("s.lua")', args = ONE,
  ["s.lua"] = [[
  function M:on_start()
    self:track { n = "count() by symbol" }
    self:when("n.AAPL == 10", function(self, q, symbol) print(symbol) end)
  end]] }, "AAPL\n")

prints("declared while others are to be called, and at the end", { app = feed(300)
  .. 'app.script("s.lua")', args = ONE, ["s.lua"] = [[
  local task = require "tw.task"
  function M:on_start()
    self.order, self.late = {}, 0
    for i = 1, 2 do
      self:when("seq % 100 == 0", function(self, seq)
        local name = ("n%d_%d"):format(seq, i)
        task.scope(function(scope)
          scope:spawn(function()
            self[name] = self:track { [name] = "count()" } [name]
            self:when("seq == " .. seq + 50, function() self.late = self.late + 1 end)
          end)
          tw.sleep(0.001)
        end)
        self.order[#self.order + 1] = i .. " at " .. seq
      end)
    end
  end
  function M:on_quote(seq)
    if seq % 100 == 0 then self.order[#self.order + 1] = "quote " .. seq end
  end
  function M:on_stop()
    print(table.concat(self.order, ", ", 1, 6))
    print(self.late, self.n100_1.value, self.n200_2.value)
    print(self:track { none = "count()" } .none.value)
    self:when("bid > 0", print)
  end]] }, "1 at 100, 2 at 100, quote 100, 1 at 200, 2 at 200, quote 200\n"
  .. "4\t200\t100\n0\n")
prints("one that failed is not there", { app = feed(50) .. 'app.script("s.lua")',
  args = ONE, ["s.lua"] = [[
  function M:on_start()
    print(pcall(self.when, self, "bid > 0", function(self, prize) end))
    self:when("ask > 0", { level = true }, function(self, ask)
      self.n = (self.n or 0) + 1
    end)
  end
  function M:on_stop() print(self.n) end]] }, "false\twhen: no field 'prize'; `tidewire"
  .. " help quotes` has them\n50\n")
prints("a thousand statistics, each with a number of its own", { app = feed(50)
  .. 'app.script("s.lua")', args = ONE, ["s.lua"] = [[
  function M:on_start()
    local all = {}
    for i = 1, 1000 do all["n" .. i] = ("last(bid * 0 + n%d + %d.5)"):format(i + 1, i) end
    all.n1001 = "sum(0.5)"
    self.stat = self:track(all)
  end
  function M:on_stop() print(self.stat.n1.value == 25 + 1001 * 500 + 500) end]] },
  "true\n")

prints("a declaration has the length of what it tracks", { app = feed(500)
  .. 'app.script("s.lua")', args = ONE, ["s.lua"] = [[
  local n = require "tw.stat".count "bid":by "symbol"
  function M:on_start() print(pcall(function() return #n end)) self:track { n = n } end
  function M:on_stop() print(#n) end]] },
  "false\ts.lua:2: the statistic is not tracked: count(bid) by symbol\n4\n")

-- Samples.

prints("on the board and as messages, by name and key", { app = feed(1000)
  .. 'app.script("a.lua") app.script("b.lua")', args = ONE, ["a.lua"] = [[
  function M:on_start()
    local stat = require "tw.stat"
    self.stat = self:track {
      n = stat.count("bid"):by("sector"):sample { records = 100, board = true,
                                                  publish = "count" },
      last = stat.last("seq"):sample { records = 250, board = "at" } }
  end
  function M:on_stop() print(board["n.tech"] % 100, board.at >= 1000) end]],
  ["b.lua"] = [[
  local got = {}
  function M:on_message(topic, value) got[topic] = (got[topic] or 0) + 1
    assert(value == got[topic] * 100) end
  function M:on_stop()
    print(got["count.tech"] + got["count.oil"] >= 8, got["count.tech"] > 1)
  end]] }, "0.0\ttrue\ntrue\ttrue\n")

-- Mistakes.

local function mistake(name, code, want)
  fails(name, { app = feed(1) .. 'app.script("s.lua")', args = ONE,
    ["s.lua"] = "function M:on_start() " .. code .. " end" }, want)
end
mistake("no field", [[self:track { a = "mean(bidd)" }]],
  "mean%(bidd%): column 6: no field or statistic 'bidd'; did you mean 'bid'%?")
mistake("a circle", [[self:track { a = "mean(b)", b = "mean(a)" }]], "depends on itself")
mistake("no declaration", [[self:track { a = 1 }]],
  "track: a: a declaration expected, got a number")
mistake("no name", [[self:track { "count()" }]], "the statistics have names")
mistake("a name that is none", [[self:track { ["a b"] = "count()" }]],
  "track: 'a b' is no name")
mistake("twice", [[self:track { a = "count()" } self:track { a = "count()" }]],
  "a statistic 'a' is there already")
mistake("no table", [[self:track "count()"]], "table expected")
mistake("no condition", [[self:when("bid + 1", function() end)]],
  "bid %+ 1: column %d+: a condition")
mistake("no function", [[self:when("bid > 1")]], "function expected")
mistake("no such parameter", [[self:when("bid > 1", function(self, prize) end)]],
  "when: no field 'prize'")
mistake("no such option", [[self:when("bid > 1", { every = 1 }, function() end)]],
  "when: no option 'every': there are reset, interval, level")
mistake("no interval", [[self:when("bid > 1", { interval = -1 }, function() end)]],
  "when: interval: seconds above 0 expected, got %-1")
mistake("an error in the function", [[self:when("bid > 0", function() error "oh" end)]],
  "a condition's function failed at quote 1 .*oh")

fails("its memory is the script's", { app = feed(2000)
  .. 'app.limits { memory = 4 } app.script("s.lua")', args = ONE, ["s.lua"] = [[
  function M:on_start() self:track { m = "median(mid, window=1000000)" } end]] },
  "not enough memory")

-- What the tape holds, at once.

prints("tape:stat is what a script has tracked", { app = feed(3000, 0.2)
  .. 'app.script("s.lua")', args = ONE, ["s.lua"] = [[
  local tape, stat = require "tw.tape", require "tw.stat"
  function M:on_start()
    self.s = self:track { m = "mean(ask - bid) by symbol", n = "sum(size)" }
  end
  function M:on_stop()
    local one, records = tape:stat "mean(ask - bid) by symbol"
    local two = tape:stat { a = stat.mean("ask - bid"):by "symbol", b = "sum(size)" }
    local same = two.b.value == self.s.n.value and #one == #self.s.m
    for symbol, m in pairs(self.s.m) do
      same = same and one[symbol].value == m.value and two.a[symbol].value == m.value
    end
    print(same, records > 2000 and records < 3000)
    print(select(2, pcall(tape.stat, tape, "mean(bidd)")):match "column 6: no field")
    print(select(2, pcall(tape.stat, tape, 5)):match "tape:stat: a declaration.*")
  end]] }, "true\ttrue\ncolumn 6: no field\ntape:stat: a declaration or a table of them"
           .. " expected, got number\n")

-- The script's own names come first.

prints("a script may have a track of its own", { app = feed(1) .. 'app.script("s.lua")',
  args = ONE, ["s.lua"] = [[
  function M:track() return "its own" end
  function M:on_start() print(self:track()) end]] }, "its own\n")

prints("a restart begins anew", { app = feed(400)
  .. 'app.script("s.lua", { on_error = "restart" })', args = ONE, ["s.lua"] = [[
  function M:on_start() self.stat = self:track { n = "count()" } end
  function M:on_quote(seq) if seq == 300 then error "once" end end
  function M:on_stop() print(self.stat.n.value) end]], status = 1 }, "100\n")
