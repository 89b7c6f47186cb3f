--- yields: what the documentation says under Yields and Blocks is what happens.
--
-- Each function of the modules that have to do with waiting is called in a task beside
-- another that is ready: did that one run meanwhile?  And of one that neither yields nor
-- blocks, did the thread sleep?  A function that is documented and stands not in the list
-- below fails the test.

local t = require "tw.test"
local bundle = require "tw.bundle"
local tw = require "tw"
local task, pool = tw.task, tw.pool

local function others_ran(f)
  local ran
  task.scope(function(s)
    s:spawn(function()
      local other = false
      s:spawn(function() other = true end)
      f(s)
      ran = other
    end)
  end)
  return ran
end

-- How often this thread has given up the processor to wait.
local function waits()
  for line in io.lines "/proc/thread-self/status" do
    local n = line:match "^voluntary_ctxt_switches:%s*(%d+)"
    if n then return tonumber(n) end
  end
end

-- Once may be a lock that another thread held for a moment; what blocks does it always.
local function blocked(f)
  for _ = 1, 20 do
    local before, after
    task.scope(function(s)
      before = waits()
      f(s)
      after = waits()
    end)
    if after == before then return false end
  end
  return true
end

local path = os.tmpname()
local cache = tw.cache("yields", { entries = 10 })
local function load() return 1 end

-- A future that a task settles which is not yet running.
local function coming(s)
  local p = tw.promise()
  s:spawn(function() p:resolve(1) end)
  return p.future
end
-- A function for the pool that ends when such a task lets it.
local function gated(s)
  local gate = tw.channel(8)
  s:spawn(function() for _ = 1, 4 do gate:send(1) end end)
  return function() return gate:recv() end
end
local function full()
  local ch = tw.channel(1)
  ch:send(1)
  return ch
end
cache:get("key", load):await()
local fix = require "tw.fix"
local heartbeat = fix.message(fix.encode { MsgType = "0" })
local semaphore, done = task.semaphore(1), pool.run(load)
done:await()

-- Each where it would have to wait, if it waits for anything.
local calls = {
  ["tw.sleep"] = function() tw.sleep(0.001) end,
  ["tw.all"] = function(s) tw.all { coming(s) } end,
  ["tw.any"] = function(s) tw.any { coming(s) } end,
  ["tw.race"] = function(s) tw.race { coming(s) } end,
  ["tw.select"] = function() tw.select({ tw.channel(1) }, 0.001) end,
  ["tw.promise"] = function() tw.promise() end,
  ["tw.freeze"] = function() tw.freeze { 1, { 2 } } end,
  ["tw.thaw"] = function() tw.thaw(tw.freeze { 1 }) end,
  ["tw.now"] = tw.now,
  ["tw.file"] = function() tw.file "tests/apps.lua" end,
  ["tw.persist"] = function() tw.persist("yields", 1, {}) end,
  ["tw.clock"] = tw.clock,
  ["tw.ps"] = function() tw.ps() end,
  ["tw.supervise"] = function() tw.supervise { function() tw.sleep(0.001) end } end,
  ["tw.channel"] = function() tw.channel(1) end,
  ["tw.channel.list"] = function() tw.channel.list() end,
  ["channel:send"] = function() full():send(2, 0.001) end,
  ["channel:recv"] = function() tw.channel(1):recv(0.001) end,
  ["channel:try_send"] = function() full():try_send(2) end,
  ["channel:try_recv"] = function() tw.channel(1):try_recv() end,
  ["channel:close"] = function() full():close() end,
  ["channel:stats"] = function() full():stats() end,
  ["future:await"] = function(s) coming(s):await() end,
  ["future:pawait"] = function(s) coming(s):pawait() end,
  ["future:peek"] = function() done:peek() end,
  ["future:cancel"] = function(s) coming(s):cancel() end,
  ["promise:resolve"] = function() tw.promise():resolve(1) end,
  ["promise:reject"] = function()
    local p = tw.promise()
    p:reject "no"
    p.future:peek()
  end,
  ["task:await"] = function(s) s:spawn(task.yield):await() end,
  ["scope:spawn"] = function(s) s:spawn(load) end,
  ["scope:spawn_on"] = function(s) s:spawn_on("pool", load) end,
  ["scope:cancel"] = function() task.scope(function(s) s:cancel() end) end,
  ["task.scope"] = function() task.scope(function(s) s:spawn(load) end) end,
  ["task.timeout"] = function() task.timeout(1, task.yield) end,
  ["task.shield"] = function() task.shield(task.yield) end,
  ["task.detach"] = function() task.detach(load) end,
  ["task.sleep"] = function() task.sleep(0.001) end,
  ["task.yield"] = task.yield,
  ["task.remaining"] = function() task.remaining() end,
  ["task.semaphore"] = function() task.semaphore(1) end,
  ["semaphore:acquire"] = function()
    local held <close> = semaphore:acquire()
    semaphore:acquire(0.001)
  end,
  ["permit:release"] = function() semaphore:acquire():release() end,
  ["pool.run"] = function() pool.run(load) end,
  ["pool.map"] = function(s) pool.map({ 1, 2 }, gated(s)) end,
  ["pool.each"] = function(s) pool.each({ 1, 2 }, gated(s)) end,
  ["pool.reduce"] = function(s) pool.reduce({ 1, 2 }, gated(s), { chunk = 2 }) end,
  ["pool.status"] = function() pool.status() end,
  ["pool.configure"] = function() pcall(pool.configure, { threads = 1 }) end,
  ["tw.cache"] = function() tw.cache("yields") end,
  ["tw.cache.list"] = function() tw.cache.list() end,
  ["tw.cache.simulate"] = function() tw.cache.simulate({ 1, 2 }, { "lru" }, { 1 }) end,
  ["cache:get"] = function() cache:get("new", load) end,
  ["cache:get_all"] = function() cache:get_all({ "a" }, function() return { 1 } end) end,
  ["cache:peek"] = function() cache:peek "key" end,
  ["cache:put"] = function() cache:put("put", 1) end,
  ["cache:remove"] = function() cache:remove "put" end,
  ["cache:invalidate"] = function() cache:invalidate "put" end,
  ["cache:invalidate_tag"] = function() cache:invalidate_tag "tag" end,
  ["cache:invalidate_prefix"] = function() cache:invalidate_prefix "p" end,
  ["cache:invalidate_if"] = function() cache:invalidate_if(function() end) end,
  ["cache:invalidate_all"] = function() cache:invalidate_all() end,
  ["cache:inspect"] = function() cache:inspect() end,
  ["cache:stats"] = function() cache:stats() end,
  ["cache:on_removal"] = function() cache:on_removal(nil) end,
  ["cache:dump"] = function() cache:dump(path) end,
  ["cache:load"] = function() cache:load(path) end,
  ["fix.decode"] = function() fix.decode "8=FIX.4.4|" end,
  ["fix.message"] = function() fix.message "8=FIX.4.4|" end,
  ["fix.encode"] = function() fix.encode { MsgType = "0" } end,
  ["fix.send"] = function() pcall(fix.send, "none", {}) end,
  ["fix.status"] = function() pcall(fix.status) end,
  ["fix.enable"] = function() pcall(fix.enable, "none") end,
  ["fix.logout"] = function() pcall(fix.logout, "none") end,
  ["fix.logon"] = function() pcall(fix.logon, "none", {}) end,
  ["fix.reset"] = function() pcall(fix.reset, "none") end,
  ["fix.set_numbers"] = function() pcall(fix.set_numbers, "none", 1, 1) end,
  ["fix.remove"] = function() pcall(fix.remove, "none") end,
  ["fix.add"] = function() pcall(fix.add, {}) end,
  ["message:text"] = function() heartbeat:text "MsgType" end,
  ["message:bytes"] = function() heartbeat:bytes() end,
}

