/* stat_rig.h - what every statistic must keep: T2, T4, T5 of stat.h, and that a
 * loaded state is either refused or harmless. */
#ifndef STAT_RIG_H
#define STAT_RIG_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/stat.h"
#include "tap.h"

static uint64_t rig_seed = 42;

/* splitmix64 */
static inline uint64_t rig_bits(void)
{
    uint64_t z = rig_seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 to 1, without 1. */
static inline double rig_uniform(void)
{
    return (double)(rig_bits() >> 11) * 0x1p-53;
}

static inline double rig_normal(void)
{
    return sqrt(-2 * log(1 - rig_uniform())) * cos(2 * M_PI * rig_uniform());
}

static inline struct tw_stat rig_stat(const char *name, struct tw_stat_options o)
{
    const struct tw_stat_kind *k = tw_stat_find(name, strlen(name));
    struct tw_error e = { 0 };
    struct tw_stat s;

    if (!k || tw_stat_init(&s, k, &o, &e) != TW_OK) {
        printf("Bail out! %s: %s\n", name, k ? e.text : "no such kind");
        exit(1);
    }
    return s;
}

static inline struct tw_stat rig_window(const char *name, uint32_t window)
{
    struct tw_stat_options o = tw_stat_no_options();

    o.window = window;
    return rig_stat(name, o);
}

static inline void *rig_state(const struct tw_stat *s)
{
    void *state = calloc(1, s->size);

    if (!state) abort();
    return state;
}

/* n rows into one state, in whole batches. */
static inline void rig_feed(const struct tw_stat *s, void *state, const double *x,
                            size_t n, double *out)
{
    static const uint32_t key[TW_STAT_BATCH];
    static const int64_t time[TW_STAT_BATCH];

    for (size_t i = 0; i < n; i += TW_STAT_BATCH) {
        size_t left = n - i;
        struct tw_stat_rows r = {
            .n = (unsigned)(left < TW_STAT_BATCH ? left : TW_STAT_BATCH),
            .key = key, .x = { x + i }, .time = time, .out = out ? out + i : NULL
        };

        s->ops->run(s, state, &r);
    }
}

static inline bool rig_same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b;
}

/* T2, T5: rows of three keys, some missing, in batches of random lengths, against
 * one push for each row that is not. */
static inline void rig_batches(const struct tw_stat *s, double (*value)(void))
{
    enum { KEYS = 3, ROWS = 2000 };
    char *many = calloc(KEYS, s->size), *single = calloc(KEYS, s->size);
    double x[TW_STAT_BATCH], out[TW_STAT_BATCH];
    uint32_t key[TW_STAT_BATCH];
    int64_t time[TW_STAT_BATCH] = { 0 };
    int wrong = 0;

    for (int row = 0; row < ROWS;) {
        struct tw_stat_rows r = { .n = 1 + (unsigned)(rig_bits() % TW_STAT_BATCH),
                                  .key = key, .x = { x }, .time = time };

        r.out = rig_bits() % 2 ? out : NULL;
        for (unsigned i = 0; i < r.n; i++) {
            key[i] = (uint32_t)(rig_bits() % KEYS);
            x[i] = rig_bits() % 16 ? value() : NAN;
        }
        s->ops->run(s, many, &r);
        for (unsigned i = 0; i < r.n; i++) {
            char *state = single + key[i] * s->size;

            if (!isnan(x[i])) tw_stat_push(s, state, &x[i], 0);
            wrong += r.out && !rig_same(out[i], tw_stat_get(s, state, 0));
        }
        row += (int)r.n;
    }
    ok(wrong == 0 && memcmp(many, single, KEYS * s->size) == 0,
       "%s(window=%u): batches and single rows agree to the bit", s->kind->name,
       s->o.window);
    free(many);
    free(single);
}

/* T4, for what merges exactly: each field of every split is that of the whole. */
static inline void rig_merge(const struct tw_stat *s, double (*value)(void))
{
    enum { ROWS = 300, ROUNDS = 200 };
    double x[ROWS];
    int wrong = 0;

    for (int round = 0; round < ROUNDS; round++) {
        size_t n = rig_bits() % ROWS, cut = n ? rig_bits() % (n + 1) : 0;
        void *a = rig_state(s), *b = rig_state(s), *whole = rig_state(s);

        for (size_t i = 0; i < n; i++) x[i] = value();
        rig_feed(s, a, x, cut, NULL);
        rig_feed(s, b, x + cut, n - cut, NULL);
        rig_feed(s, whole, x, n, NULL);
        s->ops->merge(s, a, b);
        for (int after = 0; after < 3; after++) {
            double more = value();

            for (unsigned f = 0; s->kind->fields[f]; f++)
                wrong += !rig_same(tw_stat_get(s, a, f), tw_stat_get(s, whole, f));
            tw_stat_push(s, a, &more, 0);
            tw_stat_push(s, whole, &more, 0);
        }
        free(a), free(b), free(whole);
    }
    ok(wrong == 0, "%s(window=%u): two merged parts are the whole, and go on as it does",
       s->kind->name, s->o.window);
}

/* Calls whatever can be called. */
static inline void rig_use(const struct tw_stat *s, void *state, void *other)
{
    double pairs[64][2];

    for (int i = 0; i < 1000; i++) {
        double x = i % 3 ? (double)(rig_bits() % 100) : rig_normal() * 1e9;

        tw_stat_push(s, state, &x, i);
        if (i % 100) continue;
        for (unsigned f = 0; s->kind->fields[f]; f++) tw_stat_get(s, state, f);
        for (double p = 0; s->ops->at && p <= 1; p += 0.125) s->ops->at(s, state, p);
        if (s->ops->list) s->ops->list(s, state, pairs, 64);
        if (s->ops->merge && i == 500) s->ops->merge(s, state, other);
    }
}

/* Random and damaged states: what valid() lets through does no harm, which the
 * address sanitizer sees. */
static inline void rig_fuzz(const struct tw_stat *s)
{
    int passed = 0, refused = 0, rounds = getenv("SMALL") ? 100 : 400;

    for (int round = 0; round < rounds; round++) {
        unsigned char *state = rig_state(s), *other = rig_state(s);
        unsigned rows = (unsigned)(rig_bits() % 500);

        for (unsigned i = 0; i < rows; i++) {
            double x = floor(rig_normal() * 30);

            tw_stat_push(s, state, &x, 0);
            tw_stat_push(s, other, &x, 0);
        }
        for (size_t i = 0; round % 4 == 0 && i < s->size; i++)
            state[i] = (unsigned char)rig_bits();
        for (uint64_t i = rig_bits() % 8; i > 0; i--) {
            /* The first bytes are where the counts are. */
            size_t at = rig_bits() % (rig_bits() % 2 || s->size < 64 ? s->size : 64);

            state[at] = (unsigned char)(rig_bits() % 2 ? rig_bits() : rig_bits() % 4);
        }
        if (!s->ops->valid || s->ops->valid(s, state)) {
            passed++;
            rig_use(s, state, other);
            rig_use(s, other, state);
        } else {
            refused++;
        }
        free(state);
        free(other);
    }
    ok(passed > 0 && (!s->ops->valid || refused > 0),
       "%s(window=%u): of damaged states %d are refused, %d do no harm", s->kind->name,
       s->o.window, refused, passed);
}

#endif
