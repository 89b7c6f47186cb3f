/* fix_serve.c - what is on the tape as market data for a session: what is missing, what
 * is not whole yet, and more than there is room for. */
#include "run/fix_serve.h"

#include "fix_rig.h"
#include "run/io.h"
#include "tap.h"

enum { TAPE = 1 << 10, SYMBOLS = 2000, OUTPUT_MAX = 100000 };

static struct scene {
    struct tw_tape *tape;
    struct tw_symbols *symbols;
    struct tw_io *io;
    struct tw_fix_serve *serve;
    struct tw_fix_consumer c;
    struct tw_fix_store *store;
    struct tw_fix_session *s;
    struct tw_fix_now now;
    unsigned seq;
    char text[1 << 20];            /* what the peer has read, SOH as | */
    size_t n;
} w;

static struct tw_fix_dictionary *fix44;

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    return w.c.message(w.c.ctx, w.s, w.now, m);
}

static void on_event(void *ctx, const struct tw_fix_event *e)
{
    (void)ctx;
    w.c.event(w.c.ctx, w.s, w.now, e);
}

/* The peer reads all. */
static void drain(void)
{
    const char *p;
    size_t n;

    for (tw_fix_session_output(w.s, &p, &n); n > 0; tw_fix_session_output(w.s, &p, &n)) {
        for (size_t i = 0; i < n && w.n + 1 < sizeof w.text; i++)
            w.text[w.n++] = p[i] == TW_FIX_SOH ? '|' : p[i];
        tw_fix_session_written(w.s, w.now, n);
    }
    w.text[w.n] = 0;
}

static void forget(void)
{
    drain();
    w.n = 0;
    w.text[0] = 0;
}

static unsigned count(const char *what)
{
    unsigned n = 0;

    for (const char *p = w.text; (p = strstr(p, what)); p++) n++;
    return n;
}

static bool has(const char *what)
{
    return count(what) > 0;
}

static void look(void)
{
    w.c.look(w.c.ctx, w.s, w.now);
}

static void say(const char *type, const char *body)
{
    static char line[60000];
    char at[TW_FIX_TIME_TEXT + 1];
    size_t n = tw_fix_time_text(w.now.time_ns, TW_FIX_MS, at);
    char *p;

    at[n] = 0;
    snprintf(line, sizeof line, "35=%s|34=%u|49=PEER|52=%s|56=US|%s", type, ++w.seq, at,
             body);
    p = whole(TW_FIX_44, line, &n);
    tw_fix_session_receive(w.s, w.now, p, n);
    free(p);
}

static void put(struct tw_record r)
{
    tw_role_set(&FEED);
    tw_be_feed();
    r.time = r.time ? r.time : w.now.time_ns;
    tw_tape_append(w.tape, &r, 1, NULL);
}

static void put_quote(uint32_t symbol, uint8_t source, int64_t bid, int64_t ask)
{
    put((struct tw_record){ .kind = TW_QUOTE, .symbol = symbol, .source = source,
        .quote = { bid * 1000000000, ask * 1000000000, 1000000000, 1000000000 } });
}

static void put_level(uint32_t symbol, unsigned change, int64_t price, bool last)
{
    put((struct tw_record){ .kind = TW_LEVEL, .symbol = symbol, .source = 3,
        .level = { .price = price * 1000000000, .size = 1000000000,
                   .change = (uint8_t)change, .last = last } });
}

static void open_scene(void)
{
    struct tw_error error = { 0 };

    memset(&w, 0, sizeof w);
    tw_role_set(&MAIN);
    tw_be_main();
    w.now = (struct tw_fix_now){ INT64_C(1704196800000000000), 7000000000 };
    w.tape = tw_tape_new(TAPE);
    w.symbols = tw_symbols_new(2 * SYMBOLS);
    for (int i = 1; i <= SYMBOLS; i++) {
        char name[20];

        tw_symbols_intern(w.symbols, name, (size_t)sprintf(name, "S%d", i));
    }
    w.io = tw_io_new(&(struct tw_io_options){ .tape = w.tape, .symbols = w.symbols });
    w.serve = tw_fix_serve_new(&(struct tw_fix_serve_options){
        .io = w.io, .tape = w.tape, .symbols = w.symbols });
    w.c = tw_fix_serve_consumer(w.serve, fix44);
    w.store = tw_fix_store_open(&(struct tw_fix_store_options){
        .now_ns = w.now.time_ns, .bytes = 1 << 20 }, &error);
    w.s = tw_fix_session_new(&(struct tw_fix_session_options){
        .dictionary = fix44, .store = w.store, .sender = "US", .target = "PEER",
        .check = TW_FIX_CHECK_STRICT, .message_max = 1 << 16, .output_max = OUTPUT_MAX,
        .handlers = { .message = on_message, .event = on_event } }, &error);
    if (!w.io || !w.serve || !w.s) abort();
    tw_role_set(&FEED);
    tw_be_feed();
    tw_fix_session_connected(w.s, w.now, &error);
    say("A", "98=0|108=0|");
    forget();
}

