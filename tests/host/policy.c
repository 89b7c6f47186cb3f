/* policy.c - eviction beside slow models of it, and at its bounds (P1 to P3). */
#include "share/policy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "random.h"
#include "tap.h"

enum { KEYS = 300, READERS = 2 };
static int rounds = 50000;

/* The models: queues are arrays of keys, the oldest first, and everything is
 * searched for. */
struct list { int key[KEYS], n; };

struct model {
    enum tw_policy_kind kind;
    uint64_t capacity;
    struct list small, main, ghost;
    uint64_t weight[KEYS];
    int hits[KEYS];
};

static int index_of(const struct list *l, int key)
{
    for (int i = 0; i < l->n; i++)
        if (l->key[i] == key) return i;
    return -1;
}

static bool take(struct list *l, int key)
{
    int i = index_of(l, key);

    if (i < 0) return false;
    memmove(&l->key[i], &l->key[i + 1], (size_t)(l->n - i - 1) * sizeof *l->key);
    l->n--;
    return true;
}

static int shift(struct list *l)
{
    int key = l->key[0];

    take(l, key);
    return key;
}

static void append(struct list *l, int key)
{
    l->key[l->n++] = key;
}

static uint64_t sum(const struct model *m, const struct list *l)
{
    uint64_t s = 0;

    for (int i = 0; i < l->n; i++) s += m->weight[l->key[i]];
    return s;
}

static bool model_has(const struct model *m, int key)
{
    return index_of(&m->small, key) >= 0 || index_of(&m->main, key) >= 0;
}

static void model_insert(struct model *m, int key, uint64_t weight)
{
    bool known = take(&m->ghost, key);

    append(m->kind != TW_POLICY_S3FIFO || known ? &m->main : &m->small, key);
    m->weight[key] = weight;
    m->hits[key] = 0;
}

static void model_touch(struct model *m, int key)
{
    if (m->kind == TW_POLICY_S3FIFO && m->hits[key] < 3) m->hits[key]++;
    if (m->kind == TW_POLICY_LRU && take(&m->main, key)) append(&m->main, key);
}

/* Small goes on until it gives one up, even where main gets too big by it. */
static int model_small_victim(struct model *m)
{
    int all = m->small.n + m->main.n, key;

    while (m->small.n > 0) {
        key = shift(&m->small);
        if (m->hits[key] < 2) {
            append(&m->ghost, key);
            while (m->ghost.n > all * 9 / 10) shift(&m->ghost);
            return key;
        }
        m->hits[key] = 0;
        append(&m->main, key);
    }
    return -1;
}

static int model_victim(struct model *m, uint64_t weight)
{
    int key = -1;

    while (key < 0 && sum(m, &m->small) + sum(m, &m->main) + weight > m->capacity) {
        if (m->small.n > 0 && sum(m, &m->main) <= m->capacity - m->capacity / 10) {
            key = model_small_victim(m);
            continue;
        }
        while (m->hits[m->main.key[0]]-- > 0) append(&m->main, shift(&m->main));
        key = shift(&m->main);
    }
    return key;
}

/* Half of the keys are a few that come often. */
static int any_key(void)
{
    return (int)(next() % 2 ? next() % KEYS : next() % (KEYS / 10));
}

struct pair {
    struct tw_policy *p;
    struct tw_policy_node nodes[KEYS];
    struct model m;
    int victims, wrong;
};

/* Both give up the same keys in the same order. */
static void make_room(struct pair *a, uint64_t weight)
{
    int want;

    do {
        struct tw_policy_node *gone = tw_policy_victim(a->p, weight);

        want = model_victim(&a->m, weight);
        a->wrong += want != (gone ? (int)(gone - a->nodes) : -1);
        a->victims += gone != NULL;
    } while (want >= 0 && !a->wrong);
    a->wrong += tw_policy_weight(a->p) + weight > a->m.capacity;
}

