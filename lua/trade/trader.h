/* trader.h - a script's broker, and how the script hears of it.
 *
 *     record --> broker --> tape, on_order, on_fill, on_position --> its own handler
 *
 * Invariants
 *   O1  An order's memory is a userdata that the registry holds until nothing of the
 *       order is to come: a script may forget it.
 *   O2  The broker sees each quote, trade and bar that the script's cursor gives, before
 *       the script does, and nothing else: what it does depends on these alone.  One that
 *       has a seat in a venue sees orders and timers, too, one with a gateway the kill
 *       switch.
 *
 * Layer lua, for the files of a script's instance and of trading.  Thread: WORKER, the
 * instance's.
 */
#ifndef LTW_TRADER_H
#define LTW_TRADER_H

#include "fix/order_account.h"
#include "run/handler.h"
#include "trade/broker.h"
#include "trade/fees.h"
#include "trade/words.h"

struct ltw_desk;
struct ltw_journal;
struct ltw_order;
struct ltw_script;
struct tw_fix_gateway;
struct tw_seat;

enum { LTW_SPARE_REFS = 16 };

/* Of a trader at a gateway: see heir.c. */
struct ltw_heir {
    struct tw_fix_account account;
    bool keeps;                          /* constant: the gateway has a store        */
    uint64_t trades;                     /* the account's, when it was kept last     */
    int64_t day_ns, kept_ns;             /* its day then, and when that was          */
};

struct ltw_rate { uint32_t symbol, currency; bool inverse; };

struct ltw_trader {
    struct tw_broker *broker;
    struct ltw_host *host;               /* constant                                 */
    bool muted;                          /* constant; a candidate's                  */
    struct tw_fees fees;                 /* constant                                 */
    int64_t *latencies;                  /* constant; measured ones, of both kinds   */
    struct ltw_rate rate[TW_CURRENCIES]; /* constant; n_rates                        */
    unsigned n_rates;
    uint64_t unrated;                    /* currencies, as bits, that this was told of */
    struct tw_terms **terms;             /* by symbol, as they are needed            */
    size_t n_terms;
    struct tw_told told;                 /* what is being told                       */
    unsigned stage;                      /* see trader.c; 0: nothing is              */
    struct tw_record record;             /* of it                                    */
    struct ltw_order *ended, **last;     /* with something still on its way          */
    uint64_t orders, fills;              /* sent, and their trades                   */
    unsigned refused[TW_REASONS];        /* orders, by the reason                    */
    char off[2][TW_REASON_TEXT];         /* why the first off a tick was, off a lot  */
    struct ltw_journal *journal;         /* constant; of a backtest, or NULL         */
    size_t bytes;                        /* that the state's memory has for all this */
    struct tw_seat *seat;                /* constant; where orders meet, or NULL     */
    struct tw_gateway gateway;           /* constant; to it; a copy's: from it       */
    uint8_t source;                      /* constant; a copy's: the seat's           */
    struct tw_probe *probe;              /* of a backtest's order, or NULL           */
    struct tw_simulator_options at_venue;    /* constant; latencies                  */
    int64_t at_ns, since_ns;             /* where a feed is live: the broker's time, and
                                          * when it has begun, of the steady clock    */
    bool lost;                           /* what came of an order found no memory    */
    struct tw_fix_gateway *leaves_by;    /* constant; where they leave the run, or NULL */
    struct ltw_heir heir;
    struct ltw_order *exits[2];          /* n_exits, of the order that is being sent */
    unsigned n_exits;
    struct ltw_order *adopted;           /* made for one of a former run, or NULL    */
    struct ltw_order *late;              /* has ended, and trades now; or NULL       */
    int known;                           /* registry: orders by id, as long as the script
                                          * has them; of a gateway; 0: none yet       */
    struct ltw_words words;              /* the venue's own, that are not told yet   */
    int spare[LTW_SPARE_REFS];           /* n_spare places of the registry           */
    unsigned n_spare;
};

