--- monitor: (internal) what a run shows while it lasts and says when it is over.
--
-- Why: only MAIN writes to the terminal, and it does so here.  On a terminal
-- that is a live screen, repainted in place, with the latest lines below;
-- otherwise a line a second, so that a log stays readable.
--
-- Both outputs may be one file, and scripts may flush standard output at any time: so a
-- line is one write, and what was printed goes out before what is said behind it.

local figures = require "tw.figures"
local screen = require "tw.screen"

local monitor = {}

local HISTORY, LINES = 60, 8      -- values of a sparkline; lines kept for the screen
local LEAST = 3                   -- of them, shown on the lowest screen
local SESSIONS <const> = 3        -- of FIX, on the screen
local PLAIN_EVERY = 1.0           -- seconds between two plain lines

local declared                    -- what the app file declared
local live = false                -- a live screen is shown
local sink                        -- of a program around the host: takes lines
local shown                       -- the lines on it, for screen.diff
local width, height = 80, 24      -- of the terminal
local recent = {}                 -- the last LINES lines of text
local history = {}                -- board name -> its last values
local last = { elapsed = 0, records = 0 }
local rate = 0                    -- records a second, since the last look
local said_at = 0

local ERROR, WARN, INFO, PRINT <const> = 0, 1, 2, 3

-- Lines for standard error.
local function tell(text)
  io.stdout:flush()
  io.stderr:write(text)
end

--- monitor.open(app, on_terminal [, sink]) -> true
-- Begins: app is what tw.app declared.  sink(level, who, text) is asked to take what
-- monitor says itself; where there is one, no figures are shown.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function monitor.open(app, on_terminal, to)
  declared, live, sink = app, on_terminal, to
  if live then
    io.write("\27[?25l")
  end
  return true
end

--- monitor.leave() -> true
-- Ends the live screen, so that what follows is plain text below it.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function monitor.leave()
  if not live then return true end
  live = false
  io.write(string.format("\27[%d;1H\27[?25h\n", height))
  io.flush()
  return true
end

