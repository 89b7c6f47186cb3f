/* match.c - a limit order book: price, then time.
 *
 * Why: levels stand in an array with the best at its end, where almost all that happens
 * is; a level is found by halving, and one that comes or goes moves those better than
 * it.
 */
#include "trade/match.h"

#include <string.h>
#include <uv.h>

#include "base/hashed.h"
#include "base/memory.h"

struct node {
    struct tw_entry e;
    struct node *next, *before;   /* at its price: who came later, who came earlier  */
    struct tw_hashed_link hashed;
};

static struct node *node_of(const struct tw_hashed_link *l)
{
    return TW_HASHED(l, struct node, hashed);
}

/* quantity: 64 bits would end at 9.2 billion, which many orders can come to. */
struct level {
    int64_t price;
    unsigned n;
    tw_money quantity;
    struct node *first, *last;
};
struct half { struct level *level; size_t n, room; };

struct tw_book {
    tw_book_trade *trade;
    void *ctx;
    struct half half[2];          /* bids, asks                                      */
    struct tw_hashed nodes;       /* by id                                           */
    struct node *spare;           /* as many as have rested at one time, by next     */
};

static struct half *half_of(struct tw_book *b, unsigned side)
{
    return &b->half[side == TW_SIDE_SELL];
}

/* Is the price better for who stands on that side? */
static bool is_better(unsigned side, int64_t price, int64_t than)
{
    return side == TW_SIDE_BUY ? price > than : price < than;
}

/* NULL: no memory. */
static struct node *take_node(struct tw_book *b)
{
    struct node *o = b->spare;

    if (!o) return tw_calloc(1, sizeof *o);
    b->spare = o->next;
    return o;
}

static void give_back(struct tw_book *b, struct node *o)
{
    o->next = b->spare;
    b->spare = o;
}

struct tw_book *tw_book_new(tw_book_trade *trade, void *ctx)
{
    struct tw_book *b = tw_calloc(1, sizeof *b);

    if (!b) return NULL;
    b->trade = trade;
    b->ctx = ctx;
    if (tw_hashed_init(&b->nodes) == TW_OK) return b;
    tw_free(b);
    return NULL;
}

static void end_node(struct tw_hashed_link *l, void *ctx)
{
    (void)ctx;
    tw_free(node_of(l));
}

void tw_book_free(struct tw_book *b)
{
    if (!b) return;
    tw_hashed_fini(&b->nodes, end_node, NULL);
    while (b->spare) tw_free(take_node(b));
    tw_free(b->half[0].level);
    tw_free(b->half[1].level);
    tw_free(b);
}

/* ---- by id ---- */

static struct node *find(const struct tw_book *b, uint64_t id)
{
    struct tw_hashed_link *l = tw_hashed_first(&b->nodes, tw_hash_id(id));

    while (l && node_of(l)->e.id != id) l = tw_hashed_next(l);
    return l ? node_of(l) : NULL;
}

/* ---- levels ---- */

/* Where the price is, or would be. */
static size_t place(const struct half *h, unsigned side, int64_t price)
{
    size_t low = 0, high = h->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (is_better(side, price, h->level[middle].price)) low = middle + 1;
        else high = middle;
    }
    return low;
}

static int reserve(struct half *h)
{
    struct level *grown;

    if (h->n < h->room) return TW_OK;
    grown = tw_grow(h->level, &h->room, h->n + 1, sizeof *grown);
    if (!grown) return UV_ENOMEM;
    h->level = grown;
    return TW_OK;
}

/* There is room for a level. */
static void rest(struct tw_book *b, struct node *o)
{
    struct half *h = half_of(b, o->e.side);
    size_t i = place(h, o->e.side, o->e.price);
    struct level *l = &h->level[i];

    if (i == h->n || l->price != o->e.price) {
        memmove(l + 1, l, (h->n - i) * sizeof *l);
        *l = (struct level){ .price = o->e.price };
        h->n++;
    }
    o->before = l->last;
    o->next = NULL;
    if (l->last) l->last->next = o;
    else l->first = o;
    l->last = o;
    l->quantity += o->e.quantity;
    l->n++;
    tw_hashed_add(&b->nodes, &o->hashed, tw_hash_id(o->e.id));
}

