/* fix_publisher_requests.c - what host/fix/publisher.c answers, request by request; and
 * without memory. */
#include "fix/publisher.h"

#include "base/fixed.h"
#include "fix_rig.h"
#include "tap.h"

static char answers[10000];
static int fullness;
static int taking = -1;          /* so many, and then no more; below 0: all */

static int note(void *ctx, const char *code, const char *body, size_t n)
{
    (void)ctx;
    if (fullness > 0) {
        fullness--;
        return TW_EFULL;
    }
    if (taking == 0) return TW_EFULL;
    taking -= taking > 0;
    snprintf(answers + strlen(answers), sizeof answers - strlen(answers), "%s%s %s",
             *answers ? "; " : "", code, shown(body, n));
    return TW_OK;
}

#define LONG_ID "01234567890123456789012345678901234567890123456789012345678901234"
static enum tw_fix_answer answered;

static const char *answer(struct tw_fix_peer *peer, const struct tw_fix_dictionary *d,
                          const char *text)
{
    static struct tw_fix_message m;
    char line[8100];
    size_t n;
    char *p;

    if (!m.fields) tw_fix_message_init(&m, 0, 0);
    if (!peer) return "";
    answers[0] = 0;
    snprintf(line, sizeof line, "35=%c|49=A|56=B|34=7|52=20240102-09:30:00|%s", *text,
             text + 2);
    p = whole(tw_fix_dictionary_version(d), line, &n);
    if (take(&m, d, p, n) != TW_OK) abort();
    answered = tw_fix_peer_message(peer, &m);
    free(p);
    return answers;
}

