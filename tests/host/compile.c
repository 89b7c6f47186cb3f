/* compile.c - each statistic of a declaration sees each row once, and just its own. */
#include "stat/plan.h"

#include <math.h>
#include <string.h>

#include "tap.h"

enum { ROWS = 12 };

static struct tw_sources sources = { { [1] = "fix" } };
static struct tw_symbols *symbols;
static struct tw_record rows[ROWS];
static struct tw_error error;

/* Quotes and trades in turn, of A, which has a sector, and B, which has none: the bid
 * is 1, 2, 3, ... and so is the price. */
static void make_rows(void)
{
    struct tw_instrument in = { 0 };

    symbols = tw_symbols_new(10);
    tw_symbols_intern(symbols, "A", 1);
    tw_symbols_intern(symbols, "B", 1);
    in.sector = (uint32_t)tw_names_intern(tw_symbols_sectors(symbols), "tech", 4);
    tw_symbols_set(symbols, 1, &in);
    for (int i = 0; i < ROWS; i++) {
        struct tw_record *r = &rows[i];

        *r = (struct tw_record){ .seq = (uint64_t)i + 1, .symbol = i % 4 / 2 + 1,
                                 .source = 1, .kind = i % 2 ? TW_TRADE : TW_QUOTE,
                                 .time = i * INT64_C(1000000000) };
        if (r->kind == TW_TRADE) {
            r->trade.price = (i / 2 + 1) * INT64_C(1000000000);
            r->trade.size = INT64_C(1000000000);
        } else {
            r->quote.bid = (i / 2 + 1) * INT64_C(1000000000);
            r->quote.ask = r->quote.bid + INT64_C(1000000000);
            r->quote.bid_size = r->quote.ask_size = INT64_C(1000000000);
        }
    }
}

static int told;
static void sampled(void *ctx, unsigned item, uint32_t key, double value, int64_t time)
{
    (void)ctx, (void)item, (void)value, (void)time;
    told += key > 0 ? 1 : 1000;
}

static struct tw_plan *new_plan(void)
{
    struct tw_plan_options o = { { symbols, &sources }, sampled, NULL };

    return tw_plan_new(&o);
}

/* Declares `name` in p. */
static void track(struct tw_plan *p, const char *name, const char *text)
{
    struct tw_plan_item item = { .name = name, .text = text, .n = strlen(text) };

    error.text[0] = 0;
    if (tw_plan_track(p, &item, 1, &error) < 0) ok(false, "%s", error.text);
}

static void add(struct tw_plan *p, const struct tw_record *r)
{
    unsigned room;

    if (!(tw_plan_kinds(p) & 1u << r->kind)) return;
    *tw_plan_rows(p, &room) = *r;
    tw_plan_add(p, 1);
}

/* All rows at once, or each alone. */
static void feed(struct tw_plan *p, bool single)
{
    for (int i = 0; i < ROWS; i++) {
        add(p, &rows[i]);
        if (single) tw_plan_run(p);
    }
    tw_plan_run(p);
}

