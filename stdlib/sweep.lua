--- sweep: a strategy over recorded data with many parameters: tw.sweep.run.
--
--   local sweep = require "tw.sweep"
--   local s = sweep.run { script = "cross.lua", data = "spy.tape", jobs = 4,
--     set = { fast = sweep.range(3, 20), slow = { 30, 50, 100 } },
--     where = function(p) return p.fast < p.slow end, store = "cross.sweep.db" }
--   print(s.best.params.fast, s.best.result.figures.arithmetic.sharpe)
--
-- Each run is a job of the pool.  What they give does not depend on how many there are at
-- a time, nor on which of them were in the store already.

local backtest = require "tw.backtest"
local core = require "tw.internal.task"
local data = require "tw.sweep_data"
local figures = require "tw.report_figures"
local job = require "tw.sweep_job"
local key = require "tw.sweep_key"
local plan = require "tw.sweep_plan"
local pool = require "tw.pool"
local strategy = require "tw.strategy"
local tw = require "tw"
local walk = require "tw.sweep_walk"

local sweep = { range = plan.range }

local MOST <const> = 1000000       -- runs
local QUEUED <const> = 1000        -- runs that wait for a thread, at most
local LOOK <const> = 0.1           -- seconds between looks at stop, progress, the store

local function fail(...) error("tw.sweep: " .. string.format(...), 0) end

-- ---- options ----

local OPTIONS = {
  set = "table", random = "number", seed = "number", list = "string|table",
  where = "function|string", over = "string", jobs = "number", store = "string",
  by = "string", progress = "function", stop = "function", say = "function",
  detail = "boolean", command = "string", train = "number|string", walk = "string",
  anchored = "boolean",
}
-- Of those, what tw.backtest.run takes.
local OF_RUNS = { "script", "app", "data", "from", "to", "cash", "account", "warmup",
                  "skip_bad", "memory", "time", "benchmark", "messages", "resolution",
                  "gaps", "dictionary" }

local function checked(o)
  if type(o) ~= "table" then fail("a table of options expected, got a %s", type(o)) end
  local of_run = {}
  for _, name in ipairs(OF_RUNS) do of_run[name] = o[name] end
  for name, value in pairs(o) do
    local want = OPTIONS[name]
    if not want and of_run[name] == nil then fail("no option '%s'", tostring(name)) end
    if want and not want:find(type(value), 1, true) then
      fail("%s must be a %s, got %s", name, want:gsub("|", " or "), tostring(value))
    end
  end
  if o.jobs and (math.type(o.jobs) ~= "integer" or o.jobs < 1 or o.jobs > 256) then
    fail("jobs: an integer from 1 to 256 expected, got %s", tostring(o.jobs))
  end
  if o.over and o.over ~= "data" and o.over ~= "symbol" then
    fail("over: data or symbol expected, got '%s'", o.over)
  end
  if o.over == "symbol" and o.messages then
    fail("over: a market of one symbol has no messages")
  end
  local by = o.by or "sharpe"
  if not figures.find(by) then fail("by: no figure '%s'%s", by, figures.hint(by)) end
  of_run.counted = true
  local fine, of, given = pcall(backtest.checked, of_run)
  if not fine then error((tostring(of):gsub("^tw%.backtest: ", "tw.sweep: ")), 0) end
  return of_run, of, given, by, walk.check(o)
end

-- What its script declares: { declaration, check }, or nil.
local function declared_of(given)
  local declaration = given.script and strategy.read(given.file)
  return declaration and { is = declaration, check = strategy.checker(declaration),
                           name = given.file:match "[^/]*$" }
end

-- ---- which run is better ----

--- sweep.value(run, by) -> number | nil
-- A figure of a run; nil: it failed, or has none.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: the figure's.
function sweep.value(run, by)
  return run.result and figures.get(run.result, by) or nil
end

-- Those that have the figure come first, then those without it, those that are ruined,
-- whatever their figures are, and those that failed.
local function class(run, by)
  if not run.result then return 4 end
  if run.result.ruined then return 3 end
  return sweep.value(run, by) and 1 or 2
end

-- Is a better than b?  Of equal ones the first; of those that are ruined the last.
local function is_better(a, b, by, low)
  local of_a, of_b = class(a, by), class(b, by)
  if of_a ~= of_b then return of_a < of_b end
  local x, y
  if of_a == 1 then x, y = sweep.value(a, by), sweep.value(b, by) end
  if of_a == 3 then x, y, low = a.result.ruined, b.result.ruined, false end
  if x ~= y then return (x > y) ~= low end
  return a.number < b.number
