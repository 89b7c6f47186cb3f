--- attach: (internal) what people who are attached to a run say, and are answered.
--
-- Why: it runs in MAIN's state, which handles no quotes.  What needs a worker is sent
-- there as an evaluation and comes back later, so nothing here ever waits.

local figures = require "tw.figures"
local fix = require "tw.attach_fix"
local screen = require "tw.screen"
local tw = require "tw"

local attach = {}

local KEPT <const> = 200               -- lines of the log, errors and audits each
local LINE <const> = 4000              -- bytes of such a line; an audit file has all
local RESULT <const> = 200             -- bytes of one in an audit
local PATIENCE <const> = 1             -- seconds beyond its deadline, for an answer
local CEILING <const> = 60             -- seconds, for `gc`
local LEVELS <const> = { [0] = "error", "warn", "info", "print" }

local core                             -- see attach.c
local name, pid, workers
local clients = {}                     -- id -> {id, uid, pid, request, follows}
local parts = {}                       -- id -> {request, label, deadline}
local last_part = 0
local logged, errors, audits = {}, {}, {}
local paused = {}                      -- "worker index" -> true
local looked = { records = 0, elapsed = 0 }

local function keep(list, item)
  list[#list + 1] = item
  if #list > KEPT then table.remove(list, 1) end
end

-- Its beginning, when it is long.
local function cut(text, most)
  if #text <= most then return text end
  return ("%s … %d bytes"):format(text:sub(1, most), #text)
end

local function printable(text)
  return (text:gsub("[%c\127]", function(c)
    return c == "\t" and c or ("\\x%02X"):format(c:byte())
  end))
end

local function say(client, text, type)
  core.send(client.id, type or "O", text:find "\n$" and text or text .. "\n")
end

local function done(client, fine)
  client.request = nil
  core.send(client.id, "D", fine and "0" or "1")
end

local function fail(client, text)
  say(client, text, "E")
  done(client, false)
end

-- Who did what, in the audit file, the log, and what `audit` shows.  Without the file's
-- line nothing is to be done: nil and why.
local function audit(client, text)
  local time = os.date "!%Y-%m-%dT%H:%M:%SZ"
  local who = ("uid %d pid %d: "):format(client.uid, client.pid)
  text = printable(text)
  local written, why = core.audit(("%s %s %d %s%s"):format(time, name, pid, who, text))
  text = ("%s %s%s"):format(time, who, cut(text, LINE))
  if not written then text = text .. ": not done: " .. why end
  keep(audits, text)
  core.log(text)
  return written, why
end

-- May it be done?  If not, the client knows why.
local function permit(client, text)
  local written, why = audit(client, text)
  if not written then fail(client, why .. ": nothing was done") end
  return written
end

-- How it has ended.  False: that is not in the audit file.
local function audit_end(client, text)
  local written, why = audit(client, text)
  if not written then say(client, "done, but " .. why, "E") end
  return written
end

-- ---- asking workers ----

local function answer(part, fine, text)
  local request = part.request
  parts[part.id] = nil
  part.fine, part.text = fine, text
  request.pending = request.pending - 1
  if request.pending == 0 then request.finish(request) end
end

-- where: a list of {worker, index = of a script, label}.
local function ask(client, where, what, line, limits, finish)
  local request = { client = client, pending = #where, finish = finish }
  client.request = request
  for i, place in ipairs(where) do
    last_part = last_part + 1
    local part = { id = last_part, request = request, label = place.label,
                   deadline = tw.clock() + limits.wait + PATIENCE }
    request[i], parts[part.id] = part, part
  end
  for i, place in ipairs(where) do
    local sent, why = core.evaluate(request[i].id, place.worker, place.index or -1, what,
                                    line, limits.cpu, limits.bytes, limits.wait)
    if not sent then answer(request[i], false, why) end
  end
end

-- Side by side: one line each where that is enough.
local function show_parts(request)
  local client, fine, width = request.client, true, 0
  local alone = #request == 1 and not request.labelled
  for _, part in ipairs(request) do width = math.max(width, #part.label) end
  for _, part in ipairs(request) do
    local text = part.text
    if not alone then
      local between = text:find "\n" and "\n  " or (" "):rep(width - #part.label + 2)
      text = part.label .. between .. text:gsub("\n", "\n  ")
    elseif text == "" then
      text = nil
    end
    if text then say(client, text, part.fine and "O" or "E") end
    fine = fine and part.fine
  end
  done(client, fine)
end

-- ---- scripts by their names ----

local function short(text)
  return (text:match "[^/]*$":gsub("%.lua$", ""))
end

-- Each once, at most so many bytes of them.
local function listed(names)
  local seen, once = {}, {}
  for _, one in ipairs(names) do
    if not seen[one] then once[#once + 1] = one end
    seen[one] = true
  end
  return cut(once[1] and table.concat(once, ", ") or "none", 400)
end

-- The instances of that name, or nil and why not.
local function find_scripts(wanted)
  local found, names, other = {}, {}, nil
  for _, script in ipairs(core.scripts()) do
    names[#names + 1] = short(script.name)
    if wanted == script.name or wanted == script.name:gsub("%.lua$", "")
        or wanted == short(script.name) or wanted == short(script.name) .. ".lua" then
      if other and other ~= script.name then
        return nil, ("'%s' is %s or %s: say which"):format(wanted, other, script.name)
      end
      other = script.name
      found[#found + 1] = script
    end
  end
  if found[1] then return found end
  return nil, ("no script '%s'; there are %s"):format(wanted, listed(names))
end

local function all_workers()
  local where = {}
  for w = 0, workers - 1 do where[w + 1] = { worker = w, label = "@" .. w } end
  return where
end

-- The threads of the pool stand behind the workers.
local function all_threads()
  local where = {}
  for i = 0, core.threads() - 1 do
    where[i + 1] = { worker = workers + i, label = "@pool " .. i }
  end
  return where
end

-- Where a line is to be evaluated, or nil and why nowhere.
local function places_of(target)
  local number, where = math.tointeger(tonumber(target)), {}
  if target == "all" then return all_workers() end
  if target == "pool" then return all_threads() end
  if number then
    if number >= 0 and number < workers then
      return { { worker = number, label = "@" .. number } }
    end
    return nil, ("no worker %d: there are 0 to %d"):format(number, workers - 1)
  end
  local found, why = find_scripts(target)
  for i, script in ipairs(found or {}) do
    where[i] = { worker = script.worker, index = script.index,
                 label = ("@%s %d"):format(short(script.name), script.worker) }
  end
  return found and where, why
end

-- ---- commands: each gets the client, and what stands behind its name ----

local function show(client, text)
  say(client, text)
  done(client, true)
end

local function show_status(client)
  local status = core.status()
  local rate = (status.records - looked.records)
               / math.max(status.elapsed - looked.elapsed, 1e-3)
  looked = { records = status.records, elapsed = status.elapsed }
  show(client, ("%s, pid %d, %s"):format(name, pid, figures.status(status, rate)))
end

local function show_scripts(client)
  local instances = core.scripts()
  for _, one in ipairs(instances) do
    one.paused = paused[one.worker .. " " .. one.index]
  end
  show(client, figures.scripts(core.status(), instances))
end

local function show_lag(client) show(client, figures.lag(core.status())) end

-- The last n of a list of lines.
local function tail(client, list, n, nothing)
  local lines = {}
  for i = math.max(1, #list - n + 1), #list do lines[#lines + 1] = list[i] end
  show(client, lines[1] and table.concat(lines, "\n") or nothing)
end

local function show_errors(client, n)
  tail(client, errors, math.tointeger(tonumber(n)) or 20, "no errors")
end

local function show_audits(client, n)
  tail(client, audits, math.tointeger(tonumber(n)) or 20, "nothing was changed")
end

local function show_tasks(client) show(client, tostring(require "tw.ps"())) end

local function collect(client)
  if not permit(client, "gc") then return end
  local limits = { cpu = CEILING, bytes = 1 << 30, wait = CEILING }
  local where = all_workers()
  table.move(all_threads(), 1, core.threads(), #where + 1, where)
  ask(client, where, "collect", "", limits, function(request)
    local rows, fine = {}, true
    for i, part in ipairs(request) do
      local before, after = part.text:match "^(%d+) (%d+)$"
      fine = fine and part.fine
      rows[i] = { part.label:sub(2), part.fine and screen.bytes(before * 1024)
                  or part.text, part.fine and screen.bytes(after * 1024) or "" }
    end
    say(client, screen.table(rows, { "worker", "before", "after" }))
    done(client, fine)
  end)
end

-- One line of what was done to instances that follow each other.
local function count_scripts(found, verb)
  local counts, names = {}, {}
  for _, script in ipairs(found) do
    if not counts[script.name] then names[#names + 1] = script.name end
    counts[script.name] = (counts[script.name] or 0) + 1
  end
  for i, one in ipairs(names) do
    names[i] = ("%s: %s%s"):format(one, verb, counts[one] > 1 and ", "
                                   .. counts[one] .. " instances" or "")
  end
  return table.concat(names, "\n")
end

local function set_paused(client, wanted, pause)
  local found, why = find_scripts(wanted)
  if wanted == "all" then found = core.scripts() end
  if not found then return fail(client, why) end
  if not permit(client, (pause and "pause " or "resume ") .. wanted) then return end
  local waits = false
  for _, script in ipairs(found) do
    local sent, problem = core.pause(script.worker, script.index, pause)
    if not sent then return fail(client, problem) end
    paused[script.worker .. " " .. script.index] = pause or nil
    waits = waits or script.reliable
  end
  say(client, count_scripts(found, pause and "paused" or "resumed"))
  if pause and waits then
    say(client, "warning: the tape waits for it: when the tape is full, so does the"
        .. " market", "E")
  end
  done(client, true)
end

-- What a reload is, tw knows: it gives a future of the version that runs then.
local function through(verb)
  return function(client, argument)
    local wanted, version = argument:match "^(%S+) ?(%d*)"
    local options = {}
    for name, value in argument:gmatch "(%a+)=([%w.]+)" do
      options[#options + 1] = ("%s = %s"):format(name,
        tonumber(value) or ("%q"):format(value))
    end
    if #options > 0 then version = "{" .. table.concat(options, ", ") .. "}" end
    local found, why = find_scripts(wanted)
    local app = core.status().app.name
    if wanted == app or wanted == app:gsub("%.lua$", "") then
      found = { { name = app } }
    end
    if not found then return fail(client, why) end
    if not permit(client, verb .. " " .. argument) then return end
    local line = ("return tw.%s(%q%s):await()"):format(verb, found[1].name,
      version ~= "" and ", " .. version or "")
    local limits = { cpu = CEILING, bytes = 1 << 30, wait = CEILING }
    ask(client, places_of "0", "change", line, limits, function(request)
      local part = request[1]
      if part.fine then
        part.text = ("%s: version %s"):format(found[1].name, part.text)
      end
      local written = audit_end(client, ("%s %s: %s"):format(verb, argument,
                                                             cut(part.text, RESULT)))
      part.fine = part.fine and written
      show_parts(request)
    end)
  end
end

-- The kill switch.
local function set_halted(client, why, halted)
  if not permit(client, (halted and "halt " or "unhalt ") .. why) then return end
  core.halt(halted, ("uid %d pid %d"):format(client.uid, client.pid),
            why ~= "" and why or nil)
  show(client, halted and "trading is halted: no order goes out, open ones are canceled"
               or "trading goes on")
end

local function on_log(client, argument)
  local level = argument:match "^level%s*(%a*)$"
  if argument == "follow" or argument == "follow off" then
    client.follows = argument == "follow"
    return done(client, true)
  elseif level then
    for i = 0, #LEVELS do
      if LEVELS[i] == level then
        if not permit(client, "log level " .. level) then return end
        core.log_level(i)
      elseif level ~= "" and i == #LEVELS then
        return fail(client, "log level: error, warn or info expected, got " .. level)
      end
      if LEVELS[i] == level then break end
    end
    say(client, LEVELS[core.log_level()])
    return done(client, true)
  end
  tail(client, logged, math.tointeger(tonumber(argument)) or 20, "nothing was logged")
end

-- FIX sessions: what only shows needs no permit.
local function on_fix(client, argument)
  local act, said = fix.read(argument)
  if not act then return fail(client, said) end
  if said and not permit(client, "fix " .. said) then return end
  local fine, text = pcall(act)
  if not fine then return fail(client, (tostring(text):gsub("^[^ ]*:%d+: ", ""))) end
  show(client, text)
end

local HELP = [[
expr            an expression, or a chunk, in worker 0; it may only look
!expr           likewise, and may change things: it goes to the audit log
@2 expr         in worker 2; @all: in every one; @pool: in the pool's threads
@maker expr     in the script maker: self, its globals, the locals of its file
status          what runs, for how long, how fast
scripts         each instance: its version, state and figures
lag             who is behind, the worst first
errors [n]      the last errors and warnings; log [n]: all that was logged last
log follow      what is logged, as it comes, until log follow off
log level L     what the run prints: error, warn or info
ps              all tasks of all states, as a tree
gc              collects the garbage of all states, a little at a time
pause NAME      a script takes no more records, or all do; resume NAME
halt [why]      trading: no order of any script goes out; unhalt
reload NAME     a script, or the app: its file is read again; rollback NAME [version];
                reload NAME warm=10m shadow=1000: see tidewire help reload
fix             the FIX sessions; fix NAME: one; fix NAME reset | numbers IN OUT |
                enable | disable | logout [why] | remove; fix add NAME=VALUE ...
audit [n]       who has changed what
help, quit      Ctrl-C ends what runs, or drops what is typed]]

local function show_help(client) show(client, HELP) end

local NAME <const>, NUMBER <const> = "^[%w_./-]+$", "^%d*$"

-- What each does, how it is said, and patterns of what may stand behind its name.
local commands <const> = {
  status = { show_status, "status", "^$" }, scripts = { show_scripts, "scripts", "^$" },
  lag = { show_lag, "lag", "^$" }, ps = { show_tasks, "ps", "^$" },
  gc = { collect, "gc", "^$" }, help = { show_help, "help", "^$" },
  errors = { show_errors, "errors [n]", NUMBER },
  audit = { show_audits, "audit [n]", NUMBER },
  pause = { function(client, wanted) set_paused(client, wanted, true) end,
            "pause NAME, or pause all", NAME },
  resume = { function(client, wanted) set_paused(client, wanted, false) end,
             "resume NAME, or resume all", NAME },
  halt = { function(client, why) set_halted(client, why, true) end, "halt [why]",
           "^[^=(]*$" },
  unhalt = { function(client, why) set_halted(client, why, false) end, "unhalt",
             "^[^=(]*$" },
  reload = { through "reload", "reload NAME [warm=10m] [shadow=1000]", NAME,
             "^[%w_./-]+ [%w_.= ]+=[%w.]+$" },
  rollback = { through "rollback", "rollback NAME [version]", NAME, "^[%w_./-]+ %d+$" },
  fix = { on_fix, "fix, fix NAME, fix NAME reset | numbers IN OUT | enable | disable |"
          .. " logout [why] | remove, fix add NAME=VALUE ...", "^$", "^[%w%-_.:%%]+$",
          "^[%w%-_.:%%]+ %a+[%w%s]*$", "^[%w%-_.:%%]+ logout .", "^add [%a_.]+=",
          "^add *{.*}$" },
  log = { on_log, "log [n], log follow [off], log level [error|warn|info]", NUMBER,
          "^follow$", "^follow off$", "^level ?%a*$" },
}

-- Is that line a command?  A name with anything else behind it is an expression, unless
-- that is none: then nil and how the command is said.
local function command_of(line)
  local word, rest = line:match "^(%a+)%s*(.-)$"
  local command = commands[word]
  if not command then return end
  for i = 3, #command do
    if rest:find(command[i]) then return command[1], rest end
  end
  if rest == "" or not load("return " .. line) and not load(line) then
    return nil, ("%s: expected %s"):format(word, command[2])
  end
end

-- "!@maker line" -> line, target, whether it may change things
local function parse(line)
  local changes, target = false, nil
  line = line:match "^%s*(.-)%s*$"
  for _ = 1, 2 do
    if line:sub(1, 1) == "!" then
      changes, line = true, line:match "^!%s*(.*)$"
    elseif not target and line:sub(1, 1) == "@" then
      target, line = line:match "^@(%S*)%s*(.*)$"
    end
  end
  if not changes and line:sub(1, 1) == "!" then
    changes, line = true, line:match "^!%s*(.*)$"
  end
  return line, target, changes
end

local function on_line(client, text, limits)
  local line, target, changes = parse(text)
  if line == "" and not target then return done(client, true) end
  if not target then
    local command, argument = command_of(line)
    if command then return command(client, argument) end
    if argument then return fail(client, argument) end
  end
  local where, why = places_of(target or "0")
  if not where then return fail(client, why) end
  if line == "" then return fail(client, "@" .. target .. ": what?") end
  if changes and target == "pool" then
    return fail(client, "@pool: its states may only be looked at: a job runs in any of"
                .. " them")
  end
  if changes and not permit(client, text) then return end
  ask(client, where, changes and "change" or "look", line, limits, function(request)
    request.labelled = target == "all" or target == "pool"
    for _, part in ipairs(changes and request or {}) do
      local said = ("%s: %s %s"):format(part.label, part.fine and "done" or "failed",
                                        cut(part.text, RESULT))
      if not audit_end(client, said) then part.fine = false end
    end
    if not target and request[1].text == "nil" and line:find "^%a+$" then
      say(client, ("'%s' is no command; `help` lists them"):format(line), "E")
    end
    show_parts(request)
  end)
end

local function on_complete(client, text, limits)
  local line, target = parse(text)
  local where = places_of(target or "0")
  local function offer(word) core.send(client.id, "P", word) end
  if not target and line:find "^%a*$" then
    for word in pairs(commands) do
      if word:sub(1, #line) == line then offer(word) end
    end
  end
  if not where then return done(client, true) end
  ask(client, { where[1] }, "complete", line, limits, function(request)
    if request[1].fine then
      for word in request[1].text:gmatch "[^\n]+" do offer(word) end
    end
    done(client, true)
  end)
end

-- ---- for who is attached ----

--- attach.is_whole(text) -> boolean
-- Is that a whole entry?  Else it goes on in the next line.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function attach.is_whole(text)
  local line, target = parse(text)
  if line == "" or not target and command_of(line) then return true end
  if load("return " .. line) then return true end
  local _, why = load(line)
  return not (why and why:find "near <eof>$")
end

-- ---- what C calls ----

--- attach.open(core, name, pid, workers)
-- Begins: core has the functions of attach.c.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function attach.open(functions, ...)
  core = functions
  name, pid, workers = ...
end

--- attach.joined(client, uid, pid)
-- Somebody is attached.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function attach.joined(client, uid, of)
  clients[client] = { id = client, uid = uid, pid = of }
  core.send(client, "H", ("%s %d %s"):format(name, pid, tw.version))
end

--- attach.left(client)
-- And has gone, perhaps while something was asked.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function attach.left(client)
  local one = clients[client]
  clients[client] = nil
  for _, part in ipairs(one and one.request or {}) do
    if parts[part.id] then core.cancel(part.id) end
  end
end

--- attach.frame(client, type, text)
-- Somebody said something.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function attach.frame(client, type, text)
  local one = clients[client]
  if not one then return end
  if type == "C" then
    for _, part in ipairs(one.request or {}) do
      if parts[part.id] then core.cancel(part.id) end
    end
    return
  end
  if one.request then return say(one, "one line at a time", "E") end
  local cpu, bytes, wait, line = text:match "^([%d.]+) ([%d.]+) ([%d.]+)\n(.*)$"
  local limits = { cpu = tonumber(cpu), bytes = tonumber(bytes), wait = tonumber(wait) }
  if not (limits.cpu and limits.bytes and limits.wait) then
    return fail(one, "that is not what `tidewire attach` says")
  end
  if type == "L" then on_line(one, line, limits)
  elseif type == "T" then on_complete(one, line, limits) end
end

--- attach.said(part, text)
-- An evaluation prints.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function attach.said(id, text)
  local part = parts[id]
  if not part then return end
  local alone = #part.request == 1
  say(part.request.client, alone and text or part.label .. ": " .. text)
end

--- attach.ended(part, fine, text, cpu)
-- An evaluation has ended.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: cpu in seconds.
function attach.ended(id, fine, text)
  if parts[id] then answer(parts[id], fine, text) end
end

--- attach.log(level, who, text)
-- A line of the run's log.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function attach.log(level, who, text)
  local line = text:sub(1, LINE)
  if level < 3 then
    line = ("%s %s: %s%s"):format(os.date "!%H:%M:%SZ", LEVELS[level],
                                  who ~= "" and who .. ": " or "", line)
  end
  keep(logged, line)
  if level < 2 then keep(errors, line) end
  for _, client in pairs(clients) do
    if client.follows then say(client, line, "E") end
  end
end

--- attach.tick()
-- Now and then: a worker that does not answer is given up.
-- Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none.
function attach.tick()
  local now = next(parts) and tw.clock()
  for id, part in pairs(now and parts or {}) do
    if now > part.deadline then
      core.cancel(id)
      answer(part, false, "no answer: the worker is busy; see ps and lag")
    end
  end
end

return attach
