/* simulator.c - the simulated venue: scenes of records and orders, and what it reports.
 *
 * A scene is text, one thing a line.  Times are seconds, prices and sizes decimals:
 *
 *   quote T BID SIZE ASK SIZE | trade T PRICE SIZE | bar T OPEN HIGH LOW CLOSE VOLUME
 *                                                  (60 s long; T is its end)
 *   tick T                                         (a timer: time goes on)
 *   buy|sell ID QUANTITY TYPE [PRICE] [at STOP] [trail D] [tif NAME] [until T] [post]
 *            [reduce] [oco GROUP]
 *   cancel ID | replace ID QUANTITY PRICE
 *   = REPORT                                       (what came since the last =)
 */
#include "trade/simulator.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tap.h"
#include "trade/terms.h"

enum { ORDERS = 64 };

struct scene {
    struct tw_simulator *venue;
    struct tw_order order[ORDERS];
    struct tw_terms terms;
    uint64_t seq;
    int64_t now_ns, position;
    char got[4096];
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
    } else if (strcmp(word[0], "bar") == 0 && n > 6) {
        struct tw_ohlc bar = { fixed(word[2]), fixed(word[3]), fixed(word[4]),
                               fixed(word[5]), fixed(word[6]) };

        tw_bar_set(&r, &bar, 60, TW_BAR_TRADES);
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
        else if (strcmp(word[i], "until") == 0) o->expire_ns = fixed(word[++i]);
        else if (strcmp(word[i], "tif") == 0)
            o->tif = (uint8_t)tw_time_in_force_find(word[++i]);
        else if (strcmp(word[i], "oco") == 0) o->group = (uint64_t)atoi(word[++i]);
        else if (strcmp(word[i], "post") == 0) o->post_only = true;
        else if (strcmp(word[i], "reduce") == 0) o->reduce_only = true;
        else o->price = fixed(word[i]);
    }
    tw_order_apply(o, &pending);
    tw_simulator_submit(s->venue, o);
}

static void do_line(struct scene *s, char *line, const char *name)
{
    char *word[16], *place = NULL;
    int n = 0;

    while (*line == ' ') line++;
    if (*line == '=') {
        line += line[1] == ' ' ? 2 : 1;
        ok(strcmp(s->got, line) == 0, "%s: %s", name, line);
        if (strcmp(s->got, line) != 0) printf("# got %s\n", s->got);
        s->got[0] = '\0';
        return;
    }
    for (char *w = strtok_r(line, " ", &place); w && n < 16;
         w = strtok_r(NULL, " ", &place))
        word[n++] = w;
    if (n == 0) return;
    if (strcmp(word[0], "buy") == 0 || strcmp(word[0], "sell") == 0) {
        do_order(s, word, n);
    } else if (strcmp(word[0], "cancel") == 0) {
        tw_simulator_cancel(s->venue, &s->order[atoi(word[1])], s->now_ns);
    } else if (strcmp(word[0], "replace") == 0) {
        tw_simulator_replace(s->venue, &s->order[atoi(word[1])], fixed(word[2]),
                             fixed(word[3]), 0, s->now_ns);
    } else {
        do_record(s, word, n);
    }
}

static void play(const char *name, struct tw_simulator_options o, const char *text)
{
    struct scene *s = calloc(1, sizeof *s);
    char *copy = strdup(text), *place = NULL;

    s->terms.tick = TW_FIXED_ONE / 100;
    s->venue = tw_simulator_new(&o, write_report, room_of, s);
    for (char *line = strtok_r(copy, "\n", &place); line;
         line = strtok_r(NULL, "\n", &place))
        do_line(s, line, name);
    tw_simulator_free(s->venue);
    free(copy);
    free(s);
}

#define MODEL(m) (struct tw_simulator_options){ .model = m }
#define SECONDS(n) ((n) * TW_FIXED_ONE)

/* ---- bars ---- */

