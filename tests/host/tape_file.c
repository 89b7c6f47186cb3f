/* tape_file.c - what is written to a tape file is read, bit by bit, and what happened to
 * the file is found. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "place.h"
#include "tap.h"
#include "tape/names.h"
#include "tape/pack.h"
#include "tape/reader.h"
#include "tape/writer.h"

enum { SYMBOLS = 300, TOPICS = 20, SCRIPTS = 3, MOST = 3 * TW_PACK_RECORDS };

static char path[PLACE], other[PLACE];
static struct tw_symbols *symbols;
static struct tw_names *topics;
static struct tw_sources sources = { { [1] = "fix", [2] = "timer" } };
static const char *scripts[SCRIPTS + 1] = { NULL, "maker.lua", "stats.lua", "x.lua" };
static struct tw_record *made, *got;
static struct tw_error error;
static uint64_t state = 88172645463325252;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t below(uint64_t n)
{
    return draw() % n;
}

static void make_names(void)
{
    char name[20];
    int64_t id;

    symbols = tw_symbols_new(SYMBOLS);
    topics = tw_names_new(TOPICS);
    for (int i = 0; i < SYMBOLS; i++) {
        snprintf(name, sizeof name, "S%d", i);
        id = tw_symbols_intern(symbols, name, strlen(name));
        tw_symbols_set(symbols, (uint32_t)id, &(struct tw_instrument){
            (uint32_t)tw_names_intern(tw_symbols_sectors(symbols), i % 2 ? "odd" : "even",
                                      i % 2 ? 3 : 4), i, i * 2, i / 4.0 });
    }
    for (int i = 0; i < TOPICS; i++) {
        snprintf(name, sizeof name, "topic %d", i);
        tw_names_intern(topics, name, strlen(name));
    }
}

/* A record as it may come: of one of six shapes, from a quiet market to noise. */
static void draw_record(struct tw_record *r, const struct tw_record *last, int shape)
{
    static const uint64_t scale[] = { 10000000, 1, 5000000, 250000000, 1, 1000000000 };
    uint64_t noise = shape == 4 ? UINT64_MAX : 1000;

    *r = (struct tw_record){
        .seq = last->seq + (shape == 3 ? 1 + below(3) : 1),
        .time = shape == 4 ? (int64_t)draw() : last->time + (int64_t)below(100000) - 9,
        .symbol = (uint32_t)below(shape == 0 ? 2 : SYMBOLS + 1),
        .source = (uint32_t)below(shape == 1 ? 256 : 2),
        .source_seq = shape == 4 ? (uint32_t)draw() : last->source_seq + 1,
        .kind = shape == 0 ? TW_QUOTE : (uint32_t)below(shape == 5 ? 16 : 3),
    };
    r->received = (int64_t)((uint64_t)r->time + below(noise));
    for (int i = 0; i < 4; i++) r->word[i] = below(noise) * scale[shape];
    if (shape != 4) r->word[1] += r->word[0];
    if (r->kind == TW_QUOTE || r->kind == TW_TRADE) r->symbol += r->symbol == 0;
    if (r->kind != TW_MESSAGE) return;
    r->message.topic = 1 + (uint32_t)below(TOPICS);
    r->message.script = (uint32_t)below(SCRIPTS + 1);
    r->message.value_kind = below(TW_VALUE_NUMBER + 1);
}

static void draw_records(size_t n, int shape)
{
    struct tw_record last = { .time = INT64_C(1700000000000000000) };

    for (size_t i = 0; i < n; i++) {
        draw_record(&made[i], &last, shape);
        last = made[i];
    }
}

static struct tw_tape_writer *begin(const char *to, bool zstd, enum tw_tape_sync sync)
{
    unlink(to);
    return tw_tape_writer_open(to, &(struct tw_tape_writer_options){
        .symbols = symbols, .topics = topics, .sources = &sources, .scripts = scripts,
        .n_scripts = SCRIPTS, .created_ns = 42, .zstd = zstd, .sync = sync }, &error);
}

