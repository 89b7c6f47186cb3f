/* keys.c - the keys of a statistic (by symbol ...), each as a small number.
 *
 * Why two ways: where all parts follow from the symbol (itself, its sector or another
 * attribute), one array by symbol gives the key, so a row costs a load; other tuples
 * are looked up in a hash table.  What a symbol's sector is, is looked up once, at its
 * first row.
 */
#include "stat/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "tape/bar.h"

struct tw_keys {
    struct tw_key_names names;
    struct tw_key_part part[TW_EXPR_KEYS];
    unsigned n_parts;
    bool of_symbol;                /* all parts follow from it                     */
    uint32_t *by_symbol;           /* key + 1; 0: not looked up yet                */
    size_t n_symbols;              /* its length                                   */
    uint32_t count, room;          /* keys; of the two arrays below, key 0 too     */
    uint64_t *tuple;               /* n_parts words for each key                   */
    bool *seen;
    uint32_t *slot;                /* open addressing: keys, 0 is free             */
    uint32_t n_slots;              /* a power of two, more than count              */
};

struct tw_keys *tw_keys_new(const struct tw_key_names *names,
                            const struct tw_key_part *parts, unsigned n)
{
    struct tw_keys *k = tw_calloc(1, sizeof *k);

    if (!k) return NULL;
    k->names = *names;
    k->n_parts = n;
    k->of_symbol = n > 0;
    for (unsigned i = 0; i < n; i++) {
        k->part[i] = parts[i];
        k->of_symbol = k->of_symbol && (parts[i].field == TW_FIELD_SYMBOL
                                        || parts[i].field == TW_FIELD_SECTOR
                                        || parts[i].field >= TW_FIELD_ATTRIBUTE);
    }
    return k;
}

void tw_keys_free(struct tw_keys *k)
{
    if (!k) return;
    tw_free(k->by_symbol);
    tw_free(k->tuple);
    tw_free(k->seen);
    tw_free(k->slot);
    tw_free(k);
}

/* ---- tuples ---- */

