/* rig.h - an io thread, its tape and its log, for tests that wait for events. */
#ifndef RIG_H
#define RIG_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/io.h"
#include "tap.h"

enum { FEEDS = 4, PATIENCE_S = 60, LOG_BYTES = 1 << 20 };

struct rig {
    struct tw_tape *tape;
    struct tw_symbols *symbols;
    struct tw_log *log;
    struct tw_io *io;
    struct tw_cursor cursor;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum tw_feed_state state[FEEDS];     /* mutex: under lock */
    char text[FEEDS][500];               /* mutex: under lock */
    size_t used;
    char lines[LOG_BYTES];               /* what was drained of the log */
};

static void on_changed(void *ctx, unsigned feed, enum tw_feed_state state,
                       const char *text)
{
    struct rig *g = ctx;

    pthread_mutex_lock(&g->lock);
    g->state[feed] = state;
    snprintf(g->text[feed], sizeof g->text[feed], "%s", text);
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static void on_line(void *ctx, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    struct rig *g = ctx;
    int length = snprintf(g->lines + g->used, sizeof g->lines - g->used,
                          "%d %s: %.*s\n", level, who, (int)n, text);

    if (g->used + (size_t)length < sizeof g->lines) g->used += (size_t)length;
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

/* A reliable reader stands at the tape's beginning. */
static struct rig *rig_open(size_t capacity)
{
    struct rig *g = calloc(1, sizeof *g);

    tw_role_set(&MAIN);
    tw_be_main();
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    g->tape = tw_tape_new(capacity);
    g->symbols = tw_symbols_new(10000);
    g->log = tw_log_new(LOG_BYTES, no_wake, NULL);
    g->io = tw_io_new(&(struct tw_io_options){
        .tape = g->tape, .symbols = g->symbols, .log = g->log,
        .changed = on_changed, .ctx = g,
    });
    tw_cursor_open(&g->cursor, g->tape, true, 1);
    return g;
}

static const char *rig_log(struct rig *g)
{
    tw_log_drain(g->log, on_line, g);
    return g->lines;
}

static void rig_close(struct rig *g)
{
    tw_be_main();
    tw_io_stop(g->io);
    rig_log(g);
    if (getenv("VERBOSE")) fprintf(stderr, "%s", g->lines);
    tw_io_free(g->io);
    tw_cursor_close(&g->cursor);
    tw_log_free(g->log);
    tw_symbols_free(g->symbols);
    tw_tape_free(g->tape);
    pthread_cond_destroy(&g->changed);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static bool rig_start(struct rig *g)
{
    struct tw_error error = {0};

    tw_be_main();
    if (tw_io_start(g->io, &error) == 0) return true;
    printf("# %s\n", error.text);
    return false;
}

/* Whether a feed comes to a state before our patience ends. */
static bool rig_await(struct rig *g, unsigned feed, enum tw_feed_state state)
{
    struct timespec until;
    bool met;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&g->lock);
    while (g->state[feed] != state && rc == 0)
        rc = pthread_cond_timedwait(&g->changed, &g->lock, &until);
    met = g->state[feed] == state;
    pthread_mutex_unlock(&g->lock);
    return met;
}

/* One look at a condition that nobody signals; false when it took too long. */
static bool rig_look(unsigned *looks)
{
    nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    return ++*looks < PATIENCE_S * 10000u;
}

/* Whether the log comes to have `part` so many times. */
static inline bool rig_await_lines(struct rig *g, const char *part, int times)
{
    unsigned looks = 0;
    int found;

    do {
        found = 0;
        for (const char *p = rig_log(g); (p = strstr(p, part)); p++) found++;
    } while (found < times && rig_look(&looks));
    return found >= times;
}

/* Reads up to n records, committing each; fewer when it takes too long. */
static size_t rig_read(struct rig *g, struct tw_record *out, size_t n)
{
    unsigned looks = 0;
    size_t i = 0;

    while (i < n) {
        if (tw_cursor_next(&g->cursor, &out[i])) {
            tw_cursor_commit(&g->cursor);
            i++;
        } else if (!rig_look(&looks)) {
            break;
        }
    }
    return i;
}

/* True when nothing is left to read of a feed that has ended. */
static inline bool rig_is_dry(const struct rig *g)
{
    return !tw_cursor_ready(&g->cursor);
}

static inline struct tw_feed_status rig_status(const struct rig *g, unsigned feed)
{
    struct tw_feed_status s;

    tw_io_status(g->io, feed, &s);
    return s;
}

#endif
