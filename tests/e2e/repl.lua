--- repl: the prompt as somebody types into it.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local terminal = require "terminal"

local tmux, screen, shows, lacks = terminal.tmux, terminal.screen, terminal.shows,
                                   terminal.lacks
local keys, enter, start = terminal.keys, terminal.enter, terminal.start
local prompt, clear = terminal.prompt, terminal.clear

-- Entries, their results and their history.

start()
shows("^tidewire %d[%d.]+ %(Lua 5%.4%.%d+%)  :help [^\n]*\n>$", "version and prompt")
enter "1 + 1"
shows("> 1 %+ 1\n2\n>$", "a result")
enter "_1 * 21"
shows("\n42\n>$", "_1 is the last result")
enter "for i = 1, 2 do"
enter "print('n', i)"
enter "end"
shows("> for i = 1, 2 do\n>> print%('n', i%)\n>> end\nn +1\nn +2\n>$",
      "an entry of several lines")
clear()
keys { "Up" }
shows("^> for i = 1, 2 do\n>> print%('n', i%)\n>> end$", "is recalled as one")
keys { "Up", "Up", "C-e" }
keys " -- more"
shows("^> for i = 1, 2 do %-%- more\n", "the cursor goes through its lines")
keys { "Enter" }
shows("n +1\nn +2\n>$", "and it runs as a whole from any of them")
clear()
enter " 'not kept'"
shows('"not kept"', "a line that begins with a space is run")
clear()
keys { "Up" }
shows("%-%- more\n", "and not kept")
keys { "C-c", "C-d" }
shows("status 0$", "Ctrl-D ends it")

prompt()
keys { "Up" }
shows("> for i = 1, 2 do %-%- more\n>> print", "the history is kept, with entries whole")
clear()
keys { "C-r" }
keys "+ 1"
shows("^search %+ 1: 1 %+ 1$", "Ctrl-R searches")
keys { "Enter" }
shows("\n2\n>$", "Enter takes what was found")
clear()

-- Editing.

keys "local xy = 'abc'"
keys { "C-a", "M-f", "M-f" }
keys "z"
keys { "C-e", "BSpace" }
keys "d'"
shows("^> local xyz = 'abcd'$", "moving by words and ends, deleting")
keys { "C-u" }
keys { "C-y", "C-w" }
shows("^> local xyz =$", "what was cut comes back; a word is cut")
clear()
keys "one two three"
keys { "M-b", "C-_" }
shows("^> one two$", "a word is undone")
keys { "C-x", "C-u" }
shows("^> one$", "and another, by its other key")
keys { "C-u" }
keys "alpha beta"
keys { "C-w", "C-a", "C-k", "C-y", "M-y" }
shows("^> beta$", "what was cut before the last")
clear()
enter "'finds me'"
enter "'and not me'"
clear()
keys "typed"
keys { "C-r" }
keys "finds"
shows("^search finds: 'finds me'$", "a search")
keys "x"
shows("^not found findsx: 'finds me'$", "that finds nothing")
keys { "C-g" }
shows("^> typed$", "is given up: what was typed is there again")
clear()
keys "s = 'é日本'"
keys { "Left", "Left", "BSpace" }
keys { "End" }
shows("^> s = 'é本'$", "characters of several bytes and columns")
keys { "Enter" }
enter "#s"
shows("\n5\n>$", "are what they were")
clear()
keys(("x = '%s'"):format(("0123456789"):rep(9)))
shows("^> x = '[0-9]+\n[0-9]+'$", "a long line goes on in the next row")
-- tmux breaks lines at once, and tells the program some time later: who types before that
-- types into a terminal of another width.  The program leaves the last column empty.
tmux "resize-window -t t -x 60 -y 20"
shows("^> x = '" .. ("%d"):rep(52) .. "\n%d+'$", "the window becomes narrower")
keys { "C-e" }
keys "-- end"
shows("^> x = '%d+\n%d+'%-%- end$", "and the entry stands as it should")
tmux "resize-window -t t -x 80 -y 24"
clear()
keys "x = 'abcdefghij"
shows("^> x = 'abcdefghij$", "an entry")
tmux "resize-window -t t -x 10 -y 5"
shows("^> x = 'ab\ncdefghij$", "in ten columns")
keys "klmnop日本語'"
shows("^> x = 'ab\ncdefghijk\nlmnop日本\n語'$", "which goes on")
keys { "C-a" }
keys "y"
keys { "C-e", "Enter" }
shows("\n>$", "are enough")
keys { "C-l" }
keys(("abcdefgh "):rep(7))
keys { "C-a" }
shows("^> abcdefg\n", "an entry longer than the screen, at its start")
keys { "C-e" }
keys "z"
shows("h z$", "and its end")
keys { "C-c" }
tmux "resize-window -t t -x 80 -y 24"
clear()
tmux "set-buffer 'y = 1\nprint(\"pasted\", y)\n'"
tmux "paste-buffer -p -t t"
shows('^> y = 1\n>> print%("pasted", y%)\n>>$', "what is pasted does not run by itself")
keys { "Enter" }
shows("\npasted +1\n>$", "but with Enter")
clear()

