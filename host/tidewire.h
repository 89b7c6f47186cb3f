/* tidewire.h - the public API: a host of Lua scripts inside a C or C++ program.
 *
 *     struct tw_host_options options = { .workers = 2 };
 *     struct tw_error error;
 *     struct tw_host *host = tw_host_new(&options, &error);
 *
 *     if (!host || tw_host_load(host, "market.lua", &error) < 0
 *         || tw_host_start(host, &error) < 0)
 *         return fprintf(stderr, "%s\n", error.text), 1;
 *     tw_host_quote(host, "AAPL", 0, 187.22, 187.24, 300, 500);
 *     tw_host_finish(host);
 *     status = tw_host_wait(host, TW_FOREVER, &error);
 *     tw_host_free(host);
 *
 * Plain C11 and C++17.  Link with `pkg-config --libs tidewire`.
 *
 * A host is made, gets its app, runs, and is freed.  It runs in the thread that calls
 * tw_host_run, or in one of its own (tw_host_start): that is the host's thread, on
 * which every callback comes.  A process may have any number of hosts.
 *
 * A thread of a host is its own or one that runs scripts, where the program's callbacks
 * and C modules are called.  They may call everything here; what would wait there gives
 * TW_ECYCLE, and what pushes does not wait for room.
 *
 * Nothing here exits or prints unless asked, nor takes a signal unless asked.  What
 * can fail returns 0 or a negative code; an error is written then, and may be NULL where
 * nobody reads it.  A host that is NULL is one that has not loaded its app.  Other
 * pointers are valid, but for what says that it may be NULL; a text, a function or a
 * future that is NULL and may not be gives TW_EUSAGE.
 *
 * What all hosts of a process share: the signal of the watchdog, libuv's threads for
 * reading new versions of scripts, the environment (TIDEWIRE_SEED, XDG_RUNTIME_DIR), and
 * a counter of allocations.  A child of fork has no hosts: it calls exec or _exit.
 *
 * The records and values that are defined here are those that the host itself uses, so
 * host/ includes this header, and it includes nothing of tidewire.
 */
#ifndef TIDEWIRE_H
#define TIDEWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TW_VERSION "0.1.0"

/* Changes with every change that a program compiled before would not survive. */
#define TW_ABI 1

/* TW_ABI as the library was compiled: a program checks that it is its own.
 * Thread: any.  Blocks: never. */
int tw_abi(void);

/* ---- errors ---- */

/* 0 is success, failures are negative.  libuv's codes (-errno and its own, all above
 * -4096) pass through unchanged; ours start below them. */
enum {
    TW_OK = 0,
    TW_EFULL = -5001,     /* no room now: a bounded buffer or a slow reader */
    TW_ESTOPPED = -5002,  /* the run is ending                              */
    TW_EFORMAT = -5003,   /* malformed input                                */
    TW_ERANGE = -5004,    /* a number that does not fit                     */
    TW_ELIMIT = -5005,    /* a fixed limit of tidewire                      */
    TW_EEXPIRED = -5006,  /* the record is no longer on the tape            */
    TW_EUSAGE = -5007,    /* the caller asked for something that can't be   */
    TW_ESCRIPT = -5008,   /* a script or an app file failed                 */
    TW_EBUSY = -5009,     /* not yet: what was asked for is under way       */
    TW_ECLOSED = -5010,   /* closed: nothing goes in any more               */
    TW_EEMPTY = -5011,    /* nothing there now: a bounded buffer            */
    TW_ECYCLE = -5012     /* it would wait for itself, or holds others up   */
};

/* What a failure was about: a text that says what, where and the value. */
struct tw_error {
    int code;
    char text[500];
};

/* One line for any code of tidewire or libuv.  Thread: any.  Blocks: never. */
const char *tw_strerror(int code);

/* ---- a host ---- */

struct tw_host;
struct lua_State;
struct tw_item;      /* see values */
typedef int (*tw_open)(struct lua_State *);   /* Lua's lua_CFunction */

#define TW_FOREVER (-1.0)                     /* where seconds are waited */

enum tw_log_level { TW_LOG_ERROR, TW_LOG_WARN, TW_LOG_INFO, TW_LOG_PRINT };

