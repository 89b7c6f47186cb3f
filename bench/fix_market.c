/* fix_market.c - nanoseconds from the bytes of market data to records through a FIX
 * session: parsed, checked against the dictionary, numbered, and read into a book.
 *
 * Beside it a plain scan of the same bytes, and the session without what reads the
 * market data.  35=W x 10 has five bids and five offers; 35=X x 3 changes three of those
 * levels; of 35=X x 1, the best one.  "and levels" has a record for each that has
 * changed, too; the last line is what a script's worker does with one of these.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fixed.h"
#include "fix/draft.h"
#include "fix/market_data.h"
#include "fix_scan.h"
#include "random.h"
#include "tape/ladder.h"

enum { BYTES = 128 << 10, ROUNDS = 100, PARTS = 4 };

static char text[BYTES];
static const int64_t start_ns = INT64_C(1767348000000000000);
static struct tw_fix_dictionary *dictionary;
static struct tw_fix_session *session;
static struct tw_fix_md *mds[2], *md;   /* the second tells levels */
static struct tw_fix_now now;
static struct tw_batch batch;
static uint64_t records, request;
static struct tw_ladder ladder;
static bool climbs;                   /* what comes is read into the ladder */
static bool reads;                    /* market data is read, not passed over */

static void take(struct tw_batch *b)
{
    records += b->n;
    for (unsigned i = 0; climbs && i < b->n; i++)
        if (b->r[i].kind == TW_LEVEL) tw_ladder_take(&ladder, &b->r[i].level);
    b->n = 0;
}

static int on_send(void *ctx, const char *code, const char *body, size_t n)
{
    (void)ctx, (void)code, (void)n;
    request = strtoull(body + 4, NULL, 10);
    return TW_OK;
}

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    return reads ? tw_fix_md_message(md, now, m, &batch) : TW_FIX_TAKEN;
}

static void on_event(void *ctx, const struct tw_fix_event *e)
{
    (void)ctx;
    for (int i = 0; i < 2; i++) tw_fix_md_session_event(mds[i], now, e, &batch);
}

static void begin(struct tw_fix_output *o, char *out, size_t room, const char *type,
                  uint64_t seq)
{
    tw_fix_begin(o, out, room, "FIX.4.4", type, 1);
    tw_fix_put_integer(o, 34, (int64_t)seq);
    tw_fix_put_text(o, 49, "EXCHANGE1", 9);
    tw_fix_put_time(o, 52, start_ns + (int64_t)seq * 100000, TW_FIX_MS);
    tw_fix_put_text(o, 56, "TIDEWIRE", 8);
}

static int64_t level(unsigned i)
{
    int64_t place = i / 2 * 10000000;

    return (i % 2 ? 18701 : 18700) * INT64_C(10000000)
           + (i % 2 ? place : -place);
}

static size_t write_one(int kind, char *out, size_t room, uint64_t seq, char **p)
{
    static const unsigned entries[] = { 10, 3, 1 };
    struct tw_fix_output o;
    int64_t n;

    begin(&o, out, room, kind ? "X" : "W", seq);
    tw_fix_put_integer(&o, 262, (int64_t)request);
    if (!kind) tw_fix_put_text(&o, 55, "AAPL", 4);
    tw_fix_put_integer(&o, 268, entries[kind]);
    for (unsigned i = 0; i < entries[kind]; i++) {
        if (kind) tw_fix_put_char(&o, 279, '1');
        tw_fix_put_char(&o, 269, i % 2 ? '1' : '0');
        if (kind) tw_fix_put_text(&o, 55, "AAPL", 4);
        tw_fix_put_fixed(&o, 270, level(i));
        tw_fix_put_integer(&o, 271, (int64_t)(1 + seq % 50) * 100);
    }
    n = tw_fix_finish(&o, p);
    if (n < 0) exit(1);
    return (size_t)n;
}

static size_t fill(int kind, size_t *messages)
{
    static char one[4096];
    size_t n = 0;

    for (*messages = 0; ; ++*messages) {
        char *p;
        size_t length = write_one(kind, one, sizeof one, 2 + *messages, &p);

        if (n + length > sizeof text) return n;
        memcpy(text + n, p, length);
        n += length;
    }
}