/* A small whole number as a double has its bits at the top: they go down first. */
static uint64_t hash(const uint64_t *tuple, unsigned n)
{
    uint64_t h = 0;

    for (unsigned i = 0; i < n; i++) {
        h ^= tuple[i];
        h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

static bool equals(const struct tw_keys *k, uint32_t key, const uint64_t *tuple)
{
    return memcmp(&k->tuple[(size_t)key * k->n_parts], tuple,
                  k->n_parts * sizeof *tuple) == 0;
}

static uint32_t *slot_of(const struct tw_keys *k, const uint64_t *tuple)
{
    uint32_t at = (uint32_t)hash(tuple, k->n_parts) & (k->n_slots - 1);

    while (k->slot[at] != 0 && !equals(k, k->slot[at], tuple))
        at = (at + 1) & (k->n_slots - 1);
    return &k->slot[at];
}

/* Room for one key more in all arrays. */
static int grow(struct tw_keys *k)
{
    if (k->count + 1 >= k->room) {
        uint32_t room = k->room ? k->room * 2 : 16;
        uint64_t *tuple = tw_realloc(k->tuple, (size_t)room * k->n_parts * sizeof *tuple);
        bool *seen;

        if (tuple) k->tuple = tuple;
        seen = tw_realloc(k->seen, room * sizeof *seen);
        if (seen) k->seen = seen;
        if (!tuple || !seen) return UV_ENOMEM;
        k->room = room;
    }
    if (k->n_slots < 2 * (k->count + 2)) {
        uint32_t n = k->n_slots ? k->n_slots * 2 : 32, *slot = tw_calloc(n, sizeof *slot);

        if (!slot) return UV_ENOMEM;
        tw_free(k->slot);
        k->slot = slot;
        k->n_slots = n;
        for (uint32_t key = 1; key <= k->count; key++)
            *slot_of(k, &k->tuple[(size_t)key * k->n_parts]) = key;
    }
    return TW_OK;
}

static int64_t intern(struct tw_keys *k, const uint64_t *tuple)
{
    uint32_t *slot;
    int rc;

    if (k->n_slots && *(slot = slot_of(k, tuple)) != 0) return *slot;
    if (k->count == TW_KEYS_MAX) return TW_ELIMIT;
    if ((rc = grow(k)) < 0) return rc;
    slot = slot_of(k, tuple);
    *slot = ++k->count;
    memcpy(&k->tuple[(size_t)k->count * k->n_parts], tuple, k->n_parts * sizeof *tuple);
    k->seen[k->count] = false;
    return k->count;
}

/* ---- rows ---- */

/* False: the row has no such part. */
static bool part_of(const struct tw_keys *k, unsigned part, const struct tw_record *r,
                    unsigned row, uint64_t *out)
{
    const struct tw_key_part *p = &k->part[part];
    double x;

    switch (p->field) {
    case TW_FIELD_SYMBOL: *out = r->symbol; break;
    case TW_FIELD_SECTOR:
        *out = r->symbol ? tw_symbols_get(k->names.symbols, r->symbol).sector : 0;
        break;
    case TW_FIELD_SOURCE: *out = r->source + 1u; break;
    case TW_FIELD_SIDE:   *out = tw_side_of(r); break;
    default:
        if (p->field >= TW_FIELD_ATTRIBUTE) {
            *out = r->symbol ? tw_symbols_attribute_get(k->names.symbols, r->symbol,
                                   p->field - TW_FIELD_ATTRIBUTE) : 0;
            break;
        }
        x = p->column->number[row] + 0.0;    /* -0.0 is 0.0 */
        memcpy(out, &x, sizeof x);
        return x == x;
    }
    return *out != 0;
}

static int64_t key_of(struct tw_keys *k, const struct tw_record *r, unsigned row)
{
    uint64_t tuple[TW_EXPR_KEYS];
    int64_t key;

    for (unsigned i = 0; i < k->n_parts; i++)
        if (!part_of(k, i, r, row, &tuple[i])) return 0;
    key = intern(k, tuple);
    if (key > 0) k->seen[key] = true;
    return key;
}

/* The array reaches to the symbol. */
static int learn(struct tw_keys *k, const struct tw_record *r)
{
    int64_t key;

    if (r->symbol >= k->n_symbols) {
        uint32_t *by = tw_extend(k->by_symbol, &k->n_symbols, r->symbol, sizeof *by);

        if (!by) return UV_ENOMEM;
        k->by_symbol = by;
    }
    key = key_of(k, r, 0);
    if (key < 0) return (int)key;
    k->by_symbol[r->symbol] = (uint32_t)key + 1;
    return TW_OK;
}

/* All parts follow from the symbol. */
static int keys_of_symbols(struct tw_keys *k, unsigned n, const struct tw_record *rows,
                           uint32_t *out)
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t symbol = rows[i].symbol;
        int rc;

        if ((symbol >= k->n_symbols || k->by_symbol[symbol] == 0)
            && (rc = learn(k, &rows[i])) < 0) return rc;
        out[i] = k->by_symbol[symbol] - 1;
    }
    return TW_OK;
}

int tw_keys_of(struct tw_keys *k, unsigned n, const struct tw_record *rows,
               uint32_t *out)
{
    if (k->of_symbol) return keys_of_symbols(k, n, rows, out);
    for (unsigned i = 0; i < n; i++) {
        int64_t key = k->n_parts ? key_of(k, &rows[i], i) : 1;

        if (key < 0) return (int)key;
        out[i] = (uint32_t)key;
    }
    return TW_OK;
}

uint32_t tw_keys_count(const struct tw_keys *k)
{
    return k->n_parts == 0 ? 1 : k->count;
}

bool tw_keys_was_seen(const struct tw_keys *k, uint32_t key)
{
    return k->n_parts == 0 || k->seen[key];
}

void tw_keys_see(struct tw_keys *k, uint32_t key)
{
    if (k->n_parts > 0) k->seen[key] = true;
}

/* ---- text ---- */

static const char *const sides[] = { "", "buy", "sell", "bid", "ask", "mid" };

uint32_t tw_side_of(const struct tw_record *r)
{
    if (r->kind == TW_TRADE) return r->trade.side;
    return r->kind == TW_BAR && tw_bar_price(r) != TW_BAR_TRADES
        ? TW_SIDE_SELL + (uint32_t)tw_bar_price(r) : 0;
}

