/* remote.h - tasks that other states send to a worker.
 *
 * Layer lua.
 */
#ifndef LTW_REMOTE_H
#define LTW_REMOTE_H

#include "ltw.h"
#include "run/worker.h"
#include "share/future.h"

struct ltw_remotes;   /* those of one worker */

/* NULL: no memory.  w is rung when there is something to take.
 * Thread: MAIN.  Blocks: no. */
struct ltw_remotes *ltw_remotes_new(struct tw_worker *w);

/* Thread: MAIN, when every state has gone.  rs may be NULL. */
void ltw_remotes_free(struct ltw_remotes *rs);

/* Scripts of its worker are not trusted: others that are not may send tasks there. */
void ltw_remotes_distrust(struct ltw_remotes *rs);

/* Begins what came, and ends what nobody wants any more; did it?
 * Thread: the worker's. */
bool ltw_remotes_step(struct ltw_remotes *rs, struct ltw_state *state);
bool ltw_remotes_ready(const struct ltw_remotes *rs);

/* Takes nothing more, and tells those that run to end.  Thread: the worker's. */
void ltw_remotes_stop(struct ltw_remotes *rs, struct ltw_state *state);

/* Settles all that is left, when its state's tasks have gone.  Thread: the worker's. */
void ltw_remotes_close(struct ltw_remotes *rs);
unsigned ltw_remotes_running(const struct ltw_remotes *rs);

/* Has a worker run a call (lcall.h), whose reference is the remotes' from then on.  0
 * and its future, one reference the caller's, who is to want it; TW_ESTOPPED; UV_ENOMEM.
 * Thread: any.  Blocks: a short lock. */
int ltw_remote_send(struct ltw_remotes *rs, const struct tw_unseen *unseen,
                    struct tw_any call, const char *label, struct tw_future **out);

/* spawn_on(worker, function, ...) -> future | nil, message, code: for stdlib/task.lua */
int ltw_remote_spawn(lua_State *L);

#endif