static void requests(void)
{
    static const struct { const char *give, *answer; } each[] = {
        { "V 262=1|263=1|264=0|265=1|267=2|269=0|269=1|146=1|55=A|",
          "W 262=1|55=A|268=2|269=0|270=1.5|271=10|272=20240102|273=12:00:00.000|269=1|"
          "270=1.6|271=20|" },
        { "V 262=1|263=1|264=0|265=1|267=1|269=0|146=1|55=A|",
          "Y 262=1|281=1|58=MDReqID (262) is in use|" },
        { "V 262=2|263=1|264=0|265=1|267=1|269=0|146=2|55=A|55=Q|",
          "Y 262=2|281=0|58=unknown symbol Q|" },
        { "V 262=2|263=1|264=x|265=1|267=1|269=0|146=1|55=A|",
          "Y 262=2|281=5|58=MarketDepth (264) is not served|" },
        { "V 262=2|263=1|264=1|265=2|267=1|269=0|146=1|55=A|",
          "Y 262=2|281=6|58=MDUpdateType (265) is not 0 or 1|" },
        { "V 262=2|263=7|264=1|265=1|267=1|269=0|146=1|55=A|",
          "Y 262=2|281=4|58=SubscriptionRequestType (263) is not 0, 1 or 2|" },
        { "V 262=2|263=1|264=1|265=1|267=1|269=4|146=1|55=A|",
          "Y 262=2|281=8|58=MDEntryType (269) is not 0, 1 or 2|" },
        { "V 262=2|263=1|264=1|265=1|267=1|269=0|146=0|",
          "Y 262=2|281=0|58=no symbol (146, 55)|" },
        { "V 262=2|263=2|264=1|267=1|269=0|146=1|55=A|",
          "Y 262=2|58=MDReqID (262) is not in use|" },
        { "V 263=1|264=1|267=1|269=0|146=1|55=A|",
          "Y 262=NONE|58=MDReqID (262) has no byte, or more than 64|" },
        { "V 262=3|263=1|264=1|265=1|267=1|269=0|146=3|55=A|55=B|55=A|",
          "Y 262=3|281=2|58=too many subscriptions|" },
        { "V 262=4|263=0|264=1|267=1|269=0|146=1|55=B|", "W 262=4|55=B|268=0|" },
        { "V 262=5|263=1|264=1|265=0|267=1|269=2|146=1|55=B|", "W 262=5|55=B|268=0|" },
        { "V 262=1|263=2|264=1|267=1|269=0|146=1|55=A|", "" },
        /* a symbol twice is one subscription */
        { "V 262=7|263=0|264=1|267=1|269=0|146=2|55=A|55=A|",
          "W 262=7|55=A|268=1|269=0|270=1.5|271=10|272=20240102|273=12:00:00.000|" },
        { "R 131=q|146=2|55=A|55=B|", "S 131=q|117=1|55=A|132=1.5|133=1.6|134=10|135=20|;"
          " S 131=q|117=2|55=B|132=0|133=0|134=0|135=0|" },
        { "R 131=q|146=1|55=Q|", "AG 131=q|658=1|146=1|55=Q|" },
        /* A has prices, and B has not. */
        { "e 324=1|55=A|263=0|", "f 324=1|55=A|326=17|" },
        { "e 324=21|55=B|263=1|", "f 324=21|55=B|326=20|" },
        { "e 324=3|55=Q|263=1|", "f 324=3|55=Q|326=20|58=unknown symbol|" },
        { "g 335=1|336=NIGHT|263=1|", "h 335=1|336=NIGHT|340=2|" },
        { "g 335=2|263=0|", "h 335=2|336=1|340=2|" },
        { "e 324=4|55=A|263=1|", "f 324=4|55=A|326=17|" },
        { "e 324=5|55=A|263=1|", "f 324=5|55=A|326=17|" },   /* one too many: once */
        { "e 324=4|55=A|263=2|", "" },
        { "e 324=2|55=B|263=2|", "" },
        { "g 335=3|263=2|", "" },
    };
    struct tw_fix_dictionary *d = dictionary(TW_FIX_44, NULL);
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_fix_publisher *p = tw_fix_publisher_new(&(struct tw_fix_publisher_options){
        .symbols = symbols, .subscriptions_max = 3 });
    struct tw_fix_publisher *shallow = tw_fix_publisher_new(
        &(struct tw_fix_publisher_options){ .symbols = symbols });
    struct tw_fix_peer_options o = { .dictionary = d, .send = note };
    struct tw_fix_peer *peer = tw_fix_publisher_join(p, &o);
    struct tw_fix_peer *other = tw_fix_publisher_join(shallow, &o);
    struct tw_quote q = {
        1500000000, 1600000000, 10 * TW_FIXED_ONE, 20 * TW_FIXED_ONE
    };
    uint32_t a = (uint32_t)tw_symbols_intern(symbols, "A", 1);
    uint32_t b = (uint32_t)tw_symbols_intern(symbols, "B", 1);
    struct tw_trade t = { .price = TW_FIXED_ONE, .size = TW_FIXED_ONE };
    bool right = true;

    tw_fix_publisher_quote(p, a, &q, INT64_C(1704196800000000000));
    tw_fix_publisher_list(p, b);
    tw_fix_publisher_quote(shallow, a, &q, INT64_C(1704196800000000000));
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        const char *got = answer(strstr(each[i].give, "264=9") ? other : peer, d,
                                 each[i].give);

        if (strcmp(got, each[i].answer) == 0) continue;
        printf("# %s\n#  gives  %s\n#  not    %s\n", each[i].give, got, each[i].answer);
        right = false;
    }
    ok(right, "requests, and what is wrong with them");
    ok(!*answer(peer, d, "g 335=" LONG_ID "|263=0|") && answered == TW_FIX_UNSUPPORTED
       && !*answer(peer, d, "e 55=" LONG_ID "|263=0|") && answered == TW_FIX_UNSUPPORTED
       && *answer(peer, d, "g 335=4|263=0|") && answered == TW_FIX_TAKEN,
       "a state that is asked for with too long a name is refused");
    answers[0] = 0;
    tw_fix_publisher_trade(p, b, &t, INT64_C(1704196800000000000));
    tw_fix_publisher_flush(p);
    ok(strcmp(answers, "W 262=5|55=B|268=1|269=2|270=1|271=1|272=20240102|"
              "273=12:00:00.000|") == 0, "without increments all comes each time");
    answer(peer, d, "V 262=6|263=1|264=1|265=1|267=1|269=0|146=1|55=A|");
    answers[0] = 0;
    fullness = 1;
    q.bid = 1400000000;
    tw_fix_publisher_quote(p, a, &q, 0);
    ok(!tw_fix_publisher_flush(p) && !*answers, "a peer that does not take a message");
    q.bid = 1300000000;
    tw_fix_publisher_quote(p, a, &q, 0);
    ok(tw_fix_publisher_flush(p)
       && strcmp(answers, "X 262=6|268=2|279=2|269=0|55=A|270=1.5|279=0|269=0|55=A|"
                 "270=1.3|271=10|") == 0, "gets what is left of it later");
    ok(tw_fix_peer_stats(peer).subscriptions == 2, "subscriptions are counted");
    answers[0] = 0;
    tw_fix_publisher_status(p, b, &(struct tw_status){ TW_TRADING_CLOSED, 0, 0, "late" });
    fullness = 1;
    ok(!tw_fix_publisher_flush(p) && tw_fix_publisher_flush(p)
       && strcmp(answers, "f 324=21|55=B|326=18|58=late|") == 0,
       "a state that changes is told");
    tw_fix_publisher_status(p, b, &(struct tw_status){ TW_TRADING_CLOSED, 0, 0, "late" });
    tw_fix_publisher_status(p, 0, &(struct tw_status){ TW_TRADING_HALTED, 0, 99, "" });
    answers[0] = 0;
    ok(tw_fix_publisher_flush(p) && strcmp(answers, "h 335=1|336=NIGHT|340=1|") == 0,
       "once for each change");
    tw_fix_peer_leave(peer);
    tw_fix_peer_leave(other);
    tw_fix_publisher_free(p);
    tw_fix_publisher_free(shallow);
    tw_symbols_free(symbols);
    tw_fix_dictionary_free(d);
}

