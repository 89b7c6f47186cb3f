/* fix_publisher_trade: what host/fix/publisher.c tells with a trade: a snapshot of trades
 * alone says nothing of the book. */
#include "base/fixed.h"
#include "fix/publisher.h"
#include "fix_rig.h"
#include "tap.h"

static char told[9000];
static int fullness;

static int note(void *ctx, const char *code, const char *body, size_t n)
{
    (void)ctx;
    if (fullness > 0) {
        fullness--;
        return TW_EFULL;
    }
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s%s %s",
             *told ? "; " : "", code, shown(body, n));
    return TW_OK;
}

static void ask(struct tw_fix_peer *peer, const struct tw_fix_dictionary *d,
                const char *text)
{
    struct tw_fix_message m;
    char line[500];
    size_t n;
    char *p;

    snprintf(line, sizeof line, "35=V|49=A|56=B|34=7|52=20240102-09:30:00|%s", text);
    p = whole(TW_FIX_44, line, &n);
    tw_fix_message_init(&m, 0, 0);
    ok(take(&m, d, p, n) == TW_OK && tw_fix_peer_message(peer, &m) == TW_FIX_TAKEN,
       "%s", text);
    tw_fix_message_fini(&m);
    free(p);
}

int main(void)
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
    ask(peer, d, "262=1|263=1|264=1|265=0|267=2|269=0|269=2|146=1|55=A|");
    ok(strcmp(told, "W 262=1|55=A|268=1|269=0|270=1|271=1|272=20240102|"
                    "273=12:00:00.000|") == 0, "a book is told");
    told[0] = 0;
    fullness = 1;
    tw_fix_publisher_quote(p, a, &(struct tw_quote){0}, noon_ns);
    tw_fix_publisher_trade(p, a, &t, noon_ns);
    ok(!tw_fix_publisher_flush(p) && !*told, "a peer that does not take a message");
    ok(tw_fix_publisher_flush(p) && strcmp(told, gone) == 0,
       "hears that the book is empty now, and then of the trade");
    told[0] = 0;
    tw_fix_publisher_trade(p, a, &t, noon_ns);
    ok(tw_fix_publisher_flush(p) && strcmp(told, strchr(gone, ';') + 2) == 0,
       "once: of the next trade alone");
    tw_fix_peer_leave(peer);
    tw_fix_publisher_free(p);
    tw_fix_dictionary_free(d);
    tw_symbols_free(symbols);
    return tap_done();
}
