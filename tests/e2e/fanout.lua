--- fanout: the workload of bench/fanout in Lua and declared gives the same figures.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local function source(name)
  local file <close> = assert(io.open("bench/fanout/" .. name .. ".lua"))
  return file:read "a"
end

local files = {}
for i = 1, 4 do
  for _, form in ipairs { "s", "n" } do files[form .. i .. ".lua"] = source(form .. i) end
end
math.randomseed(7)
local mid, lines = {}, { "time,symbol,bid,ask,bid_size,ask_size" }
for i = 1, 20000 do
  local n = math.floor(math.random() ^ 2 * 100)
  mid[n] = math.max(500, (mid[n] or math.random(1000, 30000)) + math.random(-3, 3))
  lines[#lines + 1] = ("%d,S%02d,%.2f,%.2f,%d,%d"):format(
    1704187800000000000 + i * 50000, n, mid[n] / 100, (mid[n] + math.random(1, 9)) / 100,
    math.random(1, 9) * 100, math.random(1, 9) * 100)
end
files["quotes.csv"] = table.concat(lines, "\n") .. "\n"
local _, command = apps.write { files = files, args = { "--workers", "2" }, app = [[
  local list = {}
  for i = 1, 100 do
    list[i] = { symbol = ("S%02d"):format(i - 1), sector = tostring(i % 10),
                weight = 1 / (i + 10) }
  end
  app.instruments(list)
  app.feed.csv { file = here .. "quotes.csv", speed = 0 }
  for _, form in ipairs { "s", "n" } do
    for i = 1, 4 do app.script(form .. i .. ".lua", { params = { n = #list } }) end
  end]] }
local run = apps.shell(command)
t.is(run.status, 0, "the run: " .. run.err:sub(1, 200))

-- S1 50000 4.502727483e+01 ...: integers are equal, reals to the ten digits.
local found = {}
for line in run.out:gmatch "[^\n]+" do
  local name = line:match "^S%d"
  if not found[name] then
    found[name] = line
  else
    local a, b = {}, {}
    for x in found[name]:gmatch "%S+" do a[#a + 1] = x end
    for x in line:gmatch "%S+" do b[#b + 1] = x end
    local same = #a == #b and #a > 2
    for i = 2, #a do
      local x, y = tonumber(a[i]), tonumber(b[i] or "nan")
      local exact = math.type(x) == "integer"
      same = same and (x == y or not exact and math.abs(x - y) <= 1.5e-9 * math.abs(x))
    end
    t.ok(same, ("%s: %s and %s"):format(name, found[name], line))
    found[name .. "n"] = true
  end
end
for i = 1, 4 do t.ok(found["S" .. i .. "n"], "S" .. i .. " came twice") end
