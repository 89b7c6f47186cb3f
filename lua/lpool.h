/* lpool.h - the pool's threads run Lua: a state each, jobs as tasks.
 *
 * Layer lua.
 */
#ifndef LTW_LPOOL_H
#define LTW_LPOOL_H

#include "ltw.h"
#include "run/pool.h"

/* Makes host->pool and starts its threads; 0, or a negative code and *error.
 * Thread: MAIN.  Blocks: until every thread has its state. */
int ltw_pool_open(struct ltw_host *host, struct tw_error *error) TW_ON(MAIN);

/* Ends what still runs, and the threads; host->pool may be NULL.
 * Thread: MAIN.  Blocks: until they have ended. */
void ltw_pool_close(struct ltw_host *host) TW_ON(MAIN);

#endif
