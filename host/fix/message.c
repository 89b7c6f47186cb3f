/* message.c - one whole FIX message as fields, parts and groups.
 *
 * Why: nearly all messages have the tags that the last one of their type had.  So a field
 * is compared with the one that stood in its place, and its tag is not read again.
 *
 * Layer host/fix.  Thread: the owner's of the message.
 */
#include "fix/message.h"

#include <limits.h>
#include <stdio.h>

#include <uv.h>

#include "base/memory.h"
#include "fix/dictionary_parts.h"

int tw_fix_message_init(struct tw_fix_message *m, size_t bytes_max, uint32_t fields_max)
{
    *m = (struct tw_fix_message){
        .bytes_max = bytes_max ? bytes_max : TW_FIX_MESSAGE_MAX,
        .fields_max = fields_max ? fields_max : TW_FIX_FIELDS_MAX,
        .time = { TW_FIX_SOH },   /* which is in no value */
    };
    m->forms = tw_calloc(TW_FIX_FORMS, sizeof *m->forms);
    m->soh = tw_calloc(TW_FIX_INDEX(m->bytes_max), sizeof *m->soh);
    m->fields = tw_calloc(m->fields_max, sizeof *m->fields);
    return m->forms && m->soh && m->fields ? TW_OK : UV_ENOMEM;
}

void tw_fix_message_fini(struct tw_fix_message *m)
{
    tw_free(m->forms);
    tw_free(m->soh);
    tw_free(m->fields);
    *m = (struct tw_fix_message){0};
}

enum tw_fix_found tw_fix_message_frame(struct tw_fix_message *m, const char *p, size_t n,
                                       struct tw_fix_frame *f)
{
    return tw_fix_frame_find(p, n, m->bytes_max, f, m->soh);
}

static int garbled(struct tw_fix_message *m, const char *p, const char *what)
{
    char text[24];
    size_t left = (size_t)(m->bytes + m->length - p);

    snprintf(m->why, sizeof m->why, "'%s' %s",
             tw_fix_show(p, left < 20 ? left : 20, text, sizeof text), what);
    return TW_EFORMAT;
}

/* A tag that is negative, or longer than a word has digits; where its '=' is, or NULL. */
static const char *odd_tag(const char *p, const char *end, int32_t *tag)
{
    bool negative = *p == '-';
    int64_t v = 0;
    const char *first = p += negative;

    for (; p < end && *p >= '0' && *p <= '9' && v <= INT32_MAX; p++)
        v = v * 10 + (*p - '0');
    if (p == first || p == end || *p != '=' || v > INT32_MAX) return NULL;
    *tag = (int32_t)(negative ? -v : v);
    return p;
}

/* Where the data of `field` ends: at the SOH that the length before it says, when there
 * is one and none of the message's end is in between. */
static const char *data_end(const struct tw_fix_message *m,
                            const struct tw_fix_field *field, const char *stop,
                            const char *end)
{
    const struct tw_fix_field *length = field - 1;
    uint64_t n;

    if (tw_fix_dictionary_field(m->dictionary, (uint32_t)field->tag)->length
        != (uint32_t)length->tag
        || !tw_fix_integer((struct tw_fix_text){ length->at, length->n }, &n)
        || n >= (size_t)(end - field->at) || field->at[n] != TW_FIX_SOH)
        return stop;
    return field->at + n;
}

/* No field is like it. */
static const struct tw_fix_shape unlike = { .bytes = 1 };

/* What the fields of such a message were, by the dictionary. */
static struct tw_fix_form *form_of(struct tw_fix_message *m, size_t header)
{
    const struct tw_fix_dictionary *d = m->dictionary;
    /* The frame says that 35= stands there. */
    unsigned char code = (unsigned char)m->bytes[header + 3];
    struct tw_fix_form *form = &m->forms[code % TW_FIX_FORMS];

    if (form->dictionary == d && form->made_ns == d->made_ns) return form;
    form->dictionary = d;
    form->made_ns = d->made_ns;
    form->n = 0;
    for (int i = 0; i < TW_FIX_SHAPES; i++) form->shape[i] = unlike;
    return form;
}

/* What a tag says of the zone that its field stands in, and whether it is data. */
static uint8_t marks(const struct tw_fix_message *m, int32_t tag)
{
    return tw_fix_marks(m->dictionary, tag)
        & (TW_FIX_IN_HEADER | TW_FIX_IN_TRAILER | TW_FIX_IS_DATA);
}

