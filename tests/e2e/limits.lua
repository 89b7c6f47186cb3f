--- limits: those of all scripts together hold in a live run, where scripts of several
-- workers trade at a real venue.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "limits"

local p = require "processes".open(dir)

-- The venue: quotes both sides, and lower ones when somebody has bought.
put("maker.lua", [[
  local M = {}
  local function quotes(self, bid, ask)
    self:cancel()
    self:buy { symbol = "VV", quantity = 1000, price = bid }
    self:sell { symbol = "VV", quantity = 1000, price = ask }
  end
  function M:on_timer()
    if not self.is_there then quotes(self, 99, 101) end
    self.is_there = true
  end
  function M:on_fill() quotes(self, 89, 91) end
  return M]])

-- Two scripts make these steps, one after the other: who, what is done, and when it is
-- over, which is asked after each thing that is told.
put("steps.lua", [[
  local board = require "tw.board"
  local MANY <const> = 30
  local function send(side, price)
    return function(self) self[side](self, "VV", 5, price) end
  end
  local function cancel(self) self:cancel() end
  local function told(status)
    return function(self) return (self.told[status] or 0) > 0 end
  end
  local function none(self) return #self:orders() == 0 end
  local plans = {
    orders = {
      { "one", send("buy", 98), told "new" },
      { "two", send("sell", 98), told "rejected" },             -- they would meet
      { "two", send("sell", 98.5), told "new" },
      { "two", cancel, none },
      { "one", cancel, none },
      { "one", function(self)                                   -- at most 20 in a second
          for _ = 1, MANY do send("buy", 1)(self) end
        end, function(self)
          return (self.told.new or 0) + (self.told.rejected or 0) == MANY
        end },
    },
    loss = {
      { "one", send("buy", 101), told "filled" },
      { "one", function() end, function(self) return self.bid < 90 end },
      { "one", send("buy", 1), told "rejected" },               -- too much is lost
      { "two", send("buy", 1), told "rejected" },               -- whoever lost it
    },
  }
  local M = {}
  function M:on_start()
    self.plan, self.told = plans[self.params.plan], {}
  end
  function M:look()
    if not self.begun or not self.plan[board.step][3](self) then return end
    self.begun = false
    board.step = board.step + 1
    if not self.plan[board.step] then print "over" io.stdout:flush() end
  end
  function M:on_timer()
    if not board["is_there_" .. self.name] then  -- until somebody is there to take it
      self.asked = self.asked or self:buy("VV", 1, 1)
    end
    if not (board.is_there_one and board.is_there_two) then return end
    local step = self.plan[board.step or 1]
    if not self.bid or not step or step[1] ~= self.name or self.begun then return end
    board.step = board.step or 1
    self.begun, self.told = true, {}
    step[2](self)
    self:look()
  end
  function M:on_quote(_, bid)
    self.bid = bid
    self:look()
  end
  function M:on_order(order, status, reason)
    self.told[status] = (self.told[status] or 0) + 1
    if board["is_there_" .. self.name] then
      if reason and self.told[status] == 1 then
        print("told", self.name, board.step, status, reason)
      end
      return self:look()
    end
    if status == "rejected" then self.asked = nil end
    if status == "new" then order:cancel() end
    board["is_there_" .. self.name] = status == "canceled"
  end
  return M]])

local port = apps.free_port()
put("venue.lua", ([[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.script("maker.lua", { account = { fill = "book" } })
  app.fix.acceptor { port = %d, sessions = {
    { name = "orders", sender = "VENUE", target = "ME", orders = true },
    { name = "market", sender = "VENUE", target = "ME2", market = true } } }]])
  :format(port))

-- What its scripts are refused.
local function refused(plan, risk, want, what)
  put(plan .. ".lua", ([[
    local app = require "tw.app"
    app.feed.timer { every = 0.02 }
    app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
    app.risk { %s }
    for _, name in ipairs { "one", "two" } do
      app.script("steps.lua", { name = name, params = { plan = "%s" },
        account = { gateway = "broker" } })
    end
    local venue = { host = "127.0.0.1", port = %d, target = "VENUE", retry = 0.02 }
    local function session(more)
      for k, v in pairs(venue) do more[k] = v end
      return more
    end
    app.feed.fix(session { name = "quotes", sender = "ME2", subscribe = { "VV" } })
    app.gateway.fix(session { name = "broker", sender = "ME" })]]):format(risk, plan,
    port))
  local venue, run = p.run "venue", p.run(plan)
  p.await(run, "over")
  p.kill(run, "TERM")
  p.kill(venue, "TERM")
  local told = {}
  for line in p.read(plan .. ".out"):gmatch "[^\n]+" do
    told[#told + 1] = line:match "^told\t(.*)$"
  end
  if not t.same(told, want, what) then t.diag(p.read(plan .. ".out")) end
end

refused("orders", "self_match = true, orders = 20", {
  "two\t2\trejected\tit would trade with an order of our own",
  "one\t6\trejected\ttoo many orders in this time",
}, "orders of two scripts, and how many a second")
refused("loss", "daily_loss = 20", {
  "one\t3\trejected\tthe limit for a day's loss is reached",
  "two\t4\trejected\tthe limit for a day's loss is reached",
}, "what one of them lost in a day")

t.done()
