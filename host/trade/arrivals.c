/* arrivals.c - requests on their way to a venue, the first to arrive first. */
#include "trade/arrivals.h"

static bool comes_before(const struct tw_arrival *a, const struct tw_arrival *b)
{
    const struct tw_request *p = &a->q, *q = &b->q;

    if (p->arrives_ns != q->arrives_ns) return p->arrives_ns < q->arrives_ns;
    if (p->seq != q->seq) return p->seq < q->seq;
    return p->owner != q->owner ? p->owner < q->owner : p->number < q->number;
}

static struct tw_arrival *meld(struct tw_arrival *a, struct tw_arrival *b)
{
    if (!a || !b) return a ? a : b;
    if (comes_before(b, a)) {
        struct tw_arrival *t = a;

        a = b;
        b = t;
    }
    b->sibling = a->child;
    a->child = b;
    return a;
}

void tw_arrivals_add(struct tw_arrivals *heap, struct tw_arrival *a)
{
    a->child = a->sibling = NULL;
    heap->first = meld(heap->first, a);
    heap->n++;
}

/* Its children are melded in pairs, then the pairs from the last on. */
struct tw_arrival *tw_arrivals_take(struct tw_arrivals *heap)
{
    struct tw_arrival *first = heap->first, *pairs = NULL, *a = first->child;

    while (a) {
        struct tw_arrival *b = a->sibling, *rest = b ? b->sibling : NULL, *two;

        two = meld(a, b);
        two->sibling = pairs;
        pairs = two;
        a = rest;
    }
    heap->first = NULL;
    while (pairs) {
        struct tw_arrival *rest = pairs->sibling;

        pairs->sibling = NULL;
        heap->first = meld(heap->first, pairs);
        pairs = rest;
    }
    heap->n--;
    return first;
}
