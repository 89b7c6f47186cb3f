/* check.c - checks a message against the dictionary: rules R16 to R24.
 *
 * Why: nearly all messages are fine, so one pass looks at all of it at once and tells
 * only that.  What is wrong with the others, and what of it comes first, is found by
 * passes in the order of the rules.  And most have the tags, one by one, of a message
 * that was fine: then the same are there, in order and in their groups, and only values
 * are left to be looked at.
 *
 * Layer host/fix.  Thread: the owner's of the message.
 */
#include "fix/check.h"

#include <string.h>

#include "fix/dictionary_parts.h"

enum { USER_DEFINED = 5000, WORDS = TW_FIX_MEMBERS_MAX / 64 };

struct look {
    struct tw_fix_message *m;
    const struct tw_fix_field *f;     /* of the message */
    unsigned flags;
    struct tw_fix_verdict verdict;
};

const char *tw_fix_reason_text(int reason)
{
    static const char *const texts[] = {
        [TW_FIX_INVALID_TAG] = "Invalid tag number",
        [TW_FIX_REQUIRED_MISSING] = "Required tag missing",
        [TW_FIX_NOT_OF_MESSAGE] = "Tag not defined for this message type",
        [TW_FIX_NO_VALUE] = "Tag specified without a value",
        [TW_FIX_OUT_OF_RANGE] = "Value is incorrect (out of range) for this tag",
        [TW_FIX_BAD_FORMAT] = "Incorrect data format for value",
        [TW_FIX_COMP_ID] = "CompID problem",
        [TW_FIX_SENDING_TIME] = "SendingTime accuracy problem",
        [TW_FIX_INVALID_TYPE] = "Invalid MsgType",
        [TW_FIX_REPEATED] = "Tag appears more than once",
        [TW_FIX_OUT_OF_ORDER] = "Tag specified out of required order",
        [TW_FIX_GROUP_ORDER] = "Repeating group fields out of order",
        [TW_FIX_GROUP_COUNT] = "Incorrect NumInGroup count for repeating group",
        [TW_FIX_VERSION] = "Invalid or unsupported application version",
    };

    if (reason < 0 || (size_t)reason >= sizeof texts / sizeof *texts) return "";
    return texts[reason] ? texts[reason] : "";
}

static bool blame(struct look *k, int reason, int64_t tag)
{
    k->verdict = (struct tw_fix_verdict){
        .reason = reason, .tag = (int32_t)tag, .has_tag = reason != TW_FIX_INVALID_TYPE,
        .text = tw_fix_reason_text(reason),
    };
    return false;
}

static bool applies(const struct look *k, int32_t tag)
{
    return k->flags & (tag >= USER_DEFINED ? TW_FIX_VALIDATE_USER_DEFINED_FIELDS
                       : TW_FIX_REFUSE_UNKNOWN_MSG_FIELDS);
}

/* ---- one value ---- */

static bool each_word_chosen(const struct tw_fix_definition *d, const char *p, size_t n)
{
    const char *end = p + n;

    for (;;) {
        const char *blank = memchr(p, ' ', (size_t)(end - p));
        const char *stop = blank ? blank : end;

        if (!tw_fix_choice(d, p, (size_t)(stop - p))) return false;
        if (!blank) return true;
        p = blank + 1;
    }
}

static inline bool chosen(const struct tw_fix_definition *d, const char *p, size_t n)
{
    unsigned char c = (unsigned char)*p;

    if (n == 1 && c < 128) return d->single[c / 64] >> c % 64 & 1;
    if (d->kind == TW_FIX_STRINGS || d->kind == TW_FIX_CHARS)
        return each_word_chosen(d, p, n);
    return tw_fix_choice(d, p, n) != NULL;
}

/* ---- one pass for what is fine ---- */

static bool digits(struct tw_fix_text t)
{
    uint64_t v;

    return t.n <= 8 ? tw_fix_no_digits(tw_fix_aligned(t)) == 0
           : tw_fix_long_integer(t, &v);
}

