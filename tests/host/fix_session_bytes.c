/* fix_session_bytes.c - a session and what is no conversation: bytes that are garbled,
 * too long or too many; headers; memory and disks that end. */
#include "fix_talk.h"
#include "place.h"
#include "random.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

static const struct tw_fix_session_options acceptor, initiator = {
    .initiator = true, .heartbeat_s = 30
};

/* A message of a version that nobody knows. */
static char *of_version(const char *version, const char *text, size_t *n)
{
    char *p = whole(TW_FIX_42, text, n), *q = malloc(*n + 20);
    size_t length = strlen(p + 9);     /* behind 8=FIX.4.2 */
    unsigned sum = 0;

    *n = (size_t)sprintf(q, "8=%s", version);
    memcpy(q + *n, p + 9, length - 7);
    *n += length - 7;
    for (size_t i = 0; i < *n; i++) sum += (unsigned char)q[i];
    *n += (size_t)sprintf(q + *n, "10=%03u\001", sum & 255);
    free(p);
    return q;
}

static void stranger(void)
{
    static const char *const names[] = { "FIX.9.9", "FIX.5.0SP2", "FIX", "FIX.4.22" };
    size_t n, used = 0;
    char *p;

    for (int i = 0; i < 4; i++) {
        open_rig(&acceptor, TW_FIX_42, 0);
        play("connect");
        say("35=A 34=1 98=0 108=30");
        hear();
        p = of_version(names[i], "35=1|34=2|49=PEER|52=x|56=US|112=y|", &n);
        for (size_t j = 1; j <= n; j++)
            used += tw_fix_session_receive(r.s, r.now, p + used, j - used);
        collect();
        ok(used == n && strcmp(hear(), "35=5 34=2 58=Incorrect_BeginString") == 0
           && tw_fix_session_status(r.s).garbled == 0, "R12: %s, a byte more each time",
           names[i]);
        used = 0;
        free(p);
        close_rig();
    }
    p = of_version("FIX.4.2.11.123", "35=1|34=2|49=PEER|52=x|56=US|112=y|", &n);
    open_rig(&acceptor, TW_FIX_42, 0);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    hear();
    tw_fix_session_receive(r.s, r.now, p, n);
    collect();
    ok(*hear() == 0 && tw_fix_session_status(r.s).garbled == 1,
       "R2: what is no version is garbled");
    free(p);
    close_rig();
    p = of_version("FIX.9.9", "35=A|34=1|49=PEER|52=x|56=US|98=0|108=30|", &n);
    open_rig(&acceptor, TW_FIX_42, 0);
    play("connect");
    tw_fix_session_receive(r.s, r.now, p, n);
    collect();
    ok(*hear() == 0 && !play("!Logon: another BeginString than FIX.4.2"),
       "R4: as the first message it is the end");
    free(p);
    close_rig();
}

