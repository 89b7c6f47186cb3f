/* typing.c - makes the nodes of expr.h and checks their types.
 *
 * Why so strict: NaN is what is missing, so a condition that slipped in as a number, or
 * a name as its id, would give a plausible wrong number, never an error.
 *
 * Layer host/stat.
 */
#include "stat/typing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

enum { CHUNK = 4000 };
struct tw_typing_chunk {
    struct tw_typing_chunk *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

void *tw_typing_alloc(struct tw_typing *t, size_t bytes)
{
    struct tw_typing_chunk *c = t->chunks;
    size_t rounded = (bytes + 15) & ~(size_t)15, size = rounded < CHUNK ? CHUNK : rounded;

    if (!c || c->size - c->used < rounded) {
        c = tw_calloc(1, sizeof *c + size);
        if (!c) {
            t->source.failed = true;
            tw_fail(t->source.error, UV_ENOMEM, "not enough memory");
            return NULL;
        }
        c->size = size;
        c->next = t->chunks;
        t->chunks = c;
    }
    c->used += rounded;
    return c->bytes + c->used - rounded;
}

void tw_typing_free(struct tw_typing_chunk *c)
{
    while (c) {
        struct tw_typing_chunk *next = c->next;

        tw_free(c);
        c = next;
    }
}

struct tw_expr *tw_typing_node(struct tw_typing *t, enum tw_expr_op op,
                               enum tw_expr_type type, unsigned at)
{
    struct tw_expr *e;

    if (++t->nodes > TW_EXPR_NODES) {
        tw_source_fail(&t->source, TW_ELIMIT, at, "the expression has more than %d parts:"
                       " declare some of them on their own", TW_EXPR_NODES);
        return NULL;
    }
    e = tw_typing_alloc(t, sizeof *e);
    if (!e) return NULL;
    e->op = op;
    e->type = type;
    e->column = at + 1;
    return e;
}

/* A node over one or two others. */
static struct tw_expr *over(struct tw_typing *t, enum tw_expr_op op,
                            enum tw_expr_type type, unsigned at,
                            const struct tw_expr *a, const struct tw_expr *b)
{
    struct tw_expr *e = a ? tw_typing_node(t, op, type, at) : NULL;

    if (!e) return NULL;
    e->n_args = b ? 2 : 1;
    e->arg[0] = a;
    e->arg[1] = b;
    return e;
}

/* ---- leaves ---- */

struct tw_expr *tw_typing_field(struct tw_typing *t, const struct tw_token *token,
                                const struct tw_field_name *field)
{
    static const enum tw_expr_type types[] = {
        [TW_FIELD_NUMBER] = TW_EXPR_NUMBER, [TW_FIELD_INTEGER] = TW_EXPR_INTEGER,
        [TW_FIELD_NAMED] = TW_EXPR_NAME
    };
    struct tw_expr *e;

    if (field->type == TW_FIELD_OTHER) {
        tw_source_fail(&t->source, TW_EUSAGE, token->from, "%s is no number and no name:"
                       " take a field like bid, price or time", field->name);
        return NULL;
    }
    if (!(t->kinds & field->kinds)) {
        tw_source_fail(&t->source, TW_EUSAGE, token->from, "%s is of %ss, and %s of %ss: no"
                       " record has both", field->name,
                       tw_kind_name(field->kinds & 1 << TW_QUOTE ? TW_QUOTE : TW_TRADE),
                       t->narrow->name,
                       tw_kind_name(t->kinds & 1 << TW_QUOTE ? TW_QUOTE : TW_TRADE));
        return NULL;
    }
    if (t->kinds & ~field->kinds) t->narrow = field;
    t->kinds &= field->kinds;
    e = tw_typing_node(t, TW_EXPR_FIELD, types[field->type], token->from);
    if (e) e->field = field->field;
    return e;
}

const char *tw_typing_copy(struct tw_typing *t, const struct tw_token *token)
{
    char *text = tw_typing_alloc(t, token->to - token->from + 1);

    if (!text) return NULL;
    if (token->type == TW_TOKEN_TEXT) tw_token_text(&t->source, token, text);
    else memcpy(text, t->source.text + token->from, token->to - token->from);
    return text;
}

static struct tw_expr *named(struct tw_typing *t, struct tw_expr *e,
                             const struct tw_token *token)
{
    if (e) e->ref.text = tw_typing_copy(t, token);
    return e && e->ref.text ? e : NULL;
}

static struct tw_expr *name(struct tw_typing *t, const struct tw_token *token)
{
    const char *text = t->source.text + token->from;
    size_t n = token->to - token->from;
    const struct tw_field_name *field = tw_field_find(t->kinds, text, n, NULL);
    struct tw_expr *e;