static bool write_all(size_t n, bool zstd)
{
    struct tw_tape_writer *w = begin(path, zstd, TW_SYNC_NEVER);
    size_t done = 0, part;

    for (; w && done < n; done += part) {
        part = 1 + below(200);
        if (part > n - done) part = n - done;
        if (tw_tape_writer_add(w, made + done, part, &error) < 0) break;
    }
    return w && tw_tape_writer_close(w, &error) == TW_OK && done == n;
}

/* Reads a file: how many records; damaged: how many blocks were. */
static size_t read_all(const struct tw_tape_file *f, int64_t from, int64_t to,
                       unsigned *damaged)
{
    struct tw_tape_reader *r = tw_tape_reader_open(f, from, to, &error);
    struct tw_tape_block b;
    size_t n = 0;
    int rc;

    *damaged = 0;
    while (r && (rc = tw_tape_reader_next(r, &b, &error)) != 0) {
        if (rc < 0) {
            ++*damaged;
            continue;
        }
        if (n + b.n > MOST) abort();
        memcpy(got + n, b.r, b.n * sizeof *b.r);
        n += b.n;
    }
    tw_tape_reader_close(r);
    return n;
}

static struct tw_tape_info info;

/* The records that can be read of `path`; SIZE_MAX: it can't be opened. */
static size_t read_file(unsigned *damaged)
{
    struct tw_tape_file *f = tw_tape_file_open(path, 0, &error);
    size_t n = SIZE_MAX;

    if (f) {
        n = read_all(f, INT64_MIN, INT64_MAX, damaged);
        info = *tw_tape_file_info(f);
    }
    tw_tape_file_close(f);
    return n;
}

static bool same(size_t n)
{
    return memcmp(made, got, n * sizeof *made) == 0;
}

static void test_round_trip(void)
{
    unsigned damaged;
    size_t n, back;

    for (int shape = 0; shape < 6; shape++)
        for (int zstd = 0; zstd < 2; zstd++) {
            n = 1 + below(MOST - 1);
            draw_records(n, shape);
            ok(write_all(n, zstd), "shape %d: %zu records are written%s", shape, n,
               zstd ? ", packed" : "");
            back = read_file(&damaged);
            ok(back == n && damaged == 0 && same(n), "and read, bit by bit");
            ok(info.closed && info.records == n && info.cut_bytes == 0
               && info.first_seq == made[0].seq && info.last_seq == made[n - 1].seq
               && info.created_ns == 42, "the index knows of all");
        }
    draw_records(1, 0);
    ok(write_all(1, false) && read_file(&damaged) == 1 && same(1), "so is a single one");
    ok(write_all(0, false) && read_file(&damaged) == 0 && info.closed,
       "a file may have no record");
}

static void test_names(void)
{
    struct tw_tape_file *f;
    struct tw_tape_name name;
    bool fine = true;

    draw_records(MOST, 5);
    write_all(MOST, false);
    f = tw_tape_file_open(path, 0, &error);
    for (uint32_t id = 1; id <= SYMBOLS; id++) {
        struct tw_instrument in = tw_symbols_get(symbols, id);

        name = tw_tape_file_name(f, TW_TAPE_SYMBOL, id);
        fine = fine && name.text && strcmp(name.text, tw_symbols_name(symbols, id)) == 0
            && name.instrument.sector == in.sector
            && name.instrument.tick_fixed == in.tick_fixed
            && name.instrument.lot_fixed == in.lot_fixed
            && name.instrument.weight == in.weight;
    }
    ok(fine && tw_tape_file_names(f, TW_TAPE_SYMBOL) == SYMBOLS,
       "every symbol has its name and what is known of it");
    ok(tw_tape_file_names(f, TW_TAPE_TOPIC) == TOPICS
       && strcmp(tw_tape_file_name(f, TW_TAPE_TOPIC, 20).text, "topic 19") == 0,
       "every topic its name");
    ok(strcmp(tw_tape_file_name(f, TW_TAPE_SOURCE, 1).text, "fix") == 0
       && strcmp(tw_tape_file_name(f, TW_TAPE_SCRIPT, 3).text, "x.lua") == 0
       && strcmp(tw_tape_file_name(f, TW_TAPE_SECTOR, 1).text, "even") == 0,
       "and so have sources, scripts and sectors");
    ok(!tw_tape_file_name(f, TW_TAPE_SYMBOL, 0).text
       && !tw_tape_file_name(f, TW_TAPE_SOURCE, 9999).text, "others have none");
    tw_tape_file_close(f);
    ok(tw_tape_file_is(path) && !tw_tape_file_is("/dev/null"),
       "it is known for what it is");
}

