/* merge.c - files of any kind come out as one, by time. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "feed/merge.h"
#include "place.h"
#include "tap.h"
#include "tape/bar.h"
#include "tape/names.h"
#include "tape/writer.h"

enum { FILES = 5, ROWS = 400, MIXED = 20000 };

static char directory[PLACE], path[FILES + 1][PLACE + 20], lean[2][PLACE + 60];
static struct tw_error error;
static char last_problem[500];
static uint64_t state = 9;

static uint64_t below(uint64_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (state >> 33) % n;
}

static void on_problem(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(last_problem, sizeof last_problem, "%s", text);
}

/* Times in order, with many that are equal, also between files. */
static void write_csv(int i)
{
    FILE *f = fopen(path[i], "w");
    unsigned long long t = 1700000000000000000u;

    fprintf(f, "time,symbol,bid,ask\n");
    for (int row = 0; row < ROWS; row++, t += below(3) * 1000)
        fprintf(f, "%llu,S%d,%d,%d\n", t, i, row + 1, row + 2);
    fclose(f);
}

/* A tape file with messages, and symbols that have other numbers there. */
static void write_tape(const char *to)
{
    struct tw_symbols *symbols = tw_symbols_new(10);
    struct tw_names *topics = tw_names_new(10);
    struct tw_sources sources = { { [1] = "x", [2] = "old" } };
    const char *scripts[] = { NULL, "a.lua" };
    struct tw_record r = { .time = INT64_C(1700000000000000000), .source = 2 };
    struct tw_tape_writer *w;

    tw_symbols_intern(symbols, "OTHER", 5);
    tw_symbols_intern(symbols, "S1", 2);
    tw_names_intern(topics, "topic", 5);
    w = tw_tape_writer_open(to, &(struct tw_tape_writer_options){
        .symbols = symbols, .topics = topics, .sources = &sources, .scripts = scripts,
        .n_scripts = 1 }, &error);
    for (int i = 0; i < ROWS; i++, r.time += (int64_t)below(3) * 1000) {
        r.kind = i % 2 ? TW_QUOTE : TW_MESSAGE;
        r.symbol = i % 2 ? 2 : 0;
        memset(r.word, 0, sizeof r.word);
        r.received = r.time + 5;
        if (r.kind == TW_MESSAGE) {
            r.message.topic = r.message.script = 1;
            r.message.value_kind = TW_VALUE_BLOCK;
            tw_tape_writer_add_message(w, &r, "value", 5, &error);
        } else {
            tw_tape_writer_add(w, &r, 1, &error);
        }
    }
    tw_tape_writer_close(w, &error);
    tw_symbols_free(symbols);
    tw_names_free(topics);
}

/* Of all kinds; bars of two symbols, some of them twice, and times that go back. */
static void write_mixed(const char *to)
{
    const struct tw_ohlc bar = { 2, 3, 1, 2, 9 };
    struct tw_symbols *symbols = tw_symbols_new(10);
    struct tw_sources sources = { { [1] = "x", [2] = "old" } };
    struct tw_tape_writer *w;
    int64_t time = INT64_C(1700000000000000000);

    tw_symbols_intern(symbols, "OTHER", 5);
    tw_symbols_intern(symbols, "S1", 2);
    w = tw_tape_writer_open(to, &(struct tw_tape_writer_options){
        .symbols = symbols, .sources = &sources }, &error);
    for (int i = 0; i < MIXED; i++) {
        static const uint8_t kinds[] = { TW_BAR, TW_BAR, TW_BAR, TW_QUOTE, TW_TRADE };
        struct tw_record r = { .symbol = 1 + below(2), .source = 1 + below(2),
                               .kind = kinds[below(5)] };

        time += (int64_t)below(3) * 1000 - (below(50) == 0) * 1000;
        r.time = time;
        if (below(40) == 0) r.kind = below(2) ? TW_GAP : TW_TIMER;
        if (r.kind == TW_QUOTE) r.quote = (struct tw_quote){ 1, 2, 3, 4 };
        else if (r.kind == TW_TRADE) r.trade.price = 5;
        else if (r.kind == TW_BAR)
            tw_bar_set(&r, &bar, below(2) ? 60 : 30, TW_BAR_TRADES);
        else r.timer.interval_ns = 1000;
        tw_tape_writer_add(w, &r, 1, &error);
    }
    tw_tape_writer_close(w, &error);
    tw_symbols_free(symbols);
}

