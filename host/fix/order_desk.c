/* order_desk.c - the venue's side of orders over FIX. */
#include "fix/order_desk.h"

#include <string.h>
#include <uv.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "fix/order_desk_parts.h"
#include "trade/terms.h"

static struct name *find(const struct tw_fix_desk *d, struct tw_fix_text t)
{
    return tw_fix_desk_find_of(d, t, 0);
}

/* ---- writing ---- */

static const struct tw_fix_type *type_of(const struct tw_fix_desk *d, const char *code)
{
    return tw_fix_dictionary_type(d->o.dictionary, code, strlen(code));
}

static bool has(const struct tw_fix_type *t, uint32_t tag)
{
    return tw_fix_member(&t->body, tag) != NULL;
}

static bool requires(const struct tw_fix_type *t, uint32_t tag)
{
    const struct tw_fix_member *m = tw_fix_member(&t->body, tag);

    return m && m->required;
}

/* Of a field without choices, as the version has it: what is asked for is of 4.3. */
static bool takes(const struct tw_fix_desk *d, uint32_t tag, const char *value)
{
    const struct tw_fix_dictionary *of = d->o.dictionary;
    const struct tw_fix_definition *f = tw_fix_dictionary_field(of, tag);

    if (f && f->choices_n == 0) return tw_fix_dictionary_version(of) >= TW_FIX_43;
    return f && tw_fix_choice(f, value, strlen(value));
}

static void put_string(struct tw_fix_output *w, int32_t tag, const char *text)
{
    tw_fix_put_text(w, tag, text, strlen(text));
}

static struct tw_fix_output begin(struct tw_fix_desk *d)
{
    return (struct tw_fix_output){ .start = d->body, .body = d->body, .at = d->body,
                                   .end = d->body + sizeof d->body };
}

static void emit(struct tw_fix_desk *d, const char *code, const struct tw_fix_output *w)
{
    if (!w->error) d->o.send(d->o.ctx, code, d->body, (size_t)(w->at - w->start));
}

static void put_time(const struct tw_fix_desk *d, struct tw_fix_output *w,
                     const struct tw_fix_type *t)
{
    int digits = d->version < TW_FIX_42 ? TW_FIX_S
               : d->o.precision ? d->o.precision : TW_FIX_MS;

    if (has(t, 60)) tw_fix_put_time(w, 60, d->now_ns, (enum tw_fix_precision)digits);
}

static void put_name(struct tw_fix_output *w, int32_t tag, const struct name *i)
{
    if (i) tw_fix_put_text(w, tag, i->text, i->n);
}

/* As read_type has it. */
static char type_char(const struct tw_fix_desk *d, const struct tw_request *q)
{
    if (q->tif != TW_TIF_CLS || takes(d, 59, "7")) return (char)q->type;
    return q->type == TW_TYPE_MARKET ? '5' : 'B';
}

static void put_terms(const struct tw_fix_desk *d, struct tw_fix_output *w,
                      const struct tw_fix_type *t, const struct deal *deal)
{
    const struct tw_request *q = &deal->q;

    put_string(w, 55, tw_symbols_name(d->o.symbols, q->symbol));
    tw_fix_put_char(w, 54, (char)('0' + q->side));
    tw_fix_put_fixed(w, 38, deal->quantity);
    tw_fix_put_char(w, 40, type_char(d, q));
    if (deal->price) tw_fix_put_fixed(w, 44, deal->price);
    if (deal->stop && has(t, 99)) tw_fix_put_fixed(w, 99, deal->stop);
    if (takes(d, 59, (const char[]){ (char)q->tif, '\0' }))
        tw_fix_put_char(w, 59, (char)q->tif);
}

static void put_sums(struct tw_fix_output *w, const struct tw_fix_type *t,
                     const struct deal *deal)
{
    if (has(t, 151)) tw_fix_put_fixed(w, 151, tw_fix_desk_leaves(deal));
    tw_fix_put_fixed(w, 14, deal->filled);
    tw_fix_put_fixed(w, 6, tw_money_price(deal->value, deal->filled));
}

/* What a report is called: 20, 150. */
static void put_kind(struct tw_fix_output *w, const struct tw_fix_type *t, char trans,
                     char exec)
{
    if (has(t, 20)) tw_fix_put_char(w, 20, trans);
    if (has(t, 150)) tw_fix_put_char(w, 150, exec);
}

