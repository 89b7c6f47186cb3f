/* lfix_message.h - messages of FIX as scripts read them: views that nobody changes.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_LFIX_MESSAGE_H
#define LTW_LFIX_MESSAGE_H

#include <lua.h>

#include "fix/message.h"
#include "share/value.h"

/* [-0, +0, e]  The one of this state that others are read with: its room is made when
 * it is first needed. */
struct tw_fix_message *ltw_fix_reader(lua_State *L);

/* [-0, +0, -]  The dictionary of the family that the text at idx names, "FIX.4.4", or d
 * where it names none. */
const struct tw_fix_dictionary *ltw_fix_of(lua_State *L, int idx,
                                           const struct tw_fix_dictionary *d);

/* [-0, +1, e]  A view of the whole message that the string block is.  The dictionary
 * lives as long as the state.  Raises where it is none. */
void ltw_push_fix_message(lua_State *L, struct tw_value *block,
                          const struct tw_fix_dictionary *d);

/* [-0, +(0|1), e]  Likewise of the string at text, of a dictionary that lives as long as
 * the value at owner; negative: the reader's `why` says why there is none. */
int ltw_push_fix_text(lua_State *L, int text, int owner,
                      const struct tw_fix_dictionary *d);

/* [-0, +0, e]  The message that the view at idx is; NULL: it is none. */
const struct tw_fix_message *ltw_test_fix_message(lua_State *L, int idx);

/* Passwords: 554, 925, and what a Logon has in 96.  Thread: any. */
bool ltw_fix_is_secret(const struct tw_fix_message *m, int32_t tag);

/* [-0, +1, m]  "; did you mean 'ClOrdID'?", or "": of the names of a dictionary, or of
 * the members of one of its levels. */
void ltw_push_fix_hint(lua_State *L, const struct tw_fix_dictionary *d,
                       const struct tw_fix_level *level, const char *name);

#endif
