/* fix_talk.h - conversations with a session: what a peer says, what it is to hear.
 *
 * A line of one:
 *     >35=D 34=2 11=id     the peer sends that; 49, 52 and 56 are added, 8, 9 and 10 too.
 *                          T, T-121, T+5: the time so many seconds from now
 *     <35=0 34=2 112=id    the next message is that, without 8, 9, 10, 49, 52 and 56
 *     <-                   and there is no other
 *     +2.5                 so many seconds pass
 *     stop 2.5             likewise, in which we have no turn but at the end
 *     !why                 it closes, as that says, and is hung up
 *     ?GAP 2 3             the next event of that kind has these numbers
 *     =3 4                 its numbers: next in, next out
 *     connect hangup logout reset enable disable
 *     set 3 4              numbers
 *     send D 11=id         an application message
 *     logon 553=me         the Logon that waits goes out, with that field
 *     note TEXT            what LOGGED_ON or RESET said last
 *     as FIX.4.4           the last message was read as one of that version */
#ifndef FIX_TALK_H
#define FIX_TALK_H

#include "fix/session.h"
#include "fix_rig.h"
#include "tap.h"

enum { EVENTS = 64, WIRE = 1 << 16 };

static struct rig {
    struct tw_fix_session *s;
    struct tw_fix_session_options o;
    struct tw_fix_store *store;
    struct tw_fix_now now;
    struct tw_fix_event events[EVENTS];
    unsigned events_n, events_at;
    unsigned messages;
    char last[40];                 /* 11 of the last message                */
    char note[200];                /* what LOGGED_ON or RESET said last     */
    enum tw_fix_version of;        /* the last message                      */
    bool unsupported, veto;
    char in[WIRE];                 /* what the session has written          */
    size_t n;
} r;

static struct tw_fix_dictionary *dictionaries[TW_FIX_50SP2 + 1];

static const char *const kinds[] = {
    "LOGGED_ON", "LOGGED_OUT", "NOT_LOGGED_ON", "REJECTED", "REFUSED", "DROPPED", "GAP",
    "SKIPPED", "RESENDING", "FORGOTTEN", "RESET", "STORE_FAILED", "FILLED", "UNSENT",
    "LOGON_WAITS"
};

/* ---- handlers ---- */

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    struct tw_fix_text id = tw_fix_message_body(m, 11);

    (void)ctx;
    r.messages++;
    r.of = tw_fix_dictionary_version(m->dictionary);
    snprintf(r.last, sizeof r.last, "%.*s", (int)id.n, id.at ? id.at : "");
    return r.unsupported ? TW_FIX_UNSUPPORTED : TW_FIX_TAKEN;
}

static bool on_resend(void *ctx, const struct tw_fix_message *m)
{
    struct tw_fix_text id = tw_fix_message_body(m, 11);

    (void)ctx;
    return !(r.veto && id.n == 4 && memcmp(id.at, "veto", 4) == 0);
}

static void on_event(void *ctx, const struct tw_fix_event *e)
{
    (void)ctx;
    if (r.events_n < EVENTS) r.events[r.events_n++] = *e;
    if (e->kind == TW_FIX_LOGGED_ON || e->kind == TW_FIX_RESET)
        snprintf(r.note, sizeof r.note, "%s", e->text);
    if (e->kind == TW_FIX_LOGON_WAITS)   /* what is signed */
        snprintf(r.note, sizeof r.note, "%.*s",
                 (int)tw_fix_message_header(e->message, 52).n,
                 tw_fix_message_header(e->message, 52).at);
}

/* ---- the rig ---- */

static void open_rig(const struct tw_fix_session_options *o, enum tw_fix_version v,
                     size_t store_bytes)
{
    struct tw_error error = {0};

    memset(&r, 0, sizeof r);
    r.now = (struct tw_fix_now){ INT64_C(1704196800000000000), 7000000000 };
    r.store = tw_fix_store_open(&(struct tw_fix_store_options){
        .now_ns = r.now.time_ns, .bytes = store_bytes }, &error);
    r.o = *o;
    if (!r.o.dictionary) r.o.dictionary = dictionaries[v];
    r.o.store = r.store;
    r.o.sender = "US";
    r.o.target = "PEER";
    if (!r.o.check) r.o.check = TW_FIX_CHECK_STRICT;
    if (!r.o.message_max) r.o.message_max = 4096;
    r.o.fields_max = 100;
    r.o.handlers = (struct tw_fix_handlers){
        .message = on_message, .resend = on_resend, .event = on_event
    };
    r.s = tw_fix_session_new(&r.o, &error);
    if (!r.s) printf("# %s\n", error.text);
}

static void close_rig(void)
{
    tw_fix_session_free(r.s);
    tw_fix_store_close(r.store);
}

/* Reads what was written. */
static void collect(void)
{
    const char *p;
    size_t n;

    for (;;) {
        tw_fix_session_output(r.s, &p, &n);
        if (n > WIRE - r.n) n = WIRE - r.n;
        if (n == 0) return;
        memcpy(r.in + r.n, p, n);
        r.n += n;
        tw_fix_session_written(r.s, r.now, n);
    }
}

