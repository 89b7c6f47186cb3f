/* value.c - blocks live as long as somebody refers to them. */
#include "share/value.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "tap.h"

enum { THREADS = 4, ROUNDS = 20000 };

static void *user(void *arg)
{
    struct tw_value *v = arg;
    size_t n, wrong = 0;

    for (int i = 0; i < ROUNDS; i++) {
        tw_value_ref(v);
        wrong += memcmp(tw_value_bytes(v, &n), "shared", 7) != 0 || n != 7;
        tw_value_unref(v);
    }
    tw_value_unref(v);   /* the one it was given; any thread may be the last */
    return (void *)wrong;
}

int main(void)
{
    char text[] = "hello\0world";
    struct tw_value *v = tw_value_new(text, sizeof text), *empty = tw_value_new(NULL, 0);
    pthread_t th[THREADS];
    size_t n, wrong = 0;
    void *result;

    memset(text, 'x', sizeof text);
    ok(!memcmp(tw_value_bytes(v, &n), "hello\0world", 12) && n == 12, "it is a copy");
    ok((uintptr_t)tw_value_bytes(v, &n) % 8 == 0, "words in it are aligned");
    tw_value_bytes(empty, &n);
    ok(n == 0 && tw_value_live() == 2, "two live, one of them empty");
    tw_value_unref(empty);
    tw_value_ref(v);
    tw_value_unref(v);
    ok(tw_value_live() == 1, "a block with a reference left lives");
    tw_value_unref(v);
    ok(tw_value_live() == 0, "without one it is gone");
    tw_memory_fail_at(1);
    ok(!tw_value_new("x", 1) && tw_value_live() == 0, "without memory there is none");

    v = tw_value_new("shared", 7);
    for (int k = 1; k < THREADS; k++) tw_value_ref(v);
    for (int k = 0; k < THREADS; k++) pthread_create(&th[k], NULL, user, v);
    for (int k = 0; k < THREADS; k++) {
        pthread_join(th[k], &result);
        wrong += (size_t)result;
    }
    ok(wrong == 0, "%d threads use one block", THREADS);
    ok(tw_value_live() == 0, "and the last of them frees it");
    return tap_done();
}
