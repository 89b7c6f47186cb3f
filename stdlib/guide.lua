--- guide: pages of help that belong to no one function.
--
-- A list of { name, purpose, text }, written as those of tw.commands.

return {
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

The handlers are on_start, on_quote, on_trade, on_message, on_timer, on_gap and
on_stop.  One handler of a script runs at a time.  A handler that waits, in
tw.sleep for one, holds up its own script only: its records wait for it, and the
other scripts of the worker go on.

self has name, params (what the app file gave), worker (0, 1, ...), shard and
shards (1 of 1 where the script is not sharded), and the file's methods.  A global
of a script is its own; modules that it requires are shared by all scripts of a
worker.

The table may say what the script wants, where the app file does not:

  M.symbols = { "AAPL", "BR*" }      -- names, or patterns as of the shell
  M.sectors = { "tech" }
  M.messages = { "vol.*", "index" }  -- topics; all, where it has an on_message
  M.one_sided = true                 -- quotes that lack a side too

A script never gets its own messages.  One that falls a whole tape behind a live
feed loses the oldest records and gets on_gap(lost, first); without an on_gap it
is said in the log.  A file is read as fast as its slowest script, and nothing is
lost.

A handler that runs for longer than the time limit without a wait is stopped, as
an error of that script.]],
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
  on_message  topic, value
  on_timer    timer (its number among the feeds), interval, count
  on_gap      lost (how many), first (the seq of the first of them)
  all         seq (place on the tape), kind, and but for on_gap time and received

time is when the source says that it happened, received when the host read it:
integers, nanoseconds since the epoch.  symbol_id is 1, 2, ... in the order in
which symbols came, for arrays.  source is the feed's name, source_seq its own
number of the message (FIX 34).  bid and ask are nil where that side is missing,
which only one_sided scripts see; _ is a parameter that stays nil.

Records are shared and never change.  q stays readable while it is on the tape;
a script that keeps it for longer gets the error `quote 123 has expired`.
q:keep() is a copy that never expires.]],
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
of the other scripts, unless the app file says on_error = "restart".]],
  },
  {
    name = "tags",
    purpose = "how to read the five tags under every function",
    text = [[
Yields: other scripts of the worker run meanwhile, or no.
Blocks: the whole worker stands still meanwhile, and for how long, or no.
Thread: where the function may be called.
Errors: what raises, and what returns nil, message, code.
Units: of every number that goes in or comes out.  Durations are seconds.]],
  },
}
