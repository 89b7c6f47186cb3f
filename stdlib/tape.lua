--- tape: the records on the tape, to look at: the last ones, a range, those that match.
--
--   tape:last(20)                                -- at `tidewire repl app.lua`
--   tape:range(1000, 1010)                       -- by seq
--   tape:find({ symbol = "AAPL", kind = "trade" }, 50)
--   tape:find(function(q) return q.kind == "quote" and q.spread > 0.05 end)
--   tape:stat "mean(ask - bid) by symbol"        -- declared, over all that is there
--
-- Results are lists, oldest first, of copies that never expire; a message stays a handle.

local internal = require "tw.internal.tape"
local query = require "tw.internal.query"

local tape = {}

local MOST = 100000               -- records of one result
local TIMES = 1 << 48             -- what is greater is a time, no seq

local function kept(record)
  local kind = record.kind
  if kind == "quote" or kind == "trade" or kind == "bar" or kind == "order"
     or kind == "level" or kind == "status" then
    return record:keep()
  end
  return record
end

-- The seq of the oldest record that is still there, and of the newest.
local function ends()
  local head = internal.head()
  return math.max(1, head - internal.capacity()), head - 1
end

local function check(n, what)
  if math.type(n) ~= "integer" or n < 1 or n > MOST then
    error(("tape:%s: 1 to %d records expected, got %s"):format(what, MOST, tostring(n)),
          3)
  end
  return n
end

--- tape:last([n]) -> table
-- The newest n records (10).
-- Yields: no.  Blocks: no.  Thread: any worker, and the prompt of a run.
-- Errors: raises for an n that is not in 1 .. 100,000.  Units: n in records.
function tape.last(_, n)
  n = check(n or 10, "last")
  local first, last = ends()
  local list = {}
  for seq = math.max(first, last - n + 1), last do
    local record = internal.at(seq)
    if record then list[#list + 1] = kept(record) end
  end
  return list
end

-- The first seq from which on records are at or after the time.
local function seq_of(time, first, last)
  while first <= last do
    local middle = first + (last - first) // 2
    local record = internal.at(middle)
    local received = record and record.kind ~= "gap" and record.received
    if not record or (received and received < time) then first = middle + 1
    else last = middle - 1 end
  end
  return first
end

--- tape:range(from [, to]) -> table
-- The records from .. to (the newest) that are still there: by seq, or by the time at
-- which they were received when both are times in ns.
-- Yields: no.  Blocks: no.  Thread: any worker, and the prompt of a run.
-- Errors: raises for what is no integer, and for more than 100,000 records.
-- Units: seq, or ns since the epoch.
function tape.range(_, from, to)
  local first, last = ends()
  to = to or last
  if math.type(from) ~= "integer" or math.type(to) ~= "integer" then
    error("tape:range: two integers expected, seq or times", 2)
  end
  if from > TIMES then
    from, to = seq_of(from, first, last), seq_of(to == last and math.maxinteger or to + 1,
                                                 first, last) - 1
  end
  from, to = math.max(from, first), math.min(to, last)
  if to - from >= MOST then
    error(("tape:range: %d records, at most %d"):format(to - from + 1, MOST), 2)
  end
  local list = {}
  for seq = from, to do
    local record = internal.at(seq)
    if record then list[#list + 1] = kept(record) end
  end
  return list
end

--- tape:stat(declaration) -> statistic, integer
-- Declared statistics over all the quotes and trades that the tape still holds, at once:
-- of a text, or of what tw.stat makes, the statistic; of a table of them, {name =
-- declaration}, the table of theirs, as self:track gives.  Then how many records it saw.
-- Yields: no.  Blocks: while it reads, some 0.02 us for each record and statistic.
-- Thread: any worker, and the prompt of a run.
-- Errors: raises for a declaration that can't be, with the column.
-- Units: of the expressions.
function tape.stat(_, declaration)
  local one = type(declaration) == "string" or getmetatable(declaration) ~= nil
  if not one and type(declaration) ~= "table" then
    error("tape:stat: a declaration or a table of them expected, got "
          .. type(declaration), 2)
  end
  local views, records = query.tape(one and { stat = declaration } or declaration)
  return one and views.stat or views, records
end

-- What a record must be, as a function.
local function matcher(what)
  if type(what) == "function" then return what end
  if type(what) == "string" then what = { symbol = what } end
  if type(what) ~= "table" then
    error("tape:find: a symbol, a table of fields or a function expected", 3)
  end
  return function(record)
    for name, value in pairs(what) do
      local fine, found = pcall(function() return record[name] end)
      if not fine or found ~= value then return false end
    end
    return true
  end
end

--- tape:find(what [, n]) -> table
-- The newest n records (20) that match: of a symbol, with these fields ({ symbol =
-- "AAPL", kind = "trade" }), or for which what(record) is true.
-- Yields: no.  Blocks: while it looks, 0.3 us a record.  Thread: as tape:last.
-- Errors: raises for another kind of what, and what a function raises.
-- Units: n in records.
function tape.find(_, what, n)
  n = check(n or 20, "find")
  local matches, list = matcher(what), {}
  local first, last = ends()
  for seq = last, first, -1 do
    local record = internal.at(seq)
    if record and matches(record) then
      list[#list + 1] = kept(record)
      if #list == n then break end
    end
  end
  for i = 1, #list // 2 do list[i], list[#list - i + 1] = list[#list - i + 1], list[i] end
  return list
end

return setmetatable(tape, {
  __len = function() return internal.head() - 1 end,
  __tostring = function()
    local first, last = ends()
    return ("tape: records %d to %d"):format(first, last)
  end,
})
