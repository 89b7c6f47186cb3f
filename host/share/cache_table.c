/* cache_table.c - entries in buckets and in the policy, their tags, their end.
 *
 * Invariants: see cache.c.
 *
 * Layer host/share.  Thread: any, under the lock of the shard.
 */
#include "share/cache_table.h"

#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "share/block.h"
#include "share/builder.h"

enum { FIRST_BITS = 4, BITS_MAX = 32 };
enum { FUTURE_BYTES = 160 };   /* what one takes, about */

int64_t tw_cache_now(const struct tw_cache *c)
{
    return c->options.now_ns ? c->options.now_ns(c->options.ctx) : tw_clock_steady_ns();
}

int64_t tw_cache_later(int64_t t, int64_t d)
{
    return d >= TW_CACHE_FOREVER - (t > 0 ? t : 0) ? TW_CACHE_FOREVER : t + d;
}

int tw_cache_shard_init(struct tw_cache_shard *s, enum tw_policy_kind policy,
                        uint64_t capacity)
{
    pthread_mutexattr_t attr;

    s->capacity = capacity;
    s->bits = s->tag_bits = FIRST_BITS;
    s->policy = tw_policy_new(policy, capacity);
    s->buckets = tw_calloc((size_t)1 << s->bits, sizeof *s->buckets);
    s->tags = tw_calloc((size_t)1 << s->tag_bits, sizeof *s->tags);
    pthread_mutexattr_init(&attr);
    /* What it guards takes less time than going to sleep. */
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&s->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return s->policy && s->buckets && s->tags ? TW_OK : UV_ENOMEM;
}

void tw_cache_shard_fini(struct tw_cache_shard *s)
{
    tw_policy_free(s->policy);
    tw_free(s->buckets);
    tw_free(s->tags);
    pthread_mutex_destroy(&s->lock);
}

/* ---- keys ---- */

/* By value. */
static bool is_same(const struct tw_any *a, const struct tw_any *b)
{
    struct tw_item x, y;

    if (a->kind == b->kind && a->kind != TW_VALUE_NUMBER && a->integer == b->integer)
        return true;
    if (a->kind != b->kind || a->kind != TW_VALUE_BLOCK) return tw_any_equal(a, b);
    x = tw_value_root(a->block);
    y = tw_value_root(b->block);
    if (x.kind != TW_VALUE_STRING || y.kind != TW_VALUE_STRING)
        return tw_any_equal(a, b);
    return x.length == y.length && memcmp(x.text, y.text, x.length) == 0;
}

static uint64_t bucket_of(uint64_t hash, unsigned bits)
{
    return hash >> (64 - bits);
}

struct tw_cache_entry *tw_cache_find_held(struct tw_cache_shard *s, uint64_t hash,
                                          const struct tw_any *key)
{
    struct tw_cache_entry *e = s->buckets[bucket_of(hash, s->bits)];

    while (e && (e->hash != hash || !is_same(&e->key, key))) e = e->next;
    return e;
}

struct tw_cache_entry *tw_cache_of_load_held(struct tw_cache_shard *s,
                                             const struct tw_load *load)
{
    struct tw_cache_entry *e = s->buckets[bucket_of(load->hash, s->bits)];

    while (e && e->load != load && e->future != load->future) e = e->next;
    return e;
}

uint64_t tw_cache_bucket_held(const struct tw_cache_shard *s, uint64_t hash)
{
    return bucket_of(hash, s->bits);
}

uint64_t tw_cache_hash_held(const struct tw_cache_shard *s, uint64_t bucket)
{
    return bucket >> s->bits ? 0 : bucket << (64 - s->bits);
}

/* Twice the buckets; without memory they stay as they are. */
static void grow(struct tw_cache_shard *s)
{
    struct tw_cache_entry **new, *e;

    if (s->bits == BITS_MAX) return;
    new = tw_calloc((size_t)2 << s->bits, sizeof *new);
    if (!new) return;
    for (size_t i = 0; i < (size_t)1 << s->bits; i++)
        while ((e = s->buckets[i])) {
            struct tw_cache_entry **to = &new[bucket_of(e->hash, s->bits + 1)];

            s->buckets[i] = e->next;
            e->next = *to;
            *to = e;
        }
    tw_free(s->buckets);
    s->buckets = new;
    s->bits++;
}

void tw_cache_insert_held(struct tw_cache_shard *s, struct tw_cache_entry *e)
{
    struct tw_cache_entry **to;

    if (s->table++ >> s->bits) grow(s);
    to = &s->buckets[bucket_of(e->hash, s->bits)];
    e->next = *to;
    *to = e;
}

