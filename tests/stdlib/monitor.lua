--- monitor: what a run says: its lines, its screen's end, its summary.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local monitor = require "tw.monitor"
local apps = require "apps"

-- Where lines go, in a process of their own.
local function said(text)
  return apps.shell(apps.tidewire .. " -e "
    .. apps.quote('local m = require "tw.monitor" '
                    .. text))
end
local run = said [[m.open({}, false)
  m.print(3, "", "printed") m.print(3, "", "two\nlines") m.print(0, "worker 1", "bad")
  m.print(1, "feed x", "odd") m.print(2, "", "by the way")]]
t.is(run.out, "printed\ntwo\nlines\n", "what scripts print: standard output")
t.is(run.err, "tidewire: worker 1: bad\ntidewire: warning: feed x: odd\n"
  .. "tidewire: by the way\n", "the rest: standard error")
run = said [[m.open({}, true) m.print(3, "", "printed") m.print(1, "x", "odd")
  m.print(0, "x", "bad") m.leave() m.leave() m.print(3, "", "after")]]
t.is(run.out, "\27[?25l\27[24;1H\27[?25h\nafter\n", "a live screen begins and ends once")
t.is(run.err, "tidewire: x: bad\n", "errors outlive the screen")

-- Both outputs in one file, of which C writes in blocks; and a script on another thread
-- may flush at any time.
run = apps.shell(apps.tidewire .. " -e " .. apps.quote [[
  local m = require "tw.monitor"
  m.open({}, false)
  m.print(3, "", ("x"):rep(5000)) m.print(1, "feed x", "odd") m.print(3, "", "after")
  local parts = { write = function(_, ...) print(select("#", ...), ...) end,
                  flush = function() print "flushed" end }
  io.stdout, io.stderr = parts, parts
  m.print(3, "", "printed") m.print(0, "worker 1", "bad")]] .. " 2>&1")
t.is(run.out, ("x"):rep(5000) .. "\ntidewire: warning: feed x: odd\nafter\n"
     .. "1\tprinted\n\nflushed\n1\ttidewire: worker 1: bad\n\n",
     "lines are whole, and in their order")

-- The app file's functions.
run = said [[m.open({ on_feed = function(...) print(...) end }, false)
  print(m.feed("fix", "live", "")) m.open({}, false) print(m.feed("fix", "ended", ""))
  m.open({ on_feed = function() error("bad", 0) end }, false) print(m.feed("a", "b", "c"))
  m.open({ on_end = function(s) print(s.x) return true end }, false)
  print(m.finish { x = 5 })]]
t.is(run.out, "fix\tlive\t\ntrue\ntrue\nfalse\n5\ntrue\n", "on_feed and on_end")
t.ok(run.err:find "^tidewire: on_feed: bad\nstack traceback:", "an error in them is told")

-- The summary of a known run.
local function times(n, p50)
  return { count = n, p50 = p50, p99 = 2 * p50, p999 = 3 * p50, max = 4 * p50 }
end
local none = times(0, 0)
local status = {
  app = { name = "market.lua", version = 2, since = 70 },
  records = 1234567, elapsed = 2, parse = times(5, 1e-6), io_cpu = 0.5, cpu = 1.25,
  pss = 70 * 2^20, capacity = 1 << 20,
  feeds = { { name = "fix", state = "ended", records = 10, messages = 7, ignored = 1,
              errors = 2, skips = 3, skipped = 40 } },
  workers = { { reach = times(5, 1e-3), done = times(5, 2e-3), cpu = 0.5,
    bytes_peak = 1 << 20 },
              { reach = none, done = none, cpu = 0.25, bytes_peak = 1 << 20 } },
  scripts = {
    { name = "a.lua", worker = 0, shard = 1, shards = 2, version = 2, since = 70,
      handled = 1000, lost = 0, errors = 0 },
    { name = "a.lua", worker = 1, shard = 2, shards = 2, version = 2, since = 70,
      handled = 5, lost = 7, errors = 1 },
    { name = "b.lua", worker = 1, shard = 1, shards = 1, version = 1, since = 1,
      handled = 0, lost = 0, errors = 0 },
  },
}
local quiet = { name = "quiet", state = "live", records = 3, messages = 3, ignored = 0,
                errors = 0, skips = 0, skipped = 0 }
