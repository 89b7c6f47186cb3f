--- figures: (internal) a run's figures as tables, for who is attached: 80 columns.

local money = require "tw.report_figures".money
local screen = require "tw.screen"
local tw = require "tw"

local figures = {}

local PATH <const> = 20           -- columns of a script's name

-- Why a FIX port cuts a connection.
figures.CUTS = { "silent", "garbled", "unknown", "refused", "crowded", "tls" }

-- The end of a path says most.
local function ending(path)
  return #path <= PATH and path or "…" .. path:sub(1 - PATH)
end

local function age(seconds)
  if seconds < 60 then return ("%.1f s"):format(seconds) end
  local minutes = seconds // 60
  if minutes < 60 then return ("%d:%02d min"):format(minutes, seconds % 60 // 1) end
  return ("%d h %02d min"):format(minutes // 60, minutes % 60)
end

-- What a script's next version is in, beside it: how far, and for how long.
local function stage_text(stage)
  return ("%s, %s of %s, %s"):format(stage.name, screen.number(stage.done),
                                     screen.number(stage.of), age(stage.elapsed))
end

local function feed_line(feed)
  return ("feed %s: %s, %s records, %d errors, %d skips"):format(feed.name, feed.state,
    screen.number(feed.records), feed.errors, feed.skips)
end

local function short(name) return (name:match "[^/]*$":gsub("%.lua$", "")) end

--- figures.trading(status) -> string | nil
-- What the scripts that trade have done; nil when none does.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.
-- Units: pnl: equity less deposits, in each account's currency.
function figures.trading(status)
  local rows = {}
  for _, script in ipairs(status.scripts) do
    if script.orders then
      rows[#rows + 1] = { short(script.name), tostring(script.worker),
                          screen.number(script.orders), screen.number(script.open),
                          screen.number(script.fills), money(script.pnl) }
    end
  end
  if #rows == 0 then return end
  return screen.table(rows, { "trades", "worker", "orders", "open", "fills", "pnl" })
         .. (status.halted and "\ntrading is halted" or "")
end

--- figures.traded(status) -> string
-- The same for one line of a log, "" when none does.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: as figures.trading.
function figures.traded(status)
  local parts = {}
  for _, script in ipairs(status.scripts) do
    if script.orders then
      parts[#parts + 1] = ("%s: %s orders, %s fills, pnl %s  "):format(
        short(script.name), screen.number(script.orders), screen.number(script.fills),
        money(script.pnl))
    end
  end
  return table.concat(parts)
end

--- figures.sessions(status [, most]) -> string | nil
-- The FIX sessions of the run, at most so many: those that are not up come first.  nil
-- when there is none.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.
-- Units: queue: bytes that wait to be sent.
function figures.sessions(status, most)
  local all, rows, up = status.fix or {}, {}, 0
  if #all == 0 then return end
  local order = {}
  for pass = 1, 2 do
    for _, s in ipairs(all) do
      local is_up = s.state == "up"
      if is_up == (pass == 2) then order[#order + 1] = s end
      if is_up and pass == 1 then up = up + 1 end
    end
  end
  for i = 1, math.min(#order, most or #order) do
    local s = order[i]
    rows[i] = { ending(s.name), s.enabled and s.state or s.state .. ", disabled", s.peer,
                tostring(s.next_in), tostring(s.next_out), screen.number(s.received),
                screen.number(s.sent), screen.number(s.queued + s.waiting),
                tostring(s.logons) }
  end
  local text = screen.table(rows, { "session", "state", "peer", "next in", "next out",
                                    "in", "out", "queue", "logons" })
  if #rows == #all then return text end
  return ("%s\nand %d more; %d of %d are up"):format(text, #all - #rows, up, #all)
end

--- figures.ports(status) -> string | nil
-- Ports that cut connections before a session had them, and why.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function figures.ports(status)
  local lines = {}
  for _, port in ipairs(status.fix and status.fix.ports or {}) do
    local sum, parts = 0, {}
    for _, reason in ipairs(figures.CUTS) do
      local n = port[reason]
      sum = sum + n
      if n > 0 then parts[#parts + 1] = ("%d %s"):format(n, reason) end
    end
    if sum > 0 then
      lines[#lines + 1] = ("port %d: %d of %d connections were cut: %s"):format(port.port,
        sum, port.connects, table.concat(parts, ", "))
    end
  end
  return lines[1] and table.concat(lines, "\n")
end

--- figures.status(status, rate) -> string
-- The run, its feeds, workers and FIX sessions; status: its figures; rate: records a
-- second.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function figures.status(status, rate)
  local lines, rows = {
    ("tidewire %s, runs for %s, cpu %.2f s"):format(tw.version, age(status.elapsed),
                                                    status.cpu),
    ("%s records, %s/s since the last look"):format(screen.number(status.records),
                                                    screen.number(rate)),
    ("app file %s: version %d since record %d"):format(status.app.name,
      status.app.version, status.app.since),
  }, {}
  for _, feed in ipairs(status.feeds) do lines[#lines + 1] = feed_line(feed) end
  for i, worker in ipairs(status.workers) do
    local lag, lost, failed = 0, 0, 0
    for _, script in ipairs(status.scripts) do
      if script.worker == i - 1 then
        lag, lost = math.max(lag, script.lag), lost + script.lost
        failed = failed + script.errors
      end
    end
    rows[i] = { tostring(i - 1), screen.number(lag), tostring(lost), tostring(failed),
                screen.duration(worker.done.p50), screen.duration(worker.done.p99),
                screen.bytes(worker.bytes), ("%.2f"):format(worker.cpu) }
  end
  lines[#lines + 1] = screen.table(rows, { "worker", "lag", "lost", "errors", "p50",
                                           "p99", "memory", "cpu s" })
  for _, script in ipairs(status.scripts) do
    if script.stage then
      lines[#lines + 1] = ("script %s, worker %d: version %d is %s"):format(script.name,
        script.worker, script.version + (script.stage.name == "guarded" and 0 or 1),
        stage_text(script.stage))
    end
  end
  lines[#lines + 1] = figures.sessions(status)
  lines[#lines + 1] = figures.ports(status)
  lines[#lines + 1] = figures.trading(status)
  return table.concat(lines, "\n")
end

-- What each script is doing, of tw.ps: "worker 0 name" -> text.
local function states()
  local found = {}
  for _, task in ipairs(require "tw.ps"()) do
    if task.script and task.name == task.script then
      local state = task.state == "waiting" and "waits: " .. task.waits_for
                    or task.state == "done" and "stopped" or "runs"
      found[task.worker .. " " .. task.name] = state
    end
  end
  return found
end

--- figures.scripts(status, instances) -> string
-- Each instance, its version and what it does; instances[i].paused: it takes no records.
-- A next version that is warming or in shadow beside it, or that it is guarded, comes
-- first: how many records of how many, and for how long.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function figures.scripts(status, instances)
  local doing, rows = states(), {}
  for i, script in ipairs(status.scripts) do
    local state = doing["worker " .. script.worker .. " " .. script.name] or "stopped"
    if script.stage then state = stage_text(script.stage) end
    if instances[i].paused then
      state = script.stage and "paused; " .. state or "paused"
    end
    rows[i] = { ending(script.name), tostring(script.worker),
                script.shards > 1 and script.shard .. "/" .. script.shards or "",
                tostring(script.version), screen.number(script.since),
                screen.number(script.lag), screen.number(script.handled),
                tostring(script.errors), state }
  end
  return screen.table(rows, { "script", "worker", "shard", "v", "since", "lag", "handled",
                              "errors", "state" })
end

--- figures.lag(status) -> string
-- Who is behind, in records and, at the rate of the run, in time.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function figures.lag(status)
  local rows, rate = {}, status.records / math.max(status.elapsed, 1e-3)
  table.sort(status.scripts, function(a, b) return a.lag > b.lag end)
  for i, script in ipairs(status.scripts) do
    local worker = status.workers[script.worker + 1]
    rows[i] = { ending(script.name), tostring(script.worker), screen.number(script.lag),
                rate > 0 and screen.duration(script.lag / rate) or "",
                tostring(script.lost), screen.duration(worker.done.p50),
                screen.duration(worker.done.p99), screen.duration(worker.done.max) }
  end
  return screen.table(rows, { "script", "worker", "lag", "in time", "lost", "p50", "p99",
                              "max" })
end

return figures
