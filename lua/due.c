/* due.c - tasks in the order in which their waits end. */
#include "due.h"

#include "base/memory.h"
#include "task.h"

enum { ROOM_FIRST = 15 };

static void put(struct ltw_due *d, size_t i, struct ltw_task *t)
{
    d->task[i] = t;
    t->timer = i;
}

static void sift(struct ltw_due *d, size_t i, struct ltw_task *t)
{
    for (; i > 1 && d->task[i / 2]->due_ns > t->due_ns; i /= 2) put(d, i, d->task[i / 2]);
    for (size_t child; (child = 2 * i) <= d->n; i = child) {
        if (child < d->n && d->task[child + 1]->due_ns < d->task[child]->due_ns) child++;
        if (d->task[child]->due_ns >= t->due_ns) break;
        put(d, i, d->task[child]);
    }
    put(d, i, t);
}

bool ltw_due_reserve(struct ltw_due *d)
{
    size_t room = d->room ? 2 * d->room + 1 : ROOM_FIRST;
    struct ltw_task **task;

    if (d->n < d->room) return true;
    task = tw_realloc(d->task, (room + 1) * sizeof *task);
    if (!task) return false;
    d->task = task;
    d->room = room;
    return true;
}

void ltw_due_add(struct ltw_due *d, struct ltw_task *t)
{
    assert(d->n < d->room && t->timer == 0);
    sift(d, ++d->n, t);
}

void ltw_due_remove(struct ltw_due *d, struct ltw_task *t)
{
    size_t i = t->timer;
    struct ltw_task *last;

    if (i == 0) return;
    t->timer = 0;
    last = d->task[d->n--];
    if (last != t) sift(d, i, last);
}

struct ltw_task *ltw_due_first(const struct ltw_due *d)
{
    return d->n > 0 ? d->task[1] : NULL;
}
