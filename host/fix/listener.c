/* listener.c - which session a new connection is for, by its first message.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include "fix/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

enum { SESSIONS_USUAL = 1024, LOGON_MAX = 8192 };

struct tw_fix_listener {
    struct tw_fix_listener_options o;
    struct tw_fix_session **sessions;
    size_t n;
};

/* ---- the first message ---- */

/* Where the caller keeps the value of a tag, or NULL. */
static char *place_of(struct tw_fix_caller *c, long tag)
{
    switch (tag) {
    case 8: return c->begin_string;
    case 49: return c->sender;
    case 50: return c->sender_sub;
    case 142: return c->sender_location;
    case 56: return c->target;
    case 57: return c->target_sub;
    case 143: return c->target_location;
    case 1137: return c->applied;
    default: return NULL;
    }
}

/* Of data that a Logon may have. */
static bool is_length(long tag)
{
    return tag == 90 || tag == 93 || tag == 95 || tag == 354 || tag == 1401
        || tag == 1403;
}

/* Each field's first value; data may have any bytes, once its length is known. */
static bool read_fields(struct tw_fix_caller *c, const char *p, const char *end)
{
    unsigned long length = 0;

    while (p < end) {
        const char *stop = memchr(p, TW_FIX_SOH, (size_t)(end - p)), *data;
        char *value, *to;
        size_t n;
        long tag;

        if (!stop) return true;
        tag = strtol(p, &value, 10);
        to = place_of(c, tag);
        data = value + 1;
        if (length && *value == '=' && length < (size_t)(end - data)
            && data[length] == TW_FIX_SOH)
            stop = data + length;
        length = is_length(tag) && *value == '=' ? strtoul(data, NULL, 10) : 0;
        if (to && *value == '=' && !*to) {
            n = (size_t)(stop - ++value);
            if (n >= TW_FIX_ID_MAX) return false;
            memcpy(to, value, n);
            to[n] = 0;
        }
        p = stop + 1;
    }
    return true;
}

enum tw_fix_call tw_fix_caller_read(const char *p, size_t n, struct tw_fix_caller *c,
                                    char why[80])
{
    uint64_t soh[TW_FIX_INDEX(LOGON_MAX)];
    struct tw_fix_frame frame;

    *c = (struct tw_fix_caller){0};
    switch (tw_fix_frame_find(p, n, LOGON_MAX, &frame, soh)) {
    case TW_FIX_PARTIAL: return TW_FIX_CALL_PARTIAL;
    case TW_FIX_GARBLED:
    case TW_FIX_TOO_LONG:
        memcpy(why, frame.why, sizeof frame.why);
        return TW_FIX_CALL_NONE;
    default: break;
    }
    if (memcmp(p + frame.header, "35=A\001", 5) != 0) {
        snprintf(why, 80, "the first message is no Logon");
    } else if (!read_fields(c, p, p + frame.header + frame.body)) {
        snprintf(why, 80, "an identity of %d bytes or more", TW_FIX_ID_MAX);
    } else if (!*c->sender || !*c->target) {
        snprintf(why, 80, "a Logon without CompIDs");
    } else {
        return TW_FIX_CALL_LOGON;
    }
    return TW_FIX_CALL_NONE;
}

/* ---- sessions ---- */

struct tw_fix_listener *tw_fix_listener_new(const struct tw_fix_listener_options *o)
{
    struct tw_fix_listener *l = tw_calloc(1, sizeof *l);

    if (!l) return NULL;
    l->o = *o;
    if (l->o.sessions_max == 0) l->o.sessions_max = SESSIONS_USUAL;
    l->sessions = tw_calloc(l->o.sessions_max, sizeof *l->sessions);
    if (l->sessions) return l;
    tw_free(l);
    return NULL;
}

void tw_fix_listener_free(struct tw_fix_listener *l)
{
    if (!l) return;
    tw_free(l->sessions);
    tw_free(l);
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static const char *begin_string(const struct tw_fix_session_options *o)
{
    return tw_fix_dictionary_begin_string(o->dictionary);
}

static const char *applied(const struct tw_fix_session_options *o)
{
    return tw_fix_dictionary_appl_ver_id(o->dictionary);
}

bool tw_fix_same_identity(const struct tw_fix_session_options *a,
                          const struct tw_fix_session_options *b)
{
    return same(begin_string(a), begin_string(b))
        && same(applied(a), applied(b)) && same(a->sender, b->sender)
        && same(a->sender_sub, b->sender_sub) && same(a->target, b->target)
        && same(a->sender_location, b->sender_location)
        && same(a->target_sub, b->target_sub)
        && same(a->target_location, b->target_location);
}

int tw_fix_listener_add(struct tw_fix_listener *l, struct tw_fix_session *s,
                        struct tw_error *error)
{
    const struct tw_fix_session_options *o = tw_fix_session_options(s);

    if (o->initiator)
        return tw_fail(error, TW_EUSAGE, "an initiator waits for nobody");
    for (size_t i = 0; i < l->n; i++)
        if (tw_fix_same_identity(tw_fix_session_options(l->sessions[i]), o))
            return tw_fail(error, TW_EUSAGE, "there is a session of %s with %s already",
                           o->sender, o->target);
    if (l->n == l->o.sessions_max)
        return tw_fail(error, TW_ELIMIT, "%zu sessions are waited for already", l->n);
    l->sessions[l->n++] = s;
    return TW_OK;
}

void tw_fix_listener_remove(struct tw_fix_listener *l, const struct tw_fix_session *s)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->sessions[i] == s) l->sessions[i--] = l->sessions[--l->n];
}

