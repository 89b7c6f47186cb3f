/* expr.c - a declaration: what is by which key, where, and of which records.
 *
 * Layer host/stat.
 */
#include "stat/expr.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "stat/parse.h"

struct whole {
    struct tw_declaration d;       /* first: what the caller has                  */
    struct tw_typing_chunk *chunks;
};

/* ---- what it is by ---- */

/* The key of whatever is inside. */
static struct tw_expr *symbol(struct tw_parser *p)
{
    struct tw_expr *e = tw_typing_node(&p->t, TW_EXPR_FIELD, TW_EXPR_NAME, 0);

    if (e) e->field = TW_FIELD_SYMBOL;
    return e;
}

/* Statistics in e that nothing has keyed yet are by these keys, but what looks back by
 * symbol; what is inside of them was keyed when they were made. */
static void assign(const struct tw_parser *p, const struct tw_expr *e,
                   const struct tw_expr_by *by)
{
    if (e->op != TW_EXPR_STAT) {
        for (unsigned i = 0; i < e->n_args; i++) assign(p, e->arg[i], by);
    } else if (e->of.by.n_keys == TW_PARSE_UNKEYED) {
        ((struct tw_expr *)e)->of.by = tw_expr_looks_back(e->of.stat->kind)
            ? (struct tw_expr_by){ 1, { p->symbol } } : *by;
    }
}

void tw_parse_inside(const struct tw_parser *p, const struct tw_expr *e)
{
    assign(p, e, &(struct tw_expr_by){ 1, { p->symbol } });
}

static struct tw_expr *key_name(struct tw_parser *p)
{
    const struct tw_field_name *field = tw_parse_field(p, &p->token);
    struct tw_expr *e;

    if (field && field->type != TW_FIELD_NAMED && field->type != TW_FIELD_OTHER) {
        TW_REFUSE(&p->t, p->token.from, "each %s would be a key of its own: make them"
                  " few, as by (%s // 10)", field->name, field->name);
        return NULL;
    }
    e = field ? tw_typing_field(&p->t, &p->token, field)
              : tw_typing_leaf(&p->t, &p->token);
    if (e && e->op == TW_EXPR_REF) e->type = TW_EXPR_NAME;
    tw_parse_next(p);
    return e;
}

static struct tw_expr *key(struct tw_parser *p)
{
    struct tw_operand a;

    if (p->token.type == TW_TOKEN_NAME) return key_name(p);
    if (p->token.type != TW_TOKEN_OPEN) {
        tw_parse_unexpected(p, "a key, as symbol, sector or (expression),");
        return NULL;
    }
    a = tw_parse_parentheses(p);
    if (!a.e) return NULL;
    if ((a.e->type != TW_EXPR_NAME || a.e->op == TW_EXPR_TEXT)
        && !tw_typing_is_number(&p->t, "a key is a number or a name", a)) return NULL;
    tw_parse_inside(p, a.e);
    return a.e;
}

bool tw_parse_keys(struct tw_parser *p, struct tw_expr_by *by)
{
    if (p->token.type == TW_TOKEN_OPEN && tw_parse_peek(p) == TW_TOKEN_CLOSE) {
        tw_parse_next(p);
        tw_parse_next(p);
        return true;
    }
    p->depth++;
    do {
        unsigned at = p->token.from;
        struct tw_expr *e = key(p);

        if (!e) return false;
        for (unsigned i = 0; i < by->n_keys; i++)
            if (tw_expr_same(by->key[i], e))
                TW_REFUSE(&p->t, at, "the key %s is given twice",
                          tw_source_slice(&p->t.source, at, p->end).text);
        if (by->n_keys == TW_EXPR_KEYS)
            TW_REFUSE(&p->t, at, "more than %d keys", TW_EXPR_KEYS);
        if (p->t.source.failed) return false;
        by->key[by->n_keys++] = e;
    } while (tw_parse_take(p, TW_TOKEN_COMMA));
    p->depth--;
    return true;
}

/* ---- declarations ---- */

/* A statistic by the declaration's keys, or else the last value of what there is. */
static const struct tw_expr *value_of(struct tw_parser *p, struct tw_operand value,
                                      const struct tw_expr_by *by)
{
    struct tw_expr *e;

    if (value.e->op == TW_EXPR_STAT && tw_expr_same_by(&value.e->of.by, by))
        return value.e;
    if (!tw_typing_is_number(&p->t, "what is declared is a number", value)) return NULL;
    e = tw_parse_last(p, value);
    if (e) e->of.by = *by;
    return e;
}

static bool declaration(struct tw_parser *p, struct tw_declaration *d, bool condition)
{
    struct tw_operand value, where = {0};

    p->symbol = symbol(p);
    tw_parse_next(p);
    if (!p->symbol) return false;
    value = tw_parse_expression(p, 0);
    if (!value.e) return false;
    if (tw_parse_take(p, TW_TOKEN_BY)) {
        if (!tw_parse_keys(p, &d->by)) return false;
        d->has_by = true;
    } else if (value.e->op == TW_EXPR_STAT && value.e->of.by.n_keys != TW_PARSE_UNKEYED) {
        d->by = value.e->of.by;
    }
    if (tw_parse_take(p, TW_TOKEN_WHERE)) {
        where = tw_parse_expression(p, 0);
        if (!tw_typing_condition(&p->t, "'where' needs a condition", where)) return false;
        assign(p, where.e, &d->by);
        d->where = where.e;
    }
    if (p->token.type == TW_TOKEN_BY)
        TW_REFUSE(&p->t, p->token.from, "'by' comes once, before 'where'");
    if (p->token.type != TW_TOKEN_END) tw_parse_unexpected(p, "an operator or the end");
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
    struct tw_parser p = {
        .t = { .source = { .error = error }, .kinds = TW_EXPR_KINDS },
    };
    struct tw_source *s = &p.t.source;
    size_t kept = n < TW_EXPR_BYTES ? n : TW_EXPR_BYTES;
    bool read = false;
    char *copy;

    if (!w) {
        tw_fail(error, UV_ENOMEM, "not enough memory");
        return NULL;
    }
    copy = tw_typing_alloc(&p.t, kept + 1);
    if (copy) {
        s->n = (unsigned)kept;
        s->text = w->d.text = memcpy(copy, text, s->n);
        if (n > TW_EXPR_BYTES)
            TW_REFUSE(&p.t, TW_EXPR_BYTES, "longer than %d bytes", TW_EXPR_BYTES);
        else if (memchr(copy, 0, s->n))
            TW_REFUSE(&p.t, (unsigned)strlen(copy), "a byte 0 has no meaning here");
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
