/* wait.c - a change is never missed by the task that was told of it (W1 to W3). */
#include "share/wait.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "park.h"
#include "tap.h"

enum { WAKERS = 5, TELLERS = 4 };
static int rounds = 200000;

static unsigned length(struct tw_waker *w)
{
    unsigned n = 0;

    for (; w; w = w->next) n++;
    return n;
}

static void mailbox(void)
{
    struct park p;
    struct tw_waker w[3], *told;

    park_open(&p);
    for (int i = 0; i < 3; i++) tw_waker_init(&w[i], &p.box);
    ok(tw_mailbox_is_empty(&p.box) && !tw_mailbox_take(&p.box), "nobody was told");
    tw_waker_fire(&w[1]);
    tw_waker_fire(&w[0]);
    tw_waker_fire(&w[1]);
    tw_waker_fire(&w[2]);
    ok(p.rings == 1, "the first rings, the others find it rung");
    ok(!tw_mailbox_is_empty(&p.box), "the box shows it");
    told = tw_mailbox_take(&p.box);
    ok(length(told) == 3 && told == &w[1] && told->next == &w[0],
       "each is told once, oldest first");
    tw_waker_fire(&w[0]);
    ok(tw_mailbox_is_empty(&p.box), "taken and not heard, it is told no more");
    ok(tw_waker_heard(&w[1]) == &w[0], "hearing one gives the next");
    tw_waker_fire(&w[1]);
    ok(p.rings == 2, "what was heard is told anew, and an empty box rings");
    ok(tw_waker_heard(&w[0]) == &w[2] && !tw_waker_heard(&w[2]),
       "the rest of what was taken is as it was");
    told = tw_mailbox_take(&p.box);
    ok(told == &w[1] && !tw_waker_heard(told), "and the new one is in the box");
    park_close(&p);
}

/* The list as the indices of its nodes, first to last and back again. */
static bool is_list(const struct tw_waiters *list, const struct tw_wait *node,
                    const char *want)
{
    const struct tw_wait *n = list->first, *last = NULL;

    for (; n && *want; n = n->next, want++) {
        if (n - node != *want - '0' || n->prev != last) return false;
        last = n;
    }
    return !n && !*want && list->last == last;
}

static void lists(void)
{
    struct park p;
    struct tw_waker w;
    struct tw_waiters list = {0};
    struct tw_wait node[5] = {0};

    park_open(&p);
    tw_waker_init(&w, &p.box);
    for (int i = 0; i < 5; i++) node[i].waker = &w;
    ok(!tw_waiters_tell_first_held(&list), "an empty list has nobody to tell");
    ok(!tw_waiters_remove_held(&list, &node[0]), "nor to remove");
    for (int i = 0; i < 5; i++) tw_waiters_add_held(&list, &node[i]);
    ok(is_list(&list, node, "01234"), "who comes last is last");
    ok(tw_waiters_remove_held(&list, &node[2]) && is_list(&list, node, "0134"),
       "one leaves from the middle");
    ok(!tw_waiters_remove_held(&list, &node[2]) && is_list(&list, node, "0134"),
       "leaving twice is safe");
    tw_waiters_remove_held(&list, &node[4]);
    tw_waiters_remove_held(&list, &node[0]);
    ok(is_list(&list, node, "13"), "and from both ends");
    ok(tw_waiters_tell_first_held(&list) && node[1].told && !node[3].told
       && is_list(&list, node, "3"), "the first is told, and out of the list");
    tw_waiters_return_held(&list, &node[1]);
    ok(!node[1].told && is_list(&list, node, "13"), "told in vain, it is first again");
    tw_waiters_tell_all_held(&list);
    ok(node[1].told && node[3].told && is_list(&list, node, ""), "all are told");
    tw_waiters_return_held(&list, &node[3]);
    tw_waiters_add_held(&list, &node[1]);
    ok(is_list(&list, node, "31"), "an empty list takes one at either end");
    tw_waiters_remove_held(&list, &node[3]);
    tw_waiters_remove_held(&list, &node[1]);
    ok(is_list(&list, node, "") && park_settle(&p), "and they leave again");
    park_close(&p);
}

/* Tellers change things and tell the task whose they are. */
struct thing { struct tw_waker waker; _Atomic uint64_t changes; uint64_t seen; };
struct teller { struct thing *thing; unsigned things, seed; };

