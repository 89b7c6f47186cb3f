/* hashed: what is in a table is found, by its hash and by nothing else. */
#include "base/hashed.h"

#include "base/memory.h"
#include "random.h"
#include "tap.h"

enum { N = 5000 };

struct thing { int key; struct tw_hashed_link hashed; bool is_in; };

static struct thing things[N];

/* Few hashes, so that lists hold several of one hash, and several hashes. */
static uint64_t hash_of(int key)
{
    return (uint64_t)(key % 1500) * 64;
}

static struct thing *find(const struct tw_hashed *t, int key)
{
    struct tw_hashed_link *l = tw_hashed_first(t, hash_of(key));

    while (l && TW_HASHED(l, struct thing, hashed)->key != key) l = tw_hashed_next(l);
    return l ? TW_HASHED(l, struct thing, hashed) : NULL;
}

static bool is_as_noted(const struct tw_hashed *t, size_t n)
{
    for (int i = 0; i < N; i++)
        if (find(t, i) != (things[i].is_in ? &things[i] : NULL)) return false;
    return t->n == n;
}

static void note_end(struct tw_hashed_link *l, void *ctx)
{
    TW_HASHED(l, struct thing, hashed)->is_in = false;
    ++*(size_t *)ctx;
}

/* fail: from which allocation on there is no memory; 0: there is always some. */
static void try(uint64_t fail)
{
    struct tw_hashed t;
    size_t n = 0, ended = 0;
    bool fine = true;

    ok(tw_hashed_init(&t) == TW_OK, "a table");
    if (fail) tw_memory_fail_row(fail, 1000000);
    for (int step = 0; step < 40000; step++) {
        struct thing *one = &things[next() % N];

        one->key = (int)(one - things);
        if (one->is_in) tw_hashed_remove(&t, &one->hashed);
        else tw_hashed_add(&t, &one->hashed, hash_of(one->key));
        n += one->is_in ? -1 : 1;
        one->is_in = !one->is_in;
        if (step % 4000 == 0) fine = fine && is_as_noted(&t, n);
    }
    tw_memory_fail_at(0);
    ok(fine && is_as_noted(&t, n), "what was added and not removed is found");
    ok(fail ? t.n_lists == 64 : t.n_lists >= n, "it has grown, where there was memory");
    tw_hashed_fini(&t, note_end, &ended);
    ok(ended == n, "each has its end");
    n = 0;
    for (int i = 0; i < N; i++) n += things[i].is_in;
    ok(n == 0, "once");
}

int main(void)
{
    struct tw_hashed t;

    try(0);
    try(1);
    tw_memory_fail_at(1);
    ok(tw_hashed_init(&t) < 0, "no memory for a table");
    tw_hashed_fini(&t, note_end, NULL);
    return tap_done();
}
