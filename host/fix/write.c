/* write.c - FIX messages, written into the caller's buffer.
 *
 * Why: BodyLength stands before what it counts.  Room for the longest is left at the
 * begin, and 8 and 9 are written last, right before 35: nothing is moved.
 *
 * Layer host/fix.  Thread: the owner's of the output.
 */
#include "fix/write.h"

#include <string.h>

#include "base/fixed.h"
#include "base/word.h"
#include "fix/dictionary_parts.h"

enum {
    HEAD = 32,                    /* "8=FIXT.1.1|9=" and ten digits, SOH */
    NUMBER = 20,                  /* digits of 2^64                      */
    TAG = 11                      /* -2147483648                         */
};

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";

/* The decimal text of v ends at end. */
static inline char *number(uint64_t v, char *end)
{
    for (; v >= 100; v /= 100) memcpy(end -= 2, pairs + v % 100 * 2, 2);
    if (v < 10) *--end = (char)('0' + v);
    else memcpy(end -= 2, pairs + v * 2, 2);
    return end;
}

static inline void put_word(char *p, uint64_t w)
{
    memcpy(p, &w, sizeof w);
}

/* What nearly no field takes is in functions of its own, so that others need no stack. */
static __attribute__((noinline)) char *put_long_label(char *p, struct tw_fix_label l)
{
    char text[TAG], *end = text + sizeof text, *first;

    first = number(l.tag < 0 ? -(uint64_t)l.tag : (uint64_t)l.tag, end);
    if (l.tag < 0) *--first = '-';
    memcpy(p, first, (size_t)(end - first));
    p += end - first;
    *p = '=';
    return p + 1;
}

/* The tag and '=' at p, where a word has room; where they end. */
static inline char *put_label(char *p, struct tw_fix_label l)
{
    if (!l.n) return put_long_label(p, l);
    put_word(p, l.text);
    return p + l.n;
}

/* v below 10^8 as eight digits of 0 to 9, the first lowest: halves, then pairs, then
 * digits, all at once. */
static inline uint64_t eight_digits(uint32_t v)
{
    uint64_t halves = v / 10000 | (uint64_t)(v % 10000) << 32;
    uint64_t high = halves * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t twos = ((halves - 100 * high) << 16) + high;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f);

    return ((twos - 10 * tens) << 8) + tens;
}

/* v below 10^8 without zeros before it, and then what does not matter up to eight bytes;
 * where it ends. */
static inline char *put_short(char *p, uint32_t v)
{
    uint64_t w = eight_digits(v);
    unsigned zeros = w ? (unsigned)__builtin_ctzll(w) / 8 : 7;

    put_word(p, (w | TW_WORD_OF('0')) >> 8 * zeros);
    return p + 8 - zeros;
}

/* Of a field that may just fit. */
static __attribute__((noinline))
char *open_tight(struct tw_fix_output *o, struct tw_fix_label l, size_t n)
{
    char text[TAG + 2];
    size_t room = (size_t)(o->end - o->at);
    size_t used = (size_t)(put_label(text, l) - text);

    if (room < used + n + 1) {
        if (!o->error) o->error = TW_EFULL;
        o->end = o->at;
        return NULL;
    }
    memcpy(o->at, text, used);
    return o->at + used;
}

/* Where the value of n bytes goes, with its tag before it; NULL: there is no room. */
static inline char *open_field(struct tw_fix_output *o, struct tw_fix_label l, size_t n)
{
    size_t room = (size_t)(o->end - o->at);

    if (room >= TAG + 2 && room - (TAG + 2) >= n) return put_label(o->at, l);
    return open_tight(o, l, n);
}

static inline void close_field(struct tw_fix_output *o, char *end)
{
    *end = TW_FIX_SOH;
    o->at = end + 1;
}

static inline void put(struct tw_fix_output *o, struct tw_fix_label l, const void *value,
                       size_t n)
{
    char *p = open_field(o, l, n);

    if (!p) return;
    if (n) memcpy(p, value, n);
    close_field(o, p + n);
}