/* The tag, of up to seven digits, and '=' that a field begins with; false: others. */
static bool learn(struct tw_fix_message *m, struct tw_fix_shape *like, uint64_t w)
{
    uint64_t value = w ^ UINT64_C(0x3030303030303030), other = tw_fix_no_digits(value);
    unsigned digits = other ? (unsigned)__builtin_ctzll(other) / 8 : 8;

    m->form->n = 0;
    *like = unlike;
    if (digits - 1 >= 7 || (w >> 8 * digits & 255) != '=') return false;
    like->mask = UINT64_MAX >> (56 - 8 * digits);
    like->bytes = w & like->mask;
    like->tag = (int32_t)tw_fix_eight_digits(value << (64 - 8 * digits));
    like->digits = (uint8_t)digits;
    like->marks = marks(m, like->tag);
    return true;
}

static int split(struct tw_fix_message *m, size_t header, const char *end)
{
    enum { ROUND = TW_FIX_SHAPES / 2 };
    struct tw_fix_form *form = form_of(m, header);
    struct tw_fix_shape *like = form->shape, *const last_shape = like + TW_FIX_SHAPES;
    struct tw_fix_field *field = m->fields, *const last = field + m->fields_max - 1;
    const uint64_t *soh = m->soh;
    const char *p = m->bytes, *base = p;   /* base: of the bits of *soh */
    uint64_t bits = *soh;
    unsigned zone = TW_FIX_IN_HEADER;      /* of what came last; 0: the body */
    uint32_t body = 0, trailer = 0;

    m->form = form;
    m->scattered = false;
    for (; p < end; field++, like++) {
        uint64_t w = tw_fix_word(p);
        const char *value, *stop;

        if (like == last_shape) like -= ROUND;   /* groups come round */
        if (field == last) {
            snprintf(m->why, sizeof m->why, "more than %u fields", m->fields_max);
            return TW_ELIMIT;
        }
        for (; bits == 0; bits = *++soh) base += 64;
        stop = base + __builtin_ctzll(bits);
        bits &= bits - 1;
        if ((w & like->mask) == like->bytes || learn(m, like, w)) {
            value = p + like->digits + 1;
        } else {
            const char *equals = odd_tag(p, stop, &like->tag);

            if (!equals) return garbled(m, p, "is not tag=value");
            value = equals + 1;
            like->marks = marks(m, like->tag);
        }
        field->tag = like->tag;
        field->at = value;
        if (like->marks != zone) {
            unsigned i = (unsigned)(field - m->fields);

            if (like->marks & TW_FIX_IS_DATA && i > 0) {
                size_t next;

                stop = data_end(m, field, stop, end);
                next = (size_t)(stop + 1 - m->bytes);
                soh = m->soh + next / 64;
                base = m->bytes + next / 64 * 64;
                bits = *soh & UINT64_MAX << next % 64;
            }
            if (like->marks & TW_FIX_IN_HEADER && zone != TW_FIX_IN_HEADER)
                m->scattered = true;
            if (zone != TW_FIX_IN_HEADER || !(like->marks & TW_FIX_IN_HEADER)) {
                if (zone == TW_FIX_IN_HEADER) body = i;
                if (zone != TW_FIX_IN_TRAILER) trailer = i;
                zone = like->marks & TW_FIX_IN_TRAILER;
            }
        }
        field->n = (uint32_t)(stop - value);
        p = stop + 1;
    }
    *field = (struct tw_fix_field){ 10, 3, end + 3 };
    m->n = (uint32_t)(field - m->fields) + 1;
    m->body = zone == TW_FIX_IN_HEADER ? m->n - 1 : body;
    m->trailer = zone == TW_FIX_IN_TRAILER ? trailer : m->n - 1;
    form->alike = form->n == m->n;
    form->n = m->n;
    return TW_OK;
}

int tw_fix_message_read(struct tw_fix_message *m, const struct tw_fix_dictionary *d,
                        const char *p, const struct tw_fix_frame *f)
{
    int code;

    m->dictionary = d;
    m->bytes = p;
    m->length = f->header + f->body + TW_FIX_TRAILER;
    m->n = 0;
    code = split(m, f->header, p + f->header + f->body);
    if (code < 0) return code;
    /* The frame says that 8, 9 and 35 come first. */
    m->type = tw_fix_dictionary_type(d, m->fields[2].at, m->fields[2].n);
    m->form->alike &= m->form->type == m->type;
    m->form->type = m->type;
    if (!m->form->alike) m->form->passed = 0;
    return TW_OK;
}

