/* hashed.c - a hash table of objects that have their link in it inside. */
#include "base/hashed.h"

#include <uv.h>

#include "base/memory.h"

enum { LISTS_AT_FIRST = 64 };

int tw_hashed_init(struct tw_hashed *t)
{
    *t = (struct tw_hashed){ .n_lists = LISTS_AT_FIRST };
    t->lists = tw_calloc(t->n_lists, sizeof *t->lists);
    return t->lists ? TW_OK : UV_ENOMEM;
}

void tw_hashed_fini(struct tw_hashed *t, void (*end)(struct tw_hashed_link *l, void *ctx),
                    void *ctx)
{
    for (size_t i = 0; end && t->lists && i < t->n_lists; i++)
        for (struct tw_hashed_link *l = t->lists[i], *next; l; l = next) {
            next = l->next;
            end(l, ctx);
        }
    tw_free(t->lists);
    *t = (struct tw_hashed){ 0 };
}

static void link_in(struct tw_hashed *t, struct tw_hashed_link *l)
{
    struct tw_hashed_link **at = &t->lists[l->hash & (t->n_lists - 1)];

    l->next = *at;
    *at = l;
}

static void widen(struct tw_hashed *t)
{
    size_t n = t->n_lists;
    struct tw_hashed_link **old = t->lists, **wide = tw_calloc(2 * n, sizeof *wide);

    if (!wide) return;
    t->lists = wide;
    t->n_lists = 2 * n;
    for (size_t i = 0; i < n; i++)
        for (struct tw_hashed_link *l = old[i], *next; l; l = next) {
            next = l->next;
            link_in(t, l);
        }
    tw_free(old);
}

void tw_hashed_add(struct tw_hashed *t, struct tw_hashed_link *l, uint64_t hash)
{
    l->hash = hash;
    link_in(t, l);
    if (++t->n > t->n_lists) widen(t);
}

void tw_hashed_remove(struct tw_hashed *t, struct tw_hashed_link *l)
{
    struct tw_hashed_link **at = &t->lists[l->hash & (t->n_lists - 1)];

    while (*at != l) at = &(*at)->next;
    *at = l->next;
    t->n--;
}
