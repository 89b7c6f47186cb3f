--- reload: four scripts on two workers, reloaded in turn while quotes come.

local app = require "tw.app"

local reloads = app.param("reloads", 1000)
local quotes = app.param("quotes", 1400000)

app.feed.synthetic { rate = 100000, trades = 0, limit = quotes }
for i = 1, 4 do
  app.script("s" .. i .. ".lua", { shard = "symbol", reliable = true })
end
app.script("leader.lua", { workers = { 0 }, symbols = "none",
                           params = { reloads = reloads, every = 0.012 } })

app.on_end(function(status)
  local board = require "tw.board"
  local all = { delays = {}, around = {}, beside = {} }
  for i = 1, 4 do
    local seen = 0
    for shard = 1, 2 do
      local of = board[("s%d.lua.%d"):format(i, shard)]
      seen = seen + of.n
      for what, counts in pairs(all) do
        for bucket, count in pairs(of[what]) do
          counts[bucket] = (counts[bucket] or 0) + count
        end
      end
    end
    assert(seen == quotes, ("s%d.lua: %d of %d quotes"):format(i, seen, quotes))
  end
  local function show(name, of)
    local buckets, n = {}, 0
    for bucket, count in pairs(of) do buckets[#buckets + 1], n = bucket, n + count end
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
  if reloads == 0 then
    show("no reload", all.delays)
  else
    show("3 ms from each reload", all.around)
    show("3 ms half way between", all.beside)
    assert(board.refused == 0, "a reload was refused")
    print(("%d reloads, from the call to the future: %.2f ms each"):format(board.reloads,
      board.took / board.reloads * 1e3))
  end
  return true
end)
