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

/* [-(args + 1), +results or 1, -]  Calls a function as lua_pcall does, with a traceback,
 * and with Ctrl-C raising in it.  Thread: MAIN.  Blocks: as long as it runs. */
int tw_interpreter_call(lua_State *L, int args, int results);

/* Ctrl-C for one coroutine: it raises at its next instruction.
 * Thread: the state's, also in a signal handler. */
void tw_interpreter_interrupt(lua_State *co);

/* [-1, +0, m]  Prints the error on top of the stack to stderr, behind who.
 * Thread: MAIN. */
void tw_interpreter_report(lua_State *L, const char *who);

#endif
