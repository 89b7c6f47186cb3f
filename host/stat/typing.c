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
        TW_REFUSE(t, at, "the expression has more than %d parts: declare some of them on"
                  " their own", TW_EXPR_NODES);
        return NULL;
    }
    e = tw_typing_alloc(t, sizeof *e);
    if (!e) return NULL;
    e->op = op;
    e->type = type;
    e->column = at + 1;
    return e;
}

struct tw_expr *tw_typing_over(struct tw_typing *t, enum tw_expr_op op,
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

const struct tw_field_name *tw_expr_field(const char *name, size_t n)
{
    const struct tw_field_name *field = tw_field_find(TW_EXPR_KINDS, name, n, NULL);

    return field && field->type == TW_FIELD_OTHER && field->kinds == 1 << TW_BAR ? NULL
         : field;
}

/* "quotes", "trades and bars" */
static struct tw_slice kinds_text(unsigned kinds)
{
    static const enum tw_kind all[] = { TW_QUOTE, TW_TRADE, TW_BAR };
    struct tw_slice s = { "" };
    size_t n = 0;

    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (kinds & 1u << all[i])
            n += (size_t)snprintf(s.text + n, sizeof s.text - n, "%s%ss",
                                  n ? " and " : "", tw_kind_name(all[i]));
    return s;
}

struct tw_expr *tw_typing_field(struct tw_typing *t, const struct tw_token *token,
                                const struct tw_field_name *field)
{
    static const enum tw_expr_type types[] = {
        [TW_FIELD_NUMBER] = TW_EXPR_NUMBER, [TW_FIELD_INTEGER] = TW_EXPR_INTEGER,
        [TW_FIELD_NAMED] = TW_EXPR_NAME
    };
    struct tw_expr *e;

    if (field->type == TW_FIELD_OTHER) {
        TW_REFUSE(t, token->from, "%s is no number and no name: take a field like"
                  " bid, price or time", field->name);
        return NULL;
    }
    if (!(t->kinds & field->kinds)) {
        struct tw_slice of = kinds_text(field->kinds), narrow = kinds_text(t->kinds);

        TW_REFUSE(t, token->from, "%s is of %s, and %s of %s: no record has both",
                  field->name, of.text, t->narrow->name, narrow.text);
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
    const struct tw_field_name *field = tw_expr_field(text, n);
    struct tw_expr *e;

    if (field) return tw_typing_field(t, token, field);
    if ((n == 2 && memcmp(text, "pi", 2) == 0)
        || (n == 3 && memcmp(text, "inf", 3) == 0)) {
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
    if (token->type == TW_TOKEN_TEXT) {
        e = tw_typing_node(t, TW_EXPR_TEXT, TW_EXPR_NAME, token->from);
        return named(t, e, token);
    }
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
        TW_REFUSE(t, a.from, "%s, and %s is a condition: ifelse(%s, 1, 0) is a number",
                  who, slice(t, a).text, slice(t, a).text);
    if (a.e->type == TW_EXPR_NAME)
        TW_REFUSE(t, a.from, "%s, and %s is a %s: only == and ~= take it", who,
                  slice(t, a).text, a.e->op == TW_EXPR_TEXT ? "text" : "name");
    return !t->source.failed;
}

/* INTEGER or NUMBER, made a NUMBER. */
static struct tw_expr *to_number(struct tw_typing *t, struct tw_expr *e)
{
    if (!e || e->type == TW_EXPR_NUMBER) return e;
    if (e->op != TW_EXPR_CONSTANT)
        return tw_typing_over(t, TW_EXPR_TO_NUMBER, TW_EXPR_NUMBER, e->column - 1, e,
                              NULL);
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
    TW_REFUSE(t, a.from, "%s, and %s is a %s: compare it", who,
              slice(t, a).text, a.e->type == TW_EXPR_NAME ? "name" : "number");
    return NULL;
}

/* ---- operators ---- */

static struct tw_expr *overflow(struct tw_typing *t, unsigned at)
{
    TW_REFUSE(t, at, "too large an integer: write it with a point");
    return NULL;
}

bool tw_typing_is_constant(const struct tw_expr *e, enum tw_expr_type type)
{
    return e->op == TW_EXPR_CONSTANT && e->type == type;
}

struct tw_expr *tw_typing_unary(struct tw_typing *t, const struct tw_token *sign,
                                struct tw_operand a)
{
    struct tw_expr *e = a.e;

    if (sign->type == TW_TOKEN_NOT)
        return tw_typing_over(t, TW_EXPR_NOT, TW_EXPR_BOOLEAN, sign->from,
                    tw_typing_condition(t, "'not' needs a condition", a), NULL);
    if (!tw_typing_is_number(t, "'-' needs a number", a)) return NULL;
    if (tw_typing_is_constant(e, TW_EXPR_NUMBER)) {
        e->number = -e->number;
    } else if (tw_typing_is_constant(e, TW_EXPR_INTEGER)) {
        if (__builtin_sub_overflow(INT64_C(0), e->integer, &e->integer))
            return overflow(t, sign->from);
    } else {
        return tw_typing_over(t, TW_EXPR_NEGATE, e->type, sign->from, e, NULL);
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
    if (a.e->op == TW_EXPR_TEXT && b.e->op != TW_EXPR_TEXT) {
        struct tw_operand swap = a;

        a = b;
        b = swap;
    }
    if (b.e->op == TW_EXPR_TEXT && a.e->op == TW_EXPR_REF) a.e->type = TW_EXPR_NAME;
    if (a.e->op == TW_EXPR_TEXT || a.e->type != TW_EXPR_NAME || b.e->type != TW_EXPR_NAME
        || (b.e->op != TW_EXPR_TEXT && !tw_expr_same(a.e, b.e))) {
        TW_REFUSE(t, sign->from, "%s and %s can't be equal: a name is compared with a"
                  " text, or with itself", slice(t, a).text, slice(t, b).text);
        return NULL;
    }
    return tw_typing_over(t, op, TW_EXPR_BOOLEAN, sign->from, a.e, b.e);
}

struct tw_expr *tw_typing_binary(struct tw_typing *t, enum tw_expr_op op,
                                 const struct tw_token *sign, struct tw_operand a,
                                 struct tw_operand b)
{
    bool compares = op >= TW_EXPR_EQ && op <= TW_EXPR_LE, whole;
    struct tw_slice word = tw_token_slice(&t->source, sign);
    char who[80];

    if (!a.e || !b.e) return NULL;
    if (op == TW_EXPR_AND || op == TW_EXPR_OR) {
        snprintf(who, sizeof who, "%s needs conditions", word.text);
        if (!tw_typing_condition(t, who, a) || !tw_typing_condition(t, who, b))
            return NULL;
        return tw_typing_over(t, op, TW_EXPR_BOOLEAN, sign->from, a.e, b.e);
    }
    if ((op == TW_EXPR_EQ || op == TW_EXPR_NE)
        && (a.e->type == TW_EXPR_NAME || b.e->type == TW_EXPR_NAME))
        return compare_names(t, op, sign, a, b);
    snprintf(who, sizeof who, "%s needs numbers", word.text);
    if (!tw_typing_is_number(t, who, a) || !tw_typing_is_number(t, who, b)) return NULL;
    whole = a.e->type == TW_EXPR_INTEGER && b.e->type == TW_EXPR_INTEGER
        && op != TW_EXPR_DIV && op != TW_EXPR_POW;
    if (op == TW_EXPR_IDIV || op == TW_EXPR_MOD)
        whole = whole && tw_typing_is_constant(b.e, TW_EXPR_INTEGER) && b.e->integer != 0;
    else if (whole && !compares && tw_typing_is_constant(a.e, TW_EXPR_INTEGER)
             && tw_typing_is_constant(b.e, TW_EXPR_INTEGER))
        return fold(t, op, sign->from, a.e, b.e);
    if (!whole) {
        a.e = to_number(t, a.e);
        b.e = to_number(t, b.e);
        if (!b.e) return NULL;
    }
    return tw_typing_over(t, op, compares ? TW_EXPR_BOOLEAN : whole ? TW_EXPR_INTEGER
                : TW_EXPR_NUMBER, sign->from, a.e, b.e);
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
