/* scene.h - scenes of records and orders for the simulated venue, and what it reports.
 *
 * A scene is text, one thing a line.  Times are seconds, prices and sizes decimals:
 *
 *   quote T BID SIZE ASK SIZE | trade T PRICE SIZE | bar T OPEN HIGH LOW CLOSE VOLUME
 *                                                  (60 s long; T is its end)
 *   bids|asks T OPEN HIGH LOW CLOSE VOLUME         (such a bar of one side)
 *   day T OPEN HIGH LOW CLOSE VOLUME               (one of a day)
 *   tick T                                         (a timer: time goes on)
 *   buy|sell ID QUANTITY TYPE [PRICE] [at STOP] [trail D | percent P] [tif NAME]
 *            [until T] [post] [reduce] [oco GROUP]
 *   lot SIZE | grid SIZE                           (of prices)
 *   cancel ID | replace ID QUANTITY PRICE [STOP]   (0: as it is)
 *   = REPORT                                       (what came since the last =)
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "trade/probe.h"
#include "trade/simulator.h"
#include "trade/terms.h"

enum { ORDERS = 64 };

struct scene {
    struct tw_simulator *venue;
    struct tw_probe *probe;          /* of one order, or NULL */
    struct tw_order order[ORDERS];
    struct tw_terms terms;
    uint64_t seq;
    int64_t now_ns, position;
    char got[4096];
    unsigned wrong;
};

static void write_report(void *ctx, struct tw_order *o, const struct tw_report *r)
{
    struct scene *s = ctx;
    char price[TW_FIXED_TEXT], quantity[TW_FIXED_TEXT], text[200];
    const char *what = "?";

    if (!tw_order_apply(o, r)) {
        strcat(s->got, "IMPOSSIBLE ");
        return;
    }
    if (s->probe)
        tw_probe_report(s->probe, o, r, tw_simulator_market(s->venue, o->symbol));
    if (r->exec == TW_EXEC_TRADE)
        s->position += tw_order_sign(o) * r->last_qty;
    tw_fixed_format(r->last_px, price);
    tw_fixed_format(r->last_qty, quantity);
    switch (r->exec) {
    case TW_EXEC_TRADE:
        snprintf(text, sizeof text, "%d %s@%s%s", (int)r->order, quantity, price,
                 r->liquidity == TW_LIQUIDITY_ADDED ? "+" : "");
        break;
    case TW_EXEC_NEW:             what = "new"; break;
    case TW_EXEC_CANCELED:        what = "canceled"; break;
    case TW_EXEC_EXPIRED:         what = "expired"; break;
    case TW_EXEC_REPLACED:        what = "replaced"; break;
    case TW_EXEC_CANCEL_REJECTED: what = "too late"; break;
    }
    if (r->exec != TW_EXEC_TRADE)
        snprintf(text, sizeof text, "%d %s", (int)r->order, what);
    if (s->got[0]) strcat(s->got, ", ");
    strcat(s->got, text);
}

static int64_t room_of(void *ctx, const struct tw_order *o, int64_t price)
{
    int64_t position = ((struct scene *)ctx)->position * -tw_order_sign(o);

    (void)price;
    return position > 0 ? position : 0;
}

static int64_t fixed(const char *text)
{
    int64_t v = -1;

    if (!text || tw_fixed_parse(text, strlen(text), &v) < 0)
        printf("# '%s' is no number\n", text ? text : "");
    return v;
}

static void do_record(struct scene *s, char *word[], int n)
{
    struct tw_record r = { .seq = ++s->seq, .symbol = 1, .time = fixed(word[1]) };

    s->now_ns = r.time;
    if (strcmp(word[0], "quote") == 0) {
        r.kind = TW_QUOTE;
        r.quote = (struct tw_quote){ fixed(word[2]), fixed(word[4]), fixed(word[3]),
                                     fixed(word[5]) };
    } else if (strcmp(word[0], "trade") == 0) {
        r.kind = TW_TRADE;
        r.trade.price = fixed(word[2]);
        r.trade.size = fixed(word[3]);
    } else if ((strcmp(word[0], "bar") == 0 || strcmp(word[0], "day") == 0
                || strcmp(word[0], "bids") == 0 || strcmp(word[0], "asks") == 0)
               && n > 6) {
        struct tw_ohlc bar = { fixed(word[2]), fixed(word[3]), fixed(word[4]),
                               fixed(word[5]), fixed(word[6]) };

        tw_bar_set(&r, &bar, *word[0] == 'd' ? 86400 : 60,
                   word[0][0] == 'a' ? TW_BAR_ASK
                   : word[0][1] == 'i' ? TW_BAR_BID : TW_BAR_TRADES);
    } else {
        r.kind = TW_TIMER;
    }
    tw_simulator_record(s->venue, &r);
}

