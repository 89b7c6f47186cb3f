/* hashed.h - a hash table of objects that have their link in it inside.
 *
 *   struct order { uint64_t id; struct tw_hashed_link hashed; };
 *
 *   for (struct tw_hashed_link *l = tw_hashed_first(t, hash); l; l = tw_hashed_next(l))
 *       if (TW_HASHED(l, struct order, hashed)->id == id) ...
 *
 * The table allocates its lists alone.  It grows with what is in it; without memory its
 * lists grow longer instead, so adding can't fail.
 *
 * Layer host/base.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_HASHED_H
#define TW_HASHED_H

#include <stddef.h>

#include "base/tw.h"

struct tw_hashed_link { struct tw_hashed_link *next; uint64_t hash; };

struct tw_hashed {
    struct tw_hashed_link **lists;
    size_t n, n_lists;             /* n_lists: a power of two                        */
};

#define TW_HASHED(link, type, member) \
    ((type *)(void *)((char *)(link) - offsetof(type, member)))

/* UV_ENOMEM.  fini: each object is given to end, which may free it; NULL: none is. */
int tw_hashed_init(struct tw_hashed *t);
void tw_hashed_fini(struct tw_hashed *t, void (*end)(struct tw_hashed_link *l, void *ctx),
                    void *ctx);

/* The hash's low bits choose the list.  remove: one that is in it. */
void tw_hashed_add(struct tw_hashed *t, struct tw_hashed_link *l, uint64_t hash);
void tw_hashed_remove(struct tw_hashed *t, struct tw_hashed_link *l);

/* Of ids, which may be next to each other. */
static inline uint64_t tw_hash_id(uint64_t id)
{
    id *= UINT64_C(0x9e3779b97f4a7c15);
    return id ^ id >> 32;
}

/* Those of that hash, in no order; NULL: no more. */
static inline struct tw_hashed_link *tw_hashed_same(struct tw_hashed_link *l,
                                                    uint64_t hash)
{
    while (l && l->hash != hash) l = l->next;
    return l;
}

static inline struct tw_hashed_link *tw_hashed_first(const struct tw_hashed *t,
                                                     uint64_t hash)
{
    return tw_hashed_same(t->lists[hash & (t->n_lists - 1)], hash);
}

static inline struct tw_hashed_link *tw_hashed_next(const struct tw_hashed_link *l)
{
    return tw_hashed_same(l->next, l->hash);
}

/* FNV-1a: what h becomes with n bytes more; TW_HASH is that of none. */
#define TW_HASH UINT64_C(0xcbf29ce484222325)
static inline uint64_t tw_hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    while (n-- > 0) h = (h ^ *p++) * UINT64_C(0x100000001b3);
    return h;
}

#endif
