/* session.c - the life of one FIX session: connections, timers, commands.
 *
 * Why: a session is a state machine that is told the time and given bytes, so that a
 * test can play a day of it in a millisecond, cut it anywhere and look at all of it.
 *
 * Invariants
 *   F1  A message goes out with the number next_out, which the store has raised by then;
 *       so no number is used twice.
 *   F2  A message is handled when its number is next_in and all before it were; it counts
 *       in the store when it was handled.
 *   F3  What waits is bounded: early messages by early_max, output by output_max and one
 *       message.  What has no room is asked for again, or the peer is cut off.
 *
 * Layer host/fix.  Thread: the owner's of the session.
 */
#include "fix/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/session_parts.h"

enum { USUAL_BYTES = 4 << 20, USUAL_LATENCY_S = 120, USUAL_LOGON_S = 10,
       USUAL_LOGOUT_S = 2, USUAL_PATIENCE_S = 30 };

/* Numbers may begin this long before the schedule says: the peer's clock is another. */
static const int64_t GRACE_NS = 60 * TW_SECOND_NS;
/* A tick that is later than that comes after a time in which we had no turn. */
static const int64_t LATE_NS = 100000000;

uint64_t tw_fix_in(const struct tw_fix_session *s)
{
    return tw_fix_store_numbers(s->o.store).next_in;
}

uint64_t tw_fix_out(const struct tw_fix_session *s)
{
    return tw_fix_store_numbers(s->o.store).next_out;
}

/* ---- made and freed ---- */

static void set_defaults(struct tw_fix_session_options *o)
{
    if (o->latency_s == 0) o->latency_s = USUAL_LATENCY_S;
    if (o->logon_timeout_s == 0) o->logon_timeout_s = USUAL_LOGON_S;
    if (o->logout_timeout_s == 0) o->logout_timeout_s = USUAL_LOGOUT_S;
    if (o->early_max == 0) o->early_max = USUAL_BYTES;
    if (o->output_max == 0) o->output_max = USUAL_BYTES;
    if (o->message_max == 0) o->message_max = TW_FIX_MESSAGE_MAX;
}

static const char *fault_of(const struct tw_fix_session_options *o)
{
    if (!o->dictionary || !o->store || !o->handlers.message)
        return "a dictionary, a store and a handler of messages are required";
    if (!o->sender || !*o->sender || !o->target || !*o->target)
        return "a SenderCompID and a TargetCompID are required";
    if (o->precision != 0 && o->precision != 3 && o->precision != 6 && o->precision != 9)
        return "the precision of SendingTime is 3, 6 or 9 digits";
    if (o->heartbeat_s < 0 || o->heartbeat_s > 86400)
        return "the heartbeat interval is not within 0 and 86400 seconds";
    if (o->logon_n > TW_FIX_LOGON_MAX) return "more than 32 fields for the Logon";
    if (o->typed_n > TW_FIX_TYPED_MAX) return "more than 256 types with a version";
    for (size_t i = 0; i < o->typed_n; i++)
        if (tw_fix_dictionary_of(o->dictionary,
                                 tw_fix_dictionary_version(o->typed[i].dictionary))
            != o->typed[i].dictionary)
            return "a type is of a version that the session does not have";
    return o->schedule ? tw_fix_schedule_fault(o->schedule) : NULL;
}

struct tw_fix_session *tw_fix_session_new(const struct tw_fix_session_options *options,
                                          struct tw_error *error)
{
    const char *fault = fault_of(options);
    struct tw_fix_session *s;

