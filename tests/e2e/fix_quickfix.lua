--- fix_quickfix: orders by FIX.4.2 and 4.4 through the program, against QuickFIX: both
--- ways, over a dropped connection and kill -9, and in the end both sides have the same
--- numbers.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local processes, quickfix = require "processes", require "quickfix"

if not quickfix.is_there() then return t.done() end

local p = processes.open(apps.folder "quickfix")
local put, read, start, kill = p.put, p.read, p.start, p.kill
local count, await = p.count, p.await_count
local RUN <const> = "exec " .. apps.tidewire .. " run %s.lua --seconds 300 --no-attach"

-- The highest MsgSeqNum of our log that went in or out; it is of one session.
local function last_number(name, sender)
  local last = 0
  for message in read(name):gmatch "8=FIX[^\n]*" do
    local number = math.tointeger(message:match "[\1|]34=(%d+)")
    local from = message:match "[\1|]49=(%a+)"
    if from == sender then last = math.max(last, number) end
  end
  return last
end

-- Both at rest: QuickFIX's numbers are those after the last ones of our log.
local function agree(name, q, log)
  local said, ours
  processes.wait(function()
    q.tell "numbers"
    for line in read(q.name .. ".out"):gmatch "numbers [%d ]+" do said = line end
    ours = ("numbers %d %d"):format(1 + last_number(log, "TW"),
                                    1 + last_number(log, "QF"))
    return said == ours
  end)
  t.is(said, ours, name .. ": both have the same numbers")
end

-- ---- scripts ----

put("taker.lua", [[
  local M = require "tw.strategy".new { doc = "an order when the one before is filled" }
  function M:on_timer()
    if not self.waits then self.waits = self:buy { symbol = "AAPL", quantity = 10 } end
  end
  function M:on_order(status)
    if status ~= "new" then self.waits = nil end
  end
  function M:on_fill(symbol, side, quantity, price)
    print("filled", symbol, side, quantity, price)
  end
  return M]])

put("maker.lua", [[
  local M = require "tw.strategy".new { doc = "quotes both sides" }
  function M:on_timer()
    if self.is_there then return end
    self.is_there = true
    self:buy { symbol = "AAPL", quantity = 100000, price = 187 }
    self:sell { symbol = "AAPL", quantity = 100000, price = 188 }
  end
  return M]])

put("holder.lua", [[
  local M = require "tw.strategy".new { doc = "one order, and what files say of it" }
  local function is_there(name)
    local file <close> = io.open(name)
    return file ~= nil
  end
  function M:on_timer()
    if not is_there "bought" then
      io.open("bought", "w"):close()
      self:buy { symbol = "AAPL", quantity = 10, price = 187 }
    end
    local o = self:orders()[1]
    for i, act in ipairs {
      function() o:modify { quantity = 20, price = 188 } end,
      function() o:modify { price = 189 } end,
      function() o:cancel() end,
      function() o:cancel() end,
    } do
      if o and is_there("act" .. i) then
        os.remove("act" .. i)
        act()
      end
    end
  end
  function M:on_order(status, reason, filled, quantity, price, text, code)
    if status == "rejected" then os.remove "bought" end   -- not logged on yet
    print("order", status, reason, filled, quantity, price, text, code)
  end
  function M:on_fill(quantity)
    print(("fill %g holds %g"):format(quantity, self:position "AAPL"))
  end
  return M]])

local VERSIONS <const> = { "FIX.4.4", "FIX.4.2" }
local version                            -- that of which it is
local function ok(holds, what) return t.ok(holds, version .. ": " .. what) end

-- An app of the version, NAME44.lua: its name.
local function app(name, text, port)
  name = name .. version:gsub("%D", "")
  put(name .. ".lua", [[
    local app = require "tw.app"
    app.feed.timer { every = 0.02 }
    app.instruments { { symbol = "AAPL", tick_size = 0.01, lot_size = 1 } }
    ]] .. text:gsub("%$(%u+)", { NAME = name, PORT = port, VERSION = version }))
  return name
end

-- ---- our strategy trades at QuickFIX ----

local function we_trade()
  local port = apps.free_port()
  local name = app("out", [[
    app.script("taker.lua", { account = { gateway = "broker" } })
    app.gateway.fix { name = "broker", host = "127.0.0.1", port = $PORT, sender = "TW",
      target = "QF", version = "$VERSION", heartbeat = 5, retry = 0.02,
      mass_status = false, store = "$NAME.store", log = "$NAME.log" }]], port)
  local q = quickfix.start(p, "acceptor", version, port)
  local ours = start(name, RUN:format(name))
  local traded = await(ours, "filled\tAAPL\tbuy\t10.0\t187.5", 5)
  ok(traded, "our initiator logs on to QuickFIX, and trades")
  q.tell "drop"
  ok(traded and await(q, "logon", 2) and await(ours, "filled", count(ours, "filled") + 5),
     "it trades on after the other hung up")
  kill(ours, 9)
  local before = count(ours, "filled")
  ours = start(name, RUN:format(name))
  ok(traded and await(ours, "filled", before + 5), "and after kill -9")
  kill(ours, "TERM")
  agree(version .. ": our initiator", q, name .. ".log/broker.log")
  ok(not read(q.name .. ".out"):find "skips", "QuickFIX has missed nothing")
  q.close()
