/* market_data.c - what is subscribed over a FIX session, and the requests for it.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include "fix/market_data.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/market_data_parts.h"

enum { SYMBOL_ROOM = TW_NAME_MAX + 16, HEAD_ROOM = 4096 };   /* bytes of a request */

static const int64_t again_ns = INT64_C(1000000000), again_max_ns = 64 * again_ns;
static const int64_t retry_ns = 20000000;

struct tw_fix_md *tw_fix_md_new(const struct tw_fix_md_options *options)
{
    struct tw_fix_md *md = tw_calloc(1, sizeof *md);
    uint32_t batch;

    if (!md) return NULL;
    md->o = *options;
    if (!md->o.types) md->o.types = 7;
    if (!(md->o.types & 3) || md->o.quotes) md->o.levels = false;
    if (!md->o.batch || md->o.quotes) md->o.batch = 1;
    if (md->o.batch > TW_FIX_MD_BATCH_MAX) md->o.batch = TW_FIX_MD_BATCH_MAX;
    if (!md->o.levels_max) md->o.levels_max = TW_DEPTH_MAX;
    if (!md->o.symbols_max || md->o.symbols_max > TW_SYMBOL_MAX)
        md->o.symbols_max = TW_SYMBOL_MAX;
    batch = md->o.batch;
    md->next_request = (uint64_t)(options->start_ns / 1000000) + 1;
    md->wakes_ns = md->expires_ns = INT64_MAX;
    md->body_room = HEAD_ROOM + (size_t)batch * SYMBOL_ROOM;
    md->noted_max = 64;
    md->body = tw_calloc(1, md->body_room);
    md->members = tw_calloc(batch, sizeof *md->members);
    md->noted = tw_calloc(md->noted_max, sizeof *md->noted);
    tw_fix_clock_init(&md->clock);
    if (md->body && md->members && md->noted) return md;
    tw_fix_md_free(md);
    return NULL;
}

void tw_fix_md_free(struct tw_fix_md *md)
{
    if (!md) return;
    for (uint32_t i = 0; i < md->subs_n; i++) {
        tw_depth_fini(&md->subs[i].book);
        tw_ladder_fini(&md->subs[i].told);
    }
    tw_free(md->rungs);
    tw_free(md->until);
    tw_free(md->subs);
    tw_free(md->by_symbol);
    tw_free(md->members);
    tw_free(md->noted);
    tw_free(md->body);
    tw_fix_instruments_free(md->instruments);
    tw_free(md);
}

void tw_fix_md_tell(struct tw_fix_md *md, enum tw_fix_md_kind kind, const char *format,
                    ...)
{
    char text[300];
    va_list args;

    if (!md->o.event) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    md->o.event(md->o.ctx, &(struct tw_fix_md_event){ kind, text });
}

/* ---- subscriptions ---- */

/* A subscription of a symbol that had none; NULL: no memory. */
static struct tw_fix_sub *new_sub(struct tw_fix_md *md, uint32_t symbol)
{
    struct tw_fix_sub *s;
    void *p;

    if (md->subs_n == md->subs_max) {
        p = tw_grow(md->subs, &md->subs_max, md->subs_n + 1, sizeof *md->subs);
        if (!p) return NULL;
        md->subs = p;
    }
    if (symbol >= md->symbols_n) {
        p = tw_extend(md->by_symbol, &md->symbols_n, symbol, sizeof *md->by_symbol);
        if (!p) return NULL;
        md->by_symbol = p;
    }
    s = &md->subs[md->subs_n++];
    *s = (struct tw_fix_sub){ .symbol = symbol, .until_ns = { INT64_MAX, INT64_MAX } };
    tw_depth_init(&s->book);
    md->by_symbol[symbol] = md->subs_n;
    return s;
}

/* It is asked for at once, and its numbers are believed. */
static void forget_pace(struct tw_fix_sub *s)
{
    s->asked_ns = s->pause_ns = 0;
    s->gaps = (struct tw_fix_gaps){0};
    s->skips = false;
}

