--- tw: publish and on_message, what can be sent, the order; instruments, clocks.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local prints, fails = apps.prints, apps.fails

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = %d } "
local TWO = FEED:format(3) .. 'app.script("a.lua") app.script("b.lua")'

-- A value that one script sends and another one shows.

local SHOW = [[
  local function show(v)
    if type(v) == "string" then return ("%q"):format(v) end
    if math.type(v) == "float" then return ("%a"):format(v) end
    if type(v) ~= "table" and getmetatable(v) ~= "frozen" then return tostring(v) end
    local keys, parts = {}, {}
    for k in pairs(v) do keys[#keys + 1] = k end
    table.sort(keys, function(x, y) return show(x) < show(y) end)
    for _, k in ipairs(keys) do parts[#parts + 1] = show(k) .. "=" .. show(v[k]) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
]]
local VALUES = {
  "nil", "true", "false", "0", "-1", "math.maxinteger", "math.mininteger", "0.1", "-0.0",
  "1/0", "2^53", "''", "'text'", [["a\0b\xff"]], "('x'):rep(60000)", "{}", "{ 1, 2, 3 }",
  "{ a = 1, b = { c = { d = 'deep' } }, [1] = true, [2.5] = 'f', [false] = 0 }",
  "{ { {}, {} }, {} }", "{ [math.mininteger] = math.maxinteger }",
}
for _, workers in ipairs { "1", "2" } do
  local run = apps.run { app = TWO, args = { "--workers", workers },
    ["a.lua"] = SHOW .. ([[
  function M.on_start()
    for _, v in ipairs { %s } do assert(tw.publish("x", v.v) == true) end
  end]]):format((table.concat(VALUES, ";"):gsub("([^;]+)", "{ v = %1 }"))),
    ["b.lua"] = SHOW .. [[
  function M.on_message(topic, value) print(topic, show(value)) end]] }
  local want = apps.shell(apps.tidewire .. " -e " .. apps.quote(SHOW .. ([[
    for _, v in ipairs { %s } do print("x", show(v.v)) end]])
    :format((table.concat(VALUES, ";"):gsub("([^;]+)", "{ v = %1 }")))))
  t.is(run.out, want.out, "values arrive as they were sent, workers: " .. workers)
  t.is(run.status, 0, "values: status")
  t.is(want.status, 0, "values: the same in one state")
end
prints("a value is what it was, and stays it; its fields can be shared", { app = TWO,
  args = { "--workers", "1" }, ["a.lua"] = [[
  function M.on_start() local v = { n = 1 } tw.publish("x", { v, v }) v.n = 2 end]],
  ["b.lua"] = [[
  function M.on_message(value)
    print(value[1].n, value[1] == value[2], pcall(function() value.n = 3 end))
    local mine = tw.thaw(value)
    mine[1].n = mine[1].n + 10
    print(mine[2].n, type(mine))
  end]] }, "1\ttrue\tfalse\tb.lua:2: a frozen table can't be changed (field 'n')\n"
           .. "11\ttable\n")
prints("what is sent on is the same value in every script", { app = TWO,
  args = { "--workers", "1" }, ["a.lua"] = [[
  local sent
  function M.on_start() sent = tw.freeze { deep = { 1 } } tw.publish("x", sent) end
  function M.on_message(topic, value) print(topic, value == sent.deep) end]],
  ["b.lua"] = [[
  function M.on_message(value) tw.publish("y", value.deep) end]] }, "y\ttrue\n")
prints("quotes are sent as records that stay", { app = FEED:format(2)
  .. 'app.script("a.lua") app.script("b.lua") app.tape { capacity = 16 }',
  args = { "--workers", "1" }, ["a.lua"] = [[
  function M.on_quote(q) tw.publish("q", { quote = q, bid = q.bid, q }) end]],
  ["b.lua"] = [[
  function M.on_message(value)
    print(value.quote.bid == value.bid, value.quote == value[1], value.quote.kind,
          value.quote:keep() == value.quote)
  end]] }, ("true\ttrue\tquote\ttrue\n"):rep(2))

-- What can't be sent.

for _, case in ipairs {
  { "print", "value is a function" },
  { "coroutine.create(print)", "value is a coroutine" },
  { "io.stdout", "value is a userdata" },
  { "{ a = { b = { 1, 2, print } } }", "value%.a%.b%[3%] is a function" },
  { "{ [print] = 1 }", "a key of value is a function" },
  { "{ setmetatable({}, {}) }", "value%[1%] has a metatable" },
  { "{ [{}] = 1, x = 1 }", false },
  { "(function() local t = {} t.t = t return t end)()", false },
  { "{ list = { ('x'):rep(400000), ('y'):rep(400000) } }", false },
} do
  local app = { app = TWO, ["b.lua"] = "", ["a.lua"] = ([[
    function M.on_start() tw.publish("x", %s) end]]):format(case[1]) }
  if case[2] then fails("can't be sent: " .. case[1], app, case[2])
  else prints("can be sent: " .. case[1], app, "") end
end
for _, case in ipairs {
  { "''", "a topic has 1 to 63 bytes" }, { "('t'):rep(64)", "a topic has 1 to 63 bytes" },
  { "{}", "string expected, got table" },
} do
  fails("no topic: " .. case[1], { app = TWO, ["b.lua"] = "", ["a.lua"] = ([[
    function M.on_start() tw.publish(%s, 1) end]]):format(case[1]) }, case[2])
end
fails("no value", { app = TWO, ["b.lua"] = "",
  ["a.lua"] = "function M.on_start() tw.publish 'x' end" }, "value expected")
prints("publish in a coroutine of one's own", { app = TWO, ["a.lua"] =
  "function M.on_start() coroutine.wrap(function() tw.publish('x', 1) end)() end",
  ["b.lua"] = "function M.on_message(topic, value) print(topic, value) end" }, "x\t1\n")
for _, call in ipairs { "require 'tw'.publish('x', 1)", "return (require 'tw.board').x",
                        "require 'tw'.instrument 'x'" } do
  local run = apps.shell(apps.tidewire .. " -e " .. apps.quote(call))
  t.ok(run.err:find "no market is running here; use it in a script of `tidewire run`",
       "outside a run: " .. call)
  t.is(run.status, 1, "outside a run: status")
end

-- Who gets what.

prints("topics by name and pattern; one's own are not echoed",
  { app = FEED:format(1) .. [[
    app.script("a.lua") app.script("b.lua", { messages = { "vol.*" } })
    app.script("b.lua", { name = "c", messages = "index" })
    app.script("b.lua", { name = "d" })
    ]], args = { "--workers", "1" }, ["a.lua"] = [[
  function M.on_start()
    for i, topic in ipairs { "vol.tech", "index", "vol", "vol.oil", "volx" } do
      tw.publish(topic, i)
    end
  end
  function M.on_message() print "an echo" end]], ["b.lua"] = [[
  local got = {}
  function M.on_message(topic, value) got[#got + 1] = topic .. "=" .. value end
  function M:on_stop() print(self.name, table.concat(got, " ")) end]] },
  "b.lua\tvol.tech=1 vol.oil=4\nc\tindex=2\n"
  .. "d\tvol.tech=1 index=2 vol=3 vol.oil=4 volx=5\n")
prints("messages: time, seq and kind", { app = TWO, ["a.lua"] = [[
  function M.on_start() tw.publish("x", 1) end]], ["b.lua"] = [[
  function M.on_message(_, topic, value, time, received, seq, kind)
    print(topic, value, time == received, tw.now() >= time, math.type(seq), kind)
  end]] }, "x\t1\ttrue\ttrue\tinteger\tmessage\n")

-- One order: three talkers on three workers, two listeners, a small tape.

local LISTEN = [[
  local hash, messages, last = 0, 0, 0
  local function see(seq, x)
    assert(seq == last + 1, "not in order") last = seq
    hash = (hash * 31 + seq * 7 + x) & 0xffffffffffff
  end
  function M.on_quote(seq, symbol_id) see(seq, symbol_id) end
  function M.on_message(seq, value) messages = messages + 1 see(seq, value) end
  function M.on_stop() print(hash, messages, last) end]]
for _, capacity in ipairs { 256, 1024 } do
  local run = apps.run { args = { "--workers", "3" },
    app = ("app.tape { capacity = %d } "):format(capacity) .. FEED:format(3000) .. [[
      for w = 0, 2 do app.script("talker.lua", { workers = { w }, messages = {} }) end
      app.script("listener.lua", { workers = { 0 } })
      app.script("listener.lua", { workers = { 2 } })]], ["talker.lua"] = [[
    function M.on_quote(seq) assert(tw.publish("x", seq)) end]],
      ["listener.lua"] = LISTEN }
  t.is(run.status, 0, "publishing from every handler ends, capacity " .. capacity)
  t.is(#run.lines, 2, "both listeners end")
  t.is(run.lines[1], run.lines[2], "both saw the same order")
  t.ok((run.lines[1] or ""):find "\t9000\t12000$", "of all that there was")
  if run.status ~= 0 or not (run.lines[1] or ""):find "9000" then t.diag(run.err) end
end

fails("a script that publishes too much for the tape is told so",
  { app = "app.tape { capacity = 64 } " .. FEED:format(300) .. 'app.script("s.lua")',
    ["s.lua"] = "function M.on_quote() for i = 1, 100 do tw.publish('x', i) end end" },
  "tw.publish: no room: the tape %(64 records%) is full of what this script has not read")

prints("a task that sleeps again and again ends with the run", {
  app = "app.limits { time = 60 } " .. FEED:format(1) .. 'app.script("s.lua")',
  ["s.lua"] = [[
  function M.on_start()
    tw.task.detach(function() while true do tw.sleep(0.001) end end)
  end
  function M.on_stop() print "stopped" end]] }, "stopped\n")

-- What is known of symbols; clocks.

prints("instruments", { app = [[
  app.instruments { { symbol = "A", sector = "s", weight = 0.5, tick_size = 0.01,
    lot_size = 10 }, { symbol = "B" } } ]] .. FEED:format(1) .. 'app.script("s.lua")',
  ["s.lua"] = [[
  local function show(i)
    print(i.id, i.symbol, i.sector, i.weight, i.tick_size, i.lot_size)
  end
  function M.on_start()
    show(tw.instrument "A") show(tw.instrument(2))
    print(tw.instrument "C", tw.instrument(0), tw.instrument(-1), tw.instrument(1 << 40))
    print(#tw.instruments() >= 2, tw.instruments()[2].symbol,
      tw.version:match "^%d+%.%d+%.%d+$")
    print(pcall(tw.instrument))
  end]] }, "1\tA\ts\t0.5\t0.01\t10.0\n2\tB\tnil\t0.0\t0.0\t0.0\nnil\tnil\tnil\tnil\n"
  .. "true\tB\t0.1.0\n"
  .. "false\tbad argument #1 to 'tw.instrument' (string expected, got no value)\n")
local clocks = apps.shell(apps.tidewire .. " -e " .. apps.quote [[
  local tw = require "tw"
  local from, a, b, till = os.time(), tw.clock(), tw.now(), os.time()
  assert(tw.sleep(0.01) == true)
  print(tw.clock() - a >= 0.01, tw.now() > b,      -- os.time may be a tick behind
    b // 1000000000 >= from and b // 1000000000 <= till + 1)]])
t.is(clocks.out, "true\ttrue\ttrue\n", "clocks, and sleep outside a run")
