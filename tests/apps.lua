--- apps: runs an app as a user does, in a process and a directory of its own.
--
--   package.path = "tests/?.lua;" .. package.path
--   local apps = require "apps"
--   local run = apps.run { app = [[app.feed.synthetic{speed=0, limit=9}
--     app.script("s.lua")]], scripts = { ["s.lua"] = [[
--     function M.on_quote(symbol) print(symbol) end]] } }
--   t.is(run.out, "AAPL\n", "...")
--
-- An app and a script begin with the names that most need: app; tw, board, M.
-- The text stays on its first line, so that errors name the lines as written.

local apps = {}

local TIDEWIRE = os.getenv "TIDEWIRE" or "build/tidewire"
local APP = 'local app = require "tw.app" app.tape { capacity = 4096 } '
local SCRIPT = 'local tw, board, M = require "tw", require "tw.board", {} '
local PATIENCE = 60                -- seconds, for a run that should have ended

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end
apps.quote, apps.tidewire = quote, quote(TIDEWIRE)

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local pipe <close> = assert(io.popen "mktemp -d")
local scratch = pipe:read "l"
local runs = 0
setmetatable(apps, { __gc = function() os.execute("rm -rf " .. scratch) end })

--- A text without the directories that this module makes.
local function clean(text)
  return (text:gsub(scratch:gsub("%p", "%%%0") .. "/[%d]+/", ""))
end

--- What a shell command wrote and how it ended: {out, err, status}.
function apps.shell(command, input)
  local out, err, input_path = scratch .. "/out", scratch .. "/err", scratch .. "/in"
  write(input_path, input or "")
  local process = io.popen(("{ %s ; } <%s >%s 2>%s"):format(command, input_path,
    out, err))
  local _, how, status = process:close()
  return { out = clean(read(out)), err = clean(read(err)),
           status = how == "exit" and status or how }
end

--- Writes an app's files to a new directory; returns its path and a command.
-- o: app, scripts and files (name = text), args (a list), app_file (its name).
function apps.write(o)
  runs = runs + 1
  local directory = ("%s/%d"):format(scratch, runs)
  local name = o.app_file or "app.lua"
  assert(os.execute("mkdir " .. directory))
  if o.app then write(directory .. "/" .. name, APP .. o.app) end
  for path, text in pairs(o.scripts or {}) do
    write(directory .. "/" .. path, SCRIPT .. text .. "\nreturn M")
  end
  for path, text in pairs(o.files or {}) do write(directory .. "/" .. path, text) end
  local words = { quote(TIDEWIRE), "run", quote(directory .. "/" .. name) }
  for _, word in ipairs(o.args or {}) do words[#words + 1] = quote(word) end
  return directory, table.concat(words, " ")
end

--- Runs an app; input is its standard input, env a text before the command.
-- {out, err, status, lines}: what it wrote, its exit status, out in lines.
function apps.run(o)
  local directory, command = apps.write(o)
  local run = apps.shell(("%s timeout -k 1 %d %s"):format(o.env or "", PATIENCE, command),
                         o.input)
  run.directory, run.lines = directory, {}
  for line in run.out:gmatch "[^\n]+" do run.lines[#run.lines + 1] = line end
  return run
end

--- A FIX message: its fields after BodyLength and before CheckSum, parted by |.
function apps.fix(body, version)
  local text = ("8=%s|9=%d|%s"):format(version or "FIX.4.4", #body, body):gsub("|", "\1")
  local sum = 0
  for i = 1, #text do sum = sum + text:byte(i) end
  return ("%s10=%03d\1"):format(text, sum % 256)
end

--- Is the program built with that sanitizer ("asan", "tsan")?
function apps.has(sanitizer)
  return os.execute(("grep -q __%s_init %s"):format(sanitizer, quote(TIDEWIRE))) == true
end

return apps
