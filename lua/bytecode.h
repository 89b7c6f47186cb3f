/* bytecode.h - what can be read off a dumped function.
 *
 * Layer lua.
 */
#ifndef LTW_BYTECODE_H
#define LTW_BYTECODE_H

#include <stdbool.h>
#include <stddef.h>

/* Does the function that lua_dump wrote, or one inside it, assign an upvalue of
 * the dumped one?  When not, all its calls may share one closure.  True also for
 * what is no dump of this Lua.  Thread: any.  Blocks: no. */
bool ltw_bytecode_assigns(const char *code, size_t n);

#endif
