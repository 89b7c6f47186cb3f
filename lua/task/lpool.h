/* lpool.h - the pool's threads run Lua: a state each, jobs as tasks.
 *
 * Layer lua.
 */
#ifndef LTW_LPOOL_H
#define LTW_LPOOL_H

#include "ltw.h"
#include "run/pool.h"

struct tw_load;

/* Makes host->pool and starts its threads; 0, or a negative code and *error.
 * Thread: MAIN.  Blocks: until every thread has its state. */
int ltw_pool_open(struct ltw_host *host, struct tw_error *error) TW_ON(MAIN);

/* Who is told how a job ended, besides its future, which then gets nil. */
struct ltw_job_watch {
    /* On the job's thread, when it was not cancelled: its results, or its error
     * (status other than LUA_OK), are on top of co. */
    void (*ended)(void *ctx, lua_State *co, int status);
    void (*release)(void *ctx);      /* at the very end, on any thread */
    void *ctx;
    struct tw_load *load;            /* what it loads, or NULL */
};

/* [-all from idx on, +0, e]  A job: at idx `via` or nil, then the function and its
 * arguments.  0 and its future, one reference the caller's; or a negative code: the
 * watch, which may be NULL, is then the caller's, as when it raises. */
int ltw_pool_submit(lua_State *L, int idx, const char *what, unsigned level,
                    const struct ltw_job_watch *watch, struct tw_future **out);

/* Cancels what is queued and runs, and ends the threads; what is submitted after is
 * refused.  Thread: MAIN.  Blocks: until they have ended. */
void ltw_pool_stop(struct ltw_host *host) TW_ON(MAIN);

/* Stops, and frees the pool: no state refers to a job of it any more.  host->pool may be
 * NULL.  Thread: MAIN.  Blocks: as ltw_pool_stop. */
void ltw_pool_close(struct ltw_host *host) TW_ON(MAIN);

/* [-0, +1, m]  As tw.pool.status gives it. */
void ltw_push_pool_status(lua_State *L, const struct tw_pool_status *s);

#endif
