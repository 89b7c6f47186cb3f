/* lshow.c - frozen tables as text: what tostring, print and the prompt show.
 *
 * Why: an address says nothing of a value.  Scalars and strings are shown as Lua
 * would read them, what it can't read in <>, and `…` is where something is left
 * out.  The text has bounds, so it is made on the C stack: nothing has to be
 * freed, whatever raises.
 *
 * Once a piece does not fit (`full`), its entry is taken back and no other begins.
 * What closes the open tables always has room: CLOSING bytes for each.
 */
#include "share/lshow.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "share/lobject.h"
#include "tape/lrecord.h"

enum {
    TEXT_MAX = 1000,      /* bytes of the whole text                             */
    ENTRIES_MAX = 60,     /* shown of the outermost table                        */
    INSIDE_MAX = 16,      /* shown of each table in it                           */
    DEPTH_MAX = 4,        /* tables in tables                                    */
    STRING_MAX = 60,      /* bytes shown of a string                             */
    SORTED_MAX = 1000,    /* pairs that are looked at to show the smallest keys  */
    CLOSING = 6,          /* ", …}"                                              */
    ROOM = TEXT_MAX - DEPTH_MAX * CLOSING
};

struct show {
    lua_State *L;
    size_t n;
    bool full;
    unsigned depth;
    const struct tw_table *open[DEPTH_MAX];
    char text[TEXT_MAX];
};

static void put(struct show *s, const char *text, size_t n)
{
    if (s->full || s->n + n > ROOM) {   /* a closing may have gone past it */
        s->full = true;
        return;
    }
    memcpy(s->text + s->n, text, n);
    s->n += n;
}

static void put_text(struct show *s, const char *text)
{
    put(s, text, strlen(text));
}

/* What has its room, also when the text is full. */
static void put_closing(struct show *s, const char *text)
{
    size_t n = strlen(text);

    memcpy(s->text + s->n, text, n);
    s->n += n;
}

/* ---- strings ---- */

/* Bytes of the character at p when it is valid UTF-8 beyond ASCII and no control
 * character; else 0. */
static size_t wide(const unsigned char *p, size_t n)
{
    size_t size = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
    unsigned code = *p & (0x7Fu >> size);

    if (*p < 0xC2 || *p > 0xF4 || size > n) return 0;
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (p[i] & 0x3F);
    }
    if (code < 0xA0 || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return 0;
    return (size == 3 && code < 0x800) || (size == 4 && code < 0x10000) ? 0 : size;
}

/* A string's beginning, escaped.  True: there is more of it. */
static bool put_escaped(struct show *s, const char *text, size_t n)
{
    static const char plain[] = "\a\b\t\n\v\f\r\"\\", letters[] = "abtnvfr\"\\";
    size_t i = 0, size;

    for (; i < n && i < STRING_MAX; i += size) {
        unsigned char c = (unsigned char)text[i];
        const char *found = c ? strchr(plain, c) : NULL;
        char escape[8];

        size = wide((const unsigned char *)text + i, n - i);
        if (size || (c >= ' ' && c < 0x7F && !found)) {
            size = size ? size : 1;
            put(s, text + i, size);
            continue;
        }
        size = 1;
        if (found) snprintf(escape, sizeof escape, "\\%c", letters[found - plain]);
        else snprintf(escape, sizeof escape, "\\%03u", c);
        put_text(s, escape);
    }
    return i < n;
}

static void show_string(struct show *s, const char *text, size_t n)
{
    bool more;

    put_text(s, "\"");
    more = put_escaped(s, text, n);
    put_text(s, more ? "\"…" : "\"");
}

/* Can it stand before a `=`? */
static bool is_name(const char *text, size_t n)
{
    static const char words[] = " and break do else elseif end false for function goto"
        " if in local nil not or repeat return then true until while ";
    char word[STRING_MAX + 3];

    if (n == 0 || n > STRING_MAX || isdigit((unsigned char)*text)) return false;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
        != n) return false;
    snprintf(word, sizeof word, " %s ", text);
    return !strstr(words, word);
}

/* ---- other values ---- */

static void show_number(struct show *s, double number)
{
    char text[64];

    if (isnan(number)) {
        put_text(s, "nan");
        return;
    }
    lua_number2str(text, sizeof text - 2, number);
    if (text[strspn(text, "-0123456789")] == '\0') strcat(text, ".0");
    put_text(s, text);
}

static void show_integer(struct show *s, int64_t integer)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)integer);
    put_text(s, text);
}

static void show_record(struct show *s, const struct tw_record *r)
{
    char text[256];

    ltw_record_text(ltw_check_host(s->L, "record"), r, text, sizeof text);
    put_text(s, "<");
    put_text(s, text);
    put_text(s, ">");
}

/* [-0, +0, e]  As its own tostring tells of it. */
static void show_object(struct show *s, struct tw_object *o)
{
    const char *text;
    size_t n;

    ltw_push_object(s->L, o);
    text = luaL_tolstring(s->L, -1, &n);
    put_text(s, "<");
    if (put_escaped(s, text, n)) put_text(s, "…");
    put_text(s, ">");
    lua_pop(s->L, 2);
}