static void *tell(void *arg)
{
    struct teller *t = arg;

    for (int i = 0; i < rounds; i++) {
        struct thing *x;

        t->seed = t->seed * 1664525 + 1013904223;
        x = &t->thing[(t->seed >> 16) % t->things];
        /* A relaxed change shows that the wake-up alone orders it. */
        atomic_fetch_add_explicit(&x->changes, 1, memory_order_relaxed);
        tw_waker_fire(&x->waker);
    }
    return NULL;
}

/* What the owner sees when it was told; false when a wake-up got lost. */
static bool hear(struct park *p, uint64_t *sum)
{
    struct tw_waker *w = park_take(p), *next;

    if (!w) return false;
    for (; w; w = next) {
        struct thing *x = (struct thing *)w;
        uint64_t now;

        next = tw_waker_heard(w);
        now = atomic_load_explicit(&x->changes, memory_order_relaxed);
        *sum += now - x->seen;
        x->seen = now;
    }
    return true;
}

static void threads(unsigned things)
{
    struct park p;
    struct thing thing[WAKERS] = {0};
    struct teller t[TELLERS];
    pthread_t th[TELLERS];
    uint64_t sum = 0, total = (uint64_t)rounds * TELLERS;
    unsigned hearings = 0;

    park_open(&p);
    for (unsigned i = 0; i < things; i++) tw_waker_init(&thing[i].waker, &p.box);
    for (unsigned k = 0; k < TELLERS; k++) {
        t[k] = (struct teller){ thing, things, k };
        pthread_create(&th[k], NULL, tell, &t[k]);
    }
    while (sum < total && hear(&p, &sum)) hearings++;
    for (int k = 0; k < TELLERS; k++) pthread_join(th[k], NULL);
    hearings += park_settle(&p);
    ok(sum == total, "%d threads tell of %u things: all changes are seen", TELLERS,
       things);
    ok(p.rings == hearings, "for each of %u rings it was heard once", p.rings);
    park_close(&p);
}

/* A task waits, and leaves when it is told or when it wants to; those who tell
 * hold the lock under which it leaves.  A waker is used no more after that. */
struct place {
    pthread_mutex_t lock;
    struct tw_waiters list;      /* mutex: under lock */
    atomic_bool stop;
    atomic_uint_fast64_t told;
};

static void *tell_first(void *arg)
{
    struct place *x = arg;

    while (!atomic_load(&x->stop)) {
        bool did;

        pthread_mutex_lock(&x->lock);
        did = tw_waiters_tell_first_held(&x->list);
        pthread_mutex_unlock(&x->lock);
        if (did) atomic_fetch_add(&x->told, 1);
        else sched_yield();
    }
    return NULL;
}

static void leaving(void)
{
    struct place x = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct park p;
    pthread_t th[2];
    uint64_t told = 0, lost = 0;

    park_open(&p);
    for (int k = 0; k < 2; k++) pthread_create(&th[k], NULL, tell_first, &x);
    for (int i = 0; i < rounds; i++) {
        struct tw_waker *w = malloc(sizeof *w);
        struct tw_wait *node = calloc(1, sizeof *node);
        bool was_told;

        tw_waker_init(w, &p.box);
        node->waker = w;
        pthread_mutex_lock(&x.lock);
        tw_waiters_add_held(&x.list, node);
        pthread_mutex_unlock(&x.lock);
        if (i % 3 == 0) lost += !park_await(&p);
        else if (i % 3 == 1) sched_yield();
        pthread_mutex_lock(&x.lock);
        was_told = !tw_waiters_remove_held(&x.list, node);
        pthread_mutex_unlock(&x.lock);
        lost += was_told != node->told;
        /* Heard already, or still in the box. */
        if (i % 3 != 0) lost += park_settle(&p) != was_told;
        told += was_told;
        free(node);
        free(w);
    }
    atomic_store(&x.stop, true);
    for (int k = 0; k < 2; k++) pthread_join(th[k], NULL);
    ok(lost == 0, "who left was told, and in the box, or will never be");
    ok(told == atomic_load(&x.told), "%d waits, %llu of them told", rounds,
       (unsigned long long)told);
    park_close(&p);
}

int main(void)
{
    if (getenv("SMALL")) rounds = 5000;
    mailbox();
    lists();
    threads(1);
    threads(WAKERS);
    leaving();
    return tap_done();
}
