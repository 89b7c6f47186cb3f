/* embed_rig.h - a host with its app as texts, and what it said, for tests in C. */
#ifndef EMBED_RIG_H
#define EMBED_RIG_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <tidewire.h>
#include <time.h>

#include "tap.h"

enum { SAID = 8192 };

/* Lines as the host said them, with what and on which thread. */
struct said {
    pthread_mutex_t lock;
    size_t n;
    char text[SAID];
    void *extra;              /* of a test */
    pthread_t thread;
};

static inline void say(struct said *s, const char *what, const char *text, size_t n)
{
    int length;

    pthread_mutex_lock(&s->lock);
    length = snprintf(s->text + s->n, SAID - s->n, "%s%.*s\n", what, (int)n, text);
    if (length > 0 && s->n + (size_t)length < SAID) s->n += (size_t)length;
    s->thread = pthread_self();
    pthread_mutex_unlock(&s->lock);
}

static inline void on_print(void *ctx, const char *text, size_t n)
{
    say(ctx, "", text, n);
}

static inline void on_log(void *ctx, enum tw_log_level level, const char *who,
                          const char *text, size_t n)
{
    static const char *const names[] = { "error ", "warning ", "info ", "print " };

    (void)who;
    say(ctx, names[level], text, n);
}

static inline bool has_said(struct said *s, const char *what)
{
    bool has;

    pthread_mutex_lock(&s->lock);
    has = strstr(s->text, what) != NULL;
    pthread_mutex_unlock(&s->lock);
    return has;
}

#define SAID_INIT { .lock = PTHREAD_MUTEX_INITIALIZER }

static inline struct tw_host_options options_of(struct said *s)
{
    return (struct tw_host_options){ .workers = 1, .print = on_print, .log = on_log,
                                     .ctx = s };
}

#define APP "local app = require 'tw.app' app.tape { capacity = 1024 } "
#define SCRIPT "local tw, board, M = require 'tw', require 'tw.board', {} "

/* A host that has loaded an app and one script, s.lua. */
static inline struct tw_host *open_host(const struct tw_host_options *o, const char *app,
                                        const char *script, struct tw_error *error)
{
    struct tw_host *host = tw_host_new(o, error);
    char whole[4096];

    if (!host) return NULL;
    snprintf(whole, sizeof whole, SCRIPT "%s return M", script);
    if (tw_host_add_text(host, "app.lua", app) == TW_OK
        && tw_host_add_text(host, "s.lua", whole) == TW_OK
        && tw_host_load(host, "app.lua", error) == TW_OK)
        return host;
    tw_host_free(host);
    return NULL;
}

/* The same, and it runs. */
static inline struct tw_host *start_host(struct said *s, const char *script)
{
    struct tw_host_options o = options_of(s);
    struct tw_error error = { 0, "" };
    struct tw_host *host = open_host(&o, APP "app.script 's.lua'", script, &error);

    if (host && tw_host_start(host, &error) == TW_OK) return host;
    ok(false, "a host starts: %s", error.text);
    printf("1..%d\n", tap_count);
    exit(1);
}

/* Ends the run and frees: what the run gave. */
static inline int end_host(struct tw_host *host, struct tw_error *error)
{
    int rc;

    tw_host_finish(host);
    rc = tw_host_wait(host, 120, error);
    tw_host_free(host);
    return rc;
}

/* What a function of the script gives, as a number. */
static inline double ask(struct tw_host *host, const char *function)
{
    struct tw_item value = tw_item_nil();
    struct tw_future *f;
    struct tw_error error = { 0, "" };
    int rc = tw_host_call(host, "s.lua", function, NULL, 0, &f, &error);

    if (rc == TW_OK) rc = tw_future_await(f, 120, &value, &error);
    if (rc < 0) printf("# %s: %s\n", function, error.text);
    tw_future_close(f);
    return tw_item_to_number(value, -1);
}

/* The first line of a text, which a test's name can hold. */
static inline const char *line(const char *text)
{
    static char out[100];

    snprintf(out, sizeof out, "%.*s", (int)strcspn(text, "\n"), text);
    return out;
}

static inline bool is_text(const struct tw_item *item, const char *text)
{
    return item->kind == TW_VALUE_STRING && item->length == strlen(text)
        && memcmp(item->text, text, item->length) == 0;
}

#endif