/* The userdata that an order is in. */
struct ltw_order {
    struct tw_order o;                   /* first                                    */
    struct ltw_trader *trader;           /* NULL: not sent, or its trader is gone    */
    struct ltw_order *next;              /* in trader->ended                         */
    bool listed;                         /* there                                    */
    struct ltw_order *twin;              /* its copy, while it is copied             */
    int ref;                             /* registry: itself, O1; or LUA_NOREF       */
    const char *label;                   /* user value 1, if it is a text; else NULL */
    uint8_t reason;                      /* told last; enum tw_reason                */
    int64_t off;                         /* then: see tw_order_reason                */
    bool words;                          /* then the venue had some: user values 2, 3 */
};

/* [-0, +0, e]  Makes the broker of the table on top, what tw.trade.own gives, or nil:
 * *out is it, and is the caller's.  script: its id, and its name over runs; raises for
 * what can't be. */
void ltw_trader_new(lua_State *L, uint32_t script, const char *name, bool muted,
                    struct ltw_trader **out);

/* [-0, +0, e]  Makes a muted one that stands where `from` does, between two records, with
 * copies of its orders, which go to the table at memo by their originals.  *out: as
 * above. */
void ltw_trader_copy(lua_State *L, struct ltw_trader *from, int memo,
                     struct ltw_trader **out);

/* Its orders can still be looked at.  t may be NULL. */
void ltw_trader_free(lua_State *L, struct ltw_trader *t);

/* [-0, +0, e]  O2.  Raises: no memory. */
void ltw_trader_record(lua_State *L, struct ltw_trader *t, const struct tw_record *r);

/* Where a feed is live: if the broker's time has gone on, that was at steady_ns. */
void ltw_trader_note_time(struct ltw_trader *t, int64_t steady_ns);

/* Is something to be told? */
static inline bool ltw_trader_has_told(const struct ltw_trader *t)
{
    return t->stage != 0 || tw_broker_tells(t->broker);
}

/* [-0, +0, -]  The run ends.  True: no record has come that could have told of orders,
 * which are to be told now. */
bool ltw_trader_begin(lua_State *L, struct ltw_trader *t);

/* Is the kill switch thrown, or back, and it has not acted on that?  What has left the
 * run does not wait for the next record, unlike what a simulated venue holds. */
static inline bool ltw_trader_is_halting(const struct ltw_trader *t)
{
    return t->leaves_by && !t->muted && !tw_broker_heeds(t->broker);
}

/* [-0, +0, e]  Acts on it.  Raises: no memory. */
void ltw_trader_heed(lua_State *L, struct ltw_trader *t);

/* [-0, +n, e]  What is to be called next because of what happened: the handler *id, of
 * which nothing is pushed, 0; or *id is -1, and a function of C is pushed with so many
 * arguments as it returns.  -1: nothing. */
int ltw_trader_push(lua_State *L, struct ltw_trader *t,
                    const struct ltw_handler *handlers, int *id);

/* [-1, +0, m]  O1.  The order's userdata, which is popped, is held; and is no more. */
void ltw_trader_hold(lua_State *L, struct ltw_trader *t, struct ltw_order *own);
void ltw_trader_release(lua_State *L, struct ltw_trader *t, struct ltw_order *own);

/* [-0, +0, e]  What the broker and the journal take counts as the state's.  Raises when
 * that leaves no room to say so. */
void ltw_trader_count(lua_State *L, struct ltw_trader *t);

/* A script that failed is not told the rest of what it failed at. */
void ltw_trader_forget(lua_State *L, struct ltw_trader *t);

/* ---- seat.c ---- */

/* [-0, +0, e]  Where the options say that its orders meet others': takes a seat. */
void ltw_trader_join(lua_State *L, struct ltw_trader *t, uint32_t script,
                     struct tw_broker_options *o);

