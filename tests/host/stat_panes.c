/* stat_panes.c - windows in time against all the rows that they cover. */
#include "stat/kernel.h"
#include "stat_rig.h"

/* A statistic that tells every order of its values from every other: a polynomial
 * of them, whose merge does not commute. */
struct word {
    uint64_t n, hash, power;
};

enum { BASE = 1000003 };

static size_t word_size(const struct tw_stat *s)
{
    (void)s;
    return sizeof(struct word);
}

static void word_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct word *a = into;
    const struct word *b = from;

    (void)s;
    if (b->n == 0) return;
    if (a->n == 0) a->power = 1;
    a->hash = a->hash * b->power + b->hash;
    a->power *= b->power;
    a->n += b->n;
}

static double word_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct word *w = state;

    (void)s;
    return field ? (double)w->n : w->n ? (double)(w->hash >> 12) : NAN;
}

static void word_run(const struct tw_stat *s, void *states, const struct tw_stat_rows *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct word *w = (struct word *)((char *)states + r->key[i] * s->size);
        struct word one = { 1, 0, BASE };

        if (!isnan(r->x[0][i])) {
            one.hash = (uint64_t)r->x[0][i] + 1;
            word_merge(s, w, &one);
        }
        if (r->out) r->out[i] = word_get(s, w, 0);
    }
}

static bool word_valid(const struct tw_stat *s, const void *state)
{
    (void)s;
    return ((const struct word *)state)->n < 1 << 20;
}

static double word_at(const struct tw_stat *s, const void *state, double argument)
{
    return word_get(s, state, 0) + argument;
}

static unsigned word_list(const struct tw_stat *s, const void *state, double (*out)[2],
                          unsigned max)
{
    (void)s;
    if (max) out[0][0] = out[0][1] = (double)((const struct word *)state)->n;
    return max ? 1 : 0;
}

static const struct tw_stat_ops word_ops = {
    .size = word_size, .run = word_run, .get = word_get, .merge = word_merge,
    .valid = word_valid, .at = word_at, .list = word_list
};

static const struct tw_stat_ops *word_choose(const struct tw_stat_options *o)
{
    (void)o;
    return &word_ops;
}

static const struct tw_stat_kind word_kind = {
    .name = "word", .inputs = { "x" }, .options = TW_STAT_TIME,
    .fields = (const char *const[]){ "value", "count", NULL }, .choose = word_choose
};

static struct tw_stat word(int64_t window_ns)
{
    struct tw_stat_options o = tw_stat_no_options();
    struct tw_stat s;

    o.window_ns = window_ns;
    if (tw_stat_init(&s, &word_kind, &o, NULL) != TW_OK) abort();
    return s;
}

