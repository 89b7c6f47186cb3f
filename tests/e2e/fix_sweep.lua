--- fix_sweep: one order that trades with many others, and a feed of many symbols: a peer
-- that reads hears of all of it, though more comes at once than may wait for it.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local N <const> = 2500           -- of which the reports have 5.5 MB; 4 MiB may wait

local run = apps.run {
  app = [[
    app.feed.timer { every = 0.02 }
    app.instruments { { symbol = "TIDE" } }
    app.fix.open { orders = true }
    app.fix.acceptor { port = 0, sessions = {
      { name = "many", sender = "VENUE", target = "ME", orders = true },
      { name = "one", sender = "VENUE", target = "ME2", orders = true } } }
    for _, name in ipairs { "ME", "ME2" } do
      app.fix.session { name = name, loopback = true, sender = name, target = "VENUE",
                        retry = 0.1, queue = 16 << 20 }
    end
    app.script("s.lua", { workers = { 0 } })]],
  args = { "--workers", "1" },
  ["s.lua"] = ("local N = %d\n"):format(N) .. [[
    M.sessions = "ME*"
    local fix, up, there, filled = tw.fix, 0, 0, { ME = 0, ME2 = 0 }
    local function order(session, side, id, quantity)
      assert(fix.send(session, { MsgType = "D", ClOrdID = id, Symbol = "TIDE",
        Side = side, OrdType = "2", OrderQty = quantity, Price = 9,
        TransactTime = tw.now() }))
    end
    function M:on_fix_event(session, event)
      if event == "logged_out" then print(session, event) end
      if event ~= "logged_on" then return end
      up = up + 1
      if up < 2 then return end
      for i = 1, N do order("ME", 1, i .. ("x"):rep(2000), 1) end
    end
    function M:on_fix(message, session)
      if message.ExecType == "F" then
        filled[session] = filled[session] + 1
        if filled.ME == N and filled.ME2 == N then
          print "all"
          ]] .. apps.stop .. [[
        end
      elseif message.ExecType == "0" and session == "ME" then
        there = there + 1
        if there == N then order("ME2", 2, 1, N) end
      end
    end]] }
if not t.is(run.lines[1], "all", "both peers hear of each trade") then t.diag(run.err) end

-- A feed's requests are 5.7 MB.
local SYMBOLS <const> = 30000
run = apps.run {
  app = [[
    local names = {}
    for i = 1, ]] .. SYMBOLS .. [[ do names[i] = ("%060d"):format(i) end
    app.fix.acceptor { port = 0, sessions = {
      { name = "venue", sender = "VENUE", target = "ME", take = { "V" } } } }
    app.fix.session { name = "ME", loopback = true, sender = "ME", target = "VENUE",
                      retry = 0.1 }
    app.feed.fix { session = "ME", subscribe = names }
    app.script("s.lua", { workers = { 0 } })]],
  args = { "--workers", "1" },
  ["s.lua"] = [[
    M.sessions = "venue"
    local asked = 0
    function M:on_fix_event(session, event)
      if event == "logged_out" then print(session, event) end
    end
    function M:on_fix()
      asked = asked + 1
      if asked == ]] .. SYMBOLS .. [[ then
        print "all"
        ]] .. apps.stop .. [[
      end
    end]] }
if not t.is(run.lines[1], "all", "each symbol is asked for") then t.diag(run.err) end

-- Of a peer that asks and asks, and reads nothing, not more and more waits: 5 MB here for
-- each ten requests.
local port, asked = apps.free_port(), {}
local function ask(body)
  asked[#asked + 1] = apps.fix((body:gsub("34=", ("34=%d|49=ME|52=%s|56=VENUE|"):format(
    #asked + 1, os.date "!%Y%m%d-%H:%M:%S"))))
end
ask "35=A|34=98=0|108=30|"
for i = 1, 250 do
  ask(("35=D|34=11=%d%s|55=TIDE|54=1|60=20260102-00:00:00|38=1|40=2|44=9|"):format(
    i, ("x"):rep(2000)))
end
for _ = 1, 400 do ask "35=AF|34=584=all|585=7|" end
local directory, command = apps.write {
  app = [[
    app.instruments { { symbol = "TIDE" } }
    app.fix.open { orders = true }
    app.fix.acceptor { port = ]] .. port .. [[, sessions = {
      { name = "venue", sender = "VENUE", target = "ME", orders = true } } }
    app.script("s.lua", { workers = { 0 } })]],
  args = { "--workers", "1" }, ["s.lua"] = "" }
apps.put(directory .. "/asked", table.concat(asked))
run = apps.until_shown(command, "listening", nil, ([[
  bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d; cat %s/asked >&3
           while kill -0 $0 && ! grep -q "logged out" %s/err; do sleep 0.02; done' $p
  kill $p]]):format(port, directory, apps.directory))
if not t.ok(run.err:find "venue: 64 MB of reports wait for the peer to read",
            "one that reads nothing is cut off") then t.diag(run.err) end

t.done()
