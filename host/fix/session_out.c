/* session_out.c - what a FIX session sends: its own messages, the application's, and
 * both again.
 *
 * Layer host/fix.  Thread: the owner's of the session.
 */
#include "fix/session_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

enum {
    HEADER = 16,              /* fields of a header that are always written */
    EXTRA = 32,               /* and others                                 */
    REPLAY_PAUSE_MS = 50,
    REPLAY_BYTES = 64 << 10,  /* that are sent again at a time: then others have    */
    REPLAY_READS = 1024       /* their turn; so many messages are looked at         */
};

/* ---- messages ---- */

static void add(struct tw_fix_field *f, size_t *n, int32_t tag, const char *text)
{
    if (text && *text)
        f[(*n)++] = (struct tw_fix_field){ tag, (uint32_t)strlen(text), text };
}

/* The digits of v at the end of `room`. */
static struct tw_fix_field number(int32_t tag, uint64_t v, char room[24])
{
    char *p = room + 24;

    do *--p = (char)('0' + v % 10); while (v /= 10);
    return (struct tw_fix_field){ tag, (uint32_t)(room + 24 - p), p };
}

/* 52, which messages of one moment have in common. */
static struct tw_fix_field sending_time(struct tw_fix_session *s)
{
    if (s->time_text_n == 0 || s->time_text_ns != s->now.time_ns) {
        s->time_text_ns = s->now.time_ns;
        s->time_text_n = (uint32_t)tw_fix_time_text(s->now.time_ns, s->precision,
                                                    s->time_text);
    }
    return (struct tw_fix_field){ 52, s->time_text_n, s->time_text };
}

/* The fields of a header (R3); they point into s. */
static size_t header(struct tw_fix_session *s, struct tw_fix_field *f, uint64_t seq)
{
    size_t n = 0;

    f[n++] = number(34, seq, s->seq_text);
    add(f, &n, 49, s->o.sender);
    add(f, &n, 50, s->o.sender_sub);
    f[n++] = sending_time(s);
    add(f, &n, 56, s->o.target);
    add(f, &n, 57, s->o.target_sub);
    add(f, &n, 142, s->o.sender_location);
    add(f, &n, 143, s->o.target_location);
    if (s->o.last_processed) f[n++] = number(369, tw_fix_in(s) - 1, s->processed_text);
    return n;
}

/* The same where no fields come between: from 49 to 143 they are those of the header
 * before, but for the time. */
static void put_header(struct tw_fix_session *s, uint64_t seq)
{
    struct tw_fix_field f[HEADER], time = sending_time(s);
    struct tw_fix_output *o = &s->out;
    size_t n, i = 1;
    char *from;

    if (s->common_n) {
        tw_fix_put_integer(o, 34, (int64_t)seq);
        if (s->common_ns != s->now.time_ns)
            memcpy(s->common + s->common_time, time.at, time.n);
        tw_fix_put_written(o, s->common, s->common_n);
        if (s->o.last_processed) tw_fix_put_integer(o, 369, (int64_t)tw_fix_in(s) - 1);
    } else {
        n = header(s, f, seq);
        while (f[i].tag != 52) i++;
        tw_fix_put_fields(o, f, 1);
        from = o->at;
        tw_fix_put_fields(o, f + 1, i);
        s->common_time = (uint32_t)(o->at - from) - time.n - 1;
        tw_fix_put_fields(o, f + i + 1, n - i - 1 - s->o.last_processed);
        if (!o->error && (size_t)(o->at - from) <= sizeof s->common) {
            s->common_n = (uint32_t)(o->at - from);
            memcpy(s->common, from, s->common_n);
        }
        tw_fix_put_fields(o, f + n - s->o.last_processed, s->o.last_processed);
    }
    s->common_ns = s->now.time_ns;
}

/* Bytes that a message may take at the output's end; false: too many wait there. */
static bool reserve(struct tw_fix_session *s, struct tw_error *error)
{
    size_t waiting = s->end - s->first;

    if (waiting > s->o.output_max) {
        bool disk = tw_fix_session_held(s) > waiting / 2;

        s->cuts.unread += !disk && s->state != TW_FIX_CLOSING;
        if (disk) tw_fix_close(s, "the disk is slow: %zu bytes wait for it", waiting);
        else tw_fix_close(s, "the peer does not read: %zu bytes wait", waiting);
        tw_fail(error, TW_EFULL, "%s", s->why);
        return false;
    }
    if (s->room - s->end < s->o.message_max) {
        memmove(s->bytes, s->bytes + s->first, waiting);
        s->safe -= s->safe < s->first ? s->safe : s->first;
        s->mark -= s->mark < s->first ? s->mark : s->first;
        s->first = 0;
        s->end = waiting;
    }
    return true;
}