    if (!field) field = tw_field_find(1 << TW_QUOTE | 1 << TW_TRADE, text, n, NULL);
    if (field) return tw_typing_field(t, token, field);
    if ((n == 2 && memcmp(text, "pi", 2) == 0) || (n == 3 && memcmp(text, "inf", 3) == 0)) {
        e = tw_typing_node(t, TW_EXPR_CONSTANT, TW_EXPR_NUMBER, token->from);
        if (e) e->number = n == 2 ? M_PI : INFINITY;
        return e;
    }
    e = tw_typing_node(t, TW_EXPR_REF, TW_EXPR_NUMBER, token->from);
    return named(t, e, token);
}

struct tw_expr *tw_typing_leaf(struct tw_typing *t, const struct tw_token *token)
{
    struct tw_expr *e;

    if (token->type == TW_TOKEN_NAME) return name(t, token);
    if (token->type == TW_TOKEN_TEXT)
        return named(t, tw_typing_node(t, TW_EXPR_TEXT, TW_EXPR_NAME, token->from), token);
    e = tw_typing_node(t, TW_EXPR_CONSTANT, TW_EXPR_BOOLEAN, token->from);
    if (!e) return NULL;
    if (token->type == TW_TOKEN_NUMBER) {
        e->type = TW_EXPR_NUMBER;
        e->number = token->number;
    } else if (token->type == TW_TOKEN_INTEGER || token->type == TW_TOKEN_TIME) {
        e->type = TW_EXPR_INTEGER;
        e->integer = token->integer;
    } else {
        e->integer = token->type == TW_TOKEN_TRUE;
    }
    return e;
}

/* ---- what an operand may be ---- */

static struct tw_slice slice(const struct tw_typing *t, struct tw_operand a)
{
    return tw_source_slice(&t->source, a.from, a.to);
}

bool tw_typing_is_number(struct tw_typing *t, const char *who, struct tw_operand a)
{
    if (!a.e) return false;
    if (a.e->type == TW_EXPR_BOOLEAN)
        tw_source_fail(&t->source, TW_EUSAGE, a.from, "%s, and %s is a condition:"
                       " ifelse(%s, 1, 0) is a number", who, slice(t, a).text,
                       slice(t, a).text);
    if (a.e->type == TW_EXPR_NAME)
        tw_source_fail(&t->source, TW_EUSAGE, a.from, "%s, and %s is a %s: only == and ~="
                       " take it", who, slice(t, a).text,
                       a.e->op == TW_EXPR_TEXT ? "text" : "name");
    return !t->source.failed;
}

/* INTEGER or NUMBER, made a NUMBER. */
static struct tw_expr *to_number(struct tw_typing *t, struct tw_expr *e)
{
    if (!e || e->type == TW_EXPR_NUMBER) return e;
    if (e->op != TW_EXPR_CONSTANT)
        return over(t, TW_EXPR_TO_NUMBER, TW_EXPR_NUMBER, e->column - 1, e, NULL);
    e->type = TW_EXPR_NUMBER;
    e->number = (double)e->integer;
    return e;
}

struct tw_expr *tw_typing_number(struct tw_typing *t, const char *who,
                                 struct tw_operand a)
{
    return tw_typing_is_number(t, who, a) ? to_number(t, a.e) : NULL;
}

struct tw_expr *tw_typing_condition(struct tw_typing *t, const char *who,
                                    struct tw_operand a)
{
    if (!a.e || a.e->type == TW_EXPR_BOOLEAN) return a.e;
    tw_source_fail(&t->source, TW_EUSAGE, a.from, "%s, and %s is a %s: compare it", who,
                   slice(t, a).text, a.e->type == TW_EXPR_NAME ? "name" : "number");
    return NULL;
}

/* ---- operators ---- */

static struct tw_expr *overflow(struct tw_typing *t, unsigned at)
{
    tw_source_fail(&t->source, TW_EUSAGE, at, "too large an integer: write it with a point");
    return NULL;
}

static bool is_constant(const struct tw_expr *e, enum tw_expr_type type)
{
    return e->op == TW_EXPR_CONSTANT && e->type == type;
}

struct tw_expr *tw_typing_unary(struct tw_typing *t, const struct tw_token *sign,
                                struct tw_operand a)
{
    struct tw_expr *e = a.e;