static int problems;

static void on_twin(void *ctx, const char *text)
{
    (void)ctx;
    problems += strstr(text, "a second ") != NULL;
}

static int read_mixed(const char *from, const struct tw_resolutions *only, bool in_runs,
                      struct tw_record *out, int *longest)
{
    struct tw_merge_input input = { .path = from, .source = "x",
                                    .starts_ns = INT64_MIN };
    struct tw_merge *m = tw_merge_open(&(struct tw_merge_options){
        .inputs = &input, .n = 1, .from_ns = INT64_MIN, .to_ns = INT64_MAX,
        .only = *only, .problem = on_twin }, &error);
    struct tw_record *r;
    const char *value;
    size_t bytes, more;
    int n = 0;

    problems = 0;
    while (m && tw_merge_next(m, &r, &value, &bytes, &error) > 0) {
        r->seq = tw_merge_place(m)->record;
        more = in_runs ? tw_merge_more(m) : 0;
        memcpy(out + n, r, (1 + more) * sizeof *r);
        n += 1 + (int)more;
        if ((int)more > *longest) *longest = (int)more;
    }
    if (m && tw_merge_stats(m).records != (uint64_t)n) n = -1;
    tw_merge_close(m);
    return n;
}

/* What is given in runs is what is given one by one; of lengths that are left out a bar
 * may be there twice. */
static void runs(const char *at)
{
    static const struct tw_resolutions only[] = { { { 0 }, 0 }, { { 60 }, 1 },
                                                  { { 90 }, 1 } };
    struct tw_record *one = tw_calloc(MIXED, sizeof *one);
    struct tw_record *run = tw_calloc(MIXED, sizeof *run);
    int longest, n, m, told, before = INT_MAX;

    write_mixed(at);
    for (unsigned i = 0; i < 3; i++) {
        longest = 0;
        n = read_mixed(at, &only[i], false, one, &longest);
        told = problems;
        m = read_mixed(at, &only[i], true, run, &longest);
        ok(n > MIXED / 2 && told < before && (told > 100) == (i < 2) && n + told == MIXED,
           "a tape of all kinds, %d records and %d twins", n, told);
        ok(m == n && problems == told && memcmp(one, run, (size_t)n * sizeof *one) == 0
           && longest > 10, "is the same in runs (up to %d, %d records)", longest, m);
        before = told;
    }
    tw_free(one);
    tw_free(run);
    unlink(at);
}

static void write_lean(int i, const char *day)
{
    FILE *f;

    snprintf(lean[i], sizeof lean[i], "%s/%s_quote.csv", directory, day);
    f = fopen(lean[i], "w");
    fprintf(f, "1000,1,2\n");
    fclose(f);
}

