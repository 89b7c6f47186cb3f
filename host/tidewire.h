/* tidewire.h - the public API: a host of Lua scripts inside a C or C++ program.
 *
 *     struct tw_host_options options = { .workers = 2 };
 *     struct tw_error error;
 *     struct tw_host *host = tw_host_new(&options, &error);
 *
 *     if (!host || tw_host_load(host, "market.lua", &error) < 0
 *         || tw_host_start(host, &error) < 0) { puts(error.text); ... }
 *     tw_host_quote(host, "AAPL", time_ns, 187.22, 187.24, 300, 500);
 *     tw_host_finish(host, &error);
 *     tw_host_free(host);
 *
 * Plain C11 and C++17.  Link with `pkg-config --libs --static tidewire`.
 *
 * A host is made, gets its app (a file or a text, in Lua), runs, and is freed.  It
 * runs in the thread that calls tw_host_run, or in one of its own (tw_host_start):
 * that is the host's thread, on which every callback comes.  A callback must not wait
 * for its host.  A process may have any number of hosts; they share nothing.
 *
 * Nothing here exits, prints unless asked, or takes a signal unless asked.  What can
 * fail returns 0 or a negative code; an error may be NULL where nobody reads it.
 *
 * This is also the bottom of the source: the records and values that are defined here
 * are those that the host itself uses, so what a program sees is not a copy in another
 * shape.  It includes nothing of tidewire.
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
    TW_ECYCLE = -5012     /* it would wait for itself                       */
};

/* What a failure was about: a text that says what, where and the value. */
struct tw_error {
    int code;
    char text[500];
};

/* One line for any code of tidewire or libuv.  Thread: any.  Blocks: never. */
const char *tw_strerror(int code);

/* ---- records: what is on the tape ---- */

enum tw_kind {
    TW_NONE,
    TW_QUOTE,     /* best bid and offer of a symbol                         */
    TW_TRADE,     /* a trade between others, as a feed reports it           */
    TW_MESSAGE,   /* a script published a value on a topic                  */
    TW_TIMER,     /* a timer mark: so much time has passed, seen by all     */
    TW_ORDER,     /* an order of ours changed state                         */
    TW_GAP,       /* records (or a feed's messages) that this reader missed */
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

/* state and reason: FIX 39 OrdStatus and 102/103 codes.  script: the owner. */
struct tw_order {
    uint64_t order;          /* client order id                          */
    int64_t price, quantity; /* of this event: limit, fill               */
    uint8_t state, side, reason, unused;
    uint32_t script;
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
        struct tw_order order;
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

/* Items of a program's own: what is sent to scripts.  Thread: any. */
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

/* A copy of the text is made where it is sent.  Thread: any. */
static inline struct tw_item tw_item_text(const char *text)
{
    struct tw_item item = tw_item_nil();
    item.kind = TW_VALUE_STRING;
    item.length = (uint32_t)strlen(text);
    item.text = text;
    return item;
}

/* The number that an item is, whether an integer or not; else otherwise.
 * Thread: any.  Blocks: never. */
static inline double tw_item_to_number(const struct tw_item *item, double otherwise)
{
    if (item->kind == TW_VALUE_INTEGER) return (double)item->integer;
    return item->kind == TW_VALUE_NUMBER ? item->number : otherwise;
}

#ifdef __cplusplus
}
#endif

#endif