static void log_on(struct tw_symbols *symbols)
{
    struct tw_fix_store *store = tw_fix_store_open(&(struct tw_fix_store_options){
        .now_ns = start_ns }, NULL);
    char out[512], *p;
    const char *bytes;
    struct tw_fix_output o;
    int64_t n;
    size_t waits;

    now = (struct tw_fix_now){ start_ns, 1000000000 };
    for (int i = 0; i < 2; i++) {
        mds[i] = tw_fix_md_new(&(struct tw_fix_md_options){
            .symbols = symbols, .source = 1, .incremental = true, .levels = i,
            .start_ns = start_ns, .send = on_send });
        tw_fix_md_subscribe(mds[i], "AAPL", 4);
    }
    session = tw_fix_session_new(&(struct tw_fix_session_options){
        .dictionary = dictionary, .store = store, .initiator = true,
        .sender = "TIDEWIRE", .target = "EXCHANGE1", .heartbeat_s = 30,
        .check = TW_FIX_CHECK_STRICT,
        .handlers = { .message = on_message, .event = on_event } }, NULL);
    if (!session || tw_fix_session_connected(session, now, NULL) < 0) exit(1);
    tw_fix_session_output(session, &bytes, &waits);
    tw_fix_session_written(session, now, waits);
    begin(&o, out, sizeof out, "A", 1);
    tw_fix_put_integer(&o, 98, 0);
    tw_fix_put_integer(&o, 108, 30);
    n = tw_fix_finish(&o, &p);
    tw_fix_session_receive(session, now, p, (size_t)n);
    if (!request) exit(1);
}

/* All of the text through the session, again. */
static void receive(size_t n)
{
    if (tw_fix_session_set_numbers(session, 2, 2, NULL) < 0
        || tw_fix_session_receive(session, now, text, n) != n)
        exit(1);
    take(&batch);
}

/* Levels of 35=X x 1 into the ladder, alone: as often as they come. */
static void climb(int rounds)
{
    struct tw_level change = { .size = 1 };
    int64_t began;

    climbs = true;
    md = mds[1];
    receive(fill(0, &(size_t){0}));
    climbs = false;
    began = tw_clock_steady_ns();
    for (int i = 0; i < rounds * 10000; i++) {
        change.price = level((unsigned)i % 10);
        change.offer = i % 2;
        change.size = i + 1;
        change.change = i % 7 ? TW_LEVEL_SET : TW_LEVEL_GONE;
        tw_ladder_take(&ladder, &change);
    }
    printf("a level read into a book: %.1f ns\n",
           (double)(tw_clock_steady_ns() - began) / (rounds * 10000));
    tw_ladder_fini(&ladder);
}

int main(void)
{
    static const char *const label[] = { "35=W x 10", "35=X x 3", "35=X x 1" };
    int rounds = getenv("SMALL") ? 1 : ROUNDS;
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_fix_draft *t = tw_fix_draft_new();

    if (!t || tw_fix_draft_version(t, TW_FIX_44, NULL) < 0
        || tw_fix_draft_finish(t, &dictionary, NULL) < 0)
        return 1;
    tw_fix_draft_free(t);
    batch.full = take;
    log_on(symbols);
    printf("%-10s %6s %6s %8s %10s %10s\n", "ns/message", "bytes", "scan", "session",
           "to records", "and levels");
    for (int kind = 0; kind < 3; kind++) {
        double best[PARTS] = { 1e9, 1e9, 1e9, 1e9 };
        size_t messages, n = fill(kind, &messages);

        for (int round = 0; round < rounds * PARTS; round++) {
            int64_t began = tw_clock_steady_ns();
            double ns;

            reads = round % PARTS >= 2;
            md = mds[round % PARTS == 3];
            if (round % PARTS == 0) sink += scan(text, text + n);
            else receive(n);
            ns = (double)(tw_clock_steady_ns() - began) / (double)messages;
            if (ns < best[round % PARTS]) best[round % PARTS] = ns;
        }
        printf("%-10s %6zu %6.0f %8.0f %10.0f %10.0f\n", label[kind], n / messages,
               best[0], best[1], best[2], best[3]);
    }
    climb(rounds);
    for (int i = 0; i < 2; i++) {
        struct tw_fix_md_stats seen = tw_fix_md_stats(mds[i]);

        if (records == 0 || seen.refused || seen.stale || seen.unknown) return 1;
    }
    return 0;
}
