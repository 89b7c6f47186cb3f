--- script: an instance's life, its self and globals, what it gets, how it waits.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local prints, fails = apps.prints, apps.fails

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = %d } "
local function feed(n) return FEED:format(n) end
local ONE = { "--workers", "1" }

-- Its life.

prints("start, records, stop", { app = feed(2) .. 'app.script("s.lua")', ["s.lua"] = [[
  print "file"
  function M.on_start() print "start" end
  function M.on_quote(seq) print(seq) end
  function M.on_stop() print "stop" end]] }, "file\nstart\n1\n2\nstop\n")
prints("each starts before its first record",
  { app = feed(500) .. 'app.script("s.lua") app.script("s.lua", { workers = { 1 } })',
    args = { "--workers", "2" }, ["s.lua"] = [[
  function M:on_start() self.next = 1 end
  function M:on_quote(seq) assert(seq == self.next) self.next = seq + 1 end
  function M:on_stop() print(self.next) end]] }, "501\n501\n")
prints("one file twice is two instances",
  { app = feed(2) .. 'app.script("s.lua") app.script("s.lua", { name = "two" })',
    args = ONE, ["s.lua"] = [[
  local n = 0
  function M:on_quote() n = n + 1 self.n = n end
  function M:on_stop() print(self.name, self.n) end]] }, "s.lua\t2\ntwo\t2\n")
prints("without any handler",
  { app = feed(9) .. 'app.script("s.lua")', ["s.lua"] = "" }, "")

-- Self and globals.

