--- fix_market: market data over FIX sessions between two processes.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local SERVER = [[
  app.feed.synthetic { rate = 2000, seed = 3, trades = 0.2, name = "made" }
  app.fix.acceptor { port = app.param("port", 0), sessions = {
    { sender = "EXCHANGE", target = "ME", market = true, version = "%s" } } }]]

local CLIENT = [[
  app.feed.fix { name = "broker", host = "127.0.0.1", port = app.param("port", 1),
                 sender = "ME", target = "EXCHANGE", version = "%s", retry = 0.05,
                 subscribe = { "AAPL", "GOOG", "BP", "NONE" }, %s }
  app.script "s.lua"]]

-- What came of each symbol, and whether it makes sense.
local SCRIPT = [[
  local quotes, trades, gaps, odd, states = {}, 0, 0, 0, {}
  function M.on_status(symbol, status) states[symbol or "market"] = status end
  function M.on_quote(symbol, bid, ask, source, time, received)
    quotes[symbol] = true
    if not (bid < ask and source == "broker" and time <= received) then odd = odd + 1 end
  end
  function M.on_trade() trades = trades + 1 end
  function M.on_gap() gaps = gaps + 1 end
  function M.on_stop()
    local names = {}
    for name in pairs(quotes) do names[#names + 1] = name end
    table.sort(names)
    print(table.concat(names, " "), trades > 0, gaps, odd)
    for _, name in ipairs { "AAPL", "BP", "GOOG", "NONE", "market" } do
      if states[name] then print(name, states[name]) end
    end
  end]]

-- A server, and `client` while it runs: $port is its port, `begin` begins it again at one
-- that the system gives to nobody else meanwhile.
local function beside(version, client, at)
  local directory, server = apps.write { app = SERVER:format(version) }
  return apps.shell(([[
    trap 'kill $pid $client 2>/dev/null' EXIT
    begin() {
      rm -f %s/err
      %s --seconds 300 --set port=$1 >/dev/null 2>%s/err & pid=$!
      while ! grep -q 'listening on' %s/err 2>/dev/null; do
        kill -0 $pid || exit 3; sleep 0.02
      done
      port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' %s/err)
    }
    begin %d
    %s
    status=$?; kill -INT $pid; wait $pid; pid=; exit $status]]):format(directory, server,
    directory, directory, directory, at or 0, client))
end

for _, case in ipairs {
  { "FIX.4.2", "incremental = true, limit = 300, states = true" },
  { "FIX.4.4", "depth = 1, batch = 2, limit = 300" },
  { "FIX.5.0SP2", "depth = 5, incremental = true, limit = 300, states = true" },
} do
  local _, client = apps.write { app = CLIENT:format(case[1], case[2]),
                                 ["s.lua"] = SCRIPT }
  local run = beside(case[1], "timeout 120 " .. client .. " --set port=$port")
  local states = case[2]:find "states"
    and "AAPL\topen\nBP\topen\nGOOG\topen\nNONE\tunknown\nmarket\topen\n" or ""
  local fine = t.is(run.out, "AAPL BP GOOG\ttrue\t0\t0\n" .. states,
                    case[1] .. ", " .. case[2])
  fine = t.is(run.status, 0, case[1] .. ": status") and fine
  fine = t.ok(run.err:find "NONE: refused: 281=0 %(UNKNOWN_SYMBOL%)",
              case[1] .. ": what the peer does not serve is told") and fine
  if not fine then t.diag(run.err) end
end

-- A server that is killed and comes again: a gap, and then the market again.
local directory, client = apps.write {
  app = CLIENT:format("FIX.4.4", "incremental = true"), ["s.lua"] = [[
  local seen, gaps = 0, 0
  function M.on_gap(source, symbol, lost)
    gaps, seen = gaps + 1, 0
    print(source, symbol, lost)
  end
  function M.on_quote()
    seen = seen + 1
    if seen ~= 50 then return end
    if gaps > 0 then print(gaps) end
    local file <close> = assert(io.open(self_path .. "seen" .. gaps, "w"))
  end]] }
apps.put(directory .. "/s.lua", (apps.read(directory .. "/s.lua")
  :gsub("self_path", ("%q"):format(directory .. "/"))))
local run = beside("FIX.4.4", ([[
  %s --seconds 300 --set port=$port & client=$!
  while [ ! -e %s/seen0 ]; do kill -0 $client || exit 4; sleep 0.02; done
  kill -KILL $pid; wait $pid; begin $port
  while [ ! -e %s/seen1 ]; do kill -0 $client || exit 5; sleep 0.02; done
  kill -INT $client; wait $client; client=]]):format(client, directory, directory),
  apps.free_port())
local fine = t.is(run.out, "broker\tnil\t0\n1\n",
                  "a server that is killed and comes again")
if not fine then t.diag(run.err) end

-- Who asks once has the book of now: with the order that was just answered.
local run = apps.run {
  app = [[
    app.feed.timer { every = 0.02 }
    app.instruments { { symbol = "TIDE" } }
    app.book { levels = 100 }
    app.fix.open { orders = true }
    app.fix.acceptor { port = 0, sessions = {
      { name = "desk", sender = "VENUE", target = "ME", orders = true },
      { name = "prices", sender = "VENUE", target = "ME2", market = true } } }
    for _, name in ipairs { "ME", "ME2" } do
      app.fix.session { name = name, loopback = true, sender = name, target = "VENUE",
                        retry = 0.1 }
    end
    app.script("s.lua", { workers = { 0 } })]],
  args = { "--workers", "1" },
  ["s.lua"] = [[
    M.sessions = "ME*"
    local fix, up, sent, old = tw.fix, 0, 0, 0
    local function order()
      sent = sent + 1
      assert(fix.send("ME", { MsgType = "D", ClOrdID = sent, Symbol = "TIDE", Side = 1,
        OrdType = "2", OrderQty = 1, Price = sent, TransactTime = tw.now() }))
    end
    function M:on_fix_event(session, event)
      if event ~= "logged_on" then return end
      up = up + 1
      if up == 2 then order() end
    end
    function M:on_fix(message)
      if message.MsgType == "8" then
        assert(fix.send("ME2", { MsgType = "V", MDReqID = sent,
          SubscriptionRequestType = "0", MarketDepth = 0,
          NoMDEntryTypes = { { MDEntryType = "0" } },
          NoRelatedSym = { { Symbol = "TIDE" } } }))
        return
      end
      if #message.NoMDEntries ~= sent then old = old + 1 end
      if sent < 50 then return order() end
      print(message.MsgType, old)
      ]] .. apps.stop .. [[
    end]] }
if not t.is(run.out, "W\t0\n", "a snapshot has what was answered before it") then
  t.diag(run.err)
end

t.done()
