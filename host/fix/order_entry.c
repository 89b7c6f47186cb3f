/* order_entry.c - orders at the other end of a FIX session: their table, what is asked
 * about them, and what is remembered of those that have ended. */
#include "fix/order_entry.h"

#include <string.h>
#include <uv.h>

#include "base/hashed.h"
#include "base/memory.h"
#include "fix/order_entry_parts.h"

/* ---- tables ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 29;
}

static uint64_t hash_text(uint64_t h, const char *p, size_t n)
{
    h = mix(tw_hash(h, p, n));
    return h ? h : 1;
}

static struct entry *entry_of(const struct tw_hashed_link *l)
{
    return TW_HASHED(l, struct entry, hashed);
}

struct entry *tw_fix_orders_find(const struct tw_fix_orders *o, uint64_t id)
{
    struct tw_hashed_link *l = tw_hashed_first(&o->entries, mix(id));

    while (l && entry_of(l)->id != id) l = tw_hashed_next(l);
    return l ? entry_of(l) : NULL;
}

struct exec *tw_fix_orders_exec(struct tw_fix_orders *o, struct entry *e,
                                struct tw_fix_text id, bool *is_new)
{
    return tw_fix_orders_exec_hash(o, e, hash_text(mix(e->id), id.at, id.n), is_new);
}

struct exec *tw_fix_orders_exec_hash(struct tw_fix_orders *o, struct entry *e, uint64_t h,
                                     bool *is_new)
{
    struct tw_hashed_link *l = tw_hashed_first(&o->execs, h);
    struct exec *x = NULL;

    for (; l && !x; l = tw_hashed_next(l)) {
        x = TW_HASHED(l, struct exec, hashed);
        if (x->entry != e) x = NULL;
    }
    if (x || !is_new) {
        if (is_new) *is_new = false;
        return x;
    }
    x = tw_calloc(1, sizeof *x);
    if (!x) return NULL;
    x->entry = e;
    x->same = e->execs;
    e->execs = x;
    tw_hashed_add(&o->execs, &x->hashed, h);
    return *is_new = true, x;
}

static void free_entry(struct tw_hashed_link *l, void *orders)
{
    struct entry *e = entry_of(l);

    while (e->asks) tw_fix_orders_forget(orders, e->asks);
    tw_free(e->order_id);
    tw_free(e->last_words);
    tw_free(e->ties);
    tw_free(e);
}

static void drop_execs(struct tw_fix_orders *o, struct entry *e)
{
    struct exec *same;

    for (struct exec *x = e->execs; x; x = same) {
        same = x->same;
        tw_hashed_remove(&o->execs, &x->hashed);
        tw_free(x->charge);
        tw_free(x);
    }
    e->execs = NULL;
}

struct entry *tw_fix_orders_find_id(const struct tw_fix_orders *o, struct tw_fix_text id,
                             unsigned *nth)
{
    uint64_t number;

    return tw_fix_orders_read_id(id, &number, nth) ? tw_fix_orders_find(o, number) : NULL;
}

void tw_fix_orders_learn_id(struct entry *e, struct tw_fix_text id)
{
    char *copy;

    if (!id.at || id.n == 0 || tw_fix_is(id, "NONE")
        || (e->order_id && e->order_id_n == id.n
            && memcmp(e->order_id, id.at, id.n) == 0))
        return;
    copy = tw_realloc(e->order_id, id.n + 1);
    if (!copy) return;
    memcpy(copy, id.at, id.n);
    copy[id.n] = 0;
    e->order_id = copy;
    e->order_id_n = id.n;
}

/* ---- asks ---- */

static void put_last(struct list *l, struct ask *a)
{
    a->list = l;
    a->next = NULL;
    a->before = l->last;
    if (l->last) l->last->next = a;
    else l->first = a;
    l->last = a;
    l->n++;
}

static void take_out(struct ask *a)
{
    struct list *l = a->list;

    if (a->before) a->before->next = a->next;
    else l->first = a->next;
    if (a->next) a->next->before = a->before;
    else l->last = a->before;
    l->n--;
    a->list = NULL;
}

struct ask *tw_fix_orders_ask(struct tw_fix_orders *o, struct entry *e,
                              enum ask_what what)
{
    struct ask *a = tw_calloc(1, sizeof *a);

