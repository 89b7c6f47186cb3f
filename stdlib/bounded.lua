--- bounded: (internal) functions of string and table that can be stopped at any moment.
--
-- Why: those of C run to their end.  A pattern, a table.move of nothing, the sorting of
-- long texts can take for ever, and a worker that evaluates a line of somebody attached
-- has a market to follow.  Here C does what is known to be short; the rest is Lua,
-- which the watchdog interrupts.

local bounded = {}

local STEPS <const> = 2000000          -- what C may take at most: some milliseconds
local BYTES <const> = 16 << 20         -- of what rep gives
local RESULTS <const> = 10000          -- of unpack
local CHUNK <const> = 16384            -- bytes of a chunk to be loaded
local PIECE <const> = 4096             -- bytes that C repeats at once

local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
local sub, byte, rep = string.sub, string.byte, string.rep
local concat, unpack = table.concat, table.unpack

-- ---- patterns ----

-- Steps that C takes at most: a repetition can end anywhere, but for a last one that
-- takes all there is; what is not anchored can begin anywhere.
local function is_short(n, pattern, plain)
  local loops = plain and 0 or select(2, gsub(pattern, "[*+%-?]", ""))
                + select(2, gsub(pattern, "%%[b%d]", ""))
  if loops > 0 and find(pattern, "[^%%][*+]%)*$") then loops = loops - 1 end
  if plain or byte(pattern) ~= 94 then loops = loops + 1 end
  return #pattern <= STEPS and (#pattern + 1) * (n + 1.0) ^ loops <= STEPS
end

local function malformed(why) error("malformed pattern (" .. why .. ")", 0) end

-- The end of the set that begins at i.
local function set_end(p, i)
  i = i + 1
  if sub(p, i, i) == "^" then i = i + 1 end
  repeat
    if i > #p then malformed "missing ']'" end
    i = i + (sub(p, i, i) == "%" and 2 or 1)
  until sub(p, i, i) == "]"
  return i
end

