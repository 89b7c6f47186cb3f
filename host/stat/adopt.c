/* adopt.c - a new plan takes over the states of the plan that it replaces.
 *
 * Why: a new version of a script declares its statistics anew, most of them as they
 * were.  A declaration is not one state but several (the lag inside an expression is
 * one), and it may name others that have changed.  So states are told apart by what they
 * are fed with: each column of a plan has a signature, a hash of the operation that
 * writes it and of the signatures of its arguments, down to fields and constants.
 */
#include "stat/adopt.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "stat/program.h"

/* Signatures: of columns, by program; 0: not computed yet. */
struct signer { const struct tw_plan *p; uint64_t *column[TW_PROGRAMS], *slot; };

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static uint64_t mix_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++) h = mix(h, b[i]);
    return h;
}

static uint64_t sign_slot(const struct signer *s, unsigned slot);

static const struct tw_op *writer(const struct tw_program *g, unsigned column)
{
    for (unsigned i = 0; i < g->n; i++) {
        enum tw_op_kind kind = g->op[i].kind;

        if (kind != TW_OP_KEYS && kind != TW_OP_SAMPLE && kind != TW_OP_CONDITION
            && g->op[i].out == column)
            return &g->op[i];
    }
    return NULL;
}

/* Of a column in a program; TW_PROGRAM_NONE has one too. */
static uint64_t sign_column(const struct signer *s, unsigned program, unsigned column)
{
    const struct tw_op *op;
    uint64_t h;

    if (column == TW_PROGRAM_NONE) return 1;
    if (s->column[program][column]) return s->column[program][column];
    op = writer(&s->p->program[program], column);
    if (!op) {
        h = mix(2, (uint64_t)s->p->column[column]->integer[0]);   /* a constant */
    } else {
        h = mix(3, op->kind);
        switch (op->kind) {
        case TW_OP_LOAD:
            h = mix(h, op->field);
            break;
        case TW_OP_APPLY:
            h = mix(mix(h, op->expr), op->type);
            h = mix(h, sign_column(s, program, op->a));
            h = mix(h, sign_column(s, program, op->b));
            h = mix(h, sign_column(s, program, op->c));
            break;
        default:                        /* a push or a read */
            h = mix(mix(h, sign_slot(s, op->what)), op->key);
        }
    }
    return s->column[program][column] = h ? h : 1;
}

/* What the rows of a program are by. */
static uint64_t sign_keys(const struct signer *s, unsigned program, unsigned space)
{
    const struct tw_program *g = &s->p->program[program];
    const struct tw_space *k = &s->p->space[space];
    uint64_t h = mix(5, k->n_parts);

    for (unsigned i = 0; i < g->n; i++) {
        if (g->op[i].kind != TW_OP_KEYS || g->op[i].what != space) continue;
        for (unsigned part = 0; part < k->n_parts; part++)
            h = k->field[part] != TW_NO_FIELD ? mix(h, k->field[part])
                : mix(h, sign_column(s, program, g->op[i].x[part]));
    }
    return h;
}

static uint64_t sign_slot(const struct signer *s, unsigned slot)
{
    const struct tw_slot *of = &s->p->slot[slot];
    uint64_t h = mix(7, of->kinds);

    if (s->slot[slot]) return s->slot[slot];
    s->slot[slot] = 1;                  /* of one that leads to itself */
    h = mix_bytes(h, of->stat.kind->name, strlen(of->stat.kind->name));
    h = mix_bytes(h, &of->stat.o, sizeof of->stat.o);
    for (unsigned program = 0; program < TW_PROGRAMS; program++) {
        const struct tw_program *g = &s->p->program[program];

        for (unsigned i = 0; i < g->n; i++) {
            if (g->op[i].kind != TW_OP_PUSH || g->op[i].what != slot) continue;
            h = mix(mix(h, program), sign_keys(s, program, of->space));
            for (unsigned x = 0; x < of->stat.n_inputs; x++)
                h = mix(h, sign_column(s, program, g->op[i].x[x]));
        }
    }
    return s->slot[slot] = h > 1 ? h : 2;
}

static void close_signer(struct signer *s)
{
    for (unsigned program = 0; program < TW_PROGRAMS; program++)
        tw_free(s->column[program]);
    tw_free(s->slot);
}

static int open_signer(struct signer *s, const struct tw_plan *p)
{
    bool fine;

    *s = (struct signer){ .p = p };
    s->slot = tw_calloc(p->n_slots + 1, sizeof *s->slot);
    fine = s->slot != NULL;
    for (unsigned program = 0; program < TW_PROGRAMS; program++) {
        s->column[program] = tw_calloc(p->n_columns + 1, sizeof *s->column[program]);
        fine = fine && s->column[program];
    }
    if (fine) return TW_OK;
    close_signer(s);
    return UV_ENOMEM;
}

/* ---- states ---- */

