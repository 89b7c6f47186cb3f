--- backtest: the command, as a user types it: known answers, the hash, faults.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put = apps.folder "b"

local function backtest(args)
  return apps.shell(("cd %s && timeout 120 %s backtest %s"):format(dir,
    apps.tidewire:gsub("^'([^/])", "'" .. os.getenv "PWD" .. "/%1"), args))
end
local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end
local function has(run, name, lines)
  local missing = {}
  for _, line in ipairs(lines) do
    if not run.out:find(line, 1, true) then missing[#missing + 1] = line end
  end
  if not t.is(table.concat(missing, "\n"), "", name) then t.diag(run.out .. run.err) end
end

-- ---- an exact answer: a share bought, sold and bought again, with fees ----

put("trade.lua", [[
  local M = { account = { cash = 1000, fees = { per_order = 1 }, fill = "quote" } }
  function M:on_quote(symbol, bid, ask)
    self.n = (self.n or 0) + 1
    if self.n == 1 then
      self:buy { symbol = symbol, quantity = 10, label = "first, \"x\"" }
    elseif self.n == 3 then self:sell { symbol = symbol, quantity = 10 }
    elseif self.n == 4 then
      self:buy { symbol = symbol, quantity = 5, price = bid - 5, tif = "ioc" }
    end
  end
  return M]])
put("four.csv", "time,symbol,bid,ask,bid_size,ask_size\n"
  .. "2020-01-01T10:00:00,A,10,11,100,100\n2020-01-01T10:00:01,A,10,11,100,100\n"
  .. "2020-01-02T10:00:02,A,14,15,100,100\n2020-01-02T10:00:03,A,13,14,100,100\n"
  .. "2020-01-02T10:00:04,A,13,14,100,100\n")
local run = backtest "trade.lua --data four.csv --orders o.csv"
has(run, "the summary", { "start             1000.00", "final             1018.00",
  "trades            1", "orders            3", "fees              2.00",
  "win rate          100.00 %" })
t.is(apps.read(dir .. "/o.csv"), ([[
time,script,symbol,side,type,tif,quantity,price,stop,status,reason,filled,average,\
fees,label
2020-01-01T10:00:00.000000000Z,trade.lua,A,buy,market,gtc,10,,,filled,\
,10,11,1,"first, ""x"""
2020-01-02T10:00:02.000000000Z,trade.lua,A,sell,market,gtc,10,,,filled,,10,13,1,
2020-01-02T10:00:03.000000000Z,trade.lua,A,buy,limit,ioc,5,8,,canceled,\
immediate or cancel: the rest was not there at once,0,,0,
]]):gsub("\\\n", ""), "the order list")
local hash = run.out:match "order list +(%x+)"
local sum = apps.shell("sha256sum " .. dir .. "/o.csv").out:match "^%x+"
t.is(hash, sum, "its hash is the file's SHA-256")
t.is(backtest "trade.lua --data four.csv".out:match "order list +(%x+)", hash,
     "and the same in another run")
local json = backtest "trade.lua --data four.csv --json".out
t.ok(json:find('"hash":"' .. hash, 1, true) and json:find '"final":1018,'
     and json:find '"trades":%[{' and json:find '"equity":%[1000', "--json")
put("chatty.lua", [[
  return { on_quote = function(self, symbol) print(symbol, "came") end }]])
run = backtest "chatty.lua --data four.csv --json"
local decoded, what = pcall(require "tw.json".decode, run.out)
t.ok(decoded or t.diag(what), "--json is JSON, whatever a script prints")
t.is(decoded and #what.log .. what.log[1]:match " %a.*", "5 A\tcame",
     "which it has as log")

apps.shell(("cd %s && %s convert four.csv four.tape"):format(dir, apps.tidewire))
t.is(backtest "trade.lua --data four.tape".out:match "order list +(%x+)", hash,
     "a tape file of the same records gives the same list")
t.is(backtest("trade.lua --data four.csv --report r.html").status, 0, "--report")
t.ok(apps.read(dir .. "/r.html"):find("Backtest of trade.lua", 1, true), "is a page")
t.is(backtest("trade.lua --data four.csv --report r.txt").status, 0, "--report to .txt")
run = backtest "trade.lua --data four.csv --report -"
local text, rest = run.out:match "^(.*\n)\n(order list .*)$"
t.is(text, apps.read(dir .. "/r.txt"), "--report -: the same text on standard output")
t.ok(text and text:find "\nTrades on price: ▲ long" and rest:find(hash, 1, true)
     and rest:find "\n5 records in ", "charts, and behind them the hash")
run = backtest "trade.lua --data four.csv --report - --json"
t.is(run.err, "tidewire: backtest: --report -: standard output has what --json prints; "
     .. "see `tidewire help backtest`\n", "and not beside --json")
t.is(run.status, 2, "with status 2")
run = backtest "trade.lua --data four.csv --report r.pdf"
t.is(run.err, "tidewire: backtest: --report r.pdf: an ending that is known expected: "
     .. ".html, .htm or .txt; see `tidewire help backtest`\n", "a report is no PDF")
t.ok(run.status == 2 and not io.open(dir .. "/r.pdf"), "and none is written")
run = backtest "trade.lua --data four.csv --orders -"
t.is(run.err, "tidewire: backtest: --orders -: the name of a file expected; "
     .. "see `tidewire help backtest`\n", "--orders - is no name")
t.ok(not io.open(dir .. "/-"), "- is no file")

-- Each symbol's orders stay what they are when files change places.

put("each.lua", [[
  local M, n = { account = { cash = 1e6 } }, {}
  function M:on_quote(symbol)
    n[symbol] = (n[symbol] or 0) + 1
    if n[symbol] % 3 == 0 then
      self:buy { symbol = symbol, quantity = n[symbol] }
    elseif n[symbol] % 5 == 0 then self:close(symbol) end
  end
  return M]])
for _, symbol in ipairs { "A", "B", "C" } do
  local lines = { "time,symbol,bid,ask,bid_size,ask_size" }
  for i = 1, 200 do
    local price = 10 + i * #symbol % 7
    lines[i + 1] = ("%d,%s,%d,%d,1000,1000"):format(1500000000 + i * 60, symbol, price,
                                                  price + 1)
  end
  put(symbol .. ".csv", table.concat(lines, "\n") .. "\n")
end
local hashes = {}
for _, order in ipairs { "ABC", "CAB", "BCA" } do
  local data = order:gsub("%a", " --data %0.csv")
  hashes[backtest("each.lua" .. data).out:match "order list +(%x+)" or "none"] = true
end
local one = next(hashes)
t.ok(one ~= "none" and next(hashes, one) == nil, "one hash, whatever the order of files")

put("warm.lua", [[
  local M = {}
  function M:on_quote(symbol) self:buy(symbol, 1) end
  function M:on_order(status, reason) print(status, reason) end
  return M]])
run = backtest "warm.lua --data four.csv --from 2020-01-02T10:00:03 --warmup 2"
local refused = "rejected\tno order is sent before the end of the warm-up\n"
t.ok(run.out:find("10:00:02.000 " .. refused, 1, true)
     and run.out:find "10:00:03%.000 pending"
     and not run.out:find "10:00:03%.000 rejected", "orders are refused in the warm-up")
put("switch.lua", [[
  local tw = require "tw"
  local M = {}
  function M:on_start() tw.resume_trading() end
  function M:on_quote(symbol, bid)
    self:buy(symbol, bid)
    if bid == 14 then tw.halt() end
  end
  function M:on_order(status, reason, quantity) print(quantity, status, reason) end
  return M]])
run = backtest "switch.lua --data four.csv --from 2020-01-02T10:00:03 --warmup 2"
t.ok(run.out:find("14.0\t" .. refused, 1, true)
     and run.out:find("13.0\trejected\ttrading is halted\n", 1, true),
     "tw.resume_trading does not end it, nor does it end tw.halt")

-- ---- beside a benchmark: B gains 1, 0.5 and 1, the account 0, 0.0055 and 0 ----

put("days.csv", "time,symbol,price,size\n2020-01-01,A,100,1\n2020-01-01,B,1,1\n"
  .. "2020-01-02,B,2,1\n2020-01-02,A,110,1\n2020-01-03,B,3,1\n2020-01-03,A,115.5,1\n"
  .. "2020-01-04,A,115.5,1\n2020-01-04,B,6,1\n")
put("hold.lua", [[
  local M = { account = { cash = 1000 } }
  function M:on_start() end
  function M:on_trade(symbol)
    if symbol == "A" and not self.held then
      self.held = true
      self:buy { symbol = "A", quantity = 1 }
    end
  end
  return M]])
has(backtest "hold.lua --data days.csv", "several symbols: no alpha and beta",
    { "alpha, beta       -, -" })
run = backtest "hold.lua --data days.csv --benchmark B"
has(run, "--benchmark", { "alpha, beta       6.05 %, -0.011" })

-- B begins on the third day; the account has gained 0.55 % before it, and nothing since.
put("late.csv", "time,symbol,price,size\n2020-01-01,A,100,1\n2020-01-02,A,110,1\n"
  .. "2020-01-03,A,115.5,1\n2020-01-03,B,3,1\n2020-01-04,B,6,1\n2020-01-04,A,120,1\n"
  .. "2020-01-05,A,115.5,1\n2020-01-05,B,9,1\n")
run = backtest "hold.lua --data late.csv --benchmark B"
has(run, "a benchmark that begins later", { "alpha, beta       -3.57 %, 0.01786" })

-- ---- the first day counts: 10 shares bought at 11, worth 10.5, then 13.5 each ----

put("once.lua", [[
  local M = { account = { cash = 1000, fill = "quote" } }
  function M:on_quote(symbol)
    if not self.held then self:buy { symbol = symbol, quantity = 10 } end
    self.held = true
  end
  return M]])
local function figures(args)
  local got = require "tw.json".decode(backtest(args .. " --json").out)
  return got.figures, got
end
local first, got = figures "once.lua --data four.csv --to 2020-01-02"
t.is(#got.days, 1, "a run of one day")
t.is(first.total_return, 995 / 1000 - 1, "has a return")
t.is(first.max_drawdown, 995 / 1000 - 1, "and a drawdown")
t.is(first.peak, 1000, "from the cash at its start")
t.is(first.max_drawdown_days, (10 * 3600 + 1) / 86400, "and the day's beginning")
local per_day = math.log(0.995) / first.max_drawdown_days
t.ok(math.abs(first.cagr - (math.exp(per_day * 365.25) - 1)) < 1e-12, "and a CAGR")
first, got = figures "once.lua --data four.csv"
t.is(#got.days, 2, "two days")
t.is(first.total_return, got.final / got.start - 1, "the return is of both")
t.is(first.total_return, 1025 / 1000 - 1, "which gain")
t.is(first.max_drawdown, 995 / 1000 - 1, "after the loss of the first")
t.ok(math.abs(first.arithmetic.annual_return - ((1025 / 995) ^ 126 - 1)) < 1e-9,
     "daily returns are from the first day's end")

-- ---- the command line ----

local function fails(args, status, pattern, name)
  local got = backtest(args)
  if not t.ok(got.status == status and got.err:find(pattern), name) then
    t.diag(("%s: %s%s"):format(got.status, got.out, got.err))
  end
  t.is(got.out:find "order list", nil, "no summary then")
end
fails("", 2, "no strategy and no app file given; see `tidewire help backtest`", "no file")
fails("trade.lua", 2, "no %-%-data given", "no data")
fails("trade.lua --data", 2, "%-%-data: its value is missing", "no value")
fails("trade.lua --data four.csv --speed 2", 2, "unknown option '%-%-speed';",
      "an option")
fails("trade.lua --data four.csv --too 1", 2,
      "unknown option '%-%-too'; did you mean '%-%-to'%?;", "one that is misspelt")
fails("trade.lua --data four.csv --interval 1m", 2,
      "did you mean '%-%-csv interval=...'%?;", "one of --csv")
fails("trade.lua four.csv", 2, "no %-%-data given; did you mean '%-%-data four.csv'%?",
      "data without --data")
fails("trade.lua --data four.csv --set x", 2, "%-%-set x: name=value expected", "no name")
fails("trade.lua --data four.csv --from soon", 2, "from: a date like", "a date")
fails("trade.lua --data four.csv --to 2030", 2, "to: a date like", "a year is no date")
fails("trade.lua --data four.csv --cash 0", 2, "cash: above 0 expected", "no cash")
fails("trade.lua --data four.csv none.csv", 1, "none.csv", "several files of --data")
fails("trade.lua --data four.csv b.lua", 2, "one file expected, got 'b.lua'",
      "two scripts")
fails("hold.lua --data days.csv --benchmark C", 1,
      "benchmark C: the data have no such symbol", "a benchmark that is not there")
fails("none.lua --data four.csv", 1, "cannot open none.lua", "no such file")
fails("trade.lua --data none.csv", 1, "none.csv: no such file", "no such data")
fails("trade.lua --data four.csv --orders /nowhere/o.csv", 1, "cannot write /nowhere",
      "a file that can't be written")
fails("trade.lua --data four.csv --csv colour=red", 2, "no option 'colour'", "of CSV")
fails("trade.lua --data four.csv --csv factors=none", 1,
      "csv: factors: none: No such file or directory\n$", "a factor file")
put("bad.csv", "time,symbol,bid,ask\n2020-01-01,A,1,2\n2019-01-01,A,1,2\n")
fails("trade.lua --data bad.csv", 1,
      "^tidewire: backtest: bad.csv: csv: line 3: time goes back, from 2020%-01%-01 "
      .. "00:00:00 to 2019%-01%-01 00:00:00\n$", "one clear line")
put("bad_bars.csv", "date,symbol,open,high,low,close,volume\n2020-01-02,A,1,1,1,1,1\n"
    .. "2020-01-01,B,1,1,1,1,1\n")
fails("trade.lua --data bad_bars.csv", 1, "csv: line 3: time goes back, from 2020%-01%-"
      .. "03 00:00:00 to 2020%-01%-02 00:00:00, the ends of bars\n$", "of several bars")
run = backtest "trade.lua --data bad.csv --skip-bad"
t.ok(run.status == 0 and run.err:find "warning: bad.csv: csv: line 3", "--skip-bad")
put("sets.lua", [[
  return { on_start = function(self)
    for _, k in ipairs { "i", "x", "b", "s" } do
      print(k, math.type(self.params[k]) or type(self.params[k]), self.params[k])
    end
  end }]])
run = backtest "sets.lua --data four.csv --set i=3 --set x=0.5 --set b=true --set s=abc"
t.is((run.out:match "^(.-)sets.lua" or run.err):gsub("[%d-]+ [%d:.]+ ", ""),
     "i\tinteger\t3\nx\tfloat\t0.5\nb\tboolean\ttrue\ns\tstring\tabc\n",
     "--set of a script")
put("app.lua", [[
  local app = require "tw.app"
  app.feed.fix { connect = "127.0.0.1:1" }
  app.account { cash = app.param("cash", 5) }
  app.script "sets.lua"]])
has(backtest "app.lua --data four.csv --set cash=77", "an app file",
    { "start             77.00" })
has(backtest "app.lua --data four.csv --set cash=77 --cash 1234", "--cash is above it",
    { "start             1234.00" })
fails("app.lua --data four.csv --set credit=1", 1,
      "%-%-set credit: .*has no such parameter",
      "a parameter that the app has not")

-- ---- known answers ----

local data = os.getenv "PWD" .. "/../shared/data"
local skip = not exists(data .. "/MANIFEST.tsv")
local function known(name, files, args, lines)
  if skip then t.skip("no ../shared/data") t.ok(true, name) return end
  for file, text in pairs(files) do put(file, text) end
  has(backtest(args:gsub("DATA", data)), name, lines)
end

known("GOOG, SMA 10/30", { ["goog.lua"] = [[
  local app = require "tw.app"
  app.instruments { { symbol = "GOOG", lot_size = 1 } }
  app.account { cash = 10000, fill = "next_open" }
  app.script "cross.lua"]], ["cross.lua"] = [[
  local M, close, N = {}, {}, 2148
  local function sum(i, n)
    local s = 0
    for k = i - n + 1, i do s = s + math.floor(close[k] * 1e4 + 0.5) end
    return s
  end
  local function side(i) return 3 * sum(i, 10) - sum(i, 30) end
  function M:on_bar(symbol, bar)
    close[#close + 1] = bar.close
    local i = #close
    if i < 31 or i > N - 1 then return end
    if i == N - 1 then self:close(symbol) return end
    local before, now = side(i - 1), side(i)
    if before < 0 and now > 0 then
      self:close(symbol)
      self:buy { symbol = symbol, weight = 1 }
    elseif before > 0 and now < 0 then
      self:close(symbol)
      self:sell { symbol = symbol, weight = 1 }
    end
  end
  return M]] }, "goog.lua --data DATA/backtesting.py/GOOG.csv.gz",
  { "final             51422.99", "peak              75787.44", "-47.98 %, 584 days",
    "trades            66", "win rate          46.97 %", "profit factor     2.168",
    "1.077, 0.1519", "return            414.23 %", "381.80 %, 0.04611" })
-- Beta of the logarithms is that of backtesting.py's own test; the others are of its
-- equity and the closes by these formulas, in 20 lines of Python:
--   cov(r, m) / var(m); final / start - 1 - beta * (last / first - 1);
--   (mean(r) - beta * mean(m)) * 252; (1 + mean(r) - beta * mean(m))**252 - 1
known("GOOG, alpha and beta", {},
  "goog.lua --data DATA/backtesting.py/GOOG.csv.gz --json",
  { '"log_beta":0.0380339070919', '"beta":0.046106523595', '"alpha":3.8179588596',
    '"annual_alpha":0.2214437536', '"annual_alpha":0.2477557208' })

-- All digits that the others' suites state, of what --json prints.
local function figures(name, run, want)
  local fine, result = pcall(require "tw.json".decode, run.out)
  if not t.ok(fine and run.status == 0, name .. ": a result") then
    t.diag(run.err)
    return
  end
  for path, answer in want:gmatch "(%S+) (%S+)" do
    local got = result
    for key in path:gmatch "[^.]+" do got = got and got[key] end
    local digit = 6e-10 * math.max(1, math.abs(answer))
    local near = got and math.abs(got - answer) < digit
    if not t.ok(near, ("%s: %s %s"):format(name, path, answer)) then t.diag(got) end
  end
end
if skip then t.skip "no ../shared/data" else
  figures("GOOG", backtest("goog.lua --json --data " .. data
                           .. "/backtesting.py/GOOG.csv.gz"), [[
    final 51422.99  figures.peak 75787.44  figures.total_return 4.142299
    figures.geometric.sharpe 0.580623224  figures.geometric.sortino 1.085343435
    figures.geometric.calmar 0.441664092  figures.max_drawdown -0.4798012705
    figures.max_drawdown_days 584  figures.trades 66  figures.win_rate 0.4696969697
    figures.profit_factor 2.167945974  figures.sqn 1.076618736
    figures.kelly 0.151870513 ]])
end

-- A share whose daily returns are 1, 10, -4, 2, 3, 2, 1 and -10 %, held from the second
-- day's open on, which is the first day's close: the equity has the same.
local closes, open = { "time,symbol,open,high,low,close,volume" }, 100
for i, percent in ipairs { 0, 1, 10, -4, 2, 3, 2, 1, -10 } do
  local day, close = i + (i > 5 and 7 or 5), open * (1 + percent / 100)   -- of the week
  closes[i + 1] = ("2020-01-%02d,A,%.9f,%.9f,%.9f,%.9f,9000000"):format(day, open,
    math.max(open, close), math.min(open, close), close)
  open = close
end
put("held.csv", table.concat(closes, "\n") .. "\n")
put("held.lua", [[
  local M = { account = { cash = 1e8, fill = "next_open" } }
  function M:on_bar(symbol)
    if not self.bought then self.bought = self:buy(symbol, 1e6) end
  end
  return M]])
figures("given returns",
        backtest "held.lua --data held.csv --csv interval=86400 --json", [[
  figures.arithmetic.sharpe 1.7238613961706866  figures.max_drawdown -0.1
  figures.arithmetic.volatility 0.9136465399704637
  figures.arithmetic.sortino 2.605531251673693
  figures.arithmetic.annual_return 1.9135925373194231
  figures.arithmetic.calmar 19.135925373194233 ]])

local stoxx = [[
  local M, close, last, N = {}, {}, 0, 0
  function M:on_bar(symbol, bar)
    N = N + 1
    close[N] = math.floor(bar.close * 100 + 0.5)
    if N < 15 then return end
    local sum = 0
    for k = N - 14, N do sum = sum + close[k] end
    local over, cross = 15 * close[N] - sum, 0
    if over > 0 then cross, last = last < 0 and 1 or 0, 1
    elseif over < 0 then cross, last = last > 0 and -1 or 0, -1 end
    local held = self:position(symbol)
    if cross > 0 and held == 0 then self:buy(symbol, 1)
    elseif cross < 0 and held > 0 then self:sell(symbol, 1) end
  end
  function M:on_stop() print("free", self.account.free) end
  return M]]
local stock = [[
  local app = require "tw.app"
  app.account { cash = 10000, fill = "next_open" }
  app.script "stoxx.lua"]]
known("Euro Stoxx 2006, SMA 15", { ["stoxx.lua"] = stoxx, ["stock.lua"] = stock },
  "stock.lua --data DATA/backtrader/2006-day-001.txt.gz",
  { "final             10284.10", "orders            23", "free\t6164.16" })
known("as a future", { ["future.lua"] = [[
  local app = require "tw.app"
  app.instruments { { symbol = "2006-day-001", multiplier = 10, margin = 1000,
                      settles_daily = true } }
  app.account { cash = 10000, fill = "next_open", fees = { per_share = 2 } }
  app.script "stoxx.lua"]] }, "future.lua --data DATA/backtrader/2006-day-001.txt.gz",
  { "final             12795.00", "free\t11795" })

known("SPY, all in, adjusted", { ["spy.lua"] = [[
  local M = { account = { cash = 100000, fill = "next_open",
                          fees = { per_share = 0.005, minimum = 1 } } }
  function M:on_bar(symbol, close)
    if self.bought then return end
    self.bought = true
    self:buy(symbol, math.floor(0.9975 * self.account.equity / close))
  end
  function M:on_stop() print("held", self:position "SPY", self.account.fees) end
  return M]] }, "spy.lua --data DATA/lean/equity/usa/daily/spy.zip"
  .. " --csv factors=DATA/lean/equity/usa/factor_files/spy.csv"
  .. " --from 2013-10-08T12:00:00 --to 2013-10-18T12:00:00",
  { "held\t697.0\t3.485", "final             104486.22", "8 records" })

-- ---- a disk that takes no more ----

local parts = { "full.html", "full.csv" }
for _, path in ipairs(parts) do put(path, "before") end
run = apps.shell(("cd %s && trap '' XFSZ; ulimit -f 6; timeout 120 %s backtest trade.lua"
  .. " --data four.csv --report full.html --save /dev/full --orders full.csv"):format(dir,
  apps.tidewire:gsub("^'([^/])", "'" .. os.getenv "PWD" .. "/%1")))
t.is(run.status, 1, "what can't be written is told of")
t.is(run.err, "tidewire: backtest: cannot write /dev/full: No space left on"
  .. " device; cannot write full.html: File too large\n", "all of it, in a line")
has(run, "the summary is there", { "final             1018.00", hash })
for i, want in ipairs { "before", apps.read(dir .. "/o.csv") } do
  t.is(apps.read(dir .. "/" .. parts[i]), want, parts[i] .. " is whole")
  t.ok(not exists(dir .. "/" .. parts[i] .. ".part"), "and nothing stands beside it")
end
apps.shell(("cd %s && ln -s full.html link.html"):format(dir))
t.is(backtest "trade.lua --data four.csv --report link.html --save /dev/null".status, 0,
     "a link, a device")
t.ok(apps.read(dir .. "/full.html"):find "<html", "a link stays, its file is new")
t.is(apps.shell(("test -L %s/link.html && test -c /dev/null"):format(dir)).status, 0,
     "what was a link or a device is one")
apps.shell(("cd %s && ln full.html same.html && ln -s new.html none.html"
  .. " && cp full.csv own.csv && chmod 640 own.csv"):format(dir))
t.is(backtest("trade.lua --data four.csv --report same.html --save none.html"
  .. " --orders own.csv").status, 0, "one of two names, a link to nothing, a mode")
t.is(apps.shell(([[cd %s && test full.html -ef same.html && test -L none.html &&
  test -s new.html && test "$(stat -c %%a own.csv)" = 640 &&
  test -z "$(find . -name '*.part')"]]):format(dir)).status, 0, "and they stay that")
run = backtest("trade.lua --data four.csv --orders /dev/stdout >out.txt; cat out.txt")
has(run, "a file that is the output stays it", { "final             1018.00" })

-- ---- whichever allocation fails ----

local refused, fine, n = 0, 0, 1
local command = ("timeout 120 %s backtest %s/trade.lua --data %s/four.csv")
  :format(apps.tidewire, dir, dir)
while n < 4000 do
  local got = apps.shell("TW_FAIL=" .. n .. " " .. command)
  if got.status == 0 and got.out:find(hash, 1, true) then fine = fine + 1
  elseif (got.status == 1 or got.status == 2) and got.err:find "memory" then
    refused = refused + 1
  else
    t.is(got.status, "0, or 1 and a line", "allocation " .. n .. " fails")
    t.diag(got.out .. got.err)
  end
  n = n + (n < 30 and 1 or os.getenv "SMALL" and 211 or 53)
end
t.ok(refused > 10, "a failed allocation is said (" .. refused .. " times)")
t.ok(fine > 3, "or made good (" .. fine .. " times)")