static void test_values(void)
{
    static const char text[] = "the bytes of a value that is not a number";
    struct tw_record r = { .kind = TW_MESSAGE, .seq = 1, .time = 5,
                           .message = { 1, 2, TW_VALUE_BLOCK, { 0 }, 77 } };
    struct tw_tape_reader *reader;
    struct tw_tape_writer *w;
    struct tw_tape_file *f;
    struct tw_tape_block b;
    bool fine = true;
    size_t n, at = 0;
    const char *p;

    for (int zstd = 0; zstd < 2; zstd++) {
        w = begin(path, zstd, TW_SYNC_NEVER);
        for (size_t i = 0; i < 5000; i++, r.seq++)
            fine = fine && tw_tape_writer_add_message(w, &r, text + i % 7, i % 30,
                                                      &error) == TW_OK;
        fine = fine && tw_tape_writer_close(w, &error) == TW_OK;
        f = tw_tape_file_open(path, 0, &error);
        reader = tw_tape_reader_open(f, INT64_MIN, INT64_MAX, &error);
        for (at = 0; tw_tape_reader_next(reader, &b, &error) == 1;)
            for (size_t i = 0; i < b.n; i++, at++) {
                p = tw_tape_value(&b, &b.r[i], &n);
                fine = fine && n == at % 30 && memcmp(p, text + at % 7, n) == 0
                    && b.r[i].message.unused == 77 && b.r[i].message.script == 2;
            }
        ok(fine && at == 5000, "messages have their values again");
        tw_tape_reader_close(reader);
        tw_tape_file_close(f);
        r.seq = 1;
    }
    w = begin(path, false, TW_SYNC_NEVER);
    ok(tw_tape_writer_add(w, &r, 1, &error) == TW_EUSAGE, "a block needs its bytes");
    r = (struct tw_record){ .kind = TW_QUOTE, .symbol = SYMBOLS + 1 };
    ok(tw_tape_writer_add(w, &r, 1, &error) == TW_EUSAGE
       && strstr(error.text, "symbol 301, which has no name"), "a symbol needs a name");
    r.symbol = 1;
    ok(tw_tape_writer_add(w, &r, 1, &error) == TW_OK
       && tw_tape_writer_close(w, &error) == TW_OK, "and the file goes on");
}

static void test_range(void)
{
    struct tw_tape_file *f;
    unsigned damaged;
    size_t n = 0, want = 0;
    int64_t from, to;
    bool fine = true;

    draw_records(MOST, 0);
    write_all(MOST, false);
    f = tw_tape_file_open(path, 0, &error);
    for (int i = 0; i < 50; i++) {
        from = made[below(MOST)].time;
        to = made[below(MOST)].time;
        want = 0;
        n = read_all(f, from, to, &damaged);
        for (size_t k = 0; k < MOST; k++)
            if (made[k].time >= from && made[k].time < to)
                fine = fine && want < n
                    && memcmp(&made[k], &got[want++], sizeof *made) == 0;
        fine = fine && n == want && damaged == 0;
    }
    ok(fine, "a range of times gives what is in it");
    tw_tape_file_close(f);
}

/* ---- what can happen to a file ---- */

