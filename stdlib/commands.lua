--- commands: what the program's commands do, for help, the manual and the man page.
--
-- A list of { name, usage, purpose, text }; text has one paragraph after another,
-- and lines that begin with two spaces stand as they are.

return {
  {
    name = "run",
    usage = "tidewire run app.lua [--workers N] [--set key=value]... [--seconds S]",
    purpose = "run an app: feeds, scripts, and what they share",
    text = [[
Runs the system that an app file describes until its feeds have ended, an error
ends it, or Ctrl-C: the first one stops cleanly (each script's on_stop runs, the
summary prints), a second one ends at once.

  --workers N       threads that run scripts; as many as there are cores otherwise
  --set key=value   a parameter that the app file asks for with app.param(key)
  --seconds S       stop after S seconds
  --watch           a script whose file changes, or one that it requires, goes on with
                    its new version, and so does the app file (see reload)
  --no-attach       nobody can attach to it (see attach)
  --audit FILE      who changed what through attach is appended to FILE

The status is 0; 1 after an error: a script that failed, a file that is not there, a
port in use, a peer that was never there; 2 for a command line that makes no sense;
130 or 143 after SIGINT or SIGTERM.]],
  },
  {
    name = "repl",
    usage = "tidewire repl [app.lua [--workers N] [--set key=value]...]",
    purpose = "a prompt, alone or inside a run of an app",
    text = [[
Reads entries, runs them, and shows their results; with an app file, in the state in
which that file ran, while its market runs.  The run ends with the prompt, not before:
when its feeds have ended or a script has failed, what is on the tape is still there.

An entry is Lua, an expression or statements, of any number of lines.  It may wait
(future:await(), tw.sleep(1)): tasks run meanwhile, and so they do while you type; what
they print stands above the entry.  _1, _2 ... are the last results.  tw, plot, help
and, in a run, tape are there.

  ?x                     what is known of x: a topic, a function, an object
  :help                  these
  :time entry            run it, and tell how long it took
  :table expression      its rows in columns
  :json expression       its JSON; :csv its rows as CSV
  :watch expression [s]  show it every s seconds (1), until Ctrl-C
  :reload name           load a script of the run anew
  :feed fix 127.0.0.1:9878     a feed begins; also csv FILE, synthetic { rate = 1000 };
  :feed stop fix               and ends; :feed alone lists them

  tape:last(20)          the newest records; :table tape:last(20)
  tape:range(from, to)   by seq, or by time in ns
  tape:find("AAPL", 50)  the newest that match: a symbol, fields, a function
  plot(tape:find("AAPL", 500))   a line of their mids; see tw.plot
  plot { AAPL = tape:find "AAPL", GOOG = tape:find "GOOG" }      lines in one picture
  :watch plot(tape:find("AAPL", 500)) 0.5

Keys are those of Emacs: C-a C-e C-b C-f M-b M-f move, C-d C-h C-w M-d C-k C-u cut, C-y
puts back, M-y what was cut before, M-. the last argument of the entry before, C-t and
M-t swap, C-_ undoes; Up and Down go through the lines of an entry, then through the
history; C-r searches it.  Tab completes names, fields, methods, keys in brackets, modules
and files in require.  Enter ends an entry that is complete and goes on in a new line
otherwise, as M-Enter always does.  What is pasted does not run before Enter.  C-c ends
what runs, or drops what is typed; C-d in an empty entry ends the prompt, which waits for
tasks and jobs that entries began, until C-c ends them; C-z stops the program.

The history is in $TIDEWIRE_HISTORY, or in ~/.tidewire_history; an entry that begins
with a space is not kept, and an empty TIDEWIRE_HISTORY keeps none.  NO_COLOR turns the
colours off.  Where input or output is no terminal, or TERM is dumb, lines are read and
printed as lua does it.

The status is 0; in a run as that of `tidewire run`.]],
  },
  {
    name = "attach",
    usage = "tidewire attach [name|pid] [-e line]... [--cpu S] [--memory MIB] [--wait S]",
    purpose = "a prompt in a running host: look into it, and change it",
    text = [[
Every run listens on a socket that only its own user can open: PID.NAME, after the app
file, in $XDG_RUNTIME_DIR/tidewire, or in /tmp/tidewire-UID.  Without a name it is the
only run that there is, or they are listed.  Lines come from the prompt, from standard
input, or from -e; then the status is 1 when one of them has failed.

  expr          an expression, or a chunk, in the state of worker 0
  @2 expr       in that of worker 2; @all expr: in every one, side by side
  @pool expr    in each thread of the pool; it may only look
  @maker expr   in the script maker.lua, in each of its instances: self, its globals and
                the locals of its file.  tw, board, stat, cache, channel, array and task
                are there everywhere
  !expr         may change things, @maker !expr, too: it goes to the run's log, with the
                time, the user, the process and how it ended, and to the file of
                `tidewire run --audit FILE`: what can't be written there is not done

  status                what runs, for how long, how fast
  scripts, lag          each instance, its version, since which record, its state and
                        figures; who is behind
  errors [n], log [n]   the last errors and warnings; all that was logged
  log follow [off]      what is logged and printed, as it comes
  log level L           what the run prints: error, warn or info
  ps                    the tasks of all states, as a tree
  gc                    collects the garbage of all states, a little at a time
  pause NAME            a script takes no more records, pause all: none does; resume NAME,
                        resume all.  When the tape waits for it (it is reliable) the
                        market soon does, too
  halt [why], unhalt    trading: no order of any script goes out, and open ones are
                        canceled; and the end of that
  reload NAME           reads its file again; rollback NAME [version]: the one before
  audit [n]             who has changed what
  help, quit

A line runs between the batches of the scripts, never in a handler.  It may wait: the
scripts go on meanwhile, as they do, every half millisecond, when it computes.  It has a
budget:

  --cpu S        CPU time, 0.01 s: with all the tasks that it starts
  --memory MIB   what it adds to its state, garbage too, 64 MiB
  --wait S       how long it may take in all, 10 s; Ctrl-C ends a wait before

A line without ! may only look.  What it reads is wrapped: to write to it is an error,
and so is to call a function that is not known to change nothing; those of scripts, their
metamethods too, are not.  What it leaves is garbage.

It steps aside for the scripts after half a millisecond, whatever its budget, and is
stopped after 10 ms where it can't (inside gsub, or an error handler); what C would
compute for ever (patterns, sort, table.move) is Lua's here.  Of lines made to do harm the
worst held up the market for 18 ms, and for 50 ms in a state of a million tables, which
one allocation beyond the memory has collected at once.  A line with ! has the same
budget, and calls what it likes: one call of a C function is never interrupted.

A line that waits or computes for long sees what scripts change meanwhile; what it changes
they see half done.]],
  },
  {
    name = "backtest",
    usage = "tidewire backtest file.lua --data FILE... [--from DATE] [--to DATE]"
      .. "\n  [--set key=value]... [--cash N] [--warmup 30d|N] [--orders FILE.csv]"
      .. "\n  [--report FILE.html] [--json]",
    purpose = "run a strategy, or an app, over recorded data",
    text = [[
The file is a script, whose --set values are its self.params, or an app file (it requires
tw.app): its scripts, instruments and accounts count, its feeds are left out, but for
timers.  Nothing in it needs to know that it is a backtest.

  --data FILE        tape files, CSV, FIX messages, files of LEAN; text plain, .gz, .zip.
                     Several are one market, in the order of time.  A file without symbols
                     is of the symbol that it is named after: GOOG.csv.gz.  Of a tape file
                     only quotes, trades and bars are read, in the order that it has
  --csv option=value an option of app.feed.csv for all of them: interval=5m
  --from, --to DATE  records of [from, to) alone: 2014-05-07, 2014-05-07T13:30:00, in UTC
  --warmup 30d|N     so long, or so many records, before --from are handled too: orders
                     are rejected then.  Without --from they are the first of the data
  --set key=value    a parameter
  --cash N           what each script begins with, over what the app or the script says
  --skip-bad         a line that is no record is left out, and does not end the run
  --orders FILE.csv  the list of orders
  --report FILE.html the report
  --json             the result on standard output, instead of the summary

Time is that of the records: tw.now, tw.clock, os.time, os.date, tw.sleep, timeouts, a
cache's ttl.  It stands still while code runs, and waiting costs no time.  os.clock is the
processor's.  What happens is in one order:

  - records by time; of one time by the order of --data, then as a file has them; timers
    (app.feed.timer) tick at multiples of their interval, behind the records of that time
  - of one record, each script in the order of the app: first what happened to its orders,
    then bars that it completes, conditions, its handler
  - what scripts publish comes behind that, before the next record; so does each task that
    can run
  - a wait that is due at T ends after all records of T, before a later one; of several,
    the one that began first
  - a handler that waits gets the records of meanwhile when it goes on

An order that is decided at a record can trade with the next one of its symbol.  Nothing
later than the record under way is on the tape.  A future of the pool or of a cache is
waited for in place, so when it comes does not matter; jobs have the system's time.  The
order in which pairs goes through a table with names is not Lua's to keep: a strategy that
sends orders in it has another list in each run.  math.random begins with the same seed.

The list of orders has a line for each, by time, script and symbol; the summary has its
SHA-256.  The same file, data and parameters give the same hash, on every machine.

An error of a script ends the run, with its record and traceback; so does a line of data
that is none, where time goes back, or a price is 0: with file and line.  Quotes whose bid
is above the ask are read as they are; the first is told of.

Figures are of the equity at the end of each day: days are of UTC, 252 a year,
or 365 where there is a tenth of weekends.  tw.backtest.run does the same in Lua, also in
the pool.

The status is 0; 1 after an error; 2 for a command line that makes no sense.]],
  },
  {
    name = "build",
    usage = "tidewire build app.lua [-o program] [--static] [file...]",
    purpose = "make one file of an app: the program with all that it needs inside",
    text = [[
Writes a copy of this program that carries the app file, its scripts, the modules that
they require and the files that are named, by app.files in the app file or here.  It
needs nothing beside it but libc; with --static not even that.

What scripts require is read from their text: require "name", require("name") and
pcall(require, "name").  A module whose name is computed, or of the pool's functions, is
named as a file.  C modules do not go in: of each there is a warning.  Data files are
read with tw.file.  The same program and files give the same bytes.

  -o program   the name of the program; that of the app file without .lua otherwise
  --static     copy tidewire-static, which needs no shared library; it loads no C
               modules, and looks names of hosts up in files and DNS only
  file...      more files, named as on the disk

The program runs the app.  Its parameters are options:

  program [--name value]... [--override DIR] [option of tidewire run]...
  program --help | --manifest | --licences | --list | --extract DIR

  --override DIR   files in DIR stand before those inside: to change a script while it
                   runs (with --watch, or by attach), and to try one
  --manifest       versions, hashes and licences of what is inside
  --licences       their texts, which whoever passes the program on must pass on too
  --list           the names of the files inside
  --extract DIR    write them to a directory, over nothing that is there

With TIDEWIRE_REPL=1 in the environment it is a prompt in the run, as of `tidewire repl`;
with options of the interpreter (-e text) it is that.  A parameter can't have the name of
one of these options.  A data file is read anew by each state that asks for it.

It checks its own SHA-256 first: a program that was changed, cut off or stripped says so
and ends with status 1, or with another that is not 0 where the damage is in what would
say so.  That finds accidents and careless tools.  It keeps out no attacker: who can
write the file can change the check too, or build another.]],
  },
  {
    name = "test",
    usage = "tidewire test file.lua...",
    purpose = "run files of tests (see tw.test)",
    text = [[
Runs each file and prints one TAP document with its plan last.  A file that fails
to load, dies or tests nothing is a failed test.  The status is 0 when every test
passed, 1 otherwise.

prove runs the same files: prove --exec "tidewire test" file.lua...]],
  },
  {
    name = "stat",
    usage = "tidewire stat query... file [--csv] [--instruments file.csv]"
      .. " [--format fix|csv]"
      .. "\n  [--set option=value]... [--sort column] [--top n]",
    purpose = "query a file: statistics of its quotes and trades as a table",
    text = [[
Reads a file of FIX messages or CSV at once (plain, .gz or .zip), computes what the
queries declare, and prints a table for each set of keys.  A query is a declaration, as
self:track takes it (see statistics): 'mean(ask - bid) by symbol'.  It can have several
statistics, and names for them, which other queries may use:

  tidewire stat 'spread = mean(ask - bid), n = count() by symbol' \
    'vol = realised_volatility(mid) by symbol' quotes.csv.gz --sort vol --top 10

  --csv                    CSV on standard output; its numbers read back exactly
  --instruments file.csv   what is known of symbols: symbol,sector,weight,... by the first
                           line; other columns are attributes to be `by`
  --format fix|csv         what the file is, where neither its name nor its first bytes
                           say so
  --set option=value       an option of stat.read, most of which are app.feed.csv's:
                           columns=time,symbol,bid,ask
  --sort column            a statistic, greatest first, or a key; else by the keys
  --top n                  no more than n rows of each table

How many records there were goes to standard error, with what could not be read.  The
status is 0; 1 when the file can't be read; 2 for a command line or a query that makes no
sense.]],
  },
  {
    name = "record",
    usage = "tidewire record app.lua FILE.tape [--sync never|block|record] [--zstd]"
      .. "\n  [options of run]",
    purpose = "run an app and write its tape to a file",
    text = [[
Runs the app as `tidewire run` does and writes every record, with the values of messages
and the names of symbols, sources and topics, to a new file.  Where no feed is live the
tape waits for the disk; else what the disk is too slow for is a gap in the file, and the
end says so.  A value that holds an object or a record is nil in the file.

What may be lost when the process is killed, or the machine stops:

  --sync never    killed: the last second, no more than 4,096 records; the machine: what
                  the system has not written yet (the default)
  --sync block    in either case the last second, no more than 4,096 records
  --sync record   nothing that was taken off the tape

  --zstd          half the size or less; some 6 bytes a quote without it

A file that was not closed opens to its last whole block.  When the disk is full the run
ends with status 1, and the file has all that was written.]],
  },
  {
    name = "replay",
    usage = "tidewire replay FILE.tape [script.lua...] [--speed N] [--from T] [--to T]"
      .. "\n  [--limit N] [--skip-damaged] [options of run]",
    purpose = "give scripts what was recorded, in its order",
    text = [[
Runs the scripts on a tape file: each gets exactly the quotes, trades, timer marks and
messages that came then, in the same order, with the same times.  What they publish now
comes nowhere; a script does not get back what one of its name has published.  What they
put on the board, in caches and channels is of this run.

An app with a tape file for a market, in which scripts talk to each other anew, has
app.feed.tape { path = "FILE.tape" }.

  --speed N        1 as fast as its times say, 2 twice that; as fast as it goes otherwise
  --from T, --to T only from <= time < to: ns, or a date (2024-05-07T14:30)
  --limit N        ends after so many records
  --skip-damaged   a damaged block is a warning; else it ends the run

The status is that of `tidewire run`.]],
  },
  {
    name = "convert",
    usage = "tidewire convert IN... OUT.tape [--zstd] [--from T] [--to T]"
      .. "\n  [--format fix|csv] [--set option=value]... [--skip-damaged]",
    purpose = "make a tape file of CSV, FIX, LEAN and tape files",
    text = [[
Reads files (plain, .gz or .zip) and writes their records to a new one, by time where
there are several.  Of a folder it takes the tape files, those named .csv or .fix, and
LEAN's ticks, which say what they are by their path.  A record that is refused is told
with its file and line and is left out.

  tidewire convert data/lean/forex/fxcm forex.tape --from 2014-05-07 --to 2014-05-08

  --zstd              half the size or less
  --from T, --to T    only from <= time < to: ns, or a date
  --format fix|csv    what the files are, where neither their names nor their first bytes
                      say so
  --set option=value  an option of app.feed.csv: columns=time,symbol,bid,ask
  --skip-damaged      of a damaged tape file, what can be read

The status is 0; 1 when a file can't be read or written; 2 for a command line that makes
no sense.]],
  },
  {
    name = "tape",
    usage = "tidewire tape FILE.tape [--dump N [--from T] [--to T] [--skip-damaged]]",
    purpose = "what is in a tape file, and is it whole",
    text = [[
Reads all of the file and prints how many records of each kind it has, their times,
symbols, sources, topics and scripts, its size, and what was lost where it was not
closed.  A damaged block is named with its place and its records; then the status is 1.

  --dump N          prints the first N records, a line each
  --from T, --to T  of those from <= time < to: ns, or a date]],
  },
  {
    name = "help",
    usage = "tidewire help [topic]",
    purpose = "list the topics, or print one",
    text = [[
A topic is a command (run), a page of the guide (scripts), a module (tw.test) or
a function (tw.test.ok).  A name alone (recv) finds the functions of that name.

  tidewire help --html   all of it as one HTML page
  tidewire help --man    the man page]],
  },
  {
    name = "lua",
    usage = "tidewire [-e text] [-l module] [-i] [-v] [-W] [-E] [-] [file.lua [args]]",
    purpose = "run any Lua script: tidewire is a Lua 5.4 interpreter too",
    text = [[
Runs a script as the lua program does, with tidewire's modules there to require.

  -e text     run text
  -l module   require the module into a global of its name; -l name=module too
  -i          go on at a prompt after the script
  -v          print the version
  -W          turn warnings on
  -E          do not look at LUA_INIT, LUA_PATH and LUA_CPATH
  --          no options follow
  -           run standard input

Without a script it is a prompt on a terminal (see repl), and runs standard input
otherwise.]],
  },
}
