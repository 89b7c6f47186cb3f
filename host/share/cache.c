/* cache.c - keys and the futures of their values: gets, puts, and who loads.
 *
 * Why: a cache of values lets everybody who misses at once compute the same.  Here
 * the future of the value is in the table before anybody computes it, so the first
 * one computes and the others have already been answered.
 *
 * Invariants
 *   C1  A key has at most one entry, and at most one load whose result is kept.
 *   C2  e->load is the load that is under way for e.  A load whose entry was taken
 *       out finds no entry with it: what it brings is given to those who wait, and
 *       not kept.
 *   C3  An entry is in the policy while it holds a value or a failure; one that is
 *       loading is never given up.
 *   C4  No future is given that was cancelled when the lock was taken.
 *   C5  A tag that was invalidated after a load began has a stamp above the load's.
 *       Tags share stamps by hash: a collision costs one more load, never a value
 *       that is not valid.
 *   C6  A reference is given up, and anybody told, with no lock held.
 *   C7  Locks nest in one way only: none within a shard's, but the heap's.
 *
 * A get that needs a load makes it with no lock held, and looks again: another may
 * have been faster.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/cache.h"

#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "share/cache_table.h"

enum { SHARDS_MAX = 1024, TICK_NS = 10000000 };   /* of tw_clock_tick_ns, at most */

static void cache_free(struct tw_object *o)
{
    struct tw_cache *c = (struct tw_cache *)o;
    struct tw_channel *to;

    tw_cache_on_removal(c, NULL);
    tw_cache_invalidate_all(c);
    for (unsigned i = 0; c->shards && i <= c->mask; i++)
        tw_cache_shard_fini(&c->shards[i]);
    tw_free(c->shards);
    tw_unmap((void *)c->stamps, TW_CACHE_STAMPS * sizeof *c->stamps);
    tw_cache_watch_free(c->watch);
    /* order [cache.listener] relaxed: nobody else is left */
    to = atomic_load_explicit(&c->listener, memory_order_relaxed);
    assert(!to);
    (void)to;
    pthread_mutex_destroy(&c->tags_lock);
    pthread_mutex_destroy(&c->rare_lock);
    tw_free(c);
}

const struct tw_object_type tw_cache_type = { "tw.cache", cache_free };

/* One lock is best for few entries, since each shard has its part of the bound. */
static unsigned shards_for(const struct tw_cache_options *o)
{
    uint64_t many = o->in_bytes ? 64 << 20 : 4096;

    if (o->shards) return o->shards;
    return o->capacity >= 16 * many ? 16 : o->capacity >= many ? 4 : 1;
}

static int check(const struct tw_cache_options *o, struct tw_error *error)
{
    const struct { const char *name; int64_t ns; } times[] = {
        { "ttl", o->ttl_ns }, { "idle", o->idle_ns }, { "refresh", o->refresh_ns },
        { "stale", o->stale_ns }, { "stale_error", o->stale_error_ns },
        { "failure", o->failure_ns },
    };

    if (!o->name) return tw_fail(error, TW_EUSAGE, "cache: no name");
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i].ns < 0)
            return tw_fail(error, TW_EUSAGE, "cache '%s': %s is negative", o->name,
                           times[i].name);
    if (!(o->jitter >= 0 && o->jitter <= 1))
        return tw_fail(error, TW_EUSAGE, "cache '%s': jitter %g is not in 0 to 1",
                       o->name, o->jitter);
    if (o->shards > SHARDS_MAX || (o->shards & (o->shards - 1)))
        return tw_fail(error, TW_EUSAGE,
                       "cache '%s': %u shards, not a power of two up to %d", o->name,
                       o->shards, SHARDS_MAX);
    if (o->capacity && o->shards > o->capacity)
        return tw_fail(error, TW_EUSAGE, "cache '%s': more shards than entries", o->name);
    return TW_OK;
}