/* OrdRejReason 103 */
static void put_reject(const struct tw_fix_desk *d, struct tw_fix_output *w,
                       enum tw_reason reason)
{
    const char *code = reason == TW_REASON_CLOSED ? "2"
                     : reason == TW_REASON_ORDER_SIZE ? "3"
                     : takes(d, 103, "99") ? "99" : "0";

    put_string(w, 103, code);
}

/* ---- reports ---- */

static int64_t next_exec(struct tw_fix_desk *d)
{
    return (int64_t)(d->o.first_id + d->reports++ * d->o.id_step);
}

static char exec_char(const struct tw_fix_desk *d, const struct deal *deal,
                      const struct tw_venue_report *r)
{
    if (r->report.exec == TW_EXEC_TRADE)
        return takes(d, 150, "F") ? 'F' : deal->filled < deal->quantity ? '1' : '2';
    if (r->report.exec == TW_EXEC_REPLACED && !r->answers && takes(d, 150, "D"))
        return 'D';
    return (char)r->report.exec;
}

static char status_char(const struct tw_fix_desk *d, const struct deal *deal,
                        uint8_t exec)
{
    switch (exec) {
    case TW_EXEC_CANCELED: case TW_EXEC_EXPIRED: case TW_EXEC_REJECTED:
    case TW_EXEC_DONE_FOR_DAY:
        return (char)exec;
    default:
        if (exec == TW_EXEC_REPLACED && d->version == TW_FIX_40) return '5';
        if (deal->filled == deal->quantity) return '2';
        return deal->filled ? '1' : '0';
    }
}

static void learn(struct deal *deal, const struct tw_report *p)
{
    if (p->exec == TW_EXEC_TRADE) {
        deal->filled += p->last_qty;
        deal->value += tw_money_value(p->last_px, p->last_qty);
    } else if (p->exec == TW_EXEC_REPLACED) {
        deal->quantity = p->quantity;
        deal->price = p->price;
        deal->stop = p->stop;
    }
}

static void put_trade(struct tw_fix_output *w, const struct tw_fix_type *t,
                      const struct tw_report *p)
{
    bool is_trade = p->exec == TW_EXEC_TRADE;

    if (!is_trade && !requires(t, 32)) return;
    tw_fix_put_fixed(w, 32, is_trade ? p->last_qty : 0);
    tw_fix_put_fixed(w, 31, is_trade ? p->last_px : 0);
}

/* CxlRejReason 102 */
static void put_refusal(const struct tw_fix_desk *d, struct tw_fix_output *w,
                        const char *code)
{
    put_string(w, 102, takes(d, 102, code) ? code : takes(d, 102, "99") ? "99"
                     : takes(d, 102, "2") ? "2" : "0");
}

/* What a 9 says. */
struct refusal {
    const struct deal *deal;            /* NULL: none, which orig names */
    struct tw_fix_text asked, orig;     /* 11, 41                       */
    bool cancels;
    const char *code, *text;
};

static void write_refusal(struct tw_fix_desk *d, const struct refusal *r)
{
    const struct tw_fix_type *t = type_of(d, "9");
    const struct deal *deal = r->deal;
    struct tw_fix_output w = begin(d);

    if (!t) return;
    if (deal) tw_fix_put_integer(&w, 37, (int64_t)deal->q.id);
    else put_string(&w, 37, "NONE");
    if (r->asked.at) tw_fix_put_text(&w, 11, r->asked.at, r->asked.n);
    if (has(t, 41) && deal) put_name(&w, 41, deal->accepted);
    else if (has(t, 41) && r->orig.at) tw_fix_put_text(&w, 41, r->orig.at, r->orig.n);
    if (has(t, 39)) tw_fix_put_char(&w, 39, deal ? deal->status : '8');
    put_time(d, &w, t);
    if (has(t, 434)) tw_fix_put_char(&w, 434, r->cancels ? '1' : '2');
    put_refusal(d, &w, r->code);
    put_string(&w, 58, r->text);
    emit(d, "9", &w);
}

