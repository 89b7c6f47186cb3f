/* cache.h - keys and the futures of their values: computed once, for whoever asks.
 *
 * A get never waits: it gives a future, hit or miss.  Who is the first to miss is
 * also given a load (cache_load.h), to start it; all others share its future.
 *
 * Layer host/share.
 */
#ifndef TW_CACHE_H
#define TW_CACHE_H

#include "base/histogram.h"
#include "share/channel.h"
#include "share/future.h"
#include "share/policy.h"

struct tw_load;
struct tw_tape;

struct tw_cache;
extern const struct tw_object_type tw_cache_type;   /* "tw.cache" */

/* Times are those of now_ns; 0: none of it. */
struct tw_cache_options {
    const char *name;              /* copied                                         */
    enum tw_policy_kind policy;
    uint64_t capacity;             /* entries or bytes; 0: 10,000 or 64 MB           */
    bool in_bytes;                 /* of the entries, keys and values                */
    int64_t ttl_ns;                /* to live, from when the value came; 0: for ever */
    int64_t idle_ns;               /* to live, from the last use                     */
    double jitter;                 /* up to this share of ttl is taken off, by key   */
    uint64_t seed;                 /* of the jitter                                  */
    int64_t refresh_ns;            /* from this age on, a get starts a reload beside
                                      the value that it gives                        */
    int64_t stale_ns;              /* the same, so long after its time to live       */
    int64_t stale_error_ns;        /* so long after it, a failed reload gives the old
                                      value                                          */
    int64_t failure_ns;            /* a failure is kept so long; a value whose reload
                                      failed is not reloaded so long                 */
    uint64_t records;              /* of the tape, that a value may be behind        */
    unsigned shards;               /* a power of two; 0: by the capacity             */
    int64_t (*now_ns)(void *ctx);  /* NULL: the steady clock                         */
    void *ctx;
};

/* What a value depends on: a symbol (quotes and trades), or a topic (messages). */
enum { TW_CACHE_TOPIC = 1 << 24 };   /* | topic id; a symbol id stands alone */

enum { TW_CACHE_DEPENDS_MAX = 64, TW_CACHE_TAGS_MAX = 256 };   /* of one entry */
#define TW_CACHE_FOREVER INT64_MAX

/* What is known of a value beside it.  NULL or zeroed: all as the cache has it. */
struct tw_cache_terms {
    int64_t ttl_ns;                /* 0: the cache's; negative: not kept at all      */
    struct tw_any tags;            /* a frozen list of strings, borrowed; or nil     */
    const uint32_t *depends;       /* copied                                         */
    size_t n_depends;
};

struct tw_cache_call {
    struct tw_load *asking;        /* the load on whose behalf this is; or NULL      */
    uint64_t seq;                  /* the last record the caller has seen; 0: that of
                                      the watched tape                               */
    const uint32_t *depends;       /* of the load that this may start, copied        */
    size_t n_depends;
    uint64_t hash;                 /* tw_any_hash of the key, if the caller knows it */
    struct tw_future *held;        /* the caller's, or NULL                          */
};

/* Both are the caller's: future with one reference, unless it is call->held, and
 * nobody's want yet; load, unless NULL, is to be started and ended, however the future
 * stands. */
struct tw_cache_answer {
    struct tw_future *future;
    struct tw_load *load;
};

/* With one reference.  Failures of reloads that nobody saw go to unseen, which may
 * be NULL.  UV_ENOMEM, or TW_EUSAGE: the options make no sense.
 * Thread: any.  Blocks: no. */
int tw_cache_new(const struct tw_cache_options *options, const struct tw_unseen *unseen,
                 struct tw_cache **out, struct tw_error *error);
struct tw_object *tw_cache_object(struct tw_cache *c);
void tw_cache_ref(struct tw_cache *c);
void tw_cache_unref(struct tw_cache *c);

/* Constant.  Thread: any.  Blocks: never. */
const char *tw_cache_name(const struct tw_cache *c);
const struct tw_cache_options *tw_cache_options(const struct tw_cache *c);

/* The future of a key.  When tw_future_want says that it was cancelled just now, get
 * again.  call may be NULL.
 *   UV_ENOMEM; TW_ECYCLE: the load that asks would wait for itself, and the text
 *   has the path of keys; TW_EUSAGE: the key is nil or NaN.
 * Thread: any.  Blocks: short locks; under them keys are compared whose hashes are
 * equal, and the table doubles.  Of a watched tape: as long as it takes to read
 * TW_CACHE_ADVANCE records.  Memory: none for a hit. */
int tw_cache_get(struct tw_cache *c, const struct tw_any *key,
                 const struct tw_cache_call *call, struct tw_cache_answer *out,
                 struct tw_error *error);

/* The value that a get would give at once, with one reference; false: none.  It is
 * no use of the entry.  Thread: any.  Blocks: as get does.  Memory: none. */
bool tw_cache_peek(struct tw_cache *c, const struct tw_any *key, struct tw_any *out);

