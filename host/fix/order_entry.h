/* order_entry.h - orders at the other end of a FIX session: what is asked for goes out as
 * D, F, G, H and AF, and 8, 9, 3 and j become what happened to the orders.
 *
 * To those who trade it is what trade/venue.h is: requests go in, reports come out, and
 * each request has one answer.
 *
 *     tw_fix_orders_send(o, &request)            of any owner
 *     while (tw_fix_orders_next(o, now, &out))   a message is to be sent: after that
 *         tw_fix_orders_sent(o, seq)             or tw_fix_orders_unsent(o)
 *     tw_fix_orders_message(o, m)                8, 9 or j came
 *     tw_fix_orders_rejected(o, seq, m)          3
 *     tw_fix_orders_logged_on(o), _logged_out(o)
 *
 * ClOrdID (11): the order's id, and for each request that changes it letters more: 17,
 * 17a, 17b, ..., 17z, 17aa; or a UUID of both.  Ids are unique over runs, so these are.
 *
 * Invariants
 *   G1  A trade is reported once, however often it comes (by ExecID, 17).
 *   G2  What does not add up (CumQty, 14) asks the venue for the order's status; what is
 *       missing still is reported then, at the average of what it says; and what is too
 *       much is taken back, where messages were missed.
 *   G3  The end of an order is reported after its trades, in whatever order they came.
 *   G4  A request has one answer; where it, or the request, was lost with a connection
 *       or in a gap, that is by the order's status.
 *
 * Layer host/fix.  Thread: the owner's, one at a time.  Blocks: never.
 */
#ifndef TW_FIX_ORDER_ENTRY_H
#define TW_FIX_ORDER_ENTRY_H

#include "fix/instruments.h"
#include "trade/risk.h"
#include "trade/venue.h"

struct tw_fix_orders;

/* What is told of orders that are nobody's here, and of what can't be. */
struct tw_fix_stray {
    const char *what;             /* for people                                      */
    struct tw_fix_text id, order_id, symbol, text;   /* 11, 37, 55, 58; at may be NULL */
    int64_t quantity, filled;     /* 38, 14                                          */
    char status;                  /* 39; 0: none                                     */
    const char *owner;            /* of a former run, by name; NULL: not known       */
    uint64_t count;               /* so many were told, with this one                */
};

/* Digits and letters; a UUID; 12 to 14 letters and digits, for 1,332 changes. */
enum tw_fix_id_form { TW_FIX_ID_DIGITS, TW_FIX_ID_UUID, TW_FIX_ID_SHORT };

struct tw_fix_orders_options {
    const struct tw_fix_dictionary *dictionary;
    struct tw_symbols *symbols;
    const char *account;          /* 1 of all orders; NULL: none                     */
    char id_source;               /* 22: symbols are SecurityIDs (48) of that source;
                                   * 0: they are Symbols (55)                        */
    const struct tw_fix_extra *fields;   /* more of D and G (and F, where it has them);
                                          * of a group the value is its count, and then
                                          * an SOH and "tag=value" for all in it     */
    size_t fields_n;
    const struct tw_fix_instrument *instruments;   /* the caller's                   */
    size_t instruments_n;
    enum tw_fix_id_form id_form;  /* of ClOrdIDs                                     */
    int precision;                /* digits of the second of 60 and 126; 0: 3        */
    bool cancel_on_disconnect;    /* what is open is canceled before we log out, and
                                   * after the next Logon                            */
    const struct tw_desk *desk;   /* likewise, while it is halted; may be NULL       */
    bool cancel_unknown;          /* orders of the session that nobody here has sent */
    bool no_mass_status;          /* AF is not sent: H for each order                */
    uint64_t first_id;            /* below it are orders of former runs, down to a tenth
                                   * of it: 12345 is another program's; 0: there are
                                   * none that could be taken over                   */
    bool keeps;                   /* tw_fix_orders_lines are                         */
    /* What happened; neither may call anything here. */
    void (*report)(void *ctx, const struct tw_venue_report *r);
    void (*stray)(void *ctx, const struct tw_fix_stray *s);   /* may be NULL         */
    void *ctx;
};

/* NULL: no memory.  Memory: freed by tw_fix_orders_free; taken for each order. */
struct tw_fix_orders *tw_fix_orders_new(const struct tw_fix_orders_options *options);
void tw_fix_orders_free(struct tw_fix_orders *o);   /* o may be NULL */

/* A request is on its way: arrives_ns, seq, number and calendar are not looked at.
 * TW_ECLOSED: not logged on; TW_EUSAGE: no message says that (*error, which may be NULL,
 * says what), or the order is open already; TW_EFULL; UV_ENOMEM. */
int tw_fix_orders_send(struct tw_fix_orders *o, const struct tw_request *q,
                       struct tw_error *error);

/* The next message that goes out: fields as tw_fix_session_put takes them, there until
 * the next call.  False: there is none. */
struct tw_fix_outgoing { const char *code, *body; size_t n; };
bool tw_fix_orders_next(struct tw_fix_orders *o, int64_t now_ns,
                        struct tw_fix_outgoing *out);

/* What became of it: it has the number, or was not sent. */
void tw_fix_orders_sent(struct tw_fix_orders *o, uint64_t seq);
void tw_fix_orders_unsent(struct tw_fix_orders *o);

/* Something is to be sent; so many cancels wait for an answer. */
bool tw_fix_orders_is_due(const struct tw_fix_orders *o);
size_t tw_fix_orders_cancels(const struct tw_fix_orders *o);