int tw_fix_md_subscribe(struct tw_fix_md *md, const char *name, size_t n)
{
    int64_t symbol = tw_symbols_intern(md->o.symbols, name, n);
    struct tw_fix_sub *s;

    if (symbol < 0) return (int)symbol;
    s = tw_fix_md_sub(md, (uint32_t)symbol);
    if (!s && md->subs_n == md->o.symbols_max) return TW_ELIMIT;
    if (!s) s = new_sub(md, (uint32_t)symbol);
    if (!s) return UV_ENOMEM;
    if (s->state == TW_FIX_MD_NONE) {
        s->state = TW_FIX_MD_WAITING;
        forget_pace(s);
    }
    md->has_work = true;
    return TW_OK;
}

static void forget(struct tw_fix_md *md, struct tw_fix_sub *s)
{
    tw_fix_md_no_quote(md, s);
    tw_depth_clear(&s->book);
    tw_ladder_clear(&s->told);
    s->is_told = false;
    s->top = (struct tw_quote){0};
    s->report = 0;
}

static void put_gap(struct tw_fix_md *md, struct tw_fix_now now, uint32_t symbol,
                    uint64_t lost, uint64_t first, struct tw_batch *out)
{
    struct tw_record *r = tw_batch_next(out);

    *r = (struct tw_record){
        .time = now.time_ns, .received = now.time_ns, .symbol = symbol & TW_SYMBOL_MAX,
        .source = md->o.source, .kind = TW_GAP, .gap = { .lost = lost, .first = first },
    };
}

/* Where the subscriptions of a request end, of which s is one. */
static uint32_t request_end(const struct tw_fix_md *md, const struct tw_fix_sub *s)
{
    return md->o.batch == 1 || s->alone ? (uint32_t)(s - md->subs) + 1 : md->subs_n;
}

/* Its request is over with the peer as soon as may be, and those that share it are asked
 * for anew: what comes of them until then is lost. */
static void drop_request(struct tw_fix_md *md, struct tw_fix_now now,
                         struct tw_fix_sub *s, struct tw_batch *out)
{
    uint64_t request = s->request;
    uint32_t at = request & ((1u << TW_FIX_MD_SUB_BITS) - 1);

    md->has_work = true;
    if (!request) return;
    for (uint32_t end = request_end(md, s); at < end; at++) {
        struct tw_fix_sub *other = &md->subs[at];

        if (other->request != request) continue;
        if (other != s && other->state == TW_FIX_MD_LIVE)
            put_gap(md, now, other->symbol, 0, 0, out);
        other->cancel = true;
        if (other->state != TW_FIX_MD_NONE) other->state = TW_FIX_MD_WAITING;
        forget(md, other);
    }
}

void tw_fix_md_unsubscribe(struct tw_fix_md *md, struct tw_fix_now now, const char *name,
                           size_t n, struct tw_batch *out)
{
    uint32_t symbol = tw_symbols_find(md->o.symbols, name, n);
    struct tw_fix_sub *s = symbol ? tw_fix_md_sub(md, symbol) : NULL;

    if (!s) return;
    s->state = TW_FIX_MD_NONE;
    drop_request(md, now, s, out);
    forget(md, s);
}

/* ---- what was missed ---- */

void tw_fix_md_slow_down(struct tw_fix_sub *s, struct tw_fix_now now)
{
    if (!s->pause_ns || now.steady_ns - s->asked_ns > 2 * s->pause_ns)
        s->pause_ns = again_ns;
    else if (s->pause_ns < again_max_ns) s->pause_ns *= 2;
}

bool tw_fix_md_in_vain(struct tw_fix_gaps *g, struct tw_fix_now now)
{
    int64_t since_ns = now.steady_ns - g->last_ns;
    bool in_row = g->tries > 0
                  && (since_ns < 4 * (again_ns << g->tries)
                      || (g->between < TW_FIX_MD_BETWEEN && since_ns < again_max_ns));

    g->tries = in_row ? g->tries + 1 : 1;
    g->between = 0;
    g->last_ns = now.steady_ns;
    if (g->tries < TW_FIX_MD_TRIES) return false;
    *g = (struct tw_fix_gaps){0};
    return true;
}

