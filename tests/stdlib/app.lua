--- app: what an app file declares, as the host gets it.

local t = require "tw.test"
local app = require "tw.app"

local path = os.tmpname()

-- Declares text as an app file; returns what app.open gives, or raises.
local function open(text, given, workers)
  local file <close> = assert(io.open(path, "w"))
  file:write('local app = require "tw.app" ' .. text)
  file:close()
  return app.open(path, given or {}, workers or 2)
end

local FEED = "app.feed.synthetic {} "

-- Instruments, in the order in which they get their ids.
local d = open(FEED .. [[
  app.sectors { tech = { "GOOG", "AAPL" }, oil = { "BP" } }
  app.weights { BP = 0.5, AAPL = 0.25, NEW = 1 }
  app.instruments { { symbol = "LAST", tick_size = 0.01, lot_size = 10 },
                    { symbol = "BP", weight = 0.75 } }]])
local ids = {}
for i, one in ipairs(d.instruments) do ids[i] = one.symbol end
t.same(ids, { "BP", "GOOG", "AAPL", "NEW", "LAST" }, "ids: sectors, weights, instruments")
t.same(d.instruments.BP, { symbol = "BP", sector = "oil", weight = 0.75 },
  "the last word")
t.same(d.instruments.LAST, { symbol = "LAST", tick_size = 0.01, lot_size = 10 },
  "attributes")
d = open(FEED .. [[
  app.instruments { { symbol = "A", country = "US", code = 7 }, { symbol = "B" } }
  app.instruments { { symbol = "B", factor = "x", country = "GB" } }]])
t.same({ d.instruments.A, d.instruments.B }, {
  { symbol = "A", country = "US", code = "7" },
  { symbol = "B", country = "GB", factor = "x" },
}, "the user's own attributes, as text")
t.same(d.attributes, { "code", "country", "factor", code = true, country = true,
                       factor = true }, "their names, in order of appearance")
t.same(open(FEED).attributes, {}, "none")
t.same(open(FEED).instruments, {}, "nothing stays from one app file to the next")

-- Feeds.
d = open [[
  app.feed.fix { connect = "host.example:9878", name = "main" }
  app.feed.fix { connect = "[::1]:80" }
  app.feed.fix { listen = 5001 }
  app.feed.csv { listen = "0.0.0.0:5002" }
  app.feed.csv { file = "x.csv", speed = 2, columns = "time,symbol,price" }
  app.feed.fix { connect = app.exchange { rate = 5 } }
  app.feed.timer { every = 0.5 }]]
