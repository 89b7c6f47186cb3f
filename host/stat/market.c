/* market.c - statistics of a price in time; of the book: book.c.
 *
 *   twap(price)        the time-weighted average: each price counts for as long as it
 *                      stood, until the time of the newest row.  While no time has
 *                      passed it is the newest price.  Over a window in time it is of
 *                      the rows in it: from the first of them.
 *   realised_volatility(price, every=5m)
 *                      sqrt(sum(log(p / previous p)^2)) (Andersen & Bollerslev,
 *                      International Economic Review 39, 1998), with the last price
 *                      before each multiple of `every` since the epoch (Dacorogna et
 *                      al.'s previous tick), or each row's without it.  Not a rate: it
 *                      grows with the root of the time it covers, and what makes it a
 *                      year's is the reader's to say.  A step without a row is a return
 *                      of 0.  The step that the newest row is in isn't over, so is not
 *                      in it.  A price that is not above 0 is missing.
 * An infinite input makes what it enters infinite or NaN.
 *
 * Layer host/stat.
 */
#include "stat/kernel.h"

/* ---- TWAP ---- */

struct twap {
    uint64_t count;
    int64_t first_time, time;
    double first, price;
    double area;             /* of (price - first) over time: small where prices are */
};

/* Times of a loaded state may be anything: a difference that wraps is no error. */
static inline int64_t since(int64_t from, int64_t to)
{
    return (int64_t)((uint64_t)to - (uint64_t)from);
}

static inline void twap_push(const struct tw_stat *s, struct twap *t,
                             const double *x, int64_t time)
{
    (void)s;
    if (t->count++ == 0) {
        t->first = x[0];
        t->first_time = time;
    } else {
        t->area += (t->price - t->first) * (double)since(t->time, time);
    }
    t->price = x[0];
    t->time = time;
}

static inline double twap_value(const struct tw_stat *s, const struct twap *t)
{
    const int64_t past = since(t->first_time, t->time);

    (void)s;
    if (t->count == 0) return NAN;
    return past ? t->first + t->area / (double)past : t->price;
}

TW_STAT_RUN(twap, struct twap, 1)

TW_STAT_SIZE(twap, struct twap)

static double twap_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct twap *t = state;

    return field == 0 ? twap_value(s, t) : (double)t->count;
}

/* The last price of the one stands until the first of the other. */
static void twap_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct twap *t = into;
    const struct twap *newer = from;

    if (newer->count == 0) return;
    twap_push(s, t, &newer->first, newer->first_time);
    t->area += newer->area + (newer->first - t->first)
        * (double)since(newer->first_time, newer->time);
    t->count += newer->count - 1;
    t->price = newer->price;
    t->time = newer->time;
}

static const struct tw_stat_ops twap_ops = {
    .size = twap_size, .run = twap_run, .get = twap_get, .merge = twap_merge
};

TW_STAT_CHOOSE(twap)

/* ---- realised volatility ---- */

/* Of each row. */
struct returns {
    uint64_t count;          /* prices */
    double first, price, sum;
};

static inline double squared_return(double from, double to)
{
    const double r = log(to / from);

    return r * r;
}

static inline void returns_push(const struct tw_stat *s, struct returns *v,
                                const double *x, int64_t time)
{
    (void)s, (void)time;
    if (!(x[0] > 0)) return;
    if (v->count++ == 0) v->first = x[0];
    else v->sum += squared_return(v->price, x[0]);
    v->price = x[0];
}

static inline double returns_value(const struct tw_stat *s, const struct returns *v)
{
    (void)s;
    return v->count > 1 ? sqrt(v->sum) : NAN;
}

TW_STAT_RUN(returns, struct returns, 1)

TW_STAT_SIZE(returns, struct returns)

static double returns_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct returns *v = state;

    if (field == 0) return returns_value(s, v);
    return field == 1 ? v->count > 1 ? v->sum : NAN : v->count ? (double)v->count - 1 : 0;
}

