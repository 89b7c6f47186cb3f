--- source: what a backtest and a sweep call the feeds of their data, and scripts that
-- name them.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir, put, command = apps.folder "s"

local function said(run)
  return (run.out:gsub("%f[^\0\n][%d-]+ [%d:.]+ ", ""):gsub("\n%l+%.lua  .*", "\n"))
end
local function is(words, want, name)
  local run = command(words)
  if not t.is(said(run), want, name) then t.diag(run.err) end
end

put("a.csv", "time,symbol,bid,ask\n2020-01-02T10:00:00,A,1,2\n"
    .. "2020-01-02T10:00:02,A,2,3\n")
put("b.csv", "time,symbol,bid,ask\n2020-01-02T10:00:01,B,3,4\n")
put("s.lua", [[
  local M = { sources = ... or nil }
  function M:on_quote(symbol, source) print(symbol, source) end
  return M]])

-- ---- texts ----

local TWO <const> = "A\ta.csv\nB\tb.csv\nA\ta.csv\n"
is("backtest s.lua --data a.csv b.csv", TWO, "a text: the file")
apps.shell(("cd %s && mkdir -p in && cp a.csv b.csv in && gzip -k b.csv"):format(dir))
is("backtest s.lua --data in", TWO, "in a folder, too")
is("backtest s.lua --data b.csv.gz", "B\tb.csv.gz\n", "its whole name")

-- ---- tape files ----

put("app.lua", [[
  local app = require "tw.app"
  app.feed.csv { file = "a.csv", name = "one" }
  app.feed.csv { file = "b.csv", name = "two" }]])
local recorded = command "record app.lua live.tape --no-attach"
t.is(recorded.status, 0, "a run of two feeds is recorded")
local function lines(run)
  local list = {}
  for line in said(run):gmatch "[^\n]+" do list[#list + 1] = line end
  table.sort(list)
  return table.concat(list, ", ")
end
t.is(lines(command "backtest s.lua --data live.tape"), "A\tone, A\tone, B\ttwo",
     "a tape file: the feeds that it was recorded of")
t.is(command "convert a.csv b.csv all.tape".status, 0, "a tape file of texts")
is("backtest s.lua --data all.tape", TWO, "is called as they are")
is("backtest s.lua --data all.tape b.csv.gz",
   "A\ta.csv\nB\tb.csv\nB\tb.csv.gz\nA\ta.csv\n", "each of several files has its own")

-- ---- scripts that name them ----

put("one.lua", apps.read(dir .. "/s.lua"):gsub("%.%.%. or nil", '{ "one" }'))
put("b.lua", apps.read(dir .. "/s.lua"):gsub("%.%.%. or nil", '"b.csv"'))
t.is(lines(command "backtest one.lua --data live.tape"), "A\tone, A\tone",
     "a script takes what it takes in a run")
t.is((said(command "backtest b.lua --data a.csv b.csv"):match "^[^\n]*"), "B\tb.csv",
     "or a file")

-- ---- sweeps ----

put("n.lua", [[
  local M = require "tw.strategy".new { params = { of = "A" } }
  function M:on_quote(symbol, source)
    if symbol == self.params.of then error(("%s of %s"):format(symbol, source)) end
  end
  return M]])
for _, case in ipairs { { "b.csv", "B of b.csv" }, { "live.tape", "A of one" },
                        { "b.csv.gz live.tape", "A of one" },
                        { "b.csv --over symbol", "B of b.csv" } } do
  local data, want = table.unpack(case)
  local run = command("sweep n.lua --store none --json --set of="
                      .. want:sub(1, 1) .. " --data " .. data)
  t.ok((run.out .. run.err):find(want, 1, true) or t.diag(run.out .. run.err),
       "a sweep: " .. data)
end

-- ---- more than there are numbers ----

apps.shell(("mkdir -p %s/many"):format(dir))
for i = 1, 300 do
  put(("many/%03d.csv"):format(i), "time,symbol,bid,ask\n2020-01-02,A,1,2\n")
end
local many = said(command "backtest s.lua --data many")
t.is(select(2, many:gsub("other files", "")), 47, "300 files: the last ones have a name"
     .. " together")
t.ok(many:find("\nA\t253.csv\nA\tother files\n", 1, true), "the others have their own")
t.done()