/* What has come of it, or what it waits for. */
static void refuse(struct tw_fix_desk *d, const struct deal *deal,
                   const struct name *asked, enum tw_reason reason)
{
    write_refusal(d, &(struct refusal){
        .deal = deal, .asked = { asked->text, asked->n },
        .cancels = asked->what == TW_REQUEST_CANCEL,
        .code = reason == TW_REASON_TOO_LATE ? "0" : "99",
        .text = tw_reason_text(reason) });
}

static void write_report(struct tw_fix_desk *d, struct deal *deal,
                         const struct tw_venue_report *r, const struct name *asked)
{
    const struct tw_fix_type *t = type_of(d, "8");
    const struct tw_report *p = &r->report;
    struct tw_fix_output w = begin(d);

    if (!t) return;
    tw_fix_put_integer(&w, 37, (int64_t)deal->q.id);
    put_name(&w, 11, asked ? asked : deal->accepted);
    if (asked && asked != deal->accepted && has(t, 41)) put_name(&w, 41, deal->accepted);
    tw_fix_put_integer(&w, 17, (int64_t)next_exec(d));   /* in 4.0 it is a number */
    put_kind(&w, t, '0', exec_char(d, deal, r));
    tw_fix_put_char(&w, 39, deal->status == '0' || deal->status == '1'
                          ? status_char(d, deal, p->exec) : deal->status);
    if (p->exec == TW_EXEC_REJECTED) put_reject(d, &w, (enum tw_reason)p->reason);
    put_terms(d, &w, t, deal);
    put_trade(&w, t, p);
    put_sums(&w, t, deal);
    put_time(d, &w, t);
    if (p->reason || deal->is_former)
        put_string(&w, 58, deal->is_former ? "the venue began anew: its book is empty"
                         : tw_reason_text((enum tw_reason)p->reason));
    if (p->liquidity && has(t, 851)) tw_fix_put_integer(&w, 851, p->liquidity);
    emit(d, "8", &w);
}

void tw_fix_desk_report(struct tw_fix_desk *d, const struct tw_venue_report *r)
{
    const struct tw_report *p = &r->report;
    struct deal *deal = tw_fix_desk_deal(d, p->order);
    struct name *asked = deal && r->answers ? tw_fix_desk_answered(d, deal) : NULL;

    if (!deal) return;
    d->now_ns = p->time_ns;
    if (p->exec == TW_EXEC_CANCEL_REJECTED) {
        if (!asked) return;
        refuse(d, deal, asked, (enum tw_reason)p->reason);
        tw_fix_desk_put_by(d, asked);
        return;
    }
    learn(deal, p);
    deal->status = status_char(d, deal, p->exec);
    if (deal->status == '5') deal->status = deal->filled ? '1' : '0';
    if (deal->status == '1' && deal->filled == deal->quantity) deal->status = '2';
    write_report(d, deal, r, asked);
    if (asked && asked->what == TW_REQUEST_REPLACE && deal->at) {
        tw_fix_desk_put_by(d, deal->accepted);
        deal->accepted = asked;
    }
    if (asked && asked != deal->accepted) tw_fix_desk_put_by(d, asked);
    tw_fix_desk_settle(d, deal);
}

/* ---- questions ---- */

static void echo(struct tw_fix_output *w, const struct tw_fix_type *t,
                 const struct tw_fix_message *m, int32_t tag)
{
    struct tw_fix_text v = tw_fix_message_body(m, tag);

    if (v.at && has(t, (uint32_t)tag)) tw_fix_put_text(w, tag, v.at, v.n);
}

/* Also what it waits for: the venue's answer to that comes later. */
static char status_of(const struct tw_fix_desk *d, const struct deal *deal)
{
    char status = 0;

    for (const struct name *i = deal->asked; i && status != '6'; i = i->later)
        status = i->what == TW_REQUEST_CANCEL ? '6' : i->what == TW_REQUEST_NEW ? 'A'
               : takes(d, 39, "E") ? 'E' : '6';
    return status && takes(d, 39, (const char[]){ status, '\0' }) ? status : deal->status;
}

/* The answers to an AF: how many, and which one of them, from 1 on. */
struct mass { int64_t total, nth; };

