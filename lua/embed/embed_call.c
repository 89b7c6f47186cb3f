/* embed_call.c - a host in a program: functions that it calls, futures that it awaits.
 *
 * A call goes to a worker as those of other states do (remote.h): it runs as a task
 * there, and what it gives is a future.  Who awaits one is a task like any other, only
 * without a state: its mailbox rings a condition, or the host's thread.
 */
#include "embed/embed.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "embed/embedded.h"
#include "task/remote.h"
#include "share/failure.h"

/* ---- calls ---- */

/* A call as lcall.c reads it: [1] the function, then its arguments, and n. */
static int pack(const char *function, const struct tw_item *args, unsigned n,
                struct tw_any *out)
{
    struct tw_draft *d = tw_draft_new();
    unsigned i = 0;
    int rc;

    if (!d) return UV_ENOMEM;
    tw_draft_add(d, tw_item_text(function));
    for (; i < n && args[i].kind != TW_VALUE_NIL; i++) tw_draft_add(d, args[i]);
    for (; i < n; i++)         /* what comes after a nil */
        tw_draft_put(d, tw_item_integer((int64_t)i + 2), args[i]);
    tw_draft_set(d, "n", tw_item_integer(n));
    rc = tw_draft_finish(d, out);
    tw_draft_free(d);
    return rc;
}

int ltw_post_call(struct tw_host *host, unsigned worker, const char *function,
                  const struct tw_item *args, unsigned n, struct tw_future **out)
{
    struct ltw_host *parts = &host->app->host;
    struct tw_any call;
    int rc = pack(function, args, n, &call);

    *out = NULL;
    if (rc < 0) return rc;
    rc = ltw_remote_send(parts->remotes[worker], parts->unseen, call, function, out);
    if (rc < 0) {
        *out = NULL;
        return rc;
    }
    tw_future_hold(*out);
    if (tw_future_want(*out)) return rc;
    tw_future_close(*out);
    *out = NULL;
    return TW_ESTOPPED;
}

/* Where a call goes; script: NULL, to the state itself. */
struct aim { unsigned worker, shard; const char *script; };

/* "maker.lua", "stats.lua#2", "@1". */
static bool take_aim(const struct tw_app *app, const char *where, struct aim *out)
{
    const char *hash = strrchr(where, '#');
    size_t n = hash ? (size_t)(hash - where) : strlen(where);
    unsigned long instance = hash ? strtoul(hash + 1, NULL, 10) : 1;
    char *end;

    if (*where == '@') {
        out->script = NULL;
        out->worker = (unsigned)strtoul(where + 1, &end, 10);
        return where[1] >= '0' && where[1] <= '9' && !*end
            && out->worker < app->o.workers;
    }
    for (unsigned w = 0; w < app->o.workers; w++)
        for (unsigned i = 0; i < app->engines[w].n; i++) {
            const struct ltw_script_options *o = &app->engines[w].options[i];

            if (strncmp(o->name, where, n) != 0 || o->name[n] || o->shard + 1 != instance)
                continue;
            *out = (struct aim){ w, o->shard, o->name };
            return true;
        }
    return false;
}

enum { ARGUMENTS_MAX = 250, OWN = 3 };

/* In a script, through `via`, with its name and instance first; or in a state. */
static int post(struct tw_host *host, const char *where, const char *via,
                const char *function, const struct tw_item *args, unsigned n,
                struct tw_future **out, struct tw_error *error)
{
    struct tw_item all[ARGUMENTS_MAX + OWN];
    unsigned own = 0;
    struct aim aim;
    int rc;

