/* wait.h - telling a task on whatever thread that what it waits for may be there.
 *
 * A task has one waker.  To wait for something it puts a node into that thing's
 * list, under that thing's lock, and looks at the condition once more after it
 * has been told: a wake-up says "look", never "it is yours".
 *
 *   future's list:  node(A) node(B)          channel's list:  node(B)
 *                     |       |                                 |
 *                  waker A  waker B  <------------- the same waker
 *                     |       |
 *                  mailbox of thread 1, mailbox of thread 2
 *
 * Layer host/share.
 */
#ifndef TW_WAIT_H
#define TW_WAIT_H

#include <stdatomic.h>

#include "base/tw.h"

struct tw_waker;

/* Of a thread that runs tasks: which of them were told. */
struct tw_mailbox {
    _Atomic(struct tw_waker *) told;   /* atomic: any thread pushes, owner takes */
    void (*ring)(void *ctx);           /* constant; any thread may be calling it */
    void *ctx;                         /* constant                               */
};

struct tw_waker {
    struct tw_mailbox *box;            /* constant                               */
    struct tw_waker *next;             /* owner: who pushed it, then the box's   */
    atomic_bool told;                  /* atomic: in the box, or on its way      */
};

/* A place in a list of waiters; guarded by the lock of what is waited for. */
struct tw_wait {
    struct tw_wait *prev, *next;       /* NULL when it is in no list */
    struct tw_waker *waker;
    bool told;                         /* it was taken out of the list to be told */
};

struct tw_waiters { struct tw_wait *first, *last; };

/* Thread: the owner, before any other knows it.  Blocks: no. */
void tw_mailbox_init(struct tw_mailbox *box, void (*ring)(void *ctx), void *ctx);

/* Thread: the owner of box, before any other knows it.  Blocks: no. */
void tw_waker_init(struct tw_waker *w, struct tw_mailbox *box);

/* Puts w into its box, once until it is heard.  Whoever calls holds the lock
 * under which the task would leave the list, so w can't go meanwhile; one that
 * was told is in the box until it is heard, also when its task has left.
 * Thread: any.  Blocks: as ring does.  Memory: none. */
void tw_waker_fire(struct tw_waker *w);

/* All that were told since the last take, oldest first; each is to be heard.
 * Thread: the owner.  Blocks: never. */
struct tw_waker *tw_mailbox_take(struct tw_mailbox *box);

/* The one after w in what was taken.  From here on w can be told anew: look at
 * what it waits for after this.  Thread: the owner.  Blocks: never. */
struct tw_waker *tw_waker_heard(struct tw_waker *w);

/* A hint: nobody was told since the last take.  Thread: any.  Blocks: never. */
bool tw_mailbox_is_empty(const struct tw_mailbox *box);

/* The lists: who waits longest is first.  One that was told in vain goes back in
 * front; removing is safe twice.
 * Thread: any, under the list's lock.  Blocks: no.  Memory: none. */
void tw_waiters_add_held(struct tw_waiters *list, struct tw_wait *node);
void tw_waiters_return_held(struct tw_waiters *list, struct tw_wait *node);
bool tw_waiters_remove_held(struct tw_waiters *list, struct tw_wait *node);
bool tw_waiters_tell_first_held(struct tw_waiters *list);   /* false: nobody waits */
void tw_waiters_tell_all_held(struct tw_waiters *list);

#endif