    if (fault) {
        tw_fail(error, TW_EUSAGE, "FIX session: %s", fault);
        return NULL;
    }
    s = tw_calloc(1, sizeof *s);
    if (!s) goto no_memory;
    s->o = *options;
    set_defaults(&s->o);
    s->begin_string = tw_fix_dictionary_begin_string(s->o.dictionary);
    s->version = tw_fix_dictionary_version(s->o.dictionary);
    if (s->version < TW_FIX_50 && tw_fix_dictionary_appl_ver_id(s->o.dictionary))
        s->version = TW_FIX_50;   /* whatever comes over it */
    s->theirs = s->o.dictionary;
    s->precision = s->version < TW_FIX_42 ? TW_FIX_S
                 : s->o.precision ? (enum tw_fix_precision)s->o.precision : TW_FIX_MS;
    s->heartbeat_ns = s->o.heartbeat_s * TW_SECOND_NS;
    s->period.next_ns = INT64_MIN;
    s->replay.next = 1;
    tw_fix_clock_init(&s->clock);
    /* The rest can be moved to its front when a message has no room behind it. */
    s->room = s->o.output_max + 2 * s->o.message_max;
    s->bytes = tw_map(s->room, false);
    if (tw_fix_early_init(&s->early, s->o.early_max) < 0
        || tw_fix_message_init(&s->m, s->o.message_max, s->o.fields_max) < 0
        || tw_fix_message_init(&s->again, s->o.message_max, s->o.fields_max) < 0
        || !s->bytes)
        goto no_memory;
    return s;
no_memory:
    tw_fail(error, UV_ENOMEM, "no memory for a FIX session");
    tw_fix_session_free(s);
    return NULL;
}

void tw_fix_session_free(struct tw_fix_session *s)
{
    if (!s) return;
    tw_unmap(s->bytes, s->room);
    tw_fix_early_fini(&s->early);
    tw_fix_message_fini(&s->m);
    tw_fix_message_fini(&s->again);
    tw_fix_forget_versions(s);
    tw_free(s);
}

/* ---- states ---- */

void tw_fix_tell(struct tw_fix_session *s, enum tw_fix_event_kind kind, uint64_t from,
                 uint64_t to, const struct tw_fix_message *m, const char *text)
{
    struct tw_fix_event e = { kind, from, to, m, text };

    if (s->o.handlers.event) s->o.handlers.event(s->o.handlers.ctx, &e);
}

static void enter(struct tw_fix_session *s, enum tw_fix_state state)
{
    s->state = state;
    s->since = s->now.steady_ns;
}

void tw_fix_close(struct tw_fix_session *s, const char *format, ...)
{
    va_list args;

    if (s->state == TW_FIX_CLOSING || s->state == TW_FIX_DOWN) return;
    va_start(args, format);
    if (s->state != TW_FIX_LEAVING) vsnprintf(s->why, sizeof s->why, format, args);
    va_end(args);
    enter(s, TW_FIX_CLOSING);
}

void tw_fix_leave(struct tw_fix_session *s, bool polite, const char *text)
{
    if (s->state != TW_FIX_UP) return;
    tw_fix_send_logout(s, text);
    if (s->state != TW_FIX_UP) return;
    s->polite = polite;
    s->spared = false;
    snprintf(s->why, sizeof s->why, "%s", text && *text ? text : "we logged out");
    enter(s, TW_FIX_LEAVING);
}

void tw_fix_forget_gap(struct tw_fix_session *s)
{
    tw_fix_early_clear(&s->early);
    s->asked_to = s->chunk_to = 0;
    s->asked_again = 0;
}

void tw_fix_renumber(struct tw_fix_session *s)
{
    tw_fix_store_reset(s->o.store, s->now.time_ns);
    tw_fix_forget_gap(s);
    s->replay = (struct tw_fix_replay){ .next = 1 };
    s->era++;
}

/* What the schedule says of now. */
static const struct tw_fix_period *period(struct tw_fix_session *s)
{
    static const struct tw_fix_period always = { true, INT64_MIN, INT64_MAX };

    if (!s->o.schedule) return &always;
    if (s->now.time_ns >= s->period.next_ns || s->now.time_ns < s->period.since_ns)
        s->period = tw_fix_schedule_at(s->o.schedule, s->now.time_ns);
    return &s->period;
}

