/* seat.c - a trader whose orders meet those of the other scripts of the run.
 *
 *     broker --gateway--> seat --> floor (run/floor.h) --> tape --> next --> broker
 */
#include <string.h>

#include "trade/account_options.h"
#include "base/hashed.h"
#include "base/memory.h"
#include "trade/desk.h"
#include "trade/gateway.h"
#include "run/instance.h"
#include "run/floor.h"
#include "trade/probe.h"
#include "trade/trader.h"
#include "trade/words.h"

/* Of an order that is sent already; what it asks for it asks now. */
static struct tw_request request(struct ltw_trader *t, const struct tw_order *o,
                                 enum tw_request_what what)
{
    const struct tw_latency *l = what == TW_REQUEST_CANCEL ? &t->at_venue.cancel
                                                           : &t->at_venue.submit;
    struct tw_request q = { .what = what, .id = o->id, .symbol = o->symbol,
                            .side = o->side, .user = (void *)o };

    tw_broker_now(t->broker, &q.arrives_ns, &q.seq);
    q.early = q.seq == 0;
    if (what < TW_REQUEST_GROW)
        q.arrives_ns += tw_latency_of(l, t->at_venue.seed, o->number,
                                      (unsigned)what + 8 * o->requests);
    return q;
}

static void note(const struct ltw_trader *t, const struct tw_order *o,
                 const struct tw_request *q)
{
    static const enum tw_step_kind kinds[] = {
        [TW_REQUEST_NEW] = TW_STEP_SENT, [TW_REQUEST_CANCEL] = TW_STEP_CANCEL,
        [TW_REQUEST_REPLACE] = TW_STEP_REPLACE,
    };
    struct tw_report terms = { .quantity = q->quantity, .price = q->price,
                               .stop = q->stop };
    uint64_t seq;
    int64_t now_ns;

    tw_broker_now(t->broker, &now_ns, &seq);
    tw_probe_request(t->probe, o, kinds[q->what], now_ns, q->arrives_ns,
                     q->what == TW_REQUEST_REPLACE ? &terms : NULL);
}

/* The order, a userdata of ours, is there until each request has its answer. */
static int ask(struct ltw_trader *t, const struct tw_order *o, struct tw_request q)
{
    int rc = tw_seat_send(t->seat, &q);

    if (rc != TW_OK || q.what >= TW_REQUEST_GROW) return rc;
    ((struct tw_order *)o)->requests++;
    if (t->probe) note(t, o, &q);
    return TW_OK;
}

/* What the venue does not know of it; NULL: nothing. */
static const struct tw_ties *ties_of(const struct ltw_trader *t,
                                     const struct tw_order *o, struct tw_ties *out)
{
    const char *label = ((const struct ltw_order *)o)->label;

    if (!t->gateway.is_plain || !(o->parent || o->group || o->reduce_only || label))
        return NULL;
    *out = (struct tw_ties){ .parent = o->parent, .group = o->group,
                             .reduce_only = o->reduce_only };
    if (o->parent && (o->wish[0] ? o->wish[0] < 0 : o->has_most))
        out->most = o->wish[0] ? -o->wish[0] : o->most;
    if (label) strncpy(out->label, label, sizeof out->label - 1);
    return out;
}

static struct tw_request terms(struct ltw_trader *t, const struct tw_order *o,
                               enum tw_request_what what)
{
    struct tw_request q = request(t, o, what);

    q.quantity = o->quantity;
    q.price = o->price;
    q.stop = o->stop;
    q.type = o->type;
    q.tif = o->tif;
    q.post_only = o->post_only;
    q.reduce_only = o->reduce_only && !t->gateway.is_plain;
    q.trail = o->trail;
    q.trail_part = o->trail_part;
    q.tick = o->terms ? o->terms->tick : 0;
    q.expire_ns = o->expire_ns;
    q.group = t->gateway.is_plain ? 0 : o->group;
    q.entry_qty = o->parent ? o->entry_qty : 0;
    q.calendar = o->terms ? o->terms->calendar : NULL;
    return q;
}

