/* order_instruments.c - what a venue calls the symbols of orders, and wants to be said of
 * each of them.
 *
 * Why by more than the name: up to 4.4 all expiries of a future have one Symbol (55), and
 * it is MaturityMonthYear (200), say, that tells them apart.
 */
#include "fix/order_entry_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"

static int by_symbol(const void *key, const void *at)
{
    uint32_t symbol = *(const uint32_t *)key;
    const struct tw_fix_instrument *i = at;

    return symbol < i->symbol ? -1 : symbol > i->symbol;
}

struct tw_fix_instrument tw_fix_orders_instrument(const struct tw_fix_orders *o,
                                                  uint32_t symbol)
{
    const struct tw_fix_instrument *found = NULL;
    struct tw_fix_instrument is;

    if (o->o.instruments_n)
        found = bsearch(&symbol, o->o.instruments, o->o.instruments_n, sizeof is,
                        by_symbol);
    if (found) is = *found;
    else is = (struct tw_fix_instrument){ .symbol = symbol, .fields = o->o.fields,
                                          .fields_n = o->o.fields_n };
    if (!is.name) is.name = tw_symbols_name(o->o.symbols, symbol);
    return is;
}

/* SecurityID, SecurityType, MaturityMonthYear, PutOrCall, StrikePrice, MaturityDay,
 * SecurityExchange, CFICode, MaturityDate. */
static const int32_t identity[] = { 48, 167, 200, 201, 202, 205, 207, 461, 541 };
enum { IDENTITY = sizeof identity / sizeof *identity };

static bool is_identity(int32_t tag)
{
    for (size_t i = 0; i < IDENTITY; i++)
        if (identity[i] == tag) return true;
    return false;
}

/* "4000" is "4000.00". */
static bool is_equal(struct tw_fix_text t, const char *text)
{
    int64_t a, b;

    return tw_fix_is(t, text)
        || (tw_fixed_parse(t.at, t.n, &a) == TW_OK
            && tw_fixed_parse(text, strlen(text), &b) == TW_OK && a == b);
}

/* Nothing that the message says of it is otherwise. */
static bool agrees(const struct tw_fix_instrument *is, const struct tw_fix_message *m)
{
    for (size_t i = 0; i < is->own_n; i++) {
        const struct tw_fix_extra *x = &is->fields[i];
        struct tw_fix_text t = tw_fix_message_body(m, x->tag);

        if (is_identity(x->tag) && t.at && !is_equal(t, x->value)) return false;
    }
    return true;
}

uint32_t tw_fix_orders_symbol(const struct tw_fix_orders *o, const struct seen *s)
{
    bool is_named = false;
    uint32_t symbol = 0;
    int64_t own;

    if (!s->symbol.at) return 0;
    for (size_t i = 0; i < o->o.instruments_n; i++) {
        struct tw_fix_instrument is = tw_fix_orders_instrument(
            o, o->o.instruments[i].symbol);

        if (!tw_fix_is(s->symbol, is.name)) continue;
        is_named = true;
        if (!agrees(&is, s->message)) continue;
        if (symbol) return 0;                 /* which of them nobody says */
        symbol = is.symbol;
    }
    if (is_named) return symbol;
    own = tw_symbols_intern(o->o.symbols, s->symbol.at, s->symbol.n);
    if (own <= 0) return 0;
    symbol = (uint32_t)own;
    return tw_fix_is(s->symbol, tw_fix_orders_instrument(o, symbol).name)
         ? symbol : 0;                        /* the venue calls ours otherwise */
}

void tw_fix_orders_put_identity(const struct tw_fix_type *t, const struct seen *s,
                                struct tw_fix_output *out)
{
    for (size_t i = 0; i < IDENTITY; i++) {
        struct tw_fix_text text = tw_fix_message_body(s->message, identity[i]);

        if (identity[i] != 48 && text.at && tw_fix_member(&t->body,
                                                          (uint32_t)identity[i]))
            tw_fix_put_text(out, identity[i], text.at, text.n);
    }
}