static unsigned char *bytes;
static size_t size;

static void load_bytes(void)
{
    struct stat st;
    int fd = open(path, O_RDONLY);

    free(bytes);
    fstat(fd, &st);
    size = (size_t)st.st_size;
    bytes = malloc(size);
    if (read(fd, bytes, size) != (ssize_t)size) abort();
    close(fd);
}

static void store_bytes(size_t n)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0666);

    if (write(fd, bytes, n) != (ssize_t)n) abort();
    close(fd);
}

/* One byte, and no new file: each costs a turn of the disk. */
static void store_byte(size_t at)
{
    int fd = open(path, O_WRONLY);

    if (pwrite(fd, bytes + at, 1, (off_t)at) != 1) abort();
    close(fd);
}

/* Ten small blocks, with new names in each. */
static size_t write_small(bool zstd, bool closed)
{
    struct tw_tape_writer *w = begin(path, zstd, TW_SYNC_RECORD);
    size_t n = 200;

    draw_records(n, 2);
    for (size_t i = 0; i < n; i += 20) tw_tape_writer_add(w, made + i, 20, &error);
    if (closed) tw_tape_writer_close(w, &error);
    load_bytes();
    if (!closed) tw_tape_writer_close(w, &error);
    return n;
}

/* The first bytes of a whole file, as if it were cut there. */
static void test_parts(void)
{
    unsigned damaged;
    bool fine = true, told = true;
    char text[300];
    size_t n = write_small(false, true);

    load_bytes();
    for (size_t part = size; part > TW_TAPE_HEAD; part -= part > 13 ? 13 : part) {
        struct tw_tape_file *f = tw_tape_file_open_part(path, part, 0, &error);
        size_t k = f ? read_all(f, INT64_MIN, INT64_MAX, &damaged) : SIZE_MAX;
        const struct tw_tape_info *in = f ? tw_tape_file_info(f) : NULL;

        fine = fine && f && k <= n && k % 20 == 0 && damaged == 0 && same(k)
            && in->bytes == part && in->records == k && in->whole <= part
            && (in->closed ? in->whole == size : in->whole + in->cut_bytes <= part);
        if (f) tw_tape_cut_text(in, text, sizeof text);
        told = told && f && (in->closed || in->cut_bytes > 0
                             || strstr(text, "it ends with a whole block, and "));
        tw_tape_file_close(f);
    }
    ok(fine, "a part of a file has the blocks that are whole in it");
    ok(told, "and is told of: %s", text);
}

static void test_cuts(void)
{
    size_t n = write_small(false, true), k, last = n, cut = size;
    size_t step = getenv("SMALL") ? 7 : 1;
    bool fine = true, told = true, shrinks = true;
    unsigned damaged = 0, counted = 0;

    while (cut >= step) {
        cut -= step;
        if (truncate(path, (off_t)cut) < 0) abort();
        k = read_file(&damaged);
        if (cut < TW_TAPE_HEAD) {
            told = told && k == SIZE_MAX && strstr(error.text, "is no tape file");
            continue;
        }
        fine = fine && k <= n && k % 20 == 0 && damaged == 0 && same(k);
        shrinks = shrinks && (k == last || k + 20 == last);
        told = told && !info.closed && info.note[0];
        counted += info.cut_records == 20 && info.cut_bytes >= TW_TAPE_BLOCK_HEAD;
        last = k;
    }
    ok(fine, "cut at any byte it has its whole blocks, in order");
    ok(shrinks && last == 0, "each byte that is there counts");
    ok(told, "and it says that it was cut");
    ok(counted > size / step / 4, "how much, where the block's head is there (%u times)",
       counted);
}

