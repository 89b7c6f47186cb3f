/* cache_table.h - the entries of a cache, for the files that it is made of.
 *
 * Layout: shards by the low bits of a key's hash; in each, buckets by its high
 * bits, so that they stay in the order of hashes when they double.
 *
 *   shard 0   bucket 0 -> entry -> entry     lock, policy, counts
 *             bucket 1
 *             tags: bucket -> link -> link   of every tag of every entry
 *   shard 1   ...
 *
 *   entry  -> future    what gets are given; of the load, while there is no value
 *          -> load      under way, for the first value or the next one
 *
 * Layer host/share.
 */
#ifndef TW_CACHE_TABLE_H
#define TW_CACHE_TABLE_H

#include <pthread.h>

#include "share/cache.h"
#include "share/cache_load.h"

enum { TW_CACHE_STAMPS = 1 << 16, TW_CACHE_STEP = 64 };   /* slots; buckets a lock */

struct tw_cache_link {
    struct tw_cache_link *next, **at;   /* in a bucket of the shard's tags */
    struct tw_cache_entry *entry;
    struct tw_item tag;                 /* in `tags` of its beside         */
};

/* What stands beside a value: made before the lock is taken, never changed. */
struct tw_cache_beside {
    struct tw_any tags;
    size_t bytes;
    uint32_t n_tags, n_depends;
    uint32_t *depends;
    struct tw_cache_link link[];
};

enum tw_cache_holds { TW_HOLDS_NOTHING, TW_HOLDS_VALUE, TW_HOLDS_FAILURE };

enum tw_cache_reason {
    TW_GONE_SILENTLY, TW_GONE_EXPIRED, TW_GONE_IDLE, TW_GONE_EVICTED, TW_GONE_REPLACED,
    TW_GONE_INVALIDATED, TW_GONE_REMOVED, TW_GONE_FAILED
};

/* Mutex: under its shard's lock, but for what is constant. */
struct tw_cache_entry {
    struct tw_policy_node node;         /* in the policy: C3                          */
    uint64_t hits;                      /* in the line of the policy's, as above      */
    struct tw_cache_entry *next;        /* in the bucket; then among the removed      */
    uint64_t hash;                      /* constant                                   */
    struct tw_any key;                  /* constant                                   */
    struct tw_future *future;           /* one reference                              */
    struct tw_load *load;               /* C2; borrowed                               */
    struct tw_any value;                /* one reference, if it holds a value         */
    struct tw_cache_beside *beside;     /* NULL: nothing                              */
    int64_t born_ns, used_ns;
    int64_t expires_ns, stale_ns;       /* fresh until; given at once until           */
    int64_t error_ns, refresh_ns;       /* given on failure until; reloaded from then */
    int64_t ttl_ns;                     /* its own; 0: the cache's                    */
    uint64_t seq, bytes;                /* seq: the last record before its load       */
    uint8_t holds, reason;
    bool careful;                       /* a hit depends on more than refresh_ns      */
};

struct tw_cache_shard {
    _Alignas(TW_CACHELINE) pthread_mutex_t lock;
    uint64_t hits;                      /* mutex: under lock, as all of it; in its
                                           line, since a hit writes both              */
    unsigned bits, tag_bits;            /* of the number of buckets                   */
    struct tw_cache_entry **buckets;
    struct tw_policy *policy;
    struct tw_cache_link **tags;
    uint64_t table, links;              /* entries, and links, in them                */
    uint64_t capacity;                  /* constant                                   */
    uint64_t held, bytes;               /* entries that hold a value, and their bytes */
    uint64_t stale, misses, coalesced, evictions, expirations, invalidations;
};

struct tw_cache {
    struct tw_object object;
    struct tw_cache_options options;    /* constant, as all up to the locks           */
    const struct tw_unseen *unseen;
    struct tw_cache_watch *watch;       /* or NULL                                    */
    struct tw_cache_shard *shards;
    unsigned mask;                      /* shards - 1                                 */
    bool timed;                         /* every get needs the time                   */
    _Atomic uint64_t stamp;             /* atomic: under tags_lock; all load          */
    _Atomic uint64_t *stamps;           /* atomic: the same; by hash of the tag: C5   */
    pthread_mutex_t tags_lock;
    _Atomic(struct tw_channel *) listener;  /* atomic: under rare_lock; all load      */
    pthread_mutex_t rare_lock;
    struct tw_histogram load_ns;        /* mutex: under rare_lock                     */
    _Atomic uint64_t loads, failures, cancelled, loading, untold;  /* atomic: any     */
    _Atomic uint64_t swept;             /* atomic: any; where the sweep goes on       */
    char name[];                        /* constant                                   */
};