-- What has no task to wait in, or a run behind it (tests/lua/tw.lua).
local elsewhere = { ["tw.book"] = true, ["tw.publish"] = true, ["tw.instrument"] = true,
                    ["tw.instruments"] = true, ["tw.reload"] = true,
                    ["tw.rollback"] = true, ["tw.halt"] = true,
                    ["tw.resume_trading"] = true, ["tw.is_halted"] = true,
                    ["fix.main"] = true }

-- The documented functions: whether they yield, and those that never block.
local documented, prompt = {}, {}
local function read(block)
  local name = block:match "^([%w_]+[.:][%w_.]*)[%s({,]"
  local yields = block:match "Yields: (%w+)"
  if not name or not yields then return end
  documented[name] = yields ~= "no"
  prompt[name] = yields == "no" and block:match "Blocks: (%w+)" == "no"
end
for block in bundle.read "reference":gmatch "/%*(.-)%*/" do
  read((block:gsub("^[%s*]+", ""):gsub("^%[[^%]]*%]%s*", "")))
end
for _, module in ipairs { "task", "pool", "ps", "supervise", "fix" } do
  local block
  for line in bundle.read("tw." .. module):gmatch "([^\n]*)\n" do
    if line:find "^%-%-%- " then block = line:sub(5)
    elseif block and line:find "^%-%-" then block = block .. line:sub(3) .. "\n"
    elseif block then
      read(block)
      block = nil
    end
  end
end

local OURS = { tw = true, channel = true, future = true, promise = true, task = true,
               scope = true, semaphore = true, permit = true, pool = true, cache = true,
               fix = true, message = true }
local names = {}
for name in pairs(documented) do
  if OURS[name:match "^%w+"] and not elsewhere[name] then names[#names + 1] = name end
end
table.sort(names)
local tested = 0
for _, name in ipairs(names) do
  local call = calls[name]
  if not call then
    t.ok(false, name .. " is documented and not tested")
  else
    local ok, ran = pcall(others_ran, call)
    t.is(ok and ran or ran, documented[name],
         name .. (documented[name] and " yields" or " doesn't yield"))
    if prompt[name] then
      t.ok(not blocked(call), name .. " doesn't block")
      tested = tested + 1
    end
    calls[name] = nil
  end
end
t.is(next(calls), nil, "all that is tested is documented")
t.ok(#names > 50, "there are many of them (" .. #names .. ")")
t.ok(tested > 20, "and many that never block (" .. tested .. ")")
t.ok(blocked(function() io.popen("sleep 0.001"):close() end), "what blocks is found out")
os.remove(path)
