/* stat.h - a statistic: what is pushed into it, what it keeps, what can be read.
 *
 * Why: one push interface for a handler's single values and for whole columns, and
 * states that are plain bytes: a slab of them is indexed by key, a copy is a
 * snapshot, merging two shards needs no walk, and saving is writing.
 *
 * Invariants
 *   T1  A state is `size` bytes without a pointer; all zero is the empty state.
 *   T2  A row with a NaN among its inputs is missing: it is not pushed.
 *   T3  What has no value yet (no rows, too few) reads as NaN.
 *   T4  merge(a, b), where it is there, is what pushing a's rows, then b's had made
 *       (up to rounding; a sketch: up to its error).
 *   T5  Equal rows in equal order give equal bits, whatever the batches.
 *
 * Layer host/stat.  Thread: the owner's of a state; kinds are constant, for any.
 * Blocks: never.  Memory: none, ever.
 */
#ifndef TW_STAT_H
#define TW_STAT_H

#include "base/tw.h"

enum { TW_STAT_INPUTS = 4, TW_STAT_BATCH = 256, TW_STAT_WINDOW_MAX = 1 << 20 };

/* What options a kind takes; as names: window alpha (or span, half_life) initial p
 * lag k every precision fast slow signal smooth deviations. */
enum tw_stat_option {
    TW_STAT_WINDOW = 1,      /* window = 64: the last 64 values             */
    TW_STAT_TIME = 2,        /* window = 60s: those of the last 60 s        */
    TW_STAT_ALPHA = 4,       /* alpha, or span or half_life in values       */
    TW_STAT_HALF_LIFE = 8,   /* half_life = 10s                             */
    TW_STAT_INITIAL = 16,    /* what it begins with; else its first value   */
    TW_STAT_P = 32,          /* a probability                               */
    TW_STAT_LAG = 64,        /* so many values ago                          */
    TW_STAT_K = 128,         /* how many are kept                           */
    TW_STAT_EVERY = 256,     /* a step in time                              */
    TW_STAT_PRECISION = 512, /* bits of a sketch                            */
    TW_STAT_FAST = 1024,     /* windows of parts of an indicator, in values */
    TW_STAT_SLOW = 2048,
    TW_STAT_SIGNAL = 4096,
    TW_STAT_SMOOTH = 8192,
    TW_STAT_DEVIATIONS = 16384  /* so many standard deviations              */
};

/* Zeros, and NaN for initial and p, are what nobody asked for. */
struct tw_stat_options {
    uint32_t window, lag, k, precision, fast, slow, signal, smooth;
    int64_t window_ns, half_life_ns, every_ns;
    double alpha, initial, p, deviations;
};

struct tw_stat;
struct tw_ratio;

/* Rows of equal length; `time` in ns since the epoch, never going back. */
struct tw_stat_rows {
    unsigned n;                          /* at most TW_STAT_BATCH               */
    const uint32_t *key;                 /* which state each row goes to        */
    const double *x[TW_STAT_INPUTS];
    const int64_t *time;
    double *out;                         /* the value after each row, or NULL   */
};

/* One way to compute a kind (over all, over a window, ...). */
struct tw_stat_ops {
    size_t (*size)(const struct tw_stat *s);   /* from its options */
    void (*run)(const struct tw_stat *s, void *states, const struct tw_stat_rows *r);
    /* A row that is not missing, and the value after it, as run has them; NULL: there is
     * only run.  For what handlers push one number at a time. */
    double (*step)(const struct tw_stat *s, void *state, const double *x, int64_t time);
    double (*get)(const struct tw_stat *s, const void *state, unsigned field);
    /* NULL: it can't be. */
    void (*merge)(const struct tw_stat *s, void *into, const void *from);
    /* Every index and count in a loaded state is in bounds; NULL: it has none. */
    bool (*valid)(const struct tw_stat *s, const void *state);
    /* A quantile at any p, ...; NULL: it has none. */
    double (*at)(const struct tw_stat *s, const void *state, double argument);
    /* Pairs (value, count), best first; how many.  NULL: it has none. */
    unsigned (*list)(const struct tw_stat *s, const void *state,
                     double (*out)[2], unsigned max);
    /* The value as a fraction; false: there is none.  NULL: never. */
    bool (*ratio)(const struct tw_stat *s, const void *state, struct tw_ratio *r);
    bool tells;          /* get costs no more than a push, which returns the value */
};

/* A statistic's name and what is said of it. */
struct tw_stat_kind {
    const char *name;                         /* "mean"                          */
    const char *inputs[TW_STAT_INPUTS + 1];   /* "x", "y"; ends in NULL          */
    unsigned options, required;               /* sets of enum tw_stat_option     */
    const char *const *fields;                /* "value" first; ends in NULL     */
    const struct tw_stat_ops *(*choose)(const struct tw_stat_options *o);
    const char *formula, *source, *cost;      /* for help: a line each           */
};

/* A statistic with its options.  Constant after tw_stat_init; copied freely. */
struct tw_stat {
    const struct tw_stat_kind *kind;
    const struct tw_stat_ops *ops;
    const struct tw_stat_ops *inner;          /* of each pane, see panes.c       */
    struct tw_stat_options o;
    size_t size;                              /* bytes of a state: of 8          */
    unsigned n_inputs;
};

/* All kinds: i = 0, 1, ... until NULL.  Thread: any.  Blocks: never. */
const struct tw_stat_kind *tw_stat_kind(unsigned i);

/* The kind of that name, or NULL.  Thread: any.  Blocks: never. */
const struct tw_stat_kind *tw_stat_find(const char *name, size_t n);

/* No option chosen.  Thread: any. */
struct tw_stat_options tw_stat_no_options(void);

/* Sets `name = value`; a time is given in ns.  TW_EUSAGE, with one line that says
 * what can be: the kind has no such option, twice the same one, or out of range. */
int tw_stat_set(const struct tw_stat_kind *k, struct tw_stat_options *o,
                const char *name, size_t n, double value, bool is_time,
                struct tw_error *error);

/* TW_EUSAGE: an option that it must have is not there, or two exclude each other. */
int tw_stat_init(struct tw_stat *s, const struct tw_stat_kind *k,
                 const struct tw_stat_options *o, struct tw_error *error);

/* One row into one state. */
void tw_stat_push(const struct tw_stat *s, void *state, const double *x, int64_t time);

/* The same of a row that is not missing, and the value that it has then: less work than
 * to get it. */
double tw_stat_push_get(const struct tw_stat *s, void *state, const double *x,
                        int64_t time);

/* NaN: no value. */
static inline double tw_stat_get(const struct tw_stat *s, const void *state,
                                 unsigned field)
{
    return s->ops->get(s, state, field);
}

/* The index of a field's name, or -1. */
int tw_stat_field(const struct tw_stat *s, const char *name);

/* Writes the statistic as it is declared: "ewma(alpha=0.05)"; its length. */
size_t tw_stat_text(const struct tw_stat *s, char *out, size_t n);

#endif
