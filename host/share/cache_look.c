/* cache_look.c - what a cache holds and how it does.
 *
 * Layer host/share.  Thread: any.
 */
#include <uv.h>

#include "base/memory.h"
#include "share/cache_table.h"

enum { FIRST_PAGE = 128 };

static uint64_t get(const _Atomic uint64_t *counter)
{
    /* order [cache.counters] relaxed: a statistic, it orders nothing */
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void tw_cache_stats(struct tw_cache *c, struct tw_cache_stats *out)
{
    *out = (struct tw_cache_stats){
        .loads = get(&c->loads), .failures = get(&c->failures),
        .cancelled = get(&c->cancelled), .loading = get(&c->loading),
        .untold = get(&c->untold),
    };
    for (unsigned i = 0; i <= c->mask; i++) {
        struct tw_cache_shard *s = &c->shards[i];

        pthread_mutex_lock(&s->lock);
        out->hits += s->hits;
        out->stale += s->stale;
        out->misses += s->misses;
        out->coalesced += s->coalesced;
        out->evictions += s->evictions;
        out->expirations += s->expirations;
        out->invalidations += s->invalidations;
        out->entries += s->held;
        out->bytes += s->bytes;
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_lock(&c->rare_lock);
    tw_histogram_merge(&out->load_ns, &c->load_ns);
    pthread_mutex_unlock(&c->rare_lock);
}

static enum tw_cache_state state_of(const struct tw_cache *c,
                                    const struct tw_cache_entry *e, int64_t now,
                                    uint64_t seq)
{
    if (e->holds == TW_HOLDS_NOTHING) return TW_CACHE_LOADING;
    if (e->holds == TW_HOLDS_FAILURE)
        return now < e->stale_ns ? TW_CACHE_FAILED : TW_CACHE_OVER;
    if (tw_cache_is_over_held(c, e, now, seq) || now >= e->stale_ns) return TW_CACHE_OVER;
    return now < e->expires_ns ? TW_CACHE_FRESH : TW_CACHE_STALE;
}

static void describe_held(const struct tw_cache *c, const struct tw_cache_entry *e,
                          int64_t now, uint64_t seq, struct tw_cache_info *out)
{
    bool holds = e->holds != TW_HOLDS_NOTHING;

    *out = (struct tw_cache_info){
        .key = e->key, .value = e->value, .loading = e->load != NULL,
        .bytes = e->bytes, .hits = e->hits, .own_ttl_ns = e->ttl_ns,
        .state = state_of(c, e, now, seq),
        .age_ns = holds ? now - e->born_ns : 0,
        .loading_ns = e->load ? now - e->load->begun_ns : 0,
    };
    if (holds && e->expires_ns == TW_CACHE_FOREVER) out->ttl_left_ns = TW_CACHE_FOREVER;
    else if (holds && now < e->expires_ns) out->ttl_left_ns = e->expires_ns - now;
    if (e->beside) {
        out->tags = e->beside->tags;
        out->n_depends = e->beside->n_depends;
    }
    tw_any_ref(&out->key);
    tw_any_ref(&out->value);
    tw_any_ref(&out->tags);
}

static void clear(struct tw_cache_page *p)
{
    for (size_t i = 0; i < p->n; i++) {
        tw_any_unref(&p->at[i].key);
        tw_any_unref(&p->at[i].value);
        tw_any_unref(&p->at[i].tags);
        tw_future_unref(p->futures[i]);
    }
    p->n = 0;
}

void tw_cache_page_fini(struct tw_cache_page *p)
{
    clear(p);
    tw_free(p->at);
    tw_free(p->futures);
    *p = (struct tw_cache_page){ 0 };
}

static int reserve(struct tw_cache_page *p, size_t n)
{
    struct tw_cache_info *at;
    struct tw_future **futures;

    if (n <= p->max) return TW_OK;
    at = tw_realloc(p->at, n * sizeof *at);
    if (!at) return UV_ENOMEM;
    p->at = at;
    futures = tw_realloc(p->futures, n * sizeof *futures);
    if (!futures) return UV_ENOMEM;
    p->futures = futures;
    p->max = n;
    return TW_OK;
}

/* Whole buckets, since their order alone outlasts their doubling; how many the first
 * one has that did not fit. */
static size_t fill_held(struct tw_cache *c, struct tw_cache_shard *s,
                        struct tw_cache_page *p, int64_t now, uint64_t seq)
{
    uint64_t bucket = tw_cache_bucket_held(s, p->hash), end = bucket + TW_CACHE_STEP;
    uint64_t last = tw_cache_bucket_held(s, UINT64_MAX);

    for (; bucket < end && bucket <= last; bucket++) {
        size_t n = 0;

        for (struct tw_cache_entry *e = s->buckets[bucket]; e; e = e->next) n++;
        if (p->n + n > p->max) {
            if (p->n == 0) return n;
            break;
        }
        for (struct tw_cache_entry *e = s->buckets[bucket]; e; e = e->next) {
            describe_held(c, e, now, seq, &p->at[p->n]);
            tw_future_ref(e->future);
            p->futures[p->n++] = e->future;
        }
    }
    p->hash = tw_cache_hash_held(s, bucket);
    return 0;
}

int tw_cache_page_next(struct tw_cache *c, struct tw_cache_page *p)
{
    int64_t now = tw_cache_now(c);
    uint64_t seq = tw_cache_seq(c);
    size_t more = FIRST_PAGE;

    clear(p);
    if (c->watch) tw_cache_catch_up(c->watch);
    while (p->n == 0 && p->shard <= c->mask) {
        struct tw_cache_shard *s = &c->shards[p->shard];

        if (reserve(p, more) < 0) return UV_ENOMEM;
        pthread_mutex_lock(&s->lock);
        more = fill_held(c, s, p, now, seq);
        pthread_mutex_unlock(&s->lock);
        if (more == 0 && p->hash == 0) p->shard++;
    }
    for (size_t i = 0; i < p->n; i++)
        p->at[i].waiters = tw_future_waiting(p->futures[i]);
    return p->n > 0;
}
