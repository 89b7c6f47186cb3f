--- expression: declarations made at random give what Lua computes row by row.
--
-- One script declares them and sees each record, too: it computes the same with tables
-- of its own, and compares.  Two more must come to the same bits: one without
-- handlers, so that C takes whole batches, and one that Lua enters between, for timers
-- and messages, with a condition, so that C goes row by row.
-- SEED=n runs another seed.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local ROWS = os.getenv "SMALL" and 60 or 300
local DECLARATIONS = os.getenv "SMALL" and 40 or 130
local ROUNDS = os.getenv "SMALL" and 2 or 4

local APP = [[
app.instruments {
  { symbol = "AAPL", country = "US", weight = 0.5 },
  { symbol = "VOD", country = "GB", weight = 0.25, tick_size = 0.01 },
  { symbol = "SAP", country = "DE" },
}
app.sectors { tech = { "AAPL", "SAP" } }
app.feed.csv { file = here .. "in.csv" }
app.feed.timer { every = 0.0001 }
for _, file in ipairs { "step.lua", "batch.lua", "mixed.lua" } do
  app.script(file, { params = { seed = %d, n = %d }, symbols = %s })
end
]]

-- Makes the declarations of a seed: a list of {name, text, kinds, run, key, value}.
local GENERATE = [==[
local NAN = 0 / 0
local seed
local function random(n)             -- 1 to n
  seed = (seed * 6364136223846793005 + 1442695040888963407)
  return ((seed >> 33) % n) + 1
end
local function one_of(list) return list[random(#list)] end
local function chance(percent) return random(100) <= percent end

-- A node has its text, how strongly that binds, its type and its value for a row.
local OR, AND, COMPARE, SUM, PRODUCT, SIGN, POWER, VALUE = 1, 2, 3, 4, 5, 6, 7, 8
local function node(text, binds, type, eval)
  if chance(5) then text, binds = "(" .. text .. ")", VALUE end
  return { text = text, binds = binds, type = type, eval = eval }
end
local function within(a, least)
  return a.binds < least and "(" .. a.text .. ")" or a.text
end
local function float(a)
  local eval = a.eval
  return a.type == "integer" and function(r) return eval(r) + 0.0 end or eval
end
-- Once for each row, however many ask.
local function once(eval)
  local at, value
  return function(r)
    if at ~= r then at, value = r, eval(r) end
    return value
  end
end

local FIELDS = {
  quote = { "bid", "ask", "bid_size", "ask_size", "mid", "spread" },
  trade = { "price", "size" }, any = { "weight", "tick_size" },
}
local INTEGERS = { "seq", "time", "source_seq", "symbol_id" }
local number, condition, statistic

local function leaf(d)
  if chance(15) and #d.earlier > 0 then        -- another statistic
    local other = one_of(d.earlier)
    if not other.by_number or other.kinds.quote and other.kinds.trade then
      d.named.quote = d.named.quote or other.kinds.quote
      d.named.trade = d.named.trade or other.kinds.trade
      return node(other.name, VALUE, "number", function(r)
        local key = other.key(r)
        return key and other.value(key) or NAN
      end)
    end
  end
  if chance(20) then
    local name = one_of(INTEGERS)
    return node(name, VALUE, "integer", function(r) return r[name] end)
  elseif chance(20) then
    local c = one_of { 0, 1, 2, 3, 7, 10, 1000 }
    local result = node(tostring(c), VALUE, "integer", function() return c end)
    result.constant = true
    return result
  elseif chance(20) then
    local text = one_of { "0.5", "2.0", "1e3", "0.1", "pi", "inf", "1e-9", ".25" }
    local c = text == "pi" and math.pi or text == "inf" and math.huge or tonumber(text)
    local result = node(text, VALUE, "number", function() return c end)
    result.constant = true
    return result
  elseif chance(10) then
    local result = node("1.5s", VALUE, "integer", function() return 1500000000 end)
    result.constant = true
    return result
  end
  local kind = chance(15) and "any" or d.kind
  local name = one_of(FIELDS[kind])
  if kind ~= "any" then d.used = kind end
  return node(name, VALUE, "number", function(r) return r[name] end)
end

local ARITHMETIC = {
  ["+"] = { SUM, function(a, b) return a + b end },
  ["-"] = { SUM, function(a, b) return a - b end },
  ["*"] = { PRODUCT, function(a, b) return a * b end },
  ["/"] = { PRODUCT, function(a, b) return a / b end },
  ["//"] = { PRODUCT, function(a, b) return a // b end },
  ["%"] = { PRODUCT, function(a, b) return a % b end },
  ["^"] = { POWER, function(a, b) return a ^ b end },
}
local function arithmetic(d, depth)
  local sign = one_of { "+", "-", "*", "/", "//", "%", "^", "+", "-", "*", "/" }
  local a, b = number(d, depth - 1), number(d, depth - 1)
  local binds, f = table.unpack(ARITHMETIC[sign])
  local whole = a.type == "integer" and b.type == "integer"
    and sign ~= "/" and sign ~= "^"
  if sign == "//" or sign == "%" then
    whole = whole and b.constant and b.eval() ~= 0
  end
  local left = sign == "^" and VALUE or binds
  local right = sign == "^" and SIGN or binds + 1
  local x, y = a.eval, b.eval
  if not whole then x, y = float(a), float(b) end
  return node(within(a, left) .. " " .. sign .. " " .. within(b, right), binds,
    whole and "integer" or "number", function(r)
      local p, q = x(r), y(r)
      return f(p, q)
    end)
end

local function either_nan(a, b) return a ~= a or b ~= b end
local FUNCTIONS = {
  { "abs", 1, math.abs }, { "sqrt", 1, math.sqrt },
  { "floor", 1, function(x) return x // 1 end },
  { "ceil", 1, function(x) return -(-x // 1) end },
  { "exp", 1, math.exp }, { "log", 1, math.log }, { "sin", 1, math.sin },
  { "atan", 1, math.atan }, { "atan", 2, math.atan }, { "fmod", 2, math.fmod },
  { "log", 2, function(x, b, constant)
      if constant and (b == 2 or b == 10) then return math.log(x, b) end
      return math.log(x) / math.log(b)
    end },
  { "min", 2, function(a, b) return either_nan(a, b) and NAN or math.min(a, b) end },
  { "max", 2, function(a, b) return either_nan(a, b) and NAN or math.max(a, b) end },
  { "sign", 1, function(x)
      return x ~= x and NAN or x > 0 and 1.0 or x < 0 and -1.0 or 0.0
    end },
}
local function call(d, depth)
  local name, n, f = table.unpack(one_of(FUNCTIONS))
  local a = number(d, depth - 1)
  local x = float(a)
  if n == 1 then
    return node(("%s(%s)"):format(name, a.text), VALUE, "number",
      function(r) return f(x(r)) end)
  end
  local b = number(d, depth - 1)
  local y = float(b)
  return node(("%s(%s, %s)"):format(name, a.text, b.text), VALUE, "number", function(r)
    local p, q = x(r), y(r)
    return f(p, q, b.constant)
  end)
end

local function choice(d, depth)
  local c, a, b = condition(d, depth - 1), number(d, depth - 1), number(d, depth - 1)
  local x, y = float(a), float(b)
  return node(("ifelse(%s, %s, %s)"):format(c.text, a.text, b.text), VALUE, "number",
    function(r)
      local is, p, q = c.eval(r), x(r), y(r)
      if is then return p end
      return q
    end)
end

function number(d, depth)
  if depth <= 0 or chance(15) then return leaf(d) end
  local way = random(100)
  if way <= 45 then return arithmetic(d, depth) end
  if way <= 62 then return call(d, depth) end
  if way <= 70 then return choice(d, depth) end
  if way <= 78 then
    local a = number(d, depth - 1)
    return node("- " .. within(a, SIGN), SIGN, a.type,
      function(r) return -a.eval(r) end)
  end
  return statistic(d, depth, false)
end

local COMPARISONS = {
  ["<"] = function(a, b) return a < b end, ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end, [">="] = function(a, b) return a >= b end,
  ["=="] = function(a, b) return a == b end, ["~="] = function(a, b) return a ~= b end,
}
function condition(d, depth)
  local way = random(100)
  if depth > 0 and way <= 25 then
    local sign = one_of { "and", "or" }
    local a, b = condition(d, depth - 1), condition(d, depth - 1)
    local binds = sign == "and" and AND or OR
    return node(within(a, binds) .. " " .. sign .. " " .. within(b, binds + 1), binds,
      "boolean", function(r)
        local p, q = a.eval(r), b.eval(r)
        if sign == "and" then return p and q end
        return p or q
      end)
  elseif depth > 0 and way <= 35 then
    local a = condition(d, depth - 1)
    return node("not " .. within(a, SIGN), SIGN, "boolean",
      function(r) return not a.eval(r) end)
  elseif way <= 45 then
    local a = number(d, depth - 1)
    return node(("missing(%s)"):format(a.text), VALUE, "boolean",
      function(r) local x = a.eval(r) return x ~= x end)
  elseif way <= 55 then
    local name, value = table.unpack(one_of { { "symbol", "AAPL" }, { "sector", "tech" },
      { "country", "GB" }, { "symbol", "VOD" } })
    local sign = one_of { "==", "~=" }
    return node(("%s %s '%s'"):format(name, sign, value), COMPARE, "boolean",
      function(r) return (r[name] == value) == (sign == "==") end)
  end
  local sign = one_of { "<", "<=", ">", ">=", "==", "~=" }
  local a, b = number(d, depth - 1), number(d, depth - 1)
  local x, y = a.eval, b.eval
  if a.type ~= b.type then x, y = float(a), float(b) end
  local f = COMPARISONS[sign]
  return node(within(a, SUM) .. " " .. sign .. " " .. within(b, SUM), COMPARE, "boolean",
    function(r)
      local p, q = x(r), y(r)
      return f(p, q)
    end)
end

-- ---- keys ----

local function inside(d, f, ...)
  local keys = d.keys
  d.keys = d.by_symbol
  local result = f(d, ...)
  d.keys = keys
  return result
end

-- A list of parts; its text and the row's key, nil: none.
local function keys_of(list)
  local texts = {}
  for i, part in ipairs(list) do texts[i] = part.text end
  return {
    text = #list > 0 and table.concat(texts, ", ") or "()", n = #list,
    by_number = function()
      for _, part in ipairs(list) do if part.number then return true end end
    end,
    key = once(function(r)
      local key, values = {}, {}
      for i, part in ipairs(list) do
        local v = part.eval(r)
        if v == nil or v ~= v then return nil end
        values[i] = v
        key[i] = type(v) == "number" and ("%a"):format(v + 0.0) or v
      end
      return { text = table.concat(key, "\0"), values = values }
    end)
  }
end
local function named(name)
  return { text = name, eval = function(r) return r[name] end }
end
local BY_SYMBOL = keys_of { named "symbol" }

local function key_list(d)
  local list, names = {}, { "symbol", "sector", "country" }
  local n = one_of { 0, 1, 1, 1, 1, 2 }
  for i = 1, n do
    if chance(30) and not list[1] then
      local masked = d.masked
      d.masked = false
      local a, m = inside(d, number, 1), one_of { 2, 3, 5 }
      d.masked = masked
      local x = float(a)
      list[i] = { number = true, text = ("(%s // 1 %% %d)"):format(within(a, PRODUCT), m),
        eval = a.type == "integer" and function(r) return a.eval(r) // 1 % m end
          or function(r) return x(r) // 1 % m end }
    else
      list[i] = named(table.remove(names, random(#names)))
    end
  end
  return keys_of(list)
end

-- ---- statistics ----

-- A state; push gets what is not missing, value may be NaN.
local KINDS = {
  { "count", value = function(s) return (s.n or 0) + 0.0 end,
    push = function(s) s.n = (s.n or 0) + 1 end },
  { "last", push = function(s, x) s.v = x end },
  { "first", push = function(s, x) s.v = s.v or x end },
  { "prev", push = function(s, x) s.v, s.new = s.new, x end },
  { "prev", ", initial=7", empty = 7.0,
    push = function(s, x) s.v, s.new = s.new or 7.0, x end },
  { "lag", ", lag=3", push = function(s, x)
      s[#s + 1] = x
      s.v = s[#s - 3]
    end },
  { "delta", push = function(s, x) s.v, s.new = s.new and x - s.new, x end },
  { "delta", ", lag=2", push = function(s, x)
      s[#s + 1] = x
      s.v = s[#s - 2] and x - s[#s - 2]
    end },
  { "simple_return",
    push = function(s, x) s.v, s.new = s.new and (x - s.new) / s.new, x end },
  { "min", push = function(s, x) if not s.v or x < s.v then s.v = x end end },
  { "max", push = function(s, x) if not s.v or x > s.v then s.v = x end end },
  { "max", ", window=4", no_sign = true, push = function(s, x)
      s[#s + 1] = x
      s.v = x
      for i = #s, math.max(1, #s - 3), -1 do if s[i] > s.v then s.v = s[i] end end
    end },
  { "min", ", window=3", no_sign = true, push = function(s, x)
      s[#s + 1] = x
      s.v = x
      for i = #s, math.max(1, #s - 2), -1 do if s[i] < s.v then s.v = s[i] end end
    end },
  { "ewma", ", alpha=0.25", push = function(s, x)
      s.v = s.v or x
      s.v = s.v + 0.25 * (x - s.v)
    end },
  { "ewma", ", span=3, initial=1", empty = 1.0, push = function(s, x)
      s.v = (s.v or 1.0) + 0.5 * (x - (s.v or 1.0))
    end },
  -- What is near, not equal: for the value of a declaration alone.
  { "sum", near = true, value = function(s) return s.v or 0.0 end,
    push = function(s, x)
      s.v, s.scale = (s.v or 0.0) + x, (s.scale or 0) + math.abs(x)
    end },
  { "mean", near = true, push = function(s, x)
      s.n, s.sum, s.scale = (s.n or 0) + 1, (s.sum or 0) + x, (s.scale or 0) + math.abs(x)
      s.v = s.sum / s.n
    end },
}
local EXACT = {}
for _, kind in ipairs(KINDS) do if not kind.near then EXACT[#EXACT + 1] = kind end end
local LOOKS_BACK = { prev = true, lag = true, delta = true, simple_return = true }

-- The states by key, and a push of a row.
local function states_of(kind, keys, x, where)
  local states = {}
  local function value(key)
    local s = states[key.text]
    if not s then return kind.value and kind.value {} or kind.empty or NAN end
    if kind.value then return kind.value(s) end
    if s.v == nil then return kind.empty or NAN end
    return s.v
  end
  return states, value, function(r)
    local v, key = x(r), keys.key(r)
    if where and not where(r) then v = NAN end
    if not key then return NAN end
    if v == v then
      if not states[key.text] then states[key.text] = { key = key } end
      kind.push(states[key.text], v)
    end
    return value(key)
  end
end

function statistic(d, depth, top)
  local kind = one_of(top and KINDS or EXACT)
  local a = inside(d, number, depth - 1)
  local keys = LOOKS_BACK[kind[1]] and d.by_symbol or d.keys
  if kind.no_sign then      -- which of 0.0 and -0.0 is the least is left open
    local b = a
    a = node(within(b, SUM) .. " + 0", SUM, b.type, function(r) return b.eval(r) + 0 end)
  end
  local text, explicit = ("%s(%s%s)"):format(kind[1], a.text, kind[2] or "")
  if not top and chance(25) then
    keys, explicit = key_list(d), true
    text = ("(%s by %s)"):format(text, keys.text)
  end
  local masked = d.masked
  local states, value, run = states_of(kind, keys, float(a),
    masked and function(r) return not d.where or d.where(r) end)
  local result = node(text, VALUE, "number", run)
  result.states, result.value, result.keys, result.kind = states, value, keys, kind
  result.explicit = explicit
  return result
end

-- The condition after where, as text; and what kinds of records d is of.
local function filter(d)
  if chance(60) then return "" end
  d.masked = false
  local c = condition(d, 2)
  d.where = once(c.eval)
  return " where " .. c.text
end
local function settle_kinds(d)
  d.kinds = d.used and { [d.used] = true } or (d.named.quote or d.named.trade) and d.named
    or { quote = true, trade = true }
end
local function new(name, earlier)
  local d = { name = name, earlier = earlier, named = {}, by_symbol = BY_SYMBOL,
              kind = one_of { "quote", "quote", "trade" }, masked = true }
  d.keys = key_list(d)
  return d
end

local LAST = { "last", push = function(s, x) s.v = x end }

local function declaration(name, earlier)
  local d = new(name, earlier)
  local top = chance(60) and statistic(d, 3, true) or number(d, 4)
  local text = top.text
  if d.keys.n > 0 or chance(20) then text = text .. " by " .. d.keys.text
  elseif top.explicit then d.keys = top.keys end
  text = text .. filter(d)
  if not top.keys or top.keys.text ~= d.keys.text then
    local states, value, run = states_of(LAST, d.keys, float(top), d.where)
    top = { states = states, value = value, eval = run, kind = LAST }
  end
  d.text, d.states, d.value, d.eval = text, top.states, top.value, once(top.eval)
  d.key, d.near, d.by_number = d.keys.key, top.kind.near, d.keys.by_number()
  settle_kinds(d)
  return d
end

-- For self:when: for a row, has it become true (or is it, at each level)?
local function trigger(earlier)
  local d, up = new("", earlier), {}
  local top = condition(d, 3)
  d.level, d.fired, d.want = chance(50), 0, 0
  d.text = ("%s by %s"):format(top.text, d.keys.text) .. filter(d)
  settle_kinds(d)
  function d.run(r)
    local is, key = top.eval(r), d.keys.key(r)
    if d.where then
      local holds = d.where(r)
      is = is and holds
    end
    if not key then return end
    if is and (d.level or not up[key.text]) then d.want = d.want + 1 end
    up[key.text] = is
  end
  return d
end

local function declarations(self)
  local all, earlier, texts = {}, {}, {}
  seed = self.params.seed
  for i = 1, self.params.n do
    local d = declaration(("e%03d"):format(i), earlier)
    all[i], texts[d.name] = d, d.text
    if not d.near and chance(40) then earlier[#earlier + 1] = d end
  end
  local triggers = {}
  for i = 1, self.params.n // 4 do triggers[i] = trigger(earlier) end
  return all, texts, triggers
end
]==]

local STEP = GENERATE .. [[
M.one_sided = true
function M:on_start()
  local texts
  self.all, texts, self.triggers = declarations(self)
  self.stat = self:track(texts)
  for _, d in ipairs(self.triggers) do
    self:when(d.text, { level = d.level }, function() d.fired = d.fired + 1 end)
  end
  self.rows, self.checks = 0, 0
end
local function same(d, state, want, got)
  got = got or NAN
  if want == got or want ~= want and got ~= got then return true end
  local scale = state and state.scale or 0
  return d.near and math.abs(want - got) <= 1e-9 * scale
end
local function check(self, d, key, at)
  local want, got = d.value(key), self.stat[d.name]:get(table.unpack(key.values))
  self.checks = self.checks + 1
  if same(d, d.states[key.text], want, got) then return end
  local others = ""
  for _, e in ipairs(self.all) do
    if d.text:find(e.name) then others = others .. "; " .. e.name .. " = " .. e.text end
  end
  error(("%s: %s, by %s: %s, not %s%s"):format(at, d.text, key.text, got, want, others))
end
local function row(self, r, kind)
  self.rows = self.rows + 1
  if self.rows % 5 == 0 then tw.publish("row", self.rows) end
  for _, d in ipairs(self.all) do
    if d.kinds[kind] then
      d.eval(r)
      if self.rows % 8 == 0 then
        local key = d.key(r)
        if key then check(self, d, key, "row " .. self.rows) end
      end
    end
  end
  for _, d in ipairs(self.triggers) do
    if d.kinds[kind] then d.run(r) end
    if d.fired ~= d.want then
      error(("row %d: when %s: %d, not %d"):format(self.rows, d.text, d.fired, d.want))
    end
  end
end
function M:on_quote(symbol, sector, country, weight, tick_size, bid, ask, bid_size,
                    ask_size, mid, spread, seq, time, source_seq, symbol_id)
  row(self, { symbol = symbol, sector = sector, country = country, weight = weight,
    tick_size = tick_size, bid = bid or NAN, ask = ask or NAN, bid_size = bid_size,
    ask_size = ask_size, mid = mid or NAN, spread = spread or NAN, seq = seq,
    time = time, source_seq = source_seq, symbol_id = symbol_id }, "quote")
end
function M:on_trade(symbol, sector, country, weight, tick_size, price, size, seq, time,
                    source_seq, symbol_id)
  row(self, { symbol = symbol, sector = sector, country = country, weight = weight,
    tick_size = tick_size, price = price, size = size, seq = seq, time = time,
    source_seq = source_seq, symbol_id = symbol_id }, "trade")
end
function M:on_stop()
  for _, d in ipairs(self.all) do
    for _, state in pairs(d.states) do check(self, d, state.key, "end") end
  end
  print("checked", self.rows > 20, self.checks > #self.all)
  DUMP(self)
end
]]

local BATCH = GENERATE .. [[
M.one_sided = true
function M:on_start()
  local _, texts = declarations(self)
  self.stat = self:track(texts)
end
function M:on_stop() DUMP(self) end
]]

local MIXED = BATCH .. [[
local start = M.on_start
function M:on_start()
  start(self)
  self:when("seq < 0 and weight > e001", print)
end
function M:on_timer() end
function M:on_message(topic, value) assert(topic == "row" and value > 0) end
]]

-- All values, in hexadecimal; a key may be there because another statistic got its row.
local DUMP = [[
local NAN = 0 / 0
local function DUMP(self)
  local lines = {}
  for name, view in pairs(self.stat) do
    local line = { name }
    local is_whole, value = pcall(view.get, view)
    if is_whole then line[2] = ("%a"):format(value or NAN) end
    local values = {}
    for _, reading in pairs(is_whole and {} or view) do
      local x = reading.value or 0
      if x ~= 0 then values[#values + 1] = ("%a"):format(x) end
    end
    table.sort(values)
    table.move(values, 1, #values, 2, line)
    lines[#lines + 1] = table.concat(line, " ")
  end
  table.sort(lines)
  print("dump", #lines, (table.concat(lines, "\n"):gsub("\n", "|")))
end
]]

-- Quotes with both sides and with one, trades, of five symbols.
local function csv(seed)
  local state = seed
  local function random(n)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % n + 1
  end
  local lines = { "time,symbol,bid,ask,bid_size,ask_size,price,size,side" }
  for i = 1, ROWS do
    local symbol = ({ "AAPL", "VOD", "SAP", "NEW", "AAPL" })[random(5)]
    local time = 1700000000000000000 + i * 700000000 + random(1000)
    local bid, way = 10 + random(20) / 4, random(10)
    if way <= 2 then
      lines[#lines + 1] = ("%d,%s,,,,,%g,%d,%s"):format(time, symbol, bid, random(9),
        way == 1 and "buy" or "sell")
    else
      local ask = bid + random(4) / 4
      lines[#lines + 1] = ("%d,%s,%s,%s,%s,%s,,,"):format(time, symbol,
        way == 3 and "" or bid, way == 4 and "" or ask,
        way == 3 and "" or random(9) * 100, way == 4 and "" or random(9) * 100)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

for round = 1, ROUNDS do
  local seed = tonumber(os.getenv "SEED") or round
  local symbols = round % 2 == 0 and '{ "AAPL", "NEW" }' or "nil"
  local run = apps.run { app = APP:format(seed, DECLARATIONS, symbols),
    args = { "--workers", "1" }, files = { ["in.csv"] = csv(seed) },
    ["step.lua"] = DUMP .. STEP, ["batch.lua"] = DUMP .. BATCH,
    ["mixed.lua"] = DUMP .. MIXED }
  local dumps = {}
  for dump in run.out:gmatch "dump\t([^\n]+)" do dumps[#dumps + 1] = dump end
  t.is(run.status == 0 and "" or run.err, "", ("seed %d: no error"):format(seed))
  t.is(run.out:match "checked\t(%a+\t%a+)", "true\ttrue",
    "declarations give what Lua gives")
  t.ok(#dumps == 3 and dumps[1] == dumps[2], "in batches, too")
  t.ok(dumps[1] == dumps[3], "and between other records")
end
