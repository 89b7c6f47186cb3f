/* stat_market.c - TWAP, realised volatility, order flow imbalance, microprice and
 * imbalance: by hand, and against their definitions written out. */
#include "stat_rig.h"

#define SECOND INT64_C(1000000000)

enum { N = 10000000, SMALL_N = 100000, ROWS = 3000 };

static struct tw_stat s;
static char state[1 << 16];

static void begin(const char *kind, const char *one, double a)
{
    ok(rig_declare(&s, kind, one, a, NULL, 0) == 0 && s.size <= sizeof state, "%s", kind);
    memset(state, 0, sizeof state);
}

static double push(double x, double seconds)
{
    tw_stat_push(&s, state, &x, (int64_t)(seconds * 1e9));
    return tw_stat_get(&s, state, 0);
}

static double quote(double bid, double bid_size, double ask, double ask_size)
{
    const double row[] = { bid, bid_size, ask, ask_size };

    tw_stat_push(&s, state, row, 0);
    return tw_stat_get(&s, state, 0);
}

static double field(const char *name)
{
    return tw_stat_get(&s, state, (unsigned)tw_stat_field(&s, name));
}

/* ---- TWAP ---- */

static void twap(void)
{
    begin("twap", NULL, 0);
    ok(push(10, 5) == 10 && push(20, 5) == 20, "no time has passed: the price");
    ok(push(30, 6) == 20 && push(50, 8) == (20 + 2 * 30) / 3.0, "as long as it stood");
    ok(push(NAN, 100) == 80 / 3.0 && push(0, 10) == 180 / 5.0, "a missing row is none");
    ok(field("count") == 5, "how many prices");
    push(INFINITY, 11);
    ok(isinf(push(1, 12)), "an infinity makes it infinite");
    begin("twap", NULL, 0);
    push(7, -1e9);
    ok(push(7, 1e9) == 7, "over 63 years around the epoch");
}

static void twap_reference(double offset)
{
    const long n = getenv("SMALL") ? SMALL_N : N;
    long double area = 0, first = 0, before = 0;
    int64_t time = INT64_C(1700000000) * SECOND, begun = time;
    double price = offset, got;

    begin("twap", NULL, 0);
    for (long i = 0; i < n; i++) {
        const int64_t step = (int64_t)(next() % 1000);

        if (i > 0) {
            time += step;
            area += (before - first) * step;
        }
        price += (double)(int)(next() % 3) - 1;
        if (i == 0) first = price;
        before = price;
        tw_stat_push(&s, state, &price, time);
    }
    got = tw_stat_get(&s, state, 0);
    ok(rig_near(got, (double)(first + area / (time - begun)), 1e-12),
       "%ld prices around %g: to %.1g", n, offset,
       fabs(got / (double)(first + area / (time - begun)) - 1));
}

/* ---- realised volatility ---- */

static void volatility_rows(void)
{
    begin("realised_volatility", NULL, 0);
    ok(isnan(push(1, 0)) && field("count") == 0, "one price has no return");
    ok(rig_near(push(2, 1), M_LN2, 1e-15) && rig_near(push(1, 1), M_LN2 * M_SQRT2, 1e-15),
       "the root of the sum of squares");
    ok(rig_near(push(0, 2), M_LN2 * M_SQRT2, 1e-15) && field("count") == 2
       && rig_near(push(-1, 2), M_LN2 * M_SQRT2, 1e-15), "what is no price is missing");
    ok(rig_near(field("variance"), 2 * M_LN2 * M_LN2, 1e-15), "and its square");
    begin("realised_volatility", NULL, 0);
    push(5, 0);
    ok(push(5, 1) == 0, "a price that stays has none");
}

