/* emit.c - the columns and operations of a plan, each once.
 *
 * Equal operations on equal columns are one: a declaration that takes the mid price
 * again gets the column that is there.
 */
#include <uv.h>

#include "base/memory.h"
#include "stat/compile.h"

int tw_emit_no_memory(const struct tw_compile *at)
{
    return tw_fail(at->error, UV_ENOMEM, "%s: %s", tw_strerror(UV_ENOMEM), at->d->text);
}

int tw_emit_column(const struct tw_compile *at)
{
    struct tw_plan *p = at->p;
    union tw_column **column;

    if (p->n_columns == TW_PROGRAM_COLUMNS)
        return tw_fail(at->error, TW_ELIMIT, "more than %d columns: %s",
                       TW_PROGRAM_COLUMNS, at->d->text);
    column = tw_realloc(p->column, (p->n_columns + 1) * sizeof *column);
    if (!column) return tw_emit_no_memory(at);
    p->column = column;
    column[p->n_columns] = tw_calloc_aligned(1, sizeof **column);
    if (!column[p->n_columns]) return tw_emit_no_memory(at);
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
struct tw_op tw_emit_operation(enum tw_op_kind kind)
{
    struct tw_op op = { .kind = kind, .a = TW_PROGRAM_NONE, .b = TW_PROGRAM_NONE,
                        .c = TW_PROGRAM_NONE, .out = TW_PROGRAM_NONE };

    for (int i = 0; i < TW_STAT_INPUTS; i++) op.x[i] = TW_PROGRAM_NONE;
    return op;
}

/* Appends it, with a column for what comes out where it wants one. */
struct tw_op *tw_emit_append(const struct tw_compile *at, const struct tw_op *op,
                             bool has_out)
{
    struct tw_program *g = &at->p->program[at->program];
    int out = has_out ? tw_emit_column(at) : TW_PROGRAM_NONE;

    if (out < 0) return NULL;
    if (g->n == g->room) {
        struct tw_op *ops = tw_grow(g->op, &g->room, g->n + 1, sizeof *ops);

        if (!ops) return tw_emit_no_memory(at), NULL;
        g->op = ops;
    }
    g->op[g->n] = *op;
    g->op[g->n].out = (uint16_t)out;
    return &g->op[g->n++];
}

/* The same operation, where it is there already. */
static struct tw_op *find(const struct tw_compile *at, const struct tw_op *op)
{
    struct tw_program *g = &at->p->program[at->program];

    for (unsigned i = 0; i < g->n; i++)
        if (equals(&g->op[i], op)) return &g->op[i];
    return NULL;
}

/* The push into that slot, the keys of that space. */
struct tw_op *tw_emit_find_of(const struct tw_compile *at, enum tw_op_kind kind, int what)
{
    struct tw_program *g = &at->p->program[at->program];

    for (unsigned i = 0; i < g->n; i++)
        if (g->op[i].kind == kind && g->op[i].what == what) return &g->op[i];
    return NULL;
}

/* The column of an operation that is there, or is now. */
int tw_emit(const struct tw_compile *at, const struct tw_op *op)
{
    const struct tw_op *there = find(at, op);

    if (!there) there = tw_emit_append(at, op, true);
    return there ? there->out : at->error->code;
}

int tw_emit_load(const struct tw_compile *at, enum tw_field field)
{
    struct tw_op op = tw_emit_operation(TW_OP_LOAD);

    op.field = field;
    return tw_emit(at, &op);
}

int tw_emit_apply(const struct tw_compile *at, enum tw_expr_op expr,
                  enum tw_expr_type type, int a, int b, int c)
{
    struct tw_op op = tw_emit_operation(TW_OP_APPLY);

    op.expr = expr;
    op.type = type;
    op.fn = tw_column_op(expr, type);
    op.a = (uint16_t)a;
    op.b = (uint16_t)b;
    op.c = (uint16_t)c;
    if (!op.fn)
        return tw_fail(at->error, TW_EUSAGE, "an operation that is not there: %s",
                       at->d->text);
    return tw_emit(at, &op);
}

/* A column that is filled once: no operation writes it. */
int tw_emit_constant(const struct tw_compile *at, int64_t bits)
{
    struct tw_plan *p = at->p;
    int column;

    for (unsigned i = 0; i < p->n_constants; i++)
        if (p->column[p->constant[i]]->integer[0] == bits) return p->constant[i];
    column = tw_emit_column(at);
    if (column < 0) return column;
    for (int i = 0; i < TW_STAT_BATCH; i++) p->column[column]->integer[i] = bits;
    p->constant[p->n_constants++] = (uint16_t)column;
    return column;
}

int tw_emit_number(const struct tw_compile *at, double x)
{
    int64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return tw_emit_constant(at, bits);
}

/* (bid + ask) * 0.5, of the columns that others want too. */
int tw_emit_mid(const struct tw_compile *at)
{
    int bid = tw_emit_load(at, TW_FIELD_BID), ask, half, sum;

    if (bid < 0 || (ask = tw_emit_load(at, TW_FIELD_ASK)) < 0) return at->error->code;
    if ((half = tw_emit_number(at, 0.5)) < 0) return half;
    sum = tw_emit_apply(at, TW_EXPR_ADD, TW_EXPR_NUMBER, bid, ask, TW_PROGRAM_NONE);
    if (sum < 0) return sum;
    return tw_emit_apply(at, TW_EXPR_MUL, TW_EXPR_NUMBER, sum, half, TW_PROGRAM_NONE);
}
