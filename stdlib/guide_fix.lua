--- guide_fix: pages of the guide about FIX: sessions, market data, orders.
--
-- A list as that of tw.guide, which has them, too.

return {
  {
    name = "sessions",
    purpose = "FIX sessions in an app and its scripts",
    text = [==[
An app declares its FIX sessions: those that it connects to a peer, and ports where peers
connect to it.

  app.fix.session { name = "broker", host = "fix.broker.com", port = 5001,
                    version = "FIX.4.4", sender = "ME", target = "BROKER",
                    logon = { Username = "me", Password = "..." },
                    store = "store", log = "log" }
  app.fix.acceptor { port = 5002, sessions = {
    { name = "client", sender = "ME", target = "CLIENT" } } }
  app.fix.config "quickfix.cfg"          -- all that a file of QuickFIX says

Versions are FIX.4.0 to 4.4, and 5.0 to 5.0SP2 by FIXT.1.1.  A dictionary is built in for
each (session, market data, orders); dictionary = "FIX44.xml" is one of your own, and a
text of extensions goes on top of what is built in (see tidewire help fix).  With a store
both sequence numbers and the messages that were sent (for resend requests) survive a
restart, also after kill -9.  When the machine stops, a store loses the last `sync`
seconds (0.1).  With sync = "each" it loses nothing that went out: messages wait until
they are on the disk, many of them for one sync.  With "never" the system decides.  help
tw.app.fix has all options.

Over FIXT.1.1 a session may have messages of several versions:

  app.fix.session { ..., version = "FIX.5.0SP2", applications = { "FIX.5.0",
    { version = "FIX.4.4", dictionary = "FIX44.xml", default_for = { "D", "F", "8" } } } }

The version of a message is, in this order: what its ApplVerID (1128) says; what a Logon
has said of its type; the session's (1137 of the Logon).  Our Logon says it of the types
of default_for (384 with 1130 and 1410=Y; QuickFIX's FIXT11.xml has no 1410 and refuses
that), the peer's Logon of what the peer sends.  A Logon that resets the numbers (141=Y)
while the session is up says all of it anew.  What comes is checked and read by the
dictionary of its version (message.version).  What goes out is built with it:
fix.send(name, { MsgType = "D", ApplVerID = "FIX.4.4", ... }); gateways, orders and market
data write the version that is the default of their types.  A message of a version that
the session does not have is rejected (35=3, 373=18).  transport = "FIXT.1.1" makes one
before FIX.5.0 the default.  ApplExtID (1156, an extension pack) and CstmApplVerID (1129,
a version that both sides have agreed on) do not change the version; declare what such
messages have more as extensions.

A script hears of all sessions by two callbacks:

  function M:on_fix(message, session)
    print(session, message.name, message.ClOrdID, message.OrderQty)
    for _, party in ipairs(message.NoPartyIDs or {}) do print(party.PartyID) end
  end
  function M:on_fix_event(session, event, text, from, to, message) end

message cannot be changed, and may be kept.  Fields are found by name or tag, and are
numbers and booleans where the dictionary says so; message:text "Price" is what came.  A
name that is in no dictionary raises.  on_fix may ask for time, received and seq, too.
Both are records of the tape, so a recording has them, and every script sees the same.
Passwords (554, 925, and of a Logon or a UserRequest 96, 1402 and 1404) are as many '*'
there, and in message logs; 96 of other messages is data, and stays.
A log that has reached log_size (64 MiB) becomes NAME.log.1; log_files (15) of them stay.
When a log is moved away, by logrotate for instance, a new one begins without a signal.

Events are logged_on, logged_out, not_logged_on (text: why), rejected and refused
(message: ours, or theirs), dropped, gap, skipped, resending, forgotten, filled, reset,
store_failed, unsent (from: the ticket of what fix.send took) and logging_on.

  local fix = tw.fix
  local ticket, why = fix.send("broker", { MsgType = "NewOrderSingle", ClOrdID = "1",
    Symbol = "AAPL", Side = "BUY", OrdType = "LIMIT", Price = 187.25, OrderQty = 100,
    TransactTime = tw.now() })

The fields go out in the dictionary's order.  What it does not have or allow raises, with
what it expects; nil, why and a code come when the session is not logged on or its queue
is full.  A message that on_fix got can be sent as it is.

Where a venue wants a signature or a nonce in each Logon, say hold_logon = true: the Logon
then waits for fix.logon.  The event logging_on (sessions of feeds and gateways have it,
too) has the Logon as message, with the MsgSeqNum and SendingTime that it will have:

  function M:on_fix_event(session, event, text, from, to, message)
    if event ~= "logging_on" then return end
    local m = message
    fix.logon(session, { RawData = sign(table.concat({ m:text "SendingTime",
      m:text "MsgType", m:text "MsgSeqNum", m:text "SenderCompID",
      m:text "TargetCompID", PASSPHRASE }, "\1")) })
  end

sign is a function of yours: by ffi and libcrypto, for instance (HMAC, EVP_EncodeBlock).
After logon_timeout without an answer it is tried again.  When fix.reset or the venue
resets the numbers, the session logs out and on again, so that the new Logon is signed,
too.

A script takes all sessions, or those that it names: M.sessions = { "broker", "v*" } (or
sessions of app.script).  What messages (35=) come to whom:

  no other use       on_fix, all that `take` of the session lists; without it, all
  app.feed.fix       W X S i Y AG f h, and j of its requests
  market = true      V R e g
  app.gateway.fix    8 9 j
  orders = true      D F G H AF

A message that a session does not take is answered as unsupported (35=j, 380=3; before
FIX.4.2 by a Reject), but for j itself.  The log has a line for the first one of each
type, and for the first one that no script has an on_fix for.  `missed` of fix.status has
the first 16 such types of a session; untaken and unheard count the messages.  What a
feed, a gateway, a market or orders take does not come to on_fix: a script that asks for
such a session is told.  To have it there, too, the session says so:

  app.feed.fix { subscribe = { "AAPL" }, take = { "W", "B" }, ... }     -- or true: all

Then the feed's quotes and trades are on the tape before the message, and so are a
gateway's reports; what the feed does not take (B, a News) comes to on_fix alone.  The
session's events come to on_fix_event, too.  These records wait for a script that is
behind, and the session is held up meanwhile; messages that there was no memory for are
counted (tape_lost) and told.

When the run ends, sessions are still up while on_stop runs: messages that it sends, and
cancels of orders, go out.  Answers to cancels are waited for, up to two seconds; then the
sessions log out, and are cut off after three in all.  A script that has ended hears no
more: a trade that it missed is in the log, and with a store the next run books it.  In
the log are also cancels that the venue has not answered.

fix.status() has the figures of all sessions; fix.reset, fix.set_numbers, fix.enable,
fix.logout and fix.remove command one; fix.add adds one, to a peer or at a port of the
app, with the options of app.fix.session, market and orders too.  A feed or a gateway is
for the app file: with enabled = false it waits for fix.enable.  So does tidewire attach:

  fix                       all sessions
  fix broker                one, with why it is not up
  fix broker numbers 17 20  the next number in, and out
  fix broker disable        logs out and stays down; enable, reset, logout, remove
  fix add name=b host=h port=5001 sender=ME target=B logon.Username=me store=dir
                            (a text of digits is in quotes: target="007")
  fix add { acceptor = 5002, sender = "ME", target = "NEW" }

A port closes a connection that does not become a session, and counts why: silent (no
whole Logon in time), garbled (no FIX), unknown (no session has its CompIDs and version),
refused (its session takes no connection now), crowded (too many at once) and tls (no
handshake).  fix.status().ports has the figures of each port, and so has `fix` of attach;
`status` and the end of the run show those that are not 0, the log each connection.  On a
session that is up, a garbled message (a wrong CheckSum or BodyLength) is ignored, counted
and told, as its number can't be known.  The peer is cut off, with a Logout that says why,
for more such bytes in a row than message_size (noise; 1 MiB), for a larger BodyLength or
too many fields (oversized), and when it says nothing (silent) or does not read (unread).
fix.status counts these.

A new version of a script (tidewire help reload) leaves the sessions as they are; a new
version of the app file can't change them.  A backtest has no sessions: fix.send returns
that as its failure, and messages of a recording come by on_fix.  A recording has the
version of each session and the paths of its dictionaries; `tidewire replay`, a backtest
with --messages and app.feed.tape read its messages by these, or by another dictionary
(--dictionary; dictionary).  `tidewire fix decode FILE.tape` prints what came, with the
same names.]==],
  },
  {
    name = "subscriptions",
    purpose = "market data over FIX sessions, either side of them",
    text = [[
  app.feed.fix { name = "broker", host = "fix.broker.com", port = 5001, tls = true,
                 version = "FIX.4.4", sender = "ME", target = "BROKER",
                 subscribe = { "AAPL", "GOOG" }, depth = 5, incremental = true }

After each Logon every symbol is asked for (35=V; batch of them in one request), and what
comes (35=W, X and S of FIX.4.2 to 5.0SP2) becomes quotes and trades on the tape:

  quotes             the best bid and offer, with the sizes at that price added up; after
                     each snapshot, and when they have changed
  books              unless depth = 1: a record for each level that has changed, the sizes
                     of a price added up; see `tidewire help books`
  beginnings         a book begins with a snapshot (35=W), or with an X of the request in
                     which all levels are new (279=0; of depth = 1, which says a price and
                     a size): so peers do that send no W, or none of an empty book.
                     Changes that come before are not used (ignored), and told once
  levels             are known by their ids (278, 280), positions (290, 1023) or prices,
                     as the peer names them; a change of an id need not name the symbol
  times              of an entry (60; 272 and 273), else of its message (60, 779, 52)
  gaps               RptSeq (83) that is not the next one; messages that the session does
                     not get again, or refuses; its end; a message that can't be used:
                     on_gap tells of them, the book is dropped and asked for again
  refusals           (35=Y, AG, j) are in the log, and with take = { "Y", "AG" } come to
                     on_fix; of several symbols in a request each is tried alone
  instruments        { ESZ6 = { symbol = "ES", fields = { SecurityType = "FUT",
                     MaturityMonthYear = "202612" } } }, as of a gateway (see tidewire
                     help gateways): by our symbol, the one that the venue has for it, and
                     fields.  Requests have those that their messages have there, by the
                     dictionary; fields of orders alone are left out.  What comes is under
                     our symbol: known by its request (262, 131) where that is for it
                     alone, else by the venue's symbol and those of 48, 167, 200, 201,
                     202, 205, 207, 461 and 541 that both say.  What says otherwise than
                     its request, or fits several, is not used (ignored).  A feed and a
                     gateway of one session have one table: that of either
  states             of symbols (35=f) and markets (35=h): on_status, and the log; with
                     states = true they are asked for (35=e, g) after each Logon
  quotes             one by one (35=S), or many (35=i): the sides that each names are all
                     there is of them.  Where QuoteResponseLevel (301) asks for it they
                     are acknowledged, by 35=AI (before 4.3 by b) and by 35=b, with those
                     that nobody subscribed or whose price is wrong.  One that is good
                     until a time (62; 367 of a set of 35=i, for those without a 62) is
                     taken out then, by this machine's clock: its sides are none in a
                     quote of that time, on the tape and so in a replay.  So are those
                     that are taken back (35=Z: by symbol, by QuoteID, all)
  streams            from 5.0 on a number of a stream (1180, 1181) that is not the next
                     one is a gap, too; ApplLastSeqNum (1350) says what came before it
  gaps without end   RptSeq may count a whole channel, of which you get only a part: then
                     each new book has a gap at once.  After five such gaps in a row (15
                     seconds) the log says so, on_gap is called once more, and the books
                     go on from a last snapshot: until the next Logon only MsgSeqNum (34)
                     tells what is missing there

A session of an acceptor serves what the run has of quotes and trades, but for those of
the run's own feeds over FIX sessions, which may come from it:

  app.fix.acceptor { port = 5001, sessions = {
    { sender = "EXCHANGE", target = "YOU", market = true } } }

Its peer gets a snapshot, and then the changes every 5 ms: a peer that reads slowly gets
fewer updates, never late ones.  A template with market = true serves all that connect.
Requests for the state of a symbol or the market (35=e, g) are answered with the last
state on the tape; without one, a symbol that has a price is open.

Orders may go over the same session, either side: market = true beside orders = true, and
app.gateway.fix { session = "broker" } (or app.feed.fix { session = ..., subscribe =
... }) over a session that is declared above.]],
  },
  {
    name = "books",
    purpose = "books of prices, level by level",
    text = [[
  function M:on_book(book, symbol)
    local price, size = book:bid(1)          -- the best; nil: there is none
    for i = 1, math.min(5, book.asks) do print(book:ask(i)) end
  end

A feed that has depth (app.feed.fix { subscribe = ..., depth = 10 }) puts a record on the
tape for each level that changes: on_level is called for each, and on_book once for an
update, when all of it is in the book.  Records of levels come before the quote of the
same update, so in on_quote and elsewhere tw.book(symbol) is the book of that quote.

  book:bid(i), book:ask(i)       price and size of the i-th level, 1 if nothing is said
  book:size("bid", price)        what is there at a price, or nil
  book.bids, book.asks           how many levels there are
  book.known                     seen from its beginning: nothing is missing
  book.symbol, source, time, seq of the last change

A book is made of what its script has read: it is the same in a replay and in a backtest.
Where the feed missed something, on_gap tells of it, and on_book comes again with the new
book.  A script that begins later, or falls behind, asks for the books again (they come as
records, to all scripts); in a recording it waits for the next snapshot.  A book of single
orders (levels with ids) becomes one of prices here.

app.book { levels = 10 } puts the run's own book (fill = "book") on the tape likewise, and
a FIX session with market = true serves it.]],
  },
  {
    name = "gateways",
    purpose = "orders that leave the run: to a broker or a venue, by FIX",
    text = [[
  app.gateway.fix { name = "broker", host = "fix.broker.com", port = 5001, tls = true,
                    version = "FIX.4.4", sender = "ME", target = "BROKER",
                    store = "fix", account = "12345" }
  app.account { gateway = "broker" }

Scripts are the same as on paper: their orders go out as 35=D, F and G (FIX.4.0 to
5.0SP2), and what comes back (8, 9, 3 and j) calls their on_order, on_fill and
on_position, in the order of the tape.  Limits and tw.halt apply before the gateway.  A
backtest has no gateway and fills orders itself, by the account's fill model.

  ClOrdID (11)       the order's id, and for each change letters more: 17, 17a, 17b; with
                     cl_ord_id = "uuid" a UUID of both, which Coinbase, say, asks for;
                     with "short" 12 letters and digits, and up to 2 more for each of the
                     first 1,332 changes: Nasdaq takes 14
  ids                18 digits.  Those of a run begin at the nanoseconds from 2020 to its
                     start, and of these each script takes every n-th (n: scripts and
                     sessions, or one more).  So a run that begins after the end of
                     another has other ids, while no script sends more than 10^9 / n
                     orders a second all the time; and so have two at once that begin 1
                     ms apart, until a script has sent 10^6 / n orders.  The time is the
                     machine's: a clock that is put back counts
  symbols            Symbol (55); with security_id_source = "8", of feeds too, SecurityID
                     (48) of that source (22): what names an instrument at LMAX, say,
                     where scripts trade "4001".  A venue's messages may have another
                     Symbol then, or none, if validate = { required = false } lets that
  kinds              market, limit, stop, stop_limit; trailing_stop from 4.4 on, but none
                     of a trail_percent; tif "cls" is an OrdType before 4.3; post_only is
                     ExecInst 6.  What a version can't say is rejected at once, the log
                     says why
  reduce_only        is checked here, not at the venue: the order goes out, or a change
                     enlarges it, only if all of it reduces what is held then.
                     Two that are open at once may trade more than that together
  brackets, oco      too: when one order of a group trades, the others are canceled or
                     made smaller; until that arrives both may trade.  So limits count all
                     orders of a self:oco here; of a bracket's exits the largest, as
                     elsewhere.  When the exits have closed all, what the entry trades
                     until its cancel has arrived has no exit.  A trade that is taken back
                     makes exits smaller, too; where nothing is left they are canceled,
                     and so is the rest of the entry.  What is refused is asked for again
                     up to six times, in 15 s; then on_order has the reason "the venue
                     refuses again and again to cancel it or to change its quantity",
                     until there is another trade
  fees               where the venue says what a trade costs, by Commission (12; 13=1, 2,
                     3; 479) or NoMiscFees (136: 137, 138, 891), that: all of it, and
                     nothing of the account's fees; else those.  FIX has it that 12 is of
                     this trade, not of the order so far; a part (13=2) is of the value,
                     with the multiplier.  What is in another currency than the
                     instrument's is cash in that (account:cash_in), one such currency a
                     trade; in fees and equity it counts at the account's rate, or not at
                     all where there is none, which the log tells.  A trade that is taken
                     back gives back what it has cost; 150=B is not booked
  trades             count once, by ExecID (17).  One that the venue takes back (20=1,
                     150=H) or corrects (G) is booked.  After the order's end, too: that
                     is told as any other, with a line in the log, and the order is what
                     the venue says (39); a filled one of which a trade is taken back is
                     open again where it says that some is left (151)
  what is missing    by CumQty (14), or in a report that the session refused, is asked
                     for (35=H) and booked at the average that the venue names, until the
                     trade's own report comes: with another price, or what it costs, it
                     is booked anew; an order's end is told after its trades.  Where
                     messages of the venue were missed for good (a gap fill, a reset),
                     the status of what is open and of the 256 orders that ended last is
                     asked for; a CumQty below what is known is then a trade that was
                     taken back, another AvgPx (6) with the same one a correction, and a
                     request without an answer has what the status says, but for 39=6 and
                     E: it waits
  no answer          to an order, a change or a cancel for 30 s: a line in the log, and
                     its status (35=H) is asked for.  What the venue does not know is
                     rejected; a change or a cancel that the status does not show, or
                     that has no status within 10 s more, is refused with "the venue has
                     not answered it", and can be asked for again.  What waits (39=A, 6,
                     E) is asked about again, each time after twice as long
  connections        while there is none orders are rejected ("the gateway is not
                     connected"), and cancels and changes refused.  After each Logon the
                     status of all that is open is asked for; what the venue never got is
                     rejected, a change that was lost is refused.  Orders and changes
                     are not sent again, after a break or where the venue asks for them
                     (35=2): that asks for their status, too
  texts              order.text is the venue's last text on the order (58), order.code its
                     code of the reason (103, 102, 378); both are nil where reason says it
                     all, and in a replay
  restarts           with a store what is open and held is in its folder, NAME.orders: the
                     next run's script of the same name has the positions as it starts,
                     and its orders are told to on_order with the reason "it was sent by
                     a former run"; what traded meanwhile comes by on_fill.  Orders of a
                     bracket that wait for it are there, too, and go out when it has
                     traded, also those that were about to when the run was
                     killed; of a group one still cancels the others; labels are as they
                     were (119 bytes of them).  Without a store open orders that
                     35=AF (from 4.3 on; mass_status = false: not) or a report finds are
                     those of the only script whose account is there, with all that they
                     have traded, and of several nobody's; adopt = false: neither.  What
                     can't be anybody's has a line in the log, which counts, and
                     cancel_unknown = true cancels it.  The account
                     goes on as if the run had not ended, also by kill -9: cash, fees with
                     their tiers and the minimum of an order, what was realised, and what
                     daily_loss counts from, till the day ends.  What is held is at its
                     last price, not older than a second or its last trade, until the next
                     one comes; what was traded while its script was in no run is charged
                     when it is in one again.  Where app.account says another cash than
                     in the former run, the difference is a deposit, which a line of the
                     log tells.  Without a store, and once with one that an older program
                     has left, the account begins anew
  breaks             cancel_on_disconnect = true cancels what is open before we log out
                     (a schedule, fix.logout, the end of the run) and after the next
                     Logon, and has the venue do so where the version can (18=o); a
                     halted run (tw.halt) cancels at once, and after each Logon, also what
                     scripts that it does not have left open.  So do both with
                     orders of a former run that are found later
  fields             more fields of each order: { ExDestination = "XNAS", [528] = "A" },
                     with values as they go out ("1", not "BUY").  Header fields go into
                     the header, values of ExecInst beside ours; a group is a list of
                     tables: NoPartyIDs = { { PartyID = "ME", PartyRole = 3 } }
  instruments        by our symbol, the symbol that the venue has for it and more fields,
                     which replace those of `fields` with the same tag.  35=F and H carry
                     those that their messages have (by the dictionary):

    instruments = {
      ESZ6 = { symbol = "ES", fields = { SecurityType = "FUT", SecurityExchange = "CME",
                                         MaturityMonthYear = "202612" } },
      CALL = { symbol = "AAPL", fields = { SecurityType = "OPT", PutOrCall = 1,
                 StrikePrice = "210", MaturityMonthYear = "202701" } },
      EURUSD = { symbol = "EUR/USD", fields = { Currency = "EUR" } } }

                     Several may have the same symbol at the venue.  Without a store an
                     open order of a former run is matched by its report's symbol and by
                     48, 167, 200, 201, 202, 205, 207, 461 and 541, where both have them;
                     one that fits none, or several, is only logged.  The prices of ESZ6
                     are ES at the venue, too: give its feed the same table, or the same
                     session (app.feed.fix { session = "broker", subscribe = ... })
  account            Account (1) of all orders; for one script: app.script("b.lua", {
                     account = { gateway = "broker", account = "U2" } }).  It is not
                     that of a script that names another gateway.  With a store an order
                     keeps the account it was sent with

The tape waits for scripts whose orders go through a gateway.  The other way round,
app.fix.acceptor { port = 5001, sessions = { { sender = "VENUE", target = "YOU", orders =
true } } } lets peers trade in the run's own book (fill = "book"), with its scripts; so
does template = { sender = "VENUE", target = "*", orders = true } for whoever calls.  Of a
peer it knows the open orders and the last 65,536 ClOrdIDs that have ended: one of these
is not taken again (with 97=Y or 43=Y the order's status comes); an older one counts as
new.  35=G changes quantity and prices; with another side, symbol, type or time in force
it is refused.  A peer that sends on while 64 MB of reports wait for it to read is cut
off.

The book is not kept: when the run ends, also by kill -9, its orders are gone.  With a
store the next run tells each peer after its Logon, once, what it was not told yet (trades
while it was away are) and then that its open orders are canceled, with what they have
traded (39=4, 14, 151=0; 39=8 of one that was never answered); until then 35=H and AF say
the same.  FOLDER/book+.orders has what that takes: one for the sessions whose stores are
in a folder, so a trade between them is kept for both sides or neither, before either is
told.  What may be lost:

  kill -9            no order that the venue has taken, and nothing that a peer was told.
                     A trade of that very moment may not be kept yet: neither side was
                     told, both orders are canceled without it; who reads market data may
                     have seen it.  The run's scripts have their positions from its start
  the machine stops  what the system had not written yet, half a minute as a rule; with
                     sync = "each" nothing that a peer was told
  numbers reset      where nothing in a store says what a peer was told last, those trades
                     come with PossResend (97=Y) and their ExecIDs (17): count each once
  stores apart       sessions in two folders have two such files, written one after the
                     other: killed in between, one side may have a trade alone
  no store           nothing is kept: 35=H is answered with an unknown order]],
  },
}