/* Out of its level, which goes when it was the last. */
static void leave(struct tw_book *b, struct node *o)
{
    struct half *h = half_of(b, o->e.side);
    size_t i = place(h, o->e.side, o->e.price);
    struct level *l = &h->level[i];

    if (o->before) o->before->next = o->next;
    else l->first = o->next;
    if (o->next) o->next->before = o->before;
    else l->last = o->before;
    l->quantity -= o->e.quantity;
    if (--l->n == 0) memmove(l, l + 1, (--h->n - i) * sizeof *l);
    tw_hashed_remove(&b->nodes, &o->hashed);
}

/* ---- coming in ---- */

/* It takes this price, or a better one for it. */
static bool takes(const struct tw_entry *e, int64_t price)
{
    return e->price == 0 || !is_better(e->side, price, e->price);
}

static bool would_trade(const struct tw_entry *e, const struct half *other)
{
    return other->n > 0 && takes(e, other->level[other->n - 1].price);
}

/* What it can trade at once for sure, but for its owner's. */
static tw_money there(const struct tw_entry *e, const struct half *other)
{
    tw_money sum = 0;

    for (size_t i = other->n; i-- > 0 && sum < e->quantity;) {
        const struct level *l = &other->level[i];

        if (!takes(e, l->price)) break;
        for (const struct node *o = l->first; o; o = o->next)
            if (!o->e.soft && (e->owner == 0 || o->e.owner != e->owner))
                sum += o->e.quantity;
    }
    return sum;
}

/* Of what rests, the first of its level, so much trades. */
static void lessen(struct tw_book *b, struct level *l, struct node *o, int64_t n)
{
    if (n == o->e.quantity) {
        leave(b, o);
        o->e.quantity = 0;
    } else {
        l->quantity -= n;
        o->e.quantity -= n;
    }
}

static void take(struct tw_book *b, struct tw_entry *e, struct half *other,
                 void (*canceled)(void *ctx, const struct tw_entry *e))
{
    while (e->quantity > 0 && would_trade(e, other)) {
        struct level *l = &other->level[other->n - 1];
        struct node *o = l->first;
        int64_t price = l->price, n = o->e.quantity;

        if (e->owner != 0 && o->e.owner == e->owner) {
            leave(b, o);
            if (canceled) canceled(b->ctx, &o->e);
            give_back(b, o);
            continue;
        }
        if (n > e->quantity) n = e->quantity;
        lessen(b, l, o, n);
        e->quantity -= n;
        b->trade(b->ctx, &o->e, e, price, n);
        if (o->e.quantity == 0) give_back(b, o);
    }
}

int tw_book_add(struct tw_book *b, struct tw_entry *e, unsigned rules,
                void (*canceled)(void *ctx, const struct tw_entry *e))
{
    bool gathers = rules & TW_BOOK_GATHER;
    bool rests = gathers
              || (e->price != 0 && !(rules & (TW_BOOK_IMMEDIATE | TW_BOOK_ALL)));
    struct half *own = half_of(b, e->side);
    struct half *other = &b->half[e->side == TW_SIDE_BUY];
    struct node *o = NULL;

    if (rests) {
        if (find(b, e->id)) return TW_EUSAGE;
        o = reserve(own) == TW_OK ? take_node(b) : NULL;
        if (!o) return UV_ENOMEM;
    }
    if (((rules & TW_BOOK_POST) && would_trade(e, other))
        || ((rules & TW_BOOK_ALL) && there(e, other) < e->quantity)) {
        if (o) give_back(b, o);
        return TW_EUSAGE;
    }
    if (!gathers) take(b, e, other, canceled);
    if (!rests || e->quantity == 0) {
        if (o) give_back(b, o);
        return 0;
    }
    o->e = *e;
    if (e->price == 0) o->e.price = e->side == TW_SIDE_BUY ? INT64_MAX : INT64_MIN;
    rest(b, o);
    return 1;
}

bool tw_book_cancel(struct tw_book *b, uint64_t id)
{
    struct node *o = find(b, id);

    if (!o) return false;
    leave(b, o);
    give_back(b, o);
    return true;
}

int tw_book_reduce(struct tw_book *b, uint64_t id, int64_t quantity)
{
    struct node *o = find(b, id);
    struct half *h;

    if (!o || quantity <= 0 || quantity >= o->e.quantity) return TW_EUSAGE;
    h = half_of(b, o->e.side);
    h->level[place(h, o->e.side, o->e.price)].quantity -= o->e.quantity - quantity;
    o->e.quantity = quantity;
    return TW_OK;
}

/* ---- an auction ---- */

/* The next price above *price that is somebody's limit, or the reference: of bids from i
 * on, and of asks before j.  Who takes any price has none. */
