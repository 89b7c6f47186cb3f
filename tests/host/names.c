/* names.c - one dense id per name, from any number of threads (N1 to N4). */
#include "tape/names.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "tap.h"

enum { THREADS = 4 };
static int total = 20000;                /* names that the threads share */

static int64_t intern(struct tw_names *t, const char *name)
{
    return tw_names_intern(t, name, strlen(name));
}

static uint32_t find(const struct tw_names *t, const char *name)
{
    return tw_names_find(t, name, strlen(name));
}

static void basics(void)
{
    struct tw_names *t = tw_names_new(100);
    char longest[TW_NAME_MAX + 1];

    memset(longest, 'x', sizeof longest);
    ok(tw_names_count(t) == 0 && find(t, "AAPL") == 0, "it begins empty");
    ok(intern(t, "AAPL") == 1 && intern(t, "GOOG") == 2, "ids are 1, 2");
    ok(intern(t, "AAPL") == 1 && find(t, "GOOG") == 2, "and stay so");
    ok(tw_names_intern(t, "BPX", 2) == 3 && !strcmp(tw_names_get(t, 3), "BP"),
       "a name ends where its length says");
    ok(find(t, "B") == 0 && find(t, "BPX") == 0, "neither a prefix nor more is it");
    ok(tw_names_intern(t, "BP\0", 3) == 4 && tw_names_find(t, "BP", 2) == 3,
       "a 0 byte is a byte");
    ok(tw_names_intern(t, longest, TW_NAME_MAX) == 5 &&
       strlen(tw_names_get(t, 5)) == TW_NAME_MAX, "%d bytes fit", TW_NAME_MAX);
    ok(tw_names_intern(t, longest, TW_NAME_MAX + 1) == TW_ELIMIT, "one more does not");
    ok(tw_names_intern(t, "", 0) == TW_ELIMIT, "nor does an empty name");
    ok(!tw_names_find(t, "", 0) && !tw_names_find(t, longest, TW_NAME_MAX + 1),
       "such names are not found");
    ok(tw_names_count(t) == 5, "what was refused took no id");
    tw_names_free(t);
    tw_names_free(NULL);
}

/* Every length, each byte changed in turn is another name (N1), and none
 * outside the name is read: it ends at a page that is not there. */
static void lengths(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *p = tw_map(2 * page, false);
    struct tw_names *t = tw_names_new(3000);
    uint32_t id = 0, wrong = 0;

    mprotect(p + page, page, PROT_NONE);
    for (size_t n = 1; n <= TW_NAME_MAX; n++) {
        char *name = p + page - n;

        memset(name, 'a', n);
        wrong += tw_names_intern(t, name, n) != ++id;
        for (size_t i = 0; i < n; i++) {
            name[i] = 'b';
            wrong += tw_names_find(t, name, n) != 0;
            wrong += tw_names_intern(t, name, n) != ++id;
            wrong += memcmp(tw_names_get(t, id), name, n) != 0;
            name[i] = 'a';
        }
    }
    ok(wrong == 0, "%u names of 1 to %d bytes are all different", id, TW_NAME_MAX);
    tw_names_free(t);
    tw_unmap(p, 2 * page);
}

static void full(void)
{
    struct tw_names *t = tw_names_new(3);

    ok(intern(t, "a") == 1 && intern(t, "b") == 2 && intern(t, "c") == 3, "three fit");
    ok(intern(t, "d") == TW_ELIMIT && find(t, "d") == 0, "a fourth does not");
    ok(intern(t, "b") == 2 && tw_names_count(t) == 3, "those in it stay");
    tw_names_free(t);
}

