/* cache_load.c - the load of a key: who began it, and how it may end.
 *
 * Invariants
 *   L1  A load ends once; its future is settled by then, or was abandoned.
 *   L2  The memory of a load has two parts in it: the callers with their references,
 *       and the future, whose part goes with whoever settles it: the end of the load,
 *       or else left(), which tw_future_unwant calls then.
 *   L3  The table is as it will be before those who wait are told.
 *   L4  stop is called once at most, and only before done.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/cache_load.h"

#include <string.h>

#include "base/memory.h"
#include "share/cache_table.h"
#include "share/failure.h"

enum { NO_HOOK, HOOK, LEFT };   /* of load->hook */

void tw_load_hold(struct tw_load *load)
{
    /* order [load.parts] relaxed: the caller knows that it is alive */
    atomic_fetch_add_explicit(&load->parts, 1, memory_order_relaxed);
}

void tw_load_let_go(struct tw_load *load)
{
    struct tw_cache *c = load->cache;

    /* order [load.parts] acq_rel: every use comes before the free */
    if (atomic_fetch_sub_explicit(&load->parts, 1, memory_order_acq_rel) > 1) return;
    if (load->done) load->done(load->ctx);
    tw_any_unref(&load->key);
    tw_any_unref(&load->old);
    tw_cache_entry_free(load->spare);
    tw_future_unref(load->future);
    tw_free(load);
    tw_cache_unref(c);
}

/* Everybody who wanted the value has left. */
static void left(void *ctx)
{
    struct tw_load *load = ctx;
    struct tw_cache_shard *s = tw_cache_shard_of(load->cache, load->hash);
    struct tw_cache_after after = { 0 };
    struct tw_cache_entry *e;

    pthread_mutex_lock(&s->lock);
    e = tw_cache_of_load_held(s, load);
    if (e && e->future == load->future)
        tw_cache_take_held(s, e, TW_GONE_REMOVED, &after);
    pthread_mutex_unlock(&s->lock);
    tw_cache_settle(load->cache, &after);
    /* order [load.hook] acq_rel: stop and ctx stand; who is too late sees LEFT */
    if (atomic_exchange_explicit(&load->hook, LEFT, memory_order_acq_rel) == HOOK)
        load->stop(load->ctx);   /* L4 */
    tw_load_let_go(load);        /* L2 */
}

struct tw_load *tw_load_new(struct tw_cache *c, const struct tw_any *key, uint64_t hash,
                            const struct tw_cache_call *call)
{
    struct tw_load *l = tw_calloc(1, sizeof *l + call->n_depends * sizeof *l->depends);

    if (!l) return NULL;
    l->future = tw_future_new(c->unseen);
    l->spare = tw_cache_entry_new(key, hash);
    if (!l->future || !l->spare) goto fail;
    tw_future_on_abandoned(l->future, left, l);
    l->hash = hash;
    l->n_depends = (uint32_t)call->n_depends;
    if (l->n_depends)
        memcpy(l->depends, call->depends, l->n_depends * sizeof *l->depends);
    atomic_init(&l->references, 1);
    atomic_init(&l->parts, 2);
    l->cache = c;
    tw_cache_ref(c);
    l->key = *key;
    tw_any_ref(&l->key);
    return l;
fail:
    if (l->future) tw_future_unref(l->future);
    tw_cache_entry_free(l->spare);
    tw_free(l);
    return NULL;
}

void tw_load_discard(struct tw_load *load)
{
    if (!load) return;
    tw_load_let_go(load);
    tw_load_let_go(load);
}

void tw_load_ref(struct tw_load *load)
{
    /* order [load.references] relaxed: the caller has one, so it is alive */
    atomic_fetch_add_explicit(&load->references, 1, memory_order_relaxed);
}

void tw_load_unref(struct tw_load *load)
{
    /* order [load.references] acq_rel: every other caller is done with it */
    if (atomic_fetch_sub_explicit(&load->references, 1, memory_order_acq_rel) > 1) return;
    /* order [load.ended] relaxed: this thread has the last reference, see above */
    if (!atomic_load_explicit(&load->ended, memory_order_relaxed))
        tw_load_drop(load, tw_failure_new("cache '%s': the load was stopped, at the"
                                          " end or without memory", load->cache->name));
    tw_load_let_go(load);
}

