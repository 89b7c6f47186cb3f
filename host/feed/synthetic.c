/* synthetic.c - a made-up market: correlated random walks from a seed.
 *
 * Why: demonstrations, tests and benchmarks need a market that anybody has, and
 * a result that can be compared.  So what draws and steps is integer
 * arithmetic, normals are sums of uniforms, and what is computed once in
 * doubles uses + - * / and sqrt alone, which IEEE 754 rounds the same way
 * everywhere: no exp, log or pow, whose last bits are each platform's own.
 *
 * The model.  A security's mid is its first price times the level of its sector
 * times a level of its own.  Each quote of a sector moves the sector's level,
 * each quote of a security its own, by a factor 1 + r with r normal: the walks
 * are geometric.  The steps are sized by how often each is moved, so that all
 * have the same volatility in event time and any two of a sector the
 * same correlation.  Levels stay within 1/4 and 4, so a price stays positive
 * whatever the run's length.  Records are spaced exactly 1 / rate apart; whose
 * they are is drawn by popularity.
 *
 * Invariants
 *   S1  0 < bid < ask, both whole ticks.
 *   S2  The same options and symbol attributes give the same records, bit by bit.
 *   S3  A trade is at the bid or the ask that its security last showed.
 *
 * Layer host/feed.  Thread: one at a time.
 */
#include "feed/synthetic.h"
#include "base/fixed.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

enum {
    SECTORS = 10,
    TICKS_MIN = 1000, TICKS_MAX = 1 << 18,   /* a first price                   */
    SPREAD_MAX = 8,                          /* ticks: far below TICKS_MIN / 16 */
    NAME_LETTERS = 4, NAMES_SHORT = 26 * 26 * 26 * 26
};

#define VOLATILITY 3e-4                      /* of a price, per root of a second */
#define LEVEL_ONE (INT64_C(1) << 30)
#define LEVEL_MAX (LEVEL_ONE * 4)
#define LEVEL_MIN (LEVEL_ONE / 4)
#define DEVIATION 37837.227                  /* of normal(): sqrt(4 / 12) * 2^16  */
#define STEP_MAX 0.02                        /* deviation of one step, at most    */
#define UNIT_MAX INT64_C(1000000000000)      /* a tick or lot of up to 1,000      */

struct walk {
    int64_t level;       /* LEVEL_ONE is where it began       */
    int64_t step;        /* deviation of r in 2^-48 DEVIATION */
};

struct security {
    struct walk own;
    int64_t tick_fixed, lot_fixed;
    uint32_t symbol;
    uint32_t ticks;      /* the first price                   */
    uint32_t bid;        /* ticks; 0: not quoted yet          */
    uint8_t sector, spread, usual_spread;
};

struct slot { uint32_t below, other; };   /* alias method: mine below, else other's */

struct tw_synthetic {
    uint64_t random, trade_below;         /* of 2^32 */
    int64_t time_ns, period_ns;
    uint32_t time_part, period_part;      /* in 2^-32 ns */
    uint32_t n, count;                    /* securities; records given */
    uint64_t trades;
    uint8_t source;
    struct walk sector[SECTORS];
    struct security *security;
    struct slot *slot;
};

