/* order_entry_parts.h - what the files of order_entry share.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_FIX_ORDER_ENTRY_PARTS_H
#define TW_FIX_ORDER_ENTRY_PARTS_H

#include "base/hashed.h"
#include "fix/order_entry.h"
#include "fix/order_lines.h"
#include "fix/write.h"

enum {
    ASKS_MAX = 1 << 16,           /* requests without an answer                   */
    KEPT_MAX = 1 << 14,           /* orders that have ended                       */
    DOUBTS_MAX = 256,             /* of them, whose status is asked for           */
    FEES_MAX = 8,                 /* NoMiscFees (136) of a trade                   */
    FORMER_MAX = 16,              /* ClOrdIDs of a former run that it is asked by */
    BODY_MAX = 4096,
    UUID = 36,                    /* bytes of one                                 */
    ID_MAX = UUID + 1             /* of a ClOrdID of ours, with a 0 byte          */
};

#define STATUS_NS INT64_C(10000000000)   /* an answer to H is waited for so long, and  */
#define ANSWER_NS INT64_C(30000000000)   /* one to D, F or G, till H asks what is      */

struct list;

/* What is asked, of the venue or (STATUS, MASS) by ourselves. */
enum ask_what { ASK_NEW, ASK_CANCEL, ASK_REPLACE, ASK_GROW, ASK_STATUS, ASK_MASS,
                ASK_STRAY };

struct ask {
    enum ask_what what;
    struct entry *entry;          /* NULL: of no order                            */
    unsigned nth;                 /* of its order's: its ClOrdID; of a STATUS: that of
                                   * the next one                                 */
    unsigned by;                  /* of a STATUS: the ClOrdID that it is asked by */
    int64_t quantity, price, stop;
    int64_t most;                 /* of a REPLACE: that of the ties before it     */
    uint64_t seq;                 /* of the message; 0: not sent yet              */
    int64_t sent_ns;              /* 0: another connection's                      */
    unsigned rounds;              /* of ANSWER_NS without an answer               */
    bool stale;                   /* its answer is lost, or its connection        */
    bool own;                     /* nobody else waits for its answer             */
    bool again;                   /* a cancel of what the venue calls otherwise: it goes
                                   * out once more when the status has said how   */
    char *body;                   /* of ASK_STRAY: as it is                       */
    struct list *list;            /* those to be sent, or sent, or H; in order    */
    struct ask *next, *before;    /* there                                        */
    struct ask *later, *earlier;  /* of its order, in order                       */
};

/* An execution, by ExecID. */
struct exec {
    struct tw_hashed_link hashed; /* its hash is never 0                          */
    int64_t price, quantity;      /* of a trade that counts; 0: no such           */
    struct tw_charge *charge;     /* for it, by the venue; NULL: none was named   */
    bool is_canceled;             /* by one that came before it                   */
    struct entry *entry;
    struct exec *same;            /* of its order                                 */
};

/* Who has orders here, over runs. */
struct holder {
    char name[64];
    const char *client;           /* 1 of its orders; NULL: that of all           */
    uint32_t owner;               /* in this run; 0: it is not in it              */
    struct holding *holdings;
    struct tw_fix_lines account;  /* as it was after some of them; n 0: not known  */
    struct traded *traded, *last; /* that it does not have, the oldest first      */
    uint64_t trades;              /* so far                                       */
    struct holder *next;
};

struct client { struct client *next; char text[]; };

struct traded { struct tw_fix_trade is; struct traded *next; };

struct holding {
    uint32_t symbol;
    int64_t quantity;             /* below 0: short                               */
    tw_money cost;                /* of it, as signed as it is                    */
    bool is_changed;              /* since its last line                          */
    bool is_told;                 /* that it is nobody's in this run              */
    struct holding *next;
};

/* An order's end that waits for trades, G3. */
struct ending { uint8_t exec, reason; unsigned nth; int64_t cum, time_ns; };

