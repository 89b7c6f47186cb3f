/* stat_hand.h - for bench/stat.c: statistics as loops written by hand, in C and in Lua.
 *
 * A loop in C is of just that definition, and skips a missing row as the statistic
 * does.  "decimals" and "afresh" keep what the statistic promises: sums of decimals are
 * exact, and no rounding stays in a window.  The other loops say what that costs.
 */
#ifndef STAT_HAND_H
#define STAT_HAND_H

#include <math.h>
#include <stdint.h>

#include "stat/stat.h"

enum { WINDOW = 64 };

/* `push` changes the state s by a row x, y; `value` is what is read after it. */
#define HAND(name, inputs, fields, push, value) \
    struct name { fields }; \
    static void name(void *states, const struct tw_stat_rows *r) \
    { \
        for (unsigned i = 0; i < r->n; i++) { \
            struct name *s = (struct name *)states + r->key[i]; \
            const double x = r->x[0][i], y = r->x[(inputs) > 1][i]; \
            if (!isnan(x) && !isnan(y)) { push; } \
            if (r->out) r->out[i] = value; \
        } \
    }

/* ---- sums ---- */

__extension__ typedef __int128 wide;

static inline bool decimal(double x, int64_t *units)
{
    const double nearest = (x * 1e9 + 0x1.8p52) - 0x1.8p52;

    *units = fabs(x) < 2251799 ? (int64_t)nearest : 0;
    return (double)*units / 1e9 == x;
}

/* What no decimal is. */
struct rest { double sum, error; };

static inline void rest_add(struct rest *r, double x)
{
    const double sum = r->sum + x, kept = sum - r->sum;

    r->error += (r->sum - (sum - kept)) + (x - kept);
    r->sum = sum;
}

static inline double exact(wide units, double unit, const struct rest *r)
{
    const int64_t narrow = (int64_t)units;

    return (narrow == units ? (double)narrow : (double)units) / unit
        + (r->sum + r->error);
}

HAND(sum, 1, double sum;, s->sum += x, s->sum)
HAND(sum_rest, 1, struct rest r;, rest_add(&s->r, x), s->r.sum + s->r.error)
HAND(sum_decimals, 1, wide units; struct rest r;,
     int64_t u;
     if (decimal(x, &u)) s->units += u; else rest_add(&s->r, x),
     exact(s->units, 1e9, &s->r))
HAND(mean, 1, double n; double mean;, s->mean += (x - s->mean) / ++s->n, s->mean)
HAND(mean_decimals, 1, wide units; struct rest r; uint64_t n;,
     int64_t u;
     if (decimal(x, &u)) s->units += u; else rest_add(&s->r, x);
     s->n++, exact(s->units, 1e9, &s->r) / (double)s->n)
HAND(mean_64, 1, double sum; uint32_t n; uint32_t at; double ring[WINDOW];,
     s->sum += x - s->ring[s->at]; s->ring[s->at] = x;
     s->at = (s->at + 1) % WINDOW; s->n += s->n < WINDOW, s->sum / s->n)
HAND(mean_64_decimals, 1, wide units; struct rest r; uint32_t n; uint32_t at;
     double ring[WINDOW];,
     int64_t u; double old = s->ring[s->at];
     if (decimal(x, &u)) s->units += u; else rest_add(&s->r, x);
     if (s->n < WINDOW) s->n++;
     else if (decimal(old, &u)) s->units -= u; else rest_add(&s->r, -old);
     s->ring[s->at] = x; s->at = (s->at + 1) % WINDOW,
     exact(s->units, 1e9, &s->r) / s->n)
HAND(vwap, 2, double value; double size;, s->value += x * y; s->size += y,
     s->value / s->size)
HAND(vwap_decimals, 2, wide value; wide size; struct rest of_value; struct rest of_size;,
     int64_t a; int64_t b; bool whole = decimal(y, &b);
     if (whole && decimal(x, &a)) s->value += (wide)a * b;
     else rest_add(&s->of_value, x * y);
     if (whole) s->size += b; else rest_add(&s->of_size, y),
     exact(s->value, 1e18, &s->of_value) / exact(s->size, 1e9, &s->of_size))

/* ---- moments ---- */

HAND(variance, 1, double n; double mean; double m2;,
     double d = x - s->mean; s->mean += d / ++s->n; s->m2 += d * (x - s->mean),
     s->m2 / (s->n - 1))
HAND(covariance, 2, double n; double x; double y; double xy;,
     double d = x - s->x; s->n++; s->x += d / s->n; s->y += (y - s->y) / s->n;
     s->xy += d * (y - s->y), s->xy / (s->n - 1))

/* A window's means and sums of products of deviations. */
struct ring {
    double x, y, xx, yy, xy;
    uint32_t n, at;
    double of[];
};