/* of: NULL: it answers none. */
static void put_mass(struct tw_fix_output *w, const struct tw_fix_type *t,
                     const struct tw_fix_message *m, const struct mass *of)
{
    if (!of) return;
    echo(w, t, m, 584);
    if (has(t, 911)) tw_fix_put_integer(w, 911, of->total);
    if (of->nth == of->total && has(t, 912)) tw_fix_put_flag(w, 912, true);
}

/* The status of an order as of now; m: whose answer it is, or NULL. */
static void write_status(struct tw_fix_desk *d, const struct deal *deal,
                         const struct tw_fix_message *m, const struct mass *of)
{
    const struct tw_fix_type *t = type_of(d, "8");
    struct tw_fix_output w = begin(d);
    char status = m ? status_of(d, deal) : deal->status;

    if (!t) return;
    tw_fix_put_integer(&w, 37, (int64_t)deal->q.id);
    put_name(&w, 11, deal->accepted);
    if (m) echo(&w, t, m, 790);
    put_mass(&w, t, m, of);
    put_string(&w, 17, "0");
    put_kind(&w, t, '3', takes(d, 150, "I") ? 'I' : status);
    tw_fix_put_char(&w, 39, status);
    put_terms(d, &w, t, deal);
    put_trade(&w, t, &(struct tw_report){ .exec = 0 });
    put_sums(&w, t, deal);
    put_time(d, &w, t);
    emit(d, "8", &w);
}

/* Of an order that nobody knows, or that is none: 8 with 39=8.  of: it answers an AF,
 * which need not name an instrument or a side, as an 8 must. */
static void write_rejected(struct tw_fix_desk *d, const struct tw_fix_message *m,
                           const char *code, const char *text, bool is_status,
                           const struct mass *of)
{
    static const int32_t echoed[] = { 790, 55, 54, 38, 40 };
    const struct tw_fix_type *t = type_of(d, "8");
    struct tw_fix_output w = begin(d);

    if (!t) return;
    put_string(&w, 37, "NONE");
    echo(&w, t, m, 11);
    tw_fix_put_integer(&w, 17, next_exec(d));
    put_kind(&w, t, is_status ? '3' : '0', is_status && takes(d, 150, "I") ? 'I' : '8');
    tw_fix_put_char(&w, 39, '8');
    put_string(&w, 103, takes(d, 103, code) ? code : "0");
    for (size_t i = 0; i < sizeof echoed / sizeof *echoed; i++) {
        echo(&w, t, m, echoed[i]);
        if (tw_fix_message_body(m, echoed[i]).at) continue;
        if (echoed[i] == 38 && requires(t, 38)) tw_fix_put_fixed(&w, 38, 0);
        if (of && echoed[i] == 55) put_string(&w, 55, "[N/A]");
        if (of && echoed[i] == 54) tw_fix_put_char(&w, 54, '7');   /* undisclosed */
    }
    put_mass(&w, t, m, of);
    put_trade(&w, t, &(struct tw_report){ .exec = 0 });
    put_sums(&w, t, &(struct deal){ .status = '8' });
    put_time(d, &w, t);
    put_string(&w, 58, text);
    emit(d, "8", &w);
}

/* ---- requests ---- */

static int64_t fixed(const struct tw_fix_message *m, int32_t tag, bool *is_wrong)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);
    int64_t v = 0;

    if (t.at && tw_fixed_parse(t.at, t.n, &v) < 0) *is_wrong = true;
    return v;
}

static char letter(const struct tw_fix_message *m, int32_t tag, char otherwise)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);

    return t.at && t.n == 1 ? *t.at : otherwise;
}

static bool has_word(const struct tw_fix_message *m, int32_t tag, char word)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);

    for (size_t i = 0; t.at && i < t.n; i += 2)
        if (t.at[i] == word) return true;
    return false;
}

/* Before 4.3 what is for the close says so by its type. */
static void set_type(struct tw_request *q, char type, char tif)
{
    bool closes = type == '5' || type == 'B';

    q->type = (uint8_t)(!closes ? type : type == '5' ? TW_TYPE_MARKET : TW_TYPE_LIMIT);
    q->tif = (uint8_t)(closes ? TW_TIF_CLS : tif);
}

static void read_type(const struct tw_fix_message *m, struct tw_request *q)
{
    set_type(q, letter(m, 40, 0), letter(m, 59, TW_TIF_DAY));
    q->post_only = has_word(m, 18, '6');
}

