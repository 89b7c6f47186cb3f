/* message.c - one whole FIX message as fields, parts and groups.
 *
 * Why: nearly all messages have the tags that the last one of their type had.  So a field
 * is compared with the one that stood in its place, and its tag is not read again.  From
 * the first that differs on all tags are read, without asking at each: where messages
 * differ, what comes next can't be guessed by the processor either.  There are few tags,
 * so their first bytes are looked up in a table that says what was read before.
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
    /* Not zeroed, so that they have as much memory as messages ever needed. */
    m->soh = tw_realloc(NULL, TW_FIX_INDEX(m->bytes_max) * sizeof *m->soh);
    m->fields = tw_realloc(NULL, m->fields_max * sizeof *m->fields);
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

/* What stands there is not shown: it may be the rest of a password. */
static int garbled(struct tw_fix_message *m, const struct tw_fix_field *at)
{
    snprintf(m->why, sizeof m->why, "field %td, behind %d, is not tag=value",
             at - m->fields + 1, (int)(at > m->fields ? at[-1].tag : 0));
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

/* No field is like it; none begins so: the first '=' is the last byte. */
static const struct tw_fix_shape unlike = { .bytes = 1 };
enum { NO_TAG = 0x3d3d };

/* What the fields of such a message were, by the dictionary. */
static struct tw_fix_form *form_of(struct tw_fix_message *m, size_t header)
{
    const struct tw_fix_dictionary *d = m->dictionary;
    /* The frame says that 35= stands there. */
    unsigned char code = (unsigned char)m->bytes[header + 3];
    struct tw_fix_form *form = &m->forms[(code + d->version) % TW_FIX_FORMS];

    if (form->dictionary == d && form->made_ns == d->made_ns) return form;
    form->dictionary = d;
    form->made_ns = d->made_ns;
    form->n = form->header = 0;
    for (int i = 0; i < TW_FIX_SHAPES; i++) form->shape[i] = unlike;
    for (int i = 0; i <= TW_FIX_TAGS; i++) form->tags[i].bytes = NO_TAG;
    return form;
}

/* What a tag says of the zone that its field stands in, and whether it is data. */
static uint8_t marks(const struct tw_fix_message *m, int32_t tag)
{
    return tw_fix_marks(m->dictionary, tag)
        & (TW_FIX_IN_HEADER | TW_FIX_IN_TRAILER | TW_FIX_IS_DATA);
}

/* The first four bytes of a field, those behind '=' as zeros. */
static inline uint32_t beginning(const char *p)
{
    const uint32_t each = 0x01010101;
    uint32_t w = (uint32_t)tw_fix_word(p), other = w ^ each * '=';
    uint32_t equals = (other - each) & ~other & each * 0x80;   /* the lowest is one */

    return w & (equals ^ (equals - 1));
}

/* The tag, of up to seven digits, that a field begins with, which is not the one at the
 * place of its hash; NULL: it begins in another way. */
static TW_APART
const struct tw_fix_tag *learn_tag(const struct tw_fix_message *m, const char *p,
                                   struct tw_fix_tag *at)
{
    uint64_t w = tw_fix_word(p), value = w ^ UINT64_C(0x3030303030303030);
    uint64_t others = tw_fix_no_digits(value);
    unsigned bits = others ? (unsigned)__builtin_ctzll(others) & 56 : 0;

    if (bits == 0 || (w >> bits & 255) != '=') return NULL;
    if (bits > 32) at = &m->form->tags[TW_FIX_TAGS + 1];
    else if (at->bytes != NO_TAG && (++at)->bytes == beginning(p) && p[at->digits] == '=')
        return at;
    at->bytes = beginning(p);
    at->tag = (int32_t)tw_fix_eight_digits(value << (64 - bits));
    at->digits = (uint8_t)(bits / 8);
    at->marks = marks(m, at->tag);
    return at;
}

/* A message while it is split. */
struct cut {
    struct tw_fix_message *m;
    const char *p, *end;                   /* what is left of it               */
    struct tw_fix_field *field, *last;
    const uint64_t *soh;                   /* what is left of its index        */
    const char *base;                      /* of the bits                      */
    uint64_t bits;
    unsigned zone;                         /* of what came last; 0: the body   */
    uint32_t body, trailer;
};

#define INLINE static inline __attribute__((always_inline))
#define SELDOM(x) __builtin_expect(x, 0)

/* Where the field ends. */
INLINE const char *next_stop(struct cut *c)
{
    const char *stop;

    while (SELDOM(c->bits == 0)) {
        c->bits = *++c->soh;
        c->base += 64;
    }
    stop = c->base + __builtin_ctzll(c->bits);
    c->bits &= c->bits - 1;
    return stop;
}

/* The field is there, from its value on to stop. */
INLINE void place(struct cut *c, int32_t tag, unsigned mark, const char *value,
                  const char *stop)
{
    c->field->tag = tag;
    c->field->at = value;
    if (SELDOM(mark != c->zone)) {
        unsigned i = (unsigned)(c->field - c->m->fields);

        if (mark & TW_FIX_IS_DATA && i > 0) {
            size_t next;

            stop = data_end(c->m, c->field, stop, c->end);
            next = (size_t)(stop + 1 - c->m->bytes);
            c->soh = c->m->soh + next / 64;
            c->base = c->m->bytes + next / 64 * 64;
            c->bits = *c->soh & UINT64_MAX << next % 64;
        }
        if (mark & TW_FIX_IN_HEADER && c->zone != TW_FIX_IN_HEADER)
            c->m->scattered = true;
        if (c->zone != TW_FIX_IN_HEADER || !(mark & TW_FIX_IN_HEADER)) {
            if (c->zone == TW_FIX_IN_HEADER) c->body = i;
            if (c->zone != TW_FIX_IN_TRAILER) c->trailer = i;
            c->zone = mark & TW_FIX_IN_TRAILER;
        }
    }
    c->field->n = (uint32_t)(stop - value);
    c->field++;
    c->p = stop + 1;
}

enum { ROUND = TW_FIX_SHAPES / 2 };        /* groups come round */
enum { LOOK = 1 };                         /* 1128 may be anywhere */

static int too_many(struct tw_fix_message *m)
{
    snprintf(m->why, sizeof m->why, "more than %u fields", m->fields_max);
    return TW_ELIMIT;
}

/* 8, 9 and 35, which the frame has seen there, of a dictionary whose header has them. */
INLINE void split_first(struct cut *c, size_t header)
{
    const char *stop = next_stop(c);

    place(c, 8, TW_FIX_IN_HEADER, c->m->bytes + 2, stop);
    place(c, 9, TW_FIX_IN_HEADER, stop + 3, next_stop(c));
    place(c, 35, TW_FIX_IN_HEADER, c->m->bytes + header + 3, next_stop(c));
}

/* The fields as far as they are those of the form: all, some or none. */
INLINE void split_known(struct cut *c, const struct tw_fix_shape *like,
                        const struct tw_fix_shape *const last_shape)
{
    for (; c->p < c->end; like++) {
        if (like == last_shape) like -= ROUND;
        if ((tw_fix_word(c->p) & like->mask) != like->bytes || c->field == c->last)
            return;
        place(c, like->tag, like->marks, c->p + like->digits + 1, next_stop(c));
    }
}

/* The rest of them; learn: they are those of the form from now on. */
INLINE int split_rest(struct cut *c, struct tw_fix_form *form, bool learn)
{
    struct tw_fix_shape *like = form->shape, *const last_shape = like + TW_FIX_SHAPES;
    ptrdiff_t i = c->field - c->m->fields;

    like += i < TW_FIX_SHAPES ? i : i % ROUND + ROUND;
    for (; c->p < c->end; like++) {
        uint32_t bytes = beginning(c->p);
        struct tw_fix_tag *at =
            &form->tags[bytes * UINT32_C(0x9e3779b1) >> (32 - TW_FIX_TAG_BITS)];
        const struct tw_fix_tag *t = at;
        const char *stop;

        if (SELDOM(c->field == c->last)) return too_many(c->m);
        if (learn && like == last_shape) like -= ROUND;
        stop = next_stop(c);
        if (SELDOM(t->bytes != bytes || c->p[t->digits] != '=')
            && !(t = learn_tag(c->m, c->p, at))) {
            int32_t tag;
            const char *equals = odd_tag(c->p, stop, &tag);

            if (!equals) return garbled(c->m, c->field);
            if (learn) *like = unlike;
            place(c, tag, marks(c->m, tag), equals + 1, stop);
            continue;
        }
        if (learn) {
            *like = unlike;
            like->mask = UINT64_MAX >> (56 - 8 * t->digits);
            like->bytes = tw_fix_word(c->p) & like->mask;
            like->tag = t->tag;
            like->digits = t->digits;
            like->marks = t->marks;
        }
        place(c, t->tag, t->marks, c->p + t->digits + 1, stop);
    }
    return TW_OK;
}

static int split(struct tw_fix_message *m, size_t header, const char *end)
{
    struct tw_fix_form *form = form_of(m, header);
    struct tw_fix_shape *like = form->shape;
    struct cut c = {
        .m = m, .p = m->bytes, .end = end, .field = m->fields,
        .last = m->fields + m->fields_max - 1, .soh = m->soh, .base = m->bytes,
        .bits = *m->soh, .zone = TW_FIX_IN_HEADER,
    };
    bool learn = false;
    int code = TW_OK;

    m->form = form;
    m->scattered = m->foreign = false;
    if (m->dictionary->header_begins && m->fields_max > 3) {
        split_first(&c, header);
        like += 3;
    }
    split_known(&c, like, form->shape + TW_FIX_SHAPES);
    m->like = (uint32_t)(c.field - m->fields);
    m->alike = c.p >= end && form->n == m->like + 1;
    if (m->alike) {
        form->others = 0;
    } else {
        /* One now and then is not what most are, and where all differ it is no use. */
        learn = form->n == 0 || ++form->others % 8 == 2;
        if (learn) form->n = form->passed = 0, form->applied = LOOK;
        if (learn && form->header > m->like) form->header = 0;
        code = split_rest(&c, form, learn);
    }
    if (code < 0) return code;
    m->n = (uint32_t)(c.field - m->fields) + 1;
    if (learn) form->n = m->n;
    *c.field = (struct tw_fix_field){ 10, 3, end + 3 };
    m->body = c.zone == TW_FIX_IN_HEADER ? m->n - 1 : c.body;
    m->trailer = c.zone == TW_FIX_IN_TRAILER ? c.trailer : m->n - 1;
    return TW_OK;
}

/* As tw_fix_dictionary_type, with what nearly all codes are in line. */
static inline const struct tw_fix_type *type_of(const struct tw_fix_dictionary *d,
                                                const struct tw_fix_field *f)
{
    unsigned char c = (unsigned char)*f->at;

    if (f->n != 1 || c >= 128) return tw_fix_dictionary_type(d, f->at, f->n);
    return d->types_short[c] ? &d->types[d->types_short[c] - 1] : NULL;
}

/* What 1128 of the message says, if it is there. */
static struct tw_fix_text applied(struct tw_fix_message *m)
{
    struct tw_fix_form *form = m->form;
    struct tw_fix_text t;

    if (m->alike && form->applied > LOOK) {
        const struct tw_fix_field *f = &m->fields[form->applied];

        return (struct tw_fix_text){ f->at, f->n };
    }
    t = tw_fix_message_header(m, 1128);
    if (m->alike) {
        uint16_t i = 0;

        while (t.at && m->fields[i].at != t.at && i < UINT16_MAX) i++;
        form->applied = i == UINT16_MAX ? LOOK : i;
    }
    return t;
}

/* What 1128 is of the family of d; NULL: the family has no such version. */
static const struct tw_fix_dictionary *chosen(const struct tw_fix_dictionary *d,
                                              struct tw_fix_text t)
{
    int version = tw_fix_appl_version(t.at, t.n);

    return version < 0 ? NULL : d->family[version];
}

enum { HEADER = 16, AGAIN = 8 };           /* fields; messages */

/* What the message is probably read with: of the family of d, the version that a field
 * near the beginning says.  Its fields are only where SOH is, so what looks like a 1128
 * may be in data: what was read then tells. */
static __attribute__((noinline))
const struct tw_fix_dictionary *foretold(const struct tw_fix_message *m,
                                         const struct tw_fix_dictionary *d, size_t end)
{
    const uint64_t want = tw_fix_word("1128=\0\0");
    struct cut c = { .soh = m->soh, .base = m->bytes, .bits = *m->soh };
    const char *p = next_stop(&c) + 1;

    for (int i = 0; i < HEADER && p < m->bytes + end; i++) {
        const char *stop = next_stop(&c);

        if ((tw_fix_word(p) & UINT64_C(0xffffffffff)) == want) {
            struct tw_fix_text t = { p + 5, (uint32_t)(stop - p) - 5 };
            const struct tw_fix_dictionary *other = chosen(d, t);

            return other ? other : d;
        }
        p = stop + 1;
    }
    return d;
}

/* What a message over FIXT.1.1 that was read is to be read with: as it was, or another
 * one of d's family, as 1128 says.  Messages of the session are of no application. */
static __attribute__((noinline))
const struct tw_fix_dictionary *meant(struct tw_fix_message *m,
                                      const struct tw_fix_dictionary *d)
{
    const struct tw_fix_dictionary *other = d;
    struct tw_fix_text t;

    if (m->alike && m->form->applied == 0) return d;
    t = applied(m);
    if (t.at && !(m->type && m->type->admin)) other = chosen(d, t);
    if (other) return other;
    if (m->dictionary == d) {
        m->foreign = true;
        m->alike = false;   /* so that it is looked at closely */
    }
    return d;
}

enum { UNREAD = 1 };

/* As one of the versions that the family of d has.  code: what reading it with d gave. */
static __attribute__((noinline))
int read_joined(struct tw_fix_message *m, const struct tw_fix_dictionary *d, int code)
{
    const struct tw_fix_dictionary *as = d, *other;
    const size_t end = m->length - TW_FIX_TRAILER;
    struct cut c = { .soh = m->soh, .base = m->bytes, .bits = *m->soh };
    bool is_sure = false, is_told = code == UNREAD;
    struct tw_fix_frame f;
    uint8_t *expected;

    next_stop(&c);
    f.header = (size_t)(next_stop(&c) + 1 - m->bytes);
    f.body = end - f.header;
    expected = &m->expected[(unsigned char)m->bytes[f.header + 3] % TW_FIX_LETTERS];
    if (code == UNREAD) {
        --*expected;
        as = foretold(m, d, end);
    }
    m->chooses = true;
    for (int times = 1; ; as = other, times++) {
        if (times > 1 || code == UNREAD)
            code = tw_fix_message_read(m, as, m->bytes, &f);
        if (code == TW_OK) {
            other = meant(m, d);
            is_sure = true;
        } else if (code == TW_ELIMIT || is_sure || (is_told && as == d)) {
            break;
        } else {                 /* it may hold data that only another version has */
            other = as == d ? foretold(m, d, end) : d;
            is_told = true;
        }
        if (other != d) *expected = AGAIN;
        if (other == as || times == 3) break;
    }
    m->chooses = false;
    return code;
}

int tw_fix_message_read(struct tw_fix_message *m, const struct tw_fix_dictionary *d,
                        const char *p, const struct tw_fix_frame *f)
{
    int code;

    m->dictionary = d;
    m->bytes = p;
    m->length = f->header + f->body + TW_FIX_TRAILER;
    m->n = 0;
    if (SELDOM(d->joined) && !m->chooses
        && m->expected[(unsigned char)p[f->header + 3] % TW_FIX_LETTERS])
        return read_joined(m, d, UNREAD);
    code = split(m, f->header, p + f->header + f->body);
    if (code < 0) return d->joined && !m->chooses ? read_joined(m, d, code) : code;
    /* The frame says that 8, 9 and 35 come first. */
    m->type = type_of(d, &m->fields[2]);
    if (m->form->type != m->type) {
        m->form->type = m->type;
        m->form->passed = 0;
        m->alike = false;
    }
    if (!d->fixt || (m->alike && m->form->applied == 0) || m->chooses) return TW_OK;
    if (d->joined) return read_joined(m, d, TW_OK);
    meant(m, d);
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