/* Digits and one point at most: what nearly all prices and sizes are. */
static inline __attribute__((always_inline))
bool plain_decimal(struct tw_fix_text t)
{
    uint64_t other;

    if (t.n > 8) return false;
    other = tw_fix_no_digits(tw_fix_aligned(t));
    if (!other) return true;
    return t.n > 1 && (other & (other - 1)) == 0
        && t.at[(unsigned)__builtin_ctzll(other) / 8 + t.n - 8] == '.';
}

/* Whether a time begins as the last one did that was right, and has three decimals. */
static inline __attribute__((always_inline))
bool usual_time(const struct tw_fix_message *m, struct tw_fix_text t)
{
    uint64_t end;

    if (t.n != 21 || tw_fix_word(t.at) != m->time[0]
        || tw_fix_word(t.at + 8) != m->time[1])
        return false;
    end = tw_fix_word(t.at + 13) >> 24 ^ UINT64_C(0x3030302e30);   /* s.sss */
    return (end & 0xff00) == 0 && tw_fix_no_digits(end) == 0;
}

static bool any_time(struct tw_fix_message *m, struct tw_fix_text t)
{
    if (!tw_fix_kind_fits(TW_FIX_TIMESTAMP, t.at, t.n)) return false;
    /* Behind that any digit is a second, but in minutes of 61. */
    if (t.at[15] < '6') memcpy(m->time, t.at, sizeof m->time);
    return true;
}

/* Whether data is as long as the field before it says, where that is its length: another
 * may cut it off there, or take what follows for a part of it. */
static bool is_measured(const struct tw_fix_definition *d, const struct tw_fix_field *f)
{
    uint64_t n;

    return d->length == 0 || (uint32_t)f[-1].tag != d->length
        || (tw_fix_integer((struct tw_fix_text){ f[-1].at, f[-1].n }, &n) && n == f->n);
}

static bool other(const struct tw_fix_definition *d, struct tw_fix_text t)
{
    return tw_fix_kind_fits((enum tw_fix_kind)d->kind, t.at, t.n)
        && (d->choices_n == 0 || d->open || chosen(d, t.at, t.n));
}

static inline bool choice_of_a_byte(const struct tw_fix_definition *d,
                                    struct tw_fix_text t)
{
    unsigned char c = (unsigned char)*t.at;

    return t.n == 1 && c < 128 && d->single[c / 64] >> c % 64 & 1;
}

/* Whether a value is one of the field; false also where it takes longer to see. */
static inline __attribute__((always_inline))
bool fits(struct tw_fix_message *m, unsigned test, const struct tw_fix_definition *d,
          const struct tw_fix_field *f)
{
    struct tw_fix_text t = { f->at, f->n };

    if (t.n == 0) return false;
    switch ((enum tw_fix_test)test) {
    case TW_FIX_TEST_TEXT: return true;
    case TW_FIX_TEST_DIGITS: return digits(t) || other(d, t);
    case TW_FIX_TEST_DECIMAL: return plain_decimal(t) || other(d, t);
    case TW_FIX_TEST_TIME: return usual_time(m, t) || any_time(m, t);
    case TW_FIX_TEST_BYTE: return choice_of_a_byte(d, t) || other(d, t);
    default: return other(d, t) && is_measured(d, f);
    }
}

/* What the dictionary does not know and the session lets pass. */
static __attribute__((noinline))
bool passed_over(const struct look *k, const struct tw_fix_field *f)
{
    return f->n && !applies(k, f->tag)
        && !tw_fix_dictionary_field(k->m->dictionary, (uint32_t)f->tag);
}

static const struct tw_fix_field *quick_group(const struct look *k,
                                              const struct tw_fix_level *group,
                                              const struct tw_fix_field *f,
                                              const struct tw_fix_field *end);

/* Where the fields end that are fine, from f on: at `end`, or behind an entry.  NULL:
 * some are not, or it takes longer to see.  seen: a bit for each member, in words. */
