--- attach_fix: (internal) `fix` of tidewire attach: shows and commands FIX sessions.

local fix = require "tw.fix"
local screen = require "tw.screen"
local CUTS <const> = require "tw.figures".CUTS

local attached = {}

local USAGE <const> = "fix NAME: nothing, reset, numbers IN OUT, enable, disable,"
  .. " logout [why] or remove expected"
local ADD <const> = "fix add: NAME=VALUE ... expected, or { NAME = VALUE, ... }"

local function all()
  local list, rows, ports = fix.status(), {}, {}
  for i, s in ipairs(list) do
    rows[i] = { s.name, s.initiator and "initiator" or "acceptor",
                s.enabled and s.state or s.state .. ", disabled", s.peer, s.next_in,
                s.next_out, s.received, s.sent }
  end
  for i, p in ipairs(list.ports) do
    ports[i] = { p.port, p.open, p.connects }
    for _, reason in ipairs(CUTS) do table.insert(ports[i], p[reason]) end
  end
  local text = rows[1] and screen.table(rows, { "session", "side", "state", "peer",
    "next in", "next out", "received", "sent" }) or "no FIX sessions"
  return ports[1] and text .. "\n\n" .. screen.table(ports, { "port", "open", "connects",
    table.unpack(CUTS) }) or text
end

local SHOWN <const> = { "state", "enabled", "version", "sender", "target", "initiator",
                        "peer", "why", "next_in", "next_out", "missing_to", "received",
                        "sent", "garbled", "refused", "unsent", "logons", "waiting",
                        "queued", "log_lost", "tape_lost", "untaken", "unheard",
                        "oversized", "noise", "silent", "unread" }

local function one(name)
  local s, lines = fix.status(name), { name }
  for _, field in ipairs(SHOWN) do
    local value = tostring(s[field])
    if value ~= "" then lines[#lines + 1] = ("  %-12s %s"):format(field, value) end
  end
  for _, m in ipairs(s.missed) do
    lines[#lines + 1] = ("  35=%-9s %d %s"):format(m.type, m.count, m.taken
                        and "that no script has an on_fix for" or "that it does not take")
  end
  return table.concat(lines, "\n")
end

-- 12, true or a text, which "12" is, too: that begins with 1 here.
local function value_of(text)
  if text == "true" or text == "false" then return text == "true" end
  return text:match "^\1(.*)$" or tonumber(text) or text
end

-- What `sender=ME logon.Username=me` says; nil: it can't be read.
local function options_of(words)
  local options = {}
  words = words:gsub('(%S+)="([^"]*)"', function(name, text)
    return name .. "=\1" .. text:gsub("%s", "\0")
  end)
  for word in words:gmatch "%S+" do
    local group, name, text = word:match "^([%a_]+)%.([%w_]+)=(.+)$"
    if not group then name, text = word:match "^([%a_]+)=(.+)$" end
    if not name then return end
    local to, value = options, text:gsub("\0", " ")
    if group then
      options[group] = type(options[group]) == "table" and options[group] or {}
      to = options[group]
    end
    -- A password is what was typed, though it may be a number.
    to[math.tointeger(tonumber(name)) or name] = group == "logon" and value:gsub("\1", "")
      or value_of(value)
  end
  return next(options) and options
end

-- A table of Lua, without any function.
local function table_of(text)
  local made = load("return " .. text, "=fix add", "t", {})
  local fine, options = pcall(made or error)
  return fine and type(options) == "table" and options
end

local function add(text)
  local options = (text:find "^{" and table_of or options_of)(text)
  if not options then return nil, ADD end
  return function()
    local name, why = fix.add(options)
    if not name then error(why, 0) end
    return name .. ": added"
  end, "add " .. tostring(options.name or options.target or "?")
end

--- attached.read(argument) -> function, said | nil, message
-- What is asked for: a function that gives the text to show; said: what of it goes to the
-- audit log, where it changes something, else false.
-- Yields: no.  Blocks: no.  Thread: MAIN.
-- Errors: nil for what is no command; the function raises for a session that there is
-- not, and when it can't be done.  Units: none.
function attached.read(argument)
  local name, verb, rest = argument:match "^(%S*)%s*(%S*)%s*(.-)%s*$"
  if name == "" then return all, false end
  if name == "add" then return add(argument:match "^add%s*(.-)%s*$") end
  if verb == "" then return function() return one(name) end, false end
  local function command(f, ...)
    local with = table.pack(...)
    return function()
      local done, why = f(name, table.unpack(with, 1, with.n))
      if not done then error(why, 0) end
      return ("%s: %s"):format(name, verb)
    end, argument
  end
  if verb == "numbers" then
    local next_in, next_out = rest:match "^(%d+)%s+(%d+)$"
    next_in, next_out = math.tointeger(next_in), math.tointeger(next_out)
    if not (next_in and next_out and next_in > 0 and next_out > 0) then
      return nil, "fix NAME numbers IN OUT: two numbers from 1 on expected"
    end
    return command(fix.set_numbers, next_in, next_out)
  elseif verb == "logout" then
    return command(fix.logout, rest ~= "" and rest or nil)
  elseif rest ~= "" then
    return nil, USAGE
  elseif verb == "reset" then return command(fix.reset)
  elseif verb == "remove" then return command(fix.remove)
  elseif verb == "enable" then return command(fix.enable, true)
  elseif verb == "disable" then return command(fix.enable, false) end
  return nil, USAGE
end

return attached
