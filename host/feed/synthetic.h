/* synthetic.h - a made-up market: correlated random walks from a seed.
 *
 * The same seed gives the same records on every machine.
 *
 * Layer host/feed.
 */
#ifndef TW_SYNTHETIC_H
#define TW_SYNTHETIC_H

#include "tape/record.h"
#include "tape/symbols.h"

struct tw_synthetic_options {
    struct tw_symbols *symbols;   /* required                                  */
    uint64_t seed;                /* 0: 1                                      */
    uint32_t universe;            /* n > 0: n made-up symbols in 10 sectors,
                                   * 0: AAPL and GOOG in tech, BP and XOM in oil */
    double rate;                  /* records a second of event time; 0: 20,000 */
    double trades;                /* share of records that are trades; <0: 0.05 */
    double correlation;           /* of returns within a sector; <0: 0.6       */
    int64_t start_ns;             /* event time of the first record            */
    uint8_t source;
};

struct tw_synthetic;

/* Interns its symbols and gives them sector, tick, lot and weight where they
 * have none.  NULL: no memory, or more symbols than the table takes.
 * Thread: any, then one at a time.  Blocks: no. */
struct tw_synthetic *tw_synthetic_new(const struct tw_synthetic_options *options);
void tw_synthetic_free(struct tw_synthetic *s);

/* The next record: a quote or a trade; received is left 0.
 * Thread: the owner's.  Blocks: never.  Memory: none. */
void tw_synthetic_next(struct tw_synthetic *s, struct tw_record *out);

/* Event time of the record that tw_synthetic_next would give.
 * Thread: the owner's.  Blocks: never. */
int64_t tw_synthetic_time(const struct tw_synthetic *s);

#endif
