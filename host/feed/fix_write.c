/* fix_write.c - market data as FIX messages.
 *
 * Layer host/feed.  Thread: any.
 */
#include <string.h>

#include "base/fixed.h"
#include "feed/fix.h"
#include "feed/fix_frame.h"

/* Text that grows until `end` and says when it would have gone on. */
struct text {
    char *at, *end;
    char *body;        /* where tag 35 begins */
    bool full;
};

enum { LENGTH = 3 };   /* digits of most BodyLengths */

static void put(struct text *t, const char *s, size_t n)
{
    if ((size_t)(t->end - t->at) < n) {
        t->full = true;
        t->end = t->at;
        return;
    }
    memcpy(t->at, s, n);
    t->at += n;
}

#define PUT(t, literal) put(t, literal, sizeof(literal) - 1)

static void put_text(struct text *t, const char *tag, const char *value)
{
    put(t, tag, strlen(tag));
    put(t, value, strlen(value));
    PUT(t, "\001");
}

/* The decimal text of v, with zeros before it up to `width`, ends at end. */
static char *number(uint64_t v, int width, char *end)
{
    for (; v || width > 0; v /= 10, width--) *--end = (char)('0' + v % 10);
    return end;
}

static void put_number(struct text *t, const char *tag, uint64_t v)
{
    char text[20], *end = text + sizeof text, *first = number(v, 1, end);

    put(t, tag, strlen(tag));
    put(t, first, (size_t)(end - first));
    PUT(t, "\001");
}

static void put_fixed(struct text *t, const char *tag, int64_t v)
{
    char text[TW_FIXED_TEXT];
    size_t n = tw_fixed_format(v, text);

    put(t, tag, strlen(tag));
    put(t, text, n);
    PUT(t, "\001");
}

