/* prompt.h - the prompt: entries read, evaluated and shown until their end.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_PROMPT_H
#define LTW_PROMPT_H

#include <stdbool.h>
#include <uv.h>

#include <lua.h>

#include "share/epoch.h"

/* A loop that turns while somebody types and while an entry waits: a run's. */
struct ltw_beside {
    uv_loop_t *loop;
    bool (*is_over)(void *ctx);    /* true: the prompt is to end       */
    void *ctx;
    struct tw_epoch_reader *reader;   /* who reads the tape at the prompt */
};

/* [-0, +0, e]  The prompt in a state whose tasks have a loop of their own.  beside may be
 * NULL.  Blocks: until the end of the input. */
void ltw_prompt(lua_State *L, const struct ltw_beside *beside);

#endif
