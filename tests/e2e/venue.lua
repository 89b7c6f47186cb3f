--- venue: scripts that meet in one book: in an app with any number of workers, in a
-- backtest, live; the kill switch, a new version, a restart.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local SMALL = os.getenv "SMALL"
local N = SMALL and 400 or 3000
local HEAD = "time,symbol,bid,ask,bid_size,ask_size\n"

-- The clock of it all: quotes of something else.
local ticks = { HEAD }
for i = 1, N do
  ticks[#ticks + 1] = ("%d.%03d,CLOCK,1,2,1,1\n"):format(1700000000 + i // 20,
                                                         i % 20 * 50)
end
ticks = table.concat(ticks)

-- All that a script is told; both sides of the market; who takes.
local TOLD = [[
  M.symbols = { "X", "CLOCK" }
  function M:on_order(id, status, reason, price, quantity, time)
    print(self.name, id, status, reason, price, quantity, time)
  end
  function M:on_fill(id, side, price, quantity, liquidity, position, fee)
    print(self.name, "fill", id, side, price, quantity, liquidity, position, fee)
  end
  function M:on_trade(price, size, side, time, source)
    print(self.name, "trade", price, size, side, time, source)
  end
  function M:on_stop()
    local a = self.account
    print(self.name, "end", ("%.9f %.9f %g"):format(a.equity - 100000, a.fees,
          self:position "X"))
  end ]]
