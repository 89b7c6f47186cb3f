/* dispatch.c - what a script pays for a record: entering a handler, parameters,
 * fields, an EWMA; nanoseconds a quote, beside a plain C loop of the same run.
 *
 * One script at a time reads 4,096 quotes that are in the processor's cache;
 * nothing else runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/engine.h"
#include "task/remote.h"

enum { QUOTES = 1 << 12, SYMBOLS = 1000, ROUNDS = 200, TAPE = QUOTES * 2 };

static const struct { const char *name, *body; } handlers[] = {
    { "not subscribed", "function M.on_trade() end" },
    { "enter a handler", "function M.on_quote() end" },
    { "  with self", "function M:on_quote() end" },
    { "  with one parameter (bid)", "function M.on_quote(bid) end" },
    { "  with two (bid, ask)", "function M.on_quote(bid, ask) end" },
    { "  with symbol", "function M.on_quote(symbol) end" },
    { "  with the quote", "function M.on_quote(q) end" },
    { "  and read q.bid", "function M.on_quote(q) local b = q.bid end" },
    { "EWMA by symbol_id", "local e = {} for i = 1, 1000 do e[i] = 0.0 end\n"
      "function M.on_quote(symbol_id, bid, ask)\n"
      "local v = e[symbol_id] e[symbol_id] = v + 0.05 * ((bid + ask) * 0.5 - v) end" },
    { "EWMA by symbol, through self", "function M:on_start() self.e = {} end\n"
      "function M:on_quote(symbol, mid) local e = self.e local v = e[symbol] or mid\n"
      "e[symbol] = v + 0.05 * (mid - v) end" },
    { "EWMA by symbol, pushed", "local stat = require 'tw.stat'\n"
      "local e = stat.by_symbol(stat.ewma, 0.05)\n"
      "function M.on_quote(symbol, mid) e[symbol]:push(mid) end" },
};

static void fill(struct tw_tape *tape)
{
    for (int i = 0; i < QUOTES; i++) {
        struct tw_record r = { .kind = TW_QUOTE, .symbol = (unsigned)(i % SYMBOLS + 1) };

        r.quote = (struct tw_quote){ (100 + i % 7) * INT64_C(1000000000),
                                     (101 + i % 5) * INT64_C(1000000000),
                                     INT64_C(100000000000), INT64_C(200000000000) };
        if (tw_tape_try_append(tape, &r, 1) < 0) abort();
    }
}

/* The same EWMA over the same tape without Lua. */
static double plain_c(const struct tw_tape *tape)
{
    static double ewma[SYMBOLS + 1];
    uint64_t end = tw_tape_head(tape);
    int64_t begin = tw_clock_steady_ns();

    for (uint64_t seq = end - QUOTES; seq < end; seq++) {
        struct tw_record r;

        if (tw_tape_read(tape, seq, &r) != 1) abort();
        ewma[r.symbol] += 0.05 * ((double)(r.quote.bid + r.quote.ask) / 2e9
                                  - ewma[r.symbol]);
    }
    return (double)(tw_clock_steady_ns() - begin) / QUOTES;
}

static void failed(void *ctx, bool fatal)
{
    (void)ctx, (void)fatal;
}

static void closed(void *ctx)
{
    (void)ctx;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* Nanoseconds a quote for a script with this handler, and for plain C. */
static double run(struct ltw_host *host, const char *body, double *c)
{
    char path[] = "/tmp/tidewire-dispatch-XXXXXX";
    struct ltw_script_options options = { .name = "dispatch", .path = path, .id = 1 };
    struct ltw_script_counts counts = { 0 };
    struct ltw_engine engine = {
        .host = host, .path = "?.lua", .options = &options, .counts = &counts, .n = 1,
        .who = "bench", .failed = failed, .halted = closed, .closed = closed,
    };
    struct tw_worker_options worker = {
        .tape = host->tape, .epoch = host->epoch, .ops = &ltw_engine_ops, .ctx = &engine,
    };
    struct tw_worker *w;
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    double best = 1e9;

    tw_be_main();
    engine.worker = w = tw_worker_new(&worker);
    engine.remotes = w ? ltw_remotes_new(w) : NULL;
    fprintf(f, "local M = {}\n%s\nreturn M\n", body);
    fclose(f);
    tw_role_set(&WORKER);
    if (!engine.remotes || ltw_engine_ops.open(&engine) < 0) {
        fprintf(stderr, "dispatch: %s\n", engine.error.text);
        exit(EXIT_FAILURE);
    }
    tw_be_worker();
    ltw_engine_go(&engine);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t begin;

        fill(host->tape);
        *c = least(*c, plain_c(host->tape));
        begin = tw_clock_steady_ns();
        while (ltw_engine_ops.step(&engine)) {}
        best = least(best, (double)(tw_clock_steady_ns() - begin) / QUOTES);
    }
    ltw_engine_ops.close(&engine);
    tw_role_set(&MAIN);
    ltw_remotes_free(engine.remotes);
    tw_worker_free(w);
    unlink(path);
    return best;
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

static void release(void *p)
{
    (void)p;
}

int main(void)
{
    struct ltw_host host = { .symbols = tw_symbols_new(TW_SYMBOL_MAX) };
    double c = 1e9;

    tw_role_set(&MAIN);
    host.topics = tw_names_new(16);
    host.epoch = tw_epoch_new(release);
    host.log = tw_log_new(65536, no_wake, NULL);
    for (int i = 0; i < SYMBOLS; i++) {
        char name[8];

        tw_symbols_intern(host.symbols, name,
                          (size_t)snprintf(name, sizeof name, "S%04d", i));
    }
    printf("%-32s %10s %12s\n", "dispatch", "ns/quote", "to plain C");
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        double ns;

        host.tape = tw_tape_new(TAPE);
        ns = run(&host, handlers[i].body, &c);
        tw_tape_free(host.tape);
        printf("%-32s %10.1f %12.1f\n", handlers[i].name, ns, ns / c);
    }
    printf("%-32s %10.1f %12.1f\n", "plain C: read and EWMA", c, 1.0);
    tw_epoch_free(host.epoch);
    tw_log_free(host.log);
    tw_names_free(host.topics);
    tw_symbols_free(host.symbols);
    return 0;
}
