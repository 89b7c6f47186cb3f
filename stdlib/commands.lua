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
summary prints), a second one ends at once.  SIGTERM is as the first one, however often
it comes.

  --workers N       threads that run scripts; as many as there are cores otherwise
  --set key=value   a parameter that the app file asks for with app.param(key)
  --seconds S       stop S seconds after the scripts are loaded and the feeds began
  --watch           a script whose file changes, or one that it requires, goes on with
                    its new version, and so does the app file (see reload)
  --no-attach       nobody can attach to it (see attach)
  --audit FILE      who changed what through attach is appended to FILE

A line tells of each script that has done nothing: it has no handler for what came, all of
its orders were rejected, or no price of an instrument has come.

The status is 0; 1 after an error: a script that failed, a file that is not there, a
port in use, a peer that was never there, files without any record; 2 for a command line
that makes no sense; 130 or 143 after SIGINT or SIGTERM.]],
  },
  {
    name = "repl",
    usage = "tidewire repl [app.lua [--workers N] [--set key=value]...]",
    purpose = "a prompt, alone or inside a run of an app",
    text = [[
Reads entries, runs them, and shows their results.  With an app file they run in the state
of that file, while its market runs.  The run lasts as long as the prompt: when its feeds
have ended or a script has failed, the tape can still be read.

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
file, in $XDG_RUNTIME_DIR/tidewire, or in /tmp/tidewire-UID.  Without a name it attaches
to the only run that there is; of several it prints a list.  Sixteen may be attached to a
run.  Lines come from the prompt, from standard input, or from -e; without a prompt the
status is 1 when one of them has failed.

  expr          an expression, or a chunk, in the state of worker 0
  @2 expr       in that of worker 2; @all expr: in every one, side by side
  @pool expr    in each thread of the pool; it may only look
  @maker expr   in the script maker.lua, in each of its instances: self, its globals and
                the locals of its file.  tw, board, stat, cache, channel, array and task
                are there everywhere
                @maker self.account.equity, self:position("AAPL"), self:positions() and
                self:orders() show what it has and has sent; !@maker self:flatten() ends
                that
  !expr         may change things, @maker !expr, too: it goes to the run's log, with the
                time, the user, the process and how it ended, and to the file of
                `tidewire run --audit FILE`: a line that can't be written there does not
                run

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
  fix [NAME] ...        the FIX sessions, and what is done with them: see sessions
  audit [n]             who has changed what
  help, quit

A line runs between the batches of the scripts, never in a handler.  It may wait: the
scripts go on meanwhile, as they do, every half millisecond, when it computes.  It has a
budget:

  --cpu S        CPU time, 0.01 s: with all the tasks that it starts
  --memory MIB   what it adds to its state, garbage too, 64 MiB
  --wait S       how long it may take in all, 10 s; Ctrl-C ends a wait before

A line without ! is read-only.  Writing to what it reads is an error, and so is calling a
function that is not known to be without effect: functions and metamethods of scripts are
never known to be.  What it leaves is garbage.

It lets the scripts run after each half millisecond, whatever its budget, and is stopped
after 10 ms where it can't (inside gsub, or an error handler).  Functions that C would
compute for ever (patterns, sort, table.move) are written in Lua here.  The worst of the
lines written to do harm delayed the market by 18 ms; by 50 ms in a state of a million
tables, where one allocation beyond the limit collects them all at once.  A line with !
has the same budget, but may call anything: a single call of a C function is never
interrupted.

A line that waits or computes for long sees what scripts change meanwhile, and they see
its own changes half done.]],
  },
  {
    name = "backtest",
    usage = "tidewire backtest file.lua --data FILE|FOLDER... [--from DATE]"
      .. "\n  [--to DATE] [--set key=value]... [--cash N] [--warmup 30d|N]"
      .. "\n  [--benchmark SYMBOL] [--messages [--dictionary NAME[,NAME]]]"
      .. "\n  [--time SECONDS] [--orders FILE.csv] [--report FILE.html|FILE.txt|-]"
      .. "\n  [--save RUN] [--json]",
    purpose = "run a strategy, or an app, over recorded data",
    text = [[
The file is a script, whose --set values are its self.params, or an app file (which
requires tw.app): its scripts, instruments, accounts and timers are used, its other feeds
are not.  Neither needs to know that it is a backtest.

  --data FILE|FOLDER tape files, CSV, FIX messages, files of LEAN; text plain, .gz, .zip.
                     Several are one market, in the order of time; the same one twice is
                     refused.  A file without symbols
                     is of the symbol that it is named after: GOOG.csv.gz.  Of a tape file
                     quotes, trades and bars are read, in the order that it has, and
                     timer marks where the app has no app.feed.timer.  Of a folder, and
                     of folders in it, it takes either tape files or those named .csv
                     or .fix (.gz, .zip) and LEAN's; both are an error, and so are more
                     than 10,000 other files, and 100 for each of these
  --csv option=value an option of app.feed.csv for all of them: interval=5m
  --from, --to DATE  records of [from, to) alone: 2014-05-07, 2014-05-07T13:30:00, in UTC;
                     a bar of a day is of that day, whatever its zone
  --warmup 30d|N     scripts also handle that time, or that many records, before --from;
                     their orders are rejected then, and with a number of records timers
                     don't tick.  Without --from the warm-up is the first part of the
                     data.  A warm-up that a script declares (tw.strategy) needs --from
  --set key=value    a parameter; --help lists those that the file declares
  --messages         of tape files what scripts sent, too, which on_message gets; not of
                     those in this run, known by their names: they send it anew.  Each is
                     in its place in the file, at the time of the record before it.  What
                     came over FIX sessions is on_fix's
  --dictionary D     by which those are read: a version, or files, comma-separated; else
                     by what the recording names
  --benchmark SYMBOL whose returns alpha and beta are of; the data's only symbol otherwise
  --cash N           what each script begins with, over what the app or the script says
  --resolution 1m    of the data bars of that length alone; ticks: quotes and trades; or
                     several: 1m,1d
  --gaps 30m|none    which gaps in the data the summary tells of, see below
  --skip-bad         a line that is no record, and a damaged block, is left out, and does
                     not end the run
  --time SECONDS     of the processor that one handler may take, on_start and the file
                     itself too (60, or what app.limits says; 0: for ever)
  --orders FILE.csv  the list of orders
  --report FILE      the report, as a page (.html); to a file named .txt as text with the
                     same charts and tables (of orders: what became of them, and the
                     last ten), 80 columns wide; -: that text on standard output,
                     instead of the summary, as wide as the terminal is
  --save RUN         what `tidewire explain` needs to tell why an order filled, or not
  --json             the result on standard output, instead of the summary; what scripts
                     print is its log, a list of lines

Time is that of the records, for tw.now, tw.clock, os.time, os.date, tw.sleep, timeouts
and a cache's ttl: it stands still while code runs, and a wait takes no real time.
os.clock is the processor's.  Things happen in one order:

  - records by time; of one time by the order of --data, then as a file has them; timers
    (app.feed.timer) tick at multiples of their interval, behind the records of that time
  - of one record, each script in the order of the app: first what happened to its orders,
    then bars that it completes, conditions, its handler
  - what scripts publish comes behind that, before the next record; so does each task that
    can run
  - a wait that is due at T ends after all records of T, before a later one; of several,
    the one that began first
  - a handler that waits gets the records of meanwhile when it goes on

An order that is decided at a record can trade with the next one of its symbol.  There is
no look-ahead: nothing later than the record under way is on the tape.  A future of the
pool or of a cache is waited for in place, so it does not matter when it comes; jobs have
the system's time.  pairs visits the names of a table in an order that differs from run to
run, so a strategy that sends orders in that order has another list each time.
math.random begins with the same seed.

The list of orders has a line for each, by time, script and symbol; the summary has its
SHA-256.  The same file, data and parameters give the same hash on every machine, unless
the script's decisions depend on the last bit of math.exp, log, sin and the like or of
powers, which differs on x86 before 2013 (without FMA); that of math.tan, asin and acos
differs in the static program, too.

A gap is time within a session for which the data have nothing.  The summary tells how
many bars of a length are missing, and where the first are (file, line, time).  Nights,
weekends, a week of holidays, and pauses at the same time of several days are no gaps.
Where more than one bar in 50 follows a hole, the data are taken to have bars only when
something trades, and nothing is said.  --gaps 30m tells of each gap of a symbol's bars,
quotes and trades that is longer; --gaps none of none.

Where data have ticks and bars of a symbol, bars of several lengths, or of trades and of
bids or asks, each is a record of its own: handlers tell them apart by interval and side,
orders trade on all of them, and a warning says so; --resolution reads some alone.

Where a script has done nothing, a warning (and result.idle) says why: it has no handler
for what came, all of its orders were rejected (with the reason of most of them), or no
price of an instrument has come.  A run without any record to trade on fails.  Where a
script has bought more than it had cash for, short positions and margin aside, a warning
(and result.overdrawn) says by how much at most, and when first; limits.buying_power
refuses such orders.

An error of a script ends the run, with its record and traceback; so does a handler that
takes longer than --time.  Bad data ends it, too, unless --skip-bad leaves it out:

  - text: a line that is no record, time that goes back, a price of 0 (file and line)
  - a tape file: a record with a price of 0, a damaged block (its number and place)
  - a second bar of one symbol, length and time, in whatever file (and where the first is)

What is odd is read as it is, and the first of a kind is told of: quotes whose bid is
above the ask, prices below 0, in a tape file records of a source that are earlier than
the one before, gaps of a recording.  So is what was cut from a recording that was not
closed, and symbols that a script names and the data do not have.

Figures are of the equity at the end of each day: days are of UTC (a bar of a day is of
that day), 252 a year (N), or 365 where both Saturdays and Sundays have records, a
twentieth of all days each.  total_return, cagr and drawdowns count from the cash
at the start, at the beginning of the first record's day: so what that day brings is in
them, and a run of one day has them.  The daily returns r, for volatility, Sharpe, Sortino
and annual returns, are from one day's end to the next one's.  With b those of the
benchmark:

  beta, log_beta           cov(r, b) / var(b); the same of log(1 + r) and log(1 + b)
  alpha                    return − beta · return of the benchmark, both from the end of
                           the first day that has a price of it
  arithmetic.annual_alpha  (mean(r) − beta · mean(b)) · N
  geometric.annual_alpha   (1 + mean(r) − beta · mean(b))^N − 1

Accounts in different currencies are added up in the currency of the first one, at the
rates that the other accounts have for it (rates = { USD = "1/EURUSD" }); an account
without one is refused.  Equity takes the rate of each time, sums of fees and turnover
take the last one.  Figures begin when all of these rates have come.  The profit of a
trade or a position is in the currency of its script's account, at the rate when it
closed, or else the last one; its prices are in the instrument's currency.

A run whose equity is at or below zero at any record is ruined: the summary, the report
and the result (ruined, ns) say since when.  It goes on, but it has no returns, and so no
CAGR, ratios, alpha and beta; the other figures count as ever.

`tidewire help performance` has all of them, with formulas.  tw.backtest.run does the same
in Lua, also in the pool; tidewire sweep runs it with many parameters.

The status is 0; 1 after an error; 2 for a command line that makes no sense.]],
  },
  {
    name = "sweep",
    usage = "tidewire sweep file.lua --data FILE|FOLDER... --set name=values..."
      .. "\n  [--where EXPR] [--random N [--seed S]] [--list FILE.csv]"
      .. "\n  [--over data|symbol] [--jobs N]"
      .. "\n  [--train PART|DATE] [--walk TRAIN:TEST[:STEP] [--anchored]]"
      .. "\n  [--store FILE|none] [--by FIGURE] [--top N] [--results FILE.csv]"
      .. "\n  [--report FILE.html|FILE.txt|-] [--json] [options of backtest]",
    purpose = "run a strategy with many parameters over recorded data, on all cores",
    text = [[
Runs a backtest for each point (a set of parameters), many at a time, and prints the best.
--data, --csv, --from, --to, --warmup, --cash, --messages, --dictionary, --resolution,
--gaps, --skip-bad and --time are those of backtest.  Data is read once, and its faults
are told once.  Files that are no tape files are converted to one in $TMPDIR that all runs
share; it has no name, so nothing of it is left however the program ends.

  --set fast=3:20:2     from 3 to 20 in steps of 2 (1 where they are integers), exact as
                        decimals are: 0.1:0.3:0.1 has three values
  --set slow=30,50,100  a list; --set name=value is one
  --set fast            what the script declares: min to max by step, or choices.  Values
                        that it does not allow are refused before anything runs; points
                        for which its `where` is not true are left out.  --help lists
                        what is declared
  --list FILE.csv       the points of a file, a column for each parameter; equal ones run
                        once
  --where 'fast < slow' only combinations for which this is true, in Lua; it may also name
                        declared parameters that are not set
  --random N            N different combinations, the same ones for the same --seed S
                        (1).  A range without a step between numbers that are no integers
                        (0.1:0.9, 0.0:1.0) gives any value in it, to 6 digits; 0:1 is 0
                        and 1, whatever is declared
  --over data           each file is a market by itself, as if its name were a parameter;
  --over symbol         likewise each symbol

  --train 0.7           the points are run on the first part of the data, or up to a date,
                        and the best one is tested on the rest
  --walk 180d:30d       walk-forward: the same in windows of 180 days to train and the
                        next 30 to test, which move by 30 days, or by a third number:
                        180d:30d:60d (s m h d w); at most 10,000 windows
  --anchored            each window trains from the beginning

  --jobs N              runs at a time; as many as there are cores
  --store FILE          where results are kept (see results): NAME.sweep.db in the working
                        directory otherwise; none: nowhere, as in the static program
  --by FIGURE           which run is best: sharpe otherwise, geometric.sharpe, cagr, ...;
                        of some, such as volatility, the least
  --top N               so many of the best are printed (10)
  --results FILE.csv    all runs with all their figures
  --report FILE.html    a page with heat maps of the parameters, and the best run in full
  --report FILE.txt|-   the best runs, and the first of them in full, as text with charts;
                        -: on standard output, instead of the table
  --json                all runs on standard output

A run is kept within half a second after it has finished.  A sweep that was stopped, or
killed, goes on where it was when the same command is given again: runs that are there are
not made again.  A run is known by a hash of the strategy's text and of what that requires
by a literal name, the bytes of the data, the parameters, the options, the version of
tidewire and of its figures' formulas; where these have changed a line says so.
A text, or a tape file, that changes meanwhile ends the sweep.  A recording may be under
way: all runs read what was whole of it when the sweep began.
What else a strategy reads (files, the environment) is not known.  Several sweeps may use
one store at a time.  An app file is run once for each point to see what it declares.

With --train or --walk the tests are printed: for each window the point that was best, its
figure in the training (trained), the median of its neighbours there (beside: points that
differ by one step in each parameter at most), its figure in the test (tested), and the
ratio of tested to trained; then the tests as one equity curve, where each begins with the
money that the one before has left.  The training data are the warm-up of the test.  With
--over each market is walked by itself, and there is a line for each: what its tests made
together, and of how many windows with a figure above 0 in the training that was so in the
test, too.  Windows without data in the training or in the test (a weekend) are left out,
and a line says how many; another one says in how many nothing could be chosen, as a
Sharpe ratio needs some days: --by total_return always has a value.  Without any test the
status is 1.

A run that is ruined (see backtest) comes behind all that are not, by any figure, and says
since when; it is never the best, nor is it chosen in a window.  Tests that are ruined end
the joined curve.

A run that fails has its error as its result; the others go on, and it is tried again the
next time.  Results are those of tidewire backtest, whatever --jobs is.

Ctrl-C ends the sweep when the runs that are under way have ended, which a handler without
end does after --time; a second one ends it at once.  Points are at most a million; one
takes some 3 to 5 KB of memory with its result.

How many runs have done nothing, and why most of them, is said at the end.

The status is 0; 1 when all runs failed, or none could begin; 2 for a command line that
makes no sense; 130 or 143 where a signal has ended it.  tw.sweep.run does the same in
Lua.]],
  },
  {
    name = "explain",
    usage = "tidewire explain RUN [--order N]...",
    purpose = "why an order of a backtest filled or did not, event by event",
    text = [[
RUN is a file that `tidewire backtest --save RUN` wrote: the options, the SHA-256 of the
script or app, its modules, the data, the order list.  Nothing else is kept: the same data
gives the same run, so it is run again.  It lists the orders; with --order N, a number of
that list, it runs once more and tells what concerned that order:

  - when it was decided, on which record; each limit, with its value
  - when it was sent and arrives, and so a cancel or a modify
  - what each record of its symbol did for it: why it was not looked at, what price the
    stop or the limit did not reach, what is before it in the queue, how much was there
    and how much of that own orders had left; records of one kind with the same answer
    are one line, up to the next thing that happens
  - trades, with slippage and fee; what became of its group, its parent, its session
  - what it is in the end

  2020-01-02 09:31:00   bar o 100.2 h 101.3 l 100.1 c 101 v 70: buy limit 99 not touched,
                        low 100.1
  2020-01-02 09:32:00   412 quotes to 2020-01-02 10:15:00: ask 100.12 to 100.31, never at
                        or below 99

It refuses when a file or tidewire has changed since, and says which: it would explain
another run.  So it does when the run has another order list each time.

Of an order that meets others in a book (fill = "book") it tells what the book was when it
came, what was before it at its price, and the best of the other side; what traded, or
left, before it; what it traded with; and why it could not stay: post-only, reduce-only,
an order of its own script, a closed market.

  2020-01-02 09:31:00   arrives in the book: quote 99x5/100x10
  2020-01-02 09:31:00   rests at 100 behind 10; the bid is 99
  2020-01-02 09:32:00   to 2020-01-02 09:33:00: 2 trades before it, 6 at 100; 4 ahead of
                        it at its price

tw.backtest.explain(run, n) does the same in Lua, also for options of tw.backtest.run; its
events have the numbers, too.

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
read with tw.file; what feeds and FIX sessions name (data, a .cfg file, dictionaries,
certificates, stores) is read where the program runs, from the disk.  The same program
and files give the same bytes.

  -o program   the name of the program; that of the app file without .lua otherwise
  --static     copy tidewire-static, which needs no shared library; it loads no C
               modules, looks names of hosts up in files and DNS only, and has no ffi, no
               TLS, no dictionaries in XML, no files of results and no packed tape files
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
    purpose = "query a file: statistics of its quotes, trades and bars as a table",
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
                           columns=time,symbol,bid,ask, or of bars interval=1m; symbol,
                           else the file's name where no column has it
  --sort column            a statistic, greatest first, or a key; else by the keys
  --top n                  no more than n rows of each table

How many records there were goes to standard error, with what could not be read.  The
status is 0; 1 when the file can't be read; 2 for a command line or a query that makes no
sense.]],
  },
  {
    name = "fix",
    usage = "tidewire fix decode FILE [--short] [--type D,8] [--tag 11=ABC]..."
      .. "\n  [--dictionary FILE]...",
    purpose = "print a log, or a recording, of FIX messages with names",
    text = [[
Prints each message of a log (plain, .gz or .zip; - is standard input): the line where it
begins, what the log has before it on that line, its type, sender > target and number,
SendingTime; then its fields, each with tag, name, value and what the value is called, and
the entries of groups under their count.  Between fields there is SOH, | or ^A.

  tidewire fix decode session.log --type D,8 --tag 11=ABC --short

  --short            a line for each message
  --type D,8         only these types, by MsgType or by name
  --tag 11=ABC       only messages with such a field, by tag or by name; of several, all
  --dictionary FILE  names and groups: a file in QuickFIX's XML form, by which all
                     messages are read; with FIXT11.xml beside it where it is of 5.0, or
                     older and comes over that.  Of several versions (FIX42.xml,
                     FIX44.xml, FIX50SP2.xml) each is for its own messages; others are
                     read by what is built in.  Their version is what BeginString says,
                     of FIXT.1.1 what 1128 does, or what the Logons before it say of its
                     type, 1130, or of all, 1137; 1156 and 1129 say nothing of it.
                     Or it is an extension, which goes on top of what is built in of the
                     message's version, or of the XML, a line each:

                       5001 VenueID STRING           a field: tag, name, type
                       5002 Flavour CHAR 1=SWEET 2=SOUR
                       54 + 7=UNDISCLOSED            choices more
                       D + 5001! 5003(5001! 5002)    members more: ! is required, a
                                                     group is its count and its members

Of a tape file (tidewire record) it prints what came over the run's FIX sessions, by the
dictionaries that the file names: record, time and session of each message, and the
sessions' events (logged_on, gap), with the message that one is about; --type and --tag
leave the other events out.  --dictionary goes on top of the version that was recorded, or
is, in XML, all of it.

Passwords (554, 925, and of a Logon or a UserRequest RawData, 1402 and 1404) are ***.  A
program without shared libraries (tidewire-static) reads no XML.

A message that is cut off, or has a wrong CheckSum or BodyLength, is left out and told on
standard error with its line; then the status is 1, as it is when the file can't be read
or has no message.  A line says when no message has the --type and --tag.  The status is 2
for a command line that makes no sense.  fix.decode of tw.fix does the same for a text.
FIX sessions: tidewire help sessions.]],
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
  --sync block    in either case the last second, no more than 4,096 records (group
                  commit)
  --sync record   nothing that was taken off the tape

  --zstd          half the size or less; some 6 bytes a quote without it

A file that was not closed opens to its last whole block, wherever tape files are read,
and one line says what was cut.  When the disk is full the run
ends with status 1, and the file has all that was written.]],
  },
  {
    name = "replay",
    usage = "tidewire replay FILE.tape [script.lua...] [--speed N] [--from T] [--to T]"
      .. "\n  [--limit N] [--set key=value]... [--skip-damaged]"
      .. "\n  [--dictionary NAME[,NAME]] [options of run]",
    purpose = "give scripts what was recorded, in its order",
    text = [[
Runs the scripts on a tape file, or on the one that a folder has: each gets exactly the
quotes, trades, timer marks and messages that came then, in the same order, with the same
times.  What they publish now comes nowhere; a script does not get back what one of its
name has published.  What they put on the board, in caches and channels is of this run.

An app with a tape file for a market, in which scripts talk to each other anew, has
app.feed.tape { path = "FILE.tape" }.

  --speed N        1 as fast as its times say, 2 twice that; as fast as it goes otherwise
  --from T, --to T only from <= time < to: ns, or a date (2024-05-07T14:30)
  --limit N        ends after so many records
  --set key=value  a parameter of the scripts, as of `tidewire backtest`: each has those
                   that it declares; where it declares none, all
  --skip-damaged   a damaged block is a warning; else it ends the run
  --dictionary D   by which messages of FIX sessions are read: a version (FIX.5.0SP2) and
                   paths; else by that which they had then, as the file says

The status is that of `tidewire run`.]],
  },
  {
    name = "convert",
    usage = "tidewire convert IN... OUT.tape [--zstd] [--from T] [--to T]"
      .. "\n  [--format fix|csv] [--set option=value]... [--resolution 1m]"
      .. "\n  [--gaps 30m|none] [--skip-damaged]",
    purpose = "make a tape file of CSV, FIX, LEAN and tape files",
    text = [[
Reads files (plain, .gz or .zip) and writes their records to a new one, by time where
there are several.  Of a folder, and of those in it, it takes the tape files, or those
named .csv or .fix (.gz, .zip) and LEAN's ticks and bars, which say what they are by their
path; where there is one file in two forms (a tape file beside its text, A.csv.gz beside
A.csv) it asks for names.  A CSV file without symbols is of the symbol that it is named
after.  The same file twice is refused.  A FIX log may have a message a line, with a time
before it: text between messages that has no field and is short is passed over.

A record that is refused is told with its file and line and is left out; where none is
left, that is an error.  One that is earlier than the one before it, or a quote whose bid
is above its ask, is kept; the first of a file is told.  A second bar of one symbol,
length and time is refused, in whatever file it is.  OUT.tape must not be there; it is
whole or not made at all.

  tidewire convert data/lean/forex/fxcm forex.tape --from 2014-05-07 --to 2014-05-08

  --zstd              half the size or less
  --from T, --to T    only from <= time < to: ns, or a date
  --format fix|csv    what the files are, where neither their names nor their first bytes
                      say so
  --set option=value  an option of app.feed.csv: columns=time,symbol,bid,ask
  --resolution 1m     bars of that length alone; ticks: quotes and trades; or several:
                      1m,1d.  What is no market data stays.  Where a symbol has several
                      a line says so (see backtest)
  --gaps 30m|none     which gaps in the data it tells of (see backtest)
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
closed.  A damaged block is named with its place and its records, and so are names, index,
head and end of the file; then the status is 1.

  --dump N          prints the first N records, a line each
  --from T, --to T  of those from <= time < to: ns, or a date]],
  },
  {
    name = "help",
    usage = "tidewire help [topic | file.lua]",
    purpose = "list the topics, or print one",
    text = [[
A topic is a command (run), a page of the guide (scripts), a module (tw.test) or
a function (tw.test.ok).  A name alone (recv) finds the functions of that name.
Of a script or an app file it lists the parameters.

  tidewire help --html   all of it as one HTML page
  tidewire help --man    the man page]],
  },
  {
    name = "lua",
    usage = "tidewire [-e text] [-l module] [-i] [-v] [-W] [-E] [-] [file.lua [args]]",
    purpose = "run any Lua script: tidewire is a Lua 5.4 interpreter too",
    text = [[
Runs a script as the lua program does, with tidewire's modules there to require.  A file
that has the name of a command is ./run.

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