static bool show_table(struct show *s, const struct tw_table *t);

/* [-0, +0, e]  False: it did not fit, and there may be a part of it. */
static bool show_value(struct show *s, struct tw_item v)
{
    switch (v.kind) {
    case TW_VALUE_FALSE:   put_text(s, "false"); break;
    case TW_VALUE_TRUE:    put_text(s, "true"); break;
    case TW_VALUE_INTEGER: show_integer(s, v.integer); break;
    case TW_VALUE_NUMBER:  show_number(s, v.number); break;
    case TW_VALUE_STRING:  show_string(s, v.text, v.length); break;
    case TW_VALUE_RECORD:  show_record(s, v.record); break;
    case TW_VALUE_OBJECT:  show_object(s, v.object); break;
    case TW_VALUE_TABLE:   return show_table(s, v.table);
    default:               put_text(s, "nil"); break;
    }
    return !s->full;
}

/* [-0, +0, e]  Of a table that is a key no more than that it is one. */
static void show_key(struct show *s, struct tw_item key)
{
    if (key.kind == TW_VALUE_STRING && is_name(key.text, key.length)) {
        put(s, key.text, key.length);
        put_text(s, " = ");
        return;
    }
    put_text(s, "[");
    if (key.kind == TW_VALUE_TABLE) put_text(s, "{…}");
    else show_value(s, key);
    put_text(s, "] = ");
}

/* ---- tables ---- */

struct pair { struct tw_item key, value; };

/* Numbers, then strings, then booleans, then the rest. */
static int rank(uint32_t kind)
{
    switch (kind) {
    case TW_VALUE_INTEGER: case TW_VALUE_NUMBER: return 0;
    case TW_VALUE_STRING: return 1;
    case TW_VALUE_FALSE:  return 2;
    case TW_VALUE_TRUE:   return 3;
    default:              return 4;
    }
}

static double number_of(const struct tw_item *v)
{
    return v->kind == TW_VALUE_INTEGER ? (double)v->integer : v->number;
}

static bool is_before(const struct tw_item *a, const struct tw_item *b)
{
    int order = rank(a->kind) - rank(b->kind);

    if (order) return order < 0;
    if (a->kind == TW_VALUE_STRING) {
        order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
        return order ? order < 0 : a->length < b->length;
    }
    if (rank(a->kind) > 0) return false;
    if (a->kind == TW_VALUE_INTEGER && b->kind == TW_VALUE_INTEGER)
        return a->integer < b->integer;
    return number_of(a) < number_of(b);
}

/* The pairs with the smallest keys, at most max, in order.  Lua's own order of
 * strings differs from run to run. */
static uint32_t gather(const struct tw_table *t, struct pair *pairs, uint32_t max)
{
    uint32_t n = 0, at;
    struct pair p;

    if (max == 0) return 0;
    for (uint64_t i = 0; i < SORTED_MAX; i++) {
        if (!tw_table_entry(t, tw_table_length(t) + i, &p.key, &p.value)) break;
        if (n == max && !is_before(&p.key, &pairs[n - 1].key)) continue;
        if (n < max) n++;
        for (at = n - 1; at > 0 && is_before(&p.key, &pairs[at - 1].key); at--)
            pairs[at] = pairs[at - 1];
        pairs[at] = p;
    }
    return n;
}

/* [-0, +0, e]  Shows entries of the table that was opened last, and closes it. */
static void show_entries(struct show *s, const struct tw_table *t)
{
    uint64_t total = (uint64_t)tw_table_length(t) + tw_table_pairs(t);
    uint32_t max = s->depth == 1 ? ENTRIES_MAX : INSIDE_MAX, elements, n, i = 0;
    struct pair pairs[ENTRIES_MAX], p;

    elements = tw_table_length(t) < max ? tw_table_length(t) : max;
    n = elements + gather(t, pairs, max - elements);
    while (i < n && !s->full) {
        size_t before = s->n;

        if (i > 0) put_text(s, ", ");
        if (i < elements) {
            tw_table_entry(t, i, &p.key, &p.value);
        } else {
            p = pairs[i - elements];
            show_key(s, p.key);
        }
        if (show_value(s, p.value)) i++;
        else s->n = before;
    }
    if (i < total) put_closing(s, i > 0 ? ", …" : "…");
    put_closing(s, "}");
}

/* [-0, +0, e]  As show_value.  What is begun is closed, so it has been shown. */
static bool show_table(struct show *s, const struct tw_table *t)
{
    const char *brief = NULL;

    if (tw_table_length(t) + tw_table_pairs(t) == 0) brief = "{}";
    else if (s->depth == DEPTH_MAX) brief = "{…}";
    for (unsigned i = 0; i < s->depth; i++)
        if (s->open[i] == t) brief = "<cycle>";
    put_text(s, brief ? brief : "{");
    if (brief || s->full) return !s->full;
    s->open[s->depth++] = t;
    show_entries(s, t);
    s->depth--;
    return true;
}

void ltw_show(lua_State *L, const struct tw_table *t)
{
    struct show s;

    s.L = L;
    s.n = 0;
    s.full = false;
    s.depth = 0;
    show_table(&s, t);
    lua_pushlstring(L, s.text, s.n);
}