struct entry {
    uint64_t id;
    uint32_t owner, symbol;       /* owner 0: it is not in this run               */
    struct holder *holder;        /* NULL: nobody says who that is                */
    const char *client;           /* its account, where that is not that of all   */
    uint8_t side, type, tif;
    bool post_only;
    bool over;
    bool is_former;               /* a former run has sent it                     */
    uint8_t id_form;              /* of its ClOrdIDs                               */
    bool is_told;                 /* that it is nobody's in this run              */
    bool heard;                   /* the venue has said that it has it             */
    bool unheard;                 /* an exit of which the venue has never said a word:
                                   * the former run may have ended before it went   */
    bool reconciles;              /* that is the first one of a connection        */
    int64_t quantity, price, stop, trail, expire_ns;
    int64_t cum;                  /* reported                                     */
    tw_money value;               /* of that                                      */
    int64_t expected;             /* CumQty that the venue has named              */
    int64_t average;              /* AvgPx of that                                */
    int64_t asked_for;            /* what was expected when its status was asked  */
    struct said { int64_t quantity, cum, most; } said;   /* by its lines so far: terms,
                                   * and the quantity that trades of its group leave,
                                   * as they came.  quantity INT64_MAX: no line   */
    int64_t most;                 /* that of a former run, till the terms change  */
    int64_t settled, settled_px;  /* reported by a status, its trades may come    */
    unsigned n_asks;              /* ClOrdIDs, so far                             */
    unsigned former;              /* those of them that a former run has used     */
    unsigned accepted;            /* the one that the venue has taken last        */
    unsigned named;               /* the last that a report of it has named; below
                                   * `accepted` where its terms seemed to say so  */
    struct ask *asks, *last_ask;  /* without an answer, in order                  */
    struct ending ending;         /* exec 0: none                                 */
    struct tw_venue_aside *last_words;   /* of the ending; NULL: none              */
    uint8_t ended;                /* over: OrdStatus 39                           */
    bool overfilled;              /* quantity is what has traded, above the venue's */
    bool doubts;                  /* what the venue took back may have been missed */
    int64_t undone, undone_px;    /* taken back by a status: its message may come */
    struct tw_ties *ties;         /* what its owner sees to; NULL: nothing         */
    struct exec *execs;
    char *order_id;               /* 37; NULL: not known                          */
    size_t order_id_n;
    void *user;
    struct tw_hashed_link hashed;
    struct entry *next, **link;   /* the open ones, those held, or those kept     */
};

struct list { struct ask *first, *last; size_t n; };

struct tw_fix_orders {
    struct tw_fix_orders_options o;
    enum tw_fix_version version;
    struct tw_fix_instruments *instruments;
    struct tw_hashed entries;     /* by id                                        */
    struct tw_hashed execs;       /* by order and ExecID                          */
    struct entry *open;
    size_t n_open;
    struct entry *held;           /* they wait for their parents: see tw_ties      */
    size_t n_held;
    struct entry *kept, **last_kept;   /* the oldest first                        */
    size_t n_kept;
    struct list to_send, sent;
    struct list statuses;         /* sent: of what ASK_STATUS asks                */
    struct ask *sending;          /* the message that is out: what became of it comes
                                   * next; NULL: it is not asked any more         */
    struct holder *holders;
    struct client *clients;       /* what the two above point to                  */
    struct tw_fix_lines lines;    /* to be kept                                   */
    const struct seen *seen;      /* what is being taken, where it has words      */
    struct tw_fix_clock clock;
    uint64_t strays;              /* told                                         */
    uint64_t cancels;             /* of strays                                    */
    int64_t now_ns;               /* of what was asked for or came last           */
    int64_t sending_ns;           /* of what goes out                             */
    bool up;
    bool told_silent;             /* in this connection                           */
    bool told_odd;                /* a charge that can't be booked                */
    uint32_t expected;            /* who may have orders here; 0: nobody          */
    bool expects_more;            /* and others                                   */
    bool is_ahead;                /* orders of a former run were named, and nobody was
                                   * there: who comes asks again                  */
    char body[BODY_MAX];
};

/* ExecTypes of 4.3 that no report has. */
enum { RESTATED = 'D', CORRECTED = 'G', STATUS = 'I' };

