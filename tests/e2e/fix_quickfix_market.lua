--- fix_quickfix_market: quotes one by one and many at a time, their acknowledgement, and
--- states of trading by FIX, through the program, against QuickFIX. Where its
--- dictionaries are here it checks what we send by them.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local processes, quickfix = require "processes", require "quickfix"

if not quickfix.is_there() then return t.done() end

local RUN <const> = "exec " .. apps.tidewire .. " run %s.lua --seconds 300 --no-attach"
local p = processes.open(apps.folder "quickfix_market")
local put, read, start, kill, await = p.put, p.read, p.start, p.kill, p.await_count

local function peer(role, version, port)
  return quickfix.start(p, role, version, port, nil, quickfix.dictionary(version))
end

-- Neither side has refused what the other sent.
local function nothing_refused(log, what)
  local text = read(log)
  t.ok(#text > 0 and not text:find "[\1|]35=[3j][\1|]", what .. ": nothing is refused")
end

put("hears.lua", [[
  local M = require "tw.strategy".new { doc = "prints what it hears" }
  local function say(...) print(...) io.stdout:flush() end
  function M:on_quote(symbol, bid, ask, bid_size, ask_size)
    say("quote", symbol, bid, ask, bid_size, ask_size)
  end
  function M:on_status(symbol, status, code)
    say("status", symbol or "all", status, code)
  end
  return M]])

for _, version in ipairs { "FIX.4.2", "FIX.4.4" } do
  local function ok(holds, what) return t.ok(holds, version .. ": " .. what) end

  -- ---- QuickFIX quotes, and we hear it ----

  local ours, port = "feed" .. version, apps.free_port()
  put(ours .. ".lua", ([[
    local app = require "tw.app"
    app.script "hears.lua"
    app.feed.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "TW",
      target = "QF", version = "%s", heartbeat = 5, retry = 0.02, subscribe = { "AAPL" },
      quotes = true, states = true, log = "%s.log" }]]):format(port, version, ours))
  local q = peer("acceptor", version, port)
  local feed = start(ours, RUN:format(ours))
  local up = ok(await(q, "asks R AAPL", 1), "QuickFIX is asked for quotes")
  ok(up and await(q, "asks e AAPL", 1) and await(q, "asks g %-", 1), "and for states")
  ok(up and await(feed, "status\tAAPL\topen\t17", 1)
     and await(feed, "status\tall\topen\t2", 1), "which it tells")
  q.tell "quote 187"
  ok(up and await(feed, "quote\tAAPL\t186.0\t188.0\t10.0\t20.0", 1), "a quote comes")
  ok(up and await(q, version == "FIX.4.2" and "acked b 0 0" or "acked AI 0 0", 1),
     "and is acknowledged")
  q.tell "quotes 190"
  ok(up and await(feed, "quote\tAAPL\t189.0\t191.0\t10.0\t20.0", 1), "many come")
  ok(up and await(q, "acked b 0 2", 1), "and it hears of two that nobody asked for")
  kill(feed, "TERM")
  nothing_refused(ours .. ".log/broker.log", version)
  q.close()

  -- ---- QuickFIX asks us for states ----

  ours, port = "venue" .. version, apps.free_port()
  put(ours .. ".lua", ([[
    local app = require "tw.app"
    app.feed.synthetic { rate = 500, seed = 3, name = "made" }
    app.fix.acceptor { port = %d, sessions = { { name = "venue", sender = "TW",
      target = "QF", market = true, version = "%s", log = "%s.log" } } }]]):format(port,
    version, ours))
  local venue = start(ours, RUN:format(ours))
  q = peer("initiator", version, port)
  up = ok(await(q, "logon", 1), "QuickFIX logs on")
  local asked = 0
  ok(up and processes.wait(function()    -- until there are prices of it
    asked = asked + 1
    q.tell("states " .. asked)
    return p.count(q, "state AAPL 17") > 0 and p.count(q, "state all 2") > 0
  end), "what has a price is open, and so is the venue")
  ok(up and await(q, "state NONE 20", 1), "of one that nobody knows it hears so")
  q.tell "logout"
  await(q, "logout", 1)
  kill(venue, "TERM")
  nothing_refused(ours .. ".log/venue.log", version)
  q.close()
end

t.done()
