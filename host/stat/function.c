/* function.c - the functions of an expression; all but `missing` give a NUMBER.
 *
 * Layer host/stat.
 */
#include <stdio.h>
#include <string.h>

#include "stat/typing.h"

static const struct tw_function functions[] = {
    { "ifelse", TW_EXPR_IFELSE, 3, 3 }, { "missing", TW_EXPR_MISSING, 1, 1 },
    { "min", TW_EXPR_MIN, 2, TW_FUNCTION_ARGS },
    { "max", TW_EXPR_MAX, 2, TW_FUNCTION_ARGS },
    { "fmod", TW_EXPR_FMOD, 2, 2 }, { "atan", TW_EXPR_ATAN, 1, 2 },
    { "log", TW_EXPR_LOG, 1, 2 }, { "abs", TW_EXPR_ABS, 1, 1 },
    { "ceil", TW_EXPR_CEIL, 1, 1 }, { "floor", TW_EXPR_FLOOR, 1, 1 },
    { "sqrt", TW_EXPR_SQRT, 1, 1 }, { "exp", TW_EXPR_EXP, 1, 1 },
    { "expm1", TW_EXPR_EXPM1, 1, 1 }, { "log2", TW_EXPR_LOG2, 1, 1 },
    { "log10", TW_EXPR_LOG10, 1, 1 }, { "log1p", TW_EXPR_LOG1P, 1, 1 },
    { "sin", TW_EXPR_SIN, 1, 1 }, { "cos", TW_EXPR_COS, 1, 1 },
    { "tan", TW_EXPR_TAN, 1, 1 }, { "asin", TW_EXPR_ASIN, 1, 1 },
    { "acos", TW_EXPR_ACOS, 1, 1 }, { "tanh", TW_EXPR_TANH, 1, 1 },
    { "sign", TW_EXPR_SIGN, 1, 1 },
};

const struct tw_function *tw_function_at(unsigned i)
{
    return i < sizeof functions / sizeof functions[0] ? &functions[i] : NULL;
}

const struct tw_function *tw_function_find(const char *word, size_t n)
{
    const struct tw_function *f;

    for (unsigned i = 0; (f = tw_function_at(i)) != NULL; i++)
        if (strlen(f->name) == n && memcmp(f->name, word, n) == 0) return f;
    return NULL;
}

/* log(x, b): what the base has of its own is more exact than a quotient. */
static struct tw_expr *log_of_base(struct tw_typing *t, unsigned at, struct tw_expr *x,
                                   struct tw_expr *base)
{
    double b = tw_typing_is_constant(base, TW_EXPR_NUMBER) ? base->number : 0;
    struct tw_expr *above, *below;

    if (b == 2 || b == 10)
        return tw_typing_over(t, b == 2 ? TW_EXPR_LOG2 : TW_EXPR_LOG10, TW_EXPR_NUMBER,
                              at, x, NULL);
    above = tw_typing_over(t, TW_EXPR_LOG, TW_EXPR_NUMBER, at, x, NULL);
    below = tw_typing_over(t, TW_EXPR_LOG, TW_EXPR_NUMBER, at, base, NULL);
    if (!below) return NULL;
    return tw_typing_over(t, TW_EXPR_DIV, TW_EXPR_NUMBER, at, above, below);
}

struct tw_expr *tw_typing_call(struct tw_typing *t, const struct tw_function *f,
                               unsigned at, const struct tw_operand *args, unsigned n)
{
    struct tw_expr *x[TW_FUNCTION_ARGS] = { 0 }, *e;
    char who[40];

    if (n < f->min || n > f->max) {
        char range[32] = "";

        if (f->max > f->min) snprintf(range, sizeof range, " to %u", f->max);
        TW_REFUSE(t, at, "%s takes %u%s argument%s, got %u", f->name, f->min, range,
                  f->max > 1 ? "s" : "", n);
        return NULL;
    }
    snprintf(who, sizeof who, "%s takes numbers", f->name);
    for (unsigned i = 0; i < n; i++) {
        x[i] = f->op == TW_EXPR_IFELSE && i == 0
            ? tw_typing_condition(t, "ifelse begins with a condition", args[i])
            : tw_typing_number(t, who, args[i]);
        if (!x[i]) return NULL;
    }
    if (f->op == TW_EXPR_LOG && n == 2) return log_of_base(t, at, x[0], x[1]);
    if (f->op == TW_EXPR_ATAN && n == 2)
        return tw_typing_over(t, TW_EXPR_ATAN2, TW_EXPR_NUMBER, at, x[0], x[1]);
    e = tw_typing_over(t, f->op, f->op == TW_EXPR_MISSING ? TW_EXPR_BOOLEAN
                       : TW_EXPR_NUMBER, at, x[0], n > 1 ? x[1] : NULL);
    if (e && f->op == TW_EXPR_IFELSE) {
        e->n_args = 3;
        e->arg[2] = x[2];
    } else {
        for (unsigned i = 2; i < n; i++)
            e = tw_typing_over(t, f->op, TW_EXPR_NUMBER, at, e, x[i]);
    }
    return e;
}
