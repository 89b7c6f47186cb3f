/* order_entry_in.c - what the venue says of orders: 8, 9, j and 3 become reports.
 */
#include "fix/order_entry_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"

/* ---- telling ---- */

static struct tw_fix_stray stray_of(const struct seen *s, const char *what)
{
    return (struct tw_fix_stray){
        .what = what, .id = s->id, .order_id = s->order_id, .symbol = s->symbol,
        .text = s->text, .quantity = s->quantity.v, .filled = s->cum.v,
        .status = s->status };
}

static bool has_words(const struct seen *s)
{
    return s->text.at && tw_fix_orders_reason(s, TW_REASON_NONE) == TW_REASON_NONE;
}

/* What the venue says of it in its own words, for the log. */
static void tell_text(struct tw_fix_orders *o, const struct seen *s, const char *what)
{
    struct tw_fix_stray words = stray_of(s, what);

    if (has_words(s) && o->o.stray) o->o.stray(o->o.ctx, &words);
}

/* The words that reports have of it; false: none. */
static bool read_words(const struct seen *s, struct tw_venue_aside *out)
{
    size_t n = s && has_words(s) ? s->text.n : 0;

    *out = (struct tw_venue_aside){ .has_code = s && s->has_code };
    if (n >= sizeof out->text) n = sizeof out->text - 1;
    if (n > 0) memcpy(out->text, s->text.at, n);
    if (out->has_code) out->code = (uint32_t)s->code;
    return n > 0 || out->has_code;
}

/* a: the ask that it answers, which is forgotten; NULL: none.  words may be NULL. */
static void tell_words(struct tw_fix_orders *o, struct entry *e, struct tw_report r,
                       struct ask *a, struct tw_venue_aside *words)
{
    r.order = e->id;
    r.time_ns = o->now_ns;
    if (e->owner)
        o->o.report(o->o.ctx, &(struct tw_venue_report){
            .report = r, .owner = e->owner, .symbol = e->symbol, .side = e->side,
            .status = tw_fix_orders_status(e, r.exec), .answers = a && !a->own,
            .aside = words,
            .trade = e->holder && tw_report_is_trade(&r) ? e->holder->trades : 0,
            .user = e->over && !tw_fix_orders_is_awaited(e) ? NULL : e->user });
    if (a) tw_fix_orders_forget(o, a);
}

static void tell(struct tw_fix_orders *o, struct entry *e, struct tw_report r,
                 struct ask *a)
{
    struct tw_venue_aside words;

    tell_words(o, e, r, a, read_words(o->seen, &words) ? &words : NULL);
}

/* A trade, or one that is taken back; e->cum has it already. */
static void tell_trade(struct tw_fix_orders *o, struct entry *e, struct tw_report r)
{
    struct tw_venue_aside about;
    int sign = r.exec == TW_EXEC_TRADE ? 1 : -1;

    tw_fix_orders_hold(o, e, &r);
    if (!e->over) {
        tell(o, e, r, NULL);
        return;
    }
    tw_fix_orders_change_late(o, e);
    read_words(o->seen, &about);
    tw_fix_orders_describe(e, &about);
    tw_fix_orders_add_up(o, e, &about.ties);
    about.late = true;
    about.cum_qty -= sign * r.last_qty;
    about.cum_value -= sign * tw_money_value(r.last_px, r.last_qty);
    tell_words(o, e, r, NULL, &about);
}

/* It is there: whatever else is said of it. */
static void accept(struct tw_fix_orders *o, struct entry *e)
{
    struct ask *a = e->over ? NULL : tw_fix_orders_asked(e, 0);

    if (!a) return;
    if (a->own) tw_fix_orders_forget(o, a);   /* it was told of as it was taken over */
    else tell_words(o, e, (struct tw_report){ .exec = TW_EXEC_NEW }, a, NULL);
}

/* What its owner wants of its size is what it was. */
static void restore_most(struct ask *a)
{
    struct ask *next = a->later;

    if (a->what != ASK_REPLACE || !a->entry->ties) return;
    while (next && next->what != ASK_REPLACE) next = next->later;
    *(next ? &next->most : &a->entry->ties->most) = a->most;
}

static void refuse(struct tw_fix_orders *o, struct ask *a, enum tw_reason reason)
{
    restore_most(a);
    if (a->own) tw_fix_orders_forget(o, a);
    else tell(o, a->entry, (struct tw_report){ .exec = TW_EXEC_CANCEL_REJECTED,
        .reason = (uint8_t)reason, .of_change = a->what == ASK_REPLACE }, a);
}

