/* value.c - frozen values: built, read, compared, let go (V1 to V3, F1 to F3). */
#include "share/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "share/builder.h"
#include "share/object.h"
#include "tap.h"
#include "tape/record.h"

enum { THREADS = 4 };
static int rounds = 20000, chain = 1000000, graphs = 2000;

/* ---- what the tests freeze ---- */

static struct tw_item integer(int64_t i)
{
    return (struct tw_item){ .kind = TW_VALUE_INTEGER, .integer = i };
}

static struct tw_item number(double d)
{
    return (struct tw_item){ .kind = TW_VALUE_NUMBER, .number = d };
}

static struct tw_item boolean(bool b)
{
    return (struct tw_item){ .kind = b ? TW_VALUE_TRUE : TW_VALUE_FALSE };
}

static struct tw_item text(const char *s)
{
    return (struct tw_item){ .kind = TW_VALUE_STRING, .length = (uint32_t)strlen(s),
                             .text = s };
}

static void put_text(struct tw_builder *b, const char *s)
{
    tw_builder_string(b, s, strlen(s));
}

static bool is_text(struct tw_item v, const char *s)
{
    return v.kind == TW_VALUE_STRING && v.length == strlen(s)
           && !memcmp(v.text, s, v.length + 1);
}

static struct tw_any any(struct tw_value *v)
{
    return (struct tw_any){ .kind = TW_VALUE_BLOCK, .block = v };
}

static struct tw_any scalar(struct tw_item i)
{
    return (struct tw_any){ .kind = i.kind, .integer = i.integer };
}

static int freed;

static void free_object(struct tw_object *o)
{
    (void)o;
    freed++;
}

static const struct tw_object_type type = { "test.object", free_object };

/* ---- one of everything ---- */

/* { 10, "ab", inner, name = "ab", [2.5] = true, [-7] = inner, [false] = "",
 *   quote = record, object = object, self = itself, [-9.0] = -0.0 }
 * inner = { 1.5 } */
static struct tw_value *everything(struct tw_builder *b, struct tw_object *object)
{
    struct tw_record r = { .kind = TW_QUOTE, .seq = 17, .symbol = 3 };
    struct tw_value *v;

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    tw_builder_open(b);
    tw_builder_integer(b, 10);
    put_text(b, "ab");
    tw_builder_table(b, 2);
    tw_builder_pairs(b);
    put_text(b, "name"), put_text(b, "ab");
    tw_builder_scalar(b, number(2.5)), tw_builder_scalar(b, boolean(true));
    tw_builder_integer(b, -7), tw_builder_table(b, 2);
    tw_builder_scalar(b, boolean(false)), put_text(b, "");
    put_text(b, "quote"), tw_builder_record(b, 3, &r);
    put_text(b, "object"), tw_builder_object(b, object);
    put_text(b, "self"), tw_builder_table(b, 1);
    tw_builder_scalar(b, number(-9.0)), tw_builder_scalar(b, number(-0.0));
    tw_builder_close(b);
    if (!tw_builder_error(b)) {
        tw_builder_open(b);
        tw_builder_scalar(b, number(1.5));
        tw_builder_close(b);
    }
    tw_builder_finish(b, &v);
    return v;
}

