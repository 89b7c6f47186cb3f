/* order_keep.c - what survives the program of orders and positions: whose they are, and
 * lines of text that say how each of them is.
 *
 * Why whole states, not changes: a line stands alone, so the last one of an order counts
 * and a file may be cut short or written anew at any time.
 *
 *     O id owner symbol ...     an order as it is
 *     T id held reduce_only parent group label    what its owner sees to
 *     U id, S id            its ClOrdIDs are UUIDs, or short; no such line: digits
 *     V id account          its account, where it is not that of all orders
 *     Q id most             of that, how large it may be; no such line: as its entry
 *     M id most             what the trades of its group leave of it, where the file
 *                           that told of each in turn was written anew
 *     X id hash price quantity  an execution of it that has come; -1: its end has; and
 *                               what the venue has charged for it
 *     P owner symbol quantity cost    a position
 *     A, C, H, E owner ...  its account, after so many trades: see order_account.h
 *     F owner number id ... a trade that the account does not have yet
 *     .                     all before it was written at once
 *
 * A program may be killed while it writes: what has no "." behind it was never told of,
 * as an order's line without that of its position would be a trade that is booked twice.
 */
#include "fix/order_entry_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

enum { KEPT_LINES = 1024 };

#define put(o, ...) tw_fix_lines_put(&(o)->lines, __VA_ARGS__)

/* The OrderID, in a line, of what the venue has but does not name: no text. */
#define HEARD "%00"

/* ---- whose they are ---- */

static struct holder *find_holder(const struct tw_fix_orders *o, const char *name)
{
    struct holder *h = o->holders;

    while (h && strncmp(h->name, name, sizeof h->name - 1) != 0) h = h->next;
    return h;
}

bool tw_fix_orders_knows(const struct tw_fix_orders *o, const char *name)
{
    return find_holder(o, name) != NULL;
}

static struct holder *holder_named(struct tw_fix_orders *o, const char *name)
{
    struct holder *h = find_holder(o, name);

    if (h) return h;
    h = tw_calloc(1, sizeof *h);
    if (!h) return NULL;
    snprintf(h->name, sizeof h->name, "%s", name);
    h->next = o->holders;
    return o->holders = h;
}

struct holder *tw_fix_orders_holder(const struct tw_fix_orders *o, uint32_t owner)
{
    struct holder *h = o->holders;

    while (h && h->owner != owner) h = h->next;
    return h;
}

/* The only one who may be in this run, who is; NULL: nobody. */
static struct holder *only_holder(const struct tw_fix_orders *o)
{
    return o->expected && !o->expects_more ? tw_fix_orders_holder(o, o->expected) : NULL;
}

/* NULL: no memory. */
static const char *client_named(struct tw_fix_orders *o, const char *account)
{
    struct client *c = o->clients;
    size_t n = strlen(account) + 1;

    while (c && strcmp(c->text, account) != 0) c = c->next;
    if (c) return c->text;
    c = tw_calloc(1, sizeof *c + n);
    if (!c) return NULL;
    memcpy(c->text, account, n);
    c->next = o->clients;
    o->clients = c;
    return c->text;
}

int tw_fix_orders_set_account(struct tw_fix_orders *o, const char *name,
                              const char *account)
{
    struct holder *h = holder_named(o, name);

    if (h) h->client = client_named(o, account);
    return h && h->client ? TW_OK : UV_ENOMEM;
}

const char *tw_fix_orders_account_of(const struct tw_fix_orders *o,
                                     const struct entry *e)
{
    return e->client ? e->client : o->o.account;
}

bool tw_fix_orders_is_client(const struct tw_fix_orders *o, struct tw_fix_text account)
{
    const struct holder *only = only_holder(o);
    const char *its = only && only->client ? only->client : o->o.account;

    if (!account.at || !its || tw_fix_is(account, its)) return true;
    for (const struct holder *h = only ? NULL : o->holders; h; h = h->next)
        if (h->client && tw_fix_is(account, h->client)) return true;
    return false;
}

void tw_fix_orders_expect(struct tw_fix_orders *o, uint32_t owner)
{
    o->expects_more = o->expects_more || (o->expected && o->expected != owner);
    o->expected = owner;
}

