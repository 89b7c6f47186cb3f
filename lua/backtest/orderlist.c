/* orderlist.c - the list of a backtest's orders, and its hash. */
#include "backtest/orderlist.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backtest/backtest.h"
#include "base/clock.h"
#include "base/fixed.h"
#include "base/memory.h"
#include "lsha256.h"

#define HEAD "time,script,symbol,side,type,tif,quantity,price,stop,status,reason," \
             "filled,average,fees,label\n"

const char *ltw_listed_symbol(const struct ltw_backtest *b, uint32_t symbol)
{
    return tw_symbols_name(b->host.symbols, symbol);
}

const char *ltw_listed_status(enum tw_order_status status)
{
    return tw_order_status_text(status == TW_STATUS_PENDING_NEW ? TW_STATUS_NEW : status);
}

static int compare(const void *x, const void *y)
{
    const struct ltw_listed *s = x, *t = y;
    const struct ltw_entry *p = s->e, *q = t->e;
    int order = 0;

    if (p->time_ns != q->time_ns) return p->time_ns < q->time_ns ? -1 : 1;
    if (p->script != q->script) return p->script < q->script ? -1 : 1;
    if (p->symbol != q->symbol)
        order = strcmp(ltw_listed_symbol(s->b, p->symbol),
                       ltw_listed_symbol(t->b, q->symbol));
    if (order != 0) return order;
    return p->id < q->id ? -1 : p->id > q->id;
}

/* One script's orders mostly come sorted. */
static void sort(struct ltw_listed *all, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (compare(&all[i - 1], &all[i]) <= 0) continue;
        qsort(all, n, sizeof *all, compare);
        return;
    }
}

struct ltw_listed *ltw_orderlist_push(lua_State *L, const struct ltw_backtest *b,
                                      size_t *n)
{
    struct ltw_listed *all;

    *n = 0;
    for (unsigned i = 0; i < b->n; i++) *n += b->journals[i]->n;
    all = lua_newuserdatauv(L, (*n + 1) * sizeof *all, 0);
    *n = 0;
    for (unsigned i = 0; i < b->n; i++)
        for (size_t k = 0; k < b->journals[i]->n; k++)
            all[(*n)++] = (struct ltw_listed){ b, &b->journals[i]->entry[k] };
    sort(all, *n);
    return all;
}

/* ---- a line ---- */

enum { LINES = 4096, FIXED_PART = 1024, KEPT = 128, DAY_SECONDS = 86400 };

/* Fields that many orders have the same of, as they are in the list. */
struct kept { uint64_t key; size_t n; char text[KEPT]; };   /* n 0: none */

/* text may be NULL.  Lines go out many at a time: SHA-256 of some blocks takes less than
 * as often of one.  FIXED_PART is what a line has room for, but for texts of any length:
 * the end of those sees to it anew. */
struct out {
    struct tw_sha256 *hash;
    luaL_Buffer *text;
    char *at;                             /* in lines                             */
    const char *from;                     /* what is to be kept; NULL: it is out  */
    struct kept date, names, kind, end;
    char lines[LINES];
};

static void start(struct out *out, struct tw_sha256 *hash, luaL_Buffer *text)
{
    out->hash = hash;
    out->text = text;
    out->at = out->lines;
    out->from = NULL;
    out->date.n = out->names.n = out->kind.n = out->end.n = 0;
}

static TW_APART void flush(struct out *out)
{
    size_t n = (size_t)(out->at - out->lines);

    tw_sha256_add(out->hash, out->lines, n);
    if (out->text) luaL_addlstring(out->text, out->lines, n);
    out->at = out->lines;
    out->from = NULL;
}

static inline void make_room(struct out *out)
{
    if (out->at > out->lines + LINES - FIXED_PART) flush(out);
}

static inline char *copy(char *at, const char *text, size_t n)
{
    memcpy(at, text, n);
    return at + n;
}

/* Has it what key stands for?  Then it is added, else what is added next is that. */
static inline bool add_kept(struct out *out, const struct kept *k, uint64_t key)
{
    out->from = out->at;
    if (k->n == 0 || k->key != key) return false;
    out->at = copy(out->at, k->text, k->n);
    return true;
}

