--- trade: (internal) what apps and scripts say of accounts, risk and calendars, checked.
--
-- Why: app.account, app.script{account=} and M.account of a script are the same table,
-- and each may say a part of it.  It is checked where it is written, so that the error
-- names that line, and made into the numbers that C reads.

local hint = require "tw.near".hint
local hours = require "tw.hours"

local trade = {}

local FILLS <const> = require "tw.internal.trade".fills()

local function fail(what, ...)
  error(what .. ": " .. string.format(...), 0)
end

local function is_number(x, least, most)
  return type(x) == "number" and x == x and x >= least and x <= most
end

local function show(x)
  return type(x) == "string" and ("'%s'"):format(x) or tostring(x)
end

-- Each takes (what, name, value) and gives what C reads.
local function number(least, most, scale)
  return function(what, name, x)
    if not is_number(x, least, most) then
      fail(what, "%s: a number from %g to %g expected, got %s", name, least, most,
           show(x))
    end
    return scale and x * scale or x
  end
end

local function integer(least, most)
  return function(what, name, x)
    local i = math.tointeger(x)
    if type(x) ~= "number" or not i or i < least then
      fail(what, "%s: an integer from %d on expected, got %s", name, least, show(x))
    end
    if most and i > most then fail(what, "%s: at most %d, got %d", name, most, i) end
    return i
  end
end

local COUNT <const> = 1 << 31     -- C has it in 32 bits

local function boolean(what, name, x)
  if type(x) ~= "boolean" then
    fail(what, "%s: true or false expected, got %s", name, show(x))
  end
  return x
end

local function currency(what, name, x)
  if type(x) ~= "string" or not x:find "^%u%w%w?%w?%w?%w?%w?$" then
    fail(what, "%s: a currency like 'USD' expected, got %s", name, show(x))
  end
  return x
end

local function options(what, name, x, known)
  local made = {}
  if type(x) ~= "table" then
    fail(what, "%sa table expected, got %s", name == "" and "" or name .. ": ", show(x))
  end
  for key, value in pairs(x) do
    local f = known[key]
    if not f then
      fail(what, "%sno option '%s'%s", name == "" and "" or name .. ": ", tostring(key),
           hint(key, known))
    end
    made[key] = f(what, name == "" and key or name .. "." .. key, value)
  end
  return made
end

local MOST <const> = 9e9          -- what int64 with nine decimals holds
local ratio <const> = number(-100, 100, 0.01)

-- What is kept in nine decimals: less would be 0.
local function price(least)
  local within = number(least, MOST)
  return function(what, name, x)
    x = within(what, name, x)
    if x ~= 0 and math.abs(x) < 1e-9 then
      fail(what, "%s: 0, or at least 1e-09 (nine decimals), expected, got %s", name,
           show(x))
    end
    return x
  end
end
local amount, charge = price(0), price(-MOST)

local tier = { from = number(0, 1e18), percent = ratio, maker = ratio, taker = ratio }
local fees = {
  per_share = charge, minimum = amount, per_order = charge,
  percent = ratio, maker = ratio, taker = ratio, maximum = number(0, 100, 0.01),
  tiers = function(what, name, x)
    local made, last = {}, -1
    if type(x) ~= "table" or #x == 0 or #x > 8 then
      fail(what, "%s: a list of 1 to 8 tiers expected", name)
    end
    for i, one in ipairs(x) do
      made[i] = options(what, ("%s[%d]"):format(name, i), one, tier)
      local from = made[i].from or 0
      if from <= last then
        fail(what, "%s[%d].from must be above %g", name, i, last)
      end
      last = from
    end
    return made
  end,
}

-- {kind, min, max, list}: seconds, {least, most}, or {list = {...}}.
local function latency(what, name, x)
  local seconds = number(0, 86400)
  if type(x) ~= "table" then
    local one = seconds(what, name, x)
    return { kind = 0, min = one, max = one, list = {} }
  end
  if x.list ~= nil then
    if type(x.list) ~= "table" or #x.list == 0 then
      fail(what, "%s.list: a list of seconds expected", name)
    end
    local list = {}
    for i, one in ipairs(x.list) do
      list[i] = seconds(what, ("%s.list[%d]"):format(name, i), one)
    end
    return { kind = 2, min = 0, max = 0, list = list }
  end
  local least = seconds(what, name .. "[1]", x[1])
  local most = seconds(what, name .. "[2]", x[2])
  if least > most then
    fail(what, "%s: {%g, %g}: the least comes first", name, least, most)
  end
  return { kind = 1, min = least, max = most, list = {} }
end

-- 0 is no limit in C: who has nothing left to lose would have no bound.
local function limit(f)
  return function(what, name, x)
    local made = f(what, name, x)
    if made >= 1e-9 then return made end
    fail(what, "%s: above 0 expected, got %s; where it is left out there is no limit, and"
         .. " tw.halt stops all", name, show(x))
  end
end

