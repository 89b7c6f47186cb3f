--- chunk: what runs in the pool for a part of a list, or for a load of a cache.
--
-- Each function gets the caller's own as its first argument; see lua/share/lcall.h.

-- The one value that a function has returned; what: the beginning of the error.
local function one(what, ...)
  local n = select("#", ...)
  if n > 1 then
    error(("%sthe function returned %d values, and a result is one: put them into a"
           .. " table"):format(what, n), 0)
  end
  return (...)
end

local function map(fn, items, first)
  local results = {}
  for i, item in ipairs(items) do results[i] = one("", fn(item, first + i - 1)) end
  return results
end

local function each(fn, items, first)
  for i, item in ipairs(items) do fn(item, first + i - 1) end
end

local function reduce(fn, items)
  local value = items[1]
  for i = 2, #items do value = one("", fn(value, items[i])) end
  return value
end

local function load_one(fn, key, old)
  local load = { old = old }
  return load, fn(key, load)
end

local function load_all(fn, keys)
  return fn(keys)
end

return { one = one, map = map, each = each, reduce = reduce, load_one = load_one,
         load_all = load_all }
