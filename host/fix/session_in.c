/* session_in.c - what a FIX session does with the messages that come.
 *
 * The rules R1 to R33 are in session_parts.h.
 *
 * Layer host/fix.  Thread: the owner's of the session.
 */
#include "fix/session_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { REASON_TEXT = 120, ASKED_AGAIN_MAX = 3 };

/* ---- fields ---- */

static bool to_number(struct tw_fix_text t, uint64_t *out)
{
    return t.at && tw_fix_integer(t, out) && *out <= INT64_MAX;
}

static bool is_again(const struct tw_fix_session *s)   /* PossDupFlag */
{
    return tw_fix_is(tw_fix_message_header(&s->m, 43), "Y");
}

static bool body_flag(const struct tw_fix_session *s, int32_t tag)
{
    return tw_fix_is(tw_fix_message_body(&s->m, tag), "Y");
}

static bool body_number(const struct tw_fix_session *s, int32_t tag, uint64_t *out)
{
    return to_number(tw_fix_message_body(&s->m, tag), out);
}

static bool head_time(struct tw_fix_session *s, int32_t tag, int64_t *out)
{
    struct tw_fix_text t = tw_fix_message_header(&s->m, tag);

    return t.at && t.n >= 17 && tw_fix_time(&s->clock, t, out) == TW_OK;
}

/* Letter of a message of the session; 0: it is the application's. */
static char admin(const struct tw_fix_session *s)
{
    struct tw_fix_text code = tw_fix_message_code(&s->m);

    return code.n == 1 && ((*code.at >= '0' && *code.at <= '5') || *code.at == 'A')
         ? *code.at : 0;
}

static const char *text_58(const struct tw_fix_session *s, char out[REASON_TEXT])
{
    struct tw_fix_text t = tw_fix_message_body(&s->m, 58);

    return t.at ? tw_fix_show(t.at, t.n, out, REASON_TEXT) : "";
}

/* ---- numbers ---- */

/* What was to come has come, or will not. */
static void set_in(struct tw_fix_session *s, uint64_t next)
{
    tw_fix_store_set_in(s->o.store, next);
    s->asked_at = s->now.steady_ns;
    s->asked_again = 0;
}

static void count(struct tw_fix_session *s, uint64_t seq)
{
    if (seq == tw_fix_in(s)) set_in(s, seq + 1);
}

static TW_COLD void ask(struct tw_fix_session *s)
{
    uint64_t in = tw_fix_in(s), to = 0;

    s->chunk_to = s->asked_to;
    if (s->o.resend_chunk > 0 && s->asked_to - in >= s->o.resend_chunk)
        s->chunk_to = to = in + s->o.resend_chunk - 1;
    s->asked_at = s->now.steady_ns;
    tw_fix_send_resend_request(s, in, to);
}

/* R9: something is missing before seq; it is asked for once. */
static TW_COLD void gap(struct tw_fix_session *s, uint64_t seq, bool asked)
{
    uint64_t in = tw_fix_in(s);

    if (s->asked_to >= in) return;
    s->asked_to = seq - 1;
    s->asked_again = 0;
    tw_fix_tell(s, TW_FIX_GAP, in, seq - 1, NULL, "");
    if (!asked) ask(s);
    s->chunk_to = asked ? s->asked_to : s->chunk_to;
    s->asked_at = s->now.steady_ns;
}

void tw_fix_ask_again(struct tw_fix_session *s)
{
    if (s->asked_again++ < ASKED_AGAIN_MAX) ask(s);
    else tw_fix_leave(s, false, "ResendRequest is not answered");
}

static TW_COLD void keep_early(struct tw_fix_session *s, uint64_t seq, bool asked)
{
    tw_fix_early_put(&s->early, seq, s->m.bytes, s->m.length);
    gap(s, seq, asked);
}

/* ---- rejects ---- */