local limits = {
  order_quantity = limit(amount), order_value = limit(number(0, 1e18)),
  position = limit(amount), open_orders = integer(1, COUNT), orders = integer(1, 100000),
  per = number(1e-9, 1e6), collar = limit(number(0, 1e6, 0.01)),
  daily_loss = limit(number(0, 1e18)),
  self_match = boolean, buying_power = boolean,
}

local function text(is)
  return function(what, name, x)
    if type(x) ~= "string" or x == "" or #x > 63 or x:find "%c" then
      fail(what, "%s: %s expected, got %s", name, is, show(x))
    end
    return x
  end
end

local account = {
  currency = currency, cash = number(0, 1e18), volume_share = number(1e-9, 1),
  seed = integer(0),
  fees = function(what, name, x) return options(what, name, x, fees) end,
  limits = function(what, name, x)
    local made = options(what, name, x, limits)
    if made.per and not made.orders then
      fail(what, "%s.per: how many orders in that time is not said", name)
    end
    if made.orders and not made.per then made.per = 1 end
    return made
  end,
  slippage = function(what, name, x)
    return options(what, name, x, { ticks = integer(0, COUNT), bps = number(0, 10000),
                                    impact = number(0, 1000) })
  end,
  fill = function(what, name, x)
    local names = {}
    for i, model in ipairs(FILLS) do
      if x == model.name then return i - 1 end
      names[i] = model.name
    end
    fail(what, "%s: %s is none of %s", name, show(x), table.concat(names, ", "))
  end,
  latency = function(what, name, x)
    if type(x) == "table" and (x.submit ~= nil or x.cancel ~= nil) then
      local made = options(what, name, x, { submit = latency, cancel = latency })
      made.submit = made.submit or latency(what, name, 0)
      made.cancel = made.cancel or latency(what, name, 0)
      return made
    end
    local made = latency(what, name, x)
    return { submit = made, cancel = made }
  end,
  gateway = text "the name of a gateway",
  account = text "the account (1) of its orders, of 63 bytes at most,",
  rates = function(what, name, x)
    local made = {}
    if type(x) ~= "table" then
      fail(what, "%s: a table expected, got %s", name, show(x))
    end
    for of, rate in pairs(x) do
      currency(what, name .. ": a name", of)
      if type(rate) ~= "string" then number(1e-9, MOST)(what, name .. "." .. of, rate) end
      made[#made + 1] = { currency = of, rate = rate }
    end
    table.sort(made, function(a, b) return a.currency < b.currency end)
    if #made > 31 then fail(what, "%s: at most 31 currencies", name) end
    return made
  end,
}

--- trade.account(what, options) -> table
-- Checks what a script's account is: currency, cash, fees, fill, latency, slippage,
-- volume_share, seed, limits, rates, gateway, account (see tidewire help trading).  what:
-- said in errors.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises, with the option and its value.  Units: as in tidewire help trading.
function trade.account(what, given)
  if type(given) ~= "table" then
    fail(what, "a table expected, got %s; say %s (see tidewire help trading)",
         show(given), type(given) == "string"
         and ("{ gateway = '%s' } for where its orders go"):format(given)
         or "{ cash = 100000 }")
  end
  return options(what, "", given, account)
end

--- trade.merge(...) -> table | nil
-- Checked accounts, field by field: a later one says it again.  account is one at its
-- gateway, and not at another that a later one says.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function trade.merge(...)
  local made
  for i = 1, select("#", ...) do
    local one = select(i, ...)
    if one then
      made = made or {}
      if one.gateway and made.gateway and one.gateway ~= made.gateway then
        made.account = nil
      end
      for name, value in pairs(one) do made[name] = value end
    end
  end
  return made
end

local function fills_by(given, name)
  local model = given and given.fill and FILLS[given.fill + 1]
  return model ~= nil and model.name == name
end

--- trade.own(module, given, default, gateways) -> table | nil, boolean
-- The account of a script: what its file says, over the app's default, under what the
-- app says of this script; and: is it to be there from the beginning, as the script's
-- own, or for its rates?  gateways: names that it may have, as keys; nil: any.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what the file says, for a gateway that is none, for slippage of
-- orders that meet in a book, and for a volume_share that no fill goes by.  Units: none.
function trade.own(module, given, default, gateways)
  local own = rawget(module, "account")
  if own ~= nil then own = trade.account("account", own) end
  local made = trade.merge(default, own, given)
  local name = made and made.gateway
  if name and gateways and not gateways[name] then
    fail("account", 'gateway \'%s\': there is none; app.gateway.fix { name = "%s", ... }'
         .. " makes one%s", name, name, next(gateways) and hint(name, gateways) or "")
  end
  if made and made.account and not name then
    fail("account", "account '%s' is one at a gateway: say gateway = NAME too",
         made.account)
  end
  if trade.is_met(made) and made.slippage and next(made.slippage) then
    fail("account", 'slippage: fill = "book" has none but what the book has: leave it'
         .. " out, or say slippage = {} for this script")
  end
  if made and made.volume_share and not (fills_by(default, "volume")
      or fills_by(own, "volume") or fills_by(given, "volume")) then
    fail("account", 'volume_share: only fill = "volume" takes a part of the volume: say'
         .. " that too, or leave it out")
  end
  return made, (own or given or made and made.rates) ~= nil
end

--- (internal) trade.keep(old, new)
-- The accounts, or nil, of a script that has one and of its new version, which goes on
-- with the one there is.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises where they differ, with what.  Units: none.
function trade.keep(old, new)
  local same, differ = require "tw.revision".same, {}
  for name, value in pairs(old or {}) do
    if not same(value, (new or {})[name]) then differ[#differ + 1] = name end
  end
  for name in pairs(new or {}) do
    if (old or {})[name] == nil then differ[#differ + 1] = name end
  end
  table.sort(differ)
  if differ[1] then
    fail("account", "%s can't change while the script runs; take it back, or start the"
         .. " run anew", table.concat(differ, ", "))
  end
end

--- trade.is_met(account) -> boolean
-- Do orders of a checked account meet those of other scripts (fill = "book")?
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function trade.is_met(given)
  return fills_by(given, "book")
end

--- trade.risk(options) -> table
-- Checks limits of all strategies together: order_quantity, order_value, collar,
-- position, open_orders, orders (a second of event time), daily_loss, self_match; and the
-- currency of its amounts.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises, with the option and its value.  Units: as in tidewire help trading.
function trade.risk(given)
  local known = {}
  for name, check in pairs(limits) do known[name] = check end
  known.per, known.buying_power, known.orders = nil, nil, integer(1, COUNT)
  known.currency = currency
  return options("app.risk", "", given, known)
end

local function clock(what, name, x, least)
  local at = hours.time(tostring(x))
  if not at or at < least then
    fail(what, "%s: a time of the day like '09:30' expected, got %s", name, show(x))
  end
  return at
end

-- "2013-11-29" -> days since 1970-01-01
local function date(what, name, x)
  local y, m, d = tostring(x):match "^(%d%d%d%d)-(%d%d)-(%d%d)$"
  y, m, d = math.tointeger(y), math.tointeger(m), math.tointeger(d)
  local months = { 31, y and (y % 4 == 0 and y % 100 ~= 0 or y % 400 == 0) and 29 or 28,
                   31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
  if not y or not months[m] or d < 1 or d > months[m] then
    fail(what, "%s: a day like '2013-11-29' expected, got %s", name, show(x))
  end
  local before = y - 1
  local days = before * 365 + before // 4 - before // 100 + before // 400 - 719162
  for i = 1, m - 1 do days = days + months[i] end
  return days + d - 1
end

--- trade.calendar(name, options) -> table
-- Checks when a market is open: zone ("America/New_York"; default UTC), open, close
-- ("09:30"; default all day), days ("mon-fri"; default all), holidays (a list of days,
-- "2013-12-25"), early (a table of days and closes).
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises, with the option and its value.  Units: none.
function trade.calendar(name, given)
  local what = ("app.calendar '%s'"):format(name)
  local known = {}
  for _, one in ipairs { "zone", "open", "close", "days", "holidays", "early" } do
    known[one] = function(_, _, x) return x end
  end
  local o = options(what, "", given, known)
  local made = { name = name, zone = o.zone, special = {},
                 open = clock(what, "open", o.open or "00:00", 0),
                 close = clock(what, "close", o.close or "24:00", 1),
                 weekdays = hours.days(tostring(o.days or "mon-sun"), "mon") }
  if not made.weekdays then
    fail(what, "days: days like 'mon-fri' expected, got %s", show(o.days))
  end
  if o.zone ~= nil and type(o.zone) ~= "string" then
    fail(what, "zone: a name like 'America/New_York' expected, got %s", show(o.zone))
  end
  local special, seen = made.special, {}
  local function add(which, day, close)
    local at = date(what, which, day)
    if seen[at] then fail(what, "%s: %s is there twice", which, day) end
    if close >= 0 and made.open < made.close and close <= made.open then
      fail(what, "%s: %s closes before it opens", which, day)
    end
    seen[at], special[#special + 1] = true, { day = at, close = close }
  end
  for which, example in pairs { holidays = "{'2013-12-25'}",
                                early = "{['2013-11-29'] = '13:00'}" } do
    if o[which] ~= nil and type(o[which]) ~= "table" then
      fail(what, "%s: days like %s expected, got %s", which, example, show(o[which]))
    end
  end
  for at, day in pairs(o.holidays or {}) do      -- also what stands behind a nil
    if math.type(at) ~= "integer" then
      fail(what, "holidays: days like {'2013-12-25'} expected, there is a name in it: %s",
           at)
    end
    add("holidays", day, -1)
  end
  for day, close in pairs(o.early or {}) do
    add("early", day, clock(what, "early", close, 1))
  end
  table.sort(special, function(a, b) return a.day < b.day end)
  return made
end

--- trade.currency(what, text) -> text
-- Raises when the text can't name a currency.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: raises then.  Units: none.
function trade.currency(what, text)
  return currency(what, "currency", text)
end

return trade
