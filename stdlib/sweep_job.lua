--- sweep_job: (internal) one run of a sweep, on a thread of the pool.

local backtest = require "tw.backtest"
local tw = require "tw"

local job = {}

-- What a sweep keeps of a result.
local KEPT = { "name", "version", "from", "to", "seconds", "records", "currency", "start",
               "final", "hash", "figures", "symbols", "ruined",
               "idle", "overdrawn" }

-- The line that says most: a script's own.
local function line_of(why)
  local own = why:match "^script [^\n]*\n([^\n]+)"
  return own and own ~= "stack traceback:" and own or why:match "^[^\n]*"
end

--- job.brief(result) -> result
-- What is kept of it.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function job.brief(result)
  local kept = {}
  for _, name in ipairs(KEPT) do kept[name] = result[name] end
  return kept
end

--- job.run(options) -> { result, unknown, unread } | { error, traceback }
-- options: as of backtest.run, and all: the whole result is wanted.
-- Yields: no.  Blocks: for the whole run.  Thread: the pool's.  Errors: none.
-- Units: as backtest.run.
function job.run(options)
  local o = tw.thaw(options)
  local all = o.all
  o.all, o.brief, o.log, o.gaps = nil, not all, "none", "none"
  local fine, result, why = pcall(backtest.run, o)
  if not fine or not result then
    why = tostring(fine and why or result)
    return { error = line_of(why), traceback = why }
  end
  return { result = all and result or job.brief(result), unknown = result.unknown,
           unread = result.unread }
end

return job