-- Completion.

keys "tw.task.sco"
keys { "Tab" }
shows("^> tw%.task%.scope$", "fields")
keys { "C-u" }
keys "('x'):up"
keys { "Tab" }
shows("^> %('x'%):upper$", "methods of strings")
keys { "C-u" }
keys "require 'tw.ins"
keys { "Tab" }
shows("^> require 'tw%.inspect$", "modules in require")
keys { "C-u" }
keys "coroutine.w"
keys { "Tab" }
shows("^> coroutine%.wrap$", "globals' fields")
keys { "C-u" }
keys "string.re"
keys { "Tab", "Tab" }
shows("rep +reverse\n> string%.re$", "several are listed above the entry")
lacks("rep.*rep", "once")
clear()

-- Colours.

keys "local x = 'text' -- why"
shows("\27%[35mlocal.*\27%[32m'text'.*\27%[90m%-%- why", "colours while typing", true)
clear()

-- Ctrl-C.

keys "half an entry"
shows("half an entry", "something is typed")
keys { "C-c" }
shows("> half an entry%^C\n>$", "Ctrl-C drops it")
clear()
enter "io.write 'on\\n' while os.time() do end"
shows("\non$", "a loop runs")
keys { "C-c" }
shows("interrupted!\nstack traceback:.*\n>$", "Ctrl-C ends a loop")
clear()
enter "io.write 'on\\n' tw.sleep(1000)"
shows("\non$", "an entry waits")
keys { "C-c" }
shows("interrupted!\nstack traceback:.*\n>$", "Ctrl-C ends a wait")
clear()

-- What is typed while something runs.

local go = terminal.directory .. "/go"
local function runs()                  -- until there is a file
  os.remove(go)
  enter("io.write 'on\\n' while not io.open('" .. go .. "') do tw.sleep(0.01) end")
  shows("\non$", "an entry runs")
end
runs()
keys "'typed"
keys { "Space" }
keys "ahead'"
keys { "Enter" }
apps.put(go, "")
shows('\n"typed ahead"\n>$', "what is typed meanwhile comes next")
clear()
runs()
keys { "C-d" }
apps.put(go, "")
shows("status 0$", "and Ctrl-D ends the prompt behind it")
prompt()

-- Stopped and continued.

start("", "sh -c 'set -m; \"$@\"; stty -a; echo stopped; read x; fg; fg' sh")
shows(">$", "a prompt under a shell with jobs")
enter "io.open('/proc/self/stat'):read('n')"
shows("\n%d+\n>$", "its process")
local process = screen():match "\n(%d+)\n>$"
keys "half"
shows("> half$", "an entry is typed")
keys { "C-z" }
shows("\nstopped$", "Ctrl-Z stops it")
shows("[^-]icanon", "and gives the terminal back")
keys { "Enter" }
shows("> half$", "continued, the entry stands there")
keys { "C-l" }
os.execute("kill -TSTP " .. process .. "")
keys " and more"
shows("> half and more$", "SIGTSTP is the same, and keys are read then")
keys { "C-c", "C-d" }
prompt()

-- Tasks run while somebody types, and what they print stays above the entry.

enter "c = tw.channel(1)"
enter "tw.task.detach(function() while true do print(c:recv()) end end)"
enter "c:send 'one'"
shows("\none\n>$", "a task gets what an entry sends")
enter "go = tw.promise()"
enter "tw.task.detach(function() go.future:await() print 'two' io.write 'three\\n' end)"
enter "tw.task.detach(function() tw.sleep(0.5) go:resolve(1) end)"
keys "still typed"
shows("\ntwo\nthree\n> still typed$", "output goes above the entry")
keys { "C-c" }
enter "tw.task.detach(function() tw.sleep(0.3) print 'on' while os.time() do end end)"
keys "not frozen"
shows("\non\n> not frozen$", "a task runs on while somebody types")
keys { "C-c" }
shows("interrupted!", "Ctrl-C ends it")
keys { "C-c" }
enter "'alive'"
shows('"alive"\n>$', "and the prompt lives")
clear()

-- Commands.