    if (!take_aim(host->app, where, &aim))
        return tw_fail(error, TW_EUSAGE, "there is no script or worker %.200s", where);
    if (aim.script) {
        all[own++] = tw_item_text(aim.script);
        all[own++] = tw_item_integer(aim.shard);
        if (function) all[own++] = tw_item_text(function);
    }
    if (n > 0) memcpy(all + own, args, n * sizeof *args);
    rc = ltw_post_call(host, aim.worker, aim.script ? via : function, all, own + n, out);
    if (rc == TW_EUSAGE) return tw_fail(error, rc, "an argument is no value");
    return rc < 0 ? tw_fail(error, rc, "%s", tw_strerror(rc)) : TW_OK;
}

int tw_host_call(struct tw_host *host, const char *where, const char *function,
                 const struct tw_item *args, unsigned n, struct tw_future **out,
                 struct tw_error *error)
{
    int rc = ltw_expect_running(host, error);

    *out = NULL;
    if (rc < 0) return rc;
    if (!where || !function || n > ARGUMENTS_MAX || (!args && n > 0))
        return tw_fail(error, TW_EUSAGE, "a call takes a script, a function and at most"
                       " %d arguments", ARGUMENTS_MAX);
    return post(host, where, LTW_EMBEDDED_CALL, function, args, n, out, error);
}

int tw_host_evaluate(struct tw_host *host, const char *where, const char *text,
                     struct tw_future **out, struct tw_error *error)
{
    int rc = ltw_expect_running(host, error);
    struct tw_item item = tw_item_text(text);

    *out = NULL;
    if (rc < 0) return rc;
    if (!where || !text) return tw_fail(error, TW_EUSAGE, "no script or no text");
    return post(host, where, LTW_EMBEDDED_EVALUATE,
                *where == '@' ? "tw.evaluate.values" : NULL, &item, 1, out, error);
}

/* ---- awaiting ---- */

/* How f has ended. */
static int outcome(struct tw_future *f, struct tw_item *value, struct tw_error *error)
{
    struct tw_any any;

    *value = tw_item_nil();
    switch (tw_future_peek(f, &any)) {
    case TW_PENDING:
        return tw_fail(error, UV_ETIMEDOUT, "%s", tw_strerror(UV_ETIMEDOUT));
    case TW_RESOLVED:
        *value = tw_any_root(&any);
        return TW_OK;
    case TW_FAILED:
        tw_future_saw(f);
        if (!error) return TW_ESCRIPT;
        error->code = TW_ESCRIPT;
        tw_failure_text(&any, error->text, sizeof error->text);
        return TW_ESCRIPT;
    default:
        return tw_fail(error, TW_ESTOPPED, "cancelled");
    }
}

/* A thread that waits. */
struct sleeper {
    struct tw_mailbox box;
    struct tw_waker waker;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool is_told;                     /* mutex */
};

static void tell(void *ctx)
{
    struct sleeper *s = ctx;

    pthread_mutex_lock(&s->lock);
    s->is_told = true;
    pthread_cond_signal(&s->told);
    pthread_mutex_unlock(&s->lock);
}

