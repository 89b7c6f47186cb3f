--- guide: pages of help that belong to no one function.
--
-- A list of { name, purpose, text }, written as those of tw.commands.

-- "  mean(x)  sum(x) / n" for each statistic.
local function statistics()
  local lines = {}
  for i, kind in ipairs(require "tw.stat".kinds()) do
    local call = ("%s(%s)"):format(kind.name, table.concat(kind.inputs, ", "))
    local line = ("  %-24s  %s"):format(call, kind.formula)
    lines[i] = #line <= 86 and line or ("  %s\n      %s"):format(call, kind.formula)
  end
  return table.concat(lines, "\n")
end

-- Each fill model and its rules, as C has them.
local function fills()
  local lines = {}
  for _, m in ipairs(require "tw.internal.trade".fills()) do
    lines[#lines + 1] = ("  %-10s by %s"):format(m.name, m.records)
    for _, order in ipairs { "market", "limit", "stop", "auction" } do
      lines[#lines + 1] = ("    %-7s  %s"):format(order, m[order])
    end
  end
  return table.concat(lines, "\n")
end

-- Each figure of a backtest and how it is computed.
local function performance()
  local lines = {}
  local function add(name, formula)
    local line = ("  %-22s  %s"):format(name, formula)
    lines[#lines + 1] = #line <= 88 and line or ("  %s\n      %s"):format(name, formula)
  end
  for _, group in ipairs(require "tw.report_figures".GROUPS) do
    lines[#lines + 1] = (#lines > 0 and "\n" or "") .. group[1]
    for _, figure in ipairs(group) do
      if type(figure) == "table" then
        add(figure[1], figure[4])
        if figure.geometric then add("  geometric", figure.geometric) end
      end
    end
  end
  return table.concat(lines, "\n")
end

local guide = {
  {
    name = "scripts",
    purpose = "what a script is, and the handlers that it may have",
    text = [[
A script is a Lua file that returns a table of handlers.  Each instance has a
`self` of its own, which holds what must live from one call to the next:

  local M = {}

  function M:on_start() self.count = 0 end

  function M:on_quote(symbol, bid, ask)
    self.count = self.count + 1
  end

  return M

The handlers are on_start and on_stop; of records on_quote, on_trade, on_bar, on_level,
on_book, on_status, on_message, on_timer and on_gap (see quotes); where it trades
on_order, on_fill and on_position (see trading); of FIX on_fix and on_fix_event (see
sessions).  One handler of a script runs at a time.  A handler that waits, for a future or
in tw.sleep, holds up its own script only: its records wait for it, and the other scripts
of the worker go on.

self has name, params (what the app file gave; tw.strategy declares them, with
defaults and what is allowed), worker (0, 1, ...), shard and
shards (1 of 1 where the script is not sharded), and the file's methods.  A global
of a script is its own, and so are the modules that it requires; what is built in
or written in C is there once for all scripts of a worker.  A new version can take
its place while it runs (see reload).

The table may say what the script wants, where the app file does not:

  M.symbols = { "AAPL", "BR*" }      -- names, or patterns as of the shell
  M.sectors = { "tech" }
  M.messages = { "vol.*", "index" }  -- topics; all, where it has an on_message
  M.sources = { "nyse" }             -- feeds, where two have the same symbols
  M.sessions = { "broker" }          -- of FIX, for on_fix and on_fix_event
  M.one_sided = true                 -- quotes that lack a side too

sources chooses the feeds of quotes, trades, bars, levels, states and gaps, and of the
books and statistics made of them; simulated orders still trade on the data of all feeds.

A script never gets its own messages.  A script that falls a whole tape behind a live feed
loses the oldest records and gets on_gap(lost, first); without an on_gap the log has a
line.  A file is read only as fast as the slowest script, so nothing of it is lost.

A handler that runs for longer than the time limit without a wait is stopped, as
an error of that script.]],
  },
  {
    name = "reload",
    purpose = "new versions of scripts while they run",
    text = [[
tidewire run --watch notices when the file of a script changes, or one that it requires;
tw.reload(name) starts the same from a script or a prompt.  The file is read once and
tried in a state of its own, where it has no effect.  Then each state that has an instance
of the script runs it, and all instances switch at one record of the tape (it has a seq of
its own), or none does.  No record is lost or handled twice: the old version has those
before, the new one those after.  Instances of one file change together, whatever their
names.

What stays, and what is new:

  self               stays.  Its methods, the classes of objects in it and functions in
                     it are the new ones, where the new file has them at the same place:
                     a field of its module, a local of the file, a metatable
  locals of the file  are new, but for tw.persist("name", version, {}), whose table stays
  modules            that it requires are read with it and are its own; what is built in
                     or written in C is there once
  handlers, symbols, sources, ...        are the new file's
  account            stays; a version with another one is refused once the script trades
  tasks, coroutines, closures            that the old code has made go on with that code
  statistics, conditions   stay, unless on_reload declares; then its declarations count,
                     and statistics that are computed as before go on with their states

The new version may have, beside the handlers of every script:

  on_reload(self, old, warm)   is called at the change; old is the module of the old
                         version, warm the self of the candidate, see below
  on_check(self)         must return true after that, or nil and why not

They are for changing self and checking it, and can't wait.  Messages, and values that
they put on the board or into channels, go out when all instances have agreed.

  M.on_reload = M.on_start        -- of a script that does nothing else than declare

A new version need not begin empty, nor untried:

  tw.reload("maker.lua", { warm = "10m", shadow = 1000 })
  app.reload { warm = "10m", shadow = { records = 1000, differences = 3, errors = 0 } }

  warm     "10m", or a number of records: beside each instance a candidate of the new
           version begins with on_start that far back, as far as the tape holds it, and
           reads up to where the instance is.  At the change the new version has what the
           old one kept, and what only itself has from its candidate: declared statistics,
           fields of self, tables of tw.persist
  shadow   so many records of the tape are handled by both versions, the new one with a
           copy of self on which on_reload was called.  What both send while they handle a
           record, messages, values on the board and in channels, orders, is compared.
           It trades on a copy of the account and of the open orders; with fill = "book"
           what becomes of the old version's orders becomes of its own.  More records
           with a difference, or more errors, than the limits (0, when nothing is said)
           refuse it; the report names the first ones.  For as many records after the
           change the old version is the new one's shadow: beyond the same limits the run
           goes back to it by itself, and an error meanwhile does not stop the script

What a candidate sends, orders and prints is dropped; it receives nothing from channels
and can't reload.  It can still write files and start programs.  What tasks send, and
samples of declared statistics, are not compared.  Await such a reload in a task, not in a
handler: where the tape waits for the handler, the records that the candidate needs would
not come.  Another reload of the script meanwhile replaces the first.

A new version is refused when it does not compile or run, when on_reload or a migrate of
tw.persist raises, or on_check does not return true, in any instance.  Then self is what
it was, the old version goes on everywhere, and the reason is in the log and in the
future of tw.reload.  tw.rollback(name) brings the version before back, and
tw.rollback(name, 3) the third, with a number of its own.

A handler that waits when the change comes finishes on the old version.  After a second
(app.reload { deadline = 1 }) its wait is ended as if it were cancelled; after another one
the new version is refused.  A paused instance changes where it stands.

The market waits while on_reload runs and while what self holds is walked through: some
0.1 us for each value, 0.3 us when the new version has an on_reload or on_check.  An
object keeps its old class when no function of the new file uses that.

The app file has versions, too, with what it requires: tw.reload "market.lua", or
"market".  It runs in a state of its own, with the same --set, and is compared with what
runs.  These follow, all at one record or none:

  app.screen, on_feed, on_end, app.reload    of the new file, and its locals with them
  params, symbols, sources, ..., on_error   of scripts, which get a new version of
                     the same text; self.params is another table then

Feeds, exchanges, instruments, calendars, accounts, app.risk, app.book, the tape, the
pool, the limits, and which scripts there are and where they run, are built once: a file
that changes them is refused, and the log names each.  tw.rollback("market") brings the
file before back, with what it gave its scripts; a rollback of a script brings back what
that version was given.

Jobs of tw.pool run the modules that the scripts run, and begin anew after a change.]],
  },
  {
    name = "quotes",
    purpose = "what a handler sees of a record",
    text = [[
A handler names the fields that it wants as its parameters, in any order; a name
that is no field is an error when the script is loaded.  q is the record itself.

  function M:on_quote(q, symbol, bid, ask) ... end

  on_quote    q, symbol, symbol_id, sector, weight, tick_size, lot_size, bid, ask,
              bid_size, ask_size, mid, spread, source, source_seq
  on_trade    t, symbol, ... as above, price, size, side ("buy", "sell" or nil), id
  on_bar      b or bar, symbol, ... as above, open, high, low, close, volume, interval
              (seconds), side ("bid", "ask" or "mid": what its prices are of, or nil),
              series (what self:bars gave whose bar it is; nil: it came of a feed, or is
              frozen)
  on_level    level, symbol, ... as above, side ("bid" or "ask"), place (1 is the best),
              price, size, change ("set", "gone" or "clear": the book is empty), last (of
              an update), book; on_book has the same, see `tidewire help books`
  on_status   symbol (nil: of a market), status ("halted", "open", "closed", "pre_open",
              "pre_close", "auction", "delayed", "notice" or "unknown"), code (FIX 326 or
              340), text (what is said, up to 23 bytes), source, source_seq
  on_message  topic, value
  on_timer    timer (its number among the feeds), interval, count
  on_gap      lost (how many), first (the seq of the first of them); of what a feed
              missed also source, symbol (nil: of all), and lost is 0 where nobody knows
  all         seq (place on the tape), kind, and but for on_gap time and received

time is when the source says that it happened, received when the host read it:
integers, nanoseconds since the epoch.  symbol_id is 1, 2, ... in the order in
which symbols came, for arrays; a run has at most 1,048,575 symbols, and 255 feeds.
source is the feed's name (in a backtest what it was when a tape file was recorded;
of a text the file's name, "lean" of all of LEAN's), source_seq its own number of
the message (FIX 34).  bid and ask are nil where that side is missing, which only
one_sided scripts see; _ is a parameter that stays nil.

Records are shared and never change.  q stays readable while it is on the tape;
a script that keeps it for longer gets the error `quote 123 has expired`.
q:keep() is a copy that never expires.]],
  },
  {
    name = "trading",
    purpose = "orders, accounts, limits, and how a simulated order is filled",
    text = [[
A script trades by its self; what becomes of an order is told to its handlers:

  local M = { account = { cash = 50000, fees = { per_share = 0.005, minimum = 1 } } }

  function M:on_bar(symbol, close)
    if close > 100 then self:order_target(symbol, 200) end
  end

  function M:on_fill(symbol, side, price, quantity, fee, position) ... end

Methods: self:buy, sell, oco, order_target, order_target_percent, close, flatten, cancel,
modify, position, positions and orders; self.account; and of an order cancel and modify
(tidewire help self:buy, order, account).  Wrong use raises; what limits or the venue
refuse is told to on_order, with a reason.

These handlers are called before those of the record itself, in the order in which things
happened:

  on_order(order, id, symbol, status, reason, ...)   whenever its status changes
  on_fill(order, symbol, side, price, quantity, fee, liquidity, position)   each trade
  on_position(symbol, position, price)               after each trade

on_order may ask for id symbol side type tif status reason price quantity stop trail
trail_percent filled leaves average label parent position time; status, reason, filled,
leaves, position and time are as they were then.  An order handle has the same fields as
they are now, and fees.

Each instance of a script has an account and a simulated broker of its own, which see each
quote, trade and bar just before the script does.  So its orders depend on these records
alone, and not on workers, speed or other scripts; exceptions are fill = "book", limits of
all scripts and tw.halt, see below.  With shard = "symbol" there is an instance for each
worker: its account, limits and order_target_percent then depend on their number;
--workers 1 has one, as a backtest does.
What a script decides on messages of other scripts, or after a wait, depends on when these
come: on paper that varies with threads and clocks, in a backtest it is always the same.
The symbol of an order must be known, by app.instruments or a record: a tape file names
all that it has, of other data a backtest may have read on a little.

Time is that of the records.  An order that is decided at one record is matched with the
next one of its symbol at the earliest.  An order of a timer, a task, or a handler that
has waited is dated at that time (with fill = "book" on paper, and where no feed is live,
those of tasks and handlers at the last record's; where records arrive later than a timer
ticks, its orders are dated by its ticks since the last record).  With a latency an order
is matched with records at or after its arrival; a bar counts when it begins then.  So an
order decided at the end of one bar misses the next and trades with the one after; but a
bar of a day begins when the instrument's calendar opens, which is in time.  A changed
price, or a larger quantity, that arrives within a bar waits for the next one, too.  A
changed stop counts for all of that bar, though its low or high may have been earlier: a
stop moved with each bar would never protect otherwise.  An order of on_start is dated
when the script's first quote, trade or bar began: its latency counts from then, it is
reported with that record (before on_stop, where none comes), and without a latency it can
trade with it.  Orders of on_stop are reported, too; without a gateway there is no record
left to trade with.  Each report is a record on the tape (tape:last), which only its owner
gets.

Accounts: app.account{...} for all, app.script(path, {account = {...}}) for one, and the
field account of a script's table between them, field by field:

  currency, cash     "USD", 100000
  fill               how orders are filled, see below ("auto")
  fees               per_share, per_order, minimum (of an order); percent, maker, taker
                     (of the value, 0.1 is 0.1 %), maximum (percent of an order's value),
                     tiers = {{from = value traded, percent =, maker =, taker =}, ...},
                     the last that is reached instead of these three; all are added up
  latency            seconds, {least, most} or {list = {...}} that were measured; or
                     {submit = ..., cancel = ...}.  Chance comes from seed
  slippage           ticks (of the instrument's tick_size, which must be there), bps,
                     impact (times the square of the share of the volume), of market
                     orders and stops; not rounded to ticks
  volume_share       up to 1: the part of a record's volume that fill = "volume" takes,
                     in whole lots; refused where no fill is that
  limits             order_quantity, order_value, position (at most 9.2e9), open_orders,
                     orders in `per` seconds (1; a bracket is one), collar (percent
                     from the last price), daily_loss, self_match = true, buying_power
                     = true (refuses what free cash and margin don't cover, open orders
                     included).  Without it a buy may take cash below 0, and a backtest
                     says so.  Each is above 0; what is left out is not limited
  rates              what 1 of a currency costs: {EUR = 1.08}, or by a symbol's price:
                     {EUR = "EURUSD", JPY = "1/USDJPY"}.  That of an instrument must be
                     there; until its symbol's first price orders are refused
  gateway            where orders go that leave the run: see tidewire help gateways;
                     account: the Account (1) that they have there

app.risk limits all scripts together, tw.halt stops them; app.instruments says tick_size,
lot_size, multiplier, currency, margin, settles_daily and calendar, app.calendar when a
market is open.

  app.risk { order_quantity = 1000, order_value = 50000, collar = 5, position = 5000,
             open_orders = 200, orders = 100, daily_loss = 10000, self_match = true }

An order has to pass the limits of its account first, then these.  order_quantity,
order_value and collar are as there; orders counts those in a second, each exit of a
bracket too.  position is the position in an instrument, long or short, summed up over all
scripts, with all open orders that would enlarge it, at the size that a pending change
asks for.  Of self:oco and the exits of a bracket only the largest of a side counts (at a
gateway all of a self:oco, as they may all trade), as in an account's limits; where two
scripts come to the limit at once, one passes or none.  self_match (off unless it is said)
refuses what could trade with an order of any script whose orders go to the same gateway;
scripts without a gateway count as at one, and so does the book.  Market orders and stops
match any price, orders that are being canceled none.  An exit of a bracket is asked for
with its entry: none of these limits refuses it.  A reduce_only order (as self:close and
flatten send) is not refused for its size or value, nor by open_orders or position: where
other orders of its side are open, which would turn the position, these may lead beyond
position by what it has closed before.  But for that, and for exits that trade at a
gateway before their cancel arrives, the position keeps within whichever of the open
orders trade.

daily_loss is what an account has lost since midnight (UTC), with positions at their last
price.  Once it is reached, orders that would enlarge a position are refused until the
next day; orders that only reduce one pass, and open orders stay.  That of app.risk is the
loss of all scripts together: gains of one make up for losses of another.

Amounts are in the currency of the account, those of app.risk in its own: app.risk {
currency = "EUR" }, or that of app.account, or USD.  Orders and losses in another currency
count at the account's rates of that moment.  An account without a rate of app.risk's
currency is refused; where the rate is a symbol's price, so are orders until its first
price, but for those that only reduce.

Scripts share what position, open_orders, orders, daily_loss and self_match allow.  With
any of these, and no live feed, scripts handle each record one after the other, in the
order of the app: the orders are those of a backtest, for any number of workers, as long
as no handler waits and no task trades.  That costs some thread switches for each record;
without these limits scripts run in parallel.  Where a feed is live, the first order that
comes is served first.  tw.halt counts at once: with shared limits from the next script in
that order on; else how far the others are then differs from run to run.

Bars come from files (app.feed.csv) or are made: self:bars{every = "1m", of = "bid"}.
Buys trade on bars of asks, sells on those of bids; where there are those of one side
alone, both do, from the second bar on, and a backtest says so.

Fill models, by kind of order:

]] .. fills() .. [[


Within a bar stops are matched before limits, as nobody knows which price came first: of
two exits that it reaches, the stop trades.  Orders that a trade causes (exits of a
bracket, orders of on_fill) can trade with the next record.  A trailing stop begins at the
last price (of a bar: its close), is matched where it stands, and then follows the bar's
high (a sell) or low.  A limit order that can trade when it arrives is a taker for what it
trades then.

With "book" scripts trade with each other: in a limit order book for each instrument,
price before time, never with themselves.  Its trades and quotes are records of the feed
"book", which all scripts see; give such an instrument a symbol of its own, as quotes of
another feed for it would mix with the book's.  Nothing else trades there: a script that
quotes both sides gives liquidity; there is no slippage but what the book has, and an
account that says one is refused.  While its calendar is closed an instrument's book takes
no orders but for auctions.  A reduce-only order is no larger than what is held; "fok"
counts on none of these, nor on brackets, as they may shrink.

Market and limit orders with tif "opg" or "cls" are gathered, also while the book is
closed, for the next open or close of the instrument's calendar (midnight, where it has
none), which has to be later than they arrive.  Then they trade in a call auction with
each other and with what rests in the book, before all that arrives at that time, at one
price: that at which most trades; of several the one that leaves the least quantity
behind, then the one nearest to the last trade, then the lowest.  It is a limit of one of
them, or the price of the last trade; where there is neither nothing trades.  Market
orders come first, then the better price, then what rested, then who came first; what is
left of those that were gathered expires.  Of one script what rests, or came first, gives
way to what it could trade with.  In fees what rested adds, what was gathered removes.
Trades have no side.  Reduce-only orders and those of a group get smaller as it trades:
what counts for the price is what trades then.  A stop that the closing price reaches
comes in at the next open.

  app.account { fill = "book", latency = { 0.0001, 0.0005 } }
  app.script "maker.lua"
  app.script "taker.lua"

Requests are handled by time of arrival, then by the record that they were decided on,
then by script.  Where no feed is live, every record waits until all scripts have handled
the one before: the fills are those of a backtest, for any number of workers, as long as
no handler waits and no task trades.  Where one is live, the first that comes is served
first.  The tape waits for scripts that trade in a book, as they must not miss a report.

A quoted size can be taken once, until the quote has another size or price.  An order with
tif "day" ends with the session of its instrument's calendar; "opg" and "cls" trade at its
open and close, limit orders where that price is within their limit.  A bar of a day
stands for the session of that day; a shorter bar that holds the opening fills "opg"
orders only where nothing of the symbol came right before it.]],
  },
  {
    name = "performance",
    purpose = "the statistics of a backtest, by name, with their formulas",
    text = [[
r are the returns of the days, each from one day's end to the next one's (midnight ends a
day), n their number, b those of the benchmark.  A year has 252 trading days; where the
market is open every day, 365.  Ratios have two definitions: by the arithmetic mean of r,
and by the geometric one.  A sweep's --by takes these names.  A run whose equity was ever
at or below zero is ruined, and has no returns.  The fee of an order that reverses a
position is split between both trades, by their quantities.

]] .. performance(),
  },
  {
    name = "results",
    purpose = "the file that sweeps keep their runs in, and how to ask it",
    text = [[
A file of SQLite, which the command sqlite3 and many programs read.  Its view `result` has
a row for each run of each sweep:

  sweep, number       the sweep, and the run's number in it
  part, window        train or test, and the window of a walk-forward; else NULL
  key                 a hash of strategy, data and parameters; one run a key
  params              JSON: params->>'fast' is one of them
  start final currency records hash from_ns to_ns seconds
  ruined              since when the equity was at or below zero, ns; else NULL
  total_return ... max_days        the figures, by their names in the result of a backtest
  sharpe, geometric_sharpe ...     of the ratios the arithmetic and the geometric one
  error, traceback    of a run that failed
  finished            when it was kept, in UTC
  more                JSON: whatever else the result had

A figure that has no value is NULL.  The table `sweep` has id, name, command, strategy,
data and began.  The ten best of the last sweep:

  sqlite3 -box FILE "SELECT number, params, sharpe, max_drawdown FROM result
    WHERE sweep = (SELECT max(id) FROM sweep) AND ruined IS NULL
    ORDER BY sharpe DESC LIMIT 10"

A finished run is on the disk half a second later; then neither kill -9 nor a power cut
loses it.  Several sweeps may write to one file at once, also on a network disk; a sweep
that waits for another longer than 30 s fails.  Opening the file checks it for damage;
SQLite can't see damage within a value.  The library is needed (libsqlite3-0); the static
program keeps no results.  tw.sweep_store reads and writes the file in Lua.]],
  },
  {
    name = "sharing",
    purpose = "what states share: frozen values, the cache, channels, the board",
    text = [[
A worker, a pool thread and the app file each have a Lua state of their own.  What
goes from one to another is a frozen value: nil, a boolean, a number, a string, a
quote, or a table of these.  It is made once and read by all; nobody can change it.

  local v = tw.freeze { 1, 2, deep = { x = 3 } }   -- v.deep.x, #v, pairs(v)
  local mine = tw.thaw(v)                          -- a private copy
  print(v)                                 --> {1, 2, deep = {x = 3}}

Messages, the board, channels, arguments and results freeze what they are given.
Futures, promises, channels, caches and arrays may stand in frozen values: all who get
one have the same.

  tw.publish(topic, value)    one order with the quotes; on_message
  board["vol.tech"] = value   the latest by name (tw.board)
  tw.channel(16, { name = "orders" })   a queue between tasks; the same name is the
                              same channel in every state
  tw.cache("vol", { ttl = 60 })         what is expensive, computed once for all
  tw.array { 1.5, 2, 3 }      a column of doubles, computed with in C: all states read
                              the same memory

The cache holds futures.  The first who asks for a key starts the loader in the
pool; all others, in any state, get the same future at once:

  local vol = tw.cache("vol", { ttl = 60, stale = 10, entries = 1000 })
  local f = vol:get(symbol, function(symbol) return compute(symbol) end)
  local v = f:await()]],
  },
  {
    name = "concurrency",
    purpose = "tasks, scopes, futures, the pool: doing several things at once",
    text = [[
Whatever waits is a coroutine, and needs no other kind of function: a handler, a
task, a job of the pool and the main chunk of a plain script all wait alike, from
any depth, also from coroutines of their own.

  tw.task.scope(function(s)              -- ends when its tasks have ended
    local a = s:spawn(fetch, "AAPL")     -- a task on this thread
    local b = tw.pool.run(price, 100)    -- a job on another core: a future
    print(a:await(), b:await())
  end)

The first error in a scope cancels the tasks beside it and is raised where the scope
was opened, with the tracebacks of both, also when it came from another thread.  An
error that nobody awaits is printed, and the run ends with status 1.

  tw.task.timeout(0.5, fn, ...)   nil, message, code when the time is over; the
                                  nearest of several counts, in tasks and jobs too
  tw.task.shield(fn, ...)         nothing from outside ends its waits
  tw.task.detach(fn, ...)         a task of the script, or of the program
  tw.task.semaphore(n)            at most n tasks of this state at a time; over all
                                  states a channel that holds n tokens does that
  future:await(timeout)           the value, or the error raised again
  future:cancel()                 leaves; the work stops when the last one has left
  tw.all, tw.any, tw.race         several futures at once
  tw.pool.map(list, fn)           fn of every element, over all cores
  tw.ps()                         what every task of every state does just now

A job is sent to its state as bytecode with its upvalues frozen; what comes from a
required module goes by name.  TIDEWIRE_SEED=n gives ready tasks an order of
their own that can be had again, for tests.]],
  },
  {
    name = "statistics",
    purpose = "means, quantiles, correlations ...: pushed or declared, computed in C",
    text = [[
A statistic is pushed into, or declared.

  local stat = require "tw.stat"
  local vol = stat.by_symbol(stat.ewma, 0.05)     -- one for each symbol

  function M:on_quote(symbol, mid)
    vol[symbol]:push(mid)
    print(vol[symbol].value, vol[symbol].count)
  end

A push is one call from Lua to C.  A declared statistic needs none: its text is
checked and compiled once, and C feeds it with every record before the handlers
run.  Nothing of it runs in Lua.

  local spread = stat.mean("ask - bid"):by "symbol"
  local tech = "ewma((mid / prev(mid) - 1)^2, alpha=0.01) by sector"

  function M:on_start()
    self:track { spread = spread, tech = tech }
    self:when("sqrt(tech.tech) > 0.02", function(self, q)
      print(q, spread.AAPL.value)
    end)
  end

stat.mean("ask - bid", { window = 64 }):by("symbol"):where("bid_size > 100") and
the text "mean(ask - bid, window=64) by symbol where bid_size > 100" are the same
declaration; stat.covariance("bid", "ask") takes a text for each input.

The language

  expression by key, key ... where condition     by and where may be missing

Operators are those of Lua, with its precedence: + - * / // % ^ == ~= < <= > >= and
or not.  There are numbers; times, which are integers in ns: 500ms 10s 5m 1h 1d;
"text", only to compare a name with: symbol == "AAPL"; true and false; the fields
of the record: bid, ask_size, ..., price, ..., close, ...; the functions of math,
ifelse(c, a, b), missing(x); and statistics, with options at the end: ewma(mid,
alpha=0.05).  min and max with one argument are statistics, with more the least or
greatest of them.
What is wrong is an error when it is declared, with the column.

Keys: symbol, sector, any field or attribute that has names, or a number in
parentheses: by symbol, (time // 1h).  Without keys there is one for all records.
Attributes are your own, from app.instruments: by country where exchange == "XNAS".
A statistic inside another one is per symbol, unless it has a by of its own in
parentheses; so are prev, lag, delta, simple_return and log_return wherever they
stand: ewma((mid / prev(mid) - 1)^2) by sector takes each symbol's own previous
mid.

The names of other statistics that are tracked are values, too: vol is that of the
record's key, vol.tech that of the key tech.  A cycle is an error, and a field of the
same name comes first.  So quotes meet trades: no record has both, but with traded =
"last(price) by symbol", "mean(mid - traded) by symbol" is one of quotes.  A statistic
of what all have, as count() by symbol, reads quotes, trades and bars; those that
self:bars makes are no records, and on_bar can push them: atr:push(bar).

Missing values: a side that is not there is NaN, and so is the value of a statistic
that has none yet.  A row is not counted where an input is NaN, or where the condition
after where does not hold.  A row that lacks a key (a symbol without a sector) is not
counted either, and what is by that key is missing there.  missing(x) tests for it.  In
Lua such a value is nil.

Conditions: self:when(condition, fn) calls fn(self, q) with the record that made
the condition true; for each key it has to become untrue before it counts again.

  self:when("abs(z) > 3", { reset = "abs(z) < 1", interval = "1s" }, fn)

reset, a condition with a by of its own, says when it counts again; interval is the
least time between two calls; level = true calls at every record for which it holds.

Sampling: stat.mean("mid"):by("symbol"):sample { every = "1s", history = 600 } keeps
the last 600 of each key; records = 100 samples by records; board = true and publish
= true give each sample to tw.board and as a message, under the statistic's name or
the one that stands there.

Reading: what self:track returns has the statistic of each name, and a declaration
that is tracked is one itself: spread.AAPL.value, spread.AAPL:history(600), pairs;
see tw.tracked.  Instances and readings have fields: value, count and what else the
kind has.  An instance can't be frozen; s:freeze() is its fields, s:save() all of
it, for stat.load after a restart, and s:merge(other) adds the rows of another one.

The statistics; `tidewire help stat.mean` tells cost, source, options and fields:

]] .. statistics(),
  },
  {
    name = "embedding",
    purpose = "hosts inside a C or C++ program: tidewire.h",
    text = [[
A program makes a host, gives it an app, runs it and frees it:

  struct tw_host *host = tw_host_new(&options, &error);
  tw_host_load(host, "app.lua", &error);
  tw_host_start(host, &error);               or tw_host_run, in the caller's thread
  tw_host_quote(host, "AAPL", 0, 187.22, 187.24, 300, 500);
  tw_host_finish(host);
  tw_host_wait(host, TW_FOREVER, &error);
  tw_host_free(host);

It is built with `cc program.c $(pkg-config --cflags --libs tidewire)`; a static one with
`cc -static program.c $(pkg-config --static --cflags --libs tidewire)`.
The comments in tidewire.h say for each function on which thread it may be called, how
long it blocks and what it returns; scripts/embed has examples in C and C++.

The app is an app file as of `tidewire run`, from the disk or one of the texts of
tw_host_add_text, where its scripts and modules may be, too.  The program is a feed of
it, "program": where the app has no other, the run ends after tw_host_finish, when all
that was pushed has been read.  Where no feed is live, who pushes waits for scripts that
are more than an eighth of the tape behind, so nothing is lost.

A function that the program calls (tw_host_call) runs as a task where its script does,
between handlers: it may wait, and the script's records go on meanwhile.

A value is an item: nil, a boolean, a number, a text, a table.  A draft writes a table:

  tw_draft_set(d, "symbol", tw_item_text("AAPL"));
  tw_draft_begin(d, "bids");
  tw_draft_add(d, tw_item_number(187.22));
  tw_draft_end(d);
  rc = tw_draft_finish(d, &book);            the first failure, if there was one
  tw_host_publish(host, "book", tw_any_root(&book), TW_FOREVER);
  tw_any_unref(&book);

tw_numbers_keep makes a tw.array of doubles.  Tables are frozen: they are sent to any
state without a copy, and what scripts give is read where it is, with tw_item_get,
tw_item_at and tw_table_entry.  An item lives as long as what it was read from, a
future or a call; tw_item_keep keeps it longer.

Every state of the host has the program's C modules (tw_host_add_module) and values
(tw_host_add_value): require gives them.  In a C module tw_lua_context gives the program's
own ctx, so that it needs nothing global; tw_lua_push and tw_lua_value pass values, and
tw_lua_push_cdata a struct of the program's (scripts/ffi/shared.c).

tw_host_reload has a script read again, its file or its newest text; tw_host_rollback,
tw_host_pause and tw_host_evaluate are those of `tidewire attach`, which reaches the host
itself where options.attach is set.  tw_host_get_status, and for each feed, worker,
script and cache one of its own, give the figures: set size before the call.

On a thread of a host, in callbacks and C modules, nothing waits: what would is refused
with TW_ECYCLE.  tw_host_free gives TW_EBUSY while cursors or futures are open.  os.exit
raises.  A script that does not return is stopped only where the program lends the host
SIGURG (options.watchdog).]],
  },
  {
    name = "errors",
    purpose = "what raises, what returns nil, and where an error ends up",
    text = [[
Wrong use raises an error: a wrong type, a number out of range, a thing that is
closed.  What a right program must expect is returned as nil, message, code: full,
closed, time-out, end of a stream, refused.

An error that nothing catches stops its script and is printed with the script, the
worker, the record and a traceback.  It ends the run with status 1, after on_stop
of the other scripts, unless the app file says on_error = "restart".

An error that leaves its task or its state is a table: message, value (what was
raised, when that was a table), traceback, worker, script, task, cause (the error as
it was where it happened), also (errors that came with it).  tostring tells all.]],
  },
  {
    name = "tags",
    purpose = "how to read the five tags under every function",
    text = [[
Yields: other scripts and tasks of the worker run meanwhile, or no.
Blocks: the whole worker stands still meanwhile, and for how long, or no.
Thread: where the function may be called.
Errors: what raises, and what returns nil, message, code.
Units: of every number that goes in or comes out.  Durations are seconds.]],
  },
}

-- Pages of their own file, behind the one about orders.
local at = 1
while guide[at].name ~= "trading" do at = at + 1 end
for _, name in ipairs { "tw.guide_fix", "tw.guide_recipes" } do
  for i, page in ipairs(require(name)) do table.insert(guide, at + i, page) end
end

return guide
