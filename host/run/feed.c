/* feed.c - what the kinds of feed share: bytes to records, records to the tape.
 *
 * Why one buffer per stream and no queue: the loop reads, the codec decodes in
 * place, and the tape takes the records before the next read.  So what waits
 * is the sender's (TCP) or stays in the file, and memory is bounded.
 *
 * Layout of a reader's buffer:
 *
 *   | begun message | room for the next read          |
 *   0               n                                cap
 *
 * Invariants
 *   F1  A record is appended once, in the order in which it came in its stream.
 *   F2  A feed appends exactly its limit, then nothing more; also nothing
 *       more once a stopping host made it drop a record.
 *   F3  Before a read at least half of the buffer is room; it grows until it
 *       holds two of the longest message that the codec takes, no further.
 *
 * Layer host/run.  Thread: see each function in feed.h.
 */
#include "run/feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "feed/fix.h"

enum { READ_BYTES = 65536, BUFFER_BYTES = 4 * READ_BYTES, SHOWN = 10, PAUSE_MS = 1000 };

/* ---- records to the tape ---- */

static void append(struct tw_feed *f, struct tw_record *r, size_t n) TW_ON(FEED)
{
    static const atomic_bool at_once = true;
    struct tw_tape *tape = f->io->o.tape;
    size_t most = tw_tape_lead(tape);

    if (most > TW_BATCH) most = TW_BATCH;
    if (n > f->left) n = (size_t)f->left;   /* F2 */
    f->left -= n;
    while (n > 0) {
        size_t part = n < most ? n : most;

        if (tw_tape_append(tape, r, part, &at_once) != TW_OK) {
            tw_counter_add(&f->waits, 1);
            f->turn = 1;
            if (tw_tape_append(tape, r, part, &f->io->stopping) != TW_OK) {
                f->left = 0;   /* F2 */
                return;
            }
        }
        tw_counter_add(&f->records, part);
        f->unheard += part;
        r += part;
        n -= part;
    }
}

void tw_feed_append(struct tw_feed *f, struct tw_record *r, size_t n)
{
    if (!f->io->book || f == f->io->book) {
        append(f, r, n);
        return;
    }
    tw_book_fed(f->io->book);
    for (size_t i = 0; i < n; i++) {
        tw_book_before(f->io->book, r[i].time);
        append(f, &r[i], 1);
    }
}

void tw_feed_full(struct tw_batch *batch)
{
    tw_be_feed();
    tw_feed_append(batch->owner, batch->r, batch->n);
    batch->n = 0;
}

/* Wakes the readers for what a flush let them sleep over. */
static void TW_ON(FEED) wake(struct tw_feed *f)
{
    f->unheard = 0;
    tw_tape_wake(f->io->o.tape);
}

void tw_feed_flush(struct tw_feed *f)
{
    if (f->batch.n > 0) f->batch.full(&f->batch);
    if (f->unheard >= f->doze || f->left == 0) wake(f);
    if (f->left == 0 && !tw_io_is_stopping(f->io))
        tw_feed_finish(f, TW_FEED_ENDED, "reached its limit of %llu records",
                       (unsigned long long)f->o.limit);
}

void tw_feed_began(struct tw_feed *f, int64_t steady_ns)
{
    /* order [io.began] relaxed: FEED is the only writer */
    if (atomic_load_explicit(&f->io->began_ns, memory_order_relaxed) != 0) return;
    /* order [io.began] relaxed: a figure, nothing else depends on it */
    atomic_store_explicit(&f->io->began_ns, steady_ns, memory_order_relaxed);
}

/* ---- states and problems ---- */

void tw_feed_enter(struct tw_feed *f, enum tw_feed_state state, const char *text)
{
    /* order [feed.state] release: the records and counts of a feed that ended
     * are final */
    atomic_store_explicit(&f->state, state, memory_order_release);
    if (f->io->o.changed) f->io->o.changed(f->io->o.ctx, f->index, state, text);
}

static void TW_ON(FEED) tell_gaps(struct tw_feed *f)
{
    char text[TW_GAPS_TEXT];

    if (f->gaps && tw_gaps_text(f->gaps, f->io->o.symbols, text))
        tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "gaps: %s", text);
}

void tw_feed_finish(struct tw_feed *f, enum tw_feed_state state,
                    const char *format, ...)
{
    char text[sizeof ((struct tw_error *)0)->text];
    va_list args;

    if (f->over) return;
    f->over = true;
    wake(f);
    f->ops->close(f);
    tw_feed_tell_problems(f);
    tell_gaps(f);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tw_log_printf(f->io->o.log, state == TW_FEED_FAILED ? TW_LOG_ERROR : TW_LOG_INFO,
                  f->who, "%s", text);
    tw_feed_enter(f, state, text);
}

