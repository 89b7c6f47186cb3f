/* caches.h - the caches of a host, by name.
 *
 * Layer host/share.
 */
#ifndef TW_CACHES_H
#define TW_CACHES_H

#include "share/cache.h"

struct tw_caches;

/* tape, which all caches watch, and unseen may be NULL; both outlive it.  NULL: no
 * memory.  Thread: any.  Blocks: no. */
struct tw_caches *tw_caches_new(struct tw_tape *tape, const struct tw_unseen *unseen);

/* Empties every cache and lets it go; one that is still held elsewhere stays, and
 * is empty.  Thread: any, when no other opens one.  Blocks: as
 * tw_cache_invalidate_all.  r may be NULL. */
void tw_caches_free(struct tw_caches *r);

/* The cache of options->name, with one reference for the caller; made when it is
 * new.  TW_EUSAGE: it is open with other options, and the text names one of them,
 * or the options make no sense; TW_ELIMIT: too many; UV_ENOMEM.
 * Thread: any.  Blocks: a short lock, under which a new one is made. */
int tw_caches_open(struct tw_caches *r, const struct tw_cache_options *options,
                   struct tw_cache **out, struct tw_error *error);

/* The cache of a name, with one reference, or NULL.
 * Thread: any.  Blocks: a short lock. */
struct tw_cache *tw_caches_find(struct tw_caches *r, const char *name);

/* The i-th cache, in the order they came, with one reference; NULL: no more.
 * Thread: any.  Blocks: a short lock. */
struct tw_cache *tw_caches_at(struct tw_caches *r, size_t i);

/* tw_cache_advance of each: true when there is more to do.
 * Thread: any.  Blocks: as that does. */
bool tw_caches_advance(struct tw_caches *r);

#endif
