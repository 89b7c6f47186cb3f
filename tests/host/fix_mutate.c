/* fix_mutate.c - messages that are nearly right: nothing is read outside of them, a wrong
 * sum never passes, and the one pass for what is fine agrees with the ordered ones.  And
 * sessions that are nearly right: their bounds hold, none spins, and none is stuck: the
 * next connection comes up.
 *
 * MUTATIONS=10000000 in the environment changes so much of sessions. */
#include "fix/session.h"

#include "fix_rig.h"
#include "random.h"
#include "tap.h"

#define HEAD "34=2|49=TW|52=20260102-10:00:00|56=ISLD|"

/* Of messages with more fields than a form has shapes: twelve entries; ten parties of
 * which each second one has two of what the others have one. */
#define FOUR "269=0|270=1|269=1|270=2|269=0|270=1|269=1|270=2|"
#define TWELVE FOUR FOUR FOUR
#define PARTIES "448=A|447=D|452=1|802=1|523=s|803=1|" \
    "448=A|447=D|452=1|802=2|523=s|803=1|523=t|803=1|"
#define TEN PARTIES PARTIES PARTIES PARTIES PARTIES

enum { TEXT = 1024 };

static const char *const valid[] = {
    "35=A|" HEAD "98=0|108=30|141=Y|384=2|372=D|385=R|372=8|385=S|",
    "35=0|" HEAD "112=TEST|",
    "35=D|" HEAD "1=ACC|453=2|448=A|447=D|452=1|802=1|523=s|803=1|448=B|447=D|452=3|"
    "11=ID|21=1|18=1 2|55=INTC|54=1|60=20260102-10:00:00.123|38=100|40=2|44=10.25|59=0|",
    "35=W|" HEAD "262=R|55=A|268=3|269=0|270=1.5|271=100|269=1|270=1.6|271=5|269=2|"
    "270=1.55|271=7|",
    "35=X|" HEAD "262=R|268=2|279=1|269=0|278=1|55=A|270=1.5|271=1|279=2|269=1|55=B|",
    "35=8|" HEAD "37=O|11=C|17=E|150=F|39=2|55=A|54=1|38=100|32=100|31=1.5|151=0|14=100|"
    "6=1.5|60=20260102-10:00:00|",
    "35=V|" HEAD "262=R|263=1|264=1|265=1|267=2|269=0|269=1|146=2|55=A|55=B|",
    "35=B|" HEAD "148=News|33=1|58=line|95=5|96=a|b=c|",
    "35=W|" HEAD "262=R|55=A|268=60|" TWELVE TWELVE TWELVE TWELVE TWELVE,
    "35=D|" HEAD "453=20|" TEN TEN "11=I|55=A|54=1|60=20260102-10:00:00|38=1|40=1|",
    "35=0|34=2|49=TW|56=ISLD|52=20260102-10:00:00|627=1|628=H|629=20260102-10:00:00|",
};
enum { VALID = sizeof valid / sizeof *valid };

static const struct tw_fix_dictionary *d;
static struct tw_fix_message m;

static uint64_t below(uint64_t n) { return next() % n; }

/* The field around text[at]: where it begins, and ends behind its |. */
static size_t field_at(const char *text, size_t at, size_t *end)
{
    size_t first = at;

    while (first > 0 && text[first - 1] != '|') first--;
    *end = at;
    while (text[*end] && text[*end] != '|') ++*end;
    if (text[*end]) ++*end;
    return first;
}

/* One change that leaves it a list of fields, or nearly. */
static void mutate(char *text)
{
    static const char bytes[] = "0123456789|=.-:AYNZ +\177\200";
    size_t n = strlen(text), at = below(n), end, first = field_at(text, at, &end);
    size_t other_end, other = field_at(text, below(n), &other_end);
    char field[TEXT];

    if (first < 5 || other < 5 || n + (end - first) + 2 > TEXT) return;
    memcpy(field, text + first, end - first);
    switch (below(6)) {
    case 0: text[at] = bytes[below(sizeof bytes - 1)]; break;
    case 1: memmove(text + first, text + end, n + 1 - end); break;
    case 2:
        memmove(text + other + (end - first), text + other, n + 1 - other);
        memcpy(text + other, field, end - first);
        break;
    case 3:   /* no value */
        for (at = first; at < end && text[at] != '='; at++) {}
        if (at + 1 < end) memmove(text + at + 1, text + end - 1, n + 2 - end);
        break;
    case 4:   /* moved */
        memmove(text + first, text + end, n + 1 - end);
        n -= end - first;
        if (other > n) other = n;
        field_at(text, other ? other - 1 : 0, &other);
        memmove(text + other + (end - first), text + other, n + 1 - other);
        memcpy(text + other, field, end - first);
        break;
    default:
        memmove(text + at + 1, text + at, n + 1 - at);
        text[at] = bytes[below(sizeof bytes - 1)];
    }
}