static TW_COLD
void refuse(struct tw_fix_session *s, uint64_t seq, const struct tw_fix_verdict *v)
{
    struct tw_fix_text code = tw_fix_message_code(&s->m);
    char text[REASON_TEXT], type[16], tag[24] = "";

    if (v->has_tag) snprintf(tag, sizeof tag, " tag %d", v->tag);
    snprintf(text, sizeof text, "35=%s%s: %s", tw_fix_show(code.at, code.n, type,
             sizeof type), tag, v->text);
    s->refused++;
    tw_fix_tell(s, TW_FIX_REFUSED, seq, seq, &s->m, text);
    tw_fix_send_reject(s, seq, v);
}

/* R11, R13, R14: a Reject, then a Logout. */
static TW_COLD void refuse_session(struct tw_fix_session *s, uint64_t seq, int reason)
{
    struct tw_fix_verdict v = { .reason = reason, .text = tw_fix_reason_text(reason) };

    count(s, seq);
    refuse(s, seq, &v);
    tw_fix_leave(s, false, NULL);
}

/* ---- messages in order ---- */

/* R28: the next number is to be 36; one that leaves none behind it is out of range. */
static TW_COLD void sequence_reset(struct tw_fix_session *s, uint64_t seq)
{
    static const struct tw_fix_verdict low = {
        .reason = TW_FIX_OUT_OF_RANGE,
        .text = "Value is incorrect (out of range) for this tag"
    };
    uint64_t in = tw_fix_in(s), next = 0;

    if (!body_number(s, 36, &next) || next < in || next > INT64_MAX / 2) {
        refuse(s, seq, &low);
        return;
    }
    if (next > in)
        tw_fix_tell(s, body_flag(s, 123) ? TW_FIX_FILLED : TW_FIX_SKIPPED, in, next - 1,
                    &s->m, "SequenceReset");
    set_in(s, next);
}

static bool is_reject(const struct tw_fix_session *s)
{
    return tw_fix_is(tw_fix_message_code(&s->m), "j");
}

static void application(struct tw_fix_session *s, uint64_t seq)
{
    uint64_t era = s->era;
    enum tw_fix_answer answer = s->o.handlers.message(s->o.handlers.ctx, &s->m);

    assert(!s->building);
    if (answer == TW_FIX_LATER) {
        tw_fix_close(s, "message %" PRIu64 " could not be taken", seq);
        return;
    }
    if (era == s->era) count(s, seq);
    /* Two who both do not take a reject (j) would never end to tell each other so. */
    if (answer == TW_FIX_UNSUPPORTED && s->state == TW_FIX_UP && !is_reject(s))
        tw_fix_send_unsupported(s, seq);
}

/* What a j says of a message of ours is lost when we refuse it, so it may have fields of
 * others: QuickFIX puts the Logon's 1137 into those over FIXT. */
static unsigned rules_of(const struct tw_fix_session *s)
{
    enum { UNKNOWN = TW_FIX_REFUSE_UNKNOWN_MSG_FIELDS
                   | TW_FIX_VALIDATE_USER_DEFINED_FIELDS };

    return is_reject(s) ? s->o.check & ~(unsigned)UNKNOWN : s->o.check;
}

static void in_order(struct tw_fix_session *s, uint64_t seq)
{
    struct tw_fix_verdict v = tw_fix_check(&s->m, rules_of(s));
    char text[REASON_TEXT];
    uint64_t of = 0;

    /* Nor would two end who both find something wrong with the other's Reject. */
    if (v.reason != TW_FIX_FINE && admin(s) != '3') {
        count(s, seq);
        refuse(s, seq, &v);
        return;
    }
    switch (admin(s)) {
    case '1':
        count(s, seq);
        tw_fix_send_heartbeat(s, tw_fix_message_body(&s->m, 112));
        break;
    case '3':
        count(s, seq);
        body_number(s, 45, &of);
        tw_fix_tell(s, TW_FIX_REJECTED, of, of, &s->m, text_58(s, text));
        break;
    case '4': sequence_reset(s, seq); break;
    case 0: application(s, seq); break;
    default: count(s, seq); break;   /* 2 was answered when it came */
    }
}

