/* factor.h - factors of prices, day by day, for later splits and dividends.
 *
 * A factor file, as LEAN has them: lines of `YYYYMMDD,price factor,split factor,...`,
 * oldest first; a row holds for the days up to its own that no row before it holds for.
 *
 * Layer host/feed.
 */
#ifndef TW_FACTOR_H
#define TW_FACTOR_H

#include "base/tw.h"

struct tw_factors;

/* Reads a file; NULL: error says why, with the line.
 * Thread: any.  Blocks: while it reads.  Memory: freed by tw_factors_free. */
struct tw_factors *tw_factors_open(const char *path, struct tw_error *error);

/* Adjusts a price of that day (days since 1970-01-01), to the nearest 1e-9.  Past the
 * last row it stays as it is, and where f is NULL.  TW_ERANGE: what comes out is too
 * large.
 * Thread: one at a time.  Blocks: never.  Memory: none. */
int tw_factors_adjust(struct tw_factors *f, int64_t day, int64_t *price_fixed);

/* f may be NULL.  Thread: any.  Blocks: never. */
void tw_factors_free(struct tw_factors *f);

#endif