status.feeds[2] = quiet
local text = monitor.summary(status)
status.feeds[2] = nil
t.is(text:gsub("%(from.-%)\n", ""), [[
1.23M records in 2.00 s, 617k/s
feed fix (ended): 10 records from 7 messages, 1 ignored, 2 errors, 3 skips of 40 bytes
feed quiet (live): 3 records from 3 messages
stage  thread       p50     p99   p99.9     max
parse  io        1.0 us  2.0 us  3.0 us  4.0 us
reach  worker 0  1.0 ms  2.0 ms  3.0 ms  4.0 ms
done   worker 0  2.0 ms  4.0 ms  6.0 ms  8.0 ms
market.lua: version 2 since record 70
script  worker   shard  version  since  handled  lost  errors
a.lua        0  1 of 2        2     70    1.00k     0       0
a.lua        1  2 of 2        2     70        5     7       1
b.lua        1                1      1        0     0       0
CPU seconds: 1.25 (io 0.50, worker 0 0.50, worker 1 0.25)
memory: 70.0 MiB at the end, the tape 64.0 MiB; Lua 2.0 MiB at most]], "the summary")
status.exchange_cpu = 0.125
t.ok(monitor.summary(status):find "worker 1 0.25, exchange 0.1[23]%)",
  "an exchange's part")

-- The live screen of a known run: who trades and the latest lines are always on it.
local SCREEN <const> = [[
  local m, board = require "tw.monitor", {}
  package.loaded["tw.board"] = board         -- there is none without a run
  local none = { p50 = 0, p99 = 0, p999 = 0, max = 0, count = 0 }
  local status = { elapsed = 2, records = 5000, cpu = 1, columns = %d, rows = %d,
    app = { version = 1 }, workers = { { done = none, bytes = 1024 } },
    feeds = { { name = "f", state = "live", messages = 5000, errors = 0, skips = 0 } },
    scripts = {
      { name = "x/buyer.lua", worker = 0, lag = 0, handled = 7, lost = 0, orders = 5,
        open = 2, fills = 3, pnl = -1.5 },
      { name = "idle.lua", worker = 0, lag = 0, handled = 7, lost = 0 } } }
  m.open({ screen = { title = "a market with a long title" } }, %s)
  for i = 1, %d do m.print(3, "", "line " .. i) end
  for i = 11, 10 + %d do board["v" .. i] = i end
  %s
  m.tick(status)]]
local TOP <const> = "feed f: live, 5.00k messages, 0 errors, 0 skips\n\n"
  .. "worker  lag  handled   p50   p99   memory  scripts\n"
  .. "     0    0       14  0 ns  0 ns  1.0 KiB  buyer idle\n\n"
  .. "trades  worker  orders  open  fills    pnl\n"
  .. "buyer        0       5     2      3  -1.50\n\n"
local NARROW <const> = "a market with a long title\n"
  .. "2.0 s   2.50k records/s   5.00k records   cpu 50 %\n"
local function screen(columns, rows, lines, values, more)
  local got = said(SCREEN:format(columns, rows, "true", lines, values, more or ""))
  local text = got.out:gsub("^\27%[%?25l\27%[2J", ""):gsub("\27%[(%d+);1H\27%[K", "\n%1 ")
  local shown = {}
  for row, line in text:gmatch "\n(%d+) ([^\n]*)" do shown[tonumber(row)] = line end
  for i = 1, rows - 1 do shown[i] = shown[i] or "" end
  local whole = (table.concat(shown, "\n") .. "\n"):gsub("[ ▁-█]+\n", "\n")
  return (whole:gsub("\n+$", "")), got
end
local wide, got = screen(100, 24, 9, 2)
t.is(wide, "a market with a long title   2.0 s   2.50k records/s   5.00k records   "
  .. "cpu 50 %\n\n" .. TOP .. "board  value  history\nv11       11\nv12       12\n\n"
  .. "line 2\nline 3\nline 4\nline 5\nline 6\nline 7\nline 8\nline 9", "a wide screen")
if got.err ~= "" then t.diag(got.err) end
local LOW <const> = TOP:gsub(", 0 errors, 0 skips\n\n", "\n"):gsub("idle\n\n", "idle\n")
t.is(screen(60, 20, 5, 9), NARROW .. LOW .. "board  value  history\n"
  .. "v11       11\nv12       12\nv13       13\nv14       14\nv15       15\n"
  .. "and 4 more\n\nline 3\nline 4\nline 5",
  "a small one: closer, and what is left out is counted")