/* Numbers that are not of the session that the schedule has now. */
static bool is_stale(struct tw_fix_session *s)
{
    int64_t since = period(s)->since_ns;

    return since != INT64_MIN
        && tw_fix_store_numbers(s->o.store).created_ns < since - GRACE_NS;
}

/* ---- the connection ---- */

int tw_fix_session_may_connect(struct tw_fix_session *s, struct tw_fix_now now,
                               struct tw_error *error)
{
    s->now = now;
    if (s->state != TW_FIX_DOWN)
        return tw_fail(error, TW_EBUSY, "the session with %s is connected already",
                       s->o.target);
    if (s->disabled)
        return tw_fail(error, TW_ECLOSED, "the session with %s is disabled", s->o.target);
    if (!period(s)->up)
        return tw_fail(error, TW_ECLOSED, "the session with %s is not up at this time",
                       s->o.target);
    return TW_OK;
}

/* What was to go out does not. */
static void drop_output(struct tw_fix_session *s)
{
    s->first = s->end = s->safe = s->mark = 0;
}

int tw_fix_session_connected(struct tw_fix_session *s, struct tw_fix_now now,
                             struct tw_error *error)
{
    int rc = tw_fix_session_may_connect(s, now, error);

    if (rc < 0) return rc;
    s->was_up = s->logged_out = s->lost = s->probing = s->polite = s->holding = false;
    s->noise = 0;
    *s->why = 0;
    drop_output(s);
    s->last_in = s->last_out = now.steady_ns;
    tw_fix_forget_gap(s);
    tw_fix_forget_versions(s);
    s->replay = (struct tw_fix_replay){ .next = 1 };
    enter(s, TW_FIX_LOGGING_ON);
    if (is_stale(s)) tw_fix_renumber(s);
    if (s->o.initiator) {
        s->resetting |= s->o.reset_on_logon;
        if (s->resetting) tw_fix_renumber(s);
        s->resetting &= s->version > TW_FIX_40;   /* which has no 141 */
        if (s->o.hold_logon) tw_fix_hold_logon(s);
        else tw_fix_send_logon(s, s->resetting, tw_fix_in(s));
    }
    return TW_OK;
}

void tw_fix_session_output(struct tw_fix_session *s, const char **p, size_t *n)
{
    *p = s->bytes + s->first;
    *n = (s->o.synced ? s->safe : s->end) - s->first;
}

bool tw_fix_session_sync_begin(struct tw_fix_session *s, struct tw_fix_store_job *job)
{
    if (s->safe == s->end) return false;
    s->mark = s->end;
    if (tw_fix_store_sync_begin(s->o.store, job)) return true;
    s->safe = s->end;   /* none of it is to be kept */
    return false;
}

void tw_fix_session_sync_end(struct tw_fix_session *s,
                             const struct tw_fix_store_job *job, int rc)
{
    struct tw_error error;

    if (tw_fix_store_sync_end(s->o.store, job, rc, &error) == TW_OK) {
        s->safe = s->mark;
        return;
    }
    drop_output(s);
    tw_fix_tell(s, TW_FIX_STORE_FAILED, 0, 0, NULL, error.text);
    tw_fix_close(s, "%s", error.text);
}

size_t tw_fix_session_held(const struct tw_fix_session *s)
{
    return s->o.synced ? s->end - s->safe : 0;
}

void tw_fix_session_written(struct tw_fix_session *s, struct tw_fix_now now, size_t n)
{
    s->now = now;
    s->first += n < s->end - s->first ? n : s->end - s->first;
    if (s->first == s->end) drop_output(s);
}

const char *tw_fix_session_closing(const struct tw_fix_session *s)
{
    return s->state == TW_FIX_CLOSING ? s->why : NULL;
}

