--- bot: (internal) what a program that `tidewire build` made says of itself.

local app = require "tw.app"
local source = require "tw.internal.source"

local bot = {}

local said = {}                  -- lines; written at once, so that an error is seen

local function say(text) said[#said + 1] = text end

local KINDS = { number = "NUMBER", boolean = "true|false" }

-- The parameters that the app file asks for, and then what every program has.
local function help(name)
  local params, lines = app.open(source.app(), {}, 1024).params, {}
  local width = 22
  for param, default in pairs(params) do
    local left = ("--%s %s"):format(param, KINDS[type(default)] or "TEXT")
    lines[#lines + 1] = { left, tostring(default) }
    width = math.max(width, #left + 2)
  end
  table.sort(lines, function(a, b) return a[1] < b[1] end)
  say(("usage: %s [options]\n\nruns %s"):format(name, source.app()))
  if lines[1] then say "\nparameters, and what they are unless given" end
  for _, line in ipairs(lines) do
    say(("  %-" .. width .. "s%s"):format(line[1], line[2]))
  end
  say "\noptions"
  for _, option in ipairs(require "tw.internal.bot".options()) do
    local left = "--" .. option.name .. (option.value and " " .. option.value or "")
    say(("  %-" .. width .. "s%s"):format(left, option.purpose))
  end
  say "\nTIDEWIRE_REPL=1 in the environment gives a prompt in the run."
end

-- As it was when the program was built: not what --override has.
local function read(name)
  local text, why = source.inside(name)
  return text or error(why, 0)
end

local function manifest()
  local inside = require "tw.internal.bot"
  local digest, program, payload = inside.seal()
  say(("app      %s"):format(source.app()))
  say(("program  %d bytes"):format(program))
  say(("files    %d bytes, packed"):format(payload))
  say(("sha256   %s\n"):format(digest))
  for _, name in ipairs(inside.names()) do
    local text = read(name)
    say(("%s %9d  %s"):format(inside.sha256(text), #text, name))
  end
  say ""
  for _, part in ipairs(inside.parts(require "tw.internal.pack".is_static())) do
    say(("%-18s %-8s %-10s %s"):format(part.name, part.version, part.licence,
                                         part.holder))
  end
end

local function extract(directory)
  local inside = require "tw.internal.bot"
  for _, name in ipairs(inside.names()) do
    local fine, why = inside.create(directory .. "/" .. name, read(name))
    if not fine then error(why, 0) end
  end
end

local function run(arguments)
  local name, option, value = table.unpack(arguments, 1, 3)
  if option == "--extract" and not value then
    error("--extract DIR: the directory is missing", 0)
  end
  if arguments[option == "--extract" and 4 or 3] then
    error(option .. " stands alone", 0)
  end
  if option == "--help" then help(name)
  elseif option == "--manifest" then manifest()
  elseif option == "--licences" then say((require "tw.bundle".read "licences"))
  elseif option == "--extract" then extract(value)
  else
    say(table.concat(require "tw.internal.bot".names(), "\n"))
  end
end

--- bot.main(arguments) -> status
-- What a built program does with --help, --manifest, --licences, --list or --extract; the
-- first argument is its own name.
-- Yields: no.  Blocks: while it reads and writes files.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1.  Units: none.
function bot.main(arguments)
  local fine, why = pcall(run, arguments)
  if fine and said[1] then
    fine, why = io.write(table.concat(said, "\n"), "\n")
    if fine then fine, why = io.stdout:flush() end
  end
  if fine then return 0 end
  io.stderr:write("tidewire: ", tostring(why), "\n")
  return 1
end

return bot
