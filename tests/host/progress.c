/* How far the reading of files has come, whatever they are. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feed/history.h"
#include "place.h"
#include "tap.h"
#include "tape/pack.h"
#include "tape/writer.h"

enum { BLOCKS = 4, RECORDS = BLOCKS * TW_PACK_RECORDS };

static char path[PLACE], text[PLACE];
static struct tw_symbols *symbols;

static bool on_problem(void *ctx, const char *why)
{
    (void)ctx;
    printf("# %s\n", why);
    return false;
}

static void on_note(void *ctx, const char *why)
{
    (void)ctx;
    (void)why;
}

static uint64_t size_of(const char *name)
{
    struct stat st;

    return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void write_tape(void)
{
    static const struct tw_sources sources = { { [1] = "fix" } };
    struct tw_error error;
    struct tw_tape_writer *w = tw_tape_writer_open(path,
        &(struct tw_tape_writer_options){ .symbols = symbols, .sources = &sources },
        &error);
    int rc = w ? TW_OK : error.code;

    for (uint64_t i = 1; i <= RECORDS && rc == TW_OK; i++)
        rc = tw_tape_writer_add(w, &(struct tw_record){
            .seq = i, .time = (int64_t)i * 1000, .kind = TW_TRADE, .symbol = 1,
            .source = 1, .trade = { .price = 1 + (int64_t)i % 7, .size = 1 } },
            1, &error);
    ok(rc == TW_OK && tw_tape_writer_close(w, &error) == TW_OK, "a tape file");
}

static void write_text(void)
{
    FILE *f = fopen(text, "w");

    fputs("time,symbol,price,size\n", f);
    for (int i = 1; i <= 100; i++) fprintf(f, "%d,A,5,1\n", 1500000000 + i);
    fclose(f);
}

/* It grows with what is read, and what is read is all. */
static void grows(const struct tw_history_file *file, unsigned n, uint64_t all,
                  unsigned want, const char *name)
{
    struct tw_history *h = tw_history_new(symbols, on_problem, on_note, NULL);
    struct tw_error error = { 0 };
    uint64_t last = 0, records = 0;
    unsigned steps = 0;
    bool grew = true;

    for (unsigned i = 0; i < n; i++)
        ok(tw_history_add(h, &file[i], &error) == TW_OK, "%s: opens", name);
    ok(tw_history_bytes(h) == all, "%s: of %llu bytes", name, (unsigned long long)all);
    ok(tw_history_done(h) < all, "%s: not all at first", name);
    for (; tw_history_peek(h, &error); tw_history_take(h), records++) {
        uint64_t done = tw_history_done(h);

        grew = grew && done >= last && done <= all;
        steps += done > last;
        last = done;
    }
    ok(error.code == TW_OK && records >= RECORDS, "%s: all records", name);
    ok(grew && steps >= want, "%s: grows, in %u steps", name, steps);
    ok(tw_history_done(h) == all, "%s: %llu at the end", name,
       (unsigned long long)tw_history_done(h));
    tw_history_free(h);
}

int main(void)
{
    struct tw_history_file file[] = { { .path = path }, { .path = text } };

    unlink(place_file(path));                /* a tape file is made anew */
    place_file(text);
    symbols = tw_symbols_new(10);
    ok(tw_symbols_intern(symbols, "A", 1) == 1, "a symbol");
    write_tape();
    write_text();
    grows(file, 1, size_of(path), BLOCKS, "a tape file");
    grows(file, 2, size_of(path) + size_of(text), BLOCKS, "with a text");
    file[0].bytes = size_of(path);
    grows(file, 1, size_of(path), BLOCKS, "its first bytes");
    file[0] = (struct tw_history_file){ .path = path, .since_ns = 1 };
    grows(file, 1, size_of(path), BLOCKS, "since a time");
    tw_symbols_free(symbols);
    unlink(path);
    unlink(text);
    return tap_done();
}
