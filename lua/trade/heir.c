/* heir.c - a script that trades at a gateway goes on with the account of a former run.
 *
 * The gateway keeps each trade at once; here it gets the account now and then, so that
 * the next run has few trades to book, the last prices, and the day's begin.
 */
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "trade/gateway.h"
#include "trade/trader.h"

enum { TRADES = 256 };                      /* that are kept without the account, */
#define EVERY_NS INT64_C(1000000000)        /* and how long                       */

static uint32_t script_of(const struct ltw_trader *t)
{
    return tw_broker_get_options(t->broker)->script;
}

/* No memory: the trades are kept without it. */
static void keep(struct ltw_trader *t, bool ends)
{
    struct ltw_heir *h = &t->heir;
    tw_money made;
    size_t n;
    char *text = tw_fix_account_lines(&h->account, &n);

    if (!text) return;
    h->trades = h->account.trades;
    h->day_ns = tw_broker_day(t->broker, &made);
    tw_fix_gateway_account(t->leaves_by, script_of(t), h->trades, text, n, ends);
}

void ltw_heir_record(struct ltw_trader *t, const struct tw_record *r)
{
    struct ltw_heir *h = &t->heir;
    tw_money made;

    if (!h->keeps || (r->received - h->kept_ns < EVERY_NS
                      && h->account.trades - h->trades < TRADES
                      && tw_broker_day(t->broker, &made) == h->day_ns))
        return;
    h->kept_ns = r->received;
    keep(t, false);
}

void ltw_heir_free(struct ltw_trader *t)
{
    if (t->heir.keeps) keep(t, true);
    tw_free(t->heir.account.dues);
}

void ltw_heir_adopt(struct ltw_trader *t, struct tw_order *o)
{
    struct ltw_heir *h = &t->heir;

    if (o) tw_fix_account_charge(&h->account, o);
    if (h->account.awaited > 0) h->account.awaited--;
}

/* What the app says of the cash is another amount than it was. */
static void tell_moved(const struct ltw_trader *t)
{
    char text[TW_MONEY_TEXT];

    tw_money_format(t->heir.account.moved, text);
    tw_log_printf(t->host->log, TW_LOG_WARN, "account", "%s: the app says another cash"
                  " than in the former run: the difference counts as a deposit of %s",
                  t->heir.account.name, text);
}

/* [-0, +0, e] */
static void inherit(lua_State *L, struct ltw_trader *t, const char *name)
{
    struct ltw_heir *h = &t->heir;
    const char *client = NULL;
    struct tw_fix_estate left;
    int rc;

    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "account");
        client = lua_tostring(L, -1);
        lua_pop(L, 1);                       /* the table has it */
    }
    h->account = (struct tw_fix_account){ .broker = t->broker,
                                          .symbols = t->host->symbols };
    strncpy(h->account.name, name, sizeof h->account.name - 1);
    if (tw_fix_gateway_join(t->leaves_by, script_of(t), name, client, &left) < 0)
        luaL_error(L, "not enough memory");
    rc = tw_fix_account_inherit(&h->account, &left);
    h->keeps = left.keeps && rc == TW_OK;
    h->account.awaited = left.orders;
    tw_fix_estate_fini(&left);
    if (rc == TW_ELIMIT)
        luaL_error(L, "account: with those of the former run there are more than %d"
                   " currencies", TW_CURRENCIES);
    if (rc < 0) luaL_error(L, "not enough memory");
    if (h->account.moved) tell_moved(t);
    if (h->keeps) keep(t, false);
}

void ltw_trader_inherit(lua_State *L, struct ltw_trader *t, const char *name)
{
    if (t->leaves_by && t->seat) inherit(L, t, name);
}
