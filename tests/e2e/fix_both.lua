--- fix_both: market data and orders over one FIX session, either side of it, and market
--- data for callers that only a template knows.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "both"
local function command(args)
  return apps.shell(("cd %s && timeout 120 %s %s 2>&1"):format(dir, apps.tidewire, args))
end

-- Runs the app until the file `done` is there.
local function until_done()
  return apps.shell(([[cd %s; rm -f done
    %s run app.lua --seconds 300 --no-attach 2>&1 & pid=$!
    while [ ! -e done ]; do kill -0 $pid || break; sleep 0.02; done
    kill -INT $pid; wait $pid]]):format(dir, apps.tidewire))
end

put("maker.lua", apps.MAKER)

-- Says so, for until_done, when it has heard of both feeds' quotes and all of its orders.
put("taker.lua", [[
  local M = require "tw.strategy".new { doc = "buys what it hears of by FIX",
                                        account = { gateway = "broker" } }
  local seen = {}
  function M:on_quote(symbol, bid, ask, source)
    if not seen[source] then print("quote", source, symbol, bid, ask) end
    seen[source] = true
    if source == "broker" and not self.o then
      self.o = self:buy { symbol = symbol, quantity = 5, price = ask }
    end
    self:look()
  end
  function M:on_fill(symbol, side, quantity, price, position)
    print("fill", symbol, side, quantity, price, position)
    self.is_filled = true
    self:look()
  end
  function M:look()
    if self.is_filled and seen.first and seen.second and not self.is_done then
      self.is_done = true
      print "done"
      io.open("done", "w"):close()
    end
  end
  return M]])

local APP <const> = [[
  local app = require "tw.app"
  app.feed.timer { every = 0.02 }
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.script "maker.lua"
  app.script "taker.lua"
  app.fix.acceptor { port = %d, sessions = { { sender = "VENUE", target = "ME",
    market = true, orders = true } },
    template = { sender = "VENUE", target = "*", market = true } }
  local function session(name, more)
    local o = { name = name, host = "127.0.0.1", port = %d, target = "VENUE",
                retry = 0.02 }
    for k, v in pairs(more) do o[k] = v end
    return o
  end
  for _, name in ipairs { "first", "second" } do
    app.feed.fix(session(name, { sender = name:upper(), subscribe = { "VV" } }))
  end
  %s]]

local cases <const> = {
  ["the feed's session"] = [[
    app.feed.fix(session("broker", { sender = "ME", subscribe = { "VV" } }))
    app.gateway.fix { session = "broker", account = "ACC" }]],
  ["the gateway's session"] = [[
    app.gateway.fix(session("broker", { sender = "ME" }))
    app.feed.fix { session = "broker", subscribe = { "VV" }, incremental = true }]],
  ["a session"] = [[
    app.fix.session(session("broker", { sender = "ME" }))
    app.feed.fix { session = "broker", subscribe = { "VV" } }
    app.gateway.fix { session = "broker" }]],
}
for name, text in pairs(cases) do
  local port = apps.free_port()
  put("app.lua", APP:format(port, port, text))
  local run = until_done()
  local fine = t.ok(run.out:find("quote\tbroker\tVV\t99.0\t101.0", 1, true)
                    and run.out:find("quote\tfirst\tVV", 1, true)
                    and run.out:find("quote\tsecond\tVV", 1, true),
                    name .. ": market data, and of a template's")
  fine = t.ok(run.out:find("fill\tVV\tbuy\t5.0\t101.0\t5.0", 1, true),
              name .. ": an order over it") and fine
  fine = t.ok(run.out:find "done", name .. ": both") and fine
  if not fine then t.diag(run.out) end
end

-- ---- last words ----

local many <const> = 3000
local LEFT <const> = [[fix.status "broker".state == "down"]]

local HELD <const> = [[
    function M:on_fix_event(session, event)
      if event == "logging_on" then fix.logon(session, {}) end
    end]]

local function last_words(name, leave, stop, options, held)
  put("many.lua", ([[
    local fix = require "tw.fix"
    local M = require "tw.strategy".new { doc = "cancels all that it has",
                                          account = { gateway = "broker" } }
    local o, done = {}, false
    local function cancel(self)
      for i = 1, #o do self:cancel(o[i]) end
    end
    function M:on_quote(symbol, bid, ask, source)
      for i = 1, source == "broker" and #o == 0 and %d or 0 do
        o[i] = self:buy { symbol = "VV", quantity = 1, price = 1 }
      end
    end
    function M:on_order(order)
      if order ~= o[#o] or done then return end
      done = true
      %s
    end
    function M:on_timer()
      if done and %s then io.open("done", "w"):close() end
    end
    %s %s
    return M]]):format(many, leave, stop and "true" or LEFT, stop or "",
                       held and HELD or ""))
  put("app.lua", ([[
    local app = require "tw.app"
    app.feed.timer { every = 0.02 }
    app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
    app.script "maker.lua"
    app.script "many.lua"
    app.fix.acceptor { port = 0, sessions = { { sender = "VENUE", target = "ME",
      market = true, orders = true, log = "." } } }
    app.feed.fix { name = "broker", loopback = true, sender = "ME", target = "VENUE",
                   subscribe = { "VV" }, logout_timeout = 60, retry = 60,
                   hold_logon = %s }
    app.gateway.fix { session = "broker", %s }]]):format(held or false, options or ""))
  apps.shell("rm -f " .. dir .. "/ME.log")
  local run = until_done()
  local log = apps.read(dir .. "/ME.log")
  local _, n = log:gsub("\1" .. "35=F", "")
  local _, answers = log:gsub("\1" .. "150=4", "")
  if not t.is(n, many, name .. ": what is canceled before goes out") then
    t.diag(run.out)
  end
  if not stop then t.is(answers, many, name .. ": and is answered before the Logout") end
end

last_words("the end of a run", "", "M.on_stop = cancel")
last_words("fix.logout", [[cancel(self) fix.logout "broker"]])
last_words("fix.enable", [[cancel(self) fix.enable("broker", false)]])
last_words("fix.enable cancels", [[fix.enable("broker", false)]], nil,
           "cancel_on_disconnect = true")
last_words("fix.reset before a held Logon cancels", [[fix.reset "broker"]], nil,
           "cancel_on_disconnect = true", true)
last_words("the end of a run cancels", "", "", "cancel_on_disconnect = true")

-- ---- what can't be ----

local function fails(text, want)
  put("app.lua", 'local app = require "tw.app" app.feed.timer { every = 1 } '
      .. 'app.script "maker.lua" ' .. text)
  local run = command "run app.lua --seconds 1 --no-attach"
  t.ok(run.status ~= 0 and run.out:find(want, 1, true), want)
  if not run.out:find(want, 1, true) then t.diag(run.out) end
end

local SESSION <const> = 'app.fix.session { name = "x", host = "127.0.0.1", port = 9, '
  .. 'sender = "ME", target = "YOU" } '
fails('app.gateway.fix { session = "x" }',
      "app.gateway.fix: session: there is no 'x' that we connect to its peer, above")
fails(SESSION .. 'app.feed.fix { session = "x", subscribe = { "A" }, sender = "B" }',
      "app.feed.fix: session 'x' has its own sender")
fails(SESSION .. 'app.gateway.fix { session = "x", port = 5 }',
      "app.gateway.fix: session 'x' has its own port")
fails(SESSION .. 'app.gateway.fix { session = "x" } app.gateway.fix { session = "x" }',
      "app.gateway.fix: session 'x' has one already")

t.done()
