/* field.c - the fields of records by name, as scripts and expressions know them. */
#include "tape/field.h"

#include <string.h>

enum {
    Q = 1 << TW_QUOTE, T = 1 << TW_TRADE, M = 1 << TW_MESSAGE, I = 1 << TW_TIMER,
    G = 1 << TW_GAP, R = 1 << TW_RELOAD, B = 1 << TW_BAR, O = 1 << TW_ORDER,
    L = 1 << TW_LEVEL, S = 1 << TW_STATUS,
    MARKET = Q | T | B | L, ANY = MARKET | M | I | G | R | O | S
};

#define FIELD(name, kinds, field, type) { name, kinds, TW_FIELD_##field, TW_FIELD_##type }
static const struct tw_field_name fields[] = {
    FIELD("_", ANY, NIL, OTHER),
    FIELD("q", Q, RECORD, OTHER), FIELD("quote", Q, RECORD, OTHER),
    FIELD("t", T, RECORD, OTHER), FIELD("trade", T, RECORD, OTHER),
    FIELD("b", B, RECORD, OTHER), FIELD("bar", B, RECORD, OTHER),
    FIELD("level", L, RECORD, OTHER), FIELD("record", MARKET | S, RECORD, OTHER),
    FIELD("symbol", MARKET | O | G | S, SYMBOL, NAMED),
    FIELD("symbol_id", MARKET | O | G | S, SYMBOL_ID, INTEGER),
    FIELD("sector", MARKET, SECTOR, NAMED), FIELD("weight", MARKET, WEIGHT, NUMBER),
    FIELD("tick_size", MARKET, TICK_SIZE, NUMBER),
    FIELD("lot_size", MARKET, LOT_SIZE, NUMBER),
    FIELD("bid", Q, BID, NUMBER), FIELD("ask", Q, ASK, NUMBER),
    FIELD("bid_size", Q, BID_SIZE, NUMBER), FIELD("ask_size", Q, ASK_SIZE, NUMBER),
    FIELD("mid", Q, MID, NUMBER), FIELD("spread", Q, SPREAD, NUMBER),
    FIELD("open", B, OPEN, NUMBER), FIELD("high", B, HIGH, NUMBER),
    FIELD("low", B, LOW, NUMBER), FIELD("close", B, CLOSE, NUMBER),
    FIELD("volume", B, VOLUME, NUMBER), FIELD("series", B, SERIES, OTHER),
    FIELD("price", T | O | L, PRICE, NUMBER), FIELD("size", T | L, SIZE, NUMBER),
    FIELD("place", L, PLACE, INTEGER), FIELD("change", L, CHANGE, OTHER),
    FIELD("last", L, LAST, OTHER), FIELD("book", L, BOOK, OTHER),
    FIELD("code", S, CODE, INTEGER), FIELD("text", S, TEXT, OTHER),
    FIELD("side", T | B | O | L, SIDE, NAMED), FIELD("id", T | O, ID, INTEGER),
    FIELD("quantity", O, QUANTITY, NUMBER), FIELD("status", O | S, STATUS, OTHER),
    FIELD("reason", O, REASON, OTHER),
    FIELD("topic", M, TOPIC, OTHER), FIELD("value", M, VALUE, OTHER),
    FIELD("timer", I, TIMER, INTEGER), FIELD("interval", I | B, INTERVAL, NUMBER),
    FIELD("count", I, COUNT, INTEGER),
    FIELD("lost", G, LOST, INTEGER), FIELD("first", G, FIRST, INTEGER),
    FIELD("time", ANY & ~G, TIME, INTEGER),
    FIELD("received", ANY & ~G, RECEIVED, INTEGER),
    FIELD("seq", ANY, SEQ, INTEGER), FIELD("source", MARKET | I | G | S, SOURCE, NAMED),
    FIELD("source_seq", Q | T | L | S, SOURCE_SEQ, INTEGER),
    FIELD("kind", ANY, KIND, OTHER),
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static const char *const kind_names[TW_KINDS] = {
    "none", "quote", "trade", "message", "timer", "order", "gap", "reload",
    "bar", "level", "status"
};

static const char *const trading_names[] = {
    "unknown", "halted", "open", "closed", "pre_open", "pre_close", "auction", "delayed",
    "notice"
};

const char *tw_trading_name(unsigned status)
{
    return status <= TW_TRADING_NOTICE ? trading_names[status] : "unknown";
}

const char *tw_kind_name(enum tw_kind kind)
{
    return kind_names[kind];
}

const struct tw_field_name *tw_field_at(unsigned i)
{
    return i < N_FIELDS ? &fields[i] : NULL;
}

const char *tw_field_text(enum tw_field field)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (fields[i].field == field) return fields[i].name;
    return "?";
}

int tw_name_distance(const char *a, size_t na, const char *b)
{
    enum { MAX = 32 };
    size_t nb = strlen(b);
    int row[MAX], la = (int)na, lb = (int)nb;

    if (na >= MAX || nb >= MAX) return MAX;
    for (int j = 0; j <= lb; j++) row[j] = j;
    for (int i = 1; i <= la; i++) {
        int corner = row[0];

        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            int swap = corner + (a[i - 1] != b[j - 1]);

            corner = row[j];
            if (row[j] + 1 < swap) swap = row[j] + 1;
            if (row[j - 1] + 1 < swap) swap = row[j - 1] + 1;
            row[j] = swap;
        }
    }
    return row[lb];
}

const struct tw_field_name *tw_field_find(unsigned kinds, const char *name, size_t n,
                                          const char **close)
{
    const char *nearest = NULL;
    int best = 3;

    if (close) *close = NULL;
    for (int i = 0; i < N_FIELDS; i++) {
        int d;

        if (!(fields[i].kinds & kinds)) continue;
        d = tw_name_distance(name, n, fields[i].name);
        if (d == 0) return &fields[i];
        if (d < best && d < (int)n) {
            best = d;
            nearest = fields[i].name;
        }
    }
    if (close) *close = nearest;
    return NULL;
}