static struct holding *holding_of(struct holder *h, uint32_t symbol)
{
    struct holding *p = h->holdings;

    while (p && p->symbol != symbol) p = p->next;
    if (p) return p;
    p = tw_calloc(1, sizeof *p);
    if (!p) return NULL;
    p->symbol = symbol;
    p->next = h->holdings;
    return h->holdings = p;
}

static int64_t nearer(int64_t quantity)
{
    return quantity < 0 ? -quantity : quantity;
}

tw_money tw_fix_orders_held(const struct entry *e)
{
    const struct holding *p = e->holder ? e->holder->holdings : NULL;
    tw_money held;

    while (p && p->symbol != e->symbol) p = p->next;
    held = p ? p->quantity : 0;
    return e->side == TW_SIDE_BUY ? held : -held;
}

void tw_fix_orders_hold(struct tw_fix_orders *o, struct entry *e,
                        const struct tw_report *r)
{
    struct holding *p;
    bool adds = (e->side == TW_SIDE_BUY) == (r->exec == TW_EXEC_TRADE);
    int64_t price = r->last_px, more = adds ? r->last_qty : -r->last_qty, now;

    if (!e->holder || !o->o.keeps) return;
    tw_fix_orders_add_trade(o, e, r);
    p = holding_of(e->holder, e->symbol);
    if (!p) {
        o->lines.lost = true;
        return;
    }
    now = p->quantity + more;
    if (p->quantity == 0 || (p->quantity > 0) == (more > 0))
        p->cost += tw_money_value(price, more);
    else if (now == 0 || (now > 0) == (p->quantity > 0))
        p->cost -= tw_money_ratio(p->cost, nearer(more), nearer(p->quantity));
    else
        p->cost = tw_money_value(price, now);
    p->quantity = now;
    p->is_changed = true;
}

const char *tw_fix_orders_orphan(struct tw_fix_orders *o, struct tw_fix_holding *out)
{
    for (struct holder *h = o->holders; h; h = h->next)
        for (struct holding *p = h->holdings; p && !h->owner; p = p->next) {
            if (p->quantity == 0 || p->is_told) continue;
            p->is_told = true;
            *out = (struct tw_fix_holding){ p->symbol, p->quantity,
                tw_money_price(p->cost, p->quantity) };
            return h->name;
        }
    return NULL;
}

/* ---- joining ---- */

static struct entry *parent_of(const struct tw_fix_orders *o, const struct entry *e)
{
    return e->ties ? tw_fix_orders_find(o, e->ties->parent) : NULL;
}

/* What all exits of an order have traded, those that have ended too. */
static int64_t exited(const struct tw_fix_orders *o, uint64_t parent)
{
    const struct entry *lists[] = { o->open, o->kept };
    int64_t sum = 0;

    for (size_t i = 0; i < 2; i++)
        for (const struct entry *x = lists[i]; x; x = x->next)
            if (x->ties && x->ties->parent == parent) sum += x->cum;
    return sum;
}

void tw_fix_orders_add_up(const struct tw_fix_orders *o, const struct entry *e,
                          struct tw_ties *out)
{
    const struct entry *parent = parent_of(o, e);
    bool is_exit = e->ties && e->ties->parent;

    out->parent_qty = parent ? parent->cum : -1;
    out->others_qty = is_exit ? exited(o, e->ties->parent) - e->cum : exited(o, e->id);
}

/* How large it may be, as others of its group have traded; 0: as it is, or it goes. */
static int64_t left_of_group(const struct tw_fix_orders *o, const struct entry *e)
{
    int64_t left = tw_fix_orders_left(o, e);

    return left < e->quantity - e->cum ? e->cum + left : 0;
}

