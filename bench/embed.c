/* embed.c - what a program pays for a host inside: ns a quote that it pushes, by name and
 * in batches, beside the same records appended to a bare tape; and reading, messages,
 * tables and calls.
 *
 * A cost is that of the best of many short runs, as the others were disturbed: the worker
 * of the host reads beside them.  A latency is the median.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tape/tape.h"

enum { RUNS = 40, N = 1 << 14, CAPACITY = 1 << 20, CALLS = 4000 };

static struct tw_host *host;
static struct tw_tape *tape;
static struct tw_record records[N];
static uint64_t sum;   /* of what was read, so that no loop is optimised away */

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void row(const char *what, double ns, double base)
{
    printf("%-46s %9.1f ns %9.2f x\n", what, ns, ns / base);
}

/* Runs f(batch) for N records, many times: ns a record.  The worker has caught up before
 * each, so that nobody waits for room. */
static double cost(void (*f)(size_t batch), size_t batch)
{
    int64_t ns[RUNS];

    for (int k = 0; k < RUNS; k++) {
        struct tw_host_script s = { .size = sizeof s };
        int64_t start;

        do tw_host_get_script(host, 0, &s); while (s.lag > 0);
        start = tw_clock_steady_ns();
        f(batch);
        ns[k] = tw_clock_steady_ns() - start;
    }
    qsort(ns, RUNS, sizeof *ns, ascending);
    return (double)ns[0] / N;
}

static void append(size_t batch)
{
    for (size_t i = 0; i < N; i += batch) {
        tw_tape_try_append(tape, records + i, batch);
        tw_tape_wake(tape);
    }
}

static void push(size_t batch)
{
    for (size_t i = 0; i < N; i += batch)
        tw_host_push(host, records + i, batch, TW_FOREVER);
}

static void quote(size_t batch)
{
    (void)batch;
    for (int i = 0; i < N; i++)
        tw_host_quote(host, "AAPL", 0, 187.22, 187.24, 300, 500);
}

static void publish(size_t batch)
{
    (void)batch;
    for (int i = 0; i < N; i++)
        tw_host_publish(host, "topic", tw_item_integer(i), TW_FOREVER);
}

static void publish_table(size_t batch)
{
    struct tw_draft *d = tw_draft_new();
    struct tw_any v;

    (void)batch;
    for (int i = 0; i < N; i++) {
        tw_draft_set(d, "symbol", tw_item_text("AAPL"));
        tw_draft_set(d, "bid", tw_item_number(187.22));
        tw_draft_set(d, "ask", tw_item_number(187.24));
        if (tw_draft_finish(d, &v) < 0) exit(1);
        tw_host_publish(host, "topic", tw_any_root(&v), TW_FOREVER);
        tw_any_unref(&v);
    }
    tw_draft_free(d);
}

static struct tw_host_cursor *cursor;

static void look(size_t batch)
{
    struct tw_record r;

    (void)batch;
    for (int i = 0; i < N && tw_host_cursor_next(cursor, &r, NULL); i++) sum += r.seq;
}

static double call(void)
{
    static int64_t ns[CALLS];

    for (int i = 0; i < CALLS; i++) {
        int64_t start = tw_clock_steady_ns();
        struct tw_future *f;
        struct tw_item v;

        if (tw_host_call(host, "s.lua", "one", NULL, 0, &f, NULL) < 0
            || tw_future_await(f, 10, &v, NULL) < 0)
            exit(1);
        sum += (uint64_t)v.integer;
        tw_future_close(f);
        ns[i] = tw_clock_steady_ns() - start;
    }
    qsort(ns, CALLS, sizeof *ns, ascending);
    return (double)ns[CALLS / 2];
}

static int open_host(void)
{
    struct tw_host_options o = { .workers = 1 };
    struct tw_error error = { 0, "" };
    int rc;

    host = tw_host_new(&o, &error);
    if (!host) return error.code;
    tw_host_add_text(host, "app.lua", "local app = require 'tw.app'"
                     " app.tape { capacity = 1 << 20 } app.script 's.lua'");
    tw_host_add_text(host, "s.lua", "return { one = function() return 1 end }");
    rc = tw_host_load(host, "app.lua", &error);
    if (rc == TW_OK) rc = tw_host_start(host, &error);
    if (rc < 0) fprintf(stderr, "%s\n", error.text);
    return rc;
}

int main(void)
{
    double base;
    int64_t id;

    tape = tw_tape_new(CAPACITY);
    if (!tape || open_host() < 0) return 1;
    id = tw_host_symbol(host, "AAPL");
    for (int i = 0; i < N; i++)
        records[i] = (struct tw_record){ .kind = TW_QUOTE, .symbol = (uint32_t)id,
                                         .quote = { 1, 2, 3, 4 } };
    base = cost(append, 1);
    row("a bare tape, one at a time", base, base);
    row("a bare tape, batches of 64", cost(append, 64), base);
    row("tw_host_push, one at a time", cost(push, 1), base);
    row("tw_host_push, batches of 64", cost(push, 64), base);
    row("tw_host_push, batches of 1024", cost(push, 1024), base);
    row("tw_host_quote: by name, from doubles", cost(quote, 1), base);
    row("tw_host_publish, an integer", cost(publish, 1), base);
    row("a table of three, and tw_host_publish", cost(publish_table, 1), base);
    cursor = tw_host_cursor_open(host, 1u << TW_QUOTE | 1u << TW_MESSAGE, false, 1, NULL);
    if (!cursor) return 1;
    row("tw_host_cursor_next", cost(look, 1), base);
    tw_host_cursor_close(cursor);
    printf("%-46s %9.1f us\n", "tw_host_call and await, p50", call() / 1000);
    tw_tape_free(tape);
    return sum == 0 || tw_host_free(host) < 0;
}
