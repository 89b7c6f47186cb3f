/* orderlist.c - the list of a backtest's orders, of which the hash is. */
#include "orderlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backtest.h"
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

const char *ltw_listed_status(const struct ltw_entry *e)
{
    return tw_order_status_text(e->status == TW_STATUS_PENDING_NEW ? TW_STATUS_NEW
                                : (enum tw_order_status)e->status);
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

enum { LINE = 512, TIME_OF_DAY = 19, DAY_SECONDS = 86400 };

/* text may be NULL.  A line goes out in one piece; days follow each other, so the text of
 * one is kept. */
struct out {
    struct tw_sha256 *hash;
    luaL_Buffer *text;
    size_t n, n_date;
    int64_t day;                          /* of date; below 0: none               */
    char line[LINE], date[40];
};

static struct out start(struct tw_sha256 *hash, luaL_Buffer *text)
{
    return (struct out){ .hash = hash, .text = text, .day = INT64_MIN };
}

static void put(const struct out *out, const char *text, size_t n)
{
    tw_sha256_add(out->hash, text, n);
    if (out->text) luaL_addlstring(out->text, text, n);
}

static TW_APART void flush(struct out *out)
{
    put(out, out->line, out->n);
    out->n = 0;
}

/* Where so many bytes, or fewer, go next. */
static inline char *room(struct out *out, size_t n)
{
    if (n > LINE - out->n) flush(out);
    return out->line + out->n;
}

static void add(struct out *out, const char *text, size_t n)
{
    if (n > LINE) {
        flush(out);
        put(out, text, n);
        return;
    }
    memcpy(room(out, n), text, n);
    out->n += n;
}

/* So many digits. */
static char *write_digits(char *at, unsigned v, int n)
{
    for (int i = n; i-- > 0; v /= 10) at[i] = (char)('0' + v % 10);
    return at + n;
}

static void add_date(struct out *out, int64_t day)
{
    time_t s = (time_t)(day * DAY_SECONDS);
    struct tm tm;

    if (day != out->day)
        out->n_date = strftime(out->date, sizeof out->date, "%Y-%m-%dT",
                               gmtime_r(&s, &tm));
    out->day = day;
    add(out, out->date, out->n_date);
}

/* 2006-01-02T09:01:00.000000000Z */
static void add_time(struct out *out, int64_t ns)
{
    int64_t s = tw_clock_spans(ns, 1000000000);
    int64_t day = tw_clock_spans(s, DAY_SECONDS);
    unsigned second = (unsigned)(s - day * DAY_SECONDS);
    char *at;

    add_date(out, day);
    at = room(out, TIME_OF_DAY);
    at = write_digits(at, second / 3600, 2);
    *at++ = ':';
    at = write_digits(at, second / 60 % 60, 2);
    *at++ = ':';
    at = write_digits(at, second % 60, 2);
    *at++ = '.';
    at = write_digits(at, (unsigned)(ns - s * 1000000000), 9);
    *at++ = 'Z';
    out->n = (size_t)(at - out->line);
}

static void add_fixed(struct out *out, int64_t value)
{
    char *at = room(out, 1 + TW_FIXED_TEXT);

    *at = ',';
    out->n += 1 + tw_fixed_format(value, at + 1);
}

static void add_money(struct out *out, tw_money value)
{
    char *at = room(out, 1 + TW_MONEY_TEXT);

    *at = ',';
    out->n += 1 + tw_money_format(value, at + 1);
}

/* One of ours, which needs no quotes. */
static void add_word(struct out *out, const char *text)
{
    size_t n = strlen(text);
    char *at = room(out, 1 + n);

    *at = ',';
    memcpy(at + 1, text, n);
    out->n += 1 + n;
}

/* Empty where there is none. */
static void add_price(struct out *out, int64_t value)
{
    if (value == 0) add(out, ",", 1);
    else add_fixed(out, value);
}

static void add_text(struct out *out, const char *text)
{
    size_t n = *text ? strcspn(text, ",\"\r\n") : 0;
    bool quoted = text[n] != '\0';

    add(out, ",\"", quoted ? 2 : 1);
    while (quoted && (n = strcspn(text, "\""), text[n] != '\0')) {
        add(out, text, n + 1);
        add(out, "\"", 1);
        text += n + 1;
    }
    add(out, text, n);
    if (quoted) add(out, "\"", 1);
}

static void add_order(struct out *out, const struct ltw_listed *s)
{
    const struct ltw_entry *e = s->e;

    add_time(out, e->time_ns);
    add_text(out, s->b->scripts[e->script - 1].name);
    add_text(out, ltw_listed_symbol(s->b, e->symbol));
    add_word(out, e->side == TW_SIDE_BUY ? "buy" : "sell");
    add_word(out, tw_order_type_text((enum tw_order_type)e->type));
    add_word(out, tw_time_in_force_text((enum tw_time_in_force)e->tif));
    add_fixed(out, e->quantity);
    add_price(out, e->price);
    add_price(out, e->stop);
    add_word(out, ltw_listed_status(e));
    add_text(out, e->reason ? tw_reason_text((enum tw_reason)e->reason) : "");
    add_fixed(out, e->filled);
    add_price(out, e->average);
    add_money(out, e->fees);
    add_text(out, e->label ? e->label : "");
    add(out, "\n", 1);
    flush(out);
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
    struct out out = start(&l->hash, listed ? &text : NULL);

    if (listed) {
        luaL_buffinit(L, &text);
        luaL_addstring(&text, HEAD);
    }
    for (size_t i = 0; i < n; i++) add_order(&out, &all[i]);
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
        int64_t ns;

        tw_broker_now(broker, &ns, &(uint64_t){ 0 });
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
    struct out out = start(&l->hash, NULL);
    size_t n = 0, room = 0;

    for (unsigned i = 0; i < b->n; i++) room += b->journals[i]->n;
    if (room == 0 || !(all = tw_calloc(room, sizeof *all))) return;
    for (unsigned i = 0; i < b->n; i++)
        for (size_t k = 0; k < b->journals[i]->n; k++)
            if (b->journals[i]->entry[k].time_ns < till_ns)
                all[n++] = (struct ltw_listed){ b, &b->journals[i]->entry[k] };
    sort(all, n);
    for (size_t i = 0; i < n; i++) add_order(&out, &all[i]);
    tw_free(all);
    l->n += n;
    for (unsigned i = 0; i < b->n; i++) ltw_journal_forget(b->journals[i], till_ns);
}
