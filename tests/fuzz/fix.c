/* fix.c - any bytes, in any chunks: the FIX decoder neither crashes nor lets
 * the chunks make a difference, and it accounts for every byte. */
#include "feed/fix.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came out, in brief: the records' hash, in order. */
struct outcome { struct tw_codec_stats stats; uint64_t hash, problems; };

static void take(struct tw_batch *b)
{
    struct outcome *o = b->owner;

    for (unsigned i = 0; i < b->n; i++) {
        const struct tw_record *r = &b->r[i];
        uint64_t word[8];

        if (r->kind == TW_QUOTE && (r->quote.bid_size < 0 ||
                                    r->quote.ask_size < 0)) abort();
        memcpy(word, r, sizeof word);
        for (int k = 0; k < 8; k++)
            o->hash = (o->hash ^ word[k]) * UINT64_C(0x100000001b3);
    }
    b->n = 0;
}

static void on_problem(void *ctx, const char *text)
{
    struct outcome *o = ctx;

    if (strncmp(text, "fix: ", 5) || !strstr(text, "offset ")) abort();
    o->problems++;
}

/* Decodes all; the lengths of the chunks come from the bytes at `by`.  Each
 * chunk is a block of its own, so that a byte too far is found. */
static struct outcome decode(const uint8_t *data, size_t size, const uint8_t *by,
                             size_t by_n)
{
    struct outcome o = {0};
    struct tw_batch batch = { .full = take, .owner = &o };
    struct tw_fix_options options = {
        .symbols = tw_symbols_new(1000), .max_message = 2000,
        .problem = on_problem, .problem_ctx = &o,
    };
    struct tw_codec *c = tw_fix_decoder_new(&options);
    size_t at = 0, given = 0, turn = 0;

    if (!c) abort();
    while (given < size) {
        size_t more = by_n ? 1u + by[turn++ % by_n] : size, done;
        char *block;

        given = more < size - given ? given + more : size;
        block = malloc(given - at);
        if (!block) abort();
        memcpy(block, data + at, given - at);
        done = c->ops->decode(c, block, given - at, 1, &batch);
        if (done > given - at) abort();
        at += done;
        free(block);
    }
    c->ops->end(c, (const char *)data + at, size - at, 1, &batch);
    take(&batch);
    o.stats = c->stats;
    if (o.stats.bytes != size || o.problems != o.stats.skips + o.stats.errors) abort();
    c->ops->free(c);
    tw_symbols_free(options.symbols);
    return o;
}

/* Sets BodyLength and CheckSum right where a message seems to begin, as chance
 * would never find them. */
static void repair(uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 30 < size; i++) {
        size_t body = i + 16, stop = body;
        unsigned sum = 0;
        char text[8];
        int length;

        if (memcmp(data + i, "8=FIX.4.4\0019=", 12)) continue;
        while (stop + 8 <= size && memcmp(data + stop, "\00110=", 4)) stop++;
        if (stop + 8 > size) return;
        stop++;
        length = (int)(stop - body);
        if (length > 999) continue;
        memcpy(text, (char[]){ (char)('0' + length / 100), (char)('0' + length / 10 % 10),
                               (char)('0' + length % 10), 1 }, 4);
        memcpy(data + i + 12, text, 4);
        for (size_t k = i; k < stop; k++) sum += data[k];
        sum &= 255;
        memcpy(text, (char[]){ (char)('0' + sum / 100), (char)('0' + sum / 10 % 10),
                               (char)('0' + sum % 10), 1 }, 4);
        memcpy(data + stop + 3, text, 4);
        i = stop + 6;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t by = size > 4 ? 4 : 0;
    struct outcome whole, chunked;
    uint8_t *bytes = malloc(size + 1);

    if (!bytes) abort();
    memcpy(bytes, data, size);
    if (size > 4 && data[0] & 1) repair(bytes + by, size - by);
    whole = decode(bytes + by, size - by, NULL, 0);
    chunked = decode(bytes + by, size - by, bytes, by);
    if (memcmp(&whole, &chunked, sizeof whole)) abort();
    free(bytes);
    return 0;
}