/* n bytes at p, within the output's room, are a message that goes out. */
static void append(struct tw_fix_session *s, const char *p, size_t n)
{
    memmove(s->bytes + s->end, p, n);
    if (s->o.handlers.log) s->o.handlers.log(s->o.handlers.ctx, false,
                                             s->bytes + s->end, n);
    s->end += n;
    s->sent++;
    s->last_out = s->now.steady_ns;
}

static bool begin(struct tw_fix_session *s, const char *code, uint64_t seq,
                  const struct tw_fix_field *more, size_t more_n, struct tw_error *error)
{
    struct tw_fix_field f[HEADER + EXTRA];
    size_t n;

    if (!reserve(s, error)) return false;
    tw_fix_begin(&s->out, s->bytes + s->end, s->o.message_max, s->begin_string, code,
                 strlen(code));
    if (more_n == 0) {
        put_header(s, seq);
    } else {
        n = header(s, f, seq);
        memcpy(f + n, more, more_n * sizeof *more);
        tw_fix_put_sorted(&s->out, f, n + more_n);
    }
    return true;
}

/* Ends what was begun and keeps it: an application message as it is, of others the
 * number; and of a cancel, where a disk is full: it had better go out. */
static int finish(struct tw_fix_session *s, bool keep, struct tw_error *error)
{
    char *p;
    int64_t n = tw_fix_finish(&s->out, &p);
    int rc;

    if (n == TW_EFULL)
        return tw_fail(error, TW_EFULL, "a message is larger than %zu bytes",
                       s->o.message_max);
    if (n < 0)
        return tw_fail(error, (int)n, "a field has no value, or one with a byte that ends"
                       " fields");
    rc = tw_fix_store_sent(s->o.store, keep ? p : NULL, (size_t)n, error);
    if (rc < 0 && s->is_cancel)
        rc = tw_fix_store_sent(s->o.store, NULL, (size_t)n, error);
    if (rc == TW_OK) append(s, p, (size_t)n);
    return rc;
}

/* A message of ours; that it has no room closes the connection. */
static bool start(struct tw_fix_session *s, const char *code)
{
    return begin(s, code, tw_fix_out(s), NULL, 0, NULL);
}

static void done(struct tw_fix_session *s)
{
    struct tw_error error;

    if (finish(s, false, &error) < 0) tw_fix_close(s, "%s", error.text);
}

static void put(struct tw_fix_session *s, int32_t tag, const char *text)
{
    tw_fix_put_text(&s->out, tag, text, strlen(text));
}

/* Begins a Logon with the fields of the options, of which those of `more` stand over. */
static TW_COLD bool start_logon(struct tw_fix_session *s, bool reset, uint64_t expected,
                                const struct tw_fix_extra *more, size_t more_n)
{
    struct tw_fix_field f[8 + 2 * TW_FIX_LOGON_MAX];
    char beat[24], next[24];
    size_t n = 0, given;

    if (!start(s, "A")) return false;
    snprintf(beat, sizeof beat, "%" PRId64, s->heartbeat_ns / (1000 * TW_MS_NS));
    snprintf(next, sizeof next, "%" PRIu64, expected);
    add(f, &n, 98, "0");
    add(f, &n, 108, beat);
    if (reset) add(f, &n, 141, "Y");
    if (s->o.next_expected) add(f, &n, 789, next);
    add(f, &n, 1137, tw_fix_dictionary_appl_ver_id(s->o.dictionary));
    given = n;
    for (size_t i = 0; i < more_n; i++) add(f, &n, more[i].tag, more[i].value);
    for (size_t i = 0, end = n, k; i < s->o.logon_n; i++) {
        for (k = given; k < end && f[k].tag != s->o.logon[i].tag; k++) continue;
        if (k == end) add(f, &n, s->o.logon[i].tag, s->o.logon[i].value);
    }
    tw_fix_put_sorted(&s->out, f, n);
    tw_fix_put_versions(s);
    return true;
}

TW_COLD void tw_fix_send_logon(struct tw_fix_session *s, bool reset, uint64_t expected)
{
    if (start_logon(s, reset, expected, NULL, 0)) done(s);
}

