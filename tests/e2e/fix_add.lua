--- fix_add: FIX sessions that are added while the run goes on, by scripts and by who is
-- attached, and removed.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SAY <const> = require "processes".SAY

-- A script adds both sides, and again what it removed; and says what can't be added.
local at = apps.free_port()
apps.prints("sessions that a script adds", { args = { "--workers", "1" }, app = ([[
  app.limits { time = 10 }
  app.fix.acceptor { port = %d, sessions = {} }
  app.feed.timer { every = 0.05 }
  app.script("s.lua")]]):format(at), ["s.lua"] = SAY .. ([[
    local fix = tw.fix
    local logons = 0
    local function add()
      say(fix.add { acceptor = %d, name = "venue", sender = "VENUE", target = "ME" })
      say(fix.add { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
                    target = "VENUE", retry = 0.05, logon = { Username = "me" } })
    end
    function M:on_start()
      add()
      say(fix.add { acceptor = true, name = "venue", sender = "V", target = "W" })
      say(fix.add { acceptor = true, name = "twin", sender = "VENUE", target = "ME" })
      say(fix.add { acceptor = 9, sender = "V", target = "W" })
      say(fix.add { sender = "A", target = "B", hosts = { "127.0.0.1:9" },
                    dictionary = "/no/such" })
      say(pcall(fix.add, { host = "127.0.0.1", sender = "A", target = "B" }))
      say(pcall(fix.add, { sendr = "A" }))
      say(pcall(fix.add, 5))
      say(fix.add { acceptor = true, orders = true, sender = "A", target = "B" })
      say(pcall(fix.add, { host = "h", port = 1, subscribe = { "A" }, sender = "A" }))
      say(pcall(fix.add, { host = "h", port = 1, adopt = true, sender = "A" }))
      say(pcall(fix.add, { host = "h", port = 1, states = true, sender = "A" }))
      say(pcall(fix.add, { loopback = false, host = "h", sender = "A", target = "B" }))
      say(pcall(fix.add, { loopback = true, sender = "A", target = "B" }))
      say(pcall(fix.add, { acceptor = "x", sender = "A", target = "B" }))
    end
    function M:on_fix_event(session, event)
      if session ~= "broker" or event ~= "logged_on" then return end
      logons = logons + 1
      assert(fix.send("broker", { MsgType = "B", Headline = "news " .. logons,
                                  NoLinesOfText = { { Text = "x" } } }))
    end
    function M:on_fix(message, session)
      say(session, message.Headline, #fix.status())
      local ps = tw.ps()
      assert(#ps.sessions == 2 and ps.sessions[2].name == "broker")
      assert(tostring(ps):find "\nfix broker +io +up +127%%.0%%.0%%.1:%%d+", tostring(ps))
      if logons == 2 then os.exit(0) end
      fix.remove "broker" fix.remove "venue"
      self.again = true
    end
    function M:on_timer()
      if not self.again or fix.status()[1] then return end
      self.again = false
      say("removed", fix.status "broker".state)
      say(fix.remove "broker")
      add()
    end]]):format(at, at) }, ([[
venue
broker
nil there is a FIX session venue already -5009
nil FIX session twin: session venue has the same CompIDs and version at its port -5007
nil fix.add 'W': the run has no port 9 -5007
nil /no/such: no such file or directory -2
false fix.add 'B': port is missing
false fix.add: no option 'sendr'; did you mean 'sender'?
false fix.add: a table of options expected, got a number
nil B: orders: the run has no book: one of its scripts has fill = "book", or its app \
file says app.fix.open { orders = true } -5007
false fix.add: subscribe is of a feed, which the app file declares: with \
app.feed.fix { subscribe = ..., enabled = false } it waits for fix.enable
false fix.add: adopt is of a gateway, which the app file declares: with \
app.gateway.fix { adopt = ..., enabled = false } it waits for fix.enable
false fix.add: states is of a feed, which the app file declares: with \
app.feed.fix { states = ..., enabled = false } it waits for fix.enable
false fix.add 'B': port is missing
false fix.add: loopback is for an app file: give host and port, which `status` has
false fix.add: acceptor must be a port, or true for the only one, got x
venue news 1 2
removed removed
nil FIX session broker: it was removed -5010
venue
broker
venue news 2 2
]]):gsub("\\\n", ""))

-- A venue for market data and orders that is added, and added again: it has the peer's
-- orders still.  The peer's feed and gateway are declared, and wait until it is there.
local book = apps.free_port()
apps.prints("a session that serves and trades", { args = { "--workers", "2" }, app = ([[
  app.instruments { { symbol = "VV", tick_size = 0.01, lot_size = 1 } }
  app.feed.timer { every = 0.02 }
  app.fix.acceptor { port = %d, sessions = {} }
  app.feed.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
                 target = "VENUE", retry = 0.05, subscribe = { "VV" }, enabled = false }
  app.gateway.fix { session = "broker" }
  app.script("maker.lua", { account = { fill = "book" } })
  app.script("taker.lua", { account = { gateway = "broker" } })]]):format(book, book),
["maker.lua"] = [[
  function M:on_timer()
    if self.bid then return end
    self.bid = self:buy { symbol = "VV", quantity = 100, price = 99 }
    self.ask = self:sell { symbol = "VV", quantity = 100, price = 101 }
  end]], ["taker.lua"] = SAY .. ([[
    local fix = tw.fix
    local function add(name, store)
      return fix.add { acceptor = %d, name = name or "venue", sender = "VENUE",
                       target = "ME", market = true, orders = true, store = store }
    end
    function M:on_start()
      for i = 1, 70 do   -- of 64 none is lost
        local name, _, code = add("failed" .. i, "/dev/null/x")
        assert(not name and code ~= -5005, code)
      end
      say(add(), fix.enable "broker")
    end
    function M:on_quote(symbol, ask, source)
      if source ~= "broker" or self.first then return end
      self.first = self:buy { symbol = symbol, quantity = 5, price = ask }
    end
    function M:on_fill(quantity, price)
      say("filled", quantity, price)
      self.second = self:buy { symbol = "VV", quantity = 5, price = 98 }
    end
    function M:on_order(id, status)
      if not self.second or id ~= self.second.id then return end
      if status == "new" then
        say "open"
        self.gone = fix.remove "venue"
      elseif status == "canceled" then
        say "canceled"
        os.exit(0)
      end
    end
    function M:on_timer()
      if self.gone and not self.again then
        self.again = add()
      elseif self.again and not self.asked and fix.status "broker".logons > 1
             and fix.status "broker".state == "up" then
        self.asked = true
        self.second:cancel()
      end
    end]]):format(book) }, "venue true\nfilled 5.0 101.0\nopen\ncanceled\n")

-- Of those with orders there are 64 at a time; one that was removed makes room, whatever
-- it was called.
local many = apps.free_port()
apps.prints("sessions with orders that come and go", { args = { "--workers", "1" },
  app = ([[
  app.fix.open { orders = true }
  app.feed.timer { every = 0.005 }
  app.fix.acceptor { port = %d, sessions = {} }
  app.script "s.lua"]]):format(many), ["s.lua"] = SAY .. [[
    local fix = tw.fix
    local function add(name)
      return fix.add { acceptor = true, name = name, sender = "VENUE", target = name,
                       orders = true }
    end
    local n, last, gone = 0
    function M:on_start()
      local name, why, code
      repeat
        n = n + 1
        name, why, code = add("s" .. n)
      until not name
      say(n > 64, code, why:find "are there, or were and have open orders" ~= nil)
      n, last, gone = n - 1, n + 8, "s1"
      fix.remove(gone)
    end
    function M:on_timer()
      if fix.status(gone).state ~= "removed" then return end
      n, gone = n + 1, "s" .. n + 1
      assert(add(gone))
      if n < last then return fix.remove(gone) end
      say(add "more" == nil)
      os.exit(0)
    end]] }, "true -5005 true\ntrue\n")

-- Through attach, in a run that begins without any session; the passwords of what was
-- asked are in no log.
do
  local there = apps.free_port()
  local directory = apps.write { args = {}, app = ([[
    app.fix.acceptor { port = %d, sessions = {} }
    app.script("s.lua")]]):format(there), ["s.lua"] = SAY .. [[
    function M:on_start() say "ready" end
    function M:on_fix_event(session, event)
      if session ~= "broker" then return end
      if event == "logged_on" then say "up" elseif event == "logged_out" then say "gone"
      end
    end]] }
  local script = ([[cd %s && mkdir xdg && mkfifo pipe || exit
    export XDG_RUNTIME_DIR=$PWD/xdg
    timeout --foreground -k 1 120 %s run app.lua --workers 1 >pipe 2>err &
    run=$!
    exec 3<pipe && read ready <&3
    at() { timeout 120 %s attach -e "$1"; }
    at fix
    at "fix add { acceptor = true, name = 'venue', sender = 'VENUE', target = 'ME' }"
    at "fix add name=broker host=127.0.0.1 port=%d sender=ME target=VENUE retry=0.05 \
      logon.Password=abc logon.Username=\"a b\""
    read up <&3; echo $up
    at "fix add name=broker host=127.0.0.1 port=1 sender=ME target=VENUE"
    at "fix add nme=broker"; at "fix add {}"; at "fix add x"
    at "fix add name=p host=::1 port=1 sender=ME logon.Password=007 target=\"0x10\" \
      enabled=false"; at "fix p" | grep target
    at "fix p numbers 1 99999999999999999999"
    at "fix p logout the day is over, so: bye."
    at fix | cut -c1-25; at "fix broker remove"
    read gone <&3; echo $gone; kill $run; cat <&3 >/dev/null; wait $run
    cat err >&2]]):format(directory, apps.tidewire, apps.tidewire, there)
  local got = apps.shell("bash -c " .. apps.quote(script))
  t.ok(got.out:find "^no FIX sessions\n\n *port [^\n]*\n[^\n]*\nvenue: added\n"
       and got.out:find "\nbroker: added\nup\n"
       and got.out:find "broker +initiator +up" and got.out:find "\ngone\n$",
       "attach adds a session, which comes up, and removes it")
  t.ok(got.out:find "\np: added\n *target +0x10\np: logout\n"
       and got.err:find("two numbers from 1 on", 1, true),
       "texts that are numbers, numbers that are too large, and why it logs out")
  t.ok(got.err:find("there is a FIX session broker already", 1, true)
       and got.err:find("fix.add: no option 'nme'", 1, true)
       and got.err:find("fix.add: sender is missing", 1, true)
       and got.err:find("NAME=VALUE ... expected", 1, true), "and says what can't be")
  if not t.ok(got.err:find "audit:.*fix add broker" and not got.err:find "abc",
              "the audit log has no password") then
    t.diag(got.out .. got.err)
  end
end

-- A run without FIX takes none, unless it says so.
apps.prints("a run whose app file is silent on FIX", { args = { "--workers", "1" },
  app = [[app.feed.timer { every = 0.05 } app.script "s.lua"]], ["s.lua"] = SAY .. [[
    function M:on_timer()
      say(pcall(tw.fix.add, { acceptor = true, sender = "A", target = "B" }))
      os.exit(0)
    end]] }, "false fix.add: the app file declares neither a FIX session nor"
  .. " app.fix.open()\n")
apps.prints("and one that opens it", { args = { "--workers", "1" },
  app = [[app.fix.open() app.feed.timer { every = 0.05 } app.script "s.lua"]],
  ["s.lua"] = SAY .. [[
    function M:on_timer()
      say(tw.fix.add { acceptor = true, sender = "A", target = "B" })
      say(tw.fix.add { host = "127.0.0.1", port = 1, sender = "A", target = "B" })
      os.exit(0)
    end]] }, [[
nil fix.add 'B': acceptor = true: the run has not one port; say which -5007
B
]])

t.done()
