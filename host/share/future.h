/* future.h - a frozen value to be, or an error: settled once, awaited anywhere.
 *
 * It counts who wants it.  One who leaves never harms another; when the last one
 * leaves, the work behind it is told to stop.
 *
 * Layer host/share.
 */
#ifndef TW_FUTURE_H
#define TW_FUTURE_H

#include "share/object.h"
#include "share/value.h"
#include "share/wait.h"

enum tw_future_state { TW_PENDING, TW_RESOLVED, TW_FAILED, TW_CANCELLED };

struct tw_future;
extern const struct tw_object_type tw_future_type;   /* "tw.future" */

/* Where the failures of all futures go that nobody looked at; it outlives them. */
struct tw_unseen {
    void (*tell)(void *ctx, const struct tw_any *error);   /* constant; any thread */
    void *ctx;                                             /* constant             */
    atomic_uint *held;        /* constant: how many a program has; or NULL */
};

/* Pending, with one reference, and wanted by nobody yet.  NULL: no memory.
 * unseen may be NULL.  Thread: any.  Blocks: no. */
struct tw_future *tw_future_new(const struct tw_unseen *unseen);
struct tw_object *tw_future_object(struct tw_future *f);
void tw_future_ref(struct tw_future *f);
void tw_future_unref(struct tw_future *f);

/* Settles it and tells all who wait.  The reference in value or error passes to
 * the future, also when it was settled before: then false.
 * Thread: any.  Blocks: a short lock. */
bool tw_future_resolve(struct tw_future *f, struct tw_any value);
bool tw_future_fail(struct tw_future *f, struct tw_any error);
bool tw_future_cancel(struct tw_future *f);

/* stop(ctx) is called, at most once and with no lock held, when the last one who
 * wanted it has left; the future is cancelled already.  Thread: the maker, before
 * any other knows f. */
void tw_future_on_abandoned(struct tw_future *f, void (*stop)(void *ctx), void *ctx);

/* One more who wants it; false: it is cancelled.  One less: the last one cancels
 * it.  Of a settled future neither counts.  Thread: any.  Blocks: a short lock. */
bool tw_future_want(struct tw_future *f);
void tw_future_unwant(struct tw_future *f);

/* A program has one more of them, or one less.  Thread: any, who has a reference. */
void tw_future_hold(const struct tw_future *f);
void tw_future_release(const struct tw_future *f);

/* One less, who has lost sight of it rather than left: the work goes on, though
 * nobody is there to see the result.  Thread: any.  Blocks: a short lock. */
void tw_future_forget(struct tw_future *f);

/* How it stands; the value or error is borrowed: it lives as long as f.
 * Thread: any.  Blocks: never. */
enum tw_future_state tw_future_peek(const struct tw_future *f, struct tw_any *out);

/* Its failure has come to somebody's attention, and so has that of all that failed with
 * the same error.  Thread: any.  Blocks: never. */
void tw_future_saw(struct tw_future *f);

/* Puts node among the waiters, false when it is settled.  Leaving is safe twice.
 * Thread: any.  Blocks: a short lock. */
bool tw_future_wait(struct tw_future *f, struct tw_wait *node);
void tw_future_leave(struct tw_future *f, struct tw_wait *node);

/* How many tasks wait for it now.  Thread: any.  Blocks: a short lock. */
unsigned tw_future_waiting(struct tw_future *f);

/* Calls look for each of them, under the future's lock: it takes no other.
 * Thread: any.  Blocks: a short lock. */
void tw_future_each_waiting(struct tw_future *f,
                            void (*look)(void *ctx, const struct tw_waker *w), void *ctx);

#endif