/* Every bit: nothing that was not written is read, and what is missing was told. */
static void test_flips(bool zstd, bool closed)
{
    size_t n = write_small(zstd, closed), k, lost;
    unsigned wrong = 0, silent = 0, unnamed = 0, damaged = 0;
    unsigned step = getenv("SMALL") ? 7 : 1, bits = zstd || getenv("SMALL") ? 5 : 1;

    for (size_t at = 0; at < size; at += step)
        for (unsigned bit = at % bits; bit < 8; bit += bits) {
            bytes[at] ^= (unsigned char)(1 << bit);
            store_byte(at);
            k = read_file(&damaged);
            bytes[at] ^= (unsigned char)(1 << bit);
            store_byte(at);
            if (k == SIZE_MAX) continue;
            lost = 0;
            for (size_t i = 0; i < k; i++) {
                while (lost + i < n && made[lost + i].seq != got[i].seq) lost++;
                wrong += lost + i >= n
                    || memcmp(&made[lost + i], &got[i], sizeof *got) != 0;
            }
            silent += damaged == 0 && (info.closed || (!closed && k == n))
                   && info.cut_bytes == 0;
            unnamed += damaged > 0 && !strstr(error.text, "the block at byte ");
        }
    ok(wrong == 0, "a flipped bit makes no wrong record (%u)", wrong);
    ok(silent == 0, "every flipped bit is told (%u are not)", silent);
    ok(unnamed == 0, "and the block is named");
}

/* What tells of a file that is opened whatever is damaged in it (as `tidewire tape`). */
static bool is_told(bool *all)
{
    struct tw_tape_file *f;
    unsigned damaged;
    bool told;

    f = tw_tape_file_open(path, TW_TAPE_TOLERANT, &error);
    if (!f) return true;
    told = error.code < 0 || tw_tape_file_info(f)->flipped;
    *all = read_all(f, INT64_MIN, INT64_MAX, &damaged) == tw_tape_file_info(f)->records;
    tw_tape_file_close(f);
    return told || damaged > 0;
}

/* Every byte of one that was closed, whoever opens it. */
static void test_tolerant(void)
{
    unsigned silent = 0, places = 0, lost = 0;
    struct tw_tape_file *f;
    uint64_t index = 0;
    bool all = false;

    write_small(false, true);
    f = tw_tape_file_open(path, 0, &error);
    ok(f && error.code == TW_OK && !tw_tape_file_info(f)->flipped && !is_told(&all),
       "nothing is told of a whole one");
    for (size_t i = 0; f && i < tw_tape_file_spans(f); i++)
        index = tw_tape_file_span(f, i)->at + tw_tape_file_span(f, i)->bytes;
    tw_tape_file_close(f);
    for (size_t at = 0; at < size; at += getenv("SMALL") ? 7 : 1) {
        bytes[at] ^= 0x20;
        store_byte(at);
        silent += !is_told(&all);
        if (at >= index || (at >= 8 && at < TW_TAPE_HEAD)) lost += !all;
        if (at >= index && at < size - TW_TAPE_END) {
            f = tw_tape_file_open(path, 0, &error);
            places += !f || !strstr(tw_tape_file_info(f)->note, "its index, at byte ")
                   || tw_tape_file_info(f)->cut_bytes > 0;
            tw_tape_file_close(f);
        }
        bytes[at] ^= 0x20;
        store_byte(at);
    }
    ok(silent == 0, "a changed byte is told, where damage is no failure (%u are not)",
       silent);
    ok(places == 0, "the index's place is told, and nothing as lost (%u)", places);
    ok(lost == 0, "without head, index or end no record is lost (%u)", lost);
}

