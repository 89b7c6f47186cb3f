/* pump.c - calls a step again and again, between the turns of a loop.
 *
 * Layer host/run.  Thread: the loop's.
 */
#include "run/pump.h"

static void on_idle(uv_idle_t *idle);

static void on_pause_over(uv_timer_t *timer)
{
    tw_pump_go(timer->data);
}

static void on_idle(uv_idle_t *idle)
{
    struct tw_pump *p = idle->data;
    int64_t wait_ns = p->step(p->arg);

    if (wait_ns <= 0 || uv_is_closing((uv_handle_t *)idle)) return;
    uv_idle_stop(idle);
    if (wait_ns == TW_PUMP_REST) return;
    uv_timer_start(&p->timer, on_pause_over, (uint64_t)(wait_ns - 1) / 1000000 + 1, 0);
}

void tw_pump_start(struct tw_pump *p, uv_loop_t *loop, int64_t (*step)(void *arg),
                   void *arg)
{
    p->step = step;
    p->arg = arg;
    uv_idle_init(loop, &p->idle);
    uv_timer_init(loop, &p->timer);
    p->idle.data = p->timer.data = p;
    tw_pump_go(p);
}

void tw_pump_go(struct tw_pump *p)
{
    uv_timer_stop(&p->timer);
    uv_idle_start(&p->idle, on_idle);
}

void tw_pump_close(struct tw_pump *p)
{
    uv_close((uv_handle_t *)&p->idle, NULL);
    uv_close((uv_handle_t *)&p->timer, NULL);
}
