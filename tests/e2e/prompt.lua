--- prompt: how it ends, on which terminals it types, and what interrupts it.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local terminal = require "terminal"

local screen, shows, lacks = terminal.screen, terminal.shows, terminal.lacks
local keys, enter, start = terminal.keys, terminal.enter, terminal.start
local prompt, clear = terminal.prompt, terminal.clear

-- Tasks that wait for ever.

prompt()
enter "tw.task.detach(function() tw.channel(1):recv() end)"
enter "tw.task.detach(function() tw.sleep(1000) end)"
enter "tw.pool.run(function() while os.time() do end end)"
shows("future: [^\n]*\n>$", "tasks and a job that do not end")
keys { "C-d" }
shows("\n3 tasks still run; Ctrl%-C ends them$", "are told of behind Ctrl-D")
keys { "C-c" }
shows("status 130$", "and end with Ctrl-C")
-- A file lets a task go on, so that whatever the test waits for has been seen by then.
local go = terminal.directory .. "/go"
local function waits(code)
  os.remove(go)
  prompt()
  enter("go = '" .. go .. "'")
  enter "tw.task.detach(function() while not io.open(go) do tw.sleep(0.01) end"
  enter(code .. " end)")
  keys { "C-d" }
  shows("\n1 task still runs; Ctrl%-C ends it$", "one task")
  apps.put(go, "")
end
waits "print 'last words'"
shows("\nlast words\nstatus 0$", "those that end are waited for")
waits "print 'on' while os.time() do end"
shows("\non$", "computes")
keys { "C-c" }
shows("nobody awaited: interrupted!\n.*status 130$", "Ctrl-C ends it, with its traceback")

-- Signals and kill -9, while somebody types and while an entry runs.

local kept = 0

--- Types text into a prompt whose history has one more entry, and sends a signal when it
-- shows; before: what stands before the program.
local function ended(signal, text, pattern, name)
  kept = kept + 1
  prompt("", "sh -c 'trap : HUP; \"$@\"; echo ended $?; stty -a' sh")
  enter("'entry " .. kept .. "', io.open('/proc/self/stat'):read('n')")
  shows("\n\"entry " .. kept .. "\"%s+%d+\n>$", name .. ": a prompt")
  local process = screen():match "(%d+)\n>$"
  keys(text)
  shows(pattern, name .. ": something is typed")
  os.execute("kill -" .. signal .. " " .. process)
  shows("icanon", name .. ": the end")
end

local function recalls(name)
  prompt()
  keys { "Up" }
  shows("\n> 'entry " .. kept .. "', io%.open[^\n]*$", name .. ": the entry is kept")
  keys { "C-c" }
end

for _, signal in ipairs { "HUP", "TERM", "QUIT" } do
  ended(signal, "half an entry", "half an entry$", signal .. " while somebody types")
  lacks("%-icanon", signal .. ": the terminal is given back")
  lacks("%-echo ", signal .. ": and echoes")
  recalls(signal)
end
ended("KILL", "half an entry", "half an entry$", "kill -9 while somebody types")
recalls("kill -9")
for _, signal in ipairs { "HUP", "KILL" } do
  kept = kept + 1
  prompt("", "sh -c 'trap : HUP; \"$@\"; stty -a' sh")
  enter("'entry " .. kept .. "', io.open('/proc/self/stat'):read('n')")
  shows("\n\"entry " .. kept .. "\"%s+%d+\n>$", signal .. " at work: a prompt")
  local process = screen():match "(%d+)\n>$"
  enter "io.write 'on\\n' while os.time() do end"
  shows("\non$", signal .. ": it runs")
  os.execute("kill -" .. signal .. " " .. process)
  shows("icanon", signal .. ": the end")
  lacks("%-icanon", signal .. ": the terminal is as it was")
  prompt()
  keys { "Up" }
  shows("> io%.write 'on\\n' while[^\n]*$", signal .. ": the entry that ran is kept")
  keys { "C-c" }
end

-- Output longer than the screen.

prompt()
enter "for i = 1, 1e9 do print(i) end"
shows("\n%d%d%d+\n", "lines without an end")
keys { "C-c" }
shows("interrupted!\nstack traceback:.*\n>$", "Ctrl-C ends them")
enter "print(('x'):rep(79, '\\n'):rep(1e6, '\\n'))"
shows("\nx\nx\n", "one value of many lines")
keys { "C-c" }
shows("\n>$", "Ctrl-C ends that, too")
enter "'alive'"
shows('\n"alive"\n>$', "and the prompt lives")
enter "tw.task.detach(function() for i = 1, 1e9 do print(i) if i % 50 == 0 then"
enter " tw.sleep(0) end end end)"
shows("\n%d%d%d+\n>$", "a task prints without an end above the entry")
keys "'typed"
keys { "Space" }
keys "meanwhile'"
shows("> 'typed meanwhile'$", "while somebody types")
keys { "C-u", "C-d" }              -- Ctrl-C might come in the task's turn, and end it
shows("\n%d+$", "behind Ctrl-D it goes on")
keys { "C-c" }
shows("status 130$", "and Ctrl-C ends it")

