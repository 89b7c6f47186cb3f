/* keys.c - what it costs to find the key of a row, and what a key holds.
 *
 * One declaration, then two that are by the same, whose keys are found once.
 * Nanoseconds of CPU time a row, the least of a few rounds over scattered rows, with
 * the statistics (a sum, a maximum); bytes a key, with their states.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stat/plan.h"

enum { ROWS = 1 << 18, BATCH = 256, ROUNDS = 5 };

static const struct tw_sources sources;
static struct tw_record rows[ROWS];

/* Row i has key i at first, so that all keys come; then they are scattered. */
static void make_rows(struct tw_symbols *symbols, uint32_t keys)
{
    uint64_t seed = 1;

    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t key = i;
        char name[16];

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (i >= keys) key = (uint32_t)(seed >> 33) % keys;
        snprintf(name, sizeof name, "S%u", key);
        rows[i] = (struct tw_record){
            .kind = TW_QUOTE, .time = i,
            .symbol = (uint32_t)tw_symbols_intern(symbols, name, strlen(name)),
        };
        rows[i].quote.bid = rows[i].quote.ask = 100;
        rows[i].quote.bid_size = (key + 1) * INT64_C(1000000000);
    }
}

static int64_t feed(struct tw_plan *p)
{
    const int64_t begin = tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID);

    for (uint32_t i = 0; i < ROWS; i += BATCH) {
        unsigned room;

        memcpy(tw_plan_rows(p, &room), rows + i, BATCH * sizeof *rows);
        tw_plan_add(p, BATCH);
        if (tw_plan_run(p) < 0) abort();
    }
    return tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static size_t bytes(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void measure(const char *by, uint32_t keys, unsigned n)
{
    struct tw_symbols *symbols = tw_symbols_new(TW_SYMBOL_MAX);
    struct tw_plan *p = tw_plan_new(&(struct tw_plan_options){ { symbols, &sources },
                                                               NULL, NULL });
    struct tw_plan_item item[2] = { { .name = "a" }, { .name = "b" } };
    struct tw_error error;
    char text[2][100];
    int64_t least = INT64_MAX;
    size_t before;

    for (unsigned i = 0; i < n; i++) {
        item[i].n = (size_t)snprintf(text[i], sizeof text[i], "%s by %s",
                                     i ? "max(ask)" : "sum(bid)", by);
        item[i].text = text[i];
    }
    if (tw_plan_track(p, item, n, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(EXIT_FAILURE);
    }
    make_rows(symbols, keys);
    before = bytes();
    feed(p);
    before = bytes() - before;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t took = feed(p);

        if (took < least) least = took;
    }
    printf("%-30s %8u %8u %8.1f %8.1f\n", by, keys, n, (double)least / ROWS,
           (double)before / keys);
    tw_plan_free(p);
    tw_symbols_free(symbols);
}

int main(void)
{
    static const char *const by[] = { "symbol", "(bid_size * 2)",
                                      "symbol, (bid_size * 2)" };

    printf("%-30s %8s %8s %8s %8s\n", "by", "keys", "declared", "ns a row", "bytes");
    for (unsigned i = 0; i < sizeof by / sizeof by[0]; i++)
        for (uint32_t keys = 1000; keys <= 100000; keys *= 100)
            for (unsigned n = 1; n <= 2; n++) measure(by[i], keys, n);
    return 0;
}