/* All records of the inputs: how many, or negative. */
static int64_t merge(const struct tw_merge_input *inputs, size_t n, int64_t from,
                     int64_t to, bool *sorted)
{
    struct tw_merge *m = tw_merge_open(&(struct tw_merge_options){
        .inputs = inputs, .n = n, .from_ns = from, .to_ns = to, .problem = on_problem,
    }, &error);
    int64_t count = 0, last = INT64_MIN;
    struct tw_record *r;
    const char *value;
    size_t bytes;
    int rc = m ? 1 : error.code;

    *sorted = true;
    while (m && (rc = tw_merge_next(m, &r, &value, &bytes, &error)) == 1) {
        const struct tw_merge_names *names = tw_merge_names(m);
        bool quote = r->kind == TW_QUOTE;

        count++;
        *sorted = *sorted && r->time >= last && r->seq == (uint64_t)count
            && r->time >= from && r->time < to;
        last = r->time;
        if (!quote)
            *sorted = *sorted && bytes == 5 && memcmp(value, "value", 5) == 0
                && r->received == r->time + 5
                && strcmp(tw_names_get(names->topics, r->message.topic), "topic") == 0
                && strcmp(tw_names_get(names->scripts, r->message.script), "a.lua") == 0
                && strcmp(tw_sources_name(&names->sources, r->source), "old") == 0;
        else
            *sorted = *sorted && tw_symbols_name(names->symbols, r->symbol)[0] == 'S';
    }
    if (m) *sorted = *sorted && tw_merge_stats(m).backwards == 0;
    tw_merge_close(m);
    return rc < 0 ? rc : count;
}

int main(void)
{
    struct tw_merge_input inputs[FILES + 1] = { 0 }, days[2] = { 0 };
    int64_t from = INT64_C(1700000000000100000), n, all = (FILES + 1) * ROWS;
    unsigned failed = 0, wrong = 0;
    bool sorted;

    snprintf(directory, sizeof directory, "%.200s/merge-%d", place_memory(),
             (int)getpid());
    mkdir(directory, 0777);
    for (int i = 0; i <= FILES; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d", directory, i);
        inputs[i] = (struct tw_merge_input){ .path = path[i], .source = "csv",
                                             .starts_ns = INT64_MIN };
        if (i < FILES) write_csv(i);
        else write_tape(path[i]);
    }
    n = merge(inputs, FILES + 1, INT64_MIN, INT64_MAX, &sorted);
    ok(n == all && sorted, "all records come, by time (%lld)", (long long)n);
    n = merge(inputs, FILES + 1, from, from + 100000, &sorted);
    ok(n > 0 && n < all && sorted, "or those of a range (%lld)", (long long)n);
    ok(merge(inputs, 0, INT64_MIN, INT64_MAX, &sorted) == 0, "no file has none");

    write_lean(0, "20140507");
    write_lean(1, "20140508");
    for (int i = 0; i < 2; i++)
        days[i] = (struct tw_merge_input){
            .path = lean[1 - i], .source = "lean",
            .csv = { .preset = "lean-fx-quote", .symbol = "SPOT",
                     .base_ns = INT64_C(86400000000000) * (2 - i) },
            .starts_ns = INT64_C(86400000000000) * (2 - i) };
    n = merge(days, 2, INT64_MIN, INT64_MAX, &sorted);
    ok(n == 2 && sorted, "a file that starts later is opened later");
    unlink(lean[0]);
    n = merge(days, 2, INT64_MIN, INT64_MAX, &sorted);
    ok(n == UV_ENOENT && strstr(error.text, "20140507_quote.csv"), "%s", error.text);

    runs(lean[0]);
    if (truncate(path[FILES], 500) < 0) abort();
    n = merge(inputs + FILES, 1, INT64_MIN, INT64_MAX, &sorted);
    ok(n == 0 && strstr(last_problem, "it was not closed"), "%s", last_problem);
    unlink(path[FILES]);
    write_tape(path[FILES]);
    for (n = -1; n < 0 && failed < 500; failed += n < 0) {
        tw_memory_fail_at(failed + 1);
        n = merge(inputs, FILES + 1, INT64_MIN, INT64_MAX, &sorted);
        wrong += n < 0 && n != UV_ENOMEM;
        tw_memory_fail_at(0);
    }
    ok(n == all && sorted && failed > 20 && wrong == 0,
       "an allocation that fails says so (%u times)", failed);

    for (int i = 0; i <= FILES; i++) unlink(path[i]);
    unlink(lean[1]);
    rmdir(directory);
    return tap_done();
}
