--- account: what a script says wrongly of its account is one line, wherever it runs.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local _, put, command = apps.folder "account"
put("data.csv", "time,symbol,bid,ask\n1700000000,A,10,11\n1700000001,A,10,11\n")

local FEED <const> = 'local app = require "tw.app" app.feed.csv { file = "data.csv" } '
local GATEWAY <const> = 'app.gateway.fix { name = "broker", host = "127.0.0.1", port = 1,'
  .. ' sender = "A", target = "B" } '
local M <const> = "local M = { account = %s } function M.on_quote() end return M"
local NEW <const> = 'local M = require "tw.strategy".new { doc = "x", account = %s } '
  .. "function M.on_quote() end return M"

-- Nothing else is printed, and it says what is wrong and what to do.
local function refuses(what, words, before, want)
  local made = command(words)
  local all = made.out .. made.err
  local line = before .. want
  t.ok(made.status ~= 0 and all == line .. "\n", what .. ": " .. want)
  if all ~= line .. "\n" then t.diag(made.status .. " " .. all .. "# want " .. line) end
end

local function everywhere(script, account, want)
  put("s.lua", script:format(account))
  put("app.lua", FEED .. 'app.script "s.lua"')
  refuses("run", "run app.lua --no-attach", "tidewire: script s.lua: ", want)
  refuses("backtest", "backtest s.lua --data data.csv",
          "tidewire: backtest: script s.lua: ", want)
  local sweep = command "sweep s.lua --data data.csv --set x=1,2 --store none"
  local all = sweep.out .. sweep.err
  t.ok(sweep.status ~= 0 and all:find("x=1: script s.lua: " .. want .. "\n", 1, true)
       and not all:find("traceback", 1, true), "sweep: " .. want)
  if not all:find(want, 1, true) then t.diag(all) end
end

for _, script in ipairs { M, NEW } do
  everywhere(script, '"main"', "account: a table expected, got 'main'; say { gateway ="
             .. " 'main' } for where its orders go (see tidewire help trading)")
end
everywhere(M, "{ cahs = 1 }", "account: no option 'cahs'; did you mean 'cash'?")

-- A gateway that the app does not have; a script by itself has no app to ask.

put("s.lua", M:format "{ gateway = 'brokr' }")
put("app.lua", FEED .. GATEWAY .. 'app.script "s.lua"')
local NONE <const> = "account: gateway 'brokr': there is none; app.gateway.fix { name ="
  .. " \"brokr\", ... } makes one; did you mean 'broker'?"
refuses("run", "run app.lua --no-attach", "tidewire: script s.lua: ", NONE)
refuses("backtest of an app", "backtest app.lua --data data.csv",
        "tidewire: backtest: script s.lua: ", NONE)
t.is(command("backtest s.lua --data data.csv").status, 0, "a backtest of it alone")
