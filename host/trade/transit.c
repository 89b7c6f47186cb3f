/* transit.c - requests on their way to a simulated venue: latency and order. */
#include "trade/transit.h"

#include <uv.h>

#include "base/memory.h"

static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Mixed after each of the three: a sum of them is also that of their neighbours. */
static uint64_t hash(uint64_t seed, uint64_t number, unsigned which)
{
    return mix(mix(mix(seed) ^ number) ^ which);
}

int64_t tw_latency_of(const struct tw_latency *l, uint64_t seed, uint64_t number,
                      unsigned which)
{
    uint64_t h;

    if (l->kind == TW_LATENCY_CONSTANT) return l->min_ns;
    h = hash(seed, number, which);
    if (l->kind == TW_LATENCY_MEASURED) return l->n ? l->list[h % l->n] : 0;
    return l->min_ns + (int64_t)(h % (uint64_t)(l->max_ns - l->min_ns + 1));
}

int tw_transit_reserve(struct tw_transit *q, size_t more)
{
    struct tw_transit_item *grown;

    if (q->n + more <= q->room) return TW_OK;
    grown = tw_grow(q->item, &q->room, q->n + more, sizeof *grown);
    if (!grown) return UV_ENOMEM;
    q->item = grown;
    return TW_OK;
}

static bool is_before(const struct tw_transit_item *a, const struct tw_transit_item *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->serial < b->serial;
}

void tw_transit_add(struct tw_transit *q, struct tw_transit_item r)
{
    size_t at = q->n++;

    r.serial = ++q->serial;
    r.order->requests++;
    for (; at > 0 && is_before(&r, &q->item[(at - 1) / 2]); at = (at - 1) / 2)
        q->item[at] = q->item[(at - 1) / 2];
    q->item[at] = r;
}

struct tw_transit_item tw_transit_take(struct tw_transit *q)
{
    struct tw_transit_item first = q->item[0], last = q->item[--q->n];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < q->n) {
        if (child + 1 < q->n && is_before(&q->item[child + 1], &q->item[child])) child++;
        if (!is_before(&q->item[child], &last)) break;
        q->item[at] = q->item[child];
        at = child;
    }
    q->item[at] = last;
    first.order->requests--;
    return first;
}
