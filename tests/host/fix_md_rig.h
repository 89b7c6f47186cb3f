/* fix_md_rig.h - for tests of market data over sessions: all that comes out, as text. */
#ifndef FIX_MD_RIG_H
#define FIX_MD_RIG_H

#include <stdarg.h>

#include "base/fixed.h"
#include "fix/market_data.h"
#include "fix_rig.h"
#include "tap.h"
#include "tape/field.h"

enum { ALL = 1 << 16, SYMBOLS_OF_TEST = 64 };

/* What the venue calls A, B and C, where there are some; requests are then shown from 146
 * on. */
static const struct tw_fix_instrument *instruments;
static size_t instruments_n;

struct run {
    struct tw_fix_md *md;
    struct tw_symbols *symbols;
    struct tw_fix_dictionary *dictionary;
    struct tw_fix_message message;
    struct tw_batch batch;
    struct tw_fix_now now;
    uint64_t request[SYMBOLS_OF_TEST];   /* by symbol: the last one asked for */
    int full;                            /* so many sends fail                */
    bool grouped;                        /* the last request has 146          */
    uint64_t seq;
    char out[ALL];
    size_t n;
};

/* One more thing that came out. */
static inline void say_out(struct run *r, const char *format, ...)
{
    va_list args;

    if (r->n && r->n + 2 < sizeof r->out) {
        memcpy(r->out + r->n, "; ", 3);
        r->n += 2;
    }
    va_start(args, format);
    vsnprintf(r->out + r->n, sizeof r->out - r->n, format, args);
    va_end(args);
    r->n += strlen(r->out + r->n);
}

static inline void take_batch(struct tw_batch *b);

/* The field of a body, for as long as that stands; n: its bytes. */
static inline const char *body_field(const char *body, size_t n, int tag, size_t *length,
                                     int which)
{
    char head[16];
    size_t k = (size_t)snprintf(head, sizeof head, "%d=", tag);

    for (const char *p = body, *end; p < body + n; p = end + 1) {
        end = memchr(p, TW_FIX_SOH, (size_t)(body + n - p));
        if (!end) break;
        if (strncmp(p, head, k) != 0 || which-- > 0) continue;
        *length = (size_t)(end - p) - k;
        return p + k;
    }
    *length = 0;
    return NULL;
}

/* Which of A, B and C it is whose name of k bytes is at p: by its month (200) where it
 * has one, before the next name. */
static inline uint32_t instrument_at(const char *p, size_t k, size_t n, int tag)
{
    size_t next_n, month_n, at;
    const char *next = body_field(p + k + 1, n - k - 1, tag, &next_n, 0);
    const char *month = body_field(p + k + 1, next ? (size_t)(next - p) - k - 1
                                                   : n - k - 1, 200, &month_n, 0);

    for (size_t i = 0; i < instruments_n; i++) {
        const struct tw_fix_instrument *is = &instruments[i];

        if (strlen(is->name) != k || memcmp(is->name, p, k) != 0) continue;
        for (at = 0; at < is->own_n && is->fields[at].tag != 200; at++) continue;
        if (at == is->own_n
            || (month && memcmp(is->fields[at].value, month, month_n) == 0))
            return is->symbol;
    }
    return 0;
}

static inline int on_send(void *ctx, const char *code, const char *body, size_t n)
{
    struct run *r = ctx;
    char names[2000] = "";
    const char *id, *p;
    size_t id_n, k, at = 0;
    int tag = body_field(body, n, 55, &k, 0) ? 55 : 48;
    bool cancel;

    take_batch(&r->batch);
    if (r->full > 0) {
        r->full--;
        return TW_EFULL;
    }
    r->grouped = body_field(body, n, 146, &k, 0) != NULL;
    p = body_field(body, n, 263, &k, 0);
    cancel = p && *p == '2';
    id = body_field(body, n, *code == 'R' ? 131 : 262, &id_n, 0);
    for (int i = 0; (p = body_field(body, n, tag, &k, i)); i++) {
        uint32_t symbol = tw_symbols_find(r->symbols, p, k);

        at += (size_t)snprintf(names + at, sizeof names - at, " %.*s", (int)k, p);
        if (id && !cancel && symbol < SYMBOLS_OF_TEST)
            r->request[symbol] = strtoull(id, NULL, 10);
    }
    if (instruments_n && strchr("VRe", *code)) {
        p = body_field(body, n, *code == 'e' ? tag : 146, &k, 0);
        p -= *code == 'e' ? 3 : 4;
        snprintf(names, sizeof names, " %.*s", (int)(body + n - p), p);
        for (char *c = names; *c; c++) *c = *c == TW_FIX_SOH ? '|' : *c;
        for (int i = 0; id && !cancel && (p = body_field(body, n, tag, &k, i)); i++)
            r->request[instrument_at(p, k, (size_t)(body + n - p), tag)]
                = strtoull(id, NULL, 10);
    }
    if (strcmp(code, "b") == 0 || strcmp(code, "AI") == 0) {
        snprintf(names, sizeof names, " %.*s", (int)n, body);
        for (char *c = names; *c; c++) *c = *c == TW_FIX_SOH ? '|' : *c;
    }
    say_out(r, "%s%s%s", code, cancel ? "-" : "", names);
    return TW_OK;
}

