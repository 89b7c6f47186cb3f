/* channels.c - a name is one channel, whichever thread asks first. */
#include "share/channels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "tap.h"

enum { THREADS = 4 };

static struct tw_channel *fresh(const char *name)
{
    return tw_channel_new(2, TW_WHEN_FULL_WAIT, name);
}

/* The channel of that name; the caller's reference is not kept. */
static struct tw_channel *enter(struct tw_channels *cs, const char *name, int *rc)
{
    struct tw_channel *c = fresh(name), *one;

    *rc = tw_channels_enter(cs, c, &one);
    tw_channel_unref(c);
    if (one) tw_channel_unref(one);
    return one;
}

static void test_names(void)
{
    struct tw_channels *cs = tw_channels_new();
    struct tw_channel *a, *at;
    int rc;

    a = enter(cs, "a", &rc);
    ok(rc == TW_OK && enter(cs, "a", &rc) == a, "the same name is the same channel");
    ok(enter(cs, "b", &rc) != a, "another is another");
    at = tw_channels_at(cs, 0);
    ok(at == a && !tw_channels_at(cs, 2), "they are listed in their order");
    tw_channel_unref(at);
    tw_channels_free(cs);
    ok(tw_object_live() == 0, "and are freed with the list");
}

static void test_limits(void)
{
    struct tw_channels *cs = tw_channels_new();
    struct tw_channel *c = fresh("x"), *one;
    char name[16];
    int rc = TW_OK;

    tw_memory_fail_at(1);
    ok(tw_channels_enter(cs, c, &one) == UV_ENOMEM && !one, "without memory: an error");
    tw_memory_fail_at(0);
    tw_channel_unref(c);
    for (unsigned i = 0; i < TW_CHANNELS_MAX && rc == TW_OK; i++) {
        snprintf(name, sizeof name, "%u", i);
        enter(cs, name, &rc);
    }
    ok(rc == TW_OK, "%d channels have names", TW_CHANNELS_MAX);
    ok(!enter(cs, "one more", &rc) && rc == TW_ELIMIT, "and no more");
    ok(enter(cs, "7", &rc) && rc == TW_OK, "those that there are can be had");
    tw_channels_free(cs);
}

static void test_field(void)
{
    struct tw_channel *c = tw_channel_new_keyed(1, "symbol", "quotes");

    ok(strcmp(tw_channel_field(c), "symbol") == 0
       && strcmp(tw_channel_name(c), "quotes") == 0
       && tw_channel_when_full(c) == TW_WHEN_FULL_LATEST, "a channel knows its key");
    tw_channel_unref(c);
    c = fresh(NULL);
    ok(!tw_channel_field(c) && !tw_channel_name(c), "or has none, and no name");
    tw_channel_unref(c);
}

struct racer { struct tw_channels *cs; struct tw_channel *got; };

static void *race(void *arg)
{
    struct racer *r = arg;
    int rc;

    r->got = enter(r->cs, "raced for", &rc);
    return NULL;
}

static void test_race(void)
{
    int rounds = getenv("SMALL") ? 20 : 500, agreed = 0;

    for (int k = 0; k < rounds; k++) {
        struct racer r[THREADS];
        pthread_t thread[THREADS];
        struct tw_channels *cs = tw_channels_new();
        bool same = true;

        for (int i = 0; i < THREADS; i++) {
            r[i].cs = cs;
            pthread_create(&thread[i], NULL, race, &r[i]);
        }
        for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
        for (int i = 1; i < THREADS; i++) same = same && r[i].got == r[0].got;
        agreed += same;
        tw_channels_free(cs);
    }
    ok(agreed == rounds, "threads that race for a name get one channel");
    ok(tw_object_live() == 0, "and nothing is left of the others");
}

int main(void)
{
    test_names();
    test_limits();
    test_field();
    test_race();
    return tap_done();
}