-- A picture that is drawn again.

prompt()
enter "n = 0"
enter ":watch plot({ n, (function() n = n + 1 return n end)() }, { height = 3 }) 0.05"
shows("\n *[0-9.]+ ┤[^\n]*\n *│[^\n]*\n *[0-9.]+ ┤[^\n]*\n +└[^\n]*\n +1 +2$",
      ":watch plot")
keys { "C-c" }
shows("\n%^?C?\n>$", "until Ctrl-C")           -- a last picture may cover ^C
t.is(select(2, screen():gsub("└", "")), 1, "in its place")
lacks("interrupted", "without an error")
clear()
enter ":watch (function() while true do io.write 'x' end end)()"
shows("xxx", "a value of which there is no end")
keys { "C-c" }
shows("\n>$", "Ctrl-C ends that")
lacks("interrupted", "without an error")
clear()
enter ":watch error 'wrong'"
shows("\n[^\n]*wrong\n>$", "an error ends it")
clear()
enter "plot({ up = { 1, 2, 3 }, down = { 3, 2, 1 } }, { height = 3, width = 30 })"
shows("\27%[36m━━\27%[39m down +\27%[33m━━\27%[39m up", "lines have colours", true)
clear()
enter "plot(tape)"
shows("plot: a list of numbers expected, got a nil\n>?", "plot of nothing")
clear()

-- The argument before.

enter "('abc'):rep(2, 'second')"
enter "tostring('last one')"
keys { "M-." }
shows("\n> 'last one'$", "Alt-. puts in the last argument")
keys { "M-." }
shows("\n> %('abc'%):rep%(2, 'second'%)$", "and then that of the entry before")
keys { "C-_" }
shows("\n> 'last one'$", "which is undone alone")
keys { "C-c", "C-d" }

-- Records and statistics, as text for other programs.

local run = apps.shell(apps.tidewire .. " -i", [[
:feed synthetic { speed = 0, limit = 100, seed = 2 }
while not tape or #tape < 100 do tw.sleep(0.01) end
_PROMPT, quote = "", tape:last(1)[1]
:json { q = quote }
:csv tape:find({ kind = 'trade' }, 2)
:table { q = quote, t = tape:find({ kind = 'trade' }, 1)[1] }
:json tape:stat("count() by symbol")
:csv tape:stat("count() by symbol")
:json tape
:json error "mine"
]])
t.ok(run.out:find '{"q":{"seq":100,"time":%d+,"symbol":"XOM","bid_size":200,"bid":102.41',
     ":json of a quote")
t.ok(run.out:find "\nseq,time,symbol,price,size,side\n67,%d+,AAPL,189.65,500,buy\n72,%d+",
     ":csv of trades")
t.ok(run.out:find "\nkey +seq +time +symbol +bid_size +bid +ask +ask_size +price +size",
     ":table of both")
t.ok(run.out:find '\n{"AAPL":{"value":%d+},"BP":{"value":%d+},', ":json of statistics")
t.ok(run.out:find "\nkey,value\nAAPL,%d+\nBP,%d+\n", ":csv of them")
t.ok(run.err:find "json: a table has no form in JSON\n", "what has none is refused")
t.ok(run.err:find "mine\nstack traceback", "errors of one's own have a traceback")
t.is(select(2, run.err:gsub("stack traceback", "")), 1, "and they alone")

-- Terminals.

for _, term in ipairs { "linux", "vt100", "xterm-256color" } do
  prompt("", "TERM=" .. term)
  keys "prit(1)"
  keys { "Left", "Left", "Left", "Left", "n", "Enter" }
  shows("> print%(1%)\n1\n>$", term .. ": an entry is edited")
  enter "for i = 1, 2 do"
  enter "print(i) end"
  shows("\n>> print%(i%) end\n1\n2\n>$", term .. ": in several lines")
  keys { "C-d" }
  shows("status 0$", term .. ": and ends")
end
for _, term in ipairs { "dumb", "''" } do
  start("", "TERM=" .. term)
  shows("\n>$", term .. ": a prompt")
  enter "{ 1, 'x' }"
  shows("> { 1, 'x' }\n{1, \"x\"}\n>$", term .. ": lines are read as they are")
  t.ok(not screen(true):find "\27%[3", term .. ": without colours")
  keys { "C-d" }
  shows("status 0$", term .. ": and end")
end
prompt("", "NO_COLOR=1")
enter "plot({ up = { 1, 2, 3 }, down = { 3, 2, 1 } }, { height = 3, width = 30 })"
shows("%* down   %+ up\n>$", "NO_COLOR: several lines have glyphs")
t.ok(not screen(true):find "\27%[3", "and no colours")
keys { "C-d" }

t.done()