static void test_damage(void)
{
    struct tw_tape_file *f;
    unsigned damaged;
    size_t n = write_small(false, false), hole = 0, k;

    f = tw_tape_file_open(path, 0, &error);
    for (size_t i = 0; i < tw_tape_file_spans(f); i++) {
        const struct tw_tape_span *s = tw_tape_file_span(f, i);

        if (s->first_seq <= 100 && s->last_seq >= 100) hole = s->at;
    }
    tw_tape_file_close(f);
    bytes[hole + 3] ^= 1;
    store_bytes(size);
    k = read_file(&damaged);
    ok(k == n - 20 && damaged == 1 && info.holes == 1,
       "behind a damaged head it goes on");
    ok(strstr(error.text, "records of seq 81 to 100"), "and says which are missing: %s",
       error.text);
    bytes[hole + 3] ^= 1;
    bytes[hole + TW_TAPE_BLOCK_HEAD + 9] ^= 0x10;
    store_bytes(size);
    k = read_file(&damaged);
    ok(k == n - 20 && damaged == 1 && strstr(error.text, "records of seq 81 to 100"),
       "so with a damaged payload");
    bytes[hole + TW_TAPE_BLOCK_HEAD + 9] ^= 0x10;
    bytes[TW_TAPE_HEAD + TW_TAPE_BLOCK_HEAD + 5] ^= 1;
    store_bytes(size);
    ok(read_file(&damaged) == SIZE_MAX && strstr(error.text, "block of names at byte 64"),
       "without its names it is not read");
    f = tw_tape_file_open(path, TW_TAPE_TOLERANT, &error);
    k = f ? read_all(f, INT64_MIN, INT64_MAX, &damaged) : 0;
    ok(damaged > 0 && k + damaged * 20 == n
       && strstr(error.text, "has no names: records"),
       "but where asked, what needs none of them: %s", error.text);
    tw_tape_file_close(f);
    f = tw_tape_file_open(path, TW_TAPE_TOLERANT, &error);
    ok(f && error.code == TW_EFORMAT && strstr(error.text, "block of names at byte 64"),
       "and what is damaged is told: %s", error.text);
    tw_tape_file_close(f);
    bytes[TW_TAPE_HEAD + TW_TAPE_BLOCK_HEAD + 5] ^= 1;
    memset(bytes + size - 100, 0, 100);
    store_bytes(size);
    k = read_file(&damaged);
    ok(k == n - 20 && damaged == 0 && info.cut_records == 20 && info.cut_bytes > 100,
       "a last block that was written in part is cut");
}

/* ---- what can happen to the writer ---- */

