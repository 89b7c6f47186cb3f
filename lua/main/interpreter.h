/* interpreter.h - tidewire as a plain Lua interpreter, with lua's own options.
 *
 * Layer lua/main.
 */
#ifndef TW_INTERPRETER_H
#define TW_INTERPRETER_H

#include <lua.h>

/* Runs a command line as section 7 of the Lua manual says: LUA_INIT, the
 * options, then a script, standard input or a prompt.  Returns the exit status
 * of the process, 0 or 1, and leaves L's stack as it was.
 * Thread: MAIN.  Blocks: as long as the script runs.  Memory: L's.
 * Errors: none; each is reported on stderr and gives status 1. */
int tw_interpreter_main(lua_State *L, int argc, char **argv);

#endif
