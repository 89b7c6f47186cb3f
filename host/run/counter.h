/* counter.h - a figure that one thread adds to and any thread reads.
 *
 * Layer host/run.
 */
#ifndef TW_COUNTER_H
#define TW_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* One writer, so adding needs no locked instruction.
 * Thread: the owner's.  Blocks: never. */
static inline void tw_counter_add(_Atomic uint64_t *c, uint64_t n)
{
    /* order [counter] relaxed: the owner is the only writer */
    uint64_t v = atomic_load_explicit(c, memory_order_relaxed);

    /* order [counter] relaxed: a figure, nothing else depends on it */
    atomic_store_explicit(c, v + n, memory_order_relaxed);
}

/* Thread: any.  Blocks: never. */
static inline uint64_t tw_counter_get(const _Atomic uint64_t *c)
{
    /* order [counter] relaxed: a figure, nothing else depends on it */
    return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