void tw_fix_orders_fail(struct tw_fix_orders *o, struct ask *a, enum tw_reason reason)
{
    struct entry *e = a->entry;

    if (a->what == ASK_NEW && a->own && reason == TW_REASON_OFFLINE) {
        e->unheard = true;                    /* of an exit: see send_again */
        tw_fix_orders_forget(o, a);
    } else if (a->what == ASK_NEW && !e->over) {
        tell(o, e, (struct tw_report){ .exec = TW_EXEC_REJECTED,
                                       .reason = (uint8_t)reason }, a);
        e->ended = TW_STATUS_REJECTED;
        tw_fix_orders_end(o, e);
        tw_fix_orders_keep(o, e);
    } else {
        refuse(o, a, reason);
    }
}

/* ---- terms ---- */

static void set_terms(struct tw_fix_orders *o, struct entry *e, struct tw_report r,
                      struct ask *a)
{
    if (r.quantity < e->cum) r.quantity = e->cum;
    e->quantity = r.quantity;
    e->overfilled = false;
    e->most = INT64_MAX;
    e->price = r.price;
    e->stop = r.stop;
    r.exec = TW_EXEC_REPLACED;
    tell(o, e, r, a);
    if (!e->over && e->cum == e->quantity) tw_fix_orders_end(o, e);
}

/* The terms that it says, or those that it had. */
static struct tw_report terms(const struct entry *e, const struct seen *s)
{
    return (struct tw_report){
        .quantity = s->quantity.is && s->quantity.v > 0 ? s->quantity.v : e->quantity,
        .price = s->price.is && tw_type_has_limit(e->type) ? s->price.v : e->price,
        .stop = s->stop.is && s->stop.v > 0 ? s->stop.v : e->stop };
}

static bool is_same(const struct entry *e, const struct tw_report *r)
{
    return r->quantity == e->quantity && r->price == e->price && r->stop == e->stop;
}

/* By the venue itself. */
static void restate(struct tw_fix_orders *o, struct entry *e, const struct seen *s)
{
    struct tw_report r = terms(e, s);

    if (e->over || is_same(e, &r)) return;
    r.reason = (uint8_t)tw_fix_orders_reason(s, TW_REASON_UNSOLICITED);
    set_terms(o, e, r, NULL);
}

/* As it was asked for, but for what it says otherwise. */
static struct tw_report asked_terms(const struct entry *e, const struct ask *a,
                                    const struct seen *s)
{
    struct tw_report r = terms(e, s);

    if (!s->quantity.is) r.quantity = a->quantity;
    if (!s->price.is && a->price) r.price = a->price;
    if (!s->stop.is && a->stop) r.stop = a->stop;
    return r;
}

static void replace(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                    struct ask *a)
{
    struct tw_report r;

    if (!a || (a->what != ASK_REPLACE && a->what != ASK_GROW)) {
        restate(o, e, s);
        return;
    }
    r = asked_terms(e, a, s);
    if (a->nth < e->accepted)                 /* a later one was first */
        r = (struct tw_report){ .quantity = e->quantity, .price = e->price,
                                .stop = e->stop };
    else e->accepted = a->nth;
    set_terms(o, e, r, a);
}

/* ---- trades ---- */

/* x: NULL: it is none that the venue has named. */
static void trade(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                  int64_t price, int64_t quantity, struct exec *x)
{
    struct tw_report r = { .exec = TW_EXEC_TRADE, .last_px = price,
                           .last_qty = quantity }, more = terms(e, s);
    int64_t cum = e->cum + quantity;
    bool goes_on = s->status == '1' && s->cum.v >= cum && more.quantity > cum;

    if (!e->over && cum + goes_on > e->quantity) {   /* its terms are others, then */
        bool is_over = more.quantity < cum;

        if (is_over) more.quantity = cum;
        more.reason = TW_REASON_UNSOLICITED;
        set_terms(o, e, more, NULL);
        e->overfilled = is_over;              /* a trade may yet be taken back */
    }
    if (s->liquidity <= TW_LIQUIDITY_REMOVED) r.liquidity = (uint8_t)s->liquidity;
    tw_fix_orders_charge(o, &r, s, x);
    e->cum = cum;
    e->value += tw_money_value(price, quantity);
    tell_trade(o, e, r);
    if (!e->over && e->cum == e->quantity) tw_fix_orders_end(o, e);
}

