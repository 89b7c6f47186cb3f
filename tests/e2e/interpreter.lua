--- interpreter: tidewire as a Lua interpreter, started as a user starts it.
--
-- Each case is one process with its input, output and errors in files of their
-- own.  The prompt is tested on a real terminal, which script(1) makes: a dumb one, for
-- the editor has tests of its own.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local quote, write = apps.quote, apps.put

local TIDEWIRE = apps.program
local VERSION = "tidewire %d+%.%d+%.%d+ %(Lua 5%.4%.%d+%)\n"
local CLEAN = "export TERM=dumb; unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 "
  .. "LUA_CPATH LUA_CPATH_5_4; "

local SCRIPT, MODULE = apps.directory .. "/s.lua", apps.directory .. "/s_m.lua"
local FIFO = apps.directory .. "/fifo"

--- What a shell command wrote and how it ended: output, errors, status.
local function shell(command, input)
  local run = apps.shell(CLEAN .. command, input)
  return run.out, run.err, run.status
end

--- Runs tidewire with the words of a list; its field input is the standard
-- input, and every other field a variable of the environment.
local function tidewire(words)
  local parts = {}
  for name, value in pairs(words) do
    if type(name) == "string" and name ~= "input" then
      parts[#parts + 1] = name .. "=" .. quote(value)
    end
  end
  parts[#parts + 1] = apps.tidewire
  for _, word in ipairs(words) do parts[#parts + 1] = quote(word) end
  return shell(table.concat(parts, " "), words.input)
end

--- Runs tidewire and compares all that it did; want_errors is a pattern.
local function case(name, words, want_output, want_errors, want_status)
  local output, errors, status = tidewire(words)
  t.is(output, want_output, name .. ": output")
  t.ok(errors:find("^" .. want_errors .. "$"), name .. ": errors")
  t.is(status, want_status, name .. ": status")
end

local function prints(name, words, want) case(name, words, want, "", 0) end
local function fails(name, words, want) case(name, words, "", want, 1) end

-- Options.

write(MODULE, "return { name = ... }")
local directory, module = MODULE:match "^(.*)/([^/]*)%.lua$"
local path = directory .. "/?.lua"

prints("-e", { "-e", "print(1)" }, "1\n")
prints("-e joined to its statement", { "-eprint(1)" }, "1\n")
prints("-e twice", { "-e", "x = 1", "-e", "print(x + 2)" }, "3\n")
prints("-e alone reads no input", { "-e", "x = 1", input = "print 'read'" }, "")
prints("-l", { "-l", module, "-e", ("print(_G[%q].name)"):format(module),
  LUA_PATH = path }, module .. "\n")
prints("-l with a global", { "-l", "g=" .. module, "-e", "print(g.name)",
  LUA_PATH = path }, module .. "\n")
prints("-l joined to its name", { "-lg=string", "-e", "print(g == string)" }, "true\n")
prints("-l, then the input", { "-lg=string", input = "print(g == string)" }, "true\n")
local many = { "-e", "print(g == string)" }
for _ = 1, 99 do table.insert(many, 1, "-lg=string") end
prints("-l many times", many, "true\n")
fails("-l of nothing", { "-l", "tw_no_such_module" },
  "tidewire: module 'tw_no_such_module' not found:\n.*\nstack traceback:\n.*")

local output, errors, status = tidewire { "-v", input = "print 'read'" }
t.ok(output:find("^" .. VERSION .. "$"), "-v prints the version alone")
t.is(errors .. status, "0", "-v ends well")
output = tidewire { "-v", "-e", "print(1)" }
t.ok(output:find("^" .. VERSION .. "1\n$"), "-v, then a statement")

for _, bad in ipairs { "-x", "--help-me", "-vx", "-i-", "-Ex" } do
  fails(bad .. " before anything runs", { "-e", "print(1)", bad },
    ("tidewire: unrecognized option '%s'\nusage: .*"):format(bad:gsub("-", "%%-")))
end
fails("-e without a statement", { "-e" }, "tidewire: no argument after '%-e'\nusage: .*")
fails("-l without a module", { "-l" }, "tidewire: no argument after '%-l'\nusage: .*")
fails("an option as argument", { "-e", "-v" },
  "tidewire: no argument after '%-e'\nusage: .*")

-- Warnings.

case("-W", { "-W", "-e", "warn('a', 'b') warn '@off' warn 'c'" }, "",
  "Lua warning: ab\n", 0)
case("warn @on", { "-e", "warn 'a' warn '@on' warn 'b'" }, "",
  "Lua warning: b\n", 0)
case("a control message is a whole one", { "-W", "-e", "warn('@off', '') warn 'a'" },
  "", "Lua warning: @off\nLua warning: a\n", 0)
case("an error in a finalizer, at the very end", { "-W", "-e",
  "x = setmetatable({}, { __gc = function() error 'bad' end })" }, "",
  "Lua warning: error in __gc [^\n]*bad[^\n]*\n", 0)

-- Scripts and their arguments.

write(SCRIPT, [[
#!/usr/bin/env tidewire
local all = {}
for i = -3, 3 do all[#all + 1] = tostring(arg[i]) end
print(table.concat(all, " "))
print(...)
return "a value that nobody reads"
]])
prints("arguments", { SCRIPT, "a", "-b", "" },
  ("nil nil %s %s a -b \na\t-b\t\n"):format(TIDEWIRE, SCRIPT))
prints("options are below 0", { "-W", "-e", "x=1", SCRIPT, "-v" },
  ("-W -e x=1 %s -v nil nil\n-v\n"):format(SCRIPT))
prints("-- before a script", { "--", SCRIPT },
  ("nil %s -- %s nil nil nil\n\n"):format(TIDEWIRE, SCRIPT))
prints("arg without a script", { "-e", "print(arg[0], arg[1], #arg, ...)" },
  TIDEWIRE .. "\t-e\t2\n")
prints("arg as -e leaves it", { "-e", "arg = { 'new', 'er' }", SCRIPT, "old" },
  "nil nil nil nil new er nil\nnew\ter\n")
fails("arg is no table", { "-e", "arg = 1", SCRIPT }, "tidewire: 'arg' is not a table\n")

prints("the input as script", { input = "#!/bin/x\nprint(1, ...)" }, "1\n")
prints("-", { "-", "a", input = "print(arg[0], ...)" }, "-\ta\n")
fails("-- - is a file", { "--", "-", input = "print(1)" },
  "tidewire: cannot open %-: No such file or directory\n")
fails("no such file", { "/nowhere/x.lua" },
  "tidewire: cannot open /nowhere/x%.lua: No such file or directory\n")
fails("a directory", { "/" }, "tidewire: cannot read /: Is a directory\n")

-- Errors and statuses.

fails("an error", { "-e", "local function f() error 'bad' end f()" },
  "tidewire: %(command line%):1: bad\nstack traceback:\n.*in local 'f'.*")
fails("an error in the input", { input = "\nerror 'bad'" },
  "tidewire: stdin:2: bad\nstack traceback:\n.*")
fails("a syntax error", { "-e", "x = = 1" },
  "tidewire: %(command line%):1: unexpected symbol near '='\n")
fails("a syntax error in the input", { input = "x =" },
  "tidewire: stdin:1: unexpected symbol near <eof>\n")
fails("nothing runs after an error", { "-e", "error()", "-e", "print(1)", SCRIPT },
  "tidewire: %(error object is a nil value%)\nstack traceback:\n.*")
fails("an error object", { "-e", "error {}" },
  "tidewire: %(error object is a table value%)\nstack traceback:\n.*")
fails("an error object that describes itself", { "-e",
  "error(setmetatable({}, { __tostring = function() return 'as text' end }))" },
  "tidewire: as text\n")

write(SCRIPT, "local x <close> = setmetatable({}, { __close = print })\n"
  .. "print(1)\nlocal function f() error 'bad' end\nf()\n")
output, errors, status = tidewire { SCRIPT }
t.ok(output:find "^1\ntable: ", "an error closes variables")
t.is(errors:match "^[^\n]*", ("tidewire: %s:3: bad"):format(SCRIPT),
  "an error names file and line")
t.is(status, 1, "an error's status")

case("os.exit", { "-e", "io.write 'x' os.exit(7)" }, "x", "", 7)
case("os.exit(true)", { "-e", "os.exit(true, true)" }, "", "", 0)
case("os.exit(false) closes", { "-e",
  "local x <close> = setmetatable({}, { __close = function() print(1) end })"
  .. " os.exit(false, true)" }, "1\n", "", 1)

-- The environment.

prints("LUA_INIT", { "-e", "print(x)", LUA_INIT = "x = 1" }, "1\n")
prints("LUA_INIT_5_4 hides LUA_INIT",
  { "-e", "print(x)", LUA_INIT = "x = 1", LUA_INIT_5_4 = "x = 2" }, "2\n")
write(SCRIPT, "x = 3")
prints("LUA_INIT=@file", { "-e", "print(x)", LUA_INIT = "@" .. SCRIPT }, "3\n")
fails("LUA_INIT that fails", { "-e", "print(1)", LUA_INIT = "error 'bad'" },
  "tidewire: LUA_INIT:1: bad\nstack traceback:\n.*")
fails("LUA_INIT of no file", { "-e", "print(1)", LUA_INIT = "@/nowhere/x" },
  "tidewire: cannot open /nowhere/x: No such file or directory\n")
local searches = "print(package.path:find 'zz', package.cpath:find 'zz')"
prints("LUA_PATH and LUA_CPATH", { "-e", searches, LUA_PATH = "zz", LUA_CPATH = "zz" },
  "1\t1\t2\n")
prints("-E", { "-E", "-e", searches, "-e", "print(x)", LUA_INIT = "x = 1",
  LUA_PATH = "zz", LUA_CPATH = "zz" }, "nil\tnil\nnil\n")
prints("-E leaves package and require together", { "-E",
  "-e", ("package.path = %q"):format(path), "-l", "g=" .. module,
  "-e", "print(g.name)" }, module .. "\n")

-- Interruption.  The script opens the fifo when it is about to loop; the shell
-- waits for that, then sends the signal.  The times only end a test that fails.

-- A run that was saved as --save run must not stand in the way of tidewire run.
write(apps.directory .. "/tape", "print(...)")
write(apps.directory .. "/bare", "print(...)")
local function inside(words)
  return apps.shell(("cd %s && %s %s"):format(apps.directory, TIDEWIRE, words))
end
t.ok(inside("tape").err:find("tidewire: tape: ", 1, true), "a command, not a file")
t.is(inside("./tape a b").out, "a\tb\n", "that file")
t.is(inside("bare a b").out, "a\tb\n", "a file that is none's name")

assert(os.execute("mkfifo " .. FIFO))
local LOOP = ("io.open(%q, 'w'):close() "
  .. "local last = os.time() + 100 while os.time() < last do end print 'ran on'")
  :format(FIFO)
local AWAIT = "timeout 120 cat " .. FIFO
local function interrupted(name, loop)
  local out, why, code = shell(("%s -e %s & %s; kill -INT $!; wait $!")
    :format(apps.tidewire, quote(loop), AWAIT))
  t.ok(why:find "^tidewire: [^\n]*interrupted!\nstack traceback:\n", name)
  t.is(out, "", name .. " at once")
  t.is(code, 1, name .. ": status")
end
interrupted("SIGINT interrupts a script", LOOP)
interrupted("SIGINT interrupts a coroutine",
  ("coroutine.wrap(function() %s end)()"):format(LOOP))
output, errors, status = shell(("%s -e %s & %s; kill -INT $!; %s; kill -INT $!; wait $!")
  :format(apps.tidewire, quote(("for _ = 1, 2 do pcall(function() %s end) end")
    :format(LOOP)), AWAIT, AWAIT))
t.is(status, 128 + 2, "a second SIGINT ends the process")

-- The prompt, first without a terminal: -i asks for it.

output, errors, status = tidewire { "-i", input = [[
1, nil, "x"
x =
3
x
for i = 1, 2 do
print(i)
end
x = [=[a

b]=]
#x
local y <const> = 1; return y

_PROMPT = setmetatable({}, { __tostring = function() return "first " end })
_PROMPT2 = "more "
f(
]] }
t.is(output:gsub("^" .. VERSION, "", 1), "> 1\tnil\tx\n> >> > 3\n> >> >> 1\n2\n"
  .. "> >> >> > 4\n> 1\n> > first first more first \n", "-i reads, evaluates, prints")
t.is(errors, "stdin:1: unexpected symbol near <eof>\n", "an unfinished last statement")
t.is(status, 0, "the end of the input ends the prompt")

output, errors, status = tidewire { "-i", input = [[
x = = 1
error {}
error "bad"
goto nowhere
tostrin(1)
print = nil
1
os.exit(5)
]] }
t.is(output:gsub("^" .. VERSION, "", 1), ("> "):rep(8), "errors do not end the prompt")
t.ok(errors:find("^stdin:1: unexpected symbol near '='\n"
  .. "%(error object is a table value%)\nstack traceback:\n.*"
  .. "\nstdin:1: bad\nstack traceback:\n.*"
  .. "\nstdin:1: no visible label 'nowhere'[^\n]*\n"
  .. "stdin:1: [^\n]+ %(global 'tostrin'%); did you mean 'tostring'%?\n"
  .. "stack traceback:\n.*"
  .. "error calling 'print': attempt to call a nil value\n"), "errors at the prompt")
t.is(status, 5, "os.exit at the prompt")

output, errors, status = tidewire { "-i", input = [[
tw = require "tw"
tw.freeze { 1, 2.5, name = "AAPL", deep = { "x" } }, "x"
p = tw.promise()
p, p.future
p:resolve { ok = true }
p.future, p.future:peek()
]] }
t.is(output:gsub("^" .. VERSION, "", 1):gsub("0x%x+", "0x"),
  '> > {1, 2.5, deep = {"x"}, name = "AAPL"}\tx\n'
  .. "> > promise: 0x (pending)\tfuture: 0x (pending)\n"
  .. "> true\n> future: 0x (done)\tdone\t{ok = true}\n> \n", "it shows what values hold")
t.is(errors .. status, "0", "and all is well")

write(SCRIPT, "x = ...")
output = tidewire { "-i", SCRIPT, "a", input = "x" }
t.ok(output:find("^" .. VERSION .. "> a\n> \n$"), "-i after a script")
output, errors, status = tidewire { "-i", "/nowhere/x.lua", input = "1" }
t.ok(output:find("^" .. VERSION .. "$"), "-i after a script that fails does not prompt")
t.is(status, 1, "-i after a script that fails: status")

-- The prompt on a terminal: script(1) copies the input to a new terminal, which
-- does not echo it; the text \4 is the key that ends the input.

local function on_terminal(command, feed)
  local screen, why, code = shell(("%s | script --echo never -qec %s /dev/null")
    :format(feed, quote(command)))
  return screen:gsub("\r", ""), why, code
end

local probe = on_terminal("test -t 0 && echo a terminal", "true")
if probe:find "a terminal" then
  output, errors, status = on_terminal(TIDEWIRE, [[printf '1 + 1\nx =\n3\nx\n\4']])
  t.ok(output:gsub("  :help[^\n]*", "", 1):find("^" .. VERSION .. "> 2\n> >> > 3\n> \n"),
    "a terminal gets version and prompt")
  t.is(errors .. status, "0", "the end of the input ends it well")

  output = on_terminal(TIDEWIRE, [[printf 'x =\n\0041 + 1\n\4']])
  t.ok(output:find "> >> [^\n]*near <eof>\n> 2\n> \n",
    "the end of the input in a statement ends that statement")

  output = on_terminal(TIDEWIRE .. " -e 'print(1)'", "true")
  t.ok(output:find "^1\n" and not output:find ">", "-e needs no prompt")

  -- exec, for Ctrl-C goes to all programs of the terminal, and a shell would die.
  write(SCRIPT, LOOP .. "\n")
  output, errors, status = on_terminal("exec " .. TIDEWIRE,
    ("{ cat %s; %s; printf '\\003print(6 * 7)\\n\\4'; }"):format(SCRIPT, AWAIT))
  t.ok(output:find "> interrupted!\nstack traceback:\n.*> 42\n> \n",
    "Ctrl-C interrupts what runs, not the prompt")
  t.is(errors .. status, "0", "after Ctrl-C the prompt ends well")
else
  t.skip "no script(1) with --echo: the prompt is not tested on a terminal"
end

-- ---- a standard output that is full ----

for _, code in ipairs { "print(1)", "print(1) os.exit()",
                         "print(1) os.exit(true, true)" } do
  write(SCRIPT, code)
  local run = apps.shell(("%s %s >/dev/full"):format(TIDEWIRE, SCRIPT))
  t.ok(run.status == 1 and run.err:find "^tidewire: standard output: [^\n]+\n$",
       "a full disk is told: " .. code)
end
write(SCRIPT, "print(1) os.exit(3)")
t.is(apps.shell(("%s %s >/dev/full"):format(TIDEWIRE, SCRIPT)).status, 3,
     "what has failed keeps its status")

t.done()
