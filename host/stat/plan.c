/* plan.c - all that one script declares, compiled, and fed with rows of records.
 *
 * A run takes the rows in stretches of one kind of record, and does for each stretch
 * one operation after the other, each over all rows.  So a statistic has seen all rows
 * of a stretch before what reads it sees the first: what reads it inside an expression
 * takes the column of its values after each row, and where something must look at
 * single rows (a condition, a fixed key) the plan is stepwise: one row a run.
 */
#include "stat/plan.h"

#include <math.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "stat/program.h"

struct tw_plan *tw_plan_new(const struct tw_plan_options *o)
{
    struct tw_plan *p = tw_calloc_aligned(1, sizeof *p);

    if (!p) return NULL;
    p->o = *o;
    p->row = tw_calloc_aligned(TW_STAT_BATCH, sizeof *p->row);
    if (p->row) return p;
    tw_free(p);
    return NULL;
}

struct tw_plan_mark tw_plan_mark(const struct tw_plan *p)
{
    return (struct tw_plan_mark){
        p->n_columns, p->n_constants, p->n_spaces, p->n_slots, p->n_items,
        p->n_conditions, p->n_declarations,
        { p->program[0].n, p->program[1].n, p->program[2].n },
        p->kinds, p->stepwise
    };
}

size_t tw_plan_history_bytes(const struct tw_declared *it)
{
    return it->o.history * (sizeof(double) + sizeof(int64_t));
}

static void free_item(struct tw_plan *p, struct tw_declared *it)
{
    p->key_bytes -= it->samples.room * sizeof *it->samples.key;
    for (uint32_t k = 0; k < it->samples.room; k++) {
        if (it->samples.key[k].value) p->key_bytes -= tw_plan_history_bytes(it);
        tw_free(it->samples.key[k].value);
    }
    tw_free(it->samples.key);
    tw_free(it->name);
    tw_free(it->text);
}

void tw_plan_cut(struct tw_plan *p, const struct tw_plan_mark *m)
{
    while (p->n_columns > m->columns) tw_free(p->column[--p->n_columns]);
    while (p->n_spaces > m->spaces) {
        p->n_spaces--;
        tw_keys_free(p->space[p->n_spaces].keys);
        tw_free(p->space[p->n_spaces].id);
    }
    while (p->n_slots > m->slots) {
        struct tw_slot *s = &p->slot[--p->n_slots];

        p->key_bytes -= s->room * s->stat.size;
        tw_free(s->states);
    }
    while (p->n_items > m->items) free_item(p, &p->item[--p->n_items]);
    while (p->n_conditions > m->conditions) {
        struct tw_condition *c = &p->condition[--p->n_conditions];

        p->key_bytes -= c->room * sizeof *c->key;
        tw_free(c->key);
    }
    while (p->n_declarations > m->declarations)
        tw_declaration_free(p->declaration[--p->n_declarations]);
    for (unsigned g = 0; g < TW_PROGRAMS; g++) p->program[g].n = m->ops[g];
    p->n_constants = m->constants;
    p->kinds = m->kinds;
    p->stepwise = m->stepwise;
}

void tw_plan_free(struct tw_plan *p)
{
    struct tw_plan_mark nothing = { 0 };

    if (!p) return;
    tw_plan_cut(p, &nothing);
    for (unsigned g = 0; g < TW_PROGRAMS; g++) tw_free(p->program[g].op);
    tw_free(p->column);
    tw_free(p->space);
    tw_free(p->slot);
    tw_free(p->item);
    tw_free(p->condition);
    tw_free(p->declaration);
    tw_free(p->row);
    tw_free(p);
}

/* ---- growing with the keys ---- */

/* Is there memory for every key? */
static inline bool has_room(const struct tw_plan *p, unsigned space, uint32_t room)
{
    return tw_keys_count(p->space[space].keys) < room;
}

/* An array of `size` bytes for each key and key 0; new ones are zero. */
static int grow(struct tw_plan *p, unsigned space, void **array, uint32_t *room,
                size_t size)
{
    uint32_t want = *room ? *room : 2;
    char *grown;

    while (!has_room(p, space, want)) want *= 2;
    grown = tw_realloc(*array, want * size);
    if (!grown) return UV_ENOMEM;
    memset(grown + *room * size, 0, (want - *room) * size);
    p->key_bytes += (want - *room) * size;
    *array = grown;
    *room = want;
    return TW_OK;
}

