/* broker_late.c - trades that a gateway takes back, or that come after an order's end;
 * and what one leaves to the broker that knows no reduce-only and no groups. */
#include "trade/broker.h"

#include "broker_rig.h"

static int sent;
static char currency[8];                 /* of what is charged too; none where empty */

static int count_submit(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    sent++;
    return 0;
}

static bool as_it_is(void *ctx, const struct tw_record *r, struct tw_order **o,
                     struct tw_report *out)
{
    int sign = out->exec == TW_EXEC_TRADE ? 1 : *currency && out->exec == 'H' ? -1 : 0;

    (void)ctx;
    (void)r;
    (void)o;
    out->taped = false;                      /* it is its own, not the record's */
    out->is_charged = sign != 0;
    out->charge.own = sign * ONE / 2;
    if (out->is_charged && *currency) {
        out->charge.other = sign * ONE;
        strcpy(out->charge.currency, currency);
    }
    return true;
}

static void happens(struct rig *g, char exec, int quantity)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_ORDER, .time = 2 * ONE,
        .symbol = 1, .execution = { .order = 1, .exec = (uint8_t)exec, .price = 10 * ONE,
                                    .quantity = quantity * ONE, .side = TW_SIDE_BUY,
                                    .script = 3 } };

    tw_broker_record(g->b, &r);
}

static int held(struct rig *g)
{
    const struct tw_position *p = tw_account_find(tw_broker_account(g->b), 1);

    return p ? (int)(p->quantity / ONE) : 0;
}

static int64_t equity(struct rig *g)
{
    return (int64_t)(tw_account_equity(tw_broker_account(g->b)) - 100000 * (tw_money)ONE);
}

static void taken_back(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .next = as_it_is };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    struct tw_order *o = submit(g, (struct tw_order){ .quantity = 10, .price = 1000 });

    happens(g, '0', 10);
    happens(g, 'F', 4);
    happens(g, 'F', 2);
    is_told(g, "1 A, 1 0, 1 F4, 1 F2", "two trades");
    ok(g->last_taped, "which are on the tape already");
    ok(held(g) == 6 && tw_order_fees(o) == ONE && equity(g) == -ONE, "the venue's fees");
    happens(g, 'H', 4);
    is_told(g, "1 H", "one is taken back");
    ok(held(g) == 2 && o->cum_qty == 2 * ONE && o->status == TW_STATUS_PARTIALLY_FILLED
       && tw_order_leaves(o) == 8 * ONE, "the order has it no more");
    ok(equity(g) == -(ONE / 3) && tw_order_fees(o) == ONE / 3,
       "nor its share of the fees");
    happens(g, 'H', 5);
    is_told(g, "", "not more than there was");
    happens(g, '4', 0);
    is_told(g, "1 4", "it ends");
    happens(g, 'F', 3);
    is_told(g, "", "what comes after that is told to nobody");
    ok(held(g) == 5, "but it is held");
    happens(g, 'H', 5);
    ok(held(g) == 0, "or not");
    close_rig(g);
}

/* What is in one currency more than an account can have is not of another one. */
static void many_currencies(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .next = as_it_is };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    int n = 1, least = 0;

    submit(g, (struct tw_order){ .quantity = 100, .price = 1000 });
    happens(g, '0', 100);
    for (; n <= TW_CURRENCIES; n++) {
        sprintf(currency, "C%d", n % 100);
        happens(g, 'F', 1);
        if (tw_account_cash(tw_broker_account(g->b), (uint32_t)n) == -ONE) least++;
    }
    ok(least == TW_CURRENCIES - 1 && equity(g) == -TW_CURRENCIES * ONE / 2,
       "an account is charged in %d currencies beside its own", least);
    *currency = 0;
    close_rig(g);
}

