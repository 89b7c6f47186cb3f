--- query: declared statistics over a file: `tidewire stat` and stat.read.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local stat = require "tw.stat"

local N = os.getenv "SMALL" and 300 or 3000
local SYMBOLS = { "AAPL", "BP", "GOOG", "XOM" }

-- ---- a small market, as CSV, as FIX, and as Lua tables ----

local quotes, csv, fix = {}, { "time,symbol,bid,ask,bid_size,ask_size" }, {}
do
  local seed = 12345
  local function random(n)                       -- the same on every machine
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % n
  end
  for i = 1, N do
    local bid = 10000 + random(500)
    local q = { symbol = SYMBOLS[1 + random(4)], ms = i * 200000 // N,
                bid = ("%.2f"):format(bid / 100),
                ask = ("%.2f"):format((bid + 1 + random(9)) / 100),
                bid_size = 100 * (1 + random(50)), ask_size = 100 * (1 + random(50)) }
    quotes[i] = q
    local s = q.ms // 1000
    local time = ("%02d:%02d:%02d.%03d"):format(9 + s // 3600, s // 60 % 60, s % 60,
                                                q.ms % 1000)
    csv[#csv + 1] = ("2024-01-02T%s,%s,%s,%s,%d,%d"):format(time, q.symbol, q.bid, q.ask,
                                                            q.bid_size, q.ask_size)
    fix[i] = apps.fix(("35=X|34=%d|52=20240102-%s|268=2|279=0|269=0|55=%s|270=%s|271=%d|"
      .. "279=0|269=1|55=%s|270=%s|271=%d|"):format(i, time, q.symbol, q.bid, q.bid_size,
                                                    q.symbol, q.ask, q.ask_size))
  end
end

local BAD = "time,symbol,bid,ask\n1,A,1,2\n2,A,x,2\n3,B,3,4\n"
local dir = apps.write { files = {
  ["q.csv"] = table.concat(csv, "\n") .. "\n", ["q.fix"] = table.concat(fix),
  ["plain"] = table.concat(fix), ["text"] = table.concat(csv, "\n") .. "\n",
  ["two.csv"] = "time,symbol,bid,ask\n1,A,1,1.5\n2,B,2,2.125\n3,A,3,3.25\n",
  ["rows.csv"] = "1;1;1.5\n2;2;2.125\n",
  ["bad.csv"] = BAD, ["empty.csv"] = "", ["nothing.csv"] = "hello\nworld\n",
  ["sides.csv"] = "time,symbol,bid,ask\n1,A,,2\n2,A,1,3\n3,A,2,4\n",
  ["i.csv"] = "symbol,sector,weight,country\nAAPL,tech,0.5,US\nGOOG,tech,0.25,US\n"
    .. "BP,oil,0.125,\"UK\"\n\nXOM,oil,,US\n",
  ["i-bad.csv"] = "symbol,weight\nAAPL,heavy\n", ["i-none.csv"] = "name\nAAPL\n",
  ["i-wide.csv"] = "symbol\nAAPL,1\n",
} }
assert(os.execute(("cd %s && gzip -k q.csv q.fix text && head -c 300 q.csv.gz >cut.csv.gz"
  .. " && head -c 500 q.fix >cut.fix"):format(dir)))

--- Runs `tidewire stat` with words, in the directory of the files.
local function query(...)
  local words = { ... }
  for i, word in ipairs(words) do words[i] = apps.quote(word) end
  return apps.shell(("cd %s && timeout 120 %s stat %s"):format(dir, apps.tidewire,
                                                              table.concat(words, " ")))
end

