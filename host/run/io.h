/* io.h - the thread that reads the market: sockets, files and made-up feeds.
 *
 * One thread with one libuv loop carries every feed of a host: it reads bytes,
 * has a codec make records of them, appends those to the tape in batches and
 * wakes the workers once per read.  Where a reliable reader holds the tape
 * back it waits in place.
 *
 * Layer host/run.
 */
#ifndef TW_IO_H
#define TW_IO_H

#include "base/histogram.h"
#include "base/log.h"
#include "feed/codec.h"
#include "feed/csv.h"
#include "feed/synthetic.h"
#include "tape/sources.h"
#include "tape/tape.h"

struct tw_floor;
struct tw_io;
struct uv_loop_s;

enum tw_feed_kind {
    TW_FEED_CONNECT,     /* TCP to host:port, again with backoff when it ends  */
    TW_FEED_LISTEN,      /* TCP port, any number of peers                      */
    TW_FEED_FILE,        /* path: plain, gz or zip                             */
    TW_FEED_STDIN,
    TW_FEED_TAPE,        /* path: a tape file, see tape/reader.h               */
    TW_FEED_SYNTHETIC,   /* feed/synthetic.h                                   */
    TW_FEED_TIMER,       /* a TW_TIMER record every interval                   */
    TW_FEED_FIX,         /* market data over a FIX session: see fix_feed.h     */
    TW_FEED_PROGRAM,     /* the program around the host calls tw_io_push       */
    TW_FEED_BOOK         /* what strategies do in a venue, see floor.h; one    */
};
enum tw_feed_format { TW_FORMAT_FIX, TW_FORMAT_CSV };   /* of the first four kinds */

/* What is played of a tape file, and what its numbers become; see feed_tape.c.  What it
 * refers to lives as long as the io. */
struct tw_tape_feed {
    int64_t from_ns, to_ns;       /* records of from <= time < to                 */
    bool messages;                /* too                                          */
    bool skip;                    /* blocks that are damaged; else the feed fails */
    struct tw_names *topics;
    struct tw_sources *sources;   /* gets the recording's feeds, too              */
    const char *const *scripts;   /* by number, from 1 on                         */
    uint32_t n_scripts;
    /* Each topic of the file, and by which dictionary it is to be read, or NULL: nothing
     * is said.  Thread: MAIN.  May be NULL. */
    void (*topic)(void *ctx, const char *topic, const char *dictionary);
    void *topic_ctx;
};

/* What is subscribed over a FIX session, see fix/market_data.h; symbols are interned
 * when the feed is added. */
struct tw_fix_feed {
    const char *const *symbols;
    size_t symbols_n;
    uint32_t depth, batch, levels_max;
    unsigned types;
    bool incremental, quotes, book, states;   /* book: levels become records */
    char id_source;                           /* as of fix/market_data.h     */
};

/* What a floor is driven by; see feed_book.c. */
struct tw_book_feed {
    struct tw_floor *floor;
    bool (*is_quiet)(void *ctx);  /* has every script read all?  NULL: nobody waits for
                                   * them.  Thread: FEED                          */
    void *ctx;
};

struct tw_feed_options {
    const char *name;             /* for people: "fix", "aapl.csv.gz"             */
    enum tw_feed_kind kind;
    enum tw_feed_format format;
    const char *host;             /* CONNECT, LISTEN; NULL: 127.0.0.1             */
    uint16_t port;                /* LISTEN: 0 takes a free one                   */
    const char *path, *member;    /* FILE, TAPE                                    */
    double speed;                 /* FILE, TAPE, SYNTHETIC: 1 as fast as its own times
                                   * say, 2 twice that, 0 as fast as it goes      */
    uint64_t limit;               /* ends after so many records; 0: none          */
    struct tw_csv_options csv;    /* FORMAT_CSV; symbols, source, problem are set
                                   * by the io thread                             */
    struct tw_synthetic_options synthetic;   /* likewise */
    struct tw_tape_feed tape;     /* TAPE */
    struct tw_book_feed book;     /* BOOK */
    struct tw_fix_feed fix;       /* FIX */
    int64_t interval_ns;          /* TIMER */
    uint32_t timer;               /* TIMER: goes into its records                 */
};

struct tw_feed_status {
    enum tw_feed_state state;
    struct tw_codec_stats codec;   /* summed over its peers                       */
    uint64_t records;              /* appended to the tape                        */
    uint64_t waits;                /* times it waited for a reliable reader       */
    uint64_t connects;             /* TCP connections so far                      */
};

struct tw_io_options {
    struct tw_tape *tape;
    struct tw_symbols *symbols;
    struct tw_log *log;            /* problems, connects and ends go there; its
                                    * lines refer to the io thread's names: drain
                                    * it before tw_io_free                        */
    /* Told of each change of state, on the io thread or by tw_io_finish; text: why, one
     * line. */
    void (*changed)(void *ctx, unsigned feed, enum tw_feed_state state, const char *text);
    /* Called on MAIN while it waits for the thread to end: to drain the log, which
     * the thread may be waiting for.  May be NULL; has ctx. */
    void (*waiting)(void *ctx);
    void *ctx;
};