enum { N = 1500, PANES = 32 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Rows of times that `step` makes, every window by its definition. */
static void covered(const char *what, int64_t window, int64_t start,
                    int64_t (*step)(int64_t width))
{
    const int64_t width = (window - 1) / PANES + 1;
    struct tw_stat s = word(window), plain = word(0);
    char *state = calloc(1, s.size), *whole = malloc(plain.size);
    double x[N];
    int64_t t = start, latest[N];
    int wrong = 0;

    for (int i = 0; i < N; i++) {
        t += step(width);
        latest[i] = i > 0 && t < latest[i - 1] ? latest[i - 1] : t;
        x[i] = next() % 20 ? (double)(next() % 1000) : NAN;
        if (isnan(x[i])) latest[i] = i > 0 ? latest[i - 1] : INT64_MIN;
        tw_stat_push(&s, state, &x[i], t);
        memset(whole, 0, plain.size);
        for (int j = 0; j <= i; j++)
            if (!isnan(x[j]) && latest[i] != INT64_MIN
                && floor_div(latest[j], width) > floor_div(latest[i], width) - PANES)
                tw_stat_push(&plain, whole, &x[j], 0);
        for (unsigned f = 0; f < 2; f++)
            wrong += !rig_same(tw_stat_get(&s, state, f), tw_stat_get(&plain, whole, f));
    }
    ok(wrong == 0, "%s: the rows of %d panes, in their order", what, PANES);
    free(state);
    free(whole);
}

static int64_t steady(int64_t width)
{
    return width / 3;
}

static int64_t ragged(int64_t width)
{
    uint64_t w = (uint64_t)width;

    switch (next() % 16) {
    case 0: return (int64_t)(w * (next() % 40) + next() % w);   /* a gap */
    case 1: return -(int64_t)(w * (next() % 3));                /* back */
    case 2: case 3: return width;
    case 4: case 5: case 6: return 0;
    default: return (int64_t)(next() % w);
    }
}

static int64_t sparse(int64_t width)
{
    return width * (int64_t)(next() % 70);
}

static int64_t one(int64_t width)
{
    (void)width;
    return 1;
}

static void windows(void)
{
    const int64_t now = INT64_C(1700000000123456789), s = 1000000000;

    covered("60 s, steady", 60 * s, now, steady);
    covered("60 s, ragged", 60 * s, now, ragged);
    covered("1 s, sparse", s, now, sparse);
    covered("100 ns before the epoch", 100, -300, ragged);
    covered("1 ns", 1, now, one);
    covered("40 ns", 40, now, one);
    covered("a day, at the epoch", 86400 * s, 0, ragged);
}

/* Times at both ends of an int64, and none is out of bounds. */
static void extremes(void)
{
    static const int64_t times[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1,
                                     INT64_MAX, INT64_MAX };
    static const int64_t sizes[] = { 1, 1000000007, INT64_C(1000000000000000000) };
    int wrong = 0;

    for (int k = 0; k < 3; k++) {
        struct tw_stat s = word(sizes[k]);
        char *state = calloc(1, s.size);

        wrong += !isnan(tw_stat_get(&s, state, 0));
        for (int i = 0; i < 8; i++) {
            tw_stat_push(&s, state, (double[]){ 7 }, times[i]);
            wrong += !(tw_stat_get(&s, state, 1) >= 1);
        }
        free(state);
    }
    ok(wrong == 0, "times at both ends of an int64");
}

static void passes_through(void)
{
    struct tw_stat s = word(1000), count, var;
    char *state = calloc(1, s.size);
    struct tw_stat_ops inner = word_ops;
    struct tw_error error;
    double pairs[2][2];

    tw_stat_push(&s, state, (double[]){ 3 }, 5);
    ok(s.ops->at(&s, state, 0.5) == tw_stat_get(&s, state, 0) + 0.5
       && s.ops->list(&s, state, pairs, 2) == 1 && pairs[0][0] == 1,
       "at and list are those of the window");
    inner.at = NULL;
    ok(!tw_stat_panes(&inner)->at && tw_stat_panes(&inner)->list, "what has no at,");
    inner.list = NULL;
    ok(!tw_stat_panes(&inner)->list && !tw_stat_panes(&word_ops)->merge,
       "or list, has none in a window, and windows can't be merged");
    inner.merge = NULL;
    ok(!tw_stat_panes(&inner), "nor can there be one of what can't be merged");
    ok(!rig_declare(&count, "count", "@window", 1000, NULL, 0)
       && rig_declare(&var, "count", "window", 10, NULL, 0) == TW_EUSAGE,
       "count has one");
    ok(s.size == 35 * 32 && tw_stat_init(&var, &word_kind, &s.o, &error) == TW_OK
       && var.size == s.size, "it is 35 states large");
    ok(s.ops->valid(&s, state), "a state is valid");
    state[8] = 32;
    ok(!s.ops->valid(&s, state), "a pane past the last is not");
    state[8] = 0;
    state[s.size - 32 + 7] = 1;
    ok(!s.ops->valid(&s, state), "nor is a pane that is not");
    free(state);
}

int main(void)
{
    static const char *const kinds[] = { "mean", "std", "kurtosis", "vwap" };

    windows();
    extremes();
    passes_through();
    for (int k = 0; k < 4; k++) {
        struct tw_stat s;

        if (!rig_declare(&s, kinds[k], NULL, 0, NULL, 0)) rig_time(&s, 1e-9);
        if (rig_declare(&s, kinds[k], "@window", 60e9, NULL, 0)) continue;
        rig_batches(&s, rig_tick);
        rig_damage(&s);
    }
    return tap_done();
}