/* What a message says, as far as it does: texts may be NULL, numbers have a flag. */
struct seen {
    struct tw_fix_text id, orig, exec_id, ref, order_id, text, symbol, account;
    char kind;                        /* enum tw_exec_type, or one of these above     */
    char trans, exec, status, side;   /* 20, 150, 39, 54; 0: none                     */
    char type, tif;                   /* 40, 59                                       */
    struct number { int64_t v; bool is; } last_px, last_qty, cum, leaves, average,
        quantity, price, stop;
    struct cost {
        bool is;
        char type;                    /* as CommType (13): 1, 2, 3; 0: 3              */
        int64_t v;
        struct tw_fix_text currency;  /* at NULL: the instrument's                    */
    } costs[FEES_MAX + 1];            /* the commission, and n_fees                   */
    unsigned n_fees;
    bool odd_cost;                    /* there are more                               */
    uint64_t code, liquidity;         /* 103, 102 or 378; 851                         */
    bool has_code;
    int64_t time_ns, expire_ns;       /* 60 or 52, 126                                */
    const struct tw_fix_message *message;
};

/* ---- order_entry_read.c ---- */

struct seen tw_fix_orders_read(struct tw_fix_orders *o, const struct tw_fix_message *m);
/* Whether what it says of an order is enough to be one. */
bool tw_fix_orders_read_order(const struct tw_fix_orders *o, const struct seen *s,
                              struct tw_request *q);
/* Whether it is of an order that a former run may have sent: by its number, where its
 * ClOrdID is one of ours. */
bool tw_fix_orders_is_former(const struct tw_fix_orders *o, const struct seen *s,
                             uint64_t *id, unsigned *nth);
/* The answer to an AF that there is no order. */
bool tw_fix_orders_is_none(const struct seen *s);
/* One of ours that its text is, word for word; or otherwise. */
enum tw_reason tw_fix_orders_reason(const struct seen *s, enum tw_reason otherwise);
enum tw_reason tw_fix_orders_reject_reason(const struct seen *s);    /* of 103 */
enum tw_reason tw_fix_orders_refusal_reason(const struct seen *s);   /* of 102 */

/* ---- order_entry_charge.c ---- */

/* A field of Commission (12) or NoMiscFees (136). */
void tw_fix_orders_read_cost(struct seen *s, const struct tw_fix_field *f);
/* The venue says what a trade costs. */
bool tw_fix_orders_names_costs(const struct seen *s);
/* That is charged for the trade, where the venue says it; x (NULL: none) has it. */
void tw_fix_orders_charge(struct tw_fix_orders *o, struct tw_report *r,
                          const struct seen *s, struct exec *x);
/* With what is taken back of x, which may be NULL. */
void tw_fix_orders_give_back(struct tw_report *r, const struct exec *x);
/* The rest of a line, behind the word that has its `own`; and both words again. */
void tw_fix_orders_put_charge(struct tw_fix_lines *out, const struct tw_charge *c);
struct tw_charge tw_fix_orders_charge_at(const struct tw_fix_line *l, size_t own,
                                         size_t rest);

/* ---- order_entry.c ---- */

struct entry *tw_fix_orders_find(const struct tw_fix_orders *o, uint64_t id);
/* The order and the number of its request that a ClOrdID names; NULL: none of ours. */
struct entry *tw_fix_orders_find_id(const struct tw_fix_orders *o, struct tw_fix_text id,
                             unsigned *nth);
/* The open order of a request, without an ask; NULL: no memory. */
struct entry *tw_fix_orders_make(struct tw_fix_orders *o, const struct tw_request *q);
/* What its owner sees to (NULL: as it is), and whether it waits for its parent. */
int tw_fix_orders_tie(struct tw_fix_orders *o, struct entry *e,
                      const struct tw_ties *ties, bool held);
/* What the venue calls it. */
void tw_fix_orders_learn_id(struct entry *e, struct tw_fix_text id);
/* An ask of ours; NULL: no memory. */
struct ask *tw_fix_orders_ask(struct tw_fix_orders *o, struct entry *e,
                              enum ask_what what);
