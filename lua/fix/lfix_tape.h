/* lfix_tape.h - what came over FIX sessions, of a tape file.
 *
 * Layer lua.
 */
#ifndef LTW_LFIX_TAPE_H
#define LTW_LFIX_TAPE_H

#include <lua.h>

/* tape(path, f, problem) -> true | nil, message, code
 * Calls f(record, time, session, value, spelling) for each message and each event of a
 * session, in the file's order: value is the bytes of a message, or a table of an event;
 * spelling says the dictionary (recorded.h), or is nil.  problem(text) is called with
 * what is damaged, and left out. */
int ltw_fix_tape(lua_State *L);

#endif
