/* stat_series.c - last, first, lags, changes, crossings: each row by hand. */
#include "stat_rig.h"

static struct tw_stat s;
static char state[1 << 20];

static void begin(const char *kind, const char *one, double a, const char *two, double b)
{
    ok(rig_declare(&s, kind, one, a, two, b) == 0 && s.size <= sizeof state, "%s", kind);
    memset(state, 0, sizeof state);
}

static double push(double x)
{
    tw_stat_push(&s, state, &x, 0);
    return tw_stat_get(&s, state, 0);
}

static double push2(double x, double y)
{
    const double row[] = { x, y };

    tw_stat_push(&s, state, row, 0);
    return tw_stat_get(&s, state, 0);
}

static double field(const char *name)
{
    return tw_stat_get(&s, state, (unsigned)tw_stat_field(&s, name));
}

static void ends(void)
{
    begin("last", NULL, 0, NULL, 0);
    push(3);
    ok(push(0) == 0 && field("count") == 2, "the newest may be 0");
    ok(push(NAN) == 0 && field("count") == 2, "the last is what it was");
    ok(isinf(push(INFINITY)), "an infinity is a value");
    begin("first", NULL, 0, NULL, 0);
    push(NAN);
    ok(push(0) == 0 && push(4) == 0 && field("count") == 2, "the first stays");
}

static void lags(void)
{
    int wrong = 0;

    for (int n = 1; n <= 130; n += n < 5 ? 1 : 25) {
        rig_declare(&s, "lag", "lag", n, NULL, 0);
        memset(state, 0, sizeof state);
        for (int i = 1; i < 400; i++) {
            if (i % 7 == 0) {
                const double was = tw_stat_get(&s, state, 0);

                wrong += !rig_same(push(NAN), was);
            }
            wrong += !rig_same(push(i), i > n ? i - n : NAN);
        }
    }
    ok(wrong == 0, "in the row of x is the x of n rows before");
    begin("prev", "initial", 0, NULL, 0);
    ok(tw_stat_get(&s, state, 0) == 0 && push(5) == 0 && push(7) == 5,
       "initial=0 is what the first row has");
    begin("prev", NULL, 0, NULL, 0);
    ok(isnan(push(5)) && push(-0.0) == 5 && signbit(push(1)) && push(2) == 1,
       "without it there's no value; -0 stays what it is");
    begin("lag", "lag", 3, "initial", -1);
    ok(push(1) == -1 && push(2) == -1 && push(3) == -1 && push(4) == 1, "for n rows");
    ok(rig_declare(&s, "lag", NULL, 0, NULL, 0) == TW_EUSAGE, "a lag must be given");
    ok(rig_declare(&s, "prev", "lag", 2, NULL, 0) == TW_EUSAGE, "prev has none");
}

static void changes(void)
{
    begin("delta", NULL, 0, NULL, 0);
    ok(isnan(push(5)) && push(8) == 3 && push(6) == -2, "x - previous");
    ok(isinf(push(INFINITY)) && isnan(push(INFINITY)) && isinf(push(1)) && push(2) == 1,
       "after infinities it is right again");
    begin("delta", "lag", 2, "initial", 0);
    ok(push(5) == 5 && push(8) == 8 && push(6) == 1 && push(7) == -1, "x - lag(x)");
    begin("simple_return", NULL, 0, NULL, 0);
    ok(isnan(push(100)) && push(101) == 0.01 && push(0) == -1 && isinf(push(1)),
       "x / previous - 1");
    begin("log_return", "lag", 2, NULL, 0);
    push(1);
    push(2);
    ok(rig_near(push(3), log(3), 1e-15) && rig_near(push(1), log(0.5), 1e-15),
       "log(x / lag(x))");
    ok(isnan(push(-1)), "of 3 to -1 there is none");
}

static void crossings(void)
{
    begin("crossover", NULL, 0, NULL, 0);
    ok(isnan(push2(NAN, 1)), "no row yet");
    ok(push2(1, 1) == 0 && push2(2, 1) == 0, "the first side is no crossing");
    ok(push2(1, 1) == 0 && push2(2, 1) == 0 && field("up") == 0, "touching isn't one");
    ok(push2(0, 1) == -1 && push2(0, 1) == 0, "below, in that row only");
    ok(push2(1, 1) == 0 && push2(3, 1) == 1, "above, through equal rows");
    ok(push2(NAN, 1) == 1, "a missing row leaves it");
    ok(field("up") == 1 && field("down") == 1, "how many of each");
    ok(push2(INFINITY, INFINITY) == 0 && push2(-INFINITY, 0) == -1,
       "infinities are compared");
}

int main(void)
{
    static const struct { const char *kind, *one; double a; const char *two; double b; }
        all[] = {
        { "last", NULL, 0, NULL, 0 }, { "first", NULL, 0, NULL, 0 },
        { "lag", "lag", 1, NULL, 0 }, { "lag", "lag", 5, NULL, 0 },
        { "prev", NULL, 0, NULL, 0 }, { "delta", "lag", 3, NULL, 0 },
        { "simple_return", NULL, 0, NULL, 0 }, { "log_return", "lag", 2, NULL, 0 },
        { "crossover", NULL, 0, NULL, 0 }
    };

    ends();
    lags();
    changes();
    crossings();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (rig_declare(&s, all[i].kind, all[i].one, all[i].a, all[i].two, all[i].b) != 0)
            return 1;
        rig_all(&s, 0);
    }
    return tap_done();
}
