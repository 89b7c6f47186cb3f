--- shadow: what a new version shows before it takes over, and after that.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local SMALL = os.getenv "SMALL" or apps.has "asan" or apps.has "tsan"

-- A script that leads a test begins with this, on one line: a task of it writes files of
-- the app's directory, reloads, and prints what came of it, M.lead().  at(n): waits until
-- its n-th quote; hold(n): and the tape waits for it until the next reload is over, or,
-- compare(), has come so far that versions are compared.
local LEADER = apps.leader .. ([[
local line = answer
local n, goal, held, go, on = 0, 0, false, tw.channel(1), tw.channel(1)
local function answer(future)
  local got = line(future)
  if held then held = false on:send(true) end
  return tonumber(got) or (got:gsub("/[^: ]*/", ""))
end
local function reload(options) return answer(tw.reload("s.lua", options)) end
local function at(k) goal = k go:recv() end
local function hold(k) held = true at(k) end
local function begin(options)
  local future = tw.reload("s.lua", options)
  while not tostring(tw.ps()):find "s.lua, candidate" do tw.sleep(0.001) end
  held = false
  on:send(true)
  return answer(future)
end
function M.on_quote()
  n = n + 1
  if n == goal then go:send(true) if held then on:recv() end end
end
function M:on_start() tw.task.detach(M.lead) end
]]):gsub("\n", " ")

