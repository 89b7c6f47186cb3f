--- fix_exchange: scripts/fix/exchange.lua and trader.lua, two processes that trade.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "fix_exchange"
local root = os.getenv "PWD"
local tidewire = apps.tidewire

-- The trader as it is, but for a strategy that ends with its third fill: when none of its
-- orders is open any more.
local trader, n = apps.read "scripts/fix/trader.lua":gsub("%.%./crossover%.lua",
                                                          "crossover.lua")
t.is(n, 1, "the trader has a strategy of its own")
put("trader.lua", trader)
put("depth.lua", apps.read "scripts/fix/depth.lua")
put("crossover.lua", ([[
  local M = dofile %q
  local decide, tell = M.on_quote, M.on_stop
  function M:on_quote(symbol, mid)
    if (self.fills or 0) < 3 then
      decide(self, symbol, mid)
    elseif #self:orders() == 0 and not self.is_over then
      self.is_over = true
      local file <close> = assert(io.open(%q, "w"))
    end
  end
  function M:on_fill() self.fills = (self.fills or 0) + 1 end
  function M:on_stop()
    tell(self)
    print(("trader holds %%d"):format(self:position "TIDE"))
  end
  return M]]):format(root .. "/scripts/crossover.lua", dir .. "/traded"))

local run = apps.shell(([[
  trap 'kill $exchange $trader 2>/dev/null' EXIT
  cd %s
  %s run %s/scripts/fix/exchange.lua --seconds 600 --set port=0 >ex.out 2>ex.err &
  exchange=$!
  while ! grep -q 'listening on' ex.err; do kill -0 $exchange || exit 3; sleep 0.02; done
  port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' ex.err)
  %s run trader.lua --seconds 600 --set port=$port >tr.out 2>tr.err & trader=$!
  while [ ! -e traded ]; do kill -0 $trader || exit 4; sleep 0.02; done
  kill -INT $trader; wait $trader; ended=$?; trader=
  kill -INT $exchange; wait $exchange; echo $ended $?; exchange=]])
  :format(dir, tidewire, root, tidewire))
local fine = t.is(run.out, "130 130\n", "both end when they are told to")
local errors = apps.read(dir .. "/tr.err")
fine = t.ok(errors:find "fix prices: logged on" and errors:find "fix orders: logged on",
            "two sessions") and fine
local out = apps.read(dir .. "/tr.out")
fine = t.ok(("\n" .. out):find "\nTIDE [+-]%d+%.%d%d\n", "it tells what it made") and fine
local levels = tonumber(out:match "updates of books, up to (%d+) levels")
fine = t.ok(levels and levels >= 2, "its books are deep") and fine
if not fine then t.diag(out) end
local held, book = 0, out .. apps.read(dir .. "/ex.out")
for position in book:gmatch "holds (%-?%d+)" do held = held + tonumber(position) end
fine = t.is(held, 0, "what one has bought another has sold") and fine
if not fine then t.diag(errors .. apps.read(dir .. "/ex.err")) end

-- Both in one process, until the trader's position has changed three times.
local trader_and_all, changes = apps.read "scripts/fix/market.lua":gsub(
  '"%.%./crossover%.lua"', ("%q"):format(dir .. "/crossover.lua"))
t.is(changes, 1, "scripts/fix/market.lua has the same strategy")
put("market.lua", (trader_and_all:gsub('"%.%./exchange/', '"' .. root
                                       .. "/scripts/exchange/")))
run = apps.shell(([[
  trap 'kill $market 2>/dev/null' EXIT
  cd %s; rm -f traded
  %s run market.lua --seconds 600 >market.out 2>market.err & market=$!
  while [ ! -e traded ]; do kill -0 $market || exit 4; sleep 0.02; done
  kill -INT $market; wait $market; echo $?; market=]]):format(dir, tidewire))
out = apps.read(dir .. "/market.out")
fine = t.is(run.out, "130\n", "both in one process: it ends when it is told to")
fine = t.ok(out:find "TIDE [+-]%d+%.%d%d\n" and out:find "trader holds",
            "and the trader has traded") and fine
if not fine then t.diag(apps.read(dir .. "/market.err")) end

