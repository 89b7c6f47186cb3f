/* field.h - the fields of records by name, as scripts and expressions know them.
 *
 * Layer host/tape.
 */
#ifndef TW_FIELD_H
#define TW_FIELD_H

#include "tape/record.h"

enum tw_field {
    TW_NO_FIELD = -1,
    TW_FIELD_NIL, TW_FIELD_RECORD, TW_FIELD_SYMBOL, TW_FIELD_SYMBOL_ID, TW_FIELD_SECTOR,
    TW_FIELD_WEIGHT, TW_FIELD_TICK_SIZE, TW_FIELD_LOT_SIZE, TW_FIELD_BID, TW_FIELD_ASK,
    TW_FIELD_BID_SIZE, TW_FIELD_ASK_SIZE, TW_FIELD_MID, TW_FIELD_SPREAD, TW_FIELD_PRICE,
    TW_FIELD_SIZE, TW_FIELD_SIDE, TW_FIELD_ID, TW_FIELD_TOPIC, TW_FIELD_VALUE,
    TW_FIELD_TIMER, TW_FIELD_INTERVAL, TW_FIELD_COUNT, TW_FIELD_LOST, TW_FIELD_FIRST,
    TW_FIELD_TIME, TW_FIELD_RECEIVED, TW_FIELD_SEQ, TW_FIELD_SOURCE, TW_FIELD_SOURCE_SEQ,
    TW_FIELD_KIND, TW_FIELD_OPEN, TW_FIELD_HIGH, TW_FIELD_LOW, TW_FIELD_CLOSE,
    TW_FIELD_VOLUME, TW_FIELD_QUANTITY, TW_FIELD_STATUS, TW_FIELD_REASON,
    TW_FIELD_PLACE, TW_FIELD_CHANGE, TW_FIELD_LAST, TW_FIELD_BOOK, TW_FIELD_CODE,
    TW_FIELD_TEXT, TW_FIELD_SERIES,
    TW_FIELD_ATTRIBUTE   /* + i: the user's attribute i (symbols.h); a name, it has none
                          * in the functions here */
};

/* What a field holds; TW_FIELD_NAMED has one of few names, known by an id. */
enum tw_field_type {
    TW_FIELD_OTHER, TW_FIELD_NUMBER, TW_FIELD_INTEGER, TW_FIELD_NAMED
};

/* One name of a field (some have two); kinds: a bit for each enum tw_kind. */
struct tw_field_name {
    const char *name;
    unsigned kinds;
    enum tw_field field;
    enum tw_field_type type;
};

/* All of them: i = 0, 1, ... until NULL.  Thread: any.  Blocks: never. */
const struct tw_field_name *tw_field_at(unsigned i);

/* The field of that name that records of one of these kinds have, or NULL; then
 * *close (where close is not NULL) is the nearest name that there is, or NULL.
 * Thread: any.  Blocks: never.  Memory: none. */
const struct tw_field_name *tw_field_find(unsigned kinds, const char *name, size_t n,
                                          const char **close);

/* A field's name; where it has two, the first.  Thread: any. */
const char *tw_field_text(enum tw_field field);

/* "quote", "trade", ...  Thread: any. */
const char *tw_kind_name(enum tw_kind kind);

/* Of an enum tw_trading: "halted", "open", ...  Thread: any. */
const char *tw_trading_name(unsigned status);

/* How many letters to change, add or drop (Levenshtein); 32 where a name has more
 * than 31.  Thread: any.  Blocks: never.  Memory: none. */
int tw_name_distance(const char *a, size_t na, const char *b);

#endif
