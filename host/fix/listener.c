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
    default: return NULL;
    }
}

/* Each field's first value; what is in data after a field of the header is of no matter
 * then. */
static bool read_fields(struct tw_fix_caller *c, const char *p, const char *end)
{
    while (p < end) {
        const char *stop = memchr(p, TW_FIX_SOH, (size_t)(end - p));
        char *value, *to;
        size_t n;

        if (!stop) return true;
        to = place_of(c, strtol(p, &value, 10));
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

enum tw_fix_call tw_fix_caller_read(const char *p, size_t n, size_t max,
                                    struct tw_fix_caller *c, char why[80])
{
    uint64_t soh[TW_FIX_INDEX(LOGON_MAX)];
    struct tw_fix_frame frame;

    *c = (struct tw_fix_caller){0};
    if (max == 0 || max > LOGON_MAX) max = LOGON_MAX;
    switch (tw_fix_frame_find(p, n, max, &frame, soh)) {
    case TW_FIX_PARTIAL: return TW_FIX_CALL_PARTIAL;
    case TW_FIX_GARBLED:
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
    return tw_fix_begin_string(tw_fix_dictionary_version(o->dictionary));
}

static bool same_identity(const struct tw_fix_session_options *a,
                          const struct tw_fix_session_options *b)
{
    return same(begin_string(a), begin_string(b)) && same(a->sender, b->sender)
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
        if (same_identity(tw_fix_session_options(l->sessions[i]), o))
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

static struct tw_fix_session *make(struct tw_fix_listener *l,
                                   const struct tw_fix_caller *c, struct tw_error *error)
{
    for (size_t i = 0; i < l->o.templates_n; i++) {
        struct tw_fix_session *s;

        if (!takes(&l->o.templates[i], c)) continue;
        if (l->n == l->o.sessions_max) {
            tw_fail(error, TW_ELIMIT, "%zu sessions are waited for already", l->n);
            return NULL;
        }
        s = l->o.make(l->o.ctx, i, c);
        if (s) return l->sessions[l->n++] = s;
    }
    tw_fail(error, TW_EUSAGE, "no %s session of %s with %s", c->begin_string, c->target,
            c->sender);
    return NULL;
}

struct tw_fix_session *tw_fix_listener_find(struct tw_fix_listener *l,
                                            const struct tw_fix_caller *c,
                                            struct tw_fix_now now, struct tw_error *error)
{
    struct tw_fix_session *s = NULL;

    for (size_t i = 0; i < l->n && !s; i++)
        if (is_for(l->sessions[i], c)) s = l->sessions[i];
    if (!s) s = make(l, c, error);
    return s && tw_fix_session_may_connect(s, now, error) == TW_OK ? s : NULL;
}
