/* venue_exits.c - exits of a bracket in a venue's book: each is for what is held of what
 * their entry has traded, no more and no less, whatever it was made for. */
#include "trade/venue.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"

#define B TW_SIDE_BUY
#define S TW_SIDE_SELL

enum { ENTRY = 1, TARGET, OTHER };       /* orders of owner 2 */

static char text[1000];
static struct at { bool open; int64_t quantity, cum; } at[10];
static int canceled_bare;                /* by the other one, where something was held */

static int64_t held(void)
{
    return at[ENTRY].cum - at[TARGET].cum - at[OTHER].cum;
}

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    const struct tw_report *p = &r->report;
    struct at *its = r->owner == 2 ? &at[p->order] : NULL;
    size_t n = strlen(text);

    (void)ctx;
    if (!its) return;
    if (p->exec == TW_EXEC_TRADE) its->cum += p->last_qty;
    if (p->exec == TW_EXEC_REPLACED) its->quantity = p->quantity;
    its->open = r->status == TW_STATUS_NEW || r->status == TW_STATUS_PARTIALLY_FILLED;
    canceled_bare += p->reason == TW_REASON_OCO && !its->open && held() > 0;
    if (n > sizeof text - 50) return;
    if (p->exec == TW_EXEC_NEW) return;
    snprintf(text + n, sizeof text - n, "%d:%c%lld ", (int)p->order, p->exec,
             (long long)(p->exec == TW_EXEC_TRADE ? p->last_qty : p->quantity));
}

static int64_t last_price;

static void on_market(void *ctx, const struct tw_record *r)
{
    (void)ctx;
    if (r->kind == TW_TRADE) last_price = r->trade.price;
}

static struct tw_venue *begin(void)
{
    static const struct tw_venue_listener listener = { on_report, on_market, NULL };

    text[0] = '\0';
    memset(at, 0, sizeof at);
    return tw_venue_new(&listener);
}

static int64_t clock_ns;

static void now(struct tw_venue *v, struct tw_request q)
{
    q.arrives_ns = ++clock_ns;
    q.seq = q.number = (uint64_t)clock_ns;
    q.symbol = 1;
    if (!q.type) q.type = q.price ? TW_TYPE_LIMIT : TW_TYPE_MARKET;
    if (!q.tif) q.tif = TW_TIF_GTC;
    if (q.what == TW_REQUEST_NEW && q.owner == 2)
        at[q.id] = (struct at){ .quantity = q.quantity };
    if (tw_venue_send(v, &q) != TW_OK) abort();
    while (tw_venue_step(v, clock_ns)) continue;
}

#define NEW(o, n, s, q, p, ...) now(v, (struct tw_request){ .owner = (o), .id = (n), \
    .side = (s), .quantity = (q), .price = (p), __VA_ARGS__ })
#define ASK(w, n, q, ...) now(v, (struct tw_request){ .what = TW_REQUEST_ ## w, \
    .owner = 2, .id = (n), .quantity = (q), __VA_ARGS__ })

/* Owner 1 trades so much, if that is there. */
static void meet(struct tw_venue *v, enum tw_side side, int64_t quantity, int64_t price)
{
    static uint64_t id = 100;

    NEW(1, ++id, side, quantity, price, .tif = TW_TIF_IOC);
}

static void is(const char *want, const char *name)
{
    ok(strcmp(text, want) == 0, "%s: %s", name, want);
    if (strcmp(text, want) != 0) printf("# got  %s\n", text);
    text[0] = '\0';
}

/* An entry of 10, of which so much has traded, and its exits. */
static struct tw_venue *enter(int64_t traded)
{
    struct tw_venue *v = begin();

    NEW(2, ENTRY, B, 10, 100, 0);
    meet(v, S, traded, 100);
    NEW(2, TARGET, S, traded, 105, .group = ENTRY, .entry_qty = traded);
    NEW(2, OTHER, S, traded, 0, .type = TW_TYPE_STOP, .stop = 95, .group = ENTRY,
        .entry_qty = traded);
    return v;
}

static void by_hand(void)
{
    struct tw_venue *v = enter(4);

    meet(v, S, 6, 100);
    text[0] = '\0';
    meet(v, B, 4, 105);
    is("2:F4 ", "more is held than the exits know yet: the other one stays");
    ASK(GROW, OTHER, 10, .entry_qty = 10);
    is("3:56 ", "and is for the rest, whatever was asked for before");
    tw_venue_free(v);

    v = enter(10);
    ASK(REPLACE, TARGET, 3, 0);
    text[0] = '\0';
    meet(v, B, 3, 105);
    is("2:F3 3:57 ", "one that was made smaller leaves the rest to the other");
    ASK(REPLACE, OTHER, 6, 0);
    NEW(3, 1, B, 20, 95, 0);
    meet(v, S, 1, 95);
    is("3:56 3:F6 ", "a stop of another size is where it was");
    tw_venue_free(v);
}

