/* channel.h - a bounded queue of values between tasks of any threads.
 *
 * Values come out in the order in which they went in, each to one receiver.  A
 * task waits as for everything (see wait.h): it puts a node into the channel,
 * and tries again when it was told.
 *
 *     while ((rc = tw_channel_try_recv(c, &v)) == TW_EEMPTY)
 *         if (tw_channel_wait_recv(c, &node)) sleep until told, or give up;
 *     tw_channel_leave(c, &node, TW_RECEIVERS);
 *
 * To wait for several channels at once, each is given a node of its own; the
 * nodes share the task's waker.
 *
 * Layer host/share.
 */
#ifndef TW_CHANNEL_H
#define TW_CHANNEL_H

#include "share/object.h"
#include "share/value.h"
#include "share/wait.h"

enum { TW_CHANNEL_MAX = 1 << 20 };   /* the largest capacity */

/* What becomes of a value that is sent to a full channel. */
enum tw_when_full {
    TW_WHEN_FULL_WAIT,          /* TW_EFULL: its sender may wait for room     */
    TW_WHEN_FULL_DROP_OLDEST,   /* the oldest value gives way to it           */
    TW_WHEN_FULL_LATEST,        /* the same; and full or not, it replaces the
                                   value of the same key, in its place        */
    TW_WHEN_FULL_ERROR          /* TW_EFULL: its sender is not to wait        */
};

enum tw_channel_side { TW_RECEIVERS, TW_SENDERS };

struct tw_channel_stats {
    uint32_t capacity, depth;     /* values that fit, and that are in it    */
    uint32_t high_water;          /* the largest depth ever                 */
    uint32_t receivers, senders;  /* that wait and were not told yet        */
    uint64_t sent;                /* received + dropped + replaced + depth  */
    uint64_t received, dropped, replaced;
    bool closed;
};

struct tw_channel;
extern const struct tw_object_type tw_channel_type;   /* "tw.channel" */

/* With one reference.  capacity is 1 to TW_CHANNEL_MAX: there is no channel of
 * 0, where a send lasts until it is received, for a receiver that was told may
 * still go without its value.  name is copied and may be NULL.
 * NULL: no memory; all that the channel will ever take is taken here.  One that
 * is queued in itself is never freed.  Thread: any.  Blocks: no. */
struct tw_channel *tw_channel_new(uint32_t capacity, enum tw_when_full when_full,
                                  const char *name);

/* A TW_WHEN_FULL_LATEST channel whose senders take the key from that field of
 * the value; the name of the field is copied.  Thread: any.  Blocks: no. */
struct tw_channel *tw_channel_new_keyed(uint32_t capacity, const char *field,
                                        const char *name);
struct tw_object *tw_channel_object(struct tw_channel *c);
void tw_channel_ref(struct tw_channel *c);
void tw_channel_unref(struct tw_channel *c);

/* Constant; what it was not given is NULL.  Thread: any.  Blocks: never. */
enum tw_when_full tw_channel_when_full(const struct tw_channel *c);
const char *tw_channel_field(const struct tw_channel *c);
const char *tw_channel_name(const struct tw_channel *c);

/* 0: the reference in value is the channel's; TW_EFULL or TW_ECLOSED: it is
 * still the caller's.  key counts for TW_WHEN_FULL_LATEST alone, by value, and
 * NULL is nil; the channel takes its own reference to it.
 * Thread: any.  Blocks: a short lock; under it keys are compared whose hashes
 * are equal.  Memory: none, but what tw_any_equal takes for a large key. */
int tw_channel_try_send(struct tw_channel *c, const struct tw_any *key,
                        struct tw_any value);

/* 0: the oldest value is *out, with its reference; TW_EEMPTY, or TW_ECLOSED when
 * it is closed as well.  Thread: any.  Blocks: a short lock.  Memory: none. */
int tw_channel_try_recv(struct tw_channel *c, struct tw_any *out);

/* Nothing goes in any more; what is in it may still be received.  All who wait
 * are told.  Safe twice.  Thread: any.  Blocks: a short lock. */
void tw_channel_close(struct tw_channel *c);

/* Puts node among the waiters; false when there is nothing to wait for: try
 * again.  A sender waits only where the channel is TW_WHEN_FULL_WAIT.  One that
 * was told and tried in vain keeps its place in the line; one that comes back
 * without having been told goes to its end.
 * Thread: any.  Blocks: a short lock.  Memory: none. */
bool tw_channel_wait_recv(struct tw_channel *c, struct tw_wait *node);
bool tw_channel_wait_send(struct tw_channel *c, struct tw_wait *node);

/* The wait is over, whatever came of it: to be called at once after the last
 * try.  Where node was told of something that is still there, the next one is
 * told.  Safe twice, also for a node that never waited.
 * Thread: any.  Blocks: a short lock. */
void tw_channel_leave(struct tw_channel *c, struct tw_wait *node,
                      enum tw_channel_side side);

/* Thread: any.  Blocks: a short lock. */
void tw_channel_stats(struct tw_channel *c, struct tw_channel_stats *out);

#endif