int tw_cache_new(const struct tw_cache_options *options, const struct tw_unseen *unseen,
                 struct tw_cache **out, struct tw_error *error)
{
    struct tw_cache *c;
    struct tw_cache_options *o;
    int rc = check(options, error);
    unsigned shards;

    if (rc < 0) return rc;
    c = tw_calloc_aligned(1, sizeof *c + strlen(options->name) + 1);
    if (!c) return tw_fail(error, UV_ENOMEM, "cache '%s': no memory", options->name);
    tw_object_init(&c->object, &tw_cache_type);
    pthread_mutex_init(&c->tags_lock, NULL);
    pthread_mutex_init(&c->rare_lock, NULL);
    strcpy(c->name, options->name);
    c->unseen = unseen;
    o = &c->options;
    *o = *options;
    o->name = c->name;
    if (o->capacity == 0) o->capacity = o->in_bytes ? 64 << 20 : 10000;
    shards = o->shards = shards_for(o);
    c->timed = o->ttl_ns || o->idle_ns || o->refresh_ns;
    c->stamps = tw_map(TW_CACHE_STAMPS * sizeof *c->stamps, false);
    c->shards = tw_calloc_aligned(shards, sizeof *c->shards);
    for (unsigned i = 0; c->shards && rc == TW_OK && i < shards; i++) {
        c->mask = i;
        rc = tw_cache_shard_init(&c->shards[i], o->policy,
                                 o->capacity / shards + (i < o->capacity % shards));
    }
    if (!c->shards || !c->stamps) rc = UV_ENOMEM;
    if (rc < 0) {
        /* A shard without buckets is not to be walked. */
        for (unsigned i = 0; c->shards && i <= c->mask; i++)
            tw_cache_shard_fini(&c->shards[i]);
        tw_free(c->shards);
        c->shards = NULL;
        tw_object_unref(&c->object);
        return tw_fail(error, rc, "cache '%s': no memory", options->name);
    }
    *out = c;
    return TW_OK;
}

struct tw_object *tw_cache_object(struct tw_cache *c)
{
    return &c->object;
}

void tw_cache_ref(struct tw_cache *c)
{
    tw_object_ref(&c->object);
}

void tw_cache_unref(struct tw_cache *c)
{
    tw_object_unref(&c->object);
}

const char *tw_cache_name(const struct tw_cache *c)
{
    return c->name;
}

const struct tw_cache_options *tw_cache_options(const struct tw_cache *c)
{
    return &c->options;
}

void tw_cache_on_removal(struct tw_cache *c, struct tw_channel *channel)
{
    struct tw_channel *old;

    if (channel) tw_channel_ref(channel);
    pthread_mutex_lock(&c->rare_lock);
    /* order [cache.listener] relaxed: read under this lock, but for a hint */
    old = atomic_load_explicit(&c->listener, memory_order_relaxed);
    /* order [cache.listener] relaxed: as above */
    atomic_store_explicit(&c->listener, channel, memory_order_relaxed);
    pthread_mutex_unlock(&c->rare_lock);
    if (old) tw_channel_unref(old);
}

/* ---- get ---- */

/* One get on its way. */
struct get {
    struct tw_cache *c;
    struct tw_cache_shard *s;
    const struct tw_cache_call *call;
    uint64_t hash, seq;
    const struct tw_any *key;
    int64_t now;
    struct tw_load *spare;        /* made for this get, until it is used       */
    bool no_spare;                /* there is no memory for one                */
    struct tw_load *waits;        /* the load that the future given is of,
                                     held, when it is another's or new         */
    struct tw_cache_after after;
    struct tw_cache_answer *out;
};

