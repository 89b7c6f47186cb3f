/* pack.c - records as columns, and back.
 *
 * Invariants
 *   P1  What is read is what was written, bit by bit: each guess is undone by the same
 *       numbers, all sums wrap around.
 *   P2  Reading any bytes touches nothing outside of them and of the n records.
 *
 * Layer host/tape.  Thread: one at a time.
 */
#include "tape/pack.h"

#include <string.h>

enum { SEQ, TIME, RECEIVED, SYMBOL, SOURCE, KIND, SOURCE_SEQ, COLUMNS, WORDS = 4 };

/* A payload is written as it stands in memory.  A machine of the other byte order would
 * have to swap the fields of each kind here. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "payloads are little-endian");

static uint64_t field_of(const struct tw_record *r, int column)
{
    switch (column) {
    case SEQ:      return r->seq;
    case TIME:     return (uint64_t)r->time;
    case RECEIVED: return (uint64_t)r->received;
    case SYMBOL:   return r->symbol;
    case SOURCE:   return r->source;
    case KIND:     return r->kind;
    default:       return r->source_seq;
    }
}

/* Records in the order of their kinds; from[k] to from[k + 1] are those of kind k. */
static void sort_by_kind(struct tw_pack *p, size_t n, uint16_t from[TW_KINDS_MAX + 1])
{
    uint16_t next[TW_KINDS_MAX];

    memset(from, 0, (TW_KINDS_MAX + 1) * sizeof *from);
    for (size_t i = 0; i < n; i++) from[p->kind[i] + 1]++;
    for (int k = 0; k < TW_KINDS_MAX; k++) {
        from[k + 1] = (uint16_t)(from[k + 1] + from[k]);
        next[k] = from[k];
    }
    for (size_t i = 0; i < n; i++) p->row[next[p->kind[i]]++] = (uint16_t)i;
}

/* For each of n rows the row of its symbol before it, or itself. */
static void find_last(struct tw_pack *p, const struct tw_record *r, const uint16_t *row,
                      size_t n)
{
    const unsigned mask = sizeof p->seen / sizeof p->seen[0] - 1;

    memset(p->seen, 0, sizeof p->seen);
    p->firsts = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t *seen = &p->seen[r[row[i]].symbol & mask];

        p->firsts += *seen == 0;
        p->last[i] = (uint16_t)(*seen ? *seen - 1u : i);
        *seen = (uint16_t)(i + 1);
    }
}

static void find_previous(struct tw_pack *p, size_t n)
{
    p->firsts = 1;
    p->last[0] = 0;
    for (size_t i = 1; i < n; i++) p->last[i] = (uint16_t)(i - 1);
}

/* ---- writing ---- */

/* v: the column; left: the one before, or NULL. */
static unsigned char *put_column(struct tw_packer *packer, unsigned char *out,
                                 const uint64_t *v, const uint64_t *left, size_t n)
{
    struct tw_pack *p = &packer->pack;
    struct tw_tape_column c[TW_GUESSES], firsts;
    size_t first = 0, rest = 0, bytes[TW_GUESSES] = { 0 };
    uint64_t *rests = p->parts + p->firsts;
    int best = TW_GUESS_NONE;

    for (size_t i = 0; i < n; i++) {
        size_t last = p->last[i];

        if (last == i) p->parts[first++] = v[i];
        else rests[rest++] = v[i] - v[last];
    }
    tw_tape_column_measure(&c[TW_GUESS_NONE], v, n);
    bytes[TW_GUESS_NONE] = c[TW_GUESS_NONE].width * n;
    tw_tape_column_measure(&firsts, p->parts, first);
    tw_tape_column_measure(&c[TW_GUESS_LAST], rests, rest);
    bytes[TW_GUESS_LAST] = firsts.width * first + c[TW_GUESS_LAST].width * rest;
    for (size_t i = 0; left && i < n; i++) packer->left[i] = v[i] - left[i];
    if (left) {
        tw_tape_column_measure(&c[TW_GUESS_LEFT], packer->left, n);
        bytes[TW_GUESS_LEFT] = c[TW_GUESS_LEFT].width * n;
    }
    /* Of two that take as much, the one that changes less is packed better. */
    for (int g = TW_GUESS_LAST; g <= (left ? TW_GUESS_LEFT : TW_GUESS_LAST); g++)
        if (bytes[g] < bytes[best]
            || (bytes[g] < bytes[best] + n / 4 && c[g].changes < c[best].changes))
            best = g;

    *out++ = (unsigned char)best;
    if (best == TW_GUESS_NONE) return tw_tape_column_put(&c[best], out, v, n);
    if (best == TW_GUESS_LEFT)
        return tw_tape_column_put(&c[best], out, packer->left, n);
    out = tw_tape_column_put(&firsts, out, p->parts, first);
    return tw_tape_column_put(&c[best], out, rests, rest);
}

