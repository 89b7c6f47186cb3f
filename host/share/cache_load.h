/* cache_load.h - the load of a key of a cache: the ticket of whoever runs it.
 *
 *     tw_cache_get(c, &key, &call, &answer, &error);
 *     if (answer.load) {
 *         if (!tw_load_on_abandoned(answer.load, stop, job_unref, job)) ...
 *         compute, on whatever thread; then once, and on every path:
 *         tw_load_done, tw_load_unchanged, tw_load_fail or tw_load_drop
 *         tw_load_unref(answer.load);
 *     }
 *
 * Layer host/share.
 */
#ifndef TW_CACHE_LOAD_H
#define TW_CACHE_LOAD_H

#include "share/cache.h"

/* The last unref drops a load that has not ended, so that no key is ever stuck.
 * Thread: any.  Blocks: as tw_load_drop does. */
void tw_load_ref(struct tw_load *load);
void tw_load_unref(struct tw_load *load);

/* Borrowed, for as long as the load; old is what was there before and may now be
 * over, or nil.  Thread: any.  Blocks: never. */
const struct tw_any *tw_load_key(const struct tw_load *load);
const struct tw_any *tw_load_old(const struct tw_load *load);
struct tw_cache *tw_load_cache(const struct tw_load *load);

/* stop(ctx) is called, at most once and with no lock held, when the last one who
 * wanted the value has left; done(ctx), which may be NULL, when it can't be called
 * any more.  False: all have left already, nothing is called, and the load is to be
 * dropped.  Thread: who was given the load, once, before it ends. */
bool tw_load_on_abandoned(struct tw_load *load, void (*stop)(void *ctx),
                          void (*done)(void *ctx), void *ctx);

/* Whoever runs it tells of its failure in another way.  Thread: any, before its end. */
void tw_load_saw(struct tw_load *load);

/* The end: the first call counts and gives true; later ones only let go what they
 * were given.  The reference in value or error passes to the load.  The entry is
 * as it will be before those who wait are told.
 *   done       gives a value; terms may be NULL.
 *   unchanged  the old value is valid again, with its tags and dependencies; without
 *              an old value the load fails.
 *   fail       those who wait are given the error, or the old value while
 *              stale_error_ns lasts.
 *   drop       the same of one that was stopped or gave nothing; the failure is
 *              never kept.
 * Thread: any.  Blocks: short locks.  Memory: without memory for its terms the value
 * is given to those who wait, and not kept. */
bool tw_load_done(struct tw_load *load, struct tw_any value,
                  const struct tw_cache_terms *terms);
bool tw_load_unchanged(struct tw_load *load, const struct tw_cache_terms *terms);
bool tw_load_fail(struct tw_load *load, struct tw_any error);
bool tw_load_drop(struct tw_load *load, struct tw_any error);

#endif