prints("self: what the app said of it, and the file's functions",
  { app = feed(1) .. [[
    app.script("s.lua", { name = "deep", workers = { 1 }, params = {
      edge = 0.5, list = { 1, "b", { true } } } })]], args = { "--workers", "2" },
    ["s.lua"] = [[
  function M.helper(x) return x * 2 end
  M.constant = 21
  function M:on_start()
    local p = self.params
    print(self.name, self.worker, self.shard, self.shards)
    print(p.edge, math.type(p.edge), p.list[1], p.list[2], p.list[3][1], #p.list)
    print(self.helper(self.constant), rawget(self, "helper"))
    self.constant = 1
    print(M.constant)
  end]] }, "deep\t1\t1\t1\n0.5\tfloat\t1\tb\ttrue\t3\n42\tnil\n21\n")
prints("params are an instance's own copy",
  { app = feed(1) .. [[local p = { n = 0 }
    app.script("s.lua", { params = p }) app.script("s.lua", { params = p })]],
    args = ONE, ["s.lua"] = [[
  function M:on_start() self.params.n = self.params.n + 1 print(self.params.n) end]] },
  "1\n1\n")
prints("without params there is a table", { app = feed(1) .. 'app.script("s.lua")',
  ["s.lua"] = "function M:on_start() print(next(self.params)) end" }, "nil\n")
prints("globals are the script's own",
  { app = feed(1) .. 'app.script("a.lua") app.script("b.lua")', args = ONE,
    ["a.lua"] = "mine = 1 print(mine, _G.mine)",
    ["b.lua"] = "print(mine, _G.mine, string == _G.string)" },
  "1\tnil\nnil\tnil\ttrue\n")
prints("require finds what lies beside the app",
  { app = feed(1) .. 'local lib = require "lib" app.script("s.lua", { name = lib.name })',
    files = { ["lib.lua"] = "return { name = 'from lib', path = ... }" },
    ["s.lua"] = [[
  local lib = require "lib"
  function M:on_start() print(self.name, lib.path, require "lib" == lib) end]] },
  "from lib\tlib\ttrue\n")

-- What it gets.

local function gets(name, options, file, want, o)
  o = o or {}
  return prints(name, { sort = true, args = o.args,
    app = [[
      app.sectors { tech = { "AAPL", "GOOG" }, oil = { "BP", "XOM" } }
      app.instruments { { symbol = "LONE" } }
      app.feed.csv { file = here .. "in.csv" }
      app.script("s.lua", ]] .. options .. ")",
    files = { ["in.csv"] = "time,symbol,price,size\n1,AAPL,1,1\n1,GOOG,1,1\n1,BP,1,1\n"
      .. "1,XOM,1,1\n1,LONE,1,1\n1,ALSO,1,1\n" },
    ["s.lua"] = file .. " function M.on_trade(symbol) print(symbol) end" }, want)
end

gets("all symbols", "{}", "", "AAPL\nALSO\nBP\nGOOG\nLONE\nXOM\n")
gets("symbols by name", '{ symbols = { "BP", "ALSO" } }', "", "ALSO\nBP\n")
gets("one symbol as a text", '{ symbols = "BP" }', "", "BP\n")
gets("symbols by pattern", '{ symbols = { "A*", "?P", "[X-Z]*" } }', "",
  "AAPL\nALSO\nBP\nXOM\n")
gets("symbols that nobody has", '{ symbols = { "a*", "AAP" } }', "print 'none'", "none\n")
gets("sectors", '{ sectors = { "te*" } }', "", "AAPL\nGOOG\n")
gets("sectors and symbols", '{ sectors = { "tech", "oil" }, symbols = { "*P*" } }', "",
  "AAPL\nBP\n")
gets("what the file itself wants", "{}", 'M.symbols = { "GOOG" }', "GOOG\n")
gets("the app decides", '{ symbols = { "BP" } }', 'M.symbols = { "GOOG" }', "BP\n")
fails("a list of something else", { app = feed(1) .. 'app.script("s.lua")',
  ["s.lua"] = "M.symbols = { 5 }" },
  "^tidewire: script s.lua: symbols%[1%]: a name expected, got a number\n")
fails("no list", { app = feed(1) .. 'app.script("s.lua")',
  ["s.lua"] = "M.sectors = true" },
  "^tidewire: script s.lua: sectors: a list of names expected, got a boolean\n")

local total                        -- symbols that the feed shows

-- Shards: name -> the instances that saw it, over n workers.
local function shards(n, workers)
  local run = apps.run { args = { "--workers", tostring(n) },
    app = "app.feed.synthetic { speed = 0, symbols = 400, limit = 9000, seed = 3 }"
      .. ("app.script('s.lua', { shard = 'symbol', workers = %s })")
        :format(workers or "nil"),
    ["s.lua"] = [[
  local seen = {}
  function M:on_quote(symbol)
    if not seen[symbol] then print(symbol, self.shard, self.shards) end
    seen[symbol] = true
  end
  function M.on_trade(symbol) seen[symbol] = seen[symbol] end]] }
  t.is(run.status, 0, "shards: status")
  local owner, count, twice = {}, 0, 0
  for _, line in ipairs(run.lines) do
    local symbol, shard, of = line:match "^(%S+)\t(%d+)\t(%d+)$"
    if owner[symbol] then twice = twice + 1 else count = count + 1 end
    owner[symbol] = shard
    if tonumber(of) ~= n and not workers then twice = twice + 1 end
  end
  t.is(twice, 0, n .. " workers: each symbol in one instance")
  total = total or count
  t.is(count, total, n .. " workers: all symbols in some instance")
  return owner
end

local by = { shards(1), shards(2), shards(3), shards(4) }
for n = 1, 3 do
  local moved, astray, sizes = 0, 0, {}
  for symbol, shard in pairs(by[n + 1]) do
    sizes[shard] = (sizes[shard] or 0) + 1
    if shard ~= by[n][symbol] then
      moved = moved + 1
      if tonumber(shard) ~= n + 1 then astray = astray + 1 end
    end
  end
  t.is(astray, 0, ("from %d to %d: what moves goes to the new one"):format(n, n + 1))
  t.near(moved, total / (n + 1), 40,
    ("from %d to %d: moves 1 in %d"):format(n, n + 1, n + 1))
  for shard, size in pairs(sizes) do
    t.near(size, total / (n + 1), 50, ("shard %s of %d: its part"):format(shard, n + 1))
  end
end
t.same(shards(3, "{ 0, 2 }"), by[2], "shards over two of three workers are the same two")

prints("workers: where each instance is", { sort = true, args = { "--workers", "3" },
  app = feed(1) .. [[
    app.script("s.lua", { name = "1" }) app.script("s.lua", { name = "2" })
    app.script("s.lua", { name = "3" }) app.script("s.lua", { name = "4" })
    app.script("s.lua", { name = "all", workers = { 0, 1, 2 } })]],
  ["s.lua"] = "function M:on_start() print(self.name, self.worker, self.shards) end" },
  "1\t0\t1\n2\t1\t1\n3\t2\t1\n4\t0\t1\nall\t0\t1\nall\t1\t1\nall\t2\t1\n")
fails("a worker that isn't there", { args = { "--workers", "2" },
  app = feed(1) .. 'app.script("s.lua", { workers = { 2 } })', ["s.lua"] = "" },
  "^tidewire: app.script: s.lua: worker 2 of 2 %(0 .. 1%)\n$")

-- Waiting: the sleeper goes on only when the others have read everything.

for _, args in ipairs { ONE, { "--workers", "2" } } do
  prints("a handler that sleeps: nothing is lost, the others go on",
    { args = args, app = "app.tape { capacity = 16384 } " .. feed(1000)
      .. 'app.script("sleeper.lua") app.script("other.lua")',
      ["sleeper.lua"] = [[
  local n = 0
  function M.on_quote(seq, q, symbol, bid)
    while not board.other do
      local mine = { seq, symbol, bid }
      assert(tw.sleep(0.001) == true)
      assert(mine[1] == seq and mine[2] == symbol and mine[3] == bid and q.bid == bid)
    end
    if seq % 100 == 0 then tw.sleep(0) end
    n = n + 1
    assert(seq == n)
  end
  function M.on_stop() print(n, board.other) end]],
      ["other.lua"] = [[
  function M.on_quote(seq) if seq == 1000 then board.other = seq end end]],
    }, "1000\t1000\n")
end
prints("on_start may wait", { app = feed(300) .. 'app.script("s.lua")', ["s.lua"] = [[
  function M.on_start() tw.sleep(0.002) M.started = true end
  function M.on_quote(seq) assert(M.started) M.last = seq end
  function M.on_stop() print(M.last) end]] }, "300\n")
prints("tw.sleep waits at least as long as it should",
  { app = feed(1) .. 'app.script("s.lua")', ["s.lua"] = [[
  function M.on_start()
    for _, s in ipairs { 0, 0.0001, 0.001, 0.0123 } do
      local from = tw.clock()
      tw.sleep(s)
      print(tw.clock() - from >= s)
    end
  end]] }, ("true\n"):rep(4))
apps.ended(apps.run { app = feed(1) .. 'app.script("s.lua")', ["s.lua"] = [[
  function M.on_quote()
    tw.task.detach(function() ]] .. apps.stop .. [[ end)
    print(tw.sleep(1000)) print((tw.sleep(1000)))
  end
  function M.on_stop() print("stop", (tw.sleep(1000))) end]] },
  "a wait ends with the run", "nil\tthe run is ending\t-5002\nnil\nstop\tnil\n", 143)
prints("a task's failure ends the wait of the handler whose scope it is in",
  { app = feed(1) .. 'app.script("s.lua")',
    ["s.lua"] = [[
  function M.on_quote()
    print((select(2, pcall(tw.task.scope, function(s)
      s:spawn(function() tw.task.yield() error("beside", 0) end)
      tw.sleep(1000)
    end))).message)
    print((tw.task.scope(function(s)
      s:spawn(function() tw.task.yield() s:cancel() end)
      tw.sleep(1000)
    end)))
  end]] },
  "beside\nnil\n")
fails("sleep: a negative time", { app = feed(1) .. 'app.script("s.lua")',
  ["s.lua"] = "function M.on_start() tw.sleep(-1) end" },
  "bad argument #1 to 'sleep' %(seconds must be in 0 .. 1e9%)")
prints("sleep in coroutines of one's own", { app = feed(2) .. 'app.script("s.lua")',
  ["s.lua"] = [[
  local function sleepy()
    for i = 1, 2 do tw.sleep(0.001) coroutine.yield(i) end
    return "end"
  end
  function M.on_quote(seq)
    local outer = coroutine.wrap(function()
      local co = coroutine.create(sleepy)
      for _ = 1, 3 do coroutine.yield(select(2, coroutine.resume(co))) end
    end)
    print(seq, outer(), outer(), outer())
  end]] }, "1\t1\t2\tend\n2\t1\t2\tend\n")
fails("yield from a handler", { app = feed(1) .. 'app.script("s.lua")',
  ["s.lua"] = "function M.on_quote() coroutine.yield(1) end" },
  "script s.lua %(version 1, worker 0%): on_quote at quote 1 %S+ [^\n]* called"
  .. " coroutine.yield outside a coroutine; a handler waits with tw.sleep\n")
prints("coroutines of its own", { app = feed(3) .. 'app.script("s.lua")', ["s.lua"] = [[
  local co = coroutine.wrap(function(seq)
    while true do seq = coroutine.yield(seq * 2) end
  end)
  function M.on_quote(seq) print(co(seq)) end]] }, "2\n4\n6\n")
