/* recent.h - the least of the last n values.
 *
 * The ring is cut into blocks of n; a full block is replaced by its suffix minima,
 * and the window's least is that of the block under way and the suffix that is still
 * inside: three comparisons a value, amortised (van Herk 1992; Gil and Werman,
 * "Computing 2-D min, median and max filters", 1993), with no branch that depends on
 * the data.  The greatest is minus the least of -x.
 *
 * Layer host/stat.  Thread: who owns it.  Blocks: never.  Memory: none.
 */
#ifndef TW_RECENT_H
#define TW_RECENT_H

#include "stat/kernel.h"

struct recent {
    uint32_t next;      /* values in the block under way                      */
    uint32_t full;      /* there was a block before it: 0 or 1                */
    double least;       /* of the block under way, or of the whole one at 0   */
    double ring[];      /* the block under way, then the suffix minima left   */
};

static inline void recent_push(uint32_t n, struct recent *r, double x)
{
    r->least = r->next && r->least < x ? r->least : x;
    r->ring[r->next] = x;
    if (++r->next < n) return;
    for (uint32_t i = n - 1; i-- > 0;)
        r->ring[i] = r->ring[i] < r->ring[i + 1] ? r->ring[i] : r->ring[i + 1];
    r->next = 0;
    r->full = 1;
}

static inline double recent_of(const struct recent *r)
{
    if (!r->full) return r->next ? r->least : NAN;
    return r->least < r->ring[r->next] ? r->least : r->ring[r->next];
}

static inline size_t recent_bytes(uint32_t n)
{
    return sizeof(struct recent) + n * sizeof(double);
}

static inline bool recent_sound(const struct recent *r, uint32_t n)
{
    return r->next < n && r->full <= 1;
}

#endif
