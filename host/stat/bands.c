/* bands.c - what a price moves in: bollinger, donchian.
 *
 *   bollinger  value = middle = the mean m of the last n; upper and lower are m + k d
 *              and m - k d, d = sqrt(sum((x - m)^2) / n), k = deviations;
 *              percent = (x - lower) / (upper - lower), width = (upper - lower) / m
 *              (Bollinger, "Bollinger on Bollinger Bands", 2001: the deviation is the
 *              population's).  percent of bands without width is NaN.
 *   donchian   upper = the greatest high, lower = the least low of the last n rows,
 *              value = middle = their mean (Donchian, "Trend Following Methods in
 *              Commodity Price Analysis", 1957)
 *
 * bollinger: with y = x - base, an integer as long as x is a decimal (exact.h) not far
 * from the base, n sum(y^2) - sum(y)^2 is exact: n^2 d^2, rounded once.  The base is a
 * value of the window, or of the one before; a window with any other value is summed at
 * each reading.
 *
 * Layer host/stat.
 */
#include "stat/moving.h"
#include "stat/ratio.h"
#include "stat/recent.h"

enum { USUAL = 20 };

static inline uint32_t window_of(const struct tw_stat *s)
{
    return tw_stat_or(s->o.window, USUAL);
}

/* ---- bollinger ---- */

struct bollinger {
    uint64_t low;             /* sum(y^2), 128 bits, in units of 1e-18 */
    int64_t high, base;
    uint32_t other, unused;   /* values that are in no sum(y^2)        */
    struct moving m;
};

/* NEAR^2 n^2 fits 127 bits for any window.  Past HALF of it the base moves. */
#define NEAR (INT64_C(1) << 43)
#define HALF (NEAR / 2)

static inline bool near_base(const struct bollinger *b, double x, int64_t *y)
{
    return tw_exact_decimal(x, y) && !__builtin_sub_overflow(*y, b->base, y)
        && *y < NEAR && *y > -NEAR;
}

static inline void add_square(struct bollinger *b, double x, int sign)
{
    tw_uint128 sum = (tw_uint128)(uint64_t)b->high << 64 | b->low;
    int64_t y;

    if (!near_base(b, x, &y)) {
        b->other += (uint32_t)sign;
        return;
    }
    sum += (tw_uint128)((tw_int128)y * y * sign);
    b->low = (uint64_t)sum;
    b->high = (int64_t)(sum >> 64);
}

/* Around the newest value, where that is a decimal. */
static void move_base(struct bollinger *b, double newest)
{
    b->low = b->other = 0;
    b->high = 0;
    if (!tw_exact_decimal(newest, &b->base)) b->base = 0;
    for (uint32_t i = 0; i < b->m.n; i++) add_square(b, b->m.ring[i], 1);
}

static inline void bollinger_push(const struct tw_stat *s, struct bollinger *b,
                                  const double *x, int64_t time)
{
    double old;
    int64_t y;

    (void)time;
    if (b->m.n == 0 && !tw_exact_decimal(x[0], &b->base)) b->base = 0;
    old = moving_push(&b->m, window_of(s), x[0]);
    if (!isnan(old)) add_square(b, old, -1);
    add_square(b, x[0], 1);
    if (b->m.at == 0 && (!near_base(b, x[0], &y) || y > HALF || y < -HALF || b->other))
        move_base(b, x[0]);
}

static double deviation(const struct bollinger *b, uint32_t n)
{
    const tw_uint128 squares = (tw_uint128)(uint64_t)b->high << 64 | b->low;
    double mean, sum = 0;

    if (b->other == 0) {
        const tw_uint128 y = (tw_uint128)tw_exact_integer(&b->m.sum)
            - (tw_uint128)b->base * n;

        return sqrt((double)(tw_int128)(squares * n - y * y)) / n / 1e9;
    }
    mean = moving_mean(&b->m, n);
    for (uint32_t i = 0; i < n; i++)
        sum += (b->m.ring[i] - mean) * (b->m.ring[i] - mean);
    return sqrt(sum / n);
}

static inline double bollinger_value(const struct tw_stat *s, const struct bollinger *b)
{
    return moving_mean(&b->m, window_of(s));
}

TW_STAT_RUN(bollinger, struct bollinger, 1)

