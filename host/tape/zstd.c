/* zstd.c - the payload of a block, packed and unpacked with zstd.
 *
 * Level 1: columns are all that it has to find, and the levels above take twice as long
 * for a twentieth of the bytes.  Its memory is ours, so that tests can make it fail.
 * What zstd has for other levels and for formats of before 2016 is left out of the
 * program, as zstd.ld says.
 *
 * Layer host/tape.  Thread: one at a time.
 */
#define ZSTD_STATIC_LINKING_ONLY   /* for ZSTD_customMem */
#include "tape/zstd.h"

#include <assert.h>
#include <zstd.h>

#include "base/memory.h"

enum { LEVEL = 1 };

void tw_zstd_never(void);   /* zstd.ld has it stand for parts of zstd */
void tw_zstd_never(void)
{
    assert(!"a part of zstd that was left out");
}

const char *tw_zstd_lack(void)
{
    return NULL;
}

static void *take(void *ctx, size_t bytes)
{
    (void)ctx;
    return tw_calloc(1, bytes);
}

static void give(void *ctx, void *p)
{
    (void)ctx;
    tw_free(p);
}

struct tw_zstd_packer *tw_zstd_packer_new(void)
{
    return (void *)ZSTD_createCCtx_advanced((ZSTD_customMem){ take, give, NULL });
}

struct tw_zstd_unpacker *tw_zstd_unpacker_new(void)
{
    return (void *)ZSTD_createDCtx_advanced((ZSTD_customMem){ take, give, NULL });
}

void tw_zstd_packer_free(struct tw_zstd_packer *z)
{
    ZSTD_freeCCtx((void *)z);
}

void tw_zstd_unpacker_free(struct tw_zstd_unpacker *z)
{
    ZSTD_freeDCtx((void *)z);
}

size_t tw_zstd_max(size_t n)
{
    return ZSTD_compressBound(n);
}

size_t tw_zstd_pack(struct tw_zstd_packer *z, const void *p, size_t n, void *out,
                    size_t max)
{
    size_t got = ZSTD_compressCCtx((void *)z, out, max, p, n, LEVEL);

    return ZSTD_isError(got) ? 0 : got;
}

bool tw_zstd_unpack(struct tw_zstd_unpacker *z, const void *p, size_t bytes, void *out,
                    size_t n)
{
    ZSTD_frameHeader head;

    /* One frame of today's format: of others, what would read them was left out. */
    return ZSTD_getFrameHeader(&head, p, bytes) == 0 && head.frameType == ZSTD_frame &&
           ZSTD_findFrameCompressedSize(p, bytes) == bytes &&
           ZSTD_decompressDCtx((void *)z, out, n, p, bytes) == n;
}
