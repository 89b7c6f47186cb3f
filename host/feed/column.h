/* column.h - what the columns of a text file may be called.
 *
 * Layer host/feed.
 */
#ifndef TW_COLUMN_H
#define TW_COLUMN_H

#include "base/tw.h"

enum tw_csv_column {
    TW_CSV_SKIP, TW_CSV_TIME, TW_CSV_SYMBOL, TW_CSV_BID, TW_CSV_ASK,
    TW_CSV_BID_SIZE, TW_CSV_ASK_SIZE, TW_CSV_PRICE, TW_CSV_SIZE, TW_CSV_SIDE
};

/* What a name means, or TW_CSV_SKIP when it is not known.  Only letters and
 * digits count, in either case: bid_size, "Bid Size" and BIDSIZE are one.
 * Thread: any.  Blocks: never. */
enum tw_csv_column tw_column_find(const char *name, size_t n);

/* What a name that is not known was probably meant to be, or TW_CSV_SKIP.
 * Thread: any.  Blocks: never. */
enum tw_csv_column tw_column_near(const char *name, size_t n);

/* The column's own name: "bid_size".  Thread: any.  Blocks: never. */
const char *tw_column_name(enum tw_csv_column column);

#endif