/* 1234567 as "1,234,567". */
static const char *grouped(uint64_t v, char out[32])
{
    char *p = out + 31;
    int digits = 0;

    *p = 0;
    do {
        if (digits > 0 && digits % 3 == 0) *--p = ',';
        *--p = (char)('0' + v % 10);
        digits++;
    } while (v /= 10);
    return p;
}

void tw_feed_tell_problems(struct tw_feed *f)
{
    char number[32];

    if (f->unsaid == 0) return;
    tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "%s more problem%s, last: %s",
                  grouped(f->unsaid, number), f->unsaid == 1 ? "" : "s", f->last);
    f->unsaid = 0;
}

static void on_second(uv_timer_t *second)
{
    struct tw_io *io = second->data;

    tw_be_feed();
    for (unsigned i = 0; i < io->begun; i++) tw_feed_tell_problems(io->feeds[i]);
}

void tw_feed_problem(struct tw_feed *f, const char *label, const char *text)
{
    uv_timer_t *second = &f->io->second;

    if (f->problems < SHOWN) {
        f->problems++;
        tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "%s%s", label, text);
        return;
    }
    f->unsaid++;
    snprintf(f->last, sizeof f->last, "%s%s", label, text);
    if (!uv_is_active((uv_handle_t *)second))
        uv_timer_start(second, on_second, PAUSE_MS, 0);
}

static void TW_ON(FEED) tell_odd(struct tw_feed *f, const struct tw_place *place,
                                 const char *words, const char *label)
{
    char text[TW_FAULT_TEXT], where[TW_PLACE_TEXT];

    snprintf(text, sizeof text, "%s: %s", tw_place_text(place, where), words);
    tw_feed_problem(f, label, text);
}

const char *tw_feed_look(struct tw_feed *f, const struct tw_record *r,
                         const struct tw_place *place, int64_t *latest_ns,
                         unsigned *told, const char *label)
{
    if (!tw_record_is_sound(r, latest_ns)) {
        const char *why = tw_record_fault(r);
        unsigned odd = why ? 0 : tw_record_odd(r, latest_ns, told);
        char words[TW_ODD_TEXT];

        if (why) return why;
        if (odd) tell_odd(f, place, tw_odd_text(odd, r, *latest_ns, words), label);
    }
    if (f->gaps && tw_gaps_look(f->gaps, r, place) < 0) {
        tw_log_printf(f->io->o.log, TW_LOG_WARN, f->who, "no memory to look for gaps");
        tw_gaps_free(f->gaps);
        f->gaps = NULL;
    }
    return NULL;
}

static void on_problem(void *ctx, const char *text)
{
    struct tw_reader *r = ctx;

    tw_be_feed();
    tw_feed_problem(r->feed, r->label, text);
}

/* The `check` of a codec. */
static const char *check(void *ctx, const struct tw_record *record, uint64_t line)
{
    struct tw_reader *r = ctx;
    const struct tw_place place = { .path = r->feed->o.path, .line = line };

    tw_be_feed();
    return tw_feed_look(r->feed, record, &place, &r->latest_ns, &r->told, r->label);
}

bool tw_reader_check(struct tw_reader *r, const struct tw_record *record,
                     const struct tw_place *place)
{
    const char *why = tw_feed_look(r->feed, record, place, &r->latest_ns, &r->told,
                                   r->label);
    char text[TW_FAULT_TEXT], where[TW_PLACE_TEXT];

    if (!why) return true;
    snprintf(text, sizeof text, "%s: %s", tw_place_text(place, where), why);
    on_problem(r, text);
    return false;
}

/* ---- bytes to records ---- */

/* The `full` of FIX over a connection, which has no lines. */
static void keep_checked(struct tw_batch *batch)
{
    struct tw_reader *r = batch->owner;
    unsigned n = batch->n;

    tw_be_feed();
    batch->n = 0;
    for (unsigned i = 0; i < n; i++)
        if (tw_reader_check(r, &batch->r[i], &(struct tw_place){
                .message = batch->r[i].source_seq }))
            batch->r[batch->n++] = batch->r[i];
    batch->owner = r->feed;
    if (batch->n > 0) tw_feed_full(batch);
    batch->owner = r;
}

/* Of a feed's readers the one that decodes now has its batch. */
static void hold_batch(struct tw_reader *r)
{
    struct tw_batch *batch = &r->feed->batch;

    if (r->feed->o.format != TW_FORMAT_FIX || r->feed->o.kind == TW_FEED_FILE) return;
    batch->full = keep_checked;
    batch->owner = r;
}

int tw_reader_init(struct tw_reader *r, struct tw_feed *f, const char *label,
                   struct tw_error *error)
{
    struct tw_io *io = f->io;
    uint8_t source = (uint8_t)(f->index + 1);