TW_COLD void tw_fix_hold_logon(struct tw_fix_session *s)
{
    uint64_t seq = tw_fix_out(s);
    struct tw_fix_frame frame;
    char *p = NULL;
    int64_t n;

    s->holding = true;
    s->held_ns = s->now.time_ns;
    if (!start_logon(s, s->resetting, tw_fix_in(s), NULL, 0)) return;
    n = tw_fix_finish(&s->out, &p);
    if (n > 0 && tw_fix_message_frame(&s->again, p, (size_t)n, &frame) == TW_FIX_WHOLE
        && tw_fix_message_read(&s->again, s->o.dictionary, p, &frame) == TW_OK)
        tw_fix_tell(s, TW_FIX_LOGON_WAITS, seq, seq, &s->again, "");
    else tw_fix_close(s, "a Logon can't be made of its fields");
}

TW_COLD int tw_fix_session_logon(struct tw_fix_session *s, struct tw_fix_now now,
                                 const struct tw_fix_extra *more, size_t n,
                                 struct tw_error *error)
{
    if (s->state != TW_FIX_LOGGING_ON || !s->holding)
        return tw_fail(error, TW_ECLOSED, "no Logon to %s waits", s->o.target);
    if (n > TW_FIX_LOGON_MAX)
        return tw_fail(error, TW_ELIMIT, "%zu more fields of a Logon: at most %d are",
                       n, TW_FIX_LOGON_MAX);
    s->holding = false;
    s->since = now.steady_ns;   /* the peer has all its time */
    s->now = (struct tw_fix_now){ s->held_ns, now.steady_ns };
    if (start_logon(s, s->resetting, tw_fix_in(s), more, n)) done(s);
    s->now = now;
    return TW_OK;
}

TW_COLD void tw_fix_send_logout(struct tw_fix_session *s, const char *text)
{
    if (!start(s, "5")) return;
    if (text && *text) put(s, 58, text);
    done(s);
}

void tw_fix_send_heartbeat(struct tw_fix_session *s, struct tw_fix_text id)
{
    if (!start(s, "0")) return;
    if (id.n > 0) tw_fix_put_text(&s->out, 112, id.at, id.n);
    done(s);
}

TW_COLD void tw_fix_send_test(struct tw_fix_session *s)
{
    if (!start(s, "1")) return;
    put(s, 112, "TEST");
    done(s);
}

TW_COLD void tw_fix_send_resend_request(struct tw_fix_session *s, uint64_t from,
                                        uint64_t to)
{
    if (!start(s, "2")) return;
    if (to == 0 && s->version < TW_FIX_42) to = TW_FIX_LOW_VERSION_END;
    tw_fix_put_integer(&s->out, 7, (int64_t)from);
    tw_fix_put_integer(&s->out, 16, (int64_t)to);
    done(s);
}

/* ---- answers to what came ---- */

/* Begins an answer that goes back the way the message came: R25. */
static TW_COLD bool start_back(struct tw_fix_session *s, const char *code)
{
    static const int32_t way[][2] = {
        { 115, 128 }, { 116, 129 }, { 144, 145 }, { 128, 115 }, { 129, 116 }, { 145, 144 }
    };
    struct tw_fix_field back[6];
    size_t n = 0;

    for (int i = 0; i < 6; i++) {
        struct tw_fix_text t = tw_fix_message_header(&s->m, way[i][0]);

        if (t.n > 0 && tw_fix_member(tw_fix_dictionary_header(s->o.dictionary),
                                     (uint32_t)way[i][1]))
            back[n++] = (struct tw_fix_field){ way[i][1], (uint32_t)t.n, t.at };
    }
    return begin(s, code, tw_fix_out(s), back, n, NULL);
}

TW_COLD void tw_fix_send_reject(struct tw_fix_session *s, uint64_t seq,
                                const struct tw_fix_verdict *v)
{
    struct tw_fix_text code = tw_fix_message_code(&s->m);
    bool since_43 = v->reason == TW_FIX_REPEATED || v->reason == TW_FIX_OUT_OF_ORDER
                 || v->reason >= TW_FIX_GROUP_ORDER;
    char text[120];

    if (!start_back(s, "3")) return;
    tw_fix_put_integer(&s->out, 45, (int64_t)seq);
    if (s->version < TW_FIX_42) {
        snprintf(text, sizeof text, v->has_tag ? "%s (%d)" : "%s", v->text, v->tag);
        put(s, 58, text);
    } else {
        put(s, 58, v->text);
        if (v->has_tag) tw_fix_put_integer(&s->out, 371, v->tag);
        if (code.n > 0) tw_fix_put_text(&s->out, 372, code.at, code.n);
        if (!since_43 || s->version >= TW_FIX_43)
            tw_fix_put_integer(&s->out, 373, v->reason);
    }
    done(s);
}

