/* program.h - what a plan is made of: columns, slots of states, operations.
 *
 * Layer host/stat, for the files of plans alone.  Thread: the owner's.
 */
#ifndef TW_PROGRAM_H
#define TW_PROGRAM_H

#include "stat/plan.h"

enum { TW_PROGRAM_COLUMNS = 4096, TW_PROGRAM_NONE = 0xFFFF };

/* One operation; a, b, c, out: columns. */
struct tw_op {
    enum tw_op_kind {
        TW_OP_LOAD,        /* out = field                                          */
        TW_OP_APPLY,       /* out = fn(a, b, c)                                    */
        TW_OP_KEYS,        /* space: the keys of the rows                          */
        TW_OP_PUSH,        /* slot: x[] by the keys of its space; out              */
        TW_OP_READ,        /* out = slot's value at the keys of its space, or `key` */
        TW_OP_SAMPLE,      /* item: from its slot's out                            */
        TW_OP_CONDITION    /* condition: a, reset b                                */
    } kind;
    enum tw_expr_op expr;
    enum tw_expr_type type;
    enum tw_field field;
    tw_column_fn *fn;
    uint16_t out, a, b, c, what;       /* what: the slot, space, item, condition   */
    uint16_t x[TW_STAT_INPUTS];
    uint32_t key;
    bool wanted;                       /* PUSH: somebody reads out                 */
};

/* The operations for one kind of record, in order. */
struct tw_program { struct tw_op *op; unsigned n; size_t room; };

/* The keys of one `by`, and those of the rows in a run. */
struct tw_space {
    struct tw_keys *keys;
    uint32_t *id;                      /* [TW_STAT_BATCH]                          */
    unsigned n_none;                   /* of these rows, in no key                 */
    unsigned n_parts;
    uint16_t part[TW_EXPR_KEYS];       /* its own column, of a number              */
    enum tw_field field[TW_EXPR_KEYS];
    const struct tw_expr *by[TW_EXPR_KEYS];
};

/* A statistic's states, by key of its space. */
struct tw_slot {
    struct tw_stat stat;
    uint16_t space;
    uint32_t room;                     /* states there is memory for               */
    char *states;
    unsigned kinds;                    /* of records that it is fed with           */
    bool own;                          /* of an item: no other expression shares it */
    const struct tw_expr *expr;        /* that it was made for                     */
};

struct tw_samples {
    uint32_t room;                     /* keys there is memory for                 */
    struct tw_sample {
        int64_t next;                  /* the time, or the rows still to come      */
        uint64_t n;                    /* samples taken                            */
        double *value;                 /* rings of `history`; times follow         */
    } *key;
};

struct tw_declared {
    char *name, *text;
    uint16_t slot;
    struct tw_plan_item o;
    struct tw_samples samples;
    unsigned kinds;
    const struct tw_declaration *declaration;
    enum { TW_ITEM_NEW, TW_ITEM_BEGUN, TW_ITEM_DONE } stage;
};

struct tw_condition {
    struct tw_plan_edge edge;
    unsigned kinds;
    uint16_t space;
    uint32_t room;
    struct tw_edge { int64_t last; bool up; } *key;
};

struct tw_plan_mark {
    unsigned columns, constants, spaces, slots, items, conditions, declarations;
    unsigned ops[TW_PROGRAMS], kinds;
    bool stepwise;
};

struct tw_plan {
    struct tw_plan_options o;
    struct tw_program program[TW_PROGRAMS];
    union tw_column **column;
    struct tw_space *space;
    struct tw_slot *slot;
    struct tw_declared *item;
    struct tw_condition *condition;
    struct tw_declaration **declaration;
    unsigned n_columns, n_spaces, n_slots, n_items, n_conditions, n_declarations;
    unsigned n_constants;
    uint16_t constant[TW_PROGRAM_COLUMNS];  /* their columns                       */
    unsigned kinds;
    bool stepwise;
    struct tw_plan_mark before;        /* the newest condition                     */
    size_t key_bytes;                  /* of what grows with the keys              */
    unsigned n_rows, n_fired;
    unsigned full;                     /* the space that had too many keys         */
    struct tw_record *row;             /* [TW_STAT_BATCH]                          */
    union tw_column keyed;             /* an input without the rows in no key      */
    uint16_t fired[TW_PLAN_CONDITIONS];
};

/* plan.c: room for a state of each key; for what is sampled of each; for the samples of
 * one.  UV_ENOMEM. */
int tw_plan_reserve_slot(struct tw_plan *p, struct tw_slot *s);
int tw_plan_reserve_condition(struct tw_plan *p, struct tw_condition *c);
int tw_plan_reserve_samples(struct tw_plan *p, struct tw_declared *it);
int tw_plan_keep_samples(struct tw_plan *p, const struct tw_declared *it,
                         struct tw_sample *s);
size_t tw_plan_history_bytes(const struct tw_declared *it);

/* What is added to a plan beyond these counts, freed: a declaration failed. */
struct tw_plan_mark tw_plan_mark(const struct tw_plan *p);
void tw_plan_cut(struct tw_plan *p, const struct tw_plan_mark *m);

/* load.c: a field of n rows as a column. */
void tw_column_load(enum tw_field field, unsigned n, const struct tw_record *rows,
                    const struct tw_symbols *symbols, union tw_column *out);

#endif
