--- task: concurrency whose errors can't get lost.
--
--     local task = require "tw.task"
--     task.scope(function(s)
--       local a = s:spawn(fetch, "AAPL")
--       local b = s:spawn(fetch, "GOOG")
--       print(a:await(), b:await())
--     end)
--
-- A task is a coroutine that may wait: for a future, a channel, a time.  It lives in
-- a scope, and the scope ends when its tasks have ended.  The first error cancels the
-- tasks beside it and is raised where the scope was opened, with the tracebacks of
-- both.  A cancelled task's wait raises; its `<close>` variables are closed.

local core = require "tw.internal.task"
local pool = require "tw.internal.pool"
local tw = require "tw"

local task = {}

local Scope = {}
Scope.__index, Scope.__name = Scope, "scope"

local function check_function(what, fn)
  if type(fn) ~= "function" then
    error(("%s: a function expected, got %s"):format(what, type(fn)), 3)
  end
end

local function check_seconds(what, seconds)
  if type(seconds) ~= "number" or not (seconds >= 0) then
    error(("%s: a number of seconds from 0 on expected, got %s")
      :format(what, tostring(seconds)), 3)
  end
end

-- An error that comes out of a scope keeps its traceback, which a string would lose.
local function call(fn, ...)
  local results = table.pack(xpcall(fn, core.wrap, ...))
  if not results[1] then results[2] = core.wrap(results[2]) end   -- the handler failed
  return results
end

local function root(err)
  while err.cause do err = err.cause end
  return err
end

