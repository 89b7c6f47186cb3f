/* lrecord.h - records as Lua sees them: handles, their fields, handler parameters.
 *
 * Layer lua.
 */
#ifndef LTW_RECORD_H
#define LTW_RECORD_H

#include "ltw.h"
#include "tape/field.h"

/* One line: "quote 17 AAPL 187.23 x 100 / 187.25 x 200".  Thread: any. */
void ltw_record_text(const struct ltw_host *host, const struct tw_record *r,
                     char *out, size_t n);

/* [-0, +0, m]  Teaches the state what a record handle is. */
void ltw_record_open(lua_State *L);

/* [-0, +0, e]  The record that the handle or kept record at idx stands for: the
 * one being handled, which is at hand, or one read from the tape into *copy; NULL
 * when it stands for none.  Raises when it has expired. */
const struct tw_record *ltw_test_record(lua_State *L, int idx, struct tw_record *copy);

/* [-0, +1, m]  A kept copy of r, with one user value that is free to use; of a bar it is
 * its field series. */
enum { LTW_KEPT_SERIES = 1 };
void ltw_push_kept(lua_State *L, const struct tw_record *r);

/* TW_FIELD_ATTRIBUTE + i: the user's attribute of that name, which quotes and trades
 * have; else TW_NO_FIELD.  Thread: any. */
enum tw_field ltw_attribute(const struct ltw_host *host, enum tw_kind kind,
                            const char *name);

/* [-0, +1, m]  The state's table of names, for ltw_push_field. */
void ltw_push_names(lua_State *L);

/* [-0, +1, m]  One field of r, of its kind; names: stack index of the table. */
void ltw_push_field(lua_State *L, const struct ltw_host *host, int names,
                    const struct tw_record *r, enum tw_field field);

#endif
