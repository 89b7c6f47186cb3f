/* evaluate.h - a line of somebody attached, evaluated in a worker's state.
 *
 * It runs as a task of the worker, between the batches of its scripts and never in a
 * handler, or beside the jobs of a thread of the pool, with a budget;
 * stdlib/evaluate.lua says what it means.
 *
 * Layer lua.
 */
#ifndef LTW_EVALUATE_H
#define LTW_EVALUATE_H

#include "run/engine.h"

enum { LTW_SAID_MAX = 256 << 10 };   /* bytes that one may print, and be shown as */

struct home;

/* In a worker's state, or in that of a thread of the pool: then engine is NULL. */
struct ltw_evaluation {
    struct tw_worker *worker;         /* constant                                 */
    struct ltw_engine *engine;        /* constant                                 */
    void *runner;                     /* constant                                 */
    struct ltw_state *state;          /* owner: the worker; it runs there         */
    struct home *home;                /* owner: the worker; of the runner         */
    uint64_t request;                 /* constant: whose part it is               */
    int script;                       /* constant: an index in it, or -1          */
    const char *what;                 /* constant: a function of tw.evaluate      */
    int64_t cpu_ns, bytes, wait_ns;   /* constant: its budget, and its deadline   */
    /* What it prints, on the worker's thread; false: no memory. */
    bool (*said)(struct ltw_evaluation *e, const char *text, size_t n);
    /* The last that happens, on the worker's thread: the three below are there.  It does
     * not come when the worker ends before. */
    void (*ended)(struct ltw_evaluation *e);
    void *ctx;                        /* constant: of the two                     */
    struct ltw_task *task;            /* owner: the worker                        */
    size_t said_bytes;                /* owner: the worker                        */
    bool cancelled;                   /* owner: the worker                        */
    bool fine;                        /* owner: the worker, then who is told      */
    char *text;                       /* likewise; the result, NULL: no memory    */
    size_t n;                         /* likewise                                 */
    atomic_uint references;           /* atomic: of who made it, and of letters   */
    struct ltw_evaluation *next;      /* for who made it                          */
    size_t length;                    /* constant: of line                        */
    char line[];                      /* constant                                 */
};

/* NULL: no memory.  The caller fills in what else is constant.  Thread: MAIN. */
struct ltw_evaluation *ltw_evaluation_new(const char *line, size_t n);
void ltw_evaluation_unref(struct ltw_evaluation *e);

/* Sends it to its worker.  0 or a negative code.  Thread: MAIN, before the worker is
 * told to stop.  Blocks: no. */
int ltw_evaluation_begin(struct ltw_evaluation *e);

/* Ends its waits: ended still comes.  Thread: MAIN, before the worker is told to stop.
 * Blocks: no. */
void ltw_evaluation_cancel(struct ltw_evaluation *e);

#endif
