--- pool: work for all cores, beside the quotes and the script.
--
--     local pool = require "tw.pool"
--     local f = pool.run(function(n) return n * 2 end, 21)
--     print(f:await())
--     local squares = pool.map({ 1, 2, 3 }, function(x) return x * x end)
--
-- Background threads of low priority, a Lua state each, take jobs from one queue.  A
-- job is a function, sent as its bytecode with its upvalues frozen as they are then, or
-- "module.name"; arguments and result are frozen values.  A table that a job reads very
-- often is copied there first: local own = tw.thaw(list) is quicker to read.
--
-- What a library or a required module gives goes by name: a state requires it once, with
-- the package.path and cpath of the program at its first job.  A state whose job failed
-- is replaced by a new one.  A job may wait, and run other jobs: it holds no thread up
-- meanwhile.
--
-- A job that nobody wants any more is stopped where it computes.  One that waits is told
-- so: its wait raises, and it may tidy up.  If it then computes for longer than a handler
-- may (app.limits; 1 s where there is no limit, and in a backtest), or waits on and on,
-- it is stopped, too.

local chunk = require "tw.chunk"
local core = require "tw.internal.pool"
local functions = require "tw.internal.function"
local task = require "tw.internal.task"
local tw = require "tw"

local pool = {}

local DRAW_AFTER, DRAW_EVERY = 1, 0.2   -- seconds, of progress on a terminal
local PER_THREAD = 8                    -- chunks that a list is cut into, by default

-- An error in what is to be sent is the caller's.
local function sent(level, ok, result, message, code)
  if ok and result then return result end
  if ok then return nil, message, code end
  error(result:gsub("^tw/pool%.lua:%d+: ", ""), level)
end

local function submit(level, ...)
  return sent(level, pcall(core.submit, ...))
end

--- pool.run(fn, ...) -> future | nil, message, code
-- Calls fn(...) on a pool thread; the future gets its result.
-- Yields: no.  Blocks: no; the first call of a plain program starts the threads.
-- Thread: any state's.
-- Errors: raises for a function, upvalue or argument that can't be sent, naming it; nil
-- when the queue is full, when jobs wait for jobs 64 deep, and at the end of a run; an
-- error of fn is the future's, and so are several results, or one that can't be frozen.
-- Units: none.
function pool.run(fn, ...)
  return submit(2, "pool.run", nil, nil, fn, ...)
end

local MOST <const> = { threads = 256, queue = 1 << 31 }

--- pool.configure{ threads =, queue =, memory = }
-- How many threads (default: one for each processor; at most 256), jobs that may
-- be queued (65,536), MiB that a state may have (no limit).  In a run, app.pool says it.
-- Yields: no.  Blocks: no.  Thread: MAIN.
-- Errors: raises when the pool runs already, and for an option that isn't one.
-- Units: memory in MiB.
function pool.configure(options)
  if type(options) ~= "table" then
    error("pool.configure: a table of options expected, got " .. type(options), 2)
  end
  for name, value in pairs(options) do
    if name == "threads" or name == "queue" then
      if math.type(value) ~= "integer" or value < 1 then
        error(("pool.configure: %s: an integer from 1 on expected, got %s")
          :format(name, tostring(value)), 2)
      end
      if value > MOST[name] then
        error(("pool.configure: %s: at most %d, got %d"):format(name, MOST[name], value),
              2)
      end
    elseif name ~= "memory" then
      error(("pool.configure: no option '%s'; there are threads, queue and memory")
        :format(tostring(name)), 2)
    elseif type(value) ~= "number" or not (value > 0) then
      error(("pool.configure: memory: a number above 0 expected, got %s")
        :format(tostring(value)), 2)
    end
  end
  local ok, why = pcall(core.configure, options.threads, options.queue, options.memory)
  if not ok then error(why, 2) end
end

--- pool.status() -> table
-- {threads, queued, running, submitted, done, failed, cancelled}.
-- Yields: no.  Blocks: no.  Thread: any state's.  Errors: none.  Units: jobs.
function pool.status()
  return core.status()
end

local OPTIONS = { chunk = "integer", limit = "integer", ordered = "boolean",
                  progress = "function or boolean", name = "string" }

local function check_options(what, options)
  if options ~= nil and type(options) ~= "table" then
    error(("%s: a table of options expected, got %s"):format(what, type(options)), 4)
  end
  for name, value in pairs(options or {}) do
    local kind = OPTIONS[name]
    if not kind then
      error(("%s: no option '%s'; there are chunk, limit, name, ordered and progress")
        :format(what, tostring(name)), 4)
    elseif kind == "integer" and (math.type(value) ~= "integer" or value < 1) then
      error(("%s: %s: an integer from 1 on expected, got %s")
        :format(what, name, tostring(value)), 4)
    elseif kind ~= "integer" and not kind:find(type(value), 1, true) then
      error(("%s: %s: a %s expected, got a %s"):format(what, name, kind, type(value)), 4)
    end
  end
  return options or {}
end

