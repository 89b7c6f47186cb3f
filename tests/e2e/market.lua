--- market: what `make run` starts, as it is, on a terminal and recorded.
--
-- The maker and the crossover trade on it, and one over FIX with the run's own venue; the
-- screen shows that they do.  What was recorded of it gives the maker and the crossover
-- the same orders in a backtest.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local terminal = require "terminal"

-- ---- on a terminal ----

local RATE <const> = os.getenv "SMALL" and 5000 or 30000
local APP <const> = "scripts/market.lua --no-attach --set rate=" .. RATE
local function trades(name)
  return "\n" .. name .. " +%d +%d+ +%d+ +[1-9]%d* +%-?%d+%.%d%d\n"
end

terminal.start("run " .. APP .. " --watch")
terminal.shows("^tidewire: four securities, two sectors, one index\n"
  .. "%d+%.%d s   %S+ records/s   %S+ records   cpu %d+ %%\nfeed fix: live, ",
  "a terminal of 80 columns: title and figures on lines of their own")
terminal.shows("\ntrades +worker +orders +open +fills +pnl\n", "who trades")
for _, name in ipairs { "maker", "crossover", "trader", "fund" } do
  terminal.shows(trades(name), name .. " trades: orders, fills, PnL")
end
terminal.shows("; 2 of 2 sessions are up\nworker ", "both ends of a FIX session")
terminal.shows("\nand %d+ more\n\n.*maker: %l+ 100 [AG]%u+ at %d+%.%d%d, holds ",
               "the latest fills are seen below a board that is cut")
terminal.tmux "resize-window -t t -x 120 -y 40"
terminal.shows("^tidewire: four securities, two sectors, one index   %d+%.%d s [^\n]*"
  .. " cpu %d+ %%\n\nfeed fix: live, ", "one of 120: on one line")
terminal.shows("\nvol.tech[^\n]*\n\n.*maker: ", "with the whole board")
terminal.keys { "C-c" }
terminal.shows("records in .*\ntrades  .*\nmaker  .*\ncrossover  .*\nstatus 130",
               "and the summary has it")

-- ---- recorded while it trades, then as data ----

-- The exchange is a process of its own, which ends when both have traded; the run ends
-- when they have read what it sent: a run that is told to end leaves the rest unread.
local dir, put, shell = apps.folder "market"
local here = apps.shell("pwd").out:match "[^\n]+"
local port = apps.free_port()
put("exchange.lua", ([[
  local app = require "tw.app"
  app.exchange { rate = %s, seed = 1, port = %d }
  app.feed.timer { every = 60 }
  app.script "none.lua"]]):format(RATE, port))
put("none.lua", "return {}")
put("run.sh", ([[
  export XDG_RUNTIME_DIR=$PWD/xdg; mkdir -p -m 700 xdg
  trap 'kill $exchange $run 2>/dev/null' EXIT
  %s run exchange.lua --no-attach >exchange 2>&1 & exchange=$!
  %s record %s/scripts/market.lua day.tape --set fix=127.0.0.1:%d --seconds 300 \
    >out 2>err & run=$!
  at() { timeout 60 %s attach $run -e "$1"; }
  await() { until "$@" || ! kill -0 $run; do sleep 0.1; done; }
  await grep -q 'maker: .* [1-9][0-9]* fills.*crossover: .* [1-9][0-9]* fills' err
  kill $exchange; wait $exchange
  is_waiting() { at status | grep -q '^feed fix: waiting'; }
  await is_waiting
  has_read() { at lag | grep -qE "^$1(\.lua)? +[0-9]+ +0 "; }
  await has_read maker
  await has_read crossover
  kill -INT $run; wait $run; status=$?; exchange= run=; exit $status
]]):format(apps.tidewire, apps.tidewire, here, port, apps.tidewire))
local made = apps.shell(("cd %s && timeout 400 bash run.sh"):format(dir))
if not t.is(made.status, 130, "a run is recorded until both have traded") then
  t.diag(made.err .. apps.read(dir .. "/err"))
end
put("both.lua", ([[
  local app = require "tw.app"
  app.script("%s/scripts/maker.lua", {
    symbols = { "AAPL", "GOOG" }, params = { edge = 0.02, quantity = 100 } })
  app.script("%s/scripts/crossover.lua", {
    symbols = { "AAPL", "GOOG", "BP", "XOM" } })]]):format(here, here))
local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    local said = line:match "maker: .*" or line:match "%u+ [-+]%d+%.%d%d$"
    if said and not said:find "^TIDE" then list[#list + 1] = said end
  end
  table.sort(list)
  return list
end
local live = lines(apps.read(dir .. "/out"))
local back = shell "backtest both.lua --data day.tape --messages"
t.ok(#live > 0, "they tell of their fills")
t.is(table.concat(lines(back.out), "\n"), table.concat(live, "\n"),
     "the same in a backtest, with the messages that the maker heard")
if back.status ~= 0 then t.diag(back.err) end
t.done()