    *r = (struct tw_reader){ .feed = f, .label = label, .cap = BUFFER_BYTES,
                             .latest_ns = INT64_MIN };
    if (f->o.format == TW_FORMAT_CSV) {
        struct tw_csv_options csv = f->o.csv;

        csv.symbols = io->o.symbols;
        csv.source = source;
        csv.problem = on_problem;
        csv.problem_ctx = r;
        csv.check = check;
        r->codec = tw_csv_decoder_new(&csv, error);
        if (!r->codec) return error->code;
    } else {
        r->codec = tw_fix_decoder_new(&(struct tw_fix_options){
            .symbols = io->o.symbols, .source = source,
            .is_log = f->o.kind == TW_FEED_FILE,
            .problem = on_problem, .problem_ctx = r,
        });
        if (!r->codec) return tw_fail(error, UV_ENOMEM, "no memory for a decoder");
    }
    r->bytes = tw_calloc(1, r->cap);
    if (!r->bytes) return tw_fail(error, UV_ENOMEM, "no memory for a read buffer");
    return TW_OK;
}

void tw_reader_fini(struct tw_reader *r)
{
    if (r->codec) r->codec->ops->free(r->codec);
    tw_free(r->bytes);
    r->codec = NULL;
    r->bytes = NULL;
}

char *tw_reader_room(struct tw_reader *r, size_t *n)
{
    *n = r->cap - r->n < READ_BYTES ? r->cap - r->n : READ_BYTES;
    return r->bytes + r->n;
}

/* Adds what the codec counted since last time to the feed's counters. */
static void publish(struct tw_reader *r)
{
    uint64_t now[TW_CODEC_COUNTERS], before[TW_CODEC_COUNTERS];

    memcpy(now, &r->codec->stats, sizeof now);
    memcpy(before, &r->seen, sizeof before);
    for (int i = 0; i < TW_CODEC_COUNTERS; i++)
        if (now[i] != before[i]) tw_counter_add(&r->feed->codec[i], now[i] - before[i]);
    r->seen = r->codec->stats;
}

/* Keeps F3, up to the longest message that the codec takes. */
static void TW_ON(FEED) make_room(struct tw_reader *r)
{
    size_t max = 2 * r->codec->ops->max_message, cap = r->cap;
    char *bytes;

    while (r->n > cap / 2 && cap < max) cap *= 2;
    if (cap == r->cap) return;
    bytes = tw_realloc(r->bytes, cap);
    if (!bytes) {
        tw_feed_finish(r->feed, TW_FEED_FAILED, "no memory for a message of %zu bytes",
                       r->n);
        return;
    }
    r->bytes = bytes;
    r->cap = cap;
}

void tw_reader_take(struct tw_reader *r, size_t n)
{
    int64_t received = tw_clock_now_ns(), began = tw_clock_steady_ns();
    struct tw_feed *f = r->feed;
    size_t done;

    tw_feed_began(f, began);
    r->total += n;
    r->n += n;
    hold_batch(r);
    done = r->codec->ops->decode(r->codec, r->bytes, r->n, received, &f->batch);
    r->n -= done;
    memmove(r->bytes, r->bytes + done, r->n);
    publish(r);
    tw_feed_flush(f);
    if (f->o.kind != TW_FEED_FILE || f->o.speed == 0)     /* not paced */
        tw_histogram_add(&f->io->parse_ns, tw_clock_steady_ns() - began);
    make_room(r);
    assert(r->n < r->cap);   /* else the codec waits for more than its longest */
}

void tw_reader_end(struct tw_reader *r)
{
    hold_batch(r);
    r->codec->ops->end(r->codec, r->bytes, r->n, tw_clock_now_ns(), &r->feed->batch);
    r->n = 0;
    publish(r);
    tw_feed_flush(r->feed);
}

static void on_alloc(uv_handle_t *stream, size_t suggested, uv_buf_t *out)
{
    struct tw_reader *r = stream->data;
    size_t n;

    (void)suggested;
    tw_be_feed();
    out->base = tw_reader_room(r, &n);
    out->len = n;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct tw_reader *r = stream->data;

    (void)buf;
    tw_be_feed();
    if (n > 0) tw_reader_take(r, (size_t)n);
    if (n >= 0) return;
    uv_read_stop(stream);
    tw_reader_end(r);
    if (!r->feed->over) r->lost(r, (int)n);
}

int tw_reader_start(struct tw_reader *r, uv_stream_t *stream,
                    void (*lost)(struct tw_reader *r, int why))
{
    r->lost = lost;
    r->total = 0;
    stream->data = r;
    return uv_read_start(stream, on_alloc, on_read);
}
