/* fix_instruments.h - what a venue calls the symbols of a session, and fields that it
 * wants: `fields` and `instruments` of app.gateway.fix and app.feed.fix.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_FIX_INSTRUMENTS_H
#define LTW_FIX_INSTRUMENTS_H

#include "fix/instruments.h"
#include "ltw.h"

/* Who asks for them, and of what. */
struct ltw_fix_user {
    const char *what, *name;      /* of errors: "app.gateway.fix", its name        */
    const struct tw_fix_session_options *session;
    const struct tw_fix_dictionary *dictionary;
    struct tw_symbols *symbols;
    char id_source;               /* 0: none                                       */
    const char *code;             /* a field that instruments don't have in messages
                                   * of that type, nor orders, is an error; NULL: none
                                   * is                                            */
};

struct ltw_fix_given {
    const struct tw_fix_extra *fields;
    const struct tw_fix_instrument *instruments;
    size_t fields_n, instruments_n;
};

/* [-0, +n, m]  Of the table on top; what they are in stays on the stack.
 * Errors: an unknown field, one that can't be, too many, no memory. */
int ltw_fix_read_given(lua_State *L, const struct ltw_fix_user *by,
                       struct ltw_fix_given *out, struct tw_error *error);

/* [-0, +0, m]  The tag of the `field` that the table on top has, by name or number; 0:
 * the dictionary does not have it. */
int32_t ltw_fix_tag(lua_State *L, const struct tw_fix_dictionary *d);

#endif
