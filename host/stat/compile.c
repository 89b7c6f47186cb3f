/* compile.c - declarations become operations over columns.
 *
 * Equal operations on equal columns are one: a declaration that takes the mid price
 * again gets the column that is there.  A statistic that is declared has states of its
 * own; one inside an expression shares them with its equals.
 *
 * A declaration is compiled once for each kind of record that it reads.  Where it
 * names a statistic of that kind, it reads the column of values after each row; one of
 * the other kind has no row in the same run, so its states are read as they are.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "stat/program.h"
#include "stat/token.h"

/* Where compiling is: of which declaration, for which kind of record. */
struct at {
    struct tw_plan *p;
    const struct tw_declaration *d;
    unsigned program, kinds;           /* of those that it is compiled for         */
    bool masked;                       /* `where` is for the statistics met        */
    struct tw_error *error;
};

/* Fails at a node; gives the code. */
#define REFUSE(at, e, failure, ...) \
    (tw_source_fail(&(struct tw_source){ .text = (at)->d->text, .error = (at)->error, \
                                         .n = (unsigned)strlen((at)->d->text) }, \
                    (e)->column - 1, __VA_ARGS__), (at)->error->code = (failure))

static int no_memory(const struct at *at)
{
    return tw_fail(at->error, UV_ENOMEM, "%s: %s", tw_strerror(UV_ENOMEM), at->d->text);
}

/* ---- columns and operations ---- */

static int new_column(const struct at *at)
{
    struct tw_plan *p = at->p;
    union tw_column **column;

    if (p->n_columns == TW_PROGRAM_COLUMNS)
        return tw_fail(at->error, TW_ELIMIT, "more than %d columns: %s",
                       TW_PROGRAM_COLUMNS, at->d->text);
    column = tw_realloc(p->column, (p->n_columns + 1) * sizeof *column);
    if (!column) return no_memory(at);
    p->column = column;
    column[p->n_columns] = tw_calloc_aligned(1, sizeof **column);
    if (!column[p->n_columns]) return no_memory(at);
    return (int)p->n_columns++;
}

/* The same operation, but for what comes out of it? */
static bool equals(const struct tw_op *x, const struct tw_op *y)
{
    return x->kind == y->kind && x->expr == y->expr && x->type == y->type
        && x->field == y->field && x->fn == y->fn && x->a == y->a && x->b == y->b
        && x->c == y->c && x->what == y->what && x->key == y->key
        && memcmp(x->x, y->x, sizeof x->x) == 0;
}

/* The operation with nothing but its kind. */
static struct tw_op operation(enum tw_op_kind kind)
{
    struct tw_op op = { .kind = kind, .a = TW_PROGRAM_NONE, .b = TW_PROGRAM_NONE,
                        .c = TW_PROGRAM_NONE, .out = TW_PROGRAM_NONE };

    for (int i = 0; i < TW_STAT_INPUTS; i++) op.x[i] = TW_PROGRAM_NONE;
    return op;
}

/* Appends it, with a column for what comes out where it wants one. */
static struct tw_op *append(const struct at *at, const struct tw_op *op, bool has_out)
{
    struct tw_program *g = &at->p->program[at->program];
    int out = has_out ? new_column(at) : TW_PROGRAM_NONE;

    if (out < 0) return NULL;
    if (g->n == g->room) {
        unsigned room = g->room ? g->room * 2 : 32;
        struct tw_op *ops = tw_realloc(g->op, room * sizeof *ops);

        if (!ops) return no_memory(at), NULL;
        g->op = ops;
        g->room = room;
    }
    g->op[g->n] = *op;
    g->op[g->n].out = (uint16_t)out;
    return &g->op[g->n++];
}

static struct tw_op *find(const struct at *at, const struct tw_op *op)
{
    struct tw_program *g = &at->p->program[at->program];

    for (unsigned i = 0; i < g->n; i++)
        if (equals(&g->op[i], op)) return &g->op[i];
    return NULL;
}