/* The key of `to` that has the parts of a key of `from`; made when it is not there. */
static int64_t translate(struct tw_keys *to, const struct tw_keys *from, uint32_t key)
{
    const char *part[TW_EXPR_KEYS];
    char number[TW_EXPR_KEYS][32];
    unsigned n = tw_keys_parts(from);
    int64_t made;

    for (unsigned i = 0; i < n; i++) part[i] = tw_keys_text(from, key, i, number[i]);
    made = n > 0 ? tw_keys_intern(to, part, n) : 1;
    if (made > 0 && tw_keys_was_seen(from, key)) tw_keys_see(to, (uint32_t)made);
    return made;
}

static int adopt_states(struct tw_plan *p, unsigned slot, const struct tw_plan *old,
                        unsigned from)
{
    const struct tw_slot *before = &old->slot[from];
    const struct tw_keys *keys = old->space[before->space].keys;
    struct tw_slot *now = &p->slot[slot];
    size_t size = now->stat.size;

    for (uint32_t key = 1; key <= tw_keys_count(keys) && key < before->room; key++) {
        int64_t to = translate(p->space[now->space].keys, keys, key);

        if (to < 0) return (int)to;
        if (tw_plan_reserve_slot(p, now) < 0) return UV_ENOMEM;
        memcpy(now->states + (size_t)to * size, before->states + key * size, size);
    }
    return TW_OK;
}

static bool is_sampled_alike(const struct tw_declared *a, const struct tw_declared *b)
{
    return a->o.every_ns == b->o.every_ns && a->o.every_rows == b->o.every_rows
        && a->o.history == b->o.history;
}

static int adopt_samples(struct tw_plan *p, struct tw_declared *now,
                         const struct tw_plan *old, const struct tw_declared *before)
{
    const struct tw_keys *keys = old->space[old->slot[before->slot].space].keys;
    struct tw_keys *to_keys = p->space[p->slot[now->slot].space].keys;

    uint32_t n = tw_keys_count(keys);

    for (uint32_t key = 1; key <= n && key < before->samples.room; key++) {
        const struct tw_sample *from = &before->samples.key[key];
        int64_t to = translate(to_keys, keys, key);
        struct tw_sample *s;

        if (to < 0) return (int)to;
        if (tw_plan_reserve_samples(p, now) < 0) return UV_ENOMEM;
        s = &now->samples.key[to];
        s->next = from->next;
        s->n = from->n;
        if (!from->value) continue;
        if (!s->value && tw_plan_keep_samples(p, now, s) < 0) return UV_ENOMEM;
        memcpy(s->value, from->value, tw_plan_history_bytes(now));
    }
    return TW_OK;
}

static int adopt_item(struct tw_plan *p, struct tw_declared *now,
                      const struct tw_plan *old, const struct signer *mine,
                      const struct signer *theirs)
{
    int i = tw_plan_find(old, now->name);
    const struct tw_declared *before = i < 0 ? NULL : &old->item[i];

    if (!before || !is_sampled_alike(now, before)
        || sign_slot(mine, now->slot) != sign_slot(theirs, before->slot))
        return TW_OK;
    return adopt_samples(p, now, old, before);
}

int tw_plan_adopt(struct tw_plan *p, const struct tw_plan *old)
{
    struct signer mine, theirs;
    int rc = open_signer(&mine, p);

    if (rc < 0) return rc;
    rc = open_signer(&theirs, old);
    if (rc < 0) {
        close_signer(&mine);
        return rc;
    }
    for (unsigned i = 0; i < p->n_slots && rc >= 0; i++)
        for (unsigned k = 0; k < old->n_slots; k++)
            if (sign_slot(&mine, i) == sign_slot(&theirs, k)) {
                rc = adopt_states(p, i, old, k);
                break;
            }
    for (unsigned i = 0; i < p->n_items && rc >= 0; i++)
        rc = adopt_item(p, &p->item[i], old, &mine, &theirs);
    close_signer(&mine);
    close_signer(&theirs);
    return rc;
}

int tw_plan_redeclare(struct tw_plan *p, const struct tw_plan *old,
                      struct tw_error *error)
{
    struct tw_plan_item *items = tw_calloc(old->n_items + 1, sizeof *items);
    int rc;

    if (!items) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    for (unsigned i = 0; i < old->n_items; i++) {
        items[i] = old->item[i].o;
        items[i].name = old->item[i].name;
        items[i].text = old->item[i].text;
        items[i].n = strlen(old->item[i].text);
    }
    rc = tw_plan_track(p, items, old->n_items, error);
    tw_free(items);
    return rc;
}

int tw_plan_adopt_conditions(struct tw_plan *p, const struct tw_plan *old)
{
    for (unsigned i = 0; i < p->n_conditions; i++) {
        const struct tw_condition *before = &old->condition[i];
        struct tw_condition *now = &p->condition[i];
        const struct tw_keys *keys = old->space[before->space].keys;

        for (uint32_t key = 1; key <= tw_keys_count(keys) && key < before->room; key++) {
            int64_t to = translate(p->space[now->space].keys, keys, key);

            if (to < 0) return (int)to;
            if (tw_plan_reserve_condition(p, now) < 0) return UV_ENOMEM;
            now->key[to] = before->key[key];
        }
    }
    return TW_OK;
}
