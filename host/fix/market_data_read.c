/* market_data_read.c - what a message of market data says: its fields and entries, noted
 * down and checked.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <stdio.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "fix/market_data_parts.h"

static const struct tw_fix_text nothing = { "", 0 };

/* ---- times ---- */

/* 272 and 273, of which the first may be left out: the day that is nearest to 52. */
static int entry_time(struct tw_fix_md *md, const struct md_fields *f, uint32_t seen,
                      int64_t *out)
{
    static const int64_t half_day_ns = 43200 * TW_FIXED_ONE;
    struct tw_fix_text date = f->text[MD_DATE], time = f->text[MD_TIME];
    char text[48] = "";

    if (!(seen & MD_BIT(MD_DATE))) date = (struct tw_fix_text){ f->sending.at, 8 };
    if (date.n != 8 || time.n > 21)
        return tw_fix_refuse(md->why, "273=%s has no date (272)", time);
    memcpy(text, date.at, 8);
    text[8] = '-';
    memcpy(text + 9, time.at, time.n);
    if (tw_fix_time(&md->clock, (struct tw_fix_text){ text, 9 + time.n }, out))
        return tw_fix_refuse(md->why, "273=%s is not a time", time);
    if (!(seen & MD_BIT(MD_DATE))) {
        if (*out - f->time_ns > half_day_ns) *out -= 2 * half_day_ns;
        else if (f->time_ns - *out > half_day_ns) *out += 2 * half_day_ns;
    }
    return TW_OK;
}

/* The time that the fields say, if they say one. */
static int said_time(struct tw_fix_md *md, const struct md_fields *f, uint32_t seen,
                     int64_t *out)
{
    if (seen & MD_BIT(MD_TRANSACT)) {
        if (tw_fix_time(&md->clock, f->text[MD_TRANSACT], out))
            return tw_fix_refuse(md->why, "60=%s is not a time", f->text[MD_TRANSACT]);
    } else if (seen & MD_BIT(MD_TIME)) {
        return entry_time(md, f, seen, out);
    }
    return TW_OK;
}

/* ---- fields to entries ---- */

static TW_FIX_RARE bool more_noted(struct tw_fix_md *md)
{
    void *more = tw_grow(md->noted, &md->noted_max, 0, sizeof *md->noted);

    if (more) md->noted = more;
    return more != NULL;
}

static int read_report(struct tw_fix_md *md, const struct md_fields *f, uint32_t seen,
                       uint64_t *out)
{
    *out = 0;
    if (seen & MD_BIT(MD_REPORT) && !tw_fix_integer(f->text[MD_REPORT], out))
        return tw_fix_refuse(md->why, "83=%s is not a number", f->text[MD_REPORT]);
    return TW_OK;
}

/* A price of 0 with a size, which no record may have (fault.h). */
static bool is_for_nothing(const struct tw_fix_entry *e)
{
    if (e->type == TW_FIX_OTHER_ENTRY || e->type == TW_FIX_EMPTY_ENTRY
        || e->price != 0) return false;
    if (e->type == TW_FIX_TRADE_ENTRY) return e->action == TW_FIX_NEW;
    return !(e->flags & (TW_FIX_GONE | TW_FIX_KEEP_PRICE | TW_FIX_KEEP_SIZE)) && e->size;
}

static bool has_level(const struct tw_fix_sub *s, const struct tw_fix_noted *x)
{
    const struct tw_depth_side *side = &s->book.side[x->entry.type];

    return tw_depth_find_id(side, x->reference) != TW_DEPTH_NONE;
}

/* A change need not name its symbol where it names a level by an id: no two have the
 * same.  The symbol is that of the entry before, unless only another has the level. */
static void find_symbol(struct tw_fix_md *md, struct md_fields *f, uint32_t seen,
                        const struct tw_fix_noted *x)
{
    struct tw_fix_text *name = &f->text[MD_SYMBOL];
    const struct tw_fix_sub *s;
    uint64_t request = 0;
    uint32_t symbol;

    if (seen & MD_BIT(MD_REQUEST) && (md->o.batch == 1
                                      || !tw_fix_integer(f->text[MD_REQUEST], &request)))
        return;                                      /* which says it, or is not ours */
    symbol = name->n ? tw_symbols_find(md->o.symbols, name->at, name->n) : 0;
    s = symbol ? tw_fix_md_sub(md, symbol) : NULL;
    if (s && has_level(s, x)) return;
    for (s = md->subs; s < md->subs + md->subs_n && md->looks_left > 0; s++) {
        uint32_t n = s->book.side[x->entry.type].n + 1;

        if (s->state != TW_FIX_MD_LIVE || (request && s->request != request)) continue;
        md->looks_left -= n < md->looks_left ? n : md->looks_left;
        if (!has_level(s, x)) continue;
        *name = tw_fix_md_name_of(md, s);
        return;
    }
}

