--- near: (internal) the name that was meant, for what is said of one that is not there.

local near = {}

--- near.distance(a, b) -> integer
-- The least number of changed, missing, added and swapped letters between two words.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function near.distance(a, b)
  local before, row = nil, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local now = { [0] = i }
    for j = 1, #b do
      local change = a:byte(i) == b:byte(j) and 0 or 1
      now[j] = math.min(row[j - 1] + change, row[j] + 1, now[j - 1] + 1)
      if before and j > 1 and a:byte(i) == b:byte(j - 1)
         and a:byte(i - 1) == b:byte(j) then
        now[j] = math.min(now[j], before[j - 2] + 1)
      end
    end
    before, row = row, now
  end
  return row[#b]
end

-- How many letters two words begin with alike.
local function alike(a, b)
  local n = 0
  while n < #a and a:byte(n + 1) == b:byte(n + 1) do n = n + 1 end
  return n
end

--- near.best(name, names) -> text | nil, table
-- Of the keys of names the one that was meant: few letters differ, or the first ones do
-- not, or it has the name in it, the shortest such; and a list of all.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function near.best(name, names)
  local list, best, longest = {}, nil, 2
  local least = math.max(1, #name // 3) + 1
  for known in pairs(names) do list[#list + 1] = tostring(known) end
  table.sort(list)
  for _, known in ipairs(list) do
    local d = near.distance(name, known)
    if d < least and d < #name then best, least = known, d end
  end
  for _, known in ipairs(best and {} or list) do
    local n = alike(name, known)
    if n > longest then best, longest = known, n end
  end
  longest = math.huge
  for _, known in ipairs(best and {} or list) do
    if #name > 3 and #known < longest and known:find(name, 1, true) then
      best, longest = known, #known
    end
  end
  return best, list
end

--- near.hint(name, names) -> text
-- "; did you mean 'fast'?", of the keys of names, or "; there are fast, slow".
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function near.hint(name, names)
  local best, list = near.best(tostring(name), names)
  if best then return ("; did you mean '%s'?"):format(best) end
  if #list == 0 then return "" end
  return "; there are " .. table.concat(list, ", ")
end

return near
