/* board.c - a names table, and a slot with a sequence count for each name.
 *
 * Why: a lock per slot would let one slow reader hold up a writer, and a
 * pointer to a value would allocate at each set.  A block is a pointer all the
 * same: who has not met it yet holds the slot, as a writer does, for as long as
 * it takes to add a reference.
 *
 * Layout: a slot is two cache lines; a scalar touches only the first.
 *
 *   count | head: kind, length | number, or text ... | text ...
 *
 * Invariants
 *   B1  The count is odd just while a writer is inside the slot; the one who
 *       made it odd is the only writer.
 *   B2  A reader that saw the same even count before and after has the words
 *       of one set.
 *   B3  The words are atomic, so a read that B2 refuses is defined behaviour.
 *   B4  A slot owns one reference on its block.  It is let go after the slot
 *       holds something else, so who is inside the slot finds the block alive.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/board.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "tape/names.h"

enum { WORDS = sizeof(struct tw_board_value) / 8, SPINS = 100 };

_Static_assert(sizeof(struct tw_board_value) == 72, "a head and 64 bytes of text");

struct slot {
    _Alignas(2 * TW_CACHELINE) _Atomic uint64_t count;   /* atomic: B1      */
    _Atomic uint64_t word[WORDS];                        /* atomic: B2, B3  */
};

struct tw_board {
    struct tw_names *names;   /* constant */
    struct slot *slots;       /* constant */
};

static const size_t slots_bytes = (TW_BOARD_MAX + 1) * sizeof(struct slot);

struct tw_board *tw_board_new(void)
{
    struct tw_board *b = tw_calloc(1, sizeof *b);

    if (!b) return NULL;
    b->names = tw_names_new(TW_BOARD_MAX);
    b->slots = tw_map(slots_bytes, false);
    if (b->names && b->slots) return b;
    tw_board_free(b);
    return NULL;
}

void tw_board_free(struct tw_board *b)
{
    struct tw_board_value nil = { .kind = TW_VALUE_NIL };
    uint32_t n;

    if (!b) return;
    n = b->names && b->slots ? tw_board_count(b) : 0;
    for (uint32_t i = n; i > 0; i--) tw_board_set(b, i, &nil);
    tw_names_free(b->names);
    tw_unmap_used(b->slots, slots_bytes, false, (n + 1) * sizeof *b->slots);
    tw_free(b);
}

int64_t tw_board_slot(struct tw_board *b, const char *name, size_t n)
{
    return tw_names_intern(b->names, name, n);
}

uint32_t tw_board_find(const struct tw_board *b, const char *name, size_t n)
{
    return tw_names_find(b->names, name, n);
}

uint32_t tw_board_count(const struct tw_board *b)
{
    return tw_names_count(b->names);
}

const char *tw_board_name(const struct tw_board *b, uint32_t slot)
{
    return tw_names_get(b->names, slot);
}

/* The words in use: none beside the head for nil and booleans, and a text with
 * its 0 byte. */
static size_t words_of(const struct tw_board_value *head)
{
    if (head->kind == TW_VALUE_STRING) return 1 + (size_t)head->length / 8 + 1;
    return head->kind >= TW_VALUE_INTEGER ? 2 : 1;
}

/* The writer in the slot needs a few ns, or its core back. */
static void wait(unsigned *spins)
{
    if (++*spins % SPINS == 0) sched_yield();
}

/* Goes into the slot: the even count that it had. */
static uint64_t enter(struct slot *s)
{
    uint64_t count;
    unsigned spins = 0;

    do {   /* B1 */
        /* order [board.count] relaxed: the exchange below orders */
        while ((count = atomic_load_explicit(&s->count, memory_order_relaxed)) & 1)
            wait(&spins);
        /* order [board.count] acquire: after the writer before us */
    } while (!atomic_compare_exchange_weak_explicit(&s->count, &count, count + 1,
                                                    memory_order_acquire,
                                                    memory_order_relaxed));
    /* order [board.count] release: who sees a new word sees the odd count (B2) */
    atomic_thread_fence(memory_order_release);
    return count;
}

static void leave(struct slot *s, uint64_t count)
{
    /* order [board.count] release: the words stand before the count is even */
    atomic_store_explicit(&s->count, count + 2, memory_order_release);
}

/* The words as they are now, perhaps of two sets. */
static void read_words(const struct slot *s, struct tw_board_value *out)
{
    uint64_t w[WORDS] = { 0 };

    *out = (struct tw_board_value){ 0 };
    for (size_t i = 0; i < words_of(out); i++) {
        /* order [board.word] relaxed: the count orders the words (B2, B3) */
        w[i] = atomic_load_explicit(&s->word[i], memory_order_relaxed);
        if (i == 0) memcpy(out, w, sizeof w[0]);
    }
    memcpy(out, w, sizeof *out);
}

void tw_board_set(struct tw_board *b, uint32_t slot, const struct tw_board_value *v)
{
    struct slot *s = &b->slots[slot];
    struct tw_board_value clean = { .kind = v->kind }, old;   /* no stray bytes */
    uint64_t w[WORDS], count;

    assert(slot != 0 && slot <= TW_BOARD_MAX);
    if (v->kind == TW_VALUE_STRING) {
        assert(v->length <= TW_BOARD_TEXT);
        clean.length = v->length;
        memcpy(clean.text, v->text, v->length);
    } else {
        clean.integer = v->integer;
    }
    memcpy(w, &clean, sizeof w);
    count = enter(s);
    read_words(s, &old);
    for (size_t i = 0; i < words_of(&clean); i++)
        /* order [board.word] relaxed: the count orders the words (B2, B3) */
        atomic_store_explicit(&s->word[i], w[i], memory_order_relaxed);
    leave(s, count);
    if (old.kind == TW_VALUE_BLOCK) tw_value_unref(old.block);   /* B4 */
}

void tw_board_get(const struct tw_board *b, uint32_t slot, struct tw_board_value *out)
{
    const struct slot *s = &b->slots[slot];
    uint64_t count;
    unsigned spins = 0;

    assert(slot != 0 && slot <= TW_BOARD_MAX);
    for (;; wait(&spins)) {
        /* order [board.count] acquire: the words of that set are visible */
        count = atomic_load_explicit(&s->count, memory_order_acquire);
        if (count & 1) continue;
        read_words(s, out);
        /* order [board.count] acquire: if a word was of a later set, the load
         * below sees that the count moved (B2) */
        atomic_thread_fence(memory_order_acquire);
        /* order [board.count] relaxed: the fence above orders it */
        if (atomic_load_explicit(&s->count, memory_order_relaxed) == count) break;
    }
}

void tw_board_hold(struct tw_board *b, uint32_t slot, struct tw_board_value *out)
{
    struct slot *s = &b->slots[slot];
    uint64_t count;

    assert(slot != 0 && slot <= TW_BOARD_MAX);
    count = enter(s);
    read_words(s, out);
    if (out->kind == TW_VALUE_BLOCK) tw_value_ref(out->block);   /* B4 */
    leave(s, count);
}