void tw_fix_md_lose(struct tw_fix_md *md, struct tw_fix_now now, struct tw_fix_sub *s,
                    uint64_t lost, uint64_t first, struct tw_batch *out)
{
    const char *name = tw_symbols_name(md->o.symbols, s->symbol);

    if (s->state != TW_FIX_MD_LIVE && s->state != TW_FIX_MD_ASKED) return;
    put_gap(md, now, s->symbol, lost, first, out);
    if (lost)
        tw_fix_md_tell(md, TW_FIX_MD_LOST, "%s: %llu reports from RptSeq %llu"
                       " on are missing", name, (unsigned long long)lost,
                       (unsigned long long)first);
    else tw_fix_md_tell(md, TW_FIX_MD_LOST, "%s: the book is lost", name);
    tw_fix_md_slow_down(s, now);
    drop_request(md, now, s, out);
}

/* One where numbers begin anew, as when the venue has failed over, is another book. */
void tw_fix_md_lose_reports(struct tw_fix_md *md, struct tw_fix_now now,
                            struct tw_fix_sub *s, uint64_t report, struct tw_batch *out)
{
    const char *name = tw_symbols_name(md->o.symbols, s->symbol);
    uint64_t lost = report > s->report ? report - s->report - 1 : 0;

    if (lost == 0) {
        tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "%s: RptSeq (83) begins anew:"
                       " %llu after %llu", name, (unsigned long long)report,
                       (unsigned long long)s->report);
    } else if (tw_fix_md_in_vain(&s->gaps, now)) {
        s->skips = true;
        tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "%s: RptSeq (83) leaves numbers"
                       " out after each snapshot (%d in a row): from the next one on, and"
                       " until the session is up again, that is no gap", name,
                       TW_FIX_MD_TRIES);
    }
    tw_fix_md_lose(md, now, s, lost, lost ? s->report + 1 : 0, out);
    if (s->skips) s->pause_ns = 0;
}

void tw_fix_md_lose_all(struct tw_fix_md *md, struct tw_fix_now now, uint64_t lost,
                        uint64_t first, struct tw_fix_sub *fresh, struct tw_batch *out)
{
    bool any = false;

    for (uint32_t i = 0; i < md->subs_n; i++) {
        struct tw_fix_sub *s = &md->subs[i];

        if (s->state != TW_FIX_MD_LIVE && s->state != TW_FIX_MD_ASKED) continue;
        any = true;
        s->cancel = s != fresh;
        s->state = s == fresh ? TW_FIX_MD_ASKED : TW_FIX_MD_WAITING;
        forget(md, s);
    }
    if (!any) return;
    md->has_work = true;
    put_gap(md, now, 0, lost, first, out);
    if (lost)
        tw_fix_md_tell(md, TW_FIX_MD_LOST, "%llu messages from %llu on will not come",
                       (unsigned long long)lost, (unsigned long long)first);
    else tw_fix_md_tell(md, TW_FIX_MD_LOST, "the books are lost");
}

void tw_fix_md_refused(struct tw_fix_md *md, struct tw_fix_now now, uint64_t request,
                       const char *why, struct tw_batch *out)
{
    struct tw_fix_sub *s = tw_fix_md_of_request(md, request);
    uint32_t at, end, n = 0;

    if (!s || s->cancel) return;
    at = (uint32_t)(s - md->subs);
    end = request_end(md, s);
    for (uint32_t i = at; i < end; i++) n += md->subs[i].request == request;
    for (uint32_t i = at; i < end; i++) {
        s = &md->subs[i];
        if (s->request != request) continue;
        if (s->state == TW_FIX_MD_LIVE) put_gap(md, now, s->symbol, 0, 0, out);
        s->request = 0;
        forget(md, s);
        s->state = n > 1 ? TW_FIX_MD_WAITING : TW_FIX_MD_REFUSED;
        s->alone = s->alone || n > 1;   /* which of them it was shows then */
    }
    if (n > 1) md->has_work = true;
    else tw_fix_md_tell(md, TW_FIX_MD_FAILED, "%s: refused: %s",
                        tw_symbols_name(md->o.symbols, s->symbol), why);
}

/* ---- the session ---- */

static void go_down(struct tw_fix_md *md, struct tw_fix_now now, struct tw_batch *out)
{
    tw_fix_md_lose_all(md, now, 0, 0, NULL, out);
    md->up = md->early = false;
    md->streams_n = 0;
    md->gaps = (struct tw_fix_gaps){0};
    tw_fix_md_lose_states(md, TW_FIX_MD_SESSION);
    for (uint32_t i = 0; i < md->subs_n; i++) {
        struct tw_fix_sub *s = &md->subs[i];

        if (s->state != TW_FIX_MD_NONE) s->state = TW_FIX_MD_WAITING;
        s->request = 0;
        s->cancel = s->alone = false;
        forget_pace(s);
        forget(md, s);
    }
    md->has_work = true;
    md->wakes_ns = INT64_MAX;
}