static void bars(void)
{
    play("next bar", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "buy 1 5 market\n"
         "=\n"
         "bar 120 10.5 12 10 11 100\n"
         "= 1 new, 1 5@10.5\n");
    play("an older bar", MODEL(TW_FILL_TOUCH),   /* of a shorter time: began before */
         "bar 60 10 11 9 10 100\n"
         "buy 1 5 market\n"
         "bar 90 10.5 12 10 11 100\n"
         "= 1 new\n"
         "bar 150 10.7 12 10 11 100\n"
         "= 1 5@10.7\n");
    play("limits touch", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "buy 1 5 limit 9\n"
         "buy 2 5 limit 9.01\n"
         "buy 3 5 limit 10.6\n"
         "sell 4 5 limit 12.01\n"
         "sell 5 5 limit 12\n"
         "bar 120 10.5 12 9.01 11 100\n"
         "= 1 new, 2 new, 3 new, 4 new, 5 new, 2 5@9.01+, 3 5@10.5, 5 5@12+\n"
         "bar 180 8 8 8 8 100\n"
         "= 1 5@8+\n");
    play("limits through", MODEL(TW_FILL_THROUGH),
         "bar 60 10 11 9 10 100\n"
         "buy 1 5 limit 9.01\n"
         "bar 120 10.5 12 9.01 11 100\n"
         "= 1 new\n"
         "bar 180 10.5 12 9 11 100\n"
         "= 1 5@9.01+\n");
    play("next open", MODEL(TW_FILL_NEXT_OPEN),
         "bar 60 10 11 9 10 100\n"
         "buy 1 5 limit 9\n"
         "buy 2 5 stop at 10.6\n"
         "bar 120 10.5 12 8 11 100\n"
         "= 1 new, 2 new\n"
         "bar 180 9 12 9 11 100\n"
         "= 1 5@9+\n"
         "bar 240 10.7 12 9 11 100\n"
         "= 2 5@10.7\n");
    play("stops", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "sell 1 5 stop at 9.5\n"
         "buy 2 5 stop at 10.4\n"
         "sell 3 5 stop_limit 9.6 at 9.5\n"
         "sell 4 5 stop_limit 9.4 at 9.5\n"
         "bar 120 10.5 10.5 9.4 10 100\n"
         "= 1 new, 2 new, 3 new, 4 new, 1 5@9.5, 2 5@10.5, 4 5@9.5\n"
         "bar 180 9.5 9.6 9.5 9.5 100\n"
         "= 3 5@9.6+\n");
    play("trailing", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "sell 1 5 trailing_stop trail 1\n"            /* from the close: 9 */
         "bar 120 10 12 9.5 11.5 100\n"                /* then from the high: 11 */
         "= 1 new\n"
         "bar 180 11.5 11.6 11.2 11.5 100\n"
         "=\n"
         "bar 240 11.5 11.5 10 10 100\n"
         "= 1 5@11\n");
    play("stop before limit", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "sell 1 5 limit 11 oco 7\n"
         "sell 2 5 stop at 9 oco 7\n"
         "bar 120 10 11 9 10 100\n"
         "= 1 new, 2 new, 2 5@9, 1 canceled\n");
    play("a part of one", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "sell 1 5 limit 10.1 oco 7\n"
         "sell 2 5 stop at 9 oco 7\n"
         "quote 2 9.99 5 10.01 3\n"
         "quote 3 10.1 2 10.2 3\n"
         "= 1 new, 2 new, 1 2@10.1+, 2 replaced\n"
         "quote 4 8.99 9 9.1 3\n"
         "= 2 3@8.99, 1 canceled\n");
    play("volume", (struct tw_simulator_options){ .model = TW_FILL_VOLUME,
                                                  .share = TW_FIXED_ONE / 10 },
         "bar 60 10 11 9 10 100\n"
         "buy 1 15 market\n"
         "sell 2 3 market\n"
         "bar 120 10 11 9 10 100\n"
         "= 1 new, 2 new, 1 10@10\n"
         "bar 180 10 11 9 10 100\n"
         "= 1 5@10, 2 3@10\n");
}

/* ---- quotes and trades ---- */

