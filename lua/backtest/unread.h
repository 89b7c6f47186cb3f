/* unread.h - parameters that are given to a script that never reads them, as a line.
 *
 * Layer lua.  Thread: WORKER, the script's.
 */
#ifndef LTW_UNREAD_H
#define LTW_UNREAD_H

#include "run/script.h"

struct ltw_code;

enum { LTW_UNREAD_TEXT = 512 };

/* [-0, +0, e]  False: nothing is to be said of what o gives to that code. */
bool ltw_unread_text(lua_State *L, const struct ltw_code *code,
                     const struct ltw_script_options *o, char out[LTW_UNREAD_TEXT]);

#endif