/* Of an exit that is sent behind the order, which has its id by now. */
static struct tw_request exit_of(struct ltw_trader *t, const struct tw_order *o,
                                 unsigned i, struct tw_ties *ties)
{
    struct tw_order *exit = &t->exits[i]->o;
    struct tw_request q;

    exit->id = tw_broker_later_id(t->broker, i);
    exit->parent = exit->group = o->id;
    q = terms(t, exit, TW_REQUEST_HOLD);
    q.ties = ties_of(t, exit, ties);
    q.user = NULL;                       /* it may yet find no memory */
    return q;
}

static int submit(void *ctx, const struct tw_order *o)
{
    enum { EXITS = sizeof ((struct ltw_trader *)0)->exits / sizeof(struct ltw_order *) };
    struct ltw_trader *t = ctx;
    struct tw_request q = terms(t, o, TW_REQUEST_NEW), exit[EXITS];
    struct tw_ties ties, its[EXITS];

    q.ties = ties_of(t, o, &ties);
    if (t->gateway.is_plain) {
        for (; q.n_exits < t->n_exits; q.n_exits++)
            exit[q.n_exits] = exit_of(t, o, q.n_exits, &its[q.n_exits]);
        q.exits = exit;
    }
    return ask(t, o, q);
}

/* Of a gateway: so that the next run has it, too. */
static void hold(void *ctx, const struct tw_order *o, bool held)
{
    struct ltw_trader *t = ctx;
    struct tw_request q = terms(ctx, o, held ? TW_REQUEST_HOLD : TW_REQUEST_DROP);
    struct tw_ties ties;

    q.ties = ties_of(ctx, o, &ties);
    tw_seat_send(t->seat, &q);
}

static int cancel(void *ctx, const struct tw_order *o)
{
    return ask(ctx, o, request(ctx, o, TW_REQUEST_CANCEL));
}

static int replace(void *ctx, const struct tw_order *o, int64_t quantity, int64_t price,
                   int64_t stop)
{
    struct tw_request q = request(ctx, o, TW_REQUEST_REPLACE);
    struct tw_ties ties;

    q.quantity = quantity;
    q.price = price;
    q.stop = stop;
    q.ties = ties_of(ctx, o, &ties);
    return ask(ctx, o, q);
}

static int grow(void *ctx, const struct tw_order *o, int64_t quantity)
{
    struct tw_request q = request(ctx, o, TW_REQUEST_GROW);

    q.quantity = quantity;
    q.entry_qty = o->entry_qty;
    return ask(ctx, o, q);
}

/* As the venue has it. */
static struct tw_order order_of(const struct ltw_trader *t,
                                const struct tw_venue_aside *aside)
{
    const struct tw_request *q = &aside->order;

    return (struct tw_order){
        .id = q->id, .symbol = q->symbol, .side = q->side, .type = q->type,
        .tif = q->tif, .post_only = q->post_only, .quantity = q->quantity,
        .price = q->price, .stop = q->stop, .trail = q->trail,
        .expire_ns = q->expire_ns, .cum_qty = aside->cum_qty,
        .cum_value = aside->cum_value, .parent = aside->ties.parent,
        .group = aside->ties.group, .reduce_only = aside->ties.reduce_only,
        .terms = t->terms[q->symbol], .others_qty = aside->ties.others_qty,
        .most = aside->ties.most, .has_most = aside->ties.most > 0,
    };
}

/* It has ended, and may be open again: what its family has traded meanwhile. */
static void relate(struct tw_order *o, const struct tw_ties *t)
{
    if (t->parent_qty >= 0) o->entry_qty = t->parent_qty;
    else if (o->entry_qty == 0) o->is_orphan = true;
    o->others_qty = t->others_qty;
}