/* Does it say that, and not just the letter? */
static bool is_other(const struct tw_fix_message *m, int32_t tag, char than)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);

    return t.at && (t.n != 1 || *t.at != than);
}

/* It says what this venue has not, which would be done without it; or NULL. */
static const char *not_served(const struct tw_fix_message *m)
{
    static const struct { int32_t tag; const char *text; } quantities[] = {
        { 110, "MinQty (110) is not served" }, { 111, "MaxFloor (111) is not served" },
        { 210, "MaxShow (210) is not served" },
        { 1138, "DisplayQty (1138) is not served" },
    };
    static const char words[] = "GLMOPRTWd";
    bool is_wrong = false;

    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++)
        if (fixed(m, quantities[i].tag, &is_wrong) || is_wrong) return quantities[i].text;
    for (const char *w = words; *w; w++)
        if (has_word(m, 18, *w))
            return "ExecInst (18): neither all-or-none (G) nor pegs are served";
    return NULL;
}

/* Off the tick or the lot of its instrument: why; or NULL. */
static const char *off_grid(const struct tw_fix_desk *d, uint32_t symbol,
                            const struct tw_request *q, struct tw_error *error)
{
    struct tw_instrument in = tw_symbols_get(d->o.symbols, symbol);
    struct tw_terms terms = { .tick = in.tick_fixed, .lot = in.lot_fixed };
    struct tw_order o = { .terms = &terms, .quantity = q->quantity, .price = q->price,
                          .stop = q->stop };
    enum tw_reason why = TW_REASON_LOT;
    char text[TW_REASON_TEXT];

    if (!tw_order_off_grid(&o, why)) why = TW_REASON_TICK;
    if (!tw_order_off_grid(&o, why)) return NULL;
    tw_fail(error, TW_EUSAGE, "%s", tw_order_reason(&o, why, 0, text));
    return error->text;
}

/* What is wrong with it, or NULL. */
static const char *read_new(struct tw_fix_desk *d, const struct tw_fix_message *m,
                            struct tw_request *q, struct tw_error *error)
{
    struct tw_fix_text symbol = tw_fix_message_body(m, 55);
    struct tw_fix_text expires = tw_fix_message_body(m, 126);
    const char *wrong;
    bool is_wrong = false;
    struct tw_order o;

    if (symbol.at) q->symbol = tw_symbols_find(d->o.symbols, symbol.at, symbol.n);
    q->side = (uint8_t)(letter(m, 54, '0') - '0');
    q->quantity = fixed(m, 38, &is_wrong);
    q->price = fixed(m, 44, &is_wrong);
    q->stop = fixed(m, 99, &is_wrong);
    read_type(m, q);
    if (q->type == TW_TYPE_TRAILING_STOP) q->trail = fixed(m, 211, &is_wrong);
    if (q->tif == TW_TIF_GTD && expires.at
        && tw_fix_time(&d->clock, expires, &q->expire_ns) < 0)
        is_wrong = true;
    if (is_wrong) return "a number that can't be";
    if (q->type == TW_TYPE_TRAILING_STOP && is_other(m, 836, '0'))
        return "a trailing stop: PegOffsetType (836) can only be 0, a distance in price";
    if (q->type == TW_TYPE_TRAILING_STOP && is_other(m, 1094, '8'))
        return "pegged orders: PegPriceType (1094) can only be 8, a trailing stop";
    o = (struct tw_order){ .symbol = q->symbol, .side = q->side, .type = q->type,
        .tif = q->tif, .quantity = q->quantity, .price = q->price, .stop = q->stop,
        .trail = q->trail, .expire_ns = q->expire_ns, .post_only = q->post_only };
    if (tw_order_check(&o, error) < 0) return error->text;
    wrong = not_served(m);
    if (wrong) return wrong;
    if (d->o.calendar) q->calendar = d->o.calendar(d->o.of, q->symbol);
    return off_grid(d, q->symbol, q, error);
}

/* It may have come before: PossDup, PossResend. */
static bool is_again(const struct tw_fix_message *m)
{
    return tw_fix_is(tw_fix_message_header(m, 43), "Y")
        || tw_fix_is(tw_fix_message_header(m, 97), "Y");
}