/* 52=YYYYMMDD-HH:MM:SS.sss, the milliseconds that have begun. */
static void put_time(struct text *t, int64_t time_ns)
{
    char text[] = "52=YYYYMMDD-HH:MM:SS.sss\001";
    int64_t ms = time_ns / 1000000 - (time_ns % 1000000 < 0);
    int64_t day = ms / 86400000 - (ms % 86400000 < 0);
    uint32_t in_day = (uint32_t)(ms - day * 86400000);
    /* Years that begin in March have their leap day last, and from there the
     * months' lengths repeat every five: 153 days. */
    uint64_t since = (uint64_t)(day + 719468);   /* days from 0000-03-01 */
    uint64_t in_era = since % 146097;            /* 400 years */
    uint64_t year_of_era =
        (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint64_t in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month = (5 * in_year + 2) / 153;    /* 0: March */
    uint64_t year = since / 146097 * 400 + year_of_era + (month > 9);

    number(year, 4, text + 7);
    number(month > 9 ? month - 9 : month + 3, 2, text + 9);
    number(in_year - (153 * month + 2) / 5 + 1, 2, text + 11);
    number(in_day / 3600000, 2, text + 14);
    number(in_day / 60000 % 60, 2, text + 17);
    number(in_day / 1000 % 60, 2, text + 20);
    number(in_day % 1000, 3, text + 24);
    put(t, text, sizeof text - 1);
}

static struct text begin(const struct tw_fix_writer *w, const char *type, int64_t time_ns,
                         char *out, size_t cap)
{
    struct text t = { .at = out, .end = out + cap };

    put_text(&t, "8=", w->begin_string);
    PUT(&t, "9=000\001");
    t.body = t.at;
    put_text(&t, "35=", type);
    put_text(&t, "49=", w->sender);
    put_text(&t, "56=", w->target);
    put_number(&t, "34=", w->seq);
    put_time(&t, time_ns);
    return t;
}

/* Sets tag 9, now that it is known, and adds tag 10: the length of it all. */
static int64_t finish(struct tw_fix_writer *w, struct text *t, char *out)
{
    char digits[20], *end = digits + sizeof digits, *first;
    char trailer[] = "10=000\001";
    size_t body = (size_t)(t->at - t->body), n;
    ptrdiff_t shift;
    unsigned sum = 0;

    if (t->full) return TW_EFULL;
    first = number(body, 1, end);
    n = (size_t)(end - first);
    shift = (ptrdiff_t)n - LENGTH;
    if (shift > t->end - t->at) return TW_EFULL;
    if (shift) memmove(t->body + shift, t->body, body);
    memcpy(t->body - 1 - LENGTH, first, n);
    t->body[shift - 1] = TW_FIX_SOH;
    t->at += shift;
    for (const char *p = out; p < t->at; p++) sum += (unsigned char)*p;
    number(sum & 255, 3, trailer + 6);
    put(t, trailer, sizeof trailer - 1);
    if (t->full) return TW_EFULL;
    w->seq++;
    return t->at - out;
}

/* A side: a price, and a size when it is known. */
static void put_side(struct text *t, const char *price_tag, int64_t price, int64_t size)
{
    put_fixed(t, price_tag, price);
    if (size) put_fixed(t, "271=", size);
}

int64_t tw_fix_write_snapshot(struct tw_fix_writer *w, const char *symbol,
                              const struct tw_quote *q, int64_t time_ns,
                              char *out, size_t cap)
{
    struct text t = begin(w, "W", time_ns, out, cap);
    bool bid = (q->bid | q->bid_size) != 0, ask = (q->ask | q->ask_size) != 0;

    put_text(&t, "55=", symbol);
    put_number(&t, "268=", (uint64_t)bid + ask);
    if (bid) put_side(&t, "269=0\001270=", q->bid, q->bid_size);
    if (ask) put_side(&t, "269=1\001270=", q->ask, q->ask_size);
    return finish(w, &t, out);
}

/* A change would keep the size that is not said: that is a new entry. */
static void put_change(struct text *t, char type, const char *symbol, int64_t price,
                       int64_t size)
{
    char head[] = "279=1\001269=0\001";

    if (size == 0) head[4] = price ? '0' : '2';
    head[10] = type;
    put(t, head, sizeof head - 1);
    put_text(t, "55=", symbol);
    if (price | size) put_side(t, "270=", price, size);
}

int64_t tw_fix_write_update(struct tw_fix_writer *w, const char *symbol,
                            const struct tw_quote *q, int64_t time_ns,
                            char *out, size_t cap)
{
    struct text t = begin(w, "X", time_ns, out, cap);

    PUT(&t, "268=2\001");
    put_change(&t, '0', symbol, q->bid, q->bid_size);
    put_change(&t, '1', symbol, q->ask, q->ask_size);
    return finish(w, &t, out);
}

int64_t tw_fix_write_trade(struct tw_fix_writer *w, const char *symbol,
                           const struct tw_trade *trade, int64_t time_ns,
                           char *out, size_t cap)
{
    struct text t = begin(w, "X", time_ns, out, cap);

    PUT(&t, "268=1\001279=0\001269=2\001");
    if (trade->id) put_number(&t, "278=", trade->id);
    put_text(&t, "55=", symbol);
    put_fixed(&t, "270=", trade->price);
    put_fixed(&t, "271=", trade->size);
    if (trade->side != TW_SIDE_NONE) put_number(&t, "54=", trade->side);
    return finish(w, &t, out);
}

int64_t tw_fix_write_quote(struct tw_fix_writer *w, const char *symbol,
                           const struct tw_quote *q, int64_t time_ns,
                           char *out, size_t cap)
{
    struct text t = begin(w, "S", time_ns, out, cap);

    put_number(&t, "117=", w->seq);
    put_text(&t, "55=", symbol);
    put_fixed(&t, "132=", q->bid);
    put_fixed(&t, "133=", q->ask);
    if (q->bid_size || !q->bid) put_fixed(&t, "134=", q->bid_size);
    if (q->ask_size || !q->ask) put_fixed(&t, "135=", q->ask_size);
    return finish(w, &t, out);
}