/* The push into that slot, the keys of that space. */
static struct tw_op *find_of(const struct at *at, enum tw_op_kind kind, int what)
{
    struct tw_program *g = &at->p->program[at->program];

    for (unsigned i = 0; i < g->n; i++)
        if (g->op[i].kind == kind && g->op[i].what == what) return &g->op[i];
    return NULL;
}

/* The column of an operation that is there, or is now. */
static int emit(const struct at *at, const struct tw_op *op)
{
    const struct tw_op *there = find(at, op);

    if (!there) there = append(at, op, true);
    return there ? there->out : at->error->code;
}

static int load(const struct at *at, enum tw_field field)
{
    struct tw_op op = operation(TW_OP_LOAD);

    op.field = field;
    return emit(at, &op);
}

static int apply(const struct at *at, enum tw_expr_op expr, enum tw_expr_type type,
                 int a, int b, int c)
{
    struct tw_op op = operation(TW_OP_APPLY);

    op.expr = expr;
    op.type = type;
    op.fn = tw_column_op(expr, type);
    op.a = (uint16_t)a;
    op.b = (uint16_t)b;
    op.c = (uint16_t)c;
    if (!op.fn)
        return tw_fail(at->error, TW_EUSAGE, "an operation that is not there: %s",
                       at->d->text);
    return emit(at, &op);
}

/* A column that is filled once: no operation writes it. */
static int constant(const struct at *at, int64_t bits)
{
    struct tw_plan *p = at->p;
    int column;

    for (unsigned i = 0; i < p->n_constants; i++)
        if (p->column[p->constant[i]]->integer[0] == bits) return p->constant[i];
    if (p->n_constants == TW_PLAN_CONSTANTS)
        return tw_fail(at->error, TW_ELIMIT, "more than %d constants: %s",
                       TW_PLAN_CONSTANTS, at->d->text);
    column = new_column(at);
    if (column < 0) return column;
    for (int i = 0; i < TW_STAT_BATCH; i++) p->column[column]->integer[i] = bits;
    p->constant[p->n_constants++] = (uint16_t)column;
    return column;
}

static int number(const struct at *at, double x)
{
    int64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return constant(at, bits);
}

static int compile(struct at *at, const struct tw_expr *e);

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
static int nothing(const struct at *at, const struct tw_expr *e, const struct close *c,
                   const char *before, const char *after)
{
    return REFUSE(at, e, TW_EUSAGE, "%s'%.100s'%s%s%s%s", before, e->ref.text, after,
                  c->name ? "; did you mean '" : "", c->name ? c->name : "",
                  c->name ? "'?" : "");
}

/* A REF of type NAME that is no attribute. */
static int no_attribute(const struct at *at, const struct tw_expr *e, const char *what)
{
    const struct tw_symbols *symbols = at->p->o.names.symbols;
    const struct tw_field_name *field;
    struct close close = { NULL, 3 };

    if (tw_plan_find(at->p, e->ref.text) >= 0)
        return REFUSE(at, e, TW_EUSAGE, "%s'%.100s' is a statistic, a number: no"
                      " attribute", what, e->ref.text);
    for (unsigned i = 0; (field = tw_field_at(i)) != NULL; i++)
        if (field->type == TW_FIELD_NAMED) look_at(&close, e, field->name);
    for (unsigned i = 0; i < tw_symbols_attributes(symbols); i++)
        look_at(&close, e, tw_symbols_attribute_name(symbols, i));
    return nothing(at, e, &close, what,
                   " is neither a field with names nor an attribute");
}

