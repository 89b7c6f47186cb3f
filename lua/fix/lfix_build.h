/* lfix_build.h - a table of fields, by name, as the bytes of a FIX message.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_LFIX_BUILD_H
#define LTW_LFIX_BUILD_H

#include <lua.h>

#include "fix/dictionary.h"

struct ltw_fix_build {
    const struct tw_fix_dictionary *dictionary;
    bool lenient;          /* what is required or must be a choice is not checked   */
    bool whole;            /* no session adds its fields of the header: all may be
                            * there                                                 */
    const char *applied;   /* 1128 of a view; NULL: none                            */
    int precision;         /* digits of a second, of a time that is a number; 0: 3  */
};

/* [-0, +2, e]  The code of the table or view of a message (lfix_message.h) at idx, and
 * its fields, "tag=value SOH" each: of the header, ascending, then of the body, in the
 * dictionary's order.  Of a view it is the body, ascending.  The table at header, or 0,
 * has more fields for the header.  Raises, naming field and value. */
void ltw_push_fix_built(lua_State *L, int idx, int header,
                        const struct ltw_fix_build *how);

#endif
