/* journal.h - what a backtest keeps of a script's trading: its orders and its trades.
 *
 * Layer lua.  Thread: the run's.
 */
#ifndef LTW_JOURNAL_H
#define LTW_JOURNAL_H

#include "trade/ledger.h"
#include "trade/trader.h"

/* An order as it was when it was told of last. */
struct ltw_entry {
    uint64_t id;
    int64_t time_ns, quantity, price, stop, filled, average;
    tw_money fees;
    uint32_t symbol;
    uint32_t script;              /* 1, 2, ...                                     */
    uint8_t side, type, tif, status, reason;
    bool has_ended;               /* no more will be told of it                    */
    char *label;                  /* or NULL                                       */
};

struct ltw_journal {
    struct ltw_entry *entry;      /* n of them, in the order of their ids          */
    size_t n, room, labels;       /* labels: bytes                                 */
    struct tw_ledger *trades;
    unsigned open;                /* instruments that there is a position of       */
    uint32_t script;              /* constant                                      */
};

/* NULL: no memory. */
struct ltw_journal *ltw_journal_new(uint32_t script);
void ltw_journal_free(struct ltw_journal *j);   /* may be NULL */

/* What it takes of the memory. */
size_t ltw_journal_bytes(const struct ltw_journal *j);

/* What is being told, by the broker of this account.  False: no memory. */
bool ltw_journal_told(struct ltw_journal *j, const struct tw_account *a,
                      const struct tw_told *t);

/* No more will be told of the order. */
void ltw_journal_ended(struct ltw_journal *j, const struct tw_order *o);

/* Drops the orders before that time. */
void ltw_journal_forget(struct ltw_journal *j, int64_t till_ns);

#endif