/* All of it may be 0. */
struct tw_host_options {
    unsigned workers;           /* Lua states, a thread each; 0: as many as cores    */
    size_t memory;              /* bytes a state may have; 0: as the app says        */
    double seconds;             /* the run ends after that long; 0: see tw_host_run  */
    const char *const *set;     /* "name=value" for app.param; ends in NULL; is read
                                 * by tw_host_load                                   */
    bool signals;               /* SIGINT and SIGTERM stop the run                   */
    bool watchdog;              /* SIGURG stops scripts that do not return; without
                                 * it, app.limits{time = ...} is not kept            */
    bool attach;                /* `tidewire attach` reaches it: a Unix socket that
                                 * only this user can open                           */
    bool watch;                 /* files of scripts: a new version when they change  */
    /* What scripts print, and what is to be told; whole lines, without the newline.
     * who: "worker 1", "feed fix" or "".  NULL: to standard output, and error.
     * Thread: the host's. */
    void (*print)(void *ctx, const char *text, size_t n);
    void (*log)(void *ctx, enum tw_log_level level, const char *who, const char *text,
                size_t n);
    void *ctx;                  /* of both, and tw_lua_context                       */
};

/* NULL: no memory, or more than 1024 workers.  options may be NULL.
 * Thread: any.  Blocks: no. */
struct tw_host *tw_host_new(const struct tw_host_options *options,
                            struct tw_error *error);

/* Every state of the host can require `name`, which opener gives.
 * Thread: any, before tw_host_load.  Blocks: no.  Errors: TW_EUSAGE, no memory. */
int tw_host_add_module(struct tw_host *host, const char *name, tw_open opener);

/* Every state of the host can require `name`, which is that value: parameters of any
 * shape, for the app file and its scripts.
 * Thread: any, before tw_host_load.  Blocks: no.  Errors: TW_EUSAGE, no memory. */
int tw_host_add_value(struct tw_host *host, const char *name, struct tw_item value);

/* A file of that path is this text: an app, a script or a module; it stands before one
 * on the disk, and before an earlier text of that path, which tw_host_reload replaces
 * then.  Both are copied, and kept until tw_host_free.
 * Thread: any, one at a time.  Blocks: no.  Errors: TW_EUSAGE, no memory. */
int tw_host_add_text(struct tw_host *host, const char *path, const char *text);

/* Runs the app file and makes what it declares; once for a host.  The program is one
 * more feed, "program", so the app need not declare any.
 * Thread: any.  Blocks: while the file's code runs.  Errors: TW_ESCRIPT: what is wrong
 * with the file; UV codes; TW_EUSAGE: it has been loaded. */
int tw_host_load(struct tw_host *host, const char *path, struct tw_error *error);

/* Runs until a script fails, the time is over, or it is stopped; else until every feed
 * has ended and every script has read all.  The feed of the program ends with
 * tw_host_finish where the app has no other one but timers; else it is not waited for.
 * 0; the number of the signal that stopped it; or a negative code: TW_ESCRIPT: the text
 * is the first error that was logged.  Once for a host.
 * Thread: any, which is the host's from then on.  Blocks: for the whole run. */
int tw_host_run(struct tw_host *host, struct tw_error *error);

/* The same on a thread of its own.  0: every script is loaded, the feeds run, what is
 * pushed will be read.  Thread: any.  Blocks: until then.  Errors: as tw_host_run. */
int tw_host_start(struct tw_host *host, struct tw_error *error);

/* Waits for the end of a run: what tw_host_run returns, or -ETIMEDOUT (the run goes on).
 * Thread: any but a host's.  Blocks: for so many seconds at most. */
int tw_host_wait(struct tw_host *host, double seconds, struct tw_error *error);

/* The program will push no more: see tw_host_run.  Safe twice.
 * Thread: any.  Blocks: no.  Errors: TW_EBUSY: it does not run yet. */
int tw_host_finish(struct tw_host *host);

/* Ends the run now: every script's on_stop is called, what was not read is not.
 * Thread: any after tw_host_load, signal handlers.  Blocks: never. */
void tw_host_stop(struct tw_host *host);

/* Stops the run, waits for its end and frees all.  host may be NULL.
 * 0, or TW_EBUSY: a cursor or a future of it is still open, which the log says; the run
 * has ended, nothing is freed, and it is to be called again.  Values (struct tw_any) may
 * be kept, but for futures, caches and channels in them.
 * Thread: any but a host's, when no other uses host.  Blocks: as long as scripts take
 * to end. */
