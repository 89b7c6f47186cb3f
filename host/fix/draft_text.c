/* draft_text.c - reads the text of extensions, and of what is built in (draft.h).
 *
 * Layer host/fix.  Thread: any, one at a time.
 */
#include <string.h>

#include "fix/draft_parts.h"

struct reader {
    struct tw_fix_draft *t;
    const char *at, *end;         /* of the text                        */
    const char *word;             /* the one that was read              */
    size_t n;                     /* its length; 0: the entry has ended */
};

struct name { const char *at; size_t n; };

/* The next word of the entry.  Parentheses are words of their own. */
static void advance(struct reader *r)
{
    r->n = 0;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '#') {
            while (r->at + 1 < r->end && r->at[1] != '\n') r->at++;
        } else if (*r->at == '\n') {
            /* What goes on begins with a blank. */
            if (r->at + 1 == r->end || !strchr(" \t\r\n#", r->at[1])) return;
            r->t->place.line++;
        } else if (!strchr(" \t\r", *r->at)) {
            break;
        }
    }
    r->word = r->at;
    if (r->at == r->end) return;
    if (*r->at == '(' || *r->at == ')') r->at++;
    else while (r->at < r->end && !strchr(" \t\r\n()", *r->at)) r->at++;
    r->n = (size_t)(r->at - r->word);
}

static bool is(const struct reader *r, const char *word)
{
    return strlen(word) == r->n && memcmp(word, r->word, r->n) == 0;
}

static int complain(struct reader *r, const char *what)
{
    if (r->n == 0) return tw_fix_draft_fail(r->t, TW_EFORMAT, "%s is missing", what);
    return tw_fix_draft_fail(r->t, TW_EFORMAT, "'%.*s' is not %s",
                             r->n < 40 ? (int)r->n : 40, r->word, what);
}

/* A tag, which is at most nine digits. */
static bool tag_of(const char *p, size_t n, uint32_t *tag)
{
    *tag = 0;
    if (n - 1 > 8) return false;
    for (; n > 0; n--, p++) {
        if (*p < '0' || *p > '9') return false;
        *tag = *tag * 10 + (uint32_t)(*p - '0');
    }
    return true;
}

/* Choices up to the end of the entry; of the field with the tag, for it may move. */
static int read_choices(struct reader *r, uint32_t tag)
{
    for (; r->n; advance(r)) {
        const char *equals = memchr(r->word, '=', r->n);
        size_t n = equals ? (size_t)(equals - r->word) : 0;
        int code;

        if (n == 0 || n + 1 == r->n) return complain(r, "value=name");
        code = tw_fix_draft_choose(r->t, tw_fix_draft_defined(r->t, tag), r->word, n,
                                   equals + 1, r->n - n - 1);
        if (code < 0) return code;
    }
    return TW_OK;
}

/* tag name type value=name..., or tag + value=name... */
static int read_field(struct reader *r, uint32_t tag)
{
    struct tw_fix_draft_field *f;
    struct name name;
    int kind, code;

    advance(r);
    if (is(r, "+")) {
        if (!tw_fix_draft_defined(r->t, tag))
            return tw_fix_draft_fail(r->t, TW_EFORMAT, "field %u is not defined", tag);
        advance(r);
        return read_choices(r, tag);
    }
    name = (struct name){ r->word, r->n };
    if (r->n == 0) return complain(r, "the field's name");
    advance(r);
    kind = tw_fix_kind_named(r->word, r->n);
    if (kind < 0) return complain(r, "a type");
    code = tw_fix_draft_define(r->t, tag, name.at, name.n, kind, &f);
    if (code < 0) return code;
    advance(r);
    return read_choices(r, tag);
}

/* Members up to the end of the entry, or of the group. */
static int read_members(struct reader *r, struct tw_fix_draft_member ***end,
                        unsigned depth)
{
    int code;

    while (r->n && !is(r, ")")) {
        struct tw_fix_draft_member *m;
        bool required = r->word[r->n - 1] == '!';
        size_t n = r->n - required;
        uint32_t tag = 0;

        if (r->word[0] == '@' ? n == 1 : !tag_of(r->word, n, &tag))
            return complain(r, "a tag or @component");
        code = tw_fix_draft_member(r->t, end, &m);
        if (code < 0) return code;
        m->required = required;
        m->tag = tag;
        m->component = r->word[0] == '@';
        if (m->component) {
            m->name = tw_arena_text(&r->t->arena, r->word + 1, n - 1);
            if (!m->name) return tw_fix_draft_no_memory(r->t);
        }
        advance(r);
        if (m->component || !is(r, "(")) continue;
        if (depth == TW_FIX_DEPTH)
            return tw_fix_draft_fail(r->t, TW_ELIMIT, "more than %d groups in another",
                                     TW_FIX_DEPTH);
        advance(r);
        m->group = true;
        code = read_members(r, &(struct tw_fix_draft_member **){ &m->members },
                            depth + 1);
        if (code < 0) return code;
        if (!is(r, ")")) return complain(r, "the ) of the group");
        advance(r);
    }
    return depth == 0 && r->n ? complain(r, "a member") : TW_OK;
}