const struct tw_any *tw_load_key(const struct tw_load *load)
{
    return &load->key;
}

const struct tw_any *tw_load_old(const struct tw_load *load)
{
    return &load->old;
}

struct tw_cache *tw_load_cache(const struct tw_load *load)
{
    return load->cache;
}

void tw_load_saw(struct tw_load *load)
{
    tw_future_saw(load->future);
}

bool tw_load_on_abandoned(struct tw_load *load, void (*stop)(void *ctx),
                          void (*done)(void *ctx), void *ctx)
{
    int seen;

    load->stop = stop;
    load->done = done;
    load->ctx = ctx;
    /* order [load.hook] acq_rel: stop and ctx stand before they are called */
    seen = atomic_exchange_explicit(&load->hook, HOOK, memory_order_acq_rel);
    if (seen == NO_HOOK) return true;
    load->done = NULL;
    return false;
}

/* ---- the end ---- */

/* True for the first, L1. */
static bool end(struct tw_load *load, _Atomic uint64_t *counter)
{
    struct tw_cache *c = load->cache;

    /* order [load.ended] relaxed: what an end brings is ordered by the shard's lock */
    if (atomic_exchange_explicit(&load->ended, true, memory_order_relaxed)) return false;
    tw_load_waits_no_more(load);
    tw_cache_count(counter, 1);
    /* order [cache.counters] relaxed: a statistic, it orders nothing */
    atomic_fetch_sub_explicit(&c->loading, 1, memory_order_relaxed);
    pthread_mutex_lock(&c->rare_lock);
    tw_histogram_add(&c->load_ns, tw_cache_now(c) - load->begun_ns);
    pthread_mutex_unlock(&c->rare_lock);
    return true;
}

/* e, which awaited the load, holds a value, whose reference passes on. */
static void hold_held(struct tw_load *load, struct tw_cache_entry *e,
                      struct tw_any value, struct tw_cache_after *after)
{
    if (e->future != load->future) {
        after->reason = TW_GONE_REPLACED;
        after->key = e->key;
        tw_any_ref(&after->key);
        after->future = e->future;
        e->future = load->future;
        tw_future_ref(e->future);
    }
    after->value = e->value;
    e->value = value;
    e->load = NULL;
    e->holds = TW_HOLDS_VALUE;
}

static bool finish(struct tw_load *load, struct tw_any value,
                   const struct tw_cache_terms *terms, struct tw_cache_beside *beside,
                   bool same, bool keep)
{
    struct tw_cache *c = load->cache;
    struct tw_cache_shard *s = tw_cache_shard_of(c, load->hash);
    struct tw_cache_after after = { 0 };
    int64_t now = tw_cache_now(c);
    struct tw_cache_entry *e;

    tw_any_ref(&value);
    pthread_mutex_lock(&s->lock);
    e = tw_cache_of_load_held(s, load);
    if (e && e->load != load) e = NULL;
    if (e && (!keep || tw_cache_is_stamped_held(c, same ? e->beside : beside,
                                                load->stamp))) {
        tw_cache_take_held(s, e, keep ? TW_GONE_INVALIDATED : TW_GONE_REPLACED, &after);
        e = NULL;
    }
    if (e) {
        hold_held(load, e, value, &after);
        e->seq = load->seq;
        if (!same) {
            tw_cache_set_beside_held(s, e, beside, &after);
            beside = NULL;
            e->ttl_ns = 0;
        }
        if (terms && terms->ttl_ns) e->ttl_ns = terms->ttl_ns;
        tw_cache_date_held(c, e, now, 0);
        tw_cache_weigh_held(c, s, e, &after);
    }
    pthread_mutex_unlock(&s->lock);
    if (!e) tw_any_unref(&value);
    tw_cache_beside_free(beside);
    if (tw_future_resolve(load->future, value)) tw_load_let_go(load);   /* L2, L3 */
    tw_cache_settle(c, &after);
    return true;
}

