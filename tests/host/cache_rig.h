/* cache_rig.h - a cache whose clock the test turns, and short words for its calls. */
#ifndef CACHE_RIG_H
#define CACHE_RIG_H

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "share/cache_load.h"
#include "share/failure.h"
#include "text.h"
#include "tap.h"

#define SECOND INT64_C(1000000000)

static _Atomic int64_t clock_ns;

static inline int64_t clock_now(void *ctx)
{
    (void)ctx;
    return atomic_load(&clock_ns);
}

static inline void pass(double seconds)
{
    atomic_fetch_add(&clock_ns, (int64_t)(seconds * 1e9 + 0.5));
}

static inline struct tw_cache *cache_open(struct tw_cache_options o)
{
    struct tw_cache *c = NULL;
    struct tw_error error = { 0 };

    if (!o.name) o.name = "c";
    if (!o.now_ns) o.now_ns = clock_now;
    if (getenv("SMALL")) o.shards = 1;
    if (tw_cache_new(&o, NULL, &c, &error) < 0) {
        printf("# %s\n", error.text);
        abort();
    }
    return c;
}

static inline struct tw_any number(int64_t n)
{
    return (struct tw_any){ .kind = TW_VALUE_INTEGER, .integer = n };
}

static inline struct tw_any nothing(void)
{
    return (struct tw_any){ .kind = TW_VALUE_NIL };
}

/* A list of numbers, or of strings. */
static inline struct tw_any list(unsigned n, ...)
{
    struct tw_any v = { .kind = TW_VALUE_BLOCK };
    struct tw_builder *b = tw_builder_new();
    va_list args;

    va_start(args, n);
    tw_builder_begin(b);
    tw_builder_table(b, 1);
    tw_builder_open(b);
    for (unsigned i = 0; i < n; i++) {
        const char *s = va_arg(args, const char *);

        tw_builder_string(b, s, strlen(s));
    }
    tw_builder_close(b);
    va_end(args);
    if (tw_builder_finish(b, &v.block) < 0) abort();
    tw_builder_free(b);
    return v;
}

static _Atomic int given_up;   /* loads that get_any dropped, as all had left */

/* get, wanted as its caller would. */
static inline struct tw_cache_answer get_any(struct tw_cache *c, const struct tw_any *key,
                                             const struct tw_cache_call *call)
{
    struct tw_cache_answer a;

    do {
        if (tw_cache_get(c, key, call, &a, NULL) < 0) abort();
        if (tw_future_want(a.future)) break;
        tw_future_unref(a.future);
        if (a.load) {
            tw_load_drop(a.load, nothing());
            tw_load_unref(a.load);
            atomic_fetch_add(&given_up, 1);
        }
    } while (true);
    return a;
}

static inline struct tw_cache_answer get(struct tw_cache *c, int64_t key)
{
    struct tw_any k = number(key);

    return get_any(c, &k, NULL);
}

/* Lets go of what get gave; its number, -1 for none, -2 for an error. */
static inline int64_t answer_end(struct tw_cache_answer a)
{
    struct tw_any v;
    enum tw_future_state state = tw_future_peek(a.future, &v);
    int64_t n = state == TW_RESOLVED && v.kind == TW_VALUE_INTEGER ? v.integer
              : state == TW_FAILED ? -2 : -1;

    tw_future_saw(a.future);
    tw_future_unwant(a.future);
    tw_future_unref(a.future);
    return n;
}

static inline void load_with(struct tw_load *load, int64_t value,
                             struct tw_cache_terms terms)
{
    tw_load_done(load, number(value), &terms);
    tw_load_unref(load);
}

static inline void load_end(struct tw_load *load, int64_t value)
{
    load_with(load, value, (struct tw_cache_terms){ 0 });
}

/* Every failure in these tests is this text. */
static inline bool is_why(struct tw_future *f)
{
    struct tw_any v;

    return tw_future_peek(f, &v) == TW_FAILED && is_text(&v, "why");
}

static inline void load_failed(struct tw_load *load)
{
    tw_load_fail(load, text("why"));
    tw_load_unref(load);
}

/* The number that a get gives at once; -1: a load began, which is dropped. */
static inline int64_t now_at(struct tw_cache *c, int64_t key)
{
    struct tw_cache_answer a = get(c, key);
    int64_t n = answer_end(a);

    if (a.load) {
        tw_load_drop(a.load, nothing());
        tw_load_unref(a.load);
    }
    return n;
}

static inline void set(struct tw_cache *c, int64_t key, int64_t value)
{
    struct tw_any k = number(key);

    if (tw_cache_put(c, &k, number(value), NULL, 0) < 0) abort();
}

/* The number that is there, or -1. */
static inline int64_t peek(struct tw_cache *c, int64_t key)
{
    struct tw_any k = number(key), v;
    int64_t n = tw_cache_peek(c, &k, &v) && v.kind == TW_VALUE_INTEGER ? v.integer : -1;

    tw_any_unref(&v);
    return n;
}

/* Until the next call. */
static inline const struct tw_cache_stats *stats(struct tw_cache *c)
{
    static struct tw_cache_stats s;

    tw_cache_stats(c, &s);
    return &s;
}

static inline void nothing_left(void)
{
    ok(tw_object_live() == 0, "no object is left");
    ok(tw_value_live() == 0, "and no block");
}

#endif