enter ":table {{ symbol = 'AAPL', bid = 1.5 }, { symbol = 'BP', bid = 2 }}"
shows("\nbid  symbol\n1%.5  AAPL\n +2  BP\n>$", ":table")
enter ":json { 1, x = 0/0 }"
shows('\n{"1":1,"x":null}\n>$', ":json")
enter ":csv {{ a = 'x,y' }}"
shows('\na\n"x,y"\n>$', ":csv")
enter ":time 6 * 7"
shows("\n42\n[%d.]+ %l+, [%d.]+ %l+ of CPU time\n>$", ":time")
clear()
enter "?tw.sleep"
shows("\ntw%.sleep.*Yields:.*Blocks:.*\n>$", "?x")
clear()
enter ":nonsense"
shows("no command ':nonsense'; there are :csv :feed", "a command that is not there")
clear()
enter "n = 0"
enter ":watch (function() n = n + 1 return n end)() 0.05"
shows("\n[3-9]%d*$", ":watch shows it again")
keys { "C-c" }
shows("\n%d+\n%^?C?\n>$", "until Ctrl-C")           -- a last one may cover ^C
lacks("interrupted", "which is no error")
lacks("\n1\n", "in its place")
clear()
enter "plot({ 1, 2, 3, 2 }, { height = 3, width = 20 })"
shows("3 ┤.*\n  │.*\n1 ┤.*\n  └.*\n   1 +4\n>$", "plot")
clear()
prompt()
enter "tape, 'no tape'"
shows('nil +"no tape"\n>$', "no tape yet")
enter ":feed synthetic { speed = 0, limit = 100, seed = 2 }"
shows("synthetic: reached its limit of 100 records\n", ":feed begins one")
enter "#tape, #tape:last(1000)"
shows("\n100 +100\n>$", "there is a tape with its records")
enter ":feed synthetic { rate = 10000, seed = 3 }"
shows("\nfeed synthetic%-2 has begun; `:feed stop synthetic%-2` ends it\n>$", "another")
enter "while #tape < 300 do tw.sleep(0.01) end"
enter "#tape >= 300, tape:last(1)[1].source"
shows('\ntrue +"synthetic%-2"\n>$', "goes on behind it")
enter "tape:stat('count()').value > 200"
shows("\ntrue\n>$", "and statistics see both")
clear()
enter ":feed stop synthetic-2"
shows("tidewire: feed synthetic%-2: stopped\n>", "one is stopped")
enter ":feed"
shows("\nfeed +state +records +errors\nsynthetic +ended +100 +0\n"
      .. "synthetic%-2 +ended +%d+ +0\n>$", "they are listed")
clear()
enter ":feed stop nobody"
shows("\n:feed: there is no feed 'nobody'\n>$", "none of that name")
enter ":feed nothing"
shows(":feed: csv, fix, synthetic, timer or stop expected", "another kind of feed")
enter ":feed csv /nowhere.csv"
shows(":feed: .*/nowhere.csv.*\n>$", "a file that is not there")
enter ":feed fix { listen = 0, speed = 'x' }"
shows("app%.feed%.fix: speed must be a number, got x\n>$", "a wrong option")
clear()
enter ("io.open('" .. terminal.directory .. "/q.csv', 'w'):write("
       .. "'time,symbol,bid,ask\\n1,AB,1,2\\n2,CD,3,4\\n'):close()")
enter(":feed csv " .. terminal.directory .. "/q.csv")
shows("tidewire: feed csv: ended", "a file of quotes")
enter "tape:find('CD')[1].ask"
shows("\n4.0\n>$", "is on the tape")
keys { "C-d" }
shows("status 0$", "and the prompt ends with its feeds")

-- Without colours; histories that can't be kept.

start("", "NO_COLOR=1")
shows(">$", "NO_COLOR: a prompt")
enter "local x = 'text'"
enter "'x'"
shows('\n"x"\n>$', "NO_COLOR: a result")
local bare = screen(true)
t.ok(not bare:find "\27%[3", "NO_COLOR: no colours")
start("", "TIDEWIRE_HISTORY=/dev/full")
shows(">$", "a full disk: a prompt")
enter "1"
shows("history: can't write /dev/full: No space left on device\n>$", "is told of, once")
enter "2"
shows("> 2\n2\n>$", "and the prompt goes on")
start("", "TIDEWIRE_HISTORY=/nowhere/history")
shows(">$", "no directory: a prompt")
enter "1"
shows("history: can't write /nowhere/history: No such file or directory\n>$", "told")

-- The terminal is given back by whoever ends the process.

start("", "sh -c 'trap : TERM; \"$@\"; stty -a' sh")
shows(">$", "a prompt to be terminated")
enter "os.execute('kill -TERM ' .. io.open('/proc/self/stat'):read('n'))"
shows("status", "SIGTERM while an entry runs")
lacks("%-icanon", "the terminal is as it was")
start("", "sh -c 'trap : TERM; \"$@\"; stty -a' sh")
shows(">$", "a prompt to be terminated")
enter "tw.task.detach(function() tw.sleep(0.1) os.exit(3) end)"
shows("icanon", "os.exit in a task while somebody types")
lacks("%-icanon", "the terminal is as it was then, too")