    if (!a) return NULL;
    a->what = what;
    a->own = what >= ASK_GROW;
    put_last(&o->to_send, a);
    if (!e) return a;
    a->entry = e;
    a->nth = e->n_asks;
    if (what <= ASK_GROW) e->n_asks++;
    a->earlier = e->last_ask;
    if (e->last_ask) e->last_ask->later = a;
    else e->asks = a;
    return e->last_ask = a;
}

const struct ask *tw_fix_orders_changed(const struct ask *a)
{
    do a = a->earlier;
    while (a && a->what != ASK_REPLACE && a->what != ASK_GROW);
    return a;
}

struct ask *tw_fix_orders_asked(const struct entry *e, unsigned nth)
{
    struct ask *a = e->asks;

    while (a && (a->nth != nth || a->what > ASK_GROW)) a = a->later;
    return a;
}

struct ask *tw_fix_orders_oldest(const struct entry *e, enum ask_what what)
{
    struct ask *a = e->asks;

    while (a && a->what != what) a = a->later;
    return a;
}

bool tw_fix_orders_is_awaited(const struct entry *e)
{
    for (const struct ask *a = e->asks; a; a = a->later)
        if (!a->own) return true;
    return false;
}

void tw_fix_orders_forget(struct tw_fix_orders *o, struct ask *a)
{
    struct entry *e = a->entry;

    if (a == o->sending) o->sending = NULL;
    take_out(a);
    if (e) {
        if (a->earlier) a->earlier->later = a->later;
        else e->asks = a->later;
        if (a->later) a->later->earlier = a->earlier;
        else e->last_ask = a->earlier;
    }
    tw_free(a->body);
    tw_free(a);
}

void tw_fix_orders_put_back(struct tw_fix_orders *o, struct ask *a, int64_t now_ns)
{
    take_out(a);
    put_last(a->what == ASK_STATUS ? &o->statuses : &o->sent, a);
    a->sent_ns = now_ns;
}

void tw_fix_orders_ask_again(struct tw_fix_orders *o, struct ask *a)
{
    take_out(a);
    put_last(&o->to_send, a);
    a->nth = a->entry->n_asks++;
    a->stale = false;
    a->rounds = 0;
    a->seq = 0;
}

unsigned tw_fix_orders_status_by(const struct ask *a)
{
    return a->by > a->entry->accepted ? a->by : a->entry->accepted;
}

void tw_fix_orders_ask_status(struct tw_fix_orders *o, struct entry *e)
{
    const struct ask *a = e->last_ask;

    /* Has one gone out behind all that is lost?  What goes again may stand behind it. */
    while (a && (!a->stale || a->again) && a->what != ASK_STATUS) a = a->earlier;
    if ((a && !a->stale) || !o->up) return;
    tw_fix_orders_ask(o, e, ASK_STATUS);
    e->asked_for = e->expected;
}

/* The newest request below a ClOrdID whose answer is lost, or may be, as a former run has
 * asked for it; 0: none behind the one that was taken. */
static unsigned lost(const struct entry *e, unsigned below)
{
    const struct ask *a = e->last_ask;
    unsigned nth = below < e->former ? below : e->former;

    nth -= nth > 0;
    if (nth + FORMER_MAX < e->former) nth = 0;
    while (a && (!a->stale || a->again || a->what > ASK_GROW || a->nth >= below))
        a = a->earlier;
    if (a && a->nth > nth) nth = a->nth;
    return nth > e->accepted ? nth : 0;
}

bool tw_fix_orders_ask_otherwise(struct tw_fix_orders *o, struct entry *e, unsigned by)
{
    unsigned nth = 0;
    struct ask *a;

    if (e->over || e->ending.exec) return false;
    if (by == e->accepted && by > e->named) {
        e->accepted = e->named;
    } else if (by >= e->accepted) {
        nth = lost(e, by > e->accepted ? by : e->n_asks);
        if (!nth) return false;
    }
    tw_fix_orders_ask_status(o, e);
    a = tw_fix_orders_oldest(e, ASK_STATUS);
    if (a && a->list == &o->to_send) a->by = nth;
    return true;
}

void tw_fix_orders_stray(struct tw_fix_orders *o, const struct tw_fix_stray *s)
{
    struct tw_fix_stray counted = *s;

    counted.count = ++o->strays;
    if (o->o.stray) o->o.stray(o->o.ctx, &counted);
}

/* ---- orders ---- */

static void delist(struct entry *e)
{
    *e->link = e->next;
    if (e->next) e->next->link = e->link;
}

static bool is_held(const struct entry *e)
{
    return e->ties && e->ties->held;
}