/* R10, R11. */
static TW_COLD void too_low(struct tw_fix_session *s, uint64_t seq)
{
    static const struct tw_fix_verdict no_first = {
        .reason = TW_FIX_REQUIRED_MISSING, .tag = 122, .has_tag = true,
        .text = "Required tag missing"
    };
    int64_t sent, first;
    char text[REASON_TEXT];

    if (!is_again(s)) {
        snprintf(text, sizeof text, "MsgSeqNum too low, expecting %" PRIu64
                 " but received %" PRIu64, tw_fix_in(s), seq);
        tw_fix_send_logout(s, text);
        tw_fix_close(s, "%s", text);
    } else if (!tw_fix_message_header(&s->m, 122).at) {
        refuse(s, seq, &no_first);
    } else if (head_time(s, 52, &sent) && head_time(s, 122, &first) && first > sent) {
        refuse_session(s, seq, TW_FIX_SENDING_TIME);
    }
}

/* Handles those that were early and whose turn it is. */
static void take_early(struct tw_fix_session *s)
{
    uint64_t first, seq;
    const char *p;
    size_t n;

    while ((s->state == TW_FIX_UP || (s->state == TW_FIX_LEAVING && s->polite))
           && (first = tw_fix_early_first(&s->early)) > 0 && first <= tw_fix_in(s)) {
        struct tw_fix_frame frame;

        p = tw_fix_early_take(&s->early, &seq, &n);
        if (seq < tw_fix_in(s)) continue;
        tw_fix_message_frame(&s->m, p, n, &frame);   /* it was whole when it came */
        tw_fix_read_theirs(s, p, &frame);
        in_order(s, seq);
    }
    if (s->state != TW_FIX_UP && s->state != TW_FIX_LEAVING) return;
    if (tw_fix_in(s) > s->asked_to) {
        s->asked_to = 0;
        first = tw_fix_early_first(&s->early);   /* of those between, one had no room */
        if (first > 0 && s->state == TW_FIX_UP) gap(s, first, false);
    } else if (tw_fix_in(s) > s->chunk_to && s->state == TW_FIX_UP) {
        ask(s);
    }
}

/* ---- messages that numbers do not hold up ---- */

/* R27. */
static TW_COLD void resend_request(struct tw_fix_session *s, uint64_t seq)
{
    static const struct tw_fix_verdict none = {
        .reason = TW_FIX_OUT_OF_RANGE, .tag = 7, .has_tag = true,
        .text = "Value is incorrect (out of range) for this tag"
    };
    uint64_t from = 0, to = 0, last = tw_fix_out(s) - 1;

    body_number(s, 7, &from);
    body_number(s, 16, &to);
    if (to == 0 || to > last || (s->version < TW_FIX_42 && to == TW_FIX_LOW_VERSION_END))
        to = last;
    if (from == 0) from = 1;
    if (from > to) refuse(s, seq, &none);
    else tw_fix_replay(s, from, to);
}

/* R26. */
static TW_COLD void logout(struct tw_fix_session *s, uint64_t seq)
{
    bool anew = s->o.reset_on_logout || s->o.reset_on_disconnect;
    uint64_t in = tw_fix_in(s);
    char text[REASON_TEXT];
    const char *why = text_58(s, text);

    /* Else it is asked for after the next Logon. */
    if (seq > in && s->asked_to < in && anew)
        tw_fix_tell(s, TW_FIX_GAP, in, seq - 1, NULL, "");
    count(s, seq);
    s->logged_out = true;
    if (s->state == TW_FIX_UP) tw_fix_send_logout(s, NULL);
    tw_fix_close(s, *why ? "the peer logged out: %s" : "the peer logged out%s", why);
}

/* What the Logon that came says of versions; false: there is no memory. */
static TW_COLD bool learn(struct tw_fix_session *s, char *text, size_t room)
{
    if (tw_fix_learn_versions(s, text, room)) return true;
    tw_fix_close(s, "no memory for a Logon");
    return false;
}