/* Puts a value, whose reference passes to the cache also when it fails, in place of
 * whatever was there; those who wait for a load of the key get what it gives, but
 * that is not kept.  seq: as in tw_cache_call.  UV_ENOMEM: what was there is gone;
 * TW_EUSAGE as above; TW_ELIMIT: too many tags or dependencies.
 * Thread: any.  Blocks: as get does. */
int tw_cache_put(struct tw_cache *c, const struct tw_any *key, struct tw_any value,
                 const struct tw_cache_terms *terms, uint64_t seq);

/* Takes out one key; true if it had a value.
 * Thread: any.  Blocks: as get does. */
bool tw_cache_remove(struct tw_cache *c, const struct tw_any *key);

/* What is in the cache is not valid any more, nor what loads bring that had begun:
 * those who wait for them get it, but it is not kept.  Each gives how many entries
 * had a value.  A prefix is a string, for keys that are strings, or a list of
 * scalars and strings, for keys that are lists; else TW_EUSAGE.
 * Thread: any.  Blocks: as get does; all and prefix take a lock for 64 buckets at a
 * time.  Memory: none. */
int64_t tw_cache_invalidate(struct tw_cache *c, const struct tw_any *key);
int64_t tw_cache_invalidate_tag(struct tw_cache *c, const char *tag, size_t n);
int64_t tw_cache_invalidate_prefix(struct tw_cache *c, const struct tw_any *prefix);
int64_t tw_cache_invalidate_all(struct tw_cache *c);

/* Every removal of a value is sent to the channel as {key, value, reason}; NULL: no
 * more.  reason is "expired", "idle", "evicted", "replaced", "invalidated" or
 * "removed"; "failed" when a load fails, and then there is no value.  What can't be
 * sent is counted: by the channel, and without memory in `untold`.
 * Thread: any.  Blocks: a short lock. */
void tw_cache_on_removal(struct tw_cache *c, struct tw_channel *channel);

/* ---- the tape ---- */

enum { TW_CACHE_ADVANCE = 1 << 16 };   /* records a call reads: about 0.4 ms */

/* From now on quotes, trades and messages void what depends on them.  A record that
 * was committed before a get began has voided what that get gives.  Who is further
 * behind than TW_CACHE_ADVANCE records, or was lapped, voids everything that has
 * dependencies.  The tape outlives the cache.  UV_ENOMEM.
 * Thread: any, once, before the first get.  Blocks: no. */
int tw_cache_watch(struct tw_cache *c, struct tw_tape *tape);

/* Idle work: reads up to TW_CACHE_ADVANCE records, and takes out entries of a few
 * buckets whose time is over.  True: there is more to read.
 * Thread: any.  Blocks: as get does. */
bool tw_cache_advance(struct tw_cache *c);

/* ---- looking on ---- */

struct tw_cache_stats {
    uint64_t hits, stale;          /* values given at once, and those past their time */
    uint64_t misses, coalesced;    /* started a load, and joined one                  */
    uint64_t loads, failures, cancelled;   /* ended: with a value, an error, neither  */
    uint64_t evictions, expirations, invalidations;
    uint64_t entries, bytes, loading;      /* now; entries that have a value          */
    uint64_t untold;               /* removals that there was no memory to tell of    */
    struct tw_histogram load_ns;
};

/* Thread: any.  Blocks: short locks. */
void tw_cache_stats(struct tw_cache *c, struct tw_cache_stats *out);

enum tw_cache_state {
    TW_CACHE_LOADING,              /* there is no value yet         */
    TW_CACHE_FRESH,
    TW_CACHE_STALE,                /* past its time to live         */
    TW_CACHE_OVER,                 /* void: nobody is given it      */
    TW_CACHE_FAILED                /* a failure that is kept        */
};

struct tw_cache_info {
    struct tw_any key, value;      /* the page has the references; value may be nil  */
    struct tw_any tags;            /* a list, or nil                                 */
    uint32_t n_depends;            /* on so many symbols and topics                  */
    enum tw_cache_state state;
    bool loading;                  /* a load or reload is under way                  */
    int64_t age_ns;                /* since the value came                           */
    int64_t ttl_left_ns;           /* TW_CACHE_FOREVER; 0: it is over                */
    int64_t own_ttl_ns;            /* as its load said; 0: the cache's               */
    int64_t loading_ns;            /* since that load began                          */
    uint64_t bytes, hits;
    unsigned waiters;              /* tasks                                          */
};

/* A part of a cache, to look at with no lock held.  Zeroed, it is at the start. */
struct tw_cache_page {
    struct tw_cache_info *at;      /* n of them */
    size_t n, max;
    struct tw_future **futures;    /* of each: the page has the references */
    unsigned shard;                /* the cache's: where the next page begins */
    uint64_t hash;
};

/* The next entries: 1, or 0 when there are no more, or UV_ENOMEM: the same part may
 * be asked for again.  Each entry that is there from the first to the last call is
 * on one page.  fini is safe at any time, and at the start again.
 * Thread: any; a page has one owner.  Blocks: a lock for 64 buckets. */
int tw_cache_page_next(struct tw_cache *c, struct tw_cache_page *page);
void tw_cache_page_fini(struct tw_cache_page *page);

#endif
