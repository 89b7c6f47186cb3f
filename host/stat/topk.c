/* topk.c - the most frequent values: Space-Saving.
 *
 *   topk   m counters, 4 k and at least 64.  A value that has one adds 1 to it; any
 *          other takes over the least counter, with its count as the error that it
 *          may have (Metwally, Agrawal and El Abbadi, "Efficient computation of
 *          frequent and top-k elements in data streams", 2005).  So a count is
 *          never too low, never too high by more than its error, which is at most
 *          rows / m; every value more frequent than that has a counter.
 *
 * Merging: a value's counts are added, where one side has none its least counter
 * stands for it (0 while it has free ones), and the greatest m are kept (Agarwal et
 * al., "Mergeable summaries", 2012); the bounds hold for all rows together.
 *
 * Layout: the counters in descending order, so that the best are the first and the
 * least is the last; then a hash table of their places + 1, at most half full,
 * linear probing, deletion by shifting back.  To add 1 a counter changes places with
 * the first that is equal to it.
 *
 * Invariants
 *   K1  Counters are in descending order of their counts.
 *   K2  Every counter is found through the table, and nothing else is.
 *
 * Layer host/stat.
 */
#include "stat/kernel.h"

enum { COUNTERS_MIN = 64, K = 10 };

struct counter {
    double value;
    uint64_t count, error;
};

struct topk {
    uint64_t rows;
    uint64_t used;
    struct counter c[];     /* m of them, then the table: uint16_t */
};

static inline unsigned wanted(const struct tw_stat *s)
{
    return s->o.k ? s->o.k : K;
}

static inline unsigned counters(const struct tw_stat *s)
{
    return 4 * wanted(s) < COUNTERS_MIN ? COUNTERS_MIN : 4 * wanted(s);
}

/* The table: a power of 2, and twice as many as counters or more. */
static inline unsigned table_size(unsigned m)
{
    return 1u << (33 - __builtin_clz(m - 1));
}

/* A state with what its options say of it. */
struct view {
    struct topk *t;
    uint16_t *table;
    unsigned m, mask;
};

static inline struct view view(const struct tw_stat *s, const void *state)
{
    struct topk *t = (struct topk *)(uintptr_t)state;
    unsigned m = counters(s);

    return (struct view){ t, (uint16_t *)(t->c + m), m, table_size(m) - 1 };
}

/* The bucket of a value, or the free one where it belongs. */
static inline unsigned find(const struct view *v, double x)
{
    unsigned b = (unsigned)tw_stat_hash(x) & v->mask;

    while (v->table[b] && v->t->c[v->table[b] - 1].value != x) b = (b + 1) & v->mask;
    return b;
}

static void unlink_bucket(const struct view *v, unsigned hole)
{
    for (unsigned b = hole;;) {
        unsigned home;

        v->table[hole] = 0;
        do {
            b = (b + 1) & v->mask;
            if (!v->table[b]) return;
            home = (unsigned)tw_stat_hash(v->t->c[v->table[b] - 1].value) & v->mask;
            /* What is at home after the hole stays. */
        } while (((b - home) & v->mask) < ((b - hole) & v->mask));
        v->table[hole] = v->table[b];
        hole = b;
    }
}

/* The first counter that is equal to counter i. */
static inline unsigned first_equal(const struct topk *t, unsigned i)
{
    uint64_t count = t->c[i].count;
    unsigned low = 0;

    if (i == 0 || t->c[i - 1].count != count) return i;
    while (low < i) {
        unsigned middle = (low + i) / 2;

        if (t->c[middle].count > count) low = middle + 1;
        else i = middle;
    }
    return low;
}

static inline void topk_push(const struct tw_stat *s, struct topk *t, const double *x,
                             int64_t time)
{
    const struct view v = view(s, t);
    double value = x[0] + 0.0;          /* of 0 and -0 one is kept */
    unsigned b = find(&v, value), i, j;

    (void)time;
    t->rows++;
    if (v.table[b]) {
        i = v.table[b] - 1u;
    } else if (t->used < v.m) {
        i = (unsigned)t->used++;
        t->c[i] = (struct counter){ .value = value };
    } else {
        i = v.m - 1;
        unlink_bucket(&v, find(&v, t->c[i].value));
        t->c[i].value = value;
        t->c[i].error = t->c[i].count;
        b = find(&v, value);
    }
    j = first_equal(t, i);
    if (j != i) {
        struct counter c = t->c[i];

        v.table[find(&v, t->c[j].value)] = (uint16_t)(i + 1);
        t->c[i] = t->c[j];
        t->c[j] = c;
    }
    v.table[b] = (uint16_t)(j + 1);
    t->c[j].count++;
}

static inline double topk_value(const struct tw_stat *s, const struct topk *t)
{
    (void)s;
    return t->used ? t->c[0].value : NAN;
}
TW_STAT_RUN(topk, struct topk, 1)

