/* gaps.c - what is missing among bars: the same whether those that go on are looked at or
 * only counted. */
#include "feed/gaps.h"

#include <string.h>

#include "base/fixed.h"
#include "random.h"
#include "tap.h"

enum { BARS = 4000, STREAMS = 3 };

#define SECOND INT64_C(1000000000)

static struct tw_symbols *symbols;
static unsigned counted;

static void look(struct tw_gaps *g, const struct tw_record *r, uint64_t line,
                 bool goes_on)
{
    struct tw_place place = { .path = "bars.csv", .line = line };

    if (goes_on && tw_gaps_goes_on(g, r)) counted++;
    else tw_gaps_look(g, r, &place);
}

/* Bars of a few symbols and lengths, with holes, and some that go back. */
static void stream(int64_t limit_ns, unsigned holes, char out[2][TW_GAPS_TEXT])
{
    static const uint32_t lengths[] = { 60, 300, 3600, 86400 };
    struct tw_gaps *g[2] = { tw_gaps_new(limit_ns), tw_gaps_new(limit_ns) };
    const struct tw_ohlc bar = { 1, 2, 1, 2, 5 };
    struct { int64_t at; uint32_t seconds; } s[STREAMS];

    for (unsigned k = 0; k < STREAMS; k++) {
        s[k].seconds = lengths[next() % 4];
        s[k].at = (int64_t)(next() % 100000) * s[k].seconds;
    }
    for (uint64_t i = 0; i < BARS; i++) {
        const unsigned k = (unsigned)(next() % STREAMS);
        struct tw_record r = { .symbol = k / 2 + 1 };

        if (next() % holes == 0) s[k].at += (int64_t)(next() % 50) * s[k].seconds;
        if (next() % 100 == 0) s[k].at -= (int64_t)(next() % 90) * s[k].seconds;
        s[k].at += s[k].seconds;
        r.time = s[k].at * SECOND;
        tw_bar_set(&r, &bar, s[k].seconds, TW_BAR_TRADES);
        for (int j = 0; j < 2; j++) look(g[j], &r, i + 1, j == 1);
    }
    for (int j = 0; j < 2; j++) {
        if (!tw_gaps_text(g[j], symbols, out[j])) strcpy(out[j], "none");
        tw_gaps_free(g[j]);
    }
}

int main(void)
{
    char text[2][TW_GAPS_TEXT];
    unsigned wrong = 0, told = 0, none = 0;

    symbols = tw_symbols_new(10);
    tw_symbols_intern(symbols, "A", 1);
    tw_symbols_intern(symbols, "B", 1);
    for (unsigned i = 0; i < 600; i++) {
        stream(i % 3 ? 0 : 200 * SECOND, i % 2 ? 20 : 1000000, text);
        if (strcmp(text[0], text[1]) != 0)
            printf("# %s\n# %s\n", text[0], text[1]), wrong++;
        if (strcmp(text[0], "none") == 0) none++;
        else told++;
    }
    ok(wrong == 0, "bars that are counted tell the same (%u)", wrong);
    ok(told > 50 && none > 0, "%u streams lack bars, %u don't", told, none);
    ok(counted > 600 * BARS / 10, "%u bars were counted", counted);
    tw_symbols_free(symbols);
    return tap_done();
}