/* x: that it is of; NULL: not known.  amends: a trade comes next that is in its place. */
static void take_back(struct tw_fix_orders *o, struct entry *e, int64_t price,
                      int64_t quantity, const struct exec *x, bool amends)
{
    struct tw_report r = { .exec = TW_EXEC_TRADE_CANCELED, .is_amended = amends,
                           .reason = TW_REASON_UNSOLICITED };

    if (quantity > e->cum) quantity = e->cum; /* more is not here */
    if (quantity <= 0) return;
    if (quantity == e->cum) price = tw_money_price(e->value, quantity);   /* all */
    e->cum -= quantity;
    e->value -= tw_money_value(price, quantity);
    r.last_px = price;
    r.last_qty = quantity;
    tw_fix_orders_give_back(&r, x);
    tell_trade(o, e, r);
}

/* G2: what it says was not filled, and nobody told. */
static void undo(struct tw_fix_orders *o, struct entry *e, int64_t cum, int64_t average)
{
    int64_t price = 0, n = tw_fix_orders_excess(e, cum, average, &price);

    if (n > 0) tw_fix_orders_note_late(o, e);
    take_back(o, e, price, n, NULL, e->cum - n < cum);   /* see settle */
    e->doubts = false;
    if (n <= 0) return;
    e->settled -= e->settled < n ? e->settled : n;
    e->expected = cum;
    if (e->cum < cum) return;                 /* for all of it at another price */
    e->undone += n;
    e->undone_px = price;
}

/* G2: what the venue says was filled, and nobody told. */
static void settle(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                   int64_t cum, int64_t average)
{
    int64_t missing, price;

    undo(o, e, cum, average);
    missing = cum - e->cum;
    if (missing > 0) tw_fix_orders_note_late(o, e);
    if (missing > 0 && e->settled > 0) {      /* with what is missing still, at once */
        missing += e->settled;
        take_back(o, e, e->settled_px, e->settled, NULL, true);
        e->settled = 0;
    }
    if (cum >= e->expected || e->expected <= e->asked_for)   /* else it is older */
        e->expected = cum > e->cum ? cum : e->cum;
    if (missing <= 0) return;
    price = tw_money_price(tw_money_value(average, cum) - e->value, missing);
    if (price <= 0) price = average;
    trade(o, e, &(struct seen){ .quantity = s->quantity, .price = s->price,
        .stop = s->stop, .status = s->status, .cum = s->cum }, price, missing, NULL);
    e->settled = missing;
    e->settled_px = price;
}

/* ---- ends ---- */

static void end_now(struct tw_fix_orders *o, struct entry *e)
{
    struct ending was = e->ending;
    bool answers = was.nth || was.exec == TW_EXEC_REJECTED;
    struct ask *a = answers ? tw_fix_orders_asked(e, was.nth) : NULL;

    e->ending.exec = 0;
    if (e->over && !a) return;
    if (!e->over) e->ended = tw_fix_orders_status(e, was.exec);
    o->now_ns = was.time_ns;
    tell_words(o, e, (struct tw_report){ .exec = was.exec, .reason = was.reason }, a,
               e->last_words);
    tw_fix_orders_end(o, e);
}

/* What waits for trades, or misses some.  G2, G3 */
static void look(struct tw_fix_orders *o, struct entry *e)
{
    if (e->ending.exec && e->cum >= e->ending.cum) end_now(o, e);
    if (e->cum < e->expected) tw_fix_orders_ask_status(o, e);
}

static void end(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                enum tw_exec_type exec, enum tw_reason reason, const struct ask *a)
{
    struct tw_venue_aside words;

    e->ending = (struct ending){ .exec = (uint8_t)exec, .reason = (uint8_t)reason,
        .nth = a ? a->nth : 0, .cum = s->cum.is ? s->cum.v : e->cum,
        .time_ns = o->now_ns };
    if (!read_words(s, &words)) return;
    if (!e->last_words) e->last_words = tw_calloc(1, sizeof words);
    if (e->last_words) *e->last_words = words;
}

