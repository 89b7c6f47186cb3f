/* value.c - blocks of bytes that never change, counted by reference.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/value.h"

#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"

struct tw_value {
    _Atomic uint64_t references;    /* atomic: any thread                  */
    size_t n;                       /* constant after tw_value_new         */
    char bytes[];                   /* constant after tw_value_new         */
};

static _Atomic uint64_t live;       /* atomic: any thread                  */

struct tw_value *tw_value_new(const void *bytes, size_t n)
{
    struct tw_value *v = tw_calloc(1, sizeof *v + n);

    if (!v) return NULL;
    atomic_init(&v->references, 1);
    v->n = n;
    if (n) memcpy(v->bytes, bytes, n);
    /* order [value.live] relaxed: a statistic, it orders nothing */
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return v;
}

const void *tw_value_bytes(const struct tw_value *v, size_t *n)
{
    *n = v->n;
    return v->bytes;
}

void tw_value_ref(struct tw_value *v)
{
    /* order [value.references] relaxed: the caller has one, so it is alive */
    atomic_fetch_add_explicit(&v->references, 1, memory_order_relaxed);
}

void tw_value_unref(struct tw_value *v)
{
    /* order [value.references] acq_rel: every use comes before the free */
    uint64_t before = atomic_fetch_sub_explicit(&v->references, 1, memory_order_acq_rel);

    assert(before > 0);
    if (before > 1) return;
    tw_free(v);
    /* order [value.live] relaxed: a statistic, it orders nothing */
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
}

uint64_t tw_value_live(void)
{
    /* order [value.live] relaxed: a statistic, it orders nothing */
    return atomic_load_explicit(&live, memory_order_relaxed);
}
