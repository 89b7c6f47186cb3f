/* market_data_states.c - whether symbols and markets trade: asked for (35=e, g), and told
 * (f, h).
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <stdio.h>
#include <string.h>

#include "fix/market_data_parts.h"

static const int64_t again_ns = INT64_C(1000000000);
static const struct tw_fix_text nothing = { "", 0 };

/* ---- what fields say ---- */

uint64_t tw_fix_md_number_of(const struct tw_fix_message *m, int32_t tag)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);
    uint64_t number;

    return t.n && tw_fix_integer(t, &number) ? number : 0;
}

/* The name of what a field chooses, if it has one. */
static struct tw_fix_text name_of(const struct tw_fix_message *m, int32_t tag)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);
    const struct tw_fix_definition *d = tw_fix_dictionary_field(m->dictionary,
                                                                (uint32_t)tag);
    const struct tw_fix_choice *c = t.at && d ? tw_fix_choice(d, t.at, t.n) : NULL;

    return c ? (struct tw_fix_text){ c->name, strlen(c->name) } : nothing;
}

void tw_fix_md_describe(const struct tw_fix_message *m, int32_t tag, char *out,
                        size_t room)
{
    struct tw_fix_text t = tw_fix_message_body(m, tag);
    struct tw_fix_text choice = name_of(m, tag);
    char value[80];
    size_t at = strlen(out);

    if (!t.at || room - at < 2) return;
    snprintf(out + at, room - at, "%s%d=%s%s%s%s", at ? " " : "", (int)tag,
             tw_fix_show(t.at, t.n, value, sizeof value), choice.n ? " (" : "",
             choice.at, choice.n ? ")" : "");
}

/* ---- what is asked ---- */

/* 35=e of a symbol, or g of the market, which is 0. */
static int send(struct tw_fix_md *md, uint64_t request, uint32_t symbol, char kind)
{
    struct tw_fix_output o = {
        .at = md->body, .start = md->body, .end = md->body + md->body_room
    };

    tw_fix_put_integer(&o, symbol ? 324 : 335, (int64_t)request);
    if (symbol) tw_fix_md_put_instrument(md, &o, "e", symbol);
    tw_fix_put_char(&o, 263, kind);
    if (o.error) return o.error;
    return md->o.send(md->o.ctx, symbol ? "e" : "g", md->body, (size_t)(o.at - o.start));
}

/* One request: cancelled, if there is one that is not wanted or is to be made again, and
 * made anew; false: the peer takes no more now. */
static bool ask(struct tw_fix_md *md, struct tw_fix_now now, struct tw_fix_asked *a,
                uint32_t symbol, bool wanted)
{
    int64_t due_ns = a->asked_ns + again_ns;

    if (a->request && wanted && a->again && now.steady_ns < due_ns) {
        if (due_ns < md->wakes_ns) md->wakes_ns = due_ns;
        return true;
    }
    if (a->request && (!wanted || a->again)) {
        if (send(md, a->request, symbol, '2') < 0) return false;
        *a = (struct tw_fix_asked){ .request = 0 };
    }
    if (!wanted || a->request) return true;
    if (send(md, md->next_request, symbol, '1') < 0) return false;
    *a = (struct tw_fix_asked){
        .request = md->next_request++, .asked_ns = now.steady_ns
    };
    return true;
}

bool tw_fix_md_ask_states(struct tw_fix_md *md, struct tw_fix_now now)
{
    if (!md->o.states) return true;
    if (!ask(md, now, &md->market_asked, 0, true)) return false;
    for (uint32_t i = 0; i < md->subs_n; i++) {
        struct tw_fix_sub *s = &md->subs[i];

        if (!ask(md, now, &s->asked, s->symbol, s->state != TW_FIX_MD_NONE))
            return false;
    }
    return true;
}

static void lose(struct tw_fix_asked *a, enum tw_fix_md_lost what)
{
    if (what == TW_FIX_MD_SESSION) *a = (struct tw_fix_asked){ .request = 0 };
    else a->again |= what == TW_FIX_MD_ANSWERS || !a->came;
}

void tw_fix_md_lose_states(struct tw_fix_md *md, enum tw_fix_md_lost what)
{
    lose(&md->market_asked, what);
    for (uint32_t i = 0; i < md->subs_n; i++) lose(&md->subs[i].asked, what);
    md->has_work |= md->o.states;
}

void tw_fix_md_unasked(struct tw_fix_md *md, const struct tw_fix_message *m,
                       const char *what)
{
    static const int32_t tags[] = { 372, 380, 281, 58 };
    char text[200] = "";

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        tw_fix_md_describe(m, tags[i], text, sizeof text);
    tw_fix_md_tell(md, TW_FIX_MD_FAILED, "%s refused: %s", what, text);
}

