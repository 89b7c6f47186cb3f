/* order_keep_check.c - whether a line that was kept of orders and positions can be one.
 *
 * Why all of it before any is used: a number that is read wrong is a position that is not
 * held, or an order that is sent again; so whoever runs the program is told.
 *
 * Layer host/fix.  Thread: any.
 */
#include <stdio.h>
#include <string.h>

#include "fix/order_entry_parts.h"

enum kind { WORD, ID, COUNT, UNSIGNED, NUMBER, MONEY, FLAG, SIDE, TYPE, TIF };

struct column { const char *name; enum kind kind; };

#define CHARGE { "rate", NUMBER }, { "charge", MONEY }, { "currency", WORD },

static const struct column order[] = {
    { "id", ID }, { "script", WORD }, { "symbol", WORD }, { "side", SIDE },
    { "type", TYPE }, { "time in force", TIF }, { "post_only", FLAG },
    { "quantity", NUMBER }, { "price", NUMBER }, { "stop", NUMBER }, { "trail", NUMBER },
    { "expiry", NUMBER }, { "requests", UNSIGNED }, { "request", UNSIGNED },
    { "traded", NUMBER }, { "value", MONEY }, { "expected", NUMBER },
    { "average", NUMBER }, { "settled", NUMBER }, { "settled price", NUMBER },
    { "over", FLAG }, { "OrderID", WORD },
}, ties[] = {
    { "id", ID }, { "held", FLAG }, { "reduce_only", FLAG }, { "parent", COUNT },
    { "group", COUNT }, { "label", WORD },
}, client[] = {
    { "id", ID }, { "account", WORD },
}, most[] = {
    { "id", ID }, { "quantity", NUMBER },
}, execution[] = {
    { "id", ID }, { "hash", COUNT }, { "price", NUMBER }, { "quantity", NUMBER },
    { "charge", MONEY }, CHARGE
}, position[] = {
    { "script", WORD }, { "symbol", WORD }, { "quantity", NUMBER }, { "cost", MONEY },
}, account[] = {
    { "script", WORD }, { "trades", COUNT }, { "day's end", NUMBER }, { "made", MONEY },
    { "currency", WORD },
}, cash[] = {
    { "script", WORD }, { "currency", WORD }, { "rate", NUMBER }, { "cash", MONEY },
    { "deposits", MONEY }, { "realised", MONEY }, { "fees", MONEY }, { "traded", MONEY },
}, held[] = {
    { "script", WORD }, { "symbol", WORD }, { "quantity", NUMBER }, { "mark", NUMBER },
    { "trades", COUNT }, { "cost", MONEY }, { "realised", MONEY }, { "fees", MONEY },
    { "settled", MONEY },
}, due[] = {
    { "script", WORD }, { "id", ID }, { "fees", MONEY }, { "uncut fees", MONEY },
    { "charged", MONEY }, { "quantity charged", NUMBER },
}, trade[] = {
    { "script", WORD }, { "number", COUNT }, { "id", ID }, { "symbol", WORD },
    { "side", SIDE }, { "taken back", FLAG }, { "price", NUMBER },
    { "quantity", NUMBER }, { "time", NUMBER }, { "charged", FLAG }, { "fee", MONEY },
    { "liquidity", UNSIGNED }, { "traded", NUMBER }, { "value", MONEY }, CHARGE
};

#define COLUMNS(a) MAY_LACK(a, 0, 0)
#define MAY_LACK(a, some, all) a, sizeof a / sizeof *a, { some, all }

