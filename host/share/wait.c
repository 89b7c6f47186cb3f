/* wait.c - telling a task on whatever thread that what it waits for may be there.
 *
 * Invariants
 *   W1  A waker is in its box at most once: who sets told pushes it.
 *   W2  The owner clears told before it looks at the condition, so a change
 *       after that look finds told clear and pushes again.
 *   W3  ring is called after a push into an empty box: the owner sleeps only
 *       when it has found the box empty and can hear the ring.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/wait.h"

void tw_mailbox_init(struct tw_mailbox *box, void (*ring)(void *ctx), void *ctx)
{
    atomic_init(&box->told, NULL);
    box->ring = ring;
    box->ctx = ctx;
}

void tw_waker_init(struct tw_waker *w, struct tw_mailbox *box)
{
    w->box = box;
    w->next = NULL;
    atomic_init(&w->told, false);
}

void tw_waker_fire(struct tw_waker *w)
{
    struct tw_mailbox *box = w->box;
    struct tw_waker *first;

    /* order [wait.told] acq_rel: what was changed for the task comes before (W2) */
    if (atomic_exchange_explicit(&w->told, true, memory_order_acq_rel)) return;   /* W1 */
    /* order [wait.box] relaxed: the exchange below orders */
    first = atomic_load_explicit(&box->told, memory_order_relaxed);
    do
        w->next = first;
    /* order [wait.box] release: next stands before the owner sees w */
    while (!atomic_compare_exchange_weak_explicit(&box->told, &first, w,
                                                  memory_order_release,
                                                  memory_order_relaxed));
    if (!first) box->ring(box->ctx);   /* W3 */
}

struct tw_waker *tw_mailbox_take(struct tw_mailbox *box)
{
    struct tw_waker *list = NULL, *w, *next;

    /* order [wait.box] acquire: next of each */
    w = atomic_exchange_explicit(&box->told, NULL, memory_order_acquire);
    for (; w; w = next) {   /* the newest was first */
        next = w->next;
        w->next = list;
        list = w;
    }
    return list;
}

struct tw_waker *tw_waker_heard(struct tw_waker *w)
{
    struct tw_waker *next = w->next;   /* before another can push w again */

    /* order [wait.told] acq_rel: all that was changed for the task, also by who
     * found told set and left it at that (W2) */
    atomic_exchange_explicit(&w->told, false, memory_order_acq_rel);
    return next;
}

bool tw_mailbox_is_empty(const struct tw_mailbox *box)
{
    /* order [wait.box] relaxed: a hint; a push after it rings */
    return !atomic_load_explicit(&box->told, memory_order_relaxed);
}

/* Puts node behind `prev`, or in front. */
static void insert(struct tw_waiters *list, struct tw_wait *prev, struct tw_wait *node)
{
    struct tw_wait *next = prev ? prev->next : list->first;

    assert(!node->prev && !node->next && list->first != node);
    node->told = false;
    node->prev = prev;
    node->next = next;
    *(prev ? &prev->next : &list->first) = node;
    *(next ? &next->prev : &list->last) = node;
}

void tw_waiters_add_held(struct tw_waiters *list, struct tw_wait *node)
{
    insert(list, list->last, node);
}

void tw_waiters_return_held(struct tw_waiters *list, struct tw_wait *node)
{
    insert(list, NULL, node);
}

bool tw_waiters_remove_held(struct tw_waiters *list, struct tw_wait *node)
{
    if (!node->prev && !node->next && list->first != node) return false;
    *(node->prev ? &node->prev->next : &list->first) = node->next;
    *(node->next ? &node->next->prev : &list->last) = node->prev;
    node->prev = node->next = NULL;
    return true;
}

bool tw_waiters_tell_first_held(struct tw_waiters *list)
{
    struct tw_wait *node = list->first;

    if (!node) return false;
    tw_waiters_remove_held(list, node);
    node->told = true;
    tw_waker_fire(node->waker);
    return true;
}

void tw_waiters_tell_all_held(struct tw_waiters *list)
{
    while (tw_waiters_tell_first_held(list)) {
    }
}
