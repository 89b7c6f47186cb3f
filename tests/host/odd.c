/* odd.c - what is wrong with the records of a tape file is told with its place, once, to
 * who reads it as a history or puts it into another file. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed/history.h"
#include "feed/merge.h"
#include "place.h"
#include "tap.h"
#include "tape/bar.h"
#include "tape/writer.h"

enum { RECORDS = 9 };

static char path[PLACE], said[2000];
static struct tw_symbols *symbols;
static bool goes_on;

static void say(void *ctx, const char *text)
{
    size_t n = strlen(path), at = strlen(said);

    (void)ctx;
    if (strncmp(text, path, n) == 0) text += n + 2;     /* "path: " */
    snprintf(said + at, sizeof said - at, "%s\n", text);
}

static bool on_problem(void *ctx, const char *text)
{
    say(ctx, text);
    return goes_on;
}

static struct tw_record quote(uint64_t seq, int64_t time, uint8_t source, int64_t bid,
                              int64_t ask)
{
    return (struct tw_record){ .seq = seq, .time = time, .kind = TW_QUOTE, .symbol = 1,
        .source = source, .quote = { .bid = bid, .ask = ask, .bid_size = 1,
                                     .ask_size = 1 } };
}

static void write_tape(void)
{
    static const struct tw_sources sources = { { [1] = "fix", [2] = "other" } };
    struct tw_record r[RECORDS] = {
        quote(1, 2000, 1, 1, 2), quote(2, 1000, 2, 1, 2),     /* of another source */
        quote(3, 1500, 1, 3, 2), quote(4, 2500, 1, 0, 2),     /* back; of 0 */
        quote(5, 2500, 1, 3, 2), quote(6, 2500, 1, -3, 2),    /* crossed; below 0 */
        quote(7, 2400, 1, -3, 2), quote(8, 2500, 1, 1, 2),
        { .seq = 9, .time = 3000, .kind = TW_TRADE, .symbol = 1, .source = 1,
          .trade = { .price = 1, .size = -1 } },
    };
    struct tw_error error;
    struct tw_tape_writer *w = tw_tape_writer_open(path,
        &(struct tw_tape_writer_options){ .symbols = symbols, .sources = &sources },
        &error);

    ok(w && tw_tape_writer_add(w, r, RECORDS, &error) == TW_OK
       && tw_tape_writer_close(w, &error) == TW_OK, "a tape file");
}

/* The place has the block's, which is the first behind that of names. */
static void is_said(const char *want, const char *name)
{
    char text[2000] = "", *at = text;

    for (const char *p = said; *p; p++) {                /* without the block's byte */
        if (strncmp(p, " (block at byte ", 16) == 0) p = strchr(p, ')') + 1;
        *at++ = *p;
    }
    *at = '\0';
    ok(strcmp(text, want) == 0, "%s", name);
    if (strcmp(text, want) != 0) printf("# %s", text);
}

#define ODD3 "record 3: time goes back, from 1970-01-01 00:00:00.000002 to 1970-01-01" \
    " 00:00:00.0000015; such records are taken as they come\n"
#define ZERO "record 4: a price of 0\n"
#define ODD5 "record 5: the bid 0.000000003 is above the ask 0.000000002; such quotes" \
    " are taken as they are\n"
#define ODD6 "record 6: a price below 0 (-0.000000003); such records are taken as" \
    " they are\n"
#define SIZE "record 9: a size below 0\n"

static void read_history(bool skip, int want, const char *says)
{
    struct tw_history_file file = { .path = path };
    struct tw_error error = { 0 };
    struct tw_history *h = tw_history_new(symbols, on_problem, say, NULL);
    const struct tw_record *r;
    uint64_t last = 0;
    int n = 0;

    said[0] = '\0';
    goes_on = skip;
    tw_history_add(h, &file, &error);
    for (; (r = tw_history_peek(h, &error)); tw_history_take(h), n++) {
        struct tw_place place = tw_history_place(h);

        ok(place.record > last && place.block > 0 && strcmp(place.path, path) == 0,
           "record %d is at %llu", n, (unsigned long long)place.record);
        last = place.record;
    }
    ok(n == want && (error.code == 0) == skip, "%d records (%d)", n, want);
    is_said(says, skip ? "a history that goes on" : "a history that ends");
    tw_history_free(h);
}

static void read_merge(void)
{
    struct tw_merge_input in = { .path = path, .starts_ns = INT64_MIN };
    struct tw_error error = { 0 };
    struct tw_merge *m = tw_merge_open(&(struct tw_merge_options){ .inputs = &in, .n = 1,
        .from_ns = INT64_MIN, .to_ns = INT64_MAX, .problem = say }, &error);
    struct tw_record *r;
    const char *value;
    size_t n;
    int all = 0;

    said[0] = '\0';
    while (tw_merge_next(m, &r, &value, &n, &error) == 1) all++;
    ok(all == RECORDS - 2 && tw_merge_stats(m).problems == 2, "convert leaves two out");
    is_said(ODD3 ZERO ODD5 ODD6 SIZE, "and tells of each");
    tw_merge_close(m);
}

/* A bit of the block's payload is another one. */
static void damage(void)
{
    struct tw_error error;
    struct tw_tape_file *f = tw_tape_file_open(path, 0, &error);
    uint64_t at = 0;
    FILE *file;

    for (size_t i = 0; i < tw_tape_file_spans(f); i++)
        if (tw_tape_file_span(f, i)->type == TW_TAPE_RECORDS)
            at = tw_tape_file_span(f, i)->at + tw_tape_file_span(f, i)->bytes - 20;
    tw_tape_file_close(f);
    file = fopen(path, "r+b");
    fseek(file, (long)at, SEEK_SET);
    fputc(fgetc(file) ^ 1, (fseek(file, (long)at, SEEK_SET), file));
    fclose(file);
}

/* What nearly all are is seen at once; the rest is what the two others would refuse. */
static void sound_bars(void)
{
    unsigned wrong = 0, sound = 0;

    for (int i = 0; i < 5 * 5 * 5 * 5 * 3; i++) {
        const int64_t low = i % 5 - 2, close = low + i / 5 % 5, high = close + i / 25 % 5;
        const struct tw_ohlc bar = { low + i / 125 % 5, high, low, close, i / 625 - 1 };
        struct tw_record r = { .time = 5 };
        int64_t last_ns = 5, other_ns = 5;
        unsigned told = 0;
        bool is;

        if (tw_bar_set(&r, &bar, 60, TW_BAR_TRADES) < 0) continue;
        is = tw_record_is_sound(&r, &last_ns);
        wrong += is != (!tw_record_fault(&r) && !tw_record_odd(&r, &other_ns, &told));
        sound += is;
    }
    ok(wrong == 0 && sound > 20, "%u bars are sound (%u)", sound, wrong);
}

int main(void)
{
    unlink(place_file(path));
    symbols = tw_symbols_new(10);
    tw_symbols_intern(symbols, "A", 1);
    write_tape();
    sound_bars();
    read_history(false, 0, ODD3 ZERO);
    read_history(true, RECORDS - 2, ODD3 ZERO ODD5 ODD6 SIZE);
    read_merge();
    damage();
    read_history(false, 0, "the block at byte 224 is damaged: records of seq 1 to 9\n");
    read_history(true, 0, "the block at byte 224 is damaged: records of seq 1 to 9\n");
    tw_symbols_free(symbols);
    unlink(path);
    return tap_done();
}
