--- repl: (internal) what the prompt does beyond reading and calling.
--
-- The program's prompt asks it (lua/main/prompt.c); nothing here reads keys.  Colours are
-- in stdlib/paint.lua, completion in stdlib/complete.lua.

local paint = require "tw.paint"

local repl = {}

-- What the program gives: see repl.open.
local colours, terminal = false, { size = function() return 80, 24 end,
                                   directory = function() return {} end }

local function size() return terminal.size() end

local function coloured(text) return colours and paint.coloured(text) or text end

-- What an entry can be but Lua: :name text.  Each has name, args, purpose and run(text).
local commands = {}

--- repl.paint(text) -> string
-- As tw.paint.styles.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function repl.paint(text) return paint.styles(text) end

--- repl.complete(text, cursor) -> from, list
-- As tw.complete.at.
-- Yields: no.  Blocks: on directories.  Thread: the prompt's.  Errors: none.
-- Units: from in bytes, from 1 on.
function repl.complete(text, cursor)
  return require "tw.complete".at(text, cursor, commands, terminal.directory)
end

-- ---- showing ----

-- As it is shown, and without colours.  What says itself how it looks is not Lua.
local function text_of(value)
  local text = require "tw.inspect".text(value, { width = size() - 1 })
  local m = debug.getmetatable(value)
  local is_lua = type(value) == "string" or not (m and rawget(m, "__tostring"))
  return is_lua and coloured(text) or text, text
end

--- repl.show(...)
-- Prints values for people: in one line when they fit, else each in lines of its own.
-- Yields: no.  Blocks: on the terminal.  Thread: the prompt's.  Errors: none.
-- Units: none.
function repl.show(...)
  local texts, total, single = {}, 0, true
  for i = 1, select("#", ...) do
    local shown, text = text_of((select(i, ...)))
    total = total + #text + 8
    single = single and not text:find("\n", 1, true)
    texts[i] = shown
  end
  print(table.concat(texts, (single and total <= size()) and "\t" or "\n"))
end

-- ---- evaluating ----

local refusal = { __tostring = function(r) return r.text end }

-- Raises what who typed a command is to read: without a traceback.
local function refuse(format, ...)
  error(setmetatable({ text = format:format(...) }, refusal))
end

-- Text as an expression if it is one, else as a statement: its function.
local function compile(text)
  local f, why = load("return " .. text, "=stdin")
  if not f then f, why = load(text, "=stdin") end
  return f or refuse("%s", why)
end

local function expression(text, what)
  if text == "" then refuse(":%s: an expression expected", what) end
  local f, why = load("return " .. text, "=stdin")
  return f or refuse("%s", why)
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

-- Prose in lines no wider than that: what is over goes to the next line of its paragraph.
local function wrapped(text, width)
  local lines, rest, rest_indent = {}, "", ""
  local function put(indent, body)
    local at = #body
    while #indent + at > width do
      at = (body:sub(1, at - 1):find " [^ ]*$" or 0) - 1
      if at < 1 then at = #body break end        -- a word that is wider
    end
    lines[#lines + 1] = indent .. body:sub(1, at):gsub(" +$", "")
    rest, rest_indent = body:sub(at + 2), indent
  end
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    local indent, body = line:match "^( *)(.*)$"
    local goes_on = indent == rest_indent and body ~= "" and not body:find "^%u%l+:"
    if rest ~= "" and goes_on then body = rest .. " " .. body
    else while rest ~= "" do put(rest_indent, rest) end end
    put(indent, body)
  end
  while rest ~= "" do put(rest_indent, rest) end
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
  text = (text or why):gsub("\n$", "")
  print(wrapped(text, size() - 1))
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
    local fine, shown = pcall(require "tw.inspect"[name], (expression(text, name)()))
    print(fine and shown or refuse("%s", shown))
  end)
end

-- The text of a value that is looked at again and again, to fit the terminal.
local function picture(f)
  local results = table.pack(f())
  local texts = {}
  for i = 1, results.n do texts[i] = (text_of(results[i])) end
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
  local function draw()
    local lines = picture(f)
    local back = pretty and shown > 0 and ("\27[%dA\r\27[J"):format(shown) or ""
    io.write(back, table.concat(lines, "\n"), "\n")
    io.flush()
    shown = #lines
  end
  local fine, why
  repeat
    fine, why = pcall(draw)
    if fine then fine, why = pcall(tw.sleep, tonumber(seconds)) end
  until not fine
  if not tostring(why):find "interrupted!" then refuse("%s", why) end
  if pretty then print() end      -- behind the ^C
end
command("watch", "expression [s]", "show it every s seconds (1), until Ctrl-C", watch)

