/* live.c - orders at a simulated venue, by the records that can touch them. */
#include "trade/live.h"

#include <uv.h>

#include "base/memory.h"

/* ---- heaps ---- */

int tw_live_grow(struct tw_live_heap *h, size_t n, size_t *bytes)
{
    size_t before = h->room;
    struct tw_live_item *grown = tw_grow(h->item, &h->room, n, sizeof *grown);

    if (!grown) return UV_ENOMEM;
    *bytes += (h->room - before) * sizeof *grown;
    h->item = grown;
    return TW_OK;
}

static bool is_before(const struct tw_live_item *a, const struct tw_live_item *b)
{
    return a->key != b->key ? a->key < b->key : a->then < b->then;
}

static void set(struct tw_live_heap *h, enum tw_live_place place, size_t at,
                struct tw_live_item item)
{
    h->item[at] = item;
    item.live->at[place] = at;
}

static void rise(struct tw_live_heap *h, enum tw_live_place place, size_t at,
                 struct tw_live_item item)
{
    for (; at > 0 && is_before(&item, &h->item[(at - 1) / 2]); at = (at - 1) / 2)
        set(h, place, at, h->item[(at - 1) / 2]);
    set(h, place, at, item);
}

void tw_live_put(struct tw_live_heap *h, enum tw_live_place place, int64_t key,
                 uint64_t then, struct tw_live *l)
{
    assert(h->n < h->room);
    rise(h, place, h->n++, (struct tw_live_item){ key, then, l });
}

void tw_live_remove(struct tw_live_heap *h, enum tw_live_place place, struct tw_live *l)
{
    size_t at = l->at[place], child;
    struct tw_live_item last = h->item[--h->n];

    assert(at <= h->n && h->item[at].live == l);
    if (at == h->n) return;
    while ((child = 2 * at + 1) < h->n) {
        if (child + 1 < h->n && is_before(&h->item[child + 1], &h->item[child])) child++;
        if (!is_before(&h->item[child], &last)) break;
        set(h, place, at, h->item[child]);
        at = child;
    }
    rise(h, place, at, last);
}

void tw_live_move(struct tw_live_heap **now, struct tw_live_heap *h,
                  enum tw_live_place place, int64_t key, struct tw_live *l)
{
    if (h == *now && (!h || h->item[l->at[place]].key == key)) return;
    if (*now) tw_live_remove(*now, place, l);
    if (h) tw_live_put(h, place, key, l->rank, l);
    *now = h;
}

/* What is below an item has keys that are not smaller. */
static void touch(const struct tw_live_heap *h, size_t at, int64_t bound,
                  uint32_t symbol, struct tw_live_heap *out)
{
    for (; at < h->n && h->item[at].key <= bound; at = 2 * at + 1) {
        struct tw_live *l = h->item[at].live;

        if (l->r.order->symbol == symbol)
            tw_live_put(out, TW_LIVE_TOUCHED, (int64_t)l->rank, 0, l);
        touch(h, 2 * at + 2, bound, symbol, out);
    }
}

void tw_live_touch_any(const struct tw_live_heap *h, int64_t bound, uint32_t symbol,
                       struct tw_live_heap *out)
{
    touch(h, 0, bound, symbol, out);
}

/* ---- groups ---- */

static size_t bucket_of(const struct tw_live_groups *g, uint64_t id, uint32_t symbol)
{
    uint64_t h = (id ^ (uint64_t)symbol << 40) * UINT64_C(0x9e3779b97f4a7c15);

    return (h ^ h >> 32) & (g->size - 1);
}

static int grow(struct tw_live_groups *g)
{
    struct tw_live_groups grown = { .n = g->n, .size = g->size ? 2 * g->size : 16 };

    grown.bucket = tw_calloc(grown.size, sizeof *grown.bucket);
    if (!grown.bucket) return UV_ENOMEM;
    for (size_t i = 0; i < g->size; i++) {
        struct tw_live_group *next;

        for (struct tw_live_group *at = g->bucket[i]; at; at = next) {
            struct tw_live_group **to;

            next = at->next;
            to = &grown.bucket[bucket_of(&grown, at->id, at->symbol)];
            at->next = *to;
            *to = at;
        }
    }
    tw_free(g->bucket);
    *g = grown;
    return TW_OK;
}

static void append(struct tw_live_group *group, struct tw_live *l)
{
    l->group = group;
    l->next = NULL;
    l->link = group->last;
    *group->last = l;
    group->last = &l->next;
}

static void take_out(struct tw_live *l)
{
    *l->link = l->next;
    if (l->next) l->next->link = l->link;
    else l->group->last = l->link;
}

int tw_live_join(struct tw_live_groups *g, struct tw_live *l)
{
    const struct tw_order *o = l->r.order;
    struct tw_live_group *group, **to;

    if (g->n == g->size && grow(g) < 0) return UV_ENOMEM;
    to = &g->bucket[bucket_of(g, o->group, o->symbol)];
    for (group = *to; group; group = group->next)
        if (group->id == o->group && group->symbol == o->symbol) break;
    if (!group) {
        group = tw_calloc(1, sizeof *group);
        if (!group) return UV_ENOMEM;
        group->id = o->group;
        group->symbol = o->symbol;
        group->last = &group->first;
        group->next = *to;
        *to = group;
        g->n++;
    }
    append(group, l);
    return TW_OK;
}

void tw_live_leave(struct tw_live_groups *g, struct tw_live *l)
{
    struct tw_live_group *group = l->group, **link;

    take_out(l);
    l->group = NULL;
    if (group->first) return;
    link = &g->bucket[bucket_of(g, group->id, group->symbol)];
    while (*link != group) link = &(*link)->next;
    *link = group->next;
    tw_free(group);
    g->n--;
}

size_t tw_live_groups_bytes(const struct tw_live_groups *g)
{
    return g->size * sizeof *g->bucket + g->n * sizeof(struct tw_live_group);
}

void tw_live_to_tail(struct tw_live *l)
{
    if (!l->next) return;
    take_out(l);
    append(l->group, l);
}
