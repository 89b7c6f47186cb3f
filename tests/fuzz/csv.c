/* csv.c - libFuzzer: any bytes, any options, cut anywhere, give the same. */
#include "feed/csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct sum { uint64_t hash, n; };

static void add(struct tw_batch *b)
{
    struct sum *sum = b->owner;

    for (unsigned i = 0; i < b->n; i++) {
        const unsigned char *p = (const unsigned char *)&b->r[i];

        for (size_t k = 0; k < sizeof b->r[i]; k++)
            sum->hash = (sum->hash ^ p[k]) * UINT64_C(1099511628211);
    }
    sum->n += b->n;
    b->n = 0;
}

static void problem(void *ctx, const char *text)
{
    struct sum *sum = ctx;

    for (; *text; text++)
        sum->hash = (sum->hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
}

static struct tw_codec_stats decode(struct tw_csv_options o, const char *bytes,
                                    size_t n, size_t step, struct sum *sum)
{
    static struct tw_batch batch;
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_codec_stats stats;
    struct tw_codec *c;
    size_t from = 0, to = 0;

    *sum = (struct sum){0};
    batch = (struct tw_batch){ .full = add, .owner = sum };
    o.symbols = symbols;
    o.problem_ctx = sum;
    c = tw_csv_decoder_new(&o, NULL);
    if (!c) abort();
    while (step && to < n) {
        to = to + step < n ? to + step : n;
        from += c->ops->decode(c, bytes + from, to - from, 0, &batch);
    }
    c->ops->end(c, bytes + from, n - from, 0, &batch);
    add(&batch);
    stats = c->stats;
    c->ops->free(c);
    tw_symbols_free(symbols);
    return stats;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct tw_csv_options options[] = {
        { .symbol = "A" },
        { .columns = "time,symbol,bid,ask,bid_size,ask_size,price,size,side" },
        { .columns = "bid,,time,ask", .symbol = "A", .separator = '\t', .time = "iso" },
        { .preset = "lean-equity-quote", .symbol = "A", .base_ns = INT64_MAX / 2 },
        { .preset = "lean-equity-trade", .symbol = "A" },
        { .preset = "lean-fx-quote", .symbol = "A" },
        { .preset = "lean-equity-quote-bar", .symbol = "A", .interval_ns = 60000000000 },
        { .columns = "date,time,symbol,open,high,low,close,volume", .label_end = true },
    };
    struct tw_codec_stats whole, cut;
    struct tw_csv_options o;
    struct sum a, b;
    char *bytes;

    if (n < 2) return 0;
    o = options[data[0] % (sizeof options / sizeof options[0])];
    o.problem = problem;
    bytes = malloc(n - 2 ? n - 2 : 1);   /* its own block: ASan sees both its ends */
    if (!bytes) return 0;
    memcpy(bytes, data + 2, n - 2);
    whole = decode(o, bytes, n - 2, 0, &a);
    cut = decode(o, bytes, n - 2, data[1] + 1u, &b);
    free(bytes);
    if (memcmp(&whole, &cut, sizeof whole) != 0 || a.hash != b.hash) abort();
    if (whole.bytes != n - 2 || whole.records != a.n) abort();
    return 0;
}
