--- explain: (internal) why an order of a backtest filled or did not, event by event.
--
-- Why a saved run holds no orders: the same data gives the same run, so who asks runs it
-- again, with a probe of one order (host/trade/probe.h).  All sentences are here.

local arguments = require "tw.arguments"
local core = require "tw.internal.backtest"
local json = require "tw.json"
local textfile = require "tw.textfile"
local tw = require "tw"

local explain = {}

-- ---- words ----

local function num(x) return ("%.15g"):format(x) end

-- 2020-01-02 09:30:00.5
local function when(ns)
  if not ns then return "before the data" end
  local text = os.date("!%Y-%m-%d %H:%M:%S", ns // 1000000000)
  local part = ("%.9f"):format(ns % 1000000000 / 1e9)
  return text .. (part:gsub("^0", ""):gsub("%.?0+$", ""))
end

local function record_text(r)
  if r.kind == "bar" then
    return ("%sbar o %s h %s l %s c %s v %s"):format(r.side and r.side .. " " or "",
      num(r.open), num(r.high), num(r.low), num(r.close), num(r.volume or 0))
  elseif r.kind == "quote" then
    return ("quote %sx%s/%sx%s"):format(num(r.bid or 0), num(r.bid_size or 0),
                                        num(r.ask or 0), num(r.ask_size or 0))
  end
  return ("trade %s at %s"):format(num(r.size or 0), num(r.price))
end

-- "buy limit 99", "sell trailing stop".
local function name_of(o, part)
  if part == "stop" then
    return ("%s %s"):format(o.side, o.type == "trailing_stop" and "trailing stop"
                            or "stop")
  end
  return o.side .. (o.price and " limit" or " " .. o.type:gsub("_", " "))
end

-- What of the record counts: the other side of a quote, the far end of a bar.
local function price_name(s, o, opposite)
  local kind = s.record.kind
  if kind == "quote" then return o.side == "buy" and "ask" or "bid" end
  if kind ~= "bar" then return "price" end
  if s.model == "auto" then return "close" end      -- of its session; see probe.h
  if s.model == "next_open" or s.verdict == "open" then return "open" end
  return (o.side == "buy") == opposite and "low" or "high"
end

local function range(s)
  if s.low == s.high then return num(s.low) end
  return num(s.low) .. " to " .. num(s.high)
end

-- "a at or below b" is what a buy needs of its limit, and a sell of its stop.
local function beyond(o, is_stop)
  return (o.side == "buy") ~= is_stop and "at or below" or "at or above"
end

local function not_met(s, o, verb)
  local price = price_name(s, o, true)
  if s.count == 1 then
    return ("%s %s not %s, %s %s"):format(name_of(o), num(s.level), verb, price, range(s))
  end
  return ("%s %s, never %s %s"):format(price, range(s), beyond(o, false), num(s.level))
end

local function shares(s)
  if not s.left then return "" end
  if s.left == s.shown then return (" of the %s there"):format(num(s.shown)) end
  return (" of the %s there, of which own orders have left %s"):format(num(s.shown),
                                                                      num(s.left))
end

local NO_STOP <const> = "no price is known yet that the stop could follow"

local VERDICTS = {
  same = function() return "not looked at: it was decided on this record" end,
  not_there = function(s)
    return ("not looked at: %s it arrived, at %s"):format(
      s.record.kind == "bar" and "began before" or "before", when(s.arrives))
  end,
  kind = function(s)
    return ("not looked at: fill model %s does not go by %ss for it"):format(
      s.model, s.record.kind)
  end,
  side = function(s, o)
    return ("not looked at: a bar of %ss, and a %s meets %ss"):format(s.record.side,
      o.side, o.side == "buy" and "ask" or "bid")
  end,
  before_open = function() return "not looked at: it is for the next open" end,
  before_close = function() return "it waits for the close of the session" end,
  no_price = function(s, o)
    if s.record.kind ~= "quote" then
      return "no price of its session has come since it was decided"
    end
    return ("there is no %s"):format(o.side == "buy" and "ask" or "bid")
  end,
  stop = function(s, o)
    local price = price_name(s, o, false)
    if not s.level then return NO_STOP end
    if s.count == 1 then
      return ("%s %s not reached, %s %s"):format(name_of(o, "stop"), num(s.level), price,
                                                 range(s))
    end
    return ("%s %s, never %s the stop, %s"):format(price, range(s), beyond(o, true),
      s.level == s.level_to and num(s.level)
        or ("which moves from %s to %s"):format(num(s.level), num(s.level_to)))
  end,
  triggered = function(s, o)
    return ("%s %s triggered at %s"):format(name_of(o, "stop"), num(s.level), range(s))
  end,
  not_reached = function(s, o)
    return not_met(s, o, s.record.kind == "bar" and s.model ~= "auto" and "touched"
                         or "met")
  end,
  touched = function(s, o)
    return ("%s %s touched, not traded through"):format(name_of(o), num(s.level))
  end,
  open = function(s, o) return not_met(s, o, "met") end,
  inside = function(s, o)
    return ("triggered within the bar at %s, where %s %s does not trade"):format(range(s),
      name_of(o), num(s.level))
  end,
  queued = function(s, o)
    local place = o.side == "buy" and "bid" or "ask"
    if not s.ahead then
      return ("%s %s rests, and no quote has shown yet what is before it"):format(
        name_of(o), num(s.level))
    end
    if s.ahead == s.ahead_to then
      return ("%s %s rests at the %s behind %s"):format(name_of(o), num(s.level), place,
                                                        num(s.ahead))
    end
    return ("%s %s rests at the %s behind %s, at last %s"):format(name_of(o),
      num(s.level), place, num(s.ahead), num(s.ahead_to))
  end,
  taken = function(s, o)
    local text = ("%s could trade at %s, but "):format(name_of(o), range(s))
    if s.shown == 0 then return text .. "no size is shown" end
    if s.left > 0 then return text .. "what is there is less than a lot" end
    return ("%sown orders have taken all%s there"):format(text,
      s.count == 1 and " " .. num(s.shown) or "")
  end,
  meets = function(s, o)
    return ("%s%s can trade at %s: %s%s"):format(name_of(o),
      s.level and " " .. num(s.level) or "", range(s), num(s.quantity), shares(s))
  end,
}

-- In a book.

-- What it would trade with: "ask", and its price.
local function opposite(s, o)
  local side = o.side == "buy" and "ask" or "bid"
  local price = s.record[side]
  return side, price and num(price)
end

local function times(s, one, many)
  return s.count == 1 and one or ("%d %s"):format(s.count, many)
end

local BOOK = {
  arrives = function(s) return "arrives in the book: " .. record_text(s.record) end,
  closed = function(s)
    return "its market is closed" .. (s.arrives == math.maxinteger and ""
                                      or ", until " .. when(s.arrives))
  end,
  rests = function(s, o)
    local name, price = opposite(s, o)
    return ("rests at %s behind %s; %s"):format(num(s.low), num(s.ahead),
      price and ("the %s is %s"):format(name, price) or "there is no " .. name)
  end,
  ahead = function(s)
    return ("%s before it, %s at %s; %s ahead of it at its price"):format(
      times(s, "a trade", "trades"), num(s.quantity), range(s), num(s.ahead_to))
  end,
  left = function(s)
    return ("%s ahead of it went without a trade; %s ahead of it"):format(num(s.quantity),
                                                                       num(s.ahead_to))
  end,
  gathered = function(s) return "waits for the auction at " .. when(s.arrives) end,
  auction = function(s)
    if s.quantity == 0 then return "the auction: nothing can trade" end
    return ("the auction: %s can trade at %s; %s ahead of it at its price"):format(
      num(s.quantity), range(s), num(s.ahead))
  end,
  trades = function(s)
    return ("trades with %s, %s at %s"):format(times(s, "an order", "orders"),
                                               num(s.quantity), range(s))
  end,
  crosses = function(s, o)
    return ("post-only, but the %s is %s"):format(opposite(s, o))
  end,
  taken = function(s)
    return "all or nothing, and that is not there: " .. record_text(s.record)
  end,
  room = function(s)
    return ("reduce-only: the position leaves room for %s"):format(num(s.quantity))
  end,
  self = function(s, _, c)
    return ("order %s of the same script comes against it"):format(c.number(s.cause))
  end,
  group = function(s, _, c)
    return ("order %s of its group has traded"):format(c.number(s.cause))
  end,
  stop = function(s, o)
    return s.level and ("%s %s waits%s"):format(name_of(o, "stop"), num(s.level),
                       s.low and ": the last trade was at " .. num(s.low) or "")
      or "no trade is there yet that the stop could follow"
  end,
  triggered = function(s, o)
    return ("%s %s triggered by a trade at %s"):format(name_of(o, "stop"), num(s.level),
                                                       num(s.low))
  end,
}

local LIMITS = {
  order_quantity = function() return "quantity %s, at most %s" end,
  order_value = function() return "value %s, at most %s" end,
  position = function() return "position %s with what is open, at most %s" end,
  open_orders = function() return "%s open with it, at most %s" end,
  orders = function() return "%s in that time with it, at most %s" end,
  collar = function() return "%s from the last price, at most %s" end,
  daily_loss = function() return "%s lost today, less than %s" end,
  buying_power = function() return "it needs %s, %s is free" end,
  lot_size = function() return "quantity %s, lots of %s" end,
  tick_size = function() return "price %s, ticks of %s" end,
  reduce_only = function() return "the position is %s" end,
  self_match = function(s)
    if s.limit == 0 then return "no own order on the other side" end
    return (s.limit > 9e9 or s.limit == 1e-9) and "own market order on the other side"
      or "own order at " .. num(s.limit)
  end,
}

local EXPIRED = { day = "its session has ended", opg = "it was for that open alone",
                  cls = "the session has closed", gtd = "its time has come" }

local function terms_of(s)
  local parts = { "quantity " .. num(s.quantity) }
  if s.price then parts[#parts + 1] = "price " .. num(s.price) end
  if s.stop then parts[#parts + 1] = "stop " .. num(s.stop) end
  return table.concat(parts, ", ")
end

local function arrival(s)
  if s.arrives == s.time then return "it arrives at once" end
  return ("it arrives after %s s, at %s"):format(num((s.arrives - s.time) / 1e9),
                                                 when(s.arrives))
end

-- How a trade differs from the price of the model.
local function slippage(s, before)
  local model = before and before.verdict == "meets" and before.low
  if not model or model == s.price then return "" end
  local by = math.floor(math.abs(s.price - model) * 1e9 + 0.5) / 1e9
  return (", %s of slippage from %s"):format(num(by), num(model))
end

-- c: the order, how much of it has filled so far, the step before, numbers of orders.
local REPORTS = {
  new = function() return "at the venue: new" end,
  trade = function(s, o, c)
    c.filled = c.filled + s.quantity
    return ("filled %s at %s%s%s%s; %s of %s so far"):format(num(s.quantity),
      num(s.price), s.liquidity and ", " .. s.liquidity or "",
      slippage(s, c.look), s.fee ~= 0 and ", fee " .. num(s.fee) or "", num(c.filled),
      num(c.quantity))
  end,
  replaced = function(s, _, c)
    c.quantity = s.quantity
    return ("%s: %s%s"):format(c.asked and "modified" or "has other terms", terms_of(s),
                               s.reason and ": " .. s.reason or "")
  end,
  expired = function(s, o)
    return "expired: " .. (s.reason or EXPIRED[o.tif] or "its time is over")
  end,
  pending_cancel = function() return "cancel asked for" end,
  pending_replace = function() return "modify asked for" end,
  refused = function(s) return "refused: " .. (s.reason or "by the venue") end,
}

local function report_text(s, o, c)
  local made = REPORTS[s.exec]
  local text = made and made(s, o, c)
    or s.exec .. (s.reason and ": " .. s.reason or "")
  if not s.cause then return text end
  return ("%s (order %s)"):format(text, c.number(s.cause))
end

local TEXTS = {
  decided = function(s, o, c)
    local on = s.record and (": " .. record_text(s.record)) or ""
    local text = s.seq and ("decided on record %d%s"):format(s.seq, on)
      or "decided before the first record"
    if not o.parent then return text end
    return ("%s; held until order %s has traded"):format(text, c.number(o.parent))
  end,
  limit = function(s)
    return ("limit %s%s: %s: %s"):format(s.name, s.of_all and " of all scripts" or "",
      s.of_all and (s.name == "self_match" and "an order of one of them is in the way"
                    or ("at most %s%s"):format(num(s.limit),
                                               s.name == "collar" and " %" or ""))
        or LIMITS[s.name](s):format(num(s.value), num(s.limit)),
      s.refused and "refused" or "passed")
  end,
  parent = function(s, o, c)
    return ("order %s has traded: this one goes out for %s"):format(c.number(o.parent),
                                                                   num(s.value))
  end,
  sent = function(s, _, c)
    c.quantity = s.quantity
    return "sent: " .. arrival(s)
  end,
  cancel = function(s) return "cancel asked for: " .. arrival(s) end,
  replace = function(s)
    return ("modify asked for: %s: %s"):format(terms_of(s), arrival(s))
  end,
  stop = function(s, o)
    return s.level and ("the stop begins at %s, %s from the price"):format(num(s.level),
      o.trail and num(o.trail) or num(o.trail_part * 100) .. " %")
      or NO_STOP
  end,
  room = function(s, o)
    if o.reduce_only then
      return ("reduce-only: the position leaves room for %s"):format(num(s.value))
    end
    return ("%s %% of the equity are %s at %s"):format(num(o.part * 100), num(s.value),
                                                       num(s.price))
  end,
  look = function(s, o)
    local text = VERDICTS[s.verdict](s, o)
    if s.count > 1 then
      return ("%d %ss to %s: %s"):format(s.count, s.mixed and "record" or s.record.kind,
                                         when(s.until_time), text)
    end
    if s.level ~= s.level_to and (o.trail or o.trail_part) then
      text = ("%s; the stop moves to %s"):format(text, num(s.level_to))
    end
    return record_text(s.record) .. ": " .. text
  end,
  book = function(s, o, c)
    local text = BOOK[s.verdict](s, o, c)
    if s.until_time == s.time then return text end
    return ("to %s: %s"):format(when(s.until_time), text)
  end,
  report = report_text,
  ["end"] = function(s, o)
    local open = o.status == "new" or o.status == "partially_filled"
      or o.status:find "^pending"
    return ("%s%s, %s of %s%s"):format(open and "the data ends: still " or "in the end: ",
      o.status:gsub("_", " "), num(o.filled), num(o.quantity),
      o.average and " at " .. num(o.average) or "")
  end,
}

local DONE = { cancel = "canceled", replace = "replaced" }

-- What one line says: a request with what becomes of it at once; a change with the place
-- that the order has in a book then.  Two tables: of steps that have no line of their own
-- in that of which step they are, and what was asked for.
local function folded_of(steps)
  local into, asked = {}, {}
  local function rest_of(at)
    local found
    for i = at - 1, 1, -1 do
      local s = steps[i]
      if s.time ~= steps[at].time or s.exec == "new" then break end
      if s.kind == "book" and s.verdict == "rests" and s.low == steps[at].price
         and not into[i] then found = i end
    end
    return found
  end
  for i, s in ipairs(steps) do
    local exec = DONE[s.kind]
    for j = i + 1, exec and #steps or 0 do
      if steps[j].time > s.arrives then break end
      local is_it = steps[j].exec == exec and steps[j].time == s.arrives
      if is_it and not steps[j].reason and not asked[j] then
        asked[j], into[i] = true, s.arrives == s.time and j or nil
        break
      end
    end
    local rest = s.exec == "replaced" and rest_of(i)
    if rest then into[rest] = i end
  end
  return into, asked
end

-- The steps as events, each with its text.
local function events_of(probe, number)
  local o, events, place, into, asked = probe.order, {}, {}, folded_of(probe.steps)
  local c = { filled = 0, number = number, quantity = o.quantity }
  for i, s in ipairs(probe.steps) do
    local pending = s.exec == "pending_cancel" or s.exec == "pending_replace"
    c.asked = asked[i]
    local text = TEXTS[s.kind](s, o, c)
    if into[i] then
      if s.kind == "book" then place[into[i]] = text end
    elseif not pending or not probe.steps[i - 1].arrives then  -- that says it already
      if place[i] then text = text .. "; " .. place[i] end
      s.text = s.exec == "canceled" and asked[i] and text .. ", as asked for" or text
      events[#events + 1] = s
    end
    if s.kind == "look" then c.look = s end
  end
  return events
end

-- ---- saved runs ----

local SAVED = { "script", "app", "data", "from", "to", "params", "cash", "account",
                "warmup", "skip_bad", "memory", "time", "benchmark", "messages",
                "resolution", "dictionary" }

local function absolute(path)
  return path:find "^/" and path or core.directory() .. "/" .. path
end

local function absolute_data(data)
  local list = textfile.list(data) or {}          -- it was read, so it can be
  for _, one in ipairs(list) do
    one.path = absolute(one.path)
    if one.factors then one.factors = absolute(one.factors) end
  end
  return list
end

-- Versions, and paths of files, whose names may begin as those do.
local function absolute_dictionary(list)
  local out = {}
  for i, text in ipairs(type(list) == "table" and list or { list }) do
    out[i] = text:find "^FIXT?%.%d%.%d$" and text or text:find "^FIX%.5%.0SP%d$" and text
             or absolute(text)
  end
  return out
end

-- The options of backtest.run that decide what a run does; paths from the root.
local function options_of(options)
  local o = {}
  if type(options) == "userdata" then options = tw.thaw(options) end   -- a job's
  for _, name in ipairs(SAVED) do o[name] = options[name] end
  o.script, o.app = o.script and absolute(o.script), o.app and absolute(o.app)
  o.data = absolute_data(o.data)
  if o.dictionary then o.dictionary = absolute_dictionary(o.dictionary) end
  return o
end

-- What was read: { path, sha256, [bytes] }, each file once.
local function files_of(result, o)
  local files, seen = {}, {}
  local function add(path, sha256)
    path = absolute(path)
    if seen[path] then return end
    seen[path] = true
    local now, bytes = core.sha256(path)
    sha256 = sha256 or now
    if not sha256 then error(bytes, 0) end
    files[#files + 1] = { path = path, sha256 = sha256, bytes = now == sha256 and bytes
                          or nil }
  end
  for _, part in ipairs(result.sources) do add(part.path, part.sha256) end
  if o.app then add(o.app) end
  for _, path in ipairs(result.modules) do add(path) end
  for _, path in ipairs(result.data) do add(path) end
  for _, path in ipairs(o.dictionary or {}) do
    if path:find "^/" then add(path) end
  end
  for _, one in ipairs(type(o.data) == "table" and { o.data, table.unpack(o.data) } or {})
  do
    if type(one) == "table" and one.factors then add(one.factors) end
  end
  return files
end

--- explain.check(options) -> true | nil, message
-- Can all that explain.save will read be opened?  What a run reads itself is its own.
-- Yields: no.  Blocks: on the disk.  Thread: any.
-- Errors: nil for a dictionary that can't be read.  Units: none.
function explain.check(options)
  if type(options) == "userdata" then options = tw.thaw(options) end   -- a job's
  local dictionary = options.dictionary
  for _, path in ipairs(dictionary and absolute_dictionary(dictionary) or {}) do
    local sha256, why = true, nil
    if path:find "^/" then sha256, why = core.sha256(path) end
    if not sha256 then return nil, "cannot read the dictionary " .. why end
  end
  return true
end

--- explain.save(path, options, result) -> true | nil, message
-- Writes what tw.backtest.explain needs to run a backtest again, and to know that it is
-- the same: its options, the SHA-256 of all files, its order list's, its figures.
-- `tidewire backtest --save` and the option save of tw.backtest.run do it.
-- Yields: no.  Blocks: on the disk: all data is read.  Thread: any.
-- Errors: nil when a file can't be read or written.  Units: none.
function explain.save(path, options, result)
  local o = options_of(options)
  local fine, text = pcall(function()
    return json.encode {
      tidewire = result.version, options = o, files = files_of(result, o),
      name = result.name, records = result.records, orders = result.sent,
      hash = result.hash, figures = result.figures,
    }
  end)
  if not fine then return nil, text end
  local written, why = textfile.write(path, text .. "\n")
  if not written then return nil, "cannot write " .. why end
  return true
end

local function load_run(path)
  local file, why = io.open(path)
  if not file then return nil, "cannot open " .. why end
  local text <const> = file:read "a" or ""
  file:close()
  local fine, doc = pcall(json.decode, text)
  if not fine or type(doc) ~= "table" or type(doc.options) ~= "table"
     or type(doc.files) ~= "table" or not doc.tidewire or not doc.hash then
    return nil, path .. " is no saved run"
  end
  return doc
end

-- What is not as it was; nil: nothing.
local function changed(doc)
  local list = {}
  if doc.tidewire ~= tw.version then
    list[1] = ("it was of tidewire %s, this is %s"):format(doc.tidewire, tw.version)
  end
  for _, file in ipairs(doc.files) do
    local now, why = core.sha256(file.path)
    if not now then list[#list + 1] = why
    elseif now ~= file.sha256 then list[#list + 1] = file.path .. " has changed" end
  end
  if #list == 0 then return nil end
  return table.concat(list, "; ") .. ": it would be another run"
end

-- ---- running again ----

local function run_again(o, extra, hash)
  local again = {}
  for name, value in pairs(o) do again[name] = value end
  for name, value in pairs(extra) do again[name] = value end
  local result, why, code = require "tw.backtest".run(again)
  if not result then return nil, why, code end
  if hash and result.hash ~= hash then
    return nil, ("the order list is another one each time (%s, not %s): the strategy does"
      .. " not depend on its data and parameters alone"):format(result.hash, hash)
  end
  return result
end

-- The orders of a run, in the order of the list, and its options.
local function orders_of(run)
  local o, hash = run, nil
  if type(run) == "string" then
    local doc, why = load_run(run)
    why = why or changed(doc)
    if why then return nil, why end
    o, hash = doc.options, doc.hash
  else
    require "tw.backtest".checked(run)    -- what it is not told of below
  end
  o = options_of(o)
  local result, why, code = run_again(o, {}, hash)
  if not result then return nil, why, code end
  return result, o
end

local function explain_order(result, o, n)
  local order = result.orders[n]
  if not order then
    return nil, ("there is no order %s: there are %d"):format(tostring(n), #result.orders)
  end
  local again, why, code = run_again(o, { brief = true,
    probe = { script = order.owner, id = order.id } }, result.hash)
  if not again then return nil, why, code end
  return { order = order, number = n, events = events_of(again.probe, function(id)
    for i, other in ipairs(result.orders) do
      if other.id == id and other.owner == order.owner then return i end
    end
  end) }
end

--- explain.order(run, n) -> { order =, number =, events = {...} } | nil, message, code
-- Why the order filled or did not.  run: a file that tidewire backtest --save wrote, or
-- options of tw.backtest.run.  n: which order of result.orders.  An event has its kind,
-- its time, what it depends on, in numbers, and text: a sentence.  The backtest runs
-- twice: to find the order, and to follow it.
-- Yields: no.  Blocks: for both runs.  Thread: any state's.
-- Errors: nil when a file of the saved run has changed, the run fails, or has another
-- order list each time; raises for wrong options.  Units: time in ns since the epoch.
function explain.order(run, n)
  local result, o, code = orders_of(run)
  if not result then return nil, o, code end
  return explain_order(result, o, n)
end

-- "buy 10 AAPL limit 99 gtc"
local function order_text(o)
  local parts = { o.side, num(o.quantity), o.symbol, (o.type:gsub("_", " ")) }
  if o.price then parts[#parts + 1] = num(o.price) end
  if o.stop then
    parts[#parts + 1] = (o.type == "stop" and "" or "stop ") .. num(o.stop)
  end
  parts[#parts + 1] = o.tif
  if o.label ~= "" then parts[#parts + 1] = ("%q"):format(o.label) end
  return table.concat(parts, " ")
end

--- explain.text(explained) -> string
-- What explain.order gave, in lines: the order, then a line for each event.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function explain.text(explained)
  local o, lines = explained.order, {}
  lines[1] = ("order %d: %s: %s"):format(explained.number, o.script, order_text(o))
  for _, event in ipairs(explained.events) do
    lines[#lines + 1] = ("%-29s %s"):format(when(event.time), event.text)
  end
  return table.concat(lines, "\n") .. "\n"
end

-- ---- the command ----

local function list(result)
  local texts, widest = {}, 40
  for i, o in ipairs(result.orders) do
    texts[i] = order_text(o)
    widest = math.min(math.max(widest, #texts[i]), 79)
  end
  local form = "%6s  %-29s %-" .. widest .. "s %-16s %s"
  -- An exit of a bracket is decided with its order, and sent at this time.
  local lines = { form:format("order", "time", "", "status", "filled") }
  for i, o in ipairs(result.orders) do
    local filled = num(o.filled) .. (o.average and " at " .. num(o.average) or "")
      .. (o.reason ~= "" and "; " .. o.reason or "")
    lines[i + 1] = form:format(i, when(o.time), texts[i], o.status:gsub("_", " "), filled)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function perform(words)
  local o, paths = arguments.read(words, { order = "texts" })
  local refuse = arguments.refuse
  if not paths[1] then refuse(2, "no saved run given") end
  if paths[2] then refuse(2, "one run expected, got '%s' too", paths[2]) end
  local wanted = {}
  for i, text in ipairs(o.order or {}) do
    wanted[i] = math.tointeger(tonumber(text))
      or refuse(2, "--order %s: a number of an order expected", text)
  end
  local fine, result, options = pcall(orders_of, paths[1])
  if not fine then refuse(1, "%s", result) end
  if not result then refuse(1, "%s", options) end
  if #wanted == 0 then io.stdout:write(list(result)) end
  for k, n in ipairs(wanted) do
    local told, why = explain_order(result, options, n)
    if not told then refuse(1, "%s", why) end
    io.stdout:write(k > 1 and "\n" or "", explain.text(told))
  end
  io.stdout:flush()
  return 0
end

--- explain.main(words) -> status
-- What `tidewire explain` does.
-- Yields: no.  Blocks: for the runs.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line that makes
-- no sense.  Units: none.
function explain.main(words) return arguments.run("explain", perform, words) end

return explain