static int take_new(struct tw_fix_desk *d, const struct tw_fix_message *m,
                    struct tw_request *q)
{
    struct tw_fix_text id = tw_fix_message_body(m, 11);
    const struct name *before = find(d, id);
    struct tw_error error = { 0 };
    const char *wrong;

    *q = (struct tw_request){ .what = TW_REQUEST_NEW, .owner = d->o.owner,
                              .id = d->o.first_id + d->taken * d->o.id_step };
    wrong = read_new(d, m, q, &error);
    if (before && is_again(m)) {
        write_status(d, before->deal, m, NULL);
        return 0;
    }
    if (!id.at || (before && !before->deal->is_former)) {
        write_rejected(d, m, "6", "a ClOrdID that was there before", false, NULL);
        return 0;
    }
    if (q->symbol == 0) {
        write_rejected(d, m, "1", "no such symbol", false, NULL);
        return 0;
    }
    if (wrong) {
        write_rejected(d, m, "11", wrong, false, NULL);
        return 0;
    }
    if (!tw_fix_desk_new_deal(d, q, id)) return UV_ENOMEM;
    d->taken++;
    return 1;
}

/* ---- AF ---- */

/* What it asks for: of any symbol, or side, where it names none. */
struct wanted { bool has_symbol; uint32_t symbol; char side; };

static bool is_wanted(const struct deal *deal, const struct wanted *f)
{
    return tw_fix_desk_leaves(deal) > 0
        && (!f->has_symbol || deal->q.symbol == f->symbol)
        && (!f->side || deal->q.side == f->side - '0');
}

static void tell_all(struct tw_fix_desk *d, const struct tw_fix_message *m)
{
    struct tw_fix_text symbol = tw_fix_message_body(m, 55);
    struct wanted f = { .has_symbol = symbol.n > 0, .side = letter(m, 54, 0) };
    struct mass of = { 0, 0 };

    if (is_other(m, 585, '7') && (is_other(m, 585, '1') || !f.has_symbol)) {
        write_rejected(d, m, "99", "MassStatusReqType (585) can only be 7, all orders, or"
                       " 1, those of a Symbol (55)", true, &of);
        return;
    }
    if (f.has_symbol) f.symbol = tw_symbols_find(d->o.symbols, symbol.at, symbol.n);
    for (const struct deal *deal = d->open; deal; deal = deal->next)
        of.total += is_wanted(deal, &f);
    for (const struct deal *deal = d->open; deal; deal = deal->next)
        if (is_wanted(deal, &f)) {
            of.nth++;
            write_status(d, deal, m, &of);
        }
    if (of.total == 0)
        write_rejected(d, m, "5", "no such order is open", true, &of);
}

/* ---- changes ---- */

/* The order that a ClOrdID names, or the OrderID where there is none (5.0). */
static struct name *named(const struct tw_fix_desk *d, const struct tw_fix_message *m,
                          int32_t tag)
{
    struct tw_fix_text id = tw_fix_message_body(m, 37);
    uint64_t number = 0;
    struct deal *deal;

    if (id.at && !tw_fix_message_body(m, tag).at) tw_fix_integer(id, &number);
    deal = number ? tw_fix_desk_deal(d, number) : NULL;
    return deal ? deal->accepted : find(d, tw_fix_message_body(m, tag));
}

/* Of a G: what an order keeps as long as it lives is another. */
static bool is_another(const struct tw_fix_desk *d, const struct tw_fix_message *m,
                       const struct tw_request *was)
{
    struct tw_fix_text symbol = tw_fix_message_body(m, 55);
    struct tw_request q = { .symbol = 0 };

    read_type(m, &q);
    if (symbol.at && tw_symbols_find(d->o.symbols, symbol.at, symbol.n) != was->symbol)
        return true;
    return is_other(m, 54, (char)('0' + was->side))
        || (tw_fix_message_body(m, 40).at && q.type != was->type)
        || (tw_fix_message_body(m, 59).at && q.tif != was->tif);
}

