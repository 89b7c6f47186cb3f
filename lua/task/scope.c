/* scope.c - how far a cancellation or a deadline reaches: a tree over tasks. */
#include "task/scope.h"

#include "base/memory.h"
#include "ltime.h"
#include "task/taskset.h"

struct ltw_scope *ltw_scope_new(struct ltw_state *state, struct ltw_scope *parent)
{
    struct ltw_scope *s = tw_calloc(1, sizeof *s);

    if (!s) return NULL;
    s->references = 1;
    s->of = state;
    s->id = ++state->scopes;
    s->due_ns = INT64_MAX;
    s->parent = parent;
    if (parent) ltw_scope_ref(parent);
    return s;
}

void ltw_scope_ref(struct ltw_scope *s)
{
    s->references++;
}

void ltw_scope_unref(struct ltw_scope *s)
{
    while (s && --s->references == 0) {
        struct ltw_scope *parent = s->parent;

        tw_free(s);
        s = parent;
    }
}

/* At that time; *due_ns: the nearest deadline on the way. */
static struct ltw_scope *over_at(struct ltw_scope *s, int64_t now_ns, int64_t *due_ns)
{
    *due_ns = INT64_MAX;
    for (; s; s = s->parent) {
        if (s->cancelled || s->due_ns <= now_ns) return s;
        if (s->due_ns < *due_ns) *due_ns = s->due_ns;
        if (s->shield) break;
    }
    return NULL;
}

struct ltw_scope *ltw_scope_over(struct ltw_scope *s)
{
    /* Most tasks have no deadline and are not cancelled: no need for a clock. */
    int64_t due_ns;
    struct ltw_scope *over = over_at(s, INT64_MIN, &due_ns);

    if (over || due_ns == INT64_MAX) return over;
    return over_at(s, ltw_steady_ns(s->of), &due_ns);
}

int64_t ltw_scope_due_ns(struct ltw_scope *s)
{
    int64_t due_ns;

    over_at(s, INT64_MIN, &due_ns);
    return due_ns;
}

bool ltw_scope_is_within(const struct ltw_scope *s, const struct ltw_scope *outer)
{
    while (s && s != outer) s = s->parent;
    return s != NULL;
}

/* Ends the waits of those in the list that s reaches. */
static void wake_within(struct ltw_task *t, const struct ltw_scope *s)
{
    for (; t; t = t->next)
        if (t->state == LTW_TASK_WAITING && ltw_scope_is_within(t->scope, s)
            && ltw_scope_over(t->scope))
            ltw_task_wake(t);
}

void ltw_scope_cancel(struct ltw_tasks *ts, struct ltw_scope *s, const char *why)
{
    if (s->cancelled) return;
    s->cancelled = true;
    s->why = why;
    wake_within(ts->all, s);
    wake_within(ts->others, s);
}

void ltw_scope_stop(struct ltw_tasks *ts, struct ltw_scope *s, const char *why)
{
    for (struct ltw_task *t = ts->all; t; t = t->next)
        if (t->aside && ltw_scope_is_within(t->scope, s)) t->doomed = true;
    ltw_scope_cancel(ts, s, why);
}