/* The same random life for a policy and its model. */
static void beside_model(enum tw_policy_kind kind, uint64_t capacity, uint64_t heaviest,
                         const char *name)
{
    static struct pair a;
    int hits = 0;

    a = (struct pair){ .p = tw_policy_new(kind, capacity),
                       .m = { .kind = kind, .capacity = capacity } };
    for (int i = 0; i < rounds && !a.wrong; i++) {
        int key = any_key();
        uint64_t weight = 1 + next() % heaviest, dice = next() % 100;
        struct tw_policy_node *n = &a.nodes[key];

        if (n->queue == 0) {
            make_room(&a, weight);
            a.wrong += tw_policy_insert(a.p, n, (uint64_t)key, weight) != TW_OK;
            model_insert(&a.m, key, weight);
        } else if (dice < 3) {
            tw_policy_remove(a.p, n);
            if (!take(&a.m.small, key)) take(&a.m.main, key);
        } else if (dice < 6) {
            a.wrong += tw_policy_reweigh(a.p, n, weight) != TW_OK;
            a.m.weight[key] = weight;
            make_room(&a, 0);
        } else {
            tw_policy_touch(a.p, n);
            model_touch(&a.m, key);
            hits++;
        }
        a.wrong += (n->queue != 0) != model_has(&a.m, key);
        a.wrong += tw_policy_weight(a.p) != sum(&a.m, &a.m.small) + sum(&a.m, &a.m.main);
        a.wrong += tw_policy_count(a.p) != (uint64_t)(a.m.small.n + a.m.main.n);
    }
    ok(a.wrong == 0, "%s of %d, weights up to %d: as its model", name, (int)capacity,
       (int)heaviest);
    ok(a.victims > 0 && hits > 0, "which gave up %d and hit %d", a.victims, hits);
    tw_policy_free(a.p);
}

static void models(void)
{
    static const uint64_t capacity[] = { 1, 2, 9, 10, 11, 100, 250 };
    static const char *const names[] = { "S3-FIFO", "LRU", "FIFO" };

    for (int kind = TW_POLICY_S3FIFO; kind <= TW_POLICY_FIFO; kind++)
        for (size_t i = 0; i < sizeof capacity / sizeof *capacity; i++) {
            beside_model((enum tw_policy_kind)kind, capacity[i], 1, names[kind]);
            if (i > 3) beside_model((enum tw_policy_kind)kind, 40 * capacity[i],
                                    100, names[kind]);
        }
}

static struct tw_policy_node *add(struct tw_policy *p, struct tw_policy_node *n,
                                  uint64_t weight)
{
    struct tw_policy_node *gone = tw_policy_victim(p, weight);

    tw_policy_insert(p, n, (uint64_t)(uintptr_t)n, weight);
    return gone;
}

static void weights(void)
{
    struct tw_policy *p = tw_policy_new(TW_POLICY_LRU, 100);
    struct tw_policy_node n[4] = {0};

    add(p, &n[0], 40);
    add(p, &n[1], 60);
    ok(tw_policy_weight(p) == 100 && tw_policy_count(p) == 2, "full to the last byte");
    ok(!tw_policy_victim(p, 101), "nothing is given up for what can never fit");
    ok(tw_policy_insert(p, &n[2], 0, 101) == TW_ELIMIT
       && tw_policy_insert(p, &n[2], 0, UINT64_MAX) == TW_ELIMIT
       && tw_policy_insert(p, &n[2], 0, 0) == TW_ELIMIT, "and it is not taken in");
    ok(n[2].queue == 0 && tw_policy_count(p) == 2, "so that all is as it was");
    ok(tw_policy_victim(p, 41) == &n[0] && tw_policy_victim(p, 41) == &n[1]
       && !tw_policy_victim(p, 41), "as many go as the newcomer needs");
    add(p, &n[2], 100);
    ok(tw_policy_reweigh(p, &n[2], 101) == TW_ELIMIT
       && tw_policy_reweigh(p, &n[2], 0) == TW_ELIMIT && tw_policy_weight(p) == 100,
       "nothing grows past the capacity");
    tw_policy_reweigh(p, &n[2], 10);
    add(p, &n[3], 90);
    tw_policy_reweigh(p, &n[2], 11);
    ok(tw_policy_weight(p) == 101 && tw_policy_victim(p, 0) == &n[2]
       && tw_policy_weight(p) == 90, "one that grew makes room as a newcomer does");
    tw_policy_free(p);
    p = tw_policy_new(TW_POLICY_S3FIFO, 0);
    ok(!tw_policy_victim(p, 1) && tw_policy_insert(p, &n[0], 0, 1) == TW_ELIMIT,
       "a capacity of 0 takes nothing");
    tw_policy_free(p);
    tw_policy_free(NULL);
}