static double value_of(struct tw_plan *p, const char *name, const char *key)
{
    int item = tw_plan_find(p, name);
    uint32_t k = key ? tw_keys_find(tw_plan_keys(p, (unsigned)item), &key, 1) : 1;
    void *state = k ? tw_plan_state(p, (unsigned)item, k) : NULL;

    return state ? tw_stat_get(tw_plan_stat(p, (unsigned)item), state, 0) : NAN;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* The value of a declaration after all rows, in both ways. */
static void gives(const char *text, const char *key, double want)
{
    double got[2];

    for (int i = 0; i < 2; i++) {
        struct tw_plan *p = new_plan();

        track(p, "x", text);
        feed(p, i);
        got[i] = value_of(p, "x", key);
        tw_plan_free(p);
    }
    ok(same(got[0], want) && same(got[1], want), "%s: %g, %g", text, got[0], got[1]);
}

/* How often a condition enters its function. */
static void fires(const char *name, const char *text, const char *condition,
                  const char *reset, unsigned want)
{
    struct tw_plan *p = new_plan();
    struct tw_plan_edge edge = { .level = !reset, .reset = reset,
                                 .reset_n = reset ? strlen(reset) : 0 };
    unsigned fired = 0;
    const uint16_t *which;

    track(p, name, text);
    if (tw_plan_when(p, condition, strlen(condition), &edge, &error) < 0)
        ok(false, "%s", error.text);
    for (int i = 0; i < ROWS; i++) {
        if (!(tw_plan_kinds(p) & 1u << rows[i].kind)) continue;
        add(p, &rows[i]);
        tw_plan_run(p);
        fired += tw_plan_fired(p, &which);
    }
    ok(fired == want, "when %s, with %s: %u times", condition, text, fired);
    tw_plan_free(p);
}

/* Of both kinds of records, or where a part is needed more than once. */
static void once(void)
{
    gives("mean(seq) / count() where delta(seq) > 0", NULL, 7.4 / 10);
    gives("sum(delta(seq)) + count() - count() by (delta(seq) // 1)", "3", 12);
    gives("count() + sum(delta(seq)) by (prev(bid) // 1) where prev(bid) > 0", "3", 5);
    fires("n", "count()", "bid > 0 where bid - prev(bid) > 0 and prev(bid) > 0", NULL, 4);
    fires("n", "count() by (delta(seq) // 1)", "n > 0", NULL, 10);
    fires("n", "count(bid) by (lag(bid, lag=2) // 1)", "n > 0 and n < 2", NULL, 2);
    fires("n", "count()", "bid > 0", "bid > 0 where bid > 3", 5);
}

/* An equal part in a declaration of quotes, and in one of quotes and trades. */
static void kinds(void)
{
    struct tw_plan *p = new_plan();

    track(p, "both", "max(delta(seq))");
    track(p, "quotes", "max(delta(seq) + 0 * bid)");
    track(p, "trades", "max(delta(seq) + 0 * price)");
    feed(p, false);
    ok(value_of(p, "both", NULL) == 3 && value_of(p, "quotes", NULL) == 4
       && value_of(p, "trades", NULL) == 4,
       "quotes alone know nothing of trades: %g %g %g",
       value_of(p, "both", NULL), value_of(p, "quotes", NULL),
       value_of(p, "trades", NULL));
    tw_plan_free(p);
}

/* Names in keys are looked up before the statistic is made. */
static void names_in_keys(void)
{
    static const char *const texts[] = { "count(bid) by (z // 1)", "last(bid)",
                                         "count() by (a // 1)" };
    struct tw_plan_item item[] = {
        { .name = "a", .text = texts[0], .n = strlen(texts[0]) },
        { .name = "z", .text = texts[1], .n = strlen(texts[1]) },
    };
    struct tw_plan *p = new_plan();

    ok(tw_plan_track(p, item, 2, &error) == TW_OK, "a key names a later statistic");
    feed(p, false);
    ok(value_of(p, "a", "3") == 1 && tw_keys_count(tw_plan_keys(p, 0)) == 6, "its value");
    tw_plan_free(p);
    p = new_plan();
    item[1].text = texts[2];
    item[1].n = strlen(texts[2]);
    ok(tw_plan_track(p, item, 2, &error) == TW_EUSAGE && strstr(error.text, "itself"),
       "%s", error.text);
    tw_plan_free(p);
}

/* B has no sector. */
static void no_key(void)
{
    struct tw_plan *p = new_plan();
    struct tw_plan_item item = { .name = "s", .text = "last(bid) by sector", .n = 19,
                                 .every_rows = 1, .tell = true };

    ok(tw_plan_track(p, &item, 1, &error) == TW_OK, "by what not every row has");
    told = 0;
    feed(p, false);
    ok(told == 3, "a row in no key is no sample");
    tw_plan_free(p);
    gives("count() where missing((count(bid) by sector))", NULL, 3);
    fires("s", "last(bid) by sector", "s > 0", NULL, 3);
    fires("s", "last(bid) by sector", "bid > 0 by sector", NULL, 3);
}

/* A key that no row brought, however much room there is. */
static void unseen(void)
{
    for (int n = 1; n <= 2; n++) {
        struct tw_plan *p = new_plan();

        track(p, "n", "count(bid) by symbol");
        if (n == 2) feed(p, true);
        track(p, "m", "last(n[\"?\"])");
        feed(p, true);
        ok(value_of(p, "m", NULL) == 0, "the count of no rows is 0: %g",
           value_of(p, "m", NULL));
        tw_plan_free(p);
    }
}

/* Several rows in a run: the conditions of the last one. */
static void many_rows(void)
{
    struct tw_plan *p = new_plan();
    struct tw_plan_edge edge = { .level = true };
    const uint16_t *which;

    for (int i = 0; i < TW_PLAN_CONDITIONS; i++)
        if (tw_plan_when(p, "time >= 0", 9, &edge, &error) != i) ok(false, "declared");
    ok(tw_plan_when(p, "time >= 0", 9, &edge, &error) == TW_ELIMIT, "%s", error.text);
    feed(p, false);
    ok(tw_plan_fired(p, &which) == TW_PLAN_CONDITIONS && which[255] == 255, "of one row");
    tw_plan_free(p);
}

static void long_text(void)
{
    char text[1000] = "bidd";
    struct tw_plan_item item = { .name = "x", .text = text };
    struct tw_plan *p = new_plan();

    while (strlen(text) < 900) strcat(text, " + bid");
    item.n = strlen(text);
    ok(tw_plan_track(p, &item, 1, &error) == TW_EUSAGE
       && strstr(error.text, "column 1: no field"), "%s", error.text);
    tw_plan_free(p);
}

/* The edge is of each key, and so should its reset be. */
static void resets(void)
{
    struct tw_plan *p = new_plan();
    struct tw_plan_edge edge = { .reset = "delta(bid) < mean(bid)", .reset_n = 22 },
                        same = { .reset = "mean(bid) < 1 by symbol", .reset_n = 23 };

    ok(tw_plan_when(p, "mean(bid) > 1 by symbol", 23, &edge, &error) == TW_EUSAGE
       && strstr(error.text, "the reset is of all"), "%s", error.text);
    ok(tw_plan_when(p, "mean(bid) > 1 by symbol", 23, &same, &error) == 0
       && tw_plan_when(p, "mean(bid) > 1", 13, &edge, &error) == 1, "as the condition");
    tw_plan_undo_when(p);
    ok(tw_plan_when(p, "mean(bid) > 1", 13, &edge, &error) == 1, "again");
    tw_plan_free(p);
}

int main(void)
{
    make_rows();
    once();
    kinds();
    names_in_keys();
    no_key();
    unseen();
    many_rows();
    resets();
    long_text();
    tw_symbols_free(symbols);
    return tap_done();
}
