--- halt: nothing passes a killed switch, at any kind of venue: the simulator, the book
-- and a gateway over FIX, in one app, whoever of them throws it.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "halt"

-- The far end of the session: takes all that comes, and tells what came.
put("venue.lua", [[
  local fix = require "tw.fix"
  local M = {}
  function M:on_fix(message, session)
    if message.MsgType == "AF" then return end        -- it asks what is open: nothing
    local m, n = message, (self.n or 0) + 1
    self.n = n
    print("venue", m.MsgType)
    local canceled = m.MsgType == "F"
    local status = canceled and "4" or "0"
    assert(fix.send(session, { MsgType = "8", OrderID = "1", ExecID = tostring(n),
      ClOrdID = m.ClOrdID, OrigClOrdID = m.OrigClOrdID, Symbol = m.Symbol,
      Side = m.Side, OrdStatus = status, ExecType = m.MsgType == "G" and "5" or status,
      OrderQty = m.OrderQty, Price = m.Price, LeavesQty = canceled and 0 or m.OrderQty,
      CumQty = 0, AvgPx = 0 }))
  end
  return M]])

-- Each has an order that rests and was changed once; then one of them halts all, and
-- tries to send, to change and to cancel before anything else can come, and the others
-- try when they see it.  When all orders have ended they go on, and the next one halts.
put("trader.lua", [[
  local tw, board = require "tw", require "tw.board"
  local NAMES <const> = { "simulator", "book", "gateway" }
  local M = {}
  local function all(what)
    for _, name in ipairs(NAMES) do
      if board[what .. name] ~= true then return false end
    end
    return true
  end
  function M:say(...) print(self.name, self.round, ...) end
  function M:reached(what) board[what .. self.round .. self.name] = true end
  function M:all(what) return all(what .. self.round) end
  function M:halts() return NAMES[self.round] == self.name end

  function M:on_start() self.round, self.step = 1, "begin" end

  local steps = {}
  function steps.begin(self)                -- again until somebody is there to take it
    if self.round > 1 and tw.is_halted() then return end
    self.step = "wait"
    self.rest = self:buy { symbol = "VV", quantity = 1, price = 1 }
  end
  function steps.wait() end
  function steps.rests(self)
    if self.round > #NAMES then self.step = "wait" return self:reached "over" end
    if not self:halts() then
      if not tw.is_halted() then return end
      self.step = "tried"
      self.late = self:buy { symbol = "VV", quantity = 1, price = 1 }
      return
    end
    if not self:all "rests" then return end
    self.step = "tried"
    tw.halt(self.name)
    self.late = self:buy { symbol = "VV", quantity = 1, price = 1 }
    self.rest:modify { price = 3 }
    self.rest:cancel()
  end
  function steps.tried(self)
    if self.late.status ~= "rejected" or self.rest.status ~= "canceled" then return end
    self:say("open", #self:orders())
    self:reached "ended"
    self.step = "ended"
  end
  function steps.ended(self)
    if not self:all "ended" then return end
    if self:halts() then tw.resume_trading() end
    self.round, self.step = self.round + 1, "begin"
  end

  function M:on_timer() steps[self.step](self) end
  function M:on_order(order, status, reason, price)
    if reason == "the gateway is not connected" then self.step = "begin" return end
    if order == self.late then
      if status ~= "pending_new" then self:say("new one", status, reason) end
    elseif reason then
      self:say("change", status, reason)
    elseif status == "canceled" then
      self:say "canceled"
    elseif status == "new" and price == 1 then
      order:modify { price = 2 }
    elseif status == "new" and price == 2 then
      self:say "rests"
      self:reached "rests"
      self.step = "rests"
    end
  end
  return M]])

put("watch.lua", [[
  local board = require "tw.board"
  local M = {}
  function M:on_timer()
    if self.told then return end
    for _, name in ipairs { "simulator", "book", "gateway" } do
      if not board["over4" .. name] then return end
    end
    self.told = true
    print "over"
  end
  return M]])

local port = apps.free_port()
put("app.lua", ([[
  local app = require "tw.app"
  app.limits { time = 15 }                          -- the machine may have much to do
  app.feed.timer { every = 0.02 }
  app.feed.synthetic { rate = 100, speed = 1 }      -- without it the simulator stands
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.script("trader.lua", { name = "simulator", account = { fill = "quote" } })
  app.script("trader.lua", { name = "book", account = { fill = "book" } })
  app.script("trader.lua", { name = "gateway", account = { gateway = "broker" } })
  app.script "venue.lua"
  app.script "watch.lua"
  app.fix.acceptor { port = %d, sessions = { { sender = "VENUE", target = "ME" } } }
  app.gateway.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
                    target = "VENUE", retry = 0.02 }]]):format(port, port))