/* The userdata was made before, see ltw_trader_expect. */
static struct tw_order *adopt(struct ltw_trader *t, const struct tw_venue_aside *aside)
{
    struct tw_order *o = t->adopted ? &t->adopted->o : NULL;

    if (!o) return NULL;
    *o = order_of(t, aside);
    o->held = aside->ties.held;
    o->status = o->held ? TW_STATUS_NONE : TW_STATUS_PENDING_NEW;
    tw_broker_now(t->broker, &o->time_ns, &o->seq);
    if (tw_broker_enter(t->broker, o, aside->ties.parent_qty) < 0) {
        t->lost = true;
        return NULL;
    }
    t->adopted = NULL;
    return o;
}

/* It has ended, and the script has let go of it: then it is anew what it was. */
static struct tw_order *take_late(struct ltw_trader *t,
                                  const struct tw_venue_aside *aside)
{
    struct tw_order *o = &t->late->o;

    if (o->type == 0 && aside) {
        *o = order_of(t, aside);
        o->status = TW_STATUS_CANCELED;      /* the record says what it is */
        tw_fix_account_charge(&t->heir.account, o);
        tw_broker_now(t->broker, &o->time_ns, &o->seq);
    }
    t->late = NULL;
    return o;
}

/* One that a former run has sent is found by its number. */
static bool next(void *ctx, const struct tw_record *r, struct tw_order **o,
                 struct tw_report *out)
{
    struct ltw_trader *t = ctx;
    struct tw_venue_report told;
    int rc;

    if (!tw_seat_next(t->seat, r, &told, &rc)) {
        t->lost = t->lost || rc < 0;
        return false;
    }
    if (told.trade) t->heir.account.trades = told.trade;
    if (told.user) *o = told.user;
    *out = told.report;
    if (told.report.charge.other) ltw_account_charged(t, told.report.charge.currency);
    if (told.aside && told.aside->adopts) {
        *o = adopt(t, told.aside);
        ltw_heir_adopt(t, *o);
    }
    if (t->late && !*o) *o = take_late(t, told.aside);
    t->late = NULL;                          /* its own, where it waits for answers */
    if (*o && told.aside && told.aside->late) relate(*o, &told.aside->ties);
    if (told.aside && !ltw_words_put(&t->words, told.aside, &out->words))
        t->lost = true;
    tw_free(told.aside);
    if (*o) (*o)->requests -= told.answers;
    return true;
}

/* [-0, +0, e]  Of the order that comes next. */
static void set_label(lua_State *L, struct ltw_trader *t, struct ltw_order *own)
{
    char label[TW_LABEL_MAX];

    tw_seat_label(t->seat, label);
    lua_rawgeti(L, LUA_REGISTRYINDEX, own->ref);
    if (*label) own->label = lua_pushstring(L, label);
    else lua_pushnil(L);
    lua_setiuservalue(L, -2, 1);
    lua_pop(L, 1);
}

/* [-0, +1, e]  Orders by their ids; it holds none. */
static void push_known(lua_State *L, struct ltw_trader *t)
{
    if (t->known) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, t->known);
        return;
    }
    ltw_push_weak(L, "v");
    lua_pushvalue(L, -1);
    t->known = luaL_ref(L, LUA_REGISTRYINDEX);
}

void ltw_trader_know(lua_State *L, struct ltw_trader *t, int idx)
{
    const struct ltw_order *own = lua_touserdata(L, idx);

    luaL_checkstack(L, 4, NULL);
    lua_pushvalue(L, idx);
    push_known(L, t);
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)own->o.id);
    lua_pop(L, 1);
}

/* [-0, +1, e]  New, and held. */
static struct ltw_order *push_held(lua_State *L, struct ltw_trader *t)
{
    struct ltw_order *own = ltw_push_new_order(L);

    own->trader = t;
    lua_pushvalue(L, -1);
    ltw_trader_hold(L, t, own);
    return own;
}

