/* cache_invalidate.c - taking out by key, tag, prefix, and everything.
 *
 * Invariants: C2 and C5 of cache.c, by which what was loading comes back in vain.
 *
 * Layer host/share.  Thread: any.
 */
#include <string.h>

#include "share/cache_table.h"

/* 1 if it had a value. */
static int take(struct tw_cache *c, const struct tw_any *key, enum tw_cache_reason reason)
{
    uint64_t hash = tw_any_hash(key);
    struct tw_cache_shard *s = tw_cache_shard_of(c, hash);
    struct tw_cache_after after = { 0 };
    struct tw_cache_entry *e;
    int had;

    pthread_mutex_lock(&s->lock);
    e = tw_cache_find_held(s, hash, key);
    had = e && e->holds == TW_HOLDS_VALUE;
    if (e) tw_cache_take_held(s, e, reason, &after);
    pthread_mutex_unlock(&s->lock);
    tw_cache_settle(c, &after);
    return had;
}

bool tw_cache_remove(struct tw_cache *c, const struct tw_any *key)
{
    return take(c, key, TW_GONE_REMOVED);
}

int64_t tw_cache_invalidate(struct tw_cache *c, const struct tw_any *key)
{
    return take(c, key, TW_GONE_INVALIDATED);
}

static bool is_tag(const struct tw_cache_link *l, const char *tag, size_t n)
{
    return l->tag.length == n && memcmp(l->tag.text, tag, n) == 0;
}

static int64_t take_tag_held(struct tw_cache_shard *s, const char *tag, size_t n,
                             struct tw_cache_after *after)
{
    struct tw_cache_link *l = *tw_cache_tag_held(s, tag, n), *next;
    int64_t had = 0;

    for (; l; l = next) {
        struct tw_cache_entry *e = l->entry;

        next = l->next;
        if (!is_tag(l, tag, n)) continue;
        while (next && next->entry == e) next = next->next;   /* they go with it */
        had += e->holds == TW_HOLDS_VALUE;
        tw_cache_take_held(s, e, TW_GONE_INVALIDATED, after);
    }
    return had;
}

int64_t tw_cache_invalidate_tag(struct tw_cache *c, const char *tag, size_t n)
{
    uint64_t stamp;
    int64_t had = 0;

    pthread_mutex_lock(&c->tags_lock);
    /* order [cache.stamp] relaxed: stored under this lock */
    stamp = atomic_load_explicit(&c->stamp, memory_order_relaxed) + 1;
    /* order [cache.stamp] relaxed: a load that sees it began after this (C5) */
    atomic_store_explicit(&c->stamp, stamp, memory_order_relaxed);
    /* order [cache.stamps] relaxed: the locks of the shards order it (C5) */
    atomic_store_explicit(tw_cache_stamp_of(c, tag, n), stamp, memory_order_relaxed);
    pthread_mutex_unlock(&c->tags_lock);
    for (unsigned i = 0; i <= c->mask; i++) {
        struct tw_cache_shard *s = &c->shards[i];
        struct tw_cache_after after = { 0 };

        pthread_mutex_lock(&s->lock);
        had += take_tag_held(s, tag, n, &after);
        pthread_mutex_unlock(&s->lock);
        tw_cache_settle(c, &after);
    }
    return had;
}

/* Takes out all that fits, TW_CACHE_STEP buckets at a time. */
static int64_t take_all(struct tw_cache *c, const struct tw_any *prefix,
                        bool (*fits)(struct tw_item key, struct tw_item prefix))
{
    struct tw_item root = prefix ? tw_any_root(prefix) : (struct tw_item){ 0 };
    int64_t had = 0;

    for (unsigned i = 0; c->shards && i <= c->mask; i++) {
        struct tw_cache_shard *s = &c->shards[i];
        uint64_t hash = 0;

        do {
            struct tw_cache_after after = { 0 };
            struct tw_cache_entry *e, *next;
            uint64_t bucket, end;

            pthread_mutex_lock(&s->lock);
            bucket = tw_cache_bucket_held(s, hash);
            for (end = bucket + TW_CACHE_STEP; bucket < end; bucket++) {
                if (bucket > tw_cache_bucket_held(s, UINT64_MAX)) break;
                for (e = s->buckets[bucket]; e; e = next) {
                    next = e->next;
                    if (fits && !fits(tw_any_root(&e->key), root)) continue;
                    had += e->holds == TW_HOLDS_VALUE;
                    tw_cache_take_held(s, e, TW_GONE_INVALIDATED, &after);
                }
            }
            hash = tw_cache_hash_held(s, bucket);
            pthread_mutex_unlock(&s->lock);
            tw_cache_settle(c, &after);
        } while (hash);
    }
    return had;
}

int64_t tw_cache_invalidate_all(struct tw_cache *c)
{
    return take_all(c, NULL, NULL);
}

static bool begins_with_text(struct tw_item key, struct tw_item prefix)
{
    return key.kind == TW_VALUE_STRING && key.length >= prefix.length
        && memcmp(key.text, prefix.text, prefix.length) == 0;
}

static bool is_plain(struct tw_item v)
{
    return v.kind <= TW_VALUE_STRING;
}

/* Of a scalar or a string; 1 and 1.0 are one key. */
static bool same(struct tw_item a, struct tw_item b)
{
    if (a.kind == TW_VALUE_STRING)
        return b.kind == TW_VALUE_STRING && a.length == b.length
            && memcmp(a.text, b.text, a.length) == 0;
    return is_plain(a) && b.kind != TW_VALUE_STRING
        && tw_any_equal(&(struct tw_any){ .kind = a.kind, .integer = a.integer },
                        &(struct tw_any){ .kind = b.kind, .integer = b.integer });
}

static struct tw_item element(struct tw_item list, uint64_t i)
{
    struct tw_item key, value;

    tw_table_entry(list.table, i, &key, &value);
    return value;
}

static bool begins_with_list(struct tw_item key, struct tw_item prefix)
{
    uint32_t n = tw_table_length(prefix.table);

    if (key.kind != TW_VALUE_TABLE || tw_table_length(key.table) < n) return false;
    for (uint64_t i = 0; i < n; i++)
        if (!is_plain(element(key, i)) || !same(element(key, i), element(prefix, i)))
            return false;
    return true;
}

int64_t tw_cache_invalidate_prefix(struct tw_cache *c, const struct tw_any *prefix)
{
    struct tw_item root = tw_any_root(prefix);

    if (root.kind == TW_VALUE_STRING) return take_all(c, prefix, begins_with_text);
    if (root.kind != TW_VALUE_TABLE || tw_table_pairs(root.table)) return TW_EUSAGE;
    for (uint64_t i = 0; i < tw_table_length(root.table); i++)
        if (!is_plain(element(root, i))) return TW_EUSAGE;
    return take_all(c, prefix, begins_with_list);
}
