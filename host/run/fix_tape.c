/* fix_tape.c - what comes in a FIX session, on the tape.
 *
 * Why the bytes and no table: every state that wants the message reads the same block,
 * field by field as it asks, a recording has what came, and the IO thread copies once.
 *
 * Layer host/run.  Thread: FEED, but for tw_fix_tape_open.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "run/fix_parts.h"

static int64_t topic(struct tw_names *topics, const char *name, const char *end)
{
    char text[TW_NAME_MAX + 1];
    int n = snprintf(text, sizeof text, "fix/%s%s", name, end);

    return tw_names_intern(topics, text, (size_t)n);
}

int tw_fix_tape_open(struct tw_fix_link *l, struct tw_error *error)
{
    struct tw_names *topics = l->e->o.topics;
    int64_t message, event;

    if (l->o.consumer.message && !l->o.tape && !l->o.session.hold_logon) return TW_OK;
    if (!topics)
        return tw_fail(error, TW_EUSAGE, "FIX session %s: there are no topics for what"
                       " goes on the tape", l->o.name);
    message = topic(topics, l->o.name, "");
    event = topic(topics, l->o.name, "/event");
    if (message < 0 || event < 0)
        return tw_fail(error, (int)(message < 0 ? message : event),
                       "no topic for FIX session %s: %s", l->o.name,
                       tw_strerror((int)(message < 0 ? message : event)));
    l->topic = (uint32_t)message;
    l->event_topic = (uint32_t)event;
    return TW_OK;
}

/* A copy without passwords, where it may have some: recordings are kept and handed on.
 * *out is the message's, or is to be freed as *copy; false: no memory. */
static bool blanked(const struct tw_fix_message *m, const char **out, char **copy)
{
    *out = m->bytes;
    *copy = NULL;
    if (!tw_fix_must_blank(m->bytes, m->length)) return true;
    *copy = tw_calloc(1, m->length);
    if (!*copy) return false;
    memcpy(*copy, m->bytes, m->length);
    tw_fix_blank(*copy, m->length);
    *out = *copy;
    return true;
}

/* The tape has the value from now on, or nobody has it. */
static int append(struct tw_fix_link *l, uint32_t to, const struct tw_any *value)
    TW_ON(FEED)
{
    struct tw_record r = { .kind = TW_MESSAGE, .time = tw_clock_now_ns() };
    int rc;

    r.received = r.time;
    r.message.topic = to;
    r.message.value_kind = value->kind;
    r.message.value.integer = value->integer;
    rc = tw_io_append(l->e->o.io, &r, 1);
    if (rc < 0) tw_any_unref(value);
    else l->unheard = true;
    return rc;
}

static bool is_taken(const struct tw_fix_link *l, struct tw_fix_text code)
{
    if (!l->o.take) return true;
    for (size_t i = 0; i < l->o.take_n; i++)
        if (strlen(l->o.take[i]) == code.n && memcmp(l->o.take[i], code.at, code.n) == 0)
            return true;
    return false;
}

static bool says_version(const struct tw_fix_message *m)
{
    return tw_fix_message_header(m, 1128).at;
}

/* One whose version only its connection knows: by a Logon. */
static int keep_versioned(const struct tw_fix_message *m, const char *bytes,
                          struct tw_any *value)
{
    struct tw_draft *d = tw_draft_new();
    int rc = UV_ENOMEM;

    if (d) {
        tw_draft_set(d, "message", tw_item_bytes(bytes, (uint32_t)m->length));
        tw_draft_set(d, "version", tw_item_text(
                         tw_fix_version_name(tw_fix_dictionary_version(m->dictionary))));
        rc = tw_draft_finish(d, value);
    }
    tw_draft_free(d);
    return rc;
}

static int put(struct tw_fix_link *l, const struct tw_fix_message *m) TW_ON(FEED)
{
    struct tw_any value;
    const char *bytes;
    char *copy;
    int rc = UV_ENOMEM;

    if (blanked(m, &bytes, &copy))
        rc = m->dictionary == l->o.session.dictionary || says_version(m)
           ? tw_item_keep(tw_item_bytes(bytes, (uint32_t)m->length), &value)
           : keep_versioned(m, bytes, &value);
    tw_free(copy);
    return rc == TW_OK ? append(l, l->topic, &value) : rc;
}

enum tw_fix_answer tw_fix_tape_message(struct tw_fix_link *l,
                                       const struct tw_fix_message *m,
                                       enum tw_fix_answer so_far)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    int rc;

    if (so_far == TW_FIX_LATER || !is_taken(l, code)) return so_far;
    rc = put(l, m);
    if (rc >= 0) return TW_FIX_TAKEN;
    if (so_far == TW_FIX_UNSUPPORTED) return TW_FIX_LATER;
    /* The consumer has done what it says: it may not come again. */
    if (rc == TW_ESTOPPED) return so_far;
    pthread_mutex_lock(&l->lock);
    l->status.tape_lost++;
    pthread_mutex_unlock(&l->lock);
    tw_fix_link_say(l, TW_LOG_ERROR, "35=%.*s was taken, but is not on the tape: %s",
                    (int)code.n, code.at, tw_strerror(rc));
    return so_far;
}

const char *tw_fix_event_name(enum tw_fix_event_kind kind)
{
    static const char *const names[] = {
        "logged_on", "logged_out", "not_logged_on", "rejected", "refused", "dropped",
        "gap", "skipped", "resending", "forgotten", "reset", "store_failed", "filled",
        "unsent", "logging_on"
    };

    return names[kind];
}

void tw_fix_tape_event(struct tw_fix_link *l, const struct tw_fix_event *e)
{
    const struct tw_fix_message *m = e->message;
    struct tw_draft *d = tw_draft_new();
    const char *message;
    char *copy = NULL;
    struct tw_any value;
    int rc = UV_ENOMEM;

    if (d && (!m || blanked(m, &message, &copy))) {
        tw_draft_set(d, "event", tw_item_text(tw_fix_event_name(e->kind)));
        tw_draft_set(d, "text", tw_item_text(e->text));
        tw_draft_set(d, "from", tw_item_integer((int64_t)e->from));
        tw_draft_set(d, "to", tw_item_integer((int64_t)e->to));
        if (m) tw_draft_set(d, "message", tw_item_bytes(message, (uint32_t)m->length));
        rc = tw_draft_finish(d, &value);
    }
    tw_draft_free(d);
    tw_free(copy);
    if (rc == TW_OK) rc = append(l, l->event_topic, &value);
    if (rc < 0 && rc != TW_ESTOPPED)
        tw_log_printf(l->e->o.log, TW_LOG_ERROR, l->who, "no memory to tell of %s",
                      tw_fix_event_name(e->kind));
}