/* One of a book, which the session has refused: the book is not what the peer says. */
static void take_refused(struct tw_fix_md *md, struct tw_fix_now now,
                         const struct tw_fix_message *m, struct tw_batch *out)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    bool quotes = code.n == 1 && strchr("SiZ", *code.at);
    uint64_t request = tw_fix_md_number_of(m, quotes ? 131 : 262);
    struct tw_fix_sub *s = request ? tw_fix_md_of_request(md, request)
                                   : tw_fix_md_of_message(md, m, 0);

    if (!quotes && (code.n != 1 || !strchr("WX", *code.at))) return;
    if (s) {
        tw_fix_md_lose(md, now, s, 0, 0, out);
        return;
    }
    if (request || tw_fix_md_symbol(md, m).n)
        return;                           /* of what is over, or was never asked for */
    for (uint32_t i = 0; i < md->subs_n; i++)
        if (md->subs[i].state >= TW_FIX_MD_ASKED) tw_fix_md_slow_down(&md->subs[i], now);
    tw_fix_md_lose_all(md, now, 0, 0, NULL, out);
}

void tw_fix_md_session_event(struct tw_fix_md *md, struct tw_fix_now now,
                             const struct tw_fix_event *e, struct tw_batch *out)
{
    struct tw_fix_text seq;
    uint64_t first;

    switch (e->kind) {
    case TW_FIX_LOGGED_ON:
        if (md->up) go_down(md, now, out);
        md->up = md->has_work = true;   /* a state may be wanted without a symbol */
        md->up_seq = 0;
        if (!e->message) break;
        md->ungrouped = tw_fix_dictionary_version(e->message->dictionary) < TW_FIX_42;
        seq = tw_fix_message_header(e->message, 34);
        if (seq.n) tw_fix_integer(seq, &md->up_seq);
        break;
    case TW_FIX_LOGGED_OUT:
        if (md->up) go_down(md, now, out);
        break;
    case TW_FIX_SKIPPED: case TW_FIX_FILLED:
        /* What came before the Logon is of requests that are over. */
        first = e->from > md->up_seq ? e->from : md->up_seq + 1;
        if (!md->up || e->to < first) return;
        tw_fix_md_lose_states(md, TW_FIX_MD_ANSWERS);
        tw_fix_md_lose_all(md, now, e->to - first + 1, first, NULL, out);
        break;
    case TW_FIX_RESENDING:
        /* Requests among them are filled: see tw_fix_md_resend. */
        for (uint32_t i = 0; i < md->subs_n; i++)
            if (md->subs[i].state == TW_FIX_MD_ASKED)
                drop_request(md, now, &md->subs[i], out);
        tw_fix_md_lose_states(md, TW_FIX_MD_REQUESTS);
        return;
    case TW_FIX_RESET:
        md->up_seq = 0;
        break;
    case TW_FIX_REFUSED:
        if (md->up && e->message) take_refused(md, now, e->message, out);
        break;
    default: return;
    }
    tw_fix_md_tick(md, now);
}

bool tw_fix_md_resend(const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    struct tw_fix_text kind = tw_fix_message_body(m, 263);

    if (code.n != 1 || !strchr("VReg", *code.at)) return true;
    return kind.n == 1 && *kind.at == '2';
}

/* ---- requests ---- */

struct tw_fix_text tw_fix_md_symbol(const struct tw_fix_md *md,
                                    const struct tw_fix_message *m)
{
    return tw_fix_message_body(m, md->o.id_source ? 48 : 55);
}