int tw_host_free(struct tw_host *host);

/* ---- records: what is on the tape ---- */

enum tw_kind {
    TW_NONE,
    TW_QUOTE,     /* best bid and offer of a symbol                         */
    TW_TRADE,     /* a trade between others, as a feed reports it           */
    TW_MESSAGE,   /* a script published a value on a topic                  */
    TW_TIMER,     /* a timer mark: so much time has passed, seen by all     */
    TW_ORDER,     /* an order of ours changed state                         */
    TW_GAP,       /* records (or a feed's messages) that this reader missed */
    TW_RELOAD,    /* from here on a script is at another version            */
    TW_BAR,       /* open, high, low, close and volume of a span of time    */
    TW_LEVEL,     /* a level of a book changed                              */
    TW_STATUS,    /* whether a symbol, or a market, trades                  */
    TW_KINDS
};

enum { TW_SYMBOL_MAX = (1 << 20) - 1, TW_SOURCE_MAX = 255 };

/* Prices and sizes are fixed point with nine decimals (tw_fixed_from_double).  A side
 * that is not there has size 0 and price 0; size 0 of a price is not known. */
struct tw_quote { int64_t bid, ask, bid_size, ask_size; };

enum tw_side { TW_SIDE_NONE, TW_SIDE_BUY, TW_SIDE_SELL };   /* FIX 54: 1, 2 */

struct tw_trade { int64_t price, size; uint32_t side; uint32_t unused; uint64_t id; };

/* value_kind: enum tw_value_kind.  A TW_VALUE_BLOCK belongs to the tape: a program
 * gets it as a struct tw_item. */
struct tw_message {
    uint32_t topic;      /* tw_host_topic_name              */
    uint32_t script;     /* id of the publisher, 0 for none */
    uint64_t value_kind;
    union { int64_t integer; double number; void *block; } value;
    uint64_t unused;
};

struct tw_timer {
    int64_t interval_ns;
    uint64_t count;
    uint32_t timer, unused[3];
};

/* A report on an order of ours: FIX's ExecType 150, OrdStatus 39 and side 54.  script:
 * the owner. */
struct tw_execution {
    uint64_t order;          /* ClOrdID 11                               */
    int64_t price, quantity; /* of a trade; else of the order            */
    uint8_t exec, status, side, reason;
    uint32_t script;
};

/* See tw_bar_get of host/tape/bar.h. */
struct tw_bar { int64_t close, volume; uint64_t packed[2]; };

/* A book of prices, one level after the other.  CLEAR: the book is empty, and what
 * follows is all of it; one that was not seen cleared is not known.  Changes up to one
 * that is the last belong together: in between a book may be crossed. */
enum tw_level_change { TW_LEVEL_SET, TW_LEVEL_GONE, TW_LEVEL_CLEAR };

struct tw_level {
    int64_t price, size;     /* all that is there now; 0 of a level: not known     */
    uint32_t place;          /* in its side: 1 is the best; of one that is gone:
                              * that it had                                        */
    uint8_t offer;           /* 0: it is a bid                                     */
    uint8_t change;          /* enum tw_level_change                               */
    uint8_t last;
    uint8_t unused;
    uint64_t orders;         /* at that price; 0: not known                        */
};

enum tw_trading {
    TW_TRADING_UNKNOWN, TW_TRADING_HALTED, TW_TRADING_OPEN, TW_TRADING_CLOSED,
    TW_TRADING_PRE_OPEN, TW_TRADING_PRE_CLOSE, TW_TRADING_AUCTION, TW_TRADING_DELAYED,
    TW_TRADING_NOTICE        /* something else is said, in text */
};

/* Of the record's symbol; without one, of a market or a session of it. */
struct tw_status {
    uint16_t status;         /* enum tw_trading                                    */
    uint16_t reason;         /* FIX 327 or 567, a number or a letter; 0: none      */
    uint32_t code;           /* FIX 326 or 340; 0: none                            */
    char text[24];           /* what is said, as much as there is room for, and a 0 */
};

/* `lost` records, from seq `first` on. */
struct tw_gap { uint64_t lost, first; uint64_t unused[2]; };