uint32_t tw_side_find(const char *text)
{
    for (uint32_t i = 1; i < sizeof sides / sizeof sides[0]; i++)
        if (strcmp(sides[i], text) == 0) return i;
    return 0;
}

/* Where the names of sectors, or of an attribute's values, are. */
static struct tw_names *names_of(const struct tw_keys *k, enum tw_field field)
{
    return field == TW_FIELD_SECTOR ? tw_symbols_sectors(k->names.symbols)
                                    : tw_symbols_values(k->names.symbols);
}

/* make: a name that is new gets its id. */
static int64_t parse_part(const struct tw_keys *k, unsigned part, const char *text,
                          bool make, uint64_t *out)
{
    struct tw_symbols *symbols = k->names.symbols;
    enum tw_field field = k->part[part].field;
    size_t n = strlen(text);
    int64_t id = 0;
    double x;
    char *end;

    switch (field) {
    case TW_FIELD_SYMBOL:
        id = make ? tw_symbols_intern(symbols, text, n)
                  : tw_symbols_find(symbols, text, n);
        break;
    case TW_FIELD_SOURCE:
        id = tw_sources_find(k->names.sources, text);
        id += id > 0;                 /* its value: no feed is 1 */
        break;
    case TW_FIELD_SIDE:
        id = tw_side_find(text);
        break;
    default:
        if (field == TW_FIELD_SECTOR || field >= TW_FIELD_ATTRIBUTE) {
            id = make ? tw_names_intern(names_of(k, field), text, n)
                      : tw_names_find(names_of(k, field), text, n);
            break;
        }
        x = strtod(text, &end) + 0.0;
        if (n == 0 || *end || x != x) return TW_EUSAGE;
        memcpy(out, &x, sizeof x);
        return TW_OK;
    }
    if (id <= 0) return id < 0 ? id : TW_EUSAGE;
    *out = (uint64_t)id;
    return TW_OK;
}

int64_t tw_keys_intern(struct tw_keys *k, const char *const *parts, unsigned n)
{
    uint64_t tuple[TW_EXPR_KEYS];

    if (n != k->n_parts || n == 0) return TW_EUSAGE;
    for (unsigned i = 0; i < n; i++) {
        int64_t rc = parse_part(k, i, parts[i], true, &tuple[i]);

        if (rc < 0) return rc;
    }
    return intern(k, tuple);
}

uint32_t tw_keys_find(const struct tw_keys *k, const char *const *parts, unsigned n)
{
    uint64_t tuple[TW_EXPR_KEYS];

    if (n != k->n_parts || k->count == 0) return 0;
    for (unsigned i = 0; i < n; i++)
        if (parse_part(k, i, parts[i], false, &tuple[i]) < 0) return 0;
    return *slot_of(k, tuple);
}

const char *tw_keys_text(const struct tw_keys *k, uint32_t key, unsigned part,
                         char number[32])
{
    uint64_t v = k->tuple[(size_t)key * k->n_parts + part];
    enum tw_field field = k->part[part].field;
    double x;

    switch (field) {
    case TW_FIELD_SYMBOL: return tw_symbols_name(k->names.symbols, (uint32_t)v);
    case TW_FIELD_SOURCE: return tw_sources_name(k->names.sources, (unsigned)v - 1);
    case TW_FIELD_SIDE:   return sides[v];
    default:
        if (field == TW_FIELD_SECTOR || field >= TW_FIELD_ATTRIBUTE)
            return tw_names_get(names_of(k, field), (uint32_t)v);
        memcpy(&x, &v, sizeof x);
        snprintf(number, 32, "%.15g", x);
        if (strtod(number, NULL) != x) snprintf(number, 32, "%.17g", x);
        return number;
    }
}

unsigned tw_keys_parts(const struct tw_keys *k)
{
    return k->n_parts;
}

bool tw_keys_is_number(const struct tw_keys *k, unsigned part)
{
    return k->part[part].field == TW_NO_FIELD;
}

const char *tw_keys_part(const struct tw_keys *k, unsigned part)
{
    return k->part[part].text;
}