static int add_space(struct at *at, const struct tw_expr_by *by)
{
    struct tw_plan *p = at->p;
    struct tw_space *space = tw_realloc(p->space, (p->n_spaces + 1) * sizeof *space);
    struct tw_space s = { .n_parts = by->n_keys };
    struct tw_key_part part[TW_EXPR_KEYS];

    if (!space) return no_memory(at);
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
        column = new_column(at);       /* its own, filled in whatever program */
        if (column < 0) return column;
        s.part[i] = (uint16_t)column;
        part[i].column = p->column[column];
    }
    s.keys = tw_keys_new(&p->o.names, part, by->n_keys);
    s.id = tw_calloc(TW_STAT_BATCH, sizeof *s.id);
    if (!s.keys || !s.id) {
        tw_keys_free(s.keys);
        tw_free(s.id);
        return no_memory(at);
    }
    for (int i = 0; i < TW_STAT_BATCH && s.n_parts == 0; i++) s.id[i] = 1;
    p->space[p->n_spaces] = s;
    return (int)p->n_spaces++;
}

/* By fields alone, spaces are shared; by a number each declaration has its own. */
static int find_space(const struct tw_plan *p, const struct tw_expr_by *by)
{
    enum tw_field field[TW_EXPR_KEYS];

    for (unsigned i = 0; i < by->n_keys; i++) field[i] = named_field(p, by->key[i]);
    for (unsigned i = 0; i < p->n_spaces; i++) {
        const struct tw_space *s = &p->space[i];
        bool same = s->n_parts == by->n_keys;

        for (unsigned k = 0; same && k < by->n_keys; k++)
            same = field[k] == TW_NO_FIELD ? s->by[k] == by->key[k]
                                           : s->field[k] == field[k];
        if (same) return (int)i;
    }
    return -1;
}

/* The space, and its keys for the rows of this program. */
static int keys(struct at *at, const struct tw_expr_by *by)
{
    struct tw_plan *p = at->p;
    int space = find_space(p, by);
    struct tw_op op = operation(TW_OP_KEYS);
    bool masked = at->masked;

    if (space < 0) space = add_space(at, by);
    if (space < 0) return space;
    if (find_of(at, TW_OP_KEYS, space)) return space;
    op.what = (uint16_t)space;
    at->masked = false;
    for (unsigned i = 0; i < by->n_keys; i++) {
        int from;

        if (by->key[i]->type == TW_EXPR_NAME) continue;
        from = compile(at, by->key[i]);
        if (from >= 0 && by->key[i]->type == TW_EXPR_INTEGER)
            from = apply(at, TW_EXPR_TO_NUMBER, TW_EXPR_INTEGER, from, TW_PROGRAM_NONE,
                         TW_PROGRAM_NONE);
        if (from < 0) return from;
        op.x[i] = (uint16_t)from;
    }
    at->masked = masked;
    return append(at, &op, false) ? space : at->error->code;
}

/* ---- statistics ---- */

static int add_slot(struct at *at, const struct tw_expr *e, int space)
{
    struct tw_plan *p = at->p;
    struct tw_slot *slot = tw_realloc(p->slot, (p->n_slots + 1) * sizeof *slot);

    if (!slot) return no_memory(at);
    p->slot = slot;
    slot[p->n_slots] = (struct tw_slot){ .stat = *e->of.stat, .space = (uint16_t)space,
                                         .kinds = at->kinds, .expr = e };
    return (int)p->n_slots++;
}

