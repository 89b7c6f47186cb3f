--- fix_depth: books of prices on the tape: from a FIX session to scripts, into a file
-- and back.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

-- The other side: a snapshot, and changes of it; the next message when a script says so.
local VENUE = [[
  local fix = tw.fix
  local request, at
  local function entry(action, side, price, size)
    return { MDUpdateAction = action, MDEntryType = side, Symbol = action and "AAPL",
             MDEntryPx = price, MDEntrySize = size }
  end
  local steps = {
    function()
      return { MsgType = "W", MDReqID = request, Symbol = "AAPL", NoMDEntries = {
        entry(nil, "0", 10, 5), entry(nil, "0", 9, 4), entry(nil, "1", 11, 3),
        entry(nil, "1", 12, 2) } }
    end,
    function()
      return { MsgType = "X", MDReqID = request, NoMDEntries = {
        entry("0", "0", 9.5, 7), entry("2", "1", 11), entry("1", "0", 9, 1) } }
    end,
    function()
      return { MsgType = "X", MDReqID = request, NoMDEntries = {
        entry("2", "0", 10), entry("2", "0", 9.5), entry("2", "0", 9) } }
    end,
    function()
      assert(fix.send("venue", { MsgType = "f", Symbol = "AAPL", Text = "a pause",
                                 SecurityTradingStatus = "TRADING_HALT" }))
      return { MsgType = "X", MDReqID = request, NoMDEntries = {
        entry("0", "2", 11.5, 1) } }
    end,
  }
  function M:on_fix(message)
    request, at = message.MDReqID, 1
    assert(fix.send("venue", steps[1]()))
  end
  function M:on_message(topic)
    at = at + 1
    if steps[at] then assert(fix.send("venue", steps[at]())) end
  end]]

-- What a script sees of it, and in which order.
local READER = [[
  local function show(book)
    local text = {}
    for i = 1, book.bids do text[#text + 1] = ("%gx%g"):format(book:bid(i)) end
    text[#text + 1] = "/"
    for i = 1, book.asks do text[#text + 1] = ("%gx%g"):format(book:ask(i)) end
    return table.concat(text, " ")
  end
  function M:on_level(level, symbol, side, price, size, place, change, last)
    assert(level.price == price and level.last == last and level.kind == "level")
    print("level", symbol, side, place, price, size, change, last)
  end
  function M:on_book(book, symbol, time)
    assert(book == tw.book "AAPL" and book == tw.book("AAPL", book.source))
    assert(not tw.book("AAPL", "another") and not tw.book "none")
    assert(book.time == time and book.symbol == symbol and book.known)
    assert(book:bid() == book:bid(1) and book:bid(99) == nil and book:ask(0) == nil)
    assert(book:size("ask", 12) == 2 and book:size("bid", 12) == nil)
    print("book", show(book))
    tw.publish("next", 1)
  end
  function M:on_status(record, symbol, status, code, text)
    print(symbol, status, code, text, (tostring(record):gsub("%d+", "N")))
  end
  function M:on_quote(bid, ask)
    local book = tw.book "AAPL"
    print("quote", bid, ask, book and book:bid(), tostring(book))
  end
  M.one_sided = true]]

-- Another, which begins to look at the book when all has happened.
local LATE = [[
  local function look(done)
    local book
    repeat
      tw.sleep(0.01)
      book = tw.book "AAPL"
    until book and book.known and book.asks == 1
    print("late", tostring(book), book:bid())
    local file <close> = io.open(done, "w")
  end
  function M:on_trade()
    assert(tw.book "AAPL" == nil)
    tw.task.detach(look, DONE)
  end]]

local directory, put, command = apps.folder "fix_depth"
local at = apps.free_port()
put("app.lua", ([[
  local app = require "tw.app"
  app.limits { time = 10 }
  app.fix.acceptor { port = %d, sessions = {
    { name = "venue", sender = "VENUE", target = "ME", take = { "V" } } } }
  app.feed.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
    target = "VENUE", retry = 0.1, subscribe = { "AAPL" }, incremental = true, depth = 5 }
  app.script "venue.lua" app.script "s.lua" app.script "late.lua"]]):format(at, at))
local HEAD = 'local tw, M = require "tw", {} '
put("venue.lua", HEAD .. VENUE .. " return M")
put("s.lua", HEAD .. READER .. " return M")
put("late.lua", HEAD .. LATE:gsub("DONE", ("%q"):format(directory .. "/done"))
                .. " return M")

local LEVELS = [[
level	AAPL	nil	0	nil	0.0	clear	false
level	AAPL	bid	1	10.0	5.0	set	false
level	AAPL	bid	2	9.0	4.0	set	false
level	AAPL	ask	1	11.0	3.0	set	false
level	AAPL	ask	2	12.0	2.0	set	true
book	10x5 9x4 / 11x3 12x2
quote	10.0	11.0	10.0	book AAPL 10 x 5 / 11 x 3, 2 and 2 levels
level	AAPL	bid	2	9.5	7.0	set	false
level	AAPL	ask	1	11.0	0.0	gone	false
level	AAPL	bid	3	9.0	1.0	set	true
book	10x5 9.5x7 9x1 / 12x2
quote	10.0	12.0	10.0	book AAPL 10 x 5 / 12 x 2, 3 and 1 levels
level	AAPL	bid	1	10.0	0.0	gone	false
level	AAPL	bid	1	9.5	0.0	gone	false
level	AAPL	bid	1	9.0	0.0	gone	true
book	/ 12x2
quote	nil	12.0	nil	book AAPL none / 12 x 2, 0 and 1 levels
AAPL	halted	2	a pause	status N AAPL: halted, a pause
]]

-- Runs the app with these words, until the late one has seen the book.
local run = apps.shell(([[cd %s
  trap 'kill $pid 2>/dev/null' EXIT
  %s record app.lua live.tape & pid=$!
  while [ ! -e done ]; do kill -0 $pid || exit 3; sleep 0.02; done
  kill -INT $pid; wait $pid]]):format(directory, apps.tidewire))
local lines, late = {}, nil
for line in run.out:gmatch "[^\n]+" do
  if line:find "^late" then late = line else lines[#lines + 1] = line end
end
-- As it began, and as it was told again, which all hear.
local want = LEVELS .. "level\tAAPL\tnil\t0\tnil\t0.0\tclear\tfalse\n"
  .. "level\tAAPL\task\t1\t12.0\t2.0\tset\ttrue\nbook\t/ 12x2\n"
local fine = t.is(table.concat(lines, "\n") .. "\n", want,
                  "a book of prices from a session, and its changes")
fine = t.is(late, "late\tbook AAPL none / 12 x 2, 0 and 1 levels\tnil",
            "who looks later is told the book again") and fine
fine = t.is(run.status, 130, "status") and fine
if not fine then t.diag(run.err) end

-- The file has it: for a run that plays it, and for a backtest.
apps.plays(put, command, "a recording is played", want)
local info = command "tape live.tape"
t.ok(info.out:find "13 levels", "the file says what it has")
t.done()
