/* feed.h - what the kinds of feed share: the loop, the way to the tape, the end.
 *
 * A feed is a transport and, where bytes come in, a codec.  A kind is one
 * struct that begins with a struct tw_feed, and a table of functions:
 *
 *   feed_tcp.c    CONNECT, LISTEN       bytes are pushed: tw_reader_start
 *   feed_file.c   FILE, STDIN           pulled by a pump.h, or pushed
 *   feed_tape.c   TAPE                  pulled by a pump.h
 *   feed_made.c   SYNTHETIC, TIMER      pulled by a pump.h
 *   fix_feed.c    FIX                   pushed by the FIX engine, see fix_feed.h
 *   feed_program.c  PROGRAM             pushed by tw_io_push, on any thread
 *   feed_book.c   BOOK                  pulled before each record of the others
 *
 * Layer host/run.  Only those files, feed.c and io.c include it.
 */
#ifndef TW_FEED_H
#define TW_FEED_H

#include <uv.h>

#include "feed/fault.h"
#include "feed/gaps.h"
#include "run/counter.h"
#include "run/io.h"
#include "run/thread.h"

struct tw_feed;

struct tw_feed_ops {
    size_t size;   /* of the kind's struct */
    int (*open)(struct tw_feed *f, struct tw_error *error);   /* MAIN, tw_io_add   */
    int (*bind)(struct tw_feed *f, struct tw_error *error);   /* MAIN, tw_io_start,
                                                               * or FEED; may be NULL */
    void (*start)(struct tw_feed *f);   /* FEED */
    void (*close)(struct tw_feed *f);   /* FEED, once: closes its handles          */
    void (*free)(struct tw_feed *f);    /* MAIN, without a thread, whatever became
                                         * of open; the struct itself is io.c's    */
};
extern const struct tw_feed_ops tw_feed_connect_ops, tw_feed_listen_ops,
    tw_feed_file_ops, tw_feed_stdin_ops, tw_feed_synthetic_ops, tw_feed_timer_ops,
    tw_feed_fix_ops, tw_feed_program_ops, tw_feed_tape_ops, tw_feed_book_ops;

enum { TW_CODEC_COUNTERS = sizeof(struct tw_codec_stats) / sizeof(uint64_t) };

struct tw_feed {
    const struct tw_feed_ops *ops;         /* constant                            */
    struct tw_io *io;                      /* constant                            */
    struct tw_feed_options o;              /* constant; owns its strings          */
    unsigned index;                        /* constant                            */
    char who[72];                          /* constant: "feed fix"                */
    uint16_t port;                         /* constant after start                */
    struct tw_batch batch;                 /* owner: FEED                         */
    uint64_t left TW_OWNED(FEED);          /* records to its limit                */
    bool over TW_OWNED(FEED);              /* ended or failed                     */
    size_t doze TW_OWNED(FEED);            /* readers may sleep over so many      */
    size_t unheard TW_OWNED(FEED);         /* records since they were woken       */
    size_t turn TW_OWNED(FEED);            /* the next, see tw_feed_turn; 0: any  */
    uint64_t problems TW_OWNED(FEED);      /* that were logged each               */
    uint64_t unsaid TW_OWNED(FEED);        /* that were not, since the last line  */
    char last[300] TW_OWNED(FEED);         /* the last of those                   */
    struct tw_gaps *gaps;                  /* owner: FEED; of a file; NULL: none  */
    atomic_int state;                      /* atomic: FEED stores, all load       */
    atomic_bool unwanted;                  /* atomic: MAIN stores, FEED loads     */
    atomic_bool retell;                    /* atomic: any store, FEED takes       */
    _Atomic uint64_t records, waits, connects;   /* atomic: FEED adds (a program's:
                                            * any thread), all load               */
    _Atomic uint64_t codec[TW_CODEC_COUNTERS];   /* atomic: FEED adds, all load   */
};

struct tw_io {
    struct tw_io_options o;                /* constant                            */
    struct tw_io_guest guest;              /* constant after start; of zeros: none */
    struct tw_feed *feeds[TW_SOURCE_MAX];  /* constant below count                */
    struct tw_feed *book;                  /* constant after start; of feeds, or NULL */
    atomic_uint count;                     /* atomic: MAIN stores, all load       */
    atomic_uint wanted;                    /* atomic: MAIN stores, FEED loads     */
    unsigned begun;                        /* owner: FEED while there is a thread */
    uv_loop_t loop;                        /* owner: FEED while there is a thread */
    uv_async_t bell;                       /* MAIN sends: see on_bell             */
    uv_timer_t second;                     /* owner: FEED; problems are pending   */
    struct tw_thread thread;
    bool started TW_OWNED(MAIN);           /* and not yet stopped                 */
    atomic_bool stopping;                  /* atomic: MAIN stores, FEED loads: feeds */
    atomic_bool leaving;                   /* atomic: the same: the guest           */
    atomic_bool halted;                    /* atomic: FEED stores, MAIN loads: nothing
                                            * comes of the feeds any more           */
    bool closed;                           /* owner: FEED; they are                 */
    _Atomic int64_t began_ns;              /* atomic: FEED stores, all load       */
    struct tw_histogram parse_ns;          /* atomic: FEED adds, all load         */
};

/* Do the feeds end?  Thread: any. */
static inline bool tw_io_is_stopping(const struct tw_io *io)
{
    /* order [tape.stop] relaxed: the flag alone matters */
    return atomic_load_explicit(&io->stopping, memory_order_relaxed);
}

/* Empties a batch to the tape: the `full` of every batch that is not paced.
 * Thread: FEED.  Blocks: as tw_tape_append.  Memory: none. */
void tw_feed_full(struct tw_batch *batch);