/* Goes through all of a part, groups in groups; the fields seen. */
static uint32_t visit(const struct tw_fix_part *p)
{
    uint32_t n = 0;

    for (uint32_t i = p->first; i < p->end; i = tw_fix_part_after(p, i)) {
        struct tw_fix_group g;
        struct tw_fix_part entry;
        uint32_t after = tw_fix_part_after(p, i);

        n++;
        /* One that comes twice is found where it comes first. */
        if (after == i + 1
            || tw_fix_part_find(p, p->message->fields[i].tag) != &p->message->fields[i]
            || !tw_fix_part_group(p, p->message->fields[i].tag, &g)) continue;
        while (tw_fix_group_next(&g, &entry)) n += visit(&entry);
    }
    return n;
}

/* What is true of any message that could be read. */
static bool holds(void)
{
    struct tw_fix_part body = tw_fix_part_body(&m);
    const struct tw_fix_field resent[] = { { 43, 1, "Y" }, { 122, 1, "x" } };
    uint32_t n = m.n, body_fields = m.trailer - m.body;
    size_t length = m.length;
    struct tw_fix_output o;
    char *out = malloc(length + 64), *p;
    int64_t made;
    bool right = visit(&body) <= body_fields;

    if (!out) abort();
    right = right && tw_fix_check(&m, TW_FIX_CHECK_OFF).reason == TW_FIX_FINE;
    tw_fix_begin(&o, out, length + 64, "FIX.4.4", "D", 1);
    tw_fix_put_body(&o, &m, true);
    made = tw_fix_finish(&o, &p);
    right = right && made > 0;
    made = tw_fix_write_again(&m, resent, 2, out, length + 64, &p);
    right = right && made > 0 && take(&m, d, p, (size_t)made) == TW_OK && m.n >= n;
    free(out);
    return right;
}

/* A block of just its bytes, so that one too far is found. */
static char *exactly(const char *p, size_t n)
{
    char *block = malloc(n);

    if (!block) abort();
    return memcpy(block, p, n);
}

static struct tw_fix_verdict judge(const char *text, unsigned flags, int *read)
{
    struct tw_fix_verdict v = { .reason = -2 };
    size_t n;
    char *p = whole(TW_FIX_44, text, &n), *block = exactly(p, n);

    *read = take(&m, d, block, n);
    if (*read == TW_OK) v = tw_fix_check(&m, flags);
    free(block);
    free(p);
    return v;
}

static void starts(void)
{
    for (int i = 0; i < VALID; i++) {
        int read;

        ok(judge(valid[i], TW_FIX_CHECK_STRICT | 8, &read).reason == TW_FIX_FINE,
           "%.4s is fine", valid[i]);
    }
}

static void mutations(long times)
{
    static const unsigned flags[] = {
        TW_FIX_CHECK_STRICT, TW_FIX_CHECK_LENIENT, TW_FIX_CHECK_STRICT | 8,
    };
    long fine = 0, refused = 0, garbled = 0, wrong = 0;

    for (long i = 0; i < times; i++) {
        char text[2 * TEXT], signed_text[2 * TEXT + 20];
        unsigned with = flags[below(3)];
        struct tw_fix_verdict a, b;
        uint32_t fields;
        int read;

        strcpy(text, valid[below(VALID)]);
        for (uint64_t k = 1 + below(3); k > 0; k--) mutate(text);
        if (!*text || text[strlen(text) - 1] != '|') strcat(text, "|");
        a = judge(text, with, &read);
        fields = m.n;
        if (read != TW_OK) {
            garbled++;
            continue;
        }
        if (a.reason == TW_FIX_FINE) fine++;
        else refused++;
        /* A signature is fine, and keeps the message from the quick pass. */
        if (strstr(text, "|93=") || strstr(text, "|89=") || strstr(text, "|10="))
            continue;
        snprintf(signed_text, sizeof signed_text, "%s93=1|89=S|", text);
        b = judge(signed_text, with, &read);
        if (read == TW_OK && m.n != fields + 2) continue;   /* of the data before it */
        if (read != TW_OK || a.reason != b.reason || a.tag != b.tag) {
            if (wrong++ < 5)
                printf("# %s: %d %d, %d %d\n", text, a.reason, a.tag, b.reason, b.tag);
        }
    }
    ok(wrong == 0 && fine && refused && garbled,
       "both ways to check agree (%ld fine, %ld refused, %ld garbled)", fine, refused,
       garbled);
}

