--- repl: what the prompt does beyond reading and calling: completion, colours, commands.
--
-- The program's prompt asks it (lua/main/prompt.c); nothing here reads keys.
--
-- Invariant: completing runs no code of the user: tables are read raw, and an __index is
-- followed where it is a table, or called where it is of C.

local repl = {}

local NAMES_MAX = 2000            -- candidates looked at in one value
local DEEP = 10                   -- __index tables behind one another

local colours, size = false, function() return 80, 24 end

-- What an entry can be but Lua: :name text.  Each has name, args, purpose and run(text).
local commands = {}

-- ---- colours ----

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not "
             .. "or repeat return then true until while"):gmatch "%a+" do
  KEYWORDS[#KEYWORDS + 1] = word
  KEYWORDS[word] = true
end

-- Styles by number, as enum ltw_style has them, and how a terminal shows them.
local PLAIN, KEYWORD, STRING, NUMBER, COMMENT, NAME = 0, 1, 2, 3, 4, 5
local SGR = { [KEYWORD] = "\27[35m", [STRING] = "\27[32m", [NUMBER] = "\27[36m",
              [COMMENT] = "\27[90m", [NAME] = "\27[34m" }

-- Where the token that begins at i ends, and its style; open: it has no end yet.
local function token(text, i)
  local c = text:sub(i, i)
  local comment = text:find("^%-%-", i)
  local level = text:match(comment and "^%-%-%[(=*)%[" or "^%[(=*)%[", i)
  if level then
    local _, last = text:find("]" .. level .. "]", i, true)
    return last or #text, comment and COMMENT or STRING, not last
  elseif comment then
    return (text:find("\n", i, true) or #text + 1) - 1, COMMENT, true
  elseif c == '"' or c == "'" then
    local j = i + 1
    while j <= #text do
      local d = text:sub(j, j)
      if d == c then return j, STRING end
      if d == "\n" then return j - 1, STRING end
      j = j + (d == "\\" and 2 or 1)
    end
    return #text, STRING, true
  end
  local _, last = text:find("^[%a_][%w_]*", i)
  if last then return last, KEYWORDS[text:sub(i, last)] and KEYWORD or PLAIN end
  _, last = text:find("^0[xX][%x.]*", i)
  if not last then _, last = text:find("^%.?%d[%d.]*", i) end
  if last then
    local _, exponent = text:find("^[eEpP][+-]?%d*", last + 1)
    return exponent or last, NUMBER
  end
  return i, PLAIN
end

--- repl.paint(text) -> string
-- A digit for each byte of a Lua text: 0 plain, 1 a keyword, 2 a string, 3 a number,
-- 4 a comment, 5 a command of the prompt.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function repl.paint(text)
  local out, i = {}, 1
  local _, command = text:find "^%s*:%a*"
  if text:find "^%s*::" then command = nil end
  command = command or select(2, text:find "^%s*%?")
  if command then out[1], i = tostring(NAME):rep(command), command + 1 end
  while i <= #text do
    local last, style = token(text, i)
    out[#out + 1] = tostring(style):rep(last - i + 1)
    i = last + 1
  end
  return table.concat(out)
end

local function coloured(text)
  if not colours then return text end
  local out, i = {}, 1
  while i <= #text do
    local last, style = token(text, i)
    local part = text:sub(i, last)
    out[#out + 1] = SGR[style] and SGR[style] .. part .. "\27[m" or part
    i = last + 1
  end
  return table.concat(out)
end

-- ---- completion ----

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

-- The state of the text at its end: STRING or COMMENT when it is in one, and where that
-- began.
local function within(text)
  local i = 1
  while i <= #text do
    local last, style, open = token(text, i)
    if last >= #text and open then return style, i end
    i = last + 1
  end
end

local function modules(add)
  for _, list in ipairs { package.preload, package.loaded } do
    for name in next, list do
      if type(name) == "string" and not name:find "^tw%.internal" then add(name) end
    end
  end
end

--- repl.complete(text, cursor) -> from, list
-- What may stand at the cursor, which is behind so many bytes of text: globals and
-- keywords, fields, methods after a colon, names of modules in require, commands after
-- a colon that begins the entry, topics after a question mark.  from: where the word
-- begins that they would replace; sorted.
-- Yields: no.  Blocks: no.  Thread: the prompt's.  Errors: none.
-- Units: from in bytes, from 1 on.
function repl.complete(text, cursor)
  local before = text:sub(1, cursor)
  local seen, list = {}, {}
  local prefix
  local function add(name)
    if seen[name] or name:sub(1, #prefix) ~= prefix then return end
    seen[name] = true
    list[#list + 1] = name
  end
  local function done()
    table.sort(list)
    return cursor - #prefix + 1, list
  end
  prefix = before:match "^%s*:(%a*)$"
  if prefix then
    for _, command in ipairs(commands) do add(command.name) end
    return done()
  end
  prefix = before:match "^%s*%?%s*([%w_.:]*)$" or before:match "^%s*:help%s+([%w_.:]*)$"
  if prefix then
    for _, name in ipairs(require "tw.help".names()) do add(name) end
    return done()
  end
  local code = before:gsub("^%s*:%a+%s", function(s) return (" "):rep(#s) end)
  local style, from = within(code)
  if style == STRING then
    prefix = code:sub(from):match "^['\"]([%w_.]*)$"
    if prefix and code:sub(1, from - 1):find "%f[%w_]require%s*%(?%s*$" then
      modules(add)
      return done()
    end
  end
  if style then return cursor + 1, {} end
  local chain, mark
  chain, mark, prefix = code:match "([%a_][%w_.:%[%]'\"]*)([.:])([%w_]*)$"
  if not chain then
    mark, prefix = code:match "['\"%]]%)?%s*([.:])([%a_][%w_]*)$"
    if not mark then mark, prefix = code:match "['\"%]]%)?%s*([.:])()$" end
    if type(prefix) == "number" then prefix = "" end
    if mark then each_name("", add) return done() end
    prefix = code:match "[%a_][%w_]*$" or ""
    if prefix == "" then return cursor + 1, {} end
    each_name(_G, add)
    for _, word in ipairs(KEYWORDS) do add(word) end
    return done()
  end
  local value = resolve(chain)
  if value == nil then return cursor + 1, {} end
  each_name(value, function(name)
    if name:sub(1, #prefix) ~= prefix or not name:find "^[%a_][%w_]*$" then return end
    if mark == ":" and type(get(value, name)) ~= "function" then return end
    add(name)
  end)
  return done()
end

-- ---- showing ----

local function text_of(value)
  local inspect = require "tw.inspect"
  return coloured(inspect.text(value, { width = size() - 1 }))
end

--- repl.show(...)
-- Prints values for people: in one line when they fit, else each in lines of its own.
-- Yields: no.  Blocks: on the terminal.  Thread: the prompt's.  Errors: none.
-- Units: none.
function repl.show(...)
  local inspect = require "tw.inspect"
  local texts, total, single = {}, 0, true
  for i = 1, select("#", ...) do
    local text = inspect.text((select(i, ...)), { width = size() - 1 })
    total = total + #text + 8
    single = single and not text:find("\n", 1, true)
    texts[i] = type((select(i, ...))) == "userdata" and text or coloured(text)
  end
  print(table.concat(texts, (single and total <= size()) and "\t" or "\n"))
end

-- ---- evaluating ----

-- Text as an expression if it is one, else as a statement: its function.
local function compile(text)
  local f, why = load("return " .. text, "=stdin")
  if not f then f, why = load(text, "=stdin") end
  return f or error(why, 0)
end

local function expression(text, what)
  if text == "" then error((":%s: an expression expected"):format(what), 0) end
  local f, why = load("return " .. text, "=stdin")
  return f or error(why, 0)
end

local pretty = true

local function show(...)
  if select("#", ...) == 0 then return end
  if pretty then repl.show(...) else print(...) end
end

-- ---- commands ----

local function command(name, args, purpose, run)
  commands[#commands + 1] = { name = name, args = args, purpose = purpose, run = run }
  commands[name] = commands[#commands]
end

-- The name under which a value is documented.
local function topic_of(value)
  local m = debug.getmetatable(value)
  local name = m and rawget(m, "__name")
  for key, module in pairs(package.loaded) do
    if module == value then return key end
  end
  if type(value) == "function" then
    for _, topic in ipairs(require "tw.help".names()) do
      local module, field = topic:match "^(.+)%.([%w_]+)$"
      local loaded = module and package.loaded[module]
      if type(loaded) == "table" and rawget(loaded, field) == value then return topic end
    end
  end
  return type(name) == "string" and name or nil
end

-- The comment above a function of Lua, and its head.
local function source_of(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" or not info.source:find "^@" then return nil end
  local file = io.open(info.source:sub(2))
  if not file then return nil end
  local lines, n = {}, 0
  for line in file:lines() do
    n = n + 1
    if n == info.linedefined then
      lines[#lines + 1] = line
      break
    end
    if line:find "^%s*%-%-" then lines[#lines + 1] = line else lines = {} end
  end
  file:close()
  lines[#lines + 1] = ("(%s:%d)"):format(info.short_src, info.linedefined)
  return table.concat(lines, "\n")
end

--- repl.help([x])
-- Prints what is known of x: the page of a topic when x is a string, the documentation
-- of a function, a module or an object's type, with its five tags; of a function of your
-- own the comment above it.  Without x, the commands of the prompt.
-- Yields: no.  Blocks: on the terminal.  Thread: the prompt's.
-- Errors: none; it says when nothing is known.  Units: none.
function repl.help(x)
  local help = require "tw.help"
  if x == nil then
    local lines = { "An entry is Lua, or one of these:" }
    for _, c in ipairs(commands) do
      lines[#lines + 1] = ("  %-24s %s"):format(":" .. c.name .. " " .. c.args, c.purpose)
    end
    lines[#lines + 1] = "  ?x                       what is known of x, a name or a value"
    lines[#lines + 1] = "`tidewire help repl` tells the rest; ?tw lists what tw has."
    print(table.concat(lines, "\n"))
    return
  end
  local topic = type(x) == "string" and x or topic_of(x)
  local text, why
  if topic then text, why = help.text(topic) end
  if not text and type(x) == "function" then text = source_of(x) end
  if not text and type(x) ~= "string" then
    why = "nothing is known of this " .. (topic or type(x))
  end
  print((text or why):gsub("\n$", "") .. "")
end

-- ?text: a topic of that name, or the value.
local function help_of(text)
  if text == "" then return repl.help() end
  if require "tw.help".text(text) then return repl.help(text) end
  local f = load("return " .. text, "=stdin")
  local fine, value
  if f then fine, value = pcall(f) end
  if fine and value ~= nil then return repl.help(value) end
  repl.help(text)
end

command("help", "[topic]", "what there is to help", help_of)

command("time", "entry", "run it, and tell how long it took", function(text)
  local tw = require "tw"
  local f = compile(text)
  local cpu, began = os.clock(), tw.clock()
  local results = table.pack(f())
  local wall = tw.clock() - began
  cpu = os.clock() - cpu
  local screen = require "tw.screen"
  show(table.unpack(results, 1, results.n))
  print(("%s, %s of CPU time"):format(screen.duration(wall), screen.duration(cpu)))
end)

for name, purpose in pairs { table = "its rows in columns", json = "its JSON",
                             csv = "its rows as CSV" } do
  command(name, "expression", purpose, function(text)
    print(require "tw.inspect"[name]((expression(text, name)())))
  end)
end

-- The text of a value that is looked at again and again, to fit the terminal.
local function picture(f)
  local results = table.pack(f())
  local texts = {}
  for i = 1, results.n do texts[i] = text_of(results[i]) end
  local lines, _, rows = {}, size()
  for line in (table.concat(texts, "\n") .. "\n"):gmatch "([^\n]*)\n" do
    if #lines < rows - 2 then lines[#lines + 1] = line end
  end
  return lines
end

local function watch(text)
  local tw = require "tw"
  local shorter, seconds = text:match "^(.-)%s+([%d.]+)$"
  if shorter and load("return " .. shorter) and tonumber(seconds) then text = shorter
  else seconds = 1 end
  local f, shown = expression(text, "watch"), 0
  while true do
    local lines = picture(f)
    if pretty and shown > 0 then io.write(("\27[%dA\r\27[J"):format(shown)) end
    io.write(table.concat(lines, "\n"), "\n")
    io.flush()
    shown = #lines
    local fine, why = pcall(tw.sleep, tonumber(seconds))
    if not fine then
      if not tostring(why):find "interrupted!" then error(why, 0) end
      if pretty then print() end      -- behind the ^C
      return
    end
  end
end
command("watch", "expression [s]", "show it every s seconds (1), until Ctrl-C", watch)

command("reload", "name", "load a script or a module anew", function(text)
  local tw = require "tw"
  if text == "" then error(":reload: which script?", 0) end
  if not rawget(tw, "reload") then
    error(":reload: there is nothing to reload here: no market is running", 0)
  end
  show(tw.reload(text))
end)

-- A run of its own, for a run's parts are made before its threads: its prompt takes the
-- terminal until it ends.
local function feed(text)
  local kind, options = text:match "^(%l+)%s*(.*)$"
  if not kind or not rawget(require "tw.app".feed, kind) then
    error(":feed: a kind of feed expected, then its options: :feed synthetic "
          .. "{ rate = 1000 }; `tidewire help tw.app` has them", 0)
  end
  local path = os.tmpname()
  local stat <close> = assert(io.open "/proc/self/stat")
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(("require 'tw.app'.feed.%s %s\n"):format(
    kind, options == "" and "{}" or options)))
  assert(file:close())
  os.execute(("/proc/%d/exe repl %s"):format(stat:read "n", path))
  os.remove(path)
end
command("feed", "kind options", "a prompt in a run with that feed, until Ctrl-D", feed)

table.sort(commands, function(a, b) return a.name < b.name end)

--- repl.command(text, for_people)
-- Runs an entry that begins with a colon or a question mark.
-- Yields: as what it runs.  Blocks: likewise.  Thread: the prompt's.
-- Errors: raises for a command that is not there, and what it raises.  Units: none.
function repl.command(text, for_people)
  pretty = for_people
  local topic = text:match "^%s*%?%s*(.-)%s*$"
  if topic then return help_of(topic) end
  local name, rest = text:match "^%s*:(%S*)%s*(.-)%s*$"
  local known = commands[name]
  if not known then
    local names = {}
    for i, c in ipairs(commands) do names[i] = ":" .. c.name end
    error(("no command ':%s'; there are %s"):format(name, table.concat(names, " ")), 0)
  end
  known.run(rest)
end

--- repl.open(colours, size)
-- The prompt begins: help, plot, tw, and tape where there is one, are globals, unless
-- the program has such.  size() -> columns, rows of the terminal.
-- Yields: no.  Blocks: no.  Thread: the prompt's.  Errors: none.  Units: none.
function repl.open(in_colours, terminal)
  colours, size = in_colours, terminal
  local function offer(name, value)
    if rawget(_G, name) == nil then rawset(_G, name, value) end
  end
  local tw = require "tw"
  offer("tw", tw)
  offer("help", repl.help)
  offer("plot", function(x, o)
    o = o or {}
    o.width = o.width or math.min(size() - 1, 100)
    return require "tw.plot".of(x, o)
  end)
  if require "tw.internal.tape".is() then offer("tape", require "tw.tape") end
end

return repl
