/* io.c - the thread that reads the market: its start, its end, its figures.
 *
 * Why one thread for all feeds: parsing costs less than the read before it,
 * and one thread that appends needs no agreement on the order of what came.
 * What a feed does stands in feed.c and in one file per kind.
 *
 * Layer host/run.  Thread: see each function in io.h.
 */
#include "run/io.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "run/feed.h"
#include "run/net.h"

enum { HALT_PAUSE_NS = 50000 };

/* ---- making ---- */

struct tw_io *tw_io_new(const struct tw_io_options *options)
{
    struct tw_io *io = tw_calloc(1, sizeof *io);

    int rc;

    if (!io) return NULL;
    io->o = *options;
    if ((rc = uv_loop_init(&io->loop)) == 0) return io;
    tw_free(io);
    errno = -rc;
    return NULL;
}

static const struct tw_feed_ops *ops_of(enum tw_feed_kind kind)
{
    switch (kind) {
    case TW_FEED_CONNECT:   return &tw_feed_connect_ops;
    case TW_FEED_LISTEN:    return &tw_feed_listen_ops;
    case TW_FEED_FILE:      return &tw_feed_file_ops;
    case TW_FEED_TAPE:      return &tw_feed_tape_ops;
    case TW_FEED_SYNTHETIC: return &tw_feed_synthetic_ops;
    case TW_FEED_TIMER:     return &tw_feed_timer_ops;
    case TW_FEED_FIX:       return &tw_feed_fix_ops;
    case TW_FEED_PROGRAM:   return &tw_feed_program_ops;
    case TW_FEED_BOOK:      return &tw_feed_book_ops;
    case TW_FEED_STDIN:
        return uv_guess_handle(0) == UV_FILE ? &tw_feed_file_ops : &tw_feed_stdin_ops;
    }
    return NULL;
}

enum { STRINGS = 8 };

static void strings_of(struct tw_feed_options *o, const char **out[STRINGS])
{
    const char **all[STRINGS] = {
        &o->name, &o->host, &o->path, &o->member, &o->csv.columns, &o->csv.preset,
        &o->csv.symbol, &o->csv.time,
    };

    memcpy(out, all, sizeof all);
}

static void free_feed(struct tw_feed *f)
{
    const char **string[STRINGS];

    f->ops->free(f);
    tw_gaps_free(f->gaps);
    strings_of(&f->o, string);
    for (int i = 0; i < STRINGS; i++) tw_free((char *)*string[i]);
    tw_free(f);
}

/* Makes the strings of o its own.  False: no memory; those it got stay. */
static bool own_strings(struct tw_feed_options *o)
{
    const char **string[STRINGS];
    bool whole = true;

    strings_of(o, string);
    for (int i = 0; i < STRINGS; i++) {
        const char *from = *string[i];
        size_t n = from ? strlen(from) + 1 : 0;
        char *to = from ? tw_calloc(1, n) : NULL;

        if (to) memcpy(to, from, n);
        whole = whole && (to || !from);
        *string[i] = to;
    }
    return whole;
}

static int check(const struct tw_io *io, const struct tw_feed_options *o,
                 struct tw_error *error)
{
    bool tcp = o->kind == TW_FEED_CONNECT || o->kind == TW_FEED_LISTEN;

    if (tw_io_count(io) == TW_SOURCE_MAX)
        return tw_fail(error, TW_ELIMIT, "more than %d feeds", TW_SOURCE_MAX);
    if (tcp && o->host && !tw_net_is_host(o->host))
        return tw_fail(error, TW_EUSAGE, "'%s' is not a host", o->host);
    if (o->kind == TW_FEED_CONNECT && o->port == 0)
        return tw_fail(error, TW_EUSAGE, "there is no port 0 to connect to");
    if (!isfinite(o->speed) || o->speed < 0)
        return tw_fail(error, TW_EUSAGE, "speed %g is not 0 or more", o->speed);
    if (o->kind == TW_FEED_BOOK && io->book)
        return tw_fail(error, TW_EUSAGE, "there is one venue in a run");
    if (o->kind == TW_FEED_TIMER && o->interval_ns <= 0)
        return tw_fail(error, TW_EUSAGE, "an interval of %lld ns is not above 0",
                       (long long)o->interval_ns);
    return TW_OK;
}

int tw_io_add(struct tw_io *io, const struct tw_feed_options *feed,
              struct tw_error *error)
{
    const struct tw_feed_ops *ops = ops_of(feed->kind);
    int rc = check(io, feed, error);
    struct tw_feed *f;