static void reading(void)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_object object;
    struct tw_value *v;
    const struct tw_table *t, *inner;
    struct tw_item key, value;
    uint64_t n = 0, wrong = 0;

    tw_object_init(&object, &type);
    v = everything(b, &object);
    t = tw_value_root(v).table;
    inner = tw_table_find(t, integer(3)).table;
    ok(tw_value_root(v).kind == TW_VALUE_TABLE && tw_table_length(t) == 3
       && tw_table_pairs(t) == 8, "a table has elements and pairs");
    ok(tw_table_find(t, integer(1)).integer == 10
       && is_text(tw_table_find(t, integer(2)), "ab")
       && tw_table_find(t, integer(4)).kind == TW_VALUE_NIL
       && tw_table_find(t, integer(0)).kind == TW_VALUE_NIL
       && tw_table_find(t, integer(INT64_MIN)).kind == TW_VALUE_NIL, "elements");
    ok(tw_table_find(t, number(1.0)).integer == 10
       && tw_table_find(t, number(-7.0)).table == inner
       && tw_table_find(t, integer(-9)).kind == TW_VALUE_NUMBER
       && tw_table_find(t, number(1.25)).kind == TW_VALUE_NIL,
       "a number that is an integer is that key");
    ok(tw_table_find(t, number(2.5)).kind == TW_VALUE_TRUE
       && tw_table_find(t, number(0.0 / 0.0)).kind == TW_VALUE_NIL
       && tw_table_find(t, number(1e300)).kind == TW_VALUE_NIL
       && is_text(tw_table_find(t, boolean(false)), "")
       && tw_table_find(t, boolean(true)).kind == TW_VALUE_NIL
       && tw_table_find(t, (struct tw_item){ 0 }).kind == TW_VALUE_NIL,
       "keys of each kind");
    ok(is_text(tw_table_find(t, text("name")), "ab")
       && tw_table_find(t, text("nam")).kind == TW_VALUE_NIL
       && tw_table_find(t, text("")).kind == TW_VALUE_NIL, "strings as keys");
    ok(tw_table_find(t, text("name")).text == tw_table_find(t, integer(2)).text,
       "the same string is in a block once");
    ok(tw_table_find(t, integer(-7)).table == inner
       && tw_table_find(t, text("self")).table == t
       && tw_table_block(inner) == v && tw_table_block(t) == v,
       "shared and cyclic references stay");
    ok(tw_table_find(inner, integer(1)).number == 1.5 && tw_table_pairs(inner) == 0
       && tw_table_find(inner, text("x")).kind == TW_VALUE_NIL, "a table without pairs");
    value = tw_table_find(t, text("quote"));
    ok(value.kind == TW_VALUE_RECORD && value.record->seq == 17
       && value.record->symbol == 3, "a record");
    value = tw_table_find(t, text("object"));
    ok(value.kind == TW_VALUE_OBJECT && value.object == &object, "an object");
    for (; tw_table_entry(t, n, &key, &value); n++) {
        wrong += tw_table_place(t, key) != (int64_t)n;
        wrong += memcmp(&value, &(struct tw_item){ 0 }, 4) == 0;
        wrong += n < 3 && key.integer != (int64_t)n + 1;
        wrong += n == 3 && !is_text(key, "name");
        wrong += n == 9 && !is_text(key, "self");
    }
    ok(n == 11 && wrong == 0, "entries: elements, then pairs as they came");
    ok(tw_table_place(t, text("none")) == TW_EUSAGE
       && tw_table_place(t, (struct tw_item){ 0 }) == TW_EUSAGE, "no place for no key");
    ok(tw_value_bytes_total(v) > 10 * 16 + 64 && tw_value_bytes_total(v) < 1024,
       "its bytes: %zu", tw_value_bytes_total(v));
    tw_object_unref(&object);
    ok(freed == 0, "the block keeps the object");
    tw_value_unref(v);
    ok(freed == 1 && tw_value_live() == 0, "and lets it go");
    tw_builder_free(b);
}

static struct tw_value *only_text(struct tw_builder *b, const char *s)
{
    struct tw_value *v;

    tw_builder_begin(b);
    put_text(b, s);
    tw_builder_finish(b, &v);
    return v;
}

static void roots(void)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_value *v = only_text(b, "text");
    struct tw_any a = any(v), one = scalar(integer(1));

    ok(is_text(tw_any_root(&a), "text"), "a root may be a string");
    tw_any_ref(&a);
    tw_any_ref(&one);
    tw_any_unref(&one);
    tw_any_unref(&a);
    ok(tw_value_live() == 1 && tw_any_root(&one).integer == 1,
       "a scalar has no references");
    tw_value_unref(v);
    tw_builder_begin(b);
    tw_builder_record(b, 9, &(struct tw_record){ .seq = 5 });
    tw_builder_finish(b, &v);
    ok(tw_value_root(v).record->seq == 5, "or a record");
    tw_value_unref(v);
    tw_builder_free(b);
    ok(tw_value_live() == 0, "nothing is left");
}

/* ---- blocks that refer to blocks ---- */

/* { next } where next is the root of another block, twice. */
static struct tw_value *link_to(struct tw_builder *b, const struct tw_value *next)
{
    struct tw_value *v;

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    tw_builder_open(b);
    for (int i = 0; i < 2 && next; i++) tw_builder_link(b, tw_value_root(next).table);
    tw_builder_close(b);
    tw_builder_finish(b, &v);
    return v;
}

static void links(void)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_value *first = link_to(b, NULL), *v = first, *next;
    const struct tw_table *t = tw_value_root(first).table;

    v = link_to(b, first);
    ok(tw_table_find(tw_value_root(v).table, integer(2)).table == t,
       "a table of another block is that table");
    tw_value_unref(first);
    ok(tw_value_live() == 2, "which lives as long as the block that refers to it");
    for (int i = 2; i < chain; i++) {
        next = link_to(b, v);
        tw_value_unref(v);
        v = next;
    }
    ok(tw_value_live() == (uint64_t)chain, "a chain of %d blocks", chain);
    tw_value_unref(v);
    ok(tw_value_live() == 0, "goes at once");
    tw_builder_begin(b);
    tw_builder_link(b, tw_value_root(first = link_to(b, NULL)).table);
    tw_builder_free(b);
    tw_value_unref(first);
    ok(tw_value_live() == 0, "a builder lets go what it did not finish");
}