/* What a session has, its caller says; what it has not, anything. */
static bool fits(const char *has, const char *said)
{
    return !has || !*has || strcmp(has, said) == 0;
}

static bool is_for(const struct tw_fix_session *s, const struct tw_fix_caller *c)
{
    const struct tw_fix_session_options *o = tw_fix_session_options(s);

    return same(begin_string(o), c->begin_string) && same(o->sender, c->target)
        && same(o->target, c->sender) && fits(o->sender_sub, c->target_sub)
        && fits(o->sender_location, c->target_location)
        && fits(o->target_sub, c->sender_sub)
        && fits(o->target_location, c->sender_location);
}

static bool takes(const struct tw_fix_template *t, const struct tw_fix_caller *c)
{
    return (same(t->begin_string, "*") || same(t->begin_string, c->begin_string))
        && (same(t->sender, "*") || same(t->sender, c->target))
        && (same(t->target, "*") || same(t->target, c->sender));
}

/* Those of the caller: the first whose 1137 is the caller's, too; else the first where
 * all of them have the same; else none. */
struct choice { size_t at; const char *applied; bool any, exact, mixed; };

static void look_at(struct choice *x, const struct tw_fix_caller *c, size_t at,
                    const char *applied)
{
    if (x->exact) return;
    x->exact = !applied || same(applied, c->applied);
    x->mixed |= x->any && !same(x->applied, applied);
    if (!x->any || x->exact) x->at = at;
    x->applied = applied;
    x->any = true;
}

static struct choice session_for(const struct tw_fix_listener *l,
                                 const struct tw_fix_caller *c)
{
    struct choice x = { .any = false };

    for (size_t i = 0; i < l->n && !x.exact; i++) {
        if (is_for(l->sessions[i], c))
            look_at(&x, c, i, applied(tw_fix_session_options(l->sessions[i])));
    }
    return x;
}

static struct choice template_for(const struct tw_fix_listener *l,
                                  const struct tw_fix_caller *c, size_t first)
{
    struct choice x = { .any = false };

    for (size_t i = first; i < l->o.templates_n && !x.exact; i++)
        if (takes(&l->o.templates[i], c)) look_at(&x, c, i, l->o.templates[i].applied);
    return x;
}

static bool chooses(const struct choice *x)
{
    return x->exact || (x->any && !x->mixed);
}

static struct tw_fix_session *make(struct tw_fix_listener *l,
                                   const struct tw_fix_caller *c, struct choice x,
                                   struct tw_error *error)
{
    bool exact = x.exact, is_known = chooses(&x);

    for (; chooses(&x) && x.exact == exact; x = template_for(l, c, x.at + 1)) {
        struct tw_fix_session *s;

        if (l->n == l->o.sessions_max) {
            tw_fail(error, TW_ELIMIT, "%zu sessions are waited for already", l->n);
            return NULL;
        }
        s = l->o.make(l->o.ctx, x.at, c);
        if (s) return l->sessions[l->n++] = s;
    }
    if (is_known)   /* `make` has said what is in the way */
        tw_fail(error, TW_EBUSY, "no session can be made for %s", c->sender);
    else
        tw_fail(error, TW_EUSAGE, "no %s session of %s with %s%s%s", c->begin_string,
                c->target, c->sender, *c->applied ? ", DefaultApplVerID " : "",
                c->applied);
    return NULL;
}

struct tw_fix_session *tw_fix_listener_find(struct tw_fix_listener *l,
                                            const struct tw_fix_caller *c,
                                            struct tw_fix_now now, struct tw_error *error)
{
    struct choice known = session_for(l, c), new = template_for(l, c, 0);
    struct tw_fix_session *s;

    if (known.any && new.any && !known.exact && !new.exact)
        new.mixed |= known.mixed || !same(known.applied, new.applied);
    if (chooses(&known) && (known.exact || !new.any || (!new.exact && !new.mixed)))
        s = l->sessions[known.at];
    else s = make(l, c, new, error);
    return s && tw_fix_session_may_connect(s, now, error) == TW_OK ? s : NULL;
}
