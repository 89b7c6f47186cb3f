/* column.c - each operation gives what Lua gives, with AVX2 and without. */
#include "stat/column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { ROUNDS = 8, MARK = 0x5a };

static const double numbers[] = {
    0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.1, 5.3, -5.3, 1e300, -1e300, 0x1p-1074, -0x1p-1074,
    0x1p-1022, 1e16, NAN, INFINITY, -INFINITY, 4503599627370497.5, 9007199254740993.0
};
static const int64_t integers[] = {
    0, 1, -1, 2, -2, 3, -3, 7, INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1,
    INT64_C(1) << 53, (INT64_C(1) << 53) + 1, -(INT64_C(1) << 53) - 1
};
#define COUNT(list) (sizeof list / sizeof list[0])

static union tw_column a, b, c, out[2];

static uint64_t bits(void)
{
    return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

static double any_number(void)
{
    uint64_t x = bits();
    double number;

    if (random() % 2) return numbers[(size_t)random() % COUNT(numbers)];
    if (random() % 2) return (double)(random() % 2001 - 1000) / 4;
    memcpy(&number, &x, sizeof number);
    return number;
}

static int64_t any_integer(void)
{
    if (random() % 2) return integers[(size_t)random() % COUNT(integers)];
    return random() % 2 ? random() % 2001 - 1000 : (int64_t)bits();
}

static bool is_boolean(enum tw_expr_op op)
{
    return op == TW_EXPR_NOT || op == TW_EXPR_AND || op == TW_EXPR_OR;
}

static void fill(enum tw_expr_op op, enum tw_expr_type type)
{
    for (int i = 0; i < TW_STAT_BATCH; i++) {
        union tw_column *const in[] = { &a, &b, &c };

        for (int k = 0; k < 3; k++)
            if (is_boolean(op) || (op == TW_EXPR_IFELSE && k == 0))
                in[k]->integer[i] = random() % 2;
            else if (type == TW_EXPR_NUMBER) in[k]->number[i] = any_number();
            else in[k]->integer[i] = any_integer();
        if (type != TW_EXPR_NUMBER && (op == TW_EXPR_IDIV || op == TW_EXPR_MOD)
            && b.integer[i] == 0) b.integer[i] = -1;
    }
}

/* ---- by definition ---- */

static double modulo(double x, double y)
{
    double m = fmod(x, y);

    if (m != 0 && signbit(m) != signbit(y)) m += y;
    return m;
}

static double number_of(enum tw_expr_op op, double x, double y, double z, bool first)
{
    switch (op) {
    case TW_EXPR_NEGATE: return -x;
    case TW_EXPR_ADD:    return x + y;
    case TW_EXPR_SUB:    return x - y;
    case TW_EXPR_MUL:    return x * y;
    case TW_EXPR_DIV:    return x / y;
    case TW_EXPR_IDIV:   return floor(x / y);
    case TW_EXPR_MOD:    return modulo(x, y);
    case TW_EXPR_POW:    return y == 2 ? x * x : pow(x, y);
    case TW_EXPR_IFELSE: return first ? y : z;
    case TW_EXPR_MIN:    return isnan(x) ? x : isnan(y) || y < x ? y : x;
    case TW_EXPR_MAX:    return isnan(x) ? x : isnan(y) || x < y ? y : x;
    case TW_EXPR_FMOD:   return fmod(x, y);
    case TW_EXPR_ATAN2:  return atan2(x, y);
    case TW_EXPR_ABS:    return x < 0 ? -x : x == 0 ? 0.0 : x;
    case TW_EXPR_CEIL:   return -floor(-x);
    case TW_EXPR_FLOOR:  return floor(x);
    case TW_EXPR_SQRT:   return sqrt(x);
    case TW_EXPR_EXP:    return exp(x);
    case TW_EXPR_EXPM1:  return expm1(x);
    case TW_EXPR_LOG:    return log(x);
    case TW_EXPR_LOG2:   return log2(x);
    case TW_EXPR_LOG10:  return log10(x);
    case TW_EXPR_LOG1P:  return log1p(x);
    case TW_EXPR_SIN:    return sin(x);
    case TW_EXPR_COS:    return cos(x);
    case TW_EXPR_TAN:    return tan(x);
    case TW_EXPR_ASIN:   return asin(x);
    case TW_EXPR_ACOS:   return acos(x);
    case TW_EXPR_ATAN:   return atan2(x, 1);
    case TW_EXPR_TANH:   return tanh(x);
    case TW_EXPR_SIGN:   return x > 0 ? 1 : x < 0 ? -1 : isnan(x) ? x : 0;
    default:             return -4321;
    }
}

static bool compare(enum tw_expr_op op, double x, double y)
{
    switch (op) {
    case TW_EXPR_EQ: return x == y;
    case TW_EXPR_NE: return !(x == y);
    case TW_EXPR_LT: return x < y;
    case TW_EXPR_LE: return x <= y;
    default:         return isnan(x);
    }
}

/* Exact, in 128 bits; the low 64 are Lua's. */
static int64_t integer_of(enum tw_expr_op op, int64_t x, int64_t y)
{
    __int128 p = x, q = y, d;

    switch (op) {
    case TW_EXPR_NEGATE: return (int64_t)(uint64_t)-p;
    case TW_EXPR_ADD:    return (int64_t)(uint64_t)(p + q);
    case TW_EXPR_SUB:    return (int64_t)(uint64_t)(p - q);
    case TW_EXPR_MUL:    return (int64_t)(uint64_t)(p * q);
    case TW_EXPR_IDIV: case TW_EXPR_MOD:
        d = p / q;
        if (d * q != p && (p < 0) != (q < 0)) d--;      /* towards minus infinity */
        return (int64_t)(uint64_t)(op == TW_EXPR_MOD ? p - d * q : d);
    case TW_EXPR_NOT:    return !x;
    case TW_EXPR_AND:    return x && y;
    case TW_EXPR_OR:     return x || y;
    case TW_EXPR_EQ:     return x == y;
    case TW_EXPR_NE:     return x != y;
    case TW_EXPR_LT:     return x < y;
    case TW_EXPR_LE:     return x <= y;
    default:             return -4321;
    }
}

static bool same(double x, double y)
{
    return isnan(x) ? isnan(y) : x == y && signbit(x) == signbit(y);
}

/* ---- the test ---- */

static bool gives_boolean(enum tw_expr_op op)
{
    return is_boolean(op) || (op >= TW_EXPR_EQ && op <= TW_EXPR_LE)
        || op == TW_EXPR_MISSING;
}

static bool row_is_right(enum tw_expr_op op, enum tw_expr_type type, unsigned i)
{
    double x = a.number[i], y = b.number[i];

    if (type != TW_EXPR_NUMBER && op == TW_EXPR_TO_NUMBER)
        return out[0].number[i] == (double)a.integer[i];
    if (type != TW_EXPR_NUMBER)
        return out[0].integer[i] == integer_of(op, a.integer[i], b.integer[i]);
    if (gives_boolean(op)) return out[0].integer[i] == compare(op, x, y);
    return same(out[0].number[i], number_of(op, x, y, c.number[i], a.integer[i]));
}

static bool rows_are_right(enum tw_expr_op op, enum tw_expr_type type, unsigned n)
{
    tw_column_fn *const fn[] = { tw_column_op(op, type), tw_column_op_plain(op, type) };
    unsigned end = (n + TW_COLUMN_STEP - 1) / TW_COLUMN_STEP * TW_COLUMN_STEP;
    bool numbers_come = !gives_boolean(op)
        && (type == TW_EXPR_NUMBER || op == TW_EXPR_TO_NUMBER), right = true;

    memset(out, MARK, sizeof out);
    for (int k = 0; k < 2; k++) fn[k](n, &out[k], &a, &b, &c);
    for (unsigned i = 0; i < n && right; i++) {
        right = row_is_right(op, type, i) && (numbers_come
            ? same(out[0].number[i], out[1].number[i])
            : out[0].integer[i] == out[1].integer[i]);
        if (!right) printf("# row %u: %g %g, %lld %lld gave %g, %lld\n", i, a.number[i],
                           b.number[i], (long long)a.integer[i], (long long)b.integer[i],
                           out[0].number[i], (long long)out[0].integer[i]);
    }
    for (unsigned i = end * 8; i < sizeof out[0]; i++)
        right = right && ((char *)&out[0])[i] == MARK && ((char *)&out[1])[i] == MARK;
    return right;
}

/* What comes out may lie where an argument was. */
static bool in_place(enum tw_expr_op op, enum tw_expr_type type)
{
    union tw_column first = a, second = b;

    tw_column_op(op, type)(TW_STAT_BATCH, &out[0], &a, &b, &c);
    tw_column_op(op, type)(TW_STAT_BATCH, &first, &first, &b, &c);
    tw_column_op(op, type)(TW_STAT_BATCH, &second, &a, &second, &c);
    return memcmp(&first, &out[0], sizeof first) == 0
        && memcmp(&second, &out[0], sizeof second) == 0;
}

int main(void)
{
    srandom(4);
    for (int op = 0; op < TW_EXPR_OPS; op++)
        for (int type = TW_EXPR_NUMBER; type <= TW_EXPR_INTEGER; type++) {
            bool right = true;

            if (!tw_column_op(op, type)) {
                if (tw_column_op_plain(op, type)) ok(false, "operation %d", op);
                continue;
            }
            for (unsigned n = 0; n <= TW_STAT_BATCH && right; n++) {
                fill(op, type);
                right = rows_are_right(op, type, n);
            }
            for (int i = 0; i < ROUNDS && right; i++) {
                fill(op, type);
                right = rows_are_right(op, type, TW_STAT_BATCH) && in_place(op, type);
            }
            ok(right, "operation %d on %s", op, type ? "integers" : "numbers");
        }
    return tap_done();
}