/* If it is not too long. */
static void keep(const struct out *out, struct kept *k, uint64_t key)
{
    k->n = out->from ? (size_t)(out->at - out->from) : 0;
    if (k->n > KEPT) k->n = 0;
    k->key = key;
    memcpy(k->text, out->from ? out->from : "", k->n);
}

/* Two digits. */
static inline char *put_pair(char *at, unsigned v)
{
    at[0] = (char)('0' + v / 10);
    at[1] = (char)('0' + v % 10);
    return at + 2;
}

static char *put_nanoseconds(char *at, unsigned ns)
{
    if (ns == 0) return copy(at, "000000000", 9);
    *at++ = (char)('0' + ns / 100000000);
    at = put_pair(at, ns / 1000000 % 100);
    at = put_pair(at, ns / 10000 % 100);
    at = put_pair(at, ns / 100 % 100);
    return put_pair(at, ns % 100);
}

static void add_date(struct out *out, int64_t day)
{
    time_t s = (time_t)(day * DAY_SECONDS);
    struct tm tm;

    if (add_kept(out, &out->date, (uint64_t)day)) return;
    out->at += strftime(out->at, 40, "%Y-%m-%dT", gmtime_r(&s, &tm));
    keep(out, &out->date, (uint64_t)day);
}

/* 2006-01-02T09:01:00.000000000Z */
static void add_time(struct out *out, int64_t ns)
{
    int64_t s = tw_clock_spans(ns, 1000000000);
    int64_t day = tw_clock_spans(s, DAY_SECONDS);
    unsigned second = (unsigned)(s - day * DAY_SECONDS);
    char *at;

    add_date(out, day);
    at = put_pair(out->at, second / 3600);
    *at++ = ':';
    at = put_pair(at, second / 60 % 60);
    *at++ = ':';
    at = put_pair(at, second % 60);
    *at++ = '.';
    at = put_nanoseconds(at, (unsigned)(ns - s * 1000000000));
    *at++ = 'Z';
    out->at = at;
}

static void add_fixed(struct out *out, int64_t value)
{
    *out->at++ = ',';
    out->at += tw_fixed_format(value, out->at);
}

static void add_money(struct out *out, tw_money value)
{
    *out->at++ = ',';
    if (value == 0) *out->at++ = '0';
    else out->at += tw_money_format(value, out->at);
}

/* One of ours, which needs no quotes. */
static void add_word(struct out *out, const char *text)
{
    *out->at++ = ',';
    while (*text) *out->at++ = *text++;
}

/* Empty where there is none. */
static void add_price(struct out *out, int64_t value)
{
    if (value == 0) *out->at++ = ',';
    else add_fixed(out, value);
}

static void add_text(struct out *out, const char *text)
{
    bool quoted = *text && text[strcspn(text, ",\"\r\n")] != '\0';

    *out->at++ = ',';
    if (quoted) *out->at++ = '"';
    for (; *text; text++) {
        make_room(out);
        if (*text == '"') *out->at++ = '"';
        *out->at++ = *text;
    }
    if (quoted) *out->at++ = '"';
    make_room(out);
}

static void add_names(struct out *out, const struct ltw_listed *s)
{
    uint64_t key = (uint64_t)s->e->script << 32 | s->e->symbol;

    if (add_kept(out, &out->names, key)) return;
    add_text(out, s->b->scripts[s->e->script - 1].name);
    add_text(out, ltw_listed_symbol(s->b, s->e->symbol));
    keep(out, &out->names, key);
}

static void add_kind(struct out *out, const struct ltw_entry *e)
{
    uint64_t key = (uint64_t)e->type << 8 | e->tif;

    if (add_kept(out, &out->kind, key)) return;
    add_word(out, tw_order_type_text((enum tw_order_type)e->type));
    add_word(out, tw_time_in_force_text((enum tw_time_in_force)e->tif));
    keep(out, &out->kind, key);
}

