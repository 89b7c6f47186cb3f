/* stat.c - the list of statistics, their options, what is wrong with them, texts. */
#include "stat/stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "tap.h"

static const struct tw_stat_kind *kind(const char *name)
{
    const struct tw_stat_kind *k = tw_stat_find(name, strlen(name));

    if (!k) printf("Bail out! no %s\n", name), exit(1);
    return k;
}

static int set(const char *name, struct tw_stat_options *o, const char *option,
               double value, bool is_time, struct tw_error *error)
{
    return tw_stat_set(kind(name), o, option, strlen(option), value, is_time, error);
}

/* What says of every kind that it can be listed, found, and explained. */
static void list(void)
{
    const struct tw_stat_kind *k;
    int wrong = 0, n = 0;

    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++, n++) {
        unsigned inputs = 0;

        while (inputs <= TW_STAT_INPUTS && k->inputs[inputs]) inputs++;
        if (tw_stat_find(k->name, strlen(k->name)) == k && inputs >= 1
            && inputs <= TW_STAT_INPUTS && strcmp(k->fields[0], "value") == 0
            && k->choose && !(k->required & ~k->options) && k->formula && k->formula[0]
            && k->source && k->source[0] && k->cost
            && (strstr(k->cost, " ns ") || strncmp(k->cost, "as ", 3) == 0)) continue;
        printf("# %s is not described: %s; %s\n", k->name, k->formula, k->cost);
        wrong++;
    }
    ok(n > 10 && wrong == 0, "each of %d kinds is found by its name, and described", n);
    ok(!tw_stat_find("mea", 3) && !tw_stat_find("means", 5) && !tw_stat_find("", 0)
       && tw_stat_find("meanx", 4) == kind("mean"), "a name is all of its bytes");
}

static void sets(void)
{
    struct tw_stat_options o = tw_stat_no_options();
    struct tw_error e;

    ok(!set("mean", &o, "window", 64, false, &e) && o.window == 64, "window = 64");
    o = tw_stat_no_options();
    ok(!set("mean", &o, "window", 60e9, true, &e)
       && o.window_ns == INT64_C(60000000000) && o.window == 0, "window = 60s");
    o = tw_stat_no_options();
    ok(!set("ewma", &o, "span", 19, false, &e) && o.alpha == 0.1, "span = 19");
    o = tw_stat_no_options();
    ok(!set("ewma", &o, "half_life", 2, false, &e)
       && fabs((1 - o.alpha) * (1 - o.alpha) - 0.5) < 1e-15, "half_life = 2");
    o = tw_stat_no_options();
    ok(!set("ewma", &o, "half_life", 2e9, true, &e) && o.half_life_ns == 2000000000
       && o.alpha == 0, "half_life = 2s");
    ok(!set("ewma", &o, "initial", 0, false, &e) && o.initial == 0, "initial = 0");
}