-- The items of a pattern: {kind, class, repetition}; a class is a pattern of one byte.
local function items_of(p, i)
  local items = {}
  while i <= #p do
    local c, kind, last = sub(p, i, i), "one", i
    local class
    if c == "(" then
      kind = sub(p, i + 1, i + 1) == ")" and "position" or "("
      last = kind == "(" and i or i + 1
    elseif c == ")" then kind = ")"
    elseif c == "$" and i == #p then kind = "$"
    elseif c == "%" then
      local d = sub(p, i + 1, i + 1)
      if d == "" then malformed "ends with '%'" end
      last = i + 1
      if d == "b" then
        kind, last, class = "b", i + 3, sub(p, i + 2, i + 3)
        if #class < 2 then malformed "missing arguments to '%b'" end
      elseif d == "f" then
        if sub(p, i + 2, i + 2) ~= "[" then malformed "missing '[' after '%f'" end
        kind, last = "f", set_end(p, i + 2)
        class = "^" .. sub(p, i + 2, last)
      elseif find(d, "%d") then kind, class = "same", tonumber(d)
      else class = "^" .. sub(p, i, last) end
    elseif c == "[" then
      last = set_end(p, i)
      class = "^" .. sub(p, i, last)
    else class = find(c, "%p") and c ~= "." and "^%" .. c or "^" .. c end
    local again = kind == "one" and match(sub(p, last + 1, last + 1), "[*+%-?]")
    items[#items + 1] = { kind, class, again }
    i = last + (again and 2 or 1)
  end
  return items
end

local run

-- An item that is matched as often as it can be ("*", "+") or need be ("-"), and what
-- follows.
local function run_repeated(m, i, k)
  local s, class, again = m.s, m.items[k][2], m.items[k][3]
  if again == "-" then
    while true do
      local e = run(m, i, k + 1)
      if e then return e end
      if not find(sub(s, i, i), class) then return nil end
      i = i + 1
    end
  end
  local j = i
  while find(sub(s, j, j), class) do j = j + 1 end
  for at = j, again == "+" and i + 1 or i, -1 do
    local e = run(m, at, k + 1)
    if e then return e end
  end
end

-- Where a capture begins or ends, and what follows.
local function run_capture(m, i, k)
  local kind, n = m.items[k][1], #m
  if kind == ")" then
    while n > 0 and m[n].to do n = n - 1 end
    if n == 0 then error("invalid pattern capture", 0) end
    m[n].to = i
    local e = run(m, i, k + 1)
    if not e then m[n].to = nil end
    return e
  end
  m[n + 1] = { from = i, to = kind == "position" and i or nil,
               position = kind == "position" }
  local e = run(m, i, k + 1)
  if not e then while #m > n do m[#m] = nil end end
  return e
end

-- The position behind what the pair is around, at i; or nil.
local function balanced(s, i, pair)
  local open, close, depth = sub(pair, 1, 1), sub(pair, 2), 1
  if sub(s, i, i) ~= open then return nil end
  repeat
    i = i + 1
    local c = sub(s, i, i)
    if c == "" then return nil end
    depth = depth + (c == close and -1 or c == open and 1 or 0)
  until depth == 0
  return i + 1
end

-- Matches the items at i: the position behind, with the captures in m; or nil.
function run(m, i, k)
  local s = m.s
  while true do
    local item = m.items[k]
    if not item then return i end
    local kind, class, again = item[1], item[2], item[3]
    if kind == "one" and again == "?" then
      local e = find(sub(s, i, i), class) and run(m, i + 1, k + 1)
      if e then return e end
      k = k + 1
    elseif kind == "one" and again then
      return run_repeated(m, i, k)
    elseif kind == "one" then
      if not find(sub(s, i, i), class) then return nil end
      i, k = i + 1, k + 1
    elseif kind == "(" or kind == "position" or kind == ")" then
      return run_capture(m, i, k)
    elseif kind == "$" then
      return i == #s + 1 and i or nil
    elseif kind == "f" then
      local before = i > 1 and sub(s, i - 1, i - 1) or "\0"
      local here = i <= #s and sub(s, i, i) or "\0"
      if find(before, class) or not find(here, class) then return nil end
      k = k + 1
    elseif kind == "same" then
      local one = m[class]
      if not (one and one.to) then error("invalid capture index", 0) end
      local text = sub(s, one.from, one.to - 1)
      if sub(s, i, i + #text - 1) ~= text then return nil end
      i, k = i + #text, k + 1
    else   -- "b"
      i, k = balanced(s, i, class), k + 1
      if not i then return nil end
    end
  end
end

local function captures(m, i, e, whole)
  if #m == 0 and whole then return sub(m.s, i, e - 1) end
  local values = {}
  for n, one in ipairs(m) do
    if not one.to then error("unfinished capture", 0) end
    values[n] = one.position and one.from or sub(m.s, one.from, one.to - 1)
  end
  return unpack(values, 1, #m)
end

-- The first match at or behind i: m, its begin and the position behind it.
local function search(s, p, i)
  local anchored = byte(p) == 94
  local items = items_of(p, anchored and 2 or 1)
  repeat
    local m = { s = s, items = items }
    local e = run(m, i, 1)
    if e then return m, i, e end
    i = i + 1
  until anchored or i > #s + 1
end

local function begin(s, init)
  init = init or 1
  if init < 0 then return math.max(#s + init + 1, 1) end
  return math.max(init, 1)
end

-- Texts as C would take them, or nil: then C says what is wrong.
local function texts(s, p, init)
  if type(s) == "number" then s = tostring(s) end
  if type(p) == "number" then p = tostring(p) end
  init = init == nil and 1 or math.tointeger(init)
  if type(s) ~= "string" or type(p) ~= "string" or not init then return end
  return s, p, begin(s, init)
end

-- A text in a long one, in pieces.
local function find_plain(s, p, i)
  local size = math.max(STEPS // (#p + 1), 1) + #p
  while i <= #s - #p + 1 do
    local from, to = find(sub(s, i, i + size - 1), p, 1, true)
    if from then return i + from - 1, i + to - 1 end
    i = i + size - #p + 1
  end
  return nil
end

local function text_find(...)
  local s, p, i = texts(...)
  local plain = select(4, ...) or p and not find(p, "[%^$*+?.()%[%%%-]")
  if not s or is_short(#s, p, plain) or i > #s + 1 then return find(...) end
  if plain then return find_plain(s, p, i) end
  local m, from, behind = search(s, p, i)
  if not m then return nil end
  return from, behind - 1, captures(m, from, behind)
end

local function text_match(...)
  local s, p, i = texts(...)
  if not s or is_short(#s, p) or i > #s + 1 then return match(...) end
  local m, from, behind = search(s, p, i)
  if not m then return nil end
  return captures(m, from, behind, true)
end

local function text_gmatch(...)
  local s, p, i = texts(...)
  if not s or is_short(#s, p) then return gmatch(...) end
  local last
  local items = items_of(p, 1)
  return function()
    while i <= #s + 1 do
      local m = { s = s, items = items }
      local e = run(m, i, 1)
      if e and e ~= last then
        local from = i
        i, last = e, e
        return captures(m, from, e, true)
      end
      i = i + 1
    end
  end
end

-- What stands in place of a match.
local function replacement(m, from, e, with)
  local whole = sub(m.s, from, e - 1)
  local value
  if type(with) == "table" then value = with[(captures(m, from, e, true))]
  elseif type(with) == "function" then value = with(captures(m, from, e, true))
  else
    local values = { captures(m, from, e, true) }
    value = gsub(with, "%%(.?)", function(c)
      if c == "0" then return whole end
      if find(c, "%d") then
        if not values[tonumber(c)] then error("invalid capture index %" .. c, 0) end
        return values[tonumber(c)]
      end
      if c ~= "%" then error("invalid use of '%' in replacement string", 0) end
      return "%"
    end)
  end
  if not value then return whole end
  if type(value) ~= "string" and type(value) ~= "number" then
    error("invalid replacement value (a " .. type(value) .. ")", 0)
  end
  return value
end

local REPLACES = { table = true, ["function"] = true, string = true, number = true }

local function text_gsub(...)
  local s, p = texts((...), (select(2, ...)))
  local with, most = select(3, ...)
  local kind = type(with)
  if not s or is_short(#s, p) or not REPLACES[kind]
      or most and not math.tointeger(most) then
    return gsub(...)
  end
  local anchored = byte(p) == 94
  local items, parts, n, i = items_of(p, anchored and 2 or 1), {}, 0, 1
  local last
  if kind == "number" then with = tostring(with) end
  while n < (most or math.maxinteger) do
    local m = { s = s, items = items }
    local e = run(m, i, 1)
    if e and e ~= last then
      n = n + 1
      parts[#parts + 1] = replacement(m, i, e, with)
      i, last = e, e
    elseif i <= #s then
      parts[#parts + 1] = sub(s, i, i)
      i = i + 1
    else
      break
    end
    if i > #s + 1 or anchored then break end
  end
  parts[#parts + 1] = sub(s, i)
  return concat(parts), n
end

local function text_rep(s, n, separator)
  if type(s) == "number" then s = tostring(s) end
  if type(s) ~= "string" or not math.tointeger(n)
      or separator ~= nil and type(separator) ~= "string" then
    return rep(s, n, separator)
  end
  n, separator = math.tointeger(n), separator or ""
  if n <= 0 or #s + #separator == 0 then return "" end
  if (#s + #separator) * (n + 0.0) > BYTES then
    error(("rep: more than %d MiB"):format(BYTES >> 20), 2)
  end
  local one, times = s .. separator, n - 1
  if times <= PIECE then return rep(s, n, separator) end
  local parts = {}
  while times > 0 do   -- by doubling
    if times % 2 == 1 then parts[#parts + 1] = one end
    times = times // 2
    if times > 0 then one = one .. one end
  end
  parts[#parts + 1] = s
  return concat(parts)
end

-- ---- tables ----

local function wants_table(t, name)
  if type(t) == "table" then return end
  error(("bad argument #1 to '%s' (table expected, got %s)"):format(name, type(t)), 3)
end

local function list_move(from, first, last, at, to)
  wants_table(from, "move")
  to = to or from
  if at > last or at <= first or from ~= to then
    for i = 0, last - first do to[at + i] = from[first + i] end
  else
    for i = last - first, 0, -1 do to[at + i] = from[first + i] end
  end
  return to
end

local function list_insert(t, ...)
  wants_table(t, "insert")
  local n, count = #t + 1, select("#", ...)
  if count == 1 then
    t[n] = ...
    return
  end
  local at, value = ...
  if count ~= 2 then error("wrong number of arguments to 'insert'", 2) end
  if not math.tointeger(at) or at < 1 or at > n then
    error("bad argument #2 to 'insert' (position out of bounds)", 2)
  end
  for i = n, at + 1, -1 do t[i] = t[i - 1] end
  t[at] = value
end

local function list_remove(t, ...)
  wants_table(t, "remove")
  local n = #t
  local at = ... or n
  if select("#", ...) > 0 and n + 1 ~= at and (at < 1 or at > n + 1)
      and not (n == 0 and at == 0) then
    error("bad argument #2 to 'remove' (position out of bounds)", 2)
  end
  local value = t[at]
  for i = at, n - 1 do t[i] = t[i + 1] end
  if at <= n then t[n] = nil end
  return value
end

local function list_concat(t, separator, i, j)
  wants_table(t, "concat")
  if not getmetatable(t) then return concat(t, separator, i, j) end
  local copy, n = {}, 0
  for k = i or 1, j or #t do
    n = n + 1
    copy[n] = t[k]
    if copy[n] == nil then error(("invalid value (at index %d) in table for 'concat'")
                                 :format(k), 2) end
  end
  return concat(copy, separator)
end

local function list_unpack(t, i, j)
  if (j or #t) - (i or 1) >= RESULTS then error("too many results to unpack", 2) end
  return unpack(t, i, j)
end

local function less(a, b) return a < b end

-- A heap: so many steps at most whatever is said of the order.
local function list_sort(t, before)
  wants_table(t, "sort")
  before = before or less
  local n = #t
  local function sink(i, last)
    local value = t[i]
    while 2 * i <= last do
      local child = 2 * i
      if child < last and before(t[child], t[child + 1]) then child = child + 1 end
      if not before(value, t[child]) then break end
      t[i] = t[child]
      i = child
    end
    t[i] = value
  end
  for i = n // 2, 1, -1 do sink(i, n) end
  for last = n, 2, -1 do
    t[1], t[last] = t[last], t[1]
    sink(1, last - 1)
  end
end

-- ---- for stdlib/evaluate.lua ----

local function with(usual, ours)
  local all = {}
  for name, f in pairs(usual) do all[name] = ours[name] or f end
  return all
end

bounded.string = with(string, { find = text_find, match = text_match, rep = text_rep,
                                gmatch = text_gmatch, gsub = text_gsub })
bounded.table = with(table, { move = list_move, insert = list_insert, sort = list_sort,
                              remove = list_remove, concat = list_concat,
                              unpack = list_unpack })

--- bounded.load(chunk, name, env) -> function | nil, message
-- As load, of text that is not long: the compiler can't be interrupted.
-- Yields: no.  Blocks: for a millisecond.  Thread: any.  Errors: nil and the message.
-- Units: none.
function bounded.load(chunk, name, env)
  if type(chunk) == "function" then
    local parts, bytes = {}, 0
    repeat
      local part = chunk()
      parts[#parts + 1] = part
      bytes = bytes + (type(part) == "string" and #part or 0)
    until type(part) ~= "string" or part == "" or bytes > CHUNK
    chunk = concat(parts)
  end
  if type(chunk) == "string" and #chunk > CHUNK then
    return nil, ("a chunk of more than %d bytes"):format(CHUNK)
  end
  return load(chunk, name, "t", env)
end

return bounded
