/* order_entry_ids.c - ClOrdIDs of orders: an id and the number of a request, as text. */
#include "fix/order_entry_parts.h"

#include <stdio.h>
#include <string.h>

/* The bits of both, in the digits that a UUID of version 4 leaves free. */
static void write_uuid(uint64_t id, unsigned nth, char out[ID_MAX])
{
    snprintf(out, ID_MAX, "%08x-%04x-4%03x-8%x00-0000%08x", (unsigned)(id >> 32),
             (unsigned)(id >> 16 & 0xffff), (unsigned)(id >> 4 & 0xfff),
             (unsigned)(id & 0xf), nth);
}

static bool read_uuid(struct tw_fix_text t, uint64_t *id, unsigned *nth)
{
    unsigned a, b, c, d;
    char text[ID_MAX];

    memcpy(text, t.at, UUID);
    text[UUID] = '\0';
    if (sscanf(text, "%8x-%4x-4%3x-8%1x00-0000%8x", &a, &b, &c, &d, nth) != 5)
        return false;
    *id = (uint64_t)a << 32 | b << 16 | c << 4 | d;
    write_uuid(*id, *nth, text);
    return *id > 0 && memcmp(text, t.at, UUID) == 0;
}

/* Of base 36, the least first letter for 0: so an id, which is below 26 * 36^11, begins
 * with a letter, as no other form of ours does. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
enum { SHORT = 12, SHORT_MAX = SHORT + 5 };   /* bytes of an id; with those of changes */

static size_t write_short(uint64_t id, unsigned nth, char out[ID_MAX])
{
    char text[ID_MAX], *p = text + sizeof text;
    size_t n;

    for (; nth > 0; nth = (nth - 1) / 36) *--p = digits[(nth - 1) % 36];
    for (int i = 0; i < SHORT; i++, id /= 36) *--p = digits[id % 36];
    n = (size_t)(text + sizeof text - p);
    memcpy(out, p, n);
    return n;
}

static bool read_short(struct tw_fix_text t, uint64_t *id, unsigned *nth)
{
    uint64_t n = 0, changes = 0;

    for (size_t i = 0; i < t.n; i++) {
        const char *at = t.at[i] ? strchr(digits, t.at[i]) : NULL;
        uint64_t digit = at ? (uint64_t)(at - digits) : 0;

        if (!at) return false;
        if (i < SHORT) n = 36 * n + digit;
        else changes = 36 * changes + digit + 1;
    }
    *id = n;
    *nth = (unsigned)changes;
    return n > 0;
}

enum tw_fix_id_form tw_fix_orders_id_form(struct tw_fix_text t)
{
    if (t.at && t.n == UUID) return TW_FIX_ID_UUID;
    return t.at && t.n >= SHORT && t.n <= SHORT_MAX && *t.at >= 'A' && *t.at <= 'Z'
         ? TW_FIX_ID_SHORT : TW_FIX_ID_DIGITS;
}

/* Digits, then letters: 26 are one more digit of that many. */
bool tw_fix_orders_read_id(struct tw_fix_text t, uint64_t *id, unsigned *nth)
{
    uint64_t n = 0, letters = 0;
    size_t i = 0;

    switch (tw_fix_orders_id_form(t)) {
    case TW_FIX_ID_UUID:   return read_uuid(t, id, nth);
    case TW_FIX_ID_SHORT:  return read_short(t, id, nth);
    case TW_FIX_ID_DIGITS: break;
    }
    for (; t.at && i < t.n && t.at[i] >= '0' && t.at[i] <= '9'; i++) {
        if (n > (UINT64_MAX - 9) / 10) return false;
        n = 10 * n + (uint64_t)(t.at[i] - '0');
    }
    if (i == 0 || t.at[0] == '0') return false;
    for (; i < t.n && t.at[i] >= 'a' && t.at[i] <= 'z' && letters < UINT32_MAX / 27; i++)
        letters = 26 * letters + (uint64_t)(t.at[i] - 'a' + 1);
    *id = n;
    *nth = (unsigned)letters;
    return i == t.n;
}

size_t tw_fix_orders_id(unsigned form, uint64_t id, unsigned nth, char out[ID_MAX])
{
    char text[ID_MAX], *p = text + sizeof text;
    size_t n;

    if (form == TW_FIX_ID_SHORT) return write_short(id, nth, out);
    if (form == TW_FIX_ID_UUID) {
        write_uuid(id, nth, out);
        return UUID;
    }
    for (; nth > 0; nth = (nth - 1) / 26) *--p = (char)('a' + (nth - 1) % 26);
    do *--p = (char)('0' + id % 10);
    while (id /= 10);
    n = (size_t)(text + sizeof text - p);
    memcpy(out, p, n);
    return n;
}
