/* parse.c - the expressions of a declaration: Lua's, by precedence climbing.
 *
 * Why its own parser, not Lua's: what is declared runs where there is no Lua, over
 * columns; and an error shall point at its column.
 *
 * Layer host/stat.
 */
#include "stat/parse.h"

#include <stdio.h>
#include <string.h>

/* ---- tokens ---- */

void tw_parse_next(struct tw_parser *p)
{
    p->end = p->token.to;
    p->token = tw_token_read(&p->t.source, p->token.to);
}

bool tw_parse_take(struct tw_parser *p, enum tw_token_type type)
{
    if (p->token.type != type) return false;
    tw_parse_next(p);
    return true;
}

enum tw_token_type tw_parse_peek(struct tw_parser *p)
{
    return tw_token_read(&p->t.source, p->token.to).type;
}

void tw_parse_unexpected(struct tw_parser *p, const char *expected)
{
    TW_REFUSE(&p->t, p->token.from, "%s expected, got %s%s", expected,
              tw_token_slice(&p->t.source, &p->token).text,
              p->token.type == TW_TOKEN_SET ? ": to compare, use ==" : "");
}

bool tw_parse_close(struct tw_parser *p, unsigned opened)
{
    char expected[80];

    if (tw_parse_take(p, TW_TOKEN_CLOSE)) return true;
    if (p->token.type == TW_TOKEN_BY)
        TW_REFUSE(&p->t, p->token.from, "within an expression 'by' needs parentheses:"
                  " (mean(x) by sector)");
    snprintf(expected, sizeof expected, "an operator, or ')' for the '(' of column %u,",
             opened + 1);
    tw_parse_unexpected(p, expected);
    return false;
}

const struct tw_field_name *tw_parse_field(const struct tw_parser *p,
                                           const struct tw_token *name)
{
    return tw_expr_field(p->t.source.text + name->from, name->to - name->from);
}

/* ---- expressions ---- */

/* name.key or name["key"], of another statistic. */
static struct tw_expr *at_key(struct tw_parser *p, const struct tw_token *name)
{
    const struct tw_field_name *field = tw_parse_field(p, name);
    struct tw_token key;
    struct tw_slice written;
    bool is_dot = p->token.type == TW_TOKEN_DOT;
    struct tw_expr *e;

    tw_parse_next(p);
    key = p->token;
    if (key.type != (is_dot ? TW_TOKEN_NAME : TW_TOKEN_TEXT)) {
        tw_parse_unexpected(p, is_dot ? "a key" : "a key in quotes");
        return NULL;
    }
    tw_parse_next(p);
    if (!is_dot && !tw_parse_take(p, TW_TOKEN_CLOSE_KEY)) tw_parse_unexpected(p, "']'");
    written = tw_source_slice(&p->t.source, key.from, key.to);
    if (is_dot && p->token.type == TW_TOKEN_DOT)
        TW_REFUSE(&p->t, p->token.from, "a key with a '.' is written [\"a.b\"]");
    if (is_dot && p->token.type == TW_TOKEN_OPEN)
        TW_REFUSE(&p->t, name->from, "functions have no '.': write %s", written.text);
    if (field)
        TW_REFUSE(&p->t, name->from, "%s is no statistic with keys: write %s",
                  field->name, field->type == TW_FIELD_OTHER ? written.text
                  : field->name);
    if (p->t.source.failed) return NULL;
    e = tw_typing_node(&p->t, TW_EXPR_REF_AT, TW_EXPR_NUMBER, name->from);
    if (!e) return NULL;
    e->ref.text = tw_typing_copy(&p->t, name);
    e->ref.key = tw_typing_copy(&p->t, &key);
    return e->ref.text && e->ref.key ? e : NULL;
}

struct tw_operand tw_parse_parentheses(struct tw_parser *p)
{
    struct tw_operand a;
    unsigned opened = p->token.from, at;

    tw_parse_next(p);
    a = tw_parse_expression(p, 0);
    at = p->token.from;
    if (a.e && tw_parse_take(p, TW_TOKEN_BY)) {
        struct tw_expr_by by = {0};

        if (a.e->op != TW_EXPR_STAT || a.e->of.by.n_keys != TW_PARSE_UNKEYED)
            TW_REFUSE(&p->t, at, a.e->op == TW_EXPR_STAT ? "it is by other keys already"
                      : "what is by a key in parentheses is one statistic:"
                      " (mean(x) by sector)");
        else if (tw_parse_keys(p, &by))
            a.e->of.by = by;
    }
    if (!tw_parse_close(p, opened)) a.e = NULL;
    return (struct tw_operand){ a.e, opened, p->end };
}