void tw_fix_begin(struct tw_fix_output *o, char *out, size_t room,
                  const char *begin_string, const char *code, size_t n)
{
    size_t head = room < HEAD ? room : HEAD;

    *o = (struct tw_fix_output){
        .start = out, .body = out + head, .at = out + head, .end = out + room,
        .begin_string = begin_string,
    };
    tw_fix_put_text(o, 35, code, n);
}

/* Whether there is room for a field of up to so many bytes, without looking closer. */
static inline bool spacious(const struct tw_fix_output *o, size_t n)
{
    return (size_t)(o->end - o->at) >= TAG + 2 + n;
}

void tw_fix_write_text(struct tw_fix_output *o, struct tw_fix_label l, const char *value,
                       size_t n)
{
    if (n - 1 < 8 && spacious(o, 8)) {
        uint64_t w = tw_word_load_part(value, n);

        if (!tw_word_zeros(w ^ TW_WORD_OF(TW_FIX_SOH))) {
            char *p = put_label(o->at, l);

            put_word(p, w);
            close_field(o, p + n);
            return;
        }
    }
    if (n == 0 || memchr(value, TW_FIX_SOH, n)) {
        if (!o->error) o->error = TW_EFORMAT;
        return;
    }
    put(o, l, value, n);
}

void tw_fix_write_char(struct tw_fix_output *o, struct tw_fix_label l, char value)
{
    if (value != TW_FIX_SOH) put(o, l, &value, 1);
    else if (!o->error) o->error = TW_EFORMAT;
}

void tw_fix_write_integer(struct tw_fix_output *o, struct tw_fix_label l, int64_t value)
{
    char text[NUMBER + 1], *end = text + sizeof text, *first;

    if ((uint64_t)value < 100000000 && spacious(o, 8)) {
        close_field(o, put_short(put_label(o->at, l), (uint32_t)value));
        return;
    }
    first = number(value < 0 ? -(uint64_t)value : (uint64_t)value, end);
    if (value < 0) *--first = '-';
    put(o, l, first, (size_t)(end - first));
}

void tw_fix_write_fixed(struct tw_fix_output *o, struct tw_fix_label l, int64_t value)
{
    char text[TW_FIXED_TEXT];
    uint64_t units = (uint64_t)value / TW_FIXED_ONE;
    uint32_t part = (uint32_t)((uint64_t)value % TW_FIXED_ONE);

    if (units < 100000000 && part % 10 == 0 && spacious(o, 17)) {
        uint64_t w = eight_digits(part / 10);
        char *p = put_short(put_label(o->at, l), (uint32_t)units);

        if (w) {
            *p++ = '.';
            put_word(p, w | TW_WORD_OF('0'));
            p += 8 - (unsigned)__builtin_clzll(w) / 8;
        }
        close_field(o, p);
        return;
    }
    put(o, l, text, tw_fixed_format(value, text));
}

/* YYYYMMDD of a day since the epoch, as a number. */
static inline uint32_t date_of(int64_t day)
{
    /* In quarters of a day since a 1st of March: years and centuries that begin there
     * have their leap day last.  Behind it the lengths of months come again every five,
     * 153 days. */
    uint32_t since = 4 * (uint32_t)(day + 719468) + 3;
    uint32_t in_century = since % 146097 | 3, in_year = in_century % 1461 / 4;
    uint32_t year = since / 146097 * 100 + in_century / 1461;
    uint32_t month = (5 * in_year + 2) / 153;   /* 0: March */
    uint32_t in_month = in_year - (153 * month + 2) / 5 + 1;

    return month < 10 ? year * 10000 + (month + 3) * 100 + in_month
         : (year + 1) * 10000 + (month - 9) * 100 + in_month;
}

enum { SECOND_TEXT = 17 };

/* YYYYMMDD-HH:MM:SS */
static inline void put_second(char *p, int64_t second)
{
    int64_t day = second / 86400 - (second % 86400 < 0);
    uint32_t in_day = (uint32_t)(second - day * 86400), minute = in_day / 60;
    /* HH0MM0SS: a colon is ten more than the digit 0. */
    uint64_t time = eight_digits(minute / 60 * 1000000 + minute % 60 * 1000 + in_day % 60)
        + UINT64_C(0x00000a00000a0000);

    put_word(p, eight_digits(date_of(day)) | TW_WORD_OF('0'));
    p[8] = '-';
    put_word(p + 9, time | TW_WORD_OF('0'));
}