--- monitor.print(level, who, text) -> true
-- A line from any thread: a script's print on standard output, what went wrong
-- on standard error; on the live screen, among the latest lines.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function monitor.print(level, who, text)
  if sink and sink(level, who, text) then return true end
  if who ~= "" then who = who .. ": " end
  if live then
    for line in (text .. "\n"):gmatch("(.-)\n") do
      recent[#recent + 1] = line
      if #recent > LINES then table.remove(recent, 1) end
    end
    if level ~= ERROR then return true end
  end
  if level == PRINT then
    io.stdout:write(text .. "\n")
  else
    tell("tidewire: " .. (level == WARN and "warning: " or "") .. who .. text .. "\n")
  end
  return true
end

-- An error from another state has its traceback.
local function trace(why)
  local text = tostring(why)
  return text:find("\nstack traceback:\n", 1, true) and text or debug.traceback(text)
end

-- Runs a function of the app file; an error in it is printed: no result then.
local function call(what, f, ...)
  local fine, result = xpcall(f, trace, ...)
  if fine then return result or false end
  monitor.print(ERROR, what, tostring(result))
end

--- monitor.feed(name, state, why) -> boolean
-- Tells the app file's on_feed.
-- Yields: no.  Blocks: no.  Thread: MAIN.
-- Errors: false, and printed, when on_feed raises.  Units: none.
function monitor.feed(name, state, why)
  return not declared.on_feed
         or call("on_feed", declared.on_feed, name, state, why) ~= nil
end

-- The names on the board that the app wants shown, with their values.
local function board_rows()
  local board = require "tw.board"
  local wanted = declared.screen and declared.screen.board
  local rows = {}
  for name, value in pairs(board) do
    local show = not wanted
    for _, pattern in ipairs(wanted or {}) do
      pattern = pattern:gsub("[^%w*]", "%%%0"):gsub("%*", ".*")
      show = show or name:find("^" .. pattern .. "$") ~= nil
    end
    if show then rows[#rows + 1] = { name, value } end
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows
end

local function text_of(value)
  if math.type(value) == "float" then return string.format("%.6g", value) end
  return tostring(value)
end

local function remember(rows)
  for _, row in ipairs(rows) do
    local name, value = row[1], row[2]
    local values = history[name] or {}
    history[name] = values
    values[#values + 1] = type(value) == "number" and value or nil
    if #values > HISTORY then table.remove(values, 1) end
  end
end

-- Lag and latency of each worker: the slowest of its scripts counts.
local function worker_rows(status)
  local rows = {}
  for i, worker in ipairs(status.workers) do
    local lag, handled, names = 0, 0, {}
    for _, script in ipairs(status.scripts) do
      if script.worker == i - 1 then
        lag = math.max(lag, script.lag)
        handled = handled + script.handled
        names[#names + 1] = script.name:match("[^/]*$"):gsub("%.lua$", "")
      end
    end
    rows[i] = { tostring(i - 1), screen.number(lag), screen.number(handled),
                screen.duration(worker.done.p50), screen.duration(worker.done.p99),
                screen.bytes(worker.bytes), table.concat(names, " ") }
  end
  return rows
end

local function lost(status)
  local n = 0
  for _, script in ipairs(status.scripts) do n = n + script.lost end
  return n
end

-- Which version of the app file is there, when it is not the first.
local function version(app)
  return app.version > 1 and ("   %s: version %d"):format(app.name, app.version) or ""
end

-- The title with the figures of the run: on two lines where one does not hold them.
local function heading(status)
  local title = (declared.screen and declared.screen.title or "tidewire")
                .. version(status.app)
  local so_far = ("%.1f s   %s records/s   %s records   cpu %.0f %%"):format(
    status.elapsed, screen.number(rate), screen.number(status.records),
    100 * status.cpu / math.max(status.elapsed, 0.001))
  local one = title .. "   " .. so_far
  return utf8.len(one) and utf8.len(one) <= width and one .. "\n" or
         title .. "\n" .. so_far
end

-- The board, in that many lines: the last one says how many values are left out.
local function board_text(rows, room)
  local stats = {}
  local fit = #rows < room and #rows or math.max(room - 2, 0)
  for i = 1, fit do
    local name, value = rows[i][1], rows[i][2]
    stats[i] = { name, text_of(value), screen.sparkline(history[name], 24) }
  end
  local text = screen.table(stats, { "board", "value", "history" })
  return fit == #rows and text or ("%s\nand %d more"):format(text, #rows - fit)
end

-- "a; b; c", on as many lines as it takes.
local function joined(parts)
  local lines = { "" }
  for i, part in ipairs(parts) do
    local longer = (i > 1 and lines[#lines] .. "; " or "") .. part
    if i > 1 and (utf8.len(longer) or #longer) > width then lines[#lines + 1] = part
    else lines[#lines] = longer end
  end
  return table.concat(lines, "\n")
end

-- Feeds and FIX sessions for a low screen.
local function sources_line(status)
  local parts, up, down = {}, 0, {}
  for i, feed in ipairs(status.feeds) do
    local text = ("%s%s: %s"):format(i == 1 and "feed " or "", feed.name, feed.state)
    if feed.messages > 0 then
      text = ("%s, %s messages"):format(text, screen.number(feed.messages))
    end
    if feed.errors > 0 then text = ("%s, %d errors"):format(text, feed.errors) end
    if feed.skips > 0 then text = ("%s, %d skips"):format(text, feed.skips) end
    parts[i] = text
  end
  for _, s in ipairs(status.fix or {}) do
    if s.state == "up" then up = up + 1
    elseif #down < SESSIONS then down[#down + 1] = ("%s: %s"):format(s.name, s.state) end
  end
  if status.fix and status.fix[1] then
    parts[#parts + 1] = ("%d of %d sessions are up"):format(up, #status.fix)
  end
  return joined(table.move(down, 1, #down, #parts + 1, parts))
end

-- Adds the lines of a text.
local function add(lines, text)
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
end

-- All that is above the board, as lines; for a low screen in few.
local function upper(status, is_low)
  local lines = {}
  local function part(text)
    if not text then return end
    add(lines, text)
    if not is_low then add(lines, "") end
  end
  add(lines, heading(status))
  if is_low then
    add(lines, sources_line(status))
  else
    for _, feed in ipairs(status.feeds) do
      add(lines, ("feed %s: %s, %s messages, %d errors, %d skips"):format(feed.name,
        feed.state, screen.number(feed.messages), feed.errors, feed.skips))
    end
    add(lines, "")
  end
  part(screen.table(worker_rows(status),
    { "worker", "lag", "handled", "p50", "p99", "memory", "scripts" }))
  if not is_low then part(figures.sessions(status, SESSIONS)) end
  part(figures.trading(status))
  if is_low then add(lines, "") end
  return lines
end

local function paint(status, rows)
  local now_width, now_height = status.columns or 80, status.rows or 24
  if now_width ~= width or now_height ~= height then   -- the window has another size
    width, height, shown = now_width, now_height, nil
  end
  -- On a low screen the board leaves room for the very latest lines.
  local tail = math.min(#recent, LEAST)
  local lower = tail > 0 and tail + 1 or 0
  local lines = upper(status)
  local board = rows[1] and #rows + 2 or 0
  if #lines + board + LEAST > height - 1 then lines = upper(status, true) end
  if rows[1] then add(lines, board_text(rows, height - 1 - #lines - lower)) end
  if lines[#lines] ~= "" then add(lines, "") end
  local fit = math.min(#recent, math.max(height - 1 - #lines, tail))
  table.move(recent, #recent - fit + 1, #recent, #lines + 1, lines)
  local frame = screen.frame(lines, width, height - 1)
  io.write(screen.diff(shown, frame))
  io.flush()
  shown = frame
end

--- monitor.tick(status) -> true
-- Four times a second: repaints the screen, or prints the line of the second.
-- Yields: no.  Blocks: on the terminal.  Thread: MAIN.  Errors: none.  Units: none.
function monitor.tick(status)
  io.flush()               -- who follows the output sees lines as they come
  local passed = status.elapsed - last.elapsed
  if live or status.elapsed - said_at >= PLAIN_EVERY then
    rate = (status.records - last.records) / math.max(passed, 1e-3)
    last = { elapsed = status.elapsed, records = status.records }
  end
  if live then
    local rows = board_rows()
    remember(rows)
    paint(status, rows)
  elseif status.elapsed - said_at >= PLAIN_EVERY then
    said_at = status.elapsed
    local p99 = 0
    for _, worker in ipairs(status.workers) do p99 = math.max(p99, worker.done.p99) end
    local parts = {}
    for _, row in ipairs(board_rows()) do
      parts[#parts + 1] = row[1] .. "=" .. text_of(row[2])
    end
    tell(string.format("%5.1f s  %s records/s  p99 %s  lost %d  %s%s\n",
      status.elapsed, screen.number(rate), screen.duration(p99), lost(status),
      figures.traded(status), table.concat(parts, " ")))
  end
  return true
end

local function rows_of(list, row)
  local rows = {}
  for i, one in ipairs(list or {}) do rows[i] = row(one) end
  return rows
end

-- How long each stage took; nil: nothing has come.
local function stages(status)
  local rows = {}
  local function add_stage(name, thread, t)
    if t.count == 0 then return end
    rows[#rows + 1] = { name, thread, screen.duration(t.p50), screen.duration(t.p99),
                        screen.duration(t.p999), screen.duration(t.max) }
  end
  add_stage("parse", "io", status.parse)
  for _, name in ipairs { "reach", "done" } do
    for i, worker in ipairs(status.workers) do
      add_stage(name, "worker " .. i - 1, worker[name])
    end
  end
  return rows[1]
    and screen.table(rows, { "stage", "thread", "p50", "p99", "p99.9", "max" })
        .. "\n(from received: parse to the tape, reach to a handler, done to its end;"
        .. " one value a batch)"
end

local function scripts(status)
  return screen.table(rows_of(status.scripts, function(script)
    return { script.name, tostring(script.worker),
             script.shards > 1 and script.shard .. " of " .. script.shards or "",
             tostring(script.version), tostring(script.since),
             screen.number(script.handled), tostring(script.lost),
             tostring(script.errors) }
  end), { "script", "worker", "shard", "version", "since", "handled", "lost", "errors" })
end

local function caches(status)
  local rows = rows_of(status.caches, function(cache)
    return { cache.name, screen.number(cache.entries), screen.bytes(cache.bytes),
             screen.number(cache.hits), screen.number(cache.misses),
             screen.number(cache.coalesced), tostring(cache.failures),
             cache.load.count > 0 and screen.duration(cache.load.p50) or "" }
  end)
  return rows[1] and screen.table(rows, { "cache", "entries", "bytes", "hits", "misses",
                                          "joined", "failures", "load p50" })
end

local function channels(status)
  local rows = rows_of(status.channels, function(channel)
    return { channel.name, channel.depth .. " of " .. channel.capacity,
             screen.number(channel.sent), screen.number(channel.received),
             tostring(channel.dropped + channel.replaced) }
  end)
  return rows[1] and screen.table(rows, { "channel", "depth", "sent", "received",
                                          "dropped" })
end

local function cpu_line(status)
  local parts = { ("io %.2f"):format(status.io_cpu) }
  for i, worker in ipairs(status.workers) do
    parts[#parts + 1] = ("worker %d %.2f"):format(i - 1, worker.cpu)
  end
  if status.exchange_cpu then
    parts[#parts + 1] = ("exchange %.2f"):format(status.exchange_cpu)
  end
  return ("CPU seconds: %.2f (%s)"):format(status.cpu, table.concat(parts, ", "))
end

local function memory_line(status)
  local bytes = 0
  for _, worker in ipairs(status.workers) do bytes = bytes + worker.bytes_peak end
  return ("memory: %s at the end, the tape %s; Lua %s at most"):format(
    status.pss > 0 and screen.bytes(status.pss) or "unknown",
    screen.bytes(status.capacity * 64), screen.bytes(bytes))
end

--- monitor.summary(status) -> string
-- The figures of a whole run as text.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function monitor.summary(status)
  local out, app, pool = {}, status.app, status.pool
  local function say(text) out[#out + 1] = text or nil end
  say(("%s records in %.2f s, %s/s"):format(screen.number(status.records),
    status.elapsed, screen.number(status.records / math.max(status.elapsed, 1e-9))))
  for _, feed in ipairs(status.feeds) do
    local text = ("feed %s (%s): %d records from %d messages"):format(feed.name,
      feed.state, feed.records, feed.messages)
    if feed.ignored > 0 then text = ("%s, %d ignored"):format(text, feed.ignored) end
    if feed.errors > 0 then text = ("%s, %d errors"):format(text, feed.errors) end
    if feed.skips > 0 then
      text = ("%s, %d skips of %d bytes"):format(text, feed.skips, feed.skipped)
    end
    say(text)
  end
  say(stages(status))
  if app.version > 1 then
    say(("%s: version %d since record %d"):format(app.name, app.version, app.since))
  end
  say(scripts(status))
  say(figures.sessions(status))
  say(figures.ports(status))
  say(figures.trading(status))
  if pool and pool.submitted > 0 then
    say(("pool: %d jobs on %d threads, %d done, %d failed, %d cancelled"):format(
      pool.submitted, pool.threads, pool.done, pool.failed, pool.cancelled))
  end
  say(caches(status))
  say(channels(status))
  say(cpu_line(status))
  say(memory_line(status))
  return table.concat(out, "\n")
end

--- monitor.finish(status) -> boolean
-- After the last script: the app file's on_end, then the summary.
-- Yields: no.  Blocks: no.  Thread: MAIN.
-- Errors: false, and printed, when on_end raises.  Units: none.
function monitor.finish(status)
  local said = false
  if declared.on_end then said = call("on_end", declared.on_end, status) end
  if not said and not sink then tell(monitor.summary(status) .. "\n") end
  return said ~= nil
end

return monitor
