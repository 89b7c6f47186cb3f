/* turns.h - what goes on beside a prompt: while somebody types, waits or computes.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_TURNS_H
#define LTW_TURNS_H

#include <stdbool.h>
#include <uv.h>

#include <lua.h>

#include "main/feeds.h"

/* A loop that is to turn: a run's. */
struct ltw_beside {
    uv_loop_t *loop;
    bool (*is_over)(void *ctx);    /* true: the prompt is to end       */
    void *ctx;
    struct tw_app *app;            /* whose run it is                  */
};

struct ltw_turns;

/* loop: the one that turns while the prompt waits.  beside may be NULL: then it is only
 * the feeds that are looked at.  NULL: no memory. */
struct ltw_turns *ltw_turns_open(lua_State *L, uv_loop_t *loop,
                                 const struct ltw_beside *beside,
                                 struct ltw_feeds *feeds);
void ltw_turns_close(struct ltw_turns *turns);   /* may be NULL */

/* beside has said that the prompt is to end. */
bool ltw_turns_over(const struct ltw_turns *turns);

/* Between them, code that computes is held up now and then for a turn. */
void ltw_turns_begin(struct ltw_turns *turns);
void ltw_turns_end(struct ltw_turns *turns);

#endif
