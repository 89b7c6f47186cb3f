/* fix.c - nanoseconds a FIX message, beside a plain scan of the same bytes.
 *
 * The scan does what no reader of FIX can leave out: it finds the message's
 * end by BodyLength, adds up the bytes for CheckSum and splits the fields.
 * Messages are those of our own writers, 256 KiB of them over and over, as a
 * socket would have them in the cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fixed.h"
#include "feed/fix.h"
#include "fix_scan.h"
#include "random.h"

enum { BYTES = 256 << 10, SYMBOLS = 1000, ROUNDS = 5 };

static char names[SYMBOLS][8];
static char text[BYTES];

enum kind { SNAPSHOT, UPDATE, PLAIN_UPDATE, QUOTE, OTHER, KINDS };

static const char *const label[KINDS] = {
    "35=W bid and offer", "35=X bid and offer", "35=X without 279", "35=S both sides",
    "35=D, ignored",
};

static int64_t write_one(struct tw_fix_writer *w, enum kind kind, char *out, size_t cap)
{
    const char *name = names[next() % SYMBOLS];
    int64_t mid = (int64_t)(2000 + next() % 50000), lot = 100 * TW_FIXED_ONE;
    struct tw_quote q = {
        mid * 10000000, (mid + 1 + (int64_t)(next() % 5)) * 10000000,
        (int64_t)(1 + next() % 50) * lot, (int64_t)(1 + next() % 50) * lot,
    };
    int64_t time = INT64_C(1704187800000000000) + (int64_t)w->seq * 50000;

    return kind == SNAPSHOT ? tw_fix_write_snapshot(w, name, &q, time, out, cap)
           : kind == UPDATE ? tw_fix_write_update(w, name, &q, time, out, cap)
           : tw_fix_write_quote(w, name, &q, time, out, cap);
}

/* The same message with other bytes in it: `type`, and CheckSum made right. */
static void retype(char *p, int64_t n, char type)
{
    unsigned sum = 0;
    char *at = strstr(p, "35=");
    char digits[4];

    at[3] = type;
    for (int64_t i = 0; i < n - 7; i++) sum += (unsigned char)p[i];
    snprintf(digits, sizeof digits, "%03u", sum & 255);
    memcpy(p + n - 4, digits, 3);
}

static size_t fill(enum kind kind, size_t *messages)
{
    struct tw_fix_writer w = { "FIX.4.4", "EXCHANGE1", "TIDEWIRE", 100000 };
    size_t n = 0;

    for (*messages = 0; ; ++*messages) {
        enum kind like = kind == PLAIN_UPDATE ? SNAPSHOT : kind == OTHER ? QUOTE : kind;
        int64_t length = write_one(&w, like, text + n, sizeof text - n);

        if (length < 0) return n;
        if (kind == PLAIN_UPDATE) retype(text + n, length, 'X');
        if (kind == OTHER) retype(text + n, length, 'D');
        n += (size_t)length;
    }
}

static void take(struct tw_batch *b)
{
    sink += (uint64_t)b->r[b->n - 1].quote.bid;
    b->n = 0;
}

/* The best of a few rounds, each of `times` times all of text. */
static double decode_ns(struct tw_codec *c, size_t n, size_t messages, int times)
{
    static struct tw_batch batch = { .full = take };
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = tw_clock_steady_ns();
        double ns;

        for (int i = 0; i < times; i++)
            if (c->ops->decode(c, text, n, start, &batch) != n) exit(1);
        ns = (double)(tw_clock_steady_ns() - start) / times / (double)messages;
        if (ns < best) best = ns;
    }
    return best;
}

static double scan_ns(size_t n, size_t messages, int times)
{
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = tw_clock_steady_ns();
        double ns;

        for (int i = 0; i < times; i++)
            if (scan(text, text + n) != messages) exit(1);
        ns = (double)(tw_clock_steady_ns() - start) / times / (double)messages;
        if (ns < best) best = ns;
    }
    return best;
}

static double write_ns(enum kind kind)
{
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        struct tw_fix_writer w = { "FIX.4.4", "EXCHANGE1", "TIDEWIRE", 100000 };
        const int times = 200000;
        int64_t start = tw_clock_steady_ns();
        double ns;

        for (int i = 0; i < times; i++) sink += (uint64_t)write_one(&w, kind, text,
                sizeof text);
        ns = (double)(tw_clock_steady_ns() - start) / times;
        if (ns < best) best = ns;
    }
    return best;
}

int main(void)
{
    struct tw_symbols *symbols = tw_symbols_new(SYMBOLS + 1);
    int times = getenv("SMALL") ? 5 : 60;

    for (int i = 0; i < SYMBOLS; i++)
        snprintf(names[i], sizeof names[i], "%c%c%c%c", 'A' + i / 26 % 26, 'A' + i % 26,
                 'A' + i * 7 % 26, 'A' + i / 676);
    printf("%-20s %6s %12s %12s %7s %12s\n", "FIX message", "bytes", "decode",
           "plain scan",
           "ratio", "write");
    for (int kind = 0; kind < KINDS; kind++) {
        struct tw_fix_options options = { .symbols = symbols, .source = 1 };
        struct tw_codec *c = tw_fix_decoder_new(&options);
        size_t messages, n = fill((enum kind)kind, &messages);
        double decode = decode_ns(c, n, messages, times), plain =
            scan_ns(n, messages, times);

        if (c->stats.errors || c->stats.skips ||
            (kind == OTHER ? c->stats.ignored : c->stats.records) != c->stats.messages)
            return 1;
        printf("%-20s %6zu %9.1f ns %9.1f ns %7.2f", label[kind], n / messages, decode,
               plain,
               decode / plain);
        if (kind == PLAIN_UPDATE || kind == OTHER) printf(" %12s\n", "-");
        else printf(" %9.1f ns\n", write_ns((enum kind)kind));
        c->ops->free(c);
    }
    tw_symbols_free(symbols);
    return 0;
}
