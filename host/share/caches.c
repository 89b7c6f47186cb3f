/* caches.c - the caches of a host, by name.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/caches.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"

enum { CACHES_MAX = 1024 };

struct tw_caches {
    struct tw_tape *tape;              /* constant                          */
    const struct tw_unseen *unseen;    /* constant                          */
    pthread_mutex_t lock;
    size_t n;                          /* mutex: under lock                 */
    struct tw_cache *at[CACHES_MAX];   /* mutex: under lock; one reference  */
};

struct tw_caches *tw_caches_new(struct tw_tape *tape, const struct tw_unseen *unseen)
{
    struct tw_caches *r = tw_calloc(1, sizeof *r);

    if (!r) return NULL;
    r->tape = tape;
    r->unseen = unseen;
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void tw_caches_free(struct tw_caches *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->n; i++) {
        tw_cache_on_removal(r->at[i], NULL);
        tw_cache_invalidate_all(r->at[i]);   /* a value may refer to the cache itself */
        tw_cache_unref(r->at[i]);
    }
    pthread_mutex_destroy(&r->lock);
    tw_free(r);
}

static struct tw_cache *find_held(struct tw_caches *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(tw_cache_name(r->at[i]), name) == 0) return r->at[i];
    return NULL;
}

/* The name of an option that differs, or NULL; has: the capacity and the shards are
 * filled in. */
static const char *differs(const struct tw_cache_options *has,
                           const struct tw_cache_options *o)
{
    if (has->policy != o->policy) return "policy";
    if (has->in_bytes != o->in_bytes) return "bound's unit";
    if (o->capacity && has->capacity != o->capacity)
        return o->in_bytes ? "bytes" : "entries";
    if (has->ttl_ns != o->ttl_ns) return "ttl";
    if (has->idle_ns != o->idle_ns) return "idle";
    if (has->jitter != o->jitter) return "jitter";
    if (has->seed != o->seed) return "seed";
    if (has->refresh_ns != o->refresh_ns) return "refresh";
    if (has->stale_ns != o->stale_ns) return "stale";
    if (has->stale_error_ns != o->stale_error_ns) return "stale_error";
    if (has->failure_ns != o->failure_ns) return "failures";
    if (has->records != o->records) return "records";
    if (o->shards && has->shards != o->shards) return "shards";
    return NULL;
}

static int make_held(struct tw_caches *r, const struct tw_cache_options *options,
                     struct tw_cache **out, struct tw_error *error)
{
    int rc;

    if (r->n == CACHES_MAX)
        return tw_fail(error, TW_ELIMIT, "cache '%s': there are %d caches already",
                       options->name, CACHES_MAX);
    rc = tw_cache_new(options, r->unseen, out, error);
    if (rc < 0) return rc;
    if (r->tape && tw_cache_watch(*out, r->tape) < 0) {
        tw_cache_unref(*out);
        return tw_fail(error, UV_ENOMEM, "cache '%s': no memory", options->name);
    }
    r->at[r->n++] = *out;
    return TW_OK;
}

int tw_caches_open(struct tw_caches *r, const struct tw_cache_options *options,
                   struct tw_cache **out, struct tw_error *error)
{
    const char *other;
    int rc = TW_OK;

    if (!options->name) return tw_fail(error, TW_EUSAGE, "cache: no name");
    pthread_mutex_lock(&r->lock);
    *out = find_held(r, options->name);
    if (!*out)
        rc = make_held(r, options, out, error);
    else if ((other = differs(tw_cache_options(*out), options)))
        rc = tw_fail(error, TW_EUSAGE, "cache '%s' is open, and its %s is another",
                     options->name, other);
    if (rc == TW_OK) tw_cache_ref(*out);
    else *out = NULL;
    pthread_mutex_unlock(&r->lock);
    return rc;
}

struct tw_cache *tw_caches_find(struct tw_caches *r, const char *name)
{
    struct tw_cache *c;

    pthread_mutex_lock(&r->lock);
    c = find_held(r, name);
    if (c) tw_cache_ref(c);
    pthread_mutex_unlock(&r->lock);
    return c;
}

struct tw_cache *tw_caches_at(struct tw_caches *r, size_t i)
{
    struct tw_cache *c = NULL;

    pthread_mutex_lock(&r->lock);
    if (i < r->n) tw_cache_ref(c = r->at[i]);
    pthread_mutex_unlock(&r->lock);
    return c;
}

bool tw_caches_advance(struct tw_caches *r)
{
    struct tw_cache *c;
    bool more = false;

    for (size_t i = 0; (c = tw_caches_at(r, i)); i++) {
        more |= tw_cache_advance(c);
        tw_cache_unref(c);
    }
    return more;
}