struct tw_fix_text tw_fix_message_header(const struct tw_fix_message *m, int32_t tag)
{
    uint32_t end = m->scattered ? m->n : m->body;

    for (uint32_t i = 0; i < end; i++)
        if (m->fields[i].tag == tag)
            return (struct tw_fix_text){ m->fields[i].at, m->fields[i].n };
    return (struct tw_fix_text){0};
}

struct tw_fix_text tw_fix_message_body(const struct tw_fix_message *m, int32_t tag)
{
    struct tw_fix_part part = tw_fix_part_body(m);
    const struct tw_fix_field *f = tw_fix_part_find(&part, tag);

    return f ? (struct tw_fix_text){ f->at, f->n } : (struct tw_fix_text){0};
}

/* ---- parts and groups ---- */

struct tw_fix_part tw_fix_part_header(const struct tw_fix_message *m)
{
    return (struct tw_fix_part){ m, tw_fix_dictionary_header(m->dictionary), 0, m->body };
}

struct tw_fix_part tw_fix_part_body(const struct tw_fix_message *m)
{
    return (struct tw_fix_part){
        m, m->type ? &m->type->body : NULL, m->body, m->trailer
    };
}

struct tw_fix_part tw_fix_part_trailer(const struct tw_fix_message *m)
{
    return (struct tw_fix_part){
        m, tw_fix_dictionary_trailer(m->dictionary), m->trailer, m->n
    };
}

/* Fields from i on that are entries of the group end there. */
static uint32_t entries_end(const struct tw_fix_field *f, uint32_t i, uint32_t end,
                            const struct tw_fix_level *group);

/* The entry that begins at i, with the field that begins one, ends there. */
static uint32_t entry_end(const struct tw_fix_field *f, uint32_t i, uint32_t end,
                          const struct tw_fix_level *level)
{
    for (i++; i < end && (uint32_t)f[i].tag != level->tags[0];) {
        const struct tw_fix_member *m = tw_fix_member(level, (uint32_t)f[i].tag);

        if (!m) break;
        i = m->group ? entries_end(f, i + 1, end, m->group) : i + 1;
    }
    return i;
}

static uint32_t entries_end(const struct tw_fix_field *f, uint32_t i, uint32_t end,
                            const struct tw_fix_level *group)
{
    while (i < end && (uint32_t)f[i].tag == group->tags[0])
        i = entry_end(f, i, end, group);
    return i;
}

uint32_t tw_fix_part_after(const struct tw_fix_part *p, uint32_t i)
{
    const struct tw_fix_field *f = p->message->fields;
    const struct tw_fix_member *m =
        p->level ? tw_fix_member(p->level, (uint32_t)f[i].tag) : NULL;

    return m && m->group ? entries_end(f, i + 1, p->end, m->group) : i + 1;
}

const struct tw_fix_field *tw_fix_part_find(const struct tw_fix_part *p, int32_t tag)
{
    const struct tw_fix_field *f = p->message->fields;

    for (uint32_t i = p->first; i < p->end; i = tw_fix_part_after(p, i))
        if (f[i].tag == tag) return &f[i];
    return NULL;
}

bool tw_fix_part_group(const struct tw_fix_part *p, int32_t tag, struct tw_fix_group *out)
{
    const struct tw_fix_field *f = tw_fix_part_find(p, tag);
    const struct tw_fix_member *m =
        f && p->level ? tw_fix_member(p->level, (uint32_t)tag) : NULL;
    uint32_t first;

    if (!m || !m->group || !tw_fix_integer((struct tw_fix_text){ f->at, f->n },
                                           &out->count))
        return false;
    first = (uint32_t)(f - p->message->fields) + 1;
    out->rest = (struct tw_fix_part){
        p->message, m->group, first,
        entries_end(p->message->fields, first, p->end, m->group)
    };
    return true;
}

bool tw_fix_group_next(struct tw_fix_group *g, struct tw_fix_part *entry)
{
    if (g->rest.first == g->rest.end) return false;
    *entry = g->rest;
    entry->end = entry_end(g->rest.message->fields, entry->first, g->rest.end,
                           g->rest.level);
    g->rest.first = entry->end;
    return true;
}
