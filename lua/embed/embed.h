/* embed.h - a host in a program: what embed.c, embed_call.c and embed_tape.c share.
 *
 * Layer lua.  Thread: see tidewire.h.
 */
#ifndef LTW_EMBED_H
#define LTW_EMBED_H

#include <pthread.h>

#include "run/app.h"
#include "share/wait.h"

enum ltw_phase { LTW_NEW, LTW_LOADED, LTW_RUNNING, LTW_OVER };

/* Who wants the messages of a topic. */
struct ltw_subscription {
    struct ltw_subscription *next;
    const char *topic;                /* NULL: of all; behind the struct */
    void (*f)(void *ctx, const struct tw_record *record, const char *topic,
              const struct tw_item *value);
    void *ctx;
};

struct tw_host {
    struct tw_host_options o;         /* constant                               */
    struct ltw_embedder embedder;     /* constant after tw_host_load            */
    struct tw_app *app;               /* constant after tw_host_load            */
    atomic_int phase;                 /* atomic: under lock, all load           */
    bool threaded;                    /* owner: who started it                  */
    pthread_t thread;                 /* likewise                               */
    pthread_mutex_t lock;
    pthread_cond_t changed;           /* of phase; of records, for cursors      */
    bool running;                     /* mutex: somebody has begun to run it    */
    int status;                       /* mutex: of the run, once it is over     */
    struct tw_error error;            /* mutex: the first that was logged       */
    uint64_t wakes;                   /* mutex: of the tape, for cursors        */
    unsigned cursors;                 /* mutex: that are open                   */
    atomic_uint futures;              /* atomic: that the program has           */
    struct ltw_then *thens;           /* mutex: see embed_call.c                */
    struct tw_host_cursor *spare;     /* mutex: cursors that were closed        */
    struct tw_waiter sleepers;        /* of cursors, see embed_tape.c           */
    struct ltw_subscription *subscriptions;   /* constant while it runs         */
    struct tw_waiter listener;        /* the host's thread, for subscriptions   */
    struct tw_cursor messages;        /* owner: the host's thread               */
    struct tw_epoch_reader *reader;   /* owner: the host's thread               */
    struct tw_mailbox box;            /* of thens                               */
};

/* Thread: any.  Blocks: never. */
enum ltw_phase ltw_phase(const struct tw_host *host);

/* 0 while it runs; TW_EBUSY before, TW_ESTOPPED after.  Thread: any. */
int ltw_check_running(const struct tw_host *host);

/* Likewise, and *error says which.  Thread: any. */
int ltw_expect_running(const struct tw_host *host, struct tw_error *error);

/* When a wait of that many seconds ends on the steady clock; below 0: never.
 * Thread: any. */
int64_t ltw_until_ns(double seconds);

/* Waits for host->changed, until then at most: false: it is over.
 * Thread: any, with the lock held. */
bool ltw_wait_held(struct tw_host *host, int64_t until_ns);

/* Is this a thread of some host?  It must not wait.  Thread: any. */
static inline bool ltw_is_hosts(void)
{
    return tw_role_now != 0;
}

/* Has a worker call a function.  *out, the caller's, is held and wanted.  Thread: any. */
int ltw_post_call(struct tw_host *host, unsigned worker, const char *function,
                  const struct tw_item *args, unsigned n, struct tw_future **out);

/* What embed_call.c and embed_tape.c do as the host is loaded, is rung, and is freed.
 * Thread: the host's, or who loads or frees it. */
int ltw_tape_load(struct tw_host *host) TW_ON(MAIN);
bool ltw_tape_look(struct tw_host *host) TW_ON(MAIN);   /* true: there is more */
void ltw_tape_free(struct tw_host *host) TW_ON(MAIN);
void ltw_call_load(struct tw_host *host);
void ltw_call_look(struct tw_host *host);
void ltw_call_free(struct tw_host *host);

#endif