static bool next_price(const struct tw_book *b, size_t i, size_t j, int64_t reference,
                       int64_t *price)
{
    const struct half *bids = &b->half[0], *asks = &b->half[1];
    int64_t next = INT64_MAX;

    if (i < bids->n && bids->level[i].price <= *price) i++;
    if (i < bids->n) next = bids->level[i].price;
    if (j > 0 && asks->level[j - 1].price < next) next = asks->level[j - 1].price;
    if (reference != 0 && reference > *price && reference < next) next = reference;
    if (next == INT64_MAX) return false;
    *price = next;
    return true;
}

static tw_money distance(tw_money a, tw_money b)
{
    return a > b ? a - b : b - a;
}

/* From the lowest price up: who sells there becomes more, who buys less. */
bool tw_book_cross(const struct tw_book *b, int64_t reference, tw_book_trial *trial,
                   void *ctx, int64_t *price, int64_t *quantity)
{
    const struct half *bids = &b->half[0], *asks = &b->half[1];
    tw_money buying = 0, selling = 0, most = 0, least = 0;
    size_t i = 0, j = asks->n;
    int64_t p = INT64_MIN;

    for (size_t k = 0; k < bids->n; k++) buying += bids->level[k].quantity;
    if (j > 0 && asks->level[j - 1].price == p) selling += asks->level[--j].quantity;
    for (;;) {
        tw_money trades, left;

        if (!next_price(b, i, j, reference, &p)) break;
        while (j > 0 && asks->level[j - 1].price <= p)
            selling += asks->level[--j].quantity;
        while (i < bids->n && bids->level[i].price < p)
            buying -= bids->level[i++].quantity;
        trades = buying < selling ? buying : selling;
        left = distance(buying, selling);
        if (trades == 0 || trades < most) continue;
        if (trial) trades = trial(ctx, p, &left);
        if (trades == 0 || trades < most) continue;
        if (trades == most
            && (left > least
                || (left == least && (reference == 0 || distance(p, reference)
                                                        >= distance(*price, reference)))))
            continue;
        most = trades;
        least = left;
        *price = p;
    }
    *quantity = most < INT64_MAX ? (int64_t)most : INT64_MAX;
    return most > 0;
}

void tw_book_uncross(struct tw_book *b, int64_t price)
{
    struct half *bids = &b->half[0], *asks = &b->half[1];

    while (bids->n > 0 && asks->n > 0) {
        struct level *x = &bids->level[bids->n - 1], *y = &asks->level[asks->n - 1];
        struct node *buys = x->first, *sells = y->first;
        int64_t n = buys->e.quantity;

        if (x->price < price || y->price > price) return;
        if (n > sells->e.quantity) n = sells->e.quantity;
        lessen(b, x, buys, n);
        lessen(b, y, sells, n);
        b->trade(b->ctx, &buys->e, &sells->e, price, n);
        if (buys->e.quantity == 0) give_back(b, buys);
        if (sells->e.quantity == 0) give_back(b, sells);
    }
}

/* ---- looking ---- */

static int64_t bounded(tw_money quantity)
{
    return quantity < INT64_MAX ? (int64_t)quantity : INT64_MAX;
}

const struct tw_entry *tw_book_find(const struct tw_book *b, uint64_t id, int64_t *ahead)
{
    const struct node *o = find(b, id);
    tw_money sum = 0;

    if (o && ahead) {
        for (const struct node *i = o->before; i; i = i->before) sum += i->e.quantity;
        *ahead = bounded(sum);
    }
    return o ? &o->e : NULL;
}

void tw_book_each(const struct tw_book *b, enum tw_side side,
                  void (*visit)(void *ctx, const struct tw_entry *e), void *ctx)
{
    const struct half *h = &b->half[side == TW_SIDE_SELL];

    for (size_t i = h->n; i > 0; i--)
        for (const struct node *o = h->level[i - 1].first; o; o = o->next)
            visit(ctx, &o->e);
}

bool tw_book_level(const struct tw_book *b, enum tw_side side, size_t i, int64_t *price,
                   int64_t *quantity, unsigned *orders)
{
    const struct half *h = &b->half[side == TW_SIDE_SELL];
    const struct level *l;

    if (i >= h->n) return false;
    l = &h->level[h->n - 1 - i];
    *price = l->price;
    *quantity = bounded(l->quantity);
    *orders = l->n;
    return true;
}