/* Checks the entry that ends here and notes it. */
static int close_entry(struct tw_fix_md *md, struct md_fields *f, uint32_t seen)
{
    struct tw_fix_noted *x;
    uint64_t level;

    if (md->noted_n == md->noted_max && !more_noted(md))
        return tw_fix_refuse(md->why, "no memory for its entries%s", nothing);
    x = &md->noted[md->noted_n];
    if (tw_fix_entry_read(f->text, seen, f->snapshot ? TW_FIX_NEW : TW_FIX_OVERLAY,
                          &x->entry, &level, md->why)
        || read_report(md, f, seen, &x->report))
        return TW_FIX_UNUSABLE;
    if (is_for_nothing(&x->entry))
        return tw_fix_refuse(md->why, "a price of 0%s", nothing);
    if (x->entry.type == TW_FIX_OTHER_ENTRY && !x->report) return TW_OK;
    x->level = level < UINT32_MAX ? (uint32_t)level : UINT32_MAX;
    x->priced = seen >> MD_PRICE & 1;
    x->time_ns = 0;
    if (seen & (MD_BIT(MD_TRANSACT) | MD_BIT(MD_TIME)) && said_time(md, f, seen,
                                                                    &x->time_ns))
        return TW_FIX_UNUSABLE;
    x->id = seen & MD_BIT(MD_ID) ? tw_level_id(f->text[MD_ID])
                                 : (struct tw_level_id){{0}};
    x->reference = seen & MD_BIT(MD_REFERENCE) ? tw_level_id(f->text[MD_REFERENCE])
                                               : x->id;
    if (!(seen & MD_BIT(MD_SYMBOL)) && x->entry.action != TW_FIX_NEW
        && x->entry.type <= TW_FIX_OFFER_ENTRY && tw_level_has_id(x->reference))
        find_symbol(md, f, seen, x);
    x->entry.symbol = f->text[MD_SYMBOL];
    md->noted_n++;
    return TW_OK;
}

/* A field came that cannot come now. */
static TW_FIX_RARE int refuse_field(struct tw_fix_md *md, const struct tw_fix_field *at,
                                    bool stray)
{
    char format[40];

    snprintf(format, sizeof format, "%d=%%s %s", (int)at->tag,
             stray ? "is in no entry" : "stands there again");
    return tw_fix_refuse(md->why, format, (struct tw_fix_text){ at->at, at->n });
}

static void read_request(struct md_fields *f, uint32_t seen)
{
    f->has_request = seen >> MD_REQUEST & 1;
    if (!f->has_request || !tw_fix_integer(f->text[MD_REQUEST], &f->request))
        f->request = 0;
}

/* What stands before the entries, or where there are none, in all of the message.  Who
 * asked for one symbol knows it. */
static int close_body(struct tw_fix_md *md, struct md_fields *f, uint32_t seen)
{
    const struct tw_fix_sub *s;

    read_request(f, seen);
    s = md->o.batch == 1 ? tw_fix_md_of_request(md, f->request) : NULL;
    if (s && !md->instruments && (!f->text[MD_SYMBOL].n || md->o.id_source))
        f->text[MD_SYMBOL] = tw_fix_md_name_of(md, s);
    if (read_report(md, f, seen, &f->report)) return TW_FIX_UNUSABLE;
    return said_time(md, f, seen, &f->time_ns);
}

/* Where instruments are said the part that ends there gets our name of its symbol: an
 * entry that says nothing of it has that of the one before. */
static __attribute__((noinline))
void find_instrument(struct tw_fix_md *md, struct md_fields *f, uint32_t seen,
                     const struct tw_fix_field *end)
{
    const struct tw_fix_message *m = f->message;
    bool is_body = !f->from;
    struct tw_fix_part p = { m, NULL, m->body, (uint32_t)(end - m->fields) };
    struct tw_fix_sub *s;

    if (is_body) {
        read_request(f, seen);
        f->called = nothing;
    } else {
        p.first = (uint32_t)(f->from - m->fields);
    }
    f->from = end;
    if (seen & MD_BIT(MD_SYMBOL)) f->called = f->text[MD_SYMBOL];
    else if (!is_body && (f->snapshot || !tw_fix_tells_instrument(&p))) return;
    s = tw_fix_md_of_part(md, f->called, &p, f->request);
    if (s || f->called.n || tw_fix_md_of_request(md, f->request))
        f->text[MD_SYMBOL] = tw_fix_md_name_of(md, s);
}

