/* declare.c - declarations and conditions are added to a plan, each whole or not at all.
 *
 * A declaration is compiled once for each kind of record that it reads.
 */
#include <uv.h>

#include "base/memory.h"
#include "stat/compile.h"

static int compile_kind(struct tw_plan *p, unsigned item, unsigned program,
                        struct tw_error *error)
{
    struct tw_compile at = { p, p->item[item].declaration, program,
                             p->item[item].kinds, true, error };
    const struct tw_expr *e = at.d->value;
    struct tw_op *op = tw_compile_push(&at, e, true);
    struct tw_op sample = tw_emit_operation(TW_OP_SAMPLE);

    if (!op) return error->code;
    p->item[item].slot = op->what;
    if (!p->item[item].o.every_ns && !p->item[item].o.every_rows) return TW_OK;
    op->wanted = true;
    sample.a = op->out;
    sample.c = op->c;
    sample.what = (uint16_t)item;
    return tw_emit_append(&at, &sample, false) ? TW_OK : error->code;
}

static int gather_kinds(struct tw_compile *at, const struct tw_expr *e, unsigned *kinds);

static int gather_kinds_by(struct tw_compile *at, const struct tw_expr_by *by,
                           unsigned *kinds)
{
    int rc = TW_OK;

    for (unsigned i = 0; i < by->n_keys && rc >= 0; i++)
        rc = gather_kinds(at, by->key[i], kinds);
    return rc;
}

static int compile_item(struct tw_plan *p, unsigned item, struct tw_error *error);

/* Adds the kinds of the statistics that e names; they are compiled first. */
static int gather_kinds(struct tw_compile *at, const struct tw_expr *e, unsigned *kinds)
{
    struct tw_plan *p = at->p;
    int rc = TW_OK;

    if (e->type != TW_EXPR_NAME && (e->op == TW_EXPR_REF || e->op == TW_EXPR_REF_AT)) {
        int item = tw_compile_find_item(at, e);

        if (item < 0) return item;
        if ((rc = compile_item(p, (unsigned)item, at->error)) < 0) return rc;
        *kinds |= p->item[item].kinds;
    }
    if (e->op == TW_EXPR_STAT) rc = gather_kinds_by(at, &e->of.by, kinds);
    for (unsigned i = 0; i < e->n_args && rc >= 0; i++)
        rc = gather_kinds(at, e->arg[i], kinds);
    return rc;
}

/* What several kinds of records have, is of those that the statistics named are of. */
static int kinds_of(struct tw_plan *p, const struct tw_declaration *d, unsigned *kinds,
                    struct tw_error *error)
{
    struct tw_compile at = { .p = p, .d = d, .error = error };
    unsigned named = 0;
    int rc = gather_kinds(&at, d->value, &named);

    if (rc >= 0) rc = gather_kinds_by(&at, &d->by, &named);
    if (rc >= 0 && d->where) rc = gather_kinds(&at, d->where, &named);
    *kinds = d->kinds & named && d->kinds & (d->kinds - 1) ? d->kinds & named : d->kinds;
    return rc;
}

static int compile_item(struct tw_plan *p, unsigned item, struct tw_error *error)
{
    struct tw_declared *it = &p->item[item];
    int rc;

    if (it->stage == TW_ITEM_DONE) return TW_OK;
    it->stage = TW_ITEM_BEGUN;
    rc = kinds_of(p, it->declaration, &it->kinds, error);
    for (unsigned g = 0; g < TW_PROGRAMS && rc >= 0; g++)
        if (it->kinds & 1u << tw_program_kind(g))
            rc = compile_kind(p, item, g, error);
    it->stage = TW_ITEM_DONE;
    p->kinds |= it->kinds;
    return rc;
}

static char *copy(const char *text, size_t n)
{
    char *to = tw_calloc(n + 1, 1);

    if (to) memcpy(to, text, n);
    return to;
}

/* Reads a text; the plan keeps the tree, since operations refer to it. */
static const struct tw_declaration *parse(struct tw_plan *p, const char *text, size_t n,
                                          bool condition, struct tw_error *error)
{
    struct tw_declaration **list, *d;

    list = tw_realloc(p->declaration, (p->n_declarations + 1) * sizeof *list);
    if (!list) {
        tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
        return NULL;
    }
    p->declaration = list;
    d = tw_declaration_parse(text, n, condition, error);
    if (d) list[p->n_declarations++] = d;
    return d;
}

static int add_item(struct tw_plan *p, const struct tw_plan_item *o,
                    struct tw_error *error)
{
    struct tw_declared *items, *it;

    if (tw_plan_find(p, o->name) >= 0)
        return tw_fail(error, TW_EUSAGE, "a statistic '%s' is there already", o->name);
    if (p->n_items == TW_PLAN_ITEMS)
        return tw_fail(error, TW_ELIMIT, "more than %d statistics", TW_PLAN_ITEMS);
    items = tw_realloc(p->item, (p->n_items + 1) * sizeof *items);
    if (!items) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    p->item = items;
    it = &items[p->n_items++];
    *it = (struct tw_declared){ .o = *o, .name = copy(o->name, strlen(o->name)),
                            .text = copy(o->text, o->n) };
    it->o.name = it->o.text = NULL;
    if (!it->name || !it->text)
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    it->declaration = parse(p, o->text, o->n, false, error);
    if (!it->declaration) return error->code;
    return TW_OK;
}

int tw_plan_track(struct tw_plan *p, const struct tw_plan_item *items, unsigned n,
                  struct tw_error *error)
{
    struct tw_plan_mark mark = tw_plan_mark(p);
    unsigned first = p->n_items;
    int rc = TW_OK;