/* The slot that this node has got from another program, or an equal one's. */
static int find_slot(const struct at *at, const struct tw_expr *e)
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
static struct tw_op *find_push(const struct at *at, const struct tw_op *op,
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
static struct tw_op *push(struct at *at, const struct tw_expr *e, bool own)
{
    struct tw_op op = operation(TW_OP_PUSH), *there;
    int space = keys(at, &e->of.by), slot, column, where = 0, nan = 0;
    bool masked = at->masked && at->d->where;

    if (space < 0) return NULL;
    for (unsigned i = 0; i < e->n_args; i++) {
        column = compile(at, e->arg[i]);
        if (column < 0) return NULL;
        op.x[i] = (uint16_t)column;
    }
    if (masked) {
        at->masked = false;
        where = compile(at, at->d->where);
        at->masked = true;
        if (where < 0 || (nan = number(at, NAN)) < 0) return NULL;
        column = apply(at, TW_EXPR_IFELSE, TW_EXPR_NUMBER, where, op.x[0], nan);
        if (column < 0) return NULL;
        op.x[0] = (uint16_t)column;
    }
    column = load(at, TW_FIELD_TIME);
    if (column < 0) return NULL;
    op.c = (uint16_t)column;
    if (!own && (there = find_push(at, &op, e, space)) != NULL) return there;
    slot = find_slot(at, e);
    if (slot < 0) slot = add_slot(at, e, space);
    if (slot < 0) return NULL;
    at->p->slot[slot].own = own;
    op.what = (uint16_t)slot;
    return append(at, &op, true);
}

/* ---- names of other statistics ---- */

static int compile_item(struct tw_plan *p, unsigned item, struct tw_error *error);

static int unknown(const struct at *at, const struct tw_expr *e)
{
    const struct tw_plan *p = at->p;
    const struct tw_field_name *field;
    struct close close = { NULL, 3 };

    if (tw_symbols_attribute_find(p->o.names.symbols, e->ref.text,
                                  strlen(e->ref.text)) >= 0)
        return REFUSE(at, e, TW_EUSAGE, "an attribute is a name: only == and ~= with a"
                    " text take it");
    for (unsigned i = 0; (field = tw_field_at(i)) != NULL; i++)
        if (field->kinds & at->d->kinds) look_at(&close, e, field->name);
    for (unsigned i = 0; i < p->n_items; i++) look_at(&close, e, p->item[i].name);
    return nothing(at, e, &close, "no field or statistic ", "");
}

/* The item that is named; it must not be one that is just being compiled. */
static int find_item(const struct at *at, const struct tw_expr *e)
{
    int item = tw_plan_find(at->p, e->ref.text);

    if (item < 0) return unknown(at, e);
    if (at->p->item[item].stage == TW_ITEM_BEGUN)
        return REFUSE(at, e, TW_EUSAGE, "'%.100s' depends on itself", e->ref.text);
    return item;
}

/* It was compiled when its kinds were asked for. */
static int ref(struct at *at, const struct tw_expr *e)
{
    struct tw_plan *p = at->p;
    struct tw_op op = operation(TW_OP_READ);
    int item = find_item(at, e), rc;
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
            return REFUSE(at, e, TW_EUSAGE, "%.100s has no key '%.100s'", e->ref.text,
                          e->ref.key);
        if (key < 0) return REFUSE(at, e, (int)key, "%s", tw_strerror((int)key));
        op.key = (uint32_t)key;
        p->stepwise = true;
        return emit(at, &op);
    }
    if ((push = find_of(at, TW_OP_PUSH, op.what)) != NULL) {
        push->wanted = true;
        return push->out;
    }
    for (unsigned i = 0; i < space->n_parts; i++)
        if (space->field[i] == TW_NO_FIELD)
            return REFUSE(at, e, TW_EUSAGE, "a statistic of the other kind of records"
                          " that is by a number can't be read here");
    rc = keys(at, &p->item[item].declaration->value->of.by);
    return rc < 0 ? rc : emit(at, &op);
}

/* ---- expressions ---- */

/* The id that a text stands for, beside a field that has names. */
static int text_id(struct at *at, const struct tw_expr *e, enum tw_field field)
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
        for (int i = 0; i <= TW_SOURCE_MAX && id < 0; i++)
            if (names->sources[i] && strcmp(names->sources[i], e->ref.text) == 0) id = i;
        break;
    case TW_FIELD_SIDE:
        id = strcmp(e->ref.text, "buy") == 0 ? TW_SIDE_BUY
            : strcmp(e->ref.text, "sell") == 0 ? TW_SIDE_SELL : -1;
        break;
    default:   /* an attribute */
        id = tw_names_intern(tw_symbols_values(names->symbols), e->ref.text, n);
        break;
    }
    return id < 0 ? REFUSE(at, e, TW_EUSAGE, "no such name there") : constant(at, id);
}

