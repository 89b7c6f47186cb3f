/* dial.h - connects to one of several places over TCP, and again when that ends.
 *
 * A round tries every address of every place; when all was in vain it waits, each time
 * twice as long, up to a limit, and a little more or less than that.
 *
 *     tw_dial_init(d, loop);         d->places, callbacks and times were set before
 *     tw_dial_go(d);
 *       up(d)                        d->tcp is connected: the owner reads it, until
 *     tw_dial_lost(d, why, good);    it has ended
 *       waiting(d, ms)               the next round is in so many milliseconds
 *     tw_dial_close(d);
 *
 * Layer host/run.  Thread: the loop's.  Blocks: never.
 */
#ifndef TW_DIAL_H
#define TW_DIAL_H

#include "run/net.h"

enum { TW_DIAL_MIN_MS = 100, TW_DIAL_MAX_MS = 10000 };

struct tw_dial_place { const char *host; uint16_t port; };

struct tw_dial {
    const struct tw_dial_place *places;        /* constant                       */
    unsigned n;                                /* constant                       */
    uint64_t min_ms, max_ms;                   /* constant                       */
    void (*up)(struct tw_dial *d);
    void (*waiting)(struct tw_dial *d, uint64_t ms);
    /* Before each round; false: it rests until tw_dial_go.  NULL: true. */
    bool (*may)(struct tw_dial *d);
    void *owner;

    uv_loop_t *loop;
    uv_tcp_t tcp;
    unsigned place;                  /* tried, or connected to                   */
    int why;                         /* why the last connection ended, or was none */
    bool live;                       /* it is, or was in this round, connected   */
    uint64_t live_ms;                /* since when, by the loop's clock          */

    unsigned first, tried;           /* of this round: place, and how many       */
    uv_getaddrinfo_t lookup;
    struct addrinfo *found, *next;   /* what the lookup gave; not yet tried      */
    uv_connect_t request;
    uv_timer_t timer;                /* the wait, or the end of our patience     */
    bool resting, closed;
    uint64_t delay_ms;
};

void tw_dial_init(struct tw_dial *d, uv_loop_t *loop);

/* A round begins, if it rests. */
void tw_dial_go(struct tw_dial *d);

/* d->tcp is closed, then comes the wait.  good: it was worth it, so that the next round
 * begins with the first place, else with the next; and that the wait is the shortest, if
 * it was there as long as the longest. */
void tw_dial_lost(struct tw_dial *d, int why, bool good);

/* Nothing is called any more.  Safe twice, and on memory of zeros. */
void tw_dial_close(struct tw_dial *d);

/* When the loop has ended, or never was one. */
void tw_dial_free(struct tw_dial *d);

#endif
