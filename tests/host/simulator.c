/* simulator.c - the simulated venue: scenes of records and orders, and what it reports.
 *
 * scene.h says what a scene is.
 */
#include "trade/simulator.h"

#include <stdlib.h>

#include "base/memory.h"
#include "scene.h"

/* What was told of the order, and what became of it, is the same. */
static bool agrees(const struct tw_probe *p)
{
    const struct tw_step *last = p->n > 0 ? &p->step[p->n - 1] : NULL;
    const struct tw_step *decided = NULL;
    int64_t filled = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct tw_step *s = &p->step[i];

        if (s->kind == TW_STEP_DECIDED) decided = s;
        if (s->kind == TW_STEP_REPORT && s->report.exec == TW_EXEC_TRADE) {
            filled += s->report.last_qty;
            if (i == 0 || p->step[i - 1].kind == TW_STEP_DECIDED) return false;
        }
    }
    return !last || (decided && last->kind == TW_STEP_END && !p->lost
                     && filled == p->order.cum_qty);
}

/* The scene; and again, once for each order, which is asked about: nothing changes, and
 * what is said adds up. */
static void play(const char *name, struct tw_simulator_options o, const char *text)
{
    bool fine = true;

    play_scene(name, o, text, NULL);
    for (uint64_t id = 1; id < 10; id++) {
        struct tw_probe probe = { .id = id };

        fine = play_scene(NULL, o, text, &probe) && fine;
        fine = agrees(&probe) && fine;
        tw_probe_fini(&probe);
    }
    ok(fine, "%s: and what is said of each order adds up", name);
}

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
    play("a stop-limit that the stop's price is not within rests from then on",
         MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "sell 1 5 stop_limit 9.6 at 9.5\n"
         "sell 2 5 stop_limit 9.6 at 9.5 post\n"
         "sell 3 5 stop_limit 9.4 at 9.5 post\n"
         "bar 120 10 10.5 9.4 9.5 100\n"
         "= 1 new, 2 new, 3 new, 3 canceled\n"
         "bar 180 9.7 9.8 9.5 9.5 100\n"
         "= 1 5@9.7+, 2 5@9.7+\n");
    play("trailing", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "sell 1 5 trailing_stop trail 1\n"            /* from the close: 9 */
         "bar 120 10 12 9.5 11.5 100\n"                /* then from the high: 11 */
         "= 1 new\n"
         "bar 180 11.5 11.6 11.2 11.5 100\n"
         "=\n"
         "bar 240 11.5 11.5 10 10 100\n"
         "= 1 5@11\n");
    play("trailing, another quantity does not move it back", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "sell 1 5 trailing_stop trail 1\n"
         "replace 1 0 0 9.2\n"
         "bar 120 10 12 9.5 11.5 100\n"
         "= 1 new, 1 replaced\n"
         "replace 1 4 0\n"
         "bar 180 11.5 11.6 11.2 11.5 100\n"
         "= 1 replaced\n"
         "bar 240 11.5 11.5 10 10 100\n"
         "= 1 4@11\n");
    play("trailing, other terms", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "buy 1 5 trailing_stop trail 1\n"             /* from the close: 11 */
         "bar 120 10 10 9 9.5 100\n"                   /* then from the low: 10 */
         "replace 1 4 0\n"                             /* which stays */
         "bar 180 9.5 9.9 9.4 9.5 100\n"               /* 10, then 10.4 from ... */
         "= 1 new, 1 replaced\n"
         "bar 240 9.5 10.3 9.5 10 100\n"               /* ... no: 10 is lower */
         "= 1 4@10\n");
    play("trailing, in percent", MODEL(TW_FILL_TOUCH),
         "grid 0.05\n"
         "bar 60 10 11 9 10.3 100\n"
         "sell 1 5 trailing_stop percent 10\n"        /* 9.27, so 9.25 */
         "buy 2 5 trailing_stop percent 33.3\n"       /* 13.7299, so 13.75 */
         "bar 120 10.3 12 9.3 11.6 100\n"             /* 10.8; of the low 12.3969: 12.4 */
         "= 1 new, 2 new\n"
         "bar 180 11.6 11.9 10.85 11.6 100\n"         /* lower, and farther: they stay */
         "=\n"
         "bar 240 11.6 12.35 10.85 11.6 100\n"        /* 11.115, so 11.1 */
         "=\n"
         "bar 300 11.6 12.4 11 11 100\n"
         "= 1 5@11.1, 2 5@12.4\n");
    play("trailing, in percent, other terms", MODEL(TW_FILL_QUOTE),
         "grid 0\n"
         "quote 1 9.9 9 10 9\n"
         "sell 1 5 trailing_stop percent 1\n"         /* 9.801, with no ticks */
         "replace 1 4 0\n"
         "quote 2 9.802 9 9.9 9\n"
         "= 1 new, 1 replaced\n"
         "replace 1 0 0 9.7\n"                        /* and 9.702 from here */
         "quote 3 9.8 9 9.9 9\n"
         "= 1 replaced\n"
         "quote 4 9.704 9 9.9 9\n"
         "=\n"
         "quote 5 9.701 9 9.9 9\n"
         "= 1 4@9.701\n");
    play("trailing, without a price", MODEL(TW_FILL_QUOTE),
         "buy 1 5 trailing_stop trail 1\n"
         "sell 2 5 trailing_stop trail 1\n"
         "quote 1 9.9 9 10 9\n"                         /* 11 and 8.9 from here */
         "= 1 new, 2 new\n"
         "quote 2 10.5 9 10.9 9\n"
         "=\n"
         "quote 3 10.8 9 11 9\n"
         "= 1 5@11\n"
         "quote 4 9.8 9 10 9\n"
         "= 2 5@9.8\n");
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
    play("in whole lots", (struct tw_simulator_options){ .model = TW_FILL_VOLUME,
                                                         .share = TW_FIXED_ONE / 10 },
         "lot 5\n"
         "bar 60 10 11 9 10 100\n"
         "buy 1 17 market\n"                     /* what is left need be none */
         "bar 120 10 11 9 10 49\n"
         "= 1 new\n"
         "bar 180 10 11 9 10 99\n"
         "= 1 5@10\n"
         "bar 240 10 11 9 10 125\n"
         "= 1 12@10\n");
}