static int attribute(struct at *at, const struct tw_expr *e)
{
    enum tw_field field = named_field(at->p, e);

    return field == TW_NO_FIELD ? no_attribute(at, e, "") : load(at, field);
}

/* (bid + ask) * 0.5, of the columns that others want too. */
static int mid(const struct at *at)
{
    int bid = load(at, TW_FIELD_BID), ask, half, sum;

    if (bid < 0 || (ask = load(at, TW_FIELD_ASK)) < 0) return at->error->code;
    if ((half = number(at, 0.5)) < 0) return half;
    sum = apply(at, TW_EXPR_ADD, TW_EXPR_NUMBER, bid, ask, TW_PROGRAM_NONE);
    if (sum < 0) return sum;
    return apply(at, TW_EXPR_MUL, TW_EXPR_NUMBER, sum, half, TW_PROGRAM_NONE);
}

static int compile(struct at *at, const struct tw_expr *e)
{
    int arg[TW_STAT_INPUTS] = { TW_PROGRAM_NONE, TW_PROGRAM_NONE, TW_PROGRAM_NONE,
                                TW_PROGRAM_NONE };
    enum tw_expr_type type;
    struct tw_op *op;

    switch (e->op) {
    case TW_EXPR_CONSTANT:
        return e->type == TW_EXPR_NUMBER ? number(at, e->number)
                                         : constant(at, e->integer);
    case TW_EXPR_FIELD:  return e->field == TW_FIELD_MID ? mid(at) : load(at, e->field);
    case TW_EXPR_REF:
        return e->type == TW_EXPR_NAME ? attribute(at, e) : ref(at, e);
    case TW_EXPR_REF_AT: return ref(at, e);
    case TW_EXPR_STAT:
        op = push(at, e, false);
        if (!op) return at->error->code;
        op->wanted = true;
        return op->out;
    default: break;
    }
    for (unsigned i = 0; i < e->n_args; i++) {
        const struct tw_expr *other = e->arg[e->n_args == 2 ? 1 - i : 0];

        arg[i] = e->arg[i]->op == TW_EXPR_TEXT
            ? text_id(at, e->arg[i], named_field(at->p, other)) : compile(at, e->arg[i]);
        if (arg[i] < 0) return arg[i];
    }
    type = e->arg[e->n_args - 1]->type;
    return apply(at, e->op, type, arg[0], arg[1], arg[2]);
}

/* ---- declarations ---- */

static int compile_kind(struct tw_plan *p, unsigned item, unsigned program,
                        struct tw_error *error)
{
    struct at at = { p, p->item[item].declaration, program, p->item[item].kinds, true,
                     error };
    const struct tw_expr *e = at.d->value;
    struct tw_op *op = push(&at, e, true), sample = operation(TW_OP_SAMPLE);

    if (!op) return error->code;
    p->item[item].slot = op->what;
    if (!p->item[item].o.every_ns && !p->item[item].o.every_rows) return TW_OK;
    op->wanted = true;
    sample.a = op->out;
    sample.c = op->c;
    sample.what = (uint16_t)item;
    return append(&at, &sample, false) ? TW_OK : error->code;
}

static int gather_kinds(struct at *at, const struct tw_expr *e, unsigned *kinds);

static int gather_kinds_by(struct at *at, const struct tw_expr_by *by, unsigned *kinds)
{
    int rc = TW_OK;

    for (unsigned i = 0; i < by->n_keys && rc >= 0; i++)
        rc = gather_kinds(at, by->key[i], kinds);
    return rc;
}

