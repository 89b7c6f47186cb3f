/* expr.c - the grammar of a declaration, and which key each statistic is by.
 *
 * Why its own parser, not Lua's: what is declared runs where there is no Lua, over
 * columns; and an error shall point at its column.
 *
 * Layer host/stat.
 */
#include "stat/expr.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "stat/typing.h"
#include "stat/token.h"

struct parser {
    struct tw_typing t;
    struct tw_token token;         /* the next one                                */
    unsigned end;                  /* where the last one ended                    */
    unsigned depth;
    const struct tw_expr *symbol;  /* the key of what is inside                   */
};

/* So many keys has a statistic until it is known what it is by: 0 is the whole. */
enum { NOT_YET = TW_EXPR_KEYS + 1 };

struct whole {
    struct tw_declaration d;       /* first: what the caller has                  */
    struct tw_typing_chunk *chunks;
};

/* ---- tokens ---- */

static void next(struct parser *p)
{
    p->end = p->token.to;
    p->token = tw_token_read(&p->t.source, p->token.to);
}

static bool take(struct parser *p, enum tw_token_type type)
{
    if (p->token.type != type) return false;
    next(p);
    return true;
}

static void unexpected(struct parser *p, const char *expected)
{
    tw_source_fail(&p->t.source, TW_EUSAGE, p->token.from, "%s expected, got %s%s", expected,
                   tw_token_slice(&p->t.source, &p->token).text,
                   p->token.type == TW_TOKEN_SET ? ": to compare, use ==" : "");
}

/* The ')' or ']' of what was opened there. */
static bool closes(struct parser *p, enum tw_token_type type, unsigned opened)
{
    char expected[80];

    if (take(p, type)) return true;
    if (p->token.type == TW_TOKEN_BY)
        tw_source_fail(&p->t.source, TW_EUSAGE, p->token.from, "within an expression 'by'"
                       " needs parentheses: (mean(x) by sector)");
    snprintf(expected, sizeof expected, "'%c' for the '%c' of column %u or an operator",
             type == TW_TOKEN_CLOSE ? ')' : ']', type == TW_TOKEN_CLOSE ? '(' : '[',
             opened + 1);
    unexpected(p, expected);
    return false;
}

static const struct tw_field_name *field_of(const struct parser *p,
                                            const struct tw_token *t)
{
    return tw_field_find(1 << TW_QUOTE | 1 << TW_TRADE, p->t.source.text + t->from,
                         t->to - t->from, NULL);
}

/* ---- what it is by ---- */

/* The key of whatever is inside. */
static struct tw_expr *symbol(struct parser *p)
{
    struct tw_expr *e = tw_typing_node(&p->t, TW_EXPR_FIELD, TW_EXPR_NAME, 0);

    if (e) e->field = TW_FIELD_SYMBOL;
    return e;
}

/* Statistics in e that nothing has keyed yet are by these keys, but what looks back by
 * symbol; what is inside of them was keyed when they were made. */
static void assign(const struct parser *p, const struct tw_expr *e,
                   const struct tw_expr_by *by)
{
    if (e->op != TW_EXPR_STAT) {
        for (unsigned i = 0; i < e->n_args; i++) assign(p, e->arg[i], by);
    } else if (e->of.by.n_keys == NOT_YET) {
        ((struct tw_expr *)e)->of.by = tw_expr_looks_back(e->of.stat->kind)
            ? (struct tw_expr_by){ 1, { p->symbol } } : *by;
    }
}

/* What is an argument of a statistic, or a key, is by symbol. */
static void assign_inside(const struct parser *p, const struct tw_expr *e)
{
    assign(p, e, &(struct tw_expr_by){ 1, { p->symbol } });
}

static struct tw_operand expression(struct parser *p, unsigned above);
static struct tw_operand parentheses(struct parser *p);

static struct tw_expr *key_name(struct parser *p)
{
    const struct tw_field_name *field = field_of(p, &p->token);
    struct tw_expr *e;

    if (field && field->type != TW_FIELD_NAMED && field->type != TW_FIELD_OTHER) {
        tw_source_fail(&p->t.source, TW_EUSAGE, p->token.from, "each %s would be a key of"
                       " its own: make it few, as by (%s // 10)", field->name, field->name);
        return NULL;
    }
    e = field ? tw_typing_field(&p->t, &p->token, field)
              : tw_typing_leaf(&p->t, &p->token);
    if (e && e->op == TW_EXPR_REF) e->type = TW_EXPR_NAME;
    next(p);
    return e;
}

static struct tw_expr *key(struct parser *p)
{
    struct tw_operand a;

