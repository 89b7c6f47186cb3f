/* cache_dump.c - what is in a file comes back, whatever happened to the file. */
#include <stdarg.h>
#include <unistd.h>
#include <uv.h>

#include "cache_rig.h"
#include "place.h"
#include "share/cache_dump.h"
#include "share/cache_image.h"
#include "tape/record.h"

static char path[PLACE];

/* {1, "two", self, inner = {inner's own link to `other`}}: a graph with a
 * cycle, and a table of another block. */
static struct tw_any graph(const struct tw_any *other)
{
    struct tw_any v = { .kind = TW_VALUE_BLOCK };
    struct tw_builder *b = tw_builder_new();

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    tw_builder_open(b);
    tw_builder_integer(b, 1);
    tw_builder_string(b, "two", 3);
    tw_builder_table(b, 1);
    tw_builder_pairs(b);
    tw_builder_string(b, "inner", 5);
    tw_builder_table(b, 2);
    tw_builder_close(b);
    tw_builder_open(b);
    tw_builder_scalar(b, (struct tw_item){ .kind = TW_VALUE_NUMBER, .number = 0.25 });
    tw_builder_link(b, tw_any_root(other).table);
    tw_builder_close(b);
    if (tw_builder_finish(b, &v.block) < 0) abort();
    tw_builder_free(b);
    return v;
}

static struct tw_any record(void)
{
    struct tw_any v = { .kind = TW_VALUE_BLOCK };
    struct tw_record r = { .kind = TW_QUOTE, .quote = { 1, 2, 3, 4 } };
    struct tw_builder *b = tw_builder_new();

    tw_builder_begin(b);
    tw_builder_record(b, 99, &r);
    if (tw_builder_finish(b, &v.block) < 0) abort();
    tw_builder_free(b);
    return v;
}

static struct tw_cache *filled(int n)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .ttl_ns = 10000 * SECOND, .jitter = 0.1 });
    struct tw_any k, tags = list(1, "t");

    for (int i = 0; i < n; i++) {
        k = number(i);
        tw_cache_put(c, &k, number(i), &(struct tw_cache_terms){ .tags = tags }, 0);
    }
    tw_any_unref(&tags);
    return c;
}

static void round_trip(void)
{
    struct tw_cache *c = filled(500), *d;
    struct tw_cache_dump n;
    struct tw_error error = { 0 };
    struct tw_any other = list(2, "x", "y"), key = list(2, "a", "b"), v, g, k = text("o");
    struct tw_future *f = tw_future_new(NULL);
    struct tw_builder *b = tw_builder_new();
    uint32_t symbol = 5;
    int right = 0;

    g = graph(&other);
    tw_any_ref(&g);
    tw_cache_put(c, &key, g, &(struct tw_cache_terms){ .ttl_ns = TW_CACHE_FOREVER }, 0);
    v.kind = TW_VALUE_BLOCK;
    tw_builder_begin(b);
    tw_builder_object(b, tw_future_object(f));
    tw_builder_finish(b, &v.block);
    tw_builder_free(b);
    tw_future_unref(f);
    tw_cache_put(c, &k, v, NULL, 0);
    tw_cache_put(c, &other, number(1),
                 &(struct tw_cache_terms){ .depends = &symbol, .n_depends = 1 }, 0);
    tw_any_unref(&k);
    k = text("r");
    tw_cache_put(c, &k, record(), NULL, 0);
    pass(6000);
    ok(tw_cache_dump(c, path, &n, &error) == 0 && n.entries == 501 && n.skipped == 3,
       "dumped, without an object, a record, and what depends on the tape");
    tw_cache_unref(c);

    d = filled(0);
    ok(tw_cache_restore(d, path, &n, &error) == 0 && n.entries == 501 && n.damaged == 0,
       "and restored %s", error.text);
    for (int i = 0; i < 500; i++) right += peek(d, i) == i;
    ok(right == 500, "every number");
    ok(tw_cache_peek(d, &key, &v) && tw_any_equal(&v, &g), "and a graph with a cycle");
    tw_any_unref(&v);
    ok(tw_cache_invalidate_tag(d, "t", 1) == 500, "with their tags");
    tw_cache_restore(d, path, &n, &error);
    pass(2900);   /* by jitter 100 s are left, at least: writing and reading take time */
    right = 0;
    for (int i = 0; i < 500; i++) right += peek(d, i) == i;
    ok(right == 500, "what was left of their time goes on");
    pass(1100);
    right = 0;
    for (int i = 0; i < 500; i++) right += peek(d, i) == i;
    ok(right == 0 && tw_cache_peek(d, &key, &v), "and ends");
    tw_any_unref(&v);
    tw_any_unref(&g);
    tw_any_unref(&k);
    tw_any_unref(&key);
    tw_any_unref(&other);
    tw_cache_unref(d);
}