/* ---- by value ---- */

static int contradictions;

static bool same(struct tw_any a, struct tw_any b)
{
    bool equal = tw_any_equal(&a, &b);

    contradictions += equal != tw_any_equal(&b, &a);
    contradictions += equal && tw_any_hash(&a) != tw_any_hash(&b);
    return equal;
}

static int flaw(struct tw_any a)
{
    return tw_any_flaw(&a);
}

/* { first, second, x = {[k1] = 1, [k2] = 2} } with the pairs in either order. */
static struct tw_value *sample(struct tw_builder *b, double second, bool swapped)
{
    struct tw_value *v;

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    tw_builder_open(b);
    put_text(b, "first");
    tw_builder_scalar(b, number(second));
    tw_builder_pairs(b);
    put_text(b, "x"), tw_builder_table(b, 2);
    tw_builder_close(b);
    tw_builder_open(b);
    tw_builder_pairs(b);
    for (int i = 0; i < 2; i++) {
        bool one = (i == 0) != swapped;

        put_text(b, one ? "k1" : "k2"), tw_builder_integer(b, one ? 1 : 2);
    }
    tw_builder_close(b);
    tw_builder_finish(b, &v);
    return v;
}

/* A ring of n tables; the k-th has its `mark`. */
static struct tw_value *ring(struct tw_builder *b, uint64_t n, uint64_t k, int mark)
{
    struct tw_value *v;

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    for (uint64_t i = 1; i <= n; i++) {
        tw_builder_open(b);
        tw_builder_pairs(b);
        put_text(b, "next"), tw_builder_table(b, i == n ? 1 : i + 1);
        put_text(b, "mark"), tw_builder_integer(b, i == k ? mark : 0);
        tw_builder_close(b);
    }
    tw_builder_finish(b, &v);
    return v;
}

/* { aaa..a = 1, with n keys of different lengths } */
static struct tw_value *many_keys(struct tw_builder *b, size_t n)
{
    static const char key[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct tw_value *v;

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    tw_builder_open(b);
    tw_builder_pairs(b);
    for (size_t i = 0; i < n; i++) {
        tw_builder_string(b, key, sizeof key - 1 - 3 * i);
        tw_builder_integer(b, 1);
    }
    tw_builder_close(b);
    tw_builder_finish(b, &v);
    return v;
}

/* Of keys that begin alike, each is found and nothing else. */
static void alike(void)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_value *v = many_keys(b, 12);
    char key[41];
    int found = 0;

    memset(key, 'a', sizeof key);
    for (uint32_t n = 0; n <= sizeof key; n++) {
        struct tw_item k = { .kind = TW_VALUE_STRING, .length = n, .text = key };

        found += tw_table_find(tw_value_root(v).table, k).kind == TW_VALUE_INTEGER;
    }
    ok(found == 12, "keys that begin alike");
    tw_value_unref(v);
    tw_builder_free(b);
}

