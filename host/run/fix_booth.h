/* fix_booth.h - peers of FIX sessions that trade in the venue of a run: its own exchange.
 *
 *   FEED: session --D F G--> fix/order_desk --request--> seat | floor
 *         session <--8 9---- fix/order_desk <--report--- seat |
 *
 * Layer host/run.
 */
#ifndef TW_FIX_BOOTH_H
#define TW_FIX_BOOTH_H

#include "fix/order_desk.h"
#include "run/fix_engine.h"
#include "run/fix_journal.h"
#include "run/floor.h"

struct tw_fix_booth;

struct tw_fix_booth_options {
    const struct tw_fix_dictionary *dictionary;
    struct tw_symbols *symbols;
    struct tw_floor *floor;       /* which has a driver on the io thread              */
    uint32_t owner;               /* of its orders, which nobody else has             */
    uint64_t first_id, id_step;   /* see fix/order_desk.h                             */
    int precision;
    const struct tw_calendar *(*calendar)(const void *of, uint32_t symbol);
    const void *of;               /* likewise                                         */
    const char *name;             /* of its session; copied                           */
    struct tw_fix_journal *journal;   /* where its orders are kept; NULL: nowhere     */
    struct tw_log *log;
};

/* NULL: *error says why; TW_ECLOSED: nobody drives the floor.  Thread: any.  Blocks: a
 * short lock. */
struct tw_fix_booth *tw_fix_booth_new(const struct tw_fix_booth_options *options,
                                      struct tw_error *error);

/* b may be NULL.  Thread: MAIN, when the io is freed, before the floor.  Blocks: no. */
void tw_fix_booth_free(struct tw_fix_booth *b);

/* What its session is to be added with, and that session; where that one is removed,
 * the next: it goes on with the peer's orders.  Thread: any.  Blocks: no. */
struct tw_fix_consumer tw_fix_booth_consumer(struct tw_fix_booth *b);
void tw_fix_booth_attach(struct tw_fix_booth *b, struct tw_fix_link *link);

/* Its session was removed, or there was none, and its peer's orders have all ended: it
 * forgets them, and is for another peer.  False: it is in use.  Thread: any, and nobody
 * attaches meanwhile.  Blocks: short locks. */
bool tw_fix_booth_renew(struct tw_fix_booth *b, const char *name,
                        const struct tw_fix_dictionary *dictionary, int precision);

#endif