/* To those that are open, or that wait. */
static void enlist(struct tw_fix_orders *o, struct entry *e)
{
    struct entry **list = is_held(e) ? &o->held : &o->open;

    e->next = *list;
    e->link = list;
    if (e->next) e->next->link = &e->next;
    *list = e;
    if (is_held(e)) o->n_held++;
    else o->n_open++;
}

/* Out of either. */
static void unlist(struct tw_fix_orders *o, struct entry *e)
{
    delist(e);
    if (is_held(e)) o->n_held--;
    else o->n_open--;
}

int tw_fix_orders_tie(struct tw_fix_orders *o, struct entry *e,
                      const struct tw_ties *ties, bool held)
{
    struct tw_ties *own = e->ties;

    if (!ties && !own) return TW_OK;
    if (!own) own = tw_calloc(1, sizeof *own);
    if (!own) return UV_ENOMEM;
    if (!e->over) unlist(o, e);
    if (ties) *own = *ties;
    own->held = held;
    e->ties = own;
    if (!e->over) enlist(o, e);
    return TW_OK;
}

static void drop(struct tw_fix_orders *o, struct entry *e)
{
    tw_hashed_remove(&o->entries, &e->hashed);
    drop_execs(o, e);
    free_entry(&e->hashed, o);
}

/* The oldest one goes; who still waits for an answer gets one. */
static void drop_oldest(struct tw_fix_orders *o)
{
    struct entry *e = o->kept;

    if (o->last_kept == &e->next) o->last_kept = &o->kept;
    while (e->asks) tw_fix_orders_fail(o, e->asks, TW_REASON_UNKNOWN);
    delist(e);
    o->n_kept--;
    drop(o, e);
}

void tw_fix_orders_end(struct tw_fix_orders *o, struct entry *e)
{
    if (e->over) return;
    unlist(o, e);
    if (!e->ended)
        e->ended = e->cum >= e->quantity ? TW_STATUS_FILLED : TW_STATUS_CANCELED;
    e->over = true;
    e->next = NULL;
    e->link = o->last_kept;
    *e->link = e;
    o->last_kept = &e->next;
    if (++o->n_kept > KEPT_MAX) drop_oldest(o);
}

void tw_fix_orders_revive(struct tw_fix_orders *o, struct entry *e)
{
    if (o->last_kept == &e->next) o->last_kept = e->link;
    delist(e);
    o->n_kept--;
    e->over = false;
    e->ended = 0;
    if (!tw_fix_orders_is_awaited(e)) e->user = NULL;   /* who had it may be gone */
    enlist(o, e);
}

struct entry *tw_fix_orders_make(struct tw_fix_orders *o, const struct tw_request *q)
{
    struct entry *e = tw_calloc(1, sizeof *e);

    if (!e) return NULL;
    *e = (struct entry){
        .id = q->id, .owner = q->owner, .symbol = q->symbol, .side = q->side,
        .type = q->type, .tif = q->tif, .post_only = q->post_only,
        .quantity = q->quantity, .price = q->price, .stop = q->stop, .trail = q->trail,
        .expire_ns = q->expire_ns, .user = q->user, .id_form = (uint8_t)o->o.id_form,
        .most = INT64_MAX,
        .said = { INT64_MAX, 0, INT64_MAX },
        .holder = q->owner ? tw_fix_orders_holder(o, q->owner) : NULL,
    };
    if (e->holder) e->client = e->holder->client;
    enlist(o, e);
    tw_hashed_add(&o->entries, &e->hashed, mix(e->id));
    return e;
}

static void set_terms(struct entry *e, const struct tw_request *q)
{
    e->quantity = q->quantity;
    e->price = q->price;
    e->stop = q->stop;
    e->user = q->user;
}

static bool has_terms(const struct entry *e, const struct tw_request *q)
{
    return e->quantity == q->quantity && e->price == q->price && e->stop == q->stop;
}

/* It waits, at these terms. */
static int hold(struct tw_fix_orders *o, const struct tw_request *q)
{
    struct entry *e = tw_fix_orders_find(o, q->id);
    bool is_new = !e, same;

    if (!o->o.keeps || !q->ties) return TW_OK;
    if (is_new) e = tw_fix_orders_make(o, q);
    if (!e) return UV_ENOMEM;
    if (is_new && tw_fix_orders_tie(o, e, q->ties, true) < 0) {
        unlist(o, e);
        drop(o, e);
        return UV_ENOMEM;
    }
    if (!is_held(e)) return TW_OK;
    same = !is_new && has_terms(e, q);
    set_terms(e, q);
    e->ties->most = q->ties->most;
    if (!same) tw_fix_orders_keep(o, e);
    return TW_OK;
}