TW_COLD void tw_fix_send_unsupported(struct tw_fix_session *s, uint64_t seq)
{
    bool old = s->version < TW_FIX_42;
    struct tw_fix_text code = tw_fix_message_code(&s->m);

    if (!start_back(s, old ? "3" : "j")) return;
    tw_fix_put_integer(&s->out, 45, (int64_t)seq);
    put(s, 58, old ? "Unsupported message type" : "Unsupported Message Type");
    if (!old) {
        tw_fix_put_text(&s->out, 372, code.at, code.n);
        tw_fix_put_char(&s->out, 380, '3');
    }
    done(s);
}

/* ---- the application's ---- */

/* The fields with 1128, where they have none and the peer would take the message for one
 * of another version. */
static const struct tw_fix_field *with_version(const struct tw_fix_session *s,
                                               const char *code,
                                               const struct tw_fix_field *head,
                                               size_t *n, struct tw_fix_field all[EXTRA])
{
    const struct tw_fix_dictionary *d = tw_fix_must_say(s, code, strlen(code));

    for (size_t i = 0; i < *n; i++)
        if (head[i].tag == 1128) d = NULL;
    if (!d || *n == EXTRA) return head;
    if (*n > 0) memcpy(all, head, *n * sizeof *all);
    all[(*n)++] = (struct tw_fix_field){ 1128, 1, tw_fix_dictionary_appl_ver_id(d) };
    return all;
}

int tw_fix_session_begin(struct tw_fix_session *s, struct tw_fix_now now,
                         const char *code, const struct tw_fix_field *head, size_t n,
                         struct tw_fix_output **out, struct tw_error *error)
{
    struct tw_fix_field all[EXTRA];

    assert(!s->building);
    s->now = now;
    if (s->state != TW_FIX_UP)
        return tw_fail(error, TW_ECLOSED, "the session with %s is not logged on",
                       s->o.target);
    if (n > EXTRA)
        return tw_fail(error, TW_ELIMIT, "%zu more fields in a header: at most %d are",
                       n, EXTRA);
    if (s->told_n > 0) head = with_version(s, code, head, &n, all);
    if (!begin(s, code, tw_fix_out(s), head, n, error)) return TW_EFULL;
    s->building = true;
    s->is_cancel = strcmp(code, "F") == 0;
    *out = &s->out;
    return TW_OK;
}

int tw_fix_session_send(struct tw_fix_session *s, uint64_t *seq, struct tw_error *error)
{
    struct tw_error why = {0};
    uint64_t number = tw_fix_out(s);
    int rc;

    assert(s->building);
    s->building = false;
    rc = finish(s, !s->o.forget, &why);
    s->is_cancel = false;
    if (rc == TW_OK && seq) *seq = number;
    if (rc < 0 && rc != TW_EFULL && rc != TW_EFORMAT)
        tw_fix_tell(s, TW_FIX_STORE_FAILED, number, number, NULL, why.text);
    if (error) *error = why;
    return rc;
}

/* Whether the session writes a field of the header itself. */
static bool is_ours(const struct tw_fix_session *s, uint64_t tag)
{
    const char *of[] = { s->o.sender_sub, s->o.target_sub, s->o.sender_location,
                         s->o.target_location };
    static const uint64_t always[] = { 8, 9, 35, 34, 43, 49, 52, 56, 122, 369 };
    static const uint64_t told[] = { 50, 57, 142, 143 };

    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (tag == always[i]) return true;
    for (size_t i = 0; i < 4; i++)
        if (tag == told[i]) return of[i] && *of[i];
    return false;
}

/* The digits at *p, and *p behind them. */
static uint64_t read_number(const char **p, const char *end)
{
    uint64_t n = 0;

    while (*p < end && **p >= '0' && **p <= '9' && n <= TW_FIX_TAG_MAX)
        n = 10 * n + (uint64_t)(*(*p)++ - '0');
    return n;
}

/* The tag at *p, and *p behind it and its '='; 0: there is none. */
static uint32_t read_tag(const char **p, const char *end)
{
    uint64_t tag = read_number(p, end);

    return *p < end && *(*p)++ == '=' && tag <= TW_FIX_TAG_MAX ? (uint32_t)tag : 0;
}