/* Adds the kinds of the statistics that e names; they are compiled first. */
static int gather_kinds(struct at *at, const struct tw_expr *e, unsigned *kinds)
{
    struct tw_plan *p = at->p;
    int rc = TW_OK;

    if (e->type != TW_EXPR_NAME && (e->op == TW_EXPR_REF || e->op == TW_EXPR_REF_AT)) {
        int item = find_item(at, e);

        if (item < 0) return item;
        if ((rc = compile_item(p, (unsigned)item, at->error)) < 0) return rc;
        *kinds |= p->item[item].kinds;
    }
    if (e->op == TW_EXPR_STAT) rc = gather_kinds_by(at, &e->of.by, kinds);
    for (unsigned i = 0; i < e->n_args && rc >= 0; i++)
        rc = gather_kinds(at, e->arg[i], kinds);
    return rc;
}

/* What both kinds of records have, is of those that the statistics named are of. */
static int kinds_of(struct tw_plan *p, const struct tw_declaration *d, unsigned *kinds,
                    struct tw_error *error)
{
    struct at at = { .p = p, .d = d, .error = error };
    unsigned named = 0;
    int rc = gather_kinds(&at, d->value, &named);

    if (rc >= 0) rc = gather_kinds_by(&at, &d->by, &named);
    if (rc >= 0 && d->where) rc = gather_kinds(&at, d->where, &named);
    *kinds = (d->kinds & (d->kinds - 1)) && named ? named : d->kinds;
    return rc;
}

static int compile_item(struct tw_plan *p, unsigned item, struct tw_error *error)
{
    struct tw_item *it = &p->item[item];
    int rc;

    if (it->stage == TW_ITEM_DONE) return TW_OK;
    it->stage = TW_ITEM_BEGUN;
    rc = kinds_of(p, it->declaration, &it->kinds, error);
    for (unsigned g = 0; g < TW_PROGRAMS && rc >= 0; g++)
        if (it->kinds & 1u << (g ? TW_TRADE : TW_QUOTE))
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
    struct tw_item *items, *it;

    if (tw_plan_find(p, o->name) >= 0)
        return tw_fail(error, TW_EUSAGE, "a statistic '%s' is there already", o->name);
    if (p->n_items == TW_PLAN_ITEMS)
        return tw_fail(error, TW_ELIMIT, "more than %d statistics", TW_PLAN_ITEMS);
    items = tw_realloc(p->item, (p->n_items + 1) * sizeof *items);
    if (!items) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    p->item = items;
    it = &items[p->n_items++];
    *it = (struct tw_item){ .o = *o, .name = copy(o->name, strlen(o->name)),
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
        mixed = *by && find_space(p, *by) != find_space(p, here);
        *by = here;
        return mixed;
    }
    for (unsigned i = 0; i < e->n_args; i++)
        mixed = gather_by(p, e->arg[i], by) || mixed;
    return mixed;
}

/* The column of a condition and of what it says after `where`. */
static int compile_truth(struct at *at)
{
    int a = compile(at, at->d->value), b;

    if (a < 0 || !at->d->where) return a;
    at->masked = false;
    b = compile(at, at->d->where);
    at->masked = true;
    return b < 0 ? b : apply(at, TW_EXPR_AND, TW_EXPR_BOOLEAN, a, b, TW_PROGRAM_NONE);
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
    if (!kinds)
        return tw_fail(error, TW_EUSAGE, "the reset reads another kind of records: %s",
                       d->text);
    for (unsigned g = 0; g < TW_PROGRAMS; g++) {
        struct at at = { p, d, g, kinds, true, error };
        struct tw_op op = operation(TW_OP_CONDITION);
        const struct tw_expr_by *by = NULL;
        int a, b, time, space;

        if (!(kinds & 1u << (g ? TW_TRADE : TW_QUOTE))) continue;
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
        if ((space = keys(&at, by)) < 0) return space;
        p->condition[p->n_conditions - 1].space = (uint16_t)space;
        op.a = (uint16_t)a;
        op.b = (uint16_t)b;
        if ((time = load(&at, TW_FIELD_TIME)) < 0) return time;
        op.c = (uint16_t)time;
        op.what = (uint16_t)(p->n_conditions - 1);
        if (!append(&at, &op, false)) return error->code;
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
    return (int)p->n_conditions - 1;
}