static void resident(void)
{
    enum { MAX = 1000000 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (MAX + 1) * (size_t)64;
    size_t pages = (bytes + page - 1) / page, n = 0;
    unsigned char *in = malloc(pages);
    struct tw_names *t = tw_names_new(MAX);

    intern(t, "AAPL"), intern(t, "GOOG"), intern(t, "BP"), intern(t, "XOM");
    ok(mincore((void *)((uintptr_t)tw_names_get(t, 1) / page * page), bytes, in) == 0,
       "the kernel says which pages are there");
    for (size_t i = 0; i < pages; i++) n += in[i] & 1;
    ok(n == 1, "room for %d that holds 4 takes %zu page", MAX, n);
    tw_names_free(t);
    free(in);
}

/* A failed allocation adds nothing, leaks nothing, and can be tried again. */
static void no_memory(void)
{
    enum { NAMES = 500 };
    uint32_t wrong = 0;
    bool failed = true;
    uint64_t at;

    for (at = 1; failed; at++) {
        struct tw_names *t;

        tw_memory_fail_at(at);
        t = tw_names_new(NAMES);
        failed = !t;
        for (int i = 0; t && i < NAMES; i++) {
            char name[16];
            size_t n = (size_t)snprintf(name, sizeof name, "n%d", i);
            int64_t id = tw_names_intern(t, name, n);

            if (id == UV_ENOMEM) {
                failed = true;
                wrong += tw_names_count(t) != (uint32_t)i || tw_names_find(t, name, n);
                id = tw_names_intern(t, name, n);
            }
            wrong += id != i + 1;
        }
        tw_names_free(t);
    }
    tw_memory_fail_at(0);
    ok(wrong == 0 && at > 5, "each of %d allocations may fail", (int)at - 2);
}

struct job {
    struct tw_names *t;
    int k;                       /* which thread */
    uint32_t *id;                /* what it got for each name */
    uint32_t wrong;
};

static void *crowd(void *arg)
{
    struct job *j = arg;

    for (int i = 0; i < total; i++) {
        /* Each goes another way round, so that they meet everywhere. */
        int which = (j->k & 1 ? total - 1 - i : i + j->k * total / THREADS) % total;
        char name[32];
        size_t n = (size_t)snprintf(name, sizeof name, "%d.%d", which, which % 7);
        int64_t id = tw_names_intern(j->t, name, n);

        if (id <= 0 || (uint32_t)id > tw_names_count(j->t)) { j->wrong++; continue; }
        j->wrong += strcmp(tw_names_get(j->t, (uint32_t)id), name) != 0;
        j->wrong += tw_names_find(j->t, name, n) != id;
        j->id[which] = (uint32_t)id;
        /* Whatever count shows is whole, though another has just added it. */
        j->wrong += !strchr(tw_names_get(j->t, tw_names_count(j->t)), '.');
    }
    return NULL;
}

static void threads(void)
{
    struct tw_names *t = tw_names_new((uint32_t)total);
    struct job j[THREADS];
    pthread_t th[THREADS];
    unsigned char *seen = calloc((size_t)total + 1, 1);
    uint32_t wrong = 0, differ = 0, dup = 0;

    for (int k = 0; k < THREADS; k++) {
        j[k] = (struct job){ .t = t, .k = k, .id = calloc((size_t)total, 4) };
        pthread_create(&th[k], NULL, crowd, &j[k]);
    }
    for (int k = 0; k < THREADS; k++) {
        pthread_join(th[k], NULL);
        wrong += j[k].wrong;
    }
    for (int i = 0; i < total; i++) {
        for (int k = 1; k < THREADS; k++) differ += j[k].id[i] != j[0].id[i];
        dup += seen[j[0].id[i]]++;
    }
    ok(wrong == 0, "what was interned is found, named and counted at once");
    ok(differ == 0, "%d threads got the same ids for %d names", THREADS, total);
    ok(dup == 0 && tw_names_count(t) == (uint32_t)total, "ids are dense");
    for (int k = 0; k < THREADS; k++) free(j[k].id);
    free(seen);
    tw_names_free(t);
}

int main(void)
{
    if (getenv("SMALL")) total = 2000;
    basics();
    lengths();
    full();
    resident();
    no_memory();
    threads();
    return tap_done();
}