static void volatility_by_hand(void)
{
    begin("realised_volatility", "@every", 10e9);
    ok(isnan(push(100, -13)) && isnan(push(1, -11)) && isnan(push(2, -7)),
       "the first step gives a price, no return");
    ok(rig_near(push(8, 0), M_LN2, 1e-15) && field("count") == 1, "at 0 a step is over");
    ok(rig_near(push(9, 9), M_LN2, 1e-15), "the one under way isn't in it");
    ok(rig_near(push(4, 10), sqrt(pow(log(2), 2) + pow(log(4.5), 2)), 1e-15),
       "its last price is");
    push(4, 45);
    ok(rig_near(field("variance"),
                pow(log(2), 2) + pow(log(4.5), 2) + pow(log(4 / 9.0), 2), 1e-15)
       && field("count") == 5, "steps without a row are returns of 0");
}

/* Against: the last price before each step's end, one by one. */
static void volatility_reference(int64_t every)
{
    static double price[ROWS];
    static int64_t time[ROWS];
    long double sum = 0;
    double before = 0;
    long returns = 0;
    int at = 0;

    begin("realised_volatility", "@every", (double)every);
    for (int i = 0; i < ROWS; i++) {
        time[i] = (i ? time[i - 1] : 12345) + (int64_t)(next() % (3 * SECOND));
        price[i] = 100 * exp(rig_normal() * 0.01);
        tw_stat_push(&s, state, &price[i], time[i]);
    }
    for (int64_t end = (time[0] / every + 1) * every; end <= time[ROWS - 1];
         end += every) {
        while (time[at + 1] < end) at++;
        if (before > 0) {
            const long double r = logl(price[at] / (long double)before);

            sum += r * r;
            returns++;
        }
        before = price[at];
    }
    ok(rig_near(tw_stat_get(&s, state, 0), (double)sqrtl(sum), 1e-12)
       && field("count") == (double)returns, "every %g s: %ld returns",
       (double)every / 1e9, returns);
}

/* ---- the book ---- */

static void flow_by_hand(void)
{
    begin("order_flow_imbalance", NULL, 0);
    ok(isnan(quote(10, 5, 11, 7)) && isnan(field("last")) && field("count") == 0,
       "one quote is no event");
    ok(quote(10, 8, 11, 7) == 3 && field("last") == 3, "more at the bid");
    ok(quote(10, 8, 11, 9) == 1 && field("last") == -2, "more at the ask");
    ok(quote(10.5, 4, 11, 9) == 5, "a better bid: all of it");
    ok(quote(10, 6, 11, 9) == 1, "a worse bid: what there was");
    ok(quote(10, 6, 12, 1) == 10 && quote(10, 6, 11, 2) == 8, "the other way at the ask");
    ok(quote(10, NAN, 11, 2) == 8 && field("count") == 6, "a missing size is no event");
}

static void flow_window(uint32_t window)
{
    const int n = ROWS;
    static double events[ROWS];
    double was[4] = { 0 }, x[4];
    int wrong = 0;

    begin("order_flow_imbalance", "window", window);
    for (int i = 0; i < n; i++) {
        double sum = 0;

        rig_row(rig_tick, false, x);
        for (int side = 0; side < 4 && i > 0; side += 2) {
            /* In the paper's words: demand at the bid, supply at the ask. */
            const bool better = side ? x[side] < was[side] : x[side] > was[side];
            const bool worse = side ? x[side] > was[side] : x[side] < was[side];
            const double e = better ? x[side + 1] : worse ? -was[side + 1]
                : x[side + 1] - was[side + 1];

            events[i] = (side ? events[i] : 0) + (side ? -e : e);
        }
        memcpy(was, x, sizeof was);
        quote(x[0], x[1], x[2], x[3]);
        for (int k = i; k > 0 && k > i - (int)window; k--) sum += events[k];
        wrong += i > 0 && (field("value") != sum || field("last") != events[i]
                           || field("count") != fmin(i, window));
    }
    ok(wrong == 0, "the last %u events", window);
}

