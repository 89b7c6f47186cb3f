--- hours: (internal) times of the day, days and lengths of time, as people say them.

local hours = {}

local WEEK <const> = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
                       "sunday" }

local UNITS <const> = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

--- hours.span(text) -> integer | nil
-- "30d", "1.5h": how long that is; what is longer than can be said, the longest.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: nil for what is no such time, or none.
-- Units: ns.
function hours.span(text)
  local n, unit = text:match "^(%d+%.?%d*)([smhdw])$"
  local ns = n and tonumber(n) * UNITS[unit] * 1e9
  return ns and ns >= 1 and (math.tointeger(ns // 1) or math.maxinteger) or nil
end

--- hours.time(text) -> integer | nil
-- "09:30", or "09:30:15": how long after midnight that is, "24:00" at most.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: nil for what is no such time.
-- Units: seconds.
function hours.time(text)
  local h, m, s = (text .. ":00"):match "^(%d%d?):(%d%d):(%d%d)"
  h, m, s = math.tointeger(h), math.tointeger(m), math.tointeger(s)
  local is_all = text:find "^%d%d?:%d%d$" or text:find "^%d%d?:%d%d:%d%d$"
  local n = is_all and m < 60 and s < 60 and h * 3600 + m * 60 + s
  return n and n <= 86400 and n or nil
end

--- hours.day(text, first) -> integer | nil
-- "mon", or more of its name: how many days after `first`, "mon" or "sun", that is.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: nil for what is no day.  Units: days.
function hours.day(text, first)
  for i, name in ipairs(WEEK) do
    if #text >= 3 and name:sub(1, #text) == text:lower() then
      return first == "sun" and i % 7 or i - 1
    end
  end
end

--- hours.days(text, first) -> integer | nil
-- "mon-fri,sun": a bit for each, the lowest is that of `first`.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: nil where one is no day, and for none.
-- Units: none.
function hours.days(text, first)
  local bits = 0
  for part in text:gmatch "[^,%s]+" do
    local a, b = part:match "^(%a+)%-(%a+)$"
    local day, last = hours.day(a or part, first), hours.day(b or part, first)
    if not day or not last then return nil end
    bits = bits | 1 << day
    while day ~= last do
      day = (day + 1) % 7
      bits = bits | 1 << day
    end
  end
  return bits > 0 and bits or nil
end

return hours
