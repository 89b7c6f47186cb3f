/* fix_stream.c - a stream of FIX: what is skipped, and that neither chunks nor
 * prefixes, flipped bits, made-up bodies nor the end of a page change what
 * comes out; memory in the steady state. */
#include "fix_run.h"

/* ---- what is no message ---- */

static void skips(void)
{
    struct run *r;
    char text[TEXT], good[400], *p;
    size_t n, g = market(good, 'S', "55=A|132=1|134=2|");
    static const struct { const char *bytes, *why; } bad[] = {
        {"garbage", "'garbage"}, {"8", "'8"}, {"8=F", "'8=F"}, {"888=FI", "'888=FI"},
        {"8=FIX", "'8=FIX"}, {"8=FIX.4.4\0019=\001", "BodyLength"},
        {"8=FIX.4.4\0019=1x\001", "BodyLength 1x is not a number"},
        {"8=FIX.4.4\0019=-5\001", "BodyLength - is not a number"},
        {"8=FIX.4.4\0019=99999999999999999999\001", "is not a number"},
        {"8=FIX.4.4\0019=4294967295\001", "BodyLength 4294967295 is past the limit"},
        {"8=FIX.4.4\0019=1048576\001",
              "BodyLength 1048576 is past the limit of 1048576 bytes"},
        {"8=FIX.4.4\0019=0\001", "BodyLength 0 and no MsgType"},
        {"8=FIX.4.4\0019=5\00134=0\00110=161\001", "BodyLength 5 and no MsgType"},
        {"8=FIX.4.4\0019=5\00135=0\00110=164\001", "CheckSum 164, computed 163"},
        {"8=FIX.4.4\0019=5\00135=0\00110=1x3\001",
              "BodyLength 5 but tag 10 is not there"},
        {"8=FIX.4.4\0019=6\00135=0\00110=163\001",
              "BodyLength 6 but tag 10 is not there"},
        {"8=FIX.4.4\0019=4\00135=0\00110=163\001", "BodyLength 4 and no MsgType"},
        {"\n", "'?'"}, {"8=FIX.4.4\00135=0\001", "'8=FIX.4.4?35=0"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t b = strlen(bad[i].bytes);

        r = run_new(0);
        memcpy(text, good, g);
        memcpy(text + g, bad[i].bytes, b);
        memcpy(text + g + b, good, g);
        memcpy(text + g + b + g, good, g);
        n = feed(r, text, 3 * g + b);
        ok(n == 3 * g + b && r->n == 3 && r->codec->stats.messages == 3 &&
           r->codec->stats.skips == 1 && r->codec->stats.skipped == b && r->problems == 1,
           "between messages: %s", bad[i].why);
        snprintf(text, sizeof text, "offset %zu)", g);
        ok(strstr(r->problem, text) && (strstr(r->problem, bad[i].why) || b < 9),
           "is told of: %s", r->problem);
        run_free(r);
    }

    r = run_new(0);
    memcpy(text, good, g);
    p = memchr(text, '|', g);
    p = strstr(text, "9=");
    p[2] = '9';   /* the declared length reaches into the message behind */
    memcpy(text + g, good, g);
    memcpy(text + 2 * g, good, g);
    feed(r, text, 3 * g);
    ok(r->n == 1 && r->codec->stats.skipped == 2 * g && r->codec->stats.skips == 1,
       "the declared length is dropped, with the message that it reaches into");
    run_free(r);

    r = run_new(0);
    n = message(text, "FIX.4.4", "35=S|" HEAD "55=A|x=1|132=1|134=2|");
    n += message(text + n, "FIX.4.4", "35=S|" HEAD "55=A|132|134=2|");
    n += message(text + n, "FIX.4.4", "35=S|" HEAD "55=A|=1|132=1|134=2|");
    n += message(text + n, "FIX.4.4", "35=S|" HEAD "55=A|12345678=1|132=1|134=2|");
    n += message(text + n, "FIX.4.4", "35=S|" HEAD "55=A||132=1|134=2|");
    ok(feed(r, text, n) == n && r->n == 0 && r->codec->stats.skips == 5 &&
       r->codec->stats.skipped == n && r->codec->stats.messages == 0 && r->problems == 5,
       "what is not made of tag=value is no message");
    run_free(r);

    r = run_new(300);
    ok(r->codec->ops->max_message == 300, "the limit is known to the reader");
    feed(r, "8=FIX.4.4\0019=281\001", 16);
    ok(r->codec->stats.skips == 1, "a length past it is not waited for");
    feed(r, "8=FIX.4.4\0019=277\001", 16);
    ok(r->codec->stats.skips == 1, "a length within it is");
    end(r, "8=FIX.4.4\0019=277\001", 16);
    ok(r->codec->stats.skips == 2 && r->codec->stats.skipped == 32 &&
       r->codec->stats.bytes == 32 && strstr(r->problem, "the stream ended"),
       "until the stream ends");
    feed(r, "?", 1);
    ok(strstr(r->problem, "(offset 0)"), "and the next one is counted from 0: %s",
       r->problem);
    end(r, "", 0);
    ok(r->codec->stats.skips == 3 && r->codec->stats.skipped == 33,
       "each skip is counted once");
    run_free(r);

    r = run_new(0);
    n = message(text, "FIX.4.2", "35=0|" HEAD);
    n += message(text + n, "FIX.4.2", "35=A|" HEAD "98=0|108=30|");
    n += message(text + n, "FIX.4.2", "35=WX|" HEAD);
    ok(feed(r, text, n) == n && r->codec->stats.ignored == 3 &&
       r->codec->stats.messages == 3 &&
       r->problems == 0, "other kinds are counted and ignored");
    run_free(r);
}

/* Text, a message, text, a message, text: its skips, which are as many in chunks of each
 * size. */
static size_t skips_of_log(const char *first, const char *middle, const char *last)
{
    char text[TEXT];
    size_t n = 0, skipped = SIZE_MAX;

    n += (size_t)sprintf(text + n, "%s", first);
    n += market(text + n, 'S', "55=A|132=1|134=2|");
    n += (size_t)sprintf(text + n, "%s", middle);
    n += market(text + n, 'S', "55=A|132=3|134=2|");
    n += (size_t)sprintf(text + n, "%s", last);
    for (size_t chunk = 1; chunk <= n; chunk++) {
        struct run *r = run_with((struct tw_fix_options){ .is_log = true });
        size_t done = 0;

        for (size_t given = 0; given < n; ) {
            given += n - given < chunk ? n - given : chunk;
            done += feed(r, text + done, given - done);
        }
        end(r, text + done, n - done);
        if (r->n != 2 || r->codec->stats.bytes != n || r->codec->stats.messages != 2
            || (chunk > 1 && skipped != r->codec->stats.skips))
            chunk = n, skipped = SIZE_MAX;
        else
            skipped = r->codec->stats.skips;
        run_free(r);
    }
    return skipped;
}

static void logs(void)
{
    char much[400];

    memset(much, '-', 300);
    much[300] = 0;
    ok(skips_of_log("", "\n", "\n") == 0, "a log has a message a line");
    ok(skips_of_log("20240102-09:30:00.000 : ", "\r\n20240102-09:30:01.000 : ",
                    "\r\n") == 0, "with the time before it");
    ok(skips_of_log("<20240102-09:30:00, FIX.4.4:A->B, incoming> (",
                    ")\n<20240102-09:30:01, FIX.4.4:A->B, incoming> (", ")\n") == 0,
       "and what else there is");
    ok(skips_of_log("", "8=FIX", "\n8=FI") == 2, "not a part of a message");
    ok(skips_of_log("9=5\00135=0\00110=163\001\n", "35=0\001", "10=163\001") == 3,
       "nor its fields");
    ok(skips_of_log(much, much, much) == 3, "nor any amount of text");
}

/* ---- chunks, prefixes, flips, pages ---- */

/* A stream of messages of all kinds, good and bad, and garbage. */
static size_t stream(char *out, size_t room, bool dirty)
{
    struct tw_fix_writer w = { "FIX.4.4", "EXCHANGE1", "TIDEWIRE", 1 };
    static const char *const names[] = { "AAPL", "GOOG", "BP", "XOM",
                                         "A.LONG.NAME-2024" };
    size_t n = 0;

    while (room - n > 1000) {
        struct tw_quote q = {
            (int64_t)below(INT64_C(1) << (10 + below(50))),
                (int64_t)below(1000000) * 10000000,
            (int64_t)below(4) * 100000000000, (int64_t)below(1000) * 1000000000,
        };
        struct tw_trade t = { .price = q.ask, .size = q.ask_size, .side =
                              (uint32_t)below(3) };
        const char *name = names[below(5)];
        int64_t time = (int64_t)(INT64_C(1704187800000000000) + n * 1000000);

        switch (below(dirty ? 8 : 4)) {
        case 0:
            n += (size_t)tw_fix_write_snapshot(&w, name, &q, time, out + n, room - n);
            break;
        case 1:
            n += (size_t)tw_fix_write_update(&w, name, &q, time, out + n, room - n);
            break;
        case 2:
            n += (size_t)tw_fix_write_trade(&w, name, &t, time, out + n, room - n);
            break;
        case 3:
            n += (size_t)tw_fix_write_quote(&w, name, &q, time, out + n, room - n);
            break;
        case 4:
            n += market(out + n, 'X', "268=1|279=1|269=0|55=BP|270=1e5|");
            break;
        case 5:
            n += market(out + n, 'D', "55=BP|54=1|38=100|");
            break;
        case 6:
            for (uint64_t k = below(20); k; k--) out[n++] = "8=FIX.49\001"[below(9)];
            break;
        default:
            if (n > 50) out[n - 1 - below(50)] ^= (char)(1 << below(8));
            break;
        }
    }
    return n;
}

struct outcome {
    struct tw_codec_stats stats;
    size_t n;
    struct tw_record records[RECORDS];
};

/* Decodes all of p in chunks of up to `chunk` bytes (0: of any length). */
static void decode_all(const char *p, size_t n, size_t chunk, struct outcome *o)
{
    struct run *r = run_new(0);
    size_t at = 0, given = 0;

    while (given < n) {
        size_t more = chunk ? chunk : 1 + below(400);

        given = more < n - given ? given + more : n;
        at += feed(r, p + at, given - at);
    }
    end(r, p + at, n - at);
    o->stats = r->codec->stats;
    o->n = r->n;
    memcpy(o->records, r->records, r->n * sizeof *r->records);
    run_free(r);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    return memcmp(&a->stats, &b->stats, sizeof a->stats) == 0 && a->n == b->n &&
           memcmp(a->records, b->records, a->n * sizeof *a->records) == 0;
}

static void chunks(int rounds)
{
    static struct outcome whole, other;
    static char text[TEXT];
    int wrong = 0, bytes = 0;

    for (int i = 0; i < rounds; i++) {
        size_t n = stream(text, sizeof text / 4, i % 4 != 0);

        decode_all(text, n, n, &whole);
        decode_all(text, n, 1, &other);
        wrong += !same(&whole, &other);
        for (int k = 0; k < 3; k++) {
            decode_all(text, n, 0, &other);
            wrong += !same(&whole, &other);
        }
        bytes += whole.stats.bytes != n;
        if (i == 1) ok(whole.stats.errors && whole.stats.skips && whole.stats.ignored &&
                       whole.stats.records > 10, "the streams have good and bad in them");
    }
    ok(wrong == 0, "%d streams give the same in any chunks (%d differ)", rounds, wrong);
    ok(bytes == 0, "every byte is accounted for");
}

/* One message of each kind, short and long. */
static size_t sample(char *out, int which)
{
    char rest[3000];
    size_t n;

    switch (which) {
    case 0: return market(out, 'W',
                          "55=A|268=2|269=0|270=1.5|271=100|269=1|270=1.6|271=200|");
    case 1: return market(out, 'X',
                          "55=A|268=2|269=0|270=286.37|271=4400|"
                           "269=1|270=286.40|271=800|");
    case 2: return market(out, 'X',
                          "60=20240102-09:30:00.123456789|268=2|279=0|269=2|55=ABCDEFGHI|"
                                    "270=123456.789012345|271=1|54=1|279=2|269=1|55=B|");
    case 3: return market(out, 'S', "55=A|132=1|133=2|134=3|135=4|");
    case 4: return message(out, "FIXT.1.1", "35=0|49=A|56=B|34=1|52=20240102-09:30:00|");
    case 5: return message(out, "FIX.4.0", "35=0|");
    default:
        n = (size_t)sprintf(rest, "55=A|268=80|");
        for (int i = 0; i < 80; i++)
            n += (size_t)sprintf(rest + n, "269=%d|270=%d|271=1|", i & 1, i & 1 ? 99 + i
                                 : 99 - i);
        return market(out, 'W', rest);
    }
}

static void prefixes(void)
{
    static char text[TEXT], more[TEXT];
    int wrong = 0;

    for (int which = 0; which < 7; which++) {
        size_t n = sample(text, which), m;
        struct run *r = run_new(0);

        for (size_t k = 0; k < n; k++) wrong += feed(r, guarded(text, k), k) != 0;
        wrong += r->n != 0 || r->problems != 0 || r->codec->stats.messages != 0;
        wrong += feed(r, guarded(text, n), n) != n || r->codec->stats.messages != 1;
        for (int second = 0; second < 7; second++) {
            memcpy(more, text, n);
            m = sample(more + n, second);
            for (size_t k = 0; k < m; k++)
                wrong += feed(r, guarded(more, n + k), n + k) != n;
        }
        wrong += r->problems != 0;
        run_free(r);
    }
    ok(wrong == 0, "of every prefix only whole messages are taken (%d wrong)", wrong);
}

static void flips(void)
{
    static char text[TEXT];
    static struct tw_record before[16];
    int changed = 0, flipped = 0, uncounted = 0;

    for (int which = 0; which < 6; which++) {
        size_t n = sample(text, which), kept;
        struct run *r = run_new(0);

        feed(r, text, n);
        kept = r->n;
        memcpy(before, r->records, kept * sizeof *before);
        run_free(r);
        r = run_new(0);
        for (size_t i = 0; i < n * 8; i++) {
            struct tw_codec_stats *s = &r->codec->stats;

            text[i / 8] ^= (char)(1 << i % 8);
            r->n = 0;
            memset(s, 0, sizeof *s);
            end(r, guarded(text, n), n);
            text[i / 8] ^= (char)(1 << i % 8);
            if (r->n && (r->n != kept || memcmp(before, r->records,
                                                kept * sizeof *before)))
                changed++;
            if (s->bytes != n || s->messages + s->skips != 1 ||
                s->skipped > n) uncounted++;
            flipped++;
        }
        run_free(r);
    }
    ok(changed == 0, "%d flipped bits: never another record (%d)", flipped, changed);
    ok(uncounted == 0, "and each is one message or one skip (%d)", uncounted);
}

/* What BodyLength and CheckSum do not catch: any body with the right ones. */
static void hostile(int rounds)
{
    static char text[TEXT], body[TEXT];
    static const char *const parts[] = {
        "268=", "269=0", "269=1", "269=2", "269=J", "270=1.5", "270=-7", "270=x", "271=3",
            "271=",
        "55=A", "55=B", "279=0", "279=1", "279=2", "290=2", "1023=1", "95=3", "96=a|b",
            "34=5",
        "52=20240102-09:30:00", "268=1", "268=2", "268=3", "60=20240102-09:30:00.5",
            "54=1",
        "132=1", "134=2", "=", "|", "1=", "9999999=1", "270=123456789.123456789",
        "268=1|279=0|269=0|270=1.5", "133=2|135=3",
    };
    struct run *r = run_new(0);
    uint64_t given = 0;
    int wrong = 0;

    for (int i = 0; i < rounds; i++) {
        size_t n = (size_t)sprintf(body, "35=%c|", "WXS"[below(3)]), length;

        if (below(4)) n += (size_t)sprintf(body + n, HEAD "55=C|");
        for (uint64_t k = below(16); k; k--)
            n += (size_t)sprintf(body + n, "%s|",
                                 parts[below(sizeof parts / sizeof *parts)]);
        length = message(text, "FIX.4.4", body);
        given += length;
        r->n = 0;
        wrong += feed(r, guarded(text, length), length) != length;
        for (size_t k = 0; k < r->n; k++) {
            const struct tw_quote *q = &r->records[k].quote;

            if (r->records[k].kind != TW_QUOTE) continue;
            wrong += q->bid_size < 0 || q->ask_size < 0;
        }
    }
    ok(wrong == 0 && r->codec->stats.bytes == given &&
       r->codec->stats.messages + r->codec->stats.skips == (uint64_t)rounds &&
       r->codec->stats.skips + r->codec->stats.errors == r->problems,
       "%d made-up bodies are each taken, ignored, refused or skipped", rounds);
    ok(r->codec->stats.records > 0 && r->codec->stats.errors > 0 &&
       r->codec->stats.skips > 0,
       "and all of that happens");
    run_free(r);
}

static void garbage(void)
{
    static char text[TEXT];
    struct run *r = run_new(0);
    size_t at = 0;

    for (size_t i = 0; i < sizeof text; i++) text[i] = "8=FIX"[i % 5];
    for (size_t i = 1; i <= sizeof text; i++) at += feed(r, text + at, i - at);
    end(r, text + at, sizeof text - at);
    ok(r->codec->stats.skipped == sizeof text && r->codec->stats.bytes == sizeof text,
       "a stream of beginnings is all skipped");
    memset(text, '8', sizeof text);
    ok(feed(r, text, sizeof text) == sizeof text - 1, "of a stream of 8s all but one");
    end(r, text, 1);
    memset(text, 1, sizeof text);
    ok(feed(r, text, sizeof text) == sizeof text, "of a stream of SOHs all");
    ok(r->problems == r->codec->stats.skips, "each skip is told of once");
    run_free(r);
}

/* ---- memory ---- */

static void memory(void)
{
    static char text[TEXT];
    struct run *r = run_new(0);
    size_t n = stream(text, sizeof text, true);
    uint64_t count;
    char body[100], want[100];
    int i, wrong = 0;

    feed(r, text, n);
    count = tw_memory_count();
    for (i = 0; i < 10; i++) feed(r, text, n);
    ok(tw_memory_count() == count, "a steady stream allocates nothing");

    for (i = 0; i < 7500; i++) {   /* prices, then sizes, then prices again */
        const char *form = i / 2500 == 1 ? "268=1|279=1|269=%d|55=N%d|271=%d|"
                                         : "268=1|279=1|269=%d|55=N%d|270=%d|";
        int k = i % 2500;

        if (i < 2500) form = "268=1|279=0|269=%d|55=N%d|270=%d|";
        snprintf(body, sizeof body, form, k & 1, k, i + 1);
        r->n = 0;
        feed(r, text, market(text, 'X', body));
        snprintf(want, sizeof want, k & 1 ? "N%d 0x0 %dx%d" : "N%d %dx%d 0x0", k,
                 i < 5000 ? k + 1 : i + 1, i < 2500 ? 0 : k + 2501);
        wrong += strcmp(records(r), want) != 0;
    }
    ok(wrong == 0, "thousands of symbols keep their quotes (%d do not)", wrong);
    run_free(r);

    for (i = 1; ; i++) {
        struct tw_fix_options options = { .symbols = NULL };
        struct tw_codec *c;

        tw_memory_fail_at((uint64_t)i);
        c = tw_fix_decoder_new(&options);
        tw_memory_fail_at(0);
        if (c) {
            c->ops->free(c);
            break;
        }
    }
    ok(i > 3, "a decoder without memory is none, at each of %d allocations", i - 1);

    r = run_new(0);
    feed(r, text, market(text, 'X', "268=1|279=0|269=0|55=A|270=1|271=1|"));
    n = sample(text, 6);
    r->n = 0;
    tw_memory_fail_at(1);
    feed(r, text, n);
    ok(r->n == 0 && r->codec->stats.errors == 1 && strstr(r->problem, "no memory"),
       "a message of many entries is refused when there is none: %s", r->problem);
    tw_memory_fail_at(0);
    feed(r, text, n);
    ok(strcmp(records(r), "A 99x1 100x1") == 0, "and read when there is");
    run_free(r);
}

int main(void)
{
    bool small = getenv("SMALL") != NULL;

    guard();
    skips();
    logs();
    prefixes();
    flips();
    garbage();
    chunks(small ? 4 : 24);
    hostile(small ? 2000 : 50000);
    memory();
    return tap_done();
}