/* 35=R of older versions: one symbol, without a group; what is not known. */
static void quotes(void)
{
    static const struct { enum tw_fix_version version; const char *give, *answer; }
    each[] = {
        { TW_FIX_40, "R 131=q|55=A|", "S 131=q|117=1|55=A|132=0|133=0|134=0|135=0|" },
        { TW_FIX_41, "R 131=q|55=Q|", "S 131=q|117=1|55=Q|132=0|133=0|134=0|135=0|" },
        { TW_FIX_42, "R 131=q|146=1|55=Q|", "b 131=q|297=5|300=1|" },
        { TW_FIX_43, "R 131=q|146=1|55=Q|", "AG 131=q|658=1|146=1|55=Q|" },
    };
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_fix_publisher *p = tw_fix_publisher_new(&(struct tw_fix_publisher_options){
        .symbols = symbols });

    tw_fix_publisher_list(p, (uint32_t)tw_symbols_intern(symbols, "A", 1));
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        struct tw_fix_dictionary *d = dictionary(each[i].version, NULL);
        struct tw_fix_peer *peer = tw_fix_publisher_join(p, &(struct tw_fix_peer_options){
            .dictionary = d, .send = note });
        const char *got = answer(peer, d, each[i].give);

        ok(strcmp(got, each[i].answer) == 0, "%s by %s: %s", each[i].give,
           tw_fix_version_name(each[i].version), got);
        tw_fix_peer_leave(peer);
        tw_fix_dictionary_free(d);
    }
    tw_fix_publisher_free(p);
    tw_symbols_free(symbols);
}

/* What has no room yet goes out later, once, and nothing overtakes it. */
static void many_quotes(void)
{
    static const char later[] = "S 131=q|117=2|55=A|132=0|133=0|134=0|135=0|; "
        "AG 131=q|658=1|146=1|55=Q|; S 131=r|117=3|55=A|132=0|133=0|134=0|135=0|";
    struct tw_fix_dictionary *d = dictionary(TW_FIX_44, NULL);
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_fix_publisher *p = tw_fix_publisher_new(&(struct tw_fix_publisher_options){
        .symbols = symbols });
    struct tw_fix_peer *peer = tw_fix_publisher_join(p, &(struct tw_fix_peer_options){
        .dictionary = d, .send = note });
    char line[8000] = "R 131=";
    unsigned taken = 0;

    tw_fix_publisher_list(p, (uint32_t)tw_symbols_intern(symbols, "A", 1));
    taking = 1;
    ok(strcmp(answer(peer, d, "R 131=q|146=3|55=A|55=A|55=Q|"),
              "S 131=q|117=1|55=A|132=0|133=0|134=0|135=0|") == 0
       && !*answer(peer, d, "R 131=r|146=1|55=A|"), "a quote, and no room for more");
    taking = -1;
    ok(tw_fix_publisher_flush(p) && strcmp(answers, later) == 0
       && (answers[0] = 0, tw_fix_publisher_flush(p)) && !*answers,
       "the others later, in order, once");
    memset(line + 6, 'x', 5000);
    strcpy(line + 5006, "|146=1|55=A|");
    ok(strncmp(answer(peer, d, line), "S 131=xxxxx", 11) == 0, "an id that is long");
    taking = 0;
    for (answered = TW_FIX_TAKEN; answered == TW_FIX_TAKEN && taken < 100000; taken++)
        answer(peer, d, line);
    ok(answered == TW_FIX_LATER && taken > 500 && taken < 2000,
       "a peer that asks and never reads has its bounds");
    taking = -1;
    tw_fix_peer_leave(peer);
    tw_fix_publisher_free(p);
    tw_symbols_free(symbols);
    tw_fix_dictionary_free(d);
}