/* 64 bytes.  Times are ns since the epoch. */
struct tw_record {
    uint64_t seq;            /* position on the tape: 1, 2, 3, ...       */
    int64_t time, received;  /* of the event; when the host got it       */
    uint32_t symbol : 20;    /* tw_host_symbol_name; 0 for none          */
    uint32_t source : 8;     /* the feed, from 1 on                      */
    uint32_t kind : 4;       /* enum tw_kind                             */
    uint32_t source_seq;     /* the feed's own number, its low 32 bits   */
    union {
        struct tw_quote quote;
        struct tw_trade trade;
        struct tw_message message;
        struct tw_timer timer;
        struct tw_execution execution;
        struct tw_bar bar;
        struct tw_level level;
        struct tw_status status;
        struct tw_gap gap;
        uint64_t word[4];
    };
};

/* The nearest fixed value of d (half away from zero), or TW_ERANGE when d is not
 * finite or does not fit.  Thread: any.  Blocks: never. */
int tw_fixed_from_double(double d, int64_t *out);

/* ---- values: what messages, the board and results hold ---- */

enum tw_value_kind {
    TW_VALUE_NIL, TW_VALUE_FALSE, TW_VALUE_TRUE, TW_VALUE_INTEGER, TW_VALUE_NUMBER,
    TW_VALUE_STRING, TW_VALUE_TABLE, TW_VALUE_RECORD, TW_VALUE_OBJECT,
    TW_VALUE_LINK,     /* inside a block: a table of another block */
    TW_VALUE_BLOCK     /* of a struct tw_any: see block            */
};

struct tw_value;    /* a block: what no scalar is, counted by reference, immutable */
struct tw_table;    /* in a block; lives as long as it                             */
struct tw_object;   /* a future, a channel ...                                     */

/* A value that owns its block, if it has one. */
struct tw_any {
    uint64_t kind;   /* nil, a boolean, a number, or BLOCK */
    union { int64_t integer; double number; struct tw_value *block; };
};

/* What reading gives, and what is looked up or sent: never LINK or BLOCK.  What it
 * points to belongs to the block. */
struct tw_item {
    uint32_t kind;     /* enum tw_value_kind                        */
    uint32_t length;   /* of a string; a 0 byte follows its last    */
    union {
        int64_t integer;
        double number;
        const char *text;
        const struct tw_table *table;
        const struct tw_record *record;
        struct tw_object *object;
    };
};

/* What is in v, for as long as v owns it; and the end of that.
 * Thread: any.  Blocks: never. */
struct tw_item tw_any_root(const struct tw_any *v);
void tw_any_unref(const struct tw_any *v);

/* Elements 1..length, and the pairs beside them.  Thread: any.  Blocks: never. */
uint32_t tw_table_length(const struct tw_table *t);
uint32_t tw_table_pairs(const struct tw_table *t);

/* The value of a key, nil when there is none.  A number that is an integer
 * finds it; a table or an object is found by its address; records and NaN are
 * never keys.  Thread: any.  Blocks: never. */
struct tw_item tw_table_find(const struct tw_table *t, struct tw_item key);

/* The elements in order, then the pairs as they were added: the entry at a
 * place, counted from 0; false past the last.  Thread: any.  Blocks: never. */
bool tw_table_entry(const struct tw_table *t, uint64_t place, struct tw_item *key,
                    struct tw_item *value);

/* Items of a program's own: what is sent to scripts.  A text is copied where it is sent;
 * one that is NULL is nil.  Thread: any. */
static inline struct tw_item tw_item_nil(void)
{
    struct tw_item item = { TW_VALUE_NIL, 0, { 0 } };
    return item;
}

/* Thread: any. */
static inline struct tw_item tw_item_boolean(bool holds)
{
    struct tw_item item = tw_item_nil();
    item.kind = holds ? TW_VALUE_TRUE : TW_VALUE_FALSE;
    return item;
}

/* Thread: any. */
static inline struct tw_item tw_item_integer(int64_t integer)
{
    struct tw_item item = tw_item_nil();
    item.kind = TW_VALUE_INTEGER;
    item.integer = integer;
    return item;
}

/* Thread: any. */
static inline struct tw_item tw_item_number(double number)
{
    struct tw_item item = tw_item_nil();
    item.kind = TW_VALUE_NUMBER;
    item.number = number;
    return item;
}

/* Any bytes, zeros too.  Thread: any. */
static inline struct tw_item tw_item_bytes(const char *text, uint32_t length)
{
    struct tw_item item = tw_item_nil();
    if (!text) return item;
    item.kind = TW_VALUE_STRING;
    item.length = length;
    item.text = text;
    return item;
}