/* [-0, +0, e]  The order of the record, which has ended: as the script has it, or a new
 * one, as far as the record says what it was. */
static struct ltw_order *find_late(lua_State *L, struct ltw_trader *t,
                                   const struct tw_record *r)
{
    const struct tw_execution *e = &r->execution;
    struct ltw_order *own;

    push_known(L, t);
    lua_rawgeti(L, -1, (lua_Integer)e->order);
    own = lua_touserdata(L, -1);
    if (own && own->o.id != e->order) own = NULL;
    if (own && own->ref == LUA_NOREF) ltw_trader_hold(L, t, own);
    else lua_pop(L, 1);
    lua_pop(L, 1);
    if (own) return own;
    own = push_held(L, t);
    own->o = (struct tw_order){ .id = e->order, .symbol = r->symbol, .side = e->side,
                                .quantity = e->quantity, .status = TW_STATUS_CANCELED,
                                .terms = t->terms[r->symbol] };
    ltw_trader_know(L, t, lua_gettop(L));
    lua_pop(L, 1);
    if (t->seat) set_label(L, t, own);
    return own;
}

/* [-0, +0, e]  One of a former run. */
static void expect_former(lua_State *L, struct ltw_trader *t, const struct tw_record *r)
{
    if (!t->adopted) {
        t->adopted = push_held(L, t);
        lua_pop(L, 1);
    }
    t->adopted->o.id = r->execution.order;
    lua_rawgeti(L, LUA_REGISTRYINDEX, t->adopted->ref);
    ltw_trader_know(L, t, lua_gettop(L));
    lua_pop(L, 1);
    set_label(L, t, t->adopted);
}

void ltw_trader_expect(lua_State *L, struct ltw_trader *t, const struct tw_record *r)
{
    const struct tw_execution *e = &r->execution;
    bool is_trade = e->exec == TW_EXEC_TRADE || e->exec == TW_EXEC_TRADE_CANCELED;
    bool is_former = t->seat && e->reason == TW_REASON_FORMER;

    if (r->kind != TW_ORDER || (!is_former && !(t->gateway.is_plain && is_trade))
        || e->script != tw_broker_get_options(t->broker)->script
        || r->source != (t->seat ? tw_seat_source(t->seat) : t->source)
        || (!is_former && tw_broker_find(t->broker, e->order)))
        return;
    if (!ltw_trader_learn(t, r->symbol)) luaL_error(L, "not enough memory");
    luaL_checkstack(L, 8, NULL);
    if (is_former) expect_former(L, t, r);
    else t->late = find_late(L, t, r);
}

bool ltw_trader_is_awaited(lua_State *L, uint32_t script, const char *name)
{
    const struct ltw_host *host = ltw_check_host(L, "trading");
    struct tw_fix_gateway *g = NULL;
    bool is_known;

    if (!lua_istable(L, -1) || host->time) return false;
    lua_getfield(L, -1, "gateway");
    if (lua_isstring(L, -1)) g = ltw_gateway_find(host->desk, lua_tostring(L, -1));
    lua_pop(L, 1);
    if (!g) return false;
    is_known = tw_fix_gateway_knows(g, name);
    lua_getfield(L, -1, "account");
    if (tw_fix_gateway_expect(g, script, name, lua_tostring(L, -1)) < 0)
        luaL_error(L, "not enough memory");
    lua_pop(L, 1);
    return is_known;
}

/* Where orders go that can meet: a gateway, by its name, the book, or no venue at all.  A
 * backtest has none of these, but the same limits. */
static uint64_t venue_of(lua_State *L, bool is_met)
{
    const char *name = NULL;

    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "gateway");
        name = lua_tostring(L, -1);
        lua_pop(L, 1);                       /* the table has it */
    }
    return name ? tw_hash(TW_HASH, name, strlen(name)) : is_met;
}

/* [-0, +0, e]  Where its orders go by the account's table on top, or nil; NULL: to a
 * simulator of its own.  A backtest has no gateways: there the strategy is the same. */