int tw_plan_reserve_slot(struct tw_plan *p, struct tw_slot *s)
{
    void *states = s->states;
    int rc;

    if (has_room(p, s->space, s->room)) return TW_OK;
    rc = grow(p, s->space, &states, &s->room, s->stat.size);
    s->states = states;
    return rc;
}

/* ---- operations ---- */

/* The rows' keys, and how many are in none. */
static inline int run_keys(struct tw_plan *p, const struct tw_op *op, unsigned n,
                    const struct tw_record *rows)
{
    struct tw_space *space = &p->space[op->what];
    int rc;

    for (unsigned i = 0; i < space->n_parts; i++)
        if (space->field[i] == TW_NO_FIELD)
            memcpy(p->column[space->part[i]]->number, p->column[op->x[i]]->number,
                   n * sizeof(double));
    if (space->n_parts == 0) return TW_OK;   /* key 1, once for all */
    rc = tw_keys_of(space->keys, n, rows, space->id);
    if (rc == TW_ELIMIT) p->full = op->what;
    space->n_none = 0;
    for (unsigned i = 0; i < n; i++) space->n_none += space->id[i] == 0;
    return rc;
}

/* A row in no key is missing to every statistic by these keys: state 0 stays empty. */
static const double *without_none(struct tw_plan *p, const struct tw_space *space,
                                  const double *x, unsigned n)
{
    for (unsigned i = 0; i < n; i++) p->keyed.number[i] = space->id[i] ? x[i] : NAN;
    return p->keyed.number;
}

/* The row of a stepwise plan, without a column around it; false: it is missing, its key
 * is new, or the statistic has no step. */
static inline bool push_one(struct tw_plan *p, const struct tw_op *op)
{
    struct tw_slot *slot = &p->slot[op->what];
    const struct tw_stat *s = &slot->stat;
    const uint32_t key = p->space[slot->space].id[0];
    double x[TW_STAT_INPUTS], value;

    if (!s->ops->step || !key || key >= slot->room) return false;
    for (unsigned i = 0; i < s->n_inputs; i++)
        if (isnan(x[i] = p->column[op->x[i]]->number[0])) return false;
    value = s->ops->step(s, slot->states + key * s->size, x, *p->column[op->c]->integer);
    if (op->wanted) p->column[op->out]->number[0] = value;
    return true;
}

static TW_APART int push_rows(struct tw_plan *p, const struct tw_op *op, unsigned n)
{
    struct tw_slot *slot = &p->slot[op->what];
    const struct tw_space *space = &p->space[slot->space];
    struct tw_stat_rows rows = { .n = n, .key = space->id };
    int rc = tw_plan_reserve_slot(p, slot);

    if (rc < 0) return rc;
    rows.time = p->column[op->c]->integer;
    rows.out = op->wanted ? p->column[op->out]->number : NULL;
    for (unsigned i = 0; i < slot->stat.n_inputs; i++)
        rows.x[i] = p->column[op->x[i]]->number;
    if (space->n_none > 0) rows.x[0] = without_none(p, space, rows.x[0], n);
    slot->stat.ops->run(&slot->stat, slot->states, &rows);
    for (unsigned i = 0; space->n_none > 0 && rows.out && i < n; i++)
        if (space->id[i] == 0) rows.out[i] = NAN;
    return TW_OK;
}

static TW_APART int run_read(struct tw_plan *p, const struct tw_op *op, unsigned n)
{
    struct tw_slot *slot = &p->slot[op->what];
    double *out = p->column[op->out]->number;
    int rc = tw_plan_reserve_slot(p, slot);

    if (rc < 0) return rc;
    for (unsigned i = 0; i < n; i++) {
        uint32_t key = op->key ? op->key : p->space[slot->space].id[i];

        out[i] = key
            ? tw_stat_get(&slot->stat, slot->states + key * slot->stat.size, 0) : NAN;
    }
    return TW_OK;
}

int tw_plan_reserve_samples(struct tw_plan *p, struct tw_declared *it)
{
    const unsigned space = p->slot[it->slot].space;
    void *samples = it->samples.key;
    int rc;

    if (has_room(p, space, it->samples.room)) return TW_OK;
    rc = grow(p, space, &samples, &it->samples.room, sizeof *it->samples.key);
    it->samples.key = samples;
    return rc;
}

int tw_plan_keep_samples(struct tw_plan *p, const struct tw_declared *it,
                         struct tw_sample *s)
{
    s->value = tw_calloc(1, tw_plan_history_bytes(it));
    if (!s->value) return UV_ENOMEM;
    p->key_bytes += tw_plan_history_bytes(it);
    return TW_OK;
}

