--- reload: four scripts on two workers, reloaded in turn while quotes come.

local app = require "tw.app"

local reloads = app.param("reloads", 1000)
local quotes = app.param("quotes", 600000)

app.feed.synthetic { rate = 100000, trades = 0, limit = quotes }
for i = 1, 4 do
  app.script("s" .. i .. ".lua", { shard = "symbol", reliable = true })
end
app.script("leader.lua", { workers = { 0 }, symbols = "none",
                           params = { reloads = reloads, pause = 0.003 } })

app.on_end(function(status)
  local board = require "tw.board"
  local counts, around, n, n_around = {}, {}, 0, 0
  for i = 1, 4 do
    local seen = 0
    for shard = 1, 2 do
      local of = board[("s%d.lua.%d"):format(i, shard)]
      seen = seen + of.n
      for bucket, count in pairs(of.delays) do
        counts[bucket], n = (counts[bucket] or 0) + count, n + count
      end
      for bucket, count in pairs(of.around) do
        around[bucket], n_around = (around[bucket] or 0) + count, n_around + count
      end
    end
    assert(seen == quotes, ("s%d.lua: %d of %d quotes"):format(i, seen, quotes))
  end
  local function show(name, of, n)
    local buckets = {}
    for bucket in pairs(of) do buckets[#buckets + 1] = bucket end
    table.sort(buckets)
    local function at(p)
      local sum = 0
      for _, bucket in ipairs(buckets) do
        sum = sum + of[bucket]
        if sum >= p * n then return 2 ^ (bucket / 8) / 1e3 end
      end
    end
    print(("%-22s %8d %9.1f %9.1f %9.1f %9.1f"):format(name, n, at(0.5), at(0.99),
                                                       at(0.999), at(1)))
  end
  show(reloads == 0 and "no reload" or reloads .. " reloads", counts, n)
  if reloads > 0 then
    show("  around the changes", around, n_around)
    print(("a reload, from the call to the future: %.2f ms"):format(
      board.took / reloads * 1e3))
    assert(board.refused == 0, "a reload was refused")
  end
  return true
end)
