--- fix_gap: a gap in market data makes a book unknown until it is told again: in a live
-- run, in a run that plays its recording, and in a backtest.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local directory, put, command = apps.folder "fix_gap"
local at = apps.free_port()

-- Answers each subscription with a book, and hangs up once, when it was read.
put("venue.lua", [[
  local tw, M, fix = require "tw", {}, require "tw".fix
  function M:on_fix(message)
    local function entry(side, price)
      return { MDEntryType = side, MDEntryPx = price, MDEntrySize = 5 }
    end
    assert(fix.send("venue", { MsgType = "W", MDReqID = message.MDReqID, Symbol = "AAPL",
                               NoMDEntries = { entry("0", 10), entry("1", 11) } }))
  end
  function M:on_message()
    fix.logout "venue"
  end
  return M]])
put("s.lua", ([[
  local tw, M, books = require "tw", {}, 0
  local function known()
    local book = tw.book "AAPL"
    return book ~= nil and book.known
  end
  function M:on_book(book)
    books = books + 1
    print("book", books, known(), (book:bid()))
    if books == 1 then tw.publish("next", 1) end
    if books == 2 then io.open(%q, "w"):close() end
  end
  function M:on_gap(source, symbol) print("gap", source, symbol, known()) end
  return M]]):format(directory .. "/done"))
put("app.lua", ([[
  local app = require "tw.app"
  app.limits { time = 10 }
  app.fix.acceptor { port = %d, sessions = {
    { name = "venue", sender = "VENUE", target = "ME", take = { "V" } } } }
  app.feed.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
    target = "VENUE", retry = 0.05, subscribe = { "AAPL" }, depth = 5 }
  app.script "venue.lua" app.script "s.lua"]]):format(at, at))

local run = apps.shell(([[cd %s
  trap 'kill $pid 2>/dev/null' EXIT
  %s record app.lua live.tape & pid=$!
  while [ ! -e done ]; do kill -0 $pid || exit 3; sleep 0.02; done
  kill -INT $pid; wait $pid]]):format(directory, apps.tidewire))
local WANT <const> = "book\t1\ttrue\t10.0\ngap\tbroker\tnil\tfalse\nbook\t2\ttrue\t10.0\n"
if not t.is(run.out, WANT, "a live run: the book is not known, then it is") then
  t.diag(run.err)
end

apps.plays(put, command, "a run that plays it", WANT)
t.done()
