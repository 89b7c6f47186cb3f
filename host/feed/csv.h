/* csv.h - text columns to quotes, trades and bars; LEAN's files as presets.
 *
 * One row is one line (a quoted field ends on its line).  Where there are columns of
 * bars a row is a bar, or one of each side of quotes; else a row with a price is
 * a trade, any other a quote.  A side whose price is empty stays as the
 * symbol's last row had it.  Empty lines and lines that begin with # are
 * skipped; so is, counted as ignored, a first line whose time begins with a
 * letter when the columns are given.  Records that nobody has received (received_ns is 0)
 * have their line there.
 *
 * Layer host/feed.
 */
#ifndef TW_CSV_H
#define TW_CSV_H

#include "feed/codec.h"
#include "feed/column.h"
#include "feed/timestamp.h"

struct tw_csv_options {
    struct tw_symbols *symbols;      /* required */
    const char *columns;             /* "time,symbol,bid,ask,-,bid_size"; NULL: the
                                      * first line is a header with those names    */
    const char *preset;              /* "lean-equity-quote", "lean-equity-trade",
                                      * "lean-fx-quote", "lean-equity-quote-bar",
                                      * "lean-equity-trade-bar", "lean-quote-bar",
                                      * "lean-trade-bar"; NULL: none              */
    const char *symbol;              /* when no column says it; NULL: required there */
    const char *time;                /* "ns" "us" "ms" "s" "iso"; NULL: by its look  */
    int64_t base_ns;                 /* added to each time (LEAN: midnight of the day) */
    const char *zone;                /* of times that don't say theirs; NULL: UTC    */
    int64_t interval_ns;             /* of bars: whole seconds; 0: a day, where times
                                      * are dates alone                            */
    bool label_end;                  /* a bar's time is that of its end, not of its
                                      * beginning                                  */
    int64_t price_scale;             /* prices are divided by it; 0: 1 (LEAN: 10000) */
    int64_t from_ns, to_ns;          /* records of from <= time < to, the others are
                                      * ignored; 0: no bound                       */
    const char *factors;             /* the path of what prices are multiplied by then
                                      * (factor.h), or NULL                        */
    char separator;                  /* 0: ',' */
    uint8_t source;
    /* Why a row that reads well can't be, or NULL; may be NULL itself. */
    const char *(*check)(void *ctx, const struct tw_record *r, uint64_t line);
    tw_codec_problem *problem;
    void *problem_ctx;               /* of both */
};

/* A decoder of one file, or of several with ops->end between them: each has its
 * own header, form of time, line numbers and last quotes.  NULL: error says why
 * (a column that is not known, neither bid/ask nor price, no symbol, no memory).
 * Thread: any, then one at a time.  Blocks: no.  Memory: freed by ops->free. */
struct tw_codec *tw_csv_decoder_new(const struct tw_csv_options *options,
                                    struct tw_error *error);

#endif