/* What came.  TW_FIX_LATER: no memory, and nothing has changed. */
enum tw_fix_answer tw_fix_orders_message(struct tw_fix_orders *o,
                                         const struct tw_fix_message *m);

/* The peer has rejected message seq of ours (35=3). */
void tw_fix_orders_rejected(struct tw_fix_orders *o, uint64_t seq,
                            const struct tw_fix_message *m);

void tw_fix_orders_logged_on(struct tw_fix_orders *o);
/* It is to log out: what is open is canceled before, where it would be after a Logon. */
void tw_fix_orders_leaving(struct tw_fix_orders *o);
void tw_fix_orders_logged_out(struct tw_fix_orders *o, int64_t now_ns);

/* Who does not answer a request for half a minute is asked for its order's status, as
 * after a connection that was lost; and who does not answer that for ten seconds has no
 * more to say.  When it is to be called again; INT64_MAX: nothing is waited for. */
int64_t tw_fix_orders_tick(struct tw_fix_orders *o, int64_t now_ns);

/* The desk is halted: what is open and of nobody in this run is canceled; each script
 * sees to its own. */
void tw_fix_orders_halted(struct tw_fix_orders *o);

/* Messages of the peer were missed, and will not come: the status of what is open is
 * asked for, and of what has ended last, as a trade may have come or was taken back. */
void tw_fix_orders_missed(struct tw_fix_orders *o);

/* A message of the peer was refused by the session (35=3 went out): what it may have said
 * of an order is asked for; a 35=j counts all the same.  True: of which it was nobody
 * knows, so it was missed. */
bool tw_fix_orders_refused(struct tw_fix_orders *o, const struct tw_fix_message *m);

/* The peer has missed messages of ours from one number to another: what they asked for,
 * and has no answer, is as the order's status says. */
void tw_fix_orders_resending(struct tw_fix_orders *o, uint64_t from, uint64_t to);

/* Whether a message of ours that the peer has missed is to be sent again: not orders and
 * changes, which are stale by then. */
bool tw_fix_orders_resend(const struct tw_fix_message *m);

/* ---- former runs ----
 *
 * An order that a former run has sent is taken over by who had sent it, found by its
 * name in the lines that were kept; without them, by the only one who is expected.  It
 * is reported as a new one (TW_REASON_FORMER) with an aside that says what it is. */

/* Is there anything of one of that name? */
bool tw_fix_orders_knows(const struct tw_fix_orders *o, const char *name);

/* The owner may join: what could be his is nobody else's. */
void tw_fix_orders_expect(struct tw_fix_orders *o, uint32_t owner);

/* 1 of the orders of whoever is of that name, in place of that of all.  UV_ENOMEM. */
int tw_fix_orders_set_account(struct tw_fix_orders *o, const char *name,
                              const char *account);

struct tw_fix_holding { uint32_t symbol; int64_t quantity, price; };

/* Who holds something but is not in this run, and what: of each the first time.  NULL:
 * nobody. */
const char *tw_fix_orders_orphan(struct tw_fix_orders *o, struct tw_fix_holding *out);

/* A trade, or one that is taken back, that a kept account does not have. */
struct tw_fix_trade {
    uint64_t number;              /* of the owner's                                  */
    uint32_t symbol;
    uint8_t side;
    struct tw_report report;      /* its fee is known where it is_charged            */
    int64_t cum;                  /* what its order had traded before,               */
    tw_money value;               /* and for how much                                */
};

/* What a former run has left. */
struct tw_fix_estate {
    struct tw_fix_holding *list;  /* n                                               */
    size_t n, orders;             /* orders: open ones, which are reported           */
    char *account;                /* lines of order_account.h; NULL: none            */
    struct tw_fix_trade *trades;  /* n_trades, which that does not have              */
    size_t n_trades;
    uint64_t last;                /* number of the last trade there was              */
    bool keeps;                   /* tw_fix_orders_account has a use                 */
};
void tw_fix_estate_fini(struct tw_fix_estate *e);

/* The owner, who has orders from here on, is of that name.  The open orders of that name
 * are reported, and *out (the caller's) is what is left of it by the lines that were
 * kept.  How many orders, or UV_ENOMEM. */
int tw_fix_orders_join(struct tw_fix_orders *o, uint32_t owner, const char *name,
                       int64_t now_ns, struct tw_fix_estate *out);

/* The owner's account as it is after so many of its trades, which reports number: lines
 * of order_account.h, which are taken, by tw_free.  False: it was so already. */
bool tw_fix_orders_account(struct tw_fix_orders *o, uint32_t owner, uint64_t trades,
                           char *text, size_t n);

/* What is to be kept since the last call; all: everything, in place of what was kept.
 * *text is the caller's, by tw_free.  False: no memory, ask for everything later. */
bool tw_fix_orders_lines(struct tw_fix_orders *o, bool all, char **text, size_t *n);

/* Before the first Logon: what was kept, which is written into; what was not written to
 * its end is left out.  *strange: such lines, and those that are none.  TW_EFORMAT: one
 * that can't be, as *error says; UV_ENOMEM, or what a symbol's name is. */
int tw_fix_orders_restore(struct tw_fix_orders *o, char *text, size_t *strange,
                          struct tw_error *error);

/* How many are open. */
size_t tw_fix_orders_open(const struct tw_fix_orders *o);

#endif