struct tw_cache_entry *tw_cache_entry_new(const struct tw_any *key, uint64_t hash)
{
    struct tw_cache_entry *e = tw_calloc(1, sizeof *e);

    if (!e) return NULL;
    e->hash = hash;
    e->key = *key;
    tw_any_ref(&e->key);
    return e;
}

void tw_cache_entry_free(struct tw_cache_entry *e)
{
    if (!e) return;
    if (e->future) tw_future_unref(e->future);
    tw_any_unref(&e->key);
    tw_any_unref(&e->value);
    tw_cache_beside_free(e->beside);
    tw_free(e);
}

/* ---- tags ---- */

static struct tw_item tag_at(const struct tw_any *tags, uint32_t i)
{
    return tw_table_find(tw_any_root(tags).table, (struct tw_item){
        .kind = TW_VALUE_INTEGER, .integer = (int64_t)i + 1 });
}

int tw_cache_beside_new(const struct tw_cache_terms *terms, const uint32_t *depends,
                        size_t n, struct tw_cache_beside **out)
{
    static const struct tw_cache_terms none;
    struct tw_item root;
    struct tw_cache_beside *b;
    uint32_t tags = 0;
    size_t bytes;

    *out = NULL;
    if (!terms) terms = &none;
    root = tw_any_root(&terms->tags);
    if (root.kind == TW_VALUE_TABLE) tags = tw_table_length(root.table);
    else if (root.kind != TW_VALUE_NIL) return TW_EUSAGE;
    if (tags > TW_CACHE_TAGS_MAX || terms->n_depends > TW_CACHE_DEPENDS_MAX - n)
        return TW_ELIMIT;
    for (uint32_t i = 0; i < tags; i++)
        if (tag_at(&terms->tags, i).kind != TW_VALUE_STRING) return TW_EUSAGE;
    if (tags == 0 && n + terms->n_depends == 0) return TW_OK;
    bytes = sizeof *b + tags * sizeof b->link[0]
          + (n + terms->n_depends) * sizeof *depends;
    b = *out = tw_calloc(1, bytes);
    if (!b) return UV_ENOMEM;
    b->depends = (uint32_t *)(b->link + tags);
    if (n) memcpy(b->depends, depends, n * sizeof *depends);
    if (terms->n_depends)
        memcpy(b->depends + n, terms->depends, terms->n_depends * sizeof *depends);
    b->n_depends = (uint32_t)(n + terms->n_depends);
    b->n_tags = tags;
    b->tags = terms->tags;
    tw_any_ref(&b->tags);
    b->bytes = bytes;
    if (tags) b->bytes += tw_value_bytes_total(b->tags.block);
    for (uint32_t i = 0; i < tags; i++) b->link[i].tag = tag_at(&b->tags, i);
    return TW_OK;
}

void tw_cache_beside_free(struct tw_cache_beside *b)
{
    if (!b) return;
    tw_any_unref(&b->tags);
    tw_free(b);
}

static uint64_t tag_bucket(const char *tag, size_t n, unsigned bits)
{
    return tw_block_hash_text(tag, n) & (((uint64_t)1 << bits) - 1);
}

static void link_in(struct tw_cache_link **to, struct tw_cache_link *l)
{
    l->next = *to;
    l->at = to;
    if (l->next) l->next->at = &l->next;
    *to = l;
}

static void grow_tags(struct tw_cache_shard *s)
{
    struct tw_cache_link **new, *l;

    if (s->tag_bits == BITS_MAX) return;
    new = tw_calloc((size_t)2 << s->tag_bits, sizeof *new);
    if (!new) return;
    for (size_t i = 0; i < (size_t)1 << s->tag_bits; i++)
        while ((l = s->tags[i])) {
            s->tags[i] = l->next;
            link_in(&new[tag_bucket(l->tag.text, l->tag.length, s->tag_bits + 1)], l);
        }
    tw_free(s->tags);
    s->tags = new;
    s->tag_bits++;
}

struct tw_cache_link **tw_cache_tag_held(struct tw_cache_shard *s, const char *tag,
                                         size_t n)
{
    return &s->tags[tag_bucket(tag, n, s->tag_bits)];
}

static void unlink_tags(struct tw_cache_shard *s, struct tw_cache_beside *b)
{
    for (uint32_t i = 0; b && i < b->n_tags; i++) {
        struct tw_cache_link *l = &b->link[i];

        if (!l->at) continue;
        *l->at = l->next;
        if (l->next) l->next->at = l->at;
        l->at = NULL;
        s->links--;
    }
}