/* One option after the other; the last one, or the statistic, is wrong. */
static const struct {
    const char *kind;
    struct { const char *name; double value; bool is_time; } options[2];
    const char *text;
} bad[] = {
    { "mean", { { "windw", 3, false } }, "mean has no option 'windw': it takes window" },
    { "mean", { { "alpha", .5, false } }, "mean has no option 'alpha': it takes window" },
    { "ewma", { { "window", 3, false } },
      "ewma has no option 'window': it takes alpha, span, half_life, initial" },
    { "mean", { { "window", 0, false } },
      "mean: window must be 1 to 1048576 values, not 0" },
    { "mean", { { "window", 2.5, false } },
      "mean: window must be 1 to 1048576 values, not 2.5" },
    { "mean", { { "window", 1048577, false } },
      "mean: window must be 1 to 1048576 values, not 1048577" },
    { "mean", { { "window", NAN, false } },
      "mean: window must be 1 to 1048576 values, not nan" },
    { "mean", { { "window", -5e9, true } },
      "mean: window must be a time like 60s, not -5s" },
    { "mean", { { "window", 1e19, true } },
      "mean: window must be a time like 60s, not 10000000000s" },
    { "count", { { "window", 10, false } },
      "count: window must be a time like 60s, not 10" },
    { "mean", { { "window", 3, false }, { "window", 4, false } },
      "mean: window is given twice" },
    { "mean", { { "window", 3, false }, { "window", 4e9, true } },
      "mean: window is given twice" },
    { "ewma", { { "alpha", 0, false } },
      "ewma: alpha must be above 0, 1 at most, not 0" },
    { "ewma", { { "alpha", 1.5, false } },
      "ewma: alpha must be above 0, 1 at most, not 1.5" },
    { "ewma", { { "alpha", 1e9, true } },
      "ewma: alpha must be above 0, 1 at most, not 1s" },
    { "ewma", { { "span", .5, false } }, "ewma: span must be 1 or more values, not 0.5" },
    { "ewma", { { "half_life", 0, false } },
      "ewma: half_life must be 0.001 or more values, not 0" },
    { "ewma", { { "half_life", 0, true } },
      "ewma: half_life must be a time like 10s, not 0s" },
    { "ewma", { { "initial", NAN, false } }, "ewma: initial must be a number, not nan" },
    { "ewma", { { "alpha", .5, false }, { "span", 5, false } },
      "ewma: only one of alpha, span, half_life can be given" },
    { "ewma", { { "alpha", .5, false }, { "half_life", 5e9, true } },
      "ewma: only one of alpha, span, half_life can be given" },
    { "ewma", { { 0 } }, "ewma needs one of alpha, span, half_life" },
    { "ewma", { { "initial", 5, false } }, "ewma needs one of alpha, span, half_life" },
};

static void refuses(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tw_stat_options o = tw_stat_no_options();
        struct tw_error e = { 0 };
        struct tw_stat s;
        int rc = TW_OK;

        for (int j = 0; j < 2 && rc == TW_OK && bad[i].options[j].name; j++)
            rc = set(bad[i].kind, &o, bad[i].options[j].name, bad[i].options[j].value,
                     bad[i].options[j].is_time, &e);
        if (rc == TW_OK) rc = tw_stat_init(&s, kind(bad[i].kind), &o, &e);
        ok(rc == TW_EUSAGE && strcmp(e.text, bad[i].text) == 0, "%s", bad[i].text);
        if (strcmp(e.text, bad[i].text) != 0) printf("# it says: %s\n", e.text);
    }
}

/* Options that were not set by name. */
static void direct(void)
{
    struct tw_stat_options o = tw_stat_no_options();
    struct tw_error e;
    struct tw_stat s;

    o.window = 10;
    ok(tw_stat_init(&s, kind("count"), &o, &e) == TW_EUSAGE
       && strcmp(e.text, "count has no option 'window'") == 0, "%s", e.text);
    ok(tw_stat_init(&s, kind("mean"), &o, NULL) == TW_OK && s.n_inputs == 1
       && s.size % 16 == 0 && !s.inner, "a window of values");
    o.window = 0;
    ok(tw_stat_init(&s, kind("vwap"), &o, NULL) == TW_OK && s.n_inputs == 2,
       "two inputs");
    o.window_ns = 1;
    ok(tw_stat_init(&s, kind("vwap"), &o, NULL) == TW_OK && s.inner,
       "a window in time is of panes");
}

static void fields(void)
{
    struct tw_stat_options o = tw_stat_no_options();
    struct tw_stat s;

    if (tw_stat_init(&s, kind("mean"), &o, NULL) != TW_OK) abort();
    ok(tw_stat_field(&s, "value") == 0 && tw_stat_field(&s, "sum") == 2
       && tw_stat_field(&s, "su") == -1 && tw_stat_field(&s, "") == -1,
       "fields by name");
}

/* Reads a text of tw_stat_text: name(option=value, ...). */
static bool parse(const char *text, struct tw_stat *s)
{
    size_t n = strcspn(text, "(");
    const struct tw_stat_kind *k = tw_stat_find(text, n);
    struct tw_stat_options o = tw_stat_no_options();

    if (!k || text[n] != '(') return false;
    for (text += n + 1; *text != ')'; text += *text == ',' ? 2 : 0) {
        size_t name = strcspn(text, "="), length = strcspn(text + name + 1, ",)");
        const char *value = text + name + 1;
        bool is_time = value[length - 1] == 's';
        int64_t ns = 0;

        if (is_time && tw_fixed_parse(value, length - 1, &ns)) return false;
        if (tw_stat_set(k, &o, text, name, is_time ? (double)ns : strtod(value, NULL),
                        is_time, NULL)) return false;
        text = value + length;
    }
    return text[1] == 0 && tw_stat_init(s, k, &o, NULL) == TW_OK;
}

