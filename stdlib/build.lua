--- build: (internal) makes one file of an app, with all that it needs: tidewire build.
--
-- Why: what goes in is found, not listed: the app file is run as `tidewire run` would
-- run it, up to the start of its feeds, and then says which scripts it has and which
-- modules it loaded; what scripts require is read from their text.

local app = require "tw.app"
local arguments = require "tw.arguments"
local source = require "tw.internal.source"

local build = {}

local TOTAL_MAX = 256 << 20      -- bytes of all files
local WORKERS = 1024             -- of an app that says which worker runs what

local fail = arguments.refuse

local function warn(...)
  io.stderr:write("tidewire: build: warning: ", string.format(...), "\n")
end

-- Without "." and "..".
local function absolute(path)
  if path:sub(1, 1) ~= "/" then
    path = require "tw.internal.pack".directory() .. "/" .. path
  end
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." then parts[#parts] = nil
    elseif part ~= "." then parts[#parts + 1] = part end
  end
  return "/" .. table.concat(parts, "/")
end

local function directory_of(path) return path:match "^(.*/)" or "" end

local function is_under(path, directory) return path:sub(1, #directory) == directory end

local function read(path)
  local file, why = io.open(path, "rb")
  local text
  if file then
    text, why = file:read "a"
    file:close()
  end
  if not text then
    fail(1, "cannot read %s: %s", path, why:match "([^:]*)$":gsub("^ ", ""))
  end
  return text
end

--- build.requires(text) -> table
-- The names of the modules that a Lua text requires by a literal: require "x",
-- require("x") and pcall(require, "x"), but not in comments and strings.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function build.requires(text)
  local found, at, after = {}, 1, false    -- after: "require" stood just before
  while at <= #text do
    local level = text:match("^%-%-%[(=*)%[", at) or text:match("^%[(=*)%[", at)
    local char, word = text:sub(at, at), text:match("^[%a_][%w_]*", at)
    local stop, literal
    if level then
      local _, last = text:find("]" .. level .. "]", at, true)
      stop = last or #text
      if char == "[" then
        literal = text:sub(at + 2 + #level, stop - 2 - #level)
      end
    elseif text:find("^%-%-", at) then
      stop = text:find("\n", at, true) or #text
    elseif char == '"' or char == "'" then
      stop = at + 1
      while stop < #text and text:sub(stop, stop) ~= char do
        stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
      end
      literal = text:sub(at + 1, stop - 1)
    elseif word then
      stop, after = at + #word - 1, word == "require"
    else
      stop, after = at, after and char:find "[%s(,]" ~= nil
    end
    if literal then
      local is_whole = after and not text:find("^%s*%.%.", stop + 1)
      if is_whole and literal:find "^[%w_][%w_.-]*$" then found[#found + 1] = literal end
      after = false
    end
    at = stop + 1
  end
  return found
end

-- A plan: app, its absolute path; directory, its own as it was given; files, by their
-- absolute paths; known, the modules that were looked for.

local add_module

-- A file and what it requires.  name: where its name is not that of its place.
local function add(plan, path, name)
  local full = absolute(path)
  if plan.files[full] then return end
  local text = read(path)
  plan.total = plan.total + #text
  if plan.total > TOTAL_MAX then
    fail(1, "the files have more than %d MiB together", TOTAL_MAX >> 20)
  end
  plan.files[full] = { text = text, name = name }
  if full:find "%.lua$" then
    for _, module in ipairs(build.requires(text)) do add_module(plan, module, path) end
  end
end

-- A module that is found where the app would find it.  From elsewhere than its own
-- directory it goes in under the name of the module, beside the app.
function add_module(plan, module, by)
  if plan.known[module] then return end
  plan.known[module] = true
  local path = package.searchpath(module, package.path)
  if path then
    local base = module:gsub("%.", "/")
    local is_init = path:find(base .. "/init.lua", 1, true)
    local name = base .. (is_init and "/init.lua" or ".lua")
    local is_beside = absolute(path) == absolute(plan.directory .. name)
    return add(plan, path, not is_beside and name or nil)
  end
  path = package.searchpath(module, package.cpath)
  if path then
    warn("%s, required by %s, is a C module: %s is not inside", module, by, path)
  else
    warn("%s, required by %s, is not there", module, by)
  end
end

local function add_data(plan, pattern, path)
  local found = require "tw.internal.pack".glob(path)
  if #found == 0 then fail(1, "app.files: no file matches '%s'", pattern) end
  for _, file in ipairs(found) do add(plan, file) end
end

-- The directory that holds all that is named by its place, the app's or one above it:
-- there names begin, so that "../x.lua" is found inside as it was outside.
local function base_of(plan)
  local base = directory_of(plan.app)
  for full, file in pairs(plan.files) do
    while not (file.name or file.is_absolute or is_under(full, base)) do
      base = directory_of(base:sub(1, -2))
    end
  end
  return base
end

-- The list of { name, text } that goes in, and the name of the app in it.
local function list(plan)
  local base, entries, from = base_of(plan), {}, {}
  local beside = directory_of(plan.app):sub(#base + 1)
  for full, file in pairs(plan.files) do
    local name = file.name and beside .. file.name
      or file.is_absolute and full:sub(2) or full:sub(#base + 1)
    if from[name] then
      fail(1, "%s and %s would have the same name inside, %s", from[name], full, name)
    end
    from[name] = full
    entries[#entries + 1] = { name = name, text = file.text }
  end
  table.sort(entries, function(a, b) return a.name < b.name end)
  return entries, plan.app:sub(#base + 1)
end

-- What the app file declares, and what it loaded.
local function open(path, given)
  local directory = directory_of(path)
  local plan = { files = {}, known = {}, total = 0, directory = directory,
                 app = absolute(path) }
  for _, there in ipairs { package.loaded, package.preload } do
    for name in pairs(there) do plan.known[name] = true end
  end
  package.path = directory .. "?.lua;" .. package.path
  source.directory(directory)
  local fine, declared = pcall(app.open, path, {}, WORKERS)
  if not fine then fail(1, "%s", tostring(declared)) end
  for _, option in ipairs(require "tw.internal.bot".options()) do
    if declared.params[option.name] ~= nil then
      fail(1, "%s: app.param '%s': the program has an option --%s of its own", path,
           option.name, option.name)
    end
  end
  add(plan, path)
  local loaded = {}
  for name in pairs(package.loaded) do
    if type(name) == "string" then loaded[#loaded + 1] = name end
  end
  table.sort(loaded)
  for _, name in ipairs(loaded) do add_module(plan, name, path) end
  for _, script in ipairs(declared.scripts) do
    local is_absolute = script.path:sub(1, 1) == "/"
    local file = is_absolute and script.path or directory .. script.path
    add(plan, file)
    plan.files[absolute(file)].is_absolute = is_absolute
  end
  for _, pattern in ipairs(declared.data) do
    add_data(plan, pattern, pattern:sub(1, 1) == "/" and pattern or directory .. pattern)
  end
  for _, file in ipairs(given) do add(plan, file) end
  return plan
end

-- The program that is copied; nil: the one that runs.
local function program(static)
  local pack = require "tw.internal.pack"
  if not static or pack.is_static() then return end
  local running = pack.program()
  if not running then fail(1, "--static: /proc is not there to tell where I am") end
  local path = directory_of(running) .. "tidewire-static"
  local is_static, why = pack.is_static(path)
  if is_static then return path end
  fail(1, "--static: %s: make builds it where a static libc is",
       why or path .. " is not static")
end

local function parse(words)
  local o, i = { files = {} }, 1
  while i <= #words do
    local word = words[i]
    if word == "--static" then
      o.static = true
    elseif word == "-o" then
      i = i + 1
      o.out = words[i] or fail(2, "-o: the name of the program is missing")
    elseif word:sub(1, 1) == "-" then
      fail(2, "unknown option '%s'", word)
    elseif not o.app then
      o.app = word
    else
      o.files[#o.files + 1] = word
    end
    i = i + 1
  end
  if not o.app then fail(2, "no app file given") end
  o.out = o.out or o.app:match "([^/]*)%.lua$"
    or fail(2, "-o: the name of the program is missing")
  return o
end

local function run(words)
  local o = parse(words)
  local plan = open(o.app, o.files)
  if plan.files[absolute(o.out)] then
    fail(1, "%s is one of the files that go in", o.out)
  end
  local files, name = list(plan)
  local bytes, why = require "tw.internal.pack".write {
    out = o.out, program = program(o.static), app = name, files = files,
  }
  if not bytes then fail(1, "%s", why) end
  local file
  file, why = io.write(("%s: %.1f MB, %d file%s inside\n"):format(o.out, bytes / 1e6,
                       #files, #files == 1 and "" or "s"))
  if file then file, why = file:flush() end
  if not file then fail(1, "%s is built, but it could not be said: %s", o.out, why) end
  return 0
end

--- build.main(words) -> status
-- What `tidewire build` does.
-- Yields: no.  Blocks: while it reads and writes files.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line that
-- makes no sense.  Units: none.
function build.main(words) return arguments.run("build", run, words) end

return build
