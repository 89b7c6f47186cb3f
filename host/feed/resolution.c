/* resolution.c - whether a symbol's records are ticks or bars, and of what length. */
#include "feed/resolution.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

enum { KINDS = 4 };                          /* that are kept of a symbol            */

/* What there is of a symbol. */
struct seen {
    uint32_t seconds[KINDS];                 /* 0: ticks                             */
    uint8_t n;
    uint8_t sides;                           /* bits by enum tw_bar_price            */
};

/* last: of the record before, what decides; most have that of the one before them. */
struct tw_mix { struct seen *by_symbol; size_t room; uint64_t last; };

static bool is_tick(const struct tw_record *r)
{
    return r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_LEVEL;
}

bool tw_resolutions_have(const struct tw_resolutions *all, const struct tw_record *r)
{
    if (all->n == 0 || (r->kind != TW_BAR && !is_tick(r))) return true;
    for (unsigned i = 0; i < all->n; i++)
        if (all->seconds[i] == 0 ? is_tick(r)
            : r->kind == TW_BAR && tw_bar_seconds(r) == all->seconds[i]) return true;
    return false;
}

const char *tw_length_text(uint32_t seconds, char out[TW_LENGTH_TEXT])
{
    static const struct { uint32_t of; char name; } units[] = {
        { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' },
    };
    int i = 0;

    while (seconds % units[i].of) i++;
    snprintf(out, TW_LENGTH_TEXT, "%u%c", seconds / units[i].of, units[i].name);
    return out;
}

struct tw_mix *tw_mix_new(void)
{
    return tw_calloc(1, sizeof(struct tw_mix));
}

void tw_mix_free(struct tw_mix *m)
{
    if (!m) return;
    tw_free(m->by_symbol);
    tw_free(m);
}

static int make_room(struct tw_mix *m, uint32_t symbol)
{
    struct seen *grown = tw_extend(m->by_symbol, &m->room, symbol, sizeof *grown);

    if (!grown) return UV_ENOMEM;
    m->by_symbol = grown;
    return TW_OK;
}

static __attribute__((noinline)) int look(struct tw_mix *m, const struct tw_record *r)
{
    uint32_t seconds = r->kind == TW_BAR ? tw_bar_seconds(r) : 0;
    struct seen *s;

    if (r->kind == TW_BAR ? seconds == 0 : r->kind != TW_QUOTE && r->kind != TW_TRADE)
        return TW_OK;
    if (r->symbol >= m->room && make_room(m, r->symbol) < 0) return UV_ENOMEM;
    s = &m->by_symbol[r->symbol];
    if (r->kind == TW_BAR) s->sides |= (uint8_t)(1u << tw_bar_price(r));
    for (unsigned i = 0; i < s->n; i++)
        if (s->seconds[i] == seconds) return TW_OK;
    if (s->n < KINDS) s->seconds[s->n++] = seconds;
    return TW_OK;
}

int tw_mix_look(struct tw_mix *m, const struct tw_record *r)
{
    uint64_t key = (uint64_t)r->symbol << 4 | r->kind;
    int rc;

    if (r->kind == TW_BAR) key |= (uint64_t)r->source_seq << 32;
    if (key == m->last) return TW_OK;
    rc = look(m, r);
    if (rc == TW_OK) m->last = key;
    return rc;
}

/* ---- what is said ---- */

/* "ticks, 1m and 1d" */
static void list(const uint32_t *seconds, unsigned n, char *out, size_t room)
{
    char of[TW_LENGTH_TEXT];
    size_t at = 0;

    for (unsigned i = 0; i < n && at < room; i++)
        at += (size_t)snprintf(out + at, room - at, "%s%s",
                               i == 0 ? "" : i + 1 < n ? ", " : " and ",
                               seconds[i] ? tw_length_text(seconds[i], of) : "ticks");
}

/* The first symbol of which it holds, and how many others; 0: none. */
static uint32_t find(const struct tw_mix *m, bool (*holds)(const struct seen *),
                     unsigned *others)
{
    uint32_t first = 0;

    *others = 0;
    for (uint32_t i = 1; i < m->room; i++) {
        if (!holds(&m->by_symbol[i])) continue;
        if (first) (*others)++;
        else first = i;
    }
    return first;
}

/* "A", "A and 2 other symbols" */
static void name(const struct tw_symbols *symbols, uint32_t symbol, unsigned others,
                 char out[120])
{
    int n = snprintf(out, 120, "%.63s", tw_symbols_name(symbols, symbol));

    if (others)
        snprintf(out + n, 120 - (size_t)n, " (and %u other symbol%s)", others,
                 others == 1 ? "" : "s");
}

static bool is_mixed(const struct seen *s)
{
    return s->n > 1;
}

bool tw_mix_text(const struct tw_mix *m, const struct tw_symbols *symbols,
                 char out[TW_MIX_TEXT])
{
    unsigned others;
    uint32_t symbol = find(m, is_mixed, &others);
    const struct seen *s = &m->by_symbol[symbol];
    char who[120], what[100];

    if (symbol == 0) return false;
    name(symbols, symbol, others, who);
    list(s->seconds, s->n, what, sizeof what);
    snprintf(out, TW_MIX_TEXT, "%s: the data have %s, and orders trade on all of them;"
             " interval tells handlers which it is, resolution (1m, ticks) reads some"
             " alone", who, what);
    return true;
}

static bool is_one_sided(const struct seen *s)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->seconds[i] == 0) return false;
    return s->sides == 1u << TW_BAR_BID || s->sides == 1u << TW_BAR_ASK;
}

/* A script that takes each for the next bar of the symbol counts two or three times. */
static bool has_trades_and_quotes(const struct seen *s)
{
    return s->sides & 1u << TW_BAR_TRADES
        && s->sides & (1u << TW_BAR_BID | 1u << TW_BAR_ASK);
}

bool tw_mix_sides(const struct tw_mix *m, const struct tw_symbols *symbols,
                  char out[TW_MIX_TEXT])
{
    unsigned others;
    uint32_t symbol = find(m, is_one_sided, &others);
    bool both = symbol == 0 && (symbol = find(m, has_trades_and_quotes, &others)) != 0;
    char who[120];

    if (symbol == 0) return false;
    name(symbols, symbol, others, who);
    if (both)
        snprintf(out, TW_MIX_TEXT, "%s: there are bars of trades, and of bids or asks:"
                 " handlers get each of them, and side tells which it is", who);
    else if (m->by_symbol[symbol].sides == 1u << TW_BAR_BID)
        snprintf(out, TW_MIX_TEXT, "%s: there are bars of bids, and none of asks: buys"
                 " trade on those of bids, too", who);
    else
        snprintf(out, TW_MIX_TEXT, "%s: there are bars of asks, and none of bids: sells"
                 " trade on those of asks, too", who);
    return true;
}

bool tw_mix_all(const struct tw_mix *m, char out[TW_MIX_TEXT])
{
    uint32_t seconds[16];
    unsigned n = 0, j;

    for (uint32_t i = 0; i < m->room; i++)
        for (unsigned k = 0; k < m->by_symbol[i].n; k++) {
            for (j = 0; j < n && seconds[j] != m->by_symbol[i].seconds[k]; j++) { }
            if (j == n && n < 16) seconds[n++] = m->by_symbol[i].seconds[k];
        }
    list(seconds, n, out, TW_MIX_TEXT);
    return n > 0;
}