static void test_full(void)
{
    struct rlimit before, small = { 20000, 20000 };
    struct tw_tape_writer *w;
    unsigned damaged;
    size_t k;
    int rc = TW_OK, again, end;

    draw_records(MOST, 4);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    w = begin(path, false, TW_SYNC_NEVER);
    setrlimit(RLIMIT_FSIZE, &small);
    for (size_t i = 0; rc == TW_OK && i < MOST; i += 50) {
        rc = tw_tape_writer_add(w, made + i, 50, &error);
        if (rc == TW_OK) rc = tw_tape_writer_flush(w, &error);
    }
    ok(rc < 0 && strstr(error.text, "it ends with record"), "a full disk: %s",
       error.text);
    again = tw_tape_writer_add(w, made, 1, &error);
    end = tw_tape_writer_close(w, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    ok(again == rc && end == rc, "the writer stays with it");
    k = read_file(&damaged);
    ok(k > 0 && k % 50 == 0 && damaged == 0 && same(k) && info.cut_bytes == 0,
       "the file has what is whole (%zu records)", k);
}

/* It is there when it is whole, or not at all. */
static void test_whole(void)
{
    const struct tw_tape_writer_options o = { .symbols = symbols, .whole = true };
    struct tw_tape_writer *w;
    unsigned damaged;
    bool fine = true;

    draw_records(10, 0);
    for (int i = 0; i < 2; i++) {
        unlink(path);
        w = tw_tape_writer_open(path, &o, &error);
        fine = fine && w && tw_tape_writer_add(w, made, 10, &error) == TW_OK;
        if (i == 0) tw_tape_writer_abandon(w);
        else fine = fine && tw_tape_writer_close(w, &error) == TW_OK;
        fine = fine && (access(path, F_OK) == 0) == i;
    }
    ok(fine && read_file(&damaged) == 10, "a whole file, or none");
    ok(!tw_tape_writer_open(path, &o, &error) && error.code == UV_EEXIST
       && read_file(&damaged) == 10, "not in place of another: %s", error.text);
    unlink(path);
    w = tw_tape_writer_open(path, &o, &error);
    if (access(path, F_OK) == 0) {
        tw_tape_writer_close(w, &error);
        ok(true, "no files without names here # skip");
        return;
    }
    store_bytes(1);
    ok(tw_tape_writer_add(w, made, 10, &error) == TW_OK
       && tw_tape_writer_close(w, &error) == UV_EEXIST && read_file(&damaged) == SIZE_MAX,
       "not even one that came meanwhile: %s", error.text);
}

static void test_refusals(void)
{
    struct tw_tape_writer *w;
    int fd;

    draw_records(10, 0);
    write_all(10, false);
    w = tw_tape_writer_open(path, &(struct tw_tape_writer_options){ .symbols = symbols },
                            &error);
    ok(!w && strstr(error.text, "cannot make "), "no file is written over: %s",
       error.text);
    ok(!tw_tape_file_open("/nowhere/x", 0, &error) && error.code == -2, "%s", error.text);
    ok(!tw_tape_file_open("/tmp", 0, &error), "%s", error.text);
    fd = open(other, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ok(write(fd, "time,symbol,bid,ask\n1970-01-01T00:00:01,AAPL,100.25,100.50\nand so on",
             66) == 66 && !tw_tape_file_open(other, 0, &error)
       && strstr(error.text, "is no tape file"), "%s", error.text);
    close(fd);
    unlink(other);
    ok(mkfifo(other, 0600) == 0 && !tw_tape_file_open(other, 0, &error)
       && strstr(error.text, "it is no regular file"), "%s", error.text);
    unlink(other);
    load_bytes();
    bytes[8] = 2;
    tw_tape_put(bytes + 56, 8, tw_tape_checksum(bytes, 56, 0));
    store_bytes(size);
    ok(!tw_tape_file_open(path, 0, &error) && strstr(error.text, "of version 2, not 1"),
       "%s", error.text);
}

static void test_memory(void)
{
    struct tw_record message = { .kind = TW_MESSAGE, .seq = 1,
                                 .message = { 1, 1, TW_VALUE_BLOCK, { 0 }, 0 } };
    unsigned failed = 0, wrong = 0, damaged;
    struct tw_tape_writer *w;
    bool whole = false;

    draw_records(300, 3);
    for (uint64_t at = 1; !whole && at < 1000; at++) {
        tw_memory_fail_at(at);
        w = begin(path, true, TW_SYNC_NEVER);
        whole = w != NULL;
        whole = whole && tw_tape_writer_add_message(w, &message, "x", 1, &error) == TW_OK
            && tw_tape_writer_add(w, made, 300, &error) == TW_OK;
        whole = tw_tape_writer_close(w, &error) == TW_OK && whole && w;
        whole = whole && read_file(&damaged) == 301;
        failed += !whole;
        wrong += !whole && error.code != -12;
        tw_memory_fail_at(0);
    }
    ok(whole && failed > 5 && wrong == 0, "an allocation that fails says so (%u times)",
       failed);
}

int main(void)
{
    snprintf(path, sizeof path, "%.200s/tape-file-%d", place_memory(), (int)getpid());
    snprintf(other, sizeof other, "%.280s.b", path);
    made = calloc(MOST, sizeof *made);
    got = calloc(MOST, sizeof *got);
    make_names();
    test_round_trip();
    test_names();
    test_values();
    test_range();
    test_parts();
    test_cuts();
    for (int i = 0; i < 4; i++) test_flips(i & 1, i & 2);
    test_tolerant();
    test_damage();
    test_full();
    test_whole();
    test_refusals();
    test_memory();
    unlink(path);
    unlink(other);
    tw_symbols_free(symbols);
    tw_names_free(topics);
    free(bytes);
    free(made);
    free(got);
    return tap_done();
}