/* splitmix64: a counter and a mix of its bits; no state can be a bad one. */
static uint64_t draw(struct tw_synthetic *s)
{
    uint64_t z = s->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Nearly normal: the sum of four uniforms, around 0. */
static int64_t normal(uint64_t bits)
{
    return (int64_t)((bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF)
                     + (bits >> 48)) - 2 * 0xFFFF;
}

static void step(struct walk *w, uint64_t bits)
{
    /* Rounded, not cut: a bias of half a unit would add up to a trend. */
    int64_t r = (normal(bits) * w->step + (1 << 15)) >> 16;
    int64_t next = w->level + ((w->level * r + (INT64_C(1) << 31)) >> 32);

    if (next >= LEVEL_MIN && next <= LEVEL_MAX) w->level = next;
}

/* The step for a walk that moves so often a second and has that share of
 * the variance. */
static int64_t step_for(double share, double moves)
{
    double deviation = moves > 0 ? VOLATILITY * sqrt(share / moves) : STEP_MAX;

    if (deviation > STEP_MAX) deviation = STEP_MAX;
    return (int64_t)(deviation * 281474976710656.0 / DEVIATION);   /* 2^48 */
}

static struct security *pick(struct tw_synthetic *s)
{
    uint64_t bits = draw(s);
    uint32_t i = (uint32_t)((bits >> 32) * s->n >> 32);

    return &s->security[(uint32_t)bits < s->slot[i].below ? i : s->slot[i].other];
}

/* Few lots more often than many: 1 to 16. */
static int64_t size(const struct security *y, uint64_t bits)
{
    return (int64_t)(1 + ((bits & 0xFF) * (bits >> 8 & 0xFF) >> 12)) * y->lot_fixed;
}

static void quote(struct tw_synthetic *s, struct security *y, uint64_t bits,
                  struct tw_quote *q)
{
    struct walk *sector = &s->sector[y->sector];
    uint64_t level, halves;

    step(sector, draw(s));
    step(&y->own, draw(s));
    if ((bits & 15) == 0) {
        bool wider = y->spread < y->usual_spread
            || (y->spread == y->usual_spread && (bits & 16));

        if (wider && y->spread < SPREAD_MAX) y->spread++;
        else if (!wider && y->spread > 1) y->spread--;
    }
    /* Twice the mid in ticks: at least 2 * TICKS_MIN / 16, at most 2^23. */
    level = (uint64_t)sector->level * (uint64_t)y->own.level >> 30;
    halves = level * y->ticks >> 29;
    y->bid = (uint32_t)(halves - y->spread) / 2;
    q->bid = y->bid * y->tick_fixed;
    q->ask = (y->bid + y->spread) * y->tick_fixed;
    q->bid_size = size(y, bits >> 8);
    q->ask_size = size(y, bits >> 24);
}

void tw_synthetic_next(struct tw_synthetic *s, struct tw_record *out)
{
    struct security *y = pick(s);
    uint64_t bits = draw(s);
    bool trade = bits >> 32 < s->trade_below && y->bid > 0;
    uint64_t part = (uint64_t)s->time_part + s->period_part;

    *out = (struct tw_record){
        .time = s->time_ns, .symbol = y->symbol, .source = s->source,
        .kind = trade ? TW_TRADE : TW_QUOTE, .source_seq = ++s->count
    };
    if (__builtin_add_overflow(s->time_ns, s->period_ns + (int64_t)(part >> 32),
                               &s->time_ns)) s->time_ns = INT64_MAX;
    s->time_part = (uint32_t)part;
    if (!trade) {
        quote(s, y, draw(s), &out->quote);
        return;
    }
    out->trade.side = bits & 1 ? TW_SIDE_BUY : TW_SIDE_SELL;
    out->trade.price = (y->bid + (bits & 1 ? y->spread : 0u)) * y->tick_fixed;
    out->trade.size = size(y, bits >> 8);
    out->trade.id = ++s->trades;
}

int64_t tw_synthetic_time(const struct tw_synthetic *s)
{
    return s->time_ns;
}

/* Walker's alias method: one draw and one look give a security by popularity. */
static void share_out(struct tw_synthetic *s, double *share, uint32_t *order)
{
    uint32_t n = s->n, small = 0, large = n;

    for (uint32_t i = 0; i < n; i++) {
        share[i] *= n;
        order[share[i] < 1 ? small++ : --large] = i;
    }
    while (small > 0 && large < n) {
        uint32_t less = order[--small], more = order[large];

        s->slot[less] = (struct slot){(uint32_t)(share[less] * 4294967295.0), more};
        share[more] -= 1 - share[less];
        if (share[more] < 1) {
            large++;
            order[small++] = more;
        }
    }
    /* What is left over is 1 but for rounding. */
    while (small > 0 || large < n) {
        uint32_t i = small > 0 ? order[--small] : order[large++];

        s->slot[i] = (struct slot){UINT32_MAX, i};
    }
}

/* The i-th made-up symbol: four letters, then five; a stride that shares no
 * factor with 26 meets each name once. */
static void name_symbol(uint32_t i, char name[NAME_LETTERS + 2])
{
    int letters = i < NAMES_SHORT ? NAME_LETTERS : NAME_LETTERS + 1;
    uint64_t code = i < NAMES_SHORT ? (i * UINT64_C(175447) + 304001) % NAMES_SHORT
        : ((i - NAMES_SHORT) * UINT64_C(4561903) + 7340021) % (NAMES_SHORT * 26);

    name[letters] = 0;
    for (; letters > 0; code /= 26) name[--letters] = (char)('A' + code % 26);
}

/* Interns a symbol and gives it the attributes that it lacks. */
static bool add(struct tw_synthetic *s, struct tw_symbols *symbols, const char *name,
                const char *sector, double weight, struct security *y)
{
    int64_t id = tw_symbols_intern(symbols, name, strlen(name)), sector_id;
    struct tw_instrument in;

    if (id < 0) return false;
    in = tw_symbols_get(symbols, (uint32_t)id);
    if (in.sector == 0) {
        sector_id = tw_names_intern(tw_symbols_sectors(symbols), sector, strlen(sector));
        if (sector_id < 0) return false;
        in.sector = (uint32_t)sector_id;
    }
    if (in.tick_fixed <= 0) in.tick_fixed = TW_FIXED_ONE / 100;
    if (in.lot_fixed <= 0) in.lot_fixed = TW_FIXED_ONE * 100;
    if (in.weight == 0) in.weight = weight;
    tw_symbols_set(symbols, (uint32_t)id, &in);

    y->symbol = (uint32_t)id;
    y->tick_fixed = in.tick_fixed < UNIT_MAX ? in.tick_fixed : UNIT_MAX;
    y->lot_fixed = in.lot_fixed < UNIT_MAX ? in.lot_fixed : UNIT_MAX;
    y->own.level = LEVEL_ONE;
    y->usual_spread = (uint8_t)(1 + draw(s) % 3);
    y->spread = y->usual_spread;
    return true;
}

static uint32_t ticks(const struct security *y, int64_t price)
{
    int64_t t = price / y->tick_fixed;

    return (uint32_t)(t < TICKS_MIN ? TICKS_MIN : t > TICKS_MAX ? TICKS_MAX : t);
}

/* The default market; popularity is the weight in the index. */
static bool add_four(struct tw_synthetic *s, struct tw_symbols *symbols, double *share)
{
    static const struct {
        const char *name, *sector;
        uint8_t number;
        int cents;
        double weight;
    } four[] = {
        {"AAPL", "tech", 0, 18964, 0.4}, {"GOOG", "tech", 0, 14071, 0.3},
        {"BP", "oil", 1, 3548, 0.1}, {"XOM", "oil", 1, 10243, 0.2},
    };

    for (uint32_t i = 0; i < s->n; i++) {
        struct security *y = &s->security[i];

        if (!add(s, symbols, four[i].name, four[i].sector, four[i].weight, y))
            return false;
        y->sector = four[i].number;
        y->ticks = ticks(y, four[i].cents * (TW_FIXED_ONE / 100));
        share[i] = four[i].weight;
    }
    return true;
}

/* Popularity and weight fall as 1 / rank (Zipf). */
static bool add_universe(struct tw_synthetic *s, struct tw_symbols *symbols,
                         double *share)
{
    static const char *const sectors[SECTORS] = {
        "tech", "oil", "banks", "health", "retail",
        "autos", "media", "metals", "power", "travel"
    };
    double sum = 0;

    for (uint32_t i = 0; i < s->n; i++) sum += 1.0 / (i + 1.0);
    for (uint32_t i = 0; i < s->n; i++) {
        struct security *y = &s->security[i];
        char name[NAME_LETTERS + 2];

        share[i] = 1.0 / (i + 1.0) / sum;
        name_symbol(i, name);
        if (!add(s, symbols, name, sectors[i % SECTORS], share[i], y)) return false;
        y->sector = (uint8_t)(i % SECTORS);
        y->ticks = ticks(y, (int64_t)(1000 + draw(s) % 49000) * (TW_FIXED_ONE / 100));
    }
    return true;
}

static void size_steps(struct tw_synthetic *s, const double *share, double quotes,
                       double correlation)
{
    double sector[SECTORS] = {0};

    for (uint32_t i = 0; i < s->n; i++) {
        s->security[i].own.step = step_for(1 - correlation, quotes * share[i]);
        sector[s->security[i].sector] += share[i];
    }
    for (int k = 0; k < SECTORS; k++)
        s->sector[k] = (struct walk){
            LEVEL_ONE, step_for(correlation, quotes * sector[k])
        };
}

struct tw_synthetic *tw_synthetic_new(const struct tw_synthetic_options *o)
{
    double rate = !(o->rate > 0) ? 20000 : o->rate < 1e-6 ? 1e-6
        : o->rate > 1e9 ? 1e9 : o->rate;
    double trades = !(o->trades >= 0) ? 0.05 : o->trades > 1 ? 1 : o->trades;
    double correlation = !(o->correlation >= 0) ? 0.6
        : o->correlation > 1 ? 1 : o->correlation;
    double period = 1e9 / rate;
    uint32_t n = o->universe ? o->universe : 4;
    struct tw_synthetic *s = NULL;
    double *share = NULL;
    uint32_t *order = NULL;

    if (n > TW_SYMBOL_MAX) goto fail;
    s = tw_calloc(1, sizeof *s);
    share = tw_calloc(n, sizeof *share);
    order = tw_calloc(n, sizeof *order);
    if (!s || !share || !order) goto fail;
    s->random = o->seed ? o->seed : 1;
    s->n = n;
    s->source = o->source;
    s->time_ns = o->start_ns;
    s->period_ns = (int64_t)period;
    s->period_part = (uint32_t)((period - (double)s->period_ns) * 4294967296.0);
    s->trade_below = (uint64_t)(trades * 4294967296.0);
    s->security = tw_calloc_aligned(n, sizeof *s->security);
    s->slot = tw_calloc(n, sizeof *s->slot);
    if (!s->security || !s->slot) goto fail;
    if (!(o->universe ? add_universe : add_four)(s, o->symbols, share)) goto fail;
    size_steps(s, share, rate * (1 - trades), correlation);
    share_out(s, share, order);
    tw_free(share);
    tw_free(order);
    return s;

fail:
    tw_free(share);
    tw_free(order);
    tw_synthetic_free(s);
    return NULL;
}

void tw_synthetic_free(struct tw_synthetic *s)
{
    if (!s) return;
    tw_free(s->security);
    tw_free(s->slot);
    tw_free(s);
}
