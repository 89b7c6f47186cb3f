/* ledger.c - what a strategy did, for its figures. */
#include "trade/ledger.h"

#include <math.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "trade/terms.h"

/* A position of an instrument that is open, and what it took. */
struct open {
    int64_t quantity, most;         /* now, and the largest so far                   */
    tw_money entered, left;         /* quantities, of any number of trades           */
    tw_money entries, exits;        /* values                                        */
    tw_money entry_sum, exit_sum;   /* prices times quantities                       */
    tw_money fees;
    int64_t entry_ns;
};

enum { TRADES_ROOM = 1 << 11 };     /* at first; pages that are not touched yet      */

struct points { struct tw_point *p; size_t n, room; };

struct tw_ledger {
    struct open *open;              /* by symbol                                     */
    size_t n_open;
    struct tw_outcome *outcomes;    /* n_trades of room, each in a mapping           */
    struct tw_trip *trips;          /* likewise; NULL: see only_outcomes             */
    size_t n_trades, room, trips_room;
    bool only_outcomes;
    struct points days, curve;
    struct tw_session day;
    int64_t span_ns;                /* of the curve; 0: there is none                */
};

struct tw_ledger *tw_ledger_new(void)
{
    struct tw_ledger *l = tw_calloc(1, sizeof *l);

    if (!l) return NULL;
    l->span_ns = TW_SECOND_NS;
    l->day.close_ns = INT64_MIN;
    return l;
}

void tw_ledger_only_days(struct tw_ledger *l)
{
    l->span_ns = 0;
}

void tw_ledger_only_outcomes(struct tw_ledger *l)
{
    l->only_outcomes = true;
}

/* Where the room has grown nobody maps as much again. */
static void free_trades(void *p, size_t room, size_t n, size_t size)
{
    if (room > TRADES_ROOM) tw_unmap(p, room * size);
    else tw_unmap_used(p, room * size, false, n * size);
}

void tw_ledger_free(struct tw_ledger *l)
{
    if (!l) return;
    tw_free(l->open);
    free_trades(l->outcomes, l->room, l->n_trades, sizeof *l->outcomes);
    free_trades(l->trips, l->trips_room, l->n_trades, sizeof *l->trips);
    tw_free(l->days.p);
    tw_free(l->curve.p);
    tw_free(l);
}

/* ---- trades ---- */

/* Room for one more in a mapping: where it is; NULL: no memory. */
static void *room_for(void *p, size_t n, size_t *room, size_t size)
{
    size_t more = *room ? 2 * *room : TRADES_ROOM;

    if (n < *room) return p;
    p = tw_map_grow(p, *room * size, more * size);
    if (p) *room = more;
    return p;
}

static int reserve(struct tw_ledger *l, uint32_t symbol)
{
    void *p;

    if (symbol >= l->n_open) {
        struct open *grown = tw_extend(l->open, &l->n_open, symbol, sizeof *grown);

        if (!grown) return UV_ENOMEM;
        l->open = grown;
    }
    p = room_for(l->outcomes, l->n_trades, &l->room, sizeof *l->outcomes);
    if (!p) return UV_ENOMEM;
    l->outcomes = p;
    if (l->only_outcomes) return TW_OK;
    p = room_for(l->trips, l->n_trades, &l->trips_room, sizeof *l->trips);
    if (!p) return UV_ENOMEM;
    l->trips = p;
    return TW_OK;
}

static int64_t magnitude(int64_t v)
{
    return v < 0 ? -v : v;
}

static void enter(struct open *o, const struct tw_terms *terms, int64_t price,
                  int64_t quantity, int64_t time_ns)
{
    if (o->quantity == 0) *o = (struct open){ .entry_ns = time_ns };
    o->quantity += quantity;
    if (magnitude(o->quantity) > magnitude(o->most)) o->most = o->quantity;
    o->entered += magnitude(quantity);
    o->entries += tw_terms_value(terms, price, magnitude(quantity));
    o->entry_sum += tw_money_value(price, magnitude(quantity));
}

/* Of the part that closes; true: all of it is closed. */
static bool leave(struct open *o, const struct tw_terms *terms, int64_t price,
                  int64_t quantity)
{
    o->quantity += quantity;
    o->left += magnitude(quantity);
    o->exits += tw_terms_value(terms, price, magnitude(quantity));
    o->exit_sum += tw_money_value(price, magnitude(quantity));
    return o->quantity == 0;
}

/* Half of both as often as the quantity is none: none of the digits that a price has. */
static int64_t average(tw_money sum, tw_money quantity)
{
    for (; quantity > INT64_MAX; quantity /= 2) sum /= 2;
    return tw_money_price(sum, (int64_t)quantity);
}

/* Of an instrument's currency in the account's. */
static double exchanged(const struct tw_account *a, const struct tw_terms *terms,
                        tw_money amount)
{
    int64_t rate = a && terms ? tw_account_rate(a, terms->currency) : 0;

    return tw_money_to_double(rate > 0 && rate != TW_FIXED_ONE
                              ? tw_money_ratio(amount, rate, TW_FIXED_ONE) : amount);
}

static void conclude(struct tw_ledger *l, const struct tw_account *a,
                     const struct tw_order *closing, int64_t time_ns)
{
    uint32_t symbol = closing->symbol;
    const struct open *o = &l->open[symbol];
    tw_money gained = o->most > 0 ? o->exits - o->entries : o->entries - o->exits;

    if (!l->only_outcomes)
        l->trips[l->n_trades] = (struct tw_trip){
            .symbol = symbol, .entry_ns = o->entry_ns, .quantity = o->most,
            .entry_px = average(o->entry_sum, o->entered),
            .exit_px = average(o->exit_sum, o->left),
            .fees = exchanged(a, closing->terms, o->fees) };
    l->outcomes[l->n_trades++] = (struct tw_outcome){
        .pnl = exchanged(a, closing->terms, gained - o->fees),
        .ratio = tw_money_to_double(gained - o->fees) / tw_money_to_double(o->entries),
        .open_ns = time_ns - o->entry_ns };
}

