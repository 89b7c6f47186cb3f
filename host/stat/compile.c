/* compile.c - expressions become operations over columns.
 *
 * A statistic that is declared has states of its own; one inside an expression shares
 * them with its equals.  Where an expression names a statistic of its own kind of
 * records, it reads the column of values after each row; one of the other kind has no
 * row in the same run, so its states are read as they are.
 */
#include "stat/compile.h"

#include <math.h>

#include "base/memory.h"
#include "stat/typing.h"

/* ---- keys ---- */

/* The field that a name is, TW_FIELD_ATTRIBUTE + i too; else TW_NO_FIELD. */
static enum tw_field named_field(const struct tw_plan *p, const struct tw_expr *e)
{
    int i;

    if (e->type != TW_EXPR_NAME) return TW_NO_FIELD;
    if (e->op != TW_EXPR_REF) return e->field;
    i = tw_symbols_attribute_find(p->o.names.symbols, e->ref.text, strlen(e->ref.text));
    return i < 0 ? TW_NO_FIELD : (enum tw_field)(TW_FIELD_ATTRIBUTE + i);
}

static const char *field_text(const struct tw_plan *p, enum tw_field field)
{
    if (field == TW_NO_FIELD) return "value";
    return field < TW_FIELD_ATTRIBUTE ? tw_field_text(field)
        : tw_symbols_attribute_name(p->o.names.symbols, field - TW_FIELD_ATTRIBUTE);
}

/* What a name may have been meant to be; best: less than 3 letters away. */
struct close { const char *name; int best; };

static void look_at(struct close *c, const struct tw_expr *e, const char *name)
{
    int d = tw_name_distance(e->ref.text, strlen(e->ref.text), name);

    if (d >= c->best || d >= (int)strlen(e->ref.text)) return;
    c->best = d;
    c->name = name;
}

/* The error of a name that is nothing. */
static int nothing(const struct tw_compile *at, const struct tw_expr *e,
                   const struct close *c,
                   const char *before, const char *after)
{
    return TW_DENY(at, e, TW_EUSAGE, "%s'%.100s'%s%s%s%s", before, e->ref.text, after,
                  c->name ? "; did you mean '" : "", c->name ? c->name : "",
                  c->name ? "'?" : "");
}

/* A REF of type NAME that is no attribute. */
static int no_attribute(const struct tw_compile *at, const struct tw_expr *e,
                        const char *what)
{
    const struct tw_symbols *symbols = at->p->o.names.symbols;
    const struct tw_field_name *field;
    struct close close = { NULL, 3 };

    if (tw_plan_find(at->p, e->ref.text) >= 0)
        return TW_DENY(at, e, TW_EUSAGE, "%s'%.100s' is a statistic, a number: no"
                      " attribute", what, e->ref.text);
    for (unsigned i = 0; (field = tw_field_at(i)) != NULL; i++)
        if (field->type == TW_FIELD_NAMED) look_at(&close, e, field->name);
    for (unsigned i = 0; i < tw_symbols_attributes(symbols); i++)
        look_at(&close, e, tw_symbols_attribute_name(symbols, i));
    return nothing(at, e, &close, what,
                   " is neither a field with names nor an attribute");
}

static int add_space(struct tw_compile *at, const struct tw_expr_by *by)
{
    struct tw_plan *p = at->p;
    struct tw_space *space = tw_realloc(p->space, (p->n_spaces + 1) * sizeof *space);
    struct tw_space s = { .n_parts = by->n_keys };
    struct tw_key_part part[TW_EXPR_KEYS];

    if (!space) return tw_emit_no_memory(at);
    p->space = space;
    for (unsigned i = 0; i < by->n_keys; i++) {
        const struct tw_expr *key = by->key[i];
        int column;

        s.by[i] = key;
        s.field[i] = named_field(p, key);
        part[i] = (struct tw_key_part){ .field = s.field[i],
                                        .text = field_text(p, s.field[i]) };
        if (s.field[i] != TW_NO_FIELD) continue;
        if (key->type == TW_EXPR_NAME) return no_attribute(at, key, "by what? ");
        column = tw_emit_column(at);       /* its own, filled in whatever program */
        if (column < 0) return column;
        s.part[i] = (uint16_t)column;
        part[i].column = p->column[column];
    }
    s.keys = tw_keys_new(&p->o.names, part, by->n_keys);
    s.id = tw_calloc(TW_STAT_BATCH, sizeof *s.id);
    if (!s.keys || !s.id) {
        tw_keys_free(s.keys);
        tw_free(s.id);
        return tw_emit_no_memory(at);
    }
    for (int i = 0; i < TW_STAT_BATCH && s.n_parts == 0; i++) s.id[i] = 1;
    p->space[p->n_spaces] = s;
    return (int)p->n_spaces++;
}

