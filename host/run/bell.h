/* bell.h - wakes the thread of an event loop, and only when it sleeps.
 *
 * Layer host/run.
 */
#ifndef TW_BELL_H
#define TW_BELL_H

#include <stdatomic.h>
#include <uv.h>

#include "base/tw.h"

struct tw_bell {
    _Alignas(TW_CACHELINE) _Atomic int state;   /* atomic: any thread   */
    int fd;                                     /* constant; -1: closed */
    uv_poll_t ear;                              /* owner: the loop's    */
};

/* 0, or libuv's code.  The caller closes it in either case; on memory of zeros,
 * too.  Thread: the loop's.  Blocks: no. */
int tw_bell_open(struct tw_bell *b, uv_loop_t *loop);

/* The loop has closed b->ear, or is closing it.  Thread: the loop's, when nobody
 * rings any more.  Blocks: no. */
void tw_bell_close(struct tw_bell *b);

/* The owner takes one more look at what there is to do before it sleeps again,
 * and is woken when it sleeps.  Thread: any; signal handlers.  Blocks: never. */
void tw_bell_ring(struct tw_bell *b);

/* It was rung since tw_bell_wake: a hint.  Thread: the loop's.  Blocks: never. */
bool tw_bell_is_rung(const struct tw_bell *b);

/* Before uv_run: from here on who rings finds a sleeper; false: it was rung, look
 * again.  After it, and before looking: what was done before a ring is visible.
 * Thread: the loop's.  Blocks: never. */
bool tw_bell_sleep(struct tw_bell *b);
void tw_bell_wake(struct tw_bell *b);

#endif