static struct tw_floor *floor_of(lua_State *L, struct ltw_trader *t, bool is_met)
{
    struct tw_floor *floor = is_met ? t->host->desk->floor : NULL;
    const char *name;

    if (!lua_istable(L, -1)) return floor;
    lua_getfield(L, -1, "gateway");
    name = lua_tostring(L, -1);
    if (name && !t->host->time) {
        t->leaves_by = ltw_gateway_find(t->host->desk, name);
        floor = t->leaves_by ? tw_fix_gateway_floor(t->leaves_by) : NULL;
        if (!floor)
            luaL_error(L, "account: gateway '%s': there is none; app.gateway.fix { name ="
                       " \"%s\", ... } makes one", name, name);
    }
    lua_pop(L, 1);
    return floor;
}

void ltw_trader_join(lua_State *L, struct ltw_trader *t, uint32_t script,
                     struct tw_broker_options *o)
{
    struct tw_simulator_options *s = &o->simulator;
    struct tw_floor *floor;
    int rc;

    o->venue = venue_of(L, s->model == TW_FILL_BOOK);
    floor = floor_of(L, t, s->model == TW_FILL_BOOK);
    if (s->model == TW_FILL_BOOK) s->model = TW_FILL_AUTO;
    if (!floor || t->muted) return;          /* nobody meets a candidate's orders */
    rc = tw_floor_join(floor, script, &t->seat);
    if (rc == TW_ECLOSED)
        luaL_error(L, "account: fill 'book': no script had it when the run began; say"
                   " app.account { fill = 'book' }");
    if (rc < 0) luaL_error(L, "not enough memory");
    t->at_venue = *s;
    t->gateway = (struct tw_gateway){ .submit = submit, .cancel = cancel,
        .replace = replace, .grow = grow, .next = next, .ctx = t,
        .is_plain = floor != t->host->desk->floor };
    if (t->gateway.is_plain) t->gateway.hold = hold;
    o->gateway = &t->gateway;
}

void ltw_trader_probe(struct ltw_trader *t, struct tw_probe *p)
{
    t->probe = p;
    tw_broker_probe(t->broker, p);
    if (t->seat) tw_seat_probe(t->seat, p);
}

/* ---- copies ---- */

static int submit_nothing(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    return TW_OK;
}

static int replace_nothing(void *ctx, const struct tw_order *o, int64_t quantity,
                           int64_t price, int64_t stop)
{
    (void)ctx;
    (void)o;
    (void)quantity;
    (void)price;
    (void)stop;
    return TW_OK;
}

/* By the record: of the order with that number, if there is one. */
static bool echo(void *ctx, const struct tw_record *r, struct tw_order **o,
                 struct tw_report *out)
{
    struct ltw_trader *t = ctx;

    (void)out;
    if (t->late && !*o) *o = take_late(t, NULL);
    return *o && r->source == t->source;
}

void ltw_trader_echo(struct ltw_trader *t, const struct ltw_trader *from,
                     struct tw_broker_options *o)
{
    o->gateway = NULL;
    if (!from->seat) return;
    t->source = tw_seat_source(from->seat);
    t->gateway = (struct tw_gateway){ .submit = submit_nothing,
        .cancel = submit_nothing, .replace = replace_nothing, .next = echo, .ctx = t,
        .is_plain = from->gateway.is_plain };
    o->gateway = &t->gateway;
}

void ltw_script_rely(lua_State *L, struct ltw_script *s)
{
    struct tw_cursor reliable;
    int rc;

    if (!s->trader->seat || s->cursor.reader >= 0) return;
    rc = tw_cursor_open(&reliable, s->cursor.tape, true, s->cursor.next);
    if (rc < 0) luaL_error(L, "account: fill 'book': %s", tw_strerror(rc));
    reliable.lost = s->cursor.lost;
    tw_cursor_close(&s->cursor);
    s->cursor = reliable;
}