command("reload", "name", "load a script or a module anew", function(text)
  local tw = require "tw"
  if text == "" then refuse ":reload: which script?" end
  if not rawget(tw, "reload") then
    refuse ":reload: there is nothing to reload here: no market is running"
  end
  local fine, version = pcall(function() return tw.reload(text):await() end)
  if not fine then refuse("%s", version) end
  show(version)
end)

-- ---- feeds ----

local KINDS = { "csv", "fix", "synthetic", "timer" }

-- {...} of Lua, or in short a path, or where to connect to.
local function feed_options(kind, text)
  if text == "" then return {} end
  if text:find "^{" then
    local f, why = load("return " .. text, "=stdin")
    return f and f() or refuse("%s", why)
  end
  if kind == "synthetic" or kind == "timer" then
    refuse(":feed %s: a table of options expected, got %s", kind, text)
  end
  if text:find "^[%w_.-]+:%d+$" then return { connect = text } end
  return { file = text }
end

-- The name that it is given, or its kind, unlike those of the others.
local function name_feed(options, list)
  local taken, name, n = {}, options.name, 1
  for _, other in ipairs(list) do taken[other.name] = true end
  while taken[name] do
    n = n + 1
    name = options.name .. "-" .. n
  end
  options.name = name
end

local function begin_feed(kind, text)
  local options = feed_options(kind, text)
  if options.stdin then refuse ":feed: what is typed here is no feed" end
  if type(options.connect) == "table" then
    refuse ":feed: an exchange belongs to an app file; connect = \"host:port\" expected"
  end
  local fine, declared = pcall(require "tw.app".check_feed, kind, options)
  if not fine then refuse("%s", declared) end
  name_feed(declared, terminal.feeds.list())
  local begun, why = pcall(terminal.feeds.add, declared)
  if not begun then refuse(":feed: %s", why) end
  if rawget(_G, "tape") == nil then rawset(_G, "tape", require "tw.tape") end
  print(("feed %s has begun; `:feed stop %s` ends it")
        :format(declared.name, declared.name))
end

-- Without a name all of them.
local function stop_feed(name)
  local found = false
  for i, one in ipairs(terminal.feeds.list()) do
    if name == "" or one.name == name then
      terminal.feeds.stop(i)
      found = true
    end
  end
  if not found and name == "" then refuse ":feed: there is none to stop" end
  if not found then refuse(":feed: there is no feed '%s'", name) end
end

local function list_feeds()
  local cells = {}
  for i, one in ipairs(terminal.feeds.list()) do
    cells[i] = { one.name, one.state, ("%d"):format(one.records),
                 ("%d"):format(one.errors) }
  end
  if #cells == 0 then
    print "no feed: `:feed synthetic`, `:feed csv FILE`, `:feed fix HOST:PORT` begin one"
  else
    print(require "tw.screen".table(cells, { "feed", "state", "records", "errors" }))
  end
end

local function feed(text)
  local kind, rest = text:match "^(%l+)%s*(.*)$"
  if text == "" then return list_feeds() end
  if kind == "stop" then return stop_feed(rest) end
  for _, known in ipairs(KINDS) do
    if kind == known then return begin_feed(kind, rest) end
  end
  refuse(":feed: %s or stop expected, then options; `tidewire help tw.app` has them",
         table.concat(KINDS, ", "))
end
command("feed", "kind options", "begin a feed; stop name: end it; alone: list them", feed)
commands.feed.words = function()
  return { "stop", table.unpack(KINDS) }
end

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
    refuse("no command ':%s'; there are %s", name, table.concat(names, " "))
  end
  known.run(rest)
end

-- As tw.plot.of, as wide as the terminal and in its colours.
local function plot(...)
  local module = require "tw.plot"
  module.usual.width, module.usual.colours = math.min(size() - 1, 100), colours
  return module.of(...)
end

--- repl.open(colours, program)
-- The prompt begins: help, plot, tw, and tape where there is one, are globals, unless
-- the program has such.  program: size() -> columns, rows of the terminal; feeds, see
-- lua/main/feeds.c; directory(path), the list of what is in it.
-- Yields: no.  Blocks: no.  Thread: the prompt's.  Errors: none.  Units: none.
function repl.open(in_colours, program)
  colours, terminal = in_colours, program
  local function offer(name, value)
    if rawget(_G, name) == nil then rawset(_G, name, value) end
  end
  local tw = require "tw"
  offer("tw", tw)
  offer("help", repl.help)
  offer("plot", plot)
  if require "tw.internal.tape".is() then offer("tape", require "tw.tape") end
end

return repl
