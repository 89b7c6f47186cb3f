/* compare.c - values by what they say: equality and hashes.
 *
 * Why: two graphs are equal when no walk that follows the same keys in both
 * tells them apart.  Comparing pairs of tables one by one could meet a pair for
 * each table of one with each of the other; so tables found together are joined
 * in sets, and two of one set are taken as equal: each join leaves one set less,
 * which bounds the work by the number of tables.
 *
 * Layer host/share.  Thread: any.
 */
#include <uv.h>

#include "base/memory.h"
#include "share/block.h"
#include "share/value.h"
#include "tape/record.h"

enum { SMALL = 16 };

/* A table of either side; parent: its set's representative, or a step to it. */
struct member { const struct tw_table *t; uint32_t parent; };
struct pair { const struct tw_table *a, *b; };

struct compare {
    struct member *member;      /* slots of an open-addressing set; t NULL: free */
    struct pair *todo;          /* a stack                                       */
    uint32_t slots, used, n, max;
    struct member first_members[2 * SMALL];
    struct pair first_pairs[SMALL];
};

static uint32_t slot_of(const struct compare *c, const struct tw_table *t)
{
    uint32_t i = (uint32_t)tw_block_mix((uintptr_t)t) & (c->slots - 1);

    while (c->member[i].t && c->member[i].t != t) i = (i + 1) & (c->slots - 1);
    return i;
}

/* Twice the slots.  Every set moves as a whole: its members come to have its
 * representative as their parent. */
static bool grow_members(struct compare *c)
{
    struct compare larger = { .slots = c->slots * 2 };

    larger.member = tw_calloc(larger.slots, sizeof *larger.member);
    if (!larger.member) return false;
    for (uint32_t i = 0; i < c->slots; i++) {
        uint32_t root = i, at, to;

        if (!c->member[i].t) continue;
        while (c->member[root].parent != root) root = c->member[root].parent;
        to = slot_of(&larger, c->member[root].t);
        larger.member[to] = (struct member){ c->member[root].t, to };
        at = slot_of(&larger, c->member[i].t);
        larger.member[at] = (struct member){ c->member[i].t, to };
    }
    if (c->member != c->first_members) tw_free(c->member);
    c->member = larger.member;
    c->slots = larger.slots;
    return true;
}

static uint32_t representative(struct compare *c, const struct tw_table *t)
{
    uint32_t i = slot_of(c, t);

    if (!c->member[i].t) {
        c->member[i] = (struct member){ t, i };
        c->used++;
    }
    while (c->member[i].parent != i)
        i = c->member[i].parent = c->member[c->member[i].parent].parent;
    return i;
}

/* Puts a pair on the stack; false: no memory. */
static bool push(struct compare *c, const struct tw_table *a, const struct tw_table *b)
{
    if (c->n == c->max) {
        bool first = c->todo == c->first_pairs;
        struct pair *p = tw_realloc(first ? NULL : c->todo, c->max * 2 * sizeof *p);

        if (!p) return false;
        if (first) memcpy(p, c->todo, sizeof c->first_pairs);
        c->todo = p;
        c->max *= 2;
    }
    c->todo[c->n++] = (struct pair){ a, b };
    return true;
}

/* Has room for two members more?  false: no memory. */
static bool reserve(struct compare *c)
{
    return (c->used + 2) * 2 <= c->slots || grow_members(c);
}

/* Two tables that have to be equal; false: no memory. */
static bool expect(struct compare *c, const struct tw_table *a, const struct tw_table *b)
{
    uint32_t i, j;

    if (a == b) return true;
    if (!reserve(c)) return false;
    i = representative(c, a);
    j = representative(c, b);
    if (i == j) return true;
    c->member[j].parent = i;
    return push(c, a, b);
}

/* Two items are equal, or will be found to be when their tables are. */
static bool agree(struct compare *c, struct tw_item a, struct tw_item b)
{
    a = tw_block_normal(a);
    b = tw_block_normal(b);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case TW_VALUE_NIL: case TW_VALUE_FALSE: case TW_VALUE_TRUE: return true;
    case TW_VALUE_NUMBER: return a.number == b.number;
    case TW_VALUE_STRING:
        return a.length == b.length && !memcmp(a.text, b.text, a.length);
    case TW_VALUE_RECORD: return !memcmp(a.record, b.record, sizeof *a.record);
    case TW_VALUE_TABLE:  return expect(c, a.table, b.table);
    default:              return a.integer == b.integer;
    }
}

static bool agree_tables(struct compare *c, const struct tw_table *a,
                         const struct tw_table *b)
{
    struct tw_item key, value;

    if (a->array != b->array || a->pairs != b->pairs) return false;
    for (uint64_t i = 0; tw_table_entry(a, i, &key, &value); i++)
        if (!agree(c, value, tw_table_find(b, key))) return false;
    return true;
}

