/* ldata.h - the data of a backtest, and what is said of it at the end.
 *
 * Layer lua.
 */
#ifndef LTW_LDATA_H
#define LTW_LDATA_H

#include <lua.h>

#include "backtest/backtest.h"
#include "feed/history.h"

/* [-0, +0, m]  Adds the files of the list `data` of the table at idx; since_ns: as in
 * tw_history_file.  Fails with *error.  Blocks: on the disk. */
int ltw_add_data(lua_State *L, int idx, int64_t since_ns, struct tw_history *h,
                 struct tw_error *error);

/* [-0, +0, -]  The list `resolution` of the table at idx; none: all. */
void ltw_read_resolutions(lua_State *L, int idx, struct tw_resolutions *out);

/* [-0, +0, m]  Nothing is of the time or resolution that was asked for: to the message of
 * *error goes what there is, in the data of the table at idx.  Blocks: while all of it is
 * read. */
void ltw_tell_extent(lua_State *L, int idx, bool resolutions, struct tw_error *error);

/* What is to be said of the data of a run that has ended. */
void ltw_tell_data(const struct ltw_backtest *b,
                   void (*note)(void *ctx, const char *text), void *ctx);

/* [-0, +1, m]  The symbols that its scripts name, and the data do not have; nil: none. */
void ltw_push_unknown(lua_State *L, const struct ltw_backtest *b);

#endif