static void garbled(void)
{
    static const char junk[] = "what is this 8=FI 8=FIX.9.9\0019=5\001";
    char text[200], *p;
    size_t n;

    open_rig(&acceptor, TW_FIX_42, 0);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    hear();
    for (int i = 0; i < 9; i++)
        tw_fix_session_receive(r.s, r.now, junk, sizeof junk - 1);
    say("35=1 34=2 112=x");
    ok(strcmp(hear(), "35=0 34=2 112=x") == 0 && happened("DROPPED", (char[4200]){0}),
       "R2: what is garbled is ignored");
    ok(!happened("DROPPED", (char[4200]){0}), "and told once for all in a row");
    p = whole(TW_FIX_42, "35=1|34=3|49=PEER|52=x|56=US|112=y|", &n);
    p[n - 3] ^= 1;
    tw_fix_session_receive(r.s, r.now, p, n);
    ok(*hear() == 0 && tw_fix_session_status(r.s).next_in == 3, "R2: a wrong CheckSum");
    free(p);
    say("35=1 34=3 112=y");
    say("35=1 34=4 112=y ,=z");
    ok(happened("DROPPED", (char[4200]){0})
       && tw_fix_session_status(r.s).garbled == 11
       && tw_fix_session_status(r.s).next_in == 4, "R2: what is no field");
    hear();
    p = whole(TW_FIX_42, "35=1|34=3|49=PEER|52=x|56=US|112=y|", &n);
    snprintf(text, sizeof text, "35=1|34=3|49=PEER|52=x|56=US|112=%s|", p);
    free(p);
    p = whole(TW_FIX_42, text, &n);
    p[n - 3] ^= 1;
    tw_fix_session_receive(r.s, r.now, p, n);
    collect();
    ok(*hear() == 0, "R2: nothing within it is a message");
    free(p);
    p = whole(TW_FIX_41, "35=1|34=3|49=PEER|52=x|56=US|112=y|", &n);
    tw_fix_session_receive(r.s, r.now, p, n);
    collect();
    ok(strcmp(hear(), "35=5 34=4 58=Incorrect_BeginString") == 0, "R12: BeginString");
    free(p);
    close_rig();
    stranger();
    open_rig(&acceptor, TW_FIX_42, 0);
    play("connect");
    tw_fix_session_receive(r.s, r.now, junk, sizeof junk - 1);
    ok(tw_fix_session_closing(r.s), "R2: as the first thing it is the end");
    close_rig();
}

static void on(const struct tw_fix_session_options *o)
{
    open_rig(o, TW_FIX_42, 1 << 16);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    hear();
}

static void give(const char *p, size_t n)
{
    tw_fix_session_receive(r.s, r.now, p, n);
    collect();
}

static struct tw_fix_cuts cuts(void)
{
    return tw_fix_session_status(r.s).cuts;
}

/* Where a message ends that is too long nobody knows: its bytes may look like others. */
static void too_long(void)
{
    static const char head[] = "8=FIX.4.2\0019=5000\00135=D\00134=2\00195=4000\00196=";
    static const char far[] = "8=FIX.4.2\0019=999999999\00135=D\001";
    char many[3000];
    const char *left;
    size_t n;
    char *p;

    on(&acceptor);
    give(head, sizeof head - 1);
    left = tw_fix_session_closing(r.s);
    ok(left && strcmp(left, "BodyLength 5000 is past the limit of 4096 bytes") == 0
       && strcmp(hear(), "35=5 34=2 58=BodyLength_5000_is_past_the_limit_of_4096_bytes")
          == 0, "a BodyLength past the limit ends the connection: %s", left ? left : "");
    say("35=D 34=2 11=a 21=1 55=A 54=1 60=T 38=1 40=1");
    ok(r.messages == 0 && cuts().oversized == 1 && cuts().noise == 0
       && tw_fix_session_status(r.s).garbled == 0,
       "it is counted as such; what it holds is no message");
    hang_up();
    play("connect");
    give(far, sizeof far - 1);
    left = tw_fix_session_closing(r.s);
    ok(left && strncmp(left, "the first message: BodyLength 999999999", 39) == 0
       && *hear() == 0 && cuts().oversized == 2, "also as the first thing: %s",
       left ? left : "");
    close_rig();

    on(&acceptor);
    n = (size_t)sprintf(many, "35=B|34=2|49=PEER|52=20240102-12:00:00|56=US|148=x|");
    for (int i = 0; i < 99; i++) n += (size_t)sprintf(many + n, "58=%d|", i);
    p = whole(TW_FIX_42, many, &n);
    give(p, n);
    free(p);
    left = tw_fix_session_closing(r.s);
    ok(left && strstr(left, "fields") && cuts().oversized == 1
       && strstr(hear(), "35=5 34=2 58=the_peer_sent_"), "so do too many fields: %s",
       left ? left : "");
    close_rig();
}