enum tw_cache_reason tw_cache_is_over_held(const struct tw_cache *c,
                                           const struct tw_cache_entry *e, int64_t now,
                                           uint64_t seq)
{
    const struct tw_cache_options *o = &c->options;

    if (tw_cache_waits_held(e)) {
        const struct tw_load *l = e->load;

        return l->n_depends && tw_cache_is_void(c, l->depends, l->n_depends, l->seq)
               ? TW_GONE_INVALIDATED : TW_GONE_SILENTLY;
    }
    if (e->holds != TW_HOLDS_VALUE) return TW_GONE_SILENTLY;
    if (e->beside && e->beside->n_depends
        && tw_cache_is_void(c, e->beside->depends, e->beside->n_depends, e->seq))
        return TW_GONE_INVALIDATED;
    if (o->records && seq > e->seq && seq - e->seq > o->records) return TW_GONE_EXPIRED;
    if (o->idle_ns && now - e->used_ns >= o->idle_ns) return TW_GONE_IDLE;
    return TW_GONE_SILENTLY;
}

static bool is_cancelled(const struct tw_cache_entry *e)
{
    return tw_future_peek(e->future, NULL) == TW_CANCELLED;
}

/* The spare load is the caller's from now on. */
static struct tw_load *begin_held(struct get *g)
{
    struct tw_load *l = g->spare;

    g->spare = NULL;
    l->begun_ns = g->now;
    l->seq = g->seq;
    /* order [cache.stamp] relaxed: an older one only makes more tags invalid (C5) */
    l->stamp = atomic_load_explicit(&g->c->stamp, memory_order_relaxed);
    tw_cache_count(&g->c->loading, 1);
    g->out->load = l;
    return l;
}

static void give_held(struct tw_cache_entry *e, const struct tw_cache_call *call,
                      struct tw_cache_answer *out)
{
    out->future = e->future;
    if (e->future != call->held) tw_future_ref(e->future);
}

static void wait_held(struct get *g, struct tw_cache_entry *e)
{
    give_held(e, g->call, g->out);
    g->waits = e->load;
    tw_load_hold(e->load);
}

/* What e holds is past its time: gets are given the future of a load, which has the
 * old value to fall back on. */
static void turn_over_held(struct get *g, struct tw_cache_entry *e, struct tw_load *l)
{
    struct tw_cache_after *after = &g->after;

    if (e->holds == TW_HOLDS_VALUE) {
        if (l->old.kind == TW_VALUE_NIL) {
            l->old = e->value;
            tw_any_ref(&l->old);
        }
        l->old_until_ns = g->c->options.stale_error_ns ? e->error_ns : INT64_MIN;
        after->reason = TW_GONE_EXPIRED;
        after->key = e->key;
        tw_any_ref(&after->key);
        g->s->expirations++;
    }
    tw_cache_empty_held(g->s, e);
    after->value = e->value;
    e->value = (struct tw_any){ .kind = TW_VALUE_NIL };
    after->future = e->future;
    e->future = l->future;
    tw_future_ref(e->future);
    e->load = l;
    e->careful = true;
}

/* A reload beside the value that is given. */
static void refresh_held(struct get *g, struct tw_cache_entry *e)
{
    struct tw_load *l = begin_held(g);

    l->old = e->value;
    tw_any_ref(&l->old);
    e->load = l;
}

static void miss_held(struct get *g)
{
    struct tw_load *l = begin_held(g);
    struct tw_cache_entry *e = l->spare;

    l->spare = NULL;
    e->load = l;
    e->future = l->future;
    tw_future_ref(e->future);
    e->careful = true;
    tw_cache_insert_held(g->s, e);
    g->s->misses++;
    wait_held(g, e);
}