void tw_fix_session_disconnected(struct tw_fix_session *s, struct tw_fix_now now,
                                 const char *why)
{
    s->now = now;
    if (s->state == TW_FIX_DOWN) return;
    if (s->state != TW_FIX_CLOSING && s->state != TW_FIX_LEAVING)
        snprintf(s->why, sizeof s->why, "%s", why ? why : "the peer hung up");
    enter(s, TW_FIX_DOWN);
    drop_output(s);
    if (s->renew || s->o.reset_on_disconnect || (s->o.reset_on_logout && s->logged_out))
        tw_fix_renumber(s);
    s->renew = false;
    tw_fix_forget_gap(s);
    s->replay = (struct tw_fix_replay){ .next = 1 };
    tw_fix_tell(s, s->was_up ? TW_FIX_LOGGED_OUT : TW_FIX_NOT_LOGGED_ON, 0, 0, NULL,
                s->why);
}

/* ---- time ---- */

/* When a resend that does not come is asked for again. */
static int64_t patience(const struct tw_fix_session *s)
{
    return s->heartbeat_ns ? 2 * s->heartbeat_ns : USUAL_PATIENCE_S * TW_SECOND_NS;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* R30 to R32.  When this process had no turn for long, what the peer said meanwhile may
 * wait to be read: so the peer is given its time from the TestRequest on. */
static void beat(struct tw_fix_session *s)
{
    int64_t now = s->now.steady_ns, quiet = now - s->last_in, every = s->heartbeat_ns;

    if (every == 0) return;
    if (s->probing && now - s->probed >= every * 6 / 5) {
        s->cuts.silent++;
        tw_fix_close(s, "nothing was received for %" PRId64 " s", quiet / TW_SECOND_NS);
    } else if (!s->probing && quiet >= every * 6 / 5) {
        tw_fix_send_test(s);
        s->probing = true;
        s->probed = now;
    } else if (!s->probing && now - s->last_out >= every) {
        tw_fix_send_heartbeat(s, (struct tw_fix_text){0});
    }
}

static void leave(struct tw_fix_session *s, const char *text)
{
    if (s->o.handlers.leave) s->o.handlers.leave(s->o.handlers.ctx, text);
    else tw_fix_leave(s, true, text);
}

void tw_fix_session_tick(struct tw_fix_session *s, struct tw_fix_now now)
{
    int64_t age = now.steady_ns - s->since;

    s->now = now;
    switch (s->state) {
    case TW_FIX_LOGGING_ON:
        if (age >= s->o.logon_timeout_s * TW_SECOND_NS)
            tw_fix_close(s, "no %s in %" PRId64 " s",
                         s->holding ? "fix.logon of a script" : "Logon",
                         s->o.logon_timeout_s);
        break;
    case TW_FIX_LEAVING:
        age -= s->o.logout_timeout_s * TW_SECOND_NS;
        if (age >= LATE_NS && !s->spared) {   /* an answer may wait to be read */
            s->spared = true;
            s->since = now.steady_ns;
        } else if (age >= 0) {
            enter(s, TW_FIX_CLOSING);   /* why says what for */
        }
        break;
    case TW_FIX_UP:
        if (!period(s)->up) {
            leave(s, "the session's time is over");
        } else if (is_stale(s)) {
            leave(s, "a new session begins");
        } else {
            beat(s);
            if (s->state == TW_FIX_UP && s->asked_to >= tw_fix_in(s)
                && now.steady_ns - s->asked_at >= patience(s))
                tw_fix_ask_again(s);
        }
        break;
    case TW_FIX_CLOSING:   /* what the peer does not read now, it never will */
        if (age >= s->o.logout_timeout_s * TW_SECOND_NS) drop_output(s);
        break;
    case TW_FIX_DOWN:
        break;
    }
    tw_fix_replay_more(s);
}

int64_t tw_fix_session_wakes(struct tw_fix_session *s, struct tw_fix_now now)
{
    int64_t at = INT64_MAX, change;

    s->now = now;
    change = period(s)->next_ns;
    if (change != INT64_MAX) at = now.steady_ns + (change - now.time_ns);
    if (s->state == TW_FIX_LOGGING_ON)
        at = least(at, s->since + s->o.logon_timeout_s * TW_SECOND_NS);
    if (s->state == TW_FIX_LEAVING || (s->state == TW_FIX_CLOSING && s->end > s->first))
        at = least(at, s->since + s->o.logout_timeout_s * TW_SECOND_NS);
    if (s->state == TW_FIX_UP && s->heartbeat_ns) {
        int64_t every = s->heartbeat_ns;

        at = least(at, (s->probing ? s->probed : s->last_in) + every * 6 / 5);
        if (!s->probing) at = least(at, s->last_out + every);
    }
    if (s->state == TW_FIX_UP && s->asked_to >= tw_fix_in(s))
        at = least(at, s->asked_at + patience(s));
    return least(at, tw_fix_replay_wakes(s));
}

/* ---- commands ---- */

void tw_fix_session_logout(struct tw_fix_session *s, struct tw_fix_now now,
                           const char *text)
{
    s->now = now;
    if (s->state == TW_FIX_LOGGING_ON) tw_fix_close(s, "we logged out");
    else tw_fix_leave(s, true, text);
}

void tw_fix_session_reset(struct tw_fix_session *s, struct tw_fix_now now)
{
    uint64_t in = tw_fix_in(s);

    s->now = now;
    if (s->state == TW_FIX_DOWN) {
        tw_fix_renumber(s);
        return;
    }
    if (s->state != TW_FIX_UP) {   /* what is under way has numbers of before */
        s->renew = true;
        if (s->state == TW_FIX_LOGGING_ON) tw_fix_close(s, "numbers begin anew");
        return;
    }
    if (s->resetting) return;   /* two answers: the second would be the peer's reset */
    /* No 141, so both sides do it between connections; or one that is signed. */
    if (s->version < TW_FIX_41 || s->o.hold_logon) {
        s->renew = true;
        s->resetting = s->version >= TW_FIX_41;
        leave(s, "numbers begin anew");
        return;
    }
    /* What the peer has sent until it hears of it has numbers of before. */
    tw_fix_store_reset(s->o.store, now.time_ns);
    tw_fix_store_set_in(s->o.store, in);
    s->replay = (struct tw_fix_replay){ .next = 1 };
    s->resetting = true;
    tw_fix_send_logon(s, true, 1);
}

int tw_fix_session_set_numbers(struct tw_fix_session *s, uint64_t next_in,
                               uint64_t next_out, struct tw_error *error)
{
    uint64_t in = tw_fix_in(s);

    if (next_in == 0 || next_out == 0 || next_in > INT64_MAX || next_out > INT64_MAX)
        return tw_fail(error, TW_EUSAGE, "the first number of a FIX session is 1");
    tw_fix_forget_gap(s);
    if (s->replay.to >= next_out) s->replay.to = next_out - 1;
    s->era++;
    tw_fix_store_set_in(s->o.store, next_in);
    tw_fix_store_set_out(s->o.store, next_out);
    if (next_in > in) tw_fix_tell(s, TW_FIX_SKIPPED, in, next_in - 1, NULL,
                                  "numbers were set");
    return TW_OK;
}

void tw_fix_session_enable(struct tw_fix_session *s, struct tw_fix_now now, bool enabled)
{
    s->disabled = !enabled;
    if (!enabled) tw_fix_session_logout(s, now, NULL);
}

bool tw_fix_session_is_behind(const struct tw_fix_session *s)
{
    return s->end - s->first > s->o.output_max / 2;
}

struct tw_fix_session_status tw_fix_session_status(const struct tw_fix_session *s)
{
    uint64_t in = tw_fix_in(s);

    return (struct tw_fix_session_status){
        .state = s->state, .next_in = in, .next_out = tw_fix_out(s),
        .missing_to = s->asked_to >= in ? s->asked_to : 0,
        .received = s->received, .sent = s->sent, .garbled = s->garbled,
        .refused = s->refused, .cuts = s->cuts, .waiting = s->end - s->first,
        .enabled = !s->disabled,
    };
}

const struct tw_fix_session_options *tw_fix_session_options(
    const struct tw_fix_session *s)
{
    return &s->o;
}