void tw_cache_set_beside_held(struct tw_cache_shard *s, struct tw_cache_entry *e,
                              struct tw_cache_beside *b, struct tw_cache_after *after)
{
    assert(!after->beside);
    unlink_tags(s, e->beside);
    after->beside = e->beside;
    e->beside = b;
    for (uint32_t i = 0; b && i < b->n_tags; i++) {
        struct tw_cache_link *l = &b->link[i];

        if (s->links++ >> s->tag_bits) grow_tags(s);
        l->entry = e;
        link_in(&s->tags[tag_bucket(l->tag.text, l->tag.length, s->tag_bits)], l);
    }
}

_Atomic uint64_t *tw_cache_stamp_of(struct tw_cache *c, const char *tag, size_t n)
{
    return &c->stamps[tw_block_hash_text(tag, n) % TW_CACHE_STAMPS];
}

bool tw_cache_is_stamped_held(struct tw_cache *c, const struct tw_cache_beside *b,
                              uint64_t stamp)
{
    for (uint32_t i = 0; b && i < b->n_tags; i++)
        /* order [cache.stamps] relaxed: an invalidation that has been in this shard
         * is seen by the lock; another is yet to come and finds the entry (C5) */
        if (atomic_load_explicit(tw_cache_stamp_of(c, b->link[i].tag.text,
                                                   b->link[i].tag.length),
                                 memory_order_relaxed) > stamp)
            return true;
    return false;
}

/* ---- the end of an entry ---- */

void tw_cache_empty_held(struct tw_cache_shard *s, struct tw_cache_entry *e)
{
    if (e->holds == TW_HOLDS_NOTHING) return;
    tw_policy_remove(s->policy, &e->node);
    s->held -= e->holds == TW_HOLDS_VALUE;
    s->bytes -= e->bytes;
    e->bytes = 0;
    e->holds = TW_HOLDS_NOTHING;
}

void tw_cache_take_held(struct tw_cache_shard *s, struct tw_cache_entry *e,
                        enum tw_cache_reason reason, struct tw_cache_after *after)
{
    struct tw_cache_entry **at = &s->buckets[bucket_of(e->hash, s->bits)];
    bool valued = e->holds == TW_HOLDS_VALUE;

    while (*at != e) at = &(*at)->next;
    *at = e->next;   /* C2: its load finds it no more */
    s->table--;
    unlink_tags(s, e->beside);
    tw_cache_empty_held(s, e);
    s->evictions += reason == TW_GONE_EVICTED;
    s->expirations += valued && (reason == TW_GONE_EXPIRED || reason == TW_GONE_IDLE);
    s->invalidations += valued && reason == TW_GONE_INVALIDATED;
    e->reason = valued || reason == TW_GONE_FAILED ? (uint8_t)reason : TW_GONE_SILENTLY;
    e->next = after->removed;
    after->removed = e;
}

static size_t bytes_of(const struct tw_any *v)
{
    return v->kind == TW_VALUE_BLOCK ? tw_value_bytes_total(v->block) : 0;
}

void tw_cache_weigh_held(struct tw_cache *c, struct tw_cache_shard *s,
                         struct tw_cache_entry *e, struct tw_cache_after *after)
{
    uint64_t bytes = sizeof *e + FUTURE_BYTES + bytes_of(&e->key) + bytes_of(&e->value)
                   + (e->beside ? e->beside->bytes : 0);
    uint64_t weight = c->options.in_bytes ? bytes : 1;
    struct tw_policy_node *victim;
    bool in = e->bytes > 0;

    s->held += !in && e->holds == TW_HOLDS_VALUE;
    s->bytes += bytes - e->bytes;
    e->bytes = bytes;
    if (weight > s->capacity) {
        tw_cache_take_held(s, e, TW_GONE_EVICTED, after);
        return;
    }
    if (in) tw_policy_reweigh(s->policy, &e->node, weight);
    while ((victim = tw_policy_victim(s->policy, in ? 0 : weight))) {   /* C3 */
        struct tw_cache_entry *v = (struct tw_cache_entry *)victim;

        tw_cache_take_held(s, v, TW_GONE_EVICTED, after);
        if (v == e) return;
    }
    if (!in) tw_policy_insert(s->policy, &e->node, e->hash, weight);
}

static double jitter_of(const struct tw_cache *c, uint64_t hash)
{
    return (double)(tw_block_mix(hash ^ c->options.seed) >> 11) * 0x1p-53;
}

