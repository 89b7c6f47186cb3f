--- pipe: data that can be read only once.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local _, put, command = apps.folder "pipe"
local lines = { "time,symbol,bid,ask" }
for i = 1, 5000 do lines[i + 1] = ("%d,A,%d,%d"):format(1600000000 + i, 5 + i % 3, 9) end
put("quotes.csv", table.concat(lines, "\n") .. "\n")
put("s.lua", [[
  local M = require "tw.strategy".new { doc = "buys", params = {
    k = { default = 1, doc = "how many" } } }
  function M:on_quote(symbol)
    if self.has then return end
    self.has = self:buy { symbol = symbol, quantity = self.params.k }
  end
  return M]])
local PIPE <const> = "cat quotes.csv |"

local function hash(run) return run.out:match "\norder list +(%x+)\n" end

local want = command "backtest s.lua --data quotes.csv"
local got = command("backtest s.lua --data /dev/stdin", PIPE)
t.ok(hash(want) and hash(want) == hash(got), "backtest: as of a file")
got = command("convert /dev/stdin a.tape", PIPE)
t.ok(got.status == 0 and got.err:find "5,000 records", "convert: likewise")
got = command("backtest s.lua --data /dev/stdin --save a.run", PIPE)
t.is(got.err, "tidewire: backtest: /dev/stdin: it can be read only once, and its hash is "
     .. "needed, too\n", "--save needs it again")
t.is(got.status, 1, "status")

-- One with a name is written to, and so changes, when it is read.
got = command("sweep s.lua --data p.csv --set k=1,2 --store none",
              "mkfifo p.csv && { timeout 120 cat quotes.csv >p.csv & } &&")
t.is(apps.said(got), "", "sweep: it has not changed meanwhile")
t.is(got.status, 0, "status")
t.ok(got.out:find "^s.lua: 2 of 2 runs, 0 failed", "it is read once for all runs")
got = command("sweep s.lua --data /dev/stdin --set k=1,2", PIPE)
t.is(got.err, "tidewire: sweep: /dev/stdin can be read only once, so no run is known by "
     .. "it: --store none\n", "but nothing is kept")
t.is(got.status, 1, "status")