/* Thread: any. */
static inline struct tw_item tw_item_text(const char *text)
{
    return tw_item_bytes(text, text ? (uint32_t)strlen(text) : 0);
}

/* The number that an item is, whether an integer or not; else otherwise.
 * Thread: any.  Blocks: never. */
static inline double tw_item_to_number(struct tw_item item, double otherwise)
{
    if (item.kind == TW_VALUE_INTEGER) return (double)item.integer;
    return item.kind == TW_VALUE_NUMBER ? item.number : otherwise;
}

/* The text that an item is; else otherwise.  Thread: any.  Blocks: never. */
static inline const char *tw_item_to_text(struct tw_item item, const char *otherwise)
{
    return item.kind == TW_VALUE_STRING ? item.text : otherwise;
}

/* What a table has at a name, or as its element, from 1 on; nil where it has nothing,
 * and of what is no table.  Thread: any.  Blocks: never. */
static inline struct tw_item tw_item_get(struct tw_item table, const char *name)
{
    if (table.kind != TW_VALUE_TABLE) return tw_item_nil();
    return tw_table_find(table.table, tw_item_text(name));
}

/* Thread: any.  Blocks: never. */
static inline struct tw_item tw_item_at(struct tw_item table, int64_t element)
{
    if (table.kind != TW_VALUE_TABLE) return tw_item_nil();
    return tw_table_find(table.table, tw_item_integer(element));
}

/* The item as a value of the caller's, for tw_any_unref: what it points to may go then.
 * A table is not copied, for it never changes.
 * Thread: any.  Blocks: no.  Errors: TW_EUSAGE: it is none; no memory. */
int tw_item_keep(struct tw_item item, struct tw_any *out);

/* n numbers as one value, which scripts have as a tw.array: it takes 8 bytes for each,
 * and scripts compute with all of it in C.  *out is the caller's.  And the numbers of
 * one, without a copy; NULL: the item is no array.
 * Thread: any.  Blocks: while it copies.  Errors: TW_ELIMIT, no memory. */
int tw_numbers_keep(const double *numbers, size_t n, struct tw_any *out);
const double *tw_item_numbers(struct tw_item item, size_t *n);

/* ---- tables of a program's own ---- */

/* A table that is being written, with tables in it:
 *
 *     tw_draft_set(d, "symbol", tw_item_text("AAPL"));
 *     tw_draft_begin(d, "bids");
 *     tw_draft_add(d, tw_item_number(187.22));      { symbol = "AAPL",
 *     tw_draft_add(d, tw_item_number(187.21));        bids = { 187.22, 187.21 } }
 *     tw_draft_end(d);
 *     rc = tw_draft_finish(d, &book);
 *
 * What is set is copied, but for tables and objects, which are referred to.  Nothing
 * needs a check on the way: after the first failure nothing is done, and finish tells
 * it.  NULL: no memory; free may have NULL.
 * Thread: any, then the draft's own.  Blocks: no. */
struct tw_draft;
struct tw_draft *tw_draft_new(void);
void tw_draft_free(struct tw_draft *d);

/* A key and its value; nil is left out.  put: any key but nil, NaN and a record.
 * Thread: the draft's.  Blocks: no. */
void tw_draft_set(struct tw_draft *d, const char *key, struct tw_item value);
void tw_draft_put(struct tw_draft *d, struct tw_item key, struct tw_item value);

/* The next element, which is not nil; all of them come before the table's keys.
 * Thread: the draft's.  Blocks: no. */
void tw_draft_add(struct tw_draft *d, struct tw_item value);

/* Until its end all goes into a table at that key; NULL: the next element.  They may be
 * TW_DRAFT_DEPTH deep.  Thread: the draft's.  Blocks: no. */
enum { TW_DRAFT_DEPTH = 64 };
void tw_draft_begin(struct tw_draft *d, const char *key);
void tw_draft_end(struct tw_draft *d);

/* The table, frozen: the caller's, for tw_any_unref.  The draft is empty then, for the
 * next one, also when it failed: no memory; TW_ELIMIT: too deep or too large; TW_EUSAGE:
 * a key came twice or could be none, an element came after a key or was nil, or begin
 * and end do not match.  Thread: the draft's.  Blocks: no. */
int tw_draft_finish(struct tw_draft *d, struct tw_any *out);

