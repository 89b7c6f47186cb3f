--- cache: over the workers of a run and the pool, while quotes flow and void values.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local SMALL = os.getenv "SMALL" or apps.has "tsan"

-- Tasks of scripts on two workers and jobs all ask for one key: one load, one value.

for _, callers in ipairs(SMALL and { 10 } or { 10, 100, 1000 }) do
  local each = math.max(1, callers // 4)
  apps.prints(callers .. " callers over all states", {
    sort = true,
    app = [[
app.pool { threads = 2 }
app.feed.synthetic { speed = 0, limit = 1 }
for worker = 0, 1 do
  for i = 1, 2 do
    app.script("asker.lua", { name = worker .. i, workers = { worker } })
  end
end]],
    ["asker.lua"] = ([[
local EACH = %d
local cache = tw.cache "herd"
local ready = tw.channel(8 * EACH, { name = "ready" })
local gate, loads = tw.channel(1, { name = "gate" }), tw.channel(10, { name = "loads" })
local values = tw.channel(8, { name = "values" })
local function load(key)
  loads:send(1)
  gate:recv()
  return { key = key }
end
local function ask()
  local f = cache:get("key", load)
  ready:send(1)
  return f:await()
end
function M:on_quote()
  local got, same = {}, 0
  tw.task.scope(function(s)
    for i = 1, EACH do s:spawn(function() got[i] = ask() end) end
    local job = tw.pool.run(ask)
    if self.name == "01" then
      for _ = 1, 4 * EACH + 4 do ready:recv() end
      gate:close()
    end
    got[EACH + 1] = job:await()
  end)
  for i = 1, EACH + 1 do same = same + (rawequal(got[i], got[1]) and 1 or 0) end
  print(same == EACH + 1 and got[1].key == "key")
  values:send { got[1] }
  if self.name ~= "01" then return end
  for _ = 1, 4 do print(rawequal(values:recv()[1], got[1])) end
  print("loads", #loads)
end]]):format(each) }, "loads\t1\n" .. ("true\n"):rep(8))
end

-- A record voids what depends on its symbol or topic: never is a value given that was
-- begun before it.  What depends on others, or on nothing, stays.

apps.prints("expiry on update", {
  app = [[
app.pool { threads = 2 }
app.feed.synthetic { speed = 0, seed = 3, trades = 0, limit = 400 }
app.script("reader.lua")]],
  ["reader.lua"] = [[
local cache = tw.cache("vol", { entries = 1000 })
local behind = tw.cache("behind", { records = 10 })
local loads = tw.channel(10000)
local function load(key)
  loads:send(1)
  return { key = key, n = #loads }
end
local function load_and_say(key, l)
  l.depends = { key[2] }
  return load(key)
end
local function by_topic(key, l)
  l.depends = { topics = { key } }
  return load(key)
end
local function ask(...) return cache:get(...):await().n end
function M:on_start()
  self.last, self.stale, self.n, self.reloads = {}, 0, 0, 0
  self.other = ask("other", load, { depends = { "NEVER", topics = { "never" } } })
end
function M:on_quote(seq, symbol)
  self.n = self.n + 1
  local last = self.last[symbol] or { 0, 0 }
  local now = { ask(symbol, load, { depends = { symbol } }),
                ask({ "own", symbol }, load_and_say) }
  for i = 1, 2 do
    if now[i] <= last[i] then self.stale = self.stale + 1 end
  end
  self.last[symbol] = now
  self.first = self.first or seq
  local n = behind:get("key", load):await().n
  if n ~= self.behind then self.reloads = self.reloads + 1 end
  self.behind = n
  self.final = seq
end
function M:on_stop()
  print("stale", self.stale, "of", self.n)
  print("others", cache:peek "other".n == self.other)
  print("behind", self.reloads, self.final - self.first + 1)
end]] }, [[
stale	0	of	400
others	true
behind	37	400
]])

apps.prints("expiry by a message", {
  app = [[
app.feed.synthetic { speed = 0, limit = 1 }
app.script("s.lua")]],
  ["s.lua"] = [[
local cache = tw.cache "c"
local loads = tw.channel(100)
local function load(key, l)
  l.depends = { topics = { key } }
  loads:send(1)
  return #loads
end
local function ask() return cache:get("topic", load):await() end
function M:on_quote()
  print("first", ask(), ask())
  tw.publish("another", 1)
  print("another", ask())
  tw.publish("topic", 1)
  print("its own", ask() > 1)
  cache:put("put", 5, { depends = { topics = { "put" } } })
  print("put", cache:peek "put")
  tw.publish("put", 1)
  print("voided", cache:peek "put")
end]] }, [[
first	1	1
another	1
its own	true
put	5
voided	nil
]])

-- Tracks of operations over the pool's states: each has keys that it alone changes,
-- and knows what they hold; those of the others it sees change, and never back.

do
  local TRACKS, OPERATIONS, KEYS = 10, SMALL and 500 or 10000, 1000
  local tw = require "tw"
  local cache = tw.cache("tracks", { entries = 2 * KEYS })
  local function track(me)
    local model, version, seen, seed = {}, 0, {}, me
    local function random(n)
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return (seed >> 8) % n
    end
    local function check(holds, what, key)
      if not holds then error(("track %d: %s of key %d"):format(me, what, key), 0) end
    end
    for i = 1, OPERATIONS do
      local key, what = random(KEYS // TRACKS) * TRACKS + me, random(8)
      if what < 2 then
        version = version + 1
        cache:put(key, { key, version }, { tags = { "track " .. me } })
        model[key] = version
      elseif what == 2 then
        check(cache:remove(key) == (model[key] ~= nil), "remove", key)
        model[key] = nil
      elseif what == 3 then
        check(cache:invalidate(key) == (model[key] and 1 or 0), "invalidate", key)
        model[key] = nil
      elseif what == 4 and i % 100 == 0 then
        cache:invalidate_tag("track " .. me)
        model = {}
      elseif what == 5 then
        local v = cache:peek(key)
        check((v and v[2]) == model[key], "peek", key)
      elseif what == 6 then
        version = version + 1
        local next_version = version
        local v = cache:get(key, function(k, load)
          load.tags = { "track " .. me }
          return { k, next_version }
        end):await()
        model[key] = model[key] or version
        check(v[1] == key and v[2] == model[key], "get", key)
      else
        key = random(KEYS) + 1
        local v = cache:peek(key)
        if v then
          check(v[1] == key and v[2] >= (seen[key] or 0), "another's", key)
          seen[key] = v[2]
        end
      end
    end
    return OPERATIONS
  end
  local jobs = {}
  for i = 1, TRACKS do jobs[i] = tw.pool.run(track, i) end
  local sum = 0
  for i = 1, TRACKS do
    local ok, n = jobs[i]:pawait()
    if not ok then t.ok(false, n.message) else sum = sum + n end
  end
  t.is(sum, TRACKS * OPERATIONS, "tracks that agree with their models")
  local s = cache:stats()
  t.ok(s.evictions == 0 and s.loading == 0, "nothing evicted, nothing under way")
end

-- A failure is told once: to who asked, or to nobody, and then at the end.

local function program(text)
  local directory = apps.write { files = { ["p.lua"] = text } }
  return apps.shell(apps.tidewire .. " " .. directory .. "/p.lua")
end
local run = program [[
local c = require "tw".cache "c"
c:get("k", function() error("nobody looks", 0) end)]]
t.is(run.status, 1, "a load that fails and nobody awaits: status")
t.is(select(2, run.err:gsub("nobody looks", "")), 1, "it is told once")
run = program [[
local c, co = require "tw".cache "c", coroutine.create(print)
print(pcall(c.get, c, "k", function() return co end))
print(pcall(c.get_all, c, { "k", print }, function() end))
print(c:get("k", function() error("who asked is told", 0) end):pawait())]]
t.is(run.status, 0, "what was raised or awaited is not told again: status")
t.is(run.err, "", "and nothing is said")
t.is(select(2, run.out:gsub("false\t", "")), 3, "each was told")
local of_all = [[
local tw = require "tw"
local fs = tw.cache "c":get_all({ 1, 2, 3 }, function() error("of all", 0) end)]]
run = program(of_all)
t.is(run.status, 1, "a load of several that nobody awaits: status")
t.is(select(2, run.err:gsub("of all", "")), 1, "it is told once, not for each key")
run = program(of_all .. "\nprint(pcall(tw.all, fs))")
t.is(run.status, 0, "tw.all raised it, and one error is told once: status")
t.is(run.err, "", "and nothing is said")

run = program [[
local tw = require "tw"
local c = tw.cache("c", { ttl = 600, refresh = 0.001, stale_error = 600 })
local gate, begun = tw.channel(1), tw.channel(1)
local function load(_, l)
  if not l.old then return 1 end
  begun:send(1)
  gate:recv()
  error "down"
end
repeat c:get("k", load):await() until begun:try_recv()
c:invalidate "k"
gate:close()]]
t.is(run.status .. run.err, "0", "stale_error: nor is a reload of what was invalidated")

-- Askers that leave, time out and come back, keys that are invalidated, loads that
-- fail and wait: nothing is stuck, and none is left under way.

do
  local tw = require "tw"
  local cache = tw.cache("storm", { entries = 20, ttl = 0.002, stale = 0.001,
                                    failures = 0.0005, refresh = 0.001,
                                    stale_error = 0.001 })
  local ROUNDS = SMALL and 50 or 400
  local function storm(seed)
    local tw = require "tw"
    local function random(n)
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return (seed >> 8) % n
    end
    local function load(key)
      if key % 5 == 0 then error("no " .. key, 0) end
      if key % 3 == 0 then require "tw".sleep(0.0005) end
      return { key }
    end
    local wrong = 0
    for _ = 1, ROUNDS do
      local key, how = random(40), random(6)
      local f = cache:get(key, load)
      if how == 0 then
        f:cancel()
      elseif how == 1 then
        f:pawait(0.0002)
      elseif how == 2 then
        cache:invalidate(key)
      elseif how == 3 then
        local fs = cache:get_all({ key, key + 1, key + 2 }, function(keys)
          local values = {}
          for i, k in ipairs(keys) do values[i] = { k } end
          return values
        end)
        fs[1 + random(3)]:cancel()
        for i = 1, 3 do fs[i]:pawait() end
      elseif how == 4 then
        tw.task.timeout(0.0002, function() f:pawait() end)
      end
      local ok, v = cache:get(key, load):pawait()
      if ok and v[1] ~= key or not ok and v.message ~= "no " .. key then
        wrong = wrong + 1
      end
      f:pawait()   -- its failure is looked at
    end
    return wrong
  end
  local jobs = {}
  for i = 1, 8 do jobs[i] = tw.pool.run(storm, i) end
  for i = 1, 8 do
    t.is(jobs[i]:await(), 0, "storm " .. i .. ": right values, right errors")
  end
  while cache:stats().loading > 0 do tw.sleep(0.001) end
  t.ok(#cache <= 20, "storm: the bound holds")
  t.is(cache:get("after", function() return 1 end):await(), 1, "storm: and all goes on")
end
