/* program.h - Lua outside a run: the interpreter, the tests of `tidewire test`.
 *
 * Layer lua.  Thread: MAIN.
 */
#ifndef LTW_PROGRAM_H
#define LTW_PROGRAM_H

#include "ltw.h"

struct ltw_program;

/* A state whose main task is what runs outside coroutines, and a host without a
 * market.  NULL: no memory.  Blocks: no. */
struct ltw_program *ltw_program_new(void);
struct ltw_state *ltw_program_state(struct ltw_program *p);

/* Waits for detached tasks when all went well so far, closes the state, and tells of
 * failures that nobody looked at: then the status is 1 at least.  p is gone.
 * Blocks: until the tasks have ended. */
int ltw_program_end(struct ltw_program *p, int status);

#endif