/* ---- pushing ---- */

/* The id of a symbol, made when it is new; TW_ELIMIT: 0 or more than 63 bytes, or too
 * many; TW_EUSAGE: before tw_host_load.  Ids are 1, 2, 3, ...
 * Thread: any.  Blocks: for a new one, a short lock. */
int64_t tw_host_symbol(struct tw_host *host, const char *name);

/* NULL: there is none.  Constant for the host's life.  Thread: any.  Blocks: never. */
const char *tw_host_symbol_name(struct tw_host *host, uint32_t id);
const char *tw_host_topic_name(struct tw_host *host, uint32_t id);

/* Puts quotes, trades and levels on the tape: kind, symbol and payload are the caller's;
 * a time or received of 0 becomes now, seq and source are the host's.  Those of one call
 * are in order; others may come between them.  Where scripts are reliable (no feed of the
 * app is live), it waits while it is ahead of the slowest by more than the tape's lead,
 * an eighth of app.tape's capacity, for so many seconds at most (0, or a thread of a
 * host: not at all).  Else it never waits, and who falls a whole tape behind gets a gap.
 * How many were pushed, from the first on, fewer than n when the time was over or the
 * run ends; TW_EUSAGE, and none: a record is of another kind, or of no known symbol;
 * TW_EBUSY: it does not run yet; TW_ESTOPPED: it has ended.
 * Thread: any, several at once.  Blocks: for so long.  Memory: none. */
int64_t tw_host_push(struct tw_host *host, const struct tw_record *records, size_t n,
                     double seconds);

/* One by name, waiting for as long as it takes.  0, or also TW_ERANGE: a number is not
 * finite or has no room; TW_ELIMIT: no symbol; TW_EFULL: on a thread of a host.  A side
 * that is not there is 0, 0.
 * Thread: any.  Blocks: as tw_host_push.  Units: ns since the epoch; prices, sizes. */
int tw_host_quote(struct tw_host *host, const char *symbol, int64_t time, double bid,
                  double ask, double bid_size, double ask_size);
int tw_host_trade(struct tw_host *host, const char *symbol, int64_t time, double price,
                  double size, enum tw_side side);

/* A message, as tw.publish sends one: every script that wants the topic gets it.
 * 0, TW_EFULL: the time was over; TW_ELIMIT: a topic has 1 to 63 bytes; TW_EBUSY,
 * TW_ESTOPPED.  Thread: any.  Blocks: as tw_host_push. */
int tw_host_publish(struct tw_host *host, const char *topic, struct tw_item value,
                    double seconds);

/* ---- reading ---- */

/* Messages of a topic (NULL: of all), also those of tw_host_publish, in the order of the
 * tape.  A record of kind TW_GAP, with a topic of NULL, tells that some were lost: never
 * where scripts are reliable.  value lives as long as the call, ctx until tw_host_free.
 * Thread: any, between tw_host_load and the run; f: the host's.  Blocks: no.
 * Errors: TW_EUSAGE, no memory. */
int tw_host_subscribe(struct tw_host *host, const char *topic,
                      void (*f)(void *ctx, const struct tw_record *record,
                                const char *topic, const struct tw_item *value),
                      void *ctx);

/* A reader of the tape. */
struct tw_host_cursor;

/* kinds: a bit (1u << TW_QUOTE) for each that it wants; gaps come always.  reliable: who
 * pushes waits for it; from: the seq of the first record, 0 for what comes now.  NULL:
 * TW_EEXPIRED: that record has left the tape; TW_ELIMIT: too many reliable readers; no
 * memory; TW_EUSAGE: before tw_host_load, or from is a record that is yet to come.
 * Thread: any, then the cursor's own.  Blocks: no. */
struct tw_host_cursor *tw_host_cursor_open(struct tw_host *host, unsigned kinds,
                                           bool reliable, uint64_t from,
                                           struct tw_error *error);

/* 1 and the next record, or 0: there is none now.  A TW_GAP says which were lost.
 * value, where not NULL, is that of a message, until the next call.
 * Thread: the cursor's.  Blocks: never.  Memory: none. */
int tw_host_cursor_next(struct tw_host_cursor *c, struct tw_record *out,
                        struct tw_item *value);

/* 1: there is something to look at; -ETIMEDOUT; TW_ECYCLE: there is not, on a thread of
 * a host; TW_ESTOPPED: the run has ended and nothing is left.
 * Thread: the cursor's.  Blocks: for so many seconds at most. */