static void cancel(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                   struct ask *a)
{
    if (a && a->what != ASK_CANCEL) a = NULL;
    if (!a && s->orig.at)                     /* by one that names the order */
        a = tw_fix_orders_oldest(e, ASK_CANCEL);
    if (!a) tell_text(o, s, "the venue has canceled an order");
    end(o, e, s, TW_EXEC_CANCELED,
        tw_fix_orders_reason(s, a ? TW_REASON_NONE : TW_REASON_UNSOLICITED), a);
}

static void reject(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                   struct ask *a)
{
    tell_text(o, s, "the venue has rejected an order");
    if (a && a->what != ASK_NEW) refuse(o, a, tw_fix_orders_reject_reason(s));
    else if (a) end(o, e, s, TW_EXEC_REJECTED, tw_fix_orders_reject_reason(s), NULL);
    else if (!e->over)
        end(o, e, s, TW_EXEC_CANCELED, tw_fix_orders_reject_reason(s), NULL);
}

/* ---- the status that was asked for ---- */

/* G4: what the lost connection or a gap has swallowed, asked before that number; or, of
 * that, the changes that it has. */
static void answer_stale(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                         unsigned nth, unsigned before, bool changes)
{
    struct ask *next;
    struct tw_report now = terms(e, s);

    if (s->status == '6' || s->status == 'E') return;   /* the venue is about to */
    for (struct ask *a = e->asks; a; a = next) {
        next = a->later;
        if (!a->stale || a->what == ASK_NEW || a->what > ASK_GROW
            || (a->nth >= before && !a->again)
            || (e->ending.exec && a->nth == e->ending.nth)) continue;
        if (changes && a->what != ASK_REPLACE) continue;
        /* Who waits for an answer to a cancel asks again; of our own nobody would. */
        if (a->own && a->what == ASK_CANCEL && a->rounds > 0) a->again = true;
        if (a->again && !e->over && (s->status == '0' || s->status == '1'))
            tw_fix_orders_ask_again(o, a);
        else if (s->status == '4' && a->what == ASK_CANCEL && !e->ending.nth && !e->over)
            e->ending.nth = a->nth,
            e->ending.reason = (uint8_t)tw_fix_orders_reason(s, TW_REASON_NONE);
        else if (a->what == ASK_REPLACE && !e->over
                 && (nth >= a->nth || (now.quantity == a->quantity
                                       && now.price == a->price && !is_same(e, &now))))
            replace(o, e, s, a);
        else if (!changes)
            refuse(o, a, e->over ? TW_REASON_TOO_LATE : a->rounds ? TW_REASON_SILENT
                       : a->seq ? TW_REASON_VENUE : TW_REASON_OFFLINE);
    }
}

static void end_by_status(struct tw_fix_orders *o, struct entry *e, const struct seen *s)
{
    bool lasts = e->tif == TW_TIF_GTC || e->tif == TW_TIF_GTD;

    if (e->ending.exec && s->cum.is && s->status && strchr("234C", s->status)
        && s->cum.v < e->ending.cum)
        e->ending.cum = s->cum.v;             /* a trade was taken back before it came */
    if (e->over || e->ending.exec) return;
    if (s->status == '4')
        end(o, e, s, TW_EXEC_CANCELED,
            tw_fix_orders_reason(s, TW_REASON_UNSOLICITED), NULL);
    else if (s->status == 'C') end(o, e, s, TW_EXEC_EXPIRED, TW_REASON_NONE, NULL);
    else if (s->status == '3' && !lasts)
        end(o, e, s, TW_EXEC_DONE_FOR_DAY, TW_REASON_NONE, NULL);
}

/* The venue has it, whatever comes later; also one that names no OrderID. */
static void hear(struct entry *e)
{
    e->heard = true;
    e->unheard = false;
}

/* The venue does not know an exit whose entry has traded: the former run ended as it was
 * to go out.  As it is there for what is held now it is not too late, as it would be for
 * other orders.  False: it is none, or what it is for has traded, or it was canceled. */
static bool send_again(struct tw_fix_orders *o, struct entry *e)
{
    struct ask *a = e->asks;
    int64_t left;

    if (!e->unheard || e->over || e->ending.exec) return false;
    while (a && a->what == ASK_GROW && a->own) a = a->later;
    left = tw_fix_orders_left(o, e);
    if (a || left == 0) return false;
    e->reconciles = false;
    if (!e->owner) return true;               /* it waits for who has sent it */
    if (left < e->quantity)
        set_terms(o, e, (struct tw_report){ .quantity = left, .price = e->price,
                                            .stop = e->stop }, NULL);
    a = tw_fix_orders_ask(o, e, ASK_NEW);
    if (!a) return false;
    if (a->nth > 0) e->n_asks--;
    a->nth = 0;                               /* whatever came of it had that number */
    a->own = true;
    e->unheard = false;
    return true;
}

