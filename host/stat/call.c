/* call.c - name(...) in an expression: a function or a statistic.
 *
 * Layer host/stat.
 */
#include <stdio.h>
#include <string.h>

#include "stat/parse.h"

struct arguments {
    struct tw_operand x[TW_FUNCTION_ARGS];
    unsigned n, n_options, option_at;
    struct tw_stat_options options;
};

/* A number, with its sign, or a time. */
static void option(struct tw_parser *p, const struct tw_stat_kind *kind,
                   struct arguments *a)
{
    struct tw_source *s = &p->t.source;
    struct tw_token name = p->token;
    struct tw_error error;
    bool negative, is_time;
    double value;

    if (a->n_options++ == 0) a->option_at = name.from;
    tw_parse_next(p);
    tw_parse_next(p);
    negative = tw_parse_take(p, TW_TOKEN_SUB);
    is_time = p->token.type == TW_TOKEN_TIME;
    if (p->token.type == TW_TOKEN_NUMBER) {
        value = p->token.number;
    } else if (p->token.type == TW_TOKEN_INTEGER || is_time) {
        value = (double)p->token.integer;
    } else {
        tw_parse_unexpected(p, "a number or a time");
        return;
    }
    tw_parse_next(p);
    if (kind && tw_stat_set(kind, &a->options, s->text + name.from, name.to - name.from,
                            negative ? -value : value, is_time, &error) < 0)
        tw_source_fail(s, name.from, "%s", error.text);
}

static void argument(struct tw_parser *p, struct arguments *a)
{
    struct tw_operand x;

    if (a->n_options > 0)
        TW_REFUSE(&p->t, p->token.from, "options come last, after the values");
    x = tw_parse_expression(p, 0);
    if (!x.e) return;
    if (a->n == TW_FUNCTION_ARGS)
        TW_REFUSE(&p->t, x.from, "more than %d arguments", TW_FUNCTION_ARGS);
    else
        a->x[a->n++] = x;
}

static bool arguments(struct tw_parser *p, const struct tw_stat_kind *kind,
                      struct arguments *a)
{
    unsigned opened = p->token.from;

    tw_parse_next(p);
    if (tw_parse_take(p, TW_TOKEN_CLOSE)) return true;
    do {
        if (p->token.type == TW_TOKEN_NAME
            && tw_parse_peek(p) == TW_TOKEN_SET)
            option(p, kind, a);
        else
            argument(p, a);
    } while (tw_parse_take(p, TW_TOKEN_COMMA));
    return tw_parse_close(p, opened);
}

static bool right_count(struct tw_parser *p, const struct tw_stat_kind *kind, unsigned at,
                        unsigned n)
{
    char names[100] = "no values";
    unsigned wanted = 0;
    size_t length = 0;

    for (; kind->inputs[wanted]; wanted++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                   wanted > 0 ? ", " : "", kind->inputs[wanted]);
    if (n == wanted) return true;
    TW_REFUSE(&p->t, at, "%s takes %s: %u argument%s, got %u%s", kind->name, names,
              wanted, wanted == 1 ? "" : "s", n, n > wanted && kind->options
              ? "; options have a name, as window=10" : "");
    return false;
}

/* A statistic; what it is by, whoever it stands in says. */
static struct tw_expr *statistic(struct tw_parser *p, const struct tw_stat_kind *kind,
                                 unsigned at, struct arguments *a)
{
    static const struct tw_token one = { .type = TW_TOKEN_INTEGER, .integer = 1 };
    struct tw_expr *e = tw_typing_node(&p->t, TW_EXPR_STAT, TW_EXPR_NUMBER, at);
    struct tw_stat *stat = tw_typing_alloc(&p->t, sizeof *stat);
    struct tw_error error;
    char who[40];

    if (!e || !stat) return NULL;
    if (a->n == 0 && strcmp(kind->name, "count") == 0)
        a->x[a->n++] = (struct tw_operand){ tw_typing_leaf(&p->t, &one), at, p->end };
    if (!right_count(p, kind, at, a->n)) return NULL;
    if (tw_stat_init(stat, kind, &a->options, &error) < 0) {
        TW_REFUSE(&p->t, at, "%s", error.text);
        return NULL;
    }
    snprintf(who, sizeof who, "%s takes numbers", kind->name);
    for (unsigned i = 0; i < a->n; i++) {
        struct tw_expr *x = tw_typing_number(&p->t, who, a->x[i]);

        if (!x) return NULL;
        tw_parse_inside(p, x);
        e->arg[i] = x;
    }
    e->n_args = a->n;
    e->of.stat = stat;
    e->of.by.n_keys = TW_PARSE_UNKEYED;
    return e;
}

struct tw_expr *tw_parse_last(struct tw_parser *p, struct tw_operand x)
{
    struct arguments a = { .x = { x }, .n = 1, .options = tw_stat_no_options() };

    return statistic(p, tw_stat_find("last", 4), x.e->column - 1, &a);
}

/* Other languages' names. */
static const char *const others[][2] = {
    { "ma", "sma" }, { "avg", "mean" }, { "average", "mean" },
    { "stddev", "std" }, { "stdev", "std" }, { "var", "variance" },
    { "corr", "correlation" }, { "cov", "covariance" }, { "cross", "crossover" },
    { "rma", "smma" }, { "bbands", "bollinger" }, { "stoch", "stochastic" },
    { "diff", "delta" }, { "shift", "lag" }, { "ref", "lag" }, { "if", "ifelse" },
    { "ln", "log" }, { "pow", "^" }, { "isnan", "missing" }, { "nunique", "distinct" },
};

/* What a name that can't be called may have been meant to be, or NULL. */
static const char *nearest(const char *name, size_t n)
{
    const struct tw_function *f;
    const struct tw_stat_kind *k;
    const char *near = NULL;
    int best = 3, d;

    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strlen(others[i][0]) == n && memcmp(others[i][0], name, n) == 0)
            return others[i][1];
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
struct tw_expr *tw_parse_call(struct tw_parser *p, const struct tw_token *name)
{
    const char *text = p->t.source.text + name->from;
    size_t n = name->to - name->from;
    const struct tw_function *f = tw_function_find(text, n);
    const struct tw_stat_kind *kind = tw_stat_find(text, n);
    struct arguments a = { .options = tw_stat_no_options() };

    if (!f && !kind) {
        const char *near = nearest(text, n);

        TW_REFUSE(&p->t, name->from, "there is no function and no statistic %s%s%s",
                  tw_source_slice(&p->t.source, name->from, name->to).text,
                  near ? "; did you mean " : "", near ? near : "");
        return NULL;
    }
    if (!arguments(p, kind, &a)) return NULL;
    if (kind && (!f || a.n < f->min)) return statistic(p, kind, name->from, &a);
    if (a.n_options > 0) {
        TW_REFUSE(&p->t, a.option_at, "%s of %u value%s is a function, without options",
                  f->name, a.n, a.n == 1 ? "" : "s");
        return NULL;
    }
    return tw_typing_call(&p->t, f, name->from, a.x, a.n);
}
