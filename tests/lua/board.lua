--- board: the latest values by name, from every state.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local FEED = "app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = %d } "

local function run(name, text, want)
  return apps.prints(name, { app = FEED:format(1) .. 'app.script("s.lua")',
    ["s.lua"] = "function M.on_start()\n" .. text .. "\nend" }, want)
end

run("every kind of value", [[
  board.a, board.b, board.c, board.d = 1, 1.0, "text", true
  board.e, board.f, board[("n"):rep(63)] = false, "", ("v"):rep(63)
  print(board.a, board.b, board.c, board.d, board.e, board.f == "", #board[("n"):rep(63)])
  board.i, board.z = math.mininteger, "a\0b"
  print(board.i == math.mininteger, #board.z)
  print(board.nothing, rawget(board, "a"))]],
  "1\t1.0\ttext\ttrue\tfalse\ttrue\t63\ntrue\t3\nnil\tnil\n")
run("pairs, in the order of the names; nil clears", [[
  board.x = 1 board.y = 2 board.z = 3
  board.y = nil
  for k, v in pairs(board) do print(k, v) end
  board.y, board.x = 5, 6
  for k, v in pairs(board) do print(k, v) end]],
  "x\t1\nz\t3\nx\t6\ny\t5\nz\t3\n")
run("what can't stand on it", [[
  for _, v in ipairs { print, io.stdout, { a = { print } }, setmetatable({}, {}) } do
    print(select(2, pcall(function() board.x = v end)))
  end
  print(select(2, pcall(function() board[""] = 1 end)))
  print(select(2, pcall(function() board[("n"):rep(64)] = 1 end)))
  print(select(2, pcall(function() board[{}] = 1 end)))
  print(select(2, pcall(function() return board[nil] end)))
  print(board.x, next(board), board[""], board[("n"):rep(64)])]], [[
s.lua:3: board['x'] is a function
s.lua:3: board['x'] is a userdata
s.lua:3: board['x'].a[1] is a function
s.lua:3: board['x'] has a metatable: only plain tables can be frozen
]] .. "s.lua:5: board['']: a name has 1 to 63 bytes\n"
  .. "s.lua:6: board['" .. ("n"):rep(64) .. "']: a name has 1 to 63 bytes\n"
  .. "s.lua:7: bad argument #2 to 'newindex' (string expected, got table)\n"
  .. "s.lua:8: bad argument #2 to 'index' (string expected, got nil)\n"
    .. "nil\tnil\tnil\tnil\n")
run("tables stand on it frozen, one for all who look", [[
  local limits = { tech = { 1, 2 } }
  board.limits, board.again = limits, nil
  limits.tech = nil
  print(#board.limits.tech, board.limits == board.limits, tw.thaw(board.limits).tech[2])
  board.again = board.limits.tech
  print(board.again == board.limits.tech)
  local old = board.limits
  board.limits = { tech = { 1, 2 } }
  print(old == board.limits, #old.tech, board.again == old.tech)
  board.limits = nil
  collectgarbage()
  print(board.limits, old.tech[2], board.again[1])
  board.long = ("x"):rep(1000)
  print(#board.long, board.long == ("x"):rep(1000))
  for k, v in pairs(board) do print(k, type(v)) end]],
  "2\ttrue\t2\ntrue\nfalse\t2\ttrue\nnil\t2\t1\n1000\ttrue\n"
  .. "again\tuserdata\nlong\tstring\n")

-- Four workers: each writes names of its own and one that all share; what is read
-- is always one that was written, whole.
local run4 = apps.run { args = { "--workers", "4" },
  app = FEED:format(2000) .. [[
    for w = 0, 3 do app.script("s.lua", { workers = { w } }) end]], ["s.lua"] = [[
  function M:on_quote(seq)
    board["own." .. self.worker] = seq
    assert(board["own." .. self.worker] == seq)
    board.shared = ("%d"):format(self.worker):rep(1 + seq % 60)
    local s = board.shared
    assert(s == s:sub(1, 1):rep(#s), s)
    local last = board["own." .. (self.worker + 1) % 4] or 0
    assert(last >= (self.seen or 0))
    self.seen = last
  end
  function M:on_stop() board["done." .. self.worker] = true end]] }
t.is(run4.status, 0, "from four workers at once")
if run4.status ~= 0 then t.diag(run4.err) end

-- A table that some states read, one replaces and one clears.
local shared = apps.run { args = { "--workers", "4" },
  app = FEED:format(2000) .. [[
    for w = 0, 3 do app.script("s.lua", { workers = { w } }) end]], ["s.lua"] = [[
  local kept = {}
  function M:on_quote(seq)
    local w = self.worker
    if w == 0 then board.shared = { seq, text = ("x"):rep(seq % 100) .. seq } end
    if w == 1 and seq % 7 == 0 then board.shared = nil end
    if w == 2 and seq % 5 == 0 then board.shared = kept[seq % 10] end
    local v = board.shared
    if v then
      assert(v.text == ("x"):rep(v[1] % 100) .. v[1])
      kept[seq % 10] = v
    end
  end]] }
t.is(shared.status, 0, "tables from four workers at once")
if shared.status ~= 0 then t.diag(shared.err) end

-- No reference is lost when memory is: a block that nobody let go ends the program
-- with an assertion.
local _, command = apps.write { app = FEED:format(30) .. 'app.script("s.lua")',
  ["s.lua"] = [[
  function M.on_quote(seq)
    board.t = { seq, { seq } }
    board.long = ("x"):rep(100)
    for _, v in pairs(board) do local _ = v end
    tw.publish("t", { board.t, board.long })
  end]] }
local ended = 0
for n = 1, 2500, os.getenv "SMALL" and 97 or 31 do
  local run = apps.shell("TW_FAIL=" .. n .. " " .. command)
  if run.status == 0 or run.status == 1 and run.err ~= "" then ended = ended + 1
  else t.is(run.status, "0, or 1 and a line", "allocation " .. n) t.diag(run.err) end
end
t.ok(ended > 0, "whichever allocation fails, nothing is lost (" .. ended .. " runs)")

apps.prints("an app reads the board when all is over",
  { app = FEED:format(10) .. [[
    app.on_end(function() print((require "tw.board").seq) return true end)
    app.script("s.lua")]], ["s.lua"] = "function M.on_quote(seq) board.seq = seq end" },
      "10\n")

run("a name that would end early", [[
  print((select(2, pcall(function() board["a\0b"] = 1 end)):gsub("^.-: ", "")))
  print((pairs(board))(board, "no name"))
]], "board['a']: a name has no zero byte\nnil\n")
