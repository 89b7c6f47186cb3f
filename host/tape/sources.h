/* sources.h - the names of the feeds, by the id that records have.
 *
 * Why: a prompt adds feeds while scripts compare names with these, without a lock.
 *
 * Layer host/tape.
 */
#ifndef TW_SOURCES_H
#define TW_SOURCES_H

#include <stdatomic.h>
#include <string.h>

#include "tidewire.h"

/* The feed that a venue of the run is: what its scripts did to each other. */
#define TW_BOOK "book"

/* 1 and up; 0 is no feed. */
struct tw_sources {
    _Atomic(const char *) names[TW_SOURCE_MAX + 1];   /* atomic: MAIN stores, all load */
};

/* name is kept: it must outlive the sources.  Thread: MAIN.  Blocks: never. */
static inline void tw_sources_set(struct tw_sources *s, unsigned id, const char *name)
{
    /* order [sources.name] release: the text is complete before it is found */
    atomic_store_explicit(&s->names[id], name, memory_order_release);
}

/* "?": there is none.  Thread: any.  Blocks: never. */
static inline const char *tw_sources_name(const struct tw_sources *s, unsigned id)
{
    /* order [sources.name] acquire: what the pointer leads to is complete */
    const char *name = atomic_load_explicit(&s->names[id], memory_order_acquire);

    return name ? name : "?";
}

/* The id of a name, or 0.  Thread: any.  Blocks: never. */
static inline unsigned tw_sources_find(const struct tw_sources *s, const char *text)
{
    for (unsigned id = 1; id <= TW_SOURCE_MAX; id++) {
        /* order [sources.name] acquire: what the pointer leads to is complete */
        const char *name = atomic_load_explicit(&s->names[id], memory_order_acquire);

        if (name && strcmp(name, text) == 0) return id;
    }
    return 0;
}

#endif