/* Sizes that no sum of doubles holds exactly. */
static void flow_reference(double offset)
{
    const long n = getenv("SMALL") ? SMALL_N : N;
    long double sum = 0;
    double size = 0, before;

    begin("order_flow_imbalance", NULL, 0);
    for (long i = 0; i < n; i++) {
        before = size;
        size = offset + rig_uniform();
        sum += i ? (long double)(size - before) : 0;
        quote(10, size, 11, 3);
    }
    ok(rig_near(tw_stat_get(&s, state, 0), (double)sum, 1e-9),
       "the sum of %ld events of sizes around %g", n, offset);
}

/* Large events that cancel leave the small ones whole, also of two parts. */
static void flow_cancels(void)
{
    char parts[2][1 << 10] = { { 0 } };
    const double begin_row[] = { 1, 0, 1000, 0 }, large[] = { 2, 1e17, 1000, 0 };
    double row[] = { 0, 1, 1000, 0 };

    begin("order_flow_imbalance", NULL, 0);
    for (int part = 0; part < 2; part++) {
        tw_stat_push(&s, parts[part], begin_row, 0);
        tw_stat_push(&s, parts[part], large, 0);
        for (int i = 3; i < 13; i++) {
            row[0] = i;                                    /* a better bid of 1 */
            tw_stat_push(&s, parts[part], row, 0);
        }
    }
    ok(tw_stat_get(&s, parts[0], 0) == 1e17 + 10, "1e17 and 10");
    row[2] = 999;
    row[3] = 1e17;                                         /* a better ask */
    tw_stat_push(&s, parts[0], row, 0);
    tw_stat_push(&s, parts[1], row, 0);
    ok(tw_stat_get(&s, parts[0], 0) == 10, "less 1e17 is 10");
    /* Between the parts the ask rises and 1e17 leave it; that 1 leaves the bid is
     * rounded away in the event itself. */
    s.ops->merge(&s, parts[0], parts[1]);
    row[2] = 998;
    tw_stat_push(&s, parts[0], row, 0);
    ok(tw_stat_get(&s, parts[0], 0) == 20, "of both parts, less 1e17 again, is 20");
}

static void newest(void)
{
    begin("microprice", NULL, 0);
    ok(quote(10, 1, 12, 3) == 10.5 && quote(10, 3, 12, 1) == 11.5, "the thin side pulls");
    ok(quote(10, 0, 12, 0) == 11, "the mid, if there's nothing");
    ok(quote(10, 0, 12, 5) == 10 && quote(10, 5, 12, 0) == 12, "all on one side");
    ok(quote(NAN, 0, 12, 5) == 12 && field("count") == 5, "missing: what it was");
    begin("imbalance", NULL, 0);
    ok(quote(1, 3, 0, 0) == -0.5 && quote(3, 1, 0, 0) == 0.5 && quote(0, 0, 0, 0) == 0
       && quote(4, 0, 0, 0) == 1, "between -1 and 1");
    ok(isnan(quote(INFINITY, 1, 0, 0)), "an infinite size has none");
}

int main(void)
{
    static const struct { const char *kind, *one; double a; } kinds[] = {
        { "twap", NULL, 0 }, { "realised_volatility", NULL, 0 },
        { "realised_volatility", "@every", 5e9 },
        { "realised_volatility", "@every", 1e8 },
        { "order_flow_imbalance", NULL, 0 }, { "order_flow_imbalance", "window", 7 },
        { "microprice", NULL, 0 }, { "imbalance", NULL, 0 }
    };

    twap();
    twap_reference(0);
    twap_reference(1e9);
    volatility_rows();
    volatility_by_hand();
    volatility_reference(SECOND / 2);
    volatility_reference(SECOND * 5);
    volatility_reference(SECOND * 60);
    flow_by_hand();
    flow_window(1);
    flow_window(64);
    flow_window(2 * ROWS);
    flow_reference(0);
    flow_reference(1e9);
    flow_cancels();
    newest();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (rig_declare(&s, kinds[i].kind, kinds[i].one, kinds[i].a, NULL, 0) != 0)
            return 1;
        rig_all(&s, 1e-11);
    }
    return tap_done();
}