/* Nor will it ever be sent. */
static void forsake(struct tw_fix_orders *o, struct entry *e)
{
    if (!e || !is_held(e)) return;
    tw_fix_orders_end(o, e);
    tw_fix_orders_keep(o, e);
}

static int hold_exits(struct tw_fix_orders *o, const struct tw_request *q)
{
    int rc = TW_OK;

    for (unsigned i = 0; i < q->n_exits && rc == TW_OK; i++) {
        struct tw_request exit = q->exits[i];

        exit.owner = q->owner;
        rc = hold(o, &exit);
    }
    return rc;
}

/* What waits for it is kept first: whoever is killed once it is sent has that. */
static bool begin(struct tw_fix_orders *o, const struct tw_request *q)
{
    struct entry *e = tw_fix_orders_make(o, q);

    if (!e) return false;
    if (tw_fix_orders_tie(o, e, q->ties, false) == TW_OK && hold_exits(o, q) == TW_OK
        && tw_fix_orders_ask(o, e, ASK_NEW))
        return true;
    for (unsigned i = 0; i < q->n_exits; i++)
        forsake(o, tw_fix_orders_find(o, q->exits[i].id));
    unlist(o, e);
    drop(o, e);
    return false;
}

/* It waits no longer. */
static int release(struct tw_fix_orders *o, struct entry *e, const struct tw_request *q)
{
    if (!tw_fix_orders_ask(o, e, ASK_NEW)) return UV_ENOMEM;
    set_terms(e, q);
    return tw_fix_orders_tie(o, e, NULL, false);
}

/* It is known here whatever has become of it at the venue. */
static int change(struct tw_fix_orders *o, struct entry *e, const struct tw_request *q)
{
    struct ask *a = tw_fix_orders_ask(o, e, q->what == TW_REQUEST_CANCEL ? ASK_CANCEL
                                                                         : ASK_REPLACE);
    const struct ask *was = a ? tw_fix_orders_changed(a) : NULL;

    if (!a) return UV_ENOMEM;             /* the rest is as it was asked for last */
    a->quantity = was ? was->quantity : e->quantity;
    a->price = was ? was->price : e->price;
    a->stop = was ? was->stop : e->stop;
    if (q->quantity) a->quantity = q->quantity;
    if (q->price) a->price = q->price;
    if (q->stop || e->type == TW_TYPE_TRAILING_STOP) a->stop = q->stop;   /* it moves */
    e->user = q->user;
    if (e->ties) a->most = e->ties->most;
    if (q->ties && e->ties) e->ties->most = q->ties->most;
    return TW_OK;
}

int tw_fix_orders_send(struct tw_fix_orders *o, const struct tw_request *q,
                       struct tw_error *error)
{
    struct entry *e = tw_fix_orders_find(o, q->id);
    int rc;

    if (q->what == TW_REQUEST_HOLD) return hold(o, q);
    if (q->what == TW_REQUEST_DROP) {
        forsake(o, e);
        return TW_OK;
    }
    if (!o->up)
        return tw_fail(error, TW_ECLOSED, "%s", tw_reason_text(TW_REASON_OFFLINE));
    if (o->to_send.n + o->sent.n + o->statuses.n >= ASKS_MAX)
        return tw_fail(error, TW_EFULL, "%d requests wait for an answer", ASKS_MAX);
    rc = tw_fix_orders_can(o, q, error);
    if (rc < 0) return rc;
    if (q->what == TW_REQUEST_NEW) {
        if (e && is_held(e) && !e->over) return release(o, e, q);
        if (e) return tw_fail(error, TW_EUSAGE, "there is an order of that id");
        return begin(o, q) ? TW_OK : tw_fail(error, UV_ENOMEM, "no memory");
    }
    if (q->what == TW_REQUEST_GROW) return TW_OK;      /* of the book */
    if (!e) return tw_fail(error, TW_EUSAGE, "there is no order of that id");
    return change(o, e, q);
}

/* ---- what goes out ---- */

bool tw_fix_orders_is_due(const struct tw_fix_orders *o)
{
    return o->up && o->to_send.n > 0;
}