-- One error for all, with those in `also` that came about in another way.
local function raise(first, errors)
  local also = first.also or {}
  for _, err in ipairs(errors) do
    if root(err) ~= root(first) then also[#also + 1] = err end
  end
  if also[1] then first.also = also end
  error(first, 0)
end

-- Waits for the tasks of a scope whatever happens to who waits: the scope's own
-- cancellation reaches them by itself.
local function join(scope)
  local shield <close> = core.enter(nil, true)
  core.join(scope)
end

--- task.scope(fn) -> ...
-- Calls fn(scope) and waits until every task that was spawned in the scope has ended;
-- returns what fn returned.
-- Yields: until all have ended.  Blocks: no; outside all tasks the caller alone waits.
-- Thread: any state's.
-- Errors: raises the first error of fn or of a task, whose siblings are then cancelled;
-- errors that came while they ended are in its field `also`.  Units: none.
function task.scope(fn)
  check_function("task.scope", fn)
  local scope <close> = core.enter()
  local s = setmetatable({ core = scope }, Scope)
  local results = call(fn, s)
  if not results[1] then core.cancel(scope) end
  join(scope)
  s.closed = true
  local ok, err, errors = results[1], results[2], core.errors(scope)
  if not ok and not core.is_end(err) then raise(err, errors) end
  if #errors > 0 then raise(core.chain(errors[1]), errors) end   -- more than a wait's end
  if not ok and not core.is_over(scope, err) then error(err, 0) end
  core.leave(scope)
  core.check()   -- what cancelled the tasks from outside is an error here, too
  return table.unpack(results, 2, ok and results.n or 1)
end

local function check_open(self, what)
  if self.closed then error(what .. ": the scope has ended", 3) end
end

--- scope:spawn(fn, ...) -> task
-- Starts a task on this thread that calls fn(...).  task:await() gives what it
-- returned, as it is; task:cancel() tells it to end.  One that is cancelled, with its
-- scope or alone, before its first turn never calls fn.  Tasks of the scope may spawn
-- more, as long as one of them runs.
-- Yields: no.  Blocks: no.  Thread: the scope's.
-- Errors: raises when the scope has ended.  Units: none.
function Scope:spawn(fn, ...)
  check_function("scope:spawn", fn)
  check_open(self, "scope:spawn")
  return core.spawn(self.core, fn, ...)
end

-- In the scope's stead: waits for what runs elsewhere, and stops it when that ends.
local function follow(future)
  local stop <close> = setmetatable({}, { __close = function() future:cancel() end })
  future:await()
end

--- scope:spawn_on(where, fn, ...) -> future | nil, message, code
-- Starts a task of this scope elsewhere: on "pool", as pool.run does, or on a worker of
-- the run, 0, 1, ...  fn, its arguments and its one result go there and back frozen.
-- Yields: no.  Blocks: no.  Thread: the scope's.
-- Errors: raises when the scope has ended, for another place, and for what can't be
-- sent; nil when the pool is full or the run is ending.  Units: none.
function Scope:spawn_on(where, fn, ...)
  check_open(self, "scope:spawn_on")
  local ok, future, message, code
  if where == "pool" then
    ok, future, message, code = pcall(pool.submit, "scope:spawn_on", nil, nil, fn, ...)
  elseif math.type(where) == "integer" then
    ok, future, message, code = pcall(core.spawn_on, where, fn, ...)
  else
    error(("scope:spawn_on: \"pool\" or the number of a worker expected, got %s")
      :format(tostring(where)), 2)
  end
  if not ok then error(future, 2) end   -- the caller's, who can't send that
  if future then core.follow(self.core, follow, future) end
  return future, message, code
end

--- task:await(), task:pawait(), task:peek(), task:cancel()
-- As those of a future (tw.future), but that await gives all that the task returned, as
-- it is.  cancel tells the task to end: its waits raise from now on, what it has to close
-- is closed, and it has ended when await says so.
-- Yields: await and pawait, until it has ended.  Blocks: no.  Thread: its state's.
-- Errors: as those of a future.  Units: timeouts in seconds.

--- scope:cancel()
-- Ends the waits of all its tasks, and of who is in task.scope: that returns nothing.
-- Yields: no.  Blocks: no.  Thread: the scope's.  Errors: none.  Units: none.
function Scope:cancel()
  if not self.closed then core.cancel(self.core) end
end

--- task.timeout(seconds, fn, ...) -> ... | nil, message, code
-- Calls fn(...); when it waits beyond the time, the wait is ended, and a future that it
-- asked for and waits for is left, as by future:cancel.  A timeout within another, or in
-- a task that it spawned, has the nearer end of the two.
-- Yields: as fn does.  Blocks: as fn does: code that never waits is not ended.
-- Thread: any state's.
-- Errors: nil when the time was over; raises what fn raises.  Units: seconds.
function task.timeout(seconds, fn, ...)
  check_seconds("task.timeout", seconds)
  check_function("task.timeout", fn)
  local scope <close> = core.enter(seconds)
  local results = call(fn, ...)
  if results[1] then return table.unpack(results, 2, results.n) end
  if core.is_over(scope, results[2]) then
    return nil, ("timed out after %g s"):format(seconds), core.TIMEDOUT
  end
  error(results[2], 0)
end

--- task.shield(fn, ...) -> ...
-- Calls fn(...) so that no cancellation or deadline from outside ends its waits: for
-- what must be finished, such as putting things in order in a `<close>`.
-- Yields: as fn does.  Blocks: as fn does.  Thread: any state's.
-- Errors: raises what fn raises.  Units: none.
function task.shield(fn, ...)
  check_function("task.shield", fn)
  local scope <close> = core.enter(nil, true)
  return fn(...)
end

--- task.detach(fn, ...) -> task
-- Starts a task that belongs to no scope but to the script: it ends with it; outside
-- scripts the program ends when all such tasks have.
-- Yields: no.  Blocks: no.  Thread: any state's.
-- Errors: raises for what is no function, and in a job of the pool, which leaves nothing
-- behind; an error of the task that nobody awaits is printed, and the run ends with
-- status 1.  Units: none.
function task.detach(fn, ...)
  check_function("task.detach", fn)
  return core.spawn(nil, fn, ...)
end

--- task.sleep(seconds) -> true | nil, message, code
-- As tw.sleep.
-- Yields: for that time.  Blocks: no; outside all tasks the caller alone waits.
-- Thread: any.  Errors: as tw.sleep.  Units: seconds.
task.sleep = tw.sleep

--- task.yield()
-- Lets the other tasks of this thread, and its quotes, have a turn.
-- Yields: for one turn.  Blocks: no.  Thread: any state's.
-- Errors: raises when the task is cancelled, or can't wait here.  Units: none.
function task.yield()
  core.pause()
end

--- task.remaining() -> number | nil
-- How long until the nearest deadline of the running task; nil when it has none.
-- Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: seconds.
function task.remaining()
  return core.remaining()
end

local Semaphore = {}
Semaphore.__index, Semaphore.__name = Semaphore, "semaphore"

--- task.semaphore(n) -> semaphore
-- At most n tasks of this state hold it at a time, first come, first served.  It can't
-- be sent; what bounds the tasks of all states is a channel that holds n tokens: receive
-- one, and send it back.
-- Yields: no.  Blocks: no.  Thread: any state's.
-- Errors: raises when n is no integer from 1 on.  Units: tasks.
function task.semaphore(n)
  if math.type(n) ~= "integer" or n < 1 then
    error(("task.semaphore: an integer from 1 on expected, got %s")
      :format(tostring(n)), 2)
  end
  return setmetatable({ free = n, queue = {} }, Semaphore)
end

-- A permit is sent to who waits longest: nobody who came later can take it.
local function hand_out(semaphore)
  while semaphore.free > 0 and semaphore.queue[1] do
    semaphore.free = semaphore.free - 1
    table.remove(semaphore.queue, 1):try_send(true)
  end
end

local function put_back(semaphore)
  semaphore.free = semaphore.free + 1
  hand_out(semaphore)
end

-- Who gives up leaves the queue, or passes on the permit that came too late.
local function give_up(semaphore, turn)
  if turn:try_recv() then return put_back(semaphore) end
  for i, other in ipairs(semaphore.queue) do
    if other == turn then return table.remove(semaphore.queue, i) end
  end
end

local Permit = {}
Permit.__index, Permit.__name = Permit, "permit"

--- semaphore:acquire([timeout]) -> permit | nil, message, code
-- Waits for a permit.  `local permit <close> = semaphore:acquire()` gives it back at
-- the end of the block; permit:release() does before.
-- Yields: until one is free.  Blocks: no.  Thread: any state's.
-- Errors: raises when the task is cancelled; nil when the time is over.
-- Units: timeout in seconds.
function Semaphore:acquire(timeout)
  check_seconds("semaphore:acquire", timeout or 0)
  local turn = tw.channel(1)
  table.insert(self.queue, turn)
  hand_out(self)
  local ok, permit, message, code = pcall(turn.recv, turn, timeout)
  if ok and permit then return setmetatable({ of = self }, Permit) end
  give_up(self, turn)
  if not ok then error(permit, 0) end
  return nil, message, code
end

--- permit:release()
-- Gives it back; safe twice.
-- Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: none.
function Permit:release()
  local of = self.of
  self.of = nil
  if of then put_back(of) end
end

Permit.__close = Permit.release

return task