    for (unsigned i = 0; i < n && rc >= 0; i++) rc = add_item(p, &items[i], error);
    for (unsigned i = first; i < p->n_items && rc >= 0; i++)
        rc = compile_item(p, i, error);
    if (rc < 0) tw_plan_cut(p, &mark);
    return rc;
}

/* What a condition is by where it doesn't say: by what its statistics are, if that is
 * one thing; else each symbol alone.  true: of single rows, so by symbol. */
static bool gather_by(const struct tw_plan *p, const struct tw_expr *e,
                      const struct tw_expr_by **by)
{
    const struct tw_expr_by *here = NULL;
    bool mixed = e->op == TW_EXPR_FIELD || e->type == TW_EXPR_NAME;
    int item;

    if (e->op == TW_EXPR_STAT) here = &e->of.by;
    if (e->op == TW_EXPR_REF && !mixed && (item = tw_plan_find(p, e->ref.text)) >= 0)
        here = &p->item[item].declaration->value->of.by;
    if (here) {
        if (here->n_keys == 0) return false;
        mixed = *by && tw_compile_find_space(p, *by) != tw_compile_find_space(p, here);
        *by = here;
        return mixed;
    }
    for (unsigned i = 0; i < e->n_args; i++)
        mixed = gather_by(p, e->arg[i], by) || mixed;
    return mixed;
}

/* The column of a condition and of what it says after `where`. */
static int compile_truth(struct tw_compile *at)
{
    int a = tw_compile(at, at->d->value), b;

    if (a < 0 || !at->d->where) return a;
    at->masked = false;
    b = tw_compile(at, at->d->where);
    at->masked = true;
    return b < 0 ? b : tw_emit_apply(at, TW_EXPR_AND, TW_EXPR_BOOLEAN, a, b,
                                     TW_PROGRAM_NONE);
}

/* A statistic of all records is in it. */
static bool has_whole(const struct tw_expr *e)
{
    if (e->op == TW_EXPR_STAT) return e->of.by.n_keys == 0;
    for (unsigned i = 0; i < e->n_args; i++)
        if (has_whole(e->arg[i])) return true;
    return false;
}

static int compile_condition(struct tw_plan *p, const struct tw_declaration *d,
                             const struct tw_declaration *reset, struct tw_error *error)
{
    static const struct tw_expr symbol = { .op = TW_EXPR_FIELD, .type = TW_EXPR_NAME,
                                           .field = TW_FIELD_SYMBOL };
    static const struct tw_expr_by by_symbol = { 1, { &symbol } }, by_nothing = { 0 };
    unsigned kinds, of_reset;
    int rc = kinds_of(p, d, &kinds, error);

    if (rc < 0) return rc;
    of_reset = kinds;
    if (reset && (rc = kinds_of(p, reset, &of_reset, error)) < 0) return rc;
    kinds &= of_reset;
    if (reset && d->by.n_keys > 0 && !reset->has_by && has_whole(reset->value))
        return tw_fail(error, TW_EUSAGE, "the reset is of all records: end it with the"
                       " condition's 'by', or 'by ()': %s", reset->text);
    if (!kinds)
        return tw_fail(error, TW_EUSAGE, "the reset reads another kind of records: %s",
                       d->text);
    for (unsigned g = 0; g < TW_PROGRAMS; g++) {
        struct tw_compile at = { p, d, g, kinds, true, error };
        struct tw_op op = tw_emit_operation(TW_OP_CONDITION);
        const struct tw_expr_by *by = NULL;
        int a, b, time, space;

        if (!(kinds & 1u << tw_program_kind(g))) continue;
        if ((a = compile_truth(&at)) < 0) return a;
        b = TW_PROGRAM_NONE;
        if (reset) {
            at.d = reset;
            if ((b = compile_truth(&at)) < 0) return b;
            at.d = d;
        }
        if (d->has_by) by = &d->by;
        else if (gather_by(p, d->value, &by)) by = &by_symbol;
        else if (!by) by = &by_nothing;
        if ((space = tw_compile_keys(&at, by)) < 0) return space;
        p->condition[p->n_conditions - 1].space = (uint16_t)space;
        op.a = (uint16_t)a;
        op.b = (uint16_t)b;
        if ((time = tw_emit_load(&at, TW_FIELD_TIME)) < 0) return time;
        op.c = (uint16_t)time;
        op.what = (uint16_t)(p->n_conditions - 1);
        if (!tw_emit_append(&at, &op, false)) return error->code;
    }
    p->condition[p->n_conditions - 1].kinds = kinds;
    p->kinds |= kinds;
    p->stepwise = true;
    return TW_OK;
}

int tw_plan_when(struct tw_plan *p, const char *text, size_t n,
                 const struct tw_plan_edge *edge, struct tw_error *error)
{
    struct tw_plan_mark mark = tw_plan_mark(p);
    struct tw_condition *conditions;
    const struct tw_declaration *d, *reset = NULL;
    int rc;

    if (p->n_conditions == TW_PLAN_CONDITIONS)
        return tw_fail(error, TW_ELIMIT, "more than %d conditions", TW_PLAN_CONDITIONS);
    conditions = tw_realloc(p->condition, (p->n_conditions + 1) * sizeof *conditions);
    if (!conditions) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    p->condition = conditions;
    conditions[p->n_conditions++] = (struct tw_condition){ .edge = *edge };
    d = parse(p, text, n, true, error);
    if (d && edge->reset) reset = parse(p, edge->reset, edge->reset_n, true, error);
    rc = !d || (edge->reset && !reset) ? error->code
                                       : compile_condition(p, d, reset, error);
    if (rc < 0) {
        tw_plan_cut(p, &mark);
        return rc;
    }
    p->before = mark;
    return (int)p->n_conditions - 1;
}

void tw_plan_undo_when(struct tw_plan *p)
{
    tw_plan_cut(p, &p->before);
}
