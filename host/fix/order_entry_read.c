/* order_entry_read.c - what 8, 9, j and 3 say, field by field.
 *
 * Why one way for all versions: what ExecTransType (20), ExecType (150) and OrdStatus
 * (39) say together up to 4.2 is what ExecType alone says later; it is brought to that
 * first. */
#include "fix/order_entry_parts.h"

#include <string.h>

#include "base/fixed.h"

static void number(struct number *n, const struct tw_fix_field *f)
{
    n->is = tw_fixed_parse(f->at, f->n, &n->v) == TW_OK;
}

/* One below 0 is none. */
static void quantity(struct number *n, const struct tw_fix_field *f)
{
    number(n, f);
    if (n->v < 0) *n = (struct number){ 0 };
}

static void letter(char *c, const struct tw_fix_field *f)
{
    *c = f->n == 1 ? *f->at : 0;
}

static void read_field(struct tw_fix_orders *o, struct seen *s,
                       const struct tw_fix_field *f)
{
    struct tw_fix_text t = { f->at, f->n };

    switch (f->tag) {
    case 1:   s->account = t;            break;
    case 6:   number(&s->average, f);    break;
    case 11:  s->id = t;                 break;
    case 14:  quantity(&s->cum, f);      break;
    case 17:  s->exec_id = t;            break;
    case 19:  s->ref = t;                break;
    case 20:  letter(&s->trans, f);      break;
    case 31:  number(&s->last_px, f);    break;
    case 32:  quantity(&s->last_qty, f); break;
    case 37:  s->order_id = t;           break;
    case 38:  quantity(&s->quantity, f); break;
    case 39:  letter(&s->status, f);     break;
    case 40:  letter(&s->type, f);       break;
    case 41:  s->orig = t;               break;
    case 44:  number(&s->price, f);      break;
    case 54:  letter(&s->side, f);       break;
    case 48: case 55:
        if ((f->tag == 48) == (o->o.id_source != 0)) s->symbol = t;
        break;
    case 58:  s->text = t;               break;
    case 59:  letter(&s->tif, f);        break;
    case 60:  tw_fix_time(&o->clock, t, &s->time_ns); break;
    case 99:  number(&s->stop, f);       break;
    case 102: case 103: case 378:
        s->has_code = tw_fix_integer(t, &s->code);
        break;
    case 126: tw_fix_time(&o->clock, t, &s->expire_ns); break;
    case 150: letter(&s->exec, f);       break;
    case 151: quantity(&s->leaves, f);   break;
    case 851: tw_fix_integer(t, &s->liquidity); break;
    case 12: case 13: case 137: case 138: case 479: case 891:
        tw_fix_orders_read_cost(s, f);
        break;
    default:  break;
    }
}

/* By what 4.3 calls it. */
static char kind_of(const struct seen *s)
{
    char exec = s->exec ? s->exec : s->status;      /* 4.0 has no 150 */

    if (s->trans == '1') return TW_EXEC_TRADE_CANCELED;
    if (s->trans == '2') return CORRECTED;
    if (s->trans == '3') return STATUS;
    if (exec == '1' || exec == '2' || (!s->exec && exec == '0'))
        if (s->last_qty.is && s->last_qty.v > 0) return TW_EXEC_TRADE;
    return exec == '1' || exec == '2' ? RESTATED : exec;
}

struct seen tw_fix_orders_read(struct tw_fix_orders *o, const struct tw_fix_message *m)
{
    struct tw_fix_text sent = tw_fix_message_header(m, 52);
    struct seen s = { .message = m };

    for (uint32_t i = m->body; i < m->trailer; i++) read_field(o, &s, &m->fields[i]);
    if (s.time_ns == 0 && sent.at) tw_fix_time(&o->clock, sent, &s.time_ns);
    s.kind = kind_of(&s);
    return s;
}

bool tw_fix_orders_is_none(const struct seen *s)
{
    return !s->id.at && !s->orig.at && s->status == '8'
        && (!s->has_code || s->code == 5);
}

