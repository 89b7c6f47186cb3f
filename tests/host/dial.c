/* dial: attacks C2: how long is waited before a peer is asked again; and asks for a port
 * that nobody listens at, until it is given that port itself. */
#include "run/dial.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { MIN_MS = 4, MAX_MS = 64, WAITS = 8 };

static struct peer {
    uv_loop_t loop;
    uv_tcp_t door, in;
    uv_timer_t timer;
    struct tw_dial dial;
    uint64_t lasts_ms;            /* a connection */
    bool good;                    /* it was       */
    uint64_t waits[WAITS];
    unsigned n;
} peer;

static void on_call(uv_stream_t *door, int status)
{
    if (status < 0 || uv_tcp_init(door->loop, &peer.in) < 0) abort();
    if (uv_accept(door, (uv_stream_t *)&peer.in) < 0) abort();
    uv_close((uv_handle_t *)&peer.in, NULL);
}

static void on_over(uv_timer_t *timer)
{
    (void)timer;
    tw_dial_lost(&peer.dial, UV_EOF, peer.good);
}

static void on_up(struct tw_dial *d)
{
    /* In the same turn, that the loop's clock stands still. */
    if (peer.lasts_ms == 0) tw_dial_lost(d, UV_EOF, peer.good);
    else uv_timer_start(&peer.timer, on_over, peer.lasts_ms, 0);
}

static void on_waiting(struct tw_dial *d, uint64_t ms)
{
    peer.waits[peer.n++] = ms;
    if (peer.n < WAITS) return;
    tw_dial_close(d);
    uv_close((uv_handle_t *)&peer.timer, NULL);
    uv_close((uv_handle_t *)&peer.door, NULL);
}

/* Each wait is three to five quarters of a delay, which doubles, or does not. */
static bool call(uint64_t lasts_ms, bool good, bool doubles)
{
    struct tw_dial_place place = { "127.0.0.1", 0 };
    struct sockaddr_in at;
    int length = sizeof at;
    uint64_t delay = MIN_MS;
    bool right = true;

    memset(&peer, 0, sizeof peer);
    peer.lasts_ms = lasts_ms;
    peer.good = good;
    if (uv_loop_init(&peer.loop) < 0) abort();
    uv_tcp_init(&peer.loop, &peer.door);
    uv_timer_init(&peer.loop, &peer.timer);
    uv_ip4_addr(place.host, 0, &at);
    if (uv_tcp_bind(&peer.door, (struct sockaddr *)&at, 0) < 0
        || uv_listen((uv_stream_t *)&peer.door, 4, on_call) < 0
        || uv_tcp_getsockname(&peer.door, (struct sockaddr *)&at, &length) < 0)
        abort();
    place.port = ntohs(at.sin_port);
    peer.dial = (struct tw_dial){ .places = &place, .n = 1, .min_ms = MIN_MS,
                                  .max_ms = MAX_MS, .up = on_up,
                                  .waiting = on_waiting };
    tw_dial_init(&peer.dial, &peer.loop);
    tw_dial_go(&peer.dial);
    uv_run(&peer.loop, UV_RUN_DEFAULT);
    tw_dial_free(&peer.dial);
    if (uv_loop_close(&peer.loop) < 0) abort();
    for (unsigned i = 0; i < WAITS; i++) {
        right = right && peer.waits[i] >= delay - delay / 4
             && peer.waits[i] <= delay - delay / 4 + delay / 2;
        if (doubles && delay < MAX_MS) delay *= 2;
    }
    for (unsigned i = 0; !right && i < WAITS; i++)
        printf("# %u ms\n", (unsigned)peer.waits[i]);
    return right;
}

/* ---- a port where nobody is ---- */

static unsigned own, others;

static void on_somebody(struct tw_dial *d)
{
    if (tw_net_is_loop(&d->tcp)) own++;
    else others++;
    tw_dial_lost(d, UV_EOF, false);
}

static void on_round(struct tw_dial *d, uint64_t ms)
{
    (void)ms;
    tw_dial_close(d);
}

/* One round over the same port, more often than there are ports to connect from.  It is
 * beside one that a listener was given: Linux gives those of one parity to listeners, of
 * the other one to who connects. */
static void call_nobody(void)
{
    enum { TIMES = 70000 };
    static struct tw_dial_place places[TIMES];
    uv_loop_t loop;
    uv_tcp_t door;
    uint16_t port = 0;
    struct tw_error error;
    struct tw_dial dial = { .places = places, .n = TIMES, .up = on_somebody,
                            .waiting = on_round };

    if (uv_loop_init(&loop) < 0
        || tw_net_listen(&loop, &door, NULL, &port, on_call, &error) < 0)
        abort();
    uv_close((uv_handle_t *)&door, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < TIMES; i++)
        places[i] = (struct tw_dial_place){ "127.0.0.1", port ^ 1 };
    tw_dial_init(&dial, &loop);
    tw_dial_go(&dial);
    uv_run(&loop, UV_RUN_DEFAULT);
    tw_dial_free(&dial);
    if (uv_loop_close(&loop) < 0) abort();
    printf("# %u connections, %u to itself\n", own + others, own);
    ok(own == 0, "who is connected to itself has found nobody");
}

int main(void)
{
    ok(call(0, false, true), "a peer that is no good is asked ever more seldom");
    ok(call(0, true, true), "so is one that is good, and gone at once");
    ok(call(MAX_MS, true, false), "one that was there for long is asked again soon");
    ok(call(MAX_MS, false, true), "if it was good");
    call_nobody();
    return tap_done();
}
