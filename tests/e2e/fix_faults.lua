--- fix_faults: prices over FIX that can't be, or are odd, are told as those of files are:
-- of a session, and of messages over a plain connection.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local ODD <const> = "; such %ss are taken as they are"
local BELOW <const> = "a price below 0 (-1)" .. ODD:format "record"
local CROSSED <const> = "the bid %d is above the ask %d" .. ODD:format "quote"

-- What was said of the feed, but for what tells how it goes.
local function warnings(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = line:match "warning: feed broker: (.*)$"
  end
  table.sort(list)                -- some are told when a batch of messages was read
  return table.concat(list, "\n")
end

-- ---- a session ----

local dir, put, command = apps.folder "fix_faults"
local at = apps.free_port()

-- ZERO has a price of 0 when it is asked for first.
put("venue.lua", [[
  local M, fix = {}, require "tw".fix
  local asked, prices = {}, { NEG = { -1, 11 }, CROSS = { 12, 11 }, FINE = { 1, 2 } }
  function M:on_fix(message)
    local symbol = message.NoRelatedSym[1].Symbol
    local p = prices[symbol] or asked[symbol] and { 10, 11 } or { 0, 11 }
    asked[symbol] = true
    local function entry(side, price)
      return { MDEntryType = side, MDEntryPx = price, MDEntrySize = 5 }
    end
    assert(fix.send("venue", { MsgType = "W", MDReqID = message.MDReqID, Symbol = symbol,
                               NoMDEntries = { entry("0", p[1]), entry("1", p[2]) } }))
  end
  return M]])
put("s.lua", [[
  local M, seen = {}, {}
  function M:on_quote(symbol, bid, ask)
    seen[#seen + 1] = ("%s %g %g"):format(symbol, bid, ask)
    if #seen < 4 then return end
    table.sort(seen)
    print(table.concat(seen, ", "))
    io.popen("kill $PPID"):close()
  end
  return M]])
put("app.lua", ([[
  local app = require "tw.app"
  app.limits { time = 15 }
  app.fix.acceptor { port = %d, sessions = {
    { name = "venue", sender = "VENUE", target = "ME", take = { "V" } } } }
  app.feed.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
    target = "VENUE", retry = 0.05, subscribe = { "ZERO", "NEG", "CROSS", "FINE" },
    depth = 5 }
  app.script "venue.lua" app.script "s.lua"]]):format(at, at))
local run = command "run app.lua --no-attach"
local function has(words, name)
  if not t.ok(run.err:find(words, 1, true), name) then t.diag(run.err) end
end
if not t.is(run.out, "CROSS 12 11, FINE 1 2, NEG -1 11, ZERO 10 11\n",
            "a session: what can't be is asked for again, what is odd is taken") then
  t.diag(run.err)
end
t.ok(run.err:find "35=W, message %d+: a price of 0\n", "a price of 0: its message")
t.ok(run.err:find("message %d+: " .. BELOW:gsub("%p", "%%%0") .. "\n"),
     "a price below 0: likewise")
has(CROSSED:format(12, 11) .. "\n", "a bid above the ask")

-- ---- messages over a connection ----

local function fix(number, bid, ask)
  local body = ("35=W|34=%d|49=X|52=20200106-09:00:0%d|56=Y|55=A|268=2|269=0|270=%s"
    .. "|271=5|269=1|270=%s|271=5|"):format(number, number, bid, ask)
  local text, sum = ("8=FIX.4.4|9=%d|%s"):format(#body, body):gsub("|", "\1"), 0
  for i = 1, #text do sum = sum + text:byte(i) end
  return ("%s10=%03d\1"):format(text, sum % 256)
end
local input = fix(1, 1, 2) .. fix(2, 0, 2) .. fix(3, -1, 2) .. fix(4, 3, 2)
  .. fix(5, "nan", 2) .. fix(6, 5, 6)
put("plain.lua", [[
  local app = require "tw.app"
  app.feed.fix { name = "broker", stdin = true }
  app.script "p.lua"]])
put("p.lua", [[
  return { on_quote = function(self, symbol, bid, ask) print(bid, ask) end }]])
run = apps.shell(("cd %s && %s run plain.lua --no-attach"):format(dir, apps.tidewire),
                 input)
if not t.is(run.out, "1.0\t2.0\n-1.0\t2.0\n3.0\t2.0\n5.0\t6.0\n",
            "messages: what can't be is left out") then
  t.diag(run.err)
end
t.is(warnings(run.err):gsub("offset %d+", "offset"),
     "fix: 270=nan is not a price (35=W, message at offset)\nmessage 2: a price of 0\n"
     .. "message 3: " .. BELOW .. "\nmessage 4: " .. CROSSED:format(3, 2),
     "in a line each")
t.done()
