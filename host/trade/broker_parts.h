/* broker_parts.h - what the files of the broker share.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never, but where the desk does.
 */
#ifndef TW_BROKER_PARTS_H
#define TW_BROKER_PARTS_H

#include "trade/broker.h"
#include "trade/probe.h"

/* What is left, or may be, of the open orders of an instrument, but for held ones. */
struct open {
    tw_money buying, selling;
    struct tw_order *orders;              /* of it that are open, the newest first     */
    int64_t told_buying, told_selling;    /* what the desk has of it, see tw_desk_share */
    struct tw_desk_symbol *all;           /* of the desk, where that counts it         */
    struct tw_desk_quote *quote;          /* there, with self_match                    */
    tw_money costs[2], may[2];            /* of sells and of buys: see `taken`; else 0 */
};

struct tw_broker {
    struct tw_broker_options o;
    struct tw_account *account;       /* K2: see broker_mark.c                       */
    struct {
        struct tw_position *of, *last;    /* whose price may wait; which was marked  */
        int64_t low, high;                /* between which it may                    */
        int64_t price;                    /* the last one, which waits               */
        bool waits;
        unsigned unasked;                 /* marks of it since somebody has asked    */
    } late;
    struct tw_simulator *venue;
    struct tw_order *open;            /* the newest first                            */
    unsigned n_open, n_held;
    struct tw_order **by_id;          /* a table of `size`, a power of two           */
    size_t size;
    struct open *sum;                 /* by symbol, n_sums                           */
    size_t n_sums;
    struct tw_told_ring told;
    bool lost;                        /* it found no memory                          */
    struct tw_order *due;             /* are to be looked at, the newest first       */
    int64_t again_ns;                 /* what was refused is asked for then          */
    bool amends;                      /* what is due waits for the trade to come     */
    bool is_halted;                   /* all was canceled because of that            */
    int64_t *sent;                    /* times of the last limits.orders orders      */
    uint64_t n_sent;
    uint64_t n_orders;                /* all that ever were                          */
    bool begun;                       /* there is a time: tw_broker_begin            */
    int64_t passed_ns;                /* till then: the latest of tw_broker_pass     */
    int64_t now_ns;                   /* of what is decided                          */
    int64_t read_ns, clock_ns;        /* the latest of records; of what was between
                                       * them, too: rates of orders count by that    */
    uint64_t seq;                     /* of the record that is handled               */
    uint64_t marked_seq;              /* the record behind which timers mark, and the   */
    int64_t marked_ns;                /* ... first of those marks; 0: none yet          */
    struct tw_session day;
    struct tw_overdraft overdraft, spent; /* before its last trade's time; at that   */
    tw_money day_equity;              /* what was gained when it began               */
    struct tw_desk_loss told_loss;    /* as the desk knows it                        */
    int desk_currency;                /* constant: of the desk's amounts, in the account;
                                       * 0: its own; below 0: it has no room for it  */
    struct tw_probe *probe;           /* of one order, or NULL                       */
    bool shares;                      /* constant; see tw_desk_has_symbols           */
};

/* The desk, where this strategy counts. */
static inline struct tw_desk *tw_broker_desk(const struct tw_broker *b)
{
    return b->o.is_uncounted ? NULL : b->o.desk;
}

static inline bool tw_broker_is_halted(const struct tw_broker *b)
{
    return b->o.desk && tw_desk_is_halted(b->o.desk);
}

/* All that was gained, deposits aside. */
static inline tw_money tw_broker_made(const struct tw_broker *b)
{
    return tw_account_equity(b->account) - tw_account_deposits(b->account);
}

/* What may be left of it, if all is granted that was asked for. */
static inline int64_t tw_broker_leaves(const struct tw_order *o)
{
    int64_t quantity = o->asked > o->quantity ? o->asked : o->quantity;

    return tw_order_is_open(o) ? quantity - o->cum_qty : 0;
}

/* ---- broker.c ---- */

/* sign: +1 for a buy, -1 for a sell; the other way round of a trade that is canceled. */
void tw_broker_book(struct tw_broker *b, uint32_t symbol, const struct tw_terms *terms,
                    int sign, const struct tw_report *r);

/* A report of the broker itself. */
void tw_broker_say(struct tw_broker *b, struct tw_order *o, enum tw_exec_type exec,
                   enum tw_reason reason);

/* It is to be so large, at that price, and counts so until that is answered. */
void tw_broker_asks(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                    int64_t price);

/* It waits for its parent no longer: it goes out, or is refused. */
void tw_broker_release(struct tw_broker *b, struct tw_order *o, int64_t quantity);

/* ---- broker_orders.c ---- */

/* Room for one more open order of an instrument.  False: no memory. */
bool tw_broker_make_room(struct tw_broker *b, uint32_t symbol);