static struct tw_operand primary(struct tw_parser *p)
{
    struct tw_token t = p->token;
    struct tw_expr *e = NULL;

    switch (t.type) {
    case TW_TOKEN_OPEN:
        return tw_parse_parentheses(p);
    case TW_TOKEN_NAME:
        tw_parse_next(p);
        if (p->token.type == TW_TOKEN_OPEN) e = tw_parse_call(p, &t);
        else if (p->token.type == TW_TOKEN_DOT || p->token.type == TW_TOKEN_OPEN_KEY)
            e = at_key(p, &t);
        else e = tw_typing_leaf(&p->t, &t);
        break;
    case TW_TOKEN_INTEGER: case TW_TOKEN_NUMBER: case TW_TOKEN_TIME: case TW_TOKEN_TEXT:
    case TW_TOKEN_TRUE: case TW_TOKEN_FALSE:
        tw_parse_next(p);
        e = tw_typing_leaf(&p->t, &t);
        break;
    default:
        tw_parse_unexpected(p, "a value");
    }
    return (struct tw_operand){ e, t.from, p->end };
}

/* Lua's precedences; where right is less than left, the right one binds first. */
static const struct { enum tw_expr_op op; unsigned char left, right; bool swap; }
binary[TW_TOKENS] = {
    [TW_TOKEN_OR] = { TW_EXPR_OR, 1, 1, false },
    [TW_TOKEN_AND] = { TW_EXPR_AND, 2, 2, false },
    [TW_TOKEN_EQ] = { TW_EXPR_EQ, 3, 3, false },
    [TW_TOKEN_NE] = { TW_EXPR_NE, 3, 3, false },
    [TW_TOKEN_LT] = { TW_EXPR_LT, 3, 3, false },
    [TW_TOKEN_LE] = { TW_EXPR_LE, 3, 3, false },
    [TW_TOKEN_GT] = { TW_EXPR_LT, 3, 3, true },
    [TW_TOKEN_GE] = { TW_EXPR_LE, 3, 3, true },
    [TW_TOKEN_ADD] = { TW_EXPR_ADD, 4, 4, false },
    [TW_TOKEN_SUB] = { TW_EXPR_SUB, 4, 4, false },
    [TW_TOKEN_MUL] = { TW_EXPR_MUL, 5, 5, false },
    [TW_TOKEN_DIV] = { TW_EXPR_DIV, 5, 5, false },
    [TW_TOKEN_IDIV] = { TW_EXPR_IDIV, 5, 5, false },
    [TW_TOKEN_MOD] = { TW_EXPR_MOD, 5, 5, false },
    [TW_TOKEN_POW] = { TW_EXPR_POW, 8, 7, false },
};
enum { SIGN = 6 };   /* of not and - before their operand */

struct tw_operand tw_parse_expression(struct tw_parser *p, unsigned above)
{
    bool nests = above == 0 || above >= SIGN;   /* the others nest no deeper than SIGN */
    struct tw_token t = p->token;
    struct tw_operand a;

    if (nests && p->depth++ > TW_EXPR_DEPTH)
        TW_REFUSE(&p->t, t.from, "nested more than %d deep", TW_EXPR_DEPTH);
    if (p->t.source.failed) return (struct tw_operand){0};
    if (tw_parse_take(p, TW_TOKEN_NOT) || tw_parse_take(p, TW_TOKEN_SUB)) {
        a = tw_parse_expression(p, SIGN);
        a.e = tw_typing_unary(&p->t, &t, a);
        a.from = t.from;
    } else {
        a = primary(p);
    }
    while (a.e && (t = p->token, binary[t.type].left > above)) {
        enum tw_expr_op op = binary[t.type].op;
        struct tw_operand b;

        tw_parse_next(p);
        b = tw_parse_expression(p, binary[t.type].right);
        a.e = binary[t.type].swap ? tw_typing_binary(&p->t, op, &t, b, a)
                                  : tw_typing_binary(&p->t, op, &t, a, b);
        a.to = p->end;
    }
    p->depth -= nests;
    return a;
}