/* Asks for the members, or cancels their request. */
static int send_request(struct tw_fix_md *md, uint64_t request, uint32_t n, bool cancel)
{
    struct tw_fix_output o = {
        .at = md->body, .start = md->body, .end = md->body + md->body_room
    };
    const char *code = md->o.quotes ? "R" : "V";
    unsigned types = md->o.types;

    if (md->o.quotes) {
        tw_fix_put_integer(&o, 131, (int64_t)request);
    } else {
        tw_fix_put_integer(&o, 262, (int64_t)request);
        tw_fix_put_char(&o, 263, cancel ? '2' : '1');
        tw_fix_put_integer(&o, 264, md->o.depth);
        tw_fix_put_char(&o, 265, md->o.incremental ? '1' : '0');
        tw_fix_put_integer(&o, 267, __builtin_popcount(types));
        for (int i = 0; i < 3; i++)
            if (types >> i & 1) tw_fix_put_char(&o, 269, (char)('0' + i));
    }
    if (!md->o.quotes || !md->ungrouped) tw_fix_put_integer(&o, 146, n);
    for (uint32_t i = 0; i < n; i++)
        tw_fix_md_put_instrument(md, &o, code, md->subs[md->members[i]].symbol);
    if (o.error) return o.error;
    return md->o.send(md->o.ctx, code, md->body, (size_t)(o.at - o.start));
}

/* False: the peer takes no more now. */
static bool cancel_all(struct tw_fix_md *md)
{
    for (uint32_t i = 0; i < md->subs_n; i++) {
        uint64_t request = md->subs[i].request;
        uint32_t n = 0;

        if (!md->subs[i].cancel) continue;
        for (uint32_t k = i; k < md->subs_n && n < md->o.batch; k++)
            if (md->subs[k].request == request) md->members[n++] = k;
        if (!md->o.quotes && send_request(md, request, n, true) < 0) return false;
        for (uint32_t k = 0; k < n; k++) {
            md->subs[md->members[k]].request = 0;
            md->subs[md->members[k]].cancel = false;
        }
    }
    return true;
}

/* Sends one for the n members. */
static bool ask(struct tw_fix_md *md, struct tw_fix_now now, uint32_t n)
{
    uint64_t request = md->next_request << TW_FIX_MD_SUB_BITS | md->members[0];

    if (send_request(md, request, n, false) < 0) return false;
    md->next_request++;
    for (uint32_t k = 0; k < n; k++) {
        struct tw_fix_sub *s = &md->subs[md->members[k]];

        s->request = request;
        s->state = TW_FIX_MD_ASKED;
        s->asked_ns = now.steady_ns;
        forget(md, s);
    }
    return true;
}

static bool ask_all(struct tw_fix_md *md, struct tw_fix_now now)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < md->subs_n; i++) {
        struct tw_fix_sub *s = &md->subs[i];
        int64_t due_ns = s->asked_ns + s->pause_ns;

        if (s->state != TW_FIX_MD_WAITING) continue;
        if (due_ns > now.steady_ns) {
            if (due_ns < md->wakes_ns) md->wakes_ns = due_ns;
            continue;
        }
        if (s->alone && n > 0) {   /* those before it first */
            if (!ask(md, now, n)) return false;
            n = 0;
        }
        md->members[n++] = i;
        if (n < md->o.batch && !s->alone) continue;
        if (!ask(md, now, n)) return false;
        n = 0;
    }
    return n == 0 || ask(md, now, n);
}

void tw_fix_md_tick(struct tw_fix_md *md, struct tw_fix_now now)
{
    if (!md->up || (!md->has_work && now.steady_ns < md->wakes_ns)) return;
    md->has_work = false;
    md->wakes_ns = INT64_MAX;
    if (!cancel_all(md) || !ask_all(md, now) || !tw_fix_md_ask_states(md, now))
        md->wakes_ns = now.steady_ns + retry_ns;
}

int64_t tw_fix_md_wakes(const struct tw_fix_md *md)
{
    if (!md->up) return INT64_MAX;
    if (md->has_work) return 0;
    return md->expires_ns < md->wakes_ns ? md->expires_ns : md->wakes_ns;
}

/* ---- looking ---- */

enum tw_fix_md_state tw_fix_md_state(const struct tw_fix_md *md, uint32_t symbol)
{
    struct tw_fix_sub *s = tw_fix_md_sub(md, symbol);

    return s ? (enum tw_fix_md_state)s->state : TW_FIX_MD_NONE;
}

const struct tw_depth *tw_fix_md_book(const struct tw_fix_md *md, uint32_t symbol)
{
    struct tw_fix_sub *s = tw_fix_md_sub(md, symbol);

    return s && s->state == TW_FIX_MD_LIVE ? &s->book : NULL;
}

struct tw_fix_md_stats tw_fix_md_stats(const struct tw_fix_md *md)
{
    return md->stats;
}