bool tw_fix_orders_next(struct tw_fix_orders *o, int64_t now_ns,
                        struct tw_fix_outgoing *out)
{
    o->now_ns = o->sending_ns = now_ns;
    while (tw_fix_orders_is_due(o)) {
        struct ask *a = o->to_send.first;

        if (tw_fix_orders_write(o, a, now_ns, out)) {
            if (a->entry && a->what <= ASK_GROW) tw_fix_orders_keep(o, a->entry);
            o->sending = a;
            return true;
        }
        if (a->what == ASK_STATUS) tw_fix_orders_no_status(o, a);
        else tw_fix_orders_fail(o, a, TW_REASON_UNSUPPORTED);
    }
    return false;
}

void tw_fix_orders_sent(struct tw_fix_orders *o, uint64_t seq)
{
    struct ask *a = o->sending;

    o->sending = NULL;
    if (!a) return;
    if (a->what == ASK_STATUS) a->by = tw_fix_orders_status_by(a);
    a->seq = seq;
    tw_fix_orders_put_back(o, a, o->sending_ns);
    if (a->what > ASK_STATUS) tw_fix_orders_forget(o, a);
}

/* Who waits for a status gets what there is without one: see tw_fix_orders_tick. */
void tw_fix_orders_unsent(struct tw_fix_orders *o)
{
    if (o->sending && o->sending->what == ASK_STATUS) tw_fix_orders_sent(o, 0);
    else if (o->sending) tw_fix_orders_fail(o, o->sending, TW_REASON_OFFLINE);
}

/* ---- the session ---- */

static void cancel(struct tw_fix_orders *o, struct entry *e)
{
    struct ask *a = tw_fix_orders_ask(o, e, ASK_CANCEL);

    if (a) a->own = true;
}

/* Those of a former run that are nobody's in this one. */
static void tell_former(struct tw_fix_orders *o, struct entry *e, bool cancels)
{
    const char *symbol = tw_symbols_name(o->o.symbols, e->symbol);
    char id[ID_MAX];

    if (e->owner || !e->holder || e->is_told) return;
    e->is_told = true;
    tw_fix_orders_stray(o, &(struct tw_fix_stray){
        .what = "an order of a script that this run does not have",
        .id = { id, tw_fix_orders_id(e->id_form, e->id, e->accepted, id) },
        .symbol = { symbol, strlen(symbol) }, .quantity = e->quantity, .filled = e->cum,
        .owner = e->holder->name });
    if (o->o.cancel_unknown && !cancels) cancel(o, e);
}

/* What is open, after a Logon. */
static bool cancels_open(const struct tw_fix_orders *o)
{
    return o->o.cancel_on_disconnect || (o->o.desk && tw_desk_is_halted(o->o.desk));
}

void tw_fix_orders_found(struct tw_fix_orders *o, struct entry *e)
{
    const struct ask *a = e->asks;

    if (!o->up || e->over || e->ending.exec || is_held(e) || !cancels_open(o)) return;
    while (a && a->what != ASK_CANCEL) a = a->later;
    if (!a) cancel(o, e);
}

void tw_fix_orders_halted(struct tw_fix_orders *o)
{
    for (struct entry *e = o->open; e; e = e->next)
        if (!e->owner) tw_fix_orders_found(o, e);
}

static bool has_mass(const struct tw_fix_orders *o)
{
    return !o->o.no_mass_status && tw_fix_dictionary_type(o->o.dictionary, "AF", 2);
}

void tw_fix_orders_ask_mass(struct tw_fix_orders *o)
{
    if (has_mass(o)) tw_fix_orders_ask(o, NULL, ASK_MASS);
}

bool tw_fix_orders_is_asked_in_all(const struct tw_fix_orders *o)
{
    return has_mass(o) && !tw_fix_dictionary_type(o->o.dictionary, "H", 1);
}

void tw_fix_orders_logged_on(struct tw_fix_orders *o)
{
    bool cancels = cancels_open(o);

    o->up = true;
    o->told_silent = false;
    for (struct entry *e = o->open; e; e = e->next) {
        if (cancels) cancel(o, e);
        tell_former(o, e, cancels);
        tw_fix_orders_ask_status(o, e);
        e->reconciles = true;
    }
    for (struct entry *e = o->kept; e; e = e->next)
        if (e->asks || e->cum < e->expected || e->doubts) tw_fix_orders_ask_status(o, e);
    tw_fix_orders_see_to(o);
    tw_fix_orders_ask_mass(o);
}

