/* What a tape file lacks is told, once, to who reads it as a history. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed/history.h"
#include "place.h"
#include "tap.h"
#include "tape/writer.h"

static char path[PLACE], notes[1000];
static struct tw_symbols *symbols;

static bool on_problem(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return false;
}

static void on_note(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(notes + strlen(notes), sizeof notes - strlen(notes), "%s\n", text);
}

static bool made(const char *to, const struct tw_sources *sources, struct tw_record *r,
                 size_t n)
{
    struct tw_error error;
    struct tw_tape_writer *w = tw_tape_writer_open(to,
        &(struct tw_tape_writer_options){ .symbols = symbols, .sources = sources },
        &error);

    return w && tw_tape_writer_add(w, r, n, &error) == TW_OK
        && tw_tape_writer_close(w, &error) == TW_OK;
}

static void write_tape(void)
{
    static const struct tw_sources sources = { { [1] = "fix" } };
    struct tw_record r[] = {
        { .seq = 1, .time = 1000, .kind = TW_QUOTE, .symbol = 1, .source = 1,
          .quote = { .bid = 1, .ask = 2, .bid_size = 1, .ask_size = 1 } },
        { .seq = 6, .time = 1000, .kind = TW_GAP, .gap = { .lost = 4, .first = 2 } },
        { .seq = 7, .time = 2000, .kind = TW_TRADE, .symbol = 1, .source = 1,
          .trade = { .price = 1, .size = 1 } },
        { .seq = 9, .time = 2000, .kind = TW_GAP, .gap = { .lost = 1, .first = 8 } },
        { .seq = 10, .time = 3000, .kind = TW_TRADE, .symbol = 1, .source = 1,
          .trade = { .price = 1, .size = 1 } },
    };

    ok(made(path, &sources, r, 5), "a tape file with two gaps");
}

/* ---- gaps that come first ---- */

/* Its time is that of a clock on the wall: what is behind it must not wait for that. */
static void begins_with(const struct tw_sources *sources, int64_t since_ns, unsigned n,
                        const char *want, const char *name)
{
    static char other[PLACE];
    struct tw_sources named = { { NULL } };
    struct tw_record r[] = {
        { .seq = 1, .time = 10, .kind = TW_TRADE, .symbol = 1, .source = 1,
          .trade = { .price = 1, .size = 1 } },
        { .seq = 2, .time = 9000, .kind = TW_GAP, .source = 2 },
        { .seq = 3, .time = 9000, .kind = TW_GAP, .gap = { .lost = 1, .first = 2 } },
        { .seq = 4, .time = 1000, .kind = TW_TRADE, .symbol = 1, .source = 1,
          .trade = { .price = 1, .size = 1 } },
        { .seq = 5, .time = 3000, .kind = TW_TRADE, .symbol = 1, .source = 1,
          .trade = { .price = 1, .size = 1 } },
    };
    struct tw_record twin[] = {
        { .seq = 1, .time = 2000, .kind = TW_TRADE, .symbol = 1, .source = 1,
          .trade = { .price = 1, .size = 1 } },
    };
    struct tw_history_file file = { .path = path, .since_ns = since_ns };
    struct tw_history_file two = { .path = other, .since_ns = since_ns };
    struct tw_history *h = tw_history_new(symbols, on_problem, on_note, NULL);
    struct tw_error error = { 0 };
    const struct tw_record *one;
    char got[300] = "";

    unlink(path);
    unlink(place_file(other));
    ok(made(path, sources, r + (5 - n), n) && made(other, sources, twin, 1),
       "%s: two tape files", name);
    tw_history_name_sources(h, &named);
    ok(tw_history_add(h, &file, &error) == TW_OK
       && tw_history_add(h, &two, &error) == TW_OK, "%s: are read", name);
    for (; (one = tw_history_peek(h, &error)); tw_history_take(h))
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d%s%s ",
                 one->kind == TW_GAP ? "gap " : "", (int)one->time,
                 one->source ? " " : "",
                 one->source ? tw_sources_name(&named, one->source) : "");
    ok(strcmp(got, want) == 0, "%s: %s", name, want);
    if (strcmp(got, want) != 0) printf("# got %s\n", got);
    tw_history_free(h);
    unlink(other);
}

static void first_gaps(void)
{
    static const struct tw_sources sources = { { [1] = "fix", [2] = "slow" } };

    begins_with(&sources, 0, 5, "10 fix gap 10 slow gap 10 1000 fix 2000 fix 3000 fix ",
                "a gap behind a record has its time");
    begins_with(&sources, 0, 4, "gap 1000 slow gap 1000 1000 fix 2000 fix 3000 fix ",
                "one that comes first that of the next");
    begins_with(&sources, 500, 5, "gap 1000 slow gap 1000 1000 fix 2000 fix 3000 fix ",
                "also in a part");
    begins_with(&sources, 5000, 5, "gap 9000 slow gap 9000 ",
                "where no other record is left it has its own");
}

int main(void)
{
    struct tw_error error = { 0 };
    struct tw_history_file file = { .path = path };
    struct tw_history *h;
    char want[PLACE + 100];
    const struct tw_record *r;
    char kinds[6] = "";
    int n = 0;

    unlink(place_file(path));
    symbols = tw_symbols_new(10);
    tw_symbols_intern(symbols, "A", 1);
    write_tape();
    h = tw_history_new(symbols, on_problem, on_note, NULL);
    ok(tw_history_add(h, &file, &error) == TW_OK, "is read as a history");
    for (; (r = tw_history_peek(h, &error)) && n < 5; tw_history_take(h))
        kinds[n++] = r->kind == TW_GAP ? 'g' : 'r';
    ok(!r && error.code == 0 && strcmp(kinds, "rgrgr") == 0,
       "its three records and where one is missing: %s", kinds);
    snprintf(want, sizeof want, "%s: 4 records are missing from record 2 on: it has been"
             " recorded with gaps\n", path);
    ok(strcmp(notes, want) == 0, "and its first gap: %s", notes);
    tw_history_free(h);
    first_gaps();
    tw_symbols_free(symbols);
    unlink(path);
    return tap_done();
}
