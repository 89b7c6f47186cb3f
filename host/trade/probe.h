/* probe.h - why one order filled or did not: each thing that concerned it, in numbers.
 *
 * Why not in every run: a run over the same records is the same run, so it can be asked
 * afterwards.  Who is not asked pays for a pointer that is NULL.
 *
 * A look is what a record did for the order.  Looks with the same verdict are one step,
 * since the last thing that was no look: so there are no more steps than reports, times
 * the verdicts.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_PROBE_H
#define TW_PROBE_H

#include "trade/fill.h"
#include "trade/risk.h"

enum tw_step_kind {
    TW_STEP_DECIDED,     /* market: what was known of the instrument then             */
    TW_STEP_LIMIT,       /* reason: which; value, limit; refused                      */
    TW_STEP_PARENT,      /* it is sent because its parent has traded `value`          */
    TW_STEP_SENT,        /* arrives_ns                                                */
    TW_STEP_CANCEL, TW_STEP_REPLACE,   /* asked for; arrives_ns; report: the new terms */
    TW_STEP_LOOK,
    TW_STEP_ROOM,        /* value: as much of it may trade at `price`                 */
    TW_STEP_STOP,        /* where a trailing stop begins: level                       */
    TW_STEP_BOOK,        /* in a venue's book: verdict, market: the best of both sides */
    TW_STEP_REPORT,      /* report; cause: the order that did it, or 0                */
    TW_STEP_END          /* of the run: order is as it is then                        */
};

/* Why a record did not, or did, trade with the order; what became of it in a book. */
enum tw_verdict {
    TW_VERDICT_NONE,
    TW_VERDICT_SAME,         /* F1: the record on which it was decided, or before     */
    TW_VERDICT_NOT_THERE,    /* F1: began before it had arrived (arrives_ns)          */
    TW_VERDICT_KIND,         /* the model goes by no records of that kind             */
    TW_VERDICT_SIDE,         /* F4: a bar of the side at which it does not trade      */
    TW_VERDICT_BEFORE_OPEN,  /* it is for an open that is not yet                     */
    TW_VERDICT_BEFORE_CLOSE, /* likewise                                              */
    TW_VERDICT_NO_PRICE,     /* there is none on the other side                       */
    TW_VERDICT_STOP,         /* the stop, level, is not reached by price              */
    TW_VERDICT_TRIGGERED,    /* it is                                                 */
    TW_VERDICT_NOT_REACHED,  /* the limit, level, is not reached by price             */
    TW_VERDICT_TOUCHED,      /* TW_FILL_THROUGH: reached, but not traded through      */
    TW_VERDICT_OPEN,         /* price, the open, is not as good: it is TW_FILL_NEXT_OPEN,
                              * or the order can't wait                               */
    TW_VERDICT_INSIDE,       /* F2: triggered within the bar, at a price beyond it    */
    TW_VERDICT_QUEUED,       /* TW_FILL_QUEUE: it rests behind `ahead`; -1: not known */
    TW_VERDICT_TAKEN,        /* F3: of what was shown nothing is left, or no lot      */
    TW_VERDICT_MEETS,        /* `quantity` can trade at price; see the report         */
    /* In a book, where there are STOP, TRIGGERED and TAKEN, too. */
    TW_VERDICT_ARRIVES,
    TW_VERDICT_CLOSED,       /* its market opens at arrives_ns; INT64_MAX: not known  */
    TW_VERDICT_RESTS,        /* at price, behind `ahead`                              */
    TW_VERDICT_AHEAD,        /* others that were before it traded                     */
    TW_VERDICT_LEFT,         /* others that were before it went without a trade       */
    TW_VERDICT_TRADES,       /* it trades                                             */
    TW_VERDICT_CROSSES,      /* post-only: it would trade                             */
    TW_VERDICT_ROOM,         /* reduce-only: the position leaves room for `quantity`  */
    TW_VERDICT_SELF,         /* its owner's order, cause, came against it             */
    TW_VERDICT_GROUP,        /* one of its group, cause, has traded                   */
    TW_VERDICT_GATHERED,     /* it waits for the auction at arrives_ns                */
    TW_VERDICT_AUCTION,      /* in which `quantity` can trade at price; 0: nothing    */
    TW_VERDICTS
};