/* ---- quotes and trades ---- */

/* F4: buys meet asks, sells bids. */
static void bars_of_sides(void)
{
    play("both sides", MODEL(TW_FILL_TOUCH),
         "bids 60 10 11 9 10 100\n"
         "buy 1 5 market\n"                       /* decided between the two */
         "asks 60 20 21 19 20 100\n"
         "buy 2 5 market\n"
         "sell 3 5 market\n"
         "buy 4 5 limit 18\n"
         "buy 5 5 market tif ioc\n"
         "sell 6 5 stop at 9.5\n"
         "= 1 new\n"
         "bids 120 10 11 9 10 100\n"
         "= 2 new, 3 new, 4 new, 5 new, 6 new, 6 5@9.5, 3 5@10\n"
         "asks 120 20.5 21 17 20 100\n"
         "= 1 5@20.5, 2 5@20.5, 4 5@18+, 5 5@20.5\n");
    play("one side", MODEL(TW_FILL_TOUCH),
         "buy 1 5 market\n"
         "sell 2 5 market\n"
         "bids 60 10 11 9 10 100\n"               /* asks may come */
         "= 1 new, 2 new, 2 5@10\n"
         "bids 120 10.5 11 9 10 100\n"
         "= 1 5@10.5\n"
         "buy 3 5 market\n"
         "asks 180 20 21 19 20 100\n"
         "= 3 new, 3 5@20\n"
         "buy 4 5 market\n"
         "bids 240 10 11 9 10 100\n"              /* and there they are */
         "= 4 new\n"
         "asks 240 20 21 19 20 100\n"
         "= 4 5@20\n");
    play("trades beside them", MODEL(TW_FILL_TOUCH),
         "bids 60 10 11 9 10 100\n"
         "asks 60 20 21 19 20 100\n"
         "buy 1 5 market\n"
         "bar 120 15 16 14 15 100\n"
         "= 1 new, 1 5@15\n");
    play("trailing stops", MODEL(TW_FILL_TOUCH),
         "bids 60 10 11 9 10 100\n"
         "asks 60 20 21 19 20 100\n"
         "sell 1 5 trailing_stop trail 1\n"       /* from the bids' close: 9 */
         "buy 2 5 trailing_stop trail 1\n"        /* from the asks': 21 */
         "bids 120 10 12 9.5 11.5 100\n"          /* then from their high: 11 */
         "asks 120 20 20.5 18 18.5 100\n"         /* then from their low: 19 */
         "= 1 new, 2 new\n"
         "bids 180 11.5 12 11.2 11.5 100\n"
         "asks 180 18.5 18.9 18 18.5 100\n"
         "=\n"
         "bids 240 11.5 11.5 10 10 100\n"
         "= 1 5@11\n"
         "asks 240 18.5 20 18 18.5 100\n"
         "= 2 5@19\n");
    play("the close", MODEL(TW_FILL_TOUCH),
         "bids 60 10 11 9 10 100\n"
         "asks 60 20 21 19 20 100\n"
         "buy 1 5 market tif cls\n"
         "sell 2 5 market tif cls\n"
         "bids 120 10 11 9 10.5 100\n"
         "asks 120 20 21 19 20.5 100\n"
         "= 1 new, 2 new\n"
         "bids 86460 11 11 11 11 100\n"
         "= 1 5@20.5, 2 5@10.5\n");
}

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
    play("a larger one is behind the others", MODEL(TW_FILL_QUOTE),
         "quote 1 10 5 10.10 5\n"
         "buy 1 5 limit 10\n"
         "buy 2 5 limit 10\n"
         "quote 2 10 5 10.10 5\n"
         "= 1 new, 2 new\n"
         "replace 1 6 0\n"
         "quote 3 9.90 5 10 7\n"
         "= 1 replaced, 2 5@10+, 1 2@10\n");
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
    play("queue: who stands in no line hears of no trade", MODEL(TW_FILL_QUEUE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 4 limit 9.99 post\n"
         "buy 2 1 market tif ioc\n"
         "buy 3 1 limit 10.01 tif fok\n"
         "buy 4 1 limit 10.01 post\n"
         "trade 2 9.98 3\n"
         "= 1 new, 2 new, 3 new, 4 new\n"
         "quote 3 9.99 5 10.01 3\n"
         "= 2 1@10.01, 3 1@10.01, 4 canceled\n"
         "trade 4 9.99 6\n"
         "= 1 1@9.99+\n");
    play("queue: more of it goes behind, less stays", MODEL(TW_FILL_QUEUE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 4 limit 9.99\n"
         "buy 2 4 limit 9.99\n"
         "quote 2 9.99 5 10.01 3\n"
         "trade 3 9.99 3\n"
         "replace 1 6 9.99\n"
         "replace 2 3 9.99\n"
         "quote 4 9.99 5 10.01 3\n"
         "trade 5 9.99 4\n"
         "= 1 new, 2 new, 1 replaced, 2 replaced, 2 2@9.99+\n");
    play("queue shrinks", MODEL(TW_FILL_QUEUE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 4 limit 9.99\n"
         "quote 2 9.99 5 10.01 3\n"
         "quote 3 9.99 2 10.01 3\n"
         "trade 4 9.99 3\n"
         "= 1 new, 1 1@9.99+\n");
    play("queue at a price that is not the best yet", MODEL(TW_FILL_QUEUE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 4 limit 9.98\n"
         "quote 2 9.99 5 10.01 3\n"
         "trade 3 9.98 2\n"                   /* nothing is known of what is before */
         "quote 4 9.98 6 10.01 3\n"
         "trade 5 9.98 7\n"
         "= 1 new, 1 1@9.98+\n");
    play("queue at a price that is better than the best", MODEL(TW_FILL_QUEUE),
         "quote 1 9.98 5 10.01 3\n"
         "sell 1 4 limit 10\n"
         "quote 2 9.98 5 10.01 3\n"
         "trade 3 10 2\n"
         "= 1 new, 1 2@10+\n");
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
    play("an open is not what comes after it", MODEL(TW_FILL_TOUCH),
         "bar 60 10 11 9 10 100\n"
         "buy 1 1 limit 11 tif opg\n"
         "buy 2 1 limit 12 tif opg\n"
         "sell 3 1 limit 13 tif opg\n"
         "bar 86460 12 14 10 13 100\n"
         "= 1 new, 2 new, 3 new, 1 expired, 2 1@12, 3 expired\n");
    play("close of quotes", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "sell 1 1 market tif cls\n"
         "quote 86399 9.5 5 9.6 3\n"
         "= 1 new\n"
         "quote 86401 11 5 12 3\n"
         "= 1 1@9.5\n");
    play("nothing comes before the close", (struct tw_simulator_options){
             .model = TW_FILL_QUOTE, .submit = { .min_ns = SECONDS(2) } },
         "quote 86396 9.99 5 10.01 3\n"
         "sell 1 1 market tif cls\n"
         "quote 86397 9.5 5 9.6 3\n"
         "quote 86401 11 5 12 3\n"
         "= 1 new, 1 expired\n");
    play("but what decided it", MODEL(TW_FILL_QUOTE),
         "quote 86399 9.99 5 10.01 3\n"
         "sell 1 1 market tif cls\n"
         "quote 86401 11 5 12 3\n"
         "= 1 new, 1 expired\n");
    play("a price that changes within a bar", (struct tw_simulator_options){
             .model = TW_FILL_TOUCH, .submit = { .min_ns = SECONDS(30) } },
         "bar 60 10 11 9 10 100\n"
         "buy 1 1 limit 5\n"
         "bar 120 10 11 9 10 100\n"
         "replace 1 1 10.5\n"
         "bar 180 10 11 9 10 100\n"
         "= 1 new, 1 replaced\n"
         "bar 240 10.25 11 9 10 100\n"
         "= 1 1@10.25\n");
    play("a stop that does protects in that bar, too", (struct tw_simulator_options){
             .model = TW_FILL_TOUCH, .submit = { .min_ns = SECONDS(30) } },
         "bar 60 10 11 9 10 100\n"
         "sell 1 1 stop at 5\n"
         "bar 120 10 11 9 10 100\n"
         "replace 1 0 0 9.5\n"
         "bar 180 10 11 9 10 100\n"
         "= 1 new, 1 replaced, 1 1@9.5\n");
    play("replace", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 5 limit 9\n"
         "replace 1 6 10.02\n"
         "quote 2 9.99 5 10.01 4\n"
         "= 1 new, 1 replaced, 1 4@10.01\n"
         "replace 1 4 10.02\n"
         "tick 3\n"
         "= 1 too late\n");
    play("one after the other: what is not named stays", MODEL(TW_FILL_QUOTE),
         "quote 1 9.99 5 10.01 9\n"
         "buy 1 5 limit 9\n"
         "replace 1 0 10.02\n"
         "replace 1 6 0\n"
         "quote 2 9.99 5 10.01 9\n"
         "= 1 new, 1 replaced, 1 replaced, 1 6@10.01\n");
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
         "= 1 new, 2 new, 3 new, 1 1@10.03, 2 1@9.97, 3 1@10.01\n"
         "buy 4 1 stop_limit 10.05 at 10.04\n"
         "buy 5 1 stop at 10.04\n"
         "quote 3 9.99 5 10.05 4\n"            /* a limit holds */
         "= 4 new, 5 new, 4 1@10.05, 5 1@10.07\n");
    play("bps", (struct tw_simulator_options){ .model = TW_FILL_QUOTE,
                                               .slippage = { .bps = SECONDS(15) } },
         "quote 1 9.99 5 10.01 3\n"
         "buy 1 1 market\n"
         "quote 2 9.99 5 10.01 4\n"           /* less than 2 ticks, and not none */
         "= 1 new, 1 1@10.025015\n");
    play("impact", (struct tw_simulator_options){ .model = TW_FILL_TOUCH,
             .slippage = { .impact = TW_FIXED_ONE / 10 } },
         "bar 60 10 11 9 10 100\n"
         "buy 1 50 market\n"                  /* 0.1 * 10 * 0.5^2 = 0.25 */
         "bar 120 10 11 9 10 100\n"
         "= 1 new, 1 50@10.25\n");
    play("a sale is never paid for", (struct tw_simulator_options){
             .model = TW_FILL_TOUCH, .slippage = { .impact = TW_FIXED_ONE } },
         "bar 60 10 11 9 10 1\n"
         "sell 1 5 market\n"
         "sell 2 9000000000 market\n"
         "bar 120 10 11 9 10 0.000000001\n"
         "= 1 new, 2 new, 1 5@0.01, 2 9000000000@0.01\n");
    play("a session is as long as a bar of a day, which ends at 21:00",
         MODEL(TW_FILL_TOUCH),
         "day 162000 10 11 9 10 100\n"
         "buy 1 1 limit 8 tif day\n"
         "buy 2 1 limit 7 tif day\n"
         "day 248400 10 11 8 10 100\n"
         "= 1 new, 2 new, 1 1@8+, 2 expired\n");
    play("a cancel that arrives after its day", (struct tw_simulator_options){
             .model = TW_FILL_QUOTE, .cancel.min_ns = SECONDS(100) },
         "quote 86340 9.99 5 10.01 3\n"
         "buy 1 1 limit 9 tif day\n"
         "quote 86350 9.99 5 10.01 3\n"
         "cancel 1\n"
         "quote 86500 9.99 5 10.01 3\n"
         "= 1 new, 1 expired, 1 too late\n");
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

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* What seeds, orders and requests draw that are neighbours is not the same. */
static void chance(void)
{
    enum { SEEDS = 40, SENT = 40, REQUESTS = 20 };
    struct tw_latency any = { .kind = TW_LATENCY_UNIFORM, .max_ns = INT64_MAX - 1 };
    int64_t *drawn = tw_calloc(SEEDS * SENT * REQUESTS, sizeof *drawn);
    size_t n = 0, same = 0;
    unsigned of[3] = { 0 };

    for (unsigned seed = 0; seed < SEEDS; seed++)
        for (unsigned order = 1; order <= SENT; order++)
            for (unsigned which = 0; which < REQUESTS; which++)
                drawn[n++] = tw_latency_of(&any, seed, order, which);
    qsort(drawn, n, sizeof *drawn, by_value);
    for (size_t i = 1; i < n; i++) same += drawn[i] == drawn[i - 1];
    ok(same == 0, "of %zu latencies no two are the same draw (%zu)", n, same);
    tw_free(drawn);
    any = (struct tw_latency){ .kind = TW_LATENCY_UNIFORM, .min_ns = 5, .max_ns = 7 };
    for (unsigned order = 1; order <= 300; order++) {
        int64_t ns = tw_latency_of(&any, 1, order, 0);

        if (ns >= 5 && ns <= 7) of[ns - 5]++;
    }
    ok(of[0] > 50 && of[1] > 50 && of[2] > 50 && of[0] + of[1] + of[2] == 300,
       "from the least to the most (%u, %u, %u)", of[0], of[1], of[2]);
}

int main(void)
{
    bars();
    bars_of_sides();
    quotes();
    times();
    costs();
    chance();
    without_memory();
    return tap_done();
}