/* The point and the digits of a part of a second; where they end. */
static inline char *put_part(char *p, uint32_t part, enum tw_fix_precision precision)
{
    if (precision == TW_FIX_S) return p;
    *p++ = '.';
    put_word(p, eight_digits(part / 10) | TW_WORD_OF('0'));
    p[8] = (char)('0' + part % 10);
    return p + precision;
}

static inline int64_t second_of(int64_t time_ns, uint32_t *part)
{
    int64_t second = time_ns / TW_FIXED_ONE - (time_ns % TW_FIXED_ONE < 0);

    *part = (uint32_t)(time_ns - second * TW_FIXED_ONE);
    return second;
}

size_t tw_fix_time_text(int64_t time_ns, enum tw_fix_precision precision, char *out)
{
    uint32_t part;

    put_second(out, second_of(time_ns, &part));
    return (size_t)(put_part(out + SECOND_TEXT, part, precision) - out);
}

/* Most times of a message are in the same second: 52 and 60. */
void tw_fix_write_time(struct tw_fix_output *o, struct tw_fix_label l, int64_t time_ns,
                       enum tw_fix_precision precision)
{
    char text[TW_FIX_TIME_TEXT], *p;
    uint32_t part;
    int64_t second;

    if (!spacious(o, TW_FIX_TIME_TEXT)) {
        put(o, l, text, tw_fix_time_text(time_ns, precision, text));
        return;
    }
    p = put_label(o->at, l);
    second = second_of(time_ns, &part);
    if (o->second_text && o->second == second) {
        memcpy(p, o->second_text, SECOND_TEXT);
    } else {
        put_second(p, second);
        o->second = second;
        o->second_text = p;
    }
    close_field(o, put_part(p + SECOND_TEXT, part, precision));
}

void tw_fix_put_fields(struct tw_fix_output *o, const struct tw_fix_field *f, size_t n)
{
    for (size_t i = 0; i < n; i++) put(o, tw_fix_label(f[i].tag), f[i].at, f[i].n);
}

void tw_fix_put_written(struct tw_fix_output *o, const char *text, size_t n)
{
    if ((size_t)(o->end - o->at) < n) {
        if (!o->error) o->error = TW_EFULL;
        o->end = o->at;
        return;
    }
    memcpy(o->at, text, n);
    o->at += n;
}

void tw_fix_put_sorted(struct tw_fix_output *o, struct tw_fix_field *f, size_t n)
{
    /* A header has few fields. */
    for (size_t i = 1; i < n; i++) {
        struct tw_fix_field moved = f[i];
        size_t k = i;

        for (; k > 0 && f[k - 1].tag > moved.tag; k--) f[k] = f[k - 1];
        f[k] = moved;
    }
    tw_fix_put_fields(o, f, n);
}

static bool of_body(const struct tw_fix_message *m, const struct tw_fix_field *f)
{
    return !(tw_fix_marks(m->dictionary, f->tag)
             & (TW_FIX_IN_HEADER | TW_FIX_IN_TRAILER));
}

/* Where the fields end that go with the one at i: its group; the data of a length, which
 * stays behind it. */
static uint32_t together(const struct tw_fix_part *p, uint32_t i)
{
    const struct tw_fix_message *m = p->message;
    uint32_t after = tw_fix_part_after(p, i);
    const struct tw_fix_definition *next;

    if (after > i + 1 || after == p->end
        || !(tw_fix_marks(m->dictionary, m->fields[after].tag) & TW_FIX_IS_DATA))
        return after;
    next = tw_fix_dictionary_field(m->dictionary, (uint32_t)m->fields[after].tag);
    return after + (next->length == (uint32_t)m->fields[i].tag);
}

