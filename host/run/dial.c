/* dial.c - connects to one of several places over TCP, and again when that ends.
 *
 * Why the delay grows: a peer that went down for a minute must be found again within a
 * second, and one that is gone for the day must not be asked ten times a second.  The
 * jitter keeps a hundred hosts from asking together.
 *
 * Invariants
 *   C1  There is at most one of: a lookup, a connection (beginning, open or closing), a
 *       wait.  Each ends in the next.
 *   C2  The delay starts anew only once a connection was good, as its owner says, and
 *       lasted as long as the longest delay: a peer that accepts, says something and
 *       hangs up is not asked more often than one that refuses.
 *
 * Layer host/run.  Thread: the loop's.
 */
#include "run/dial.h"

#include <stdio.h>

enum { CONNECT_MS = 10000 };

static void next_address(struct tw_dial *d);
static void look_up(struct tw_dial *d);

void tw_dial_init(struct tw_dial *d, uv_loop_t *loop)
{
    d->loop = loop;
    d->resting = true;
    if (d->min_ms == 0) d->min_ms = TW_DIAL_MIN_MS;
    if (d->max_ms == 0) d->max_ms = TW_DIAL_MAX_MS;
    if (d->max_ms < d->min_ms) d->max_ms = d->min_ms;
    d->delay_ms = d->min_ms;
    d->lookup.data = d->request.data = d;
    uv_timer_init(loop, &d->timer);
    d->timer.data = d;
}

static void forget_found(struct tw_dial *d)
{
    uv_freeaddrinfo(d->found);
    d->found = d->next = NULL;
}

void tw_dial_free(struct tw_dial *d)
{
    forget_found(d);
}

void tw_dial_close(struct tw_dial *d)
{
    if (d->closed || !d->loop) return;
    d->closed = true;
    uv_cancel((uv_req_t *)&d->lookup);   /* refused when there is none */
    tw_net_close(&d->tcp);
    tw_net_close(&d->timer);
}

static void begin_round(struct tw_dial *d)
{
    d->resting = d->may && !d->may(d);
    if (d->resting || d->closed) return;
    d->tried = 0;
    d->place = d->first;
    d->live = false;
    look_up(d);
}

static void on_wait_over(uv_timer_t *timer)
{
    begin_round(timer->data);
}

void tw_dial_go(struct tw_dial *d)
{
    if (d->resting && !d->closed) begin_round(d);
}

/* Between three and five quarters of ms. */
static uint64_t jitter(uint64_t ms)
{
    uint32_t x = 0;

    uv_random(NULL, NULL, &x, sizeof x, 0, NULL);
    return ms - ms / 4 + x % (ms / 2 + 1);
}

/* C1: nothing is open. */
static void wait_for_next(struct tw_dial *d)
{
    uint64_t ms = jitter(d->delay_ms);

    d->delay_ms = d->delay_ms * 2 < d->max_ms ? d->delay_ms * 2 : d->max_ms;
    uv_timer_start(&d->timer, on_wait_over, ms, 0);
    d->waiting(d, ms);
}

/* An address was tried in vain, or a connection has ended. */
static void go_on(struct tw_dial *d)
{
    if (d->closed) return;
    if (d->next) {
        next_address(d);
    } else if (d->live || ++d->tried == d->n) {
        wait_for_next(d);
    } else {
        d->place = (d->place + 1) % d->n;
        look_up(d);
    }
}

static void on_closed(uv_handle_t *tcp)
{
    go_on(tcp->data);
}

static void hang_up(struct tw_dial *d, int why)
{
    d->why = why;
    d->tcp.data = d;
    uv_timer_stop(&d->timer);
    uv_close((uv_handle_t *)&d->tcp, on_closed);
}

void tw_dial_lost(struct tw_dial *d, int why, bool good)
{
    if (d->closed) return;
    if (good && uv_now(d->loop) - d->live_ms >= d->max_ms)   /* C2 */
        d->delay_ms = d->min_ms;
    d->first = good ? 0 : (d->place + 1) % d->n;
    hang_up(d, why);
}

static void on_patience_over(uv_timer_t *timer)
{
    hang_up(timer->data, UV_ETIMEDOUT);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct tw_dial *d = request->data;

    if (uv_is_closing((uv_handle_t *)&d->tcp)) return;   /* patience, or the end */
    uv_timer_stop(&d->timer);
    if (status == 0 && tw_net_is_loop(&d->tcp)) status = UV_ECONNREFUSED;
    if (status < 0) {
        hang_up(d, status);
        return;
    }
    tw_net_tune(&d->tcp);
    forget_found(d);
    d->live = true;
    d->live_ms = uv_now(d->loop);
    d->up(d);
}

static void connect_to(struct tw_dial *d, const struct sockaddr *address)
{
    int rc = uv_tcp_init(d->loop, &d->tcp);

    assert(rc == 0);   /* it makes no socket yet */
    uv_timer_start(&d->timer, on_patience_over, CONNECT_MS, 0);
    rc = uv_tcp_connect(&d->request, &d->tcp, address, on_connect);
    if (rc < 0) hang_up(d, rc);
}

static void next_address(struct tw_dial *d)
{
    struct addrinfo *a = d->next;

    d->next = a->ai_next;
    connect_to(d, a->ai_addr);
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct tw_dial *d = lookup->data;

    d->found = d->next = found;
    if (d->closed) return;
    if (status < 0) d->why = status;
    go_on(d);
}

static void look_up(struct tw_dial *d)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const struct tw_dial_place *to = &d->places[d->place];
    char port[8];
    int rc;
    union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } a;

    forget_found(d);
    if (uv_ip4_addr(to->host, to->port, &a.v4) == 0 ||
        uv_ip6_addr(to->host, to->port, &a.v6) == 0) {
        connect_to(d, &a.any);
        return;
    }
    snprintf(port, sizeof port, "%u", to->port);
    rc = uv_getaddrinfo(d->loop, &d->lookup, on_found, to->host, port, &hints);
    if (rc == 0) return;
    d->why = rc;
    go_on(d);
}