/* Keeps and tells one sample. */
static int take_sample(struct tw_plan *p, unsigned item, uint32_t key, double value,
                       int64_t time)
{
    struct tw_declared *it = &p->item[item];
    struct tw_sample *s = &it->samples.key[key];
    uint32_t size = it->o.history;

    if (size > 0) {
        if (!s->value && tw_plan_keep_samples(p, it, s) < 0) return UV_ENOMEM;
        s->value[s->n % size] = value;
        ((int64_t *)(s->value + size))[s->n % size] = time;
    }
    s->n++;
    if (it->o.tell) p->o.sampled(p->o.ctx, item, key, value, time);
    return TW_OK;
}

static TW_APART int run_sample(struct tw_plan *p, const struct tw_op *op, unsigned n)
{
    struct tw_declared *it = &p->item[op->what];
    const struct tw_space *space = &p->space[p->slot[it->slot].space];
    const double *value = p->column[op->a]->number;
    const int64_t *time = p->column[op->c]->integer;
    int rc = tw_plan_reserve_samples(p, it);

    for (unsigned i = 0; i < n && rc >= 0; i++) {
        struct tw_sample *s = &it->samples.key[space->id[i]];

        if (isnan(value[i])) continue;
        if (it->o.every_rows) {
            if (++s->next < it->o.every_rows) continue;
            s->next = 0;
        } else {
            if (time[i] < s->next) continue;
            s->next = time[i] - time[i] % it->o.every_ns + it->o.every_ns;
        }
        rc = take_sample(p, op->what, space->id[i], value[i], time[i]);
    }
    return rc;
}

int tw_plan_reserve_condition(struct tw_plan *p, struct tw_condition *c)
{
    void *keys = c->key;
    int rc;

    if (has_room(p, c->space, c->room)) return TW_OK;
    rc = grow(p, c->space, &keys, &c->room, sizeof *c->key);
    c->key = keys;
    return rc;
}

/* One row: the plan is stepwise. */
static inline int run_condition(struct tw_plan *p, const struct tw_op *op)
{
    struct tw_condition *c = &p->condition[op->what];
    bool is_true = p->column[op->a]->integer[0];
    bool reset = op->b == TW_PROGRAM_NONE ? !is_true : p->column[op->b]->integer[0];
    int64_t time = p->column[op->c]->integer[0];
    const uint32_t key = p->space[c->space].id[0];
    struct tw_edge *e;

    if (key == 0) return TW_OK;
    if (key >= c->room && tw_plan_reserve_condition(p, c) < 0) return UV_ENOMEM;
    e = &c->key[key];
    if (reset) e->up = false;
    if (!is_true || (e->up && !c->edge.level)) return TW_OK;
    if (e->last && time - e->last < c->edge.interval_ns) return TW_OK;
    e->up = true;
    e->last = time;
    p->fired[p->n_fired++] = op->what;
    return TW_OK;
}

static inline __attribute__((always_inline))
int run_operations(struct tw_plan *p, const struct tw_program *g, unsigned n,
                   const struct tw_record *rows, bool stepwise)
{
    union tw_column *const *c = p->column;

    for (const struct tw_op *op = g->op, *end = op + g->n; op < end; op++) {
        int rc = TW_OK;

#define COLUMN(x) ((x) == TW_PROGRAM_NONE ? NULL : c[x])
        switch (op->kind) {
        case TW_OP_LOAD:
            tw_column_load(op->field, n, rows, p->o.names.symbols, c[op->out]);
            continue;
        case TW_OP_APPLY:
            op->fn(n, c[op->out], c[op->a], COLUMN(op->b), COLUMN(op->c));
            continue;
        case TW_OP_KEYS:      rc = run_keys(p, op, n, rows); break;
        case TW_OP_PUSH:
            if (stepwise && push_one(p, op)) continue;
            rc = push_rows(p, op, n);
            break;
        case TW_OP_READ:      rc = run_read(p, op, n); break;
        case TW_OP_SAMPLE:    rc = run_sample(p, op, n); break;
        case TW_OP_CONDITION:
            if (stepwise) rc = run_condition(p, op);
            break;
        }
        if (rc < 0) return rc;
    }
    return TW_OK;
}

static TW_APART int run_stretch(struct tw_plan *p, const struct tw_program *g, unsigned n,
                                const struct tw_record *rows)
{
    return run_operations(p, g, n, rows, false);
}