/* Up to message_max bytes in a row may be no message. */
static void noise(void)
{
    static const char begun[] = "8=FIX.4.2\0019=5\00135=0\00110=999\001";
    char junk[4096];
    const char *left;
    size_t given = 0;

    on(&acceptor);
    memset(junk, 'x', sizeof junk);
    give(junk, 4000);
    say("35=1 34=2 112=x");
    ok(strcmp(hear(), "35=0 34=2 112=x") == 0, "R2: garbage between messages is ignored");
    give(junk, 4096);
    say("35=1 34=3 112=y");
    ok(strcmp(hear(), "35=0 34=3 112=y") == 0 && cuts().noise == 0,
       "again and again, and as much of it as a message may have");
    for (int i = 0; i < 4096; i++) give(junk, 1);
    ok(!tw_fix_session_closing(r.s) && cuts().noise == 0, "also in single bytes");
    give(junk, 6);   /* some of it may yet be the beginning of a message */
    left = tw_fix_session_closing(r.s);
    ok(left && strstr(left, " bytes without a message") && cuts().noise == 1
       && strncmp(hear(), "35=5 34=4 58=", 13) == 0, "more of it ends the connection: %s",
       left ? left : "");
    give(junk, 4096);
    ok(cuts().noise == 1, "once");
    hang_up();
    play("connect");
    say("35=A 34=4 98=0 108=30");
    hear();
    while (!tw_fix_session_closing(r.s) && given < 1 << 20) {
        give(begun, sizeof begun - 1);
        given += sizeof begun - 1;
    }
    ok(cuts().noise == 2 && given > 4096 && given < 4096 + 2 * sizeof begun,
       "so do messages that are none, after %zu bytes", given);
    close_rig();
}

/* What is sent again waits for a peer that reads slowly. */
static void slow_reader(void)
{
    unsigned again = 0;
    size_t n;
    char *p;

    open_rig(&(struct tw_fix_session_options){ .output_max = 2000 }, TW_FIX_44, 1 << 16);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    for (int i = 0; i < 99; i++) send_app("D 58=012345678901234567890123456789");
    r.n = 0;
    p = whole(TW_FIX_44, "35=2|34=2|49=PEER|52=20240102-12:00:00|56=US|7=2|16=0|", &n);
    tw_fix_session_receive(r.s, r.now, p, n);
    free(p);
    ok(!tw_fix_session_closing(r.s), "what is sent again waits until the peer reads");
    collect();
    pass(1, false);
    for (size_t i = 0; i + 6 < r.n; i++)
        again += memcmp(r.in + i, "\00143=Y\001", 6) == 0;
    ok(again == 99 && !tw_fix_session_closing(r.s), "then all of it comes (%u)", again);
    close_rig();
}

static int send_text(const char *text, size_t n, struct tw_error *error)
{
    struct tw_fix_output *out;
    int rc = tw_fix_session_begin(r.s, r.now, "D", NULL, 0, &out, error);

    if (rc < 0) return rc;
    tw_fix_put_text(out, 58, text, n);
    return tw_fix_session_send(r.s, NULL, error);
}

/* How many go, until one is refused, or a thousand. */
static unsigned send_many(const char *text, size_t n, int *rc, struct tw_error *error)
{
    unsigned sent = 0;

    while (sent < 1000 && (*rc = send_text(text, n, error)) >= 0) sent++;
    return sent;
}

/* A peer that does not read. */
static void no_reader(void)
{
    struct tw_error error = {0};
    char text[1000];
    unsigned sent;
    int rc;

    open_rig(&(struct tw_fix_session_options){ .output_max = 10000 }, TW_FIX_44, 1 << 20);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    memset(text, 'x', sizeof text);
    sent = send_many(text, sizeof text, &rc, &error);
    ok(rc == TW_EFULL && sent < 12 && tw_fix_session_closing(r.s),
       "a peer that does not read is cut off: %s", error.text);
    ok(cuts().unread == 1, "and counted");
    r.now.steady_ns += 3000000000;
    tw_fix_session_tick(r.s, r.now);
    ok(tw_fix_session_status(r.s).waiting == 0, "nor is it waited for");
    ok(tw_fix_session_status(r.s).next_out == sent + 2,
       "and no number is lost");
    close_rig();
}

