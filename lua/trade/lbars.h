/* lbars.h - bars that a script has made of what it reads: self:bars.
 *
 * Layer lua.  Thread: WORKER, the script's.
 */
#ifndef LTW_LBARS_H
#define LTW_LBARS_H

#include "run/filter.h"
#include "tape/record.h"

/* Of an instance, in the order in which it declared them; NULL: none. */
struct ltw_bars;

void ltw_bars_free(struct ltw_bars *b);

/* Each record that the script wants, before it is told of it; false: no memory. */
bool ltw_bars_take(struct ltw_bars *b, const struct tw_symbols *symbols,
                   const struct tw_record *r);

/* The next complete bar, and which call of self:bars asked for it: 1, 2, ...; 0: none
 * now. */
uint32_t ltw_bars_next(struct ltw_bars *b, struct tw_record *out);

/* Is there one that no record could be part of?  In out, how it was asked for, and what
 * the records lack. */
bool ltw_bars_lack(const struct ltw_bars *b, char *out, size_t room);

/* How many were left out, see tw_bars_refused. */
uint64_t ltw_bars_refused(const struct ltw_bars *b);

/* [-0, +0, m]  Adds the method bars to the table on top. */
void ltw_bars_method(lua_State *L);

#endif