static size_t topk_size(const struct tw_stat *s)
{
    unsigned m = counters(s);

    return sizeof(struct topk) + m * sizeof(struct counter)
        + table_size(m) * sizeof(uint16_t);
}

static unsigned listed(const struct tw_stat *s, const struct topk *t)
{
    return t->used < wanted(s) ? (unsigned)t->used : wanted(s);
}

static double topk_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct topk *t = state;
    uint64_t error = 0;

    if (field == 1) return (double)t->rows;
    if (!t->used) return NAN;
    if (field == 0) return t->c[0].value;
    if (field == 2) return (double)t->c[0].count;
    for (unsigned i = 0; i < listed(s, t); i++)
        if (t->c[i].error > error) error = t->c[i].error;
    return (double)error;
}

static unsigned topk_list(const struct tw_stat *s, const void *state, double (*out)[2],
                          unsigned max)
{
    const struct topk *t = state;
    unsigned n = listed(s, t) < max ? listed(s, t) : max;

    for (unsigned i = 0; i < n; i++) {
        out[i][0] = t->c[i].value;
        out[i][1] = (double)t->c[i].count;
    }
    return n;
}

/* K1 and K2 for whatever stands in the counters (Shell 1959, Ciura's gaps). */
static void put_in_order(const struct view *v)
{
    static const unsigned gaps[] = { 1750, 701, 301, 132, 57, 23, 10, 4, 1 };
    struct counter *c = v->t->c;

    for (unsigned g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (unsigned i = gaps[g]; i < v->t->used; i++) {
            struct counter moved = c[i];
            unsigned j = i;

            for (; j >= gaps[g] && c[j - gaps[g]].count < moved.count; j -= gaps[g])
                c[j] = c[j - gaps[g]];
            c[j] = moved;
        }
    memset(v->table, 0, (v->mask + 1) * sizeof *v->table);
    for (unsigned i = 0; i < v->t->used; i++)
        v->table[find(v, c[i].value)] = (uint16_t)(i + 1);
}

static void topk_merge(const struct tw_stat *s, void *into, const void *from)
{
    const struct view v = view(s, into), f = view(s, from);
    struct topk *t = v.t;
    uint64_t least = t->used < v.m ? 0 : t->c[v.m - 1].count;
    uint64_t other = f.t->used < f.m ? 0 : f.t->c[f.m - 1].count;
    unsigned worst = v.m;

    for (unsigned i = 0; i < t->used; i++) {
        unsigned b = f.table[find(&f, t->c[i].value)];

        t->c[i].count += b ? f.t->c[b - 1].count : other;
        t->c[i].error += b ? f.t->c[b - 1].error : other;
    }
    put_in_order(&v);
    /* The best that only `from` has take the place of the worst of ours; what has
     * lost its place would not be better than the next worst. */
    for (unsigned i = 0; i < f.t->used; i++) {
        struct counter c = f.t->c[i];

        if (v.table[find(&v, c.value)]) continue;
        c.count += least;
        c.error += least;
        if (t->used < v.m) {
            t->c[t->used++] = c;
            if (t->used == v.m) put_in_order(&v);
        } else if (worst > 0 && c.count > t->c[worst - 1].count) {
            t->c[--worst] = c;
        } else {
            break;
        }
    }
    put_in_order(&v);
    t->rows += f.t->rows;
}

static bool topk_valid(const struct tw_stat *s, const void *state)
{
    const struct view v = view(s, state);
    const struct topk *t = v.t;
    unsigned taken = 0;

    if (t->used > v.m) return false;
    for (unsigned b = 0; b <= v.mask; b++) {
        if (v.table[b] > t->used) return false;
        taken += v.table[b] != 0;
    }
    /* With as many buckets as counters some are free, and a search ends. */
    if (taken != t->used) return false;
    for (unsigned i = 0; i < t->used; i++) {
        if (v.table[find(&v, t->c[i].value)] != i + 1) return false;
        if (i > 0 && t->c[i].count > t->c[i - 1].count) return false;
    }
    return true;
}

static const struct tw_stat_ops topk_ops = {
    .size = topk_size, .run = topk_run, .get = topk_get, .merge = topk_merge,
    .valid = topk_valid, .list = topk_list
};
TW_STAT_CHOOSE(topk)

static const char *const topk_fields[] = {
    "value", "count", "frequency", "error", NULL
};

const struct tw_stat_kind tw_stat_topk = {
    "topk", { "x" }, TW_STAT_K | TW_STAT_TIME, 0, topk_fields, topk_choose,
    "the most frequent x; a count is too high by rows / max(64, 4 k) at most",
    "Space-Saving: Metwally et al. 2005, merged as Agarwal et al. 2012",
    "15 ns a value, 80 if all differ; 1808 bytes a key, k = 100: 11664"
};