static bool fail(struct tw_load *load, struct tw_any error, bool may_keep)
{
    struct tw_cache *c = load->cache;
    const struct tw_cache_options *o = &c->options;
    struct tw_cache_shard *s = tw_cache_shard_of(c, load->hash);
    struct tw_cache_after after = { 0 };
    int64_t now = tw_cache_now(c), until = tw_cache_later(now, o->failure_ns);
    struct tw_any old = { .kind = TW_VALUE_NIL };
    struct tw_cache_entry *e;

    pthread_mutex_lock(&s->lock);
    e = tw_cache_of_load_held(s, load);
    if (e && e->load != load) e = NULL;
    if (o->stale_error_ns && load->old.kind != TW_VALUE_NIL)
        tw_future_saw(load->future);        /* a reload is asked for by nobody */
    if (e && e->future != load->future) {   /* it goes on with what it has */
        e->load = NULL;
        if (e->refresh_ns < until) e->refresh_ns = until;
    } else if (e && load->old.kind != TW_VALUE_NIL && now < load->old_until_ns) {
        old = load->old;
        tw_any_ref(&old);
        tw_any_ref(&old);
        hold_held(load, e, old, &after);
        e->stale_ns = until < e->error_ns ? until : e->error_ns;
        e->refresh_ns = e->stale_ns;
        tw_cache_weigh_held(c, s, e, &after);
    } else if (e && may_keep && o->failure_ns) {
        e->load = NULL;
        e->holds = TW_HOLDS_FAILURE;
        e->born_ns = now;
        e->expires_ns = e->stale_ns = e->refresh_ns = until;
        tw_cache_weigh_held(c, s, e, &after);
    } else if (e) {
        tw_cache_take_held(s, e, TW_GONE_FAILED, &after);
    }
    pthread_mutex_unlock(&s->lock);
    if (old.kind != TW_VALUE_NIL) {
        tw_any_unref(&error);
        if (tw_future_resolve(load->future, old)) tw_load_let_go(load);
    } else if (tw_future_fail(load->future, error)) {
        tw_load_let_go(load);   /* L2, L3 */
    }
    tw_cache_settle(c, &after);
    return true;
}

static bool fail_again(struct tw_load *load, const char *what)
{
    return fail(load, tw_failure_new("cache '%s': %s", load->cache->name, what), false);
}

bool tw_load_done(struct tw_load *load, struct tw_any value,
                  const struct tw_cache_terms *terms)
{
    struct tw_cache_beside *beside;
    int rc;

    if (!end(load, &load->cache->loads)) {
        tw_any_unref(&value);
        return false;
    }
    rc = tw_cache_beside_new(terms, load->depends, load->n_depends, &beside);
    if (rc == TW_EUSAGE || rc == TW_ELIMIT) {
        tw_any_unref(&value);
        return fail_again(load, rc == TW_ELIMIT ? "too many tags or dependencies"
                                                : "tags are a list of strings");
    }
    return finish(load, value, terms, beside, false,
                  rc == TW_OK && !(terms && terms->ttl_ns < 0));
}

bool tw_load_unchanged(struct tw_load *load, const struct tw_cache_terms *terms)
{
    bool has = load->old.kind != TW_VALUE_NIL;

    if (!end(load, has ? &load->cache->loads : &load->cache->failures)) return false;
    if (!has) return fail_again(load, "unchanged, but there was no value");
    tw_any_ref(&load->old);
    return finish(load, load->old, terms, NULL, true, !(terms && terms->ttl_ns < 0));
}

bool tw_load_fail(struct tw_load *load, struct tw_any error)
{
    if (end(load, &load->cache->failures)) return fail(load, error, true);
    tw_any_unref(&error);
    return false;
}

bool tw_load_drop(struct tw_load *load, struct tw_any error)
{
    if (end(load, &load->cache->cancelled)) return fail(load, error, false);
    tw_any_unref(&error);
    return false;
}