/* Appends up to the feed's limit, waiting for reliable readers.
 * Thread: FEED.  Blocks: as tw_tape_append.  Memory: none. */
void tw_feed_append(struct tw_feed *f, struct tw_record *r, size_t n) TW_ON(FEED);

/* A record of that time is about to be appended: what comes before it in the venue of a
 * BOOK feed is.  Thread: FEED.  Blocks: as tw_tape_append; until every script has read
 * all, where it keeps in step with them.  Memory: what comes of an order. */
void tw_book_before(struct tw_feed *f, int64_t time_ns) TW_ON(FEED);

/* It was a feed's: these move the time of the venue.  Thread: FEED. */
void tw_book_fed(struct tw_feed *f) TW_ON(FEED);

/* Likewise, what is due now, because somebody rang.  Thread: FEED. */
void tw_book_look(struct tw_feed *f) TW_ON(FEED);

/* A program has pushed a record of that time.  Thread: any.  Blocks: never. */
void tw_book_pushed(struct tw_feed *f, int64_t time_ns);

/* The end of a read: empties the batch, wakes the readers, and ends the feed
 * when it has reached its limit.  A feed that nobody waits for, a file read flat out,
 * lets them sleep over some records (`doze`): a thread that is woken for each read
 * takes the processor from the one that reads.
 * Thread: FEED.  Memory: none. */
void tw_feed_flush(struct tw_feed *f) TW_ON(FEED);

/* Records between two turns of the loop: n, or one of a feed at its own times where
 * each waits for scripts (feed_book.c).  For who is behind more and more are due, and
 * what else the loop carries, FIX sessions say, is to have its turns.  So it is one, too,
 * after a turn that found the tape full; then twice as many as in the turn before.
 * Thread: FEED. */
static inline size_t tw_feed_turn(struct tw_feed *f, bool is_paced, size_t n)
    TW_ON(FEED)
{
    size_t most = f->turn && f->turn < n ? f->turn : n;

    f->turn = 2 * most < n ? 2 * most : 0;
    if (is_paced && f->io->book && f->io->book->o.book.is_quiet) return 1;
    return most;
}

/* Something was read, or made: tw_io_began_ns.  Thread: FEED. */
void tw_feed_began(struct tw_feed *f, int64_t steady_ns) TW_ON(FEED);

/* Another state, with one line that says why.  Thread: FEED. */
void tw_feed_enter(struct tw_feed *f, enum tw_feed_state state,
                   const char *text) TW_ON(FEED);

/* Closes, logs and enters ENDED or FAILED, the first time that it is called.
 * Thread: FEED. */
void tw_feed_finish(struct tw_feed *f, enum tw_feed_state state,
                    const char *format, ...) TW_ON(FEED) TW_PRINTF(3, 4);

/* Something that could not be used: the first of a feed are logged each, the others,
 * which may come a million a second, in one line a second.  Thread: FEED. */
void tw_feed_problem(struct tw_feed *f, const char *label,
                     const char *text) TW_ON(FEED);

/* Why it can't be a record (see fault.h), or NULL: then what is odd with it is told, and
 * in a file gaps are looked for.  Thread: FEED. */
const char *tw_feed_look(struct tw_feed *f, const struct tw_record *r,
                         const struct tw_place *place, int64_t *latest_ns,
                         unsigned *told, const char *label) TW_ON(FEED);

/* Logs the problems that were only counted.  Thread: FEED. */
void tw_feed_tell_problems(struct tw_feed *f) TW_ON(FEED);

/* One stream of bytes, a codec and the buffer between them. */
struct tw_reader {
    struct tw_feed *feed;            /* constant                                 */
    struct tw_codec *codec;          /* constant                                 */
    const char *label;               /* constant: heads its problems             */
    int64_t latest_ns;               /* owner: FEED; of its CSV                  */
    unsigned told;                   /* owner: FEED; of what is odd in it        */
    char *bytes;                     /* owner: FEED; [0, n) wait for the codec   */
    size_t n, cap;                   /* owner: FEED                              */
    uint64_t total;                  /* owner: FEED; bytes read of this stream   */
    struct tw_codec_stats seen;      /* owner: FEED; what was published so far   */
    void (*lost)(struct tw_reader *r, int why);   /* constant after start        */
};

/* Can it be?  If not that is told, and else what is odd.  Thread: FEED. */
bool tw_reader_check(struct tw_reader *r, const struct tw_record *record,
                     const struct tw_place *place) TW_ON(FEED);

/* Makes the codec; label: "" or "peer: ".  Afterwards, failed or not, it is to
 * be tw_reader_fini-ed.  Thread: MAIN before the start, or FEED. */
int tw_reader_init(struct tw_reader *r, struct tw_feed *f, const char *label,
                   struct tw_error *error);
void tw_reader_fini(struct tw_reader *r);

/* Where the next bytes go; *n: how many.  Never none.  Thread: FEED. */
char *tw_reader_room(struct tw_reader *r, size_t *n) TW_ON(FEED);

/* n bytes were put there: decodes, appends, wakes.  May end the feed.
 * Thread: FEED.  Blocks: as tw_tape_append. */
void tw_reader_take(struct tw_reader *r, size_t n) TW_ON(FEED);

/* The stream ended, or was cut; the next one may begin.  May end the feed.
 * Thread: FEED.  Blocks: as tw_tape_append. */
void tw_reader_end(struct tw_reader *r) TW_ON(FEED);

/* Takes what comes from a libuv stream (its data becomes r) until it ends:
 * then lost(r, libuv's code), after tw_reader_end.  Thread: FEED. */
int tw_reader_start(struct tw_reader *r, uv_stream_t *stream,
                    void (*lost)(struct tw_reader *r, int why)) TW_ON(FEED);

#endif
