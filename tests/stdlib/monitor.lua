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
local text = monitor.summary(status)
t.is(text:gsub("%(from.-%)\n", ""), [[
1.23M records in 2.00 s, 617k/s
feed fix (ended): 10 records from 7 messages, 1 ignored, 2 errors, 3 skips of 40 bytes
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
memory: 70.0 MiB, of which the tape 64.0 MiB and Lua 2.0 MiB at most]], "the summary")
status.exchange_cpu = 0.125
t.ok(monitor.summary(status):find "worker 1 0.25, exchange 0.1[23]%)",
  "an exchange's part")

-- The channels of a run: what was dropped or replaced is gone.
run = apps.run { app = "app.feed.synthetic { rate = 10 } app.script 's.lua'",
  args = { "--seconds", "0.1" }, ["s.lua"] = [[function M.on_start()
    local ch = tw.channel(2, { name = "latest", full = "latest", key = "k" })
    for i = 1, 4 do ch:send { k = i } end
    ch:send { k = 4 }
    ch:recv()
  end]] }
t.ok(run.err:find "channel +depth +sent +received +dropped\nlatest +1 of 2 +5 +1 +3\n",
  "the channels of a run")

-- Lines come while the run lasts.
local fifo = os.tmpname()
os.remove(fifo)
assert(os.execute("mkfifo " .. fifo))
local _, command = apps.write { args = { "--seconds", "20" },
  app = "app.feed.synthetic { rate = 10 } app.script 's.lua'",
  ["s.lua"] = "function M.on_start() print 'early' end" }
local began = os.time()
run = apps.shell(("%s >%s & read x <%s; echo $x; kill -INT $!; wait $!")
                 :format(command, fifo, fifo))
t.is(run.out, "early\n", "a line is seen")
t.ok(os.time() - began < 15, "before the run is over")
os.remove(fifo)