-- Inside a run.

local directory = apps.write { app = [[
    app.feed.synthetic { speed = 0, limit = 500, seed = 2 } app.script("s.lua")]],
  ["s.lua"] = [[
    function M.on_start() print "a script's line" end
    function M.on_quote(q, seq, mid) board.mid = mid
      if seq == 400 then tw.publish("half", { at = seq }) end end]] }
prompt("repl " .. directory .. "/app.lua")
enter "while #tape < 501 do tw.sleep(0.01) end"
enter "#tape"
shows("\n501\n>$", "the run goes on while an entry waits, and the prompt after its end")
shows("a script's line", "what scripts print is there")
clear()
enter "tape:range(1, 2)"
shows("\n{\n  quote 1 %u+ [^\n]*,\n  quote 2 %u+ [^\n]*\n}\n>$", "tape:range")
enter "m = tape:find({ kind = 'message' })[1].value"
enter "#tape:last(5), #tape:find('AAPL', 7), m"
shows("\n5 +7 +{at = 400}\n>$", "tape:last, tape:find, a message's value")
clear()
enter "plot(tape:find('AAPL', 50), { height = 2, width = 30 })"
shows("┤.*\n%s*%d[%d.]* ┤.*\n%s+└.*\n%s+[%d:]+%.%d%d%d%s+[%d:]+%.%d%d%d\n>$",
      "plot of quotes, with their times")
clear()
enter ":reload s.lua"
shows("version 2 since record %d+.*\n>", ":reload: its new version")
enter ":reload nothing.lua"
shows("nothing%.lua.*\n>$", ":reload of what is not there")
clear()
enter "q = tape:find({ kind = 'quote' }, 1)[1]"
keys "q.bid_s"
keys { "Tab" }
shows("> q%.bid_size$", "fields of a quote are completed")
keys { "C-c", "C-d" }
shows("status 0$", "Ctrl-D ends prompt and run")

local broken = apps.write { app = [[
    app.feed.synthetic { rate = 1000, seed = 2 } app.script("s.lua")]],
  ["s.lua"] = [[function M.on_quote(seq) if seq > 5 then error "bad script" end end]] }
prompt("repl " .. broken .. "/app.lua")
shows("bad script", "a script that fails is told of")
enter "#tape > 5"
shows("\ntrue\n>$", "and the prompt stays")
keys { "C-d" }
shows("status 1$", "the status tells")

-- An entry that computes holds nobody up: more is printed here than a log holds.

local flood = apps.write { app = [[
    app.feed.synthetic { rate = 1000, seed = 2 } app.script("s.lua")]],
  ["s.lua"] = [[function M:on_start() self.n = self:track { by = "count() by source" } end
  function M:on_quote()
    local second = self.n.by["synthetic-2"]      -- a feed that is not there yet
    if second then board.second = second.value end
    if board.go and not board.printed then
      for i = 1, 16000 do print(i, ("x"):rep(70)) end
      board.printed = true
    end end]] }
start("repl " .. flood .. "/app.lua")
shows(">$", "a prompt in a run")
enter "tw.board.go = true while not tw.board.printed do end"
shows("\n16000 +x+\n>$", "while an entry computes the log is printed")
clear()
enter "co = coroutine.wrap(function() pcall(function() while os.time() do end end) end)"
enter "print 'on' co()"
shows("\non$", "a coroutine with a pcall computes")
keys { "C-c" }
shows("interrupted!\n.*>$", "Ctrl-C ends it")
clear()
enter ":feed synthetic { limit = 10, speed = 0 }"
shows("feed synthetic%-2: reached its limit of 10 records\n", "a feed is added to a run")
enter "#tape:find({ source = 'synthetic-2' })"
shows("\n10\n>$", "and its records are on the run's tape")
enter "while tw.board.second ~= 10 do tw.sleep(0.01) end"
enter "tw.board.second"
shows("\n10\n>$", "and in the statistics of its scripts, by name")
keys { "C-d" }
shows("status 0$", "its end")

-- Without a terminal.

local run = apps.shell(apps.tidewire .. " repl " .. directory .. "/app.lua 2>&1",
  "while #tape < 501 do tw.sleep(0.01) end\n#tape\nerror 'bad'\n:json #tape:last(7)\n")
t.ok(run.out:find "501\n.*stdin:1: bad\n.*> 7\n", "entries from a pipe")
t.is(run.status, 0, "which end well")
run = apps.shell(apps.tidewire .. " repl " .. directory .. "/nowhere.lua")
t.is(run.status, 1, "an app file that is not there")
t.ok(run.err:find "nowhere%.lua", "is named")

t.done()