static const struct form {
    const char *letter, *what;
    const struct column *columns;
    size_t n;
    size_t may_lack[2];           /* so many at the end may not be there             */
} forms[] = {
    { "O", "an order", COLUMNS(order) },
    { "U", "what ClOrdIDs are", most, 1, { 0, 0 } },
    { "S", "what ClOrdIDs are", most, 1, { 0, 0 } },
    { "V", "whose account an order has", COLUMNS(client) },
    { "T", "what an order waits for", COLUMNS(ties) },
    { "M", "what is left of an order", COLUMNS(most) },
    { "Q", "how large an exit may be", COLUMNS(most) },
    { "X", "an execution", MAY_LACK(execution, 3, 4) },
    { "P", "a position", COLUMNS(position) },
    { "A", "an account", COLUMNS(account) },
    { "C", "cash", COLUMNS(cash) },
    { "H", "what an account holds", COLUMNS(held) },
    { "E", "fees of an order", MAY_LACK(due, 2, 2) },
    { "F", "a trade", MAY_LACK(trade, 3, 3) },
};

/* All of [p, p + n) is digits, and not above max. */
static bool is_count(const char *p, size_t n, uint64_t max)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned char)p[i] - (unsigned)'0';

        if (digit > 9 || v > (max - digit) / 10) return false;
        v = v * 10 + digit;
    }
    return n > 0;
}

static bool is_number(const char *p, size_t n)
{
    bool is_negative = n > 0 && *p == '-';

    return is_count(p + is_negative, n - is_negative, (uint64_t)INT64_MAX + is_negative);
}

static bool is_money(const char *p)
{
    size_t high = strcspn(p, ":");

    return p[high] == ':' && is_number(p, high)
        && is_count(p + high + 1, strlen(p + high + 1), UINT64_MAX);
}

/* Of an enumeration: the number of a letter. */
static int letter_of(const char *p)
{
    int v = 0;

    if (!is_count(p, strlen(p), 255)) return 0;
    while (*p) v = v * 10 + (*p++ - '0');
    return v;
}

static bool is_fine(const char *p, enum kind kind)
{
    size_t n = strlen(p);

    switch (kind) {
    case WORD:     return true;
    case ID:       return is_count(p, n, UINT64_MAX) && strspn(p, "0") < n;
    case COUNT:    return is_count(p, n, UINT64_MAX);
    case UNSIGNED: return is_count(p, n, UINT32_MAX);
    case NUMBER:   return is_number(p, n);
    case MONEY:    return is_money(p);
    case FLAG:     return strcmp(p, "0") == 0 || strcmp(p, "1") == 0;
    case SIDE:     return letter_of(p) == TW_SIDE_BUY || letter_of(p) == TW_SIDE_SELL;
    case TYPE:     return tw_order_type_text((enum tw_order_type)letter_of(p)) != NULL;
    case TIF:
        return tw_time_in_force_text((enum tw_time_in_force)letter_of(p)) != NULL;
    }
    return false;
}

int tw_fix_orders_check_line(char *const *word, size_t n, size_t line,
                             struct tw_error *error)
{
    static const char *const wants[] = {
        [ID] = "number of an order", [COUNT] = "number", [UNSIGNED] = "number",
        [NUMBER] = "number", [MONEY] = "amount", [FLAG] = "0 or 1", [SIDE] = "side",
        [TYPE] = "type of orders", [TIF] = "time in force" };
    const struct form *f = forms, *end = forms + sizeof forms / sizeof *forms;
    char shown[40];

    while (f < end && (n == 0 || strcmp(word[0], f->letter) != 0)) f++;
    if (f == end || n == 0) return TW_EUSAGE;
    n--;
    if (n != f->n && n != f->n - f->may_lack[0] && n != f->n - f->may_lack[1])
        return TW_EUSAGE;
    for (size_t i = 0; i < n; i++)
        if (!is_fine(word[i + 1], f->columns[i].kind))
            return tw_fail(error, TW_EFORMAT, "line %zu, of %s: %s '%s' is no %s; mend"
                           " the line, or take it out and with it what it says", line,
                           f->what, f->columns[i].name,
                           tw_fix_show(word[i + 1], strlen(word[i + 1]), shown,
                                       sizeof shown), wants[f->columns[i].kind]);
    return TW_OK;
}