    if (p->token.type == TW_TOKEN_NAME) return key_name(p);
    if (p->token.type != TW_TOKEN_OPEN) {
        unexpected(p, "a key, as symbol, sector or (expression),");
        return NULL;
    }
    a = parentheses(p);
    if (!a.e) return NULL;
    if (a.e->type != TW_EXPR_NAME || a.e->op == TW_EXPR_TEXT)
        if (!tw_typing_is_number(&p->t, "a key is a number or a name", a)) return NULL;
    assign_inside(p, a.e);
    return a.e;
}

/* What follows `by`; () is no key at all. */
static bool keys(struct parser *p, struct tw_expr_by *by)
{
    do {
        unsigned at = p->token.from;
        struct tw_expr *e;

        if (p->token.type == TW_TOKEN_OPEN && by->n_keys == 0) {
            struct tw_token t = tw_token_read(&p->t.source, p->token.to);

            if (t.type == TW_TOKEN_CLOSE) {
                next(p);
                next(p);
                return true;
            }
        }
        e = key(p);
        if (!e) return false;
        for (unsigned i = 0; i < by->n_keys; i++)
            if (tw_expr_same(by->key[i], e))
                tw_source_fail(&p->t.source, TW_EUSAGE, at, "the key %s is given twice",
                               tw_source_slice(&p->t.source, at, p->end).text);
        if (by->n_keys == TW_EXPR_KEYS)
            tw_source_fail(&p->t.source, TW_ELIMIT, at, "more than %d keys", TW_EXPR_KEYS);
        if (p->t.source.failed) return false;
        by->key[by->n_keys++] = e;
    } while (take(p, TW_TOKEN_COMMA));
    return true;
}

/* ---- calls ---- */

struct arguments {
    struct tw_operand x[TW_FUNCTION_ARGS];
    unsigned n, n_options, option_at;
    struct tw_stat_options options;
};

/* A number, with its sign, or a time. */
static void option(struct parser *p, const struct tw_stat_kind *kind,
                   struct arguments *a)
{
    struct tw_source *s = &p->t.source;
    struct tw_token name = p->token;
    struct tw_error error;
    bool negative, is_time;
    double value;

    if (a->n_options++ == 0) a->option_at = name.from;
    next(p);
    next(p);
    negative = take(p, TW_TOKEN_SUB);
    is_time = p->token.type == TW_TOKEN_TIME;
    if (p->token.type == TW_TOKEN_NUMBER) {
        value = p->token.number;
    } else if (p->token.type == TW_TOKEN_INTEGER || is_time) {
        value = (double)p->token.integer;
    } else {
        unexpected(p, "a number or a time");
        return;
    }
    next(p);
    if (kind && tw_stat_set(kind, &a->options, s->text + name.from, name.to - name.from,
                            negative ? -value : value, is_time, &error) < 0)
        tw_source_fail(s, error.code, name.from, "%s", error.text);
}

static void argument(struct parser *p, struct arguments *a)
{
    struct tw_operand x;

    if (a->n_options > 0)
        tw_source_fail(&p->t.source, TW_EUSAGE, p->token.from, "options come last, after"
                       " the values");
    x = expression(p, 0);
    if (!x.e) return;
    if (a->n == TW_FUNCTION_ARGS)
        tw_source_fail(&p->t.source, TW_ELIMIT, x.from, "more than %d arguments",
                       TW_FUNCTION_ARGS);
    else
        a->x[a->n++] = x;
}

static bool arguments(struct parser *p, const struct tw_stat_kind *kind,
                      struct arguments *a)
{
    unsigned opened = p->token.from;

    next(p);
    if (take(p, TW_TOKEN_CLOSE)) return true;
    do {
        if (p->token.type == TW_TOKEN_NAME
            && tw_token_read(&p->t.source, p->token.to).type == TW_TOKEN_SET)
            option(p, kind, a);
        else
            argument(p, a);
    } while (take(p, TW_TOKEN_COMMA));
    return closes(p, TW_TOKEN_CLOSE, opened);
}

static bool right_count(struct parser *p, const struct tw_stat_kind *kind, unsigned at,
                        unsigned n)
{
    char names[100] = "no values";
    unsigned wanted = 0;
    size_t length = 0;

    for (; kind->inputs[wanted]; wanted++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                   wanted > 0 ? ", " : "", kind->inputs[wanted]);
    if (n == wanted) return true;
    tw_source_fail(&p->t.source, TW_EUSAGE, at, "%s takes %s: %u argument%s, got %u%s",
                   kind->name, names, wanted, wanted == 1 ? "" : "s", n,
                   n > wanted && kind->options ? "; options have a name, as window=10" : "");
    return false;
}