/* [-0, +0, e]  The order at idx was sent: it is found when it trades after its end. */
void ltw_trader_know(lua_State *L, struct ltw_trader *t, int idx);

/* [-0, +0, e]  Before the broker sees the record: an order's memory, where the record
 * says that one of a former run is there, or that one has traded after its end. */
void ltw_trader_expect(lua_State *L, struct ltw_trader *t, const struct tw_record *r);

/* [-0, +0, e]  Has one of that name traded in a former run, at the gateway of the account
 * on top?  It may in this one. */
bool ltw_trader_is_awaited(lua_State *L, uint32_t script, const char *name);

/* ---- heir.c ---- */

/* [-0, +0, e]  What a former run of the script of that name has left where it trades by
 * the account's table on top: its account and positions are now, its orders come on the
 * tape. */
void ltw_trader_inherit(lua_State *L, struct ltw_trader *t, const char *name);

/* The broker has seen the record; an order of a former run is reported (NULL: not well);
 * the trader ends. */
void ltw_heir_record(struct ltw_trader *t, const struct tw_record *r);
void ltw_heir_adopt(struct ltw_trader *t, struct tw_order *o);
void ltw_heir_free(struct ltw_trader *t);

/* ---- seat.c again ---- */

/* What concerns an order is told to p from here on, see trade/probe.h; of a backtest. */
void ltw_trader_probe(struct ltw_trader *t, struct tw_probe *p);

/* Where `from` has a seat, what becomes of its orders becomes of those of its copy t, as
 * long as both send the same ones. */
void ltw_trader_echo(struct ltw_trader *t, const struct ltw_trader *from,
                     struct tw_broker_options *o);

/* [-0, +0, e]  The tape waits for a script that has a seat: no report must be missed. */
void ltw_script_rely(lua_State *L, struct ltw_script *s);

/* ---- trader.c again ---- */

/* What an instrument takes; false: no memory. */
bool ltw_trader_learn(struct ltw_trader *t, uint32_t symbol);

/* [-0, +1, e]  The trader of the script that runs, which is made when it has none. */
struct ltw_trader *ltw_check_trader(lua_State *L, const char *what);

/* ---- lorder.c ---- */

/* [-0, +1, m]  A new one, all 0. */
struct ltw_order *ltw_push_new_order(lua_State *L);

/* [-0, +1, -]  That one, which was sent. */
void ltw_push_order(lua_State *L, const struct tw_order *o);

/* [-0, +0, e] */
struct ltw_order *ltw_check_order(lua_State *L, int idx);

/* The field that a handler of orders asks for by that name, or -1; *near: a hint. */
int ltw_told_field(int handler, const char *name, const char **near);

/* [-0, +1, m]  The names of all of its fields, on top. */
const char *ltw_push_told_fields(lua_State *L, int handler);

/* [-0, +1, m]  A field of what is being told, as that handler gets it; names: stack index
 * of the names. */
void ltw_push_told(lua_State *L, const struct ltw_trader *t, int names, int handler,
                   int field);

/* [-0, +0, m]  Teaches the state what orders and accounts are. */
void ltw_order_open(lua_State *L);
void ltw_account_open(lua_State *L);     /* laccount.c */

/* [-0, +1, -]  self.account. */
void ltw_push_account(lua_State *L);

int ltw_positions(lua_State *L);         /* laccount.c: self:positions */

/* ---- ltrade.c ---- */

/* [-0, +0, m]  Adds the methods of self that trade to the table on top. */
void ltw_trade_methods(lua_State *L);

/* [-0, +0, e]  The id of the symbol at idx. */
uint32_t ltw_check_symbol(lua_State *L, int idx, const char *what);

/* [-0, +1, e]  order:cancel() and order:modify(changes). */
int ltw_order_cancel(lua_State *L);
int ltw_order_modify(lua_State *L);

#endif