    if (rc < 0) return rc;
    f = tw_calloc(1, ops->size);
    if (!f) return tw_fail(error, UV_ENOMEM, "no memory for a feed");
    f->ops = ops;
    f->io = io;
    f->o = *feed;
    f->index = tw_io_count(io);
    f->port = feed->port;
    f->batch.full = tw_feed_full;
    f->batch.owner = f;
    snprintf(f->who, sizeof f->who, "feed %s", feed->name);
    if (own_strings(&f->o)) rc = ops->open(f, error);
    else rc = tw_fail(error, UV_ENOMEM, "no memory for a feed");
    if (rc < 0) {
        free_feed(f);
        return rc;
    }
    io->feeds[f->index] = f;
    /* order [io.count] release: the feed is whole before it is counted */
    atomic_store_explicit(&io->count, f->index + 1, memory_order_release);
    return (int)f->index;
}

/* ---- the thread ---- */

/* Up to which feeds are to begin: those before the start, then one by one. */
static void begin_up_to(struct tw_io *io, unsigned end)
{
    /* order [io.wanted] release: what MAIN did for the feed comes before it begins */
    atomic_store_explicit(&io->wanted, end, memory_order_release);
}

static void start_feed(struct tw_feed *f) TW_ON(FEED)
{
    f->left = f->o.limit ? f->o.limit : UINT64_MAX;
    f->ops->start(f);
}

static void begin_feeds(struct tw_io *io) TW_ON(FEED)
{
    /* order [io.wanted] acquire: see begin_up_to */
    unsigned end = atomic_load_explicit(&io->wanted, memory_order_acquire);

    for (; io->begun < end; io->begun++) {
        struct tw_feed *f = io->feeds[io->begun];
        struct tw_error error;

        if (f->ops->bind && f->ops->bind(f, &error) < 0)
            tw_feed_finish(f, TW_FEED_FAILED, "%s", error.text);
        else
            start_feed(f);
    }
}

static void end_feeds(struct tw_io *io) TW_ON(FEED)
{
    for (unsigned i = 0; i < io->begun; i++) {
        struct tw_feed *f = io->feeds[i];

        /* order [io.unwanted] relaxed: the flag alone matters */
        if (atomic_load_explicit(&f->unwanted, memory_order_relaxed))
            tw_feed_finish(f, TW_FEED_ENDED, "stopped");
    }
}

static void say_halted(struct tw_io *io)
{
    /* order [io.halted] release: what the feeds appended */
    atomic_store_explicit(&io->halted, true, memory_order_release);
}

static void halt(struct tw_io *io) TW_ON(FEED)
{
    if (io->closed) return;
    io->closed = true;
    for (unsigned i = 0; i < io->begun; i++) {
        struct tw_feed *f = io->feeds[i];

        if (!f->over) f->ops->close(f);
        f->over = true;
        tw_feed_tell_problems(f);
    }
    say_halted(io);
}

static void quit(struct tw_io *io) TW_ON(FEED)
{
    halt(io);
    if (io->guest.stop) io->guest.stop(io->guest.ctx);
    uv_close((uv_handle_t *)&io->second, NULL);
    uv_close((uv_handle_t *)&io->bell, NULL);
}

static void on_bell(uv_async_t *bell)
{
    struct tw_io *io = bell->data;

    tw_be_feed();
    /* order [io.leaving] relaxed: the flag alone matters */
    if (atomic_load_explicit(&io->leaving, memory_order_relaxed)) {
        quit(io);
        return;
    }
    if (tw_io_is_stopping(io)) {
        halt(io);
        return;
    }
    begin_feeds(io);
    end_feeds(io);
    if (io->book) tw_book_look(io->book);
}

static void run(void *arg)
{
    struct tw_io *io = arg;

    tw_be_feed();
    if (io->guest.start) io->guest.start(io->guest.ctx);
    for (unsigned i = 0; i < io->begun; i++) start_feed(io->feeds[i]);
    uv_run(&io->loop, UV_RUN_DEFAULT);
}

struct uv_loop_s *tw_io_carry(struct tw_io *io, const struct tw_io_guest *guest)
{
    assert(!io->started);
    io->guest = *guest;
    return &io->loop;
}

int tw_io_append(struct tw_io *io, struct tw_record *r, size_t n)
{
    size_t part, lead = tw_tape_lead(io->o.tape);
    int rc = TW_OK;

    for (size_t i = 0; io->book && i < n; i++) tw_book_before(io->book, r[i].time);
    for (; n > 0 && rc == TW_OK; r += part, n -= part) {
        part = n < lead ? n : lead;
        rc = tw_tape_append(io->o.tape, r, part, &io->stopping);
        if (rc == TW_OK) continue;
        say_halted(io);   /* no feed has a turn while this waits for who reads */
        rc = tw_tape_append(io->o.tape, r, part, &io->leaving);
    }
    return rc;
}

void tw_io_wake(struct tw_io *io)
{
    tw_tape_wake(io->o.tape);
}

bool tw_io_is_started(const struct tw_io *io)
{
    return io->started;
}

