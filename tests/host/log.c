/* log.c - many writers, one drainer: nothing dropped, order kept (L1 to L3). */
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tap.h"

enum { WRITERS = 4 };
static int lines = 5000;

static int wakes;
static void count_wake(void *ctx) { ++*(int *)ctx; }

struct seen { int n; char text[8][200]; enum tw_log_level level[8]; const char *who[8]; };

static void remember(void *ctx, enum tw_log_level level, const char *who,
                     const char *text, size_t n)
{
    struct seen *s = ctx;

    snprintf(s->text[s->n % 8], sizeof s->text[0], "%.*s", (int)n, text);
    s->level[s->n % 8] = level;
    s->who[s->n++ % 8] = who;
}

static void basics(void)
{
    struct tw_log *log = tw_log_new(100, count_wake, &wakes);
    struct seen s = {0};
    char longest[300];

    ok(tw_log_drain(log, remember, &s) == 0 && wakes == 0, "it begins empty");
    tw_log_write(log, TW_LOG_WARN, "feed fix", "one", 3);
    ok(wakes == 1, "the first line wakes");
    tw_log_printf(log, TW_LOG_INFO, "worker 1", "%d\n%s", 2, "two");
    ok(wakes == 1, "the second does not");
    ok(tw_log_drain(log, remember, &s) == 2, "both are taken");
    ok(s.level[0] == TW_LOG_WARN && !strcmp(s.who[0], "feed fix") &&
       !strcmp(s.text[0], "one"), "level, who and text are kept");
    ok(!strcmp(s.text[1], "2\ntwo"), "a block of lines stays together");
    memset(longest, 'x', sizeof longest);
    ok(tw_log_write(log, TW_LOG_PRINT, "x", longest, sizeof longest) == 0 && wakes == 2,
       "empty again, a line wakes again");
    tw_log_drain(log, remember, &s);
    ok(strlen(s.text[2]) == 100, "a line is cut to the queue's size");
    tw_log_printf(log, TW_LOG_PRINT, "x", "%.300s", longest);
    ok(tw_log_drain(log, remember, &s) == 1 && strlen(s.text[3]) == 100,
       "a formatted one too");
    tw_log_write(log, TW_LOG_PRINT, "x", "", 0);
    ok(tw_log_drain(log, remember, &s) == 1 && !*s.text[4], "an empty line is a line");
    tw_log_free(log);
    tw_log_free(NULL);
}

static void main_never_waits(void)
{
    struct tw_log *log = tw_log_new(50, count_wake, &wakes);
    struct seen s = {0};

    tw_role_set(&MAIN);
    ok(tw_log_write(log, TW_LOG_INFO, "main", "0123456789", 10) == 0 &&
       tw_log_printf(log, TW_LOG_INFO, "main", "%50d", 1) == TW_EFULL,
       "where MAIN would wait it is told so");
    ok(tw_log_drain(log, remember, &s) == 1, "and nothing of it is queued");
    ok(tw_log_printf(log, TW_LOG_INFO, "main", "%50d", 1) == 0, "drained, it fits");
    tw_log_free(log);
}

static void no_memory(void)
{
    struct tw_log *log = NULL;
    int failed;

    for (failed = 0; !log; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        log = tw_log_new(100, count_wake, &wakes);
    }
    tw_memory_fail_at(0);
    ok(failed == 4, "each of its 3 allocations may fail");
    tw_log_free(log);
}

/* A drainer that sleeps until it is woken: a missed wake-up would hang it. */
struct crowd {
    struct tw_log *log;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int wakes;                   /* mutex: under lock */
    int next[WRITERS];           /* owner: the drainer */
    int wrong;                   /* owner: the drainer */
};
struct job { struct crowd *c; int k; };

static void wake_crowd(void *ctx)
{
    struct crowd *c = ctx;

    pthread_mutex_lock(&c->lock);
    c->wakes++;
    pthread_cond_signal(&c->woken);
    pthread_mutex_unlock(&c->lock);
}