/* A statistic; what it is by, whoever it stands in says. */
static struct tw_expr *statistic(struct parser *p, const struct tw_stat_kind *kind,
                                 unsigned at, struct arguments *a)
{
    struct tw_expr *e = tw_typing_node(&p->t, TW_EXPR_STAT, TW_EXPR_NUMBER, at);
    struct tw_stat *stat = tw_typing_alloc(&p->t, sizeof *stat);
    static const struct tw_token one = { .type = TW_TOKEN_INTEGER, .integer = 1 };
    struct tw_error error;
    char who[40];

    if (!e || !stat) return NULL;
    if (a->n == 0 && strcmp(kind->name, "count") == 0)
        a->x[a->n++] = (struct tw_operand){ tw_typing_leaf(&p->t, &one), at, p->end };
    if (!right_count(p, kind, at, a->n)) return NULL;
    if (tw_stat_init(stat, kind, &a->options, &error) < 0) {
        tw_source_fail(&p->t.source, error.code, at, "%s", error.text);
        return NULL;
    }
    snprintf(who, sizeof who, "%s takes numbers", kind->name);
    for (unsigned i = 0; i < a->n; i++) {
        struct tw_expr *x = tw_typing_number(&p->t, who, a->x[i]);

        if (!x) return NULL;
        assign_inside(p, x);
        e->arg[i] = x;
    }
    e->n_args = a->n;
    e->of.stat = stat;
    e->of.by.n_keys = NOT_YET;
    return e;
}

/* The nearest of all names that can be called, or NULL. */
static const char *nearest(const char *name, size_t n)
{
    const struct tw_function *f;
    const struct tw_stat_kind *k;
    const char *near = NULL;
    int best = 3, d;

#define TRY(other) do { \
        d = tw_name_distance(name, n, other); \
        if (d < best && d < (int)n) { best = d; near = other; } \
    } while (0)
    for (unsigned i = 0; (f = tw_function_at(i)) != NULL; i++) TRY(f->name);
    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++) TRY(k->name);
#undef TRY
    return near;
}

/* min and max of one value are statistics. */
static struct tw_expr *call(struct parser *p, const struct tw_token *name)
{
    const char *text = p->t.source.text + name->from;
    size_t n = name->to - name->from;
    const struct tw_function *f = tw_function_find(text, n);
    const struct tw_stat_kind *kind = tw_stat_find(text, n);
    struct arguments a = { .options = tw_stat_no_options() };

    if (!f && !kind) {
        const char *near = nearest(text, n);

        tw_source_fail(&p->t.source, TW_EUSAGE, name->from, "no function or statistic has"
                       " the name %s%s%s", tw_source_slice(&p->t.source, name->from,
                       name->to).text, near ? "; did you mean " : "", near ? near : "");
        return NULL;
    }
    if (!arguments(p, kind, &a)) return NULL;
    if (kind && (!f || a.n < f->min)) return statistic(p, kind, name->from, &a);
    if (a.n_options > 0) {
        tw_source_fail(&p->t.source, TW_EUSAGE, a.option_at, "%s of %u value%s is a function:"
                       " it takes no options", f->name, a.n, a.n == 1 ? "" : "s");
        return NULL;
    }
    return tw_typing_call(&p->t, f, name->from, a.x, a.n);
}

/* ---- expressions ---- */

/* name.key or name["key"], of another statistic. */
static struct tw_expr *at_key(struct parser *p, const struct tw_token *name)
{
    const struct tw_field_name *field = field_of(p, name);
    struct tw_token key;
    unsigned opened = p->token.from;
    bool is_dot = p->token.type == TW_TOKEN_DOT;
    struct tw_expr *e;

    next(p);
    key = p->token;
    if (key.type != (is_dot ? TW_TOKEN_NAME : TW_TOKEN_TEXT)) {
        unexpected(p, is_dot ? "a key, as tech or [\"a b\"]," : "a key in quotes");
        return NULL;
    }
    next(p);
    if (!is_dot && !closes(p, TW_TOKEN_CLOSE_KEY, opened)) return NULL;
    if (is_dot && p->token.type == TW_TOKEN_DOT)
        tw_source_fail(&p->t.source, TW_EUSAGE, p->token.from, "a key with a '.' is written"
                       " [\"a.b\"]");
    if (is_dot && p->token.type == TW_TOKEN_OPEN)
        tw_source_fail(&p->t.source, TW_EUSAGE, name->from, "functions have no '.': write"
                       " %s", tw_source_slice(&p->t.source, key.from, key.to).text);
    if (field)
        tw_source_fail(&p->t.source, TW_EUSAGE, name->from, "%s is no statistic with keys:"
                       " write %s", field->name, field->type != TW_FIELD_OTHER ? field->name
                       : tw_source_slice(&p->t.source, key.from, key.to).text);
    if (p->t.source.failed) return NULL;
    e = tw_typing_node(&p->t, TW_EXPR_REF_AT, TW_EXPR_NUMBER, name->from);
    if (!e) return NULL;
    e->ref.text = tw_typing_copy(&p->t, name);
    e->ref.key = tw_typing_copy(&p->t, &key);
    return e->ref.text && e->ref.key ? e : NULL;
}

