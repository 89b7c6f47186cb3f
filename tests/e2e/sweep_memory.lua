--- sweep_memory: jobs share the data, and take little of their own.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

if apps.has "tsan" or apps.has "asan" then
  t.skip "a sanitizer takes memory of its own"
  return t.done()
end

local dir, put, command = apps.folder "memory"

-- As records these are 6.4 MB: a copy for each job would be more than it may take.
local N <const> = 100000
local lines = { "time,symbol,bid,ask" }
for i = 1, N do
  local x = 100 + 3 * math.sin(i / 700) + math.sin(i / 90)
  lines[i + 1] = ("%d,A,%.2f,%.2f"):format(1500000000 + i * 60, x, x + 0.02)
end
put("all.csv", table.concat(lines, "\n") .. "\n")
put("few.csv", table.concat(lines, "\n", 1, 100) .. "\n")
put("cross.lua", [[
  local M = {}
  function M:on_quote(symbol, mid)
    self.n = (self.n or 0) + 1
    if self.params.many then                 -- an order each eighth record
      if self.n % 16 == 0 then self:buy { symbol = symbol, quantity = 1 }
      elseif self.n % 16 == 8 then self:sell { symbol = symbol, quantity = 1 } end
      return
    end
    local fast, slow = self.fast or mid, self.slow or mid
    self.fast = fast + (mid - fast) / self.params.fast
    self.slow = slow + (mid - slow) / 2000
    self:order_target(symbol, self.fast > self.slow and 10 or 0)
  end
  function M:on_stop()
    local status <close> = assert(io.open "/proc/self/status")
    local file <close> = assert(io.open("peak", "a"))
    file:write(status:read "a":match "VmHWM:%s+(%d+)", "\n")
  end
  return M]])
local packed = command "convert all.csv all.tape"
t.is(packed.status, 0, "the data")
local file <close> = assert(io.open(dir .. "/all.tape"))
local size = file:seek "end" / 1024

-- The most that the process had in memory, in KiB.
local function peak(data, jobs, more)
  os.remove(dir .. "/peak")
  local run = command(("sweep cross.lua --data %s --set fast=100:800:100 --jobs %d"
    .. " --store none %s"):format(data, jobs, more or ""))
  local most, runs = 0, 0
  for line in io.lines(dir .. "/peak") do
    most, runs = math.max(most, tonumber(line)), runs + 1
  end
  local fine = t.is(runs, 8, ("%s, %d jobs: eight runs"):format(data, jobs))
  if not fine then t.diag(run.err) end
  return most
end

local MOST <const> = 3 * 1024
local base, one, four = peak("few.csv", 1), peak("all.tape", 1), peak("all.tape", 4)
t.ok(one <= base + size + MOST, ("one job: %d KiB for a few records, %d more, data: %d")
  :format(base, one - base, size // 1))
t.ok(four <= one + 3 * MOST, ("each job more: %d KiB"):format((four - one) // 3))
local many <const> = "--set many=true"
local alone, beside = peak("all.tape", 1, many), peak("all.tape", 4, many)
t.ok(beside <= alone + 3 * MOST, ("with %d orders: %d KiB"):format(N // 8,
  (beside - alone) // 3))
t.ok(peak("all.csv", 4) <= one + 3 * MOST, "a text file is loaded once, too")
t.done()
