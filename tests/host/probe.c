/* probe.c - what is said of an order: each model's verdicts, requests, limits; sums.
 *
 * A scene (see scene.h), and the steps of one of its orders:
 *
 *   decided | sent SECONDS | cancel SECONDS | replace SECONDS    when it arrives
 *   VERDICT [xN] [PRICE[..HIGHEST]] [/LEVEL[>LAST]] [behind N[>LAST]] [LEFT of SHOWN]
 *   room N | stop LEVEL | end STATUS
 *   fill QUANTITY@PRICE | new, canceled, ... [because REASON] [by ORDER]
 */
#include "trade/probe.h"

#include <inttypes.h>

#include "base/memory.h"
#include "scene.h"
#include "trade/broker.h"

#define TENTH (struct tw_simulator_options){ \
    .model = TW_FILL_VOLUME, .share = TW_FIXED_ONE / 10 }

enum { TEXT = 4096 };

static void put(char *out, const char *before, int64_t fixed)
{
    char text[TW_FIXED_TEXT];

    tw_fixed_format(fixed, text);
    strcat(strcat(out, before), text);
}

static void put_look(char *out, const struct tw_step *s)
{
    strcat(out, tw_verdict_text(s->verdict));
    if (s->count > 1) sprintf(out + strlen(out), " x%" PRIu64, s->count);
    if (s->mixed) strcat(out, " mixed");
    if (s->low || s->high) put(out, " ", s->low);
    if (s->high != s->low) put(out, "..", s->high);
    if (s->level) put(out, " /", s->level);
    if (s->level_to != s->level) put(out, ">", s->level_to);
    if (s->ahead >= 0) put(out, " behind ", s->ahead);
    if (s->ahead != s->ahead_to) put(out, ">", s->ahead_to);
    if (s->verdict != TW_VERDICT_TAKEN && s->verdict != TW_VERDICT_MEETS) return;
    if (s->quantity) put(out, " ", s->quantity);
    if (s->left != INT64_MAX) put(out, " left ", s->left);
    if (s->left != INT64_MAX) put(out, " of ", s->shown);
}

static void put_report(char *out, const struct tw_step *s)
{
    const struct tw_report *r = &s->report;

    switch (r->exec) {
    case TW_EXEC_TRADE:
        put(out, "fill ", r->last_qty);
        put(out, "@", r->last_px);
        break;
    case TW_EXEC_NEW:             strcat(out, "new"); break;
    case TW_EXEC_CANCELED:        strcat(out, "canceled"); break;
    case TW_EXEC_EXPIRED:         strcat(out, "expired"); break;
    case TW_EXEC_REPLACED:        strcat(out, "replaced"); break;
    case TW_EXEC_REJECTED:        strcat(out, "rejected"); break;
    case TW_EXEC_CANCEL_REJECTED: strcat(out, "refused"); break;
    default:                      strcat(out, "?"); break;
    }
    if (r->reason) strcat(strcat(out, " because "), tw_reason_text(r->reason));
    if (s->cause) sprintf(out + strlen(out), " by %" PRIu64, s->cause);
}

static void put_step(char *out, const struct tw_probe *p, const struct tw_step *s)
{
    if (out[0]) strcat(out, ", ");
    if (s->kind == TW_STEP_LOOK) {
        put_look(out, s);
        return;
    }
    if (s->kind == TW_STEP_REPORT) {
        put_report(out, s);
        return;
    }
    strcat(out, s->refused ? "refused" : tw_step_text(s->kind));
    if (s->kind == TW_STEP_SENT || s->kind == TW_STEP_CANCEL
        || s->kind == TW_STEP_REPLACE)
        put(out, " ", s->arrives_ns);
    if (s->kind == TW_STEP_STOP) put(out, " ", s->level);
    if (s->kind == TW_STEP_ROOM || s->kind == TW_STEP_PARENT)
        sprintf(out + strlen(out), " %g", s->value);
    if (s->kind == TW_STEP_LIMIT)
        sprintf(out + strlen(out), " %s %g %g", tw_reason_text(s->reason), s->value,
                s->limit);
    if (s->kind == TW_STEP_END)
        strcat(strcat(out, " "), tw_order_status_text(tw_order_status(&p->order)));
}

