--- seed: TIDEWIRE_SEED makes the order of ready tasks, wherever they run.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local ORDER = [[
  local function order()
    local tw, out = require "tw", {}
    tw.task.scope(function(s)
      for i = 1, 8 do
        s:spawn(function() for _ = 1, 2 do out[#out + 1] = i tw.task.yield() end end)
      end
    end)
    return table.concat(out, " ")
  end
]]
local TURNS = "1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8\n"

local _, worker = apps.write { app = [[app.feed.synthetic { speed = 0, limit = 1 }
  app.script "s.lua"]], ["s.lua"] = ORDER .. "function M.on_start() print(order()) end" }
local _, thread = apps.write { app = [[app.feed.synthetic { speed = 0, limit = 1 }
  app.script "s.lua"]], ["s.lua"] = ORDER .. [[
  function M.on_start() print(tw.pool.run(order):await()) end]] }
local plain = apps.tidewire .. " -e " .. apps.quote(ORDER .. "print(order())")

for name, command in pairs { ["a script's tasks"] = worker, ["a job's tasks"] = thread,
                             ["a program's tasks"] = plain } do
  local function order(seed)
    local run = apps.shell(("%s timeout 120 %s"):format(seed, command))
    if run.status ~= 0 then t.diag(run.err) end
    return run.out
  end
  local seen, n = {}, 0
  for seed = 1, 6 do
    local this = order("TIDEWIRE_SEED=" .. seed)
    if not seen[this] then n = n + 1 end
    seen[this] = true
    local numbers = {}
    for number in this:gmatch "%d" do numbers[#numbers + 1] = number end
    table.sort(numbers)
    if table.concat(numbers) ~= "1122334455667788" then
      t.is(this, "each task, twice", name .. ", seed " .. seed)
    end
  end
  t.is(order "TIDEWIRE_SEED=3", order "TIDEWIRE_SEED=3", name .. ": a seed is an order")
  t.ok(n >= 4, name .. ": another seed is another order (" .. n .. " of 6)")
  t.is(order "TIDEWIRE_SEED=0", TURNS, name .. ": with 0 they take turns")
  t.is(order "env -u TIDEWIRE_SEED", TURNS, name .. ": without one, too")
end

for _, seed in ipairs { "x", "5x", "1.5", "", ("9"):rep(30) } do
  for what, command in pairs { run = worker, program = plain } do
    local run = apps.shell(("TIDEWIRE_SEED=%s timeout 120 %s"):format(seed, command))
    t.is(run.err, "tidewire: TIDEWIRE_SEED=" .. seed
      .. ": an integer expected; see `tidewire help`\n",
      ("a seed of '%s' is refused (%s)"):format(seed, what))
    t.is(run.status .. run.out, "2", "and nothing runs")
  end
end