local MAKER = TOLD .. [[
  function M:on_quote(symbol, seq, source)
    if source == "book" then return end
    self.n = (self.n or 0) + 1
    if self.n % 7 ~= 1 then return end
    local held = self:position "X"
    self:cancel()
    for level = 1, 3 do
      self:buy("X", 10 * level, 100 - held // 10 * 0.01 - 0.02 * level)
      self:sell { symbol = "X", quantity = 10 * level, post_only = true,
                  price = 100 - held // 10 * 0.01 + 0.02 * level }
    end
  end ]]
local TAKER = TOLD .. [[
  function M:on_quote(symbol, bid, ask, source)
    if source == "book" then
      if self.chases and bid > 100.05 then
        self:sell { symbol = "X", quantity = 1, price = bid, tif = "ioc" }
      end
      return
    end
    self.n, self.r = (self.n or 0) + 1, ((self.r or self.params.seed) * 1103515245
                                         + 12345) % 2147483648
    self.chases = self.n % 2 == 0
    local dice, buys = self.r // 65536 % 12, self.r // 1048576 % 2 == 0
    local side = buys and self.buy or self.sell
    if dice == 0 then side(self, "X", 25)
    elseif dice == 1 then self:order_target("X", buys and 20 or -20)
    elseif dice == 2 then
      side(self, { symbol = "X", quantity = 5, stop = buys and 100.04 or 99.96 })
    elseif dice == 3 then
      side(self, { symbol = "X", quantity = 5, price = 100, tif = "fok" })
    elseif dice == 4 and self:position "X" == 0 then
      self:buy { symbol = "X", quantity = 12, price = 100.1, take_profit = 100.12,
                 stop_loss = 99.9 }
    elseif dice == 5 then self:cancel "X"
    elseif dice == 6 then
      for _, o in ipairs(self:orders "X") do
        if o.type == "limit" then o:modify { price = 100.02 } end
      end
    end
  end ]]

local function market(feed, latency)
  return {
    app = ([[
      app.instruments { { symbol = "X", tick_size = 0.01, lot_size = 1 } }
      %s
      app.account { fill = "book", fees = { taker = 0.01, maker = -0.002 }, seed = 5 %s }
      app.script("taker.lua", { name = "one", params = { seed = 3 } })
      app.script("maker.lua", { name = "maker" })
      app.script("taker.lua", { name = "two", params = { seed = 8 } }) ]])
      :format(feed, latency or ""),
    ["maker.lua"] = MAKER, ["taker.lua"] = TAKER, files = { ["in.csv"] = ticks },
  }
end

-- In the order of each script; those of several come as their threads do.
local function by_script(lines)
  local made = {}
  for _, name in ipairs { "one", "two", "maker" } do
    for _, line in ipairs(lines) do
      if line:find("^" .. name .. "\t") then made[#made + 1] = line end
    end
  end
  return table.concat(made, "\n")
end

local function run(o, workers)
  o.args = { "--workers", tostring(workers) }
  local made = apps.run(o)
  t.is(made.status, 0, "a run with " .. workers .. " workers")
  if made.status ~= 0 then t.diag(made.err) end
  return by_script(made.lines), made
end

local function backtest(o)
  local directory = apps.write(o)
  local made = apps.shell(("timeout -k 1 120 %s backtest %s/app.lua --data %s/in.csv")
    :format(apps.tidewire, directory, directory))
  local lines = {}
  for line in made.out:gmatch "[^\n]+" do
    lines[#lines + 1] = line:gsub("^%d+%-%d+%-%d+ [%d:.]+ ", "")
  end
  return by_script(lines), made.out:match "order list%s+(%x+)", made
end

-- What one gains the others lose, but for fees.
local function is_fair(name, text)
  local gained, fees, held = 0, 0, 0
  for g, f, p in text:gmatch "end\t(%S+) (%S+) (%S+)" do
    gained, fees, held = gained + g, fees + f, held + p
  end
  t.ok(math.abs(gained + fees) < 1e-6 and math.abs(fees) > 0 and held == 0,
       ("%s: gains are the fees (%.6f, %.6f), nothing is held in sum"):format(name,
         gained, fees))
end

local CSV = 'app.feed.csv { file = here .. "in.csv" }'
for name, latency in pairs {
  ["at once"] = "",
  ["with latency"] = ", latency = { submit = { 0.01, 0.2 }, cancel = 0.03 }",
} do
  local first = run(market(CSV, latency), 1)
  t.ok(select(2, first:gsub("\tfill\t", "")) > N / 10, name .. ": "
       .. select(2, first:gsub("\tfill\t", "")) .. " fills")
  for _, workers in ipairs { 2, 4 } do
    t.ok(run(market(CSV, latency), workers) == first,
         ("%s: the same with %d workers"):format(name, workers))
  end
  local tested, hash, made = backtest(market(CSV, latency))
  t.ok(tested == first, name .. ": the same in a backtest")
  if tested ~= first then t.diag(made.err .. made.out:sub(1, 2000)) end
  t.is(select(2, backtest(market(CSV, latency))), hash, name .. ": and again")
  is_fair(name, first)
end

-- A recording of a run: what came of the book then comes of it again.

do
  local o = market(CSV)
  local directory = apps.write(o)
  local first = backtest(o)
  local recorded = apps.shell(("timeout -k 1 120 %s record %s/app.lua %s/run.tape")
    :format(apps.tidewire, directory, directory))
  t.is(recorded.status, 0, "recorded")
  local again = apps.shell(("timeout -k 1 120 %s backtest %s/app.lua --data %s/run.tape")
    :format(apps.tidewire, directory, directory))
  local lines = {}
  for line in again.out:gmatch "[^\n]+" do
    lines[#lines + 1] = line:gsub("^%d+%-%d+%-%d+ [%d:.]+ ", "")
  end
  t.ok(by_script(lines) == first, "its backtest is that of the file")
  local tape = market('app.feed.tape { path = "' .. directory .. '/run.tape" }')
  t.ok(run(tape, 2) == first, "and so is a run of it")
end

-- Exits of a bracket: one that was made smaller leaves the rest to the other.

do
  local o = market(CSV)
  o["taker.lua"] = [[
    M.symbols = { "X", "CLOCK" }
    function M:on_quote(symbol)
      if symbol ~= "CLOCK" then return end
      self.n = (self.n or 0) + 1
      if self.n == 2 and self.name == "one" then
        self:buy { symbol = "X", quantity = 10, price = 100, take_profit = 101,
                   stop_loss = 99 }
      elseif self.n == 5 and self.name == "two" then self:sell("X", 10, 100)
      elseif self.n == 8 and self.name == "one" then
        for _, i in ipairs(self:orders "X") do
          if i.type == "limit" then i:modify { quantity = 3 } end
        end
      elseif self.n == 12 and self.name == "two" then self:buy("X", 3, 101)
      elseif self.n == 30 and self.name == "one" then
        for _, i in ipairs(self:orders "X") do
          print(self.name, i.type, i.quantity, self:position "X")
        end
      end
    end ]]
  o["maker.lua"] = "function M:on_quote() end"
  local told, _, made = backtest(o)
  t.is(told, "one\tstop\t7.0\t7.0", "a stop for what a smaller target leaves")
  if told == "" then t.diag(made.err) end
end

-- Where feeds are live, who is first is served first.

is_fair("live", (run(market('app.feed.csv { file = here .. "in.csv", speed = '
                            .. (SMALL and 50 or 200) .. " }"), 2)))
local timed = market "app.feed.timer { every = 0.002 }"
timed.args = { "--workers", "2" }
timed["maker.lua"] = MAKER .. "function M:on_timer() M.on_quote(self) end"
timed["taker.lua"] = TAKER .. [[
  function M:on_timer()
    M.on_quote(self)
    if self.told or self.name ~= "one" or self.n < 200 or self.account.fees == 0 then
      return
    end
    self.told = true
    ]] .. apps.stop .. [[
  end]]
local by_clock = apps.run(timed)
t.is(by_clock.status, 143, "a market without any other feed")
is_fair("by the clock", by_script(by_clock.lines))

-- What on_start sends is on its way from the first record on.

do
  local START <const> = [[
    function M:on_start() self:%s("X", 5, 10) end
    function M:on_quote() end
    function M:on_order(id, status, time) print("%s", status, time // 100000000) end]]
  local o = { args = { "--workers", "2" }, sort = true, app = [[
      app.instruments { { symbol = "X" } } app.feed.csv { file = here .. "in.csv" }
      app.account { fill = "book" }
      app.script("a.lua", { account = { latency = 0.5 } }) app.script("b.lua")]],
    files = { ["in.csv"] = HEAD .. "10,CLOCK,1,2,1,1\n11,CLOCK,1,2,1,1\n" },
    ["a.lua"] = START:format("buy", "a"), ["b.lua"] = START:format("sell", "b") }
  local want = "a\tfilled\t105\na\tnew\t105\na\tpending_new\t100\n"
    .. "b\tfilled\t105\nb\tnew\t100\nb\tpending_new\t100\n"
  apps.prints("orders of on_start", o, want)
  local lines = {}
  for line in select(3, backtest(o)).out:gmatch "[%d:.]+ ([ab]\t[^\n]+)" do
    lines[#lines + 1] = line
  end
  table.sort(lines)
  t.is(table.concat(lines, "\n") .. "\n", want, "and in a backtest")
end

-- A script's own file may say it, and then the app need not.

apps.prints("by the script's file", { args = { "--workers", "1" }, app = [[
    app.instruments { { symbol = "X" } } app.feed.csv { file = here .. "in.csv" }
    app.script("a.lua") app.script("b.lua")]],
  files = { ["in.csv"] = HEAD .. "1,CLOCK,1,2,1,1\n2,CLOCK,1,2,1,1\n3,CLOCK,1,2,1,1\n" },
  ["a.lua"] = [[ M.account = { fill = "book" }
    function M:on_start() self:sell("X", 3, 10) end
    function M:on_fill(price, quantity, position, liquidity)
      print("a", price, quantity, position, liquidity)
    end]],
  ["b.lua"] = [[ M.account = { fill = "book" }
    function M:on_quote(source, symbol, bid, ask, ask_size)
      if source == "book" then print(symbol, bid, ask, ask_size)
      elseif not self.done then self.done = true self:buy("X", 5) end
    end
    M.one_sided = true
    function M:on_order(status, reason)
      if status == "canceled" then print("b", status, reason) end
    end]] }, [[
X	nil	10.0	3.0
a	10.0	3.0	-3.0	added
b	canceled	immediate or cancel: the rest was not there at once
X	nil	nil	0.0
]])

-- The kill switch.

local killed = market(CSV)
killed["taker.lua"] = TAKER:gsub("local dice", [[
    if self.name == "one" and self.n == 200 then tw.halt "enough" end
    if self.name == "one" and self.n == 205 then
      print(self.name, "orders", #self:orders())
    end
    local dice]])
killed["maker.lua"] = MAKER:gsub("if self.n %% 7", [[
    if self.n == 205 then print(self.name, "orders", #self:orders()) end
    if self.n %% 7]])
for _, workers in ipairs { 1, 2 } do
  local text = run(killed, workers)
  local stopped = text:match "maker\torders\t0" and text:match "one\torders\t0"
  t.ok(stopped and text:find "rejected\ttrading is halted",
       "the kill switch: nothing is open, and nothing goes in")
  is_fair("halted", text)
end

-- A new version keeps orders and account, and so does a restart.

local changed = apps.run { args = { "--workers", "2" }, app = [[
    app.instruments { { symbol = "X" } } app.account { fill = "book" }
    app.feed.csv { file = here .. "in.csv" }
    app.script("s.lua", { workers = { 1 }, on_error = "restart" })
    app.script("lead.lua", { workers = { 0 } })]],
  files = { ["in.csv"] = ticks },
  ["s.lua"] = [[
    function M:on_quote(source)
      if source == "csv" and not self.order then self.order = self:sell("X", 9, 10) end
    end]],
  ["lead.lua"] = [[
    local here = debug.getinfo(1, "S").source:match "^@(.*/)"
    local n = 0
    function M:on_quote(source)
      if source == "book" then return end
      n = n + 1
      if n == 100 then
        self:buy("X", 2)
        local file = assert(io.open(here .. "s.lua", "w"))
        file:write [=[ local M = {}
          function M:on_start() print("again", #self:orders(), self:position "X") end
          function M:on_fill(order, quantity, position, leaves)
            print(order == self.order, quantity, position)
            if position == -5 then error "ouch" end
          end
          return M ]=]
        file:close()
        tw.task.detach(function()
          print(pcall(function() return tw.reload("s.lua"):await() end))
          self:buy("X", 3)
          self.bought = true
        end)
      elseif n == 110 then                       -- the market waits for that, too
        while not self.bought do tw.sleep(0.001) end
      elseif n == 300 then
        print("before the end", #self:orders())
      end
    end
    function M:on_stop() print("lead", self:position "X") end]] }
t.is(changed.status, 0, "a new version and a restart")
t.ok(changed.out:find "true\t", "the version was taken")
t.ok(changed.out:find "lead\t5.0", "the orders of both versions traded")
if not changed.out:find "lead\t5.0" then t.diag(changed.out .. changed.err) end

-- A script that answers itself without latency.

do
  local o = { args = { "--workers", "1" }, app = [[
      app.instruments { { symbol = "X" } } app.feed.csv { file = here .. "in.csv" }
      app.account { fill = "book" } app.script("s.lua")]],
    files = { ["in.csv"] = ticks },
    ["s.lua"] = [[
      function M:on_quote() self.order = self.order or self:buy("X", 1, 5) end
      function M:on_order(order, status)
        if status == "new" then order:cancel() end
        if status == "canceled" then self:buy("X", 1, 5) end
      end]] }
  local _, command = apps.write(o)
  -- Ten thousand turns of two threads that wait for each other: minutes where many wait.
  local made = apps.shell("timeout -k 1 400 " .. command)
  t.ok(made.status == 1 and made.err:find "time stands still",
       "a run in which time stands still fails")
  if made.status ~= 1 then t.diag(made.status .. made.err .. made.out) end
  if apps.has "tsan" then       -- a million turns, each twenty times as long
    t.ok(true, "and so does a backtest # SKIP with ThreadSanitizer")
  else
    made = select(3, backtest(o))
    t.ok(made.status == 1 and made.err:find "time stands still", "and so does a backtest")
    if made.status ~= 1 then t.diag(made.status .. made.err .. made.out) end
  end
end

-- Whichever allocation fails, a run ends in order or goes on.

do
  local few = market(CSV)
  few.args, few.files = { "--workers", "2" }, { ["in.csv"] = ticks:sub(1, 4000) }
  local _, command = apps.write(few)
  local refused, carried, wrong = 0, 0, 0
  for i = 1, SMALL and 12 or 40 do
    local made = apps.shell(("TW_FAIL=%d timeout 120 %s"):format(i * i * 3, command))
    if made.status == 0 then carried = carried + 1
    elseif made.status == 1 and made.err:find "memory" then refused = refused + 1
    else wrong = wrong + 1 t.diag(i .. " " .. made.status .. " " .. made.err) end
  end
  t.ok(wrong == 0 and refused > 0, ("without memory: %d say so, %d go on"):format(
    refused, carried))
end

-- The example, and one more who ends it.

local here = apps.folder "exchange"
assert(os.execute("cp -r scripts/exchange scripts/exchange.lua " .. here))
apps.put(here .. "/exchange.lua", apps.read(here .. "/exchange.lua")
         .. 'app.script("exchange/last.lua")\n')
apps.put(here .. "/exchange/last.lua", [[
  local M = {}
  function M:on_trade()
    self.n = (self.n or 0) + 1
    if self.n == 100 then ]] .. apps.stop .. [[ end
  end
  return M]])
local example = apps.shell(("timeout 120 %s run %s/exchange.lua --workers 2"):format(
  apps.tidewire, here))
t.is(example.status, 143, "scripts/exchange.lua")
local makers, takers = 0, 0
for made in example.out:gmatch "maker %d holds %-?%d+, made (%-?[%d.]+)" do
  makers = makers + made
end
for made in example.out:gmatch "taker %d holds %-?%d+, made (%-?[%d.]+)" do
  takers = takers + made
end
t.ok(takers < 0 and math.abs(makers + takers) < 0.5 - takers / 5,
     ("makers made %.2f of the takers' %.2f"):format(makers, takers))
if example.status ~= 143 then t.diag(example.err) end

t.done()