enum tw_reason tw_fix_orders_reason(const struct seen *s, enum tw_reason otherwise)
{
    for (int i = TW_REASON_NONE + 1; s->text.at && i < TW_REASONS; i++)
        if (tw_fix_is(s->text, tw_reason_text((enum tw_reason)i)))
            return (enum tw_reason)i;
    return otherwise;
}

enum tw_reason tw_fix_orders_reject_reason(const struct seen *s)   /* OrdRejReason 103 */
{
    enum tw_reason r = TW_REASON_VENUE;

    if (s->has_code && s->code == 2) r = TW_REASON_CLOSED;
    if (s->has_code && s->code == 3) r = TW_REASON_ORDER_SIZE;
    if (s->has_code && s->code == 5) r = TW_REASON_UNKNOWN;
    return tw_fix_orders_reason(s, r);
}

enum tw_reason tw_fix_orders_refusal_reason(const struct seen *s)  /* CxlRejReason 102 */
{
    return tw_fix_orders_reason(s, s->has_code && s->code <= 1 ? TW_REASON_TOO_LATE
                                                           : TW_REASON_VENUE);
}

/* Our symbol of what it names; 0: it names none, or one of several. */
static uint32_t symbol_of(const struct tw_fix_orders *o, const struct seen *s)
{
    struct tw_fix_part body = tw_fix_part_body(s->message);
    const struct tw_fix_instrument *const *list;
    uint32_t symbol = 0;
    int64_t own;
    int most = -1;
    size_t n;

    if (!s->symbol.at) return 0;
    list = tw_fix_instruments_named(o->instruments, s->symbol, &n);
    for (size_t i = 0; i < n; i++) {
        int said = tw_fix_instrument_in(list[i], &body);

        if (said < 0 || said < most) continue;
        symbol = said > most ? list[i]->symbol : 0;   /* which of them nobody says */
        most = said;
    }
    if (n > 0) return symbol;
    own = tw_symbols_intern(o->o.symbols, s->symbol.at, s->symbol.n);
    if (own <= 0) return 0;
    symbol = (uint32_t)own;                  /* unless the venue calls ours otherwise */
    return tw_fix_instruments_of(o->instruments, symbol) ? 0 : symbol;
}

bool tw_fix_orders_read_order(const struct tw_fix_orders *o, const struct seen *s,
                              struct tw_request *q)
{
    uint32_t symbol = symbol_of(o, s);
    char type = s->price.v > 0 ? TW_TYPE_LIMIT : TW_TYPE_MARKET;

    if (tw_order_type_text((enum tw_order_type)s->type)) type = s->type;
    if (symbol == 0 || (s->side != '1' && s->side != '2') || s->quantity.v <= 0)
        return false;
    *q = (struct tw_request){
        .symbol = symbol, .quantity = s->quantity.v, .type = (uint8_t)type,
        .side = s->side == '1' ? TW_SIDE_BUY : TW_SIDE_SELL, .tif = TW_TIF_DAY,
        .price = tw_type_has_limit((uint8_t)type) ? s->price.v : 0,
        .stop = tw_type_is_stop((uint8_t)type) ? s->stop.v : 0,
    };
    if (tw_time_in_force_text((enum tw_time_in_force)s->tif)) q->tif = (uint8_t)s->tif;
    if (s->type == '5' || s->type == 'B') q->tif = TW_TIF_CLS;   /* before 4.3 */
    if (q->tif == TW_TIF_GTD) q->expire_ns = s->expire_ns;
    return true;
}

static bool is_open(char status)
{
    return status && strchr("01569AE", status);
}

bool tw_fix_orders_is_former(const struct tw_fix_orders *o, const struct seen *s,
                             uint64_t *id, unsigned *nth)
{
    if (!o->o.first_id || (s->kind != TW_EXEC_TRADE && !is_open(s->status))) return false;
    if (!tw_fix_orders_is_client(o, s->account)) return false;
    return (tw_fix_orders_read_id(s->id, id, nth)
            || tw_fix_orders_read_id(s->orig, id, nth))
        && *id < o->o.first_id && *id >= o->o.first_id / 10;
}