/* "52=T-121" with the time in it; a blank is the end of a field. */
static size_t expand(const char *text, char *out)
{
    char *to = out;

    while (*text) {
        if (*text == 'T' && text[-1] == '=') {
            char *end = NULL;
            bool shifted = text[1] == '-' || text[1] == '+';
            long shift = shifted ? strtol(text + 1, &end, 10) : 0;

            to += tw_fix_time_text(r.now.time_ns + shift * INT64_C(1000000000),
                                   TW_FIX_MS, to);
            text = end ? end : text + 1;
        } else {
            *to++ = *text == ' ' ? '|' : *text == '_' ? ' ' : *text;
            text++;
        }
    }
    *to++ = '|';
    *to = 0;
    return (size_t)(to - out);
}

/* What the peer sends, with what it leaves out. */
static void say(const char *text)
{
    char line[3000], message[4000];
    const char *rest = strstr(text, " 34=");
    bool fixt = tw_fix_dictionary_appl_ver_id(r.o.dictionary);
    enum tw_fix_version v = fixt ? TW_FIX_50SP2
                          : tw_fix_dictionary_version(r.o.dictionary);
    size_t n;
    char *p;

    rest = rest ? rest + 4 : strchr(text, ' ');
    while (rest && *rest && *rest != ' ') rest++;
    snprintf(line, sizeof line, "%.*s%s%s%s%s", rest ? (int)(rest - text) : 1000, text,
             strstr(text, " 49=") ? "" : " 49=PEER", strstr(text, " 52=") ? "" : " 52=T",
             strstr(text, " 56=") ? "" : " 56=US", rest ? rest : "");
    expand(line, message);
    p = whole(v, message, &n);
    tw_fix_session_receive(r.s, r.now, p, n);
    free(p);
    collect();
}

/* The next message without what is always there; "" when there is none. */
static const char *hear(void)
{
    static char text[4096];
    size_t n = 0, at = 0;
    const char *end;

    text[0] = 0;
    if (r.n == 0) return text;
    end = memmem(r.in, r.n, "\00110=", 4);
    if (!end) return "half a message";
    n = (size_t)(end - r.in) + 8;
    for (char *p = r.in; p <= end;) {
        char *stop = memchr(p, TW_FIX_SOH, n);
        static const char *const always[] = { "8=", "9=", "49=", "52=", "56=" };
        bool skip = false;

        for (int i = 0; i < 5; i++)
            skip |= strncmp(p, always[i], strlen(always[i])) == 0;
        if (!skip && strncmp(p, "122=", 4) == 0)
            at += (size_t)sprintf(text + at, "122=T ");
        else if (!skip) {
            for (; p < stop; p++) text[at++] = *p == ' ' ? '_' : *p;
            text[at++] = ' ';
        }
        p = stop + 1;
    }
    text[at ? at - 1 : 0] = 0;
    memmove(r.in, r.in + n, r.n - n);
    r.n -= n;
    return text;
}

/* Its turns are when it wants them, and no others: few.  One of a program that was
 * stopped is at the end. */
static bool pass(double seconds, bool stopped)
{
    int64_t left = (int64_t)(seconds * 1e9);
    unsigned turns = 0;

    while (left > 0) {
        int64_t step = tw_fix_session_wakes(r.s, r.now) - r.now.steady_ns;
        bool wakes = step <= left || stopped;

        if (step < 1000000) step = 1000000;
        if (step > left || stopped) step = left;
        r.now.time_ns += step;
        r.now.steady_ns += step;
        left -= step;
        if (!wakes) continue;
        tw_fix_session_tick(r.s, r.now);
        collect();
        turns++;
    }
    return turns < 20 + 20 * seconds;
}

static void send_app(const char *text)
{
    char code[8], fields[500], body[600];
    struct tw_fix_output *out;
    struct tw_error error;
    char *p, *save = NULL;

    sscanf(text, "%7s %499[^\n]", code, fields);
    expand(fields, body);
    if (tw_fix_session_begin(r.s, r.now, code, NULL, 0, &out, &error) < 0) return;
    for (p = strtok_r(body, "|", &save); p; p = strtok_r(NULL, "|", &save)) {
        char *value = strchr(p, '=');

        tw_fix_put_text(out, atoi(p), value + 1, strlen(value + 1));
    }
    tw_fix_session_send(r.s, NULL, &error);
    collect();
}

/* 553=me; "553=52": what was told to be the Logon's SendingTime. */
static int log_on(const char *text, struct tw_error *error)
{
    const char *value = strchr(text, '=') + 1;
    struct tw_fix_extra more = { atoi(text), strcmp(value, "52") == 0 ? r.note : value };

    return tw_fix_session_logon(r.s, r.now, &more, 1, error);
}

/* ?KIND from to */
static bool happened(const char *text, char *got)
{
    char kind[30] = "";
    unsigned long long from = 0, to = 0;
    int n = sscanf(text, "%29s %llu %llu", kind, &from, &to);

    while (r.events_at < r.events_n) {
        unsigned i = r.events_at++;

        if (strcmp(kinds[r.events[i].kind], kind) != 0) continue;
        sprintf(got, "%s %llu %llu", kind, (unsigned long long)r.events[i].from,
                (unsigned long long)r.events[i].to);
        return n < 2 || (r.events[i].from == from && (n < 3 || r.events[i].to == to));
    }
    sprintf(got, "no such event");
    return false;
}