static inline void on_md_event(void *ctx, const struct tw_fix_md_event *e)
{
    static const char *const kinds[] = { "failed", "lost", "problem", "status" };

    take_batch(&((struct run *)ctx)->batch);
    say_out(ctx, "%s %s", kinds[e->kind], e->text);
}

/* "A bid 2 1.4x50", "A ask 1 1.6 gone", "A clear"; an update ends in a dot. */
static inline void say_level(struct run *r, const char *name, const struct tw_level *l)
{
    char price[TW_FIXED_TEXT], size[TW_FIXED_TEXT];
    const char *end = l->last ? "." : "";

    tw_fixed_format(l->price, price);
    tw_fixed_format(l->size, size);
    if (l->change == TW_LEVEL_CLEAR) say_out(r, "%s clear%s", name, end);
    else if (l->change == TW_LEVEL_GONE)
        say_out(r, "%s %s %u %s gone%s", name, l->offer ? "ask" : "bid", l->place, price,
                end);
    else
        say_out(r, "%s %s %u %sx%s%s", name, l->offer ? "ask" : "bid", l->place, price,
                size, end);
}

static inline void take_batch(struct tw_batch *b)
{
    static const char *const sides[] = { "", " buy", " sell" };
    struct run *r = b->owner;

    for (unsigned i = 0; i < b->n; i++) {
        const struct tw_record *a = &b->r[i];
        const char *name = a->symbol ? tw_symbols_name(r->symbols, a->symbol) : "all";
        char t[4][TW_FIXED_TEXT];

        if (a->kind == TW_LEVEL) {
            say_level(r, name, &a->level);
            continue;
        }
        if (a->kind == TW_STATUS) {
            say_out(r, "%s is %s %u %u %s", name, tw_trading_name(a->status.status),
                    a->status.code, a->status.reason, a->status.text);
            continue;
        }
        for (int k = 0; k < 4; k++) tw_fixed_format((int64_t)a->word[k], t[k]);
        if (a->kind == TW_QUOTE)
            say_out(r, "%s %sx%s %sx%s", name, t[0], t[2], t[1], t[3]);
        else if (a->kind == TW_TRADE)
            say_out(r, "%s trade %sx%s%s", name, t[0], t[1], sides[a->trade.side]);
        else
            say_out(r, "%s gap %llu from %llu", name, (unsigned long long)a->gap.lost,
                    (unsigned long long)a->gap.first);
    }
    b->n = 0;
}

static inline struct run *run_open(const struct tw_fix_md_options *options,
                                   enum tw_fix_version v, const char *symbols)
{
    struct run *r = calloc(1, sizeof *r);
    struct tw_fix_md_options o = *options;

    r->symbols = tw_symbols_new(100000);
    r->dictionary = dictionary(v, NULL);
    tw_fix_message_init(&r->message, 0, 0);
    r->batch = (struct tw_batch){ .full = take_batch, .owner = r };
    r->now = (struct tw_fix_now){ INT64_C(1704187800000000000), 7000000000 };
    o.symbols = r->symbols;
    o.source = 9;
    o.start_ns = r->now.time_ns;
    o.send = on_send;
    o.event = on_md_event;
    o.ctx = r;
    r->md = tw_fix_md_new(&o);
    for (size_t i = 0; i < instruments_n; i++)
        tw_symbols_intern(r->symbols, (char[]){ (char)('A' + i), 0 }, 1);
    if (instruments_n)
        tw_fix_md_set_instruments(r->md, r->dictionary, instruments, instruments_n);
    for (const char *p = symbols; *p; p += strcspn(p, " "), p += *p == ' ')
        tw_fix_md_subscribe(r->md, p, strcspn(p, " "));
    return r;
}