/* How it has ended, or where it stands. */
static void add_end(struct out *out, const struct ltw_entry *e)
{
    uint64_t key = (uint64_t)e->status << 8 | e->reason;

    if (add_kept(out, &out->end, key)) return;
    add_word(out, ltw_listed_status((enum tw_order_status)e->status));
    add_text(out, e->reason ? tw_reason_text((enum tw_reason)e->reason) : "");
    keep(out, &out->end, key);
}

static void add_order(struct out *out, const struct ltw_listed *s)
{
    const struct ltw_entry *e = s->e;
    char filled[1 + TW_FIXED_TEXT], *quantity;
    size_t n;

    make_room(out);
    add_time(out, e->time_ns);
    add_names(out, s);
    add_word(out, e->side == TW_SIDE_BUY ? "buy" : "sell");
    add_kind(out, e);
    quantity = out->at;
    add_fixed(out, e->quantity);
    n = (size_t)(out->at - quantity);
    memcpy(filled, quantity, n);
    add_price(out, e->price);
    add_price(out, e->stop);
    add_end(out, e);
    if (e->filled == e->quantity) out->at = copy(out->at, filled, n);
    else add_fixed(out, e->filled);
    add_price(out, e->average);
    add_money(out, e->fees);
    if (e->label) add_text(out, e->label);
    else *out->at++ = ',';
    *out->at++ = '\n';
}

/* ---- the whole ---- */

void ltw_orderlist_begin(struct ltw_orderlist *l)
{
    l->n = 0;
    tw_sha256_begin(&l->hash);
    tw_sha256_add(&l->hash, HEAD, strlen(HEAD));
}

void ltw_orderlist_end(lua_State *L, struct ltw_orderlist *l, int table,
                       const struct ltw_listed *all, size_t n, bool listed)
{
    unsigned char digest[TW_SHA256];
    luaL_Buffer text;
    struct out out;

    start(&out, &l->hash, listed ? &text : NULL);
    if (listed) {
        luaL_buffinit(L, &text);
        luaL_addstring(&text, HEAD);
    }
    for (size_t i = 0; i < n; i++) add_order(&out, &all[i]);
    flush(&out);
    l->n += n;
    if (listed) {
        luaL_pushresult(&text);
        lua_setfield(L, table, "list");
    }
    tw_sha256_end(&l->hash, digest);
    ltw_push_digest(L, digest);
    lua_setfield(L, table, "hash");
}

/* Orders before that time have all ended, and no more will be of it.  L1 */
static int64_t settled_ns(const struct ltw_backtest *b)
{
    int64_t till_ns = INT64_MAX;

    for (unsigned i = 0; i < b->n; i++) {
        const struct ltw_journal *j = b->journals[i];
        struct tw_broker *broker = b->traders[i]->broker;
        int64_t ns = tw_broker_read_ns(broker);

        if (ns < till_ns) till_ns = ns;
        for (struct tw_order *o = NULL; (o = tw_broker_open(broker, o)) != NULL;)
            if (o->time_ns < till_ns) till_ns = o->time_ns;
        for (size_t k = 0; k < j->n; k++)
            if (!j->entry[k].has_ended && j->entry[k].time_ns < till_ns)
                till_ns = j->entry[k].time_ns;
    }
    return till_ns;
}

void ltw_orderlist_forget(struct ltw_orderlist *l, struct ltw_backtest *b)
{
    int64_t till_ns = settled_ns(b);
    struct ltw_listed *all;
    size_t n = 0, room = 0;
    struct out out;

    for (unsigned i = 0; i < b->n; i++) room += b->journals[i]->n;
    if (room == 0 || !(all = tw_calloc(room, sizeof *all))) return;
    for (unsigned i = 0; i < b->n; i++)
        for (size_t k = 0; k < b->journals[i]->n; k++)
            if (b->journals[i]->entry[k].time_ns < till_ns)
                all[n++] = (struct ltw_listed){ b, &b->journals[i]->entry[k] };
    sort(all, n);
    start(&out, &l->hash, NULL);
    for (size_t i = 0; i < n; i++) add_order(&out, &all[i]);
    flush(&out);
    tw_free(all);
    l->n += n;
    for (unsigned i = 0; i < b->n; i++) ltw_journal_forget(b->journals[i], till_ns);
}