static void take_status(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                        unsigned nth)
{
    struct ask *asked = tw_fix_orders_oldest(e, ASK_STATUS);
    unsigned before = asked ? asked->nth : e->n_asks;

    if (s->status == '8' && asked && nth != asked->by) return;   /* of an earlier one */
    if (asked) tw_fix_orders_forget(o, asked);
    if (s->status != '8') hear(e);
    if (s->status == 'A') return;
    if (s->status == '8'
        && (tw_fix_orders_ask_otherwise(o, e, nth) || send_again(o, e)))
        return;
    if (s->status == '8') {                   /* what it said last has to do */
        if (e->expected > e->cum)
            settle(o, e, &(struct seen){ .kind = 0 }, e->expected, e->average);
        if (!e->ending.exec)
            reject(o, e, s, e->over ? NULL : tw_fix_orders_asked(e, 0));
        nth = 0;                              /* it has taken none of those */
    } else {
        accept(o, e);
        answer_stale(o, e, s, nth, before, true);   /* trades may be by it */
        if (s->cum.is) settle(o, e, s, s->cum.v, s->average.v);
        end_by_status(o, e, s);
    }
    answer_stale(o, e, s, nth, before, false);
    if (e->reconciles && !e->ending.exec && !tw_fix_orders_oldest(e, ASK_REPLACE))
        restate(o, e, s);
    e->reconciles = e->doubts = false;
}

void tw_fix_orders_no_status(struct tw_fix_orders *o, struct ask *a)
{
    struct entry *e = a->entry;
    struct seen s = { 0 };
    unsigned before = a->nth;

    tw_fix_orders_forget(o, a);
    tw_fix_orders_note_silent(o, e);
    e->doubts = false;
    settle(o, e, &s, e->expected, e->average);
    answer_stale(o, e, &s, 0, before, false);
    look(o, e);
    tw_fix_orders_keep(o, e);
}

/* ---- orders of others ---- */

static void stray(struct tw_fix_orders *o, const struct seen *s, const char *what)
{
    bool may_fill = s->status == '0' || s->status == '1' || s->status == 'A';
    struct tw_fix_stray it = stray_of(s, what);

    tw_fix_orders_stray(o, &it);
    if (may_fill && s->kind != TW_EXEC_TRADE && o->o.cancel_unknown)
        tw_fix_orders_cancel_stray(o, s);
}

/* ---- what came ---- */

/* A trade that counts: not one that a status has told of already. */
static void take_trade(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                       struct exec *x)
{
    int64_t quantity = s->last_qty.v, known;
    bool is_exact;

    if (!s->last_qty.is || quantity <= 0) return;
    if (x) x->price = s->last_px.v, x->quantity = quantity;
    if (x && x->is_canceled) {                /* its end came first */
        x->quantity = 0;
        return;
    }
    known = s->cum.is && s->cum.v <= e->cum ? e->settled : 0;
    if (known > quantity) known = quantity;
    is_exact = s->last_px.v == e->settled_px && !tw_fix_orders_names_costs(s);
    if (quantity > known) tw_fix_orders_note_late(o, e);
    if (known > 0 && !is_exact) take_back(o, e, e->settled_px, known, NULL, true);
    if (is_exact) quantity -= known;
    e->settled -= known;
    if (quantity > 0) trade(o, e, s, s->last_px.v, quantity, x);
}

/* A trade that is not known, or another one in its place, but a status has told of it: at
 * a price by which the sum is what the venue says, where that can be. */
static void take_back_settled(struct tw_fix_orders *o, struct entry *e,
                              const struct seen *s, bool amends)
{
    int64_t more = s->kind == CORRECTED && s->last_qty.is ? s->last_qty.v : 0, price;
    int64_t n = s->cum.is ? e->cum + more - s->cum.v : 0;
    tw_money left;

    if (n > e->settled)                       /* G2 */
        e->doubts = true, tw_fix_orders_ask_status(o, e), n = e->settled;
    if (n <= 0) return;
    price = tw_money_price(e->value + tw_money_value(s->last_px.v, more)
                           - tw_money_value(s->average.v, s->cum.v), n);
    if (price < e->settled_px / 2 || price / 2 >= e->settled_px) price = e->settled_px;
    left = tw_money_value(e->settled_px, e->settled) - tw_money_value(price, n);
    take_back(o, e, price, n, NULL, amends);
    e->settled -= n;
    if (e->settled > 0) e->settled_px = tw_money_price(left, e->settled);
}