/* False: it needs a spare load. */
static bool look_held(struct get *g, struct tw_cache_entry *e)
{
    enum tw_cache_reason reason;

    if (e && is_cancelled(e)) {   /* C4 */
        tw_cache_take_held(g->s, e, TW_GONE_REMOVED, &g->after);
        e = NULL;
    }
    if (e && (reason = tw_cache_is_over_held(g->c, e, g->now, g->seq))) {
        tw_cache_take_held(g->s, e, reason, &g->after);
        e = NULL;
    }
    if (!e) {
        if (g->spare) miss_held(g);
        return g->out->load;
    }
    if (!tw_cache_waits_held(e) && g->now < e->stale_ns) {
        bool due = e->holds == TW_HOLDS_VALUE && g->now >= e->refresh_ns && !e->load;

        if (due && !g->spare && !g->no_spare) return false;
        if (due && g->spare) refresh_held(g, e);
        give_held(e, g->call, g->out);
        tw_policy_touch(g->s->policy, &e->node);
        e->used_ns = g->now;
        e->hits++;
        if (g->now < e->expires_ns) g->s->hits++;
        else g->s->stale++;
        return true;
    }
    if (!e->load) {
        if (!g->spare) return false;
        turn_over_held(g, e, begin_held(g));
        g->s->misses++;
    } else {
        if (!tw_cache_waits_held(e)) turn_over_held(g, e, e->load);
        g->s->coalesced++;
    }
    wait_held(g, e);
    return true;
}

static int no_memory(const struct get *g, struct tw_error *error)
{
    return tw_fail(error, UV_ENOMEM, "cache '%s': no memory", g->c->name);
}

/* The lock is held, and given up at the end. */
static int slow_get_held(struct get *g, struct tw_error *error)
{
    struct tw_load *asking = g->call->asking;
    struct tw_load_edge *edge = NULL;
    int rc = TW_OK;

    while (!look_held(g, tw_cache_find_held(g->s, g->hash, g->key))) {
        pthread_mutex_unlock(&g->s->lock);
        tw_cache_settle(g->c, &g->after);
        if (g->no_spare) return no_memory(g, error);
        g->spare = tw_load_new(g->c, g->key, g->hash, g->call);
        g->no_spare = !g->spare;
        pthread_mutex_lock(&g->s->lock);
    }
    pthread_mutex_unlock(&g->s->lock);
    tw_cache_settle(g->c, &g->after);
    tw_load_discard(g->spare);
    if (g->waits && asking) {
        edge = tw_calloc(1, sizeof *edge);
        if (!edge) rc = no_memory(g, error);
        else rc = tw_load_waits(asking, g->waits, edge, error);
    }
    if (g->waits) tw_load_let_go(g->waits);
    if (rc == TW_OK) return TW_OK;
    if (g->out->load) {
        tw_load_drop(g->out->load, (struct tw_any){ .kind = TW_VALUE_NIL });
        tw_load_unref(g->out->load);
    }
    if (g->out->future != g->call->held) tw_future_unref(g->out->future);
    *g->out = (struct tw_cache_answer){ 0 };
    return rc;
}

static bool is_no_key(const struct tw_any *key)
{
    return key->kind == TW_VALUE_NIL
        || (key->kind == TW_VALUE_NUMBER && key->number != key->number);
}

/* It is not later than that: what ends after it needs no look at the clock proper. */
static int64_t latest(const struct tw_cache *c)
{
    if (!c->timed) return 0;
    return c->options.now_ns ? tw_cache_now(c) : tw_clock_tick_ns() + TICK_NS;
}

int tw_cache_get(struct tw_cache *c, const struct tw_any *key,
                 const struct tw_cache_call *call, struct tw_cache_answer *out,
                 struct tw_error *error)
{
    static const struct tw_cache_call plain;
    struct tw_cache_shard *s;
    struct tw_cache_entry *e;
    uint64_t hash;
    int64_t now;