/* Members after "+" go behind those that are there, others in their place. */
static int read_list(struct reader *r, enum tw_fix_draft_what what, struct name name)
{
    struct tw_fix_draft_part *p = tw_fix_draft_part(r->t, what, name.at, name.n);

    if (is(r, "+")) {
        if (!p)
            return tw_fix_draft_fail(r->t, TW_EFORMAT, "%.*s is not defined",
                                     (int)name.n, name.at);
        advance(r);
    } else {
        int code = tw_fix_draft_begin(r->t, what, NULL, 0, name.at, name.n, &p);

        if (code < 0) return code;
    }
    return read_members(r, &p->end, 0);
}

static int read_type(struct reader *r, struct name code)
{
    struct name name = { r->word, r->n };
    struct tw_fix_draft_part *p;
    int failed;

    if (is(r, "+")) return read_list(r, TW_FIX_TYPE, code);
    if (r->n == 0) return complain(r, "the message's name");
    advance(r);
    if (!is(r, "app") && !is(r, "admin")) return complain(r, "app or admin");
    failed = tw_fix_draft_begin(r->t, TW_FIX_TYPE, code.at, code.n, name.at, name.n, &p);
    if (failed < 0) return failed;
    p->admin = is(r, "admin");
    advance(r);
    return read_members(r, &p->end, 0);
}

/* -tag, or -35=code of a message. */
static int read_removal(struct reader *r)
{
    bool type = r->n > 4 && memcmp(r->word, "-35=", 4) == 0;
    struct tw_fix_draft_field *f = NULL;
    struct tw_fix_draft_part *p = NULL;
    uint32_t tag;

    if (type) p = tw_fix_draft_part(r->t, TW_FIX_TYPE, r->word + 4, r->n - 4);
    else if (tag_of(r->word + 1, r->n - 1, &tag)) f = tw_fix_draft_defined(r->t, tag);
    if (!p && !f) return complain(r, "-tag or -35=code of what is defined");
    if (f) f->kind = -1;
    else p->gone = true;
    advance(r);
    return r->n ? complain(r, "the end of the line") : TW_OK;
}

static int read_version(struct reader *r)
{
    enum tw_fix_version v;
    char name[16] = {0};

    advance(r);
    if (r->n < sizeof name) memcpy(name, r->word, r->n);
    if (!tw_fix_version_named(name, &v)) return complain(r, "a version of FIX");
    r->t->version = (int)v;
    advance(r);
    return r->n ? complain(r, "the end of the line") : TW_OK;
}

/* Whether an entry that begins with a number is of a message: "8 ExecutionReport app"
 * and "8 + 5001!", not "8 BeginString STRING" and "8 + 1=ONE". */
static bool is_type(struct reader *r)
{
    struct reader ahead = *r;
    unsigned line = r->t->place.line;
    bool more;

    advance(&ahead);
    more = is(&ahead, "+");
    advance(&ahead);
    r->t->place.line = line;
    return more ? !memchr(ahead.word, '=', ahead.n)
           : is(&ahead, "app") || is(&ahead, "admin");
}

static int read_entry(struct reader *r)
{
    struct name name = { r->word, r->n };
    uint32_t tag;

    if (tag_of(r->word, r->n, &tag) && !is_type(r)) return read_field(r, tag);
    if (is(r, "fix")) return read_version(r);
    if (r->word[0] == '-' && r->n > 1) return read_removal(r);
    advance(r);
    if (name.at[0] == '@' && name.n > 1)
        return read_list(r, TW_FIX_COMPONENT, (struct name){ name.at + 1, name.n - 1 });
    if (name.n == 6 && memcmp(name.at, "header", 6) == 0)
        return read_list(r, TW_FIX_HEADER, name);
    if (name.n == 7 && memcmp(name.at, "trailer", 7) == 0)
        return read_list(r, TW_FIX_TRAILER, name);
    return read_type(r, name);
}

int tw_fix_draft_text(struct tw_fix_draft *t, const char *text, size_t n)
{
    struct reader r = { .t = t, .at = text, .end = text + n };

    if (memchr(text, '\0', n))
        return tw_fix_draft_fail(t, TW_EFORMAT, "a byte that is 0");
    for (;;) {
        int code;

        advance(&r);
        if (r.n) {
            code = read_entry(&r);
            if (code < 0) return code;
        }
        if (r.at == r.end) return TW_OK;
        r.at++;
        t->place.line++;
    }
}