--- What `--csv` has printed: a list of rows, each {title = number or text}.
local function rows_of(text)
  local rows, titles = {}, nil
  for line in text:gmatch "[^\n]+" do
    local cells = {}
    for cell in (line .. ","):gmatch "([^,]*)," do cells[#cells + 1] = cell end
    if titles then
      local row = {}
      for i, cell in ipairs(cells) do row[titles[i]] = tonumber(cell) or cell end
      rows[#rows + 1] = row
    else
      titles = cells
    end
  end
  return rows
end

local function near(got, want) return math.abs(got - want) <= 1e-9 * math.abs(want) end

-- ---- against plain Lua ----

local expected = {}
for _, symbol in ipairs(SYMBOLS) do
  local e = { symbol = symbol, n = 0, sum = 0, size = 0, high = -math.huge }
  for _, q in ipairs(quotes) do
    if q.symbol == symbol then
      e.n, e.sum = e.n + 1, e.sum + tonumber(q.ask) - tonumber(q.bid)
      e.size = e.size + q.bid_size
      e.high = math.max(e.high, tonumber(q.bid))
    end
  end
  e.spread = e.sum / e.n
  expected[#expected + 1] = e
end

local QUERIES = { "spread = mean(ask - bid), n = count() by symbol",
                  "size = sum(bid_size) by symbol", "high = max(bid) by symbol" }

for _, case in ipairs {
  { "q.csv" }, { "q.csv.gz" }, { "q.fix" }, { "q.fix.gz" }, { "plain" }, { "text" },
  { "text.gz" }, { "text", "--format", "csv" }, { "plain", "--format", "fix" },
} do
  local words = table.move(QUERIES, 1, #QUERIES, 1, {})
  table.move(case, 1, #case, #words + 1, words)
  words[#words + 1] = "--csv"
  -- An option's value comes after it, so the file is the last word that is neither.
  local run = query(table.unpack(words))
  local rows, name = rows_of(run.out), table.concat(case, " ")
  local fine = t.is(run.status, 0, name .. ": status")
  fine = t.is(#rows, #expected, name .. ": a row for each symbol") and fine
  for i, e in ipairs(expected) do
    local row = rows[i] or {}
    fine = t.ok(row.symbol == e.symbol and row.n == e.n and row.size == e.size
                and row.high == e.high and near(row.spread, e.spread),
                name .. ": " .. e.symbol) and fine
  end
  fine = t.ok(run.err:find("^" .. N .. " records in [^\n]+ records/s\n$"),
              name .. ": how many there were") and fine
  if not fine then t.diag(run.out .. run.err) end
end

-- By minute, filtered: a number as a key.
do
  local run = query("count() by (time // 1m - 28403100), symbol where bid_size > 2500",
                    "q.csv", "--csv")
  local want, n = {}, 0
  for _, q in ipairs(quotes) do
    if q.bid_size > 2500 then
      local key = ("%d,%s"):format(q.ms // 60000, q.symbol)
      want[key] = (want[key] or 0) + 1
    end
  end
  local same = true
  for minute, symbol, count in run.out:gmatch "\n(%d+),(%w+),(%d+)" do
    n = n + 1
    same = same and want[minute .. "," .. symbol] == tonumber(count)
  end
  local wanted = 0
  for _ in pairs(want) do wanted = wanted + 1 end
  if not t.ok(same and n == wanted and n > 12, "by two keys, filtered") then
    t.diag(run.out .. run.err)
  end
end

-- ---- what is printed ----

local function prints(name, words, want, pattern)
  local run = query(table.unpack(words))
  local fine = t.is(run.out, want, name)
  fine = t.is(run.status, 0, name .. ": status") and fine
  if pattern then fine = t.ok(run.err:find(pattern), name .. ": notes") and fine end
  if not fine then t.diag(run.err) end
end

prints("a table", { "spread = mean(ask - bid), n = count() by symbol", "two.csv" },
       "symbol  spread  n\nA        0.375  2\nB        0.125  1\n")
prints("several tables", { "count()", "mean(bid) by symbol", "m = max(bid)", "two.csv" },
       "count()  m\n      3  3\n\n"
       .. "symbol  mean(bid)\nA               2\nB               2\n")
prints("CSV", { "max(ask - bid, 0.2) by symbol", "--csv", "two.csv" },
       'symbol,"max(ask - bid, 0.2)"\nA,0.25\nB,0.2\n')
prints("a statistic of a named one", { "m = mean(bid), twice = m * 2 by symbol",
       "two.csv" }, "symbol  m  twice\nA       2      4\nB       2      4\n")
prints("sorted by a statistic", { "n = count() by symbol", "two.csv", "--sort", "n",
       "--csv" }, "symbol,n\nA,2\nB,1\n")
prints("sorted by a key, of an expression", { "count() by symbol, (bid // 1)", "two.csv",
       "--sort", "bid // 1", "--csv" }, "symbol,bid // 1,count()\nA,1,1\nB,2,1\nA,3,1\n")
prints("a table for each expression", { "count() by (bid // 2)",
       "n = count() by (bid // 3)", "two.csv", "--csv" },
       "bid // 2,count()\n0,1\n1,2\n\nbid // 3,n\n0,2\n1,1\n")
prints("one for the same expression", { "count(), max(bid) by (bid // 2)",
       "n = count() by (bid//2)", "two.csv", "--csv" },
       "bid // 2,count(),max(bid),n\n0,1,1,1\n1,2,3,2\n")
prints("a statistic in parentheses", { "n = (count() by (bid // 2))",
       "m = (max(bid) by (bid // 2))", "two.csv", "--csv" },
       "value,n,m\n0,1,1\n1,2,3\n")
prints("the top of it", { "s = sum(bid) by symbol", "two.csv", "--sort", "s", "--top",
       "1" }, "symbol  s\nA       4\n")
prints("no value yet", { "v = variance(bid) by symbol", "two.csv", "--csv" },
       "symbol,v\nA,2\nB,\n")
prints("an empty file", { "count() by symbol", "n = count()", "empty.csv" },
       "symbol  count()\n\nn\n0\n", "^0 records in ")
prints("columns without a header", { "mean(ask - bid) by symbol", "rows.csv", "--set",
       "columns=time,bid,ask", "--set", "separator=;", "--set", "symbol=Z", "--csv" },
       "symbol,mean(ask - bid)\nZ,0.3125\n")
prints("what is refused is told", { "n = count() by symbol", "bad.csv", "--csv" },
       "symbol,n\nA,1\nB,1\n", "^tidewire: warning: csv: line 3: bid 'x' is not a"
       .. " number\ntidewire: warning: bad.csv: 1 error\n2 records in ")
prints("quotes of one side", { "n = count()", "sides.csv" }, "n\n2\n", "^3 records")
prints("quotes of one side, asked for", { "n = count(), m = mean(bid)", "sides.csv",
       "--set", "one_sided=true" }, "n    m\n3  1.5\n")
prints("an end in a message is told", { "n = count()", "cut.fix" }, "n\n3\n",
       "warning: cut.fix: 1 skip of %d+ bytes\n")

do
  local run = query("w = sum(weight), n = count() by sector", "c = count() by country",
                    "q.csv", "--instruments", "i.csv", "--csv")
  local n = {}
  for _, e in ipairs(expected) do n[e.symbol] = e.n end
  local oil, tech = n.BP + n.XOM, n.AAPL + n.GOOG
  local function number(x) return ("%.15g"):format(x) end
  t.is(run.out, ("sector,w,n\noil,%s,%d\ntech,%s,%d\n\ncountry,c\nUK,%d\nUS,%d\n"):format(
    number(0.125 * n.BP), oil, number(0.5 * n.AAPL + 0.25 * n.GOOG), tech, n.BP,
    tech + n.XOM), "sectors, weights and attributes from a file")
end

-- ---- errors ----

for _, case in ipairs {
  { 2, "a query and a file expected: .*", "q.csv" },
  { 2, "a query and a file expected: .*" },
  { 2, "mean%(ask %- bidd%): column 12: no field or statistic 'bidd'; "
    .. "did you mean 'bid'%?", "mean(ask - bidd)", "q.csv" },
  { 2, "mean%(ask: column 9: .*", "mean(ask", "q.csv" },
  { 2, "there are two statistics called 'n'", "n = count()", "n = sum(bid)", "q.csv" },
  { 2, "unknown option '%-%-nonsense'", "--nonsense", "count()", "q.csv" },
  { 2, "unknown option '%-x'", "-x", "count()", "q.csv" },
  { 2, "%-%-sort price: there is no such column", "count()", "q.csv", "--sort", "price" },
  { 2, "%-%-top 0: a number of rows expected", "count()", "q.csv", "--top", "0" },
  { 2, "%-%-top: the value is missing", "count()", "q.csv", "--top" },
  { 2, "%-%-set nonsense=1: an option of stat.read expected: .*", "count()", "q.csv",
    "--set", "nonsense=1" },
  { 2, "%-%-set base=x: not a number", "count()", "q.csv", "--set", "base=x" },
  { 2, "%-%-set one_sided=yes: neither true nor false", "count()", "q.csv", "--set",
    "one_sided=yes" },
  { 2, "FIX has no option 'columns'", "count()", "q.fix", "--format", "fix", "--set",
    "columns=time,bid,ask" },
  { 2, "format must be fix or csv, got 'xml'", "count()", "q.csv", "--format", "xml" },
  { 2, ".*'bidd'.*", "count()", "q.csv", "--set", "columns=time,bidd" },
  { 1, "cannot open none.csv: no such file or directory", "count()", "none.csv" },
  { 1, "cut.csv.gz: cut off at byte 300", "count()", "cut.csv.gz" },
  { 1, "cannot open none.csv: .*", "count()", "q.csv", "--instruments", "none.csv" },
  { 1, "i%-bad.csv: line 2: weight 'heavy' is not a number", "count()", "q.csv",
    "--instruments", "i-bad.csv" },
  { 1, ".*no symbol", "count()", "q.csv", "--instruments", "i-none.csv" },
  { 1, "i%-wide.csv: line 2: 2 cells, but 1 names", "count()", "q.csv", "--instruments",
    "i-wide.csv" },
} do
  local run = query(table.unpack(case, 3))
  local name = table.concat(case, " ", 3)
  local see = case[1] == 2 and "; see `tidewire help stat`" or ""
  local fine = t.is(run.status, case[1], name .. ": status")
  fine = t.ok(run.err:find("^tidewire: stat: " .. case[2] .. see .. "\n$")
              and not run.err:find "\n.", name .. ": one line") and fine
  fine = t.is(run.out, "", name .. ": nothing is printed") and fine
  if not fine then t.diag(run.err) end
end
do
  local run = query("count()", "nothing.csv")
  t.is(run.status, 1, "a file of something else: status")
  t.ok(run.err:find "line 1: header: .*\ntidewire: stat: nothing.csv: nothing in it is a"
       and run.out == "", "a file of something else")
end
if io.open "/dev/full" then
  local run = apps.shell(("%s stat 'count()' %s/q.csv >/dev/full"):format(apps.tidewire,
                                                                        dir))
  t.ok(run.status == 1 and run.err:find "standard output: ", "a full disk is told")
end

-- ---- stat.read ----

do
  local spread = stat.mean("ask - bid"):by "symbol"
  local s, report = stat.read(dir .. "/q.csv", {
    spread = spread, n = "count()",
    mid = stat.last("mid"):sample { records = 10, history = 5 },
  })
  t.is(report.records, N, "read: the report")
  t.is(#report.problems, 0, "read: nothing was refused")
  t.is(s.n.value, N, "read: a statistic by nothing")
  t.is(#s.spread, #SYMBOLS, "read: its keys")
  t.ok(near(s.spread.AAPL.value, expected[1].spread), "read: a reading")
  t.is(#s.spread:column(), #SYMBOLS, "read: a column")
  t.is(s.spread:freeze().BP.value, s.spread.BP.value, "read: frozen")
  t.is(#s.mid:history(), 5, "read: a history")
  local other = stat.read(dir .. "/two.csv", { spread = spread })
  t.is(other.spread.B.value, 0.125, "read: the same declaration over another file")
  t.ok(s.spread.B == nil and s.spread.AAPL, "read: each file has its own")
  t.ok(not rawget(spread, "tracked"), "read: a declaration is not bound to a file")
  t.ok(s.spread:merge(other.spread:save()) and s.spread.B.value == 0.125
       and near(s.spread.AAPL.value, expected[1].spread),
       "read: merged with another file")
  collectgarbage()
  t.is(other.spread:get "A", 0.375, "read: views keep what they read")
end
do
  local s, why, code = stat.read(dir .. "/none.csv", { n = "count()" })
  t.ok(s == nil and why:find "none.csv: no such file" and math.type(code) == "integer",
       "read: no such file")
  s, why = stat.read(dir .. "/cut.csv.gz", { n = "count()" })
  t.ok(s == nil and why:find "cut off at byte 300", "read: a truncated file")
end
for _, case in ipairs {
  { "stat.read: a path and a table of declarations expected" },
  { "stat.read: a path and a table .*", dir },
  { "stat.read: a table of options expected, got number", "x", {}, 1 },
  { "stat.read: no option 'speed'", "x", {}, { speed = 1 } },
  { "stat.read: symbol must be a string, got 1", "x", {}, { symbol = 1 } },
  { "stat.read: format must be fix or csv, got 'x'", "x", {}, { format = "x" } },
  { ".*instruments%[1%]: no symbol", "x", {}, { instruments = { { sector = "a" } } } },
  { ".*instruments%[1%].*weight must be a number.*", "x", {},
    { instruments = { { symbol = "A", weight = "a" } } } },
  { "mean%(x%): column 6: no field or statistic 'x'.*", "x", { m = "mean(x)" } },
  { "track: m: a query has no board and publishes nothing", "x",
    { m = stat.mean("mid"):sample { board = true } } },
  { ".*'bidd'.*", dir .. "/two.csv", { n = "count()" }, { columns = "time,bidd" } },
} do
  local fine, why = pcall(stat.read, table.unpack(case, 2))
  if not t.ok(not fine and tostring(why):find("^[^\n]*" .. case[1] .. "$"),
              "read raises: " .. case[1]) then t.diag(tostring(why)) end
end

-- ---- as a run has it ----

local DECLARED = [[{
  spread = "mean(ask - bid) by symbol", n = "count()",
  vol = "ewma((mid / prev(mid) - 1)^2, alpha=0.01) by sector",
  index = "sum(weight * (mid - prev(mid, initial=0)))",
  median = "median(mid) by symbol, (time // 1m)",
  rolling = "variance(mid, window=16) by country",
  above = "mean(mid - vol) by symbol", order = "last(seq)",
}]]
local INSTRUMENTS = [[{
  { symbol = "AAPL", sector = "tech", weight = 0.5, country = "US" },
  { symbol = "BP", sector = "oil", weight = 0.25, country = "UK" },
  { symbol = "GOOG", sector = "tech", country = "US" },
}]]
local PRINT = [[
  local names = {}
  for name in pairs(s) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if name == "n" or name == "index" or name == "order" then
      print(name, ("%.17g"):format(s[name].value))
    else
      for key, reading in pairs(s[name]) do
        if type(key) == "table" then key = table.concat(key, ",") end
        print(name, key, ("%.17g"):format(reading.value or 0 / 0))
      end
    end
  end
]]
for _, file in ipairs { "q.csv", "q.fix" } do
  local run = apps.run { app = ([[app.instruments(%s) app.script "s.lua"
    app.feed.%s { file = "%s/%s" }]]):format(INSTRUMENTS, file:match "%w+$", dir, file),
    ["s.lua"] = ([[
      local s
      function M:on_start() s = self:track(%s) end
      function M.on_stop() %s end]]):format(DECLARED, PRINT) }
  local _, command = apps.write { files = { ["plain.lua"] =
    ([[local s = assert(require "tw.stat".read("%s/%s", %s, { instruments = %s })) %s]])
      :format(dir, file, DECLARED, INSTRUMENTS, PRINT) } }
  local plain = apps.shell((command:gsub("' run '(.*)/app.lua'", "' '%1/plain.lua'")
                            :gsub(" run '(.*)/app.lua'", " '%1/plain.lua'")))
  t.is(plain.out, run.out, file .. ": the same as tracked in a run")
  local fine = t.ok(#run.lines > 20 and run.status == 0 and plain.status == 0,
                    file .. ": both say something")
  if not fine then t.diag(run.err .. plain.err) end
end

-- What a file had is where a run begins.
apps.prints("loaded into a run", { app = ([[app.script "s.lua"
    app.feed.csv { file = "%s/two.csv" }]]):format(dir), ["s.lua"] = ([[
    local spread, n = "mean(ask - bid) by symbol", "count()"
    local s
    function M:on_start()
      s = self:track { spread = spread, n = n }
      local before = require "tw.stat".read("%s/two.csv", { spread = spread, n = n })
      assert(s.spread:load(before.spread:save()))
      assert(s.n:load(before.n:save()))
    end
    function M.on_stop() print(s.n.value, s.spread.A.count, s.spread.A.value) end]])
    :format(dir) }, "6\t4\t0.375\n")

-- In a job of the pool, and in a script.
do
  local tw = require "tw"
  local f = tw.pool.run(function(path)
    local read = require "tw.stat".read
    return read(path, { n = "count() by symbol" }).n:freeze()
  end, dir .. "/two.csv")
  t.is(f:await().A.value, 2, "in a job of the pool")
end
local run = apps.prints("in a script", { app = [[app.script "s.lua"
    app.feed.synthetic { speed = 0, limit = 1 }]], ["s.lua"] = ([[
    function M.on_start()
      local s, report = require "tw.stat".read("%s/bad.csv", { n = "count()" })
      print(s.n.value, report.errors, report.problems[1])
    end]]):format(dir) }, "2\t1\tcsv: line 3: bid 'x' is not a number\n")
t.ok(run.err:find "warning: [^\n]*stat.read: [^\n]*bad.csv: 1 error, first: csv: line 3",
     "what is refused is warned of")

-- ---- whichever allocation fails ----

do
  local refused, fine = 0, 0
  local want = query("n = count() by symbol", "two.csv").out
  local function try(n)
    local run = apps.shell(("TW_LEAKS=1 TW_FAIL=%d timeout 120 %s stat "
      .. "'n = count() by symbol' %s/two.csv"):format(n, apps.tidewire, dir))
    if run.status == 0 and run.out == want then fine = fine + 1
    elseif run.status ~= 0 and run.err:find "^tidewire: [^\n]*memory" then
      refused = refused + 1
    else
      t.is(run.status .. run.err, "0, or 1 and a line", "allocation " .. n .. " fails")
    end
  end
  -- What Lua is refused it asks for again after a collection, so most tries are fine:
  -- those around one that was not are what the host itself wanted.
  for n = 1, 30 do try(n) end
  local last = 31
  for n = 31, 4000, os.getenv "SMALL" and 47 or 13 do
    local before = refused
    try(n)
    if refused > before then
      for near = math.max(last, n - 12), n + 12 do try(near) end
      last = n + 13
    end
  end
  t.ok(refused > 10, "without memory it says so (" .. refused .. " times)")
  t.ok(fine > 5, "with it, it goes on (" .. fine .. " times)")
end

-- ---- real data ----

local REAL = "../shared/data/lean/forex/fxcm/tick/eurusd/20140508_quote.zip"
if io.open(REAL) then
  local s, report = assert(stat.read(REAL, {
    n = "count()", hours = "count() by (time // 1h)", low = "min(bid)", high = "max(ask)",
    spread = "mean(ask - bid) by symbol",
  }))
  t.is(s.n.value, 167466, "EURUSD: every row that the data's README counts")
  t.is(report.errors + report.skips, 0, "EURUSD: nothing is refused")
  t.is(math.tointeger(s.hours:column():sum()), 167466, "EURUSD: hours add up")
  t.ok(s.low.value > 1.3 and s.high.value < 1.5 and s.spread.EURUSD.value > 0,
       "EURUSD: prices")
else
  t.skip "EURUSD: no ../shared/data here"
end

t.done()