/* Where all ends that goes with a value, which ends at stop: the entries that it counts,
 * the data that it is the length of.  They move together. */
static const char *together(const struct tw_fix_level *header,
                            const struct tw_fix_member *m, const char *value,
                            const char *stop, const char *end)
{
    const char *p = stop + 1;
    uint64_t n = read_number(&value, stop);
    uint32_t tag = read_tag(&p, end);

    if (m->group) {
        for (; tag && tw_fix_member(m->group, tag); tag = read_tag(&p, end))
            p = (stop = memchr(p, TW_FIX_SOH, (size_t)(end - p))) + 1;
        return stop;
    }
    if (m->kind != TW_FIX_LENGTH || !tag || n >= (uint64_t)(end - p)) return stop;
    m = tw_fix_member(header, tag);
    return m && m->kind == TW_FIX_DATA && p[n] == TW_FIX_SOH ? p + n : stop;
}

/* The fields of the header that a body begins with: how many bytes; or negative. */
static int64_t read_head(const struct tw_fix_session *s, const char *body, size_t n,
                         struct tw_fix_field f[EXTRA], size_t *count,
                         struct tw_error *error)
{
    const struct tw_fix_level *level = tw_fix_dictionary_header(s->o.dictionary);
    const char *p = body, *end = body + n;

    while (p < end) {
        const char *at = p, *stop;
        uint32_t tag = read_tag(&at, end);
        const struct tw_fix_member *m = tag ? tw_fix_member(level, tag) : NULL;

        if (!tag) return tw_fail(error, TW_EUSAGE, "a body that is not made of fields");
        if (!m) break;
        stop = together(level, m, at, memchr(at, TW_FIX_SOH, (size_t)(end - at)), end);
        if (is_ours(s, tag))
            return tw_fail(error, TW_EUSAGE, "field %d of the header is the session's",
                           (int)tag);
        if (*count == EXTRA)
            return tw_fail(error, TW_ELIMIT, "more than %d fields of a header", EXTRA);
        f[(*count)++] = (struct tw_fix_field){ (int32_t)tag, (uint32_t)(stop - at), at };
        p = stop + 1;
    }
    return p - body;
}

int tw_fix_session_put(struct tw_fix_session *s, struct tw_fix_now now, const char *code,
                       const char *body, size_t n, uint64_t *seq, struct tw_error *error)
{
    struct tw_fix_field f[EXTRA];
    struct tw_fix_output *out;
    size_t count = 0;
    int64_t head;
    int rc;

    if (n > 0 && body[n - 1] != TW_FIX_SOH)
        return tw_fail(error, TW_EUSAGE, "a body that does not end in SOH");
    head = read_head(s, body, n, f, &count, error);
    if (head < 0) return (int)head;
    rc = tw_fix_session_begin(s, now, code, f, count, &out, error);
    if (rc < 0) return rc;
    tw_fix_put_written(out, body + head, n - (size_t)head);
    return tw_fix_session_send(s, seq, error);
}

/* ---- again: R29 ---- */

/* 34=from, 36=next: nothing of these is sent again. */
static void fill(struct tw_fix_session *s, uint64_t from, uint64_t next)
{
    struct tw_fix_field more[2];
    char text[TW_FIX_TIME_TEXT + 1], *p;
    size_t n = tw_fix_time_text(s->now.time_ns, s->precision, text);
    int64_t length;

    more[0] = (struct tw_fix_field){ 43, 1, "Y" };
    more[1] = (struct tw_fix_field){ 122, (uint32_t)n, text };
    if (!begin(s, "4", from, more, 2, NULL)) return;
    tw_fix_put_integer(&s->out, 36, (int64_t)next);
    tw_fix_put_flag(&s->out, 123, true);
    length = tw_fix_finish(&s->out, &p);
    if (length > 0) append(s, p, (size_t)length);
}

/* What it was written with, where it has no 1128. */
static const struct tw_fix_dictionary *of_kept(const struct tw_fix_session *s,
                                               const struct tw_fix_kept *k,
                                               const struct tw_fix_frame *f)
{
    const char *code = k->at + f->header + 3;

    return tw_fix_session_writes(&s->o, code, strcspn(code, "\1"));
}