    if (sign->type == TW_TOKEN_NOT)
        return over(t, TW_EXPR_NOT, TW_EXPR_BOOLEAN, sign->from,
                    tw_typing_condition(t, "'not' needs a condition", a), NULL);
    if (!tw_typing_is_number(t, "'-' needs a number", a)) return NULL;
    if (is_constant(e, TW_EXPR_NUMBER)) {
        e->number = -e->number;
    } else if (is_constant(e, TW_EXPR_INTEGER)) {
        if (__builtin_sub_overflow(INT64_C(0), e->integer, &e->integer))
            return overflow(t, sign->from);
    } else {
        return over(t, TW_EXPR_NEGATE, e->type, sign->from, e, NULL);
    }
    return e;
}

/* Of two integer constants one: a divisor like 7 * 1d is to be a constant. */
static struct tw_expr *fold(struct tw_typing *t, enum tw_expr_op op, unsigned at,
                            struct tw_expr *a, const struct tw_expr *b)
{
    int64_t *x = &a->integer;

    if (op == TW_EXPR_ADD ? __builtin_add_overflow(*x, b->integer, x)
        : op == TW_EXPR_SUB ? __builtin_sub_overflow(*x, b->integer, x)
        : __builtin_mul_overflow(*x, b->integer, x)) return overflow(t, at);
    return a;
}

/* A text stands behind the name that it is compared with, which may be an attribute. */
static struct tw_expr *compare_names(struct tw_typing *t, enum tw_expr_op op,
                                     const struct tw_token *sign, struct tw_operand a,
                                     struct tw_operand b)
{
    if (a.e->op == TW_EXPR_TEXT) {
        struct tw_operand swap = a;

        a = b;
        b = swap;
    }
    if (b.e->op == TW_EXPR_TEXT && a.e->op == TW_EXPR_REF) a.e->type = TW_EXPR_NAME;
    if (a.e->op == TW_EXPR_TEXT || a.e->type != TW_EXPR_NAME || b.e->type != TW_EXPR_NAME
        || (b.e->op != TW_EXPR_TEXT && !tw_expr_same(a.e, b.e))) {
        tw_source_fail(&t->source, TW_EUSAGE, sign->from, "%s and %s can't be equal: a name"
                       " is compared with a text, or with itself", slice(t, a).text,
                       slice(t, b).text);
        return NULL;
    }
    return over(t, op, TW_EXPR_BOOLEAN, sign->from, a.e, b.e);
}

struct tw_expr *tw_typing_binary(struct tw_typing *t, enum tw_expr_op op,
                                 const struct tw_token *sign, struct tw_operand a,
                                 struct tw_operand b)
{
    bool compares = op >= TW_EXPR_EQ && op <= TW_EXPR_LE, whole;
    char who[64];

    if (!a.e || !b.e) return NULL;
    if (op == TW_EXPR_AND || op == TW_EXPR_OR) {
        snprintf(who, sizeof who, "'%s' needs conditions", op == TW_EXPR_AND ? "and" : "or");
        if (!tw_typing_condition(t, who, a) || !tw_typing_condition(t, who, b)) return NULL;
        return over(t, op, TW_EXPR_BOOLEAN, sign->from, a.e, b.e);
    }
    if ((op == TW_EXPR_EQ || op == TW_EXPR_NE)
        && (a.e->type == TW_EXPR_NAME || b.e->type == TW_EXPR_NAME))
        return compare_names(t, op, sign, a, b);
    snprintf(who, sizeof who, "%s needs numbers", tw_token_slice(&t->source, sign).text);
    if (!tw_typing_is_number(t, who, a) || !tw_typing_is_number(t, who, b)) return NULL;
    whole = a.e->type == TW_EXPR_INTEGER && b.e->type == TW_EXPR_INTEGER
        && op != TW_EXPR_DIV && op != TW_EXPR_POW;
    if (op == TW_EXPR_IDIV || op == TW_EXPR_MOD)
        whole = whole && is_constant(b.e, TW_EXPR_INTEGER) && b.e->integer != 0;
    else if (whole && !compares && is_constant(a.e, TW_EXPR_INTEGER)
             && is_constant(b.e, TW_EXPR_INTEGER))
        return fold(t, op, sign->from, a.e, b.e);
    if (!whole) {
        a.e = to_number(t, a.e);
        b.e = to_number(t, b.e);
        if (!b.e) return NULL;
    }
    return over(t, op, compares ? TW_EXPR_BOOLEAN : whole ? TW_EXPR_INTEGER
                : TW_EXPR_NUMBER, sign->from, a.e, b.e);
}

/* ---- functions ---- */

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
    double b = is_constant(base, TW_EXPR_NUMBER) ? base->number : 0;
    struct tw_expr *above, *below;

