--- cache: keys, values, what is put, taken out and invalidated, wrong use.
--
-- A loader that is to be under way while something happens waits for a gate, a channel
-- that is closed when it may go on.

local t = require "tw.test"
local tw = require "tw"
local task = tw.task
local internal = require "tw.internal.function"

local BLOCKS = internal.blocks()

tw.pool.configure { threads = 2, queue = 1000 }

local function never() error("no load is needed") end
local function echo(key) return { key = key } end

-- The same name is the same cache; its metatable's few functions.

local c = tw.cache("plain", { entries = 100 })
t.ok(rawequal(c, tw.cache "plain"), "a name alone: the one that is open")
t.ok(rawequal(c, tw.cache("plain", { entries = 100 })), "or with the same options")
t.is(tostring(c), "cache: plain", "tostring")
t.ok(rawequal(tw.cache.list()[1], c), "it is in the list")
t.is(tw.pool.run(function() return c end):await(), c, "as an upvalue it is itself")
t.ok(rawequal(tw.freeze({ c })[1], c), "and in a frozen value")

-- Keys.

do
  local long, deep = ("k"):rep(10000), { "a", 1, { "b", { x = 2.5, y = false } } }
  local keys = { "s", "", "1", 1, -1, 0.5, math.huge, math.maxinteger, true, false, long,
                 { "a" }, { 1 }, { { 1 } }, { a = 1 }, { 1, "1" }, {}, deep }
  for i, key in ipairs(keys) do c:put(key, i) end
  t.is(#c, #keys, "each is a key of its own")
  local wrong = 0
  for i, key in ipairs(keys) do
    wrong = wrong + (c:peek(key) == i and c:get(key, never):await() == i and 0 or 1)
  end
  t.is(wrong, 0, "and found again")
  t.is(c:peek { "a", 1, { "b", { y = false, x = 2.5 } } }, #keys, "by value")
  t.is(c:peek(tw.freeze(deep)), #keys, "frozen or not")
  t.is(c:peek(1.0), 4, "a float that is an integer is that")
  t.is(c:peek { 1.0 }, 13, "in a list, too")
  local minus = -0.0
  c:put(0, "zero")
  t.is(c:peek(minus), "zero", "and so is minus zero")
  t.is(c:get({ 1, "new" }, function(k) return k[1] + #k end):await(), 3,
       "the loader is given the key")
  c:invalidate_all()
  t.is(#c, 0, "all are gone")
end
for _, wrong in ipairs { { 0/0, "^a key can't be NaN$" },
                         { { 1, { x = { 0/0 } } }, "^a key can't hold a NaN$" },
                         { tw.freeze { 0/0 }, "^a key can't hold a NaN$" },
                         { { 1, { [{}] = 1 } }, "^a key can't hold a table as a key" },
                         { tw.freeze { [{ 1 }] = 1 }, "^a key can't hold a table as a" },
                         { print, "key is a function" },
                         { { 1, { print } }, "key%[2%]%[1%]" },
                         { { a = coroutine.create(print) }, "key.a is a coroutine" } } do
  for _, method in ipairs { "get", "peek", "put", "remove", "invalidate" } do
    t.raises(wrong[2], c[method], c, wrong[1], echo)
  end
end
t.raises("a key can't be nil", c.get, c, nil, echo)
t.raises("a key can't hold a NaN", c.get_all, c, { "k", { 0/0 } }, echo)
t.is(c:peek(tw.freeze { 0/0, { "no NaN" } }[2]), nil, "one beside it is no harm")
do
  local id = tw.freeze { 1 }
  c:put({ [id] = "by identity" }, 1)
  t.is(c:peek { [id] = "by identity" }, 1, "a table frozen before is a key of a key")
  t.is(c:peek { [tw.freeze { 1 }] = "by identity" }, nil, "and equals only itself")
  c:invalidate_all()
end

-- Values: everybody is given the same one, which is frozen.

do
  local a = c:get("value", echo):await()
  local b = c:get("value", never):await()
  t.ok(rawequal(a, b) and a.key == "value", "a hit is the identical value")
  t.ok(tw.pool.run(function() return c:peek "value" == c:get("value", echo):await()
                              and c:peek "value" end):await() == a, "in every state")
  t.raises("can't be changed", function() a.key = 1 end)
  t.is(c:get("false", function() return false end):await(), false, "false is a value")
  t.is(c:get("false", never):await(), false, "and kept")
  local f = c:get("value", never)
  f:cancel()
  t.is(c:get("value", never):await(), a, "to cancel what is there harms nobody")
  c:put("value", 5)
  t.is(c:get("value", never):await(), 5, "after a put there is another")
  t.is(a.key, "value", "who has the old one keeps it")
end

-- By hand.

c:invalidate_all()
t.is(c:peek "none", nil, "peek of nothing")
t.is(c:remove "none", false, "remove of nothing")
t.is(c:invalidate "none", 0, "invalidate of nothing")
c:put("a", { 1 })
t.is(c:peek "a"[1], 1, "put and peek")
t.ok(c:remove "a" and c:peek "a" == nil, "remove")
for i = 1, 3 do
  c:put("tag " .. i, i, { tags = { "odd", "even", i == 1 and "one" or nil } })
  c:put({ "list", i }, i)
  c:put("list " .. i, i)
end
t.is(c:invalidate_tag "one", 1, "by a tag of one")
t.is(c:invalidate_tag "even", 2, "by a tag of the others")
t.is(c:invalidate_tag "odd", 0, "their other tag has gone with them")
t.is(c:invalidate_prefix "list", 3, "by prefix, of strings")
t.is(c:invalidate_prefix { "list" }, 3, "by prefix, of lists")
for i = 1, 10 do c:put(i, { i }) end
t.is(c:invalidate_if(function(k, v) return k == v[1] and k % 2 == 0 end), 5,
     "by predicate")
t.is(c:invalidate(1), 1, "by key")
t.is(#c, 4, "the others stay")
t.raises("wrong here", c.invalidate_if, c, function() error "wrong here" end)
t.is(#c, 4, "also when a predicate raises")
t.is(c:invalidate_all(), 4, "all")
c:put("now", 1, { ttl = 0 })
t.is(c:peek "now", nil, "what has no time to live is not kept")

-- What is invalidated while it loads is given to those who wait, and is not kept.

for name, invalidate in pairs {
  key = function() return c:invalidate "k1" end,
  tag = function() return c:invalidate_tag "t" end,
  prefix = function() return c:invalidate_prefix "k" end,
  predicate = function() return c:invalidate_if(function(k) return k == "k1" end) end,
  all = function() return c:invalidate_all() end,
  remove = function() c:remove "k1" return 0 end,
} do
  local gate, begun = tw.channel(1), tw.channel(2)
  local function load(_, l)
    begun:send(1)
    gate:recv()
    l.tags = { "t" }
    return "old"
  end
  local f = c:get("k1", load)
  begun:recv()
  t.is(invalidate(), 0, name .. ": there is no value yet")
  gate:close()
  t.is(f:await(), "old", name .. ": who waits is given the value")
  t.is(c:peek "k1", nil, name .. ": it is not kept")
  t.is(c:get("k1", function() return "new" end):await(), "new",
       name .. ": it is loaded anew")
  c:invalidate_all()
end
do   -- a put meanwhile is not overwritten
  local gate = tw.channel(1)
  local f = c:get("k", function() gate:recv() return "loaded" end)
  c:put("k", "put")
  t.is(c:get("k", never):await(), "put", "a put while it loads is there at once")
  gate:close()
  t.is(f:await(), "loaded", "who waits is given what was loaded")
  t.is(c:peek "k", "put", "the put stays")
end

-- Several at once.

do
  local calls = tw.channel(10)
  local function upper(keys)
    calls:send(#keys)
    local out = {}
    for i, key in ipairs(keys) do out[i] = key:upper() end
    return out
  end
  c:put("b", "there")
  local got = tw.all(c:get_all({ "a", "b", "c", "a" }, upper))
  t.is(table.concat(got, " "), "A there C A", "get_all")
  t.is(calls:recv(), 2, "one call for what was not there")
  t.is(table.concat(tw.all(c:get_all({ "c", "a" }, never)), " "), "C A", "then none")
  t.is(#calls, 0, "none")
  t.is(#c:get_all({}, never), 0, "of no keys")
  local fs = c:get_all({ "x", "y", "z" }, function() return { 1, nil, print } end)
  t.is(fs[1]:await(), 1, "a value")
  local ok, e = fs[2]:pawait()
  t.ok(not ok and e.message:find "the loader returned nothing", "a missing one")
  ok, e = fs[3]:pawait()
  t.ok(not ok and e.message:find "result is a function", "one that can't be frozen")
  t.is(c:peek "x", 1, "the first is kept")
  fs = c:get_all({ "p", "q" }, function() return 5 end)
  for i = 1, 2 do
    ok, e = fs[i]:pawait()
    t.ok(not ok and e.message:find "list of their values, not number", "no list")
  end
  fs = c:get_all({ "two", "results" }, function() return { 1, 2 }, 3 end)
  for i = 1, 2 do
    ok, e = fs[i]:pawait()
    t.ok(not ok and e.message:find "the loader returned 2 values, and", "a second result")
  end
  t.raises("a key can't be nil", function()
    c:get_all(setmetatable({}, { __len = function() return 2 end }), upper)
  end)
  t.raises("key is a function", c.get_all, c, { "m", "n", print }, upper)
  t.is(c:peek "m", nil, "nothing is left under way")
  t.is(c:get("m", echo):await().key, "m", "and its first key is free")
  t.raises("list of keys expected", c.get_all, c, 5, upper)
end

-- A bound, its two measures and policies.

for _, policy in ipairs { "lru", "s3fifo" } do
  local small = tw.cache("small " .. policy, { entries = 10, policy = policy })
  for i = 1, 100 do small:put(i, i) end
  t.is(#small, 10, policy .. ": so many entries")
  t.is(small:stats().evictions, 90, policy .. ": the others were evicted")
end
do
  local lru = tw.cache "small lru"
  lru:invalidate_all()
  for i = 1, 10 do lru:put(i, i) end
  lru:get(1, never):await()
  lru:put(11, 11)
  t.ok(lru:peek(1) and not lru:peek(2), "LRU keeps what was used")
  local bytes = tw.cache("bytes", { bytes = 100000 })
  for i = 1, 100 do bytes:put(i, ("x"):rep(5000)) end
  t.ok(bytes:stats().bytes <= 100000 and #bytes >= 10 and #bytes < 20,
       "bytes: so many (" .. #bytes .. ")")
  bytes:put("big", ("x"):rep(200000))
  t.is(bytes:peek "big", nil, "one that is too large is not kept")
  t.is(bytes:get("big", function() return ("x"):rep(200000) end):await():len(), 200000,
       "but given")
end

-- Looking on.

do
  local look = tw.cache("look", { failures = 60, ttl = 60 })
  local gate = tw.channel(1)
  look:put("put", 5)
  look:get("put", never)
  local f = look:get("slow", function() gate:recv() return 1 end)
  look:get("bad", function() error("no luck", 0) end):pawait()
  task.scope(function(s)
    for i = 1, 3 do s:spawn(function() return f:await() end) end
    local list
    repeat
      task.yield()
      list = {}
      for _, e in ipairs(look:inspect()) do list[e.key] = e end
    until #list.slow.waiting == 3
    t.is(list.put.state, "fresh", "fresh")
    t.ok(list.put.value == 5 and list.put.hits == 1 and list.put.bytes > 0
         and list.put.age >= 0 and list.put.ttl_left > 0 and list.put.ttl_left <= 60,
         "what there is to know of it")
    t.is(list.slow.state, "loading", "loading")
    t.ok(list.slow.value == nil and list.slow.loading >= 0, "and since when")
    local w = list.slow.waiting[1]
    t.ok(w.worker == "main" and type(w.name) == "string" and w.since >= 0,
         "who waits for it, since when")
    t.is(list.bad.state, "failed", "failed")
    gate:close()
  end)
  local s = look:stats()
  t.ok(s.hits == 1 and s.misses == 2 and s.coalesced == 0 and s.loads == 1
       and s.failures == 1 and s.cancelled == 0 and s.entries == 2 and s.loading == 0
       and s.bytes > 0 and s.untold == 0, "statistics")
  t.ok(s.load.count == 2 and s.load.p50 > 0 and s.load.p99 >= s.load.p50
       and s.load.max >= s.load.p99 * 0.9, "and of the loads")
end

-- Who listens is told of every removal, and why.

do
  local told = tw.cache("told", { entries = 2, policy = "lru" })
  local gone = tw.channel(20)
  told:on_removal(gone)
  told:put("a", 1)
  told:put("a", 2)
  told:put("b", 3)
  told:put("c", 4)
  told:remove "b"
  told:invalidate "c"
  pcall(function() told:get("d", function() error "bad" end):await() end)
  local want = { { "a", 1, "replaced" }, { "a", 2, "evicted" }, { "b", 3, "removed" },
                 { "c", 4, "invalidated" }, { "d", nil, "failed" } }
  for _, w in ipairs(want) do
    local r = gone:recv(10)
    t.ok(r.key == w[1] and r.value == w[2] and r.reason == w[3],
         ("removed: %s, %s (%s)"):format(w[1], w[3], r.reason))
  end
  told:on_removal(nil)
  told:put("e", 1)
  told:remove "e"
  t.is(#gone, 0, "nil: no more")
  t.raises("channel", told.on_removal, told, 5)
end

-- A collector's functions may use a cache, also in the middle of its own calls.

do
  local keys, wrong, collected, armed = 50, 0, 0, true
  local function arm()
    setmetatable({}, { __gc = function()
      collected = collected + 1
      if c:peek "inner"[1] ~= "inner" then wrong = wrong + 1 end
      if c:get("inner", never):await()[1] ~= "inner" then wrong = wrong + 1 end
      if armed then arm() end
    end })
  end
  collectgarbage("setpause", 100)
  c:put("inner", { "inner" })
  for i = 1, keys do c:put(i, { i }) end
  arm()
  for i = 1, 20000 do
    local key = i % keys + 1
    if key == 1 then collectgarbage "step" end   -- the views go, and are made again
    if c:peek(key)[1] ~= key then wrong = wrong + 1 end
    if c:get(key, never):await()[1] ~= key then wrong = wrong + 1 end
  end
  armed = false
  collectgarbage("setpause", 200)
  t.ok(wrong == 0 and collected > 3, "used while collecting, " .. collected .. " times")
end

-- To a file and back.

do
  local path = os.tmpname()
  local from = tw.cache("from", { ttl = 60 })
  local values = { [1] = "one", s = { deep = { 1, 2 } }, [0.5] = true }
  for k, v in pairs(values) do from:put(k, v) end
  from:put({ "tuple", 1 }, "t", { tags = { "tagged" } })
  from:put("with a channel", { tw.channel(1) })
  local n, skipped = from:dump(path)
  t.ok(n == 4 and skipped == 1, "dump: all but what holds a shared object")
  local to = tw.cache("to", { ttl = 60 })
  n, skipped = to:load(path)
  t.ok(n == 4 and skipped == 0 and #to == 4, "load")
  t.ok(to:peek(1) == "one" and to:peek "s".deep[2] == 2 and to:peek(0.5) == true
       and to:peek { "tuple", 1 } == "t", "the values")
  t.is(to:invalidate_tag "tagged", 1, "the tags")
  for _, e in ipairs(to:inspect()) do
    t.ok(e.ttl_left <= 60, "the time to live goes on")
  end
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  file:close()
  file = assert(io.open(path, "wb"))
  file:write(bytes:sub(1, -20), "damage", bytes:sub(-13))
  file:close()
  to:invalidate_all()
  local got, message, code = to:load(path)
  t.ok(got == nil and type(message) == "string" and code < 0,
       "a damaged file: " .. message)
  t.ok(#to < 4, "what is damaged is not there")
  got, message, code = to:load "/nonexistent/file"
  t.ok(got == nil and message:find "cache: load from /nonexistent/file" and code < 0,
       "no file: " .. message)
  got, message, code = to:dump "/nonexistent/file"
  t.ok(got == nil and message:find "/nonexistent/file" and code < 0,
       "nowhere: " .. message)
  os.remove(path)
  t.ok(os.execute("mkfifo " .. path))
  got, message = to:dump(path)
  t.is(message, "cache: dump to " .. path .. ": it is not a file",
       "what is no file is not replaced")
  os.remove(path)
end

-- Wrong use is one clear line.

for _, wrong in ipairs {
  { "its entries is another", "plain", { entries = 5 } },
  { "its failures is another", "plain", { failures = 5 } },
  { "no option 'tll'; there are entries", "x", { tll = 1 } },
  { "no option '1'", "x", { "lru" } },
  { "ttl: a number above 0 up to 1000000000 expected, got 0", "x", { ttl = 0 } },
  { "ttl: .* got %-1", "x", { ttl = -1 } },
  { "ttl: .* got 1$", "x", { ttl = "1" } },
  { "ttl: .* got %-?nan", "x", { ttl = 0/0 } },
  { "ttl: .* got inf", "x", { ttl = math.huge } },
  { "idle: a number above 0", "x", { idle = 0 } },
  { "refresh: a number above 0", "x", { refresh = 0 } },
  { "stale: a number from 0", "x", { stale = -1 } },
  { "stale_error: a number from 0", "x", { stale_error = {} } },
  { "failures: a number from 0", "x", { failures = false } },
  { "jitter: a number from 0 up to 1", "x", { jitter = 1.5 } },
  { "entries: a number above 0", "x", { entries = 0 } },
  { "entries: an integer expected, got 2.5", "x", { entries = 2.5 } },
  { "bytes: a number above 0", "x", { bytes = 0 } },
  { "records: a number above 0", "x", { records = 0 } },
  { "entries or bytes bound a cache, not both", "x", { entries = 1, bytes = 1 } },
  { 'policy: "s3fifo" or "lru" expected, got fifo', "x", { policy = "fifo" } },
  { "#2.*table expected, got number", "x", 5 },
  { "#1.*string expected, got nil", nil },
  { "#1.*string expected, got number", 5 },
  { "name: a text of 1 to 63 bytes expected", "" },
  { "name: a text of 1 to 63 bytes expected", ("x"):rep(64) },
  { "name: a text of 1 to 63 bytes expected", "a\0b" },
} do
  t.raises(wrong[1], tw.cache, wrong[2], wrong[3])
end
t.is(#tw.cache.list(), 8, "none of them was opened")
for _, wrong in ipairs {
  { "a loader expected", "get", "k" },
  { "a loader expected", "get", "k", 5 },
  { "a loader expected", "get_all", { "k" } },
  { "table expected", "get", "k", echo, 5 },
  { "options: 'ttl' is no field", "get", "k", echo, { ttl = 1 } },
  { "options: 'old' is no field", "get", "k", echo, { old = 1 } },
  { "options: '1' is no field", "get_all", { "k" }, echo, { "AAPL" } },
  { "depends: no market is running here", "get", "k", echo, { depends = { "AAPL" } } },
  { "depends: {symbol, .*} expected, got string", "get", "k", echo, { depends = "A" } },
  { "depends: 'topic' is no field", "get", "k", echo, { depends = { topic = {} } } },
  { "depends: '2' is no field", "get", "k", echo, { depends = { [2] = "AAPL" } } },
  { "a value expected", "put", "k" },
  { "value is a function", "put", "k", print },
  { "options: 'tll' is no field", "put", "k", 1, { tll = 1 } },
  { "options: 'old' is no field", "put", "k", 1, { old = 1 } },
  { "options: '1' is no field", "put", "k", 1, { "tag" } },
  { "table expected", "put", "k", 1, 5 },
  { "tags: 'a' is no field", "put", "k", 1, { tags = { a = "t" } } },
  { "options.ttl: seconds from 0 on expected, got x", "put", "k", 1, { ttl = "x" } },
  { "options.ttl: .* got %-1", "put", "k", 1, { ttl = -1 } },
  { "options.tags: a list of strings expected", "put", "k", 1, { tags = "t" } },
  { "options.tags: element 2 is a number", "put", "k", 1, { tags = { "t", 5 } } },
  { "string expected", "invalidate_tag" },
  { "a prefix is a string", "invalidate_prefix", 5 },
  { "function expected", "invalidate_if", 5 },
  { "string expected", "dump" },
} do
  t.raises(wrong[1], c[wrong[2]], c, table.unpack(wrong, 3, 6))
end
do
  local tags = {}
  for i = 1, 257 do tags[i] = "t" .. i end
  t.raises("options.tags: at most 256, got 257", c.put, c, "k", 1, { tags = tags })
end
t.raises("tw.cache expected", c.get, {}, "k", echo)
t.raises("tw.cache expected", c.stats, tw.channel(1))

-- Nothing is left but what the caches hold.

for _, cache in ipairs(tw.cache.list()) do cache:invalidate_all() end
c = nil
tw.pool.run(function() collectgarbage() end):await()
for _ = 1, 3 do collectgarbage() end
t.ok(internal.blocks() - BLOCKS < 100,
     "blocks: " .. internal.blocks() - BLOCKS)
