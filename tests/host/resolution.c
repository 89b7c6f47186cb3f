/* resolution.c - what the records of each symbol are, in a line, and which are wanted. */
#include "feed/resolution.h"

#include <string.h>

#include "base/memory.h"
#include "tap.h"

static struct tw_symbols *symbols;

static struct tw_record a_bar(uint32_t symbol, uint32_t seconds, enum tw_bar_price of)
{
    struct tw_record r = { .symbol = symbol };

    tw_bar_set(&r, &(struct tw_ohlc){ 1, 1, 1, 1, 1 }, seconds, of);
    return r;
}

static struct tw_record a_quote(uint32_t symbol)
{
    return (struct tw_record){ .symbol = symbol, .kind = TW_QUOTE };
}

static void look(struct tw_mix *m, struct tw_record r)
{
    if (tw_mix_look(m, &r) < 0) ok(false, "memory");
}

static void mixed(void)
{
    struct tw_mix *m = tw_mix_new();
    char text[TW_MIX_TEXT];

    ok(!tw_mix_text(m, symbols, text) && !tw_mix_sides(m, symbols, text)
       && !tw_mix_all(m, text), "nothing of nothing");
    look(m, a_quote(1));
    look(m, a_bar(2, 60, TW_BAR_BID));
    look(m, a_bar(2, 60, TW_BAR_ASK));
    look(m, a_bar(3, 0, TW_BAR_TRADES));
    look(m, (struct tw_record){ .kind = TW_TIMER });
    ok(!tw_mix_text(m, symbols, text) && !tw_mix_sides(m, symbols, text),
       "one of each symbol, on both sides");
    ok(tw_mix_all(m, text) && strcmp(text, "ticks and 1m") == 0, "all: %s", text);
    look(m, a_bar(2, 86400, TW_BAR_BID));
    look(m, a_bar(2, 5400, TW_BAR_BID));
    ok(tw_mix_text(m, symbols, text)
       && strncmp(text, "BB: the data have 1m, 1d and 90m, and orders trade", 50) == 0,
       "several of one: %s", text);
    look(m, a_bar(1, 60, TW_BAR_TRADES));
    ok(tw_mix_text(m, symbols, text)
       && strncmp(text, "A (and 1 other symbol): the data have ticks and 1m, ", 51) == 0,
       "of two: %s", text);
    ok(!tw_mix_sides(m, symbols, text), "no side is missing");
    look(m, a_bar(3, 60, TW_BAR_ASK));
    ok(tw_mix_sides(m, symbols, text)
       && strncmp(text, "C: there are bars of asks, and none of bids: sells ", 50) == 0,
       "one side: %s", text);
    look(m, a_quote(3));
    ok(!tw_mix_sides(m, symbols, text), "but where there are quotes");
    look(m, a_bar(2, 60, TW_BAR_TRADES));
    ok(tw_mix_sides(m, symbols, text)
       && strncmp(text, "BB: there are bars of trades, and of bids or asks", 49) == 0,
       "trades beside them: %s", text);
    tw_mix_free(m);
}

static void wanted(void)
{
    struct tw_resolutions all = { .n = 0 }, some = { .seconds = { 0, 86400 }, .n = 2 };
    struct tw_record r[] = { a_quote(1), a_bar(1, 60, TW_BAR_BID),
                             a_bar(1, 86400, TW_BAR_BID), { .kind = TW_TRADE },
                             { .kind = TW_LEVEL }, { .kind = TW_TIMER },
                             { .kind = TW_MESSAGE } };
    const char *want = "1011111";

    for (size_t i = 0; i < sizeof r / sizeof *r; i++)
        ok(tw_resolutions_have(&all, &r[i])
           && tw_resolutions_have(&some, &r[i]) == (want[i] == '1'), "record %zu", i);
}

static void without_memory(void)
{
    struct tw_record r = a_quote(1);
    struct tw_mix *m;

    tw_memory_fail_at(1);
    m = tw_mix_new();
    tw_memory_fail_at(0);
    ok(!m, "no memory to begin with");
    m = tw_mix_new();
    tw_memory_fail_at(1);
    ok(tw_mix_look(m, &r) < 0, "nor for a symbol");
    tw_memory_fail_at(0);
    ok(tw_mix_look(m, &r) == TW_OK, "then there is");
    tw_mix_free(m);
}

int main(void)
{
    symbols = tw_symbols_new(10);
    tw_symbols_intern(symbols, "A", 1);
    tw_symbols_intern(symbols, "BB", 2);
    tw_symbols_intern(symbols, "C", 1);
    mixed();
    wanted();
    without_memory();
    tw_symbols_free(symbols);
    return tap_done();
}