    *out = (struct tw_cache_answer){ 0 };
    if (!call) call = &plain;
    if (is_no_key(key))
        return tw_fail(error, TW_EUSAGE, "cache '%s': a key is never nil or NaN",
                       c->name);
    if (call->n_depends > TW_CACHE_DEPENDS_MAX)
        return tw_fail(error, TW_ELIMIT, "cache '%s': %zu dependencies, at most %d",
                       c->name, call->n_depends, TW_CACHE_DEPENDS_MAX);
    hash = call->hash ? call->hash : tw_any_hash(key);
    s = tw_cache_shard_of(c, hash);
    if (c->watch) tw_cache_catch_up(c->watch);
    now = latest(c);
    pthread_mutex_lock(&s->lock);
    e = tw_cache_find_held(s, hash, key);
    if (!e || e->careful || now >= e->refresh_ns || is_cancelled(e)) {
        struct get g = { .c = c, .s = s, .call = call, .hash = hash, .key = key,
                         .now = tw_cache_now(c), .out = out };

        g.seq = call->seq ? call->seq : tw_cache_seq(c);
        return slow_get_held(&g, error);
    }
    give_held(e, call, out);
    tw_policy_touch(s->policy, &e->node);
    e->hits++;
    s->hits++;
    pthread_mutex_unlock(&s->lock);
    return TW_OK;
}

/* ---- peek, put ---- */

bool tw_cache_peek(struct tw_cache *c, const struct tw_any *key, struct tw_any *out)
{
    uint64_t hash = tw_any_hash(key);
    struct tw_cache_shard *s = tw_cache_shard_of(c, hash);
    struct tw_cache_entry *e;
    int64_t now;
    bool there;

    if (c->watch) tw_cache_catch_up(c->watch);
    now = tw_cache_now(c);
    pthread_mutex_lock(&s->lock);
    e = tw_cache_find_held(s, hash, key);
    there = e && e->holds == TW_HOLDS_VALUE && now < e->stale_ns && !is_cancelled(e)
         && !tw_cache_is_over_held(c, e, now, tw_cache_seq(c));
    *out = there ? e->value : (struct tw_any){ .kind = TW_VALUE_NIL };
    tw_any_ref(out);
    pthread_mutex_unlock(&s->lock);
    return there;
}

int tw_cache_put(struct tw_cache *c, const struct tw_any *key, struct tw_any value,
                 const struct tw_cache_terms *terms, uint64_t seq)
{
    return tw_cache_put_for(c, key, value, terms, seq, 0);
}

int tw_cache_put_for(struct tw_cache *c, const struct tw_any *key, struct tw_any value,
                     const struct tw_cache_terms *terms, uint64_t seq, int64_t left)
{
    struct tw_cache_after after = { 0 };
    struct tw_cache_beside *beside = NULL;
    uint64_t hash = tw_any_hash(key);
    struct tw_cache_shard *s = tw_cache_shard_of(c, hash);
    struct tw_cache_entry *e = NULL, *old;
    int rc = is_no_key(key) ? TW_EUSAGE : tw_cache_beside_new(terms, NULL, 0, &beside);

    if (rc == TW_EUSAGE || rc == TW_ELIMIT) {
        tw_any_unref(&value);
        return rc;
    }
    if (rc == TW_OK && !(terms && terms->ttl_ns < 0)) {
        e = tw_cache_entry_new(key, hash);
        if (e) e->future = tw_future_new(c->unseen);
        if (!e || !e->future) rc = UV_ENOMEM;
    }
    if (rc == TW_OK && e) {
        tw_any_ref(&value);
        tw_future_resolve(e->future, value);
        e->value = value;
        tw_any_ref(&e->value);
        e->holds = TW_HOLDS_VALUE;
        e->ttl_ns = terms ? terms->ttl_ns : 0;
        e->seq = seq ? seq : tw_cache_seq(c);
    } else {
        tw_cache_entry_free(e);
        tw_cache_beside_free(beside);
        e = NULL;
    }
    pthread_mutex_lock(&s->lock);
    old = tw_cache_find_held(s, hash, key);
    if (old) tw_cache_take_held(s, old, TW_GONE_REPLACED, &after);
    if (e) {
        tw_cache_insert_held(s, e);
        tw_cache_set_beside_held(s, e, beside, &after);
        tw_cache_date_held(c, e, tw_cache_now(c), left);
        tw_cache_weigh_held(c, s, e, &after);
    }
    pthread_mutex_unlock(&s->lock);
    tw_cache_settle(c, &after);
    tw_any_unref(&value);
    return rc;
}
