--- screen: the live screen on a terminal, plain lines anywhere else.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local go = apps.directory .. "/go"
local APP = { app = [[
    app.feed.synthetic { rate = 2000, seed = 2 } app.feed.timer { every = 0.1 }
    app.script("s.lua", { shard = "symbol" })
    app.screen { title = "a market", board = { "shown.*" } }]],
  ["s.lua"] = [[
    function M.on_quote(symbol, mid) board["shown." .. symbol] = mid board.hidden = 1 end
    function M.on_start() print "a line" end
    function M.on_stop() print "the end" end
    function M:on_timer()
      if self.shard == 1 and not self.told and io.open ']] .. go .. [[' then
        self.told = true
        ]] .. apps.stop .. [[
      end
    end]],
  args = { "--workers", "2" } }

-- What a terminal shows after these bytes: a list of lines.
local function terminal(bytes)
  local rows, row = {}, 1
  bytes = bytes:gsub("\r", "")
  for plain, code, rest in (bytes .. "\27[0m"):gmatch "([^\27]*)\27%[%??([%d;]*)(%a)" do
    for text, feed in (plain .. "\0"):gmatch "([^\n%z]*)([\n%z])" do
      if text ~= "" then rows[row] = (rows[row] or "") .. text end
      if feed == "\n" then row = row + 1 end
    end
    if rest == "H" then row = tonumber(code:match "^%d+" or 1)
    elseif rest == "K" then rows[row] = nil
    elseif rest == "J" then rows = {} end
  end
  return rows
end

local _, command = apps.write(APP)
local probe = apps.shell("script -qec 'test -t 1 && echo a terminal' /dev/null")
if probe.out:find "a terminal" then
  -- When all is there, the board with its history, and one more picture has begun.
  local worker = " +%d+ +%S+ +%S+ %l+ +%S+ %l+ +%S+ KiB  s"
  local run = apps.until_shown("script -qefc "
    .. apps.quote("stty rows 40 cols 100; " .. command) .. " /dev/null",
    " 0" .. worker .. ".- 1" .. worker
    .. ".-shown%.AAPL +%d+%.%d+ [^\27]*▁.-shown%.AAPL", nil, "touch " .. go)
  local before = run.out:match "^(.*)\27%[40;1H\27%[%?25h"
  t.is(run.status, 143, "on a terminal: status")
  if t.ok(before, "the live screen is left at its end") then
    local rows = terminal(before)
    local all = {}
    for i = 1, 40 do all[i] = rows[i] or "" end
    local text = table.concat(all, "\n")
    local function shows(pattern, name)
      if not t.ok(text:find(pattern), name) then t.diag(text) end
    end
    t.ok(before:find "\27%[%?25l", "the cursor is hidden")
    shows("^a market +%d[%d.]* s +%S+ records/s", "title, time and rate")
    shows("\nfeed synthetic: live", "feeds")
    shows("\nworker +lag +handled +p50 +p99 +memory +scripts\n", "workers: titles")
    for i = 0, 1 do shows("\n +" .. i .. worker .. "\n", "worker " .. i) end
    shows("\nshown%.AAPL +%d+%.%d+ .*[▁-█]", "board values with their history")
    shows("\na line", "lines of scripts")
    t.ok(not text:find "hidden", "nothing that the app doesn't want shown")
  end
  t.ok(run.out:find "records in [%d.]+ s, ", "then the summary")
  t.ok(run.out:find "the end", "and what on_stop said")
else
  t.skip "script(1) makes no terminal here"
end

os.remove(go)
local LINE = "%d+%.%d s  %S+ records/s  p99 [^\n]*shown%.AAPL=%d+%.%d+ "
local run = apps.until_shown(command, LINE, nil, "touch " .. go)
t.is(run.out, "a line\na line\nthe end\nthe end\n", "to a file: what scripts print")
t.ok(run.err:find(LINE), "to a file: a line a second")
t.ok(not (run.out .. run.err):find "\27", "to a file: plain text")
t.ok(not run.err:find "hidden", "to a file: only what the app wants shown")
