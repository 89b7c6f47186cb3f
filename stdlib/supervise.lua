--- supervise: tasks that are started again when they fail.
--
--     tw.supervise({
--       { name = "orders", fn = orders, restart = "permanent" },
--       { name = "report", fn = report },
--     }, { strategy = "one_for_all" })
--
-- The words are Erlang's.  A task that fails over and over is no task that a restart
-- can help: then the supervisor fails itself, and tells why to who called it.

local core = require "tw.internal.task"
local task = require "tw.task"
local tw = require "tw"

local FIRST_DELAY, LAST_DELAY = 0.05, 1   -- seconds before a restart; each is doubled

local STRATEGIES = { one_for_one = true, one_for_all = true }
local RESTARTS = { permanent = true, transient = true, temporary = true }
local CHILD = { name = true, fn = true, restart = true }
local OPTIONS = { strategy = true, intensity = true, period = true }

local function refuse(...) error("tw.supervise: " .. string.format(...), 4) end

local function check_fields(what, t, known)
  for key in pairs(t) do
    if not known[key] then
      error(("tw.supervise: %s has no field %s"):format(what, tostring(key)), 4)
    end
  end
end

local function check_children(children)
  if type(children) ~= "table" or #children == 0 then
    refuse("a list of functions or of tables with a field fn expected")
  end
  for key in pairs(children) do
    if math.type(key) ~= "integer" or key < 1 or key > #children then
      refuse("the list of children has no field %s", tostring(key))
    end
  end
  local checked = {}
  for i, child in ipairs(children) do
    if type(child) == "function" then child = { fn = child } end
    local what = ("child %d"):format(i)
    if type(child) ~= "table" or type(child.fn) ~= "function" then
      refuse("%s is no function and has none", what)
    end
    check_fields(what, child, CHILD)
    if child.name ~= nil and type(child.name) ~= "string" then
      refuse("%s: name is a string, not %s", what, tostring(child.name))
    end
    local restart = child.restart or "transient"
    if not RESTARTS[restart] then
      refuse("%s: restart is permanent, transient or temporary, not %s", what,
        tostring(restart))
    end
    checked[i] = { fn = child.fn, restart = restart, name = child.name or what }
  end
  return checked
end

local function check_options(options)
  if options == nil then options = {} end
  if type(options) ~= "table" then
    refuse("a table of options expected, not %s", tostring(options))
  end
  check_fields("the second argument", options, OPTIONS)
  local strategy = options.strategy or "one_for_one"
  local intensity, period = options.intensity or 3, options.period or 5
  if not STRATEGIES[strategy] then
    refuse("strategy is one_for_one or one_for_all, not %s", tostring(strategy))
  end
  if math.type(intensity) ~= "integer" or intensity < 0 then
    refuse("intensity is an integer from 0 on, not %s", tostring(intensity))
  end
  if type(period) ~= "number" or not (period > 0) then
    refuse("period is a number of seconds above 0, not %s", tostring(period))
  end
  return strategy, intensity, period
end

local function say(child, format, ...)
  core.report(("supervised %s %s"):format(child.name, format:format(...)))
end

-- What a child's task runs: its failure is a result, so that it ends no scope.
local function attempt(fn, delay)
  if delay > 0 then tw.sleep(delay) end
  return xpcall(fn, core.wrap)
end

local function start(s, child, delay)
  local handle = s.scope:spawn(attempt, child.fn, delay)
  table.insert(s.running, handle)
  s.child_of[handle] = child
end

-- Ends all that run; returns the set of those that had not ended for good.
local function stop_all(s)
  local running, stopped = s.running, {}
  s.running = {}
  for _, handle in ipairs(running) do handle:cancel() end
  for _, handle in ipairs(running) do
    local child = s.child_of[handle]
    local started, ok, err = handle:pawait()
    if started and not ok and err.code ~= core.CANCELED then
      say(child, "failed: %s", err)
    end
    stopped[child] = not (started and ok) or child.restart == "permanent"
  end
  return stopped
end

-- How long to wait before one more restart; raises when there were too many.
local function count_restart(s, child, err)
  local now, recent = tw.clock(), {}
  for _, restart in ipairs(s.restarts) do
    if now - restart.at < s.period then recent[#recent + 1] = restart end
  end
  s.restarts = recent
  if #recent < s.intensity then
    recent[#recent + 1] = { at = now, err = err }
    return math.min(FIRST_DELAY * 2 ^ (#recent - 1), LAST_DELAY)
  end
  local message = ("tw.supervise: more than %d restarts in %g s; the last: %s %s"):format(
    s.intensity, s.period, child.name, err and "failed: " .. err.message or "ended")
  local failure = core.wrap(message)
  failure.cause = err
  failure.also = {}
  for _, restart in ipairs(recent) do table.insert(failure.also, restart.err) end
  error(failure, 0)
end

-- A child has ended by itself: err is its error, or nil.
local function on_end(s, child, err)
  if err and child.restart == "temporary" then
    return say(child, "failed and is not started again: %s", err)
  end
  if child.restart == "temporary" or not err and child.restart ~= "permanent" then
    return
  end
  local delay = count_restart(s, child, err)
  say(child, "starts again in %g s: %s", delay, err or "it has ended")
  local again = { [child] = true }
  if s.strategy == "one_for_all" then
    again = stop_all(s)
    again[child] = true
  end
  for _, other in ipairs(s.children) do
    if again[other] then start(s, other, delay) end
  end
end

--- tw.supervise(children [, options])
-- Runs each child in a task of its own, until all have ended for good.  A child is a
-- function, or a table with the fields fn, name and restart: "transient" (the default)
-- is started again when it fails, "permanent" also when it ends, "temporary" never.
-- Options: strategy, "one_for_one" (the default) or "one_for_all", where a child that
-- starts again has all others end and start again too; intensity and period: how many
-- restarts (3) within how many seconds (5) are not too many.  A restart waits for
-- 0.05 s, the next one in the period for twice as long, and so on up to 1 s.  What a
-- child returns is not kept.
-- Yields: until all children have ended.  Blocks: as they do.  Thread: any state's.
-- Errors: raises when there were too many restarts, with the last error as its cause
-- and the earlier ones in also; each error is reported when it happens.
-- Units: period in seconds.
local function supervise(children, options)
  local checked = check_children(children)
  local s = { children = checked, running = {}, restarts = {} }   -- running: tasks
  s.child_of = setmetatable({}, { __mode = "k" })
  s.strategy, s.intensity, s.period = check_options(options)
  task.scope(function(scope)
    s.scope = scope
    for _, child in ipairs(checked) do start(s, child, 0) end
    while s.running[1] do
      local ended = table.remove(s.running, core.settled(s.running))
      core.check()   -- a child that is cancelled with its supervisor has not failed
      local ok, err = ended:await()
      on_end(s, s.child_of[ended], not ok and err or nil)
    end
  end)
end

return supervise