/* It is among the open ones, for which there is room; and it is no more. */
void tw_broker_enlist(struct tw_broker *b, struct tw_order *o);
void tw_broker_delist(struct tw_broker *b, struct tw_order *o);

/* It has that parent, which is open; and it has none any more. */
void tw_broker_join_parent(struct tw_order *o, struct tw_order *parent);
void tw_broker_leave_parent(struct tw_order *o);

/* A gateway that keeps orders learns of one that waits, or does no more. */
void tw_broker_keep(const struct tw_broker *b, const struct tw_order *o, bool held);

/* It waits for its parent, or does no more. */
void tw_broker_set_held(struct tw_broker *b, struct tw_order *o, bool held);

/* The most that is asked for, which counts until it is answered. */
void tw_broker_ask(struct tw_broker *b, struct tw_order *o, int64_t quantity,
                   int64_t price);

/* The sums of the open orders have so much more of that. */
void tw_broker_add(struct tw_broker *b, const struct tw_order *o, int64_t more);

/* ---- broker_bracket.c ---- */

/* Would the order, or an exit that waits for it, trade at once as an exit, if it had the
 * prices of `next`?  Not asked of an order that is no part of a bracket. */
bool tw_broker_misplaces(const struct tw_broker *b, const struct tw_order *o,
                         const struct tw_order *next);

/* ---- broker_family.c ---- */

/* The order is among the open ones: in the ring of its group; and no more in it. */
void tw_broker_join(const struct tw_broker *b, struct tw_order *o);
void tw_broker_leave(struct tw_order *o);

/* What was due when a copy was made of it; not any more. */
void tw_broker_note_due(struct tw_broker *b, struct tw_order *o, int8_t due);
void tw_broker_leave_due(struct tw_order *o);

/* The others of its group know what it has traded, before that is told; and when it was
 * told, those that it concerns are due. */
void tw_broker_traded(struct tw_broker *b, struct tw_order *o, const struct tw_report *r);
void tw_broker_relate(struct tw_broker *b, struct tw_order *o, const struct tw_report *r);

/* What is due is looked at; and first what was refused, where it is time for that. */
void tw_broker_follow_all(struct tw_broker *b);
void tw_broker_ask_again(struct tw_broker *b);

/* It is open, of a former run; parent_qty: what its parent has traded, 0: not known.  And
 * it is open again. */
void tw_broker_rejoin(struct tw_broker *b, struct tw_order *o, int64_t parent_qty);
void tw_broker_reopen(struct tw_broker *b, struct tw_order *o);

/* ---- broker_day.c ---- */

/* A new day: what is settled daily is paid, and losses are counted anew. */
void tw_broker_begin_day(struct tw_broker *b, int64_t now_ns);

/* ---- broker_mark.c ---- */

/* The record of the symbol of which that is held is what the venue has seen last. */
void tw_broker_mark(struct tw_broker *b, struct tw_position *p,
                    const struct tw_record *r);

/* It has traded the instrument, +1: bought it; was the cash there for what is held? */
void tw_broker_spent(struct tw_broker *b, const struct tw_position *p, int sign,
                     int64_t time_ns);

/* The account knows all prices, and none waits until there are bounds again. */
void tw_broker_catch_up(struct tw_broker *b);

/* ---- broker_risk.c ---- */

/* What it may trade, beyond what the others of its group may on its side: all of them
 * trade no more than the largest, see reduce_group in simulator.c.  At a plain gateway
 * they all may, before one is canceled; but exits of a bracket count as anywhere, as a
 * stop that a limit refuses would leave its position bare. */
int64_t tw_broker_beyond(const struct tw_broker *b, const struct tw_order *o);

/* What its part of the equity buys at a price, in whole lots; INT64_MAX: more than an
 * order can have. */
int64_t tw_broker_size(const struct tw_broker *b, const struct tw_order *o,
                       int64_t price);

/* How much of it may trade, see tw_simulator_new. */
int64_t tw_broker_room(void *ctx, const struct tw_order *o, int64_t price);

/* B1.  Why the order, which is among the open ones, must not go; or it is counted in. */
enum tw_reason tw_broker_may_go(struct tw_broker *b, const struct tw_order *o);

/* Likewise why it must not become `next`, which is asked for. */
enum tw_reason tw_broker_may_change(struct tw_broker *b, const struct tw_order *o,
                                    const struct tw_order *next);

/* Where the desk has a limit for it, it has what this strategy has of the instrument from
 * the next call of tw_broker_share on.  False: no memory. */
bool tw_broker_meet(struct tw_broker *b, uint32_t symbol);

/* What it has of the order's instrument has changed: the desk is told; and of its prices,
 * when the order has none any more, or another one. */
void tw_broker_share(struct tw_broker *b, const struct tw_order *o, bool other_price);

/* It has nothing any more. */
void tw_broker_unshare(struct tw_broker *b);

/* The desk's sum of losses has this strategy's. */
void tw_broker_tell_loss(struct tw_broker *b);

#endif
