/* floor.h - where the strategies of a run meet in one venue, whatever their threads.
 *
 *   WORKER: seat --request--> |         | --reports--> seat
 *                             |  venue  |
 *                             |         | --orders, trades, quotes--> the driver
 *
 * One thread drives it: it lets time go on, and puts what comes out on the tape.  A
 * report is in its owner's seat before its record can be on the tape, and there are as
 * many in a seat as records that the owner has not read: so a reliable reader's are
 * bounded by the tape, and the order of all that happens is the tape's.
 *
 * Why a lock and no queue: what is done under it takes less than a wake-up, and a request
 * that finds no room is refused at once, to who made it.
 *
 * Invariant
 *   E1  What was sent before the driver looked is in the step; in which order it was
 *       sent by different owners counts for nothing (see trade/venue.h).
 *
 * Layer host/run.
 */
#ifndef TW_FLOOR_H
#define TW_FLOOR_H

#include "trade/venue.h"

struct tw_floor;
struct tw_seat;

/* NULL: no memory.  Thread: MAIN.  Blocks: no. */
struct tw_floor *tw_floor_new(void);

/* One whose venue is elsewhere, at the other end of a wire: send(ctx, q) is what
 * tw_venue_send is, called with the floor locked; what happens there comes by
 * tw_floor_report_held; untold(ctx, r), locked too, what nobody hears of, as its seat is
 * left.  NULL: no memory.  Thread: MAIN.  Blocks: no. */
struct tw_floor *tw_floor_new_elsewhere(int (*send)(void *ctx,
                                                    const struct tw_request *q),
                                        void (*untold)(void *ctx,
                                                       const struct tw_venue_report *r),
                                        void *ctx);

/* Seats that are left go with it.  f may be NULL.  Thread: MAIN, alone.  Blocks: no. */
void tw_floor_free(struct tw_floor *f);

/* There is a driver: source goes into its records; ring (may be NULL) is told of each
 * request, on the thread that made it.  Thread: MAIN, before the first request. */
void tw_floor_open(struct tw_floor *f, uint8_t source, void (*ring)(void *ctx),
                   void *ctx);

/* See tw_venue_tell_levels; retell: all of them are told again.
 * Thread: MAIN before the first request; the driver.  Blocks: a short lock. */
void tw_floor_tell_levels(struct tw_floor *f, unsigned n);
void tw_floor_retell(struct tw_floor *f);

/* There will be none: nobody can join.  False: somebody has.  Thread: MAIN. */
bool tw_floor_close(struct tw_floor *f);

/* A seat for the owner, which has none.  TW_ECLOSED: nobody drives it; UV_ENOMEM.
 * Thread: any.  Blocks: a short lock. */
int tw_floor_join(struct tw_floor *f, uint32_t owner, struct tw_seat **out);

/* Its orders stay; what becomes of them is told to nobody.  s may be NULL.
 * Thread: the seat's.  Blocks: a short lock. */
void tw_seat_leave(struct tw_seat *s);

/* owner and number are set.  Returns what tw_venue_send does.
 * Thread: the seat's.  Blocks: a short lock. */
int tw_seat_send(struct tw_seat *s, struct tw_request *q);

/* What the floor's records have as their source.  Thread: the seat's. */
uint8_t tw_seat_source(const struct tw_seat *s);

/* The report of the next record with the owner's number and the floor's source, once for
 * each; false: the record is none of these, or UV_ENOMEM in *rc: it was lost.  An aside
 * is the caller's, who frees it by tw_free; so it is with tw_seat_take_held.
 * Thread: the seat's.  Blocks: a short lock. */
bool tw_seat_next(struct tw_seat *s, const struct tw_record *r,
                  struct tw_venue_report *out, int *rc);

/* The label of an order of a former run, or one that has ended, whose report is the
 * next; or "".
 * Thread: the seat's.  Blocks: a short lock. */
void tw_seat_label(struct tw_seat *s, char out[TW_LABEL_MAX]);

/* Of a seat whose owner reads no tape: `heard` is called after each report, with the
 * floor locked; and, with it locked, the next report.
 * Thread: the seat's; any.  Blocks: a short lock; no. */
void tw_seat_on_report(struct tw_seat *s, void (*heard)(void *ctx), void *ctx);
bool tw_seat_take_held(struct tw_seat *s, struct tw_venue_report *out);

/* See tw_venue_probe; the thread that drives the floor is the seat's, too.
 * Thread: the seat's.  Blocks: a short lock. */
void tw_seat_probe(struct tw_seat *s, struct tw_probe *p);

/* ---- for the driver ---- */

/* As of the venue.  Thread: any.  Blocks: a short lock. */
int64_t tw_floor_time(struct tw_floor *f);
int64_t tw_floor_due(struct tw_floor *f);

/* Nothing is to be done now, nor waits for the tape.
 * Thread: any.  Blocks: a short lock. */
bool tw_floor_is_idle(struct tw_floor *f);

/* As of the venue.  Thread: the driver.  Blocks: a short lock. */
void tw_floor_set_time(struct tw_floor *f, int64_t now_ns);

/* It is now, until feeds move the time: from then on tw_floor_pass does nothing.  When
 * something is due then; INT64_MAX: nothing is, or feeds move it.
 * Thread: the driver.  Blocks: a short lock. */
int64_t tw_floor_pass(struct tw_floor *f, int64_t now_ns);
void tw_floor_fed(struct tw_floor *f);

/* One step of the venue: 1; 0: nothing is due, or what came out is not taken yet;
 * UV_ENOMEM: something of it was lost.  Thread: the driver.  Blocks: a short lock. */
int tw_floor_step(struct tw_floor *f, int64_t limit_ns);

/* Something came out that was not taken yet: nothing happens before that.
 * Thread: the driver.  Blocks: a short lock. */
bool tw_floor_is_full(struct tw_floor *f);

/* Of a venue elsewhere: what is called in between is alone with all requests, and says
 * what happened.  Thread: the driver.  Blocks: a short lock. */
void tw_floor_lock(struct tw_floor *f);
void tw_floor_report_held(struct tw_floor *f, const struct tw_venue_report *r);
void tw_floor_unlock(struct tw_floor *f);

/* Of a venue here: what came out and was not taken yet: n records, there until the next
 * step; and so many of them are taken.  Thread: the driver.  Blocks: a short lock. */
struct tw_record *tw_floor_out(struct tw_floor *f, size_t *n);
void tw_floor_took(struct tw_floor *f, size_t n);

/* Of one elsewhere, of which others than the driver may report: takes a copy of what
 * came out, n records at most; how many.  Thread: the driver.  Blocks: a short lock. */
size_t tw_floor_take(struct tw_floor *f, struct tw_record *out, size_t n);

#endif
