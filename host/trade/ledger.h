/* ledger.h - what a strategy did, for its figures: closed trades and the equity's curve.
 *
 * The curve has one value for each day (its last) for figures, and a finer one for
 * charts: a value for each span of time; when there are too many of them, spans become
 * twice as long.
 *
 * Layer host/trade.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_LEDGER_H
#define TW_LEDGER_H

#include "trade/broker.h"
#include "trade/performance.h"

/* A closed trade: from flat to flat, or to the other side. */
struct tw_trip {
    uint32_t symbol;
    int64_t entry_ns;
    int64_t quantity;             /* at most; below 0: short                         */
    int64_t entry_px, exit_px;    /* averages                                        */
    double fees;
};

enum { TW_LEDGER_POINTS = 8192 };

struct tw_ledger;

/* NULL: no memory. */
struct tw_ledger *tw_ledger_new(void);
void tw_ledger_free(struct tw_ledger *l);

/* It has no finer curve.  Before the first mark. */
void tw_ledger_only_days(struct tw_ledger *l);

/* It keeps what trades came to, a third of what it would, and no trips.  Before the
 * first trade. */
void tw_ledger_only_outcomes(struct tw_ledger *l);

/* Each thing that the broker of this account tells.  What a trade comes to is in the
 * account's currency, at the rate when it closes; NULL: in its instrument's.  UV_ENOMEM:
 * it is missing. */
int tw_ledger_told(struct tw_ledger *l, const struct tw_account *a,
                   const struct tw_told *t);

/* What it takes of the memory. */
size_t tw_ledger_bytes(const struct tw_ledger *l);

/* The equity at a time, after each record of the market. */
int tw_ledger_mark(struct tw_ledger *l, int64_t time_ns, tw_money equity);

/* Until then a mark changes the last values and adds none: who marks just before it, and
 * not each time, has the same curves.  INT64_MIN: before the first. */
int64_t tw_ledger_till(const struct tw_ledger *l);

/* Arrays that the ledger has; *n of them.  A trip has the outcome of its index. */
const struct tw_outcome *tw_ledger_outcomes(const struct tw_ledger *l, size_t *n);
const struct tw_trip *tw_ledger_trips(const struct tw_ledger *l, size_t *n);
const struct tw_point *tw_ledger_days(const struct tw_ledger *l, size_t *n);
const struct tw_point *tw_ledger_curve(const struct tw_ledger *l, size_t *n);

/* Since when there is a position of that symbol, and what it took; false: none. */
bool tw_ledger_open(const struct tw_ledger *l, uint32_t symbol, int64_t *entry_ns,
                    double *value);

#endif
