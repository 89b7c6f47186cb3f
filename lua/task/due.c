/* due.c - tasks in the order in which their waits end. */
#include "task/due.h"

#include "base/memory.h"
#include "task/task.h"

enum { ROOM_FIRST = 15 };

static void put(struct ltw_due *d, size_t i, struct ltw_task *t)
{
    d->task[i] = t;
    t->timer = i;
}

static bool is_before(const struct ltw_task *a, const struct ltw_task *b)
{
    return a->due_ns < b->due_ns
        || (a->due_ns == b->due_ns && a->due_order < b->due_order);
}

static void sift(struct ltw_due *d, size_t i, struct ltw_task *t)
{
    for (; i > 1 && is_before(t, d->task[i / 2]); i /= 2) put(d, i, d->task[i / 2]);
    for (size_t child; (child = 2 * i) <= d->n; i = child) {
        if (child < d->n && is_before(d->task[child + 1], d->task[child])) child++;
        if (!is_before(d->task[child], t)) break;
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
    t->due_order = d->added++;
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