/* (expression), or (statistic by keys). */
static struct tw_operand parentheses(struct parser *p)
{
    struct tw_operand a;
    unsigned opened = p->token.from, at;

    next(p);
    a = expression(p, 0);
    at = p->token.from;
    if (a.e && take(p, TW_TOKEN_BY)) {
        struct tw_expr_by by = {0};

        if (a.e->op != TW_EXPR_STAT || a.e->of.by.n_keys != NOT_YET)
            tw_source_fail(&p->t.source, TW_EUSAGE, at, a.e->op == TW_EXPR_STAT
                           ? "it is by other keys already" : "what is by a key in"
                           " parentheses is one statistic: (mean(x) by sector)");
        else if (keys(p, &by))
            a.e->of.by = by;
    }
    if (!closes(p, TW_TOKEN_CLOSE, opened)) a.e = NULL;
    return (struct tw_operand){ a.e, opened, p->end };
}

static struct tw_operand primary(struct parser *p)
{
    struct tw_token t = p->token;
    struct tw_expr *e = NULL;

    switch (t.type) {
    case TW_TOKEN_OPEN:
        return parentheses(p);
    case TW_TOKEN_NAME:
        next(p);
        if (p->token.type == TW_TOKEN_OPEN) e = call(p, &t);
        else if (p->token.type == TW_TOKEN_DOT || p->token.type == TW_TOKEN_OPEN_KEY)
            e = at_key(p, &t);
        else e = tw_typing_leaf(&p->t, &t);
        break;
    case TW_TOKEN_INTEGER: case TW_TOKEN_NUMBER: case TW_TOKEN_TIME: case TW_TOKEN_TEXT:
    case TW_TOKEN_TRUE: case TW_TOKEN_FALSE:
        next(p);
        e = tw_typing_leaf(&p->t, &t);
        break;
    default:
        unexpected(p, "a value");
    }
    return (struct tw_operand){ e, t.from, p->end };
}

/* Lua's precedences; where right is less than left, the right one binds first. */
static const struct { enum tw_expr_op op; unsigned char left, right; bool swap; }
binary[TW_TOKENS] = {
    [TW_TOKEN_OR] = { TW_EXPR_OR, 1, 1, false }, [TW_TOKEN_AND] = { TW_EXPR_AND, 2, 2, false },
    [TW_TOKEN_EQ] = { TW_EXPR_EQ, 3, 3, false }, [TW_TOKEN_NE] = { TW_EXPR_NE, 3, 3, false },
    [TW_TOKEN_LT] = { TW_EXPR_LT, 3, 3, false }, [TW_TOKEN_LE] = { TW_EXPR_LE, 3, 3, false },
    [TW_TOKEN_GT] = { TW_EXPR_LT, 3, 3, true }, [TW_TOKEN_GE] = { TW_EXPR_LE, 3, 3, true },
    [TW_TOKEN_ADD] = { TW_EXPR_ADD, 4, 4, false },
    [TW_TOKEN_SUB] = { TW_EXPR_SUB, 4, 4, false },
    [TW_TOKEN_MUL] = { TW_EXPR_MUL, 5, 5, false },
    [TW_TOKEN_DIV] = { TW_EXPR_DIV, 5, 5, false },
    [TW_TOKEN_IDIV] = { TW_EXPR_IDIV, 5, 5, false },
    [TW_TOKEN_MOD] = { TW_EXPR_MOD, 5, 5, false },
    [TW_TOKEN_POW] = { TW_EXPR_POW, 8, 7, false },
};
enum { SIGN = 6 };   /* of not and - before their operand */

/* As far as the operators bind more than `above`.  What can nest without end counts. */
static struct tw_operand expression(struct parser *p, unsigned above)
{
    bool nests = above == 0 || above >= SIGN;
    struct tw_token t = p->token;
    struct tw_operand a;

