-- hours: times of the day and days of the week, as app files say them.
local t = require "tw.test"
local hours = require "tw.hours"

for text, seconds in pairs {
  ["09:30"] = 34200, ["9:30"] = 34200, ["09:30:15"] = 34215, ["00:00"] = 0,
  ["24:00"] = 86400, ["23:59:59"] = 86399,
} do t.is(hours.time(text), seconds, text) end
for _, text in ipairs { "09:30:99", "09:60", "09:3012", "09:300", "9:5", "24:00:01", "9",
                        "25:00", "09:30:", "09:30 ", "noon", "" } do
  t.is(hours.time(text), nil, "no time: '" .. text .. "'")
end

t.is(hours.days("mon-fri", "mon"), 0x1f, "from Monday on")
t.is(hours.days("mon-fri", "sun"), 0x3e, "from Sunday on")
t.is(hours.days("Friday-mon, Wed", "mon"), 16 | 32 | 64 | 1 | 4, "over the week's end")
t.is(hours.days("sun", "sun"), 1, "one day")
t.is(hours.day("Saturday", "sun"), 6, "a day")
for _, text in ipairs { "", " ", ",", "mo", "monk", "mon-", "mon-xyz", "mon;tue" } do
  t.is(hours.days(text, "mon"), nil, "no days: '" .. text .. "'")
end
