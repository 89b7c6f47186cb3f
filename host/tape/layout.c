/* layout.c - the bytes of a tape file: its head, the heads of its blocks, its end.
 *
 * Why a checksum of our own: zlib's crc32 takes as long as decoding does.  This one has
 * four lanes, each a chain of bijections, and runs at the speed of memory.
 *
 * Layer host/tape.  Thread: any.
 */
#include "tape/layout.h"

#include "base/word.h"

enum { LANES = 4 };

static const char head_magic[8] = "TWTAPE\r\n", end_magic[8] = "TWEND\r\n",
    block_magic[4] = { 'T', 'W', 'B', '1' };

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

uint64_t tw_tape_checksum(const void *from, size_t n, uint64_t seed)
{
    const char *p = from;
    uint64_t lane[LANES], h = seed ^ n;

    for (int i = 0; i < LANES; i++) lane[i] = seed + (uint64_t)i;
    for (; n >= 8 * LANES; p += 8 * LANES, n -= 8 * LANES)
        for (int i = 0; i < LANES; i++)
            lane[i] = mix(lane[i], tw_word_load(p + 8 * i));
    for (; n >= 8; p += 8, n -= 8) h = mix(h, tw_word_load(p));
    h = mix(h, tw_tape_get(p, (int)n));
    for (int i = 0; i < LANES; i++) h = mix(h, lane[i]);
    return mix(h, 0);
}

/* ---- of the file ---- */

void tw_tape_head_put(unsigned char out[TW_TAPE_HEAD], const struct tw_tape_head *h)
{
    memset(out, 0, TW_TAPE_HEAD);
    memcpy(out, head_magic, sizeof head_magic);
    tw_tape_put(out + 8, 4, h->version);
    tw_tape_put(out + 12, 4, h->flags);
    tw_tape_put(out + 16, 8, (uint64_t)h->created_ns);
    tw_tape_put(out + 56, 8, tw_tape_checksum(out, 56, 0));
}

bool tw_tape_head_get(const unsigned char *p, struct tw_tape_head *h)
{
    h->version = (uint32_t)tw_tape_get(p + 8, 4);
    h->flags = (uint32_t)tw_tape_get(p + 12, 4);
    h->created_ns = (int64_t)tw_tape_get(p + 16, 8);
    return memcmp(p, head_magic, sizeof head_magic) == 0
        && tw_tape_get(p + 56, 8) == tw_tape_checksum(p, 56, 0);
}

void tw_tape_end_put(unsigned char out[TW_TAPE_END], const struct tw_tape_end *e)
{
    memcpy(out, end_magic, sizeof end_magic);
    tw_tape_put(out + 8, 8, e->index_at);
    tw_tape_put(out + 16, 8, e->records);
    tw_tape_put(out + 24, 8, tw_tape_checksum(out, 24, 0));
}

bool tw_tape_end_get(const unsigned char *p, struct tw_tape_end *e)
{
    e->index_at = tw_tape_get(p + 8, 8);
    e->records = tw_tape_get(p + 16, 8);
    return memcmp(p, end_magic, sizeof end_magic) == 0
        && tw_tape_get(p + 24, 8) == tw_tape_checksum(p, 24, 0);
}

/* ---- of a block ---- */

void tw_tape_block_head_put(unsigned char out[TW_TAPE_BLOCK_HEAD],
                            const struct tw_tape_block_head *h, uint64_t at)
{
    memcpy(out, block_magic, sizeof block_magic);
    tw_tape_put(out + 4, 1, h->type);
    tw_tape_put(out + 5, 1, h->packing);
    tw_tape_put(out + 6, 2, 0);
    tw_tape_put(out + 8, 4, h->stored);
    tw_tape_put(out + 12, 4, h->raw);
    tw_tape_put(out + 16, 4, h->records);
    tw_tape_put(out + 20, 4, h->values);
    tw_tape_put(out + 24, 8, h->number);
    tw_tape_put(out + 32, 8, h->first_seq);
    tw_tape_put(out + 40, 8, h->last_seq);
    tw_tape_put(out + 48, 8, (uint64_t)h->first_ns);
    tw_tape_put(out + 56, 8, (uint64_t)h->last_ns);
    tw_tape_put(out + 64, 8, h->checksum);
    tw_tape_put(out + 72, 8, tw_tape_checksum(out, 72, at));
}

bool tw_tape_block_head_get(const unsigned char *p, struct tw_tape_block_head *h,
                            uint64_t at)
{
    if (memcmp(p, block_magic, sizeof block_magic) != 0
        || tw_tape_get(p + 72, 8) != tw_tape_checksum(p, 72, at))
        return false;
    *h = (struct tw_tape_block_head){
        .type = (enum tw_tape_type)p[4],
        .packing = p[5],
        .stored = (uint32_t)tw_tape_get(p + 8, 4),
        .raw = (uint32_t)tw_tape_get(p + 12, 4),
        .records = (uint32_t)tw_tape_get(p + 16, 4),
        .values = (uint32_t)tw_tape_get(p + 20, 4),
        .number = tw_tape_get(p + 24, 8),
        .first_seq = tw_tape_get(p + 32, 8),
        .last_seq = tw_tape_get(p + 40, 8),
        .first_ns = (int64_t)tw_tape_get(p + 48, 8),
        .last_ns = (int64_t)tw_tape_get(p + 56, 8),
        .checksum = tw_tape_get(p + 64, 8),
    };
    return true;
}