static void close_scene(void)
{
    tw_fix_session_disconnected(w.s, w.now, NULL);
    tw_fix_session_free(w.s);
    tw_fix_store_close(w.store);
    tw_role_set(&MAIN);
    tw_be_main();
    tw_fix_serve_free(w.serve);
    tw_io_free(w.io);
    tw_tape_free(w.tape);
    tw_symbols_free(w.symbols);
}

#define SUBSCRIBE "263=1|264=0|265=1|267=2|269=0|269=1|"

/* After a gap no price is served that may be old. */
static void gaps(void)
{
    open_scene();
    put_quote(1, 1, 10, 11);
    put_quote(2, 2, 20, 21);
    say("V", "262=a|" SUBSCRIBE "146=2|55=S1|55=S2|");
    drain();
    ok(has("|270=10|") && has("|270=20|"), "prices of two sources");
    forget();
    put((struct tw_record){ .kind = TW_GAP, .source = 1 });
    look();
    drain();
    ok(count("279=2") == 2 && has("|55=S1|270=10|") && !has("S2"),
       "a gap of one takes its prices away, and no others");
    forget();
    say("R", "131=q|146=2|55=S1|55=S2|");
    drain();
    ok(has("|55=S1|132=0|133=0|") && has("|55=S2|132=20|133=21|"),
       "nor are they quoted");
    put_quote(1, 1, 12, 13);
    forget();
    look();
    drain();
    ok(has("279=0|269=0|55=S1|270=12|"), "until there is one again");
    forget();
    for (int i = 0; i < 2 * TAPE; i++) put_quote(1, 1, 14, 15);
    while (w.c.look(w.c.ctx, w.s, w.now) == w.now.steady_ns) continue;
    drain();
    ok(has("55=S2|270=20|") && count("279=2|269=0|55=S2") == 1 && has("55=S1|270=14|"),
       "what the server itself has missed");
    close_scene();
}

/* A book in which a level has no room is none, until it is told anew. */
static void no_memory(void)
{
    open_scene();
    put_level(1, TW_LEVEL_CLEAR, 0, false);
    put_level(1, TW_LEVEL_SET, 1, true);
    say("V", "262=a|" SUBSCRIBE "146=1|55=S1|");
    look();
    forget();
    for (int price = 2; price <= 8; price++) put_level(1, TW_LEVEL_SET, price, true);
    look();
    forget();
    put_level(1, TW_LEVEL_SET, 9, true);      /* the ninth */
    tw_memory_fail_at(1);
    look();
    tw_memory_fail_at(0);
    drain();
    ok(count("279=2|269=0|") == 8 && !has("270=9|"), "a level without memory: no book");
    forget();
    put_level(1, TW_LEVEL_SET, 7, true);
    look();
    drain();
    ok(!has("35=X") && !has("35=W"), "a change of it is none of the one that was");
    put_level(1, TW_LEVEL_CLEAR, 0, false);
    put_level(1, TW_LEVEL_SET, 9, true);
    look();
    drain();
    ok(has("270=9|"), "till it is told anew");
    close_scene();
}

/* An update that is not whole is told when it is, also to who asks meanwhile. */
static void halves(void)
{
    open_scene();
    put_level(1, TW_LEVEL_CLEAR, 0, false);
    put_level(1, TW_LEVEL_SET, 10, false);
    say("V", "262=a|" SUBSCRIBE "146=1|55=S1|");
    say("R", "131=q|146=1|55=S1|");
    look();
    drain();
    ok(!has("35=W") && !has("35=S"), "half of a book is not told");
    put_level(1, TW_LEVEL_SET, 9, true);
    look();
    drain();
    ok(count("35=W") == 1 && has("268=2|269=0|270=10|") && has("35=S")
       && !has("35=X"), "all of it is");
    forget();
    put_level(1, TW_LEVEL_SET, 8, false);
    put_quote(2, 4, 5, 6);
    say("R", "131=r|146=1|55=S2|");
    look();
    drain();
    ok(!has("35=S") && !has("35=X"), "half of an update is not");
    w.now.steady_ns += INT64_C(1000000000);
    look();
    drain();
    ok(has("35=S") && has("270=8|"), "but nobody waits for a feed that has ended so");
    close_scene();
}

/* More answers than a session has room for. */
static void many(void)
{
    static char body[50000];
    size_t n = (size_t)sprintf(body, "131=q|146=%d|", SYMBOLS);
    unsigned turns = 0;

    open_scene();
    for (int i = 1; i <= SYMBOLS; i++) n += (size_t)sprintf(body + n, "55=S%d|", i);
    say("R", body);
    while (count("35=S") < SYMBOLS && turns++ < 100) {
        drain();
        look();
    }
    ok(!tw_fix_session_closing(w.s) && count("35=S") == SYMBOLS && turns > 1,
       "quotes of %d symbols go out as the peer reads (%u)", count("35=S"), turns);
    close_scene();
}

int main(void)
{
    fix44 = dictionary(TW_FIX_44, NULL);
    gaps();
    halves();
    no_memory();
    many();
    tw_fix_dictionary_free(fix44);
    return tap_done();
}
