/* fix_gateway.h - orders of a run that go to a venue by a FIX session.
 *
 *   WORKER: seat --request--> | floor: fix/order_entry | --look--> session   FEED
 *   tape <--records---------- |                        | <-message-- session
 *
 * The seats are those of run/floor.h, whose venue is elsewhere: at the session's peer.
 *
 * Layer host/run.
 */
#ifndef TW_FIX_GATEWAY_H
#define TW_FIX_GATEWAY_H

#include "fix/order_entry.h"
#include "run/fix_engine.h"
#include "run/floor.h"

struct tw_fix_gateway;

struct tw_fix_gateway_options {
    const char *name;             /* of the session, in lines of the log             */
    struct tw_fix_orders_options orders;   /* without report, stray and ctx; what it
                                   * points at is copied, but dictionary and desk    */
    struct tw_io *io;
    struct tw_log *log;
    uint8_t source;               /* of its records, which no other feed has         */
    const char *folder;           /* of what survives a restart; NULL: nothing does  */
    bool sync;                    /* each of it at once                              */
};

/* NULL: no memory.  Thread: MAIN.  Blocks: no. */
struct tw_fix_gateway *tw_fix_gateway_new(const struct tw_fix_gateway_options *options);

/* g may be NULL.  Thread: MAIN, when the io is freed and no seat is left.  Blocks: no. */
void tw_fix_gateway_free(struct tw_fix_gateway *g);

/* What its session is to be added with, and that session, which has made the folder:
 * before the io starts.  *error says what of a former run can't be read.
 * Thread: MAIN.  Blocks: on the folder. */
struct tw_fix_consumer tw_fix_gateway_consumer(struct tw_fix_gateway *g);
int tw_fix_gateway_attach(struct tw_fix_gateway *g, struct tw_fix_link *link,
                          struct tw_error *error);

/* Is there anything of one of that name?  Thread: any.  Blocks: a short lock. */
bool tw_fix_gateway_knows(struct tw_fix_gateway *g, const char *name);
/* The script of that name may take a seat, and its orders have that account (NULL: that
 * of all): before the io starts.  UV_ENOMEM.  Thread: any.  Blocks: a short lock. */
int tw_fix_gateway_expect(struct tw_fix_gateway *g, uint32_t owner, const char *name,
                          const char *account);
/* The desk is halted: what is nobody's in this run is canceled.  Thread: any.  Blocks: a
 * short lock. */
void tw_fix_gateway_halted(struct tw_fix_gateway *g);
/* Who has taken a seat is of that name, over runs, and that account: what is left of it
 * is in *out (the caller's), its open orders are reported.  UV_ENOMEM.
 * Thread: the seat's.  Blocks: a short lock. */
int tw_fix_gateway_join(struct tw_fix_gateway *g, uint32_t owner, const char *name,
                        const char *account, struct tw_fix_estate *out);
/* See tw_fix_orders_account; ends: the seat is left, and there may be no session.
 * Thread: the seat's.  Blocks: a short lock. */
void tw_fix_gateway_account(struct tw_fix_gateway *g, uint32_t owner, uint64_t trades,
                            char *text, size_t n, bool ends);

/* Where scripts take their seats.  Thread: any. */
struct tw_floor *tw_fix_gateway_floor(const struct tw_fix_gateway *g);

#endif
