/* market_data_appl.c - numbers of application streams (1180, 1181) in market data.
 *
 * Why: from 5.0 on a venue may count the messages of a stream apart from those of the
 * session, which goes on without a gap while some of the stream are missing.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <string.h>

#include "fix/market_data_parts.h"

/* What a message says of its place; number is 0: nothing. */
struct place { struct tw_fix_text stream; uint64_t number, before; bool again; };

/* They stand before the entries. */
static struct place place_of(const struct tw_fix_message *m)
{
    struct place p = { { "", 0 }, 0, 0, false };
    bool has_before = false;

    for (uint32_t i = m->body; i < m->trailer && m->fields[i].tag != 268; i++) {
        const struct tw_fix_field *f = &m->fields[i];
        struct tw_fix_text t = { f->at, f->n };

        if (f->tag == 1180) p.stream = t;
        else if (f->tag == 1181 && !tw_fix_integer(t, &p.number)) p.number = 0;
        else if (f->tag == 1350) has_before = tw_fix_integer(t, &p.before);
        else if (f->tag == 1352) p.again = tw_fix_is(t, "Y");
    }
    if (!has_before && p.number) p.before = p.number - 1;
    return p;
}

/* Those that are of market data. */
static bool is_ours(const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);

    return code.n == 1 && strchr("WXSiZfh", *code.at);
}

/* NULL: there are too many, or none of that name where it is not to be a new one. */
static struct tw_fix_stream *stream_of(struct tw_fix_md *md, struct tw_fix_text name,
                                       bool may_add)
{
    struct tw_fix_stream *s = md->streams;

    if (name.n >= sizeof s->name) return NULL;
    for (; s < md->streams + md->streams_n; s++)
        if (s->name[name.n] == 0 && memcmp(s->name, name.at, name.n) == 0) return s;
    if (!may_add || md->streams_n == TW_FIX_MD_STREAMS) return NULL;
    md->streams_n++;
    *s = (struct tw_fix_stream){ .last = 0 };
    memcpy(s->name, name.at, name.n);
    return s;
}

/* ---- gaps ---- */

static bool is_alive(const struct tw_fix_sub *s)
{
    return s->state == TW_FIX_MD_LIVE || s->state == TW_FIX_MD_ASKED;
}

/* Of which symbol alone the message is a snapshot that is waited for: it is whole,
 * whatever is missing before it.  NULL: of none. */
static struct tw_fix_sub *fresh_of(struct tw_fix_md *md, const struct tw_fix_message *m)
{
    uint64_t request = tw_fix_md_number_of(m, 262);
    struct tw_fix_sub *s;

    if (*tw_fix_message_code(m).at != 'W') return NULL;
    s = request ? tw_fix_md_of_request(md, request) : tw_fix_md_of_message(md, m, 0);
    return s && is_alive(s) && (md->o.batch == 1 || s->alone) ? s : NULL;
}

/* Whether a gap costs something that a reader of the tape has, or is about to have. */
static bool costs(const struct tw_fix_md *md, const struct tw_fix_sub *fresh)
{
    for (const struct tw_fix_sub *s = md->subs; s < md->subs + md->subs_n; s++)
        if (s == fresh ? s->state == TW_FIX_MD_LIVE : is_alive(s)) return true;
    return false;
}

static void pace(struct tw_fix_md *md, struct tw_fix_now now, bool slow)
{
    for (struct tw_fix_sub *s = md->subs; s < md->subs + md->subs_n; s++) {
        if (!slow) s->pause_ns = 0;
        else if (is_alive(s)) tw_fix_md_slow_down(s, now);
    }
}

/* Messages of the stream from `first` on are missing. */
static void lose(struct tw_fix_md *md, struct tw_fix_now now, struct tw_fix_stream *s,
                 uint64_t lost, uint64_t first, struct tw_fix_sub *fresh,
                 struct tw_batch *out)
{
    char name[40];
    bool vain;

    tw_fix_md_lose_states(md, TW_FIX_MD_ANSWERS);
    if (!costs(md, fresh)) return;   /* it is lost and told already */
    vain = tw_fix_md_in_vain(&md->gaps, now);
    tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "stream (1180) '%s': %llu messages from"
                   " %llu on are missing", tw_fix_show(s->name, strlen(s->name), name,
                   sizeof name), (unsigned long long)lost, (unsigned long long)first);
    for (unsigned i = 0; vain && i < md->streams_n; i++) {
        struct tw_fix_stream *each = &md->streams[i];

        if (!each->jumps || each->skips) continue;
        each->skips = true;
        tw_fix_md_tell(md, TW_FIX_MD_PROBLEM, "stream (1180) '%s' leaves numbers out"
                       " after each snapshot (%d in a row): from the next one on, and"
                       " until the session is up again, that is no gap",
                       tw_fix_show(each->name, strlen(each->name), name, sizeof name),
                       TW_FIX_MD_TRIES);
    }
    pace(md, now, !vain);
    tw_fix_md_lose_all(md, now, lost, first, fresh, out);
}

bool tw_fix_md_in_stream(struct tw_fix_md *md, struct tw_fix_now now,
                         const struct tw_fix_message *m, struct tw_batch *out)
{
    struct place p;
    struct tw_fix_stream *s;
    uint64_t last;
    bool ours = is_ours(m);

    if (tw_fix_dictionary_version(m->dictionary) < TW_FIX_50) return true;
    p = place_of(m);
    if (p.number == 0) return true;
    s = p.again ? NULL : stream_of(md, p.stream, ours);
    last = s ? s->last : 0;
    if (p.again || (p.number > 1 && p.number <= last)) {   /* it was told, or as a gap */
        if (!ours) return true;
        md->stats.stale++;
        return *tw_fix_message_code(m).at == 'W';
    }
    if (!s) return true;
    s->last = p.number;
    if (s->skips) return true;
    if (p.number > 1 && last && p.before > last) {
        s->jumps = true;
        s->whole = 0;
        lose(md, now, s, p.before - last, last + 1, fresh_of(md, m), out);
    } else {
        md->gaps.between++;
        if (++s->whole == TW_FIX_MD_BETWEEN) s->jumps = false;
    }
    return true;
}