/* Do they give the same number?  A statistic in one goes on with what that has seen, so
 * it equals itself alone. */
static bool same_number(const struct tw_expr *a, const struct tw_expr *b)
{
    if (a == b) return true;
    if (a->op != b->op || a->type != b->type || a->n_args != b->n_args) return false;
    switch (a->op) {
    case TW_EXPR_CONSTANT: return a->integer == b->integer;   /* bits, also of a number */
    case TW_EXPR_FIELD:    return a->field == b->field;
    case TW_EXPR_TEXT:
    case TW_EXPR_REF:      return strcmp(a->ref.text, b->ref.text) == 0;
    case TW_EXPR_REF_AT:
        return strcmp(a->ref.text, b->ref.text) == 0
            && strcmp(a->ref.key, b->ref.key) == 0;
    case TW_EXPR_STAT:     return false;
    default: break;
    }
    for (unsigned i = 0; i < a->n_args; i++)
        if (!same_number(a->arg[i], b->arg[i])) return false;
    return true;
}

/* What is by the same, fields or numbers, shares a space. */
int tw_compile_find_space(const struct tw_plan *p, const struct tw_expr_by *by)
{
    enum tw_field field[TW_EXPR_KEYS];

    for (unsigned i = 0; i < by->n_keys; i++) field[i] = named_field(p, by->key[i]);
    for (unsigned i = 0; i < p->n_spaces; i++) {
        const struct tw_space *s = &p->space[i];
        bool same = s->n_parts == by->n_keys;

        for (unsigned k = 0; same && k < by->n_keys; k++)
            same = s->field[k] == field[k]
                && (field[k] != TW_NO_FIELD || same_number(s->by[k], by->key[k]));
        if (same) return (int)i;
    }
    return -1;
}

/* The space, and its keys for the rows of this program. */
int tw_compile_keys(struct tw_compile *at, const struct tw_expr_by *by)
{
    struct tw_plan *p = at->p;
    int space = tw_compile_find_space(p, by);
    struct tw_op op = tw_emit_operation(TW_OP_KEYS);
    bool masked = at->masked;

    if (space < 0) space = add_space(at, by);
    if (space < 0) return space;
    if (tw_emit_find_of(at, TW_OP_KEYS, space)) return space;
    op.what = (uint16_t)space;
    at->masked = false;
    for (unsigned i = 0; i < by->n_keys; i++) {
        int from;

        if (by->key[i]->type == TW_EXPR_NAME) continue;
        from = tw_compile(at, by->key[i]);
        if (from >= 0 && by->key[i]->type == TW_EXPR_INTEGER)
            from = tw_emit_apply(at, TW_EXPR_TO_NUMBER, TW_EXPR_INTEGER, from,
                                 TW_PROGRAM_NONE, TW_PROGRAM_NONE);
        if (from < 0) return from;
        op.x[i] = (uint16_t)from;
    }
    at->masked = masked;
    return tw_emit_append(at, &op, false) ? space : at->error->code;
}

/* ---- statistics ---- */

static int add_slot(struct tw_compile *at, const struct tw_expr *e, int space)
{
    struct tw_plan *p = at->p;
    struct tw_slot *slot = tw_realloc(p->slot, (p->n_slots + 1) * sizeof *slot);

    if (!slot) return tw_emit_no_memory(at);
    p->slot = slot;
    slot[p->n_slots] = (struct tw_slot){ .stat = *e->of.stat, .space = (uint16_t)space,
                                         .kinds = at->kinds, .expr = e };
    return (int)p->n_slots++;
}

/* The slot that this node has got from another program, or an equal one's. */
static int find_slot(const struct tw_compile *at, const struct tw_expr *e)
{
    for (unsigned i = 0; i < at->p->n_slots; i++)
        if (at->p->slot[i].expr == e) return (int)i;
    return -1;
}

