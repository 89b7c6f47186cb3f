/* fix_session.c - what a session adds to a message: nanoseconds each, in and out.
 *
 * An acceptor reads orders in order, each beside reading and checking it alone; then it
 * sends as many.  Its store is in memory, a file, and a file that is synced for each 64
 * KiB that go out.  The least of a few times: the first one waits for the processor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fix/draft.h"
#include "fix/session.h"

enum { BYTES = 64 << 10, ROUNDS = 200, TIMES = 5 };

static char text[BYTES], folder[] = "/tmp/bench_fix_session.XXXXXX";
static const struct tw_fix_now now = { INT64_C(1767348000000000000), 1 };
static uint64_t taken;

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    taken += m->n;
    return TW_FIX_TAKEN;
}

static void order(struct tw_fix_output *o, uint64_t seq)
{
    tw_fix_put_text(o, 1, "ACCOUNT", 7);
    tw_fix_put_integer(o, 11, (int64_t)(7000000 + seq));
    tw_fix_put_char(o, 21, '1');
    tw_fix_put_integer(o, 38, (int64_t)(1 + seq % 50) * 100);
    tw_fix_put_char(o, 40, '2');
    tw_fix_put_fixed(o, 44, (int64_t)(18700 + seq % 100) * 10000000);
    tw_fix_put_char(o, 54, '1' + (char)(seq % 2));
    tw_fix_put_text(o, 55, "AAPL", 4);
    tw_fix_put_char(o, 59, '0');
    tw_fix_put_time(o, 60, now.time_ns, TW_FIX_MS);
}

/* A peer's message; the first one is its Logon. */
static size_t write_one(char *out, size_t room, uint64_t seq)
{
    struct tw_fix_output o;
    char *p;
    int64_t n;

    tw_fix_begin(&o, out, room, "FIX.4.4", seq > 1 ? "D" : "A", 1);
    tw_fix_put_integer(&o, 34, (int64_t)seq);
    tw_fix_put_text(&o, 49, "TIDEWIRE", 8);
    tw_fix_put_time(&o, 52, now.time_ns, TW_FIX_MS);
    tw_fix_put_text(&o, 56, "EXCHANGE1", 9);
    if (seq > 1) {
        order(&o, seq);
    } else {
        tw_fix_put_char(&o, 98, '0');
        tw_fix_put_integer(&o, 108, 30);
    }
    n = tw_fix_finish(&o, &p);
    if (n > 0) memmove(out, p, (size_t)n);
    return n > 0 ? (size_t)n : 0;
}

static void drain(struct tw_fix_session *s)
{
    struct tw_fix_store_job job;
    const char *p;
    size_t n;

    if (tw_fix_session_sync_begin(s, &job))
        tw_fix_session_sync_end(s, &job, tw_fix_store_sync_run(&job));
    tw_fix_session_output(s, &p, &n);
    tw_fix_session_written(s, now, n);
}

/* Nanoseconds a message that is read and checked, without a session. */
static double alone(struct tw_fix_dictionary *d)
{
    struct tw_fix_message m;
    struct tw_fix_frame f;
    uint64_t seq = 2, messages = 0;
    int64_t spent = 0;

    if (tw_fix_message_init(&m, 4096, 100) < 0) exit(1);
    for (int i = 0; i < ROUNDS; i++) {
        size_t n = 0, more;
        int64_t t;

        while ((more = write_one(text + n, sizeof text - n, seq)) > 0) n += more, seq++;
        t = tw_clock_steady_ns();
        for (const char *p = text; p < text + n; p += m.length, messages++)
            if (tw_fix_message_frame(&m, p, (size_t)(text + n - p), &f) != TW_FIX_WHOLE
                || tw_fix_message_read(&m, d, p, &f) < 0
                || tw_fix_check(&m, TW_FIX_CHECK_STRICT).reason != TW_FIX_FINE)
                exit(1);
        spent += tw_clock_steady_ns() - t;
    }
    tw_fix_message_fini(&m);
    return (double)spent / (double)messages;
}

