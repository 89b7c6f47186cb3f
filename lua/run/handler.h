/* handler.h - the functions that a script may have, and what they ask for.
 *
 * Layer lua.
 */
#ifndef LTW_HANDLER_H
#define LTW_HANDLER_H

#include "ltw.h"

/* A record's handler has the number of its kind; then come these. */
enum ltw_handler_id {
    LTW_ON_START = TW_KINDS, LTW_ON_STOP, LTW_ON_RELOAD, LTW_ON_CHECK,
    LTW_ON_FIX, LTW_ON_FIX_EVENT, LTW_ON_BOOK, LTW_ON_ORDER, LTW_ON_FILL,
    LTW_ON_POSITION, LTW_HANDLERS
};

enum { LTW_PARAMS_MAX = 16 };

/* What on_reload may ask for, as its fields: the old module, the candidate's self. */
enum { LTW_RELOAD_OLD, LTW_RELOAD_WARM };

/* A bound handler: whether it takes self, and the fields to push after that. */
struct ltw_handler { bool bound, self; uint8_t n; uint8_t field[LTW_PARAMS_MAX]; };

/* "on_quote", "on_start", ...: NULL for a kind that no handler gets. */
const char *ltw_handler_name(int id);

/* [-0, +0, e]  Reads from the function on top what its parameters ask for; raises
 * for a name that is no field, `on_quote: no field 'bidd'; did you mean 'bid'?`.  what:
 * its name in errors; others: kinds of records (a bit for each) that it is called with
 * too, whose fields are nil in this one. */
void ltw_handler_bind(lua_State *L, int id, const char *what, unsigned others,
                      struct ltw_handler *out);

/* [-0, +0, e]  Raises for a function of the table at `module` whose name begins
 * like a handler's and is none: it would never be called. */
void ltw_handler_check(lua_State *L, int module);

#endif
