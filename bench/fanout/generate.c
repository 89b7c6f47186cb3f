/* generate.c - the input of the fan-out workload: FIX quotes of 1,000 symbols, or fewer.
 *
 *     generate COUNT RATE UNIVERSE [SYMBOLS] >FILE
 *
 * Writes the symbols to UNIVERSE and COUNT messages to standard output: RATE a
 * second, each in a write(2) of its own at its own time, or flat out when 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "feed/fix.h"
#include "feed/synthetic.h"

enum { SYMBOLS = 1000, SECTORS = 10 };

static bool write_universe(const struct tw_symbols *symbols, uint32_t n,
                           const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f) return false;
    for (uint32_t id = 1; id <= n; id++)
        fprintf(f, "%u,%s,%u,%.9f\n", id - 1, tw_symbols_name(symbols, id),
                (id - 1) % SECTORS, tw_symbols_get(symbols, id).weight);
    return fclose(f) == 0;
}

static void wait_until(int64_t at_ns)
{
    struct timespec t = { at_ns / 1000000000, at_ns % 1000000000 };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static bool write_all(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, n);

        if (done < 0) return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

int main(int argc, char **argv)
{
    static char buffer[1 << 16];
    uint32_t symbols = argc == 5 ? (uint32_t)atol(argv[4]) : SYMBOLS;
    struct tw_synthetic_options o = {
        .symbols = tw_symbols_new(SYMBOLS), .universe = symbols, .trades = 0,
        .correlation = -1, .start_ns = INT64_C(1704187800000000000),
    };
    struct tw_fix_writer writer = { "FIX.4.4", "EXCHANGE1", "TIDEWIRE", 1 };
    struct tw_synthetic *market = tw_synthetic_new(&o);
    long count = argc >= 4 ? atol(argv[1]) : 0;
    double rate = argc >= 4 ? atof(argv[2]) : -1;
    int64_t begin = tw_clock_steady_ns();
    size_t n = 0;

    if (count <= 0 || rate < 0 || symbols < 1 || symbols > SYMBOLS || !market) {
        fputs("usage: generate COUNT RATE UNIVERSE [SYMBOLS] >FILE\n", stderr);
        return EXIT_FAILURE;
    }
    if (!write_universe(o.symbols, symbols, argv[3])) {
        perror(argv[3]);
        return EXIT_FAILURE;
    }
    for (long i = 0; i < count; i++) {
        struct tw_record r;
        int64_t length;

        tw_synthetic_next(market, &r);
        length = tw_fix_write_update(&writer, tw_symbols_name(o.symbols, r.symbol),
                                     &r.quote, r.time, buffer + n, sizeof buffer - n);
        if (length < 0) abort();
        n += (size_t)length;
        if (rate > 0) wait_until(begin + (int64_t)((double)i / rate * 1e9));
        if (rate == 0 && n < sizeof buffer / 2 && i + 1 < count) continue;
        if (!write_all(buffer, n)) return EXIT_FAILURE;
        n = 0;
    }
    tw_synthetic_free(market);
    tw_symbols_free(o.symbols);
    return EXIT_SUCCESS;
}
