/* book.c - statistics of the best bid and ask, and of what is there.
 *
 *   order_flow_imbalance(bid, bid_size, ask, ask_size)
 *                      Cont, Kukanov & Stoikov (Journal of Financial Econometrics 12,
 *                      2014): the sum of e over quotes after the first, where e is
 *                      bid_size if the bid has not fallen, less the previous bid_size if
 *                      it has not risen, less ask_size if the ask has not risen, plus
 *                      the previous ask_size if it has not fallen.
 *   microprice(bid, bid_size, ask, ask_size)
 *                      (bid * ask_size + ask * bid_size) / (bid_size + ask_size): the
 *                      mid weighted by the other side's size (Gatheral & Oomen, Finance
 *                      and Stochastics 14, 2010); the mid if both sizes are 0
 *   imbalance(bid_size, ask_size)
 *                      (bid_size - ask_size) / (bid_size + ask_size); 0 if both are
 *
 * An infinite input makes what it enters infinite or NaN.
 *
 * Layer host/stat.
 */
#include "stat/one.h"

enum { BID, BID_SIZE, ASK, ASK_SIZE, QUOTE };

/* ---- order flow imbalance ---- */

struct flow {
    uint64_t quotes;
    double sum, rest;             /* their sum is exact to twice a double's digits */
    double event;                 /* the newest                                    */
    double quote[QUOTE], first[QUOTE];
};

/* The last events; `sum` of struct flow is the ring's. */
struct recent {
    uint64_t quotes;              /* all that there were      */
    double sum, event;
    double quote[QUOTE];
    uint64_t at;
    double ring[];
};

static inline double event_of(const double *was, const double *is)
{
    return (is[BID] >= was[BID] ? is[BID_SIZE] : 0)
        - (is[BID] <= was[BID] ? was[BID_SIZE] : 0)
        - (is[ASK] <= was[ASK] ? is[ASK_SIZE] : 0)
        + (is[ASK] >= was[ASK] ? was[ASK_SIZE] : 0);
}

/* Knuth's two-sum: what the rounding of the sum takes away is kept. */
static inline void flow_add(struct flow *f, double event)
{
    const double sum = f->sum + event, kept = sum - f->sum;

    f->rest += (f->sum - (sum - kept)) + (event - kept);
    f->sum = sum;
}

static inline void flow_push(const struct tw_stat *s, struct flow *f,
                             const double *x, int64_t time)
{
    (void)s, (void)time;
    if (f->quotes++ == 0) {
        for (unsigned i = 0; i < QUOTE; i++) f->first[i] = x[i];
    } else {
        f->event = event_of(f->quote, x);
        flow_add(f, f->event);
    }
    for (unsigned i = 0; i < QUOTE; i++) f->quote[i] = x[i];
}

static inline double flow_value(const struct tw_stat *s, const struct flow *f)
{
    (void)s;
    return f->quotes > 1 ? f->sum + f->rest : NAN;
}

TW_STAT_RUN(flow, struct flow, QUOTE)

TW_STAT_SIZE(flow, struct flow)

static double flow_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct flow *f = state;

    if (field == 0) return flow_value(s, f);
    if (field == 1) return f->quotes > 1 ? f->event : NAN;
    return f->quotes ? (double)f->quotes - 1 : 0;
}

static void flow_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct flow *f = into;
    const struct flow *newer = from;

    if (newer->quotes == 0) return;
    flow_push(s, f, newer->first, 0);
    flow_add(f, newer->sum);
    f->rest += newer->rest;
    f->quotes += newer->quotes - 1;
    if (newer->quotes > 1) f->event = newer->event;
    for (unsigned i = 0; i < QUOTE; i++) f->quote[i] = newer->quote[i];
}

static const struct tw_stat_ops flow_ops = {
    .size = flow_size, .run = flow_run, .get = flow_get, .merge = flow_merge
};

/* Afresh each time the ring wraps, so that no rounding stays. */
static inline void recent_push(const struct tw_stat *s, struct recent *f,
                               const double *x, int64_t time)
{
    (void)time;
    if (f->quotes++ > 0) {
        f->event = event_of(f->quote, x);
        f->sum += f->event - f->ring[f->at];
        f->ring[f->at] = f->event;
        if (++f->at == s->o.window) {
            f->sum = 0;
            while (f->at > 0) f->sum += f->ring[--f->at];
        }
    }
    for (unsigned i = 0; i < QUOTE; i++) f->quote[i] = x[i];
}

static inline double recent_value(const struct tw_stat *s, const struct recent *f)
{
    (void)s;
    return f->quotes > 1 ? f->sum : NAN;
}

TW_STAT_RUN(recent, struct recent, QUOTE)

static size_t recent_size(const struct tw_stat *s)
{
    return sizeof(struct recent) + s->o.window * sizeof(double);
}

static double recent_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct recent *f = state;

    if (field == 0) return recent_value(s, f);
    if (field == 1) return f->quotes > 1 ? f->event : NAN;
    return f->quotes ? fmin((double)f->quotes - 1, s->o.window) : 0;
}

static bool recent_valid(const struct tw_stat *s, const void *state)
{
    return ((const struct recent *)state)->at < s->o.window;
}

/* No merge: which event joins the two parts can't be known, and the first quote of
 * the newer one is gone. */
static const struct tw_stat_ops recent_ops = {
    .size = recent_size, .run = recent_run, .get = recent_get, .valid = recent_valid
};

static const struct tw_stat_ops *flow_choose(const struct tw_stat_options *o)
{
    return o->window ? &recent_ops : &flow_ops;
}

/* ---- of the newest quote ---- */

static inline void microprice_push(const struct tw_stat *s, struct one *o,
                                   const double *x, int64_t time)
{
    const double all = x[BID_SIZE] + x[ASK_SIZE];
    const double part = all == 0 ? 0.5 : x[BID_SIZE] / all;

    (void)s, (void)time;
    one_set(o, x[BID] + (x[ASK] - x[BID]) * part);
}

ONE_WAY(microprice, QUOTE, one_merge)

static inline void imbalance_push(const struct tw_stat *s, struct one *o,
                                  const double *x, int64_t time)
{
    const double all = x[0] + x[1];

    (void)s, (void)time;
    one_set(o, all == 0 ? 0 : (x[0] - x[1]) / all);
}

ONE_WAY(imbalance, 2, one_merge)

/* ---- their names ---- */

static const char *const flow_fields[] = { "value", "last", "count", NULL };
static const char *const newest_fields[] = { "value", "count", NULL };

const struct tw_stat_kind tw_stat_order_flow_imbalance = {
    "order_flow_imbalance", { "bid", "bid_size", "ask", "ask_size" },
    TW_STAT_WINDOW | TW_STAT_TIME, 0, flow_fields, flow_choose,
    "sum of the sizes that came to the bid or left the ask, less the opposite",
    "Cont, Kukanov & Stoikov 2014",
    "8 ns a quote, 96 bytes a key; a window 9 ns, 64 + 8 n bytes"
}, tw_stat_microprice = {
    "microprice", { "bid", "bid_size", "ask", "ask_size" }, 0, 0, newest_fields,
    microprice_choose, "(bid * ask_size + ask * bid_size) / (bid_size + ask_size)",
    "Gatheral & Oomen 2010", "2 ns a quote, 16 bytes a key"
}, tw_stat_imbalance = {
    "imbalance", { "bid_size", "ask_size" }, 0, 0, newest_fields, imbalance_choose,
    "(bid_size - ask_size) / (bid_size + ask_size)", "Gould & Bonart 2016",
    "1 ns a row, 16 bytes a key"
};
