/* prompt.h - the prompt: entries read, evaluated and shown until their end.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_PROMPT_H
#define LTW_PROMPT_H

#include <stdbool.h>
#include <uv.h>

#include <lua.h>

/* A loop that turns while somebody types and while an entry waits: a run's. */
struct ltw_beside {
    uv_loop_t *loop;
    void (*turned)(void *ctx);     /* after each turn, or NULL   */
    bool (*is_over)(void *ctx);    /* true: the prompt is to end */
    void *ctx;
};

/* [-0, +0, e]  The prompt in a state whose tasks have a loop of their own.  beside may be
 * NULL.  Blocks: until the end of the input. */
void ltw_prompt(lua_State *L, const struct ltw_beside *beside);

#endif
