/* comoments.h - means and co-moments of pairs (a, b): all of them, the last n,
 * exponentially weighted.
 *
 * Why: covariance, correlation, slope and autocorrelation are one state read in
 * different ways.  Sums of squares lose every digit when the mean is large, so what
 * is kept are the means and the sums of products of deviations from them:
 * Welford's update (Technometrics 4, 1962), merged as Chan, Golub & LeVeque do
 * (American Statistician 37, 1983).
 *
 * A window replaces its oldest pair.  What rounding leaves behind would stay, so it
 * is computed afresh each fourth time the ring wraps, and when one step takes nearly
 * all of a sum away (a spike leaves, and with it the digits of the rest).
 *
 * An infinity makes what is computed NaN: for good, or in a window until it leaves.
 *
 * Layer host/stat.  Thread: any; who owns a state calls.
 */
#ifndef TW_COMOMENTS_H
#define TW_COMOMENTS_H

#include "stat/kernel.h"

struct comoments {
    uint64_t n;
    double a, b;           /* the means                                        */
    double aa, bb, ab;     /* sums of products of deviations; weighted: means  */
};

/* The last n pairs. */
struct pairs {
    struct comoments c;    /* of what is in the ring                           */
    uint64_t at;           /* where the next pair goes; the oldest, once full  */
    uint64_t laps;         /* how often the ring wrapped                       */
    double ring[][2];
};

static inline size_t pairs_size(uint32_t window)
{
    return sizeof(struct pairs) + window * sizeof(double[2]);
}

static inline bool pairs_valid(const struct pairs *p, uint32_t window)
{
    return p->c.n <= window && p->at < window && (p->c.n == window || p->at == p->c.n);
}

static inline void comoments_add(struct comoments *c, double a, double b)
{
    const double da = a - c->a, db = b - c->b, part = 1 / (double)++c->n;

    c->a += da * part;
    c->b += db * part;
    c->aa += da * (a - c->a);
    c->bb += db * (b - c->b);
    c->ab += da * (b - c->b);
}

static inline void comoments_merge(struct comoments *c, const struct comoments *from)
{
    const double da = from->a - c->a, db = from->b - c->b;
    const double n = (double)(c->n + from->n), part = (double)from->n / n;
    const double weight = (double)c->n * part;

    if (from->n == 0) return;
    c->n += from->n;
    c->a += da * part;
    c->b += db * part;
    c->aa += from->aa + da * da * weight;
    c->bb += from->bb + db * db * weight;
    c->ab += from->ab + da * db * weight;
}

/* Finch, "Incremental calculation of weighted mean and variance" (2009): weights
 * (1 - alpha)^age, the first pair having all the weight that is left. */
static inline void comoments_decay(struct comoments *c, double a, double b, double alpha)
{
    const double da = a - c->a, db = b - c->b, keep = 1 - alpha;

    if (c->n++ == 0) {
        c->a = a;
        c->b = b;
        return;
    }
    c->a += alpha * da;
    c->b += alpha * db;
    c->aa = keep * (c->aa + alpha * da * da);
    c->bb = keep * (c->bb + alpha * db * db);
    c->ab = keep * (c->ab + alpha * da * db);
}

/* In one pass, of deviations from the first pair: equal values give exactly 0, and
 * what is taken off is at most n times what stays. */
static __attribute__((noinline)) void pairs_fresh(struct pairs *p)
{
    struct comoments *c = &p->c;
    const double part = 1 / (double)c->n, a0 = p->ring[0][0], b0 = p->ring[0][1];
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;

    for (uint64_t i = 1; i < c->n; i++) {
        const double da = p->ring[i][0] - a0, db = p->ring[i][1] - b0;

        a += da;
        b += db;
        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    c->a = a0 + a * part;
    c->b = b0 + b * part;
    c->aa = fmax(aa - a * a * part, 0);
    c->bb = fmax(bb - b * b * part, 0);
    c->ab = ab - a * b * part;
}

/* The oldest pair makes room. */
static inline void pairs_push(struct pairs *p, double a, double b, uint32_t window)
{
    const double much = 1024;   /* ten of the 53 bits */
    const uint64_t laps = 4;    /* each lap would cost 1 ns a row more */
    struct comoments *c = &p->c;
    double *slot = p->ring[p->at];
    bool fresh = false;

    if (++p->at == window) {
        p->at = 0;
        fresh = ++p->laps % laps == 0;
    }
    if (c->n < window) {
        comoments_add(c, a, b);
    } else {
        const double old_a = slot[0] - c->a, old_b = slot[1] - c->b;
        const double new_a = a - c->a, new_b = b - c->b;
        const double part = 1 / (double)window;
        const double da = (new_a - old_a) * part, db = (new_b - old_b) * part;
        const double aa = c->aa, bb = c->bb;

        c->a += da;
        c->b += db;
        c->aa += (new_a - old_a) * (new_a + old_a - da);
        c->bb += (new_b - old_b) * (new_b + old_b - db);
        c->ab += new_a * new_b - old_a * old_b - (new_a - old_a) * db;
        fresh = fresh || c->aa * much < aa || c->bb * much < bb
            || !isfinite(slot[0] + slot[1]);
    }
    slot[0] = a;
    slot[1] = b;
    if (fresh) pairs_fresh(p);
}

static inline void pairs_merge(struct pairs *p, const struct pairs *from, uint32_t window)
{
    for (uint64_t i = from->at; i < from->c.n; i++)
        pairs_push(p, from->ring[i][0], from->ring[i][1], window);
    for (uint64_t i = 0; i < from->at; i++)
        pairs_push(p, from->ring[i][0], from->ring[i][1], window);
}

/* NaN while one of them never changes. */
static inline double comoments_correlation(const struct comoments *c)
{
    const double r = c->ab / (sqrt(c->aa) * sqrt(c->bb));

    if (!(c->aa > 0 && c->bb > 0)) return NAN;
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

#endif