static int take_change(struct tw_fix_desk *d, const struct tw_fix_message *m,
                       enum tw_request_what what, struct tw_request *q)
{
    struct tw_fix_text id = tw_fix_message_body(m, 11);
    const struct name *orig = named(d, m, 41);
    const char *wrong = NULL, *code = "99";
    struct tw_error error = { 0 };
    struct name *asked;
    bool is_wrong = false;

    *q = (struct tw_request){ .what = what, .owner = d->o.owner };
    if (what == TW_REQUEST_REPLACE) {
        q->quantity = fixed(m, 38, &is_wrong);
        q->price = fixed(m, 44, &is_wrong);
        q->stop = fixed(m, 99, &is_wrong);
        if (q->price < 0 || q->stop < 0 || q->quantity <= 0) is_wrong = true;
    }
    if (!orig || !id.at) wrong = tw_reason_text(TW_REASON_UNKNOWN), code = "1";
    else if (find(d, id)) wrong = "a ClOrdID that was there before", code = "6";
    else if (is_wrong) wrong = "a number that can't be";
    else if (what == TW_REQUEST_REPLACE && is_another(d, m, &orig->deal->q))
        wrong = "the symbol, side, type and time in force of an order can't be changed";
    else if (what == TW_REQUEST_REPLACE && !(wrong = not_served(m)))
        wrong = off_grid(d, orig->deal->q.symbol, q, &error);
    if (wrong) {
        write_refusal(d, &(struct refusal){
            .deal = orig ? orig->deal : NULL, .asked = id,
            .orig = tw_fix_message_body(m, 41), .cancels = what == TW_REQUEST_CANCEL,
            .code = code, .text = wrong });
        return 0;
    }
    q->id = orig->deal->q.id;
    asked = tw_fix_desk_add(d, orig->deal, id, what);
    if (!asked) return UV_ENOMEM;
    if (!orig->deal->is_former) return 1;
    tw_fix_desk_answered(d, orig->deal);
    refuse(d, orig->deal, asked, TW_REASON_TOO_LATE);
    tw_fix_desk_put_by(d, asked);
    return 0;
}

int tw_fix_desk_take(struct tw_fix_desk *d, const struct tw_fix_message *m,
                     int64_t now_ns, struct tw_request *q)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    const struct name *i;

    d->now_ns = now_ns;
    if (tw_fix_is(code, "AF")) return tell_all(d, m), 0;
    if (code.n != 1) return TW_EUSAGE;
    switch (*code.at) {
    case 'D': return take_new(d, m, q);
    case 'F': return take_change(d, m, TW_REQUEST_CANCEL, q);
    case 'G': return take_change(d, m, TW_REQUEST_REPLACE, q);
    case 'H':
        i = named(d, m, 11);
        if (i) write_status(d, i->deal, m, NULL);
        else write_rejected(d, m, "5", tw_reason_text(TW_REASON_UNKNOWN), true, NULL);
        return 0;
    default:  return TW_EUSAGE;
    }
}

void tw_fix_desk_untaken(struct tw_fix_desk *d, const struct tw_request *q,
                         int64_t now_ns)
{
    bool is_new = q->what == TW_REQUEST_NEW;

    tw_fix_desk_report(d, &(struct tw_venue_report){
        .report = { .order = q->id, .time_ns = now_ns, .reason = TW_REASON_VENUE,
                    .exec = is_new ? TW_EXEC_REJECTED : TW_EXEC_CANCEL_REJECTED },
        .owner = q->owner, .symbol = q->symbol, .side = q->side, .answers = true });
}

/* ---- what a former run has left ---- */

/* What an 8 said last of an order. */
struct said { const char *body; size_t n; };

static int64_t said_fixed(const struct said *s, int tag)
{
    struct tw_fix_text t = tw_fix_desk_field(s->body, s->n, tag);
    int64_t v = 0;

    return t.at && tw_fixed_parse(t.at, t.n, &v) == TW_OK ? v : 0;
}

static char said_char(const struct said *s, int tag, char otherwise)
{
    struct tw_fix_text t = tw_fix_desk_field(s->body, s->n, tag);

    return t.n == 1 ? *t.at : otherwise;
}