struct tw_load {
    struct tw_cache *cache;             /* constant, one reference                    */
    uint64_t hash;                      /* constant                                   */
    struct tw_any key;                  /* constant, one reference                    */
    struct tw_future *future;           /* constant, one reference                    */
    struct tw_any old;                  /* mutex: the shard's; one reference          */
    int64_t old_until_ns, begun_ns;     /* mutex: the shard's                         */
    uint64_t seq, stamp;                /* mutex: the shard's                         */
    struct tw_cache_entry *spare;       /* owner: the get that makes it               */
    _Atomic uint32_t references;        /* atomic: any; of the callers                */
    _Atomic uint32_t parts;             /* atomic: the callers, and the future: L2    */
    _Atomic bool ended;                 /* atomic: any                                */
    _Atomic int hook;                   /* atomic: any; see cache_load.c              */
    void (*stop)(void *ctx);            /* owner: who was given the load, then hook's */
    void (*done)(void *ctx);
    void *ctx;
    struct tw_load_edge *edges;         /* mutex: of cache_cycle.c, as the rest       */
    struct tw_load *via, *next;
    uint64_t mark;
    uint32_t n_depends;                 /* constant                                   */
    uint32_t depends[];                 /* constant                                   */
};

/* What is left to do when the lock has been given up. */
struct tw_cache_after {
    struct tw_cache_entry *removed;
    struct tw_future *future;           /* to be let go, as is the value of the key   */
    struct tw_cache_beside *beside;
    struct tw_any key, value;           /* one reference each                         */
    enum tw_cache_reason reason;
};

/* ---- cache_table.c ---- */

/* The two halves of a key's place.  Thread: any. */
static inline struct tw_cache_shard *tw_cache_shard_of(struct tw_cache *c, uint64_t hash)
{
    return &c->shards[hash & c->mask];
}