/* The message that is kept, read into s->again; false: it is not to be sent again. */
static bool read_kept(struct tw_fix_session *s, const struct tw_fix_kept *k)
{
    struct tw_fix_frame frame;

    return tw_fix_message_frame(&s->again, k->at, k->n, &frame) == TW_FIX_WHOLE
        && tw_fix_message_read(&s->again, of_kept(s, k, &frame), k->at, &frame) == TW_OK
        && (!s->o.handlers.resend || s->o.handlers.resend(s->o.handlers.ctx, &s->again));
}

static void send_again(struct tw_fix_session *s)
{
    struct tw_fix_text first = tw_fix_message_header(&s->again, 52);
    char text[TW_FIX_TIME_TEXT], *p;
    struct tw_fix_field changes[] = {
        { 43, 1, "Y" },
        { 52, (uint32_t)tw_fix_time_text(s->now.time_ns, s->precision, text), text },
        { 122, (uint32_t)first.n, first.at },
    };
    int64_t n;

    if (!reserve(s, NULL)) return;
    n = tw_fix_write_again(&s->again, changes, 3, s->bytes + s->end, s->o.message_max,
                           &p);
    if (n < 0) tw_fix_close(s, "a message can't be sent again: %s", tw_strerror((int)n));
    else append(s, p, (size_t)n);
}

/* The first number from `next` on that is sent again, into s->again: true.  Else how far
 * it has looked: past `to`, or to where it has read enough. */
static bool find_kept(struct tw_fix_session *s, uint64_t *next, uint64_t to,
                      unsigned *reads)
{
    struct tw_fix_kept k;

    while (*next <= to && tw_fix_store_find(s->o.store, *next, &k) && k.seq <= to) {
        *next = k.seq;
        if (*reads == 0) return false;
        --*reads;
        if (read_kept(s, &k)) return true;
        ++*next;
    }
    *next = to + 1;
    return false;
}

static bool replays(const struct tw_fix_session *s)
{
    return s->replay.next <= s->replay.to
        && (s->state == TW_FIX_UP || s->state == TW_FIX_LEAVING);
}

int64_t tw_fix_replay_wakes(const struct tw_fix_session *s)
{
    if (!replays(s) || tw_fix_session_is_behind(s)) return INT64_MAX;   /* till written */
    return s->o.resend_rate > 0 && s->replay.budget == 0 ? s->replay.at_steady_ns
                                                         : s->now.steady_ns;
}

/* How many may be sent until when. */
static void set_budget(struct tw_fix_session *s)
{
    struct tw_fix_replay *r = &s->replay;
    uint64_t rate = s->o.resend_rate;

    if (rate == 0 || s->now.steady_ns < r->at_steady_ns) return;
    r->budget = rate * REPLAY_PAUSE_MS / 1000;
    if (r->budget == 0) r->budget = 1;
    r->at_steady_ns = s->now.steady_ns + (int64_t)(r->budget * 1000 / rate) * TW_MS_NS;
}

void tw_fix_replay_more(struct tw_fix_session *s)
{
    struct tw_fix_replay *r = &s->replay;
    size_t waited = s->end - s->first;
    unsigned reads = REPLAY_READS;

    if (!replays(s)) return;
    set_budget(s);
    while (replays(s) && reads > 0 && !tw_fix_session_is_behind(s)
           && s->end - s->first <= waited + REPLAY_BYTES) {
        uint64_t at = r->next;
        bool is_kept;

        if (s->o.resend_rate > 0 && r->budget-- == 0) {
            r->budget = 0;
            return;
        }
        is_kept = find_kept(s, &at, r->to, &reads);
        if (at > r->next) fill(s, r->next, at);
        if (is_kept && s->state != TW_FIX_CLOSING) send_again(s);
        r->next = at + is_kept;
    }
}

void tw_fix_replay(struct tw_fix_session *s, uint64_t from, uint64_t to)
{
    struct tw_fix_replay *r = &s->replay;
    struct tw_fix_kept k;
    bool goes_on = r->next <= r->to;

    tw_fix_tell(s, TW_FIX_RESENDING, from, to, NULL, "");
    if (tw_fix_store_forgot(s->o.store, from)) {
        uint64_t end = tw_fix_store_find(s->o.store, from, &k) && k.seq <= to
                     ? k.seq - 1 : to;

        tw_fix_tell(s, TW_FIX_FORGOTTEN, from, end, NULL, "");
    }
    if (goes_on) {
        if (r->next < from) from = r->next;
        if (r->to > to) to = r->to;
    } else {
        r->at_steady_ns = s->now.steady_ns;
    }
    r->next = from;
    r->to = to;
    if (!goes_on) tw_fix_replay_more(s);
}