static void equality(void)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_value *v[] = {
        sample(b, 2.0, false), sample(b, 2.0, true), sample(b, 3.0, false),
        only_text(b, "first"), only_text(b, "first"), sample(b, 0.0 / 0.0, false),
        sample(b, 0.0 / 0.0, false),
    };
    struct tw_value *few = many_keys(b, 3), *more = many_keys(b, 4);
    struct tw_value *r[] = {
        ring(b, 1, 0, 0), ring(b, 1000, 0, 0), ring(b, 997, 0, 0),
        ring(b, 1000, 1000, 1), ring(b, 1000, 1000, 1), ring(b, 1000, 999, 1),
    };

    ok(same(scalar(integer(1)), scalar(number(1.0)))
       && same(scalar(number(0.0)), scalar(number(-0.0)))
       && same(scalar(boolean(true)), scalar(boolean(true))), "scalars that are equal");
    ok(!same(scalar(integer(1)), scalar(integer(2)))
       && !same(scalar(integer(1)), scalar(boolean(true)))
       && !same(scalar(boolean(false)), (struct tw_any){ 0 })
       && !same(scalar(integer(INT64_MAX)), scalar(number(0x1p63)))
       && !same(scalar(number(0.0 / 0.0)), scalar(number(0.0 / 0.0))),
       "scalars that are not");
    ok(same(any(v[0]), any(v[1])), "the order of pairs is nothing");
    ok(!same(any(v[0]), any(v[2])) && !same(any(v[0]), any(v[3])), "what it says counts");
    ok(same(any(v[3]), any(v[4])) && !same(any(v[3]), scalar(integer(0))), "strings");
    ok(!same(any(v[5]), any(v[6])) && same(any(v[5]), any(v[5])),
       "with a NaN in it, a table equals only itself");
    ok(flaw(any(v[5])) == TW_FLAW_NAN
       && flaw(scalar(number(0.0 / 0.0))) == TW_FLAW_NAN
       && flaw(any(v[0])) == 0 && flaw(any(v[3])) == 0
       && flaw(scalar(number(1.0))) == 0, "and it is known to have one");
    tw_value_unref(v[6]);
    v[6] = link_to(b, v[5]);
    ok(flaw(any(v[6])) == TW_FLAW_NAN && flaw(any(r[4])) == 0,
       "also far down, but no other");
    ok(same(any(r[1]), any(r[2])) && same(any(r[0]), any(r[1])),
       "rings of any length that look the same");
    ok(same(any(r[3]), any(r[4])) && !same(any(r[3]), any(r[5])),
       "a mark at the end of a ring is found");
    ok(!same(any(few), any(more)) && same(any(more), any(more)), "a key more counts");
    ok(contradictions == 0, "a equals b when b equals a, and then their hashes do");
    tw_memory_fail_at(1);
    ok(!tw_any_equal(&(struct tw_any){ TW_VALUE_BLOCK, { .block = r[3] } },
                     &(struct tw_any){ TW_VALUE_BLOCK, { .block = r[4] } }),
       "without memory they are not known to be equal");
    for (uint64_t n = 1; n <= 2; n++) {
        tw_memory_fail_at(n);
        ok(tw_any_flaw(&(struct tw_any){ TW_VALUE_BLOCK, { .block = r[3] } })
           == UV_ENOMEM, "nor whether a NaN is there (%d)", (int)n);
    }
    tw_memory_fail_at(0);
    tw_value_unref(few);
    tw_value_unref(more);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) tw_value_unref(v[i]);
    for (size_t i = 0; i < sizeof r / sizeof *r; i++) tw_value_unref(r[i]);
    tw_builder_free(b);
    ok(tw_value_live() == 0, "nothing is left");
}

/* ---- random graphs beside a plain model ---- */

enum { NODES = 12, FIELDS = 6 };

struct model { int fields[NODES]; int key[NODES][FIELDS], to[NODES][FIELDS]; };

static uint64_t seed = 7;