bool tw_fix_desk_restore(struct tw_fix_desk *d, const char *body, size_t n)
{
    struct said s = { body, n };
    struct tw_fix_text id = tw_fix_desk_field(body, n, 11);
    struct tw_fix_text symbol = tw_fix_desk_field(body, n, 55);
    struct tw_request q = { .id = tw_fix_desk_number(body, n, 37),
        .side = (uint8_t)(said_char(&s, 54, '0') - '0') };
    struct deal *deal = tw_fix_desk_deal(d, q.id);

    set_type(&q, said_char(&s, 40, '0'), said_char(&s, 59, '0'));
    if (q.id == 0 || !id.at || !symbol.at) return false;
    if (!deal) {
        int64_t known = tw_symbols_intern(d->o.symbols, symbol.at, symbol.n);

        if (known <= 0) return false;
        q.symbol = (uint32_t)known;
        deal = tw_fix_desk_new_deal(d, &q, id);
        if (!deal) return false;
    } else {
        struct name *i = tw_fix_desk_find_of(d, id, q.id), *before = deal->accepted;

        if (!i) i = tw_fix_desk_add(d, deal, id, TW_REQUEST_REPLACE);
        if (!i) return false;
        deal->accepted = i;
        if (before != i) tw_fix_desk_put_by(d, before);
    }
    tw_fix_desk_answered(d, deal);
    deal->is_former = true;
    deal->quantity = said_fixed(&s, 38);
    deal->price = said_fixed(&s, 44);
    deal->stop = said_fixed(&s, 99);
    deal->filled = said_fixed(&s, 14);
    deal->value = tw_money_value(said_fixed(&s, 6), deal->filled);
    deal->status = said_char(&s, 39, '8');
    if (deal->status == '5') deal->status = deal->filled ? '1' : '0';
    return true;
}

void tw_fix_desk_end_former(struct tw_fix_desk *d, int64_t now_ns)
{
    d->now_ns = now_ns;
    for (struct deal *deal = d->open, *next; deal; deal = next) {
        bool was_new = deal->status == 'A';

        next = deal->next;
        if (!deal->is_former) continue;
        if (tw_fix_desk_leaves(deal) > 0) {
            deal->status = was_new ? TW_EXEC_REJECTED : TW_EXEC_CANCELED;
            write_report(d, deal, &(struct tw_venue_report){ .report = {
                .exec = (uint8_t)deal->status, .reason = TW_REASON_VENUE } }, NULL);
        }
        tw_fix_desk_settle(d, deal);
    }
}

void tw_fix_desk_note(struct tw_fix_desk *d, uint64_t id, int64_t now_ns)
{
    struct deal *deal = id ? tw_fix_desk_deal(d, id) : d->open;

    d->now_ns = now_ns;
    for (; deal; deal = id ? NULL : deal->next) {
        char status = deal->status;

        if (tw_fix_desk_leaves(deal) == 0) continue;
        if (deal->asked == deal->accepted) deal->status = 'A';
        write_status(d, deal, NULL, NULL);
        deal->status = status;
    }
}

/* ---- all of it ---- */

struct tw_fix_desk *tw_fix_desk_new(const struct tw_fix_desk_options *options)
{
    struct tw_fix_desk *d = tw_calloc(1, sizeof *d);

    if (!d) return NULL;
    d->o = *options;
    d->version = tw_fix_dictionary_version(options->dictionary);
    if (d->o.first_id == 0) d->o.first_id = 1;
    if (d->o.id_step == 0) d->o.id_step = 1;
    tw_fix_clock_init(&d->clock);
    if (tw_fix_desk_begin_anew(d)) return d;
    tw_free(d);
    return NULL;
}

bool tw_fix_desk_renew(struct tw_fix_desk *d, const struct tw_fix_dictionary *dictionary,
                       int precision)
{
    struct tw_hashed names = d->names, deals = d->deals;

    if (d->open || d->n_asked > 0 || !tw_fix_desk_begin_anew(d)) return false;
    tw_fix_desk_forget(&names, &deals);
    d->o.first_id += d->taken * d->o.id_step;
    d->taken = 0;
    d->o.dictionary = dictionary;
    d->o.precision = precision;
    d->version = tw_fix_dictionary_version(dictionary);
    return true;
}

void tw_fix_desk_free(struct tw_fix_desk *d)
{
    if (!d) return;
    tw_fix_desk_forget(&d->names, &d->deals);
    tw_free(d);
}