static inline __attribute__((always_inline))
const struct tw_fix_field *pass(const struct look *k, const struct tw_fix_level *l,
                                const struct tw_fix_field *f,
                                const struct tw_fix_field *end, bool is_entry,
                                uint64_t *seen, uint32_t words)
{
    const struct tw_fix_field *first = f;
    uint64_t wrong = 0;   /* came twice, or not at all */
    uint32_t before = 0;

    while (f < end) {
        const struct tw_fix_member *m = tw_fix_member(l, (uint32_t)f->tag);
        uint64_t *word, bit;

        if (is_entry && (!m || (m->at == 0 && f > first))) break;
        if (!m) {
            if (!passed_over(k, f++)) return NULL;
            continue;
        }
        word = words == 1 ? seen : &seen[m->at / 64];
        bit = UINT64_C(1) << m->at % 64;
        wrong |= *word & bit;
        *word |= bit;
        if (!fits(k->m, m->field->test, m->field, f)) return NULL;
        if (is_entry) {
            if (m->at < before && k->flags & TW_FIX_VALIDATE_UNORDERED_GROUP_FIELDS)
                return NULL;
            before = m->at;
        }
        f++;
        if (m->group && !(f = quick_group(k, m->group, f, end))) return NULL;
    }
    for (uint32_t w = 0; w < words; w++)
        wrong |= l->required[w] & ~seen[w];
    return wrong ? NULL : f;
}

static inline __attribute__((always_inline))
const struct tw_fix_field *quick(const struct look *k, const struct tw_fix_level *l,
                                 const struct tw_fix_field *f,
                                 const struct tw_fix_field *end, bool is_entry,
                                 uint64_t few)
{
    uint64_t seen[WORDS];
    uint32_t words = (l->n + 63) / 64;

    /* The bits of most levels are one word, which stays in a register. */
    if (words == 1) return pass(k, l, f, end, is_entry, &few, 1);
    for (uint32_t w = 0; w < 4; w++) seen[w] = 0;   /* nearly always all; no call */
    for (uint32_t w = 4; w < words; w++) seen[w] = 0;
    seen[0] = few;
    return pass(k, l, f, end, is_entry, seen, words);
}

/* The same of a group's entries, with their count before f. */
static const struct tw_fix_field *quick_group(const struct look *k,
                                              const struct tw_fix_level *group,
                                              const struct tw_fix_field *f,
                                              const struct tw_fix_field *end)
{
    uint64_t count;

    if (!tw_fix_integer((struct tw_fix_text){ f[-1].at, f[-1].n }, &count)) return NULL;
    for (; count > 0; count--) {
        if (f == end || (uint32_t)f->tag != group->tags[0]) return NULL;
        f = quick(k, group, f, end, true, 0);
        if (!f) return NULL;
    }
    return f < end && (uint32_t)f->tag == group->tags[0] ? NULL : f;
}

/* Header and body; the first of their members, so many, were there and are fine. */
static const struct tw_fix_field *quick_level(const struct look *k,
                                              const struct tw_fix_level *l,
                                              uint32_t i, uint32_t end, unsigned begun)
{
    return quick(k, l, k->f + i + begun, k->f + end, false, (UINT64_C(1) << begun) - 1);
}

/* ---- a message with the tags of the one before it ---- */

/* All of a message was fine: what has the same tags, and the same counts of groups, can
 * be wrong in its values alone. */
static void remember(const struct look *k)
{
    struct tw_fix_form *form = k->m->form;
    struct tw_fix_shape *like = form->shape, *last = like + TW_FIX_SHAPES;

    form->passed = 0;
    for (uint32_t i = 0; i + 1 < k->m->n; i++, like++) {
        const struct tw_fix_definition *d =
            tw_fix_dictionary_field(k->m->dictionary, (uint32_t)k->f[i].tag);
        uint64_t count;

        if (like == last) like -= TW_FIX_SHAPES / 2;   /* as it was read */
        if (!(tw_fix_marks(k->m->dictionary, k->f[i].tag) & TW_FIX_IS_COUNT)) {
            like->test = d ? d->test : TW_FIX_TEST_TEXT;
            like->by.field = d;
            continue;
        }
        if (d->choices_n
            || !tw_fix_integer((struct tw_fix_text){ k->f[i].at, k->f[i].n }, &count)
            || (i >= TW_FIX_SHAPES && like->by.count != count))
            return;
        like->test = TW_FIX_TEST_COUNT;
        like->by.count = count;
    }
    form->passed = k->flags;
}

