/* array_map.c - new arrays, element by element from others.
 *
 * Why blocks: a number beside an array is a block of copies that stays in the
 * nearest cache, so each operator is one loop over two arrays.
 *
 * Layer host/share.  Thread: see array.h.
 */
#include <math.h>

#include "share/array.h"

enum { LANES = 8, BLOCK = 256 };

/* The inner loop has a constant length: so it becomes vectors without a check. */
#define LOOP(statement)                                                    \
    size_t i = 0;                                                          \
                                                                           \
    for (; i + LANES <= n; i += LANES)                                     \
        for (size_t k = i; k < i + LANES; k++) { statement; }              \
    for (size_t k = i; k < n; k++) { statement; }

#define DEFINE_OPERATOR(name, expression)                                  \
    static void name(double *restrict out, const double *restrict p,       \
                     const double *restrict q, size_t n)                   \
    {                                                                      \
        LOOP(double x = p[k]; double y = q[k]; out[k] = expression)         \
    }

DEFINE_OPERATOR(op_add, x + y)
DEFINE_OPERATOR(op_sub, x - y)
DEFINE_OPERATOR(op_mul, x * y)
DEFINE_OPERATOR(op_div, x / y)
DEFINE_OPERATOR(op_pow, y == 2 ? x * x : pow(x, y))   /* as Lua's own ^ */

struct tw_array *tw_array_combine(enum tw_array_op op, struct tw_array_side a,
                                  struct tw_array_side b)
{
    static void (*const operator[])(double *restrict, const double *restrict,
                                    const double *restrict, size_t)
        = { op_add, op_sub, op_mul, op_div, op_pow };
    const double *x = a.array ? tw_array_data(a.array) : NULL;
    const double *y = b.array ? tw_array_data(b.array) : NULL;
    size_t n = tw_array_length(x ? a.array : b.array);
    double constant[BLOCK], *data;
    struct tw_array *out = tw_array_new(n, &data);

    assert(!x || !y || tw_array_length(b.array) == n);
    if (!out) return NULL;
    for (int i = 0; i < BLOCK; i++) constant[i] = x ? b.number : a.number;
    for (size_t i = 0; i < n; i += BLOCK)
        operator[op](data + i, x ? x + i : constant, y ? y + i : constant,
                     n - i < BLOCK ? n - i : BLOCK);
    return out;
}

struct tw_array *tw_array_diff(const struct tw_array *a)
{
    size_t n = tw_array_length(a);
    const double *x = tw_array_data(a);
    double *data;
    struct tw_array *out = tw_array_new(n ? n - 1 : 0, &data);

    if (out && n) op_sub(data, x + 1, x, n - 1);
    return out;
}

#define FUNCTIONS(F)                                                       \
    F(abs, fabs(x)) F(acos, acos(x)) F(asin, asin(x)) F(atan, atan(x))     \
    F(ceil, ceil(x)) F(cos, cos(x)) F(exp, exp(x)) F(expm1, expm1(x))      \
    F(floor, floor(x)) F(log, log(x)) F(log10, log10(x))                   \
    F(log1p, log1p(x)) F(log2, log2(x)) F(round, round(x))                 \
    F(sign, x > 0 ? 1 : x < 0 ? -1 : x) F(sin, sin(x)) F(sqrt, sqrt(x))    \
    F(tan, tan(x)) F(tanh, tanh(x)) F(trunc, trunc(x))

#define DEFINE_FUNCTION(name, expression)                                  \
    static void f_##name(double *restrict out, const double *restrict p,   \
                         size_t n)                                         \
    {                                                                      \
        LOOP(double x = p[k]; out[k] = expression)                         \
    }
#define NAME(name, expression) #name,
#define POINTER(name, expression) f_##name,

FUNCTIONS(DEFINE_FUNCTION)

const char *const tw_array_functions[] = { FUNCTIONS(NAME) NULL };

struct tw_array *tw_array_map(const struct tw_array *a, unsigned function)
{
    static void (*const functions[])(double *restrict, const double *restrict, size_t)
        = { FUNCTIONS(POINTER) };
    double *data;
    struct tw_array *out = tw_array_new(tw_array_length(a), &data);

    if (out) functions[function](data, tw_array_data(a), tw_array_length(a));
    return out;
}
