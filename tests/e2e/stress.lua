--- stress: all that states share, at once, while quotes flow.
--
-- Four scripts on two workers and the pool: each handler, task and job has a checksum
-- of its own that says whether something was lost, doubled or mixed up.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local QUOTES = os.getenv "SMALL" and 400 or apps.has "tsan" and 1000 or 4000

local run = apps.run {
  app = ([[
app.pool { threads = 2 }
app.tape { capacity = 1024 }
app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = %d }
app.script("asker.lua", { name = "asker 1", params = { seed = 1 }, workers = { 0 } })
app.script("asker.lua", { name = "asker 2", params = { seed = 2 }, workers = { 1 } })
app.script("sender.lua", { workers = { 0 } })
app.script("receiver.lua", { workers = { 1 } })
]]):format(QUOTES),

  -- The cache from handlers: the value is right, and the same for both askers.
  ["asker.lua"] = [[
local cache = tw.cache("squares", { entries = 50, ttl = 0.01, failures = 0.001 })
local function square(key)
  if key % 17 == 0 then error("no square of " .. key) end
  local tw = require "tw"
  if key % 5 == 0 then tw.sleep(0.0005) end
  return { key = key, square = key * key, text = ("x"):rep(key) }
end
function M:on_start() self.n, self.failed = 0, 0 end
function M:on_quote(seq)
  local key = (seq * 7 + self.params.seed) % 100
  local ok, value = cache:get(key, square):pawait()
  self.n = self.n + 1
  if not ok then
    self.failed = self.failed + 1
    assert(key % 17 == 0 and value.message:find("no square of " .. key, 1, true))
  else
    assert(value.key == key and value.square == key * key and #value.text == key)
  end
  if seq % 50 == 0 then cache:invalidate(key) end
end
function M:on_stop()
  local s = cache:stats()
  assert(s.hits + s.misses + s.coalesced >= self.n)
  print("asker", self.name, self.n)
end]],

  -- Tasks, a channel, messages, the board, jobs with a time limit and cancelled ones.
  ["sender.lua"] = [[
local out = tw.channel(16, { name = "numbers" })
function M:on_start()
  self.sent, self.sum, self.timeouts, self.n = 0, 0, 0, 0
end
local function slow(ms)
  local tw = require "tw"
  tw.sleep(ms / 1000)
  return ms
end
function M:on_quote(seq, symbol, bid)
  self.n = self.n + 1
  if seq % 3 == 0 then
    out:send { seq = seq, symbol = symbol }
    self.sent, self.sum = self.sent + 1, self.sum + seq
  end
  if seq % 10 == 0 then
    tw.publish("quotes", { seq = seq, list = { seq, seq + 1 } })
    require "tw.board".last = { seq = seq, bid = bid }
  end
  if seq % 40 == 0 then
    tw.task.scope(function(s)
      local a = s:spawn(function() return tw.pool.run(slow, 1):await() end)
      local b = s:spawn(function() tw.task.yield() return seq end)
      s:spawn(function()
        local v = tw.task.timeout(0.001, function()
          return tw.pool.run(slow, 1000):await()
        end)
        if v == nil then self.timeouts = self.timeouts + 1 end
      end)
      assert(a:await() == 1 and b:await() == seq)
    end)
    local caught = select(2, pcall(tw.task.scope, function(s)
      s:spawn(function() tw.sleep(10) end)
      s:spawn(function() tw.pool.run(function(n) error("job " .. n) end, seq):await() end)
    end))
    assert(tostring(caught):find("job " .. seq, 1, true), tostring(caught))
    self.n = self.n - 1 + tw.pool.reduce({ 1, 2, 3, 4 }, function(a, b) return a + b end,
                                         { chunk = 2 }) - 9
  end
end
function M:on_stop()
  out:close()
  print("sender", self.n, self.sent, self.sum, self.timeouts)
end]],

  ["receiver.lua"] = [[
local numbers = tw.channel(16, { name = "numbers" })
local board = require "tw.board"
function M:on_start()
  self.got, self.sum, self.messages = 0, 0, 0
  tw.task.detach(function()
    for v in numbers do
      self.got, self.sum = self.got + 1, self.sum + v.seq
      tw.publish("sum", { got = self.got, sum = self.sum })
    end
  end)
end
function M:on_message(topic, value)
  if topic ~= "quotes" then return end
  assert(value.list[1] == value.seq and value.list[2] == value.seq + 1)
  local last = board.last
  assert(last == nil or last.seq % 10 == 0)
  self.messages = self.messages + 1
end
function M:on_stop() print("receiver", self.messages) end]],
}

local sent, messages, jobs, n = 0, 0, 0, 0
for line in run.out:gmatch "[^\n]+" do
  local count, seen, sum, timeouts = line:match "^sender\t(%d+)\t(%d+)\t(%d+)\t(%d+)$"
  if count then
    n, sent, jobs = math.tointeger(count), math.tointeger(seen), math.tointeger(timeouts)
    t.ok(math.tointeger(sum) > 0, "the sender's sum")
  end
  messages = math.tointeger(line:match "^receiver\t(%d+)$") or messages
end
t.is(run.status, 0, "it ends well")
t.is(n, QUOTES, "every quote was handled by the sender")
t.ok(sent > QUOTES // 10, "it sent to the channel (" .. sent .. ")")
t.ok(messages > 0, "messages came (" .. messages .. ")")
t.ok(jobs > 0, "time limits ended waits (" .. jobs .. ")")
for i = 1, 2 do
  t.ok(run.out:find(("asker\tasker %d\t%d\n"):format(i, QUOTES), 1, true),
       "asker " .. i .. " asked for every quote")
end
if run.status ~= 0 then t.diag(run.err .. run.out) end
