/* fix_orders.c - what it costs that orders at a gateway are found again after a restart.
 *
 * The life of an order: it is sent, the venue takes it, and fills it; each of the three
 * is in NAME.orders before anybody hears of it.  Beside it the same without that file,
 * and with each write synced.  The least of a few times: the first one waits for the
 * processor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "fix/draft.h"
#include "fix/order_entry.h"
#include "run/fix_keep.h"

enum { ORDERS = 20000, SYNCED = 200, TIMES = 5 };

static const int64_t NOW = INT64_C(1767348000000000000);
static char folder[] = "/tmp/bench_fix_orders.XXXXXX";
static struct tw_fix_dictionary *dictionary;
static struct tw_symbols *symbols;
static uint64_t told;

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    (void)ctx;
    told += r->report.order;
}

static void fail(const char *what)
{
    printf("%s\n", what);
    exit(1);
}

/* As the gateway does: what is to be kept is, before what happened is told. */
static void keep(struct tw_fix_orders *o, struct tw_fix_keep *k)
{
    char *text = NULL;
    bool all = k && tw_fix_keep_is_long(k);
    size_t n = 0;

    if (!k) return;
    if (!tw_fix_orders_lines(o, all, &text, &n)) fail("no memory");
    if (n > 0 && tw_fix_keep_write(k, text, n, all) < 0) fail("it can't be written");
    tw_free(text);
}

/* What the venue says of an order: its number, then the rest. */
static void hear(struct tw_fix_orders *o, struct tw_fix_message *m, uint64_t id,
                 const char *rest)
{
    struct tw_fix_output out;
    struct tw_fix_frame f;
    char text[1000], *p;
    int64_t n;

    tw_fix_begin(&out, text, sizeof text, "FIX.4.4", "8", 1);
    tw_fix_put_integer(&out, 34, 9);
    tw_fix_put_text(&out, 49, "B", 1);
    tw_fix_put_time(&out, 52, NOW, TW_FIX_MS);
    tw_fix_put_text(&out, 56, "A", 1);
    tw_fix_put_integer(&out, 37, (int64_t)id);
    tw_fix_put_integer(&out, 11, (int64_t)id);
    tw_fix_put_integer(&out, 17, (int64_t)(2 * id) + (*rest == 'F'));
    tw_fix_put_char(&out, 150, *rest);
    tw_fix_put_char(&out, 39, *rest == 'F' ? '2' : '0');
    tw_fix_put_text(&out, 55, "A", 1);
    tw_fix_put_char(&out, 54, '1');
    if (*rest == 'F') {
        tw_fix_put_integer(&out, 32, 10);
        tw_fix_put_integer(&out, 31, 10);
    }
    tw_fix_put_integer(&out, 151, *rest == 'F' ? 0 : 10);
    tw_fix_put_integer(&out, 14, *rest == 'F' ? 10 : 0);
    tw_fix_put_integer(&out, 6, *rest == 'F' ? 10 : 0);
    n = tw_fix_finish(&out, &p);
    if (n <= 0 || tw_fix_message_frame(m, p, (size_t)n, &f) != TW_FIX_WHOLE
        || tw_fix_message_read(m, dictionary, p, &f) < 0)
        fail("a message that is none");
    tw_fix_orders_message(o, m);
}

/* Nanoseconds an order. */
static double lives(int orders, const char *file, bool sync)
{
    struct tw_fix_keep *k = file ? tw_fix_keep_new(folder, file, sync) : NULL;
    struct tw_fix_orders *o = tw_fix_orders_new(&(struct tw_fix_orders_options){
        .dictionary = dictionary, .symbols = symbols, .keeps = file != NULL,
        .no_mass_status = true, .report = on_report });
    struct tw_fix_message m;
    struct tw_fix_estate held;
    struct tw_fix_outgoing out;
    int64_t began;

    if (!o || (file && !k) || tw_fix_message_init(&m, 4096, 100) < 0) fail("no memory");
    if (tw_fix_orders_join(o, 1, "a script", NOW, &held) < 0) fail("no memory");
    tw_fix_estate_fini(&held);
    tw_fix_orders_logged_on(o);
    began = tw_clock_steady_ns();
    for (uint64_t id = 1; id <= (uint64_t)orders; id++) {
        struct tw_request q = { .what = TW_REQUEST_NEW, .owner = 1, .id = id,
            .symbol = 1, .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT, .tif = TW_TIF_GTC,
            .quantity = 10 * TW_FIXED_ONE, .price = 10 * TW_FIXED_ONE };

        if (tw_fix_orders_send(o, &q, NULL) < 0) fail("an order is refused");
        while (tw_fix_orders_next(o, NOW, &out)) {
            keep(o, k);
            tw_fix_orders_sent(o, id);
        }
        hear(o, &m, id, "0");
        keep(o, k);
        hear(o, &m, id, "F");
        keep(o, k);
    }
    began = tw_clock_steady_ns() - began;
    if (tw_fix_orders_open(o) > 0) fail("an order is open");
    tw_fix_message_fini(&m);
    tw_fix_orders_free(o);
    tw_fix_keep_free(k);
    return (double)began / orders;
}

static double least(int orders, const char *file, bool sync)
{
    double best = 1e18;
    char path[100];

    for (int i = 0; i < TIMES; i++) {
        double ns = lives(orders, file, sync);

        if (ns < best) best = ns;
        snprintf(path, sizeof path, "%s/%s.orders", folder, file ? file : "");
        remove(path);
    }
    return best;
}

int main(void)
{
    struct tw_fix_draft *draft = tw_fix_draft_new();
    struct tw_error error;
    double without, with;

    if (!draft || tw_fix_draft_version(draft, TW_FIX_44, &error) < 0
        || tw_fix_draft_finish(draft, &dictionary, &error) < 0)
        fail("no dictionary");
    symbols = tw_symbols_new(4);
    if (!symbols || tw_symbols_intern(symbols, "A", 1) < 0 || !mkdtemp(folder))
        fail("no memory");
    without = least(ORDERS, NULL, false);
    with = least(ORDERS, "kept", false);
    printf("an order is sent, taken and filled     us an order\n");
    printf("nothing is kept                        %11.2f\n", without / 1000);
    printf("NAME.orders, a write for each of three %11.2f\n", with / 1000);
    printf("and each of them synced                %11.2f\n",
           least(SYNCED, "synced", true) / 1000);
    rmdir(folder);
    tw_fix_draft_free(draft);
    tw_fix_dictionary_free(dictionary);
    tw_symbols_free(symbols);
    return told == 0;
}
