/* adopt.c - a plan that adopts another's states goes on as if it had seen all rows. */
#include "stat/adopt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "tap.h"

enum { SYMBOLS = 20, ROWS = 3000, HALF = 1700, HISTORY = 8 };

static struct tw_sources sources = { { [1] = "fix" } };
static struct tw_symbols *symbols;
static struct tw_record rows[ROWS];

static void make_rows(void)
{
    symbols = tw_symbols_new(100);
    for (int i = 0; i < SYMBOLS; i++) {
        struct tw_instrument in = { .weight = 1.0 / (i + 1) };
        const char *sector = i % 2 ? "oil" : "tech";
        char name[16];

        snprintf(name, sizeof name, "S%02d", i);
        tw_symbols_intern(symbols, name, 3);
        in.sector = (uint32_t)tw_names_intern(tw_symbols_sectors(symbols), sector,
                                              strlen(sector));
        tw_symbols_set(symbols, (uint32_t)i + 1, &in);
    }
    for (int i = 0; i < ROWS; i++) {
        int64_t price = (100 + random() % 10) * INT64_C(1000000000);

        rows[i] = (struct tw_record){ .seq = (uint64_t)i + 1, .source = 1,
            .symbol = (uint32_t)(random() % SYMBOLS) + 1, .kind = TW_QUOTE,
            .time = INT64_C(1704187800000000000) + i * INT64_C(50000000),
            .quote = { price, price + random() % 3 * 10000000, 1000000000, 1000000000 } };
        if (i % 10 == 9) {
            rows[i].kind = TW_TRADE;
            rows[i].trade = (struct tw_trade){ .price = price, .size = 1000000000 };
        }
    }
}

static void sampled(void *ctx, unsigned item, uint32_t key, double value, int64_t time)
{
    (void)item, (void)key, (void)value, (void)time;
    ++*(unsigned *)ctx;
}

/* Pairs of a name and a declaration; ends in NULL.  The first is sampled. */
static struct tw_plan *declare(const char *const *what, unsigned *told)
{
    struct tw_plan_options o = { { symbols, &sources }, sampled, told };
    struct tw_plan *p = tw_plan_new(&o);
    struct tw_plan_item item[16] = { { .every_ns = 1000000000, .history = HISTORY } };
    struct tw_error error;
    unsigned n = 0;

    if (!p) return NULL;
    for (; what[2 * n]; n++) {
        item[n].name = what[2 * n];
        item[n].text = what[2 * n + 1];
        item[n].n = strlen(item[n].text);
    }
    item[0].tell = true;
    if (tw_plan_track(p, item, n, &error) == TW_OK) return p;
    if (error.code != UV_ENOMEM) printf("# %s\n", error.text);
    tw_plan_free(p);
    return NULL;
}

static void feed(struct tw_plan *p, int from, int to)
{
    for (int i = from; i < to; i++) {
        unsigned room;

        if (!(tw_plan_kinds(p) & 1u << rows[i].kind)) continue;
        *tw_plan_rows(p, &room) = rows[i];
        if (!tw_plan_add(p, 1)) tw_plan_run(p);
    }
    tw_plan_run(p);
}