static unsigned below(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static struct tw_value *freeze_model(struct tw_builder *b, const struct model *m,
                                     int *order)
{
    struct tw_value *v;
    int n = 1;

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    order[0] = 0;
    for (int id = 0; id < n; id++) {
        int node = order[id];

        tw_builder_open(b);
        tw_builder_pairs(b);
        for (int f = 0; f < m->fields[node]; f++) {
            int to = m->to[node][f];

            tw_builder_integer(b, m->key[node][f]);
            if (to >= NODES) tw_builder_integer(b, to);
            else if (tw_builder_table(b, (uint64_t)to + 1)) order[n++] = to;
        }
        tw_builder_close(b);
    }
    tw_builder_finish(b, &v);
    return v;
}

/* Each node that is reached has the model's fields, at one address. */
static int differences(const struct model *m, const struct tw_value *v)
{
    const struct tw_table *at[NODES] = { tw_value_root(v).table };
    int todo[NODES] = { 0 }, n = 1, wrong = 0;

    for (int i = 0; i < n; i++) {
        int node = todo[i];

        wrong += tw_table_pairs(at[node]) != (uint32_t)m->fields[node];
        for (int f = 0; f < m->fields[node]; f++) {
            struct tw_item value = tw_table_find(at[node], integer(m->key[node][f]));
            int to = m->to[node][f];

            if (to >= NODES) {
                wrong += value.kind != TW_VALUE_INTEGER || value.integer != to;
            } else if (value.kind != TW_VALUE_TABLE) {
                wrong++;
            } else if (!at[to]) {
                at[to] = value.table;
                todo[n++] = to;
            } else {
                wrong += at[to] != value.table;
            }
        }
    }
    return wrong;
}

static void random_graphs(void)
{
    struct tw_builder *b = tw_builder_new();
    int wrong = 0;

    for (int i = 0; i < graphs; i++) {
        struct model m;
        int order[NODES];
        struct tw_value *v, *again;

        for (int node = 0; node < NODES; node++) {
            m.fields[node] = (int)below(FIELDS + 1);
            for (int f = 0; f < m.fields[node]; f++) {
                m.key[node][f] = f * 1000 - 2998 + (int)below(999);
                m.to[node][f] = (int)below(2 * NODES);
            }
        }
        v = freeze_model(b, &m, order);
        again = freeze_model(b, &m, order);
        wrong += differences(&m, v) + !same(any(v), any(again));
        tw_value_unref(v);
        tw_value_unref(again);
    }
    ok(wrong == 0, "%d random graphs are what they were", graphs);
    tw_builder_free(b);
    ok(tw_value_live() == 0, "nothing is left");
}

/* ---- limits ---- */

/* Enough of everything that each buffer grows. */
static struct tw_value *large(struct tw_builder *b, struct tw_object *o, int n)
{
    struct tw_value *v;
    char name[32];

    tw_builder_begin(b);
    tw_builder_table(b, 1);
    for (int id = 0; id < n && !tw_builder_error(b); id++) {
        tw_builder_open(b);
        tw_builder_object(b, &o[id % 2]);
        for (int i = 0; i < 50; i++) tw_builder_integer(b, i);
        tw_builder_pairs(b);
        tw_builder_string(b, name, (size_t)sprintf(name, "name %d", id));
        tw_builder_table(b, id == n - 1 ? 1 : (uint64_t)id + 2);
        tw_builder_close(b);
    }
    tw_builder_finish(b, &v);
    return v;
}

static void no_memory(void)
{
    struct tw_object o[2];
    struct tw_value *v = NULL;
    int failed, wrong = 0;

    tw_object_init(&o[0], &type);
    tw_object_init(&o[1], &type);
    for (failed = 0; !v; failed++) {
        struct tw_builder *b;

        tw_memory_fail_at((uint64_t)failed + 1);
        b = tw_builder_new();
        if (!b) continue;
        v = large(b, o, 200);
        if (!v) {
            wrong += tw_builder_error(b) != UV_ENOMEM || tw_value_live() != 0;
            v = large(b, o, 2);   /* it serves the next */
            wrong += v == NULL;
            if (v) tw_value_unref(v);
            v = NULL;
        }
        tw_builder_free(b);
    }
    tw_memory_fail_at(0);
    ok(failed > 20 && wrong == 0, "each of its %d allocations may fail", failed - 1);
    ok(atomic_load(&o[0].references) == 2, "a block takes one reference on an object");
    tw_value_unref(v);
    tw_object_unref(&o[0]);
    tw_object_unref(&o[1]);
    ok(tw_value_live() == 0 && tw_object_live() == 0, "nothing is left");
}

/* The length is refused before the bytes are read. */
static void too_large(void)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_value *v;

    tw_builder_begin(b);
    tw_builder_string(b, "x", TW_VALUE_BYTES_MAX);
    ok(tw_builder_error(b) == TW_ELIMIT, "a block has at most 1 GiB");
    ok(tw_builder_finish(b, &v) == TW_ELIMIT && !v, "finish says so too");
    tw_builder_begin(b);
    ok(tw_builder_error(b) == TW_OK, "the next value may begin");
    tw_builder_free(b);
}

/* ---- threads ---- */

static void *user(void *arg)
{
    struct tw_value *v = arg;
    size_t wrong = 0;

    for (int i = 0; i < rounds; i++) {
        tw_value_ref(v);
        wrong += !is_text(tw_table_find(tw_value_root(v).table, integer(1)), "first");
        tw_value_unref(v);
    }
    tw_value_unref(v);   /* the one it was given; any thread may be the last */
    return (void *)wrong;
}

static void threads(void)
{
    struct tw_builder *b = tw_builder_new();
    struct tw_value *v = sample(b, 2.0, false);
    pthread_t th[THREADS];
    size_t wrong = 0;
    void *result;

    for (int k = 1; k < THREADS; k++) tw_value_ref(v);
    for (int k = 0; k < THREADS; k++) pthread_create(&th[k], NULL, user, v);
    for (int k = 0; k < THREADS; k++) {
        pthread_join(th[k], &result);
        wrong += (size_t)result;
    }
    ok(wrong == 0, "%d threads use one block", THREADS);
    ok(tw_value_live() == 0, "and the last of them frees it");
    tw_builder_free(b);
}

int main(void)
{
    if (getenv("SMALL")) rounds = 2000, chain = 500000, graphs = 200;
    reading();
    roots();
    alike();
    links();
    equality();
    random_graphs();
    no_memory();
    too_large();
    threads();
    return tap_done();
}