struct tw_step {
    enum tw_step_kind kind;
    enum tw_verdict verdict;         /* of a look, likewise the next five             */
    enum tw_fill_model model;
    uint64_t count;                  /* records                                       */
    bool mixed;                      /* of several kinds                              */
    int64_t low, high;               /* of price, over all of them                    */
    int64_t level, level_to;         /* trailing: at first and at last                */
    int64_t ahead, ahead_to;         /* likewise; below 0: not in line                */
    int64_t shown, left;             /* on the record, of that: see F3; INT64_MAX:
                                      * not known                                     */
    int64_t time_ns, until_ns;       /* of the first record, and of the last          */
    int64_t arrives_ns;
    uint64_t seq, until_seq;         /* likewise; 0: none                             */
    struct tw_market market;         /* of the first one                              */
    int64_t price, quantity;
    enum tw_reason reason;
    bool refused, of_desk;           /* of a limit; the limit is that of all          */
    double value, limit;
    struct tw_report report;
    uint64_t cause;
};

struct tw_probe {
    uint64_t id;                     /* constant: the order that is asked for         */
    struct tw_order order;           /* as it was when something happened to it last  */
    const struct tw_order *live;     /* while it is open                              */
    struct tw_step *step;            /* n of them                                     */
    size_t n, room;
    size_t looks;                    /* the first step of the looks at the end        */
    int64_t left;                    /* of the record's volume, before all orders     */
    int64_t line;                    /* in a book: before it at its price             */
    uint64_t cause;                  /* of the next report                            */
    bool lost;                       /* it found no memory                            */
};

/* Zeroed, and the order's id set, it is ready.  Frees its steps. */
void tw_probe_fini(struct tw_probe *p);

/* The names of a kind and a verdict: "look", "not_reached". */
const char *tw_step_text(enum tw_step_kind kind);
const char *tw_verdict_text(enum tw_verdict verdict);

/* ---- what happens; of other orders nothing is noted ---- */

/* market: see tw_simulator_market. */
void tw_probe_report(struct tw_probe *p, const struct tw_order *o,
                     const struct tw_report *r, const struct tw_market *market);

/* What was done before there was a time, at 0, was done then. */
void tw_probe_begin(struct tw_probe *p, int64_t now_ns);

/* Its limits were looked at, and why it may not go; likewise those of all strategies. */
void tw_probe_check(struct tw_probe *p, const struct tw_limits *l,
                    const struct tw_order *o, const struct tw_exposure *now,
                    int64_t time_ns, enum tw_reason why);
void tw_probe_desk(struct tw_probe *p, const struct tw_desk *d, const struct tw_order *o,
                   int64_t time_ns, enum tw_reason why);
void tw_probe_parent(struct tw_probe *p, const struct tw_order *o, int64_t traded);

/* terms: of TW_STEP_REPLACE (0: as it is), or NULL. */
void tw_probe_request(struct tw_probe *p, const struct tw_order *o,
                      enum tw_step_kind kind, int64_t time_ns, int64_t arrives_ns,
                      const struct tw_report *terms);

/* A record that is not for it. */
void tw_probe_pass(struct tw_probe *p, const struct tw_market *m,
                   const struct tw_resting *r, enum tw_fill_model model,
                   enum tw_verdict why);
/* Before any order is matched with the record. */
void tw_probe_record(struct tw_probe *p, const struct tw_market *m);
/* What tw_fill_triggers and tw_fill_look have said. */
void tw_probe_trigger(struct tw_probe *p, const struct tw_market *m,
                      const struct tw_resting *r, enum tw_fill_model model,
                      bool triggers, int64_t price);
void tw_probe_look(struct tw_probe *p, const struct tw_market *m,
                   const struct tw_resting *r, enum tw_fill_model model,
                   int64_t triggered, const struct tw_fill *f);   /* NULL: nothing */
/* At the end of its session at a price; 0: none.  The model is TW_FILL_AUTO. */
void tw_probe_close(struct tw_probe *p, const struct tw_market *m,
                    const struct tw_resting *r, int64_t price);
/* A trailing stop has begun, or may have moved with the record. */
void tw_probe_stop(struct tw_probe *p, const struct tw_market *m,
                   const struct tw_resting *r, int64_t time_ns);
void tw_probe_trail(struct tw_probe *p, const struct tw_market *m,
                    const struct tw_resting *r);
void tw_probe_room(struct tw_probe *p, const struct tw_order *o, int64_t time_ns,
                   int64_t price, int64_t room);

/* In a book, of the order: verdict, price, market, time_ns and what goes with them are
 * set.  What others do to it is one step for each verdict, as looks are. */
void tw_probe_book(struct tw_probe *p, struct tw_step step);

/* Another order of its group did what comes next. */
void tw_probe_group(struct tw_probe *p, const struct tw_order *o,
                    const struct tw_order *by);

/* The run has ended. */
void tw_probe_end(struct tw_probe *p, int64_t time_ns);

#endif