/* The ask of an order that a ClOrdID stands for, where it waits for its answer. */
struct ask *tw_fix_orders_asked(const struct entry *e, unsigned nth);
/* The oldest one of that kind. */
struct ask *tw_fix_orders_oldest(const struct entry *e, enum ask_what what);
/* Somebody waits for an answer, and so the order is still there. */
bool tw_fix_orders_is_awaited(const struct entry *e);
/* The last one before it that asks for other terms; NULL: there is none. */
const struct ask *tw_fix_orders_changed(const struct ask *a);
void tw_fix_orders_forget(struct tw_fix_orders *o, struct ask *a);
/* It stands behind all others that were sent. */
void tw_fix_orders_put_back(struct tw_fix_orders *o, struct ask *a, int64_t now_ns);
/* It goes out again, by another ClOrdID. */
void tw_fix_orders_ask_again(struct tw_fix_orders *o, struct ask *a);
/* The execution of that id; made where *is_new is wanted.  NULL: not there; no memory. */
struct exec *tw_fix_orders_exec(struct tw_fix_orders *o, struct entry *e,
                                struct tw_fix_text id, bool *is_new);
struct exec *tw_fix_orders_exec_hash(struct tw_fix_orders *o, struct entry *e, uint64_t h,
                                     bool *is_new);
/* It is over: kept for a while, for what still comes. */
void tw_fix_orders_end(struct tw_fix_orders *o, struct entry *e);
/* Likewise, but it has not ended after all: a trade was taken back. */
void tw_fix_orders_revive(struct tw_fix_orders *o, struct entry *e);
/* Asks for all there is, where that can be asked; and whether only that can be. */
void tw_fix_orders_ask_mass(struct tw_fix_orders *o);
bool tw_fix_orders_is_asked_in_all(const struct tw_fix_orders *o);
/* It is known only now, after the Logon: it goes where all do that were known by then. */
void tw_fix_orders_found(struct tw_fix_orders *o, struct entry *e);
/* Asks for its status, once. */
void tw_fix_orders_ask_status(struct tw_fix_orders *o, struct entry *e);
/* The number of the ClOrdID that such an ask names. */
unsigned tw_fix_orders_status_by(const struct ask *a);
/* The venue does not know it by a ClOrdID, but may by another one: one that it has taken
 * since; the last that it has named, where terms seemed to say that a change was taken;
 * or that of a request whose answer is lost.  False: there is none such. */
bool tw_fix_orders_ask_otherwise(struct tw_fix_orders *o, struct entry *e, unsigned by);
void tw_fix_orders_stray(struct tw_fix_orders *o, const struct tw_fix_stray *s);

/* ---- order_entry_out.c ---- */

/* Whether a message says that; *error says what not. */
int tw_fix_orders_can(const struct tw_fix_orders *o, const struct tw_request *q,
               struct tw_error *error);
/* The body of an ask, into o->body; false: it has no room. */
bool tw_fix_orders_write(struct tw_fix_orders *o, const struct ask *a, int64_t now_ns,
                  struct tw_fix_outgoing *out);

/* Asks for the end of an order that nobody here has sent, as s names it. */
void tw_fix_orders_cancel_stray(struct tw_fix_orders *o, const struct seen *s);
/* What a ClOrdID of ours says; false: it is none. */
bool tw_fix_orders_read_id(struct tw_fix_text t, uint64_t *id, unsigned *nth);
/* The ClOrdID; its length. */
size_t tw_fix_orders_id(unsigned form, uint64_t id, unsigned nth, char out[ID_MAX]);
/* The form of a ClOrdID of ours. */
enum tw_fix_id_form tw_fix_orders_id_form(struct tw_fix_text t);

/* ---- order_entry_in.c ---- */

/* An ask gets its answer without the venue. */
void tw_fix_orders_fail(struct tw_fix_orders *o, struct ask *a, enum tw_reason reason);
/* The venue does not say, to an ASK_STATUS: what it said last has to do. */
void tw_fix_orders_no_status(struct tw_fix_orders *o, struct ask *a);

/* ---- order_entry_late.c ---- */

/* OrdStatus 39 of it by a report of that kind. */
uint8_t tw_fix_orders_status(const struct entry *e, uint8_t exec);
/* What it is at the venue, in an aside. */
void tw_fix_orders_describe(const struct entry *e, struct tw_venue_aside *out);
/* A line of the log: it has ended, and trades, or is taken back. */
void tw_fix_orders_note_late(struct tw_fix_orders *o, const struct entry *e);
/* Likewise, once in a connection: the venue does not say what it is. */
void tw_fix_orders_note_silent(struct tw_fix_orders *o, const struct entry *e);
/* What went out by that number, without an answer; NULL: nothing. */
struct ask *tw_fix_orders_sent_as(const struct tw_fix_orders *o, uint64_t seq);
/* A cancel of what it was to be called after a change that was refused, or lost; or of
 * what a former run has changed: the order may be there, by another ClOrdID. */