int tw_host_cursor_wait(struct tw_host_cursor *c, double seconds);

/* Thread: the cursor's.  Blocks: never.  c may be NULL. */
void tw_host_cursor_close(struct tw_host_cursor *c);

/* The board: the latest value by name.  get: nil where there is none; *out is the
 * caller's, for tw_any_unref.  TW_ELIMIT: a name has 1 to 63 bytes; TW_EUSAGE: before
 * tw_host_load; no memory.  Thread: any.  Blocks: while another sets that name. */
int tw_host_board_set(struct tw_host *host, const char *name, struct tw_item value);
int tw_host_board_get(struct tw_host *host, const char *name, struct tw_any *out);

/* ---- calling ---- */

/* A value to be, or a failure. */
struct tw_future;

/* Calls a function where the scripts run, between their handlers; it may wait.
 * where: a script as the app names it, "maker.lua", and function one that it returns,
 * called with self; "stats.lua#2" is its second instance.  Or "@1", the state of worker
 * 1, and function "module.name", which is required there.  *out is the caller's.
 * TW_EUSAGE: there is no such script or worker; TW_EBUSY: it does not run yet;
 * TW_ESTOPPED; no memory.  Thread: any.  Blocks: a short lock. */
int tw_host_call(struct tw_host *host, const char *where, const char *function,
                 const struct tw_item *args, unsigned n, struct tw_future **out,
                 struct tw_error *error);

/* Evaluates an expression or a chunk there: in a script it sees self, and the locals and
 * globals of its file.
 * Thread: any.  Blocks, errors: as tw_host_call. */
int tw_host_evaluate(struct tw_host *host, const char *where, const char *text,
                     struct tw_future **out, struct tw_error *error);

/* A new version of a script in all its instances, at one record: its file, or its text,
 * as it is now.  The future has the number of the version that runs then; it fails where
 * that is refused, and the old one goes on.  With a warm start or a shadow:
 * tw_host_evaluate(host, "@0", "tw.reload('s.lua', { warm = '10m' }):await()", ...).
 * Thread: any.  Blocks, errors: as tw_host_call. */
int tw_host_reload(struct tw_host *host, const char *script, struct tw_future **out,
                   struct tw_error *error);

/* Back to that version of this run; 0: to the one before.
 * Thread: any.  Blocks, errors: as tw_host_call. */
int tw_host_rollback(struct tw_host *host, const char *script, unsigned version,
                     struct tw_future **out, struct tw_error *error);

/* All instances of a script take no more records, from their next batch on, or do again.
 * What waits in them goes on.  Where scripts are reliable, who pushes waits for a paused
 * one.  Thread: any.  Blocks, errors: as tw_host_call. */
int tw_host_pause(struct tw_host *host, const char *script, bool paused);

/* Waits: 0, and *value, which lives as long as f; -ETIMEDOUT; TW_ESCRIPT: the function
 * failed, and *error has its message and traceback; TW_ESTOPPED: it was cancelled;
 * TW_ECYCLE: on a thread of a host.  value may be NULL.
 * Thread: any but a host's.  Blocks: for so many seconds at most. */
int tw_future_await(struct tw_future *f, double seconds, struct tw_item *value,
                    struct tw_error *error);

/* done is called once, with what tw_future_await would give, at the latest by
 * tw_host_free; f belongs to the host from then on, unless it failed: no memory,
 * TW_ESTOPPED.  Thread: any; done: the host's.  Blocks: a short lock. */
int tw_host_then(struct tw_host *host, struct tw_future *f,
                 void (*done)(void *ctx, int code, const struct tw_item *value,
                              const struct tw_error *error), void *ctx);

/* Lets go of it; what nobody else wants is cancelled.  A failure that was never looked
 * at is logged, and fails the run.
 * Thread: any.  Blocks: a short lock.  f may be NULL. */
void tw_future_close(struct tw_future *f);

/* The future that a value is, for the caller to close; NULL: it is none, or cancelled.
 * Thread: any.  Blocks: a short lock. */
struct tw_future *tw_future_from(const struct tw_item *value);

/* ---- in a C module of the program ---- */

/* [-0, +1, e]  Pushes the value as scripts have it.
 * Thread: where L runs.  Blocks: no.  Errors: raises: it is none, no memory. */
