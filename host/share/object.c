/* object.c - what is shared between states by reference: futures, channels, caches.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/object.h"

static _Atomic uint64_t live;   /* atomic: any thread */

void tw_object_init(struct tw_object *o, const struct tw_object_type *type)
{
    o->type = type;
    atomic_init(&o->references, 1);
    /* order [object.live] relaxed: a statistic, it orders nothing */
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
}

void tw_object_ref(struct tw_object *o)
{
    /* order [object.references] relaxed: the caller has one, so it is alive */
    atomic_fetch_add_explicit(&o->references, 1, memory_order_relaxed);
}

void tw_object_unref(struct tw_object *o)
{
    /* order [object.references] acq_rel: every use comes before the free */
    uint64_t n = atomic_fetch_sub_explicit(&o->references, 1, memory_order_acq_rel);

    assert(n > 0);
    if (n > 1) return;
    o->type->free(o);
    /* order [object.live] relaxed: a statistic, it orders nothing */
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
}

uint64_t tw_object_live(void)
{
    /* order [object.live] relaxed: a statistic, it orders nothing */
    return atomic_load_explicit(&live, memory_order_relaxed);
}