/* Tells the holder, who is in this run, that the order is there. */
static void adopt(struct tw_fix_orders *o, struct entry *e)
{
    bool is_held = e->ties && e->ties->held;
    struct tw_venue_aside aside = { .adopts = true };

    tw_fix_orders_describe(e, &aside);
    if (e->ties && e->ties->parent) tw_fix_orders_add_up(o, e, &aside.ties);
    else if (e->ties && e->ties->group)
        aside.ties.most = left_of_group(o, e);
    e->owner = e->holder->owner;
    e->user = NULL;
    o->o.report(o->o.ctx, &(struct tw_venue_report){
        .report = { .order = e->id, .reason = TW_REASON_FORMER,
                    .exec = is_held ? TW_EXEC_PENDING_NEW : TW_EXEC_NEW,
                    .time_ns = o->now_ns, .quantity = e->quantity, .price = e->price,
                    .stop = e->stop },
        .owner = e->owner, .symbol = e->symbol, .side = e->side, .aside = &aside,
        .status = is_held ? TW_STATUS_PENDING_NEW
                : e->cum ? TW_STATUS_PARTIALLY_FILLED : TW_STATUS_NEW });
    if (e->unheard) tw_fix_orders_ask_status(o, e);   /* nobody was there for it */
}

/* Changes of it that a former run has asked for have had the letters up to here. */
enum { LETTERS = 26 + 26 * 26 };

struct entry *tw_fix_orders_take_former(struct tw_fix_orders *o, const struct seen *s,
                                        unsigned *nth)
{
    struct holder *h = only_holder(o);
    struct tw_request q;
    struct entry *e;
    uint64_t id;

    if (!tw_fix_orders_is_former(o, s, &id, nth) || o->o.cancel_unknown) return NULL;
    o->is_ahead = o->is_ahead || !h;          /* it may be that of who comes yet */
    if (!h || !tw_fix_orders_read_order(o, s, &q)) return NULL;
    q.id = id;
    q.owner = h->owner;
    e = tw_fix_orders_make(o, &q);
    if (!e) return NULL;
    e->is_former = true;
    e->id_form = (uint8_t)tw_fix_orders_id_form(
        tw_fix_orders_read_id(s->id, &id, &(unsigned){ 0 }) ? s->id : s->orig);
    e->accepted = e->named = *nth;
    e->n_asks = *nth + 1 + LETTERS;
    adopt(o, e);
    return e;
}

/* Nothing has happened to what it waits for; else it is told when it can go out. */
static bool is_early(const struct tw_fix_orders *o, const struct entry *e)
{
    const struct entry *parent = parent_of(o, e);

    return parent && !parent->over && parent->cum == 0;
}

/* It has traded: what may be left of the others of its group.  As much as of itself, but
 * where an exit was made smaller, what is held of what its entry has traded. */
static int64_t left_others(const struct tw_fix_orders *o, const struct entry *e,
                           int64_t own)
{
    const struct entry *parent = parent_of(o, e);
    int64_t held = parent && parent->cum - e->cum > own
                 ? parent->cum - exited(o, parent->id) : 0;

    return held > own ? held : own;
}

int64_t tw_fix_orders_left(const struct tw_fix_orders *o, const struct entry *e)
{
    const struct entry *lists[] = { o->open, o->kept };
    int64_t left = INT64_MAX, its;

    if (e->most < left) left = e->most > e->cum ? e->most - e->cum : 0;
    for (size_t i = 0; i < 2 && e->ties->group; i++)
        for (const struct entry *x = lists[i]; x; x = x->next) {
            if (x == e || x->holder != e->holder || !x->ties || x->cum == 0
                || x->ties->group != e->ties->group)
                continue;
            its = left_others(o, x, x->quantity - x->cum);
            if (its < left) left = its;
        }
    return left;
}

/* As the run that was ended would have done, had it heard of the trade. */
static void shrink(struct tw_fix_orders *o, struct entry *e)
{
    int64_t left = tw_fix_orders_left(o, e);
    struct ask *a;

    for (a = e->asks; a; a = a->later)
        if (a->what <= ASK_GROW) return;     /* it is being changed */
    if (e->quantity - e->cum <= left) return;
    a = tw_fix_orders_ask(o, e, left > 0 ? ASK_GROW : ASK_CANCEL);
    if (!a) return;
    a->own = true;
    a->quantity = e->cum + left;
    a->price = e->price;
    a->stop = e->stop;
}

void tw_fix_orders_see_to(struct tw_fix_orders *o)
{
    for (struct entry *e = o->open; e; e = e->next)
        if (e->is_former && e->ties && e->ties->group) shrink(o, e);
    for (struct entry *e = o->held; e; e = e->next)
        if (!e->owner && e->holder->owner) adopt(o, e);
}

