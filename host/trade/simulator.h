/* simulator.h - a simulated venue for the orders of one strategy.
 *
 * Why: it knows nothing but the records that the strategy has read, in their order, and
 * what the strategy asked for.  So the same records and the same strategy give the same
 * reports, live, from a file, on any thread and at any speed.  Time is that of the
 * records; chance is a hash of the seed and the order's number.
 *
 * Invariants
 *   S1  No order is matched with the record on which it was decided, nor with any that
 *       began before it arrived.
 *   S2  Reports come in the order of what causes them: what is due before a record (an
 *       arrival, an end of a session), then what the record does: stops, then the
 *       others, each in the order of arrival.
 *   S3  What one symbol's orders do does not depend on other symbols.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_SIMULATOR_H
#define TW_SIMULATOR_H

#include "trade/fill.h"
#include "trade/transit.h"

struct tw_simulator_options {
    enum tw_fill_model model;
    struct tw_latency submit, cancel;    /* a replacement takes as long as a submit */
    struct tw_slippage slippage;
    int64_t share;                   /* of a volume (TW_FILL_VOLUME), with nine
                                      * decimals; 0: all of it                      */
    uint64_t seed;                   /* of chance, which goes by the orders' numbers */
};

struct tw_probe;
struct tw_simulator;

/* report: told of all that happens to orders, before the function that causes it
 * returns; it applies it to the order (tw_order_apply).  room: how much of an order that
 * is reduce-only or a part of the equity may trade at a price; NULL: all.  Both must call
 * nothing here.
 * NULL: no memory.  Memory: freed by tw_simulator_free. */
struct tw_simulator *tw_simulator_new(const struct tw_simulator_options *options,
                                      void (*report)(void *ctx, struct tw_order *o,
                                                     const struct tw_report *r),
                                      int64_t (*room)(void *ctx,
                                                      const struct tw_order *o,
                                                      int64_t price),
                                      void *ctx);
void tw_simulator_free(struct tw_simulator *s);

/* All that `from` has seen and holds, of copies of its orders, goes to s, which is new:
 * copy(ctx, o) is that of an order that is open, or has a request on its way.
 * UV_ENOMEM: s is to be freed. */
int tw_simulator_adopt(struct tw_simulator *s, const struct tw_simulator *from,
                       tw_order_copy *copy, void *ctx);

/* What concerns an order is told to p from here on (see probe.h); NULL: to nobody. */
void tw_simulator_probe(struct tw_simulator *s, struct tw_probe *p);

/* Room for one more order like that.  UV_ENOMEM: there is none. */
int tw_simulator_reserve(struct tw_simulator *s, const struct tw_order *o);

/* What it takes of the memory. */
size_t tw_simulator_bytes(const struct tw_simulator *s);

/* Takes an order with status PENDING_NEW, decided at its time_ns.  The order must live
 * until it has ended and o->requests is 0.  UV_ENOMEM: it was not taken. */
int tw_simulator_submit(struct tw_simulator *s, struct tw_order *o);

/* The order's owner asks to cancel it, or to give it other terms (0: as it is when that
 * arrives), at time_ns: reported then.  UV_ENOMEM: it was not taken. */
int tw_simulator_cancel(struct tw_simulator *s, struct tw_order *o, int64_t time_ns);
int tw_simulator_replace(struct tw_simulator *s, struct tw_order *o, int64_t quantity,
                         int64_t price, int64_t stop, int64_t time_ns);

/* What was asked for before there was a time, at 0, was asked for then. */
void tw_simulator_begin(struct tw_simulator *s, int64_t now_ns);

/* At the venue, without latency, while a record is taken: orders that depend on others
 * (brackets).  Nothing when it has ended. */
void tw_simulator_end(struct tw_simulator *s, struct tw_order *o,
                      enum tw_exec_type exec, enum tw_reason reason, int64_t time_ns);

/* Likewise: another quantity, which must be more than what is filled. */
void tw_simulator_resize(struct tw_simulator *s, struct tw_order *o, int64_t quantity,
                         int64_t time_ns);

/* All that is due up to r->time, then what r does.  Records of any kind: their time
 * counts.  UV_ENOMEM: a new symbol found no memory; the record was not seen. */
int tw_simulator_record(struct tw_simulator *s, const struct tw_record *r);

/* Records came while orders were there, and its model goes by none of them. */
bool tw_simulator_goes_by_none(const struct tw_simulator *s);

/* What it has seen of a symbol; NULL: nothing. */
const struct tw_market *tw_simulator_market(const struct tw_simulator *s,
                                            uint32_t symbol);

/* Its price there, see tw_market_price; 0: none. */
int64_t tw_simulator_price(const struct tw_simulator *s, uint32_t symbol);

#endif