/* What is charged in another currency is paid in that, and told in the instrument's. */
static void other_currency(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .next = as_it_is };

    for (uint32_t own = 0; own < 2; own++) {
        struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
        struct tw_account *a = tw_broker_account(g->b);
        tw_money before = 100000 * (tw_money)ONE, fee = own ? ONE : 5 * ONE / 2;
        struct tw_order *o;

        g->terms.currency = own;
        tw_account_set_rate(a, (uint32_t)tw_account_currency(a, "EUR"), 2 * ONE);
        o = submit(g, (struct tw_order){ .quantity = 10, .price = 1000 });
        strcpy(currency, own ? "USD" : "EUR");
        happens(g, '0', 10);
        happens(g, 'F', 1);
        ok(tw_account_cash(a, 0) == before - (own ? ONE : 10 * ONE + ONE / 2)
           && tw_account_cash(a, 1) == -(own ? 10 * ONE + ONE / 2 : ONE),
           "each currency has paid its part");
        ok(tw_order_fees(o) == fee && tw_account_find(a, 1)->fees == fee
           && equity(g) == -(own ? 2 : 1) * fee, "the order has both");
        if (!own) *currency = 0;             /* as what it has paid in all */
        happens(g, 'H', 1);
        ok(tw_order_fees(o) == 0 && equity(g) == 0
           && tw_account_cash(a, 1) == (own ? 0 : -ONE), "and gets them back");
        *currency = 0;
        close_rig(g);
    }
}

/* ---- of an order that its owner still has ---- */

static struct tw_order *known;

static bool by_handle(void *ctx, const struct tw_record *r, struct tw_order **o,
                      struct tw_report *out)
{
    (void)ctx;
    (void)r;
    (void)out;
    if (!*o) *o = known;
    return true;
}

static void late(struct rig *g, char exec, int quantity, char status)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_ORDER, .time = 2 * ONE,
        .symbol = 1, .execution = { .order = 1, .exec = (uint8_t)exec, .price = 10 * ONE,
                                    .quantity = quantity * ONE, .side = TW_SIDE_BUY,
                                    .status = (uint8_t)status, .script = 3 } };

    tw_broker_record(g->b, &r);
}

static void after_the_end(void)
{
    struct tw_desk desk = { 0 };
    struct tw_gateway gateway = { .submit = count_submit, .cancel = count_submit,
                                  .next = by_handle };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway,
                                                         .desk = &desk });

    known = submit(g, (struct tw_order){ .quantity = 10, .price = 1000 });
    happens(g, '0', 10);
    happens(g, '4', 0);
    is_told(g, "1 A, 1 0, 1 4", "it ends");
    late(g, 'F', 3, '4');
    is_told(g, "1 F3", "and trades: that is told");
    ok(held(g) == 3 && known->cum_qty == 3 * ONE && tw_broker_count(g->b) == 0
       && known->status == TW_STATUS_CANCELED && tw_order_leaves(known) == 0,
       "it is held, and the order has ended nevertheless");
    late(g, 'F', 7, '2');
    ok(known->status == TW_STATUS_FILLED && held(g) == 10, "all of it");
    late(g, 'H', 4, '1');
    is_told(g, "1 F7, 1 H", "a part is taken back");
    ok(tw_broker_count(g->b) == 1 && tw_order_leaves(known) == 4 * ONE
       && tw_broker_open(g->b, NULL) == known, "and is open");
    ok(tw_broker_cancel(g->b, known) == TW_OK, "so it can be canceled");
    late(g, '4', 0, '4');
    is_told(g, "1 6, 1 4", "which it is");
    late(g, 'H', 9, '4');
    ok(known->cum_qty == 0 && known->cum_value == 0 && held(g) == -3
       && tw_broker_count(g->b) == 0, "more than it has traded is booked");
    close_rig(g);
}

/* ---- an exit that grows ---- */

static int grown;

static int count_grow(void *ctx, const struct tw_order *o, int64_t quantity)
{
    (void)ctx;
    (void)o;
    (void)quantity;
    grown++;
    return 0;
}