/* NULL, and errno: no memory, or no more files.  Thread: MAIN.  Blocks: no. */
struct tw_io *tw_io_new(const struct tw_io_options *options) TW_ON(MAIN);

/* Adds a feed, copying what the options point at.  Returns its number, 0, 1, ...
 * (its source is one more), or a negative code with *error: a file that can't
 * be opened, a host that can't be parsed, columns that are not known, too many
 * feeds.  A feed that is added after tw_io_start waits for tw_io_begin.
 * Thread: MAIN.  Blocks: on opening a file. */
int tw_io_add(struct tw_io *io, const struct tw_feed_options *feed,
              struct tw_error *error) TW_ON(MAIN);

/* What shares the thread with the feeds: start is called there before anything is read;
 * stop when the io stops, after the feeds' end; that lasts until it has closed its
 * handles. */
struct tw_io_guest { void (*start)(void *ctx); void (*stop)(void *ctx); void *ctx; };

/* The loop of the thread, for the only guest, which stands instead of one before.
 * Thread: MAIN, before tw_io_start. */
struct uv_loop_s *tw_io_carry(struct tw_io *io, const struct tw_io_guest *guest)
    TW_ON(MAIN);

/* There is a thread.  Thread: MAIN. */
bool tw_io_is_started(const struct tw_io *io) TW_ON(MAIN);

/* Appends records of the guest's, as of a feed; TW_ESTOPPED: the io stops, and they had
 * no room.  Then the guest wakes the readers.
 * Thread: FEED.  Blocks: as tw_tape_append.  Memory: none. */
int tw_io_append(struct tw_io *io, struct tw_record *r, size_t n) TW_ON(FEED);
void tw_io_wake(struct tw_io *io) TW_ON(FEED);

/* Listening ports are bound here, so that one in use is an error now.
 * Thread: MAIN.  Blocks: until the thread runs. */
int tw_io_start(struct tw_io *io, struct tw_error *error) TW_ON(MAIN);

/* The feed, the one that was added last, begins; that its port is in use it tells as
 * FAILED.  Thread: MAIN, after tw_io_start.  Blocks: no. */
void tw_io_begin(struct tw_io *io, unsigned feed) TW_ON(MAIN);

/* The feed ends, if it has not.  Thread: MAIN.  Blocks: no. */
void tw_io_end(struct tw_io *io, unsigned feed) TW_ON(MAIN);

/* Ends all feeds; the guest goes on: what scripts say in on_stop reaches its peers.
 * Safe twice and without a start.  Thread: MAIN.  Blocks: as tw_io_stop, but on no name
 * that is looked up. */
void tw_io_halt(struct tw_io *io) TW_ON(MAIN);

/* Ends all feeds and joins the thread.  Safe twice and without a start.
 * Thread: MAIN.  Blocks: until the thread has ended; that is at once, unless
 * it looks up a name or waits for room in a full log. */
void tw_io_stop(struct tw_io *io) TW_ON(MAIN);
void tw_io_free(struct tw_io *io) TW_ON(MAIN);

/* Thread: any.  Blocks: never. */
unsigned tw_io_count(const struct tw_io *io);

/* Somebody reads levels of a source, and has not seen its books from their beginning: it
 * tells them again soon, if it has books.  Thread: any.  Blocks: never. */
void tw_io_retell(struct tw_io *io, unsigned source);
const char *tw_io_name(const struct tw_io *io, unsigned feed);
void tw_io_status(const struct tw_io *io, unsigned feed, struct tw_feed_status *out);

/* Appends records as a PROGRAM feed's, with its source and, where there is none, with
 * the time; wakes the readers.  How many: fewer than n when reliable readers were
 * behind for so long (until_ns of the steady clock; 0: now), or the io stops.  Those of
 * one call are in order, others may come between them.
 * Thread: any, between tw_io_start and tw_io_free.  Blocks: for as long as that.
 * Memory: none. */
size_t tw_io_push(struct tw_io *io, unsigned feed, const struct tw_record *r, size_t n,
                  int64_t until_ns);

/* A PROGRAM feed has ended; `changed` is told on this thread.  Safe twice.
 * Thread: any, between tw_io_start and tw_io_free.  Blocks: as `changed` does. */
void tw_io_finish(struct tw_io *io, unsigned feed);

/* The port a LISTEN feed was bound to.  Thread: MAIN, after tw_io_start. */
uint16_t tw_io_port(const struct tw_io *io, unsigned feed);

/* From the end of a read(2) to its records being on the tape, in ns: one value
 * a read.  And when the first read happened (tw_clock_steady_ns; 0: not yet).
 * Thread: any. */
const struct tw_histogram *tw_io_parse_ns(const struct tw_io *io);
int64_t tw_io_began_ns(const struct tw_io *io);

/* CPU time of the thread.  Thread: any. */
int64_t tw_io_cpu_ns(const struct tw_io *io);

#endif