void tw_lua_push(struct lua_State *L, struct tw_item value);

/* [-0, +0, e]  The value at that index, frozen: the caller's, for tw_any_unref.
 * Thread: where L runs.  Blocks: no.  Errors: raises: what can't be frozen, and where. */
void tw_lua_value(struct lua_State *L, int index, struct tw_any *out);

/* [-0, +1, e]  Memory of the program's, as scripts see a C value of that type: a struct,
 * say, whose fields they read and write in place, as require "ffi" does.  declarations is
 * C that declares what the type needs, or NULL; the same may be declared again.  The
 * memory must live as long as the host, and who else uses it meanwhile is the program's
 * to see to: several states that are given the same memory are several threads.
 * scripts/ffi/shared.c shows it.
 * Thread: where L runs.  Blocks: no.  Errors: raises: it is no C, or no such type. */
void tw_lua_push_cdata(struct lua_State *L, const char *declarations, const char *type,
                       void *memory);

/* [-0, +0, -]  options.ctx of the host that L is of.  Thread: where L runs. */
void *tw_lua_context(struct lua_State *L);

/* ---- figures ---- */

/* Each struct begins with its size, as the caller knows it: versions to come add fields
 * at the end, and fill what the caller has.  Counts are of the whole run. */

struct tw_times { uint64_t count; int64_t p50_ns, p99_ns, p999_ns, max_ns; };

struct tw_host_status {
    size_t size;
    unsigned feeds, workers, scripts, caches;   /* how many there are, see below     */
    uint64_t records;            /* that have come onto the tape                     */
    uint64_t capacity;           /* of the tape, in records                          */
    uint64_t symbols;
    int64_t elapsed_ns;          /* since the run began                              */
    int64_t cpu_ns, io_cpu_ns;   /* of the process; of the thread that reads feeds   */
    uint64_t memory_bytes;       /* of all Lua states of workers                     */
    unsigned pool_threads;       /* tw.pool: submitted = done + failed + cancelled
                                  * + queued + running                               */
    uint64_t pool_queued, pool_running, pool_submitted;
    uint64_t pool_done, pool_failed, pool_cancelled;
    struct tw_times parse;       /* from a read of a feed to its records on the tape */
};

enum tw_feed_state {
    TW_FEED_WAITING,     /* not started, or between two tries to connect      */
    TW_FEED_LIVE,        /* connected, open                                   */
    TW_FEED_ENDED,       /* all of it was read                                */
    TW_FEED_FAILED       /* and will not go on                                */
};

struct tw_host_feed {
    size_t size;
    const char *name;
    enum tw_feed_state state;
    uint64_t records, waits;     /* waits: times it waited for a reliable script     */
    uint64_t connects, bytes, messages, ignored, errors;
    uint64_t skips, skipped;     /* places that made no sense; bytes left out there  */
};

struct tw_host_worker {
    size_t size;
    int64_t cpu_ns;
    uint64_t bytes, bytes_peak, allocations;   /* of its Lua state                   */
    struct tw_times reach, done; /* from a record's arrival to its handler; its end  */
};

struct tw_host_script {          /* one instance                                     */
    size_t size;
    const char *name;
    unsigned worker, instance, instances;      /* instance: from 1 on                */
    uint64_t handled, lost, errors;
    uint64_t lag;                /* records on the tape that it has not taken        */
    uint64_t version, since;     /* which one runs, and the seq that it runs from    */
};

struct tw_host_cache {
    size_t size;
    char name[64];
    uint64_t entries, bytes, hits, misses, coalesced, failures;
    struct tw_times load;
};

/* The figures as they are now.  i: from 0 on.  Names live as long as host.
 * TW_EBUSY: it has not run yet; TW_EUSAGE: there is no such one, or no size.
 * Thread: any.  Blocks: short locks.  Memory: none, but for a cache's. */
int tw_host_get_status(struct tw_host *host, struct tw_host_status *out);
int tw_host_get_feed(struct tw_host *host, unsigned i, struct tw_host_feed *out);
int tw_host_get_worker(struct tw_host *host, unsigned i, struct tw_host_worker *out);
int tw_host_get_script(struct tw_host *host, unsigned i, struct tw_host_script *out);
int tw_host_get_cache(struct tw_host *host, unsigned i, struct tw_host_cache *out);

#ifdef __cplusplus
}
#endif

#endif