static uint64_t seed = 1;
static uint64_t draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return seed >> 11;
}

/* A choice of options that the kind takes. */
static struct tw_stat_options any_options(const struct tw_stat_kind *k)
{
    struct tw_stat_options o = tw_stat_no_options();
    unsigned memory = k->options & (TW_STAT_WINDOW | TW_STAT_TIME | TW_STAT_ALPHA
                                    | TW_STAT_HALF_LIFE);
    unsigned one = 1u << draw() % 4;

    memory = memory & one ? one : 0;
    if (memory & TW_STAT_WINDOW) o.window = 1 + (uint32_t)(draw() % 5000);
    if (memory & TW_STAT_TIME) o.window_ns = 1 + (int64_t)(draw() >> draw() % 50);
    if (memory & TW_STAT_ALPHA) o.alpha = (double)(1 + draw()) * 0x1p-53;
    if (memory & TW_STAT_HALF_LIFE) o.half_life_ns = 1 + (int64_t)(draw() >> draw() % 50);
    if (k->options & TW_STAT_INITIAL && draw() % 2)
        o.initial = draw() % 2 ? -(double)draw() * 1e-13 : (double)(draw() % 100) / 10;
    if (k->options & TW_STAT_P) o.p = (double)draw() * 0x1p-53;
    if (k->options & TW_STAT_LAG) o.lag = 1 + (uint32_t)(draw() % 1000);
    if (k->options & TW_STAT_K) o.k = 1 + (uint32_t)(draw() % 1024);
    if (k->options & TW_STAT_EVERY) o.every_ns = 1 + (int64_t)(draw() >> draw() % 50);
    if (k->options & TW_STAT_PRECISION) o.precision = 4 + (uint32_t)(draw() % 13);
    if (k->options & TW_STAT_FAST) o.fast = (uint32_t)(draw() % 100);
    if (k->options & TW_STAT_SLOW) o.slow = (uint32_t)(draw() % 100);
    if (k->options & TW_STAT_SIGNAL) o.signal = (uint32_t)(draw() % 100);
    if (k->options & TW_STAT_SMOOTH) o.smooth = (uint32_t)(draw() % 100);
    if (k->options & TW_STAT_DEVIATIONS) o.deviations = (double)(draw() % 100) / 8;
    return o;
}

static void texts(void)
{
    struct tw_stat_options o = tw_stat_no_options();
    const struct tw_stat_kind *k;
    struct tw_stat s, again;
    char text[300], small[8];
    int wrong = 0, n = 0;
    size_t length;

    o.alpha = 0.05;
    o.initial = -1.5;
    if (tw_stat_init(&s, kind("ewma"), &o, NULL) != TW_OK) abort();
    length = tw_stat_text(&s, text, sizeof text);
    ok(length == strlen(text) && strcmp(text, "ewma(alpha=0.05, initial=-1.5)") == 0,
       "%s", text);
    ok(tw_stat_text(&s, small, sizeof small) == length && strcmp(small, "ewma(al") == 0
       && tw_stat_text(&s, NULL, 0) == length, "cut where there is no room");
    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++)
        for (int j = 0; j < 200; j++) {
            o = any_options(k);
            if (tw_stat_init(&s, k, &o, NULL) != TW_OK) continue;
            n++;
            tw_stat_text(&s, text, sizeof text);
            if (parse(text, &again) && again.kind == k && again.size == s.size
                && memcmp(&again.o, &s.o, sizeof s.o) == 0) continue;
            printf("# %s\n", text);
            wrong++;
        }
    ok(n > 1000 && wrong == 0, "%d texts give the statistics back, to the bit", n);
}

int main(void)
{
    list();
    sets();
    refuses();
    direct();
    fields();
    texts();
    return tap_done();
}