/* Nothing but cancels goes out while trading is halted. */
static void halted_exits(void)
{
    struct tw_desk desk = { 0 };
    struct tw_gateway gateway = { .submit = count_submit, .cancel = count_submit,
                                  .next = as_it_is, .grow = count_grow };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway,
                                                         .desk = &desk });
    struct tw_order *entry;

    entry = submit(g, (struct tw_order){ .quantity = 10, .price = 1000 });
    submit(g, (struct tw_order){ .quantity = 10, .stop = 900, .side = TW_SIDE_SELL,
                                 .type = TW_TYPE_STOP, .parent = entry->id });
    happens(g, '0', 10);
    happens(g, 'F', 2);
    happens(g, 'F', 2);
    ok(grown == 1, "an exit grows with its entry");
    tw_desk_halt(&desk, true);
    happens(g, 'F', 2);
    ok(grown == 1 && held(g) == 6, "not after a halt, which cancels it");
    close_rig(g);
}

/* ---- what a plain gateway leaves to the broker ---- */

static char asked[200];

static int note_cancel(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    sprintf(asked + strlen(asked), "F%d ", (int)o->id);
    return 0;
}

static int note_replace(void *ctx, const struct tw_order *o, int64_t quantity,
                        int64_t price, int64_t stop)
{
    (void)ctx;
    sprintf(asked + strlen(asked), price || stop ? "prices " : "G%d=%d ", (int)o->id,
            (int)(quantity / ONE));
    return 0;
}

static void reports(struct rig *g, int id, enum tw_exec_type exec, int quantity,
                    uint8_t side)
{
    struct tw_record r = { .seq = ++g->seq, .kind = TW_ORDER, .time = 2 * ONE,
        .symbol = 1, .execution = { .order = (uint64_t)id, .exec = (uint8_t)exec,
            .price = 10 * ONE, .quantity = quantity * ONE, .side = side, .script = 3 } };

    tw_broker_record(g->b, &r);
}

static void trades(struct rig *g, int id, int quantity, uint8_t side)
{
    reports(g, id, TW_EXEC_TRADE, quantity, side);
}

static void plain(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
                                  .replace = note_replace, .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    struct tw_order *entry;

    submit(g, (struct tw_order){ .quantity = 5, .side = TW_SIDE_SELL,
                                 .reduce_only = true });
    is_told(g, "1 A, 1 8/13", "nothing is held that it could reduce");
    entry = submit(g, (struct tw_order){ .quantity = 10 });
    submit(g, (struct tw_order){ .quantity = 10, .price = 1100, .side = TW_SIDE_SELL,
                                 .parent = entry->id, .reduce_only = true });
    submit(g, (struct tw_order){ .quantity = 10, .stop = 900, .type = TW_TYPE_STOP,
                                 .side = TW_SIDE_SELL, .parent = entry->id,
                                 .reduce_only = true });
    sent = 0;
    trades(g, 2, 10, TW_SIDE_BUY);
    ok(sent == 2, "a bracket's orders go out when it has traded");
    trades(g, 3, 4, TW_SIDE_SELL);
    ok(strcmp(asked, "G4=6 ") == 0, "one trades, the other is less: %s", asked);
    trades(g, 3, 6, TW_SIDE_SELL);
    ok(strcmp(asked, "G4=6 F4 ") == 0, "all of it: canceled: %s", asked);
    asked[0] = '\0';
    entry = submit(g, (struct tw_order){ .quantity = 10 });
    submit(g, (struct tw_order){ .quantity = 10, .price = 1100, .side = TW_SIDE_SELL,
                                 .parent = entry->id, .reduce_only = true });
    trades(g, 5, 4, TW_SIDE_BUY);
    trades(g, 6, 4, TW_SIDE_SELL);
    ok(strcmp(asked, "F5 ") == 0, "its exit has traded: the entry, too: %s", asked);
    reports(g, 5, TW_EXEC_CANCEL_REJECTED, 0, TW_SIDE_BUY);
    ok(strcmp(asked, "F5 F5 ") == 0, "again where that is refused: %s", asked);
    reports(g, 5, TW_EXEC_CANCEL_REJECTED, 0, TW_SIDE_BUY);
    ok(strcmp(asked, "F5 F5 ") == 0, "but not at once again and again");
    trades(g, 5, 2, TW_SIDE_BUY);
    ok(strcmp(asked, "F5 F5 F5 ") == 0, "when it trades on, say: %s", asked);
    close_rig(g);
}

