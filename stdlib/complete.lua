--- complete: (internal) what may stand at the cursor of an entry that is being typed.
--
-- Invariant: completing runs no code of the user: tables are read raw, and an __index is
-- followed where it is a table, or called where it is of C.

local paint = require "tw.paint"

local complete = {}

local NAMES_MAX = 2000            -- candidates looked at in one value
local DEEP = 10                   -- __index tables behind one another

local function is_c(f)
  return type(f) == "function" and debug.getinfo(f, "S").what == "C"
end

-- value[key], running no code of the user.
local function get(value, key)
  for _ = 1, DEEP do
    if type(value) == "table" then
      local found = rawget(value, key)
      if found ~= nil then return found end
    end
    local m = debug.getmetatable(value)
    local index = m and rawget(m, "__index")
    if is_c(index) then
      local fine, found = pcall(index, value, key)
      if fine then return found end
      return nil
    end
    if type(index) ~= "table" then return nil end
    value = index
  end
end

-- Calls add(name) for each name that value has a field of.
local function each_name(value, add)
  local of = value
  for _ = 1, DEEP do
    if type(value) == "table" then
      local n = 0
      for key in next, value do
        n = n + 1
        if type(key) == "string" then add(key) end
        if n >= NAMES_MAX then break end
      end
    end
    local m = debug.getmetatable(value)
    local index = m and rawget(m, "__index")
    if is_c(index) then               -- it raises for what is in others' tables
      for i = 1, 32 do
        local _, names = debug.getupvalue(index, i)
        if type(names) ~= "table" then break end
        for key in next, names do
          if type(key) == "string" and pcall(index, of, key) then add(key) end
        end
      end
    end
    if type(index) ~= "table" then break end
    value = index
  end
  local m = debug.getmetatable(of)
  local entries = m and rawget(m, "__pairs")
  if type(of) == "userdata" and is_c(entries) then
    local n = 0
    pcall(function()
      for key in pairs(of) do
        n = n + 1
        if type(key) == "string" then add(key) end
        if n >= NAMES_MAX then break end
      end
    end)
  end
  if of == package.loaded.tw then     -- its modules are loaded when they are named
    for name in next, package.preload do
      local short = name:match "^tw%.(%l+)$"
      if short and get(of, short) ~= nil then add(short) end
    end
  end
end

-- The value of a chain of names: a.b[1].c, "text"
local function resolve(chain)
  local first, rest = chain:match "^([%a_][%w_]*)(.*)$"
  local value
  if not first then return nil end
  value = get(_G, first)
  while rest ~= "" and value ~= nil do
    local key, after = rest:match "^[.:]([%a_][%w_]*)(.*)$"
    if not key then
      key, after = rest:match "^%[([-]?%d+)%](.*)$"
      key = math.tointeger(tonumber(key))
    end
    if not key then
      local quote
      quote, key, after = rest:match "^%[(['\"])([^'\"\\]*)%1%](.*)$"
      if not quote then return nil end
    end
    value, rest = get(value, key), after
  end
  return value
end

