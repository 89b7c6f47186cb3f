/* code.h - a version of a script's file, loaded into one state.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_CODE_H
#define LTW_CODE_H

#include "run/filter.h"
#include "run/handler.h"
#include "share/value.h"
#include "reload/version.h"

struct ltw_script_options;

struct ltw_code {
    struct ltw_version *version;              /* holds a reference; NULL: nothing    */
    struct ltw_filter symbols, topics, sessions;   /* what it wants                  */
    struct ltw_feeds feeds;                   /* whose quotes, trades, bars, levels  */
    struct ltw_ear *ear;                      /* it has an on_fix; or NULL           */
    struct ltw_handler handler[LTW_HANDLERS];
    bool one_sided;                           /* wants quotes without a side         */
    bool trades;                              /* has an account, or handles orders   */
    bool declares;                            /* its parameters: see tw.strategy     */
    struct tw_any params;                     /* then: all of them                   */
    int ref;                                  /* registry: see enum below, or NOREF  */
    int metatypes;                            /* registry: what it gave ffi.metatype,
                                               * by the type's address; 0: nothing   */
};

/* The list in the registry; the handler with id i is at LTW_CODE_HANDLERS + i. */
enum { LTW_CODE_MODULE = 1, LTW_CODE_MODULES, LTW_CODE_ACCOUNT, LTW_CODE_HANDLERS };

/* Runs the file in a coroutine of its own and binds its handlers; `out` is empty
 * before.  LUA_OK; or another status, `out` is empty still, and the error is on the
 * state's stack, with a traceback where the file's own code has run.
 * Blocks: while that runs. */
int ltw_code_load(struct ltw_state *state, const struct ltw_script_options *o,
                  struct ltw_version *v, struct ltw_code *out);

/* Lets it go.  Safe twice. */
void ltw_code_drop(struct ltw_state *state, struct ltw_code *code);

/* [-0, +1, e]  The function of the version's file, as the program of the state: it has
 * the state's globals and modules, but what it requires is the version's. */
void ltw_code_push_program(lua_State *L, struct ltw_version *v);

/* [-0, +1, m]  The table that the file returned. */
void ltw_code_push_module(lua_State *L, const struct ltw_code *code);

/* [-0, +bool, e]  What its file has declared with tw.strategy, as a plain table; false:
 * nothing. */
bool ltw_code_push_declaration(lua_State *L, const struct ltw_code *code);

/* [-0, +0, m]  Makes its modules those that package.loaded has: by these names other
 * states find their functions. */
void ltw_code_publish(lua_State *L, const struct ltw_code *code);

/* [-0, +0, m]  Teaches the state what a version is. */
void ltw_code_open(lua_State *L);

#endif