/* R7: from now on both numbers begin at 1. */
static TW_COLD void take_reset(struct tw_fix_session *s, uint64_t seq)
{
    bool ours = s->resetting;
    char text[REASON_TEXT];

    if (!learn(s, text, sizeof text)) return;
    if (ours) {
        tw_fix_forget_gap(s);
        set_in(s, 1);
        s->resetting = false;
    } else {
        tw_fix_renumber(s);
    }
    tw_fix_tell(s, TW_FIX_RESET, 0, 0, NULL, text);
    if (seq == 1) count(s, seq);
    if (!ours && s->o.hold_logon) {   /* the answer would want a signature, too */
        s->resetting = true;
        tw_fix_leave(s, true, "numbers begin anew");
        return;
    }
    if (!ours) tw_fix_send_logon(s, true, tw_fix_in(s));
    if (seq > 1) keep_early(s, seq, false);
}

/* ---- the first message ---- */

/* What makes a Logon none, or NULL: R6.  Its tag is named, as no 371 tells it. */
static TW_COLD const char *logon_fault(struct tw_fix_session *s, char room[REASON_TEXT])
{
    struct tw_fix_verdict v = tw_fix_check(&s->m, s->o.check);
    struct tw_fix_text beat = tw_fix_message_body(&s->m, 108);
    struct tw_fix_text method = tw_fix_message_body(&s->m, 98);
    uint64_t seconds;

    if (v.reason != TW_FIX_FINE) {
        snprintf(room, REASON_TEXT, v.has_tag ? "%s (%d)" : "%s", v.text, v.tag);
        return room;
    }
    if (method.at && !tw_fix_is(method, "0")) return "EncryptMethod is not 0";
    if (!to_number(beat, &seconds) || seconds > 86400)
        return "HeartBtInt is no number of seconds";
    if (!s->o.initiator) s->heartbeat_ns = (int64_t)seconds * TW_SECOND_NS;
    return NULL;
}

/* What the peer has not received yet, as it says in 789; before: of our own numbers, the
 * one up to which it can know. */
static TW_COLD void send_expected(struct tw_fix_session *s, uint64_t before)
{
    char text[REASON_TEXT];
    uint64_t next;

    if (!s->o.next_expected || !body_number(s, 789, &next)) return;
    if (next > before) {
        snprintf(text, sizeof text, "NextExpectedMsgSeqNum too high, expecting %" PRIu64
                 " but received %" PRIu64, before, next);
        tw_fix_leave(s, false, text);
    } else if (next < before) {
        tw_fix_replay(s, next ? next : 1, tw_fix_out(s) - 1);
    }
}

static TW_COLD void logged_on(struct tw_fix_session *s, uint64_t seq, bool reset)
{
    char text[REASON_TEXT];
    uint64_t before = tw_fix_out(s), in = tw_fix_in(s);
    bool early = seq > in, asked = s->o.next_expected
                                   && tw_fix_message_body(&s->m, 789).at;

    if (!learn(s, text, sizeof text)) return;
    s->state = TW_FIX_UP;
    s->was_up = true;
    count(s, seq);
    if (!s->o.initiator) tw_fix_send_logon(s, reset, tw_fix_in(s));
    tw_fix_tell(s, TW_FIX_LOGGED_ON, 0, 0, &s->m, text);
    if (s->state == TW_FIX_UP) send_expected(s, before);
    if (early && s->state == TW_FIX_UP) keep_early(s, seq, asked);
}

static TW_COLD void first_message(struct tw_fix_session *s, uint64_t seq)
{
    bool reset = body_flag(s, 141), anew;
    char room[REASON_TEXT];
    const char *fault;

    if (admin(s) != 'A') {
        tw_fix_close(s, "the first message is no Logon");
        return;
    }
    if (s->holding) {
        tw_fix_close(s, "a Logon came before ours");
        return;
    }
    fault = logon_fault(s, room);
    if (fault) {
        tw_fix_close(s, "Logon: %s", fault);
        return;
    }
    /* A reset of ours that the peer may not have heard of: it does in our Logon, and its
     * own numbers begin behind this one. */
    anew = s->resetting && !reset && !s->o.initiator;
    if (s->o.initiator ? reset && !s->resetting
                       : reset || s->resetting || s->o.reset_on_logon)
        tw_fix_renumber(s);
    s->resetting = false;   /* what asks for a reset from now on is no answer to ours */
    if (reset || anew) tw_fix_tell(s, TW_FIX_RESET, 0, 0, NULL, "");
    if (anew) seq = 0;
    if (seq < tw_fix_in(s) && !anew && !is_again(s)) too_low(s, seq);
    else logged_on(s, seq, reset || anew);
}