static struct { char all[1 << 20]; size_t n; } said;   /* by the session, in order */

static void note_said(void *ctx, bool incoming, const char *p, size_t n)
{
    (void)ctx;
    if (incoming || said.n + n > sizeof said.all) return;
    memcpy(said.all + said.n, p, n);
    said.n += n;
}

/* A peer that takes a part, a disk that is behind: what waits is moved to the front of
 * its room while both are under way, and goes out as it was said, but not before the
 * disk has it. */
static void partial_writes(void)
{
    struct tw_error error;
    struct tw_fix_store_job job;
    bool syncing = false, right = true;
    size_t gone = 0, safe = 0, marked = 0, n;
    char path[PLACE], text[900];
    const char *p;

    place_file(path);
    open_rig(&(struct tw_fix_session_options){ .output_max = 20000,
                                               .synced = true }, TW_FIX_44, 0);
    tw_fix_session_free(r.s);
    tw_fix_store_close(r.store);
    r.store = r.o.store = tw_fix_store_open(&(struct tw_fix_store_options){
        .path = path, .now_ns = r.now.time_ns, .sync = TW_FIX_SYNC_EACH }, &error);
    r.o.handlers.log = note_said;
    r.s = tw_fix_session_new(&r.o, &error);
    memset(text, 'x', sizeof text);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    for (int turn = 0; turn < 3000 && right; turn++) {
        size_t waits = said.n - gone;

        if (waits < 15000 && said.n + 2000 < sizeof said.all)
            for (uint64_t k = next() % 4; k > 0; k--)
                right &= send_text(text, next() % sizeof text + 1, &error) == TW_OK;
        if (!syncing && next() % 2 && tw_fix_session_sync_begin(r.s, &job)) {
            syncing = true;
            marked = said.n;
        } else if (syncing && next() % 3 == 0) {
            tw_fix_session_sync_end(r.s, &job, tw_fix_store_sync_run(&job));
            syncing = false;
            safe = marked;
        }
        tw_fix_session_output(r.s, &p, &n);
        right &= gone + n == safe && memcmp(p, said.all + gone, n) == 0
              && tw_fix_session_held(r.s) == said.n - safe;
        n = n ? next() % n + 1 : 0;
        tw_fix_session_written(r.s, r.now, n);
        gone += n;
    }
    ok(right && !tw_fix_session_closing(r.s) && gone > sizeof said.all / 2,
       "what waits is moved, and goes out as it was said (%zu bytes)", gone);
    close_rig();
    unlink(path);
}

/* What headers have in common is kept as text: with all fields, also where it is too
 * long for that, and at another time. */
static void headers(void)
{
    static const int64_t ns[] = { 0, 0, 1500000000, 1000000 };
    char long_text[301], want[700];

    memset(long_text, 'x', 300);
    long_text[300] = 0;
    for (int longer = 0; longer < 2; longer++) {
        struct tw_fix_session_options o = {
            .sender_sub = longer ? long_text : "DESK", .target_sub = "BOOK",
            .sender_location = "LON", .target_location = "NYC", .last_processed = true,
        };
        bool right = true;

        open_rig(&o, TW_FIX_44, 1 << 16);
        play("connect");
        say("35=A 34=1 98=0 108=30");
        for (int i = 0; i < 4; i++) {
            struct tw_fix_output *out;
            struct tw_error error;
            char time[TW_FIX_TIME_TEXT + 1] = "";

            r.n = 0;
            r.now.time_ns += ns[i];
            tw_fix_time_text(r.now.time_ns, TW_FIX_MS, time);
            time[21] = 0;
            snprintf(want, sizeof want, "|35=D|34=%d|49=US|50=%s|52=%s|56=PEER|57=BOOK|"
                     "142=LON|143=NYC|369=1|58=x|10=", 2 + i, o.sender_sub, time);
            right = right
                && tw_fix_session_begin(r.s, r.now, "D", NULL, 0, &out, &error) == TW_OK;
            if (right) tw_fix_put_text(out, 58, "x", 1);
            right = right && tw_fix_session_send(r.s, NULL, &error) == TW_OK;
            collect();
            right = right && strstr(shown(r.in, r.n), want);
        }
        ok(right, "headers%s", longer ? " that are long" : "");
        close_rig();
    }
}