void tw_cache_date_held(const struct tw_cache *c, struct tw_cache_entry *e, int64_t now,
                        int64_t left)
{
    const struct tw_cache_options *o = &c->options;
    int64_t ttl = e->ttl_ns ? e->ttl_ns : o->ttl_ns ? o->ttl_ns : TW_CACHE_FOREVER;

    if (left)
        ttl = left;
    else if (ttl != TW_CACHE_FOREVER)
        ttl -= (int64_t)((double)ttl * o->jitter * jitter_of(c, e->hash));
    e->born_ns = e->used_ns = now;
    e->expires_ns = tw_cache_later(now, ttl);
    e->stale_ns = tw_cache_later(e->expires_ns, o->stale_ns);
    e->error_ns = tw_cache_later(e->expires_ns, o->stale_error_ns);
    e->refresh_ns = e->expires_ns;
    if (o->refresh_ns && o->refresh_ns < ttl)
        e->refresh_ns = tw_cache_later(now, o->refresh_ns);
    e->careful = (!c->timed && e->expires_ns != TW_CACHE_FOREVER) || o->idle_ns
              || o->records || (e->beside && e->beside->n_depends);
}

/* ---- what is told ---- */

static const char *const reasons[] = {
    [TW_GONE_EXPIRED] = "expired", [TW_GONE_IDLE] = "idle", [TW_GONE_EVICTED] = "evicted",
    [TW_GONE_REPLACED] = "replaced", [TW_GONE_INVALIDATED] = "invalidated",
    [TW_GONE_REMOVED] = "removed", [TW_GONE_FAILED] = "failed"
};

static void put_any(struct tw_builder *b, const struct tw_any *v)
{
    struct tw_item item = tw_any_root(v);

    switch (item.kind) {
    case TW_VALUE_STRING: tw_builder_string(b, item.text, item.length); break;
    case TW_VALUE_TABLE:  tw_builder_link(b, item.table); break;
    case TW_VALUE_RECORD:
        tw_builder_record(b, (uintptr_t)item.record, item.record);
        break;
    case TW_VALUE_OBJECT: tw_builder_object(b, item.object); break;
    default:              tw_builder_scalar(b, item); break;
    }
}

/* {key, value, reason}: what the builder has then, or its error. */
static int build_event(struct tw_builder *b, const struct tw_any *key,
                       const struct tw_any *value, enum tw_cache_reason reason,
                       struct tw_value **out)
{
    tw_builder_begin(b);
    tw_builder_table(b, 1);
    if (tw_builder_error(b)) return tw_builder_error(b);
    tw_builder_open(b);
    tw_builder_pairs(b);
    tw_builder_string(b, "key", 3);
    put_any(b, key);
    if (value->kind != TW_VALUE_NIL) {
        tw_builder_string(b, "value", 5);
        put_any(b, value);
    }
    tw_builder_string(b, "reason", 6);
    tw_builder_string(b, reasons[reason], strlen(reasons[reason]));
    tw_builder_close(b);
    return tw_builder_finish(b, out);
}

static void tell(struct tw_cache *c, struct tw_channel *to, const struct tw_any *key,
                 const struct tw_any *value, enum tw_cache_reason reason)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_any event = { .kind = TW_VALUE_BLOCK };
    int rc = b ? build_event(b, key, value, reason, &event.block) : UV_ENOMEM;

    tw_builder_free(b);
    if (rc < 0) tw_cache_count(&c->untold, 1);
    else if (tw_channel_try_send(to, key, event) < 0) tw_any_unref(&event);
}

/* The channel, with one reference, or NULL. */
static struct tw_channel *listener_of(struct tw_cache *c)
{
    struct tw_channel *to;

    /* order [cache.listener] relaxed: a hint, looked at again under the lock */
    if (!atomic_load_explicit(&c->listener, memory_order_relaxed)) return NULL;
    pthread_mutex_lock(&c->rare_lock);
    /* order [cache.listener] relaxed: stored under this lock */
    to = atomic_load_explicit(&c->listener, memory_order_relaxed);
    if (to) tw_channel_ref(to);
    pthread_mutex_unlock(&c->rare_lock);
    return to;
}

void tw_cache_settle(struct tw_cache *c, struct tw_cache_after *after)
{
    struct tw_channel *to = NULL;

    if (after->removed || after->reason) to = listener_of(c);
    if (after->reason && to) tell(c, to, &after->key, &after->value, after->reason);
    for (struct tw_cache_entry *e = after->removed, *next; e; e = next) {
        next = e->next;
        if (to && e->reason)
            tell(c, to, &e->key, &e->value, (enum tw_cache_reason)e->reason);
        tw_cache_entry_free(e);
    }
    if (to) tw_channel_unref(to);
    if (after->future) tw_future_unref(after->future);
    tw_any_unref(&after->key);
    tw_any_unref(&after->value);
    tw_cache_beside_free(after->beside);
    *after = (struct tw_cache_after){ 0 };
}
