--- fix_ending: the last words of scripts go out before their FIX sessions log out.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

-- MsgTypes of a message log, in one direction, that are not of the session's start.
local function types(directory, way)
  local list = {}
  for line in io.lines(directory .. "/log/venue.log") do
    local code = line:match("^%S+ " .. way .. " .-\00135=(%w+)\001")
    if code and code ~= "A" then list[#list + 1] = code end
  end
  return table.concat(list, " ")
end

-- The script's process is told to end when the session is up; what it sends in on_stop,
-- at once and after a wait, comes before its Logout.  Sessions wait for each other's
-- Logout, however slow the machine is: logout_timeout is none here.
do
  local at = apps.free_port()
  local directory, command = apps.write { args = { "--workers", "1" }, app = ([[
    app.fix.acceptor { port = %d, sessions = { { name = "venue", sender = "VENUE",
      target = "ME", logout_timeout = 60, log = here .. "log" } } }
    app.fix.session { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
      target = "VENUE", logout_timeout = 60, retry = 0.1 }
    app.script "s.lua"]]):format(at, at), ["s.lua"] = [[
    local fix = tw.fix
    local function news(text)
      assert(fix.send("broker", { MsgType = "B", Headline = text,
                                  NoLinesOfText = { { Text = text } } }))
    end
    function M:on_fix_event(session, event)
      if session == "broker" and event == "logged_on" then
        os.execute "kill $PPID"
      end
    end
    function M:on_stop()
      print("at the end", fix.status "broker".state)
      for i = 1, 100 do news "first" end
      tw.sleep(0.05)
      news "last"
    end]] }
  local run = apps.shell("timeout -k 1 120 " .. command)
  t.is(run.status, 143, "the run was told to end")
  t.ok(run.out:find "at the end%s+up", "sessions are up in on_stop")
  t.ok(run.err:find "session +state.+next out +in +out +queue +logons\n"
       and run.err:find "broker +down +2?3? +3 +104 +2 +103 +0 +1\n",
       "the summary has the figures of sessions")
  t.is(types(directory, "<"), ("B "):rep(101) .. "5", "its messages go before its Logout")
  if not t.is(types(directory, ">"), "5", "which is answered") then t.diag(run.err) end
end

-- An order is cancelled in on_stop: the venue is asked before the Logout.
do
  local at = apps.free_port()
  local directory, command = apps.write { args = { "--workers", "1" }, app = ([[
    app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
    app.fix.acceptor { port = %d, sessions = { { name = "venue", sender = "VENUE",
      target = "ME", orders = true, logout_timeout = 60, log = here .. "log" } } }
    app.gateway.fix { name = "gate", host = "127.0.0.1", port = %d, sender = "ME",
      target = "VENUE", logout_timeout = 60, retry = 0.1 }
    app.feed.timer { every = 0.03 }
    app.script("taker.lua", { account = { gateway = "gate" } })]]):format(at, at),
    files = { ["taker.lua"] = [[
    local M = require "tw.strategy".new { doc = "an order, and the end" }
    function M:on_timer()
      if self.o or require "tw.fix".status "gate".state ~= "up" then return end
      self.o = self:buy { symbol = "VV", quantity = 2, price = 100 }
    end
    function M:on_order(status)
      if status == "new" then os.execute "kill $PPID" end
      if status == "rejected" then self.o = nil end    -- it is up, and not yet told
    end
    function M:on_stop() self.o:cancel() end
    return M]] } }
  local run = apps.shell("timeout -k 1 120 " .. command)
  t.is(run.status, 143, "a run with an open order was told to end")
  local all = types(directory, "<")
  if not t.ok(all:find "D F 5$", "a cancel in on_stop reaches the venue") then
    t.diag(all .. "\n" .. run.err)
  end
end

-- Their answers are waited for: what trades meanwhile is told, and the next run has it.
do
  local processes = require "processes"
  local at <const> = apps.free_port()
  local p <const> = processes.open((apps.folder "answers"))
  p.put("late.lua", [[
    local fix = require "tw.fix"
    local M = {}
    local id
    local function report(m)
      m.MsgType, m.OrderID, m.Symbol, m.Side, m.OrderQty = "8", "X", "VV", "1", 9
      m.AvgPx = 99
      assert(fix.send("venue", m))
    end
    function M:on_fix(message)
      if message.MsgType == "D" then
        id = message.ClOrdID
        report { ClOrdID = id, ExecID = "n", ExecType = "0", OrdStatus = "0",
                 CumQty = 0, LeavesQty = 9 }
      elseif message.MsgType == "F" then
        report { ClOrdID = id, ExecID = "t", ExecType = "F", OrdStatus = "1",
                 CumQty = 4, LeavesQty = 5, LastQty = 4, LastPx = 99 }
        report { ClOrdID = message.ClOrdID, OrigClOrdID = id, ExecID = "c",
                 ExecType = "4", OrdStatus = "4", CumQty = 4, LeavesQty = 0 }
      end
    end
    return M]])
  p.put("venue.lua", ([[
    local app = require "tw.app"
    app.script "late.lua"
    app.fix.acceptor { port = %d, sessions = { { name = "venue", sender = "VENUE",
      target = "ME" } } }]]):format(at))
  p.put("taker.lua", [[
    local M = require "tw.strategy".new { doc = "an order, once, and the end" }
    function M:on_timer()
      local held = self:position "VV"
      if held > 0 then print("it holds", held) os.execute "kill $PPID" end
      if held > 0 or self.o then return end
      if require "tw.fix".status "gate".state ~= "up" then return end
      self.o = self:buy { symbol = "VV", quantity = 9, price = 100 }
    end
    function M:on_order(status)
      if status == "new" then os.execute "kill $PPID" end
      if status == "rejected" then self.o = nil end
    end
    function M:on_stop() if self.o then self.o:cancel() end end
    return M]])
  p.put("trader.lua", ([[
    local app = require "tw.app"
    app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
    app.gateway.fix { name = "gate", host = "127.0.0.1", port = %d, sender = "ME",
      target = "VENUE", retry = 0.1, store = "store" }
    app.feed.timer { every = 0.03 }
    app.script("taker.lua", { account = { gateway = "gate" } })]]):format(at))
  local venue <const> = p.run "venue"
  local trader = p.run "trader"
  t.ok(p.await(trader, "memory: "), "a run with an order ends")
  local out <const> = p.read "trader.out"
  t.ok(out:find("bought 4 of VV at 99: its script has ended and has not heard of it; the"
                .. " next run books it", 1, true) or out:find "taker +%d+ +%d+ +%d+ +1 ",
       "a trade that comes then is told, or heard")
  t.ok(not out:find("without an answer", 1, true), "the cancel was answered")
  os.remove(p.directory .. "/trader.out")
  trader = p.run "trader"
  t.ok(p.await(trader, "it holds"), "the next run has it")
  p.kill(venue, "TERM")
end

t.done()
