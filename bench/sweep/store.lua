--- store.lua FILE: rows a second into a file of results, and out of it.

local figures = require "tw.report_figures"
local store = require "tw.sweep_store"
local tw = require "tw"

local N <const> = 2000

local function result(seed)
  local all = { arithmetic = {}, geometric = {} }
  for _, group in ipairs(figures.GROUPS) do
    for i = 2, #group do
      seed = seed * 1.1
      for _, to in ipairs(group.both and { all.arithmetic, all.geometric } or { all }) do
        to[group[i][1]] = seed
      end
    end
  end
  return { name = "cross.lua", symbols = { "AAPL" }, from = 1, to = 2, records = 1000,
           currency = "USD", start = 1e6, final = 1e6 + seed, hash = ("ab"):rep(32),
           figures = all }
end

local s = assert(store.open(arg[1]))
local id = assert(s:sweep { name = "bench" })
local number = 0
local function runs(n)
  local list = {}
  for i = 1, n do
    number = number + 1
    list[i] = { key = ("%064x"):format(number * 0x9e3779b97f4a7c15), number = number,
                params = { fast = number, slow = 30 }, seconds = 0.1,
                result = result(number / 7) }
  end
  return list
end

for _, size in ipairs { 1, 10, 100 } do
  local list = {}
  for i = 1, N // size do list[i] = runs(size) end
  local began = tw.clock()
  for _, one in ipairs(list) do assert(s:put(id, one)) end
  print(("kept, %3d in a transaction: %.0f a second"):format(size,
                                                            N / (tw.clock() - began)))
end
local began = tw.clock()
assert(#s:runs(id) == number)
print(("read: %.0f a second"):format(number / (tw.clock() - began)))
s:close()
began = tw.clock()
assert(store.open(arg[1])):close()
print(("opened, and looked for damage: %.1f ms"):format((tw.clock() - began) * 1e3))