-- `make run` of several apps: a process each; the highest status is make's.
local at = apps.free_port()
put("caller.lua", ([[
  local app = require "tw.app"
  app.fix.session { name = "c", host = "127.0.0.1", port = %d, sender = "C",
                    target = "D", retry = 0.05, logon_timeout = 100 }
  app.script "calls.lua"]]):format(at))
put("called.lua", ([[
  local app = require "tw.app"
  app.fix.acceptor { port = %d, logon_timeout = 100, sessions = {
    { name = "d", sender = "D", target = "C", logon_timeout = 100 } } }
  app.script "hears.lua"]]):format(at))
local SCRIPT <const> = [[
  local M = {}
  function M:on_fix_event(session, event)
    if event ~= %q then return end
    io.open(%q, "w"):close()
    os.exit(%d)
  end
  return M]]
put("calls.lua", SCRIPT:format("logged_on", dir .. "/called", 0))
put("hears.lua", SCRIPT:format("logged_out", dir .. "/heard", 0))
local RUN <const> = ("APP='%s/caller.lua %s/called.lua' RUN='--seconds 100 --no-attach'")
  :format(dir, dir)
apps.make("make run of two apps", "run", RUN)
t.ok(io.open(dir .. "/called") and io.open(dir .. "/heard"), "which find each other")
put("hears.lua", SCRIPT:format("logged_out", dir .. "/heard", 3))
apps.make("and of which one fails", "run",
          RUN .. " >" .. dir .. "/make 2>&1; test $? = 2")
t.ok(apps.read(dir .. "/make"):find "run%] Error 3", "has its status")

-- The other one would wait for a peer, whichever begins first.
put("wrong.lua", 'require "tw.app".script "no.lua"')
put("waits.lua", ([[
  local app = require "tw.app"
  app.fix.acceptor { port = %d, sessions = { { sender = "D", target = "C" } } }
  app.script "calls.lua"]]):format(apps.free_port()))
for _, pair in ipairs { "waits wrong", "wrong waits" } do
  local names = pair:gsub("%w+", dir .. "/%0.lua")
  apps.make(pair .. ": an app that can't begin ends the other one", "run",
            ("APP='%s' RUN='--seconds 600 --no-attach' >%s/make 2>&1; test $? = 2")
              :format(names, dir))
  local said = apps.read(dir .. "/make")
  t.ok(said:find("make run: " .. dir .. "/wrong.lua has failed (status 1): the others "
                 .. "are ended\n", 1, true) and said:find "run%] Error 1"
       and not said:find "waits.lua has failed", "and says so")
end

-- All are told, as by timeout(1): an app by who tells the group, and by its shell, at
-- the latest while it ends.
local names = {}
for i = 1, 2 do
  names[i] = ("%s/ends%d.lua"):format(dir, i)
  put(("ends%d.lua"):format(i), ([[
    local app = require "tw.app"
    app.feed.timer { every = 0.01 }
    app.script("ends.lua", { params = { i = %d } })]]):format(i))
end
put("ends.lua", ([[
  local M = {}
  function M:on_timer()
    if not self.begun then io.open(%q .. self.params.i, "w"):close() end
    self.begun = true
  end
  function M:on_stop()
    %s
    print(("app %%d has ended"):format(self.params.i))
  end
  return M]]):format(dir .. "/begun", apps.stop))
run = apps.shell(([[
  setsid sh -c 'echo $$ >%s/group; exec "$@"' sh env %s >%s/make 2>&1 & make=$!
  while [ ! -e %s/begun1 ] || [ ! -e %s/begun2 ]; do
    kill -0 $make || exit 3; sleep 0.02
  done
  kill -TERM -$(cat %s/group); wait $make; echo $?]]):format(dir,
  apps.making("run", ("APP='%s' RUN='--seconds 600 --no-attach'")
    :format(table.concat(names, " "))), dir, dir, dir, dir))
local said = apps.read(dir .. "/make")
fine = t.is(run.out, "143\n", "SIGTERM to the group of make run: its status")
fine = t.ok(said:find "app 1 has ended" and said:find "app 2 has ended"
            and select(2, said:gsub("records in ", "")) == 2,
            "and both apps end in peace") and fine
if not fine then t.diag(run.err .. said) end

t.done()