static bool same_stat(const struct tw_stat *a, const struct tw_stat *b)
{
    return a->kind == b->kind && memcmp(&a->o, &b->o, sizeof a->o) == 0;
}

/* An equal push that is there already: of the same columns to the same keys.  Of both
 * kinds of records only this node's own: each kind has its columns. */
static struct tw_op *find_push(const struct tw_compile *at, const struct tw_op *op,
                               const struct tw_expr *e, int space)
{
    struct tw_program *g = &at->p->program[at->program];
    bool one_kind = (at->kinds & (at->kinds - 1)) == 0;

    for (unsigned i = 0; i < g->n; i++) {
        const struct tw_slot *slot;

        if (g->op[i].kind != TW_OP_PUSH) continue;
        slot = &at->p->slot[g->op[i].what];
        if ((slot->expr == e || (one_kind && slot->kinds == at->kinds))
            && slot->space == space && same_stat(&slot->stat, e->of.stat) && !slot->own
            && memcmp(g->op[i].x, op->x, sizeof op->x) == 0) return &g->op[i];
    }
    return NULL;
}

/* The push of a statistic; own: its states are nobody else's. */
struct tw_op *tw_compile_push(struct tw_compile *at, const struct tw_expr *e, bool own)
{
    struct tw_op op = tw_emit_operation(TW_OP_PUSH), *there;
    int space = tw_compile_keys(at, &e->of.by), slot, column, where = 0, nan = 0;
    bool masked = at->masked && at->d->where;

    if (space < 0) return NULL;
    for (unsigned i = 0; i < e->n_args; i++) {
        column = tw_compile(at, e->arg[i]);
        if (column < 0) return NULL;
        op.x[i] = (uint16_t)column;
    }
    if (masked) {
        at->masked = false;
        where = tw_compile(at, at->d->where);
        at->masked = true;
        if (where < 0 || (nan = tw_emit_number(at, NAN)) < 0) return NULL;
        column = tw_emit_apply(at, TW_EXPR_IFELSE, TW_EXPR_NUMBER, where, op.x[0], nan);
        if (column < 0) return NULL;
        op.x[0] = (uint16_t)column;
    }
    column = tw_emit_load(at, TW_FIELD_TIME);
    if (column < 0) return NULL;
    op.c = (uint16_t)column;
    if (!own && (there = find_push(at, &op, e, space)) != NULL) return there;
    slot = find_slot(at, e);
    if (slot < 0) slot = add_slot(at, e, space);
    if (slot < 0) return NULL;
    at->p->slot[slot].own = own;
    op.what = (uint16_t)slot;
    return tw_emit_append(at, &op, true);
}

/* ---- names of other statistics ---- */

static int unknown(const struct tw_compile *at, const struct tw_expr *e)
{
    const struct tw_plan *p = at->p;
    const struct tw_field_name *field;
    struct close close = { NULL, 3 };

    if (tw_symbols_attribute_find(p->o.names.symbols, e->ref.text,
                                  strlen(e->ref.text)) >= 0)
        return TW_DENY(at, e, TW_EUSAGE, "an attribute is a name: only == and ~= with a"
                    " text take it");
    for (unsigned i = 0; (field = tw_field_at(i)) != NULL; i++)
        if ((field->kinds & at->d->kinds)
            && tw_expr_field(field->name, strlen(field->name)))
            look_at(&close, e, field->name);
    for (unsigned i = 0; i < p->n_items; i++) look_at(&close, e, p->item[i].name);
    return nothing(at, e, &close, "no field or statistic ", "");
}

/* The item that is named; it must not be one that is just being compiled. */
int tw_compile_find_item(const struct tw_compile *at, const struct tw_expr *e)
{
    int item = tw_plan_find(at->p, e->ref.text);

    if (item < 0) return unknown(at, e);
    if (at->p->item[item].stage == TW_ITEM_BEGUN)
        return TW_DENY(at, e, TW_EUSAGE, "'%.100s' depends on itself", e->ref.text);
    return item;
}