static void returns_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct returns *v = into;
    const struct returns *newer = from;

    if (newer->count == 0) return;
    returns_push(s, v, &newer->first, 0);
    v->count += newer->count - 1;
    v->sum += newer->sum;
    v->price = newer->price;
}

static const struct tw_stat_ops returns_ops = {
    .size = returns_size, .run = returns_run, .get = returns_get, .merge = returns_merge
};

/* Of the last price of each step. */
struct steps {
    int64_t first_step, step;    /* the step of the first row, of the newest     */
    double first;                /* the last price of the first step             */
    double price;                /* of this step, so far                         */
    double sampled;              /* of the last step before that had a row; 0: none */
    double sum;
};

static inline void step_to(struct steps *v, int64_t step, double price)
{
    if (v->price == 0) v->first_step = v->step = step;
    if (step != v->step) {
        if (v->sampled > 0) v->sum += squared_return(v->sampled, v->price);
        v->sampled = v->price;
        v->step = step;
    }
    v->price = price;
    if (v->sampled == 0) v->first = price;
}

static inline void steps_push(const struct tw_stat *s, struct steps *v,
                              const double *x, int64_t time)
{
    const int64_t every = s->o.every_ns;

    /* Towards the past, also before the epoch. */
    if (x[0] > 0) step_to(v, time / every - (time % every < 0), x[0]);
}

/* The returns between the steps that are over. */
static inline double steps_count(const struct steps *v)
{
    return v->sampled > 0 ? (double)since(v->first_step, v->step) - 1 : 0;
}

static inline double steps_value(const struct tw_stat *s, const struct steps *v)
{
    (void)s;
    return steps_count(v) > 0 ? sqrt(v->sum) : NAN;
}

TW_STAT_RUN(steps, struct steps, 1)

TW_STAT_SIZE(steps, struct steps)

static double steps_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct steps *v = state;

    if (field == 0) return steps_value(s, v);
    return field == 2 ? steps_count(v) : steps_count(v) > 0 ? v->sum : NAN;
}

static void steps_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct steps *v = into;
    const struct steps *newer = from;

    (void)s;
    if (newer->price == 0) return;
    step_to(v, newer->first_step, newer->first);
    if (newer->sampled == 0) return;
    /* Its first step ends here as well, with the return into it. */
    if (v->sampled > 0) v->sum += squared_return(v->sampled, v->price);
    v->sum += newer->sum;
    v->sampled = newer->sampled;
    v->step = newer->step;
    v->price = newer->price;
}

static const struct tw_stat_ops steps_ops = {
    .size = steps_size, .run = steps_run, .get = steps_get, .merge = steps_merge
};

static const struct tw_stat_ops *volatility_choose(const struct tw_stat_options *o)
{
    return o->every_ns ? &steps_ops : &returns_ops;
}

/* ---- their names ---- */

static const char *const twap_fields[] = { "value", "count", NULL };
static const char *const volatility_fields[] = { "value", "variance", "count", NULL };

static const struct tw_stat_kind twap_kind = {
    "twap", { "price" }, TW_STAT_TIME, 0, twap_fields, twap_choose,
    "sum(price * time it stood) / time", "by definition",
    "2 ns a value, 48 bytes a key"
}, volatility_kind = {
    "realised_volatility", { "price" }, TW_STAT_EVERY | TW_STAT_TIME, 0,
    volatility_fields, volatility_choose, "sqrt(sum(log(p / previous p)^2))",
    "Andersen & Bollerslev 1998; sampled: Dacorogna et al. 2001",
    "6 ns a value, 32 bytes a key; with every 2 to 11 ns, 48"
};

const struct tw_stat_kind *const tw_stat_market[] = {
    &twap_kind, &volatility_kind, &tw_stat_order_flow_imbalance, &tw_stat_microprice,
    &tw_stat_imbalance, NULL
};
