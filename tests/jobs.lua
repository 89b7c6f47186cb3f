--- jobs: what tests of the pool and of the cache share.
--
--   package.path = "tests/?.lua;" .. package.path
--   local jobs = require "jobs"

local tw = require "tw"

local jobs = {}

--- Waits, a turn at a time, until holds() is true.
function jobs.wait_until(holds)
  while not holds() do tw.task.yield() end
end

--- No job waits or runs.
function jobs.is_idle()
  local s = tw.pool.status()
  return s.queued + s.running == 0
end

return jobs
