-- acceptor.lua: a FIX acceptor of all versions, which echoes what it takes.
--
--     tidewire run scripts/fix/acceptor.lua --set port=5001 --set dictionaries=DIR
--
-- Its sessions are ISLD's, for callers TW40 to TW44 and TW50 to TW50SP2: what the public
-- acceptance scripts of FIX sessions expect.  dictionaries: a folder with FIX42.xml and
-- so on; without it those that are built in are used.

local app = require "tw.app"

local folder = app.param("dictionaries", "")

local function files(...)
  if folder == "" then return nil end
  local list = {}
  for i, name in ipairs { ... } do list[i] = ("%s/%s.xml"):format(folder, name) end
  return list
end

local sessions = {}
local function add(target, version, o)
  o = o or {}
  local short = version:gsub("%.", "")
  o.name, o.sender, o.target, o.version = target, "ISLD", target, version
  o.dictionary = version >= "FIX.5" and files("FIXT11", short) or files(short)
  o.reset_on_logon = true
  o.take = { "D", "d", "C" }               -- all else is not supported
  sessions[#sessions + 1] = o
end

for _, version in ipairs { "4.0", "4.1", "4.2", "4.3", "4.4", "5.0", "5.0SP1",
                           "5.0SP2" } do
  add("TW" .. version:gsub("%.", ""), "FIX." .. version)
end
add("TW", "FIX.4.4")
add("NO_CHECK_FIELDS_HAVE_VALUES", "FIX.4.4", { validate = { have_values = false } })

app.fix.acceptor { port = app.param("port", 5001), sessions = sessions }
app.script "echo.lua"