int tw_io_start(struct tw_io *io, struct tw_error *error)
{
    unsigned n = tw_io_count(io);
    int rc = 0;

    for (unsigned i = 0; i < n && rc == 0; i++) {
        struct tw_feed *f = io->feeds[i];

        if (f->ops->bind) rc = f->ops->bind(f, error);
    }
    if (rc < 0) return rc;
    rc = uv_async_init(&io->loop, &io->bell, on_bell);
    if (rc == 0) rc = uv_timer_init(&io->loop, &io->second);
    io->bell.data = io->second.data = io;
    io->begun = n;
    begin_up_to(io, n);
    io->thread.waiting = io->o.waiting;
    io->thread.ctx = io->o.ctx;
    if (rc == 0) rc = tw_thread_start(&io->thread, "tw-io", run, io);
    if (rc < 0)
        return tw_fail(error, rc, "cannot start the io thread: %s", tw_strerror(rc));
    io->started = true;
    return TW_OK;
}

void tw_io_begin(struct tw_io *io, unsigned feed)
{
    assert(io->started && feed + 1 == tw_io_count(io));
    begin_up_to(io, feed + 1);
    uv_async_send(&io->bell);
}

void tw_io_end(struct tw_io *io, unsigned feed)
{
    if (!io->started || feed >= tw_io_count(io)) return;
    /* order [io.unwanted] relaxed: the flag alone matters */
    atomic_store_explicit(&io->feeds[feed]->unwanted, true, memory_order_relaxed);
    uv_async_send(&io->bell);
}

void tw_io_halt(struct tw_io *io)
{
    if (!io->started) return;
    /* order [tape.stop] relaxed: the flag alone matters */
    atomic_store_explicit(&io->stopping, true, memory_order_relaxed);
    uv_async_send(&io->bell);
    /* order [io.halted] acquire: what the feeds appended */
    while (!atomic_load_explicit(&io->halted, memory_order_acquire)) {
        if (io->o.waiting) io->o.waiting(io->o.ctx);
        nanosleep(&(struct timespec){ .tv_nsec = HALT_PAUSE_NS }, NULL);
    }
}

void tw_io_stop(struct tw_io *io)
{
    if (!io->started) return;
    /* order [io.leaving] relaxed: the flag alone matters */
    atomic_store_explicit(&io->leaving, true, memory_order_relaxed);
    tw_io_halt(io);
    io->started = false;
    tw_thread_join(&io->thread);
}

static void close_walked(uv_handle_t *handle, void *unused)
{
    (void)unused;
    tw_net_close(handle);
}

void tw_io_free(struct tw_io *io)
{
    int rc;

    if (!io) return;
    tw_io_stop(io);
    /* What a start that failed left open; after a stop there is nothing. */
    uv_walk(&io->loop, close_walked, NULL);
    uv_run(&io->loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&io->loop);
    assert(rc == 0);
    (void)rc;
    for (unsigned i = 0; i < tw_io_count(io); i++) free_feed(io->feeds[i]);
    tw_free(io);
}

/* ---- figures ---- */

unsigned tw_io_count(const struct tw_io *io)
{
    /* order [io.count] acquire: the feeds below it are whole */
    return atomic_load_explicit(&io->count, memory_order_acquire);
}

void tw_io_retell(struct tw_io *io, unsigned source)
{
    if (source == 0 || source > tw_io_count(io)) return;
    /* order [io.retell] relaxed: the flag alone matters */
    atomic_store_explicit(&io->feeds[source - 1]->retell, true, memory_order_relaxed);
}

const char *tw_io_name(const struct tw_io *io, unsigned feed)
{
    return io->feeds[feed]->o.name;
}

void tw_io_status(const struct tw_io *io, unsigned feed, struct tw_feed_status *out)
{
    const struct tw_feed *f = io->feeds[feed];
    uint64_t codec[TW_CODEC_COUNTERS];
    int state;

    /* order [feed.state] acquire: the counts of a feed that ended are final */
    state = atomic_load_explicit(&f->state, memory_order_acquire);
    out->state = (enum tw_feed_state)state;
    for (int i = 0; i < TW_CODEC_COUNTERS; i++) codec[i] = tw_counter_get(&f->codec[i]);
    memcpy(&out->codec, codec, sizeof codec);
    out->records = tw_counter_get(&f->records);
    out->waits = tw_counter_get(&f->waits);
    out->connects = tw_counter_get(&f->connects);
}

uint16_t tw_io_port(const struct tw_io *io, unsigned feed)
{
    return io->feeds[feed]->port;
}

const struct tw_histogram *tw_io_parse_ns(const struct tw_io *io)
{
    return &io->parse_ns;
}

int64_t tw_io_began_ns(const struct tw_io *io)
{
    /* order [io.began] relaxed: a figure, nothing else depends on it */
    return atomic_load_explicit(&io->began_ns, memory_order_relaxed);
}

int64_t tw_io_cpu_ns(const struct tw_io *io)
{
    return tw_thread_cpu_ns(&io->thread);
}
