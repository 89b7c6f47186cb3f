/* feed_file.c - feeds out of a file, flat out or at its own times, and stdin.
 *
 * Why in steps: a file is read in the turns between the loop's other work, a
 * piece each, so that a gigabyte of history does not keep a socket waiting.
 *
 * Paced, the codec runs ahead of the clock by one piece: its records wait in
 * `ahead`, in order, and the next piece is read when they are gone.
 *
 *   ahead:  | on the tape | not due yet |
 *           0           first           n        cap
 *
 * Layer host/run.  Thread: open and free MAIN, all else FEED.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "feed/input.h"
#include "run/feed.h"
#include "run/net.h"
#include "run/pace.h"
#include "run/pump.h"

enum { PACED_BYTES = 4096, LINE_BYTES = 64, AHEAD = 1024, DOZE = 4096 };

struct file {
    struct tw_feed feed;
    struct tw_pump pump;
    struct tw_reader reader;
    struct tw_input *in;              /* NULL: stdin                           */
    bool over;                        /* there is nothing more to read,        */
    struct tw_error error;            /* and this is why, if its code is not 0 */
    struct tw_pace pace;
    struct tw_record *ahead;
    size_t first, n, cap;
    char *label;                      /* "PATH: ", before what is wrong in it  */
    void (*full)(struct tw_batch *);  /* of FIX: where what can be goes        */
};

/* The `full` of a paced feed: keeps the records until they are due. */
static void keep_ahead(struct tw_batch *batch)
{
    struct file *f = batch->owner;
    size_t n = f->n + batch->n;

    tw_be_feed();
    if (n > f->cap) {
        struct tw_record *more = tw_grow(f->ahead, &f->cap, n, sizeof *more);

        if (!more) {
            tw_feed_finish(&f->feed, TW_FEED_FAILED, "no memory for %zu records", n);
            batch->n = 0;
            return;
        }
        f->ahead = more;
    }
    memcpy(f->ahead + f->n, batch->r, batch->n * sizeof *batch->r);
    f->n += batch->n;
    batch->n = 0;
}

/* Appends what is due; how long until the next is, in ns. */
static int64_t TW_ON(FEED) release(struct file *f)
{
    int64_t received = tw_clock_now_ns(), now = tw_clock_steady_ns(), wait_ns = 0;
    size_t i, most = tw_feed_turn(&f->feed, true, f->n - f->first);

    for (i = f->first; i < f->first + most; i++) {
        wait_ns = tw_pace_wait(&f->pace, f->ahead[i].time, now);
        if (wait_ns > 0) break;
        f->ahead[i].received = received;
    }
    if (i > f->first) tw_feed_append(&f->feed, f->ahead + f->first, i - f->first);
    f->first = i;
    if (f->first == f->n) f->first = f->n = 0;
    tw_feed_flush(&f->feed);
    return wait_ns;
}

static int64_t read_bytes(struct file *f, char *out, size_t n)
{
    ssize_t got;

    if (f->in) return tw_input_read(f->in, out, n, &f->error);
    do got = read(STDIN_FILENO, out, n);
    while (got < 0 && errno == EINTR);
    if (got >= 0) return got;
    return tw_fail(&f->error, -errno, "cannot read: %s", tw_strerror(-errno));
}

static void TW_ON(FEED) read_piece(struct file *f)
{
    size_t n;
    char *room = tw_reader_room(&f->reader, &n);
    int64_t got;

    if (f->pace.speed > 0 && n > PACED_BYTES) n = PACED_BYTES;
    if (f->in && f->pace.speed == 0)
        n = LINE_BYTES * tw_feed_turn(&f->feed, false, n / LINE_BYTES);
    got = read_bytes(f, room, n);
    if (got > 0) {
        tw_reader_take(&f->reader, (size_t)got);
        return;
    }
    f->over = got < 0 || !f->in || !tw_input_more(f->in);
    if (got == 0) tw_reader_end(&f->reader);   /* else its last line is half of one */
}

/* The `full` of FIX, which has no lines.  A record that can't be is left out. */
static void keep_checked(struct tw_batch *batch)
{
    struct file *f = batch->owner;
    unsigned n = batch->n;

    tw_be_feed();
    batch->n = 0;
    for (unsigned i = 0; i < n; i++)
        if (tw_reader_check(&f->reader, &batch->r[i],
                            &(struct tw_place){ .path = f->feed.o.path,
                                                .message = batch->r[i].source_seq }))
            batch->r[batch->n++] = batch->r[i];
    f->full(batch);
}

