/* session_versions.c - of which version of FIX the messages over FIXT.1.1 are.
 *
 * Why: 1128 in a message says it, for whoever reads the message (message.c).  One that
 * has none is of the version that a Logon named for its type (384 with 1410=Y), or else
 * of the one that the Logon's 1137 says; so what is here is known to this connection
 * alone.
 *
 * Layer host/fix.  Thread: the owner's of the session.
 */
#include "fix/session_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool is_code(const char *code, const char *p, size_t n)
{
    return strlen(code) == n && memcmp(code, p, n) == 0;
}

/* ---- what we say ---- */

static const struct tw_fix_dictionary *ours(const struct tw_fix_session_options *o,
                                            const char *code, size_t n)
{
    for (size_t i = 0; i < o->typed_n; i++)
        if (is_code(o->typed[i].code, code, n)) return o->typed[i].dictionary;
    return NULL;
}

const struct tw_fix_dictionary *tw_fix_session_writes(
    const struct tw_fix_session_options *o, const char *code, size_t n)
{
    const struct tw_fix_dictionary *d = o->typed_n > 0 ? ours(o, code, n) : NULL;

    return d ? d : o->dictionary;
}

void tw_fix_put_versions(struct tw_fix_session *s)
{
    const struct tw_fix_session_options *o = &s->o;

    if (o->typed_n == 0) return;
    tw_fix_put_integer(&s->out, 384, (int64_t)o->typed_n);
    for (size_t i = 0; i < o->typed_n; i++) {
        const char *code = o->typed[i].code;

        tw_fix_put_text(&s->out, 372, code, strlen(code));
        tw_fix_put_text(&s->out, 1130,
                        tw_fix_dictionary_appl_ver_id(o->typed[i].dictionary), 1);
        tw_fix_put_flag(&s->out, 1410, true);
    }
}

/* ---- what the peer says ---- */

void tw_fix_forget_versions(struct tw_fix_session *s)
{
    s->theirs = s->o.dictionary;
    s->told_n = 0;
    tw_free(s->told);
    s->told = NULL;
}

static struct tw_fix_text text_of(const struct tw_fix_part *p, int32_t tag)
{
    const struct tw_fix_field *f = tw_fix_part_find(p, tag);

    return f ? (struct tw_fix_text){ f->at, f->n } : (struct tw_fix_text){0};
}

/* The dictionary of what 1130 or 1137 says, or NULL. */
static const struct tw_fix_dictionary *named(const struct tw_fix_session *s,
                                             struct tw_fix_text t)
{
    int v = t.at ? tw_fix_appl_version(t.at, t.n) : -1;

    return v < 0 ? NULL : tw_fix_dictionary_of(s->o.dictionary, (enum tw_fix_version)v);
}

/* An entry of 384, where it makes a version that of its type. */
static void add(struct tw_fix_session *s, const struct tw_fix_part *entry)
{
    struct tw_fix_told *t = &s->told[s->told_n];
    struct tw_fix_text code = text_of(entry, 372), version = text_of(entry, 1130);
    struct tw_fix_text way = text_of(entry, 385);
    const struct tw_fix_dictionary *known;

    if (!tw_fix_is(text_of(entry, 1410), "Y") || !version.at || code.n == 0
        || code.n >= sizeof t->code || s->told_n == TW_FIX_TYPED_MAX)
        return;
    *t = (struct tw_fix_told){ .dictionary = named(s, version),
                               .sends = !tw_fix_is(way, "R"),
                               .receives = !tw_fix_is(way, "S") };
    memcpy(t->code, code.at, code.n);
    known = ours(&s->o, code.at, code.n);
    if (!t->dictionary || t->dictionary != (known ? known : s->theirs)
        || t->dictionary != (known ? known : s->o.dictionary))
        s->told_n++;   /* else it is nothing new */
}

bool tw_fix_learn_versions(struct tw_fix_session *s, char *text, size_t room)
{
    struct tw_fix_part body = tw_fix_part_body(&s->m), entry;
    struct tw_fix_text said = text_of(&body, 1137);
    const char *id = tw_fix_dictionary_appl_ver_id(s->o.dictionary);
    struct tw_fix_group g;
    char shown[20];

    *text = 0;
    tw_fix_forget_versions(s);
    if (!id) return true;
    if (named(s, said)) s->theirs = named(s, said);
    else if (said.at)
        snprintf(text, room, "the peer's DefaultApplVerID is %s, ours %s: its messages"
                 " are read as of %s", tw_fix_show(said.at, said.n, shown, sizeof shown),
                 id, tw_fix_version_name(tw_fix_dictionary_version(s->o.dictionary)));
    if (!tw_fix_part_group(&body, 384, &g)) return true;
    s->told = tw_calloc(TW_FIX_TYPED_MAX + 1, sizeof *s->told);
    if (!s->told) return false;
    while (tw_fix_group_next(&g, &entry)) add(s, &entry);
    if (s->told_n > 0) return true;
    tw_free(s->told);
    s->told = NULL;
    return true;
}

/* ---- one message ---- */

static const struct tw_fix_told *told(const struct tw_fix_session *s, const char *code,
                                      size_t n, bool in)
{
    for (size_t i = 0; i < s->told_n; i++)
        if ((in ? s->told[i].sends : s->told[i].receives)
            && is_code(s->told[i].code, code, n))
            return &s->told[i];
    return NULL;
}

int tw_fix_read_theirs(struct tw_fix_session *s, const char *p,
                       const struct tw_fix_frame *f)
{
    const char *code = p + f->header + 3;   /* the frame says that 35= stands there */
    size_t n = strcspn(code, "\1");
    const struct tw_fix_told *t = told(s, code, n, true);
    const struct tw_fix_dictionary *d = t ? t->dictionary : ours(&s->o, code, n);
    int rc = tw_fix_message_read(&s->m, d ? d : s->theirs, p, f);

    if (rc == TW_OK && t && !d && !tw_fix_message_header(&s->m, 1128).at) {
        s->m.foreign = true;
        s->m.alike = false;
    }
    return rc;
}

const struct tw_fix_dictionary *tw_fix_must_say(const struct tw_fix_session *s,
                                                const char *code, size_t n)
{
    const struct tw_fix_dictionary *d = tw_fix_session_writes(&s->o, code, n);
    const struct tw_fix_told *t = told(s, code, n, false);

    return t && t->dictionary != d ? d : NULL;
}