static int note_grow(void *ctx, const struct tw_order *o, int64_t quantity)
{
    (void)ctx;
    sprintf(asked + strlen(asked), "+%d=%d ", (int)o->id, (int)(quantity / ONE));
    return 0;
}

static void is_asked(const char *want, const char *name)
{
    ok(strcmp(asked, want) == 0, "%s: %s", name, asked);
    asked[0] = '\0';
}

/* What is on its way to the venue counts when an entry and its exits trade at once. */
static void plain_races(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
        .replace = note_replace, .grow = note_grow, .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    struct tw_order *entry = submit(g, (struct tw_order){ .quantity = 20 });

    asked[0] = '\0';
    submit(g, (struct tw_order){ .quantity = 20, .price = 1000, .side = TW_SIDE_SELL,
                                 .parent = entry->id, .reduce_only = true });
    submit(g, (struct tw_order){ .quantity = 20, .price = 1000, .side = TW_SIDE_SELL,
                                 .parent = entry->id, .reduce_only = true });
    trades(g, 1, 2, TW_SIDE_BUY);
    trades(g, 1, 2, TW_SIDE_BUY);
    is_asked("G3=4 G2=4 ", "exits grow with their entry");
    trades(g, 2, 1, TW_SIDE_SELL);
    is_asked("G3=3 ", "one that is to grow is made as large as what is left");
    trades(g, 1, 3, TW_SIDE_BUY);
    is_asked("", "one that is to get smaller grows when it has its answer");
    reports(g, 3, TW_EXEC_CANCEL_REJECTED, 3, TW_SIDE_SELL);
    is_asked("G3=6 ", "whatever that is");
    reports(g, 3, TW_EXEC_REPLACED, 6, TW_SIDE_SELL);
    trades(g, 2, 1, TW_SIDE_SELL);
    is_asked("G3=5 ", "one has traded all that it was sent for");
    ok(held(g) == 5 && tw_order_is_open(entry), "the other one is for the rest");
    trades(g, 3, 5, TW_SIDE_SELL);
    is_asked("F3 F1 ", "all is closed: it goes, and what is left of the entry");
    close_rig(g);
}

/* Of a former run: an exit grows to what its entry has traded, as far as that is held. */
static void plain_former(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
                                  .replace = note_replace, .is_plain = true };

    for (int has = 3; has <= 10; has++) {
        struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
        struct tw_account *a = tw_broker_account(g->b);
        struct tw_order *o = &g->order[g->n++];
        char want[20] = "";

        *o = (struct tw_order){ .id = 1, .symbol = 1, .type = TW_TYPE_LIMIT,
            .side = TW_SIDE_SELL, .tif = TW_TIF_GTC, .quantity = 5 * ONE,
            .price = 11 * ONE, .status = TW_STATUS_PENDING_NEW, .parent = 40,
            .group = 40, .reduce_only = true, .terms = &g->terms };
        tw_account_trade(a, tw_account_position(a, 1, &g->terms), ONE, has * ONE, 0);
        asked[0] = '\0';
        tw_broker_enter(g->b, o, 10 * ONE);
        quote(g, 1, 1000, 1001, 5);
        if (has > 5) sprintf(want, "G1=%d ", has);
        is_asked(want, "of ten that its entry has traded");
        close_rig(g);
    }
}

/* What it has traded is taken back: it is for what its entry has opened again, though the
 * gateway knows only what that has traded. */