static void hang_up(void)
{
    tw_fix_session_disconnected(r.s, r.now, NULL);
    r.n = 0;
}

/* One line; what there was instead, or NULL. */
static const char *play(const char *line)
{
    static char got[4200];
    struct tw_error error = { .text = "" };
    unsigned long long a, b;

    switch (*line) {
    case '>': say(line + 1); return NULL;
    case '<': {
        const char *text = hear();

        if (strcmp(text, line[1] == '-' ? "" : line + 1) == 0) return NULL;
        snprintf(got, sizeof got, "%s", text);
        return got;
    }
    case '+': return pass(strtod(line + 1, NULL), false) ? NULL : "too many turns";
    case '!': {
        const char *why = tw_fix_session_closing(r.s);

        if (!why || strncmp(why, line + 1, strlen(line + 1)) != 0 || r.n > 0) {
            snprintf(got, sizeof got, "%s%s", why ? why : "open", r.n ? ", written" : "");
            return got;
        }
        hang_up();
        return NULL;
    }
    case '?': return happened(line + 1, got) ? NULL : got;
    case '=': {
        struct tw_fix_session_status st = tw_fix_session_status(r.s);

        sscanf(line + 1, "%llu %llu", &a, &b);
        sprintf(got, "%d %d", (int)st.next_in, (int)st.next_out);
        return st.next_in == a && st.next_out == b ? NULL : got;
    }
    default: break;
    }
    if (strcmp(line, "connect") == 0) {
        if (tw_fix_session_connected(r.s, r.now, &error) == TW_OK) collect();
        return error.text[0] ? strcpy(got, error.text) : NULL;
    }
    if (strcmp(line, "refused") == 0)
        return tw_fix_session_connected(r.s, r.now, &error) < 0 ? NULL : "connected";
    if (strcmp(line, "hangup") == 0) hang_up();
    else if (strncmp(line, "stop ", 5) == 0) pass(strtod(line + 5, NULL), true);
    else if (strcmp(line, "logout") == 0) tw_fix_session_logout(r.s, r.now, "bye");
    else if (strcmp(line, "reset") == 0) tw_fix_session_reset(r.s, r.now);
    else if (strcmp(line, "enable") == 0) tw_fix_session_enable(r.s, r.now, true);
    else if (strcmp(line, "disable") == 0) tw_fix_session_enable(r.s, r.now, false);
    else if (strcmp(line, "unsupported") == 0) r.unsupported = true;
    else if (strcmp(line, "veto") == 0) r.veto = true;
    else if (strncmp(line, "send ", 5) == 0) send_app(line + 5);
    else if (strncmp(line, "logon ", 6) == 0 && log_on(line + 6, &error) < 0)
        return strcpy(got, error.text);
    else if (strncmp(line, "logon ", 6) == 0) ;
    else if (strncmp(line, "note ", 5) == 0)
        return strcmp(line + 5, r.note) == 0 ? NULL : r.note;
    else if (strncmp(line, "as ", 3) == 0)
        return strcmp(line + 3, tw_fix_version_name(r.of)) == 0 ? NULL
             : tw_fix_version_name(r.of);
    else if (sscanf(line, "set %llu %llu", &a, &b) == 2)
        tw_fix_session_set_numbers(r.s, a, b, &error);
    else return "no such line";
    collect();
    return NULL;
}

/* A conversation: lines apart by newlines. */
static void talk_as(const char *name, enum tw_fix_version v,
                    const struct tw_fix_session_options *o, const char *lines)
{
    char *copy = strdup(lines), *save = NULL, *line;
    const char *got = NULL;

    open_rig(o, v, 1 << 16);
    for (line = strtok_r(copy, "\n", &save); line && !got;
         line = got ? line : strtok_r(NULL, "\n", &save))
        got = play(line);
    ok(!got, "%s", name);
    if (got) printf("#   line: %s\n#   got:  %s\n", line, got);
    free(copy);
    close_rig();
}

/* How a session comes up, on either side. */
#define ON "connect\n>35=A 34=1 98=0 108=30\n<35=A 34=1 98=0 108=30\n"
#define I_ON "connect\n<35=A 34=1 98=0 108=30\n>35=A 34=1 98=0 108=30\n?LOGGED_ON\n"

/* What begins with ON is so for an initiator too. */
static inline void talk(const char *name, enum tw_fix_version v,
                        const struct tw_fix_session_options *o, const char *lines)
{
    struct tw_fix_session_options other = *o;
    char text[3000];

    talk_as(name, v, o, lines);
    if (o->initiator || strncmp(lines, ON, strlen(ON)) != 0) return;
    other.initiator = true;
    other.heartbeat_s = 30;
    snprintf(text, sizeof text, "%s%s", I_ON, lines + strlen(ON));
    talk_as(name, v, &other, text);
}

#endif
