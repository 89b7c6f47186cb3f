--- sweep.lua TIDEWIRE HERE DIR REPEAT: sweeps in processes of their own, in turn.

local program, here, dir, rounds = arg[1], arg[2], arg[3], tonumber(arg[4])
local FAST <const> = 16                      -- 512 runs

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function run(jobs, fast)
  local process = io.popen(("'%s' '%s/one.lua' '%s' '%s/q.tape' %d %d"):format(program,
    here, here, dir, jobs, fast))
  local wall, alone, cpu, peak = process:read("n", "n", "n", "n")
  local hash = process:read "l"
  assert(process:close())
  return { wall = wall, alone = alone, cpu = cpu, peak = peak / 1000, hash = hash }
end

local took, alone, used = { {}, {} }, { {}, {} }, { {}, {} }
local hash
for _ = 1, rounds do
  for jobs = 1, 2 do
    local got = run(jobs, FAST)
    hash = hash or got.hash
    assert(got.hash == hash, "the best run has other orders")
    table.insert(took[jobs], got.wall)
    table.insert(alone[jobs], got.alone)
    table.insert(used[jobs], got.cpu)
  end
end
for jobs = 1, 2 do
  local wall = median(took[jobs])
  print(("%d job%s: 512 runs in %.2f s, %.0f a second; %.2f s of processors"):format(jobs,
    jobs == 1 and "" or "s", wall, 512 / wall, median(used[jobs])))
end
-- What others leave of the processors differs; what jobs cost each other is their own.
print(("two jobs over one: %.2f; but for the time that threads were ready and had no "
  .. "processor: %.2f"):format(median(took[1]) / median(took[2]),
                               median(alone[1]) / median(alone[2])))

local file <close> = assert(io.open(dir .. "/q.tape"))
local data, first, last = file:seek "end" / 1e6, nil, nil
for _, jobs in ipairs { 1, 2, 4, 8 } do
  local peak = run(jobs, 2).peak
  first, last = first or peak, peak
  print(("%d job%s: %.1f MB, %.1f of them data"):format(jobs, jobs == 1 and "" or "s",
                                                        peak, data))
end
print(("each job more: %.2f MB"):format((last - first) / 7))