static void in_auction(void)
{
    const int64_t hour = INT64_C(3600000000000);
    struct tw_calendar_options o = { .open = 9 * 3600, .close = 17 * 3600,
                                     .weekdays = 0x7f };
    struct tw_calendar *c = tw_calendar_new(&o);
    struct tw_venue *v = begin();

    clock_ns = 8 * hour;
    at[ENTRY].cum = 10;
    NEW(2, TARGET, S, 3, 97, .group = ENTRY, .entry_qty = 10, .tif = TW_TIF_OPG,
        .calendar = c);
    NEW(2, OTHER, S, 10, 98, .group = ENTRY, .entry_qty = 10, .tif = TW_TIF_OPG,
        .calendar = c);
    NEW(1, 1, B, 12, 99, .tif = TW_TIF_OPG, .calendar = c);
    NEW(3, 1, B, 1, 90, .tif = TW_TIF_CLS, .calendar = c);   /* which is later */
    while (tw_venue_step(v, 9 * hour)) continue;
    is("2:F3 3:57 3:F7 ", "an auction sells what is held");
    tw_venue_free(v);

    v = begin();
    clock_ns = 8 * hour;
    at[ENTRY].cum = 10;
    NEW(1, 1, S, 1, 100, 0);
    NEW(3, 1, B, 1, 100, 0);
    NEW(2, TARGET, S, 10, 105, .group = ENTRY, .entry_qty = 10, .tif = TW_TIF_OPG,
        .calendar = c);
    NEW(2, OTHER, S, 10, 103, .group = ENTRY, .entry_qty = 10, .tif = TW_TIF_OPG,
        .calendar = c);
    NEW(1, 2, B, 15, 0, .tif = TW_TIF_OPG, .calendar = c);
    while (tw_venue_step(v, 9 * hour)) continue;
    is("3:F10 2:40 ", "by one of the exits");
    ok(last_price == 103, "at a price at which the other one is not counted as well");
    tw_venue_free(v);

    v = begin();
    clock_ns = 10 * hour;
    NEW(2, OTHER, S, 5, 0, .type = TW_TYPE_STOP, .stop = 98, .calendar = c);
    NEW(1, 1, B, 1, 97, .tif = TW_TIF_CLS, .calendar = c);
    NEW(3, 1, S, 1, 97, .tif = TW_TIF_CLS, .calendar = c);
    NEW(1, 2, B, 9, 90, .calendar = c);
    while (tw_venue_step(v, 32 * hour)) continue;
    is("", "a stop that the close has reached waits");
    while (tw_venue_step(v, 33 * hour)) continue;
    is("3:F5 ", "for the market to open, and nothing else");
    tw_venue_free(v);
    tw_calendar_free(c);
}

static int below(int n)
{
    return (int)(next() % (unsigned)n);
}

/* What its owner asks for, who hears late: quantity and entry_qty. */
struct asked { int64_t quantity, entry; };

static struct asked wanted(int id)
{
    return (struct asked){ at[ENTRY].cum - at[TARGET + OTHER - id].cum, at[ENTRY].cum };
}

static void random_lives(void)
{
    enum { LIVES = 3000, STEPS = 30 };
    int large = 0, small = 0, both = 0;

    canceled_bare = 0;
    for (int life = 0; life < LIVES; life++) {
        struct tw_venue *v = begin();
        struct asked late[OTHER + 1] = { { 0, 0 } };
        bool cut[OTHER + 1] = { false };

        NEW(2, ENTRY, B, 5 + below(20), 100, 0);
        meet(v, S, 1 + below(9), 100);
        for (int id = TARGET; id <= OTHER; id++) {
            NEW(2, (uint64_t)id, S, at[ENTRY].cum, 103 + id, .group = ENTRY,
                .entry_qty = at[ENTRY].cum);
            late[id] = wanted(id);
        }
        for (int i = 0; i < STEPS; i++) {
            int id = TARGET + below(2);

            switch (below(6)) {
            case 0: case 1: meet(v, S, 1 + below(4), 100); break;
            case 2: meet(v, B, 1 + below(4), 103 + id); break;
            case 3: late[id] = wanted(id); break;
            case 4: ASK(GROW, (uint64_t)id, late[id].quantity,
                        .entry_qty = late[id].entry); break;
            default:
                if (life % 3 || below(4) || !at[id].open) break;
                cut[id] = true;
                ASK(REPLACE, (uint64_t)id, 1 + below((int)at[id].quantity), 0);
            }
            for (id = TARGET; id <= OTHER; id++)
                large += at[id].open && at[id].quantity - at[id].cum > held();
        }
        both += at[TARGET].cum > 0 && at[OTHER].cum > 0;
        for (int id = TARGET; id <= OTHER; id++) {
            if (!cut[id])
                ASK(GROW, (uint64_t)id, wanted(id).quantity,
                    .entry_qty = wanted(id).entry);
            small += at[id].open && !cut[id]
                  && at[id].quantity - at[id].cum != held();
        }
        tw_venue_free(v);
    }
    ok(large == 0, "in %d lives no exit is for more than is held (%d)", LIVES, large);
    ok(small == 0, "nor, in the end, for less (%d)", small);
    ok(canceled_bare == 0, "nor canceled where something is held (%d)", canceled_bare);
    ok(both > LIVES / 20, "in %d both have traded", both);
}

int main(void)
{
    by_hand();
    in_auction();
    random_lives();
    return tap_done();
}