int tw_ledger_told(struct tw_ledger *l, const struct tw_account *a,
                   const struct tw_told *t)
{
    const struct tw_order *o = t->order;
    const struct tw_report *r = &t->report;
    int64_t quantity = tw_order_sign(o) * r->last_qty, closing = 0;
    tw_money of_closing;
    struct open *p;

    if (r->exec != TW_EXEC_TRADE) return TW_OK;
    if (reserve(l, o->symbol) < 0) return UV_ENOMEM;
    p = &l->open[o->symbol];
    if (p->quantity != 0 && (p->quantity < 0) != (quantity < 0))
        closing = magnitude(quantity) < magnitude(p->quantity) ? quantity : -p->quantity;
    of_closing = tw_money_ratio(r->fee, magnitude(closing), r->last_qty);
    p->fees += of_closing;
    if (closing && leave(p, o->terms, r->last_px, closing))
        conclude(l, a, o, r->time_ns);
    if (quantity != closing) {
        enter(p, o->terms, r->last_px, quantity - closing, r->time_ns);
        p->fees += r->fee - of_closing;
    }
    return TW_OK;
}

/* ---- the curve ---- */

static int append(struct points *p, int64_t time_ns, double equity)
{
    if (p->n == p->room) {
        struct tw_point *grown = tw_grow(p->p, &p->room, p->n + 1, sizeof *grown);

        if (!grown) return UV_ENOMEM;
        p->p = grown;
    }
    p->p[p->n++] = (struct tw_point){ time_ns, equity };
    return TW_OK;
}

/* Of each span the last value stays. */
static void thin(struct tw_ledger *l)
{
    struct points *c = &l->curve;
    size_t kept = 0;

    while (c->n > TW_LEDGER_POINTS / 2) {
        l->span_ns *= 2;
        kept = 0;
        for (size_t i = 0; i < c->n; i++) {
            if (kept > 0 && tw_clock_spans(c->p[kept - 1].time_ns, l->span_ns)
                          == tw_clock_spans(c->p[i].time_ns, l->span_ns))
                kept--;
            c->p[kept++] = c->p[i];
        }
        c->n = kept;
    }
}

static int draw(struct tw_ledger *l, int64_t time_ns, double equity)
{
    struct points *c = &l->curve;
    struct tw_point *last = c->n > 0 ? &c->p[c->n - 1] : NULL;

    if (l->span_ns == 0) return TW_OK;
    if (last && tw_clock_spans(time_ns, l->span_ns)
                == tw_clock_spans(last->time_ns, l->span_ns)) {
        *last = (struct tw_point){ time_ns, equity };
        return TW_OK;
    }
    if (c->n == TW_LEDGER_POINTS) thin(l);
    return append(c, time_ns, equity);
}

int tw_ledger_mark(struct tw_ledger *l, int64_t time_ns, tw_money equity)
{
    double value = tw_money_to_double(equity);

    if (time_ns > l->day.close_ns || l->days.n == 0) {
        tw_calendar_session(NULL, time_ns - 1, &l->day);
        if (append(&l->days, time_ns, value) < 0) return UV_ENOMEM;
    }
    l->days.p[l->days.n - 1] = (struct tw_point){ time_ns, value };
    return draw(l, time_ns, value);
}

int64_t tw_ledger_till(const struct tw_ledger *l)
{
    int64_t last_ns, till_ns;

    if (l->days.n == 0) return INT64_MIN;
    if (l->span_ns == 0) return l->day.close_ns + 1;
    last_ns = l->curve.p[l->curve.n - 1].time_ns;
    till_ns = (tw_clock_spans(last_ns, l->span_ns) + 1) * l->span_ns;
    return till_ns <= l->day.close_ns ? till_ns : l->day.close_ns + 1;
}

/* ---- reading ---- */

size_t tw_ledger_bytes(const struct tw_ledger *l)
{
    return sizeof *l + l->n_open * sizeof *l->open
        + l->n_trades * (sizeof *l->outcomes + (l->only_outcomes ? 0 : sizeof *l->trips))
        + (l->days.room + l->curve.room) * sizeof(struct tw_point);
}

const struct tw_outcome *tw_ledger_outcomes(const struct tw_ledger *l, size_t *n)
{
    *n = l->n_trades;
    return l->outcomes;
}

const struct tw_trip *tw_ledger_trips(const struct tw_ledger *l, size_t *n)
{
    *n = l->only_outcomes ? 0 : l->n_trades;
    return l->trips;
}

const struct tw_point *tw_ledger_days(const struct tw_ledger *l, size_t *n)
{
    *n = l->days.n;
    return l->days.p;
}

const struct tw_point *tw_ledger_curve(const struct tw_ledger *l, size_t *n)
{
    *n = l->curve.n;
    return l->curve.p;
}

bool tw_ledger_open(const struct tw_ledger *l, uint32_t symbol, int64_t *entry_ns,
                    double *value)
{
    const struct open *o = symbol < l->n_open ? &l->open[symbol] : NULL;

    if (!o || o->quantity == 0) return false;
    *entry_ns = o->entry_ns;
    *value = tw_money_to_double(o->entries) * tw_fixed_to_double(magnitude(o->quantity))
        / tw_money_to_double(o->entered);
    return true;
}