static void plain_reopened(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
        .replace = note_replace, .next = by_handle, .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    struct tw_account *a = tw_broker_account(g->b);
    struct tw_order *entry = submit(g, (struct tw_order){ .quantity = 10 });

    known = submit(g, (struct tw_order){ .quantity = 10, .price = 1100,
        .side = TW_SIDE_SELL, .parent = entry->id, .reduce_only = true });
    tw_account_trade(a, tw_account_position(a, 1, &g->terms), ONE, -5 * ONE, 0);
    trades(g, 1, 10, TW_SIDE_BUY);
    trades(g, 2, 5, TW_SIDE_SELL);
    ok(known->status == TW_STATUS_FILLED && held(g) == 0, "what it has opened is closed");
    known->others_qty = 0;
    late(g, 'H', 5, '0');
    ok(tw_order_is_open(known) && held(g) == 5, "and is not");
    is_asked("", "no more than that");
    close_rig(g);
}

static int answer;                       /* of a gateway */
static int n_held;                       /* orders that it was told of */

static int submit_or_not(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    return answer;
}

static int replace_or_not(void *ctx, const struct tw_order *o, int64_t quantity,
                          int64_t price, int64_t stop)
{
    (void)quantity;
    (void)price;
    (void)stop;
    return submit_or_not(ctx, o);
}

static void count_held(void *ctx, const struct tw_order *o, bool held)
{
    (void)ctx;
    (void)o;
    n_held += held ? 1 : -1;
}

/* A gateway that does not take an exit, or what is asked for one. */
static void plain_refused(void)
{
    struct tw_gateway gateway = { .submit = submit_or_not, .cancel = submit_or_not,
        .replace = replace_or_not, .hold = count_held, .is_plain = true };

    for (int stage = 0; stage < 2; stage++) {
        struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
        struct tw_order *entry, *exit;
        struct tw_error error;

        answer = n_held = 0;
        entry = submit(g, (struct tw_order){ .quantity = 10 });
        exit = submit(g, (struct tw_order){ .quantity = 10, .price = 1100,
            .side = TW_SIDE_SELL, .parent = entry->id, .reduce_only = true });
        ok(n_held == 1, "it keeps an exit that waits");
        if (stage == 0) answer = TW_EUSAGE;
        trades(g, 1, 4, TW_SIDE_BUY);
        answer = TW_EUSAGE;
        trades(g, 1, 2, TW_SIDE_BUY);
        is_told(g, stage == 0 ? "1 A, 2 A, 1 F4, 2 8/23, 1 F2"
                              : "1 A, 2 A, 1 F4, 1 F2, 2 9, 2 9", "that is told");
        ok(n_held == stage && !exit->pending_replace
           && tw_order_is_open(exit) == (stage == 1), "and it waits for nothing");
        ok(tw_broker_cancel(g->b, exit) == (stage == 0 ? TW_EUSAGE : TW_OK),
           "who has ended is not canceled");
        answer = TW_OK;
        ok(tw_broker_replace(g->b, entry, 0, ONE, 0, &error) == TW_EUSAGE
           && !entry->pending_replace, "a market order gets no price");
        close_rig(g);
    }
}

static bool amends(void *ctx, const struct tw_record *r, struct tw_order **o,
                   struct tw_report *out)
{
    (void)ctx;
    (void)r;
    (void)o;
    out->is_amended = out->exec == TW_EXEC_TRADE_CANCELED;
    return true;
}

/* Exits don't follow what is between a trade and the one in its place. */
static void plain_amended(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
        .replace = note_replace, .next = amends, .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });

    submit(g, (struct tw_order){ .quantity = 20 });
    submit(g, (struct tw_order){ .quantity = 20, .stop = 900, .type = TW_TYPE_STOP,
                                 .side = TW_SIDE_SELL, .parent = 1 });
    trades(g, 1, 10, TW_SIDE_BUY);
    reports(g, 1, TW_EXEC_TRADE_CANCELED, 10, TW_SIDE_BUY);
    quote(g, 3, 1000, 1001, 5);
    trades(g, 1, 10, TW_SIDE_BUY);
    is_asked("", "the exit is for as much as before");
    reports(g, 1, TW_EXEC_TRADE_CANCELED, 10, TW_SIDE_BUY);
    trades(g, 1, 6, TW_SIDE_BUY);
    is_asked("G2=6 ", "or for what the other trade is of");
    close_rig(g);
}

