/* array.c - a column of doubles: its memory, and what is computed of it.
 *
 * Why lanes: element i goes to accumulator i % LANES, so that the additions do not
 * wait for each other and the compiler uses vectors; the order is the same on every
 * machine, and so is the result.
 *
 * Invariants
 *   A1  Nothing in an array changes after its maker gave it away.
 *   A2  The parent of a slice is no slice, so no chain keeps or frees.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/array.h"

#include <math.h>

#include "base/memory.h"

enum { LANES = 8 };

struct tw_array {
    struct tw_object object;
    struct tw_array *parent;   /* constant: of a slice, one reference; or NULL */
    const double *data;        /* constant */
    size_t n;                  /* constant */
};

static void array_free(struct tw_object *o)
{
    struct tw_array *a = (struct tw_array *)o;

    if (a->parent) tw_array_unref(a->parent);
    tw_free(a);
}

const struct tw_object_type tw_array_type = { "tw.array", array_free };

static void begin(struct tw_array *a, struct tw_array *parent, const double *data,
                  size_t n)
{
    a->parent = parent;
    a->data = data;
    a->n = n;
    tw_object_init(&a->object, &tw_array_type);
}

struct tw_array *tw_array_new(size_t n, double **data)
{
    struct tw_array *a;
    uintptr_t first;

    assert(n <= TW_ARRAY_MAX);
    /* Zeroed memory would be written twice. */
    a = tw_realloc(NULL, sizeof *a + TW_CACHELINE - 1 + n * sizeof **data);
    if (!a) return NULL;
    first = (uintptr_t)(a + 1) + TW_CACHELINE - 1;
    *data = (double *)(first - first % TW_CACHELINE);
    begin(a, NULL, *data, n);
    return a;
}

struct tw_array *tw_array_slice(struct tw_array *a, size_t from, size_t n)
{
    struct tw_array *slice = tw_calloc(1, sizeof *slice);
    struct tw_array *parent = a->parent ? a->parent : a;   /* A2 */

    assert(from <= a->n && n <= a->n - from);
    if (!slice) return NULL;
    tw_object_ref(&parent->object);
    begin(slice, parent, a->data + from, n);
    return slice;
}

struct tw_object *tw_array_object(struct tw_array *a)
{
    return &a->object;
}

void tw_array_unref(struct tw_array *a)
{
    tw_object_unref(&a->object);
}

size_t tw_array_length(const struct tw_array *a)
{
    return a->n;
}

const double *tw_array_data(const struct tw_array *a)
{
    return a->data;
}

/* Adds x; what rounding took from *sum goes to *lost. */
static inline void add_exactly(double *sum, double *lost, double x)
{
    double next = *sum + x, part = next - *sum;

    *lost += (*sum - (next - part)) + (x - part);
    *sum = next;
}

double tw_array_sum(const struct tw_array *a)
{
    const double *x = a->data;
    double sum[LANES] = { 0 }, lost[LANES] = { 0 };
    size_t i = 0;

    for (; i + LANES <= a->n; i += LANES)
        for (int k = 0; k < LANES; k++) add_exactly(&sum[k], &lost[k], x[i + k]);
    for (; i < a->n; i++) add_exactly(&sum[0], &lost[0], x[i]);
    for (int k = 1; k < LANES; k++) {
        add_exactly(&sum[0], &lost[0], sum[k]);
        lost[0] += lost[k];
    }
    return isfinite(sum[0]) ? sum[0] + lost[0] : sum[0];
}

struct tw_array *tw_array_cumsum(const struct tw_array *a)
{
    double sum = 0, lost = 0, *data;
    struct tw_array *out = tw_array_new(a->n, &data);

    for (size_t i = 0; out && i < a->n; i++) {
        add_exactly(&sum, &lost, a->data[i]);
        data[i] = isfinite(sum) ? sum + lost : sum;
    }
    return out;
}

double tw_array_mean(const struct tw_array *a)
{
    return a->n ? tw_array_sum(a) / (double)a->n : NAN;
}

double tw_array_variance(const struct tw_array *a)
{
    const double *x = a->data, mean = tw_array_mean(a), n = (double)a->n;
    double squares[LANES] = { 0 }, rest[LANES] = { 0 };
    size_t i = 0;

    if (a->n < 2) return NAN;
    for (; i + LANES <= a->n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            double d = x[i + k] - mean;

            squares[k] += d * d;
            rest[k] += d;
        }
    for (; i < a->n; i++) {
        squares[0] += (x[i] - mean) * (x[i] - mean);
        rest[0] += x[i] - mean;
    }
    for (int k = 1; k < LANES; k++) {
        squares[0] += squares[k];
        rest[0] += rest[k];
    }
    /* The rest is what the rounding of the mean left. */
    return (squares[0] - rest[0] * rest[0] / n) / (n - 1);
}

/* Comparing with a NaN is false: nan keeps one that came by. */
#define DEFINE_EXTREME(name, before)                                       \
    double name(const struct tw_array *a)                                  \
    {                                                                      \
        const double *x = a->data;                                         \
        double best[LANES], nan[LANES] = { 0 };                            \
        size_t i = 0;                                                      \
                                                                           \
        if (a->n == 0) return NAN;                                         \
        for (int k = 0; k < LANES; k++) best[k] = x[0];                    \
        for (; i + LANES <= a->n; i += LANES)                              \
            for (int k = 0; k < LANES; k++) {                              \
                best[k] = x[i + k] before best[k] ? x[i + k] : best[k];    \
                nan[k] = x[i + k] == x[i + k] ? nan[k] : x[i + k];         \
            }                                                              \
        for (; i < a->n; i++) {                                            \
            best[0] = x[i] before best[0] ? x[i] : best[0];                \
            nan[0] = x[i] == x[i] ? nan[0] : x[i];                         \
        }                                                                  \
        for (int k = 0; k < LANES; k++) {                                  \
            best[0] = best[k] before best[0] ? best[k] : best[0];          \
            nan[0] += nan[k];                                              \
        }                                                                  \
        return isnan(nan[0]) ? NAN : best[0];                              \
    }

DEFINE_EXTREME(tw_array_min, <)
DEFINE_EXTREME(tw_array_max, >)

double tw_array_dot(const struct tw_array *a, const struct tw_array *b)
{
    const double *x = a->data, *y = b->data;
    double sum[LANES] = { 0 };
    size_t i = 0;

    assert(a->n == b->n);
    for (; i + LANES <= a->n; i += LANES)
        for (int k = 0; k < LANES; k++) sum[k] += x[i + k] * y[i + k];
    for (; i < a->n; i++) sum[0] += x[i] * y[i];
    for (int k = 1; k < LANES; k++) sum[0] += sum[k];
    return sum[0];
}
