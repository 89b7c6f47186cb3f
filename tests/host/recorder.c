/* recorder.c - a thread writes what threads put on the tape, and a feed plays it. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "run/io.h"
#include "run/recorder.h"
#include "share/builder.h"
#include "share/value.h"
#include "place.h"
#include "tap.h"
#include "tape/reader.h"

enum { LOG_BYTES = 1 << 16, PATIENCE = 600000 };   /* looks, of 100 us */
enum { THREADS = 3, EACH = 20000, RING = 4096, VALUES = 50 };

static char path[PLACE];
static struct tw_error error;
static struct tw_names *topics;
static struct tw_sources sources;
static const char *scripts[] = { NULL, "a.lua", "b.lua" };
static atomic_uint failures;

static void no_wake(void *ctx)
{
    (void)ctx;
}

/* One look at what nobody signals; false when it took too long. */
static bool look(unsigned *looks)
{
    nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    return ++*looks < PATIENCE;
}

static void on_failed(void *ctx)
{
    (void)ctx;
    /* order [test] relaxed: read after the thread was joined */
    atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
}

static struct tw_value *text(const char *s)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_value *v = NULL;

    tw_builder_begin(b);
    tw_builder_string(b, s, (uint32_t)strlen(s));
    if (tw_builder_finish(b, &v) < 0) abort();
    tw_builder_free(b);
    return v;
}

static void release(void *p)
{
    tw_value_unref(p);
}

static void drop(void *epoch, const struct tw_record *old)
{
    if (old->message.value_kind == TW_VALUE_BLOCK)
        tw_epoch_retire(epoch, old->message.value.block);
}

/* A tape of its own, with values. */
struct stage {
    struct tw_tape *tape;
    struct tw_symbols *symbols;
    struct tw_epoch *epoch;
    struct tw_log *log;
    struct tw_recorder *recorder;
};

static bool stage_open(struct stage *s, bool reliable, enum tw_tape_sync sync)
{
    unlink(path);
    tw_role_set(&MAIN);
    tw_be_main();
    *s = (struct stage){ tw_tape_new(RING), tw_symbols_new(10), tw_epoch_new(release),
                         tw_log_new(LOG_BYTES, no_wake, NULL), NULL };
    tw_symbols_intern(s->symbols, "AAPL", 4);
    tw_tape_on_drop(s->tape, drop, s->epoch);
    s->recorder = tw_recorder_new(&(struct tw_recorder_options){
        .path = path, .tape = s->tape, .epoch = s->epoch, .log = s->log,
        .reliable = reliable, .failed = on_failed,
        .writer = { .symbols = s->symbols, .topics = topics, .sources = &sources,
                    .scripts = scripts, .n_scripts = 2, .sync = sync },
    }, &error);
    return s->recorder && tw_recorder_start(s->recorder, &error) == TW_OK;
}

static void stage_close(struct stage *s)
{
    tw_be_main();
    if (s->recorder) tw_recorder_stop(s->recorder);
    tw_recorder_free(s->recorder);
    tw_tape_free(s->tape);
    tw_epoch_free(s->epoch);
    tw_symbols_free(s->symbols);
    tw_log_free(s->log);
}

static void *push(void *arg)
{
    struct stage *s = arg;
    unsigned looks = 0;

    for (uint64_t i = 0; i < EACH; i++) {
        struct tw_record r = { .kind = i % 7 ? TW_QUOTE : TW_MESSAGE, .time = (int64_t)i,
                               .source = 1 };

        if (r.kind == TW_QUOTE) {
            r.symbol = 1;
            r.quote.bid = (int64_t)i;
        } else {
            r.message.topic = r.message.script = 1;
            r.message.value_kind = TW_VALUE_BLOCK;
            r.message.value.block = (void *)text("a value");
        }
        while (tw_tape_try_append(s->tape, &r, 1) < 0) {
            tw_tape_wake(s->tape);
            if (!look(&looks)) abort();
        }
    }
    tw_tape_wake(s->tape);
    return NULL;
}

/* What is in the file: its records by kind, and whether all is as it was pushed. */
static bool check_file(uint64_t *quotes, uint64_t *messages, uint64_t *lost)
{
    struct tw_tape_file *f = tw_tape_file_open(path, 0, &error);
    struct tw_tape_reader *r =
        f ? tw_tape_reader_open(f, INT64_MIN, INT64_MAX, &error) : NULL;
    struct tw_tape_block b;
    bool fine = f && tw_tape_file_info(f)->closed;
    uint64_t seq = 0;
    const char *value;
    size_t n;

    *quotes = *messages = *lost = 0;
    while (r && tw_tape_reader_next(r, &b, &error) == 1)
        for (size_t i = 0; i < b.n; i++) {
            const struct tw_record *x = &b.r[i];

            fine = fine && x->seq > seq;
            seq = x->seq;
            *quotes += x->kind == TW_QUOTE;
            *messages += x->kind == TW_MESSAGE;
            if (x->kind == TW_GAP) *lost += x->gap.lost;
            if (x->kind == TW_QUOTE) fine = fine && x->quote.bid == x->time;
            if (x->kind != TW_MESSAGE) continue;
            if (x->message.value_kind != TW_VALUE_BLOCK) continue;
            value = tw_tape_value(&b, x, &n);
            fine = fine && memmem(value, n, "a value", 7);
        }
    tw_tape_reader_close(r);
    tw_tape_file_close(f);
    return fine;
}