static void do_order(struct scene *s, char *word[], int n)
{
    struct tw_order *o = &s->order[atoi(word[1])];
    struct tw_report pending = { .exec = TW_EXEC_PENDING_NEW };

    *o = (struct tw_order){ .id = (uint64_t)atoi(word[1]), .symbol = 1, .tif = TW_TIF_GTC,
                            .side = word[0][0] == 'b' ? TW_SIDE_BUY : TW_SIDE_SELL,
                            .quantity = fixed(word[2]), .terms = &s->terms,
                            .type = (uint8_t)tw_order_type_find(word[3]),
                            .time_ns = s->now_ns, .seq = s->seq };
    for (int i = 4; i < n; i++) {
        if (strcmp(word[i], "at") == 0) o->stop = fixed(word[++i]);
        else if (strcmp(word[i], "trail") == 0) o->trail = fixed(word[++i]);
        else if (strcmp(word[i], "percent") == 0) o->trail_part = fixed(word[++i]) / 100;
        else if (strcmp(word[i], "until") == 0) o->expire_ns = fixed(word[++i]);
        else if (strcmp(word[i], "tif") == 0)
            o->tif = (uint8_t)tw_time_in_force_find(word[++i]);
        else if (strcmp(word[i], "oco") == 0) o->group = (uint64_t)atoi(word[++i]);
        else if (strcmp(word[i], "post") == 0) o->post_only = true;
        else if (strcmp(word[i], "reduce") == 0) o->reduce_only = true;
        else o->price = fixed(word[i]);
    }
    tw_order_apply(o, &pending);
    pending.time_ns = s->now_ns;
    if (s->probe)
        tw_probe_report(s->probe, o, &pending, tw_simulator_market(s->venue, 1));
    tw_simulator_submit(s->venue, o);
}

static void do_line(struct scene *s, char *line, const char *name)
{
    char *word[16], *place = NULL;
    int n = 0;

    while (*line == ' ') line++;
    if (*line == '=') {
        line += line[1] == ' ' ? 2 : 1;
        if (name) ok(strcmp(s->got, line) == 0, "%s: %s", name, line);
        if (strcmp(s->got, line) != 0) printf("# got %s\n", s->got);
        s->wrong += strcmp(s->got, line) != 0;
        s->got[0] = '\0';
        return;
    }
    for (char *w = strtok_r(line, " ", &place); w && n < 16;
         w = strtok_r(NULL, " ", &place))
        word[n++] = w;
    if (n == 0) return;
    if (strcmp(word[0], "buy") == 0 || strcmp(word[0], "sell") == 0) {
        do_order(s, word, n);
    } else if (strcmp(word[0], "lot") == 0) {
        s->terms.lot = fixed(word[1]);
    } else if (strcmp(word[0], "grid") == 0) {
        s->terms.tick = fixed(word[1]);
    } else if (strcmp(word[0], "cancel") == 0) {
        tw_simulator_cancel(s->venue, &s->order[atoi(word[1])], s->now_ns);
    } else if (strcmp(word[0], "replace") == 0) {
        tw_simulator_replace(s->venue, &s->order[atoi(word[1])], fixed(word[2]),
                             fixed(word[3]), n > 4 ? fixed(word[4]) : 0, s->now_ns);
    } else {
        do_record(s, word, n);
    }
}

/* Plays the scene; name: of its tests, or NULL: none.  probe: NULL, or told of its
 * order.  False: something was reported otherwise. */
static bool play_scene(const char *name, struct tw_simulator_options o, const char *text,
                       struct tw_probe *probe)
{
    struct scene *s = calloc(1, sizeof *s);
    char *copy = strdup(text), *place = NULL;
    bool right;

    s->terms.tick = TW_FIXED_ONE / 100;
    s->venue = tw_simulator_new(&o, write_report, room_of, s);
    s->probe = probe;
    tw_simulator_probe(s->venue, probe);
    for (char *line = strtok_r(copy, "\n", &place); line;
         line = strtok_r(NULL, "\n", &place))
        do_line(s, line, name);
    if (probe) tw_probe_end(probe, s->now_ns);
    right = s->wrong == 0;
    tw_simulator_free(s->venue);
    free(copy);
    free(s);
    return right;
}

#define MODEL(m) (struct tw_simulator_options){ .model = m }
#define SECONDS(n) ((n) * TW_FIXED_ONE)

#endif