-- o: new (the text of s.lua when the leader calls renew()), lead (the leader's code); as
-- apps.led.
local function run(o)
  return apps.led(LEADER .. ([[
    local function renew(o) write("s.lua", %q) return reload(o) end
    local function compare(o) write("s.lua", %q) return begin(o) end
    function M.lead() %s end]]):format(o.new or "", o.new or "", o.lead), o)
end

local function check(name, o, want)
  return apps.ended(run(o), name, want, o.status)
end

-- ---- warm ----

-- What only the new version has is as if it had run from the start.
local OLD = [[
  function M:on_start() self.n = 0 end
  function M:on_quote() self.n = self.n + 1 end
  function M:on_stop() print("old", self.n) end]]
local NEW = [[
  local own = 0
  local all = tw.persist("all", 1, { n = 0 })
  local Book = {}
  Book.__index = Book
  function Book:name() return "a book" end
  function M:on_start()
    self.n, self.more = -1e9, { n = 0 }
    self.book = setmetatable({}, Book)
    self.me, self.count = self, function() own = own + 1 return own end
    self:declare()
  end
  function M:declare()
    self.s = self:track { n = "count() by symbol", spread = "mean(ask - bid) by symbol",
                          change = "sum(mid - prev(mid, initial=0)) by symbol" }
  end
  M.on_reload = M.declare
  function M:on_quote()
    self.n, self.more.n, all.n = self.n + 1, self.more.n + 1, all.n + 1
    self.count()
    tw.publish("never seen", 1)
    board.never = 1
    print "never printed"
  end
  M.on_quote = nil
  function M:on_quote()
    self.n, self.more.n, all.n = self.n + 1, self.more.n + 1, all.n + 1
    self.count()
  end
  function M:on_stop()
    local sum = {}
    for _, symbol in ipairs(self.s.n:keys()) do
      sum[#sum + 1] = ("%s %d %.9f %.9f"):format(symbol, self.s.n[symbol].value,
        self.s.spread[symbol].value, self.s.change[symbol].value)
    end
    table.sort(sum)
    print("new", self.n, self.more.n, all.n, self.book:name(),
          getmetatable(self.book) == Book, self.me == self, self.count() - 1 == own - 1)
    print(table.concat(sum, "\n"))
  end]]
local start = run { s = NEW, lead = "", limit = 3000 }
local ran = check("a warm start", { s = OLD, new = NEW, limit = 3000,
  lead = "at(2000) print(renew { warm = 100000 })" },
  "2\n" .. start.out:gsub("new\t[^\t]*", "new\t3000"))
t.ok(ran.err:find "s.lua: version 2 is warm: %d+ records, [%d.]+ s: the tape holds no",
  "a warm start: the log says what it got")

-- What it got: a count, a time, what the tape has.
local WARMED = [[
  local from
  function M:on_start() self.got = {} end
  function M:on_quote(seq, time) self.got[#self.got + 1] = seq end
  function M:on_reload(warm)
    assert(warm ~= self and warm.got == self.got)
    for i = 2, #self.got do assert(self.got[i] == self.got[i - 1] + 1) end
    board.n, board.first = #self.got, self.got[1]
  end]]
check("warm: so many records", { s = OLD, new = WARMED,
  lead = "at(2000) print(renew { warm = 700 }, board.n >= 700)" },
  "2\ttrue\n")
ran = check("warm: more than the tape has", { s = OLD, new = WARMED,
  setup = "app.tape { capacity = 1024 }", limit = 5000,
  lead = "at(4000) print(renew { warm = 5000 }, board.n >= 700)" },
  "2\ttrue\n")
t.ok(ran.err:find "is warm: %d+ records, [%d.]+ s: the tape holds no more", "it is said")
ran = check("warm: a time", { s = OLD, new = WARMED, limit = 5000,
  lead = [[at(4000) print(renew { warm = "50ms" }, board.n >= 1001)]] },
  "2\ttrue\n")
t.ok(ran.err:find "is warm: 1001 records, 0.050 s\n", "a time: it is said")
check("warm: wrong options", { s = OLD, new = WARMED, limit = 3000, lead = [[at(2000)
  print((renew { warm = 0 }:match "on_reload failed.*"))
  print(select(2, pcall(renew, { warm = "soon" })):match "warm.*")
  print(pcall(renew, { cold = 1 }))]] }, [[
on_reload failed: s.lua:5: attempt to index a nil value (local 'warm')
warm: a number of records or a time like '10m' expected, got soon
false	leader.lua:1: tw.reload: no option 'cold': there are warm and shadow
old	3000
]])
check("warm: the app's own", { s = OLD, new = WARMED, limit = 3000,
  setup = "app.reload { warm = 500 }",
  lead = [[at(2000) print(renew(), board.n >= 500) write("s.lua", "")
    print(reload { warm = false }) ]] }, "2\ttrue\n3\n")

-- What a candidate does comes nowhere.
check("warm: a candidate is not heard", { s = [[
    local kept = tw.persist("kept", 1, { n = 0 })
    local values = tw.channel(4, { name = "values" })
    function M:on_start() values:send "mine" end
    function M:on_quote(seq) self.n = (self.n or 0) + 1 kept.n = kept.n + 1 end
    function M:on_stop() print(self.n, kept.n, self.seen, board.loud, board.task) end
    function M:on_message() self.seen = true end]],
  options = "{ workers = { 1 } }", new = [[
    local kept = tw.persist("kept", 1, { n = 0 })
    local values = tw.channel(4, { name = "values" })
    function M:on_start()
      self.noise, self.got = true, values:try_recv() or "nothing"
      tw.task.detach(function()
        board.task = true tw.publish("loud", 1) values:send(1) values:recv()
      end)
      assert(select(2, tw.reload "s.lua"):find "operation not permitted")
    end
    function M:on_quote()
      self.n, kept.n = (self.n or 0) + 1, kept.n + 1
      if not self.noise then return end
      board.loud = true tw.publish("loud", 1) print "loud" values:try_send(1)
      values:send(2)
    end
    function M:on_reload() self.noise = nil end
    function M:on_stop()
      print(self.n, kept.n, self.got, self.seen, board.loud, board.task,
            values:stats().depth)
    end]], lead = [[at(2000) print(renew { warm = 2000 }) ]],
  setup = "app.script('hears.lua')", files = { ["hears.lua"] = [[
    return { on_message = function(topic) print("heard", topic) end }]] } },
  "2\n6000\t6000\tnothing\tnil\tnil\tnil\t1\n")

-- It fails, waits, or there is a reason in one of two workers.
local function refused(name, new, why, o)
  o = o or {}
  ran = check(name, { s = o.options and "" or OLD, new = new, limit = 3000,
    options = o.options, setup = o.setup, lead = ([[at(2000)
      print((renew { warm = 1000 }:match "^reload of s.lua refused, version 1 .*"
        :gsub("^.*goes on: ", ""):gsub("quote %d+.*$", "quote N")))]]) },
    why .. "\n" .. (o.want or "old\t3000\n"))
end
refused("warm: an error of the candidate", [[function M:on_start() self.n = 0 end
  function M:on_quote()
    self.n = self.n + 1
    if self.n == 100 then error "bad" end
  end]], "worker 0: script s.lua (version 2, the candidate, worker 0): on_quote failed at"
  .. " quote N")
t.ok(ran.err:find "s.lua:4: bad\nstack traceback:\n", "... with its traceback")
refused("warm: an error of its on_start", "function M:on_start() error 'bad' end",
  "worker 0: script s.lua (version 2, the candidate, worker 0): on_start failed")
refused("warm: a candidate that waits for ever",
  "function M:on_start() tw.channel(1):recv() end",
  "worker 0: the new version does not get on with what it is to read before it takes"
  .. " over: it waits", { setup = "app.reload { deadline = 0.05 }" })
for shard = 1, 2 do
  refused(("warm: an error in worker %d alone"):format(shard - 1),
    ("function M:on_start() assert(self.shard ~= %d, 'no') end"):format(shard),
    ("worker %d: script s.lua (version 2, the candidate, worker %d): on_start failed")
      :format(shard - 1, shard - 1), { options = "{ shard = 'symbol' }", want = "" })
end

-- What it has declared, when on_reload declares nothing: with its conditions.
check("warm: declarations of on_start", { limit = 3000, s = [[
    function M:on_start()
      self.s = self:track { n = "count()", gone = "max(mid)" }
      self:when("n == 2900", function() print "the old one" end)
    end]], new = [[
    local own = 0
    local function step() own = own + 1 return own end
    function M:on_start()
      self.s = self:track { n = "count()", high = "max(ask)", low = "min(bid)" }
      self.high = self.s.high
      self:when("n == 2900", function()
        print(self.name, self.mark, step() == own, own < 1000)
      end)
    end
    function M:on_quote() self.mark = "the new one" own = own + 1 end
    function M:on_stop()
      local again = self:track { high2 = "max(ask)" }
      print(self.s.n.value, self.high.value > 0, self.s.high, own > 500)
    end]], lead = [[hold(2000) print(renew { warm = 5000 }) ]] },
  "2\ns.lua\tthe new one\ttrue\ttrue\n3000\ttrue\tnil\ttrue\n")

-- ---- shadow ----

-- All that a script may keep; what it sends depends on all of that.
local KEEPS = [[
  local stat, ta = require "tw.stat", require "tw.ta"
  local kept = tw.persist("kept", 1, { n = 0, list = {} })
  local values = tw.channel(10000, { name = "values" })
  local Side = {}
  Side.__index = Side
  function Side:add(x) self.sum = self.sum + x return self.sum end
  function M:declare()
    self.s = self:track { n = "count() by symbol", all = "count()" }
    self:when("all == 5950", function() self.called = (self.called or 0) + 1 end)
  end
  function M:on_start()
    local step = 0
    self.n, self.loop, self.mean = 0, { self }, stat.mean()
    self.fast = ta.sma(2)
    self.cross = ta.cross(self.fast, self.mean)
    self.side, self.tick = setmetatable({ sum = 0 }, Side), function()
      step, self.ticked = step + 1, step
      return step
    end
    self:declare()
  end
  M.on_reload = M.declare
  function M:on_quote(symbol, bid, seq)
    self.n, kept.n, kept.list[seq %% 10] = self.n + 1, kept.n + 1, seq
    self.mean:push(bid) self.fast:push(bid) self.cross:push()
    assert(self.loop[1] == self and self.tick() == self.n and kept.n == self.n)
    if board.quiet then board.sends = board.sends or (self.n - 1) // 10 return end
    if self.n %% 10 ~= 0 then return end
    local text = ("%%d %%.9g %%d %%d %%d %%s"):format(self.side:add(bid) // 1,
      self.mean.value, self.cross.up, self.s.n[symbol].value, #kept.list, self.ticked)
    %s
  end
  function M:on_stop() print(self.n, kept.n, self.mark, self.called) end]]
local SENDS = [[tw.publish("signal", text) board.text = text values:send(text)]]
local HEARS = [[
  local n, last, M, board = 0, nil, {}, require "tw.board"
  function M.on_message(topic, value)
    assert(value ~= last)
    n, last = n + 1, value
    board.heard = n
  end
  function M.on_stop()
    print("heard", n, require "tw.channel"(10000, { name = "values" }):stats().sent)
  end
  return M]]

local function shadow(name, o, want)
  o.options = o.options or "{ workers = { 1 } }"
  o.s = o.s or KEEPS:format(SENDS)
  o.setup = (o.setup or "") .. " app.script('hears.lua', { workers = { 0 } })"
  o.files = { ["hears.lua"] = HEARS }
  o.limit = o.limit or 6000
  ran = run(o)
  if o.status then   -- it was told to end, after so many
    local sent = ran.out:match "sent\t(%d+)" or ""
    for i, line in ipairs(ran.lines) do
      line = line:gsub("^(%d+)\t%1\t", "ALL\tALL\t"):gsub("^sent\t" .. sent, "sent\tS")
      ran.lines[i] = line:gsub(("^heard\t%s\t%s$"):format(sent, sent), "heard\tS\tS")
    end
  end
  table.sort(ran.lines)
  local got = table.concat(ran.lines, "\n") .. "\n"
  if want:find "N records" then got = got:gsub("%d+ records", "N records") end
  if want:find "\tN\n" then got = got:gsub("heard\t%d+\t%d+", "heard\tN\tN") end
  local fine = t.is(got, want, name)
  fine = t.is(ran.status, o.status or 0, name .. ": status") and fine
  if not fine then t.diag(ran.err) end
  return ran
end

shadow("shadow: nothing differs", { new = KEEPS:format('self.mark = "new" ' .. SENDS),
  lead = "hold(1000) print(compare { shadow = 1000 })" },
  "2\n6000\t6000\tnew\t1\nheard\t600\t600\n")
t.ok(ran.err:find "s.lua: version 2 beside version 1: 0 differences, 0 errors in 1000 r",
  "... which the log says")
t.ok(ran.err:find "version 2 stays, with its shadow version 1: 0 differences, 0 err",
  "... and after the change")

-- What differs is named, and refuses it.
local DIFFERS = 'if self.n == 2200 or self.n == 2300 then text = "other" end ' .. SENDS
local REFUSED = "reload of s.lua refused, version 1 goes on: "
shadow("shadow: a difference", { new = KEEPS:format(DIFFERS), limit = 4000,
  lead = "hold(500) print(compare { shadow = 2000 })" },
  "4000\t4000\tnil\tnil\nheard\t400\t400\n" .. REFUSED
  .. "2 differences (0 are allowed), 0 errors in 2000 records\n")
t.diag(ran.err:match "compared.-\n.-\n" or ran.err)
t.ok(ran.err:find("  s.lua at quote %d+ .-\n    old: publish signal = (.-); board text"
  .. " = %1; send to values = %1\n    new: publish signal = other; board text = other;"
  .. " send to values = other\n"), "... is named")
shadow("shadow: differences within limits", { new = KEEPS:format(DIFFERS), limit = 6000,
  lead = "hold(500) print(compare { shadow = { records = 2000, differences = 2 } })" },
  "2\n6000\t6000\tnil\t1\nheard\t600\t600\n")
shadow("shadow: an error", { new = KEEPS:format('if self.n == 2200 then error "bad" end '
  .. SENDS), limit = 4000, lead = "hold(500) print(compare { shadow = 2000 })" },
  "4000\t4000\tnil\tnil\nheard\t400\t400\n" .. REFUSED
  .. "worker 1: 0 differences, 1 error (0 are allowed) in N records\n")
t.ok(ran.err:find "on_quote failed at quote %d+ .*\ns.lua:%d+: bad\nstack traceback:",
  "... with its traceback")
shadow("shadow: errors within limits", { new = KEEPS:format(
  'if self.n == 2200 then error "bad" end ' .. SENDS), limit = 6000,
  lead = [[hold(500)
    print(compare { shadow = { records = 2000, errors = 1, differences = 1 } })]]
  }, "2\n6000\t6000\tnil\t1\nheard\t600\t600\n")

-- After the change the same limits bring the old version back.
-- The feed goes on until that is done.  A candidate that was overrun would have seen
-- something else, so the tape has room for some seconds.
local SLOW = "app.tape { capacity = 1 << 16 } "
  .. "app.feed.synthetic { rate = 8000, trades = 0 } "
local BACK = [[hold(500) print(compare { shadow = 3000 })
  while not tostring(tw.ps()):find "s.lua +worker 1 .- version 3 " do tw.sleep(0.001) end
  at(math.max(n + 1000, 9000))
  board.quiet = true                   -- what is sent while it ends might not be heard
  local values = tw.channel(10000, { name = "values" })
  while not board.sends or board.heard ~= values:stats().sent do tw.sleep(0.001) end
  print("sent", board.sends) ]] .. apps.stop
local LATE = "if board.late and (self.late or 0) < 5 then self.late = (self.late or 0)"
  .. " + 1 %s end " .. SENDS
local function late(code)   -- from the change on
  return KEEPS:format(LATE:format(code))
    .. " function M:on_reload() self:declare() board.late = true end"
end
shadow("rollback by itself: differences", { feed = SLOW,
  new = late 'text = "other" .. self.n',
  lead = BACK, status = 143 },
  "2\nALL\tALL\tnil\t1\nheard\tS\tS\nsent\tS\n")
t.ok(ran.err:find "version 2 goes back to version 1: %d+ diff.*\n"
  .. "  s.lua at quote .*\n    old: publish signal = %d.*\n    new: publish signal"
  .. " = other", "... the log says why")
t.ok(ran.err:find "s.lua: version 3 %(version 1 again%) since record", "... and that")
shadow("rollback by itself: an error", { feed = SLOW,
  new = late 'self.failed = true error "bad"':gsub("self.called%)",
                                                   "self.called, self.failed)", 1),
  lead = BACK, status = 143 },
  "2\nALL\tALL\tnil\t1\nheard\tN\tN\nsent\tS\n")
t.ok(ran.err:find "version 2 goes back to version 1: %d+ diff",
  "... the log says why")
t.ok(ran.err:find "version 3 %(version 1 again%) since record", "... and that")

-- Orders: the new version trades on a copy of the account, of open orders and of all that
-- is on its way, and asks for the same.
local TRADES = [[
  function M:on_start() self.n, self.fills, self.open = 0, 0, {} end
  function M:on_quote(symbol, bid, ask)
    self.n = self.n + 1
    local n, held = self.n, self:position(symbol)
    if n %% 10 == 0 then
      self.open[#self.open + 1] = self:buy { symbol = symbol, price = bid,
        quantity = 100 * (%s), take_profit = ask + 0.5, stop_loss = bid - 0.5,
        label = "n" .. n }
    end
    if n %% 25 == 0 then self:sell(symbol, 200 + 100 * (n %% 3)) end
    if n %% 35 == 0 and self.open[1] then self.open[1]:modify { price = bid - 0.1 } end
    if n %% 45 == 0 and self.open[1] then table.remove(self.open, 1):cancel() end
    if n %% 95 == 0 and held ~= 0 then self:close(symbol) end
    if n %% 400 == 0 then
      self:oco({ symbol = symbol, side = "buy", quantity = 100, price = bid - 0.2 },
               { symbol = symbol, side = "sell", quantity = 100, price = ask + 0.2 })
    end
    if n %% 1000 == 0 then self:flatten() end
  end
  function M:on_fill(order, price, quantity)
    self.fills = self.fills + 1
    if self.fills %% 7 == 0 and order.status == "filled" then
      self:buy { symbol = order.symbol, quantity = 100, tif = "ioc", price = price }
    end
  end
  function M:on_stop()
    local open = 0
    for _, order in ipairs(self.open) do open = open + (order.leaves > 0 and 1 or 0) end
    print(self.fills > 500, self.fills, open, #self:orders(), self.account.cash,
          self.account.equity, self.mark)
  end]]
local ACCOUNT = "app.account { cash = 1e6, fees = { percent = 0.01 }, latency = {"
  .. " submit = { 1e-6, 2e-5 }, cancel = 5e-6 } } "
local function trades(name, quantity, lead, mark)
  local mine = TRADES:format "1 + n % 4"
  ran = run { s = mine, lead = lead, setup = ACCOUNT, options = "{ workers = { 1 } }",
              new = TRADES:format(quantity):gsub("self.n = self.n %+ 1",
                "%0 self.mark = " .. mark) }
  local fine = t.is(ran.status, 0, name)
  if not fine then t.diag(ran.err) end
  table.sort(ran.lines)
  return ran.lines
end
local got = trades("orders: without a shadow", "", "", "nil")
t.ok(got[1]:find "^true\t%d+\t%d+\t%d+\t[%d.]+\t[%d.]+\tnil$", "a script trades")
local figures = got[1]:match "^(.*)\t"
got = trades("orders: nothing differs", "1 + n % 4",
  "hold(1000) print(compare { shadow = 1500 })", "'new'")
t.is(table.concat(got, "\n"), "2\n" .. figures .. "\tnew",
  "it is taken, and what the script trades is as it is without one")
t.ok(ran.err:find "version 2 beside version 1: 0 differences, 0 errors in 1500 r"
  and ran.err:find "stays, with its shadow version 1: 0 differences, 0 err",
  "before and after the change")
got = trades("orders: what differs", "n % 200 == 0 and 9 or 1 + n % 4",
  "hold(1000) print(compare { shadow = 1500 })", "'new'")
t.is(table.concat(got, "\n"):gsub("%d+ differences?", "N differences"),
  REFUSED
  .. "N differences (0 are allowed), 0 errors in 1500 records\n" .. figures .. "\tnil",
  "it is refused")
t.ok(ran.err:find("\n    old: buy 100 (%u+) limit ([%d.]+) gtc; .-\n    new: buy 900 %1"
  .. " limit %2"), "... and the orders are named")

-- Where orders meet those of other scripts, a candidate's meet nobody: what becomes of
-- the old version's becomes of them.  Each record waits for both workers.
local MEETINGS <const> = 1000
local MEETS = [[
  function M:on_start() self.n, self.fills, self.sum = 0, 0, 0 end
  function M:on_quote(source)
    if source == "book" then return end
    self.n = self.n + 1
    local n = self.n
    local side = (n // 3 + #self.name) %% 2 == 0 and self.buy or self.sell
    self.last = side(self, { symbol = "X", quantity = %s, price = 100 + n %% 3 })
    if n %% 5 == 0 then self:cancel(self.last) end
    if n %% 70 == 0 then self:cancel() self:close "X" end
  end
  function M:on_fill(price, quantity, order)
    self.fills, self.sum = self.fills + 1, self.sum + price * quantity
    if self.fills %% 20 == 0 then self:buy("X", order.filled %% 7 + 1, 99) end
  end
  function M:on_stop()
    print(self.name, self.fills > ]] .. MEETINGS // 10 .. [[, self:position "X", self.sum)
  end]]
local function meet(name, quantity, lead)
  local mine = MEETS:format "10 + n % 7"
  ran = run { s = mine, lead = lead, limit = MEETINGS, options = "{ workers = { 1 } }",
    new = MEETS:format(quantity), files = { ["other.lua"] =
      'local M = {} ' .. MEETS:format "10 + n % 5" .. ' return M' },
    setup = [[ app.instruments { { symbol = "X" } } app.account { fill = "book" }
      app.script("other.lua", { workers = { 0 } }) ]] }
  if not t.is(ran.status, 0, name) then t.diag(ran.err) end
  table.sort(ran.lines)
  return ran.lines
end
got = meet("orders in a book: without a shadow", "", "")
t.ok(#got == 2 and got[1]:find "^other.lua\ttrue\t" and got[2]:find "^s.lua\ttrue\t",
  "two scripts trade with each other")
figures = table.concat(got, "\n")
got = meet("orders in a book: nothing differs", "10 + n % 7",
  ("hold(500) print(compare { shadow = %d })"):format(MEETINGS))
t.is(table.concat(got, "\n"), "2\n" .. figures, "as without one")
t.ok(ran.err:find("version 2 beside version 1: 0 differences, 0 errors in " .. MEETINGS
  .. " records"),
  "what they ask for is the same")
got = meet("orders in a book: what differs", "n % 100 == 0 and 9 or 10 + n % 7",
  ("hold(500) print(compare { shadow = %d })"):format(MEETINGS))
t.ok(got[2]:find "^reload of s.lua refused" and table.concat(got, "\n"):find(figures:match
  "^[^\n]*", 1, true), "is refused")

-- One of two workers differs: all stay.
shadow("shadow: a difference in one worker alone", { limit = 4000, s = [[
    function M:on_quote(symbol, seq) if seq % 7 == 0 then board[symbol] = seq end end
    function M:on_stop() board["mark" .. self.shard] = self.mark or "old" end]], new = [[
    function M:on_quote(symbol, seq)
      if seq % 7 == 0 then board[symbol] = self.shard == 2 and -seq or seq end
    end
    function M:on_stop() board["mark" .. self.shard] = "new" end]],
  lead = [[hold(500)
    print((compare { shadow = 1000 }:gsub("%d+ diff", "N diff")))]],
  options = "{ shard = 'symbol' }",
  setup = [[app.on_end(function()
    local b = require "tw.board"
    print(b.mark1, b.mark2)
  end)]] },
  "heard\t0\t0\nold\told\n" .. REFUSED
  .. "N differences (0 are allowed), 0 errors in N records\n")

-- What on_reload sends counts when the version does.
for what, last in pairs { ["is sent"] = "true", ["is not sent"] = "nil, 'no'" } do
  shadow("what on_reload sends " .. what, { limit = 4000, s = "", new = ([[
    local values = tw.channel(10000, { name = "values" })
    function M:on_reload()
      tw.publish("signal", "reloaded") board.sent = "reloaded" values:try_send "reloaded"
      tw.publish("signal", "twice")
    end
    function M:on_check() return %s end
    function M:on_stop() assert(board.sent) end]]):format(last),
    lead = "hold(500) print(renew {})" },
    last == "true" and "2\nheard\t2\t1\n"
    or "heard\t0\t0\n" .. REFUSED .. "worker 1: on_check failed: no\n")
end

-- Another reload meanwhile, the end of the market, what has no copy.
shadow("shadow: another reload takes its place", { limit = 4000, s = KEEPS:format "",
  new = KEEPS:format "", lead = [[hold(500)
    tw.task.detach(function()
      while not tostring(tw.ps()):find "s.lua, candidate" do tw.sleep(0.001) end
      print(reload {})
    end)
    print(renew { shadow = 1000000 })]] },
  "2\n4000\t4000\tnil\tnil\nheard\t0\t0\n" .. REFUSED
  .. "another version of it was asked for meanwhile\n")
shadow("shadow: the market ends", { limit = 4000, s = KEEPS:format "",
  new = KEEPS:format "", lead = [[hold(500)
    print(compare { shadow = 1000000 })]] },
  "4000\t4000\tnil\tnil\nheard\t0\t0\n" .. REFUSED
  .. "no more records come: 0 differences, 0 errors in N records\n")
shadow("shadow: a coroutine has no copy", { limit = 4000, new = "", s = [[
    function M:on_start()
      self.next = coroutine.wrap(function() coroutine.yield() end)
    end]],
  lead = "hold(500) print(renew { shadow = 100 })" }, "heard\t0\t0\n" .. REFUSED
  .. "worker 1: what the script keeps holds a coroutine, which has no copy\n")
shadow("shadow: an on_reload that raises", { limit = 4000,
  new = "function M.on_reload() error 'no' end",
  lead = "hold(500) print(renew { shadow = 100 })", s = "" }, "heard\t0\t0\n" .. REFUSED
  .. "worker 1: on_reload failed: s.lua:1: no\n")

-- Warm, then compared.
shadow("warm and shadow", { limit = 6000, s = OLD, new = OLD:gsub('"old"', '"new"')
    :gsub("self.n = 0", "self.n, self.more = 0, 0")
    :gsub("self.n %+ 1", "self.n + 1 self.more = self.more + 1")
    :gsub("self.n%)", "self.n, self.more)"),
  lead = "hold(1000) print(compare { warm = 100000, shadow = 1000 })" },
  "2\nheard\t0\t0\nnew\t6000\t6000\n")

-- It is loaded in a state of its own: where that one gets no more, it is refused.
for _, bytes in ipairs { 1, 2000, 10000 } do
  check(("the new version can't be loaded in %d bytes: refused"):format(bytes), {
    s = OLD, limit = 3000, lead = "at(300) print(renew {})",
    new = ("require 'tw.internal.function'.starve(%d) "):format(bytes)
      .. KEEPS:format "" },
    REFUSED .. "not enough memory\nold\t3000\n")
end

-- Whichever allocations fail, three in a row, as Lua tries again: the version is taken up
-- or refused, or, when it is the script that gets none, the run ends with a line; each
-- quote is counted once.  Counted from where the leader asks for it, over all threads:
-- whose they are is chance, also where most are the loader's.
local function fail(n)
  local _, command = apps.write {
    args = { "--workers", "1", "--no-attach" },
    app = "app.feed.synthetic { rate = 20000, trades = 0, limit = 4000 }"
      .. " app.script 's.lua' app.script 'leader.lua'", ["s.lua"] = KEEPS:format(SENDS),
    ["leader.lua"] = LEADER .. ([[
      function M.lead()
        at(300)
        write("s.lua", %q)
        local fail_at = require "tw.internal.function".fail_at
        fail_at(%d, 3)
        board.got = reload { warm = 1000, shadow = { records = 100, errors = 9 } }
        fail_at(0)
      end
      function M.on_stop() print(board.got) end]]):format(KEEPS:format(SENDS), n) }
  local one = apps.shell("timeout -k 1 120 " .. command)
  local counted, got = one.out:match "^(%d+)\t[^\n]*\n([^\n]*)\n$"
  if one.status == 0 and counted == "4000" and got == "2" then return "taken" end
  if one.status == 0 and counted == "4000" and (got:find "refused"
      or got == "not enough memory for what the error was") then
    return got:find "memory" and "without memory" or "refused"
  end
  if one.status == 1 and one.err:find "memory" then return "ended" end
  t.ok(false, ("allocation %d fails: %s %s"):format(n, one.status, one.out))
  t.diag(one.err)
end
local ways = { taken = 0, refused = 0, ["without memory"] = 0, ended = 0 }
for n = 1, 9000, SMALL and 2001 or 451 do
  local way = fail(n)
  if way then ways[way] = ways[way] + 1 end
end
t.diag(("a failed allocation: taken %d times, refused %d, the end %d"):format(ways.taken,
       ways["without memory"], ways.ended))
t.done()
