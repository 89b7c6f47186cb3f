/* one.h - a state of one value, and of how many rows it is: the newest, the oldest.
 *
 * Layer host/stat.  Thread: any; who owns a state calls.
 */
#ifndef TW_ONE_H
#define TW_ONE_H

#include "stat/kernel.h"

struct one {
    uint64_t count;
    double value;
};

static inline void one_set(struct one *o, double value)
{
    o->count++;
    o->value = value;
}

static inline double one_value(const struct tw_stat *s, const struct one *o)
{
    (void)s;
    return o->count ? o->value : NAN;
}

TW_STAT_SIZE(one, struct one)

static inline double one_get(const struct tw_stat *s, const void *state, unsigned field)
{
    const struct one *o = state;

    return field == 0 ? one_value(s, o) : (double)o->count;
}

/* The newer value stays. */
static inline void one_merge(const struct tw_stat *s, void *into, const void *from)
{
    struct one *o = into;
    const struct one *newer = from;

    (void)s;
    o->count += newer->count;
    if (newer->count) o->value = newer->value;
}

/* The kind's only way: what name_push(s, one, x, time) sets. */
#define ONE_WAY(name, inputs, its_merge) \
    static inline double name##_value(const struct tw_stat *s, const struct one *o) \
    { \
        return one_value(s, o); \
    } \
    TW_STAT_RUN(name, struct one, inputs) \
    static const struct tw_stat_ops name##_ops = { \
        .size = one_size, .run = name##_run, .get = one_get, .merge = its_merge \
    }; \
    TW_STAT_CHOOSE(name)

#endif