static void test_threads(bool reliable, enum tw_tape_sync sync)
{
    uint64_t quotes, messages, lost, all = THREADS * EACH;
    pthread_t thread[THREADS];
    struct stage s;
    bool fine;

    if (!stage_open(&s, reliable, sync)) abort();
    for (int i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, push, &s);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    stage_close(&s);
    fine = check_file(&quotes, &messages, &lost);
    ok(fine && quotes + messages + lost == all,
       "%s: %llu quotes, %llu messages and %llu lost are all", reliable ? "reliable"
       : "lossy", (unsigned long long)quotes, (unsigned long long)messages,
       (unsigned long long)lost);
    ok(!reliable || lost == 0, "who can wait loses nothing");
}

/* What it cannot keep, and what it died of. */
static void test_failures(void)
{
    struct tw_record m = { .kind = TW_MESSAGE, .time = 1, .message = { .topic = 1 } };
    struct tw_record inside = { .kind = TW_QUOTE };
    struct tw_builder *b = tw_builder_new();
    struct rlimit before, small;
    uint64_t quotes, messages, lost;
    struct tw_value *v;
    struct stage s;

    tw_builder_begin(b);
    tw_builder_record(b, 1, &inside);
    if (tw_builder_finish(b, &v) < 0) abort();
    tw_builder_free(b);
    m.message.value_kind = TW_VALUE_BLOCK;
    m.message.value.block = (void *)v;
    if (!stage_open(&s, true, TW_SYNC_NEVER)) abort();
    tw_tape_try_append(s.tape, &m, 1);
    stage_close(&s);
    check_file(&quotes, &messages, &lost);
    ok(messages == 1 && lost == 0, "a value that no file can keep is nil in it");

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 3000;
    if (!stage_open(&s, true, TW_SYNC_NEVER)) abort();
    setrlimit(RLIMIT_FSIZE, &small);
    push(&s);
    tw_be_main();
    tw_recorder_stop(s.recorder);
    setrlimit(RLIMIT_FSIZE, &before);
    stage_close(&s);
    ok(failures == 1, "a full disk ends the recording, and nobody waits for it");
}

/* ---- the feed ---- */

/* How many records, and of those that have a value whether they are as they were. */
static uint64_t drain(struct tw_tape *tape, bool *fine)
{
    struct tw_record r;
    struct tw_cursor c;
    uint64_t n = 0;

    tw_cursor_open(&c, tape, false, 1);
    for (; tw_cursor_next(&c, &r); n++) {
        if (r.kind != TW_MESSAGE) continue;
        *fine = *fine && r.source == TW_SOURCE_MAX && r.message.script == 1
            && strcmp(tw_sources_name(&sources, TW_SOURCE_MAX), "feed") == 0;
        tw_value_unref((void *)r.message.value.block);
    }
    return n;
}

static bool play(uint64_t fail_at, uint64_t *records, bool messages)
{
    struct tw_tape *tape = tw_tape_new(1 << 15);
    struct tw_symbols *symbols = tw_symbols_new(10);
    struct tw_log *log = tw_log_new(LOG_BYTES, no_wake, NULL);
    struct tw_feed_status status = { .state = TW_FEED_FAILED };
    struct tw_io *io;
    unsigned looks = 0;
    bool fine;

    tw_be_main();
    io = tw_io_new(&(struct tw_io_options){ .tape = tape, .symbols = symbols,
                                            .log = log });
    tw_sources_set(&sources, TW_SOURCE_MAX, NULL);
    tw_sources_set(&sources, 1, "here");
    tw_memory_fail_at(fail_at);
    fine = tw_io_add(io, &(struct tw_feed_options){
        .name = "tape", .kind = TW_FEED_TAPE, .path = path,
        .tape = { .from_ns = INT64_MIN, .to_ns = INT64_MAX, .messages = messages,
                  .topics = topics, .sources = &sources, .scripts = scripts,
                  .n_scripts = 2 } }, &error) >= 0;
    tw_memory_fail_at(0);
    if (fine && tw_io_start(io, &error) == TW_OK)
        do tw_io_status(io, 0, &status);
        while (status.state < TW_FEED_ENDED && look(&looks));
    fine = fine && status.state == TW_FEED_ENDED;
    tw_io_stop(io);
    *records = drain(tape, &fine);
    tw_io_free(io);
    tw_log_free(log);
    tw_symbols_free(symbols);
    tw_tape_free(tape);
    return fine;
}

static void test_feed(void)
{
    uint64_t quotes, messages, lost, records;
    unsigned refused = 0, wrong = 0;
    struct stage s;

    tw_sources_set(&sources, TW_SOURCE_MAX, NULL);
    tw_sources_set(&sources, 1, "feed");
    if (!stage_open(&s, true, TW_SYNC_BLOCK)) abort();
    push(&s);
    stage_close(&s);
    check_file(&quotes, &messages, &lost);
    ok(play(0, &records, true) && records == EACH, "a feed plays all of it");
    ok(play(0, &records, false) && records == quotes, "or the market alone");
    for (uint64_t n = 1; n < 200 && !play(n, &records, false); n++) {
        refused++;
        wrong += error.code != UV_ENOMEM;
    }
    ok(refused > 5 && wrong == 0, "without memory it says so (%u times)", refused);
}

int main(void)
{
    snprintf(path, sizeof path, "%.200s/recorder-%d", place_memory(), (int)getpid());
    topics = tw_names_new(10);
    tw_names_intern(topics, "topic", 5);
    tw_sources_set(&sources, 1, "feed");
    test_threads(true, TW_SYNC_NEVER);
    test_threads(true, TW_SYNC_RECORD);
    test_threads(false, TW_SYNC_BLOCK);
    test_failures();
    test_feed();
    ok(tw_value_live() == 0, "no value is left");
    unlink(path);
    tw_names_free(topics);
    return tap_done();
}
