/* worker.h - a thread with an event loop that steps what it was given.
 *
 * The worker knows threads and sleeping, not Lua: what it runs is behind
 * struct tw_worker_ops.  While there is work it never touches a lock; when
 * there is none it does spare-time work, then sleeps until the tape, its
 * mailbox or its event loop has something.
 *
 * Layer host/run.
 */
#ifndef TW_WORKER_H
#define TW_WORKER_H

#include <uv.h>

#include "share/epoch.h"
#include "tape/tape.h"

struct tw_worker;

/* What a worker runs; each is called on the worker's own thread. */
struct tw_worker_ops {
    int (*open)(void *ctx);       /* negative: it can't run                     */
    bool (*step)(void *ctx);      /* a batch for each that can run; did any?    */
    bool (*ready)(void *ctx);     /* would step do something?                   */
    bool (*idle)(void *ctx);      /* spare time: a bit of tidying; is there more? */
    uint64_t (*quiet)(void *ctx); /* the seq up to which all is done, 0: not quiet */
    void (*close)(void *ctx);     /* also after an open that failed             */
};

struct tw_worker_options {
    const char *name;             /* of the thread; NULL: "tw-worker"          */
    unsigned index;               /* 0, 1, ...: goes into its name             */
    int nice;                     /* how far it stands back; 0: as its starter */
    bool pin;                     /* to the index-th processor we may use      */
    int64_t spin_ns;              /* how long to look before each sleep        */
    struct tw_tape *tape;         /* whose wakes it hears; may be NULL         */
    struct tw_epoch *epoch;       /* whose quiet points it passes; may be NULL */
    const struct tw_worker_ops *ops;
    void *ctx;
    void (*opened)(void *ctx);    /* called when open has returned; may be NULL */
    void (*rested)(void *ctx);    /* and when it goes to sleep; may be NULL     */
    void *told;                   /* ctx of these two                           */
};

/* Those that the calling thread may run on.  Thread: any.  Blocks: no. */
unsigned tw_worker_processors(void);

/* NULL, and errno: no memory, or no more files.  Thread: MAIN.  Blocks: no. */
struct tw_worker *tw_worker_new(const struct tw_worker_options *options) TW_ON(MAIN);

/* Starts the thread, which calls ops->open.  0 or libuv's code.
 * Thread: MAIN.  Blocks: no. */
int tw_worker_start(struct tw_worker *w) TW_ON(MAIN);

/* What ops->open returned; TW_EBUSY while it runs.
 * Thread: MAIN, after the start.  Blocks: a short lock. */
int tw_worker_opened(struct tw_worker *w) TW_ON(MAIN);

/* Calls fn(arg) on the worker, soon, in order of posting; never after its end.
 * UV_ENOMEM: not posted.  Thread: any, until tw_worker_join.  Blocks: a short lock. */
int tw_worker_post(struct tw_worker *w, void (*fn)(void *arg), void *arg);

/* The worker takes one more whole turn before it sleeps again, and is woken when
 * it sleeps.  It is not told why: what was done before this call, step sees.
 * Thread: any, until tw_worker_free.  Blocks: never.  Memory: none. */
void tw_worker_ring(struct tw_worker *w);

/* What it waits for is due within ns: it looks that long before its next sleep.
 * With one processor it sleeps, as looking would keep out who brings it.
 * Thread: WORKER, its own.  Blocks: no. */
void tw_worker_expect(struct tw_worker *w, int64_t ns);

/* Ends the loop after this turn.  Thread: WORKER, its own.  Blocks: no. */
void tw_worker_quit(struct tw_worker *w) TW_ON(WORKER);

/* Waits for the thread to end.  Thread: MAIN.  Blocks: until tw_worker_quit was
 * called and ops->close has returned. */
void tw_worker_join(struct tw_worker *w) TW_ON(MAIN);

/* Thread: MAIN, after tw_worker_join (or without a start).  w may be NULL. */
void tw_worker_free(struct tw_worker *w) TW_ON(MAIN);

/* Its event loop.  Thread: WORKER, its own. */
uv_loop_t *tw_worker_loop(struct tw_worker *w);

/* What ops->quiet said when it last went to sleep.  Thread: any. */
uint64_t tw_worker_quiet(const struct tw_worker *w);

/* The thread, to send it a signal.  Thread: MAIN, between start and join. */
uv_thread_t tw_worker_thread(const struct tw_worker *w);

/* CPU time that the thread has used, the final figure after it has ended.
 * Thread: MAIN.  Blocks: a short lock. */
int64_t tw_worker_cpu_ns(struct tw_worker *w);

#endif