static void enters(struct rig *g, struct tw_order o, int cum)
{
    struct tw_order *made = &g->order[g->n++];

    *made = o;
    made->symbol = 1;
    made->tif = TW_TIF_GTC;
    made->type = TW_TYPE_LIMIT;
    made->price = 10 * ONE;
    made->quantity *= ONE;
    made->cum_qty = cum * ONE;
    made->others_qty *= ONE;
    made->most *= ONE;
    made->status = TW_STATUS_PENDING_NEW;
    if (tw_broker_enter(g->b, made, 0) < 0) abort();
}

/* What an exit had traded in it the other one has not, either. */
static void plain_again(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
        .replace = note_replace, .grow = note_grow, .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });

    enters(g, (struct tw_order){ .id = 1, .quantity = 20, .side = TW_SIDE_BUY }, 10);
    enters(g, (struct tw_order){ .id = 2, .quantity = 10, .side = TW_SIDE_SELL,
                                 .parent = 1, .group = 1 }, 4);
    enters(g, (struct tw_order){ .id = 3, .quantity = 6, .side = TW_SIDE_SELL,
                                 .parent = 1, .group = 1, .others_qty = 4 }, 0);
    trades(g, 1, 2, TW_SIDE_BUY);
    is_asked("G3=8 G2=12 ", "both are for the eight that are left");
    enters(g, (struct tw_order){ .id = 4, .quantity = 20, .side = TW_SIDE_BUY }, 10);
    enters(g, (struct tw_order){ .id = 5, .quantity = 3, .side = TW_SIDE_SELL,
                                 .parent = 4, .group = 4, .has_most = true,
                                 .most = 3 }, 0);
    enters(g, (struct tw_order){ .id = 6, .quantity = 10, .side = TW_SIDE_SELL,
                                 .parent = 4, .group = 4 }, 0);
    trades(g, 5, 3, TW_SIDE_SELL);
    is_asked("G6=7 ", "one that was made smaller leaves the rest to the other");
    close_rig(g);
}

/* What it does not know of is not to enlarge a position by a change, either. */
static void plain_changes(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
                                  .replace = note_replace, .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    struct tw_order *entry = submit(g, (struct tw_order){ .quantity = 10 }), *exit;
    struct tw_error error;

    asked[0] = '\0';
    exit = submit(g, (struct tw_order){ .quantity = 10, .price = 1100,
        .side = TW_SIDE_SELL, .parent = entry->id, .reduce_only = true });
    trades(g, 1, 10, TW_SIDE_BUY);
    told(g);
    tw_broker_replace(g->b, exit, 11 * ONE, 0, 0, &error);
    is_told(g, "2 9", "an exit is not to sell more than is held");
    tw_broker_replace(g->b, exit, 8 * ONE, 0, 0, &error);
    reports(g, 2, TW_EXEC_REPLACED, 8, TW_SIDE_SELL);
    tw_broker_replace(g->b, exit, 10 * ONE, 0, 0, &error);
    ok(strcmp(asked, "G2=8 G2=10 ") == 0, "less, and all again: %s", asked);
    close_rig(g);
}