static void is(const char *name, struct tw_probe *p, const char *expected)
{
    char *got = calloc(1, TEXT);

    for (size_t i = 0; i < p->n; i++) put_step(got, p, &p->step[i]);
    ok(strcmp(got, expected) == 0, "%s", name);
    if (strcmp(got, expected) != 0) printf("# got %s\n# not %s\n", got, expected);
    free(got);
    tw_probe_fini(p);
}

static void explains(const char *name, struct tw_simulator_options o, uint64_t id,
                     const char *text, const char *expected)
{
    struct tw_probe p = { .id = id };

    play_scene(NULL, o, text, &p);
    is(name, &p, expected);
}

#define LATE(m, s) (struct tw_simulator_options){ .model = m, \
    .submit.min_ns = SECONDS(s), .cancel.min_ns = SECONDS(s) }

/* ---- bars ---- */

static void bars(void)
{
    explains("touch: a limit", MODEL(TW_FILL_TOUCH), 1,
             "bar 60 10 11 9 10 100\n"
             "buy 1 5 limit 9\n"
             "bar 120 10.5 12 9.01 11 100\nbar 180 10 12 9.5 11 100\n"
             "bar 240 10 12 8 9 100\n",
             "decided, sent 60, new, not_reached x2 9.01..9.5 /9, meets 9 /9 5,"
             " fill 5@9, end filled");
    explains("touch: what began before it arrived", LATE(TW_FILL_TOUCH, 1), 1,
             "bar 60 10 11 9 10 100\n"
             "sell 1 5 market\n"
             "bar 120 10 11 9 10 100\nbar 180 10 11 9 10 100\nbar 240 10.5 11 9 10 1\n",
             "decided, sent 61, new, not_there, meets 10 5, fill 5@10, end filled");
    explains("touch: a stop", MODEL(TW_FILL_TOUCH), 1,
             "bar 60 10 11 9 10 100\n"
             "buy 1 5 stop at 12\n"
             "bar 120 10 11 9 10 100\nbar 180 10 11.5 9 10 100\n"
             "bar 240 11 13 11 12 100\n",
             "decided, sent 60, new, stop x2 11..11.5 /12, triggered 12 /12, meets 12 5,"
             " fill 5@12, end filled");
    explains("touch: a stop limit that is triggered past its limit",
             MODEL(TW_FILL_TOUCH), 1,
             "bar 60 10 11 9 10 100\n"
             "buy 1 5 stop_limit 11.9 at 12\n"
             "bar 120 11 13 11 12.5 100\nbar 180 12 13 11.9 12.5 100\n",
             "decided, sent 60, new, triggered 12 /12, inside 12 /11.9,"
             " meets 11.9 /11.9 5, fill 5@11.9, end filled");
    explains("touch: a trailing stop", MODEL(TW_FILL_TOUCH), 1,
             "bar 60 10 11 9 10 100\n"
             "sell 1 5 trailing_stop trail 2\n"
             "bar 120 10 11 9 10 100\nbar 180 10 13 10 12 100\n"
             "bar 240 12 12 10 10 100\n",
             "decided, sent 60, new, stop 8, stop x2 9..10 /8>11, triggered 11 /11,"
             " meets 11 5, fill 5@11, end filled");
    explains("through: a limit that is touched", MODEL(TW_FILL_THROUGH), 1,
             "bar 60 10 11 9 10 100\n"
             "sell 1 5 limit 11\n"
             "bar 120 10 11 9 10 100\nbar 180 10 10.5 9 10 100\n"
             "bar 240 10 11.01 9 10 1\n",
             "decided, sent 60, new, touched 11 /11, not_reached 10.5 /11,"
             " meets 11 /11 5, fill 5@11, end filled");
    explains("next open", MODEL(TW_FILL_NEXT_OPEN), 1,
             "bar 60 10 11 9 10 100\n"
             "buy 1 5 limit 9\n"
             "bar 120 10 11 8 10 100\nbar 180 9.5 11 8 10 100\nbar 240 8 9 8 9 100\n",
             "decided, sent 60, new, open x2 9.5..10 /9, meets 8 /9 5, fill 5@8,"
             " end filled");
    explains("next open: a stop", MODEL(TW_FILL_NEXT_OPEN), 1,
             "bar 60 10 11 9 10 100\n"
             "buy 1 5 stop at 12\n"
             "bar 120 10 13 9 10 100\nbar 180 12.5 13 12 13 100\n",
             "decided, sent 60, new, stop 10 /12, triggered 12.5 /12, meets 12.5 5,"
             " fill 5@12.5, end filled");
    explains("volume: what another took", TENTH, 2,
             "bar 60 10 11 9 10 100\n"
             "buy 1 8 market\nbuy 2 9 market\nbuy 3 1 market\n"
             "bar 120 10 11 9 10 100\nbar 180 10 11 9 10 100\n",
             "decided, sent 60, new, meets 10 2 left 2 of 10, fill 2@10,"
             " meets 10 7 left 10 of 10, fill 7@10, end filled");
    explains("volume: nothing is left", TENTH, 2,
             "bar 60 10 11 9 10 100\n"
             "buy 1 10 market\nbuy 2 9 market\n"
             "bar 120 10 11 9 10 100\n",
             "decided, sent 60, new, taken 10 left 0 of 10, end new");
}