static void take_correction(struct tw_fix_orders *o, struct entry *e,
                            const struct seen *s, struct exec *ref, struct exec *x)
{
    bool has_come = ref && ref->quantity > 0;
    bool amends = s->kind == CORRECTED && s->last_qty.is && s->last_qty.v > 0
               && !(x && x->is_canceled);
    int64_t price, undone = 0;

    if (has_come) undone = tw_fix_orders_undone(e, s, ref->quantity, &price);
    if (has_come || s->kind == CORRECTED || e->settled) tw_fix_orders_note_late(o, e);
    if (undone > 0 && price != ref->price) {
        struct seen free_of_charge = *s;

        memset(free_of_charge.costs, 0, sizeof s->costs);
        trade(o, e, &free_of_charge, price, undone, NULL);
        undone = 0;
    }
    if (has_come && ref->quantity > undone)
        take_back(o, e, ref->price, ref->quantity - undone, ref, amends);
    if (e->settled > e->cum) e->settled = e->cum;   /* trades that had come are in it */
    if (has_come) ref->quantity = 0;
    else take_back_settled(o, e, s, amends);
    if (ref && !has_come) ref->is_canceled = true;
    e->expected = s->cum.is ? s->cum.v : e->cum;
    if (s->kind == CORRECTED && x && x->is_canceled) {
        x->quantity = 0;                      /* by what corrects it, which came first */
    } else if (s->kind == CORRECTED && s->last_qty.is && s->last_qty.v > 0) {
        if (x) x->price = s->last_px.v, x->quantity = s->last_qty.v;
        trade(o, e, s, s->last_px.v, s->last_qty.v, x);
    } else if (has_come && !e->over && s->leaves.is
               && s->leaves.v <= INT64_MAX - (s->cum.is ? s->cum.v : e->cum)) {
        struct seen now = *s;             /* of before other trades that have come */

        now.quantity.v = (s->cum.is ? s->cum.v : e->cum) + s->leaves.v;
        now.quantity.is = s->leaves.v > 0;
        if (s->leaves.v > 0) restate(o, e, &now);
        else end(o, e, s, TW_EXEC_CANCELED, TW_REASON_UNSOLICITED, NULL);
    }
}

/* Its quantity is what the venue says where more had traded, as the end of a trade had
 * not come, and now it has (G3); and where it is filled, but nobody told of a change. */
static void shrink(struct tw_fix_orders *o, struct entry *e, const struct seen *s)
{
    struct tw_report r = terms(e, s);
    bool is_filled = s->status == '2' && s->cum.is && s->cum.v == e->cum
                  && e->quantity > e->cum && e->cum > 0 && !e->ending.exec
                  && !tw_fix_orders_oldest(e, ASK_REPLACE)
                  && !tw_fix_orders_oldest(e, ASK_GROW);

    if (is_filled) r.quantity = e->cum;
    else if (!e->overfilled || !s->quantity.is || s->quantity.v < e->cum) return;
    if (e->over) return;
    r.reason = TW_REASON_UNSOLICITED;
    set_terms(o, e, r, NULL);
}

static void expect(struct entry *e, const struct seen *s)
{
    if (!s->cum.is || s->cum.v <= e->expected) return;
    e->expected = s->cum.v;
    e->average = s->average.v;
}