/* It was compiled when its kinds were asked for. */
static int ref(struct tw_compile *at, const struct tw_expr *e)
{
    struct tw_plan *p = at->p;
    struct tw_op op = tw_emit_operation(TW_OP_READ);
    int item = tw_compile_find_item(at, e), rc;
    const struct tw_slot *slot;
    const struct tw_space *space;
    struct tw_op *push;

    if (item < 0) return item;
    slot = &p->slot[p->item[item].slot];
    space = &p->space[slot->space];
    op.what = p->item[item].slot;
    if (e->op == TW_EXPR_REF_AT) {
        const char *const parts[] = { e->ref.key };
        int64_t key = tw_keys_intern(space->keys, parts, 1);

        if (key == TW_EUSAGE)
            return TW_DENY(at, e, TW_EUSAGE, "%.100s has no key '%.100s'", e->ref.text,
                          e->ref.key);
        if (key < 0) return TW_DENY(at, e, (int)key, "%s", tw_strerror((int)key));
        op.key = (uint32_t)key;
        p->stepwise = true;
        return tw_emit(at, &op);
    }
    if ((push = tw_emit_find_of(at, TW_OP_PUSH, op.what)) != NULL) {
        push->wanted = true;
        return push->out;
    }
    for (unsigned i = 0; i < space->n_parts; i++)
        if (space->field[i] == TW_NO_FIELD)
            return TW_DENY(at, e, TW_EUSAGE, "a statistic of the other kind of records"
                          " that is by a number can't be read here");
    rc = tw_compile_keys(at, &p->item[item].declaration->value->of.by);
    return rc < 0 ? rc : tw_emit(at, &op);
}

/* ---- expressions ---- */

/* The id that a text stands for, beside a field that has names. */
static int text_id(struct tw_compile *at, const struct tw_expr *e, enum tw_field field)
{
    const struct tw_key_names *names = &at->p->o.names;
    size_t n = strlen(e->ref.text);
    int64_t id = -1;

    switch (field) {
    case TW_FIELD_SYMBOL: id = tw_symbols_intern(names->symbols, e->ref.text, n); break;
    case TW_FIELD_SECTOR:
        id = tw_names_intern(tw_symbols_sectors(names->symbols), e->ref.text, n);
        break;
    case TW_FIELD_SOURCE:
        id = tw_sources_find(names->sources, e->ref.text);
        if (id == 0) id = -1;
        break;
    case TW_FIELD_SIDE:
        id = tw_side_find(e->ref.text);
        if (id == 0) id = -1;
        break;
    default:   /* an attribute */
        id = tw_names_intern(tw_symbols_values(names->symbols), e->ref.text, n);
        break;
    }
    return id < 0 ? TW_DENY(at, e, TW_EUSAGE, "no such name there")
                  : tw_emit_constant(at, id);
}

static int attribute(struct tw_compile *at, const struct tw_expr *e)
{
    enum tw_field field = named_field(at->p, e);

    return field == TW_NO_FIELD ? no_attribute(at, e, "") : tw_emit_load(at, field);
}

int tw_compile(struct tw_compile *at, const struct tw_expr *e)
{
    int arg[TW_STAT_INPUTS] = { TW_PROGRAM_NONE, TW_PROGRAM_NONE, TW_PROGRAM_NONE,
                                TW_PROGRAM_NONE };
    enum tw_expr_type type;
    struct tw_op *op;

    switch (e->op) {
    case TW_EXPR_CONSTANT:
        return e->type == TW_EXPR_NUMBER ? tw_emit_number(at, e->number)
                                         : tw_emit_constant(at, e->integer);
    case TW_EXPR_FIELD:
        return e->field == TW_FIELD_MID ? tw_emit_mid(at) : tw_emit_load(at, e->field);
    case TW_EXPR_REF:
        return e->type == TW_EXPR_NAME ? attribute(at, e) : ref(at, e);
    case TW_EXPR_REF_AT: return ref(at, e);
    case TW_EXPR_STAT:
        op = tw_compile_push(at, e, false);
        if (!op) return at->error->code;
        op->wanted = true;
        return op->out;
    default: break;
    }
    for (unsigned i = 0; i < e->n_args; i++) {
        const struct tw_expr *other = e->arg[e->n_args == 2 ? 1 - i : 0];

        arg[i] = e->arg[i]->op == TW_EXPR_TEXT
            ? text_id(at, e->arg[i], named_field(at->p, other))
            : tw_compile(at, e->arg[i]);
        if (arg[i] < 0) return arg[i];
    }
    type = e->arg[e->n_args - 1]->type;
    return tw_emit_apply(at, e->op, type, arg[0], arg[1], arg[2]);
}
