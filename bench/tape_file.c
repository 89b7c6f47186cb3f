/* tape_file.c - what a record costs in a tape file: bytes, and time to write and read.
 *
 * Records of the synthetic market, as a live feed brings them, and, where ../shared/data
 * is, ticks of LEAN.  Each pass stands beside a memcpy of the same records from one array
 * to another; both are larger than the caches.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "feed/csv.h"
#include "feed/lean.h"
#include "feed/scan.h"
#include "feed/synthetic.h"
#include "tape/reader.h"
#include "tape/writer.h"

enum { N = 2000000, RUNS = 5 };

static struct tw_record *from, *to;
static size_t n;
static char path[64];

static void fail(const struct tw_error *error)
{
    fprintf(stderr, "%s\n", error->text);
    exit(1);
}

static double rate(int64_t ns)
{
    return (double)n * 1e3 / (double)ns;   /* M records a second */
}

static double copied(void)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < RUNS; i++) {
        int64_t began = tw_clock_steady_ns(), took;

        memcpy(to, from, n * sizeof *to);
        took = tw_clock_steady_ns() - began;
        if (took < best) best = took;
    }
    return rate(best);
}

static double written(const struct tw_symbols *symbols, bool zstd, double *bytes)
{
    struct tw_tape_writer_options o = { .symbols = symbols, .zstd = zstd };
    int64_t best = INT64_MAX;
    struct tw_error error;

    for (int i = 0; i < RUNS; i++) {
        int64_t began = tw_clock_steady_ns(), took;
        struct tw_tape_writer *w;

        unlink(path);
        began = tw_clock_steady_ns();
        w = tw_tape_writer_open(path, &o, &error);
        if (!w) fail(&error);
        for (size_t k = 0; k < n; k += TW_BATCH)
            if (tw_tape_writer_add(w, from + k, n - k < TW_BATCH ? n - k : TW_BATCH,
                                   &error) < 0) fail(&error);
        tw_tape_writer_flush(w, &error);
        *bytes = (double)tw_tape_writer_written(w).bytes / (double)n;
        if (tw_tape_writer_close(w, &error) < 0) fail(&error);
        took = tw_clock_steady_ns() - began;
        if (took < best) best = took;
    }
    return rate(best);
}

static double read_back(void)
{
    int64_t best = INT64_MAX;
    struct tw_error error;

    for (int i = 0; i < RUNS; i++) {
        struct tw_tape_file *f = tw_tape_file_open(path, 0, &error);
        struct tw_tape_reader *r =
            f ? tw_tape_reader_open(f, INT64_MIN, INT64_MAX, &error) : NULL;
        int64_t began = tw_clock_steady_ns(), took;
        struct tw_tape_block b;
        size_t k = 0;

        if (!r) fail(&error);
        while (tw_tape_reader_next(r, &b, &error) == 1) {
            if (memcmp(b.r, from + k, b.n < 2 ? 64 : 128) != 0) exit(3);
            k += b.n;
        }
        if (k != n) exit(2);
        took = tw_clock_steady_ns() - began;
        if (took < best) best = took;
        tw_tape_reader_close(r);
        tw_tape_file_close(f);
    }
    return rate(best);
}

static void measure(const char *what, const struct tw_symbols *symbols)
{
    double copy = copied(), bytes, w, r;

    printf("%-40s %6.1f M records/s\n", "memcpy", copy);
    for (int zstd = 0; zstd < 2; zstd++) {
        w = written(symbols, zstd, &bytes);
        r = read_back();
        printf("%-32s %-5s %5.2f bytes  written %5.1f M/s %5.2f x  read %5.1f M/s"
               " %5.2f x\n", what, zstd ? "zstd" : "", bytes, w, copy / w, r, copy / r);
    }
    unlink(path);
}

/* Received 40 to 100 us after its time, as from a peer nearby. */
static void make(bool live, uint32_t universe)
{
    struct tw_symbols *symbols = tw_symbols_new(TW_SYMBOL_MAX);
    struct tw_synthetic *s = tw_synthetic_new(&(struct tw_synthetic_options){
        .symbols = symbols, .seed = 7, .universe = universe, .trades = -1,
        .correlation = -1, .start_ns = INT64_C(1700000000000000000), .source = 1 });
    uint64_t random = 1;
    char what[60];

    for (n = 0; n < N; n++) {
        tw_synthetic_next(s, &from[n]);
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        from[n].seq = n + 1;
        from[n].received = live ? from[n].time + 40000 + (int64_t)(random >> 33) % 60000
                                : from[n - n % 1000].time;
    }
    snprintf(what, sizeof what, "synthetic, %u symbols%s", tw_symbols_count(symbols),
             live ? ", live" : "");
    measure(what, symbols);
    tw_synthetic_free(s);
    tw_symbols_free(symbols);
}

static void keep(struct tw_batch *b)
{
    for (unsigned i = 0; i < b->n && n < N; i++) {
        from[n] = b->r[i];
        from[n].seq = n + 1;
        from[n].received = from[n].time;
        n++;
    }
    b->n = 0;
}

static void load(const char *file, struct tw_symbols *symbols)
{
    static struct tw_batch batch = { .full = keep };
    struct tw_error error;
    struct tw_scan scan;
    struct tw_lean lean;
    struct tw_codec *codec;

    if (tw_lean_path(file, &lean, &error) < 0) return;
    codec = tw_csv_decoder_new(&(struct tw_csv_options){
        .symbols = symbols, .preset = lean.preset, .symbol = lean.symbol,
        .base_ns = lean.base_ns, .source = 1 }, &error);
    if (!codec || tw_scan_open(&scan, file, NULL, &error) < 0) fail(&error);
    while (tw_scan_step(&scan, codec, 1, &batch, &error) == 1) continue;
    keep(&batch);
    tw_scan_close(&scan);
    codec->ops->free(codec);
}

static void load_all(const char *what, const char *pattern)
{
    struct tw_symbols *symbols = tw_symbols_new(TW_SYMBOL_MAX);
    glob_t found;

    n = 0;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) load(found.gl_pathv[i], symbols);
        globfree(&found);
    }
    if (n > 0) measure(what, symbols);
    tw_symbols_free(symbols);
}

int main(void)
{
    const char *directory = getenv("TMPDIR");

    snprintf(path, sizeof path, "%.40s/bench-%d.tape", directory ? directory : "/tmp",
             (int)getpid());
    from = tw_calloc(N, sizeof *from);
    to = tw_calloc(N, sizeof *to);
    make(true, 0);
    make(false, 0);
    make(true, 1000);
    load_all("LEAN forex quotes", "../shared/data/lean/forex/*/tick/*/*_quote.zip");
    load_all("LEAN equity quotes", "../shared/data/lean/equity/usa/tick/*/*_quote.zip");
    load_all("LEAN equity trades", "../shared/data/lean/equity/usa/tick/*/*_trade.zip");
    tw_free(from);
    tw_free(to);
    return 0;
}