/* Whether each value is fine of the first n fields, of which the form knows that nothing
 * else can be wrong; false also where it takes longer to see. */
static __attribute__((noinline))
bool values(struct tw_fix_message *m, uint32_t n)
{
    unsigned begun = m->dictionary->header_begins ? 3 : 0;
    const struct tw_fix_field *f = m->fields + begun, *end = m->fields + n;
    const struct tw_fix_shape *like = m->form->shape + begun;
    const struct tw_fix_shape *const last = m->form->shape + TW_FIX_SHAPES;

    for (; f < end; f++, like++) {
        uint64_t count;

        if (like == last) like -= TW_FIX_SHAPES / 2;
        if (like->test != TW_FIX_TEST_COUNT) {
            if (!fits(m, like->test, like->by.field, f)) return false;
        } else if (!tw_fix_integer((struct tw_fix_text){ f->at, f->n }, &count)
                   || count != like->by.count) {
            return false;
        }
    }
    return true;
}

/* A header was fine: as remember, where it has no groups. */
static void remember_header(struct tw_fix_message *m)
{
    const struct tw_fix_dictionary *d = m->dictionary;

    if (m->body > TW_FIX_SHAPES) return;
    for (uint32_t i = 0; i < m->body; i++) {
        int32_t tag = m->fields[i].tag;
        const struct tw_fix_definition *field = tw_fix_dictionary_field(d, (uint32_t)tag);

        if (tw_fix_marks(d, tag) & TW_FIX_IS_COUNT) return;
        m->form->shape[i].test = field->test;
        m->form->shape[i].by.field = field;
    }
    m->form->header = m->body;
}

/* Bodies differ, but seldom headers. */
static inline bool header_fine(const struct look *k)
{
    struct tw_fix_message *m = k->m;
    bool known = m->form && m->like >= m->body;

    if (known && m->form->header == m->body && values(m, m->body)) return true;
    if (!quick_level(k, &m->dictionary->header, 0, m->body,
                     m->dictionary->header_begins ? 3 : 0))
        return false;
    if (known && m->form->header != m->body) remember_header(m);
    return true;
}

/* Whether all is fine by the strictest rules; 10 is the frame's to check. */
static bool all_fine(const struct look *k)
{
    const struct tw_fix_message *m = k->m;

    return !m->scattered && m->trailer + 1 == m->n && m->dictionary->trailer_is_10
        && header_fine(k)
        && quick_level(k, &m->type->body, m->body, m->trailer, 0);
}

/* ---- the passes, in the order of the rules ---- */

#define COLD __attribute__((cold))   /* seldom made, so compiled for size */

/* R18: the first field of the header behind it, or of the body in the trailer. */
static COLD bool in_order(struct look *k)
{
    const struct tw_fix_dictionary *d = k->m->dictionary;
    unsigned reached = TW_FIX_IN_HEADER;

    for (uint32_t i = 0; i + 1 < k->m->n; i++) {
        unsigned of = tw_fix_marks(d, k->f[i].tag)
            & (TW_FIX_IN_HEADER | TW_FIX_IN_TRAILER);

        if (of & TW_FIX_IN_HEADER ? reached != TW_FIX_IN_HEADER
            : of == 0 && reached == TW_FIX_IN_TRAILER)
            return blame(k, TW_FIX_OUT_OF_ORDER, k->f[i].tag);
        if (!(of & TW_FIX_IN_HEADER)) reached = of;
    }
    return true;
}

/* Where the entries of a group end that begin at i; how many there are. */
static COLD
uint32_t entries(const struct look *k, uint32_t i, uint32_t end,
                 const struct tw_fix_level *group, uint64_t *n)
{
    struct tw_fix_group g = { .rest = { k->m, group, i, i } };
    struct tw_fix_part entry;

    /* Every entry begins with its first member, so the rest ends where one does not. */
    for (*n = 0; i < end && (uint32_t)k->f[i].tag == group->tags[0]; ++*n) {
        g.rest.first = i;
        g.rest.end = end;
        tw_fix_group_next(&g, &entry);
        i = entry.end;
    }
    return i;
}