local function feed(i, names)
  local out = {}
  for name in names:gmatch "%S+" do out[#out + 1] = tostring(d.feeds[i][name]) end
  return table.concat(out, " ")
end
t.is(feed(1, "name kind format host port"), "main connect fix host.example 9878",
  "connect")
t.is(feed(2, "name host port"), "fix [::1] 80", "connect, IPv6")
t.is(feed(3, "kind host port"), "listen 127.0.0.1 5001", "listen on a port")
t.is(feed(4, "kind format host port"), "listen csv 0.0.0.0 5002", "listen on an address")
t.is(feed(5, "kind path speed columns"), "file x.csv 2 time,symbol,price", "a file")
t.is(feed(6, "kind exchange host"), "connect 1 nil", "an exchange of this process")
t.is(feed(7, "name kind every"), "timer timer 0.5", "a timer")
t.is(d.exchanges[1].rate, 5, "the exchange")

-- Scripts and where they run.
local function scripts(text, workers)
  d = open(text, nil, workers or 2)
  local out = {}
  for i, s in ipairs(d.scripts) do
    out[i] = ("%s@%d %d/%d"):format(s.name, s.worker, s.shard, s.shards)
  end
  return table.concat(out, ", ")
end
t.is(scripts(FEED .. "app.script 'a' app.script 'b' app.script 'c'", 2),
  "a@0 0/0, b@1 0/0, c@0 0/0", "the least busy worker")
t.is(scripts(FEED .. "app.script('a', { shard = 'symbol' }) app.script 'b'", 3),
  "a@0 0/3, a@1 1/3, a@2 2/3, b@0 0/0", "a shard on each worker")
t.is(scripts(FEED .. "app.script('a', { shard = 'symbol', workers = { 2, 0 } })", 3),
  "a@2 0/2, a@0 1/2", "shards on some workers")
t.is(scripts(FEED
    .. "app.script('a', { workers = { 1 } }) app.script 'b' app.script 'c'"),
  "a@1 0/0, b@0 0/0, c@0 0/0", "a place that was asked for counts")
t.raises("^app.script: a: worker 3 of 3 %(0 .. 2%)$", scripts,
  FEED .. "app.script('a', { workers = { 3 } })", 3)

local function reliable(text)
  return open(text .. " app.script 's.lua'").scripts[1].reliable
end
t.is(reliable "app.feed.fix { file = 'x' }", true, "the tape waits for scripts: a file")
t.is(reliable "app.feed.synthetic { speed = 0 }", true, "flat out")
for _, feed in ipairs { "fix", "csv", "tape" } do
  for _, name in ipairs { "file", "path" } do
    local text = ("app.feed.%s { %s = 'x' }"):format(feed, name)
    t.is(open(text).feeds[1].path, "x", text)
  end
end
-- A table that was declared with stays as it was, and can be declared with again.
d = open [[
  local function kept(f, one)
    local before, n = {}, 0
    for name, value in pairs(one) do before[name] = value end
    f(one)
    for name, value in pairs(one) do
      assert(before[name] == value, name)
      n = n + 1
    end
    for name in pairs(before) do n = n - 1 end
    assert(n == 0)
    return one
  end
  local csv = kept(app.feed.csv, { path = "x.csv", interval = "1m", label = "end" })
  app.feed.csv(csv)
  csv.path = "y.csv"
  kept(app.feed.tape, { file = "x.tape" })
  kept(app.feed.fix, { path = "x.fix" })
  kept(app.feed.fix, { connect = "127.0.0.1:1" })
  kept(app.feed.synthetic, { rate = 5 })
  kept(app.feed.timer, { every = 1 })
  kept(app.fix.session, { host = "127.0.0.1", port = 1, sender = "A", target = "B" })
  kept(app.gateway.fix, { host = "127.0.0.1", port = 1, sender = "A", target = "C" })
  local at = { host = "127.0.0.1", port = 1, sender = "A", target = "D",
               subscribe = { "X" } }
  kept(app.feed.fix, at)
  local peer, any = { sender = "E", target = "F" }, { sender = "E", target = "*" }
  kept(app.fix.acceptor, { port = 0, sessions = { peer }, template = any })
  assert(not peer.name and not any.name)
  kept(app.exchange, { rate = 5 })
  local script = { account = { cash = 5 } }
  kept(function(o) app.script("s.lua", o) end, script)
  assert(next(script.account) == "cash" and not next(script.account, "cash"))]]
t.is(feed(1, "path interval") .. ", " .. feed(2, "path interval"),
     "x.csv 60.0, x.csv 60.0", "a table may be declared with twice")
t.raises(":2: app.feed.csv: no option 'path'", open,
  "\napp.feed.csv { file = 'x', path = 'y' }")
t.is(reliable "app.feed.csv { stdin = true } app.feed.timer { every = 1 }", true,
  "timers too")
t.is(reliable "app.feed.synthetic {}", false, "not for a market in real time")
t.is(reliable "app.feed.fix { file = 'x', speed = 1 }", false, "a file in real time")
t.is(reliable "app.feed.fix { connect = 'h:1' }", false, "a socket")
t.is(reliable "app.feed.fix { file = 'x' } app.feed.fix { listen = 1 }", false,
  "one of them")
t.is(open(FEED .. "app.script('s', { reliable = true })").scripts[1].reliable, true,
  "asked for")
t.is(open "app.feed.fix { file = 'x' } app.script('s', { reliable = false })"
  .scripts[1].reliable, false, "asked not to")

local function restarts(options)
  return open(FEED .. ("app.script('s', %s)"):format(options)).scripts[1].restarts
end
t.is(restarts "{}", 0, "no restart")
t.is(restarts "{ on_error = 'restart' }", 5, "five restarts")
t.is(restarts "{ on_error = 'restart', restarts = 2 }", 2, "as many as asked for")

-- Limits and the tape.
d = open(FEED .. "app.limits { time = 0.5, memory = 7 } app.tape { capacity = 1 << 10 }")
t.same({ d.time, d.memory, d.capacity }, { 0.5, 7, 1024 }, "limits and the tape")

-- Wrong use: where the app file says it.
for text, why in pairs {
  ["app.feed.fix 'x'"] = "app.feed.fix: a table of options expected, got a string",
  ["app.feed.fix { file = 5 }"] = "app.feed.fix: file must be a string, got 5",
  ["app.feed.fix { listen = {} }"] = "app.feed.fix: listen must be a number or string",
  ["app.feed.fix { listen = 1.5 }"] = "app.feed.fix: 1.5 is not a port",
  ["app.feed.fix { listen = -1 }"] = "app.feed.fix: %-1 is not a port",
  ["app.feed.fix { listen = 'x' }"] = "app.feed.fix: 'x' is not host:port",
  ["app.feed.fix { connect = ':80' }"] = "app.feed.fix: ':80' is not host:port",
  ["app.feed.fix { connect = 'h:99999' }"] = "app.feed.fix: 'h:99999' is not host:port",
  ["app.feed.fix { connect = {} }"] = "app.feed.fix: connect must be host:port or what",
  ["app.feed.csv { file = 'x', price_scale = 1.5 }"] =
    "app.feed.csv: price_scale must be an integer from 1 to 1000000000, got 1.5",
  ["app.feed.csv { file = 'x', base = 0/0 }"] = "app.feed.csv: base must be an integer",
  ["app.feed.csv { file = 'x', limit = -5 }"] = "app.feed.csv: limit must be an integer",
  ["app.feed.csv { file = 'x', from = 1.5 }"] =
    "app.feed.csv: from must be a date or whole ns, got 1.5",
  ["app.feed.csv { file = 'x', separator = '||' }"] =
    "app.feed.csv: separator must be one character, got '||'",
  ["app.feed.csv { file = 'x', symbol = '' }"] = "app.feed.csv: symbol must be a text of",
  ["app.feed.tape { path = 'x', speed = -1 }"] =
    "app.feed.tape: speed must be a number from 0 to 1000000000, got %-1",
  ["app.feed.tape { path = 'x', to = 0/0 }"] = "app.feed.tape: to must be a date or",
  ["app.feed.fix { file = 'x', limit = 1e300 }"] = "app.feed.fix: limit must be an inte",
  ["app.exchange { port = 70000 }"] =
    "app.exchange: port must be an integer from 0 to 65535, got 70000",
  ["app.reload { deadline = 0/0 }"] = "app.reload: deadline must be above 0 and below",
  ["app.fix.session { host = 'h', port = 1, sender = 'A', target = 'B', retry = 0/0 }"] =
    "app.fix.session 'B': retry must be seconds",
  ["app.feed.fix { subscribe = 'AAPL' }"] = "app.feed.fix: subscribe must be a table",
  ["app.feed.fix { sender = 'ME' }"] = "app.feed.fix: subscribe: a list of symbols is",
  ["app.feed.fix { subscribe = {} }"] = "app.feed.fix: subscribe: a list of symbols is",
  ["app.instruments { { symbol = 'A\\1B' } }"]
    = 'app.instruments%[1%]: the symbol "A\\1B" has a control character',
  ["app.feed.fix { subscribe = { 5 } }"] = "app.feed.fix: subscribe%[1%] is no symbol: 5",
  ["app.feed.fix { subscribe = { 'A' }, depth = -1 }"] =
    "app.feed.fix: depth must be an integer from 0 to 2147483648, got %-1",
  ["app.feed.fix { subscribe = { 'A' }, batch = 0.5 }"] =
    "app.feed.fix: batch must be an integer from 0 to 1000, got 0.5",
  ["app.feed.fix { subscribe = { 'A' }, depht = 1, sender = 'a', target = 'b' }"] =
    "app.feed.fix: no option 'depht'",
  ["app.feed.fix { subscribe = { 'A' }, target = 'b' }"] =
    "app.feed.fix: sender is missing",
  ["app.fix.acceptor { port = 0, session_limit = 1, sessions = { {}, {} } }"] =
    "app.fix.acceptor: 2 sessions are more than session_limit 1",
  ["local s = {} for i = 1, 4097 do s[i] = {} end "
    .. "app.fix.acceptor { port = 0, sessions = s }"] =
    "app.fix.acceptor: 4097 sessions are more than a run may have, 4096",
  ["app.feed.synthetic { sed = 5 }"] = "app.feed.synthetic: no option 'sed'",
  ["app.exchange { speed = 'x' }"] = "app.exchange: speed must be a number, got x",
  ["app.script(5)"] = "app.script: a path expected, got a number",
  ["app.script('s', { workers = { 0.5 } })"] = "app.script: workers must list integers",
  ["app.script('s', { workers = { -1 } })"] = "app.script: workers must list integers",
  ["app.pool { threads = 1.5 }"] = "app.pool: threads must be an integer from 1 to",
  ["app.pool { threads = 257 }"] = "app.pool: threads must be an integer from 1 to 256",
  ["app.weights { A = 0/0 }"] = "app.weights: the weight of 'A' is no finite number: ",
  ["app.instruments { { symbol = 'A', weight = 1e999 } }"]
    = "app.instruments%[1%]: weight must be a finite number, got inf",
  ["app.account { fees = { per_share = 1e-10 } }"] =
    "app.account: fees.per_share: 0, or at least 1e%-09 %(nine decimals%), expected,",
  ["app.risk { position = 0 }"] = "app.risk: position: above 0 expected, got 0; where it",
  ["app.risk { open_orders = 0 }"] = "app.risk: open_orders: an integer from 1 on",
  ["app.account { limits = { daily_loss = 0 } }"] =
    "app.account: limits.daily_loss: above 0 expected, got 0",
  ["app.account { limits = { orders = 0 } }"] =
    "app.account: limits.orders: an integer from 1 on expected, got 0",
  ["app.risk { position = 1e-12 }"] = "app.risk: position: 0, or at least 1e%-09",
  ["app.pool { queue = 0/0 }"] = "app.pool: queue must be an integer",
  ["app.pool { memory = 1e30 }"] =
    "app.pool: memory must be a number from 0.1 to 1000000000, got 1e%+30",
  ["app.book { levels = 101 }"] = "app.book: levels must be an integer from 0 to 100",
  ["app.feed.synthetic { rate = -1 }"] = "app.feed.synthetic: rate must be a number from",
  ["app.feed.synthetic { limit = -5 }"] = "app.feed.synthetic: limit must be an integer",
  ["app.feed.synthetic { symbols = 1.5 }"] = "app.feed.synthetic: symbols must be an int",
  ["app.exchange { trades = 5 }"] = "app.exchange: trades must be a number from 0 to 1,",
  ["app.feed.timer { every = 1e30 }"] =
    "app.feed.timer: every must be a positive number of seconds, got",
  ["app.feed.timer { every = 1e-12 }"] =
    "app.feed.timer: every must be a positive number of seconds, got",
  ["app.script('x.lua', { restarts = -1 })"] = "app.script: restarts must be an integer",
  ["app.instruments { { symbol = '' } }"] = "app.instruments%[1%]: no symbol",
  ["app.tape {}"] = "app.tape: capacity must be an integer in 16 .. 2^28, got nil",
  ["app.tape { capacity = 8 }"] = "app.tape: capacity must be an integer",
  ["app.scrpt 'x.lua'"] = "there is no app.scrpt; did you mean 'script'%?",
  ["app.feed.cvs 'x'"] = "there is no app.feed.cvs; did you mean 'csv'%?",
  ["app.limits { tim = 1 }"] = "app.limits: no option 'tim'; did you mean 'time'%?",
  ["app.fix.session { begin_string = 'FIX.4.4' }"] = "app.fix.session: no option"
    .. " 'begin_string'; see `tidewire help app.fix.session`",
  ["app.screen { tilte = 'x' }"] = "app.screen: no option 'tilte'",
  ["app.sectors { x = { 5 } }"] = "app.sectors: x: a name expected",
  ["app.sectors { x = { 'A' }, y = { 'B', 'A' } }"]
    = "app.sectors: sector of 'A' is y, and was said to be x before: say it once",
  ["app.weights { A = 0.5, B = 1 } app.weights { B = 1, A = 0.25 }"]
    = "app.weights: weight of 'A' is 0.25, and was said to be 0.5 before: say it once",
  ["app.calendar { name = 'x' }"] = "app.calendar: a name comes first, .*; got a table",
  ["app.calendar('x', { open = '09:30:75' })"] =
    "app.calendar 'x': open: a time of the day like '09:30' expected, got '09:30:75'",
  ["app.calendar('x', { days = 'monkey' })"] =
    "app.calendar 'x': days: days like 'mon%-fri' expected, got 'monkey'",
  ["app.calendar('x', { holidays = '2013-12-25' })"] =
    "app.calendar 'x': holidays: days like {'2013%-12%-25'} expected, got '2013%-12%-25'",
  ["app.calendar('x', { early = '13:00' })"] =
    "app.calendar 'x': early: days like .* got '13:00'",
  ["app.calendar('x', {}) app.calendar('x', {})"] = "app.calendar 'x' is there twice",
  ["app.calendar('x', { holidays = { '2013-12-25', '2013-12-25' } })"] =
    "app.calendar 'x': holidays: 2013%-12%-25 is there twice",
  ["app.calendar('x', { open = '09:30', early = { ['2013-12-25'] = '09:30' } })"] =
    "app.calendar 'x': early: 2013%-12%-25 closes before it opens",
  ["app.account { limits = { per = 3 } }"] =
    "app.account: limits.per: how many orders in that time",
  ["app.account { volume_share = 0 }"] =
    "app.account: volume_share: a number from 1e%-09 to 1 expected",
  ["app.instruments { symbol = 'A', multiplier = 50 }"]
    = "app.instruments: a list like { { symbol = 'AAPL' } } expected, there is a name in",
  ["app.instruments { A = { multiplier = 50 } }"]
    = "app.instruments: .* there is a name in it: A$",
  ["app.instruments { { symbol = 'A' }, nil, { symbol = 'B' } }"]
    = "app.instruments: a list like .* expected, there is %[3%] behind a nil",
  ["app.instruments()"] = "app.instruments: a list like .* expected, got a nil",
  ["app.sectors { tech = { A = true } }"]
    = "app.sectors: tech: a list like { 'AAPL', 'GOOG' } expected, there is a name in it",
  ["app.files { limits = 'l.csv' }"] = "app.files: a list like .* there is a name in it",
  ["app.calendar('x', { holidays = { '2013-12-25', nil, 'Easter' } })"] =
    "app.calendar 'x': holidays: a day like '2013%-11%-29' expected, got 'Easter'",
  ["app.calendar('x', { holidays = { ['2013-12-25'] = true } })"] =
    "app.calendar 'x': holidays: days like .* there is a name in it: 2013%-12%-25",
  ["app.instruments { 'A' }"] = "app.instruments%[1%]: a table of options expected, got",
  ["app.instruments { { symbol = 5 } }"]
    = "app.instruments%[1%]: symbol must be a string, got 5",
  ["app.instruments { { symbol = 'A', country = 1.5 } }"]
    = "app.instruments%[1%]: country must be a string or an integer, got 1.5",
  ["app.instruments { { symbol = 'A', listed = true } }"]
    = "app.instruments%[1%]: listed must be a string or an integer, got true",
  ["app.instruments { { symbol = 'A', country = '' } }"]
    = "app.instruments%[1%]: country must be a text of 1 to 63 bytes",
  ["app.instruments { { symbol = 'A', country = ('x'):rep(64) } }"]
    = "app.instruments%[1%]: country must be a text of 1 to 63 bytes",
  ["app.instruments { { symbol = 'A', country = 'x\\0y' } }"]
    = "app.instruments%[1%]: country must be a text of 1 to 63 bytes",
  ["app.instruments { { symbol = 'A', ['my country'] = 'x' } }"]
    = "app.instruments%[1%]: 'my country' can't name an attribute",
  ["app.instruments { { symbol = 'A', where = 'x' } }"]
    = "app.instruments%[1%]: 'where' can't name an attribute",
  ["app.instruments { { symbol = 'A', 'tech' } }"]
    = "app.instruments%[1%]: '1' can't name an attribute",
  ["app.instruments { { symbol = 'A', wieght = 1 } }"]
    = "app.instruments%[1%]: no option 'wieght'; did you mean 'weight'%?",
  ["app.instruments { { symbol = 'A', secto = 'x' } }"]
    = "app.instruments%[1%]: no option 'secto'; did you mean 'sector'%?",
  ["app.instruments { { symbol = 'A', sectors = 'x' } }"]
    = "app.instruments%[1%]: no option 'sectors'; did you mean 'sector'%?",
  ["app.instruments { { symbol = 'A', ticksize = 0.01 } }"]
    = "app.instruments%[1%]: no option 'ticksize'; did you mean 'tick_size'%?",
  ["app.instruments { { symbol = 'A', lot = 100 } }"]
    = "app.instruments%[1%]: no option 'lot'; did you mean 'lot_size'%?",
  ["app.on_feed(5)"] = "app.on_feed: a function expected",
} do
  t.raises("^[^\n]*" .. path:match "[^/]*$" .. ":1: " .. why, open, text)
end
t.raises(": no feed", open, "app.script 's'")
t.raises("^%-%-set x: .* has no such parameter; there are y$", open,
  FEED .. "app.param('y', 1)", { x = "1" })
t.raises("cannot open /nowhere", app.open, "/nowhere", {}, 1)

-- A backtest of a script alone, asked for by the app file itself.
local within = [[
  app.script("one.lua", { params = { n = app.param("n", 1) } })
  local made = app.backtest { file = "/dir/two.lua", script = true, params = { n = 2 } }
  assert(#made.scripts == 1 and made.scripts[1].path == "/dir/two.lua"
         and made.scripts[1].name == "two.lua" and made.scripts[1].options.params.n == 2)
  assert(#made.feeds == 0 and #made.modules == 0)
  assert(not pcall(app.backtest, { file = "x", script = true, account = { no = 1 } }))
  app.script "three.lua" ]]
d = open(FEED .. within, { n = "7" })
local first, last = d.scripts[1], d.scripts[#d.scripts]
t.is(#d.scripts .. first.path .. first.options.params.n .. last.path,
     "2one.lua7three.lua", "it leaves what the file declares as it is")

local declare = require "tw.declare"
local now = declare.now
t.raises("there is no app.feed.cvs", app.check_feed, "cvs", {})
t.ok(declare.now == now, "a feed of no kind leaves it, too")

os.remove(path)
