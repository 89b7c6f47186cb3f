/* exchange.h - a synthetic exchange: serves a made-up market as FIX over TCP.
 *
 * It stands for the other side of the wire, so it has its own thread, its own
 * symbols and no access to the tape: what scripts see went through a socket.
 *
 * Layer host/run.
 */
#ifndef TW_EXCHANGE_H
#define TW_EXCHANGE_H

#include "base/log.h"
#include "feed/synthetic.h"

struct tw_exchange;

struct tw_exchange_options {
    const char *host;                       /* NULL: 127.0.0.1                    */
    uint16_t port;                          /* 0: a free one                      */
    const char *begin_string;               /* NULL: FIX.4.4                      */
    double speed;                           /* 1: the market's rate in real time;
                                             * 0: as fast as the peer reads       */
    uint64_t limit;                         /* hangs up on a peer after so many
                                             * messages; 0: never                 */
    struct tw_synthetic_options synthetic;  /* symbols is set by the exchange     */
    struct tw_log *log;
    /* Called on MAIN while it waits for the thread to end: to drain the log, which
     * the thread may be waiting for.  May be NULL; has ctx. */
    void (*waiting)(void *ctx);
    void *ctx;
};

/* Binds the port and starts the thread.  A peer that connects gets a snapshot
 * (35=W) of each symbol, then updates (35=X); all peers share one market, that
 * moves while at least one is connected.  A peer that does not read is cut off
 * when 4 MiB wait for it, with a line in the log.
 * NULL: *error says why (port in use, no memory).
 * Thread: MAIN.  Blocks: until the port is bound. */
struct tw_exchange *tw_exchange_start(const struct tw_exchange_options *options,
                                      struct tw_error *error) TW_ON(MAIN);

/* Thread: MAIN. */
uint16_t tw_exchange_port(const struct tw_exchange *e);

/* Messages sent so far, and CPU time of the thread.  Thread: any. */
uint64_t tw_exchange_sent(const struct tw_exchange *e);
int64_t tw_exchange_cpu_ns(const struct tw_exchange *e);

/* Hangs up, joins the thread, frees.  e may be NULL.
 * Thread: MAIN.  Blocks: until the thread has ended. */
void tw_exchange_stop(struct tw_exchange *e) TW_ON(MAIN);

#endif