/* Notes the fields of the body; those of the group's entries become entries. */
static int note_fields(struct tw_fix_md *md, const struct tw_fix_message *m,
                       struct md_fields *f)
{
    const struct tw_fix_field *at = m->fields + m->body, *end = m->fields + m->trailer;
    bool counted = false, entered = false;
    uint32_t seen = MD_ENTRY_ONLY;
    uint64_t left = 0;
    int32_t group = INT32_MIN;   /* which no tag is */

    md->noted_n = 0;
    md->looks_left = TW_FIX_MD_LOOKS;
    for (; at < end; at++) {
        enum tw_fix_md_field field = tw_fix_md_field((uint32_t)at->tag);
        struct tw_fix_text value = { at->at, at->n };

        if (at->tag == group) {
            if (md->instruments) find_instrument(md, f, seen, at);
            if (entered ? close_entry(md, f, seen)
                        : close_body(md, f, seen & ~MD_ENTRY_ONLY))
                return TW_FIX_UNUSABLE;
            if (left-- == 0)
                return tw_fix_refuse(md->why, "268=%s but more entries",
                                     f->text[MD_COUNT]);
            entered = true;
            seen &= ~MD_ENTRY;
        } else if (field == MD_COUNT && !counted) {
            if (!tw_fix_integer(value, &left))
                return tw_fix_refuse(md->why, "268=%s is not a number", value);
            counted = true;
            if (left > 0 && at + 1 < end) group = at[1].tag;
        } else if (field == MD_OTHER || field == MD_DATA) {
            if (at->tag != 48 || !md->o.id_source) continue;
            field = MD_SYMBOL;
        } else if (seen & MD_BIT(field)) {
            if (field == MD_SYMBOL && md->o.id_source) continue;   /* 48 says it */
            return refuse_field(md, at, !entered && MD_BIT(field) & MD_ENTRY_ONLY);
        }
        f->text[field] = value;
        seen |= MD_BIT(field) & ~MD_BIT(MD_OTHER);
    }
    f->empty = !entered;
    if (md->instruments) find_instrument(md, f, seen, end);
    if (entered ? close_entry(md, f, seen) : close_body(md, f, seen & ~MD_ENTRY_ONLY))
        return TW_FIX_UNUSABLE;
    if (left > 0)
        return tw_fix_refuse(md->why, "268=%s but fewer entries", f->text[MD_COUNT]);
    return counted ? TW_OK
                   : tw_fix_refuse(md->why, "no NoMDEntries (268)%s", nothing);
}

static int note_header(struct tw_fix_md *md, const struct tw_fix_message *m,
                       struct md_fields *f)
{
    f->sending = tw_fix_message_header(m, 52);
    f->text[MD_SYMBOL] = f->text[MD_REQUEST] = nothing;
    f->message = m;
    f->from = NULL;
    f->report = 0;
    if (!f->sending.at || tw_fix_time(&md->clock, f->sending, &f->time_ns))
        return tw_fix_refuse(md->why, "52=%s is not a time",
                             f->sending.at ? f->sending : nothing);
    return TW_OK;
}

int tw_fix_md_read(struct tw_fix_md *md, const struct tw_fix_message *m, bool snapshot,
                   struct md_fields *f)
{
    const char *at;
    int code;

    f->snapshot = snapshot;
    code = note_header(md, m, f);
    if (code == TW_OK) code = note_fields(md, m, f);
    /* Of one that is refused early, what was seen until then. */
    read_request(f, f->text[MD_REQUEST].n ? MD_BIT(MD_REQUEST) : 0);
    at = f->text[MD_SYMBOL].at;
    if (code != TW_OK && md->instruments && (f->text[MD_SYMBOL].n || f->has_request)
        && at > m->bytes && at < m->bytes + m->length)
        find_instrument(md, f, MD_BIT(MD_SYMBOL) | f->has_request << MD_REQUEST,
                        m->fields + m->trailer);
    return code;
}

int tw_fix_md_time(struct tw_fix_md *md, const struct tw_fix_message *m, int64_t *out)
{
    struct tw_fix_text transact = tw_fix_message_body(m, 60);
    struct md_fields f;
    int code = note_header(md, m, &f);

    *out = f.time_ns;
    if (code == TW_OK && transact.n && tw_fix_time(&md->clock, transact, out))
        return tw_fix_refuse(md->why, "60=%s is not a time", transact);
    return code;
}