/* Bytes of values changed, and those of counts; never a tag. */
static void mutate_values(char *text)
{
    static const char bytes[] = "0123456789.-:AYNZ +\177\200";

    for (uint64_t k = 1 + below(3); k > 0; k--) {
        size_t at = 5 + below(strlen(text) - 5), first, end;
        char *equals;

        first = field_at(text, at, &end);
        equals = strchr(text + first, '=');
        if (equals && equals < text + at && text[at] != '|')
            text[at] = bytes[below(sizeof bytes - 1)];
    }
}

/* What was learnt from messages before is never taken for what is in this one. */
static void forms(long times)
{
    struct tw_fix_message fresh;
    long fine = 0, refused = 0, wrong = 0;

    for (long i = 0; i < times; i++) {
        const char *from = valid[below(VALID)];
        unsigned with = below(2) ? TW_FIX_CHECK_STRICT : TW_FIX_CHECK_STRICT | 8;
        struct tw_fix_verdict a, b;
        char text[2 * TEXT], *p, *block;
        size_t n;
        int read;

        for (int k = 0; k < 10; k++)   /* it is learnt after eight at most */
            if (judge(from, with, &read).reason != TW_FIX_FINE) wrong++;
        strcpy(text, from);
        if (below(4)) mutate_values(text);
        else mutate(text);
        if (!*text || text[strlen(text) - 1] != '|') strcat(text, "|");
        a = judge(text, with, &read);
        p = whole(TW_FIX_44, text, &n);
        block = exactly(p, n);
        if (tw_fix_message_init(&fresh, 0, 200) < 0) abort();
        if (take(&fresh, d, block, n) != read) wrong++;
        if (read == TW_OK) {
            b = tw_fix_check(&fresh, with);
            if (a.reason == TW_FIX_FINE) fine++;
            else refused++;
            if ((a.reason != b.reason || a.tag != b.tag || m.n != fresh.n
                 || m.body != fresh.body || m.trailer != fresh.trailer
                 || m.scattered != fresh.scattered) && wrong++ < 5)
                printf("# %s: %d %d, %d %d\n", text, a.reason, a.tag, b.reason, b.tag);
        }
        tw_fix_message_fini(&fresh);
        free(block);
        free(p);
    }
    ok(wrong == 0 && fine && refused,
       "a message after others is judged as one alone (%ld fine, %ld refused)", fine,
       refused);
}

static void uses(long times)
{
    long wrong = 0;

    for (long i = 0; i < times; i++) {
        char text[2 * TEXT], *p, *block;
        size_t n;

        strcpy(text, valid[below(VALID)]);
        for (uint64_t k = below(4); k > 0; k--) mutate(text);
        if (!*text || text[strlen(text) - 1] != '|') strcat(text, "|");
        p = whole(TW_FIX_44, text, &n);
        block = exactly(p, n);
        if (take(&m, d, block, n) == TW_OK && !holds() && wrong++ < 5)
            printf("# %s\n", text);
        free(block);
        free(p);
    }
    ok(wrong == 0, "what can be read can be walked through and written again");
}

static void flips(long times)
{
    long wrong = 0, passed = 0;

    for (long i = 0; i < times; i++) {
        size_t n;
        char *p = whole(TW_FIX_44, valid[below(VALID)], &n), *block;
        struct tw_fix_frame f;
        unsigned sum = 0;

        for (uint64_t k = 1 + below(3); k > 0; k--) p[below(n)] ^= (char)(1 + below(255));
        block = exactly(p, n);
        if (tw_fix_message_frame(&m, block, n, &f) == TW_FIX_WHOLE) {
            size_t end = f.header + f.body;

            passed++;
            for (size_t k = 0; k < end; k++) sum += (unsigned char)block[k];
            wrong += (sum & 255) != (unsigned)atoi(block + end + 3);
            if (tw_fix_message_read(&m, d, block, &f) == TW_OK)
                tw_fix_check(&m, TW_FIX_CHECK_STRICT);
        }
        free(block);
        free(p);
    }
    ok(wrong == 0, "a wrong sum never passes (%ld that changes left right)", passed);
}