static TW_APART int run_row(struct tw_plan *p, const struct tw_program *g,
                            const struct tw_record *row)
{
    return run_operations(p, g, 1, row, true);
}

struct tw_record *tw_plan_rows(struct tw_plan *p, unsigned *room)
{
    *room = TW_STAT_BATCH - p->n_rows;
    return &p->row[p->n_rows];
}

bool tw_plan_add(struct tw_plan *p, unsigned n)
{
    p->n_rows += n;
    return p->n_rows < TW_STAT_BATCH;
}

static bool is_one(unsigned kinds)
{
    return (kinds & (kinds - 1)) == 0;
}

int tw_plan_run(struct tw_plan *p)
{
    int rc = TW_OK;

    if (p->n_rows == 0) return TW_OK;   /* what has fired stays */
    for (unsigned i = 0, n = 1; i < p->n_rows && rc >= 0; i += n) {
        unsigned kind = p->row[i].kind;
        const struct tw_program *g = &p->program[tw_program_of(kind)];

        p->n_fired = 0;
        if (p->stepwise) {
            rc = run_row(p, g, &p->row[i]);
            continue;
        }
        n = is_one(p->kinds) ? p->n_rows : 1;
        while (i + n < p->n_rows && p->row[i + n].kind == kind) n++;
        rc = run_stretch(p, g, n, &p->row[i]);
    }
    p->n_rows = 0;
    return rc;
}

unsigned tw_plan_fired(const struct tw_plan *p, const uint16_t **which)
{
    *which = p->fired;
    return p->n_fired;
}

unsigned tw_plan_condition_kinds(const struct tw_plan *p, unsigned condition)
{
    return p->condition[condition].kinds;
}

unsigned tw_plan_kinds(const struct tw_plan *p)
{
    return p->kinds;
}

bool tw_plan_is_stepwise(const struct tw_plan *p)
{
    return p->stepwise;
}

const char *tw_plan_too_many(const struct tw_plan *p)
{
    return tw_keys_part(p->space[p->full].keys, 0);
}

/* ---- reading ---- */

unsigned tw_plan_items(const struct tw_plan *p)
{
    return p->n_items;
}

int tw_plan_find(const struct tw_plan *p, const char *name)
{
    for (unsigned i = 0; i < p->n_items; i++)
        if (strcmp(p->item[i].name, name) == 0) return (int)i;
    return -1;
}

const char *tw_plan_name(const struct tw_plan *p, unsigned item)
{
    return p->item[item].name;
}

const char *tw_plan_text(const struct tw_plan *p, unsigned item)
{
    return p->item[item].text;
}

const struct tw_stat *tw_plan_stat(const struct tw_plan *p, unsigned item)
{
    return &p->slot[p->item[item].slot].stat;
}

struct tw_keys *tw_plan_keys(const struct tw_plan *p, unsigned item)
{
    return p->space[p->slot[p->item[item].slot].space].keys;
}

void *tw_plan_state(const struct tw_plan *p, unsigned item, uint32_t key)
{
    const struct tw_slot *s = &p->slot[p->item[item].slot];

    return key < s->room ? s->states + key * s->stat.size : NULL;
}

void *tw_plan_state_make(struct tw_plan *p, unsigned item, uint32_t key)
{
    if (tw_plan_reserve_slot(p, &p->slot[p->item[item].slot]) < 0) return NULL;
    return tw_plan_state(p, item, key);
}

uint32_t tw_plan_history_max(const struct tw_plan *p, unsigned item)
{
    return p->item[item].o.history;
}

unsigned tw_plan_history(const struct tw_plan *p, unsigned item, uint32_t key,
                         unsigned n, double *value, int64_t *time)
{
    const struct tw_declared *it = &p->item[item];
    const struct tw_sample *s = key < it->samples.room ? &it->samples.key[key] : NULL;
    uint32_t size = it->o.history, have;

    if (!s || !s->value) return 0;
    have = s->n < size ? (uint32_t)s->n : size;
    if (n > have) n = have;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = (s->n - n + i) % size;

        value[i] = s->value[at];
        time[i] = ((const int64_t *)(s->value + size))[at];
    }
    return n;
}

size_t tw_plan_bytes(const struct tw_plan *p)
{
    return sizeof *p + p->n_columns * sizeof(union tw_column)
        + TW_STAT_BATCH * sizeof *p->row + p->key_bytes;
}
