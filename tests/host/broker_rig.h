/* broker_rig.h - a broker whose orders and reports are short texts. */
#ifndef BROKER_RIG_H
#define BROKER_RIG_H

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "trade/broker.h"

#define ONE TW_FIXED_ONE

struct rig {
    struct tw_broker *b;
    struct tw_terms terms;
    struct tw_order order[64];
    unsigned n;
    uint64_t seq;
    char got[2000];
    bool last_taped;                     /* what was told last */
};

static inline const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    struct rig *g = ctx;

    return symbol == 9 ? NULL : &g->terms;
}

static inline struct rig *open_rig(struct tw_broker_options o)
{
    struct rig *g = calloc(1, sizeof *g);

    g->terms = (struct tw_terms){ .tick = ONE / 100, .lot = ONE };
    o.terms = terms_of;
    o.ctx = g;
    o.script = 3;
    g->b = tw_broker_new(&o);
    tw_account_deposit(tw_broker_account(g->b), 0, 100000 * (tw_money)ONE);
    return g;
}

static inline void close_rig(struct rig *g)
{
    tw_broker_free(g->b);
    free(g);
}

/* Takes what is told: "1 A, 1 0" - id and ExecType, a trade with its quantity, a
 * rejection with its reason's number. */
static inline const char *told(struct rig *g)
{
    struct tw_told t;

    g->got[0] = '\0';
    while (tw_broker_next(g->b, &t)) {
        char text[64];

        g->last_taped = t.report.taped;
        if (t.report.exec == TW_EXEC_TRADE)
            snprintf(text, sizeof text, "%d F%d", (int)t.report.order,
                     (int)(t.report.last_qty / ONE));
        else if (t.report.exec == TW_EXEC_REJECTED)
            snprintf(text, sizeof text, "%d 8/%d", (int)t.report.order, t.report.reason);
        else
            snprintf(text, sizeof text, "%d %c", (int)t.report.order, t.report.exec);
        if (g->got[0]) strcat(g->got, ", ");
        strcat(g->got, text);
    }
    return g->got;
}

static inline void is_told(struct rig *g, const char *want, const char *name)
{
    told(g);
    ok(strcmp(g->got, want) == 0, "%s: %s", name, want);
    if (strcmp(g->got, want) != 0) printf("# got %s\n", g->got);
}

/* A quote of symbol 1, in whole seconds and hundredths. */
static inline void quote(struct rig *g, int64_t second, int64_t bid, int64_t ask,
                         int64_t size)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_QUOTE, .symbol = 1,
                           .time = second * ONE };

    r.quote = (struct tw_quote){ bid * (ONE / 100), ask * (ONE / 100), size * ONE,
                                 size * ONE };
    tw_broker_record(g->b, &r);
}

static inline struct tw_order *submit(struct rig *g, struct tw_order o)
{
    struct tw_error error = { .text = "" };
    struct tw_order *made = &g->order[g->n++ % 64];

    *made = o;
    if (!made->symbol) made->symbol = 1;
    if (!made->side) made->side = TW_SIDE_BUY;
    if (!made->type) made->type = made->price ? TW_TYPE_LIMIT : TW_TYPE_MARKET;
    if (!made->tif) made->tif = TW_TIF_GTC;
    made->quantity *= ONE;
    made->price *= ONE / 100;
    made->stop *= ONE / 100;
    if (tw_broker_submit(g->b, made, &error) < 0) printf("# %s\n", error.text);
    return made;
}

#endif