static void prefixes(void)
{
    bool right = true;

    for (int i = 0; i < VALID; i++) {
        size_t n;
        char *p = whole(TW_FIX_44, valid[i], &n);
        struct tw_fix_frame f;

        for (size_t k = 0; k < n; k++) {
            char *block = exactly(p, k ? k : 1);

            right = right && tw_fix_message_frame(&m, block, k, &f) == TW_FIX_PARTIAL;
            free(block);
        }
        right = right && take(&m, d, p, n) == TW_OK;
        free(p);
    }
    ok(right, "a byte at a time is partial until it is whole");
}

/* ---- sessions ---- */

enum { STEPS = 12, ORDER = 2 * STEPS, OUTPUT = 20000, MESSAGE = 4000, HELD = 1 << 16,
       SPINS = 3, RUNS = 500 };

#define PEER "|49=PEER|52=20260102-10:00:00|56=US|"
#define DUP "|49=PEER|43=Y|52=20260102-10:00:00|56=US|122=20260102-10:00:00|"
#define ORDER_OF(id) "11=" id "|21=1|55=A|54=1|60=20260102-10:00:00|38=1|40=1|"

/* What a peer says from its Logon to its Logout. */
static const char *const day[STEPS] = {
    "35=A|34=1" PEER "98=0|108=30|",
    "35=D|34=2" PEER ORDER_OF("a"),
    "35=1|34=3" PEER "112=PING|",
    "35=X|34=4" PEER "262=R|268=2|279=1|269=0|278=1|55=A|270=1.5|271=1|279=2|269=1|55=B|",
    "35=2|34=5" PEER "7=1|16=0|",
    "35=D|34=8" PEER ORDER_OF("d"),
    "35=D|34=6" DUP ORDER_OF("b"),
    "35=4|34=7" DUP "123=Y|36=9|",
    "35=3|34=9" PEER "45=2|58=no|",
    "35=4|34=10" PEER "36=15|",
    "35=0|34=15" PEER,
    "35=5|34=16" PEER "58=bye|",
};

static struct play {
    struct tw_fix_session *s;
    struct tw_fix_store *store;
    struct tw_fix_dictionary *d;
    enum tw_fix_version v;
    bool initiator;
    struct tw_fix_now now;
    char held[HELD];              /* what came and was not taken yet */
    size_t held_n;
    long loose, spins, stuck, ups;
} y;

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *message)
{
    struct tw_fix_output *o;

    (void)ctx;
    if (message->n % 7 == 0) return TW_FIX_UNSUPPORTED;
    if (tw_fix_session_begin(y.s, y.now, "D", NULL, 0, &o, NULL) == TW_OK) {
        tw_fix_put_body(o, message, true);
        tw_fix_session_send(y.s, NULL, NULL);
    }
    return TW_FIX_TAKEN;
}

static void open_play(void)
{
    unsigned how = (unsigned)next();

    y.v = (enum tw_fix_version)below(TW_FIX_50SP2 + 1);
    y.d = dictionary(y.v, NULL);
    y.initiator = how & 1;
    y.now = (struct tw_fix_now){ INT64_C(1767348000000000000), 7000000000 };
    y.store = tw_fix_store_open(&(struct tw_fix_store_options){
        .now_ns = y.now.time_ns, .bytes = 8192 }, NULL);
    y.s = tw_fix_session_new(&(struct tw_fix_session_options){
        .dictionary = y.d, .store = y.store, .sender = "US", .target = "PEER",
        .initiator = y.initiator, .heartbeat_s = 30, .check = (unsigned)below(128),
        .next_expected = how & 2, .last_processed = how & 4,
        .resend_chunk = how >> 3 & 3, .resend_rate = how & 32 ? 50 : 0,
        .latency_s = how & 64 ? -1 : 0, .reset_on_logout = how & 128,
        .early_max = 3000, .output_max = OUTPUT, .message_max = MESSAGE,
        .fields_max = 100, .handlers = { .message = on_message },
    }, NULL);
    if (!y.s || !y.store) abort();
}