/* What a level has of its members, in bits; false: one came twice, and is *tag. */
static COLD
bool collect(const struct look *k, const struct tw_fix_level *l, uint32_t i,
             uint32_t end, uint64_t *seen, int32_t *tag)
{
    bool once = true;

    memset(seen, 0, (l->n + 63) / 64 * sizeof *seen);
    while (i < end) {
        const struct tw_fix_member *m = tw_fix_member(l, (uint32_t)k->f[i].tag);
        uint64_t n;

        if (!m) {
            i++;
            continue;
        }
        if (once && seen[m->at / 64] >> m->at % 64 & 1) {
            once = false;
            *tag = k->f[i].tag;
        }
        seen[m->at / 64] |= UINT64_C(1) << m->at % 64;
        i = m->group ? entries(k, i + 1, end, m->group, &n) : i + 1;
    }
    return once;
}

/* R23 or R17, of a level, and then of the entries of its groups. */
static COLD
bool complete(struct look *k, const struct tw_fix_level *l, uint32_t i,
              uint32_t end, int rule)
{
    uint64_t seen[WORDS], n;
    uint32_t missing = UINT32_MAX;
    int32_t twice = 0;
    bool once = collect(k, l, i, end, seen, &twice);

    if (rule == TW_FIX_REPEATED && !once) return blame(k, rule, twice);
    for (uint32_t w = 0; rule == TW_FIX_REQUIRED_MISSING && w < (l->n + 63) / 64; w++)
        for (uint64_t lacks = l->required[w] & ~seen[w]; lacks; lacks &= lacks - 1) {
            uint32_t tag = l->tags[w * 64 + (unsigned)__builtin_ctzll(lacks)];

            if (tag < missing) missing = tag;
        }
    if (missing != UINT32_MAX) return blame(k, rule, missing);
    while (i < end) {
        const struct tw_fix_member *m = tw_fix_member(l, (uint32_t)k->f[i].tag);
        uint32_t stop;

        i++;
        if (!m || !m->group) continue;
        for (stop = entries(k, i, end, m->group, &n); i < stop;) {
            struct tw_fix_group g = { .rest = { k->m, m->group, i, stop } };
            struct tw_fix_part entry;

            tw_fix_group_next(&g, &entry);
            if (!complete(k, m->group, entry.first, entry.end, rule)) return false;
            i = entry.end;
        }
    }
    return true;
}

/* From 5.0 on the session is a specification of its own, FIXT, of which its messages are:
 * they don't know the fields of applications. */
static bool is_foreign(const struct look *k, int32_t tag)
{
    const struct tw_fix_dictionary *d = k->m->dictionary;

    return d->fixt && k->m->type->admin
        && !(tw_fix_marks(d, tag)
             & (TW_FIX_IN_HEADER | TW_FIX_IN_TRAILER | TW_FIX_IN_ADMIN));
}

/* R19, R21, R22. */
static COLD bool valid(struct look *k, const struct tw_fix_field *f)
{
    const struct tw_fix_definition *d =
        f->tag > 0 ? tw_fix_dictionary_field(k->m->dictionary, (uint32_t)f->tag) : NULL;

    if ((!d || is_foreign(k, f->tag)) && applies(k, f->tag))
        return blame(k, TW_FIX_INVALID_TAG, f->tag);
    if (f->n == 0) {
        return !(k->flags & TW_FIX_VALIDATE_FIELDS_HAVE_VALUES)
            || blame(k, TW_FIX_NO_VALUE, f->tag);
    }
    if (!d || !(k->flags & TW_FIX_VALIDATE_VALUES)) return true;
    if (!tw_fix_kind_fits((enum tw_fix_kind)d->kind, f->at, f->n))
        return blame(k, TW_FIX_BAD_FORMAT, f->tag);
    if (!is_measured(d, f)) return blame(k, TW_FIX_BAD_FORMAT, d->length);
    if (d->choices_n && !d->open && f->tag != 35 && !chosen(d, f->at, f->n))
        return blame(k, TW_FIX_OUT_OF_RANGE, f->tag);
    return true;
}

