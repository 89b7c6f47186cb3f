-- reach: whatever a script calls, and with whatever, nothing crashes, hangs or is lost.
--
-- tests/crawl.lua calls all that a script can reach, as one that the app trusts and as
-- one that it does not.  For long, best with a sanitizer:
--   REACH="1000 1100" CALLS=20 TIDEWIRE=build-address-undefined/tidewire \
--     tidewire test tests/e2e/reach.lua

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local SMALL = os.getenv "SMALL"
local FIRST, LAST = (os.getenv "REACH" or SMALL and "1 1" or "1 2"):match "^(%d+) (%d+)$"
local CALLS = os.getenv "CALLS" or SMALL and 1 or 2     -- of each function
local LEAST <const> = 600                                -- functions

local APP = [[
local app = require "tw.app"
app.tape { capacity = 4096 }
app.limits { time = 600, memory = 128 }
app.pool { threads = 1, memory = 64 }
app.script("s.lua", { trusted = %s, symbols = { "AAPL" }, account = { cash = 1000 } })
app.feed.synthetic { speed = 0, limit = 100 }
]]

local SCRIPT = [[
local tw = require "tw"
local crawl = require "crawl"
local M = {}

local MAKERS = {
  account = function(self) return self.account end,
  array = function() return tw.array.new(3) end,
  board = function() return tw.board end,
  book = function() return tw.book "AAPL" end,
  cache = function() return tw.cache("c", { entries = 4 }) end,
  channel = function() return tw.channel(2, { name = "jobs" }) end,
  error = function() return select(2, pcall(tw.task.scope, function() error "e" end)) end,
  file = function() return assert(io.tmpfile()) end,
  frozen = function() return tw.freeze { a = { 1, 2 }, b = "x" } end,
  future = function() return tw.pool.run("math.abs", 1) end,
  latest = function() return tw.channel(2, { full = "latest", key = "k" }) end,
  message = function()
    return tw.fix.message("8=FIX.4.4\0019=5\00135=0\00110=163\001")
  end,
  order = function(self)
    return self:buy { symbol = "AAPL", quantity = 1, price = 1 }
  end,
  promise = function() return tw.promise() end,
  scope = function()
    local it
    tw.task.scope(function(s) it = s end)
    return it
  end,
  semaphore = function() return tw.task.semaphore(1) end,
  stat = function() return tw.stat.mean("mid", { window = 10 }) end,
  task = function()
    local it
    tw.task.scope(function(s) it = s:spawn(function() end) end)
    return it
  end,
}

local function shown(value)
  if type(value) == "string" then return ("%%q"):format(value:sub(1, 40)) end
  return type(value) == "number" and tostring(value) or type(value)
end

function M.on_quote(self, quote)
  if self.done then return end
  self.done = true
  local objects, names = { self = self, quote = quote }, {}
  for name in pairs(MAKERS) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do objects[name] = MAKERS[name](self) end
  local log = assert(io.open("calls.txt", "w"))
  log:setvbuf "no"
  local write, format, concat = log.write, string.format, table.concat
  print(("crawled %%d %%d %%d"):format(crawl { seed = %d, calls = %d, objects = objects,
    trace = function(path, args)
      local texts = {}
      for i = 1, args.n do texts[i] = shown(args[i]) end
      write(log, format("%%s(%%s)\n", path, concat(texts, ", ")))
    end }))
end
return M
]]

-- So much memory is refused, not waited for; a sanitizer's program has its own way.
local SANE <const> = "ASAN_OPTIONS=$ASAN_OPTIONS:allocator_may_return_null=1"
  .. ":max_allocation_size_mb=2000 TSAN_OPTIONS=$TSAN_OPTIONS:allocator_may_return_null=1"
  .. ":max_allocation_size_mb=2000"
local limit = (apps.has "asan" or apps.has "tsan") and "" or "ulimit -v 8000000;"

local function try(seed, trusted)
  local name = ("%s, seed %d"):format(trusted and "trusted" or "not trusted", seed)
  local directory, put = apps.folder(("%s%d"):format(trusted, seed))
  put("app.lua", APP:format(trusted))
  put("s.lua", SCRIPT:format(seed, CALLS))
  put("crawl.lua", apps.read "tests/crawl.lua")
  put("small.lua", "return { on_quote = function() end }")
  put("data.csv", "time,symbol,bid,ask\n1000000084,A,1,2\n1000000085,A,1,3\n")
  local run = apps.shell(("cd %s; %s ulimit -c 0; %s timeout 800 %s run app.lua "
    .. "--workers 1"):format(directory, limit, SANE, apps.tidewire))
  local first, _, calls = run.out:match "crawled (%d+) (%d+) (%d+)\n"
  local found = (run.out .. run.err):match "[^\n]*Sanitizer.*"
                or (run.out .. run.err):match "[^\n]*runtime error:.*"
  if not t.ok(first and tonumber(first) >= LEAST and not found
              and (run.status == 0 or run.status == 1),
              ("%s: %s calls of all that is reached"):format(name, calls)) then
    local last
    local log <close> = io.open(directory .. "/calls.txt")
    for line in log and log:lines() or function() end do last = line end
    t.diag(("status %s, the last call: %s\n%s"):format(run.status, last, found
           or run.err:sub(-3000)))
  end
end

for seed = FIRST, LAST do
  for _, trusted in ipairs { false, true } do try(seed, trusted) end
end
t.done()
