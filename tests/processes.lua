--- processes: programs that a test starts in a folder, hears and ends.
--
--   package.path = "tests/?.lua;" .. package.path
--   local p = require "processes".open(apps.folder "name")
--   local app = p.run "app"                 -- app.lua there; what it says: app.out
--   p.await(app, "filled")                  -- a line of it begins so
--   p.kill(app, 9)

local t, apps = require "tw.test", require "apps"

local PATIENCE <const> = 120             -- seconds

local processes = {}

--- For scripts: print, which is heard at once, as words.
processes.SAY = [[
  local function say(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    io.stdout:write(table.concat(words, " ") .. "\n")   -- whole, whoever writes, too
    io.stdout:flush()
  end
]]

--- Waits until f() is true; nil: it never was.
function processes.wait(f)
  local till = os.time() + PATIENCE
  repeat
    local got = f()
    if got then return got end
    os.execute "sleep 0.02"
  until os.time() > till
end

--- Those of a folder.
function processes.open(directory)
  local p = { directory = directory }

  function p.put(name, text) apps.put(directory .. "/" .. name, text) end

  --- "" where there is none.
  function p.read(name)
    local file <close> = io.open(directory .. "/" .. name)
    return file and file:read "a" or ""
  end

  --- A command, whose output is added to NAME.out.
  function p.start(name, command, input)
    os.execute(("cd %s && { %s <%s >>%s.out 2>&1 & echo $! >%s.pid; }"):format(directory,
      command, input or "/dev/null", name, name))
    return { name = name, pid = p.read(name .. ".pid"):match "%d+" }
  end

  --- The app NAME.lua.
  function p.run(name)
    return p.start(name, ("exec %s run %s.lua --seconds 300 --no-attach"):format(
      apps.tidewire, name))
  end

  function p.kill(process, how)
    os.execute(("kill -%s %s 2>/dev/null"):format(how, process.pid))
    while not apps.is_gone(process.pid) do os.execute "sleep 0.02" end
  end

  --- How many lines of its output begin as the pattern says.
  function p.count(process, pattern)
    return select(2, ("\n" .. p.read(process.name .. ".out")):gsub("\n" .. pattern, ""))
  end

  -- What all have said, of each the last lines.
  local function await(what, name, f)
    if processes.wait(f) then return true end
    t.diag(("not there: %s, in %s\n%s"):format(what, name,
      apps.shell(("cd %s && tail -v -n 60 *.out"):format(directory)).out))
  end

  --- Waits until there are so many.
  function p.await_count(process, pattern, times)
    return await(pattern, process.name .. ".out",
                 function() return p.count(process, pattern) >= times end)
  end

  --- Waits until a line of it begins with the text.
  function p.await(process, line)
    return await(line, process.name .. ".out", function()
      return ("\n" .. p.read(process.name .. ".out")):find("\n" .. line, 1, true)
    end)
  end

  --- Waits until a file has the text.
  function p.await_in(name, text)
    return await(text, name, function() return p.read(name):find(text, 1, true) end)
  end

  return p
end

return processes
