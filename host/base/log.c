/* log.c - a bounded queue of lines, emptied by MAIN.
 *
 * Why: a lock-free queue would spare writers little, as printing is slow and
 * rare; a mutex gives the order, and a condition the waiting.
 *
 * Layout: two buffers of lines end to end.  Writers fill one, MAIN reads the
 * other; a drain swaps them, so line() runs with no lock held and a block of
 * lines stays in one piece.  They are mapped: most logs hold a few lines, and a sweep has
 * one for each run that is under way.
 *
 * Invariants
 *   L1  A line is queued whole, in one buffer, or not at all.
 *   L2  wake is called for each change from empty to not empty.
 *   L3  The buffer that is not being filled belongs to MAIN.
 *
 * Layer host/base.  Thread: see each function.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

struct line {
    const char *who;
    size_t n;
    enum tw_log_level level;
    char text[];
};

struct tw_log {
    size_t bytes;                    /* constant: the longest line           */
    size_t capacity;                 /* constant: of a buffer, with headers  */
    void (*wake)(void *ctx);         /* constant                             */
    void *ctx;                       /* constant                             */
    char *buffer[2];                 /* constant; what is in them: L3        */
    pthread_mutex_t lock;
    pthread_cond_t room;
    pthread_cond_t handed;
    uint64_t n_queued, n_handed;     /* mutex: under lock; lines             */
    size_t used;                     /* mutex: under lock; of buffer[filling] */
    int filling;                     /* mutex: under lock                    */
};

/* The bytes that a line takes: with a 0 byte, and the next one aligned. */
static size_t size_of(size_t n)
{
    size_t align = _Alignof(struct line);

    return (sizeof(struct line) + n + 1 + align - 1) / align * align;
}

struct tw_log *tw_log_new(size_t bytes, void (*wake)(void *ctx), void *ctx)
{
    struct tw_log *log = tw_calloc(1, sizeof *log);
    pthread_condattr_t steady;

    if (!log) return NULL;
    log->bytes = bytes;
    log->capacity = size_of(bytes);
    log->wake = wake;
    log->ctx = ctx;
    for (int i = 0; i < 2; i++)
        if (!(log->buffer[i] = tw_map(log->capacity, false))) goto fail;
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->room, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&log->handed, &steady);
    pthread_condattr_destroy(&steady);
    return log;
fail:
    tw_unmap(log->buffer[0], log->capacity);
    tw_free(log);
    return NULL;
}

void tw_log_free(struct tw_log *log)
{
    if (!log) return;
    pthread_cond_destroy(&log->room);
    pthread_cond_destroy(&log->handed);
    pthread_mutex_destroy(&log->lock);
    for (int i = 0; i < 2; i++)
        tw_unmap_used(log->buffer[i], log->capacity, false,
                      log->n_queued ? log->capacity : 0);
    tw_free(log);
}

/* Waits for room and takes it: the caller fills text and calls queued.  NULL,
 * with no lock held, where MAIN would wait for itself. */
static struct line *reserve(struct tw_log *log, enum tw_log_level level,
                            const char *who, size_t n)
{
    struct line *line;

    pthread_mutex_lock(&log->lock);
    while (log->used + size_of(n) > log->capacity) {
        if (tw_role_now == MAIN.id) {
            pthread_mutex_unlock(&log->lock);
            return NULL;
        }
        pthread_cond_wait(&log->room, &log->lock);
    }
    line = (struct line *)(log->buffer[log->filling] + log->used);
    log->used += size_of(n);
    log->n_queued++;
    *line = (struct line){ .who = who, .n = n, .level = level };
    return line;
}

static void queued(struct tw_log *log, const struct line *line)
{
    bool was_empty = (const char *)line == log->buffer[log->filling];

    pthread_mutex_unlock(&log->lock);
    if (was_empty) log->wake(log->ctx);   /* L2 */
}

int tw_log_write(struct tw_log *log, enum tw_log_level level, const char *who,
                 const char *text, size_t n)
{
    struct line *line;

    if (n > log->bytes) n = log->bytes;
    line = reserve(log, level, who, n);
    if (!line) return TW_EFULL;
    memcpy(line->text, text, n);
    queued(log, line);
    return TW_OK;
}

/* Formats in place, so that a line of any length needs no memory. */
int tw_log_printf(struct tw_log *log, enum tw_log_level level, const char *who,
                  const char *format, ...)
{
    struct line *line;
    va_list args;
    size_t n;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) return TW_EFORMAT;
    n = (size_t)length < log->bytes ? (size_t)length : log->bytes;
    line = reserve(log, level, who, n);
    if (!line) return TW_EFULL;
    va_start(args, format);
    vsnprintf(line->text, n + 1, format, args);
    va_end(args);
    queued(log, line);
    return TW_OK;
}

void tw_log_wait(struct tw_log *log, int64_t most_ns)
{
    int64_t till_ns = tw_clock_steady_ns() + most_ns;
    struct timespec till = { .tv_sec = till_ns / 1000000000,
                             .tv_nsec = till_ns % 1000000000 };
    uint64_t n;

    if (tw_role_now == MAIN.id) return;
    pthread_mutex_lock(&log->lock);
    n = log->n_queued;
    while (log->n_handed < n
           && pthread_cond_timedwait(&log->handed, &log->lock, &till) == 0) continue;
    pthread_mutex_unlock(&log->lock);
}

size_t tw_log_drain(struct tw_log *log,
                    void (*line)(void *ctx, enum tw_log_level level, const char *who,
                                 const char *text, size_t n), void *ctx)
{
    const char *p, *end;
    size_t count = 0;

    pthread_mutex_lock(&log->lock);
    p = log->buffer[log->filling];
    end = p + log->used;
    log->filling = !log->filling;
    log->used = 0;
    pthread_cond_broadcast(&log->room);
    pthread_mutex_unlock(&log->lock);
    while (p < end) {   /* L3 */
        const struct line *l = (const struct line *)p;

        line(ctx, l->level, l->who, l->text, l->n);
        p += size_of(l->n);
        count++;
    }
    if (count == 0) return 0;
    pthread_mutex_lock(&log->lock);
    log->n_handed += count;
    pthread_cond_broadcast(&log->handed);
    pthread_mutex_unlock(&log->lock);
    return count;
}
