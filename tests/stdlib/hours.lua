-- hours: times of the day, days of the week and lengths of time, as people say them.
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

for text, ns in pairs {
  ["30d"] = 2592000000000000, ["1w"] = 604800000000000, ["1.5h"] = 5400000000000,
  ["0.25s"] = 250000000, ["2m"] = 120000000000, ["99999999d"] = math.maxinteger,
} do t.is(hours.span(text), ns, text) end
for _, text in ipairs { "0d", "0.0s", "30", "d", "30D", "-1d", "1e3s", "1..5h", " 1d",
                        "3ms", "" } do
  t.is(hours.span(text), nil, "no length: '" .. text .. "'")
end

t.is(hours.days("mon-fri", "mon"), 0x1f, "from Monday on")
t.is(hours.days("mon-fri", "sun"), 0x3e, "from Sunday on")
t.is(hours.days("Friday-mon, Wed", "mon"), 16 | 32 | 64 | 1 | 4, "over the week's end")
t.is(hours.days("sun", "sun"), 1, "one day")
t.is(hours.day("Saturday", "sun"), 6, "a day")
for _, text in ipairs { "", " ", ",", "mo", "monk", "mon-", "mon-xyz", "mon;tue" } do
  t.is(hours.days(text, "mon"), nil, "no days: '" .. text .. "'")
end