end

-- ---- QuickFIX trades at our venue ----

local function it_trades()
  local port = apps.free_port()
  local name = app("in", [[
    app.script("maker.lua", { account = { fill = "book" } })
    app.fix.acceptor { port = $PORT, sessions = { { name = "venue", sender = "TW",
      target = "QF", version = "$VERSION", orders = true, store = "$NAME.store",
      log = "$NAME.log" } } }]], port)
  local ours = start(name, RUN:format(name))
  local q = quickfix.start(p, "initiator", version, port)
  ok(await(q, "logon", 1), "QuickFIX logs on to our acceptor")
  q.tell "send 1"
  ok(await(q, "fill 1", 1), "and hears of its order")
  q.tell "drop"
  ok(await(q, "logon", 2), "it comes back after it hung up")
  q.tell "send 2"
  ok(await(q, "fill 2", 1), "and trades")
  kill(ours, 9)
  q.tell "send 3"
  ours = start(name, RUN:format(name))
  ok(await(q, "logon", 3) and await(q, "fill 3", 1), "and after kill -9, what it had said"
     .. " meanwhile too")
  q.tell "logout"                        -- or it would go on to use up numbers
  agree(version .. ": our acceptor", q, name .. ".log/venue.log")
  kill(ours, "TERM")
  q.close()
end

-- ---- an order's life at QuickFIX: changes, refusals, and both of us killed ----

local function lives()
  local port = apps.free_port()
  local name = app("hold", [[
    app.script("holder.lua", { account = { gateway = "broker" } })
    app.gateway.fix { name = "broker", host = "127.0.0.1", port = $PORT, sender = "TW",
      target = "QF", version = "$VERSION", heartbeat = 5, retry = 0.02,
      store = "$NAME.store" }]], port)
  local function act(i) put("act" .. i, "") end
  local q
  local function venue(times)
    q = quickfix.start(p, "acceptor", version, port, "venue" .. version)
    q.tell "hold"
    return await(q, "holds", times)
  end

  os.remove(p.directory .. "/bought")
  ok(venue(1), "QuickFIX keeps orders")
  local ours = start(name, RUN:format(name))
  ok(await(ours, "order\tnew\tnil\t0.0\t10.0\t187.0", 1), "an order rests at QuickFIX")
  q.tell "trade 4"
  ok(await(ours, "fill 4 holds 4", 1), "a part of it trades")
  act(1)
  ok(await(ours, "order\tpartially_filled\tnil\t4.0\t20.0\t188.0", 1), "it is replaced")
  q.tell "deny"
  ok(await(q, "denies", 1), "it will refuse a change")
  act(2)
  ok(await(ours, "order\tpartially_filled\tthe venue refused it\t4.0\t20.0\t188.0\t"
           .. "not now\t3", 1), "a change that is refused, in its words")
  q.tell "deny"
  ok(await(q, "denies", 2), "and one more")
  act(3)
  ok(await(ours, "order\tpartially_filled\tthe venue refused it\t4.0\t20.0\t188.0\t"
           .. "not now\t3", 2), "and a cancel")
  kill(q, 9)
  q.close()
  -- 4.2 has no question for all of them.
  local question = version == "FIX.4.2" and "status" or "mass"
  local asked = count(q, question)
  ok(venue(2) and await(q, question, asked + 1), "killed, it is asked for what is open")
  q.tell "trade 6"
  ok(await(ours, "fill 6 holds 10", 1), "and trades on")
  kill(ours, 9)
  q.tell "trade 1"
  ours = start(name, RUN:format(name))
  local former = "order\tpartially_filled\tit was sent by a former run\t10.0\t20.0\t188.0"
  ok(await(ours, former, 1) and await(ours, "fill 1 holds 11", 1),
     "we are killed: it is here again")
  act(4)
  ok(await(ours, "order\tcanceled\tnil\t11.0\t20.0\t188.0", 1), "and can be canceled")
  ok(not read(name .. ".out"):find("nobody here has sent", 1, true), "all of it is known")
  kill(ours, "TERM")
  q.close()
end

for _, one in ipairs(VERSIONS) do
  version = one
  we_trade()
  it_trades()
  lives()
end

t.done()