static void close_play(void)
{
    tw_fix_session_disconnected(y.s, y.now, NULL);
    tw_fix_session_free(y.s);
    tw_fix_store_close(y.store);
    tw_fix_dictionary_free(y.d);
}

/* Some of what waits is read; all of it where part is 0. */
static void read_out(uint64_t part)
{
    const char *p;
    size_t n;

    do {
        tw_fix_session_output(y.s, &p, &n);
        tw_fix_session_written(y.s, y.now, part ? n * part / 4 : n);
    } while (n > 0 && !part);
}

/* Bytes come, in pieces; what is not a whole message yet comes again, with more. */
static void feed(const char *p, size_t n)
{
    size_t at = 0;

    if (n > HELD - y.held_n) n = HELD - y.held_n;
    memcpy(y.held + y.held_n, p, n);
    y.held_n += n;
    while (at < y.held_n && !tw_fix_session_closing(y.s)) {
        size_t left = y.held_n - at, part = below(2) ? left : 1 + below(left), used;
        char *block = exactly(y.held + at, part);

        used = tw_fix_session_receive(y.s, y.now, block, part);
        free(block);
        y.loose += used > part || tw_fix_session_status(y.s).waiting > OUTPUT + MESSAGE;
        at += used;
        if (used == 0 && part == left) break;
    }
    memmove(y.held, y.held + at, y.held_n - at);
    y.held_n -= at;
}

static void connect_anew(void)
{
    tw_fix_session_disconnected(y.s, y.now, NULL);
    tw_fix_session_connected(y.s, y.now, NULL);
    y.held_n = 0;
}

/* Time passes, up to the next thing to do or a while; where it has to be done at once
 * again and again, it spins. */
static void pass(int64_t at_most)
{
    for (int i = 0; ; i++) {
        int64_t step = tw_fix_session_wakes(y.s, y.now) - y.now.steady_ns;

        if (step > at_most) step = at_most;
        if (step > 0 || i == SPINS) {
            y.spins += i == SPINS;
            y.now.steady_ns += step;
            y.now.time_ns += step;
            tw_fix_session_tick(y.s, y.now);
            return;
        }
        tw_fix_session_tick(y.s, y.now);
    }
}

static void command(void)
{
    struct tw_fix_output *o;

    switch (below(5)) {
    case 0: tw_fix_session_logout(y.s, y.now, "bye"); break;
    case 1: tw_fix_session_reset(y.s, y.now); break;
    case 2: tw_fix_session_set_numbers(y.s, 1 + below(20), 1 + below(20), NULL); break;
    case 3: tw_fix_session_enable(y.s, y.now, below(2)); break;
    default:
        if (tw_fix_session_begin(y.s, y.now, "8", NULL, 0, &o, NULL) < 0) return;
        tw_fix_put_text(o, 37, "x", 1);
        tw_fix_session_send(y.s, NULL, NULL);
    }
}

static void say(const char *text)
{
    size_t n;
    char *p = whole(y.v, text, &n);

    feed(p, n);
    free(p);
}

/* A peer that does all right comes up, is answered and leaves. */
static bool comes_back(void)
{
    struct tw_fix_session_status st;
    char text[300];
    const char *p;
    size_t n;
    bool answered;

    tw_fix_session_disconnected(y.s, y.now, NULL);
    tw_fix_session_enable(y.s, y.now, true);
    if (tw_fix_session_status(y.s).next_in > INT64_MAX - 100
        || tw_fix_session_status(y.s).next_out > INT64_MAX - 100)
        tw_fix_session_reset(y.s, y.now);
    y.now = (struct tw_fix_now){ INT64_C(1767348000000000000), 7000000000 };
    connect_anew();
    st = tw_fix_session_status(y.s);
    sprintf(text, "35=A|34=%llu" PEER "98=0|108=30|%s", (unsigned long long)st.next_in,
            y.v >= TW_FIX_50 ? "1137=9|" : "");
    say(text);
    read_out(0);
    st = tw_fix_session_status(y.s);
    if (st.state != TW_FIX_UP) return false;
    sprintf(text, "35=1|34=%llu" PEER "112=PROOF|", (unsigned long long)st.next_in);
    say(text);
    tw_fix_session_output(y.s, &p, &n);
    answered = memmem(p, n, "\001112=PROOF\001", 11);
    tw_fix_session_logout(y.s, y.now, NULL);
    for (int i = 0; i < 5 && !tw_fix_session_closing(y.s); i++)
        pass(INT64_C(60000000000));
    if (!tw_fix_session_closing(y.s)) return false;
    tw_fix_session_disconnected(y.s, y.now, NULL);
    return answered;
}