void tw_fix_orders_logged_out(struct tw_fix_orders *o, int64_t now_ns)
{
    struct ask *next;

    if (!o->up) return;
    o->up = false;
    o->now_ns = now_ns;
    for (struct ask *a = o->to_send.first; a; a = next) {
        next = a->next;
        tw_fix_orders_fail(o, a, TW_REASON_OFFLINE);
    }
    while (o->statuses.first) tw_fix_orders_forget(o, o->statuses.first);
    for (struct ask *a = o->sent.first; a; a = next) {
        next = a->next;
        a->stale = true;
        a->seq = 0;
        a->sent_ns = 0;
        if (a->what == ASK_NEW && a->own) tw_fix_orders_fail(o, a, TW_REASON_OFFLINE);
    }
}

/* The answers to what was asked already may be among what was missed. */
static void doubt(struct tw_fix_orders *o, struct entry *e)
{
    e->doubts = e->reconciles = true;
    for (struct ask *a = e->asks; a; a = a->later)
        if (a->list != &o->to_send) a->stale = true;
    tw_fix_orders_ask_status(o, e);
    tw_fix_orders_keep(o, e);
}

void tw_fix_orders_missed(struct tw_fix_orders *o)
{
    size_t skip = o->n_kept > DOUBTS_MAX ? o->n_kept - DOUBTS_MAX : 0;

    for (struct entry *e = o->open; e; e = e->next) doubt(o, e);
    for (struct entry *e = o->kept; e; e = e->next) {   /* trades of them, or their end */
        bool is_old = skip > 0;

        skip -= is_old;
        if (e->asks || (!is_old && e->ended != TW_STATUS_REJECTED)) doubt(o, e);
    }
    if (tw_fix_orders_is_asked_in_all(o)) tw_fix_orders_ask_mass(o);
}

void tw_fix_orders_resending(struct tw_fix_orders *o, uint64_t from, uint64_t to)
{
    for (struct ask *a = o->sent.first; a; a = a->next) {
        if (a->seq < from || a->seq > to) continue;
        a->stale = true;
        tw_fix_orders_ask_status(o, a->entry);
    }
}

bool tw_fix_orders_refused(struct tw_fix_orders *o, const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    struct entry *e;
    struct ask *a;
    unsigned nth;

    if (tw_fix_is(code, "j")) tw_fix_orders_message(o, m);
    if (!tw_fix_is(code, "8") && !tw_fix_is(code, "9")) return false;
    e = tw_fix_orders_find_id(o, tw_fix_message_body(m, 11), &nth);
    a = e ? tw_fix_orders_asked(e, nth) : NULL;
    if (!e) e = tw_fix_orders_find_id(o, tw_fix_message_body(m, 41), &nth);
    if (!e) return true;
    if (a && a->list == &o->sent) a->stale = true;   /* this was its answer */
    tw_fix_orders_ask_status(o, e);
    return false;
}

bool tw_fix_orders_resend(const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);

    return !tw_fix_is(code, "D") && !tw_fix_is(code, "G");
}

size_t tw_fix_orders_open(const struct tw_fix_orders *o)
{
    return o->n_open;
}

/* ---- all of it ---- */

struct tw_fix_orders *tw_fix_orders_new(const struct tw_fix_orders_options *options)
{
    struct tw_fix_orders *o = tw_calloc(1, sizeof *o);

    if (!o) return NULL;
    o->o = *options;
    o->version = tw_fix_dictionary_version(options->dictionary);
    o->last_kept = &o->kept;
    o->instruments = tw_fix_instruments_new(options->symbols, options->instruments,
                                            options->instruments_n);
    tw_fix_clock_init(&o->clock);
    if (tw_hashed_init(&o->entries) == TW_OK && tw_hashed_init(&o->execs) == TW_OK
        && o->instruments)
        return o;
    tw_fix_orders_free(o);
    return NULL;
}

static void free_exec(struct tw_hashed_link *l, void *ctx)
{
    (void)ctx;
    tw_free(TW_HASHED(l, struct exec, hashed)->charge);
    tw_free(TW_HASHED(l, struct exec, hashed));
}

void tw_fix_orders_free(struct tw_fix_orders *o)
{
    if (!o) return;
    tw_hashed_fini(&o->execs, free_exec, NULL);
    tw_hashed_fini(&o->entries, free_entry, o);
    while (o->to_send.first) tw_fix_orders_forget(o, o->to_send.first);
    while (o->sent.first) tw_fix_orders_forget(o, o->sent.first);
    while (o->statuses.first) tw_fix_orders_forget(o, o->statuses.first);
    tw_fix_orders_keep_free(o);
    tw_fix_instruments_free(o->instruments);
    tw_free(o);
}
