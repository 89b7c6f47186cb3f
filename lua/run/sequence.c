/* sequence.c - scripts that share limits handle each record one after the other. */
#include "run/sequence.h"

#include "base/memory.h"
#include "run/worker.h"

/* passed: 0, or 1 + the next record. */
struct place {
    _Alignas(TW_CACHELINE) _Atomic uint64_t passed;   /* atomic: its thread, all load */
    struct tw_worker *worker;                         /* constant                     */
};

struct ltw_sequence {
    unsigned n;                                       /* constant                     */
    struct place place[];
};

struct ltw_sequence *ltw_sequence_new(unsigned n)
{
    struct ltw_sequence *q = tw_calloc_aligned(1, sizeof *q + n * sizeof q->place[0]);

    if (q) q->n = n;
    return q;
}

void ltw_sequence_free(struct ltw_sequence *q)
{
    tw_free(q);
}

void ltw_sequence_place(struct ltw_sequence *q, unsigned script, struct tw_worker *w)
{
    q->place[script - 1].worker = w;
}

static uint64_t passed(const struct ltw_sequence *q, unsigned i)
{
    /* order [sequence.passed] acquire: what it has used up of the limits */
    return atomic_load_explicit(&q->place[i].passed, memory_order_acquire);
}

bool ltw_sequence_may_begin(const struct ltw_sequence *q, unsigned script)
{
    for (unsigned i = 0; i + 1 < script; i++)
        if (passed(q, i) == 0) return false;
    return true;
}

/* Q1 */
uint64_t ltw_sequence_room(const struct ltw_sequence *q, unsigned script, uint64_t next)
{
    uint64_t end = UINT64_MAX;

    for (unsigned i = 0; i < q->n; i++) {
        uint64_t p = passed(q, i);

        if (i + 1 == script || p == LTW_HOLDS_NOBODY) continue;
        if (p == 0) return 0;
        if (i + 1 < script) p--;
        if (p < end) end = p;
    }
    return end > next ? end - next : 0;
}

/* Who is furthest behind is next: the first of several. */
static void tell(struct ltw_sequence *q, unsigned script)
{
    unsigned first = 0;

    for (unsigned i = 1; i < q->n; i++)
        if (passed(q, i) < passed(q, first)) first = i;
    if (q->place[first].worker != q->place[script - 1].worker)
        tw_worker_ring(q->place[first].worker);
}

void ltw_sequence_pass(struct ltw_sequence *q, unsigned script, uint64_t next)
{
    uint64_t p = next == LTW_HOLDS_NOBODY ? next : next + 1;

    if (passed(q, script - 1) == p) return;
    /* order [sequence.passed] release: what it has used up comes before */
    atomic_store_explicit(&q->place[script - 1].passed, p, memory_order_release);
    /* order [sequence.told] seq_cst: Q2, ours is stored before we look at the others */
    atomic_thread_fence(memory_order_seq_cst);
    tell(q, script);
}
