/* recorder.c - a thread that writes a run's tape to a tape file.
 *
 * Why a thread of its own: a disk may take seconds for a write.  Where the tape can wait
 * it does, after its whole length; where it cannot, what the disk was too slow for is a
 * gap, which is recorded as one.
 *
 * Invariants
 *   R1  What has been on the tape for PAUSE_S is written, however little it is.
 *   R2  A value is read while it cannot be freed: by a reader of the epoch, who is away
 *       only while it sleeps.
 *   R3  A slot is given back to the tape when the writer has taken its record.
 *
 * Layer host/run.  Thread: see each function in recorder.h.
 */
#include "run/recorder.h"

#include <pthread.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "run/thread.h"
#include "share/cache_image.h"

enum { PAUSE_S = 1, PIECE = 256, NO_MESSAGE = ~(1 << TW_MESSAGE) };

struct tw_recorder {
    struct tw_recorder_options o;      /* constant                            */
    struct tw_cursor cursor;           /* owner: the thread                   */
    struct tw_epoch_reader *reader;    /* owner: the thread                   */
    struct tw_tape_writer *writer;     /* owner: the thread                   */
    struct tw_bytes image;             /* owner: the thread                   */
    int64_t last_ns;                   /* owner: the thread; of event time    */
    uint64_t left_out;                 /* owner: the thread; values           */
    struct tw_waiter waiter;
    struct tw_thread thread;
    pthread_mutex_t lock;
    pthread_cond_t wakes;
    bool awake, stopping;              /* mutex: under lock                   */
    bool started;                      /* owner: MAIN                         */
};

static void wake(void *ctx)
{
    struct tw_recorder *r = ctx;

    pthread_mutex_lock(&r->lock);
    r->awake = true;
    pthread_cond_signal(&r->wakes);
    pthread_mutex_unlock(&r->lock);
}

/* Until there is something, or PAUSE_S are over.  False: it is to end. */
static bool doze(struct tw_recorder *r)
{
    struct timespec until;
    bool stopping;
    int rc = 0;

    tw_waiter_arm(&r->waiter);
    tw_epoch_away(r->reader);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PAUSE_S;
    pthread_mutex_lock(&r->lock);
    while (!r->awake && !r->stopping && rc == 0 && !tw_cursor_ready(&r->cursor))
        rc = pthread_cond_timedwait(&r->wakes, &r->lock, &until);
    r->awake = false;
    stopping = r->stopping;
    pthread_mutex_unlock(&r->lock);
    tw_epoch_back(r->reader);
    tw_waiter_disarm(&r->waiter);
    return !stopping;
}

/* Its value as bytes.  One that no file can keep, an object or a record, is nil in it. */
static int record_message(struct tw_recorder *r, struct tw_record *m,
                          struct tw_error *error)
{
    struct tw_any value = { .kind = m->message.value_kind };
    int rc;

    value.block = m->message.value.block;
    r->image.n = 0;
    rc = tw_image_write(&r->image, &value);
    if (rc == TW_OK)
        return tw_tape_writer_add_message(r->writer, m, r->image.at, r->image.n, error);
    if (rc != TW_EUSAGE) return tw_fail(error, rc, "no memory to record a message");
    r->left_out++;
    m->message.value_kind = TW_VALUE_NIL;
    m->message.value.integer = 0;
    return tw_tape_writer_add(r->writer, m, 1, error);
}

/* One record, whatever it is: 1, 0: there is none, or what the writer said. */
static int record_one(struct tw_recorder *r, struct tw_error *error)
{
    struct tw_record one;
    int rc;

    if (!tw_cursor_next(&r->cursor, &one)) return 0;
    if (one.kind == TW_GAP && one.time == 0) one.time = one.received = r->last_ns;
    if (one.kind == TW_MESSAGE && one.message.value_kind == TW_VALUE_BLOCK)
        rc = record_message(r, &one, error);
    else
        rc = tw_tape_writer_add(r->writer, &one, 1, error);
    return rc < 0 ? rc : 1;
}

/* What there is, a piece at most: how many, or what the writer said. */
static int record_some(struct tw_recorder *r, struct tw_error *error)
{
    struct tw_record piece[PIECE];
    unsigned n = tw_cursor_take(&r->cursor, (unsigned)NO_MESSAGE, piece, PIECE);
    int rc = n > 0 ? tw_tape_writer_add(r->writer, piece, n, error) : TW_OK;

    if (n > 0) r->last_ns = piece[n - 1].time;
    if (rc == TW_OK && n < PIECE) rc = record_one(r, error);
    if (rc >= 0) rc += (int)n;
    tw_cursor_commit(&r->cursor);   /* R3 */
    tw_epoch_quiet(r->reader);
    return rc;
}

