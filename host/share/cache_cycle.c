/* cache_cycle.c - loads that wait for loads, and the one that would wait for itself.
 *
 * Why: a load may ask for other keys, of any caches, and whoever computes those may
 * ask in turn.  In a circle all of them would wait for ever; so who closes one is
 * told at once.
 *
 * Invariants
 *   G1  Each edge goes from a load that asks to one that was under way then, and is
 *       there until the one that asks ends.  A load that has ended has none, and gets
 *       none: what it leaves running may still ask.
 *   G2  The edges have no cycle: one that would close it is not added.
 *
 * Layer host/share.  Thread: any.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "share/cache_table.h"

/* Edges join loads of all caches of the process, so there is one lock for them. */
static struct {
    pthread_mutex_t lock;
    uint64_t mark;          /* mutex: of the last search */
} graph = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Whether `to` waits for `from`, however indirectly; then the way is in via. */
static bool reaches_held(struct tw_load *from, struct tw_load *to)
{
    struct tw_load *todo = from;

    graph.mark++;
    from->mark = graph.mark;
    from->via = from->next = NULL;
    while (todo && todo != to) {
        struct tw_load *at = todo;

        todo = at->next;
        for (struct tw_load_edge *e = at->edges; e; e = e->next) {
            if (e->to->mark == graph.mark) continue;
            e->to->mark = graph.mark;
            e->to->via = at;
            e->to->next = todo;
            todo = e->to;
        }
    }
    return todo != NULL;
}

static void print_item(char *out, size_t n, struct tw_item v)
{
    switch (v.kind) {
    case TW_VALUE_NIL:     snprintf(out, n, "nil"); break;
    case TW_VALUE_FALSE:   snprintf(out, n, "false"); break;
    case TW_VALUE_TRUE:    snprintf(out, n, "true"); break;
    case TW_VALUE_INTEGER: snprintf(out, n, "%lld", (long long)v.integer); break;
    case TW_VALUE_NUMBER:
        snprintf(out, n, "%.14g", v.number);
        if (isfinite(v.number) && out[strspn(out, "-0123456789")] == 0)
            snprintf(out, n, "%.14g.0", v.number);
        break;
    case TW_VALUE_STRING:  snprintf(out, n, "%.*s", (int)v.length, v.text); break;
    case TW_VALUE_TABLE:   snprintf(out, n, "{...}"); break;
    default:               snprintf(out, n, "..."); break;
    }
}

static void print_key(char *out, size_t n, const struct tw_any *key)
{
    struct tw_item root = tw_any_root(key), k, v;
    size_t used = 1;

    if (root.kind != TW_VALUE_TABLE) {
        print_item(out, n, root);
        return;
    }
    snprintf(out, n, "{");
    for (uint64_t i = 0; i < tw_table_length(root.table) && used + 3 < n; i++) {
        tw_table_entry(root.table, i, &k, &v);
        if (i) used += (size_t)snprintf(out + used, n - used, ", ");
        print_item(out + used, n - used, v);
        used = strlen(out);
    }
    snprintf(out + used, n - used, "}");
}

/* The step before `to`, and so on: the path is found from its end. */
static void print_path_held(char *out, size_t n, const struct tw_load *to,
                            const struct tw_load *first)
{
    enum { STEPS = 16 };
    const struct tw_load *step[STEPS];
    unsigned steps = 0, left_out = 0;
    size_t used = 0;
    char key[64];

    for (; to; to = to->via) {
        if (steps == STEPS) {
            memmove(step, step + 1, (STEPS - 1) * sizeof *step);
            steps--;
            left_out++;
        }
        step[steps++] = to;
    }
    *out = 0;
    for (unsigned i = steps; i-- > 0 && used + 1 < n;) {
        print_key(key, sizeof key, &step[i]->key);
        snprintf(out + used, n - used, "%s[%s] -> ", tw_cache_name(step[i]->cache), key);
        used = strlen(out);
    }
    print_key(key, sizeof key, &first->key);
    snprintf(out + used, n - used, "%s[%s]", tw_cache_name(first->cache), key);
    used = strlen(out);
    if (left_out) snprintf(out + used, n - used, " (%u left out)", left_out);
}

int tw_load_waits(struct tw_load *asking, struct tw_load *to, struct tw_load_edge *edge,
                  struct tw_error *error)
{
    char path[400];
    bool cycle, known;

    pthread_mutex_lock(&graph.lock);
    /* order [load.ended] relaxed: who ends it takes the lock after that (G1) */
    known = atomic_load_explicit(&asking->ended, memory_order_relaxed);
    cycle = !known && reaches_held(to, asking);   /* G2 */
    if (cycle) print_path_held(path, sizeof path, asking, to);
    for (struct tw_load_edge *e = asking->edges; e && !known; e = e->next)
        known = e->to == to;
    if (!cycle && !known) {
        edge->to = to;
        tw_load_hold(to);
        edge->next = asking->edges;
        asking->edges = edge;
        edge = NULL;
    }
    pthread_mutex_unlock(&graph.lock);
    tw_free(edge);
    if (!cycle) return TW_OK;
    return tw_fail(error, TW_ECYCLE, "cache: a load waits for itself: %s", path);
}

void tw_load_waits_no_more(struct tw_load *load)
{
    struct tw_load_edge *edges, *next;

    pthread_mutex_lock(&graph.lock);
    edges = load->edges;
    load->edges = NULL;   /* G1 */
    pthread_mutex_unlock(&graph.lock);
    for (; edges; edges = next) {
        next = edges->next;
        tw_load_let_go(edges->to);
        tw_free(edges);
    }
}
