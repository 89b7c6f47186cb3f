--- help: (internal) the documentation that is built in, as text, HTML or a man page.
--
-- Nothing is written twice: the functions of the modules are described by the
-- comments above them, in C and in Lua, and those are what is printed here.

local bundle = require "tw.bundle"
local commands = require "tw.commands"
local guide = require "tw.guide"
local near = require "tw.near"

local help = {}

local TAGS = { "Yields", "Blocks", "Thread", "Errors", "Units" }
local INTRO = "An embeddable scripting host with native parallelism for market data."

-- Without the empty lines around it; an indented first line stays so.
local function trim(text) return (text:gsub("^%s*\n", ""):gsub("%s+$", "")) end

-- All that is documented: a module is { name, purpose, text, functions, is_internal }, a
-- function { name, head, text } with its full name, such as tw.test.ok.  What is of use
-- to tidewire alone has a purpose that begins with (internal).
local modules, by_name

local function module_of(name)
  if not by_name[name] then
    by_name[name] = { name = name, purpose = "", text = "", functions = {} }
    modules[#modules + 1] = by_name[name]
  end
  return by_name[name]
end

-- A comment documents a function when it opens with its call and has the tags.
local function is_function(lines)
  return lines[1]:find("^#?[%a_]") and table.concat(lines, "\n"):find("Yields:", 1, true)
end

-- Files such a comment, as lines without their comment marks, under `owner`; without
-- one, or when it begins with tw. or self:, its heading says the module: record:keep()
-- belongs to record, tw.all() to tw wherever it stands.
local function add_function(lines, owner)
  local head = lines[1]
  local path = head:match("^#?([%w_.:]+)") or head
  local of, key = path:match("^(.+)[.:]([%w_]+)$")
  local named = of and (of == "self" or of:find "^tw%f[^%w]")
                and path ~= (owner or {}).name
  local module = named and module_of(of) or owner or module_of(of or path)
  local short = module.name:gsub("^tw%.", "")
  if not of then key = path
  elseif of ~= short and of ~= module.name then
    key = (of .. "." .. key):gsub("^" .. short .. "%.", "")   -- app.feed.fix
  end
  local at = { name = module.name .. "." .. key, head = head,
               text = trim(table.concat(lines, "\n", 2)) }
  module.functions[#module.functions + 1] = at
  return module
end

-- A module of stdlib/: comments that begin with three dashes.  The first may say what it
-- is a part of: `app_feed: tw.app.feed: where records come from`.
local function read_lua(name, source)
  local module = module_of(name)
  local lines
  for line in (source .. "\n"):gmatch("([^\n]*)\n") do
    if line:find("^%-%-%- ") then
      lines = { line:sub(5) }
    elseif lines and line:find("^%-%-") then
      lines[#lines + 1] = line:gsub("^%-%- ?", "")
    elseif lines then
      if module.purpose == "" then
        local about = lines[1]:match("^[%w_]+: (.-)%.?$") or ""
        local named, purpose = about:match "^(tw[%w_.]*): (.*)$"
        if named then module = module_of(named) end
        module.purpose = purpose or about
        module.text = trim(table.concat(lines, "\n", 2))
      elseif is_function(lines) then
        add_function(lines, module)
      end
      lines = nil
    end
  end
end

-- The comments of lua/: each file begins with `/* file.c - purpose` (or `file.c -
-- tw.module: purpose`, `file.c - module name: purpose`; of several the first), and a
-- comment is of a function when its next line is one.
local function read_c(text)
  local lines, open, owner, purpose, header
  for line in text:gmatch("([^\n]*)\n") do
    if line:find("^/%*") then lines, open = {}, true end
    if open then
      open = not line:find("*/", 1, true)
      line = line:gsub("%s*%*/.*$", ""):gsub("^/?%s?%*%s?", "")
      lines[#lines + 1] = line
      if lines == header and not open then
        owner.text = trim(table.concat(lines, "\n", 2):gsub("\nLayer [^\n]*", ""))
      end
      local about = #lines == 1 and line:match("^[%w_]+%.c %- (.-)%.?$")
      if about then
        local name, rest = about:match "^module ([%w_.]+): (.*)$"
        if not name then name, rest = about:match "^(tw[%w_.]*): (.*)$" end
        owner, purpose = name and module_of(name), rest or about
        if owner and not owner.named then   -- or by a file that only adds to it
          owner.purpose, owner.named, header = purpose, true, lines
        end
      end
    elseif lines then
      if is_function(lines) then
        local module = add_function(lines, owner)
        if module.purpose == "" then module.purpose = purpose or "" end
      end
      lines = nil
    end
  end
end

-- A paragraph in lines of up to 78 columns; those after the first are indented.
local function wrap(text)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line ~= "" and #line + 1 + #word > 78 then
      lines[#lines + 1], line = line, "   "
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- A page for each statistic, of what C says of it.
local function add_statistics(module)
  for _, kind in ipairs(require "tw.stat".kinds()) do
    local inputs, options = table.concat(kind.inputs, ", "), {}
    for i, option in ipairs(kind.options) do
      options[i] = option.example .. (option.required and " (required)" or "")
    end
    local usual = kind.usual and "; a number alone is " .. kind.usual or ""
    local list = options[1] and table.concat(options, ", ") .. usual or "none"
    module.functions[#module.functions + 1] = {
      name = module.name .. "." .. kind.name,
      head = ("stat.%s([%s] [, options]) -> statistic | declaration"):format(kind.name,
                                                                            inputs),
      text = wrap(kind.formula .. ".")
        .. (kind.source ~= "-" and "\n" .. wrap("Source: " .. kind.source .. ".") or "")
        .. "\n" .. wrap("Cost: " .. kind.cost .. ".")
        .. "\n" .. wrap("Options: " .. list .. ".")
        .. "\n" .. wrap("Fields: " .. table.concat(kind.fields, ", ") .. ".")
        .. "\nYields: no.  Blocks: no.  Thread: any."
        .. "\nErrors: raises for what is wrong in options or texts."
        .. "  Units: those of the inputs.",
    }
  end
end

local function load_all()
  if modules then return end
  modules, by_name = {}, {}
  for _, name in ipairs(bundle.names()) do
    if name == "reference" then read_c(bundle.read(name))
    elseif name:find "^tw%." then read_lua(name, bundle.read(name)) end
  end
  if by_name["tw.stat"] then add_statistics(by_name["tw.stat"]) end
  local shown = {}
  for _, module in ipairs(modules) do
    if #module.functions > 0 and not module.name:find "^tw%.internal%." then
      local purpose, n = module.purpose:gsub("^%(internal%) ", "")
      module.purpose, module.is_internal = purpose, n == 1
      shown[#shown + 1] = module
    end
  end
  modules = shown
  table.sort(modules, function(a, b)
    if a.is_internal ~= b.is_internal then return b.is_internal end
    return a.name < b.name
  end)
end

local function column(list, out)
  for _, item in ipairs(list) do
    out[#out + 1] = string.format("  %-14s %s", item.name, item.purpose)
  end
end

local function contents()
  local out = { INTRO, "", "Commands" }
  column(commands, out)
  out[#out + 1] = "\nGuide"
  column(guide, out)
  out[#out + 1] = "\nModules"
  local public, internal = {}, {}
  for _, module in ipairs(modules) do
    if module.is_internal then internal[#internal + 1] = module.name
    else public[#public + 1] = module end
  end
  column(public, out)
  out[#out + 1] = wrap("  and those of tidewire itself: " .. table.concat(internal, " "))
  out[#out + 1] = "\ntidewire help TOPIC prints one: a command, a page of the guide, a"
  out[#out + 1] = "module (tw.test) or a function (tw.test.ok); licences: their texts."
  return table.concat(out, "\n") .. "\n"
end

local function function_text(f)
  return f.head .. "\n" .. ("\n" .. f.text):gsub("\n([^\n]+)", "\n    %1"):sub(2) .. "\n"
end

local function module_text(module)
  local out = { module.name .. " - " .. module.purpose .. "\n" }
  if module.text ~= "" then out[2] = module.text .. "\n" end
  for _, f in ipairs(module.functions) do out[#out + 1] = function_text(f) end
  return table.concat(out, "\n")
end

local function nearest(topic)
  local best, least = nil, math.max(2, #topic // 3) + 1
  local function try(name, as)
    local d = near.distance(topic, as or name)
    if d < least then best, least = name, d end
  end
  try "licences"
  for _, list in ipairs { commands, guide, modules } do
    for _, item in ipairs(list) do try(item.name) end
  end
  for _, module in ipairs(modules) do
    try(module.name, module.name:gsub("^tw%.", ""))
    for _, f in ipairs(module.functions) do
      try(f.name)
      try(f.name, f.name:gsub("^tw%.", ""))
      try(f.name, f.name:match("[^.]+$"))
    end
  end
  return best
end

local SHOWN <const> = 6            -- topics that a word is found in

local function whole(pattern) return "%f[%w]" .. pattern .. "s?%f[^%w]" end

-- The topics whose text has all of these patterns.
local function having(patterns)
  local found = {}
  local function try(name, ...)
    local text = table.concat({ ... }, "\n"):lower()
    for _, pattern in ipairs(patterns) do
      if not text:find(pattern) then return end
    end
    found[#found + 1] = name
  end
  for _, list in ipairs { guide, commands } do
    for _, item in ipairs(list) do
      try(item.name, item.name, item.purpose, item.usage or "", item.text)
    end
  end
  for _, module in ipairs(modules) do
    try(module.name, module.text)
    for _, f in ipairs(module.functions) do try(f.name, f.head, f.text) end
  end
  return found
end

-- The topics whose text has that word, also as a part of a name: "resend" finds
-- resend_chunk, "post-only" post_only, "moving average" averages; else those that have
-- each of its words, and else those where it is two words: "heatmap".
local function mentions(word)
  if not word:find "^[%w_].*[%w_]$" then return nil end
  local words, each = word:lower():gsub("%p", "%%%0"):gsub("%%[_-]", " "), {}
  words = words:gsub("i[sz]e", "i[sz]e"):gsub("i[sz]ation", "i[sz]ation")
  for one in words:gmatch "%S+" do each[#each + 1] = whole(one) end
  local found = having { whole((words:gsub("%s+", "[%%s_-]+"))) }
  if not found[1] then found = having(each) end
  if not found[1] and #each == 1 then
    found = having { whole((word:lower():gsub("%w", "%0[%%s_-]?"))) }
  end
  if not found[1] then return nil end
  local more = #found - SHOWN
  return table.concat(found, ", ", 1, math.min(#found, SHOWN))
         .. (more > 0 and (" and %d more"):format(more) or "")
end

local function page(item)
  local usage = item.usage and item.usage .. "\n\n" or ""
  return item.name .. " - " .. item.purpose .. "\n\n" .. usage .. item.text .. "\n"
end

--- help.text(topic) -> string | nil, message
-- The page of a topic: a command, a page of the guide, a module or a function,
-- with or without its "tw.".  A function's name alone gives all that have it.
-- Without a topic, the list of topics.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: nil when there is no such topic; the message has those whose text has the word,
-- or else the one whose name is nearest.
-- Units: none.
function help.text(topic)
  load_all()
  if not topic then return contents() end
  if topic == "licences" then return bundle.read(topic) end
  for _, list in ipairs { commands, guide } do
    for _, item in ipairs(list) do
      if item.name == topic then return page(item) end
    end
  end
  local wanted = topic:gsub(":", ".")
  local full, found = "tw." .. wanted, {}
  for _, module in ipairs(modules) do
    if module.name == wanted or module.name == full then
      return module_text(module)
    end
    for _, f in ipairs(module.functions) do
      if ("." .. f.name):sub(-#wanted - 1) == "." .. wanted then
        found[#found + 1] = function_text(f)
      end
    end
  end
  if found[1] then return table.concat(found, "\n") end
  local places = mentions(topic)
  if places then
    return nil, ("no help on '%s' alone; see %s"):format(topic, places)
  end
  local near = nearest(topic)
  return nil, string.format("no help on '%s'", topic)
              .. (near and string.format("; did you mean %s?", near) or "")
end

--- help.names() -> table
-- Every topic, sorted: commands, pages of the guide, modules, functions by their full
-- names.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function help.names()
  load_all()
  local names, seen = {}, {}
  local function add(item)
    if not seen[item.name] then names[#names + 1] = item.name end
    seen[item.name] = true
  end
  for _, list in ipairs { commands, guide, modules } do
    for _, item in ipairs(list) do
      add(item)
      for _, f in ipairs(item.functions or {}) do add(f) end
    end
  end
  table.sort(names)
  return names
end

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function escape(text) return (text:gsub('[&<>"]', ENTITIES)) end

-- Words of the text, escaped; what stands between backticks is code.
local function prose(text)
  return (escape(text):gsub("`([^`\n]+)`", "<code>%1</code>"))
end

-- Paragraphs; lines that begin with two spaces stand as they are.
local function blocks(text)
  local out, words, pre = {}, {}, {}
  local function finish()
    if words[1] then
      out[#out + 1] = "<p>" .. prose(table.concat(words, "\n")) .. "</p>"
    end
    local code = trim(table.concat(pre, "\n"))
    if code ~= "" then
      local indent = code:match("^ *")
      code = ("\n" .. code):gsub("\n" .. indent, "\n"):sub(2)
      out[#out + 1] = "<pre>" .. escape(code) .. "</pre>"
    end
    words, pre = {}, {}
  end
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    if line:find("^  ") then
      if words[1] then finish() end
      pre[#pre + 1] = line
    elseif line ~= "" then
      if pre[1] then finish() end
      words[#words + 1] = line
    elseif pre[1] then
      pre[#pre + 1] = ""
    else
      finish()
    end
  end
  finish()
  return table.concat(out, "\n")
end

local function function_html(f, id)
  local text, tags = f.text:match("^(.-)(Yields:.*)$")
  tags = prose(tags)
  for _, tag in ipairs(TAGS) do tags = tags:gsub(tag .. ":", "<b>%0</b>") end
  return string.format('<h3 id="%s"><code>%s</code></h3>\n%s\n<p class="tags">%s</p>\n',
                       escape(id), escape(f.head), blocks(text), tags)
end

local STYLE = [[
:root { color-scheme: light dark; --line: #8884; --soft: #8881 }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem;
  display: grid; grid-template-columns: 13rem minmax(0, 46rem); gap: 3rem; padding: 1rem }
nav { position: sticky; top: 1rem; align-self: start; max-height: 95vh; overflow: auto }
nav a { display: block; text-decoration: none; padding: .1rem 0 }
nav b { display: block; margin-top: 1rem }
h2 { border-top: 1px solid var(--line); padding-top: 1.5rem; margin-top: 2.5rem }
h3 { margin: 2rem 0 .3rem } h3 code { font-size: 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem }
pre { background: var(--soft); padding: .7rem 1rem; overflow: auto; border-radius: 6px;
  font-size: .85rem }
.tags { font-size: .85rem; opacity: .8 }
@media (max-width: 50rem) { body { display: block } nav { position: static } }]]

--- help.html() -> string
-- The whole manual: one HTML page that needs nothing beside itself.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function help.html()
  load_all()
  local nav, body, uses = {}, {}, {}
  local function add(id, item, html)
    nav[#nav + 1] = string.format('<a href="#%s">%s</a>', id, escape(item.name))
    body[#body + 1] = string.format('<h2 id="%s">%s</h2>\n<p><em>%s</em></p>\n%s',
                                    id, escape(item.name), escape(item.purpose), html)
  end
  nav[1] = "<b>Commands</b>"
  for _, item in ipairs(commands) do
    add("command-" .. item.name, item,
        "<pre>" .. escape(item.usage) .. "</pre>\n" .. blocks(item.text))
  end
  nav[#nav + 1] = "<b>Guide</b>"
  for _, item in ipairs(guide) do add("guide-" .. item.name, item, blocks(item.text)) end
  nav[#nav + 1] = "<b>Modules</b>"
  for i, module in ipairs(modules) do
    if module.is_internal and not modules[i - 1].is_internal then
      nav[#nav + 1] = "<b>Of tidewire itself</b>"
    end
    local html = { blocks(module.text) }
    for _, f in ipairs(module.functions) do
      local nth = (uses[f.name] or 0) + 1    -- board[name] is read and written
      uses[f.name] = nth
      html[#html + 1] = function_html(f, nth == 1 and f.name or f.name .. "-" .. nth)
    end
    add(module.name, module, table.concat(html, "\n"))
  end
  return table.concat({
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    "<title>tidewire manual</title>\n<style>" .. STYLE .. "</style>\n</head>\n<body>",
    "<nav>" .. table.concat(nav, "\n") .. "</nav>",
    "<main>\n<h1>tidewire</h1>\n<p>" .. INTRO .. "</p>",
    table.concat(body, "\n"),
    "</main>\n</body>\n</html>\n" }, "\n")
end

-- Text as troff prints it: backslashes and dashes are its own, and so is a dot or
-- a quote that begins a line.
local function troff(text)
  text = ("\n" .. text):gsub("\\", "\\e"):gsub("%-", "\\-")
  return (text:gsub("\n([.'])", "\n\\&%1"):sub(2))
end

--- help.man() -> string
-- The man page: the commands, in troff.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function help.man()
  local out = { ".TH TIDEWIRE 1\n.SH NAME",
                "tidewire \\- run Lua scripts on market data\n.SH SYNOPSIS\n.nf" }
  for _, item in ipairs(commands) do out[#out + 1] = troff(item.usage) end
  out[#out + 1] = ".fi\n.SH DESCRIPTION\n" .. troff(INTRO)
  for _, item in ipairs(commands) do
    out[#out + 1] = ".SH " .. item.name:upper() .. "\n.nf\n" .. troff(item.usage)
                    .. "\n\n" .. troff(item.text) .. "\n.fi"
  end
  out[#out + 1] = ".SH SEE ALSO\ntidewire help prints the guide and every function."
  return table.concat(out, "\n") .. "\n"
end

--- help.main(args) -> status
-- What `tidewire help` does: prints a topic, the list of them, the parameters of a file,
-- or with --html or --man the manual, and returns the exit status: 1 for an unknown
-- topic.
-- Yields: no.  Blocks: while stdout takes the text.  Thread: MAIN.
-- Errors: none.  Units: none.
function help.main(args)
  local topic = args[1] and table.concat(args, " ")
  local text, why
  if topic and topic:find "%.lua$" then text, why = require "tw.strategy".text(topic)
  elseif topic == "--html" then text = help.html()
  elseif topic == "--man" then text = help.man()
  else text, why = help.text(topic) end
  if not text then
    io.stderr:write("tidewire: ", why, "\n")
    return 1
  end
  io.stdout:write(text)
  return 0
end

return help
