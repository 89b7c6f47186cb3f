/* symbols.c - instruments keep their attributes, each of them whole (S1, S2). */
#include "tape/symbols.h"

#include <pthread.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "tap.h"
#include "tape/record.h"

enum { ROUNDS = 20000, WRITERS = 2 };

struct job { struct tw_symbols *s; int64_t k; uint64_t wrong; };

static void attributes(void)
{
    struct tw_symbols *s = tw_symbols_new(1000);
    char name[16];
    bool apart = true;
    int rc, n;

    tw_symbols_intern(s, "AAPL", 4);
    tw_symbols_intern(s, "BP", 2);
    ok(tw_symbols_attribute_find(s, "country", 7) == -1, "an attribute that nobody made");
    for (n = 0, rc = UV_ENOMEM; rc == UV_ENOMEM; n++) {
        tw_memory_fail_at((uint64_t)n + 1);
        rc = tw_symbols_attribute(s, "country", 7);
    }
    tw_memory_fail_at(0);
    ok(rc == 0 && n > 1 && tw_symbols_attributes(s) == 1, "its memory may fail, it is 0");
    ok(tw_symbols_attribute(s, "", 0) == TW_ELIMIT && tw_symbols_attributes(s) == 1,
       "it has a name");
    for (int i = 1; i < TW_ATTRIBUTES; i++) {
        snprintf(name, sizeof name, "a%d", i);
        apart = apart && tw_symbols_attribute(s, name, strlen(name)) == i
            && tw_symbols_attribute_find(s, name, strlen(name)) == i
            && !strcmp(tw_symbols_attribute_name(s, (unsigned)i), name);
    }
    ok(apart && tw_symbols_attribute(s, "country", 7) == 0, "others are 1, 2, ...");
    ok(tw_symbols_attribute(s, "more", 4) == TW_ELIMIT, "there is an end of them");
    for (uint32_t i = 0; i < TW_ATTRIBUTES; i++) {
        apart = apart && tw_symbols_attribute_get(s, 2, i) == 0;
        tw_symbols_attribute_set(s, 2, i, i + 1);
    }
    for (uint32_t i = 0; i < TW_ATTRIBUTES; i++)
        apart = apart && tw_symbols_attribute_get(s, 2, i) == i + 1
            && tw_symbols_attribute_get(s, 1, i) == 0;
    ok(apart, "each symbol has its own value of each");
    ok(tw_names_intern(tw_symbols_values(s), "US", 2) == 1, "values have names");
    tw_symbols_free(s);
}

/* Every value that is ever written has equal halves. */
static int64_t twice(int64_t v) { return v << 32 | v; }
static bool halves(int64_t v) { return v >> 32 == (v & INT64_C(0xffffffff)); }

static void *writer(void *arg)
{
    struct job *j = arg;

    for (int64_t i = 0; i < ROUNDS; i++) {
        int64_t v = i * WRITERS + j->k;

        tw_symbols_set(j->s, 1, &(struct tw_instrument){
            .sector = (uint32_t)(v & 0xffff) * 0x10001u, .tick_fixed = twice(v),
            .lot_fixed = twice(v), .weight = (double)v + 0.5 });
    }
    return NULL;
}

static void *reader(void *arg)
{
    struct job *j = arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct tw_instrument in = tw_symbols_get(j->s, 1);

        j->wrong += in.sector >> 16 != (in.sector & 0xffff) || !halves(in.tick_fixed) ||
                    !halves(in.lot_fixed);
        j->wrong += in.weight != 0 && in.weight != (double)(int64_t)in.weight + 0.5;
    }
    return NULL;
}

/* Two threads make the same attributes, and see each other's values. */
static void *maker(void *arg)
{
    struct job *j = arg;
    char name[16];

    for (int i = 0; i < TW_ATTRIBUTES; i++) {
        int own, n = snprintf(name, sizeof name, "a%d",
                              j->k ? i : (i + TW_ATTRIBUTES / 2) % TW_ATTRIBUTES);

        own = tw_symbols_attribute(j->s, name, (size_t)n);
        j->wrong += own < 0
            || strcmp(tw_symbols_attribute_name(j->s, (unsigned)own), name);
        tw_symbols_attribute_set(j->s, 1, (unsigned)own, 7);
        for (unsigned k = 0; k < tw_symbols_attributes(j->s); k++)
            j->wrong += tw_symbols_attribute_get(j->s, 1, k) % 7 != 0;
    }
    return NULL;
}

static void makers(void)
{
    struct tw_symbols *s = tw_symbols_new(10);
    struct job j[2] = { { .s = s }, { .s = s, .k = 1 } };
    pthread_t th[2];

    tw_symbols_intern(s, "AAPL", 4);
    for (int k = 0; k < 2; k++) pthread_create(&th[k], NULL, maker, &j[k]);
    for (int k = 0; k < 2; k++) pthread_join(th[k], NULL);
    ok(j[0].wrong + j[1].wrong == 0 && tw_symbols_attributes(s) == TW_ATTRIBUTES,
       "an attribute that two threads make is one");
    tw_symbols_free(s);
}

static void threads(void)
{
    struct tw_symbols *s = tw_symbols_new(10);
    struct job j[WRITERS + 1];
    pthread_t th[WRITERS + 1];

    tw_symbols_intern(s, "AAPL", 4);
    for (int k = 0; k <= WRITERS; k++) {
        j[k] = (struct job){ .s = s, .k = k };
        pthread_create(&th[k], NULL, k < WRITERS ? writer : reader, &j[k]);
    }
    for (int k = 0; k <= WRITERS; k++) pthread_join(th[k], NULL);
    ok(j[WRITERS].wrong == 0, "no attribute is ever half of one write");
    tw_symbols_free(s);
}

int main(void)
{
    struct tw_symbols *s = tw_symbols_new(UINT32_MAX);
    struct tw_instrument in = { .sector = 1, .tick_fixed = 10000000,
                                .lot_fixed = 1000000000, .weight = 0.4 }, got;
    int failed;

    ok(tw_symbols_intern(s, "AAPL", 4) == 1 && tw_symbols_intern(s, "BP", 2) == 2 &&
       tw_symbols_find(s, "BP", 2) == 2 && tw_symbols_count(s) == 2, "ids are 1, 2");
    ok(!strcmp(tw_symbols_name(s, 1), "AAPL"), "an id has its name");
    got = tw_symbols_get(s, 1);
    ok(got.sector == 0 && got.tick_fixed == 0 && got.lot_fixed == 0 && got.weight == 0,
       "nothing is known at first");
    ok(tw_names_intern(tw_symbols_sectors(s), "tech", 4) == 1, "a sector has a name");
    tw_symbols_set(s, 1, &in);
    got = tw_symbols_get(s, 1);
    ok(got.sector == in.sector && got.tick_fixed == in.tick_fixed &&
       got.lot_fixed == in.lot_fixed && got.weight == in.weight, "what is set is got");
    ok(tw_symbols_get(s, 2).sector == 0, "of that one alone");
    tw_symbols_free(s);
    tw_symbols_free(NULL);

    s = tw_symbols_new(1);
    ok(tw_symbols_intern(s, "a", 1) == 1 && tw_symbols_intern(s, "b", 1) == TW_ELIMIT,
       "a full table refuses");
    tw_symbols_free(s);

    for (failed = 0;; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        s = tw_symbols_new(10);
        if (s) break;
    }
    tw_memory_fail_at(0);
    ok(failed > 5, "each of %d allocations may fail", failed);
    tw_symbols_free(s);
    attributes();
    threads();
    makers();
    return tap_done();
}