-- "pool.map: 340 of 1000, 0 failed, 12.5/s, 0:52 left"
local function line(name, p)
  local left = "long"
  if p.left < 360000 then
    local seconds = math.ceil(p.left)
    left = ("%d:%02d"):format(seconds // 60, seconds % 60)
  end
  return ("\r%s: %d of %d, %d failed, %s/s, %s left\27[K"):format(name, p.done, p.total,
    p.failed, (p.rate < 100 and "%.3g" or "%.0f"):format(p.rate), left)
end

-- Who is told of progress: a function of the caller's, the terminal, or nobody.
local function reporter(options, name, total)
  local began, drawn = tw.clock(), nil
  local want = options.progress
  if want == nil then want = core.is_terminal() end
  local function state(done, failed)
    local elapsed = tw.clock() - began
    local rate = elapsed > 0 and done / elapsed or 0
    return { done = done, failed = failed, total = total, rate = rate, elapsed = elapsed,
             left = rate > 0 and (total - done) / rate or math.huge }
  end
  if type(want) == "function" then
    return function(done, failed) want(state(done, failed)) end, function() end
  elseif not want then
    return function() end, function() end
  end
  return function(done, failed)
    local now = tw.clock()
    if now - (drawn or began + DRAW_AFTER - DRAW_EVERY) < DRAW_EVERY then return end
    drawn = now
    io.stderr:write(line(options.name or name, state(done, failed)))
  end, function()
    if drawn then io.stderr:write("\r\27[K") end
  end
end

-- Those from first to last; the caller's caller's list.
local function elements(what, list, first, last)
  local items = {}
  for i = first, last do
    local item = list[i]
    if item == nil then
      error(("%s: element %d of the list is nil"):format(what, i), 4)
    end
    items[i - first + 1] = item
  end
  return items
end

-- Raises what a job has failed with.
local function fail(what, job, failure)
  if type(failure) == "table" then
    failure.message = ("%s: %s: %s"):format(what, job.n == 1 and "element " .. job.first
      or ("elements %d to %d"):format(job.first, job.first + job.n - 1), failure.message)
  end
  error(failure, 0)
end

-- Sends the list in chunks, at most `limit` at a time, and calls got(first, result, n)
-- as each is done.  The first error cancels what is left and is raised.
local function spread(what, via, list, fn, options, got)
  options = check_options(what, options)
  if type(list) ~= "table" and type(list) ~= "userdata" then
    error(("%s: a list expected, got %s"):format(what, type(list)), 3)
  end
  local n, threads = #list, core.status().threads
  local size = options.chunk or math.max(1, math.ceil(n / (threads * PER_THREAD)))
  local limit = options.limit or 2 * threads
  local tell, finish = reporter(options, what, n)
  local done, at, running = 0, 1, {}
  local clean <close> = setmetatable({}, { __close = function()
    for _, job in ipairs(running) do
      if job.future then
        job.future:cancel()
        job.future:peek()   -- if it failed too, one error is enough
      end
    end
    finish()
  end })

  local function settle(job)
    local ok, result = job.future:pawait()
    if not ok then
      tell(done, job.n)
      fail(what, job, result)
    end
    done = done + job.n
    got(job.first, result, job.n)
    tell(done, 0)
  end

  while at <= n or #running > 0 do
    while at <= n and #running < limit do
      local last = math.min(at + size - 1, n)
      local items = elements(what, list, at, last)
      -- In running before it is sent: this may be stopped right behind submit.
      local job = { future = false, first = at, n = last - at + 1 }
      running[#running + 1] = job
      local future, message, code = submit(4, what, job, via, fn, items, at)
      if future then
        at = last + 1
      else
        running[#running] = nil
        local fine = code == core.FULL  -- of others' jobs
        if fine and #running > 0 then break end
        if fine then fine, message = tw.sleep(0.001) end
        if not fine then error(("%s: %s"):format(what, message), 3) end
      end
    end
    local futures = {}
    for i, job in ipairs(running) do futures[i] = job.future end
    if #futures > 0 then
      settle(table.remove(running, task.settled(futures)))
    end
  end
end

--- pool.map(list, fn [, options]) -> table
-- fn(element, index) of every element, over all cores: the results, one of each, in the
-- order of the list, and n.  The list is sent in chunks.  Options: chunk, the elements of
-- a job (default: so that each thread gets 8); limit, the jobs under way at a time
-- (default: 2 for each thread); ordered = false: results in the order in which they came;
-- progress: a function that is called with {done, failed, total, rate, elapsed, left}, or
-- false; on a terminal a long map draws it; name, what it says there.
-- Yields: until all are done.  Blocks: no; outside all tasks the caller alone waits.
-- Thread: any state's.
-- Errors: raises the first error, naming the elements, and cancels the rest; raises
-- when fn returns several values, for a wrong option, and for what can't be sent.
-- Units: seconds in progress.
function pool.map(list, fn, options)
  local results, count = {}, 0
  local ordered = type(options) ~= "table" or options.ordered ~= false
  spread("pool.map", "map", list, fn, options, function(first, part, n)
    for i = 1, n do results[ordered and first + i - 1 or count + i] = part[i] end
    count = count + n
  end)
  results.n = count
  return results
end

--- pool.each(list, fn [, options])
-- As pool.map, for what fn does: whatever it returns is not kept.
-- Yields: until all are done.  Blocks: no; outside all tasks the caller alone waits.
-- Thread: any state's.  Errors: as pool.map.  Units: none.
function pool.each(list, fn, options)
  spread("pool.each", "each", list, fn, options, function() end)
end

--- pool.reduce(list, fn [, options]) -> value
-- fn(value, element) from the first element to the last.  Each chunk is reduced by itself
-- and then their results, in order: fn has to be associative.  nil for an empty list.
-- Yields: until all are done.  Blocks: no; outside all tasks the caller alone waits.
-- Thread: any state's.  Errors: as pool.map.  Units: none.
function pool.reduce(list, fn, options)
  local parts, order = {}, {}
  spread("pool.reduce", "reduce", list, fn, options, function(first, value)
    parts[first] = value
    order[#order + 1] = first
  end)
  table.sort(order)
  if type(fn) == "string" then fn = functions.unpack(functions.pack(fn)) end
  local value = parts[order[1]]
  for i = 2, #order do
    value = chunk.one("pool.reduce: ", fn(value, parts[order[i]]))
  end
  return value
end

return pool
