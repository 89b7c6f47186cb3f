/* order_desk_parts.h - what order_desk.c and order_desk_known.c share: the orders of a
 * desk and their ClOrdIDs.
 *
 * Invariants
 *   D1  A ClOrdID waits for an answer, or is the one that its open order goes by, or is
 *       over: in one of these, and of those that are over the last DONE_MAX are known.
 *   D2  An order is known as long as the ClOrdID that it went by last.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_FIX_ORDER_DESK_PARTS_H
#define TW_FIX_ORDER_DESK_PARTS_H

#include "base/hashed.h"
#include "fix/order_desk.h"
#include "fix/write.h"

enum { BODY_MAX = 4096 };

struct deal;

/* A ClOrdID and what came with it. */
struct name {
    struct tw_hashed_link hashed;
    struct deal *deal;
    struct name *later;               /* D1: of its order, that wait, or of all that
                                       * are over                                   */
    enum tw_request_what what;
    bool is_done;                     /* over                                       */
    size_t n;
    char text[];
};

struct deal {
    struct tw_hashed_link hashed;     /* by id                                      */
    struct deal *next, **at;          /* of the open ones; at is NULL: it is none   */
    size_t n_names;
    struct tw_request q;              /* as it came                                 */
    int64_t quantity, price, stop;    /* as they are                                */
    int64_t filled;
    tw_money value;
    char status;                      /* 39                                         */
    struct name *accepted;            /* NULL: not known any more                   */
    struct name *asked, *last_asked;  /* without an answer, in order                */
    bool is_former;                   /* of a run before: it has ended              */
};

struct tw_fix_desk {
    struct tw_fix_desk_options o;
    enum tw_fix_version version;
    struct tw_hashed names;           /* by ClOrdID                                 */
    struct tw_hashed deals;           /* by id                                      */
    struct deal *open, **last_open;   /* in the order in which they came            */
    struct name *done, **last_done;   /* D1: n_done, the oldest first               */
    size_t n_done, n_asked;           /* n_asked: that wait for an answer           */
    uint64_t taken;                   /* how many orders: OrderIDs                  */
    uint64_t reports;                 /* how many: ExecIDs                          */
    int64_t now_ns;                   /* of what is taken, or told                  */
    struct tw_fix_clock clock;
    char body[BODY_MAX];
};

/* What it may trade yet. */
static inline int64_t tw_fix_desk_leaves(const struct deal *deal)
{
    bool is_open = deal->status == '0' || deal->status == '1' || deal->status == 'A';

    return is_open ? deal->quantity - deal->filled : 0;
}

/* Of that text and the order of that id; 0: of any, one of this run if there is one. */
struct name *tw_fix_desk_find_of(const struct tw_fix_desk *d, struct tw_fix_text t,
                                 uint64_t id);
struct deal *tw_fix_desk_deal(const struct tw_fix_desk *d, uint64_t id);

/* A new one of an order, which waits for its answer.  NULL: no memory. */
struct name *tw_fix_desk_add(struct tw_fix_desk *d, struct deal *deal,
                             struct tw_fix_text t, enum tw_request_what what);

/* The first that waits for an answer has it; NULL: none does. */
struct name *tw_fix_desk_answered(struct tw_fix_desk *d, struct deal *deal);

/* D1: it does not wait, and no open order goes by it. */
void tw_fix_desk_put_by(struct tw_fix_desk *d, struct name *i);

/* An open one with its ClOrdID.  NULL: no memory. */
struct deal *tw_fix_desk_new_deal(struct tw_fix_desk *d, const struct tw_request *q,
                                  struct tw_fix_text id);

/* What has changed of the order may have been its end. */
void tw_fix_desk_settle(struct tw_fix_desk *d, struct deal *deal);

/* Without an order; false: no memory, and nothing has changed. */
bool tw_fix_desk_begin_anew(struct tw_fix_desk *d);
void tw_fix_desk_forget(struct tw_hashed *names, struct tw_hashed *deals);

#endif
