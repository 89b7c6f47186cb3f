/* csv.h - text columns to quotes and trades; LEAN's tick files as presets.
 *
 * Layer host/feed.
 */
#ifndef TW_CSV_H
#define TW_CSV_H

#include "feed/codec.h"

enum tw_csv_column {
    TW_CSV_SKIP, TW_CSV_TIME, TW_CSV_SYMBOL, TW_CSV_BID, TW_CSV_ASK,
    TW_CSV_BID_SIZE, TW_CSV_ASK_SIZE, TW_CSV_PRICE, TW_CSV_SIZE, TW_CSV_SIDE
};
enum tw_csv_time { TW_CSV_NS, TW_CSV_US, TW_CSV_MS, TW_CSV_S, TW_CSV_ISO };
enum { TW_CSV_COLUMNS = 32 };

struct tw_csv_options {
    struct tw_symbols *symbols;      /* required */
    const char *columns;             /* "time,symbol,bid,ask,-,bid_size"; NULL: the
                                      * first line is a header with those names    */
    const char *preset;              /* "lean-equity-quote", "lean-equity-trade",
                                      * "lean-fx-quote"; NULL: none               */
    const char *symbol;              /* when no column says it; NULL: required there */
    const char *time;                /* "ns" "us" "ms" "s" "iso"; NULL: by its look  */
    int64_t base_ns;                 /* added to each time (LEAN: midnight of the day) */
    int64_t price_scale;             /* prices are divided by it; 0: 1 (LEAN: 10000) */
    char separator;                  /* 0: ',' */
    uint8_t source;
    tw_codec_problem *problem;
    void *problem_ctx;
};

/* A decoder of one file.  NULL: error says why (a column that is not known,
 * neither bid/ask nor price, no symbol, no memory).
 * Thread: any, then one at a time.  Blocks: no.  Memory: freed by ops->free. */
struct tw_codec *tw_csv_decoder_new(const struct tw_csv_options *options,
                                    struct tw_error *error);

#endif