/* ---- quotes and trades ---- */

static void quotes(void)
{
    explains("quote: a limit", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 5 limit 10\n"
             "quote 2 9.9 5 10.1 5\nquote 3 9.9 5 0 0\nquote 4 9.9 5 10.3 5\n"
             "trade 4 9.5 100\nquote 5 9.8 5 9.9 3\n",
             "decided, sent 1, new, not_reached x2 10.1..10.3 /10, no_price /10, kind,"
             " meets 10 /10 3 left 3 of 3, fill 3@10, end partially_filled");
    explains("quote: a stop", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "sell 1 5 stop at 9.5\n"
             "quote 2 9.9 5 10.1 5\nquote 3 9.4 2 10.1 5\n",
             "decided, sent 1, new, stop 9.9 /9.5, triggered 9.4 /9.5,"
             " meets 9.4 2 left 2 of 2, fill 2@9.4, end partially_filled");
    explains("quote: nothing is left", MODEL(TW_FILL_QUOTE), 2,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 5 market\nbuy 2 1 market\n"
             "quote 2 9.9 5 10.1 5\nquote 3 9.9 5 10.1 5\nquote 4 9.9 5 10.1 6\n",
             "decided, sent 1, new, taken x2 10.1 left 0 of 5,"
             " meets 10.1 1 left 6 of 6, fill 1@10.1, end filled");
    explains("queue: behind what is shown", MODEL(TW_FILL_QUEUE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 5 limit 9.8\n"
             "quote 2 9.9 5 10.1 5\nquote 3 9.8 50 10.1 5\ntrade 4 9.8 20\n"
             "trade 5 9.8 33\ntrade 6 9.7 1\nquote 7 9.7 4 9.8 9\n",
             "decided, sent 1, new, not_reached 10.1 /9.8,"
             " queued x2 mixed 9.8..10.1 /9.8 behind 50>30,"
             " meets 9.8 /9.8 behind 0 3 left 33 of 33, fill 3@9.8,"
             " meets 9.8 /9.8 behind 0 1 left 1 of 1, fill 1@9.8,"
             " meets 9.8 /9.8 behind 0 1 left 9 of 9, fill 1@9.8, end filled");
    explains("queue: no quote has shown what is before it", MODEL(TW_FILL_QUEUE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 5 limit 9.8\n"
             "quote 2 9.9 5 10.1 5\ntrade 3 9.8 50\n",
             "decided, sent 1, new, not_reached 10.1 /9.8, queued 9.8 /9.8, end new");
    explains("queue: what trades do not tell", MODEL(TW_FILL_QUEUE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 5 stop at 11\n"
             "trade 2 12 5\nquote 3 9.9 5 10.1 5\n",
             "decided, sent 1, new, kind 12 /11, stop 10.1 /11, end new");
    explains("volume: less than a lot", TENTH, 1,
             "lot 10\ntrade 1 10 5\n"
             "buy 1 20 market\n"
             "trade 2 10 50\ntrade 3 10 150\n",
             "decided, sent 1, new, taken 10 left 5 of 5, meets 10 10 left 15 of 15,"
             " fill 10@10, end partially_filled");
    explains("volume: trades", MODEL(TW_FILL_VOLUME), 1,
             "trade 1 10 5\n"
             "sell 1 5 limit 11\n"
             "trade 2 10 5\ntrade 3 11.5 3\n",
             "decided, sent 1, new, not_reached 10 /11, meets 11 /11 3 left 3 of 3,"
             " fill 3@11, end partially_filled");
}

/* ---- requests, times in force, groups ---- */

static void requests(void)
{
    explains("latency, and a cancel", LATE(TW_FILL_QUOTE, 2), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 5 limit 9.8\n"
             "quote 2 9.9 5 10.1 5\nquote 3 9.9 5 10.1 5\nquote 4 9.9 5 10.1 5\n"
             "cancel 1\nquote 7 9.9 5 10.1 5\ncancel 1\nquote 11 9 1 10 1\n",
             "decided, sent 3, not_there, new, not_reached x2 10.1 /9.8, cancel 6,"
             " canceled, cancel 9, refused because too late: it had ended, or"
             " traded as much, end canceled");
    explains("a replacement", LATE(TW_FILL_QUOTE, 1), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 5 limit 9.8\n"
             "quote 3 9.9 5 10.1 5\nreplace 1 7 10.1\nquote 5 9.9 5 10.1 9\n",
             "decided, sent 2, new, not_reached 10.1 /9.8, replace 4, replaced,"
             " meets 10.1 /10.1 7 left 9 of 9, fill 7@10.1, end filled");
    explains("immediate or cancel", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 9 limit 10.1 tif ioc\n"
             "quote 2 9.9 5 10.1 6\n",
             "decided, sent 1, new, meets 10.1 /10.1 6 left 6 of 6, fill 6@10.1,"
             " canceled because immediate or cancel: the rest was not there at once,"
             " end canceled");
    explains("fill or kill", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 9 limit 10.1 tif fok\n"
             "quote 2 9.9 5 10.1 6\n",
             "decided, sent 1, new, meets 10.1 /10.1 6 left 6 of 6, canceled because"
             " fill or kill: not all of it was there at once, end canceled");
    explains("post only", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 9 limit 10.1 post\n"
             "quote 2 9.9 5 10.1 6\n",
             "decided, sent 1, new, meets 10.1 /10.1 6 left 6 of 6, canceled because"
             " post-only: it would trade at once, end canceled");
    explains("good till date", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 5\n"
             "buy 1 9 limit 9 tif gtd until 3\n"
             "quote 2 9.9 5 10.1 6\nquote 9 9 9 9 9\n",
             "decided, sent 1, new, not_reached 10.1 /9, expired, end expired");
    explains("reduce only", MODEL(TW_FILL_QUOTE), 2,
             "quote 1 9.9 5 10.1 9\n"
             "buy 1 3 market\n"
             "sell 2 5 market reduce\n"
             "quote 2 9.9 5 10.1 9\nquote 3 9.9 6 10.1 9\n",
             "decided, sent 1, new, meets 9.9 5 left 5 of 5, room 3, fill 3@9.9,"
             " meets 9.9 2 left 6 of 6, room 0, canceled because reduce-only: it can"
             " only reduce the position, end canceled");
    explains("one that is no larger than what is left of the other",
             MODEL(TW_FILL_QUOTE), 2,
             "quote 1 9.9 5 10.1 9\n"
             "buy 1 20 limit 10.1 oco 1\n"
             "buy 2 3 stop at 10.3 oco 1\n"
             "quote 2 9.9 5 10.1 9\nquote 3 10 5 10.4 20\n",
             "decided, sent 1, new, stop 10.1 /10.3, triggered 10.4 /10.3,"
             " meets 10.4 3 left 20 of 20, fill 3@10.4, end filled");
    explains("immediate or cancel, within a bar", MODEL(TW_FILL_TOUCH), 1,
             "bar 60 10 11 9 10 100\n"
             "buy 1 5 limit 9.5 tif ioc\n"
             "bar 120 10 11 9 10 100\n",
             "decided, sent 60, new, open 10 /9.5, canceled because immediate or cancel:"
             " the rest was not there at once, end canceled");
    explains("one cancels the other", MODEL(TW_FILL_QUOTE), 2,
             "quote 1 9.9 5 10.1 9\n"
             "buy 1 3 market oco 1\n"
             "buy 2 3 limit 9 oco 1\n"
             "quote 2 9.9 5 10.1 9\n",
             "decided, sent 1, new, canceled because one cancels the other: another"
             " one was filled by 1, end canceled");
}

/* ---- sessions ---- */

static void sessions(void)
{
    explains("on close: the last quote before it", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 9\n"
             "buy 1 3 limit 10 tif cls\n"
             "quote 2 9.9 5 10 9\nquote 86401 9.9 5 10.1 9\n",
             "decided, sent 1, new, before_close, meets 10 /10 3, fill 3@10, end filled");
    explains("on close: too high", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 9\n"
             "buy 1 3 limit 9.5 tif cls\n"
             "quote 2 9.9 5 10 9\nquote 86401 9.9 5 10.1 9\n",
             "decided, sent 1, new, before_close, not_reached 10 /9.5, expired,"
             " end expired");
    explains("on open: the next day's", MODEL(TW_FILL_QUOTE), 1,
             "quote 1 9.9 5 10.1 9\n"
             "buy 1 3 market tif opg\n"
             "quote 2 9.9 5 10 9\nquote 86401 9.9 5 10.1 9\n",
             "decided, sent 1, new, before_open, meets 10.1 3 left 9 of 9, fill 3@10.1,"
             " end filled");
}

/* ---- the broker's part ---- */

struct desk {
    struct tw_broker *broker;
    struct tw_probe probe;
    struct tw_order order[8];
    uint64_t seq;
};

static void begin(struct desk *d, uint64_t id, struct tw_limits limits)
{
    *d = (struct desk){ .probe.id = id };
    d->broker = tw_broker_new(&(struct tw_broker_options){ .limits = limits,
        .simulator.model = TW_FILL_QUOTE });
    tw_broker_probe(d->broker, &d->probe);
}

static void quote(struct desk *d, int64_t bid, int64_t ask)
{
    struct tw_record r = { .kind = TW_QUOTE, .symbol = 1, .seq = ++d->seq,
        .quote = { SECONDS(bid), SECONDS(ask), SECONDS(9), SECONDS(9) } };

    r.time = SECONDS(d->seq);
    tw_broker_record(d->broker, &r);
}

static void submit(struct desk *d, int n, struct tw_order o)
{
    struct tw_error error;

    d->order[n] = o;
    d->order[n].symbol = 1;
    d->order[n].tif = TW_TIF_GTC;
    if (tw_broker_submit(d->broker, &d->order[n], &error) < 0)
        printf("# %s\n", error.text);
}

static void finish(struct desk *d, const char *name, const char *expected)
{
    struct tw_told told;

    tw_probe_end(&d->probe, 0);
    while (tw_broker_next(d->broker, &told)) { }
    is(name, &d->probe, expected);
    tw_broker_free(d->broker);
}

#define BUY(n, t) .side = TW_SIDE_BUY, .quantity = SECONDS(n), .type = TW_TYPE_##t
#define SELL(n, t) .side = TW_SIDE_SELL, .quantity = SECONDS(n), .type = TW_TYPE_##t

static void limits(void)
{
    const struct tw_limits some = { .order_quantity = SECONDS(100), .orders = 9,
        .per_ns = SECONDS(1), .order_value = (tw_money)SECONDS(5000),
        .position = SECONDS(50), .open_orders = 1 };
    struct desk d;

    begin(&d, 1, some);
    quote(&d, 10, 12);
    submit(&d, 1, (struct tw_order){ BUY(60, MARKET) });
    finish(&d, "the limit that refuses, and those before it",
           "decided, limit too many orders are open 1 1,"
           " limit too many orders in this time 1 9,"
           " limit the quantity is above the limit for an order 60 100,"
           " limit the value is above the limit for an order 660 5000,"
           " refused the position would be above its limit 60 50,"
           " rejected because the position would be above its limit, end rejected");
    begin(&d, 2, (struct tw_limits){ .collar = SECONDS(1) / 10 });
    quote(&d, 10, 10);
    submit(&d, 1, (struct tw_order){ BUY(1, MARKET) });
    submit(&d, 2, (struct tw_order){ BUY(1, LIMIT),
                                     .price = SECONDS(8) });
    finish(&d, "another order's are not told of",
           "decided, refused the price is too far from the market 2 1, rejected because"
           " the price is too far from the market, end rejected");
    begin(&d, 1, (struct tw_limits){ .order_quantity = SECONDS(9) });
    quote(&d, 10, 12);
    submit(&d, 1, (struct tw_order){ BUY(1, LIMIT),
                                     .price = SECONDS(9) });
    quote(&d, 10, 12);
    tw_broker_replace(d.broker, &d.order[1], SECONDS(10), 0, 0, &(struct tw_error){ 0 });
    finish(&d, "a replacement that is refused",
           "decided, limit the quantity is above the limit for an order 1 9, sent 1,"
           " new, not_reached 12 /9,"
           " refused the quantity is above the limit for an order 10 9, refused because"
           " the quantity is above the limit for an order, end new");
}

static void brackets(void)
{
    struct desk d;

    begin(&d, 2, (struct tw_limits){ 0 });
    quote(&d, 10, 12);
    submit(&d, 1, (struct tw_order){ BUY(5, MARKET) });
    submit(&d, 2, (struct tw_order){ SELL(1, STOP), .stop = SECONDS(9),
                                     .parent = 1 });
    submit(&d, 3, (struct tw_order){ SELL(1, LIMIT),
                                     .price = SECONDS(15), .parent = 1 });
    quote(&d, 10, 12);
    quote(&d, 11, 12);
    quote(&d, 15, 16);
    finish(&d, "a bracket: the other side was filled",
           "decided, parent 5, sent 2, new, stop x2 11..15 /9, canceled because one"
           " cancels the other: another one was filled by 3, end canceled");
}

/* ---- any order, any records ---- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* A scene of 8 orders at random. */
static void write_scene(char *out, uint32_t seed)
{
    static const char *const types[] = { "market", "limit", "stop", "stop_limit",
                                         "trailing_stop" };
    static const char *const more[] = { "", "", " tif ioc", " tif fok", " tif day",
        " tif gtd until 1800", " reduce", " oco 7", " oco 7", " tif cls", " tif opg" };
    uint32_t s = seed;
    int orders = 0;

    out[0] = '\0';
    for (int i = 1; i < 60; i++) {
        int price = 90 + (int)(next_random(&s) % 20), what = (int)(next_random(&s) % 4);
        int size = 1 + (int)(next_random(&s) % 9);

        out += strlen(out);
        if (what == 0)
            sprintf(out, "trade %d %d %d\n", i * 60, price, size);
        else if (what == 1)
            sprintf(out, "bar %d %d %d %d %d %d\n", i * 60, price, price + 3, price - 4,
                    price + 1, size);
        else
            sprintf(out, "quote %d %d %d %d %d\n", i * 60, price, size, price + 1, size);
        out += strlen(out);
        if (orders < 8 && next_random(&s) % 4 == 0) {
            unsigned type = next_random(&s) % 5;

            sprintf(out, "%s %d %d %s", size % 2 ? "buy" : "sell", ++orders, size * 2,
                    types[type]);
            out += strlen(out);
            if (type == 1 || type == 3) out += sprintf(out, " %d", price + 2);
            if (type == 2 || type == 3) out += sprintf(out, " at %d", price - size % 3);
            if (type == 4) out += sprintf(out, " trail 4");
            sprintf(out, "%s\n", more[next_random(&s) % 11]);
        } else if (orders > 0 && next_random(&s) % 9 == 0) {
            sprintf(out, "cancel %d\n", orders);
        }
    }
}

/* The fills add up, time does not go back, nothing is told after the end; and no order
 * has a step more for every record. */
static bool adds_up(const struct tw_probe *p)
{
    int64_t filled = 0, before_ns = 0;
    size_t looks = 0, others = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct tw_step *s = &p->step[i];

        if (s->kind == TW_STEP_LOOK) looks++;
        else others++;
        if (s->kind == TW_STEP_REPORT && s->report.exec == TW_EXEC_TRADE)
            filled += s->report.last_qty;
        if (s->kind == TW_STEP_END) return i + 1 == p->n && filled == p->order.cum_qty
                                        && looks <= others * TW_VERDICTS;
        if (s->kind == TW_STEP_LOOK && s->count == 0) return false;
        if (s->kind != TW_STEP_LOOK && s->time_ns < before_ns) return false;
        if (s->kind != TW_STEP_LOOK) before_ns = s->time_ns;
    }
    return p->n == 0 && p->order.id == 0;
}

static void at_random(void)
{
    static char text[16384];
    unsigned runs = getenv("SMALL") ? 40 : 400, wrong = 0, filled = 0, told = 0;

    for (unsigned i = 0; i < runs; i++) {
        struct tw_simulator_options o = LATE((enum tw_fill_model)(i % TW_FILL_MODELS),
                                             i % 3);

        write_scene(text, i + 1);
        for (uint64_t id = 1; id <= 8; id++) {
            struct tw_probe p = { .id = id };

            play_scene(NULL, o, text, &p);
            if (!adds_up(&p) && wrong++ == 0)
                printf("# model %d, order %d of\n%s\n", (int)o.model, (int)id, text);
            filled += p.order.cum_qty > 0;
            told += p.n > 0;
            tw_probe_fini(&p);
        }
    }
    ok(wrong == 0, "of any order the fills add up (%u of %u orders have some)", filled,
       told);
    ok(filled > told / 8 && filled < told, "some are filled, some not");
}

/* Any allocation may fail: the run goes on, and the probe says that it lost something. */
static void without_memory(void)
{
    unsigned lost = 0;

    for (uint64_t n = 1; n < 12; n++) {
        struct tw_probe p = { .id = 1 };
        struct tw_order o = { .id = 1, .status = TW_STATUS_NEW };
        struct tw_report r = { .exec = TW_EXEC_PENDING_NEW };

        tw_memory_fail_at(n);
        for (int i = 0; i < 100; i++) tw_probe_report(&p, &o, &r, NULL);
        tw_memory_fail_at(0);
        lost += p.lost;
        ok(p.lost ? p.n < 100 : p.n == 100, "allocation %d fails", (int)n);
        tw_probe_fini(&p);
    }
    ok(lost == 4, "what is lost is said (%u)", lost);
}

int main(void)
{
    bars();
    quotes();
    requests();
    sessions();
    limits();
    brackets();
    at_random();
    without_memory();
    return tap_done();
}