static void session(struct tw_fix_dictionary *d, const char *file, enum tw_fix_sync sync,
                    double *in_ns, double *out_ns)
{
    struct tw_error error = { .text = "" };
    struct tw_fix_store *store = tw_fix_store_open(&(struct tw_fix_store_options){
        .path = file, .sync = sync, .now_ns = now.time_ns }, &error);
    struct tw_fix_session *s = store ? tw_fix_session_new(
        &(struct tw_fix_session_options){
            .dictionary = d, .store = store, .check = TW_FIX_CHECK_STRICT,
            .sender = "EXCHANGE1", .target = "TIDEWIRE", .message_max = 4096,
            .fields_max = 100, .synced = sync == TW_FIX_SYNC_EACH,
            .handlers = { .message = on_message } }, &error) : NULL;
    uint64_t seq = 1, first;
    int64_t in = 0, out = 0;
    size_t n = write_one(text, sizeof text, seq++), more;

    if (!s || tw_fix_session_connected(s, now, &error) < 0) {
        printf("%s\n", error.text);
        exit(1);
    }
    tw_fix_session_receive(s, now, text, n);
    drain(s);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t t;

        for (n = 0; (more = write_one(text + n, sizeof text - n, seq)) > 0; n += more)
            seq++;
        t = tw_clock_steady_ns();
        tw_fix_session_receive(s, now, text, n);
        drain(s);
        in += tw_clock_steady_ns() - t;
    }
    if (tw_fix_session_status(s).next_in != seq) exit(1);
    for (first = tw_fix_session_status(s).next_out; out == 0 || seq > 2;) {
        int64_t t = tw_clock_steady_ns();

        for (size_t i = 0; i < 400 && seq > 2; i++, seq--) {
            struct tw_fix_output *o;

            if (tw_fix_session_begin(s, now, "D", NULL, 0, &o, &error) < 0) exit(1);
            order(o, seq);
            if (tw_fix_session_send(s, NULL, &error) < 0) exit(1);
        }
        drain(s);
        out += tw_clock_steady_ns() - t;
    }
    first = tw_fix_session_status(s).next_out - first;
    *in_ns = (double)in / (double)first;
    *out_ns = (double)out / (double)first;
    tw_fix_session_free(s);
    tw_fix_store_close(store);
    if (file) unlink(file);
}

static void sessions(struct tw_fix_dictionary *d, const char *label, const char *file,
                     enum tw_fix_sync sync)
{
    double in = 1e9, out = 1e9, this_in, this_out;

    for (int i = 0; i < TIMES; i++) {
        session(d, file, sync, &this_in, &this_out);
        if (this_in < in) in = this_in;
        if (this_out < out) out = this_out;
    }
    printf("  %-24s %8.0f %8.0f\n", label, in, out);
}

int main(void)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d;
    struct tw_error error;
    double least = 1e9, ns;
    char file[60];

    if (!t || tw_fix_draft_version(t, TW_FIX_44, &error) < 0
        || tw_fix_draft_finish(t, &d, &error) < 0 || !mkdtemp(folder))
        return 1;
    tw_fix_draft_free(t);
    printf("35=D, ns a message             in      out\n");
    for (int i = 0; i < TIMES; i++)
        if ((ns = alone(d)) < least) least = ns;
    printf("  %-24s %8.0f\n", "read and checked alone", least);
    sessions(d, "session, store in memory", NULL, TW_FIX_SYNC_NEVER);
    snprintf(file, sizeof file, "%s/store", folder);
    sessions(d, "a file", file, TW_FIX_SYNC_NEVER);
    sessions(d, "a file that is synced", file, TW_FIX_SYNC_EACH);
    rmdir(folder);
    tw_fix_dictionary_free(d);
    return taken > 0 ? 0 : 1;
}
