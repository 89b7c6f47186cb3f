/* fault.c - what is wrong with a record though it could be read, and where it is. */
#include "feed/fault.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/fixed.h"
#include "tape/bar.h"

const char *tw_place_text(const struct tw_place *p, char out[TW_PLACE_TEXT])
{
    out[0] = '\0';
    if (p->line > 0)
        snprintf(out, TW_PLACE_TEXT, "csv: line %" PRIu64, p->line);
    else if (p->message > 0)
        snprintf(out, TW_PLACE_TEXT, "message %" PRIu64, p->message);
    else if (p->record > 0)
        snprintf(out, TW_PLACE_TEXT, "record %" PRIu64 " (block at byte %" PRIu64 ")",
                 p->record, p->block);
    return out;
}

static bool is_side(int64_t price, int64_t size)
{
    return (price | size) != 0;
}

const char *tw_record_fault(const struct tw_record *r)
{
    const struct tw_quote *q = &r->quote;
    struct tw_ohlc bar;
    bool is_0, is_negative;

    switch (r->kind) {
    case TW_QUOTE:
        is_0 = (is_side(q->bid, q->bid_size) && q->bid == 0)
            || (is_side(q->ask, q->ask_size) && q->ask == 0);
        is_negative = q->bid_size < 0 || q->ask_size < 0;
        break;
    case TW_TRADE:
        is_0 = r->trade.price == 0;
        is_negative = r->trade.size < 0;
        break;
    case TW_BAR:
        tw_bar_get(r, &bar);
        if (bar.open < bar.low || bar.open > bar.high)
            return "the open of a bar is not between its low and its high";
        is_0 = bar.low == 0 || bar.high == 0 || bar.open == 0 || bar.close == 0;
        is_negative = bar.volume < 0;
        break;
    default:
        return NULL;
    }
    return is_0 ? "a price of 0" : is_negative ? "a size below 0" : NULL;
}

/* Its low is the least price, as high and low are distances from the close, both up. */
bool tw_bar_is_sound(const struct tw_record *r)
{
    struct tw_ohlc bar;

    tw_bar_get(r, &bar);
    return bar.low > 0 && bar.open >= bar.low && bar.open <= bar.high && bar.volume >= 0;
}

static bool is_negative(const struct tw_record *r)
{
    struct tw_ohlc bar;

    if (r->kind == TW_QUOTE) return r->quote.bid < 0 || r->quote.ask < 0;
    if (r->kind == TW_TRADE) return r->trade.price < 0;
    if (r->kind != TW_BAR) return false;
    tw_bar_get(r, &bar);
    return bar.low < 0;
}

static bool is_crossed(const struct tw_record *r)
{
    return r->kind == TW_QUOTE && is_side(r->quote.ask, r->quote.ask_size)
        && is_side(r->quote.bid, r->quote.bid_size) && r->quote.bid > r->quote.ask;
}

unsigned tw_record_odd(const struct tw_record *r, int64_t *last_ns, unsigned *told)
{
    unsigned odd = 0;

    if (r->kind != TW_QUOTE && r->kind != TW_TRADE && r->kind != TW_BAR) return 0;
    if (r->time > *last_ns) *last_ns = r->time;
    else if (r->time < *last_ns && r->kind != TW_BAR) odd = TW_ODD_BACK;
    if (!(odd & ~*told) && is_crossed(r)) odd = TW_ODD_CROSSED;
    if (!(odd & ~*told) && is_negative(r)) odd = TW_ODD_NEGATIVE;
    odd &= ~*told;
    *told |= odd;
    return odd;
}

const char *tw_back_text(const struct tw_record *r, int64_t last_ns,
                         char out[TW_ODD_TEXT])
{
    char from[TW_DATE_TEXT], to[TW_DATE_TEXT];

    snprintf(out, TW_ODD_TEXT, "time goes back, from %s to %s%s",
             tw_date_text(last_ns, TW_DATE_EXACT, from),
             tw_date_text(r->time, TW_DATE_EXACT, to),
             r->kind == TW_BAR ? ", the ends of bars" : "");
    return out;
}

/* The one below 0. */
static int64_t negative(const struct tw_record *r)
{
    struct tw_ohlc bar;

    if (r->kind == TW_QUOTE) return r->quote.bid < 0 ? r->quote.bid : r->quote.ask;
    if (r->kind == TW_TRADE) return r->trade.price;
    tw_bar_get(r, &bar);
    return bar.low;
}

const char *tw_odd_text(unsigned odd, const struct tw_record *r, int64_t last_ns,
                        char out[TW_ODD_TEXT])
{
    char text[TW_ODD_TEXT], bid[TW_FIXED_TEXT], ask[TW_FIXED_TEXT];

    if (odd == TW_ODD_BACK) {
        snprintf(out, TW_ODD_TEXT, "%.140s; such records are taken as they come",
                 tw_back_text(r, last_ns, text));
    } else if (odd == TW_ODD_CROSSED) {
        tw_fixed_format(r->quote.bid, bid);
        tw_fixed_format(r->quote.ask, ask);
        snprintf(out, TW_ODD_TEXT, "the bid %s is above the ask %s; such quotes are taken"
                 " as they are", bid, ask);
    } else {
        tw_fixed_format(negative(r), bid);
        snprintf(out, TW_ODD_TEXT, "a price below 0 (%s); such records are taken as they"
                 " are", bid);
    }
    return out;
}
