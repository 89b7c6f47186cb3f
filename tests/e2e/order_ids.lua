--- order_ids: no two orders have the same id, in one run or in several.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local SCRIPTS <const>, ORDERS <const> = 3, os.getenv "SMALL" and 50 or 500

local SCRIPT = ([[
  function M:on_quote(seq)
    if self.is_done then return end
    self.is_done = true
    for i = 1, %d do self:buy("A", 1, 1) end
  end
  function M:on_order(id, status)
    if status == "pending_new" then print(id) end
  end]]):format(ORDERS)
local QUOTES <const> = "time,symbol,bid,ask\n1,A,10,11\n2,A,10,11\n3,A,10,11\n"

-- A run of several instances; a speed makes it a live one.
local function ids_of(speed)
  local made = apps.run { args = { "--workers", "2" }, files = { ["in.csv"] = QUOTES },
    app = ('app.feed.csv { file = here .. "in.csv", speed = %d } '):format(speed)
      .. ('app.script("s.lua", { reliable = true }) '):rep(SCRIPTS), ["s.lua"] = SCRIPT }
  local ids = {}
  for id in made.out:gmatch "%S+" do ids[#ids + 1] = math.tointeger(tonumber(id)) end
  table.sort(ids)
  if made.status ~= 0 or #ids ~= SCRIPTS * ORDERS then t.diag(made.err) end
  return ids
end

-- One after the other, as fast as that goes.
local first, second = ids_of(1000), ids_of(1000)
t.is(#first + #second, 2 * SCRIPTS * ORDERS, "two runs, each with orders of its scripts")

local repeated = 0
for _, ids in ipairs { first, second } do
  for i = 2, #ids do repeated = repeated + (ids[i] == ids[i - 1] and 1 or 0) end
end
t.is(repeated, 0, "no script has an id of another one")
t.ok(first[1] > 0 and first[#first] < second[1],
     "those of the later run come after all of the first one's")
t.ok(#tostring(second[#second]) <= 18, "and have 18 digits at most")
if first[#first] >= second[1] then t.diag(first[#first] .. " " .. second[1]) end

-- Where a run can be repeated its orders are the same ones.
local again = ids_of(0)
t.is(again[1] .. " " .. again[SCRIPTS] .. " " .. again[#again],
     ("1 1 %d"):format(ORDERS), "each script's begin at 1 where no feed is live")

