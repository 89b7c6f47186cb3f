--- recipes: what `tidewire help recipes` shows runs, and trades.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local tw = require "tw"

local dir, put = apps.folder "recipes"

-- A hundred days of quotes, each ten minutes of a session, whose prices swing.
local lines = { "time,symbol,bid,ask" }
for day = 0, 99 do
  for at = 0, 38 do
    local time = 1388707200 + day * 86400 + 52200 + at * 600      -- 14:30 UTC on
    for i, symbol in ipairs { "A", "B" } do
      local price = 100 + math.floor(1000 * math.sin((day * 39 + at) / (7 * i))) / 100
      lines[#lines + 1] = ("%d,%s,%.2f,%.2f"):format(time, symbol, price, price + 0.02)
    end
  end
end
put("quotes.csv", table.concat(lines, "\n") .. "\n")

-- The parts of the page that are code, a script or lines of an app file each; those that
-- follow each other without words between them are one.
local scripts, declared, open = {}, nil, nil
for line in (require "tw.help".text "recipes" .. "\nend\n"):gmatch "([^\n]*)\n" do
  if line:find "^  " then
    open = (open or "") .. line:sub(3) .. "\n"
  elseif line ~= "" and open then
    if open:find "function M:" then scripts[#scripts + 1] = open
    elseif open:find "app%." and not open:find "SetHoldings" then declared = open end
    open = nil
  elseif open then
    open = open .. "\n"
  end
end
t.is(#scripts, 5, "five of them")

for i, text in ipairs(scripts) do
  if not text:find "self:bars" then       -- all are for bars
    text = text .. "local start = M.on_start\nfunction M:on_start() "
      .. "if start then start(self) end self:bars { every = '10m', of = 'mid' } end\n"
  end
  put(("r%d.lua"):format(i), "local ta, M = require 'tw.ta', {}\n" .. text
      .. "return M\n")
  put("app.lua", "local app = require 'tw.app'\n" .. declared
      .. "app.feed.timer { every = 3600 }\n"
      .. ("app.script 'r%d.lua'\n"):format(i))
  local result = tw.backtest.run { app = dir .. "/app.lua", data = dir .. "/quotes.csv" }
  local filled, rejected = 0, 0
  for _, order in ipairs(result.orders) do
    filled = filled + (order.status == "filled" and 1 or 0)
    rejected = rejected + (order.status == "rejected" and 1 or 0)
  end
  t.ok(filled > 3, ("recipe %d trades"):format(i))
  t.is(rejected, 0, ("recipe %d: nothing is rejected"):format(i))
  if text:find("%Y-%m", 1, true) then
    t.is(os.date("!%m", result.orders[1].time // 1000000000) .. result.orders[2].symbol,
         "02B", "parts are those of all symbols from the first one on")
  end
end

-- What is traded before the opening is not of the first half hour.
local bars = { "time,open,high,low,close,volume" }
for at = 0, 11 do                           -- from 14:00 UTC on, half an hour before it
  local high = at < 3 and 999 or at < 8 and 100 or 102
  bars[#bars + 1] = ("%d,100,%d,99,%d,1"):format(1388757600 + at * 600, high,
                                                 math.min(high, 102))
end
put("A.csv", table.concat(bars, "\n") .. "\n")
put("app.lua", "local app = require 'tw.app'\n" .. declared .. "app.script 'hours.lua'\n")
put("hours.lua", "local M = {}\n" .. scripts[5] .. "return M\n")
local result, why = tw.backtest.run { app = dir .. "/app.lua", data =
                                 { path = dir .. "/A.csv", interval = "10m" } }
assert(result, why)
t.is(#result.orders .. " " .. tostring(result.orders[1] and result.orders[1].average),
     "1 100.0", "the first half hour begins with the opening")

t.done()