static void sleep_until(struct sleeper *s, int64_t until_ns)
{
    struct timespec until = { .tv_sec = until_ns / 1000000000,
                              .tv_nsec = until_ns % 1000000000 };
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    while (!s->is_told && rc == 0)
        rc = until_ns == INT64_MAX ? pthread_cond_wait(&s->told, &s->lock)
                                   : pthread_cond_timedwait(&s->told, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
}

int tw_future_await(struct tw_future *f, double seconds, struct tw_item *value,
                    struct tw_error *error)
{
    struct sleeper s = { .is_told = false };
    struct tw_wait node = { .waker = &s.waker };
    struct tw_item unread;
    pthread_condattr_t steady;

    if (!value) value = &unread;
    if (!f) return tw_fail(error, TW_EUSAGE, "no future");
    if (tw_future_peek(f, NULL) != TW_PENDING) return outcome(f, value, error);
    if (ltw_is_hosts())
        return tw_fail(error, TW_ECYCLE, "a host's thread must not wait");
    pthread_mutex_init(&s.lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&s.told, &steady);
    pthread_condattr_destroy(&steady);
    tw_mailbox_init(&s.box, tell, &s);
    tw_waker_init(&s.waker, &s.box);
    if (tw_future_wait(f, &node)) sleep_until(&s, ltw_until_ns(seconds));
    tw_future_leave(f, &node);   /* from here on nobody is about to tell it */
    pthread_cond_destroy(&s.told);
    pthread_mutex_destroy(&s.lock);
    return outcome(f, value, error);
}

void tw_future_close(struct tw_future *f)
{
    if (!f) return;
    tw_future_unwant(f);
    tw_future_release(f);
    tw_future_unref(f);
}

struct tw_future *tw_future_from(const struct tw_item *value)
{
    struct tw_future *f;

    if (value->kind != TW_VALUE_OBJECT || value->object->type != &tw_future_type)
        return NULL;
    f = (struct tw_future *)value->object;
    if (!tw_future_want(f)) return NULL;
    tw_future_ref(f);
    tw_future_hold(f);
    return f;
}

/* ---- being told ---- */

struct ltw_then {
    struct tw_waker waker;            /* first: a waker is its then       */
    struct tw_wait node;
    struct tw_future *future;         /* constant; wanted, one reference  */
    void (*done)(void *ctx, int code, const struct tw_item *value,
                 const struct tw_error *error);
    void *ctx;
    struct ltw_then *next, **link;    /* mutex: the host's                */
};

static void ring(void *host)
{
    ltw_app_ring(((struct tw_host *)host)->app);
}

void ltw_call_load(struct tw_host *host)
{
    tw_mailbox_init(&host->box, ring, host);
}

int tw_host_then(struct tw_host *host, struct tw_future *f,
                 void (*done)(void *ctx, int code, const struct tw_item *value,
                              const struct tw_error *error), void *ctx)
{
    int rc = f && done ? ltw_check_running(host) : TW_EUSAGE;
    struct ltw_then *t = rc == TW_OK ? tw_calloc(1, sizeof *t) : NULL;

    if (!t) return rc < 0 ? rc : UV_ENOMEM;
    tw_waker_init(&t->waker, &host->box);
    t->node.waker = &t->waker;
    t->future = f;
    t->done = done;
    t->ctx = ctx;
    pthread_mutex_lock(&host->lock);
    t->next = host->thens;
    if (t->next) t->next->link = &t->next;
    t->link = &host->thens;
    host->thens = t;
    pthread_mutex_unlock(&host->lock);
    if (!tw_future_wait(f, &t->node)) tw_waker_fire(&t->waker);
    return TW_OK;
}

/* It stands in no list any more. */
static void finish(struct ltw_then *t, int code)
{
    struct tw_item value = tw_item_nil();
    struct tw_error error = { .code = TW_OK };

    tw_future_leave(t->future, &t->node);
    if (code == TW_OK) code = outcome(t->future, &value, &error);
    else tw_fail(&error, code, "%s", tw_strerror(code));
    t->done(t->ctx, code, &value, &error);
    tw_future_close(t->future);
    tw_free(t);
}

void ltw_call_look(struct tw_host *host)
{
    struct tw_waker *w = tw_mailbox_take(&host->box);

    while (w) {
        struct ltw_then *t = (struct ltw_then *)w;

        w = tw_waker_heard(w);
        pthread_mutex_lock(&host->lock);
        *t->link = t->next;
        if (t->next) t->next->link = t->link;
        pthread_mutex_unlock(&host->lock);
        finish(t, TW_OK);
    }
}

/* What is pending now is settled by nobody whom the host would hear. */
void ltw_call_free(struct tw_host *host)
{
    if (!host->app) return;
    ltw_call_look(host);
    while (host->thens) {
        struct ltw_then *t = host->thens;

        host->thens = t->next;
        if (t->next) t->next->link = &host->thens;
        finish(t, TW_ESTOPPED);
    }
}
