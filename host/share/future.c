/* future.c - a frozen value to be, or an error: settled once, awaited anywhere.
 *
 * Invariants
 *   F1  state leaves TW_PENDING once; value stands before and never changes.
 *   F2  All who are in the list when it is settled are told; later ones are
 *       refused.
 *   F3  stop is called at most once, by whoever cancelled it as the last one.
 *   F4  A failure that nobody saw is told once, when the last reference goes; also
 *       when several futures failed with the one error.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/future.h"

#include <pthread.h>

#include "base/memory.h"

struct tw_future {
    struct tw_object object;
    _Atomic int state;                /* atomic: F1; stored under lock, all load */
    atomic_bool seen;                 /* atomic: any thread                      */
    struct tw_any value;              /* constant once state says so             */
    const struct tw_unseen *unseen;   /* constant                                */
    void (*stop)(void *ctx);          /* constant once shared                    */
    void *ctx;                        /* constant once shared                    */
    pthread_mutex_t lock;
    unsigned wanted, waiting;         /* mutex: under lock                       */
    struct tw_waiters waiters;        /* mutex: under lock                       */
};

static void future_free(struct tw_object *o)
{
    struct tw_future *f = (struct tw_future *)o;

    /* order [future.state] relaxed: the last reference has nobody beside it */
    int state = atomic_load_explicit(&f->state, memory_order_relaxed);

    assert(!f->waiters.first);
    /* order [future.seen] relaxed: the last unref came after every look */
    if (state == TW_FAILED && !atomic_load_explicit(&f->seen, memory_order_relaxed)
        && f->unseen && !tw_any_saw(&f->value))
        f->unseen->tell(f->unseen->ctx, &f->value);   /* F4 */
    tw_any_unref(&f->value);
    pthread_mutex_destroy(&f->lock);
    tw_free(f);
}

const struct tw_object_type tw_future_type = { "tw.future", future_free };

struct tw_future *tw_future_new(const struct tw_unseen *unseen)
{
    struct tw_future *f = tw_calloc(1, sizeof *f);

    if (!f) return NULL;
    tw_object_init(&f->object, &tw_future_type);
    atomic_init(&f->state, TW_PENDING);
    f->unseen = unseen;
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

struct tw_object *tw_future_object(struct tw_future *f)
{
    return &f->object;
}

void tw_future_ref(struct tw_future *f)
{
    tw_object_ref(&f->object);
}

void tw_future_unref(struct tw_future *f)
{
    tw_object_unref(&f->object);
}

static bool is_pending(const struct tw_future *f)
{
    /* order [future.state] acquire: the value stands */
    return atomic_load_explicit(&f->state, memory_order_acquire) == TW_PENDING;
}

/* value is the future's when it returns true. */
static bool settle_held(struct tw_future *f, enum tw_future_state state,
                        struct tw_any value)
{
    if (!is_pending(f)) return false;
    f->value = value;
    /* order [future.state] release: F1, the value stands before */
    atomic_store_explicit(&f->state, state, memory_order_release);
    tw_waiters_tell_all_held(&f->waiters);   /* F2 */
    return true;
}

static bool settle(struct tw_future *f, enum tw_future_state state, struct tw_any value)
{
    bool did;

    pthread_mutex_lock(&f->lock);
    did = settle_held(f, state, value);
    pthread_mutex_unlock(&f->lock);
    if (!did) tw_any_unref(&value);
    return did;
}

bool tw_future_resolve(struct tw_future *f, struct tw_any value)
{
    return settle(f, TW_RESOLVED, value);
}

bool tw_future_fail(struct tw_future *f, struct tw_any error)
{
    return settle(f, TW_FAILED, error);
}

bool tw_future_cancel(struct tw_future *f)
{
    return settle(f, TW_CANCELLED, (struct tw_any){ .kind = TW_VALUE_NIL });
}

void tw_future_on_abandoned(struct tw_future *f, void (*stop)(void *ctx), void *ctx)
{
    f->stop = stop;
    f->ctx = ctx;
}

bool tw_future_want(struct tw_future *f)
{
    bool fine;

    pthread_mutex_lock(&f->lock);
    /* order [future.state] relaxed: stored under this lock */
    fine = atomic_load_explicit(&f->state, memory_order_relaxed) != TW_CANCELLED;
    f->wanted += fine;
    pthread_mutex_unlock(&f->lock);
    return fine;
}

void tw_future_hold(const struct tw_future *f)
{
    if (!f->unseen || !f->unseen->held) return;
    /* order [future.held] relaxed: read when no other thread uses the host */
    atomic_fetch_add_explicit(f->unseen->held, 1, memory_order_relaxed);
}

void tw_future_release(const struct tw_future *f)
{
    if (!f->unseen || !f->unseen->held) return;
    /* order [future.held] relaxed: read when no other thread uses the host */
    atomic_fetch_sub_explicit(f->unseen->held, 1, memory_order_relaxed);
}

void tw_future_unwant(struct tw_future *f)
{
    bool last;

    pthread_mutex_lock(&f->lock);
    assert(f->wanted > 0);
    last = --f->wanted == 0
        && settle_held(f, TW_CANCELLED, (struct tw_any){ .kind = TW_VALUE_NIL });
    pthread_mutex_unlock(&f->lock);
    if (last && f->stop) f->stop(f->ctx);   /* F3 */
}

void tw_future_forget(struct tw_future *f)
{
    pthread_mutex_lock(&f->lock);
    assert(f->wanted > 0);
    f->wanted--;
    pthread_mutex_unlock(&f->lock);
}

enum tw_future_state tw_future_peek(const struct tw_future *f, struct tw_any *out)
{
    /* order [future.state] acquire: the value stands (F1) */
    int state = atomic_load_explicit(&f->state, memory_order_acquire);

    if (out)
        *out = state == TW_PENDING ? (struct tw_any){ .kind = TW_VALUE_NIL } : f->value;
    return (enum tw_future_state)state;
}

void tw_future_saw(struct tw_future *f)
{
    /* order [future.seen] relaxed: the last unref orders it before F4 */
    atomic_store_explicit(&f->seen, true, memory_order_relaxed);
    /* order [future.state] acquire: the value stands (F1) */
    if (atomic_load_explicit(&f->state, memory_order_acquire) == TW_FAILED)
        tw_any_saw(&f->value);
}

bool tw_future_wait(struct tw_future *f, struct tw_wait *node)
{
    bool waits;

    pthread_mutex_lock(&f->lock);
    waits = is_pending(f);
    if (waits) {
        tw_waiters_add_held(&f->waiters, node);
        f->waiting++;
    }
    pthread_mutex_unlock(&f->lock);
    return waits;
}

void tw_future_leave(struct tw_future *f, struct tw_wait *node)
{
    pthread_mutex_lock(&f->lock);
    f->waiting -= tw_waiters_remove_held(&f->waiters, node);
    node->told = false;   /* it may wait for something else next */
    pthread_mutex_unlock(&f->lock);
}

unsigned tw_future_waiting(struct tw_future *f)
{
    unsigned n;

    pthread_mutex_lock(&f->lock);
    n = is_pending(f) ? f->waiting : 0;
    pthread_mutex_unlock(&f->lock);
    return n;
}

void tw_future_each_waiting(struct tw_future *f,
                            void (*look)(void *ctx, const struct tw_waker *w), void *ctx)
{
    pthread_mutex_lock(&f->lock);
    for (const struct tw_wait *w = f->waiters.first; w; w = w->next) look(ctx, w->waker);
    pthread_mutex_unlock(&f->lock);
}
