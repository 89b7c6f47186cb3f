/* census.c - lists every task of every state: tw.ps.
 *
 * Why one lock: it is held to enter and to leave, and while somebody looks, for as
 * long as it takes to copy a hundred thousand lines at most; what a task does is
 * written without it.
 */
#include "task/census.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "run/script.h"

enum { LINES_MAX = 100000 };

struct ltw_census {
    pthread_mutex_t lock;
    struct ltw_note *first;    /* mutex */
    size_t n;                  /* mutex */
    uint64_t ids;              /* mutex */
};

struct ltw_census *ltw_census_new(void)
{
    struct ltw_census *c = tw_calloc(1, sizeof *c);

    if (c) pthread_mutex_init(&c->lock, NULL);
    return c;
}

void ltw_census_free(struct ltw_census *c)
{
    if (!c) return;
    assert(!c->first);
    pthread_mutex_destroy(&c->lock);
    tw_free(c);
}

void ltw_census_enter(struct ltw_census *c, struct ltw_note *note)
{
    if (!c) return;
    note->in = c;
    pthread_mutex_lock(&c->lock);
    note->id = ++c->ids;
    note->next = c->first;
    if (note->next) note->next->link = &note->next;
    note->link = &c->first;
    c->first = note;
    c->n++;
    pthread_mutex_unlock(&c->lock);
}

void ltw_census_leave(struct ltw_note *note)
{
    struct ltw_census *c = note->in;

    if (!c) return;
    note->in = NULL;
    pthread_mutex_lock(&c->lock);
    *note->link = note->next;
    if (note->next) note->next->link = note->link;
    c->n--;
    pthread_mutex_unlock(&c->lock);
}

void ltw_census_sent_by(struct ltw_note *note, uint64_t parent)
{
    if (!note->in) return;
    pthread_mutex_lock(&note->in->lock);
    note->parent = parent;
    pthread_mutex_unlock(&note->in->lock);
}

void ltw_census_write(struct ltw_note *note, enum ltw_task_state state, const char *what)
{
    /* order [census.note] relaxed: each is shown as it is, they need not agree */
    atomic_store_explicit(&note->state, (int)state, memory_order_relaxed);
    /* order [census.note] relaxed: as above */
    atomic_store_explicit(&note->what, what, memory_order_relaxed);
    /* order [census.note] relaxed: as above */
    atomic_store_explicit(&note->since_ns, tw_clock_steady_ns(), memory_order_relaxed);
}

struct line {
    uint64_t id, parent;
    char who[16], name[LTW_TASK_NAME], script[LTW_TASK_NAME];
    int state;
    const char *what;
    int64_t since_ns;
    uint64_t version, record;      /* of a script; 0: of a task */
};

static void copy_line(struct line *l, const struct ltw_note *note)
{
    l->id = note->id;
    l->parent = note->parent;
    snprintf(l->who, sizeof l->who, "%s", note->who);
    snprintf(l->name, sizeof l->name, "%s", note->name);
    snprintf(l->script, sizeof l->script, "%s", note->script ? note->script : "");
    /* order [census.note] relaxed: each is shown as it is */
    l->state = atomic_load_explicit(&note->state, memory_order_relaxed);
    /* order [census.note] relaxed: as above */
    l->what = atomic_load_explicit(&note->what, memory_order_relaxed);
    /* order [census.note] relaxed: as above */
    l->since_ns = atomic_load_explicit(&note->since_ns, memory_order_relaxed);
    l->version = l->record = 0;
    if (!note->counts) return;
    /* order [script.counts] relaxed: each is shown as it is */
    l->version = atomic_load_explicit(&note->counts->version, memory_order_relaxed);
    /* order [script.counts] relaxed: as above */
    l->record = atomic_load_explicit(&note->counts->since, memory_order_relaxed);
}

static void push_line(lua_State *L, const struct line *l, int64_t now_ns)
{
    static const char *const states[] = { "ready", "running", "waiting", "done" };

    lua_createtable(L, 0, 10);
    ltw_set_count(L, "id", l->id);
    if (l->parent) ltw_set_count(L, "parent", l->parent);
    ltw_set_text(L, "worker", l->who);
    ltw_set_text(L, "name", l->name);
    if (l->script[0]) ltw_set_text(L, "script", l->script);
    ltw_set_text(L, "state", states[l->state]);
    ltw_set_text(L, "waits_for", l->state == LTW_TASK_WAITING ? l->what : "");
    ltw_set_number(L, "since", (lua_Number)(now_ns - l->since_ns) / 1e9);
    if (l->version == 0) return;
    ltw_set_count(L, "version", l->version);
    ltw_set_count(L, "record", l->record);
}

/* Room for more than there are: who enters meanwhile is left out. */
static struct line *make_room(lua_State *L, struct ltw_census *c, size_t *room)
{
    pthread_mutex_lock(&c->lock);
    *room = c->n;
    pthread_mutex_unlock(&c->lock);
    *room = *room + 64 < LINES_MAX ? *room + 64 : LINES_MAX;
    return lua_newuserdatauv(L, *room * sizeof(struct line), 0);
}

int ltw_census_list(lua_State *L)
{
    struct ltw_host *host = ltw_state(L)->host;
    struct ltw_census *c = host ? host->census : NULL;
    struct line *lines;
    size_t room, n = 0;
    int64_t now_ns;

    lua_settop(L, 0);
    if (!c) {
        lua_newtable(L);
        return 1;
    }
    lines = make_room(L, c, &room);
    pthread_mutex_lock(&c->lock);
    for (const struct ltw_note *note = c->first; note && n < room; note = note->next)
        copy_line(&lines[n++], note);
    pthread_mutex_unlock(&c->lock);
    now_ns = tw_clock_steady_ns();
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        push_line(L, &lines[i], now_ns);
        lua_rawseti(L, 2, (lua_Integer)i + 1);
    }
    return 1;
}