/* R24: as many entries as the field says. */
static COLD bool counted(struct look *k, const struct tw_fix_field *f, uint64_t n)
{
    uint64_t said;

    if (!(k->flags & TW_FIX_VALIDATE_VALUES) || f->n == 0) return true;
    if (tw_fix_integer((struct tw_fix_text){ f->at, f->n }, &said) && said == n)
        return true;
    return blame(k, TW_FIX_GROUP_COUNT, f->tag);
}

/* Field by field, entries of groups where they stand. */
static COLD
bool walk(struct look *k, const struct tw_fix_level *l, uint32_t i, uint32_t end,
          bool is_entry)
{
    uint32_t before = 0;

    while (i < end) {
        const struct tw_fix_field *f = &k->f[i];
        const struct tw_fix_member *m = tw_fix_member(l, (uint32_t)f->tag);
        uint64_t n;
        uint32_t stop;

        if (!valid(k, f)) return false;
        if (!m && applies(k, f->tag)
            && !(tw_fix_marks(k->m->dictionary, f->tag)
                 & (TW_FIX_IN_HEADER | TW_FIX_IN_TRAILER)))
            return blame(k, TW_FIX_NOT_OF_MESSAGE, f->tag);
        if (m && is_entry && k->flags & TW_FIX_VALIDATE_UNORDERED_GROUP_FIELDS) {
            if (m->at < before) return blame(k, TW_FIX_GROUP_ORDER, f->tag);
            before = m->at;
        }
        i++;
        if (!m || !m->group) continue;
        stop = entries(k, i, end, m->group, &n);
        if (!counted(k, f, n)) return false;
        while (i < stop) {
            struct tw_fix_group g = { .rest = { k->m, m->group, i, stop } };
            struct tw_fix_part entry;

            tw_fix_group_next(&g, &entry);
            if (!walk(k, m->group, entry.first, entry.end, true)) return false;
            i = entry.end;
        }
    }
    return true;
}

static COLD bool passes(struct look *k)
{
    const struct tw_fix_message *m = k->m;
    const struct tw_fix_level *header = tw_fix_dictionary_header(m->dictionary);
    const struct tw_fix_level *trailer = tw_fix_dictionary_trailer(m->dictionary);
    const struct tw_fix_level *body = &m->type->body;
    /* Where fields stand in any order, those of the header may be anywhere. */
    uint32_t header_end = m->scattered ? m->n : m->body;

    if (k->flags & TW_FIX_VALIDATE_FIELDS_OUT_OF_ORDER && !in_order(k)) return false;
    for (int turn = 0; turn < 2; turn++) {
        int rule = turn ? TW_FIX_REPEATED : TW_FIX_REQUIRED_MISSING;

        if (turn == 0 && !(k->flags & TW_FIX_VALIDATE_REQUIRED_FIELDS)) continue;
        if (!complete(k, header, 0, header_end, rule)
            || !complete(k, body, m->body, m->trailer, rule)
            || !complete(k, trailer, m->trailer, m->n, rule))
            return false;
    }
    return walk(k, header, 0, m->body, false) && walk(k, body, m->body, m->trailer, false)
        && walk(k, trailer, m->trailer, m->n, false);
}

struct tw_fix_verdict tw_fix_check(struct tw_fix_message *m, unsigned flags)
{
    struct look k = {
        .m = m, .f = m->fields, .flags = flags,
        .verdict = { .reason = TW_FIX_FINE, .text = "" },
    };
    const struct tw_fix_form *form = m->form;

    if (flags == TW_FIX_CHECK_OFF) return k.verdict;
    /* Such a form is of a type that is known. */
    if (form && m->alike && form->passed == flags && values(m, m->n - 1))
        return k.verdict;
    if (m->foreign) blame(&k, TW_FIX_VERSION, 1128);
    else if (!m->type) blame(&k, TW_FIX_INVALID_TYPE, 0);
    else if (!all_fine(&k)) passes(&k);
    else if (form && m->alike && form->passed != flags) remember(&k);
    return k.verdict;
}
