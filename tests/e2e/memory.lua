--- memory: whichever allocation fails, the run ends in order or goes on.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local _, command = apps.write {
  app = [[
    app.sectors { tech = { "AAPL", "GOOG" } }
    app.tape { capacity = 1024 }
    app.feed.synthetic { speed = 0, limit = 200 }
    app.script("s.lua", { shard = "symbol", symbols = { "A*", "G*" } })]],
  ["s.lua"] = [[
    function M.on_quote(symbol, bid)
      board[symbol] = bid
      tw.publish("bid", { symbol = symbol, bid = bid })
    end
    function M.on_message(value) local _ = value.bid end]] }

local refused, carried = 0, 0

local function try(n)
  local run = apps.shell("TW_FAIL=" .. n .. " " .. command)
  local why = run.err:match("^tidewire: [^\n]*not enough memory[^\n]*\n")
  if run.status == 1 and why then refused = refused + 1 end
  if run.status == 0 then carried = carried + 1 end
  if not (run.status == 0 or run.status == 1 and run.err ~= "") then
    t.is(run.status, "0, or 1 and a line", "allocation " .. n .. " fails")
    t.diag(run.err)
  end
end
for n = 1, 30 do try(n) end
for n = 31, 4000, 101 do try(n) end
t.ok(refused > 10, "a run that can't begin says so (" .. refused .. " times)")
t.ok(carried > 10, "one that can collect garbage goes on (" .. carried .. " times)")

-- All that states share, in a plain program: nothing is lost, stuck or left.

local directory = apps.write { files = { ["plain.lua"] = [[
  local tw = require "tw"
  local cache = tw.cache("c", { entries = 10 })
  local ch = tw.channel(2)
  tw.task.scope(function(s)
    s:spawn(function() for v in ch do assert(v.n) end end)
    s:spawn(function()
      for n = 1, 5 do ch:send { n = n } end
      ch:close()
    end)
    local f = tw.pool.run(function(t) return { t.x + 1 } end, { x = 1 })
    local g = cache:get("key", function(key) return key .. "!" end)
    assert(tw.all({ f, g })[1][1] == 2)
    assert(tw.task.timeout(5, function() return g:await() end) == "key!")
    assert(tw.pool.map({ 1, 2, 3 }, function(x) return x * x end)[3] == 9)
  end)
  print "fine"]] } }
local plain = ("timeout 120 %s %s/plain.lua"):format(apps.tidewire, directory)
local failed, fine = 0, 0

local function try_plain(n)
  local run = apps.shell("TW_FAIL=" .. n .. " " .. plain)
  if run.status == 0 and run.out == "fine\n" then fine = fine + 1
  -- "Not enough memory", "no memory", "without memory": as suits what was being done.
  elseif (run.status == 1 or run.status == 2) and run.err:find "memory" then
    failed = failed + 1
  else
    t.is(run.status, "0, or a line", "plain program: allocation " .. n .. " fails")
    t.diag(run.err .. run.out)
  end
end
for n = 1, 30 do try_plain(n) end   -- while it opens: each is an error
for n = 31, os.getenv "SMALL" and 3000 or 6000, 31 do try_plain(n) end
t.ok(failed > 20, "a failed allocation is an error (" .. failed .. " times)")
t.ok(fine > 5, "or garbage is collected and it goes on (" .. fine .. " times)")
