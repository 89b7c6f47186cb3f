/* ready.c - tasks that may run, in the order in which they will. */
#include "task/ready.h"

#include <assert.h>

#include "base/memory.h"

enum { ROOM_FIRST = 16 };

bool ltw_ready_reserve(struct ltw_ready *r, unsigned n)
{
    struct ltw_task **ring;
    unsigned room = r->room ? r->room * 2 : ROOM_FIRST;

    if (n <= r->room) return true;
    ring = tw_calloc(room, sizeof *ring);
    if (!ring) return false;
    for (unsigned i = 0; i < r->n; i++) ring[i] = r->task[(r->first + i) % r->room];
    tw_free(r->task);
    r->task = ring;
    r->first = 0;
    r->room = room;
    return true;
}

void ltw_ready_push(struct ltw_ready *r, struct ltw_task *t)
{
    assert(r->n < r->room);
    r->task[(r->first + r->n++) % r->room] = t;
}

/* xorshift64*, for an order that can be had again. */
static uint64_t random_of(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

struct ltw_task *ltw_ready_pop(struct ltw_ready *r)
{
    unsigned i = r->first, pick = i;
    struct ltw_task *t;

    if (r->seed) pick = (i + (unsigned)(random_of(&r->seed) % r->n)) % r->room;
    t = r->task[pick];
    r->task[pick] = r->task[i];
    r->first = (i + 1) % r->room;
    r->n--;
    return t;
}