size_t tw_pack_write(struct tw_packer *packer, const struct tw_record *r, size_t n,
                     unsigned char *out)
{
    struct tw_pack *p = &packer->pack;
    uint16_t from[TW_KINDS_MAX + 1];
    unsigned char *to = out;

    assert(n > 0 && n <= TW_PACK_RECORDS);
    find_previous(p, n);
    for (int c = 0; c < COLUMNS; c++) {
        for (size_t i = 0; i < n; i++) p->column[c & 1][i] = field_of(&r[i], c);
        to = put_column(packer, to, p->column[c & 1], c ? p->column[~c & 1] : NULL, n);
    }
    for (size_t i = 0; i < n; i++) p->kind[i] = r[i].kind;
    sort_by_kind(p, n, from);
    for (int k = 0; k < TW_KINDS_MAX; k++) {
        const uint16_t *row = p->row + from[k];
        size_t rows = (size_t)(from[k + 1] - from[k]);

        if (rows == 0) continue;
        find_last(p, r, row, rows);
        for (int w = 0; w < WORDS; w++) {
            for (size_t i = 0; i < rows; i++) p->column[w & 1][i] = r[row[i]].word[w];
            to = put_column(packer, to, p->column[w & 1],
                            w ? p->column[~w & 1] : NULL, rows);
        }
    }
    return (size_t)(to - out);
}

/* ---- reading ---- */

static const unsigned char *get_column(struct tw_pack *p, const unsigned char *in,
                                       const unsigned char *end, uint64_t *v,
                                       const uint64_t *left, size_t n)
{
    const uint64_t *first = p->parts, *rest = first + p->firsts;
    int guess;

    if (!in || in == end) return NULL;
    guess = *in++;
    if (guess == TW_GUESS_NONE) return tw_tape_column_get(in, end, v, n);
    if (guess == TW_GUESS_LEFT && left) {
        in = tw_tape_column_get(in, end, v, n);
        for (size_t i = 0; in && i < n; i++) v[i] += left[i];
        return in;
    }
    if (guess != TW_GUESS_LAST) return NULL;
    in = tw_tape_column_get(in, end, p->parts, p->firsts);
    if (in) in = tw_tape_column_get(in, end, p->parts + p->firsts, n - p->firsts);
    if (!in) return NULL;
    for (size_t i = 0; i < n; i++)
        v[i] = p->last[i] == i ? *first++ : v[p->last[i]] + *rest++;
    return in;
}

/* False: a number has no room in its field. */
static bool set_field(struct tw_pack *p, struct tw_record *r, int column,
                      const uint64_t *v, size_t n)
{
    uint64_t all = 0;

    switch (column) {
    case SEQ:
        for (size_t i = 0; i < n; i++) r[i].seq = v[i];
        return true;
    case TIME:
        for (size_t i = 0; i < n; i++) r[i].time = (int64_t)v[i];
        return true;
    case RECEIVED:
        for (size_t i = 0; i < n; i++) r[i].received = (int64_t)v[i];
        return true;
    case SYMBOL:
        for (size_t i = 0; i < n; i++) {
            all |= v[i];
            r[i].symbol = v[i] & TW_SYMBOL_MAX;
        }
        return all <= TW_SYMBOL_MAX;
    case SOURCE:
        for (size_t i = 0; i < n; i++) {
            all |= v[i];
            r[i].source = v[i] & TW_SOURCE_MAX;
        }
        return all <= TW_SOURCE_MAX;
    case KIND:
        for (size_t i = 0; i < n; i++) {
            all |= v[i];
            p->kind[i] = r[i].kind = v[i] & (TW_KINDS_MAX - 1);
        }
        return all < TW_KINDS_MAX;
    default:
        for (size_t i = 0; i < n; i++) {
            all |= v[i];
            r[i].source_seq = (uint32_t)v[i];
        }
        return all <= UINT32_MAX;
    }
}

/* Lengths of values become lengths and places, which leave no byte over. */
static bool place_values(struct tw_record *r, const uint16_t *row, size_t n,
                         uint64_t values)
{
    uint64_t at = 0;

    for (size_t i = 0; i < n; i++) {
        struct tw_message *m = &r[row[i]].message;
        uint64_t length;

        if (m->value_kind > TW_VALUE_NUMBER && m->value_kind != TW_VALUE_BLOCK)
            return false;
        if (m->value_kind != TW_VALUE_BLOCK) continue;
        length = (uint64_t)m->value.integer;
        if (length > values - at) return false;
        m->value.integer = (int64_t)(length << 32 | at);
        at += length;
    }
    return at == values;
}

bool tw_pack_read(struct tw_pack *p, const unsigned char *in, size_t bytes,
                  struct tw_record *r, size_t n, size_t values)
{
    const unsigned char *end = in + bytes;
    uint16_t from[TW_KINDS_MAX + 1];

    if (n == 0 || n > TW_PACK_RECORDS) return false;
    find_previous(p, n);
    for (int c = 0; c < COLUMNS; c++) {
        uint64_t *v = p->column[c & 1];

        in = get_column(p, in, end, v, c ? p->column[~c & 1] : NULL, n);
        if (!in || !set_field(p, r, c, v, n)) return false;
    }
    sort_by_kind(p, n, from);
    if (values > 0 && from[TW_MESSAGE] == from[TW_MESSAGE + 1]) return false;
    for (int k = 0; k < TW_KINDS_MAX; k++) {
        const uint16_t *row = p->row + from[k];
        size_t rows = (size_t)(from[k + 1] - from[k]);

        if (rows == 0) continue;
        find_last(p, r, row, rows);
        for (int w = 0; w < WORDS; w++) {
            uint64_t *v = p->column[w & 1];

            in = get_column(p, in, end, v, w ? p->column[~w & 1] : NULL, rows);
            if (!in) return false;
            for (size_t i = 0; i < rows; i++) r[row[i]].word[w] = v[i];
        }
        if (k == TW_MESSAGE && !place_values(r, row, rows, values)) return false;
    }
    return in == end;
}
