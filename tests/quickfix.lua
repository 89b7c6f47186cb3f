--- quickfix: tests/peers/quickfix, a program made of QuickFIX, which a test leads.
--
--   local quickfix = require "quickfix"
--   if not quickfix.is_there() then return t.done() end
--   local peer = quickfix.start(p, "acceptor", "FIX.4.2", port)   -- p: processes.open
--   peer.tell "send 1"                                            -- see quickfix.cpp
--   p.await_count(peer, "fill 1", 1)
--   peer.close()

local t, apps = require "tw.test", require "apps"

local quickfix = {}

local PROGRAM <const> = apps.program:match "^(.*)/" .. "/tests/peers/quickfix"
local SPEC <const> = os.getenv "PWD" .. "/../shared/fix-at/spec/"

--- Whether it was built; a test that can't be says so.
function quickfix.is_there()
  local found <close> = io.open(PROGRAM)
  if found then return true end
  t.skip "QuickFIX: libquickfix-dev was not here when this was built"
  return false
end

--- QuickFIX's own file of a version; "" where it is not here.
function quickfix.dictionary(version)
  local path = SPEC .. version:gsub("%.", "") .. ".xml"
  local file <close> = io.open(path)
  return file and path or ""
end

--- One more process; one of the same name goes on with its store.
-- dictionary: by which it checks what comes, or nil.
function quickfix.start(p, role, version, port, name, dictionary)
  name = name or role .. version
  os.execute(("cd %s && mkdir -p %s.d && { [ -e %s.in ] || mkfifo %s.in; }"):format(
    p.directory, name, name, name))
  local q = p.start(name, ("exec %s %s %s %d %s.d %s ''"):format(apps.quote(PROGRAM),
    role, version, port, name, apps.quote(dictionary or "")), name .. ".in")
  q.input = assert(io.open(("%s/%s.in"):format(p.directory, name), "w"))
  q.input:setvbuf "line"
  function q.tell(line) q.input:write(line, "\n") end
  function q.close() q.input:close() end
  return q
end

return quickfix