/* A snapshot of trades alone says nothing of the book. */
static void trades(void)
{
    static const char gone[] = "W 262=1|55=A|268=0|; W 262=1|55=A|268=1|269=2|270=1|"
                               "271=1|272=20240102|273=12:00:00.000|";
    static const int64_t noon_ns = INT64_C(1704196800000000000);
    struct tw_fix_dictionary *d = dictionary(TW_FIX_44, NULL);
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_fix_publisher *p = tw_fix_publisher_new(
        &(struct tw_fix_publisher_options){ .symbols = symbols });
    struct tw_fix_peer *peer = tw_fix_publisher_join(p, &(struct tw_fix_peer_options){
        .dictionary = d, .send = note });
    uint32_t a = (uint32_t)tw_symbols_intern(symbols, "A", 1);
    struct tw_quote q = { TW_FIXED_ONE, 2 * TW_FIXED_ONE, TW_FIXED_ONE, TW_FIXED_ONE };
    struct tw_trade t = { .price = TW_FIXED_ONE, .size = TW_FIXED_ONE };

    tw_fix_publisher_quote(p, a, &q, noon_ns);
    answer(peer, d, "V 262=1|263=1|264=1|265=0|267=2|269=0|269=2|146=1|55=A|");
    ok(strcmp(answers, "W 262=1|55=A|268=1|269=0|270=1|271=1|272=20240102|"
                       "273=12:00:00.000|") == 0, "a book is told");
    answers[0] = 0;
    fullness = 1;
    tw_fix_publisher_quote(p, a, &(struct tw_quote){0}, noon_ns);
    tw_fix_publisher_trade(p, a, &t, noon_ns);
    ok(!tw_fix_publisher_flush(p) && !*answers, "a peer that does not take a message");
    ok(tw_fix_publisher_flush(p) && strcmp(answers, gone) == 0,
       "hears that the book is empty now, and then of the trade");
    answers[0] = 0;
    tw_fix_publisher_trade(p, a, &t, noon_ns);
    ok(tw_fix_publisher_flush(p) && strcmp(answers, strchr(gone, ';') + 2) == 0,
       "once: of the next trade alone");
    answers[0] = 0;
    for (int i = 0; i < 1000; i++) tw_fix_publisher_trade(p, a, &t, noon_ns);
    ok(tw_fix_publisher_flush(p) && strncmp(answers, "W 262=1|55=A|268=1000|", 22) == 0
       && tw_fix_peer_stats(peer).trades_lost == 0, "a large order trades with many");
    tw_fix_peer_leave(peer);
    tw_fix_publisher_free(p);
    tw_fix_dictionary_free(d);
    tw_symbols_free(symbols);
}

/* Whichever allocation fails: an error, or the peer has it later. */
static void no_memory(void)
{
    struct tw_fix_dictionary *d = dictionary(TW_FIX_44, NULL);
    struct tw_fix_peer_options o = { .dictionary = d, .send = note };
    int refused = 0, carried = 0;
    bool sound = true;

    answer(NULL, d, NULL);   /* has its memory from here on */
    for (uint64_t at = 1; at < 40; at++) {
        struct tw_symbols *symbols = tw_symbols_new(100);
        struct tw_fix_publisher *p;
        struct tw_fix_peer *peer = NULL;
        struct tw_trade t = { .price = TW_FIXED_ONE, .size = TW_FIXED_ONE };
        int failed = 0;

        tw_symbols_intern(symbols, "A", 1);
        answers[0] = 0;
        tw_memory_fail_at(at);
        p = tw_fix_publisher_new(&(struct tw_fix_publisher_options){
            .symbols = symbols });
        if (p) {
            failed += tw_fix_publisher_list(p, 1) < 0;
            peer = tw_fix_publisher_join(p, &o);
            for (int i = 0; i < 20; i++)
                failed += tw_fix_publisher_level(p, 1, i & 1, i * TW_FIXED_ONE,
                                                 TW_FIXED_ONE, 0) < 0;
        }
        if (peer)
            failed += strncmp(answer(peer, d, "V 262=6|263=1|264=0|265=1|267=2|269=0|"
                                     "269=2|146=1|55=A|"), "W", 1) != 0;
        if (p) failed += tw_fix_publisher_trade(p, 1, &t, 0) < 0;
        tw_memory_fail_at(0);
        if (p) {
            answers[0] = 0;
            sound &= tw_fix_publisher_level(p, 1, false, 0, 5, 0) == TW_OK;
            sound &= tw_fix_publisher_flush(p);
            /* The change, or all again where there was no memory to note it. */
            sound &= !peer || failed || *answers == 'X' || *answers == 'W';
        }
        refused += !p || !peer || failed;
        carried += p && peer && !failed;
        if (peer) tw_fix_peer_leave(peer);
        tw_fix_publisher_free(p);
        tw_symbols_free(symbols);
    }
    ok(sound && refused > 0 && carried > 0, "without memory: %d errors, %d did without",
       refused, carried);
    tw_fix_dictionary_free(d);
}

int main(void)
{
    requests();
    quotes();
    many_quotes();
    trades();
    no_memory();
    return tap_done();
}