static size_t read_whole(char *p, size_t max)
{
    FILE *f = fopen(path, "rb");
    size_t n = fread(p, 1, max, f);

    fclose(f);
    return n;
}

static void write_whole(const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    if (fwrite(p, 1, n, f) != n) abort();
    fclose(f);
}

/* Nothing that is there may be wrong; how much is there is counted. */
static int restored(int *wrong, int *rc)
{
    struct tw_cache *c = filled(0);
    struct tw_cache_dump n;
    struct tw_error error;
    int there = 0;

    *rc = tw_cache_restore(c, path, &n, &error);
    for (int i = 0; i < 10; i++) {
        int64_t v = peek(c, i);

        there += v == i;
        *wrong += v != i && v != -1;
    }
    *wrong += stats(c)->entries != (uint64_t)there || n.entries != (uint64_t)there;
    tw_cache_unref(c);
    return there;
}

static void damage(void)
{
    static char file[4096];
    struct tw_cache *c = filled(10);
    struct tw_cache_dump n;
    size_t size, head = 40;
    int wrong = 0, silent = 0, rc, few = 0, last = 0;

    tw_cache_dump(c, path, &n, NULL);
    tw_cache_unref(c);
    size = read_whole(file, sizeof file);
    ok(size < sizeof file && restored(&wrong, &rc) == 10 && rc == 0, "a small file");
    for (size_t i = 0; i < size; i++) {
        int there;

        write_whole(file, i);
        there = restored(&wrong, &rc);
        silent += rc != TW_EFORMAT;
        few += there < last;
        last = there;
    }
    ok(wrong == 0 && silent == 0 && few == 0 && last == 9,
       "cut anywhere, its whole entries come back");
    few = 0;
    for (size_t i = 0; i < size; i++) {
        file[i] ^= 0x41;
        write_whole(file, size);
        rc = 0;
        few += restored(&wrong, &rc) < (i < head ? 0 : 9);
        silent += rc != TW_EFORMAT && i != 36 && i != 37 && i != 38 && i != 39;
        file[i] ^= 0x41;
    }
    ok(wrong == 0 && few == 0 && silent == 0,
       "a wrong byte costs one entry, and is told");
    unlink(path);
    c = filled(1);
    ok(tw_cache_restore(c, path, &n, NULL) == -2, "no file: no such file");
    ok(tw_cache_dump(c, "/proc/no/such", &n, NULL) < 0, "nor can it be anywhere");
    write_whole("", 0);
    ok(tw_cache_restore(c, path, &n, NULL) == TW_EFORMAT, "an empty one is no dump");
    tw_cache_unref(c);
}

/* Who reads one in another run would take it for another security's. */
static void records(void)
{
    char bytes[1 + sizeof(struct tw_record)] = { TW_VALUE_RECORD, TW_QUOTE };
    struct tw_image_view m = { bytes, sizeof bytes };
    struct tw_builder *b = tw_builder_new();
    struct tw_bytes image = { 0 };
    struct tw_any v = record(), out;

    ok(tw_image_write(&image, &v) == TW_EUSAGE && image.n == 0,
       "a record is not written");
    ok(tw_image_read(&m, b, &out) == TW_EFORMAT, "nor is one read");
    tw_any_unref(&v);
    tw_bytes_free(&image);
    tw_builder_free(b);
}

static void no_memory(void)
{
    struct tw_cache *c = filled(20), *d;
    struct tw_cache_dump n;
    struct tw_any other = list(1, "x"), key = text("g");
    int rc = UV_ENOMEM, tries = 0, wrong = 0, failed = 0;

    tw_cache_put(c, &key, graph(&other), NULL, 0);
    for (; rc != 0 && tries < 1000; tries++) {
        tw_memory_fail_at((uint64_t)tries + 1);
        rc = tw_cache_dump(c, path, &n, NULL);
        tw_memory_fail_at(0);
        wrong += rc != 0 && rc != UV_ENOMEM;
    }
    ok(rc == 0 && tries > 5 && wrong == 0, "without memory there is no dump (%d)", tries);
    for (tries = 0; tries < 400; tries++) {
        d = filled(0);
        tw_memory_fail_at((uint64_t)tries + 1);
        rc = tw_cache_restore(d, path, &n, NULL);
        tw_memory_fail_at(0);
        failed += rc == UV_ENOMEM;
        wrong += rc == 0 ? stats(d)->entries != 21 : rc != UV_ENOMEM;
        tw_cache_unref(d);
    }
    ok(rc == 0 && failed > 50 && wrong == 0, "nor is one restored (%d)", failed);
    tw_any_unref(&key);
    tw_any_unref(&other);
    tw_cache_unref(c);
}

int main(void)
{
    atomic_store(&clock_ns, 1000 * SECOND);
    place_file(path);
    round_trip();
    damage();
    records();
    no_memory();
    unlink(path);
    nothing_left();
    return tap_done();
}