static void tell_end(struct tw_recorder *r, struct tw_error *error)
{
    struct tw_tape_written written;
    int rc = tw_tape_writer_flush(r->writer, error), closed;

    written = tw_tape_writer_written(r->writer);
    closed = tw_tape_writer_close(r->writer, error);
    r->writer = NULL;
    if (rc == TW_OK) rc = closed;
    if (rc < 0) {
        tw_log_printf(r->o.log, TW_LOG_ERROR, "recorder", "%s", error->text);
        r->o.failed(r->o.ctx);
        return;
    }
    if (r->left_out > 0)
        tw_log_printf(r->o.log, TW_LOG_WARN, "recorder", "the values of %llu messages"
                      " hold objects or records and are nil in the file",
                      (unsigned long long)r->left_out);
    if (r->cursor.lost > 0)
        tw_log_printf(r->o.log, TW_LOG_WARN, "recorder", "%llu records are missing: the"
                      " disk was too slow", (unsigned long long)r->cursor.lost);
    tw_log_printf(r->o.log, TW_LOG_INFO, "recorder", "%s: %llu records", r->o.path,
                  (unsigned long long)written.records);
}

static void run(void *arg)
{
    struct tw_recorder *r = arg;
    struct tw_error error = { 0 };
    int64_t written_ns = tw_clock_steady_ns(), now;
    bool going = true;
    int n = 0;

    tw_epoch_back(r->reader);
    while (n >= 0 && (going || n > 0)) {
        n = record_some(r, &error);
        if (n == 0 && going) going = doze(r);
        now = tw_clock_tick_ns();
        if (n >= 0 && now - written_ns >= PAUSE_S * INT64_C(1000000000)) {   /* R1 */
            written_ns = now;
            if (tw_tape_writer_flush(r->writer, &error) < 0) n = error.code;
        }
        if (!going && n == 0) n = tw_cursor_ready(&r->cursor);
    }
    tw_cursor_close(&r->cursor);   /* who pushes waits no more */
    tell_end(r, &error);
    tw_epoch_away(r->reader);
}

struct tw_recorder *tw_recorder_new(const struct tw_recorder_options *options,
                                    struct tw_error *error)
{
    struct tw_recorder *r = tw_calloc_aligned(1, sizeof *r);
    pthread_condattr_t monotonic;
    int rc;

    if (!r) {
        tw_fail(error, UV_ENOMEM, "no memory for a recorder");
        return NULL;
    }
    r->o = *options;
    r->cursor.reader = -1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wakes, &monotonic);
    pthread_condattr_destroy(&monotonic);
    r->reader = tw_epoch_join(options->epoch);
    rc = r->reader ? tw_cursor_open(&r->cursor, options->tape, options->reliable, 1)
                   : UV_ENOMEM;
    if (rc < 0) {
        tw_fail(error, rc, "cannot record: %s", tw_strerror(rc));
    } else {
        r->writer = tw_tape_writer_open(options->path, &options->writer, error);
        if (r->writer) {
            tw_waiter_open(&r->waiter, options->tape, wake, r);
            return r;
        }
    }
    tw_recorder_free(r);
    return NULL;
}

int tw_recorder_start(struct tw_recorder *r, struct tw_error *error)
{
    int rc;

    r->thread.waiting = r->o.waiting;
    r->thread.ctx = r->o.ctx;
    rc = tw_thread_start(&r->thread, "tw-recorder", run, r);
    if (rc < 0)
        return tw_fail(error, rc, "cannot start the recorder: %s", tw_strerror(rc));
    r->started = true;
    return TW_OK;
}

void tw_recorder_stop(struct tw_recorder *r)
{
    if (!r->started) return;
    r->started = false;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->wakes);
    pthread_mutex_unlock(&r->lock);
    tw_thread_join(&r->thread);
}

void tw_recorder_free(struct tw_recorder *r)
{
    struct tw_error error;

    if (!r) return;
    tw_recorder_stop(r);
    tw_cursor_close(&r->cursor);
    tw_tape_writer_close(r->writer, &error);   /* it never ran */
    tw_bytes_free(&r->image);
    pthread_cond_destroy(&r->wakes);
    pthread_mutex_destroy(&r->lock);
    tw_free(r);
}
