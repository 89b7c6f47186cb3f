/* scope.c - how far a cancellation or a deadline reaches: a tree over tasks. */
#include "scope.h"

#include "base/memory.h"

struct ltw_scope *ltw_scope_new(struct ltw_scope *parent, uint64_t *ids)
{
    struct ltw_scope *s = tw_calloc(1, sizeof *s);

    if (!s) return NULL;
    s->references = 1;
    s->id = ++*ids;
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

struct ltw_scope *ltw_scope_over(struct ltw_scope *s, int64_t now_ns, int64_t *due_ns)
{
    *due_ns = INT64_MAX;
    for (; s; s = s->parent) {
        if (s->cancelled || s->due_ns <= now_ns) return s;
        if (s->due_ns < *due_ns) *due_ns = s->due_ns;
        if (s->shield) break;
    }
    return NULL;
}

bool ltw_scope_is_within(const struct ltw_scope *s, const struct ltw_scope *outer)
{
    while (s && s != outer) s = s->parent;
    return s != NULL;
}
