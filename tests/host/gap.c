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

static void write_tape(void)
{
    static const struct tw_sources sources = { { [1] = "fix" } };
    struct tw_error error;
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
    struct tw_tape_writer *w = tw_tape_writer_open(path,
        &(struct tw_tape_writer_options){ .symbols = symbols, .sources = &sources },
        &error);

    ok(w && tw_tape_writer_add(w, r, 5, &error) == TW_OK
       && tw_tape_writer_close(w, &error) == TW_OK, "a tape file with two gaps");
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
    tw_symbols_free(symbols);
    unlink(path);
    return tap_done();
}