TW_COLD
void tw_fix_put_body(struct tw_fix_output *o, const struct tw_fix_message *m, bool sorted)
{
    struct { int32_t tag; uint32_t first, end; } run[TW_FIX_SORTED_MAX];
    struct tw_fix_part p = tw_fix_part_body(m);
    const struct tw_fix_field *f = m->fields;
    size_t n = 0;

    for (uint32_t i = p.first, next; sorted && i < p.end && n <= TW_FIX_SORTED_MAX;
         i = next) {
        size_t k = n;

        next = together(&p, i);
        if (!of_body(m, &f[i])) continue;
        if (n++ == TW_FIX_SORTED_MAX) break;
        /* Most messages are in order already. */
        for (; k > 0 && run[k - 1].tag > f[i].tag; k--) run[k] = run[k - 1];
        run[k].tag = f[i].tag;
        run[k].first = i;
        run[k].end = next;
    }
    if (sorted && n <= TW_FIX_SORTED_MAX) {
        for (size_t k = 0; k < n; k++)
            tw_fix_put_fields(o, f + run[k].first, run[k].end - run[k].first);
        return;
    }
    for (uint32_t i = p.first; i < p.end; i++)
        if (of_body(m, &f[i])) tw_fix_put_fields(o, &f[i], 1);
}

int64_t tw_fix_finish(struct tw_fix_output *o, char **message)
{
    size_t name = strlen(o->begin_string);
    char *at = o->body;
    unsigned sum;

    if (!o->error && o->end - o->at < TW_FIX_TRAILER) o->error = TW_EFULL;
    if (o->error) return o->error;
    *--at = TW_FIX_SOH;
    at = number((uint64_t)(o->at - o->body), at);
    memcpy(at -= 3, "\0019=", 3);
    if (name + 2 > (size_t)(at - o->start)) return TW_EFORMAT;
    memcpy(at -= name, o->begin_string, name);
    memcpy(at -= 2, "8=", 2);
    memcpy(o->at, "10=", 3);
    sum = tw_fix_sum(at, (size_t)(o->at - at));
    for (int i = 5; i > 2; i--, sum /= 10) o->at[i] = (char)('0' + sum % 10);
    o->at[6] = TW_FIX_SOH;
    *message = at;
    return o->at + TW_FIX_TRAILER - at;
}

static const struct tw_fix_field *replaced(const struct tw_fix_field *f, size_t n,
                                           int32_t tag)
{
    for (size_t i = 0; i < n; i++)
        if (f[i].tag == tag) return &f[i];
    return NULL;
}

TW_COLD int64_t tw_fix_write_again(const struct tw_fix_message *m,
                           const struct tw_fix_field *fields, size_t n,
                           char *out, size_t room, char **message)
{
    struct tw_fix_text name = { m->fields[0].at, m->fields[0].n };
    char begin_string[16] = "";
    struct tw_fix_output o;
    int64_t last = 35;

    if (name.n < sizeof begin_string) memcpy(begin_string, name.at, name.n);
    tw_fix_begin(&o, out, room, begin_string, m->fields[2].at, m->fields[2].n);
    for (uint32_t i = 3; i <= m->body; i++) {
        const struct tw_fix_field *f = &m->fields[i];
        int64_t tag = i < m->body ? f->tag : INT64_MAX;

        /* What the message does not have goes where the next higher one stands. */
        for (;;) {
            const struct tw_fix_field *lowest = NULL;

            for (size_t k = 0; k < n; k++)
                if (fields[k].tag < tag && fields[k].tag > last
                    && (!lowest || fields[k].tag < lowest->tag)
                    && !tw_fix_message_header(m, fields[k].tag).at)
                    lowest = &fields[k];
            if (!lowest) break;
            if (lowest->at) tw_fix_put_fields(&o, lowest, 1);
            last = lowest->tag;
        }
        if (i == m->body) break;
        if (replaced(fields, n, f->tag)) f = replaced(fields, n, f->tag);
        if (f->at) tw_fix_put_fields(&o, f, 1);
    }
    tw_fix_put_fields(&o, m->fields + m->body, m->n - 1 - m->body);
    return tw_fix_finish(&o, message);
}
