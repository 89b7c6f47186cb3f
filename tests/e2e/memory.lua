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