/* ---- any message ---- */

/* Whether an identity is another; that there is none, or an empty one, is the
 * dictionary's to say. */
static bool is_other(const struct tw_fix_session *s, int32_t tag, const char *id)
{
    struct tw_fix_text t = tw_fix_message_header(&s->m, tag);

    return t.n > 0 && !s->o.any_comp_id && !tw_fix_is(t, id);
}

static inline bool is_other_version(const struct tw_fix_session *s)
{
    return !tw_fix_is((struct tw_fix_text){ s->m.fields[0].at, s->m.fields[0].n },
                      s->begin_string);
}

static bool is_other_peer(const struct tw_fix_session *s)
{
    return is_other(s, 49, s->o.target) || is_other(s, 56, s->o.sender);
}

/* R12, R13, R14: whether the header is of this session and this time. */
static bool fits_session(struct tw_fix_session *s, uint64_t seq)
{
    bool up = s->state != TW_FIX_LOGGING_ON;
    int64_t sent;

    if (is_other_version(s)) {
        if (up) tw_fix_leave(s, false, "Incorrect BeginString");
        else tw_fix_close(s, "Logon: another BeginString than %s", s->begin_string);
        return false;
    }
    if (is_other_peer(s)) {
        if (up) refuse_session(s, seq, TW_FIX_COMP_ID);
        else tw_fix_close(s, "Logon: another CompID");
        return false;
    }
    if (s->o.latency_s >= 0 && head_time(s, 52, &sent)
        && (sent - s->now.time_ns > s->o.latency_s * TW_SECOND_NS
            || s->now.time_ns - sent > s->o.latency_s * TW_SECOND_NS)) {
        if (up) refuse_session(s, seq, TW_FIX_SENDING_TIME);
        else tw_fix_close(s, "Logon: SendingTime accuracy problem");
        return false;
    }
    return true;
}

/* Handles it at once where numbers do not matter; false: they do. */
static bool out_of_turn(struct tw_fix_session *s, uint64_t seq)
{
    char type = admin(s);
    bool fine, again = is_again(s);

    if (type == 'A') {
        char room[REASON_TEXT];

        if (again || !body_flag(s, 141) || logon_fault(s, room)) return false;
        take_reset(s, seq);
        return true;
    }
    if (type != '2' && type != '4') return false;
    fine = tw_fix_check(&s->m, s->o.check).reason == TW_FIX_FINE;
    if (type == '2') {
        if (!fine || again) return false;
        resend_request(s, seq);
        return seq < tw_fix_in(s);
    }
    if (body_flag(s, 123) || (!fine && seq == tw_fix_in(s))) return false;
    sequence_reset(s, seq);
    return true;
}

/* What ends the connection, whatever else may be wrong with it, so that its reason is
 * told: a no to our Logon, and the answer to our Logout. */
static TW_COLD bool takes_leave(struct tw_fix_session *s, uint64_t seq)
{
    bool answer = s->state == TW_FIX_LOGGING_ON && s->o.initiator;
    char type = admin(s), text[REASON_TEXT];

    if (s->state == TW_FIX_LEAVING && type == '5') {
        logout(s, seq);
    } else if (answer && (type == '5' || type == '3')) {
        if (!is_other_version(s) && !is_other_peer(s)) count(s, seq);
        tw_fix_close(s, "Logon refused: %s", text_58(s, text));
    } else {
        return s->state == TW_FIX_LEAVING && !s->polite;   /* is not listened to */
    }
    return true;
}

