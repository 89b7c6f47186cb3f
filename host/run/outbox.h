/* outbox.h - a bounded queue of messages from any thread to the one that sends them.
 *
 * Layer host/run.
 */
#ifndef TW_OUTBOX_H
#define TW_OUTBOX_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/tw.h"

struct tw_outbox {
    char *bytes;                               /* constant; a ring                     */
    uint64_t room;                             /* constant; of it, a power of two      */
    pthread_mutex_t lock;
    uint64_t count;                            /* mutex: messages put so far           */
    bool closed;                               /* mutex                                */
    _Alignas(TW_CACHELINE) _Atomic uint64_t end;      /* atomic: under lock, all load  */
    _Alignas(TW_CACHELINE) _Atomic uint64_t first;    /* atomic: the owner, all load   */
};

/* Room for at least so many bytes; pages take memory when they are reached.
 * UV_ENOMEM: fini is not to be called.  Thread: any.  Blocks: no. */
int tw_outbox_init(struct tw_outbox *o, size_t bytes);
void tw_outbox_fini(struct tw_outbox *o);

/* Nothing goes in any more.  Thread: any.  Blocks: a short lock. */
void tw_outbox_close(struct tw_outbox *o);

/* One that is closed and empty gives its memory back.  Thread: the owner's. */
void tw_outbox_shed(struct tw_outbox *o);

/* Copies a head and a body, next to each other.  The number of the message, 1, 2, ...;
 * TW_EFULL; TW_ELIMIT: it never has room; TW_ECLOSED.
 * Thread: any.  Blocks: a short lock.  Memory: none. */
int64_t tw_outbox_put(struct tw_outbox *o, const void *head, size_t head_n,
                      const void *body, size_t body_n);

/* The oldest message, aligned to 8 bytes; it stands until it is dropped.  NULL: there
 * is none.  Thread: the owner's.  Blocks: never. */
const char *tw_outbox_first(struct tw_outbox *o, size_t *n);
void tw_outbox_drop(struct tw_outbox *o);

/* Bytes that wait.  Thread: any.  Blocks: never. */
size_t tw_outbox_bytes(const struct tw_outbox *o);

#endif
