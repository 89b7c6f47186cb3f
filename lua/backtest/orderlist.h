/* orderlist.h - the list of a backtest's orders, and its hash.
 *
 * A line for each order, by time, script and symbol; numbers of orders are not in it, as
 * they depend on what else was of that time.  Where nobody asks for the orders
 * themselves, those that can't change any more go into the hash while the run goes on,
 * and are forgotten: a sweep holds those that are open alone.
 *
 * Invariant
 *   L1  What is forgotten comes before all that is left, and all that will come.
 *
 * Layer lua.  Thread: the run's.
 */
#ifndef LTW_ORDERLIST_H
#define LTW_ORDERLIST_H

#include "base/sha256.h"
#include "backtest/journal.h"

struct ltw_backtest;

struct ltw_orderlist {
    struct tw_sha256 hash;
    uint64_t n;                   /* orders that are in it                      */
};

/* An order, and whose names it has. */
struct ltw_listed { const struct ltw_backtest *b; const struct ltw_entry *e; };

void ltw_orderlist_begin(struct ltw_orderlist *l);

/* Takes what can be forgotten from the journals; without memory, later.
 * Blocks: no.  To be called where the run is settled. */
void ltw_orderlist_forget(struct ltw_orderlist *l, struct ltw_backtest *b);

/* [-0, +1, m]  All orders that are left, in the order of the list. */
struct ltw_listed *ltw_orderlist_push(lua_State *L, const struct ltw_backtest *b,
                                      size_t *n);

/* [-0, +0, m]  Those come into it, and it ends: field hash of the table.  listed: the
 * text of them is its field list. */
void ltw_orderlist_end(lua_State *L, struct ltw_orderlist *l, int table,
                       const struct ltw_listed *all, size_t n, bool listed);

const char *ltw_listed_symbol(const struct ltw_backtest *b, uint32_t symbol);

/* One that was still on its way when the data ended counts as there: that depends on
 * whether anything else was of the same time. */
const char *ltw_listed_status(enum tw_order_status status);

#endif
