/* arrivals.h - requests on their way to a venue, the first to arrive before all others.
 *
 * A pairing heap: it needs no memory of its own, so a request that was taken never finds
 * none.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_ARRIVALS_H
#define TW_ARRIVALS_H

#include "trade/venue.h"

struct tw_arrival {
    struct tw_request q;
    struct tw_arrival *child, *sibling;
};

/* n of them; zeroed: empty. */
struct tw_arrivals {
    struct tw_arrival *first;
    unsigned n;
};

void tw_arrivals_add(struct tw_arrivals *heap, struct tw_arrival *a);

/* The first; there is one. */
struct tw_arrival *tw_arrivals_take(struct tw_arrivals *heap);

#endif
