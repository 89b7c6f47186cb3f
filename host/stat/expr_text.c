/* expr_text.c - writes a tree of expr.h back as text.
 *
 * Layer host/stat.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stat/typing.h"

struct writer { char *out; size_t n, at; };

static void put(struct writer *w, const char *format, ...) TW_PRINTF(2, 3);
static void expr(struct writer *w, const struct tw_expr *e, bool inside);

static void put(struct writer *w, const char *format, ...)
{
    bool fits = w->at < w->n;
    va_list args;

    va_start(args, format);
    w->at += (size_t)vsnprintf(fits ? w->out + w->at : NULL, fits ? w->n - w->at : 0,
                               format, args);
    va_end(args);
}

/* The shortest text that is the same number, and not an integer. */
static void number(struct writer *w, double x)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, fabs(x));
        if (strtod(text, NULL) == fabs(x)) break;
    }
    if (!strpbrk(text, ".en")) strcat(text, ".0");
    put(w, signbit(x) ? "(-%s)" : "%s", text);
}

static void text(struct writer *w, const char *s)
{
    put(w, "\"");
    for (; *s; s++) put(w, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
    put(w, "\"");
}

static void constant(struct writer *w, const struct tw_expr *e)
{
    if (e->type == TW_EXPR_NUMBER) number(w, e->number);
    else if (e->type == TW_EXPR_BOOLEAN) put(w, e->integer ? "true" : "false");
    else if (e->integer >= 0) put(w, "%" PRId64, e->integer);
    /* As for Lua, the least integer is no literal. */
    else if (e->integer == INT64_MIN) put(w, "(-%" PRId64 " - 1)", INT64_MAX);
    else put(w, "(%" PRId64 ")", e->integer);
}

static const char *field_name(enum tw_field field)
{
    const struct tw_field_name *f;

    for (unsigned i = 0; (f = tw_field_at(i)) != NULL; i++)
        if (f->field == field) return f->name;
    return "?";
}

static const char *function_name(enum tw_expr_op op)
{
    const struct tw_function *f;

    if (op == TW_EXPR_ATAN2) op = TW_EXPR_ATAN;
    for (unsigned i = 0; (f = tw_function_at(i)) != NULL; i++)
        if (f->op == op) return f->name;
    return "?";
}

static void list(struct writer *w, const struct tw_expr *e, bool inside)
{
    for (unsigned i = 0; i < e->n_args; i++) {
        if (i > 0) put(w, ", ");
        expr(w, e->arg[i], inside);
    }
}

static void key(struct writer *w, const struct tw_expr *e)
{
    bool is_name = e->type == TW_EXPR_NAME;

    if (!is_name) put(w, "(");
    expr(w, e, true);
    if (!is_name) put(w, ")");
}

/* Whether a statistic is by what it is where nothing is said.  Of what looks back that
 * is not the same for a declaration's value as for a part of one. */
static bool is_usual(const struct tw_expr *e, bool inside)
{
    const struct tw_expr_by *by = &e->of.by;

    if (!inside) return by->n_keys == 0 && !tw_expr_looks_back(e->of.stat->kind);
    return by->n_keys == 1 && by->key[0]->op == TW_EXPR_FIELD
        && by->key[0]->field == TW_FIELD_SYMBOL;
}

static void statistic(struct writer *w, const struct tw_expr *e, bool inside)
{
    const struct tw_expr_by *by = &e->of.by;
    bool is_bare = is_usual(e, inside);
    char stat[400], *options;

    tw_stat_text(e->of.stat, stat, sizeof stat);
    options = strchr(stat, '(') + 1;
    put(w, "%s%.*s", is_bare ? "" : "(", (int)(options - stat), stat);
    list(w, e, true);
    put(w, "%s%s", e->n_args > 0 && *options != ')' ? ", " : "", options);
    if (is_bare) return;
    put(w, by->n_keys > 0 ? " by " : " by ()");
    for (unsigned i = 0; i < by->n_keys; i++) {
        if (i > 0) put(w, ", ");
        key(w, by->key[i]);
    }
    put(w, ")");
}

static void expr(struct writer *w, const struct tw_expr *e, bool inside)
{
    static const char *const signs[TW_EXPR_OPS] = {
        [TW_EXPR_ADD] = "+", [TW_EXPR_SUB] = "-", [TW_EXPR_MUL] = "*",
        [TW_EXPR_DIV] = "/", [TW_EXPR_IDIV] = "//", [TW_EXPR_MOD] = "%",
        [TW_EXPR_POW] = "^", [TW_EXPR_EQ] = "==", [TW_EXPR_NE] = "~=",
        [TW_EXPR_LT] = "<", [TW_EXPR_LE] = "<=", [TW_EXPR_AND] = "and",
        [TW_EXPR_OR] = "or",
    };

    switch (e->op) {
    case TW_EXPR_CONSTANT:  constant(w, e); break;
    case TW_EXPR_TEXT:      text(w, e->ref.text); break;
    case TW_EXPR_FIELD:     put(w, "%s", field_name(e->field)); break;
    case TW_EXPR_REF:       put(w, "%s", e->ref.text); break;
    case TW_EXPR_STAT:      statistic(w, e, inside); break;
    case TW_EXPR_TO_NUMBER: expr(w, e->arg[0], inside); break;
    case TW_EXPR_REF_AT:
        put(w, "%s[", e->ref.text);
        text(w, e->ref.key);
        put(w, "]");
        break;
    case TW_EXPR_NEGATE: case TW_EXPR_NOT:
        put(w, e->op == TW_EXPR_NOT ? "(not " : "(-");
        list(w, e, inside);
        put(w, ")");
        break;
    default:
        put(w, "%s(", signs[e->op] ? "" : function_name(e->op));
        if (signs[e->op]) {
            expr(w, e->arg[0], inside);
            put(w, " %s ", signs[e->op]);
            expr(w, e->arg[1], inside);
        } else {
            list(w, e, inside);
        }
        put(w, ")");
    }
}

size_t tw_expr_text(const struct tw_expr *e, char *out, size_t n)
{
    struct writer w = { out, n, 0 };

    expr(&w, e, false);
    return w.at;
}