/* One day, so many things about it changed. */
static void unruly_day(unsigned changes)
{
    int order[ORDER], n = STEPS;
    unsigned hurt[ORDER] = {0};          /* how: bits, by place */

    for (int i = 0; i < n; i++) order[i] = i;
    while (changes-- > 0) {
        int i = (int)below((uint64_t)n), k = (int)below((uint64_t)n);
        unsigned kind = (unsigned)below(9);

        if (kind == 0 && n > 1) {         /* lost */
            memmove(order + i, order + i + 1, (size_t)(--n - i) * sizeof *order);
        } else if (kind == 1 && n < ORDER) {
            order[n++] = order[k];        /* again, later */
        } else if (kind == 2) {
            int step = order[i];

            order[i] = order[k];
            order[k] = step;
        } else {
            hurt[i] |= 1u << kind;
        }
    }
    tw_fix_session_reset(y.s, y.now);
    connect_anew();
    for (int i = 0; i < n; i++) {
        char text[2 * TEXT], *p;
        size_t length;

        strcpy(text, day[order[i]]);
        if (order[i] == 0 && y.v >= TW_FIX_50) strcat(text, "1137=9|");
        if (hurt[i] & 8) mutate(text);
        if (hurt[i] & 16) mutate(text);
        if (!*text || text[strlen(text) - 1] != '|') strcat(text, "|");
        p = whole(y.v, text, &length);
        if (hurt[i] & 32) p[below(length)] ^= (char)(1 << below(8));
        if (hurt[i] & 64) length = below(length);
        feed(p, length);
        free(p);
        if (hurt[i] & 64 || tw_fix_session_closing(y.s)) connect_anew();
        if (hurt[i] & 128) pass((int64_t)below(UINT64_C(40000000000)));
        if (hurt[i] & 256) command();
        else read_out(below(5));
        y.ups += tw_fix_session_status(y.s).state == TW_FIX_UP;
    }
}

/* A peer that says nothing any more is cut off, or is left alone where it wants no
 * heartbeats; so is one that is expected to say something. */
static bool falls_silent(void)
{
    int64_t until = y.now.steady_ns + INT64_C(200000000000);
    enum tw_fix_state state;

    for (int i = 0; i < 100 && y.now.steady_ns < until; i++)
        pass(until - y.now.steady_ns);
    state = tw_fix_session_status(y.s).state;
    return y.now.steady_ns >= until && state != TW_FIX_LOGGING_ON
        && state != TW_FIX_LEAVING;
}

static void unruly_days(long times)
{
    long done = 0, days = 0;

    while (done < times) {
        open_play();
        for (int i = 0; i < RUNS && done < times; i++) {
            unsigned changes = 1 + (unsigned)below(4);
            uint64_t began = seed;

            unruly_day(changes);
            if ((!falls_silent() || !comes_back()) && y.stuck++ < 5)
                printf("# stuck: version %d, initiator %d, seed %llu\n", (int)y.v,
                       y.initiator, (unsigned long long)began);
            done += changes;
            days++;
        }
        close_play();
    }
    ok(y.loose == 0, "%ld changes of %ld sessions: bounds hold", done, days);
    ok(y.spins == 0, "none spins (%ld)", y.spins);
    ok(y.stuck == 0 && y.ups > days, "none is stuck (%ld; up after %ld messages)",
       y.stuck, y.ups);
}

int main(void)
{
    long times = getenv("SMALL") ? 3000 : 60000;
    long changes = getenv("MUTATIONS") ? atol(getenv("MUTATIONS")) : times * 3;
    struct tw_fix_dictionary *made = dictionary(TW_FIX_44, NULL);

    d = made;
    if (tw_fix_message_init(&m, 0, 0) < 0) abort();
    starts();
    prefixes();
    flips(times);
    mutations(times);
    forms(times);
    uses(times);
    unruly_days(changes);
    tw_fix_message_fini(&m);
    tw_fix_dictionary_free(made);
    return tap_done();
}
