/* board.c - the latest value by name, never torn, never let go early (B1 to B4). */
#include "share/board.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "share/builder.h"
#include "tap.h"

enum { WRITERS = 2, READERS = 2 };
static int rounds = 50000;

static struct tw_board_value text_of(const char *s)
{
    struct tw_board_value v = { .kind = TW_VALUE_STRING, .length = (uint8_t)strlen(s) };

    memcpy(v.text, s, v.length);
    return v;
}

static void kinds(void)
{
    struct tw_board *b = tw_board_new();
    struct tw_board_value v;
    struct tw_board_value longest = { .kind = TW_VALUE_STRING, .length = TW_BOARD_TEXT };
    char name[TW_BOARD_TEXT + 2];
    uint32_t slot = (uint32_t)tw_board_slot(b, "vol.tech", 8);

    ok(slot == 1 && tw_board_find(b, "vol.tech", 8) == 1 &&
       tw_board_find(b, "vol", 3) == 0, "a name has a slot");
    ok(tw_board_count(b) == 1 && !strcmp(tw_board_name(b, 1), "vol.tech"),
       "a slot has a name");
    tw_board_get(b, slot, &v);
    ok(v.kind == TW_VALUE_NIL, "it begins as nil");
    tw_board_set(b, slot, &(struct tw_board_value){ .kind = TW_VALUE_NUMBER,
                                                    .number = 0.5 });
    tw_board_get(b, slot, &v);
    ok(v.kind == TW_VALUE_NUMBER && v.number == 0.5, "a number");
    memset(longest.text, 'x', TW_BOARD_TEXT);
    tw_board_set(b, slot, &longest);
    tw_board_get(b, slot, &v);
    ok(v.length == TW_BOARD_TEXT && strlen(v.text) == TW_BOARD_TEXT &&
       v.text[TW_BOARD_TEXT - 1] == 'x', "the longest text");
    v = text_of("12345678");
    v.text[8] = 'x';   /* past the length: not part of the value */
    tw_board_set(b, slot, &v);
    tw_board_get(b, slot, &v);
    ok(v.length == 8 && !strcmp(v.text, "12345678"), "a shorter text ends with a 0 byte");
    tw_board_set(b, slot, &(struct tw_board_value){ .kind = TW_VALUE_INTEGER,
                                                    .integer = INT64_MIN });
    tw_board_get(b, slot, &v);
    ok(v.kind == TW_VALUE_INTEGER && v.integer == INT64_MIN, "an integer");
    tw_board_set(b, slot, &(struct tw_board_value){ .kind = TW_VALUE_TRUE });
    tw_board_get(b, slot, &v);
    ok(v.kind == TW_VALUE_TRUE, "a boolean");
    tw_board_set(b, slot, &(struct tw_board_value){ .kind = TW_VALUE_NIL });
    tw_board_get(b, slot, &v);
    ok(v.kind == TW_VALUE_NIL && tw_board_count(b) == 1, "a cleared name stays known");
    memset(name, 'n', sizeof name);
    ok(tw_board_slot(b, name, sizeof name) == TW_ELIMIT, "a name may be too long");
    tw_board_free(b);
    tw_board_free(NULL);
}

/* A block with one string of `letters` letters, for the board to own. */
static struct tw_board_value block_of(int letters)
{
    struct tw_board_value v = { .kind = TW_VALUE_BLOCK };
    struct tw_builder *b = tw_builder_new();
    char s[26];

    memset(s, 'a' + letters, (size_t)letters);
    tw_builder_begin(b);
    tw_builder_string(b, s, (size_t)letters);
    tw_builder_finish(b, &v.block);
    tw_builder_free(b);
    return v;
}

/* Is it one that block_of made, all of it? */
static bool is_block(const struct tw_board_value *v)
{
    struct tw_item s = tw_value_root(v->block);
    uint32_t same = 0;

    while (same < s.length && s.text[same] == (char)('a' + s.length)) same++;
    return same == s.length;
}

static void blocks(void)
{
    struct tw_board *b = tw_board_new();
    struct tw_board_value v = block_of(3), held;
    struct tw_value *first = v.block;
    uint32_t slot = (uint32_t)tw_board_slot(b, "block", 5);

    tw_board_slot(b, "never set", 9);
    tw_board_set(b, slot, &v);
    tw_board_get(b, slot, &held);
    ok(held.kind == TW_VALUE_BLOCK && held.block == first, "a block is read as it is");
    tw_board_hold(b, slot, &held);
    v = block_of(5);
    tw_board_set(b, slot, &v);
    ok(tw_value_live() == 2 && held.block == first && is_block(&held),
       "who holds it has it when another one is set");
    tw_value_unref(held.block);
    ok(tw_value_live() == 1, "a block that was overwritten goes with its last holder");
    tw_board_set(b, slot, &(struct tw_board_value){ .kind = TW_VALUE_NIL });
    tw_board_hold(b, slot, &held);
    ok(tw_value_live() == 0 && held.kind == TW_VALUE_NIL, "a name that is cleared");
    v = block_of(7);
    tw_board_set(b, slot, &v);
    tw_board_free(b);
    ok(tw_value_live() == 0, "the board lets go what stands on it");
}