/* R3: 52 has no parts of a second before 4.2. */
static void sending_times(void)
{
    bool right = true;

    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++) {
        open_rig(&initiator, (enum tw_fix_version)v, 0);
        play("connect");
        right &= strstr(shown(r.in, r.n), v < TW_FIX_42 ? "|52=20240102-12:00:00|"
                                                        : "|52=20240102-12:00:00.000|")
              != NULL;
        close_rig();
    }
    ok(right, "R3: milliseconds from 4.2 on");
}

static void send_errors(void)
{
    struct tw_fix_output *out;
    struct tw_error error = {0};
    static char text[9000];
    uint64_t seq = 0;

    open_rig(&acceptor, TW_FIX_44, 4096);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    hear();
    memset(text, 'x', sizeof text);
    tw_fix_session_begin(r.s, r.now, "D", NULL, 0, &out, &error);
    tw_fix_put_text(out, 58, text, sizeof text);
    ok(tw_fix_session_send(r.s, NULL, &error) == TW_EFULL, "too large: %s", error.text);
    tw_fix_session_begin(r.s, r.now, "D", NULL, 0, &out, &error);
    tw_fix_put_text(out, 58, "a\001b", 3);
    ok(tw_fix_session_send(r.s, NULL, &error) == TW_EFORMAT, "SOH: %s", error.text);
    tw_fix_session_begin(r.s, r.now, "D", NULL, 0, &out, &error);
    tw_fix_put_text(out, 58, "fine", 4);
    ok(tw_fix_session_send(r.s, &seq, &error) == TW_OK && seq == 2,
       "neither has used a number");
    collect();
    ok(strcmp(hear(), "35=D 34=2 58=fine") == 0 && *hear() == 0, "nor was sent");
    close_rig();
}

/* A store that is too small forgets, and that is told. */
static void forgotten(void)
{
    char got[4200];

    open_rig(&acceptor, TW_FIX_44, 4096);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    for (int i = 0; i < 100; i++) send_app("D 11=x");
    while (*hear()) continue;
    say("35=2 34=2 7=1 16=0");
    ok(happened("FORGOTTEN 1", got), "what is not kept any more is told of: %s", got);
    ok(strncmp(hear(), "35=4 34=1 43=Y", 14) == 0
       && strncmp(hear(), "35=D 34=", 8) == 0, "and filled");
    close_rig();
}

/* A limit on the size of files is a disk that is full. */
static void full_disk(void)
{
    struct rlimit old, small = { 100000, RLIM_INFINITY };
    struct tw_error error = { .text = "" };
    char path[PLACE], text[3000], got[4200];
    int rc;
    uint64_t sent;

    place_file(path);
    open_rig(&acceptor, TW_FIX_44, 0);
    tw_fix_session_free(r.s);
    tw_fix_store_close(r.store);
    r.store = r.o.store = tw_fix_store_open(&(struct tw_fix_store_options){
        .path = path, .now_ns = r.now.time_ns }, &error);
    r.s = tw_fix_session_new(&r.o, &error);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    memset(text, 'x', sizeof text);
    sent = send_many(text, sizeof text, &rc, &error);
    ok(rc < 0 && happened("STORE_FAILED", got)
       && tw_fix_session_status(r.s).next_out == sent + 2, "a full disk: %s", error.text);
    collect();
    r.n = 0;
    snprintf(got, sizeof got, "F 11=2|41=1|58=%.400s", text);
    for (int i = 0; i < 20; i++) send_app(got);
    setrlimit(RLIMIT_FSIZE, &old);
    ok(strncmp(hear(), "35=F 34=", 8) == 0
       && tw_fix_session_status(r.s).next_out == sent + 22,
       "cancels go out nevertheless");
    collect();
    r.n = 0;
    say("35=1 34=2 112=x");
    ok(strncmp(hear(), "35=0 34=", 8) == 0, "the session goes on");
    send_app("D 11=a");
    ok(strncmp(hear(), "35=D 34=", 8) == 0, "and sends when there is room again");
    close_rig();
    unlink(path);
}

