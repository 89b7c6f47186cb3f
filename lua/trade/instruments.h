/* instruments.h - the instruments that an app file declares.
 *
 * Layer lua.
 */
#ifndef LTW_INSTRUMENTS_H
#define LTW_INSTRUMENTS_H

#include <lua.h>

#include "tape/symbols.h"

/* [-0, +0, m]  Interns them and their attributes, as stdlib/app.lua has left them in
 * `instruments` and `attributes` of the table on top.  TW_EUSAGE, TW_ELIMIT, TW_ERANGE,
 * UV_ENOMEM; *error tells of which. */
int ltw_add_instruments(lua_State *L, struct tw_symbols *symbols,
                        struct tw_error *error);

#endif