static void full(void)
{
    struct tw_board *b = tw_board_new();
    struct tw_board_value v;
    int wrong = 0;

    for (int i = 1; i <= TW_BOARD_MAX; i++) {
        char name[16];

        wrong += tw_board_slot(b, name, (size_t)sprintf(name, "k%d", i)) != i;
    }
    ok(wrong == 0 && tw_board_slot(b, "one", 3) == TW_ELIMIT,
       "there are %d slots", TW_BOARD_MAX);
    tw_board_set(b, TW_BOARD_MAX, &(struct tw_board_value){ .kind = TW_VALUE_TRUE });
    tw_board_get(b, TW_BOARD_MAX, &v);
    ok(v.kind == TW_VALUE_TRUE, "the last one holds a value");
    tw_board_free(b);
}

static void no_memory(void)
{
    struct tw_board *b = NULL;
    int failed;

    for (failed = 0; !b; failed++) {
        tw_memory_fail_at((uint64_t)failed + 1);
        b = tw_board_new();
    }
    tw_memory_fail_at(0);
    ok(failed > 4, "each of its %d allocations may fail", failed - 1);
    tw_board_free(b);
}

/* Writers set texts of one letter, whose length the letter gives, and numbers;
 * whatever is read must be one of them, whole. */
struct job { struct tw_board *b; int k; atomic_int *left; uint64_t wrong, reads; };

static void *writer(void *arg)
{
    struct job *j = arg;

    for (int i = 0; i < rounds; i++) {
        struct tw_board_value v = { .kind = TW_VALUE_STRING };
        int letter = (i * WRITERS + j->k) % 26;

        v.length = (uint8_t)(TW_BOARD_TEXT - letter);
        memset(v.text, 'a' + letter, v.length);
        if (i % 4 == 0)
            v = (struct tw_board_value){ .kind = TW_VALUE_NUMBER, .number = 1.5 };
        tw_board_set(j->b, 1, &v);
        /* A pair in one value: both halves of the integer agree. */
        tw_board_set(j->b, 2, &(struct tw_board_value){ .kind = TW_VALUE_INTEGER,
                              .integer = (int64_t)i << 32 | i });
        v = i % 8 ? block_of(i % 26) : text_of("no block");
        tw_board_set(j->b, 3, &v);
    }
    atomic_fetch_sub(j->left, 1);
    return NULL;
}

static bool whole(const struct tw_board_value *v)
{
    if (v->kind == TW_VALUE_NIL) return true;
    if (v->kind == TW_VALUE_NUMBER) return v->number == 1.5 && v->length == 0;
    if (v->kind != TW_VALUE_STRING || strlen(v->text) != v->length) return false;
    if (v->length != TW_BOARD_TEXT - (v->text[0] - 'a')) return false;
    for (int i = 1; i < v->length; i++)
        if (v->text[i] != v->text[0]) return false;
    return true;
}

static void *reader(void *arg)
{
    struct job *j = arg;

    for (; atomic_load(j->left) > 0 || j->reads == 0; j->reads++) {
        struct tw_board_value v;

        tw_board_get(j->b, 1, &v);
        j->wrong += !whole(&v);
        tw_board_get(j->b, 2, &v);
        j->wrong += v.kind != TW_VALUE_NIL && v.integer >> 32 != (v.integer & 0xffffffff);
        tw_board_hold(j->b, 3, &v);
        j->wrong += v.kind == TW_VALUE_STRING && strcmp(v.text, "no block");
        if (v.kind != TW_VALUE_BLOCK) continue;
        j->wrong += !is_block(&v);
        tw_value_unref(v.block);
    }
    return NULL;
}

static void threads(void)
{
    struct tw_board *b = tw_board_new();
    struct job j[WRITERS + READERS];
    pthread_t th[WRITERS + READERS];
    struct tw_board_value v;
    atomic_int left = WRITERS;
    uint64_t wrong = 0;

    tw_board_slot(b, "text", 4);
    tw_board_slot(b, "pair", 4);
    tw_board_slot(b, "block", 5);
    for (int k = 0; k < WRITERS + READERS; k++) {
        j[k] = (struct job){ .b = b, .k = k, .left = &left };
        pthread_create(&th[k], NULL, k < WRITERS ? writer : reader, &j[k]);
    }
    for (int k = 0; k < WRITERS + READERS; k++) {
        pthread_join(th[k], NULL);
        wrong += j[k].wrong;
    }
    ok(wrong == 0, "no torn value among %d writers and %d readers", WRITERS, READERS);
    tw_board_get(b, 2, &v);
    ok(v.integer == ((int64_t)(rounds - 1) << 32 | (rounds - 1)), "the last set stands");
    tw_board_free(b);
    ok(tw_value_live() == 0, "no block is left");
}

int main(void)
{
    if (getenv("SMALL")) rounds = 5000;
    kinds();
    blocks();
    full();
    no_memory();
    threads();
    return tap_done();
}