    if (nests && p->depth++ > TW_EXPR_DEPTH)
        tw_source_fail(&p->t.source, TW_ELIMIT, t.from, "nested more than %d deep",
                       TW_EXPR_DEPTH);
    if (p->t.source.failed) return (struct tw_operand){0};
    if (take(p, TW_TOKEN_NOT) || take(p, TW_TOKEN_SUB)) {
        a = expression(p, SIGN);
        a.e = tw_typing_unary(&p->t, &t, a);
    } else {
        a = primary(p);
    }
    a.from = t.from;
    while (a.e && (t = p->token, binary[t.type].left > above)) {
        struct tw_operand b;

        next(p);
        b = expression(p, binary[t.type].right);
        a.e = binary[t.type].swap ? tw_typing_binary(&p->t, binary[t.type].op, &t, b, a)
                                  : tw_typing_binary(&p->t, binary[t.type].op, &t, a, b);
        a.to = p->end;
    }
    a.to = p->end;
    p->depth -= nests;
    return a;
}

/* ---- declarations ---- */

/* A statistic by the declaration's keys, or else the last value of what there is. */
static const struct tw_expr *value_of(struct parser *p, struct tw_operand value,
                                      const struct tw_expr_by *by)
{
    const struct tw_stat_kind *last = tw_stat_find("last", 4);
    struct arguments a = { .x = { value }, .n = 1, .options = tw_stat_no_options() };
    struct tw_expr *e;

    if (value.e->op == TW_EXPR_STAT && tw_expr_same_by(&value.e->of.by, by)) return value.e;
    if (!tw_typing_is_number(&p->t, "what is declared is a number", value)) return NULL;
    e = statistic(p, last, value.e->column - 1, &a);
    if (e) e->of.by = *by;
    return e;
}

static bool declaration(struct parser *p, struct tw_declaration *d, bool condition)
{
    struct tw_operand value, where = {0};

    p->symbol = symbol(p);
    next(p);
    if (!p->symbol) return false;
    value = expression(p, 0);
    if (!value.e) return false;
    if (take(p, TW_TOKEN_BY)) {
        if (!keys(p, &d->by)) return false;
    } else if (value.e->op == TW_EXPR_STAT && value.e->of.by.n_keys != NOT_YET) {
        d->by = value.e->of.by;
    }
    if (take(p, TW_TOKEN_WHERE)) {
        where = expression(p, 0);
        if (!tw_typing_condition(&p->t, "'where' needs a condition", where)) return false;
        assign(p, where.e, &d->by);
        d->where = where.e;
    }
    if (p->token.type == TW_TOKEN_BY)
        tw_source_fail(&p->t.source, TW_EUSAGE, p->token.from, "'by' comes once, before"
                       " 'where'");
    if (p->token.type != TW_TOKEN_END) unexpected(p, "an operator or the end");
    if (p->t.source.failed) return false;
    assign(p, value.e, &d->by);
    d->value = condition ? tw_typing_condition(&p->t, "a condition is expected", value)
                         : value_of(p, value, &d->by);
    d->kinds = p->t.kinds;
    return d->value && !p->t.source.failed;
}

struct tw_declaration *tw_declaration_parse(const char *text, size_t n, bool condition,
                                            struct tw_error *error)
{
    struct whole *w = tw_calloc(1, sizeof *w);
    struct parser p = {
        .t = { .source = { .error = error }, .kinds = 1 << TW_QUOTE | 1 << TW_TRADE },
    };
    struct tw_source *s = &p.t.source;
    bool read = false;
    char *copy;

    if (!w) {
        tw_fail(error, UV_ENOMEM, "not enough memory");
        return NULL;
    }
    copy = tw_typing_alloc(&p.t, (n < TW_EXPR_BYTES ? n : TW_EXPR_BYTES) + 1);
    if (copy) {
        s->n = (unsigned)(n < TW_EXPR_BYTES ? n : TW_EXPR_BYTES);
        s->text = w->d.text = memcpy(copy, text, s->n);
        if (n > TW_EXPR_BYTES)
            tw_source_fail(s, TW_ELIMIT, TW_EXPR_BYTES, "longer than %d bytes",
                           TW_EXPR_BYTES);
        else if (memchr(copy, 0, s->n))
            tw_source_fail(s, TW_EUSAGE, (unsigned)strlen(copy), "a byte 0 has no meaning"
                           " here");
        else
            read = declaration(&p, &w->d, condition);
    }
    w->chunks = p.t.chunks;
    if (read) return &w->d;
    tw_declaration_free(&w->d);
    return NULL;
}

void tw_declaration_free(struct tw_declaration *d)
{
    if (!d) return;
    tw_typing_free(((struct whole *)d)->chunks);
    tw_free(d);
}