bool tw_fix_orders_is_misnamed(const struct entry *e, const struct ask *a,
                               struct tw_fix_text orig);
/* It has ended, but its trades are others now: so may be its end, by what is taken. */
void tw_fix_orders_change_late(struct tw_fix_orders *o, struct entry *e);
/* What of a trade that is taken back a status has taken back already: none of that; at
 * which price in *price. */
int64_t tw_fix_orders_undone(struct entry *e, const struct seen *s, int64_t quantity,
                             int64_t *price);
/* What it says can be counted: what has traded, and the position, with all of it.  ref:
 * the trade that it takes back, or NULL. */
bool tw_fix_orders_fits(const struct entry *e, const struct seen *s,
                        const struct exec *ref);
/* By how much a status is below what was traded, where it may be right, and at which
 * price; all of it, where only its average is another. */
int64_t tw_fix_orders_excess(const struct entry *e, int64_t cum, int64_t average,
                             int64_t *price);

/* ---- order_keep.c ---- */

/* Who has that number in this run; NULL: nobody. */
struct holder *tw_fix_orders_holder(const struct tw_fix_orders *o, uint32_t owner);
/* Account (1) of an order, or NULL. */
const char *tw_fix_orders_account_of(const struct tw_fix_orders *o,
                                     const struct entry *e);
/* May an order of that account (at NULL: it has none) be of the only holder? */
bool tw_fix_orders_is_client(const struct tw_fix_orders *o, struct tw_fix_text account);
/* Without lines that say whose it is: of the only one who could have sent it.  NULL: none
 * is. */
struct entry *tw_fix_orders_take_former(struct tw_fix_orders *o, const struct seen *s,
                                        unsigned *nth);
/* A trade of it, or one that is taken back; it has it already. */
void tw_fix_orders_hold(struct tw_fix_orders *o, struct entry *e,
                        const struct tw_report *r);
/* What its family has traded: its entry, and other exits of that, or its own. */
void tw_fix_orders_add_up(const struct tw_fix_orders *o, const struct entry *e,
                          struct tw_ties *out);
/* What its owner holds, where that is kept: above 0 on the order's side. */
tw_money tw_fix_orders_held(const struct entry *e);
/* What of it may be left, by the trades of its group; INT64_MAX: all. */
int64_t tw_fix_orders_left(const struct tw_fix_orders *o, const struct entry *e);
/* The session is up: orders of a former run whose parents or siblings have traded. */
void tw_fix_orders_see_to(struct tw_fix_orders *o);
/* Lines of how it is now. */
void tw_fix_orders_keep(struct tw_fix_orders *o, struct entry *e);
void tw_fix_orders_keep_exec(struct tw_fix_orders *o, const struct exec *x);
void tw_fix_orders_keep_free(struct tw_fix_orders *o);

/* ---- order_trades.c ---- */

/* One more of the holder's; those up to a number are in the account. */
void tw_fix_orders_add_trade(struct tw_fix_orders *o, const struct entry *e,
                             const struct tw_report *r);
void tw_fix_orders_drop_trades(struct holder *h, uint64_t through);
/* The account and the trades that it does not have: as lines; for who joins. */
void tw_fix_orders_put_account(struct tw_fix_orders *o, const struct holder *h);
int tw_fix_orders_list_trades(const struct holder *h, struct tw_fix_estate *out);
/* Such a line of a former run. */
int tw_fix_orders_read_account(struct holder *h, const struct tw_fix_line *l);
int tw_fix_orders_read_trade(struct holder *h, uint32_t symbol,
                             const struct tw_fix_line *l);

/* ---- order_keep_check.c ---- */

/* A kept line, as words: TW_OK; TW_EUSAGE: it is none of those there are; TW_EFORMAT:
 * *error says which word it can't have. */
int tw_fix_orders_check_line(char *const *word, size_t n, size_t line,
                             struct tw_error *error);

#endif