void tw_fix_md_reject(struct tw_fix_md *md, struct tw_fix_now now,
                      const struct tw_fix_message *m, int32_t request_tag,
                      int32_t reason_tag, struct tw_batch *out)
{
    uint64_t request = tw_fix_md_number_of(m, request_tag);
    char text[200] = "";

    if (request == 0) {
        tw_fix_md_unasked(md, m, "market data is");
        return;
    }
    tw_fix_md_describe(m, reason_tag, text, sizeof text);
    tw_fix_md_describe(m, 58, text, sizeof text);
    tw_fix_md_refused(md, now, request, *text ? text : "without a reason", out);
}

/* ---- what is told ---- */

/* What 326, and 340, say. */
static enum tw_trading trading(bool symbol, uint64_t code)
{
    static const uint8_t of_symbol[] = {
        [1] = TW_TRADING_DELAYED, [2] = TW_TRADING_HALTED, [3] = TW_TRADING_OPEN,
        [4] = TW_TRADING_HALTED,                              /* no resume      */
        [17] = TW_TRADING_OPEN, [18] = TW_TRADING_CLOSED, [19] = TW_TRADING_CLOSED,
        [21] = TW_TRADING_PRE_OPEN, [22] = TW_TRADING_AUCTION,
        [23] = TW_TRADING_OPEN,                               /* a fast market  */
        [24] = TW_TRADING_AUCTION, [25] = TW_TRADING_AUCTION, /* crosses        */
        [26] = TW_TRADING_CLOSED,                             /* post-close     */
    };
    static const uint8_t of_session[] = {
        [1] = TW_TRADING_HALTED, TW_TRADING_OPEN, TW_TRADING_CLOSED, TW_TRADING_PRE_OPEN,
        TW_TRADING_PRE_CLOSE
    };
    uint8_t said = TW_TRADING_UNKNOWN;

    if (symbol && code < sizeof of_symbol) said = of_symbol[code];
    if (!symbol && code < sizeof of_session) said = of_session[code];
    if (said || code == 0 || code == (symbol ? 20 : 6)) return (enum tw_trading)said;
    return TW_TRADING_NOTICE;
}

/* Whose state 35=f is: the answer to a request says it, too. */
static struct tw_fix_sub *of_status(struct tw_fix_md *md, const struct tw_fix_message *m)
{
    struct tw_fix_sub *s = tw_fix_md_of_message(md, m, 0);
    uint64_t request = md->instruments ? tw_fix_md_number_of(m, 324) : 0;

    for (uint32_t i = 0; !s && request && i < md->subs_n; i++)
        if (md->subs[i].asked.request == request) s = &md->subs[i];
    return s;
}

void tw_fix_md_status(struct tw_fix_md *md, struct tw_fix_now now, uint64_t seq,
                      const struct tw_fix_message *m, struct tw_batch *out)
{
    static const int32_t of_symbol[] = { 326, 291, 292, 327, 58 };
    static const int32_t of_session[] = { 340, 336, 625, 567, 58 };
    bool symbol = *tw_fix_message_code(m).at == 'f';
    const int32_t *tags = symbol ? of_symbol : of_session;
    struct tw_fix_text name = tw_fix_md_symbol(md, m);
    struct tw_fix_text reason = tw_fix_message_body(m, tags[3]);
    struct tw_fix_text said = tw_fix_message_body(m, 58);
    uint64_t code = tw_fix_md_number_of(m, tags[0]);
    char text[250] = "", shown[80];
    struct tw_fix_sub *s = symbol ? of_status(md, m) : NULL;
    struct tw_record *r;
    int64_t time_ns;

    for (int i = 0; i < 5; i++) tw_fix_md_describe(m, tags[i], text, sizeof text);
    if (s) name = tw_fix_md_name_of(md, s);
    tw_fix_md_tell(md, TW_FIX_MD_STATUS, "%s%s%s",
                   symbol ? tw_fix_show(name.at ? name.at : "", name.n, shown, 64) : "",
                   symbol ? ": " : "", text);
    if (symbol && !s) {
        md->stats.strange++;
        return;
    }
    *(s ? &s->asked.came : &md->market_asked.came) = true;
    if (tw_fix_md_time(md, m, &time_ns) < 0) time_ns = now.time_ns;
    r = tw_batch_next(out);
    *r = (struct tw_record){
        .time = time_ns, .received = now.time_ns,
        .symbol = (s ? s->symbol : 0) & TW_SYMBOL_MAX, .source = md->o.source,
        .kind = TW_STATUS, .source_seq = (uint32_t)seq,
        .status = {
            .status = (uint16_t)trading(symbol, code), .code = (uint32_t)code,
            .reason = reason.n == 1 && (*reason.at < '0' || *reason.at > '9')
                      ? (unsigned char)*reason.at
                      : (uint16_t)tw_fix_md_number_of(m, tags[3]),
        },
    };
    if (!said.n) said = name_of(m, tags[0]);
    if (said.n >= sizeof r->status.text) said.n = sizeof r->status.text - 1;
    memcpy(r->status.text, said.n ? said.at : "", said.n);
}