static int list_holdings(const struct holder *h, struct tw_fix_holding **list, size_t *n)
{
    size_t all = 0;

    for (const struct holding *p = h->holdings; p; p = p->next) all += p->quantity != 0;
    *n = 0;
    *list = tw_calloc(all + 1, sizeof **list);
    if (!*list) return UV_ENOMEM;
    for (const struct holding *p = h->holdings; p; p = p->next)
        if (p->quantity != 0)
            (*list)[(*n)++] = (struct tw_fix_holding){
                p->symbol, p->quantity, tw_money_price(p->cost, p->quantity) };
    return TW_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

int tw_fix_orders_join(struct tw_fix_orders *o, uint32_t owner, const char *name,
                       int64_t now_ns, struct tw_fix_estate *out)
{
    struct holder *h = holder_named(o, name);
    struct entry **list_of = tw_calloc(o->n_open + o->n_held + 1, sizeof *list_of);
    size_t its = 0;

    *out = (struct tw_fix_estate){ .keeps = o->o.keeps };
    if (!h || !list_of || list_holdings(h, &out->list, &out->n) < 0
        || tw_fix_orders_list_trades(h, out) < 0) {
        tw_fix_estate_fini(out);
        tw_free(list_of);
        return UV_ENOMEM;
    }
    h->owner = owner;
    tw_fix_orders_expect(o, owner);
    o->now_ns = now_ns;
    for (struct entry *e = o->open; e; e = e->next)
        if (e->holder == h) list_of[its++] = e;
    for (struct entry *e = o->held; e; e = e->next)
        if (e->holder == h && (o->up || is_early(o, e))) list_of[its++] = e;
    qsort(list_of, its, sizeof(struct entry *), by_id);
    for (size_t i = 0; i < its; i++) {
        adopt(o, list_of[i]);
        tw_fix_orders_found(o, list_of[i]);
    }
    for (struct entry *e = o->kept; e; e = e->next)   /* a trade may be taken back yet */
        if (e->holder == h) e->owner = owner;
    tw_free(list_of);
    if (o->is_ahead && o->up && only_holder(o) == h)
        tw_fix_orders_ask_mass(o);
    o->is_ahead = false;
    out->orders = its;
    return (int)its;
}

/* ---- lines ---- */

static const char *word(const char *name, char out[TW_FIX_WORD])
{
    return tw_fix_line_word(name, out, TW_FIX_WORD);
}

/* It has traded: of the others of its group less is left.  Each trade in turn, as each
 * leaves less: the last quantities alone do not say of which trades the former run had
 * heard. */
static void leave_less(struct tw_fix_orders *o, const struct entry *e)
{
    int64_t left = e->said.most > e->said.cum ? e->said.most - e->said.cum : 0;

    left = left_others(o, e, left);
    for (struct entry *x = o->open; x; x = x->next)
        if (x != e && x->holder == e->holder && x->ties && x->said.quantity < INT64_MAX
            && x->ties->group == e->ties->group && x->said.most - x->said.cum > left)
            x->said.most = x->said.cum + left;
}

/* A line of it is written, or was read: the terms are others, or it has traded, since the
 * one before.  Who writes follows, too, for the file that is written anew. */
static void follow(struct tw_fix_orders *o, struct entry *e)
{
    struct said was = e->said;

    e->said.quantity = e->quantity;
    e->said.cum = e->cum;
    if (e->quantity > was.quantity) e->said.most += e->quantity - was.quantity;
    if (e->said.most > e->quantity) e->said.most = e->quantity;
    if (e->cum > was.cum && e->ties && e->ties->group) leave_less(o, e);
}

static void put_order_line(struct tw_fix_orders *o, const struct entry *e)
{
    char name[TW_FIX_WORD], symbol[TW_FIX_WORD], id[TW_FIX_WORD];

    put(o, "O %" PRIu64 " %s %s %d %d %d %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
        " %" PRId64 " %u %u %" PRId64 " " TW_FIX_MONEY " %" PRId64 " %" PRId64
        " %" PRId64 " %" PRId64 " %d %s\n",
        e->id, word(e->holder->name, name),
        word(tw_symbols_name(o->o.symbols, e->symbol), symbol), e->side, e->type, e->tif,
        e->post_only, e->quantity, e->price, e->stop, e->trail, e->expire_ns, e->n_asks,
        e->accepted, e->cum, TW_FIX_SPLIT(e->value), e->doubts ? -1 : e->expected,
        e->average, e->settled, e->settled_px, e->over,
        e->order_id ? word(e->order_id, id) : e->heard ? HEARD : "-");
    if (e->id_form)
        put(o, "%c %" PRIu64 "\n", e->id_form == TW_FIX_ID_UUID ? 'U' : 'S', e->id);
    if (e->client) put(o, "V %" PRIu64 " %s\n", e->id, word(e->client, name));
}

static void put_ties_line(struct tw_fix_orders *o, const struct entry *e)
{
    char label[3 * TW_LABEL_MAX + 4];   /* a byte may become "%20" */
    const struct tw_ties *t = e->ties;

    if (t)
        put(o, "T %" PRIu64 " %d %d %" PRIu64 " %" PRIu64 " %s\n", e->id, t->held,
            t->reduce_only, t->parent, t->group,
            *t->label ? tw_fix_line_word(t->label, label, sizeof label) : "-");
    if (t && t->most) put(o, "Q %" PRIu64 " %" PRId64 "\n", e->id, t->most);
}

static void put_exec_line(struct tw_fix_orders *o, const struct exec *x)
{
    put(o, "X %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64,
        x->entry->id, x->hashed.hash, x->price, x->is_canceled ? -1 : x->quantity);
    if (x->charge) put(o, " " TW_FIX_MONEY, TW_FIX_SPLIT(x->charge->own));
    if (x->charge) tw_fix_orders_put_charge(&o->lines, x->charge);
    else put(o, "\n");
}

static void put_holdings(struct tw_fix_orders *o, const struct holder *h, bool all)
{
    char name[TW_FIX_WORD], symbol[TW_FIX_WORD];

    for (struct holding *p = h->holdings; p; p = p->next) {
        if (!p->is_changed && !(all && p->quantity)) continue;
        put(o, "P %s %s %" PRId64 " " TW_FIX_MONEY "\n", word(h->name, name),
            word(tw_symbols_name(o->o.symbols, p->symbol), symbol), p->quantity,
            TW_FIX_SPLIT(p->cost));
        p->is_changed = false;
    }
}

void tw_fix_orders_keep(struct tw_fix_orders *o, struct entry *e)
{
    if (!o->o.keeps || !e->holder) return;
    follow(o, e);
    put_holdings(o, e->holder, false);
    put_order_line(o, e);
    put_ties_line(o, e);
}

void tw_fix_orders_keep_exec(struct tw_fix_orders *o, const struct exec *x)
{
    if (o->o.keeps && x->entry->holder) put_exec_line(o, x);
}

static void put_entry(struct tw_fix_orders *o, struct entry *e)
{
    if (!e->holder) return;
    follow(o, e);
    put_order_line(o, e);
    put_ties_line(o, e);
    if (e->said.most < e->quantity)
        put(o, "M %" PRIu64 " %" PRId64 "\n", e->id, e->said.most);
    for (const struct exec *x = e->execs; x; x = x->same) put_exec_line(o, x);
}

bool tw_fix_orders_lines(struct tw_fix_orders *o, bool all, char **text, size_t *n)
{
    size_t skip = o->n_kept > KEPT_LINES ? o->n_kept - KEPT_LINES : 0;

    if (all || o->lines.lost) {
        o->lines.lost = false;
        o->lines.n = 0;
        for (const struct holder *h = o->holders; h; h = h->next) {
            put_holdings(o, h, true);
            tw_fix_orders_put_account(o, h);
        }
        for (struct entry *e = o->kept; e; e = e->next)
            if (skip > 0) skip--;
            else put_entry(o, e);
        for (struct entry *e = o->open; e; e = e->next) put_entry(o, e);
        for (struct entry *e = o->held; e; e = e->next) put_entry(o, e);
    }
    if (o->lines.n > 0) put(o, ".\n");
    if (o->lines.lost) return false;
    *text = o->lines.text;
    *n = o->lines.n;
    o->lines = (struct tw_fix_lines){ .n = 0 };
    return true;
}

/* ---- reading them ---- */

static int64_t number_at(const struct tw_fix_line *l, size_t i)
{
    return tw_fix_line_number(l, i);
}

static struct entry *entry_at(const struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    return tw_fix_orders_find(o, tw_fix_line_count(l, 1));
}

static int64_t symbol_at(const struct tw_fix_orders *o, const struct tw_fix_line *l,
                         size_t i)
{
    char *name = tw_fix_line_name(l, i);

    return tw_symbols_intern(o->o.symbols, name, strlen(name));
}

/* Of the account and its trades: whose they are. */
static int read_account(struct tw_fix_orders *o, struct tw_fix_line *l)
{
    struct holder *h;
    char name[TW_FIX_WORD];
    int64_t symbol;

    snprintf(name, sizeof name, "%s", l->word[1]);
    h = holder_named(o, tw_fix_line_name(&(struct tw_fix_line){ .word = { name } }, 0));
    if (!h) return UV_ENOMEM;
    if (*l->word[0] != 'F') return tw_fix_orders_read_account(h, l);
    symbol = symbol_at(o, l, 4);
    return symbol <= 0 ? (int)symbol : tw_fix_orders_read_trade(h, (uint32_t)symbol, l);
}

static int read_order(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct entry *e = entry_at(o, l);
    int64_t symbol = symbol_at(o, l, 3);
    bool is_heard = strcmp(l->word[22], "-") != 0;
    char *id = tw_fix_line_name(l, 22);

    if (symbol <= 0) return (int)symbol;
    if (!e)
        e = tw_fix_orders_make(o, &(struct tw_request){
            .id = tw_fix_line_count(l, 1), .symbol = (uint32_t)symbol,
            .side = (uint8_t)number_at(l, 4), .type = (uint8_t)number_at(l, 5),
            .tif = (uint8_t)number_at(l, 6), .post_only = number_at(l, 7) != 0,
            .trail = number_at(l, 11), .expire_ns = number_at(l, 12) });
    if (!e || !(e->holder = holder_named(o, tw_fix_line_name(l, 2)))) return UV_ENOMEM;
    e->is_former = true;
    e->id_form = TW_FIX_ID_DIGITS;
    e->quantity = number_at(l, 8);
    e->price = number_at(l, 9);
    e->stop = number_at(l, 10);
    e->n_asks = e->former = (unsigned)number_at(l, 13);
    e->accepted = (unsigned)number_at(l, 14);
    e->cum = number_at(l, 15);
    e->value = tw_fix_line_money(l, 16);
    e->expected = number_at(l, 17);
    e->doubts = e->expected < 0;              /* its status was asked for */
    e->average = number_at(l, 18);
    e->settled = number_at(l, 19);
    e->settled_px = number_at(l, 20);
    follow(o, e);
    e->heard = e->heard || is_heard;
    if (is_heard)
        tw_fix_orders_learn_id(e, (struct tw_fix_text){ id, strlen(id) });
    if (number_at(l, 21)) tw_fix_orders_end(o, e);
    else if (e->over) tw_fix_orders_revive(o, e);
    return TW_OK;
}

static int read_ties(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct entry *e = entry_at(o, l);
    struct tw_ties t = { .reduce_only = number_at(l, 3) != 0,
                         .parent = tw_fix_line_count(l, 4),
                         .group = tw_fix_line_count(l, 5) };

    if (!e) return TW_OK;
    if (strcmp(l->word[6], "-") != 0)
        snprintf(t.label, sizeof t.label, "%s", tw_fix_line_name(l, 6));
    e->unheard = number_at(l, 2) == 0 && t.parent && !e->heard && e->cum == 0;
    return tw_fix_orders_tie(o, e, &t, number_at(l, 2) != 0);
}

static int read_form(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct entry *e = entry_at(o, l);

    if (e) e->id_form = *l->word[0] == 'U' ? TW_FIX_ID_UUID : TW_FIX_ID_SHORT;
    return TW_OK;
}

static int read_client(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct entry *e = entry_at(o, l);

    if (e) e->client = client_named(o, tw_fix_line_name(l, 2));
    return e && !e->client ? UV_ENOMEM : TW_OK;
}

static int read_most(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct entry *e = entry_at(o, l);
    int64_t most = number_at(l, 2);

    if (e && e->said.most > most) e->said.most = most;
    return TW_OK;
}

static int read_cut(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct entry *e = entry_at(o, l);

    if (e && e->ties) e->ties->most = number_at(l, 2);
    return TW_OK;
}

static int read_exec(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct entry *e = entry_at(o, l);
    struct exec *x;
    bool is_new = true;

    if (!e) return TW_OK;
    x = tw_fix_orders_exec_hash(o, e, tw_fix_line_count(l, 2), &is_new);
    if (!x) return UV_ENOMEM;
    x->price = number_at(l, 3);
    x->quantity = number_at(l, 4);
    x->is_canceled = x->quantity < 0;
    if (x->is_canceled) x->quantity = 0;
    if (l->n <= 5) return TW_OK;
    if (!x->charge) x->charge = tw_calloc(1, sizeof *x->charge);
    if (x->charge) *x->charge = tw_fix_orders_charge_at(l, 5, 6);
    return x->charge ? TW_OK : UV_ENOMEM;
}

static int read_holding(struct tw_fix_orders *o, const struct tw_fix_line *l)
{
    struct holder *h = holder_named(o, tw_fix_line_name(l, 1));
    int64_t symbol = symbol_at(o, l, 2);
    struct holding *p;

    if (symbol <= 0) return (int)symbol;
    p = h ? holding_of(h, (uint32_t)symbol) : NULL;
    if (!p) return UV_ENOMEM;
    p->quantity = number_at(l, 3);
    p->cost = tw_fix_line_money(l, 4);
    return TW_OK;
}

/* What was not written to its end is left out; before there were ends, all was.  How
 * many lines. */
static size_t cut(char *text)
{
    char *end = NULL;
    size_t n = 0;

    for (char *p = text; (p = strstr(p, ".\n")) != NULL; p += 2)
        if (p == text || p[-1] == '\n') end = p + 2;
    if (!end && *text && !strchr(text, '\n')) return 1;
    for (char *p = end; p && *p; n++) {
        p += strcspn(p, "\n");
        p += *p != 0;
    }
    if (end) *end = 0;
    return n;
}

int tw_fix_orders_restore(struct tw_fix_orders *o, char *text, size_t *strange,
                          struct tw_error *error)
{
    size_t line = 1;
    char *end;

    *strange = cut(text);
    for (; (end = strchr(text, '\n')) != NULL; text = end + 1, line++) {
        struct tw_fix_line l;
        int rc;

        *end = 0;
        if (strcmp(text, ".") == 0) continue;
        tw_fix_line_split(&l, text);
        rc = tw_fix_orders_check_line(l.word, l.n, line, error);
        if (rc == TW_EFORMAT) return rc;
        if (rc < 0) {
            (*strange)++;
            continue;
        }
        switch (*l.word[0]) {
        case 'O': rc = read_order(o, &l);   break;
        case 'U': case 'S': rc = read_form(o, &l); break;
        case 'V': rc = read_client(o, &l);  break;
        case 'T': rc = read_ties(o, &l);    break;
        case 'M': rc = read_most(o, &l);    break;
        case 'Q': rc = read_cut(o, &l);     break;
        case 'X': rc = read_exec(o, &l);    break;
        case 'P': rc = read_holding(o, &l); break;
        default:  rc = read_account(o, &l); break;
        }
        if (rc < 0) return tw_fail(error, rc, "line %zu: %s", line, tw_strerror(rc));
    }
    for (struct entry *e = o->open; e; e = e->next) e->most = e->said.most;
    return TW_OK;
}

void tw_fix_orders_keep_free(struct tw_fix_orders *o)
{
    struct holder *next;
    struct client *then;

    for (struct client *c = o->clients; c; c = then) {
        then = c->next;
        tw_free(c);
    }
    for (struct holder *h = o->holders; h; h = next) {
        struct holding *last;

        next = h->next;
        for (struct holding *p = h->holdings; p; p = last) {
            last = p->next;
            tw_free(p);
        }
        tw_fix_orders_drop_trades(h, UINT64_MAX);
        tw_free(h->account.text);
        tw_free(h);
    }
    tw_free(o->lines.text);
}