static double value(struct tw_plan *p, const char *name, const char *key)
{
    unsigned item = (unsigned)tw_plan_find(p, name);
    uint32_t id = key ? tw_keys_find(tw_plan_keys(p, item), &key, 1) : 1;
    const void *state = tw_plan_state(p, item, id);

    return state ? tw_stat_get(tw_plan_stat(p, item), state, 0) : NAN;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static const char *const before[] = {
    "mid", "ewma(mid, alpha=0.1) by symbol",
    "jump", "sum(mid - prev(mid, initial=0)) by symbol",
    "vol", "ewma(log_return(mid)^2, alpha=0.05, initial=0) by sector",
    "deviation", "sqrt(vol) by sector",
    "median", "quantile(spread, p=0.5) by symbol where spread > 0",
    "traded", "sum(price * size) by sector",
    "steps", "count() by (mid // 1)",
    NULL
};

/* Other order, other names, some of them changed: vol, and so what reads it. */
static const char *const after[] = {
    "mid", "ewma(mid, alpha=0.1) by symbol",
    "steps", "count() by (mid // 1)",
    "fresh", "max(mid) by symbol",
    "turnover", "sum(price * size) by sector",
    "vol", "ewma((mid - 1)^2, alpha=0.05, initial=0) by sector",
    "deviation", "sqrt(vol) by sector",
    "median", "quantile(spread, p=0.5) by symbol where spread > 0",
    "jump", "sum(mid - prev(mid, initial=0)) by symbol",
    NULL
};

static void check_all(struct tw_plan *now, struct tw_plan *whole, struct tw_plan *late)
{
    static const char *const kept[][2] = {
        { "mid", "mid" }, { "jump", "jump" }, { "median", "median" }
    };
    static const char *const sectors[] = { "tech", "oil" };
    char name[16];
    bool equal;

    for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) {
        equal = true;
        for (int s = 0; s < SYMBOLS; s++) {
            snprintf(name, sizeof name, "S%02d", s);
            equal = equal && same(value(now, kept[i][0], name),
                                  value(whole, kept[i][1], name));
        }
        ok(equal, "%s goes on", kept[i][0]);
    }
    equal = true;
    for (int s = 0; s < 2; s++)
        equal = equal && same(value(now, "turnover", sectors[s]),
                              value(whole, "traded", sectors[s]));
    ok(equal, "so does one under another name");
    equal = true;
    for (int m = 99; m < 112; m++) {
        snprintf(name, sizeof name, "%d", m);
        equal = equal && same(value(now, "steps", name), value(whole, "steps", name));
    }
    ok(equal, "and one by a number");
    equal = true;
    for (int s = 0; s < 2; s++)
        equal = equal
            && same(value(now, "vol", sectors[s]), value(late, "vol", sectors[s]))
            && same(value(now, "deviation", sectors[s]),
                    value(late, "deviation", sectors[s]));
    ok(equal, "what has changed begins anew, and what reads it");
    ok(same(value(now, "fresh", "S03"), value(late, "fresh", "S03")),
       "so does a new one");
}

static bool same_history(struct tw_plan *a, struct tw_plan *b)
{
    double va[HISTORY], vb[HISTORY];
    int64_t ta[HISTORY], tb[HISTORY];
    const char *key = "S05";
    unsigned ia = (unsigned)tw_plan_find(a, "mid"), ib = (unsigned)tw_plan_find(b, "mid");
    unsigned na = tw_plan_history(a, ia, tw_keys_find(tw_plan_keys(a, ia), &key, 1),
                                  HISTORY, va, ta);
    unsigned nb = tw_plan_history(b, ib, tw_keys_find(tw_plan_keys(b, ib), &key, 1),
                                  HISTORY, vb, tb);

    return na == nb && na == HISTORY && memcmp(va, vb, sizeof va) == 0
        && memcmp(ta, tb, sizeof ta) == 0;
}

int main(void)
{
    unsigned told[3] = { 0 }, n = 0;
    struct tw_plan *whole, *old, *now, *late;
    bool fine = true;

    make_rows();
    whole = declare(before, &told[0]);
    old = declare(before, &told[1]);
    now = declare(after, &told[1]);
    late = declare(after, &told[2]);
    feed(whole, 0, ROWS);
    feed(old, 0, HALF);
    ok(tw_plan_adopt(now, old) == TW_OK, "a plan adopts another's states");
    feed(now, HALF, ROWS);
    feed(late, HALF, ROWS);
    check_all(now, whole, late);
    ok(same_history(now, whole), "samples go on");
    ok(told[0] == told[1], "each is told once (%u)", told[0]);
    tw_plan_free(now);
    do {
        now = declare(after, &told[2]);
        tw_memory_fail_at(++n);
        fine = tw_plan_adopt(now, old) == TW_OK;
        tw_memory_fail_at(0);
        tw_plan_free(now);
    } while (!fine && n < 10000);
    ok(fine && n > 10, "without memory it is an error (%u allocations)", n - 1);
    tw_plan_free(whole);
    tw_plan_free(old);
    tw_plan_free(late);
    tw_symbols_free(symbols);
    return tap_done();
}
