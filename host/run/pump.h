/* pump.h - calls a step again and again, between the turns of a loop.
 *
 * Layer host/run.  Thread: the loop's.
 */
#ifndef TW_PUMP_H
#define TW_PUMP_H

#include <uv.h>

#include "base/tw.h"

#define TW_PUMP_REST INT64_MAX   /* no more steps before tw_pump_go */

struct tw_pump {
    uv_idle_t idle;
    uv_timer_t timer;
    int64_t (*step)(void *arg);
    void *arg;
};

/* step returns for how many ns it has nothing to do: at least one turn of the
 * loop when it is 0 or less, whole milliseconds when it is more.
 * Thread: the loop's.  Blocks: no.  Memory: none. */
void tw_pump_start(struct tw_pump *p, uv_loop_t *loop, int64_t (*step)(void *arg),
                   void *arg);

/* Steps again in the next turn, whatever it was waiting for.
 * Thread: the loop's.  Blocks: no.  Memory: none. */
void tw_pump_go(struct tw_pump *p);

/* Once, after tw_pump_start; step is not called any more.
 * Thread: the loop's.  Blocks: no.  Memory: none. */
void tw_pump_close(struct tw_pump *p);

#endif