/* Both may trade at such a gateway before one is canceled. */
static void both(bool is_plain)
{
    struct tw_gateway gateway = { .submit = count_submit, .is_plain = is_plain };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway,
        .limits = { .position = 10 * ONE } });
    struct tw_order *entry;

    submit(g, (struct tw_order){ .quantity = 6, .price = 900, .group = 1 });
    submit(g, (struct tw_order){ .quantity = 6, .price = 800, .group = 1 });
    is_told(g, is_plain ? "1 A, 2 A, 2 8/4" : "1 A, 2 A", is_plain
            ? "of orders of which one cancels the others, a limit counts all there"
            : "where the gateway knows of groups it counts the largest");
    reports(g, 1, TW_EXEC_CANCELED, 0, TW_SIDE_BUY);
    if (!is_plain) reports(g, 2, TW_EXEC_CANCELED, 0, TW_SIDE_BUY);
    told(g);
    submit(g, (struct tw_order){ .quantity = 5, .price = 900, .group = 3 });
    submit(g, (struct tw_order){ .quantity = 5, .price = 800, .group = 3 });
    submit(g, (struct tw_order){ .quantity = 1, .price = 700 });
    is_told(g, is_plain ? "3 A, 4 A, 5 A, 5 8/4" : "3 A, 4 A, 5 A", "at its very border");
    reports(g, 3, TW_EXEC_CANCELED, 0, TW_SIDE_BUY);
    reports(g, 4, TW_EXEC_CANCELED, 0, TW_SIDE_BUY);
    if (!is_plain) reports(g, 5, TW_EXEC_CANCELED, 0, TW_SIDE_BUY);
    told(g);
    entry = submit(g, (struct tw_order){ .quantity = 10 });
    submit(g, (struct tw_order){ .quantity = 10, .price = 1100, .side = TW_SIDE_SELL,
                                 .parent = entry->id });
    submit(g, (struct tw_order){ .quantity = 10, .stop = 900, .type = TW_TYPE_STOP,
                                 .side = TW_SIDE_SELL, .parent = entry->id });
    submit(g, (struct tw_order){ .quantity = 10, .price = 1200, .side = TW_SIDE_SELL });
    trades(g, 6, 10, TW_SIDE_BUY);
    is_told(g, "6 A, 7 A, 8 A, 9 A, 6 F10",
            "but it refuses no exit of a bracket for the other one");
    close_rig(g);
}

/* No limit keeps what is left of a group as large as it was. */
static void plain_shrinks(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
                                  .replace = note_replace, .is_plain = true };
    struct tw_desk desk = { .limits = { .daily_loss = 5 * ONE, .collar = ONE / 100 } };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway,
                                                         .desk = &desk });
    struct tw_order *one;
    struct tw_error error;

    asked[0] = '\0';
    quote(g, 1, 1000, 1000, 9);
    one = submit(g, (struct tw_order){ .quantity = 10, .price = 1001, .group = 1 });
    submit(g, (struct tw_order){ .quantity = 10, .price = 999, .group = 1 });
    quote(g, 1, 800, 800, 9);
    trades(g, 1, 4, TW_SIDE_BUY);
    quote(g, 1, 800, 800, 9);
    told(g);
    ok(strcmp(asked, "G2=6 ") == 0, "beyond a collar: %s", asked);
    trades(g, 1, 1, TW_SIDE_BUY);
    ok(strcmp(asked, "G2=6 G2=5 ") == 0, "and when the day has lost too much: %s", asked);
    told(g);
    tw_broker_replace(g->b, one, 0, 10 * ONE, 0, &error);
    is_told(g, "1 9", "another price is asked for both");
    close_rig(g);
}

/* ---- nobody is connected ---- */

static int closed(void *ctx, const struct tw_order *o)
{
    (void)ctx;
    (void)o;
    return TW_ECLOSED;
}

static int closed_too(void *ctx, const struct tw_order *o, int64_t quantity,
                      int64_t price, int64_t stop)
{
    (void)quantity;
    (void)price;
    (void)stop;
    return closed(ctx, o);
}