static void *writer(void *arg)
{
    struct job *j = arg;

    for (int i = 0; i < lines; i++)
        tw_log_printf(j->c->log, TW_LOG_INFO, "writer", "%d %d\n%*d", j->k, i,
                      (i * 7 + j->k) % 50, i);
    return NULL;
}

static void check(void *ctx, enum tw_log_level level, const char *who,
                  const char *text, size_t n)
{
    struct crowd *c = ctx;
    int k, i, again;

    c->wrong += level != TW_LOG_INFO || strcmp(who, "writer") || text[n] != 0;
    c->wrong += sscanf(text, "%d %d\n%d", &k, &i, &again) != 3 || i != again;
    c->wrong += i != c->next[k]++;
}

static void threads(void)
{
    struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER,
                       .woken = PTHREAD_COND_INITIALIZER };
    struct job j[WRITERS];
    pthread_t th[WRITERS];
    size_t taken = 0, all = (size_t)(WRITERS * lines);

    c.log = tw_log_new(400, wake_crowd, &c);
    for (int k = 0; k < WRITERS; k++) {
        j[k] = (struct job){ &c, k };
        pthread_create(&th[k], NULL, writer, &j[k]);
    }
    while (taken < all) {
        pthread_mutex_lock(&c.lock);
        while (c.wakes == 0) pthread_cond_wait(&c.woken, &c.lock);
        c.wakes = 0;
        pthread_mutex_unlock(&c.lock);
        taken += tw_log_drain(c.log, check, &c);
    }
    for (int k = 0; k < WRITERS; k++) pthread_join(th[k], NULL);
    ok(taken == all && tw_log_drain(c.log, check, &c) == 0,
       "%d writers waited for room, no line was lost", WRITERS);
    ok(c.wrong == 0, "each line is whole and in its writer's order");
    tw_log_free(c.log);
}

/* One that waits until its lines have been handed on. */
struct leaver { struct tw_log *log; _Atomic int handed, seen; };

static void hand(void *ctx, enum tw_log_level level, const char *who, const char *text,
                 size_t n)
{
    (void)level, (void)who, (void)text, (void)n;
    atomic_fetch_add(&((struct leaver *)ctx)->handed, 1);
}

static void *leave(void *arg)
{
    struct leaver *l = arg;

    tw_log_wait(l->log, INT64_MAX / 2);
    tw_log_write(l->log, TW_LOG_PRINT, "", "last", 4);
    tw_log_write(l->log, TW_LOG_PRINT, "", "words", 5);
    tw_log_wait(l->log, INT64_MAX / 2);
    atomic_store(&l->seen, atomic_load(&l->handed));
    return NULL;
}

static void waits(void)
{
    struct leaver l = { .log = tw_log_new(400, count_wake, &wakes) };
    pthread_t th;

    pthread_create(&th, NULL, leave, &l);
    while (atomic_load(&l.seen) == 0) tw_log_drain(l.log, hand, &l);
    pthread_join(th, NULL);
    ok(l.seen == 2, "who waits goes on when its lines have been handed on");
    tw_log_write(l.log, TW_LOG_PRINT, "", "late", 4);
    tw_log_wait(l.log, INT64_MAX / 2);
    ok(tw_log_drain(l.log, hand, &l) == 1, "MAIN does not wait for itself");
    tw_role_set(&WORKER);
    tw_log_write(l.log, TW_LOG_PRINT, "", "late", 4);
    tw_log_wait(l.log, 1000000);
    tw_role_set(&MAIN);
    ok(tw_log_drain(l.log, hand, &l) == 1, "nor does anybody for ever");
    tw_log_free(l.log);
}

int main(void)
{
    if (getenv("SMALL")) lines = 300;
    basics();
    main_never_waits();
    no_memory();
    threads();
    waits();
    return tap_done();
}
