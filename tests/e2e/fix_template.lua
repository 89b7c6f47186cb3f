--- fix_template: callers that only a template knows trade in the book of the run, each
--- with a store and orders of its own.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "fix_template"

put("maker.lua", apps.MAKER)

-- Each caller buys, leaves an order, has its session at the venue removed, and cancels
-- that order when the template has made the session anew.
local CALLER <const> = [[
  local fix = require "tw.fix"
  local M = require "tw.strategy".new { doc = "a caller",
                                        account = { gateway = "%s" } }
  local me, at_venue = "%s", "%s.%s"
  function M:on_quote(symbol, ask, source)
    if source ~= me or self.first then return end
    self.first = self:buy { symbol = symbol, quantity = %d, price = ask }
  end
  function M:on_fill(quantity, price)
    print(me .. " filled", quantity, price)
    self.second = self:buy { symbol = "VV", quantity = 5, price = 98 }
  end
  function M:on_order(id, status)
    if not self.second or id ~= self.second.id then return end
    if status == "new" then
      self.gone = fix.remove(at_venue)
    elseif status == "canceled" then
      print(me .. " canceled")
      io.open(me .. ".done", "w"):close()
    end
  end
  function M:on_timer()
    if self.gone and not self.asked and fix.status(me).logons > 1
       and fix.status(me).state == "up" then
      self.asked = true
      self.second:cancel()
    end
  end
  return M]]
local SENDERS <const> = { one = "ONE", two = "TWO" }

-- When both are done a third one calls, for which there may be no room.
put("third.lua", [[
  local fix = require "tw.fix"
  local M = {}
  local function has(path, text)
    local file <close> = io.open(path)
    return file and file:read "a":find(text, 1, true)
  end
  function M:on_timer()
    if not self.called and has("one.done", "") and has("two.done", "") then
      self.called = fix.enable "third"
    elseif self.called and (fix.status "third".state == "up"
                            or has("err", "2 sessions are waited for already")) then
      io.open("done", "w"):close()
    end
  end
  return M]])

local APP <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  %s
  app.script "maker.lua"
  app.script "third.lua"
  for i, name in ipairs { "one", "two" } do
    app.feed.fix { name = name, loopback = true, target = "VENUE", retry = 0.05,
                   sender = name:upper(), subscribe = { "VV" } }
    app.gateway.fix { session = name }
    app.script(name .. ".lua")
  end
  app.fix.session { name = "third", loopback = true, sender = "THIRD", target = "VENUE",
                    retry = 0.05, enabled = false }]]

put("template.cfg", [[
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort=0
BeginString=FIX.4.4
FileStorePath=store
[SESSION]
AcceptorTemplate=Y
SenderCompID=VENUE
]])

local cases <const> = {
  { "a template of the app", "fix", [[app.fix.acceptor { port = 0, session_limit = 2,
      template = { sender = "VENUE", target = "*", market = true, orders = true,
                   store = "store" } }]] },
  { "one of QuickFIX's file", "FIX.4.4", [[app.fix.config("template.cfg",
      { market = true, orders = true })]] },
}
for _, case in ipairs(cases) do
  local what, venue, acceptor = table.unpack(case)
  for i, name in ipairs { "one", "two" } do
    put(name .. ".lua", CALLER:format(name, name, venue, SENDERS[name], i))
  end
  put("app.lua", APP:format(acceptor))
  local run = apps.shell(([[cd %s; rm -rf done *.done store
    timeout --foreground 120 %s run app.lua --seconds 120 --no-attach >out 2>err & pid=$!
    while [ ! -e done ]; do kill -0 $pid || break; sleep 0.02; done
    kill -INT $pid; wait $pid; cat out; ls store]]):format(dir, apps.tidewire))
  local fine = t.ok(run.out:find("one filled\t1.0\t101.0", 1, true)
                    and run.out:find("two filled\t2.0\t101.0", 1, true),
                    what .. ": each caller has its own fills")
  fine = t.ok(run.out:find "one canceled" and run.out:find "two canceled",
              what .. ": and its orders, also in a session that is made anew") and fine
  fine = t.ok(run.out:find(venue .. ".ONE", 1, true)
              and run.out:find(venue .. ".TWO", 1, true),
              what .. ": and a store") and fine
  local err = apps.read(dir .. "/err")
  local room = not acceptor:find "session_limit"
  fine = t.is(run.out:find(venue .. ".THIRD", 1, true) ~= nil, room,
              what .. ": as many as session_limit says") and fine
  if not fine then t.diag(run.out .. err) end
end

-- Of those with orders there are 64 at a time, whoever makes them.
apps.prints("a caller waits until there is room", { args = { "--workers", "1" }, app = [[
  app.fix.open { orders = true }
  app.feed.timer { every = 0.02 }
  app.fix.acceptor { port = 0, sessions = {},
    template = { sender = "VENUE", target = "*", orders = true } }
  app.fix.session { name = "caller", loopback = true, sender = "CALLER",
                    target = "VENUE", retry = 0.05, enabled = false }
  app.script "s.lua"]], ["s.lua"] = require "processes".SAY .. [[
    local fix = tw.fix
    local n = 0
    function M:on_start()
      local name, why
      repeat
        n = n + 1
        name, why = fix.add { acceptor = true, name = "s" .. n, sender = "VENUE",
                              target = "S" .. n, orders = true }
      until not name
      say(n > 64, why:match "no more can be added")
      fix.enable "caller"
    end
    function M:on_timer()
      if not self.refused and fix.status().ports[1].refused > 0 then
        self.refused = true
        say(fix.status "caller".logons, fix.remove "s1")
      end
    end
    function M:on_fix_event(session, event)
      if session ~= "caller" or event ~= "logged_on" then return end
      say("in", fix.status "fix.CALLER" ~= nil)
      os.exit(0)
    end]] }, "true no more can be added\n0 true\nin true\n")

t.done()