static void wrong_options(void)
{
    struct tw_error error = {0};
    struct tw_fix_session_options o;

    open_rig(&acceptor, TW_FIX_44, 0);
    o = r.o;
    o.sender = NULL;
    ok(!tw_fix_session_new(&o, &error) && error.code == TW_EUSAGE, "%s", error.text);
    o = r.o;
    o.precision = 4;
    ok(!tw_fix_session_new(&o, &error) && error.code == TW_EUSAGE, "%s", error.text);
    o = r.o;
    o.heartbeat_s = -1;
    ok(!tw_fix_session_new(&o, &error) && error.code == TW_EUSAGE, "%s", error.text);
    ok(tw_fix_session_set_numbers(r.s, 0, 1, &error) == TW_EUSAGE, "%s", error.text);
    close_rig();
}

static void no_memory(void)
{
    struct tw_error error = {0};
    struct tw_fix_session *s = NULL;
    int failed = 0;

    open_rig(&acceptor, TW_FIX_44, 0);
    for (uint64_t n = 1; !s; n++) {
        tw_memory_fail_at(n);
        s = tw_fix_session_new(&r.o, &error);
        failed += !s && error.code == UV_ENOMEM;
    }
    tw_memory_fail_at(0);
    ok(failed >= 6, "no memory is an error (%d)", failed);
    tw_fix_session_free(s);
    close_rig();
}

/* One byte at a time is the same as all at once. */
static void bytewise(void)
{
    static const char *const lines[] = {
        "35=A|34=1|49=PEER|52=20240102-12:00:00|56=US|98=0|108=30|",
        "35=1|34=3|49=PEER|52=20240102-12:00:00|56=US|112=b|",
        "35=1|34=2|49=PEER|52=20240102-12:00:00|56=US|112=a|",
        "35=2|34=4|49=PEER|52=20240102-12:00:00|56=US|7=1|16=0|",
        "35=5|34=5|49=PEER|52=20240102-12:00:00|56=US|",
    };
    static char all[4000], written[2][WIRE];
    size_t n = 0, length[2];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        size_t part;
        char *p = whole(TW_FIX_44, lines[i], &part);

        memcpy(all + n, p, part);
        n += part;
        if (i == 1) n += (size_t)sprintf(all + n, "junk8=FI");
        free(p);
    }
    for (int turn = 0; turn < 2; turn++) {
        size_t step = turn ? 1 : n, given = 0, at = 0;

        open_rig(&acceptor, TW_FIX_44, 0);
        play("connect");
        while (at < n && given < n) {
            char *copy;

            given += step;
            copy = malloc(given - at);
            memcpy(copy, all + at, given - at);
            at += tw_fix_session_receive(r.s, r.now, copy, given - at);
            free(copy);
            collect();
        }
        memcpy(written[turn], r.in, r.n);
        length[turn] = r.n;
        close_rig();
    }
    ok(length[0] == length[1] && length[0] > 500
       && memcmp(written[0], written[1], length[0]) == 0,
       "one byte at a time is as all at once");
}

int main(void)
{
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++)
        dictionaries[v] = dictionary((enum tw_fix_version)v, NULL);
    garbled();
    too_long();
    noise();
    slow_reader();
    no_reader();
    partial_writes();
    headers();
    sending_times();
    send_errors();
    forgotten();
    full_disk();
    wrong_options();
    no_memory();
    bytewise();
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++)
        tw_fix_dictionary_free(dictionaries[v]);
    return tap_done();
}