static void quotes(void)
{
    play("quote", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 5 market\n"
         "=\n"
         "quote 2 9.99 5 10.01 3\n"
         "= 1 new, 1 3@10.01\n"
         "quote 3 9.99 5 10.01 3\n"          /* the same size: it is taken */
         "=\n"
         "quote 4 9.99 5 10.02 3\n"
         "= 1 2@10.02\n"
         "sell 2 6 limit 9.98\n"
         "sell 3 6 limit 10.00\n"
         "quote 5 9.98 7 10.02 3\n"
         "= 2 new, 3 new, 2 6@9.98\n"
         "quote 6 10.01 4 10.02 3\n"
         "= 3 4@10+\n");
    play("one size for two", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 2 market\n"
         "buy 2 2 market\n"
         "quote 2 9.99 5 10.02 3\n"
         "= 1 new, 2 new, 1 2@10.02, 2 1@10.02\n");
    play("size not known", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 0 10.01 0\n"
         "buy 1 1000000 market\n"
         "quote 2 9.99 0 10.01 0\n"
         "= 1 new, 1 1000000@10.01\n");
    play("ioc, fok, post", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 5 limit 10.01 tif ioc\n"
         "buy 2 5 limit 10.01 tif fok\n"
         "buy 3 5 limit 10.00 tif ioc\n"
         "buy 4 5 limit 10.02 post\n"
         "buy 5 5 limit 9.99 post\n"
         "quote 2 9.99 5 10.01 4\n"
         "= 1 new, 2 new, 3 new, 4 new, 5 new, 1 4@10.01, 1 canceled, 2 canceled,"
         " 3 canceled, 4 canceled\n"
         "quote 4 9.97 5 9.99 9\n"
         "= 5 5@9.99+\n");
    play("stop", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "sell 1 5 stop at 9.95\n"
         "quote 2 9.96 5 9.98 3\n"
         "= 1 new\n"
         "quote 3 9.94 2 9.98 3\n"
         "= 1 2@9.94\n"
         "quote 4 9.97 5 9.98 3\n"
         "= 1 3@9.97\n");
    play("queue", MODEL(TW_FILL_QUEUE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 4 limit 9.99\n"
         "quote 2 9.99 5 10.01 3\n"
         "= 1 new\n"
         "trade 3 9.99 3\n"
         "=\n"
         "trade 4 9.99 3\n"
         "= 1 1@9.99+\n"
         "trade 5 9.98 2\n"
         "= 1 2@9.99+\n"
         "quote 6 9.97 5 9.99 8\n"
         "= 1 1@9.99+\n");
    play("queue shrinks", MODEL(TW_FILL_QUEUE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 4 limit 9.99\n"
         "quote 2 9.99 5 10.01 3\n"
         "quote 3 9.99 2 10.01 3\n"
         "trade 4 9.99 3\n"
         "= 1 new, 1 1@9.99+\n");
    play("trades alone", MODEL(TW_FILL_AUTO),
         "trade 1 10 5\n"
         "buy 1 8 market\n"
         "trade 2 10.1 5\n"
         "trade 3 10.2 5\n"
         "= 1 new, 1 5@10.1, 1 3@10.2\n");
}

/* ---- time ---- */

static void times(void)
{
    const struct tw_latency second = { .min_ns = SECONDS(1) };
    const int64_t list[] = { SECONDS(2) };

    play("latency", (struct tw_simulator_options){ .model = TW_FILL_QUOTE,
                                                   .submit = second, .cancel = second },
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 1 market\n"
         "quote 1.5 9.99 5 10.02 3\n"
         "=\n"
         "quote 2 9.99 5 10.03 3\n"
         "= 1 new, 1 1@10.03\n"
         "buy 2 1 limit 9\n"
         "cancel 2\n"
         "buy 3 1 limit 9.5\n"
         "tick 4\n"
         "= 2 new, 2 canceled, 3 new\n"
         "cancel 3\n"
         "quote 4.5 9.4 5 9.45 3\n"
         "= 3 1@9.45\n"
         "tick 6\n"
         "= 3 too late\n");
    play("measured", (struct tw_simulator_options){ .model = TW_FILL_QUOTE,
             .submit = { .kind = TW_LATENCY_MEASURED, .list = list, .n = 1 } },
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 1 market\n"
         "quote 2.9 9.99 5 10.02 3\n"
         "=\n"
         "quote 3 9.99 5 10.03 3\n"
         "= 1 new, 1 1@10.03\n");
    play("day and gtd", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 1 limit 9 tif day\n"
         "buy 2 1 limit 9 tif gtd until 100\n"
         "buy 3 1 limit 9 tif gtc\n"
         "quote 99 9.99 5 10.01 3\n"
         "= 1 new, 2 new, 3 new\n"
         "tick 100.5\n"
         "= 2 expired\n"
         "tick 86401\n"
         "= 1 expired\n");
    play("open and close", MODEL(TW_FILL_TOUCH),     /* a session is a day */
         "bar 60 10 11 9 10 100\n"
         "buy 1 1 market tif opg\n"
         "sell 2 1 market tif cls\n"
         "sell 3 1 limit 12 tif cls\n"
         "bar 120 10 11 9 10 100\n"
         "= 1 new, 2 new, 3 new\n"
         "bar 86400 10.5 11.5 10 11.4 100\n"
         "= 2 1@11.4, 3 expired\n"
         "bar 86460 12 12 12 12 100\n"
         "= 1 1@12\n");
    play("close of quotes", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "sell 1 1 market tif cls\n"
         "quote 86399 9.5 5 9.6 3\n"
         "= 1 new\n"
         "quote 86401 11 5 12 3\n"
         "= 1 1@9.5\n");
    play("replace", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 5 limit 9\n"
         "replace 1 6 10.02\n"
         "quote 2 9.99 5 10.01 4\n"
         "= 1 new, 1 replaced, 1 4@10.01\n"
         "replace 1 4 10.02\n"
         "tick 3\n"
         "= 1 too late\n");
}

static void costs(void)
{
    play("ticks", (struct tw_simulator_options){ .model = TW_FILL_QUOTE,
                                                 .slippage = { .ticks = 2 } },
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 1 market\n"
         "sell 2 1 market\n"
         "buy 3 1 limit 10.01\n"
         "quote 2 9.99 5 10.01 4\n"
         "= 1 new, 2 new, 3 new, 1 1@10.03, 2 1@9.97, 3 1@10.01\n");
    play("bps", (struct tw_simulator_options){ .model = TW_FILL_QUOTE,
                                               .slippage = { .bps = SECONDS(15) } },
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 1 market\n"
         "quote 2 9.99 5 10.01 4\n"           /* 0.015015: 2 ticks */
         "= 1 new, 1 1@10.03\n");
    play("impact", (struct tw_simulator_options){ .model = TW_FILL_TOUCH,
             .slippage = { .impact = TW_FIXED_ONE / 10 } },
         "bar 60 10 11 9 10 100\n"
         "buy 1 50 market\n"                  /* 0.1 * 10 * 0.5^2 = 0.25 */
         "bar 120 10 11 9 10 100\n"
         "= 1 new, 1 50@10.25\n");
    play("reduce only", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 9\n"
         "buy 1 3 market\n"
         "quote 2 9.99 5 10.02 9\n"
         "sell 2 2 limit 9.9 reduce\n"
         "sell 3 2 limit 9.9 reduce\n"
         "quote 3 9.98 9 10.02 9\n"
         "= 1 new, 1 3@10.02, 2 new, 3 new, 2 2@9.98, 3 1@9.98\n"
         "quote 4 9.99 9 10.02 9\n"
         "= 3 canceled\n");
}

/* Any allocation may fail: it is said, and nothing is lost or leaked. */
static void without_memory(void)
{
    unsigned refused = 0, done = 0;

    for (uint64_t n = 1; n < 40; n++) {
        struct tw_simulator_options o = MODEL(TW_FILL_QUOTE);
        struct scene s = { .terms = { .tick = 1 } };
        struct tw_record r = { .seq = 1, .symbol = 1, .time = 1, .kind = TW_QUOTE,
                               .quote = { 1, 2, 3, 4 } };
        unsigned taken = 0;

        tw_memory_fail_at(n);
        s.venue = tw_simulator_new(&o, write_report, room_of, &s);
        if (s.venue) {
            refused += tw_simulator_record(s.venue, &r) < 0;
            for (unsigned i = 1; i < ORDERS; i++) {
                struct tw_report pending = { .exec = TW_EXEC_PENDING_NEW };

                s.order[i] = (struct tw_order){ .id = i, .symbol = 1, .seq = 1,
                    .quantity = 1, .tif = TW_TIF_GTC, .type = TW_TYPE_MARKET,
                    .side = i % 2 ? TW_SIDE_BUY : TW_SIDE_SELL };
                tw_order_apply(&s.order[i], &pending);
                if (tw_simulator_submit(s.venue, &s.order[i]) == 0) taken++;
                else refused++;
            }
            tw_memory_fail_at(0);
            r.seq = 2;
            r.quote.ask_size = r.quote.bid_size = ORDERS;
            r.quote.ask = 3;
            r.quote.bid = 2;
            tw_simulator_record(s.venue, &r);
            for (unsigned i = 1; i < ORDERS; i++)
                if (s.order[i].status == TW_STATUS_FILLED) taken--;
            done += taken == 0;
        } else {
            refused++;
            done++;
        }
        tw_memory_fail_at(0);
        tw_simulator_free(s.venue);
    }
    ok(done == 39, "what was taken is filled, whatever memory fails (%u)", done);
    ok(refused > 10 && refused <= 39, "and each failure was said (%u)", refused);
}

int main(void)
{
    bars();
    quotes();
    times();
    costs();
    without_memory();
    return tap_done();
}
