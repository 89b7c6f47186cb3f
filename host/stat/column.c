/* column.c - arithmetic on columns: one operation over up to TW_STAT_BATCH rows.
 *
 * Why vectors by hand: gcc -O2 leaves a loop of unknown length alone.  GNU C's vector
 * types give the same operations on any processor; each function is there twice, the
 * second time compiled for AVX2, and since no product is fused with a sum
 * (-ffp-contract=off) both give the same bits.
 *
 * What calls libm does so row by row.  Integers wrap around as Lua's do.
 */
#include "stat/column.h"

#include <math.h>

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#else
#define AVX2
#endif

typedef double numbers __attribute__((vector_size(32), may_alias));
typedef int64_t integers __attribute__((vector_size(32), may_alias));
typedef uint64_t bits __attribute__((vector_size(32), may_alias));
_Static_assert(sizeof(numbers) / sizeof(double) == TW_COLUMN_STEP, "a step is a vector");

#define COLUMN_FN(name) \
    name(unsigned n, union tw_column *out, const union tw_column *a, \
         const union tw_column *b, const union tw_column *c)
#define UNUSED (void)a, (void)b, (void)c

/* A function over steps, in both ways: x and y are the arguments as vectors of `in`. */
#define STEPS(name, in, result, value) \
    STEPS_FOR(name##_plain, , in, result, SECOND(in), value) \
    STEPS_FOR(name##_avx2, AVX2, in, result, SECOND(in), value)
#define SECOND(in) const in y = *(const in *)&b->integer[i]
#define STEPS_1(name, in, result, value) \
    STEPS_FOR(name##_plain, , in, result, , value) \
    STEPS_FOR(name##_avx2, AVX2, in, result, , value)
#define STEPS_FOR(name, target, in, result, second, value) \
    target static void COLUMN_FN(name) \
    { \
        UNUSED; \
        for (unsigned i = 0; i < n; i += TW_COLUMN_STEP) { \
            const in x = *(const in *)&a->integer[i]; \
            second; \
            *(result *)&out->integer[i] = (value); \
        } \
    }

STEPS(add, numbers, numbers, x + y)
STEPS(sub, numbers, numbers, x - y)
STEPS(mul, numbers, numbers, x * y)
STEPS(quotient, numbers, numbers, x / y)
STEPS_1(negate, numbers, numbers, -x)
STEPS(eq, numbers, integers, (x == y) & 1)
STEPS(ne, numbers, integers, (x != y) & 1)
STEPS(lt, numbers, integers, (x < y) & 1)
STEPS(le, numbers, integers, (x <= y) & 1)
STEPS_1(missing, numbers, integers, (x != x) & 1)
STEPS(add_int, bits, bits, x + y)
STEPS(sub_int, bits, bits, x - y)
STEPS(mul_int, bits, bits, x * y)
STEPS_1(negate_int, bits, bits, -x)
STEPS(eq_int, integers, integers, (x == y) & 1)
STEPS(ne_int, integers, integers, (x != y) & 1)
STEPS(lt_int, integers, integers, (x < y) & 1)
STEPS(le_int, integers, integers, (x <= y) & 1)
STEPS(both, integers, integers, x & y)
STEPS(either, integers, integers, x | y)
STEPS_1(not, integers, integers, x ^ 1)

/* a ? b : c, whatever the type: a mask of the condition's bit. */
#define IFELSE(name, target) \
    target static void COLUMN_FN(name) \
    { \
        for (unsigned i = 0; i < n; i += TW_COLUMN_STEP) { \
            const bits mask = -*(const bits *)&a->integer[i]; \
            *(bits *)&out->integer[i] = (*(const bits *)&b->integer[i] & mask) \
                | (*(const bits *)&c->integer[i] & ~mask); \
        } \
    }
IFELSE(ifelse_plain, )
IFELSE(ifelse_avx2, AVX2)

/* A function over rows, the same for every processor. */
#define ROWS(name, in, result, value) \
    ROWS_FOR(name, in, result, SECOND(in), value)
#define ROWS_1(name, in, result, value) ROWS_FOR(name, in, result, , value)
#define ROWS_FOR(name, in, result, second, value) \
    static void COLUMN_FN(name) \
    { \
        UNUSED; \
        for (unsigned i = 0; i < n; i++) { \
            const in x = *(const in *)&a->integer[i]; \
            second; \
            *(result *)&out->integer[i] = value; \
        } \
    }

/* As Lua: towards minus infinity, and the remainder has the divisor's sign. */
static int64_t idiv(int64_t x, int64_t y)
{
    if (y == -1) return (int64_t)-(uint64_t)x;   /* x / y may overflow */
    return x / y - (x % y != 0 && (x ^ y) < 0);
}

static int64_t imod(int64_t x, int64_t y)
{
    int64_t m = y == -1 ? 0 : x % y;

    return m != 0 && (m ^ y) < 0 ? m + y : m;
}

static double number_mod(double x, double y)
{
    double m = fmod(x, y);

    return (m > 0 && y < 0) || (m < 0 && y > 0) ? m + y : m;
}

typedef int64_t integer __attribute__((may_alias));
typedef double number __attribute__((may_alias));
ROWS(idiv_int, integer, integer, idiv(x, y))
ROWS(mod_int, integer, integer, imod(x, y))
ROWS_1(to_number, integer, number, (double)x)
ROWS(idiv_number, number, number, floor(x / y))
ROWS(mod_number, number, number, number_mod(x, y))
ROWS(pow_number, number, number, y == 2 ? x * x : pow(x, y))
ROWS(min_number, number, number, isnan(x) || isnan(y) ? NAN : y < x ? y : x)
ROWS(max_number, number, number, isnan(x) || isnan(y) ? NAN : y > x ? y : x)
ROWS(fmod_number, number, number, fmod(x, y))
ROWS(atan2_number, number, number, atan2(x, y))
ROWS_1(abs_number, number, number, fabs(x))
ROWS_1(ceil_number, number, number, ceil(x))
ROWS_1(floor_number, number, number, floor(x))
ROWS_1(sqrt_number, number, number, sqrt(x))
ROWS_1(exp_number, number, number, exp(x))
ROWS_1(expm1_number, number, number, expm1(x))
ROWS_1(log_number, number, number, log(x))
ROWS_1(log2_number, number, number, log2(x))
ROWS_1(log10_number, number, number, log10(x))
ROWS_1(log1p_number, number, number, log1p(x))
ROWS_1(sin_number, number, number, sin(x))
ROWS_1(cos_number, number, number, cos(x))
ROWS_1(tan_number, number, number, tan(x))
ROWS_1(asin_number, number, number, asin(x))
ROWS_1(acos_number, number, number, acos(x))
ROWS_1(atan_number, number, number, atan2(x, 1))   /* to the bit as Lua */
ROWS_1(tanh_number, number, number, tanh(x))
ROWS_1(sign_number, number, number, isnan(x) ? NAN : (x > 0) - (x < 0))

/* One operation: plain and with AVX2, on numbers and on integers (booleans, ids). */
static const struct { tw_column_fn *number[2], *integer[2]; } ops[TW_EXPR_OPS] = {
#define BOTH(f) { f##_plain, f##_avx2 }
#define SAME(f) { f, f }
    [TW_EXPR_TO_NUMBER] = { .integer = SAME(to_number) },
    [TW_EXPR_NEGATE] = { BOTH(negate), BOTH(negate_int) },
    [TW_EXPR_NOT] = { .integer = BOTH(not) },
    [TW_EXPR_ADD] = { BOTH(add), BOTH(add_int) },
    [TW_EXPR_SUB] = { BOTH(sub), BOTH(sub_int) },
    [TW_EXPR_MUL] = { BOTH(mul), BOTH(mul_int) },
    [TW_EXPR_DIV] = { .number = BOTH(quotient) },
    [TW_EXPR_IDIV] = { SAME(idiv_number), SAME(idiv_int) },
    [TW_EXPR_MOD] = { SAME(mod_number), SAME(mod_int) },
    [TW_EXPR_POW] = { .number = SAME(pow_number) },
    [TW_EXPR_EQ] = { BOTH(eq), BOTH(eq_int) },
    [TW_EXPR_NE] = { BOTH(ne), BOTH(ne_int) },
    [TW_EXPR_LT] = { BOTH(lt), BOTH(lt_int) },
    [TW_EXPR_LE] = { BOTH(le), BOTH(le_int) },
    [TW_EXPR_AND] = { .integer = BOTH(both) },
    [TW_EXPR_OR] = { .integer = BOTH(either) },
    [TW_EXPR_IFELSE] = { .number = BOTH(ifelse) },
    [TW_EXPR_MISSING] = { .number = BOTH(missing) },
    [TW_EXPR_MIN] = { .number = SAME(min_number) },
    [TW_EXPR_MAX] = { .number = SAME(max_number) },
    [TW_EXPR_FMOD] = { .number = SAME(fmod_number) },
    [TW_EXPR_ATAN2] = { .number = SAME(atan2_number) },
    [TW_EXPR_ABS] = { .number = SAME(abs_number) },
    [TW_EXPR_CEIL] = { .number = SAME(ceil_number) },
    [TW_EXPR_FLOOR] = { .number = SAME(floor_number) },
    [TW_EXPR_SQRT] = { .number = SAME(sqrt_number) },
    [TW_EXPR_EXP] = { .number = SAME(exp_number) },
    [TW_EXPR_EXPM1] = { .number = SAME(expm1_number) },
    [TW_EXPR_LOG] = { .number = SAME(log_number) },
    [TW_EXPR_LOG2] = { .number = SAME(log2_number) },
    [TW_EXPR_LOG10] = { .number = SAME(log10_number) },
    [TW_EXPR_LOG1P] = { .number = SAME(log1p_number) },
    [TW_EXPR_SIN] = { .number = SAME(sin_number) },
    [TW_EXPR_COS] = { .number = SAME(cos_number) },
    [TW_EXPR_TAN] = { .number = SAME(tan_number) },
    [TW_EXPR_ASIN] = { .number = SAME(asin_number) },
    [TW_EXPR_ACOS] = { .number = SAME(acos_number) },
    [TW_EXPR_ATAN] = { .number = SAME(atan_number) },
    [TW_EXPR_TANH] = { .number = SAME(tanh_number) },
    [TW_EXPR_SIGN] = { .number = SAME(sign_number) },
};

tw_column_fn *tw_column_op_plain(enum tw_expr_op op, enum tw_expr_type type)
{
    return type == TW_EXPR_NUMBER ? ops[op].number[0] : ops[op].integer[0];
}

tw_column_fn *tw_column_op(enum tw_expr_op op, enum tw_expr_type type)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return type == TW_EXPR_NUMBER ? ops[op].number[1] : ops[op].integer[1];
#endif
    return tw_column_op_plain(op, type);
}