local run = apps.until_shown(apps.tidewire .. " run app.lua --workers 2 --no-attach",
                             "over\n", dir)
local fine = t.ok(run.found, "three rounds, and orders pass after the last")

-- What each said in each round.
local NAMES <const> = { "simulator", "book", "gateway" }
for round, by in ipairs(NAMES) do
  for _, name in ipairs(NAMES) do
    local said = {}
    for line in run.out:gmatch "[^\n]+" do
      local what = line:match("^" .. name .. "\t" .. round .. "\t(.*)$")
      if what then said[what] = (said[what] or 0) + 1 end
    end
    local want = { rests = 1, canceled = 1, ["open\t0"] = 1,
                   ["new one\trejected\ttrading is halted"] = 1 }
    local who = ("halted by the %s, the %s: "):format(by, name)
    if name == by then
      local changes = 0
      for what, n in pairs(said) do
        if what:find "^change\t[^\t]*\ttrading is halted$" then
          changes = changes + n
          said[what] = nil
        end
      end
      fine = t.is(changes, 1, who .. "a change is refused") and fine
    end
    fine = t.same(said, want, who .. "a new order is refused, what rested is canceled")
           and fine
  end
end

-- What came through: of each round an order, its change and its cancel, and the last
-- round's, which nobody halts.
local came = { D = 0, F = 0, G = 0 }
for kind in run.out:gmatch "venue\t(%w+)\n" do came[kind] = (came[kind] or 0) + 1 end
fine = t.same(came, { D = 4, G = 4, F = 3 }, "the venue sees none of what was refused")
       and fine
if not fine then t.diag(run.all) end

-- ---- nothing comes ----

-- A gateway does not wait for the market: there is no feed when another script halts.
put("quiet.lua", [[
  local board = require "tw.board"
  local M = {}
  function M:send()
    self.rest = self:buy { symbol = "VV", quantity = 1, price = 1 }
  end
  M.on_start = M.send
  function M:on_order(order, status, reason)
    if status == "rejected" then self:send() end      -- not connected yet
    if status == "new" and not reason then board.rests = true end
    if status == "canceled" then print "canceled" end
  end
  return M]])
put("halter.lua", [[
  local tw, board, task = require "tw", require "tw.board", require "tw.task"
  local M = {}
  function M:on_start()
    while not board.rests do task.sleep(0.01) end
    task.sleep(0.2)             -- all that comes of it is read
    tw.halt()
  end
  return M]])
put("quiet_app.lua", ([[
  local app = require "tw.app"
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.script("quiet.lua", { account = { gateway = "broker" } })
  app.script "venue.lua"
  app.script "halter.lua"
  app.fix.acceptor { port = %d, sessions = { { sender = "VENUE", target = "ME" } } }
  app.gateway.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
                    target = "VENUE", retry = 0.02 }]]):format(port, port))
run = apps.until_shown(apps.tidewire .. " run quiet_app.lua --workers 3 --no-attach",
                       "canceled\n", dir)
if not t.ok(run.found, "a gateway cancels at once, though no record comes") then
  t.diag(run.all)
end

t.done()