static void take_kind(struct tw_fix_orders *o, struct entry *e, const struct seen *s,
                      unsigned nth, struct exec *ref, struct exec *x)
{
    struct ask *a = tw_fix_orders_asked(e, nth);
    bool lasts = e->tif == TW_TIF_GTC || e->tif == TW_TIF_GTD;

    if (!a && nth > e->accepted && s->kind != TW_EXEC_REJECTED && s->status
        && strchr("0125", s->status))
        e->accepted = nth;                    /* a former run has asked for that */
    if (s->kind == STATUS) {
        take_status(o, e, s, nth);
        shrink(o, e, s);
        return;
    }
    if (s->kind == TW_EXEC_REJECTED) {
        if (!a && tw_fix_orders_oldest(e, ASK_STATUS)) take_status(o, e, s, nth);
        else reject(o, e, s, a);
        return;
    }
    hear(e);
    if (s->kind == TW_EXEC_PENDING_NEW) return;
    if (a && a->what == ASK_NEW) a = NULL;
    accept(o, e);
    if (s->kind != TW_EXEC_TRADE_CANCELED && s->kind != CORRECTED) expect(e, s);
    switch (s->kind) {
    case TW_EXEC_TRADE:    take_trade(o, e, s, x); break;
    case TW_EXEC_CANCELED: cancel(o, e, s, a);     break;
    case TW_EXEC_REPLACED: replace(o, e, s, a);    break;
    case RESTATED:         restate(o, e, s);       break;
    case TW_EXEC_NEW:                         /* late: H had said that it was not there */
        if (e->ended == TW_STATUS_REJECTED && e->over)
            stray(o, s, "open at the venue, which did not know it before");
        break;
    case TW_EXEC_EXPIRED:
        end(o, e, s, TW_EXEC_EXPIRED, tw_fix_orders_reason(s, TW_REASON_NONE), NULL);
        break;
    case TW_EXEC_DONE_FOR_DAY:                /* it goes on tomorrow */
        if (!lasts) end(o, e, s, TW_EXEC_DONE_FOR_DAY, TW_REASON_NONE, NULL);
        break;
    case TW_EXEC_TRADE_CANCELED: case CORRECTED:
        take_correction(o, e, s, ref, x);
        break;
    default: break;                           /* pending, stopped, triggered, ... */
    }
    shrink(o, e, s);
}

static enum tw_fix_answer take_report(struct tw_fix_orders *o,
                                      const struct tw_fix_message *m)
{
    struct seen s = tw_fix_orders_read(o, m);
    struct exec *x = NULL, *ref = NULL;
    struct entry *e, *found = NULL;
    unsigned nth = 0;
    bool is_new = true;

    if (s.time_ns) o->now_ns = s.time_ns;
    e = tw_fix_orders_find_id(o, s.id, &nth);
    if (!e) e = tw_fix_orders_find_id(o, s.orig, &nth);
    if (!e && tw_fix_orders_is_none(&s)) return TW_FIX_TAKEN;
    if (!e) e = found = tw_fix_orders_take_former(o, &s, &nth);
    if (!e) {
        stray(o, &s, o->expects_more
                  && tw_fix_orders_is_former(o, &s, &(uint64_t){ 0 }, &nth)
              ? "an order of a former run, but of which script only a store would say"
              : "an order that nobody here has sent");
        return TW_FIX_TAKEN;
    }
    if (s.ref.at && (s.kind == TW_EXEC_TRADE_CANCELED || s.kind == CORRECTED)) {
        ref = tw_fix_orders_exec(o, e, s.ref, &is_new);
        if (!ref) return TW_FIX_LATER;
    }
    if (!tw_fix_orders_fits(e, &s, ref)) {
        stray(o, &s, "not booked: more than 9.2e9 would have traded, or be held");
        return TW_FIX_TAKEN;
    }
    if (s.exec_id.at && s.kind != STATUS && !tw_fix_is(s.exec_id, "0")) {
        x = tw_fix_orders_exec(o, e, s.exec_id, &is_new);
        if (!x) return TW_FIX_LATER;
        if (!is_new && !(x->is_canceled && s.kind == CORRECTED))
            return TW_FIX_TAKEN;              /* G1 */
    }
    tw_fix_orders_learn_id(e, s.order_id);
    if (s.id.at && nth > e->named && s.status && strchr("0125", s.status)) e->named = nth;
    o->seen = &s;
    take_kind(o, e, &s, nth, ref, x);
    o->seen = NULL;
    look(o, e);
    if (found) tw_fix_orders_found(o, found);
    if (ref) tw_fix_orders_keep_exec(o, ref);
    if (x) tw_fix_orders_keep_exec(o, x);
    tw_fix_orders_keep(o, e);
    return TW_FIX_TAKEN;
}

/* The venue does not know it, and the connection that it went by is gone.  But a change
 * of a change that was refused may be what it does not know. */