static inline void ring_push_1(struct ring *s, double x)
{
    const double old = s->of[s->at], was = s->x;

    s->of[s->at] = x;
    s->at = (s->at + 1) % WINDOW;
    if (s->n < WINDOW) {
        s->x += (x - was) / ++s->n;
        s->xx += (x - was) * (x - s->x);
    } else {
        s->x += (x - old) / WINDOW;
        s->xx += (x - old) * (x - s->x + old - was);
    }
}

static inline void ring_afresh_1(struct ring *s)
{
    s->x = s->xx = 0;
    for (int i = 0; i < WINDOW; i++) s->x += s->of[i] / WINDOW;
    for (int i = 0; i < WINDOW; i++) s->xx += (s->of[i] - s->x) * (s->of[i] - s->x);
}

static inline void ring_push_2(struct ring *s, double x, double y)
{
    double *old = &s->of[s->at * 2];
    const double a = x - s->x, b = y - s->y;

    if (s->n < WINDOW) {
        s->x += a / ++s->n;
        s->y += b / s->n;
        s->xx += a * (x - s->x);
        s->yy += b * (y - s->y);
        s->xy += a * (y - s->y);
    } else {
        const double c = old[0] - s->x, d = old[1] - s->y;
        const double p = (a - c) / WINDOW, q = (b - d) / WINDOW;

        s->x += p;
        s->y += q;
        s->xx += (a - c) * (a + c - p);
        s->yy += (b - d) * (b + d - q);
        s->xy += a * b - c * d - (a - c) * q;
    }
    old[0] = x;
    old[1] = y;
    s->at = (s->at + 1) % WINDOW;
}

static inline void ring_afresh_2(struct ring *s)
{
    s->x = s->y = s->xx = s->yy = s->xy = 0;
    for (int i = 0; i < WINDOW * 2; i += 2) {
        s->x += s->of[i] / WINDOW;
        s->y += s->of[i + 1] / WINDOW;
    }
    for (int i = 0; i < WINDOW * 2; i += 2) {
        const double a = s->of[i] - s->x, b = s->of[i + 1] - s->y;

        s->xx += a * a;
        s->yy += b * b;
        s->xy += a * b;
    }
}

#define RING double state[6]; double of[WINDOW];
#define RINGS double state[6]; double of[WINDOW * 2];
#define THE_RING ((struct ring *)s)
#define CORRELATION (THE_RING->xy / (sqrt(THE_RING->xx) * sqrt(THE_RING->yy)))
HAND(variance_64, 1, RING, ring_push_1(THE_RING, x),
     THE_RING->xx / (THE_RING->n - 1))
HAND(variance_64_afresh, 1, RING, ring_push_1(THE_RING, x);
     if (THE_RING->at == 0) ring_afresh_1(THE_RING),
     THE_RING->xx / (THE_RING->n - 1))
HAND(covariance_64, 2, RINGS, ring_push_2(THE_RING, x, y),
     THE_RING->xy / (THE_RING->n - 1))
HAND(covariance_64_afresh, 2, RINGS, ring_push_2(THE_RING, x, y);
     if (THE_RING->at == 0) ring_afresh_2(THE_RING),
     THE_RING->xy / (THE_RING->n - 1))
HAND(correlation_64, 2, RINGS, ring_push_2(THE_RING, x, y), CORRELATION)
HAND(correlation_64_afresh, 2, RINGS, ring_push_2(THE_RING, x, y);
     if (THE_RING->at == 0) ring_afresh_2(THE_RING), CORRELATION)

/* ---- others ---- */

HAND(ewma, 1, uint64_t n; double mean;,
     if (s->n++) s->mean += 0.05 * (x - s->mean); else s->mean = x, s->mean)
HAND(min, 1, uint64_t n; double min;, if (s->n++ == 0 || x < s->min) s->min = x, s->min)
HAND(max, 1, uint64_t n; double max;, if (s->n++ == 0 || x > s->max) s->max = x, s->max)
HAND(prev, 1, double now; double old;, s->old = s->now; s->now = x, s->old)
HAND(flow, 2, double sum; uint64_t n; double bid; double bid_size; double ask;
     double ask_size;,
     double ask = r->x[2][i]; double ask_size = r->x[3][i];
     if (isnan(ask) || isnan(ask_size)) continue;
     if (s->n++ > 0)
         s->sum += (x >= s->bid ? y : 0) - (x <= s->bid ? s->bid_size : 0)
             - (ask <= s->ask ? ask_size : 0) + (ask >= s->ask ? s->ask_size : 0);
     s->bid = x; s->bid_size = y; s->ask = ask; s->ask_size = ask_size, s->sum)

