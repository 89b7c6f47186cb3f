/* fix_reading.h - what the table of a FIX session says, as the engine has it.
 *
 * stdlib/app_fix.lua has checked names, types and ranges; what needs a dictionary, a file
 * or a zone is found out here.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_FIX_READING_H
#define LTW_FIX_READING_H

#include "fix/fix_shelf.h"
#include "ltw.h"
#include "run/fix_engine.h"
#include "run/tls.h"

enum { LTW_FIX_LOGON_MAX = 32, LTW_FIX_HOSTS_MAX = 16, LTW_FIX_TAKE_MAX = 256 };

/* What the options of a session point at. */
struct ltw_fix_reading {
    struct tw_fix_link_options o;
    struct tw_fix_schedule schedule;
    struct tw_tls_options tls;
    struct tw_fix_extra logon[LTW_FIX_LOGON_MAX];
    struct tw_fix_typed typed[TW_FIX_TYPED_MAX];
    const char *hosts[LTW_FIX_HOSTS_MAX], *take[LTW_FIX_TAKE_MAX];
    const char *what;                    /* as errors call it */
    char own_port[sizeof "127.0.0.1:65535"];
};

/* [-0, +n, m]  Of the session on top; what stays on the stack are texts of it.
 * Blocks: on its dictionaries. */
int ltw_fix_read(lua_State *L, struct ltw_shelf *s, const struct tw_fix_engine *engine,
                 struct ltw_fix_reading *r, struct tw_error *error);

/* [-0, +0, m]  The texts of a list of the table on top, at most `room`. */
size_t ltw_fix_texts(lua_State *L, const char *name, const char **out, size_t room);

/* [-0, +0, m]  What the table on top says of TLS. */
struct tw_tls_options ltw_fix_tls(lua_State *L);

#endif