static size_t bollinger_size(const struct tw_stat *s)
{
    return offsetof(struct bollinger, m) + moving_size(window_of(s));
}

static double bollinger_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct bollinger *b = state;
    const uint32_t n = window_of(s);
    double middle, away;

    if (field == 1) return b->m.n;
    if (b->m.n < n) return NAN;
    middle = bollinger_value(s, b);
    if (field == 0) return middle;
    away = deviation(b, n) * (s->o.deviations > 0 ? s->o.deviations : 2);
    switch (field) {
    case 2: return middle + away;
    case 3: return middle - away;
    /* 0 / 0 is the NaN of no width. */
    case 4: return ((b->m.ring[(b->m.at ? b->m.at : n) - 1] - middle) / away + 1) / 2;
    default: return 2 * away / middle;
    }
}

static bool bollinger_valid(const struct tw_stat *s, const void *state)
{
    return moving_valid(&((const struct bollinger *)state)->m, window_of(s));
}

static bool bollinger_ratio(const struct tw_stat *s, const void *state,
                            struct tw_ratio *r)
{
    const struct bollinger *b = state;

    return b->m.n == window_of(s) && tw_ratio_of(r, &b->m.sum, window_of(s));
}

static const struct tw_stat_ops bollinger_ops = {
    .size = bollinger_size, .run = bollinger_run, .get = bollinger_get,
    .valid = bollinger_valid, .ratio = bollinger_ratio, .tells = true
};

/* ---- donchian ---- */

/* The least low; behind it minus the greatest high. */
static inline struct recent *low_of(const void *state)
{
    return (struct recent *)state;
}

static inline struct recent *high_of(const struct tw_stat *s, const void *state)
{
    return (struct recent *)((char *)state + recent_bytes(window_of(s)));
}

static inline void donchian_push(const struct tw_stat *s, void *state, const double *x,
                                 int64_t time)
{
    (void)time;
    recent_push(window_of(s), low_of(state), x[1]);
    recent_push(window_of(s), high_of(s, state), -x[0]);
}

static double donchian_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct recent *low = low_of(state), *high = high_of(s, state);

    if (field == 1) return low->full ? window_of(s) : low->next;
    if (!low->full) return NAN;
    switch (field) {
    case 0: return (recent_of(low) - recent_of(high)) / 2;
    case 2: return -recent_of(high);
    default: return recent_of(low);
    }
}

static inline double donchian_value(const struct tw_stat *s, const void *state)
{
    return donchian_get(s, state, 0);
}

TW_STAT_RUN(donchian, void, 2)

static size_t donchian_size(const struct tw_stat *s)
{
    return 2 * recent_bytes(window_of(s));
}

static bool donchian_valid(const struct tw_stat *s, const void *state)
{
    return recent_sound(low_of(state), window_of(s))
        && recent_sound(high_of(s, state), window_of(s));
}

static const struct tw_stat_ops donchian_ops = {
    .size = donchian_size, .run = donchian_run, .get = donchian_get,
    .valid = donchian_valid, .tells = true
};

/* ---- their names ---- */

TW_STAT_CHOOSE(bollinger)
TW_STAT_CHOOSE(donchian)

static const struct tw_stat_kind bollinger_kind = {
    .name = "bollinger", .inputs = { "x" },
    .options = TW_STAT_WINDOW | TW_STAT_DEVIATIONS,
    .fields = (const char *const[]){ "value", "count", "upper", "lower", "percent",
                                     "width", NULL },
    .choose = bollinger_choose,
    .formula = "mean of n = 20; upper, lower = mean +- deviations = 2 std, the"
        " population's",
    .source = "Bollinger 2001, exact for decimals",
    .cost = "10 ns a value, 96 + 8 n bytes a key; a band: 25 ns more"
}, donchian_kind = {
    .name = "donchian", .inputs = { "high", "low" }, .options = TW_STAT_WINDOW,
    .fields = (const char *const[]){ "value", "count", "upper", "lower", NULL },
    .choose = donchian_choose,
    .formula = "upper = greatest high, lower = least low of n = 20; value = their mean",
    .source = "Donchian 1957", .cost = "7 ns a row, 32 + 16 n bytes a key"
};

const struct tw_stat_kind *const tw_stat_bands[] = {
    &bollinger_kind, &donchian_kind, NULL
};