    if (b == 2 || b == 10)
        return over(t, b == 2 ? TW_EXPR_LOG2 : TW_EXPR_LOG10, TW_EXPR_NUMBER, at, x, NULL);
    above = over(t, TW_EXPR_LOG, TW_EXPR_NUMBER, at, x, NULL);
    below = over(t, TW_EXPR_LOG, TW_EXPR_NUMBER, at, base, NULL);
    return below ? over(t, TW_EXPR_DIV, TW_EXPR_NUMBER, at, above, below) : NULL;
}

struct tw_expr *tw_typing_call(struct tw_typing *t, const struct tw_function *f,
                               unsigned at, const struct tw_operand *args, unsigned n)
{
    struct tw_expr *x[TW_FUNCTION_ARGS], *e;
    char who[40];

    if (n < f->min || n > f->max) {
        char range[32] = "";

        if (f->max > f->min) snprintf(range, sizeof range, " to %u", f->max);
        tw_source_fail(&t->source, TW_EUSAGE, at, "%s takes %u%s argument%s, got %u",
                       f->name, f->min, range, f->max > 1 ? "s" : "", n);
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
        return over(t, TW_EXPR_ATAN2, TW_EXPR_NUMBER, at, x[0], x[1]);
    e = over(t, f->op, f->op == TW_EXPR_MISSING ? TW_EXPR_BOOLEAN : TW_EXPR_NUMBER, at,
             x[0], n > 1 ? x[1] : NULL);
    if (e && f->op == TW_EXPR_IFELSE) {
        e->n_args = 3;
        e->arg[2] = x[2];
    } else {
        for (unsigned i = 2; i < n; i++) e = over(t, f->op, TW_EXPR_NUMBER, at, e, x[i]);
    }
    return e;
}

/* ---- comparing trees ---- */

bool tw_expr_same_by(const struct tw_expr_by *a, const struct tw_expr_by *b)
{
    for (unsigned i = 0; a->n_keys == b->n_keys && i < a->n_keys; i++)
        if (!tw_expr_same(a->key[i], b->key[i])) return false;
    return a->n_keys == b->n_keys;
}

static bool same_payload(const struct tw_expr *a, const struct tw_expr *b)
{
    switch (a->op) {
    case TW_EXPR_CONSTANT:
        return a->integer == b->integer;         /* a NUMBER: its bits */
    case TW_EXPR_FIELD:
        return a->field == b->field;
    case TW_EXPR_TEXT: case TW_EXPR_REF:
        return strcmp(a->ref.text, b->ref.text) == 0;
    case TW_EXPR_REF_AT:
        return strcmp(a->ref.text, b->ref.text) == 0
            && strcmp(a->ref.key, b->ref.key) == 0;
    case TW_EXPR_STAT:
        return a->of.stat->kind == b->of.stat->kind
            && memcmp(&a->of.stat->o, &b->of.stat->o, sizeof a->of.stat->o) == 0
            && tw_expr_same_by(&a->of.by, &b->of.by);
    default:
        return true;
    }
}

bool tw_expr_same(const struct tw_expr *a, const struct tw_expr *b)
{
    if (a == b) return true;
    if (a->op != b->op || a->type != b->type || a->n_args != b->n_args) return false;
    for (unsigned i = 0; i < a->n_args; i++)
        if (!tw_expr_same(a->arg[i], b->arg[i])) return false;
    return same_payload(a, b);
}

bool tw_expr_looks_back(const struct tw_stat_kind *kind)
{
    static const char *const names[] = {
        "prev", "lag", "delta", "simple_return", "log_return"
    };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(kind->name, names[i]) == 0) return true;
    return false;
}