static void offline(void)
{
    struct tw_desk desk = { 0 };
    struct tw_gateway gateway = { .submit = count_submit, .cancel = closed,
                                  .replace = closed_too, .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway,
                                                         .desk = &desk });
    struct tw_order *o = submit(g, (struct tw_order){ .quantity = 10, .price = 1000 });
    struct tw_error error;

    happens(g, '0', 10);
    is_told(g, "1 A, 1 0", "it is there");
    ok(tw_broker_replace(g->b, o, 20 * ONE, 9 * ONE, 0, &error) == TW_OK,
       "a change that can't go out");
    is_told(g, "1 9", "is refused");
    ok(tw_broker_cancel(g->b, o) == TW_OK && tw_broker_cancel_all(g->b, 0, NULL) == 1,
       "and a cancel");
    is_told(g, "1 9, 1 9", "likewise");
    ok(!o->pending_cancel && !o->pending_replace && o->asked == 0
       && tw_order_leaves(o) == 10 * ONE, "it is as it was");
    close_rig(g);
}

/* ---- orders of a former run ---- */

static void note_hold(void *ctx, const struct tw_order *o, bool held)
{
    (void)ctx;
    sprintf(asked + strlen(asked), "%c%d ", held ? '+' : '-', (int)o->id);
}

/* The next run's; parent 0: it is at the gateway. */
static struct tw_order *entered(struct rig *g, int id, int parent, int parent_qty)
{
    static struct tw_order orders[11];
    struct tw_order *o = &orders[id];

    *o = (struct tw_order){ .id = (uint64_t)id, .parent = (uint64_t)parent, .symbol = 1,
        .side = parent ? TW_SIDE_SELL : TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
        .tif = TW_TIF_GTC, .quantity = 10 * ONE, .price = 10 * ONE, .held = parent > 0,
        .status = parent ? TW_STATUS_NONE : TW_STATUS_PENDING_NEW };
    if (tw_broker_enter(g->b, o, parent_qty * ONE) < 0) abort();
    if (parent) reports(g, id, TW_EXEC_PENDING_NEW, 0, TW_SIDE_SELL);
    return o;
}

static void former(void)
{
    struct tw_gateway gateway = { .submit = count_submit, .cancel = note_cancel,
                                  .replace = note_replace, .hold = note_hold,
                                  .is_plain = true };
    struct rig *g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    struct tw_order *entry = submit(g, (struct tw_order){ .quantity = 10 }), *exit;
    struct tw_error error;

    asked[0] = 0;
    exit = submit(g, (struct tw_order){ .quantity = 10, .price = 1100,
                                        .side = TW_SIDE_SELL, .parent = entry->id });
    ok(strcmp(asked, "+2 ") == 0, "who waits is kept: %s", asked);
    tw_broker_replace(g->b, exit, 0, 12 * ONE, 0, &error);
    ok(strcmp(asked, "+2 +2 ") == 0, "at other terms, too: %s", asked);
    tw_broker_cancel(g->b, exit);
    ok(strcmp(asked, "+2 +2 -2 ") == 0, "until it is canceled: %s", asked);
    close_rig(g);

    g = open_rig((struct tw_broker_options){ .gateway = &gateway });
    asked[0] = 0;
    sent = 0;
    entered(g, 7, 0, 0);
    exit = entered(g, 8, 7, 0);
    trades(g, 7, 4, TW_SIDE_BUY);
    ok(sent == 1 && !exit->held && exit->quantity == 4 * ONE,
       "an exit of a former run goes out when its entry trades");
    exit = entered(g, 9, 5, 6);
    ok(sent == 2 && exit->quantity == 6 * ONE, "at once where that has traded before");
    exit = entered(g, 10, 5, 0);
    ok(sent == 2 && !tw_order_is_open(exit) && strcmp(asked, "-10 ") == 0,
       "never where that has ended without a trade: %s", asked);
    close_rig(g);
}

int main(void)
{
    taken_back();
    ok(sent == 1, "one order was sent");
    after_the_end();
    halted_exits();
    plain();
    plain_races();
    plain_former();
    plain_reopened();
    plain_refused();
    plain_again();
    plain_amended();
    many_currencies();
    other_currency();
    plain_changes();
    plain_shrinks();
    both(true);
    both(false);
    offline();
    former();
    return tap_done();
}