static void never_came(struct tw_fix_orders *o, struct entry *e, struct tw_fix_text orig)
{
    struct ask *a = e->over ? NULL : tw_fix_orders_asked(e, 0);
    unsigned nth;

    if (orig.at && (tw_fix_orders_find_id(o, orig, &nth) != e || nth != e->accepted))
        return;
    if (a && a->stale) tw_fix_orders_fail(o, a, TW_REASON_UNKNOWN);
    else if (!a && e->is_former && !e->over && !e->ending.exec
             && !tw_fix_orders_oldest(e, ASK_STATUS))   /* that says what becomes of it */
        end(o, e, &(struct seen){ .kind = 0 }, TW_EXEC_CANCELED, TW_REASON_UNKNOWN, NULL);
}

/* 9 */
static void take_refusal(struct tw_fix_orders *o, const struct tw_fix_message *m)
{
    struct seen s = tw_fix_orders_read(o, m);
    unsigned nth = 0;
    struct entry *e = tw_fix_orders_find_id(o, s.id, &nth);
    struct ask *a = e && nth > 0 ? tw_fix_orders_asked(e, nth) : NULL;
    bool has_ended = s.status == '2' || s.status == '4' || s.status == '8'
                  || s.status == 'C' || (!s.status && s.has_code && s.code == 0);
    struct tw_fix_stray words;

    if (s.time_ns) o->now_ns = s.time_ns;
    if (!e) stray(o, &s, "a refusal of what nobody here has asked for");
    if (!a) return;
    if (s.has_code && s.code == 1 && tw_fix_orders_is_misnamed(e, a, s.orig)) {
        a->again = a->stale = true;
        tw_fix_orders_ask_status(o, e);
        return;
    }
    words = stray_of(&s, a->what == ASK_CANCEL ? "the venue has refused a cancel"
                                               : "the venue has refused a change");
    if ((a->own || has_words(&s)) && o->o.stray) o->o.stray(o->o.ctx, &words);
    o->seen = &s;
    refuse(o, a, tw_fix_orders_refusal_reason(&s));
    o->seen = NULL;
    if (s.has_code && s.code == 1) never_came(o, e, s.orig);
    look(o, e);
    tw_fix_orders_keep(o, e);
    if (has_ended && !e->over && !e->ending.exec) tw_fix_orders_ask_status(o, e);
}

/* The message is one that the peer can't take. */
static void fail(struct tw_fix_orders *o, struct ask *a, const struct seen *s)
{
    struct entry *e = a->entry;

    tell_text(o, s, "a message that the venue refused");
    if (a->what == ASK_STATUS) {
        tw_fix_orders_no_status(o, a);
        return;
    }
    o->seen = s;
    tw_fix_orders_fail(o, a, tw_fix_orders_reason(s, TW_REASON_VENUE));
    o->seen = NULL;
    if (e) look(o, e);
}

void tw_fix_orders_rejected(struct tw_fix_orders *o, uint64_t seq,
                            const struct tw_fix_message *m)
{
    struct seen s = { 0 };
    struct ask *a;

    if (m) s = tw_fix_orders_read(o, m);
    if (s.time_ns) o->now_ns = s.time_ns;
    a = tw_fix_orders_sent_as(o, seq);
    if (a) fail(o, a, &s);
}

/* j: by BusinessRejectRefID (379), or the number (45). */
static void take_business(struct tw_fix_orders *o, const struct tw_fix_message *m)
{
    struct tw_fix_text id = tw_fix_message_body(m, 379), ref = tw_fix_message_body(m, 45);
    struct tw_fix_text type = tw_fix_message_body(m, 372);
    struct seen s = tw_fix_orders_read(o, m);
    unsigned nth = 0;
    struct entry *e = tw_fix_orders_find_id(o, id, &nth);
    struct ask *a = !e ? NULL
                  : tw_fix_is(type, "H") ? tw_fix_orders_oldest(e, ASK_STATUS)
                  : tw_fix_orders_asked(e, nth);
    uint64_t seq;

    if (s.time_ns) o->now_ns = s.time_ns;
    if (a) fail(o, a, &s);
    else if (ref.at && tw_fix_integer(ref, &seq)) tw_fix_orders_rejected(o, seq, m);
}

enum tw_fix_answer tw_fix_orders_message(struct tw_fix_orders *o,
                                         const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);

    if (tw_fix_is(code, "8")) return take_report(o, m);
    if (tw_fix_is(code, "9")) return take_refusal(o, m), TW_FIX_TAKEN;
    if (tw_fix_is(code, "j")) return take_business(o, m), TW_FIX_TAKEN;
    return TW_FIX_UNSUPPORTED;
}