static int64_t step(void *arg)
{
    struct file *f = arg;

    tw_be_feed();
    if (f->first < f->n) return release(f);
    if (!f->over) read_piece(f);
    else if (f->error.code) tw_feed_finish(&f->feed, TW_FEED_FAILED, "%s", f->error.text);
    else tw_feed_finish(&f->feed, TW_FEED_ENDED, "ended");
    return 0;
}

static int file_open(struct tw_feed *feed, struct tw_error *error)
{
    struct file *f = (struct file *)feed;
    size_t n;

    if (feed->o.kind == TW_FEED_FILE) {
        f->in = tw_input_open(feed->o.path, feed->o.member, error);
        if (!f->in) return error->code;
        feed->gaps = tw_gaps_new(0);
        if (!feed->gaps) return tw_fail(error, UV_ENOMEM, "no memory for a feed");
        f->pace.speed = feed->o.speed;
        if (f->pace.speed > 0) feed->batch.full = keep_ahead;
        f->full = feed->batch.full;
        if (feed->o.format == TW_FORMAT_FIX) feed->batch.full = keep_checked;
        n = strlen(feed->o.path) + 3;
        f->label = tw_calloc(1, n);
        if (!f->label) return tw_fail(error, UV_ENOMEM, "no memory for a feed");
        snprintf(f->label, n, "%s: ", feed->o.path);
    }
    return tw_reader_init(&f->reader, feed, f->label ? f->label : "", error);
}

static void file_start(struct tw_feed *feed)
{
    struct file *f = (struct file *)feed;

    tw_be_feed();
    if (f->pace.speed == 0) {
        size_t half = tw_tape_lead(feed->io->o.tape) / 2;

        feed->doze = half < DOZE ? half : DOZE;
    }
    tw_feed_enter(feed, TW_FEED_LIVE, "opened");
    tw_pump_start(&f->pump, &feed->io->loop, step, f);
}

static void file_close(struct tw_feed *feed)
{
    tw_be_feed();
    tw_pump_close(&((struct file *)feed)->pump);
}

static void file_free(struct tw_feed *feed)
{
    struct file *f = (struct file *)feed;

    tw_reader_fini(&f->reader);
    tw_input_close(f->in);
    tw_free(f->label);
    tw_free(f->ahead);
}

const struct tw_feed_ops tw_feed_file_ops = {
    sizeof(struct file), file_open, NULL, file_start, file_close, file_free,
};

/* ---- standard input that is a pipe, a terminal or a socket ---- */

struct standard {
    struct tw_feed feed;
    struct tw_reader reader;
    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
        uv_tcp_t tcp;
    } handle;
};

static int stdin_open(struct tw_feed *f, struct tw_error *error)
{
    if (uv_guess_handle(STDIN_FILENO) == UV_UNKNOWN_HANDLE)
        return tw_fail(error, UV_EBADF, "standard input is not open");
    return tw_reader_init(&((struct standard *)f)->reader, f, "", error);
}

static void on_stdin_lost(struct tw_reader *r, int why)
{
    tw_be_feed();
    if (why == UV_EOF) tw_feed_finish(r->feed, TW_FEED_ENDED, "ended");
    else tw_feed_finish(r->feed, TW_FEED_FAILED, "cannot read: %s", tw_strerror(why));
}

static void stdin_start(struct tw_feed *f)
{
    struct standard *s = (struct standard *)f;
    uv_loop_t *loop = &f->io->loop;
    int rc;

    tw_be_feed();
    switch (uv_guess_handle(STDIN_FILENO)) {
    case UV_TTY:
        rc = uv_tty_init(loop, &s->handle.tty, STDIN_FILENO, 0);
        break;
    case UV_TCP:
        rc = uv_tcp_init(loop, &s->handle.tcp);
        if (rc == 0) rc = uv_tcp_open(&s->handle.tcp, STDIN_FILENO);
        break;
    default:
        rc = uv_pipe_init(loop, &s->handle.pipe, 0);
        if (rc == 0) rc = uv_pipe_open(&s->handle.pipe, STDIN_FILENO);
    }
    if (rc == 0) rc = tw_reader_start(&s->reader, &s->handle.stream, on_stdin_lost);
    if (rc < 0) tw_feed_finish(f, TW_FEED_FAILED, "cannot read: %s", tw_strerror(rc));
    else tw_feed_enter(f, TW_FEED_LIVE, "opened");
}

static void stdin_close(struct tw_feed *f)
{
    tw_net_close(&((struct standard *)f)->handle.any);
}

static void stdin_free(struct tw_feed *f)
{
    tw_reader_fini(&((struct standard *)f)->reader);
}

const struct tw_feed_ops tw_feed_stdin_ops = {
    sizeof(struct standard), stdin_open, NULL, stdin_start, stdin_close, stdin_free,
};
