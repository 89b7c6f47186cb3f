/* prompt.h - the prompt: entries read, evaluated and shown until their end.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_PROMPT_H
#define LTW_PROMPT_H

#include "main/turns.h"

/* [-0, +0, e]  The prompt in a state whose tasks have a loop of their own.  beside may be
 * NULL: then tasks and jobs that entries began may end first.  False: Ctrl-C was
 * pressed meanwhile.  Blocks: until the end of the input. */
bool ltw_prompt(lua_State *L, const struct ltw_beside *beside);

#endif