-- Calls add(name) for the files that require would find in package.path; list(directory)
-- gives the names in one.
local function files(prefix, list, add)
  local above = prefix:match "^(.*%.)[^.]*$" or ""
  for template in package.path:gmatch "[^;]+" do
    local before, after = template:match "^(.-)%?(.*)$"
    local where = before and before .. above:gsub("%.", "/")
    local directory, first = (where or ""):match "^(.*/)([^/]*)$"
    if where and not directory then directory, first = "./", where end
    for _, name in ipairs(where and list(directory) or {}) do
      local rest = name:sub(1, #first) == first and name:sub(#first + 1) or ""
      if after:find "^/" then                       -- a directory, with init.lua
        local file = not rest:find "%." and rest ~= ""
                     and io.open(directory .. name .. after)
        if file then
          file:close()
          add(above .. rest)
        end
      elseif #rest > #after and rest:sub(-#after) == after then
        add(above .. rest:sub(1, -#after - 1))
      end
    end
  end
end

local function modules(prefix, list, add)
  for _, known in ipairs { package.preload, package.loaded } do
    for name in next, known do
      if type(name) == "string" and not name:find "^tw%.internal" then add(name) end
    end
  end
  files(prefix, list, add)
end

-- What stands in an entry that is no Lua: its prefix, and what calls add for each name.
local function of_command(before, commands)
  local prefix = before:match "^%s*:(%a*)$"
  if prefix then
    return prefix, function(add)
      for _, command in ipairs(commands) do add(command.name) end
    end
  end
  prefix = before:match "^%s*%?%s*([%w_.:]*)$" or before:match "^%s*:help%s+([%w_.:]*)$"
  if prefix then
    return prefix, function(add)
      for _, name in ipairs(require "tw.help".names()) do add(name) end
    end
  end
  local command, word = before:match "^%s*:(%a+)%s+([%w_]*)$"
  if command and commands[command] and commands[command].words then
    return word, function(add)
      for _, name in ipairs(commands[command].words()) do add(name) end
    end
  end
end

-- In a string, which begins at from: modules of require, keys in brackets.
local function of_string(code, from, list)
  local prefix = code:sub(from):match "^['\"](.*)$"
  local head = code:sub(1, from - 1)
  if not prefix then return nil end
  if prefix:find "^[%w_.-]*$" and head:find "%f[%w_]require%s*%(?%s*$" then
    return prefix, function(add) modules(prefix, list, add) end
  end
  local chain = head:match "([%a_][%w_.:%[%]'\"]*)%[$"
  local value = chain and resolve(chain)
  if value ~= nil then
    return prefix, function(add)
      each_name(value, function(name) if not name:find "[%c'\"\\]" then add(name) end end)
    end
  end
end

-- Behind a dot or a colon.
local function of_value(chain, mark, prefix)
  local value = resolve(chain)
  return prefix, function(add)
    if value == nil then return end
    each_name(value, function(name)
      if name:sub(1, #prefix) ~= prefix or not name:find "^[%a_][%w_]*$" then return end
      if mark == ":" and type(get(value, name)) ~= "function" then return end
      add(name)
    end)
  end
end

local function of_lua(code)
  local chain, mark, prefix = code:match "([%a_][%w_.:%[%]'\"]*)([.:])([%w_]*)$"
  if chain then return of_value(chain, mark, prefix) end
  mark, prefix = code:match "['\"%]]%)?%s*([.:])([%w_]*)$"
  if mark then return prefix, function(add) each_name("", add) end end
  prefix = code:match "[%a_][%w_]*$"
  if not prefix then return nil end
  return prefix, function(add)
    each_name(_G, add)
    for _, word in ipairs(paint.keywords) do add(word) end
  end
end

--- complete.at(text, cursor, commands, list) -> from, list
-- What may stand at the cursor, which is behind so many bytes of text: globals and
-- keywords, fields, methods after a colon, keys in brackets, modules and files in
-- require, commands after a colon that begins the entry, topics after a question mark.
-- commands: the prompt's, a list of {name, words}; list(directory) gives the names in
-- one.  from: where the word begins that they would replace; sorted.
-- Yields: no.  Blocks: on directories.  Thread: the prompt's.  Errors: none.
-- Units: from in bytes, from 1 on.
function complete.at(text, cursor, commands, list)
  local before = text:sub(1, cursor)
  local prefix, each = of_command(before, commands)
  if not prefix then
    local code = before:gsub("^%s*:%a+%s", function(s) return (" "):rep(#s) end)
    local kind, from = paint.within(code)
    if not kind then prefix, each = of_lua(code)
    elseif kind == "string" then prefix, each = of_string(code, from, list) end
  end
  local seen, found = {}, {}
  if not prefix then return cursor + 1, found end
  each(function(name)
    if seen[name] or name:sub(1, #prefix) ~= prefix then return end
    seen[name] = true
    found[#found + 1] = name
  end)
  table.sort(found)
  return cursor - #prefix + 1, found
end

return complete