static const struct by_hand {
    const char *of, *what;
    size_t size;
    void (*run)(void *states, const struct tw_stat_rows *r);
} by_hand[] = {
    { "sum()", "naive", sizeof(struct sum), sum },
    { "sum()", "compensated", sizeof(struct sum_rest), sum_rest },
    { "sum()", "decimals", sizeof(struct sum_decimals), sum_decimals },
    { "mean()", "running mean", sizeof(struct mean), mean },
    { "mean()", "decimals", sizeof(struct mean_decimals), mean_decimals },
    { "mean(window=64)", "naive", sizeof(struct mean_64), mean_64 },
    { "mean(window=64)", "decimals", sizeof(struct mean_64_decimals), mean_64_decimals },
    { "variance()", "Welford", sizeof(struct variance), variance },
    { "variance(window=64)", "rounding stays", sizeof(struct variance_64), variance_64 },
    { "variance(window=64)", "afresh", sizeof(struct variance_64), variance_64_afresh },
    { "ewma(alpha=0.05)", "", sizeof(struct ewma), ewma },
    { "min()", "", sizeof(struct min), min },
    { "max()", "", sizeof(struct max), max },
    { "covariance()", "Welford", sizeof(struct covariance), covariance },
    { "covariance(window=64)", "rounding stays", sizeof(struct covariance_64),
      covariance_64 },
    { "covariance(window=64)", "afresh", sizeof(struct covariance_64),
      covariance_64_afresh },
    { "correlation(window=64)", "rounding stays", sizeof(struct correlation_64),
      correlation_64 },
    { "correlation(window=64)", "afresh", sizeof(struct correlation_64),
      correlation_64_afresh },
    { "vwap()", "two sums", sizeof(struct vwap), vwap },
    { "vwap()", "decimals", sizeof(struct vwap_decimals), vwap_decimals },
    { "prev()", "", sizeof(struct prev), prev },
    { "order_flow_imbalance()", "", sizeof(struct flow), flow },
};

/* ---- in Lua: a table for each key ---- */

static const struct in_lua {
    const char *of, *new, *push, *value;
} in_lua[] = {
    { "sum()", "{sum = 0.0}", "s.sum = s.sum + x", "s.sum" },
    { "mean()", "{n = 0, mean = 0.0}",
      "local n = s.n + 1; s.n = n; s.mean = s.mean + (x - s.mean) / n", "s.mean" },
    { "variance()", "{n = 0, mean = 0.0, m2 = 0.0}",
      "local n, d = s.n + 1, x - s.mean; local mean = s.mean + d / n;"
      " s.n = n; s.mean = mean; s.m2 = s.m2 + d * (x - mean)", "s.m2 / (s.n - 1)" },
    { "ewma(alpha=0.05)", "{}",
      "local e = s.e; s.e = e and e + 0.05 * (x - e) or x", "s.e" },
    { "min()", "{min = math.huge}", "if x < s.min then s.min = x end", "s.min" },
    { "covariance()", "{n = 0, x = 0.0, y = 0.0, xy = 0.0}",
      "local n, d = s.n + 1, x - s.x; local my = s.y + (y - s.y) / n;"
      " s.n = n; s.x = s.x + d / n; s.y = my; s.xy = s.xy + d * (y - my)",
      "s.xy / (s.n - 1)" },
    { "vwap()", "{value = 0.0, size = 0.0}",
      "s.value = s.value + x * y; s.size = s.size + y", "s.value / s.size" },
    { "prev()", "{}", "s.old = s.now; s.now = x", "s.old" },
    { "sma(window=64)", "{n = 0, sum = 0.0}",
      "local n = s.n + 1; local at = n % 64 + 1; s.n = n;"
      " s.sum = s.sum + x - (s[at] or 0); s[at] = x", "s.n >= 64 and s.sum / 64" },
    { "ema(window=64)", "{n = 0, e = 0.0}",
      "local n, e = s.n + 1, s.e; s.n = n; s.e = e + (x - e) / (n < 64 and n or 32.5)",
      "s.n >= 64 and s.e" },
    { "rsi()", "{n = 0, gain = 0.0, loss = 0.0}",
      "local n, d = s.n, x - (s.last or x); local gain, loss, m = s.gain, s.loss,"
      " n < 14 and n + 1 or 14; s.n = n + 1; s.last = x;"
      " s.gain = gain + ((d > 0 and d or 0) - gain) / m;"
      " s.loss = loss + ((d < 0 and -d or 0) - loss) / m",
      "s.n > 14 and 100 * s.gain / (s.gain + s.loss)" },
    { "obv()", "{sum = 0.0}",
      "local last = s.last or x; s.last = x;"
      " s.sum = s.sum + (x > last and y or x < last and -y or 0)", "s.sum" },
};

#endif