end

-- Is it better than the best so far, which may be nil?
local function is_best(run, best, by, low)
  return class(run, by) == 1 and (not best or is_better(run, best, by, low))
end

--- sweep.best(runs, by) -> run | nil
-- The one with the greatest figure, or the least of one that is better when it is less;
-- none that is ruined.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function sweep.best(runs, by)
  local best, low = nil, figures.find(by).low or false
  for _, run in ipairs(runs) do if is_best(run, best, by, low) then best = run end end
  return best
end

--- sweep.ranked(runs, by) -> list
-- The best first; behind them those without the figure, then those that are ruined, the
-- last one first, then those that failed.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function sweep.ranked(runs, by)
  local all, low = table.move(runs, 1, #runs, 1, {}), figures.find(by).low or false
  table.sort(all, function(a, b) return is_better(a, b, by, low) end)
  return all
end

-- ---- running ----

-- Threads of the pool that may work for it.
local function threads_of(jobs)
  if jobs then pcall(pool.configure, { threads = jobs }) end   -- unless it runs already
  return math.min(jobs or math.huge, pool.status().threads)
end

-- The rate is that since the first call for runs, when the first one begins; before it
-- those that are in the store are looked up.
local function counter(self, total)
  local began, state, first = tw.clock(), self.state, nil
  state.total, state.done, state.skipped, state.failed = total, 0, 0, 0
  return function(is_looking)
    local now, ran = tw.clock(), state.done - state.skipped
    if not is_looking then first = first or now end
    state.elapsed = now - began
    state.rate = first and now > first and ran / (now - first) or 0
    state.left = state.rate > 0 and (total - state.done) / state.rate or math.huge
    if self.progress then self.progress(state) end
  end
end

-- ---- the store ----

local function of_store(done, why)
  if not done and why then error({ why = why, code = "store" }, 0) end
  return done
end

-- What has come since the last time: a transaction waits for the disk.  What ran while a
-- file of the strategy changed is not what its key says.
local function keep(self, now)
  if #self.fresh == 0 or not now and tw.clock() - self.kept < LOOK then return end
  local path = self.changed() or self.data:changed()
  if path then
    error({ why = path .. " has changed meanwhile: give the command again" }, 0)
  end
  local list = {}
  for i, run in ipairs(self.fresh) do
    list[i] = { key = run.key, number = run.number, params = run.params,
                seconds = run.seconds, part = run.part, window = run.window,
                result = run.result and job.brief(run.result), error = run.error,
                traceback = run.traceback }
    if list[i].result then list[i].result.params = nil end
  end
  if self.store then of_store(self.store:put(self.sweep_id, list)) end
  self.fresh, self.kept = {}, tw.clock()
end

-- What the run is known by.  of: over the options of all runs, the same table for many.
local function key_of(self, run, meaning)
  local of, point = run.of or self.of, run.point
  self.texts[of] = self.texts[of] or key.options(of, self.given)
  return key.run(point.strategy, self.data:hash(point.market), self.texts[of],
                 run.params, meaning)
end

-- Has the store that run with figures that meant something else?
local function is_outdated(self, run)
  for meaning = key.FIGURES - 1, 1, -1 do
    local found = of_store(self.store:find(key_of(self, run, meaning)))
    if found and found.result then return true end
  end
end

-- Is it in the store?  One that failed is tried again.
local function find(self, run)
  if not self.store or run.again then return false end
  run.key = key_of(self, run)
  local found = not run.all and of_store(self.store:find(run.key))
  if not found and not run.all and is_outdated(self, run) then
    self.outdated = self.outdated + 1
  end
  if not found or found.error or not found.result then return false end
  self.fresh[#self.fresh + 1] = run               -- it stands in this sweep, too
  if #self.fresh == 1000 then keep(self, true) end
  run.result, run.seconds, run.skipped = found.result, found.seconds, true
  run.result.params = run.params
  return true
end

local function options_of(self, run)
  local o = {}
  for name, value in pairs(self.of_run) do o[name] = value end
  for name, value in pairs(run.options or {}) do o[name] = value end
  o.data, o.params, o.all = self.data:paths(run.point.market), run.point.own, run.all
  if self.declared and o.from and not o.warmup then
    o.warmup = strategy.warmup(self.declared.is, self.declared.check(o.params))
  end
  return o
end

-- Symbols that scripts name, and the data of the run do not have: each once.
local function tell_unknown(self, run, names)
  local market = run.point.market
  for _, name in ipairs(names or {}) do
    local text = ("%sa script wants the symbol %s, which the data do not have"):format(
      self.over == "data" and market .. ": " or "", name)
    if not self.told[text] and not self.data:has(name) then
      self.told[text] = true
      self.say(text)
    end
  end
end

local function settled(self, run, future, tell)
  local fine, got = future:pawait()
  if fine then
    got = tw.thaw(got)
  elseif self.stopping then                       -- it was told to end
    return
  else
    got = { error = tostring(got):match "^[^\n]*", traceback = tostring(got) }
  end
  run.result, run.error, run.traceback = got.result, got.error, got.traceback
  if run.result and run.result.data then         -- what it has read has no name
    run.result.data = self.data:sources(run.point.market)
  end
  tell_unknown(self, run, got.unknown)
  if got.unread and not self.told[got.unread] then
    self.told[got.unread] = true
    self.say(got.unread)
  end
  run.seconds = got.result and got.result.seconds
  if run.result and run.all then                  -- with those that are declared
    for name, value in pairs(run.params) do run.result.params[name] = value end
  elseif run.result then
    run.result.params = run.params
  end
  self.state.done = self.state.done + 1
  if run.error then self.state.failed = self.state.failed + 1 end
  if not run.again then self.fresh[#self.fresh + 1] = run end
  if is_best(run, self.state.best, self.by, self.low) then self.state.best = run end
  tell()
end

-- Those that are not in the store.
local function missing(self, runs, tell)
  local left, state = {}, self.state
  self.outdated = 0
  for i, run in ipairs(runs) do
    if find(self, run) then
      state.done, state.skipped = state.done + 1, state.skipped + 1
      if is_best(run, state.best, self.by, self.low) then state.best = run end
    else
      left[#left + 1] = run
    end
    if i % 100 == 0 then tell(true) end
  end
  keep(self, true)
  if state.skipped > 0 then
    self.say(("%d of %d are there already"):format(state.skipped, #runs))
  end
  if self.outdated > 0 then
    self.say(("%d of %d are there with figures of an older tidewire, which meant"
      .. " something else: they are computed anew"):format(self.outdated, #runs))
  end
  return left
end

-- Gives jobs to the pool from left[at] on: where the next time is to begin.
local function submit(self, left, at, futures, running)
  -- As many more as may end while the store waits for the disk.
  local room = self.threads + 1 + math.min(self.state.rate // 2 | 0, QUEUED)
  while at <= #left and #futures < room do
    local future, why, code = pool.run("tw.sweep_job.run", options_of(self, left[at]))
    if not future then
      if #futures > 0 then break end
      fail("%s (%s)", why, tostring(code))
    end
    futures[#futures + 1], running[#running + 1] = future, left[at]
    at = at + 1
  end
  return at
end

-- All but the n oldest.
local function cancel(futures, n)
  while #futures > n do
    local future = table.remove(futures)
    future:cancel()
    future:peek()
  end
end

-- Runs a list of them, those in the store aside.  False: it was stopped.
local function perform(self, runs)
  local tell = counter(self, #runs)
  local left = missing(self, runs, tell)
  if #left == 0 then return true end
  local at = 1
  local futures, running = {}, {}      -- jobs, and the run of each
  local clean <close> = setmetatable({}, { __close = function() cancel(futures, 0) end })
  self.data:open()
  tell()
  while #futures > 0 or (at <= #left and not self.stopping) do
    if not self.stopping then at = submit(self, left, at, futures, running) end
    local which = core.settled(futures, LOOK)
    if which then
      local future, run = table.remove(futures, which), table.remove(running, which)
      settled(self, run, future, tell)
    else
      tell()
    end
    keep(self, #futures == 0)
    if not self.stopping and self.stop and self.stop() then
      self.stopping = true
      self.say(("ends when the %d runs that are under way have; once more ends at once")
        :format(math.min(#futures, self.threads)))
      cancel(futures, self.threads)               -- what has not begun
    end
  end
  return at > #left and self.state.done == #runs
end

-- The same, and how many there were of them.
local function perform_all(self, runs)
  local whole, state, sum = perform(self, runs), self.state, self.sum
  for _, name in ipairs { "total", "done", "failed", "skipped" } do
    sum[name] = (sum[name] or 0) + state[name]
  end
  return whole
end

-- ---- a sweep ----

-- What is given to the run of a point, its market, and the text of the strategy then.
local function of_point(self, point)
  local own = point.params
  point.market = ""
  if self.over then
    own = {}
    for name, value in pairs(point.params) do own[name] = value end
    point.market, own[self.over] = own[self.over], nil
  end
  point.own, point.strategy = own, self.strategy(own)
end

local function run_of(point, number)
  return { number = number, params = point.params, places = point.places, point = point }
end

local function open_store(self, o)
  local files, given = {}, self.given
  if not o.store or o.store == "none" then return end
  for i, file in ipairs(self.of.data) do files[i] = file.path end
  self.store = of_store(require "tw.sweep_store".open(o.store))
  self.sweep_id = of_store(self.store:sweep {
    name = given.file:match "[^/]*$", strategy = given.file, data = files,
    command = o.command,
  })
end

local function begin(o, declared, of_run, of, given, by)
  local warms = o.warmup or declared and declared.is.warmup
  local self = { of_run = {}, by = by, low = figures.find(by).low or false,
                 progress = o.progress, stop = o.stop, say = o.say or function() end,
                 state = {}, sum = {}, of = of, given = given, over = o.over,
                 fresh = {}, outdated = 0, kept = tw.clock(), texts = {}, told = {} }
  for name, value in pairs(of_run) do self.of_run[name] = value end
  self.of_run.from, self.of_run.to = of.from, of.to
  self.strategy, self.changed = key.strategy(given)
  self.data = data.new(of.data, o.over, {
    skip_bad = of.skip_bad, problem = self.say, gaps = of.gaps, from = of.from,
    to = of.to, resolution = of.resolution,
    since = given.script and not warms and of.from,
    tell = function(done, all)
      if self.progress then self.progress { reading = done, bytes = all } end
    end,
  })
  return self
end

-- A parameter's values that the script declares.
local function grid_of(declared, name)
  local a, b, step = strategy.grid(declared and declared.is, name)
  if not a then fail("%s", b) end
  return type(a) == "table" and a or plan.range(a, b, step)
end

-- What is said of points by the script, which has all of its parameters, and `where`.
local function condition_of(o, declared)
  local where = o.where
  if not declared then return where end
  if type(where) == "string" then where = plan.condition(where) end
  return function(params)
    local own, market = {}, o.over and params[o.over]
    for name, value in pairs(params) do own[name] = value end
    if o.over then own[o.over] = nil end
    local values, why, is_left_out = declared.check(own)
    if is_left_out then return false end
    if not values then fail("%s: %s", declared.name, why) end
    for name in pairs(own) do params[name] = values[name] end
    if o.over then values[o.over] = market end
    return not where or where(values)
  end
end

local function plan_of(o, declared, names)
  local set = {}
  for name, values in pairs(o.set or {}) do
    set[name] = plan.is_declared(values) and grid_of(declared, name) or values
  end
  return plan.make {
    set = set, list = o.list, random = o.random, seed = o.seed,
    where = condition_of(o, declared), more = names and { { o.over, names } },
  }
end

-- Those that have ended.
local function ended(runs)
  local list = {}
  for _, run in ipairs(runs) do
    if run.result or run.error then list[#list + 1] = run end
  end
  return list
end

-- The best run again, with all that it gives.
local function detail(self, best)
  local again = run_of(best.point, best.number)
  again.all, again.again = true, true
  self.progress = nil
  if perform(self, { again }) and again.result then best.result = again.result end
end

local function plain_sweep(self, o, points, made)
  local runs = {}
  for i, point in ipairs(points) do
    runs[i] = run_of(point, i)
  end
  local whole = perform_all(self, runs)
  made.runs, made.stopped = ended(runs), not whole
  made.best = sweep.best(made.runs, self.by)
  if o.detail and whole and made.best then detail(self, made.best) end
end

-- ---- train and test ----

-- Options of runs in a window, for them and for their keys: from and to in ns; warmup: a
-- text, or nil for that of all runs.
local function times_of(self, from, to, warmup)
  local of = {}
  for name, value in pairs(self.of) do of[name] = value end
  of.from, of.to = from, to
  if warmup then of.warmup_ns, of.warmup_records = warmup, nil end
  return { options = { from = from, to = to, warmup = warmup }, of = of }
end

local function run_in(point, number, window, part, times)
  local run = run_of(point, number)
  run.window, run.part, run.options, run.of = window, part, times.options, times.of
  return run
end

local function windows_of(self, w, points, name)
  local first, last = self.data:range(name)
  local of, begins = self.of, first - first % (86400 * 1000000000)
  if of.from then begins = math.max(of.from, begins)
  elseif of.warmup_ns then begins = first + of.warmup_ns end
  local windows, left_out = walk.with_data(
    walk.windows(w, begins, math.min(of.to or last + 1, last + 1)),
    function(spans) self.data:mark(name, spans) end)
  if left_out then self.say((self.over and name .. ": " or "") .. left_out) end
  if #windows * #points > MOST then
    fail("%d windows of %d points; at most %d runs", #windows, #points, MOST)
  end
  return windows
end

-- What was chosen in a window, and what became of it.
local function outcome(self, window, best, runs, ordered)
  window.params, window.train = best.params, sweep.value(best, self.by)
  window.neighbours = walk.neighbours(best, runs, self.by, ordered)
  local test = window.run
  window.test, window.error = sweep.value(test, self.by), test.error
  window.ruined = test.result and test.result.ruined
  if window.test and window.train and window.train > 0 and not window.ruined then
    window.ratio = window.test / window.train
  end
end

-- The points of each market, and its windows; one that is too short for any is told of.
local function markets_of(self, w, points)
  local names, of = self.over and self.data.names or { "" }, {}
  local markets = {}
  for _, name in ipairs(names) do of[name] = {} end
  for n, point in ipairs(points) do
    table.insert(of[point.market], { n = n, point = point })
  end
  for _, name in ipairs(names) do
    local fine, windows = pcall(windows_of, self, w, points, name)
    if fine and #of[name] > 0 then
      markets[#markets + 1] = { name = name, points = of[name], windows = windows }
    elseif not fine and #names == 1 then
      error(windows, 0)
    elseif not fine then
      self.say(("%s is left out: %s"):format(name, tostring(windows)
        :gsub("^tw%.sweep: ", "")))
    end
  end
  if #markets == 0 then fail("no market has a window") end
  return markets
end

-- Every point in every window of the market.
local function add_training(self, market, all)
  market.runs = {}
  for i, window in ipairs(market.windows) do
    local times, runs = times_of(self, window.train_from, window.train_to), {}
    for k, one in ipairs(market.points) do
      runs[k] = run_in(one.point, one.n, i, "train", times)
      all[#all + 1] = runs[k]
    end
    market.runs[i] = runs
  end
end

-- Why none of these runs can be chosen.
local function why_none(runs, by)
  local least = 4
  for _, run in ipairs(runs) do least = math.min(least, class(run, by)) end
  return ({ [2] = "no figure", [3] = "ruined", [4] = "failed" })[least]
end

-- The best of each window in its test.
local function tests_of(self, market)
  local tests = {}
  market.best = {}
  for i, window in ipairs(market.windows) do
    local best = sweep.best(market.runs[i], self.by)
    market.best[i] = best
    if best then
      window.run = run_in(best.point, best.number, i, "test",
        times_of(self, window.test_from, window.test_to, walk.warmup(window)))
      window.run.all = true
      tests[#tests + 1] = window.run
    else
      window.untested = why_none(market.runs[i], self.by)
    end
  end
  return tests
end

local function join(self, market, ordered)
  local pieces = {}
  for i, window in ipairs(market.windows) do
    window.number, window.market = i, self.over and market.name
    if market.best[i] then
      outcome(self, window, market.best[i], market.runs[i], ordered)
    end
    pieces[#pieces + 1] = window.run and window.run.result
  end
  local joined = walk.join(pieces)
  if joined then
    joined.windows, joined.by = market.windows, self.by
    joined.params = self.over and { [self.over] = market.name } or {}
  end
  return { name = market.name, windows = market.windows, joined = joined }
end

local function walked_sweep(self, w, points, ordered, made)
  local markets, all = markets_of(self, w, points), {}
  for _, market in ipairs(markets) do add_training(self, market, all) end
  if #all > MOST then fail("%d runs; at most %d", #all, MOST) end
  local whole = perform_all(self, all)
  made.runs, made.stopped = ended(all), not whole
  if not whole then return end
  local walked, windows = {}, {}
  for i, market in ipairs(markets) do
    local tests = tests_of(self, market)
    whole = whole and perform_all(self, tests)
    table.move(tests, 1, #tests, #made.runs + 1, made.runs)
    walked[i] = join(self, market, ordered)
    table.move(market.windows, 1, #market.windows, #windows + 1, windows)
    for _, test in ipairs(self.over and tests or {}) do   -- many take memory
      test.result = test.result and job.brief(test.result)
    end
  end
  made.stopped = not whole
  if made.stopped then return end
  made.windows = windows
  local untested = walk.untested(windows, self.by)
  if untested then self.say(untested) end
  if self.over then made.markets = walked else made.joined = walked[1].joined end
end

-- ---- all of it ----

local function sweep_of(o, declared, plans, of_run, of, given, by, w)
  local began, self = tw.clock(), begin(o, declared, of_run, of, given, by)
  self.declared = declared
  plans = plans or plan_of(o, declared, self.data.names)
  for _, point in ipairs(plans.points) do of_point(self, point) end
  self.threads = threads_of(o.jobs)
  local clean <close> = setmetatable({}, { __close = function()
    if self.store then self.store:close() end
  end })
  open_store(self, o)
  if plans.same > 0 then
    self.say(plans.same == 1 and "a point of the list is there twice, and runs once"
      or ("%d points of the list are there before, and run once"):format(plans.same))
  end
  local made = { by = by, names = plans.names }
  if w then walked_sweep(self, w, plans.points, plans.ordered, made)
  else plain_sweep(self, o, plans.points, made) end
  for name, n in pairs(self.sum) do made[name] = n end
  made.seconds = tw.clock() - began
  return made
end

--- sweep.run(options) -> sweep | nil, message, code
-- Runs a strategy once for each of many points.  Options, beside those of
-- tw.backtest.run (script or app, data, from, to, cash, account, warmup, skip_bad,
-- memory, time, messages, resolution, gaps): set, a value, a list or a sweep.range for
-- each parameter
-- (sweep.range() are the values that tw.strategy declares); list, a CSV file or a list of
-- tables, a point each (those that are the same run once); random, so many different
-- points of all, by seed (1); where, a function of the parameters, or a text
-- ("fast < slow"), that says which points are run;
-- over = "data" or "symbol": each file, or symbol, is a market by itself, which
-- params.data or params.symbol names.  jobs: runs at a time.  store: a file that keeps
-- what is finished: the same run is not made twice; command: a text to keep beside them.
-- by: the figure that says which is best ("sharpe").  detail: the best run has its
-- orders, trades and curves.
--
-- progress: a function that is called with {done, total, skipped, failed, rate, left,
-- elapsed, best}, and, while data is read, {reading, bytes}; stop: a function that says
-- true when the sweep is to end; say: one that is told what happens, in a line.
--
-- The sweep: runs, in the order of their points, each {number, params, result | error,
-- traceback, seconds}; best; total, done, failed, skipped; stopped; seconds.
--
-- train, a part (0.7) or a date: the points are run on the first part of the data, and
-- the best one on the rest; walk, "180d:30d[:30d]": so in windows of so long a training,
-- a test behind it, and a step from one to the next; anchored: all train from the
-- beginning.  A test is warmed up with what was trained on.  Then there are no best, but
-- windows, each {train_from, train_to, test_from, test_to, params, train, neighbours,
-- test, ruined, ratio, run}: the figure of the best, the median of those beside it in the
-- grid, and what it was in the test; and joined, the tests as one result.  A window where
-- no run of the training could be chosen has no run but untested: "no figure", "ruined"
-- or "failed"; without any test there is no joined.  Windows without data in the training
-- or in the test are left out, and say is told how many.  With over each market is walked
-- by itself: its windows have market, its name, and in place of joined there is markets,
-- a list of { name, windows, joined }.
--
-- A run whose equity was ever at or below zero is ruined: result.ruined is when.  It
-- comes behind all others by any figure, is never the best, and no window chooses it; the
-- joined tests end with one that is.
--
-- Yields: until all runs have ended.  Blocks: while data is read.  Thread: any state's
-- that may use the pool.
-- Errors: nil when the strategy or the data can't be read, or the strategy changes
-- meanwhile; with code "store" when that can't be read or written; raises for wrong
-- options.  A run that fails has its error; the others go on.
-- Units: seconds; figures as `tidewire help backtest` says.
function sweep.run(options)
  local of_run, of, given, by, w = checked(options)
  local declared = declared_of(given)
  local points = not options.over and plan_of(options, declared)
  local fine, made = pcall(sweep_of, options, declared, points, of_run, of, given, by, w)
  if fine then return made end
  if type(made) == "table" and made.why then return nil, made.why, made.code end
  local text = type(made) == "string" and made:match "^tw%.sweep: (.*)"
  if not text then error(made, 0) end
  return nil, text
end

return sweep
