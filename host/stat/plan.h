/* plan.h - all that one script declares, compiled, and fed with rows of records.
 *
 * Why: a declaration becomes a list of operations over whole columns (column.h) and
 * of pushes by key (stat.h).  Equal parts of any declarations are computed once.
 *
 *     records --rows--> load --> apply --> keys --> push ... --> sample, condition
 *
 * Layer host/stat.  Thread: the owner's, all of it.
 */
#ifndef TW_PLAN_H
#define TW_PLAN_H

#include "stat/keys.h"

enum { TW_PLAN_ITEMS = 1024, TW_PLAN_CONDITIONS = 256, TW_PLAN_HISTORY_MAX = 1 << 20 };

struct tw_plan;

/* Of each kind of records that it reads there is one program: 0, 1, ... */
enum { TW_PROGRAMS = 3 };

static inline unsigned tw_program_of(enum tw_kind kind)
{
    return kind == TW_QUOTE ? 0 : kind == TW_TRADE ? 1 : 2;
}

static inline enum tw_kind tw_program_kind(unsigned program)
{
    return program == 0 ? TW_QUOTE : program == 1 ? TW_TRADE : TW_BAR;
}

/* What is to be tracked.  With `every` the value of a key is a sample when the first
 * row of a new step of time (or that many rows of it) has come: kept in its history,
 * and told to `sampled`. */
struct tw_plan_item {
    const char *name;          /* what other declarations call it          */
    const char *text;
    size_t n;                  /* bytes of text                            */
    int64_t every_ns;          /* of record time; 0: not by time           */
    uint32_t every_rows;       /* 0: not by rows                           */
    uint32_t history;          /* samples kept for each key                */
    bool tell;                 /* call `sampled`                           */
};

struct tw_plan_options {
    struct tw_key_names names;
    void (*sampled)(void *ctx, unsigned item, uint32_t key, double value, int64_t time);
    void *ctx;
};

/* When a condition enters its function: on the edge (it was not true before, or has
 * been reset since), or, `level`, at each row where it is true; in any case not
 * within interval_ns of the last time.  All for each key alone. */
struct tw_plan_edge {
    const char *reset;         /* a condition; NULL: when it is not true   */
    size_t reset_n;
    int64_t interval_ns;
    bool level;
};

/* NULL: no memory.  Blocks: no. */
struct tw_plan *tw_plan_new(const struct tw_plan_options *o);
void tw_plan_free(struct tw_plan *p);

/* Adds items 0, 1, ... after those there; they may name each other.  All or none.
 * TW_EUSAGE: a text is wrong; TW_ELIMIT; UV_ENOMEM. */
int tw_plan_track(struct tw_plan *p, const struct tw_plan_item *items, unsigned n,
                  struct tw_error *error);

/* The index of a new condition: 0, 1, ...  Errors as tw_plan_track. */
int tw_plan_when(struct tw_plan *p, const char *text, size_t n,
                 const struct tw_plan_edge *edge, struct tw_error *error);

/* Takes back the newest condition; nothing was declared after it. */
void tw_plan_undo_when(struct tw_plan *p);

/* The kinds of records that a condition is looked at with, a bit for each. */
unsigned tw_plan_condition_kinds(const struct tw_plan *p, unsigned condition);

/* The kinds of records that it reads, a bit for each. */
unsigned tw_plan_kinds(const struct tw_plan *p);

/* It wants one row a run: something in it looks at single rows. */
bool tw_plan_is_stepwise(const struct tw_plan *p);

/* Where the next rows go, *room at most; then tw_plan_add says how many came. */
struct tw_record *tw_plan_rows(struct tw_plan *p, unsigned *room);

/* False: there is no more room, it is time for tw_plan_run. */
bool tw_plan_add(struct tw_plan *p, unsigned n);

/* What there are more than TW_KEYS_MAX keys of, after TW_ELIMIT: "symbol". */
const char *tw_plan_too_many(const struct tw_plan *p);

/* Feeds the rows that were added.  UV_ENOMEM, or TW_ELIMIT: too many keys.
 * Memory: for new keys; else none. */
int tw_plan_run(struct tw_plan *p);

/* The conditions that the last run's row made true, in order of declaration. */
unsigned tw_plan_fired(const struct tw_plan *p, const uint16_t **which);

/* ---- reading ---- */

unsigned tw_plan_items(const struct tw_plan *p);
int tw_plan_find(const struct tw_plan *p, const char *name);     /* or -1 */
const char *tw_plan_name(const struct tw_plan *p, unsigned item);
const char *tw_plan_text(const struct tw_plan *p, unsigned item);
const struct tw_stat *tw_plan_stat(const struct tw_plan *p, unsigned item);
struct tw_keys *tw_plan_keys(const struct tw_plan *p, unsigned item);

/* The state of a key, or NULL: no row brought it. */
void *tw_plan_state(const struct tw_plan *p, unsigned item, uint32_t key);

/* The same, made when it is not there.  NULL: no memory. */
void *tw_plan_state_make(struct tw_plan *p, unsigned item, uint32_t key);

/* The samples that are kept for each key; 0: none. */
uint32_t tw_plan_history_max(const struct tw_plan *p, unsigned item);

/* Copies the last n samples of a key, oldest first; how many there were. */
unsigned tw_plan_history(const struct tw_plan *p, unsigned item, uint32_t key,
                         unsigned n, double *value, int64_t *time);

/* Bytes that the plan has, but for its keys and the declarations themselves. */
size_t tw_plan_bytes(const struct tw_plan *p);

#endif