static void queues(void)
{
    enum { N = 20 };
    struct tw_policy *p = tw_policy_new(TW_POLICY_S3FIFO, 10);
    struct tw_policy_node n[N] = {0};
    struct tw_policy_node *gone = NULL;
    uint8_t small, large;

    for (int i = 0; i < 10; i++) add(p, &n[i], 1);
    small = n[0].queue;
    tw_policy_touch(p, &n[0]);
    ok(add(p, &n[10], 1) == &n[0], "one hit keeps nothing in small");
    tw_policy_touch(p, &n[1]);
    tw_policy_touch(p, &n[1]);
    ok(add(p, &n[11], 1) == &n[2] && n[1].queue != small, "two lead to main");
    large = n[1].queue;
    add(p, &n[0], 1);
    ok(n[0].queue == large, "a key that was given up lately comes back to main");
    tw_policy_remove(p, &n[0]);
    tw_policy_remove(p, &n[10]);
    tw_policy_remove(p, &n[1]);
    ok(tw_policy_count(p) == 7, "nodes leave small, main and main's end");
    tw_policy_remove(p, &n[1]);
    ok(tw_policy_count(p) == 7, "removed twice is removed once");
    add(p, &n[0], 1);
    ok(n[0].queue == small, "a removed one is not recalled");
    for (int i = 12; i < N; i++) gone = add(p, &n[i], 1);
    ok(gone && gone->queue == 0 && !gone->newer && !gone->older, "a victim has no links");
    tw_policy_remove(p, gone);
    ok(tw_policy_count(p) == 10, "and may be removed again");
    tw_policy_free(p);
}

static void memory(void)
{
    enum { N = 1000 };
    static struct tw_policy_node n[N];
    struct tw_policy *p;
    uint64_t before;
    int wrong = 0;

    tw_memory_fail_at(1);
    ok(!tw_policy_new(TW_POLICY_S3FIFO, N), "new without memory");
    p = tw_policy_new(TW_POLICY_S3FIFO, N);
    for (int i = 0; i < N; i++) {
        tw_memory_fail_at(1 + (uint64_t)i % 2);      /* the first or the second */
        wrong += tw_policy_insert(p, &n[i], (uint64_t)i, 1) != TW_OK;
    }
    tw_memory_fail_at(0);
    for (int i = 0; i < N; i++) {
        wrong += tw_policy_victim(p, 1) != &n[i];
        add(p, &n[i], 1);
    }
    ok(wrong == 0 && tw_policy_count(p) == N, "without memory it forgets, no more");
    before = tw_memory_count();
    for (int i = 0; i < 10 * N; i++) add(p, &n[tw_policy_victim(p, 1) - n], 1);
    ok(tw_memory_count() == before, "once it has grown it takes no more memory");
    tw_policy_free(p);
}

/* Hits are counted by other threads meanwhile. */
struct shared {
    struct tw_policy *p;
    struct tw_policy_node n[KEYS];
    _Atomic bool over;
};

static void *reader(void *arg)
{
    struct shared *s = arg;

    for (unsigned i = 0; !atomic_load(&s->over); i++)
        tw_policy_touch(s->p, &s->n[i * 7 % KEYS]);
    return NULL;
}

static void threads(void)
{
    static struct shared s;
    pthread_t th[READERS];
    int wrong = 0;

    s.p = tw_policy_new(TW_POLICY_S3FIFO, 20);
    for (int i = 0; i < READERS; i++) pthread_create(&th[i], NULL, reader, &s);
    for (int i = 0; i < rounds; i++) {
        struct tw_policy_node *n = &s.n[next() % KEYS];

        if (n->queue) continue;
        add(s.p, n, 1);
        wrong += tw_policy_count(s.p) > 20 || atomic_load(&n->hits) > 3;
    }
    atomic_store(&s.over, true);
    for (int i = 0; i < READERS; i++) pthread_join(th[i], NULL);
    ok(wrong == 0, "hits from other threads keep nothing from going");
    tw_policy_free(s.p);
}

int main(void)
{
    if (getenv("SMALL")) rounds = 5000;
    models();
    weights();
    queues();
    memory();
    threads();
    return tap_done();
}
