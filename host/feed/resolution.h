/* resolution.h - whether a symbol's records are ticks or bars, and of what length.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#ifndef TW_RESOLUTION_H
#define TW_RESOLUTION_H

#include "tape/bar.h"
#include "tape/symbols.h"

enum { TW_RESOLUTIONS = 8, TW_LENGTH_TEXT = 16, TW_MIX_TEXT = 400 };

/* Those that are wanted: the seconds of bars, or 0 for ticks; n is 0: all are. */
struct tw_resolutions { uint32_t seconds[TW_RESOLUTIONS]; unsigned n; };

/* Is it one of these?  What is no market data always is.  Thread: any.  Blocks: never. */
bool tw_resolutions_have(const struct tw_resolutions *all, const struct tw_record *r);

/* "1m".  Thread: any.  Blocks: never. */
const char *tw_length_text(uint32_t seconds, char out[TW_LENGTH_TEXT]);

struct tw_mix;

/* NULL: no memory. */
struct tw_mix *tw_mix_new(void);
void tw_mix_free(struct tw_mix *m);          /* m may be NULL */

/* The next record.  UV_ENOMEM.  Blocks: never.  Memory: for new symbols. */
int tw_mix_look(struct tw_mix *m, const struct tw_record *r);

/* One line each; false: there is nothing to say.  Of symbols with several resolutions; of
 * those that have bars of bids alone, of asks alone, or of trades beside them; and which
 * resolutions there are.  Blocks: never. */
bool tw_mix_text(const struct tw_mix *m, const struct tw_symbols *symbols,
                 char out[TW_MIX_TEXT]);
bool tw_mix_sides(const struct tw_mix *m, const struct tw_symbols *symbols,
                  char out[TW_MIX_TEXT]);
bool tw_mix_all(const struct tw_mix *m, char out[TW_MIX_TEXT]);

#endif