static void begin(struct compare *c)
{
    *c = (struct compare){ .slots = 2 * SMALL, .max = SMALL };
    c->member = c->first_members;
    c->todo = c->first_pairs;
}

static void end(struct compare *c)
{
    if (c->member != c->first_members) tw_free(c->member);
    if (c->todo != c->first_pairs) tw_free(c->todo);
}

bool tw_any_equal(const struct tw_any *a, const struct tw_any *b)
{
    struct compare c;
    bool equal;

    begin(&c);
    equal = agree(&c, tw_any_root(a), tw_any_root(b));
    while (equal && c.n > 0) {
        struct pair p = c.todo[--c.n];

        equal = agree_tables(&c, p.a, p.b);
    }
    end(&c);
    return equal;
}

/* ---- flaws of keys ---- */

/* As tw_any_flaw, but a table is put on the stack when it is met first. */
static int look_at(struct compare *c, struct tw_item v)
{
    uint32_t used;

    if (v.kind == TW_VALUE_NUMBER)
        return v.number != v.number ? TW_FLAW_NAN : TW_FLAW_NONE;
    if (v.kind != TW_VALUE_TABLE) return 0;
    if (!reserve(c)) return UV_ENOMEM;
    used = c->used;
    representative(c, v.table);
    return c->used == used || push(c, v.table, NULL) ? 0 : UV_ENOMEM;
}

static int look_through(struct compare *c, const struct tw_table *t)
{
    struct tw_item key, value;
    int rc = TW_FLAW_NONE;

    for (uint64_t i = 0; rc == TW_FLAW_NONE && tw_table_entry(t, i, &key, &value); i++) {
        if (key.kind == TW_VALUE_TABLE && tw_table_block(key.table) == tw_table_block(t))
            return TW_FLAW_TABLE;
        rc = look_at(c, value);
    }
    return rc;
}

int tw_any_flaw(const struct tw_any *v)
{
    struct tw_item root = tw_any_root(v);
    struct compare c;
    int rc;

    if (root.kind != TW_VALUE_TABLE) return look_at(NULL, root);
    begin(&c);
    rc = look_at(&c, root);
    while (rc == TW_FLAW_NONE && c.n > 0) rc = look_through(&c, c.todo[--c.n].a);
    end(&c);
    return rc;
}

/* ---- hashes ---- */

enum { DEEP = 2, PART = 16 };   /* levels; what counts of a table within one */

static uint64_t hash_item(struct tw_item v, int level);

/* Pairs are added up, so that their order is nothing; a key that is a table
 * says only that.  What lies deeper is left out, and so are most elements of
 * an inner table: then equal hashes are less likely to mean equal values. */
static uint64_t hash_table(const struct tw_table *t, int level)
{
    const char *base = tw_block_base(t);
    const struct tw_item *pair = tw_block_pairs(t);
    uint64_t h = (uint64_t)t->array << 32 | t->pairs, sum = 0;

    if (level == DEEP) return h;
    for (uint32_t i = 0; i < t->array && (level == 0 || i < PART); i++)
        h = tw_block_mix(h ^ hash_item(tw_block_item(base, t->cell[i]), level + 1));
    for (uint32_t p = 0; p < t->pairs && (level == 0 || t->pairs <= PART); p++) {
        uint64_t key = hash_item(tw_block_item(base, pair[2 * (size_t)p]), DEEP + 1);

        sum += tw_block_mix(key * 3 + hash_item(tw_block_item(base,
                            pair[2 * (size_t)p + 1]), level + 1));
    }
    return h ^ sum;
}

static uint64_t hash_item(struct tw_item v, int level)
{
    uint64_t h = 0, word;

    v = tw_block_normal(v);
    switch (v.kind) {
    case TW_VALUE_NIL: case TW_VALUE_FALSE: case TW_VALUE_TRUE: break;
    case TW_VALUE_STRING: h = tw_block_hash_text(v.text, v.length); break;
    case TW_VALUE_TABLE:  h = level > DEEP ? 0 : hash_table(v.table, level); break;
    case TW_VALUE_RECORD:
        for (size_t i = 0; i < sizeof *v.record; i += sizeof word) {
            memcpy(&word, (const char *)v.record + i, sizeof word);
            h = tw_block_mix(h ^ word);
        }
        break;
    default: h = (uint64_t)v.integer; break;
    }
    return tw_block_mix(h + v.kind * UINT64_C(0x9E3779B97F4A7C15));
}

uint64_t tw_any_hash(const struct tw_any *v)
{
    return hash_item(tw_any_root(v), 0);
}