/* A count that nothing is ordered by.  Thread: any. */
static inline void tw_cache_count(_Atomic uint64_t *counter, uint64_t n)
{
    /* order [cache.counters] relaxed: a statistic, it orders nothing */
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The time of this cache.  Thread: any. */
int64_t tw_cache_now(const struct tw_cache *c);

/* t + d, never past FOREVER.  Thread: any. */
int64_t tw_cache_later(int64_t t, int64_t d);

/* Opens and closes a shard; UV_ENOMEM.  Thread: the cache's owner. */
int tw_cache_shard_init(struct tw_cache_shard *s, enum tw_policy_kind policy,
                        uint64_t capacity);
void tw_cache_shard_fini(struct tw_cache_shard *s);

/* Thread: any; the shard's lock is held. */
struct tw_cache_entry *tw_cache_find_held(struct tw_cache_shard *s, uint64_t hash,
                                          const struct tw_any *key);
void tw_cache_insert_held(struct tw_cache_shard *s, struct tw_cache_entry *e);

/* The entry that awaits a load, or has its future; NULL: it was taken out.
 * Thread: any; the shard's lock is held. */
struct tw_cache_entry *tw_cache_of_load_held(struct tw_cache_shard *s,
                                             const struct tw_load *load);

/* True: gets are given the future of the load.  Thread: any; as above. */
static inline bool tw_cache_waits_held(const struct tw_cache_entry *e)
{
    return e->load && e->future == e->load->future;
}

/* The first bucket at or after a hash, and how many there are.  Thread: as above. */
uint64_t tw_cache_bucket_held(const struct tw_cache_shard *s, uint64_t hash);

/* The least hash of a bucket; 0 past the last.  Thread: as above. */
uint64_t tw_cache_hash_held(const struct tw_cache_shard *s, uint64_t bucket);

/* A new entry of a key, in no table; NULL: no memory.  Thread: any. */
struct tw_cache_entry *tw_cache_entry_new(const struct tw_any *key, uint64_t hash);
void tw_cache_entry_free(struct tw_cache_entry *e);

/* What is to stand beside a value; *out stays NULL when that is nothing.  UV_ENOMEM,
 * TW_ELIMIT, or TW_EUSAGE: tags is no list of strings.  Thread: any. */
int tw_cache_beside_new(const struct tw_cache_terms *terms, const uint32_t *depends,
                        size_t n, struct tw_cache_beside **out);
void tw_cache_beside_free(struct tw_cache_beside *b);

/* Links the tags of e to it; the old ones go to after.  Thread: any, lock held. */
void tw_cache_set_beside_held(struct tw_cache_shard *s, struct tw_cache_entry *e,
                              struct tw_cache_beside *b, struct tw_cache_after *after);

/* The bucket that has the links of a tag, and of others.  Thread: any, lock held. */
struct tw_cache_link **tw_cache_tag_held(struct tw_cache_shard *s, const char *tag,
                                         size_t n);

/* Takes an entry out of everything.  Thread: any, lock held. */
void tw_cache_take_held(struct tw_cache_shard *s, struct tw_cache_entry *e,
                        enum tw_cache_reason reason, struct tw_cache_after *after);

/* It holds nothing any more.  Thread: any, lock held. */
void tw_cache_empty_held(struct tw_cache_shard *s, struct tw_cache_entry *e);

/* e, whose value stands, is counted and weighed; others may have to go, or e itself
 * if it is too heavy.  Thread: any, lock held. */
void tw_cache_weigh_held(struct tw_cache *c, struct tw_cache_shard *s,
                         struct tw_cache_entry *e, struct tw_cache_after *after);

/* Sets the times of a value that came now; left: what it has to live, or 0 for what
 * it is given by the rules.  Thread: any, lock held. */
void tw_cache_date_held(const struct tw_cache *c, struct tw_cache_entry *e, int64_t now,
                        int64_t left);

/* Tells and lets go.  Thread: any, no lock held. */
void tw_cache_settle(struct tw_cache *c, struct tw_cache_after *after);

/* True: one of the tags was invalidated after `stamp` (C5).  Thread: any, lock held. */
bool tw_cache_is_stamped_held(struct tw_cache *c, const struct tw_cache_beside *b,
                              uint64_t stamp);
_Atomic uint64_t *tw_cache_stamp_of(struct tw_cache *c, const char *tag, size_t n);

/* ---- cache_load.c ---- */

/* A load, its future and an entry for it; NULL: no memory.  Thread: any. */
struct tw_load *tw_load_new(struct tw_cache *c, const struct tw_any *key, uint64_t hash,
                            const struct tw_cache_call *call);

/* One that nobody was given.  Thread: any.  load may be NULL. */
void tw_load_discard(struct tw_load *load);

/* ---- cache_cycle.c ---- */

struct tw_load_edge { struct tw_load_edge *next; struct tw_load *to; };

/* asking waits for `to`, unless it has ended.  Takes edge.  TW_ECYCLE.
 * Thread: any.  Blocks: a lock. */
int tw_load_waits(struct tw_load *asking, struct tw_load *to, struct tw_load_edge *edge,
                  struct tw_error *error);

/* It waits for nothing any more.  Thread: any.  Blocks: a lock. */
void tw_load_waits_no_more(struct tw_load *load);

/* References that keep only the memory.  Thread: any. */
void tw_load_hold(struct tw_load *load);
void tw_load_let_go(struct tw_load *load);

/* ---- cache_watch.c ---- */

struct tw_cache_watch;
void tw_cache_watch_free(struct tw_cache_watch *w);   /* Thread: the last one's. */

/* Up to the head, or everything older is void.  Thread: any.  Blocks: a lock. */
void tw_cache_catch_up(struct tw_cache_watch *w);

/* The last record; 0 without a tape.  Thread: any. */
uint64_t tw_cache_seq(const struct tw_cache *c);

/* True: a record after seq concerns one of them.  Thread: any. */
bool tw_cache_is_void(const struct tw_cache *c, const uint32_t *depends, size_t n,
                      uint64_t seq);

/* ---- cache.c ---- */

/* tw_cache_put of a value that has so long to live, whatever the terms say; 0: as
 * they say.  Thread: any. */
int tw_cache_put_for(struct tw_cache *c, const struct tw_any *key, struct tw_any value,
                     const struct tw_cache_terms *terms, uint64_t seq, int64_t left);

/* Nobody is to be given what e holds: why, or TW_GONE_SILENTLY for one that may be
 * given.  Thread: any, lock held. */
enum tw_cache_reason tw_cache_is_over_held(const struct tw_cache *c,
                                           const struct tw_cache_entry *e, int64_t now,
                                           uint64_t seq);

#endif
