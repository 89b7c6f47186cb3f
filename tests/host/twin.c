/* twin.c - bars that are there twice, of many symbols at one time. */
#include "feed/twin.h"

#include <string.h>

#include "tap.h"
#include "tape/bar.h"

enum { SYMBOLS = 700 };

#define MINUTE INT64_C(60000000000)

static struct tw_symbols *symbols;
static const char A[] = "a.csv", B[] = "b.csv";

static struct tw_record bar(uint32_t symbol, int64_t time, uint32_t seconds,
                            enum tw_bar_price price)
{
    struct tw_record r = { .symbol = symbol, .time = time, .source = 1 };

    tw_bar_set(&r, &(struct tw_ohlc){ 1, 2, 1, 2, 5 }, seconds, price);
    return r;
}

static int look(struct tw_twins *t, struct tw_record r, const char *path, uint64_t line,
                char text[TW_TWIN_TEXT])
{
    strcpy(text, "none");
    return tw_twins_look(t, &r, &(struct tw_place){ .path = path, .line = line },
                         symbols, text);
}

int main(void)
{
    struct tw_twins *t = tw_twins_new();
    char text[TW_TWIN_TEXT], name[8];
    int new_ones = 0, again = 0;
    struct tw_record r;

    symbols = tw_symbols_new(TW_SYMBOL_MAX);
    for (int i = 1; i <= SYMBOLS; i++)
        tw_symbols_intern(symbols, name, (size_t)snprintf(name, sizeof name, "S%d", i));
    r = bar(1, 0, 60, TW_BAR_TRADES);
    ok(look(t, r, A, 2, text) == 0, "the first of all, at time 0");
    ok(look(t, r, B, 3, text) == 1 && strcmp(text, "csv: line 3: a second bar of S1, of"
       " 1m to 1970-01-01 00:00:00; the first is line 2 of a.csv") == 0, "%s", text);
    ok(look(t, bar(2, 0, 60, TW_BAR_TRADES), B, 4, text) == 0, "of another symbol");
    ok(look(t, bar(1, 0, 300, TW_BAR_TRADES), B, 5, text) == 0, "of another length");
    ok(look(t, bar(1, 0, 60, TW_BAR_BID), B, 6, text) == 0, "of another side");
    ok(look(t, r, B, 7, text) == 1, "and again");
    ok(look(t, bar(1, 0, 60, TW_BAR_BID), A, 7, text) == 1
       && strstr(text, "a second bid bar of S1,"), "the side is told");
    ok(look(t, bar(1, MINUTE, 60, TW_BAR_TRADES), A, 8, text) == 0, "at another time");
    ok(look(t, r, A, 9, text) == 0, "only the bars of one time are known");

    r = bar(1, 2 * MINUTE, 60, TW_BAR_TRADES);
    look(t, r, A, 10, text);
    r.source = 2;
    ok(look(t, r, A, 11, text) == 0, "of one file by two sources");
    ok(look(t, r, A, 12, text) == 1, "but not twice by one");
    ok(look(t, r, B, 13, text) == 1, "nor in another file");
    r = bar(1, 3 * MINUTE, 0, TW_BAR_TRADES);
    ok(look(t, r, A, 14, text) == 0 && look(t, r, A, 15, text) == 0,
       "two that are not by time");
    r.kind = TW_QUOTE;
    ok(look(t, r, A, 16, text) == 0 && look(t, r, A, 17, text) == 0, "two quotes");

    for (int minute = 4; minute < 7; minute++)
        for (unsigned i = 0; i < 2 * SYMBOLS; i++) {
            int rc = look(t, bar(i % SYMBOLS + 1, minute * MINUTE, 60, TW_BAR_TRADES),
                          i < SYMBOLS ? A : B, i, text);

            new_ones += rc == 0 && i < SYMBOLS;
            again += rc == 1 && i >= SYMBOLS;
        }
    ok(new_ones == 3 * SYMBOLS, "of many symbols at one time each is new");
    ok(again == 3 * SYMBOLS, "and then known");
    tw_twins_free(t);
    tw_twins_free(NULL);
    tw_symbols_free(symbols);
    return tap_done();
}