static inline void run_close(struct run *r)
{
    tw_fix_md_free(r->md);
    tw_fix_message_fini(&r->message);
    tw_fix_dictionary_free(r->dictionary);
    tw_symbols_free(r->symbols);
    free(r);
}

static inline void tell(struct run *r, enum tw_fix_event_kind kind, uint64_t from,
                        uint64_t to)
{
    tw_fix_md_session_event(r->md, r->now, &(struct tw_fix_event){
        .kind = kind, .from = from, .to = to, .text = "" }, &r->batch);
    take_batch(&r->batch);
}

static inline void wait_s(struct run *r, double seconds)
{
    r->now.time_ns += (int64_t)(seconds * 1e9);
    r->now.steady_ns += (int64_t)(seconds * 1e9);
    tw_fix_md_expire(r->md, r->now, &r->batch);
    take_batch(&r->batch);
    tw_fix_md_tick(r->md, r->now);
}

/* A message of "W 55=A|268=0|", with the header before it; @A@: the request of A; "!W ":
 * one that the session refuses; "A ": logged on with it. */
static inline bool give(struct run *r, const char *text)
{
    bool refused = *text == '!' && text++, begins = strncmp(text, "A ", 2) == 0;
    char body[4000], *to = body;
    enum tw_fix_answer answer = TW_FIX_TAKEN;
    size_t n, code = strcspn(text, " ");
    char *p;

    to += sprintf(to, "35=%.*s|49=A|56=B|34=%llu|52=20240102-09:30:00.123|", (int)code,
                  text, (unsigned long long)++r->seq);
    for (text += code + 1; *text;) {
        const char *end = *text == '@' ? strchr(text + 1, '@') : NULL;

        if (end) {
            uint32_t symbol = tw_symbols_find(r->symbols, text + 1,
                                              (size_t)(end - text - 1));

            to += sprintf(to, "%llu", (unsigned long long)r->request[symbol]);
            text = end + 1;
        } else {
            *to++ = *text++;
        }
    }
    *to = 0;
    p = whole(tw_fix_dictionary_version(r->dictionary), body, &n);
    if (take(&r->message, r->dictionary, p, n) != TW_OK) say_out(r, "no message");
    else if (refused || begins)
        tw_fix_md_session_event(r->md, r->now, &(struct tw_fix_event){
            .kind = refused ? TW_FIX_REFUSED : TW_FIX_LOGGED_ON, .from = r->seq,
            .to = r->seq, .message = &r->message, .text = "" }, &r->batch);
    else answer = tw_fix_md_message(r->md, r->now, &r->message, &r->batch);
    take_batch(&r->batch);
    free(p);
    return answer == TW_FIX_TAKEN;
}

/* What came out since the last time. */
static inline const char *heard(struct run *r)
{
    static char last[ALL];

    memcpy(last, r->out, r->n + 1);
    last[r->n] = 0;
    r->n = 0;
    r->out[0] = 0;
    return last;
}

/* What is given ("+2": two seconds), and what comes out then. */
struct step { const char *give, *hear; };

static inline void play(const char *what, const struct tw_fix_md_options *o,
                 enum tw_fix_version v, const struct step *s, size_t n)
{
    struct run *r = run_open(o, v, o->batch > 1 ? "A B C" : "A B");
    const char *got;
    bool right = true;

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    heard(r);
    for (size_t i = 0; i < n && right; i++) {
        if (*s[i].give == '+') wait_s(r, atof(s[i].give));
        else give(r, s[i].give);
        got = heard(r);
        right = strcmp(got, s[i].hear) == 0;
        if (!right)
            printf("# %s\n#  gives  %s\n#  not    %s\n", s[i].give, got, s[i].hear);
    }
    ok(right, "%s", what);
    run_close(r);
}

#define PLAY(what, o, v, steps) play(what, o, v, steps, sizeof steps / sizeof *steps)

#endif