t.is(screen(60, 24, 3, 8), NARROW .. TOP .. "board  value  history\n"
  .. "v11       11\nv12       12\nv13       13\nv14       14\nv15       15\n"
  .. "v16       16\nv17       17\nv18       18\n\nline 1\nline 2\nline 3",
  "one that all of it just fits")
wide, got = screen(60, 20, 5, 9, [[
  status.feeds[2] = { name = "second", state = "ended", messages = 0, errors = 1,
                      skips = 2 }
  status.fix = {}
  for i, state in ipairs { "up", "logging on" } do
    status.fix[i] = { name = ("ab"):sub(i, i), state = state, enabled = true, peer = "",
                      next_in = 1, next_out = 1, received = 0, sent = 0, queued = 0,
                      waiting = 0, logons = 0 }
  end]])
t.is(wide,
  NARROW .. LOW:gsub("messages", "%0\nsecond: ended, 1 errors, 2 skips; "
    .. "1 of 2 sessions are up\nb: logging on", 1) .. "board  value  history\n"
  .. "v11       11\nv12       12\nv13       13\nand 6 more\n\nline 3\nline 4\nline 5",
  "feeds and sessions of a small one")
if got.err ~= "" then t.diag(got.err) end
t.ok(screen(60, 20, 5, 9, [[
  status.feeds[2] = { name = "b\xff", state = "live", messages = 0, errors = 0,
                      skips = 0 }
  ]]):find("messages; b?: live", 1, true), "a name that is not UTF-8")
t.is(screen(60, 20, 0, 4), NARROW .. TOP .. "board  value  history\n"
  .. "v11       11\nv12       12\nv13       13\nv14       14", "without lines")
t.is(screen(60, 24, 4, 0), NARROW .. TOP
  .. "line 1\nline 2\nline 3\nline 4", "and without a board")
got = said(SCREEN:format(80, 24, "false", 0, 2, ""))
t.is(got.err, "  2.0 s  2.50k records/s  p99 0 ns  lost 0  "
  .. "buyer: 5 orders, 3 fills, pnl -1.50  v11=11 v12=12\n", "a line of a log")
got = said(SCREEN:format(80, 24, "false", 0, 2, "status.scripts[1].pnl = -0.000123"))
t.ok(got.err:find("pnl -0.000123  ", 1, true), "of an account in bitcoin")

-- The channels of a run: what was dropped or replaced is gone.
run = apps.run { app = "app.feed.synthetic { rate = 10 } app.script 's.lua'",
  ["s.lua"] = [[function M.on_start()
    local ch = tw.channel(2, { name = "latest", full = "latest", key = "k" })
    for i = 1, 4 do ch:send { k = i } end
    ch:send { k = 4 }
    ch:recv()
    ]] .. apps.stop .. [[
  end]] }
t.ok(run.err:find "channel +depth +sent +received +dropped\nlatest +1 of 2 +5 +1 +3\n",
  "the channels of a run")

-- Lines come while the run lasts.
local fifo = os.tmpname()
os.remove(fifo)
assert(os.execute("mkfifo " .. fifo))
local _, command = apps.write {
  app = "app.feed.synthetic { rate = 10 } app.script 's.lua'",
  ["s.lua"] = "function M.on_start() print 'early' end" }
run = apps.shell(("%s >%s & read x <%s; echo $x; kill -INT $!; wait $!")
                 :format(command, fifo, fifo))
t.is(run.out, "early\n", "a line is seen")
t.is(run.status, 130, "before the run is over: it is Ctrl-C that ends it")
os.remove(fifo)

-- FIX sessions: those that are not up come first, and how many are left out.
do
  local figures = require "tw.figures"
  local function one(name, state)
    return { name = name, state = state, enabled = name ~= "off", peer = "1.2.3.4:5",
             next_in = 3, next_out = 4, received = 2, sent = 3, queued = 5, waiting = 6,
             logons = 1 }
  end
  t.is(figures.sessions { scripts = {} }, nil, "a run without sessions")
  t.is(figures.sessions({ fix = { one("a", "up"), one("off", "down"), one("c", "up") } },
                        2), [[
session  state                peer  next in  next out  in  out  queue  logons
off      down, disabled  1.2.3.4:5        3         4   2    3     11       1
a        up              1.2.3.4:5        3         4   2    3     11       1
and 1 more; 2 of 3 are up]], "FIX sessions")
end