static void handle(struct tw_fix_session *s)
{
    uint64_t seq = 0;
    bool numbered = to_number(tw_fix_message_header(&s->m, 34), &seq);

    s->received++;
    s->noise = 0;
    s->last_in = s->now.steady_ns;
    s->probing = false;
    if (s->o.handlers.log) s->o.handlers.log(s->o.handlers.ctx, true, s->m.bytes,
                                             s->m.length);
    if (s->state != TW_FIX_UP && takes_leave(s, seq)) return;
    if (!numbered) {
        if (s->state == TW_FIX_LOGGING_ON) tw_fix_close(s, "Logon: MsgSeqNum missing");
        else tw_fix_leave(s, false, "MsgSeqNum missing");
        return;
    }
    if (!fits_session(s, seq)) return;
    if (s->state == TW_FIX_LOGGING_ON) {
        first_message(s, seq);
    } else if (admin(s) == '5') {
        logout(s, seq);
    } else if (!out_of_turn(s, seq)) {
        uint64_t in = tw_fix_in(s);

        if (s->state != TW_FIX_UP && s->state != TW_FIX_LEAVING) return;
        if (seq > in) keep_early(s, seq, false);
        else if (seq < in) too_low(s, seq);
        else in_order(s, seq);
    }
    take_early(s);
}

/* ---- bytes ---- */

/* Where the next message may begin: R2. */
static TW_COLD size_t next_begin(const char *p, size_t n, size_t at)
{
    static const char mark[] = "8=FIX";
    size_t length = sizeof mark - 1;
    const char *found = at < n ? memmem(p + at, n - at, mark, length) : NULL;

    if (found) return (size_t)(found - p);
    if (at >= n) return n;
    if (length > n - at) length = n - at;
    while (memcmp(p + n - length, mark, length) != 0) length--;
    return n - length;
}

/* The peer is told why, where it is up. */
static TW_COLD void cut(struct tw_fix_session *s, uint64_t *count, const char *why)
{
    bool first = s->state == TW_FIX_LOGGING_ON;

    ++*count;
    if (s->state == TW_FIX_UP) tw_fix_send_logout(s, why);
    tw_fix_close(s, "%s%s", first ? "the first message: " : "", why);
}

/* So many bytes more that are no message. */
static TW_COLD void add_noise(struct tw_fix_session *s, size_t n)
{
    char why[60];

    s->noise += n;
    if (s->noise <= s->o.message_max || s->state == TW_FIX_CLOSING) return;
    snprintf(why, sizeof why, "%zu bytes without a message", s->noise);
    cut(s, &s->cuts.noise, why);
}

static TW_COLD void garbled(struct tw_fix_session *s, const char *why)
{
    s->garbled++;
    if (s->noise == 0) tw_fix_tell(s, TW_FIX_DROPPED, 0, 0, NULL, why);
    if (s->state == TW_FIX_LOGGING_ON) tw_fix_close(s, "the first message: %s", why);
}

size_t tw_fix_session_receive(struct tw_fix_session *s, struct tw_fix_now now,
                              const char *p, size_t n)
{
    size_t at = 0;

    s->now = now;
    while (at < n && s->state != TW_FIX_DOWN) {
        struct tw_fix_frame frame;
        char why[REASON_TEXT];
        size_t length, from = at;
        int rc;

        if (s->state == TW_FIX_CLOSING) return n;
        if (s->lost) {
            at = next_begin(p, n, at);
            add_noise(s, at - from);
            if (at + 5 > n || s->state == TW_FIX_CLOSING) return at;
            s->lost = false;
        }
        switch (tw_fix_message_frame(&s->m, p + at, n - at, &frame)) {
        case TW_FIX_PARTIAL: return at;
        case TW_FIX_GARBLED:
            garbled(s, frame.why);
            length = frame.header + frame.body;
            if (length > n - at) length = n - at;
            s->lost = true;
            add_noise(s, length);
            break;
        case TW_FIX_TOO_LONG:
            cut(s, &s->cuts.oversized, frame.why);
            return n;
        default:
            length = frame.header + frame.body + TW_FIX_TRAILER;
            rc = s->told_n == 0 && s->o.typed_n == 0
               ? tw_fix_message_read(&s->m, s->theirs, p + at, &frame)
               : tw_fix_read_theirs(s, p + at, &frame);
            if (rc == TW_OK) {
                handle(s);
            } else if (rc == TW_EFORMAT) {
                garbled(s, s->m.why);
                add_noise(s, length);
            } else {
                snprintf(why, sizeof why, "the peer sent %s", s->m.why);
                cut(s, &s->cuts.oversized, why);
            }
        }
        at += length;
    }
    return at;
}
